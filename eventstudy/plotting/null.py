"""Where an event day lies among the returns of ordinary days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    DASHES,
    colours,
    hue,
    legend_above,
    minus,
    need,
    new_axes,
    percent,
    percent_scale,
    styled,
)

__all__ = ["plot_null"]

#: Of more event days than this, day 0 alone is named.
MOST_DAYS = 8


def plot_null(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw the estimation-window residuals as a histogram, and each event day with its rank.

    Parameters
    ----------
    frame : DataFrame
        Columns ``value`` (residual or abnormal return, decimal), ``role`` (``"estimation"`` or
        ``"event"``) and ``day`` (sessions relative to the event).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    palette : str or sequence of colours, optional
        Colours of the event days.
    **kwargs
        Properties of the histogram, as for `seaborn.histplot`.

    Returns
    -------
    Axes
        The rank counts the event day among the n estimation days and itself, from the end it is
        nearer to: "lowest of 251" says that none of 250 ordinary days was as low.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has no estimation values.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_null
    >>> frame = pd.DataFrame({"value": [-0.01, 0.0, 0.01, 0.02, -0.05], "day": [-4, -3, -2, -1, 0]})
    >>> ax = plot_null(frame.assign(role=["estimation"] * 4 + ["event"]))
    >>> ax.get_legend().get_texts()[-1].get_text()
    'Day 0: −5.0%, lowest of 5'
    """
    need(frame, "plot_null", ["value", "role", "day"])
    seen = frame.dropna(subset=["value"])
    past = seen.loc[seen["role"] == "estimation", "value"].astype(float)
    event = seen[seen["role"] == "event"]
    if past.empty:
        raise RequestError(
            "plot_null has no estimation values to draw: no row with role 'estimation' has one."
        )
    ax = new_axes(ax)
    style = styled(Rectangle, kwargs, color=hue(0), alpha=0.45, label=f"{len(past)} estimation days")
    sns.histplot(x=past, ax=ax, **style)
    sns.rugplot(x=past, ax=ax, color=style["color"], alpha=0.6, height=0.025)
    named = event if len(event) <= MOST_DAYS else event[event["day"] == 0]
    others = event[~event["day"].isin(named["day"])]
    for i, value in enumerate(others["value"].astype(float)):
        label = "_other" if i else f"{len(others)} other event days"
        ax.axvline(value, color=hue(7), linewidth=1, label=label, zorder=2)
    hues = colours(palette, len(named) + 1)[1:]
    for i, (day, value) in enumerate(zip(named["day"], named["value"].astype(float), strict=True)):
        label = f"Day {minus(str(day))}: {percent(value)}, {_rank(value, past.to_numpy())}"
        ax.axvline(
            value, color=hues[i], linestyle=DASHES[i % len(DASHES)], linewidth=1.8, label=label, zorder=3
        )
    percent_scale(ax.xaxis)
    ax.set(xlabel="Abnormal return", ylabel="Days")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, [handles[-1], *handles[:-1]], [labels[-1], *labels[:-1]], title)
    return ax


def _rank(value: float, past: np.ndarray) -> str:
    below, above = int((past <= value).sum()), int((past >= value).sum())
    side, rank = ("lowest", below + 1) if below <= above else ("highest", above + 1)
    position = side if rank == 1 else f"{_ordinal(rank)} {side}"
    return f"{position} of {len(past) + 1}"


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
