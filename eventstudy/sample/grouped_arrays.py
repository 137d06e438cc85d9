"""Event time for many events: regressors laid out once for the events that share them.

Events of the same day and benchmark have the same regressors. Laid out once, these are read once, and least
squares of all such events is one product of matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.sample.event_arrays import Regressor, Rows, take_windows
from eventstudy.sample.sample import EventSample
from eventstudy.windows import Window

__all__ = [
    "SharedArrays",
    "SharedWindows",
    "Stack",
    "event_positions",
    "nonzero_rows",
    "shared_arrays",
    "shared_windows",
    "stacks",
    "window_design",
]


class SharedWindows(NamedTuple):
    """Estimation windows of n events in g runs; the events of a run have the same regressors.

    Attributes
    ----------
    y : array, shape (n, W)
        Returns of one session, NaN elsewhere; a copy, which the receiver may overwrite.
    x : array, shape (g, W, p)
        Regressors of each run; NaN where unknown.
    start : array of int, shape (g,)
        First event of each run.
    run : array of int, shape (n,)
        The run of each event.
    inner : slice
        Days that lie in the estimation windows of all events.
    """

    y: FloatArray
    x: FloatArray
    start: IntArray
    run: IntArray
    inner: slice = slice(None)


class Stack(NamedTuple):
    """Neighbouring runs of `size` events each: which runs they are, and which events."""

    runs: slice
    events: slice
    size: int

    def of(self, rows: FloatArray) -> FloatArray:
        """Rows of its events, one matrix per run; shape (runs, size, ...)."""
        return rows[self.events].reshape(-1, self.size, *rows.shape[1:])


def stacks(start: IntArray, n: int) -> list[Stack]:
    """Stacks of runs that begin at the events `start`, of n events.

    One call of NumPy works on a stack: few and long where runs stand in the order of their sizes.
    """
    if n == 0:
        return []
    size = np.diff(start, append=n)
    cut = np.flatnonzero(np.diff(size, prepend=-1))
    first, event = cut.tolist(), start[cut].tolist()
    return [
        Stack(slice(a, b), slice(i, j), s)
        for a, b, i, j, s in zip(
            first, [*first[1:], len(start)], event, [*event[1:], n], size[cut].tolist(), strict=True
        )
    ]


class Lumped(NamedTuple):
    """Event-window returns that span several sessions, m of them.

    Attributes
    ----------
    event, day : arrays of int, shape (m,)
        Row and column of each.
    span : array of int, shape (m,)
    x : array, shape (m, p)
        Regressors compounded over these sessions.
    """

    event: IntArray
    day: IntArray
    span: IntArray
    x: FloatArray


class SharedArrays(NamedTuple):
    """Estimation and event windows of n events in g runs.

    Attributes
    ----------
    estimation : SharedWindows
    y_evt, rf_evt
        As in `EventArrays`.
    x_evt : array, shape (g, L, p)
        Regressors of each run, of one session each.
    traded : array, shape (n, L)
        Returns of the event windows before anything is taken from them.
    lumped : Lumped
        Those with regressors of their own.
    """

    estimation: SharedWindows
    y_evt: FloatArray
    x_evt: FloatArray
    rf_evt: FloatArray | float
    traded: FloatArray
    lumped: Lumped

    @property
    def span_evt(self) -> IntArray:
        """Sessions each event-window return spans, 0 where missing."""
        # What lies beyond the data is NaN in the windows, so it has no span either.
        span: IntArray = np.logical_not(np.isnan(self.traded)).astype(np.int64)
        span[self.lumped.event, self.lumped.day] = self.lumped.span
        return span


def shared_windows(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> SharedWindows:
    """Lay out the estimation windows of `rows`, one set of regressors per run of equal ones.

    Whatever their order the result is right; it is small where events of the same day follow each other.
    """
    first, run = _runs(sample, regressors, excess, rows)
    one, y = event_positions(sample, rows)[first], sample.single_returns(part=rows)
    x = sample.single_regressors(sample.estimation, regressors, excess, one)
    if excess:
        begin, length = (
            sample.origin(sample.estimation, one) + sample.estimation.start,
            len(sample.estimation),
        )
        rf = take_windows(sample.bank.single, sample.factor("rf", one), begin, length)
        for stack in stacks(first, len(y)):
            part = stack.of(y)
            part -= rf[stack.runs, None]
    inner = slice(None) if sample.own is None else sample.own.inner(rows, sample.estimation.offsets)
    return SharedWindows(y, x, first, run, inner)


def shared_arrays(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> SharedArrays:
    """Lay out estimation and event windows of `rows`; see `SharedWindows`."""
    estimation, which = shared_windows(sample, regressors, excess, rows), event_positions(sample, rows)
    one, run = which[estimation.start], estimation.run
    y, rf, traded, lumped = _event_returns(sample, regressors, excess, sample.window, which, one, run)
    x = sample.single_regressors(sample.window, regressors, excess, one)
    return SharedArrays(estimation, y, x, rf, traded, lumped)


def window_design(
    sample: EventSample,
    regressors: tuple[Regressor, ...],
    excess: bool,
    rows: IntArray,
    cols: slice | None = None,
) -> FloatArray:
    """Lay out constant and regressors of event windows, as `design` in `ModelFit`; shape (n, days, 1 + p).

    With `cols`, those days of the window alone, and any number on a day without abnormal return.
    """
    days, arrays = sample.window.offsets[cols or slice(None)], sample.market.arrays
    window, run = Window(int(days[0]), int(days[-1])), slice(None)
    columns = np.ones((len(rows), 1 + len(regressors), len(window)))
    columns[:, 1:] = sample.single_regressors(window, regressors, excess, rows).transpose(0, 2, 1)
    design = columns.transpose(0, 2, 1)
    if cols is None or arrays.single is not arrays.returns:
        y, _, _, lumped = _event_returns(sample, regressors, excess, window, rows, rows, run)
        columns[lumped.event, 0, lumped.day] = lumped.span
        columns[lumped.event, 1:, lumped.day] = lumped.x
        if cols is None:
            design[np.isnan(columns.sum(axis=1) + y)] = np.nan
    return design


def _event_returns(
    sample: EventSample,
    regressors: tuple[Regressor, ...],
    excess: bool,
    window: Window,
    which: IntArray,
    one: IntArray,
    run: IntArray | slice,
) -> tuple[FloatArray, FloatArray | float, FloatArray, Lumped]:
    """Lay out returns, whatever they span, of events `which`: `one` of each run, and the run of each."""
    arrays, bank, length = sample.market.arrays, sample.bank, len(window)
    security, first = sample.security[which], sample.day0[which] + window.start
    traded = take_windows(arrays.returns, security, first, length)
    if sample.own is not None:
        sample.own.blank_window(traded, which, window.offsets)
    event = day = span = np.empty(0, dtype=np.int64)
    # Returns over several sessions are few: regressors of these alone are compounded.
    if arrays.single is not arrays.returns:
        single = take_windows(arrays.single, security, first, length)
        event, day = nonzero_rows(np.isnan(single) & ~np.isnan(traded))
        span = arrays.spans[security[event], first[event] + day]
    at, events = first[event] + day, which[event]
    lumped = Lumped(event, day, span, _compounded(sample, regressors, excess, events, at, span))
    if not excess:
        return traded, 0.0, traded, lumped
    begin = sample.day0[one] + window.start
    rf = take_windows(bank.single, sample.factor("rf", one), begin, length)[run]
    rf[event, day] = bank.compound(sample.factor("rf", events), at, span)
    return traded - rf, rf, traded, lumped


def nonzero_rows(mask: BoolArray) -> tuple[IntArray, IntArray]:
    """Rows and columns where a matrix is true: `numpy.nonzero`, several times as fast where they are few."""
    flat = np.flatnonzero(mask)
    row = flat // max(mask.shape[1], 1)
    return row, flat - row * mask.shape[1]


def event_positions(sample: EventSample, rows: Rows) -> IntArray:
    """Positions of the events of `rows`."""
    return np.arange(*rows.indices(len(sample))) if isinstance(rows, slice) else rows


def _runs(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> tuple[IntArray, IntArray]:
    """First event of each run of events with one day 0 and the same series, and the run of each event."""
    sources = [wanted.source for wanted in regressors] + ["rf"] * excess
    own = [] if sample.own is None else [sample.own.shift[rows]]
    keys = [sample.day0[rows], *own, *(sample.series(source, rows) for source in dict.fromkeys(sources))]
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed), np.cumsum(changed) - 1


def _compounded(
    sample: EventSample,
    regressors: tuple[Regressor, ...],
    excess: bool,
    events: IntArray,
    at: IntArray,
    spans: IntArray,
) -> FloatArray:
    """Regressors of one day of each of `events`, over the `spans` sessions that end at `at`."""
    x = np.empty((len(events), len(regressors)))
    for j, wanted in enumerate(regressors):
        end = at - wanted.lag
        x[:, j] = sample.bank.compound(sample.series(wanted.source, events), end, spans)
        if excess and wanted.source == "benchmark":
            x[:, j] -= sample.bank.compound(sample.factor("rf", events), end, spans)
    return x
