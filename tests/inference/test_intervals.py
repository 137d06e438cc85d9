"""Intervals of one event's CAR: by inversion, by formula, by bootstrap, and their coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.procedures.intervals import event_intervals
from eventstudy.windows import Window

ALL = ["t", "conformal", "bootstrap_t"]


def without(data, effect):
    """The same event with an effect taken off its returns, evenly over the tested days."""
    made = data.abnormal
    daily = np.zeros(made.ar.shape)
    daily[:, data.cols] = effect / len(data.window)
    return TestInput(replace(made, ar=made.ar - daily, actual=made.actual - daily), data.window)


@pytest.mark.parametrize("window", [(0, 0), (0, 2)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_conformal_interval_holds_the_effects_that_are_not_rejected(panel, window, level):
    data = panel(n=1, width=120, seed=4, effect=0.02).test(*window)
    row = event_intervals(data, ["conformal"], level).iloc[0]
    inside = np.linspace(row["ci_low"], row["ci_high"], 9)
    inside = np.clip(inside, row["ci_low"] + 1e-9, row["ci_high"] - 1e-9)
    outside = [row["ci_low"] - 1e-6, row["ci_high"] + 1e-6]
    p = [run_tests(without(data, e), ["conformal"])["p_value"].iloc[0] for e in [*inside, *outside]]
    assert min(p[:9]) > 1 - level
    assert max(p[9:]) <= 1 - level + 1e-12


def test_levels_and_methods(panel):
    data = panel(n=3, width=120, seed=4).test(0, 1)
    frame = event_intervals(data, level=0.9, options=Options(seed=1))
    assert frame["method"].tolist() == ALL * 3
    assert frame["event"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert (frame["ci_low"] < frame["car"]).all()
    assert (frame["car"] < frame["ci_high"]).all()
    wide = event_intervals(data, level=0.99, options=Options(seed=1))
    assert (wide["ci_low"] < frame["ci_low"]).all()
    assert (wide["ci_high"] > frame["ci_high"]).all()
    row = run_tests(data.take(np.arange(3) == 1), ["bootstrap_t"], Options(seed=1)).iloc[0]
    usual = event_intervals(data, ["bootstrap_t"], options=Options(seed=1)).iloc[1]
    assert f"{usual['ci_low']:.2%} to {usual['ci_high']:.2%}" in row["note"]


def test_coverage_under_fat_tails(panel, with_arrays):
    """Normal theory, the conformal test and the bootstrap hold a true effect of zero in 90 of 100 samples."""
    made = panel(n=200, width=60, layout="distinct", seed=5).abnormal
    rng = np.random.default_rng(0)
    noise = rng.standard_t(4, (200, 66))
    mean = noise[:, :60].mean(axis=1, keepdims=True)
    s2 = ((noise[:, :60] - mean) ** 2).sum(axis=1) / 59
    fresh = with_arrays(
        made,
        ar=noise[:, 60:] - mean,
        residuals=noise[:, :60] - mean,
        leverage=np.full((200, 60), 1 / 60),
        s2=s2,
        noise=np.repeat(s2[:, None], 6, axis=1),
        design=np.ones((200, 6, 1)),
        estimation_design=np.ones((200, 60, 1)),
        param_cov=(s2 / 60)[:, None, None],
        dof=np.full(200, 59.0),
        n_params=1,
    )
    options = Options(n_resamples=199, seed=1)
    frame = event_intervals(TestInput(fresh, Window(0, 0)), level=0.9, options=options)
    held = (
        frame.assign(held=(frame["ci_low"] <= 0) & (frame["ci_high"] >= 0)).groupby("method")["held"].mean()
    )
    assert held.to_numpy() == pytest.approx(0.9, abs=0.06)


def test_what_has_no_interval_says_why(panel):
    data = panel(n=2, seed=4).test(0, 1)
    ar = data.abnormal.ar.copy()
    ar[1] = np.nan
    frame = event_intervals(TestInput(replace(data.abnormal, ar=ar), data.window), options=Options(seed=1))
    assert frame.loc[3:, ["car", "ci_low", "ci_high"]].isna().all().all()
    assert frame.loc[3:, "note"].str.startswith("not applicable: no event has a CAR").all()
    assert (frame.loc[:2, "note"] == "").all()


def test_refusals(panel):
    data = panel(n=1).test(0, 1)
    with pytest.raises(RequestError, match="t, conformal, bootstrap_t"):
        event_intervals(data, ["sq"])
    with pytest.raises(RequestError, match="is a list"):
        event_intervals(data, "t")
    with pytest.raises(RequestError, match="between 0 and 1"):
        event_intervals(data, level=95)
