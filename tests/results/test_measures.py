"""CARs, averages and their intervals against plain computations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.inference import minimum_detectable_effect

WINDOWS = [(0, 0), (0, 1), (-4, 6), (1, 4)]


@pytest.fixture(params=["common", "distinct"])
def many(request) -> es.EventStudyResults:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("window", WINDOWS)
def test_car_is_the_sum_of_the_abnormal_returns_of_its_days(many, window):
    cars = many.car(*window)
    days = list(range(window[0], window[1] + 1))
    ar = many.abnormal_returns[days]
    pd.testing.assert_series_equal(cars["car"], ar.sum(axis=1), check_names=False)
    assert cars["n_days"].tolist() == ar.notna().sum(axis=1).tolist()
    np.testing.assert_allclose(cars["actual"] - cars["expected"], cars["car"], atol=1e-15)
    assert cars.index.equals(many.timeline.index)


def test_missing_days_are_counted(common):
    assert common.car(0, 4).loc["e7", "n_days"] == 3
    assert common.car(0, 4).loc["e0", "n_days"] == 5
    # Day 4 lumps the two days without trade: no part of a window that starts at 3.
    assert common.car(4, 6).loc["e7", "car":"detectable"].drop(["dof", "n_days"]).isna().all()
    assert np.isfinite(common.car(2, 6).loc["e7", "car"])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_intervals_and_p_values_agree(many, level):
    cars = pd.concat([many.car(day, day, level=level) for day in range(-4, 7)]).dropna()
    outside = (cars["ci_low"] > 0) | (cars["ci_high"] < 0)
    assert (outside == (cars["p_value"] < 1 - level)).all()
    assert outside.any()
    assert not outside.all()
    np.testing.assert_allclose((cars["ci_low"] + cars["ci_high"]) / 2, cars["car"], atol=1e-15)
    half = stats.t(cars["dof"]).ppf(0.5 + level / 2) * cars["se"]
    np.testing.assert_allclose(cars["ci_high"] - cars["car"], half, rtol=1e-12)
    np.testing.assert_allclose(cars["t"], cars["car"] / cars["se"], rtol=1e-12)
    np.testing.assert_allclose(cars["p_value"], 2 * stats.t(cars["dof"]).cdf(-cars["t"].abs()), rtol=1e-12)


def test_windows_may_be_given_in_every_way(common):
    wanted = common.car(0, 1)
    for given in (
        common.car((0, 1)),
        common.car(es.Window(0, 1)),
        common.car([0, 1]),
        common.car(start=0, end=1),
    ):
        pd.testing.assert_frame_equal(given, wanted)
    pd.testing.assert_frame_equal(common.car(0), common.car(0, 0))
    pd.testing.assert_frame_equal(common.car(), common.car(0, 1))


@pytest.mark.parametrize("window", WINDOWS)
def test_caar_is_the_mean_car(many, window):
    cars = many.car(*window)["car"].dropna()
    average = many.caar(*window)
    assert average.index.tolist() == [str(es.Window(*window))]
    row = average.iloc[0]
    assert row["caar"] == pytest.approx(cars.mean(), abs=1e-15)
    assert row["n_events"] == len(cars)
    assert row["positive"] == pytest.approx((cars > 0).mean())
    assert row["statistic"] == pytest.approx(row["caar"] / row["se"], rel=1e-12)
    assert (row["ci_low"] + row["ci_high"]) / 2 == pytest.approx(row["caar"], abs=1e-15)
    inside = row["ci_low"] <= 0 <= row["ci_high"]
    assert inside == (row["p_value"] >= 0.05)


def test_the_interval_is_that_of_the_test_that_fits(one, common, distinct):
    assert one.caar(0, 1)["test"].tolist() == ["t"]
    assert common.caar(0, 1)["test"].tolist() == ["filtered_t"]
    assert distinct.caar(0, 1)["test"].tolist() == ["cross_sectional"]
    car = one.car(0, 1).iloc[0]
    row = one.caar(0, 1).iloc[0]
    for name, of in (
        ("caar", "car"),
        ("se", "se"),
        ("statistic", "t"),
        ("p_value", "p_value"),
        ("ci_low", "ci_low"),
    ):
        assert row[name] == pytest.approx(car[of], rel=1e-10)


def test_cross_sectional_interval_is_that_of_a_t_test(distinct):
    cars = distinct.car(0, 1)["car"]
    wanted = stats.ttest_1samp(cars, 0.0)
    low, high = wanted.confidence_interval(0.9)
    row = distinct.caar(0, 1, level=0.9).iloc[0]
    assert row["statistic"] == pytest.approx(wanted.statistic, rel=1e-12)
    assert row["p_value"] == pytest.approx(wanted.pvalue, rel=1e-10)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low, rel=1e-10), pytest.approx(high, rel=1e-10))


def test_portfolio_interval_is_that_of_the_reference(common, market, oracle):
    """One common date and regressor: the t of the equal-weighted portfolio's own market model."""
    returns = market.returns
    day0 = returns.index.get_loc(common.timeline["day_0"].iloc[0])
    names = common.timeline["security"]
    portfolio = returns[names].mean(axis=1).to_numpy()
    index = returns["INDEX"].to_numpy()
    estimation, window = slice(day0 - 150, day0 - 20), slice(day0 - 4, day0 + 7)
    event = oracle.build_event(portfolio[estimation], index[estimation], portfolio[window], index[window])
    for start, end in ((0, 0), (0, 1), (-2, 1)):
        wanted = oracle.single_t(event, list(range(start + 4, end + 5)))
        row = common.caar(start, end, test="portfolio").iloc[0]
        assert row["test"] == "portfolio"
        assert row["statistic"] == pytest.approx(wanted["stat"], rel=1e-10)
        assert row["p_value"] == pytest.approx(wanted["p"], rel=1e-8)
        assert row["dof"] == wanted["df"]


