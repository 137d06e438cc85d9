"""Small helpers for text: plurals, times, control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from functools import cache
from typing import Any, cast

__all__ = [
    "MADE_UP_DAY_0",
    "format_p",
    "format_time",
    "in_event_time",
    "minus",
    "none_usable",
    "plural",
    "regex",
    "some_text",
    "strip_control",
]


class _Regex:
    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern, self.flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by copy and pickle
            raise AttributeError(name)
        method = getattr(re.compile(self.pattern, self.flags), name)
        setattr(self, name, method)
        return method


def regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    r"""Return a regular expression that is compiled when it is first used, which many never are.

    Examples
    --------
    >>> regex(r"(\d+) days").sub(r"\1 sessions", "3 days")
    '3 sessions'
    """
    return cast("re.Pattern[str]", _Regex(pattern, flags))


#: The date of day 0 inside a market in event time, whose sessions follow each other day by day.
MADE_UP_DAY_0 = date(1900, 1, 1)
_DATE = regex(r"\b(?:18|19)\d\d-\d\d-\d\d\b")
_TWICE = regex(r"(day [+-]?\d+) \(\1, ")


def in_event_time(text: str) -> str:
    """Write the made-up dates of a market in event time as the relative days they stand for.

    Examples
    --------
    >>> in_event_time("the return of 1899-12-30, the last before 1900-01-01")
    'the return of day -2, the last before day 0'
    """

    def day(found: re.Match[str]) -> str:
        days = (date.fromisoformat(found[0]) - MADE_UP_DAY_0).days
        return f"day {days:+d}" if days else "day 0"

    return _TWICE.sub(r"\1 (", _DATE.sub(day, text))


def minus(text: str) -> str:
    """Write numbers with a minus sign instead of a hyphen.

    Examples
    --------
    >>> minus(f"{-0.0751:.2%}")
    '−7.51%'
    """
    return text.replace("-", "−")


def plural(n: int, what: str) -> str:
    """Write a number of things: ``1 session``, ``2 sessions``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def none_usable(n: int) -> str:
    """Begin the message that no event can be used.

    Examples
    --------
    >>> none_usable(1), none_usable(2)
    ('The event cannot be used:', 'None of the 2 events can be used:')
    """
    return "The event cannot be used:" if n == 1 else f"None of the {plural(n, 'event')} can be used:"


def format_p(p: float, *, equals: bool = False) -> str:
    """Write a p-value: ``0.0123``, and ``< 0.0001`` where it is less; with `equals`, ``= 0.0123``.

    Examples
    --------
    >>> format_p(0.01234), format_p(3e-11), format_p(0.25, equals=True)
    ('0.0123', '< 0.0001', '= 0.2500')
    """
    if p < 1e-4:
        return "< 0.0001"
    return f"= {p:.4f}" if equals else f"{p:.4f}"


def format_time(moment: datetime) -> str:
    """Write a day as a day, and a moment within one with its time: ``2019-05-22``, ``2019-05-22 10:31``."""
    if moment.time() == time(0):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def some_text(texts: Iterable[object]) -> bool:
    """Say whether any label is written; a column without any may be one of missing numbers."""
    return any(isinstance(each, str) and each for each in texts)


def strip_control(text: str) -> str:
    """Return text without control characters, which no page can hold; tabs and line ends become spaces."""
    return text.translate(_control())


@cache
def _control() -> dict[int, str | None]:
    # Control characters, halves of surrogate pairs and non-characters: XML holds none of them.
    no_text = (*range(32), *range(127, 160), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    return {code: " " if chr(code).isspace() else None for code in no_text}
