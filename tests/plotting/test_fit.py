"""The regression scatter and the labels of its event days."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from eventstudy.plotting import plot_fit


def points(ax: Axes) -> list[np.ndarray]:
    clouds = [artist for artist in ax.collections if isinstance(artist, PathCollection)]
    return [np.asarray(cloud.get_offsets()) for cloud in clouds]


def test_points_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.fit()
    ax = plot_fit(frame)
    for drawn, role in zip(points(ax), ("estimation", "event"), strict=True):
        part = frame.loc[frame["role"] == role, ["benchmark", "actual"]]
        np.testing.assert_array_equal(drawn, part)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Benchmark return", "Return")


def test_fitted_line(frames: SimpleNamespace) -> None:
    frame = frames.fit().sort_values("benchmark")
    (line,) = plot_fit(frame).lines
    np.testing.assert_array_equal(line.get_xdata(), frame["benchmark"])
    np.testing.assert_array_equal(line.get_ydata(), frame["fitted"])
    assert line.get_linestyle() == "-"


def test_fit_on_several_factors_is_observed_against_fitted(frames: SimpleNamespace) -> None:
    frame = frames.fit()
    frame["fitted"] += np.random.default_rng(3).normal(0, 0.003, len(frame))
    ax = plot_fit(frame)
    for drawn, role in zip(points(ax), ("estimation", "event"), strict=True):
        np.testing.assert_array_equal(drawn, frame.loc[frame["role"] == role, ["fitted", "actual"]])
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
    assert ax.get_xlabel() == "Fitted return"


def test_every_event_day_is_labelled_and_no_label_covers_another(frames: SimpleNamespace) -> None:
    ax = plot_fit(frames.fit())
    ax.figure.canvas.draw()
    assert ax.texts[0].get_text() == "0"
    days = sorted(int(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in ax.texts)
    assert days == list(range(-4, 5))
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_labels_find_room_in_a_crowd(frames: SimpleNamespace) -> None:
    frame = frames.fit()
    frame.loc[frame["role"] == "event", ["benchmark", "actual"]] = [0.0, 0.05]
    _, ax = plt.subplots()
    plot_fit(frame, ax)
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == 9
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_days_without_a_return_have_no_label(frames: SimpleNamespace) -> None:
    frame = frames.fit()
    frame.loc[frame["day"] == 2, "actual"] = np.nan
    assert "2" not in {text.get_text() for text in plot_fit(frame).texts}
