"""Matrix completion: a low-rank matrix plus fixed effects, by a penalty on the nuclear norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import linalg

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.immutable import FrozenRecord

__all__ = ["Completion", "complete_matrix", "cross_validated_penalty", "largest_penalty", "matrix_completion"]

Additive = Literal["two-way", "unit", "mean", "none"]
#: Steps end when no cell moves by more than this share of the standard deviation.
TOLERANCE = 1e-9
MOST_STEPS = 20_000
#: The same for fits that only choose a penalty.
ROUGH = 1e-4
#: Penalties tried, from the largest on, each this share of the one before it.
GRID = 12
GRID_STEP = 0.75
#: The search ends where so many penalties in a row predict worse than the best before them.
WORSE = 3
#: Blocks of days before the event that are predicted to choose a penalty.
FOLDS = 5
#: Up to this share of all singular values, the leading ones are found faster than all.
LEADING = 0.1


@dataclass(frozen=True)
class Completion(FrozenRecord):
    """Completed matrix.

    Attributes
    ----------
    fitted, low_rank : arrays, shape (T, M)
        All cells, and the part without the fixed effects.
    rank : int
        Of the low-rank part.
    objective : float
        Mean squared error of the observed cells plus penalty times nuclear norm.
    steps : int
    """

    fitted: FloatArray
    low_rank: FloatArray
    rank: int
    objective: float
    steps: int


def complete_matrix(
    values: FloatArray,
    seen: BoolArray,
    penalty: float,
    additive: Additive = "two-way",
    start: Completion | None = None,
    tolerance: float = TOLERANCE,
) -> Completion:
    r"""Complete a matrix by soft-thresholding its singular values (Athey et al. 2021).

    .. math:: \min_{L,u,v} \tfrac{1}{|O|} \textstyle\sum_O (R_{it} - L_{it} - u_i - v_t)^2
        + \lambda \lVert L \rVert_*

    The problem is convex. Each step fills the missing cells with the fit and solves the complete problem
    exactly; steps are accelerated and begin anew where the acceleration overshoots.

    Parameters
    ----------
    values : array, shape (T, M)
        Rows are days.
    seen : array of bool, shape (T, M)
    penalty : float
        The :math:`\lambda` above, in units of the returns.
    additive : {"two-way", "unit", "mean", "none"}
    start : Completion, optional
        What to begin with.
    tolerance : float
        Largest move of a cell at the end, in standard deviations of the returns.
    """
    n_seen = int(seen.sum())
    scale = float(values[seen].std()) or float(np.abs(values[seen]).max()) or 1.0
    observed = np.where(seen, values, 0.0) / scale
    threshold = penalty * n_seen / 2 / scale
    fitted = np.zeros_like(observed) if start is None else start.fitted / scale
    ahead, momentum = fitted, 1.0
    low_rank, nuclear = np.zeros_like(observed), 0.0
    rank = min(values.shape) if start is None else start.rank
    steps = 0
    while steps < MOST_STEPS:
        steps += 1
        filled = np.where(seen, observed, ahead)
        added = _additive(filled, additive)
        low_rank, nuclear, rank = _soft_threshold(filled - added, threshold, rank)
        fresh = added + low_rank
        moved = float(np.abs(fresh - ahead).max())
        if moved <= tolerance:
            fitted = fresh
            break
        if float(((ahead - fresh) * (fresh - fitted)).sum()) > 0:
            momentum, ahead = 1.0, fresh
        else:
            faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = fresh + (momentum - 1) / faster * (fresh - fitted)
            momentum = faster
        fitted = fresh
    objective = float(((observed - fitted)[seen] ** 2).sum()) * scale**2 / n_seen + penalty * nuclear * scale
    return Completion(fitted * scale, low_rank * scale, rank, objective, steps)


def largest_penalty(values: FloatArray, seen: BoolArray, additive: Additive = "two-way") -> float:
    """Penalty from which on the low-rank part is zero: two largest singular values over observed cells."""
    fixed = complete_matrix(values, seen, np.inf, additive).fitted
    rest = np.where(seen, values - fixed, 0.0)
    return 2.0 * float(np.linalg.norm(rest, 2)) / int(seen.sum())


def cross_validated_penalty(
    values: FloatArray, seen: BoolArray, treated: Sequence[int], n_pre: int, length: int
) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Choose the penalty that best predicts the treated units over blocks of days before the event.

    Blocks have the length of the event window, as what is wanted is a block and not scattered cells. Each
    penalty starts from the fits of the one before, and the search ends once penalties only get worse.

    Parameters
    ----------
    values, seen : arrays, shape (T, M)
    treated : sequence of int
        Columns of the treated units.
    n_pre, length : int
        Days before the event, and of the event window.

    Returns
    -------
    penalty : float
    tried : tuple of (penalty, mean squared error)
    """
    columns = np.asarray(treated)
    length = min(length, n_pre // (FOLDS + 1)) or 1
    ends = n_pre - length * np.arange(FOLDS) - (n_pre // FOLDS - length) * np.arange(FOLDS)
    grid = largest_penalty(values, seen) * GRID_STEP ** np.arange(GRID)
    blocks = []
    for end in ends:
        block = np.zeros_like(seen)
        block[max(end - length, 0) : end, columns] = True
        blocks.append(block & seen)
    count = max(sum(int(block.sum()) for block in blocks), 1)
    fits: list[Completion | None] = [None] * len(blocks)
    errors: list[float] = []
    for penalty in grid.tolist():
        total = 0.0
        for k, block in enumerate(blocks):
            fit = complete_matrix(values, seen & ~block, penalty, start=fits[k], tolerance=ROUGH)
            total += float(((values - fit.fitted)[block] ** 2).sum())
            fits[k] = fit
        errors.append(total / count)
        if len(errors) - 1 - int(np.argmin(errors)) >= WORSE:
            break
    tried = tuple(zip(grid.tolist(), errors, strict=False))
    return min(tried, key=lambda pair: pair[1])[0], tried


def matrix_completion(
    donors: FloatArray,
    treated: FloatArray,
    n_pre: int,
    *,
    penalty: float | None = None,
    additive: Additive = "two-way",
) -> CohortFit:
    """Complete the returns of the treated after the event, from donors and from their own past.

    Parameters
    ----------
    donors, treated : arrays, shape (T, J) and (T, N)
        Missing returns of treated units are further cells to complete.
    n_pre : int
    penalty : float, optional
        As in `complete_matrix`; by default that of `cross_validated_penalty`.
    additive : {"two-way", "unit", "mean", "none"}
    """
    values = np.concatenate([donors, treated], axis=1)
    seen = ~np.isnan(values)
    columns = np.arange(donors.shape[1], values.shape[1])
    seen[n_pre:, columns] = False
    values = np.where(seen, values, 0.0)
    tried: tuple[tuple[float, float], ...] = ()
    if penalty is None:
        penalty, tried = cross_validated_penalty(values, seen, columns.tolist(), n_pre, len(values) - n_pre)
    found = complete_matrix(values, seen, penalty, additive)
    return CohortFit(
        counterfactual=found.fitted[:, columns],
        selection=tried,
        chosen=float(penalty),
        objective=found.objective,
    )


def _additive(filled: FloatArray, additive: Additive) -> FloatArray | float:
    if additive == "none":
        return 0.0
    mean = float(filled.mean())
    if additive == "mean":
        return np.full_like(filled, mean)
    units = np.broadcast_to(filled.mean(axis=0), filled.shape)
    if additive == "unit":
        return units
    out: FloatArray = units + filled.mean(axis=1, keepdims=True) - mean
    return out


def _soft_threshold(values: FloatArray, threshold: float, rank: int) -> tuple[FloatArray, float, int]:
    """Shrink the singular values; return the matrix, its nuclear norm and rank.

    `rank` is a guess of the rank, which decides how the singular values are computed.
    """
    if not np.isfinite(threshold):
        return np.zeros_like(values), 0.0, 0
    flip = values.shape[0] < values.shape[1]
    tall = values.T if flip else values
    gram = tall.T @ tall
    if rank <= LEADING * len(gram):
        squares, right = linalg.eigh(gram, subset_by_value=(threshold**2, np.inf), check_finite=False)
    else:
        squares, right = np.linalg.eigh(gram)
    singular = np.sqrt(np.maximum(squares, 0.0))
    kept = singular > threshold
    shrunk = singular[kept] - threshold
    out = (tall @ right[:, kept]) * (shrunk / singular[kept]) @ right[:, kept].T
    return (out.T if flip else out), float(shrunk.sum()), int(kept.sum())
