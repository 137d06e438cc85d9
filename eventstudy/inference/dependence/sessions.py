r"""Mean correlation of events of one market, in one pass over their sessions.

Events that miss no estimation day, or only days that all events of the market miss, need no pairs. Events i
of session s and j of session s + k have the last W - k estimation days of i and the first W - k of j in
common, whoever they are. With residuals centred and scaled to length 1 on these days,

.. math:: \sum_{i \in s} \sum_{j \in s + k} \operatorname{corr}(e_i, e_j)
          = \Big(\sum_{i \in s} z_i\Big)' \Big(\sum_{j \in s + k} z_j\Big),

so all pairs of two sessions cost one product of vectors. The sums are weighted sums of the residuals
themselves, with weights that depend on i and k alone. Pairs of which an event misses another day are summed
one by one, see `eventstudy.inference.dependence.incomplete`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.dependence.incomplete import SessionPairs
from eventstudy.inference.dependence.pairs import MIN_COMMON_DAYS, NO_COMMON_VARIANCE, NO_VARIANCE
from eventstudy.inference.engine.residual_pass import Reduction, ResidualChunk, read_residuals, run_of
from eventstudy.windows import Window

__all__ = ["SumOfCorrelations", "session_correlation"]

#: Where more than this share of a chunk of events misses days, pairs of all of them are summed one by one.
MOSTLY = 0.75
#: Fewer events than this do not make a day on which the market is closed.
CLOSED_BY = 3


def session_correlation(abnormal: AbnormalReturns, window: Window) -> tuple[float, int] | None:
    """Sum over pairs of overlap share times residual correlation, and the number of overlapping pairs.

    As `eventstudy.inference.mean_correlation` defines them; None where the events are not of one market or
    have tested days beyond the data.
    """
    reduction = SumOfCorrelations.of(abnormal, window)
    return None if reduction is None else read_residuals(abnormal, [reduction])[0]


@dataclass(frozen=True)
class _Sums:
    """Sums of scaled residuals over the events of g sessions.

    Attributes
    ----------
    session, own : arrays of int, shape (g,)
        Sessions, and how many of their events have residuals that vary.
    sides : array, shape (g, 2L, W)
        Of lag k: residuals scaled on the first W - k days, in these places, and L rows further on those
        scaled on the last W - k, in these.
    """

    session: IntArray
    own: IntArray
    sides: FloatArray

    def since(self, first: int) -> _Sums:
        """Return the sums of the sessions from one, by position, on."""
        return _Sums(self.session[first:], self.own[first:], self.sides[first:])


class _Closed:
    """Days of a market that all events miss, decided when the first events reach them.

    It matters for speed alone whether later events agree.
    """

    def __init__(self, session: IntArray) -> None:
        self.first, self.last = int(session.min()), int(session.max())
        self.decided = 0
        self.days = np.zeros(0, dtype=bool)

    def differ(self, session: IntArray, missing: BoolArray | None, width: int) -> BoolArray:
        """Tell which events miss other days than these; events come in order of sessions."""
        if not len(self.days):
            self.days = np.zeros(self.last - self.first + width, dtype=bool)
        day0 = session - self.first
        end = int(day0[-1]) + width
        if missing is not None and self.decided < end:
            self._decide(day0, missing, end)
        self.decided = end
        if not self.days[day0[0] : end].any():
            return np.zeros(len(session), dtype=bool) if missing is None else _any(missing)
        closed = sliding_window_view(self.days, width)[day0]
        return _any(closed if missing is None else missing != closed)

    def _decide(self, day0: IntArray, missing: BoolArray, end: int) -> None:
        width = missing.shape[1]
        start = np.flatnonzero(np.diff(day0, prepend=-1))
        missed = np.logical_and.reduceat(missing, start, axis=0)
        closed, events = np.ones(end, dtype=bool), np.zeros(end, dtype=np.int64)
        sizes = np.diff(np.append(start, len(day0))).tolist()
        for day, by_all, n in zip(day0[start].tolist(), missed, sizes, strict=True):
            closed[day : day + width] &= by_all
            events[day : day + width] += n
        new = slice(self.decided, end)
        self.days[new] = closed[new] & (events[new] >= CLOSED_BY)


class SumOfCorrelations(Reduction[tuple[float, int] | None]):
    """Sum the correlations of pairs whose tested windows share a day; events come in order of sessions."""

    def __init__(self, session: IntArray, length: int, *, incomplete: bool) -> None:
        self.session, self.length = session, length
        self.total = 0.0
        self.known: _Sums | None = None
        self.met = 0
        # Pairs need the events before them: they are kept only if some event is known to miss a day.
        self.pairs = SessionPairs(length) if incomplete else None
        self.closed = _Closed(session)
        self.begun, self.failed = False, False

    @classmethod
    def of(cls, abnormal: AbnormalReturns, window: Window) -> SumOfCorrelations | None:
        """Start, or None where the sums would not be those of the pairs."""
        session = abnormal.day0
        if session is None or len(session) < 2:
            return None
        # The first and the last windows are the ones that may reach beyond the data.
        ends = np.array([session.argmin(), session.argmax()])
        if np.isnat(abnormal.event_windows.dates(ends, abnormal.columns(window))).any():
            return None
        return cls(session, len(window), incomplete=bool((abnormal.n_obs < abnormal.n_obs.max()).any()))

    def update(self, mapped: ResidualChunk) -> None:  # noqa: D102
        if mapped.missing is not None and self.pairs is None:
            self.failed |= self.begun
            self.pairs = SessionPairs(self.length)
        self.begun = True
        if self.failed:
            return
        residuals, missing, session = mapped.residuals, mapped.missing, self.session[mapped.rows]
        if self.pairs is not None:
            incomplete = self.closed.differ(session, missing, residuals.shape[1])
            if np.count_nonzero(incomplete) > MOSTLY * len(incomplete):
                incomplete[:] = True
            self.pairs.add(session, residuals, missing, incomplete)
            if incomplete.any():
                residuals, session = residuals[~incomplete], session[~incomplete]
                missing = None if missing is None else missing[~incomplete]
            missing = missing if missing is not None and missing.any() else None
        if not len(session):
            return
        known = _sums(residuals, missing, session, self.length, self.known)
        # The last session may go on in the next chunk.
        self._meet(known, len(known.session) - 1)
        since = int(np.searchsorted(known.session, known.session[-1] - self.length + 1))
        self.known, self.met = known.since(since), self.met - since

    def _meet(self, known: _Sums, end: int) -> None:
        """Pair the sessions from `met` to `end` with each other and with those before."""
        begin, self.met = self.met, end
        own, same = known.own[begin:end], known.sides[begin:end, 0]
        self.total += float((np.vecdot(same, same) - own).sum()) / 2
        width = same.shape[-1]
        for k in range(1, self.length):
            at = np.searchsorted(known.session, known.session[begin:end] - k)
            met = np.flatnonzero(known.session[at] == known.session[begin:end] - k)
            if not len(met):
                continue
            these, others = run_of(begin + met), run_of(at[met])
            early = known.sides[these, k, : max(width - k, 0)]
            late = known.sides[others, self.length + k, k:]
            self.total += (1.0 - k / self.length) * float(np.vecdot(early, late).sum())

    def result(self) -> tuple[float, int] | None:  # noqa: D102
        if self.failed:
            return None
        if self.known is not None:
            self._meet(self.known, len(self.known.session))
        return self.total + (0.0 if self.pairs is None else self.pairs.result()), self._overlapping()

    def _overlapping(self) -> int:
        """Count the pairs whose tested windows share a day."""
        session, size = np.unique(self.session, return_counts=True)
        found = int((size * (size - 1) // 2).sum())
        for k in range(1, self.length):
            at = np.searchsorted(session, session - k)
            met = session[at] == session - k
            found += int((size[met] * size[at[met]]).sum())
        return found


def _any(days: BoolArray) -> BoolArray:
    found: BoolArray = np.logical_or.reduce(days, axis=1)
    return found


def _sums(
    residuals: FloatArray, missing: BoolArray | None, session: IntArray, length: int, before: _Sums | None
) -> _Sums:
    """Sum events, of which those of a session miss the same days, behind the sums `before` of others.

    The last session of these may go on.
    """
    n, width = residuals.shape
    count: IntArray | int = width
    if missing is None:
        z = residuals - residuals.mean(axis=1)[:, None]
    else:
        residuals = np.where(missing, 0.0, residuals)
        count = np.maximum(width - np.count_nonzero(missing, axis=1), 1)
        z = np.where(missing, 0.0, residuals - (residuals.sum(axis=1) / count)[:, None])
    norm = np.sqrt(np.vecdot(z, z))
    flat = norm <= NO_VARIANCE * np.sqrt(count) * np.maximum(residuals.max(axis=1), -residuals.min(axis=1))
    scale = np.divide(1.0, norm, out=np.zeros(n), where=~flat)
    early = _weights(z, missing, norm, scale, length)
    late = _weights(z[:, ::-1], None if missing is None else missing[:, ::-1], norm, scale, length)
    weight, mean = (np.concatenate(pair, axis=1) for pair in zip(early, late, strict=True))
    start = np.flatnonzero(np.diff(session, prepend=-1))
    own = np.add.reduceat(weight[:, 0] > 0, start, dtype=np.int64)
    goes_on = before is not None and before.session[-1] == session[0]
    kept = 0 if before is None else len(before.session) - goes_on
    sides = np.empty((kept + len(start), 2 * length, width))
    here, turned = sides[kept:], weight.T
    for g, (first, stop) in enumerate(zip(start.tolist(), [*start[1:].tolist(), n], strict=True)):
        np.matmul(turned[:, first:stop], z[first:stop], out=here[g])
    here -= np.add.reduceat(weight * mean, start, axis=0)[:, :, None]
    if missing is not None:
        here *= ~missing[start][:, None]
    if before is None:
        return _Sums(session[start], own, sides)
    sides[:kept] = before.sides[:kept]
    if goes_on:
        here[0] += before.sides[-1]
        own[0] += before.own[-1]
    numbers, owns = (
        np.concatenate([old[:kept], new])
        for old, new in ((before.session, session[start]), (before.own, own))
    )
    return _Sums(numbers, owns, sides)


def _weights(
    z: FloatArray, missing: BoolArray | None, norm: FloatArray, scale: FloatArray, length: int
) -> tuple[FloatArray, FloatArray]:
    """Inverse length, and mean, of each row without its last k days, for k < L; both of shape (n, L)."""
    n, width = z.shape
    lags = min(length, width - MIN_COMMON_DAYS + 1)
    weight, mean = np.zeros((n, length)), np.zeros((n, length))
    if lags < 1:
        return weight, mean
    # Without the last k days: less the sums over these.
    last = np.zeros((n, lags))
    last[:, 1:] = z[:, ::-1][:, : lags - 1]
    days = width - np.arange(lags)[None]
    if missing is not None:
        gone = missing.cumsum(axis=1)[:, ::-1][:, :lags]
        days = days - gone
    total = z.sum(axis=1)[:, None] - np.cumsum(last, axis=1)
    mean[:, :lags] = total / np.maximum(days, 1)
    last *= last
    variance = (norm[:, None] ** 2 - np.cumsum(last, axis=1) - total * mean[:, :lags]) * scale[:, None] ** 2
    varies = (variance > NO_COMMON_VARIANCE) & (days >= MIN_COMMON_DAYS)
    variance[~varies] = np.inf
    weight[:, :lags] = scale[:, None] / np.sqrt(variance)
    return weight, mean
