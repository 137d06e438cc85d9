"""Counts of days whose origin the numbers leave open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import EventStudyError
from eventstudy.text import regex

__all__ = ["COUNTED", "refuse_open_origin", "refuse_times_to_come"]

#: What tells errors about counts from those about cells that hold something else.
COUNTED = regex(r" counts (?:days|time)|Counts of days")
#: Who counts days from where.
EXCEL, OTHERS = (
    ("Excel", pd.Timestamp("1899-12-30")),
    (("SAS and Stata", pd.Timestamp("1960-01-01")), ("R, polars and arrow", pd.Timestamp("1970-01-01"))),
)
#: How many fewer weekends Excel's count must have than another to be taken for it.
FEWER = 3
#: How far ahead announcements are listed.
AHEAD = pd.Timedelta(days=366)


def refuse_open_origin(values: npt.NDArray[np.float64], where: str, error: type[EventStudyError]) -> None:
    """Refuse counts that Excel has for days of sixty years ago and others for days up to now.

    The weekdays tell where there are several: trade and announcements avoid weekends.

    Parameters
    ----------
    values : array
        Counts of days in the reach of Excel's.
    where : str
        What they are, for messages.
    error : type
        Error to raise.

    Raises
    ------
    error
        If another origin is as likely by the weekdays.
    """
    last = pd.Timestamp.now() + AHEAD
    open_ = [(name, start) for name, start in OTHERS if start + pd.Timedelta(days=values.max()) <= last]
    if not open_:
        return
    ends = {start: _weekends(start, values) for _, start in [EXCEL, *open_]}
    if all(ends[EXCEL[1]] + FEWER <= ends[start] for _, start in open_):
        return
    least = min(open_, key=lambda each: ends[each[1]])[1]
    shown = ", ".join(
        f"{start + pd.Timedelta(days=int(values[0])):%Y-%m-%d} in {name} (from {start:%Y-%m-%d}"
        + (f"; {ends[start]} of {len(values)} on a weekend)" if len(values) > 1 else ")")
        for name, start in [*open_, EXCEL]
    )
    raise error(
        f"{where}: {values[0]:g} counts days, and the numbers leave open from when: {shown}. Say which it "
        f"is, such as pd.to_datetime(column, unit='D', origin='{least:%Y-%m-%d}')."
    )


def refuse_times_to_come(
    stamps: pd.DatetimeIndex, values: npt.NDArray[np.float64], where: str, error: type[EventStudyError]
) -> None:
    """Refuse seconds since 1960, as SAS and Stata count them, which would lie ahead if they were since 1970.

    Parameters
    ----------
    stamps : DatetimeIndex
        The times, if counted since 1970.
    values : array
        The counts, for messages.
    where : str
        What they are.
    error : type
        Error to raise.

    Raises
    ------
    error
        If the last of the times lies more than a year ahead.
    """
    latest = stamps.tz_localize(None).max()
    if latest <= pd.Timestamp.now() + AHEAD:
        return
    spent = latest - pd.Timestamp("1970-01-01")
    raise error(
        f"{where}: {values.max():.0f} counts time to {latest:%Y-%m-%d}, if since 1970. SAS and Stata count "
        f"since 1960, which gives {OTHERS[0][1] + spent:%Y-%m-%d}. Say which it is, such as "
        "pd.Timestamp('1960-01-01') + pd.to_timedelta(column, unit='s'), or 'ms' in Stata."
    )


def _weekends(start: pd.Timestamp, values: npt.NDArray[np.float64]) -> int:
    return int((np.asarray((start + pd.to_timedelta(np.floor(values), unit="D")).day_of_week) > 4).sum())
