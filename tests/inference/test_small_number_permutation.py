"""Nguyen and Wolf's permutation against a slow, obvious oracle."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from eventstudy.inference.small_number_permutation import permutation_p_value, studentised_caar


@pytest.fixture(scope="module")
def returns(shared_reference):
    frame = pd.read_csv(shared_reference / "causal/perm/ar_inputs.csv")
    past = frame["window"] == "est"
    columns = ["T1", "T2", "T3", "T4", "T5"]
    return frame.loc[past, columns], frame.loc[~past, columns]


def test_drawn_splits_equal_the_oracle_draw_by_draw(returns, shared_reference):
    stored = json.loads((shared_reference / "causal/perm/small_number.json").read_text())
    estimation, event = returns
    for case in stored["cases"]:
        est = estimation[case["columns"]].to_numpy()
        evt = event[case["columns"]].to_numpy()[: case["n_event_days"]]
        groups = np.repeat(np.arange(len(case["w_sizes"])), case["w_sizes"])
        assert float(studentised_caar(est, evt)) == pytest.approx(case["t_caar"], rel=1e-10)
        t, p, exact, null = permutation_p_value(
            est, evt, groups, case["B"], np.random.default_rng(case["seed"])
        )
        assert t == pytest.approx(case["t_caar"], rel=1e-10)
        if exact:
            # The stored p-value is drawn: the exact one lies within its Monte Carlo error.
            assert p == pytest.approx(case["p"], abs=4 * np.sqrt(p * (1 - p) / case["B"]))
            assert len(null) in (251, 31626)
        else:
            assert p == pytest.approx(case["p"], abs=1e-12)


def test_enumeration_equals_the_exact_p_values(returns, shared_reference):
    stored = json.loads((shared_reference / "causal/perm/single_firm.json").read_text())
    estimation, event = returns
    n_compared = 0
    for case in stored:
        if case["statistic"] != "t_sd" or case["n_event_days"] > 2:
            continue
        est = estimation[[case["unit"]]].to_numpy()
        evt = event[[case["unit"]]].to_numpy()[: case["n_event_days"]]
        t, p, exact, null = permutation_p_value(est, evt, np.zeros(1, int), 99, np.random.default_rng(0))
        assert exact
        assert len(null) == case["n_splits"]
        assert t == pytest.approx(case["value"], rel=1e-10)
        assert p == pytest.approx(case["p_exact"], abs=1e-12)
        n_compared += 1
    assert n_compared == 10


def test_one_common_window_is_enumerated_jointly(returns, shared_reference):
    stored = json.loads((shared_reference / "causal/perm/small_number.json").read_text())["tiny_joint"]
    estimation, event = (frame[["T1", "T2"]].to_numpy() for frame in returns)
    t, p, exact, _ = permutation_p_value(
        estimation[:8], event[:2], np.zeros(2, int), 99, np.random.default_rng(0)
    )
    assert exact
    assert t == pytest.approx(stored["t_caar"], rel=1e-10)
    assert p == pytest.approx(stored["p_exact"], abs=1e-12)


@pytest.mark.parametrize("n_days", [1, 2])
def test_the_exact_test_has_its_size(n_days):
    """Among independent days of one law every rank of the observed split is equally likely."""
    rng = np.random.default_rng(7)
    rejected = []
    for _ in range(400):
        days = rng.standard_t(3, size=(39 + n_days, 2))
        _, p, exact, _ = permutation_p_value(days[:39], days[39:], np.zeros(2, int), 99, rng)
        assert exact
        rejected.append(p <= 0.1)
    assert np.mean(rejected) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 400))


def test_sides_share_the_splits():
    rng = np.random.default_rng(3)
    est, evt = rng.normal(size=(60, 1)), np.array([[2.0]])
    less, greater = (
        permutation_p_value(est, evt, np.zeros(1, int), 99, rng, side)[1] for side in ("less", "greater")
    )
    assert less + greater == pytest.approx(1 + 1 / 61)


def test_days_without_spread_have_no_p_value():
    zeros = np.zeros((30, 1))
    _, p, _, _ = permutation_p_value(zeros, np.array([[0.0]]), np.zeros(1, int), 99, np.random.default_rng(0))
    assert np.isnan(p)


def test_the_statistic_of_several_windows_is_that_of_each():
    rng = np.random.default_rng(4)
    past, event = rng.standard_normal((3, 12, 5)), rng.standard_normal((3, 2, 5))
    want = [event[i].mean(axis=1).sum() / (np.sqrt(2) * past[i].mean(axis=1).std(ddof=1)) for i in range(3)]
    np.testing.assert_allclose(studentised_caar(past, event), want, rtol=1e-12)
