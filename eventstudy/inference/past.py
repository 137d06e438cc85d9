"""Estimation residuals of many events, reduced to what the closed-form tests need, in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eventstudy.abnormal import AbnormalReturns
from eventstudy.models.deferred import parts_of

__all__ = ["PastSums", "past_sums", "sums_by_run"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PastSums:
    """Sums over events of their estimation residuals; g runs of events have the same calendar dates.

    Attributes
    ----------
    event : array of int, shape (g,)
        An event of each run.
    run : array of int, shape (N,)
        The run of each event.
    total, count : arrays, shape (g, W)
        Sum of the residuals of each run, and how many they are.
    positive : array, shape (N,)
        Share of positive residuals of each event, zeros counted half; NaN where it has none.
    """

    event: IntArray
    run: IntArray
    total: FloatArray
    count: IntArray
    positive: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean residual of each relative day, shape (W,); NaN where there is none."""
        count = self.count.sum(axis=0)
        return np.where(count > 0, self.total.sum(axis=0) / np.maximum(count, 1), np.nan)


def past_sums(abnormal: AbnormalReturns) -> PastSums:
    """Sum the estimation residuals of events; computed once for each record of abnormal returns."""
    store = vars(abnormal)
    if "_past_sums" not in store:
        store["_past_sums"] = _sum(abnormal)
    found: PastSums = store["_past_sums"]
    return found


def _sum(abnormal: AbnormalReturns) -> PastSums:
    _, event, run = np.unique(abnormal.calendar, return_index=True, return_inverse=True)
    order = np.argsort(run, kind="stable")
    positive = np.empty(len(run))
    total: FloatArray | None = None
    for rows, residuals in parts_of(abnormal, "residuals", order=order):
        if total is None:
            total = np.zeros((len(event), residuals.shape[1]))
            count = np.zeros(total.shape, dtype=np.int64)
        above = np.count_nonzero(residuals > 0, axis=1) + 0.5 * np.count_nonzero(residuals == 0, axis=1)
        runs, sums, seen, size = sums_by_run(residuals, run[rows])
        total[runs] += sums
        count[runs] += seen
        positive[rows] = np.where(size > 0, above / np.maximum(size, 1), np.nan)
    if total is None:
        total, count = np.zeros((0, 0)), np.zeros((0, 0), dtype=np.int64)
    return PastSums(event, run, total, count, positive)


def sums_by_run(values: FloatArray, run: IntArray) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
    """Sum rows of events that stand in the order of their runs.

    Parameters
    ----------
    values : array, shape (n, T)
        NaN where missing.
    run : array of int, shape (n,)

    Returns
    -------
    runs : array of int, shape (g,)
    total, count : arrays, shape (g, T) and (g, T) or (g, 1)
    size : array of int, shape (n,)
        Values of each event.
    """
    start = np.flatnonzero(np.diff(run, prepend=run[:1] - 1))
    missing = np.isnan(values)
    if not missing.any():
        many = np.diff(np.append(start, len(run)))
        return (
            run[start],
            np.add.reduceat(values, start, axis=0),
            many[:, None],
            np.full(len(run), values.shape[1]),
        )
    seen = ~missing
    total = np.add.reduceat(np.where(missing, 0.0, values), start, axis=0)
    return run[start], total, np.add.reduceat(seen, start, axis=0, dtype=np.int64), seen.sum(axis=1)
