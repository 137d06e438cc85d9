from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from yahoo_server import NOT_FOUND, TOO_MANY, Stock, YahooServer, failed

import eventstudy as es
from eventstudy.calendars import SUFFIXES, Exchange, exchange_of
from eventstudy.errors import (
    CalendarError,
    DataError,
    DataWarning,
    EventStudyError,
    ExcludedEventsWarning,
    NaiveTimeError,
    RequestError,
    WindowError,
)

REPORT = "2019-05-21 19:00-04:00"
DAYS = Exchange("XSHG").sessions(pd.Timestamp("2017-01-01"), pd.Timestamp("2020-12-31"))


@pytest.fixture
def shenzhen(server: YahooServer) -> YahooServer:
    """Two shares and an index, made up; the first falls by 5% on 22 May 2019 and pays a dividend."""
    rng = np.random.default_rng(20190522)
    market = rng.normal(0.0003, 0.012, len(DAYS))
    for name, beta, shock in (("002415.SZ", 1.2, -0.05), ("002236.SZ", 1.4, -0.06), ("399001.SZ", 1.0, 0.0)):
        noise = 0.0 if name.startswith("399") else rng.normal(0, 0.015, len(DAYS))
        returns = beta * market + noise
        returns[DAYS.get_loc(pd.Timestamp("2019-05-22"))] += shock
        traded = (30 * np.exp(np.cumsum(returns))).round(2).tolist()
        paid = {"2019-05-24": 0.6} if name == "002415.SZ" else None
        server.stocks[name] = Stock(name, DAYS, traded, dividends=paid)
    return server


def by_hand(
    names: list[str], benchmark: str, event: dict[str, str], **options: object
) -> es.EventStudyResults:
    prices = es.prices([*names, benchmark], "2017-01-01", "2020-12-31")
    market = es.Market.from_prices(prices, benchmark=benchmark, calendar="XSHG")
    return es.EventStudy(market, [{"security": name, **event} for name in names], **options).fit()


def test_one_line_gives_what_four_give(shenzhen: YahooServer) -> None:
    results = es.measure("002415.SZ", REPORT, benchmark="399001.SZ")
    assert isinstance(results, es.EventStudyResults)
    expected = by_hand(["002415.SZ"], "399001.SZ", {"announced_at": REPORT})
    found, wanted = (each.fitted.cars(es.Window(0, 1)) for each in (results, expected))
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9)
    assert results.timeline["day_0"].iloc[0] == pd.Timestamp("2019-05-22")
    assert results.car(0, 0)["car"].iloc[0] == pytest.approx(-0.05, abs=0.04)


def test_other_windows_and_days_ask_for_nothing_new(shenzhen: YahooServer) -> None:
    es.measure("002415.SZ", REPORT, benchmark="399001.SZ")
    asked = shenzhen.asked.copy()
    results = es.measure(
        "002415.SZ",
        "2019-06-12",
        benchmark="399001.SZ",
        estimation=(-200, -21),
        window=(-5, 30),
        offline=True,
    )
    assert results.timeline["day_0"].iloc[0] == pd.Timestamp("2019-06-12")
    assert shenzhen.asked == asked


def test_several_securities_of_one_exchange(shenzhen: YahooServer) -> None:
    results = es.measure(
        ["002415.sz", "002236.SZ"],
        REPORT,
        benchmark="399001.SZ",
        model=es.MarketAdjusted(),
        label="NYT report",
    )
    event = {"announced_at": REPORT}
    expected = by_hand(["002415.SZ", "002236.SZ"], "399001.SZ", event, model=es.MarketAdjusted())
    found, wanted = (each.fitted.cars(es.Window(0, 1)) for each in (results, expected))
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9)
    assert results.timeline["label"].tolist() == ["NYT report"] * 2


@pytest.mark.quick(every=6)
@pytest.mark.parametrize(
    ("announced", "day"),
    [
        ("2019-05-22", "2019-05-22"),
        (date(2019, 5, 22), "2019-05-22"),
        (datetime(2019, 5, 22), "2019-05-22"),
        (pd.Timestamp("2019-05-22"), "2019-05-22"),
        (datetime(2019, 5, 21, 23, tzinfo=UTC), "2019-05-22"),
        (pd.Timestamp("2019-05-22 16:00", tz="Asia/Shanghai"), "2019-05-23"),
        ("2019-05-25", "2019-05-27"),
    ],
)
def test_days_and_times(shenzhen: YahooServer, announced: object, day: str) -> None:
    results = es.measure("002415.SZ", announced, benchmark="399001.SZ")
    assert results.timeline["day_0"].iloc[0] == pd.Timestamp(day)


def test_a_time_without_zone_is_refused_before_anything_is_fetched(shenzhen: YahooServer) -> None:
    with pytest.raises(NaiveTimeError, match="has no time zone"):
        es.measure("002415.SZ", "2019-05-21 19:00", benchmark="399001.SZ")
    assert not shenzhen.asked


