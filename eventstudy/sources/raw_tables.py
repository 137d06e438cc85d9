"""Files → tables as they stand, without what stands above and below the rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.column_names import (
    CURRENCY_NAMES,
    DATE_NAMES,
    SECURITY_NAMES,
    field_of,
    find_column,
    plain_name,
)
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.optional import import_optional
from eventstudy.sources.header_rows import (
    Cells,
    below,
    header_of,
    is_day,
    is_stamp,
    without_footer,
    without_second_table,
)
from eventstudy.sources.workbooks import cells_of_sheet
from eventstudy.tabular.numbers import MISSING, Decimals, decimal_shown

__all__ = ["RawTable", "load"]

#: Rows of a text file from which its separator and its header are found.
HEAD = 400
#: Bytes from which on the columns of a text file that are needed are read by pandas' own parser.
LARGE = 4_000_000
#: Bytes at the beginning of such a file from which it is understood, and at its end, where notes may stand.
BEGINNING, END = 200_000, 20_000
#: Cells in which a decimal sign is looked for.
SAMPLE = 3_000
#: Cells that may be numbers, and dates that may be taken for them.
_NUMBER = re.compile(r"(?=[^\d]*\d)[^a-zA-Z:/]*[KMB%]?")
_POINTED_DATE = re.compile(r"\d{1,4}[.]\d{1,2}[.]\d{1,4}")
#: What a copied page writes between its rows.
_PAYOUT = re.compile(r"(?i)[\s\d./:]+(dividend|stock splits?|capital gains?)\b.*")

_PAYOUT_WORDS = (b"ividend", b"IVIDEND", b"tock split", b"tock Split", b"apital gain", b"apital Gain")
_NUMBER_BEFORE = re.compile(rb"\d[^\n\w]*\w$")


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file.

    Attributes
    ----------
    frame : DataFrame
        Texts, as a rule; Excel and Parquet know dates and numbers. Columns have one level, or two of
        field and security with the days as index.
    content : bytes
        The file.
    likely : {".", ","}, optional
        Decimal sign that some column shows.
    left_out : tuple of str
        What stood above and below the table.
    doubtful : bool
        Whether a point may stand for thousands.
    """

    frame: pd.DataFrame
    content: bytes = field(repr=False)
    likely: Decimals | None = None
    left_out: tuple[str, ...] = ()
    doubtful: bool = False


