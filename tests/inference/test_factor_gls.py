"""Generalised least squares on one date: against statsmodels' PCA and GLS, and its size by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.multivariate.pca import PCA

from eventstudy.inference import TESTS, Options, run_tests
from eventstudy.inference.engine.factor_gls import (
    crossfitted_slopes,
    factor_covariance,
    gls_weights,
    n_components,
)


def covariance_of(errors, components):
    """By statsmodels' principal components, after the algorithm of csestudy."""
    found = PCA(errors, ncomp=components, standardize=False, demean=False, normalize=False, method="svd")
    scores, loadings = np.asarray(found.factors), np.asarray(found.loadings)
    left = errors - np.asarray(found.projection)
    return loadings @ (scores.T @ scores / len(errors)) @ loadings.T + np.diag((left**2).mean(axis=0))


@pytest.fixture
def errors():
    rng = np.random.default_rng(3)
    return rng.standard_normal((120, 12)) * np.linspace(1, 3, 12) + rng.standard_normal((120, 1))


@pytest.mark.parametrize("components", [1, 3, 8])
def test_covariance_is_that_of_principal_components(errors, components):
    found = factor_covariance(errors, components)
    np.testing.assert_allclose(found, covariance_of(errors, components), atol=1e-10)
    # Off the diagonal it is that of the components; on it that of the events.
    np.testing.assert_allclose(np.diag(found), (errors**2).mean(axis=0), rtol=1e-10)


def test_weights_are_those_of_generalised_least_squares(errors):
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(12), rng.normal(size=12)])
    y, omega = rng.normal(size=12), factor_covariance(errors, 2)
    want = sm.GLS(y, x, sigma=omega).fit().params
    np.testing.assert_allclose(gls_weights(x, omega) @ y, want, atol=1e-10)


def test_slopes_of_a_day_come_from_weights_of_other_days(errors):
    x = np.column_stack([np.ones(12), np.arange(12.0)])
    found = crossfitted_slopes(errors, x, 2)
    for day in (0, 23, 24, 60, 119):
        part = day // 24
        others = np.r_[: 24 * part, 24 * (part + 1) : 120]
        omega = covariance_of(errors[others], 2)
        want = sm.GLS(errors[day], x, sigma=omega).fit().params
        np.testing.assert_allclose(found[:, day], want, atol=1e-10)


@pytest.mark.parametrize("window", [(0, 0), (-1, 2)])
@pytest.mark.parametrize("side", ["two-sided", "less", "greater"])
def test_the_statistic_by_statsmodels(panel, window, side):
    data = panel(n=10, layout="common", seed=5, effect=0.01).test(*window)
    found = TESTS["gls_portfolio"].run(data, Options(side))
    fit = data.abnormal
    past, one = fit.past.residuals().T, np.ones((10, 1))
    t = len(past)
    mean = sm.GLS(data.car, one, sigma=covariance_of(past, 1)).fit().params[0]
    slopes = []
    for day in range(t):
        block = np.arange(t) * 5 // t
        omega = covariance_of(past[block != block[day]], 1)
        slopes.append(sm.GLS(past[day], one, sigma=omega).fit().params[0])
    scale = (data.cumulative.variance / fit.s2).mean()
    want = mean / np.sqrt(scale * np.square(slopes).sum() / (t - 2))
    assert found.statistic == pytest.approx(want, rel=1e-10)
    assert found.estimate == pytest.approx(mean, rel=1e-10)
    p = {"less": stats.t.cdf(want, t - 2), "greater": stats.t.sf(want, t - 2)}
    assert found.p_value == pytest.approx(p.get(side, 2 * stats.t.sf(abs(want), t - 2)), rel=1e-9)
    assert "1 principal component of 60 days" in found.note


def test_days_that_some_events_miss(errors):
    errors[5, :3] = np.nan
    errors[70, 4] = np.nan
    errors[90, :7] = np.nan
    found = factor_covariance(errors, 2)
    products = pd.DataFrame(errors).pipe(lambda e: e.mul(e)).mean()
    np.testing.assert_allclose(np.diag(found), products, rtol=1e-12)
    one = np.ones((12, 1))
    slopes = crossfitted_slopes(errors, one, 2)[0]
    assert np.isnan(slopes[90])  # fewer than half
    assert not np.isnan(np.delete(slopes, 90)).any()
    omega = factor_covariance(errors[24:], 2)
    at = ~np.isnan(errors[5])
    want = sm.GLS(errors[5, at], one[at], sigma=omega[np.ix_(at, at)]).fit().params[0]
    assert slopes[5] == pytest.approx(want, rel=1e-10)


def test_number_of_components():
    assert [n_components(n) for n in (2, 8, 15, 16, 50, 79, 500)] == [1, 1, 1, 2, 6, 9, 10]


def test_where_it_does_not_apply(panel):
    def note(data):
        row = run_tests(data, ["gls_portfolio"]).iloc[0]
        assert not row["applicable"]
        return row["note"]

    assert "needs one common event date, the 6 events have 6" in note(
        panel(n=6, layout="distinct").test(0, 1)
    )
    assert "only 20 estimation days have a residual of half of the events" in note(
        panel(n=6, layout="common", width=20).test(0, 1)
    )
    twice = panel(n=6, layout="common").test(0, 1).take(np.array([0, 0]))
    assert "linear combinations of others" in note(twice)


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("n", [3, 20])
def test_size_and_power_under_one_shock(with_arrays, panel, n):
    """Unequal volatilities and a common shock: it holds its size, and finds more than equal weights do."""
    made = panel(n=n, layout="common", seed=1).abnormal
    sd, rng = np.linspace(0.01, 0.04, n), np.random.default_rng(2)
    loading = np.linspace(0.2, 0.8, n) * sd
    p = {"gls_portfolio": [], "portfolio": []}
    found = {key: [] for key in p}
    for _ in range(600):
        noise = loading * rng.standard_normal((66, 1)) + sd * rng.standard_normal((66, n))
        past = noise[:60] - noise[:60].mean(axis=0)
        s2 = (past**2).sum(axis=0) / 58
        for effect, kept in ((0.0, p), (0.01, found)):
            fresh = with_arrays(
                made, ar=(noise[60:] + effect).T, residuals=past.T, s2=s2,
                noise=np.repeat(s2[:, None], 6, axis=1),
            )  # fmt: skip
            data = type(panel(n=n, layout="common", seed=1).test(0, 0))(fresh, panel(n=n).test(0, 0).window)
            for key, values in kept.items():
                values.append(TESTS[key].run(data, Options()).p_value <= 0.05)
    assert np.mean(p["gls_portfolio"]) == pytest.approx(0.05, abs=0.03)
    assert np.mean(found["gls_portfolio"]) > np.mean(found["portfolio"]) + 0.05
