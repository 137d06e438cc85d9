"""Clustering: windows open and events of a day, in calendar time."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PolyCollection

from eventstudy.plotting import plot_clustering


def test_area_is_the_number_of_open_windows(frames: SimpleNamespace) -> None:
    frame = frames.clustering()
    ax = plot_clustering(frame)
    (area,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    corners = area.get_paths()[0].vertices
    for date, windows in zip(frame["date"], frame["windows"], strict=True):
        at = mdates.date2num(date)
        # The area is as high as the windows of that day on both sides of noon.
        before, after = corners[corners[:, 0] <= at][:, 0].max(), corners[corners[:, 0] >= at][:, 0].min()
        assert before <= at <= after
        heights = set(corners[np.isclose(corners[:, 0], before) | np.isclose(corners[:, 0], after)][:, 1])
        assert windows in heights
    first, last = frame["date"].iloc[0], frame["date"].iloc[-1]
    assert corners[:, 0].min() == mdates.date2num(first - pd.Timedelta(hours=12))
    assert corners[:, 0].max() == mdates.date2num(last + pd.Timedelta(hours=12))


def test_stems_are_the_events(frames: SimpleNamespace) -> None:
    frame = frames.clustering()
    ax = plot_clustering(frame)
    days = frame[frame["events"] > 0]
    (stems,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    ends = np.array([segment[1] for segment in stems.get_segments()])
    np.testing.assert_array_equal(ends[:, 0], mdates.date2num(days["date"]))
    np.testing.assert_array_equal(ends[:, 1], days["events"])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), days["events"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "Windows open, at most 3",
        "4 events on 3 dates",
    ]


def test_order_of_rows_does_not_matter(frames: SimpleNamespace) -> None:
    frame = frames.clustering()
    areas = [plot_clustering(f).collections[0].get_paths()[0].vertices for f in (frame, frame.iloc[::-1])]
    np.testing.assert_array_equal(*areas)


def test_one_event(frames: SimpleNamespace) -> None:
    ax = plot_clustering(frames.clustering().iloc[:2])
    assert ax.get_legend().get_texts()[1].get_text() == "1 event on 1 date"
    assert all(float(tick).is_integer() for tick in ax.get_yticks())
