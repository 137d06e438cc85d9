"""Abnormal returns of many events at a glance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    DAY_LABEL,
    MOST_NAMES,
    PercentTicks,
    minus,
    name_places,
    new_axes,
    wrapped,
    write_title,
)

__all__ = ["plot_heatmap"]

#: Share of the cells inside the colour scale, so one crash does not grey out the rest.
SHARE = 0.98
GREY = "0.75"


def plot_heatmap(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    cmap: str = "vlag",
    **kwargs: Any,
) -> Axes:
    """Draw abnormal returns as colours, events down and days across.

    Parameters
    ----------
    frame : DataFrame
        Abnormal returns (decimals); the index holds event labels, the columns relative days.
        NaN, a day without trade, is hatched. Up to 40 events are named.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    cmap : str, optional
        A diverging colour map; the default, blue to red, is legible to colour-blind readers.
    **kwargs
        Properties of the cells, as for `seaborn.heatmap`.

    Returns
    -------
    Axes
        The scale is symmetric about 0 and spans 98% of the cells; an arrow on the colour bar
        says that some lie beyond.

    Raises
    ------
    RequestError
        If `frame` holds no value, or its columns are not days.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_heatmap
    >>> ar = pd.DataFrame([[0.01, -0.05], [0.0, -0.06]], index=["Hikvision", "Dahua"], columns=[-1, 0])
    >>> ax = plot_heatmap(ar)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Hikvision', 'Dahua']
    """
    if not pd.api.types.is_numeric_dtype(frame.columns):
        raise RequestError(f"plot_heatmap needs relative days as columns, found {list(frame.columns)}.")
    days = [int(day) for day in frame.columns]
    values = frame.to_numpy(float)
    size = np.abs(values[~np.isnan(values)])
    if not size.size:
        raise RequestError(
            f"plot_heatmap was given a frame of shape {frame.shape} without any value to draw."
        )
    limit = float(np.quantile(size, SHARE)) or float(size.max()) or 0.01
    below, above = bool((values < -limit).any()), bool((values > limit).any())
    extend = "both" if below and above else "min" if below else "max" if above else "neither"
    names = wrapped(frame.index) if len(frame) <= MOST_NAMES else []
    ax = new_axes(ax, names)
    defaults = {
        # Symmetric limits rather than center=0, by which seaborn calls what matplotlib deprecates.
        "vmin": -limit,
        "vmax": limit,
        "yticklabels": False,
        "cbar_kws": {"format": PercentTicks(), "label": "Abnormal return", "extend": extend},
    }
    sns.heatmap(frame.astype(float), ax=ax, cmap=cmap, **(defaults | kwargs))
    ax.set(xlabel=DAY_LABEL, ylabel="" if names else f"{len(frame)} events")
    ax.grid(False)
    shown = [j for j, day in enumerate(days) if day % _step(len(days)) == 0]
    ax.set_xticks([j + 0.5 for j in shown], [minus(str(days[j])) for j in shown], rotation=0)
    missing = bool(np.isnan(values).any())
    if missing:
        ax.set_facecolor(GREY)
        ax.patch.set(hatch="////", edgecolor="0.45")
        ax.legend(
            handles=[Patch(facecolor=GREY, edgecolor="0.45", hatch="////", label="no trade")],
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            frameon=False,
            borderpad=0.2,
        )
    if 0 in days:
        for edge in (days.index(0), days.index(0) + 1):
            ax.axvline(edge, color="0.1", linewidth=1.2, linestyle="--", label="_event day")
    if names and "yticklabels" not in kwargs:
        ax.tick_params(axis="y", left=True)
        name_places(ax, np.arange(len(names)) + 0.5, names)
    if title is not None:
        write_title(ax, title, pad=24 if missing else None)
    return ax


def _step(n_days: int) -> int:
    """Days from one tick to the next."""
    return next((step for step in (1, 2, 5, 10, 20, 50) if n_days <= 9 * step), 100)
