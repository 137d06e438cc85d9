"""Parametric tests on the cross-section of CARs and standardised CARs.

Formulas and sources: docs/methods/cross_sectional.md and docs/methods/standardized.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.dependence.mean_correlation import dependence, unknown_correlation
from eventstudy.inference.dependence.near_pairs import mean_correlations
from eventstudy.inference.engine.moments import NEGLIGIBLE, johnson_t, mean_t, sample_sd, skewness
from eventstudy.inference.power_and_detectable_effect import FEW_FOR_SPREAD, expected_sd, least_mean_effect
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.significance_test import SignificanceTest

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


def independence_z(car: FloatArray, variance: FloatArray) -> FloatArray:
    r"""CAAR over its standard error under independence (MacKinlay 1997), N(0, 1).

    .. math:: z = \sum_i CAR_i \Big/ \sqrt{\textstyle\sum_i \gamma' V_i \gamma}

    Parameters
    ----------
    car, variance : arrays, shape (..., N)
        CARs and their prediction-error variances.

    Returns
    -------
    float, or array, shape (...)

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35, 13-39; docs/methods/standardized.md,
    eq. (independence-z).
    """
    z: FloatArray = car.sum(axis=-1) / np.sqrt(variance.sum(axis=-1))
    return z


def patell_z(scar: FloatArray, dof: FloatArray) -> FloatArray:
    r"""Patell's (1976) Z with SCARs standardised by the full prediction error, N(0, 1).

    .. math:: Z = \sum_i SCAR_i \Big/ \sqrt{\textstyle\sum_i \nu_i / (\nu_i - 2)}

    Parameters
    ----------
    scar, dof : arrays, shape (..., N)
        Standardised CARs and their residual degrees of freedom, each above 2.

    Returns
    -------
    float, or array, shape (...)

    References
    ----------
    Patell (1976), Journal of Accounting Research 14, 246-276; docs/methods/standardized.md, eq. (patell-z).
    """
    z: FloatArray = scar.sum(axis=-1) / np.sqrt((1.0 / (1.0 - 2.0 / dof)).sum(axis=-1))
    return z


def patell_correction(n: int, r: FloatArray | float) -> FloatArray:
    r"""Factor for Patell's Z under mean correlation r, shape (...): ``1 / sqrt(1 + (N - 1) r)``.

    Patell's variance is imposed, not estimated from the cross-section, so the factor has no
    ``1 - r`` in it.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025, eq. 13;
    docs/methods/standardized.md, eq. (adjusted-patell).
    """
    factor: FloatArray = 1.0 / np.sqrt(1.0 + (n - 1) * r)
    return factor


def bmp_correction(n: int, r: FloatArray | float) -> FloatArray:
    r"""Factor for the BMP t under mean correlation r, shape (...): ``sqrt((1 - r) / (1 + (N - 1) r))``.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025; docs/methods/standardized.md,
    eq. (adjusted-bmp).
    """
    factor: FloatArray = np.sqrt((1.0 - r) / (1.0 + (n - 1) * r))
    return factor


def adjusted_cross_sectional_t(car: FloatArray, r: FloatArray | float) -> FloatArray:
    r"""Cross-sectional t of CARs (..., N) whose mean correlation is r (...), t(N - 1).

    .. math:: t_A = t \sqrt{(1 - r) / (1 + (N - 1) r)}

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025, for standardised CARs;
    docs/methods/cross_sectional.md, eq. (adjusted-cross-sectional).
    """
    return mean_t(car) * bmp_correction(car.shape[-1], r)


def hall_t(n: int, ratio: FloatArray | float, skew: FloatArray | float) -> FloatArray:
    r"""Hall's (1992) monotone skewness adjustment, shape (...): Johnson's t plus ``sqrt(N) g^2 S^3 / 27``.

    References
    ----------
    Hall (1992), Journal of the Royal Statistical Society B 54, 221-228; docs/methods/cross_sectional.md,
    eq. (hall-t).
    """
    t: FloatArray = johnson_t(n, ratio, skew) + np.sqrt(n) * skew**2 * ratio**3 / 27.0
    return t


def jackknife_t(values: FloatArray) -> FloatArray:
    r"""Delete-one jackknife t of the mean of a cross-section, shape (..., N) -> (...), t(N - 1).

    The pseudo-values are ``N m - (N - 1) m_(-i)`` for the mean m (Giaccotto and Sfiridis 1996);
    for a mean they equal the values, so this is `mean_t` to rounding.

    References
    ----------
    Giaccotto and Sfiridis (1996), Journal of Economics and Business 48, 349-370;
    docs/methods/cross_sectional.md, eq. (jackknife-t).
    """
    n = values.shape[-1]
    total = values.sum(axis=-1, keepdims=True)
    return mean_t(total - (n - 1) * ((total - values) / (n - 1)))


def _cars_differ(data: TestInput) -> str | None:
    return NO_SPREAD.format("CARs") if sample_sd(data.car) == 0 else None


def _scars_differ(data: TestInput) -> str | None:
    return NO_SPREAD.format("standardised CARs") if sample_sd(data.scar) == 0 else None


def _known(condition: Callable[[TestInput], str | None]) -> Callable[[TestInput], str | None]:
    """Add to a condition that the correlation of the events is known."""
    return lambda data: unknown_correlation(data) or condition(data)


def _enough_dof(data: TestInput) -> str | None:
    few = int((data.cumulative.dof <= 2).sum())
    return f"{few} events have 2 or fewer residual degrees of freedom" if few else None


def _cross_sectional(data: TestInput, options: Options) -> Statistic:
    t, dof = float(mean_t(data.car)), len(data.car) - 1
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()))


def _independence(data: TestInput, options: Options) -> Statistic:
    z = float(independence_z(data.car, data.cumulative.variance))
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.car.mean()))


def _patell(data: TestInput, options: Options) -> Statistic:
    z = float(patell_z(data.scar, data.cumulative.dof))
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.scar.mean()))


def _bmp(data: TestInput, options: Options) -> Statistic:
    t, dof = float(mean_t(data.scar)), len(data.scar) - 1
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
    z = float(patell_z(data.scar, data.cumulative.dof) * patell_correction(n, r))
    p = p_value(z, options.alternative)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(z, p, "normal", None, float(data.scar.mean()), note, extra)


def _adjusted_cross_sectional(data: TestInput, options: Options) -> Statistic:
    usable = data.with_car
    r, n = dependence(usable).mean_correlation, len(data.car)
    reason = _no_factor(n, r)
    if reason:
        return not_applicable(reason)
    t = float(adjusted_cross_sectional_t(data.car, r))
    p = p_value(t, options.alternative, n - 1)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(t, p, "t", n - 1, float(data.car.mean()), note, extra)


def _adjusted_bmp(data: TestInput, options: Options) -> Statistic:
    r, n = dependence(data).mean_correlation, len(data.scar)
    reason = _no_factor(n, r)
    if reason:
        return not_applicable(reason)
    t = float(mean_t(data.scar) * bmp_correction(n, r))
    p = p_value(t, options.alternative, n - 1)
    note, extra = f"mean correlation {r:.4g}", {"mean_correlation": r}
    return Statistic(t, p, "t", n - 1, float(data.scar.mean()), note, extra)


def _skewness_adjusted(data: TestInput, options: Options) -> Statistic:
    car = data.car
    mean, sd, skew = float(car.mean()), float(sample_sd(car)), float(skewness(car))
    hall = float(hall_t(len(car), mean / sd, skew))
    johnson = float(johnson_t(len(car), mean / sd, skew))
    note = f"Hall's transformation, skewness {skew:.2f}; N(0, 1) over-rejects in small samples"
    extra = {"johnson": johnson, "johnson_p_value": p_value(johnson, options.alternative), "skewness": skew}
    return Statistic(hall, p_value(hall, options.alternative), "normal", None, mean, note, extra)


def _jackknife(data: TestInput, options: Options) -> Statistic:
    t, dof = float(jackknife_t(data.car)), len(data.car) - 1
    note = "for a mean the jackknife equals the cross-sectional t"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()), note)


def _mean_finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    """Find the detectable CAR of a t of the mean, where the spread of a few events says too little of it."""
    n, shared = data.n_events, float(found.extra.get("mean_correlation", 0.0))
    sd = expected_sd(data, shared) if n < FEW_FOR_SPREAD else None
    if sd is None:
        return None
    return least_mean_effect(sd, n - 1, options.alternative, 1.0 / float(bmp_correction(n, shared)), shared)


def _t_of_means(values: FloatArray, options: Options) -> Statistics:
    """T of the means of samples of CARs or SCARs, shape (M, n)."""
    dof = values.shape[-1] - 1
    return Statistics.of(mean_t(values), options, values.mean(axis=-1), dof, where=sample_sd(values) > 0)


def _cross_sectional_of(samples: Samples, options: Options) -> Statistics:
    return _t_of_means(samples.car, options)


def _bmp_of(samples: Samples, options: Options) -> Statistics:
    return _t_of_means(samples.scar, options)


def _independence_of(samples: Samples, options: Options) -> Statistics:
    z = independence_z(samples.car, samples.by_sample(samples.data.cumulative.variance))
    return Statistics.of(z, options, samples.car.mean(axis=-1))


def _patell_of(samples: Samples, options: Options) -> Statistics:
    dof = samples.by_sample(samples.data.cumulative.dof)
    enough = (dof > 2).all(axis=-1)
    return Statistics.of(patell_z(samples.scar, dof), options, samples.scar.mean(axis=-1), where=enough)


def _factors_known(n: int, r: FloatArray) -> BoolArray:
    """Whether mean correlations (M,) of n events leave an adjusted test defined, as `_no_factor` says."""
    return (1.0 + (n - 1) * r > NEGLIGIBLE) & (r <= 1.0 - NEGLIGIBLE)


def _adjusted_patell_of(samples: Samples, options: Options) -> Statistics:
    r, n = mean_correlations(samples), samples.size
    dof = samples.by_sample(samples.data.cumulative.dof)
    sound = (dof > 2).all(axis=-1) & _factors_known(n, r)
    z = patell_z(samples.scar, dof) * patell_correction(n, r)
    return Statistics.of(z, options, samples.scar.mean(axis=-1), where=sound)


def _adjusted_t_of_means(samples: Samples, values: FloatArray, options: Options) -> Statistics:
    r, n = mean_correlations(samples), samples.size
    sound = (sample_sd(values) > 0) & _factors_known(n, r)
    return Statistics.of(
        adjusted_cross_sectional_t(values, r), options, values.mean(axis=-1), n - 1, where=sound
    )


def _adjusted_cross_sectional_of(samples: Samples, options: Options) -> Statistics:
    return _adjusted_t_of_means(samples, samples.car, options)


def _adjusted_bmp_of(samples: Samples, options: Options) -> Statistics:
    return _adjusted_t_of_means(samples, samples.scar, options)


def _skewness_adjusted_of(samples: Samples, options: Options) -> Statistics:
    car, n = samples.car, samples.size
    mean, sd = car.mean(axis=-1), sample_sd(car)
    return Statistics.of(hall_t(n, mean / sd, skewness(car)), options, mean, where=sd > 0)


def _jackknife_of(samples: Samples, options: Options) -> Statistics:
    car = samples.car
    return Statistics.of(
        jackknife_t(car), options, car.mean(axis=-1), samples.size - 1, where=sample_sd(car) > 0
    )


VARIANCE, CORRELATION = "event-induced variance", "cross-correlation"
MEAN_NULL = "mean CAR is zero"
SCALED_NULL = "mean standardised CAR is zero"

PARAMETRIC_TESTS = (
    SignificanceTest(
        "cross_sectional", "Cross-sectional t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Brown and Warner (1980)", _cross_sectional, condition=_cars_differ, unit="CAR", finds=_mean_finds,
        batch=_cross_sectional_of,
    ),
    SignificanceTest(
        "adjusted_cross_sectional", "Adjusted cross-sectional t", MEAN_NULL, "t(N-1)",
        frozenset({VARIANCE, CORRELATION}), "Kolari and Pynnonen (2010)", _adjusted_cross_sectional,
        condition=_known(_cars_differ), unit="CAR", reads=("correlation",), finds=_mean_finds,
        batch=_adjusted_cross_sectional_of,
    ),
    SignificanceTest(
        "independence", "Independence z", MEAN_NULL, "N(0,1)", frozenset(),
        "Brown and Warner (1980); MacKinlay (1997)", _independence, needs_variance=True, unit="CAR",
        batch=_independence_of,
    ),
    SignificanceTest(
        "patell", "Patell Z", SCALED_NULL, "N(0,1)", frozenset(),
        "Patell (1976)", _patell, condition=_enough_dof, needs_variance=True, unit="SCAR", batch=_patell_of,
    ),
    SignificanceTest(
        "adjusted_patell", "Adjusted Patell Z", SCALED_NULL, "N(0,1)", frozenset({CORRELATION}),
        "Kolari and Pynnonen (2010)", _adjusted_patell, condition=_known(_enough_dof), needs_variance=True,
        unit="SCAR", reads=("correlation",), batch=_adjusted_patell_of,
    ),
    SignificanceTest(
        "bmp", "BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Boehmer, Musumeci and Poulsen (1991)", _bmp, condition=_scars_differ, needs_variance=True,
        unit="SCAR", batch=_bmp_of,
    ),
    SignificanceTest(
        "adjusted_bmp", "Adjusted BMP t", SCALED_NULL, "t(N-1)", frozenset({VARIANCE, CORRELATION}),
        "Kolari and Pynnonen (2010)", _adjusted_bmp, condition=_known(_scars_differ), needs_variance=True,
        unit="SCAR", reads=("correlation",), batch=_adjusted_bmp_of,
    ),
    SignificanceTest(
        "skewness_adjusted", "Skewness-adjusted t", MEAN_NULL, "N(0,1)",
        frozenset({VARIANCE, "non-normality"}),
        "Hall (1992); Johnson (1978)", _skewness_adjusted, condition=_cars_differ, least=3,
        batch=_skewness_adjusted_of,
    ),
    SignificanceTest(
        "jackknife", "Jackknife t", MEAN_NULL, "t(N-1)", frozenset({VARIANCE}),
        "Giaccotto and Sfiridis (1996)", _jackknife, condition=_cars_differ, unit="CAR",
        finds=_mean_finds, batch=_jackknife_of,
    ),
)  # fmt: skip
