"""Bootstrap and permutation tests that resample whole estimation days.

Formulas and sources: docs/methods/bootstrap.md and docs/methods/permutation.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable
from eventstudy.inference.engine.draws import (
    day_counts,
    draw_days,
    draw_parts,
    null_t,
    resampled_p_value,
)
from eventstudy.inference.engine.moments import (
    average,
    block_length,
    known,
    past_shortage,
    scaled_residuals,
)
from eventstudy.inference.selection import n_windows
from eventstudy.inference.significance_test import SignificanceTest

__all__ = [
    "FEW_BLOCKS",
    "VECTOR_TESTS",
    "past_means",
    "past_varies",
    "pseudo_dates",
    "sessions_tested",
    "studentised_mean",
    "studentised_sums",
]

#: Pseudo-windows of L days that share days are few in truth: from this many times L days on they do.
ENOUGH_WINDOWS = 20


#: What is said of the bootstrap of autocorrelated days over several of them.
FEW_BLOCKS = "it rejects too often, as few blocks do not tell how much sums of such days vary"


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


def past_means(data: TestInput) -> FloatArray:
    """Average scaled residual of each estimation day, shape (W,); NaN where no event has one."""
    past = data.abnormal.past
    return average(scaled_residuals(past.residuals(), past.leverage()))


def studentised_mean(data: TestInput) -> tuple[float, float]:
    """Mean CAR over its prediction error by the portfolio's own past, and its parameters k."""
    fit = data.abnormal
    past = known(average(fit.past.residuals()))
    n_params = fit.lost_dof
    s2 = float((past**2).sum() / (len(known(past_means(data))) - n_params))
    return float(data.car.mean() / np.sqrt(s2 * data.scale_of_sums.mean())), n_params


def past_varies(data: TestInput) -> str | None:
    """Return the reason why the scaled residuals of the portfolio cannot measure noise, or None."""
    fit = data.abnormal
    return past_shortage(known(past_means(data)), fit.s2, int(fit.lost_dof) + 3)


def _one_date(data: TestInput) -> str | None:
    windows = n_windows(data)
    if windows > 1:
        return f"needs one common event date, the {data.n_events} events have {windows}"
    return past_varies(data)


def _block(data: TestInput, options: Options) -> Statistic:
    series = known(past_means(data))
    t, _ = studentised_mean(data)
    n, length, block = len(series), sessions_tested(data), block_length(series)
    rng = options.generator("block_bootstrap")
    centred = (series - series.mean())[:, None]
    # The event's days first and whole, so draws do not depend on the size of the parts.
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
    if block > 1 and length > 1:
        note += f"; {FEW_BLOCKS}"
    return Statistic(t, p, "resampled", None, float(data.car.mean()), note, {"null": null})


def _permutation(data: TestInput, options: Options) -> Statistic:
    series = known(past_means(data))
    t, n_params = studentised_mean(data)
    length = sessions_tested(data)
    if len(series) - length - n_params < 1:
        return not_applicable(
            f"{len(series)} estimation days hold no window of {length} days and the days to scale it by"
        )
    sums = studentised_sums(series, length, n_params)
    p = resampled_p_value(t, sums, options.alternative)
    note = f"rank among {len(sums)} pseudo-dates"
    if length > 1 and len(series) < ENOUGH_WINDOWS * length:
        note += (
            f", of which only {len(series) // length} share no day, so it rejects a little too often: use "
            f"{ENOUGH_WINDOWS * length} estimation days"
        )
    return Statistic(t, p, "rank", None, float(data.car.mean()), note, {"null": sums})


ROBUST = frozenset({"cross-correlation", "non-normality", "serial dependence"})

VECTOR_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "block_bootstrap", "Bootstrap of residual vectors", "mean CAR is zero", "percentile-t, resampled",
        ROBUST, "Hein and Westfall (2004)", _block, condition=_one_date, needs_variance=True, rows_alike=True,
        unit="CAR",
    ),
    SignificanceTest(
        "permutation", "Pseudo-date permutation", "the event is drawn like the estimation days",
        "rank among pseudo-dates", ROBUST,
        "Gelbach, Helland and Klick (2013); Cohn, Johnson, Liu and Wardlaw (csestudy)",
        _permutation, condition=past_varies,
        needs_variance=True, rows_alike=True, by_relative_day=True, unit="CAR",
    ),
)  # fmt: skip
