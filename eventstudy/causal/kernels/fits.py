"""What an estimator learns of one cohort: a counterfactual for each treated unit."""

from __future__ import annotations

from dataclasses import dataclass, field

from eventstudy._typing import FloatArray
from eventstudy.immutable import FrozenRecord

__all__ = ["CohortFit"]


@dataclass(frozen=True, kw_only=True)
class CohortFit(FrozenRecord):
    r"""Counterfactual of N treated units from J donors over T days.

    Of every estimator but matrix completion it is a constant plus a portfolio of the donors,
    :math:`\hat R_{it} = a_i + \sum_j w_{ij} R_{jt}`, so that it is known on any day the donors trade.

    Attributes
    ----------
    counterfactual : array, shape (T, N)
    intercept : array, shape (N,), optional
    weights : array, shape (J, N), optional
        Implied weights of factor models need neither be positive nor sum to one.
    time_weights : array, shape (T0,), optional
        Weights of pre-event days.
    factors : array, shape (T, r), optional
    loadings : array, shape (J + N, r), optional
        Donors first.
    selection : tuple of tuple of float
        Of a tuned estimator, what was tried: value, cross-validated error.
    chosen : float
        Number of factors or penalty used; NaN where there is nothing to choose.
    kkt : float
        Largest violation of the optimality conditions, relative to the largest cross-product.
    unique : bool
        Whether no other weights are optimal.
    objective : float
    """

    counterfactual: FloatArray
    intercept: FloatArray | None = None
    weights: FloatArray | None = None
    time_weights: FloatArray | None = None
    factors: FloatArray | None = None
    loadings: FloatArray | None = None
    selection: tuple[tuple[float, float], ...] = ()
    chosen: float = float("nan")
    kkt: float = float("nan")
    unique: bool = True
    objective: float = float("nan")
    notes: tuple[str, ...] = field(default=())
