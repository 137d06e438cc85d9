"""Sample-quantile tests on errors over their own volatility: one event, one date or several dates."""

from __future__ import annotations

import numpy as np
from scipy import special

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Alternative

__all__ = ["ewma_volatility", "filtered_sums", "quantile_score", "signed_quantile"]

#: Weight of the past day in the volatility of the next (RiskMetrics, daily data).
DECAY = 0.94
#: Days whose mean square starts the recursion.
START = 20


def ewma_volatility(errors: FloatArray, decay: float = DECAY) -> FloatArray:
    r"""Forecast the volatility of each day from the days before it.

    .. math:: \sigma_{t+1}^2 = \lambda \sigma_t^2 + (1 - \lambda) e_t^2

    The recursion starts from the mean square of the first 20 errors, so the forecasts of those days use
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
    first = squares[:START]
    seen = ~np.isnan(first)
    level = np.where(seen, first, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    variance = np.empty((len(errors) + 1, *errors.shape[1:]))
    for t, square in enumerate(squares):
        variance[t] = level
        level = np.where(np.isnan(square), level, decay * level + (1.0 - decay) * square)
    variance[-1] = level
    return np.asarray(np.sqrt(variance))


def filtered_sums(series: FloatArray, volatility: FloatArray, length: int) -> FloatArray:
    r"""Add up blocks of L days that share none, over the volatility forecast before each block.

    .. math:: q_b = \frac{\sum_{l=1}^{L} u_{b+l}}{\sqrt L\, \sigma_{b+1}}

    Parameters
    ----------
    series, volatility : arrays, shape (T,)
        Errors, oldest first, without gaps; and the forecast of each day's volatility.
    length : int
        L. Blocks are cut from the end; an incomplete first block is not used.

    Returns
    -------
    array, shape (T // L,)

    Examples
    --------
    >>> series, volatility = np.array([9.0, 1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 2.0, 2.0, 2.0])
    >>> filtered_sums(series, volatility, 2).round(3).tolist()
    [2.121, 2.475]
    """
    first = np.arange(len(series) % length, len(series), length)
    blocks = series[len(series) % length :].reshape(-1, length).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(blocks / (np.sqrt(length) * volatility[first]))


def signed_quantile(value: float, pool: FloatArray, alternative: Alternative = "two-sided") -> float:
    """P-value ``(1 + b) / (B + 1)`` of a value among B values of its past; two-sided by size.

    Examples
    --------
    >>> signed_quantile(-3.0, np.linspace(-2.0, 2.0, 99))
    0.01
    """
    extreme = {
        "less": pool <= value,
        "greater": pool >= value,
        "two-sided": np.abs(pool) >= abs(value),
    }[alternative]
    return float((1 + extreme.sum()) / (len(pool) + 1))


def quantile_score(value: float, pool: FloatArray) -> float:
    r"""Return the normal score of a value among its past: the normal quantile of its mid-rank.

    .. math:: z = \Phi^{-1}\!\left(\frac{\#\{q_b < q\} + \#\{q_b = q\} / 2 + 1/2}{B + 1}\right)

    Under the null that `value` and pool are exchangeable, z is a normal score drawn at random, with mean
    zero and a variance just below one; the scores of G independent dates add to a normal sum
    (Stouffer et al. 1949): ``sum(z) / sqrt(G)``.

    Examples
    --------
    >>> round(quantile_score(10.0, np.arange(9.0)), 4)
    1.6449
    """
    below = (pool < value).sum() + 0.5 * (pool == value).sum()
    return float(special.ndtri((below + 0.5) / (len(pool) + 1)))
