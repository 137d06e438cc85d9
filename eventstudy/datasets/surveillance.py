"""China's surveillance sector on the Shenzhen exchange, 2017 to 2019."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd

__all__ = ["surveillance_names", "surveillance_prices", "surveillance_shares"]

NAMES = {
    "002415.SZ": "Hikvision",
    "002236.SZ": "Dahua",
    "002583.SZ": "Hytera",
    "000063.SZ": "ZTE",
    "002230.SZ": "iFlytek",
    "300188.SZ": "Meiya Pico",
    "399001.SZ": "SZSE Component",
    "000300.SS": "CSI 300",
}
BAR_FIELDS = ("open", "high", "low", "previous_close", "volume")
FIELDS = sorted(("close", "reference", *BAR_FIELDS))


def surveillance_prices() -> pd.DataFrame:
    """Return daily prices of six Shenzhen-listed makers of surveillance technology and two indices.

    All 650 sessions of the Shenzhen Stock Exchange from 2017-04-05 to 2019-11-29, raw (as traded, in
    CNY; index points for the indices). A missing close means that the share was suspended.

    Returns
    -------
    DataFrame, shape (650, 56)
        Indexed by ``date`` (datetime64[ns], no zone), with the column levels ``field`` and ``security``,
        as yfinance lays them out and `Market.from_prices` takes them. The fields:

        close
            Of all eight series.
        reference
            The exchange's reference price on the 15 ex-days of the six shares, otherwise missing. The
            total return of such a day is ``close / reference - 1``; of any other, the change in close.
        open, high, low, previous_close, volume
            Of Hikvision and Dahua, 58 sessions each around May 2018, May 2019 and October 2019, otherwise
            missing. `previous_close` is the reference price on an ex-day; volume is in shares.

    See Also
    --------
    surveillance_names : The company behind each ticker.
    surveillance_shares : Numbers of shares, which make market values of closes.

    Notes
    -----
    Compiled from published exchange prices and compared with two independent vendors: of 3,844
    daily returns, 3,844 agree within 0.0012 percentage points. ``PROVENANCE.md`` beside this module says
    more.

    Examples
    --------
    Hikvision lost 5.54% on the first session after the New York Times report of 21 May 2019:

    >>> from eventstudy.datasets import surveillance_prices
    >>> prices = surveillance_prices()
    >>> close = prices["close", "002415.SZ"]
    >>> round(float(close["2019-05-22"] / close["2019-05-21"] - 1), 4)
    -0.0554
    >>> float(prices.at["2019-05-22", ("low", "002415.SZ")])
    24.84
    """
    close = _read("surveillance_closes.csv").set_index("date").sort_index(axis=1)
    ex_days = _read("surveillance_ex_dates.csv", date="ex_date")
    bars = _read("surveillance_ohlc.csv")
    columns = pd.MultiIndex.from_product([FIELDS, close.columns], names=["field", "security"])
    # Laid in one array, which takes a fraction of the time that pivoting each field does.
    values = np.full((len(close), len(FIELDS), len(close.columns)), np.nan)
    values[:, FIELDS.index("close")] = close
    for table, date, names in (
        (ex_days, "ex_date", {"reference": "reference_price"}),
        (bars, "date", {name: name for name in BAR_FIELDS}),
    ):
        rows = close.index.get_indexer(pd.Index(table[date]))
        who = close.columns.get_indexer(pd.Index(table["ticker"]))
        for field, name in names.items():
            values[rows, FIELDS.index(field), who] = table[name]
    return pd.DataFrame(values.reshape(len(close), -1), close.index, columns)


def surveillance_shares() -> pd.DataFrame:
    """Return how many shares the six companies of `surveillance_prices` had.

    Returns
    -------
    DataFrame, shape (650, 6)
        All shares of the company on each session of `surveillance_prices`, rounded to a million; missing
        before 2018-01-02, where no count is known. ZTE's count includes its shares in Hong Kong.

    Notes
    -----
    Derived: market value divided by close, on each session on which the quotient changed.
    ``PROVENANCE.md`` beside this module says more.

    Examples
    --------
    Hikvision's market value at the close before the report of 21 May 2019, in billion yuan:

    >>> from eventstudy.datasets import surveillance_prices, surveillance_shares
    >>> value = surveillance_prices()["close"] * surveillance_shares() / 1e9
    >>> round(float(value.at["2019-05-21", "002415.SZ"]))
    258
    """
    counts = _read("surveillance_shares.csv").pivot(index="date", columns="ticker", values="shares_million")
    sessions = _read("surveillance_closes.csv")["date"]
    shares = counts.reindex(counts.index.union(pd.DatetimeIndex(sessions))).ffill().loc[sessions] * 1e6
    return shares.rename_axis(index="date", columns="security")


def surveillance_names() -> pd.Series:
    """Return the names of the companies and indices of `surveillance_prices`.

    Returns
    -------
    Series of str
        Name by ticker (Yahoo's symbols), the six shares before the two indices.

    Examples
    --------
    >>> from eventstudy.datasets import surveillance_names
    >>> surveillance_names()["002415.SZ"]
    'Hikvision'
    """
    return pd.Series(NAMES, name="name").rename_axis("security")


def _read(name: str, date: str = "date") -> pd.DataFrame:
    """Read a CSV file that lies beside this module, its dates in nanoseconds whatever the pandas."""
    with files(__package__).joinpath(name).open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream)
    return frame.assign(**{date: pd.DatetimeIndex(frame[date]).as_unit("ns")})
