"""Power of the t test, and the smallest effect it can find (METHODS F)."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from eventstudy.errors import RequestError

__all__ = ["minimum_detectable_effect", "power_normal", "power_t"]


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
    high = 4.0
    while power_t(high, 1.0, dof, alpha) < power:
        high *= 2.0
    return float(se * optimize.brentq(lambda d: power_t(d, 1.0, dof, alpha) - power, 0.0, high, xtol=1e-12))


def _check(alpha: float, se: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise RequestError(f"alpha is the size of the test, between 0 and 1; got {alpha!r}.")
    if not se > 0.0:
        raise RequestError(f"The standard error must be positive; got {se!r}.")
