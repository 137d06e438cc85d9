"""Jaffe's calendar-time test: one portfolio of events a day (METHODS C8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.past import Past, past_sums, sums_by_run
from eventstudy.inference.support import (
    NEGLIGIBLE,
    counted,
    date_numbers,
    scaled_events,
    shortage,
    undefined,
)
from eventstudy.models.deferred import parts_of, rows_of
from eventstudy.windows import Window

__all__ = ["CALENDAR_TESTS", "jaffe_of_sessions", "jaffe_z", "portfolio_variance"]

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


@dataclass(frozen=True)
class _Days:
    """Portfolios of C calendar days, over the days b on which some of their events have residuals.

    `total` and `count`, shape (C, b), sum the residuals of the members and say how many there are; the
    others have shape (C,): members, their mean abnormal return, sum and largest of their variances.
    """

    total: FloatArray
    count: IntArray
    members: IntArray
    value: FloatArray
    s2: FloatArray
    largest: FloatArray


def jaffe_of_sessions(
    ar: FloatArray, abnormal: AbnormalReturns, window: Window, sessions: IntArray
) -> tuple[float, int, int]:
    """Jaffe's statistic, as `jaffe_z`, of events of one market, from sums over the events of a session.

    Parameters
    ----------
    ar : array, shape (N, L)
        Abnormal returns of the tested days; NaN where missing.
    abnormal : AbnormalReturns
    window : Window
        The tested days.
    sessions : array of int, shape (N,)
        Day 0 of each event.
    """
    days = _portfolios(ar, abnormal, window, sessions)
    n_params, variance = abnormal.lost_dof, days.s2 / days.members**2
    open_, assumed = np.ones(len(variance), dtype=bool), len(variance)
    for share in (1.0, 0.5):
        held = days.count >= share * days.members[:, None]
        n_held = held.sum(axis=1)
        own = open_ & (n_held > max(MIN_DAYS, n_params))
        series = np.where(held, days.total / np.maximum(days.count, 1), 0.0)
        own_variance = np.einsum("cb,cb->c", series, series) / np.where(own, n_held - n_params, 1.0)
        variance = np.where(own, own_variance, variance)
        open_ &= ~own
        assumed -= int(own.sum())
    if (variance <= NEGLIGIBLE**2 * days.largest).any():
        return float("nan"), len(variance), assumed
    return float((days.value / np.sqrt(variance)).sum() / np.sqrt(len(variance))), len(variance), assumed


def _portfolios(ar: FloatArray, abnormal: AbnormalReturns, window: Window, sessions: IntArray) -> _Days:
    past = past_sums(abnormal)
    order = np.argsort(past.run, kind="stable")
    run = past.run[order]
    start = np.flatnonzero(np.diff(run, prepend=-1))
    seen = ~np.isnan(ar[order])
    members = np.add.reduceat(seen, start, axis=0, dtype=np.int64)
    value = np.add.reduceat(np.where(seen, ar[order], 0.0), start, axis=0)
    s2 = np.where(seen, abnormal.s2[order][:, None], 0.0)
    # Calendar days as sessions; a run of events is a part of the portfolios of the days it has returns on.
    day = sessions[past.event][:, None] + window.offsets
    numbers, place = np.unique(day[members > 0], return_inverse=True)
    at = np.full(day.shape, -1)
    at[members > 0] = place
    width, length = past.total.shape[1], len(window)
    made = _Days(
        np.zeros((len(numbers), width + length - 1)),
        np.zeros((len(numbers), width + length - 1), dtype=np.int64),
        *(np.zeros(len(numbers), dtype=kind) for kind in (np.int64, float, float, float)),
    )
    sums, largest = np.add.reduceat(s2, start, axis=0), np.maximum.reduceat(s2, start, axis=0)
    for j in range(length):
        here = members[:, j] > 0
        rows, columns = at[here, j], slice(length - 1 - j, length - 1 - j + width)
        made.total[rows, columns] += past.total[here]
        made.count[rows, columns] += past.count[here]
        made.members[rows] += members[here, j]
        made.value[rows] += value[here, j]
        made.s2[rows] += sums[here, j]
        made.largest[rows] = np.maximum(made.largest[rows], largest[here, j])
    # An event without return on a day is no member of that day's portfolio.
    absent = order[~seen.all(axis=1)]
    if len(absent):
        few = rows_of(abnormal, absent, abnormal.n_events)
        for part, residuals in parts_of(few, "residuals"):
            who = absent[part]
            for j in range(length):
                out = np.isnan(ar[who, j]) & (at[past.run[who], j] >= 0)
                if out.any():
                    part = Past.of(who[out], residuals[out])
                    runs, total, count = sums_by_run(part.residuals, past.run[part.rows], part.missing)
                    columns = slice(length - 1 - j, length - 1 - j + width)
                    made.total[at[runs, j], columns] -= total
                    made.count[at[runs, j], columns] -= count
    return replace(made, value=made.value / made.members)


def _jaffe(data: TestInput, options: Options) -> Statistic:
    used = scaled_events(data)
    fit = used.abnormal
    # A return that lumps d sessions has the noise of d days.
    ar = fit.ar[:, used.cols] / np.sqrt(np.maximum(fit.span[:, used.cols], 1))
    if fit.session is not None:
        z, days, assumed = jaffe_of_sessions(ar, fit, used.window, fit.session)
    else:
        z, days, assumed = jaffe_z(
            ar, used.tested_dates, fit.residuals, fit.estimation_dates, fit.s2, fit.lost_dof
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
        reads=("sums",),
    ),
)  # fmt: skip
