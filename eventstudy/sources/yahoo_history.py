"""One ticker's history, asked for once: yfinance's answer → a tidy frame of whole days, or an error."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd

from eventstudy.sources.cache import Entry
from eventstudy.sources.yahoo_faults import NoPricesError, chart_of

__all__ = ["Adjustment", "counts", "history"]

Adjustment = Literal["none", "splits"]

FIELDS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}
#: What Yahoo calls the payments of a chart → column. Funds alone pay out gains.
PAYOUTS = {"dividends": "dividends", "capitalGains": "capital_gains"}
#: Quotations in a hundredth of a currency.
HUNDREDTHS = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAC": "ZAR", "ILA": "ILS"}

#: How long before a span the count that is known at its first day is looked for.
BEFORE = pd.Timedelta(days=548)

# yfinance has one setting and one memory for the whole process.
ONE_AT_A_TIME = threading.Lock()


@contextmanager
def _strict_yfinance() -> Iterator[None]:
    """Have yfinance raise what it would log, and log nothing, without the deprecations of pandas it meets."""
    import yfinance
    from yfinance.data import YfData

    with ONE_AT_A_TIME, warnings.catch_warnings():
        debug, log = yfinance.config.debug, logging.getLogger("yfinance")
        hidden, silent = debug.hide_exceptions, log.disabled
        debug.hide_exceptions, log.disabled = False, True
        # yfinance keeps answers about past spans, bad ones as well, and would give them again.
        YfData.cache_get.cache_clear()
        try:
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"yfinance(\.|$)")
            warnings.filterwarnings("ignore", category=FutureWarning, module=r"yfinance(\.|$)")
            yield
        finally:
            debug.hide_exceptions, log.disabled = hidden, silent


class _Witness:
    """Stands between a ticker of yfinance and its requests: judges each answer and keeps the last.

    yfinance drops the status, the dates of splits and the currency of dividends.
    """

    def __init__(self, data: Any, name: str, timeout: float) -> None:
        self.data, self.name, self.timeout = data, name, timeout
        self.known = False
        self.chart: dict[str, Any] = {}

    def get(self, url: str, params: dict[str, Any] | None = None, timeout: float | None = None) -> Any:
        if "/v8/finance/chart/" not in url:
            answer = self.data.get(url=url, params=params, timeout=self.timeout)
            answer.raise_for_status()
            return answer
        folder = url.rpartition("/v8/finance/chart/")[0]
        address = f"{folder}/v8/finance/chart/{quote(self.name, safe='^=')}"
        answer = self.data.get(url=address, params=params, timeout=self.timeout)
        self.chart = chart_of(answer, self.name, self.known)
        self.known = True
        return answer

    # The memory of yfinance would answer for answers that were refused.
    cache_get = get


def history(
    name: str, first: pd.Timestamp, last: pd.Timestamp, adjustment: Adjustment, timeout: float
) -> Entry:
    """Ask for the history of one ticker once."""
    import yfinance

    # Prices as traded need the splits until today.
    until = f"{last + pd.Timedelta(days=1):%Y-%m-%d}" if adjustment == "splits" else None
    with _strict_yfinance():
        ticker = yfinance.Ticker(name)
        witness = ticker._data = _Witness(ticker._data, name, timeout)
        raw = ticker.history(
            start=f"{first:%Y-%m-%d}",
            end=until,
            interval="1d",
            auto_adjust=False,
            actions=True,
            timeout=timeout,
        )
        meta = ticker.get_history_metadata()
    frame, paid_in = _tidy(raw, witness.chart, adjustment)
    today = _unfinished(meta)
    if today is not None:
        frame = frame[frame.index != today]
    inside = frame.loc[first:last]
    if not inside["close"].notna().any():
        if len(frame) and frame.index[0] > last:
            raise NoPricesError("not yet listed", f"its first price is of {frame.index[0]:%Y-%m-%d}")
        raise NoPricesError("delisted?", "Yahoo knows the symbol but has no prices in the span")
    currency = meta.get("currency")
    about = {
        "source": "Yahoo Finance",
        "yfinance": version("yfinance"),
        "ticker": name,
        "adjustment": adjustment,
        "currency": currency,
        "dividend_currency": paid_in,
        "timezone": meta.get("exchangeTimezoneName"),
        "retrieved": _now().isoformat(timespec="seconds"),
    }
    return Entry(inside, about)


def counts(
    name: str, first: pd.Timestamp, last: pd.Timestamp, adjustment: Adjustment, timeout: float
) -> pd.Series:
    """Ask for the counts of shares of one ticker once: those of the span, and the last one before it."""
    import yfinance

    since = first - BEFORE
    with _strict_yfinance():
        ticker = yfinance.Ticker(name)
        witness = ticker._data = _Witness(ticker._data, name, timeout)
        ticker.history(start=f"{since:%Y-%m-%d}", auto_adjust=False, actions=True, timeout=timeout)
        splits = _splits(witness.chart)
        raw = ticker.get_shares_full(start=f"{since:%Y-%m-%d}", end=f"{last + pd.Timedelta(days=1):%Y-%m-%d}")
    if raw is None or raw.empty:
        raise NoPricesError("no counts", "Yahoo has no counts of its shares in the span, nor shortly before")
    days = pd.DatetimeIndex(raw.index).tz_localize(None).normalize().as_unit("ns")
    known = pd.Series(raw.to_numpy(dtype=float), days).groupby(level=0).last()
    known = known[(known > 0) & (known.index <= last)]
    if adjustment == "splits":
        later = [float(splits[splits.index > day].prod()) for day in known.index]
        known = known * np.array(later)
    else:
        for day, ratio in splits[splits.index <= last].items():
            before = known[known.index <= day]
            if len(before) and before.index[-1] < day:
                carried = pd.Series([before.iloc[-1] * ratio], pd.DatetimeIndex([day]))
                known = pd.concat([known, carried]).sort_index()
    start = known.index.searchsorted(first, side="right") - 1
    known = known.iloc[max(int(start), 0) :]
    if known.empty:
        raise NoPricesError("no counts", "Yahoo has no counts of its shares in the span, nor shortly before")
    return known


def _now() -> datetime:
    return datetime.now(UTC)


def _tidy(
    raw: pd.DataFrame, chart: dict[str, Any], adjustment: Adjustment
) -> tuple[pd.DataFrame, str | None]:
    """Return prices by day with dividends, splits and gains of the chart, and the currency of dividends."""
    lacking = [column for column in FIELDS if column not in raw]
    if lacking:
        raise NoPricesError("malformed", f"the answer lacks {', '.join(lacking)}")
    frame = raw[list(FIELDS)].rename(columns=FIELDS).astype("float64")
    days = pd.DatetimeIndex(raw.index).tz_localize(None).normalize().as_unit("ns")
    days = days.rename("date")
    frame = frame.set_axis(days, axis=0)
    if not days.is_unique or not days.is_monotonic_increasing:
        raise NoPricesError("malformed", "the answer has duplicate days, or days out of order")
    splits = _splits(chart)
    # New shares that an old one of each day has become since.
    since = np.append(splits.to_numpy()[::-1].cumprod()[::-1], 1.0)
    later = since[splits.index.searchsorted(days, side="right")]
    if adjustment == "none":
        frame[["open", "high", "low", "close"]] = frame[["open", "high", "low", "close"]].mul(later, axis=0)
        frame["volume"] = frame["volume"] / later
    for kind, field in PAYOUTS.items():
        paid = _by_session(_payouts(chart, kind), days, "add").fillna(0.0)
        if field == "dividends" or paid.any():
            frame[field] = paid * later if adjustment == "none" else paid
    frame["splits"] = _by_session(splits, days, "multiply").fillna(0.0)
    return frame, _dividend_currency(chart)


def _by_session(numbers: pd.Series, sessions: pd.DatetimeIndex, how: str) -> pd.Series:
    """Put each number on its day or, where the vendor has no row of it, on the next one."""
    place = sessions.searchsorted(numbers.index)
    inside = place < len(sessions)
    if len(sessions):
        # What is before the first row happened before the span.
        inside &= numbers.index >= sessions[0]
    grouped = numbers[inside].groupby(sessions[place[inside]])
    return (grouped.sum() if how == "add" else grouped.prod()).reindex(sessions)


def _events(chart: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return list(((chart.get("events") or {}).get(kind) or {}).values())


def _dated(chart: dict[str, Any], events: list[dict[str, Any]], numbers: list[float]) -> pd.Series:
    stamps = pd.to_datetime([event["date"] for event in events], unit="s", utc=True)
    days = stamps.tz_convert(chart["meta"]["exchangeTimezoneName"]).tz_localize(None).normalize()
    return pd.Series(numbers, pd.DatetimeIndex(days).as_unit("ns"), dtype="float64").sort_index()


def _splits(chart: dict[str, Any]) -> pd.Series:
    events = _events(chart, "splits")
    ratios = [float(event["numerator"]) / float(event["denominator"] or np.nan) for event in events]
    if not all(0 < ratio < np.inf for ratio in ratios):
        raise NoPricesError("malformed", "the answer has a split that is not positive")
    return _dated(chart, events, ratios)


def _payouts(chart: dict[str, Any], kind: str) -> pd.Series:
    """Amounts by day, in the unit of the closes where Yahoo states pounds of a share quoted in pence."""
    quoted = chart["meta"].get("currency")
    events = _events(chart, kind)
    amounts = [float(event["amount"]) * _units(event.get("currency"), quoted) for event in events]
    if not all(np.isfinite(amounts)):
        raise NoPricesError("malformed", f"the answer has {kind} that are not numbers")
    return _dated(chart, events, amounts)


def _units(stated: str | None, quoted: str | None) -> float:
    """Return the units of `quoted` in one of `stated`, of which one may be a hundredth of the other."""
    if stated and quoted and _currency(stated) == _currency(quoted):
        return (0.01 if stated in HUNDREDTHS else 1.0) / (0.01 if quoted in HUNDREDTHS else 1.0)
    return 1.0


def _currency(unit: str | None) -> str:
    return HUNDREDTHS.get(unit or "", unit or "")


def _dividend_currency(chart: dict[str, Any]) -> str | None:
    """Return the currency of the dividends of the frame: as stated, or that of the closes."""
    quoted: str | None = chart["meta"].get("currency")
    stated = {event.get("currency") or quoted for event in _events(chart, "dividends")}
    foreign = {one for one in stated if _currency(one) != _currency(quoted)}
    return ", ".join(sorted(map(str, foreign | ({quoted} & stated)))) if foreign else quoted


def _unfinished(meta: Any) -> pd.Timestamp | None:
    """Day whose session is still on, so that its prices will change."""
    regular = (meta.get("currentTradingPeriod") or {}).get("regular") or {}
    closes = regular.get("end")
    if isinstance(closes, pd.Timestamp) and closes > pd.Timestamp.now("UTC"):
        return closes.tz_localize(None).normalize()
    return None
