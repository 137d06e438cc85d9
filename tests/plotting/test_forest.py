"""Forests: rows, their order, intervals, averages and names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_forest


def points_of(ax: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and rows of the first errorbar."""
    line = ax.containers[0].lines[0]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def intervals_of(ax: Axes, which: int = 0) -> np.ndarray:
    (bars,) = ax.containers[which].lines[2]
    assert isinstance(bars, LineCollection)
    return np.array([segment[:, 0] for segment in bars.get_segments()])


def names_of(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_rows_are_sorted_with_their_intervals(frames: SimpleNamespace) -> None:
    frame = frames.forest()
    ax = plot_forest(frame)
    ordered = frame.sort_values("car", ascending=False)
    car, rows = points_of(ax)
    np.testing.assert_array_equal(car, ordered["car"])
    np.testing.assert_array_equal(rows, [0, 1, 2, 3])
    np.testing.assert_allclose(intervals_of(ax), ordered[["ci_low", "ci_high"]])
    assert names_of(ax) == ["ZTE", "iFlytek", "Dahua", "Hikvision"]
    bottom, top = ax.get_ylim()
    assert bottom > top


def test_order_of_the_frame(frames: SimpleNamespace) -> None:
    assert names_of(plot_forest(frames.forest(), sort=False)) == ["Hikvision", "ZTE", "Dahua", "iFlytek"]


def test_average_stands_last(frames: SimpleNamespace) -> None:
    frame = frames.forest().assign(role="event")
    frame.loc[1, ["event", "role"]] = ["mean", "average"]
    ax = plot_forest(frame)
    assert names_of(ax) == ["iFlytek", "Dahua", "Hikvision", "mean"]
    assert ax.containers[1].lines[0].get_marker() == "D"
    np.testing.assert_array_equal(ax.containers[1].lines[0].get_ydata(), [3])
    np.testing.assert_allclose(intervals_of(ax, 1), frame.loc[[1], ["ci_low", "ci_high"]])


def test_events_without_car_are_counted(frames: SimpleNamespace) -> None:
    frame = frames.forest()
    frame.loc[0, ["car", "ci_low", "ci_high"]] = np.nan
    ax = plot_forest(frame, level=0.9)
    assert len(points_of(ax)[0]) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "CAR and 90% interval, known of 3 of 4"
    ]
    with pytest.raises(RequestError, match="none of 4 rows has a CAR"):
        plot_forest(frame.assign(car=np.nan))


def test_figure_grows_with_its_rows(frames: SimpleNamespace) -> None:
    few = plot_forest(frames.forest()).figure.get_figheight()
    many = pd.concat([frames.forest()] * 9)
    assert plot_forest(many).figure.get_figheight() > 2 * few


def test_many_events_have_no_names(frames: SimpleNamespace) -> None:
    frame = pd.concat([frames.forest()] * 11)
    ax = plot_forest(frame)
    assert names_of(ax) == []
    assert ax.get_ylabel() == "44 events, sorted"
    np.testing.assert_array_equal(points_of(ax)[0], np.sort(frame["car"])[::-1])


def test_dollars_are_no_mathematics(frames: SimpleNamespace) -> None:
    frame = frames.forest()
    frame.loc[0, "event"] = r"fined $5 \frac$"
    ax = plot_forest(frame)
    ax.figure.canvas.draw()
    assert names_of(ax)[-1] == r"fined $5 \frac$"


def test_groups_have_the_colours_of_their_order_in_the_frame():
    frame = pd.DataFrame(
        {"event": list("abcd"), "car": [-0.2, 0.1, -0.1, 0.2], "group": ["t", "c", "t", "c"]}
    )
    frame = frame.assign(ci_low=frame["car"] - 0.1, ci_high=frame["car"] + 0.1)
    ax = plot_forest(frame, hue="group")
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["t", "c"]
