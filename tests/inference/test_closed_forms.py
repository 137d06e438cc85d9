"""Kernels against scipy, printed values and arithmetic by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from eventstudy.abnormal import AbnormalReturns, HeldWindows
from eventstudy.inference import TESTS, Options, TestInput, clustering, run_tests
from eventstudy.inference.calendar_time import jaffe_z, portfolio_variance
from eventstudy.inference.cross_section import (
    bmp_correction,
    hall_t,
    independence_z,
    jackknife_t,
    patell_correction,
    patell_z,
)
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.engine.factor_gls import factor_covariance, gls_weights
from eventstudy.inference.engine.moments import block_sums, johnson_t, mean_t, skewness
from eventstudy.inference.engine.rank_kernel import RankedDays, RankReducer, sign_profile
from eventstudy.inference.engine.residual_pass import ResidualChunk, past_sums
from eventstudy.inference.portfolio import lamb_z, portfolio_residuals
from eventstudy.inference.ranks import rank_profile, rank_z, scaled_ranks, t_of_rank_z
from eventstudy.inference.signs import median_signs_z, sign_z, signed_rank, signed_rank_p_value
from eventstudy.inference.single_event import sample_quantile
from eventstudy.windows import Window

GOLDEN = json.loads((Path(__file__).parents[1] / "reference" / "golden.json").read_text())
SIDES = ["two-sided", "less", "greater"]


@pytest.mark.parametrize("side", SIDES)
def test_cross_sectional_t_is_the_one_sample_t(side, panel):
    data = panel(seed=8, missing=0.1).test(-1, 1)
    want = stats.ttest_1samp(data.car, 0.0, alternative=side)
    for key in ("cross_sectional", "jackknife"):
        row = run_tests(data, [key], Options(alternative=side)).iloc[0]
        assert row["statistic"] == pytest.approx(want.statistic)
        assert row["p_value"] == pytest.approx(want.pvalue)


@pytest.mark.parametrize("side", SIDES)
def test_bmp_is_the_one_sample_t_of_scars(side, panel):
    data = panel(seed=8, missing=0.1).test(-1, 1)
    row = run_tests(data, ["bmp"], Options(alternative=side)).iloc[0]
    assert row["p_value"] == pytest.approx(stats.ttest_1samp(data.scar, 0.0, alternative=side).pvalue)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("n", [5, 14, 49, 50, 60])
def test_sign_test_is_the_binomial_test(side, n, panel):
    data = panel(n=n, seed=8, layout="distinct", width=20).test(0, 0)
    row = run_tests(data, ["sign"], Options(alternative=side)).iloc[0]
    positive = int((data.car > 0).sum())
    if n < 50:
        assert row["distribution"] == "binomial"
        want = stats.binomtest(positive, n, alternative=side).pvalue
    else:
        assert row["distribution"] == "normal"
        z = (positive - n / 2) / math.sqrt(n / 4)
        want = {
            "two-sided": 2 * stats.norm.sf(abs(z)),
            "less": stats.norm.cdf(z),
            "greater": stats.norm.sf(z),
        }[side]
    assert row["p_value"] == pytest.approx(want)
    assert row["estimate"] == pytest.approx(positive / n)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("n", [2, 6, 13, 25])
def test_signed_rank_test_is_exact(side, n):
    x = np.random.default_rng(n).standard_normal(n) + 0.2
    positive, _, ranks = signed_rank(x)
    want = stats.wilcoxon(x, alternative=side, method="exact")
    assert signed_rank_p_value(positive, ranks, side) == pytest.approx(want.pvalue, rel=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_signed_rank_test_is_exact_with_ties(side):
    """By listing all 2^n signs."""
    x = np.array([1.0, -1.0, 2.0, 2.0, -2.0, 3.0, 0.5, 0.5])
    positive, _, ranks = signed_rank(x)
    signs = (np.arange(2**8)[:, None] >> np.arange(8)) & 1
    sums = signs @ ranks
    below, above = (sums <= positive).mean(), (sums >= positive).mean()
    want = {"less": below, "greater": above, "two-sided": min(1.0, 2 * min(below, above))}[side]
    assert signed_rank_p_value(positive, ranks, side) == pytest.approx(want, rel=1e-12)


def test_signed_rank_test_of_many_is_normal(panel):
    data = panel(n=30, seed=8, layout="distinct", width=20).test(0, 0)
    row = run_tests(data, ["wilcoxon"]).iloc[0]
    want = stats.wilcoxon(data.car, method="approx", correction=False)
    assert row["distribution"] == "normal"
    assert row["p_value"] == pytest.approx(want.pvalue)


def test_scaled_ranks_average_ties_and_pass_over_missing_values():
    found = scaled_ranks(np.array([[1.0, 2.0, 2.0, np.nan, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0]]))
    assert found[0] == pytest.approx(
        [2 / 5 - 0.5, 3.5 / 5 - 0.5, 3.5 / 5 - 0.5, np.nan, 1 / 5 - 0.5], nan_ok=True
    )
    assert found[1] == pytest.approx(np.arange(5, 0, -1) / 6 - 0.5)


def test_rank_t_is_the_two_sample_t_of_its_day():
    """With the event day in S it is one day against all others: docs/methods/ranks.md, eq. (grank-t)."""
    rng = np.random.default_rng(0)
    profile = rank_profile(rng.standard_normal((9, 50)), rng.standard_normal((9, 1)), slice(0, 1))
    found = t_of_rank_z(rank_z(profile), profile.n_days)
    rest = profile.mean[:-1]
    want = (profile.mean[-1] - rest.mean()) / (rest.std(ddof=1) * math.sqrt(1 + 1 / 50))
    assert found == pytest.approx(want)


def test_rank_t_has_no_value_where_the_other_days_do_not_vary():
    assert math.isnan(t_of_rank_z(math.sqrt(49.0), 50))


def test_ranks_of_a_pass_in_chunks_are_those_of_the_whole():
    rng = np.random.default_rng(1)
    values, event = rng.standard_normal((23, 40)), rng.standard_normal((23, 3))
    whole, signs = rank_profile(values, event, slice(1, 3)), sign_profile(values, event)
    reduction = RankReducer(
        {
            "ranks": RankedDays(event.shape, event.__getitem__, slice(1, 3)),
            "signs": RankedDays(event.shape, event.__getitem__, slice(None), signs=True),
        }
    )
    for rows in np.split(np.arange(23), [5, 10, 20]):
        reduction.update(reduction.map(ResidualChunk.of(rows, values[rows])))
    found = reduction.result()
    assert found["ranks"].mean == pytest.approx(whole.mean, abs=1e-15)
    assert found["ranks"].tested == pytest.approx(whole.tested, abs=1e-15)
    assert (found["signs"].total == signs.total).all()
    assert (found["signs"].count == signs.count).all()


@pytest.mark.parametrize("layout", ["common", "distinct"])
def test_an_estimate_is_what_the_test_tests(layout, panel):
    """Mean CARs and SCARs, shares of positive CARs, and mean scaled ranks of the tested days."""
    data = panel(n=12, width=120, layout=layout, seed=3).test(-1, 1)
    found = run_tests(data, options=Options(seed=1, n_resamples=99)).set_index("test")
    found = found[found["applicable"]]
    scale = np.sqrt(data.abnormal.s2)[:, None]
    past, ahead = data.abnormal.past.residuals() / scale, data.abnormal.ar / scale
    r = clustering(data).mean_correlation
    by_unit = {"CAR": data.car.mean(), "SCAR": data.scar.mean()}
    want = {key: by_unit[TESTS[key].unit] for key in found.index if TESTS[key].unit}
    if "gls_portfolio" in want:
        covariance = factor_covariance(data.abnormal.past.residuals().T, 1)
        want["gls_portfolio"] = float(gls_weights(np.ones((12, 1)), covariance)[0] @ data.car)
    want |= dict.fromkeys(("sign", "generalized_sign"), (data.car > 0).mean())
    want["rank"] = scaled_ranks(np.hstack([past, ahead]))[:, 120:][:, data.cols].mean()
    for key, kept in (("grank_t", max(r, 0.0)), ("grank_z", 0.0)):
        star = data.scar * math.sqrt(1.0 - kept) / data.scar.std(ddof=1)
        want[key] = scaled_ranks(np.hstack([past, star[:, None]]))[:, -1].mean()
    for key, value in want.items():
        assert found.loc[key, "estimate"] == pytest.approx(value, rel=1e-10), key
    assert len(want) > 12


def with_mean(made: AbnormalReturns, mean: float) -> AbnormalReturns:
    """The same events, each day `mean` higher."""
    past = made.past
    held = HeldWindows(past.residuals() + mean, past.leverage(), past.dates(), past.design())
    return replace(made, ar=made.ar + mean, past=held)


def test_a_lumped_return_ranks_by_its_daily_size(panel):
    made = panel(n=8, seed=5, layout="distinct").abnormal
    span, ar = made.span.copy(), made.ar.copy()
    span[:, 2] = 4
    ar[:, 2] *= 2.0
    lumped = replace(made, span=span, ar=ar)
    a, b = (run_tests(TestInput(x, Window(0, 0)), ["rank"]).iloc[0] for x in (made, lumped))
    assert a["statistic"] == pytest.approx(b["statistic"])


def test_the_sign_of_a_lumped_return_is_that_of_the_whole_return(panel):
    """The sign test of Corrado and Zivney takes returns about their median, whatever sessions they span."""
    made = panel(n=8, seed=5, layout="distinct").abnormal
    around = with_mean(made, 0.1)  # a return taken per day would fall below the median
    span = made.span.copy()
    span[::2, 2] = 4
    window = Window(made.window.start, made.window.end)
    a, b = (
        run_tests(TestInput(x, window), ["sign_zivney"]).iloc[0] for x in (around, replace(around, span=span))
    )
    assert a["statistic"] == pytest.approx(b["statistic"], abs=1e-12)


@pytest.mark.parametrize("layout", ["common", "mixed"])
def test_a_lumped_return_has_the_noise_of_as_many_days(panel, layout):
    """To a test that measures a day by its past, twice the return over four sessions is as surprising."""
    made = panel(n=8, seed=5, layout=layout).abnormal
    span, ar = made.span.copy(), made.ar.copy()
    span[:, 2] = 4
    ar[:, 2] *= 2.0
    tests = ["jaffe", "time_series"]
    a, b = (run_tests(TestInput(x, Window(0, 0)), tests) for x in (made, replace(made, span=span, ar=ar)))
    assert a["statistic"].to_numpy() == pytest.approx(b["statistic"].to_numpy())
    longer = run_tests(TestInput(replace(made, span=span), Window(0, 1)), ["time_series"]).iloc[0]
    plain = run_tests(TestInput(made, Window(0, 1)), ["time_series"]).iloc[0]
    assert longer["statistic"] == pytest.approx(plain["statistic"] * math.sqrt(2 / 5))


def test_block_sums_are_cut_from_the_end():
    assert block_sums(np.arange(7.0), 3).tolist() == [6.0, 15.0]
    assert block_sums(np.arange(2.0), 3).tolist() == []


def test_quantile_p_values_count_ties_as_extreme():
    pool = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert resampled_p_value(-1.0, pool, "less") == pytest.approx(3 / 6)
    assert resampled_p_value(2.0, pool, "greater") == pytest.approx(2 / 6)
    assert resampled_p_value(-1.0, pool, "two-sided") == pytest.approx(5 / 6)


def test_fifth_lowest_of_99_is_five_percent():
    """Gelbach, Helland and Klick: below the fifth lowest residual is p <= 5%."""
    e = np.random.default_rng(1).standard_normal(99)
    fifth = np.sort(e)[4]
    for shift, reject in ((-1e-9, True), (1e-9, False)):
        _, p, n = sample_quantile(fifth + shift, 1.0, 1.0, e, np.zeros(99), 1, "less", scaled=False)
        assert n == 99
        assert (p <= 0.05 + 1e-12) is reject


def test_a_window_of_several_days_is_ranked_among_blocks(panel):
    made = panel(n=1, seed=6, missing=0.0)
    row = run_tests(made.test(0, 2), ["sq"]).iloc[0]
    fit = made.abnormal
    car, variance = made.test(0, 2).cumulative.car[0], made.test(0, 2).cumulative.variance[0]
    scaled = fit.past.residuals()[0] / np.sqrt(1 - fit.past.leverage()[0])
    sums = scaled.reshape(20, 3).sum(axis=1)
    b = (np.abs(sums) >= abs(car / math.sqrt(variance / (3 * fit.s2[0])))).sum()
    assert row["p_value"] == pytest.approx((1 + b) / 21)
    assert row["note"].startswith("rank among 20 blocks of 3 estimation days; a CAR of ")
    row = run_tests(made.test(0, 3), ["sq"]).iloc[0]
    assert "p cannot fall below 0.062: use 76 estimation days" in row["note"]


def test_a_window_longer_than_the_estimation_window(panel):
    made = panel(n=1, seed=6, width=5).abnormal
    row = run_tests(TestInput(made, Window(-2, 3)), ["sq"]).iloc[0]
    assert row["note"] == "not applicable: the estimation window has no 6 days with a residual"


def test_a_halt_is_compared_with_as_many_days(panel):
    made = panel(n=1, seed=6).abnormal
    span = made.span.copy()
    span[0, 2] = 5
    row = run_tests(TestInput(replace(made, span=span), Window(0, 0)), ["sq"]).iloc[0]
    assert "12 blocks of 5 estimation days" in row["note"]


def test_a_day_fitted_exactly_is_no_pool():
    leverage = np.array([1.0, 0.1, 0.1, 0.1])
    _, p, n = sample_quantile(1.0, 1.0, 1.0, np.array([0.0, 0.5, -0.5, 2.0]), leverage)
    assert (p, n) == (0.5, 3)


def test_lamb_equals_the_reference(panel, oracle):
    made = panel(layout="common", seed=3)
    market = made.market[made.events[0]["cal_est"]]
    z = []
    for day in (0, 1):
        at = made.days(day, day)[0]
        want = oracle.lamb_z(made.events, at, market, made.market[made.events[0]["cal_evt"][at]])
        row = run_tests(made.test(day, day), ["lamb"]).iloc[0]
        assert row["statistic"] == pytest.approx(want["stat"], abs=1e-10)
        assert row["p_value"] == pytest.approx(want["p"], abs=1e-10)
        z.append(want["stat"])
    row = run_tests(made.test(0, 1), ["lamb"]).iloc[0]
    assert row["statistic"] == pytest.approx(sum(z) / math.sqrt(2), abs=1e-10)


def test_lamb_passes_over_days_without_a_return():
    past = np.array([0.01, -0.01, 0.02, np.nan, -0.02])
    kept = lamb_z(past, np.array([0.03, np.nan]), np.array([1.1, np.nan]))
    assert kept == pytest.approx(lamb_z(past, np.array([0.03]), np.array([1.1])))


def test_portfolio_residuals_follow_the_calendar():
    residuals = np.array([[1.0, 2.0, np.nan], [5.0, 7.0, 9.0]])
    days = np.datetime64("2020-01-01") + np.array([[0, 1, 2], [1, 2, 3]])
    assert portfolio_residuals(residuals, days) == pytest.approx([1.0, 3.5, 7.0, 9.0])
    assert portfolio_residuals(residuals, days[[0, 0]]) == pytest.approx([3.0, 4.5, 9.0])


def test_variance_of_a_calendar_portfolio():
    rng = np.random.default_rng(0)
    e = rng.standard_normal((4, 30))
    days = np.tile(np.arange(30), (4, 1))
    s2 = np.ones(4)
    complete = (e.mean(axis=0) ** 2).sum() / 28
    assert portfolio_variance(e, days, s2, 2.0) == (pytest.approx(complete), True)
    # Each event misses other days, no day has all: those with half of the events serve.
    holed = e.copy()
    for i in range(4):
        holed[i, i::4] = np.nan
    available = (np.nanmean(holed, axis=0) ** 2).sum() / 28
    assert portfolio_variance(holed, days, s2, 2.0) == (pytest.approx(available), True)
    # Estimation windows that share no day leave independence.
    apart = days + 100 * np.arange(4)[:, None]
    assert portfolio_variance(e, apart, s2, 2.0) == (pytest.approx(4 / 16), False)


def test_jaffe_says_where_it_assumes_independence(panel, with_arrays):
    made = panel(layout="common", seed=2).abnormal
    dates = made.past.dates() - 1000 * np.arange(12)[:, None]
    row = run_tests(TestInput(with_arrays(made, estimation_dates=dates), Window(0, 1)), ["jaffe"]).iloc[0]
    assert row["note"] == (
        "2 calendar days, on 2 of them events share too few estimation days and count as independent"
    )


@pytest.mark.parametrize("layout", ["distinct", "mixed", "common"])
@pytest.mark.parametrize("window", [(0, 0), (-1, 2)])
def test_jaffe_by_firms_in_a_loop(layout, window, panel):
    """Sums of the firms of each calendar day over the standard deviation of the same sums before."""
    made = panel(n=9, layout=layout, seed=7)
    data = made.test(*window)
    fit = data.abnormal
    ar, dates = fit.ar[:, data.cols], data.tested_dates
    past, days = fit.past.residuals(), fit.past.dates()
    total = variance = 0.0
    for day in np.unique(dates):
        who = [i for i in range(9) if day in dates[i]]
        total += sum(ar[i, dates[i] == day][0] for i in who)
        common = set.intersection(*(set(days[i].tolist()) for i in who))
        sums = [sum(past[i, days[i].astype(object) == d][0] for i in who) for d in common]
        variance += np.square(sums).sum() / (len(sums) - 2)
    found = TESTS["jaffe_firms"].run(data, Options())
    assert found.statistic == pytest.approx(total / np.sqrt(variance), rel=1e-10)
    if layout == "common" or window == (0, 0):
        return
    assert found.statistic != pytest.approx(TESTS["jaffe"].run(data, Options()).statistic, rel=1e-3)


def test_jaffe_has_no_value_where_a_portfolio_does_not_vary():
    e = np.random.default_rng(0).standard_normal((1, 30))
    e = np.concatenate([e, -e])
    days = np.tile(np.datetime64("2020-01-01") + np.arange(30), (2, 1))
    event = np.full((2, 1), np.datetime64("2020-03-01"))
    z, n_days, _ = jaffe_z(np.full((2, 1), 0.1), event, e, days, np.ones(2), 0.0)
    assert math.isnan(z)
    assert n_days == 1


def test_events_that_mirror_each_other_leave_rank_tests_undefined(panel, with_arrays):
    made = panel(n=1, seed=6).abnormal
    pair = made.take(np.array([0, 0]))
    sides = np.array([[1.0], [-1.0]])
    mirrored = with_arrays(
        pair, ar=sides * pair.ar, actual=sides * pair.actual, residuals=sides * pair.past.residuals()
    )
    rows = run_tests(TestInput(mirrored, Window(0, 1))).set_index("test")
    for key in ("rank", "cumrank_t", "cumrank_z", "grank_z", "rank_zivney"):
        assert rows.loc[key, "note"] == "not applicable: average ranks do not vary over the days"
    assert "cancel out" in rows.loc["sign_zivney", "note"]
    assert "do not vary" in rows.loc["time_series", "note"]
    for key in ("adjusted_bmp", "adjusted_patell"):
        assert "mean correlation -1 of 2 events" in rows.loc[key, "note"]


def test_median_signs_by_hand():
    returns = np.array([[3.0, 1.0, 2.0, 5.0], [1.0, np.nan, 2.0, 3.0]])
    # Medians 2.5 and 2: signs (+ - - +), (- . 0 +); sums over sqrt(n_t).
    g = np.array([0.0, -1.0, -1 / math.sqrt(2), 2 / math.sqrt(2)])
    assert median_signs_z(returns, 1) == (pytest.approx(g[-1] / math.sqrt((g**2).mean())), 4)


def test_zeros_count_half_in_the_generalised_sign_test(panel):
    made = panel(n=10, seed=4, layout="distinct").abnormal
    ar = made.ar.copy()
    ar[:4, 2] = 0.0
    row = run_tests(TestInput(replace(made, ar=ar), Window(0, 0)), ["generalized_sign"]).iloc[0]
    assert row["estimate"] == pytest.approx(((ar[4:, 2] > 0).sum() + 2) / 10)


def test_zeros_up_to_rounding_count_half_in_the_generalised_sign_test(panel, with_arrays):
    made = panel(n=10, seed=4, layout="distinct").abnormal
    residuals, ar = made.past.residuals().copy(), made.ar.copy()
    residuals[:, ::3] = ar[:4, 2] = 0.0
    noise = 1e-18 * np.random.default_rng(1).standard_normal(residuals.shape)
    exact, rounded = (
        run_tests(
            TestInput(with_arrays(made, residuals=residuals + e, ar=ar + e[:, :6]), Window(0, 0)),
            ["generalized_sign"],
        ).iloc[0]
        for e in (np.zeros_like(noise), noise)
    )
    assert (
        exact[["statistic", "estimate", "note"]].tolist()
        == rounded[["statistic", "estimate", "note"]].tolist()
    )


def test_zeros_are_dropped_by_the_sign_and_signed_rank_tests(panel):
    made = panel(n=10, seed=4, layout="distinct").abnormal
    ar = made.ar.copy()
    ar[:4, 2] = 0.0
    rows = run_tests(TestInput(replace(made, ar=ar), Window(0, 0)), ["sign", "wilcoxon"]).set_index("test")
    x = ar[4:, 2]
    assert rows.loc["sign", "p_value"] == pytest.approx(stats.binomtest(int((x > 0).sum()), 6).pvalue)
    assert rows.loc["wilcoxon", "p_value"] == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)


def test_few_degrees_of_freedom_have_no_patell_variance(panel):
    row = run_tests(panel(width=4, model="mm", seed=1).test(0, 0), ["patell"]).iloc[0]
    assert "2 or fewer residual degrees of freedom" in row["note"]


def test_skewness_adjusted_t_keeps_johnsons(panel):
    data = panel(seed=8).test(0, 0)
    row = run_tests(data, ["skewness_adjusted"]).iloc[0]
    x = data.car
    s, g, n = x.mean() / x.std(ddof=1), stats.skew(x, bias=False), len(x)
    assert skewness(x) == pytest.approx(g)
    assert johnson_t(n, s, g) == pytest.approx(math.sqrt(n) * (s + g * s**2 / 3 + g / (6 * n)))
    assert row["statistic"] == pytest.approx(johnson_t(n, s, g) + math.sqrt(n) * g**2 * s**3 / 27)


def test_johnson_t_of_the_printed_example():
    assert johnson_t(74, 2.09027474443816, 1.653433511704859) == pytest.approx(38.72841, abs=5e-6)


@pytest.mark.parametrize("window", ["d0", "d3", "w5"])
def test_golden_values_of_the_cross_section(window):
    """Seven stocks of March 2020: statistics of the abnormal returns kept with the reference."""
    want = GOLDEN[window]
    car = np.array(GOLDEN["CAR5"]) if window == "w5" else np.array(GOLDEN["AR"])[:, int(window[1])]
    n, ratio, skew = len(car), car.mean() / car.std(ddof=1), skewness(car)
    positive, z, _ = signed_rank(car)
    found = {
        "cross_t": mean_t(car),
        "johnson": johnson_t(n, ratio, skew),
        "hall": hall_t(n, ratio, skew),
        "sign": sign_z(int((car > 0).sum()), n),
        "wilcoxon": z,
    }
    for key, value in found.items():
        assert value == pytest.approx(want[key]["stat"], abs=1e-10), key
    assert positive == want["wilcoxon"]["W"]
    assert jackknife_t(car) == pytest.approx(want["cross_t"]["stat"], abs=1e-10)


def test_golden_values_of_the_standardised_cars():
    want = GOLDEN["w5"]
    car, se = np.array(GOLDEN["CAR5"]), np.array(GOLDEN["SE_CAR5"])
    dof, r, n = np.array(GOLDEN["M"]) - 2.0, GOLDEN["rbar"], len(car)
    assert np.array(GOLDEN["AR"]).sum(axis=1) == pytest.approx(car)
    found = {
        "indep_z": independence_z(car, se**2),
        "patell": patell_z(car / se, dof),
        "adj_patell": patell_z(car / se, dof) * patell_correction(n, r),
        "bmp": mean_t(car / se),
        "adj_bmp": mean_t(car / se) * bmp_correction(n, r),
        "single_firm0": car[0] / se[0],
    }
    for key, value in found.items():
        assert value == pytest.approx(want[key]["stat"], abs=1e-10), key


@pytest.mark.parametrize(
    ("day", "rank_sum", "p"),
    [(0, 23, 0.15625), (1, 10, 0.578125), (2, 15, 0.9375), (3, 27, 0.03125), (4, 28, 0.015625)],
)
def test_signed_rank_test_of_the_seven_stocks(day, rank_sum, p):
    """As R's wilcox.test gives them."""
    positive, _, ranks = signed_rank(np.array(GOLDEN["AR"])[:, day])
    assert positive == rank_sum
    assert signed_rank_p_value(positive, ranks, "two-sided") == pytest.approx(p, rel=1e-12)


