"""Number of workers, without loading joblib where there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

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


def on_threads(compute: Callable[[Given], Made], parts: Sequence[Given]) -> Iterable[Made]:
    """Compute parts in order, on as many threads as `joblib.parallel_config` gives workers."""
    if n_workers(None) == 1 or len(parts) < 2:
        return map(compute, parts)
    from joblib import Parallel, delayed

    run = Parallel(require="sharedmem", return_as="generator")
    made: Iterable[Made] = run(delayed(compute)(part) for part in parts)
    return made
