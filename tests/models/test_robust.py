"""Robust lines against statsmodels RLM and scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import ModelError
from eventstudy.models.least_squares import approximate_fit

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

ESTIMATION, WINDOW = (-250, -21), (-3, 3)


def estimation_rows(market, security):
    y, m = market.returns[security].to_numpy()[50:280], market.bank.single[0][50:280]
    return y[~np.isnan(y)], m[~np.isnan(y)]


def test_huber_equals_statsmodels(market, events):
    results = es.EventStudy(
        market, events, es.RobustMarketModel("huber"), ESTIMATION, WINDOW, incomplete="partial"
    ).fit()
    for i, security in enumerate(market.securities):
        y, m = estimation_rows(market, security)
        fit = sm.RLM(y, sm.add_constant(m), M=sm.robust.norms.HuberT()).fit(
            conv="coefs", tol=1e-13, maxiter=1000
        )
        np.testing.assert_allclose(results.parameters.iloc[i][["alpha", "beta"]], fit.params, rtol=1e-7)
        np.testing.assert_allclose(results.regression(i).params, fit.params, rtol=1e-7)
        # The variance is that of all residuals, not the down-weighted scale.
        e = y - fit.predict()
        np.testing.assert_allclose(results.parameters["sigma"].iloc[i] ** 2, e @ e / (len(y) - 2), rtol=1e-7)
        assert results.parameters["sigma"].iloc[i] > fit.scale


def test_theil_sen_equals_scipy(market, events):
    results = es.EventStudy(
        market, events, es.RobustMarketModel("theil-sen"), ESTIMATION, WINDOW, incomplete="partial"
    ).fit()
    for i, security in enumerate(market.securities):
        y, m = estimation_rows(market, security)
        slope = stats.theilslopes(y, m).slope
        assert results.parameters["beta"].iloc[i] == slope
        assert results.parameters["alpha"].iloc[i] == np.median(y - slope * m)
    with pytest.raises(ModelError, match="not a regression"):
        results.regression(0)


@pytest.mark.quick(every=2)
@pytest.mark.filterwarnings("ignore:Data in the windows of 1 of 6 events looks wrong")  # as it is meant to
@pytest.mark.parametrize("method", ["huber", "theil-sen"])
def test_outliers_do_not_move_the_line(market, events, method):
    """A tenth of the estimation returns put out of place moves least squares, and hardly the robust line."""
    returns = market.returns
    rows = market.sessions[60:80]
    returns.loc[rows, "S0"] += 30 * market.bank.single[0][60:80] - 0.2
    spoilt = es.Market(returns, benchmark=pd_series(market), gaps="single")

    def move(model):
        pairs = [
            es.EventStudy(m, events, model, ESTIMATION, WINDOW, incomplete="partial").fit().parameters
            for m in (market, spoilt)
        ]
        return np.abs(pairs[1].loc[0, "beta"] - pairs[0].loc[0, "beta"])

    assert move(es.MarketModel()) > 1.0
    assert move(es.RobustMarketModel(method)) < 0.35


def pd_series(market):
    import pandas as pd

    return pd.Series(market.bank.single[0], market.sessions, name="index")


def test_standard_error_says_that_it_is_approximate(market, events):
    fit = (
        es.EventStudy(market, events, es.RobustMarketModel(), ESTIMATION, WINDOW, incomplete="partial")
        .fit()
        .fitted.fit
    )
    assert not fit.exact
    assert "approximation" in fit.se_source


def test_unknown_method():
    with pytest.raises(ModelError, match="huber, theil-sen"):
        es.RobustMarketModel("lad")


@pytest.mark.parametrize("method", ["huber", "theil-sen"])
def test_a_benchmark_that_stands_still_has_no_line(market, events, method):
    sample = es.EventStudy(market, events, None, ESTIMATION, WINDOW, incomplete="partial").fit().sample
    arrays = es.MarketModel().arrays(sample)
    x, y = arrays.x_est.copy(), arrays.y_est.copy()
    x[0] = 0.001
    y[1, 2:] = np.nan  # the line through two days has no error
    fit = es.RobustMarketModel(method).fit(replace(arrays, x_est=x, y_est=y))
    assert np.isnan(fit.params[[0, 2]]).all(axis=1).tolist() == [True, False]
    assert np.isnan(fit.s2).tolist() == [True, True, False, False, False, False]


def test_a_line_of_which_a_parameter_is_unknown_has_no_variance(market, events):
    sample = es.EventStudy(market, events, None, ESTIMATION, WINDOW, incomplete="partial").fit().sample
    arrays = es.MarketModel().arrays(sample)
    params = np.array([[0.0, 1.0], [np.nan, 1.0], [0.0, np.nan], *[[0.001, 0.9]] * 3])
    made = approximate_fit(arrays, params, "none")
    assert np.isnan(made.s2).tolist() == [False, True, True, False, False, False]
