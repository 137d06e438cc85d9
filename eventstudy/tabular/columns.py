"""Which column of a frame holds the dates, which the securities, which a field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from eventstudy.column_names import (
    ADJUSTED_TOO,
    DATE_NAMES,
    FIELD_NAMES,
    SECURITY_NAMES,
    UNIQUE_IDS,
    field_of,
    find_column,
    plain_name,
)
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.tabular.days import Days, days_of
from eventstudy.tabular.numbers import Decimals
from eventstudy.text import format_time

__all__ = [
    "INDEX",
    "Columns",
    "Options",
    "Want",
    "instrument_of",
    "names_of",
    "refuse_twins",
    "roles_of",
    "security_column",
    "with_date_column",
    "without_ignored",
]

Want = Literal["prices", "returns", "values"]
Columns = Mapping[str, str]
#: Name that the index bears as a column.
INDEX = "(index)"
ROLES = ("date", "security", "ignore")
FIELDS = tuple(dict.fromkeys([*FIELD_NAMES.values(), "value"]))
#: A share of rows that repeat a date from which on a frame is long.
LONG = 0.5


@dataclass(frozen=True)
class Options:
    """How a table is to be read.

    Attributes
    ----------
    what : str
        What it is, for messages.
    want : {"prices", "returns", "values"}
    columns : mapping
        What columns are, as the user says.
    timezone, timed, date_format, decimal, likely, missing
        As for `days_of` and `numbers_of`.
    security : str, optional
        Name of the security of a table of one.
    in_file : bool
        Whether it comes from a file.
    doubtful : bool
        Whether a point may stand for thousands, as in files cut by semicolons.
    """

    what: str
    want: Want = "prices"
    columns: Columns = field(default_factory=dict)
    timezone: str | None = None
    timed: bool = False
    date_format: str | None = None
    decimal: Decimals | None = None
    likely: Decimals | None = None
    missing: tuple[str, ...] = ()
    security: str | None = None
    in_file: bool = False
    doubtful: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.columns, Mapping):
            raise DataError(
                f"columns= says what columns are, as in {{'Remark': 'ignore'}}; got {self.columns!r}."
            )
        said = {str(column): _role(str(column), role) for column, role in self.columns.items()}
        object.__setattr__(self, "columns", said)

    @property
    def subject(self) -> str:
        """What the values are, for messages."""
        return {"prices": "price", "returns": "return", "values": "value"}[self.want]


def _role(column: str, role: Any) -> str:
    """Return what a column is said to be, by the one name that is used of it."""
    word = plain_name(role)
    known = ROLES + FIELDS
    if role in known:
        return str(role)
    found = field_of(role) or next(
        (kind for kind, names in (("date", DATE_NAMES), ("security", SECURITY_NAMES)) if word in names), None
    )
    if found is None:
        near = difflib.get_close_matches(str(role), known, n=1)
        raise DataError(
            f"columns says that {column!r} is {role!r}, which is not a role of a column."
            + (f" Did you mean {near[0]!r}?" if near else f" It can be {', '.join(known)}.")
        )
    return found


def _said(options: Options, role: str) -> str | None:
    return next((column for column, what in options.columns.items() if what == role), None)


def _index_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its index as the first column; inserting it would warn of fragmented columns."""
    index = frame.index.to_series(index=pd.RangeIndex(len(frame)), name=INDEX)
    return pd.concat([index, frame.reset_index(drop=True)], axis=1)


