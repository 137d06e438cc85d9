"""Treated firms and their counterfactual, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    count_days,
    hue,
    legend_above,
    mark_event,
    mark_zero,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["plot_counterfactual"]


def plot_counterfactual(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the cumulative return of the treated and of their counterfactual.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day``, ``treated`` and ``counterfactual`` (cumulative, decimals). NaN is drawn as a gap.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the line of the treated, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The area between the lines from day 0 on is the cumulative effect.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_counterfactual
    >>> frame = pd.DataFrame({"day": [-1, 0, 1], "treated": [0.0, -0.05, -0.06]})
    >>> ax = plot_counterfactual(frame.assign(counterfactual=[0.0, 0.01, 0.0]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Treated', 'Counterfactual', 'Cumulative effect']
    """
    need(frame, "plot_counterfactual", ["day", "treated", "counterfactual"])
    ax = new_axes(ax)
    frame = frame.sort_values("day")
    days = frame["day"].to_numpy(float)
    own, other = frame["treated"].to_numpy(float), frame["counterfactual"].to_numpy(float)
    mark_zero(ax)
    mark_event(ax)
    ax.plot(days, own, **styled(Line2D, kwargs, color=hue(0), linewidth=1.8, label="Treated", zorder=3))
    ax.plot(days, other, color=hue(1), linewidth=1.8, linestyle="--", label="Counterfactual", zorder=3)
    after = days >= 0
    if after.any():
        ax.fill_between(
            days[after],
            own[after],
            other[after],
            color=hue(0),
            alpha=0.15,
            linewidth=0,
            label="Cumulative effect",
            zorder=2,
        )
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Cumulative return")
    if np.isfinite(days).all():
        ax.set_xlim(days.min() - 0.5, days.max() + 0.5)
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
