"""Small helpers for text: plurals, times, control characters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

__all__ = ["format_p", "format_time", "plural", "some_text", "strip_control"]

# Control characters, halves of surrogate pairs and non-characters: XML holds none of them.
_NO_TEXT = (*range(32), *range(127, 160), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_CONTROL = {code: " " if chr(code).isspace() else None for code in _NO_TEXT}


def plural(n: int, what: str) -> str:
    """Write a number of things: ``1 session``, ``2 sessions``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


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
    return text.translate(_CONTROL)
