"""Bootstraps and pseudo-dates against loops, the reference and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.stattools import acf

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.bootstrap import (
    clustered_t,
    johnson_bootstrap,
    pairs_bootstrap,
    wild_bootstrap,
    wild_weights,
)
from eventstudy.inference.engine.draws import (
    HELD,
    day_counts,
    draw_days,
    draw_parts,
    equal_tails,
    null_t,
    resampled_p_value,
)
from eventstudy.inference.engine.moments import block_length, mean_t
from eventstudy.inference.pseudo_dates import pseudo_dates, studentised_sums
from eventstudy.windows import Window

RESAMPLED = ["bootstrap", "wild_bootstrap", "block_bootstrap", "permutation"]


class Scripted:
    """A generator that hands out given whole numbers, so that a loop can be fed the same draws."""

    def __init__(self, values):
        self.values = values

    def integers(self, *args, size=None):
        return self.values


def test_p_value_counts_draws_as_extreme_and_itself():
    draws = np.array([-3.0, -1.0, 0.0, 2.0, 3.0])
    assert resampled_p_value(2.0, draws, "two-sided") == pytest.approx(4 / 6)
    assert resampled_p_value(2.0, draws, "greater") == pytest.approx(3 / 6)
    assert resampled_p_value(-1.0, draws, "less") == pytest.approx(3 / 6)
    assert resampled_p_value(9.0, draws, "two-sided") == pytest.approx(1 / 6)
    # Equal but for rounding, and undefined, count as extreme.
    assert resampled_p_value(0.3, np.array([0.1 + 0.2 - 1e-16, np.nan, 0.2]), "greater") == 3 / 4


def test_parts_of_bounded_size():
    assert list(draw_parts(10, 5)) == [10]
    assert list(draw_parts(10, HELD // 4)) == [4, 4, 2]
    assert list(draw_parts(2, 2 * HELD)) == [1, 1]


def test_pairs_bootstrap_is_the_t_of_each_resample():
    x = np.random.default_rng(0).normal(0.01, 0.03, 9)
    index = np.random.default_rng(1).integers(9, size=(50, 9))
    found = pairs_bootstrap(x, 50, Scripted(index))
    want = [mean_t(x[i] - x.mean()) for i in index]
    assert found == pytest.approx(want, rel=1e-10)


def test_pairs_bootstrap_in_parts_is_the_same(monkeypatch):
    x = np.random.default_rng(0).normal(0.01, 0.03, 9)
    whole = pairs_bootstrap(x, 50, np.random.default_rng(4))
    monkeypatch.setattr("eventstudy.inference.engine.draws.HELD", 70)
    assert pairs_bootstrap(x, 50, np.random.default_rng(4)) == pytest.approx(whole, rel=1e-12)


def test_resample_of_equal_values_is_extreme():
    t = pairs_bootstrap(np.array([0.0, 0.01]), 200, np.random.default_rng(0))
    assert np.isinf(t).any()
    assert resampled_p_value(5.0, t, "two-sided") > 0.4


def test_resamples_of_one_value_have_no_finite_t():
    # The mean of three times 0.1 is not 0.1, so that the sum of squares about it is not quite zero.
    t = pairs_bootstrap(np.array([0.1, 0.2, 0.7]), 500, np.random.default_rng(0))
    assert np.isinf(t).mean() == pytest.approx(1 / 9, abs=0.05)
    assert np.abs(t[np.isfinite(t)]).max() < 1e3


def test_johnson_bootstrap_equals_the_reference(oracle):
    x = np.random.default_rng(3).exponential(0.02, 41) - 0.015
    want = oracle.lbt_bootstrap(x, np.random.default_rng(7), B=300)
    rng = np.random.default_rng(7)
    index = np.array([rng.integers(0, 41, 10) for _ in range(300)])
    draws = johnson_bootstrap(x, 300, Scripted(index))
    assert equal_tails(want["stat"], draws, "two-sided") == pytest.approx(want["p"], abs=1e-12)


def test_bootstrap_row_carries_the_skewness_adjusted_p(panel):
    made = panel(n=30, layout="distinct", seed=5)
    row = run_tests(made.test(0, 1), ["bootstrap"], Options(seed=2)).iloc[0]
    assert "skewness-adjusted p = 0." in row["note"]
    assert row["distribution"] == "resampled"
    assert np.isnan(row["dof"])


def test_bootstrap_statistic_is_the_cross_sectional_t(panel):
    rows = run_tests(panel(layout="distinct").test(0, 1), ["cross_sectional", "bootstrap", "wild_bootstrap"])
    assert rows["statistic"].to_numpy() == pytest.approx(rows["statistic"].iloc[0], rel=1e-12)


def test_bootstrap_of_many_normal_events_is_the_t(panel):
    made = panel(n=60, layout="distinct", seed=12, effect=0.002)
    rows = run_tests(made.test(0, 1), ["cross_sectional", *RESAMPLED[:2]], Options(n_resamples=9999, seed=1))
    assert rows["p_value"].to_numpy() == pytest.approx(rows["p_value"].iloc[0], abs=0.02)


def test_wild_bootstrap_equals_the_reference(panel, oracle):
    made = panel(layout="distinct", missing=0.1, seed=4, effect=0.004)
    days, events = made.days(0, 1), made.usable(0, 1)
    want = oracle.wild_bootstrap_caar(events, days, np.random.default_rng(11), B=400)
    rng = np.random.default_rng(11)
    signs = np.array([rng.choice([-1.0, 1.0], len(events)) for _ in range(400)])
    car = np.array(oracle.cars(events, days))
    draws = wild_bootstrap(car, np.ones(len(car)), signs)
    t = clustered_t(car, np.ones(len(car)))
    assert abs(t) == pytest.approx(want["stat"], rel=1e-12)
    assert resampled_p_value(t, draws, "two-sided") == pytest.approx(want["p"], abs=1e-12)


def test_wild_bootstrap_by_date_is_the_clustered_t_of_each_draw():
    rng = np.random.default_rng(0)
    day = np.repeat([0, 1, 2, 3, 4], [4, 1, 2, 6, 3])
    x = rng.normal(0.01, 0.03, 16)
    totals, sizes = np.bincount(day, x), np.bincount(day).astype(float)
    weights = wild_weights(30, 5, rng, "mammen")
    want = []
    for w in weights:
        y = x * w[day]
        sums = np.array([(y[day == d] - y.mean()).sum() for d in range(5)])
        want.append(y.sum() / np.sqrt(5 / 4 * (sums**2).sum()))
    assert wild_bootstrap(totals, sizes, weights) == pytest.approx(want, rel=1e-10)


def test_clustered_t_equals_statsmodels(panel):
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    day = np.repeat([0, 1, 2, 3, 4], [4, 1, 2, 6, 3])
    x = rng.normal(0.01, 0.03, 16)
    options = {"groups": day, "use_correction": True}
    # statsmodels has (G / (G - 1)) ((N - 1) / (N - k)), which is G / (G - 1) for a mean.
    want = sm.OLS(x, np.ones(16)).fit(cov_type="cluster", cov_kwds=options).tvalues[0]
    found = clustered_t(np.bincount(day, x), np.bincount(day).astype(float))
    assert found == pytest.approx(want, rel=1e-12)


def test_weights_have_mean_zero_and_variance_one():
    for kind, skew in (("rademacher", 0.0), ("mammen", 1.0)):
        w = wild_weights(200, 500, np.random.default_rng(0), kind)
        assert len(np.unique(w)) == 2
        assert w.mean() == pytest.approx(0, abs=0.015)
        assert (w**2).mean() == pytest.approx(1, abs=0.02)
        assert (w**3).mean() == pytest.approx(skew, abs=0.05)


def test_wild_bootstrap_of_one_date_says_why_not(panel):
    row = run_tests(panel(layout="common").test(0, 1), ["wild_bootstrap"]).iloc[0]
    assert not row["applicable"]
    assert row["note"].startswith(
        "not applicable: all 12 events share one date, so there is one sign to draw"
    )


def test_wild_bootstrap_of_few_dates_says_what_p_it_can_reach(panel):
    made = panel(n=4, layout="distinct", seed=1, effect=0.3)
    row = run_tests(made.test(0, 1), ["wild_bootstrap"], Options(seed=0)).iloc[0]
    assert (
        "all 16 patterns of signs, so p does not fall below 0.125: it cannot reject at the 5% level"
        in row["note"]
    )
    assert row["p_value"] == pytest.approx(0.125, abs=0.04)


def test_wild_bootstrap_draws_by_date_where_dates_are_shared(panel):
    row = run_tests(panel(n=30, layout="mixed").test(0, 1), ["wild_bootstrap"]).iloc[0]
    assert "a sign for each of" in row["note"]


def test_counts_of_days_give_the_t_of_the_drawn_days():
    rng = np.random.default_rng(0)
    series = rng.standard_normal((40, 3))
    event, past = draw_days(25, 4, 40, rng), draw_days(25, 40, 40, rng)
    found = null_t(series, day_counts(event, 40), day_counts(past, 40))
    want = [
        series[e].sum(axis=0) / (2 * series[p].std(axis=0, ddof=1)) for e, p in zip(event, past, strict=True)
    ]
    assert found == pytest.approx(np.array(want), rel=1e-10)


def test_days_come_in_circular_blocks():
    days = draw_days(50, 10, 20, np.random.default_rng(0), block=4)
    assert days.shape == (50, 10)
    steps = np.diff(days, axis=1) % 20
    assert (steps[:, [0, 1, 2, 4, 5, 6, 8]] == 1).all()
    assert (days.max(), days.min()) == (19, 0)


def test_blocks_are_long_where_the_first_autocorrelation_is_beyond_chance():
    """Beyond 2.58 / sqrt(T), the autocorrelation being that of statsmodels; then the cube root of T days."""
    rng, found = np.random.default_rng(5), set()
    for _ in range(200):
        noise = rng.standard_normal(101)
        series = 3.0 + noise[1:] + 0.28 * noise[:-1]
        correlated = abs(acf(series, nlags=1, fft=False)[1]) > 2.58 / 10
        assert block_length(series) == (5 if correlated else 1)
        found.add(bool(correlated))
    assert found == {True, False}


def test_blocks_are_for_correlated_days():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(251)
    assert block_length(noise) == 1
    assert block_length(noise[1:] + 0.6 * noise[:-1]) == 7


@pytest.mark.parametrize("window", [(0, 0), (-1, 1), (-2, 3)])
def test_pseudo_dates_equal_the_reference(window, panel, oracle):
    made = panel(layout="common", seed=8)
    days = made.days(*window)
    want = oracle.portfolio_rank_p(made.events, days)
    sums = pseudo_dates(np.array(oracle.estimation_aar(made.events)), len(days))
    assert resampled_p_value(want["stat"], sums, "two-sided") == pytest.approx(want["p"], abs=1e-12)


def test_a_studentised_sum_among_days_that_stand_still_is_infinite():
    series = np.zeros(30)
    series[12] = 0.02
    found = studentised_sums(series, 1, 1.0)
    assert found[12] == np.inf
    assert np.isfinite(np.delete(found, 12)).all()
    assert studentised_sums(-series, 1, 1.0)[12] == -np.inf


def test_studentised_sums_are_prediction_errors_of_the_other_days():
    """With one constant: the sum over its variance as if its days had not been in the sample."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal(50)
    u = (y - y.mean()) / np.sqrt(1 - 1 / 50)
    for length in (1, 4):
        found = studentised_sums(u, length, 1.0)
        for s in (0, 7, 50 - length):
            inside, outside = y[s : s + length], np.delete(y, np.arange(s, s + length))
            error = (inside - outside.mean()).sum()
            n = 50 - length
            t = error / (outside.std(ddof=1) * np.sqrt(length + length**2 / n))
            # Exact for one day; the day's own leverage was taken off twice where there are several.
            assert found[s] == pytest.approx(t, rel=1e-10 if length == 1 else 0.02)


