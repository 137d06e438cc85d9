"""Tails and quantiles of the usual distributions, and the p-values that are made of them.

The former equal those of `scipy.stats`, which takes longer to load than pandas, and come from
`scipy.special`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

__all__ = [
    "chi2_cdf",
    "chi2_ppf",
    "chi2_sf",
    "counted_p_value",
    "f_sf",
    "noncentral_t_sf",
    "norm_cdf",
    "norm_ppf",
    "norm_sf",
    "p_value_of_tails",
    "poisson_sf",
    "t_cdf",
    "t_ppf",
    "t_sf",
]


class _NotLoaded(ModuleType):
    """Stand-in for a module, which is loaded when a name of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def _without_loading(package: ModuleType, *names: str) -> Iterator[None]:
    """Keep a star import of a package from loading some of its modules."""
    full = {name: f"{package.__name__}.{name}" for name in names if name not in vars(package)}
    stand_ins = {name: _NotLoaded(known_as) for name, known_as in full.items() if known_as not in sys.modules}
    vars(package).update(stand_ins)
    sys.modules.update({each.__name__: each for each in stand_ins.values()})
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            for modules, key in ((vars(package), name), (sys.modules, stand_in.__name__)):
                if modules.get(key) is stand_in:
                    del modules[key]


# scipy.special takes over all names of NumPy, and these modules take as long to load as the rest of it.
with _without_loading(np, "f2py", "testing"):
    from scipy import special


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


def poisson_sf(x: Any, mean: Any) -> Any:
    """P(X > x) of the Poisson distribution, for x that is not negative."""
    return special.pdtrc(x, mean)


def p_value_of_tails(below: Any, above: Any, alternative: str) -> Any:
    """P-value of a statistic from the probabilities of its tails under the null; NaN where either is NaN.

    Parameters
    ----------
    below, above : float or arrays
        P(X <= x) and P(X >= x).
    alternative : {"two-sided", "less", "greater"}
        Two-sided is twice the smaller tail, at most 1.

    Examples
    --------
    >>> float(p_value_of_tails(0.02, 0.98, "two-sided")), float(p_value_of_tails(np.nan, 0.5, "greater"))
    (0.04, nan)
    """
    both = np.minimum(below, above)  # NaN where one of them is
    if alternative == "two-sided":
        return np.minimum(2.0 * both, 1.0)
    return np.where(np.isnan(both), np.nan, {"less": below, "greater": above}[alternative])[()]


def counted_p_value(statistic: Any, extreme: Any, *, exact: bool = False) -> Any:
    """``(1 + b) / (B + 1)``, b of B draws being as extreme as the statistic; NaN where that is NaN.

    Parameters
    ----------
    statistic : float or array, shape (...)
    extreme : array of bool, shape (B, ...)
    exact : bool
        Whether the draws are all there are, the statistic's own among them: then it is ``b / B``.

    Examples
    --------
    >>> float(counted_p_value(2.0, [True, False, False])), float(counted_p_value(np.nan, [True, False]))
    (0.5, nan)
    """
    count, n = np.sum(extreme, axis=0), len(extreme)
    p = count / n if exact else (1 + count) / (n + 1)
    return np.where(np.isnan(statistic), np.nan, p)[()]


def _positive(dof: Any) -> Any:
    numbers = np.asarray(dof, dtype=float)
    return np.where(numbers > 0.0, numbers, np.nan)
