"""EventSample: the only place where dates become rows."""

from eventstudy.sample.layout import EventArrays, Missing, Regressor, check_missing, factor_row
from eventstudy.sample.sample import EventSample, check_windows

__all__ = [
    "EventArrays",
    "EventSample",
    "Missing",
    "Regressor",
    "check_missing",
    "check_windows",
    "factor_row",
]
