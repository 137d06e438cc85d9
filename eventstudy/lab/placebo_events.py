"""Placebo events: days without known news, drawn with the number and clustering of a design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord, read_only
from eventstudy.market import Market
from eventstudy.sample import EventSample
from eventstudy.windows import Window

__all__ = [
    "Candidates",
    "DateCluster",
    "NamedColumns",
    "as_sample",
    "candidates_of",
    "date_clusters",
    "draw_events",
    "named_columns",
]


#: Columns in which an event may name what it is measured against.
NAMING = ("benchmark", "factors")
#: Events of dates that lie close together: pairs of sessions since the first date, and events of that date.
DateCluster = tuple[tuple[int, int], ...]
#: Columns in which events name what they are measured against, with their N values.
NamedColumns = tuple[tuple[str, tuple[object, ...]], ...]


def date_clusters(day0: IntArray, reach: int) -> tuple[DateCluster, ...]:
    """Describe how events cluster: runs of dates less than `reach` sessions apart, with events by date.

    Examples
    --------
    >>> import numpy as np
    >>> date_clusters(np.array([7, 50, 8, 8]), 2)
    (((0, 1), (1, 2)), ((0, 1),))
    """
    days, counts = np.unique(day0, return_counts=True)
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - reach) >= reach)
    parts = zip(np.split(days, starts[1:]), np.split(counts, starts[1:]), strict=True)
    return tuple(
        tuple((int(d), int(n)) for d, n in zip(day - day[0], count, strict=True)) for day, count in parts
    )


@dataclass(frozen=True)
class Candidates(FrozenRecord):
    """Securities and sessions that can be placebo events.

    Attributes
    ----------
    usable : array of bool, shape (S, T)
        Whether a security can be used as an event of a session.
    """

    usable: BoolArray
    _starts: dict[DateCluster, IntArray] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def by_session(self) -> tuple[IntArray, IntArray]:
        """Securities of all sessions, one session after another, and where each session begins; (T + 1,)."""
        security = np.nonzero(self.usable.T)[1]
        first = np.concatenate([[0], np.cumsum(self.usable.sum(axis=0))])
        return read_only(security), read_only(first)

    def starts(self, cluster: DateCluster) -> IntArray:
        """Sessions on which a cluster can begin, each with enough securities."""
        if cluster not in self._starts:
            count = self.usable.sum(axis=0)
            last = cluster[-1][0]
            room = np.ones(max(len(count) - last, 0), dtype=bool)
            for offset, n in cluster:
                room &= count[offset : offset + len(room)] >= n
            self._starts[cluster] = np.flatnonzero(room)
        return self._starts[cluster]

    def without(self, announced: EventSample, window: Window) -> Candidates:
        """Leave out events whose event window would hold an announcement of the same security."""
        usable = self.usable.copy()
        for security, row in zip(announced.security, announced.day0, strict=True):
            usable[security, max(row - window.end, 0) : max(row - window.start + 1, 0)] = False
        return Candidates(usable)


def candidates_of(
    market: Market,
    estimation: Window,
    window: Window,
    tested: Window,
    min_observations: int,
) -> Candidates:
    """Find the placebo events of a market.

    A security can be used on a session if the data holds both its windows, it has `min_observations` returns
    of one session in the estimation window, and trades (as does its benchmark, if it has one) on
    every session of the tested window, after a session on which it traded as well.

    Parameters
    ----------
    market : Market
    estimation, window, tested : Window
        Estimation window, event window and the part of it that is tested.
    min_observations : int
    """
    arrays, bank = market.arrays, market.bank.single
    seen = ~np.isnan(arrays.single)
    has = arrays.benchmark >= 0
    seen[has] &= ~np.isnan(bank[arrays.benchmark[has]])
    seen[[name in market.benchmarks for name in market.returns.columns]] = False
    n_sessions = seen.shape[1]
    known = np.concatenate([np.zeros((len(seen), 1), dtype=np.int64), np.cumsum(seen, axis=1)], axis=1)
    first = max(0, -min(estimation.start, window.start))
    day0 = np.arange(first, n_sessions - max(window.end, 0))
    usable = np.zeros(seen.shape, dtype=bool)
    if len(day0):
        past = known[:, day0 + estimation.end + 1] - known[:, day0 + estimation.start]
        whole = known[:, day0 + tested.end + 1] - known[:, day0 + tested.start]
        usable[:, day0] = (past >= min_observations) & (whole == len(tested))
    return Candidates(usable)


def draw_events(
    candidates: Candidates, clusters: Sequence[DateCluster], rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Draw placebo events: their securities and sessions, as rows of the market's arrays; both (N,).

    Clusters of one form begin on different sessions as long as there are enough; the securities of one
    session are different.

    Raises
    ------
    RequestError
        If the market has no session with enough securities.
    """
    security: list[IntArray] = []
    day0: list[IntArray] = []
    able, first = candidates.by_session
    for form in dict.fromkeys(clusters):
        starts, n = candidates.starts(form), clusters.count(form)
        if not len(starts):
            most = int(candidates.usable.sum(axis=0).max(initial=0))
            needed = max(count for _, count in form)
            raise RequestError(
                f"The design needs {needed} usable securities on one session; this market has at most {most} "
                "(windows inside the data, enough estimation returns, no gap in the tested window). Take "
                "fewer events, a shorter estimation window, or fewer min_observations."
            )
        offsets, counts = np.array(form).T
        sessions = (rng.choice(starts, n, replace=n > len(starts))[:, None] + offsets).ravel()
        day0.append(np.repeat(sessions, np.tile(counts, n)))
        if (counts == 1).all():
            # The same numbers as a choice for each session, in one call.
            at = first[sessions]
            security.append(able[at + rng.integers(first[sessions + 1] - at)])
            continue
        for session, count in zip(sessions.tolist(), np.tile(counts, n).tolist(), strict=True):
            held = able[first[session] : first[session + 1]]
            security.append(rng.choice(held, count, replace=False))
    return np.concatenate(security), np.concatenate(day0)


def as_sample(
    market: Market,
    names: npt.NDArray[np.object_],
    estimation: Window,
    window: Window,
    security: IntArray,
    day0: IntArray,
    named: NamedColumns = (),
) -> EventSample:
    """Make the sample of events that are given by rows of the market's arrays; `names` are the rows'."""
    n = len(day0)
    events = pd.DataFrame(
        {
            "security": names[security],
            "date": market.sessions[day0],
            "announced_at": pd.NaT,
            **{column: np.array(values, dtype=object) for column, values in named},
        }
    )
    excluded = pd.DataFrame({"security": [], "label": [], "reason": []})
    nowhere = np.full(n, np.datetime64("NaT", "D"))
    return EventSample(
        market=market,
        estimation=estimation,
        window=window,
        events=events,
        excluded=excluded,
        security=security,
        day0=day0,
        first_row=day0,
        closed_days=np.zeros(n, dtype=np.int64),
        previous=nowhere,
    )


def named_columns(sample: EventSample) -> NamedColumns:
    """Return what the events of a sample name to be measured against, such as a benchmark of their own."""
    return tuple((column, tuple(sample.events[column])) for column in NAMING if column in sample.events)
