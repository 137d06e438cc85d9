"""Zones, clock times and sessions (before the opening, after the close) in the words of event lists."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from eventstudy.errors import EventError

__all__ = ["check_zone", "clock_of", "fixed_offset", "session_of"]

#: UTC+8, GMT-04:00: people mean hours east, POSIX hours west.
_OFFSET = re.compile(
    r"(?<![/A-Za-z])\s*(?:UTC|GMT|Z)\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?\s*$", re.IGNORECASE
)
#: Zones of the tz database that keep winter time all year, and what is meant by them.
_WINTER = {
    "EST": "America/New_York",
    "MST": "America/Denver",
    "HST": "Pacific/Honolulu",
    "EST5": "America/New_York",
}
_AFTER = re.compile(
    r"amc|after[ -]?(market|hours|close|the close|market close|mkt)|post[ "
    r"-]?market|post|pm|ac|盘后|收盘后|"
    r"time-after-hours"
)
_BEFORE = re.compile(
    r"bmo|before[ -]?(market|open|the open|market open|mkt|hours)|pre[ "
    r"-]?market|pre|am|bo|盘前|开盘前|"
    r"time-pre-market"
)
_DURING = re.compile(r"dmh|dmt|during( market)?( hours| trading)?|intraday|during market hours|盘中")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp])?\.?[Mm]?\.?")


def check_zone(name: str, where: str) -> ZoneInfo:
    """Return a time zone, or raise an EventError that says `where` its name stands."""
    if name in _WINTER:
        raise EventError(
            f"{where}: {name!r} is winter time all year; in summer it is an hour off. Write "
            f"{_WINTER[name]!r}."
        )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise EventError(
            f"{where}: {name!r} is not a time zone; use an IANA name such as 'America/New_York'."
        ) from None


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


def clock_of(value: Any) -> pd.Timedelta | None:
    """Return the time of day that a cell holds, None if it holds none."""
    if hasattr(value, "hour") and not isinstance(value, pd.Timestamp):
        return pd.Timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if isinstance(value, pd.Timedelta):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # SAS and Stata keep seconds since midnight.
        return pd.Timedelta(seconds=float(value)) if 0 <= float(value) < 86_400 else None
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
