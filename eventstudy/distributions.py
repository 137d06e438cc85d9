"""Tails and quantiles of the usual distributions.

They equal those of `scipy.stats`, which takes longer to load than pandas, and come from `scipy.special`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

__all__ = [
    "chi2_cdf",
    "chi2_ppf",
    "chi2_sf",
    "f_sf",
    "noncentral_t_sf",
    "norm_cdf",
    "norm_ppf",
    "norm_sf",
    "t_cdf",
    "t_ppf",
    "t_sf",
]


def norm_cdf(x: Any) -> Any:
    """P(X <= x) of the standard normal distribution."""
    return special.ndtr(x)


def norm_sf(x: Any) -> Any:
    """P(X > x) of the standard normal distribution."""
    return special.ndtr(-np.asarray(x, dtype=float))


def norm_ppf(p: Any) -> Any:
    """Quantile of the standard normal distribution."""
    return special.ndtri(p)


def t_cdf(x: Any, dof: Any) -> Any:
    """P(X <= x) of Student's t distribution; NaN where `dof` is not positive."""
    return special.stdtr(dof, x)


def t_sf(x: Any, dof: Any) -> Any:
    """P(X > x) of Student's t distribution; NaN where `dof` is not positive."""
    return special.stdtr(dof, -np.asarray(x, dtype=float))


def t_ppf(p: Any, dof: Any) -> Any:
    """Quantile of Student's t distribution; NaN where `dof` is not positive."""
    return special.stdtrit(dof, p)


def noncentral_t_sf(x: Any, dof: Any, shift: Any) -> Any:
    """P(X > x) of the noncentral t distribution, for x that is not negative."""
    below = special.nctdtr(dof, shift, x)
    # NaN stands for what differs from 0 or 1 by less than a rounding error.
    vanished = np.where(np.isnan(below) & (np.asarray(dof) > 0), np.where(shift > x, 0.0, 1.0), below)
    return 1.0 - np.where(np.isnan(shift) | np.isnan(x), np.nan, vanished)


def chi2_cdf(x: Any, dof: Any) -> Any:
    """P(X <= x) of the chi-square distribution; NaN where `dof` is not positive."""
    known = _positive(dof)
    return np.where(np.isnan(known), np.nan, special.chdtr(known, np.maximum(x, 0.0)))


def chi2_sf(x: Any, dof: Any) -> Any:
    """P(X > x) of the chi-square distribution; NaN where `dof` is not positive."""
    known = _positive(dof)
    return np.where(np.isnan(known), np.nan, special.chdtrc(known, np.maximum(x, 0.0)))


def chi2_ppf(p: Any, dof: Any) -> Any:
    """Quantile of the chi-square distribution; NaN where `dof` is not positive."""
    return 2.0 * special.gammaincinv(_positive(dof) / 2.0, p)


def f_sf(x: Any, dof: Any, dof_below: Any) -> Any:
    """P(X > x) of the F distribution, `dof` above and `dof_below`; NaN where either is not positive."""
    return special.fdtrc(_positive(dof), _positive(dof_below), np.maximum(x, 0.0))


def _positive(dof: Any) -> Any:
    numbers = np.asarray(dof, dtype=float)
    return np.where(numbers > 0.0, numbers, np.nan)
