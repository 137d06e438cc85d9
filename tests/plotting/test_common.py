"""What holds of every figure."""

from __future__ import annotations

import inspect
import itertools
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import PercentFormatter

from eventstudy import plotting
from eventstudy.errors import EventStudyError, RequestError
from eventstudy.plotting._base import date_scale

FIGURES = sorted(name for name in plotting.__all__ if name.startswith("plot_"))
#: Axes in percent, of each figure.
PERCENT = {
    "plot_car": "y",
    "plot_caar": "y",
    "plot_fit": "xy",
    "plot_null": "x",
    "plot_decomposition": "y",
    "plot_forest": "x",
    "plot_models": "x",
    "plot_residuals": "y",
    "plot_qq": "xy",
    "plot_counterfactual": "y",
    "plot_gap": "y",
    "plot_placebo_paths": "y",
    "plot_donor_weights": "x",
    "plot_balance": "x",
}
every_figure = pytest.mark.parametrize("name", FIGURES)


class Drawer(Protocol):
    def __call__(self, name: str, frame: pd.DataFrame | None = None, **options: Any) -> Axes: ...


@pytest.fixture(scope="session")
def make(frames: SimpleNamespace) -> Callable[[str], pd.DataFrame]:
    return lambda name: getattr(frames, name.removeprefix("plot_"))()


@pytest.fixture(scope="session")
def draw(frames: SimpleNamespace, make: Callable[[str], pd.DataFrame]) -> Drawer:
    """Draw a figure by name, of its own frame by default."""

    def drawer(name: str, frame: pd.DataFrame | None = None, **options: Any) -> Axes:
        needed = frames.needed.get(name.removeprefix("plot_"), {})
        return getattr(plotting, name)(make(name) if frame is None else frame, **(needed | options))

    return drawer


def test_every_figure_lies_in_the_file_of_its_name() -> None:
    for name in FIGURES:
        assert getattr(plotting, name).__module__ == f"eventstudy.plotting.{name.removeprefix('plot_')}"


@every_figure
def test_takes_a_frame_axes_and_properties_of_matplotlib(name: str) -> None:
    parameters = list(inspect.signature(getattr(plotting, name)).parameters.values())
    assert [p.name for p in parameters[:2]] == ["frame", "ax"]
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[2:-1])
    assert parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    told = inspect.getdoc(getattr(plotting, name)) or ""
    assert re.search(r"\*\*kwargs\n +(Properties of .*`(matplotlib|seaborn)\.|As for `plot_)", told)


@pytest.mark.quick("plot_heatmap", every=3)
@every_figure
def test_further_keywords_reach_the_artists(name: str, draw: Drawer) -> None:
    """A label that nobody else sets is that of an artist of the figure; a colour map that of the cells."""
    if name == "plot_heatmap":
        assert draw(name, cmap="viridis").collections[0].get_cmap().name == "viridis"
        assert draw(name, linewidths=3).collections[0].get_linewidths().tolist() == [3.0]
        return
    ax = draw(name, zorder=7.25)
    assert any(artist.get_zorder() == 7.25 for artist in ax.get_children())


@pytest.mark.parametrize("alias", [{"linewidth": 3.5}, {"lw": 3.5}])
def test_short_names_of_properties_are_understood(alias: dict[str, float], draw: Drawer) -> None:
    assert 3.5 in [line.get_linewidth() for line in draw("plot_car", **alias).lines]


@pytest.mark.quick(every=4)
@every_figure
def test_draws_on_a_new_figure(name: str, draw: Drawer) -> None:
    plt.figure()
    before = plt.gcf()
    ax = draw(name)
    assert isinstance(ax, Axes)
    assert ax.figure is not before
    assert ax.has_data()


