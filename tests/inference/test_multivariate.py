"""The joint F and mean t of one date against a multivariate regression with event dummies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, joint_test, run_tests
from eventstudy.inference.engine.draws import draw_days
from eventstudy.inference.procedures.multivariate import hotelling, hotelling_draws
from eventstudy.windows import Window


def test_equals_the_regression_with_a_dummy(panel, oracle):
    made = panel(n=6, layout="common", seed=2)
    fit = made.abnormal
    est, evt = made.events[0]["cal_est"], made.events[0]["cal_evt"][2]
    market = made.market[np.append(est, evt)]
    # Any returns with these residuals and abnormal returns give the same dummy regression.
    returns = np.vstack([fit.past.residuals().T, fit.ar[:, 2]])
    dummy = np.append(np.zeros(len(est)), 1.0)
    want = oracle.mvrm_tests(returns, np.column_stack([np.ones(len(market)), market]), dummy)
    found = joint_test(made.test(0, 0))
    assert found.statistic == pytest.approx(want["F"], abs=1e-9)
    assert found.p_value == pytest.approx(want["pF"], abs=1e-10)
    assert found.dof == want["df"]
    assert found.mean_statistic == pytest.approx(want["t"], abs=1e-10)
    assert found.mean_p_value == pytest.approx(want["pt"], abs=1e-10)
    assert (found.n_events, found.n_days, found.note) == (6, 60, "")


def test_several_days_equal_one_dummy_each(panel):
    """F of one contrast for each firm, by the general linear hypothesis on stacked least squares."""
    made = panel(n=4, layout="common", seed=4)
    fit, width = made.abnormal, 60
    days = [2, 3]
    market = made.market[np.append(made.events[0]["cal_est"], made.events[0]["cal_evt"][days])]
    z = np.zeros((width + 2, 4))
    z[:, 0], z[:, 1], z[width, 2], z[width + 1, 3] = 1.0, market, 1.0, 1.0
    returns = np.vstack([fit.past.residuals().T, fit.ar[:, days].T])
    inverse = np.linalg.inv(z.T @ z)
    b = inverse @ z.T @ returns
    u = returns - z @ b
    contrast = np.array([0.0, 0.0, 1.0, 1.0])
    car, a = contrast @ b, contrast @ inverse @ contrast
    nu = width - 2
    f = car @ np.linalg.solve(u.T @ u / nu, car) / a * (nu - 4 + 1) / (4 * nu)
    assert joint_test(made.test(0, 1)).statistic == pytest.approx(f, rel=1e-9)


def test_its_mean_is_the_portfolio_t(panel):
    data = panel(n=6, layout="common", seed=2).test(-1, 2)
    portfolio = run_tests(data, ["portfolio"]).iloc[0]
    found = joint_test(data)
    assert found.mean_statistic == pytest.approx(portfolio["statistic"])
    assert found.mean_dof == portfolio["dof"]
    assert found.mean_effect == pytest.approx(portfolio["estimate"])


@pytest.mark.parametrize(("lost", "dof"), [(0, 60), (1, 59), (2, 58), (7, 58)])
def test_a_series_of_residuals_loses_what_was_estimated_of_its_mean(lost, dof, panel):
    """Errors out of sample lose nothing; weights cost a model degrees of freedom, but a plain sum no more."""
    made = panel(n=5, layout="common", seed=2).abnormal
    data = TestInput(replace(made, dof=made.n_obs - float(lost)), Window(0, 0))
    portfolio = run_tests(data, ["portfolio"]).iloc[0]
    series = made.past.residuals().mean(axis=0)
    scale = (data.cumulative.variance / made.s2).mean()
    want = data.car.mean() / np.sqrt((series**2).sum() / dof * scale)
    assert portfolio["dof"] == dof
    assert portfolio["statistic"] == pytest.approx(want, rel=1e-10)
    assert joint_test(data).mean_dof == dof
    assert joint_test(data).mean_statistic == pytest.approx(want, rel=1e-10)


@pytest.mark.parametrize("side", ["less", "greater"])
def test_its_mean_has_sides(panel, side):
    data = panel(n=8, layout="common", seed=3).test(0, 1)
    portfolio = run_tests(data, ["portfolio"], Options(side)).iloc[0]
    found = joint_test(data, side)
    assert found.mean_p_value == pytest.approx(portfolio["p_value"], rel=1e-10)
    assert found.p_value == joint_test(data).p_value


def test_days_missing_in_the_estimation_window_are_said(panel, with_arrays):
    made = panel(n=4, layout="common", seed=2)
    residuals = made.abnormal.past.residuals().copy()
    residuals[1, :5] = np.nan
    found = joint_test(TestInput(with_arrays(made.abnormal, residuals=residuals), Window(0, 0)))
    assert found.n_days == 55
    assert "approximate" in found.note
    found = joint_test(TestInput(replace(made.abnormal, exact=False), Window(0, 0)))
    assert "standard error" in found.note
    for exact in (True, False):
        data = TestInput(replace(made.abnormal, exact=exact), Window(0, 0))
        assert ("approximate" in run_tests(data, ["portfolio"])["note"].iloc[0]) == (not exact)


def test_what_it_cannot_do(panel, with_arrays):
    with pytest.raises(RequestError, match="at least 2 events"):
        joint_test(panel(n=1).test(0, 0))
    with pytest.raises(RequestError, match="one common event date"):
        joint_test(panel(layout="distinct").test(0, 0))
    with pytest.raises(RequestError, match="longer estimation window"):
        joint_test(panel(n=12, width=12, layout="common").test(0, 0))
    made = panel(n=6, layout="common", seed=2).abnormal
    ar = made.ar.copy()
    ar[0, 2] = np.nan
    with pytest.raises(RequestError, match="1 of 6 events miss days"):
        joint_test(TestInput(replace(made, ar=ar), Window(0, 1)))
    with pytest.raises(RequestError, match="linear combinations"):
        joint_test(TestInput(made.take(np.array([0, 1, 1])), Window(0, 0)))
    dates = made.past.dates().copy()
    dates[0] -= np.timedelta64(1, "D")
    with pytest.raises(RequestError, match="same estimation days"):
        joint_test(TestInput(with_arrays(made, estimation_dates=dates), Window(0, 0)))


@pytest.mark.parametrize("length", [1, 3])
def test_draws_are_those_of_a_loop(length):
    """Each draw written out, with numpy's covariance of the drawn days."""
    e = np.random.default_rng(1).standard_t(4, (50, 4))
    f, t = hotelling_draws(e, length, 48.0, 30, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    past, event = draw_days(30, 49, 50, rng), draw_days(30, length, 50, rng)
    for b in range(30):
        drawn = e[past[b]]
        sigma, mean = np.cov(drawn.T), drawn.mean(axis=0)
        car, a = e[event[b]].sum(axis=0) - length * mean, length + length**2 / 49
        want = car @ np.linalg.inv(sigma) @ car / a * (48 - 4 + 1) / (4 * 48)
        assert f[b] == pytest.approx(want, rel=1e-10)
        assert t[b] == pytest.approx(car.mean() / np.sqrt(a * sigma.mean()), rel=1e-10)


def test_resampled_p_values(panel):
    data = panel(n=6, layout="common", seed=2).test(0, 1)
    found = joint_test(data, n_resamples=499, seed=3)
    # Normally distributed errors: close to F and t.
    assert found.p_resampled == pytest.approx(found.p_value, abs=0.08)
    assert found.mean_p_resampled == pytest.approx(found.mean_p_value, abs=0.08)
    assert joint_test(data, n_resamples=499, seed=3) == found
    assert found.n_resamples == 499
    assert "p resampled" in repr(found)
    large = joint_test(panel(n=6, layout="common", seed=2, effect=0.5).test(0, 1), n_resamples=99)
    assert large.p_resampled == large.mean_p_resampled == 0.01
    one_sided = joint_test(panel(n=6, layout="common", seed=2, effect=0.5).test(0, 1), "less", 99)
    assert one_sided.mean_p_resampled == 1.0
    with pytest.raises(RequestError, match="n_resamples"):
        joint_test(data, n_resamples=0)


def test_many_events_are_not_drawn(panel):
    found = joint_test(panel(n=25, layout="common", seed=2).test(0, 0))
    assert np.isnan(found.p_resampled)
    assert "25 events are too many to draw from 60 days" in found.note


@pytest.mark.slow
def test_fat_tails_do_not_mislead_the_draws():
    """F of errors that are t(3) rejects too often, by draws it does not; the same days and events in both."""
    rng, rejected = np.random.default_rng(4), []
    for _ in range(300):
        noise = rng.standard_t(3, (121, 8))
        past = noise[:120] - noise[:120].mean(axis=0)
        car = noise[120] - noise[:120].mean(axis=0)
        f, _ = hotelling(past, car, 1 + 1 / 120, 119.0)
        draws, _ = hotelling_draws(past, 1, 119.0, 99, rng)
        rejected.append([stats.f.sf(f, 8, 112) <= 0.05, (1 + (draws >= f).sum()) / 100 <= 0.05])
    by_f, by_draws = np.mean(rejected, axis=0)
    assert by_f > by_draws
    assert by_draws == pytest.approx(0.05, abs=0.035)
