"""A cumulative effect among those of placebos."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    count_days,
    hue,
    ink,
    legend_above,
    mark_event,
    mark_zero,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["plot_placebo_paths"]


def plot_placebo_paths(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the cumulative effect of the study in bold among thin lines, one for each placebo.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day``, ``effect`` (cumulative, decimals) and ``placebo`` (its name; missing for the study).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the line of the treated, as for `matplotlib.axes.Axes.plot`.

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
    >>> from eventstudy.plotting import plot_placebo_paths
    >>> frame = pd.DataFrame({"day": [0, 1] * 3, "effect": [-0.05, -0.06, 0.01, 0.0, -0.01, 0.02]})
    >>> ax = plot_placebo_paths(frame.assign(placebo=[None, None, "A", "A", "B", "B"]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Treated', '2 placebos']
    """
    need(frame, "plot_placebo_paths", ["day", "effect", "placebo"])
    ax = new_axes(ax)
    is_own = frame["placebo"].isna()
    own = frame[is_own].sort_values("day")
    wide = frame[~is_own].pivot(index="day", columns="placebo", values="effect").sort_index()
    mark_zero(ax)
    mark_event(ax)
    days = wide.index.to_numpy(float)
    lines = [list(zip(days, values.tolist(), strict=True)) for values in wide.to_numpy(float).T]
    many = len(lines) > 100
    bundle = LineCollection(lines, colors=[ink(ax)], linewidths=0.7, alpha=0.15 if many else 0.35, zorder=2)
    bundle.set_label(f"{len(lines)} placebos")
    style = styled(Line2D, kwargs, color=hue(0), linewidth=2.2, label="Treated", zorder=4)
    ax.plot(own["day"], own["effect"].astype(float), **style)
    ax.add_collection(bundle)
    ax.autoscale_view()
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Cumulative effect")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    for handle in ax.get_legend().legend_handles:  # type: ignore[union-attr]
        handle.set_alpha(1.0)  # type: ignore[union-attr]
    return ax
