"""Least squares on the simplex: the optimum, the evidence for it, and what happens where it is not unique."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from eventstudy.causal.kernels.simplex import (
    kkt_residual,
    simplex_from_gram,
    simplex_least_squares,
    simplex_small_ridge,
)

FloatArray = npt.NDArray[np.float64]


def returns(rng: np.random.Generator, days: int, n: int) -> tuple[FloatArray, FloatArray]:
    common = rng.normal(0, 0.01, (days, 1))
    x = common * rng.normal(1, 0.3, n) + rng.normal(0, 0.015, (days, n))
    return x, common[:, 0] * 1.1 + rng.normal(0, 0.015, days)


def by_enumeration(x: FloatArray, y: FloatArray) -> FloatArray:
    """Best weights over all supports: slow and obvious."""
    n, best, found = x.shape[1], np.inf, np.zeros(x.shape[1])
    for size in range(1, n + 1):
        for support in combinations(range(n), size):
            part = x[:, support]
            system = np.block([[part.T @ part, np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
            weights = np.linalg.lstsq(system, np.append(part.T @ y, 1.0), rcond=None)[0][:size]
            error = ((y - part @ weights) ** 2).sum()
            if (weights >= 0).all() and error < best - 1e-15:
                best, found = error, np.zeros(n)
                found[list(support)] = weights
    return found


@pytest.mark.parametrize("seed", range(12))
def test_weights_are_those_of_the_best_support(seed: int) -> None:
    x, y = returns(np.random.default_rng(seed), 40, 7)
    found = simplex_least_squares(x, y)
    np.testing.assert_allclose(found.weights, by_enumeration(x, y), atol=1e-10)
    assert found.unique


@pytest.mark.parametrize(("days", "n"), [(250, 100), (250, 1), (60, 250), (10, 4), (250, 250), (100, 600)])
def test_solutions_are_optimal_and_on_the_simplex(days: int, n: int) -> None:
    x, y = returns(np.random.default_rng(days + n), days, n)
    found = simplex_least_squares(x, y)
    assert abs(found.weights.sum() - 1) < 1e-10
    assert found.weights.min() >= 0
    gradient = x.T @ (x @ found.weights - y)
    level = gradient @ found.weights
    largest = np.abs(x.T @ y).max()
    assert np.abs((gradient - level)[found.weights > 0]).max() <= 1e-9 * largest
    assert (gradient - level).min() >= -1e-9 * largest
    assert found.kkt <= 1e-9


def test_a_wrong_solution_has_a_large_residual() -> None:
    x, y = returns(np.random.default_rng(0), 100, 10)
    assert kkt_residual(x.T @ x, x.T @ y, np.full(10, 0.1)) > 1e-3


def test_duplicate_donor_is_said_not_to_be_unique_and_shares_its_weight() -> None:
    x, y = returns(np.random.default_rng(3), 120, 8)
    alone = simplex_least_squares(x, y)
    leader = int(np.argmax(alone.weights))
    both = simplex_least_squares(np.column_stack([x, x[:, leader]]), y)
    assert alone.unique
    assert not both.unique
    assert both.ridge > 0
    assert both.kkt <= 1e-9
    np.testing.assert_allclose(both.weights[[leader, 8]], alone.weights[leader] / 2, rtol=1e-4)


def test_fewer_days_than_donors_can_still_have_one_solution() -> None:
    x, y = returns(np.random.default_rng(4), 60, 250)
    assert simplex_least_squares(x, y + 0.05).unique  # outside of what the donors can reach


def test_perfect_fit_by_many_portfolios_is_not_unique() -> None:
    rng = np.random.default_rng(5)
    x, _ = returns(rng, 20, 60)
    found = simplex_least_squares(x, x @ rng.dirichlet(np.ones(60)))
    assert not found.unique
    assert found.kkt <= 1e-9


@pytest.mark.parametrize("scale", [1e-6, 1.0, 100.0])
def test_weights_do_not_depend_on_the_unit_or_the_order(scale: float) -> None:
    x, y = returns(np.random.default_rng(6), 120, 30)
    order = np.random.default_rng(7).permutation(30)
    plain = simplex_least_squares(x, y).weights
    np.testing.assert_allclose(
        simplex_least_squares(x[:, order] * scale, y * scale).weights, plain[order], atol=1e-10
    )


def test_constant_columns_do_not_break_the_search() -> None:
    found = simplex_from_gram(np.zeros((3, 3)), np.zeros(3))
    assert found.weights.sum() == pytest.approx(1)
    assert not found.unique


@pytest.mark.parametrize(("rows", "n"), [(5, 60), (20, 250), (60, 250)])
def test_small_ridge_meets_its_own_conditions(rows: int, n: int) -> None:
    """Where the columns fit exactly, w = max(0, level - X'r / ridge) with r the residual."""
    rng = np.random.default_rng(rows)
    x = rng.normal(0, 0.02, (rows, n))
    y = x[:, :10].mean(axis=1) if rows < 60 else rng.normal(0, 0.05, rows)
    ridge = (1e-6 * 0.02) ** 2
    found = simplex_small_ridge(x, y, ridge)
    assert found.kkt <= 1e-9
    if rows < 60:
        assert np.abs(x @ found.weights - y).max() < 1e-12
        # Least norm among the portfolios that fit: its weights are a plane in the columns, cut off at zero.
        held = found.weights > 0
        plane = np.column_stack([x[:, held].T, np.ones(held.sum())])
        fitted = plane @ np.linalg.lstsq(plane, found.weights[held], rcond=None)[0]
        np.testing.assert_allclose(fitted, found.weights[held], atol=1e-8)
