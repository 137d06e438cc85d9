"""Frames in any layout (wide, long, two levels, one for each security) → wide frames by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.column_names import (
    DATE_NAMES,
    INDEX_RETURNS,
    NOT_PRICES,
    TOTAL_RETURN_NAMES,
    UNIQUE_IDS,
    field_of,
    find_column,
    may_be_ticker,
    pick_one,
    plain_name,
)
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.interop import to_pandas
from eventstudy.tabular.columns import (
    INDEX,
    Options,
    instrument_of,
    refuse_twins,
    roles_of,
    security_column,
    with_date_column,
    without_ignored,
)
from eventstudy.tabular.currencies import check_one_currency
from eventstudy.tabular.days import Days, Step, days_of
from eventstudy.tabular.long_columns import long_names, only_numbers
from eventstudy.tabular.numbers import blank_cells, is_text, numbers_of
from eventstudy.tabular.reading import Taken, reading_of
from eventstudy.tabular.row_order import (
    in_order,
    keep_one,
    refuse_odd_columns,
    without_blank_rows,
    without_row_numbers,
)
from eventstudy.tabular.set_aside import warn_of_adjusted_closes
from eventstudy.tabular.tickers import field_and_name, field_level, tickers_not_fields
from eventstudy.tabular.unit_of_changes import unit_of_changes
from eventstudy.tabular.vendors import (
    Rows,
    check_halted,
    halted_rows,
    in_vendor_terms,
    missing_codes,
    split_ratios,
)
from eventstudy.text import format_time

__all__ = ["KEPT_IN_HALT", "Options", "Table", "as_frame", "read_frame"]

#: What stays of a day without trade: an ex-day may fall into a halt.
KEPT_IN_HALT = frozenset(
    {"volume", "reference", "previous_close", "dividends", "splits", "cumulative_factor"}
)
PRICES = frozenset({"close", "adj_close"})


class Table(NamedTuple):
    """A table, read.

    Attributes
    ----------
    fields : dict of str to DataFrame
        By field, days × securities, float64; rows unique and in order.
    reading : tuple of Taken
    index_returns : dict of str to Series
        Returns of indices that a long table repeats in each row, by name.
    step : {"D", "W", "M", "Q", "Y"}, optional
        Length of the periods, where the dates name periods.
    layout : str
    adjusted : str
        What the vendor is known to have adjusted closes for: "", "splits" or "total".
    dates : str
        How the dates were read.
    """

    fields: dict[str, pd.DataFrame]
    reading: tuple[Taken, ...]
    layout: str
    dates: str
    index_returns: dict[str, pd.Series] = field(default_factory=dict)
    step: Step | None = None
    adjusted: str = ""


def as_frame(given: Any, what: str) -> Any:
    """Return tables of other libraries, and Series, as pandas frames; mappings as they are.

    Raises
    ------
    DataError
        If it is not a table; the message says what to call on it.
    """
    given = to_pandas(given, what)
    if isinstance(given, pd.Series):
        return given.to_frame()
    if isinstance(given, (pd.DataFrame, Mapping)):
        return given
    if isinstance(given, str):
        raise DataError(
            f"{what} must be a DataFrame, got str. Read the file with sources.read_prices({given!r})."
        )
    if hasattr(given, "__fspath__"):
        raise DataError(
            f"{what} must be a DataFrame, got a path. Read it with sources.read_prices({str(given)!r})."
        )
    cure = next(
        (
            f" Give what its method {call}() returns."
            for call in ("df", "to_pandas", "to_dataframe", "compute", "collect")
            if callable(getattr(given, call, None))
        ),
        "",
    )
    raise DataError(
        f"{what} must be a DataFrame, got {type(given).__name__} of {type(given).__module__}.{cure}"
        if cure
        else f"{what} must be a DataFrame, got {type(given).__name__}."
    )


def read_frame(given: Any, options: Options) -> Table:
    """Read a table in any layout.

    Raises
    ------
    DataError
        If it cannot be read in one way only; the message names column and row.
    """
    frame = as_frame(given, options.what)
    if isinstance(frame, Mapping):
        return _from_mapping(frame, options)
    table = _read_any(frame, options)
    ignored = [
        Taken(c, "not used", evidence="as said") for c, role in options.columns.items() if role == "ignore"
    ]
    return table._replace(reading=(*table.reading, *ignored))


def _read_any(frame: pd.DataFrame, options: Options) -> Table:
    if frame.empty:
        raise DataError(
            f"{options.what}: the frame is empty ({frame.shape[0]} rows, {frame.shape[1]} columns)."
        )
    label = str(frame.columns.name or "AAPL")
    frame = without_ignored(frame, options)
    if frame.columns.nlevels > 1:
        return _from_levels(frame, options)
    refuse_twins(frame.columns, options)
    refuse_odd_columns(frame, options)
    named_by = frame.columns.name
    frame, date = with_date_column(frame, options)
    if frame.shape[1] < 2:
        raise DataError(
            f"{options.what}: the frame is empty ({frame.shape[0]} rows, no column beside the date)."
        )
    frame, counting = without_row_numbers(without_blank_rows(frame, date), date)
    index = date == INDEX
    read = days_of(
        frame[date],
        f"{options.what}: the index" if index else f"{options.what}, column {str(date)!r}",
        form=options.date_format, timezone=options.timezone, timed=options.timed,
    )  # fmt: skip
    if read.stamps.hasnans:
        row = int(np.argmax(read.stamps.isna()))
        raise DataError(f"{options.what}: row {row} has no date (NaT). Drop or mend it.")
    dates = Taken("index" if index else str(date), "date", evidence=f"read as {read.form}")
    body = frame.drop(columns=date)
    dotted = field_and_name(body.columns, options)
    if dotted is not None:
        body = body.set_axis(dotted, axis=1).set_axis(pd.Index(read.stamps), axis=0)
        return _from_levels(body, options)
    who, said = security_column(body, read, options)
    if who is not None:
        return _from_long(body, read, who, said, dates, options)
    fields = roles_of(body.columns, options)
    if (
        options.want == "prices"
        and PRICES & set(fields.values())
        and tickers_not_fields(body, fields, options, lambda name: _readable(body[name], name, options))
    ):
        fields = {}
    named = set(fields.values())
    one = bool(PRICES & named) and (
        bool({"open", "high", "low", "volume", "adj_close", "dividends", "splits"} & named)
        or body.shape[1] == 1
    )
    if options.want == "prices" and (
        (one and len(fields) > 1) or (options.security is not None and PRICES & named)
    ):
        name = options.security or instrument_of(named_by)
        if name is None:
            raise DataError(
                f"{options.what}: the columns {list(body.columns)} are the fields of one security, which has "
                f"no name. "
                f"Name it: pd.concat({{{label!r}: frame}}, axis=1)."
                + " Where they are tickers: pd.concat({'close': frame}, axis=1)."
                * all(map(may_be_ticker, fields))
            )
        return _of_one(body, read, fields, dates, replace(options, security=name))
    table = _from_wide(body, read, dates, options)
    numbers = [Taken(name, "not used", evidence="it counts the rows") for name in counting]
    return table._replace(reading=(*table.reading, *numbers))


def _way_of_reading(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("decimal", "likely", "doubtful", "in_file")}


def _number(
    column: pd.Series, name: Any, fld: str, options: Options, who: pd.Series | None = None
) -> tuple[pd.Series, str]:
    """Read one column; returns the numbers and their unit."""
    where = f"{options.what}, column {str(name)!r}"
    letters, codes = missing_codes(name, fld)
    column = split_ratios(column) if fld == "splits" else column
    got = numbers_of(column, where, missing=(*options.missing, *letters), who=who, **_way_of_reading(options))
    values = pd.Series(got.values, index=column.index)
    values = values.mask(values.isin(codes)) if codes else values
    return values, "percent" if got.percent else "decimals, some cells percent" if got.mixed else ""


def _readable(column: pd.Series, name: Any, options: Options) -> FloatArray:
    """Return the numbers of a column, none where it holds others."""
    try:
        return _number(column, name, "close", options)[0].to_numpy()
    except DataError:
        return np.full(len(column), np.nan)


def _read_fields(
    body: pd.DataFrame,
    fields: dict[Any, str],
    options: Options,
    days: pd.DatetimeIndex,
    who: pd.Series | None = None,
) -> tuple[dict[str, pd.Series], list[Taken], str]:
    """Read the columns of fields in the terms of their vendor; what cannot be read is left out."""

    def same(one: Any, other: Any) -> bool:
        a, b = body[one], body[other]
        return bool(((a == b) | (a.isna() & b.isna())).all())

    chosen = pick_one(fields, options.what, same)
    needed = {"prices": {"close", "adj_close"}, "returns": {"return", "log_return"}, "values": set()}[
        options.want
    ]
    if options.want == "returns" and not {"return", "log_return"} & set(chosen):
        needed = set()
    values: dict[str, pd.Series] = {}
    units: dict[str, str] = {}
    reading: list[Taken] = []
    for fld, name in chosen.items():
        if fld == "status" or (
            options.want == "returns" and fld not in ("return", "log_return", "delisting_return")
        ):
            continue
        try:
            values[fld], units[fld] = _number(body[name], name, fld, options, who)
        except DataError as problem:
            if fld in needed or options.columns.get(str(name)):
                raise
            warn(f"{problem} It is not needed and left out.", DataWarning)
            reading.append(Taken(str(name), "left out", evidence="its cells cannot be read"))
    rounded = "return" in values and plain_name(chosen["return"]) not in TOTAL_RETURN_NAMES
    if rounded and PRICES & set(values) and len(body) > 2 and values["return"].nunique() < 2:
        del values["return"]
        reading.append(Taken(str(chosen["return"]), "left aside", evidence="it never changes"))
    if "return" in values and not units["return"]:
        units["return"] = unit_of_changes(values, chosen["return"], who)
    values, units, notes, adjusted = in_vendor_terms(
        values,
        units,
        chosen,
        options.want,
        Rows(options.what, days, str(options.security) if who is None else who),
    )
    for fld, name in chosen.items():
        if fld in values or fld in notes:
            told = notes.get(fld, ("", ""))
            reading.append(Taken(str(name), fld, units.get(fld, ""), told[0], told[1]))
        elif fld == "status":
            reading.append(Taken(str(name), "status", evidence="days without trade"))
        elif not any(one.column == str(name) for one in reading):
            reading.append(Taken(str(name), "left aside", evidence=f"{options.want} are wanted"))
    reading += [Taken(k, v[0], evidence=v[1]) for k, v in notes.items() if k not in chosen]
    return values, reading, adjusted


def _unused(columns: pd.Index, used: set[Any]) -> list[Taken]:
    left = [str(c) for c in columns if c not in used]
    return [Taken(", ".join(left[:12]) + ", ..." * (len(left) > 12), "not used")] if left else []


def _from_long(body: pd.DataFrame, read: Days, who: Any, why: str, dates: Taken, options: Options) -> Table:
    names, told = long_names(body, who, options)
    fields = roles_of(body.columns.drop(who), options)
    wanted = PRICES | {"return"} if options.want == "prices" else {"return", "log_return"}
    only = ""
    if not (wanted & set(fields.values()) if options.want != "values" else fields):
        fields, only = only_numbers(body, who, fields, options)
    rows = pd.DataFrame({"day": read.stamps, "who": names.to_numpy()})
    day, sessions = pd.factorize(rows["day"], sort=True)
    col, securities = pd.factorize(rows["who"], sort=True)
    cell = day * len(securities) + col
    if _repeats(cell, len(sessions) * len(securities)):
        ticker = find_column(body.columns, UNIQUE_IDS)
        hint = (
            f"; or take the ids: columns={{{str(ticker)!r}: 'security'}}"
            if ticker is not None and ticker != who
            else ""
        )
        row, advice = keep_one(body, cell, str(who), dates.column, fields)
        raise DataError(
            f"{options.what}: {rows['who'].iloc[row]} has more than one row for "
            f"{format_time(rows['day'].iloc[row])}. {advice}{hint}."
        )
    values, reading, adjusted = _read_fields(body, fields, options, read.stamps, rows["who"])
    check_one_currency(body, values, rows["who"], read.stamps, options.what)
    status = next((c for c, f in fields.items() if f == "status"), None)
    if status is not None and values:
        halted = halted_rows(body[status], status, options.what)
        check_halted(halted, body[status], status, rows, values.get("volume"), options.what)
        values = {f: v if f in KEPT_IN_HALT else v.mask(halted) for f, v in values.items()}

    def wide(column: np.ndarray) -> pd.DataFrame:
        out = np.full((len(sessions), len(securities)), np.nan)
        out.reshape(-1)[cell] = column
        return pd.DataFrame(
            out,
            pd.DatetimeIndex(sessions, name="time" if options.timed else "date"),
            [str(s) for s in securities],
        )

    found = {f: wide(v.to_numpy()) for f, v in values.items()}
    indices = {}
    for column in body.columns:
        if plain_name(column) in INDEX_RETURNS:
            series, _ = _number(body[column], column, "return", options)
            daily = pd.Series(series.to_numpy(), read.stamps).groupby(level=0).first()
            indices[str(column)] = daily
            reading.append(
                Taken(str(column), "returns of an index", evidence=f"benchmark={str(column)!r} takes it")
            )
    if only:
        reading = [one._replace(evidence=only) for one in reading]
    used = {who, *fields, *(c for c in body.columns if str(c) in indices)}

    def numbers(name: Any, count: int) -> FloatArray:
        mine = np.flatnonzero(col < count)
        out = np.full((len(sessions), count), np.nan)
        out[day[mine], col[mine]] = _number(body[name].iloc[mine], name, "close", options)[0]
        return out

    if options.want == "prices":
        warn_of_adjusted_closes(options.what, found, [c for c in body.columns if c not in used], numbers)
    reading = [dates, Taken(str(told), "security", evidence=why), *reading, *_unused(body.columns, used)]
    layout = f"long, {len(body)} rows of {len(securities)} securities"
    return Table(found, tuple(reading), layout, read.form, indices, read.step, adjusted)


def _repeats(cell: IntArray, size: int) -> bool:
    """Whether a cell of a wide table is filled more than once."""
    if size <= 16 * len(cell):
        return bool((np.bincount(cell) > 1).any())
    return len(np.unique(cell)) < len(cell)


def _of_one(body: pd.DataFrame, read: Days, fields: dict[Any, str], dates: Taken, options: Options) -> Table:
    values, reading, adjusted = _read_fields(body, fields, options, read.stamps)
    name = str(options.security)
    found: dict[str, pd.DataFrame] = {}
    for f, v in values.items():
        quiet = replace(options, in_file=options.in_file or bool(found))
        found[f] = in_order(pd.DataFrame({name: v.to_numpy()}, read.stamps), quiet)
    order = np.argsort(read.stamps, kind="stable")
    if len(order) == len(next(iter(found.values()), ())):
        warn_of_adjusted_closes(
            options.what,
            found,
            [c for c in body.columns if c not in fields],
            lambda column, _: _readable(body[column], column, options)[order, None],
        )
    reading = [dates, *reading, *_unused(body.columns, set(fields))]
    return Table(found, tuple(reading), "one security", read.form, {}, read.step, adjusted)


def _from_wide(body: pd.DataFrame, read: Days, dates: Taken, options: Options) -> Table:
    columns: dict[str, np.ndarray] = {}
    percent: list[str] = []
    mixed = False
    texts = [name for name in body.columns if options.in_file and is_text(body[name])]
    for name in texts if len(texts) < body.shape[1] else ():
        shown = next(cell for cell in body[name] if not blank_cells(pd.Series([cell]))[0])
        warn(
            f"{options.what}: column {str(name)!r} holds texts, such as {str(shown)[:30]!r}: it is left out.",
            DataWarning,
        )
        body = body.drop(columns=name)
    for name in body.columns:
        where = f"{options.what}: column {str(name)!r}"
        got = numbers_of(body[name], where, missing=options.missing, **_way_of_reading(options))
        columns[str(name).strip()] = got.values
        percent += [str(name)] * got.percent
        mixed |= got.mixed
    if len(columns) < body.shape[1]:
        raise DataError(
            f"{options.what}: duplicate columns, but for blanks: {[str(c) for c in body.columns][:30]}."
        )
    frame = in_order(pd.DataFrame(columns, read.stamps), options)
    what = {"prices": "close", "returns": "return", "values": "value"}[options.want]
    if percent:
        if options.want == "prices":
            raise DataError(
                f"{options.what}: column {percent[0]!r} holds percent, not prices. If the table is of one "
                f"security, say what its price is: columns={{{str(body.columns[0])!r}: 'close'}}."
            )
        frame[percent] = frame[percent] / 100.0
    shown = str(body.columns[0]) if body.shape[1] == 1 else f"{body.shape[1]} columns, {body.columns[0]}, ..."
    unit = "percent" if percent else "decimals, some cells percent" * mixed
    taken = Taken(shown, f"{what}, one column per security", unit)
    left = [Taken(str(name), "left out", evidence="it holds texts") for name in texts if name not in body]
    return Table({what: frame}, (dates, taken, *left), "wide", read.form, {}, read.step)


def _from_levels(frame: pd.DataFrame, options: Options) -> Table:
    """Read columns of two levels, field and security in either order; a level of currencies is dropped."""
    for level in range(frame.columns.nlevels - 1, -1, -1):
        name = plain_name(frame.columns.names[level] or "")
        if frame.columns.nlevels > 2 and name in ("currency", "unit", "source"):
            frame = frame.droplevel(level, axis=1)
    if frame.columns.nlevels > 2:
        raise DataError(
            f"{options.what} have {frame.columns.nlevels} column levels; one or two are understood."
        )
    wanted = {"prices": PRICES, "returns": {"return"}, "values": PRICES | NOT_PRICES}[options.want]
    said = options.columns
    named = [{n: field_of(n, level=True) for n in frame.columns.unique(level)} for level in (0, 1)]
    named = [names | {n: said[str(n)] for n in names if str(n) in said} for names in named]
    at = field_level(frame.columns, named, wanted, options)
    if at is not None:
        return _by_level(frame, at, {n: f for n, f in named[at].items() if f and f != "ignore"}, options)
    for names in named:
        if options.want == "returns" and PRICES & set(names.values()):
            close = next(n for n, f in names.items() if f in PRICES)
            raise DataError(
                f"{options.what}: the columns have two levels and hold prices ({close!r}, ...): make the "
                "market with Market.from_prices."
            )
    raise DataError(
        f"{options.what} have two column levels, and neither holds a field called "
        f"{'close' if options.want == 'prices' else 'return'!r}; the first column is {frame.columns[0]!r}."
    )


def _by_level(frame: pd.DataFrame, level: int, names: dict[Any, str], options: Options) -> Table:
    if isinstance(frame.index, pd.MultiIndex):
        raise DataError(f"{options.what} have two levels of columns and of rows; unstack one of them.")
    if not isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex)):
        named = [c for c in frame.columns if find_column([c[0], c[1]], DATE_NAMES) is not None]
        date = next((c for c in named if not any(map(field_of, c))), None)  # DATE may be a ticker
        if date is not None:
            frame = frame.drop(columns=[date]).set_axis(pd.Index(frame[date]), axis=0)
    read = days_of(pd.Series(frame.index), f"{options.what}: the index", form=options.date_format,
                   timezone=options.timezone, timed=options.timed)  # fmt: skip
    if read.stamps.hasnans:
        raise DataError(
            f"{options.what}: row {int(np.argmax(read.stamps.isna()))} has no date (NaT). Drop or mend it."
        )

    def same(one: Any, other: Any) -> bool:
        a, b = (frame.xs(n, axis=1, level=level) for n in (one, other))
        return bool(pd.DataFrame(a).equals(pd.DataFrame(b)))

    chosen = pick_one(names, options.what, same)
    fields: dict[str, pd.DataFrame] = {}
    reading = list(reading_of(frame))
    known = {one.column for one in reading}
    own = [] if reading else [Taken("index", "date", evidence=f"read as {read.form}")]
    quiet = replace(options, want="values", in_file=True)  # what is said of one field is said of all
    for fld, name in chosen.items():
        part = pd.DataFrame(frame.xs(name, axis=1, level=level))
        part = part.set_axis([str(c).strip() for c in part.columns], axis=1)
        if not part.columns.is_unique:
            twice = part.columns[part.columns.duplicated()].unique().tolist()
            raise DataError(f"{options.what} ({fld}): duplicate columns: {twice}. Keep one of each.")
        what = replace(quiet if fields else options, what=f"{options.what} ({fld})")
        stacked = {
            column: _number(part[column], f"{name}, {column}", fld, what)[0].to_numpy()
            for column in part.columns
        }
        if fld == "status":
            continue
        fields[fld] = in_order(pd.DataFrame(stacked, read.stamps), what)
        if fld not in known and not known:
            own.append(Taken(str(name), fld))
    adjusted = frame.attrs.get("adjusted", "") or in_vendor_terms({}, {}, chosen, options.want)[3]
    left = [str(n) for n in frame.columns.unique(level) if n not in chosen.values()]
    at = np.argsort(read.stamps, kind="stable")
    if options.want == "prices" and read.stamps.is_unique:
        warn_of_adjusted_closes(
            options.what,
            fields,
            [n for n in frame.columns.unique(level) if n not in chosen.values()],
            lambda name, count: np.column_stack(
                [_readable(c, name, options) for c in _like(frame, name, level, fields["close"], count)]
            )[at],
        )
    if left and not known:
        own.append(Taken(", ".join(left[:12]), "not used"))
    return Table(
        fields,
        (*reading, *own),
        "fields and securities in two column levels",
        read.form,
        {},
        read.step,
        adjusted,
    )


def _like(frame: pd.DataFrame, name: Any, level: int, close: pd.DataFrame, count: int) -> list[pd.Series]:
    """Return a column of two levels for each of the first securities, in the order of the closes."""
    part = pd.DataFrame(frame.xs(name, axis=1, level=level))
    part = part.set_axis([str(c).strip() for c in part.columns], axis=1)
    part = part.reindex(columns=close.columns[:count])
    return [part[c] for c in part]


def _from_mapping(given: Mapping[Any, Any], options: Options) -> Table:
    """Read one table for each security, by name."""
    if not given:
        raise DataError(f"{options.what}: the mapping is empty.")
    tables = {}
    for name, each in given.items():
        frame = as_frame(each, f"{options.what} of {name}")
        if not isinstance(frame, pd.DataFrame):
            raise DataError(f"{options.what} of {name} must be a DataFrame, got {type(each).__name__}.")
        own = replace(options, what=f"{options.what} of {name}", security=str(name))
        if frame.columns.nlevels == 1 and frame.shape[1] == 1 and _is_dated(frame):
            frame = frame.set_axis([str(name)], axis=1)
        tables[str(name)] = read_frame(frame, own)
    names = list(dict.fromkeys(f for table in tables.values() for f in table.fields))
    fields = {}
    for fld in names:
        parts = []
        for name, table in tables.items():
            if fld in table.fields:
                part = table.fields[fld]
                parts.append(part.set_axis([name], axis=1) if part.shape[1] == 1 else part)
        fields[fld] = pd.concat(parts, axis=1, sort=True)
        if not fields[fld].columns.is_unique:
            twice = fields[fld].columns[fields[fld].columns.duplicated()].tolist()
            raise DataError(f"{options.what}: two of the tables hold {twice[0]!r}.")
    first = next(iter(tables.values()))
    steps = {table.step for table in tables.values()}
    if len(steps) > 1:
        raise DataError(f"{options.what}: some tables hold days and others longer periods.")
    adjusted = {table.adjusted for table in tables.values()}
    return Table(
        fields, first.reading, f"{len(tables)} tables", first.dates, {}, first.step,
        adjusted.pop() if len(adjusted) == 1 else "",
    )  # fmt: skip


def _is_dated(frame: pd.DataFrame) -> bool:
    return isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex)) or not isinstance(
        frame.index, pd.RangeIndex
    )
