"""The plot accessor: gathers a tidy frame and hands it to a drawing function."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy.inference import clustering
from eventstudy.market import LEVELS
from eventstudy.results import plot_data
from eventstudy.results.fitted import FittedEvents, WindowLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ResultsPlotter"]


class ResultsPlotter:
    """Figures of results; every method takes ``ax=`` and returns the matplotlib Axes.

    Each gathers a tidy frame and draws it with the function of the same name in
    `eventstudy.plotting`, which draws frames of your own as well.
    """

    def __init__(self, data: FittedEvents) -> None:
        self._data = data

    def __repr__(self) -> str:
        names = [name for name in dir(self) if not name.startswith("_")]
        return f"Plots: {', '.join(names)}"

    def car(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """Cumulative abnormal return of one event with its interval."""
        data = self._data
        row = data.position(event_id)
        frame = plot_data.car_path(data, [row], data.window(start, end), level)
        title = _title(data, row)
        ax = plotting.plot_car(frame.drop(columns="event"), ax=ax, title=title, level=level)
        return _named(ax, data, "Cumulative")

    def caar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        by: str | None = None,
        test: str | None = None,
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """Cumulative average abnormal return with the interval of a test that fits the design.

        `test` chooses another, as for `EventStudyResults.caar`. `by`, a column of the events such as
        ``"group"``, gives each group a panel; the first panel is returned.
        """
        window = self._data.window(start, end)
        if by is None:
            frame = plot_data.caar_path(self._data, window, test, level)
        else:
            frame = plot_data.caar_paths(self._data, by, window, test, level)
        n, names = len(self._data.index), [name.replace("_", "-") for name in frame["test"].unique()]
        title = (
            f"{n} event{'s' * (n != 1)}, interval{'s' * (by is not None)} of the {' and '.join(names)} "
            f"test{'s' * (len(names) > 1)}"
        )
        draw = plotting.plot_caar if by is None else plotting.plot_caar_groups
        ax = draw(frame, ax=ax, title=title, level=level)
        return _named(ax, self._data, "Cumulative average")

    def reaction(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        currency: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Price beside the price had nothing been announced."""
        data, row = self._data.part(self._data.position(event_id))
        frame = plot_data.reaction(data, row, self._data.window(start, end), level)
        return plotting.plot_reaction(frame, ax=ax, currency=currency, title=_title(data, row), level=level)

    def fit(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Estimation regression as a scatter, the event days marked: (0, +1) by default."""
        data, row = self._data.part(self._data.position(event_id))
        window = self._data.headline() if start is None and end is None else self._data.window(start, end)
        frame = plot_data.fit(data, row, window)
        return plotting.plot_fit(frame, ax=ax, title=_title(data, row))

    def null(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = 0,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Event-day abnormal return against the estimation-window residuals."""
        data, row = self._data.part(self._data.position(event_id))
        frame = plot_data.null(data, row, self._data.window(start, end))
        return plotting.plot_null(frame, ax=ax, title=_title(data, row))

    def heatmap(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Abnormal returns of all events by day."""
        frame = plot_data.heatmap(self._data, self._data.window(start, end))
        return plotting.plot_heatmap(frame, ax=ax)

    def decomposition(
        self,
        event_id: Hashable | None = None,
        day: int = 0,
        *,
        currency: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Event day taken apart: overnight gap, low, close, limit."""
        data, row = self._data.part(self._data.position(event_id))
        frame = plot_data.decomposition(data, row, day).reset_index()
        return plotting.plot_decomposition(frame, ax=ax, currency=currency, title=_title(data, row))

    def forest(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """CAR of every event with its interval, sorted, and their average."""
        window = self._data.window(start, end)
        frame = plot_data.forest(self._data, window, level)
        return plotting.plot_forest(frame, ax=ax, title=f"CAR {window}", level=level)

    def clustering(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """When the events fall, and how many of their windows are open at a time."""
        window = self._data.window(start, end)
        found = clustering(self._data.test_input(window))
        title = f"Windows {window}"
        if found.n_events > 1:
            title += f": mean correlation {found.mean_correlation:z.2f}"
        return plotting.plot_clustering(plot_data.clustering(self._data, window), ax=ax, title=title)

    def residuals(self, event_id: Hashable | None = None, *, ax: Axes | None = None) -> Axes:
        """Estimation residuals and abnormal returns of one event over time."""
        frame, title = self._residuals(event_id)
        return plotting.plot_residuals(frame, ax=ax, title=title)

    def qq(self, event_id: Hashable | None = None, *, ax: Axes | None = None) -> Axes:
        """Estimation residuals of one event against a normal distribution."""
        frame, title = self._residuals(event_id)
        return plotting.plot_qq(frame, ax=ax, title=title)

    def autocorrelation(
        self, event_id: Hashable | None = None, *, lags: int = 20, ax: Axes | None = None
    ) -> Axes:
        """Autocorrelation of one event's estimation residuals and of their squares."""
        frame, title = self._residuals(event_id)
        return plotting.plot_autocorrelation(frame, ax=ax, title=title, lags=lags)

    def tests(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """P-values of all tests, those recommended marked; resampling tests draw from seed 0."""
        window = self._data.window(start, end)
        return plotting.plot_tests(plot_data.tests(self._data, window), ax=ax, title=f"Tests of {window}")

    def timeline(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = None,
        end: int | None = None,
        *,
        currency: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Price at the close within its daily limits, limit days and suspended sessions marked."""
        data, row = self._data.part(self._data.position(event_id))
        frame = plot_data.timeline(data, row, self._data.window(start, end))
        return plotting.plot_timeline(frame, ax=ax, currency=currency, title=_title(data, row))

    def _residuals(self, event_id: Hashable | None) -> tuple[pd.DataFrame, str]:
        data, row = self._data.part(self._data.position(event_id))
        return plot_data.null(data, row, self._data.event_window), _title(data, row)


def _title(data: FittedEvents, row: int) -> str:
    """Name of an event as a title; dollars in a label are no mathematics."""
    return data.name(row).replace("$", r"\$")


def _named(ax: Axes, data: FittedEvents, measure: str) -> Axes:
    """Name the axes after what is measured, where that is no return or not by session."""
    kind = data.kind
    if kind in LEVELS:
        # Panels of a figure of their own share one name.
        shared = ax.figure.get_supylabel()
        (ax.figure.supylabel if shared else ax.set_ylabel)(f"{measure} abnormal {kind}")
    if np.datetime_data(data.abnormal.event_dates.dtype)[0] != "D":
        shared = ax.figure.get_supxlabel()
        (ax.figure.supxlabel if shared else ax.set_xlabel)("Bars relative to the event bar")
    return ax
