"""The exhibit: what each disclosure did, by hand with statsmodels, and its worth."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import IncompleteWindowWarning, ModelError, OverlapWarning, RequestError

DAYS = ["2018-03-23", "2018-08-14", "2019-05-22"]
HIK = "002415.SZ"


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return es.datasets.surveillance_prices()


@pytest.fixture(scope="module")
def market(prices) -> es.Market:
    return es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def results(market) -> es.EventStudyResults:
    events = {"security": HIK, "date": DAYS, "label": ["tariffs", "act", "report"]}
    with pytest.warns(OverlapWarning):
        return es.EventStudy(market, events, estimation=(-200, -21), window=(-1, 1)).fit()


def frames(table: es.tables.Table) -> dict[str, pd.DataFrame]:
    return {section.caption: section.frame for section in table.sections}


def test_returns_tests_and_money_are_those_made_by_hand(results, market, prices):
    found = frames(results.exhibit(0, 0))
    returns, tests, share = found.values()
    assert list(found) == ["Returns over (0, 0)", "Significance, one-sided, for falls", "Value of a share"]
    y, x = market.returns[HIK].to_numpy(), market.returns["399001.SZ"].to_numpy()
    close, raw = prices["close", HIK], []
    for i, day in enumerate(results.timeline["day_0"]):
        at = market.sessions.get_loc(day)
        past = slice(at - 200, at - 20)
        fit = sm.OLS(y[past], sm.add_constant(x[past])).fit()
        forecast = fit.get_prediction(np.array([[1.0, x[at]]]))
        se = float(np.sqrt(forecast.var_pred_mean[0] + fit.mse_resid))
        expected = float(forecast.predicted_mean[0])
        abnormal = y[at] - expected
        half = stats.t.ppf(0.975, fit.df_resid) * se
        np.testing.assert_allclose(
            returns.loc[i, ["expected", "actual", "abnormal", "s.e.", "95% from", "to"]].astype(float),
            [expected, y[at], abnormal, se, abnormal - half, abnormal + half],
            rtol=1e-9,
        )
        raw.append(stats.t.cdf(abnormal / se, fit.df_resid))
        assert tests.loc[i, "p (t)"] == pytest.approx(raw[-1])
        before = close[close.index < day].dropna()
        assert share.loc[i, "price before"] == before.iloc[-1]
        assert share.loc[i, "close of"] == f"{before.index[-1]:%Y-%m-%d}"
        np.testing.assert_allclose(
            share.loc[i, ["change", "95% from", "to"]].astype(float),
            before.iloc[-1] * np.array([abnormal, abnormal - half, abnormal + half]),
            rtol=1e-9,
        )
    # Holm's step-down by hand.
    order = np.argsort(raw)
    holm = np.minimum(np.maximum.accumulate(np.array(raw)[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(tests["p adjusted"].to_numpy()[order], holm)
    sq = [
        results.test(0, 0, tests="sq", by="label", alternative="less")
        .set_index("group")
        .loc[label, "p_value"]
        for label in ("tariffs", "act", "report")
    ]
    np.testing.assert_allclose(tests["p (SQ)"], sq)


def test_the_side_is_the_readers(results):
    two = frames(results.exhibit(0, 0, alternative="two-sided"))["Significance, two-sided"]
    less = frames(results.exhibit(0, 0))["Significance, one-sided, for falls"]
    more = frames(results.exhibit(0, 0, alternative="greater"))["Significance, one-sided, for rises"]
    np.testing.assert_allclose(two["p (t)"], 2 * np.minimum(less["p (t)"], more["p (t)"]))
    np.testing.assert_allclose(less["p (t)"] + more["p (t)"], 1.0)
    with pytest.raises(RequestError, match="alternative"):
        results.exhibit(alternative="down")


def test_shares_give_market_value(results, prices):
    counts = pd.Series([9.0e9, 9.3e9], pd.to_datetime(["2018-01-01", "2019-03-31"]))
    table = results.exhibit(0, 0, shares=counts, currency="CNY")
    value = frames(table)["Market value, in millions (CNY)"]
    share = frames(table)["Value of a share (CNY)"]
    # The count known by the session before: that of March 2019 serves the last event alone.
    np.testing.assert_allclose(value["change"], share["change"] * np.array([9.0e3, 9.0e3, 9.3e3]))
    capital = results.exhibit(0, 0, market_cap=250e9)
    np.testing.assert_allclose(
        frames(capital)["Market value, in millions"]["change"], results.car(0, 0)["car"] * 250e3
    )


def test_the_table_goes_where_tables_go(results, tmp_path):
    table = results.exhibit(0, 1, adjust="romano-wolf", currency="CNY")
    assert r"\begin{table}" in table.to_latex()
    table.to_excel(tmp_path / "exhibit.xlsx")
    assert any("Romano and Wolf" in note for note in table.notes)
    assert "0.0000" not in table.to_text()


def test_without_prices_there_is_no_money(market):
    returns = es.Market(market.returns, benchmark="399001.SZ", gaps="single")
    results = es.EventStudy(returns, [{"security": HIK, "date": DAYS[2]}], estimation=(-200, -21)).fit()
    table = results.exhibit(0, 0)
    assert list(frames(table)) == ["Returns over (0, 0)", "Significance, one-sided, for falls"]
    assert frames(table)["Returns over (0, 0)"]["security"].tolist() == [HIK]
    with pytest.raises(RequestError, match="no close before the window"):
        results.exhibit(0, 0, shares=1.0)


def test_an_event_without_a_car_is_left_open(market):
    events = {"security": HIK, "date": ["2019-05-22", "2019-10-08"]}
    with pytest.warns(OverlapWarning):
        results = es.EventStudy(market, events, estimation=(-200, -21), window=(-5, 5)).fit()
    table = results.exhibit(-2, -1)
    assert frames(table)["Returns over (-2, -1)"]["abnormal"].isna().tolist() == [False, True]
    assert "nan" not in table.to_text()


def test_value_changes_of_shares(results):
    found = results.value_change(None, 0, 0, shares=1.0)
    share = frames(results.exhibit(0, 0))["Value of a share"]
    np.testing.assert_allclose(found["change"].iloc[:3], share["change"])
    # One firm's value on three dates adds up to nothing.
    assert np.isnan(found.loc["total", ["car", "market_cap"]].astype(float)).all()
    assert found.loc["total", "change"] == pytest.approx(share["change"].sum())
    for wrong in ({"market_cap": None}, {"market_cap": 1.0, "shares": 1.0}):
        with pytest.raises(RequestError, match="Give either market_cap, or shares"):
            results.value_change(**wrong)
    late = pd.Series([1.0], pd.to_datetime(["2019-01-01"]))
    with pytest.raises(
        RequestError, match=r"Event 0 \(002415.SZ\): shares have no count of 002415.SZ by 2018-03-22"
    ):
        results.value_change(None, shares=late)


def test_a_series_of_days_is_that_of_the_one_firm(results, market, prices):
    cap = prices["close", HIK].dropna() * 1e9
    found = results.value_change(cap, 0, 0)
    np.testing.assert_allclose(
        found["change"].iloc[:3], results.value_change(None, 0, 0, shares=1e9)["change"].iloc[:3]
    )
    several = es.EventStudy(
        market, {"security": [HIK, "002236.SZ"], "date": DAYS[2]}, estimation=(-200, -21)
    ).fit()
    with pytest.raises(RequestError, match="give a frame of dates × securities"):
        several.value_change(cap)


def test_peers_beside_the_market(market):
    """A peer index is a factor that is no excess return; the error of the model says so."""
    event = [{"security": HIK, "date": DAYS[2]}]
    with pytest.raises(ModelError, match=r"excess=False\) takes factors as they are, such as a peer index"):
        es.EventStudy(market, event, es.FactorModel(["benchmark", "peers"])).fit()
    peers = market.returns[["002236.SZ", "300188.SZ"]].mean(axis=1).rename("peers").to_frame()
    with_peers = es.Market.from_prices(
        es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG", factors=peers
    )
    model = es.FactorModel(["benchmark", "peers"], excess=False)
    results = es.EventStudy(with_peers, event, model, estimation=(-200, -21)).fit()
    at = market.sessions.get_loc(results.timeline["day_0"].iloc[0])
    y, x = market.returns[HIK].to_numpy(), np.column_stack([market.returns["399001.SZ"], peers["peers"]])
    past = slice(at - 200, at - 20)
    fit = sm.OLS(y[past], sm.add_constant(x[past])).fit()
    expected = fit.params @ np.array([1.0, *x[at]])
    assert frames(results.exhibit(0, 0))["Returns over (0, 0)"]["expected"].iloc[0] == pytest.approx(expected)


@pytest.fixture(scope="module")
def halted(market) -> es.EventStudyResults:
    """Two announcements, of which the second has no CAR over (-2, -1)."""
    events = {"security": HIK, "date": ["2019-05-22", "2019-10-08"]}
    with pytest.warns(OverlapWarning):
        return es.EventStudy(market, events, estimation=(-200, -21), window=(-5, 5)).fit()


@pytest.mark.usefixtures("no_pictures")
def test_what_has_no_car_is_left_out_of_the_value_and_named(halted, tmp_path):
    counts = pd.Series([9.0e9], pd.to_datetime(["2018-01-01"]))
    found = halted.value_change(None, -2, -1, shares=counts)
    assert found["note"].tolist() == [
        "",
        "no CAR over (-2, -1)",
        "1 event left out, event 1 (002415.SZ): no CAR over (-2, -1)",
    ]
    assert found.loc[1, ["car", "market_cap", "change", "se", "p_value", "shares"]].isna().all()
    assert found["n_events"].tolist() == [1, 0, 1]
    assert found.loc["total", "change"] == found.loc[0, "change"]
    assert "1 event left out, event 1 (002415.SZ): no CAR over (-2, -1)." in " ".join(repr(found).split())
    by = halted.value_change(None, -2, -1, shares=counts, by="security")
    assert by.loc["total", "note"] == found.loc["total", "note"]
    table = halted.exhibit(-2, -1, shares=counts, currency="CNY")
    value = frames(table)["Market value, in millions (CNY)"]
    assert value["change"].isna().tolist() == [False, True]
    assert value["shares"].tolist()[0] == 9000.0
    assert value["counted on"].iloc[0] == "2018-01-01"
    assert pd.isna(value["counted on"].iloc[1])
    assert "Without a value, no CAR over (-2, -1): event 1." in table.notes
    page = halted.report(tmp_path / "x.md", -2, -1, shares=counts).read_text("utf-8")
    assert "In market value 1 of 2 events adds up to" in page
    assert "1 event left out, event 1 (002415.SZ): no CAR over (-2, -1)." in page
    assert "nan" not in page.split("## Recipe")[0].replace("finance", "")


@pytest.mark.usefixtures("no_pictures")
def test_no_event_has_a_car_and_the_report_says_so(market, tmp_path):
    event = [{"security": HIK, "date": "2019-10-08"}]
    results = es.EventStudy(market, event, estimation=(-200, -21), window=(-5, 5)).fit()
    found = results.value_change(250e9, -2, -1)
    assert found.drop(columns=["n_events", "shared_days", "note"]).isna().all(axis=None)
    assert found["n_events"].tolist() == [0, 0]
    assert "–" in repr(found)
    for name in ("x.html", "x.md", "brief.md"):
        page = results.report(tmp_path / name, -2, -1, shares=9e9, brief=name == "brief.md")
        text = page.read_text("utf-8").replace("\\", "")
        assert "What the move was worth cannot be said: no event has a CAR over (-2, -1)." in text


def test_what_has_no_close_is_left_out_of_the_value_and_named(market, results):
    """Of a pool, one market holds closes and the other returns alone."""
    returns = es.Market(market.returns[["000063.SZ", "399001.SZ"]], benchmark="399001.SZ", gaps="single")
    other = es.EventStudy(returns, [{"security": "000063.SZ", "date": DAYS[2]}], estimation=(-200, -21)).fit()
    pooled = es.pool({"closes": results, "returns": other})
    found = pooled.value_change(None, 0, 1, shares=1.0)
    own = results.value_change(None, 0, 1, shares=1.0)
    assert found["change"].iloc[3:4].isna().all()
    assert found.loc["total", "change"] == pytest.approx(own.loc["total", "change"])
    assert "(000063.SZ): no close before the window (0, +1)" in found.loc["total", "note"]
    assert found["n_events"].tolist() == [1, 1, 1, 0, 3]


def test_the_adjustment_counts_the_tests_that_there_are(market):
    """An event whose returns end before the window does has no p-value to allow for."""
    last = market.sessions[-1]
    days = [DAYS[0], DAYS[2], last]
    study = es.EventStudy(market, {"security": HIK, "date": days}, estimation=(-200, -21), window=(0, 1))
    with pytest.warns(IncompleteWindowWarning), pytest.warns(OverlapWarning):
        results = study.fit()
    table = results.exhibit(0, 1)
    tests = frames(table)["Significance, one-sided, for falls"]
    p = tests["p (t)"].to_numpy(dtype=float)
    assert np.isnan(p).tolist() == [False, False, True]
    assert np.nanmin(tests["p adjusted"].to_numpy(dtype=float)) == pytest.approx(min(1.0, 2 * np.nanmin(p)))
    assert "p adjusted allows for 2 tests: Holm" in str(table)


def test_log_returns_become_money_by_their_exponential(prices):
    logs = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG", kind="log")
    results = es.EventStudy(logs, {"security": HIK, "date": DAYS[0]}, estimation=(-200, -21)).fit()
    table = results.exhibit(0, 0)
    share = frames(table)["Value of a share"].iloc[0]
    assert share["change"] == pytest.approx(
        share["price before"] * np.expm1(results.car(0, 0)["car"].iloc[0])
    )
    assert "exp(abnormal return) − 1 times the last close" in " ".join(str(table).split())


@pytest.mark.parametrize("shares", [9.35, 9349.5, 9350, pd.Series([9.35], pd.to_datetime(["2018-01-01"]))])
def test_counts_in_millions_or_billions_are_refused(results, tmp_path, shares):
    for run in (
        lambda: results.value_change(None, 0, 0, shares=shares),
        lambda: results.exhibit(0, 0, shares=shares),
        lambda: results.report(tmp_path / "x.md", 0, 0, shares=shares),
    ):
        with pytest.raises(RequestError, match=r"Is the count in millions or billions.*shares=9.35e9"):
            run()


def test_market_values_shown_in_millions_are_in_single_units(results, tmp_path):
    assert results.value_change(258.0, 0, 0)["change"].abs().max() < 258
    for run in (
        lambda: results.exhibit(0, 0, market_cap=258.0),
        lambda: results.report(tmp_path / "x.md", 0, 0, market_cap=258.0),
        lambda: results.exhibit(0, 0, shares=1),
    ):
        with pytest.raises(RequestError, match="in single units of money, such as 258e9"):
            run()


def test_counts_that_a_split_adjusts_may_be_fractions(results):
    assert results.value_change(None, 0, 0, shares=9_349_465_931 / 1.1).loc["total", "n_events"] == 3


def test_notes_of_tests_read_as_sentences(results, tmp_path):
    """A statistic's letter stays small, negative numbers have a minus sign, and an assumption is one."""
    page = results.report(tmp_path / "x.md", 0, 0).read_text("utf-8")
    assert not re.search(r"(?<=\. )T of the", page)
    assert not re.search(r"95% interval -\d", page)
    one = results.test(0, 0, tests=["sq", "conformal", "bootstrap_t"], by="label", seed=0)
    assert one["note"].str.contains("95% interval −").any()
    assert not one["note"].str.contains(r"-\d+\.\d+%").any()
    notes = " ".join(results.exhibit(0, 0).notes)
    assert "assumes normally distributed returns" in notes


def test_an_unknown_event_is_told_what_names_one(results):
    with pytest.raises(
        RequestError, match=r"No event 'Hikvision'; the ids are 0, 1, 2\. A security or label"
    ):
        results.regression(event="Hikvision")
