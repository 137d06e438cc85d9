"""Files and cells: CSV, Excel and Parquet → columns as they stand; texts → days and numbers, or an error."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.optional import import_optional

__all__ = ["RawTable", "days_of", "load", "numbers_of"]

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", ".", "nat"})
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
COMMA_DECIMAL = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*")
MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?\s*([+-]\d{2}:?\d{2}|Z)?$")
FORMATS = (
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
    (re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"), "%Y.%m.%d"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
    (re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{4}"), "%d-%b-%Y"),
    (re.compile(r"\d{1,2}[A-Za-z]{3}\d{4}"), "%d%b%Y"),
    (re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}"), "%d %b %Y"),
    (re.compile(r"[A-Za-z]{3} \d{1,2}, \d{4}"), "%b %d, %Y"),
)
EITHER = re.compile(r"(\d{1,2})([/-])(\d{1,2})[/-]\d{4}")


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file.

    Attributes
    ----------
    columns : DataFrame
        Texts, as a rule; Excel and Parquet know dates and numbers. Column names are texts, or pairs of texts.
    decimal : str
        Decimal sign of the numbers.
    content : bytes
        The file.
    """

    columns: pd.DataFrame
    decimal: str
    content: bytes


def load(path: Path, sheet: str | int, encoding: str) -> RawTable:
    """Read a file by its ending: .csv, .txt, .tsv, .xlsx, .xls, .parquet, .pq.

    Raises
    ------
    DataError
        If it cannot be read.
    MissingExtraError
        If Excel or Parquet needs a library that is not installed.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise DataError(f"{str(path)!r} cannot be read: {problem.strerror}.") from problem
    ending = path.suffix.lower()
    if ending in (".parquet", ".pq"):
        return RawTable(_parquet(path.name, content), ".", content)
    if ending in (".xlsx", ".xls", ".xlsm"):
        return RawTable(_excel(path.name, content, sheet), ".", content)
    if ending in (".csv", ".txt", ".tsv"):
        table, decimal = _text(path.name, content, encoding)
        return RawTable(table, decimal, content)
    raise DataError(f"{path.name} ends in {ending!r}; .csv, .txt, .tsv, .xlsx, .xls and .parquet are read.")


def _parquet(name: str, content: bytes) -> pd.DataFrame:
    import_optional("pyarrow", "pyarrow", "scale", "Reading Parquet")
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as problem:  # pyarrow's errors have no common base below Exception
        raise DataError(f"{name} is no Parquet file that can be read: {problem}") from problem
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return frame


def _excel(name: str, content: bytes, sheet: str | int) -> pd.DataFrame:
    if name.lower().endswith(".xls"):
        import_optional("xlrd", "xlrd", "tables", "Reading .xls files of old Excel")
    else:
        import_optional("openpyxl", "openpyxl", "tables", "Reading Excel")
    try:
        frame = pd.read_excel(io.BytesIO(content), sheet_name=sheet, dtype=object)
    except Exception as problem:  # a zip, an XML and a workbook may each be broken in its own way
        raise DataError(f"{name} is no workbook that can be read: {problem}") from problem
    return frame.set_axis([str(column) for column in frame.columns], axis=1)


def _text(name: str, content: bytes, encoding: str) -> tuple[pd.DataFrame, str]:
    try:
        lines = content.decode(encoding).splitlines()
    except (UnicodeDecodeError, LookupError) as problem:
        raise DataError(
            f"{name} cannot be read as {encoding}: {problem}. Pass encoding=, such as 'gb18030' or 'latin-1'."
        ) from problem
    lines = [line for line in lines if line.strip()]
    if len(lines) < 2:
        raise DataError(f"{name} has no rows.")
    separator = max(",;\t|", key=lines[0].count)
    rows = list(csv.reader(lines, delimiter=separator))
    header = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(
                f"{name}: row {number} has {len(row)} cells, the header {len(header)}, counting by the "
                f"separator {separator!r}."
            )
    frame = pd.DataFrame(np.array(rows[1:], dtype=object), columns=header)
    comma = separator != "," and any(COMMA_DECIMAL.fullmatch(cell) for row in rows[1:] for cell in row)
    return frame, "," if comma else "."


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return bool(pd.isna(value))


def numbers_of(column: pd.Series, decimal: str, missing: Iterable[str], where: str) -> pd.Series:
    """Read cells as numbers; what is neither a number nor a sign for a missing one is an error."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.astype("float64")
    codes = {code.strip().lower() for code in missing}
    out = np.full(len(column), np.nan)
    for row, value in enumerate(column):
        if _is_missing(value) or str(value).strip().lower() in codes:
            continue
        text = str(value).strip()
        if decimal == ",":
            text = text.replace(".", "").replace(",", ".")
        elif THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        try:
            out[row] = float(text)
        except ValueError:
            raise DataError(
                f"{where}: {value!r} in row {row + 1} is no number. If it stands for a missing one, pass "
                f"missing=[{str(value)!r}]; if the column is none of prices, columns={{name: 'ignore'}}."
            ) from None
    return pd.Series(out, index=column.index)


def days_of(column: pd.Series, form: str | None, where: str) -> tuple[pd.DatetimeIndex, str]:
    """Read cells as days.

    Returns
    -------
    days : DatetimeIndex
        Naive, in nanoseconds.
    form : str
        Format they were read by.

    Raises
    ------
    DataError
        If a cell is no day, or day and month cannot be told apart.
    """
    if pd.api.types.is_datetime64_any_dtype(column) or all(hasattr(v, "year") for v in column):
        try:
            days = pd.DatetimeIndex(column)
        except (ValueError, TypeError) as problem:
            raise DataError(f"{where}: these are no dates ({problem}).") from problem
        days = days.tz_localize(None).as_unit("ns")
        if days.hasnans or (days != days.normalize()).any():
            raise DataError(f"{where}: a date is missing, or carries a time of day.")
        return days, "dates"
    texts = [str(int(v)) if isinstance(v, float | np.floating) and v == v // 1 else str(v) for v in column]
    texts = [MIDNIGHT.sub("", text.strip()) for text in texts]
    form = form or _format(texts, where)
    try:
        days = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts), format=form)).as_unit("ns")
    except ValueError as problem:
        raise DataError(
            f"{where}: not every cell is a day in the format {form!r} ({str(problem).splitlines()[0]})."
        ) from problem
    return days, form


def _format(texts: list[str], where: str) -> str:
    for pattern, form in FORMATS:
        if pattern.fullmatch(texts[0]):
            return form
    parts = [EITHER.fullmatch(text) for text in texts]
    if not all(parts):
        bad = texts[next(i for i, part in enumerate(parts) if part is None)]
        raise DataError(
            f"{where}: {bad!r} is no day that can be read. Pass date_format=, such as '%d.%m.%Y'."
        )
    sign = texts[0][len(parts[0][1])] if parts[0] else "/"
    first = max(int(part[1]) for part in parts if part)
    second = max(int(part[3]) for part in parts if part)
    if first > 12 >= second:
        return f"%d{sign}%m{sign}%Y"
    if second > 12 >= first:
        return f"%m{sign}%d{sign}%Y"
    raise DataError(
        f"{where}: day and month of {texts[0]!r} cannot be told apart. Pass "
        f"date_format='%d{sign}%m{sign}%Y' or '%m{sign}%d{sign}%Y'."
    )
