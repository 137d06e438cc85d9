"""Jaffe's calendar-time test: one portfolio of events per day.

Formulas and source: docs/methods/portfolio.md, eqs. (jaffe-z) and (jaffe-firms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.engine.calendar_days import date_numbers
from eventstudy.inference.engine.moments import NEGLIGIBLE
from eventstudy.inference.engine.residual_pass import (
    ResidualChunk,
    ResidualSums,
    past_sums,
    run_of,
    sums_by_run,
)
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.selection import misled_by_halts
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.windows import Window

__all__ = ["CALENDAR_TESTS", "jaffe_of_sessions", "jaffe_z", "portfolio_variance"]

#: A portfolio's own variance needs more estimation days than this.
MIN_DAYS = 10
#: Calendar days whose portfolios are measured at a time: their residuals stay in the cache of a core.
BLOCK = 64
#: Days are numbered by a table of all days between them; by sorting, if that has this many times as many.
SPARSE = 16


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
    if n == 1 and (left := int(np.count_nonzero(seen))) > max(MIN_DAYS, n_params):
        return float((residuals[seen] ** 2).sum() / (left - n_params)), True
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
    *,
    by_firms: bool = False,
) -> tuple[float, int, int]:
    r"""Jaffe's (1974) calendar-time Z over the T calendar days of the tested windows, N(0, 1).

    .. math:: Z = \frac{1}{\sqrt T} \sum_c \frac{AR_{pc}}{\hat\sigma_{pc}}, \qquad
              Z_w = \frac{\sum_c n_c AR_{pc}}{\sqrt{\sum_c n_c^2 \hat\sigma_{pc}^2}} \;\text{by firms}

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
    by_firms : bool, default False
        Whether a day counts by its number n_c of firms instead of once.

    Returns
    -------
    statistic, n_days, n_assumed
        Calendar days T, and those on which the events had to be taken as independent. The
        statistic is NaN where a portfolio's residuals do not vary.

    References
    ----------
    Jaffe (1974), Journal of Business 47, 410-428; docs/methods/portfolio.md, eqs. (jaffe-z) and
    (jaffe-firms).
    """
    event, column = np.nonzero(~np.isnan(ar))
    value = ar[event, column]
    day = date_numbers(dates)[event, column]
    order = np.argsort(day, kind="stable")
    starts = np.flatnonzero(np.diff(day[order], prepend=day[order][0] - 1))
    past = date_numbers(estimation_dates)
    means, variances, sizes, assumed = [], [], [], 0
    held: dict[
        tuple[int, ...], tuple[float, bool]
    ] = {}  # days of one window, as a rule, have the same events
    for members in np.split(order, starts[1:]):
        who = event[members]
        key = tuple(who.tolist())
        if key not in held:
            held[key] = portfolio_variance(residuals[who], past[who], s2[who], n_params)
        variance, observed = held[key]
        if variance <= NEGLIGIBLE**2 * float(s2[who].max()):
            return float("nan"), len(starts), assumed
        means.append(value[members].mean())
        variances.append(variance)
        sizes.append(len(who))
        assumed += not observed
    z = _over_days(np.array(means), np.array(variances), np.array(sizes), by_firms=by_firms)
    return z, len(starts), assumed


def _over_days(mean: FloatArray, variance: FloatArray, members: IntArray, *, by_firms: bool) -> float:
    """Add up the portfolios of C independent days; shapes (C,)."""
    if by_firms:
        return float((members * mean).sum() / np.sqrt((members**2 * variance).sum()))
    return float((mean / np.sqrt(variance)).sum() / np.sqrt(len(mean)))


@dataclass(frozen=True)
class _Portfolios:
    """Portfolios of C calendar days, of events in g runs of one day 0 each, in order.

    Attributes
    ----------
    past : ResidualSums
    runs, days : lists of arrays of int, one for each of the L tested days
        Runs of which an event has a return on it, and which calendar day, by position, it is for them.
    absent : arrays of int, shape (3, a)
        Events without a return on a tested day, which tested day, and which calendar day that is, in the
        order of the latter: they are not in its portfolio, though others of their run are.
    members, value, s2, largest : arrays, shape (C,)
        Events, their mean abnormal return, sum and largest of their variances.
    """

    past: ResidualSums
    runs: list[IntArray]
    days: list[IntArray]
    absent: IntArray
    members: IntArray
    value: FloatArray
    s2: FloatArray
    largest: FloatArray

    def residuals(self, abnormal: AbnormalReturns, first: int, stop: int) -> tuple[FloatArray, IntArray]:
        """Sum the residuals of the members of some days, and count them; both of shape (days, W + L - 1)."""
        past, length = self.past, len(self.runs)
        width = past.total.shape[1]
        total = np.zeros((stop - first, width + length - 1))
        count = np.zeros(total.shape, dtype=np.int64)
        whole = past.count.shape[1] == 1
        for j, (runs, days) in enumerate(zip(self.runs, self.days, strict=True)):
            here = slice(*np.searchsorted(days, [first, stop]).tolist())
            if here.start == here.stop:
                continue
            start = length - 1 - j
            to, of = run_of(days[here] - first), run_of(runs[here])
            total[to, start : start + width] += past.total[of]
            if whole:  # as changes from one day to the next
                count[to, start] += past.count[of, 0]
                if j:
                    count[to, start + width] -= past.count[of, 0]
            else:
                count[to, start : start + width] += past.count[of]
        if whole:
            count = np.cumsum(count, axis=1)
        begin, end = np.searchsorted(self.absent[2], [first, stop]).tolist()
        for b in range(begin, end, lazy.CHUNK):
            self._take_out(abnormal, self.absent[:, b : min(b + lazy.CHUNK, end)], first, total, count)
        return total, count

    def _take_out(
        self, abnormal: AbnormalReturns, absent: IntArray, first: int, total: FloatArray, count: IntArray
    ) -> None:
        event, tested, day = absent
        length, run = len(self.runs), self.past.run
        width = total.shape[1] - length + 1
        who = np.unique(event)
        who = who[np.argsort(run[who], kind="stable")]  # events of a run share their regressors
        place = np.empty(int(who.max()) + 1, dtype=np.int64)
        place[who] = np.arange(len(who))
        residuals = abnormal.past.residuals(who)
        for j in np.unique(tested).tolist():
            of = tested == j
            part = ResidualChunk.of(event[of], residuals[place[event[of]]])
            # For one tested day, events in the order of the calendar day are in that of their runs.
            _, sums, seen = sums_by_run(part.residuals, day[of], part.missing)
            to, columns = np.unique(day[of]) - first, slice(length - 1 - j, length - 1 - j + width)
            total[to, columns] -= sums
            count[to, columns] -= seen


def jaffe_of_sessions(
    ar: FloatArray,
    abnormal: AbnormalReturns,
    window: Window,
    sessions: IntArray,
    *,
    by_firms: bool = False,
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
    by_firms : bool, default False
    """
    days = _portfolios(ar, abnormal, window, sessions)
    variance, own = _variances(days, abnormal, np.full(len(days.value), abnormal.lost_dof))
    assumed = int((~own).sum())
    if (variance <= NEGLIGIBLE**2 * days.largest).any():
        return float("nan"), len(variance), assumed
    return _over_days(days.value, variance, days.members, by_firms=by_firms), len(variance), assumed


