"""Weighted averages and sorts: statsmodels finds the same, and true nulls are rejected as often as said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference.procedures.differences import welch_by_date
from eventstudy.inference.procedures.weighted_mean import by_spread

SIZES = [1.0, 5.0, 2.0, 0.5, 8.0, 3.0, 4.0]


@pytest.fixture(scope="module")
def one_date(market, refit) -> es.EventStudyResults:
    names = [f"S{i}" for i in range(7)]
    return refit(
        market, {"security": names, "date": market.sessions[300], "size": SIZES, "group": list("aabbbcc")}
    )


@pytest.fixture(scope="module")
def dates(market, refit) -> es.EventStudyResults:
    events = {
        "security": [f"S{i}" for i in range(7)],
        "date": market.sessions[200 + 20 * np.arange(7)],
        "size": SIZES,
    }
    return refit(market, events)


def test_on_one_date_it_is_the_weighted_portfolio(one_date):
    """The dummy's t in the regression of the value-weighted portfolio's returns."""
    row = one_date.caar(0, 0, weights="size", test="weighted_past").iloc[0]
    market, day = one_date.spec.market, one_date.timeline["day_0"].iloc[0]
    at = market.sessions.get_loc(day)
    rows = np.r_[at - 150 : at - 20, at]
    weights = np.array(SIZES) / sum(SIZES)
    y = market.returns.iloc[rows][[f"S{i}" for i in range(7)]].to_numpy() @ weights
    x = np.column_stack([np.ones(len(rows)), market.returns.iloc[rows]["INDEX"], rows == at])
    fit = sm.OLS(y, x).fit()
    for name, wanted in (("caar", fit.params[2]), ("se", fit.bse[2]), ("p_value", fit.pvalues[2])):
        assert row[name] == pytest.approx(wanted, rel=1e-9)
    assert row["dof"] == fit.df_resid
    assert row["n_events"] == 7
    assert row["test"] == "weighted_past"
    assert row["note"] == "weighted by size"


def test_by_spread_it_is_the_hc2_regression_on_a_constant(dates):
    row = dates.caar(0, 1, weights="size", test="weighted_spread").iloc[0]
    car = dates.car(0, 1)["car"].to_numpy()
    fit = sm.WLS(car, np.ones(7), weights=SIZES).fit(cov_type="HC2")
    assert row["caar"] == pytest.approx(fit.params[0], rel=1e-12)
    assert row["se"] == pytest.approx(fit.bse[0], rel=1e-12)
    half = stats.t.ppf(0.975, row["dof"]) * row["se"]
    assert row["ci_high"] - row["caar"] == pytest.approx(half)


def test_equal_weights_are_no_weights(market, refit):
    events = {"security": [f"S{i}" for i in range(7)], "date": market.sessions[300], "one": 2.0}
    results = refit(market, events)
    weighted = results.caar(0, 1, weights="one", test="weighted_spread").iloc[0]
    plain = results.caar(0, 1, test="cross_sectional").iloc[0]
    for name in ("caar", "se", "statistic", "dof", "p_value", "ci_low", "ci_high", "n_events", "positive"):
        assert weighted[name] == pytest.approx(plain[name], rel=1e-10), name
    portfolio = results.caar(0, 1, test="portfolio").iloc[0]
    assert results.caar(0, 1, weights="one", test="weighted_past").iloc[0]["se"] == pytest.approx(
        portfolio["se"], rel=1e-9
    )


def test_precision_weights(dates):
    row, cars = dates.caar(0, 1, weights="precision").iloc[0], dates.car(0, 1)
    weights = 1 / cars["se"] ** 2
    assert row["caar"] == pytest.approx((weights * cars["car"]).sum() / weights.sum())
    # The least variance that weights which sum to one can have.
    assert dates.caar(0, 1, weights="precision", test="weighted_past").iloc[0]["se"] == pytest.approx(
        weights.sum() ** -0.5, rel=0.05
    )


def test_by_day_and_by_several_windows(one_date):
    frame = one_date.aar(weights="size")
    assert frame.loc[0, "aar"] == one_date.caar(0, 0, weights="size")["caar"].iloc[0]
    assert one_date.caar([(0, 0), (0, 1)], weights="size").shape[0] == 2
    less = one_date.caar(0, 0, weights="size", alternative="less").iloc[0]
    assert less["ci_low"] == -np.inf
    assert "weighted by size" in repr(one_date.caar(0, 0, weights="size"))


def test_the_standard_error_follows_the_design(one_date, market, refit):
    assert one_date.caar(0, 0, weights="size")["test"].tolist() == ["weighted_past"]
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2018-01-01", periods=900)
    names = [f"F{i}" for i in range(30)]
    returns = pd.DataFrame(0.01 * rng.standard_normal((900, 31)), days, [*names, "INDEX"])
    events = {"security": names, "date": days[200 + 20 * np.arange(30)], "size": rng.random(30) + 0.1}
    many = refit(es.Market(returns, benchmark="INDEX", gaps="single"), events)
    assert many.caar(0, 0, weights="size")["test"].tolist() == ["weighted_spread"]


def test_weights_that_cannot_be_used_are_refused(market, refit, one_date):
    day = market.sessions[300]
    for wrong in (0.0, -1.0, np.inf):
        events = [{"security": "S0", "date": day, "w": 1.0}, {"security": "S1", "date": day, "w": wrong}]
        with pytest.raises(RequestError, match=f"weight 'w' of event 1 is {wrong}, not a positive number"):
            refit(market, events).caar(weights="w")
    with pytest.raises(RequestError, match="no column 'cap'"):
        one_date.caar(weights="cap")
    with pytest.raises(RequestError, match="With weights, test is"):
        one_date.caar(weights="size", test="portfolio")


def test_an_event_without_a_car_takes_no_part(market, refit):
    events = {"security": [f"S{i}" for i in range(8)], "date": market.sessions[300], "size": [*SIZES, 100.0]}
    results = refit(market, events)
    row, cars = results.caar(4, 6, weights="size").iloc[0], results.car(4, 6)["car"].iloc[:7]
    assert row["n_events"] == 7
    assert row["caar"] == pytest.approx((cars * SIZES).sum() / sum(SIZES))


@pytest.mark.slow
@pytest.mark.quick(every=4)
@pytest.mark.parametrize(("shape", "least"), [(0.0, 0.04), (0.5, 0.04), (1.0, 0.03), (1.6, 0.01)])
def test_true_nulls_are_not_rejected_too_often(shape, least):
    """Log-normal weights, up to such that the largest of 20 events has a third of all weight.

    Then too seldom, as the docstring says.
    """
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(4000):
        weights = np.exp(shape * rng.standard_normal(20))
        mean, se, dof = by_spread(0.02 * rng.standard_normal(20), weights / weights.sum())
        rejected += abs(mean / se) > stats.t.ppf(0.975, dof)
    # Above, three standard errors of a share of 5% in 4000 draws.
    assert least < rejected / 4000 < 0.05 + 0.0104


def test_sorts_are_means_of_quantiles(one_date):
    frame, cars = one_date.sort_by("size", 0, 1, quantiles=3), one_date.car(0, 1)["car"]
    order = np.argsort(SIZES)
    assert frame.index.tolist() == [1, 2, 3, "high - low"]
    parts = np.split(cars.to_numpy()[order], np.cumsum(frame["n_events"].iloc[:2]))
    np.testing.assert_allclose(frame["caar"].iloc[:3], [part.mean() for part in parts])
    assert frame["high"].iloc[2] == 8.0
    assert frame["low"].iloc[0] == 0.5
    assert frame.loc["high - low", "caar"] == pytest.approx(parts[-1].mean() - parts[0].mean())
    assert frame.loc["high - low", "test"] == "difference_portfolio"


def _halves(results):
    """Split CARs and sizes of a study at the median size."""
    cars, large = results.car(0, 1)["car"].to_numpy(), np.array(SIZES) > np.median(SIZES)
    return cars[large], cars[~large]


def test_on_one_date_the_difference_is_that_of_groups(one_date):
    """Two quantiles are two groups: the same test as `test(by=)`, and its interval holds the difference."""
    frame = one_date.sort_by("size", 0, 1, quantiles=2)
    half = np.quantile(SIZES, 0.5)
    events = one_date.spec.events.frame.assign(half=["a" if s > half else "b" for s in SIZES])
    again = es.EventStudy(one_date.spec.market, events, estimation=(-150, -21), window=(-4, 6)).fit()
    tests = again.test(0, 1, by="half", tests="bmp")
    row = tests[tests["group"].isin(["a - b", "b - a"])].iloc[0]
    last = frame.loc["high - low"]
    assert last["test"] == row["test"] == "difference_portfolio"
    assert abs(last["statistic"]) == pytest.approx(abs(row["statistic"]))
    assert last["p_value"] == pytest.approx(row["p_value"])
    assert last["ci_low"] < last["caar"] < last["ci_high"]
    assert (last["ci_low"] < 0 < last["ci_high"]) == (last["p_value"] > 0.05)


def test_on_dates_of_their_own_the_difference_is_welchs(dates):
    last = dates.sort_by("size", 0, 1, quantiles=2).loc["high - low"]
    wanted = stats.ttest_ind(*_halves(dates), equal_var=False)
    interval = wanted.confidence_interval()
    found = [last[name] for name in ("statistic", "dof", "p_value", "ci_low", "ci_high")]
    np.testing.assert_allclose(
        found, [wanted.statistic, wanted.df, wanted.pvalue, interval.low, interval.high], rtol=1e-9
    )
    assert last["se"] == pytest.approx(last["caar"] / last["statistic"])
    assert last["test"] == "welch_by_date"
    assert "dates" in last["note"]
    less = dates.sort_by("size", 0, 1, quantiles=2, alternative="less").loc["high - low"]
    one_sided = stats.ttest_ind(*_halves(dates), equal_var=False, alternative="less")
    assert less["p_value"] == pytest.approx(one_sided.pvalue)
    assert less["ci_high"] == pytest.approx(one_sided.confidence_interval().high)


def test_on_dates_in_common_the_difference_is_paired():
    """One event of either group a date: the t of pairs."""
    rng = np.random.default_rng(3)
    shock = rng.standard_normal(9)
    a, b = shock + 0.3 * rng.standard_normal(9), shock + 0.3 * rng.standard_normal(9)
    wanted = stats.ttest_rel(a, b)
    order = rng.permutation(9)
    found, se, dof = welch_by_date(a, np.arange(9), b[order], order)
    assert (found / se, dof) == pytest.approx((wanted.statistic, wanted.df))


def test_a_group_of_one_date_is_measured_by_its_past(market, refit):
    events = {
        "security": [f"S{i}" for i in range(6)],
        "date": market.sessions[[300, 300, 300, 200, 230, 260]],
        "size": [1.0, 2, 3, 4, 5, 6],
    }
    results = refit(market, events)
    last = results.sort_by("size", 0, 1, quantiles=2).loc["high - low"]
    assert last["test"] == "difference_past"
    assert last["note"].startswith("a group has one date")
    groups = refit(market, events | {"half": list("bbbaaa")}).test(0, 1, by="half", tests="bmp")
    row = groups[groups["test"] == "difference_past"].iloc[0]
    assert abs(last["statistic"]) == pytest.approx(abs(row["statistic"]))
    assert last["ci_low"] < last["caar"] < last["ci_high"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dates_a", "dates_b", "rho", "volatility"),
    [
        (range(10), range(10, 20), 0.0, 1.0),
        (range(5), range(5, 20), 0.0, 3.0),
        (np.repeat(range(8), 4), np.repeat(range(8, 16), 4), 0.5, 2.0),
        (np.repeat(range(8), 4), np.repeat(range(8), 4), 0.5, 1.0),
        (np.repeat(range(8), [1, 2, 3, 4, 5, 6, 7, 8]), np.repeat(range(4, 12), 3), 0.3, 1.0),
    ],
)
def test_equal_groups_are_not_told_apart_too_often(dates_a, dates_b, rho, volatility):
    """Correlated events of a date, dates in common, and a group of other volatility."""
    rng, draws = np.random.default_rng(5), 1500
    dates_a, dates_b = np.array(dates_a), np.array(dates_b)
    rejected = 0
    for _ in range(draws):
        shock = np.sqrt(rho) * rng.standard_normal(20)
        a, b = (shock[on] + np.sqrt(1 - rho) * rng.standard_normal(len(on)) for on in (dates_a, dates_b))
        found, se, dof = welch_by_date(a, dates_a, volatility * b, dates_b)
        rejected += abs(found / se) > stats.t.ppf(0.975, dof)
    # Above, three standard errors of a share of 5% in the draws; below, dates in common count for less.
    assert 0.02 < rejected / draws < 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)


def test_winsorising_is_said(dates):
    frame = dates.sort_by("size", 0, 1, quantiles=2, winsorize=0.15)
    cars = dates.car(0, 1)["car"].to_numpy()
    low, high = np.quantile(cars, [0.15, 0.85])
    cut = np.clip(cars, low, high)
    large = np.array(SIZES) > np.median(SIZES)
    wanted = stats.ttest_ind(cut[large], cut[~large], equal_var=False)
    assert frame.loc["high - low", "statistic"] == pytest.approx(wanted.statistic)
    assert frame.loc["high - low", "p_value"] == pytest.approx(wanted.pvalue)
    assert frame.loc[1, "caar"] == pytest.approx(cut[~large].mean())
    k = int(((cars < low) | (cars > high)).sum())
    assert frame["note"].iloc[0] == f"{k} of 7 CARs winsorised at 15.0% and 85.0%"
    assert "winsorised" in frame.loc["high - low", "note"]
    assert dates.sort_by("size", 0, 1, quantiles=2)["note"].iloc[0] == ""


def test_sorts_that_cannot_be_made_are_refused(one_date, market, refit):
    with pytest.raises(RequestError, match="5 quantiles need at least 10 events"):
        one_date.sort_by("size")
    with pytest.raises(RequestError, match="is not a number"):
        one_date.sort_by("group", quantiles=2)
    events = {"security": [f"S{i}" for i in range(6)], "date": market.sessions[300], "x": [1, 1, 1, 1, 1, 2]}
    with pytest.raises(RequestError, match="too many equal values for 2 quantiles"):
        refit(market, events).sort_by("x", quantiles=2)
    for wrong in ({"winsorize": 0.5}, {"winsorize": -0.1}, {"quantiles": 1}, {"alternative": "up"}):
        with pytest.raises(RequestError):
            one_date.sort_by("size", **({"quantiles": 2} | wrong))


def test_winsorised_cars_of_one_date_have_no_test_of_independent_events() -> None:
    """A shock that all firms of a day share is in every CAR: their spread does not know it."""
    market, truth = es.lab.simulate_market(20, 300, correlation=0.4, n_events=20, common_date=True, seed=3)
    events = truth.events[["security", "date"]].assign(size=np.arange(20.0))
    results = es.EventStudy(market, events, estimation=(-200, -11), window=(-2, 2)).fit()
    frame = results.sort_by("size", 0, 1, quantiles=2, winsorize=0.1)
    assert frame[["se", "statistic", "p_value", "ci_low"]].isna().all(axis=None)
    assert frame["caar"].notna().all()
    assert frame["note"].str.contains("100% of the pairs of events share a day").all()
    assert results.sort_by("size", 0, 1, quantiles=2)["p_value"].notna().all()
