"""Intervals of a mean CAR side by side, and the bootstrap one: bias-corrected, accelerated, by date.

Formula and source: docs/methods/intervals.md, eq. (bca).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative, t_bounds
from eventstudy.inference.engine.draws import draw_parts
from eventstudy.inference.procedures.mean_interval import (
    checked_interval_test,
    interval_test,
    standard_error,
)
from eventstudy.inference.registry import TESTS
from eventstudy.inference.selection import date_groups, overlap_note

__all__ = ["BCA", "bca_interval", "bca_of", "bootstrap_means", "mean_intervals"]

#: Name of the bootstrap interval.
BCA = "bca"

#: Fewer independent units than this give a bootstrap too few different samples.
FEWEST = 5
#: With fewer than this the interval covers noticeably less than its level.
FEW = 50


def bca_interval(
    value: float,
    draws: FloatArray,
    jackknife: FloatArray,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> tuple[float, float]:
    r"""Bias-corrected and accelerated interval of an estimate.

    .. math:: \alpha \mapsto \Phi\!\left(z_0 + \frac{z_0 + z_\alpha}{1 - a (z_0 + z_\alpha)}\right), \qquad
              a = \frac{\sum_i u_i^3}{6 \left(\sum_i u_i^2\right)^{3/2}}, \quad
              u_i = \bar\theta_{(\cdot)} - \hat\theta_{(i)}

    are the shares of the draws at which it ends; z_0 is the normal quantile of the share of draws below the
    estimate, half of those that equal it included.

    Parameters
    ----------
    value : float
    draws : array, shape (B,)
        Estimates of resamples.
    jackknife : array, shape (n,)
        Estimates without one of the n units.
    level : float, default 0.95
    alternative : {"two-sided", "less", "greater"}

    References
    ----------
    Efron (1987), Journal of the American Statistical Association 82, 171-185; docs/methods/intervals.md,
    eq. (bca).

    Examples
    --------
    >>> x = np.array([0.0, 0.01, 0.02, 0.09])
    >>> draws = bootstrap_means(x, np.ones(4), 999, np.random.default_rng(0))
    >>> low, high = bca_interval(x.mean(), draws, (x.sum() - x) / 3)
    >>> round(low, 4), round(high, 4)
    (0.0075, 0.0725)
    """
    share = ((draws < value).mean() + (draws <= value).mean()) / 2.0
    apart = jackknife.mean() - jackknife
    acceleration = float((apart**3).sum() / (6.0 * (apart**2).sum() ** 1.5))
    z0 = special.ndtri(share)
    beyond = (1.0 - level) / 2.0 if alternative == "two-sided" else 1.0 - level
    ends = []
    for z in (special.ndtri(beyond), -special.ndtri(beyond)):
        at = special.ndtr(z0 + (z0 + z) / (1.0 - acceleration * (z0 + z)))
        ends.append(float(np.quantile(draws, at)) if np.isfinite(at) else np.nan)
    if alternative == "less":
        ends[0] = -np.inf
    if alternative == "greater":
        ends[1] = np.inf
    return ends[0], ends[1]


def bootstrap_means(
    totals: FloatArray, sizes: FloatArray, n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Means of resamples of whole clusters, ``sum S / sum n``; shape (n_resamples,).

    Parameters
    ----------
    totals, sizes : arrays, shape (G,)
        Sum and number of the values of each cluster.
    n_resamples : int
    rng : numpy.random.Generator
    """
    parts = []
    for size in draw_parts(n_resamples, len(totals)):
        drawn = rng.integers(len(totals), size=(size, len(totals)))
        parts.append(totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(parts)


def bca_of(data: TestInput, options: Options, level: float) -> tuple[float, float, str] | str:
    """Return the interval of the mean CAR and a note, or the reason why there is none.

    Events of one date are drawn together, so correlation within dates is kept.
    """
    if not data.n_events:
        return f"no event has a CAR in window {data.window}"
    totals, sizes = _clusters(data.car, date_groups(data))
    units = "events" if len(totals) == data.n_events else "dates"
    if len(totals) < FEWEST:
        return f"needs at least {FEWEST} dates to draw from, there are {len(totals)}"
    without = (totals.sum() - totals) / (sizes.sum() - sizes)
    if np.ptp(without) == 0:
        return f"all {units} have the same mean"
    draws = bootstrap_means(totals, sizes, options.n_resamples, options.generator("bca"))
    low, high = bca_interval(float(data.car.mean()), draws, without, level, options.alternative)
    notes = [f"{options.n_resamples} resamples of {len(totals)} {units}"]
    if len(totals) < FEW:
        notes.append(f"with fewer than {FEW} {units} it covers less than its level")
    notes += [note for note in [overlap_note(data)] if note]
    return low, high, "; ".join(notes)


def mean_intervals(
    data: TestInput, methods: Sequence[str] | None, level: float, options: Options
) -> pd.DataFrame:
    """Intervals of the mean CAR by several methods, one row each.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    methods : sequence of str, optional
        "bca", and tests that give a standard error; by default that of `interval_test` and "bca".
    level : float
    options : Options
        Side of the intervals, and draws of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns method, caar, ci_low, ci_high and note; NaN with the reason where a method does not apply.

    Raises
    ------
    RequestError
        If a method is unknown or none is named.
    """
    check_alternative(options.alternative)
    options = options.settled()
    if methods is None:
        methods = (interval_test([data]), BCA)
    if isinstance(methods, str) or not isinstance(methods, Sequence) or not len(methods):
        raise RequestError(f"methods is a list of names such as ['cross_sectional', 'bca']; got {methods!r}.")
    mean = float(data.car.mean()) if data.n_events else np.nan
    rows = []
    for name in methods:
        if name == BCA:
            found = bca_of(data, options, level)
        else:
            found = _by_test(checked_interval_test(name), data, options, level)
        low, high, note = (np.nan, np.nan, f"not applicable: {found}") if isinstance(found, str) else found
        rows.append((name, mean, low, high, note))
    return pd.DataFrame(rows, columns=["method", "caar", "ci_low", "ci_high", "note"])


def _by_test(key: str, data: TestInput, options: Options, level: float) -> tuple[float, float, str] | str:
    done = TESTS[key].run(data, options)
    if np.isnan(done.statistic):
        return done.note
    dof = float(done.dof) if isinstance(done.dof, (int, float, np.floating)) else np.inf
    estimate, se = np.array(done.estimate), np.array(standard_error(done))
    low, high = t_bounds(estimate, se, dof, level, options.alternative)
    return float(low), float(high), done.note


def _clusters(car: FloatArray, groups: IntArray) -> tuple[FloatArray, FloatArray]:
    """Sum and number of the CARs of each date, in an order that does not depend on that of the events."""
    sizes = np.bincount(groups).astype(np.float64)
    return np.bincount(groups, car).astype(np.float64), sizes
