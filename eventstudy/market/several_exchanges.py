"""Markets of several exchanges: which security is traded where, and the market of each exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.calendars import Exchange, exchange_of, suggested_calendar
from eventstudy.errors import CalendarError, DataError, DataWarning, warn
from eventstudy.market.alignment import Benchmark, Factors, MarketData
from eventstudy.market.compounding import LEVELS
from eventstudy.market.date_columns import LaidBenchmark, dated_benchmark
from eventstudy.market.filled_holidays import filled_holidays
from eventstudy.market.price_fields import without_halted
from eventstudy.market.trading_days import idle_rows, interpolated_rows, told, trading_groups
from eventstudy.market.units import step_in_days
from eventstudy.market.wide_and_long import wide_frame
from eventstudy.tabular.frames import KEPT_IN_HALT, Table
from eventstudy.tabular.reading import Taken
from eventstudy.text import plural

__all__ = [
    "NO_IDLE",
    "Calendar",
    "Group",
    "Idle",
    "by_calendar",
    "by_trading_days",
    "one_exchange",
    "own_benchmark",
    "own_table",
    "sole_exchange",
    "without_filled",
    "without_idle",
]

Calendar = str | Exchange | Mapping[str, str | Exchange]
#: Groups of columns from which on a table is not split without calendars.
MOST_GROUPS = 60


class Group(NamedTuple):
    """Columns of one exchange: its name, and its calendar or its days of trade."""

    name: str
    columns: tuple[str, ...]
    exchange: Exchange | None = None
    days: pd.DatetimeIndex | None = None


class Idle(NamedTuple):
    """Rows that do not count as sessions: those that were filled, and what the reading says of them."""

    padded: pd.DatetimeIndex
    reading: tuple[Taken, ...] = ()


NO_IDLE = Idle(pd.DatetimeIndex([]).as_unit("ns"))


def one_exchange(calendar: Calendar | None) -> Exchange | None:
    """Return the exchange of all securities, None where there is none or it depends on the security."""
    if calendar is None or (isinstance(calendar, str) and calendar == "auto"):
        return None
    if not isinstance(calendar, Mapping):
        return Exchange.of(calendar)
    known = {Exchange.of(each) for each in calendar.values()}
    return next(iter(known)) if len(known) == 1 else None


def sole_exchange(
    calendar: Calendar | None, columns: Sequence[str], benchmark: Benchmark | None
) -> Exchange | None:
    """Return the exchange of all columns, None where there is none or there are several.

    Raises
    ------
    DataError, CalendarError
        As `by_calendar`.
    """
    groups = by_calendar(calendar, columns, benchmark)
    if isinstance(calendar, Mapping) or calendar == "auto":
        return groups[0].exchange if len(groups) == 1 else None
    return one_exchange(calendar)


def by_calendar(
    calendar: Calendar | None, columns: Sequence[str], benchmark: Benchmark | None
) -> list[Group]:
    """Group columns by their exchanges; empty where one calendar, or none, is given for all.

    Raises
    ------
    DataError
        If a mapping names a security that is not a column, or leaves out one that is not a benchmark.
    CalendarError
        If the exchange of a security does not follow from its name.
    """
    if not isinstance(calendar, Mapping) and calendar != "auto":
        return []
    known = {*columns}
    named = {
        name if name in known else str(name): each
        for name, each in (calendar.items() if isinstance(calendar, Mapping) else ())
    }
    strange = [name for name in named if name not in columns]
    if strange:
        raise DataError(f"calendar names the security {strange[0]!r}, which is not a column of the data.")
    given = list(benchmark.values()) if isinstance(benchmark, Mapping) else [benchmark]
    spared = {each for each in given if isinstance(each, str)}
    found: dict[Exchange, list[str]] = {}
    for name in columns:
        if isinstance(calendar, Mapping) and name not in named:
            if name in spared:
                continue
            raise DataError(
                f"calendar= does not name the exchange of {name!r}. Name it too, or leave the column out."
            )
        try:
            where = Exchange.of(named[name] if name in named else exchange_of(name))
        except CalendarError as problem:
            if name in spared:
                continue
            raise CalendarError(
                f"{problem} By security: calendar={{{name!r}: {suggested_calendar(name)!r}, ...}}; a "
                "benchmark needs none."
            ) from None
        found.setdefault(where, []).append(name)
    return [Group(where.code, tuple(names), where) for where, names in found.items()]


def by_trading_days(
    data: MarketData, benchmarks: FloatArray, own: Sequence[int], names: Sequence[str]
) -> list[Group]:
    """Group columns by the days on which they trade; see `trading_groups`.

    Parameters
    ----------
    data : MarketData
    benchmarks : array, shape (K, T)
        Returns of the benchmarks.
    own : sequence of int, length S
        Each column's benchmark, -1 where it has none.
    names : sequence of str, length K
    """
    seen = ~np.isnan(data.returns).T
    base = data.fields.get("adj_close", data.fields.get("close"))
    if base is not None:
        seen = base.notna().to_numpy()
    unit = np.array(own, dtype=np.int64)
    for row, name in enumerate(names):
        if name in data.columns:
            unit[data.columns.index(name)] = row
    more = [row for row, name in enumerate(names) if name not in data.columns]
    if len(names) < 2:
        unit[:] = -1
    known = np.concatenate([seen, ~np.isnan(benchmarks[more]).T], axis=1)
    if known.all():
        return []
    units = np.concatenate([unit, np.array(more if len(names) > 1 else [-1] * len(more), dtype=np.int64)])
    every = [*data.columns, *(names[row] for row in more)]
    found = trading_groups(known, data.sessions, every, units)
    groups = [(columns[columns < len(data.columns)], days) for columns, days in found]
    groups = [(columns, days) for columns, days in groups if len(columns)]
    if not groups or (len(groups) == 1 and groups[0][1].all()):
        return []
    text = told(found, every)
    if len(groups) > MOST_GROUPS:
        raise DataError(
            f"Columns trade on {len(groups)} different sets of days: {text}. Say on which exchange each is "
            "traded, calendar={'002415.SZ': 'XSHG', ...} or calendar='auto', or choose sessions='data' to "
            "take every row for a session of all."
        )
    warn(
        f"Columns trade on different days and are taken for {len(found)} exchanges, each on its own days: "
        f"{text}. calendar='auto', or a mapping by security, says better; sessions='data' takes every row "
        "for a session of all.",
        DataWarning,
    )
    return [
        Group(data.columns[columns[0]], tuple(data.columns[c] for c in columns), None, data.sessions[days])
        for columns, days in groups
    ]


def own_table(table: Table, group: Group) -> Table:
    """Return the columns of a group, on the rows on which one of them has a value."""
    columns = list(group.columns)
    fields = {name: frame[columns] for name, frame in table.fields.items()}
    if group.days is not None:
        fields = {name: frame[frame.index.isin(group.days)] for name, frame in fields.items()}
    else:
        first = next(iter(fields.values()))
        filled = np.zeros(len(first), dtype=bool)
        for frame in fields.values():
            if frame.index.equals(first.index):
                filled |= frame.notna().any(axis=1).to_numpy()
        fields = {
            name: frame[filled] if frame.index.equals(first.index) else frame
            for name, frame in fields.items()
        }
    return table._replace(fields=fields)


def own_benchmark(benchmark: Benchmark | None, data: MarketData, columns: Sequence[str]) -> Any:
    """Return the benchmark of a group; of another group's column, its returns, or its level for prices."""
    if isinstance(benchmark, Mapping):
        return {who: own_benchmark(each, data, columns) for who, each in benchmark.items() if who in columns}
    if not isinstance(benchmark, str) or benchmark in columns or benchmark not in data.columns:
        return benchmark
    row = data.columns.index(benchmark)
    returns = pd.Series(data.returns[row], data.sessions, name=benchmark).dropna()
    if not data.fields:
        return returns * (100.0 if data.said_unit == "percent" else 1.0)
    growth = returns if data.kind == "log" else returns.map(np.log1p)
    first = int(np.argmax(~np.isnan(data.returns[row])))
    days = data.sessions[[first - int(data.spans[row, first])]].append(pd.DatetimeIndex(growth.index))
    return pd.Series(np.exp(np.concatenate([[0.0], growth.cumsum()])), days, name=benchmark)


