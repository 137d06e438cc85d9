"""Artificial markets whose truth is known: for tests, for teaching, and to try a design before using it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.arguments import check_fraction, check_number, check_seed, check_whole
from eventstudy.calendars import Exchange
from eventstudy.errors import RequestError
from eventstudy.immutable import hand_out_copies
from eventstudy.market import Market
from eventstudy.market.limit_rules import limit_prices

__all__ = ["MarketTruth", "SimulatedMarket", "simulate_market"]


#: Sessions simulated before the first, so the variances have left their starting values.
BURN_IN = 250
#: A placed event keeps clear of the ends of the data: sessions before it, and after it.
BEFORE, AFTER = 280, 15


@hand_out_copies("parameters", "events", "returns", "errors", "volatility", "benchmark")
@dataclass(frozen=True)
class MarketTruth:
    """What lies behind a simulated market.

    Attributes
    ----------
    parameters : DataFrame
        By security: alpha, beta, sigma (daily standard deviation of the error) and industry.
    events : DataFrame
        Injected events: security, date (a session) and effect (decimal); `Events` takes it as it is.
    returns : DataFrame
        Sessions × securities: returns of the value, effects included, before limits, halts and
        thin trading hide any of it.
    errors : DataFrame
        Sessions × securities: errors of the market model, effects excluded.
    volatility : DataFrame
        Sessions × securities: conditional standard deviation of the errors.
    benchmark : Series
        Return of the market factor.

    Examples
    --------
    >>> import eventstudy as es
    >>> _, truth = es.lab.simulate_market(5, 300, n_events=2, effect=-0.03, seed=1)
    >>> truth.parameters.columns.tolist(), len(truth.events)
    (['alpha', 'beta', 'sigma', 'industry'], 2)
    """

    parameters: pd.DataFrame
    events: pd.DataFrame
    returns: pd.DataFrame
    errors: pd.DataFrame
    volatility: pd.DataFrame
    benchmark: pd.Series


class SimulatedMarket(NamedTuple):
    """A market, and the truth behind it.

    Examples
    --------
    >>> import eventstudy as es
    >>> made = es.lab.simulate_market(5, 300, n_events=2, seed=1)
    >>> len(made.market.securities), len(made.truth.events)
    (5, 2)
    """

    market: Market
    truth: MarketTruth


def simulate_market(
    n_securities: int = 50,
    n_sessions: int = 750,
    *,
    beta: tuple[float, float] = (0.5, 1.5),
    sigma: tuple[float, float] = (0.01, 0.03),
    market_sigma: float = 0.01,
    market_drift: float = 0.0003,
    n_industries: int = 1,
    correlation: float = 0.0,
    garch: tuple[float, float] | None = None,
    tails: float | None = None,
    thin: float = 0.0,
    halts: float = 0.0,
    halt_sessions: int = 10,
    price_limit: float | None = None,
    tick: float = 0.01,
    n_events: int = 0,
    effect: float = 0.0,
    common_date: bool = False,
    start: str = "2016-01-04",
    calendar: str | None = None,
    seed: int | np.random.Generator | None = 0,
) -> SimulatedMarket:
    r"""Simulate a market of one factor, industries and errors of every unpleasant kind.

    The value of security i in industry g returns

    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + \sigma_i \sqrt{h_{it}}
              \left(\sqrt{\rho}\, f_{gt} + \sqrt{1 - \rho}\, u_{it}\right) + \delta_{it}, \qquad
              h_{it} = 1 - a - b + a\, z_{i,t-1}^2 h_{i,t-1} + b\, h_{i,t-1}

    with the bracket z of mean 0 and variance 1. Its price is the value, rounded to a tick, unless the
    price may not move that far in one session (the rest follows in the next ones) or does not trade.

    Parameters
    ----------
    n_securities, n_sessions : int
    beta, sigma : (float, float)
        Ranges from which each security's slope and daily error standard deviation are drawn, uniformly.
    market_sigma, market_drift : float
        Daily standard deviation and mean of the market factor, which is the benchmark; alpha is 0.
    n_industries : int, default 1
    correlation : float, default 0
        Correlation of the standardised errors of two securities of one industry.
    garch : (float, float), optional
        ARCH and GARCH coefficients a and b of the errors and of the factor; constant variance by default.
    tails : float, optional
        Degrees of freedom, above 2, of the t distribution of the shocks; normally distributed by default.
    thin : float, default 0
        Mean share of sessions on which a security does not trade; securities differ, from 0 to twice that.
    halts : float, default 0
        Probability that a suspension of `halt_sessions` sessions begins, by security and session.
    halt_sessions : int, default 10
    price_limit : float, optional
        Largest move of one session, 0.1 for ten percent, from the last price.
    tick : float, default 0.01
        Step of prices, which start between 10 and 100.
    n_events : int, default 0
        Events to inject, of securities drawn at random.
    effect : float, default 0
        Return added to the value of each event's security on the event's session.
    common_date : bool, default False
        All events on one session, of different securities; else sessions are drawn one by one.
    start : str
        First session.
    calendar : str, optional
        Exchange whose sessions to use; every weekday by default.
    seed : int or Generator, default 0

    Returns
    -------
    SimulatedMarket
        ``market, truth = simulate_market(...)``; the benchmark is called ``"market"``.

    Raises
    ------
    RequestError
        If a parameter is out of range.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, truth = es.lab.simulate_market(20, 400, n_events=5, effect=0.05, seed=1)
    >>> market
    Market: 20 securities, 400 sessions 2016-01-04 to 2017-07-14, simple returns, benchmark market
    >>> study = es.EventStudy(market, truth.events, estimation=(-250, -11), window=(-5, 5))
    >>> bool(abs(study.fit().caar(0, 0)["caar"].iloc[0] - 0.05) < 0.03)
    True
    """
    for name, value, least in (
        ("n_securities", n_securities, 1),
        ("n_sessions", n_sessions, 3),
        ("n_industries", n_industries, 1),
        ("halt_sessions", halt_sessions, 1),
        ("n_events", n_events, 0),
    ):
        check_whole(name, value, least)
    check_number("market_sigma", market_sigma, 0, 1)
    check_number("market_drift", market_drift, -0.1, 0.1)
    check_number("effect", effect, -10, 10)
    check_number("tick", tick, above=0, most=100)
    _check(correlation, garch, tails, thin, halts, price_limit)
    check_seed(seed)
    rng = np.random.default_rng(seed)
    sessions = _sessions(start, n_sessions, calendar)
    names = [f"S{i + 1:0{len(str(n_securities))}d}" for i in range(n_securities)]
    slopes, sizes = rng.uniform(*beta, n_securities), rng.uniform(*sigma, n_securities)
    industry = np.arange(n_securities) % n_industries
    total = BURN_IN + n_sessions
    factor, _ = _volatile(_shocks(rng, (total, 1), tails), garch)
    common, own = _shocks(rng, (total, n_industries), tails), _shocks(rng, (total, n_securities), tails)
    mixed = np.sqrt(correlation) * common[:, industry] + np.sqrt(1.0 - correlation) * own
    errors, deviation = _volatile(mixed, garch)
    benchmark = market_drift + market_sigma * factor[BURN_IN:, 0]
    errors, deviation = sizes * errors[BURN_IN:], sizes * deviation[BURN_IN:]
    rows, chosen = _place(rng, n_events, n_securities, n_sessions, common_date)
    returns = slopes * benchmark[:, None] + errors
    np.add.at(returns, (rows, chosen), effect)
    # A value cannot lose more than all of itself, whatever a fat tail draws.
    returns = np.maximum(returns, -0.95)
    trades = _trades(rng, returns.shape, thin, halts, halt_sessions)
    prices = _prices(rng.uniform(10.0, 100.0, n_securities), returns, trades, price_limit, tick)

    def frame(values: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(values, sessions, names)

    index = pd.Series(1000.0 * np.cumprod(1.0 + benchmark), sessions, name="market")
    market = Market.from_prices(
        frame(prices),
        benchmark=index,
        calendar=calendar,
        sessions="data",
        price_limit=price_limit,
        tick=tick,
    )
    truth = MarketTruth(
        parameters=pd.DataFrame(
            {"alpha": 0.0, "beta": slopes, "sigma": sizes, "industry": industry},
            pd.Index(names, name="security"),
        ),
        events=pd.DataFrame(
            {"security": [names[i] for i in chosen], "date": sessions[rows], "effect": float(effect)}
        ),
        returns=frame(returns),
        errors=frame(errors),
        volatility=frame(deviation),
        benchmark=pd.Series(benchmark, sessions, name="market"),
    )
    return SimulatedMarket(market, truth)


def _check(
    correlation: float,
    garch: tuple[float, float] | None,
    tails: float | None,
    thin: float,
    halts: float,
    price_limit: float | None,
) -> None:
    check_number("correlation", correlation, 0, below=1)
    check_number("thin", thin, 0, below=0.5)
    check_number("halts", halts, 0, below=1)
    if tails is not None:
        check_number("tails", tails, above=2)
    if price_limit is not None:
        check_fraction("price_limit", price_limit)
    if garch is not None and not (len(garch) == 2 and min(garch) >= 0 and sum(garch) < 1):
        raise RequestError(f"garch=(a, b) needs a, b >= 0 and a + b < 1, got {garch!r}.")


def _sessions(start: str, n: int, calendar: str | None) -> pd.DatetimeIndex:
    first = pd.Timestamp(start)
    if calendar is None:
        return pd.bdate_range(first, periods=n, name="date")
    # Exchanges keep at least 230 sessions in 365 days.
    return Exchange(calendar).sessions(first, first + pd.Timedelta(days=30 + n * 365 // 230))[:n]


def _shocks(rng: np.random.Generator, shape: tuple[int, int], tails: float | None) -> FloatArray:
    """Draw shocks of mean 0 and variance 1."""
    if tails is None:
        return rng.standard_normal(shape)
    return np.asarray(rng.standard_t(tails, shape) * np.sqrt((tails - 2.0) / tails), dtype=np.float64)


def _volatile(shocks: FloatArray, garch: tuple[float, float] | None) -> tuple[FloatArray, FloatArray]:
    """Return GARCH(1, 1) errors of unit variance, and their conditional standard deviations; (T, S)."""
    if garch is None:
        return shocks, np.ones_like(shocks)
    a, b = garch
    h, variance = np.empty_like(shocks), np.ones(shocks.shape[1])
    for t, z in enumerate(shocks):
        h[t] = variance
        variance = 1.0 - a - b + (a * z * z + b) * variance
    deviation = np.sqrt(h)
    return deviation * shocks, deviation


def _place(
    rng: np.random.Generator, n: int, n_securities: int, n_sessions: int, common_date: bool
) -> tuple[IntArray, IntArray]:
    """Draw session and security of each event, no two of them the same."""
    first, last = min(BEFORE, n_sessions // 2), n_sessions - min(AFTER, n_sessions // 10) - 1
    places = n_securities * (1 if common_date else last - first + 1)
    if not 0 <= n <= places:
        where = "one session" if common_date else f"{last - first + 1} sessions"
        raise RequestError(
            f"simulate_market: n_events={n} does not fit in {n_securities} securities and {where}."
        )
    if common_date:
        rows = np.full(n, rng.integers(first, last + 1), dtype=np.int64)
        return rows, rng.choice(n_securities, n, replace=False)
    drawn = rng.choice(places, n, replace=False)
    return first + drawn // n_securities, drawn % n_securities


def _trades(
    rng: np.random.Generator, shape: tuple[int, int], thin: float, halts: float, length: int
) -> BoolArray:
    """Whether each security trades on each session; all do on the first."""
    trades = rng.random(shape) >= thin * rng.uniform(0.0, 2.0, shape[1])
    begins = rng.random(shape) < halts
    for row, column in zip(*np.nonzero(begins), strict=True):
        trades[row : row + length, column] = False
    trades[0] = True
    return trades


def _prices(
    first: FloatArray,
    returns: FloatArray,
    trades: BoolArray,
    limit: float | None,
    tick: float,
) -> FloatArray:
    """Prices that follow the value as far as ticks, limits and trading let them; NaN without trade."""
    prices = np.full(returns.shape, np.nan)
    value, last = first.copy(), np.round(first / tick) * tick
    prices[0] = last
    for t in range(1, len(returns)):
        value = value * (1.0 + returns[t])
        price = np.maximum(np.round(value / tick), 1.0) * tick
        if limit is not None:
            low, high = limit_prices(np.round(last, 10), np.full(len(last), limit), tick)
            price = np.clip(price, low, high)
        prices[t] = np.where(trades[t], price, np.nan)
        last = np.where(trades[t], price, last)
    # Multiples of a tick carry rounding noise, which limit prices computed exactly would notice.
    return np.asarray(np.round(prices, 10), dtype=np.float64)
