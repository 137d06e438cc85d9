"""Which test the interval of a mean comes from, and that one firm that does not trade changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference import TestInput
from eventstudy.inference.base import t_bounds, t_p_values
from eventstudy.inference.procedures.mean_interval import interval_test
from eventstudy.windows import Window


def test_the_interval_goes_by_number_and_dependence(panel):
    def chosen(start=0, end=1, **options):
        return interval_test([panel(**options).test(start, end)])

    assert chosen(n=1) == "t"
    assert chosen(n=2, layout="distinct") == chosen(n=4, layout="distinct") == "filtered_t"
    assert chosen(n=5, layout="distinct") == chosen(n=24, layout="distinct") == "cross_sectional"
    assert chosen(n=8, layout="common") == chosen(n=30, layout="mixed", correlation=0.4) == "filtered_t"
    # A window so long that the past holds no three of it.
    short = {"n": 8, "layout": "common", "width": 35, "window": (-2, 17)}
    assert chosen(-2, 17, **short) == "adjusted_cross_sectional"


def test_the_longest_window_decides_for_all(panel):
    made = panel(n=30, layout="mixed", correlation=0.4)
    assert interval_test([made.test(0, 0), made.test(-2, 3)]) == "filtered_t"


def sector(seed, halted, n=50, days=300):
    """Firms of one sector and one date, of which one does not trade on that day; no effect."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, days)
    own = np.sqrt(0.2) * rng.normal(size=days)[:, None] + np.sqrt(0.8) * rng.normal(size=(days, n))
    returns = market[:, None] + 0.02 * own
    dates, names = pd.bdate_range("2018-01-01", periods=days), [f"S{i}" for i in range(n)]
    if halted:
        returns[281, 0] = (1 + returns[280, 0]) * (1 + returns[281, 0]) - 1
        returns[280, 0] = np.nan
    table = es.Market(
        pd.DataFrame(returns, dates, names),
        benchmark=pd.Series(market, dates, name="index"),
        gaps="lumped",
    )
    events = {"security": names, "date": dates[280]}
    return es.EventStudy(table, events, estimation=(-250, -11), window=(-1, 1)).fit()


def test_one_firm_that_does_not_trade_changes_nothing():
    """The true standard error is 0.02 sqrt(0.2 + 0.8 / 50); that of the spread of CARs is 0.0025."""
    for seed in range(3):
        all_trade, one_halted = (sector(seed, halted).caar(0, 0).iloc[0] for halted in (False, True))
        assert one_halted["test"] == all_trade["test"] == "filtered_t"
        assert one_halted["se"] == pytest.approx(all_trade["se"], rel=0.04)
        assert one_halted["se"] == pytest.approx(0.02 * np.sqrt(0.2 + 0.8 / 50), rel=0.35)


@pytest.mark.slow
def test_the_interval_covers_with_a_halted_firm():
    day, missed = Window(0, 0), []
    for seed in range(30):
        data = sector(seed, halted=True, n=12).fitted.test_input(day)
        row = es.results.averages.averages([data], None, 0.95).iloc[0]
        missed.append(not row["ci_low"] <= 0 <= row["ci_high"])
    assert sum(missed) <= 4  # the spread of the CARs misses ten and more


def test_one_number_wherever_the_mean_is_shown():
    results = sector(1, halted=True, n=8)
    row = results.caar(0, 1).iloc[0]
    forest = es.results.plot_data.forest(results.fitted, Window(0, 1)).iloc[-1]
    assert (forest["ci_low"], forest["ci_high"]) == (row["ci_low"], row["ci_high"])
    table = results.caar_table([(0, 1)]).sections[0].frame.iloc[0]
    assert (table["s.e."], table["p"]) == (row["se"], row["p_value"])
    column = es.event_table([results], 0, 1).sections[0].frame.iloc[:, 0]
    assert column.iloc[1] == f"({row['se']:.2%})"
    band = es.results.plot_data.caar_path(results.fitted, Window(0, 1)).iloc[-1]
    assert (band["ci_low"], band["ci_high"]) == (row["ci_low"], row["ci_high"])


def test_the_row_names_the_lead_where_the_two_disagree():
    rng = np.random.default_rng(4)
    dates = pd.bdate_range("2018-01-01", periods=320)
    market = rng.normal(0, 0.01, 320)
    names = [f"S{i}" for i in range(6)]
    returns = market[:, None] + 0.02 * rng.normal(size=(320, 6))
    # One of independent firms moves the mean, and its own spread with it.
    returns[[150 + 25 * i for i in range(6)], range(6)] += [-0.2, -0.05, -0.05, -0.05, -0.05, -0.05]
    table = es.Market(pd.DataFrame(returns, dates, names), benchmark=pd.Series(market, dates, name="i"))
    events = {"security": names, "date": [dates[150 + 25 * i] for i in range(6)]}
    results = es.EventStudy(table, events, estimation=(-120, -11), window=(-1, 1)).fit()
    row = results.caar(0, 0).iloc[0]
    lead = results.recommended(0, 0).iloc[0]
    disagree = (lead["p_value"] <= 0.05) != (row["p_value"] <= 0.05)
    assert (row["note"] != "") == disagree
    if disagree:
        assert row["note"].startswith(f"{lead['test']}, the test that leads in this design, has p ")


@pytest.mark.parametrize("side", ["less", "greater"])
def test_one_side_everywhere(side, panel):
    results = sector(2, halted=False, n=6)
    both, row = results.caar(0, 0).iloc[0], results.caar(0, 0, alternative=side).iloc[0]
    assert row["p_value"] == pytest.approx(
        stats.t.cdf(both["statistic"] * (1 if side == "less" else -1), both["dof"])
    )
    end, other = ("ci_high", "ci_low") if side == "less" else ("ci_low", "ci_high")
    assert np.isinf(row[other])
    assert abs(row[end] - both["caar"]) < abs(both[end] - both["caar"])
    assert row["detectable"] < both["detectable"]
    cars = results.car(0, 0, alternative=side)
    assert cars["p_value"].to_numpy() == pytest.approx(
        t_p_values(cars["t"].to_numpy(), cars["dof"].to_numpy(), side)
    )
    assert np.isinf(cars[other]).all()
    with pytest.raises(RequestError, match="alternative must be one of"):
        results.caar(0, 0, alternative="lower")


def test_one_sided_bounds_are_what_the_test_does_not_reject():
    low, high = t_bounds(np.array([0.03]), np.array([0.01]), 20, 0.95, "greater")
    assert t_p_values((0.03 - low) / 0.01, 20, "greater") == pytest.approx(0.05)
    assert high == np.inf


def test_nothing_to_choose_from_is_told(panel):
    made = panel(n=3, layout="distinct").abnormal
    with pytest.raises(RequestError, match="gives no standard error of the mean"):
        es.results.averages.averages([TestInput(made, Window(0, 0))], "bmp", 0.95)
