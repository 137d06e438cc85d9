"""Rejection rates under the null: seeded, so deterministic, with a wide interval."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy.signal import lfilter

from eventstudy.abnormal import AbnormalReturns, HeldEventWindows, HeldWindows
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.windows import Window

R, LEVEL, WIDTH = 300, 0.05, 100
DAYS = np.datetime64("2020-01-01") + np.arange(WIDTH + 3)


def noise_panel(rng, n, correlation=0.0, factor=1.0, common=True, serial=0.0):
    """Constant-mean model on normal noise, three event days."""
    z = rng.standard_normal((n, WIDTH + 3)) * math.sqrt(1 - correlation)
    z += math.sqrt(correlation) * rng.standard_normal(WIDTH + 3)
    z[:, WIDTH:] *= factor
    if serial:
        z = lfilter([np.sqrt(1 - serial**2)], [1.0, -serial], z, axis=1)
    returns = (0.01 + 0.02 * rng.random(n))[:, None] * z
    past, event = returns[:, :WIDTH], returns[:, WIDTH:]
    mean = past.mean(axis=1, keepdims=True)
    residuals = past - mean
    s2 = (residuals**2).sum(axis=1) / (WIDTH - 1)
    days = DAYS + (np.zeros((n, 1), dtype=int) if common else 200 * np.arange(n)[:, None])
    return AbnormalReturns(
        window=Window(0, 2),
        ar=event - mean,
        actual=event,
        span=np.ones(event.shape, dtype=int),
        param_cov=(s2 / WIDTH)[:, None, None],
        s2=s2,
        n_obs=np.full(n, WIDTH),
        dof=np.full(n, WIDTH - 1.0),
        n_params=1,
        exact=True,
        past=HeldWindows(
            residuals, np.full(past.shape, 1 / WIDTH), days[:, :WIDTH], np.ones((*past.shape, 1))
        ),
        event_windows=HeldEventWindows(
            days[:, WIDTH:], np.repeat(s2[:, None], 3, axis=1), np.ones((n, 3, 1))
        ),
    )


def rejections(keys, seed, **design):
    rng, hits = np.random.default_rng(seed), Counter()
    for sample in range(R):
        options = Options(n_resamples=199, seed=sample)
        rows = run_tests(TestInput(noise_panel(rng, **design), Window(0, 2)), keys, options)
        hits.update(rows.loc[rows["p_value"] <= LEVEL, "test"])
    return {key: hits[key] / R for key in keys}


#: Four Monte Carlo standard errors.
MARGIN = 4 * math.sqrt(LEVEL * (1 - LEVEL) / R)


@pytest.mark.slow
def test_independent_events():
    keys = [
        "cross_sectional",
        "independence",
        "patell",
        "bmp",
        "generalized_sign",
        "rank",
        "grank_t",
        "grank_z",
    ]
    keys += ["cumrank_t", "cumrank_z", "wilcoxon", "jaffe", "time_series", "lamb"]
    keys += ["bootstrap", "wild_bootstrap", "permutation"]
    for key, rate in rejections(keys, 1, n=20, common=False).items():
        assert abs(rate - LEVEL) < MARGIN, (key, rate)


@pytest.mark.slow
def test_one_event():
    found = rejections(["t", "sq", "conformal", "bootstrap_t"], 2, n=1)
    for key, rate in found.items():
        assert abs(rate - LEVEL) < MARGIN, (key, rate)


@pytest.mark.slow
def test_one_date_with_correlation():
    safe = ["portfolio", "adjusted_patell", "adjusted_bmp", "rank", "grank_t", "cumrank_t", "jaffe", "lamb"]
    safe += ["block_bootstrap", "permutation"]
    misled = ["cross_sectional", "patell", "bmp", "grank_z", "bootstrap"]
    found = rejections([*safe, *misled], 3, n=20, correlation=0.2)
    for key in safe:
        assert abs(found[key] - LEVEL) < MARGIN, (key, found[key])
    for key in misled:
        assert found[key] > 0.25, (key, found[key])


@pytest.mark.slow
def test_one_date_with_correlation_and_a_more_volatile_event():
    found = rejections(
        ["adjusted_bmp", "grank_t", "portfolio", "adjusted_patell", "block_bootstrap", "permutation"],
        4,
        n=20,
        correlation=0.2,
        factor=2,
    )
    for key in ("adjusted_bmp", "grank_t"):
        assert abs(found[key] - LEVEL) < MARGIN, (key, found[key])
    for key in ("portfolio", "adjusted_patell", "block_bootstrap", "permutation"):
        assert found[key] > 0.2, (key, found[key])


@pytest.mark.slow
def test_one_date_with_serial_dependence():
    safe = ["block_bootstrap", "permutation"]
    found = rejections([*safe, "portfolio"], 6, n=5, correlation=0.3, serial=0.4)
    for key in safe:
        assert abs(found[key] - LEVEL) < MARGIN, (key, found[key])
    assert found["portfolio"] > LEVEL + MARGIN


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2.0])
def test_distinct_dates_and_a_more_volatile_event(factor):
    safe = ["bmp", "grank_t", "bootstrap", "wild_bootstrap"]
    found = rejections([*safe, "sign", "independence"], 5, n=20, factor=factor, common=False)
    for key in safe:
        assert abs(found[key] - LEVEL) < MARGIN, (key, found[key])
    assert found["sign"] < LEVEL + MARGIN
    assert found["independence"] > 0.2
