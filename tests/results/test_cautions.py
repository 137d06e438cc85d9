"""What the summary says of limits, halts and dividends."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

import eventstudy as es

REPORT = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]


def notes(market: es.Market, events: list[dict], **windows) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = es.EventStudy(market, events, **{"estimation": (-270, -21), **windows}).fit()
    return "\n".join(results.summary().notes)


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return es.datasets.surveillance_prices()


def bundled(prices: pd.DataFrame, **options) -> es.Market:
    return es.Market.from_prices(prices, **({"benchmark": "399001.SZ", "calendar": "XSHG"} | options))


def test_a_price_index_is_told_where_securities_have_total_returns(prices):
    told = "do not: 399001.SZ is the SZSE Component (with dividends: 399002.SZ), a price index"
    assert told in notes(bundled(prices), REPORT)
    renamed = prices.rename(columns={"399001.SZ": "INDEX"}, level="security")
    assert "price index" not in notes(bundled(renamed, benchmark="INDEX"), REPORT)
    assert "price index" not in notes(bundled(prices["close"]), REPORT)


def test_closes_alone_are_told(prices):
    assert "The prices are closes only" in notes(bundled(prices["close"]), REPORT)
    assert "closes only" not in notes(bundled(prices), REPORT)
    returns = prices["close"].pct_change(fill_method=None).iloc[1:]
    assert "closes only" not in notes(es.Market(returns, benchmark="399001.SZ", calendar="XSHG"), REPORT)


def test_shares_of_limit_days(prices):
    market = bundled(prices)
    text = notes(market, REPORT)
    assert "1 session of 21 in event windows (4.8%) touched a daily price limit, 0 closed at it" in text
    closed = market.limits.closed["002415.SZ"]
    day0 = market.sessions.get_loc(pd.Timestamp("2019-05-22"))
    n = int((closed.iloc[day0 - 270 : day0 - 20] != 0).sum())
    assert n > 0
    assert f"{n} closes of 250 in estimation windows ({n / 250:.1%}) at the daily price limit: normal" in text
    tobit = es.EventStudy(market, REPORT, es.TobitMarketModel(), estimation=(-270, -21)).fit().summary(0, 1)
    assert "at the daily price limit: the Tobit model treats them as bounds" in " ".join(str(tobit).split())
    denial = [{"security": "000063.SZ", "announced_at": "2018-04-16 09:00-04:00"}]
    text = notes(market, denial, estimation=(-120, -61), window=(-60, 15))
    assert "9 closed at it, of 1 event: the move is truncated there" in text


def test_halts_besides_that_of_day_0(prices):
    market = bundled(prices)
    listing = [{"security": "002415.SZ", "announced_at": "2019-10-07 17:00-04:00"}]
    assert "without trade" not in notes(market, listing)
    earlier = [{"security": "002415.SZ", "date": "2019-09-30"}]
    assert "1 spell without trade within event windows" in notes(market, earlier)


def test_a_pool_counts_the_days_of_markets_that_have_limits(prices):
    china = bundled(prices)
    renamed = prices["close"].rename(columns={"000063.SZ": "0763.HK", "399001.SZ": "^HSI"})
    abroad = es.Market.from_prices(renamed, benchmark="^HSI")
    windows = {"estimation": (-140, -45), "window": (-3, 5)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = es.EventStudy(china, [{"security": "000063.SZ", "date": "2018-06-13"}], **windows).fit()
        second = es.EventStudy(abroad, [{"security": "0763.HK", "date": "2018-06-13"}], **windows).fit()
        text = "\n".join(es.pool([first, second]).summary().notes)
    # The three sessions before day 0 lie in the suspension.
    assert "6 sessions of 6 in event windows (100.0%) touched" in text
    assert "price index" in text
    assert "The prices are closes only" in text
