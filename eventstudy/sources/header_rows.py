"""Header rows of sheets and text files: where the data begin, what stands above and below."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eventstudy.column_names import DATE_NAMES, SECURITY_NAMES, field_of, may_be_ticker, plain_name
from eventstudy.errors import DataError
from eventstudy.tabular.days import days_of

__all__ = [
    "Cells",
    "Header",
    "below",
    "header_of",
    "is_day",
    "is_stamp",
    "without_footer",
    "without_second_table",
]

Cells = list[Any]
#: Rows below a table that may be notes.
MOST_NOTES = 20
_CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2})?(\s*[AP]M)?$", re.IGNORECASE)
_CODE = re.compile(r"(.+?)\(([A-Za-z#~]+)\)")
_CURRENCY = re.compile(
    r"USD|EUR|GBP|JPY|CNY|CHF|HKD|CAD|AUD|KRW|INR|U\$|E|£|[$€¥]|元|没有单位|-|percent|%", re.IGNORECASE
)
#: First cells of rows that name securities, the better ones first.
_CODES, _NAMES = (
    ("code", "ticker", "symbols", "symbol", "security", "instrument", "ric", "tickers"),
    ("name",),
)


@dataclass(frozen=True)
class Header:
    """Names of the columns of a table.

    Attributes
    ----------
    names : list
        One for each column: texts, or pairs of field and security.
    last : int
        Row of the last header row.
    day : int
        Column of the days.
    levels : bool
        Whether names are pairs.
    above : tuple of str
        Rows that stand above it.
    pairs : bool
        Whether columns of values have a column of days of their own before them.
    """

    names: list[Any]
    last: int
    day: int
    levels: bool
    above: tuple[str, ...]
    pairs: bool = False


def is_day(cell: Any) -> bool:
    """Whether a cell holds a day, or a closing time of one."""
    if cell == "" or isinstance(cell, bool):
        return False
    if isinstance(cell, (int, float)) and not 1e4 < cell < 1e8:
        return False
    if isinstance(cell, str):
        cell = _CLOCK.sub("", cell)
    try:
        read = days_of(pd.Series([cell], dtype=object), "")
    except DataError as problem:
        return "cannot be told apart" in str(problem)
    return bool(read.stamps.notna().all())


def _is_month(cell: Any) -> bool:
    return re.fullmatch(r"(19|20)\d{2}(0[1-9]|1[0-2])", str(cell).strip()) is not None


def _is_count(cell: Any) -> bool:
    """Whether a cell may be seconds, or parts of them, since 1970."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell > 1e8


def is_stamp(cell: Any) -> bool:
    """Whether a cell of a column of dates is one: a day, a month, or a count since 1970."""
    return _is_count(cell) or is_day(cell) or _is_month(cell)


def header_of(rows: Sequence[Cells], name: str, header: int | None) -> Header:
    """Find the rows of names above a table.

    Parameters
    ----------
    rows : sequence of rows of cells
    name : str
        Of the file, for messages.
    header : int, optional
        Rows above the row of names; found by default.

    Raises
    ------
    DataError
        If no row of names can be found.
    """
    if header is not None:
        if not 0 <= header < len(rows) - 1:
            raise DataError(f"{name} has {len(rows)} rows, so header={header} leaves none below.")
        return _flat(rows, header, 0)
    first, day = _first_data(rows)
    if first == 0:
        return _flat(rows, 0, 0)
    named = next((i for i in range(first) if _names_all(rows[i], day)), None)
    if named is not None:
        known = [cell for cell in rows[named] if cell != ""]
        named = named if len(set(known)) == len(known) else None
    top = first - 1
    while top > 0 and _filled(rows[top - 1]) >= max(2, _filled(rows[first - 1]) / 2) and top > first - 5:
        top -= 1
    block = list(range(top, first))
    pairs = _pairs(rows, block, first)
    if pairs is not None:
        return pairs
    if named is not None and named >= first - 4:
        # A row of codes, above the same in words and units.
        words = all(not _is_number(cell) for row in rows[named + 1 : first] for cell in row)
        return _flat(rows, named, day, last=first - 1 if words else named)
    if len(block) == 1:
        return _flat(rows, first - 1, day)
    return _stacked(rows, block, day)


def _first_data(rows: Sequence[Cells]) -> tuple[int, int]:
    """First row that begins with a day, as the next does, and the column of the days."""
    # Large numbers of later columns are volumes and values.
    for is_date, column in (*itertools.product((is_day, _is_month), (0, 1, 2)), (_is_count, 0)):
        dated = [len(row) > column and is_date(row[column]) for row in rows[:60]]
        for i in range(1, len(dated)):
            starts = dated[i] and not dated[i - 1] and _filled(rows[i]) >= 2
            goes_on = column == 0 or i + 1 >= len(dated) or dated[i + 1]
            if starts and goes_on and not _is_setting(rows, i, column):
                return i, column
    return (1, 0) if len(rows) > 1 else (0, 0)


