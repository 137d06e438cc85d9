"""What every significance test must do, whatever it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy.inference import TESTS, Options, TestInput, run_tests
from eventstudy.inference.engine.rank_kernel import RankedDays, RankReducer, sign_profile
from eventstudy.inference.engine.residual_pass import ResidualChunk
from eventstudy.inference.signs import signed_rank
from eventstudy.windows import Window

SINGLE = {"t", "sq", "conformal", "garch_t", "bootstrap_t"}
#: Tests of one event and of several.
ANY = {"filtered_sq", "filtered_t", "nguyen_wolf"}
#: Tests of bars, which no event of days has.
OF_BARS = {"time_of_day_t", "time_of_day_rank"}
NUMBERS = ["statistic", "dof", "p_value", "estimate"]
#: Parts so small that fourteen events, and a hundred draws, take several.
CHUNKS = {
    "lazy.CHUNK": 3,
    "inference.engine.residual_pass.FEW": 0,
    "inference.dependence.pairs.CHUNK": 3,
    "inference.dependence.pairs.ROWS": 2,
    "inference.dependence.pairs.COLUMNS": 5,
    "inference.engine.draws.HELD": 500,
}


@pytest.fixture
def scaled_by(with_arrays):
    """The same events with all returns multiplied."""

    def scale(abnormal, factor):
        parts = {"ar": factor * abnormal.ar, "actual": factor * abnormal.actual}
        parts |= {"residuals": factor * abnormal.past.residuals()}
        parts |= {name: factor**2 * getattr(abnormal, name) for name in ("s2", "noise", "param_cov")}
        return with_arrays(abnormal, **parts)

    return scale


def number(key):
    """Events to run a test on."""
    return 1 if key in SINGLE else 8 if key == "nguyen_wolf" else 14


class Battery:
    """Properties of one test on one tested window; subclasses choose the events."""

    window = Window(0, 1)
    layout = "common"
    missing = 0.1

    @pytest.fixture(params=[key for key in TESTS if key not in OF_BARS])
    def key(self, request):
        return request.param

    @pytest.fixture
    def events(self, key, panel):
        return panel(n=number(key), layout=self.layout, missing=self.missing, seed=21, effect=0.01).abnormal

    def run(self, key, abnormal, alternative="two-sided", window=None):
        data = TestInput(abnormal, window or self.window)
        return run_tests(data, [key], Options(alternative=alternative, n_resamples=99, seed=1)).iloc[0]

    def other_dates(self, row):
        """The test is for one date and there are several, or the other way round; or a date lacks a day."""
        if "no event of a date has a return" in row["note"]:
            return True
        if self.layout == "common":
            return "share one date, so there is one" in row["note"]
        return "one common event date" in row["note"] or "share one date" in row["note"]

    def same(self, a, b, sign=1.0):
        assert a["applicable"] == b["applicable"]
        assert b["statistic"] == pytest.approx(sign * a["statistic"], rel=1e-8, abs=1e-8, nan_ok=True)
        assert b["p_value"] == pytest.approx(a["p_value"], rel=1e-8, abs=1e-10, nan_ok=True)

    def finite_or_said(self, row):
        """A row has numbers, or none of them and a reason."""
        if row["applicable"]:
            assert np.isfinite([row["statistic"], row["p_value"], row["estimate"]]).all()
            assert 0.0 <= row["p_value"] <= 1.0
        else:
            assert row[NUMBERS].isna().all()
            assert row["note"].startswith("not applicable: ")
            assert len(row["note"]) > len("not applicable: ")

    def test_applies(self, key, events):
        row = self.run(key, events)
        self.finite_or_said(row)
        assert row["applicable"] or self.other_dates(row), row["note"]

    @pytest.mark.quick(every=5)
    def test_order_of_events_does_not_matter(self, key, events):
        order = np.random.default_rng(0).permutation(events.n_events)
        self.same(self.run(key, events), self.run(key, events.take(order)))

    @pytest.mark.quick("cumrank_t", every=5)
    def test_chunks_do_not_matter(self, key, events, monkeypatch):
        whole = self.run(key, events)
        for place, size in CHUNKS.items():
            monkeypatch.setattr(f"eventstudy.{place}", size)
        self.same(whole, self.run(key, events))

    @pytest.mark.quick(every=5)
    @pytest.mark.parametrize("factor", [1e-3, 70.0])
    def test_scale_does_not_matter(self, key, events, factor, scaled_by):
        self.same(self.run(key, events), self.run(key, scaled_by(events, factor)))

    @pytest.mark.quick(every=5)
    def test_sign_flips_with_the_returns(self, key, events, scaled_by):
        flipped = scaled_by(events, -1.0)
        self.same(self.run(key, events), self.run(key, flipped), sign=-1.0)
        for side, other in (("less", "greater"), ("greater", "less")):
            self.same(self.run(key, events, side), self.run(key, flipped, other), sign=-1.0)

    @pytest.mark.quick(every=5)
    def test_sides_agree(self, key, events):
        p = {side: self.run(key, events, side)["p_value"] for side in ("two-sided", "less", "greater")}
        if np.isnan(p["less"]):
            return
        assert p["less"] + p["greater"] >= 1.0 - 1e-12
        if self.run(key, events)["distribution"] in {"t", "normal"}:
            assert p["less"] + p["greater"] == pytest.approx(1.0)
            assert p["two-sided"] == pytest.approx(2 * min(p["less"], p["greater"]))

    @pytest.mark.quick(every=5)
    def test_events_without_a_car_take_no_part(self, key, events):
        ar = events.ar.copy()
        gone = np.arange(events.n_events) >= 10 if events.n_events > 1 else np.array([True])
        ar[gone] = np.nan
        row = self.run(key, replace(events, ar=ar))
        if key in SINGLE:
            assert "no event has a CAR" in row["note"]
        else:
            self.same(self.run(key, events.take(~gone)), row)
            assert row["n_events"] == min(10, events.n_events)

    @pytest.mark.quick(every=5)
    def test_ties(self, key, events, with_arrays):
        coarse = with_arrays(
            events, ar=np.round(events.ar, 2), residuals=np.round(events.past.residuals(), 2)
        )
        row = self.run(key, coarse)
        self.finite_or_said(row)
        assert row["applicable"] or self.other_dates(row), row["note"]
        order = np.random.default_rng(0).permutation(events.n_events)
        self.same(row, self.run(key, coarse.take(order)))

    @pytest.mark.quick(every=5)
    def test_one_event(self, key, events):
        row = self.run(key, events.take(np.arange(events.n_events) == 0))
        self.finite_or_said(row)
        assert row["applicable"] == (key in SINGLE | ANY)
        if key not in SINGLE | ANY:
            assert row["note"] == "not applicable: one event"

    @pytest.mark.quick(every=5)
    def test_two_events(self, key, events, panel):
        row = self.run(key, panel(n=2, layout=self.layout, seed=21).abnormal)
        self.finite_or_said(row)
        assert (key not in SINGLE) or not row["applicable"]

    @pytest.mark.quick(every=5)
    def test_no_event(self, key, events):
        row = self.run(key, events.take(np.zeros(events.n_events, dtype=bool)))
        assert not row["applicable"]
        self.finite_or_said(row)

    @pytest.mark.quick(every=5)
    def test_identical_events(self, key, events, panel):
        one = panel(n=1, seed=21).abnormal
        row = self.run(key, one.take(np.zeros(8, dtype=int)))
        self.finite_or_said(row)
        if key in {"cross_sectional", "bmp", "adjusted_bmp", "jackknife", "skewness_adjusted", "grank_t"}:
            assert not row["applicable"]

    @pytest.mark.quick("portfolio", "rank_zivney", "wild_bootstrap", every=5)
    def test_one_constant_series_among_others(self, key, events, flat):
        row = self.run(key, flat(events, 0))
        self.finite_or_said(row)
        if key not in SINGLE:
            assert row["applicable"] or self.other_dates(row), row["note"]

    @pytest.mark.quick(every=5)
    @pytest.mark.parametrize("noise", [0.0, 1e-18])
    def test_constant_series(self, key, events, flat, noise, with_arrays):
        nothing = events
        for event in range(events.n_events):
            nothing = flat(nothing, event)
        rng = np.random.default_rng(0)
        residuals = nothing.past.residuals()
        residuals = residuals + noise * rng.standard_normal(residuals.shape)
        # A return of 0.1% every day, which leaves rounding noise once its mean is taken off.
        nothing = with_arrays(
            nothing,
            residuals=residuals,
            actual=nothing.actual + 0.001,
            s2=np.full(events.n_events, noise**2),
            noise=np.full(events.noise.shape, noise**2),
        )
        row = self.run(key, nothing)
        assert not row["applicable"], row
        self.finite_or_said(row)


class TestOneDate(Battery):
    def test_an_effect_is_found(self, key, panel):
        n = number(key)
        # The effect is on all days of the event window, and those before the tested one are past to some.
        window = Window(-2, -1)
        row = self.run(key, panel(n=n, layout="common", seed=3, effect=0.2).abnormal, window=window)
        if self.other_dates(row):
            row = self.run(key, panel(n=n, layout="distinct", seed=3, effect=0.2).abnormal, window=window)
        assert row["statistic"] > 0
        assert row["p_value"] < 0.05


class TestDistinctDates(Battery):
    layout = "distinct"


class TestOneDay(Battery):
    window = Window(0, 0)
    layout = "spread"
    missing = 0.0


@pytest.mark.parametrize(
    ("before", "tested", "signs"),
    [
        ([1.0, 8.0, 9.0], [5.0, 5.0], [-1, 1, 1, 0, 0]),
        ([1.0, 2.0, 9.0], [5.0, 5.0], [-1, -1, 1, 0, 0]),
        ([1.0, 2.0, 3.0, 9.0], [5.0] * 5, [-1, -1, -1, 1, 0, 0, 0, 0, 0]),
        ([1.0, 2.0, 3.0], [2.0, 5.0, 5.0], [-1, -1, 1, -1, 1, 1]),
    ],
)
def test_tested_days_that_are_the_median_together_are_neither_above_nor_below_it(before, tested, signs):
    """Signs are about their mean, which is zero unless several days are the median."""
    past, event = np.array([before]), np.array([tested])
    signs = (np.array(signs) - np.mean(signs)).tolist()
    assert sign_profile(past, event).total.tolist() == signs
    reduction = RankReducer({"signs": RankedDays(event.shape, event.__getitem__, slice(None), signs=True)})
    reduction.update(reduction.map(ResidualChunk.of(np.arange(1), past)))
    assert reduction.result()["signs"].total.tolist() == signs


def test_sizes_that_differ_by_rounding_alone_are_tied():
    values = np.array([0.03, -0.03, 0.01, 0.03, -0.02, 0.05])
    positive, z, ranks = signed_rank(values * (1 + 2e-16 * np.arange(6)))
    assert ranks.tolist() == [4, 4, 1, 4, 2, 6]
    assert (positive, z) == signed_rank(values)[:2]
