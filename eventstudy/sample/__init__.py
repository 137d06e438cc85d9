"""EventSample: the only place where dates become rows."""

from eventstudy.sample.event_arrays import EventArrays, Missing, Regressor, Rows, check_missing
from eventstudy.sample.exclusion import read_dates
from eventstudy.sample.grouped_arrays import (
    SharedArrays,
    SharedWindows,
    event_positions,
    nonzero_rows,
    shared_arrays,
    shared_windows,
    stacks,
    window_design,
)
from eventstudy.sample.named_series import check_factors
from eventstudy.sample.own_windows import (
    Asked,
    DateWindow,
    OwnWindows,
    asked_windows,
    dated_windows,
    refuse_window_columns,
)
from eventstudy.sample.placement import check_windows
from eventstudy.sample.sample import EventSample

__all__ = [
    "Asked",
    "DateWindow",
    "EventArrays",
    "EventSample",
    "Missing",
    "OwnWindows",
    "Regressor",
    "Rows",
    "SharedArrays",
    "SharedWindows",
    "asked_windows",
    "check_factors",
    "check_missing",
    "check_windows",
    "dated_windows",
    "event_positions",
    "nonzero_rows",
    "read_dates",
    "refuse_window_columns",
    "shared_arrays",
    "shared_windows",
    "stacks",
    "window_design",
]