def test_permutation_of_one_day_is_the_rank_of_the_portfolio(panel):
    made = panel(layout="common", seed=2, effect=0.01)
    row = run_tests(made.test(0, 0), ["permutation"]).iloc[0]
    fit = made.abnormal
    past = (fit.past.residuals() / np.sqrt(1 - fit.past.leverage())).mean(axis=0)
    scale = np.sqrt((made.test(0, 0).cumulative.variance / fit.s2).mean())
    value = abs(fit.ar[:, 2].mean() / scale)
    assert row["p_value"] == (1 + (np.abs(past) >= value).sum()) / 61
    assert row["note"].startswith("rank among 60 pseudo-dates; a mean CAR of ")
    portfolio = run_tests(made.test(0, 0), ["portfolio"]).iloc[0]
    assert row["statistic"] == pytest.approx(portfolio["statistic"], rel=1e-12)


def test_permutation_says_when_the_estimation_window_is_short(panel):
    row = run_tests(panel(layout="distinct").test(-2, 3), ["permutation"]).iloc[0]
    assert "rank among 55 pseudo-dates, of which only 10 share no day" in row["note"]
    assert "use 120 estimation days" in row["note"]


def test_block_bootstrap_of_normal_returns_is_the_portfolio_t(panel):
    for seed in range(3):
        made = panel(layout="common", seed=seed, width=250)
        rows = run_tests(made.test(0, 1), ["portfolio", "block_bootstrap"], Options(n_resamples=9999, seed=5))
        assert rows["statistic"].iloc[1] == pytest.approx(rows["statistic"].iloc[0], rel=1e-10)
        assert rows["p_value"].iloc[1] == pytest.approx(rows["p_value"].iloc[0], abs=0.05)


