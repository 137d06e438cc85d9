"""Errors over their EWMA volatility: recursion, blocks and scores by hand; the size in volatile spells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eventstudy.inference.engine.filtered_past import ewma_volatility
from eventstudy.inference.filtered_quantile import filtered_sums, quantile_score, signed_quantile


def test_the_recursion_by_hand():
    rng = np.random.default_rng(0)
    e = rng.normal(0, 0.01, (60, 2))
    e[25, 0] = np.nan
    found = ewma_volatility(e, decay=0.9)
    for column in range(2):
        h = np.mean(e[~np.isnan(e[:, column]), column][:20] ** 2)
        for t in range(60):
            assert found[t, column] == pytest.approx(np.sqrt(h), rel=1e-12)
            if not np.isnan(e[t, column]):
                h = 0.9 * h + 0.1 * e[t, column] ** 2
        assert found[60, column] == pytest.approx(np.sqrt(h), rel=1e-12)


def test_the_recursion_starts_with_the_first_errors_known():
    """An event listed late has the forecasts of one whose past begins with its listing."""
    e = np.random.default_rng(1).normal(0, 0.01, (90, 2))
    late = np.concatenate([np.full((30, 2), np.nan), e])
    late[40] = np.nan
    assert ewma_volatility(late)[31:40] == pytest.approx(
        ewma_volatility(np.delete(e, 10, axis=0))[1:10], rel=1e-12
    )
    assert ewma_volatility(late)[-1] == pytest.approx(
        ewma_volatility(np.delete(e, 10, axis=0))[-1], rel=1e-12
    )


def test_blocks_share_no_day_and_end_with_the_last():
    series, vol = np.arange(1.0, 12.0), np.linspace(1.0, 2.0, 11)
    expected = [series[i : i + 3].sum() / (np.sqrt(3) * vol[i]) for i in (2, 5, 8)]
    assert filtered_sums(series, vol, 3) == pytest.approx(expected, rel=1e-12)
    assert len(filtered_sums(series, vol, 12)) == 0


def test_the_score_is_the_normal_quantile_of_the_rank():
    pool = np.arange(99.0)
    assert quantile_score(49.5, pool) == pytest.approx(stats.norm.ppf(50.5 / 100))
    assert quantile_score(-1.0, pool) == pytest.approx(stats.norm.ppf(0.5 / 100))
    assert quantile_score(49.0, pool) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("side", ["less", "greater", "two-sided"])
def test_the_p_value_is_a_rank(side):
    pool = np.array([-3.0, -1.0, 0.5, 2.0])
    expected = {"less": 2 / 5, "greater": 4 / 5, "two-sided": 3 / 5}[side]
    assert signed_quantile(-2.0, pool, side) == pytest.approx(expected)


def test_a_volatile_spell_is_known():
    """Volatility that doubles well before the event makes the raw rank reject, and the filtered one hold."""
    rng = np.random.default_rng(5)
    raw, filtered = [], []
    for _ in range(1500):
        sd = np.where(np.arange(250) < 190, 1.0, 2.0)
        e = rng.normal(0, sd)
        value = rng.normal(0, 2.0)
        volatility = ewma_volatility(e[:, None])[:, 0]
        raw.append(signed_quantile(value, e) <= 0.05)
        pool = filtered_sums(e, volatility[:-1], 1)
        filtered.append(signed_quantile(value / volatility[-1], pool) <= 0.05)
    assert np.mean(raw) > 0.15
    assert np.mean(filtered) == pytest.approx(0.05, abs=0.02)
