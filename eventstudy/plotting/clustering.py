"""Events in calendar time, and the number of their windows that are open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import MaxNLocator

from eventstudy.plotting._base import date_scale, half_session, hue, legend_above, need, new_axes, styled

__all__ = ["plot_clustering"]

#: Space on either side, in half sessions.
MARGIN = 6


def plot_clustering(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw in calendar time how many events fall on a session and how many windows are open.

    Where more than one window is open, events share trading days and are not independent.

    Parameters
    ----------
    frame : DataFrame
        One row per session, in any order: ``date``, ``windows`` (events whose window holds that
        session) and ``events`` (events whose day 0 it is).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the area of open windows, as for `matplotlib.axes.Axes.fill_between`.

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
    >>> from eventstudy.plotting import plot_clustering
    >>> frame = pd.DataFrame({"date": pd.bdate_range("2019-05-20", periods=4)})
    >>> ax = plot_clustering(frame.assign(windows=[1, 3, 3, 2], events=[0, 1, 2, 0]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Windows open, at most 3', '3 events on 2 dates']
    """
    need(frame, "plot_clustering", ["date", "windows", "events"])
    frame = frame.sort_values("date")
    ax = new_axes(ax)
    dates, windows = frame["date"], frame["windows"].to_numpy()
    half = half_session(dates)
    first, last = dates.iloc[0], dates.iloc[-1]
    days = frame[frame["events"] > 0]
    ax.fill_between(
        # Half a session more on either side, so the first and last session are whole.
        [first - half, *dates, last + half],
        [windows[0], *windows, windows[-1]],
        step="mid",
        **styled(
            PolyCollection,
            kwargs,
            color=hue(0),
            alpha=0.35,
            linewidth=0,
            label=f"Windows open, at most {int(windows.max())}",
            zorder=2,
        ),
    )
    total = int(days["events"].sum())
    told = f"{total} event{'s' * (total != 1)} on {len(days)} date{'s' * (len(days) != 1)}"
    ax.vlines(days["date"], 0, days["events"], color=hue(1), linewidth=1.5, zorder=3)
    ax.plot(
        days["date"],
        days["events"],
        color=hue(1),
        marker="o",
        markersize=4,
        linestyle="none",
        label=told,
        zorder=4,
    )
    ax.set_ylim(0, 1.08 * max(1, int(np.max(windows, initial=0)), int(frame["events"].max())))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlim(first - MARGIN * half, last + MARGIN * half)
    date_scale(ax)
    ax.set_ylabel("Events")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
