"""Factor models and trade-to-trade returns against statsmodels, one regression at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import ModelError

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

TOLERANCE = {"rtol": 1e-10, "atol": 1e-12}
ESTIMATION, WINDOW = (-250, -21), (-3, 3)
MODELS = [
    (es.CAPM(), ["index"], True),
    (es.FactorModel(["benchmark", "smb"], excess=False), ["index", "smb"], False),
    (es.FactorModel(["SMB", "Hml"]), ["smb", "hml"], True),
    (es.FamaFrench3(), ["mkt_rf", "smb", "hml"], True),
    (es.Carhart4(), ["mkt_rf", "smb", "hml", "umd"], True),
    (es.FamaFrench5(), ["mkt_rf", "smb", "hml", "rmw", "cma"], True),
]


def prediction(market, security, columns, excess):
    """Statsmodels' fit on the estimation window and its prediction of the event window, by hand."""
    x = market.factors.copy()
    x["index"] = market.bank.single[0] - (x["rf"] if excess else 0.0)
    y = market.returns[security] - (x["rf"] if excess else 0.0)
    x = sm.add_constant(x[columns])
    estimation, window = slice(50, 280), slice(297, 304)
    known = y.iloc[estimation].notna()
    fit = sm.OLS(y.iloc[estimation][known], x.iloc[estimation][known]).fit()
    shown = y.iloc[window].notna()
    return fit, y.iloc[window][shown], x.iloc[window][shown]


@pytest.mark.quick("Carhart four factors-columns4-True", every=3)
@pytest.mark.parametrize(("model", "columns", "excess"), MODELS, ids=lambda v: getattr(v, "label", None))
def test_equal_statsmodels(market, events, model, columns, excess):
    results = es.EventStudy(market, events, model, ESTIMATION, WINDOW, incomplete="partial").fit()
    parameters, cars = results.parameters, results.car(*WINDOW)
    for i, security in enumerate(market.securities):
        fit, y, x = prediction(market, security, columns, excess)
        np.testing.assert_allclose(parameters.iloc[i, : x.shape[1]], fit.params, **TOLERANCE)
        np.testing.assert_allclose(parameters["sigma"].iloc[i] ** 2, fit.mse_resid, **TOLERANCE)
        np.testing.assert_allclose(parameters["r_squared"].iloc[i], fit.rsquared, **TOLERANCE)
        abnormal = results.fitted.abnormal
        hat = fit.get_influence().hat_matrix_diag
        np.testing.assert_allclose(
            abnormal.past.leverage()[i][~np.isnan(abnormal.past.leverage()[i])], hat, **TOLERANCE
        )
        forecast = fit.get_prediction(x)
        np.testing.assert_allclose(
            results.abnormal_returns.iloc[i].dropna(), y - forecast.predicted_mean, **TOLERANCE
        )
        np.testing.assert_allclose(
            np.sqrt(abnormal.ar_variance[i][~np.isnan(abnormal.ar[i])]), forecast.se_obs, **TOLERANCE
        )
        total = x.sum().to_numpy()
        variance = len(y) * fit.mse_resid + total @ fit.cov_params().to_numpy() @ total
        np.testing.assert_allclose(cars["se"].iloc[i], np.sqrt(variance), **TOLERANCE)
        np.testing.assert_allclose(results.regression(i).params, fit.params, **TOLERANCE)


def test_all_events_in_one_batch(market, events, monkeypatch):
    """One call solves all events with missing days, two make the regressors of all days orthonormal."""
    calls = []
    inverse = np.linalg.inv
    monkeypatch.setattr(np.linalg, "inv", lambda a: calls.append(a.shape) or inverse(a))
    es.EventStudy(market, events, es.FamaFrench5(), ESTIMATION, WINDOW, incomplete="partial").fit()
    assert calls == [(1, 5, 5)] * 2 + [(6, 6, 6)]


def test_lacking_columns_are_named(make_market, events):
    full = make_market()
    small = es.Market(full.returns[full.securities], factors=full.factors[["mkt_rf", "smb"]], gaps="single")
    with pytest.raises(
        ModelError, match=r"FamaFrench3 needs columns mkt_rf, smb, hml and rf; market has mkt_rf, smb\."
    ):
        es.EventStudy(small, events, es.FamaFrench3())
    with pytest.raises(ModelError, match=r"needs a benchmark"):
        es.EventStudy(small, events, es.CAPM())
    bare = es.Market(full.returns, benchmark=full.returns["S0"].rename("b"), gaps="single")
    with pytest.raises(ModelError, match="CAPM needs column rf; market has no factors"):
        es.EventStudy(bare, events, es.CAPM())


@pytest.mark.parametrize("factors", ["smb", [], ["smb", "smb"]])
def test_factor_lists_that_cannot_be(factors):
    with pytest.raises(ModelError, match="factors"):
        es.FactorModel(factors)


