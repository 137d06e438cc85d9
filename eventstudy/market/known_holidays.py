"""Which exchange was closed on the days that a column lacks."""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray
from eventstudy.calendars import Exchange
from eventstudy.errors import CalendarError

__all__ = ["exchange_closed_on", "nearly_every_weekday"]

#: Exchanges whose holidays are compared: those with most listed shares of which the calendar is built fast.
#: Others of the same country or holidays count with them.
KNOWN = (
    "XNYS", "XHKG", "XSHG", "XTKS", "XLON", "XETR", "XPAR", "XSWX", "XTSE", "XASX", "XBOM", "XTAI", "XSES",
)  # fmt: skip
#: Those that trade on Sundays.
ON_SUNDAYS = ("XSAU", "XTAE")
#: A table of at least so many weekdays that lacks at most this share of them is not that of an exchange.
LONG, LACKS = 60, 0.01
#: How seldom chance may put a column's missing days on all holidays of one of these exchanges.
CHANCE = 1e-3
#: Holidays from which on one may be missing among them: data errs, and so do calendars.
MANY = 8
#: The longest holiday, the fewest holidays of a year of any of these exchanges (that of Frankfurt in 2022 had
#: Easter and Christmas), and rows of a year that has all its weekdays.
LONGEST, YEARLY, YEAR = 10, 2, 262
#: First year of the calendars, unless the data begin earlier.
SINCE = 2000
#: Missing days from which on those of one column may be holidays, and the largest share that they can be.
FEWEST, MOST = 2, 0.4


def exchange_closed_on(
    shut: BoolArray, inside: BoolArray, index: pd.DatetimeIndex, several: bool = False
) -> tuple[str, BoolArray] | None:
    """Return the exchange whose holidays fit best, and which rows are its holidays; None where none fits.

    Parameters
    ----------
    shut : array of bool, shape (T,)
        Days on which a column lacks a value, or stands still.
    inside : array of bool, shape (T,)
        Days between its first and last value on which anything trades.
    index : DatetimeIndex, length T
    several : bool
        Whether the days are those of several columns, for which a single holiday will do.
    """
    if shut.sum() < (1 if several else FEWEST) or shut.sum() > MOST * inside.sum():
        return None
    days = index[inside]
    if not _may_be_holidays(shut[inside], several):  # calendars take long to build
        return None
    best: tuple[str, BoolArray] | None = None
    most = 0
    for code in (*KNOWN, *(ON_SUNDAYS if (days.day_of_week == 6).any() else ())):
        sessions = _sessions(code, days[0].year, days[-1].year)
        if sessions is None:
            continue
        closed = inside & ~index.isin(sessions)
        n, hit = int(closed.sum()), int((closed & shut).sum())
        if n == 0 or hit <= most or n - hit > (n >= MANY):
            continue
        others = int(shut.sum()) - hit
        chance = len(KNOWN) * ((others + 0.5) / (len(days) - hit + 1.0)) ** hit
        if chance < CHANCE or (several and others == 0):
            best, most = (code, np.asarray(~index.isin(sessions))), hit
    return best


def nearly_every_weekday(days: pd.DatetimeIndex) -> bool:
    """Whether something trades on nearly every weekday for months, which happens on no exchange."""
    if len(days) < LONG:
        return False
    weekdays = pd.bdate_range(days[0], days[-1])
    return bool((~weekdays.isin(days)).sum() <= LACKS * len(weekdays))


def _may_be_holidays(shut: BoolArray, several: bool) -> bool:
    """Whether days on which a column is shut are as short, as frequent and as unlikely as holidays."""
    change = np.flatnonzero(np.diff(shut, prepend=False, append=False))
    length = change[1::2] - change[::2]
    short = length[length <= LONGEST]
    if not len(short) or len(short) < YEARLY * (len(shut) // YEAR) - 1:
        return False
    hit = int(short.sum())
    return several or bool(len(KNOWN) * (0.5 / (len(shut) - hit + 1.0)) ** hit < CHANCE)


def _sessions(code: str, first: int, last: int) -> pd.DatetimeIndex | None:
    """Sessions from one year to another, or None where the calendar does not reach so far."""
    # One span for all, so that the sessions are picked out of the calendar once.
    sessions = _made(code, min(first, SINCE), max(last, pd.Timestamp.now().year))
    if sessions is None:
        return _made(code, first, last)
    begin, end = sessions.searchsorted([pd.Timestamp(first, 1, 1), pd.Timestamp(last + 1, 1, 1)])
    return sessions[begin:end]


@lru_cache(maxsize=256)
def _made(code: str, first: int, last: int) -> pd.DatetimeIndex | None:
    try:
        with warnings.catch_warnings():
            # The user did not ask for a calendar here, so its warnings would not help.
            warnings.simplefilter("ignore")
            return Exchange(code).sessions(pd.Timestamp(first, 1, 1), pd.Timestamp(last, 12, 31))
    except CalendarError:
        return None
