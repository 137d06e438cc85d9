"""Ranks of each event's returns among its own days, of many events at a time.

In a pass, several sets of event days are sorted together with the estimation days. Their ranks among the
estimation days and the days of their own set follow from counts: an estimation day ranks higher by each day
of the set that lies below it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.inference.engine.moments import NEGLIGIBLE
from eventstudy.inference.engine.residual_pass import Reduction, ResidualChunk

__all__ = [
    "BEYOND",
    "RankProfile",
    "RankReducer",
    "RankedDays",
    "SignProfile",
    "median_signs",
    "order_of",
    "rank_profile",
    "ranks_of",
    "scaled_ranks",
    "sign_profile",
]

#: Marks missing values; larger than any return.
BEYOND = float(np.finfo(np.float64).max)
#: Rows of more columns than these bits can number have too many neighbours that agree in 32 bits.
MOST_BITS = 9
#: Values in 32 bits reach from minus to plus this many times their size; larger ones are sorted by all bits.
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

    Profiles of several samples have leading axes (...).

    Attributes
    ----------
    mean : array, shape (..., T)
        Average scaled rank of the available events of each day; NaN where there is none.
    tested : array, shape (..., N, L)
        Scaled ranks of the tested days.
    tested_columns : slice
        Where the tested days are in `mean`.
    sizes : array of int, shape (..., N)
        Days T_i that event i is ranked among.
    spread : float, or array, shape (...)
        ``S``, the root of the mean over days of ``(n_t / N) mean_t^2``; 0 if rounding noise.
    n_days, n_tested : int, or arrays, shape (...)
        Days, and tested days, on which some event is ranked.
    """

    mean: FloatArray
    tested: FloatArray
    tested_columns: slice
    sizes: IntArray
    spread: FloatArray
    n_days: IntArray
    n_tested: IntArray

    @property
    def tested_sum(self) -> FloatArray:
        """Sum of the average scaled ranks of the tested days, shape (...)."""
        means = self.mean[..., self.tested_columns]
        total: FloatArray = np.where(np.isnan(means), 0.0, means).sum(axis=-1)
        return total

    @classmethod
    def of(
        cls, total: FloatArray, count: IntArray, tested: FloatArray, columns: slice, sizes: IntArray
    ) -> RankProfile:
        """Make the profile of the sums over events of their scaled ranks, and of how many they are."""
        known, n = count > 0, sizes.shape[-1]
        mean = np.where(known, total / np.maximum(count, 1), np.nan)
        n_days = known.sum(axis=-1)
        s = np.sqrt((count / n * np.where(known, mean, 0.0) ** 2).sum(axis=-1) / n_days)
        # Scaled ranks lie within +-1/2, so this is the size of their rounding noise.
        spread = np.where(s > NEGLIGIBLE, s, 0.0)[()]
        return cls(mean, tested, columns, sizes, spread, n_days, known[..., columns].sum(axis=-1))


