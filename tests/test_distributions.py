"""Tails and quantiles equal those of scipy.stats, also where degrees of freedom are none.

P-values know NaN.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from eventstudy import distributions as ours
from eventstudy.causal.kernels.conformal import moving_block_p_value
from eventstudy.causal.kernels.placebo import tail_p_value
from eventstudy.inference.base import p_value, t_p_values
from eventstudy.inference.engine.draws import equal_tails, resampled_p_value
from eventstudy.inference.filtered_quantile import signed_quantile

X = np.array([-np.inf, -40.0, -2.5, -0.1, 0.0, 0.3, 1.0, 7.0, 60.0, np.inf, np.nan])
P = np.array([1e-12, 0.025, 0.5, 0.975, 1.0 - 1e-12, np.nan])
DOF = np.array([-1.0, 0.0, 0.5, 1.0, 5.0, 248.0, 1e7, np.nan])


@pytest.mark.parametrize("name", ["norm_cdf", "norm_sf", "norm_ppf"])
def test_normal(name: str) -> None:
    law, what = name.split("_")
    points = P if what == "ppf" else X
    expected = getattr(getattr(stats, law), what)(points)
    np.testing.assert_allclose(getattr(ours, name)(points), expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["t_cdf", "t_sf", "t_ppf", "chi2_cdf", "chi2_sf", "chi2_ppf"])
def test_laws_with_degrees_of_freedom(name: str) -> None:
    law, what = name.split("_")
    points, dof = np.meshgrid(P if what == "ppf" else X, DOF)
    expected = getattr(getattr(stats, law), what)(points, dof)
    np.testing.assert_allclose(getattr(ours, name)(points, dof), expected, rtol=1e-10, atol=0)


def test_f() -> None:
    x, above, below = np.meshgrid(X, DOF, DOF)
    np.testing.assert_allclose(ours.f_sf(x, above, below), stats.f.sf(x, above, below), rtol=1e-9, atol=0)


def test_poisson() -> None:
    x, mean = np.meshgrid(np.arange(40), [0.0, 0.01, 1.0, 7.5, 60.0])
    np.testing.assert_allclose(ours.poisson_sf(x, mean), stats.poisson.sf(x, mean), rtol=1e-10, atol=0)


def test_noncentral_t() -> None:
    x, dof, shift = np.meshgrid(
        [0.0, 0.7, 2.0, 12.7, 60.0], [1.0, 2.0, 9.0, 248.0, 1e6], np.linspace(-60, 60, 61)
    )
    expected = stats.nct.sf(x, dof, shift)
    np.testing.assert_allclose(ours.noncentral_t_sf(x, dof, shift), expected, rtol=0, atol=1e-12)
    assert np.isnan(ours.noncentral_t_sf([1.0, np.nan, 1.0], [np.nan, 3.0, 3.0], [0.0, 0.0, np.nan])).all()


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_a_p_value_of_what_is_not_known_is_not_known(alternative: str) -> None:
    """Python's min(1.0, nan) is 1.0, and so is the share of draws not below NaN."""
    draws = np.linspace(-1, 1, 9)
    for p in (
        p_value(np.nan, alternative),
        p_value(np.nan, alternative, 5),
        p_value(1.0, alternative, np.nan),
        t_p_values(np.array([np.nan]), 5.0, alternative)[0],
        resampled_p_value(np.nan, draws, alternative),
        equal_tails(np.nan, draws, alternative),
        signed_quantile(np.nan, draws, alternative),
        tail_p_value(np.nan, draws),
        moving_block_p_value(np.array([0.1, np.nan]), np.array([False, True])),
    ):
        assert np.isnan(p)


@pytest.mark.parametrize(
    ("alternative", "expected"), [("less", 0.04), ("greater", 0.97), ("two-sided", 0.08)]
)
def test_p_value_of_two_tails(alternative: str, expected: float) -> None:
    assert ours.p_value_of_tails(0.04, 0.97, alternative) == pytest.approx(expected)
    both = ours.p_value_of_tails(np.array([0.04, 0.6, np.nan]), np.array([0.97, 0.7, 0.1]), alternative)
    assert both[0] == pytest.approx(expected)
    assert both[1] <= 1.0
    assert np.isnan(both[2])


def test_p_values_are_made_in_one_place() -> None:
    """Two-sided tails, minima with one and (1 + b) / (B + 1) are nowhere but in `distributions`."""
    by_hand = re.compile(
        r"2(\.0)? \* (\w+\()?(t|norm)_sf\(|\bmin\(1(\.0)?, ?2|\(1 \+ .*\bsum\(.*\)\) / \(.*\+ 1\)"
    )
    assert by_hand.search("p = min(1.0, 2.0 * tail)")
    assert by_hand.search("p = float(2 * t_sf(abs(t), dof))")
    assert by_hand.search("return float((1 + extreme.sum()) / (len(pool) + 1))")
    package = Path(ours.__file__).parent
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        if path.name != "distributions.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if by_hand.search(line)
    ]
    assert not found
