"""GARCH test of one event: its CAR over the forecast of its own variance.

Formula and sources: docs/methods/single_event.md, eq. (garch-z).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.errors import MissingExtraError
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.engine.draws import resampled_p_value
from eventstudy.inference.engine.moments import block_sums
from eventstudy.inference.engine.refit import Regression, regression_of
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.optional import import_optional

__all__ = ["GARCH_TESTS", "GARCHLine", "fit_garch", "variance_path"]

#: Digits of the standardised returns that the optimiser sees: rounding noise would steer it.
DIGITS = 10


@dataclass(frozen=True)
class GARCHLine:
    """Regression line with GARCH(1, 1) errors, in units of the residual standard deviation.

    Attributes
    ----------
    params : array, shape (k,)
        What the likelihood adds to the least-squares parameters.
    omega, a, b : float
        ``h_t = omega + a e_{t-1}^2 + b h_{t-1}``.
    errors, h : arrays, shape (T,)
        Residuals and their conditional variances.
    line_cov : array, shape (k, k)
        ``(X' diag(1/h) X)^-1``, the error of the line given the variances.
    """

    params: FloatArray
    omega: float
    a: float
    b: float
    errors: FloatArray
    h: FloatArray
    line_cov: FloatArray


def fit_garch(residuals: FloatArray, design: FloatArray) -> GARCHLine | str:
    """Fit a line with GARCH(1, 1) errors by Gaussian likelihood, or return why it cannot be.

    Parameters
    ----------
    residuals : array, shape (T,)
        Least-squares residuals in units of their standard deviation; they stand for the returns,
        since the line is fitted again.
    design : array, shape (T, k)
        Constant and regressors of the same days.

    Raises
    ------
    MissingExtraError
        If arch is not installed.
    """
    arch = import_optional("arch.univariate", "arch", "garch", "The test garch_t")
    volatility = arch.GARCH(p=1, o=0, q=1)
    # Regressors of the size of the returns, for the optimiser's sake.
    size = np.sqrt((design**2).mean(axis=0))
    y, x = np.round(residuals, DIGITS), design / size
    if design.shape[1]:
        model = arch.LS(y, x, constant=False, volatility=volatility, rescale=False)
    else:
        model = arch.ZeroMean(y, volatility=volatility, rescale=False)
    try:
        found = model.fit(disp="off", show_warning=False)
    except (ValueError, np.linalg.LinAlgError) as error:
        return f"the GARCH likelihood cannot be maximised: {error}"
    if found.convergence_flag != 0:
        return f"the GARCH likelihood did not converge ({found.optimization_result.message})"
    values = np.asarray(found.params, dtype=np.float64)
    h = np.asarray(found.conditional_volatility, dtype=np.float64) ** 2
    return GARCHLine(
        params=values[:-3] / size,
        omega=float(values[-3]),
        a=float(values[-2]),
        b=float(values[-1]),
        errors=np.asarray(found.resid, dtype=np.float64),
        h=h,
        line_cov=np.asarray(np.linalg.inv(design.T @ (design / h[:, None])), dtype=np.float64),
    )


def variance_path(line: GARCHLine, gap: int, before: FloatArray, length: int) -> FloatArray:
    """Variances of the days of the event window, forecast where nothing is known; shape (L0 + L,).

    Parameters
    ----------
    line : GARCHLine
    gap : int
        Sessions between the estimation and the event window, whose returns are not known.
    before : array, shape (L0,)
        Residuals of the event window's days before the tested ones; NaN where missing. Each tells
        the variance of the day after.
    length : int
        Tested days L, which tell nothing: their variances are forecast from the day before them.

    References
    ----------
    Bollerslev (1986), Journal of Econometrics 31, 307-327; docs/methods/variance_models.md,
    eq. (garch-forecast).
    """
    h = line.omega + line.a * line.errors[-1] ** 2 + line.b * line.h[-1]
    for _ in range(gap):
        h = line.omega + (line.a + line.b) * h
    path = []
    for error in np.concatenate([before, np.full(length, np.nan)]):
        path.append(h)
        shock = h if np.isnan(error) else error**2
        h = line.omega + line.a * shock + line.b * h
    return np.array(path)


def _needs_arch(data: TestInput) -> str | None:
    if data.abnormal.estimated_after is not None and data.abnormal.estimated_after.any():
        return "forecasts variance from the estimation window, so this must end before the event"
    line = regression_of(data.abnormal)
    if isinstance(line, str):
        return line
    try:
        import_optional("arch.univariate", "arch", "garch", "The test garch_t")
    except MissingExtraError as error:
        return str(error)
    return None


def _garch_t(data: TestInput, options: Options) -> Statistic:
    fit, line = data.abnormal, regression_of(data.abnormal)
    if isinstance(line, str):
        return not_applicable(line)
    # The likelihood does not know the sign of returns, its optimiser's last digits do.
    unit = float(np.sqrt(fit.s2[0])) * (1.0 if data.car[0] >= 0 else -1.0)
    found = fit_garch(line.residuals / unit, line.design)
    if isinstance(found, str):
        return not_applicable(found)
    start, stop = data.cols.start, data.cols.stop
    errors = fit.ar[0, :stop] / unit - line.event_design[:stop] @ found.params
    one = slice(0, 1)
    # The columns of an event's own window may reach beyond its end.
    past, ahead = fit.past.dates(one)[0][~np.isnan(fit.past.residuals(one)[0])], fit.event_dates[0]
    # Windows of other events may begin before the estimation window of this one ends.
    early = int((ahead <= past[~np.isnat(past)].max()).sum())
    path = variance_path(found, _gap(past, ahead[early:]), errors[early:start], stop - start)
    path = np.concatenate([np.full(early, path[0]), path])
    z = _standardised(found, line, errors, path, fit.span[0], start) * np.sign(unit)
    spans = int(fit.span[0, start:stop].sum())
    rank = resampled_p_value(
        z * np.sqrt(spans),
        block_sums(found.errors / np.sqrt(found.h) * np.sign(unit), spans),
        options.alternative,
    )
    p = p_value(z, options.alternative)
    note = (
        f"a = {found.a:.2f}, b = {found.b:.2f}; variance forecast at {path[start]:.2f} of its average; "
        f"by rank among standardised residuals p = {rank:.3f}"
    )
    return Statistic(z, p, "normal", None, float(data.car[0]), note, {"rank_p_value": rank})


def _standardised(
    found: GARCHLine,
    line: Regression,
    errors: FloatArray,
    path: FloatArray,
    spans: IntArray,
    start: int,
) -> float:
    """CAR over the root of the variances of the sessions it spans and of the error of the line."""
    seen = np.flatnonzero(~np.isnan(errors[start:])) + start
    noise = 0.0
    for day in seen:
        first = day - int(spans[day]) + 1
        noise += float(path[max(first, 0) : day + 1].sum() + max(-first, 0) * path[0])
    row = line.event_design[seen].sum(axis=0)
    return float(errors[seen].sum() / np.sqrt(noise + row @ found.line_cov @ row))


def _gap(estimation: DateArray, event: DateArray) -> int:
    """Weekdays (for bars, units of time) between the estimation window and the event window."""
    last, first = estimation[~np.isnat(estimation)].max(), event[~np.isnat(event)].min()
    if np.datetime_data(event.dtype)[0] in ("m", "s"):
        return max(int((first - last).astype(np.int64)) - 1, 0)
    return max(int(np.busday_count(last.astype("datetime64[D]"), first.astype("datetime64[D]"))) - 1, 0)


GARCH_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "garch_t", "GARCH z", "CAR is zero, given the variance that a GARCH(1, 1) forecasts", "N(0,1)",
        frozenset(), "Bollerslev (1986); Bacmann and Dubois (2003)", _garch_t,
        condition=_needs_arch, needs_variance=True, rows_alike=True, least=1, most=1, unit="CAR",
    ),
)  # fmt: skip
