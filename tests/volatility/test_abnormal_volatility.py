"""Multiples of volatility: formula, mean and law under the null, forecasts, and dependent events."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.errors import EventStudyWarning, RequestError
from eventstudy.volatility.abnormal_volatility import (
    Paths,
    forecast_ratios,
    multiple_dof,
    parameter_covariance,
    simulate_errors,
    volatility_multiples,
)

pytest.importorskip("arch")


def by_loops(errors: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Eq. (5) of the paper, of plain sums over i and j, times (N - 1) / N."""
    n, length = errors.shape
    out = []
    for t in range(length):
        total = 0.0
        for i in range(n):
            above = (n * errors[i, t] - sum(errors[j, t] for j in range(n))) ** 2
            total += above / (n * (n - 2) * variances[i, t] + sum(variances[j, t] for j in range(n)))
        out.append(total / (n - 1) * (n - 1) / n)
    return np.array(out)


def degrees(variances: np.ndarray) -> np.ndarray:
    """Degrees of freedom of each day's multiple: 2 over its variance, by the traces of the quadratic form."""
    out = []
    for h in variances.T:
        n, form = len(h), np.zeros((len(h), len(h)))
        for i in range(n):
            c = -np.ones(n)
            c[i] += n
            form += np.outer(c, c) / (n * (n * (n - 2) * h[i] + h.sum()))
        product = form @ np.diag(h)
        assert np.trace(product) == pytest.approx(1.0)
        out.append(1.0 / np.trace(product @ product))
    return np.array(out)


def test_the_formula() -> None:
    rng = np.random.default_rng(0)
    h = rng.uniform(1, 9, (7, 4)) * 1e-4
    e = rng.normal(size=(7, 4)) * np.sqrt(h)
    multiple, n = volatility_multiples(e, h)
    assert multiple == pytest.approx(by_loops(e, h), rel=1e-12)
    assert n.tolist() == [7] * 4
    e[2, 1] = np.nan
    multiple, n = volatility_multiples(e, h)
    assert n.tolist() == [7, 6, 7, 7]
    assert multiple[1] == pytest.approx(by_loops(np.delete(e, 2, 0), np.delete(h, 2, 0))[1], rel=1e-12)
    e[1:, 3] = np.nan
    assert np.isnan(volatility_multiples(e, h)[0][3])


def test_equal_variances_give_the_sum_of_squares() -> None:
    """(N - 1) M is then SS / h, which is chi-square with N - 1 degrees of freedom."""
    e = np.random.default_rng(1).normal(size=(6, 3)) * 0.02
    multiple, _ = volatility_multiples(e, np.full((6, 3), 4e-4))
    assert 5 * multiple == pytest.approx(((e - e.mean(axis=0)) ** 2).sum(axis=0) / 4e-4, rel=1e-12)


def test_degrees_of_freedom_of_equal_and_unequal_variances() -> None:
    """Equal ones have N - 1; with unequal ones the chi-square has the variance of 200,000 draws."""
    assert multiple_dof(np.full((6, 2), 3e-4)) == pytest.approx([5.0, 5.0])
    rng = np.random.default_rng(4)
    h = np.exp(rng.uniform(np.log(0.005**2), np.log(0.06**2), (10, 1)))
    (dof,) = multiple_dof(h)
    assert dof == pytest.approx(degrees(h)[0], rel=1e-10)
    assert dof < 9 / 1.2
    e = rng.normal(size=(200_000, 10, 1)) * np.sqrt(h)
    multiple, _ = volatility_multiples(e, np.broadcast_to(h, e.shape))
    assert multiple.var() == pytest.approx(2 / dof, rel=0.03)
    rates = [(stats.chi2.sf(d * multiple, d) < 0.05).mean() for d in (9, dof)]
    assert rates[0] > 0.07
    assert rates[1] == pytest.approx(0.05, abs=0.006)
    missing = h.copy()
    missing[3] = np.nan
    assert multiple_dof(missing) == pytest.approx(multiple_dof(np.delete(h, 3, 0)))
    assert np.isnan(multiple_dof(np.where(np.arange(10)[:, None] == 0, h, np.nan))[0])


