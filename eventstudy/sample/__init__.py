"""EventSample: the only place where dates become rows."""

from eventstudy.sample.factor_sets import check_factors
from eventstudy.sample.layout import EventArrays, Missing, Regressor, check_missing
from eventstudy.sample.sample import EventSample, check_windows

__all__ = [
    "EventArrays",
    "EventSample",
    "Missing",
    "Regressor",
    "check_factors",
    "check_missing",
    "check_windows",
]