def test_one_security_of_two_without_prices(shenzhen: YahooServer) -> None:
    with pytest.warns() as caught:
        results = es.measure(["002415.SZ", "999999.SZ"], REPORT, benchmark="399001.SZ")
    kinds = {warning.category for warning in caught}
    assert kinds == {DataWarning, ExcludedEventsWarning}
    assert results.excluded["security"].tolist() == ["999999.SZ"]
    assert len(results.car(0, 1)) == 1


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("lost", ["399001.SZ", "002415.SZ"])
def test_without_benchmark_or_security_nothing_is_measured(shenzhen: YahooServer, lost: str) -> None:
    shenzhen.faults[lost] = lambda *_: failed(NOT_FOUND, 404)
    with pytest.warns(DataWarning), pytest.raises(DataError, match=rf"(?s)Without.*{lost}: missing"):
        es.measure("002415.SZ", REPORT, benchmark="399001.SZ")


def test_when_yahoo_refuses_everything(shenzhen: YahooServer) -> None:
    shenzhen.faults["002415.SZ"] = lambda *_: TOO_MANY
    with pytest.raises(DataError, match=r"(?s)002415.SZ: rate limited.*399001.SZ: rate limited"):
        es.measure("002415.SZ", REPORT, benchmark="399001.SZ")


def test_offline_and_never_fetched(server: YahooServer, cache_dir: Path) -> None:
    with pytest.raises(DataError, match="not cached"):
        es.measure("002415.SZ", REPORT, benchmark="399001.SZ", offline=True)
    assert not server.asked


@pytest.mark.parametrize(
    ("security", "options", "error", "message"),
    [
        (["002415.SZ", "0763.HK"], {}, RequestError, "several exchanges .*es.pool"),
        ("002415", {}, CalendarError, r"bare number .*calendar="),
        ("399001.SZ", {}, RequestError, "against itself"),
        ([], {}, RequestError, "are tickers"),
        (["002415.SZ", None], {}, RequestError, "are tickers"),
        ("002415.SZ", {"window": (5, -5)}, WindowError, "end"),
    ],
)
def test_requests_that_make_no_sense(
    server: YahooServer, security, options, error: type[EventStudyError], message: str
) -> None:
    with pytest.raises(error, match=message):
        es.measure(security, REPORT, benchmark="399001.SZ", **options)
    assert not server.asked


def test_the_current_year_is_fetched_until_yesterday(server: YahooServer) -> None:
    today = pd.Timestamp.now("UTC").tz_localize(None).normalize()
    days = pd.bdate_range(today - pd.Timedelta(days=900), today)
    sessions = Exchange("XNYS").sessions(days[0], days[-1])
    rng = np.random.default_rng(3)
    for name in ("INTC", "^GSPC"):
        traded = (50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(sessions))))).tolist()
        server.stocks[name] = Stock(name, sessions, traded)
    event = sessions[-30]
    results = es.measure("INTC", f"{event:%Y-%m-%d}", benchmark="^GSPC")
    assert results.timeline["day_0"].iloc[0] == event
    assert results.car(-10, 10)["n_days"].iloc[0] == 21


@pytest.mark.parametrize(
    ("ticker", "exchange"),
    [
        ("002415.SZ", "XSHG"),
        ("600519.ss", "XSHG"),
        ("600519.SH", "XSHG"),
        ("0763.HK", "XHKG"),
        ("AAPL", "XNYS"),
        ("BRK-B", "XNYS"),
        ("7203.T", "XTKS"),
        ("005930.KS", "XKRX"),
        ("2330.TW", "XTAI"),
        ("VOD.L", "XLON"),
        ("SAP.DE", "XETR"),
        ("RELIANCE.NS", "XBOM"),
    ],
)
def test_exchange_of_a_ticker(ticker: str, exchange: str) -> None:
    assert exchange_of(ticker) == exchange


@pytest.mark.parametrize("ticker", ["^HSI", "EURUSD=X", "BRK.B", "002415", "", ".SZ", "A.ZZ"])
def test_tickers_that_do_not_tell_their_exchange(ticker: str) -> None:
    with pytest.raises(CalendarError, match="cannot be told"):
        exchange_of(ticker)


@pytest.mark.parametrize(
    "name", ["700 HK Equity", "AAPL US Equity", "VOD LN", "HKEX:700", "US0378331005", "London", "BRK/B", "F0"]
)
def test_names_that_are_not_tickers_are_not_of_new_york(name: str) -> None:
    with pytest.raises(CalendarError, match="a ticker of the United States, of one to five letters"):
        exchange_of(name)


def test_every_suffix_has_a_calendar() -> None:
    assert set(SUFFIXES.values()) <= set(exchange_calendars.get_calendar_names())
