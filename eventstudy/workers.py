"""Number of workers, without loading joblib where there is one."""

from __future__ import annotations

import sys

__all__ = ["n_workers"]


def n_workers(n_jobs: int | None) -> int:
    """Return how many workers `joblib.Parallel(n_jobs)` would have.

    Only `joblib.parallel_config` gives None several workers, and its callers have loaded joblib.
    """
    if n_jobs == 1 or (n_jobs is None and "joblib" not in sys.modules):
        return 1
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))
