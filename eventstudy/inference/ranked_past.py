"""Event days ranked among the estimation days of their events: one sort for all rank tests.

Several sets of event days are sorted together with the estimation days. Their ranks among the estimation
days and the days of their own set follow from counts: an estimation day ranks higher by each day of the set
that lies below it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from eventstudy.inference.past import Past, Reduction
from eventstudy.inference.ranking import BEYOND, RankProfile, near_ties, ranks_of, sort_keys

__all__ = ["Ranked", "RankedPast", "SignProfile", "rank_profile", "sign_profile"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
#: Events ranked at a time, so that memory does not grow with the number of events.
CHUNK = 1024


@dataclass(frozen=True)
class Ranked:
    """A set of event days, to be ranked among the estimation days of each event.

    Attributes
    ----------
    values : array, shape (N, L)
        In the unit of the estimation days, NaN where missing.
    tested : slice
        The tested columns; the others are ranked all the same.
    signs : bool
        Whether signs about the median are wanted rather than mean ranks.
    """

    values: FloatArray
    tested: slice
    signs: bool = False


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


@dataclass(frozen=True)
class _Ranks:
    """Ranks of n events over estimation days (n, W) and the event days of a set (n, L).

    What is missing has rank 0. `sizes` (n,) are the days of each event; `count` (W + L,) the events of each
    day; `seen` (n, L) says which event days they are. `tied` are the events with ties, (t,), and `values`,
    (t, W + L), what is ranked there.
    """

    past: FloatArray
    event: FloatArray
    seen: BoolArray
    sizes: IntArray
    count: IntArray
    tied: IntArray
    values: FloatArray


class _Profile(ABC):
    """What is kept of a set of event days."""

    def __init__(self, ranked: Ranked, width: int) -> None:
        self.ranked = ranked
        days = width + ranked.values.shape[1]
        self.total, self.count = np.zeros(days), np.zeros(days, dtype=np.int64)

    @abstractmethod
    def add(self, rows: IntArray, ranks: _Ranks) -> None:
        """Take in some events."""

    @abstractmethod
    def done(self) -> RankProfile | SignProfile:
        """Return what was made."""


class _MeanRanks(_Profile):
    def __init__(self, ranked: Ranked, width: int) -> None:
        super().__init__(ranked, width)
        start, stop, _ = ranked.tested.indices(ranked.values.shape[1])
        self.columns, self.place = slice(start, stop), slice(width + start, width + stop)
        self.tested = np.empty((len(ranked.values), stop - start))
        self.sizes = np.empty(len(ranked.values), dtype=np.int64)

    def add(self, rows: IntArray, ranks: _Ranks) -> None:
        weight = 1.0 / (ranks.sizes + 1.0)
        self.total += np.concatenate([weight @ ranks.past, weight @ ranks.event]) - 0.5 * ranks.count
        self.count += ranks.count
        scaled = ranks.event[:, self.columns] * weight[:, None] - 0.5
        self.tested[rows] = np.where(ranks.seen[:, self.columns], scaled, np.nan)
        self.sizes[rows] = ranks.sizes

    def done(self) -> RankProfile:
        return RankProfile.of(self.total, self.count, self.tested, self.place, self.sizes)


class _Signs(_Profile):
    def add(self, rows: IntArray, ranks: _Ranks) -> None:
        self.count += ranks.count
        # Without ties a value is above the median if its rank is above the middle one.
        middle = (ranks.sizes[:, None] + 1.0) / 2
        width = ranks.past.shape[1]
        about = np.where(np.isnan(ranks.values), -1.0, np.sign(ranks.values - _medians(ranks.values)))
        for part, values in ((slice(width), ranks.past), (slice(width, None), ranks.event)):
            signs = np.sign(values - middle)
            signs[ranks.tied] = about[:, part]
            # What is missing was taken to be below.
            self.total[part] += signs.sum(axis=0) + len(values) - ranks.count[part]

    def done(self) -> SignProfile:
        return SignProfile(self.total, self.count)


def _medians(values: FloatArray) -> FloatArray:
    """Median of each row without its missing values, shape (n, 1)."""
    size = (~np.isnan(values)).sum(axis=1)
    row, ordered = np.arange(len(values)), np.sort(values, axis=1)  # NaN last
    median: FloatArray = 0.5 * (ordered[row, (size - 1) // 2] + ordered[row, size // 2])
    return median[:, None]


class RankedPast(Reduction[dict[str, RankProfile | SignProfile]]):
    """Rank sets of event days, each among the estimation days.

    Parameters
    ----------
    sets : mapping of str to Ranked
        Of N events each.
    scale : array, shape (N,), optional
        What the residuals of each event are divided by.
    """

    def __init__(self, sets: Mapping[str, Ranked], scale: FloatArray | None = None) -> None:
        self.sets, self.scale = sets, scale
        self.profiles: dict[str, _Profile] = {}
        self.values: FloatArray = np.empty((0, 0))

    def take(self, past: Past) -> None:  # noqa: D102
        n, width = past.residuals.shape
        if not self.profiles:
            self._lay_out(n, width)
        values = self._values(past)
        joint = _Joint(values, width, past.missing)
        first = width
        for name, ranked in self.sets.items():
            columns = slice(first, first := first + ranked.values.shape[1])
            self.profiles[name].add(past.rows, joint.ranks(values, columns))

    def _lay_out(self, n: int, width: int) -> None:
        for name, ranked in self.sets.items():
            self.profiles[name] = (_Signs if ranked.signs else _MeanRanks)(ranked, width)
        self.values = np.empty((n, width + sum(s.values.shape[1] for s in self.sets.values())))

    def _values(self, past: Past) -> FloatArray:
        """Estimation days and the event days of all sets side by side, one row an event."""
        n, first = past.residuals.shape
        values = self.values[:n]
        if self.scale is None:
            values[:, :first] = past.residuals
        else:
            np.divide(past.residuals, self.scale[past.rows][:, None], out=values[:, :first])
        for ranked in self.sets.values():
            part = ranked.values[past.rows]
            values[:, first : first + part.shape[1]] = part
            first += part.shape[1]
        return values

    def done(self) -> dict[str, RankProfile | SignProfile]:  # noqa: D102
        return {name: profile.done() for name, profile in self.profiles.items()}


class _Joint:
    """Order of the estimation days (n, W) and of all event days of n events, found by one sort.

    `place` is the rank of each estimation day among these, `below` how many of them lie below each event day.
    """

    def __init__(self, values: FloatArray, width: int, missing: BoolArray | None) -> None:
        self.width, self.missing = width, missing
        self.unseen = np.isnan(values[:, width:])
        n, total = values.shape
        # Adding zero makes -0 and 0 the same.
        floats = values + 0.0
        if missing is not None:
            floats[:, :width][missing] = BEYOND
        if self.unseen.any():
            floats[:, width:][self.unseen] = BEYOND
        keys = floats.view(np.int64)
        low = sort_keys(keys)
        near = near_ties(keys, low)
        keys &= low
        estimation = keys < width
        # Ties of two event days count within a set alone, where they are looked for again.
        near &= estimation[:, 1:] | estimation[:, :-1]
        self.tied = np.flatnonzero(near.any(axis=1)) if near.any() else np.zeros(0, dtype=np.int64)
        small = np.uint8 if width < 256 else np.uint16 if width < 65_536 else np.uint32
        order = np.cumsum(estimation, axis=1, dtype=small)
        place = np.empty((n, total), dtype=small)
        keys += total * np.arange(n)[:, None]
        place.reshape(-1)[keys.reshape(-1)] = order.reshape(-1)
        self.place, self.below = place[:, :width], place[:, width:]
        self.seen_past = width if missing is None else width - missing.sum(axis=1)

    def ranks(self, values: FloatArray, columns: slice) -> _Ranks:
        """Rank the estimation days together with the event days of some columns."""
        own = slice(columns.start - self.width, columns.stop - self.width)
        below, seen = self.below[:, own], ~self.unseen[:, own]
        more = np.zeros(self.place.shape, dtype=np.uint8 if below.shape[1] < 256 else np.uint16)
        above = np.empty(self.place.shape, dtype=bool)
        for day in range(below.shape[1]):
            np.greater(self.place, below[:, day : day + 1], out=above)
            more += above.view(np.uint8)
        past = np.add(self.place, more, dtype=np.float64)
        mine = values[:, columns]
        event = below + ranks_of(np.where(seen, mine, BEYOND))
        count_past = np.full(self.width, len(values))
        if self.missing is not None:
            past[self.missing] = 0.0
            count_past -= self.missing.sum(axis=0)
        event[~seen] = 0.0
        sizes = self.seen_past + seen.sum(axis=1)
        tied = np.concatenate([values[self.tied, : self.width], values[self.tied, columns]], axis=1)
        if len(tied):
            ranks = stats.rankdata(np.where(np.isnan(tied), BEYOND, tied), axis=1)
            ranks[np.isnan(tied)] = 0.0
            past[self.tied], event[self.tied] = ranks[:, : self.width], ranks[:, self.width :]
        count = np.concatenate([count_past, seen.sum(axis=0)])
        return _Ranks(past, event, seen, sizes, count, self.tied, tied)


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
    found = _all_of(estimation, Ranked(event, tested))
    assert isinstance(found, RankProfile)
    return found


def sign_profile(estimation: FloatArray, event: FloatArray) -> SignProfile:
    """Signs of each event about the median of its estimation days and event days together.

    Parameters
    ----------
    estimation, event : arrays, shape (N, W) and (N, L)
        NaN where missing.
    """
    found = _all_of(estimation, Ranked(event, slice(None), signs=True))
    assert isinstance(found, SignProfile)
    return found


def _all_of(estimation: FloatArray, ranked: Ranked) -> RankProfile | SignProfile:
    reduction = RankedPast({"": ranked})
    for begin in range(0, len(estimation), CHUNK):
        rows = np.arange(begin, min(begin + CHUNK, len(estimation)))
        reduction.take(Past.of(rows, estimation[rows]))
    return reduction.done()[""]
