"""Ranks of each event's returns among its own days, of many events at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from eventstudy.inference.support import NEGLIGIBLE

__all__ = ["BEYOND", "RankProfile", "near_ties", "ranks_of", "scaled_ranks", "sort_keys"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
#: Stands for missing values, beyond all returns.
BEYOND = float(np.finfo(np.float64).max)


def sort_keys(keys: IntArray) -> int:
    """Sort each row of `keys`, whose bits are those of finite floats, so that order and place are known.

    The number of its column takes the place of the last bits of each value, so that one sort of plain
    numbers, which is far faster than a sort of positions, yields the order.

    Returns
    -------
    int
        The bits that hold the column.
    """
    width = keys.shape[1]
    low: int = (1 << (width - 1).bit_length()) - 1
    keys &= ~low
    keys |= np.arange(width)
    keys.view(np.float64).sort(axis=1)
    return low


def near_ties(keys: IntArray, low: int) -> BoolArray:
    """Neighbours in the order that are tied, or agree in all bits that were compared; shape (n, T - 1)."""
    same: BoolArray = (keys[:, 1:] ^ keys[:, :-1]).view(np.uint64) <= low
    if same.any():
        same &= keys[:, 1:].view(np.float64) < BEYOND / 2
    return same


def ranks_of(values: FloatArray) -> FloatArray:
    """Average rank of each value in its row; values are finite, or `BEYOND`, whose ranks mean nothing."""
    n, width = values.shape
    # Adding zero makes -0 and 0 the same.
    keys = (values + 0.0).view(np.int64)
    low = sort_keys(keys)
    ranks = np.empty((n, width))
    np.put_along_axis(ranks, keys & low, np.arange(1.0, width + 1.0)[None, :], axis=1)
    tied = np.flatnonzero(near_ties(keys, low).any(axis=1))
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
        ranks = ranks_of(values)
        ranks /= values.shape[1] + 1.0
        ranks -= 0.5
        return ranks
    # What is missing ranks last, beyond every value, and so moves no other rank.
    ranks = ranks_of(np.where(missing, BEYOND, values))
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

    @classmethod
    def of(
        cls, total: FloatArray, count: IntArray, tested: FloatArray, columns: slice, sizes: IntArray
    ) -> RankProfile:
        """Make the profile of the sums over events of their scaled ranks, and of how many they are."""
        known, n = count > 0, len(sizes)
        mean = np.where(known, total / np.maximum(count, 1), np.nan)
        n_days = int(known.sum())
        s = float(np.sqrt((count / n * np.where(known, mean, 0.0) ** 2).sum() / n_days))
        # Scaled ranks lie within +-1/2, so this is the size of their rounding noise.
        return cls(mean, tested, columns, sizes, s if s > NEGLIGIBLE else 0.0, n_days)

    @property
    def tested_means(self) -> FloatArray:
        """Average scaled ranks of the tested days on which some event is ranked."""
        values = self.mean[self.tested_columns]
        return values[~np.isnan(values)]
