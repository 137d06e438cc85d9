"""Abnormal returns as colours."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.ticker import PercentFormatter

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_heatmap


def test_cells_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.heatmap()
    ax = plot_heatmap(frame)
    (mesh,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(frame.shape), frame)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(frame.index)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "\N{MINUS SIGN}4",
        "\N{MINUS SIGN}2",
        "0",
        "2",
        "4",
    ]
    assert ax.get_legend() is None


def test_scale_is_symmetric_about_zero(frames: SimpleNamespace) -> None:
    ax = plot_heatmap(frames.heatmap() + 0.01)
    low, high = ax.collections[0].get_clim()
    assert low == -high < 0
    bar = ax.collections[0].colorbar
    assert isinstance(bar.formatter, PercentFormatter)
    assert bar.ax.get_ylabel() == "Abnormal return"


def test_one_crash_does_not_grey_out_the_rest(frames: SimpleNamespace) -> None:
    frame = frames.heatmap()
    frame.iloc[0, 0] = -0.416
    ax = plot_heatmap(frame)
    limit = ax.collections[0].get_clim()[1]
    assert limit < 0.2
    assert ax.collections[0].colorbar.extend in ("min", "both")


def test_event_day_is_marked(frames: SimpleNamespace) -> None:
    frame = frames.heatmap()
    ax = plot_heatmap(frame)
    column = list(frame.columns).index(0)
    assert [line.get_xdata()[0] for line in ax.lines] == [column, column + 1]
    assert not plot_heatmap(frame.drop(columns=0)).lines


def test_days_without_trade_are_hatched(frames: SimpleNamespace) -> None:
    frame = frames.heatmap()
    frame.loc["ZTE", 1:3] = np.nan
    ax = plot_heatmap(frame)
    assert ax.patch.get_hatch()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no trade"]
    cells = np.ma.asarray(ax.collections[0].get_array()).reshape(frame.shape)
    np.testing.assert_array_equal(np.ma.getmaskarray(cells), frame.isna())


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(("n", "step"), [(9, 1), (11, 2), (21, 5), (41, 5), (90, 10), (101, 20)])
def test_few_days_are_labelled_and_day_0_always(n: int, step: int) -> None:
    days = np.arange(n) - n // 2
    ax = plot_heatmap(pd.DataFrame(np.ones((2, n)), columns=days))
    labels = [int(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in ax.get_xticklabels()]
    assert labels == [day for day in days if day % step == 0]
    np.testing.assert_array_equal(ax.get_xticks(), [day - days[0] + 0.5 for day in labels])


def test_zeros_can_be_drawn(frames: SimpleNamespace) -> None:
    ax = plot_heatmap(frames.heatmap() * 0)
    assert ax.collections[0].get_clim() == (-0.01, 0.01)


def test_nothing_to_draw(frames: SimpleNamespace) -> None:
    with pytest.raises(RequestError, match=r"shape \(4, 11\)"):
        plot_heatmap(frames.heatmap() * np.nan)
    with pytest.raises(RequestError, match=r"relative days.*\['day', 'car'"):
        plot_heatmap(frames.car())


def test_long_labels_take_two_lines_and_days_do_not_touch(frames: SimpleNamespace) -> None:
    frame = frames.heatmap().set_axis([f"New York Times report (00241{i}.SZ, 2019-05-22)" for i in range(4)])
    ax = plot_heatmap(frame)
    assert ax.get_yticklabels()[0].get_text() == "New York Times report\n(002410.SZ, 2019-05-22)"
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
