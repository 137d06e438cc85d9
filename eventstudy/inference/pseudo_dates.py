"""Tests of one common date by its own estimation days: residual vectors and pseudo-dates.

Formulas and sources: docs/methods/bootstrap.md and docs/methods/permutation.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput
from eventstudy.inference.bootstrap import draw_parts, resampled_p_value
from eventstudy.inference.portfolio import average
from eventstudy.inference.selection import (
    NEGLIGIBLE,
    n_windows,
    not_applicable,
    overlap_note,
    spread,
    too_few_events,
    with_counts,
    with_variance,
)

__all__ = [
    "VECTOR_TESTS",
    "block_length",
    "day_counts",
    "draw_days",
    "null_t",
    "past_means",
    "past_shortage",
    "pseudo_dates",
    "scaled_residuals",
    "sessions_tested",
    "studentised_mean",
    "studentised_sums",
]

#: A day with this leverage is fitted exactly, so its residual says nothing.
FULL_LEVERAGE = 1.0 - 1e-10
#: Pseudo-windows of L days that share days are few in truth: from this many times L days on they do.
ENOUGH_WINDOWS = 20
#: First autocorrelation, in standard errors, from which days are drawn in blocks (two-sided 1 %).
SERIAL = 2.58


def scaled_residuals(residuals: FloatArray, leverage: FloatArray) -> FloatArray:
    """Estimation residuals over ``sqrt(1 - h)``, which have the variance of the errors; same shape."""
    return residuals / np.sqrt(np.where(leverage < FULL_LEVERAGE, 1.0 - leverage, np.nan))


def draw_days(
    n_resamples: int, n_drawn: int, n_days: int, rng: np.random.Generator, block: int = 1
) -> IntArray:
    """Draw days 0 to n_days - 1 with replacement, in circular blocks; shape (n_resamples, n_drawn).

    Blocks of about ``n_days ** (1/3)`` days keep serial dependence (Politis and Romano 1992).
    """
    n_blocks = -(-n_drawn // block)
    start = rng.integers(n_days, size=(n_resamples, n_blocks, 1))
    return np.asarray(((start + np.arange(block)) % n_days).reshape(n_resamples, -1)[:, :n_drawn])


def day_counts(days: IntArray, n_days: int) -> FloatArray:
    """Count how often each of `n_days` days is drawn in each row of `days`; shape (B, n_days)."""
    offset = n_days * np.arange(len(days))[:, None]
    counts = np.bincount((days + offset).ravel(), minlength=len(days) * n_days)
    return counts.reshape(len(days), n_days).astype(np.float64)


def null_t(series: FloatArray, event: FloatArray, past: FloatArray) -> FloatArray:
    r"""T statistics of sums of L drawn days, measured by T drawn days; shape (B, m).

    .. math:: t^*_j = \frac{\sum_{l=1}^L u^*_{lj}}{\sqrt L\, s^*_j}

    All m columns draw the same days, so the statistics depend on each other as the columns do.

    Parameters
    ----------
    series : array, shape (T, m)
        Residuals over ``sqrt(1 - h)`` less their mean: of portfolios, or of events.
    event, past : arrays, shape (B, T)
        How often each day was drawn, as of `day_counts`: L times, and T times.

    References
    ----------
    Hein and Westfall (2004), Journal of Financial Econometrics 2, 451-471; Romano and Wolf (2005),
    Econometrica 73, 1237-1282; docs/methods/bootstrap.md, eq. (vector-bootstrap);
    docs/methods/multiple_testing.md, eq. (joint-draws).
    """
    length = event[0].sum()
    drawn = past[0].sum()
    mean = past @ series / drawn
    variance = (past @ series**2 - drawn * mean**2) / (drawn - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(event @ series / np.sqrt(length * np.maximum(variance, 0.0)), dtype=np.float64)


def block_length(series: FloatArray) -> int:
    """Days to a block: 1, or ``T ** (1/3)`` rounded up where neighbouring days are correlated.

    Correlated means a first autocorrelation beyond 2.58 / sqrt(T), shape (T,) of the series.
    """
    z = series - series.mean()
    first = float((z[1:] * z[:-1]).sum() / (z * z).sum())
    return int(np.ceil(len(z) ** (1 / 3))) if abs(first) > SERIAL / np.sqrt(len(z)) else 1


def studentised_sums(series: FloatArray, length: int, n_params: float) -> FloatArray:
    r"""Every sum of L consecutive days over its prediction error from the other days.

    .. math:: c_s = \frac{\sum_{t \in s} u_t}
              {\sqrt{L (T - L)/(T - 1)}\; \hat\sigma_{-s}}

    The standard deviation comes from the days outside of s. For returns about a constant mean
    this is the sum less L times the mean of the other days, over the standard error of that.

    Parameters
    ----------
    series : array, shape (T,)
        Residuals over ``sqrt(1 - h)``.
    length : int
    n_params : float
        Mean parameters k of the model.

    Returns
    -------
    array, shape (T - L + 1,)

    References
    ----------
    docs/methods/permutation.md, eqs. (pseudo-dates) and (pseudo-date-variance).
    """
    n = len(series)
    total = np.concatenate([[0.0], np.cumsum(series)])
    squares = np.concatenate([[0.0], np.cumsum(series**2)])
    sums = total[length:] - total[:-length]
    outside = squares[-1] - (squares[length:] - squares[:-length]) - sums**2 / (n - length)
    # Scaling by sqrt(1 - h) made T - k degrees of freedom into T.
    variance = np.maximum(outside, 0.0) * (n - n_params) / n / (n - length - n_params)
    with np.errstate(divide="ignore"):
        return np.asarray(sums / np.sqrt(length * (n - length) / (n - 1.0) * variance), dtype=np.float64)


def pseudo_dates(series: FloatArray, length: int) -> FloatArray:
    """Every sum of L consecutive days, shape (T,) -> (T - L + 1,).

    Examples
    --------
    >>> pseudo_dates(np.array([1.0, 2.0, 4.0]), 2).tolist()
    [3.0, 6.0]
    """
    return np.asarray(np.lib.stride_tricks.sliding_window_view(series, length).sum(axis=1))


def sessions_tested(data: TestInput) -> int:
    """Sessions that the tested window spans: its days, and those that a return after a halt lumps."""
    spans = data.abnormal.span[:, data.cols].sum(axis=1)
    return max(int(np.median(spans[spans > 0])), 1)


def past_means(used: TestInput) -> FloatArray:
    """Average scaled residual of each estimation day, shape (W,); NaN where no event has one."""
    return average(scaled_residuals(used.abnormal.residuals, used.abnormal.leverage))


def _portfolio(used: TestInput) -> FloatArray:
    """Average scaled residual of the estimation days that have one, shape (T,)."""
    series = past_means(used)
    return series[~np.isnan(series)]


def studentised_mean(used: TestInput) -> tuple[float, float]:
    """Mean CAR over its prediction error by the portfolio's own past, and its parameters k."""
    fit = used.abnormal
    past = average(fit.residuals)
    n_params = fit.lost_dof
    s2 = float((past[~np.isnan(past)] ** 2).sum() / (len(_portfolio(used)) - n_params))
    return float(used.car.mean() / np.sqrt(s2 * (used.cumulative.variance / fit.s2).mean())), n_params


