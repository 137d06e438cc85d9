"""Other currencies, and what a market can know of one that closes after it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.calendars import Exchange
from eventstudy.errors import DataError, ModelError

DAYS = pd.bdate_range("2019-01-01", periods=8)


@pytest.mark.parametrize("kind", ["simple", "log"])
def test_converted_returns_are_those_of_converted_prices(kind):
    """Also over a day without trade, and for benchmarks in the frame and beside it."""
    rng = np.random.default_rng(1)
    prices = pd.DataFrame(np.exp(rng.normal(0, 0.02, (8, 2)).cumsum(axis=0)), DAYS, ["A", "index"])
    prices.loc[DAYS[3], "A"] = np.nan
    beside = pd.Series(np.exp(rng.normal(0, 0.02, 8).cumsum()), DAYS, name="world")
    rate = pd.Series(np.exp(rng.normal(0, 0.01, 8).cumsum()), DAYS)
    market = es.in_currency(es.Market.from_prices(prices, benchmark={"A": beside}, kind=kind), rate)
    direct = es.Market.from_prices(prices.mul(rate, axis=0), benchmark={"A": beside * rate}, kind=kind)
    pd.testing.assert_frame_equal(market.returns, direct.returns)
    pd.testing.assert_frame_equal(market.spans, direct.spans)
    np.testing.assert_allclose(market.arrays.single, direct.arrays.single)
    np.testing.assert_allclose(market.bank.single, direct.bank.single)
    rows, spans = np.array([4, 5, 6]), np.array([2, 3, 4])
    found, expected = (m.bank.compound(np.zeros(3, dtype=int), rows, spans) for m in (market, direct))
    np.testing.assert_allclose(found, expected)
    assert market.benchmarks == ["world"]


def test_ex_days_and_raw_prices_stay():
    close = pd.DataFrame({"A": [10.0, 9.0, 9.9], "index": [1.0, 1.0, 1.0]}, DAYS[:3])
    reference = close.shift().assign(A=[np.nan, 9.0, np.nan], index=np.nan)
    prices = pd.concat({"close": close, "reference": reference}, axis=1)
    local = es.Market.from_prices(prices, benchmark="index")
    abroad = es.in_currency(local, pd.Series([1.0, 1.1, 1.1], DAYS[:3]))
    np.testing.assert_allclose(abroad.returns["A"].iloc[1:], [0.1, 0.1])
    pd.testing.assert_frame_equal(abroad.prices(), local.prices())
    assert local.returns["A"].iloc[1] == 0.0


def test_rates_of_the_last_days_serve_and_old_ones_do_not():
    returns = pd.DataFrame({"A": np.zeros(8)}, DAYS)
    market = es.Market(returns)
    rate = pd.Series([1.0, 1.2], [DAYS[0] - pd.Timedelta(days=3), DAYS[4]])
    found = es.in_currency(market, rate).returns["A"]
    assert np.isnan(found.iloc[0])
    np.testing.assert_allclose(found.iloc[1:], [0, 0, 0, 0.2, 0, 0, 0], atol=1e-12)
    with pytest.raises(DataError, match=r"4 sessions without an exchange rate .*first 2019-01-07"):
        es.in_currency(market, pd.Series([1.0], [DAYS[0] - pd.Timedelta(days=4)]))
    with pytest.raises(DataError, match=r"is -1\.0; rates are positive"):
        es.in_currency(market, pd.Series([-1.0], [DAYS[0]]))
    with pytest.raises(DataError, match="must be a Series"):
        es.in_currency(market, 7.0)


@pytest.fixture(scope="module")
def us() -> pd.Series:
    days = Exchange("XNYS").sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-31"))
    return pd.Series(np.random.default_rng(2).normal(0, 0.01, len(days)), days, name="sp500")


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("calendar", ["XSHG", "XHKG", "XTKS", "XLON"])
def test_each_session_knows_what_closed_before_it_opened(us, calendar):
    """By brute force over opening and closing times."""
    found = es.known_at_open(us, "XNYS", calendar)
    span = pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-31")
    source, target = Exchange("XNYS").calendar(*span), Exchange(calendar).calendar(*span)
    closes = pd.Series(source.closes.to_numpy(), source.sessions).loc[us.index]
    opens = pd.Series(target.opens.to_numpy(), target.sessions)
    days = found.index[1:]
    assert len(days) > 450
    for day in days:
        before = opens.index[opens.index.get_loc(day) - 1]
        new = us[(closes > opens[before]) & (closes <= opens[day])]
        assert found[day] == pytest.approx((1 + new).prod() - 1, abs=1e-14)


def test_holidays_on_either_side(us):
    found = es.known_at_open(us, "XNYS", "XSHG")
    # National Day week of 2018: Shanghai closed 1 to 5 October, New York open.
    week = us["2018-09-28":"2018-10-05"]
    assert found["2018-10-08"] == pytest.approx((1 + week).prod() - 1)
    # Thanksgiving of 2018: Friday in Shanghai has heard nothing since Thursday's opening.
    assert found["2018-11-23"] == 0.0
    assert found["2018-11-26"] == pytest.approx(us["2018-11-23"])
    # One row earlier in Shanghai's own sessions would be another number.
    rowwise = us.reindex(found.index).shift(1)
    assert (rowwise - found).abs().gt(1e-6).sum() > 10


def test_mended_days_of_either_exchange_count(us):
    shut = Exchange("XSHG", closed=["2019-05-22"])
    found, plain = (es.known_at_open(us, "XNYS", calendar) for calendar in (shut, "XSHG"))
    assert pd.Timestamp("2019-05-22") not in found.index
    two = (1 + plain["2019-05-22"]) * (1 + plain["2019-05-23"]) - 1
    assert found["2019-05-23"] == pytest.approx(two)
    rest = plain.index.drop([pd.Timestamp("2019-05-22"), pd.Timestamp("2019-05-23")])
    np.testing.assert_allclose(found[rest], plain[rest])
    with pytest.raises(DataError, match="2019-05-21 is not a session of XNYS"):
        es.known_at_open(us, Exchange("XNYS", closed=["2019-05-21"]), "XSHG")


def test_what_closes_as_the_other_opens_is_known():
    """Half past nine is one moment in Hong Kong and Shanghai, and c <= o includes it."""
    days = Exchange("XHKG").sessions(pd.Timestamp("2019-05-20"), pd.Timestamp("2019-05-24"))
    returns = pd.Series([0.01, 0.02, 0.03, 0.04, 0.05], days)
    early = Exchange("XHKG", closes={f"{days[2]:%Y-%m-%d}": "09:30"})
    found = es.known_at_open(returns, early, "XSHG")
    assert found[days[2]] == pytest.approx(1.02 * 1.03 - 1)
    assert found[days[3]] == 0.0
    later = Exchange("XHKG", closes={f"{days[2]:%Y-%m-%d}": "09:31"})
    found = es.known_at_open(returns, later, "XSHG")
    assert found[days[2]] == pytest.approx(0.02)
    assert found[days[3]] == pytest.approx(0.03)


def test_a_missing_return_is_missing_where_it_is_needed(us):
    found = es.known_at_open(us.drop(pd.Timestamp("2018-10-03")), "XNYS", "XSHG")
    assert found.index[found.isna()].tolist() == [pd.Timestamp("2018-10-08")]
    with pytest.raises(DataError, match="2018-07-04 is not a session of XNYS"):
        es.known_at_open(pd.Series([0.1, 0.1], pd.to_datetime(["2018-07-03", "2018-07-04"])), "XNYS", "XSHG")


def test_world_market_model(us):
    """Regression on the local index and the night before in New York, against statsmodels."""
    days = Exchange("XSHG").sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-31"))
    rng = np.random.default_rng(3)
    night = es.known_at_open(us, "XNYS", "XSHG").reindex(days)
    index = rng.normal(0, 0.01, len(days)) + 0.3 * night.fillna(0)
    share = 0.8 * index + 0.5 * night.fillna(0) + rng.normal(0, 0.01, len(days))
    frame = pd.DataFrame({"share": share, "index": index}, days)
    market = es.Market(frame, benchmark="index", factors=night.to_frame(), calendar="XSHG")
    model = es.MarketModel(lags={"sp500": 0, "benchmark": (1, -1)})
    events = {"security": ["share"], "date": [days[400]]}
    results = es.EventStudy(market, events, model, estimation=(-250, -20), window=(-5, 5)).fit()
    x = pd.DataFrame({"index": index, "night": night, "lag": index.shift(1), "lead": index.shift(-1)}, days)
    part = slice(400 - 250, 400 - 19)
    fit = sm.OLS(share[part], sm.add_constant(x[part])).fit()
    found = results.parameters.iloc[0]
    np.testing.assert_allclose(found.iloc[:5].to_numpy(dtype=float), fit.params, rtol=1e-9)
    predicted = fit.get_prediction(sm.add_constant(x)[400:401])
    ar = results.abnormal_returns[0].iloc[0]
    assert ar == pytest.approx(share.iloc[400] - predicted.predicted_mean[0], rel=1e-9)
    assert results.car(0, 0)["se"].iloc[0] == pytest.approx(predicted.se_obs[0], rel=1e-9)
    assert model.label == "Market model (OLS) with sp500, benchmark[-1], benchmark[+1]"
    assert eval(f"es.{model!r}", {"es": es}) == model
    assert hash(model) == hash(es.MarketModel(lags={"sp500": [0], "benchmark": [1, -1]}))
    assert results.regression().params.to_numpy() == pytest.approx(fit.params.to_numpy())


@pytest.mark.parametrize(
    ("lags", "told"),
    [
        ("sp500", "lags maps"),
        ({"a": 1.5}, "lags maps"),
        ({"benchmark": 0}, "is a duplicate"),
        ({"a": [1, 1]}, "is a duplicate"),
    ],
)
def test_lags_that_cannot_be(lags, told):
    with pytest.raises(ModelError, match=told):
        es.MarketModel(lags=lags)


def test_a_factor_the_market_lacks():
    market = es.Market(pd.DataFrame(np.full((8, 2), 0.001), DAYS, ["A", "index"]), benchmark="index")
    with pytest.raises(ModelError, match="needs column sp500"):
        es.EventStudy(market, {"security": ["A"], "date": [DAYS[5]]}, es.MarketModel(lags={"sp500": 0}))
