"""Changes in market value: by event, by group, in total, in other currencies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference.dependence.mean_correlation import correlation_matrix, mean_correlation

NAMES = list("ABCDEF")


@pytest.fixture(scope="module")
def market() -> es.Market:
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2018-01-01", periods=400)
    common = rng.normal(0, 0.01, (400, 1))
    frame = pd.DataFrame(rng.normal(0, 0.02, (400, 6)) + common, days, NAMES)
    return es.Market(frame.assign(index=rng.normal(0, 0.01, 400)), benchmark="index")


@pytest.fixture(scope="module")
def one_date(market) -> es.EventStudyResults:
    events = {"security": NAMES, "date": market.sessions[350], "group": ["x", "x", "y", "y", "y", "z"]}
    return es.EventStudy(market, pd.DataFrame(events), estimation=(-200, -11), window=(-5, 5)).fit()


CAPS = dict(zip(NAMES, [10.0, 20.0, 5.0, 1.0, 50.0, 8.0], strict=True))


def test_the_total_is_the_value_weighted_portfolio(one_date):
    """On one date: the dummy's t in the regression of the portfolio, in money."""
    found = one_date.value_change(CAPS, 0, 0)
    weights = np.array(list(CAPS.values()))
    market = one_date.spec.market
    rows = np.r_[150:340, 350]
    returns = market.returns.iloc[rows]
    dummy = (rows == 350).astype(float)
    x = np.column_stack([np.ones(len(rows)), returns["index"], dummy])
    fit = sm.OLS(returns[NAMES].to_numpy() @ weights, x).fit()
    total = found.loc["total"]
    assert total["change"] == pytest.approx(fit.params[2], rel=1e-9)
    assert total["se"] == pytest.approx(fit.bse[2], rel=1e-9)
    assert total["dof"] == fit.df_resid
    np.testing.assert_allclose(total[["ci_low", "ci_high"]].astype(float), fit.conf_int()[2], rtol=1e-8)
    assert total["market_cap"] == 94.0
    # Independence would understate it.
    assert total["se"] > 1.1 * np.sqrt((found["se"].iloc[:6] ** 2).sum())


def test_a_total_has_the_fewest_degrees_of_freedom_of_its_events(market):
    returns = market.returns
    returns.iloc[200:230, 1] = np.nan
    returns.iloc[240:250, 4] = np.nan
    thin = es.Market(returns, benchmark="index", gaps="single")
    events = {"security": NAMES, "date": market.sessions[350], "group": ["x", "x", "y", "y", "y", "z"]}
    results = es.EventStudy(thin, pd.DataFrame(events), estimation=(-200, -11), window=(-5, 5)).fit()
    found = results.value_change(CAPS, (0, 0))
    # 190 days, two of them for the line; 30 and 10 are missing.
    assert found["dof"].tolist() == [188, 158, 188, 188, 178, 188, 158]
    assert results.value_change(CAPS, (0, 0), by="group")["dof"].to_dict() == {
        "x": 158, "y": 178, "z": 188, "total": 158,
    }  # fmt: skip
    total = found.loc["total"]
    assert total["p_value"] == pytest.approx(2 * stats.t.sf(abs(total["t"]), 158), rel=1e-12)


def test_each_event_is_its_car_in_money(one_date):
    found = one_date.value_change(CAPS, 0, 2, level=0.9)
    cars = one_date.car(0, 2, level=0.9)
    weights = np.array(list(CAPS.values()))
    for money, car in {"change": "car", "se": "se", "ci_low": "ci_low", "ci_high": "ci_high"}.items():
        np.testing.assert_allclose(found[money].iloc[:6], cars[car] * weights, rtol=1e-12)
    np.testing.assert_allclose(found["p_value"].iloc[:6], cars["p_value"], rtol=1e-10)


def test_groups_and_rates(one_date):
    whole = one_date.value_change(CAPS, 0, 1)
    groups = one_date.value_change(CAPS, 0, 1, by="group")
    assert groups.index.tolist() == ["x", "y", "z", "total"]
    assert groups["n_events"].tolist() == [2, 3, 1, 6]
    np.testing.assert_allclose(groups["change"].iloc[:3].sum(), whole.loc["total", "change"])
    np.testing.assert_allclose(groups.loc["total", "se"], whole.loc["total", "se"])
    r = np.corrcoef(one_date.fitted.abnormal.past.residuals()[:2])[0, 1]
    a, b = whole["se"].iloc[:2]
    assert groups.loc["x", "se"] == pytest.approx(np.sqrt(a**2 + b**2 + 2 * r * a * b), rel=1e-10)
    dollars = one_date.value_change(CAPS, 0, 1, rate=0.14)
    np.testing.assert_allclose(dollars["change"], whole["change"] * 0.14)
    mixed = one_date.value_change(CAPS, 0, 1, rate=dict.fromkeys(NAMES, 0.14) | {"A": 1.0})
    np.testing.assert_allclose(mixed["change"].iloc[:2], whole["change"].iloc[:2] * [1.0, 0.14])