@pytest.mark.parametrize("key", RESAMPLED)
def test_seed_decides(key, panel):
    made = panel(n=20, layout="common" if key == "block_bootstrap" else "distinct", seed=3)
    data = made.test(0, 1)

    def p(seed, keys=(key,)):
        rows = run_tests(data, list(keys), Options(n_resamples=199, seed=seed)).set_index("test")
        return rows.loc[key, "p_value"]

    assert p(1) == p(1)
    assert p(1) == p(1, ["bootstrap", "block_bootstrap", "permutation", "wild_bootstrap"])
    generator = np.random.default_rng(9)
    first, second = p(generator), p(generator)
    assert first == p(np.random.default_rng(9))
    if key != "permutation":
        assert len({p(seed) for seed in range(6)} | {second}) > 1


def test_seed_and_number_of_resamples_are_checked(panel):
    data = panel().test(0, 1)
    for options, word in (
        (Options(n_resamples=0), "n_resamples"),
        (Options(n_resamples=10.5), "n_resamples"),
        (Options(seed=-1), "seed"),
        (Options(seed="x"), "seed"),
    ):
        with pytest.raises(RequestError, match=word):
            run_tests(data, ["bootstrap"], options)


def test_wild_bootstrap_by_event_and_by_date(panel):
    data = panel(n=14, layout="distinct", seed=3).test(0, 1)
    by = {
        (unit, weights): run_tests(
            data, ["wild_bootstrap"], Options(n_resamples=1999, seed=2, wild_by=unit, wild_weights=weights)
        ).iloc[0]
        for unit in ("date", "event")
        for weights in ("rademacher", "mammen")
    }
    assert len({round(row["statistic"], 12) for row in by.values()}) == 1  # one event a date
    for weights in ("rademacher", "mammen"):
        assert by["date", weights]["p_value"] == pytest.approx(by["event", weights]["p_value"], abs=0.05)
    assert "a sign per event" in by["event", "rademacher"]["note"]
    assert "a weight of Mammen's per event" in by["date", "mammen"]["note"]