def without_idle(
    fields: Mapping[str, pd.DataFrame], benchmark: Benchmark | None, factors: Factors | None, kind: str
) -> tuple[dict[str, pd.DataFrame], Idle]:
    """Leave out the rows of a table on which nothing trades, where no calendar says which are sessions.

    `kind` is that of the returns, or ``"prices"``.
    """
    prices = kind == "prices"
    table = without_halted(dict(fields)) if prices else dict(fields)
    base = table.get("adj_close", table.get("close", next(iter(table.values()))))
    index = pd.DatetimeIndex(base.index)
    values = base.to_numpy(dtype=np.float64)
    none = np.zeros(len(index), dtype=bool)
    known = none.copy()
    for name in ("reference", "previous_close", "open", "high", "low") if prices else ():
        if name in table:
            known |= table[name].reindex(index).notna().any(axis=1).to_numpy()
    for name, neutral in (("dividends", (0.0,)), ("splits", (0.0, 1.0))):  # a share that is suspended may pay
        if name in table:
            known |= (table[name].notna() & ~table[name].isin(neutral)).any(axis=1).to_numpy()
    empty, padded = idle_rows(values, prices, known, none, chance=np.inf)
    drawn = interpolated_rows(values, chance=np.inf) if prices and _is_daily(index) else none
    if not (empty.any() or padded.any() or drawn.any()):
        return dict(fields), NO_IDLE
    others = [
        _on(series, index)
        for series in _series_of(dated_benchmark(benchmark, "prices" if prices else "returns"))
    ]
    moves = none.copy()
    for frame in _factor_frames(factors):
        # A rate of interest that stays the same from day to day is known on holidays too.
        steady = frame.eq(frame.shift()).sum() > frame.notna().sum() / 2
        laid = frame.loc[:, ~steady].reindex(index)
        known |= laid.notna().any(axis=1).to_numpy()
        moves |= laid.fillna(0.0).ne(0.0).any(axis=1).to_numpy()
    every = np.column_stack([values, *others])
    empty, padded = idle_rows(every, prices, known, moves)
    if every.shape[1] == 1 and _is_daily(index):
        # A series on its own has nothing beside it that moves on holidays, so a clock takes that place.
        clock = np.arange(1.0, len(index) + 1.0)
        padded = filled_holidays(np.column_stack([every, clock]), prices, index).missing[:, 0] & ~moves
    if kind in LEVELS:
        padded[:] = False
    drawn = interpolated_rows(every) & ~moves if drawn.any() else none
    if not (empty.any() or padded.any() or drawn.any()):
        return dict(fields), NO_IDLE
    reading = []
    if empty.any():
        reading.append(_noted(index[empty], "no value"))
    if padded.any():
        reading.append(_noted(index[padded], "every series stands still"))
        warn(
            f"Every series stands still on {plural(int(padded.sum()), 'row')}, taken for holidays that were "
            f"filled and left out: {_days(index[padded])}. sessions='data' keeps such rows.",
            DataWarning,
        )
    if drawn.any():
        reading.append(_noted(index[drawn], "every price lies between its neighbours"))
        warn(
            f"On {plural(int(drawn.sum()), 'row')} every price lies on the line between those before and "
            f"after it: {_days(index[drawn])}. They are taken for days without trade that were "
            "interpolated, and left out; sessions='data' keeps such rows.",
            DataWarning,
        )
    idle = index[empty | padded | drawn]
    kept = {name: frame[~frame.index.isin(idle)] for name, frame in fields.items()}
    return kept, Idle(index[padded | drawn].as_unit("ns"), tuple(reading))


