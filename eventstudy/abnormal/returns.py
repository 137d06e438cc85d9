"""Abnormal returns of events and the form of their prediction-error covariance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.immutable import FrozenRecord, read_only
from eventstudy.lazy import CHUNK, Deferred, columns_of, deferrable, kept_as_is, narrow
from eventstudy.models import ModelFit
from eventstudy.sample import EventArrays, Rows
from eventstudy.windows import Window

__all__ = ["AbnormalReturns", "abnormal_returns", "estimation_design"]

#: Regressors of the estimation windows are kept up to this many numbers.
MOST_KEPT = 2_500_000


@deferrable(
    "expected", "noise", "design", "residuals", "leverage", "estimation_dates", "event_dates", "design_est"
)
@dataclass(frozen=True)
class AbnormalReturns(FrozenRecord):
    """Abnormal returns of N events over an event window of L and an estimation window of W sessions.

    Attributes
    ----------
    window : Window
        The event window; column j of the (N, L) arrays is relative day ``window.start + j``.
    ar, actual, expected : arrays, shape (N, L)
        Abnormal, observed and normal return, decimals; NaN where the security did not trade.
    span : array of int, shape (N, L)
        Sessions each return spans: 1 as a rule, 0 where missing, d after a halt of d - 1 sessions.
    noise, design, param_cov
        Prediction-error covariance in the form of `eventstudy.models.ModelFit`.
    residuals, leverage : arrays, shape (N, W)
        Estimation-window residuals and hat values; NaN where not used.
    s2, n_obs, dof : arrays, shape (N,)
    n_params : int
    estimation_dates : array of datetime64[D], shape (N, W)
    event_dates : array of datetime64[D], shape (N, L)
        Calendar dates of the windows; NaT beyond the data.
    exact : bool
        Whether CAR / s.e. is t distributed under iid normal errors.
    design_est : array, shape (N, W, q), optional
        Constant and regressors of the estimation window, for the tests that fit one event again; None
        where they are more than 2.5 million numbers, which a large study would hold for nothing.

    Notes
    -----
    Normal returns, their covariance, residuals, leverage, dates and `design_est` may be deferred: a large
    study computes them when they are read, and `parts_of` and `columns_of` of `eventstudy.lazy`
    take them in chunks.
    """

    window: Window
    ar: FloatArray
    actual: FloatArray
    expected: FloatArray
    span: IntArray
    noise: FloatArray
    design: FloatArray
    param_cov: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    s2: FloatArray
    n_obs: IntArray
    dof: FloatArray
    n_params: int
    estimation_dates: DateArray
    event_dates: DateArray
    exact: bool = True
    design_est: FloatArray | None = None

    @property
    def n_events(self) -> int:
        """Number N of events."""
        return int(self.ar.shape[0])

    @cached_property
    def lost_dof(self) -> float:
        """Degrees of freedom that a residual series of these events loses to its estimated mean.

        The number of mean parameters; none where residuals are out-of-sample prediction errors.
        Weights make `dof` smaller still, but take nothing from a plain sum of squares.
        """
        return min(float(self.n_params), float((self.n_obs - self.dof).mean()))

    @cached_property
    def session(self) -> IntArray | None:
        """Day 0 of each event as a number of one market's sessions, shape (N,); None where that is not known.

        Windows of events then are the same number of sessions before and after it.
        """
        past, event = vars(self)["estimation_dates"], vars(self)["event_dates"]
        if isinstance(past, Deferred) and isinstance(event, Deferred) and past.kind is event.kind is not None:
            day: IntArray = event.kind[event.rows]
            return read_only(day)
        return None

    @cached_property
    def by_day(self) -> IntArray | None:
        """Order of the events by their sessions, if they are of one market.

        Estimation windows are computed faster in it than at random, for events of a day share regressors.
        """
        return None if self.session is None else read_only(np.argsort(narrow(self.session), kind="stable"))

    @cached_property
    def days(self) -> IntArray | None:
        """Sessions that are day 0 of some event, in order, if the events are of one market."""
        if self.session is None or self.by_day is None:
            return None
        ordered: IntArray = self.session[self.by_day]
        first: IntArray = ordered[np.diff(ordered, prepend=-1) != 0]
        return read_only(first)

    @cached_property
    def calendar(self) -> IntArray:
        """A number of the dates of each event's windows, the same for the same dates; shape (N,)."""
        if self.session is not None:
            return self.session
        dates = np.concatenate([self.estimation_dates, self.event_dates], axis=1)
        number = np.zeros(len(dates), dtype=np.int64)
        for day in dates.T:
            _, code = np.unique(day, return_inverse=True)
            _, number = np.unique(number * (code.max(initial=0) + 1) + code, return_inverse=True)
        return read_only(number)

    def variance(self, cols: slice = slice(None)) -> FloatArray:
        """Prediction-error variance of the abnormal returns of some columns, shape (N, columns)."""
        length = self.ar.shape[1]
        if cols.indices(length) == (0, length, 1):
            return self.ar_variance
        return self._variance(cols)

    def _variance(self, cols: slice) -> FloatArray:
        parts = [slice(b, b + CHUNK) for b in range(0, max(self.n_events, 1), CHUNK)]
        return np.concatenate([self.variance_of(rows, cols) for rows in parts])

    def variance_of(self, rows: Rows, cols: slice = slice(None)) -> FloatArray:
        """Prediction-error variance of the abnormal returns of some events and columns."""
        held = vars(self).get("ar_variance")
        if held is not None:
            return np.asarray(held[rows, cols], dtype=np.float64)
        design = columns_of(self, "design", rows, cols).transpose(0, 2, 1)
        error = ((self.param_cov[rows] @ design) * design).sum(axis=1)
        noise = columns_of(self, "noise", rows, cols)
        return np.where(np.isnan(self.ar[rows, cols]), np.nan, noise + error)

    @cached_property
    def ar_variance(self) -> FloatArray:
        """Prediction-error variance of each abnormal return, shape (N, L)."""
        return read_only(self._variance(slice(None)))

    @cached_property
    def sar(self) -> FloatArray:
        """Abnormal returns in units of their own prediction error, shape (N, L)."""
        return read_only(self.ar / np.sqrt(self.ar_variance))

    def columns(self, window: Window) -> slice:
        """Columns of the (N, L) arrays that `window`, a part of the event window, occupies."""
        first = window.start - self.window.start
        return slice(first, first + len(window))


