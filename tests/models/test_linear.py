"""The least-squares models against statsmodels, on random panels with missing data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.abnormal import abnormal_returns, cumulate
from eventstudy.errors import ModelError
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel
from eventstudy.models.linear import ols_batch
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

TOLERANCE = 1e-10
WINDOW = Window(-2, 3)
TESTED = [Window(0, 0), Window(-1, 1), Window(-2, 3)]
SEEDS = range(6)


def draw(seed: int, n: int = 5, width: int = 60, missing: float = 0.15, p: int = 1) -> EventArrays:
    """Events with market-model returns, missing returns and missing benchmarks."""
    rng = np.random.default_rng(seed)
    length = width + len(WINDOW)
    x = 0.0005 + 0.01 * rng.standard_normal((n, length, p))
    y = 0.001 + (0.5 + rng.random((n, 1, p))) @ x.transpose(0, 2, 1)
    y = y[:, 0] + 0.02 * rng.standard_normal((n, length))
    y[rng.random((n, length)) < missing] = np.nan
    x[rng.random((n, length)) < missing / 5] = np.nan
    # One return of the event window stays, so that every tested window can be summed.
    y[:, width + 2], x[:, width + 2] = 0.01, -0.02
    days = np.arange(n * length).reshape(n, length).astype("datetime64[D]")
    span = (~np.isnan(y)).astype(np.int64)
    return EventArrays(
        y_est=y[:, :width],
        x_est=x[:, :width],
        y_evt=y[:, width:],
        x_evt=x[:, width:],
        span_evt=span[:, width:],
        dates_est=days[:, :width],
        dates_evt=days[:, width:],
    )


def known(arrays: EventArrays, row: int) -> np.ndarray:
    return ~np.isnan(arrays.y_est[row]) & ~np.isnan(arrays.x_est[row]).any(axis=1)


def with_constant(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(x)), x])


@pytest.mark.parametrize("p", [0, 1, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_batch_equals_statsmodels(seed, p):
    arrays = draw(seed, p=max(p, 1))
    arrays = replace(arrays, x_est=arrays.x_est[:, :, :p])
    batch = ols_batch(arrays.y_est, arrays.x_est)
    for row in range(len(arrays.y_est)):
        used = known(arrays, row)
        wanted = sm.OLS(arrays.y_est[row, used], with_constant(arrays.x_est[row, used])).fit()
        np.testing.assert_allclose(batch.params[row], wanted.params, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(batch.xtx_inv[row], wanted.normalized_cov_params, rtol=TOLERANCE)
        np.testing.assert_allclose(batch.residuals[row, used], wanted.resid, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(
            batch.leverage[row, used], wanted.get_influence().hat_matrix_diag, rtol=0, atol=TOLERANCE
        )
        assert np.isnan(batch.residuals[row, ~used]).all()
        assert np.isnan(batch.leverage[row, ~used]).all()
        assert batch.n_obs[row] == used.sum()
        assert batch.sse[row] == pytest.approx(wanted.ssr, rel=TOLERANCE)
        assert batch.r_squared[row] == pytest.approx(wanted.rsquared, abs=TOLERANCE)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_regressors_of_very_different_size(scale):
    arrays = draw(3, p=3, missing=0.0)
    x = arrays.x_est * [1.0, scale, 1.0] + [0.0, 100 * scale, 0.0]
    batch = ols_batch(arrays.y_est, x)
    plain = ols_batch(arrays.y_est, arrays.x_est)
    np.testing.assert_allclose(batch.params[:, 1:], plain.params[:, 1:] / [1.0, scale, 1.0], rtol=1e-8)
    np.testing.assert_allclose(batch.residuals, plain.residuals, rtol=0, atol=1e-12)


def test_collinear_regressors_are_missing_and_leave_the_others_alone():
    arrays = draw(4, p=2)
    spoiled = arrays.x_est.copy()
    spoiled[1, :, 1] = 2 * spoiled[1, :, 0] + 1
    spoiled[2, :, 0] = 0.01
    batch, clean = ols_batch(arrays.y_est, spoiled), ols_batch(arrays.y_est, arrays.x_est)
    for row in (1, 2):
        assert np.isnan(batch.params[row]).all()
        assert np.isnan(batch.sse[row])
    for row in (0, 3, 4):
        np.testing.assert_array_equal(batch.params[row], clean.params[row])


def test_an_event_without_estimation_returns_is_missing():
    arrays = draw(5)
    arrays.y_est[0] = np.nan
    batch = ols_batch(arrays.y_est, arrays.x_est)
    assert batch.n_obs[0] == 0
    assert np.isnan(batch.sse[0])
    assert np.isfinite(batch.sse[1:]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_prediction_error_is_that_of_statsmodels(seed):
    arrays = draw(seed)
    abnormal = abnormal_returns(arrays, MarketModel().fit(arrays), WINDOW)
    for row in range(len(arrays.y_est)):
        used = known(arrays, row)
        fit = sm.OLS(arrays.y_est[row, used], with_constant(arrays.x_est[row, used])).fit()
        days = ~np.isnan(abnormal.ar[row])
        assert (days == ~np.isnan(arrays.y_evt[row] + arrays.x_evt[row, :, 0])).all()
        predicted = fit.get_prediction(np.column_stack([np.ones(days.sum()), arrays.x_evt[row, days, 0]]))
        np.testing.assert_allclose(
            abnormal.expected[row, days], predicted.predicted_mean, rtol=0, atol=TOLERANCE
        )
        np.testing.assert_allclose(
            np.sqrt(abnormal.ar_variance[row, days]), predicted.se_obs, rtol=0, atol=TOLERANCE
        )
        assert np.isnan(abnormal.ar_variance[row, ~days]).all()
        assert abnormal.s2[row] == pytest.approx(fit.mse_resid, rel=TOLERANCE)
        assert abnormal.dof[row] == fit.df_resid


def dummy_regression(arrays: EventArrays, row: int, window: Window, regressors: bool):
    """CAR, s.e. and degrees of freedom of the sum of one dummy per day (docs/methods/abnormal_returns.md)."""
    cols = slice(window.start - WINDOW.start, window.end - WINDOW.start + 1)
    used = known(arrays, row) if regressors else ~np.isnan(arrays.y_est[row])
    y = np.concatenate([arrays.y_est[row, used], arrays.y_evt[row, cols]])
    x = np.concatenate([arrays.x_est[row, used, 0], arrays.x_evt[row, cols, 0]])
    dummies = np.vstack([np.zeros((used.sum(), len(window))), np.eye(len(window))])
    days = ~np.isnan(y) & (~np.isnan(x) if regressors else True)
    dummies = dummies[:, days[used.sum() :]]
    mean = with_constant(x) if regressors else np.ones((len(y), 1))
    design = np.column_stack([mean, dummies])[days]
    fit = sm.OLS(y[days], design).fit()
    pick = np.r_[np.zeros(mean.shape[1]), np.ones(dummies.shape[1])]
    test = fit.t_test(pick)
    return float(test.effect[0]), float(test.sd[0, 0]), fit.df_resid, dummies.shape[1]


@pytest.mark.parametrize("window", TESTED, ids=str)
@pytest.mark.parametrize("model", [MarketModel(), ConstantMean()], ids=lambda m: m.label)
@pytest.mark.parametrize("seed", SEEDS)
def test_car_equals_the_dummy_variable_regression(seed, model, window):
    arrays = draw(seed)
    regressors = bool(model.regressors)
    given = (
        arrays if regressors else replace(arrays, x_est=arrays.x_est[:, :, :0], x_evt=arrays.x_evt[:, :, :0])
    )
    sums = cumulate(abnormal_returns(given, model.fit(given), WINDOW), window)
    dof = model.fit(given).dof
    for row in range(len(arrays.y_est)):
        car, se, nu, days = dummy_regression(arrays, row, window, regressors)
        assert sums.car[row] == pytest.approx(car, abs=TOLERANCE)
        assert np.sqrt(sums.variance[row]) == pytest.approx(se, abs=TOLERANCE)
        assert sums.scar[row] == pytest.approx(car / se, abs=1e-8)
        assert dof[row] == nu
        assert sums.n_days[row] == days


@pytest.mark.parametrize("window", TESTED, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_closed_form_of_the_market_model(seed, window):
    """docs/methods/abnormal_returns.md, eq. (car-variance-market)."""
    arrays = draw(seed)
    fit = MarketModel().fit(arrays)
    sums = cumulate(abnormal_returns(arrays, fit, WINDOW), window)
    cols = slice(window.start - WINDOW.start, window.end - WINDOW.start + 1)
    for row in range(len(arrays.y_est)):
        market = arrays.x_est[row, known(arrays, row), 0]
        inside = arrays.x_evt[row, cols, 0][~np.isnan(arrays.y_evt[row, cols] + arrays.x_evt[row, cols, 0])]
        length, count = len(inside), len(market)
        spread = ((market - market.mean()) ** 2).sum()
        wanted = fit.s2[row] * (length + length**2 / count + (inside - market.mean()).sum() ** 2 / spread)
        assert sums.variance[row] == pytest.approx(wanted, rel=TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_constant_mean(seed):
    arrays = draw(seed)
    arrays = replace(arrays, x_est=arrays.x_est[:, :, :0], x_evt=arrays.x_evt[:, :, :0])
    fit = ConstantMean().fit(arrays)
    sums = cumulate(abnormal_returns(arrays, fit, WINDOW), WINDOW)
    for row, y in enumerate(arrays.y_est):
        past = y[~np.isnan(y)]
        days = np.count_nonzero(~np.isnan(arrays.y_evt[row]))
        assert fit.params[row, 0] == pytest.approx(past.mean(), abs=TOLERANCE)
        assert fit.s2[row] == pytest.approx(past.var(ddof=1), rel=TOLERANCE)
        assert fit.dof[row] == len(past) - 1
        assert sums.car[row] == pytest.approx(
            np.nansum(arrays.y_evt[row]) - days * past.mean(), abs=TOLERANCE
        )
        assert sums.variance[row] == pytest.approx(fit.s2[row] * (days + days**2 / len(past)), rel=TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_market_adjusted(seed):
    arrays = draw(seed)
    fit = MarketAdjusted().fit(arrays)
    sums = cumulate(abnormal_returns(arrays, fit, WINDOW), WINDOW)
    for row in range(len(arrays.y_est)):
        past = (arrays.y_est[row] - arrays.x_est[row, :, 0])[known(arrays, row)]
        event = arrays.y_evt[row] - arrays.x_evt[row, :, 0]
        event = event[~np.isnan(event)]
        assert fit.s2[row] == pytest.approx((past**2).mean(), rel=TOLERANCE)
        assert fit.dof[row] == fit.n_obs[row] == len(past)
        assert sums.car[row] == pytest.approx(event.sum(), abs=TOLERANCE)
        assert sums.variance[row] == pytest.approx(fit.s2[row] * len(event), rel=TOLERANCE)
    assert np.nanmax(fit.leverage) == 0


@pytest.mark.parametrize("model", [MarketModel(), ConstantMean(), MarketAdjusted()], ids=lambda m: m.label)
def test_a_return_over_several_sessions(model):
    """Three sessions have three constants, the benchmark given for them and three variances."""
    arrays = draw(1)
    arrays.span_evt[0, 2] = 3
    given = (
        arrays
        if model.regressors
        else replace(arrays, x_est=arrays.x_est[..., :0], x_evt=arrays.x_evt[..., :0])
    )
    fit = model.fit(given)
    normal = {
        "Market model (OLS)": lambda: 3 * fit.params[0, 0] + fit.params[0, 1] * -0.02,
        "Constant mean return": lambda: 3 * fit.params[0, 0],
        "Market adjusted": lambda: -0.02,
    }[model.label]()
    assert fit.expected[0, 2] == pytest.approx(normal, abs=1e-15)
    assert fit.noise[0, 2] == pytest.approx(3 * fit.s2[0], rel=1e-14)


@pytest.mark.parametrize("model", [MarketModel(), ConstantMean(), MarketAdjusted()], ids=lambda m: m.label)
def test_every_event_is_fitted_by_itself(model):
    arrays = draw(2, n=7)
    if not model.regressors:
        arrays = replace(arrays, x_est=arrays.x_est[:, :, :0], x_evt=arrays.x_evt[:, :, :0])
    together = model.fit(arrays)
    for row in (0, 3, 6):
        alone = model.fit(
            EventArrays(
                **{name: v[row : row + 1] for name, v in vars(arrays).items() if isinstance(v, np.ndarray)}
            )
        )
        for name in (
            "params",
            "param_cov",
            "s2",
            "n_obs",
            "dof",
            "residuals",
            "leverage",
            "expected",
            "noise",
        ):
            np.testing.assert_allclose(
                getattr(alone, name)[0], getattr(together, name)[row], rtol=1e-12, atol=1e-16, err_msg=name
            )


def test_regression_is_the_statsmodels_fit_of_the_same_data():
    arrays = draw(6)
    fit = MarketModel().fit(arrays)
    for row in range(len(arrays.y_est)):
        shown = MarketModel().regression(arrays, row)
        assert shown.params.index.tolist() == ["alpha", "beta"]
        np.testing.assert_allclose(shown.params, fit.params[row], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(shown.cov_params(), fit.param_cov[row], rtol=1e-9, atol=0)
        assert shown.nobs == fit.n_obs[row]
        assert (shown.model.data.row_labels.to_numpy() == arrays.dates_est[row, known(arrays, row)]).all()


def test_market_adjusted_is_no_regression():
    with pytest.raises(ModelError, match="Market adjusted is not a regression"):
        MarketAdjusted().regression(draw(0), 0)


@pytest.mark.parametrize(
    ("model", "names", "count"),
    [(MarketModel(), ("alpha", "beta"), 2), (ConstantMean(), ("mu",), 1), (MarketAdjusted(), (), 0)],
    ids=lambda v: getattr(v, "label", ""),
)
def test_what_a_model_says_of_itself(model, names, count):
    arrays = (
        draw(0)
        if model.regressors
        else replace(draw(0), x_est=draw(0).x_est[..., :0], x_evt=draw(0).x_evt[..., :0])
    )
    fit = model.fit(arrays)
    assert fit.param_names == names
    assert fit.params.shape == (5, count)
    assert model.n_params == count
    assert fit.exact
    assert model == type(model)()
    with pytest.raises(AttributeError):
        model.label = "other"


def test_a_missing_return_spans_nothing():
    arrays = draw(2)
    made = abnormal_returns(arrays, MarketModel().fit(arrays), WINDOW)
    missing = np.isnan(made.ar)
    assert missing.any()
    assert (made.span[missing] == 0).all()
    assert (made.span[~missing] == 1).all()


def test_a_first_return_that_lumps_earlier_sessions_leaves_its_event_alone_without_a_car():
    arrays = draw(2, missing=0.0)
    made = abnormal_returns(arrays, MarketModel().fit(arrays), WINDOW)
    ar, span = made.ar.copy(), made.span.copy()
    ar[1:3, 0], span[1:3, 0] = np.nan, 0
    span[1, 1], span[2, 1] = 3, 2  # of the two, only the former reaches before the window
    car = cumulate(replace(made, ar=ar, span=span), WINDOW).car
    assert np.isnan(car).tolist() == [False, True, False, False, False]


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.parametrize("given", [{"benchmark": 1, "smb": (0, 2)}, [("benchmark", 1), ("smb", [0, 2])]])
def test_lags_are_further_columns(market, events, given):
    model = es.MarketModel(lags=given)
    assert model.param_names == ("alpha", "beta", "benchmark[-1]", "smb", "smb[-2]")
    assert model == es.MarketModel(lags={"benchmark": (1,), "smb": (0, 2)})
    results = es.EventStudy(market, events, model, (-150, -11), (-2, 2)).fit()
    fitted = results.regression(0)
    np.testing.assert_allclose(
        fitted.params.to_numpy(), results.parameters.iloc[0, :5].to_numpy(float), rtol=1e-9
    )
    x = fitted.model.exog
    smb = market.factors["smb"].reindex(market.sessions).to_numpy()
    start = market.sessions.get_loc(results.timeline["day_0"].iloc[0]) - 150
    used = ~np.isnan(results.fitted.abnormal.past.residuals()[0])
    np.testing.assert_allclose(x[:, 3], smb[start : start + 140][used], rtol=1e-12)
    np.testing.assert_allclose(x[:, 4], smb[start - 2 : start + 138][used], rtol=1e-12)
