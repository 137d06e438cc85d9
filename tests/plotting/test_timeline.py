"""Prices within their limits, limit days and suspended sessions."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting import plot_timeline


def labelled(ax: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in ax.lines}


def test_lines_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.timeline()
    lines = labelled(plot_timeline(frame))
    np.testing.assert_array_equal(lines["Close"].get_ydata(), frame["price"])
    np.testing.assert_array_equal(lines["Daily price limits"].get_ydata(), frame["limit_down"])
    np.testing.assert_array_equal(lines["_upper"].get_ydata(), frame["limit_up"])
    event = mdates.date2num(frame.loc[frame["day"] == 0, "date"].iloc[0])
    np.testing.assert_array_equal(mdates.date2num(lines["Event session"].get_xdata()), [event, event])


def test_limit_days_are_marked(frames: SimpleNamespace) -> None:
    frame = frames.timeline()
    lines = labelled(plot_timeline(frame))
    expected = {
        "Closed limit-down": ([3, 4], "limit_down", "v"),
        "Lower limit touched": ([5], "limit_down", "v"),
        "Closed limit-up": ([6], "limit_up", "^"),
        "Upper limit touched": ([7], "limit_up", "^"),
    }
    for label, (rows, limit, marker) in expected.items():
        line = lines[label]
        assert line.get_marker() == marker
        np.testing.assert_array_equal(line.get_ydata(), frame.loc[rows, limit])
        np.testing.assert_array_equal(
            mdates.date2num(line.get_xdata()), mdates.date2num(frame.loc[rows, "date"])
        )
        assert (line.get_markerfacecolor() == "none") == ("touched" in label)


def test_suspended_sessions_are_shaded(frames: SimpleNamespace) -> None:
    frame = frames.timeline()
    ax = plot_timeline(frame)
    (span,) = ax.patches
    first, last = frame["date"].iloc[[1, 2]]
    half = pd.Timedelta(hours=12)
    assert span.get_x() == mdates.date2num(first - half)
    assert span.get_x() + span.get_width() == mdates.date2num(last + half)
    assert ax.get_legend().get_texts()[-1].get_text() == "Suspended"


def test_without_limits(frames: SimpleNamespace) -> None:
    frame = frames.timeline().assign(limit_down=np.nan, limit_up=np.nan, touched=0, closed=0)
    ax = plot_timeline(frame, currency="HKD")
    assert ax.get_ylabel() == "Price (HKD)"
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["Close", "Event session", "Suspended"]
