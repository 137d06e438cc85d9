"""Parametric tests on the cross-section of CARs and standardised CARs.

Formulas and sources: docs/methods/cross_sectional.md and docs/methods/standardized.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.selection import (
    NEGLIGIBLE,
    not_applicable,
    spread,
    too_few_events,
    usable_events,
    with_counts,
    with_variance,
)

__all__ = [
    "PARAMETRIC_TESTS",
    "bmp_correction",
    "hall_t",
    "independence_z",
    "jackknife_t",
    "johnson_t",
    "mean_t",
    "patell_correction",
    "patell_z",
    "skewness",
]

NO_SPREAD = "all {} are equal, so the cross-section has no variance"


def mean_t(values: FloatArray) -> float:
    r"""Mean of a cross-section over its standard error, t(N - 1).

    .. math:: t = \bar x / (s_x / \sqrt N)

    Parameters
    ----------
    values : array, shape (N,)
        CARs (the cross-sectional t) or SCARs (Boehmer, Musumeci and Poulsen 1991).

    References
    ----------
    Brown and Warner (1980), Journal of Financial Economics 8, 205-258; Boehmer, Musumeci and Poulsen (1991),
    ibid. 30, 253-272; docs/methods/cross_sectional.md, eq. (cross-sectional-t); docs/methods/standardized.md,
    eq. (bmp-t).

    Examples
    --------
    >>> round(mean_t(np.array([0.01, 0.03, 0.02])), 4)
    3.4641
    """
    return float(values.mean() / (np.std(values, ddof=1) / np.sqrt(len(values))))


def independence_z(car: FloatArray, variance: FloatArray) -> float:
    r"""CAAR over its standard error under independence (MacKinlay 1997), N(0, 1).

    .. math:: z = \sum_i CAR_i \Big/ \sqrt{\textstyle\sum_i \gamma' V_i \gamma}

    Parameters
    ----------
    car, variance : arrays, shape (N,)
        CARs and their prediction-error variances.

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35, 13-39; docs/methods/standardized.md,
    eq. (independence-z).
    """
    return float(car.sum() / np.sqrt(variance.sum()))


def patell_z(scar: FloatArray, dof: FloatArray) -> float:
    r"""Patell's (1976) Z with SCARs standardised by the full prediction error, N(0, 1).

    .. math:: Z = \sum_i SCAR_i \Big/ \sqrt{\textstyle\sum_i \nu_i / (\nu_i - 2)}

    Parameters
    ----------
    scar, dof : arrays, shape (N,)
        Standardised CARs and their residual degrees of freedom, each above 2.

    References
    ----------
    Patell (1976), Journal of Accounting Research 14, 246-276; docs/methods/standardized.md, eq. (patell-z).
    """
    return float(scar.sum() / np.sqrt((1.0 / (1.0 - 2.0 / dof)).sum()))


def patell_correction(n: int, r: float) -> float:
    r"""Factor for Patell's Z under mean correlation r: ``1 / sqrt(1 + (N - 1) r)``.

    Patell's variance is imposed, not estimated from the cross-section, so the factor has no
    ``1 - r`` in it.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025, eq. 13;
    docs/methods/standardized.md, eq. (adjusted-patell).
    """
    return float(1.0 / np.sqrt(1.0 + (n - 1) * r))


def bmp_correction(n: int, r: float) -> float:
    r"""Factor for the BMP t under mean correlation r: ``sqrt((1 - r) / (1 + (N - 1) r))``.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025; docs/methods/standardized.md,
    eq. (adjusted-bmp).
    """
    return float(np.sqrt((1.0 - r) / (1.0 + (n - 1) * r)))


def skewness(values: FloatArray) -> float:
    """Compute the adjusted Fisher-Pearson skewness G1 of a cross-section, shape (N,), N > 2."""
    n = len(values)
    z = (values - values.mean()) / np.std(values, ddof=1)
    return float(n / ((n - 1.0) * (n - 2.0)) * (z**3).sum())


def johnson_t(n: int, ratio: float, skew: float) -> float:
    r"""Johnson's (1978) skewness-adjusted t of the ratio S of mean to standard deviation.

    .. math:: t_J = \sqrt N \left(S + \gamma S^2 / 3 + \gamma / (6 N)\right)

    References
    ----------
    Johnson (1978), Journal of the American Statistical Association 73, 536-544;
    docs/methods/cross_sectional.md, eq. (johnson-t).

    Examples
    --------
    >>> round(johnson_t(74, 2.09027474443816, 1.653433511704859), 4)
    38.7284
    """
    return float(np.sqrt(n) * (ratio + skew * ratio**2 / 3.0 + skew / (6.0 * n)))


def hall_t(n: int, ratio: float, skew: float) -> float:
    r"""Hall's (1992) monotone skewness adjustment: Johnson's t plus ``sqrt(N) g^2 S^3 / 27``.

    References
    ----------
    Hall (1992), Journal of the Royal Statistical Society B 54, 221-228; docs/methods/cross_sectional.md,
    eq. (hall-t).
    """
    return float(johnson_t(n, ratio, skew) + np.sqrt(n) * skew**2 * ratio**3 / 27.0)


def jackknife_t(values: FloatArray) -> float:
    r"""Delete-one jackknife t of the mean of a cross-section, shape (N,), t(N - 1).

    The pseudo-values are ``N m - (N - 1) m_(-i)`` for the mean m (Giaccotto and Sfiridis 1996);
    for a mean they equal the values, so this is `mean_t` to rounding.

    References
    ----------
    Giaccotto and Sfiridis (1996), Journal of Economics and Business 48, 349-370;
    docs/methods/cross_sectional.md, eq. (jackknife-t).
    """
    n = len(values)
    total = values.sum()
    return mean_t(total - (n - 1) * ((total - values) / (n - 1)))


def _cross_sectional(data: TestInput, options: Options) -> Statistic:
    car = usable_events(data).car
    if spread(car) == 0:
        return not_applicable(NO_SPREAD.format("CARs"))
    t, dof = mean_t(car), len(car) - 1
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(car.mean()))


def _independence(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    z = independence_z(used.car, used.cumulative.variance)
    p = p_value(z, options.alternative)
    return with_counts(data, Statistic(z, p, "normal", None, float(used.car.mean())))


def _patell_applies(data: TestInput) -> str | None:
    reason = too_few_events(data, scaled=True)
    if reason:
        return reason
    few = int((with_variance(data).abnormal.dof <= 2).sum())
    return f"{few} events have 2 or fewer residual degrees of freedom" if few else None


def _patell(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    z = patell_z(used.scar, used.abnormal.dof)
    p = p_value(z, options.alternative)
    return with_counts(data, Statistic(z, p, "normal", None, float(used.scar.mean())))


def _bmp(data: TestInput, options: Options) -> Statistic:
    scar = with_variance(data).scar
    if spread(scar) == 0:
        return not_applicable(NO_SPREAD.format("standardised CARs"))
    t, dof = mean_t(scar), len(scar) - 1
    p = p_value(t, options.alternative, dof)
    return with_counts(data, Statistic(t, p, "t", dof, float(scar.mean())))


def _correlated(data: TestInput) -> str | None:
    """Say why the mean correlation rules an adjusted test out, or None."""
    used = with_variance(data)
    r, n = dependence(used).mean_correlation, used.n_events
    if 1.0 + (n - 1) * r <= NEGLIGIBLE:
        return f"mean correlation {r:.4g} of {n} events gives a variance factor 1+(N-1)r that is not positive"
    if r > 1.0 - NEGLIGIBLE:
        return "the estimation residuals of all events are identical"
    return None


def _adjusted(data: TestInput, plain: Statistic, factor: float, options: Options) -> Statistic:
    r = dependence(with_variance(data)).mean_correlation
    value = plain.statistic * factor
    dof = plain.dof if isinstance(plain.dof, int) else None
    found = Statistic(
        value,
        p_value(value, options.alternative, dof),
        plain.distribution,
        plain.dof,
        plain.estimate,
        extra={"mean_correlation": r},
    )
    return with_counts(data, found, f"mean correlation {r:.4g}")


def _adjusted_patell(data: TestInput, options: Options) -> Statistic:
    reason = _correlated(data)
    if reason:
        return not_applicable(reason)
    used = with_variance(data)
    factor = patell_correction(used.n_events, dependence(used).mean_correlation)
    return _adjusted(data, _patell(data, options), factor, options)


def _adjusted_bmp(data: TestInput, options: Options) -> Statistic:
    reason = _correlated(data)
    plain = _bmp(data, options)
    if reason or np.isnan(plain.statistic):
        return not_applicable(reason) if reason else plain
    used = with_variance(data)
    factor = bmp_correction(used.n_events, dependence(used).mean_correlation)
    return _adjusted(data, plain, factor, options)


def _skewness_adjusted(data: TestInput, options: Options) -> Statistic:
    car = usable_events(data).car
    sd = spread(car)
    if sd == 0:
        return not_applicable(NO_SPREAD.format("CARs"))
    mean, skew = float(car.mean()), skewness(car)
    hall = hall_t(len(car), mean / sd, skew)
    johnson = johnson_t(len(car), mean / sd, skew)
    note = f"Hall's transformation, skewness {skew:.2f}; N(0, 1) over-rejects in small samples"
    extra = {"johnson": johnson, "johnson_p_value": p_value(johnson, options.alternative), "skewness": skew}
    return Statistic(hall, p_value(hall, options.alternative), "normal", None, mean, note, extra)


def _jackknife(data: TestInput, options: Options) -> Statistic:
    car = usable_events(data).car
    if spread(car) == 0:
        return not_applicable(NO_SPREAD.format("CARs"))
    t, dof = jackknife_t(car), len(car) - 1
    note = "for a mean the jackknife equals the cross-sectional t"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(car.mean()), note)


VARIANCE, CORRELATION = "event-induced variance", "cross-correlation"
MEAN_NULL = "mean CAR is zero"
SCALED_NULL = "mean standardised CAR is zero"

PARAMETRIC_TESTS = (
    SignificanceTest(
        "cross_sectional", "Cross-sectional t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Brown and Warner (1980)", too_few_events, _cross_sectional, unit="CAR",
    ),
    SignificanceTest(
        "independence", "Independence z", MEAN_NULL, "N(0,1)", frozenset(),
        "Brown and Warner (1980); MacKinlay (1997)", lambda d: too_few_events(d, scaled=True), _independence,
        unit="CAR",
    ),
    SignificanceTest(
        "patell", "Patell Z", SCALED_NULL, "N(0,1)", frozenset(),
        "Patell (1976)", _patell_applies, _patell, unit="SCAR",
    ),
    SignificanceTest(
        "adjusted_patell", "Adjusted Patell Z", SCALED_NULL, "N(0,1)", frozenset({CORRELATION}),
        "Kolari and Pynnonen (2010)", _patell_applies, _adjusted_patell, unit="SCAR", reads=("correlation",),
    ),
    SignificanceTest(
        "bmp", "BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Boehmer, Musumeci and Poulsen (1991)", lambda d: too_few_events(d, scaled=True), _bmp, unit="SCAR",
    ),
    SignificanceTest(
        "adjusted_bmp", "Adjusted BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE, CORRELATION}),
        "Kolari and Pynnonen (2010)", lambda d: too_few_events(d, scaled=True), _adjusted_bmp, unit="SCAR",
        reads=("correlation",),
    ),
    SignificanceTest(
        "skewness_adjusted", "Skewness-adjusted t", MEAN_NULL, "N(0,1)",
        frozenset({VARIANCE, "non-normality"}),
        "Hall (1992); Johnson (1978)", lambda d: too_few_events(d, 3), _skewness_adjusted,
    ),
    SignificanceTest(
        "jackknife", "Jackknife t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Giaccotto and Sfiridis (1996)", too_few_events, _jackknife, unit="CAR",
    ),
)  # fmt: skip
