"""EventSample: the only place where dates become rows."""

from eventstudy.sample.factor_sets import check_factors
from eventstudy.sample.layout import EventArrays, Missing, Regressor, Rows, check_missing
from eventstudy.sample.placement import check_windows
from eventstudy.sample.sample import EventSample
from eventstudy.sample.shared import (
    SharedArrays,
    SharedWindows,
    places,
    positions,
    shared_arrays,
    shared_windows,
    stacks,
    window_design,
)

__all__ = [
    "EventArrays",
    "EventSample",
    "Missing",
    "Regressor",
    "Rows",
    "SharedArrays",
    "SharedWindows",
    "check_factors",
    "check_missing",
    "check_windows",
    "places",
    "positions",
    "shared_arrays",
    "shared_windows",
    "stacks",
    "window_design",
]
