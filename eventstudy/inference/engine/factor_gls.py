"""Generalised least squares on one date: covariance of the events by principal components of their past.

Formulas and sources: docs/methods/portfolio.md, eqs. (factor-covariance) and (gls-slopes).
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import BoolArray, FloatArray

__all__ = ["BLOCKS", "crossfitted_slopes", "factor_covariance", "gls_weights", "n_components"]

#: Parts of the past; the weights of each are made from the others.
BLOCKS = 5
#: Events for each principal component.
PER_COMPONENT = 8
#: Most principal components.
MOST_COMPONENTS = 10
#: Numbers of covariances held at a time.
HELD = 2**22


def n_components(n_events: int) -> int:
    """Return the number of principal components: one for every eight events, 1 to 10."""
    return min(max(n_events // PER_COMPONENT, 1), MOST_COMPONENTS)


def factor_covariance(errors: FloatArray, components: int) -> FloatArray:
    r"""Covariance of N events by the first principal components of their errors, and what these leave.

    .. math:: \hat\Omega = \sum_{j \le K} \lambda_j v_j v_j' + \operatorname{diag}(d), \qquad
              d_i = \frac{1}{T} \sum_t \Bigl(e_{it} - \sum_{j \le K} v_{ij} v_j'e_t\Bigr)^2

    Parameters
    ----------
    errors : array, shape (..., T, N)
        Past errors with a mean of zero; NaN where missing. Each pair is then measured on its common days.
    components : int
        K, below N.

    Returns
    -------
    array, shape (..., N, N)

    References
    ----------
    Cohn, Johnson, Liu and Wardlaw (2023), SSRN working paper 4296657; docs/methods/portfolio.md,
    eq. (factor-covariance).

    Examples
    --------
    >>> errors = np.random.default_rng(0).standard_normal((50, 3))
    >>> full = factor_covariance(errors, 2)
    >>> bool(np.allclose(np.diag(full), (errors**2).mean(axis=0)))
    True
    """
    seen = ~np.isnan(errors)
    known = np.where(seen, errors, 0.0)
    both = np.swapaxes(seen, -2, -1).astype(np.float64) @ seen
    products = np.swapaxes(known, -2, -1) @ known / np.maximum(both, 1.0)
    values, vectors = np.linalg.eigh(products)
    vectors = vectors[..., -components:]
    shared = (vectors * values[..., None, -components:]) @ np.swapaxes(vectors, -2, -1)
    # What the components leave of a day is orthogonal to them, so d is the difference of the variances.
    own = np.arange(shared.shape[-1])
    shared[..., own, own] = np.maximum(products[..., own, own], shared[..., own, own])
    return np.asarray(shared)


def gls_weights(x: FloatArray, covariance: FloatArray) -> FloatArray:
    r"""Weights of the events in generalised least-squares slopes, ``(X' O^-1 X)^-1 X' O^-1``.

    Parameters
    ----------
    x : array, shape (..., N, k)
    covariance : array, shape (..., N, N)

    Returns
    -------
    array, shape (..., k, N)
    """
    solved = np.linalg.solve(covariance, x)
    return np.asarray(np.linalg.solve(np.swapaxes(x, -2, -1) @ solved, np.swapaxes(solved, -2, -1)))


def crossfitted_slopes(errors: FloatArray, x: FloatArray, components: int) -> FloatArray:
    """Slopes of each past day, with weights made from the days of the other blocks; shape (..., k, T).

    Weights that are made from a day suit its errors better than those of a day to come, so slopes by them
    would vary too little.

    Parameters
    ----------
    errors : array, shape (..., T, N)
        Oldest first; NaN where missing. The slopes of a day are those of the events that it has, and NaN if
        these are fewer than half.
    x : array, shape (N, k)
    components : int
    """
    days = errors.shape[-2]
    block = np.arange(days) * BLOCKS // days
    slopes = np.empty((*errors.shape[:-2], x.shape[1], days))
    for part in range(BLOCKS):
        own = block == part
        covariance = factor_covariance(errors[..., ~own, :], components)
        # Of a day on which an event is missing it is NaN.
        slopes[..., own] = gls_weights(x, covariance) @ np.swapaxes(errors[..., own, :], -2, -1)
        for sample in np.ndindex(errors.shape[:-2]):
            _fill_gaps(slopes[sample], errors[sample], x, covariance[sample], own)
    return slopes


def _fill_gaps(
    slopes: FloatArray, errors: FloatArray, x: FloatArray, covariance: FloatArray, own: BoolArray
) -> None:
    """Write the slopes of the days `own` on which some events, at most half of them, are missing."""
    seen, n = ~np.isnan(errors), errors.shape[1]
    count = seen.sum(axis=1)
    holed = np.flatnonzero(own & (count < n) & (count >= np.maximum(n / 2, x.shape[1])))
    step = max(1, HELD // n**2)
    for begin in range(0, len(holed), step):
        some = holed[begin : begin + step]
        at = seen[some]
        # An event that is missing, made independent of the others, has no weight by a regressor of zero.
        among = np.where(at[:, :, None] & at[:, None, :], covariance, 0.0)
        among[:, np.arange(n), np.arange(n)] += ~at
        weights = gls_weights(np.where(at[:, :, None], x, 0.0), among)
        slopes[:, some] = (weights @ np.where(at, errors[some], 0.0)[:, :, None])[:, :, 0].T
