"""Nights and breaks of intraday markets: their abnormal returns vary more than those of bars."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import NightVarianceWarning, warn
from eventstudy.immutable import FrozenRecord
from eventstudy.market.intraday import Gap
from eventstudy.models.base import ModelFit, NormalReturnModel
from eventstudy.sample import EventSample, Rows
from eventstudy.sample.event_arrays import gap_kinds
from eventstudy.text import plural

__all__ = ["LEAST_GAPS", "GapVariance", "past_errors", "widen_gaps"]

#: A night's variance is taken from this many nights of the estimation window, or is not known.
LEAST_GAPS = 3


@dataclass(frozen=True)
class GapVariance(FrozenRecord):
    """Nights and breaks in the event windows of n events, and what their variance is known from.

    Attributes
    ----------
    kinds : array of int8, shape (n, L)
        `Gap` that each event-window return spans.
    variance : array, shape (n, 3)
        Variance of a return over a gap of each kind; NaN where it is not taken from gaps.
    count : array of int, shape (n, 3)
        Gaps of the estimation window, G, behind it.
    """

    kinds: npt.NDArray[np.int8]
    variance: FloatArray
    count: IntArray


def past_errors(model: NormalReturnModel, sample: EventSample, part: Rows = slice(None)) -> FloatArray:
    """Compute prediction errors of all returns of the estimation windows, also over gaps, shape (n, W)."""
    past = model.arrays(replace(sample, window=sample.estimation), part)
    return np.asarray(past.y_evt - model.fit(past).expected, dtype=np.float64)


def widen_gaps(
    model: NormalReturnModel,
    sample: EventSample,
    span_evt: IntArray,
    fit: ModelFit,
    part: Rows = slice(None),
) -> tuple[ModelFit, GapVariance | None]:
    r"""Give abnormal returns over a night or break the variance that those of the estimation window have.

    Normal returns are estimated from bars alone. Over the nights (and, apart, the breaks) of the estimation
    window the model predicts returns it was not fitted to; the mean square of these G prediction errors

    .. math:: \hat\sigma^2_{gap} = \frac{1}{G} \sum_g \left[\left(R_g - \hat E[R_g]\right)^2
              - (d_g - 1)\, s^2\right],

    net of the variance of the d - 1 bars that a return may span besides the gap, takes the place of the
    residual variance of one bar wherever an event-window return spans such a gap. Where fewer than three are
    known, the variance of that return is missing, and so is every standard error of a window that holds it.

    Parameters
    ----------
    model, sample
        A model, and the events; a market of days is left as it is.
    span_evt : array of int, shape (n, L)
        Sessions that each event-window return spans.
    fit : ModelFit
        The model fitted to the events.
    part : slice or array of int, optional
        Events of the sample that `span_evt` and `fit` hold.

    Returns
    -------
    fit : ModelFit
    known : GapVariance, optional
        None in a market of days.

    Warns
    -----
    NightVarianceWarning
        If the variance of a gap in an event window cannot be estimated.

    References
    ----------
    docs/methods/abnormal_returns.md, eq. (gap-variance).
    """
    gap = sample.market.arrays.gap
    if gap is None:
        return fit, None
    day0 = sample.day0[part, None]
    window_kinds = gap_kinds(gap, day0 + sample.window.offsets, span_evt)
    known = GapVariance(
        window_kinds, np.full((len(fit.s2), 3), np.nan), np.zeros((len(fit.s2), 3), dtype=np.int64)
    )
    if not (window_kinds != Gap.NONE).any():
        return fit, known
    past = model.arrays(replace(sample, window=sample.estimation), part)
    kinds = gap_kinds(gap, day0 + sample.estimation.offsets, past.span_evt)
    errors = past.y_evt - model.fit(past).expected
    noise, variances, counts = fit.noise.copy(), known.variance.copy(), known.count.copy()
    unknown = np.zeros(len(noise), dtype=bool)
    bar: FloatArray = fit.s2[:, None]
    for kind in np.unique(window_kinds[window_kinds != Gap.NONE]):
        held = (kinds == kind) & ~np.isnan(errors)
        count = held.sum(axis=1)
        # Net of the bars that such a return spans as well.
        squares = np.where(held, errors**2 - bar * (past.span_evt - 1), 0.0).sum(axis=1)
        variance = np.where(count >= LEAST_GAPS, squares / np.maximum(count, 1), np.nan)
        inside = window_kinds == kind
        variances[:, kind], counts[:, kind] = np.where(variance > fit.s2, variance, np.nan), count
        unknown |= inside.any(axis=1) & np.isnan(variance)
        whole = np.maximum(variance[:, None], bar) + bar * (span_evt - 1)
        noise = np.where(inside & ~np.isnan(noise), whole, noise)
    if unknown.any():
        warn(
            f"{plural(int(unknown.sum()), 'event')} with a night or break of unknown variance in the event "
            f"window (fewer than {LEAST_GAPS} in the estimation window): sums over it have no standard "
            "error. Lengthen the estimation window, or end the event window before it.",
            NightVarianceWarning,
        )
    return replace(fit, noise=noise), GapVariance(window_kinds, variances, counts)
