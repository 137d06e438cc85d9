"""Tests that measure the mean abnormal return by its own past.

Formulas and sources: docs/methods/portfolio.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import DateArray, FloatArray
from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.engine.residual_pass import past_sums
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
    "PORTFOLIO_TESTS",
    "average",
    "lamb_z",
    "portfolio_residuals",
    "portfolio_t",
    "time_series_t",
]


def average(values: FloatArray) -> FloatArray:
    """Mean over the available events of each column of an (N, T) array; NaN where there is none."""
    total = values.sum(axis=0)
    if len(values) and not np.isnan(total).any():
        return np.asarray(total / len(values), dtype=np.float64)
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _kept(values: FloatArray) -> FloatArray:
    return values[~np.isnan(values)]


def time_series_t(estimation: FloatArray, event: FloatArray, span: FloatArray) -> tuple[float, int]:
    r"""Portfolio t with crude dependence adjustment (Brown and Warner 1980, 1985), t(T - 1).

    .. math:: t = \sum_{t \in W} AAR_t \Big/ (\sqrt L\, S), \quad
              S^2 = \sum_{t} (AAR_t - \overline{AAR})^2 / (T - 1)

    A return after a halt counts in L as many days as it spans.

    Parameters
    ----------
    estimation : array, shape (W,)
        Average abnormal return of each estimation day; NaN where no event has one.
    event : array, shape (L,)
        Average abnormal return of each tested day, alike.
    span : array, shape (L,)
        Sessions that the returns of each tested day span, on average.

    Returns
    -------
    statistic, dof
        T is the number of estimation days and L the number of tested days with an average.

    References
    ----------
    Brown and Warner (1980, 1985), Journal of Financial Economics 8, 205-258, and 14, 3-31;
    docs/methods/portfolio.md, eq. (time-series-t).
    """
    past, seen = _kept(estimation), ~np.isnan(event)
    return float(event[seen].sum() / (np.sqrt(span[seen].sum()) * np.std(past, ddof=1))), len(past) - 1


def portfolio_residuals(residuals: FloatArray, dates: DateArray) -> FloatArray:
    """Equal-weighted residual of the available events on each calendar day, shape (days,).

    Parameters
    ----------
    residuals : array, shape (N, W)
        NaN where unused; such events are left out of that day's portfolio.
    dates : array of datetime64, shape (N, W)
    """
    if (dates == dates[:1]).all():
        return _kept(average(residuals))
    seen = ~np.isnan(residuals) & ~np.isnat(dates)
    _, day = np.unique(dates[seen], return_inverse=True)
    return np.asarray(np.bincount(day, residuals[seen]) / np.bincount(day), dtype=np.float64)


def portfolio_t(
    residuals: FloatArray, car: FloatArray, scale: FloatArray, n_params: float
) -> tuple[float, float]:
    r"""Portfolio t with prediction error, for one common date, t(T - k).

    .. math:: t = \mathrm{CAAR} \Big/ \sqrt{s_p^2\; \gamma'V\gamma / s^2}, \quad
              s_p^2 = \sum_t e_{pt}^2 / (T - k)

    Exact under normal errors if all events share dates and regressors and miss no day: the
    portfolio's residuals are then those of the portfolio's own regression, and this is the
    mean-effect t of a multivariate regression with an event dummy. With missing days the
    portfolio of a day holds the available events, and ``g'Vg / s^2`` is the mean over events.

    Parameters
    ----------
    residuals : array, shape (T,)
        Portfolio residuals of `portfolio_residuals`.
    car, scale : arrays, shape (N,)
        CARs, and ``g'V_i g / s_i^2``.
    n_params : float
        Mean parameters k of the model.

    Returns
    -------
    statistic, dof

    References
    ----------
    Brown and Warner (1985), Journal of Financial Economics 14, 3-31; Salinger (1992), Journal of Financial
    and Quantitative Analysis 27, 39-53; docs/methods/portfolio.md, eq. (portfolio-t).
    """
    dof = len(residuals) - n_params
    s2 = (residuals**2).sum() / dof
    return float(car.mean() / np.sqrt(s2 * scale.mean())), float(dof)


def lamb_z(estimation: FloatArray, event: FloatArray, factor: FloatArray) -> float:
    r"""Lamb's (1995) z: average abnormal returns over their daily prediction error, N(0, 1).

    .. math:: z = \frac{1}{\sqrt L} \sum_{t \in W} \frac{AAR_t}{S \sqrt{f_t}}

    Parameters
    ----------
    estimation : array, shape (W,)
        Average abnormal return of each estimation day, standard deviation S.
    event, factor : arrays, shape (L,)
        Average abnormal return of each tested day, and the events' mean of ``V_tt / s^2``, which
        is ``1 + 1/M + (R_mt - mean)^2 / SS`` in a market model.

    References
    ----------
    Lamb (1995), Journal of Risk and Insurance 62, 111-123; docs/methods/portfolio.md, eq. (lamb-z).
    """
    seen = ~np.isnan(event)
    z = event[seen] / (np.std(_kept(estimation), ddof=1) * np.sqrt(factor[seen]))
    return float(z.sum() / np.sqrt(seen.sum()))


def _past_varies(data: TestInput) -> str | None:
    """Say why the estimation-window averages cannot measure noise, or None."""
    used = with_variance(data)
    past = _kept(past_sums(used.abnormal).mean)
    if len(past) < 3:
        return f"only {len(past)} estimation days have a residual"
    if spread(past) <= NEGLIGIBLE * float(np.sqrt(used.abnormal.s2.max())):
        return "average abnormal returns do not vary over the estimation window"
    return None


def _time_series_applies(data: TestInput) -> str | None:
    return too_few_events(data, scaled=True) or _past_varies(data)


def _portfolio_applies(data: TestInput) -> str | None:
    reason = too_few_events(data, scaled=True)
    if reason:
        return reason
    used = with_variance(data)
    windows = n_windows(used)
    if windows > 1:
        return f"needs one common event date, the {used.n_events} events have {windows}"
    return _past_varies(data)


def _time_series(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    ar = used.abnormal.ar[:, used.cols]
    span = used.abnormal.span[:, used.cols].astype(np.float64)
    if used.cumulative.n_days.min() < len(data.window):
        span[np.isnan(ar)] = np.nan
    t, dof = time_series_t(past_sums(used.abnormal).mean, average(ar), average(span))
    p = p_value(t, options.alternative, dof)
    return with_counts(data, Statistic(t, p, "t", dof, float(used.car.mean())), overlap_note(data))


def _portfolio(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    fit = used.abnormal
    sums = past_sums(fit)
    if len(sums.event) == 1:
        past = _kept(sums.mean)
    else:
        past = portfolio_residuals(fit.residuals, fit.estimation_dates)
    n_params = fit.lost_dof
    if len(past) - n_params < 1:
        return not_applicable(f"only {len(past)} estimation days for {n_params:g} parameters")
    t, dof = portfolio_t(past, used.car, used.cumulative.variance / fit.s2, n_params)
    complete = bool((fit.n_obs == len(past)).all() and (used.cumulative.n_days == len(data.window)).all())
    notes = [] if complete else ["some events miss days: approximate, on the portfolio of available events"]
    notes += [] if fit.exact else ["the model's standard error is approximate"]
    p = p_value(t, options.alternative, dof)
    return with_counts(data, Statistic(t, p, "t", dof, float(used.car.mean())), *notes)


def _lamb(data: TestInput, options: Options) -> Statistic:
    used = with_variance(data)
    fit = used.abnormal
    past, tested = past_sums(fit).mean, average(fit.ar[:, used.cols])
    z = lamb_z(past, tested, average(fit.variance(used.cols) / fit.s2[:, None]))
    p = p_value(z, options.alternative)
    return with_counts(data, Statistic(z, p, "normal", None, float(used.car.mean())), overlap_note(data))


CORRELATION = frozenset({"cross-correlation"})
NULL = "mean CAR is zero"

PORTFOLIO_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "time_series", "Portfolio t (crude dependence adjustment)", NULL, "t(T-1)", CORRELATION,
        "Brown and Warner (1980, 1985)", _time_series_applies, _time_series, unit="CAR", reads=("sums",),
    ),
    SignificanceTest(
        "portfolio", "Portfolio t with prediction error", NULL, "t(T-k)", CORRELATION,
        "Brown and Warner (1985); Salinger (1992)", _portfolio_applies, _portfolio, unit="CAR",
        reads=("sums",),
    ),
    SignificanceTest(
        "lamb", "Lamb z", NULL, "N(0,1)", CORRELATION,
        "Lamb (1995)", _time_series_applies, _lamb, unit="CAR", reads=("sums",),
    ),
)  # fmt: skip