def test_wild_bootstrap_by_event_says_that_dates_are_shared(panel):
    data = panel(n=14, layout="mixed", seed=3).test(0, 1)
    dates, events = (
        run_tests(data, ["wild_bootstrap"], Options(n_resamples=99, seed=2, wild_by=unit)).iloc[0]
        for unit in ("date", "event")
    )
    assert "for each of" in dates["note"]
    assert "taken as independent" in events["note"]
    assert events["statistic"] == pytest.approx(mean_t(data.car))
    assert dates["statistic"] != pytest.approx(events["statistic"])
    apart = run_tests(
        panel(n=14, layout="distinct", seed=3).test(0, 1),
        ["wild_bootstrap"],
        Options(n_resamples=99, seed=2, wild_by="event"),
    )
    assert "taken as independent" not in apart["note"].iloc[0]


def test_mammen_weights_keep_the_size_under_skewness():
    """Fifty chi-square(2) values: signs reject 9% on one side, 2 on the other; Mammen's weights 6 and 5."""
    rng, samples, ones = np.random.default_rng(0), 600, np.ones(50)
    rejected = {(w, side): 0 for w in ("rademacher", "mammen") for side in ("less", "greater")}
    for _ in range(samples):
        x = rng.chisquare(2, 50) - 2
        t = clustered_t(x, ones)
        draws = {
            "rademacher": wild_bootstrap(x, ones, wild_weights(299, 50, rng)),
            "mammen": wild_bootstrap(x - x.mean(), ones, wild_weights(299, 50, rng, "mammen")),
        }
        for weights, side in rejected:
            rejected[weights, side] += resampled_p_value(t, draws[weights], side) <= 0.05
    rate = {key: n / samples for key, n in rejected.items()}
    assert rate["rademacher", "less"] > 0.07
    assert rate["rademacher", "greater"] < 0.035
    assert rate["mammen", "less"] == pytest.approx(0.05, abs=0.025)
    assert rate["mammen", "greater"] == pytest.approx(0.05, abs=0.025)


