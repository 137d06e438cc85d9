"""Gap between return and counterfactual, day by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    count_days,
    hue,
    ink,
    interval,
    legend_above,
    mark_event,
    mark_zero,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["plot_gap"]


def plot_gap(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    **kwargs: Any,
) -> Axes:
    """Draw the gap of each day: errors before the event, effects with their intervals after it.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day``, ``gap``, ``ci_low``, ``ci_high`` (decimals; intervals are missing before the
        event) and ``is_effect`` (whether the day lies in the event window).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    **kwargs
        Properties of the marks of the effects, as for `matplotlib.axes.Axes.plot`.

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
    >>> from eventstudy.plotting import plot_gap
    >>> frame = pd.DataFrame({"day": [-31, 0, 1], "gap": [0.002, -0.05, 0.0]})
    >>> frame = frame.assign(ci_low=[None, -0.08, -0.03], ci_high=[None, -0.02, 0.03])
    >>> ax = plot_gap(frame.assign(is_effect=frame.day >= 0))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Before the event', 'Effect', '95% interval']
    """
    need(frame, "plot_gap", ["day", "gap", "ci_low", "ci_high", "is_effect"])
    ax = new_axes(ax)
    frame = frame.sort_values("day")
    mark_zero(ax)
    mark_event(ax)
    after = frame["is_effect"].to_numpy(bool)
    before, effects = frame[~after], frame[after]
    if len(before):
        ax.plot(
            before["day"],
            before["gap"].astype(float),
            color=ink(ax),
            alpha=0.6,
            linewidth=0.9,
            label="Before the event",
            zorder=2,
        )
    style = styled(Line2D, kwargs, color=hue(0), linestyle="none", marker="o", label="Effect", zorder=4)
    ax.plot(effects["day"], effects["gap"].astype(float), **style)
    low, high = effects["ci_low"].to_numpy(float), effects["ci_high"].to_numpy(float)
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        ax.vlines(
            effects["day"].to_numpy()[known],
            low[known],
            high[known],
            color=hue(0),
            linewidth=1.4,
            label=interval(level),
            zorder=3,
        )
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Return less counterfactual")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
