"""The windows of each event in calendar time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import date2num

from eventstudy.plotting._base import (
    MOST_NAMES,
    date_scale,
    half_session,
    hue,
    ink,
    legend_above,
    name_rows,
    need,
    new_axes,
    styled,
    wrapped,
)

__all__ = ["plot_windows"]

#: Height of a bar, in rows.
HEIGHT = 0.6


def plot_windows(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the estimation and event windows of each event in calendar time, and its days without trade.

    Parameters
    ----------
    frame : DataFrame
        One row per stretch of days: ``event``, ``part`` (``"estimation"``, ``"event"``, ``"tested"`` or
        ``"suspended"``), ``first`` and ``last`` (dates, both included). Events come in the order of their
        first rows; up to 40 are named.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    **kwargs
        Properties of all bars, as for `matplotlib.collections.PolyCollection`.

    Returns
    -------
    Axes

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_windows
    >>> frame = pd.DataFrame({"event": "NYT report", "part": ["estimation", "tested"]})
    >>> frame["first"] = pd.to_datetime(["2018-04-12", "2019-05-22"])
    >>> frame["last"] = pd.to_datetime(["2019-04-19", "2019-05-23"])
    >>> ax = plot_windows(frame)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Estimation window', 'Tested window']
    """
    need(frame, "plot_windows", ["event", "part", "first", "last"])
    events = list(dict.fromkeys(frame["event"]))
    named = len(events) <= MOST_NAMES
    names = wrapped(events) if named else []
    ax = new_axes(ax, names)
    parts = {
        "estimation": ("Estimation window", hue(0), 0.45, 0.0),
        "event": ("Event window", hue(1), 0.45, 0.0),
        "tested": ("Tested window", hue(1), 1.0, 1.0),
        "suspended": ("Suspended", ink(ax), 0.6, 0.0),
    }
    height = HEIGHT if named else 1.0
    ax.xaxis_date()
    half_day = half_session(pd.concat([frame["first"], frame["last"]]))
    order = {event: place for place, event in enumerate(events)}
    for zorder, (part, (label, colour, alpha, edge)) in enumerate(parts.items(), 2):
        rows = frame[frame["part"] == part]
        width = edge if named else 0.0
        bars = {"color": colour, "alpha": alpha, "linewidth": width, "zorder": zorder}
        style = styled(PolyCollection, kwargs, **bars)
        if rows.empty:
            continue
        left = date2num((rows["first"] - half_day).to_numpy())  # type: ignore[no-untyped-call]
        right = date2num((rows["last"] + half_day).to_numpy())  # type: ignore[no-untyped-call]
        # Suspended days are a thin line, which leaves the window below in sight.
        half = height / (8 if part == "suspended" else 2)
        place = rows["event"].map(order).to_numpy(float)
        corners = [(left, place - half), (right, place - half), (right, place + half), (left, place + half)]
        shapes = np.stack([np.column_stack(corner) for corner in corners], axis=1)
        ax.add_collection(PolyCollection(list(shapes), **({"label": label} | style)))
    if named:
        name_rows(ax, names)
    else:
        ax.set_ylim(len(events) - 0.5, -0.5)
        ax.set_yticks([])
        ax.set_ylabel(f"{len(events)} events")
    ax.autoscale_view(scaley=False)
    date_scale(ax)
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