def _is_setting(rows: Sequence[Cells], i: int, column: int) -> bool:
    """Whether a row is a label and a day, such as ``Start Date | 2019-01-01``."""
    return column > 0 and _filled(rows[i]) == 2 and "date" in str(rows[i][0]).lower()


def _filled(row: Cells) -> int:
    return sum(cell != "" for cell in row)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) or bool(re.fullmatch(r"[-+]?[\d.,]*\d[\d.,]*%?", str(cell).strip()))


def _names_all(row: Cells, day: int) -> bool:
    """Whether a row names a column of days, and a security or a field besides."""
    words = [plain_name(cell) for cell in row]
    dated = any(word in DATE_NAMES for word in words)
    return dated and any(
        word in SECURITY_NAMES or field_of(cell) is not None for word, cell in zip(words, row, strict=True)
    )


def _flat(rows: Sequence[Cells], row: int, day: int, last: int | None = None) -> Header:
    names = [str(cell).strip() for cell in rows[row]]
    above = tuple(" ".join(str(c) for c in r if c != "")[:60] for r in rows[:row])
    while (
        names and names[-1] == "" and all(len(r) < len(names) or r[len(names) - 1] == "" for r in rows[row:])
    ):
        names.pop()
    return Header(names, row if last is None else last, day, False, above)


def _pairs(rows: Sequence[Cells], block: list[int], first: int) -> Header | None:
    """Read Bloomberg's sheets in which each security has days of its own, before one or more fields."""
    row = rows[first]

    def head(i: int, k: int) -> str:
        return str(rows[i][k]).strip() if k < len(rows[i]) else ""

    def dated(k: int, cell: Any) -> bool:
        if isinstance(cell, (int, float)) or not is_day(cell):
            return False
        # Prices of 20,000 to 60,000 look like Excel's counts of days.
        count = _is_number(cell) and not re.fullmatch(r"\d{8}", str(cell))
        return not count or plain_name(head(first - 1, k)) in DATE_NAMES

    days = [k for k, cell in enumerate(row) if dated(k, cell)]
    if len(days) < 2:
        return None
    single = days == list(range(days[0], days[0] + 2 * len(days), 2))
    heads = {plain_name(rows[first - 1][k]) if k < len(rows[first - 1]) else "" for k in days}
    if not single and (days[0] > 0 or len(heads) > 1 or not heads <= {"", *DATE_NAMES}):
        return None
    # A row of securities alone has fewer cells than a row of names.
    spans = list(zip(days, [*days[1:], len(row)], strict=True))
    while block[0] > 0 and all(sum(head(block[0] - 1, k) != "" for k in range(*span)) == 1 for span in spans):
        block = [block[0] - 1, *block]
    names: Cells = [""] * len(row)
    for k, end in spans:
        names[k] = f"date {k}"
        values = [j for j in range(k + 1, end) if head(first - 1, j) or row[j] != ""]
        if not values:
            return None
        cells = [head(i, j) for i in block for j in range(k, end) if head(i, j)]
        told = [c for c in cells if field_of(c, level=True) is None and plain_name(c) not in DATE_NAMES]
        who = told[0] if told else f"column {values[0]}"
        for j in values:
            names[j] = who if single else (head(first - 1, j) or "PX_LAST", who)
    above = tuple(str(rows[i][0])[:60] for i in range(block[0]))
    return Header(names, first - 1, 0, not single, above, pairs=True)


def _stacked(rows: Sequence[Cells], block: list[int], day: int) -> Header:
    """Read header rows of which one names fields and one securities."""
    width = max(len(rows[i]) for i in block)
    fields: Cells | None = None
    who: tuple[int, Cells] | None = None
    codes: Cells | None = None
    for i in block:
        label = plain_name(rows[i][0]) if rows[i] else ""
        cells = _spread([str(c).strip() for c in rows[i][day + 1 :]], width - day - 1)
        known = [c for c in cells if c]
        if not known or _is_setting(rows, i, 1):
            continue
        if _are_fields(known) and not (
            _are_fields(known, tickers=True)
            and any(_are_fields([c for c in rows[j][day + 1 :] if c != ""]) for j in block if j != i)
        ):
            fields = [re.sub(r"\.\d+$", "", c) for c in cells]
        elif label.startswith("currenc") or label in ("unit", "units") or _are_units(known):
            continue
        elif all(_CODE.fullmatch(c) for c in known):
            codes = cells
        else:
            rank = 0 if label in _CODES else 2 if label in _NAMES else 1
            if who is None or rank < who[0]:
                who = rank, [re.sub(r"\.\d+$", "", c) for c in cells]
    above = tuple(str(rows[i][0])[:60] for i in range(block[0]))
    pad = ["" for _ in range(day)]
    if codes is not None and all(field_of(_CODE.fullmatch(c)[2], level=True) for c in codes):  # type: ignore[index]
        split = [_CODE.fullmatch(c) for c in codes]
        pairs = [(m[2], m[1].strip()) for m in split if m]
        return Header([*pad, "date", *pairs], block[-1], day, True, above)
    if fields is not None and who is not None:
        return Header([*pad, "date", *zip(fields, who[1], strict=True)], block[-1], day, True, above)
    if who is not None:
        return Header([*pad, "date", *who[1]], block[-1], day, False, above)
    return _flat(rows, block[-1], day)


