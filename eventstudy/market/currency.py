"""Returns in another currency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.market.compounding import LEVELS
from eventstudy.market.market import Market
from eventstudy.text import plural

__all__ = ["in_currency"]

#: A rate older than this is not that of the session.
STALE = pd.Timedelta(days=7)


def in_currency(market: Market, rate: pd.Series) -> Market:
    r"""Measure a market's total returns in another currency.

    .. math:: 1 + R^*_t = (1 + R_t)\, \frac{F_t}{F_{t-d}}

    for a return that spans d sessions.

    Parameters
    ----------
    market : Market
    rate : Series
        Units of the other currency for one unit of the market's, by date. A session takes the last rate of
        the seven days up to it.

    Returns
    -------
    Market
        Securities and benchmarks are converted, also benchmarks given beside the prices; factors, raw prices
        and price limits are not. Of securities of several exchanges all prices are in one currency.

    Raises
    ------
    DataError
        If a session has no rate, a rate is not positive, or the market does not hold daily returns.

    Notes
    -----
    A study measures local currency unless asked: the exchange rate moves all shares of a market alike and is
    no reaction of theirs. Against a benchmark in the same currency it all but cancels.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> days = pd.to_datetime(["2020-01-02", "2020-01-03"])
    >>> prices = pd.DataFrame({"A": [10.0, 11.0], "index": [5.0, 5.0]}, days)
    >>> market = es.Market.from_prices(prices, benchmark="index")
    >>> dollars = es.in_currency(market, pd.Series([0.14, 0.147], days))
    >>> dollars.returns.iloc[1].round(3).to_dict()
    {'A': 0.155, 'index': 0.05}
    """
    data = market._data
    if market.kind in LEVELS or data.gap is not None:
        raise DataError(
            f"in_currency converts daily returns; this market holds {market.kind} of {data.freq or 'days'}."
        )
    growth = np.log(_on_sessions(rate, market.sessions))
    spans = data.spans
    rows = np.arange(spans.shape[1])
    change = growth[rows] - growth[np.maximum(rows - spans, 0)]
    change = np.where(spans > 0, change, np.nan)
    # The first return of a file spans a day before it, whose rate may be unknown.
    change[(spans > rows) & (spans > 0)] = np.nan
    returns = data.returns + change if market.kind == "log" else np.expm1(np.log1p(data.returns) + change)
    bank, n = market.bank, len(market.benchmarks)
    step = np.diff(growth, prepend=np.nan)
    single, level = bank.single.copy(), bank.level.copy()
    single[:n] = single[:n] + step if market.kind == "log" else np.expm1(np.log1p(single[:n]) + step)
    level[:n] += growth
    spans = np.where(np.isnan(returns), 0, spans)
    making = replace(data.making, converted=data.making.converted + 1)
    once = np.where(np.isnan(market.arrays.single), np.nan, returns)
    converted = market._with_returns(
        replace(data, returns=returns, spans=spans, making=making),
        replace(market.arrays, returns=returns, spans=spans, single=once, making=making),
        replace(bank, single=single, level=level),
    )
    for name, part in market.parts.items():
        converted._parts[name] = in_currency(part, rate)
    return converted


def _on_sessions(rate: pd.Series, sessions: pd.DatetimeIndex) -> np.ndarray:
    """Rate of each session, shape (T,)."""
    if not isinstance(rate, pd.Series):
        raise DataError(f"rate must be a Series of exchange rates by date, got {type(rate).__name__}.")
    index = pd.DatetimeIndex(pd.to_datetime(rate.index)).as_unit("ns")
    if index.tz is not None or index.has_duplicates:
        raise DataError("Exchange rates are dated by day, without time zone, each day once.")
    known = rate.set_axis(index).dropna().sort_index()
    bad = known[~((known > 0) & np.isfinite(known))]
    if len(bad):
        raise DataError(
            f"The exchange rate on {bad.index[0]:%Y-%m-%d} is {float(bad.iloc[0])}; rates are positive."
        )
    at = known.index.searchsorted(sessions, side="right") - 1
    dated = known.index[np.maximum(at, 0)] if len(known) else sessions
    lacking = (at < 0) | (sessions - dated > STALE)
    if lacking.any() or known.empty:
        first = sessions[int(np.argmax(lacking))]
        raise DataError(
            f"{plural(int(lacking.sum()), 'session')} without an exchange rate of the seven days before, "
            f"the first {first:%Y-%m-%d}. Give rates for {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}."
        )
    return known.to_numpy(dtype=float)[at]
