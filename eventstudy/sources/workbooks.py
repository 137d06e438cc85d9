"""Workbooks → the cells of one sheet, within bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import pandas as pd

from eventstudy.errors import DataError
from eventstudy.optional import import_optional

__all__ = ["cells_of_sheet"]

#: Largest workbook that is read, unpacked; a sheet full of prices has some 50 MB.
MOST_BYTES = 2_000_000_000
#: Most cells between the first and the last of a sheet; 5,000 shares of 40 years have 50 million.
MOST_CELLS = 100_000_000

#: What a cell holds whose formula fails.
ERRORS = frozenset(["#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"])


def cells_of_sheet(name: str, content: bytes, sheet: str | int) -> list[list[Any]]:
    """Return the rows of a sheet that hold anything, equally long, with "" for an empty cell.

    Parameters
    ----------
    name : str
        Name of the file.
    content : bytes
        The file.
    sheet : str or int
        Name of the sheet, or its number from 0.

    Raises
    ------
    DataError
        If the file cannot be read, or is larger than `MOST_BYTES` or `MOST_CELLS` allow.
    MissingExtraError
        If the library that reads it is not installed.
    """
    if isinstance(sheet, bool) or not isinstance(sheet, str | int):
        raise DataError(f"{name}: sheet is the name of one sheet or its number from 0; got {sheet!r}.")
    old = name.lower().endswith(".xls")
    if old:
        import_optional("python_calamine", "python-calamine", "tables", "Reading .xls files of old Excel")
    else:
        openpyxl = import_optional("openpyxl", "openpyxl", "tables", "Reading Excel")
    try:
        rows = _old_rows(content, sheet) if old else _rows(name, content, sheet, openpyxl)
    except DataError:
        raise
    except Exception as problem:  # a zip, an XML and a workbook may each be broken in its own way
        text = b"\0" not in content[:4000]
        hint = " It holds text: give it the ending .csv, or save it as a workbook." if text else ""
        raise DataError(f"{name} is not a workbook that can be read: {problem}.{hint}") from problem
    width = max(map(len, rows), default=0)
    return [[*row, *[""] * (width - len(row))] for row in rows]


def _old_rows(content: bytes, sheet: str | int) -> list[list[Any]]:
    frame = pd.read_excel(io.BytesIO(content), sheet_name=sheet, dtype=object, header=None, engine="calamine")
    return [["" if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


def _rows(name: str, content: bytes, sheet: str | int, openpyxl: Any) -> list[list[Any]]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(member.file_size for member in packed.infolist())
    if size > MOST_BYTES:
        raise DataError(
            f"{name} holds {size / 1e6:,.0f} MB unpacked; up to {MOST_BYTES / 1e6:,.0f} MB are read. Save "
            "the sheet as .csv or .parquet."
        )
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        names = [each.title for each in book.worksheets]
        try:
            table = book.worksheets[sheet] if isinstance(sheet, int) else book.worksheets[names.index(sheet)]
        except (IndexError, ValueError):
            raise DataError(f"{name} has no sheet {sheet!r}; it has {', '.join(map(repr, names))}.") from None
        table.reset_dimensions()  # what a file says of its size need not be true
        rows: list[list[Any]] = []
        width = 0
        for number, row in enumerate(table.iter_rows(values_only=True), start=1):
            held = _without_end(map(_cell, row))
            if not held:
                continue
            rows.append(held)
            width = max(width, len(held))
            if number * width > MOST_CELLS:
                letters = openpyxl.utils.get_column_letter(len(held))
                raise DataError(
                    f"{name} has a cell in column {letters} of row {number:,}, so the "
                    f"sheet spans {number * width:,} cells; up to {MOST_CELLS:,} are read. Delete what "
                    "stands far from the table, or save the table as .csv or .parquet."
                )
    finally:
        book.close()
    return rows


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value in ERRORS):
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_end(row: Iterable[Any]) -> list[Any]:
    held = list(row)
    while held and held[-1] == "":
        held.pop()
    return held