def abnormal_returns(arrays: EventArrays, fit: ModelFit, window: Window) -> AbnormalReturns:
    r"""Observed less normal returns over the event window.

    .. math:: AR_{it} = R_{it} - E[R_{it}]

    Returns
    -------
    AbnormalReturns

    References
    ----------
    docs/methods/abnormal_returns.md, eq. (abnormal-return).
    """
    missing = np.isnan(ar := arrays.y_evt - fit.expected)
    return AbnormalReturns(
        window=window,
        ar=ar,
        actual=arrays.y_evt + arrays.rf_evt,
        expected=fit.expected + arrays.rf_evt,
        span=np.where(missing, 0, arrays.span_evt),
        estimation_dates=arrays.dates_est,
        event_dates=arrays.dates_evt,
        design_est=estimation_design(arrays) if arrays.x_est.size <= MOST_KEPT else None,
        **taken_over(fit),
    )


def expected_of(abnormal: AbnormalReturns, rows: Rows, cols: slice) -> FloatArray:
    """Take what was abnormal from what was observed."""
    return abnormal.actual[rows, cols] - abnormal.ar[rows, cols]


def noise_of(abnormal: AbnormalReturns, rows: Rows, cols: slice) -> FloatArray:
    """Multiply the variance of a session by the sessions that each abnormal return spans."""
    noise: FloatArray = abnormal.s2[rows, None] * abnormal.span[rows, cols]
    noise[np.isnan(abnormal.ar[rows, cols])] = np.nan
    return noise


def taken_over(fit: ModelFit) -> dict[str, Any]:
    """Fields of abnormal returns that are those of the fitted model."""
    held = kept_as_is(fit)
    names = ("noise", "design", "param_cov", "residuals", "leverage", "s2", "n_obs", "dof", "exact")
    return {name: held[name] for name in names} | {"n_params": fit.params.shape[1]}


def estimation_design(arrays: EventArrays) -> FloatArray:
    """Constant and regressors, divided like the returns where these span several sessions."""
    spans = np.ones(arrays.y_est.shape) if arrays.span_est is None else np.maximum(arrays.span_est, 1.0)
    columns = np.concatenate([spans[:, :, None], arrays.x_est], axis=2)
    return np.asarray(columns / np.sqrt(spans)[:, :, None], dtype=np.float64)
