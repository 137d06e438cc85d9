"""In which order dates give day, month and year, as the dates themselves show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import EventStudyError

__all__ = ["PIVOT", "refuse_swapped", "year_is_first"]

#: Dates, and weekends among them, from which on chance does not explain their order or weekdays.
MANY = 10
#: Years of two digits from which on they are of the last century.
PIVOT = 69
#: How many times as long dates read in the wrong order span, at least.
FAR = 4
#: The least span of the days of months among several dates.
DAYS_APART = 12
#: A day of the month that many dates reach, and the years of two digits not for long.
LATE = 28
#: Dates from which on chance does not put them in order.
SEVERAL = 6


def year_is_first(cells: npt.NDArray[np.int_]) -> bool | None:
    """Whether dates of three numbers of two digits begin with the year; None where it cannot be told.

    The order in which they stand decides, then years to come, then the years that they span, as a day taken
    for a year makes three decades of a few months. The last day of each month is such a year too, so many
    days of other months must be seen.

    Parameters
    ----------
    cells : array, shape (N, 3)
        Numbers of each date, which may be year, month and day, or day, month and year.
    """
    first, month, third = cells.T
    if first.max() > 31 or first.min() < 1:
        return True
    first, month, third = pd.DataFrame(cells).drop_duplicates().to_numpy().T
    n = len(first)
    spans, ordered, ahead = [], [], []
    for year, day in ((first, third), (third, first)):
        years = year + np.where(year >= PIVOT, 1900, 2000)
        count = 372 * years + 31 * month + day
        steps = np.diff(count)
        spans.append(int(np.ptp(count)))
        ordered.append(n >= SEVERAL and bool((steps > 0).all() or (steps < 0).all()))
        ahead.append(int(years.max()) > pd.Timestamp.now().year + 1)
    if ordered[0] != ordered[1]:
        return ordered[0]
    if ahead[0] != ahead[1]:
        return ahead[1]
    if n == 1 or max(spans) < FAR * min(spans):
        return None
    day = third if spans[0] < spans[1] else first
    late = day.max() >= LATE
    if spans[1] < spans[0]:
        return False if late or n < MANY else None
    return True if late and n >= SEVERAL and np.ptp(third) >= DAYS_APART else None


def refuse_swapped(stamps: pd.DatetimeIndex, where: str, error: type[EventStudyError]) -> None:
    """Refuse days of which some have day and month swapped, as their order or their weekends show."""
    days = stamps[stamps.notna()]
    if len(days) < MANY or (days.is_monotonic_increasing and (days.day_of_week < 5).all()):
        return
    days = days.unique()
    either = np.asarray(days.day <= 12)
    other = pd.to_datetime(
        pd.DataFrame(
            {
                "year": days.year,
                "month": np.where(either, days.day, days.month),
                "day": np.where(either, days.month, days.day),
            }
        )
    )
    back = pd.DatetimeIndex(other)
    ordered = [each.is_monotonic_increasing or each.is_monotonic_decreasing for each in (days, back)]
    weekends = [int((each.day_of_week > 4).sum()) for each in (days, back)]
    if len(days) < MANY or not (ordered == [False, True] or (weekends[0] >= MANY and weekends[1] == 0)):
        return
    at = int(np.argmax(either & np.asarray(days.day != days.month)))
    raise error(
        f"{where}: day and month of some dates are swapped: with {days[at]:%Y-%m-%d} read as "
        f"{back[at]:%Y-%m-%d}, and so on, "
        + ("the dates are in order" if ordered == [False, True] else "none falls on a weekend")
        + ". A spreadsheet that takes 03/04/2019 for 4 March does so: read the file anew, the dates as texts."
    )