def without_filled(table: Table, benchmark: Benchmark | None, kind: str) -> tuple[Table, Benchmark | None]:
    """Take prices and returns that fill the holidays of some columns for missing; see `filled_holidays`.

    `kind` is that of the returns, or ``"prices"``.
    """
    prices = kind == "prices"
    fields = without_halted(table.fields) if prices else table.fields
    base = fields.get("adj_close", fields.get("close", next(iter(fields.values()))))
    index = pd.DatetimeIndex(base.index)
    if kind in LEVELS or table.step is not None or not _is_daily(index):
        return table, benchmark
    dated = dated_benchmark(benchmark, "prices" if prices else "returns")
    outside = _series_of(dated)
    names = [*base.columns, *("benchmark" if each.name is None else str(each.name) for each in outside)]
    values = np.column_stack([base.to_numpy(dtype=np.float64), *(_on(each, index) for each in outside)])
    inside = dated.values() if isinstance(dated, Mapping) else [dated]
    known = {each for each in inside if isinstance(each, str)}
    is_benchmark = [k for k, name in enumerate(names) if k >= len(base.columns) or name in known]
    place = {name: k for k, name in enumerate(base.columns)}
    place_of = {id(each): len(place) + k for k, each in enumerate(outside)}
    by_column = dated if isinstance(dated, Mapping) else dict.fromkeys(base.columns, dated)
    own_row = {
        place[who]: place[each] if isinstance(each, str) else place_of[id(each)]
        for who, each in by_column.items()
        if who in place and (each in place if isinstance(each, str) else id(each) in place_of)
    }
    found = filled_holidays(values, prices, index, is_benchmark, own_row)
    _warn_of_filled(found.missing, names, index, "taken for holidays that were filled, and for missing")
    _warn_of_filled(
        found.doubtful,
        names,
        index,
        "as on holidays that were filled, but kept, since other days of theirs are missing",
    )
    filled = found.missing
    if not filled.any():
        return table, benchmark
    own = pd.DataFrame(filled[:, : len(base.columns)], index, base.columns)
    masked = {
        name: frame
        if name in KEPT_IN_HALT
        else frame.mask(own.reindex(index=frame.index, columns=frame.columns, fill_value=False))
        for name, frame in table.fields.items()
    }
    shut = {id(each): index[np.asarray(filled[:, len(own.columns) + k])] for k, each in enumerate(outside)}

    def opened(each: Any) -> Any:
        if id(each) not in shut:
            return each
        series = _dated(each)
        return series[~series.index.isin(shut[id(each)])].rename(each.name)

    if isinstance(dated, Mapping):
        return table._replace(fields=masked), {who: opened(each) for who, each in dated.items()}
    return table._replace(fields=masked), opened(dated)


