"""Samples that are measured and tested together give what a study of each of them gives."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.dependence.near_pairs import near_dates
from eventstudy.inference.samples import Dates, Samples
from eventstudy.lab import sample_tests, simulated_power
from eventstudy.lab.placebo_events import Candidates, DateCluster, draw_events
from eventstudy.lab.sample_tests import SampleTests, apart, block_size
from eventstudy.lab.simulation_design import Design, closed_tests, inject_effect

CLOSED = list(dict.fromkeys(closed_tests(1) + closed_tests(50)))
#: Tests that some samples must be computed alone for, though they have a batch form.
SOMETIMES_ALONE = {"wilcoxon"}


def plain() -> es.Market:
    return es.lab.simulate_market(60, 420, correlation=0.3, seed=1).market


def holes() -> es.Market:
    """A market in which nearly every estimation window misses days."""
    return es.lab.simulate_market(
        60, 420, correlation=0.3, halts=0.02, halt_sessions=3, thin=0.05, seed=2
    ).market


def coarse() -> es.Market:
    """Prices in half units: many returns are equal, and many zero."""
    return es.lab.simulate_market(60, 420, tick=0.5, correlation=0.2, seed=4).market


def odd() -> es.Market:
    """Twins, whose residuals are the same, and a price that never moves."""
    returns = es.lab.simulate_market(8, 420, seed=5).market.returns.fillna(0)
    prices = 50 * (1 + returns).cumprod()
    prices["twin"], prices["other twin"] = prices.iloc[:, 1], 2 * prices.iloc[:, 1]
    prices["flat"] = 10.0
    prices["index"] = 50 * (1 + returns.mean(axis=1)).cumprod()
    return es.Market.from_prices(prices, benchmark="index")


def like(market: es.Market) -> es.EventStudyResults:
    """A study whose dates are clustered, with a window longer than the tested one."""
    rows = [300] * 10 + [301] * 9 + [302, 330, 331, 331, 380, 380]
    events = [
        {"security": name, "date": market.sessions[row]}
        for name, row in zip(market.returns.columns[1:], rows, strict=False)
    ]
    return es.EventStudy(market, events, estimation=(-130, -21), window=(-5, 5)).fit()


DESIGNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "50 dates": (plain, {"n_events": 50}),
    "50 dates with missing days": (holes, {"n_events": 50}),
    "one date": (plain, {"n_events": 20, "common_date": True}),
    "one date with missing days": (holes, {"n_events": 20, "common_date": True}),
    "ties": (coarse, {"n_events": 30}),
    "ties on one date": (coarse, {"n_events": 30, "common_date": True}),
    "unchanged prices": (coarse, {"n_events": 30, "models": {"mean": es.ConstantMean()}}),
    "unchanged prices over three days": (
        coarse,
        {"n_events": 20, "models": {"mean": es.ConstantMean()}, "start": -1, "end": 1},
    ),
    "one event": (holes, {"n_events": 1}),
    "two events": (holes, {"n_events": 2}),
    "six events": (plain, {"n_events": 6}),
    "a longer window": (holes, {"n_events": 12, "start": -1, "end": 3}),
    "events left out": (odd, {"n_events": 6}),
    "twins on one date": (odd, {"n_events": 8, "common_date": True}),
}


def design_of(market: es.Market | None, n_samples: int = 6, **kwargs: Any) -> Design:
    """Return the design of a calibration of which hardly anything is computed."""
    options = {"estimation": (-120, -11), "tests": CLOSED, "shift": [0], "variance": [1], "seed": 3}
    found = es.lab.calibrate(market, n_samples=n_samples, **(options | kwargs))
    return found.design


def one_by_one(design: Design) -> np.ndarray:
    """P-values as `Design.p_values`, of each sample on its own."""
    shape = (len(design.models), len(design.variance), len(design.shift), len(design.tests))
    out = np.full((design.n_samples, *shape), np.nan)
    for i in range(design.n_samples):
        sample, rng = design.sample(i)
        options = Options(design.alternative, design.n_resamples, int(rng.integers(2**63)))
        for j, (_, model) in enumerate(design.models):
            data = TestInput(design.abnormal(sample, model), design.tested)
            for k, variance in enumerate(design.variance):
                for m, shift in enumerate(design.shift):
                    moved = inject_effect(data, variance, shift)
                    out[i, j, k, m] = [TESTS[key].run(moved, options).p_value for key in design.tests]
    return out


def together(design: Design) -> tuple[SampleTests, TestInput]:
    numbers = range(design.n_samples)
    sample = design._sample([design._draw(number) for number in numbers])
    data = TestInput(design.abnormal(sample, design.models[0][1]), design.tested)
    return SampleTests(data, design.n_events, apart(sample, design.n_events)), data


def test_each_test_with_a_formula_or_a_rank_has_a_batch_form() -> None:
    assert [key for key in CLOSED if TESTS[key].batch is None] == []
    assert TESTS["bootstrap"].batch is None


@pytest.mark.quick("twins on one date-greater", every=5)
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
@pytest.mark.parametrize("name", DESIGNS)
def test_statistics_are_those_of_one_sample(name: str, alternative: Any) -> None:
    make, kwargs = DESIGNS[name]
    design = design_of(make(), **kwargs)
    tests, data = together(design)
    regular = tests.regular(data)
    if make is odd:
        assert 0 < regular.sum() < len(regular)  # a price that does not move has no residual variance
    else:
        assert regular.all()
    samples, options = tests.batch(data, regular), Options(alternative)
    n = design.n_events
    singles = [
        TestInput(data.abnormal.take(slice(i * n, (i + 1) * n)), data.window)
        for i in np.flatnonzero(regular).tolist()
    ]
    for key in CLOSED:
        found = TESTS[key].run_samples(samples, options)
        assert found.alone is None or key in SOMETIMES_ALONE or not found.alone.any()
        for i, single in enumerate(singles):
            wanted = TESTS[key].run(single, options)
            if found.alone is not None and found.alone[i]:
                assert np.isnan(found.p_value[i])
                continue
            defined = not np.isnan(wanted.statistic)
            assert defined or wanted.note, key  # what is undefined has a reason
            got = [float(x[i]) for x in (found.statistic, found.p_value, found.dof, found.estimate)]
            dof = np.nan if wanted.dof is None else wanted.dof
            expected = [wanted.statistic, wanted.p_value, dof, wanted.estimate] if defined else [np.nan] * 4
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12, err_msg=f"{key} of sample {i}")


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("name", ["six events", "one date with missing days", "events left out"])
def test_p_values_are_those_of_a_loop(name: str) -> None:
    make, kwargs = DESIGNS[name]
    tests = [*CLOSED, "bootstrap", "wild_bootstrap", "block_bootstrap", "permutation"]
    found = es.lab.calibrate(
        make(), n_samples=5, estimation=(-120, -11), tests=tests, shift=[0, 0.02], variance=[1, 2], seed=3,
        n_resamples=19, **kwargs,
    )  # fmt: skip
    np.testing.assert_allclose(found.p_values, one_by_one(found.design), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.filterwarnings("ignore::eventstudy.errors.LumpedReturnWarning")
def test_p_values_of_a_copied_design_are_those_of_a_loop() -> None:
    found = es.lab.calibrate(
        like=like(holes()), n_samples=6, tests=CLOSED, shift=[0, 0.01], variance=[1, 2], seed=3
    )
    np.testing.assert_allclose(found.p_values, one_by_one(found.design), rtol=0, atol=1e-12)


def test_models_that_look_at_other_events_are_fitted_sample_by_sample() -> None:
    models = [es.PCAModel(), es.ConstantMean(), es.MarketModel(missing="trade_to_trade")]
    found = es.lab.calibrate(
        plain(), n_events=4, n_samples=3, models=models, tests=["bmp", "grank_t"], estimation=(-120, -11),
        shift=[0, 0.02], variance=[1], seed=3,
    )  # fmt: skip
    np.testing.assert_allclose(found.p_values, one_by_one(found.design), rtol=0, atol=1e-12)


def test_samples_in_event_time_are_tested_alone() -> None:
    """Days 0 of two events are the same row of such a market, but not known to be the same day."""
    days = pd.RangeIndex(-90, 30, name="day")
    returns = np.random.default_rng(0).normal(0, 0.02, (len(days), 10))
    wide = pd.DataFrame(returns, days, [f"F{i}" for i in range(10)])
    long = wide.rename_axis(columns="event").stack().rename("return").reset_index()
    market, _ = es.from_event_time(long.assign(benchmark=0.01 * np.sin(long["day"])))
    found = es.lab.calibrate(
        market, n_events=4, n_samples=3, estimation=(-50, -11), tests=["adjusted_bmp", "jaffe", "portfolio"],
        shift=[0], variance=[1], common_date=True, seed=3,
    )  # fmt: skip
    sample, _ = found.design.sample(0)
    assert apart(sample, 4) is None
    np.testing.assert_allclose(found.p_values, one_by_one(found.design), rtol=0, atol=1e-12)
    assert np.isnan(found.p_values[..., 2]).all()  # no common date


@pytest.mark.quick("one date with missing days")
@pytest.mark.parametrize("name", ["one date with missing days", "events left out", "one event"])
def test_the_noise_of_a_market_is_that_of_its_samples(name: str) -> None:
    make, kwargs = DESIGNS[name]
    market = make()
    curve = es.lab.power(market, estimation=(-120, -11), seed=3, **kwargs)
    design = design_of(market, tests=["t"], **kwargs)
    for i in range(0, simulated_power.TYPICAL, 9):
        sample, _ = design.sample(i)
        data = TestInput(design.abnormal(sample, design.models[0][1]), design.tested).with_variance
        assert curve.sd[i] == pytest.approx(np.sqrt(data.cumulative.variance.mean()), rel=1e-12)
        assert curve.correlation[i] == pytest.approx(max(dependence(data).mean_correlation, 0), abs=1e-12)
        assert curve.dof[i] == pytest.approx(data.abnormal.dof.mean(), rel=1e-12)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"n_events": 8, "n_samples": 23, "estimation": (-120, -11), "seed": 3}
    whole = es.lab.calibrate(holes(), **options)
    assert whole.design.n_blocks == 1
    monkeypatch.setattr(sample_tests, "MOST_SAMPLES", 5)
    parts = es.lab.calibrate(holes(), **options)
    assert parts.design.n_blocks == 5
    np.testing.assert_allclose(whole.p_values, parts.p_values, rtol=0, atol=1e-12)


def test_large_samples_are_tested_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    design = design_of(plain(), n_events=8, n_samples=3)
    expected = design.p_values(0)
    monkeypatch.setattr(sample_tests, "LARGE", 7)
    tests, data = together(design)
    assert not tests.regular(data).any()
    np.testing.assert_allclose(design.p_values(0), expected, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_samples() -> None:
    """A block holds the windows of at most 50 samples and 4,096 events, a few dozen arrays of them."""
    assert [block_size(n) for n in (1, 50, 200, 4096, 10_000)] == [50, 50, 20, 1, 1]
    market, peaks = plain(), []
    es.lab.calibrate(market, n_events=20, n_samples=1, estimation=(-120, -11), shift=[0], variance=[1])
    for n_samples in (50, 200):
        tracemalloc.start()
        es.lab.calibrate(
            market, n_events=20, n_samples=n_samples, estimation=(-120, -11), shift=[0], variance=[1]
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    windows = 50 * 20 * 110 * 8
    assert peaks[0] < 40 * windows
    assert peaks[1] < peaks[0] + windows


CLUSTERS: list[tuple[DateCluster, ...]] = [
    (((0, 1),),) * 50,
    (((0, 3),),),
    (((0, 1), (1, 1)), ((0, 1),)) * 7,
    (((0, 2), (1, 1)), ((0, 1),)) * 7,
    (((0, 1),),) * 500,
]


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_events_are_drawn_as_by_a_choice_for_each_session(clusters: tuple[DateCluster, ...]) -> None:
    usable = np.random.default_rng(0).random((30, 400)) < 0.7
    candidates = Candidates(usable)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        security, day0 = [], []
        for form in dict.fromkeys(clusters):
            starts, n = candidates.starts(form), clusters.count(form)
            for start in rng.choice(starts, n, replace=n > len(starts)).tolist():
                for offset, count in form:
                    able = np.flatnonzero(usable[:, start + offset])
                    security += rng.choice(able, count, replace=False).tolist()
                    day0 += [start + offset] * count
        same = np.random.default_rng(seed)
        found = draw_events(candidates, clusters, same)
        assert found[0].tolist() == security
        assert found[1].tolist() == day0
        assert same.integers(2**63) == rng.integers(2**63)


def test_pairs_of_near_dates_are_all_pairs_that_share_days() -> None:
    session = np.array([3, 5, 6, 9, 30, 31, 33, 200])
    dates = Dates(np.arange(8), np.arange(8), session, np.arange(8), np.zeros(1, dtype=np.int64))
    found = set(zip(*(each.tolist() for each in near_dates(dates, 7)), strict=True))
    apart = {(i, j, int(session[j] - session[i])) for i in range(8) for j in range(i + 1, 8)}
    assert found == {pair for pair in apart if pair[2] < 7}


def test_lost_degrees_of_freedom_are_the_mean_of_a_sample() -> None:
    data = like(plain()).fitted.test_input(es.Window(0, 0)).take(slice(0, 8))
    fit = data.abnormal
    lost = np.array([0.5, 0.25, 0.75, 0.5, 1.0, 1.5, 9.0, 9.0])
    found = Samples(TestInput(replace(fit, dof=fit.n_obs - lost), data.window), 4).lost_dof
    np.testing.assert_allclose(found, [0.5, 2.0])
