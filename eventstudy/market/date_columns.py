"""Benchmarks that come as tables → Series by date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from eventstudy.column_names import find_column, plain_name
from eventstudy.errors import DataError
from eventstudy.interop import ForeignTable, to_pandas
from eventstudy.tabular.frames import Options, read_frame

__all__ = ["Benchmark", "LaidBenchmark", "dated_benchmark"]

LaidBenchmark = str | pd.Series | Mapping[str, str | pd.Series]
Benchmark = (
    LaidBenchmark | ForeignTable | pd.DataFrame | Mapping[str, str | pd.Series | ForeignTable | pd.DataFrame]
)

#: Columns of an index that is one security: the first of them that is there.
_VALUES = {"prices": ("adj_close", "close"), "returns": ("return", "log_return", "value")}


def dated_benchmark(
    benchmark: Benchmark | None, want: str = "values", timezone: str | None = None, timed: bool = False
) -> LaidBenchmark | None:
    """Return a benchmark, of which tables have become Series and numbers of columns texts.

    Parameters
    ----------
    benchmark
    want : {"prices", "returns", "values"}
        What a table holds.
    timezone, timed
        As for `read_frame`.

    Raises
    ------
    DataError
        If a table does not hold a date and one series of values.
    """
    if isinstance(benchmark, Mapping):
        return {
            str(who): _series(each, f"Benchmark of {who}", want, timezone, timed)
            for who, each in benchmark.items()
        }
    series: LaidBenchmark | None = _series(benchmark, "Benchmark", want, timezone, timed)
    return series


def _series(given: Any, what: str, want: str, timezone: str | None, timed: bool) -> Any:
    given = to_pandas(given, what)
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, pd.DataFrame):
        return given
    if (
        given.columns.nlevels == 1
        and given.shape[1] == 1
        and not isinstance(given.index, pd.RangeIndex | pd.MultiIndex)
    ):
        return given.iloc[:, 0]
    name = _only_name(given) or "benchmark"
    options = Options(what, want, timezone=timezone, timed=timed, security=name)  # type: ignore[arg-type]
    table = read_frame(given, options)
    found = next(
        (table.fields[f] for f in (*_VALUES.get(want, ()), "value", "close") if f in table.fields), None
    )
    if found is None:
        found = next(iter(table.fields.values()))
    if found.shape[1] != 1:
        raise DataError(
            f"{what}: a table must hold the date and one column of values; beside the date this one has "
            f"{list(found.columns)[:12]}. Select one."
        )
    return found.iloc[:, 0]


def _only_name(frame: pd.DataFrame) -> str | None:
    """Name of the index a table is of: that of its one column of values."""
    if frame.columns.nlevels > 1:
        return None
    date = find_column(frame.columns, ("date",))
    others = [c for c in frame.columns if c != date]
    return (
        str(others[0])
        if len(others) == 1 and plain_name(others[0]) not in ("close", "price", "value")
        else None
    )
