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
    "misled_by_halts",
    "n_windows",
    "overlap_note",
    "remarks",
    "what_misleads",
]

#: Fewer events than this make the cross-sectional standard deviation a chancy scale (size table of the docs).
FEW_EVENTS = 15
#: From this share of events on whose first return after a halt spans days of the others, it matters.
HALTED = 0.1
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
        lumped = abnormal.reach(data.cols) is not None
        instead = "; use adjusted_bmp" if lumped else "; use adjusted_bmp or jaffe"
        told = OVERLAPPING + instead * bool((abnormal.dof > 0).any())
        if days is not None and not lumped:
            return told if (np.diff(days) < len(data.window)).any() else ""
        dates, groups = date_numbers(data.with_car.covered_dates), date_groups(data)
        known = np.where(dates == NOT_A_DATE, np.iinfo(np.int64).max, dates)
        first = np.full(int(groups.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        last = np.full(len(first), NOT_A_DATE)
        np.minimum.at(first, groups, known.min(axis=1))
        np.maximum.at(last, groups, dates.max(axis=1))
        order = np.argsort(first, kind="stable")
        shared = (first[order][1:] <= np.maximum.accumulate(last[order])[:-1]).any()
        return told if shared else ""

    return memo(data, "overlap_note", compute)


def misled_by_halts(data: TestInput) -> str:
    """Say that first returns after halts span days of other dates' events; "" where hardly any does."""
    used = data.with_car
    reach = used.abnormal.reach(used.cols)
    if reach is None or np.count_nonzero(reach) < HALTED * len(reach) or not overlap_note(data):
        return ""
    return (
        f"after a halt, the first return of {np.count_nonzero(reach)} of {len(reach)} events spans days of "
        "other events, and this test ignores the resulting correlation; adjusted_bmp and filtered_t do not"
    )


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
        *([misled] if misled else []),
        *([overlap_note(data)] if test.by_relative_day else []),
        *([f"{gone} event{'s' if gone > 1 else ''} without residual variance left out"] if gone else []),
    ]
