"""Several windows or groups at once: dependence, sides, reasons and the chance of any false rejection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy

from eventstudy.errors import RequestError
from eventstudy.inference import Options, TestInput, adjust, run_tests
from eventstudy.inference.procedures.simultaneous import group_tests, window_tests
from eventstudy.windows import Window

WINDOWS = [(0, 0), (0, 1), (-2, 3)]


def inputs(abnormal, windows=WINDOWS):
    return [TestInput(abnormal, Window(*w)) for w in windows]


def test_few_events_have_the_statistics_of_the_residual_vector_bootstrap(panel):
    made = panel(n=4, layout="common", missing=0.05, seed=5).abnormal
    frame = window_tests(inputs(made), options=Options(seed=1))
    for data, row in zip(inputs(made), frame.itertuples(), strict=True):
        one = run_tests(data, ["block_bootstrap"], Options(seed=1, n_resamples=999)).iloc[0]
        assert row.statistic == one["statistic"]
        assert row.caar == pytest.approx(data.car.mean())
        assert row.p_value == pytest.approx(one["p_value"], abs=0.06)  # two draws of 999
        assert row.p_adjusted >= row.p_value
        assert row.note.startswith("takes 4 events for no more volatile than the estimation window")


@pytest.mark.parametrize(("layout", "key"), [("common", "adjusted_bmp"), ("distinct", "bmp")])
def test_five_events_or_more_are_measured_by_their_spread(layout, key, panel):
    """A more volatile event multiplies CARs and their spread alike, so it leaves the statistic as it is."""
    made = panel(n=8, layout=layout, seed=5).abnormal
    frame = window_tests(inputs(made), options=Options(seed=1))
    for data, row in zip(inputs(made), frame.itertuples(), strict=True):
        one = run_tests(data, [key]).iloc[0]
        assert 2 * scipy.stats.norm.sf(abs(row.statistic)) == pytest.approx(one["p_value"])
        assert np.sign(row.statistic) == np.sign(one["statistic"])
        assert row.p_value == pytest.approx(one["p_value"], abs=0.1)
        assert row.note.endswith(f"normal score of {key}")
    wild = window_tests(inputs(replace(made, ar=2 * made.ar)), options=Options(seed=1))
    assert wild["p_value"].to_numpy() == pytest.approx(frame["p_value"].to_numpy())


def test_few_events_that_spread_more_than_before_are_told_of(panel):
    made = panel(n=4, layout="distinct", seed=5).abnormal
    ar = made.ar + np.array([0.2, -0.2, 0.2, -0.2])[:, None]
    found = window_tests(inputs(replace(made, ar=ar)), options=Options(seed=1))
    assert found["note"].str.contains("the CARs spread more than that, so its p-value is too small").all()


def test_equal_windows_are_one_hypothesis(panel):
    made = panel(n=10, layout="common", seed=5, effect=0.02).abnormal
    one = window_tests(inputs(made, [(0, 0)]), options=Options(seed=1))["p_adjusted"].iloc[0]
    many = window_tests(inputs(made, [(0, 0)] * 5), options=Options(seed=1))["p_adjusted"]
    assert many.to_numpy() == pytest.approx(one)
    assert one < 0.5
    holm = window_tests(inputs(made, [(0, 0)] * 5), "holm", Options(seed=1))
    assert holm["p_adjusted"].to_numpy() == pytest.approx(np.minimum(1.0, 5 * holm["p_value"]))


def test_equal_groups_are_one_hypothesis(panel):
    data = panel(n=10, layout="common", seed=5, effect=0.01).test(0, 1)
    one = group_tests({"a": data}, options=Options(seed=1)).loc["a", "p_adjusted"]
    both = group_tests({"a": data, "b": data}, options=Options(seed=1))
    assert both["p_adjusted"].to_numpy() == pytest.approx(one)
    assert list(both.index) == ["a", "b"]


@pytest.mark.parametrize("side", ["less", "greater"])
@pytest.mark.parametrize("method", ["romano-wolf", "holm", "bh"])
def test_one_sided(side, method, panel):
    made = panel(n=10, layout="common", seed=5, effect=-0.03).abnormal
    windows = window_tests(inputs(made), method, Options(side, seed=1))["p_adjusted"]
    halves = {name: TestInput(made.take(np.arange(10) % 2 == name), Window(0, 1)) for name in (0, 1)}
    groups = group_tests(halves, method, Options(side, seed=1))["p_adjusted"]
    for adjusted in (windows, groups):
        assert ((adjusted < 0.1) == (side == "less")).all()


def test_order_of_events_and_windows_does_not_matter(panel):
    made = panel(n=10, layout="common", missing=0.1, seed=5).abnormal
    first = window_tests(inputs(made), options=Options(seed=1))
    again = window_tests(inputs(made.take(np.arange(10)[::-1]), WINDOWS[::-1]), options=Options(seed=1))
    assert again["p_adjusted"].to_numpy()[::-1] == pytest.approx(first["p_adjusted"].to_numpy())


def test_order_of_groups_does_not_matter(panel, with_arrays):
    """Each group is compared with its own draws: those of a group with one wild day are like no other's."""
    made = panel(n=12, layout="common", seed=5).abnormal
    residuals = made.past.residuals().copy()
    residuals[:4, 7] = 40 * residuals[:4].std()
    wild = with_arrays(made, residuals=residuals)
    groups = {
        name: TestInput(wild.take(np.arange(12) // 4 == i), Window(0, 1)) for i, name in enumerate("abc")
    }
    first = group_tests(groups, options=Options(seed=1))
    again = group_tests(dict(reversed(groups.items())), options=Options(seed=1))
    for name in ("p_value", "p_adjusted"):
        assert again[name].to_dict() == pytest.approx(first[name].to_dict())


def test_any_test_goes_with_holm(panel):
    made = panel(n=10, layout="common", seed=5).abnormal
    frame = window_tests(inputs(made), "holm", test="adjusted_bmp")
    p = [run_tests(data, ["adjusted_bmp"])["p_value"].iloc[0] for data in inputs(made)]
    assert frame["p_value"].to_numpy() == pytest.approx(p)
    assert frame["p_adjusted"].to_numpy() == pytest.approx(adjust(p, "holm"))
    assert frame["caar"].to_numpy() == pytest.approx([data.car.mean() for data in inputs(made)])
    with pytest.raises(RequestError, match="draws a statistic of its own"):
        window_tests(inputs(made), "romano-wolf", test="bmp")
    with pytest.raises(RequestError, match="no test 'bpm'"):
        group_tests({"a": inputs(made)[0]}, "bh", test="bpm")


def test_what_cannot_be_tested_says_why(panel):
    made = panel(n=10, layout="common", seed=5).abnormal
    gone = made.ar.copy()
    gone[:5] = np.nan
    data = TestInput(replace(made, ar=gone), Window(0, 1))
    halves = {"gone": data.take(np.arange(10) < 5), "here": data.take(np.arange(10) >= 5)}
    frame = group_tests(halves, options=Options(seed=1))
    assert frame.loc["gone", ["statistic", "p_value", "p_adjusted"]].isna().all()
    assert frame.loc["gone", "note"] == "not applicable: no event has a CAR in window (0, +1)"
    assert frame.loc["here", "p_adjusted"] == frame.loc["here", "p_value"]
    nothing = window_tests([halves["gone"]])
    assert nothing["p_adjusted"].isna().all()


def test_one_event_and_several_dates(panel):
    one = window_tests(inputs(panel(n=1, seed=5).abnormal), options=Options(seed=1))
    assert one["p_adjusted"].between(0, 1).all()
    assert (one["note"] == "takes 1 event for no more volatile than the estimation window").all()
    several = window_tests(inputs(panel(n=6, layout="distinct", seed=5).abnormal), options=Options(seed=1))
    assert several["note"].str.startswith("6 dates").all()


def test_unknown_requests(panel):
    made = inputs(panel().abnormal)
    with pytest.raises(RequestError, match="'romano-wolf', 'holm', 'bh'"):
        window_tests(made, "bonferroni")
    with pytest.raises(RequestError, match="'two-sided', 'less', 'greater'"):
        window_tests(made, options=Options("lower"))


def test_a_return_after_a_halt_draws_as_many_days(panel, with_arrays):
    made = panel(n=4, layout="common", seed=5).abnormal
    span = made.span.copy()
    span[:, 2] = 9  # day 0
    lumped = with_arrays(made, span=span, noise=made.noise * np.where(span > 1, span, 1))
    plain = window_tests(inputs(made, [(0, 0), (0, 1)]), options=Options(seed=1))
    found = window_tests(inputs(lumped, [(0, 0), (0, 1)]), options=Options(seed=1))
    assert (found["statistic"].abs() < plain["statistic"].abs()).all()
    assert found["p_adjusted"].between(0, 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "groups"])
def test_chance_of_any_false_rejection(kind, panel, with_arrays):
    """Three windows, or four groups of one date, under the null: one in twenty samples may reject any."""
    made = panel(n=8, width=60, layout="common", seed=5).abnormal
    rng, hits, raw, samples = np.random.default_rng(0), 0, 0, 300
    for sample in range(samples):
        noise = np.sqrt(0.3) * rng.standard_normal(66) + np.sqrt(0.7) * rng.standard_normal((8, 66))
        past, ar = noise[:, :60] - noise[:, :60].mean(axis=1, keepdims=True), noise[:, 60:]
        s2 = (past**2).sum(axis=1) / 59
        fresh = with_arrays(
            made,
            ar=ar - noise[:, :60].mean(axis=1, keepdims=True),
            residuals=past,
            leverage=np.full(past.shape, 1 / 60),
            s2=s2,
            noise=np.repeat(s2[:, None], 6, axis=1),
            design=np.ones((8, 6, 1)),
            param_cov=(s2 / 60)[:, None, None],
            dof=np.full(8, 59.0),
            n_params=1,
            estimation_design=None,
        )
        options = Options(n_resamples=199, seed=sample)
        if kind == "windows":
            frame = window_tests(inputs(fresh, [(0, 0), (0, 1), (-2, -1)]), options=options)
        else:
            groups = {g: TestInput(fresh.take(np.arange(8) // 2 == g), Window(0, 1)) for g in range(4)}
            frame = group_tests(groups, options=options)
        hits += frame["p_adjusted"].min() <= 0.05
        raw += frame["p_value"].min() <= 0.05
    assert hits / samples == pytest.approx(0.05, abs=0.035)
    assert raw / samples > 0.09
