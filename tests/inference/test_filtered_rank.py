"""The filtered rank test: its ranks and scores, what moves it, and its size where volatility has changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.inference import TestInput, run_tests
from eventstudy.inference.engine.rank_kernel import ranks_among, scaled_ranks
from eventstudy.inference.filtered_rank import fat_tailed_score, score_variance
from eventstudy.windows import Window


def row(abnormal, window=(0, 0), key="filtered_rank"):
    return run_tests(TestInput(abnormal, Window(*window)), [key]).iloc[0]


@pytest.mark.parametrize("tied", [False, True])
def test_counted_ranks_are_sorted_ranks(tied):
    rng = np.random.default_rng(1)
    past, values = rng.normal(size=(7, 60)), rng.normal(size=(7, 4))
    past[2, 5:20] = values[3, 1] = values[4] = np.nan
    if tied:
        past, values = past.round(0), values.round(0)
    want = scaled_ranks(np.concatenate([past, values], axis=1))[:, 60:]
    np.testing.assert_array_equal(ranks_among(past, values), want)


def test_scores_are_quantiles_and_their_variance_that_of_drawing_without_replacement():
    size, length = 6, 2
    scores = fat_tailed_score(np.arange(1, size + 1) / (size + 1) - 0.5)
    assert scores == pytest.approx(stats.t.ppf(np.arange(1, size + 1) / (size + 1), 5))
    sums = [a + b for i, a in enumerate(scores) for j, b in enumerate(scores) if i != j]
    factor = length * (size - length) / (size - 1)
    assert np.var(sums) == pytest.approx(factor * score_variance(size))


def test_a_fall_on_one_of_three_days_is_found_where_ranks_miss_it(panel):
    """A rank is at most half, whatever the fall; the scores of extreme ranks lie further out."""
    p = []
    for seed in range(20):
        made = panel(n=6, layout="distinct", width=200, seed=seed).abnormal
        ar = made.ar.copy()
        ar[:, made.columns(Window(0, 0))] -= 0.5
        keys = ["filtered_rank", "cumrank_z"]
        p.append(run_tests(TestInput(replace(made, ar=ar), Window(-1, 1)), keys).set_index("test")["p_value"])
    found = (np.array(p) <= 0.05).mean(axis=0)
    assert found[0] == 1.0
    assert found[1] <= 0.9


def test_volatility_that_had_risen_makes_it_smaller(panel, with_arrays):
    made = panel(n=12, layout="distinct", seed=4, effect=0.03).abnormal
    past = made.past.residuals()
    restless = past * np.where(np.arange(past.shape[1]) < past.shape[1] - 15, 1.0, 3.0)
    statistic = [abs(row(with_arrays(made, residuals=each))["statistic"]) for each in (past, restless)]
    assert statistic[0] > 1.5 * statistic[1] > 0
    ranks = [abs(row(with_arrays(made, residuals=e), key="rank")["statistic"]) for e in (past, restless)]
    assert ranks[0] < 1.2 * ranks[1]


def test_missing_days_count_no_rank(panel):
    made = panel(n=8, layout="distinct", seed=4, effect=0.02).abnormal
    ar = made.ar.copy()
    ar[0, made.columns(Window(1, 1))] = np.nan
    several = row(replace(made, ar=ar), (0, 1))
    assert several["applicable"]
    assert several["statistic"] != row(made, (0, 1))["statistic"]


def test_one_event_a_short_past_and_events_before_their_estimation_windows_are_refused(panel):
    assert row(panel(n=1).abnormal)["note"] == "not applicable: one event"
    assert "an event has only" in row(panel(n=8, width=25).abnormal)["note"]
    quiet = panel(n=8).abnormal
    after = replace(quiet, estimated_after=np.ones(8, dtype=bool))
    assert "must end before the event" in row(after)["note"]


def test_it_holds_its_size_on_dates_of_their_own_and_finds_an_effect():
    found = es.lab.calibrate(
        es.lab.simulate_market(40, 900, seed=6, tails=4).market, 0, 1, n_events=6, n_samples=600,
        estimation=(-120, -11), tests=["filtered_rank", "filtered_sq", "cumrank_z"],
        shift=[0, 0.04, 0.5], seed=2,
    )  # fmt: skip
    rate = (found.p_values[:, 0, 0] <= 0.05).mean(axis=0)  # shifts, tests
    filtered, sums, ranks = rate.T
    assert 0.03 <= filtered[0] <= 0.075
    assert filtered[1] > sums[1] + 0.05
    assert filtered[2] == 1.0 > ranks[2] + 0.03
