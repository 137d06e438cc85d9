"""Tests that fit one event again, GARCH and power: against the reference, loops and closed forms."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import HeldEventWindows, HeldWindows
from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.engine.refit import regression_of
from eventstudy.inference.garch import fit_garch, variance_path
from eventstudy.inference.power_and_detectable_effect import minimum_detectable_effect, power_normal, power_t
from eventstudy.inference.refitted import conformal, residual_bootstrap
from eventstudy.text import minus
from eventstudy.windows import Window

REFIT = ["conformal", "garch_t", "bootstrap_t"]


class Scripted:
    def __init__(self, values):
        self.values = values

    def integers(self, *args, size=None):
        assert size == self.values.shape
        return self.values


def market_of(made, event=0):
    e = made.events[event]
    return made.market[e["cal_est"]], made.market[e["cal_evt"]]


def whole_sample(made, days):
    """Returns (but for a line) and regressors of the estimation days used and of `days` of the window."""
    fit, (past, event) = made.abnormal, market_of(made)
    used = ~np.isnan(fit.past.residuals()[0])
    y = np.concatenate([fit.past.residuals()[0, used], fit.ar[0, days]])
    x = np.concatenate([past[used], event[days]])
    return y, np.column_stack([np.ones(len(x)), x])


@pytest.mark.parametrize("window", [(0, 0), (-1, 1), (-2, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_conformal_equals_the_reference(window, seed, panel, oracle):
    made = panel(n=1, seed=seed, effect=0.02)
    days = made.days(*window)
    y, x = whole_sample(made, days)
    want = oracle.conformal_full(y, x, list(range(60, 60 + len(days))))
    row = run_tests(made.test(*window), ["conformal"]).iloc[0]
    assert row["p_value"] == pytest.approx(want["p"], abs=1e-12)
    assert f"rank among {want['df']} circular blocks" in row["note"]


def test_conformal_with_missing_days_equals_the_reference(panel, oracle):
    made = panel(n=1, seed=3, missing=0.15, effect=0.02)
    days = [d for d in made.days(-2, 3) if not np.isnan(made.abnormal.ar[0, d])]
    assert 0 < len(days) < 6
    y, x = whole_sample(made, days)
    want = oracle.conformal_full(y, x, list(range(len(y) - len(days), len(y))))
    row = run_tests(made.test(-2, 3), ["conformal"]).iloc[0]
    assert row["p_value"] == pytest.approx(want["p"], abs=1e-12)


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_conformal_interval_holds_what_is_not_rejected(length, level, panel, oracle):
    made = panel(n=1, seed=5, effect=0.02)
    days = made.days(0, length - 1)
    y, x = whole_sample(made, days)
    found = conformal(y[:60], y[60:], x[:60], x[60:], level=level)
    assert found.low < found.high

    def p(car):
        shifted = np.concatenate([y[:60], y[60:] - car / length])
        return oracle.conformal_full(shifted, x, list(range(60, 60 + length)))["p"]

    for bound, inward in ((found.low, 1), (found.high, -1)):
        assert p(bound + inward * 1e-7) > 1 - level + 1e-12
        assert p(bound - inward * 1e-7) <= 1 - level + 1e-12
    row = run_tests(made.test(0, length - 1), ["conformal"]).iloc[0]
    if level == 0.95:
        assert minus(f"95% interval {found.low:.2%} to {found.high:.2%}") in row["note"]


@pytest.mark.parametrize(("level", "left"), [(0.9, 6), (0.95, 3), (0.8, 12)])
def test_conformal_interval_uses_all_of_its_level(level, left, oracle):
    """Sixty days in all: a CAR beyond `left` of 60 ranks has p = `left`/60, and is rejected at that level."""
    rng = np.random.default_rng(2)
    y, x = rng.standard_normal(60), np.ones((60, 1))
    found = conformal(y[:59], y[59:], x[:59], x[59:], level=level)

    def p(car):
        return oracle.conformal_full(np.append(y[:59], y[59] - car), x, [59])["p"]

    for bound, inward in ((found.low, 1), (found.high, -1)):
        assert p(bound - inward * 1e-7) == pytest.approx(left / 60)
        assert p(bound + inward * 1e-7) > left / 60 + 1e-9


def test_conformal_interval_is_unbounded_with_too_few_days():
    rng = np.random.default_rng(0)
    e = rng.standard_normal(15)
    found = conformal(e, np.array([9.0]), np.ones((15, 1)), np.ones((1, 1)))
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.p_value == 1 / 16


def test_conformal_of_a_model_that_estimates_nothing_ranks_the_raw_residuals(panel, with_arrays):
    made = panel(n=1, model="madj", seed=4, effect=0.02)
    # The fixture carries an unused column of zeros where the model has no parameter.
    fit = with_arrays(
        made.abnormal,
        design=np.empty((1, 6, 0)),
        param_cov=np.empty((1, 0, 0)),
        leverage=np.zeros((1, 60)),
        estimation_design=None,
    )
    row = run_tests(TestInput(fit, Window(0, 0)), ["conformal"]).iloc[0]
    want = (1 + (np.abs(fit.past.residuals()[0]) >= abs(fit.ar[0, 2])).sum()) / 61
    assert row["p_value"] == pytest.approx(want, abs=1e-12)


def test_conformal_says_when_the_estimation_window_is_short(panel):
    row = run_tests(panel(n=1, seed=5).test(-2, 3), ["conformal"]).iloc[0]
    assert "would not bring p below 0.091: too few estimation days" in row["note"]
    assert "too few" not in run_tests(panel(n=1, seed=5).test(0, 0), ["conformal"]).iloc[0]["note"]


def test_lumped_return_is_not_exchangeable(panel):
    made = panel(n=1, seed=5).abnormal
    span = made.span.copy()
    span[0, 2] = 3
    rows = run_tests(TestInput(replace(made, span=span), Window(0, 0)), ["conformal", "bootstrap_t"])
    assert list(rows["applicable"]) == [False, True]
    assert "spans several sessions" in rows["note"].iloc[0]


def test_other_models_cannot_be_fitted_again(panel, with_arrays):
    made = panel(n=1, seed=5).abnormal
    for other, words in (
        (with_arrays(made, leverage=np.zeros_like(made.past.leverage())), "not a least-squares line"),
        (with_arrays(made, estimation_design=made.past.design()[:, :, :1]), "not a least-squares line"),
        (with_arrays(made, estimation_design=None), "regressors of its estimation window are not known"),
    ):
        rows = run_tests(TestInput(other, Window(0, 0)), REFIT)
        assert not rows["applicable"].any()
        assert rows["note"].str.contains(words).all()
        assert words in regression_of(other)


def test_residual_bootstrap_equals_the_reference(panel, oracle):
    made = panel(n=1, seed=7, effect=0.03)
    y, x = whole_sample(made, made.days(0, 0))
    want = oracle.bootstrap_interval(y[:60], x[:60], y[60], x[60], np.random.default_rng(3), B=250)
    rng = np.random.default_rng(3)
    index = np.array([np.append(rng.integers(0, 60, 60), rng.integers(0, 60)) for _ in range(250)])
    fit = made.abnormal
    variance = made.test(0, 0).cumulative.variance[0]
    draws = residual_bootstrap(
        fit.past.residuals()[0],
        fit.past.leverage()[0],
        x[:60],
        x[60],
        variance / fit.s2[0],
        1,
        250,
        Scripted(index[:, :, None]),
    )
    t = y[60] / math.sqrt(variance)
    assert resampled_p_value(t, draws, "two-sided") == pytest.approx(want["p"], abs=1e-12)
    low, high = np.quantile(draws, [0.025, 0.975])
    se = math.sqrt(variance)
    assert (y[60] - high * se, y[60] - low * se) == pytest.approx(want["ci"], abs=1e-12)


def test_residual_bootstrap_of_normal_returns_is_the_t(panel):
    for seed in range(3):
        made = panel(n=1, seed=seed, width=250)
        rows = run_tests(made.test(0, 1), ["t", "bootstrap_t"], Options(n_resamples=9999, seed=1))
        assert rows["statistic"].iloc[1] == rows["statistic"].iloc[0]
        assert rows["p_value"].iloc[1] == pytest.approx(rows["p_value"].iloc[0], abs=0.06)


def test_bootstrap_interval_and_p_value_agree(panel):
    for effect in (0.0, 0.03, 0.1):
        made = panel(n=1, seed=2, effect=effect)
        data = made.test(0, 0)
        row = run_tests(data, ["bootstrap_t"], Options(seed=3)).iloc[0]
        again = run_tests(data, ["bootstrap_t"], Options(seed=3)).iloc[0]
        assert row.equals(again)
        low, high = (
            float(part.rstrip("%"))
            for part in row["note"].replace("−", "-").split("interval ")[1].split(";")[0].split(" to ")
        )
        # Equal tails and symmetric p-values may part only near 5%.
        if not 0.03 < row["p_value"] < 0.08:
            assert (low <= 0 <= high) == (row["p_value"] > 0.05)


def garch_returns(rng, n, x, burn=300):
    e = np.empty(n + burn)
    h = 1.0
    for t in range(n + burn):
        e[t] = math.sqrt(h) * rng.standard_normal()
        h = 0.05 + 0.15 * e[t] ** 2 + 0.8 * h
    return 0.001 + 1.1 * x + 0.02 * e[burn:]


def test_garch_equals_the_reference(oracle):
    """Two optimisers, and two starts of the recursion: near, not equal."""
    rng = np.random.default_rng(5)
    m = 0.01 * rng.standard_normal(801)
    r = garch_returns(rng, 801, m)
    x = np.column_stack([np.ones(801), m])
    want = oracle.garch_fit(r[:800], x[:800])
    line = oracle.ols(r[:800], x[:800])
    s = math.sqrt(line["s2"])
    found = fit_garch(line["resid"] / s, x[:800])
    assert line["b"] + s * found.params == pytest.approx(want["b"], rel=0.02, abs=1e-4)
    assert (found.a, found.b) == pytest.approx((want["alpha"], want["beta"]), abs=0.03)
    # From one set of parameters and one last variance, forecasts are equal.
    following = found.omega + found.a * found.errors[-1] ** 2 + found.b * found.h[-1]
    same = want | {"omega": found.omega, "alpha": found.a, "beta": found.b, "h_next": following}
    ahead = variance_path(found, 0, np.empty(0), 3)
    assert ahead == pytest.approx(oracle.garch_forecast(same, 3), rel=1e-12)


def test_variance_path_by_hand():
    line = fit_garch(np.random.default_rng(0).standard_normal(300), np.ones((300, 1)))
    line = replace(line, omega=0.1, a=0.2, b=0.7, errors=np.array([2.0]), h=np.array([1.5]))
    first = 0.1 + 0.2 * 4 + 0.7 * 1.5
    after_gap = 0.1 + 0.9 * first
    path = variance_path(line, 1, np.array([1.0, np.nan]), 2)
    second = 0.1 + 0.2 * 1.0 + 0.7 * after_gap
    third = 0.1 + 0.9 * second
    assert path == pytest.approx([after_gap, second, third, 0.1 + 0.9 * third], rel=1e-12)


@pytest.mark.parametrize("between", [0, 1, 4])
def test_garch_forecasts_from_the_last_estimation_day(between):
    """The variance of each tested day is arch's own recursion, stepped over the sessions in between."""
    from arch.univariate import GARCH, LS

    rng = np.random.default_rng(4)
    days = pd.bdate_range("2018-01-01", periods=500)
    index, e, h = 0.01 * rng.standard_normal(500), np.empty(500), 1.0
    for t in range(500):
        e[t] = math.sqrt(h) * rng.standard_normal()
        h = 0.3 + 0.3 * e[t] ** 2 + 0.4 * h
    index[450:452] = 0.08  # far out, where the error of the line counts
    last = 447 - between
    e[last] = 6.0  # the variance falls from day to day after it
    returns = 0.0005 + 0.9 * index + 0.02 * e
    market = es.Market(pd.DataFrame({"S": returns, "index": index}, days), benchmark="index")
    study = es.EventStudy(
        market, [{"security": "S", "date": days[450]}], estimation=(-400, -3 - between), window=(-2, 2)
    )
    row = study.fit().test(0, 1, tests=["garch_t"]).iloc[0]

    y, x = 100 * returns[50 : last + 1], np.column_stack([np.ones(last - 49), index[50 : last + 1]])
    fit = LS(y, x, constant=False, volatility=GARCH(1, 0, 1), rescale=False).fit(disp="off")
    b, (omega, alpha, beta) = fit.params.to_numpy()[:2], fit.params.to_numpy()[2:]
    past = fit.conditional_volatility**2
    h = omega + alpha * fit.resid[-1] ** 2 + beta * past[-1]
    for _ in range(between):
        h = omega + (alpha + beta) * h
    z = np.column_stack([np.ones(5), index[448:453]])
    errors = 100 * returns[448:453] - z @ b
    for error in errors[:2]:  # known before the tested days
        h = omega + alpha * error**2 + beta * h
    noise = h + omega + (alpha + beta) * h
    total = z[2:4].sum(axis=0)
    line = total @ np.linalg.inv(x.T @ (x / past[:, None])) @ total
    # Two searches for one maximum: near, and far nearer than a forecast of another day.
    assert row["statistic"] == pytest.approx(errors[2:4].sum() / math.sqrt(noise + line), rel=2e-3)


