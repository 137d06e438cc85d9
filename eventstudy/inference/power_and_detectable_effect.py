"""Power of tests, and the effect that a test would find with probability 0.8."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import noncentral_t_sf, norm_cdf, norm_ppf, norm_sf, t_ppf
from eventstudy.errors import RequestError
from eventstudy.inference import dependence
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, check_alternative
from eventstudy.inference.significance_test import Declaration, SignificanceTest

__all__ = [
    "FEW_FOR_SPREAD",
    "LEVEL",
    "NORMAL",
    "POWER",
    "detectable",
    "detectable_car",
    "expected_sd",
    "expected_sd_of_sums",
    "least_common_effect",
    "least_effect",
    "least_mean_effect",
    "least_shift",
    "minimum_detectable_effect",
    "normal_draws",
    "power_normal",
    "power_standardised_mean",
    "power_t",
    "with_detectable",
]

#: A normal statistic is a t of this many degrees of freedom.
NORMAL = 1e7


def power_t(
    effect: float, se: float, dof: float, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> float:
    r"""Power of a t test, exact under normally distributed errors.

    .. math:: P(|t'_\nu(\delta / se)| > t_{1 - \alpha/2, \nu}) \;\text{two-sided}, \qquad
              P(t'_\nu(\delta / se) > t_{1 - \alpha, \nu}) \;\text{of ``"greater"``}

    with t' noncentral t.

    Parameters
    ----------
    effect : float
        True effect, such as a CAR in decimals.
    se : float
        Standard error of its estimate, in the same unit.
    dof : float
    alpha : float, default 0.05
    alternative : {"two-sided", "less", "greater"}, default "two-sided"
        ``"less"`` finds negative effects alone.

    References
    ----------
    docs/methods/power.md, eq. (power-t).

    Examples
    --------
    >>> round(power_t(0.05, 0.02, 100), 3), round(power_t(-0.05, 0.02, 100, alternative="less"), 3)
    (0.697, 0.799)
    """
    _check(alpha, se, alternative)
    c = t_ppf(1.0 - _tail(alpha, alternative), dof)
    # The lower tail by symmetry: scipy's cdf far out in it is NaN.
    above, below = noncentral_t_sf(c, dof, effect / se), noncentral_t_sf(c, dof, -effect / se)
    return float(_rejected(above, below, alternative))


def power_normal(
    effect: float, sd: float, n_events: int, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> float:
    r"""Power of a test of a mean CAR whose standard deviation by event is known.

    .. math:: \Phi(-c + \delta\sqrt N / \sigma) + \Phi(-c - \delta\sqrt N / \sigma)

    of a two-sided test; a one-sided one has the first (``"greater"``) or the second term (``"less"``), with
    the c of its own size.

    Parameters
    ----------
    effect, sd : float
        True mean CAR, and standard deviation of one CAR.
    n_events : int
    alpha : float, default 0.05
    alternative : {"two-sided", "less", "greater"}, default "two-sided"

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35, 13-39; docs/methods/power.md, eq. (power-normal).

    Examples
    --------
    >>> round(power_normal(0.005, 0.02, 50), 3)
    0.424
    """
    _check(alpha, sd, alternative)
    c = norm_ppf(1.0 - _tail(alpha, alternative))
    distance = effect * np.sqrt(n_events) / sd
    return float(_rejected(norm_sf(c - distance), norm_cdf(-c - distance), alternative))


def power_standardised_mean(
    effect: float,
    precision: FloatArray,
    factor: float = 1.0,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    r"""Power of a t of N standardised CARs against a common CAR, exact under normally distributed errors.

    A common CAR d shifts each SCAR by d times its precision c, so unequal volatilities also spread the
    SCARs. The statistic is doubly noncentral t with N - 1 degrees of freedom:

    .. math:: t'' = \frac{Z + \delta}{\sqrt{\chi^2_{N-1}(\lambda) / (N - 1)}}, \quad
              \delta = f d \sqrt N\, \bar c, \quad \lambda = d^2 \sum_i (c_i - \bar c)^2

    Parameters
    ----------
    effect : float
        Common CAR d, in decimals.
    precision : array, shape (N,)
        One over the standard deviation of each CAR.
    factor : float, default 1
        f: 1 for independent events, below it where the statistic is divided by a factor that knows their
        correlation; the mean of correlated SCARs has the standard deviation ``1 / (f sqrt(N))``.
    alpha : float, default 0.05
    alternative : {"two-sided", "less", "greater"}, default "two-sided"

    Notes
    -----
    A chi-squared with noncentrality is a Poisson mixture of central ones, so the power is a Poisson mixture
    of noncentral t probabilities. It need not grow with the effect: for two events with different
    volatilities it tends to zero.

    Examples
    --------
    >>> round(power_standardised_mean(0.19, np.array([1 / 0.012, 1 / 0.027])), 2)
    0.0
    """
    _check(alpha, float(precision.min()), alternative)
    mean = float(precision.mean())
    unequal = float(((precision - mean) ** 2).sum())
    return _power_of_scars(effect, len(precision), mean, unequal, factor, alpha, alternative)


def _power_of_scars(
    effect: float,
    n: int,
    mean: float,
    unequal: float,
    factor: float,
    alpha: float,
    alternative: Alternative,
) -> float:
    """`power_standardised_mean` of N precisions, by their mean and sum of squares about it."""
    c = special.stdtrit(n - 1, 1.0 - _tail(alpha, alternative))
    delta = factor * effect * np.sqrt(n) * mean
    half = 0.5 * effect**2 * unequal
    terms = np.arange(max(0.0, np.floor(half - 9.0 * np.sqrt(half) - 9.0)), half + 9.0 * np.sqrt(half) + 40.0)
    weight = np.exp(special.xlogy(terms, half) - half - special.gammaln(terms + 1.0))
    dof = n - 1 + 2.0 * terms
    bound = c * np.sqrt(dof / (n - 1))
    above, below = noncentral_t_sf(bound, dof, delta), noncentral_t_sf(bound, dof, -delta)
    return float(weight @ np.nan_to_num(_rejected(above, below, alternative)))


def minimum_detectable_effect(
    se: float,
    dof: float,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Smallest effect that a t test finds with the given power: about 2.8 standard errors, two-sided.

    Parameters
    ----------
    se, dof : float
        Standard error of the estimate, such as ``results.car(0, 1)["se"]``, and its degrees of freedom.
    alpha : float, default 0.05
    power : float, default 0.8
        Above `alpha` and below 1.
    alternative : {"two-sided", "less", "greater"}, default "two-sided"

    Returns
    -------
    float
        The size of the effect; that of a test of ``"less"`` lies below zero.

    Raises
    ------
    RequestError
        If a probability or the standard error is out of range.

    References
    ----------
    docs/methods/power.md, eq. (mde).

    Examples
    --------
    >>> round(minimum_detectable_effect(0.0263, 248), 4)
    0.074
    """
    _check(alpha, se, alternative)
    if not alpha < power < 1.0:
        raise RequestError(f"power is a probability above alpha={alpha} and below 1; got {power!r}.")
    return se * _standard_errors(float(dof), alpha, power, _upwards(alternative))


@lru_cache(maxsize=4096)
def _standard_errors(dof: float, alpha: float, power: float, side: Alternative) -> float:
    """Effect above zero that is found with the given power, in standard errors."""
    low, high = 0.0, 4.0
    while power_t(high, 1.0, dof, alpha, side) < power:
        high *= 2.0
    # scipy.optimize takes longer to load than all else that a first CAR needs of scipy.
    while high - low > 1e-12 * high:
        middle = (low + high) / 2.0
        low, high = (middle, high) if power_t(middle, 1.0, dof, alpha, side) < power else (low, middle)
    return (low + high) / 2.0


def detectable(se: npt.ArrayLike, dof: npt.ArrayLike, alternative: Alternative = "two-sided") -> FloatArray:
    """Smallest effects that 5% t tests find with probability 0.8; see `minimum_detectable_effect`.

    Parameters
    ----------
    se, dof : array-like, shape (N,)
        Standard errors and degrees of freedom; infinite ones are those of a normal statistic.
    alternative : {"two-sided", "less", "greater"}
        One-sided tests find effects in their direction.

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
    side = _upwards(alternative)
    out[known] = errors[known] * np.array([_standard_errors(d, LEVEL, POWER, side) for d in different])[at]
    return out


def _tail(alpha: float, alternative: Alternative) -> float:
    """Probability of each tail in which a test of size alpha rejects."""
    return alpha / 2.0 if alternative == "two-sided" else alpha


def _rejected(above: FloatArray, below: FloatArray, alternative: Alternative) -> FloatArray:
    return {"two-sided": above + below, "greater": above, "less": below}[alternative]


def _upwards(alternative: Alternative) -> Alternative:
    """Return the side that finds an effect above zero as this one finds its mirror image."""
    return "two-sided" if alternative == "two-sided" else "greater"


def _check(alpha: float, se: float, alternative: Alternative) -> None:
    check_alternative(alternative)
    if not 0.0 < alpha < 1.0:
        raise RequestError(f"alpha is the size of the test, between 0 and 1; got {alpha!r}.")
    if not se > 0.0:
        raise RequestError(f"The standard error must be positive; got {se!r}.")


#: Beyond this p-value a result is insignificant, and the note says what could have been found.
LEVEL = 0.05
POWER = 0.8
#: Draws of what is simulated.
DRAWS = 2000
#: Events whose correlations are all written out.
MOST_PAIRED = 200
#: With fewer events than this their spread says too little of what a test of it would find.
FEW_FOR_SPREAD = 10
#: Beyond this noncentrality of the spread a common CAR adds as much to the spread as to the mean.
MOST_SPREAD = 200.0
#: Counts of draws are whole numbers, up to rounding.
ROUNDING = 1e-9


def least_shift(
    null: FloatArray, alternative: Alternative = "two-sided", level: float = LEVEL, power: float = POWER
) -> float:
    """Smallest shift that a test by rank among null draws finds with the given power.

    A statistic is rejected where ``(1 + b) / (B + 1) <= level``, b of the B draws being as extreme. Shifted
    draws of the null serve as its distribution under an effect; the other tail is left out of account.

    Parameters
    ----------
    null : array, shape (B,)
        Draws of the statistic under the null, which need not be symmetric.
    alternative : {"two-sided", "less", "greater"}
    level, power : float

    Returns
    -------
    float
        For a two-sided test, the larger of the two directions; infinite where no rank reaches the level.

    References
    ----------
    docs/methods/power.md, eq. (least-shift).

    Examples
    --------
    >>> least_shift(np.arange(-99.0, 100.0), "greater")
    150.0
    """
    beaten = int(np.floor(level * (len(null) + 1) + ROUNDING)) - 1
    if beaten < 0:
        return np.inf
    shifts = []
    for side in (1.0, -1.0):
        if alternative == {1.0: "less", -1.0: "greater"}[side]:
            continue
        values = np.abs(null) if alternative == "two-sided" else side * null
        critical = np.sort(values)[-(beaten + 1)]
        missed = np.sort(side * null)[int(np.ceil((1.0 - power) * len(null) - ROUNDING)) - 1]
        shifts.append(float(critical - missed))
    return max(shifts)


def with_detectable(
    test: Declaration, found: Statistic, data: TestInput | None, options: Options
) -> Statistic:
    """Add to an insignificant result the effect that would have been found with probability 0.8.

    The standard error is the estimate over the statistic, where `test` says that it is. A mean standardised
    CAR is reported as the CAR that, common to all events, would have that mean.
    """
    if not test.unit or not found.p_value > LEVEL or found.statistic == 0 or found.estimate == 0:
        return found
    if "never" in found.extra or (data is not None and _misled(test, data)):
        return found
    if test.unit == "SCAR" and data is not None and found.distribution == "t":
        return _with_note(found, _standardised_note(found, data, options))
    least = detectable_car(test, found, data, options)
    if least is None:
        return found
    what = "difference" if data is None else "CAR" if data.n_events == 1 else "mean CAR"
    if np.isinf(least):
        return _with_note(found, f"no {what} would be found with probability {POWER:g}")
    bound = "at least " if found.distribution == "rank" else ""
    return _with_note(found, f"a {what} of {bound}{least:.2%} would be found with probability {POWER:g}")


def detectable_car(
    test: Declaration, found: Statistic, data: TestInput | None, options: Options
) -> float | None:
    """Size of the CAR that a test finds with probability 0.8; infinite if it finds none, None if unknown.

    Parameters
    ----------
    test : Declaration
    found : Statistic
        Its result, neither the statistic nor the estimate zero.
    data : TestInput, optional
        The events it used; None for a difference.
    options : Options
    """
    if isinstance(test, SignificanceTest) and test.finds is not None and data is not None:
        own = test.finds(data, found, options)
        if own is not None:
            return own
    se = float(found.extra.get("standard_error", abs(found.estimate / found.statistic)))
    null = found.extra.get("null")
    if null is not None:
        least = se * least_shift(null, options.alternative)
    else:
        dof = float(found.dof) if isinstance(found.dof, (int, float, np.floating)) else NORMAL
        least = minimum_detectable_effect(se, dof, LEVEL, POWER, options.alternative)
    if np.isnan(least):
        return None
    if test.unit == "SCAR":
        if data is None:
            return None
        least /= float((1.0 / np.sqrt(data.cumulative.variance)).mean())
    return least


def _misled(test: Declaration, data: TestInput) -> bool:
    """Whether events depend on each other, or may, and the standard error of the test does not know it."""
    return "cross-correlation" not in test.robust_to and dependence.depend(data)


def least_mean_effect(
    sd: FloatArray,
    dof: float,
    alternative: Alternative = "two-sided",
    factor: float = 1.0,
    shared: float = 0.0,
) -> float:
    r"""Smallest effect on N values that a t of their mean finds with probability 0.8, by simulation.

    An effect that all have in common leaves their spread as it is, so each of the 2,000 draws is rejected
    from an effect of its own on, and the answer is the 0.8 quantile of

    .. math:: c\, f\, \frac{s^*}{\sqrt N} - \bar x^*, \qquad x_i^* = \sigma_i z_i

    with c the quantile of t(dof). For equal sigma it is noncentral t.

    Parameters
    ----------
    sd : array, shape (N,)
        Standard deviation sigma of each value.
    dof : float
    alternative : {"two-sided", "less", "greater"}
    factor : float, default 1
        f, by which a test multiplies the standard error of the mean.
    shared : float, default 0
        Correlation of the z.

    References
    ----------
    docs/methods/power.md, eq. (mde-mean).

    Examples
    --------
    >>> round(least_mean_effect(np.full(4, 0.02), 3), 2), round(minimum_detectable_effect(0.01, 3), 2)
    (0.04, 0.04)
    """
    x = sd * normal_draws(len(sd), shared)
    c = special.stdtrit(dof, 1.0 - _tail(LEVEL, alternative))
    needed = c * factor * x.std(axis=1, ddof=1) / np.sqrt(len(sd)) - x.mean(axis=1)
    return float(np.quantile(needed, POWER))


def least_effect(power: Callable[[float], float], unit: float) -> float:
    """Smallest effect above zero whose power is 0.8; infinite where effects of 2**20 units lack it.

    Parameters
    ----------
    power : callable
        Effect -> power, which grows with it.
    unit : float
        An effect of the right order.
    """
    low, high = 0.0, unit
    for _ in range(20):
        if power(high) >= POWER:
            break
        low, high = high, 2.0 * high
    else:
        return np.inf
    while high - low > 1e-3 * high:
        middle = (low + high) / 2.0
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return float(high)


def normal_draws(n: int, shared: float = 0.0) -> FloatArray:
    """Draw N standard normal numbers of one correlation, not below zero, always the same; shape (2000, N)."""
    rng = np.random.default_rng(0)
    own, common = rng.standard_normal((DRAWS, n)), rng.standard_normal((DRAWS, 1))
    shared = min(max(shared, 0.0), 1.0)
    return np.asarray(np.sqrt(1.0 - shared) * own + np.sqrt(shared) * common)


def expected_sd(data: TestInput, shared: float = 0.0) -> FloatArray | None:
    """Return standard deviations of CARs by their prediction errors, shape (N,); None where one is missing.

    A spread that is larger than these imply, at 5%, makes all of them larger.
    """
    variance = data.cumulative.variance
    if not (variance > 0).all():
        return None
    # A SCAR is t with its own degrees of freedom, so its variance is above one.
    dof = data.cumulative.dof
    inflated = np.where(dof > 2, dof / np.maximum(dof - 2.0, 1.0), 1.0)
    return np.asarray(np.sqrt(variance * inflated * _spread(data, shared)))


def _with_note(found: Statistic, note: str) -> Statistic:
    return replace(found, note=f"{found.note}; {note}" if found.note else note)


def expected_sd_of_sums(data: TestInput, groups: IntArray) -> FloatArray | None:
    """Return standard deviations of the sums of CARs of groups, by `expected_sd` and their correlations.

    Parameters
    ----------
    data : TestInput
    groups : array of int, shape (N,)
        Number of the group of each event, from 0 on.

    Returns
    -------
    array, shape (G,), or None
        None where a prediction error is missing, or the events are too many.
    """
    sd = expected_sd(data)
    if sd is None or len(sd) > MOST_PAIRED:
        return None
    if int(groups.max()) + 1 == len(groups):
        return np.asarray(sd[np.argsort(groups)])
    related = dependence.correlation_matrix(
        data.abnormal.past.residuals(), data.abnormal.past.dates(), data.covered_dates
    )
    held = (groups == np.arange(int(groups.max()) + 1)[:, None]) * sd
    return np.asarray(np.sqrt(((held @ related) * held).sum(axis=1)))


def _standardised_note(found: Statistic, data: TestInput, options: Options) -> str:
    """Say which common CAR a t of standardised CARs would find, or that it finds none so often."""
    n, shared = data.n_events, float(found.extra.get("mean_correlation", 0.0))
    sd = expected_sd(data, shared)
    assert sd is not None  # the condition of these tests
    factor = float(np.sqrt((1.0 - shared) / (1.0 + (n - 1) * shared)))
    precision = 1.0 / (sd * np.sqrt(1.0 - shared))
    dof = float(data.cumulative.dof.min())
    least = least_common_effect(precision, factor, alternative=options.alternative, dof=dof)
    if least is None:
        return (
            f"no mean CAR would be found with probability {POWER:g}: one that all events have in common "
            "spreads their standardised CARs too, as their volatilities differ"
        )
    return f"a mean CAR of {least:.2%} would be found with probability {POWER:g}"


def _spread(data: TestInput, shared: float) -> float:
    """Factor by which the CARs spread more about a common one than before the event; 1 unless at 5%."""
    n, car, variance = data.n_events, data.car, data.cumulative.variance
    left = car - (car / variance).sum() / (1.0 / variance).sum()
    total = float((left**2 / variance).sum() / (1.0 - shared))
    return total / (n - 1) if total > special.chdtri(n - 1, LEVEL) else 1.0


def least_common_effect(
    precision: FloatArray,
    factor: float = 1.0,
    alpha: float = LEVEL,
    power: float = POWER,
    alternative: Alternative = "two-sided",
    dof: float = np.inf,
) -> float | None:
    r"""Smallest common CAR that a t of standardised CARs finds with a power, or None where there is none.

    Parameters
    ----------
    precision, factor, alpha, alternative
        As for `power_standardised_mean`; the size is returned, whatever the side.
    power : float, default 0.8
    dof : float, default inf
        Degrees of freedom of the residual variances behind the precisions; infinite ones are known.

    Notes
    -----
    The power need not grow with the effect, so the first crossing on a grid is refined.

    An estimated precision varies about its mean by :math:`\tau^2 = c^2 / (2\nu)`, so a common CAR d spreads
    the SCARs even if the volatilities are equal: each has the variance :math:`1 + d^2\tau^2`. The power
    against d is therefore that against :math:`d / \sqrt{1 + d^2\tau^2}` by the precisions without their
    error, which makes their sum of squares about the mean larger by :math:`(N - 1)\tau^2`. This matters for
    two events alone, which find only CARs of a dozen standard deviations.

    Examples
    --------
    >>> round(least_common_effect(np.full(12, 50.0)), 4)
    0.0178
    >>> least_common_effect(np.array([1 / 0.012, 1 / 0.027])) is None
    True
    """
    n, mean, side = len(precision), float(precision.mean()), _upwards(alternative)
    scatter = float((precision**2).mean()) / (2.0 * dof)
    unequal = max(float(((precision - mean) ** 2).sum()) - (n - 1) * scatter, 0.0)

    def found(effect: float) -> bool:
        seen = effect / np.sqrt(1.0 + effect**2 * scatter)
        return _power_of_scars(seen, n, mean, unequal, factor, alpha, side) >= power

    unit, below = 1.0 / (factor * np.sqrt(n) * mean), 0.0
    for effect in (unit * np.geomspace(1.5, 40.0, 40)).tolist():
        if effect**2 * unequal > MOST_SPREAD:
            break
        if found(effect):
            low, high = below, effect
            while high - low > 1e-6 * high:
                middle = (low + high) / 2.0
                low, high = (low, middle) if found(middle) else (middle, high)
            return float(high)
        below = effect
    return None
