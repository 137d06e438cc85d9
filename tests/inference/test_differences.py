"""Differences of groups and of treated and controls: against closed forms, loops and simulated shocks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.procedures.differences import (
    difference,
    label_permutation,
    pair_dates,
    treated_vs_controls,
    variance_difference,
    variance_t,
    welch,
)
from eventstudy.windows import Window

R = 300


def halves(made, window=(0, 1), n=None):
    """First n and other events of a panel, as two tested sets."""
    first = np.arange(made.abnormal.n_events) < (made.abnormal.n_events // 2 if n is None else n)
    return [TestInput(made.abnormal.take(keep), Window(*window)) for keep in (first, ~first)]


def portfolio_of(fit):
    """The mean of events that share dates and regressors, as one event."""
    parts = {"ar": fit.ar, "actual": fit.actual, "residuals": fit.past.residuals()}
    return {name: values.mean(axis=0, keepdims=True) for name, values in parts.items()}


@pytest.mark.parametrize("window", [(0, 0), (-2, 3)])
def test_one_date_is_the_portfolio_t_of_the_difference(window, panel, with_arrays):
    made = panel(n=9, layout="common", seed=3)
    a, b = halves(made, window, 4)
    row = difference(a, b, Options())[0]
    # The portfolio test of one event that is long the first and short the second, twice.
    both = {k: v - portfolio_of(b.abnormal)[k] for k, v in portfolio_of(a.abnormal).items()}
    one = made.abnormal.take(np.array([0, 0]))
    s2 = (both["residuals"] ** 2).sum() / 58
    scale = s2 / one.s2[0]
    twice = with_arrays(
        one,
        **{k: np.repeat(v, 2, axis=0) for k, v in both.items()},
        s2=one.s2 * scale,
        noise=one.noise * scale,
        param_cov=one.param_cov * scale,
    )
    want = run_tests(TestInput(twice, Window(*window)), ["portfolio"]).iloc[0]
    assert row["test"] == "difference_portfolio"
    assert row["statistic"] == pytest.approx(want["statistic"], rel=1e-10)
    assert row["p_value"] == pytest.approx(want["p_value"], rel=1e-10)
    assert (row["dof"], row["distribution"]) == (58, "t")
    assert row["estimate"] == pytest.approx(a.car.mean() - b.car.mean(), rel=1e-12)
    assert row["note"].startswith("4 events and 5 events on 1 date; a difference of ")


@pytest.mark.parametrize("swapped", [False, True])
def test_sets_of_models_of_different_size_lose_the_parameters_of_the_larger(swapped, panel):
    """A line beside a model that estimates nothing: the differences have T - 2 degrees of freedom."""
    line = panel(n=4, layout="common", seed=3)
    plain = panel(n=5, layout="common", seed=4, model="madj")
    sets = [TestInput(made.abnormal, Window(0, 1)) for made in (line, plain)]
    row = difference(*(sets[::-1] if swapped else sets), Options())[0]
    apart = line.abnormal.past.residuals().mean(axis=0) - plain.abnormal.past.residuals().mean(axis=0)
    cars = [(a.car, a.cumulative.variance / a.abnormal.s2) for a in sets]
    scale = np.concatenate([scales for _, scales in cars]).mean()
    want = (cars[0][0].mean() - cars[1][0].mean()) / np.sqrt((apart**2).sum() / 58 * scale)
    assert row["dof"] == 58
    assert row["statistic"] == pytest.approx(-want if swapped else want, rel=1e-10)


def test_difference_changes_sign_with_the_order(panel):
    a, b = halves(panel(n=10, layout="common", seed=5))
    one, other = difference(a, b, Options("less"))[0], difference(b, a, Options("greater"))[0]
    assert other["statistic"] == pytest.approx(-one["statistic"], rel=1e-12)
    assert other["p_value"] == pytest.approx(one["p_value"], rel=1e-10)


def test_different_dates_are_welch_on_standardised_cars(panel):
    """Where each event has a date of its own."""
    a, b = halves(panel(n=13, layout="distinct", seed=2))
    rows = difference(a, b, Options("greater"))
    want = stats.ttest_ind(a.scar, b.scar, equal_var=False, alternative="greater")
    assert [row["test"] for row in rows] == ["difference_past", "difference_welch"]
    assert rows[1]["statistic"] == pytest.approx(want.statistic, rel=1e-12)
    assert rows[1]["p_value"] == pytest.approx(want.pvalue, rel=1e-12)
    assert rows[1]["dof"] == pytest.approx(want.df, rel=1e-12)
    assert rows[1]["note"] == "means of 6 and 7 dates, each of which counts once"
    # The past of events on dates of their own is their prediction error.
    variance = [d.cumulative.variance for d in (a, b)]
    t = (a.car.mean() - b.car.mean()) / np.sqrt(variance[0].sum() / 36 + variance[1].sum() / 49)
    assert rows[0]["statistic"] == pytest.approx(t, rel=1e-10)
    parts = np.concatenate([variance[0] / 36, variance[1] / 49])
    dof = np.concatenate([a.abnormal.dof, b.abnormal.dof])
    assert rows[0]["dof"] == pytest.approx(parts.sum() ** 2 / (parts**2 / dof).sum(), rel=1e-10)


def joined(one, two, apart, with_arrays):
    """Two panels of events as one, the second `apart` days later."""
    names = ("ar", "actual", "span", "param_cov", "s2", "n_obs", "dof", "noise", "design")
    pairs = {name: (getattr(one, name), getattr(two, name)) for name in names}
    pairs |= {
        name: (getattr(one.past, name)(), getattr(two.past, name)()) for name in ("residuals", "leverage")
    }
    shift = np.timedelta64(apart, "D")
    pairs["estimation_dates"] = one.past.dates(), two.past.dates() + shift
    pairs["estimation_design"] = one.past.design(), two.past.design()
    pairs["event_dates"] = one.event_dates, two.event_dates + shift
    return with_arrays(one, **{name: np.concatenate(parts) for name, parts in pairs.items()})


def test_groups_of_one_date_each_are_measured_by_their_past(panel, with_arrays):
    """Not as two samples of independent events: their dates' portfolios are two observations."""
    one, two = (panel(n=6, layout="common", seed=seed).abnormal for seed in (1, 2))
    both = joined(one, two, 400, with_arrays)
    a, b = (TestInput(both.take(np.arange(6) + 6 * i), Window(0, 1)) for i in (0, 1))
    past, welch_row = difference(a, b, Options())
    assert (welch_row["test"], welch_row["applicable"]) == ("difference_welch", False)
    assert "a group has one date" in welch_row["note"]
    variances, dofs = [], []
    for data in (a, b):
        mean = data.abnormal.past.residuals().mean(axis=0)
        dof = len(mean) - data.abnormal.n_params
        variances.append((mean**2).sum() / dof * (data.cumulative.variance / data.abnormal.s2).mean())
        dofs.append(dof)
    t = (a.car.mean() - b.car.mean()) / np.sqrt(sum(variances))
    assert past["statistic"] == pytest.approx(t, rel=1e-10)
    dof = sum(variances) ** 2 / sum(v**2 / d for v, d in zip(variances, dofs, strict=True))
    assert past["dof"] == pytest.approx(dof, rel=1e-10)
    assert past["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), dof), rel=1e-9)
    assert past["note"].startswith("6 events on 1 date and 6 events on 1 date")


def test_dates_that_groups_share_cancel_as_far_as_they_are_alike(panel, with_arrays):
    """Group a on one date, group b on the same and another: the common portfolio's shocks are in both."""
    one, two = (panel(n=6, layout="common", seed=seed).abnormal for seed in (3, 4))
    both = joined(one, two, 400, with_arrays)
    a = TestInput(both.take(np.arange(3)), Window(0, 1))
    b = TestInput(both.take(np.arange(3, 12)), Window(0, 1))
    past, welch_row = difference(a, b, Options())
    assert "share days" in welch_row["note"]
    series = [both.past.residuals(np.arange(*rows)).mean(axis=0) for rows in ((0, 3), (3, 6), (6, 12))]
    scale = a.cumulative.variance[0] / a.abnormal.s2[0], b.cumulative.variance[-1] / b.abnormal.s2[-1]
    dof = len(series[0]) - both.n_params
    sd = [
        np.sqrt((x**2).sum() / dof * k) for x, k in zip(series, (scale[0], scale[0], scale[1]), strict=True)
    ]
    part = np.array([1.0, -3 / 9, -6 / 9]) * sd
    rho = np.corrcoef(series[0], series[1])[0, 1]
    t = (a.car.mean() - b.car.mean()) / np.sqrt((part**2).sum() + 2 * rho * part[0] * part[1])
    assert past["statistic"] == pytest.approx(t, rel=1e-9)


def test_welch_by_hand():
    a, b = np.array([1.0, 2.0, 4.0]), np.array([0.0, 0.5])
    va, vb = a.var(ddof=1) / 3, b.var(ddof=1) / 2
    t, dof = welch(a, b)
    assert t == pytest.approx((a.mean() - 0.25) / np.sqrt(va + vb), rel=1e-12)
    assert dof == pytest.approx((va + vb) ** 2 / (va**2 / 2 + vb**2 / 1), rel=1e-12)


def test_partly_shared_dates_say_so(panel):
    made = panel(n=12, layout="mixed", seed=2)
    evens = np.arange(12) % 2 == 0
    a, b = (TestInput(made.abnormal.take(keep), Window(0, 1)) for keep in (evens, ~evens))
    past, row = difference(a, b, Options())
    assert past["applicable"]
    assert (row["test"], row["applicable"]) == ("difference_welch", False)
    assert "windows of both groups share days" in row["note"]


@pytest.fixture
def two_dates(panel, with_arrays):
    """Treated and controls on two dates: an even number of events, every other treated."""

    def make(n=5, **options):
        one, two = (panel(n=2 * n, layout="common", seed=seed, **options).abnormal for seed in (1, 2))
        shift = np.timedelta64(400, "D")
        names = ("ar", "actual", "span", "param_cov", "s2", "n_obs", "dof", "noise", "design")
        pairs = {name: (getattr(one, name), getattr(two, name)) for name in names}
        pairs |= {
            name: (getattr(one.past, name)(), getattr(two.past, name)()) for name in ("residuals", "leverage")
        }
        pairs |= {
            "estimation_dates": (one.past.dates(), two.past.dates() + shift),
            "estimation_design": (one.past.design(), two.past.design()),
            "event_dates": (one.event_dates, two.event_dates + shift),
        }
        both = with_arrays(one, **{name: np.concatenate(pair) for name, pair in pairs.items()})
        treated = np.arange(4 * n) % 2 == 0
        return [TestInput(both.take(keep), Window(0, 1)) for keep in (treated, ~treated)]

    return make


def test_several_dates_are_standardised_one_by_one(two_dates):
    treated, controls = two_dates()
    frame = treated_vs_controls(treated, controls, Options(seed=1)).set_index("test")
    assert list(frame.index) == ["difference_portfolio", "difference_dates", "difference_permutation"]
    z = []
    for day in np.unique(treated.tested_dates[:, 0]):
        rows = [x.take(x.tested_dates[:, 0] == day) for x in (treated, controls)]
        z.append(difference(*rows, Options())[0]["statistic"])
    want = sum(z) / np.sqrt(2 * 58 / 56)
    assert frame.loc["difference_portfolio", "statistic"] == pytest.approx(want, rel=1e-12)
    assert frame.loc["difference_dates", "statistic"] == pytest.approx(
        stats.ttest_1samp(z, 0).statistic, rel=1e-10
    )
    assert frame.loc["difference_dates", "dof"] == 1
    assert frame["note"].str.contains("10 treated and 10 controls on 2 dates").sum() == 2
    assert (frame["n_events"] == 10).all()


def test_groups_of_the_same_dates_are_paired(two_dates):
    rows = difference(*two_dates(), Options())
    assert [row["test"] for row in rows] == ["difference_portfolio", "difference_dates"]


def test_treated_without_controls_are_left_out_and_counted(panel, two_dates):
    treated, controls = two_dates()
    few = controls.take(controls.tested_dates[:, 0] == controls.tested_dates[0, 0])
    frame = treated_vs_controls(treated, few, Options(seed=1)).set_index("test")
    note = frame.loc["difference_portfolio", "note"]
    assert note.startswith(
        "5 treated and 5 controls on 1 date; 5 treated on dates without a counterpart left out; a difference"
    )
    assert not frame.loc["difference_dates", "applicable"]
    apart = panel(n=4, layout="distinct").abnormal.take(np.arange(4) > 0)
    with pytest.raises(RequestError, match="No control event has the tested dates"):
        treated_vs_controls(treated, TestInput(apart, Window(0, 1)))


def test_windows_that_overlap_are_told(two_dates, with_arrays):
    treated, controls = two_dates()
    assert not pair_dates(treated, controls).overlapping
    near = []
    for data in (treated, controls):
        dates = data.abnormal.event_dates.copy()
        late = dates[:, 0] > dates[0, 0]
        dates[late] = dates[~late][0] + np.timedelta64(1, "D")
        near.append(TestInput(with_arrays(data.abnormal, event_dates=dates), Window(0, 1)))
    assert "overlap, and count as independent" in treated_vs_controls(*near).iloc[0]["note"]


def test_a_shock_that_both_share_drops_out(two_dates):
    treated, controls = two_dates()
    shocked = []
    for data in (treated, controls):
        ar = data.abnormal.ar + 0.2
        shocked.append(TestInput(replace(data.abnormal, ar=ar), Window(0, 1)))
    plain, shared = (
        treated_vs_controls(treated, controls, Options(seed=1)),
        treated_vs_controls(*shocked, Options(seed=1)),
    )
    names = ["statistic", "p_value", "estimate"]
    assert shared[names].iloc[0].to_numpy() == pytest.approx(plain[names].iloc[0].to_numpy(), rel=1e-8)
    only = treated_vs_controls(shocked[0], controls, Options(seed=1))
    assert (only["p_value"].iloc[[0, 2]] < 0.02).all()


@pytest.mark.parametrize("key", [0, 1, 2])
def test_order_and_seed_of_against(key, two_dates):
    treated, controls = two_dates()
    first = treated_vs_controls(treated, controls, Options(seed=3)).iloc[key]
    order = np.random.default_rng(0).permutation(10)
    moved = [TestInput(x.abnormal.take(order), Window(0, 1)) for x in (treated, controls)]
    again = treated_vs_controls(*moved, Options(seed=3)).iloc[key]
    assert again["statistic"] == pytest.approx(first["statistic"], rel=1e-10)
    assert again["p_value"] == pytest.approx(first["p_value"], rel=1e-10)


def test_labels_are_drawn_within_dates():
    """All labellings of two dates, by hand, against many draws."""
    rng = np.random.default_rng(0)
    treated = [rng.standard_normal(2), rng.standard_normal(1)]
    control = [rng.standard_normal(3), rng.standard_normal(2)]
    observed, draws = label_permutation(treated, control, 20_000, np.random.default_rng(1))
    values = []
    pools = [np.concatenate(pair) for pair in zip(treated, control, strict=True)]
    for i in itertools.combinations(range(5), 2):
        for j in itertools.combinations(range(3), 1):
            apart = 0.0
            for pool, rows in zip(pools, (i, j), strict=True):
                on = np.isin(np.arange(len(pool)), rows)
                apart += len(rows) * (pool[on].mean() - pool[~on].mean()) / 3
            values.append(apart)
    want = (2 * (treated[0].mean() - control[0].mean()) + treated[1][0] - control[1].mean()) / 3
    assert observed == pytest.approx(want, rel=1e-12)
    found, counts = np.unique(np.round(draws, 10), return_counts=True)
    assert found == pytest.approx(np.unique(np.round(values, 10)))
    assert counts / 20_000 == pytest.approx(1 / 30, abs=0.006)


def test_labels_are_drawn_alike_for_values_of_the_other_sign():
    rng = np.random.default_rng(0)
    sets = [[rng.standard_normal(4), rng.standard_normal(3)] for _ in range(2)]
    found, draws = label_permutation(*sets, 50, np.random.default_rng(1))
    mirrored = [[-values for values in each] for each in sets]
    other, other_draws = label_permutation(*mirrored, 50, np.random.default_rng(1))
    assert other == -found
    np.testing.assert_allclose(other_draws, -draws, atol=1e-15)


def test_few_labellings_are_told(panel):
    made = panel(n=6, layout="common", seed=3)
    a, b = halves(made, (0, 1), 1)
    row = treated_vs_controls(a, b, Options(seed=1)).iloc[2]
    assert "only 6 ways to call 1 of them treated" in row["note"]
    assert row["p_value"] >= 1 / 6 - 0.05


def test_groups_that_cannot_be_compared(panel, flat):
    made = panel(n=6, layout="distinct", seed=3)
    a, b = halves(made, (0, 1), 1)
    past, row = difference(a, b, Options())
    assert past["applicable"]
    assert not row["applicable"]
    assert "a group has one date" in row["note"]
    nothing = TestInput(replace(b.abnormal, ar=np.full_like(b.abnormal.ar, np.nan)), Window(0, 1))
    row = difference(a, nothing, Options())[0]
    assert not row["applicable"]
    assert "a group has no event" in row["note"]
    same = TestInput(panel(n=2, layout="common").abnormal.take([0]), Window(0, 1))
    row = difference(same, same, Options())[0]
    assert not row["applicable"]
    assert "no variance" in row["note"]


def test_groups_of_equal_values_have_no_standard_error(panel, with_arrays):
    made = panel(n=6, layout="distinct", seed=3).abnormal
    same, others = (TestInput(made.take(rows), Window(0, 1)) for rows in ([0, 1], [2, 3, 4]))
    equal = [with_arrays(d.abnormal, ar=np.sqrt(d.abnormal.ar_variance)) for d in (same, others)]
    row = difference(*(TestInput(abnormal, Window(0, 0)) for abnormal in equal), Options())[1]
    assert (row["applicable"], row["test"]) == (False, "difference_welch")
    assert "of each group are equal" in row["note"]


def shared_noise(rng, n, factor):
    """Market shock of its own: treated and controls share it, and it grows on the event day."""
    common = rng.standard_normal(103)
    common[100:] *= factor
    return np.sqrt(0.3) * common + np.sqrt(0.7) * rng.standard_normal((n, 103))


@pytest.mark.slow
def test_size_under_a_larger_common_shock(panel, with_arrays):
    """Nothing survives it among the treated alone; against controls the size is kept.

    S9 of docs/explanation/which_test_when.md.
    """
    rng, days = np.random.default_rng(8), np.datetime64("2020-01-01") + np.arange(103)
    like = panel(n=1).abnormal
    hits = dict.fromkeys(
        ["adjusted_bmp", "block_bootstrap", "difference_portfolio", "difference_permutation"], 0
    )
    for seed in range(R):
        z = 0.02 * shared_noise(rng, 20, 3.0)
        mean = z[:, :100].mean(axis=1, keepdims=True)
        e = z[:, :100] - mean
        s2 = (e**2).sum(axis=1) / 99
        fit = with_arrays(
            like,
            window=Window(0, 2),
            ar=z[:, 100:] - mean,
            actual=z[:, 100:],
            span=np.ones((20, 3), dtype=int),
            noise=np.repeat(s2[:, None], 3, axis=1),
            design=np.ones((20, 3, 1)),
            param_cov=(s2 / 100)[:, None, None],
            residuals=e,
            leverage=np.full(e.shape, 0.01),
            s2=s2,
            n_obs=np.full(20, 100),
            dof=np.full(20, 99.0),
            n_params=1,
            estimation_dates=np.tile(days[:100], (20, 1)),
            event_dates=np.tile(days[100:], (20, 1)),
            estimation_design=np.ones((20, 100, 1)),
        )
        treated, controls = (TestInput(fit.take(half), Window(0, 2)) for half in (slice(0, 8), slice(8, 20)))
        options = Options(n_resamples=199, seed=seed)
        rows = run_tests(treated, ["adjusted_bmp", "block_bootstrap"], options)
        rows = [*rows.to_dict("records"), *treated_vs_controls(treated, controls, options).to_dict("records")]
        for row in rows:
            if row["test"] in hits:
                hits[row["test"]] += row["p_value"] <= 0.05
    rates = {key: n / R for key, n in hits.items()}
    assert rates["adjusted_bmp"] > 0.2
    assert rates["block_bootstrap"] > 0.2
    for key in ("difference_portfolio", "difference_permutation"):
        assert rates[key] == pytest.approx(0.05, abs=0.045), rates


@pytest.mark.parametrize(("n", "m"), [(5, 5), (12, 4), (30, 17)])
def test_spread_is_compared_as_by_scipy(n, m):
    rng = np.random.default_rng(n)
    a, b = 2.0 * rng.standard_t(4, n), rng.standard_t(4, m)
    t, dof = variance_t(a, b)
    want = stats.levene(a, b, center="median")
    assert t**2 == pytest.approx(want.statistic, rel=1e-10)
    assert dof == n + m - 2
    assert 2 * stats.t.sf(abs(t), dof) == pytest.approx(want.pvalue, rel=1e-9)
    assert variance_t(b, a)[0] == pytest.approx(-t, rel=1e-12)


def test_spread_of_two_groups_of_events(panel, with_arrays):
    made = panel(n=24, layout="distinct", seed=4)
    calm, wild = made.test(0, 0).take(np.arange(12)), made.test(0, 0).take(np.arange(12, 24))
    fit = wild.abnormal
    louder = TestInput(with_arrays(fit, ar=6.0 * fit.ar), calm.window)
    row = variance_difference(louder, calm, Options("greater"))
    assert row["p_value"] < 0.01
    want = stats.levene(louder.scar, calm.scar, center="median")
    assert row["statistic"] == pytest.approx(np.sqrt(want.statistic), rel=1e-10)
    assert row["p_value"] == pytest.approx(want.pvalue / 2, rel=1e-9)
    ratio = louder.scar.std(ddof=1) / calm.scar.std(ddof=1)
    assert f"ratio {ratio:.2f}" in row["note"]
    assert variance_difference(louder, calm, Options("less"))["p_value"] > 0.99
    few = variance_difference(louder, calm.take(np.arange(2)), Options())
    assert "a group has fewer than 3 events with a CAR and a residual variance (12 and 2)" in few["note"]


def test_spread_does_not_know_dates(panel):
    data = panel(n=12, layout="mixed", seed=4).test(0, 0)
    row = variance_difference(data.take(np.arange(6)), data.take(np.arange(6, 12)), Options())
    assert "events of one date count as independent" in row["note"]
    one = panel(n=12, layout="common", seed=4).test(0, 0)
    row = variance_difference(one.take(np.arange(6)), one.take(np.arange(6, 12)), Options())
    assert "count as independent" not in row["note"]
