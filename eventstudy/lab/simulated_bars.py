"""Artificial intraday bars, with nights and breaks that move more than minutes do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.arguments import check_number, check_seed, check_whole
from eventstudy.calendars import Exchange
from eventstudy.errors import RequestError
from eventstudy.immutable import hand_out_copies
from eventstudy.market.intraday import Gap, bar_grid, check_freq

__all__ = ["SimulatedBars", "simulate_bars"]


@hand_out_copies("prices", "returns", "gap", "events")
@dataclass(frozen=True)
class SimulatedBars:
    """Prices of artificial bars and what lies behind them.

    Attributes
    ----------
    prices : DataFrame
        Times at which bars end × (field, security): open and close; `Market.from_prices` takes them with
        ``freq=``. The benchmark is the column ``"market"``.
    returns : DataFrame
        Log returns of every row, the gaps before trading hours among them.
    gap : Series
        What each row is, a `Gap`: 0 for a bar, 1 for a night, 2 for a break.
    events : DataFrame
        security, announced_at (UTC) and effect; `Events` takes it.

    Examples
    --------
    >>> import eventstudy as es
    >>> bars = es.lab.simulate_bars(2, 3, seed=1)
    >>> bars.prices.columns.get_level_values(0).unique().tolist()
    ['open', 'close']
    """

    prices: pd.DataFrame
    returns: pd.DataFrame
    gap: pd.Series
    events: pd.DataFrame


#: Log returns, and multiples of their deviations, beyond which prices are not numbers any more.
LARGEST = 100.0


def simulate_bars(
    n_securities: int = 5,
    n_sessions: int = 10,
    *,
    freq: str = "1min",
    calendar: str = "XSHG",
    start: str = "2019-05-06",
    sigma: float = 0.0008,
    market_sigma: float = 0.0004,
    night: float = 15.0,
    pause: float = 4.0,
    thin: float = 0.0,
    n_events: int = 0,
    effect: float = 0.0,
    seed: int | np.random.Generator | None = 0,
) -> SimulatedBars:
    r"""Simulate bars of an exchange: log returns of one factor of slope 1 and independent normal errors.

    Parameters
    ----------
    n_securities, n_sessions : int
    freq, calendar, start : str
        Length of a bar, exchange and first day.
    sigma, market_sigma : float
        Standard deviation of error and factor over one bar.
    night, pause : float
        How many times as large they are over a night and over a break.
    thin : float, default 0
        Share of bars in which a security does not trade.
    n_events : int, default 0
        Announcements, each half a bar before the end of a bar of its own, drawn from the last fifth of all.
    effect : float, default 0
        Log return added to the bar of each announcement.
    seed : int or Generator, default 0

    Returns
    -------
    SimulatedBars

    Raises
    ------
    RequestError
        If a number is out of range.

    Examples
    --------
    >>> import eventstudy as es
    >>> bars = es.lab.simulate_bars(3, 5, seed=1)
    >>> market = es.Market.from_prices(bars.prices, benchmark="market", calendar="XSHG", freq="1min")
    >>> market
    Market: 3 securities, 1200 bars of 1min 2019-05-06 to 2019-05-10 (XSHG), simple returns, benchmark market
    """
    check_whole("n_securities", n_securities, 1)
    check_whole("n_sessions", n_sessions, 1)
    check_number("thin", thin, 0, below=1)
    for name, value in (("sigma", sigma), ("night", night), ("pause", pause)):
        check_number(name, value, above=0, most=LARGEST)
    check_number("market_sigma", market_sigma, 0, LARGEST)
    check_number("effect", effect, -LARGEST, LARGEST)
    check_whole("n_events", n_events, 0)
    check_seed(seed)
    rng = np.random.default_rng(seed)
    first = pd.Timestamp(start)
    exchange = Exchange(calendar)
    days = exchange.sessions(first, first + pd.Timedelta(days=30 + 2 * n_sessions))[:n_sessions]
    grid = bar_grid(calendar, days[0], days[-1], check_freq(freq, calendar))
    size = np.select([grid.gap == Gap.NIGHT, grid.gap == Gap.BREAK], [night, pause], 1.0)
    factor = market_sigma * size * rng.standard_normal(len(size))
    errors = sigma * size[:, None] * rng.standard_normal((len(size), n_securities))
    names = [f"S{i + 1}" for i in range(n_securities)]
    late = np.flatnonzero(grid.gap == Gap.NONE)[-int((grid.gap == Gap.NONE).sum() // 5) :]
    if not 0 <= n_events <= len(late):
        raise RequestError(f"simulate_bars: n_events={n_events} does not fit in the last {len(late)} bars.")
    rows = rng.choice(late, n_events, replace=False)
    chosen = rng.integers(n_securities, size=n_events)
    returns = np.column_stack([factor, factor[:, None] + errors])
    np.add.at(returns, (rows, chosen + 1), effect)
    level = 100.0 * np.exp(np.cumsum(returns, axis=0))
    bar = np.flatnonzero(grid.gap == Gap.NONE)
    silent = rng.random((len(bar), n_securities + 1)) < thin
    silent[:, 0] = False
    columns, times = ["market", *names], grid.closes[bar]
    close = pd.DataFrame(np.where(silent, np.nan, level[bar]), times, columns)
    opening = pd.DataFrame(np.where(silent, np.nan, level[bar - 1]), times, columns)
    half = (grid.closes[rows] - grid.closes[rows - 1]) / 2
    moments = (grid.closes[rows] - half).tz_localize(exchange.timezone).tz_convert("UTC")
    return SimulatedBars(
        pd.concat({"open": opening, "close": close}, axis=1),
        pd.DataFrame(returns, grid.closes, columns),
        pd.Series(grid.gap, grid.closes),
        pd.DataFrame(
            {"security": [names[i] for i in chosen], "announced_at": moments, "effect": float(effect)}
        ),
    )
