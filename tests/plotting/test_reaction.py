"""Observed price against its counterfactual."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from eventstudy.plotting import plot_reaction


def line(ax: Axes, label: str) -> Line2D:
    (found,) = [artist for artist in ax.lines if str(artist.get_label()).startswith(label)]
    return found


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_lines_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    ax = plot_reaction(frame, currency="CNY")
    for label, column in (("Observed", "price"), ("Had nothing been announced", "counterfactual")):
        np.testing.assert_array_equal(line(ax, label).get_ydata(), frame[column])
        dates = pd.to_datetime(line(ax, label).get_xdata())
        assert list(dates) == list(frame["date"])
    assert ax.get_ylabel() == "Price (CNY)"
    ax.figure.canvas.draw()
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks[0].endswith(" May\n2019")
    assert all(tick.endswith(" May") for tick in ticks[1:])


def test_the_gap_of_another_day_is_told(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    ax = plot_reaction(frame, gap_on=1)
    share = 2.0 / frame.loc[frame["day"] == 1, "counterfactual"].iloc[0]
    told = f"Gap: \N{MINUS SIGN}2.00 (\N{MINUS SIGN}{share:.1%}) on 23 May 2019"
    assert told in legend_of(ax)
    (rung,) = [c for c in ax.collections if c.get_label() == "_told"]
    (ends,) = rung.get_segments()
    np.testing.assert_array_equal(
        ends[:, 1], frame.loc[frame["day"] == 1, ["price", "counterfactual"]].iloc[0]
    )


def test_gap_is_shaded_from_day_0_and_named(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    ax = plot_reaction(frame, currency="CNY")
    (gap,) = [artist for artist in ax.collections if str(artist.get_label()).startswith("Gap")]
    start = mdates.date2num(frame.loc[frame["day"] == 0, "date"].iloc[0])
    assert gap.get_paths()[0].vertices[:, 0].min() == start
    share = -2.0 / frame["counterfactual"].iloc[-1]
    assert gap.get_label() == f"Gap: \N{MINUS SIGN}2.00 CNY (\N{MINUS SIGN}{-share:.1%}) on 29 May 2019"


def test_legend_names_everything_in_reading_order(frames: SimpleNamespace) -> None:
    heads = [label.split(",")[0].split(":")[0] for label in legend_of(plot_reaction(frames.reaction()))]
    assert heads == ["Observed", "Had nothing been announced", "Its 95% interval", "Gap", "Event session"]
    bare = frames.reaction().drop(columns=["counterfactual_low", "counterfactual_high"])
    assert "Its 95% interval" not in legend_of(plot_reaction(bare))


def test_event_session_is_marked(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    event = line(plot_reaction(frame), "Event session, 22 May 2019")
    (date,) = set(pd.to_datetime(event.get_xdata()))
    assert date == frame.loc[frame["day"] == 0, "date"].iloc[0]


def test_suspension_is_a_marked_gap(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    frame.loc[frame["day"].isin([-4, 0, 1, 2]), "price"] = np.nan
    ax = plot_reaction(frame)
    np.testing.assert_array_equal(np.isnan(line(ax, "Observed").get_ydata()), frame["price"].isna())
    spans = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [patch.get_label() for patch in spans] == ["Suspended", "_suspended"]
    for span, days in zip(spans, ([-4, -4], [0, 2]), strict=True):
        first, last = (mdates.date2num(frame.loc[frame["day"] == day, "date"].iloc[0]) for day in days)
        assert (span.get_x(), span.get_x() + span.get_width()) == (first - 0.5, last + 0.5)
    assert legend_of(ax)[-1] == "Suspended"


def test_suspended_to_the_end_has_no_gap_to_name(frames: SimpleNamespace) -> None:
    frame = frames.reaction()
    frame.loc[frame["day"] >= 0, "price"] = np.nan
    assert not any(label.startswith("Gap") for label in legend_of(plot_reaction(frame)))


def test_without_currency(frames: SimpleNamespace) -> None:
    ax = plot_reaction(frames.reaction())
    assert ax.get_ylabel() == "Price"
    assert any(label.startswith("Gap: \N{MINUS SIGN}2.00 (") for label in legend_of(ax))


def test_level_is_named(frames: SimpleNamespace) -> None:
    assert "Its 99% interval" in legend_of(plot_reaction(frames.reaction(), level=0.99))
