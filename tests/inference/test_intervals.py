"""Intervals of one event's CAR: by inversion, by formula, by bootstrap, and their coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.procedures.intervals import event_intervals
from eventstudy.inference.procedures.mean_bootstrap import bca_interval, bootstrap_means, mean_intervals
from eventstudy.text import minus
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
    assert minus(f"{usual['ci_low']:.2%} to {usual['ci_high']:.2%}") in row["note"]


@pytest.mark.slow
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


@pytest.mark.parametrize("alternative", ["less", "greater"])
def test_one_sided_intervals_hold_what_the_one_sided_test_does_not_reject(panel, alternative):
    data = panel(n=1, width=120, seed=4, effect=0.02).test(0, 1)
    options = Options(alternative, seed=1)
    rows = event_intervals(data, level=0.9, options=options).set_index("method")
    bounded, free = ("ci_high", "ci_low") if alternative == "less" else ("ci_low", "ci_high")
    assert np.isinf(rows[free]).all()
    assert np.isfinite(rows[bounded]).all()
    assert (rows["note"] == "").all()
    outward = 1 if alternative == "less" else -1
    for method in ("t", "conformal"):
        bound = rows.loc[method, bounded]
        outside, inside = (
            run_tests(without(data, bound + step), [method], options)["p_value"].iloc[0]
            for step in (outward * 1e-7, -outward * 1e-7)
        )
        assert outside <= 0.1 + 1e-5 < inside + 2e-5
    # The percentile-t bound is the CAR less a quantile of the draws, of one tail.
    draws = run_tests(data, ["bootstrap_t"], options)
    assert draws["p_value"].iloc[0] <= 1
    wide = event_intervals(data, ["bootstrap_t"], 0.8, Options(seed=1)).iloc[0]
    assert rows.loc["bootstrap_t", bounded] == pytest.approx(wide[bounded], rel=1e-12)


def test_one_sided_tests_name_a_one_sided_interval(panel):
    data = panel(n=1, width=120, seed=4, effect=0.02).test(0, 0)
    for alternative, word in (("less", "95% interval up to"), ("greater", "95% interval from")):
        notes = run_tests(data, ["conformal", "bootstrap_t"], Options(alternative))["note"]
        assert notes.str.contains(word).all()


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_bca_is_that_of_scipy_with_the_same_draws(alternative, level):
    x = np.random.default_rng(1).chisquare(4, 17) - 3.0
    found = stats.bootstrap(
        (x,), np.mean, n_resamples=1999, confidence_level=level, alternative=alternative, method="BCa",
        rng=np.random.default_rng(7),
    )  # fmt: skip
    draws = bootstrap_means(x, np.ones(17), 1999, np.random.default_rng(7))
    np.testing.assert_allclose(np.sort(draws), np.sort(found.bootstrap_distribution), atol=1e-13)
    low, high = bca_interval(float(x.mean()), draws, (x.sum() - x) / 16, level, alternative)
    assert (low, high) == pytest.approx(tuple(found.confidence_interval), abs=1e-10)


def test_bca_draws_whole_dates(panel):
    """Dates of two events each: the interval is that of the means of the dates."""
    data = panel(n=16, layout="distinct", seed=2).test(0, 1)
    pairs = np.arange(16) // 2
    totals, sizes = np.bincount(pairs, data.car), np.bincount(pairs).astype(float)
    draws = bootstrap_means(totals, sizes, 500, np.random.default_rng(3))
    again = bootstrap_means(totals / 2, np.ones(8), 500, np.random.default_rng(3))
    np.testing.assert_allclose(draws, again, rtol=1e-12)
    sizes[0] = 4.0
    first = np.random.default_rng(3).integers(8, size=(500, 8))[0]
    drawn = bootstrap_means(totals, sizes, 500, np.random.default_rng(3))[0]
    assert drawn == pytest.approx(totals[first].sum() / sizes[first].sum())


def test_mean_intervals_by_method(panel):
    data = panel(n=24, layout="distinct", seed=2, effect=0.01).test(0, 1)
    frame = mean_intervals(data, None, 0.95, Options(seed=1)).set_index("method")
    assert frame.index.tolist() == ["cross_sectional", "bca"]
    half = stats.t.ppf(0.975, 23) * data.car.std(ddof=1) / np.sqrt(24)
    row = frame.loc["cross_sectional"]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((data.car.mean() - half, data.car.mean() + half))
    assert "24 events; with fewer than 50" in frame.loc["bca", "note"]
    order = np.random.default_rng(0).permutation(24)
    shuffled = mean_intervals(data.take(order), ["bca"], 0.95, Options(seed=1)).iloc[0]
    assert shuffled["ci_low"] == pytest.approx(frame.loc["bca", "ci_low"], rel=1e-12)
    up = mean_intervals(data, ["bca", "cross_sectional"], 0.95, Options("greater", seed=1))
    assert np.isposinf(up["ci_high"]).all()
    assert (up["ci_low"].to_numpy() > frame["ci_low"].loc[["bca", "cross_sectional"]].to_numpy()).all()


def test_mean_intervals_say_why_there_is_none(panel):
    one_date = mean_intervals(panel(n=6, layout="common").test(0, 1), ["bca"], 0.95, Options()).iloc[0]
    assert np.isnan(one_date["ci_low"])
    assert "needs at least 5 dates to draw from, there are 1" in one_date["note"]
    with pytest.raises(RequestError, match="methods is a list"):
        mean_intervals(panel(n=6).test(0, 1), "bca", 0.95, Options())
    with pytest.raises(RequestError, match="gives no standard error"):
        mean_intervals(panel(n=6).test(0, 1), ["bmp"], 0.95, Options())
