"""The BMP t over its own past: its score, what leaves it as it is, and its size where others fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.inference import TestInput, run_tests
from eventstudy.inference.filtered_bmp import normal_score
from eventstudy.windows import Window


def statistic(abnormal, window=(0, 0), key="filtered_bmp"):
    return run_tests(TestInput(abnormal, Window(*window)), [key])["statistic"].iloc[0]


@pytest.mark.parametrize("dof", [1, 3, 5, 49, 10_000])
def test_the_score_is_nearly_normal(dof):
    t = stats.t.ppf([0.9, 0.975, 0.995], dof)
    near = 0.1 if dof == 1 else 0.02
    assert normal_score(t, dof) == pytest.approx(stats.norm.ppf([0.9, 0.975, 0.995]), rel=near)
    assert normal_score(-t, dof) == pytest.approx(-normal_score(t, dof))
    assert np.isfinite(normal_score(np.array([0.0, 1e100]), dof)).all()


@pytest.mark.parametrize("layout", ["common", "mixed"])
@pytest.mark.parametrize("factor", [0.3, 2.0])
def test_a_more_volatile_day_leaves_it_as_it_is(layout, factor, panel):
    made = panel(n=12, layout=layout, seed=4, effect=0.01).abnormal
    day, ar = made.columns(Window(0, 0)), made.ar.copy()
    ar[:, day] *= factor
    changed = replace(made, ar=ar)
    assert statistic(changed) == pytest.approx(statistic(made), rel=1e-9)
    before, after = (statistic(each, key="filtered_t") for each in (made, changed))
    assert after == pytest.approx(factor * before, rel=1e-9)


def test_a_past_that_moved_together_makes_it_smaller(panel, with_arrays):
    """The same events after weeks in which a common shock was large, or whose firms moved apart."""
    made = panel(n=12, correlation=0.0, seed=4, effect=0.06).abnormal
    past = made.past.residuals()
    shock = np.random.default_rng(0).normal(0, 0.06, past.shape[1])
    recent = np.arange(past.shape[1]) >= 40
    calm, late, ever = (
        abs(statistic(with_arrays(made, residuals=past + shock * days))) for days in (0 * recent, recent, 1)
    )
    assert calm > 1.5 * ever
    assert calm > 1.5 * late


def test_identical_events_and_a_short_past_are_refused(panel):
    one = panel(n=1, seed=21)
    row = run_tests(
        TestInput(one.abnormal.take(np.zeros(8, dtype=int)), Window(0, 0)), ["filtered_bmp"]
    ).iloc[0]
    assert "only 0 past days have abnormal returns of two events that differ" in row["note"]
    row = run_tests(panel(n=8, width=25).test(0, 0), ["filtered_bmp"]).iloc[0]
    assert "only 27 past days" in row["note"] or "only 25 past days" in row["note"]
    row = run_tests(panel(n=1).test(0, 0), ["filtered_bmp"]).iloc[0]
    assert row["note"] == "not applicable: one event"


def test_the_return_after_a_halt_is_not_a_volatile_day():
    """The past is the same whether the event window or the days before it hold the end of the halt."""
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2018-01-01", periods=300)
    market = rng.normal(0, 0.01, 300)
    returns = market[:, None] + rng.normal(0, 0.02, (300, 6))
    prices = pd.DataFrame(
        np.exp(np.cumsum(np.column_stack([returns, market]), axis=0)), days, [*"abcdef", "m"]
    )
    prices.loc[days[240:278], "a"] = np.nan  # trades again on day -2
    market = es.Market.from_prices(prices, benchmark="m")
    events = [{"security": name, "date": days[280]} for name in "abcdef"]
    found = [
        es.EventStudy(market, events, estimation=(-250, -50), window=window).fit().test(0, 0, tests=tests)
        for window in ((-5, 5), (0, 5))
        for tests in [["filtered_bmp", "filtered_t", "filtered_sq"]]
    ]
    for column in ("statistic", "p_value"):
        np.testing.assert_allclose(found[0][column], found[1][column], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.3])
@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_it_holds_its_size_where_past_days_miss_what_the_day_has(window, share):
    """Thirty correlated firms of which each misses past days of its own, and none a day of the event."""
    n, rejected = 600, 0
    rng = np.random.default_rng(5)
    dates = pd.bdate_range("2018-01-01", periods=260)
    names = [f"F{i}" for i in range(30)]
    for _ in range(n):
        shocks = np.sqrt(0.2) * rng.normal(size=(260, 1)) + np.sqrt(0.8) * rng.normal(size=(260, 30))
        returns = shocks * rng.uniform(0.01, 0.03, 30)
        returns[:249][rng.random((249, 30)) < share] = np.nan
        market = es.Market(pd.DataFrame(returns, dates, names), benchmark=None, gaps="single")
        events = {"security": names, "date": [dates[254]] * 30}
        study = es.EventStudy(market, events, es.ConstantMean(), estimation=(-220, -6), window=(-5, 5))
        rejected += study.fit().test(*window, tests=["filtered_bmp"])["p_value"].iloc[0] <= 0.05
    assert stats.binomtest(rejected, n, 0.05).pvalue > 0.01


@pytest.mark.parametrize("end", [-6, -11])
def test_the_note_tells_of_days_that_are_not_known(end):
    """No day is unknown where the event window follows on the estimation window, or the model is a line."""
    made = es.lab.simulate_market(8, 300, n_events=8, common_date=True, seed=3)
    events = made.truth.events[["security", "date"]]
    for model, unknown in ((es.MarketModel(), False), (es.RobustMarketModel(), end < -6)):
        found = es.EventStudy(made.market, events, model, estimation=(-120, end), window=(-5, 5)).fit()
        notes = found.test(0, 0, tests=["filtered_bmp", "filtered_t", "filtered_sq"])["note"]
        assert notes.str.contains("up to the end of the estimation window").tolist() == [unknown] * 3


def test_it_holds_its_size_where_the_day_is_more_volatile_and_firms_move_together():
    """Rates of 600 samples; those with four times the variance are the same to the last one."""
    found = es.lab.calibrate(
        es.lab.simulate_market(40, 700, correlation=0.3, seed=6).market, n_events=8, n_samples=600,
        common_date=True, estimation=(-120, -11), tests=["filtered_bmp", "filtered_t"], shift=[0, 0.15],
        variance=[1, 4], seed=2,
    )  # fmt: skip
    p = found.p_values[:, 0]  # of the one model: samples, variances, shifts, tests
    np.testing.assert_allclose(p[:, 0, 0, 0], p[:, 1, 0, 0], atol=1e-12)
    rate = (p <= 0.05).mean(axis=0)
    assert 0.01 <= rate[0, 0, 0] <= 0.07
    assert rate[1, 0, 1] > 0.2
    assert rate[0, 1, 0] > 0.6
