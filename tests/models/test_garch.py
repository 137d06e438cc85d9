"""The GARCH market model against arch on the same series."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.errors import (
    ExcludedEventsWarning,
    MissingExtraError,
    ModelError,
    NoUsableEventsError,
    SuspectDataWarning,
)
from eventstudy.models.garch import STARTS, GARCHMarketModel

pytest.importorskip("arch")
KINDS = ["garch", "gjr", "egarch"]


@pytest.fixture(scope="module")
def world():
    """One market with GARCH errors and a few missing days; events on its session 600."""
    rng = np.random.default_rng(8)
    dates = pd.bdate_range("2015-01-01", periods=640)
    m = 0.01 * rng.standard_normal(640)
    columns = {}
    for name in ("A", "B"):
        h, e = 4e-4, np.empty(640)
        for t in range(640):
            e[t] = np.sqrt(h) * rng.standard_normal()
            h = 2e-5 + (0.06 + 0.1 * (e[t] < 0)) * e[t] ** 2 + 0.84 * h
        columns[name] = 0.0005 + 1.2 * m + e
    frame = pd.DataFrame(columns, dates)
    frame.iloc[[100, 101, 350, 585], 0] = np.nan
    market = es.Market(frame, benchmark=pd.Series(m, dates, name="index"), gaps="single")
    events = es.Events(pd.DataFrame({"security": ["A", "B"], "date": dates[600]}))
    return market, events


def arch_fit(market, security, rows, kind, last=None):
    from arch.univariate import EGARCH, GARCH, LS

    y, m = market.returns[security].to_numpy()[rows], market.bank.single[0][rows]
    used = ~np.isnan(y)
    volatility = {"garch": GARCH(1, 0, 1), "gjr": GARCH(1, 1, 1), "egarch": EGARCH(1, 1, 1)}[kind]
    model = LS(100 * y[used], 100 * m[used][:, None], volatility=volatility, rescale=False)
    n = None if last is None else int((~np.isnan(y[:last])).sum())
    return model.fit(disp="off", last_obs=n)


def car_error(model_fit, forecasts, m, m1):
    """Standard error of the CAR of all days, from arch's forecasts of h and the line's error."""
    h = (model_fit.conditional_volatility / 100) ** 2
    h = h[~np.isnan(h)]
    x = np.column_stack([np.ones(len(h)), m])
    total = np.array([len(m1), m1.sum()])
    return np.sqrt(forecasts.sum() + total @ np.linalg.inv(x.T @ (x / h[:, None])) @ total)


@pytest.mark.quick("gjr", "egarch")
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_and_forecasts_equal_arch(world, kind):
    """Estimation up to the event window: the variances are arch's forecasts from its last day."""
    market, events = world
    results = es.EventStudy(market, events, GARCHMarketModel(kind), (-500, -3), (-2, 2)).fit()
    for i, security in enumerate(["A", "B"]):
        fit = arch_fit(market, security, slice(100, 598), kind)
        row = results.parameters.iloc[i]
        expected = fit.params.to_numpy()
        np.testing.assert_allclose(row["alpha"], expected[0] / 100, rtol=1e-10)
        np.testing.assert_allclose(row[["beta", "a", "b"]], expected[[1, 3, -1]], rtol=1e-10)
        if kind != "garch":
            np.testing.assert_allclose(row["g"], expected[4], rtol=1e-10)
        m1 = market.bank.single[0][598:603]
        exog = (100 * m1)[:, None]
        if kind == "egarch":
            seen = fit.forecast(
                horizon=5,
                x=exog.T,
                method="simulation",
                simulations=400_000,
                random_state=np.random.RandomState(0),
            )
            tolerance = 5e-3
        else:
            seen, tolerance = fit.forecast(horizon=5, x=exog.T), 1e-10
        h = seen.residual_variance.to_numpy()[-1] / 1e4
        np.testing.assert_allclose(results.fitted.abnormal.noise[i], h, rtol=tolerance)
        assert results.fitted.abnormal.noise[i][0] == pytest.approx(h[0], rel=1e-10)
        y = market.returns[security].to_numpy()[100:598]
        m = market.bank.single[0][100:598][~np.isnan(y)]
        se = car_error(fit, results.fitted.abnormal.noise[i], m, m1)
        np.testing.assert_allclose(results.car(-2, 2)["se"].iloc[i], se, rtol=1e-10)
        residuals = results.fitted.abnormal.past.residuals()[i]
        shown = row["sigma"] * fit.std_resid
        np.testing.assert_allclose(residuals[~np.isnan(residuals)], shown, rtol=1e-9)


