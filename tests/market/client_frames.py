"""Frames as vendors' clients return them, with invented numbers: one per client, by name.

Each is made of the same closes of two securities and the names, types, order and index that the client
documents, so a study of any of them gives one number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

DAYS = pd.bdate_range("2018-01-01", periods=180).as_unit("ns")
_rng = np.random.default_rng(5)
_INDEX = _rng.normal(0, 0.01, 180)
INDEX = pd.Series((1000 * np.cumprod(1 + _INDEX)).round(2), DAYS, name="INDEX")
CLOSE = pd.DataFrame(
    {name: (50 * np.cumprod(1 + _INDEX + _rng.normal(0, 0.012, 180))).round(2) for name in ("A", "B")}, DAYS
)
EVENT_DAY = DAYS[150]


def bars(ids: tuple[str, str], close: pd.DataFrame = CLOSE) -> pd.DataFrame:
    """One row a security-day: id, day, open, high, low, close, volume."""
    parts = [
        pd.DataFrame(
            {
                "id": one, "day": DAYS, "o": close[name], "h": close[name] + 1, "l": close[name] - 1,
                "c": close[name], "v": 1000.0 + np.arange(180),
            }
        )
        for one, name in zip(ids, close, strict=True)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def named(frame: pd.DataFrame, **names: str) -> pd.DataFrame:
    return frame.rename(columns=names)[list(names.values())]


def _returns(frame: pd.DataFrame) -> pd.Series:
    return frame.groupby("id")["c"].pct_change()


def wrds_dsf() -> pd.DataFrame:
    f = bars(("10107", "14593"))
    f = f.assign(id=f["id"].astype(int), c=f["c"].where(f.index % 7 != 3, -f["c"]))
    ret = bars(("10107", "14593")).groupby("id")["c"].pct_change().astype(object)
    ret[ret.isna()] = "C"
    out = named(f, id="permno", day="date", c="prc", v="vol").assign(
        ret=ret.to_numpy(), cfacpr=1.0, shrout=1e5
    )
    return out.assign(ticker="OLD", vwretd=np.tile(np.r_[np.nan, INDEX.pct_change().to_numpy()[1:]], 2))


def wrds_ciz() -> pd.DataFrame:
    f = bars(("10107", "14593"))
    out = named(f.assign(id=f["id"].astype(int)), id="permno", day="dlycaldt", c="dlyprc", v="dlyvol")
    return out.assign(dlyret=_returns(f).to_numpy(), ticker="OLD", dlyprcflg="TR", tradingstatusflg="A")


def compustat() -> pd.DataFrame:
    f = bars(("001690", "006066"))
    out = named(f, id="gvkey", day="datadate", o="prcod", h="prchd", l="prcld", c="prccd", v="cshtrd")
    return out.assign(iid="01", tic="OLD", cusip="12345", ajexdi=1.0, trfd=1.0)


def csmar() -> pd.DataFrame:
    f = bars(("000002", "002415"))
    out = named(f, id="Stkcd", day="Trddt", o="Opnprc", h="Hiprc", l="Loprc", c="Clsprc", v="Dnshrtrd")
    return out.assign(
        Trddt=f["day"].dt.strftime("%Y-%m-%d"), Dretwd=_returns(f).to_numpy(), Trdsta=1, Markettype=4
    )


def wind_wsd() -> pd.DataFrame:
    return CLOSE.set_axis(["000002.SZ", "002415.SZ"], axis=1).set_axis([d.date() for d in DAYS], axis=0)


def wind_long() -> pd.DataFrame:
    f = bars(("000002.SZ", "002415.SZ"))
    out = named(
        f,
        id="代码",
        day="日期",
        o="开盘价(元)",
        h="最高价(元)",
        l="最低价(元)",
        c="收盘价(元)",
        v="成交量(股)",
    )
    return out.assign(交易状态="交易", 简称="名")


def tushare() -> pd.DataFrame:
    f = bars(("000002.SZ", "002415.SZ"))
    out = named(f, id="ts_code", day="trade_date", o="open", h="high", l="low", c="close", v="vol")
    before = f.groupby("id")["c"].shift()
    change = (100 * (f["c"] / before - 1)).round(4)
    out = out.assign(
        trade_date=f["day"].dt.strftime("%Y%m%d"), pre_close=before, change=f["c"] - before, pct_chg=change
    )
    return out.iloc[::-1].reset_index(drop=True)


def akshare() -> pd.DataFrame:
    f = bars(("000002", "002415"))
    out = named(f, day="日期", id="股票代码", o="开盘", c="收盘", h="最高", l="最低", v="成交量")
    change = (100 * _returns(f)).round(2)
    return out.assign(日期=[d.date() for d in f["day"]], 成交额=1e6, 涨跌幅=change, 换手率=0.5)


def baostock() -> pd.DataFrame:
    f = bars(("sz.000002", "sz.002415"))
    out = named(f, day="date", id="code", o="open", h="high", l="low", c="close", v="volume")
    out = out.assign(date=f["day"].dt.strftime("%Y-%m-%d"), adjustflag="3", tradestatus="1", isST="0")
    return out.astype(str)


def joinquant() -> pd.DataFrame:
    f = bars(("000002.XSHE", "002415.XSHE"))
    return named(f, day="time", id="code", o="open", c="close", h="high", l="low", v="volume").assign(
        paused=0.0
    )


def yfinance_download() -> pd.DataFrame:
    parts = {"Close": CLOSE, "High": CLOSE + 1, "Low": CLOSE - 1, "Open": CLOSE, "Volume": CLOSE * 0 + 1000}
    return pd.concat(parts, axis=1, names=["Price", "Ticker"])


def yfinance_grouped() -> pd.DataFrame:
    return yfinance_download().swaplevel(axis=1).sort_index(axis=1)


def yfinance_history() -> dict[str, pd.DataFrame]:
    index = DAYS.tz_localize("America/New_York").rename("Date")
    return {
        name: pd.DataFrame(
            {
                "Open": c, "High": c + 1, "Low": c - 1, "Close": c, "Volume": 1000, "Dividends": 0.0,
                "Stock Splits": 0.0,
            },
            DAYS,
        ).set_axis(index, axis=0)
        for name, c in CLOSE.items()
    }  # fmt: skip


def pandas_datareader() -> pd.DataFrame:
    parts = {
        "Adj Close": CLOSE,
        "Close": CLOSE,
        "High": CLOSE + 1,
        "Low": CLOSE - 1,
        "Volume": CLOSE * 0 + 1000,
    }
    return pd.concat(parts, axis=1, names=["Attributes", "Symbols"])


def tidyfinance() -> pd.DataFrame:
    f = bars(("A", "B"))
    out = named(f, id="symbol", day="date", v="volume", o="open", l="low", h="high", c="close")
    return out.assign(adjusted_close=f["c"])


def polygon() -> pd.DataFrame:
    f = bars(("A", "B"))
    stamps = f["day"].dt.tz_localize("America/New_York").map(lambda t: int(t.timestamp() * 1000))
    out = named(f, id="ticker", o="open", h="high", l="low", c="close", v="volume")
    return out.assign(vwap=f["c"] + 0.1, timestamp=stamps, transactions=7, otc=None)


def tiingo() -> pd.DataFrame:
    f = bars(("A", "B"))
    out = named(f, id="ticker", day="date", c="close", h="high", l="low", o="open", v="volume")
    return out.assign(
        date=f["day"].dt.tz_localize("UTC"), adjClose=f["c"], adjVolume=f["v"], divCash=0.0, splitFactor=1.0
    )  # fmt: skip


def alpha_vantage() -> dict[str, pd.DataFrame]:
    names = {"1. open": 0, "2. high": 1, "3. low": -1, "4. close": 0}
    return {
        who: pd.DataFrame({n: (c + k).map("{:.4f}".format) for n, k in names.items()} | {"5. volume": "1000"})
        .set_axis(DAYS.strftime("%Y-%m-%d"), axis=0)
        .iloc[::-1]
        for who, c in CLOSE.items()
    }


def stooq() -> dict[str, pd.DataFrame]:
    return {
        who: pd.DataFrame({"Open": c, "High": c + 1, "Low": c - 1, "Close": c, "Volume": 1000})
        .rename_axis("Date")
        .iloc[::-1]
        for who, c in CLOSE.items()
    }  # fmt: skip


def lseg_history() -> pd.DataFrame:
    frame = CLOSE.set_axis(["AAA.O", "BBB.N"], axis=1).rename_axis("Date")
    parts = {(who, "TRDPRC_1"): c for who, c in frame.items()} | {
        (who, "ACVOL_UNS"): c * 0 + 10 for who, c in frame.items()
    }
    return pd.DataFrame(parts)


def lseg_get_data() -> pd.DataFrame:
    f = bars(("AAA.O", "BBB.N"))
    return named(f, id="Instrument", day="Date", c="Price Close", v="Volume").assign(
        Date=f["day"].dt.strftime("%Y-%m-%dT00:00:00Z")
    )


def bloomberg_xbbg() -> pd.DataFrame:
    frame = CLOSE.set_axis(["AAA US Equity", "BBB US Equity"], axis=1)
    out = pd.concat(
        {who: pd.DataFrame({"last_price": c, "px_volume": 9.0}) for who, c in frame.items()}, axis=1
    )
    return out.set_axis([d.date() for d in DAYS], axis=0)


def datastream() -> pd.DataFrame:
    parts = {("@AAA", "P", "U$"): CLOSE["A"], ("@BBB", "P", "U$"): CLOSE["B"]}
    return pd.concat(parts, axis=1, names=["Instrument", "Field", "Currency"]).rename_axis("Dates")


def finance_data_reader() -> dict[str, pd.DataFrame]:
    return {
        who: pd.DataFrame(
            {"Open": c, "High": c + 1, "Low": c - 1, "Close": c, "Volume": 1000, "Change": c.pct_change()}
        )
        for who, c in CLOSE.items()
    }


def duckdb_long() -> pd.DataFrame:
    return named(bars(("A", "B")), id="symbol", day="day", c="close").assign(
        day=lambda f: f["day"].astype("datetime64[us]")
    )


def polars_long() -> object:
    import polars as pl

    return pl.from_pandas(named(bars(("A", "B")), id="symbol", day="date", c="close"))


def pyarrow_wide() -> object:
    import pyarrow as pa

    return pa.Table.from_pandas(CLOSE.rename_axis("date").reset_index(), preserve_index=False)


def quantmod() -> pd.DataFrame:
    names = {"Open": 0, "High": 1, "Low": -1, "Close": 0, "Adjusted": 0}
    parts = {f"{who}.{name}": c + k for who, c in CLOSE.items() for name, k in names.items()}
    return pd.DataFrame(parts)


def eodhd() -> pd.DataFrame:
    f = bars(("A", "B"))
    return named(f, id="symbol", day="date", o="open", h="high", l="low", c="close", v="volume").assign(
        adjusted_close=f["c"]
    )


CLIENTS: dict[str, Callable[[], object]] = {
    "WRDS crsp.dsf": wrds_dsf,
    "WRDS crsp.dsf_v2 (CIZ)": wrds_ciz,
    "WRDS comp.secd": compustat,
    "CSMAR": csmar,
    "Wind wsd": wind_wsd,
    "Wind export": wind_long,
    "Tushare": tushare,
    "AkShare": akshare,
    "Baostock": baostock,
    "JoinQuant": joinquant,
    "yfinance download": yfinance_download,
    "yfinance download(group_by='ticker')": yfinance_grouped,
    "yfinance Ticker.history": yfinance_history,
    "pandas_datareader": pandas_datareader,
    "tidyfinance": tidyfinance,
    "Polygon": polygon,
    "Tiingo": tiingo,
    "Alpha Vantage": alpha_vantage,
    "Stooq": stooq,
    "LSEG get_history": lseg_history,
    "LSEG get_data": lseg_get_data,
    "Bloomberg xbbg": bloomberg_xbbg,
    "Datastream": datastream,
    "FinanceDataReader": finance_data_reader,
    "DuckDB": duckdb_long,
    "polars": polars_long,
    "pyarrow": pyarrow_wide,
    "quantmod": quantmod,
    "EODHD": eodhd,
}