def test_unknown_weights_are_refused(panel):
    with pytest.raises(RequestError, match="'rademacher', 'mammen'"):
        run_tests(panel().test(0, 1), ["wild_bootstrap"], Options(wild_weights="webb"))
    with pytest.raises(RequestError, match="'date', 'event'"):
        run_tests(panel().test(0, 1), ["wild_bootstrap"], Options(wild_by="firm"))


def test_clusters_of_equal_values_have_no_standard_error():
    assert clustered_t(np.array([0.25, 0.5]), np.array([1.0, 2.0])) == np.inf
    assert clustered_t(np.array([-0.25, -0.5]), np.array([1.0, 2.0])) == -np.inf


@pytest.mark.parametrize("key", ["block_bootstrap", "portfolio", "lamb"])
def test_what_needs_one_date_says_how_many_there_are(key, panel):
    row = run_tests(panel(layout="distinct").test(0, 1), [key], Options(seed=0, n_resamples=99)).iloc[0]
    if key == "block_bootstrap":
        assert not row["applicable"]
        assert "needs one common event date, the 12 events have 12" in row["note"]
    one = run_tests(panel(layout="common").test(0, 1), [key], Options(seed=0, n_resamples=99)).iloc[0]
    assert one["applicable"]


def test_dates_of_equal_means_have_no_variance(panel, with_arrays):
    """The CARs differ inside dates, and their means over dates do not."""
    fitted = panel(n=4, window=(0, 1), layout="common", seed=5).abnormal
    dates = np.array(fitted.event_dates)
    dates[2:] += np.timedelta64(70, "D")
    ar = np.zeros((4, 2))
    ar[:, 0] = [1 / 64, 3 / 64, 3 / 64, 1 / 64]
    row = run_tests(
        TestInput(with_arrays(fitted, ar=ar, event_dates=dates), Window(0, 0)),
        ["wild_bootstrap", "bootstrap"],
    )
    assert row["applicable"].tolist() == [False, True]
    assert "the CARs of all dates have the same mean" in row["note"].iloc[0]
    ar[3, 0] = 2 / 64
    data = TestInput(with_arrays(fitted, ar=ar, event_dates=dates), Window(0, 0))
    assert run_tests(data, ["wild_bootstrap"])["applicable"].item()


@pytest.mark.parametrize("length", [1, 2, 4])
def test_the_fewest_estimation_days_of_a_permutation(panel, length):
    """Days beside a pseudo-date less two parameters scale it: one at least, and none is not enough."""
    for width, enough in ((length + 3, True), (length + 2, False)):
        data = panel(n=4, width=width, window=(0, 3), seed=6).test(0, length - 1)
        row = run_tests(data, ["permutation"]).iloc[0]
        assert row["applicable"] == (enough and width >= 5), row["note"]
        if row["applicable"]:
            assert row["note"].startswith(f"rank among {width - length + 1} pseudo-dates")