def test_covariance_of_parameters_against_numbers() -> None:
    """Derivatives of the variances by differences."""
    rng = np.random.default_rng(0)
    omega, a, b = 2e-5, 0.12, 0.75
    h, errors = omega / (1 - a - b), []
    for _ in range(3000):
        errors.append(np.sqrt(h) * rng.normal())
        h = omega + a * errors[-1] ** 2 + b * h
    e = np.array(errors)

    def path(theta: np.ndarray) -> np.ndarray:
        level, a, _, b = np.exp(theta[0]), *theta[1:]
        out = [(e**2).mean()]
        for x in e[:-1]:
            out.append(level * (1 - a - b) + a * x**2 + b * out[-1])
        return np.array(out)

    theta = np.array([np.log(omega / (1 - a - b)), a, 0.0, b])
    slopes = np.array(
        [(path(theta + step) - path(theta - step)) / 2e-6 for step in 1e-6 * np.eye(4)[[0, 1, 3]]]
    ).T
    ratio = slopes / path(theta)[:, None]
    inverse = np.linalg.inv(ratio.T @ ratio / 2)
    weight = (e**2 / path(theta) - 1) ** 2
    want = inverse @ (ratio.T @ (ratio * weight[:, None]) / 4) @ inverse
    found = parameter_covariance(e, np.array([omega, a, 0.0, b]))
    assert found[np.ix_([0, 1, 3], [0, 1, 3])] == pytest.approx(want, rel=1e-4)
    assert (found[2] == 0).all()


def test_forecasts_with_drawn_parameters_scatter_about_those_with_the_estimates() -> None:
    params = np.array([8e-5, 0.1, 0.0, 0.7])
    paths = Paths((np.random.default_rng(0).normal(size=500),), *params[:, None], np.array([4e-4]))
    e = simulate_errors(paths, 1000, 1, np.random.default_rng(1))[0, 0]
    ratios = forecast_ratios(e, e[:3], params, 11, 4000, np.random.default_rng(2))
    assert ratios.shape == (4000, 11)
    assert (ratios > 0).all()
    assert np.median(ratios) == pytest.approx(1.0, abs=0.03)
    assert 0.03 < np.log(ratios).std() < 0.15
    # A constant variance from 240 normally distributed days is known to about the root of 2 / 240.
    e = np.random.default_rng(1).normal(0, 0.02, 240)
    still = forecast_ratios(e, e[:0], np.array([4e-4, 0.0, 0.0, 0.0]), 1, 4000, np.random.default_rng(3))
    assert 0.08 < np.log(still).std() < 0.25


def test_a_common_return_of_the_day_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    e, h = rng.normal(size=(6, 3)), rng.uniform(1, 2, (6, 3))
    assert volatility_multiples(e + 0.7, h)[0] == pytest.approx(volatility_multiples(e, h)[0])


def test_the_mean_under_the_null_is_one_where_that_of_the_paper_is_not() -> None:
    rng = np.random.default_rng(3)
    h = rng.uniform(0.2, 5, (5, 1))
    e = rng.normal(size=(40_000, 5, 1)) * np.sqrt(h)
    multiple, _ = volatility_multiples(e, np.broadcast_to(h, e.shape))
    assert multiple.mean() == pytest.approx(1.0, abs=0.015)
    assert multiple.mean() * 5 / 4 == pytest.approx(1.25, abs=0.02)


