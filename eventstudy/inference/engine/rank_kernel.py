"""Ranks of each event's returns among its own days, of many events at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.engine.moments import NEGLIGIBLE

__all__ = [
    "BEYOND",
    "RankProfile",
    "SignProfile",
    "median_signs",
    "order_of",
    "rank_profile",
    "ranks_of",
    "scaled_ranks",
    "sign_profile",
]

#: Stands for missing values, beyond all returns.
BEYOND = float(np.finfo(np.float64).max)
#: Rows of more columns than these bits can number have too many neighbours that agree in 32 bits.
MOST_BITS = 9
#: Values in 32 bits reach from minus to plus so many times their size; larger ones are sorted by all bits.
RANGE = 8.0


def order_of(
    values: FloatArray, watched: int | None = None, unit: float | None = None
) -> tuple[IntArray, IntArray]:
    """Order of the values of each row, and the rows that have ties.

    The number of its column takes the place of the last bits of each value, so one sort of plain
    numbers, which is far faster than a sort of positions, yields the order. Short rows are sorted as whole
    numbers of 32 bits; rows in which two of these agree but for the column, a few in a hundred as a rule,
    are sorted again by nearly all of their bits; and where these agree too, the values count as tied.

    Parameters
    ----------
    values : array, shape (n, T)
        Finite, or `BEYOND`, which are not tied.
    watched : int, optional
        How many columns, from the first on, count: two others may be tied, and stand in any order.
    unit : float, optional
        Size of a value; found for each row by default.

    Returns
    -------
    columns : array of int, shape (n, T)
    tied : array of int, shape (t,)
    """
    width = values.shape[1]
    watched = width if watched is None else watched
    bits = max((width - 1).bit_length(), 1)
    if bits > MOST_BITS:
        return _order_by_all_bits(values, bits, watched)
    factor = np.float64(1.0 / unit) if unit else _factor(values)
    top = 1 << (31 - bits)
    with np.errstate(over="ignore"):
        scaled = values * (factor * (top / RANGE))
    if max(scaled.max(initial=0.0), -scaled.min(initial=0.0)) < top - 2:
        keys = scaled.astype(np.int32)
    else:
        keys = np.clip(scaled, -top, top - 2, out=scaled).astype(np.int32)
        keys[values == BEYOND] = top - 1
    keys <<= bits
    keys |= np.arange(width, dtype=np.int32)
    keys.sort(axis=1)
    again = np.unique(_near(keys, (1 << bits) - 1, watched, (top - 1) << bits) // width)
    keys &= (1 << bits) - 1
    if not len(again):
        return keys, again
    exact, tied = _order_by_all_bits(values[again], bits, watched)
    keys[again] = exact
    return keys, again[tied]


def _order_by_all_bits(values: FloatArray, bits: int, watched: int) -> tuple[IntArray, IntArray]:
    low = (1 << bits) - 1
    # Adding zero makes -0 and 0 the same.
    keys = (values + 0.0).view(np.int64)
    keys &= ~low
    keys |= np.arange(values.shape[1])
    keys.view(np.float64).sort(axis=1)
    largest = int(np.float64(BEYOND).view(np.int64)) & ~low
    tied = np.unique(_near(keys, low, watched, largest) // values.shape[1])
    keys &= low
    return keys, tied


def _near(keys: IntArray, low: int, watched: int, beyond: int) -> IntArray:
    """Places, counted through all rows, of keys that agree with the next one but for the column."""
    width, flat = keys.shape[1], keys.reshape(-1)
    unsigned: Any = np.uint32 if keys.itemsize == 4 else np.uint64
    at = np.flatnonzero((flat[1:] ^ flat[:-1]).view(unsigned) <= low)
    first, second = flat[at], flat[at + 1]
    counted = ((first & low) < watched) | ((second & low) < watched)
    near: IntArray = at[counted & (at % width < width - 1) & (second & ~low < beyond)]
    return near


def _factor(values: FloatArray) -> FloatArray:
    """Inverse of the size of the values of each row, shape (n, 1); 0 where they have none."""
    known = np.where(values == BEYOND, 0.0, values)
    with np.errstate(over="ignore"):
        size = np.sqrt(np.vecdot(known, known) / values.shape[1])[:, None]
    sound = (size > np.finfo(np.float64).tiny) & (size < BEYOND)
    factor: FloatArray = np.divide(1.0, size, out=np.zeros_like(size), where=sound)
    return factor


def ranks_of(values: FloatArray, unit: float | None = None) -> FloatArray:
    """Average rank of each value in its row; values are finite, or `BEYOND`, whose ranks mean nothing."""
    n, width = values.shape
    columns, tied = order_of(values, unit=unit)
    ranks = np.empty((n, width))
    place = columns + width * np.arange(n)[:, None]
    ranks.reshape(-1)[place.reshape(-1)] = np.tile(np.arange(1.0, width + 1.0), n)
    if len(tied):
        ranks[tied] = scipy.stats.rankdata(values[tied], axis=1)
    return ranks


def scaled_ranks(values: FloatArray) -> FloatArray:
    r"""Rank each row among its own T_i values: ``K / (T_i + 1) - 1/2``, ties get the average rank.

    Parameters
    ----------
    values : array, shape (N, T)
        NaN where missing, which stays NaN (Corrado and Zivney 1992).

    References
    ----------
    Corrado and Zivney (1992), Journal of Financial and Quantitative Analysis 27, 465-478;
    docs/methods/ranks.md, eq. (scaled-ranks).

    Examples
    --------
    >>> scaled_ranks(np.array([[0.3, np.nan, 0.1, 0.2]])).tolist()
    [[0.25, nan, -0.25, 0.0]]
    """
    missing = np.isnan(values)
    # What is missing ranks last, beyond every value, and so moves no other rank.
    ranks = scipy.stats.rankdata(np.where(missing, np.inf, values), axis=1)
    ranks /= (~missing).sum(axis=1, keepdims=True) + 1.0
    ranks -= 0.5
    ranks[missing] = np.nan
    return np.asarray(ranks, dtype=np.float64)


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
        Where the tested days are in `mean`.
    tested_means : array
        Average scaled ranks of the tested days on which some event is ranked.
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
    tested_means: FloatArray
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
        means = mean[columns]
        # Scaled ranks lie within +-1/2, so this is the size of their rounding noise.
        spread = s if s > NEGLIGIBLE else 0.0
        return cls(mean, tested, columns, means[~np.isnan(means)], sizes, spread, n_days)


@dataclass(frozen=True)
class SignProfile:
    """Signs of N events about their medians over T days, estimation days first.

    Attributes
    ----------
    total, count : arrays, shape (T,)
        Sum of the signs of each day, and the events that have a return on it.
    """

    total: FloatArray
    count: IntArray


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
    width = estimation.shape[1]
    start, stop, _ = tested.indices(event.shape[1])
    columns = slice(width + start, width + stop)
    ranks = scaled_ranks(np.concatenate([estimation, event], axis=1))
    seen = ~np.isnan(ranks)
    total, count = np.where(seen, ranks, 0.0).sum(axis=0), seen.sum(axis=0)
    return RankProfile.of(total, count, ranks[:, columns], columns, seen.sum(axis=1))


def sign_profile(estimation: FloatArray, event: FloatArray) -> SignProfile:
    """Signs of each event about the median of its estimation days and event days together.

    Parameters
    ----------
    estimation, event : arrays, shape (N, W) and (N, L)
        NaN where missing.
    """
    signs = median_signs(np.concatenate([estimation, event], axis=1))
    seen = ~np.isnan(signs)
    return SignProfile(np.where(seen, signs, 0.0).sum(axis=0), seen.sum(axis=0))


def median_signs(values: FloatArray) -> FloatArray:
    """Sign of each value about the median of its row, shape (N, T); NaN stays NaN."""
    size = (~np.isnan(values)).sum(axis=1)
    row, ordered = np.arange(len(values)), np.sort(values, axis=1)  # NaN last
    median = 0.5 * (ordered[row, (size - 1) // 2] + ordered[row, size // 2])
    return np.asarray(np.sign(values - median[:, None]), dtype=np.float64)
