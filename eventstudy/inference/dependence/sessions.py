r"""Mean correlation of events of one market, in one pass over their sessions.

Events that miss no estimation day, or only days that all events of the market miss, need no pairs. Events i
of session s and j of session s + k have the last W - k estimation days of i and the first W - k of j in
common, whoever they are. With residuals centred and scaled to length 1 on these days,

.. math:: \sum_{i \in s} \sum_{j \in s + k} \operatorname{corr}(e_i, e_j)
          = \Big(\sum_{i \in s} z_i\Big)' \Big(\sum_{j \in s + k} z_j\Big),

so all pairs of two sessions cost one product of vectors. The sums are weighted sums of the residuals
themselves, with weights that depend on i and k alone. Pairs of which an event misses another day are summed
one by one.

For these, every event is laid out on the sessions of its market, zero where it has no residual, so a sum over
the days on which two events both have one is a product of two rows, whatever the distance of their sessions.
The events of a session meet those before them at once: six products give the six sums of a correlation.
In large blocks all but one of them are sums over the days that the other event shares less those it misses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.dependence.pairs import (
    FEW_GONE,
    MIN_COMMON_DAYS,
    NO_COMMON_VARIANCE,
    NO_VARIANCE,
    correlate,
)
from eventstudy.inference.engine.residual_pass import Reduction, ResidualChunk, read_residuals, run_of
from eventstudy.windows import Window

__all__ = ["SessionPairs", "SumOfCorrelations", "overlapping_pairs", "session_correlation"]

#: Where more than this share of a chunk of events misses days, pairs of all of them are summed one by one.
MOSTLY = 0.75
#: Up to this ratio of mean to root sum of squares, the mean can be taken out later without losing digits.
CENTRED = 1e-8
#: Fewer events than this do not make a day on which the market is closed.
CLOSED_BY = 3


def session_correlation(abnormal: AbnormalReturns, window: Window) -> tuple[float, int] | None:
    """Sum over pairs of overlap share times residual correlation, and the number of overlapping pairs.

    As `eventstudy.inference.mean_correlation` defines them; None where the events are not of one market,
    have tested days beyond the data, or returns that span sessions before the window.
    """
    reduction = SumOfCorrelations.of(abnormal, window)
    return None if reduction is None else read_residuals(abnormal, [reduction])[0]


def overlapping_pairs(session: IntArray, length: int) -> list[int]:
    """Count the pairs of events whose windows share a day, by the sessions between them: 0 to length - 1."""
    size = np.bincount(session - session.min()).astype(np.float64)
    same = float((size * (size - 1)).sum()) / 2
    return [int(same), *(int(size[k:] @ size[: max(len(size) - k, 0)]) for k in range(1, length))]


@dataclass(frozen=True)
class _Sums:
    """Sums of scaled residuals over the events of g sessions.

    Attributes
    ----------
    session, own : arrays of int, shape (g,)
        Sessions, and how many of their events have residuals that vary.
    sides : array, shape (g, 2L, W)
        For lag k: residuals scaled on the first W - k days, in these places, and L rows further on those
        scaled on the last W - k, in these.
    """

    session: IntArray
    own: IntArray
    sides: FloatArray

    def since(self, first: int) -> _Sums:
        """Return the sums of the sessions from one, by position, on."""
        return _Sums(self.session[first:], self.own[first:], self.sides[first:])

    def and_then(self, later: _Sums) -> _Sums:
        """Return these sums and later ones, of which the first may be of the last session of these."""
        kept = len(self.session) - (self.session[-1] == later.session[0])
        session, own, sides = (
            np.concatenate([before[:kept], after])
            for before, after in (
                (self.session, later.session),
                (self.own, later.own),
                (self.sides, later.sides),
            )
        )
        if kept < len(self.session):
            own[kept] += self.own[-1]
            sides[kept] += self.sides[-1]
        return _Sums(session, own, sides)


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
        if session is None or len(session) < 2 or not abnormal.within_data(window):
            return None
        if abnormal.reach(abnormal.columns(window)) is not None:
            return None
        return cls(session, len(window), incomplete=bool((abnormal.n_obs < abnormal.n_obs.max()).any()))

    def map(self, chunk: ResidualChunk) -> tuple[ResidualChunk, _Sums | None]:  # noqa: D102
        if self.pairs is not None or chunk.missing is not None:
            return chunk, None
        return chunk, _sums(chunk.residuals, None, self.session[chunk.rows], self.length)

    def update(self, mapped: tuple[ResidualChunk, _Sums | None]) -> None:  # noqa: D102
        chunk, these = mapped
        if chunk.missing is not None and self.pairs is None:
            self.failed |= self.begun
            self.pairs = SessionPairs(self.length)
        self.begun = True
        if self.failed:
            return
        if self.pairs is None and these is not None:
            self._add(these)
            return
        residuals, missing, session = chunk.residuals, chunk.missing, self.session[chunk.rows]
        if self.pairs is not None:
            incomplete = self.closed.differ(session, missing, residuals.shape[1])
            if np.count_nonzero(incomplete) > MOSTLY * len(incomplete):
                incomplete[:] = True
            self.pairs.add(session, residuals, missing, incomplete)
            if incomplete.any():
                residuals, session = residuals[~incomplete], session[~incomplete]
                missing = None if missing is None else missing[~incomplete]
            missing = missing if missing is not None and missing.any() else None
        if len(session):
            self._add(_sums(residuals, missing, session, self.length))

    def _add(self, these: _Sums) -> None:
        """Add the sums of further sessions, the first of which may be the last of those before."""
        known = these if self.known is None else self.known.and_then(these)
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
        total = self.total + (0.0 if self.pairs is None else self.pairs.result())
        return total, sum(overlapping_pairs(self.session, self.length))


def _any(days: BoolArray) -> BoolArray:
    found: BoolArray = np.logical_or.reduce(days, axis=1)
    return found


def _sums(residuals: FloatArray, missing: BoolArray | None, session: IntArray, length: int) -> _Sums:
    """Sum events, of which those of a session miss the same days."""
    n, width = residuals.shape
    count: IntArray | int = width
    if missing is not None:
        residuals = np.where(missing, 0.0, residuals)
        count = np.maximum(width - np.count_nonzero(missing, axis=1), 1)
    total = residuals.sum(axis=1)
    mean, z = total / count, residuals
    norm = np.sqrt(np.vecdot(z, z))
    # The residuals of a regression with a constant have mean zero up to rounding.
    if (np.abs(mean) > CENTRED * norm).any():
        z = residuals - mean[:, None]
        if missing is not None:
            z[missing] = 0.0
        norm, total = np.sqrt(np.vecdot(z, z)), z.sum(axis=1)
    noise = NO_VARIANCE * np.sqrt(count)
    # No residual is larger than mean and norm together; this settles all events but those that hardly vary.
    flat = norm <= noise * (np.abs(mean) + norm)
    if flat.any():
        flat &= norm <= noise * np.maximum(residuals.max(axis=1), -residuals.min(axis=1))
    scale = np.divide(1.0, norm, out=np.zeros(n), where=~flat)
    early = _weights(z, total, missing, norm, scale, length)
    late = _weights(z[:, ::-1], total, None if missing is None else missing[:, ::-1], norm, scale, length)
    weight, mean = (np.concatenate(pair, axis=1) for pair in zip(early, late, strict=True))
    start = np.flatnonzero(np.diff(session, prepend=-1))
    own = np.add.reduceat(weight[:, 0] > 0, start, dtype=np.int64)
    sides = np.empty((len(start), 2 * length, width))
    turned = weight.T
    for g, (first, stop) in enumerate(zip(start.tolist(), [*start[1:].tolist(), n], strict=True)):
        np.matmul(turned[:, first:stop], z[first:stop], out=sides[g])
    sides -= np.add.reduceat(weight * mean, start, axis=0)[:, :, None]
    if missing is not None:
        sides *= ~missing[start][:, None]
    return _Sums(session[start], own, sides)


def _weights(
    z: FloatArray,
    total: FloatArray,
    missing: BoolArray | None,
    norm: FloatArray,
    scale: FloatArray,
    length: int,
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
    rest = total[:, None] - np.cumsum(last, axis=1)
    mean[:, :lags] = rest / np.maximum(days, 1)
    last *= last
    variance = (norm[:, None] ** 2 - np.cumsum(last, axis=1) - rest * mean[:, :lags]) * scale[:, None] ** 2
    varies = (variance > NO_COMMON_VARIANCE) & (days >= MIN_COMMON_DAYS)
    variance[~varies] = np.inf
    weight[:, :lags] = scale[:, None] / np.sqrt(variance)
    return weight, mean


#: Events in a block of rows, and pairs that are held before they are summed: what the cache of a core takes.
ROWS, PAIRS = 128, 2**15
#: A block of rows takes one session more per this many lags, so few of its pairs are out of reach.
SPAN = 4
#: Pairs in a block from which on sums over few missing days pay.
LARGE = 2**11


@dataclass(frozen=True)
class _OnSessions:
    """Events in the order of their sessions, laid out so calendar days are columns.

    Attributes
    ----------
    session, incomplete : arrays, shape (n,)
        Sessions, and whether the pairs of an event are to be summed one by one.
    data : array, shape (3, size)
        Values, their squares, and ones on known days; zero elsewhere. Day d of event i, counted from day
        0 of the estimation window of the first event, is at ``i * stride + d``. Rows lie so far apart that
        the windows of all sessions in reach find zeros around them.
    since : array, shape (2, n, L)
        For lag k: sums of values, and of squares, over the estimation days from number k on.
    row, gone : arrays of int, shapes (n + 1,) and (size,)
        Days that event i misses, from ``row[i]`` on, and at last the day that follows `stride` days.
    stride : int
        Days from the first to the last that a block of events and those before them may have in common.
    """

    session: IntArray
    incomplete: BoolArray
    data: FloatArray
    since: FloatArray
    row: IntArray
    gone: IntArray
    stride: int

    @classmethod
    def of(
        cls,
        session: IntArray,
        incomplete: BoolArray,
        values: FloatArray,
        known: BoolArray,
        length: int,
        span: int,
    ) -> _OnSessions:
        """Lay out events for windows of `length` days and blocks of `span` sessions."""
        n, width = values.shape
        stride = width + length + span - 2
        shift = session - session[0]
        data = np.zeros((3, n * stride + int(shift[-1])))
        start = np.flatnonzero(np.diff(session, prepend=-1))
        for first, stop in zip(start.tolist(), [*start[1:].tolist(), n], strict=True):
            days = slice(first * stride + int(shift[first]), stop * stride + int(shift[first]))
            for kind, what in ((0, values), (2, known)):
                data[kind, days].reshape(-1, stride)[:, :width] = what[first:stop]
        np.multiply(data[0], data[0], out=data[1])
        since = np.zeros((2, n, length))
        np.cumsum(values[:, : length - 1], axis=1, out=since[0, :, 1 : width + 1])
        np.cumsum(values[:, : length - 1] ** 2, axis=1, out=since[1, :, 1 : width + 1])
        np.subtract(values.sum(axis=1)[:, None], since[0], out=since[0])
        np.subtract(np.vecdot(values, values)[:, None], since[1], out=since[1])
        who, gone = np.divmod(np.flatnonzero(~known), width)
        row = np.arange(n + 1) + np.concatenate([[0], np.cumsum(np.bincount(who, minlength=n))])
        gone = np.insert(gone + shift[who], row[1:] - np.arange(1, n + 1), stride + shift)
        return cls(session, incomplete, data, since, row, gone, stride)

    def later(self, first: int) -> _OnSessions:
        """Leave out the first events."""
        shift, dropped = int(self.session[first] - self.session[0]), int(self.row[first])
        return _OnSessions(
            session=self.session[first:],
            incomplete=self.incomplete[first:],
            data=self.data[:, first * self.stride + shift :],
            since=self.since[:, first:],
            row=self.row[first:] - dropped,
            gone=self.gone[dropped:] - shift,
            stride=self.stride,
        )

    def followed_by(self, more: _OnSessions) -> _OnSessions:
        """Return both."""
        shift = int(more.session[0] - self.session[0])
        space = np.zeros((3, int(more.session[0] - self.session[-1])))
        return _OnSessions(
            session=np.concatenate([self.session, more.session]),
            incomplete=np.concatenate([self.incomplete, more.incomplete]),
            data=np.concatenate([self.data, space, more.data], axis=1),
            since=np.concatenate([self.since, more.since], axis=1),
            row=np.concatenate([self.row, more.row[1:] + self.row[-1]]),
            gone=np.concatenate([self.gone, more.gone + shift]),
            stride=self.stride,
        )

    def on(self, day: int, first: int, stop: int, width: int) -> FloatArray:
        """Return some events, shape (3, stop - first, width), on days from the first of session `day` on."""
        begin = first * self.stride + day - int(self.session[0])
        rows = self.data[:, begin : begin + (stop - first) * self.stride]
        return rows.reshape(3, stop - first, self.stride)[:, :, :width]

    def few(self, first: int, stop: int) -> bool:
        """Whether some events miss few of their days."""
        n = stop - first
        return bool(self.row[stop] - self.row[first] - n <= FEW_GONE * n * self.stride)

    def less_gone(self, day: int, first: int, stop: int, n_days: int) -> scipy.sparse.csr_array:
        """Matrix (stop - first, n_days) that takes from what is in the last rows the days that are missed.

        Days are counted from the first of session `day` on.
        """
        begin, end = int(self.row[first]), int(self.row[stop])
        row = (self.row[first : stop + 1] - begin).astype(np.int32)
        sign = np.full(end - begin, -1.0)
        sign[row[1:] - 1] = 1.0
        days = (self.gone[begin:end] - (day - int(self.session[0]))).astype(np.int32)
        return scipy.sparse.csr_array((sign, days, row), shape=(stop - first, n_days))


class SessionPairs:
    """Sum overlap share times correlation over pairs of events of which one at least is incomplete.

    Parameters
    ----------
    length : int
        Days of the tested window.
    """

    def __init__(self, length: int) -> None:
        self.length, self.span = length, 1 + (length - 1) // SPAN
        self._total = 0.0
        self._laid: _OnSessions | None = None
        self._sums = np.empty((6, PAIRS))
        self._share = np.empty(PAIRS)
        self._held = 0

    def add(
        self, session: IntArray, residuals: FloatArray, missing: BoolArray | None, incomplete: BoolArray
    ) -> None:
        """Pair events with each other and with those before.

        Parameters
        ----------
        session : array of int, shape (n,)
            In order, and not before those of earlier calls.
        residuals : array, shape (n, W)
        missing : array of bool, shape (n, W), or None
        incomplete : array of bool, shape (n,)
            Pairs of two events that are not are left out.
        """
        alone = self._laid is None or not self._laid.incomplete.any()
        if alone and not incomplete.any():
            # Nothing to pair; what may meet a later one is kept.
            near = slice(int(np.searchsorted(session, session[-1] - self.length + 1)), None)
            session, residuals, incomplete = session[near], residuals[near], incomplete[near]
            missing = None if missing is None else missing[near]
        known = np.ones(residuals.shape, dtype=bool) if missing is None else ~missing
        if incomplete.any() and not incomplete.all():
            # Events to be paired stand together within their session.
            order = np.lexsort((incomplete, session))
            session, incomplete, residuals, known = (
                session[order],
                incomplete[order],
                residuals[order],
                known[order],
            )
        width, before = residuals.shape[1], 0
        laid = _OnSessions.of(session, incomplete, _scaled(residuals, known), known, self.length, self.span)
        if self._laid is not None:
            before = len(self._laid.session)
            laid = self._laid.followed_by(laid)
        self._pair(laid, before, width)
        self._laid = laid.later(int(np.searchsorted(laid.session, laid.session[-1] - self.length + 1)))

    def _pair(self, laid: _OnSessions, before: int, width: int) -> None:
        """Pair the events from place `before` on with each other and with those before."""
        turns = np.flatnonzero(np.diff(laid.incomplete, prepend=False, append=False)).reshape(-1, 2)
        for first, last in self._blocks(laid, before):
            low = int(np.searchsorted(laid.session, laid.session[first] - self.length + 1))
            if laid.incomplete[first]:
                self._meet(laid, (first, last), (low, last), width)
                continue
            for a, b in turns[np.searchsorted(turns[:, 1], low, side="right") :].tolist():
                if a >= first:
                    break
                self._meet(laid, (first, last), (max(a, low), b), width)

    def _blocks(self, laid: _OnSessions, before: int) -> Iterator[tuple[int, int]]:
        """Blocks of events of neighbouring sessions, incomplete or not."""
        changed = (np.diff(laid.session) != 0) | (np.diff(laid.incomplete) != 0)
        start = np.flatnonzero(np.concatenate([[True], changed]))
        runs = np.union1d(start[start > before], [before, len(laid.session)])
        day, incomplete = laid.session[runs[:-1]].tolist(), laid.incomplete[runs[:-1]].tolist()
        first = 0
        for i in range(1, len(runs)):
            goes_on = i < len(day) and incomplete[i] == incomplete[first] and day[i] - day[first] < self.span
            if goes_on and runs[i + 1] - runs[first] <= ROWS:
                continue
            for begin in range(int(runs[first]), int(runs[i]), ROWS):
                yield begin, min(begin + ROWS, int(runs[i]))
            first = i

    def _meet(self, laid: _OnSessions, rows: tuple[int, int], columns: tuple[int, int], width: int) -> None:
        """Take up the sums of the pairs of events in rows with those before them in columns."""
        (first, last), day = rows, int(laid.session[rows[0]])
        n, days = last - first, width + int(laid.session[last - 1]) - day
        these, most = laid.on(day, first, last, days), PAIRS // n
        large = n * (columns[1] - columns[0]) >= LARGE and laid.few(*rows) and laid.few(*columns)
        shared = self._shared(laid, these, width) if large else None
        for begin in range(*columns, most):
            stop = min(begin + most, columns[1])
            m = stop - begin
            if self._held + n * m > PAIRS:
                self._correlate()
            part = slice(self._held, self._held + n * m)
            self._held = part.stop
            others = laid.on(day, begin, stop, days)
            sums = self._sums[:, part].reshape(6, n, m)
            np.matmul(these[0], others[0].T, out=sums[5])
            if shared is None:
                np.matmul(these, others[2].T, out=sums[:3])
                np.matmul(these[2], others[:2].swapaxes(1, 2), out=sums[3:5])
            else:
                gone = laid.less_gone(day - self.length + 1, begin, stop, len(shared))
                sums[:3] = (gone @ shared).reshape(m, 3, n).transpose(1, 2, 0)
                self._less_gone(laid, rows, (begin, stop), others, sums[3:5])
            share = self._share[part].reshape(n, m)
            lag = laid.session[first:last, None] - laid.session[begin:stop]
            np.maximum(1.0 - lag / self.length, 0.0, out=share)
            if stop > first:
                share *= np.arange(first, last)[:, None] > np.arange(begin, stop)

    def _shared(self, laid: _OnSessions, these: FloatArray, width: int) -> FloatArray:
        """Days of a block of rows, and below them the sums over those that events of each session share."""
        _, n, days = these.shape
        reach = self.length + self.span - 1
        out = np.zeros((laid.stride + reach, 3, n))
        out[self.length - 1 : self.length - 1 + days] = these.transpose(2, 0, 1)
        sums = out[laid.stride :]
        np.subtract(out[width : width + reach - 1], out[: reach - 1], out=sums[1:])
        np.sum(out[:width], axis=0, out=sums[0])
        np.cumsum(sums, axis=0, out=sums)
        return out.reshape(-1, 3 * n)

    def _less_gone(
        self,
        laid: _OnSessions,
        rows: tuple[int, int],
        columns: tuple[int, int],
        others: FloatArray,
        sums: FloatArray,
    ) -> None:
        """Sum values and squares of events in columns over the days that those in rows share and know."""
        _, m, days = others.shape
        day = laid.session[rows[0]]
        shared = np.empty((laid.stride + self.span, 2, m))
        shared[:days] = others[:2].transpose(2, 0, 1)
        place = np.arange(*columns)
        for later in range(int(laid.session[rows[1] - 1] - day) + 1):
            # What is out of reach, or not before the rows, does not count.
            lag = (day + later - laid.session[place]).clip(0, self.length - 1)
            shared[laid.stride + later] = laid.since[:, place, lag]
        found = laid.less_gone(int(day), *rows, len(shared)) @ shared.reshape(-1, 2 * m)
        sums[:] = found.reshape(-1, 2, m).transpose(1, 0, 2)

    def _correlate(self) -> None:
        sx, vx, n, sy, vy, products = self._sums[:, : self._held]
        found = correlate(n, sx, vx, sy, vy, products)
        # BLAS splits long sums among threads, which costs more than the sum.
        self._total += float(np.einsum("i,i", found, self._share[: self._held]))
        self._held = 0

    def result(self) -> float:
        """Return the sum, after all events."""
        self._correlate()
        return self._total


def _scaled(residuals: FloatArray, known: BoolArray) -> FloatArray:
    """Residuals less their mean over their root sum of squares; zeros where unknown or without variance."""
    z = np.where(known, residuals, 0.0)
    n = np.maximum(np.count_nonzero(known, axis=1), 1)
    largest = np.maximum(z.max(axis=1, initial=0.0), -z.min(axis=1, initial=0.0))
    z -= (z.sum(axis=1) / n)[:, None]
    z *= known
    size = np.sqrt(np.vecdot(z, z))
    size[size <= NO_VARIANCE * np.sqrt(n) * largest] = np.inf
    z /= size[:, None]
    return z
