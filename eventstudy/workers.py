"""Workers: how many there are, without loading joblib where there is one, and what threads compute."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["n_workers", "on_threads"]

Given = TypeVar("Given")
Made = TypeVar("Made")


def n_workers(n_jobs: int | None) -> int:
    """Return how many workers `joblib.Parallel(n_jobs)` would have.

    Only `joblib.parallel_config` gives None several workers, and its callers have loaded joblib.
    """
    if n_jobs == 1 or (n_jobs is None and "joblib" not in sys.modules):
        return 1
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


def on_threads(
    compute: Callable[[Given], Made], parts: Sequence[Given], workers: int | None = None
) -> Iterable[Made]:
    """Compute parts in order, on as many threads as `joblib.parallel_config` gives workers."""
    workers = n_workers(None) if workers is None else workers
    return map(compute, parts) if workers == 1 or len(parts) < 2 else _ahead(compute, parts, workers)


def _ahead(compute: Callable[[Given], Made], parts: Sequence[Given], workers: int) -> Iterator[Made]:
    """Compute parts on threads, some ahead of the one that is taken."""
    # joblib looks for results a hundred times per second only: a tenth of the time of 100,000 events.
    from concurrent.futures import ThreadPoolExecutor

    pool, begun = ThreadPoolExecutor(workers), deque["Future[Made]"]()
    try:
        for part in parts:
            begun.append(pool.submit(compute, part))
            if len(begun) > 2 * workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
