"""Tested windows of a design: how many there are, whether they overlap, and what notes must say of them."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import IntArray
from eventstudy.inference.base import TestInput
from eventstudy.inference.engine.calendar_days import NOT_A_DATE, date_numbers
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.lazy import memo

__all__ = [
    "FEW_EVENTS",
    "date_groups",
    "n_windows",
    "overlap_note",
    "remarks",
    "what_misleads",
]

#: Fewer events than this make the cross-sectional standard deviation a chancy scale (size table of the docs).
FEW_EVENTS = 15
#: Tests that a skewed past does not mislead, nor one of which prices often do not change.
HOLD = "rank and cumrank_t hold"
OVERLAPPING = "windows of different dates overlap, and this test ignores the resulting correlation"


def n_windows(data: TestInput) -> int:
    """Count the distinct tested windows of the usable events, by their calendar dates."""
    usable = data.with_car
    if usable.abnormal.days is not None:
        return len(usable.abnormal.days)
    return len(np.unique(date_numbers(usable.tested_dates), axis=0))


def date_groups(data: TestInput) -> IntArray:
    """Give usable events with the same tested dates the same number, shape (n_events,).

    Numbers go from 0 on, in the order of the dates.
    """

    def compute() -> IntArray:
        fit = data.with_car.abnormal
        if fit.day0 is not None:
            return np.asarray(np.unique(fit.day0, return_inverse=True)[1], dtype=np.int64)
        numbers = date_numbers(data.with_car.tested_dates)
        return np.unique(numbers, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    return memo(data, "date_groups", compute)


def overlap_note(data: TestInput) -> str:
    """Say that tested windows of different dates share days; nothing where they do not.

    A day that two of them share is another relative day of each, so a series of the mean by relative
    day, or a sign for each date, does not hold the correlation of their events.
    """

    def compute() -> str:
        abnormal = data.with_car.abnormal
        days = abnormal.days
        # Without an estimation window neither of them can be computed.
        told = f"{OVERLAPPING}; use adjusted_bmp or jaffe" if (abnormal.dof > 0).any() else OVERLAPPING
        if days is not None:
            return told if (np.diff(days) < len(data.window)).any() else ""
        dates = np.unique(date_numbers(data.with_car.tested_dates), axis=0)
        known = np.where(dates == NOT_A_DATE, np.iinfo(np.int64).max, dates)
        first, last = known.min(axis=1), dates.max(axis=1)
        order = np.argsort(first, kind="stable")
        shared = (first[order][1:] <= np.maximum.accumulate(last[order])[:-1]).any()
        return told if shared else ""

    return memo(data, "overlap_note", compute)


def what_misleads(test: SignificanceTest, data: TestInput) -> str:
    """Say what in the past of these events makes a test reject too often; "" if nothing does."""
    return memo(data, f"misled_{test.key}", lambda: test.misled(data))


def remarks(test: SignificanceTest, data: TestInput, used: TestInput) -> list[str]:
    """Return what the note of a test says besides its own: doubts that it declares, and events left out.

    Parameters
    ----------
    test : SignificanceTest
    data, used : TestInput
        All events, and those that the test used.
    """
    n = used.n_events
    gone = data.n_events - n
    misled = what_misleads(test, data)
    few = f"scaled by the standard deviation of {n} events, as if it were known: with so few it over-rejects"
    return [
        *([few] if test.scaled_by_events and n < FEW_EVENTS else []),
        *([f"{misled}; {HOLD}"] if misled else []),
        *([overlap_note(data)] if test.by_relative_day else []),
        *([f"{gone} event{'s' if gone > 1 else ''} without residual variance left out"] if gone else []),
    ]
