"""Two-limit Tobit against direct maximisation, statsmodels, and worlds in which limits cut returns short."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import eventstudy as es
from eventstudy.errors import ExcludedEventsWarning, ModelError, NoUsableEventsError
from eventstudy.market.limit_rules import limit_prices
from eventstudy.sample import EventSample
from eventstudy.windows import Window

SESSIONS, TICK = 300, 0.01
ESTIMATION, WINDOW = (-220, -11), (-2, 2)
DAY0 = 270
ALPHA, BETA, SIGMA = 5e-4, 1.2, 0.02
BOTH = [es.TobitMarketModel(), es.TobitMarketModel(after_limit="keep")]


def simulate(n, *, limit=0.04, carry=False, missing=0.0, seed=1):
    """Market of n securities whose estimation days are limited, and one event each on a day that is not.

    What a limit cuts off is lost, or with `carry` moves the price on the days after.
    """
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2015-01-01", periods=SESSIONS)
    m = 3e-4 + 0.012 * rng.standard_normal(SESSIONS)
    true = ALPHA + BETA * m[:, None] + SIGMA * rng.standard_normal((SESSIONS, n))
    share = np.full((SESSIONS, n), limit)
    share[DAY0 - 5 :] = np.nan
    gone = rng.random(true.shape) < missing
    gone[DAY0 - 5 :] = gone[0] = False
    true[gone] = 0.0
    closes = np.empty((SESSIONS, n))
    closes[0] = fair = np.full(n, 5000.0)
    for t in range(1, SESSIONS):
        fair = (fair if carry else closes[t - 1]) * (1 + true[t])
        down, up = limit_prices(closes[t - 1], share[t], TICK)
        closes[t] = np.round(np.fmin(np.fmax(fair, down), up), 2)
        fair = fair if carry else closes[t]
    frame = pd.DataFrame(closes, dates, [f"S{i}" for i in range(n)])
    frame = frame.mask(gone)
    index = pd.Series(1000 * np.cumprod(np.r_[1.0, 1 + m[1:]]), dates, name="index")
    limits = pd.DataFrame(share, dates, frame.columns)
    market = es.Market.from_prices(frame, benchmark=index, price_limit=limits, tick=TICK)
    return market, es.Events(pd.DataFrame({"security": frame.columns, "date": dates[DAY0]})), true


def fit(market, events, model):
    return es.EventStudy(market, events, model, ESTIMATION, WINDOW).fit()


def estimation_days(market, security, model):
    """Returns, benchmark and side of the limit of the days that the model uses, straight from the prices."""
    close = market.prices()[security]
    days = slice(DAY0 + ESTIMATION[0], DAY0 + ESTIMATION[1] + 1)
    y = close.pct_change(fill_method=None)
    down, up = limit_prices(close.ffill().shift().to_numpy(), 0.04, TICK)
    side = pd.Series(np.where(close == up, 1, np.where(close == down, -1, 0)), close.index)
    if model.after_limit == "drop":
        y = y.where(side.shift(fill_value=0) == 0)
    used = y.iloc[days].notna()
    m = pd.Series(market.bank.single[0], close.index)
    return tuple(each.iloc[days][used].to_numpy() for each in (y, m, side))


def log_likelihood(params, y, m, side):
    alpha, beta, sigma = params
    z = (y - alpha - beta * m) / sigma
    free = stats.norm.logpdf(z) - np.log(sigma)
    return np.where(side == 0, free, np.where(side > 0, stats.norm.logsf(z), stats.norm.logcdf(z)))


@pytest.fixture(scope="module")
def world():
    return simulate(6, missing=0.03)[:2]


@pytest.mark.quick("keep")
@pytest.mark.parametrize("model", BOTH, ids=lambda model: model.after_limit)
def test_parameters_and_error_equal_direct_maximisation(world, model):
    """Derivative-free climbing of the likelihood as written in the docstring; its numerical curvature."""
    from statsmodels.tools.numdiff import approx_hess3

    results = fit(*world, model)
    for i, security in enumerate(world[0].securities):
        y, m, side = estimation_days(world[0], security, model)
        assert (side > 0).sum() > 2
        assert (side < 0).sum() > 2

        def loss(scaled, data=(y, m, side)):
            return -log_likelihood((scaled[0] / 1000, scaled[1], scaled[2] / 100), *data).sum()

        options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 20_000, "maxfev": 20_000}
        found = optimize.minimize(loss, [0.0, 1.0, 1.5], method="Nelder-Mead", options=options)
        row, scale = results.parameters.iloc[i], len(y) / (len(y) - 2)
        np.testing.assert_allclose(row["alpha"], found.x[0] / 1000, atol=1e-8)
        np.testing.assert_allclose(row["beta"], found.x[1], rtol=1e-6)
        np.testing.assert_allclose(row["sigma"], found.x[2] / 100 * np.sqrt(scale), rtol=1e-6)
        assert (row["n_obs"], row["dof"]) == (len(y), len(y) - 2)
        cov = np.linalg.inv(approx_hess3(found.x, loss))[:2, :2] * np.outer([1e-3, 1], [1e-3, 1]) * scale
        m1 = world[0].bank.single[0][DAY0 - 2 : DAY0 + 3]
        total = np.array([5.0, m1.sum()])
        se = np.sqrt(5 * row["sigma"] ** 2 + total @ cov @ total)
        np.testing.assert_allclose(results.car(*WINDOW)["se"].iloc[i], se, rtol=1e-5)


def test_parameters_equal_statsmodels(world):
    from statsmodels.base.model import GenericLikelihoodModel

    class Tobit(GenericLikelihoodModel):
        side = np.empty(0)

        def loglikeobs(self, params):
            return log_likelihood((*params[:2], np.exp(params[2])), self.endog, self.exog[:, 1], self.side)

    model = es.TobitMarketModel(after_limit="keep")
    results = fit(*world, model)
    for i, security in enumerate(world[0].securities[:2]):
        y, m, side = estimation_days(world[0], security, model)
        design = np.column_stack([np.ones(len(y)), 100 * m])
        tobit = Tobit(100 * y, design, extra_params_names=["log_sigma"])
        tobit.side = side
        start = np.array([0.0, 1.0, np.log(2.0)])
        found = tobit.fit(start, method="bfgs", maxiter=500, gtol=1e-4, disp=False, skip_hessian=True)
        wanted = found.params[:2] / [100, 1]
        np.testing.assert_allclose(
            results.parameters.iloc[i][["alpha", "beta"]], wanted, rtol=5e-4, atol=1e-6
        )


def test_without_a_close_at_a_limit_it_is_the_market_model():
    market, events, _ = simulate(4, limit=0.5, missing=0.03)
    tobit, plain = (fit(market, events, model) for model in (es.TobitMarketModel(), es.MarketModel()))
    pd.testing.assert_frame_equal(tobit.parameters, plain.parameters, rtol=1e-12)
    pd.testing.assert_frame_equal(tobit.car(0, 1), plain.car(0, 1), rtol=1e-12)


def test_a_limit_up_is_a_limit_down_of_the_mirrored_return(world):
    """Signs turned round, so is the line, and the standard errors stay."""
    market, events = world
    model = es.TobitMarketModel()
    arrays = model.arrays(EventSample.of(market, events, Window(*ESTIMATION), Window(*WINDOW)))
    values = {each.name: getattr(arrays, each.name) for each in fields(arrays)}
    turned = {name: -values[name] for name in ("y_est", "x_est", "y_evt", "x_evt", "side_est", "before_est")}
    there, back = model.fit(arrays), model.fit(type(arrays)(**values | turned))
    np.testing.assert_allclose(back.params, there.params * [-1, 1], rtol=1e-9)
    np.testing.assert_allclose(back.s2, there.s2, rtol=1e-9)


def test_parts_of_the_events_are_fitted_like_the_whole(world):
    model = es.TobitMarketModel()
    sample = EventSample.of(*world, Window(*ESTIMATION), Window(*WINDOW))
    whole = model.fit(model.arrays(sample))
    for i in range(len(sample)):
        part = model.fit(model.arrays(sample, slice(i, i + 1)))
        for name in ("params", "param_cov", "s2", "residuals", "expected", "noise"):
            np.testing.assert_allclose(getattr(part, name)[0], getattr(whole, name)[i], rtol=1e-9)


def test_closes_at_a_limit_are_those_of_the_limit_book(world):
    market, events = world
    arrays = es.TobitMarketModel().arrays(
        EventSample.of(market, events, Window(*ESTIMATION), Window(*WINDOW))
    )
    closed, first = market.limits.closed.to_numpy(), DAY0 + ESTIMATION[0]
    np.testing.assert_array_equal(arrays.side_est, closed[first : first + 210].T)
    np.testing.assert_array_equal(arrays.before_est, closed[first - 1 : first + 209].T)
    assert set(np.unique(arrays.side_est)) == {-1, 0, 1}


def test_an_estimation_window_that_begins_with_the_data():
    market, events, _ = simulate(3)
    results = es.EventStudy(market, events, es.TobitMarketModel(), (-DAY0 - 10, -11), WINDOW).fit()
    assert (results.parameters["n_obs"] > 150).all()


def test_the_source_of_the_error_is_said_and_ranks_are_recommended(world):
    results = fit(*world, es.TobitMarketModel())
    assert "censored" in results.se_source
    assert not results.fitted.fit.exact
    assert "patell" not in set(results.recommended(0, 1)["test"])
    with pytest.raises(ModelError, match="not a regression"):
        results.regression(0)


def test_what_it_needs(world):
    market, events = world
    bare = es.Market(
        market.returns, benchmark=pd.Series(market.bank.single[0], market.sessions, name="index")
    )
    with pytest.raises(ModelError, match=r"TobitMarketModel needs prices.*Market\.from_prices"):
        fit(bare, events, es.TobitMarketModel())
    with pytest.raises(ModelError, match="after_limit must be one of drop, keep"):
        es.TobitMarketModel(after_limit="lumped")
    with pytest.raises(ModelError, match="its own `arrays"):
        es.TobitMarketModel().fit(
            es.MarketModel().arrays(EventSample.of(market, events, Window(*ESTIMATION), Window(*WINDOW)))
        )


def test_closes_that_are_all_at_limits_leave_nothing_to_estimate():
    """A share that moves by its limit every day, up or down, has no free close."""
    market, events, _ = simulate(2)
    prices = market.prices()
    path, rng = [5000.0], np.random.default_rng(3)
    for up in rng.random(SESSIONS - 1) < 0.5:
        path.append(float(limit_prices(path[-1], 0.04, TICK)[int(up)]))
    prices["S0"] = path
    index = pd.Series(
        1000 * np.cumprod(1 + np.nan_to_num(market.bank.single[0])), market.sessions, name="index"
    )
    jumpy = es.Market.from_prices(prices, benchmark=index, price_limit=0.04, tick=TICK)
    with pytest.warns((ExcludedEventsWarning, es.errors.PriceLimitWarning)):
        results = fit(jumpy, events, es.TobitMarketModel(after_limit="keep"))
    assert "free of a price limit, too few for a Tobit model" in results.excluded.loc[0, "reason"]
    with pytest.raises(NoUsableEventsError, match="usable estimation returns"):
        fit(jumpy, es.Events({"security": ["S0"], "date": [market.sessions[DAY0]]}), es.TobitMarketModel())


@pytest.mark.parametrize(("free", "fitted"), [(2, False), (3, True)])
def test_three_free_closes_are_enough(free, fitted):
    market, events, _ = simulate(2)
    model = es.TobitMarketModel(after_limit="keep")
    arrays = model.arrays(EventSample.of(market, events, Window(*ESTIMATION), Window(*WINDOW)))
    x = arrays.x_est[0, :, 0]
    at = np.linspace(5, len(x) - 5, free).astype(int)
    # The other closes are at limits on either side, so the likelihood has a maximum.
    arrays.side_est[0] = np.where(np.arange(len(x)) % 2 == 0, 1, -1)
    arrays.side_est[0, at] = 0
    arrays.y_est[0] = 0.04 * arrays.side_est[0]
    arrays.y_est[0, at] = 0.5 * x[at] + np.resize([0.01, -0.02, 0.015], free)
    found = model.fit(arrays)
    assert bool(np.isfinite(found.params[0]).all()) == fitted
    assert ("too few for a Tobit model" in found.failure[0]) == (not fitted)


def test_a_likelihood_without_a_maximum_excludes_its_event():
    """Free closes that lie on one line leave no error to estimate, though closes at a limit lie off it."""
    market, events, _ = simulate(2)
    model = es.TobitMarketModel(after_limit="keep")
    arrays = model.arrays(EventSample.of(market, events, Window(*ESTIMATION), Window(*WINDOW)))
    x = arrays.x_est[0, :, 0]
    arrays.side_est[0] = np.where(np.arange(len(x)) % 7 == 0, 1, 0)
    arrays.y_est[0] = 0.001 + 1.5 * x - np.where(arrays.side_est[0] == 1, 0.01, 0.0)
    found = model.fit(arrays)
    assert "no maximum" in found.failure[0]
    assert found.failure[1] == ""
    assert np.isnan(found.params[0]).all()


def in_simulation_errors(errors):
    """Mean of independent errors in units of its own standard error."""
    return errors.mean() / (errors.std() / np.sqrt(len(errors)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("carry", "model", "line_is_found", "scale_is_found"),
    [
        pytest.param(False, es.TobitMarketModel(after_limit="keep"), True, True, id="lost, kept"),
        pytest.param(False, es.TobitMarketModel(), True, True, id="lost, dropped"),
        pytest.param(True, es.TobitMarketModel(), True, True, id="carried, dropped"),
        pytest.param(True, es.TobitMarketModel(after_limit="keep"), True, False, id="carried, kept"),
        pytest.param(False, es.MarketModel(), False, False, id="lost, least squares"),
        pytest.param(True, es.MarketModel(), False, False, id="carried, least squares"),
    ],
)
def test_in_a_world_of_limits(carry, model, line_is_found, scale_is_found):
    """A tenth of the closes at a limit: Tobit finds the line and the scale, and its 95% interval covers.

    The event window is free of limits and of an effect. Least squares is biased; so is the scale of the
    textbook model where what was cut off comes back the day after.
    """
    n = 3000
    results = fit(*simulate(n, carry=carry, seed=7)[:2], model)
    cars, found = results.car(0, 1), results.parameters
    assert len(found) == n
    line = in_simulation_errors(found["beta"] - BETA)
    scale = in_simulation_errors(found["sigma"] ** 2 - SIGMA**2)
    assert abs(line) < 3.5 if line_is_found else abs(line) > 10
    assert abs(scale) < 3.5 if scale_is_found else abs(scale) > 10
    if scale_is_found:
        covered = ((cars["ci_low"] <= 0) & (cars["ci_high"] >= 0)).mean()
        assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / n))
