"""Standard errors by drawing anew: the parametric bootstrap of factor models, and the jackknife."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.causal.kernels.factor_model import FixedEffects, donor_factors, interactive_fixed_effects
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.kernels.placebo import Fit

__all__ = ["jackknife_effects", "jackknife_se", "parametric_bootstrap"]


def parametric_bootstrap(
    donors: FloatArray,
    treated: FloatArray,
    n_pre: int,
    fit: CohortFit,
    *,
    fixed_effects: FixedEffects,
    n_draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw mean effect paths under the estimated effects (Xu 2017, Algorithm 2, as in gsynth).

    Prediction errors come from donors treated as if the event were theirs, in-sample errors from the
    residuals of the donors. The number of factors stays that of `fit`. Treated units have independent
    errors, so that a shock common to them is missed.

    Parameters
    ----------
    donors, treated : arrays, shape (T, J) and (T, N)
    n_pre : int
    fit : CohortFit
        Of interactive fixed effects to these data.
    fixed_effects : {"unit", "time", "two-way", "none"}
    n_draws : int
    rng : Generator

    Returns
    -------
    array, shape (n_draws, T)
        Effects of each draw, less the estimate.
    """
    n_days, n = donors.shape
    r, n_treated = int(fit.chosen), treated.shape[1]

    def counterfactual(controls: FloatArray, outcome: FloatArray) -> FloatArray:
        return interactive_fixed_effects(
            controls, outcome, n_pre, n_factors=r, fixed_effects=fixed_effects
        ).counterfactual

    errors = np.empty((n_draws, n_days))
    for b in range(n_draws):
        fake = int(rng.integers(n))
        others = np.delete(np.arange(n), fake)
        drawn = donors[:, rng.choice(others, n)]
        errors[b] = (donors[:, [fake]] - counterfactual(drawn, donors[:, [fake]]))[:, 0]
    found = donor_factors(donors, r, fixed_effects)
    fitted = found.mean + found.unit + found.day[:, None] + found.factors @ found.loadings.T
    residuals = donors - fitted
    out = np.empty((n_draws, n_days))
    for b in range(n_draws):
        outcome = fit.counterfactual + errors[rng.integers(n_draws, size=n_treated)].T
        drawn = fitted[:, rng.integers(n, size=n)] + residuals[:, rng.integers(n, size=n)]
        out[b] = (outcome - counterfactual(drawn, outcome)).mean(axis=1)
    return out


def jackknife_effects(fit: Fit, donors: FloatArray, treated: FloatArray, n_pre: int) -> FloatArray:
    """Mean effect path without each unit in turn, donors first; shape (J + N, T).

    Needs two donors and two treated units.
    """
    n_donors, n_treated = donors.shape[1], treated.shape[1]
    out = np.empty((n_donors + n_treated, len(donors)))
    for j in range(n_donors + n_treated):
        some = np.delete(donors, j, axis=1) if j < n_donors else donors
        who = treated if j < n_donors else np.delete(treated, j - n_donors, axis=1)
        out[j] = (who - fit(some, who, n_pre).counterfactual).mean(axis=1)
    return out


def jackknife_se(effects: FloatArray) -> FloatArray:
    r"""Compute the standard error of the jackknife along the first axis.

    .. math:: \sqrt{\tfrac{n-1}{n} \textstyle\sum_i (\hat\tau_{(-i)} - \bar\tau)^2}
    """
    n = len(effects)
    return np.asarray(np.sqrt((n - 1) / n * ((effects - effects.mean(axis=0)) ** 2).sum(axis=0)))
