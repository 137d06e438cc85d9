"""The placebo distribution, and the study in it."""

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
    colours,
    ink,
    legend_above,
    minus,
    need,
    new_axes,
    percent,
    percent_scale,
    styled,
)

__all__ = ["plot_placebo"]

HATCHES = ("", "///", "...", "xxx")
#: Fewer values than this are drawn one by one.
FEW = 20


def plot_placebo(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    real: float,
    title: str | None = None,
    unit: str | None = None,
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw the values of placebo studies, a histogram for each kind of placebo, and the study among them.

    Fewer than twenty values of a kind are drawn one by one.

    Parameters
    ----------
    frame : DataFrame
        Columns ``value`` and ``against`` (what the placebos are, such as ``"dates"``); missing values are
        left out.
    ax : Axes, optional
        Where to draw; a new figure by default.
    real : float
        The same value of the study itself.
    title : str, optional
    unit : str, optional
        What the values are, if they are not returns; returns are decimals and drawn in percent.
    palette : str or sequence of colours, optional
    **kwargs
        Properties of the histograms, as for `seaborn.histplot`.

    Returns
    -------
    Axes
        The legend gives the study's rank among each kind, counted from the lower end.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no value.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_placebo
    >>> frame = pd.DataFrame({"value": [-0.01, 0.0, 0.01, 0.02], "against": "dates"})
    >>> ax = plot_placebo(frame, real=-0.05)
    >>> ax.get_legend().get_texts()[-1].get_text()
    '4 placebo dates: 1 of 5 from below'
    """
    need(frame, "plot_placebo", ["value", "against"])
    seen = frame.dropna(subset=["value"])
    if seen.empty:
        raise RequestError("plot_placebo has no placebo value to draw: all are missing.")
    ax = new_axes(ax)
    kinds = list(dict.fromkeys(seen["against"]))
    edges = np.histogram_bin_edges(np.append(seen["value"].to_numpy(float), real), bins="auto")
    hues = colours(palette, len(kinds) + 1)
    for i, kind in enumerate(kinds):
        values = seen.loc[seen["against"] == kind, "value"].to_numpy(float)
        below = int((values < real).sum())
        label = f"{len(values)} placebo {kind}: {below + 1} of {len(values) + 1} from below"
        if len(values) < FEW:
            height = np.full(len(values), 0.03)
            across = ax.get_xaxis_transform()
            ax.plot(values, height, "^", color=hues[i], label=label, transform=across, zorder=3)
            continue
        sns.histplot(
            x=values,
            ax=ax,
            **styled(
                Rectangle,
                kwargs,
                bins=edges.tolist(),
                stat="percent",
                color=hues[i],
                alpha=0.45,
                hatch=HATCHES[i % len(HATCHES)],
                label=label,
            ),
        )
    shown = percent(real) if unit is None else minus(f"{real:+.2f}")
    ax.axvline(real, color=hues[-1], linewidth=2, label=f"This study: {shown}", zorder=3)
    ax.axvline(0.0, color=ink(ax), linewidth=0.8, linestyle=":", label="_zero", zorder=1)
    if not ax.patches:
        ax.set_yticks([])
    if unit is None:
        percent_scale(ax.xaxis)
    ax.set(xlabel="Mean CAR" if unit is None else unit, ylabel="Placebo studies (%)" if ax.patches else "")
    handles, labels = ax.get_legend_handles_labels()
    first = labels.index(f"This study: {shown}")
    order = [first, *(i for i in range(len(labels)) if i != first)]
    legend_above(ax, [handles[i] for i in order], [labels[i] for i in order], title)
    return ax
