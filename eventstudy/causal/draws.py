"""What would have come out without an effect: placebos in space and time, and refits under the null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.causal.cohorts import Cohort, day_axis
from eventstudy.causal.estimators import InteractiveFixedEffects
from eventstudy.causal.fitted import FittedCohort, on_axis, weighted_mean
from eventstudy.causal.kernels.conformal import cross_fit_effects
from eventstudy.causal.kernels.placebo import common_volatility, sampled_control_gaps
from eventstudy.causal.kernels.resampling import parametric_bootstrap
from eventstudy.causal.spec import CausalSpec
from eventstudy.immutable import FrozenRecord
from eventstudy.progress import followed
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = [
    "Draws",
    "bootstrap_draws",
    "day_scales",
    "fold_effects",
    "null_residuals",
    "space_placebos",
    "time_placebos",
]

#: Donors that must be left when a group of them plays the treated.
FEWEST_LEFT = 2
#: Fewest donors that show how volatile a day was, and most that are asked.
FEWEST_SHOWING, MOST_SHOWING = 10, 60
#: Share of the estimation window that a pseudo-date must have before it.
LEARNING = 0.5


@dataclass(frozen=True)
class Draws(FrozenRecord):
    """Gap paths without effect.

    Attributes
    ----------
    labels : tuple of str, length B
    gap : array, shape (B, A)
        By relative day of both windows.
    rmse : array, shape (B,)
        Root mean square of each path before the event.
    enumerated : bool
        Whether these are all placebos there are, and not random ones.
    """

    labels: tuple[str, ...]
    gap: FloatArray
    rmse: FloatArray
    enumerated: bool


def space_placebos(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], n_draws: int, rng: np.random.Generator
) -> Draws | str:
    """Donors treated as if the event were theirs: groups of each cohort's size, drawn at each date.

    One treated unit on one date has every donor once. Tuning is that of the real fit.

    Returns
    -------
    Draws, or the reason why there are none
    """
    for each in cohorts:
        n, j = len(each.cohort.events), len(each.cohort.donor_names)
        if j - n < FEWEST_LEFT:
            return (
                f"on {each.cohort.date:%Y-%m-%d} {plural(j, 'donor')} cannot play {n} treated and leave "
                f"{FEWEST_LEFT} as donors"
            )
    alone = len(cohorts) == 1 and len(cohorts[0].cohort.events) == 1
    axis = day_axis(spec)
    total, weight = np.zeros(()), np.zeros(())
    for each in followed(cohorts, "Placebos", "date"):
        cohort = each.cohort
        estimator = spec.estimator.fixed(each.fit)
        beyond, halts = halted_sessions(spec, cohort)
        n = len(cohort.events)
        sums, weights = estimator.placebo_sums(
            np.concatenate([cohort.donors, beyond]), cohort.n_pre, n, None if alone else n_draws, rng
        )
        for lump, sessions in zip(cohort.lumps, halts, strict=True):
            # Over the sessions of a halt, a placebo has the error of one firm out of its group.
            sums[:, lump.at] += sums[:, sessions].sum(axis=1) / np.sqrt(n)
        sums = sums[:, : len(cohort.days)]
        known = ~np.isnan(on_axis(spec, cohort, each.mean_gap))
        sums = np.where(known[:, None], np.nan_to_num(on_axis(spec, cohort, sums.T)), 0.0)
        total = total + sums.T
        weight = weight + weights[:, None] * known
    gap = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)
    before = axis <= spec.estimation.end
    labels = cohorts[0].cohort.donor_names if alone else tuple(f"draw {b + 1}" for b in range(len(gap)))
    return Draws(labels, gap, np.sqrt(np.nanmean(gap[:, before] ** 2, axis=1)), alone)


def time_placebos(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window
) -> tuple[FloatArray, FloatArray, IntArray] | str:
    """Pseudo-dates before the event: effects of the tested window on days on which nothing happened.

    Windows of as many days as are tested, side by side from the end of the estimation window back, each
    fitted on the days before it, which are at least half of the estimation days.

    Returns
    -------
    effect : array, shape (B,)
        Sum of the mean gap over each pseudo-window, the latest first.
    rmse : array, shape (B,)
        Root mean square of the mean gap before it.
    ahead : array of int, shape (B,)
        Used estimation days from its start to the end of the estimation window.
    Or the reason why there are none.
    """
    length = len(window)
    n_pre = min(each.cohort.n_pre for each in cohorts)
    most = int((n_pre - max(spec.min_observations, LEARNING * n_pre)) // length)
    if most < 1:
        return f"no pseudo-window of {plural(length, 'day')} has enough estimation days before it"
    effects, errors = np.empty(most), np.empty(most)
    ahead = length * np.arange(1, most + 1)
    for b, back in enumerate(ahead.tolist()):
        paths, rmse, weights = [], [], []
        for each in cohorts:
            cohort = each.cohort
            cut = cohort.n_pre - back
            rows = slice(0, cut + length)
            fit = spec.estimator.fixed(each.fit).fit(cohort.donors[rows], cohort.treated[rows], cut)
            gaps = cohort.treated[rows] - fit.counterfactual
            own = spec.estimator.event_weights(gaps[:cut].T)
            paths.append(weighted_mean(gaps[cut:].T, own).sum())
            rmse.append(np.mean(weighted_mean(gaps[:cut].T, own) ** 2))
            weights.append(own.sum())
        share = np.array(weights) / np.sum(weights)
        effects[b] = float(np.array(paths) @ share)
        # Dates are taken as independent: their days before the event are not the same days.
        errors[b] = float(np.sqrt(np.array(rmse) @ share**2))
    return effects, errors, ahead


def halted_sessions(spec: CausalSpec, cohort: Cohort) -> tuple[FloatArray, list[IntArray]]:
    """Donors on the sessions of halts that are not among a cohort's days, and where each halt's are.

    Returns
    -------
    beyond : array, shape (H, J)
        A donor that lacks a return has that of the mean donor.
    halts : list of array of int
        For each lump, rows of its sessions but the last in the donors with `beyond` below them.
    """
    rows = cohort.day0 + cohort.days
    spans = [np.arange(rows[lump.at] - lump.span + 1, rows[lump.at]) for lump in cohort.lumps]
    extra = np.setdiff1d(np.concatenate([np.empty(0, dtype=np.int64), *spans]), rows)
    single = spec.market.arrays.single[cohort.donor_rows][:, extra].T
    known = ~np.isnan(single)
    count = known.sum(axis=1, keepdims=True)
    mean = np.where(known, single, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    place = pd.Series(np.arange(len(rows) + len(extra)), index=np.concatenate([rows, extra]))
    return np.where(known, single, mean), [place[sessions].to_numpy() for sessions in spans]


def tested_rows(each: FittedCohort, window: Window) -> BoolArray:
    """Used days of a cohort that lie in a window and on which all its events have an effect, shape (T,)."""
    cohort = each.cohort
    inside = (cohort.days >= window.start) & (cohort.days <= window.end)
    return np.asarray(inside & ~np.isnan(cohort.treated).any(axis=1))


def _used(each: FittedCohort, window: Window) -> BoolArray:
    """Estimation days of a cohort and the tested ones, shape (T,)."""
    return np.asarray(tested_rows(each, window) | (np.arange(len(each.cohort.days)) < each.cohort.n_pre))


def day_scales(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window
) -> tuple[FloatArray, BoolArray] | str:
    """Typical size of the mean gap on the days of `null_residuals`, from the donors' errors of each day.

    Dates are taken as independent.

    Returns
    -------
    scales : array, shape (T,)
    post : array of bool, shape (T,)
    Or the reason why there are none.
    """
    variances, weights = [], []
    for each in cohorts:
        cohort = each.cohort
        if len(cohort.donor_names) < FEWEST_SHOWING:
            return (
                f"{plural(len(cohort.donor_names), 'donor')} on {cohort.date:%Y-%m-%d} cannot show how "
                f"volatile a day was; {FEWEST_SHOWING} are needed"
            )
        used = _used(each, window)
        days = cohort.donors[used]
        volatility = common_volatility(sampled_control_gaps(days, len(days), MOST_SHOWING))
        own = np.mean(each.mean_gap[: cohort.n_pre] ** 2)
        variances.append(on_axis(spec, replace(cohort, days=cohort.days[used]), own * volatility**2))
        weights.append(each.total_weight)
    share = np.array(weights)[:, None]
    known = ~np.isnan(np.array(variances))
    total = (known * share).sum(axis=0)
    summed = np.where(known, variances, 0.0) * share**2
    some = total > 0
    scales = np.sqrt(summed.sum(axis=0)[some]) / total[some]
    axis = day_axis(spec)[some]
    # Where every gap is zero so is every scale.
    return np.maximum(scales, np.finfo(float).tiny), (axis >= window.start) & (axis <= window.end)


def null_residuals(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window, effect: float
) -> tuple[FloatArray, BoolArray] | str:
    """Residuals of a fit to the estimation days and the tested ones, under an effect of `effect` a day.

    Returns
    -------
    residuals : array, shape (T,)
        Mean over the events by relative day, days without any left out.
    post : array of bool, shape (T,)
    Or the reason why there are none.
    """
    axis = day_axis(spec)
    paths, weights = [], []
    for each in cohorts:
        cohort = each.cohort
        tested = tested_rows(each, window)
        if not tested.any():
            return f"on {cohort.date:%Y-%m-%d} no day of {window} has a return of every treated unit"
        used = _used(each, window)
        treated = cohort.treated[used] - effect * tested[used][:, None]
        estimator = spec.estimator.fixed(each.fit)
        if not estimator.has_portfolio:
            return "the estimator has no fit to all days that could be compared with"
        fit = estimator.portfolio(cohort.donors[used], treated, int(tested.sum()))
        residual = weighted_mean((treated - fit.counterfactual).T, each.event_weights)
        paths.append(on_axis(spec, replace(cohort, days=cohort.days[used]), residual))
        weights.append(each.total_weight)
    mean = weighted_mean(np.array(paths), np.array(weights))
    known = ~np.isnan(mean)
    post = (axis >= window.start) & (axis <= window.end)
    return mean[known], post[known]


def fold_effects(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window, folds: int
) -> tuple[FloatArray, int, int] | str:
    """Mean daily effect by fold of the cross-fit, with the smallest numbers of days before and in the test.

    Or the reason why there is none.
    """
    found, weights, pre, post = [], [], [], []
    for each in cohorts:
        cohort = each.cohort
        tested = tested_rows(each, window)
        if not tested.any():
            return f"on {cohort.date:%Y-%m-%d} no day of {window} has a return of every treated unit"
        used = _used(each, window)
        estimator = spec.estimator.fixed(each.fit)
        n_post = int(tested.sum())
        if not estimator.has_portfolio:
            return "the estimator has no fit to some of the days that could be carried to the others"

        def fit(donors: FloatArray, treated: FloatArray, estimator=estimator, n_post=n_post):  # type: ignore[no-untyped-def]
            made = estimator.portfolio(donors, treated, n_post)
            return lambda days: made.intercept + days @ made.weights

        found.append(cross_fit_effects(cohort.donors[used], cohort.treated[used], cohort.n_pre, folds, fit))
        weights.append(each.total_weight)
        pre.append(cohort.n_pre)
        post.append(n_post)
    return weighted_mean(np.array(found), np.array(weights)), min(pre), min(post)


def bootstrap_draws(
    spec: CausalSpec, cohorts: Sequence[FittedCohort], n_draws: int, rng: np.random.Generator
) -> FloatArray | str:
    """Mean gap paths of the parametric bootstrap of interactive fixed effects, shape (B, A)."""
    estimator = spec.estimator
    if not isinstance(estimator, InteractiveFixedEffects):
        return "it resamples the residuals of a factor model; the estimator is not one"
    paths, weights = [], []
    for each in cohorts:
        cohort = each.cohort
        if len(cohort.donor_names) <= int(each.fit.chosen) + 1:
            return (
                f"{plural(len(cohort.donor_names), 'donor')} on {cohort.date:%Y-%m-%d} cannot be resampled "
                f"with {plural(int(each.fit.chosen), 'factor')}"
            )
        drawn = parametric_bootstrap(
            cohort.donors,
            cohort.treated,
            cohort.n_pre,
            each.fit,
            fixed_effects=estimator.fixed_effects,
            n_draws=n_draws,
            rng=rng,
        )
        drawn[:, np.isnan(each.mean_gap)] = np.nan
        paths.append(on_axis(spec, cohort, drawn.T).T)
        weights.append(each.total_weight)
    return weighted_mean(np.array(paths), np.array(weights))
