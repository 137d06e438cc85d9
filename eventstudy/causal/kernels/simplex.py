"""Least squares on the simplex: weights that are not negative and sum to one.

An active-set method in the manner of Lawson and Hanson's for non-negative least squares, with the sum as an
equality constraint. It ends after finitely many steps at the exact optimum, and each solution carries the
evidence: its KKT residual, and whether another set of weights does as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dposv

from eventstudy._typing import FloatArray, IntArray
from eventstudy.immutable import FrozenRecord

__all__ = [
    "SimplexSolution",
    "kkt_residual",
    "simplex_from_gram",
    "simplex_least_squares",
    "simplex_small_ridge",
]

#: Largest violation of the optimality conditions, relative to the largest cross-product.
TOLERANCE = 1e-11
#: Multipliers below this, relative to the largest cross-product, count as ties.
TIE = 1e-9
#: Ridge, relative to the mean diagonal of the Gram matrix, that chooses among optimal weights.
RIDGE = 1e-10


@dataclass(frozen=True)
class SimplexSolution(FrozenRecord):
    """Weights on the simplex and the evidence that they are optimal.

    Attributes
    ----------
    weights : array, shape (J,)
    kkt : float
        Largest violation of the optimality conditions, relative to the largest cross-product.
    unique : bool
        Whether these are the only optimal weights.
    ridge : float
        Ridge by which one solution was chosen where several are optimal; 0 otherwise.
    """

    weights: FloatArray
    kkt: float
    unique: bool
    ridge: float = 0.0


def simplex_least_squares(x: FloatArray, y: FloatArray, ridge: float = 0.0) -> SimplexSolution:
    r"""Minimise the squared error of y by a portfolio of the columns of x.

        .. math:: \min_{w \ge 0,\ \sum w = 1} \lVert y - Xw \rVert^2 + \rho \lVert w \rVert^2

    Parameters
    ----------
        x : array, shape (T, J)
        y : array, shape (T,)
        ridge : float, default 0

    Returns
    -------
        SimplexSolution

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> simplex_least_squares(x, np.array([0.75, 0.25, 0.1])).weights
    array([0.75, 0.25])
    """
    gram = x.T @ x
    if ridge:
        gram[np.diag_indices_from(gram)] += ridge
    return simplex_from_gram(gram, x.T @ y, full_rank=ridge > 0 or len(x) > x.shape[1])


def simplex_from_gram(gram: FloatArray, cross: FloatArray, *, full_rank: bool = True) -> SimplexSolution:
    r"""Minimise :math:`w'Gw/2 - c'w` on the simplex.

    Parameters
    ----------
    gram : array, shape (J, J)
        Symmetric and positive semi-definite.
    cross : array, shape (J,)
    full_rank : bool, default True
        Whether the method may start from all columns; a hint, not a promise.

    Returns
    -------
    SimplexSolution
        Where several solutions are optimal, the one of least norm, by a small ridge, and `unique` False.
    """
    scale = max(float(np.abs(cross).max()), float(np.diag(gram).max()), np.finfo(float).tiny)
    weights = _active_set(gram, cross, full_rank, TOLERANCE * scale)
    tied = _tied(gram, cross, weights, TIE * scale)
    unique = _affinely_independent(gram[np.ix_(tied, tied)])
    ridge = 0.0
    if not unique:
        ridge = RIDGE * float(np.trace(gram)) / len(gram)
        ridged = gram + ridge * np.eye(len(gram))
        chosen = _active_set(ridged, cross, True, 1e-4 * ridge)
        if kkt_residual(gram, cross, chosen) <= TIE:
            weights = chosen
        else:
            ridge = 0.0
    return SimplexSolution(weights, kkt_residual(gram, cross, weights), unique, ridge)


def kkt_residual(gram: FloatArray, cross: FloatArray, weights: FloatArray) -> float:
    r"""Largest violation of the optimality conditions, relative to the largest cross-product.

    With :math:`g = Gw - c` and :math:`\lambda = g'w`, optimal weights have :math:`g_j = \lambda` where
    :math:`w_j > 0` and :math:`g_j \ge \lambda` elsewhere.
    """
    gradient = gram @ weights - cross
    slack = gradient - gradient @ weights
    held = weights > 0
    worst = max(
        float(np.abs(slack[held]).max(initial=0.0)),
        float(-slack[~held].min(initial=0.0)),
        abs(float(weights.sum()) - 1.0) * float(np.abs(cross).max()),
    )
    return worst / max(float(np.abs(cross).max()), np.finfo(float).tiny)


def _active_set(gram: FloatArray, cross: FloatArray, full: bool, tolerance: float) -> FloatArray:
    """Optimal weights by adding the column with the steepest descent and dropping those that hit zero."""
    n = len(cross)
    # A constant added to every element of the Gram matrix adds a constant on the simplex, and makes the
    # matrix of columns that are affinely independent positive definite.
    shifted = gram + max(float(np.trace(gram)) / n, np.finfo(float).tiny)
    held = _start(shifted, cross, full)
    weights = np.zeros(n)
    inside = np.flatnonzero(held)
    weights[inside] = _on_plane(shifted, cross, inside)
    blocked = np.zeros(n, dtype=bool)
    for _ in range(20 * n + 100):
        gradient = gram @ weights - cross
        slack = gradient - gradient @ weights
        slack[held | blocked] = np.inf
        entering = int(np.argmin(slack))
        if slack[entering] >= -tolerance:
            break
        held[entering] = True
        before = weights.copy()
        while True:
            inside = np.flatnonzero(held)
            target = _on_plane(shifted, cross, inside)
            if (target > 0).all():
                weights[:] = 0.0
                weights[inside] = target
                break
            now = weights[inside]
            falling = target <= 0
            steps = now[falling] / np.maximum(now[falling] - target[falling], np.finfo(float).tiny)
            step = float(steps.min())
            now = now + step * (target - now)
            leaving = falling & (now <= 1e-15)
            if not leaving.any():
                leaving[np.flatnonzero(falling)[int(np.argmin(steps))]] = True
            weights[:] = 0.0
            weights[inside] = np.where(leaving, 0.0, np.maximum(now, 0.0))
            held[inside[leaving]] = False
        # Rounding may offer a column that leaves at once again; without this the search would not end.
        if not held[entering] and np.array_equal(weights > 0, before > 0):
            blocked[entering] = True
        else:
            blocked[:] = False
    out: FloatArray = weights / weights.sum()
    return out


def _start(shifted: FloatArray, cross: FloatArray, full: bool) -> npt.NDArray[np.bool_]:
    """Find columns to begin with, whose best weights on the plane of sum one are positive."""
    n = len(cross)
    held = np.ones(n, dtype=bool)
    if full:
        for _ in range(n):
            inside = np.flatnonzero(held)
            try:
                weights = _on_plane(shifted, cross, inside)
            except np.linalg.LinAlgError:
                break
            negative = weights <= 0
            if not negative.any() and np.isfinite(weights).all():
                return held
            if negative.all() or not np.isfinite(weights).all():
                break
            held[inside[negative]] = False
    held = np.zeros(n, dtype=bool)
    held[int(np.argmin(np.diag(shifted) / 2 - cross))] = True
    return held


def _on_plane(shifted: FloatArray, cross: FloatArray, inside: IntArray) -> FloatArray:
    """Best weights of the columns `inside` that sum to one, of any sign."""
    right = np.empty((len(inside), 2))
    right[:, 0], right[:, 1] = cross[inside], 1.0
    part = shifted[inside[:, None], inside]
    # The matrix is positive definite up to rounding; a Cholesky solve costs a third of a general one.
    _, solved, failed = dposv(part, right)
    if failed:
        solved = np.linalg.solve(part, right)
    total = solved.sum(axis=0)
    out: FloatArray = solved[:, 0] + (1.0 - total[0]) / total[1] * solved[:, 1]
    return out


def _tied(gram: FloatArray, cross: FloatArray, weights: FloatArray, tolerance: float) -> IntArray:
    """Columns that an optimal solution may hold: all optima have one gradient."""
    gradient = gram @ weights - cross
    return np.flatnonzero((weights > 0) | (gradient - gradient @ weights <= tolerance))


def _affinely_independent(gram: FloatArray) -> bool:
    """Whether no two portfolios of columns with this Gram matrix are the same series."""
    scale = max(float(np.trace(gram)) / len(gram), np.finfo(float).tiny)
    values = np.linalg.eigvalsh(gram / scale + 1.0)
    return bool(values[0] > 1e-11 * values[-1])


def simplex_small_ridge(x: FloatArray, y: FloatArray, ridge: float) -> SimplexSolution:
    """Solve as `simplex_least_squares`, for a ridge so small that the Gram matrix would lose it to rounding.

    Where the columns fit y without error the ridge alone decides, and the optimum is found in the dual, whose
    system of T + 1 equations stays well conditioned.

    Parameters
    ----------
    x : array, shape (T, J)
    y : array, shape (T,)
    ridge : float
        Positive.

    Returns
    -------
    SimplexSolution
    """
    gram, cross = x.T @ x, x.T @ y
    scale = max(float(np.abs(cross).max()), float(np.diag(gram).max()), np.finfo(float).tiny)
    plain = _active_set(gram, cross, len(x) > x.shape[1], TOLERANCE * scale)
    tied = _tied(gram, cross, plain, TIE * scale)
    gram[np.diag_indices_from(gram)] += ridge
    if _affinely_independent(gram[np.ix_(tied, tied)] - ridge * np.eye(len(tied))):
        weights = _active_set(gram, cross, len(x) > x.shape[1], TOLERANCE * scale)
    else:
        weights = _dual_newton(x, y, ridge)
        if kkt_residual(gram, cross, weights) > TIE:
            weights = _active_set(gram, cross, True, min(TOLERANCE * scale, 1e-4 * ridge))
    return SimplexSolution(weights, kkt_residual(gram, cross, weights), True, ridge)


def _dual_newton(x: FloatArray, y: FloatArray, ridge: float) -> FloatArray:
    """Semi-smooth Newton steps on the dual: w = max(0, level - X'v) with Xw - y = ridge v and sum w = 1."""
    rows, n = x.shape
    unknown = np.zeros(rows + 1)
    unknown[-1] = 1.0 / n

    def weights(at: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(at[-1] - x.T @ at[:-1], 0.0))

    def value(at: FloatArray, w: FloatArray) -> float:
        return float(w @ w / 2 + ridge * at[:-1] @ at[:-1] / 2 + at[:-1] @ y - at[-1])

    w = weights(unknown)
    for _ in range(200):
        slope = np.append(y + ridge * unknown[:-1] - x @ w, w.sum() - 1.0)
        size = max(float(np.abs(y).max()), np.finfo(float).tiny)
        if np.abs(slope[:-1]).max() <= 1e-15 * size and abs(slope[-1]) <= 1e-15:
            break
        held = x[:, w > 0]
        curve = np.empty((rows + 1, rows + 1))
        curve[:-1, :-1] = held @ held.T + ridge * np.eye(rows)
        curve[:-1, -1] = curve[-1, :-1] = -held.sum(axis=1)
        curve[-1, -1] = held.shape[1]
        move = -np.linalg.lstsq(curve, slope, rcond=1e-14)[0]
        now, step = value(unknown, w), 1.0
        while step > 1e-10:
            fresh = unknown + step * move
            w_fresh = weights(fresh)
            if value(fresh, w_fresh) <= now + 1e-4 * step * float(slope @ move):
                break
            step /= 2
        if step <= 1e-10:
            break
        unknown, w = fresh, w_fresh
    total = float(w.sum())
    if total <= 0:
        return np.full(n, 1.0 / n)
    out: FloatArray = w / total
    return out
