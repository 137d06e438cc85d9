"""Permutation of the abnormal returns of one event or a small number of events.

Formulas and sources: docs/methods/permutation.md, eq. (days-permutation).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import counted_p_value
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, not_applicable
from eventstudy.inference.engine.moments import average, scaled_residuals
from eventstudy.inference.selection import date_groups
from eventstudy.inference.significance_test import SignificanceTest

__all__ = ["MOST_SPLITS", "PERMUTATION_TESTS", "permutation_p_value", "studentised_caar"]

#: Up to this many splits of the days are enumerated; beyond it they are drawn.
MOST_SPLITS = 50_000
#: Statistics that differ by rounding alone are tied.
TIE = 1e-12
#: With more events than this the mean has a variance of its own to be judged by.
MOST_EVENTS = 10
#: Estimation days without which a spread of averages says little.
FEWEST_DAYS = 20
#: Numbers that a chunk of draws may hold.
HELD = 4_000_000


def studentised_caar(estimation: FloatArray, event: FloatArray) -> FloatArray:
    r"""Cumulative average abnormal return over the spread of the averages of the estimation days.

    .. math:: t = \frac{\sum_{t \in W} AAR_t}{\sqrt L\; s(AAR_{est})}

    Parameters
    ----------
    estimation : array, shape (..., m, N)
        Abnormal returns of m estimation days of N events.
    event : array, shape (..., L, N)

    Returns
    -------
    array, shape (...)
    """
    spread = estimation.mean(axis=-1).std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(event.mean(axis=-1).sum(axis=-1) / (np.sqrt(event.shape[-2]) * spread))


def permutation_p_value(
    estimation: FloatArray,
    event: FloatArray,
    groups: IntArray,
    n_resamples: int,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
) -> tuple[float, float, bool, FloatArray]:
    """Permutation test of a mean CAR: which days are the event's is drawn anew.

    The studentised statistic is computed on every split of the m + L days into m estimation and L event
    days. Events of one calendar window keep their days together, so their correlation is kept; windows of
    different dates are permuted independently. With one calendar window, and few enough splits, all
    splits are enumerated and the p-value is exact; else it is ``(1 + b) / (B + 1)``.

    Parameters
    ----------
    estimation : array, shape (m, N)
        Estimation-window abnormal returns, without gaps.
    event : array, shape (L, N)
        Abnormal returns of the tested days, oldest first.
    groups : array of int, shape (N,)
        The calendar window of each event.
    n_resamples : int
    rng : numpy.random.Generator
    alternative : {"two-sided", "less", "greater"}

    Returns
    -------
    statistic, p_value, exact, null
        `null` holds the statistic of each split.

    Notes
    -----
    Nguyen and Wolf (2023), "Inference for event studies with a small number of events", is known by its
    abstract and a description of its algorithm only; the statistic for several events is our reading. The
    null is exchangeability of the days: no change of variance, no serial correlation. Residuals and
    prediction errors are exchangeable only up to estimation error, which is of order 1/m.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> e = rng.normal(0, 0.01, (99, 1))
    >>> t, p, exact, _ = permutation_p_value(e, np.array([[-0.2]]), np.zeros(1, int), 999, rng)
    >>> p, exact
    (0.01, True)
    """
    m, length = len(estimation), len(event)
    days = np.concatenate([estimation, event])
    statistic = float(studentised_caar(estimation, event))
    _, group = np.unique(groups, return_inverse=True)
    exact = int(group.max()) == 0 and comb(m + length, length) <= MOST_SPLITS
    null = _all_splits(days, length) if exact else _drawn_splits(days, length, group, n_resamples, rng)
    extreme = _extreme(null, statistic, alternative)
    return statistic, float(counted_p_value(statistic, extreme, exact=exact)), exact, null


def _extreme(null: FloatArray, statistic: float, alternative: Alternative) -> FloatArray:
    signed = {"less": -null, "greater": null, "two-sided": np.abs(null)}[alternative]
    least = {"less": -statistic, "greater": statistic, "two-sided": abs(statistic)}[alternative]
    # An undefined split counts as extreme, so it cannot make a p-value smaller.
    return np.asarray(~(signed < least - TIE))


def _all_splits(days: FloatArray, length: int) -> FloatArray:
    """Statistics of all splits of one window's days, shape (C(m + L, L),)."""
    means = days.mean(axis=1)
    chosen = np.array(list(combinations(range(len(means)), length)))
    event, rest = means[chosen].sum(axis=1), len(means) - length
    left, squares = means.sum() - event, (means**2).sum() - (means[chosen] ** 2).sum(axis=1)
    variance = np.maximum(squares - left**2 / rest, 0.0) / (rest - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(event / np.sqrt(length * variance))


def _drawn_splits(
    days: FloatArray, length: int, group: IntArray, n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Statistics of drawn splits, each calendar window permuted on its own; shape (B,)."""
    n_days = len(days)
    sums = np.stack([days[:, group == g].sum(axis=1) for g in range(int(group.max()) + 1)], axis=1)
    null = np.empty(n_resamples)
    size = max(1, HELD // (n_days * sums.shape[1]))
    for start in range(0, n_resamples, size):
        stop = min(start + size, n_resamples)
        order = np.array([[rng.permutation(n_days) for _ in sums.T] for _ in range(start, stop)])
        drawn = sums[order, np.arange(sums.shape[1])[None, :, None]].sum(axis=1) / len(group)
        spread = drawn[:, :-length].std(axis=1, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            null[start:stop] = drawn[:, -length:].sum(axis=1) / (np.sqrt(length) * spread)
    return null


def _days_alike(data: TestInput) -> str | None:
    if (data.abnormal.span[:, data.cols] > 1).any():
        return "a tested return spans several sessions, so its day is unlike those of the past"
    return None


def _filled(values: FloatArray, groups: IntArray) -> FloatArray:
    """Give an event that misses a day the mean of the others of its date, shape (days, N)."""
    out = values.copy()
    for g in np.unique(groups):
        at = np.flatnonzero(groups == g)
        mean = average(values[:, at].T)
        out[:, at] = np.where(np.isnan(values[:, at]), mean[:, None], values[:, at])
    return out


def _nguyen_wolf(data: TestInput, options: Options) -> Statistic:
    fit = data.abnormal
    groups = date_groups(data)
    past = _filled(scaled_residuals(fit.past.residuals(), fit.past.leverage()).T, groups)
    past = past[~np.isnan(past).any(axis=1)]
    if len(past) < FEWEST_DAYS:
        return not_applicable(f"only {len(past)} estimation days on which all dates have a residual")
    # Prediction errors on the scale of the errors, as residuals are.
    event = _filled((fit.ar / np.sqrt(fit.ar_variance / fit.s2[:, None]))[:, data.cols].T, groups)
    if np.isnan(event).any():
        return not_applicable("no event of a date has a return on a tested day")
    t, p, exact, null = permutation_p_value(
        past,
        event,
        groups,
        options.n_resamples,
        options.generator("nguyen_wolf"),
        options.alternative,
    )
    if np.isnan(t):
        return not_applicable("means of the estimation days do not vary")
    note = (
        f"all {len(null)} splits of the days" if exact else f"{options.n_resamples} drawn splits of the days"
    )
    return Statistic(t, p, "rank", None, float(data.car.mean()), note, {"null": null})


PERMUTATION_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "nguyen_wolf", "Studentised permutation of days",
        "the event's days are drawn like the estimation days", "rank among splits of the days",
        frozenset({"cross-correlation", "non-normality"}), "Nguyen and Wolf (2023)", _nguyen_wolf,
        condition=_days_alike, needs_variance=True, rows_alike=True, least=1, most=MOST_EVENTS, unit="CAR",
    ),
)  # fmt: skip
