"""Estimation windows of fitted events: held as arrays, or made again from the model and the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from eventstudy import lazy
from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.immutable import FrozenRecord, Immutable, read_only
from eventstudy.models import NormalReturnModel
from eventstudy.sample import EventArrays, EventSample, Rows

__all__ = ["ALL", "EstimationWindows", "HeldWindows", "RefittedWindows", "all_of", "estimation_design"]

#: All events, or all days.
ALL = slice(None)


def all_of(rows: Rows) -> bool:
    """Whether all events are asked for."""
    return isinstance(rows, slice) and rows == ALL


class EstimationWindows(Protocol):
    """What a test may read of the estimation windows of N events, W sessions each.

    Each method takes the events wanted, as a slice or an array of positions, and returns one row per event;
    all N by default. A test of many events reads a chunk at a time, so memory does not grow with N.

    See Also
    --------
    HeldWindows : arrays that are there already.
    RefittedWindows : made again from the model and the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from eventstudy.abnormal import HeldWindows
    >>> days = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]")
    >>> past = HeldWindows(np.array([[0.01, -0.01, 0.0, np.nan]]), np.full((1, 4), 1 / 3), days[None])
    >>> past.residuals().shape
    (1, 4)
    """

    def residuals(self, rows: Rows = ALL) -> FloatArray:
        """Estimation-window residuals, decimals, shape (n, W); NaN on days not used."""
        ...

    def leverage(self, rows: Rows = ALL) -> FloatArray:
        """Hat values h of the regression, shape (n, W); NaN on days not used, 0 where nothing is estimated.

        A residual has the variance ``sigma^2 (1 - h)``.
        """
        ...

    def dates(self, rows: Rows = ALL) -> DateArray:
        """Dates (of bars, times) of the days, shape (n, W); NaT beyond the data."""
        ...

    def design(self, rows: Rows = ALL) -> FloatArray | None:
        """Constant and regressors of the days, shape (n, W, q); None where they are not known.

        Rows are divided by the root of the sessions that their return spans, like the return.
        """
        ...

    def take(self, which: Any) -> EstimationWindows:
        """Windows of the events that an index or a mask of shape (N,) picks."""
        ...


class HeldWindows(Immutable):
    """Estimation windows that are arrays: for pooled studies, models of your own, and tests.

    Parameters
    ----------
    residuals, leverage : arrays, shape (N, W)
    dates : array of datetime64, shape (N, W)
    design : array, shape (N, W, q), optional
        As the methods of `EstimationWindows` return them.
    """

    def __init__(
        self,
        residuals: FloatArray,
        leverage: FloatArray,
        dates: DateArray,
        design: FloatArray | None = None,
    ) -> None:
        self._residuals, self._leverage = read_only(residuals), read_only(leverage)
        self._dates = read_only(dates)
        self._design = None if design is None else read_only(design)

    def residuals(self, rows: Rows = ALL) -> FloatArray:
        """See `EstimationWindows.residuals`."""
        return self._residuals[rows]

    def leverage(self, rows: Rows = ALL) -> FloatArray:
        """See `EstimationWindows.leverage`."""
        return self._leverage[rows]

    def dates(self, rows: Rows = ALL) -> DateArray:
        """See `EstimationWindows.dates`."""
        return self._dates[rows]

    def design(self, rows: Rows = ALL) -> FloatArray | None:
        """See `EstimationWindows.design`."""
        return None if self._design is None else self._design[rows]

    def take(self, which: Any) -> HeldWindows:
        """See `EstimationWindows.take`."""
        design = None if self._design is None else self._design[which]
        return HeldWindows(self._residuals[which], self._leverage[which], self._dates[which], design)


@dataclass(frozen=True, eq=False)
class RefittedWindows(FrozenRecord):
    """Estimation windows that are made again from the model, the sample and the parameters.

    A study of a million events keeps its event windows, not a million estimation windows.

    Attributes
    ----------
    model : NormalReturnModel
    sample : EventSample
    params : array, shape (M, k)
        Parameters of the M events of the sample.
    events : array of int, shape (N,)
        The events, by position in the sample.
    held : mapping of str to array, shape (N, W)
        Residuals and leverage that cost more to make again than to hold. Whole arrays that were read once
        are kept too, while they are small.
    """

    model: NormalReturnModel
    sample: EventSample
    params: FloatArray
    events: IntArray
    held: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    _kept: dict[str, npt.NDArray[Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kept", dict(self.held))
        super().__post_init__()

    def residuals(self, rows: Rows = ALL) -> FloatArray:
        """See `EstimationWindows.residuals`."""
        held = self._kept.get("residuals")
        return self._made("residuals", rows) if held is None else held[rows]

    def leverage(self, rows: Rows = ALL) -> FloatArray:
        """See `EstimationWindows.leverage`."""
        held = self._kept.get("leverage")
        return self._made("leverage", rows) if held is None else held[rows]

    def dates(self, rows: Rows = ALL) -> DateArray:
        """See `EstimationWindows.dates`."""
        held = self._kept.get("dates")
        return self._made("dates", rows) if held is None else held[rows]

    def design(self, rows: Rows = ALL) -> FloatArray:
        """See `EstimationWindows.design`."""
        return estimation_design(self.model.arrays(self.sample, self.events[rows]))

    def take(self, which: Any) -> RefittedWindows:
        """See `EstimationWindows.take`."""
        held = {name: values[which] for name, values in self._kept.items()}
        return RefittedWindows(self.model, self.sample, self.params, self.events[which], held)

    def _made(self, name: str, rows: Rows) -> npt.NDArray[Any]:
        if not all_of(rows):
            return self._compute(name, self.events[rows])
        if name == "dates" or not len(self.events):
            whole = self._compute(name, self.events)
        else:
            # Events on the same day share regressors, so it is fastest to make them together.
            order = lazy.group_order(self.sample.day0[self.events])
            whole = np.empty((len(order), len(self.sample.estimation)))
            for part in lazy.chunks(len(order)):
                whole[order[part]] = self._compute(name, self.events[order[part]])
        if whole.size <= lazy.MOST_HELD:
            self._kept[name] = read_only(whole)
        return whole

    def _compute(self, name: str, events: IntArray) -> npt.NDArray[Any]:
        if name == "residuals":
            return self.model.residuals(self.sample, events, self.params[events])
        if name == "leverage":
            return self.model.leverage(self.sample, events)
        return self.sample.dates(self.sample.estimation, events)


def estimation_design(arrays: EventArrays) -> FloatArray:
    """Constant and regressors of the estimation windows, shape (n, W, 1 + p).

    They are divided like the returns where these span several sessions.
    """
    spans = np.ones(arrays.y_est.shape) if arrays.span_est is None else np.maximum(arrays.span_est, 1.0)
    columns = np.concatenate([spans[:, :, None], arrays.x_est], axis=2)
    return np.asarray(columns / np.sqrt(spans)[:, :, None], dtype=np.float64)