def study(seed: int, n_events: int = 12, **options: object) -> es.AbnormalVolatility:
    market, _ = es.lab.simulate_market(
        n_events, 1200, garch=(0.1, 0.8), market_sigma=0.005, seed=seed, tick=1e-6
    )
    days = market.sessions[300 :: (850 // n_events)][:n_events]
    events = pd.DataFrame({"security": market.securities, "date": days})
    return es.AbnormalVolatility(market, events, **{"estimation": (-250, -6), "window": (-5, 5), **options})


@pytest.fixture(scope="module")
def results() -> es.AbnormalVolatilityResults:
    return study(4).fit()


def test_forecasts_are_those_of_arch(results: es.AbnormalVolatilityResults) -> None:
    """With no session between the windows, eq. (3) of the paper, from the last estimation day on."""
    n_sound = 0
    for i in range(12):
        fit = results.study.regression(i)
        omega, a, b = fit.params[["omega", "alpha[1]", "beta[1]"]]
        first = b * fit.conditional_volatility[-1] ** 2 + a * fit.resid[-1] ** 2
        powers = (a + b) ** np.arange(11)
        want = omega * powers.cumsum() + powers * first
        assert results._variances[i] == pytest.approx(want / 1e4, rel=1e-8)
        if (
            a + b < 0.95
        ):  # arch's own forecast starts its recursion anew, which persists where a + b is near 1
            theirs = fit.forecast(horizon=11, x=np.zeros((1, 1, 11)), reindex=False).variance.to_numpy()[0]
            assert want == pytest.approx(theirs, rel=1e-6)
            n_sound += 1
    assert n_sound >= 3


def test_results_by_hand(results: es.AbnormalVolatilityResults) -> None:
    arrays = results.study.fitted.abnormal
    want = by_loops(arrays.ar, arrays.noise)
    table = results.multiples
    assert table["multiple"].to_numpy() == pytest.approx(want, rel=1e-10)
    dof = degrees(arrays.noise)
    assert (dof < 11).all()
    assert table.loc[0, "ci_low"] == pytest.approx(dof[5] * want[5] / stats.chi2.ppf(0.975, dof[5]))
    test = results.test(0, 2, seed=1)
    assert test["cav"].tolist() == pytest.approx([(want[5:8] - 1).sum()] * 2, rel=1e-10)
    statistic = (dof * want)[5:8].sum()
    assert test["statistic"].iloc[0] == pytest.approx(statistic, rel=1e-10)
    assert test["dof"].tolist() == pytest.approx([dof[5:8].sum()] * 2)
    assert test["mean_multiple"].iloc[0] == pytest.approx(statistic / dof[5:8].sum())
    assert test.loc["chi_square", "p_value"] == pytest.approx(stats.chi2.sf(statistic, dof[5:8].sum()))
    two = results.test(0, 2, alternative="two-sided", seed=1)["p_value"]
    less = results.test(0, 2, alternative="less", seed=1)["p_value"]
    assert two.tolist() == pytest.approx((2 * np.minimum(test["p_value"], less)).clip(upper=1).tolist())
    assert not test["dependent"].any()


def test_bootstrap_p_counts_draws(results: es.AbnormalVolatilityResults) -> None:
    weight = degrees(results._variances[:, 5:8])
    draws = results._draws(slice(5, 8), weight, *results._null(400, 9))
    found = results.test(0, 2, n_resamples=400, seed=9).loc["bootstrap"]
    assert found["p_value"] == pytest.approx((1 + (draws >= found["statistic"]).sum()) / 401)
    assert draws.mean() == pytest.approx(weight.sum(), rel=0.06)


def test_a_seed_means_the_same_draws_for_every_window(results: es.AbnormalVolatilityResults) -> None:
    first = results.test(0, 2, n_resamples=400, seed=9)
    other = results.test(0, 2, n_resamples=400, seed=10)
    assert other.loc["bootstrap", "p_value"] != first.loc["bootstrap", "p_value"]
    results.test(-5, 5, n_resamples=400, seed=9)
    pd.testing.assert_frame_equal(results.test(0, 2, n_resamples=400, seed=9), first)
    by_generator = results.test(0, 2, n_resamples=400, seed=np.random.default_rng(9))
    pd.testing.assert_frame_equal(by_generator, first)
    assert first.index[first["recommended"]].tolist() == ["bootstrap"]


def test_paths_follow_the_recursion() -> None:
    paths = Paths((np.array([-1.0, 1.0]),), *(np.array([v]) for v in (0.1, 0.2, 0.3, 0.4, 2.0)))
    made = simulate_errors(paths, 4, 3, np.random.default_rng(0))[:, 0]
    for errors in made:
        h = 2.0
        for e in errors:
            assert e**2 == pytest.approx(h)
            h = 0.1 + (0.2 + 0.3 * (e < 0)) * e**2 + 0.4 * h


def test_doubled_variance_is_found() -> None:
    spec = study(5, 25)
    rng = np.random.default_rng(5)
    returns = spec.study.spec.market.returns.copy()
    for event in spec.study.spec.events.frame.itertuples():
        at = returns.index.get_loc(event.date)
        returns.iloc[at : at + 3, returns.columns.get_loc(event.security)] += rng.normal(0, 0.04, 3)
    market = es.Market(
        returns, benchmark=pd.Series(spec.study.spec.market.bank.single[0], returns.index), gaps="single"
    )
    loud = es.AbnormalVolatility(market, spec.study.spec.events, estimation=(-250, -6), window=(-5, 5)).fit()
    assert (loud.test(0, 2, seed=0)["p_value"] < 0.01).all()
    assert loud.multiples["multiple"].loc[0:2].min() > 1.5


def test_gjr_paths_have_their_leverage() -> None:
    found = study(6, 6, kind="gjr").fit()
    assert found._paths().g == pytest.approx(found.study.parameters["g"].to_numpy())
    assert found.test(0, 1, seed=0)["p_value"].between(0, 1).all()


def test_events_that_share_sessions_are_refused_or_flagged() -> None:
    market, _ = es.lab.simulate_market(4, 500, garch=(0.1, 0.8), seed=1)
    events = pd.DataFrame({"security": market.securities, "date": market.sessions[400]})
    options = {"estimation": (-250, -11), "window": (-2, 2)}
    with pytest.raises(RequestError, match="windows of 4 events share sessions, such as"):
        es.AbnormalVolatility(market, events, **options).fit()
    with pytest.warns(EventStudyWarning, match="not independent"):
        found = es.AbnormalVolatility(market, events, dependent="flag", **options).fit()
    assert found.test(0, 1, seed=0)["dependent"].all()
    assert not found.test(0, 1, seed=0)["recommended"].any()
    assert "share sessions" in repr(found)
    with pytest.raises(RequestError, match="there is one"):
        es.AbnormalVolatility(market, events.iloc[:1], **options).fit()
    with pytest.raises(RequestError, match="kind must be"):
        es.AbnormalVolatility(market, events, kind="egarch")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="dependent must be"):
        es.AbnormalVolatility(market, events, dependent="ignore")  # type: ignore[arg-type]
