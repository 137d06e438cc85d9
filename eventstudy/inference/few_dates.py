"""Tests that take each date, or cluster of dates, as one observation.

Formulas and sources: docs/methods/cross_sectional.md, eq. (date-means-t).
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Options, Statistic, TestInput, p_value
from eventstudy.inference.engine.moments import NEGLIGIBLE, sample_sd
from eventstudy.inference.power_and_detectable_effect import (
    FEW_FOR_SPREAD,
    expected_sd_of_sums,
    least_mean_effect,
)
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.selection import date_groups, overlap_note
from eventstudy.inference.significance_test import SignificanceTest

__all__ = ["DATE_TESTS", "ibragimov_muller_t", "ibragimov_muller_two_sample_t"]

#: Fewer degrees of freedom than this widen an interval by more than a tenth.
FEW_DOF = 12


def ibragimov_muller_t(means: FloatArray) -> tuple[float, float, int]:
    r"""T of the means of q independent clusters, t(q - 1).

    .. math:: t = \sqrt q\; \bar b / s_b

    Conservative where the means are independent and normally distributed with different variances, for
    two-sided sizes up to 8.3% (Bakirov and Szekely's inequality).

    Parameters
    ----------
    means : array, shape (q,)
        The estimate of each cluster, such as the mean CAR of each date.

    Returns
    -------
    statistic, standard_error, dof
        The standard error is that of the mean of the clusters.

    References
    ----------
    Ibragimov and Muller (2010), Journal of Business and Economic Statistics 28, 453-468.

    Examples
    --------
    >>> t, se, dof = ibragimov_muller_t(np.array([0.031, 0.012, 0.045, -0.008, 0.027, 0.019]))
    >>> round(t, 4), dof
    (2.842, 5)
    """
    q = len(means)
    se = float(means.std(ddof=1) / np.sqrt(q))
    return float(means.mean()) / se, se, q - 1


def ibragimov_muller_two_sample_t(a: FloatArray, b: FloatArray) -> tuple[float, float, int]:
    """T of the difference of two sets of independent clusters, with min(q_a, q_b) - 1 degrees of freedom.

    Parameters
    ----------
    a, b : arrays, shapes (q_a,) and (q_b,)
        The estimates of the clusters of each set.

    Returns
    -------
    statistic, standard_error, dof

    References
    ----------
    Ibragimov and Muller (2016), Review of Economics and Statistics 98, 83-96.
    """
    se = float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return float(a.mean() - b.mean()) / se, se, min(len(a), len(b)) - 1


def _means(data: TestInput) -> FloatArray:
    """Mean CAR of each date, shape (q,)."""
    groups = date_groups(data)
    return np.bincount(groups, data.car) / np.bincount(groups)


def _dates_apart(data: TestInput) -> str | None:
    means = _means(data)
    if len(means) < 2:
        return f"all {data.n_events} events share one date, so there is one mean"
    if overlap_note(data):
        return "windows of different dates overlap, so the means of the dates are not independent"
    return "the means of all dates are equal" if sample_sd(means) == 0 else None


def _ibragimov_muller(data: TestInput, options: Options) -> Statistic:
    means = _means(data)
    t, _, dof = ibragimov_muller_t(means)
    note = f"the t of the means of {len(means)} dates, each counted once"
    if dof < FEW_DOF:
        note += f"; {dof} degree{'s' if dof > 1 else ''} of freedom"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(means.mean()), note)


def _finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    groups = date_groups(data)
    sizes = np.bincount(groups)
    sums = expected_sd_of_sums(data, groups) if len(sizes) < FEW_FOR_SPREAD else None
    return None if sums is None else least_mean_effect(sums / sizes, len(sizes) - 1, options.alternative)


def _ibragimov_muller_of(samples: Samples, options: Options) -> Statistics:
    dates = samples.dates
    q = dates.count
    means = dates.total(samples.data.cumulative.car) / dates.sizes
    mean = dates.by_sample(means) / q
    apart = means - mean[dates.sample]
    sd = np.sqrt(dates.by_sample(apart**2) / (q - 1.0))
    varies = sd > NEGLIGIBLE * np.maximum.reduceat(np.abs(means), dates.first)
    sound = (q > 1) & ~samples.overlap & varies
    return Statistics.of(mean / (sd / np.sqrt(q)), options, mean, q - 1, where=sound)


DATE_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "ibragimov_muller", "Ibragimov-Muller t of dates", "mean CAR of each date has mean zero", "t(G-1)",
        frozenset({"event-induced variance", "cross-correlation"}), "Ibragimov and Muller (2010)",
        _ibragimov_muller, condition=_dates_apart, unit="CAR", finds=_finds, batch=_ibragimov_muller_of,
    ),
)  # fmt: skip
