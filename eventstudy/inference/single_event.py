"""Tests for one event: t with prediction error, and the sample quantile of its own past.

Formulas and sources: docs/methods/single_event.md, eqs. (single-t) and (sample-quantile).
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import (
    Alternative,
    Options,
    SignificanceTest,
    Statistic,
    TestInput,
    p_value,
)
from eventstudy.inference.selection import not_applicable, usable_events, with_variance

__all__ = ["SINGLE_TESTS", "block_sums", "one_event", "quantile_p_value", "sample_quantile"]

#: With fewer blocks than this no p-value reaches 5 %.
ENOUGH_BLOCKS = 20
#: A day with this leverage is fitted exactly, so its residual says nothing.
FULL_LEVERAGE = 1.0 - 1e-10


def block_sums(values: FloatArray, length: int) -> FloatArray:
    """Add up blocks of `length` consecutive values that share none, the last block last.

    Parameters
    ----------
    values : array, shape (M,)
        NaN are passed over; blocks are cut from the end, an incomplete first block is not used.
    length : int

    Returns
    -------
    array, shape (M // length,)

    Examples
    --------
    >>> block_sums(np.array([9.0, 1.0, 2.0, np.nan, 3.0, 4.0]), 2).tolist()
    [3.0, 7.0]
    """
    kept = values[~np.isnan(values)]
    blocks: FloatArray = kept[len(kept) % length :].reshape(-1, length)
    return np.asarray(blocks.sum(axis=1))


def quantile_p_value(value: float, pool: FloatArray, alternative: Alternative) -> float:
    """``(1 + b) / (B + 1)``, b of the B pool values being at least as extreme as `value`."""
    if alternative == "less":
        extreme = pool <= value
    elif alternative == "greater":
        extreme = pool >= value
    else:
        extreme = np.abs(pool) >= abs(value)
    return float((1 + extreme.sum()) / (len(pool) + 1))


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
    more numerous than they are and reject too often (8 % at 11 of 120 days).

    Parameters
    ----------
    car, variance, s2 : float
        The CAR, its prediction-error variance ``g'Vg`` and the residual variance.
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
    pool = _pool(residuals, leverage, length, scaled=scaled)
    value = car / float(np.sqrt(variance / (length * s2))) if scaled else car
    return value, quantile_p_value(value, pool, alternative), len(pool)


def _pool(residuals: FloatArray, leverage: FloatArray, length: int, *, scaled: bool) -> FloatArray:
    """Add up blocks of estimation residuals, of ``e / sqrt(1 - h)`` if scaled."""
    if not scaled:
        return block_sums(residuals, length)
    return block_sums(residuals / np.sqrt(np.where(leverage < FULL_LEVERAGE, 1.0 - leverage, np.nan)), length)


def one_event(data: TestInput) -> str | None:
    """Return the reason why a test of one event cannot be used, or None."""
    n = usable_events(data).n_events
    if n == 0:
        return f"no event has a CAR in window {data.window}"
    if n > 1:
        return f"a test of one event, there are {n}"
    return None if with_variance(data).n_events else "residual variance is zero"


def _t(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    t, dof = float(used.scar[0]), float(used.abnormal.dof[0])
    notes = [] if used.abnormal.exact else ["the model's standard error is approximate"]
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, float(used.car[0]), "; ".join(notes))


def _sq(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    fit = used.abnormal
    # A return after a halt spans several sessions, and is compared with as many days.
    length = int(fit.span[0, used.cols][~np.isnan(fit.ar[0, used.cols])].sum())
    _, p, n = sample_quantile(
        float(used.car[0]),
        float(used.cumulative.variance[0]),
        float(fit.s2[0]),
        fit.residuals[0],
        fit.leverage[0],
        length,
        options.alternative,
    )
    if n == 0:
        return not_applicable(f"the estimation window has no {length} days with a residual")
    unit = "estimation days" if length == 1 else f"blocks of {length} estimation days"
    note = f"rank among {n} {unit}"
    if n < ENOUGH_BLOCKS:
        note += f"; p cannot fall below {1 / (n + 1):.3f}: use {ENOUGH_BLOCKS * length} estimation days"
    null = _pool(fit.residuals[0], fit.leverage[0], length, scaled=True) / np.sqrt(length * fit.s2[0])
    extra = {"n_blocks": n, "null": null}
    return Statistic(float(used.scar[0]), p, "rank", None, float(used.car[0]), note, extra)


SINGLE_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "t", "t with prediction error", "CAR is zero", "t(M-k)", frozenset(),
        "Patell (1976); Salinger (1992)", one_event, _t, unit="CAR",
    ),
    SignificanceTest(
        "sq", "Sample-quantile test", "CAR is drawn like the estimation-window residuals",
        "rank among estimation days", frozenset({"non-normality"}),
        "Gelbach, Helland and Klick (2013)", one_event, _sq, unit="CAR",
    ),
)  # fmt: skip
