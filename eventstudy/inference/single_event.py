"""Tests of one event: t with prediction error, and the sample quantile of its own past.

Formulas and sources: docs/methods/single_event.md, eqs. (single-t) and (sample-quantile).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.engine.moments import block_sums, scaled_residuals
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.significance_test import SignificanceTest

__all__ = ["SINGLE_TESTS", "sample_quantile"]

#: With fewer blocks than this no p-value reaches 5%.
ENOUGH_BLOCKS = 19


def sample_quantile(
    car: float,
    variance: float,
    s2: float,
    residuals: FloatArray,
    leverage: FloatArray,
    length: int = 1,
    alternative: Alternative = "two-sided",
    *,
    scaled: bool = True,
) -> tuple[float, float, int]:
    r"""Sample-quantile test of one CAR among sums of as many estimation residuals.

    The p-value is ``(1 + b) / (B + 1)``, where b of B blocks of `length` consecutive estimation
    days have a sum at least as extreme as the CAR. Blocks share no day: overlapping ones look
    more numerous than they are and reject too often (8% at 11 of 120 days).

    Parameters
    ----------
    car, variance, s2 : float
        The CAR, its prediction-error variance ``g'Vg`` (of autocorrelated errors over ``1'R1 / L``, as the
        blocks are autocorrelated themselves) and the residual variance.
    residuals, leverage : arrays, shape (W,)
        Estimation residuals and hat values; NaN where unused.
    length : int
        Sessions that the CAR spans.
    alternative : {"two-sided", "less", "greater"}
    scaled : bool
        Compare ``CAR / sqrt(g'Vg / (L s^2))`` with sums of ``e / sqrt(1 - h)``, which have the
        same variance under the null; else the CAR with sums of raw residuals.

    Returns
    -------
    value, p_value, n_blocks
        `value` is the CAR on the scale of the comparison.

    References
    ----------
    Gelbach, Helland and Klick (2013), American Law and Economics Review 15, 495-541;
    docs/methods/single_event.md, eqs. (sample-quantile) and (sample-quantile-p).

    Examples
    --------
    >>> e = np.arange(-49.0, 50.0) / 1000
    >>> value, p, n = sample_quantile(-0.046, 1.0, 1.0, e, np.zeros(99), 1, "less")
    >>> p, n
    (0.05, 99)
    """
    pool = block_sums(scaled_residuals(residuals, leverage) if scaled else residuals, length)
    value = car / float(np.sqrt(variance / (length * s2))) if scaled else car
    return value, resampled_p_value(value, pool, alternative), len(pool)


def _t(data: TestInput, options: Options) -> Statistic:
    t, dof = float(data.scar[0]), float(data.cumulative.dof[0])
    note = "" if data.abnormal.exact else "the model's standard error is approximate"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car[0]), note)


def _sq(data: TestInput, options: Options) -> Statistic:
    fit = data.abnormal
    residuals, leverage = fit.past.residuals()[0], fit.past.leverage()[0]
    # A return after a halt spans several sessions, and is compared with as many days.
    length = int(fit.span[0, data.cols][~np.isnan(fit.ar[0, data.cols])].sum())
    car, s2, scale = float(data.car[0]), float(fit.s2[0]), float(data.scale_of_sums[0])
    _, p, n = sample_quantile(car, scale * s2, s2, residuals, leverage, length, options.alternative)
    if n == 0:
        return not_applicable(f"the estimation window has no {length} days with a residual")
    among = "estimation days" if length == 1 else f"blocks of {length} estimation days"
    note = f"rank among {n} {among}"
    if n < ENOUGH_BLOCKS:
        note += f"; p cannot fall below {1 / (n + 1):.3f}: use {ENOUGH_BLOCKS * length} estimation days"
    unit = np.sqrt(length * s2 * float(data.cumulative.serial[0]))
    null = block_sums(scaled_residuals(residuals, leverage), length) / unit
    return Statistic(float(data.scar[0]), p, "rank", None, car, note, {"n_blocks": n, "null": null})


def _t_of(samples: Samples, options: Options) -> Statistics:
    return Statistics.of(samples.scar[:, 0], options, samples.car[:, 0], samples.data.cumulative.dof)


def _sq_of(samples: Samples, options: Options) -> Statistics:
    data = samples.data
    fit, length = data.abnormal, len(data.window)
    leverage = samples.past("leverage", fit.past.leverage)
    p = np.full(samples.n_samples, np.nan)
    for i, (car, scale, s2) in enumerate(zip(data.cumulative.car, data.scale_of_sums, fit.s2, strict=True)):
        _, found, n = sample_quantile(
            car, scale * s2, s2, samples.residuals[i], leverage[i], length, options.alternative
        )
        p[i] = found if n else np.nan
    return replace(
        Statistics.of(samples.scar[:, 0], options, samples.car[:, 0], where=~np.isnan(p)), p_value=p
    )


SINGLE_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "t", "t with prediction error", "CAR is zero", "t(M-k)", frozenset(),
        "Patell (1976); Salinger (1992)", _t, needs_variance=True, least=1, most=1, unit="CAR",
        batch=_t_of,
    ),
    SignificanceTest(
        "sq", "Sample-quantile test", "CAR is drawn like the estimation-window residuals",
        "rank among estimation days", frozenset({"non-normality"}),
        "Gelbach, Helland and Klick (2013)", _sq,
        needs_variance=True, rows_alike=True, least=1, most=1, unit="CAR", batch=_sq_of,
    ),
)  # fmt: skip