def _variances(
    days: _Portfolios, abnormal: AbnormalReturns, n_params: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Residual variance of the portfolio of each day, and whether it is its own; shape (C,) each."""
    variance = days.s2 / days.members**2
    own = np.zeros(len(variance), dtype=bool)
    for first in range(0, len(own), BLOCK):
        part = slice(first, min(first + BLOCK, len(own)))
        total, count = days.residuals(abnormal, part.start, part.stop)
        for share in (1.0, 0.5):
            held = count >= share * days.members[part, None]
            n_held = held.sum(axis=1)
            found = (n_held > np.maximum(MIN_DAYS, n_params[part])) & ~own[part]
            series = np.where(held, total / np.maximum(count, 1), 0.0)
            squares = np.vecdot(series, series) / np.where(found, n_held - n_params[part], 1.0)
            variance[part] = np.where(found, squares, variance[part])
            own[part] |= found
            if own[part].all():
                break
    return variance, own


def _numbered(days: IntArray) -> tuple[IntArray, int]:
    """Return the number of each day among the different ones, in order, and how many these are."""
    since = days - days.min(initial=0)
    if since.max(initial=0) > SPARSE * len(days):
        different, place = np.unique(days, return_inverse=True)
        return place, len(different)
    held = np.bincount(since) > 0
    return (np.cumsum(held) - 1)[since], int(np.count_nonzero(held))


def _portfolios(ar: FloatArray, abnormal: AbnormalReturns, window: Window, sessions: IntArray) -> _Portfolios:
    past = past_sums(abnormal)
    order = np.argsort(past.run, kind="stable") if abnormal.by_day is None else abnormal.by_day
    start = np.flatnonzero(np.diff(past.run[order], prepend=-1))
    seen = ~np.isnan(ar)
    s2, value = abnormal.s2[order], ar[order]
    if seen.all():
        shape = (len(start), ar.shape[1])
        members, sums, largest = (
            np.broadcast_to(values[:, None], shape)
            for values in (
                np.diff(np.append(start, len(order))),
                np.add.reduceat(s2, start),
                np.maximum.reduceat(s2, start),
            )
        )
    else:
        known = seen[order]
        value, s2 = np.where(known, value, 0.0), np.where(known, s2[:, None], 0.0)
        members = np.add.reduceat(known, start, axis=0, dtype=np.int64)
        sums, largest = np.add.reduceat(s2, start, axis=0), np.maximum.reduceat(s2, start, axis=0)
    value = np.add.reduceat(value, start, axis=0)
    # Calendar days as sessions; a run of events is a part of the portfolios of the days it has returns on.
    day = sessions[past.event][:, None] + window.offsets
    known = members > 0
    place, n_days = _numbered(day[known])
    at = np.full(day.shape, -1)
    at[known] = place
    most = np.zeros(n_days)
    np.maximum.at(most, place, largest[known])
    n, mean, variance = (
        np.asarray(np.bincount(place, weights=values[known], minlength=n_days), dtype=np.float64)
        for values in (members, value, sums)
    )
    runs = [np.flatnonzero(column >= 0) for column in at.T]
    days = [at[held, j] for j, held in enumerate(runs)]
    event, tested = np.nonzero(~seen)
    absent = np.stack([event, tested, at[past.run[event], tested]])
    absent = absent[:, absent[2] >= 0]
    absent = absent[:, np.argsort(absent[2], kind="stable")]
    return _Portfolios(past, runs, days, absent, n.astype(np.int64), mean / n, variance, most)


def _jaffe(data: TestInput, options: Options, *, by_firms: bool = False) -> Statistic:
    fit = data.abnormal
    ar, span = fit.ar[:, data.cols], fit.span[:, data.cols]
    if (span > 1).any():
        ar = ar / np.sqrt(np.maximum(span, 1))  # a return that lumps d sessions has the noise of d days
    if fit.day0 is not None:
        z, days, assumed = jaffe_of_sessions(ar, fit, data.window, fit.day0, by_firms=by_firms)
    else:
        past, dates = fit.past.residuals(), fit.past.dates()
        z, days, assumed = jaffe_z(
            ar, data.tested_dates, past, dates, fit.s2, fit.lost_dof, by_firms=by_firms
        )
    if np.isnan(z):
        return not_applicable("average residuals of the events of a day do not vary")
    note = f"{days} calendar day{'s' if days > 1 else ''}"
    if assumed:
        note += f", on {assumed} of them events share too few estimation days and count as independent"
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.car.mean()), note)


def _jaffe_firms(data: TestInput, options: Options) -> Statistic:
    return _jaffe(data, options, by_firms=True)


def _jaffe_of(samples: Samples, options: Options, *, by_firms: bool = False) -> Statistics:
    data, dates = samples.data, samples.dates
    fit = data.abnormal
    assert fit.day0 is not None  # of all that is tested in one go
    days = _portfolios(fit.ar[:, data.cols], fit, data.window, fit.day0)
    of = np.empty(len(days.value), dtype=np.int64)
    for runs, held in zip(days.runs, days.days, strict=True):
        of[held] = dates.sample[runs]
    variance = samples.past("jaffe", lambda: _variances(days, fit, samples.lost_dof[of])[0])
    first = np.searchsorted(of, np.arange(samples.n_samples))
    if by_firms:
        z = np.add.reduceat(days.members * days.value, first)
        z = z / np.sqrt(np.add.reduceat(days.members**2 * variance, first))
    else:
        z = np.add.reduceat(days.value / np.sqrt(variance), first)
        z = z / np.sqrt(np.bincount(of, minlength=samples.n_samples))
    flat = np.logical_or.reduceat(variance <= NEGLIGIBLE**2 * days.largest, first)
    return Statistics.of(z, options, samples.car.mean(axis=-1), where=~flat)


def _jaffe_firms_of(samples: Samples, options: Options) -> Statistics:
    return _jaffe_of(samples, options, by_firms=True)


CALENDAR_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "jaffe", "Jaffe calendar-time Z", "mean abnormal return of the days is zero", "N(0,1)",
        frozenset({"cross-correlation"}), "Jaffe (1974)", _jaffe,
        needs_variance=True, rows_alike=True, reads=("sums",), misled=misled_by_halts,
        batch=_jaffe_of,
    ),
    SignificanceTest(
        "jaffe_firms", "Jaffe calendar-time Z by firms", "mean abnormal return of the firms is zero",
        "N(0,1)", frozenset({"cross-correlation"}), "Jaffe (1974)", _jaffe_firms,
        needs_variance=True, rows_alike=True, reads=("sums",), misled=misled_by_halts,
        batch=_jaffe_firms_of,
    ),
)  # fmt: skip