def load(
    path: Path,
    sheet: str | int = 0,
    encoding: str = "utf-8-sig",
    header: int | None = None,
    footer: int | None = None,
    columns: Iterable[str] = (),
    decimal: Decimals | None = None,
) -> RawTable:
    """Read a file by its ending: .csv, .txt, .tsv, .xlsx, .xls, .parquet, .pq.

    Parameters
    ----------
    path : Path
    sheet, encoding
        Of a workbook and of a text file.
    header : int, optional
        Rows above the row of names; found by default.
    footer : int, optional
        Rows below the table; found by default.
    columns : iterable of str
        Columns that are needed whatever they are called.
    decimal : {".", ","}, optional
        Decimal sign, where it is said.

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
        return RawTable(_parquet(path.name, content), content)
    if ending in (".xlsx", ".xls", ".xlsm"):
        return _shaped(cells_of_sheet(path.name, content, sheet), content, path.name, header, footer)
    if ending in (".csv", ".txt", ".tsv"):
        return _text(path.name, content, encoding, header, footer, set(columns), decimal)
    raise DataError(
        f"{path.name} ends in {ending!r}; .csv, .txt, .tsv, .xlsx, .xls and .parquet are read. Unpack it, or "
        "read it yourself and give the frame to Market.from_prices."
    )


def _parquet(name: str, content: bytes) -> pd.DataFrame:
    import_optional("pyarrow", "pyarrow", "scale", "Reading Parquet")
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as problem:  # pyarrow's errors have no common base below Exception
        raise DataError(f"{name} is not a Parquet file that can be read: {problem}") from problem
    return frame


def _text(
    name: str,
    content: bytes,
    encoding: str,
    header: int | None,
    footer: int | None,
    wanted: set[str],
    decimal: Decimals | None,
) -> RawTable:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    if len(content) > LARGE and header is None and footer is None:
        fast = _large(name, content, encoding, wanted, decimal)
        if fast is not None:
            return fast
    try:
        lines = content.decode(encoding).splitlines()
    except (UnicodeDecodeError, LookupError) as problem:
        raise DataError(
            f"{name} cannot be read as {encoding}: {problem}. Pass encoding=, such as 'gb18030' or 'latin-1'."
        ) from problem
    lines = [line for line in lines if line.strip()]
    told = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0]) if lines else None
    lines = lines[1:] if told else lines
    if len(lines) < 2:
        raise DataError(f"{name} has no rows.")
    separator = told.group(1) if told else _separator(lines[:HEAD])
    rows: list[list[Any]] = [[cell.strip() for cell in row] for row in _cells(lines, separator)]
    return _shaped(rows, content, name, header, footer, separator)


def _cells(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=separator)
    except csv.Error as problem:
        raise DataError(
            f"The file cannot be read as a table: {problem}. Look for a quotation mark that is not closed."
        ) from problem


def _separator(lines: Sequence[str]) -> str:
    """Return the sign that cuts most lines into equally many cells."""
    best, most = ",", 1
    for sign in "\t;|,":
        widths = [len(row) for row in _cells(lines, sign)]
        mode = max(set(widths), key=widths.count)
        if mode > 1 and widths.count(mode) > len(widths) / 2 and (mode > most if sign == "," else True):
            best, most = sign, mode
            if sign != ",":
                break
    if most == 1:
        return max(",;\t|", key=lines[0].count)
    return best


def _shaped(
    rows: list[list[Any]],
    content: bytes,
    name: str,
    header: int | None,
    footer: int | None,
    separator: str | None = None,
) -> RawTable:
    """Take off what stands above and below a table, and name its columns."""
    rows = [row for row in rows if any(cell != "" for cell in row)]
    rows = rows[: len(rows) - footer] if footer else rows
    if len(rows) < 2:
        raise DataError(f"{name} has no rows.")
    found = header_of(rows, name, header)
    body, second = without_second_table(rows[found.last + 1 :], found)
    # One of years, below another of months, is a summary.
    if any(len(row) > found.day and is_stamp(row[found.day]) for row in second[1:4]):
        shown = next(str(cell) for cell in second[0] if cell != "")
        warn(
            f"{name}: a second table, which begins with {shown!r}, is left out. To read it, save it in a "
            "file of its own.",
            DataWarning,
        )
    body, foot = without_footer(body, found.day) if footer is None else (body, [])
    foot += second
    if not body:
        raise DataError(f"{name} has no rows.")
    body = [row for row in body if not any(isinstance(c, str) and _PAYOUT.fullmatch(c) for c in row[1:3])]
    width = len(found.names)
    body = [row[:width] if not any(c != "" for c in row[width:]) else row for row in body]
    for number, row in enumerate(body, start=found.last + 2):
        if len(row) != width and separator is not None:
            raise DataError(_uneven(name, number, len(row), width, separator))
    cells = np.array([[*row, *[""] * (width - len(row))] for row in body], dtype=object)
    blank = np.frompyfunc(lambda cell: isinstance(cell, str) and not cell, 1, 1)(cells).astype(bool)
    if separator is None:
        cells[blank] = np.nan
    # A column of nothing below no name is a mark of the layout, or a cell far off that was left.
    plain = not (found.levels or found.pairs)
    kept = [k for k, name in enumerate(found.names) if name != "" or not (plain and blank[:, k].all())]
    nameless = [k for k in kept if found.names[k] == ""]
    names = [f"column {k + 1}" if k in nameless[1:] else found.names[k] for k in kept]
    frame = pd.DataFrame(cells[:, kept])
    frame.columns = pd.Index(names, tupleize_cols=False)
    likely = _likely(frame.iloc[: max(1, SAMPLE // width)])
    left = [*found.above, *(f"{len(foot)} rows below" for _ in foot[:1])]
    return RawTable(below(frame, found), content, likely, tuple(left), separator == ";")


def _likely(sample: pd.DataFrame) -> Decimals | None:
    """Return the decimal sign that the columns of numbers prove; a remark with a number in it proves none."""
    proof: list[str] = []
    for _, column in sample.items():
        texts = [cell for cell in column if isinstance(cell, str) and cell.lower() not in MISSING]
        if all(_NUMBER.fullmatch(text) and not _POINTED_DATE.fullmatch(text) for text in texts):
            proof += texts
    try:
        return decimal_shown(proof, "")
    except DataError:
        return None


def _large(
    name: str, content: bytes, encoding: str, wanted: set[str], decimal: Decimals | None
) -> RawTable | None:
    """Read the columns of a large file that are needed; None where only reading row by row is safe.

    What is neither price nor return stays text, as it does in a small file: codes have leading zeros.
    """
    try:
        data = content
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf-8-sig"):
            data = content.decode(encoding).encode()
        data = data.removeprefix(codecs.BOM_UTF8)
        head = data[:BEGINNING].decode(errors="ignore").splitlines()[:-1]
    except (UnicodeDecodeError, LookupError):
        return None
    if len(head) < 3 or not head[0].strip() or head[0].lower().startswith("sep=") or b"\n" not in data:
        return None
    separator = _separator(head[:HEAD])
    rows: list[Cells] = [[cell.strip() for cell in row] for row in _cells(head[:SAMPLE], separator)]
    try:
        found = header_of(rows[:HEAD], name, None)
    except DataError:
        return None
    names = [str(n) for n in rows[0]]
    if found.last != 0 or found.levels or len(set(names)) < len(names) or "" in names:
        return None
    data, notes = _without_notes(data, separator, found.day)
    if not _regular(data, names, name, separator):
        return None
    whole = [row for row in rows[1:] if len(row) == len(names)]
    likely = _likely(pd.DataFrame(whole[: max(1, SAMPLE // len(names))]))
    who = find_column(names, SECURITY_NAMES)
    used = [n for n in names if _needed(n) or n in wanted]
    if find_column(names, DATE_NAMES) is None or who is None:
        used = names
    plain = separator != ";" and "," not in (likely, decimal)
    texts = {n for n in used if not plain or field_of(n) in (None, "status")}
    missing = sorted(MISSING | {sign.upper() for sign in MISSING} | {"NaN", "None"})
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            header=0,
            names=names,
            index_col=False,
            usecols=used,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values={n: missing for n in used if n not in texts},
            skipinitialspace=True,
            low_memory=False,
        )
    except (UnicodeDecodeError, pd.errors.ParserError, ValueError):
        return None
    left = [*(n for n in names if n not in used), *(f"{notes} rows below" for _ in range(min(notes, 1)))]
    return RawTable(frame, content, likely, tuple(left), separator == ";")


def _without_notes(data: bytes, separator: str, day: int) -> tuple[bytes, int]:
    """Take the rows below a table off the bytes of its file; returns how many these were, too."""
    end = data[-END:]
    lines = end[end.find(b"\n") + 1 :].splitlines(keepends=True)
    filled = [k for k, line in enumerate(lines) if line.strip(b" \t\r\n" + separator.encode())]
    texts = [lines[k].decode(errors="replace") for k in filled]
    body, foot = without_footer([[c.strip() for c in row] for row in _cells(texts, separator)], day)
    if not foot or len(body) + len(foot) != len(filled):
        return data, 0
    return data[: len(data) - sum(map(len, lines[filled[len(body)] :]))], len(foot)


def _regular(data: bytes, names: list[str], name: str, separator: str) -> bool:
    """Whether each line of a file is a row as wide as its header, which stands there once.

    Raises
    ------
    DataError
        If a row that begins with a day is not.
    """
    sign, width = separator.encode(), len(names)
    first = names[0].encode()
    for word in _PAYOUT_WORDS:
        at = data.find(word)
        while at >= 0:
            if _NUMBER_BEFORE.search(data[max(at - 12, 0) : at]):
                return False
            at = data.find(word, at + 1)
    for number, line in enumerate(io.BytesIO(data), start=1):
        quoted = b'"' in line
        if not quoted and line.count(sign) + 1 == width and not line.lstrip().startswith(first):
            continue
        if not line.strip():
            continue
        if quoted and line.count(b'"') % 2:
            return False
        cells = next(_cells([line.decode(errors="replace")], separator))
        if len(cells) != width and is_day(cells[0].strip()) and not _PAYOUT.fullmatch(" ".join(cells[1:3])):
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                return False
            raise DataError(_uneven(name, number, len(cells), width, separator))
        if len(cells) != width or (number > 1 and [cell.strip() for cell in cells] == names):
            return False
    return True


def _uneven(name: str, row: int, cells: int, width: int, separator: str) -> str:
    return (
        f"{name}: row {row} has {cells} cells, the header {width}, counting by the separator {separator!r}."
    )


def _needed(name: str) -> bool:
    """Whether a column of a large file may have a part in prices or returns."""
    word = plain_name(name)
    named = word in DATE_NAMES or word in SECURITY_NAMES or word in CURRENCY_NAMES or word in ("iid", "year")
    return named or field_of(name) is not None
