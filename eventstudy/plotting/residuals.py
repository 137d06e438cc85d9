"""Estimation residuals and abnormal returns over time."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from eventstudy.distributions import norm_ppf
from eventstudy.plotting._base import (
    count_days,
    hue,
    ink,
    legend_above,
    mark_event,
    new_axes,
    percent_scale,
    styled,
)
from eventstudy.plotting._residuals import LEVEL, estimation_residuals

__all__ = ["plot_residuals"]


def plot_residuals(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw estimation residuals and the abnormal returns of the event window over time.

    Parameters
    ----------
    frame : DataFrame
        Columns ``value`` (residual or abnormal return, decimal), ``role`` (``"estimation"`` or
        ``"event"``) and ``day`` (sessions relative to the event).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the estimation residuals, as for `matplotlib.axes.Axes.vlines`.

    Returns
    -------
    Axes
        The band holds 95% of the days if residuals are normally distributed with one variance. A
        variance that changes over time shows as stretches inside the band and stretches that leave it.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has fewer than three residuals.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_residuals
    >>> frame = pd.DataFrame({"value": [-0.01, 0.0, 0.01, -0.05], "day": [-4, -3, -2, 0]})
    >>> ax = plot_residuals(frame.assign(role=["estimation"] * 3 + ["event"]))
    >>> ax.get_ylabel()
    'Abnormal return'
    """
    past = estimation_residuals(frame, "plot_residuals")
    event = frame[frame["role"] == "event"].dropna(subset=["value"])
    ax = new_axes(ax)
    bound = norm_ppf(0.5 + LEVEL / 2) * past["value"].std()
    ax.axhspan(
        -bound,
        bound,
        facecolor=ink(ax),
        alpha=0.1,
        linewidth=0,
        label=f"{LEVEL:.0%} of days if normal",
        zorder=0,
    )
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    mark_event(ax)
    for part, given, colour, width, label in (
        (past, kwargs, hue(0), 1.0, f"{len(past)} estimation days"),
        (event, {}, hue(1), 1.6, f"{len(event)} event days"),
    ):
        if len(part):
            days, values = part["day"].to_numpy(), part["value"].to_numpy(float)
            style = styled(LineCollection, given, color=colour, linewidth=width, label=label, zorder=2)
            ax.vlines(days, 0, values, **style)
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Abnormal return")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, [*handles[1:], handles[0]], [*labels[1:], labels[0]], title)
    return ax
