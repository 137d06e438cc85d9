"""Fitted cohorts, and the mean effect that they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.causal.cohorts import FEW_TRADE, Cohort, day_axis
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.spec import CausalSpec
from eventstudy.immutable import FrozenRecord, read_only

__all__ = ["FittedCohort", "MeanPath", "fit_cohort", "mean_path", "on_axis"]


#: A counterfactual whose errors are below this share of the returns is the treated itself.
EXACT = 1e-9


@dataclass(frozen=True)
class FittedCohort(FrozenRecord):
    """A cohort with its fit.

    Attributes
    ----------
    cohort : Cohort
    fit : CohortFit
    gaps : array, shape (T, N)
        Return less counterfactual; after the event, the effect.
    actual : array, shape (T, N)
        Returns, those over several sessions included.
    event_weights : array, shape (N,)
        Weight of each event in the mean effect, before scaling.
    """

    cohort: Cohort
    fit: CohortFit
    gaps: FloatArray
    actual: FloatArray
    event_weights: FloatArray

    @property
    def exact(self) -> bool:
        """Whether the counterfactual equals the treated on every day before the event."""
        before = slice(0, self.cohort.n_pre)
        size = np.nanmean(self.cohort.treated[before] ** 2)
        return bool(np.nanmean(self.mean_gap[before] ** 2) <= EXACT**2 * size)

    @property
    def total_weight(self) -> float:
        """Weight of the cohort, before scaling."""
        return float(self.event_weights.sum())

    @property
    def mean_gap(self) -> FloatArray:
        """Weighted mean gap of the events that have one, shape (T,)."""
        return read_only(weighted_mean(self.gaps.T, self.event_weights))


def weighted_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean along the first axis of what is not missing; NaN where everything is."""
    seen = ~np.isnan(values)
    spread = weights.reshape(-1, *[1] * (values.ndim - 1))
    total = np.where(seen, spread, 0.0).sum(axis=0)
    summed = np.where(seen, values * spread, 0.0).sum(axis=0)
    return np.asarray(np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan))


def fit_cohort(spec: CausalSpec, cohort: Cohort) -> FittedCohort:
    """Fit the estimator to one cohort."""
    if spec.estimator.completes:
        fit, over_halts = _complete(spec, cohort)
    else:
        fit, over_halts = spec.estimator.fit(cohort.donors, cohort.treated, cohort.n_pre), []
    gaps, actual = cohort.treated - fit.counterfactual, cohort.treated.copy()
    for k, lump in enumerate(cohort.lumps):
        actual[lump.at, lump.unit] = lump.treated
        if spec.estimator.completes:
            expected = over_halts[k]
        else:
            assert fit.weights is not None
            assert fit.intercept is not None
            expected = float(fit.intercept[lump.unit] * lump.span + lump.donors @ fit.weights[:, lump.unit])
        gaps[lump.at, lump.unit] = lump.treated - expected
    return FittedCohort(cohort, fit, gaps, actual, spec.estimator.event_weights(gaps[: cohort.n_pre].T))


def _complete(spec: CausalSpec, cohort: Cohort) -> tuple[CohortFit, list[float]]:
    """Complete the returns of a cohort, those of the sessions of its halts included.

    Also returns the completed return over each lump, NaN where hardly any donor trades on a session of it.
    """
    rows = cohort.day0 + cohort.days
    halts = [row - np.arange(lump.span)[::-1] for lump in cohort.lumps for row in (rows[lump.at],)]
    extra = np.setdiff1d(np.concatenate([np.empty(0, dtype=np.int64), *halts]), rows)
    beyond = spec.market.arrays.single[cohort.donor_rows][:, extra].T
    traded = (~np.isnan(beyond)).mean(axis=1) >= FEW_TRADE
    extra, beyond = extra[traded], beyond[traded]
    missing = np.full((len(extra), cohort.treated.shape[1]), np.nan)
    fit = spec.estimator.fit(
        np.concatenate([cohort.donors, beyond]), np.concatenate([cohort.treated, missing]), cohort.n_pre
    )
    completed = pd.DataFrame(fit.counterfactual, index=np.concatenate([rows, extra]))
    over_halts = [
        float((1 + completed[lump.unit].reindex(halt).to_numpy()).prod() - 1)
        for lump, halt in zip(cohort.lumps, halts, strict=True)
    ]
    return replace(fit, counterfactual=fit.counterfactual[: len(rows)]), over_halts


@dataclass(frozen=True)
class MeanPath(FrozenRecord):
    """Mean gap by relative day.

    Attributes
    ----------
    days : array of int, shape (A,)
        Relative days of both windows.
    gap : array, shape (A,)
        NaN on days without any.
    n_est : int
        Days of the estimation window.
    """

    days: IntArray
    gap: FloatArray
    n_est: int

    @property
    def rmse(self) -> float:
        """Root mean square of the gap before the event."""
        return float(np.sqrt(np.nanmean(self.gap[: self.n_est] ** 2)))


def on_axis(spec: CausalSpec, cohort: Cohort, values: FloatArray) -> FloatArray:
    """Put values by used day, first axis, on the relative days of both windows; NaN elsewhere."""
    axis = day_axis(spec)
    out = np.full((len(axis), *values.shape[1:]), np.nan)
    out[np.searchsorted(axis, cohort.days)] = values
    return out


def mean_path(spec: CausalSpec, cohorts: Sequence[FittedCohort]) -> MeanPath:
    """Weighted mean gap of all events by relative day."""
    gaps = np.concatenate([on_axis(spec, each.cohort, each.gaps).T for each in cohorts])
    weights = np.concatenate([each.event_weights for each in cohorts])
    return MeanPath(day_axis(spec), weighted_mean(gaps, weights), len(spec.estimation))
