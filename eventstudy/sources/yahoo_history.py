"""One ticker's history, asked for once: yfinance's answer → a tidy frame of whole days, or an error."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

import pandas as pd

from eventstudy.sources.cache import Entry
from eventstudy.sources.yahoo_faults import NoPricesError

__all__ = ["Adjustment", "history", "strict_yfinance"]

Adjustment = Literal["none", "splits"]

FIELDS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
    "Dividends": "dividends",
    "Stock Splits": "splits",
}
# Funds pay these besides dividends; shares do not have the column.
FUND_FIELDS = {"Capital Gains": "capital_gains"}


@contextmanager
def strict_yfinance() -> Iterator[None]:
    """Have yfinance raise what it would log, without the deprecations of pandas it runs into."""
    import yfinance

    debug = yfinance.config.debug
    hidden = debug.hide_exceptions
    debug.hide_exceptions = False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"yfinance(\.|$)")
            warnings.filterwarnings("ignore", category=FutureWarning, module=r"yfinance(\.|$)")
            yield
    finally:
        debug.hide_exceptions = hidden


def history(
    name: str, first: pd.Timestamp, last: pd.Timestamp, adjustment: Adjustment, timeout: float
) -> Entry:
    """Ask for the history of one ticker once."""
    import yfinance
    from yfinance.data import YfData

    # yfinance keeps answers about past spans, bad ones as well, and would give them again.
    YfData.cache_get.cache_clear()
    ticker = yfinance.Ticker(name)
    # Prices as traded need the splits until today.
    until = f"{last + pd.Timedelta(days=1):%Y-%m-%d}" if adjustment == "splits" else None
    raw = ticker.history(
        start=f"{first:%Y-%m-%d}", end=until, interval="1d", auto_adjust=False, actions=True, timeout=timeout
    )
    meta = ticker.get_history_metadata()
    frame = _tidy(raw)
    today = _unfinished(meta)
    if today is not None:
        frame = frame[frame.index != today]
    if adjustment == "none":
        frame = _as_traded(frame)
    inside = frame.loc[first:last]
    if not inside["close"].notna().any():
        if len(frame) and frame.index[0] > last:
            raise NoPricesError("not yet listed", f"its first price is of {frame.index[0]:%Y-%m-%d}")
        raise NoPricesError("delisted?", "Yahoo knows the symbol but has no prices in the span")
    about = {
        "source": "Yahoo Finance",
        "yfinance": version("yfinance"),
        "ticker": name,
        "adjustment": adjustment,
        "currency": meta.get("currency"),
        "timezone": meta.get("exchangeTimezoneName"),
        "retrieved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Entry(inside, about)


def _tidy(raw: pd.DataFrame) -> pd.DataFrame:
    """Rename yfinance's columns, and turn exchange-local times into days."""
    lacking = [column for column in FIELDS if column not in raw]
    if lacking:
        raise NoPricesError("malformed", f"the answer lacks {', '.join(lacking)}")
    fields = FIELDS | {old: new for old, new in FUND_FIELDS.items() if old in raw and raw[old].any()}
    frame = raw[list(fields)].rename(columns=fields).astype("float64")
    days = pd.DatetimeIndex(raw.index).tz_localize(None).normalize().as_unit("ns")
    frame = frame.set_axis(days.rename("date"), axis=0)
    if not frame.index.is_unique or not frame.index.is_monotonic_increasing:
        raise NoPricesError("malformed", "the answer has days twice or out of order")
    return frame


def _unfinished(meta: Any) -> pd.Timestamp | None:
    """Day whose session is still on, so that its prices will change."""
    regular = (meta.get("currentTradingPeriod") or {}).get("regular") or {}
    closes = regular.get("end")
    if isinstance(closes, pd.Timestamp) and closes > pd.Timestamp.now("UTC"):
        return closes.tz_localize(None).normalize()
    return None


def _as_traded(frame: pd.DataFrame) -> pd.DataFrame:
    """Take back the splits after each day: prices and dividends times, volume over their product."""
    splits = frame["splits"].where(frame["splits"] != 0, 1.0)
    if not (splits > 0).all():
        raise NoPricesError("malformed", "the answer has a split that is not positive")
    later = splits[::-1].cumprod()[::-1] / splits
    frame = frame.copy()
    for field in ("open", "high", "low", "close", "dividends"):
        frame[field] = frame[field] * later
    frame["volume"] = frame["volume"] / later
    return frame
