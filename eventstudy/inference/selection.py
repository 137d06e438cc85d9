"""What several tests share: which events can be used, why a test cannot, and a memo for costly parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.inference.base import Statistic, TestInput

__all__ = [
    "date_numbers",
    "memo",
    "n_windows",
    "not_applicable",
    "overlap_note",
    "recall",
    "remember",
    "spread",
    "too_few_events",
    "usable_events",
    "with_counts",
    "with_variance",
]

T = TypeVar("T")

NOT_A_DATE = np.iinfo(np.int64).min
OVERLAPPING = (
    "windows of different dates share days, whose correlation this test does not know: "
    "adjusted_bmp and jaffe do"
)

#: Relative size below which a standard deviation is rounding noise.
NEGLIGIBLE = 1e-12
#: A residual standard deviation this small beside the event's own returns is rounding noise.
EXACT_FIT = 1e-10


def remember(owner: object, name: str, value: T) -> T:
    """Keep a value, other than None, for as long as a TestInput or another record lives."""
    # The same place where functools.cached_property keeps its values.
    vars(owner)[f"_memo_{name}"] = value
    return value


def recall(owner: object, name: str) -> Any:
    """Return a value that was remembered, or None."""
    return vars(owner).get(f"_memo_{name}")


def memo(owner: object, name: str, compute: Callable[[], T]) -> T:
    """Compute a value once for a TestInput, or another record."""
    found = recall(owner, name)
    return remember(owner, name, compute()) if found is None else cast(T, found)


def usable_events(data: TestInput) -> TestInput:
    """Restrict `data` to events with a CAR in the tested window (`data` itself if all have one)."""
    if data.usable.all():
        return data
    return memo(data, "usable", lambda: data.only(data.usable))


def with_variance(data: TestInput) -> TestInput:
    """Restrict `data` to events with a CAR and a residual variance to measure it by.

    A series that is constant, or fitted exactly, over the estimation window has a residual
    variance of zero or of rounding size; no standardised abnormal return exists then.
    """

    def restrict() -> TestInput:
        usable = usable_events(data)
        largest = np.maximum(*(_largest(r) for r in (usable.abnormal.actual, usable.abnormal.ar)))
        s2 = usable.abnormal.s2
        sound = (s2 > 0) & (s2 > (EXACT_FIT * largest) ** 2) & (usable.cumulative.variance > 0)
        return usable if sound.all() else usable.only(sound)

    return memo(data, "scaled", restrict)


def _largest(values: FloatArray) -> FloatArray:
    """Largest size of the values of each row, 0 where there is none; shape (N, L) -> (N,)."""
    out = np.zeros(len(values))
    for day in values.T:
        np.fmax(out, np.abs(day), out=out)
    return out


def with_counts(data: TestInput, found: Statistic, *notes: str) -> Statistic:
    """Complete the result of a test on `with_variance`: how many events it used, which it left out."""
    used = with_variance(data).n_events
    gone = usable_events(data).n_events - used
    without = f"{gone} event{'s' if gone > 1 else ''} without residual variance left out" if gone else ""
    note = "; ".join(n for n in (found.note, *notes, without) if n)
    return replace(found, note=note, extra={**found.extra, "n_events": used})


def too_few_events(data: TestInput, minimum: int = 2, *, scaled: bool = False) -> str | None:
    """Return the reason why too few events can be used for a cross-sectional test, or None."""
    n = usable_events(data).n_events
    if n == 0:
        return f"no event has a CAR in window {data.window}"
    if scaled and n >= minimum:
        n = with_variance(data).n_events
        if n < minimum:
            return f"residual variance is zero for all but {n} of {usable_events(data).n_events} events"
    if n >= minimum:
        return None
    return "one event" if n == 1 else f"needs at least {minimum} events, {n} can be used"


def date_numbers(dates: DateArray) -> IntArray:
    """Give calendar days a number, or the times of bars where `dates` are in minutes or seconds."""
    unit = np.datetime_data(dates.dtype)[0]
    unit = unit if unit in ("m", "s") else "D"
    return dates.astype(f"datetime64[{unit}]").astype(np.int64)


def n_windows(data: TestInput) -> int:
    """Count the distinct tested windows of the usable events, by their calendar dates."""
    usable = usable_events(data)
    if usable.abnormal.days is not None:
        return len(usable.abnormal.days)
    return len(np.unique(date_numbers(usable.tested_dates), axis=0))


def overlap_note(data: TestInput) -> str:
    """Say that tested windows of different dates share days; nothing where they do not.

    A day that two of them share is another relative day of each, so that a series of the mean by relative
    day, or a sign for each date, does not hold the correlation of their events.
    """

    def compute() -> str:
        days = usable_events(data).abnormal.days
        if days is not None:
            return OVERLAPPING if (np.diff(days) < len(data.window)).any() else ""
        dates = np.unique(date_numbers(usable_events(data).tested_dates), axis=0)
        known = np.where(dates == NOT_A_DATE, np.iinfo(np.int64).max, dates)
        first, last = known.min(axis=1), dates.max(axis=1)
        order = np.argsort(first, kind="stable")
        shared = (first[order][1:] <= np.maximum.accumulate(last[order])[:-1]).any()
        return OVERLAPPING if shared else ""

    return memo(data, "overlap_note", compute)


def spread(values: FloatArray) -> float:
    """Return the standard deviation (N - 1) of `values`, or 0 where it is only rounding noise."""
    sd = float(np.std(values, ddof=1))
    return sd if sd > NEGLIGIBLE * float(np.abs(values).max()) else 0.0


def not_applicable(reason: str) -> Statistic:
    """Return the result of a test that cannot be computed, with the reason."""
    return Statistic(float("nan"), float("nan"), "", note=reason)