def with_date_column(frame: pd.DataFrame, options: Options) -> tuple[pd.DataFrame, Any]:
    """Return a frame whose dates are a column, and which."""
    said = _said(options, "date")
    if isinstance(frame.index, pd.MultiIndex):
        names = [
            name if name is not None
            else "date" if pd.api.types.is_datetime64_any_dtype(frame.index.levels[i]) else f"level_{i}"
            for i, name in enumerate(frame.index.names)
        ]  # fmt: skip
        if (
            sum(str(n).startswith("level_") for n in names) == 1
            and find_column(names, SECURITY_NAMES) is None
        ):
            names = ["security" if str(n).startswith("level_") else n for n in names]
        held = [n for n in names if n in frame.columns]
        frame = frame.drop(columns=held).rename_axis(index=list(map(str, names))).reset_index()
    elif isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex)):
        if said is None:
            return _index_first(frame), INDEX
    elif frame.index.name is not None and str(frame.index.name) not in map(str, frame.columns):
        frame = frame.copy().reset_index()  # a frame of many columns may be fragmented; a copy is not
    elif (
        not isinstance(frame.index, pd.RangeIndex)
        and said is None
        and find_column(frame.columns, DATE_NAMES) is None
    ):
        return _index_first(frame), INDEX
    if said is not None:
        return frame, next(c for c in frame.columns if str(c) == said)
    frame = _joined_clock(frame) if options.timed else _joined_year(frame)
    named = find_column(frame.columns, DATE_NAMES)
    date, left = named, frame.columns
    while (
        date is not None
        and (plain_name(date) in ("data", "time", "month", "period") or _holds_decimals(frame[date]))
        and not _may_be_date(frame[date])
    ):
        left = left.drop(date)  # DATE, DAY, TIME and DATA may be tickers
        date = find_column(left, DATE_NAMES)
    if date is not None:
        return frame, date
    temporal = [c for c in frame.columns if _is_temporal(frame[c])]
    if len(temporal) > 1:
        warn(
            f"{options.what}: of the columns of dates {temporal}, {temporal[0]!r} is taken for the date. "
            "If it is another, name that one date.",
            DataWarning,
        )
    if temporal:
        return frame, temporal[0]
    first = frame.columns[0]
    if plain_name(first) in ("", "index", "unnamed0") and _may_be_date(frame[first]):
        return frame, first
    written = [c for c in frame.columns if _holds_days(frame[c])]
    if len(written) == 1:
        return frame, written[0]
    if named is not None and plain_name(named) not in ("data", "time", "month", "period"):
        return frame, named
    security = find_column(frame.columns, SECURITY_NAMES)
    if security is not None:
        raise DataError(
            f"{options.what}: no column is a date; the columns are {[str(c) for c in frame.columns][:30]}. A "
            f"long "
            f"{options.subject} frame needs a date column and a security column. Pass "
            f"columns={{'name': 'date'}}."
        )
    shown = frame.index[0] if isinstance(frame.index, pd.RangeIndex) else first
    relative = isinstance(frame.index, pd.RangeIndex) and frame.index.start < 0
    days = frame.index if relative else frame[first]
    if pd.api.types.is_integer_dtype(days) and days.is_monotonic_increasing and days.min() < 0 < days.max():
        raise DataError(
            f"{options.what}: the rows are numbered {days.min()} to {days.max()}, as days relative to an "
            "event: market, events = es.from_event_time(frame)."
        )
    raise DataError(
        f"{options.what}: no column is a date; the columns are {[str(c) for c in frame.columns][:30]}, and "
        f"the index "
        f"holds numbers ({shown!r}, ...), not dates. Set the date column as index: frame.set_index('date'), "
        f"or pass "
        "columns={'name': 'date'}."
    )


def refuse_twins(columns: pd.Index, options: Options) -> None:
    """Refuse columns of one name."""
    names = pd.Index([str(c) for c in columns])
    if not names.is_unique:
        twice = names[names.duplicated()].unique().tolist()
        raise DataError(f"{options.what}: duplicate columns: {twice}. Keep one of each.")


