"""Ranks of each event's returns among its own days, of many events at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from eventstudy.inference.support import NEGLIGIBLE
from eventstudy.sample import Rows

__all__ = ["RankProfile", "profile_of", "rank_profile", "scaled_ranks"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Events ranked at a time, so that memory does not grow with the number of events.
CHUNK = 1024
#: Stands for missing values, beyond all returns.
BEYOND = float(np.finfo(np.float64).max)


def _ranks(values: FloatArray) -> FloatArray:
    """Average rank of each value in its row; values are finite, or `BEYOND`, whose ranks mean nothing.

    The number of its column takes the place of the last bits of each value, so that one sort of plain
    numbers, which is far faster than a sort of positions, yields the order. Values that agree in all
    other bits are tied, or nearly so: rows that have any are ranked by the slow way.
    """
    n, width = values.shape
    bits = (width - 1).bit_length()
    low = (1 << bits) - 1
    # Adding zero makes -0 and 0 the same.
    keys = (values + 0.0).view(np.int64)
    keys &= ~low
    keys |= np.arange(width)
    keys.view(np.float64).sort(axis=1)
    ranks = np.empty((n, width))
    np.put_along_axis(ranks, keys & low, np.arange(1.0, width + 1.0)[None, :], axis=1)
    near = (keys[:, 1:] ^ keys[:, :-1]).view(np.uint64) <= low
    if near.any():
        some = np.flatnonzero(near.any(axis=1))
        tied = some[(near[some] & (keys[some, 1:].view(np.float64) < BEYOND / 2)).any(axis=1)]
        if len(tied):
            ranks[tied] = stats.rankdata(values[tied], axis=1)
    return ranks


def scaled_ranks(values: FloatArray) -> FloatArray:
    r"""Rank each row among its own T_i values: ``K / (T_i + 1) - 1/2``, ties get the average rank.

    Parameters
    ----------
    values : array, shape (N, T)
        NaN where missing, which stays NaN (Corrado and Zivney 1992).

    Examples
    --------
    >>> scaled_ranks(np.array([[0.3, np.nan, 0.1, 0.2]])).tolist()
    [[0.25, nan, -0.25, 0.0]]
    """
    missing = np.isnan(values)
    if not missing.any():
        ranks = _ranks(values)
        ranks /= values.shape[1] + 1.0
        ranks -= 0.5
        return ranks
    # What is missing ranks last, beyond every value, and so moves no other rank.
    ranks = _ranks(np.where(missing, BEYOND, values))
    ranks /= (~missing).sum(axis=1, keepdims=True) + 1.0
    ranks -= 0.5
    ranks[missing] = np.nan
    return ranks


@dataclass(frozen=True)
class RankProfile:
    """Scaled ranks of N events over T days, estimation days first, reduced to what the tests need.

    Attributes
    ----------
    mean : array, shape (T,)
        Average scaled rank of the available events of each day; NaN where there is none.
    tested : array, shape (N, L)
        Scaled ranks of the tested days.
    tested_columns : slice
        Where the tested days stand in `mean`.
    sizes : array of int, shape (N,)
        Days T_i that event i is ranked among.
    spread : float
        ``S``, the root of the mean over days of ``(n_t / N) mean_t^2``; 0 if rounding noise.
    n_days : int
        Days on which some event is ranked.
    """

    mean: FloatArray
    tested: FloatArray
    tested_columns: slice
    sizes: IntArray
    spread: float
    n_days: int

    @property
    def tested_means(self) -> FloatArray:
        """Average scaled ranks of the tested days on which some event is ranked."""
        values = self.mean[self.tested_columns]
        return values[~np.isnan(values)]


def rank_profile(estimation: FloatArray, event: FloatArray, tested: slice) -> RankProfile:
    """Rank each event over its estimation days and event days together.

    Parameters
    ----------
    estimation : array, shape (N, W)
    event : array, shape (N, L)
        Abnormal returns to be ranked, in the same units; NaN where missing.
    tested : slice
        The tested columns of `event`; the others are ranked all the same.
    """
    chunks = [slice(b, b + CHUNK) for b in range(0, len(event), CHUNK)]
    return profile_of([(rows, estimation[rows]) for rows in chunks], event, tested)


def profile_of(parts: Iterable[tuple[Rows, FloatArray]], event: FloatArray, tested: slice) -> RankProfile:
    """Rank as `rank_profile`, with the estimation windows given in chunks of events: rows, and values."""
    n, length = event.shape
    total, count = np.zeros(0), np.zeros(0, dtype=np.int64)
    chosen = np.empty_like(event[:, tested])
    sizes = np.empty(n, dtype=np.int64)
    for rows, estimation in parts:
        ranks = scaled_ranks(np.concatenate([estimation, event[rows]], axis=1))
        if not len(total):
            total, count = np.zeros(ranks.shape[1]), np.zeros(ranks.shape[1], dtype=np.int64)
        chosen[rows] = ranks[:, ranks.shape[1] - length :][:, tested]
        missing = np.isnan(ranks)
        if missing.any():
            ranks[missing] = 0.0
            sizes[rows] = ranks.shape[1] - missing.sum(axis=1)
            count += len(ranks) - missing.sum(axis=0)
        else:
            sizes[rows] = ranks.shape[1]
            count += len(ranks)
        total += ranks.sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    n_days = int((count > 0).sum())
    s = float(np.sqrt((count / n * np.where(count > 0, mean, 0.0) ** 2).sum() / n_days))
    width = len(total) - length
    start, stop, _ = tested.indices(length)
    # Scaled ranks lie within +-1/2, so this is the size of their rounding noise.
    return RankProfile(
        mean, chosen, slice(width + start, width + stop), sizes, s if s > NEGLIGIBLE else 0.0, n_days
    )
