"""CAR and CAAR paths: lines, bands, gaps and legends."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D

from eventstudy.plotting import plot_caar, plot_car


def lines_of(ax: Axes) -> list[Line2D]:
    """Lines that hold data, in contrast to those that mark zero and the event day."""
    return [line for line in ax.lines if len(line.get_xdata()) > 2]


def bands_of(ax: Axes) -> list[PolyCollection]:
    return [artist for artist in ax.collections if isinstance(artist, PolyCollection)]


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_line_and_band_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.car()
    ax = plot_car(frame)
    (line,) = lines_of(ax)
    np.testing.assert_array_equal(line.get_xdata(), frame["day"])
    np.testing.assert_array_equal(line.get_ydata(), frame["car"])
    assert line.get_marker() != "None"
    (band,) = bands_of(ax)
    outline = {tuple(corner) for corner in band.get_paths()[0].vertices}
    for side in ("ci_low", "ci_high"):
        assert set(zip(frame["day"], frame[side], strict=True)) <= outline


def test_labels_and_reference_lines(frames: SimpleNamespace) -> None:
    ax = plot_car(frames.car())
    assert ax.get_ylabel() == "Cumulative abnormal return"
    assert ax.get_xlabel() == "Sessions relative to the event day"
    assert plot_caar(frames.caar()).get_ylabel() == "Cumulative average abnormal return"
    straight = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]
    assert ([0, 0], [0, 1]) in straight
    assert ([0, 1], [0, 0]) in straight
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_unsorted_days_are_drawn_in_order(frames: SimpleNamespace) -> None:
    frame = frames.car()
    (line,) = lines_of(plot_car(frame.iloc[::-1]))
    np.testing.assert_array_equal(line.get_ydata(), frame["car"])


def test_missing_values_are_gaps(frames: SimpleNamespace) -> None:
    frame = frames.car()
    frame.loc[frame["day"].isin([1, 3]), ["car", "ci_low", "ci_high"]] = np.nan
    ax = plot_car(frame)
    (line,) = lines_of(ax)
    np.testing.assert_array_equal(np.isnan(line.get_ydata()), frame["car"].isna())
    (band,) = bands_of(ax)
    spans = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in band.get_paths()]
    assert (-5, 0) in spans
    assert (4, 5) in spans
    # Day 2 stands alone, so its interval is a bar.
    (bars,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    (bar,) = bars.get_segments()
    low, high = frame.loc[frame["day"] == 2, ["ci_low", "ci_high"]].iloc[0]
    np.testing.assert_array_equal(bar, [[2, low], [2, high]])


@pytest.mark.parametrize(("n", "bands"), [(2, 2), (3, 3), (4, 0), (10, 0)])
def test_one_line_an_event(n: int, bands: int, frames: SimpleNamespace) -> None:
    frame = frames.cars(n)
    ax = plot_car(frame)
    lines = lines_of(ax)
    assert len(lines) == n
    for line, (name, part) in zip(lines, frame.groupby("event", sort=False), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), part["car"])
        assert line.get_label() == name
    # Told apart by their markers too, for those who cannot tell the colours.
    assert len({line.get_marker() for line in lines}) == n
    assert [line.get_color() for line in lines] == list(sns.color_palette("colorblind", n))
    assert legend_of(ax) == [f"firm {i}" for i in range(n)]
    assert len(bands_of(ax)) == bands


def test_palette(frames: SimpleNamespace) -> None:
    lines = lines_of(plot_car(frames.cars(2), palette=["#000000", "#777777"]))
    assert [line.get_color() for line in lines] == list(sns.color_palette(["#000000", "#777777"]))


def test_many_events_are_a_bundle(frames: SimpleNamespace) -> None:
    ax = plot_car(frames.cars(11))
    assert len(lines_of(ax)) == 11
    assert legend_of(ax) == ["11 lines"]


def test_caar_names_the_number_of_events(frames: SimpleNamespace) -> None:
    frame = frames.caar()
    ax = plot_caar(frame)
    np.testing.assert_array_equal(lines_of(ax)[0].get_ydata(), frame["caar"])
    assert legend_of(ax) == ["CAAR, 7 events", "95% interval"]
    frame.loc[0, "n_events"] = 5
    assert legend_of(plot_caar(frame))[0] == "CAAR, 5 to 7 events"
    assert legend_of(plot_caar(frame.assign(n_events=1)))[0] == "CAAR, 1 event"


def test_caar_groups(frames: SimpleNamespace) -> None:
    frame = frames.caar()
    both = frame.assign(group="named"), frame.assign(group="peers", n_events=3)
    ax = plot_caar(pd.concat(both))
    assert legend_of(ax) == ["named, 7 events", "peers, 3 events"]
    assert ax.get_legend().get_title().get_text() == "Bands: 95% intervals"


def test_level_is_named(frames: SimpleNamespace) -> None:
    assert legend_of(plot_car(frames.car(), level=0.9)) == ["CAR", "90% interval"]
    assert (
        plot_car(frames.cars(2), level=0.995).get_legend().get_title().get_text() == "Bands: 99.5% intervals"
    )


def test_the_interval_of_one_day_is_seen(frames: SimpleNamespace) -> None:
    """A bar with caps in front of the dashed line, which is that of the event day."""
    frame = frames.car().query("day == 0")
    ax = plot_car(frame)
    (bars,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    (bar,) = bars.get_segments()
    np.testing.assert_array_equal(bar[:, 1], frame[["ci_low", "ci_high"]].iloc[0])
    (dashed,) = [line for line in ax.lines if line.get_label() == "_event day"]
    assert bars.get_zorder() > dashed.get_zorder()
    assert bars.get_linewidths()[0] > dashed.get_linewidth()
    assert [line.get_ydata()[0] for line in ax.lines if line.get_label() == "_cap"] == bar[:, 1].tolist()
    assert ax.get_xlim() == (-1.5, 1.5)
