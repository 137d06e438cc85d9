"""Jaffe's calendar-time test: one portfolio of events a day (METHODS C8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.support import (
    NEGLIGIBLE,
    counted,
    date_numbers,
    scaled_events,
    shortage,
    undefined,
)

__all__ = ["CALENDAR_TESTS", "jaffe_z", "portfolio_variance"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]
#: A portfolio's own variance needs more estimation days than this.
MIN_DAYS = 10


def portfolio_variance(
    residuals: FloatArray, days: IntArray, s2: FloatArray, n_params: float
) -> tuple[float, bool]:
    """Estimate the residual variance of an equal-weighted portfolio of n events.

    It comes from the portfolio's own residuals on the calendar days when all n events have one;
    should there be 10 such days or fewer, on the days when at least half of them do (the
    available ones being averaged); and should these be too few as well, the events are taken to
    be independent: ``sum s_i^2 / n^2``.

    Parameters
    ----------
    residuals : array, shape (n, W)
        NaN where unused.
    days : array of int, shape (n, W)
        Calendar day of each residual.
    s2 : array, shape (n,)
    n_params : float
        Mean parameters of the model.

    Returns
    -------
    variance, observed
        Whether the variance is the portfolio's own.
    """
    n = len(residuals)
    seen = ~np.isnan(residuals)
    at = days[seen] - days[seen].min()
    count = np.bincount(at)
    total = np.bincount(at, residuals[seen])
    for needed in (n, n / 2):
        held = count >= needed
        if held.sum() > max(MIN_DAYS, n_params):
            series = total[held] / count[held]
            return float((series**2).sum() / (held.sum() - n_params)), True
    return float(s2.sum() / n**2), False


def jaffe_z(
    ar: FloatArray,
    dates: DateArray,
    residuals: FloatArray,
    estimation_dates: DateArray,
    s2: FloatArray,
    n_params: float,
) -> tuple[float, int, int]:
    r"""Jaffe's (1974) calendar-time Z over the T calendar days of the tested windows, N(0, 1).

    .. math:: Z = \frac{1}{\sqrt T} \sum_c \frac{AR_{pc}}{\hat\sigma_{pc}}

    On each calendar day the events whose tested window holds it form an equal-weighted
    portfolio, measured by the standard deviation of the same portfolio's estimation residuals
    (`portfolio_variance`). Days are taken to be independent; there is no term for the error of
    the estimated parameters.

    Parameters
    ----------
    ar : array, shape (N, L)
        Abnormal returns of the tested days; NaN where missing.
    dates : array of datetime64[D], shape (N, L)
    residuals, estimation_dates : arrays, shape (N, W)
    s2 : array, shape (N,)
    n_params : float

    Returns
    -------
    statistic, n_days, n_assumed
        Calendar days T, and those on which the events had to be taken as independent. The
        statistic is NaN where a portfolio's residuals do not vary.
    """
    event, column = np.nonzero(~np.isnan(ar))
    value = ar[event, column]
    day = date_numbers(dates)[event, column]
    order = np.argsort(day, kind="stable")
    starts = np.flatnonzero(np.diff(day[order], prepend=day[order][0] - 1))
    past = date_numbers(estimation_dates)
    total, assumed = 0.0, 0
    for members in np.split(order, starts[1:]):
        who = event[members]
        variance, observed = portfolio_variance(residuals[who], past[who], s2[who], n_params)
        if variance <= NEGLIGIBLE**2 * float(s2[who].max()):
            return float("nan"), len(starts), assumed
        total += float(value[members].mean()) / np.sqrt(variance)
        assumed += not observed
    return float(total / np.sqrt(len(starts))), len(starts), assumed


def _jaffe(data: TestInput, options: Options) -> Statistic:
    used = scaled_events(data)
    fit = used.abnormal
    # A return that lumps d sessions has the noise of d days.
    z, days, assumed = jaffe_z(
        fit.ar[:, used.cols] / np.sqrt(np.maximum(fit.span[:, used.cols], 1)),
        used.tested_dates,
        fit.residuals,
        fit.estimation_dates,
        fit.s2,
        fit.lost_dof,
    )
    if np.isnan(z):
        return undefined("average residuals of the events of a day do not vary")
    note = f"{days} calendar day{'s' if days > 1 else ''}"
    if assumed:
        note += f", on {assumed} of them events share too few estimation days and count as independent"
    found = Statistic(z, p_value(z, options.alternative), "normal", None, float(used.car.mean()))
    return counted(data, found, note)


CALENDAR_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "jaffe", "Jaffe calendar-time Z", "mean abnormal return of the days is zero", "N(0,1)",
        frozenset({"cross-correlation"}), "Jaffe (1974)", lambda d: shortage(d, scaled=True), _jaffe,
    ),
)  # fmt: skip
