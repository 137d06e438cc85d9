"""Portfolio tests: standard errors from the portfolio's own estimation window.

Formulas and sources: docs/methods/portfolio.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.engine.factor_gls import (
    crossfitted_slopes,
    factor_covariance,
    gls_weights,
    n_components,
)
from eventstudy.inference.engine.moments import average, known, known_sd, past_shortage, past_suffices
from eventstudy.inference.engine.residual_pass import past_sums
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.selection import n_windows
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.text import minus

__all__ = [
    "PORTFOLIO_TESTS",
    "lamb_z",
    "misses_days",
    "portfolio_residuals",
    "portfolio_t",
    "time_series_t",
]

#: A standard deviation of the portfolio's past takes this many days, and a covariance that many.
FEWEST_DAYS, ENOUGH_DAYS = 3, 30
#: A covariance whose condition number is larger has no inverse.
WORST_CONDITION = 1e12


def time_series_t(estimation: FloatArray, event: FloatArray, span: FloatArray) -> tuple[FloatArray, IntArray]:
    r"""Portfolio t with crude dependence adjustment (Brown and Warner 1980, 1985), t(T - 1).

    .. math:: t = \sum_{t \in W} AAR_t \Big/ (\sqrt L\, S), \quad
              S^2 = \sum_{t} (AAR_t - \overline{AAR})^2 / (T - 1)

    A return after a halt counts in L as many days as it spans.

    Parameters
    ----------
    estimation : array, shape (..., W)
        Average abnormal return of each estimation day; NaN where no event has one.
    event : array, shape (..., L)
        Average abnormal return of each tested day, alike.
    span : array, shape (..., L)
        Sessions that the returns of each tested day span, on average.

    Returns
    -------
    statistic, dof : numbers, or arrays, shape (...)
        T is the number of estimation days and L the number of tested days with an average.

    References
    ----------
    Brown and Warner (1980, 1985), Journal of Financial Economics 8, 205-258, and 14, 3-31;
    docs/methods/portfolio.md, eq. (time-series-t).
    """
    sd, days = known_sd(estimation)
    seen = ~np.isnan(event)
    total, length = (np.where(seen, values, 0.0).sum(axis=-1) for values in (event, span))
    return total / (np.sqrt(length) * sd), days - 1


def portfolio_residuals(residuals: FloatArray, dates: DateArray) -> FloatArray:
    """Equal-weighted residual of the available events on each calendar day, shape (days,).

    Parameters
    ----------
    residuals : array, shape (N, W)
        NaN where unused; such events are left out of that day's portfolio.
    dates : array of datetime64, shape (N, W)
    """
    if (dates == dates[:1]).all():
        return known(average(residuals))
    seen = ~np.isnan(residuals) & ~np.isnat(dates)
    _, day = np.unique(dates[seen], return_inverse=True)
    return np.asarray(np.bincount(day, residuals[seen]) / np.bincount(day), dtype=np.float64)


def portfolio_t(
    residuals: FloatArray, car: FloatArray, scale: FloatArray, n_params: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    r"""Portfolio t with prediction error, for one common date, t(T - k).

    .. math:: t = \mathrm{CAAR} \Big/ \sqrt{s_p^2\; \gamma'V\gamma / s^2}, \quad
              s_p^2 = \sum_t e_{pt}^2 / (T - k)

    Exact under normally distributed errors if all events share dates and regressors and miss no day: the
    portfolio's residuals are then those of the portfolio's own regression, and this is the
    mean-effect t of a multivariate regression with an event dummy. With missing days the
    portfolio of a day holds the available events, and ``g'Vg / s^2`` is the mean over events.

    Parameters
    ----------
    residuals : array, shape (..., T)
        Portfolio residuals of `portfolio_residuals`; NaN on days without any.
    car, scale : arrays, shape (..., N)
        CARs, and ``g'V_i g / s_i^2``.
    n_params : float, or array, shape (...)
        Mean parameters k of the model.

    Returns
    -------
    statistic, dof : float, or arrays, shape (...)

    References
    ----------
    Brown and Warner (1985), Journal of Financial Economics 14, 3-31; Salinger (1992), Journal of Financial
    and Quantitative Analysis 27, 39-53; docs/methods/portfolio.md, eq. (portfolio-t).
    """
    seen = ~np.isnan(residuals)
    dof = seen.sum(axis=-1) - n_params
    s2 = np.where(seen, residuals, 0.0) ** 2
    return car.mean(axis=-1) / np.sqrt(s2.sum(axis=-1) / dof * scale.mean(axis=-1)), dof


def lamb_z(estimation: FloatArray, event: FloatArray, factor: FloatArray) -> FloatArray:
    r"""Lamb's (1995) z: average abnormal returns over their daily prediction error, N(0, 1).

    .. math:: z = \frac{1}{\sqrt L} \sum_{t \in W} \frac{AAR_t}{S \sqrt{f_t}}

    Parameters
    ----------
    estimation : array, shape (..., W)
        Average abnormal return of each estimation day, standard deviation S.
    event, factor : arrays, shape (..., L)
        Average abnormal return of each tested day, and the events' mean of ``V_tt / s^2``, which
        is ``1 + 1/M + (R_mt - mean)^2 / SS`` in a market model.

    Returns
    -------
    float, or array, shape (...)

    References
    ----------
    Lamb (1995), Journal of Risk and Insurance 62, 111-123; docs/methods/portfolio.md, eq. (lamb-z).
    """
    seen = ~np.isnan(event)
    sd, _ = known_sd(estimation)
    days = np.where(seen, event, 0.0) / np.sqrt(np.where(seen, factor, 1.0))
    z: FloatArray = days.sum(axis=-1) / (sd * np.sqrt(seen.sum(axis=-1)))
    return z


def _past_varies(data: TestInput) -> str | None:
    return past_shortage(known(past_sums(data.abnormal).mean), data.abnormal.s2, FEWEST_DAYS)


def _one_date(data: TestInput) -> str | None:
    windows = n_windows(data)
    if windows > 1:
        return f"needs one common event date, the {data.n_events} events have {windows}"
    return _past_varies(data)


def _time_series(data: TestInput, options: Options) -> Statistic:
    ar = data.abnormal.ar[:, data.cols]
    span = data.abnormal.span[:, data.cols].astype(np.float64)
    if data.cumulative.n_days.min() < len(data.window):
        span[np.isnan(ar)] = np.nan
    t, dof = map(float, time_series_t(past_sums(data.abnormal).mean, average(ar), average(span)))
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()))


def _past_of_portfolio(fit: AbnormalReturns) -> FloatArray:
    sums = past_sums(fit)
    if len(sums.event) == 1:
        return known(sums.mean)
    return portfolio_residuals(fit.past.residuals(), fit.past.dates())


def misses_days(data: TestInput) -> bool:
    """Whether some events lack days of the portfolio, whose t is then approximate.

    Parameters
    ----------
    data : TestInput
        Events that share one date, each with a CAR.
    """
    days = len(_past_of_portfolio(data.abnormal))
    return bool((data.abnormal.n_obs != days).any() or (data.cumulative.n_days != len(data.window)).any())


def _portfolio(data: TestInput, options: Options) -> Statistic:
    fit = data.abnormal
    past = _past_of_portfolio(fit)
    n_params = fit.lost_dof
    if len(past) - n_params < 1:
        return not_applicable(f"only {len(past)} estimation days for {n_params:g} parameters")
    t, dof = map(float, portfolio_t(past, data.car, data.cumulative.variance / fit.s2, n_params))
    lack = ["some events miss days: approximate, on the portfolio of available events"]
    notes = lack if misses_days(data) else []
    notes += [] if fit.exact else ["the model's standard error is approximate"]
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, float(data.car.mean()), "; ".join(notes))


def _lamb(data: TestInput, options: Options) -> Statistic:
    fit = data.abnormal
    past, tested = past_sums(fit).mean, average(fit.ar[:, data.cols])
    z = float(lamb_z(past, tested, average(fit.variance(data.cols) / fit.s2[:, None])))
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(data.car.mean()))


def _shared_past(data: TestInput) -> str | None:
    """Return the reason why there is no covariance of the events, if so."""
    windows = n_windows(data)
    if windows > 1:
        return f"needs one common event date, the {data.n_events} events have {windows}"
    dates = data.abnormal.past.dates()
    if (dates != dates[:1]).any():
        return "needs events with the same estimation days (one market)"
    seen = ~np.isnan(data.abnormal.past.residuals())
    days = int((seen.mean(axis=0) >= 0.5).sum())
    if days < ENOUGH_DAYS:
        return f"only {days} estimation days have a residual of half of the events, fewer than {ENOUGH_DAYS}"
    return None


def _gls(data: TestInput, options: Options) -> Statistic:
    fit, n = data.abnormal, data.n_events
    errors = fit.past.residuals().T
    components = n_components(n)
    covariance = factor_covariance(errors, components)
    if np.linalg.cond(covariance) > WORST_CONDITION:
        return not_applicable("the residuals of some events are linear combinations of others")
    one = np.ones((n, 1))
    weights = gls_weights(one, covariance)[0]
    slopes = known(crossfitted_slopes(errors, one, components)[0])
    mean, dof = float(weights @ data.car), float(len(slopes) - fit.lost_dof)
    scale = float((data.cumulative.variance / fit.s2).mean())
    t = mean / float(np.sqrt(scale * (slopes**2).sum() / dof))
    notes = [
        minus(f"mean CAR {mean:.2%} by weights from {weights.min():.1%} to {weights.max():.1%}, ")
        + f"which suit events that react alike; {components} principal component{'s' * (components > 1)} "
        f"of {len(slopes)} days"
    ]
    complete = bool((fit.n_obs == len(slopes)).all() and (data.cumulative.n_days == len(data.window)).all())
    notes += [] if complete else ["some events miss days: approximate"]
    notes += [] if fit.exact else ["the model's standard error is approximate"]
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, mean, "; ".join(notes))


def _past_means(samples: Samples) -> FloatArray:
    """Average residual of each sample and estimation day, shape (M, W); NaN where there is none."""
    return samples.past("means", lambda: average(samples.by_sample(samples.residuals)))


def _tested_means(samples: Samples) -> FloatArray:
    """Average abnormal return of each sample and tested day, shape (M, L)."""
    return average(samples.by_sample(samples.data.abnormal.ar[:, samples.data.cols]))


def _pasts_vary(samples: Samples) -> BoolArray:
    s2 = samples.by_sample(samples.data.abnormal.s2)
    return samples.past("vary", lambda: past_suffices(_past_means(samples), s2, FEWEST_DAYS))


def _time_series_of(samples: Samples, options: Options) -> Statistics:
    tested = _tested_means(samples)
    t, dof = time_series_t(_past_means(samples), tested, np.ones(tested.shape))
    return Statistics.of(t, options, samples.car.mean(axis=-1), dof, where=_pasts_vary(samples))


def _portfolio_of(samples: Samples, options: Options) -> Statistics:
    scale = samples.by_sample(samples.data.cumulative.variance / samples.data.abnormal.s2)
    t, dof = portfolio_t(_past_means(samples), samples.car, scale, samples.lost_dof)
    sound = (samples.dates.count == 1) & _pasts_vary(samples) & (dof >= 1)
    return Statistics.of(t, options, samples.car.mean(axis=-1), dof, where=sound)


def _gls_of(samples: Samples, options: Options) -> Statistics:
    n, data = samples.size, samples.data
    errors = samples.by_sample(samples.residuals).transpose(0, 2, 1)
    enough = ((~np.isnan(errors)).mean(axis=2) >= 0.5).sum(axis=1) >= ENOUGH_DAYS
    which = np.flatnonzero((samples.dates.count == 1) & enough)
    t, dof, mean = np.full((3, samples.n_samples), np.nan)
    one, components = np.ones((n, 1)), n_components(n)
    weights, slopes = samples.past("gls", lambda: _gls_past(errors[which], one, components))
    days = (~np.isnan(slopes)).sum(axis=1)
    squares = np.where(np.isnan(slopes), 0.0, slopes) ** 2
    scale = samples.by_sample(data.cumulative.variance / data.abnormal.s2)[which].mean(axis=1)
    mean[which] = np.vecdot(weights, samples.car[which])
    dof[which] = days - samples.lost_dof[which]
    t[which] = mean[which] / np.sqrt(scale * squares.sum(axis=1) / dof[which])
    return Statistics.of(t, options, mean, dof)


def _gls_past(errors: FloatArray, one: FloatArray, components: int) -> tuple[FloatArray, FloatArray]:
    """Weights (M, N) and slopes (M, T) of samples; NaN where the covariance has no inverse."""
    weights, slopes = np.full((len(errors), len(one)), np.nan), np.full(errors.shape[:2], np.nan)
    covariance = factor_covariance(errors, components)
    sound = np.flatnonzero(np.linalg.cond(covariance) <= WORST_CONDITION)
    weights[sound] = gls_weights(one, covariance[sound])[:, 0]
    slopes[sound] = crossfitted_slopes(errors[sound], one, components)[:, 0]
    return weights, slopes


def _lamb_of(samples: Samples, options: Options) -> Statistics:
    fit = samples.data.abnormal
    factor = average(samples.by_sample(fit.variance(samples.data.cols) / fit.s2[:, None]))
    z = lamb_z(_past_means(samples), _tested_means(samples), factor)
    return Statistics.of(z, options, samples.car.mean(axis=-1), where=_pasts_vary(samples))


CORRELATION = frozenset({"cross-correlation"})
NULL = "mean CAR is zero"

PORTFOLIO_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "time_series", "Portfolio t (crude dependence adjustment)", NULL, "t(T-1)", CORRELATION,
        "Brown and Warner (1980, 1985)", _time_series, condition=_past_varies,
        needs_variance=True, rows_alike=True,
        unit="CAR", reads=("sums",), by_relative_day=True, batch=_time_series_of,
    ),
    SignificanceTest(
        "portfolio", "Portfolio t with prediction error", NULL, "t(T-k)", CORRELATION,
        "Brown and Warner (1985); Salinger (1992)", _portfolio, condition=_one_date,
        needs_variance=True, rows_alike=True,
        unit="CAR", reads=("sums",), batch=_portfolio_of,
    ),
    SignificanceTest(
        "gls_portfolio", "Portfolio t by generalised least squares", "the CAR common to all events is zero",
        "t(T-k)", CORRELATION, "Cohn, Johnson, Liu and Wardlaw (2023)", _gls, condition=_shared_past,
        needs_variance=True, rows_alike=True, unit="CAR", batch=_gls_of,
    ),
    SignificanceTest(
        "lamb", "Lamb z", NULL, "N(0,1)", CORRELATION,
        "Lamb (1995)", _lamb, condition=_past_varies, needs_variance=True, rows_alike=True,
        unit="CAR", reads=("sums",), by_relative_day=True, batch=_lamb_of,
    ),
)  # fmt: skip
