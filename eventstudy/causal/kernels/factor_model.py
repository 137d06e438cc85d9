"""Interactive fixed effects: factors of the donors, loadings of the treated from before the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.immutable import FrozenRecord

__all__ = ["DonorFactors", "FixedEffects", "donor_factors", "interactive_fixed_effects", "leave_one_day_out"]

FixedEffects = Literal["unit", "time", "two-way", "none"]
#: A further factor must lower the cross-validated error by more than this share.
GAIN = 1e-3


@dataclass(frozen=True)
class DonorFactors(FrozenRecord):
    """Factors of a balanced panel of donors, by principal components.

    Attributes
    ----------
    mean : float
    unit : array, shape (J,)
    day : array, shape (T,)
    factors : array, shape (T, R)
        Orthogonal, each of mean square one; the strongest first.
    loadings : array, shape (J, R)
    squares : array, shape (R + 1,)
        Sum of squared residuals with the first 0, 1, ... R factors.
    """

    mean: float
    unit: FloatArray
    day: FloatArray
    factors: FloatArray
    loadings: FloatArray
    squares: FloatArray


def donor_factors(donors: FloatArray, most: int, fixed_effects: FixedEffects) -> DonorFactors:
    """Estimate fixed effects and the `most` strongest factors of the donors; see `DonorFactors`."""
    n_days, n = donors.shape
    mean = float(donors.mean())
    rest = donors - mean
    unit, day = np.zeros(n), np.zeros(n_days)
    if fixed_effects in ("unit", "two-way"):
        unit = rest.mean(axis=0)
        rest = rest - unit
    if fixed_effects in ("time", "two-way"):
        day = rest.mean(axis=1)
        rest = rest - day[:, None]
    factors = np.zeros((n_days, most))
    if most:
        # The smaller of the two cross-products; its leading vectors are those of the singular values.
        if n_days <= n:
            vectors = np.linalg.eigh(rest @ rest.T)[1][:, ::-1][:, :most]
        else:
            right = np.linalg.eigh(rest.T @ rest)[1][:, ::-1][:, :most]
            vectors = rest @ right
            vectors = np.linalg.qr(vectors)[0]
        factors = vectors * np.sqrt(n_days)
    loadings = rest.T @ factors / n_days
    total = float((rest**2).sum())
    explained = np.cumsum((loadings**2).sum(axis=0)) * n_days
    return DonorFactors(mean, unit, day, factors, loadings, total - np.concatenate([[0.0], explained]))


def leave_one_day_out(
    found: DonorFactors, treated: FloatArray, n_pre: int, fixed_effects: FixedEffects, n_factors: int
) -> float:
    """Mean squared error of the pre-event returns, each predicted without its own day.

    The error without a day is the residual over one less its leverage, exactly.
    """
    outcome = (treated - found.mean - found.day[:, None])[:n_pre]
    design = _design(found.factors[:n_pre, :n_factors], fixed_effects)
    if not design.shape[1]:
        return float((outcome**2).mean())
    q, _ = np.linalg.qr(design)
    residual = outcome - q @ (q.T @ outcome)
    return float(((residual / (1.0 - (q**2).sum(axis=1))[:, None]) ** 2).mean())


def interactive_fixed_effects(
    donors: FloatArray,
    treated: FloatArray,
    n_pre: int,
    *,
    n_factors: int | Sequence[int],
    fixed_effects: FixedEffects = "unit",
    found: DonorFactors | None = None,
) -> CohortFit:
    r"""Interactive fixed effects in closed form (Xu 2017; Gobillon and Magnac 2016), balanced donors.

    .. math:: R_{jt} = \mu + \alpha_j + \xi_t + \lambda_j'f_t + e_{jt}

    Factors come from the donors on all days, loadings and level of each treated unit from its days before
    the event.

    Parameters
    ----------
    donors, treated : arrays, shape (T, J) and (T, N)
    n_pre : int
    n_factors : int, or sequence of int
        Of a sequence, the number is chosen by leaving one day out: from the smallest on, a larger number is
        taken if it lowers the mean squared error by more than 0.1%.
    fixed_effects : {"unit", "time", "two-way", "none"}
    found : DonorFactors, optional
        What `donor_factors` found in these donors, if known.

    Returns
    -------
    CohortFit
        `weights` are the portfolio of donors that the counterfactual is: its factor part is
        :math:`L (L'L)^{-1} \lambda`.
    """
    tried = (int(n_factors),) if isinstance(n_factors, int | np.integer) else tuple(n_factors)
    found = donor_factors(donors, max(tried), fixed_effects) if found is None else found
    selection: list[tuple[float, float]] = []
    chosen, best = tried[0], np.inf
    if len(tried) > 1:
        for r in tried:
            error = leave_one_day_out(found, treated, n_pre, fixed_effects, r)
            selection.append((float(r), error))
            if not np.isfinite(best) or best - error > GAIN * best:
                chosen = r
            best = min(best, error)
    factors, loadings = found.factors[:, :chosen], found.loadings[:, :chosen]
    base = found.mean + found.day
    design = _design(factors, fixed_effects)
    fitted = np.zeros((len(donors), treated.shape[1]))
    coefficients = np.zeros((design.shape[1], treated.shape[1]))
    if design.shape[1]:
        outcome = treated[:n_pre] - base[:n_pre, None]
        q, r_part = np.linalg.qr(design[:n_pre])
        coefficients = np.linalg.solve(r_part, q.T @ outcome)
        fitted = design @ coefficients
    own = coefficients[:chosen]
    # The factors of a day are a regression of that day's returns on the loadings.
    part = (
        loadings @ np.linalg.solve(loadings.T @ loadings, own) if chosen else np.zeros((donors.shape[1], 1))
    )
    weights = np.zeros((donors.shape[1], treated.shape[1])) + part
    if fixed_effects in ("time", "two-way"):
        weights = weights - weights.mean(axis=0) + 1.0 / donors.shape[1]
    counterfactual = base[:, None] + fitted
    intercept = (counterfactual - donors @ weights).mean(axis=0)
    return CohortFit(
        counterfactual=counterfactual,
        intercept=intercept,
        weights=weights,
        factors=factors,
        loadings=np.concatenate([loadings, own.T]),
        selection=tuple(selection),
        chosen=float(chosen),
    )


def _design(factors: FloatArray, fixed_effects: FixedEffects) -> FloatArray:
    if fixed_effects in ("none", "time"):
        return factors
    return np.column_stack([factors, np.ones(len(factors))])
