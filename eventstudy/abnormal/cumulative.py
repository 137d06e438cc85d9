"""Cumulative abnormal returns and their prediction-error variances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal.returns import AbnormalReturns
from eventstudy.immutable import FrozenRecord, read_only
from eventstudy.windows import Window

__all__ = ["CumulativeReturns", "covered", "cumulate"]


@dataclass(frozen=True)
class CumulativeReturns(FrozenRecord):
    """Cumulative abnormal returns of N events over one window.

    Attributes
    ----------
    car, variance, actual, expected : arrays, shape (N,)
        Sum of the available abnormal returns, its prediction-error variance ``g'Vg``, and the
        observed and normal returns summed over the same days. NaN where a window cannot be used.
    dof : array, shape (N,)
        Degrees of freedom of the variance: those of the residual variance, fewer where part of it is known
        from a few nights of bars.
    serial : array, shape (N,)
        Variance of the sum of the errors over that of as many independent ones, ``1'R1 / L``; 1 unless the
        model knows of autocorrelation.
    n_days : array of int, shape (N,)
        Days with a return in the window.
    uncovered : array of int, shape (N,)
        Days of the window before its first return and after its last, which these do not reach over.
    """

    car: FloatArray
    variance: FloatArray
    actual: FloatArray
    expected: FloatArray
    dof: FloatArray
    serial: FloatArray
    n_days: IntArray
    uncovered: IntArray

    @property
    def complete(self) -> BoolArray:
        """Whether the returns cover the window from its first day to its last, shape (N,)."""
        return read_only(self.uncovered == 0)

    @property
    def scar(self) -> FloatArray:
        """CAR in units of its own prediction error, shape (N,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return read_only(np.where(self.variance > 0, self.car / np.sqrt(self.variance), np.nan))

    def take(self, which: Any) -> CumulativeReturns:
        """CARs of the events that an index or a mask of shape (N,) picks."""
        return CumulativeReturns(*(getattr(self, each.name)[which] for each in fields(self)))


def cumulate(abnormal: AbnormalReturns, window: Window) -> CumulativeReturns:
    r"""Cumulate abnormal returns over `window`, with the full prediction-error covariance.

    .. math:: \mathrm{CAR}_i = \sum_{t \in W} AR_{it}, \qquad
              \operatorname{Var}(\mathrm{CAR}_i) = \gamma' V_i \gamma

    The sum runs over the days with a return (`n_days`); V is restricted to them. A CAR is
    missing where no day has a return; where its first return, unless it is the event day's,
    lumps sessions from before the window, which would be earlier news; and where the returns begin after
    the first day of the window or end before the last, unless ``abnormal.partial``.

    Returns
    -------
    CumulativeReturns

    References
    ----------
    Patell (1976), Journal of Accounting Research 14, 246-276; Salinger (1992), Journal of Financial and
    Quantitative Analysis 27, 39-53; docs/methods/abnormal_returns.md, eq. (car-variance).
    """
    cols = abnormal.columns(window)
    seen = ~np.isnan(abnormal.ar[:, cols])
    n_days = np.count_nonzero(seen, axis=1)
    complete = bool(seen.all())

    def summed(values: Callable[[slice], FloatArray]) -> FloatArray:
        out = np.empty(len(seen))
        for some in lazy.chunks(len(out)):
            part = values(some)
            if not complete:
                part = np.where(seen[some], part, 0.0)
            # Day by day: a product of matrices sums by where a row stands, so equal returns, and with them
            # ties of the ranked CARs, would differ in their last digit.
            days = np.ascontiguousarray(part.T)
            total = out[some]
            total[:] = days[0]
            for day in days[1:]:
                total += day
        return out

    variance = summed(lambda some: abnormal.event_windows.noise(some, cols))
    for some in lazy.chunks(len(seen)):
        design = abnormal.event_windows.design(some, cols)
        rows = (design if complete else np.where(seen[some, :, None], design, 0.0)).sum(axis=1)
        variance[some] += np.einsum("nk,nkj,nj->n", rows, abnormal.param_cov[some], rows)
    dof = abnormal.dof if abnormal.bars is None else abnormal.bars.dof(cols, variance, abnormal.dof, seen)
    begins, ends = covered(abnormal, window)
    blocked = (begins < window.start) & (window.start + np.argmax(seen, axis=1) != 0)
    uncovered = np.maximum(begins - window.start, 0) + window.end - ends
    uncovered = np.where(n_days > 0, uncovered, len(window))
    usable = (uncovered < len(window) if abnormal.partial else uncovered == 0) & ~blocked
    car = np.where(usable, summed(lambda some: abnormal.ar[some, cols]), np.nan)
    actual = np.where(usable, summed(lambda some: abnormal.actual[some, cols]), np.nan)
    return CumulativeReturns(
        car=car,
        variance=np.where(usable, variance, np.nan),
        actual=actual,
        expected=actual - car,
        dof=np.asarray(dof, dtype=np.float64),
        serial=_serial(abnormal, cols, seen),
        n_days=n_days.astype(np.int64),
        uncovered=uncovered,
    )


def _serial(abnormal: AbnormalReturns, cols: slice, seen: BoolArray) -> FloatArray:
    """Variance of sums of autocorrelated errors over that of as many independent ones, shape (N,)."""
    out = np.ones(len(seen))
    if abnormal.autocorrelation is None:
        return out
    spans = np.where(seen, abnormal.span[:, cols], 0)
    last = np.arange(spans.shape[1])
    for i, (rho, span) in enumerate(zip(abnormal.autocorrelation, spans, strict=True)):
        days = np.concatenate([np.arange(t - d + 1, t + 1) for t, d in zip(last, span, strict=True)])
        if len(days):
            apart = np.abs(days[:, None] - days)
            out[i] = np.where(apart < len(rho), rho[np.minimum(apart, len(rho) - 1)], 0.0).sum() / len(days)
    return out


def covered(
    abnormal: AbnormalReturns, window: Window, part: IntArray | slice = slice(None)
) -> tuple[IntArray, IntArray]:
    """First and last relative day that the abnormal returns of a window reach over, shape (n,) each.

    A return that spans a halt reaches over it, and may begin before the window. Arbitrary where no day of
    the window has one. `part` picks the events.
    """
    cols = abnormal.columns(window)
    seen = ~np.isnan(abnormal.ar[part, cols])
    first = np.argmax(seen, axis=1)
    last = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    span = abnormal.span[part, cols][np.arange(len(seen)), first]
    return window.start + first - span + 1, window.start + last