def past_shortage(data: TestInput) -> str | None:
    """Say why the estimation-window averages cannot measure noise, or None."""
    used = with_variance(data)
    series = _portfolio(used)
    needed = int(used.abnormal.lost_dof) + 3
    if len(series) < needed:
        return f"only {len(series)} estimation days have a residual"
    if spread(series) <= NEGLIGIBLE * float(np.sqrt(used.abnormal.s2.max())):
        return "average abnormal returns do not vary over the estimation window"
    return None


def _block_applies(data: TestInput) -> str | None:
    reason = too_few_events(data, scaled=True)
    if reason:
        return reason
    used = with_variance(data)
    windows = n_windows(used)
    if windows > 1:
        return f"needs one common event date, the {used.n_events} events have {windows}"
    return past_shortage(data)


def _block(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    series = _portfolio(used)
    t, _ = studentised_mean(used)
    n, length, block = len(series), sessions_tested(used), block_length(series)
    rng = options.generator("block_bootstrap")
    centred = (series - series.mean())[:, None]
    # The event's days first and whole, so that draws do not depend on the size of the parts.
    event = draw_days(options.n_resamples, length, n, rng, block)
    draws, done = [], 0
    for size in draw_parts(options.n_resamples, n):
        past = day_counts(draw_days(size, n, n, rng, block), n)
        draws.append(null_t(centred, day_counts(event[done : done + size], n), past)[:, 0])
        done += size
    null = np.concatenate(draws)
    p = resampled_p_value(t, null, options.alternative)
    unit = f"{n} estimation days" + (f" in blocks of {block}: they are autocorrelated" if block > 1 else "")
    note = f"{options.n_resamples} draws of residual vectors from {unit}"
    found = Statistic(t, p, "resampled", None, float(used.car.mean()), note, {"null": null})
    return with_counts(data, found)


def _permutation_applies(data: TestInput) -> str | None:
    return too_few_events(data, scaled=True) or past_shortage(data)


def _permutation(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    series = _portfolio(used)
    t, n_params = studentised_mean(used)
    length = sessions_tested(used)
    if len(series) - length - n_params < 1:
        return not_applicable(
            f"{len(series)} estimation days hold no window of {length} days and its measure"
        )
    sums = studentised_sums(series, length, n_params)
    p = resampled_p_value(t, sums, options.alternative)
    note = f"rank among {len(sums)} pseudo-dates"
    if length > 1 and len(series) < ENOUGH_WINDOWS * length:
        note += (
            f", of which only {len(series) // length} share no day, so it rejects a little too often: use "
            f"{ENOUGH_WINDOWS * length} estimation days"
        )
    found = Statistic(t, p, "rank", None, float(used.car.mean()), note, {"null": sums})
    return with_counts(data, found, overlap_note(data))


ROBUST = frozenset({"cross-correlation", "non-normality", "serial dependence"})

VECTOR_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "block_bootstrap", "Bootstrap of residual vectors", "mean CAR is zero", "percentile-t, resampled",
        ROBUST, "Hein and Westfall (2004)", _block_applies, _block,
        unit="CAR",
    ),
    SignificanceTest(
        "permutation", "Pseudo-date permutation", "the event is drawn like the estimation days",
        "rank among pseudo-dates", ROBUST,
        "Gelbach, Helland and Klick (2013); Cohn, Johnson, Liu and Wardlaw (csestudy)",
        _permutation_applies, _permutation, unit="CAR",
    ),
)  # fmt: skip
