"""The study the library was made for: the ban reports of 2019 and Hikvision, number by number.

Printed digits are those of the project's bar; none comes from this library.
"""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.single_event import sample_quantile

HIKVISION, DAHUA = "002415.SZ", "002236.SZ"
ESTIMATION, WINDOW = (-270, -21), (-10, 10)


def digits(value: float, printed: str) -> None:
    """Assert that a number, written with as many decimals, reads as printed."""
    decimals = len(printed.split(".")[1])
    assert f"{value:.{decimals}f}" == printed


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def report(market) -> es.EventStudyResults:
    """The New York Times report of 21 May 2019, evening in New York."""
    events = es.Events(
        [
            {"security": name, "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}
            for name in (HIKVISION, DAHUA)
        ]
    )
    return es.EventStudy(market, events, model=es.MarketModel(), estimation=ESTIMATION, window=WINDOW).fit()


@pytest.fixture(scope="module")
def listing(market) -> es.EventStudyResults:
    """The entity listing of 7 October 2019: a holiday week, then a suspension of two sessions."""
    events = es.Events(
        [
            {"security": name, "announced_at": "2019-10-07 17:00-04:00", "label": "Entity list"}
            for name in (HIKVISION, DAHUA)
        ]
    )
    return es.EventStudy(market, events, estimation=ESTIMATION, window=WINDOW).fit()


def test_the_evening_in_new_york_is_the_next_session_in_shenzhen(report):
    timeline = report.timeline
    assert timeline["announced"].tolist() == ["2019-05-21 19:00-0400"] * 2
    assert timeline["day_0"].tolist() == [pd.Timestamp("2019-05-22")] * 2
    assert timeline["closed_days"].tolist() == [0, 0]
    assert timeline["suspended_sessions"].tolist() == [0, 0]
    assert timeline["note"].tolist() == ["", ""]
    assert len(report.excluded) == 0


def test_market_model_against_the_szse_component(report):
    parameters = report.parameters.loc[0]
    digits(parameters["beta"], "1.22250")
    assert parameters["n_obs"] == 250
    assert parameters["dof"] == 248


def test_abnormal_return_of_day_0(report):
    day = report.car(0, 0).loc[0]
    digits(day["car"], "-0.048862")
    digits(day["t"], "-2.6453")
    digits(report.abnormal_returns.at[0, 0], "-0.048862")


def test_car_of_two_days(report):
    car = report.car(0, 1).loc[0]
    digits(car["car"], "-0.075111")
    digits(car["se"], "0.026262")
    digits(car["t"], "-2.8601")
    digits(car["p_value"], "0.00460")
    assert car["n_days"] == 2


def test_dahua(report):
    day = report.car(0, 0).loc[1]
    digits(day["car"], "-0.050663")
    digits(day["t"], "-2.3077")


def test_against_the_csi_300(market, report):
    other = es.EventStudy(
        market.with_benchmark("000300.SS"), report.spec.events, estimation=ESTIMATION, window=WINDOW
    ).fit()
    car = other.car(0, 1).loc[0]
    digits(car["car"], "-0.081162")
    digits(car["t"], "-3.0691")
    # The first market still measures against its own benchmark.
    assert market.benchmarks == ["399001.SZ"]


def test_rank_among_its_own_past(market):
    """Lower tail, raw residuals: three of 250 days were worse, so p = (1 + 3) / (250 + 1)."""
    events = [{"security": HIKVISION, "date": "2019-05-22"}]
    results = es.EventStudy(market, events, estimation=ESTIMATION, window=WINDOW).fit()
    residuals = results.regression().resid.to_numpy()
    ar = results.abnormal_returns.at[0, 0]
    assert len(residuals) == 250
    assert resampled_p_value(ar, residuals, "less") == pytest.approx(4 / 251, abs=1e-15)
    value, p, n = sample_quantile(ar, 1.0, 1.0, residuals, residuals * 0, 1, "less", scaled=False)
    assert (value, n) == (ar, 250)
    assert p == pytest.approx(4 / 251, abs=1e-15)


def test_total_return_of_the_ex_day(market):
    """2019-05-24: up 0.45% on the last close, but 2.96% on the price without the dividend."""
    close = market.prices()[HIKVISION]
    raw = close["2019-05-24"] / close["2019-05-23"] - 1
    digits(100 * raw, "0.45")
    digits(100 * market.returns.at["2019-05-24", HIKVISION], "2.96")


def test_listing_moves_day_0_by_holiday_and_suspension(listing):
    timeline = listing.timeline
    assert timeline["first_session"].tolist() == [pd.Timestamp("2019-10-08")] * 2
    assert timeline["closed_days"].tolist() == [7, 7]
    assert timeline["suspended_sessions"].tolist() == [2, 2]
    assert timeline["day_0"].tolist() == [pd.Timestamp("2019-10-10")] * 2
    assert timeline["spans"].tolist() == [3, 3]
    note = timeline["note"].loc[0]
    assert "market closed 7 days until 2019-10-08" in note
    assert "security suspended 2 sessions from 2019-10-08 to 2019-10-09" in note
    assert "day 0 moved to 2019-10-10" in note


def test_both_shifts_stand_in_the_summary(listing):
    text = " ".join(str(listing.summary()).split())
    for told in ("market closed 7 days until 2019-10-08", "security suspended 2 sessions", "2019-10-10"):
        assert told in text


def test_lumped_return_meets_the_benchmark_of_the_same_sessions(market, listing):
    digits(market.returns.at["2019-10-10", HIKVISION], "-0.043344")
    assert market.spans.at["2019-10-10", HIKVISION] == 3
    index = market.returns["399001.SZ"]
    compounded = (1 + index["2019-10-08":"2019-10-10"]).prod() - 1
    digits(compounded, "0.020311")
    parameters = listing.parameters.loc[0]
    normal = 3 * parameters["alpha"] + parameters["beta"] * compounded
    assert listing.car(0, 0).loc[0, "expected"] == pytest.approx(normal, abs=1e-14)


def test_listing_of_hikvision(listing):
    day = listing.car(0, 0).loc[0]
    digits(day["actual"], "-0.043344")
    digits(day["car"], "-0.067907")
    digits(day["se"], "0.034851")
    digits(day["t"], "-1.9485")
    assert listing.parameters.loc[0, "n_obs"] == 250


def test_listing_of_dahua(listing):
    day = listing.car(0, 0).loc[1]
    digits(day["car"], "-0.087850")
    digits(day["t"], "-2.4449")


def test_sessions_of_the_suspension_have_no_abnormal_return(listing):
    ar = listing.abnormal_returns.loc[0]
    assert ar[[-2, -1]].isna().all()
    assert ar[[-3, 0, 1]].notna().all()
    assert listing.car(-3, 1).loc[0, "n_days"] == 3


def test_headline_taken_apart(report):
    parts = report.decomposition(event=0)
    assert parts["price"].to_dict() == {
        "previous close": 27.60,
        "open": 24.95,
        "low": 24.84,
        "high": 26.99,
        "close": 26.07,
        "limit down": 24.84,
        "limit up": 30.36,
    }
    assert parts.at["low", "at_limit"]
    assert not parts.loc[["open", "high", "close"], "at_limit"].any()
    digits(parts.at["close", "change"], "-0.0554")
    digits(parts.at["low", "change"], "-0.1000")


def test_a_time_of_announcement_or_its_day_come_to_the_same(market, report):
    events = [{"security": name, "date": "2019-05-22"} for name in (HIKVISION, DAHUA)]
    dated = es.EventStudy(market, events, estimation=ESTIMATION, window=WINDOW).fit()
    pd.testing.assert_frame_equal(dated.car(0, 1).loc[:, "car":], report.car(0, 1).loc[:, "car":])
