"""Counterfactuals that are portfolios of donors: synthetic control, matching, difference-in-differences."""

from __future__ import annotations

from typing import Literal

import numpy as np

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.kernels.simplex import (
    SimplexSolution,
    simplex_from_gram,
    simplex_least_squares,
    simplex_small_ridge,
)

__all__ = [
    "Goodness",
    "badly_matched",
    "difference_in_differences",
    "first_difference_noise",
    "goodness_of_match",
    "matched_effect",
    "synthetic_control",
    "synthetic_did",
    "synthetic_did_portfolio",
    "synthetic_did_weights",
    "without_each_unit",
]

#: Ridge of the time weights in standard deviations of first differences, as in synthdid.
TIME_RIDGE = 1e-6


def synthetic_control(donors: FloatArray, treated: FloatArray, n_pre: int, *, pooled: bool) -> CohortFit:
    r"""Synthetic control on returns: simplex weights, no intercept, no covariates.

    .. math:: \min_{w \ge 0,\ \sum w = 1} \sum_{t < T_0} (R_{1t} - \textstyle\sum_j w_j R_{jt})^2

    Parameters
    ----------
    donors : array, shape (T, J)
    treated : array, shape (T, N)
    n_pre : int
        The first rows, before the event.
    pooled : bool
        One problem for the mean of the treated, or one each.

    Returns
    -------
    CohortFit
    """
    x, y = donors[:n_pre], treated[:n_pre]
    gram, full = x.T @ x, n_pre > x.shape[1]
    wanted = y.mean(axis=1, keepdims=True) if pooled else y
    cross = x.T @ wanted
    solved = [simplex_from_gram(gram, cross[:, i], full_rank=full) for i in range(wanted.shape[1])]
    weights = np.stack([each.weights for each in solved], axis=1)
    objective = float(((wanted - x @ weights) ** 2).sum())
    if pooled:
        weights = np.repeat(weights, treated.shape[1], axis=1)
    return CohortFit(
        counterfactual=donors @ weights,
        intercept=np.zeros(treated.shape[1]),
        weights=weights,
        kkt=max(each.kkt for each in solved),
        unique=all(each.unique for each in solved),
        objective=objective,
    )


