"""The windows of each event in calendar time."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plotting import plot_windows


def spans(ax: Axes, label: str) -> np.ndarray:
    """First and last moment of each bar of a part, and the row of its middle."""
    (bars,) = [artist for artist in ax.collections if artist.get_label() == label]
    corners = np.array([path.vertices[:4] for path in bars.get_paths()])
    return np.column_stack([corners[:, 0, 0], corners[:, 1, 0], corners[:, :, 1].mean(axis=1)])


def test_bars_are_the_stretches_of_days(frames: SimpleNamespace) -> None:
    frame = frames.windows()
    ax = plot_windows(frame)
    parts = {
        "Estimation window": "estimation",
        "Event window": "event",
        "Tested window": "tested",
        "Suspended": "suspended",
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(parts)
    for label, part in parts.items():
        rows = frame[frame["part"] == part]
        drawn = spans(ax, label)
        half = pd.Timedelta(hours=12)
        np.testing.assert_allclose(drawn[:, 0], mdates.date2num(rows["first"] - half))
        np.testing.assert_allclose(drawn[:, 1], mdates.date2num(rows["last"] + half))
        np.testing.assert_allclose(
            drawn[:, 2], rows["event"].str.removeprefix("firm ").astype(int), atol=1e-9
        )
    assert [text.get_text() for text in ax.get_yticklabels()] == [f"firm {i}" for i in range(4)]


def test_many_events_have_no_names(frames: SimpleNamespace) -> None:
    ax = plot_windows(frames.windows(41))
    assert not len(ax.get_yticks())
    assert ax.get_ylabel() == "41 events"