def test_signed_rank_z_is_corrected_for_ties():
    x = np.array([1.0, -1.0, 2.0, 2.0, -2.0, 3.0, 0.5, 0.5, -3.0, 4.0, 4.0, 1.5])
    want = stats.wilcoxon(x, method="approx", correction=False).pvalue
    assert 2 * stats.norm.sf(abs(signed_rank(x)[1])) == pytest.approx(want)


def test_a_day_on_which_no_event_has_a_residual_has_no_mean(panel):
    made = panel(n=8, layout="common", seed=5).abnormal
    residuals = made.past.residuals().copy()
    residuals[:, 7], residuals[0, 9] = np.nan, np.nan
    held = HeldWindows(residuals, made.past.leverage(), made.past.dates(), made.past.design())
    found = past_sums(replace(made, past=held)).mean
    assert np.flatnonzero(np.isnan(found)).tolist() == [7]
    assert found[9] == pytest.approx(residuals[1:, 9].mean())


@pytest.mark.parametrize("key", ["cross_sectional", "jackknife", "skewness_adjusted", "wild_bootstrap"])
def test_equal_cars_have_no_standard_error(key, panel):
    made = panel(n=6, width=120, layout="distinct", seed=5).abnormal
    equal = TestInput(replace(made, ar=np.full_like(made.ar, 0.01)), Window(0, 1))
    row = run_tests(equal, [key], Options(seed=1, n_resamples=99)).iloc[0]
    assert not row["applicable"]
    assert np.isnan(row["statistic"])
    assert "CARs" in row["note"]


@pytest.mark.parametrize("key", ["rank_zivney", "grank_t", "grank_z"])
def test_ranks_of_values_scaled_by_few_events_say_so(key, panel):
    few, many = (
        run_tests(panel(n=n, width=120, layout="common", seed=5).test(0, 0), [key]).iloc[0] for n in (6, 60)
    )
    assert "scaled by the standard deviation of 6 events" in few["note"]
    assert "scaled by the standard deviation" not in many["note"]


def test_parameters_that_cost_fewer_degrees_of_freedom(panel, with_arrays):
    """A mixed model may lose fewer than it has parameters, and none loses more than these."""
    fitted = panel(n=4, seed=3).abnormal
    assert fitted.lost_dof == 2.0
    for lost, told in ((1.5, 1.5), (0.0, 0.0), (2.0, 2.0), (7.0, 2.0)):
        assert with_arrays(fitted, dof=fitted.n_obs - lost).lost_dof == told