def _are_fields(cells: Cells, tickers: bool = False) -> bool:
    """Whether cells name fields; or whether all of these names may be tickers too."""
    names = [re.sub(r"\.\d+$", "", str(c).strip()) for c in cells]
    if tickers:
        return all(map(may_be_ticker, names))
    return bool(names) and all(
        field_of(c, level=True) is not None or plain_name(c) in ("dividends", "capitalgains") for c in names
    )


def _are_units(cells: Cells) -> bool:
    """Whether cells name currencies or units; one letter alone may be a ticker."""
    return all(_CURRENCY.fullmatch(c) for c in cells) and any(len(c) > 1 or not c.isalpha() for c in cells)


def _spread(cells: Cells, width: int) -> Cells:
    """Fill merged cells: a name stands over the columns that follow it."""
    cells = [*cells, *[""] * (width - len(cells))]
    if not cells or cells[0] == "" or sum(c != "" for c in cells) in (0, len(cells)):
        return cells
    out: Cells = []
    for cell in cells:
        out.append(cell if cell != "" or not out else out[-1])
    return out


def without_second_table(body: list[Cells], header: Header) -> tuple[list[Cells], list[Cells]]:
    """Join tables of the same names that stand one below the other, or cut the second off.

    Where files were joined, the row of names is repeated, perhaps below the same title. Another title, in a
    row of its own or in place of the first name, says that a table is another's.
    """
    texts = [str(name).strip() for name in header.names]
    known: list[Cells] = []
    for i, row in enumerate(body):
        if len(texts) < 2 or len(row) < 2 or str(row[1]).strip() != texts[1]:
            known.append(row)
            continue
        cells = [str(cell).strip() for cell in row[: len(texts)]]
        above = len(known) - 1 if i and _filled(body[i - 1]) == 1 and not is_stamp(body[i - 1][0]) else None
        title = None if above is None else " ".join(str(cell) for cell in known[above] if cell != "")[:60]
        if i and len(texts) > 2 and cells[1:] == texts[1:] and cells[0] != texts[0]:
            return known, body[i:]
        if not i or cells != texts:
            known.append(row)
        elif above is None or title in header.above:
            known = known[:above]
        else:
            return known[:above], body[i - 1 :]
    return known, []


def without_footer(body: list[Cells], day: int) -> tuple[list[Cells], list[Cells]]:
    """Take last rows without a day, in which no more than two cells are filled, off a table."""
    end = len(body)
    if not (len(body[0]) > day and is_stamp(body[0][day])):
        return body, []
    while end > 1 and len(body) - end < MOST_NOTES:
        row = body[end - 1]
        cell = row[day] if len(row) > day else ""
        if (cell != "" and is_stamp(cell)) or _filled(row) > 2 or (cell == "" and _filled(row) > 1):
            break
        end -= 1
    return body[:end], body[end:]


def below(frame: pd.DataFrame, header: Header) -> pd.DataFrame:
    """Return the body of a table, days as index where it has two levels or days for each column."""
    if header.pairs:
        return _own_days(frame, header)
    if not header.levels:
        return frame
    index = pd.Index(frame.iloc[:, header.day], name="date")
    body = frame.iloc[:, header.day + 1 :].set_axis(index, axis=0)
    return body.set_axis(pd.MultiIndex.from_tuples(header.names[header.day + 1 :]), axis=1)


def _own_days(frame: pd.DataFrame, header: Header) -> pd.DataFrame:
    """Bring columns that have days of their own to days in common."""
    series: list[pd.Series] = []
    day = 0
    for k, name in enumerate(header.names):
        if isinstance(name, str) and name == f"date {k}":
            day = k
        elif name != "":
            part = frame.iloc[:, [day, k]].dropna()
            part = part[(part.iloc[:, 0] != "") & (part.iloc[:, 1] != "")]
            days = days_of(part.iloc[:, 0], f"column {day + 1}").stamps
            if not days.is_unique:
                raise DataError(
                    f"Column {day + 1}: the day {days[days.duplicated()][0]:%Y-%m-%d} stands more than once. "
                    "Keep one row per day."
                )
            series.append(pd.Series(part.iloc[:, 1].to_numpy(), days, name=name))
    out = pd.concat(series, axis=1, sort=True)
    if not header.levels:
        return out
    pairs = [name for name in header.names if isinstance(name, tuple)]
    return out.set_axis(pd.MultiIndex.from_tuples(pairs), axis=1)