@dataclass(frozen=True)
class SignProfile:
    """Signs of N events about their medians over T days, estimation days first.

    Attributes
    ----------
    total, count : arrays, shape (..., T)
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


SmallArray = npt.NDArray[np.unsignedinteger[Any]]
#: Up to this many event days are compared with each other one by one.
FEW_DAYS = 3


@dataclass(frozen=True)
class RankedDays:
    """A set of event days, to be ranked among the estimation days of each event.

    Attributes
    ----------
    shape : (int, int)
        Events N and days L.
    values : callable
        Events, by position -> their returns, shape (n, L), in the unit of the estimation days; NaN where
        missing.
    tested : slice
        The tested days; the others are ranked all the same.
    signs : bool
        Whether signs about the median are wanted rather than mean ranks.
    """

    shape: tuple[int, int]
    values: Callable[[IntArray], FloatArray]
    tested: slice
    signs: bool = False


@dataclass(frozen=True)
class _Ranks:
    """Ranks of n events over estimation days (n, W) and the event days of a set (n, L).

    An estimation day's rank is its `place` among these, whose sums over the events are `places` (W,), and
    `more`, the days of the set below it, except for the events that are `tied`, (t,): their ranks are in
    `ranks`, (t, W + L), and values in `values`. `event` are the ranks of the event days, and `seen` says
    which they are. What is missing has rank 0. `sizes` (n,) are the days of each event, `count` (W + L,) the
    events of each day. With `size`, events are those of samples of this size, one after another, and sums are
    by sample, as is `count`.
    """

    place: SmallArray
    places: IntArray
    more: SmallArray
    missing: BoolArray | None
    event: FloatArray
    seen: BoolArray
    sizes: IntArray
    count: IntArray
    tied: IntArray
    ranks: FloatArray
    values: FloatArray
    size: int | None = None

    def summed(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Sum over the events, shape (n, ...) -> (...), or over those of each sample, (n / size, ...)."""
        if self.size is None:
            return np.asarray(values.sum(axis=0))
        return np.asarray(values.reshape(-1, self.size, *values.shape[1:]).sum(axis=1))

    @property
    def past(self) -> FloatArray:
        """Ranks of the estimation days, shape (n, W)."""
        out = np.add(self.place, self.more, dtype=np.float64)
        if self.missing is not None:
            out[self.missing] = 0.0
        out[self.tied] = self.ranks[:, : out.shape[1]]
        return out

    def sums(self, weight: FloatArray) -> FloatArray:
        """Weighted sum over the events of the ranks of each day, shape (W + L,), or by sample."""
        if self.size is not None:
            ranks = np.concatenate([self.past, self.event], axis=1)
            return self.summed(np.multiply(ranks, weight[:, None], out=ranks))
        if self.missing is None and not len(self.tied) and (weight == weight[0]).all():
            small = self.event.size < 2**16
            more = self.more.sum(axis=0, dtype=np.uint16 if small else np.uint32)
            past = (self.places + more) * weight[0]
        else:
            past = weight @ self.past
        return np.concatenate([past, weight @ self.event])


@dataclass(frozen=True)
class _Part:
    """What some events add to the sums of each day, (..., W + L), and their own ranks, if these are kept."""

    total: FloatArray
    count: IntArray
    tested: FloatArray | None = None
    sizes: IntArray | None = None


def _mean_ranks(ranks: _Ranks, tested: slice) -> _Part:
    weight = np.asarray(1.0 / (ranks.sizes + 1.0), dtype=np.float64)
    scaled = ranks.event[:, tested] * weight[:, None] - 0.5
    kept = np.where(ranks.seen[:, tested], scaled, np.nan)
    return _Part(ranks.sums(weight) - 0.5 * ranks.count, ranks.count, kept, ranks.sizes)


def _signs(ranks: _Ranks) -> _Part:
    # Without ties a value is above the median if its rank is above the middle one.
    middle = ranks.sizes[:, None] + 1
    kind: Any = np.int16 if middle.max(initial=0) < 2**14 else np.int32
    past = np.add(ranks.place, ranks.more, dtype=kind)
    past *= 2
    past -= middle.astype(kind)
    np.sign(past, out=past)
    if ranks.missing is not None:
        past[ranks.missing] = 0
    event = np.where(ranks.seen, np.sign(2.0 * ranks.event - middle), 0.0)
    if len(ranks.tied):
        about = np.nan_to_num(median_signs(ranks.values))
        past[ranks.tied], event[ranks.tied] = about[:, : past.shape[1]], about[:, past.shape[1] :]
    return _Part(np.concatenate([ranks.summed(part) for part in (past, event)], axis=-1), ranks.count)


