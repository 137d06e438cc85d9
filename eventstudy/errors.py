"""Errors and warnings: each says what is wrong, where, and what to do about it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = [
    "CalendarError",
    "CalendarWarning",
    "DataError",
    "DataWarning",
    "EventError",
    "EventStudyError",
    "EventStudyWarning",
    "ExcludedEventsWarning",
    "IncompleteWindowWarning",
    "LumpedReturnWarning",
    "MissingBenchmarkWarning",
    "MissingExtraError",
    "ModelError",
    "NaiveTimeError",
    "NightVarianceWarning",
    "NoUsableEventsError",
    "OverlapWarning",
    "PriceLimitWarning",
    "RequestError",
    "SuspectDataWarning",
    "WindowError",
    "heard",
    "warn",
]


class EventStudyError(Exception):
    """Base of every error this library raises on purpose."""


class DataError(EventStudyError, ValueError):
    """Prices, returns, benchmark or factors cannot be used as they are."""


class EventError(EventStudyError, ValueError):
    """An event list is malformed."""


class NaiveTimeError(EventError):
    """An announcement time carries no time zone, so its session is unknown."""


class CalendarError(EventStudyError, ValueError):
    """An exchange calendar is unknown, or a time lies outside of it."""


class WindowError(EventStudyError, ValueError):
    """A window is malformed, or windows overlap that may not."""


class ModelError(EventStudyError, ValueError):
    """A normal-return model is misspecified or lacks what it needs."""


class NoUsableEventsError(EventStudyError, ValueError):
    """Not one event of a study can be used; the message gives each reason.

    Attributes
    ----------
    excluded : DataFrame, optional
        Of `EventStudy.fit`, the events: security, label, reason; index event_id.
    """

    excluded: Any = None


class RequestError(EventStudyError, ValueError):
    """What was asked for does not exist or cannot be used: an event, test, window, option or market."""


class MissingExtraError(EventStudyError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


class EventStudyWarning(UserWarning):
    """Base of every warning this library issues."""


class DataWarning(EventStudyWarning):
    """Suspicious data that is used all the same."""


class SuspectDataWarning(DataWarning):
    """Data in the windows of events looks wrong; `results.suspects` lists it."""


class MissingBenchmarkWarning(DataWarning):
    """The benchmark or a factor is missing on days of an event window."""


class NightVarianceWarning(DataWarning):
    """The variance of a night or break in an event window cannot be estimated."""


class CalendarWarning(EventStudyWarning):
    """Data and exchange calendar disagree."""


class ExcludedEventsWarning(EventStudyWarning):
    """Some events could not be used; `results.excluded` lists them."""


class IncompleteWindowWarning(EventStudyWarning):
    """The returns of some events do not cover their event windows."""


class LumpedReturnWarning(EventStudyWarning):
    """A return inside an event window spans several sessions."""


class OverlapWarning(EventStudyWarning):
    """Events of one security lie so close that their windows touch."""


class PriceLimitWarning(EventStudyWarning):
    """A security closed at its daily price limit inside an event window."""


Told = list[tuple[type[EventStudyWarning], str]]
#: Lists that every warning goes to, and whether it goes nowhere else.
_HEARD: ContextVar[tuple[tuple[Told, ...], bool]] = ContextVar("heard", default=((), False))


def warn(message: str, category: type[EventStudyWarning] = EventStudyWarning) -> None:
    """Issue `message` as a warning that points at the first line outside this package."""
    listeners, quietly = _HEARD.get()
    for listener in listeners:
        listener.append((category, message))
    if quietly:
        return
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("eventstudy."):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth)


@contextmanager
def heard(quietly: bool = False) -> Iterator[Told]:
    """Collect the category and message of each warning that `warn` issues inside a with block.

    Where `quietly`, they go nowhere else: whoever asked issues them, as from another thread or process.
    """
    found: Told = []
    listeners, quiet = _HEARD.get()
    token = _HEARD.set(((found,), True) if quietly else ((*listeners, found), quiet))
    try:
        yield found
    finally:
        _HEARD.reset(token)
