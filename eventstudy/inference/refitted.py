"""Tests of one event that fit its model again: conformal and residual bootstrap.

Formulas and sources: docs/methods/permutation.md and docs/methods/bootstrap.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, not_applicable
from eventstudy.inference.engine.draws import TIE, draw_days, draw_parts, resampled_p_value
from eventstudy.inference.engine.moments import known, scaled_residuals
from eventstudy.inference.engine.refit import regression_of
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.text import minus

__all__ = [
    "REFIT_TESTS",
    "Bootstrapped",
    "Conformal",
    "bootstrap_of",
    "conformal",
    "conformal_of",
    "residual_bootstrap",
]

#: Coverage of the intervals in the notes.
COVERAGE = 0.95
#: Blocks that overlap the event are as unusual as it is: fewer than this many times L days are too few.
ENOUGH_DAYS = 20


@dataclass(frozen=True)
class Conformal:
    """Result of `conformal`.

    Attributes
    ----------
    p_value : float
    n_days : int
        Days, and so circular blocks, T + L.
    low, high : float
        Interval of the CAR, spread evenly over the days; infinite where there are too few days.
    others : array, shape (T + L - 1,)
        The other blocks, as the CARs that would give the event's block their sums.
    """

    p_value: float
    n_days: int
    low: float
    high: float
    others: FloatArray


@dataclass(frozen=True)
class Bootstrapped:
    """Result of `bootstrap_of`.

    Attributes
    ----------
    draws : array, shape (B,)
        Bootstrapped t statistics under the null.
    low, high : float
        Percentile-t interval of the CAR.
    """

    draws: FloatArray
    low: float
    high: float


def conformal(
    residuals: FloatArray,
    ar: FloatArray,
    design: FloatArray,
    event_design: FloatArray,
    alternative: Alternative = "two-sided",
    level: float = COVERAGE,
) -> Conformal:
    r"""Conformal test of one event, its model fitted again with the event window in the sample.

    Under the null that the event had no effect all T + L residuals are exchangeable (or stationary
    and weakly dependent), so the sum over the event's L days is compared with the sums over all
    circular blocks of L days:

    .. math:: p = \frac{1}{T + L} \sum_s 1\{|S_s| \ge |S_{event}|\}

    Parameters
    ----------
    residuals, design : arrays, shape (T,) and (T, k)
        Estimation residuals, and constant and regressors of the same days, in order of time.
    ar, event_design : arrays, shape (L,) and (L, k)
        Abnormal returns of the tested days, and their regressors.
    alternative : {"two-sided", "less", "greater"}
    level : float, default 0.95
        Coverage of the interval, which holds every CAR, spread evenly over the L days, that the
        test does not reject when it is taken off the returns; infinite on one side if one-sided.

    Returns
    -------
    Conformal

    Notes
    -----
    Residuals and abnormal returns stand for the returns: any line taken off both drops out when
    the line is fitted again. p is a multiple of ``1 / (T + L)``, and blocks that overlap the
    event's are among the compared. The days between the windows are not in the sample.

    References
    ----------
    Chernozhukov, Wuthrich and Zhu (2021), Journal of the American Statistical Association 116, 1849-1864;
    docs/methods/permutation.md, eqs. (conformal-p) and (conformal-interval).

    Examples
    --------
    >>> e = np.resize([0.01, -0.01, 0.02, -0.02], 40)
    >>> found = conformal(e, np.array([0.05]), np.ones((40, 1)), np.ones((1, 1)))
    >>> round(found.p_value, 4), found.n_days
    (0.0244, 41)
    """
    n, length = len(residuals) + len(ar), len(ar)
    at = len(residuals)
    basis = np.linalg.qr(np.vstack([design, event_design]))[0]
    y = np.concatenate([residuals, ar])
    event = np.concatenate([np.zeros(at), np.ones(length)])
    sums, shares = (_circular_sums(values - basis @ (basis.T @ values), length) for values in (y, event))
    p = resampled_p_value(sums[at], np.delete(sums, at), alternative)
    low, high = _inverted(sums, shares, at, level, alternative)
    others = np.delete(sums, at) / shares[at] * length
    return Conformal(p, n, length * low, length * high, others)


def _circular_sums(values: FloatArray, length: int) -> FloatArray:
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[: length - 1]]))])
    return np.asarray(total[length:] - total[:-length], dtype=np.float64)


def _inverted(
    sums: FloatArray, shares: FloatArray, at: int, level: float, alternative: Alternative
) -> tuple[float, float]:
    """Effects per day that are not rejected.

    An effect c taken off the returns takes ``c * shares`` off the sums. Block s is at least as
    extreme as the event's where c lies between the roots of ``|S_s - c D_s| = |S_0 - c D_0|``,
    between which lies the estimate ``S_0 / D_0``. Of a one-sided test only the first of them counts,
    ``S_s - c D_s = S_0 - c D_0``.
    """
    b0, d0 = sums[at], shares[at]
    b, d = np.delete(sums, at), np.delete(shares, at)
    proper = np.abs(d) < d0 * (1.0 - TIE)
    one = np.where(proper, (b0 - b) / np.where(proper, d0 - d, 1.0), -np.inf)
    two = np.where(proper, (b0 + b) / np.where(proper, d0 + d, 1.0), np.inf)
    needed = int(np.floor((1.0 - level) * len(sums) + TIE))
    if needed == 0:
        return -np.inf, np.inf
    if alternative == "less":
        return -np.inf, float(np.sort(np.where(proper, one, np.inf))[-needed])
    if alternative == "greater":
        return float(np.sort(one)[needed - 1]), np.inf
    return float(np.sort(np.minimum(one, two))[needed - 1]), float(np.sort(np.maximum(one, two))[-needed])


def residual_bootstrap(
    residuals: FloatArray,
    leverage: FloatArray,
    design: FloatArray,
    event_row: FloatArray,
    scale: float,
    length: int,
    n_resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    r"""Bootstrapped t statistics of one CAR, its model fitted again in each; shape (n_resamples,).

    .. math:: t^* = \frac{\sum_{l=1}^L u^*_l - x_*'(X'X)^{-1}X'u^*}{s^* \sqrt{\gamma'V\gamma / s^2}}

    for T estimation days u* and L event days, drawn with replacement from
    ``e / sqrt(1 - h)`` less its mean: both the noise of the event and the error of the line vary.

    Parameters
    ----------
    residuals, leverage, design : arrays, shape (T,), (T,) and (T, k)
        As in `Regression`.
    event_row : array, shape (k,)
        Sum of the regressors over the tested days, x*.
    scale : float
        ``g'Vg / s^2`` of the CAR.
    length : int
        Sessions that the CAR spans.
    n_resamples : int
    rng : numpy.random.Generator

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, section 6.3.3;
    docs/methods/bootstrap.md, eq. (residual-bootstrap).
    """
    n, k = design.shape
    pool = known(scaled_residuals(residuals, leverage))
    pool = pool - pool.mean()
    basis, upper = np.linalg.qr(design)
    weight = basis @ np.linalg.solve(upper.T, event_row)
    parts = []
    for size in draw_parts(n_resamples, n + length):
        drawn = pool[draw_days(size, n + length, len(pool), rng)]
        past, event = drawn[:, :n], drawn[:, n:]
        sse = (past**2).sum(axis=1) - ((past @ basis) ** 2).sum(axis=1)
        error = event.sum(axis=1) - past @ weight
        parts.append(error / np.sqrt(np.maximum(sse, 0.0) / (n - k) * scale))
    return np.concatenate(parts)


def _has_regression(data: TestInput) -> str | None:
    found = regression_of(data.abnormal)
    return found if isinstance(found, str) else None


def _one_session_each(data: TestInput) -> str | None:
    reason = _has_regression(data)
    if reason is None and data.abnormal.span[0, data.cols].max() > 1:
        return "a tested return spans several sessions, and is not exchangeable with returns of one"
    return reason


def _reach(low: float, high: float) -> str:
    if np.isinf([low, high]).all():
        return "unbounded"
    if np.isinf(low):
        return f"up to {minus(f'{high:.2%}')}"
    return minus(f"from {low:.2%} on" if np.isinf(high) else f"{low:.2%} to {high:.2%}")


def conformal_of(
    data: TestInput, alternative: Alternative = "two-sided", level: float = COVERAGE
) -> Conformal | str:
    """Conformal test of the one event of `data`, or the reason why there is none."""
    line = regression_of(data.abnormal)
    if isinstance(line, str):
        return line
    ar = data.abnormal.ar[0, data.cols]
    seen = ~np.isnan(ar)
    design = line.event_design[data.cols][seen]
    return conformal(line.residuals, ar[seen], line.design, design, alternative, level)


def _conformal(data: TestInput, options: Options) -> Statistic:
    found = conformal_of(data, options.alternative)
    if isinstance(found, str):
        return not_applicable(found)
    note = f"rank among {found.n_days} circular blocks; 95% interval {_reach(found.low, found.high)}"
    if not data.abnormal.exact:
        note += " about the line of least squares"
    length = len(known(data.abnormal.ar[0, data.cols]))
    if found.n_days < ENOUGH_DAYS * length:
        least = length / found.n_days
        note += f"; a reaction on one day alone would not bring p below {least:.3f}: too few estimation days"
    null = found.others / np.sqrt(data.cumulative.variance[0])
    extra = {"ci_low": found.low, "ci_high": found.high, "n_days": found.n_days, "null": null}
    return Statistic(float(data.scar[0]), found.p_value, "rank", None, float(data.car[0]), note, extra)


def bootstrap_of(data: TestInput, options: Options, level: float = COVERAGE) -> Bootstrapped | str:
    """Residual bootstrap of the one event of `data`, or the reason why there is none."""
    fit, line = data.abnormal, regression_of(data.abnormal)
    if isinstance(line, str):
        return line
    seen = ~np.isnan(fit.ar[0, data.cols])
    draws = residual_bootstrap(
        line.residuals,
        line.leverage,
        line.design,
        line.event_design[data.cols][seen].sum(axis=0),
        float(data.cumulative.variance[0] / fit.s2[0]),
        int(fit.span[0, data.cols][seen].sum()),
        options.n_resamples,
        options.generator("bootstrap_t"),
    )
    car, se = float(data.car[0]), float(np.sqrt(data.cumulative.variance[0]))
    beyond = (1 - level) / 2 if options.alternative == "two-sided" else 1 - level
    tails = np.quantile(draws, [beyond, 1 - beyond])
    low = -np.inf if options.alternative == "less" else car - float(tails[1]) * se
    high = np.inf if options.alternative == "greater" else car - float(tails[0]) * se
    return Bootstrapped(draws, low, high)


def _bootstrap_t(data: TestInput, options: Options) -> Statistic:
    found = bootstrap_of(data, options)
    if isinstance(found, str):
        return not_applicable(found)
    t = float(data.scar[0])
    p = resampled_p_value(t, found.draws, options.alternative)
    note = f"{options.n_resamples} fits to drawn residuals; 95% interval {_reach(found.low, found.high)}"
    extra = {"ci_low": found.low, "ci_high": found.high, "null": found.draws}
    return Statistic(t, p, "resampled", None, float(data.car[0]), note, extra)


NULL = "CAR is zero"

REFIT_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "conformal", "Conformal test", "the event is exchangeable with the estimation days",
        "rank among circular blocks", frozenset({"non-normality", "serial dependence"}),
        "Chernozhukov, Wuthrich and Zhu (2021)", _conformal, condition=_one_session_each,
        needs_variance=True, rows_alike=True, least=1, most=1, unit="CAR",
    ),
    SignificanceTest(
        "bootstrap_t", "Residual bootstrap t", NULL, "percentile-t, resampled", frozenset({"non-normality"}),
        "Davison and Hinkley (1997)", _bootstrap_t, condition=_has_regression,
        needs_variance=True, rows_alike=True, least=1, most=1, unit="CAR",
    ),
)  # fmt: skip