class _Profile:
    """What is kept for a set of event days."""

    def __init__(self, ranked: RankedDays, width: int, size: int | None = None) -> None:
        n, length = ranked.shape
        start, stop, _ = ranked.tested.indices(length)
        self.place = slice(width + start, width + stop)
        self.signs, self.size = ranked.signs, size
        shape = (width + length,) if size is None else (n // size, width + length)
        self.total, self.count = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        self.tested: FloatArray = np.empty((n, stop - start))
        self.sizes: IntArray = np.empty(n, dtype=np.int64)

    def add(self, rows: IntArray, part: _Part) -> None:
        into: Any = slice(None) if self.size is None else rows[:: self.size] // self.size
        self.total[into] += part.total
        self.count[into] += part.count
        if part.tested is not None and part.sizes is not None:
            self.tested[rows], self.sizes[rows] = part.tested, part.sizes

    def result(self) -> RankProfile | SignProfile:
        if self.signs:
            return SignProfile(self.total, self.count)
        tested, sizes = self.tested, self.sizes
        if self.size is not None:
            tested = tested.reshape(-1, self.size, tested.shape[1])
            sizes = sizes.reshape(-1, self.size)
        return RankProfile.of(self.total, self.count, tested, self.place, sizes)


class RankReducer(Reduction[dict[str, RankProfile | SignProfile]]):
    """Rank sets of event days, each among the estimation days.

    Parameters
    ----------
    sets : mapping of str to RankedDays
        Of N events each. Sets with the same function `values` are ranked once.
    scale : array, shape (N,), optional
        What the residuals of each event are divided by.
    size : int, optional
        Events of a sample, where profiles of samples are wanted; chunks are then of whole samples.
    """

    def __init__(
        self, sets: Mapping[str, RankedDays], scale: FloatArray | None = None, size: int | None = None
    ) -> None:
        self.sets, self.scale, self.size = sets, scale, size
        self.profiles: dict[str, _Profile] = {}

    def map(self, chunk: ResidualChunk) -> tuple[IntArray, int, dict[str, _Part]]:  # noqa: D102
        n, width = chunk.residuals.shape
        # Estimation days and the event days of all sets side by side, one row per event.
        days = {ranked.values: ranked.shape[1] for ranked in self.sets.values()}
        values = np.empty((n, width + sum(days.values())))
        if self.scale is None:
            values[:, :width] = chunk.residuals
        else:
            np.divide(chunk.residuals, self.scale[chunk.rows][:, None], out=values[:, :width])
        ends = np.cumsum([width, *days.values()]).tolist()
        columns = dict(zip(days, itertools.starmap(slice, itertools.pairwise(ends)), strict=True))
        for compute, place in columns.items():
            values[:, place] = compute(chunk.rows)
        joint = _Joint(values, width, chunk.missing, None if self.scale is None else 1.0, self.size)
        made: dict[str, _Part] = {}
        for compute, place in columns.items():
            sets = {name: ranked for name, ranked in self.sets.items() if ranked.values == compute}
            ranks = joint.ranks(values, place, own_ties=any(ranked.signs for ranked in sets.values()))
            for name, ranked in sets.items():
                made[name] = _signs(ranks) if ranked.signs else _mean_ranks(ranks, ranked.tested)
        return chunk.rows, width, made

    def update(self, mapped: tuple[IntArray, int, dict[str, _Part]]) -> None:  # noqa: D102
        rows, width, made = mapped
        for name, part in made.items():
            if name not in self.profiles:
                self.profiles[name] = _Profile(self.sets[name], width, self.size)
            self.profiles[name].add(rows, part)

    def result(self) -> dict[str, RankProfile | SignProfile]:  # noqa: D102
        return {name: profile.result() for name, profile in self.profiles.items()}


class _Joint:
    """Order of the estimation days (n, W) and of all event days of n events, found by one sort.

    `place` is the rank of each estimation day among these, `below` how many of them lie below each event day.
    """

    def __init__(
        self,
        values: FloatArray,
        width: int,
        missing: BoolArray | None,
        unit: float | None,
        size: int | None = None,
    ) -> None:
        self.width, self.missing, self.unit, self.size = width, missing, unit, size
        self.unseen = np.isnan(values[:, width:])
        n, total = values.shape
        if missing is not None or self.unseen.any():
            values = np.where(np.isnan(values), BEYOND, values)
        # Ties of two event days count only within a set, where they are found again.
        columns, self.tied = order_of(values, width, unit)
        small: Any = np.uint8 if width < 256 else np.uint16 if width < 65_536 else np.uint32
        # Each row has `width` estimation days, so one sum can run through all rows.
        order = np.cumsum((columns < width).reshape(-1), dtype=np.uint32).reshape(n, total)
        order -= (width * np.arange(n, dtype=np.uint32))[:, None]
        place = np.empty((n, total), dtype=small)
        at = columns + total * np.arange(n)[:, None]
        place.reshape(-1)[at.reshape(-1)] = order.astype(small).reshape(-1)
        self.place, self.below = place[:, :width], place[:, width:]
        self.places = self.place.sum(axis=0, dtype=np.uint32).astype(np.int64)
        self.seen_past = width if missing is None else width - missing.sum(axis=1)
        self.count_past = np.full(width, n) if missing is None else n - missing.sum(axis=0)

    def ranks(self, values: FloatArray, columns: slice, *, own_ties: bool) -> _Ranks:
        """Rank the estimation days together with the event days of some columns.

        With `own_ties`, events of which two of these event days are tied count as `tied` as well.
        """
        own = slice(columns.start - self.width, columns.stop - self.width)
        below, seen = self.below[:, own], ~self.unseen[:, own]
        more = np.zeros(self.place.shape, dtype=np.uint8 if below.shape[1] < 256 else np.uint16)
        above = np.empty(self.place.shape, dtype=bool)
        for day in range(below.shape[1]):
            np.greater(self.place, below[:, day : day + 1], out=above)
            more += above.view(np.uint8)
        event = below + _own_ranks(values[:, columns], seen, self.unit)
        event[~seen] = 0.0
        sizes = self.seen_past + seen.sum(axis=1)
        count = self._count(seen)
        which = self.tied
        if own_ties:
            # Such days may be the median although their average rank is not the middle one.
            equal = np.diff(np.sort(values[:, columns], axis=1), axis=1) == 0
            which = np.union1d(which, np.flatnonzero(equal.any(axis=1)))
        tied = np.concatenate([values[which, : self.width], values[which, columns]], axis=1)
        ranks = np.zeros((0, tied.shape[1]))
        if len(tied):
            ranks = scipy.stats.rankdata(np.where(np.isnan(tied), BEYOND, tied), axis=1)
            ranks[np.isnan(tied)] = 0.0
            event[which] = ranks[:, self.width :]
        return _Ranks(
            self.place,
            self.places,
            more,
            self.missing,
            event,
            seen,
            sizes,
            count,
            which,
            ranks,
            tied,
            self.size,
        )

    def _count(self, seen: BoolArray) -> IntArray:
        """Events of each day, shape (W + L,), or by sample; `seen` are the event days, (n, L)."""
        if self.size is None:
            return np.concatenate([self.count_past, seen.sum(axis=0)])
        past = np.ones((len(seen), self.width), dtype=bool) if self.missing is None else ~self.missing
        days = np.concatenate([past, seen], axis=1)
        return np.asarray(days.reshape(-1, self.size, days.shape[1]).sum(axis=1))


def _own_ranks(values: FloatArray, seen: BoolArray, unit: float | None) -> FloatArray:
    """Average rank of each event day among those of its event, shape (n, L); where not `seen`, anything."""
    if values.shape[1] > FEW_DAYS:
        return ranks_of(np.where(seen, values, BEYOND), unit)
    ranks = np.ones(values.shape)
    for j, k in itertools.permutations(range(values.shape[1]), 2):
        ranks[:, j] += values[:, k] < values[:, j]
        ranks[:, j] += 0.5 * (values[:, k] == values[:, j])
    return ranks