def test_garch_row(panel):
    made = panel(n=1, seed=6, width=250, effect=0.01)
    row = run_tests(made.test(0, 1), ["garch_t"]).iloc[0]
    assert row["applicable"], row["note"]
    assert row["estimate"] == pytest.approx(made.test(0, 1).car[0], rel=1e-12)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(row["statistic"])), rel=1e-12)
    assert "by rank among standardised residuals p = " in row["note"]


def test_garch_needs_its_extra(panel, monkeypatch):
    monkeypatch.setitem(sys.modules, "arch.univariate", None)
    row = run_tests(panel(n=1, seed=6).test(0, 1), ["garch_t"]).iloc[0]
    assert not row["applicable"]
    assert "[garch]" in row["note"]


@pytest.mark.parametrize("dof", [3, 28, 248])
def test_power_equals_the_reference(dof, oracle):
    for effect in (0.0, 0.01, 0.05):
        assert power_t(effect, 0.02, dof, 0.1) == pytest.approx(
            oracle.power_t(effect, 0.02, dof, 0.1), abs=1e-12
        )
    for power in (0.5, 0.8, 0.99):
        found = minimum_detectable_effect(0.02, dof, power=power)
        assert found == pytest.approx(oracle.mde(0.02, dof, power=power), rel=1e-9)
        assert power_t(found, 0.02, dof) == pytest.approx(power, abs=1e-9)


