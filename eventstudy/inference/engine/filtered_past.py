"""Past errors of the events of a study and the volatility that they forecast."""

from __future__ import annotations

from typing import Any

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.base import TestInput
from eventstudy.inference.engine.moments import scaled_residuals

__all__ = ["ENDS_EARLY", "FEWEST_BLOCKS", "FEWEST_DAYS", "ewma_volatility", "no_forecast", "past_errors"]

#: Weight of the past day in the volatility of the next (RiskMetrics, daily data).
DECAY = 0.94
#: Errors whose mean square starts the recursion.
START = 20
#: Fewest past days for a volatility.
FEWEST_DAYS = 30
#: Fewest blocks of past days that a spread is taken from.
FEWEST_BLOCKS = 3
#: What a note says where the days between the estimation window and the event are unknown.
ENDS_EARLY = "; volatility up to the end of the estimation window"


def ewma_volatility(errors: FloatArray, decay: float = DECAY) -> FloatArray:
    r"""Forecast the volatility of each day from the days before it.

    .. math:: \sigma_{t+1}^2 = \lambda \sigma_t^2 + (1 - \lambda) e_t^2

    The recursion starts from the mean square of the first 20 errors known, so the forecasts of those days use
    themselves; a missing error leaves the variance as it is.

    Parameters
    ----------
    errors : array, shape (T, m)
        Errors with a mean of zero, oldest first; NaN where missing.
    decay : float, default 0.94

    Returns
    -------
    array, shape (T + 1, m)
        The last row is the forecast for the day after the last.

    References
    ----------
    J.P. Morgan and Reuters (1996), RiskMetrics Technical Document, 4th edition. Filtered historical
    simulation: Barone-Adesi, Giannopoulos and Vosper (1999), Journal of Futures Markets 19, 583-602.

    Examples
    --------
    >>> ewma_volatility(np.array([[0.01], [0.01], [0.02]]))[-1].round(5).tolist()
    [0.01418]
    """
    squares = errors**2
    gaps = np.isnan(squares)
    first = ~gaps & (np.cumsum(~gaps, axis=0) <= START)
    level = np.where(first, squares, 0.0).sum(axis=0) / np.maximum(first.sum(axis=0), 1)
    variance = np.empty((len(errors) + 1, *errors.shape[1:]))
    gappy, squares = np.asarray(gaps.any(axis=tuple(range(1, errors.ndim)))), (1.0 - decay) * squares
    for t, square in enumerate(squares):
        variance[t] = level
        then = decay * level + square
        level = np.where(gaps[t], level, then) if gappy[t] else then
    variance[-1] = level
    return np.asarray(np.sqrt(variance))


def past_errors(
    data: TestInput, residuals: FloatArray, which: Any = slice(None), *, scaled: bool = True
) -> FloatArray:
    """Lay out the past errors of events, oldest first; NaN where missing.

    They are ``e / sqrt(1 - h)`` on the estimation days, then the abnormal returns up to the day before the
    tested window, or before day 0 if that is earlier. Returns that span a halt there, nights and breaks of
    bars are not among them.

    Parameters
    ----------
    data : TestInput
    residuals : array, shape (n, W)
        Estimation residuals of the events that `which` picks.
    which : index, optional
        All N events by default.
    scaled : bool
        Whether residuals are divided by ``sqrt(1 - h)``.

    Returns
    -------
    array, shape (n, T)
    """
    fit = data.abnormal
    # Days from day 0 on may hold the effect: windows that start later are judged by what came before it.
    before = max(0, min(data.window.start, 0) - fit.window.start)
    parts = [scaled_residuals(residuals, fit.past.leverage(which)) if scaled else residuals]
    if fit.between is not None:
        parts.append(fit.between.residuals(which))
    # The first return after a halt varies like the sum of its sessions.
    early = np.where(fit.span[which, :before] == 1, fit.ar[which, :before], np.nan)
    if fit.bars is not None:  # a night says nothing of the volatility of bars
        early = np.where(fit.bars.gaps(slice(0, before))[which], np.nan, early)
    return np.concatenate([*parts, early], axis=1)


def no_forecast(fit: AbnormalReturns) -> str | None:
    """Say that estimation windows lie after the event, or nothing."""
    if fit.estimated_after is None or not fit.estimated_after.any():
        return None
    return "forecasts volatility from estimation windows, so these must end before the event"