@pytest.mark.quick(every=4)
@every_figure
def test_draws_on_the_axes_it_is_given(name: str, draw: Drawer) -> None:
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(name, ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    assert plt.get_fignums() == [figure.number]


@pytest.mark.quick(every=9)
@pytest.mark.parametrize("name", [name for name in FIGURES if name != "plot_caar_groups"])
def test_title(name: str, draw: Drawer) -> None:
    assert draw(name).get_title() == ""
    assert draw(name, title="Hikvision").get_title() == "Hikvision"


@pytest.mark.quick(every=4)
@every_figure
def test_leaves_frame_and_theme_alone(name: str, make: Callable[[str], pd.DataFrame], draw: Drawer) -> None:
    frame = make(name)
    copy, theme = frame.copy(), dict(mpl.rcParams)
    draw(name, frame)
    pd.testing.assert_frame_equal(frame, copy)
    assert dict(mpl.rcParams) == theme


@pytest.mark.quick(every=14)
@every_figure
@pytest.mark.parametrize("theme", ["default", "darkgrid", "dark_background"])
def test_draws_without_warnings_and_cuts_nothing(name: str, theme: str, draw: Drawer) -> None:
    style = sns.axes_style("darkgrid") if theme == "darkgrid" else theme
    with plt.style.context(style), warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = draw(name, title="Announcement")
        figure = ax.figure
        figure.canvas.draw()
    page = figure.bbox.padded(1)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert len(texts) > 5
    inside = [text for axis in figure.axes for text in (axis.xaxis.label, axis.yaxis.label, axis.title)]
    inside += [text for text in texts if text in ax.texts]
    for text in filter(Text.get_text, inside):
        box = text.get_window_extent()
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(("name", "axes"), PERCENT.items())
def test_returns_are_in_percent(name: str, axes: str, draw: Drawer) -> None:
    ax = draw(name)
    for side in axes:
        formatter = getattr(ax, f"{side}axis").get_major_formatter()
        assert isinstance(formatter, PercentFormatter)
        assert formatter.xmax == 1.0


def test_ticks_have_the_minus_of_the_theme(draw: Drawer) -> None:
    for unicode_minus, sign in ((True, "\N{MINUS SIGN}"), (False, "-")):
        with mpl.rc_context({"axes.unicode_minus": unicode_minus}):
            ax = draw("plot_decomposition")
            assert ax.yaxis.get_major_formatter()(-0.05) == f"{sign}5.0%"
            assert any(f"{sign}5.5%" in text.get_text() for text in ax.texts)


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "plot_heatmap"])
def test_missing_column(name: str, make: Callable[[str], pd.DataFrame], draw: Drawer) -> None:
    frame = make(name)
    lost = frame.columns[1]
    with pytest.raises(RequestError, match=rf"(?s){name} needs the columns .*lacks \['{lost}'\] and has"):
        draw(name, frame.drop(columns=lost))
    assert plt.get_fignums() == []


@every_figure
def test_empty_frame(name: str, make: Callable[[str], pd.DataFrame], draw: Drawer) -> None:
    with pytest.raises(EventStudyError, match=name):
        draw(name, make(name).iloc[:0])
    assert plt.get_fignums() == []


def test_importing_draws_in_no_matplotlib() -> None:
    code = "import sys, eventstudy.plotting; print('matplotlib' in sys.modules, 'seaborn' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


@pytest.mark.quick(every=14)
@every_figure
def test_the_palette_is_that_of_the_moment(name: str, draw: Drawer) -> None:
    """A figure drawn under ``with sns.color_palette(...)`` keeps these colours when it is shown later."""
    images = []
    for palette in ("Set2", "tab10"):
        with sns.color_palette(palette):
            figure = draw(name).figure
        figure.canvas.draw()
        images.append(np.asarray(figure.canvas.buffer_rgba()))
        with sns.color_palette(palette):
            figure.canvas.draw()
            assert np.array_equal(images[-1], figure.canvas.buffer_rgba())
    # Heatmaps and groups bring colours of their own.
    own = {"plot_heatmap", "plot_placebo", "plot_power", "plot_size"}
    assert np.array_equal(*images) is (name in own)


@pytest.mark.parametrize("width", [2.5, 3.5, 6.4])
@pytest.mark.parametrize("days", [420, 600, 900])
def test_dates_of_one_to_three_years_on_a_narrow_axis(width: float, days: int) -> None:
    figure, ax = plt.subplots(figsize=(width, 3))
    first = pd.Timestamp("2018-02-12")
    ax.plot([first, first + pd.Timedelta(days=days)], [0, 1])
    date_scale(ax)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
    assert len(boxes) >= 2
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
