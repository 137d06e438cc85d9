"""GARCH with an event dummy: likelihood against loops and arch, its maximum, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import eventstudy as es
from eventstudy.errors import EventStudyWarning, ExcludedEventsWarning, NoUsableEventsError, WindowError
from eventstudy.volatility.event_garch import conditional_variance, fit_dummy_garch


def sample(seed: int, delta: float = 0.0, gamma: float = 0.0, n: int = 250, days: int = 5):
    rng = np.random.default_rng(seed)
    dummy = (np.arange(n) >= n - days).astype(float)
    market, e, h = rng.normal(0, 0.01, n), 0.0, 4e-4
    y = np.empty(n)
    for t in range(n):
        h = 2e-5 + 0.1 * e**2 + 0.8 * (h if t else 2e-4) + delta * dummy[t]
        e = np.sqrt(h) * rng.normal()
        y[t] = 0.0002 + 0.9 * market[t] + gamma * dummy[t] + e
    return y, np.column_stack([np.ones(n), market]), dummy


def test_variances_by_loop_and_by_arch() -> None:
    arch = pytest.importorskip("arch.univariate")
    rng = np.random.default_rng(0)
    e, dummy = rng.normal(size=60), (np.arange(60) > 54).astype(float)
    found = conditional_variance(e, dummy, 0.2, 0.1, 0.7, 0.5, 1.3)
    h, before = 1.3, 1.3
    for t in range(60):
        h = 0.2 + 0.1 * before + 0.7 * h + 0.5 * dummy[t]
        before = e[t] ** 2
        assert found[t] == pytest.approx(h, rel=1e-12)
    volatility, sigma2 = arch.GARCH(1, 0, 1), np.zeros(60)
    bounds = np.tile([1e-12, 1e12], (60, 1))
    volatility.compute_variance(np.array([0.2, 0.1, 0.7]), e, sigma2, 1.3, bounds)
    assert conditional_variance(e, dummy, 0.2, 0.1, 0.7, 0.0, 1.3) == pytest.approx(sigma2, rel=1e-10)


def likelihood(values: np.ndarray, y: np.ndarray, x: np.ndarray, dummy: np.ndarray, before: float) -> float:
    """Gaussian log-likelihood of alpha, beta, gamma, omega, a, b, delta, by a loop."""
    alpha, beta, gamma, omega, a, b, delta = values
    if min(omega, a, b) < 0 or a + b >= 1 or omega + delta <= 0:
        return -np.inf
    e, h, square, total = y - alpha - beta * x[:, 1] - gamma * dummy, before, before, 0.0
    for t in range(len(y)):
        h = omega + a * square + b * h + delta * dummy[t]
        square = e[t] ** 2
        total += stats.norm.logpdf(e[t], scale=np.sqrt(h))
    return total


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "delta"), [(1, 0.0), (2, 1e-3), (3, 4e-4)])
def test_the_maximum_is_one(seed: int, delta: float) -> None:
    y, x, dummy = sample(seed, delta)
    found = fit_dummy_garch(y, x, dummy)
    assert not isinstance(found, str)
    values = np.array([*found.line, found.omega, found.a, found.b, found.delta])
    design = np.column_stack([x, dummy])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    before = float((residual[dummy == 0] ** 2).mean())
    assert likelihood(values, y, x, dummy, before) == pytest.approx(found.log_likelihood, abs=1e-6)
    size = np.maximum(np.abs(values), 1e-6)
    again = optimize.minimize(
        lambda u: -likelihood(u * size, y, x, dummy, before), values / size, method="Nelder-Mead",
        options={"maxiter": 3000, "xatol": 1e-7, "fatol": 1e-9},
    )  # fmt: skip
    assert -again.fun <= found.log_likelihood + 0.02
    assert found.restricted <= found.log_likelihood + 1e-6
    assert found.errors == pytest.approx(y - design @ found.line, abs=1e-12)


def test_the_restricted_maximum_is_that_of_arch() -> None:
    arch = pytest.importorskip("arch.univariate")
    y, x, dummy = sample(4, n=1500)
    found = fit_dummy_garch(y, x, dummy)
    assert not isinstance(found, str)
    lines = 100 * np.column_stack([x[:, 1], dummy])
    model = arch.LS(100 * y, lines, volatility=arch.GARCH(1, 0, 1), rescale=False)
    theirs = model.fit(disp="off").loglikelihood + len(y) * np.log(100)
    assert found.restricted == pytest.approx(theirs, abs=0.2)  # the variance before the first day differs


def market_and_events(seed: int, n: int = 8, boost: float = 0.0) -> tuple[es.Market, pd.DataFrame]:
    market, _ = es.lab.simulate_market(n, 900, market_sigma=0.005, seed=seed, tick=1e-6)
    days = market.sessions[300 :: (500 // n)][:n]
    returns, rng = market.returns.copy(), np.random.default_rng(seed)
    for i, day in enumerate(days):
        at = returns.index.get_loc(day)
        returns.iloc[at : at + 5, i] += rng.normal(0, boost, 5)
    index = pd.Series(market.bank.single[0], market.sessions, name="index")
    made = es.Market(returns, benchmark=index, gaps="single")
    return made, pd.DataFrame({"security": market.securities, "date": days})


def test_an_event_study_by_dummies() -> None:
    market, events = market_and_events(7, boost=0.08)
    found = es.EventGARCH(market, events).fit()
    assert found.excluded.empty
    assert (found.parameters["delta"] > 0).mean() > 0.8
    assert (found.parameters["p_value"] < 0.05).mean() > 0.7
    table = found.test()
    values = found.parameters["relative"]
    assert table.loc["relative", "statistic"] == pytest.approx(stats.ttest_1samp(values, 0).statistic)
    assert table.loc["relative", "p_value"] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    row = found.parameters.iloc[0]
    at = market.sessions.get_loc(events["date"].iloc[0])
    y = market.returns.iloc[at - 250 : at + 5, 0].to_numpy()
    x = np.column_stack([np.ones(255), market.bank.single[0, at - 250 : at + 5]])
    direct = fit_dummy_garch(y, x, (np.arange(255) >= 250).astype(float))
    assert row["gamma"] == pytest.approx(direct.line[2], abs=1e-10)
    assert row["n_obs"] == 255


@pytest.mark.slow
def test_a_mean_effect_is_found_as_gamma() -> None:
    market, events = market_and_events(8)
    returns = market.returns.copy()
    for i, day in enumerate(events["date"]):
        at = returns.index.get_loc(day)
        returns.iloc[at : at + 5, i] += 0.03
    index = pd.Series(market.bank.single[0], market.sessions, name="index")
    found = es.EventGARCH(es.Market(returns, benchmark=index, gaps="single"), events).fit()
    assert found.parameters["gamma"].mean() == pytest.approx(0.03, abs=0.006)
    assert found.test().loc["standardised", "p_value"] < 0.01


def test_what_is_refused() -> None:
    market, events = market_and_events(9, 3)
    for dummy in (0, (0, 1)):
        with pytest.raises(WindowError, match="with fewer than 3 the likelihood has no maximum"):
            es.EventGARCH(market, events, dummy=dummy if isinstance(dummy, tuple) else (dummy, dummy))
    with pytest.raises(WindowError):
        es.EventGARCH(market, events, estimation=(-50, 2))
    with pytest.raises(WindowError, match="must end before"):
        es.EventGARCH(market, events, estimation=(10, 150))
    early = events.assign(date=market.sessions[60])
    with pytest.raises(NoUsableEventsError, match="returns before the dummy"):
        es.EventGARCH(market, early).fit()
    flat = market.returns.copy()
    flat.iloc[:, 0] = 0.0
    index = pd.Series(market.bank.single[0], market.sessions, name="index")
    with pytest.warns(ExcludedEventsWarning, match="do not vary"):
        found = es.EventGARCH(es.Market(flat, benchmark=index, gaps="single"), events).fit()
    assert "do not vary" in found.excluded.iloc[0]


def test_events_that_cannot_be_used_are_listed_and_warned_of() -> None:
    """A dummy that the data cut short has fewer days than it says; without a benchmark there is no line."""
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2016-01-01", periods=400)
    index = pd.Series(rng.normal(0, 0.01, 400), days, name="index")
    returns = pd.DataFrame(rng.normal(0, 0.02, (400, 2)), days, ["A", "B"])
    market = es.Market(returns, benchmark=index)
    events = [{"security": "A", "date": days[397]}, {"security": "B", "date": days[390]}]
    with pytest.warns(ExcludedEventsWarning, match="1 of 2 events cannot be used"):
        found = es.EventGARCH(market, events, dummy=(0, 4)).fit()
    assert found.excluded.to_dict() == {0: "its dummy (0, +4) reaches beyond the data"}
    assert found.parameters.index.tolist() == [1]
    with pytest.raises(NoUsableEventsError, match="event 0: no benchmark is given for it"):
        es.EventGARCH(es.Market(returns, benchmark=None), events[1:], dummy=(0, 4)).fit()


def test_events_that_share_sessions_are_not_independent() -> None:
    market, _ = es.lab.simulate_market(5, 420, seed=3)
    events = pd.DataFrame({"security": market.securities, "date": market.sessions[300]})
    together = es.EventGARCH(market, events, dummy=(0, 4)).fit()
    assert together.dependent
    with pytest.warns(EventStudyWarning, match="share sessions"):
        table = together.test()
    assert table["dependent"].all()
    assert not table["recommended"].any()
    apart = es.EventGARCH(market, events.assign(date=market.sessions[300 + 5 * np.arange(5)])).fit()
    assert not apart.dependent
    assert apart.test().query("recommended").index.tolist() == ["standardised"]
