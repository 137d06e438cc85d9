"""Event days ranked among the estimation days of their events: one sort for all rank tests.

Several sets of event days are sorted together with the estimation days. Their ranks among the estimation
days and the days of their own set follow from counts: an estimation day ranks higher by each day of the set
that lies below it.
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
from eventstudy.inference.engine.rank_kernel import (
    BEYOND,
    RankProfile,
    SignProfile,
    median_signs,
    order_of,
    ranks_of,
)
from eventstudy.inference.engine.residual_pass import Reduction, ResidualChunk

__all__ = ["RankReducer", "RankedDays"]

SmallArray = npt.NDArray[np.unsignedinteger[Any]]
#: Up to so many event days are compared with each other one by one.
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
    `more`, the days of the set below it, but for the events that are `tied`, (t,): their ranks are in
    `ranks`, (t, W + L), and values in `values`. `event` are the ranks of the event days, and `seen` says
    which they are. What is missing has rank 0. `sizes` (n,) are the days of each event, `count` (W + L,) the
    events of each day.
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

    @property
    def past(self) -> FloatArray:
        """Ranks of the estimation days, shape (n, W)."""
        out = np.add(self.place, self.more, dtype=np.float64)
        if self.missing is not None:
            out[self.missing] = 0.0
        out[self.tied] = self.ranks[:, : out.shape[1]]
        return out

    def sums(self, weight: FloatArray) -> FloatArray:
        """Weighted sum over the events of the ranks of each day, shape (W + L,)."""
        if self.missing is None and not len(self.tied) and (weight == weight[0]).all():
            small = self.event.size < 2**16
            more = self.more.sum(axis=0, dtype=np.uint16 if small else np.uint32)
            past = (self.places + more) * weight[0]
        else:
            past = weight @ self.past
        return np.concatenate([past, weight @ self.event])


@dataclass(frozen=True)
class _Part:
    """What some events add to the sums of each day, (W + L,), and their own, where it is kept."""

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
    return _Part(np.concatenate([past.sum(axis=0, dtype=np.int64), event.sum(axis=0)]), ranks.count)


class _Profile:
    """What is kept of a set of event days."""

    def __init__(self, ranked: RankedDays, width: int) -> None:
        n, length = ranked.shape
        start, stop, _ = ranked.tested.indices(length)
        self.place = slice(width + start, width + stop)
        self.signs = ranked.signs
        self.total, self.count = np.zeros(width + length), np.zeros(width + length, dtype=np.int64)
        self.tested, self.sizes = np.empty((n, stop - start)), np.empty(n, dtype=np.int64)

    def add(self, rows: IntArray, part: _Part) -> None:
        self.total += part.total
        self.count += part.count
        if part.tested is not None and part.sizes is not None:
            self.tested[rows], self.sizes[rows] = part.tested, part.sizes

    def result(self) -> RankProfile | SignProfile:
        if self.signs:
            return SignProfile(self.total, self.count)
        return RankProfile.of(self.total, self.count, self.tested, self.place, self.sizes)


class RankReducer(Reduction[dict[str, RankProfile | SignProfile]]):
    """Rank sets of event days, each among the estimation days.

    Parameters
    ----------
    sets : mapping of str to RankedDays
        Of N events each. Sets with the same function `values` are ranked once.
    scale : array, shape (N,), optional
        What the residuals of each event are divided by.
    """

    def __init__(self, sets: Mapping[str, RankedDays], scale: FloatArray | None = None) -> None:
        self.sets, self.scale = sets, scale
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
        joint = _Joint(values, width, chunk.missing, None if self.scale is None else 1.0)
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
                self.profiles[name] = _Profile(self.sets[name], width)
            self.profiles[name].add(rows, part)

    def result(self) -> dict[str, RankProfile | SignProfile]:  # noqa: D102
        return {name: profile.result() for name, profile in self.profiles.items()}


class _Joint:
    """Order of the estimation days (n, W) and of all event days of n events, found by one sort.

    `place` is the rank of each estimation day among these, `below` how many of them lie below each event day.
    """

    def __init__(self, values: FloatArray, width: int, missing: BoolArray | None, unit: float | None) -> None:
        self.width, self.missing, self.unit = width, missing, unit
        self.unseen = np.isnan(values[:, width:])
        n, total = values.shape
        if missing is not None or self.unseen.any():
            values = np.where(np.isnan(values), BEYOND, values)
        # Ties of two event days count within a set alone, where they are looked for again.
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
        count = np.concatenate([self.count_past, seen.sum(axis=0)])
        which = self.tied
        if own_ties:
            # Such days may be the median, from which their average rank is away.
            equal = np.diff(np.sort(values[:, columns], axis=1), axis=1) == 0
            which = np.union1d(which, np.flatnonzero(equal.any(axis=1)))
        tied = np.concatenate([values[which, : self.width], values[which, columns]], axis=1)
        ranks = np.zeros((0, tied.shape[1]))
        if len(tied):
            ranks = scipy.stats.rankdata(np.where(np.isnan(tied), BEYOND, tied), axis=1)
            ranks[np.isnan(tied)] = 0.0
            event[which] = ranks[:, self.width :]
        return _Ranks(
            self.place, self.places, more, self.missing, event, seen, sizes, count, which, ranks, tied
        )


def _own_ranks(values: FloatArray, seen: BoolArray, unit: float | None) -> FloatArray:
    """Average rank of each event day among those of its event, shape (n, L); where not `seen`, anything."""
    if values.shape[1] > FEW_DAYS:
        return ranks_of(np.where(seen, values, BEYOND), unit)
    ranks = np.ones(values.shape)
    for j, k in itertools.permutations(range(values.shape[1]), 2):
        ranks[:, j] += values[:, k] < values[:, j]
        ranks[:, j] += 0.5 * (values[:, k] == values[:, j])
    return ranks
