"""What a market can know of another that closes after it: returns by the session that first sees them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.calendars import Exchange
from eventstudy.errors import DataError

__all__ = ["known_at_open"]


def known_at_open(
    returns: pd.Series, exchange: str | Exchange, calendar: str | Exchange, *, kind: str = "simple"
) -> pd.Series:
    r"""Lay one exchange's returns on the sessions of another that open after its close.

    A session holds the return from the last close known when the session before it opened to the last
    close known when it opens,

    .. math:: x_t = \prod_{s:\; o_{t-1} < c_s \le o_t} (1 + R_s) - 1

    for closing times c of the one exchange and opening times o of the other: for New York and Shenzhen the
    night before, over a weekend Friday, over a holiday in China all that New York did meanwhile.
    Where the other exchange had no session since, that is zero.

    Parameters
    ----------
    returns : Series
        Returns by session of `exchange`, decimals.
    exchange, calendar : str or Exchange
        Calendars of the returns, such as ``"XNYS"``, and of the market that learns of them, such as
        ``"XSHG"``.
    kind : {"simple", "log"}, default "simple"
        Kind of the returns.

    Returns
    -------
    Series
        By session of `calendar`; missing where one of the returns it needs is. Its name is that of `returns`.

    Raises
    ------
    DataError
        If a return bears a date that is not a session of `exchange`, or `kind` is unknown.

    See Also
    --------
    MarketModel : takes it as a further regressor, ``lags={"sp500": 0}``.

    Notes
    -----
    A lag of one row would take the wrong session whenever one of the markets had a holiday, and none
    would take the session that closes half a day later.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> days = pd.to_datetime(["2019-05-20", "2019-05-21", "2019-05-22"])
    >>> us = pd.Series([-0.0067, 0.0085, -0.0028], days, name="sp500")
    >>> es.known_at_open(us, "XNYS", "XSHG")
    2019-05-21   -0.0067
    2019-05-22    0.0085
    2019-05-23   -0.0028
    Name: sp500, dtype: float64
    """
    if kind not in ("simple", "log"):
        raise DataError(f"kind must be 'simple' or 'log', got {kind!r}.")
    given = returns.copy()
    given.index = pd.DatetimeIndex(pd.to_datetime(given.index)).as_unit("ns")
    given = given.sort_index()
    first, last = given.index[0], given.index[-1]
    source = Exchange.of(exchange)
    schedule = source.schedule(first, last)
    theirs = pd.DatetimeIndex(schedule.index)
    strange = given.index.difference(theirs)
    if len(strange) or given.index.has_duplicates:
        day = strange[0] if len(strange) else given.index[given.index.duplicated()][0]
        problem = f"not a session of {source.code}" if len(strange) else "given twice"
        raise DataError(f"The return of {day:%Y-%m-%d} is {problem}; known_at_open goes by that calendar.")
    closes = pd.DatetimeIndex(schedule)
    values = given.reindex(theirs).to_numpy(dtype=float)
    target = Exchange.of(calendar)
    known_days = target.schedule(first, last).index
    hours = target.hours(known_days[0], known_days[-1])
    local = pd.DatetimeIndex(hours["open"]).tz_localize(target.timezone)
    opens = local.tz_convert("UTC").tz_localize(None)
    known = np.asarray(closes.searchsorted(opens, side="right"))
    missing = np.isnan(values)
    growth = np.where(missing, 0.0, values)
    total = np.concatenate([[0.0], np.cumsum(growth if kind == "log" else np.log1p(growth))])
    lost = np.concatenate([[0], np.cumsum(missing)])
    change, gap = np.diff(total[known]), np.diff(lost[known])
    out = np.where(gap > 0, np.nan, change if kind == "log" else np.expm1(change))
    # From the first close on, to the close that would follow the last one.
    later = closes[theirs > last]
    within = (opens > closes[theirs == first][0]) & (opens < (later[0] if len(later) else opens[-1]))
    sessions = pd.DatetimeIndex(hours.index)[1:][within[1:]]
    return pd.Series(out[within[1:]], sessions, name=returns.name)
