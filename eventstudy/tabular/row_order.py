"""Rows of a table: none blank, one per day, in order of time."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import IntArray
from eventstudy.column_names import plain_name
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.tabular.columns import Options
from eventstudy.tabular.days import days_of
from eventstudy.text import format_time

__all__ = ["in_order", "keep_one", "refuse_odd_columns", "without_blank_rows", "without_row_numbers"]

#: Share of the rows from which on a value is worth choosing.
LEAST = 0.2
#: Plain names that a saved index bears.
ROW_NUMBERS = ("", "index", "unnamed0", "level0", "row", "rowname", "rownames", "rownumber", "x")


def in_order(frame: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Return unique rows in order of time."""
    frame.index = pd.DatetimeIndex(frame.index, name="time" if options.timed else "date")
    if options.in_file and not frame.index.is_unique:
        # Pages repeat the row of the last day.
        frame = frame[~(frame.index.duplicated() & frame.reset_index().duplicated().to_numpy())]
    if not frame.index.is_unique:
        day = frame.index[frame.index.duplicated()][0]
        both = frame.loc[day]
        timed = day != day.normalize()
        what = "time" if timed else "day"
        cure = f"Keep one row per {what}, e.g. frame[~frame.index.duplicated(keep='last')]"
        if not bool((both.to_numpy()[1:] == both.to_numpy()[:1]).all()):
            cure = f"The rows differ; look at them, then keep one: {cure[0].lower()}{cure[1:]}"
        if timed:
            cure += (
                ". An hour that came twice, as clocks went back, needs its zone: "
                "frame.tz_localize('America/New_York', ambiguous='infer')"
            )
        raise DataError(
            f"{options.what}: the {'time' if timed else 'date'} {format_time(day)} stands "
            f"{int((frame.index == day).sum())} times. {cure}."
        )
    if not frame.index.is_monotonic_increasing:
        days = pd.DatetimeIndex(frame.index)
        if not options.in_file:
            step = int(np.argmax(days[1:] < days[:-1]))
            warn(
                f"{options.what}: dates are out of order ({days[step + 1]:%Y-%m-%d} comes after "
                f"{days[step]:%Y-%m-%d}); sorted by date.",
                DataWarning,
            )
        frame = frame.sort_index()
    return frame


def keep_one(
    body: pd.DataFrame, cell: IntArray, who: str, date: str, fields: Mapping[Any, str]
) -> tuple[int, str]:
    """Return a duplicate row, and how to keep one of each, by what tells such rows apart.

    Parameters
    ----------
    body : DataFrame
        Without its column of dates.
    cell : array
        Number of the security and day of each row.
    who, date : str
        Columns of securities and of dates.
    fields : mapping of column to field
        Columns that are used.
    """
    used = body[list(fields)].astype(str).assign(cell=cell)
    kept = used.drop_duplicates()
    unequal = kept["cell"].duplicated().to_numpy()
    numbers = np.flatnonzero(~used.duplicated().to_numpy())
    row = int(numbers[unequal][0] if unequal.any() else np.argmax(pd.Series(cell).duplicated().to_numpy()))
    rows = body[cell == cell[row]]
    apart = [column for column in rows if len(set(rows[column].astype(str))) > 1]
    alone = f"frame.drop_duplicates([{date!r}, {who!r}])"
    if not apart:
        return row, f"They are equal: {alone}"
    if not unequal.any():
        return row, f"They differ in {_listed(apart)} alone, of which nothing is used: {alone}"
    kinds = [c for c in apart if c not in fields and not pd.api.types.is_float_dtype(rows[c])]
    for kind in kinds:
        count = body[kind].value_counts()
        value = max(rows[kind].dropna(), key=lambda one: count[one], default=None)
        if value is not None and count[value] >= LEAST * len(body):
            value = value.item() if isinstance(value, np.generic) else value
            chosen = f"frame[frame[{str(kind)!r}] == {value!r}]"
            return row, f"They differ in {str(kind)!r}: choose one, e.g. {chosen}"
    return row, f"They differ in {_listed(apart)}; look at them, then keep one row per security and day"


def _listed(columns: list[Any]) -> str:
    return ", ".join(map(repr, map(str, columns[:4])))


def refuse_odd_columns(frame: pd.DataFrame, options: Options) -> None:
    """Refuse a table whose days stand in the columns, saying how to turn it.

    Raises
    ------
    DataError
        If it is such a table.
    """
    columns = list(frame.columns)
    first = next((k for k, name in enumerate(columns[:4]) if _is_day(name)), None)
    if first is None or len(columns) < first + 3 or not all(map(_is_day, columns[first:])):
        return
    held = [str(name) for name in columns[:first]]
    if options.in_file:
        cure = f"pd.read_csv(path, index_col={list(range(first)) if first > 1 else 0}).T"
    else:
        cure = f"frame.set_index({held if first > 1 else held[0]!r}).T" if first else "frame.T"
    raise DataError(
        f"{options.what}: the days stand in the columns, from {str(columns[first])[:10]!r} to "
        f"{str(columns[-1])[:10]!r}, and are needed in rows. Turn the table and give it to "
        f"Market.from_prices: {cure}."
    )


def _is_day(name: Any) -> bool:
    """Whether the name of a column is a day; numbers of eight digits may be."""
    if isinstance(name, (pd.Timestamp, datetime.date, np.datetime64)):
        return True
    text = str(name).strip()
    if not re.match(r"\d{1,4}[-./]|\d{8}$|\d{1,2} ?[A-Za-z]{3}", text):
        return False
    try:
        days_of(pd.Series([text], dtype=object), "")
    except DataError as problem:
        return "cannot be told apart" in str(problem)
    return True


def without_row_numbers(frame: pd.DataFrame, date: Any) -> tuple[pd.DataFrame, list[str]]:
    """Leave out columns that count the rows, as a saved index does; returns their names too."""
    count = np.arange(len(frame))
    counting = []
    for column in frame.columns:
        if column == date or plain_name(column) not in ROW_NUMBERS:
            continue
        numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        if len(count) > 2 and any(np.array_equal(np.sort(numbers), count + first) for first in (0, 1)):
            counting.append(column)
    if not counting:
        return frame, []
    return frame.drop(columns=counting), [str(column) for column in counting]


def without_blank_rows(frame: pd.DataFrame, date: Any) -> pd.DataFrame:
    """Leave out rows that hold nothing, such as the last ones of a spreadsheet."""
    if not pd.api.types.is_object_dtype(frame[date]) and not pd.api.types.is_string_dtype(frame[date]):
        return frame
    rows = np.arange(len(frame))
    for name in (date, *frame.columns.drop(date)):
        # Few rows are left after the dates.
        cells = frame[name].iloc[rows]
        texts = cells.to_numpy(dtype=object)
        empty = np.fromiter((isinstance(cell, str) and not cell.strip() for cell in texts), bool, len(rows))
        rows = rows[empty | cells.isna().to_numpy()]
        if not len(rows):
            return frame
    return frame[~np.isin(np.arange(len(frame)), rows)]