@pytest.mark.parametrize("kind", ["garch", "gjr"])
def test_the_recursion_runs_on_over_the_gap(world, kind):
    """With a gap, parameters stay those of the estimation window and h is filtered up to the event window."""
    market, events = world
    results = es.EventStudy(market, events, GARCHMarketModel(kind), (-500, -41), (-2, 2)).fit()
    for i, security in enumerate(["A", "B"]):
        fit = arch_fit(market, security, slice(100, 598), kind, last=460)
        m1 = 100 * market.bank.single[0][598:603]
        y = market.returns[security].to_numpy()[100:598]
        start = int((~np.isnan(y)).sum()) - 1
        seen = fit.forecast(horizon=5, start=start, x=m1[None, None, :])
        h = seen.residual_variance.to_numpy()[-1] / 1e4
        np.testing.assert_allclose(results.fitted.abnormal.noise[i], h, rtol=1e-8)


def test_egarch_closed_form_equals_simulation():
    """E[h] of the log-variance recursion, simulated step by step."""
    rng = np.random.default_rng(0)
    model, variance = GARCHMarketModel("egarch"), np.array([-0.4, 0.25, -0.1, 0.94])
    log_h = np.full(400_000, np.log(5e-4))
    forecast = model._forecast(variance, 5e-4, 8)
    for s in range(8):
        assert np.exp(log_h).mean() == pytest.approx(forecast[s], rel=5e-3)
        z = rng.standard_normal(len(log_h))
        log_h = (
            variance[0]
            + variance[1] * (np.abs(z) - np.sqrt(2 / np.pi))
            + variance[2] * z
            + variance[3] * log_h
        )


