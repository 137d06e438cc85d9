"""Scholes-Williams, Dimson and Fowler-Rorke against their definitions, event by event."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import ModelError, WindowError
from eventstudy.models.thin_trading import autocorrelation, fowler_rorke_weights

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

ESTIMATION, WINDOW = (-250, -21), (-3, 3)


def slope(y, x):
    return np.cov(y, x)[0, 1] / np.var(x, ddof=1)


def fitted(market, events, model, estimation=ESTIMATION):
    return es.EventStudy(market, events, model, estimation, WINDOW, incomplete="partial").fit()


def check_approximate_error(results, i, y, m, y1, m1):
    """Residual variance, leverage and standard error of a line that least squares did not draw."""
    row = results.parameters.iloc[i]
    e = (y - row["alpha"] - row["beta"] * m)[~np.isnan(y)]
    np.testing.assert_allclose(row["sigma"] ** 2, (e**2).sum() / (len(e) - 2), rtol=1e-10)
    x = sm.add_constant(m[~np.isnan(y)])
    shown = ~np.isnan(y1)
    total = np.array([shown.sum(), m1[shown].sum()])
    variance = row["sigma"] ** 2 * (shown.sum() + total @ np.linalg.inv(x.T @ x) @ total)
    car = results.car(*WINDOW).iloc[i]
    np.testing.assert_allclose(car["se"], np.sqrt(variance), rtol=1e-10)
    np.testing.assert_allclose(car["car"], np.nansum(y1 - row["alpha"] - row["beta"] * m1), rtol=1e-9)
    assert not results.fitted.fit.exact
    assert "approximation" in results.fitted.fit.se_source


def test_scholes_williams_equals_its_definition(market, events):
    results = fitted(market, events, es.ScholesWilliams())
    for i, security in enumerate(market.securities):
        y, m = market.returns[security].to_numpy(), market.bank.single[0]
        days = np.array([t for t in range(51, 279) if not np.isnan(y[t])])
        window = m[50:280] - m[50:280].mean()
        rho = (window[1:] * window[:-1]).sum() / (window**2).sum()
        beta = sum(slope(y[days], m[days + k]) for k in (-1, 0, 1)) / (1 + 2 * rho)
        alpha = (y[days] - beta * m[days]).mean()
        np.testing.assert_allclose(results.parameters.iloc[i][["alpha", "beta"]], [alpha, beta], rtol=1e-10)
        check_approximate_error(results, i, y[50:280], m[50:280], y[297:304], m[297:304])


@pytest.mark.quick("0-1-none", "3-0-none", every=3)
@pytest.mark.parametrize("weights", ["none", "fowler-rorke"])
@pytest.mark.parametrize(("lags", "leads"), [(1, 1), (2, 2), (2, 1), (0, 1), (3, 0)])
def test_dimson_equals_its_definition(market, events, lags, leads, weights):
    results = fitted(market, events, es.Dimson(lags, leads, weights))
    reach = max(lags, leads)
    for i, security in enumerate(market.securities):
        y, m = market.returns[security].to_numpy(), market.bank.single[0]
        days = np.array([t for t in range(50, 280) if not np.isnan(y[t])])
        shifts = list(range(-lags, leads + 1))
        fit = sm.OLS(y[days], sm.add_constant(np.column_stack([m[days + k] for k in shifts]))).fit()
        betas = dict(zip(shifts, fit.params[1:], strict=True))
        rho = [1.0, *sm.tsa.acf(m[50:280], nlags=reach)[1:]]
        if weights == "none":
            w = [1.0] * (reach + 1)
        elif reach == 1:
            w = [1.0, (1 + rho[1]) / (1 + 2 * rho[1])]
        elif reach == 2:
            below = 1 + 2 * rho[1] + 2 * rho[2]
            w = [1.0, (1 + 2 * rho[1] + rho[2]) / below, (1 + rho[1] + rho[2]) / below]
        else:
            below = 1 + 2 * sum(rho[1:])
            w = [sum(rho[abs(k - j)] for j in range(-3, 4) if abs(k - j) <= 3) / below for k in range(4)]
        beta = sum(w[abs(k)] * b for k, b in betas.items())
        alpha = (y[days] - beta * m[days]).mean()
        np.testing.assert_allclose(results.parameters.iloc[i][["alpha", "beta"]], [alpha, beta], rtol=1e-9)
        np.testing.assert_allclose(sorted(results.regression(i).params), sorted(fit.params), rtol=1e-9)
        check_approximate_error(results, i, y[50:280], m[50:280], y[297:304], m[297:304])


def test_weighted_betas_are_scholes_williams_where_autocorrelation_ends():
    """Simple betas over 1 + 2 sum(rho) are the weighted multiple betas.

    docs/methods/adjusted_market_models.md, eqs. (scholes-williams) and (fowler-rorke).
    """
    weights = fowler_rorke_weights(np.array([[0.2]]))[0]
    before, same, after = 0.15, 0.7, 0.1
    simple = [before + 0.2 * same, same + 0.2 * (before + after), after + 0.2 * same]
    assert sum(simple) / 1.4 == pytest.approx(same + weights[1] * (before + after), rel=1e-14)
    rho = {0: 1.0, 1: 0.2, 2: 0.1}
    betas = {-2: 0.05, -1: 0.15, 0: 0.7, 1: 0.1, 2: 0.04}
    total = sum(betas[j] * rho.get(abs(k - j), 0.0) for k in betas for j in betas)
    weights = fowler_rorke_weights(np.array([[0.2, 0.1]]))[0]
    assert total / 1.6 == pytest.approx(sum(weights[abs(k)] * b for k, b in betas.items()), rel=1e-14)


def test_scholes_williams_and_fowler_rorke_agree_on_long_samples():
    """The identity holds for estimates too, up to sampling error of the second autocorrelation."""
    rng = np.random.default_rng(3)
    shocks = rng.standard_normal(200_001)
    m = shocks[1:] + 0.3 * shocks[:-1]
    y = np.convolve(m, [0.4, 0.6])[: len(m)] + rng.standard_normal(len(m))
    weights = fowler_rorke_weights(autocorrelation(m[None], 1)[:, None])[0]
    x = np.column_stack([m[:-2], m[1:-1], m[2:]])
    multiple = sm.OLS(y[1:-1], sm.add_constant(x)).fit().params[1:]
    simple = [slope(y[1:-1], column) for column in x.T]
    weighted = multiple[1] + weights[1] * (multiple[0] + multiple[2])
    assert weighted == pytest.approx(sum(simple) / (1 + 2 * autocorrelation(m[None], 1)[0]), abs=0.01)
    rho = 0.3 / 1.09
    assert weighted == pytest.approx(0.4 + 0.6 * (1 + rho) / (1 + 2 * rho), abs=0.01)


def test_autocorrelation_is_that_of_statsmodels():
    m = np.random.default_rng(0).standard_normal((3, 100))
    expected = [sm.tsa.acf(row, nlags=2)[2] for row in m]
    np.testing.assert_allclose(autocorrelation(m, 2), expected, rtol=1e-12)


def test_leads_may_not_touch_the_event(market, events):
    fitted(market, events, es.Dimson(1, 2), (-250, -6))
    with pytest.raises(WindowError, match=r"With leads=2, .* end the estimation by -6"):
        fitted(market, events, es.Dimson(1, 2), (-250, -5))


@pytest.mark.parametrize("arguments", [(0, 0), (-1, 1), (1, 1, "ols")])
def test_impossible_dimson(arguments):
    with pytest.raises(ModelError, match=r"lag or a lead|weights must be"):
        es.Dimson(*arguments)
