"""Weighted and rolling market models against matrices written out and loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import ModelError, NoUsableEventsError

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

ESTIMATION, WINDOW = (-250, -21), (-3, 3)


def laid_out(market, security):
    y = market.returns[security].to_numpy()
    x = np.column_stack([np.ones(len(y)), market.bank.single[0]])
    return y[50:280], x[50:280], y[297:304], x[297:304]


def test_weights_equal_the_sandwich_written_out(market, events):
    results = es.EventStudy(
        market, events, es.EWMarketModel(half_life=40), ESTIMATION, WINDOW, incomplete="partial"
    ).fit()
    for i, security in enumerate(market.securities):
        y, x, y1, x1 = laid_out(market, security)
        weights = 0.5 ** (np.arange(229, -1, -1) / 40)
        used = ~np.isnan(y)
        y, x, weights = y[used], x[used], weights[used]
        big = np.diag(weights)
        bread = np.linalg.inv(x.T @ big @ x)
        theta = bread @ x.T @ big @ y
        cov = bread @ x.T @ big @ big @ x @ bread
        maker = np.eye(len(y)) - x @ bread @ x.T @ big
        e = maker @ y
        s2 = (weights * e**2).sum() / np.trace(big @ maker @ maker.T)
        row = results.parameters.iloc[i]
        np.testing.assert_allclose(row[["alpha", "beta"]], theta, rtol=1e-10)
        np.testing.assert_allclose(row["sigma"] ** 2, s2, rtol=1e-10)
        np.testing.assert_allclose(row["dof"], weights.sum() ** 2 / (weights**2).sum() - 2, rtol=1e-10)
        shown = ~np.isnan(y1)
        total = x1[shown].sum(axis=0)
        variance = s2 * (shown.sum() + total @ cov @ total)
        np.testing.assert_allclose(results.car(*WINDOW)["se"].iloc[i], np.sqrt(variance), rtol=1e-10)
        hat = results.fitted.abnormal.past.leverage()[i]
        np.testing.assert_allclose(1 - hat[~np.isnan(hat)], np.diag(maker @ maker.T), rtol=1e-10)
        np.testing.assert_allclose(results.regression(i).params, theta, rtol=1e-10)


def test_a_long_half_life_is_least_squares(market, events):
    plain = (
        es.EventStudy(market, events, es.MarketModel(), ESTIMATION, WINDOW, incomplete="partial")
        .fit()
        .car(*WINDOW)
    )
    slow = (
        es.EventStudy(market, events, es.EWMarketModel(1e9), ESTIMATION, WINDOW, incomplete="partial")
        .fit()
        .car(*WINDOW)
    )
    pd.testing.assert_frame_equal(plain, slow, rtol=1e-6)


def test_a_half_life_too_short_to_estimate_from_excludes(market, events):
    with pytest.raises(NoUsableEventsError):
        es.EventStudy(market, events, es.EWMarketModel(0.3), ESTIMATION, WINDOW, incomplete="partial").fit()


def test_rolling_errors_equal_a_loop(market, events):
    results = es.EventStudy(
        market, events, es.RollingMarketModel(60), ESTIMATION, WINDOW, incomplete="partial"
    ).fit()
    for i, security in enumerate(market.securities):
        y, x, y1, x1 = laid_out(market, security)
        errors = np.full(len(y), np.nan)
        for t in range(60, len(y)):
            past = slice(t - 60, t)
            used = ~np.isnan(y[past])
            fit = sm.OLS(y[past][used], x[past][used]).fit()
            spread = np.sqrt(1 + x[t] @ fit.normalized_cov_params @ x[t])
            errors[t] = (y[t] - fit.predict(x[t])[0]) / spread
        np.testing.assert_allclose(results.fitted.abnormal.past.residuals()[i], errors, rtol=1e-8, atol=1e-12)
        used = ~np.isnan(y[-60:])
        last = sm.OLS(y[-60:][used], x[-60:][used]).fit()
        row = results.parameters.iloc[i]
        np.testing.assert_allclose(row[["alpha", "beta"]], last.params, rtol=1e-10)
        np.testing.assert_allclose(row["sigma"] ** 2, np.nanmean(errors**2), rtol=1e-8)
        assert row["n_obs"] == row["dof"] == (~np.isnan(errors)).sum()
        shown = ~np.isnan(y1)
        total = x1[shown].sum(axis=0)
        variance = row["sigma"] ** 2 * (shown.sum() + total @ last.normalized_cov_params @ total)
        np.testing.assert_allclose(results.car(*WINDOW)["se"].iloc[i], np.sqrt(variance), rtol=1e-8)


def test_rolling_needs_a_longer_estimation_window(market, events):
    with pytest.raises(ModelError, match="needs an estimation window of more than 120 sessions"):
        es.EventStudy(
            market, events, es.RollingMarketModel(120), (-140, -21), WINDOW, incomplete="partial"
        ).fit()


@pytest.mark.parametrize("make", [lambda: es.EWMarketModel(0), lambda: es.RollingMarketModel(5)])
def test_impossible_lengths(make):
    with pytest.raises(ModelError, match=r"half_life|window"):
        make()
