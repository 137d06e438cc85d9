"""Parametric tests on the cross-section of CARs and standardised CARs.

Formulas and sources: docs/methods/cross_sectional.md and docs/methods/standardized.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import (
    Options,
    SignificanceTest,
    Statistic,
    TestInput,
    not_applicable,
    p_value,
)
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.engine.moments import NEGLIGIBLE, johnson_t, mean_t, sample_sd, skewness
from eventstudy.inference.power_and_detectable_effect import FEW_FOR_SPREAD, expected_sd, least_mean_effect

__all__ = [
    "PARAMETRIC_TESTS",
    "adjusted_cross_sectional_t",
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


def adjusted_cross_sectional_t(car: FloatArray, r: float) -> float:
    r"""Cross-sectional t of CARs whose mean correlation is r, t(N - 1).

    .. math:: t_A = t \sqrt{(1 - r) / (1 + (N - 1) r)}

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025, for standardised CARs;
    docs/methods/cross_sectional.md, eq. (adjusted-cross-sectional).
    """
    return mean_t(car) * bmp_correction(len(car), r)


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


def _cars_differ(data: TestInput) -> str | None:
    return NO_SPREAD.format("CARs") if sample_sd(data.car) == 0 else None


def _scars_differ(data: TestInput) -> str | None:
    return NO_SPREAD.format("standardised CARs") if sample_sd(data.scar) == 0 else None


def _enough_dof(data: TestInput) -> str | None:
    few = int((data.cumulative.dof <= 2).sum())
    return f"{few} events have 2 or fewer residual degrees of freedom" if few else None


def _cross_sectional(data: TestInput, options: Options) -> Statistic:
    t, dof = mean_t(data.car), len(data.car) - 1
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()))


def _independence(data: TestInput, options: Options) -> Statistic:
    z = independence_z(data.car, data.cumulative.variance)
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.car.mean()))


def _patell(data: TestInput, options: Options) -> Statistic:
    z = patell_z(data.scar, data.cumulative.dof)
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.scar.mean()))


def _bmp(data: TestInput, options: Options) -> Statistic:
    t, dof = mean_t(data.scar), len(data.scar) - 1
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.scar.mean()))


def _no_factor(n: int, r: float) -> str | None:
    """Say why the mean correlation r of n events rules an adjusted test out, or None."""
    if 1.0 + (n - 1) * r <= NEGLIGIBLE:
        return f"mean correlation {r:.4g} of {n} events gives a variance factor 1+(N-1)r that is not positive"
    if r > 1.0 - NEGLIGIBLE:
        return "the estimation residuals of all events are identical"
    return None


def _adjusted_patell(data: TestInput, options: Options) -> Statistic:
    r, n = dependence(data).mean_correlation, len(data.scar)
    reason = _no_factor(n, r)
    if reason:
        return not_applicable(reason)
    z = patell_z(data.scar, data.cumulative.dof) * patell_correction(n, r)
    p = p_value(z, options.alternative)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(z, p, "normal", None, float(data.scar.mean()), note, extra)


def _adjusted_cross_sectional(data: TestInput, options: Options) -> Statistic:
    usable = data.with_car
    r, n = dependence(usable).mean_correlation, len(data.car)
    reason = _no_factor(n, r)
    if reason:
        return not_applicable(reason)
    t = adjusted_cross_sectional_t(data.car, r)
    p = p_value(t, options.alternative, n - 1)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(t, p, "t", n - 1, float(data.car.mean()), note, extra)


def _adjusted_bmp(data: TestInput, options: Options) -> Statistic:
    r, n = dependence(data).mean_correlation, len(data.scar)
    reason = _no_factor(n, r)
    if reason:
        return not_applicable(reason)
    t = mean_t(data.scar) * bmp_correction(n, r)
    p = p_value(t, options.alternative, n - 1)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(t, p, "t", n - 1, float(data.scar.mean()), note, extra)


def _skewness_adjusted(data: TestInput, options: Options) -> Statistic:
    car = data.car
    mean, sd, skew = float(car.mean()), sample_sd(car), float(skewness(car))
    hall = hall_t(len(car), mean / sd, skew)
    johnson = float(johnson_t(len(car), mean / sd, skew))
    note = f"Hall's transformation, skewness {skew:.2f}; N(0, 1) over-rejects in small samples"
    extra = {"johnson": johnson, "johnson_p_value": p_value(johnson, options.alternative), "skewness": skew}
    return Statistic(hall, p_value(hall, options.alternative), "normal", None, mean, note, extra)


def _jackknife(data: TestInput, options: Options) -> Statistic:
    t, dof = jackknife_t(data.car), len(data.car) - 1
    note = "for a mean the jackknife equals the cross-sectional t"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()), note)


def _mean_finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    """Find the detectable CAR of a t of the mean, where the spread of a few events says too little of it."""
    n, shared = data.n_events, float(found.extra.get("mean_correlation", 0.0))
    sd = expected_sd(data, shared) if n < FEW_FOR_SPREAD else None
    if sd is None:
        return None
    return least_mean_effect(sd, n - 1, options.alternative, 1.0 / bmp_correction(n, shared), shared)


VARIANCE, CORRELATION = "event-induced variance", "cross-correlation"
MEAN_NULL = "mean CAR is zero"
SCALED_NULL = "mean standardised CAR is zero"

PARAMETRIC_TESTS = (
    SignificanceTest(
        "cross_sectional", "Cross-sectional t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Brown and Warner (1980)", _cross_sectional, condition=_cars_differ, unit="CAR", finds=_mean_finds,
    ),
    SignificanceTest(
        "adjusted_cross_sectional", "Adjusted cross-sectional t", MEAN_NULL, "t(N-1)",
        frozenset({VARIANCE, CORRELATION}), "Kolari and Pynnonen (2010)", _adjusted_cross_sectional,
        condition=_cars_differ, unit="CAR", reads=("correlation",), finds=_mean_finds,
    ),
    SignificanceTest(
        "independence", "Independence z", MEAN_NULL, "N(0,1)", frozenset(),
        "Brown and Warner (1980); MacKinlay (1997)", _independence, needs_variance=True, unit="CAR",
    ),
    SignificanceTest(
        "patell", "Patell Z", SCALED_NULL, "N(0,1)", frozenset(),
        "Patell (1976)", _patell, condition=_enough_dof, needs_variance=True, unit="SCAR",
    ),
    SignificanceTest(
        "adjusted_patell", "Adjusted Patell Z", SCALED_NULL, "N(0,1)", frozenset({CORRELATION}),
        "Kolari and Pynnonen (2010)", _adjusted_patell, condition=_enough_dof, needs_variance=True,
        unit="SCAR", reads=("correlation",),
    ),
    SignificanceTest(
        "bmp", "BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Boehmer, Musumeci and Poulsen (1991)", _bmp, condition=_scars_differ, needs_variance=True,
        unit="SCAR",
    ),
    SignificanceTest(
        "adjusted_bmp", "Adjusted BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE, CORRELATION}),
        "Kolari and Pynnonen (2010)", _adjusted_bmp, condition=_scars_differ, needs_variance=True,
        unit="SCAR", reads=("correlation",),
    ),
    SignificanceTest(
        "skewness_adjusted", "Skewness-adjusted t", MEAN_NULL, "N(0,1)",
        frozenset({VARIANCE, "non-normality"}),
        "Hall (1992); Johnson (1978)", _skewness_adjusted, condition=_cars_differ, least=3,
    ),
    SignificanceTest(
        "jackknife", "Jackknife t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Giaccotto and Sfiridis (1996)", _jackknife, condition=_cars_differ, unit="CAR",
        finds=_mean_finds,
    ),
)  # fmt: skip