def test_the_event_window_does_not_enter(world):
    """A shock inside the event window leaves every forecast variance as it was."""
    market, events = world
    returns = market.returns
    returns.iloc[598:603] += 0.3
    shocked = es.Market(
        returns, benchmark=pd.Series(market.bank.single[0], market.sessions, name="index"), gaps="single"
    )
    plain = es.EventStudy(market, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()
    with pytest.warns(SuspectDataWarning, match="split"):
        moved = es.EventStudy(shocked, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()
    pd.testing.assert_series_equal(plain.car(-2, 2)["se"], moved.car(-2, 2)["se"])


def test_a_return_over_several_sessions_has_their_variances(world):
    market, events = world
    benchmark = pd.Series(market.bank.single[0], market.sessions, name="index")
    returns = market.returns
    traded = es.Market(returns.copy(), benchmark=benchmark, gaps="lumped")
    returns.iloc[601, 0] = np.nan
    halted = es.Market(returns, benchmark=benchmark, gaps="lumped")
    kwargs = {"model": GARCHMarketModel(), "estimation": (-490, -30), "window": (-2, 2)}
    noise = es.EventStudy(halted, events, **kwargs).fit().fitted.abnormal.noise[0]
    daily = es.EventStudy(traded, events, **kwargs).fit().fitted.abnormal.noise[0]
    assert np.isnan(noise[3])
    np.testing.assert_allclose(noise[4], daily[3] + daily[4], rtol=1e-10)


def test_sessions_of_a_halt_before_the_window_have_the_variance_of_its_first(world, tmp_path):
    """A return over four sessions, three of them before the window: four times the first day's variance."""
    pytest.importorskip("pyarrow")
    market, _ = world
    index = pd.Series(market.bank.single[0], market.sessions, name="index")
    returns = market.returns
    returns.iloc[595:598, 1] = np.nan
    long = returns.rename_axis("date").melt(var_name="permno", value_name="ret", ignore_index=False)
    long.dropna().reset_index().to_parquet(tmp_path / "panel")
    panel = es.Market.scan_parquet(tmp_path / "panel", benchmark=index)
    event = {"security": "B", "date": market.sessions[600]}
    done = es.stream_study(
        panel, event, tmp_path / "out", model=GARCHMarketModel(), estimation=(-500, -6), window=(-2, 2)
    )
    row = done.read("abnormal_returns").query("day == -2").iloc[0]
    assert row["span"] == 4
    fit = arch_fit(market, "B", slice(100, 595), "garch")
    ahead = fit.forecast(horizon=1, x=np.zeros((1, 1, 1))).residual_variance.to_numpy()[-1, 0] / 1e4
    past = (fit.conditional_volatility / 100) ** 2
    x = np.column_stack([np.ones(495), index[100:595]])
    # The constant of four sessions, and the market's return over them.
    total = np.array([4.0, np.prod(1 + index[595:599]) - 1])
    line = total @ np.linalg.inv(x.T @ (x / past[:, None])) @ total
    assert row["se"] == pytest.approx(np.sqrt(4 * ahead + line), rel=1e-8)


def test_no_convergence_excludes_and_says_so(world, monkeypatch):
    market, events = world
    real = GARCHMarketModel._estimate

    def stuck(self, arrays, row, start=None):
        found = real(self, arrays, row, start)
        if row == 0:
            found._optim_output.status = 9
        return found

    monkeypatch.setattr(GARCHMarketModel, "_estimate", stuck)
    with pytest.warns(ExcludedEventsWarning):
        results = es.EventStudy(market, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()
    assert "did not converge" in results.excluded.loc[0, "reason"]
    assert list(results.car().index) == [1]


@pytest.mark.quick("egarch")
@pytest.mark.parametrize("kind", KINDS)
def test_the_optimiser_starts_again_where_it_led_nowhere(world, monkeypatch, kind):
    """From any of the starts it reaches the parameters that it reaches from its own."""
    market, events = world
    real, plain = GARCHMarketModel._estimate, GARCHMarketModel(kind)
    wanted = es.EventStudy(market, events, plain, (-500, -3), (-2, 2)).fit()
    for good in STARTS:

        def stuck(self, arrays, row, start=None, good=good):
            found = real(self, arrays, row, start)
            if start != good:
                found._optim_output.status = 9
            return found

        monkeypatch.setattr(GARCHMarketModel, "_estimate", stuck)
        results = es.EventStudy(market, events, plain, (-500, -3), (-2, 2)).fit()
        np.testing.assert_allclose(results.car(-2, 2)["se"], wanted.car(-2, 2)["se"], rtol=0.02)


def test_a_likelihood_below_that_of_a_constant_variance_is_no_maximum(world, monkeypatch):
    market, events = world
    garch = importlib.import_module("eventstudy.models.garch")
    constant = garch._constant_likelihood
    rng = np.random.default_rng(0)
    e = rng.standard_normal(200)
    assert constant((e**2).mean(), 200) == pytest.approx(
        stats.norm.logpdf(e, 0, np.sqrt((e**2).mean())).sum()
    )
    monkeypatch.setattr(garch, "_constant_likelihood", lambda *of: constant(*of) + 1e4)
    with pytest.raises(NoUsableEventsError, match="stopped below that of a constant variance"):
        es.EventStudy(market, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()


@pytest.mark.parametrize(
    "absurd_variance",
    [
        pytest.param((8.3, 19.1, 33.5, 0.98), id="it overflows"),
        pytest.param((-2000.0, 0.1, 0.0, 0.5), id="it falls to zero"),
    ],
)
def test_a_maximum_at_absurd_parameters_excludes_its_event(world, monkeypatch, absurd_variance):
    """Parameters at which the optimiser really stopped, with no flag raised."""
    market, events = world
    proper, calls = GARCHMarketModel._decimals, []

    def absurd(self, percent):
        calls.append(percent)
        out = proper(self, percent)
        return np.r_[out[:2], absurd_variance] if len(calls) <= 1 + len(STARTS) else out

    monkeypatch.setattr(GARCHMarketModel, "_decimals", absurd)
    with pytest.warns(ExcludedEventsWarning):
        results = es.EventStudy(market, events, GARCHMarketModel("egarch"), (-500, -3), (-2, 2)).fit()
    assert "variance forecast is not finite" in results.excluded.loc[0, "reason"]
    assert list(results.car().index) == [1]


def test_missing_package_names_the_extra(world, monkeypatch):
    market, events = world

    def absent(name):
        raise ImportError(name)

    extras = importlib.import_module("eventstudy.optional")
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"abnormal-returns\[garch\]"):
        es.EventStudy(market, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()


def test_unknown_kind():
    with pytest.raises(ModelError, match="garch, gjr, egarch"):
        GARCHMarketModel("aparch")


def test_standard_error_is_said_to_be_a_forecast(world):
    market, events = world
    results = es.EventStudy(market, events, GARCHMarketModel(), (-500, -3), (-2, 2)).fit()
    assert "forecast" in results.fitted.fit.se_source
    assert not results.fitted.fit.exact
    assert results.regression(0).params.index[0] == "Const"


def test_the_days_between_the_windows_are_part_of_what_is_fitted(world):
    market, events = world
    sample = es.EventStudy(market, events, None, (-250, -21), (-1, 1)).fit().sample
    plain = es.MarketModel().arrays(sample)
    with pytest.raises(ModelError, match=r"fits the arrays that its own `arrays\(sample\)` lays out"):
        GARCHMarketModel().fit(plain)
