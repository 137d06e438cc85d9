"""Diagnostics against statsmodels and scipy, and in worlds where each of them should speak."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox, breaks_cusumolsresid

import eventstudy as es

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

ESTIMATION, WINDOW = (-250, -21), (-5, 3)


def diagnose(market, events, model=None, window=WINDOW):
    return es.EventStudy(market, events, model or es.MarketModel(), ESTIMATION, window).fit().diagnostics()


def test_equal_statsmodels(market, events):
    frame = diagnose(market, events)
    for i, security in enumerate(market.securities):
        y, m = market.returns[security].to_numpy()[50:280], market.bank.single[0][50:280]
        used = ~np.isnan(y)
        fit = sm.OLS(y[used], sm.add_constant(m[used])).fit()
        box = acorr_ljungbox(fit.resid, lags=[10]).iloc[0]
        squares = pd.Series(fit.resid**2)
        lags = pd.concat([squares.shift(k) for k in range(1, 6)], axis=1)
        arch = sm.OLS(squares[5:], sm.add_constant(lags[5:].to_numpy())).fit()
        expected = {
            "n_obs": used.sum(),
            "r_squared": fit.rsquared,
            "ljung_box": box["lb_stat"],
            "ljung_box_p": box["lb_pvalue"],
            "arch_lm": arch.nobs * arch.rsquared,
            "arch_lm_p": stats.chi2.sf(arch.nobs * arch.rsquared, 5),
            "jarque_bera_p": stats.jarque_bera(fit.resid).pvalue,
            "missing_returns": 1 - used.mean(),
            "cusum_p": breaks_cusumolsresid(fit.resid)[1],
        }
        half = used.sum() // 2
        halves = [
            sm.OLS(y[used][part], sm.add_constant(m[used][part])).fit().ssr
            for part in (slice(half), slice(half, None))
        ]
        dof = used.sum() - 4
        expected["chow"] = (fit.ssr - sum(halves)) / 2 / (sum(halves) / dof)
        expected["chow_p"] = stats.f.sf(expected["chow"], 2, dof)
        found = frame.iloc[i][list(expected)].astype(float)
        np.testing.assert_allclose(found, list(expected.values()), rtol=1e-8)


def test_pre_trend_is_the_car_before_day_0(market, events):
    results = es.EventStudy(market, events, es.MarketModel(), ESTIMATION, WINDOW).fit()
    cars = results.car(-5, -1)
    frame = results.diagnostics()
    np.testing.assert_array_equal(frame["pre_trend"], cars["car"])
    np.testing.assert_array_equal(frame["pre_trend_p"], cars["p_value"])
    assert diagnose(market, events, window=(0, 3))["pre_trend"].isna().all()


@pytest.fixture
def troubled():
    """Four securities: well behaved, with ARCH errors, with a beta that breaks, and thinly traded."""
    rng = np.random.default_rng(4)
    n = 330
    dates = pd.bdate_range("2018-01-01", periods=n)
    m = 0.01 * rng.standard_normal(n)
    noise = 0.01 * rng.standard_normal((n, 4))
    for t in range(1, n):
        noise[t, 1] = np.sqrt(2e-5 + 0.9 * noise[t - 1, 1] ** 2) * rng.standard_normal()
    returns = m[:, None] + noise
    returns[:165, 2] += 1.5 * m[:165]
    returns[::3, 3] = 0.0
    returns[1:-40:10, 3] = np.nan
    frame = pd.DataFrame(returns, dates, ["good", "arch", "break", "thin"])
    market = es.Market(frame, benchmark=pd.Series(m, dates, name="index"), gaps="single")
    return market, es.Events(pd.DataFrame({"security": frame.columns, "date": dates[300]}))


def test_each_diagnosis_speaks_where_it_should(troubled):
    market, events = troubled
    frame = diagnose(market, events).set_axis(market.securities)
    tests = ["ljung_box_p", "arch_lm_p", "jarque_bera_p", "chow_p", "cusum_p"]
    assert (frame.loc["good", tests] > 0.01).all()
    assert frame.loc["arch", ["arch_lm_p", "jarque_bera_p"]].max() < 1e-4
    assert frame.loc["break", "chow_p"] < 1e-4
    assert frame.loc["thin", "zero_returns"] == pytest.approx(1 / 3, abs=0.05)
    assert frame.loc["thin", "missing_returns"] == pytest.approx(0.1, abs=0.01)
    assert frame.loc["good", ["zero_returns", "missing_returns"]].max() == 0


def test_garch_residuals_have_no_arch_left(troubled):
    pytest.importorskip("arch")
    market, events = troubled
    frame = diagnose(market, events, es.GARCHMarketModel()).set_axis(market.securities)
    assert frame.loc["arch", "arch_lm_p"] > 0.01


@pytest.mark.parametrize(
    "model", [es.ConstantMean(), es.MarketAdjusted(), es.SyntheticPeers(), es.RollingMarketModel(60)]
)
def test_every_kind_of_model_can_be_diagnosed(market, model, make_market):
    events = es.Events(pd.DataFrame({"security": ["S0"], "date": [market.sessions[300]]}))
    frame = diagnose(make_market(missing=0.0), events, model)
    assert frame.drop(columns=["r_squared"]).notna().all(axis=None)