def without_ignored(frame: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Leave out the columns that the user says to ignore."""
    lacking = sorted(
        set(map(str, options.columns)) - {str(c) for c in frame.columns} - {str(n) for n in frame.index.names}
    )
    if lacking:
        raise DataError(
            f"{options.what} has no column {', '.join(map(repr, lacking))}; it has "
            f"{[str(c) for c in frame.columns][:30]}."
        )
    ignored = [c for c in frame.columns if options.columns.get(str(c)) == "ignore"]
    return frame.drop(columns=ignored) if ignored else frame


def _joined_year(frame: pd.DataFrame) -> pd.DataFrame:
    """Join columns of years, months and days, where no other column holds dates."""
    year, month, day = (find_column(frame.columns, (name,)) for name in ("year", "month", "day"))
    parts = [column for column in (year, month, day) if column is not None]
    if (
        year is None
        or month is None
        or find_column(frame.columns.drop(parts), DATE_NAMES) is not None
        or any(_is_temporal(column) for _, column in frame.items())
    ):
        return frame
    numbers = frame[parts].apply(pd.to_numeric, errors="coerce")
    bounds = zip(parts, ((1800, 2200), (1, 12), (1, 31)), strict=False)
    if not all(numbers[column].between(*ends).all() for column, ends in bounds):
        return frame
    texts = pd.Series(numbers.astype(int).astype(str).agg("-".join, axis=1), name="date")
    rest = frame.drop(columns=parts)
    out: pd.DataFrame = pd.concat([texts, rest], axis=1)
    return out


def _joined_clock(frame: pd.DataFrame) -> pd.DataFrame:
    """Join columns of days and clock times, as files of trades have them."""
    day, clock = find_column(frame.columns, ("date",)), find_column(frame.columns, ("time", "timem"))
    if day is None or clock is None or pd.api.types.is_datetime64_any_dtype(frame[clock]):
        return frame
    days = days_of(frame[day], f"column {str(day)!r}").stamps
    spent = pd.to_timedelta(frame[clock].astype(str).str.strip(), errors="coerce")
    if spent.isna().any() or (days != days.normalize()).any():
        return frame
    frame = frame.drop(columns=clock).copy()
    frame[day] = days + pd.TimedeltaIndex(spent)
    return frame


def _is_temporal(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype)


def _may_be_date(column: pd.Series) -> bool:
    try:
        days_of(column, "")
    except DataError:
        return False
    return True


def _holds_days(column: pd.Series) -> bool:
    """Whether a column of texts, whatever it is called, holds a day in each cell and several in all."""
    texts = [cell for cell in column if isinstance(cell, str)]
    return len(texts) == len(column) and len(set(texts)) > 1 and _may_be_date(column)


def roles_of(columns: pd.Index, options: Options, level: bool = False) -> dict[Any, str]:
    """Field of each column that is one, as the user says or by its name."""
    out = {}
    for column in columns:
        said = options.columns.get(str(column))
        role = (
            said
            if said is not None and said not in ROLES
            else None
            if said
            else field_of(column, level=level)
        )
        if role is not None:
            out[column] = role
    adjusted = [column for column, role in out.items() if role == "adj_close"]
    further = [c for c in adjusted if plain_name(c) in ADJUSTED_TOO and str(c) not in options.columns]
    if len(further) < len(adjusted):
        out = {column: role for column, role in out.items() if column not in further}
    return out


def security_column(body: pd.DataFrame, read: Days, options: Options) -> tuple[Any | None, str]:
    """Return the column that names securities, and why; None where the frame is not long."""
    said = _said(options, "security")
    if said is not None:
        return next(c for c in body.columns if str(c) == said), "as said"
    named = [c for c in body.columns if str(c) not in options.columns]
    wanted = [c for c in named if not _is_fractional(body[c])]
    found = find_column(wanted, SECURITY_NAMES)
    repeated = read.stamps.duplicated()
    if found is not None:
        if not repeated.any() and body.shape[1] > 1 and not roles_of(body.columns.drop(found), options):
            text = not pd.api.types.is_numeric_dtype(body[found])
            return (found, "by its name") if text else (None, "")
        lower = [c for c in wanted if plain_name(c) in SECURITY_NAMES and c != found]
        aside = f"; {', '.join(map(str, lower))} left aside" if lower else ""
        why = "an id that stays with its security" if plain_name(found) in UNIQUE_IDS else "by its name"
        return found, why + aside
    if repeated.mean() <= LONG / 2 and repeated.sum() < 0.9 * len(repeated):
        return None, ""
    rows = pd.DataFrame({"day": read.stamps})
    candidates = []
    for column in wanted:
        if column in roles_of(body.columns, options) or body[column].nunique() in (0, 1, len(body)):
            continue
        if not rows.assign(who=body[column].to_numpy()).duplicated().any():
            candidates.append(column)
    texts = [c for c in candidates if not pd.api.types.is_numeric_dtype(body[c])]
    candidates = texts or candidates
    if len(candidates) == 1:
        return candidates[0], "one row per day and value of it"
    day = read.stamps[repeated][0]
    raise DataError(
        f"{options.what}: the date {format_time(day)} stands {int((read.stamps == day).sum())} times, so the "
        f"frame "
        f"is long, and no column says of which security a row is; the columns are "
        f"{[str(c) for c in body.columns][:30]}. "
        "Pass columns={'name': 'security'}."
    )


def _holds_decimals(column: pd.Series) -> bool:
    """Whether a column, of numbers or of texts, begins with numbers that are not whole."""
    if _is_temporal(column) or pd.api.types.is_bool_dtype(column):
        return False
    first = pd.to_numeric(
        column.iloc[:1000].dropna().iloc[:20].astype(str).str.replace(",", "."), errors="coerce"
    )
    return bool(len(first) and first.notna().all() and (first % 1 != 0).any())


def _is_fractional(column: pd.Series) -> bool:
    """Whether a column holds numbers other than ids."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return True
    if not pd.api.types.is_float_dtype(column):
        return not pd.api.types.is_numeric_dtype(column) and _holds_decimals(column)
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    return bool(((numbers != np.floor(numbers)) & ~np.isnan(numbers)).any())


def instrument_of(name: Any) -> str | None:
    """Return the security that the name of all columns names, as LSEG's libraries give it; None otherwise."""
    if not isinstance(name, str) or not re.fullmatch(r"[.A-Z0-9][\w^-]*[.=]\w*|[.A-Z0-9]{2,}", name):
        return None
    known = field_of(name, level=True) is not None or plain_name(name) in (*SECURITY_NAMES, *DATE_NAMES)
    return None if known else name


def names_of(column: pd.Series, options: Options) -> pd.Series:
    """Names of securities as texts: no blanks around them, and no decimals behind whole numbers."""
    if pd.api.types.is_float_dtype(column):
        if _is_fractional(column):
            raise DataError(
                f"{options.what}: the column {str(column.name)!r} holds decimals, such as "
                f"{next(cell for cell in column.dropna() if cell % 1):g}, which are not names of securities."
            )
        column = column.astype("Int64")
    missing = column.isna().to_numpy()
    names = column.astype(str).str.strip()
    missing = missing | (names == "").to_numpy()
    if missing.any():
        raise DataError(
            f"{options.what}: row {int(np.argmax(missing)) + 1} names no security ({column.name})."
        )
    return names
