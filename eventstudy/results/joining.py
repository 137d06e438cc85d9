"""Abnormal returns of several studies as one: estimation days laid on the sessions of all markets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eventstudy.abnormal import AbnormalReturns
from eventstudy.windows import Window

__all__ = ["joined"]

FloatArray = npt.NDArray[np.float64]
DayArray = npt.NDArray[np.datetime64]


def joined(parts: Sequence[AbnormalReturns], window: Window, sessions: DayArray) -> AbnormalReturns:
    """Join the events of several studies, in their order.

    Parameters
    ----------
    parts : sequence of AbnormalReturns
    window : Window
        Part of every event window; its columns are kept.
    sessions : array of datetime64[D]
        Sessions of all markets, in order, each once.

    Returns
    -------
    AbnormalReturns
        Column j of the estimation arrays is the same number of `sessions` before day 0 for every event, so
        that events of one date stand on the same calendar days whatever their markets' holidays; NaN where
        the event's own market was closed or the day is beyond its estimation window. The event window
        counts each market's own sessions. Regressors of the estimation windows are not kept.
    """
    cols = [part.columns(window) for part in parts]
    k = max(part.param_cov.shape[2] for part in parts)
    days, residuals, leverage = _on_sessions(parts, sessions)

    def event(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name)[:, c] for part, c in zip(parts, cols, strict=True)])

    def each(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name) for part in parts])

    design = [_padded(part.design[:, c], k, 1) for part, c in zip(parts, cols, strict=True)]
    return AbnormalReturns(
        window=window,
        ar=event("ar"),
        actual=event("actual"),
        expected=event("expected"),
        span=event("span").astype(np.int64),
        noise=event("noise"),
        design=np.concatenate(design),
        param_cov=np.concatenate([_padded(part.param_cov, k, 2) for part in parts]),
        residuals=residuals,
        leverage=leverage,
        s2=each("s2"),
        n_obs=each("n_obs").astype(np.int64),
        dof=each("dof"),
        n_params=max(part.n_params for part in parts),
        estimation_dates=days,
        event_dates=np.concatenate([p.event_dates[:, c] for p, c in zip(parts, cols, strict=True)]),
        exact=all(part.exact for part in parts),
    )


def _padded(values: FloatArray, k: int, axes: int) -> FloatArray:
    """Fill the last `axes` axes of an array with zeros up to length k."""
    more = k - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - axes) + [(0, more)] * axes)


def _on_sessions(
    parts: Sequence[AbnormalReturns], sessions: DayArray
) -> tuple[DayArray, FloatArray, FloatArray]:
    """Estimation days, residuals and hat values by sessions before day 0; each (N, W)."""
    starts, places = [], []
    for part in parts:
        start = np.searchsorted(sessions, part.event_dates[:, -part.window.start])
        known = ~np.isnat(part.estimation_dates)
        place = np.searchsorted(sessions, part.estimation_dates) - start[:, None]
        starts.append(start)
        places.append(np.where(known, place, 0))  # day 0 itself stands for no day
    low = min(int(place.min(initial=0)) for place in places)
    width = max(int(place[place < 0].max(initial=low)) for place in places) - low + 1
    start = np.concatenate(starts)
    rows = start[:, None] + np.arange(low, low + width)
    days = np.where(rows >= 0, sessions[np.maximum(rows, 0)], np.datetime64("NaT", "D"))
    residuals, leverage = np.full((2, len(start), width), np.nan)
    first = 0
    for part, place in zip(parts, places, strict=True):
        row, column = np.nonzero(place < 0)
        to = (first + row, place[row, column] - low)
        residuals[to] = part.residuals[row, column]
        leverage[to] = part.leverage[row, column]
        first += len(place)
    return days, residuals, leverage
