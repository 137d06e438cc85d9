"""Estimation residuals of many events, read once for all tests that need them and reduced as they pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.engine.moments import rounding_noise
from eventstudy.lazy import memo
from eventstudy.workers import n_workers, on_threads

__all__ = [
    "FEW",
    "PAST_SUMS",
    "Reduction",
    "ResidualChunk",
    "ResidualSums",
    "SumReducer",
    "past_sums",
    "read_residuals",
    "run_of",
    "sums_by_run",
]

T = TypeVar("T")
#: Cache key.
PAST_SUMS = "past_sums"
#: Each test reads up to this many events whole; more are read in one pass for several tests.
FEW = 100
#: Threads get chunks this many times as long, since they wait for the interpreter between short calls.
LONGER = 4
#: Runs of at least this many events on average are faster to sum one by one.
LONG_RUNS = 8


@dataclass(frozen=True)
class ResidualChunk:
    """Estimation residuals of some events.

    Attributes
    ----------
    rows : array of int, shape (n,)
        The events, by position.
    residuals : array, shape (n, W)
        NaN where missing; not to be written to.
    missing : array of bool, shape (n, W), or None
        None where nothing is missing.
    """

    rows: IntArray
    residuals: FloatArray
    missing: BoolArray | None

    @classmethod
    def of(cls, rows: IntArray, residuals: FloatArray) -> ResidualChunk:
        """Find out what is missing."""
        whole = not np.isnan(residuals.sum())
        return cls(rows, residuals, None if whole else np.isnan(residuals))


class Reduction(ABC, Generic[T]):
    """A result computed from the residuals of all events, a chunk of events at a time."""

    def map(self, chunk: ResidualChunk) -> Any:
        """Do what needs no other events; several chunks may be mapped at once."""
        return chunk

    @abstractmethod
    def update(self, mapped: Any) -> None:
        """Add some events, as `map` returned them; each event comes once, in order."""

    @abstractmethod
    def result(self) -> T:
        """Return the result, after all events."""


def read_residuals(
    abnormal: AbnormalReturns,
    reductions: Sequence[Reduction[T]],
    kept: dict[int, ResidualChunk] | None = None,
) -> list[T]:
    """Go through the residuals of all events once, for several reductions.

    Events on the same day come together if all events are of one market. Chunks are mapped on as many
    threads as `joblib.parallel_config` gives workers. A first pass keeps its chunks in `kept`, while
    they are small together, and a second one takes them from there.
    """
    order = np.arange(abnormal.n_events) if abnormal.by_day is None else abnormal.by_day
    threads = n_workers(None) > 1
    size = lazy.CHUNK * (LONGER if threads else 1)
    starts = range(0, len(order), size)

    def mapped(start: int) -> list[Any]:
        chunk = None if kept is None else kept.get(start)
        if chunk is None:
            rows = order[start : start + size]
            chunk = ResidualChunk.of(rows, abnormal.past.residuals(rows))
            if kept is not None and len(order) * chunk.residuals.shape[1] <= lazy.MOST_HELD:
                kept[start] = chunk
        return [reduction.map(chunk) for reduction in reductions]

    for made in on_threads(mapped, starts):
        for reduction, part in zip(reductions, made, strict=True):
            reduction.update(part)
    return [reduction.result() for reduction in reductions]


@dataclass(frozen=True)
class ResidualSums:
    """Sums over events of their estimation residuals; g runs of events have the same calendar dates.

    Attributes
    ----------
    event : array of int, shape (g,)
        An event of each run.
    run : array of int, shape (N,)
        The run of each event.
    total : array, shape (g, W)
        Sum of the residuals of each run.
    count : array of int, shape (g, W), or (g, 1) where no event misses a day
        How many they are.
    positive : float
        Mean over events of the share of positive residuals, zeros counted half; NaN where there are none.
    """

    event: IntArray
    run: IntArray
    total: FloatArray
    count: IntArray
    positive: float

    @property
    def mean(self) -> FloatArray:
        """Mean residual of each relative day, shape (W,); NaN where there is none."""
        count = self.count.sum(axis=0)
        return np.where(count > 0, self.total.sum(axis=0) / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class _PartSums:
    """`sums_by_run` of some events, the sum of their shares of positive residuals, and how many have any."""

    runs: IntArray
    total: FloatArray
    count: IntArray
    shares: float
    events: int


class SumReducer(Reduction[ResidualSums]):
    """Sum the residuals of the events that fall on the same dates."""

    def __init__(self, abnormal: AbnormalReturns) -> None:
        order, calendar = abnormal.by_day, _calendar(abnormal)
        if order is None:
            _, self.event, self.run = np.unique(calendar, return_index=True, return_inverse=True)
        else:
            changed = np.diff(calendar[order], prepend=-1) != 0
            self.event = order[changed]
            self.run = np.empty(len(order), dtype=np.int64)
            self.run[order] = np.cumsum(changed) - 1
        self.total: FloatArray | None = None
        self.count = np.zeros((len(self.event), 1), dtype=np.int64)
        self.shares, self.events = 0.0, 0
        self.noise = rounding_noise(abnormal.s2)[:, None]

    def map(self, chunk: ResidualChunk) -> _PartSums:  # noqa: D102
        residuals, run, missing = chunk.residuals, self.run[chunk.rows], chunk.missing
        noise = self.noise[chunk.rows]
        if (np.diff(run) < 0).any():
            inside = np.argsort(run, kind="stable")
            run, residuals, noise = run[inside], residuals[inside], noise[inside]
            missing = None if missing is None else missing[inside]
        sums = sums_by_run(residuals, run, missing)
        width = residuals.shape[1]
        if missing is None:
            more = _more_positive(residuals, noise)
            # Twice the share of positive ones: those above zero and those not below.
            return _PartSums(*sums, (residuals.size + more) / (2 * max(width, 1)), len(residuals))
        seen = width - missing.sum(axis=1)
        each = np.count_nonzero(residuals > noise, axis=1) - np.count_nonzero(residuals < -noise, axis=1)
        shares = float(((seen + each) / (2 * np.maximum(seen, 1))).sum())
        return _PartSums(*sums, shares, int(np.count_nonzero(seen)))

    def update(self, mapped: _PartSums) -> None:  # noqa: D102
        runs, total, count = mapped.runs, mapped.total, mapped.count
        if self.total is None:
            self.total = np.zeros((len(self.event), total.shape[1]))
        self.total[runs] += total
        if count.shape[1] > self.count.shape[1]:
            self.count = np.repeat(self.count, count.shape[1], axis=1)
        self.count[runs] += count
        self.shares += mapped.shares
        self.events += mapped.events

    def result(self) -> ResidualSums:  # noqa: D102
        total = np.zeros((0, 0)) if self.total is None else self.total
        positive = self.shares / self.events if self.events else float("nan")
        return ResidualSums(self.event, self.run, total, self.count, positive)


def _calendar(abnormal: AbnormalReturns) -> IntArray:
    """Give events whose windows have the same dates the same number; shape (N,)."""
    if abnormal.day0 is not None:
        return abnormal.day0
    dates = np.concatenate([abnormal.past.dates(), abnormal.event_dates], axis=1)
    # Rows as one value each; big-endian and without sign, so that bytes sort as dates do.
    numbers = dates.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)
    rows = np.ascontiguousarray(numbers.astype(">u8")).view(f"V{8 * dates.shape[1]}")
    return np.asarray(np.unique(rows.ravel(), return_inverse=True)[1], dtype=np.int64)


def past_sums(abnormal: AbnormalReturns) -> ResidualSums:
    """Sum the estimation residuals of events; computed once for each record of abnormal returns."""
    return memo(abnormal, PAST_SUMS, lambda: read_residuals(abnormal, [SumReducer(abnormal)])[0])


def sums_by_run(
    values: FloatArray, run: IntArray, missing: BoolArray | None
) -> tuple[IntArray, FloatArray, IntArray]:
    """Sum rows of events that stand in the order of their runs.

    Parameters
    ----------
    values : array, shape (n, T)
        NaN where `missing`.
    run : array of int, shape (n,)
    missing : array of bool, shape (n, T), or None

    Returns
    -------
    runs : array of int, shape (g,)
    total, count : arrays, shape (g, T) and (g, T), or (g, 1) where nothing is missing
    """
    start = np.flatnonzero(np.diff(run, prepend=run[:1] - 1))
    many = np.diff(np.append(start, len(run)))
    if missing is None:
        return run[start], _by_run(values, start), many[:, None]
    total = _by_run(np.where(missing, 0.0, values), start)
    # As a rule, few days are missing.
    width = values.shape[1]
    event, day = np.divmod(np.flatnonzero(missing), width)
    group = np.repeat(np.arange(len(start)), many)
    lost = np.bincount(group[event] * width + day, minlength=len(start) * width).reshape(len(start), width)
    return run[start], total, many[:, None] - lost


def _by_run(values: FloatArray, start: IntArray) -> FloatArray:
    if len(values) < LONG_RUNS * len(start):
        return np.asarray(np.add.reduceat(values, start, axis=0))
    total = np.empty((len(start), values.shape[1]))
    for run, first, stop in zip(total, start.tolist(), [*start[1:].tolist(), len(values)], strict=True):
        np.add.reduce(values[first:stop], axis=0, out=run)
    return total


def _more_positive(residuals: FloatArray, noise: FloatArray) -> int:
    """Count the residuals above the noise of their event, shape (n, 1), less those below its negative."""
    largest = noise.max(initial=0.0)  # comparing with one number is faster
    above, below = np.count_nonzero(residuals > largest), np.count_nonzero(residuals < -largest)
    if above + below < residuals.size:
        above, below = np.count_nonzero(residuals > noise), np.count_nonzero(residuals < -noise)
    return int(above - below)


def run_of(places: IntArray) -> slice | IntArray:
    """Places in order as a slice, which is faster to index with, if they follow each other."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first + 1 == len(places) else places