def test_power_closed_forms(oracle):
    assert power_t(0.0, 0.02, 50) == pytest.approx(0.05, abs=1e-12)
    assert power_normal(0.005, 0.02, 50) == pytest.approx(0.424, abs=5e-4)
    assert power_normal(0.01, 0.03, 20, 0.01) == pytest.approx(
        oracle.power_norm(0.01, 0.03, 20, 0.01), abs=1e-12
    )
    assert power_t(0.05, 0.02, 1e6) == pytest.approx(power_normal(0.05, 0.02, 1), abs=1e-5)
    assert minimum_detectable_effect(1.0, 1e6) == pytest.approx(2.8016, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((0.02, 50, 0.0), "alpha"),
        ((0.0, 50), "positive"),
        ((0.02, 50, 0.05, 0.04), "power"),
        ((0.02, 50, 0.05, 0.05), "power"),  # the size is no effect's power
    ],
)
def test_power_refuses_what_is_no_probability(arguments, word):
    with pytest.raises(RequestError, match=word):
        minimum_detectable_effect(*arguments)


def test_insignificant_t_says_what_it_could_have_found(panel):
    made = panel(n=1, seed=6)
    data = made.test(0, 0)
    row = run_tests(data, ["t"]).iloc[0]
    assert row["p_value"] > 0.05
    least = minimum_detectable_effect(math.sqrt(data.cumulative.variance[0]), 58)
    assert row["note"] == f"a CAR of {least:.2%} would be found with probability 0.8"
    one_sided = run_tests(data, ["t"], Options(alternative="greater")).iloc[0]
    assert (
        f"{minimum_detectable_effect(math.sqrt(data.cumulative.variance[0]), 58, 0.1):.2%}"
        in one_sided["note"]
    )
    found = run_tests(panel(n=1, seed=6, effect=0.3).test(0, 0), ["t"]).iloc[0]
    assert found["note"] == ""


def test_bars_between_the_windows_are_counted_like_sessions(panel):
    """The same series on business days and on the minutes of an hour has as long a gap before the event."""
    pytest.importorskip("arch")
    made = panel(n=1, width=250, seed=5).abnormal
    length = made.ar.shape[1]
    minute = np.datetime64("2020-03-02T09:31", "m") + np.arange(250 + 3 + length)
    past = HeldWindows(made.past.residuals(), made.past.leverage(), minute[None, :250], made.past.design())
    ahead = HeldEventWindows(minute[None, 253:], made.noise, made.design)
    bars = replace(made, past=past, event_windows=ahead)
    daily, by_minute = (
        run_tests(TestInput(each, Window(0, 1)), ["garch_t"]).iloc[0]["statistic"] for each in (made, bars)
    )
    assert by_minute == pytest.approx(daily, rel=1e-12)
    closer = HeldWindows(made.past.residuals(), made.past.leverage(), minute[None, 2:252], made.past.design())
    moved = run_tests(TestInput(replace(bars, past=closer), Window(0, 1)), ["garch_t"]).iloc[0]["statistic"]
    assert moved != pytest.approx(daily, rel=1e-9)
