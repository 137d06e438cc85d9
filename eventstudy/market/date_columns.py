"""Where the dates of a frame stand; tables of polars and pyarrow, which have no index, as dated frames."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.interop import ForeignTable, is_foreign, to_pandas

__all__ = [
    "DATE_NAMES",
    "Benchmark",
    "LaidBenchmark",
    "dated_benchmark",
    "dated_frame",
    "find_column",
    "plain_name",
]

LaidBenchmark = str | pd.Series | Mapping[str, str | pd.Series]
Benchmark = LaidBenchmark | ForeignTable | Mapping[str, str | pd.Series | ForeignTable]

#: Names of date columns, in the order in which they are looked for.
DATE_NAMES = ("date", "day", "datetime", "session", "time", "timestamp")


def plain_name(name: Hashable) -> str:
    """Return the letters and digits of a column's name, in lower case."""
    return "".join(c for c in str(name).lower() if c.isalnum())


def find_column(columns: pd.Index, names: tuple[str, ...]) -> Hashable | None:
    """Return the column that has the first of some plain names, None if there is none."""
    return next((c for wanted in names for c in columns if plain_name(c) == wanted), None)


def dated_frame(given: Any, what: str) -> Any:
    """Return a table of polars or pyarrow as a pandas frame with a date column; all else as it is.

    The date column is the one called date, day, datetime, session, time or timestamp, in any case and in
    this order; if none is, the first column of dates or times, which is then called date. A table that
    pyarrow made of a pandas frame has its index again.

    Raises
    ------
    DataError
        If no column is a date.
    """
    if not is_foreign(given):
        return given
    frame = to_pandas(given, what)
    if isinstance(frame.index, (pd.DatetimeIndex, pd.MultiIndex)):
        return frame
    if find_column(frame.columns, DATE_NAMES) is not None:
        return frame
    temporal = [c for c, dtype in frame.dtypes.items() if pd.api.types.is_datetime64_any_dtype(dtype)]
    if not temporal:
        raise DataError(
            f"{what}: no column is a date; the columns are {list(frame.columns)}. Name one of them date."
        )
    if len(temporal) > 1:
        warn(
            f"{what}: of the columns of dates {temporal}, {temporal[0]!r} is taken for the date. "
            "If it is another, name that one date.",
            DataWarning,
        )
    return frame.rename(columns={temporal[0]: "date"})


def dated_benchmark(benchmark: Benchmark | None) -> LaidBenchmark | None:
    """Return a benchmark, of which tables of polars and pyarrow have become Series.

    Raises
    ------
    DataError
        If such a table does not hold a date and one other column.
    """
    if isinstance(benchmark, Mapping):
        return {who: _series(each, f"Benchmark of {who}") for who, each in benchmark.items()}
    series: LaidBenchmark | None = _series(benchmark, "Benchmark")
    return series


def _series(given: Any, what: str) -> Any:
    if not is_foreign(given):
        return given
    frame = dated_frame(given, what)
    if not isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.set_index(find_column(frame.columns, DATE_NAMES))
    if frame.shape[1] != 1:
        raise DataError(
            f"{what}: a table must hold the date and one column of values; beside the date this one has "
            f"{list(frame.columns)}. Select one."
        )
    return frame.iloc[:, 0]