def _is_daily(index: pd.DatetimeIndex) -> bool:
    return bool(len(index)) and step_in_days(index) <= 1.0 and index.equals(index.normalize())


def _warn_of_filled(cells: BoolArray, names: Sequence[str], index: pd.DatetimeIndex, meaning: str) -> None:
    if not cells.any():
        return
    columns, days = np.flatnonzero(cells.any(axis=0)).tolist(), index[np.asarray(cells.any(axis=1))]
    warn(
        f"{', '.join(names[c] for c in columns[:5])}{', ...' * (len(columns) > 5)}: unchanged on "
        f"{plural(len(days), 'day')} on which others move, {meaning}: {_days(days)}. calendar='auto', or a "
        "mapping by security, says which days are sessions; sessions='data' takes the rows as they are.",
        DataWarning,
    )


def _noted(days: pd.DatetimeIndex, why: str) -> Taken:
    return Taken("rows", "no session", evidence=f"{plural(len(days), 'row')}, {why}: {_days(days)}")


def _days(days: pd.DatetimeIndex) -> str:
    return ", ".join(f"{d:%Y-%m-%d}" for d in days[:5]) + ", ..." * (len(days) > 5)


def _series_of(dated: LaidBenchmark | None) -> list[pd.Series]:
    """Return the different series among benchmarks."""
    given = list(dated.values()) if isinstance(dated, Mapping) else [dated]
    return list({id(each): each for each in given if isinstance(each, pd.Series)}.values())


def _dated(series: pd.Series) -> pd.Series:
    name = "benchmark" if series.name is None else str(series.name)
    return wide_frame(series.to_frame(name), "Benchmark", None, False).iloc[:, 0]


def _on(series: pd.Series, index: pd.DatetimeIndex) -> FloatArray:
    return np.asarray(_dated(series).reindex(index).to_numpy(dtype=np.float64))


def _factor_frames(factors: Factors | None) -> list[pd.DataFrame]:
    if factors is None:
        return []
    if isinstance(factors, pd.DataFrame) and factors.columns.nlevels == 2:
        factors = {str(name): pd.DataFrame(factors[name]) for name in factors.columns.unique(0)}
    sets = list(factors.values()) if isinstance(factors, Mapping) else [factors]
    return [wide_frame(each, "Factors", None, False) for each in sets]
