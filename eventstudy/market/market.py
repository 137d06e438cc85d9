"""Market: sessions × securities of returns, with what is needed to judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from eventstudy.calendars import Exchange
from eventstudy.column_names import factor_name
from eventstudy.errors import DataError, RequestError
from eventstudy.interop import ForeignTable
from eventstudy.market.adjustment import Adjustment, check_adjustment, with_adj_close, with_payouts
from eventstudy.market.alignment import (
    Benchmark,
    Factors,
    MarketArrays,
    MarketData,
    align_benchmarks,
    align_to_sessions,
    check_choice,
    factor_rows,
    index_benchmark,
    lay_factors,
    timezone_of,
    with_holes_read,
)
from eventstudy.market.beside_closes import beside_closes, contradicted_closes, said_beside
from eventstudy.market.compounding import LEVELS, CompoundedSeries, ReturnKind, price_returns, return_spans
from eventstudy.market.daily_moves import (
    warn_of_another_day,
    warn_of_backward_returns,
    warn_of_odd_moves,
)
from eventstudy.market.data_checks import Suspects, audit, benchmark_faults, factor_faults, suspects
from eventstudy.market.given_options import Making, given_options
from eventstudy.market.holes import unsaid_holes
from eventstudy.market.intraday import Gap, bar_grid, benchmark_on_bars, check_freq, lay_on_bars
from eventstudy.market.long_bars import under_last_days
from eventstudy.market.parquet_panel import ScannedMarket
from eventstudy.market.price_fields import (
    NO_BAD_PRICES,
    SpecialTreatment,
    bars_read,
    checked_fields,
    given_returns,
    lay_special,
    reference_prices,
    refuse_calendar,
    return_values,
    without_halted,
    without_payouts,
)
from eventstudy.market.price_limits import LimitBook, PriceLimit, check_price_limit, limit_book
from eventstudy.market.several_exchanges import (
    NO_IDLE,
    Calendar,
    by_calendar,
    by_trading_days,
    one_exchange,
    own_benchmark,
    own_table,
    sole_exchange,
    without_filled,
    without_idle,
)
from eventstudy.market.units import (
    Unit,
    check_against_benchmarks,
    check_returns,
    no_returns,
    step_in_days,
)
from eventstudy.market.wide_and_long import BadPrices, price_table, return_table
from eventstudy.tabular.frames import Table

__all__ = ["Market", "check_market"]

#: Days between sessions of a market whose returns are daily, at most.
DAILY = 1.5
NO_DAYS = pd.DatetimeIndex([]).as_unit("ns")


#: Options of `Market` and `Market.from_prices` that stand for nothing said, where that is not None.
DEFAULTS = {"bad_prices": "raise", "sessions": "calendar", "stamps": "auto"}


class _ReturnOptions(NamedTuple):
    """How a table of returns becomes a market."""

    factors: Factors | None
    kind: ReturnKind
    gaps: Literal["lumped", "single"] | None
    unit: Unit | None
    stamps: Literal["auto", "open", "close"]
    said: tuple[str, ...]


class _PriceOptions(NamedTuple):
    """How a table of prices becomes a market."""

    factors: Factors | None
    kind: ReturnKind
    bad_prices: BadPrices
    price_limit: PriceLimit
    tick: float | None
    special_treatment: SpecialTreatment
    freq: str | None
    stamps: Literal["auto", "open", "close"]
    adjustment: Adjustment | None
    said: tuple[str, ...]

    def of(self, columns: Sequence[str]) -> _PriceOptions:
        """Return the options of some columns."""
        limit, special = self.price_limit, self.special_treatment
        if isinstance(limit, Mapping):
            limit = {name: value for name, value in limit.items() if name in columns}
        elif isinstance(limit, pd.DataFrame):
            limit = limit[[name for name in limit.columns if name in columns]]
        if isinstance(special, Mapping):
            special = {name: value for name, value in special.items() if name in columns}
        elif special is not None:
            special = [name for name in special if name in columns]
        return self._replace(price_limit=limit, special_treatment=special)


@dataclass
class _Derived:
    """What is computed from the data once, when it is first asked for, whatever the benchmark."""

    limits: LimitBook | None = None
    suspects: tuple[Suspects, ...] | None = None

    def __reduce__(self) -> tuple[type[_Derived], tuple[()]]:
        # Another process computes it again: suspects hold functions, which are not pickled.
        return _Derived, ()


class Market(ScannedMarket):
    """Returns of securities over the sessions of one exchange, with a benchmark and factors.

    Parameters
    ----------
    returns : DataFrame
        Dates × securities, decimals (0.01 is one percent), or one row per security-day with columns such as
        date, permno and ret. Missing where a security did not trade.
        Here, in prices and in factors, a polars DataFrame or pyarrow Table will do; its dates are the column
        called date (or day, datetime, session, time, timestamp), else the first column of dates or times.
    benchmark : str, Series or mapping, optional
        Column of `returns`, a Series of dated returns (in polars or pyarrow, a table of date and returns), or
        a mapping of security to either.
    factors : DataFrame, or mapping of str to DataFrame, optional
        Dates × factors (such as mkt_rf, smb, hml, rf), decimals; or several such sets by name, of which
        events choose in their column `factors`.
    calendar : str, Exchange or mapping, optional
        Exchange calendar, such as ``"XSHG"``; needed for announcement *times*, and to notice
        sessions the data lacks. An `Exchange` adds what you know better than the calendar:
        ``Exchange("XHKG", closed=["2025-03-03"])``. For securities of several exchanges a mapping of security
        to either, or ``"auto"``, which infers them from the suffixes (.SZ, .HK, .XHKG, none for the United
        States). Returns of days between sessions are compounded into the next one. Without a calendar, rows
        on which nothing trades, or every series stands still, do not count as sessions, columns that trade
        on days of their own are taken for other exchanges, and so are those that stand still together again
        and again while others move: their holidays were filled.
    kind : str, default "simple"
        One of "simple", "log", "change", "log turnover", "log volume", "volatility" and "log volatility".
        Kind of the values given: returns, or one of the others that `volume_market` and `range_market` make,
        which are levels: each is that of its own session and is never compounded.
    gaps : {"lumped", "single"}, optional
        What a return after missing ones is: that over the whole gap (CRSP), or that of its own session alone
        (pandas' ``pct_change``, R's ``diff``). By default the benchmark decides where twenty or more such
        returns show it; else a study whose windows hold one is an error.
    sessions : {"calendar", "data"}, default "calendar"
        Where sessions come from: from the calendar, and without one from the days of trade; or from the rows
        of the data, as they are.
    unit : {"decimal", "percent"}, optional
        What returns and benchmark hold. By default decimals, unless their size or the way they move with each
        other speaks against it, which is an error.
    stamps : {"auto", "open", "close"}, default "auto"
        Whether weeks, months and quarters bear their first or their last day; "auto" sees it in the dates.
        They are laid under their last day, so a date within a month belongs to it.
    columns : mapping, optional
        What columns are, where their names do not say:
        ``{"Firm": "security", "Value": "return", "Remark": "ignore"}``.

    See Also
    --------
    Market.from_prices : the same from prices.
    Market.scan_parquet : a long panel too large to hold, of which a study reads what it needs.

    Notes
    -----
    Immutable: `with_benchmark` returns a new market.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> market
    Market: 7 securities, 650 sessions 2017-04-05 to 2019-11-29 (XSHG), simple returns, benchmark 399001.SZ
    >>> round(float(market.returns.loc["2019-05-24", "002415.SZ"]), 4)
    0.0296
    """

    _parts: dict[str, Market]

    def __init__(
        self,
        returns: pd.DataFrame | ForeignTable,
        *,
        benchmark: Benchmark | None = None,
        factors: Factors | None = None,
        calendar: Calendar | None = None,
        kind: ReturnKind = "simple",
        gaps: Literal["lumped", "single"] | None = None,
        sessions: Literal["calendar", "data"] = "calendar",
        unit: Unit | None = None,
        stamps: Literal["auto", "open", "close"] = "auto",
        columns: Mapping[str, str] | None = None,
    ) -> None:
        check_choice("kind", kind, get_args(ReturnKind))
        if gaps is not None:
            check_choice("gaps", gaps, ("lumped", "single"))
        if unit is not None:
            check_choice("unit", unit, get_args(Unit))
        check_choice("stamps", stamps, ("auto", "open", "close"))
        check_choice("sessions", sessions, ("calendar", "data"))
        table = return_table(returns, timezone_of(one_exchange(calendar)), columns)
        benchmark = index_benchmark(
            benchmark, tuple(next(iter(table.fields.values())).columns), table.index_returns
        )
        said = given_options(
            {"sessions": sessions, "unit": unit, "stamps": stamps, "columns": columns}, DEFAULTS
        )
        options = _ReturnOptions(factors, kind, gaps, unit, stamps, said)
        if calendar is None and sessions == "calendar":
            table, benchmark = without_filled(table, benchmark, kind)
        exchange = sole_exchange(calendar, tuple(next(iter(table.fields.values())).columns), benchmark)
        self._lay_returns(table, benchmark, exchange, sessions, options)
        self._split(table, benchmark, calendar, sessions, options)

    def _lay_returns(
        self,
        table: Table,
        benchmark: Benchmark | None,
        exchange: Exchange | None,
        sessions: Literal["calendar", "data"],
        options: _ReturnOptions,
    ) -> None:
        """Make the market of a table of returns, all on the sessions of one exchange."""
        kind, gaps, unit, stamps = options.kind, options.gaps, options.unit, options.stamps
        given = return_values(table, kind) * (0.01 if unit == "percent" else 1.0)
        if kind not in LEVELS:
            warn_of_backward_returns(given)
        laid, length, told = under_last_days({"return": given}, "Returns", stamps, table.step)
        refuse_calendar(length, exchange)
        idle = NO_IDLE
        if exchange is None and sessions == "calendar":
            laid, idle = without_idle(laid, benchmark, options.factors, kind)
        laid, lacking, unknown = align_to_sessions(laid, exchange, sessions, kind)
        wide = laid["return"]
        check_returns(wide, "Returns", kind, unit)
        lumped = gaps != "single" and kind not in LEVELS
        values = wide.to_numpy(copy=True)  # not copied, it would change with the frame given
        returns_by_row, spans = np.ascontiguousarray(values.T), return_spans(values, lumped).T
        days = pd.DatetimeIndex(wide.index)
        data = MarketData(
            sessions=days,
            columns=tuple(wide.columns),
            returns=returns_by_row,
            spans=np.ascontiguousarray(spans),
            fields={},
            factors=lay_factors(options.factors, days, exchange, kind, stamps=stamps),
            kind=kind,
            lumped=lumped,
            exchange=exchange,
            price_limit=None,
            tick=None,
            special=None,
            lacking=lacking,
            unknown=unknown,
            bad_prices=NO_BAD_PRICES,
            reading=(*table.reading, *bars_read(told), *idle.reading),
            unsaid=unsaid_holes(returns_by_row, spans) if gaps is None and lumped else None,
            gaps=gaps,
            stamps=stamps,
            said_unit=unit,
            padded=idle.padded,
            making=Making(options.said),
        )
        self._assemble(data, benchmark, benchmark_is_price=False)

    @classmethod
    def from_prices(
        cls,
        prices: pd.DataFrame | pd.Series | ForeignTable,
        *,
        benchmark: Benchmark | None = None,
        factors: Factors | None = None,
        calendar: Calendar | None = None,
        kind: ReturnKind = "simple",
        bad_prices: BadPrices = "raise",
        sessions: Literal["calendar", "data"] = "calendar",
        price_limit: PriceLimit = None,
        tick: float | None = None,
        special_treatment: SpecialTreatment = None,
        freq: str | None = None,
        stamps: Literal["auto", "open", "close"] = "auto",
        adjustment: Adjustment | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Market:
        """Make a market of prices.

        Parameters
        ----------
        prices : DataFrame, or mapping of str to DataFrame
            Dates × securities; two column levels, field and security, as yfinance gives; one row a
            security-day with columns date, security and close; or a mapping from security to its table.
            Columns are known by their names in the words of many vendors; `reading` says what each was taken
            for. Fields: close, adj_close (preferred for returns), open, high, low, volume, previous_close,
            and reference, the exchange's reference price on ex-days, over which total returns are taken.
            Total returns beside prices (CRSP's RET with delisting returns, CSMAR's Dretwd) are taken as they
            are; they may differ from the moves of closes as on ex-days, else they are refused or in `audit`.
            Without any of these, dividends (cash a share on the ex-day, in the currency of the close)
            and splits (new shares for an old one) make total returns of closes,
            P_t / ((P_{t−1} − D_t) / S_t) − 1. A day of zero volume and unchanged close is one without trade,
            as is a row whose status (trade_status, paused, 交易状态) says so.
        benchmark : str, Series or mapping, optional
            Column, Series of prices, or mapping of security to either.
        factors, calendar, kind, sessions
            As for `Market`; factors are returns.
        bad_prices : {"raise", "missing"}, default "raise"
            Zero, negative and infinite prices are an error, or missing with a warning.
        price_limit : float, mapping or DataFrame, optional
            Daily limit (0.1 is ten percent), for all, by security, or by session and security; where it
            says nothing, the exchange's rule holds.
        tick : float, optional
            Price step to which limits are rounded; default the exchange's ticks.
        special_treatment : list, or mapping of security to (first, last) day, optional
            Chinese shares under special treatment (ST), throughout or for a spell (None leaves an end open).
            On the main board their limit is 5%; on ChiNext and STAR it is that of the board.
        freq : str, optional
            Length of intraday bars, such as ``"1min"``; days by default. Windows then count bars. The night
            and the lunch break are rows of their own, from which nothing is estimated; they hold the return
            from the last price to the opening one where the prices have a field open (and the benchmark is a
            column of them), else the first bar's return spans both rows. Needs a calendar.
        stamps : {"auto", "open", "close"}, default "auto"
            Whether an intraday bar bears the time of its beginning or of its end; "auto" sees which of the
            exchange's opening and closing times occur. Of weeks, months and quarters, as for `Market`.
        adjustment : {"none", "splits", "total"}, optional
            What closes that come beside dividends or splits are adjusted for: nothing, splits, or both. By
            default found from all ex-days (a raw close falls by the payout); an error where they do not tell.
        columns : mapping, optional
            What columns are, where their names do not say: ``{"Firm": "security", "Value": "close"}``.

        Returns
        -------
        Market

        Raises
        ------
        DataError
            On prices that cannot be used; the message names the security and the date.
        """
        check_choice("kind", kind, ("simple", "log"))
        check_choice("bad_prices", bad_prices, get_args(BadPrices))
        check_choice("stamps", stamps, ("auto", "open", "close"))
        check_adjustment(adjustment)
        check_choice("sessions", sessions, ("calendar", "data"))
        if freq is not None and isinstance(calendar, Mapping):
            raise RequestError("Intraday bars are those of one exchange: give calendar= one, such as 'XSHG'.")
        exchange = one_exchange(calendar)
        step = None if freq is None else check_freq(freq, exchange)
        table = price_table(prices, timezone_of(exchange), step is not None, columns)
        base = table.fields.get("close", next(iter(table.fields.values())))
        benchmark = index_benchmark(benchmark, tuple(base.columns), table.index_returns, prices=True)
        said = given_options(
            {
                "bad_prices": bad_prices,
                "sessions": sessions,
                "price_limit": price_limit,
                "tick": tick,
                "special_treatment": special_treatment,
                "stamps": stamps,
                "adjustment": adjustment,
                "columns": columns,
            },
            DEFAULTS,
        )
        options = _PriceOptions(
            factors, kind, bad_prices, price_limit, tick, special_treatment, freq, stamps, adjustment, said
        )
        market = cls.__new__(cls)
        if step is None and calendar is None and sessions == "calendar":
            table, benchmark = without_filled(table, benchmark, "prices")
        if step is None:
            exchange = sole_exchange(calendar, tuple(base.columns), benchmark)
        market._lay_prices(table, benchmark, exchange, sessions, options)
        if step is None:
            market._split(table, benchmark, calendar, sessions, options)
        return market

    def _lay_prices(
        self,
        table: Table,
        benchmark: Benchmark | None,
        exchange: Exchange | None,
        sessions: Literal["calendar", "data"],
        options: _PriceOptions,
    ) -> None:
        """Make the market of a table of prices, all on the sessions of one exchange."""
        kind, freq, stamps = options.kind, options.freq, options.stamps
        step = None if freq is None else check_freq(freq, exchange)
        fields, bad = checked_fields(with_adj_close(table.fields), options.bad_prices)
        told: str = ""
        idle = NO_IDLE
        if step is None:
            fields, length, told = under_last_days(fields, "Prices", stamps, table.step)
            refuse_calendar(length, exchange)
            if exchange is None and sessions == "calendar":
                fields, idle = without_idle(fields, benchmark, options.factors, "prices")
        grid, lacking, unknown = None, NO_DAYS, NO_DAYS
        if step is None or exchange is None:
            fields, lacking, unknown = align_to_sessions(fields, exchange, sessions)
        else:
            index = pd.DatetimeIndex(next(iter(fields.values())).index)
            grid = bar_grid(exchange, index[0], index[-1], step)
            benchmark, own_columns = benchmark_on_bars(benchmark, grid, step, stamps, timezone_of(exchange))
            fields = lay_on_bars(without_payouts(fields), grid, step, stamps, own_columns)
        said = said_beside(fields)
        fields, total, paid = with_payouts(without_halted(fields), options.adjustment, table.adjusted)
        fields, given, read = given_returns(fields)
        check_price_limit(options.price_limit, options.tick)
        adjusted = "adj_close" in fields
        base = fields["adj_close"] if adjusted else fields["close"]
        reference = None if adjusted else reference_prices(fields, base)
        beside = beside_closes(fields, given, reference, said, table.reading)
        returns, spans = price_returns(base.to_numpy(), reference, kind, beside.given)
        data = MarketData(
            sessions=pd.DatetimeIndex(base.index),
            columns=tuple(base.columns),
            returns=np.ascontiguousarray(returns.T),
            spans=np.ascontiguousarray(spans.T),
            fields=fields,
            factors=lay_factors(
                options.factors, pd.DatetimeIndex(base.index), exchange, kind, grid is not None, stamps=stamps
            ),
            kind=kind,
            lumped=True,
            exchange=exchange,
            price_limit=options.price_limit,
            tick=options.tick,
            special=lay_special(options.special_treatment, base),
            lacking=lacking,
            unknown=unknown,
            bad_prices=bad,
            freq=freq,
            gap=None if grid is None else grid.gap,
            reading=(*table.reading, *paid, *read, *bars_read(told), *idle.reading),
            total=total,
            stamps=stamps,
            padded=idle.padded,
            making=Making(options.said),
            beside=beside.marks,
        )
        self._assemble(data, benchmark, benchmark_is_price=True)

    def _split(
        self,
        table: Table,
        benchmark: Benchmark | None,
        calendar: Calendar | None,
        sessions: Literal["calendar", "data"],
        options: _ReturnOptions | _PriceOptions,
    ) -> None:
        """Make a market of each exchange, where the securities are of several."""
        groups = by_calendar(calendar, self._data.columns, benchmark)
        daily = self._data.sessions.isin(next(iter(table.fields.values())).index).all()
        if calendar is None and sessions == "calendar" and daily:
            single = self._bank.single[: self._n_benchmarks]
            groups = by_trading_days(self._data, single, self._arrays.benchmark.tolist(), self.benchmarks)
        if len(groups) < 2 and not (groups and groups[0].days is not None):
            return
        for group in groups:
            part = type(self).__new__(type(self))
            # Rows of trade are all that such a group has.
            rows = sessions if group.days is None else "data"
            own = own_benchmark(benchmark, self._data, group.columns)
            if isinstance(options, _PriceOptions):
                part._lay_prices(
                    own_table(table, group), own, group.exchange, rows, options.of(group.columns)
                )
            else:
                part._lay_returns(own_table(table, group), own, group.exchange, rows, options)
            if len(groups) > 1:
                self._parts[group.name] = part
            else:  # the benchmark alone is of another exchange
                vars(self).update(vars(part))

    @property
    def parts(self) -> dict[str, Market]:
        """The market of each exchange, by its name, where the securities are of several; else empty.

        A study counts each event on the sessions of its own security's exchange.
        """
        return dict(self._parts)

    @classmethod
    def _of(cls, data: MarketData, benchmark: Benchmark | None) -> Market:
        market = cls.__new__(cls)
        market._assemble(data, benchmark, benchmark_is_price=False)
        return market

    def _assemble(
        self,
        data: MarketData,
        benchmark: Benchmark | None,
        *,
        benchmark_is_price: bool,
        derived: _Derived | None = None,
    ) -> None:
        names, values, spans, own = align_benchmarks(data, benchmark, benchmark_is_price)
        days = step_in_days(data.sessions)
        if (
            data.kind not in LEVELS
            and data.gap is None
            and data.said_unit != "decimal"
            and not benchmark_is_price
        ):
            check_against_benchmarks(data.columns, data.returns, names, values, own, days)
        dated = data.kind not in LEVELS and data.gap is None and not data.undated and days <= DAILY
        if dated:
            warn_of_another_day(data.columns, data.returns, names, values, own)
            warn_of_odd_moves(
                data.columns, data.returns, names, values, data.kind, of_prices=bool(data.fields)
            )
        data = with_holes_read(data, values, spans, own)
        several = data.spans > 1
        if data.gap is not None:
            several = several | (data.gap != Gap.NONE)
        single = np.where(several, np.nan, data.returns) if several.any() else data.returns
        rows = factor_rows(data.factors, len(names))
        plain = np.zeros(0, dtype=bool)
        arrays = MarketArrays(
            data.returns,
            data.spans,
            single,
            own,
            rows,
            data.gap,
            data.unit,
            data.freq,
            data.unsaid,
            data.gaps,
            data.making,
        )
        n_benchmarks = len(names)
        if data.factors is not None:
            factor = data.factors.to_numpy().T
            factor_names = [f"{of}: {name}" if of else name for of, each in rows.items() for name in each]
            clash = sorted(set(names) & set(factor_names))
            if clash:
                raise DataError(
                    f"Benchmark and factor share the name {', '.join(clash)}; rename one of them."
                )
            plain = no_returns(data.factors)
            market = [k for k, name in enumerate(factor_names) if factor_name(name) in ("mkt_rf", "mkt")]
            if dated and market:
                warn_of_another_day(
                    data.columns, data.returns, [factor_names[market[0]]], [factor[market[0]]], 0 * own
                )
            names += factor_names
            values, spans = [*values, *factor], [*spans, *return_spans(factor.T, lumped=False).T]
        shape = (len(names), len(data.sessions))
        bank = CompoundedSeries.of(
            tuple(names),
            np.array(values, dtype=float).reshape(shape),
            np.array(spans, dtype=np.int64).reshape(shape),
            data.kind,
            None if data.factors is None else np.append(np.zeros(n_benchmarks, dtype=bool), plain),
        )
        self._hold(data, arrays, bank, n_benchmarks, _Derived() if derived is None else derived)

    def _hold(
        self,
        data: MarketData,
        arrays: MarketArrays,
        bank: CompoundedSeries,
        n_benchmarks: int,
        derived: _Derived,
    ) -> None:
        self._data, self._arrays, self._bank = data, arrays, bank
        self._n_benchmarks, self._derived = n_benchmarks, derived
        self._parts = {}
        self._positions = {name: row for row, name in enumerate(data.columns)}

    def _with_returns(self, data: MarketData, arrays: MarketArrays, bank: CompoundedSeries) -> Market:
        """Return the same market with other returns of the same securities, benchmarks and factors."""
        market = type(self).__new__(type(self))
        market._hold(data, arrays, bank, self._n_benchmarks, self._derived)
        return market

    def with_benchmark(self, benchmark: Benchmark) -> Market:
        """Return the same market measured against another benchmark.

        Parameters
        ----------
        benchmark : str, Series or mapping
            Column, dated Series, or mapping of security to either. A Series holds what the market was
            made of: prices if of prices, returns if of returns.
        """
        market = type(self).__new__(type(self))
        is_price = bool(self._data.fields)
        making = replace(self._data.making, before_benchmark=self._data.making.converted)
        data = replace(self._data, making=making)
        market._assemble(data, benchmark, benchmark_is_price=is_price, derived=self._derived)
        for name, part in self._parts.items():
            market._parts[name] = part.with_benchmark(own_benchmark(benchmark, self._data, part.columns))
        return market

    @property
    def limits(self) -> LimitBook:
        """Price limits by session and security, and which were touched, closed at or locked.

        Raises
        ------
        RequestError
            If the market was made of returns, not of prices.
        """
        if self._derived.limits is None:
            if self._data.gap is not None:
                raise RequestError("Daily price limits are not computed from intraday bars.")
            if "close" not in self._data.fields:
                raise RequestError(
                    "Price limits are computed from raw closes; this market has none (see from_prices)."
                )
            name = None if self.exchange is None else self.exchange.name
            data = self._data
            self._derived.limits = limit_book(data.fields, name, data.price_limit, data.tick, data.special)
        return self._derived.limits

    @property
    def suspects(self) -> tuple[Suspects, ...]:
        """What `audit` lists, as positions in `sessions` and in the columns of `returns`."""
        if self._derived.suspects is None:
            found = suspects(self._data, self.limits if self.has_limits else None)
            self._derived.suspects = found + contradicted_closes(self._data)
        n, bank = self._n_benchmarks, self._bank
        plain = np.zeros(len(bank.names), dtype=bool) if bank.additive is None else bank.additive
        return (
            *self._derived.suspects,
            *benchmark_faults(self._data, self.benchmarks, bank.single[:n]),
            *factor_faults(self._data, bank.names[n:], bank.single[n:], plain[n:], n),
        )

    def audit(self) -> pd.DataFrame:
        """List what looks wrong in the data; nothing is repaired.

        Returns
        -------
        DataFrame
            security (``(all)`` where no single one is meant), date, kind, detail. Kinds:

            missing session
                The exchange was open, and the data has no row.
            no session
                The data has a row, and the calendar no session (see `Exchange`).
            no trade
                A spell without price: a halt, or rows the vendor lost.
            stale price
                Five or more equal closes, or as many sessions without a return other than zero.
            phantom row
                Open, high, low and close repeat the close before, without volume.
            price without volume
                A new close on a day of no volume.
            padded day
                Every series stands still: a holiday that was filled with the last price. Rows that are left
                out for it are listed as "no session".
            volume jump
                Volume (where no shares are given) stays at a multiple, as after a split.
            bad price
                Zero, negative or infinite, and taken for missing.
            beyond limit
                A close outside the daily price limit.
            large return
                More than 50% up or down in one session, or, of closes alone, near a split of 3 to 2 or more.
            like a split
                Of closes alone, a move near the ratio of a small split, as news makes too.
            return against close
                A return, change or previous close that goes against the closes, as no ex-day makes it.
            missing return
                None is given where both closes are known; that of the closes is taken.
            adjustment jump
                An adjusted return far larger than the raw one.
            uneven adjustment
                Adjusted and raw returns differ on most days: adjusted by sums instead of ratios.
            benchmark gap
                The benchmark has no return of that session.
            benchmark jump
                The benchmark, a series of its own, moves by more than 25% in a day.
            factor gap
                A factor has no return of that session.
            factor jump
                A factor moves by 20 times its volatility of the days around, or by more than 25% in a day.

        Examples
        --------
        >>> import eventstudy as es
        >>> prices = es.datasets.surveillance_prices()
        >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
        >>> market.audit().query("security == '002415.SZ'")["detail"].tolist()
        ['2 sessions to 2019-10-09']
        """
        return audit(self.suspects, self._data.columns, self._bank.names)


def check_market(market: object, *, several: bool = False) -> None:
    """Refuse what is not a market, and unless `several`, one of several exchanges or without dates.

    Raises
    ------
    RequestError
    """
    if not isinstance(market, Market):
        raise RequestError(
            f"market must be a Market, got {type(market).__name__}; make one with "
            "Market.from_prices(prices, benchmark=...)."
        )
    if market.undated and not several:
        raise RequestError("The market is in event time and has no dates, which this needs.")
    if market.parts and not several:
        raise RequestError(
            f"The market is of {len(market.parts)} exchanges ({', '.join(market.parts)}), and this needs "
            "one: take one of market.parts, or make the market with sessions='data' to take every row for a "
            "session of all."
        )
