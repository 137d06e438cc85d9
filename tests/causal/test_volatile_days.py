"""Tests whose errors are scaled by those of the donors on the same day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.causal.kernels.conformal import cross_fit, cross_fit_t
from eventstudy.causal.kernels.simplex import simplex_least_squares
from eventstudy.causal.significance import CAUSAL_TESTS, CausalInput, Outcome
from eventstudy.inference import Options

FloatArray = npt.NDArray[np.float64]
DAYS, DONORS = 160, 20
DATES = pd.bdate_range("2015-01-01", periods=DAYS)
FIRST, LAST = 120, 123  # the tested days, three, after a gap of twenty


def simulated(seed: int, volatility: float = 1.0, effect: float = 0.0) -> pd.DataFrame:
    """Errors of everyone are larger on the tested days by a factor."""
    rng = np.random.default_rng(seed)
    errors = rng.normal(0, 0.01, (DAYS, DONORS + 1))
    errors[FIRST:LAST] *= volatility
    values = np.outer(rng.normal(0, 0.01, DAYS), rng.normal(1, 0.2, DONORS + 1)) + errors
    values[FIRST:LAST, -1] += effect
    return pd.DataFrame(values, DATES, [f"D{i}" for i in range(DONORS)] + ["F"])


def study(frame: pd.DataFrame) -> es.CausalResults:
    event = [{"security": "F", "date": DATES[FIRST]}]
    return es.CausalStudy(es.Market(frame), event, estimation=(-120, -21), window=(0, 2)).fit()


def p_values(frame: pd.DataFrame, tests: list[str]) -> pd.Series[float]:
    """P-values without the intervals, which take longer."""
    results = study(frame)
    data = CausalInput.of(results.spec, results.cohorts, Options(n_resamples=99, seed=0))
    found = {key: CAUSAL_TESTS[key].compute(data, es.Window(0, 2), None) for key in tests}
    return pd.Series({key: each.p_value for key, each in found.items() if isinstance(each, Outcome)})


def used(frame: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Donors and treated on the days of the estimation window and the tested ones."""
    days = frame.iloc[[*range(100), *range(FIRST, LAST)]].to_numpy()
    return days[:, :-1], days[:, -1]


def volatility(donors: FloatArray) -> FloatArray:
    """Mean absolute error of each donor's synthetic control by day, each in its own root mean square."""
    size = np.zeros(len(donors))
    for j in range(DONORS):
        others = np.delete(donors, j, axis=1)
        error = donors[:, j] - others @ simplex_least_squares(others, donors[:, j]).weights
        size += np.abs(error) / np.sqrt(np.mean(error**2)) / DONORS
    return size


def test_scaled_p_values_are_ranks_of_errors_over_the_volatility_of_their_days() -> None:
    frame = simulated(1, 2.0, 0.02)
    donors, own = used(frame)
    error = np.abs(own - donors @ simplex_least_squares(donors, own).weights) / volatility(donors)
    shifts = np.array([np.roll(error, s)[-3:].sum() for s in range(len(error))])
    table = study(frame).test(0, 2, n_draws=999)
    assert table.loc["conformal_block_scaled", "p_value"] == pytest.approx(
        np.mean(shifts >= shifts[0] - 1e-12)
    )
    rng = np.random.default_rng(0)
    drawn = np.array([rng.permutation(error)[-3:].sum() for _ in range(4000)])
    expected = np.mean(drawn >= error[-3:].sum())
    assert table.loc["conformal_iid_scaled", "p_value"] == pytest.approx(expected, abs=0.05)


def test_scaled_cross_fit_inflates_the_variance_of_the_tested_days_only() -> None:
    frame = simulated(2, 2.0)
    donors, own = used(frame)

    def path(x: FloatArray, y: FloatArray):  # type: ignore[no-untyped-def]
        weights = simplex_least_squares(x, y).weights
        return lambda days: days @ weights

    plain = cross_fit(donors, own, 100, 5, path)
    squares = volatility(donors) ** 2
    ratio = squares[100:].mean() / squares[85:100].mean()
    row = study(frame).test(0, 2).loc["cross_fit_t_scaled"]
    assert row["estimate"] == pytest.approx(3 * plain.effect)
    assert row["se"] == pytest.approx(3 * plain.se * np.sqrt((1 + 5 * ratio) / 6))
    assert cross_fit_t(np.array([1.0, 2.0]), 100, 3, ratio=1.0) == cross_fit_t(np.array([1.0, 2.0]), 100, 3)


@pytest.mark.slow
def test_scaled_test_keeps_its_size_on_volatile_days_and_its_power_on_calm_ones() -> None:
    """Sixty true nulls on days three times as volatile as those before, and sixty effects on calm ones."""
    tests = ["conformal_block", "conformal_block_scaled"]
    size, power = pd.Series(0, tests), pd.Series(0, tests)
    for seed in range(60):
        size += p_values(simulated(seed, 3.0), tests) <= 0.05
        power += p_values(simulated(seed, effect=0.02), tests) <= 0.05
    assert size["conformal_block"] > 20
    assert size["conformal_block_scaled"] <= 8  # of 60 at 5%, more than 8 have a chance of 0.3%
    assert power["conformal_block_scaled"] >= power["conformal_block"] - 5
    assert power["conformal_block"] > 30


def test_interval_of_the_scaled_test_is_its_inversion() -> None:
    frame = simulated(3, 2.0)
    row = study(frame).test(0, 2, tests=["conformal_block_scaled"], level=0.9).iloc[0]
    for end, inward in ((row["ci_low"], 1e-4), (row["ci_high"], -1e-4)):
        for shift, rejected in ((inward, False), (-inward, True)):
            moved = frame.copy()
            moved.iloc[FIRST:LAST, -1] -= (end + shift) / 3
            p = study(moved).test(0, 2, tests=["conformal_block_scaled"])["p_value"].iloc[0]
            assert (p <= 0.1) == rejected


def test_too_few_donors_cannot_show_how_volatile_a_day_was() -> None:
    frame = simulated(4).iloc[:, -6:]
    event = [{"security": "F", "date": DATES[FIRST]}]
    results = es.CausalStudy(
        es.Market(frame), event, estimation=(-120, -21), window=(0, 2), min_donors=5
    ).fit()
    row = results.test(0, 2).loc["conformal_block_scaled"]
    assert not row["applicable"]
    assert "10 are needed" in row["note"]
