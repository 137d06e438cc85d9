"""Small multiples of average paths: one panel a group, all on one scale."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.plotting import plot_caar_groups


def path_of(panel: Axes) -> np.ndarray:
    (line,) = [line for line in panel.lines if len(line.get_xdata()) > 2]
    return np.asarray(line.get_ydata())


def test_every_panel_holds_its_group(frames: SimpleNamespace) -> None:
    frame = frames.caar_groups()
    ax = plot_caar_groups(frame, title="Announcements")
    panels = ax.figure.axes
    assert panels[0] is ax
    assert [panel.get_title() for panel in panels] == [
        "Suppliers, 7 events",
        "Rivals, 3 events",
        "Customers $x$, 1 event",
        "Others, 12 events",
    ]
    for panel, (_, part) in zip(panels, frame.groupby("group", sort=False), strict=True):
        np.testing.assert_array_equal(path_of(panel), part["caar"])
        (band,) = [artist for artist in panel.collections if isinstance(artist, PolyCollection)]
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
        assert set(zip(part["day"], part["ci_low"], strict=True)) <= corners
    assert ax.figure.get_suptitle() == "Announcements"


def test_one_scale_and_no_legend_on_the_data(frames: SimpleNamespace) -> None:
    frame = frames.caar_groups()
    panels = plot_caar_groups(frame, level=0.9).figure.axes
    assert len({panel.get_ylim() for panel in panels}) == 1
    assert len({panel.get_xlim() for panel in panels}) == 1
    assert panels[0].get_ylim()[0] < frame["ci_low"].min()
    assert panels[0].get_ylim()[1] > frame["ci_high"].max()
    assert {panel.get_legend() for panel in panels} == {None}
    days = "Sessions relative to the event day (bands: 90% intervals)"
    assert panels[0].figure.get_supxlabel() == days


def test_the_headline_window_is_shaded_in_every_panel(frames: SimpleNamespace) -> None:
    ax = plot_caar_groups(frames.caar_groups(), headline=(0, 1, -0.03))
    for panel in ax.figure.axes:
        (span,) = panel.patches
        assert (span.get_x(), span.get_x() + span.get_width()) == (-0.5, 1.5)


def test_rows_have_up_to_as_many_panels_as_asked(frames: SimpleNamespace) -> None:
    frame = frames.caar_groups()
    for columns, shape in ((1, (4, 1)), (2, (2, 2)), (3, (2, 3)), (9, (1, 4))):
        ax = plot_caar_groups(frame, columns=columns)
        assert ax.get_subplotspec().get_gridspec().get_geometry() == shape
    with pytest.raises(RequestError, match="columns is the number of panels"):
        plot_caar_groups(frame, columns=0)


def test_given_axes_are_split(frames: SimpleNamespace) -> None:
    figure, (left, right) = plt.subplots(1, 2, layout="constrained", figsize=(11, 4))
    edge = right.get_position().x0
    assert plot_caar_groups(frames.caar_groups(), right, title="Announcements", columns=2) is right
    assert len(figure.axes) == 5
    figure.canvas.draw()
    assert all(panel.get_position().x0 > edge - 0.1 for panel in figure.axes if panel is not left)
    assert right.get_title().startswith("Announcements\nSuppliers")
    assert figure.get_suptitle() == ""
    free = figure.add_axes((0.0, 0.0, 0.1, 0.1))
    with pytest.raises(RequestError, match=r"make them with plt\.subplots"):
        plot_caar_groups(frames.caar_groups(), free)


def test_too_many_groups_say_so(frames: SimpleNamespace) -> None:
    many = pd.concat([frames.caar().assign(group=i) for i in range(17)])
    with pytest.raises(RequestError, match="up to 16 groups, and the frame has 17"):
        plot_caar_groups(many)
    assert plt.get_fignums() == []


def test_a_frame_without_its_columns(frames: SimpleNamespace) -> None:
    with pytest.raises(RequestError, match=r"plot_caar_groups needs the columns .*lacks \['group'\]"):
        plot_caar_groups(frames.caar())
    with pytest.raises(RequestError, match="without rows"):
        plot_caar_groups(frames.caar_groups().iloc[:0])


@pytest.mark.quick("2")
@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_the_title_names_intervals_where_there_are_bands(n):
    """More than three groups have no bands on the same axes, and each a panel of its own has."""
    rng = np.random.default_rng(2)
    days = pd.bdate_range("2018-01-01", periods=300)
    names = [f"S{i}" for i in range(12)]
    returns = pd.DataFrame(0.01 * rng.standard_normal((300, 13)), days, [*names, "INDEX"])
    events = {"security": names, "date": days[250], "sector": [f"sector {i % n}" for i in range(12)]}
    market = es.Market(returns, benchmark="INDEX", gaps="single")
    results = es.EventStudy(market, events, estimation=(-150, -21), window=(-2, 3)).fit()
    for ax in (
        results.plot.caar(hue="sector"),
        results.plot.caar(by="sector"),
        results.plot.aar(hue="sector"),
    ):
        title = " ".join((ax.figure.get_suptitle() or ax.get_title()).split())
        texts = title + " ".join(text.get_text() for text in ax.figure.findobj(Text))
        drawn = [*ax.collections, *ax.containers]
        assert "12 events by sector" in " ".join(texts.split())
        assert ("interval" in texts) == bool(drawn)
