"""Dates, titles and names of rows, whatever they are called."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.text import Text

from eventstudy import plotting
from eventstudy.plotting._base import DateTicks, PercentTicks, date_scale, wrapped


def ticks_of(dates: pd.DatetimeIndex) -> list[str]:
    _, ax = plt.subplots(layout="constrained")
    ax.plot(dates, np.arange(len(dates)))
    date_scale(ax)
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    places = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    return [text.get_text() for place, text in places if low <= place <= high]


def test_every_date_names_its_month() -> None:
    days = ticks_of(pd.bdate_range("2019-05-08", "2019-06-06"))
    assert days[0].endswith(" May\n2019")
    assert all(tick.split()[1] in ("May", "Jun") for tick in days)
    months = ticks_of(pd.bdate_range("2018-09-03", "2019-08-30"))
    assert [tick for tick in months if "\n" in tick] == [months[0], "Jan\n2019"]
    assert ticks_of(pd.date_range("2001-06-30", "2018-06-30"))[0].startswith("20")
    hours = ticks_of(pd.date_range("2019-05-22 09:30", "2019-05-22 15:00", freq="5min"))
    assert hours[0].endswith("\n22 May 2019")
    assert all(":" in tick for tick in hours)
    assert DateTicks()(18038.0) == "22 May 2019"


def test_whole_percentages_have_no_decimals() -> None:
    ticks = PercentTicks()
    axis = plt.figure().add_subplot().yaxis
    axis.set_view_interval(-0.05, 0.05, ignore=True)
    ticks.set_axis(axis)
    assert ticks.format_ticks([-0.05, 0.0, 0.05]) == ["\N{MINUS SIGN}5%", "0%", "5%"]
    assert ticks.format_ticks([0.0, 0.025, 0.05])[1] == "2.5%"


def test_names_lose_lines_as_rows_are_added(frames: SimpleNamespace) -> None:
    for n, lines in ((8, 5), (15, 3), (24, 2), (25, 1)):
        names = wrapped([frames.LONG] * n)
        assert 1 + max(name.count("\n") for name in names) <= lines
        assert all(name.endswith("(002415.SZ, 2018-07-27)") for name in names)
    assert wrapped(["a word " * 40])[0].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert wrapped(["short (x)"]) == ["short (x)"]


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("context", ["notebook", "talk"])
@pytest.mark.parametrize("figure", ["car", "forest", "heatmap", "reaction", "tests", "windows"])
def test_long_titles_and_names_stay_on_the_page(figure: str, context: str, frames: SimpleNamespace) -> None:
    with plt.style.context(sns.plotting_context(context)):
        if figure in ("forest", "heatmap"):
            frame = (frames.many_cars if figure == "forest" else frames.many_returns)(7, frames.LONG)
        else:
            frame = getattr(frames, figure)()
        ax: Axes = getattr(plotting, f"plot_{figure}")(frame, title=frames.LONG)
        ax.figure.canvas.draw()
    page, legend = ax.figure.bbox.padded(1), ax.get_legend()
    low, high = sorted(ax.get_ylim())
    labels = [
        text
        for place, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        if low <= place <= high
    ]
    texts = [ax.title, *labels, *(legend.get_texts() if legend is not None else [])]
    for text in filter(Text.get_text, texts):
        box = text.get_window_extent()
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
    names = [text.get_window_extent() for text in labels]
    if figure in ("forest", "heatmap"):
        assert all(not a.overlaps(b) for a, b in itertools.pairwise(names))
    if legend is not None and ax.get_title():
        assert not ax.title.get_window_extent().overlaps(legend.get_window_extent())
