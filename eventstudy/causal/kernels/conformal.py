"""Inference from the days before the event: conformal p-values and the cross-fit t."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.distributions import counted_p_value

__all__ = [
    "CrossFit",
    "PathFit",
    "cross_fit",
    "cross_fit_effects",
    "cross_fit_t",
    "iid_p_value",
    "invert",
    "moving_block_p_value",
]

#: (donors, treated path) of the days to fit -> counterfactual on any days of the same donors.
PathFit = Callable[[FloatArray, FloatArray], Callable[[FloatArray], FloatArray]]
#: Statistics that differ by less than this share are equal.
EQUAL = 1e-12


def moving_block_p_value(residuals: FloatArray, post: BoolArray) -> float:
    r"""Conformal p-value over all cyclic shifts of the days (Chernozhukov, Wüthrich and Zhu 2021).

    .. math:: S(\hat u) = \textstyle\sum_{t \in post} |\hat u_t|, \qquad
        p = \tfrac{1}{T} \textstyle\sum_s 1[S(\hat u_{\pi_s}) \ge S(\hat u)]

    Parameters
    ----------
    residuals : array, shape (T,)
        Of a fit to all days under the null.
    post : array of bool, shape (T,)
    """
    size, at = np.abs(residuals), np.flatnonzero(post)
    n = len(size)
    shifted = size[(at[None, :] + np.arange(n)[:, None]) % n].sum(axis=1)
    return float(counted_p_value(shifted[0], shifted >= shifted[0] * (1 - EQUAL), exact=True))


def iid_p_value(residuals: FloatArray, post: BoolArray, n_draws: int, rng: np.random.Generator) -> float:
    """Conformal p-value over random permutations of the days: (1 + draws at least as large) / (B + 1)."""
    size, count = np.abs(residuals), int(post.sum())
    observed = float(size[post].sum())
    drawn = rng.permuted(np.broadcast_to(size, (n_draws, len(size))), axis=1)[:, :count].sum(axis=1)
    return float(counted_p_value(observed, drawn >= observed * (1 - EQUAL)))


def invert(
    p_value: Callable[[float], float], center: float, spread: float, alpha: float
) -> tuple[float, float]:
    """Find the ends of the effects a test does not reject, by doubling steps and bisection.

    Parameters
    ----------
    p_value : callable
        Effect under the null -> p-value.
    center, spread : float
        Estimate, and a typical error.
    alpha : float

    Returns
    -------
    low, high : float
        Infinite where no effect up to 64 `spread` away is rejected, NaN where even `center` is.
    """
    if p_value(center) <= alpha:
        return float("nan"), float("nan")
    ends = []
    for side in (-1.0, 1.0):
        inside, step = 0.0, spread
        while step <= 64 * spread and p_value(center + side * step) > alpha:
            inside, step = step, 2 * step
        if step > 64 * spread:
            ends.append(side * np.inf)
            continue
        outside = step
        for _ in range(14):
            middle = (inside + outside) / 2
            if p_value(center + side * middle) > alpha:
                inside = middle
            else:
                outside = middle
        ends.append(center + side * inside)
    return float(ends[0]), float(ends[1])


@dataclass(frozen=True)
class CrossFit:
    """Cross-fit estimate of the mean effect: `effect`, `se`, and `dof` of its t distribution."""

    effect: float
    se: float
    dof: int


def cross_fit_effects(
    donors: FloatArray, treated: FloatArray, n_pre: int, folds: int, fit: PathFit
) -> FloatArray:
    """Mean effect by each fold of `cross_fit`, shape (folds,).

    Parameters
    ----------
    donors, treated : arrays, shape (T, J), and (T,) or (T, N)
    n_pre, folds : int
    fit : callable
        Fit of a path; see `PathFit`.
    """
    length = min(n_pre // folds, len(treated) - n_pre)
    first = n_pre - folds * length
    effects = np.empty(folds)
    for k in range(folds):
        block = np.zeros(len(treated), dtype=bool)
        block[first + k * length : first + (k + 1) * length] = True
        rest = ~block
        rest[n_pre:] = False
        gap = treated - fit(donors[rest], treated[rest])(donors)
        effects[k] = gap[n_pre:].mean() - gap[block].mean()
    return effects


def cross_fit_t(effects: FloatArray, n_pre: int, n_post: int, ratio: float = 1.0) -> CrossFit:
    """Combine the effects of the folds; see `cross_fit`.

    `ratio` is the variance of the errors on the days of the event over that on the days of the folds.
    """
    folds = len(effects)
    length = min(n_pre // folds, n_post)
    spread = float(effects.std(ddof=1))
    se = float(np.sqrt(1 + ratio * folds * length / n_post) * spread / np.sqrt(folds))
    return CrossFit(float(effects.mean()), se, folds - 1)


def cross_fit(donors: FloatArray, treated: FloatArray, n_pre: int, folds: int, fit: PathFit) -> CrossFit:
    r"""Estimate the mean effect without its in-sample bias (Chernozhukov, Wüthrich and Zhu 2024).

    Each of the last K blocks of :math:`r = \min(\lfloor T_0/K \rfloor, T_1)` days before the event is left
    out in turn, and the mean gap of the block is taken from that of the event:

    .. math:: \hat\tau = \tfrac{1}{K} \textstyle\sum_k \hat\tau_k, \qquad
        se = \sqrt{1 + K r / T_1}\; sd(\hat\tau_k) / \sqrt{K}, \qquad \hat\tau / se \sim t_{K-1}

    Parameters
    ----------
    donors, treated, n_pre, folds, fit
        As in `cross_fit_effects`.
    """
    return cross_fit_t(cross_fit_effects(donors, treated, n_pre, folds, fit), n_pre, len(treated) - n_pre)
