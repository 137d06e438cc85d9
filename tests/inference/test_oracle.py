"""Every test against the plain reference implementation, on panels with missing data."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from eventstudy.abnormal import HeldWindows
from eventstudy.inference import TESTS, Options, TestInput, run_tests
from eventstudy.inference.engine.moments import scaled_residuals
from eventstudy.inference.filtered_quantile import filtered_dates
from eventstudy.inference.single_event import sample_quantile
from eventstudy.windows import Window

TOLERANCE = 1e-10
WINDOWS = [(0, 0), (-1, 1), (-2, 3)]
DESIGNS = [
    (layout, missing, model, seed)
    for seed, (layout, missing, model) in enumerate(
        [
            ("common", 0.0, "mm"),
            ("common", 0.1, "mm"),
            ("common", 0.1, "mean"),
            ("distinct", 0.0, "madj"),
            ("distinct", 0.15, "mm"),
            ("spread", 0.1, "mm"),
            ("mixed", 0.1, "mm"),
        ]
    )
]


def overlap_correlation(events, days, oracle):
    """The mean of docs/methods/standardized.md, eq. (mean-correlation), pair by pair."""
    total, pairs = 0.0, 0
    for i, a in enumerate(events):
        for b in events[i + 1 :]:
            pairs += 1
            common = set(a["cal_evt"][days]) & set(b["cal_evt"][days])
            total += len(common) / len(days) * oracle.mean_cross_correlation([a, b])
    return total / pairs


#: What the reference says of each test that it has; None where it says nothing.
ORACLE = {
    "cross_sectional": lambda oracle, events, days, r: oracle.cross_sectional_t(events, days),
    "adjusted_cross_sectional": lambda oracle, events, days, r: kolari_pynnonen(
        oracle, oracle.cross_sectional_t(events, days), len(events), r
    ),
    "independence": lambda oracle, events, days, r: oracle.independence_t(events, days),
    "time_series": lambda oracle, events, days, r: oracle.cda_t(events, days),
    "patell": lambda oracle, events, days, r: oracle.patell_z(events, days),
    "adjusted_patell": lambda oracle, events, days, r: oracle.adjusted_patell_z(events, days, r),
    "bmp": lambda oracle, events, days, r: oracle.bmp_t(events, days),
    "adjusted_bmp": lambda oracle, events, days, r: oracle.adjusted_bmp_t(events, days, r),
    "skewness_adjusted": lambda oracle, events, days, r: oracle.hall_t(events, days),
    "jaffe": lambda oracle, events, days, r: oracle.jaffe_z(events, days),
    "sign": lambda oracle, events, days, r: oracle.sign_test(events, days),
    "generalized_sign": lambda oracle, events, days, r: oracle.generalized_sign(events, days),
    "rank": lambda oracle, events, days, r: oracle.corrado_rank(events, days, fpc=True),
    "grank_t": lambda oracle, events, days, r: oracle.grank(events, days, r_for_scale=max(r, 0.0)),
    "grank_z": lambda oracle, events, days, r: normal(oracle.grank(events, days), "grank_z"),
    "cumrank_t": lambda oracle, events, days, r: oracle.cumrank(events, days),
    "cumrank_z": lambda oracle, events, days, r: normal(oracle.cumrank(events, days), "cumrank_z"),
    "wilcoxon": lambda oracle, events, days, r: oracle.wilcoxon(events, days),
    "jackknife": lambda oracle, events, days, r: oracle.jackknife(oracle.cars(events, days)),
    "rank_zivney": lambda oracle, events, days, r: (
        oracle.corrado_zivney_rank(events, days[0]) if len(days) == 1 else None
    ),
    "sign_zivney": lambda oracle, events, days, r: (
        oracle.corrado_zivney_sign(events, days[0]) if len(days) == 1 else None
    ),
}
#: Tests that are compared with something else: the tests below, closed forms, loops or other packages.
ELSEWHERE = {
    "portfolio", "lamb", "bootstrap", "wild_bootstrap", "block_bootstrap", "permutation", "t", "sq",
    "conformal", "bootstrap_t", "garch_t", "filtered_sq", "filtered_t", "filtered_bmp", "filtered_rank",
    "nguyen_wolf", "ibragimov_muller", "gls_portfolio", "jaffe_firms", "time_of_day_t", "time_of_day_rank",
}  # fmt: skip


def kolari_pynnonen(oracle, found, n, r):
    t = found["stat"] * math.sqrt((1 - r) / (1 + (n - 1) * r))
    return {"stat": t, "p": oracle.two_sided_t(t, n - 1), "df": n - 1}


def normal(found, name):
    return {"stat": found[name], "p": found["p_z"], "df": None}


def test_every_test_is_compared_with_something():
    assert set(ORACLE) | ELSEWHERE == set(TESTS)
    assert not set(ORACLE) & ELSEWHERE


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: "-".join(map(str, d)))
def test_equals_the_reference(design, window, panel, oracle):
    layout, missing, model, seed = design
    made = panel(layout=layout, missing=missing, model=model, seed=seed, effect=0.004)
    events, days = made.usable(*window), made.days(*window)
    r = overlap_correlation(events, days, oracle)
    rows = run_tests(made.test(*window), list(ORACLE)).set_index("test")
    for key, of_reference in ORACLE.items():
        want = of_reference(oracle, events, days, r)
        if want is None:
            continue
        row = rows.loc[key]
        assert row["applicable"], (key, row["note"])
        assert row["statistic"] == pytest.approx(want["stat"], abs=TOLERANCE), key
        p = want.get("p_exact", want["p"])
        if key != "wilcoxon":  # exact there, normal in the reference
            assert row["p_value"] == pytest.approx(p, abs=TOLERANCE), key
        assert np.isnan(row["dof"]) if want.get("df") is None else row["dof"] == want["df"], key
        assert row["n_events"] == len(events)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_portfolio_equals_the_reference_without_missing_days(window, panel, oracle):
    made = panel(layout="common", seed=3)
    row = run_tests(made.test(*window), ["portfolio"]).iloc[0]
    want = oracle.portfolio_t(made.events, made.days(*window))
    assert row["statistic"] == pytest.approx(want["stat"], abs=TOLERANCE)
    assert row["p_value"] == pytest.approx(want["p"], abs=TOLERANCE)
    assert row["dof"] == want["df"]
    assert "approximate" not in row["note"]


def test_portfolio_with_missing_days_is_the_portfolio_of_available_events(panel, oracle):
    made = panel(layout="common", missing=0.15, seed=1)
    days, events = made.days(0, 1), made.usable(0, 1)
    row = run_tests(made.test(0, 1), ["portfolio"]).iloc[0]
    e = np.array([oracle.mean([ev["ar_est"][t] for ev in events]) for t in range(60)])
    cars = [oracle.car(ev, days) for ev in events]
    scale = oracle.mean([v / ev["s2"] for (_, v, _), ev in zip(cars, events, strict=True)])
    t = oracle.mean([c for c, _, _ in cars]) / np.sqrt((e @ e) / (60 - 2) * scale)
    assert row["statistic"] == pytest.approx(t, abs=TOLERANCE)
    assert "miss days" in row["note"]


def test_portfolio_needs_one_date(panel):
    row = run_tests(panel(layout="distinct").test(0, 1), ["portfolio"]).iloc[0]
    assert not row["applicable"]
    assert "needs one common event date" in row["note"]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_single_event_t_equals_the_reference(window, missing, panel, oracle):
    made = panel(n=1, missing=missing, seed=6)
    row = run_tests(made.test(*window), ["t"]).iloc[0]
    want = oracle.single_t(made.events[0], made.days(*window))
    assert row["statistic"] == pytest.approx(want["stat"], abs=TOLERANCE)
    assert row["p_value"] == pytest.approx(want["p"], abs=TOLERANCE)
    assert row["dof"] == want["df"]


@pytest.mark.parametrize(
    ("alternative", "side"), [("two-sided", "two"), ("less", "lower"), ("greater", "upper")]
)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_sample_quantile_equals_the_reference(alternative, side, missing, panel, oracle):
    for seed in range(10):
        made = panel(n=1, missing=missing, seed=seed)
        if not made.usable(0, 0):
            continue
        row = run_tests(made.test(0, 0), ["sq"], Options(alternative=alternative)).iloc[0]
        want = oracle.sq_test(made.events[0], made.days(0, 0)[0], side)
        fit = made.abnormal
        scale = np.sqrt(fit.s2[0])  # the reference's statistic is in returns, ours in standard errors
        assert row["statistic"] * scale == pytest.approx(want["stat"], abs=TOLERANCE)
        assert row["p_value"] == pytest.approx(want["p"], abs=TOLERANCE)
        raw = oracle.sq_test(made.events[0], made.days(0, 0)[0], side, scaled=False)
        residuals, leverage = fit.past.residuals()[0], fit.past.leverage()[0]
        found = sample_quantile(raw["stat"], 1.0, 1.0, residuals, leverage, 1, alternative, scaled=False)
        assert found[:2] == pytest.approx((raw["stat"], raw["p"]), abs=TOLERANCE)


@pytest.mark.parametrize("key", ["patell", "adjusted_patell", "bmp", "adjusted_bmp", "grank_t", "jaffe"])
def test_an_event_without_a_known_error_takes_no_part(key, panel, with_arrays):
    """Its CAR is known, its variance is not, as of a night of bars without a variance of nights."""
    made = panel(n=8, layout="common", seed=3).abnormal
    noise = made.noise.copy()
    noise[5, 2] = np.nan
    row = run_tests(TestInput(with_arrays(made, noise=noise), Window(0, 1)), [key]).iloc[0]
    without = run_tests(TestInput(made.take(np.arange(8) != 5), Window(0, 1)), [key]).iloc[0]
    assert row["applicable"]
    assert row["n_events"] == 7
    assert row["statistic"] == pytest.approx(without["statistic"], rel=1e-12)
    assert row["p_value"] == pytest.approx(without["p_value"], rel=1e-10)
    assert "1 event without residual variance left out" in row["note"]


FILTERED = ["filtered_sq", "filtered_t"]


def with_gap(made, days=9):
    """Abnormal returns of days between the windows, drawn."""
    fit = made.abnormal
    gap = np.random.default_rng(3).normal(0, 0.02, (fit.n_events, days))
    gap[0, 2] = np.nan
    dates = fit.past.dates()[:, -days:]
    return replace(fit, between=HeldWindows(gap, np.zeros_like(gap), dates)), gap


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(("n", "layout", "missing"), [(1, "common", 0.0), (7, "common", 0.08)])
def test_filtered_tests_of_one_date_equal_the_reference(n, layout, missing, window, panel, oracle):
    made = panel(n=n, layout=layout, missing=missing, seed=5, effect=0.004)
    fit, gap = with_gap(made)
    events, days = made.usable(*window), made.days(*window)
    which = [i for i, e in enumerate(made.events) if oracle.car(e, days)[2] > 0]
    before = max(0, min(window[0], 0) - fit.window.start)
    one = oracle.filtered_portfolio(events, days, gap[which].tolist(), before)
    rows = run_tests(TestInput(fit, Window(*window)), FILTERED).set_index("test")
    for key, want in zip(FILTERED, oracle.filtered_tests([one]), strict=True):
        assert rows.at[key, "statistic"] == pytest.approx(want["stat"], abs=TOLERANCE)
        assert rows.at[key, "p_value"] == pytest.approx(want["p"], abs=TOLERANCE)
    assert "up to the end of the estimation window" not in rows.at["filtered_t", "note"]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_tests_of_several_dates_equal_the_reference(window, panel, oracle, with_arrays):
    made = panel(n=9, layout="distinct", seed=8, effect=0.003)
    fit, days = made.abnormal, made.days(*window)
    shared = np.array([0, 0, 0, 0, 4, 4, 6, 6, 6])  # three dates, of four, two and three events
    data = TestInput(
        with_arrays(fit, estimation_dates=fit.past.dates()[shared], event_dates=fit.event_dates[shared]),
        Window(*window),
    )
    groups = [[made.events[i] for i in np.flatnonzero(shared == g)] for g in (0, 4, 6)]
    before = max(0, min(window[0], 0) - fit.window.start)
    parts = [oracle.filtered_portfolio(events, days, None, before) for events in groups]
    want = [*oracle.filtered_tests(parts), oracle.date_means_t(groups, days)]
    rows = run_tests(data, [*FILTERED, "ibragimov_muller"])
    assert rows["statistic"].to_numpy() == pytest.approx([w["stat"] for w in want], abs=TOLERANCE)
    assert rows["p_value"].to_numpy() == pytest.approx([w["p"] for w in want], abs=TOLERANCE)
    assert rows["dof"].iloc[1] == pytest.approx(want[1]["df"], rel=1e-10)


@pytest.mark.parametrize("key", ["filtered_bmp", "filtered_rank"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    ("n", "layout", "missing"),
    [(2, "common", 0.0), (7, "common", 0.08), (6, "distinct", 0.05), (9, "mixed", 0.0)],
)
def test_filtered_tests_of_events_equal_the_reference(n, layout, missing, window, key, panel, oracle):
    made = panel(n=n, layout=layout, missing=missing, seed=5, effect=0.004)
    fit, gap = with_gap(made)
    days = made.days(*window)
    used = [(e, own.tolist()) for e, own in zip(made.events, gap, strict=True) if oracle.car(e, days)[2] > 0]
    before = max(0, min(window[0], 0) - fit.window.start)
    want = getattr(oracle, key)([e for e, _ in used], days, [own for _, own in used], before)
    row = run_tests(TestInput(fit, Window(*window)), [key]).iloc[0]
    assert row["statistic"] == pytest.approx(want["stat"], abs=TOLERANCE)
    assert row["p_value"] == pytest.approx(want["p"], abs=TOLERANCE)
    assert row["dof"] == pytest.approx(want["df"] or np.nan, nan_ok=True)
    assert "up to the end of the estimation window" not in row["note"]


def test_filtered_dates_that_overlap_keep_their_correlation(panel):
    """The variance of the mean is that of the sum over dates with their share of common days."""
    made = panel(n=30, layout="mixed", correlation=0.4)
    found = filtered_dates(made.test(-1, 2))
    part = found.weight * found.scale * found.spread
    _, se, _ = found.t()
    assert se**2 > 1.05 * (part**2).sum()
    assert se**2 == pytest.approx(part @ found.correlation @ part)
    assert np.allclose(np.diag(found.correlation), 1.0)


def test_the_permutation_takes_the_days_of_all_events_together(panel):
    made = panel(n=3, layout="common", seed=2, effect=-0.03)
    row = run_tests(made.test(0, 0), ["nguyen_wolf"]).iloc[0]
    fit = made.abnormal
    past = scaled_residuals(fit.past.residuals(), fit.past.leverage()).mean(axis=0)
    event = float((fit.ar[:, 2] / np.sqrt(fit.ar_variance[:, 2] / fit.s2)).mean())
    assert row["statistic"] == pytest.approx(event / past.std(ddof=1), rel=1e-10)
    everything = np.append(past, event)
    t = [x / np.delete(everything, i).std(ddof=1) for i, x in enumerate(everything)]
    assert row["p_value"] == pytest.approx(np.mean(np.abs(t) >= abs(t[-1]) - 1e-12), abs=1e-12)
    assert "all 61 splits" in row["note"]
