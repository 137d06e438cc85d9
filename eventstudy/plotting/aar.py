"""Average abnormal returns of each day, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eventstudy.plotting._base import (
    colours,
    count_days,
    ink,
    interval,
    legend_above,
    mark_event,
    mark_zero,
    need,
    new_axes,
    next_hue,
    percent_scale,
    styled,
)
from eventstudy.plotting._paths import count_events, split

__all__ = ["plot_aar"]

#: Share of a day that its bars take up.
WIDTH = 0.8


def plot_aar(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    hue: str = "group",
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw the average abnormal return of each day as a bar, with its interval.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day`` (sessions relative to the event), ``aar``, ``ci_low``, ``ci_high`` (decimals) and
        ``n_events``, and optionally ``group``, one bar for each beside the others.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    hue : str, default "group"
        Column that tells the bars of a day apart, where `frame` has it.
    palette : str or sequence of colours, optional
        Colours of the groups.
    **kwargs
        Properties of the bars, as for `matplotlib.axes.Axes.bar`.

    Returns
    -------
    Axes
        The legend gives the number of events behind the bars.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_aar
    >>> days = pd.DataFrame({"day": [-1, 0, 1], "aar": [0.0, -0.05, -0.02], "n_events": 7})
    >>> ax = plot_aar(days.assign(ci_low=days.aar - 0.03, ci_high=days.aar + 0.03))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['AAR and 95% interval, 7 events']
    """
    need(frame, "plot_aar", ["day", "aar", "ci_low", "ci_high", "n_events"])
    groups = split(frame, hue)
    ax = new_axes(ax)
    mark_zero(ax)
    mark_event(ax)
    hues = [next_hue(ax)] if None in groups else colours(palette, len(groups))
    width = WIDTH / len(groups)
    for i, ((name, part), colour) in enumerate(zip(groups.items(), hues, strict=True)):
        places = part["day"].to_numpy() + width * (i + 0.5) - WIDTH / 2
        alone = "AAR" if part["ci_low"].isna().all() else f"AAR and {interval(level)}"
        told = alone if name is None else name
        style = styled(
            Rectangle, kwargs, width=width, color=colour, alpha=0.6, linewidth=0, zorder=2,
            label=f"{told}, {count_events(part)}",
        )  # fmt: skip
        bars = ax.bar(places, part["aar"].to_numpy(float), **style)
        low, high = part["ci_low"].to_numpy(float), part["ci_high"].to_numpy(float)
        ax.vlines(
            places, low, high, color=ink(ax), linewidth=min(1.2, 6 * width), zorder=3, label="_interval"
        )
        bars.set_label(style["label"])
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Average abnormal return")
    heading = None if None in groups else f"Lines: {interval(level)}s"
    legend_above(ax, *ax.get_legend_handles_labels(), title, heading)
    return ax