def difference_in_differences(donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
    r"""Difference-in-differences by day: the mean of the donors plus the mean gap before the event.

    .. math:: \hat R_{it} = \bar R_{co,t} + \bar R_{i,pre} - \bar R_{co,pre}
    """
    n_donors, n = donors.shape[1], treated.shape[1]
    weights = np.full((n_donors, n), 1.0 / n_donors)
    mean = donors.mean(axis=1)
    intercept = treated[:n_pre].mean(axis=0) - mean[:n_pre].mean()
    return CohortFit(
        counterfactual=intercept + mean[:, None],
        intercept=intercept,
        weights=weights,
        time_weights=np.full(n_pre, 1.0 / n_pre),
    )


def first_difference_noise(donors: FloatArray) -> float:
    """Compute the pooled standard deviation of the first differences of the donors before the event."""
    return float(np.diff(donors, axis=0).std(ddof=1))


def synthetic_did_weights(
    donors: FloatArray, treated: FloatArray, n_pre: int, noise: float | None = None
) -> tuple[SimplexSolution, SimplexSolution]:
    r"""Weights of donors and of pre-event days (Arkhangelsky et al. 2021).

    .. math::
        \hat\omega = \arg\min \tfrac{1}{T_0} \textstyle\sum_t
            (\omega_0 + \sum_j \omega_j R_{jt} - \bar R_{tr,t})^2 + \zeta_\omega^2 \lVert\omega\rVert^2,
        \qquad
        \hat\lambda = \arg\min \tfrac{1}{J} \textstyle\sum_j
            (\lambda_0 + \sum_t \lambda_t R_{jt} - \bar R_{j,post})^2 + \zeta_\lambda^2 \lVert\lambda\rVert^2

    with :math:`\zeta_\omega = (N_1 T_1)^{1/4} \hat\sigma`, :math:`\zeta_\lambda = 10^{-6} \hat\sigma`.

    Parameters
    ----------
    donors, treated : arrays, shape (T, J) and (T, N)
    n_pre : int
    noise : float, optional
        The :math:`\hat\sigma` to take instead of that of these donors.

    Returns
    -------
    omega, lambda : SimplexSolution
    """
    before, after = donors[:n_pre], donors[n_pre:]
    sigma = first_difference_noise(before) if noise is None else noise
    zeta = (treated.shape[1] * len(after)) ** 0.25 * sigma
    target = treated[:n_pre].mean(axis=1)
    x, y = before - before.mean(axis=0), target - target.mean()
    omega = simplex_least_squares(x / np.sqrt(n_pre), y / np.sqrt(n_pre), zeta**2)
    days, post = before.T - before.mean(axis=1), after.mean(axis=0)
    root = np.sqrt(donors.shape[1])
    ridge = (TIME_RIDGE * sigma) ** 2
    if ridge > 0:
        time = simplex_small_ridge(days / root, (post - post.mean()) / root, ridge)
    else:
        time = simplex_least_squares(days / root, (post - post.mean()) / root)
    return omega, time


def without_each_unit(donors: FloatArray, treated: FloatArray, n_pre: int, fit: CohortFit) -> FloatArray:
    """Mean effect path without each unit in turn at fixed weights, donors first; shape (J + N, T).

    Weights of the donors that are left are scaled to sum to one (Arkhangelsky et al. 2021, Algorithm 3).
    A donor that holds all the weight leaves NaN.
    """
    assert fit.weights is not None
    assert fit.time_weights is not None
    omega, own = fit.weights[:, 0], treated.mean(axis=1)
    left = 1.0 - omega
    scaled = np.where(left > 1e-12, left, np.nan)
    synthetic = ((donors @ omega)[:, None] - donors * omega) / scaled
    n = treated.shape[1]
    others = (treated.sum(axis=1)[:, None] - treated) / max(n - 1, 1)
    gaps = np.concatenate([own[:, None] - synthetic, others - (donors @ omega)[:, None]], axis=1)
    out: FloatArray = (gaps - fit.time_weights @ gaps[:n_pre]).T
    return out


def synthetic_did_portfolio(donors: FloatArray, treated: FloatArray, n_post: int) -> CohortFit:
    """Weights of the donors by the criterion of `synthetic_did_weights`, with the mean gap of all given days.

    For tests that fit the days before the event, or all days under the null, as one.
    """
    zeta = (treated.shape[1] * n_post) ** 0.25 * first_difference_noise(donors)
    target = treated.mean(axis=1)
    x, y = donors - donors.mean(axis=0), target - target.mean()
    omega = simplex_least_squares(x / np.sqrt(len(x)), y / np.sqrt(len(x)), zeta**2)
    synthetic = donors @ omega.weights
    intercept = (treated - synthetic[:, None]).mean(axis=0)
    return CohortFit(
        counterfactual=intercept + synthetic[:, None],
        intercept=intercept,
        weights=np.repeat(omega.weights[:, None], treated.shape[1], axis=1),
        kkt=omega.kkt,
        unique=omega.unique,
    )


def synthetic_did(
    donors: FloatArray, treated: FloatArray, n_pre: int, noise: float | None = None
) -> CohortFit:
    r"""Synthetic difference-in-differences (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021).

    The effect on a day is the gap to the weighted donors less its mean under the time weights:

    .. math:: \hat\tau_t = g_t - \textstyle\sum_s \hat\lambda_s g_s, \qquad
        g_t = R_{tr,t} - \sum_j \hat\omega_j R_{jt}

    Parameters
    ----------
    donors, treated : arrays, shape (T, J) and (T, N)
    n_pre : int
    noise : float, optional
        As in `synthetic_did_weights`.
    """
    omega, time = synthetic_did_weights(donors, treated, n_pre, noise)
    synthetic = donors @ omega.weights
    intercept = time.weights @ (treated[:n_pre] - synthetic[:n_pre, None])
    return CohortFit(
        counterfactual=intercept + synthetic[:, None],
        intercept=intercept,
        weights=np.repeat(omega.weights[:, None], treated.shape[1], axis=1),
        time_weights=time.weights,
        kkt=max(omega.kkt, time.kkt),
        unique=omega.unique and time.unique,
    )


Goodness = Literal["rmse", "synthReturn"]


def goodness_of_match(gaps: FloatArray, kind: Goodness = "rmse") -> FloatArray:
    r"""Root mean square of the pre-event gaps, :math:`\hat\sigma_i` (Acemoglu et al. 2016).

    .. math:: \hat\sigma_i = \sqrt{\tfrac{1}{T_0} \textstyle\sum_t \widehat{AR}_{it}^2}

    Parameters
    ----------
    gaps : array, shape (..., T0)
        Days that are NaN are left out.
    kind : {"rmse", "synthReturn"}
        ``"synthReturn"`` is what the R package synthReturn 1.0.0 computes instead, the absolute sum over the
        root of the number of days; only to reproduce it.
    """
    count = np.sum(~np.isnan(gaps), axis=-1)
    if kind == "synthReturn":
        return np.asarray(np.abs(np.nansum(gaps, axis=-1)) / np.sqrt(count))
    return np.asarray(np.sqrt(np.nansum(gaps**2, axis=-1) / count))


def matched_effect(cumulative: FloatArray, sigma: FloatArray) -> FloatArray:
    r"""Mean of cumulative effects, weighted by the inverse goodness of match (Acemoglu et al. 2016).

    .. math:: \hat\phi_k = \frac{\sum_i \sum_{t=0}^k \widehat{AR}_{it} / \hat\sigma_i}
        {\sum_i 1 / \hat\sigma_i}

    Parameters
    ----------
    cumulative : array, shape (..., N, K)
    sigma : array, shape (..., N)
        Units with a NaN are left out.

    Returns
    -------
    array, shape (..., K)
        NaN where no unit is left.
    """
    used = ~np.isnan(sigma)
    inverse = np.where(used, 1.0 / np.where(used, sigma, 1.0), 0.0)
    total = inverse.sum(axis=-1)
    weighted = (inverse[..., None] * np.where(used[..., None], cumulative, 0.0)).sum(axis=-2)
    safe = np.where(total > 0, total, 1.0)[..., None]
    return np.asarray(np.where(total[..., None] > 0, weighted / safe, np.nan))


def badly_matched(sigma: FloatArray, treated_sigma: FloatArray) -> BoolArray:
    """Units to leave out of placebo draws: sigma above the root of three times the mean of the treated."""
    return np.asarray(sigma > np.sqrt(3.0) * treated_sigma.mean())
