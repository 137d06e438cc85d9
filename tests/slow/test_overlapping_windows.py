"""Long windows of different dates that overlap in part: the mean correlation by shares of common days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

ESTIMATION, SPAN = Window(-250, -30), Window(-20, 20)
DAYS = np.arange(ESTIMATION.start, SPAN.end + 1)


def drawn(rng: np.random.Generator, n: int, spread: int, correlation: float) -> AbnormalReturns:
    """Events on random dates within `spread` sessions, whose errors of a day have one correlation."""
    at = rng.integers(0, spread, n)[:, None] + DAYS - DAYS[0]
    market, shock = (rng.standard_normal(at.max() + 1)[at] for _ in range(2))
    own = rng.standard_normal(at.shape)
    errors = np.sqrt(correlation) * shock + np.sqrt(1.0 - correlation) * own
    returns = 0.01 * market + 0.02 * errors
    past, event = slice(0, len(ESTIMATION)), slice(SPAN.start - ESTIMATION.start, None)
    dates = np.datetime64("2000-01-01") + at
    arrays = EventArrays(
        y_est=returns[:, past],
        y_evt=returns[:, event],
        x_est=0.01 * market[:, past, None],
        x_evt=0.01 * market[:, event, None],
        span_evt=np.ones((n, len(SPAN)), dtype=int),
        dates_est=dates[:, past],
        dates_evt=dates[:, event],
    )
    made = abnormal_returns(arrays, es.MarketModel().fit(arrays), SPAN)
    return replace(made, day0=at[:, -DAYS[0]])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "spread", "correlation"), [(30, 60, 0.2), (30, 20, 0.2), (10, 30, 0.2)])
def test_adjusted_tests_hold_their_size_in_windows_that_overlap(n, spread, correlation):
    keys = ("adjusted_bmp", "adjusted_cross_sectional", "bmp")
    rejected = dict.fromkeys(keys, 0)
    for number in range(400):
        rng = np.random.default_rng([2018, n, spread, number])
        data = TestInput(drawn(rng, n, spread, correlation), SPAN)
        for key in keys:
            rejected[key] += TESTS[key].run(data, Options()).p_value <= 0.05
    assert rejected["adjusted_bmp"] / 400 == pytest.approx(0.05, abs=0.033)
    assert rejected["adjusted_cross_sectional"] / 400 == pytest.approx(0.05, abs=0.033)
    assert rejected["bmp"] / 400 > 0.15  # what ignoring the common days costs
