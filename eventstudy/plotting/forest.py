"""Estimates of many events, or of many specifications, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    MOST_NAMES,
    colours,
    ink,
    interval,
    legend_above,
    name_rows,
    need,
    new_axes,
    percent_scale,
    styled,
    wrapped,
)
from eventstudy.plotting._base import hue as cycle_colour

__all__ = ["plot_forest"]


def plot_forest(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    sort: bool = True,
    hue: str | None = None,
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw cumulative abnormal returns with their intervals, one row per event, sorted.

    Parameters
    ----------
    frame : DataFrame
        Columns ``event``, ``car``, ``ci_low`` and ``ci_high`` (decimals), and optionally ``role``:
        rows of role ``"average"`` are drawn below the others, as diamonds. Up to 40 events are
        named.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    sort : bool, default True
        Highest CAR on top; else the order of `frame`.
    hue : str, optional
        Column whose values have a colour each.
    palette : str or sequence of colours, optional
        Those colours.
    **kwargs
        Properties of the events' points and intervals, as for `matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    Axes
        The legend counts the events without a CAR, which have no row.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has no CAR.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_forest
    >>> frame = pd.DataFrame({"event": ["Hikvision", "Dahua"], "car": [-0.075, -0.042]})
    >>> ax = plot_forest(frame.assign(ci_low=frame.car - 0.05, ci_high=frame.car + 0.05))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Dahua', 'Hikvision']
    """
    need(frame, "plot_forest", ["event", "car", "ci_low", "ci_high", *([] if hue is None else [hue])])
    frame = frame.reset_index(drop=True)
    seen = frame.dropna(subset=["car"])
    if seen.empty:
        raise RequestError(f"plot_forest has nothing to draw: none of {len(frame)} rows has a CAR.")
    is_average = frame["role"].eq("average") if "role" in frame else pd.Series(False, frame.index)
    events, averages = seen[~is_average[seen.index]], seen[is_average[seen.index]]
    if sort:
        events = events.sort_values("car", ascending=False, kind="stable")
    rows = pd.concat([events, averages])
    named = len(events) <= MOST_NAMES
    names = wrapped(rows["event"]) if named else []
    ax = new_axes(ax, names)
    ax.axvline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    given = int((~is_average).sum())
    counted = "" if len(events) == given else f", known of {len(events)} of {given}"
    told = f"CAR and {interval(level)}" if events["ci_low"].notna().any() else "CAR"
    style = styled(
        Line2D,
        kwargs,
        color=cycle_colour(0),
        marker="o",
        markersize=5.0 if named else 2.0,
        linewidth=1.6 if named else 0.4,
        linestyle="none",
        zorder=3,
        label=f"{told}{counted}",
    )
    heading = None
    if hue is None:
        _points(ax, events, np.arange(len(events)), style)
    else:
        heading = f"{style['label']}, by {hue}"
        # In the order of the frame, not of the CARs, so a group has the colour it has in other figures.
        parts = dict(iter(events.assign(place=np.arange(len(events))).groupby(hue, sort=False)))
        groups = {str(name): parts[name] for name in frame[hue].dropna().unique() if name in parts}
        for (name, part), colour in zip(groups.items(), colours(palette, len(groups)), strict=True):
            _points(ax, part, part["place"].to_numpy(), style | {"color": colour, "label": name})
    if len(averages):
        colour = cycle_colour(1) if hue is None else ink(ax)
        marks = {"color": colour, "marker": "D", "markersize": 8.0, "linewidth": 2.0, "label": "Average"}
        _points(ax, averages, np.arange(len(events), len(rows)), style | marks)
    if named:
        name_rows(ax, names)
    else:
        ax.set_ylim(len(rows) + 0.02 * len(rows), -0.02 * len(rows))
        ax.set_yticks([])
        ax.set_ylabel(f"{len(events)} events" + (", sorted" if sort else ""))
    percent_scale(ax.xaxis)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.set_xlabel("Cumulative abnormal return")
    legend_above(ax, *ax.get_legend_handles_labels(), title, heading)
    return ax


def _points(ax: Axes, rows: pd.DataFrame, places: np.ndarray, style: dict[str, Any]) -> None:
    car = rows["car"].to_numpy(float)
    reach = np.abs(rows[["ci_low", "ci_high"]].to_numpy(float).T - car)
    width = style["linewidth"]
    # A thin line for each of many events would fill the plot.
    faint = to_rgba(style["color"], min(1.0, width))
    ax.errorbar(car, places, xerr=reach, ecolor=faint, elinewidth=width, **style)