def test_factor_names_in_the_style_of_french(market, events):
    styled = market.factors.rename(columns={"mkt_rf": "Mkt-RF", "rf": "RF", "umd": "Mom   ", "smb": "SMB"})
    other = es.Market(market.returns, factors=styled, gaps="single")
    for model in (es.Carhart4(), es.FamaFrench5()):
        expected = es.EventStudy(market, events, model).fit().abnormal_returns
        pd.testing.assert_frame_equal(es.EventStudy(other, events, model).fit().abnormal_returns, expected)


def test_a_benchmark_named_as_a_factor_is_not_taken_for_it(market, events):
    clash = es.Market(
        market.returns, benchmark=market.returns["S1"].rename("SMB"), factors=market.factors, gaps="single"
    )
    expected = es.EventStudy(market, events, es.FamaFrench3()).fit().abnormal_returns
    found = es.EventStudy(clash, events, es.FamaFrench3()).fit().abnormal_returns
    pd.testing.assert_frame_equal(found, expected)


def test_hac_covariance_is_in_the_regression_only(market, events):
    plain = es.EventStudy(market, events, es.MarketModel(), ESTIMATION, WINDOW, incomplete="partial").fit()
    robust = es.EventStudy(
        market, events, es.MarketModel(hac_lags=5), ESTIMATION, WINDOW, incomplete="partial"
    ).fit()
    pd.testing.assert_frame_equal(plain.car(*WINDOW), robust.car(*WINDOW))
    ols = plain.regression(0)
    again = sm.OLS(ols.model.endog, ols.model.exog).fit(cov_type="HAC", cov_kwds={"maxlags": 5}, use_t=True)
    np.testing.assert_allclose(robust.regression(0).bse, again.bse, **TOLERANCE)
    assert list(robust.regression(0).params.index) == ["alpha", "beta"]
    assert not np.allclose(ols.bse, again.bse)
    with pytest.raises(ModelError, match="hac_lags"):
        es.MarketModel(hac_lags=-1)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(
    ("model", "columns", "excess"),
    [
        (es.MarketModel(missing="trade_to_trade"), ["index"], False),
        (es.ConstantMean(missing="trade_to_trade"), [], False),
        (es.FamaFrench3(missing="trade_to_trade"), ["mkt_rf", "smb", "hml"], True),
    ],
    ids=lambda v: getattr(v, "label", None),
)
def test_trade_to_trade_equals_least_squares_of_divided_rows(make_market, events, model, columns, excess):
    market = make_market(missing=0.2, gaps="lumped")
    results = es.EventStudy(market, events, model, ESTIMATION, WINDOW, incomplete="partial").fit()
    known = pd.DataFrame(market.bank.single.T, market.sessions, market.bank.names)
    growth = np.log1p(known).cumsum()
    for i, security in enumerate(market.securities):
        y, d = market.returns[security].iloc[50:280], market.spans[security].iloc[50:280]
        y, d = y[y.notna()], d[y.notna()]
        assert d.max() > 2
        rows = market.sessions.get_indexer(y.index)
        compounded = np.expm1(growth.to_numpy()[rows] - growth.to_numpy()[rows - d])
        lumped = pd.DataFrame(compounded, y.index, known.columns)
        y = y - lumped["rf"] if excess else y
        x = lumped[columns].assign(constant=d)[["constant", *columns]]
        root = np.sqrt(d.to_numpy(float))
        fit = sm.OLS(y / root, x.div(root, axis=0)).fit()
        parameters = results.parameters.iloc[i]
        np.testing.assert_allclose(parameters.iloc[: x.shape[1]], fit.params, rtol=1e-9)
        np.testing.assert_allclose(parameters["sigma"] ** 2, fit.mse_resid, rtol=1e-9)
        assert parameters["n_obs"] == len(y)
        residuals = results.fitted.abnormal.past.residuals()[i]
        np.testing.assert_allclose(residuals[~np.isnan(residuals)], fit.resid, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(results.fitted.fit.param_cov[i], fit.cov_params(), rtol=1e-8)
        np.testing.assert_allclose(results.regression(i).bse, fit.bse, rtol=1e-8)
    assert "trade-to-trade" in results.fitted.fit.se_source


def test_trade_to_trade_is_dropping_where_nothing_is_missing(make_market, events):
    market = make_market(missing=0.0)
    frames = [
        es.EventStudy(market, events, es.MarketModel(missing=how)).fit().car(*WINDOW)
        for how in ("drop", "trade_to_trade")
    ]
    pd.testing.assert_frame_equal(*frames, rtol=1e-12)


def test_unknown_way_with_missing_returns():
    with pytest.raises(ModelError, match="missing must be one of drop, trade_to_trade"):
        es.MarketModel(missing="zero")
