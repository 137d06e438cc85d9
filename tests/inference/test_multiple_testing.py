"""Adjusted p-values against statsmodels, a loop, and the probability of a false rejection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput
from eventstudy.inference.engine.draws import day_counts, draw_days, null_t
from eventstudy.inference.procedures.multiple_testing import adjust, firm_tests, romano_wolf
from eventstudy.windows import Window


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
@pytest.mark.parametrize("m", [1, 2, 17])
def test_adjust_equals_statsmodels(method, theirs, m):
    p = np.random.default_rng(m).random(m) ** 3
    p[m // 2] = p[0]
    assert adjust(p, method) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-14)


def test_adjust_passes_missing_ones_over():
    found = adjust([0.01, np.nan, 0.02], "holm")
    assert found[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(found[1])
    assert adjust([], "bh").shape == (0,)


def test_adjust_refuses_other_methods_and_values():
    with pytest.raises(RequestError, match="'holm' or 'bh'"):
        adjust([0.1], "sidak")
    with pytest.raises(RequestError, match="between 0 and 1"):
        adjust([0.1, 1.2])


def slow_romano_wolf(t, draws, sign):
    order = np.argsort(-sign(t))
    p, last = np.empty(len(t)), 0.0
    for s, j in enumerate(order):
        hits = sum(sign(row[order[s:]]).max() >= sign(t)[j] for row in draws)
        last = p[j] = max(last, (1 + hits) / (len(draws) + 1))
    return p


@pytest.mark.parametrize(
    ("alternative", "sign"), [("two-sided", np.abs), ("greater", np.positive), ("less", np.negative)]
)
def test_romano_wolf_equals_the_loop(alternative, sign, monkeypatch):
    rng = np.random.default_rng(0)
    t, draws = 1.5 * rng.standard_normal(9), rng.standard_normal((80, 9))
    want = slow_romano_wolf(t, draws, sign)
    assert romano_wolf(t, draws, alternative) == pytest.approx(want, abs=1e-14)
    monkeypatch.setattr("eventstudy.inference.engine.draws.HELD", 200)
    assert romano_wolf(t, draws, alternative) == pytest.approx(want, abs=1e-14)


def test_romano_wolf_counts_an_undefined_draw_as_extreme():
    """A statistic without a value in a draw might have been any: it never makes a p-value smaller."""
    draws = np.array([[0.1, np.nan], [0.2, 0.3], [0.3, 0.1], [0.1, 0.2]])
    # Both hypotheses see the first draw: the larger statistic by the maximum over both.
    assert romano_wolf(np.array([5.0, 4.0]), draws) == pytest.approx([2 / 5, 2 / 5])
    assert romano_wolf(np.array([4.0, 5.0]), draws, "greater") == pytest.approx([2 / 5, 2 / 5])
    # Without the second hypothesis there is no undefined draw.
    assert romano_wolf(np.array([5.0, np.nan]), draws) == pytest.approx([1 / 5, np.nan], nan_ok=True)


def test_romano_wolf_of_equal_columns_is_one_hypothesis():
    rng = np.random.default_rng(0)
    draws = np.tile(rng.standard_normal((199, 1)), (1, 6))
    single = romano_wolf(np.array([2.1]), draws[:, :1])
    assert romano_wolf(np.full(6, 2.1), draws) == pytest.approx(np.full(6, single[0]))


def test_romano_wolf_of_windows_and_groups():
    """Windows are other days of the same draws; groups are columns."""
    rng = np.random.default_rng(1)
    series = rng.standard_normal((100, 2))
    days, past = draw_days(499, 3, 100, rng), day_counts(draw_days(499, 100, 100, rng), 100)
    windows = [null_t(series, day_counts(days[:, part], 100), past) for part in (slice(0, 1), slice(0, 3))]
    draws = np.hstack(windows)
    assert np.corrcoef(draws[:, 0], draws[:, 2])[0, 1] == pytest.approx(1 / np.sqrt(3), abs=0.1)
    p = romano_wolf(np.array([3.5, 0.5, 2.2, 0.1]), draws)
    assert p[0] < 0.02 < p[2] < p[1] <= p[3]


@pytest.mark.parametrize("adjustment", ["romano-wolf", "holm", "bh"])
def test_firm_tests(adjustment, panel):
    made = panel(n=10, layout="common", missing=0.1, seed=3)
    ar = made.abnormal.ar.copy()
    ar[4] = np.nan
    ar[7, 2:4] -= 0.3
    data = TestInput(replace(made.abnormal, ar=ar), Window(0, 1))
    frame = firm_tests(data, adjustment, Options(seed=1))
    assert list(frame) == ["car", "se", "t", "dof", "p_value", "p_adjusted"]
    assert frame.loc[4].drop("dof").isna().all()
    known = frame.drop(index=4)
    assert (known["p_adjusted"] <= 1).all()
    assert known["p_adjusted"].idxmin() == 7
    assert known.loc[7, "p_adjusted"] < 0.01
    if adjustment != "romano-wolf":
        assert (known["p_adjusted"] >= known["p_value"]).all()
        assert known["p_adjusted"].to_numpy() == pytest.approx(adjust(known["p_value"], adjustment))


@pytest.mark.parametrize("side", ["less", "greater"])
def test_firm_tests_one_sided(side, panel):
    made = panel(n=6, layout="common", seed=3, effect=-0.1)
    frame = firm_tests(made.test(0, 0), "romano-wolf", Options(side, seed=1))
    assert (frame["p_value"] < 0.5).all() == (side == "less")
    assert (frame["p_adjusted"] < 0.1).all() == (side == "less")


def test_order_of_firms_and_seed(panel):
    made = panel(n=8, layout="mixed", missing=0.1, seed=3)
    order = np.random.default_rng(0).permutation(8)
    first = firm_tests(made.test(0, 1), options=Options(seed=4))
    again = firm_tests(TestInput(made.abnormal.take(order), Window(0, 1)), options=Options(seed=4))
    assert again["p_adjusted"].to_numpy() == pytest.approx(first["p_adjusted"].to_numpy()[order])


def test_firm_tests_know_the_correlation(panel):
    """Identical events are one hypothesis: nothing to adjust for."""
    one = panel(n=1, seed=6, effect=0.02).abnormal.take(np.zeros(12, dtype=int))
    frame = firm_tests(TestInput(one, Window(0, 0)), options=Options(seed=1))
    alone = firm_tests(panel(n=1, seed=6, effect=0.02).test(0, 0), options=Options(seed=1))
    assert frame["p_adjusted"].to_numpy() == pytest.approx(alone["p_adjusted"].iloc[0])
    assert frame["p_adjusted"].iloc[0] < 0.5
    holm = firm_tests(TestInput(one, Window(0, 0)), "holm")
    assert holm["p_adjusted"].to_numpy() == pytest.approx(np.minimum(1, 12 * frame["p_value"]))


def test_firm_tests_refuse_other_adjustments(panel):
    with pytest.raises(RequestError, match="'romano-wolf', 'holm', 'bh'"):
        firm_tests(panel().test(0, 1), "bonferroni")
    with pytest.raises(RequestError, match="'two-sided', 'less', 'greater'"):
        firm_tests(panel().test(0, 1), options=Options("lower"))


def test_firm_tests_without_a_car(panel):
    made = panel(n=3).abnormal
    data = TestInput(replace(made, ar=np.full_like(made.ar, np.nan)), Window(0, 1))
    assert firm_tests(data)["p_adjusted"].isna().all()


def test_chance_of_any_false_rejection():
    """Ten correlated firms under the null: one in twenty samples may reject any."""
    rng, hits, raw = np.random.default_rng(0), 0, 0
    for _ in range(300):
        z = np.sqrt(0.5) * rng.standard_normal((101, 1)) + np.sqrt(0.5) * rng.standard_normal((101, 10))
        past = z[:100] - z[:100].mean(axis=0)
        t = (z[100] - z[:100].mean(axis=0)) / past.std(axis=0, ddof=1) / np.sqrt(1.01)
        series = past / np.sqrt(0.99)
        event = day_counts(draw_days(199, 1, 100, rng), 100)
        draws = null_t(series, event, day_counts(draw_days(199, 100, 100, rng), 100))
        hits += romano_wolf(t, draws).min() <= 0.05
        raw += (np.abs(t) > 1.984).any()
    assert hits / 300 == pytest.approx(0.05, abs=0.035)
    assert raw / 300 > 0.2
