"""Zones, clock times and sessions (before the opening, after the close) in the words of event lists."""

from __future__ import annotations

import re
from contextlib import suppress
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from eventstudy.errors import EventError
from eventstudy.text import regex

__all__ = ["check_zone", "clock_of", "clocks_of", "fixed_offset", "session_of", "truth_of"]

#: UTC+8, GMT-04:00: people mean hours east, POSIX hours west.
_OFFSET = regex(r"(?<![/A-Za-z])\s*(?:UTC|GMT|Z)\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?\s*$", re.IGNORECASE)
#: Zones of the tz database that keep winter time all year, and what is meant by them.
_WINTER = {
    "EST": "America/New_York",
    "MST": "America/Denver",
    "HST": "Pacific/Honolulu",
    "EST5": "America/New_York",
}
#: Words for a time of day that is not known.
UNKNOWN = (
    "",
    "nan",
    "nat",
    "none",
    "--",
    "-",
    "tbd",
    "tas",
    "tns",
    "time-not-supplied",
    "unspecified",
    "unknown",
)
_AFTER = regex(
    r"amc|aft(?:er)?[ -]?(market|hours|close|the close|market close|mkt)|post[ "
    r"-]?market|post|pm|ac|盘后|收盘后|"
    r"time-after-hours"
)
_BEFORE = regex(
    r"bmo|bef(?:ore)?[ -]?(market|open|the open|market open|mkt|hours)|pre[ "
    r"-]?market|pre|am|bo|盘前|开盘前|"
    r"time-pre-market"
)
_DURING = regex(r"dmh|dmt|during( market)?( hours| trading)?|intraday|during market hours|盘中")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "y", "t", "1", "1.0"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0", "0.0"), False),
}
_CLOCK = regex(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp])?\.?[Mm]?\.?")


def check_zone(name: str, where: str) -> ZoneInfo:
    """Return a time zone, or raise an EventError that says `where` its name stands."""
    if not isinstance(name, str):
        raise EventError(
            f"{where} must be an IANA name such as 'America/New_York', got {type(name).__name__} {name!r}. "
            "An offset belongs to each time: '2019-05-21 19:00-04:00'."
        )
    if name in _WINTER:
        raise EventError(
            f"{where}: {name!r} is winter time all year; in summer it is an hour off. Write "
            f"{_WINTER[name]!r}."
        )
    if name != "localtime":  # a file of this machine, with another zone elsewhere
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    raise EventError(f"{where}: {name!r} is not a time zone; use an IANA name such as 'America/New_York'.")


def fixed_offset(text: str) -> str | None:
    """Return a text that ends in UTC+8 or the like with an ISO offset in its place, None if it does not."""
    found = _OFFSET.search(text)
    if found is None:
        return None
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > 14:
        return None
    return f"{text[: found.start()].rstrip()}{found[1]}{hours:02d}:{minutes:02d}"


def session_of(value: Any) -> str | None:
    """Return ``"before"``, ``"during"`` or ``"after"`` for a word that says when in a day, else None."""
    text = " ".join(str(value).strip().lower().replace("_", " ").split())
    for name, pattern in (("after", _AFTER), ("before", _BEFORE), ("during", _DURING)):
        if pattern.fullmatch(text):
            return name
    return None


def truth_of(value: Any) -> bool | None:
    """Return the truth value that a cell stands for, such as 1, yes or True, else None."""
    return _TRUTH.get(str(value).strip().lower())


def clocks_of(column: pd.Series, where: str, seconds: bool = False) -> tuple[list[Any], str] | None:
    """Read a column of times of day: clocks, or numbers whose unit the whole column shows.

    Parameters
    ----------
    column : Series
    where : str
        What it is, for messages.
    seconds : bool
        Whether numbers are known to be seconds since midnight, as SAS and Stata keep them.

    Returns
    -------
    clocks : list of Timedelta or None
    unit : str
        Of numbers, else empty.

    Raises
    ------
    EventError
        If numbers may be seconds as well as hours, minutes and seconds.
    """
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return None
    if pd.api.types.is_timedelta64_dtype(column):
        return [None if pd.isna(value) else value for value in column], ""
    numbers = pd.Series([_number(cell) for cell in column], column.index, dtype=float)
    known = numbers.dropna()
    if known.empty or not column[numbers.isna()].map(_unknown).all():
        return [clock_of(value) for value in column], ""
    whole = bool((known % 1 == 0).all())
    minutes = bool((known % 100 < 60).all())
    as_clock = whole and minutes and bool((known // 100 % 100 < 60).all()) and known.max() < 240_000
    if seconds:
        unit = "seconds" if known.between(0, 86_399).all() else ""
    elif known.min() < 0 or known.max() >= 240_000:
        unit = ""
    elif not whole:
        unit = "parts of a day" if known.max() < 1 else ""
    elif known.max() < 24:
        unit = "hours"
    elif known.max() < 2400:
        unit = "hhmm" if minutes else ""
    elif known.max() > 86_399:
        unit = "hhmmss" if as_clock else ""
    elif not as_clock:
        unit = "seconds"
    else:
        first = known.iloc[0]
        raise EventError(
            f"{where}: {first:g} may be {pd.Timedelta(seconds=first)!s:.15} in seconds since midnight, or a "
            "clock without colons. Write times as 16:30:00."
        )
    read = {
        "seconds": lambda v: pd.Timedelta(seconds=v),
        "parts of a day": lambda v: pd.Timedelta(days=v).round("s"),
        "hours": lambda v: pd.Timedelta(hours=v),
        "hhmm": lambda v: pd.Timedelta(hours=v // 100, minutes=v % 100),
        "hhmmss": lambda v: pd.Timedelta(hours=v // 10_000, minutes=v // 100 % 100, seconds=v % 100),
    }.get(unit)
    return None if read is None else ([None if pd.isna(v) else read(v) for v in numbers], unit)


def _number(cell: Any) -> float:
    """Return a number, also one of three to six digits in a text; NaN for anything else."""
    if isinstance(cell, str):
        return float(cell) if re.fullmatch(r"\s*\d{3,6}\s*", cell) else float("nan")
    return float(cell) if isinstance(cell, Real) and not isinstance(cell, bool) else float("nan")


def _unknown(cell: Any) -> bool:
    return bool(pd.isna(cell)) or str(cell).strip().lower() in UNKNOWN


def clock_of(value: Any) -> pd.Timedelta | None:
    """Return the time of day that a cell holds, None if it holds none."""
    if hasattr(value, "hour") and not isinstance(value, pd.Timestamp):
        return pd.Timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if isinstance(value, pd.Timedelta):
        return value
    found = _CLOCK.fullmatch(str(value).strip())
    if found is None:
        return None
    hour, half = int(found[1]), (found[4] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    if hour > 23 or int(found[2]) > 59:
        return None
    return pd.Timedelta(hours=hour, minutes=int(found[2]), seconds=int(found[3] or 0))
