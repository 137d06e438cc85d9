"""Dates of the event windows and the form of their prediction-error covariance: held, or made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from eventstudy import lazy
from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.abnormal.estimation_windows import ALL, all_of
from eventstudy.immutable import FrozenRecord, Immutable, read_only
from eventstudy.models import NormalReturnModel
from eventstudy.sample import EventSample, Rows, window_design
from eventstudy.windows import Window

__all__ = ["EventWindows", "HeldEventWindows", "SampledEventWindows"]


class EventWindows(Protocol):
    """Dates, and rows of the prediction-error covariance, of the event windows of N events, L days each.

    The covariance is ``diag(noise) + design C design'`` for the parameter covariance C, as in
    `eventstudy.models.ModelFit`. Methods take events, as a slice or an array of positions, and a slice of
    days; all by default.
    """

    def dates(self, rows: Rows = ALL, days: slice = ALL) -> DateArray:
        """Dates (of bars, times), shape (n, days); NaT beyond the data."""
        ...

    def earlier(self, n: int) -> DateArray:
        """Dates of the n sessions before the windows, shape (N, n); NaT where not known."""
        ...

    def noise(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """Variance of each abnormal return apart from parameter error, shape (n, days); NaN where missing."""
        ...

    def design(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """Rows X* of the regression, shape (n, days, k).

        Where there is no abnormal return they are NaN, or any number if only some days are asked for.
        """
        ...

    def take(self, which: Any) -> EventWindows:
        """Windows of the events that an index or a mask of shape (N,) picks."""
        ...


class HeldEventWindows(Immutable):
    """Event windows that are arrays.

    Parameters
    ----------
    dates : array of datetime64, shape (N, L)
    noise : array, shape (N, L)
    design : array, shape (N, L, k)
    before : array of datetime64, shape (N, B), optional
        Dates of the sessions before the windows.
    """

    def __init__(
        self, dates: DateArray, noise: FloatArray, design: FloatArray, before: DateArray | None = None
    ) -> None:
        self._dates, self._noise, self._design = read_only(dates), read_only(noise), read_only(design)
        self._before = read_only(dates[:, :0] if before is None else before)

    def dates(self, rows: Rows = ALL, days: slice = ALL) -> DateArray:
        """See `EventWindows.dates`."""
        return self._dates[rows, days]

    def earlier(self, n: int) -> DateArray:
        """See `EventWindows.earlier`."""
        known = self._before[:, max(self._before.shape[1] - n, 0) :]
        unknown = np.full((len(known), n - known.shape[1]), np.datetime64("NaT"), self._dates.dtype)
        return np.concatenate([unknown, known], axis=1)

    def noise(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """See `EventWindows.noise`."""
        return self._noise[rows, days]

    def design(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """See `EventWindows.design`."""
        return self._design[rows, days]

    def take(self, which: Any) -> HeldEventWindows:
        """See `EventWindows.take`."""
        return HeldEventWindows(
            self._dates[which], self._noise[which], self._design[which], self._before[which]
        )


@dataclass(frozen=True, eq=False)
class SampledEventWindows(FrozenRecord):
    """Event windows that are laid out again from the sample.

    Attributes
    ----------
    model : NormalReturnModel
    sample : EventSample
    s2 : array, shape (M,)
        Residual variance of the M events of the sample.
    span : array of int, shape (M, L)
        Sessions that each abnormal return spans, 0 where missing.
    events : array of int, shape (N,)
        The events, by position in the sample.
    held : mapping of str to array, shape (N, L) and (N, L, k)
        Noise and design of models for which they are not ``s2`` per session, and constant and regressors.
        Whole arrays that were read once are kept too, while they are small.
    """

    model: NormalReturnModel
    sample: EventSample
    s2: FloatArray
    span: IntArray
    events: IntArray
    held: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    _kept: dict[str, npt.NDArray[Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kept", dict(self.held))
        super().__post_init__()

    def dates(self, rows: Rows = ALL, days: slice = ALL) -> DateArray:
        """See `EventWindows.dates`."""
        held = self._kept.get("dates")
        if held is None and not all_of(rows):
            offsets = self.sample.window.offsets[days]
            if not len(offsets):
                return self.sample.dates(self.sample.window, self.events[rows])[:, days]
            return self.sample.dates(Window(int(offsets[0]), int(offsets[-1])), self.events[rows])
        if held is None:
            held = self._keep("dates", self.sample.dates(self.sample.window, self.events))
        return held[rows, days]

    def earlier(self, n: int) -> DateArray:
        """See `EventWindows.earlier`."""
        start = self.sample.window.start
        return self.sample.dates(Window(start - n, start - 1), self.events) if n else self.dates()[:, :0]

    def noise(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """See `EventWindows.noise`."""
        held = self._kept.get("noise")
        if held is not None:
            return held[rows, days]
        events = self.events[rows]
        span = self.span[events, days]
        noise: FloatArray = self.s2[events, None] * span
        noise[span == 0] = np.nan
        return noise

    def design(self, rows: Rows = ALL, days: slice = ALL) -> FloatArray:
        """See `EventWindows.design`."""
        held = self._kept.get("design")
        if held is None and not all_of(rows):
            return self._laid_out(self.events[rows], days)
        if held is None:
            whole = [
                self._laid_out(self.events[part], None) for part in lazy.chunks(max(len(self.events), 1))
            ]
            held = self._keep("design", np.concatenate(whole))
        return held[rows, days]

    def take(self, which: Any) -> SampledEventWindows:
        """See `EventWindows.take`."""
        held = {name: values[which] for name, values in self._kept.items()}
        return SampledEventWindows(
            model=self.model,
            sample=self.sample,
            s2=self.s2,
            span=self.span,
            events=self.events[which],
            held=held,
        )

    def _laid_out(self, events: IntArray, days: slice | None) -> FloatArray:
        return window_design(self.sample, self.model.regressors, self.model.excess, events, days)

    def _keep(self, name: str, whole: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if whole.size <= lazy.MOST_HELD:
            self._kept[name] = read_only(whole)
        return whole


def _whole(rows: Rows) -> bool:
    return isinstance(rows, slice) and rows == ALL
