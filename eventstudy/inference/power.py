"""Power of the t test, and the smallest effect it can find (METHODS F)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from eventstudy.errors import RequestError

__all__ = ["NORMAL", "detectable", "minimum_detectable_effect", "power_normal", "power_t"]

FloatArray = npt.NDArray[np.float64]
#: A normal statistic is a t of this many degrees of freedom.
NORMAL = 1e7


def power_t(effect: float, se: float, dof: float, alpha: float = 0.05) -> float:
    r"""Power of a two-sided t test, exact under normal errors.

    .. math:: P(|t'_\nu(\delta / se)| > t_{1 - \alpha/2, \nu})

    with t' noncentral t.

    Parameters
    ----------
    effect : float
        True effect, such as a CAR in decimals.
    se : float
        Standard error of its estimate, in the same unit.
    dof : float
    alpha : float, default 0.05

    Examples
    --------
    >>> round(power_t(0.05, 0.02, 100), 3)
    0.697
    """
    _check(alpha, se)
    c = stats.t.ppf(1.0 - alpha / 2.0, dof)
    # The lower tail by symmetry: scipy's cdf far out in it is NaN.
    return float(stats.nct.sf(c, dof, effect / se) + stats.nct.sf(c, dof, -effect / se))


def power_normal(effect: float, sd: float, n_events: int, alpha: float = 0.05) -> float:
    r"""Power of a two-sided test of a mean CAR whose standard deviation by event is known.

    .. math:: \Phi(-c + \delta\sqrt N / \sigma) + \Phi(-c - \delta\sqrt N / \sigma)

    Parameters
    ----------
    effect, sd : float
        True mean CAR, and standard deviation of one CAR.
    n_events : int
    alpha : float, default 0.05

    Notes
    -----
    MacKinlay (1997).

    Examples
    --------
    >>> round(power_normal(0.005, 0.02, 50), 3)
    0.424
    """
    _check(alpha, sd)
    c = stats.norm.ppf(1.0 - alpha / 2.0)
    distance = effect * np.sqrt(n_events) / sd
    return float(stats.norm.sf(c - distance) + stats.norm.cdf(-c - distance))


def minimum_detectable_effect(se: float, dof: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest effect that a two-sided t test finds with the given power: about 2.8 standard errors.

    Parameters
    ----------
    se, dof : float
        Standard error of the estimate, such as ``results.car(0, 1)["se"]``, and its degrees of freedom.
    alpha : float, default 0.05
    power : float, default 0.8
        Above `alpha` and below 1.

    Raises
    ------
    RequestError
        If a probability or the standard error is out of range.

    Examples
    --------
    >>> round(minimum_detectable_effect(0.0263, 248), 4)
    0.074
    """
    _check(alpha, se)
    if not alpha < power < 1.0:
        raise RequestError(f"power is a probability above alpha={alpha} and below 1; got {power!r}.")
    return se * _standard_errors(float(dof), alpha, power)


@lru_cache(maxsize=4096)
def _standard_errors(dof: float, alpha: float, power: float) -> float:
    """Effect found with the given power, in standard errors."""
    high = 4.0
    while power_t(high, 1.0, dof, alpha) < power:
        high *= 2.0
    return float(optimize.brentq(lambda d: power_t(d, 1.0, dof, alpha) - power, 0.0, high, xtol=1e-12))


def detectable(se: npt.ArrayLike, dof: npt.ArrayLike) -> FloatArray:
    """Smallest effects that two-sided 5 % t tests find with probability 0.8; see `minimum_detectable_effect`.

    Parameters
    ----------
    se, dof : array-like, shape (N,)
        Standard errors and degrees of freedom; infinite ones are those of a normal statistic.

    Returns
    -------
    array, shape (N,)
        NaN where the standard error or the degrees of freedom are missing, or the former is zero.

    Examples
    --------
    >>> detectable([0.0263, np.nan], [248.0, 248.0]).round(4).tolist()
    [0.074, nan]
    """
    errors, freedom = np.asarray(se, dtype=np.float64), np.asarray(dof, dtype=np.float64)
    known = (errors > 0) & (freedom > 0)
    different, at = np.unique(np.minimum(freedom[known], NORMAL), return_inverse=True)
    out = np.full(errors.shape, np.nan)
    out[known] = errors[known] * np.array([_standard_errors(d, 0.05, 0.8) for d in different])[at]
    return out


def _check(alpha: float, se: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise RequestError(f"alpha is the size of the test, between 0 and 1; got {alpha!r}.")
    if not se > 0.0:
        raise RequestError(f"The standard error must be positive; got {se!r}.")
