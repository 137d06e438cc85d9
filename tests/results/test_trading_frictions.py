"""Price limits and halts around events, on the bundled prices and on made ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import PriceLimitWarning, RequestError

ZTE, HIKVISION = "000063.SZ", "002415.SZ"


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def zte(market) -> es.EventStudyResults:
    """The denial order of 16 April 2018: suspended until 12 June, then eight sessions at the limit."""
    events = [{"security": ZTE, "announced_at": "2018-04-16 09:00-04:00", "label": "Denial order"}]
    with pytest.warns(PriceLimitWarning, match=r"event 0 \(000063.SZ\) on 9 days: 2018-06-13"):
        return es.EventStudy(market, events, estimation=(-120, -61), window=(-60, 15)).fit()


def test_a_suspension_of_two_months(zte):
    event = zte.timeline.loc[0]
    assert event["first_session"] == pd.Timestamp("2018-04-17")
    assert event["day_0"] == pd.Timestamp("2018-06-13")
    assert event["suspended_sessions"] == 39
    assert event["spans"] == 40
    assert zte.halts.to_dict("records") == [
        {
            "event_id": 0,
            "security": ZTE,
            "first": pd.Timestamp("2018-04-17"),
            "last": pd.Timestamp("2018-06-12"),
            "sessions": 39,
            "resumed_on_day": 0,
        }
    ]
    assert zte.abnormal_returns.loc[0, -39:-1].isna().all()


def test_sessions_at_the_limit(zte, market):
    hits = zte.limit_hits
    at_close = hits[hits["at_close"]]
    assert at_close["side"].tolist() == ["down"] * 8 + ["up"]
    assert at_close["day"].tolist() == [*range(8), 13]
    close = market.prices()[ZTE]
    np.testing.assert_array_equal(at_close["close"], close[at_close["date"]])
    np.testing.assert_array_equal(at_close["close"], at_close["limit"])


def test_car_to_the_first_free_close(zte):
    free = zte.car(0, "first_free_close").loc[0]
    end = int(free["end"])
    assert end == 8
    wanted = zte.car(0, end).loc[0]
    for name in ("car", "se", "t", "p_value", "n_days"):
        assert free[name] == pytest.approx(wanted[name])
    assert free["car"] < zte.car(0, 0).loc[0, "car"]


def test_a_window_that_ends_before_a_free_close(market):
    events = [{"security": ZTE, "announced_at": "2018-04-16 09:00-04:00"}]
    with pytest.warns(PriceLimitWarning):
        results = es.EventStudy(market, events, estimation=(-120, -61), window=(-60, 3)).fit()
    with pytest.warns(
        PriceLimitWarning, match=r"\(-60, \+3\) ends before event 0 closes free of the price limit"
    ):
        assert results.car(0, "first_free_close").loc[0, "car":].isna().all()


def test_each_event_has_its_own_end(market):
    events = [
        {"security": ZTE, "announced_at": "2018-04-16 09:00-04:00"},
        {"security": HIKVISION, "date": "2018-06-13"},
    ]
    with pytest.warns(PriceLimitWarning):
        results = es.EventStudy(market, events, estimation=(-120, -61), window=(-60, 15)).fit()
    free = results.car(0, "first_free_close")
    assert free.loc[1, "end"] == 0
    assert free.loc[0, "end"] == 8
    assert free.loc[1, "car"] == pytest.approx(results.car(0, 0).loc[1, "car"])


def test_an_intraday_low_at_the_limit_is_a_hit_but_no_close(market):
    results = es.EventStudy(
        market, [{"security": HIKVISION, "date": "2019-05-22"}], estimation=(-270, -21), window=(-1, 5)
    ).fit()
    hits = results.limit_hits
    assert hits[["day", "side", "limit", "close", "at_close", "locked"]].iloc[0].to_dict() == {
        "day": 0,
        "side": "down",
        "limit": 24.84,
        "close": 26.07,
        "at_close": False,
        "locked": False,
    }
    assert results.car(0, "first_free_close").loc[0, "end"] == 0
    assert results.halts.empty


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_a_halt_that_outlasts_the_data_or_the_window(refit, prices):
    close = prices.copy()
    close.iloc[303:, close.columns.get_loc("S0")] = np.nan
    market = es.Market.from_prices(close, benchmark="INDEX")
    results = refit(market, [{"security": "S0", "date": market.sessions[300]}])
    halt = results.halts.iloc[0]
    assert halt["first"] == market.sessions[303]
    assert halt["sessions"] == 4
    assert np.isnan(halt["resumed_on_day"])


def test_a_market_of_returns_knows_no_limits(market, refit):
    plain = es.Market(market.returns, benchmark="399001.SZ")
    results = refit(plain, [{"security": HIKVISION, "date": "2019-05-22"}])
    assert results.limit_hits.empty
    with pytest.raises(RequestError, match=r"'first_free_close' needs prices.*Market.from_prices"):
        results.car(0, "first_free_close")
