"""What an insignificant test could have found: against brute force, formulas and simulated power."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.inference import (
    TESTS,
    Options,
    SignificanceTest,
    Statistic,
    minimum_detectable_effect,
    run_tests,
)
from eventstudy.inference.bootstrap import (
    clustered_t,
    least_bootstrap_effect,
    least_sign_effect,
    pairs_bootstrap,
)
from eventstudy.inference.dependence.mean_correlation import correlation_matrix, dependence
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.filtered_quantile import FilteredDates, least_score_effect, quantile_score
from eventstudy.inference.power_and_detectable_effect import (
    detectable,
    expected_sd_of_sums,
    least_common_effect,
    least_mean_effect,
    least_shift,
    power_normal,
    power_standardised_mean,
    power_t,
)

SIDES = ["two-sided", "less", "greater"]


def told(row):
    """The effect that the note of a row names."""
    return (
        float(re.search(r"of (?:at least )?(\d+\.\d+)% would be found with probability 0.8", row["note"])[1])
        / 100
    )


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("skew", [False, True])
def test_least_shift_is_found_with_probability_0_8(side, skew):
    rng = np.random.default_rng(3)
    null = rng.chisquare(4, 999) - 4 if skew else rng.standard_normal(999)
    least = least_shift(null, side)

    def power(shift):
        return np.mean([resampled_p_value(x + shift, null, side) <= 0.05 for x in null])

    directions = {"two-sided": (1, -1), "less": (-1,), "greater": (1,)}[side]
    found = [power(sign * least * 1.0001) for sign in directions]
    assert min(found) == pytest.approx(0.8, abs=0.002)
    assert min(power(sign * least * 0.99) for sign in directions) < 0.8


def test_least_shift_where_no_rank_reaches_the_level():
    assert least_shift(np.arange(18.0)) == math.inf
    assert least_shift(np.arange(19.0)) < math.inf


@pytest.mark.parametrize("side", SIDES)
def test_tests_of_the_mean_name_the_effect_of_their_standard_error(panel, side):
    options = Options(side, n_resamples=999, seed=1)
    one_date = run_tests(panel(n=14, layout="common", seed=8).test(0, 1), ["portfolio", "lamb"], options)
    apart = panel(n=14, layout="distinct", seed=8).test(0, 1)
    others = run_tests(apart, ["cross_sectional", "independence", "jackknife"], options)
    rows = pd.concat([one_date, others])
    level = 0.05 if side == "two-sided" else 0.1
    for row in rows.to_dict("records"):
        if row["p_value"] <= 0.05:
            assert "would be found" not in row["note"]
            continue
        dof = 1e7 if math.isnan(row["dof"]) else row["dof"]
        least = minimum_detectable_effect(abs(row["estimate"] / row["statistic"]), dof, level)
        assert told(row) == pytest.approx(least, abs=5.1e-5)


@pytest.mark.parametrize(("key", "layout"), [("bmp", "distinct"), ("adjusted_bmp", "common")])
def test_standardised_means_name_a_car_found_with_probability_0_8(key, layout, panel):
    """In simulation: SCARs with the precisions and the mean correlation of the events, moved by that CAR."""
    data = panel(n=14, layout=layout, seed=8).test(0, 1)
    row = run_tests(data, [key]).iloc[0]
    effect, n = told(row), data.n_events
    dof = data.abnormal.dof
    precision = 1 / np.sqrt(data.cumulative.variance * dof / (dof - 2))
    r = dependence(data).mean_correlation if key == "adjusted_bmp" else 0.0
    rng = np.random.default_rng(1)
    own, shared = rng.normal(size=(40_000, n)), rng.normal(size=(40_000, 1))
    scar = effect * precision + np.sqrt(1 - r) * own + np.sqrt(r) * shared
    t = scar.mean(axis=1) / scar.std(axis=1, ddof=1) * np.sqrt(n * (1 - r) / (1 + (n - 1) * r))
    assert np.mean(np.abs(t) > stats.t.ppf(0.975, n - 1)) == pytest.approx(0.8, abs=0.02)


def test_no_car_is_named_where_none_is_found_so_often(panel):
    """Two events of different volatility: a common CAR spreads their SCARs as much as it moves the mean."""
    assert least_common_effect(np.array([1 / 0.012, 1 / 0.018, 1 / 0.027])) is None
    data = panel(n=2, layout="distinct", seed=3).test(0, 1)
    note = run_tests(data, ["bmp"])["note"].iloc[0]
    assert "no mean CAR would be found with probability 0.8" in note


@pytest.mark.parametrize("n", [2, 3, 5, 12, 50])
def test_equal_volatilities_need_what_the_noncentral_t_says(n):
    least = least_common_effect(np.full(n, 50.0))
    assert least == pytest.approx(minimum_detectable_effect(0.02 / np.sqrt(n), n - 1), rel=1e-4)


@pytest.mark.parametrize(("sd", "dof"), [((0.02, 0.02), 219), ((0.019, 0.02, 0.022), 59)])
def test_the_error_of_the_precisions_spreads_the_scars_too(sd, dof):
    """The effect is found with probability 0.8 if the variances are estimated anew in each sample."""
    rng, precision = np.random.default_rng(2), 1 / np.array(sd)
    n, mean = len(sd), precision.mean()
    # Estimates have the same mean, and a sum of squares about it that their error makes (N - 1) tau^2 larger.
    away = precision - mean if np.ptp(precision) else np.array([-1.0, 1.0])
    larger = ((precision - mean) ** 2).sum() + (n - 1) * (precision**2).mean() / (2 * dof)
    estimated = mean + away * np.sqrt(larger / (away**2).sum())
    effect = least_common_effect(estimated, dof=dof)
    scaled = np.sqrt(rng.chisquare(dof, (200_000, n)) / dof)
    scar = (effect * precision + rng.normal(size=scaled.shape)) / scaled
    t = scar.mean(axis=1) / scar.std(axis=1, ddof=1) * np.sqrt(n)
    assert np.mean(np.abs(t) > stats.t.ppf(0.975, n - 1)) == pytest.approx(0.8, abs=0.015)


def test_two_events_with_short_estimation_windows_find_nothing_so_often():
    assert least_common_effect(np.full(2, 50.0), dof=219) > 1.09 * least_common_effect(np.full(2, 50.0))
    assert least_common_effect(np.full(2, 50.0), dof=59) is None


@pytest.mark.parametrize(("statistic", "estimate"), [(0.3, 0.0), (0.0, 0.01)])
def test_an_effect_without_a_standard_error_is_not_named(panel, statistic, estimate):
    """The standard error is the estimate over the statistic, so neither may be zero."""

    def declared(statistic, estimate):
        return SignificanceTest(
            "fixed", "Fixed", "mean CAR is zero", "N(0,1)", frozenset(), "none",
            lambda data, options: Statistic(statistic, 0.9, "normal", None, estimate), unit="CAR",
        )  # fmt: skip

    data = panel(n=14, layout="distinct", seed=8).test(0, 1)
    note = run_tests(data, [declared(statistic, estimate)]).iloc[0]["note"]
    assert "would be found" not in (note or "")
    other = run_tests(data, [declared(0.3, 0.01)]).iloc[0]
    assert told(other) == pytest.approx(minimum_detectable_effect(0.01 / 0.3, 1e7), abs=5.1e-5)


@pytest.mark.parametrize("key", ["t", "sq", "conformal", "bootstrap_t", "garch_t"])
def test_every_insignificant_test_of_one_event_says_it(panel, key):
    if key == "garch_t":
        pytest.importorskip("arch")
    data = panel(n=1, width=250, seed=5).test(0, 0)
    row = run_tests(data, [key], Options(n_resamples=999, seed=1)).iloc[0]
    assert row["p_value"] > 0.05
    normal = minimum_detectable_effect(math.sqrt(data.cumulative.variance[0]), 248)
    assert told(row) == pytest.approx(normal, rel=0.2)
    found = run_tests(panel(n=1, width=250, seed=6, effect=0.3).test(0, 0), [key], Options(seed=1)).iloc[0]
    assert "would be found" not in found["note"]


@pytest.mark.parametrize("key", ["block_bootstrap", "permutation", "bootstrap", "wild_bootstrap"])
def test_drawn_tests_of_many_events_say_it(panel, key):
    layout = "common" if key in {"block_bootstrap", "permutation"} else "distinct"
    data = panel(n=30, width=120, layout=layout, seed=6).test(0, 0)
    row = run_tests(data, [key], Options(n_resamples=999, seed=1)).iloc[0]
    assert row["p_value"] > 0.05
    like = "portfolio" if layout == "common" else "cross_sectional"
    other = run_tests(data, [like]).iloc[0]
    normal = minimum_detectable_effect(abs(other["estimate"] / other["statistic"]), other["dof"])
    assert told(row) == pytest.approx(normal, rel=0.2)


def test_detectable_effects_of_many_at_once():
    se, dof = (
        np.array([0.02, 0.01, np.nan, 0.0, 0.03, 0.02]),
        np.array([58.0, 248.0, 58.0, 58.0, np.nan, np.inf]),
    )
    found = detectable(se, dof)
    assert found[:2] == pytest.approx(
        [minimum_detectable_effect(0.02, 58), minimum_detectable_effect(0.01, 248)]
    )
    assert np.isnan(found[2:5]).all()
    assert found[5] == pytest.approx(0.02 * 2.8016, rel=1e-4)


@pytest.mark.parametrize("sd", [(0.012, 0.027), (0.012, 0.018, 0.027), (0.012, 0.02, 0.03, 0.015, 0.018)])
@pytest.mark.parametrize("effect", [0.005, 0.05, 0.2])
def test_the_power_of_standardised_means_by_simulation(sd, effect):
    precision = 1 / np.array(sd)
    n = len(precision)
    z = effect * precision + np.random.default_rng(1).normal(size=(100_000, n))
    t = z.mean(axis=1) / (z.std(axis=1, ddof=1) / np.sqrt(n))
    simulated = (np.abs(t) > stats.t.ppf(0.975, n - 1)).mean()
    assert power_standardised_mean(effect, precision) == pytest.approx(simulated, abs=0.006)


def test_equal_precisions_have_the_noncentral_t():
    assert power_standardised_mean(0.1, np.full(5, 20.0)) == pytest.approx(
        power_t(0.1, 0.05 / np.sqrt(5), 4), rel=1e-12
    )


@pytest.mark.parametrize("dof", [2, 9, 248])
def test_one_sided_power_is_the_upper_tail_of_noncentral_t(dof):
    c = stats.t.ppf(0.95, dof)
    for effect in (-0.02, 0.0, 0.03):
        want = stats.nct.sf(c, dof, effect / 0.02) if effect else 0.05
        assert power_t(effect, 0.02, dof, alternative="greater") == pytest.approx(want, abs=1e-10)
        assert power_t(-effect, 0.02, dof, alternative="less") == pytest.approx(want, abs=1e-10)
    least = minimum_detectable_effect(0.02, dof, alternative="less")
    assert least == minimum_detectable_effect(0.02, dof, alternative="greater")
    assert power_t(least, 0.02, dof, alternative="greater") == pytest.approx(0.8, abs=1e-9)
    normal = (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) * 0.02
    if dof == 248:
        assert least == pytest.approx(normal, rel=0.01)


def test_one_sided_power_of_means():
    c = stats.norm.ppf(0.95)
    assert power_normal(0.01, 0.03, 20, alternative="greater") == pytest.approx(
        stats.norm.sf(c - 0.01 * np.sqrt(20) / 0.03), abs=1e-12
    )
    assert power_normal(0.01, 0.03, 20, alternative="less") == pytest.approx(
        stats.norm.cdf(-c - 0.01 * np.sqrt(20) / 0.03), abs=1e-12
    )
    precision = 1.0 / np.linspace(0.01, 0.03, 8)
    both = power_standardised_mean(0.02, precision, 0.9, 0.1)
    tails = [power_standardised_mean(0.02, precision, 0.9, 0.05, side) for side in ("greater", "less")]
    assert both == pytest.approx(sum(tails), abs=1e-12)
    assert tails == [power_standardised_mean(-0.02, precision, 0.9, 0.05, s) for s in ("less", "greater")]
    least = least_common_effect(precision, alternative="less")
    assert power_standardised_mean(least, precision, alternative="greater") == pytest.approx(0.8, abs=1e-4)


UNEQUAL = np.array([0.01, 0.015, 0.02, 0.025, 0.03, 0.035])


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("factor", "shared"), [(1.0, 0.0), (1.4, 0.15)])
def test_a_t_of_few_unequal_values_finds_its_effect_with_probability_0_8(side, factor, shared):
    """Values drawn anew, moved by the effect, and tested one sample at a time."""
    least = least_mean_effect(UNEQUAL, 5, side, factor, shared)
    rng = np.random.default_rng(9)
    sign = -1 if side == "less" else 1
    t = []
    for _ in range(4000):
        z = np.sqrt(1 - shared) * rng.standard_normal(6) + np.sqrt(shared) * rng.standard_normal()
        x = sign * least + UNEQUAL * z
        t.append(x.mean() / (x.std(ddof=1) / np.sqrt(6)) / factor)
    t = np.array(t)
    p = {"two-sided": 2 * stats.t.sf(np.abs(t), 5), "less": stats.t.cdf(t, 5)}.get(side, stats.t.sf(t, 5))
    assert np.mean(p <= 0.05) == pytest.approx(0.8, abs=0.025)


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("sizes", [np.ones(6), np.array([3.0, 1.0, 1.0, 2.0, 1.0, 1.0])])
def test_signs_of_few_dates_find_their_effect_with_probability_0_8(side, sizes):
    """All patterns of signs written out, and the clustered t of each."""
    sd = UNEQUAL * np.sqrt(sizes)
    least = least_sign_effect(sd, sizes, side)
    rng, sign = np.random.default_rng(4), -1 if side == "less" else 1
    patterns = np.array(list(itertools.product([1.0, -1.0], repeat=6)))
    rejected = 0
    for _ in range(500):
        totals = sign * least * sizes + sd * rng.standard_normal(6)
        t = np.array([clustered_t(w * totals, sizes) for w in patterns])
        t = {"two-sided": np.abs(t), "less": -t, "greater": t}[side]
        rejected += (t >= t[0] - 1e-10 * abs(t[0])).mean() <= 0.05
    assert rejected / 500 == pytest.approx(0.8, abs=0.065)


def test_signs_that_cannot_reject_find_nothing():
    assert least_sign_effect(np.ones(5), np.ones(5)) == math.inf
    assert least_sign_effect(np.ones(5), np.ones(5), "greater") < math.inf
    assert least_sign_effect(np.ones(4), np.ones(4), "greater") == math.inf


@pytest.mark.parametrize("side", ["two-sided", "less"])
def test_resamples_of_few_events_find_their_effect_with_probability_0_8(side):
    least = least_bootstrap_effect(UNEQUAL, side)
    rng, sign = np.random.default_rng(6), -1 if side == "less" else 1
    rejected = 0
    for _ in range(600):
        x = sign * least + UNEQUAL * rng.standard_normal(6)
        t = x.mean() / (x.std(ddof=1) / np.sqrt(6))
        rejected += resampled_p_value(t, pairs_bootstrap(x, 199, rng), side) <= 0.05
    assert rejected / 600 == pytest.approx(0.8, abs=0.065)
    assert least_bootstrap_effect(np.ones(2), side) == math.inf  # half of the resamples have no spread


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("side", SIDES)
def test_scores_of_few_dates_find_their_effect_with_probability_0_8(side):
    rng = np.random.default_rng(2)
    pools = tuple(rng.standard_normal(220) for _ in range(2))
    scale, weight = np.array([0.01, 0.03]), np.array([0.5, 0.5])
    dates = FilteredDates(np.zeros(2), weight, scale, pools, np.ones(2), np.eye(2), 1, True)
    least = least_score_effect(dates, side)
    sign, part = -1 if side == "less" else 1, weight * scale
    z = []
    for _ in range(1500):
        moved = [rng.choice(pool) + sign * least / s for pool, s in zip(pools, scale, strict=True)]
        scores = [quantile_score(v, pool) for v, pool in zip(moved, pools, strict=True)]
        z.append(part @ scores / np.sqrt(part @ part))
    z = np.array(z)
    p = {"two-sided": 2 * stats.norm.sf(np.abs(z)), "less": stats.norm.cdf(z)}.get(side, stats.norm.sf(z))
    assert (p <= 0.05).mean() == pytest.approx(0.8, abs=0.05)
    few = FilteredDates(np.zeros(2), weight, scale, (np.arange(4.0),) * 2, np.ones(2), np.eye(2), 1, True)
    assert least_score_effect(few, side) == math.inf


def test_sums_of_a_date_have_the_variance_of_correlated_cars(panel):
    made = panel(n=6, layout="common", seed=8)
    data = made.test(0, 0)
    groups = np.array([0, 1, 0, 2, 2, 2])
    found = expected_sd_of_sums(data, groups)
    fit = data.abnormal
    r = correlation_matrix(fit.past.residuals(), fit.past.dates(), data.tested_dates)
    sd = expected_sd_of_sums(data, np.arange(6))
    assert found[0] == pytest.approx(np.sqrt(sd[0] ** 2 + sd[2] ** 2 + 2 * r[0, 2] * sd[0] * sd[2]))
    assert found[1] == pytest.approx(sd[1])
    part = sd[3:]
    assert found[2] == pytest.approx(np.sqrt(part @ r[3:, 3:] @ part))


@pytest.mark.parametrize("key", ["cross_sectional", "bmp", "jackknife", "patell"])
def test_a_test_that_ignores_correlation_names_no_effect_on_one_date(panel, key):
    assert (
        "would be found"
        in run_tests(panel(n=14, layout="distinct", seed=8).test(0, 1), [key])["note"].iloc[0]
    )
    row = run_tests(panel(n=14, layout="common", seed=8).test(0, 1), [key]).iloc[0]
    assert row["p_value"] > 0.05
    assert "would be found" not in (row["note"] or "")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("dates", "n_resamples"), [(6, 19), (7, 99), (6, 999), (11, 4999)])
def test_p_of_signs_never_falls_below_its_floor(panel, side, dates, n_resamples):
    effect = -0.5 if side == "less" else 0.5
    data = panel(n=dates, layout="distinct", seed=2, effect=effect).test(0, 0)
    floor = 2.0 ** (1 - dates) if side == "two-sided" else 2.0**-dates
    p = TESTS["wild_bootstrap"].run(data, Options(side, n_resamples, seed=1)).p_value
    assert p >= floor
    if 2**dates <= n_resamples + 1:
        assert p == floor


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_the_power_of_standardised_cars_refuses_an_alpha_that_is_none(alpha):
    with pytest.raises(RequestError, match="alpha is the size of the test"):
        power_standardised_mean(0.01, np.array([20.0, 30.0]), alpha=alpha)


@pytest.mark.parametrize("precision", [0.0, -2.0, math.nan])
def test_the_power_of_standardised_cars_refuses_a_precision_that_is_none(precision):
    with pytest.raises(RequestError, match="must be positive"):
        power_standardised_mean(0.01, np.array([20.0, precision]))


def test_the_power_of_standardised_cars_refuses_an_alternative_that_is_none():
    with pytest.raises(RequestError, match="alternative"):
        power_standardised_mean(0.01, np.array([20.0, 30.0]), alternative="both")
