"""Abnormal returns and what is summed of them: AR, CAR, AAR, CAAR, BHAR and their variances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eventstudy.models import ModelFit
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

__all__ = ["AbnormalReturns", "CumulativeReturns", "abnormal_returns", "cumulate", "estimation_design"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Regressors of the estimation windows are kept up to this many numbers.
MOST_KEPT = 2_500_000


@dataclass(frozen=True)
class AbnormalReturns:
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
    estimation_dates: npt.NDArray[np.datetime64]
    event_dates: npt.NDArray[np.datetime64]
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
    def ar_variance(self) -> FloatArray:
        """Prediction-error variance of each abnormal return, shape (N, L)."""
        error = np.einsum("nlk,nkj,nlj->nl", self.design, self.param_cov, self.design)
        return np.where(np.isnan(self.ar), np.nan, self.noise + error)

    @cached_property
    def sar(self) -> FloatArray:
        """Abnormal returns in units of their own prediction error, shape (N, L)."""
        return self.ar / np.sqrt(self.ar_variance)

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
    """
    ar = arrays.y_evt - fit.expected
    missing = np.isnan(ar)
    return AbnormalReturns(
        window=window,
        ar=ar,
        actual=arrays.y_evt + arrays.rf_evt,
        expected=fit.expected + arrays.rf_evt,
        span=np.where(missing, 0, arrays.span_evt),
        noise=fit.noise,
        design=fit.design,
        param_cov=fit.param_cov,
        residuals=fit.residuals,
        leverage=fit.leverage,
        s2=fit.s2,
        n_obs=fit.n_obs,
        dof=fit.dof,
        n_params=fit.params.shape[1],
        estimation_dates=arrays.dates_est,
        event_dates=arrays.dates_evt,
        exact=fit.exact,
        design_est=estimation_design(arrays) if arrays.x_est.size <= MOST_KEPT else None,
    )


def estimation_design(arrays: EventArrays) -> FloatArray:
    """Constant and regressors, divided like the returns where these span several sessions."""
    spans = np.ones(arrays.y_est.shape) if arrays.span_est is None else np.maximum(arrays.span_est, 1.0)
    columns = np.concatenate([spans[:, :, None], arrays.x_est], axis=2)
    return np.asarray(columns / np.sqrt(spans)[:, :, None], dtype=np.float64)


@dataclass(frozen=True)
class CumulativeReturns:
    """Cumulative abnormal returns of N events over one window.

    Attributes
    ----------
    car, variance, actual, expected : arrays, shape (N,)
        Sum of the available abnormal returns, its prediction-error variance ``g'Vg``, and the
        observed and normal returns summed over the same days. NaN where a window cannot be used.
    n_days : array of int, shape (N,)
        Days with a return in the window.
    """

    car: FloatArray
    variance: FloatArray
    actual: FloatArray
    expected: FloatArray
    n_days: IntArray

    @property
    def scar(self) -> FloatArray:
        """CAR in units of its own prediction error, shape (N,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.variance > 0, self.car / np.sqrt(self.variance), np.nan)


def cumulate(abnormal: AbnormalReturns, window: Window) -> CumulativeReturns:
    r"""Cumulate abnormal returns over `window`, with the full prediction-error covariance.

    .. math:: \mathrm{CAR}_i = \sum_{t \in W} AR_{it}, \qquad
              \operatorname{Var}(\mathrm{CAR}_i) = \gamma' V_i \gamma

    The sum runs over the days with a return (`n_days`); V is restricted to them. A CAR is
    missing where no day has a return, or where its first return, unless it is the event day's,
    lumps sessions from before the window: that would be earlier news.

    Returns
    -------
    CumulativeReturns
    """
    cols = abnormal.columns(window)
    ar = abnormal.ar[:, cols]
    seen = ~np.isnan(ar)
    n_days = seen.sum(axis=1)
    rows = np.where(seen[:, :, None], abnormal.design[:, cols], 0.0).sum(axis=1)
    variance = np.where(seen, abnormal.noise[:, cols], 0.0).sum(axis=1)
    variance = variance + np.einsum("nk,nkj,nj->n", rows, abnormal.param_cov, rows)
    first = np.argmax(seen, axis=1)
    index = np.arange(len(ar))
    reach = first - abnormal.span[:, cols][index, first] + 1
    blocked = (reach < 0) & (window.start + first != 0)
    usable = (n_days > 0) & ~blocked

    def total(values: FloatArray) -> FloatArray:
        return np.where(usable, np.where(seen, values[:, cols], 0.0).sum(axis=1), np.nan)

    return CumulativeReturns(
        car=total(abnormal.ar),
        variance=np.where(usable, variance, np.nan),
        actual=total(abnormal.actual),
        expected=total(abnormal.expected),
        n_days=n_days.astype(np.int64),
    )