def test_another_test_may_give_the_interval(distinct):
    chosen = distinct.caar(0, 1, test="independence").iloc[0]
    cars = distinct.car(0, 1)
    assert chosen["se"] == pytest.approx(np.sqrt((cars["se"] ** 2).sum()) / len(cars), rel=1e-12)
    assert chosen["dof"] == np.inf
    assert chosen["ci_high"] - chosen["caar"] == pytest.approx(
        stats.norm.ppf(0.975) * chosen["se"], rel=1e-12
    )


def test_a_test_that_does_not_fit_gives_no_interval(distinct):
    row = distinct.caar(0, 1, test="portfolio").iloc[0]
    assert row[["se", "statistic", "p_value", "ci_low", "ci_high"]].isna().all()
    assert row["caar"] == pytest.approx(distinct.car(0, 1)["car"].mean())


def test_aar_is_the_mean_of_each_day(many):
    aar, ar = many.aar(), many.abnormal_returns
    assert aar.index.tolist() == list(range(-4, 7))
    # Day 4 of S7 lumps earlier days, and by itself is none of the day's returns.
    usable = pd.DataFrame({day: many.car(day, day)["car"] for day in range(-4, 7)})
    np.testing.assert_allclose(aar["aar"], usable.mean(), atol=1e-15)
    assert aar["n_events"].tolist() == usable.notna().sum().tolist()
    np.testing.assert_allclose(aar["positive"], (usable > 0).sum() / usable.notna().sum())
    whole = [day for day in ar if ar[day].notna().all() and usable[day].notna().all()]
    np.testing.assert_allclose(aar.loc[whole, "aar"], ar[whole].mean(), atol=1e-15)
    assert aar["test"].nunique() == 1
    single = many.caar(0, 0).iloc[0]
    assert aar.loc[0, "se"] == pytest.approx(single["se"], rel=1e-12)


def test_parameters_and_regression(one, market):
    parameters = one.parameters.iloc[0]
    fit = one.regression()
    for given in (fit, one.regression(0), one.regression("S0")):
        np.testing.assert_allclose(given.params, parameters[["alpha", "beta"]], rtol=1e-10)
    assert np.sqrt(fit.mse_resid) == pytest.approx(parameters["sigma"], rel=1e-10)
    assert (fit.nobs, fit.df_resid) == (parameters["n_obs"], parameters["dof"])
    assert fit.rsquared == pytest.approx(parameters["r_squared"], rel=1e-10)
    residuals = market.returns["S0"] - parameters["alpha"] - parameters["beta"] * market.returns["INDEX"]
    pd.testing.assert_series_equal(
        fit.resid, residuals[fit.resid.index], check_names=False, check_freq=False, rtol=1e-8, atol=1e-14
    )
    day0 = market.sessions.get_loc(one.timeline["day_0"].iloc[0])
    assert fit.resid.index.equals(market.sessions[day0 - 150 : day0 - 20])


def test_parameters_of_other_models(market, refit):
    events = [{"security": "S0", "date": market.sessions[300]}]
    mean = refit(market, events, model=es.ConstantMean()).parameters
    assert mean.columns.tolist() == ["mu", "sigma", "n_obs", "dof", "r_squared"]
    adjusted = refit(market, events, model=es.MarketAdjusted()).parameters
    assert adjusted.columns.tolist() == ["sigma", "n_obs", "dof", "r_squared"]
    past = (market.returns["S0"] - market.returns["INDEX"]).iloc[150:280]
    assert adjusted.loc[0, "sigma"] == pytest.approx(np.sqrt((past**2).mean()), rel=1e-12)


def test_nothing_returned_can_change_the_results(common):
    def shown() -> list[pd.DataFrame]:
        return [
            common.car(0, 1),
            common.abnormal_returns,
            common.parameters,
            common.timeline,
            common.test(0, 1, seed=1),
            common.aar(),
            common.caar(0, 1),
        ]

    before = shown()
    for frame in shown():
        for j, dtype in enumerate(frame.dtypes):
            if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
                frame.iloc[:, j] = 0
    for old, new in zip(before, shown(), strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_repr(one, common, market, refit):
    assert repr(one) == "EventStudyResults: 1 event, Market model (OLS), window (-4, +6)"
    assert repr(common) == "EventStudyResults: 8 events, Market model (OLS), window (-4, +6)"
    events = [{"security": name, "date": market.sessions[300]} for name in ("S0", "nobody")]
    with pytest.warns(es.errors.ExcludedEventsWarning):
        found = refit(market, events)
    assert repr(found) == "EventStudyResults: 1 event (1 excluded), Market model (OLS), window (-4, +6)"


def test_what_could_have_been_found(common, one):
    cars = common.car(0, 1)
    wanted = [minimum_detectable_effect(se, dof) for se, dof in zip(cars["se"], cars["dof"], strict=True)]
    assert cars["detectable"].to_numpy() == pytest.approx(wanted)
    mean = common.caar(0, 1).iloc[0]
    assert mean["detectable"] == pytest.approx(minimum_detectable_effect(mean["se"], mean["dof"]))
    assert (one.aar()["detectable"] > 2.8 * one.aar()["se"]).all()