def test_windows_that_overlap_in_part(market):
    """Two events two days apart: half of the three-day window shared... by the formula, day by day."""
    events = {"security": ["A", "B", "C"], "date": market.sessions[[350, 352, 380]]}
    results = es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()
    found = results.value_change(CAPS, 0, 2)
    fit = results.fitted.abnormal
    a, b = (pd.Series(fit.past.residuals()[i], fit.past.dates()[i]) for i in (0, 1))
    r = pd.concat([a, b], axis=1, join="inner").corr().iloc[0, 1] / 3
    se = found["se"].to_numpy()[:3]
    assert found.loc["total", "se"] == pytest.approx(
        np.sqrt((se**2).sum() + 2 * r * se[0] * se[1]), rel=1e-10
    )


def test_the_matrix_has_the_mean_of_r_bar():
    """Events in random order, with gaps, on many dates."""
    rng = np.random.default_rng(3)
    n = 40
    start = rng.integers(0, 30, n)
    days = np.datetime64("2019-01-01") + start[:, None] + np.arange(60)
    residuals = rng.normal(size=(n, 60)) + rng.normal(size=200)[start[:, None] + np.arange(60)]
    residuals[rng.random((n, 60)) < 0.1] = np.nan
    tested = np.datetime64("2019-06-01") + start[:, None] + np.arange(3)
    matrix = correlation_matrix(residuals, days, tested)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    upper = matrix[np.triu_indices(n, 1)]
    assert upper.mean() == pytest.approx(
        mean_correlation(residuals, days, tested).mean_correlation, abs=1e-12
    )
    i, j = np.argwhere(np.triu(np.abs(start[:, None] - start) == 1, 1))[0]
    a, b = (pd.Series(residuals[k], days[k]) for k in (i, j))
    expected = pd.concat([a, b], axis=1, join="inner").corr().iloc[0, 1] * 2 / 3
    assert matrix[i, j] == pytest.approx(expected, abs=1e-12)
    assert correlation_matrix(residuals[:1], days[:1], tested[:1]).tolist() == [[1.0]]


def test_a_frame_is_read_on_the_session_before_the_window(one_date):
    market = one_date.spec.market
    caps = pd.DataFrame(np.nan, market.sessions, NAMES)
    caps.iloc[348] = list(CAPS.values())
    found = one_date.value_change(caps, -1, 1)
    pd.testing.assert_frame_equal(found, one_date.value_change(CAPS, -1, 1))
    caps.iloc[348, 2] = np.nan
    day = f"{market.sessions[348]:%Y-%m-%d}"
    with pytest.raises(RequestError, match=rf"Event 2 \(C\): market_cap has no value of C on {day}"):
        one_date.value_change(caps, -1, 1)


def test_by_event_id_and_pooled_by_study(market, one_date):
    events = {"security": ["A", "B"], "date": market.sessions[380]}
    other = es.EventStudy(market, pd.DataFrame(events), estimation=(-200, -11), window=(-5, 5)).fit()
    pooled = es.pool({"Shenzhen": one_date, "Hong Kong": other})
    found = pooled.value_change(CAPS, 0, 0, rate={"Shenzhen": 1.0, "Hong Kong": 0.9}, by="study")
    own = one_date.value_change(CAPS, 0, 0).drop(columns="note").loc["total"]
    np.testing.assert_allclose(found.drop(columns="note").loc["Shenzhen"].astype(float), own.astype(float))
    np.testing.assert_allclose(
        found.loc["Hong Kong", "change"], 0.9 * other.value_change(CAPS, 0, 0).loc["total", "change"]
    )
    by_id = other.value_change(pd.Series([10.0, 20.0], [0, 1]), 0, 0)
    pd.testing.assert_frame_equal(by_id, other.value_change(CAPS, 0, 0))


@pytest.mark.parametrize(
    ("caps", "options", "told"),
    [
        ({"A": 1.0}, {}, r"Event 1 \(B\) has no market value"),
        (CAPS, {"rate": {"A": 1.0}}, r"Event 1 \(B\) has no exchange rate"),
        (CAPS | {"C": -1.0}, {}, r"Event 2 \(C\): market value times rate is -1"),
        ("much", {}, "must be a number, a Series or a mapping; got str"),
        (CAPS, {"by": "country"}, "no column 'country'"),
    ],
)
def test_requests_that_cannot_be_met(one_date, caps, options, told):
    with pytest.raises(RequestError, match=told):
        one_date.value_change(caps, 0, 1, **options)


def test_log_returns_have_no_value_change():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        rng.normal(0, 0.02, (300, 2)), pd.bdate_range("2019-01-01", periods=300), ["A", "index"]
    )
    market = es.Market(frame, benchmark="index", kind="log")
    events = {"security": ["A"], "date": [frame.index[280]]}
    results = es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()
    with pytest.raises(RequestError, match="simple returns; these are log"):
        results.value_change(10.0)
