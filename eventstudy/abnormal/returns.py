"""Abnormal returns of events and the form of their prediction-error covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.abnormal.estimation_windows import EstimationWindows, HeldWindows, estimation_design
from eventstudy.abnormal.event_windows import EventWindows, HeldEventWindows
from eventstudy.abnormal.gap_windows import GapWindows
from eventstudy.immutable import FrozenRecord, read_only
from eventstudy.models import ModelFit
from eventstudy.sample import EventArrays, Rows
from eventstudy.windows import Window
from eventstudy.workers import n_workers, on_threads

__all__ = ["AbnormalReturns", "abnormal_returns"]

#: Threads get chunks this many times as long: over shorter ones they wait longer than they compute.
LONGER = 16

#: Fields of one row per event.
ROWS = ("ar", "actual", "span", "param_cov", "s2", "n_obs", "dof")


@dataclass(frozen=True, kw_only=True)
class AbnormalReturns(FrozenRecord):
    """Abnormal returns of N events over an event window of L and an estimation window of W sessions.

    Attributes
    ----------
    window : Window
        The event window; column j of the (N, L) arrays is relative day ``window.start + j``.
    ar, actual : arrays, shape (N, L)
        Abnormal and observed return, decimals; NaN where the security did not trade.
    span : array of int, shape (N, L)
        Sessions each return spans: 1 as a rule, 0 where missing, d after a halt of d - 1 sessions.
    param_cov : array, shape (N, k, k)
        Covariance of the parameters.
    s2, n_obs, dof : arrays, shape (N,)
        As in `eventstudy.models.ModelFit`.
    n_params : int
    exact : bool
        Whether CAR / s.e. is t distributed under iid normally distributed errors.
    past : EstimationWindows
        Residuals, leverage, dates and regressors of the estimation windows.
    event_windows : EventWindows
        Dates of the event windows, and noise and regressors of their prediction-error covariance.
    day0 : array of int, shape (N,), optional
        Day 0 of each event as a session of the one market of all events; None where they are of several
        markets, or that is not known. Windows then are the same sessions before and after it.
    partial : bool, default True
        Whether a CAR sums what there is of a window that the returns do not cover.
    estimated_after : array of bool, shape (N,), optional
        Which events have estimation days after their event windows, so the last of these days cannot forecast
        the volatility of the event; None where none has.
    between : EstimationWindows, optional
        The sessions between estimation and event window, whose residuals are abnormal returns; None where
        the model cannot compute them.
    autocorrelation : array, shape (N, R), optional
        Autocorrelations 0 to R - 1 of the errors, where the model knows of any.
    bars : GapWindows, optional
        Nights and breaks in the event windows of a market of bars; None in a market of days.
    """

    window: Window
    ar: FloatArray
    actual: FloatArray
    span: IntArray
    param_cov: FloatArray
    s2: FloatArray
    n_obs: IntArray
    dof: FloatArray
    n_params: int
    exact: bool
    past: EstimationWindows
    event_windows: EventWindows
    day0: IntArray | None = None
    partial: bool = True
    estimated_after: BoolArray | None = None
    between: EstimationWindows | None = None
    autocorrelation: FloatArray | None = None
    bars: GapWindows | None = None

    @property
    def n_events(self) -> int:
        """Number N of events."""
        return int(self.ar.shape[0])

    @property
    def expected(self) -> FloatArray:
        """Normal returns, shape (N, L); NaN where there is no abnormal return."""
        return read_only(self.actual - self.ar)

    @property
    def event_dates(self) -> DateArray:
        """Dates (of bars, times) of the event windows, shape (N, L); NaT beyond the data."""
        return read_only(self.event_windows.dates())

    @property
    def noise(self) -> FloatArray:
        """Variance of each abnormal return apart from parameter error, shape (N, L)."""
        return read_only(self.event_windows.noise())

    @property
    def design(self) -> FloatArray:
        """Rows X* of the event windows, shape (N, L, k)."""
        return read_only(self.event_windows.design())

    def take(self, which: Any) -> AbnormalReturns:
        """Abnormal returns of the events that an index or a mask of shape (N,) picks."""
        return replace(
            self,
            **{name: getattr(self, name)[which] for name in ROWS},
            past=self.past.take(which),
            event_windows=self.event_windows.take(which),
            day0=None if self.day0 is None else self.day0[which],
            estimated_after=None if self.estimated_after is None else self.estimated_after[which],
            between=None if self.between is None else self.between.take(which),
            autocorrelation=None if self.autocorrelation is None else self.autocorrelation[which],
            bars=None if self.bars is None else self.bars.take(which),
        )

    @cached_property
    def lost_dof(self) -> float:
        """Degrees of freedom that a residual series of these events loses to its estimated mean.

        The number of mean parameters; none where residuals are out-of-sample prediction errors.
        Weights make `dof` smaller still, but take nothing from a plain sum of squares.
        """
        return min(float(self.n_params), float((self.n_obs - self.dof).mean()))

    @cached_property
    def by_day(self) -> IntArray | None:
        """Order of the events by day 0, if they are of one market.

        Estimation windows are made faster in this order than at random, since events of a day share
        regressors.
        """
        if self.day0 is None:
            return None
        return read_only(np.argsort(lazy.as_small_int(self.day0), kind="stable"))

    @cached_property
    def days(self) -> IntArray | None:
        """Sessions that are day 0 of some event, in order, if the events are of one market."""
        if self.day0 is None or self.by_day is None:
            return None
        ordered: IntArray = self.day0[self.by_day]
        first: IntArray = ordered[np.diff(ordered, prepend=-1) != 0]
        return read_only(first)

    def within_data(self, window: Window) -> bool:
        """Whether the data hold all days of a part of the event window; False unless of one market."""
        if self.day0 is None or not len(self.day0):
            return False
        # The first and the last windows are the ones that may reach beyond.
        ends = np.array([self.day0.argmin(), self.day0.argmax()])
        return not np.isnat(self.event_windows.dates(ends, self.columns(window))).any()

    def reach(self, cols: slice) -> IntArray | None:
        """Sessions before some columns that their returns span, shape (N,); None where none does.

        The first return after a halt spans the sessions of the halt.
        """
        span = self.span[:, cols]
        if not (span > 1).any():
            return None
        first = (span > 0).argmax(axis=1)
        reach = np.maximum(span[np.arange(len(span)), first] - 1 - first, 0)
        return reach if reach.any() else None

    def covered_dates(self, cols: slice) -> DateArray:
        """Dates of the sessions that the returns of some columns span, shape (N, B + columns).

        NaT where a return does not reach back by all of the B sessions, and beyond the data.
        """
        dates, reach = self.event_windows.dates(slice(None), cols), self.reach(cols)
        if reach is None:
            return dates
        most = int(reach.max())
        before = np.where(
            np.arange(most) < most - reach[:, None], np.datetime64("NaT"), self.dates_before(cols, most)
        )
        return np.concatenate([before, dates], axis=1)

    def dates_before(self, cols: slice, n: int) -> DateArray:
        """Dates of the n sessions before some columns, shape (N, n); NaT where not known."""
        start = cols.indices(self.ar.shape[1])[0]
        inside = self.event_windows.dates(slice(None), slice(max(start - n, 0), start))
        return np.concatenate([self.event_windows.earlier(n - inside.shape[1]), inside], axis=1)

    def variance(self, cols: slice = slice(None)) -> FloatArray:
        """Prediction-error variance of the abnormal returns of some columns, shape (N, columns)."""
        length = self.ar.shape[1]
        if cols.indices(length) == (0, length, 1):
            return self.ar_variance
        held = vars(self).get("ar_variance")
        return self._variance(cols) if held is None else np.asarray(held[:, cols])

    def _variance(self, cols: slice) -> FloatArray:
        out = np.empty(self.ar[:, cols].shape)

        def fill(part: slice) -> None:
            out[part] = self.variance_of(part, cols)

        longer = LONGER if n_workers(None) > 1 else 1
        for _ in on_threads(fill, list(lazy.chunks(self.n_events, longer))):
            pass
        return out

    def variance_of(self, rows: Rows, cols: slice = slice(None)) -> FloatArray:
        """Prediction-error variance of the abnormal returns of some events and columns."""
        held = vars(self).get("ar_variance")
        if held is not None:
            return np.asarray(held[rows, cols], dtype=np.float64)
        design, cov = self.event_windows.design(rows, cols), self.param_cov[rows]
        variance = np.array(self.event_windows.noise(rows, cols))
        # Column by column: a product of many small matrices takes longer.
        for a in range(cov.shape[1]):
            product = cov[:, a, :1] * design[:, :, 0]
            for b in range(1, cov.shape[2]):
                product += cov[:, a, b, None] * design[:, :, b]
            product *= design[:, :, a]
            variance += product
        variance[np.isnan(self.ar[rows, cols])] = np.nan
        return variance

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
    ar = arrays.y_evt - fit.expected
    return AbnormalReturns(
        window=window,
        ar=ar,
        actual=arrays.y_evt + arrays.rf_evt,
        span=np.where(np.isnan(ar), 0, arrays.span_evt),
        param_cov=fit.param_cov,
        s2=fit.s2,
        n_obs=fit.n_obs,
        dof=fit.dof,
        n_params=fit.params.shape[1],
        exact=fit.exact,
        past=HeldWindows(fit.residuals, fit.leverage, arrays.dates_est, estimation_design(arrays)),
        event_windows=HeldEventWindows(arrays.dates_evt, fit.noise, fit.design),
        autocorrelation=fit.autocorrelation,
    )
