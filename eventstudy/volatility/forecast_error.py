"""What is not known of a GARCH forecast, since its parameters are estimated."""

from __future__ import annotations

import numpy as np
from scipy import signal

from eventstudy._typing import FloatArray

__all__ = ["forecast_ratios", "parameter_covariance"]

#: Highest persistence of drawn parameters, and farthest log variance from the estimate.
MOST_PERSISTENT, FARTHEST = 0.999, 3.0
#: Directions of the parameters below this share of the largest information are not identified.
UNIDENTIFIED = 1e-8


def parameter_covariance(errors: FloatArray, params: FloatArray) -> FloatArray:
    r"""Covariance of GARCH parameters by quasi-maximum likelihood, ``J^-1 I J^-1``.

    .. math:: J = \frac12 \sum_t \frac{\nabla h_t \nabla h_t'}{h_t^2}, \qquad
              I = \frac14 \sum_t \left(\frac{\varepsilon_t^2}{h_t} - 1\right)^2
              \frac{\nabla h_t \nabla h_t'}{h_t^2}

    in the parameters :math:`\ln \bar h, a, g, b` with :math:`\omega = \bar h (1 - a - g/2 - b)`; directions
    that the variances do not identify, such as b where a is zero, have no variance, nor has g where it is 0.

    Parameters
    ----------
    errors : array, shape (T,)
        Of the estimation window, oldest first.
    params : array, shape (4,)
        omega, a, g, b.

    Returns
    -------
    array, shape (4, 4)

    References
    ----------
    Bollerslev and Wooldridge (1992), Econometric Reviews 11, 143-172; docs/methods/volume_and_volatility.md,
    eq. (garch-covariance).
    """
    omega, a, g, b = params
    level, _ = _level(params)
    squares = errors**2
    down = squares * (errors < 0)
    before = float(squares.mean())

    def run_on(forced: FloatArray, start: FloatArray) -> FloatArray:
        """Return x_0 = start, x_t = forced_{t-1} + b x_{t-1} of each column."""
        later, _ = signal.lfilter([1.0], [1.0, -b], forced[:-1], axis=0, zi=b * start[None])
        return np.concatenate([start[None], later])

    variances = run_on((omega + a * squares + g * down)[:, None], np.array([before]))[:, 0]
    slopes = run_on(np.column_stack([np.ones_like(squares), squares, down, variances]), np.zeros(4))
    # From omega, a, g, b to the logarithm of the level, a, g, b.
    turn = np.eye(4)
    turn[0] = [omega, -level, -level / 2, -level]
    ratio = slopes @ turn / variances[:, None]
    if g == 0.0:  # a model without leverage
        ratio[:, 2] = 0.0
    size = np.sqrt((ratio**2).sum(axis=0))
    unit = ratio / np.where(size > 0, size, 1.0)
    information = unit.T @ unit / 2.0
    weight = (errors**2 / variances - 1.0) ** 2
    inverse = np.linalg.pinv(information, rcond=UNIDENTIFIED, hermitian=True)
    covariance = inverse @ (unit.T @ (unit * weight[:, None]) / 4.0) @ inverse
    scale = np.where(size > 0, size, np.inf)
    return np.asarray(covariance / scale / scale[:, None], dtype=np.float64)


def forecast_ratios(
    errors: FloatArray,
    between: FloatArray,
    params: FloatArray,
    length: int,
    n: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw what forecasts with estimated parameters are of those with true ones, shape (n, length).

    The true parameters are those given; estimates of them are drawn from their asymptotic distribution.

    Parameters
    ----------
    errors, between : arrays, shape (T,) and (G,)
        Errors of the estimation window and of the sessions after it, oldest first.
    params : array, shape (4,)
        omega, a, g, b.
    length : int
        Sessions of the event window.
    n : int
    rng : numpy.random.Generator
    """
    values, vectors = np.linalg.eigh(parameter_covariance(errors, params))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = rng.normal(size=(n, 4)) @ root.T
    level, persistence = _level(params)
    log_level = np.clip(drawn[:, 0], -FARTHEST, FARTHEST)
    a, g, b = (params[1:] + drawn[:, 1:]).T
    a, b = np.maximum(a, 0.0), np.clip(b, 0.0, 1.0)
    g = np.maximum(g, -a)
    total = a + g / 2 + b
    shrunk = np.where(total > MOST_PERSISTENT, MOST_PERSISTENT / np.maximum(total, MOST_PERSISTENT), 1.0)
    a, g, b = a * shrunk, g * shrunk, b * shrunk
    own = params[1:] * min(1.0, MOST_PERSISTENT / max(persistence, MOST_PERSISTENT))
    levels = level * np.exp(np.append(log_level, 0.0))
    a, g, b = np.append(np.stack([a, g, b]), own[:, None], axis=1)
    found = _ahead(levels, a, g, b, errors, between, length)  # of the true parameters last
    return np.asarray(found[:-1] / found[-1], dtype=np.float64)


def _level(params: FloatArray) -> tuple[float, float]:
    """Variance that GARCH errors return to, and their persistence."""
    persistence = float(params[1] + params[2] / 2 + params[3])
    return float(params[0] / (1.0 - min(persistence, MOST_PERSISTENT))), persistence


def _ahead(
    level: FloatArray,
    a: FloatArray,
    g: FloatArray,
    b: FloatArray,
    errors: FloatArray,
    between: FloatArray,
    length: int,
) -> FloatArray:
    """Forecasts of `length` sessions with n sets of parameters, shape (n, length)."""
    persistence = a + g / 2 + b
    omega = level * (1.0 - persistence)
    h = np.full(len(a), float((errors**2).mean()))
    for e in np.concatenate([errors, between]):
        h = omega + (a + g * (e < 0)) * e * e + b * h
    powers = persistence[:, None] ** np.arange(length)
    return np.asarray(level[:, None] * (1.0 - powers) + powers * h[:, None], dtype=np.float64)
