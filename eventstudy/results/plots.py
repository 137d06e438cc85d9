"""The plot accessor: gathers a tidy frame and hands it to a drawing function."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from eventstudy import plotting
from eventstudy.results import frames
from eventstudy.results.data import StudyData, WindowLike
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ResultsPlotter"]


class ResultsPlotter:
    """Figures of results; every method takes ``ax=`` and returns the matplotlib Axes.

    Each gathers a tidy frame and draws it with the function of the same name in
    `eventstudy.plotting`, which draws frames of your own as well.
    """

    def __init__(self, data: StudyData) -> None:
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
        frame = frames.car_path(data, [row], data.window(start, end), level)
        title = data.name(row)
        return plotting.plot_car(frame.drop(columns="event"), ax=ax, title=title, level=level)

    def caar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        test: str | None = None,
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """Cumulative average abnormal return with the interval of a test that fits the design."""
        frame = frames.caar_path(self._data, self._data.window(start, end), test, level)
        title = f"{len(self._data.sample)} events, interval of the {frame['test'].iloc[0]} test"
        return plotting.plot_caar(frame, ax=ax, title=title.replace("_", "-"), level=level)

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
        data = self._data
        row = data.position(event_id)
        frame = frames.reaction(data, row, data.window(start, end), level)
        return plotting.plot_reaction(frame, ax=ax, currency=currency, title=data.name(row), level=level)

    def fit(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = 0,
        end: int | None = 1,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Estimation regression as a scatter, the event days marked."""
        data = self._data
        row = data.position(event_id)
        frame = frames.fit(data, row, self._near(start, end))
        return plotting.plot_fit(frame, ax=ax, title=data.name(row))

    def null(
        self,
        event_id: Hashable | None = None,
        start: WindowLike = 0,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Event-day abnormal return against the estimation-window residuals."""
        data = self._data
        row = data.position(event_id)
        frame = frames.null(data, row, data.window(start, end))
        return plotting.plot_null(frame, ax=ax, title=data.name(row))

    def heatmap(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
    ) -> Axes:
        """Abnormal returns of all events by day."""
        frame = frames.heatmap(self._data, self._data.window(start, end))
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
        data = self._data
        row = data.position(event_id)
        frame = frames.decomposition(data, row, day).reset_index()
        return plotting.plot_decomposition(frame, ax=ax, currency=currency, title=data.name(row))

    def _near(self, start: WindowLike, end: int | None) -> Window:
        """Window asked for, cut to the event window where only the default reaches past it."""
        if (start, end) == (0, 1):
            end = min(1, self._data.spec.window.end)
        return self._data.window(start, end)
