"""A server on 127.0.0.1 that speaks Yahoo's chart API, and a session that sends yfinance there."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import pandas as pd
from curl_cffi import requests

NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
NO_SPAN = {
    "code": "Bad Request",
    "description": "Data doesn't exist for startDate = 1546300800, endDate = 1577750400",
}
ZONES = {"SZ": "Asia/Shanghai", "SS": "Asia/Shanghai", "HK": "Asia/Hong_Kong", "L": "Europe/London"}


class Stock:
    """Made-up prices: as traded from 100 on, with dividends and splits by day."""

    def __init__(
        self,
        ticker: str,
        days: pd.DatetimeIndex,
        traded: list[float],
        dividends: dict[str, float] | None = None,
        splits: dict[str, float] | None = None,
        gains: dict[str, float] | None = None,
        paid_in: str | None = None,
    ) -> None:
        suffix = ticker.rpartition(".")[2] if "." in ticker else ""
        self.ticker, self.zone = ticker, ZONES.get(suffix, "America/New_York")
        self.days, self.traded = days, traded
        self.dividends, self.splits = dividends or {}, splits or {}
        self.gains, self.paid_in = gains or {}, paid_in
        self.without_close: set[str] = set()
        self.counts: list[tuple[str, int]] = []

    def stamp(self, day: pd.Timestamp) -> int:
        """Yahoo stamps a bar with the opening of its session."""
        return int((day + pd.Timedelta(hours=9, minutes=30)).tz_localize(self.zone).timestamp())

    def later_splits(self, day: pd.Timestamp) -> float:
        factor = 1.0
        for when, ratio in self.splits.items():
            factor *= ratio if pd.Timestamp(when) > day else 1.0
        return factor

    def chart(self, first: int, last: int) -> dict[str, Any]:
        """Answer as Yahoo does: prices adjusted for splits, and a series adjusted for dividends as well."""
        stamps = [self.stamp(day) for day in self.days]
        kept = [i for i, stamp in enumerate(stamps) if first <= stamp < last]
        close = [self.traded[i] / self.later_splits(self.days[i]) for i in range(len(stamps))]
        adjusted = list(close)
        for when, amount in self.dividends.items():
            ex = int(self.days.searchsorted(pd.Timestamp(when)))
            share = 1 - amount / self.later_splits(self.days[ex]) / close[ex - 1]
            adjusted = [a * share if i < ex else a for i, a in enumerate(adjusted)]
        events: dict[str, Any] = {}
        paid = {self.stamp(pd.Timestamp(d)): (pd.Timestamp(d), a) for d, a in self.dividends.items()}
        split = {self.stamp(pd.Timestamp(d)): r for d, r in self.splits.items()}
        paid = {s: v for s, v in paid.items() if first <= s < last}
        split = {s: r for s, r in split.items() if first <= s < last}
        if paid:
            events["dividends"] = {
                str(s): {"date": s, "amount": a / self.later_splits(d)}
                | ({"currency": self.paid_in} if self.paid_in else {})
                for s, (d, a) in paid.items()
            }
        if self.gains:
            events["capitalGains"] = {
                str(s): {"date": s, "amount": a / self.later_splits(d)}
                for d, a in ((pd.Timestamp(when), a) for when, a in self.gains.items())
                for s in [self.stamp(d)]
            }
        if split:
            events["splits"] = {
                str(s): {"date": s, "numerator": r, "denominator": 1.0, "splitRatio": f"{r}:1"}
                for s, r in split.items()
            }
        bars = {
            "open": [close[i] * 0.99 for i in kept],
            "high": [close[i] * 1.01 for i in kept],
            "low": [close[i] * 0.98 for i in kept],
            "close": [None if str(self.days[i])[:10] in self.without_close else close[i] for i in kept],
            "volume": [int(1000 * self.later_splits(self.days[i])) for i in kept],
        }
        result: dict[str, Any] = {
            "meta": self.meta(),
            "timestamp": [stamps[i] for i in kept],
            "indicators": {"quote": [bars], "adjclose": [{"adjclose": [adjusted[i] for i in kept]}]},
        }
        if not kept:
            result = {"meta": self.meta(), "indicators": {"quote": [{}], "adjclose": [{}]}}
        if events:
            result["events"] = events
        return {"chart": {"result": [result], "error": None}}

    def meta(self) -> dict[str, Any]:
        close = pd.Timestamp.now(self.zone).normalize() + pd.Timedelta(hours=16)
        regular = {
            "timezone": "X",
            "gmtoffset": 0,
            "start": int((close - pd.Timedelta(hours=7)).timestamp()),
            "end": int(close.timestamp()),
        }
        return {
            "currency": {"America/New_York": "USD", "Europe/London": "GBp"}.get(self.zone, "CNY"),
            "symbol": self.ticker,
            "instrumentType": "MUTUALFUND" if self.gains else "EQUITY",
            "exchangeTimezoneName": self.zone,
            "priceHint": 2,
            "validRanges": ["1d", "5d", "max"],
            "currentTradingPeriod": {"pre": dict(regular), "regular": regular, "post": dict(regular)},
        }


Answer = tuple[int, bytes]
Fault = Callable[["YahooServer", str, bool], Answer | None]


def as_json(content: object, status: int = 200) -> Answer:
    return status, json.dumps(content).encode()


def failed(error: dict[str, str], status: int) -> Answer:
    return as_json({"chart": {"result": None, "error": error}}, status)


#: The connection is closed without an answer.
CLOSED: Answer = (0, b"")
TOO_MANY: Answer = (429, b"Too Many Requests")


class YahooServer:
    """Serves `stocks`; `faults` by ticker may answer instead (None: no fault this time).

    A fault is told whether yfinance asks for the time zone only (range=1d) or for the history.
    """

    def __init__(self) -> None:
        self.stocks: dict[str, Stock] = {}
        self.faults: dict[str, Fault] = {}
        self.broken_counts: dict[str, Answer] = {}
        self.asked: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.release = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body = server.answer(self.path)
                if (status, body) == CLOSED:
                    self.close_connection = True
                    return
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the client has given up waiting
                    self.close_connection = True

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def answer(self, url: str) -> Answer:
        parts = urlsplit(url)
        if parts.path.endswith("/getcrumb"):
            return 200, b"crumb"
        ticker = unquote(parts.path.rpartition("/")[2])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/ws/fundamentals-timeseries/"):
            return self.counts_of(ticker, int(query["period1"]), int(query["period2"]))
        if not parts.path.startswith("/v8/finance/chart/"):
            return 404, b"{}"
        history = "period1" in query
        self.asked[ticker] += 1
        fault = self.faults.get(ticker)
        answer = fault(self, ticker, history) if fault is not None else None
        if answer is not None:
            return answer
        if ticker not in self.stocks:
            return failed(NOT_FOUND, 404)
        first, last = (int(query["period1"]), int(query["period2"])) if history else (0, int(time.time()))
        return as_json(self.stocks[ticker].chart(first, last))

    def counts_of(self, ticker: str, first: int, last: int) -> Answer:
        """Answer with counts of shares as filed, which Yahoo does not adjust for splits."""
        if ticker in self.broken_counts:
            return self.broken_counts[ticker]
        stock = self.stocks[ticker]
        filed = [(stock.stamp(pd.Timestamp(day)), count) for day, count in stock.counts]
        inside = [(stamp, count) for stamp, count in filed if first <= stamp < last]
        result: dict[str, Any] = {"meta": {"symbol": [ticker], "type": ["shares_out"]}}
        if inside:
            result |= {"timestamp": [s for s, _ in inside], "shares_out": [n for _, n in inside]}
        return as_json({"timeseries": {"result": [result], "error": None}})

    def stop(self) -> None:
        self.release.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


class LoopbackSession(requests.Session):
    """A session of curl_cffi whose every request goes to 127.0.0.1."""

    def __init__(self, server: YahooServer) -> None:
        super().__init__()
        self.server = server
        self.port = server.port

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        self.server.hosts[parts.hostname or ""] += 1
        target = urlunsplit(("http", f"127.0.0.1:{self.port}", parts.path, parts.query, ""))
        return super().request(method, target, *args, **kwargs)
