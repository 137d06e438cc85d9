"""Frames and options → one set of arrays over the sessions of a market."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.arguments import check_choice
from eventstudy.calendars import Exchange
from eventstudy.errors import CalendarWarning, DataError, warn
from eventstudy.immutable import FrozenRecord
from eventstudy.interop import ForeignTable
from eventstudy.market.compounding import LEVELS, ReturnKind, price_returns, return_spans
from eventstudy.market.daily_moves import warn_of_shifted_weeks
from eventstudy.market.date_columns import Benchmark, dated_benchmark
from eventstudy.market.given_options import PLAIN, Making
from eventstudy.market.holes import meaning_of_holes
from eventstudy.market.price_limits import PriceLimit
from eventstudy.market.trading_days import compounded_to
from eventstudy.market.units import check_factors, check_returns, no_returns, refuse_relatives
from eventstudy.market.wide_and_long import (
    align_series,
    check_prices,
    same_bars,
    warn_of_lost_days,
    wide_frame,
)
from eventstudy.tabular.reading import Taken
from eventstudy.text import plural

__all__ = [
    "Benchmark",
    "Factors",
    "MarketArrays",
    "MarketData",
    "align_benchmarks",
    "align_to_sessions",
    "check_choice",
    "factor_rows",
    "index_benchmark",
    "lay_factors",
    "timezone_of",
    "with_holes_read",
]

Factors = pd.DataFrame | ForeignTable | Mapping[str, pd.DataFrame | ForeignTable]

#: Rounding noise of returns.
SAME = 1e-9


@dataclass(frozen=True)
class MarketArrays(FrozenRecord):
    """Returns of S securities over T sessions, one row per security.

    Attributes
    ----------
    returns, spans : arrays, shape (S, T)
        Returns, NaN where there was no trade, and the sessions each spans, 0 where there is none.
    single : array, shape (S, T)
        Returns that span one session, NaN elsewhere.
    benchmark : array of int, shape (S,)
        Each security's benchmark, as a row of ``Market.bank``; -1 where it has none.
    gap : array of int8, shape (T,), optional
        What each row of an intraday market is, a `Gap`: a bar, or the gap before trading hours, whose return
        is not a `single` one.
    unit : {"D", "m", "s"}
        In which sessions are told apart: days, or minutes or seconds of intraday bars.
    freq : str, optional
        Length of an intraday bar, as given.
    factor_rows : mapping of str to mapping of str to int
        Rows of ``Market.bank`` of the factors, by set of factors and name; a set given without a name is "".
    unsaid : array of bool, shape (S, T), optional
        Returns after missing ones that may span these or not.
    gaps : {"lumped", "single"}, optional
        What returns after missing ones were said to be.
    making : Making
        Other options that the market was made with, and whether its returns are those in another currency.
    """

    returns: FloatArray
    spans: IntArray
    single: FloatArray
    benchmark: IntArray
    factor_rows: Mapping[str, Mapping[str, int]]
    gap: npt.NDArray[np.int8] | None = None
    unit: Literal["D", "m", "s"] = "D"
    freq: str | None = None
    unsaid: BoolArray | None = None
    gaps: str | None = None
    making: Making = PLAIN


@dataclass(frozen=True)
class MarketData(FrozenRecord):
    """What a market holds, all laid on the same sessions."""

    sessions: pd.DatetimeIndex
    columns: tuple[str, ...]
    returns: FloatArray  # (S, T), one row per security
    spans: IntArray  # (S, T)
    fields: Mapping[str, pd.DataFrame]  # prices by field, T × S
    factors: pd.DataFrame | None
    kind: ReturnKind
    lumped: bool  # whether a return after missing ones spans them
    exchange: Exchange | None
    price_limit: PriceLimit
    tick: float | None
    special: BoolArray | None  # sessions under special treatment, T × S
    lacking: pd.DatetimeIndex  # sessions of the exchange on which nothing has data
    unknown: pd.DatetimeIndex  # dates of the data that are not sessions of the exchange
    bad_prices: pd.DataFrame  # date, security, field and value of prices taken for missing
    freq: str | None = None  # length of an intraday bar; sessions are then the times at which rows end
    gap: npt.NDArray[np.int8] | None = None  # (T,), as in MarketArrays
    reading: tuple[Taken, ...] = ()  # what the columns were taken for
    total: bool | None = None  # whether returns count dividends, None where it cannot be told
    unsaid: BoolArray | None = None  # (S, T), returns after missing ones of which nobody said what they span
    gaps: str | None = None  # what returns after missing ones were said to be
    stamps: str = "auto"  # which end of bars longer than a day the stamps are
    said_unit: str | None = None  # unit that returns and benchmarks were said to be in
    padded: pd.DatetimeIndex | None = None  # rows on which every series stood still, left out as holidays
    making: Making = PLAIN  # options it was made with, and conversions of its currency
    undated: bool = False  # whether the data is in event time, and the dates of its sessions are made up
    beside: npt.NDArray[np.int8] | None = None  # (T, S), returns beside closes that stand out

    @property
    def unit(self) -> Literal["D", "m", "s"]:
        """Unit in which sessions are told apart; see `MarketArrays`."""
        if self.gap is None:
            return "D"
        return "s" if self.sessions.second.any() else "m"

    @property
    def has_limits(self) -> bool:
        """Whether daily price limits can be computed."""
        return "close" in self.fields and self.gap is None


def timezone_of(calendar: str | Exchange | None) -> str | None:
    """Return the time zone of an exchange, None where there is none."""
    return None if calendar is None else Exchange.of(calendar).timezone


def align_to_sessions(
    fields: Mapping[str, pd.DataFrame], exchange: Exchange | None, sessions: str, kind: str = "prices"
) -> tuple[dict[str, pd.DataFrame], pd.DatetimeIndex, pd.DatetimeIndex]:
    """Lay frames on common sessions: the calendar's between the first and last date of the data.

    `kind` is that of the returns that are laid, or ``"prices"``; returns of days between sessions count in
    the next return of their series.

    Returns
    -------
    fields : dict of str to DataFrame
    lacking : DatetimeIndex
        Sessions of the exchange that the data lacks.
    unknown : DatetimeIndex
        Dates of the data that are not sessions; left out, unless sessions are those of the data.
    """
    base = fields.get("close", next(iter(fields.values())))
    returns = kind != "prices" and kind not in LEVELS
    index = pd.DatetimeIndex(base.index)
    for frame in fields.values():
        index = index.union(pd.DatetimeIndex(frame.index))
    lacking = unknown = index[:0]
    if exchange is None:
        if sessions == "calendar":
            warn_of_shifted_weeks(index)
    else:
        expected = exchange.sessions(index[0], index[-1]).rename("date")
        lacking, unknown = expected.difference(index), index.difference(expected)
        if sessions == "calendar":
            told = unknown.difference(pd.DatetimeIndex(list(exchange.closed)))
            _warn_of_calendar(exchange.code, lacking, told, len(index), returns)
            index = expected
            if returns:
                fields = {name: compounded_to(each, expected, kind) for name, each in fields.items()}
    columns = base.columns
    laid = {name: frame.reindex(index=index, columns=columns) for name, frame in fields.items()}
    return laid, lacking, unknown


def _warn_of_calendar(
    code: str, lacking: pd.DatetimeIndex, unknown: pd.DatetimeIndex, n_days: int, returns: bool
) -> None:
    then = ", and their returns are compounded into those of the next sessions" if returns else ""
    doubt = f" Is {code} the right calendar?" if len(unknown) > n_days / 100 and len(unknown) > 2 else ""
    if len(unknown):
        warn(
            f"{plural(len(unknown), 'date')} of the data "
            f"{'is not a session' if len(unknown) == 1 else 'are not sessions'} of {code} and left out{then}"
            f": {_days(unknown)}. If the exchange did trade then, say so: "
            f"calendar=es.Exchange({code!r}, extra=[...]), or sessions='data' to follow the data.{doubt}",
            CalendarWarning,
        )
    if len(lacking):
        warn(
            f"The data lacks {plural(len(lacking), 'session')} of {code}: {_days(lacking)}. The returns "
            "after them span several sessions and are treated so. If the exchange was closed then, say so: "
            f"calendar=es.Exchange({code!r}, closed=[...]).",
            CalendarWarning,
        )


def _days(days: pd.DatetimeIndex) -> str:
    return ", ".join(f"{d:%Y-%m-%d}" for d in days[:5]) + ", ..." * (len(days) > 5)


def lay_factors(
    factors: Factors | None,
    sessions: pd.DatetimeIndex,
    exchange: Exchange | None,
    kind: ReturnKind,
    timed: bool = False,
    stamps: str = "auto",
) -> pd.DataFrame | None:
    """Lay factors on the sessions; days they lack are missing. Several sets make two column levels."""
    if factors is None:
        return None
    if isinstance(factors, pd.DataFrame) and factors.columns.nlevels == 2:
        factors = {name: pd.DataFrame(factors[name]) for name in factors.columns.unique(0)}
    if isinstance(factors, Mapping):
        sets = {str(name).strip(): frame for name, frame in factors.items()}
        if not sets or not all(sets) or len(sets) < len(factors):
            raise DataError(
                "Sets of factors need names, each its own, such as factors={'CN': frame, 'US': frame}; got "
                f"{list(factors)}."
            )
        return pd.concat(
            {
                of: _lay_set(each, sessions, exchange, kind, timed, f" of {of}", stamps)
                for of, each in sets.items()
            },
            axis=1,
        )
    return _lay_set(factors, sessions, exchange, kind, timed, "", stamps)


def _lay_set(
    factors: pd.DataFrame | ForeignTable,
    sessions: pd.DatetimeIndex,
    exchange: Exchange | None,
    kind: ReturnKind,
    timed: bool,
    of: str,
    stamps: str,
) -> pd.DataFrame:
    wide = wide_frame(factors, f"Factors{of}", timezone_of(exchange), timed)
    wide = same_bars(wide, sessions, f"Factors{of}", stamps) if not timed else wide
    if not wide.index.isin(sessions).any():
        raise DataError(
            f"Factors{of} have no day in common with the market: they run from {wide.index[0]:%Y-%m-%d} to "
            f"{wide.index[-1]:%Y-%m-%d}."
        )
    check_factors(wide, f"Factors{of}", kind)
    if kind in LEVELS:
        warn_of_lost_days(pd.DatetimeIndex(wide.index), sessions, f"Factors{of}")
        return wide.reindex(sessions)
    return compounded_to(wide, sessions, kind, no_returns(wide)).reindex(sessions)


def factor_rows(factors: pd.DataFrame | None, first: int) -> dict[str, dict[str, int]]:
    """Rows of laid factors, by set and name, where the first of them is row `first`."""
    rows: dict[str, dict[str, int]] = {}
    for row, column in enumerate([] if factors is None else factors.columns, start=first):
        of, name = column if isinstance(column, tuple) else ("", column)
        rows.setdefault(of, {})[str(name)] = row
    return rows


def index_benchmark(
    benchmark: Benchmark | None,
    columns: tuple[str, ...],
    known: Mapping[str, pd.Series],
    prices: bool = False,
) -> Benchmark | None:
    """Return the returns of an index that a long table repeats in each row, where a benchmark names them.

    With `prices`, as the level of the index.
    """
    if not isinstance(benchmark, str) or benchmark in columns or benchmark not in known:
        return benchmark
    series = known[benchmark]
    if not prices:
        return series.rename(benchmark)
    level = (1.0 + series.fillna(0.0)).cumprod().where(series.notna())
    start = pd.Series([1.0], index=[series.index[0] - pd.Timedelta(days=1)])
    joined: pd.Series = pd.concat([start, level])
    return joined.rename(benchmark)


def _is_another(name: str, returns: FloatArray, data: MarketData) -> bool:
    """Say whether a column of the data has the name of a series, but other returns."""
    if name not in data.columns:
        return False
    own = data.returns[data.columns.index(name)]
    return not np.allclose(own, returns, rtol=SAME, atol=SAME, equal_nan=True)


def align_benchmarks(
    data: MarketData, benchmark: Benchmark | None, is_price: bool
) -> tuple[list[str], list[FloatArray], list[IntArray], IntArray]:
    """Lay benchmarks on the sessions.

    Returns
    -------
    names, values, spans : lists, one entry a benchmark
    of : array of int, shape (S,)
        Each security's benchmark, -1 where it has none.
    """
    names: list[str] = []
    given_names: list[str] = []
    values: list[FloatArray] = []
    spans: list[IntArray] = []
    of = np.full(len(data.columns), -1, dtype=np.int64)

    def add(given: str | pd.Series, where: str) -> int:
        if isinstance(given, str):
            if given not in data.columns:
                alike = [name for name in data.columns if name.casefold() == given.casefold()]
                close = alike or difflib.get_close_matches(given, data.columns, n=3)
                hint = (
                    f" Did you mean {' or '.join(close)}?" if close else f" Columns: {_some(data.columns)}."
                )
                raise DataError(f"{where} {given!r} is not a column of the data.{hint}")
            name, row = given, data.columns.index(given)
            value, span = data.returns[row], data.spans[row]
        else:
            frame = align_series(
                given,
                data.sessions,
                where,
                timezone_of(data.exchange),
                is_price,
                data.freq is not None,
                data.stamps,
                data.kind,
            )
            name = str(frame.columns[0])
            if is_price:
                checked = check_prices(frame, "raise", f"{where}: prices")
                refuse_relatives(checked, where)
                value, span = (a[:, 0] for a in price_returns(checked.to_numpy(), None, data.kind))
            else:
                frame = frame * (0.01 if data.said_unit == "percent" else 1.0)
                check_returns(frame, where, data.kind, "decimal" if data.said_unit else None)
                value = frame.to_numpy()[:, 0]
                span = return_spans(value[:, None], data.lumped)[:, 0]
        if np.isnan(value).all():
            raise DataError(f"{where} {name!r} has no return on any session of the market.")
        # The same series given for many securities is one benchmark; two series of one name are two.
        for row, (known, told) in enumerate(zip(values, given_names, strict=True)):
            if told == name and np.array_equal(known, value, equal_nan=True):
                return row
        given_names.append(name)
        taken = name in names or (not isinstance(given, str) and _is_another(name, value, data))
        names.append(f"{name} ({where})" if taken else name)
        values.append(value)
        spans.append(span)
        return len(names) - 1

    dated = dated_benchmark(
        benchmark, "prices" if is_price else "returns", timezone_of(data.exchange), data.freq is not None
    )
    if isinstance(dated, Mapping):
        for security, given in dated.items():
            if security not in data.columns:
                raise DataError(
                    f"benchmark names the security {security!r}, which is not a column of the data."
                )
            of[data.columns.index(security)] = add(given, f"Benchmark of {security}")
    elif isinstance(dated, (str, pd.Series)):
        of[:] = add(dated, "Benchmark")
    elif dated is not None:
        raise DataError(
            "benchmark must be a column name, a Series or a mapping by security, got "
            f"{type(benchmark).__name__}."
        )
    return names, values, spans, of


def with_holes_read(
    data: MarketData, values: list[FloatArray], spans: list[IntArray], of: IntArray
) -> MarketData:
    """Return data of which the benchmarks have said, where they can, what returns after missing ones span."""
    if data.unsaid is None or not data.unsaid.any() or not values:
        return data
    single = np.where(np.array(spans) == 1, np.array(values), np.nan)
    meaning = meaning_of_holes(data.returns, data.unsaid, data.spans, single, of)
    if meaning is None:
        return data
    n = int(data.unsaid.sum())
    row = Taken(
        "returns", "return", evidence=f"{meaning}: {n} returns after missing ones move so with the benchmark"
    )
    if meaning == "single":
        one = return_spans(data.returns.T, lumped=False).T
        data = replace(data, spans=np.ascontiguousarray(one), lumped=False)
    return replace(data, unsaid=None, reading=(*data.reading, row))


def _some(columns: tuple[str, ...]) -> str:
    return ", ".join(columns[:8]) + (", ..." if len(columns) > 8 else "")
