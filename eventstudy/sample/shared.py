"""Event time for many events: regressors laid out once for the events that share them.

Events of one day that are measured against one benchmark have the same regressors. Laid out once, they
are read once, and least squares of all these events is one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from eventstudy.sample.layout import Regressor, Rows, take_windows
from eventstudy.sample.sample import EventSample

__all__ = [
    "SharedArrays",
    "SharedWindows",
    "Stack",
    "positions",
    "shared_arrays",
    "shared_windows",
    "stacks",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SharedWindows:
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
    """

    y: FloatArray
    x: FloatArray
    start: IntArray
    run: IntArray


class Stack(NamedTuple):
    """Neighbouring runs of `size` events each: which runs they are, and which events."""

    runs: slice
    events: slice
    size: int

    def of(self, rows: FloatArray) -> FloatArray:
        """Rows of its events, one matrix a run; shape (runs, size, ...)."""
        return rows[self.events].reshape(-1, self.size, *rows.shape[1:])


def stacks(start: IntArray, n: int) -> list[Stack]:
    """Stacks of runs that begin at the events `start`, of n events.

    One call of NumPy works on a stack: few and long where runs stand in the order of their sizes.
    """
    size = np.diff(start, append=n)
    cut = np.flatnonzero(np.diff(size, prepend=-1))
    first, event = cut.tolist(), start[cut].tolist()
    return [
        Stack(slice(a, b), slice(i, j), s)
        for a, b, i, j, s in zip(
            first, [*first[1:], len(start)], event, [*event[1:], n], size[cut].tolist(), strict=True
        )
    ]


@dataclass(frozen=True)
class SharedArrays:
    """Estimation windows in runs, and event windows as in `EventArrays`.

    Attributes
    ----------
    estimation : SharedWindows
    y_evt, x_evt, span_evt, rf_evt
        As in `EventArrays`.
    """

    estimation: SharedWindows
    y_evt: FloatArray
    x_evt: FloatArray
    span_evt: IntArray
    rf_evt: FloatArray | float


def shared_windows(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> SharedWindows:
    """Lay out the estimation windows of `rows`, one set of regressors a run of equal ones.

    Whatever their order the result is right; it is small where events of one day stand together.
    """
    first, run = _runs(sample, regressors, excess, rows)
    one, y = positions(sample, rows)[first], sample.single_returns(part=rows)
    x = sample.single_regressors(sample.estimation, regressors, excess, one)
    if excess:
        begin, length = sample.day0[one] + sample.estimation.start, len(sample.estimation)
        rf = take_windows(sample.bank.single, sample.factor("rf", one), begin, length)
        for stack in stacks(first, len(y)):
            part = stack.of(y)
            part -= rf[stack.runs, None]
    return SharedWindows(y, x, first, run)


def shared_arrays(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> SharedArrays:
    """Lay out estimation and event windows of `rows`; see `SharedWindows`."""
    estimation = shared_windows(sample, regressors, excess, rows)
    arrays, window, bank = sample.market.arrays, sample.window, sample.bank
    security, day0 = sample.security[rows], sample.day0[rows]
    first, length = day0 + window.start, len(window)
    # What lies beyond the data is NaN in the windows, so it has no span either.
    y = take_windows(arrays.returns, security, first, length)
    span = (y == y).astype(np.int64)
    one = positions(sample, rows)[estimation.start]
    x = sample.single_regressors(window, regressors, excess, one)[estimation.run]
    rf: FloatArray | float = 0.0
    if excess:
        rf = take_windows(bank.single, sample.factor("rf", one), sample.day0[one] + window.start, length)[
            estimation.run
        ]
    # Returns over several sessions are few: regressors of these alone are compounded.
    if arrays.single is not arrays.returns:
        lumped = ~np.isnan(y) & np.isnan(take_windows(arrays.single, security, first, length))
        i, day = np.nonzero(lumped)
        if len(i):
            at = first[i] + day
            span[i, day] = d = arrays.spans[security[i], at]
            which = positions(sample, rows)[i]
            x[i, day] = _compounded(sample, regressors, excess, which, at, d)
            if isinstance(rf, np.ndarray):
                rf[i, day] = bank.compound(sample.factor("rf", which), at, d)
    if excess:
        y -= rf
    return SharedArrays(estimation, y, x, span, rf)


def positions(sample: EventSample, rows: Rows) -> IntArray:
    """Positions of the events of `rows`."""
    return np.arange(*rows.indices(len(sample))) if isinstance(rows, slice) else rows


def _runs(
    sample: EventSample, regressors: tuple[Regressor, ...], excess: bool, rows: Rows
) -> tuple[IntArray, IntArray]:
    """First event of each run of events with one day 0 and the same series, and the run of each event."""
    sources = [wanted.source for wanted in regressors] + ["rf"] * excess
    keys = [sample.day0[rows], *(sample.series(source, rows) for source in dict.fromkeys(sources))]
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
