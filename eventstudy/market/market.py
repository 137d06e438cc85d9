"""Market: sessions × securities of returns, with what is needed to judge them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.calendars import Exchange
from eventstudy.errors import DataError, RequestError
from eventstudy.market.arrays import LEVELS, ReturnKind, SeriesBank, price_returns, return_spans
from eventstudy.market.audit import audit
from eventstudy.market.bars import bar_grid, benchmark_on_bars, check_freq, lay_on_bars
from eventstudy.market.frames import BadPrices, check_prices, check_returns, wide_fields, wide_frame
from eventstudy.market.layout import (
    Benchmark,
    Factors,
    MarketArrays,
    MarketData,
    check_choice,
    factor_rows,
    lay_benchmarks,
    lay_factors,
    lay_on_sessions,
    reference_prices,
    timezone_of,
    without_halted,
)
from eventstudy.market.limitbook import LimitBook, PriceLimit, limit_book

__all__ = ["Market"]


class Market:
    """Returns of securities over the sessions of one exchange, with a benchmark and factors.

    Parameters
    ----------
    returns : DataFrame
        Dates × securities, decimals (0.01 is one percent). Missing where a security did not trade.
    benchmark : str, Series or mapping, optional
        Column of `returns`, a Series of dated returns, or a mapping of security to either.
    factors : DataFrame, or mapping of str to DataFrame, optional
        Dates × factors (such as mkt_rf, smb, hml, rf), decimals; or several such sets by name, of which
        events choose in their column `factors`.
    calendar : str, optional
        Exchange calendar, such as ``"XSHG"``; needed for announcement *times*, and to notice
        sessions the data lacks.
    kind : {"simple", "log", "log turnover", "log volume", "volatility", "log volatility"}, default "simple"
        Kind of the values given: returns, or one of the others that `volume_market` and `range_market` make,
        which are levels: each is that of its own session and is never compounded.
    gaps : {"lumped", "single"}, default "lumped"
        What a return after missing ones is: the return over the whole gap (as in files that leave
        suspended days empty), or that of its own session alone.
    sessions : {"calendar", "data"}, default "calendar"
        Where sessions come from if a calendar is given.

    See Also
    --------
    Market.from_prices : the same from prices.

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

    _data: MarketData
    _bank: SeriesBank
    _arrays: MarketArrays

    def __init__(
        self,
        returns: pd.DataFrame,
        *,
        benchmark: Benchmark | None = None,
        factors: Factors | None = None,
        calendar: str | None = None,
        kind: ReturnKind = "simple",
        gaps: Literal["lumped", "single"] = "lumped",
        sessions: Literal["calendar", "data"] = "calendar",
    ) -> None:
        check_choice("kind", kind, get_args(ReturnKind))
        check_choice("gaps", gaps, ("lumped", "single"))
        check_choice("sessions", sessions, ("calendar", "data"))
        if isinstance(returns, pd.Series):
            returns = returns.to_frame()
        wide = wide_frame(returns, "Returns", timezone_of(calendar))
        wide = lay_on_sessions({"return": wide}, calendar, sessions)["return"]
        check_returns(wide, "Returns", kind)
        lumped = gaps == "lumped" and kind not in LEVELS
        values = wide.to_numpy(copy=True)  # not copied, it would change with the frame given
        data = MarketData(
            sessions=pd.DatetimeIndex(wide.index),
            columns=tuple(wide.columns),
            returns=np.ascontiguousarray(values.T),
            spans=np.ascontiguousarray(return_spans(values, lumped).T),
            fields={},
            factors=lay_factors(factors, pd.DatetimeIndex(wide.index), calendar, kind),
            kind=kind,
            lumped=lumped,
            calendar=calendar,
            price_limit=None,
            tick=0.01,
        )
        self._assemble(data, benchmark, benchmark_is_price=False)

    @classmethod
    def from_prices(
        cls,
        prices: pd.DataFrame | pd.Series,
        *,
        benchmark: Benchmark | None = None,
        factors: Factors | None = None,
        calendar: str | None = None,
        kind: ReturnKind = "simple",
        bad_prices: BadPrices = "raise",
        sessions: Literal["calendar", "data"] = "calendar",
        price_limit: PriceLimit = None,
        tick: float = 0.01,
        freq: str | None = None,
        stamps: Literal["auto", "open", "close"] = "auto",
    ) -> Market:
        """Make a market of prices.

        Parameters
        ----------
        prices : DataFrame
            Dates × securities; or two column levels (field, security) as yfinance gives; or one row
            a security-day with columns date, security and close. Fields understood: close,
            adj_close (preferred for returns), open, high, low, volume, previous_close, and reference, the
            exchange's reference price on ex-days, over which total returns are taken. A day with zero volume
            and an unchanged close is taken for a day without trade, as vendors show suspensions so; in long
            frames also a row whose column status (or trade_status) is 0, halted or suspended.
        benchmark : str, Series or mapping, optional
            Column, Series of prices, or mapping of security to either.
        factors, calendar, kind, sessions
            As for `Market`; factors are returns.
        bad_prices : {"raise", "missing"}, default "raise"
            Zero, negative and infinite prices are an error, or missing with a warning.
        price_limit : float, mapping or DataFrame, optional
            Daily limit (0.1 is ten percent), for all, by security, or by session and security; where it
            says nothing, the exchange's rule holds.
        tick : float, default 0.01
            Price step to which limits are rounded.
        freq : str, optional
            Length of intraday bars, such as ``"1min"``; days by default. Windows then count bars. The night
            and the lunch break are rows of their own, from which nothing is estimated; they hold the return
            from the last price to the opening one where the prices have a field open (and the benchmark is a
            column of them), else the first bar's return spans both rows. Needs a calendar.
        stamps : {"auto", "open", "close"}, default "auto"
            Whether an intraday bar bears the time of its beginning or of its end; "auto" sees which of the
            exchange's opening and closing times occur.

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
        check_choice("sessions", sessions, ("calendar", "data"))
        step = None if freq is None else check_freq(freq, calendar)
        fields = wide_fields(prices, timezone_of(calendar), step is not None)
        for name in fields:
            if name != "volume":
                fields[name] = check_prices(fields[name], bad_prices)
        grid = None
        if step is None or calendar is None:
            fields = lay_on_sessions(fields, calendar, sessions)
        else:
            index = pd.DatetimeIndex(next(iter(fields.values())).index)
            grid = bar_grid(calendar, index[0], index[-1], step)
            check_choice("stamps", stamps, ("auto", "open", "close"))
            benchmark, own_columns = benchmark_on_bars(benchmark, grid, step, stamps, timezone_of(calendar))
            fields = lay_on_bars(fields, grid, step, stamps, own_columns)
        fields = without_halted(fields)
        adjusted = "adj_close" in fields
        base = fields["adj_close"] if adjusted else fields["close"]
        reference = None if adjusted else reference_prices(fields, base)
        returns, spans = price_returns(base.to_numpy(), reference, kind)
        data = MarketData(
            sessions=pd.DatetimeIndex(base.index),
            columns=tuple(base.columns),
            returns=np.ascontiguousarray(returns.T),
            spans=np.ascontiguousarray(spans.T),
            fields=fields,
            factors=lay_factors(factors, pd.DatetimeIndex(base.index), calendar, kind, grid is not None),
            kind=kind,
            lumped=True,
            calendar=calendar,
            price_limit=price_limit,
            tick=tick,
            freq=freq,
            gap=None if grid is None else grid.gap,
        )
        market = cls.__new__(cls)
        market._assemble(data, benchmark, benchmark_is_price=True)
        return market

    def _assemble(self, data: MarketData, benchmark: Benchmark | None, *, benchmark_is_price: bool) -> None:
        self._data = data
        self._limits: LimitBook | None = None
        self._positions = {name: row for row, name in enumerate(data.columns)}
        names, values, spans, own = lay_benchmarks(data, benchmark, benchmark_is_price)
        several = data.spans > 1
        if data.gap is not None:
            several = several | (data.gap > 0)
        single = np.where(several, np.nan, data.returns) if several.any() else data.returns
        rows = factor_rows(data.factors, len(names))
        self._arrays = MarketArrays(data.returns, data.spans, single, own, rows, data.gap, data.unit)
        self._n_benchmarks = len(names)
        if data.factors is not None:
            factor = data.factors.to_numpy().T
            factor_names = [f"{of}: {name}" if of else name for of, each in rows.items() for name in each]
            clash = sorted(set(names) & set(factor_names))
            if clash:
                raise DataError(
                    f"Benchmark and factor share the name {', '.join(clash)}; rename one of them."
                )
            names += factor_names
            values, spans = [*values, *factor], [*spans, *return_spans(factor.T, lumped=False).T]
        shape = (len(names), len(data.sessions))
        self._bank = SeriesBank.of(
            tuple(names),
            np.array(values, dtype=float).reshape(shape),
            np.array(spans, dtype=np.int64).reshape(shape),
            data.kind,
        )

    def with_benchmark(self, benchmark: Benchmark) -> Market:
        """Return the same market measured against another benchmark.

        Parameters
        ----------
        benchmark : str, Series or mapping
            Column, dated Series, or mapping of security to either. A Series holds what the market was
            made of: prices if of prices, returns if of returns.
        """
        market = type(self).__new__(type(self))
        market._assemble(self._data, benchmark, benchmark_is_price=bool(self._data.fields))
        return market

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the market, naive."""
        return self._data.sessions

    @property
    def securities(self) -> list[str]:
        """Securities that can be studied: every column but the benchmarks."""
        return [c for c in self._data.columns if c not in self.benchmarks]

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks in use."""
        return list(self._bank.names[: self._n_benchmarks])

    @property
    def returns(self) -> pd.DataFrame:
        """Returns, sessions × all series; NaN where there was no trade."""
        return pd.DataFrame(self._data.returns.T.copy(), self.sessions, list(self._data.columns))

    @property
    def spans(self) -> pd.DataFrame:
        """Sessions each return spans: 1 as a rule, 0 where there is none, d after a halt."""
        return pd.DataFrame(self._data.spans.T.copy(), self.sessions, list(self._data.columns))

    @property
    def factors(self) -> pd.DataFrame | None:
        """Factors laid on the sessions, or None; of several sets with two column levels, set and factor."""
        return None if self._data.factors is None else self._data.factors.copy()

    @property
    def kind(self) -> ReturnKind:
        """Kind of the returns."""
        return self._data.kind

    @property
    def exchange(self) -> Exchange | None:
        """Exchange calendar, or None."""
        return None if self._data.calendar is None else Exchange(self._data.calendar)

    @property
    def bank(self) -> SeriesBank:
        """Benchmarks and factors as arrays that can be compounded."""
        return self._bank

    @property
    def price_fields(self) -> list[str]:
        """Fields of the prices the market was made of; empty where it was made of returns."""
        return list(self._data.fields)

    def prices(self, field: str = "close") -> pd.DataFrame:
        """Prices of one field, sessions × securities.

        Raises
        ------
        RequestError
            If the market was made without that field.
        """
        if field not in self._data.fields:
            have = ", ".join(self._data.fields) or "none (it was made from returns)"
            raise RequestError(f"This market has no prices of field {field!r}; it has: {have}.")
        return self._data.fields[field].copy()

    @property
    def arrays(self) -> MarketArrays:
        """Returns, spans and benchmarks as arrays, one row a security."""
        return self._arrays

    def positions(self, securities: Iterable[str]) -> npt.NDArray[np.int64]:
        """Rows of securities in `arrays`, -1 for those the market has not."""
        return np.array([self._positions.get(name, -1) for name in securities], dtype=np.int64)

    @property
    def limits(self) -> LimitBook:
        """Price limits by session and security, and which were touched, closed at or locked.

        Raises
        ------
        RequestError
            If the market was made of returns, not of prices.
        """
        if self._limits is None:
            if self._data.gap is not None:
                raise RequestError("Daily price limits are not reckoned from intraday bars.")
            if "close" not in self._data.fields:
                raise RequestError(
                    "Price limits are reckoned from raw closes; this market has none (see from_prices)."
                )
            exchange = self.exchange
            name = None if exchange is None else exchange.name
            self._limits = limit_book(self._data.fields, name, self._data.price_limit, self._data.tick)
        return self._limits

    def audit(self) -> pd.DataFrame:
        """List what looks wrong in the data; nothing is repaired.

        Returns
        -------
        DataFrame
            security, date, kind, detail. Kinds: ``no trade`` (a spell without price), ``stale price``
            (five or more equal closes), ``beyond limit`` (a close outside the daily price limit),
            ``large return`` (more than 50 % in one session), ``adjustment jump`` (an adjusted
            return far larger than the raw one), ``benchmark gap``.

        Examples
        --------
        >>> import eventstudy as es
        >>> prices = es.datasets.surveillance_prices()
        >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
        >>> market.audit().query("security == '002415.SZ'")["detail"].tolist()
        ['2 sessions to 2019-10-09']
        """
        single = dict(zip(self.benchmarks, self._bank.single, strict=False))
        return audit(self._data, single, self.limits if self._data.has_limits else None)

    def __repr__(self) -> str:
        n, first, last = len(self.securities), self.sessions[0], self.sessions[-1]
        parts = [
            f"{n} securit{'y' if n == 1 else 'ies'}",
            (
                f"{len(self.sessions)} sessions"
                if self._data.gap is None
                else f"{int((self._data.gap == 0).sum())} bars of {self._data.freq}"
            )
            + f" {first:%Y-%m-%d} to {last:%Y-%m-%d}"
            + (f" ({self._data.calendar})" if self._data.calendar else ""),
            self.kind + (" returns" if self.kind not in LEVELS else ""),
        ]
        if self.benchmarks:
            shown = self.benchmarks[:3]
            parts.append("benchmark " + ", ".join(shown) + ", ..." * (len(self.benchmarks) > 3))
        if self._data.factors is not None:
            sets = [", ".join(rows) + f" of {of}" * bool(of) for of, rows in self.arrays.factor_rows.items()]
            parts.append("factors " + "; ".join(sets))
        return "Market: " + ", ".join(parts)
