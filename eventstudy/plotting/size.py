"""Size: how often tests reject a true null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    MARKERS,
    colours,
    ink,
    interval,
    legend_above,
    name_rows,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["plot_size"]


def plot_size(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    alpha: float = 0.05,
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw how often each test rejects a true null, with its interval, one row per test.

    Parameters
    ----------
    frame : DataFrame
        Columns ``test``, ``rate``, ``ci_low`` and ``ci_high`` (shares), and optionally ``model``, which
        then has a colour each.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    alpha : float, default 0.05
        Nominal size of the tests, drawn as a dashed line.
    palette : str or sequence of colours, optional
    **kwargs
        Properties of the points and their intervals, as for `matplotlib.axes.Axes.errorbar`.

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
    >>> from eventstudy.plotting import plot_size
    >>> frame = pd.DataFrame({"test": ["bmp", "grank_t"], "rate": [0.31, 0.05]})
    >>> ax = plot_size(frame.assign(ci_low=frame.rate - 0.01, ci_high=frame.rate + 0.01))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bmp', 'grank_t']
    """
    need(frame, "plot_size", ["test", "rate", "ci_low", "ci_high"])
    tests = list(dict.fromkeys(frame["test"]))
    models = list(dict.fromkeys(frame["model"])) if "model" in frame else [None]
    ax = new_axes(ax, tests)
    ax.axvline(alpha, color=ink(ax), linestyle="--", linewidth=1, zorder=1, label=f"Nominal {alpha:.0%}")
    hues = colours(palette, len(models))
    for i, model in enumerate(models):
        rows = frame if model is None else frame[frame["model"] == model]
        rate = rows["rate"].to_numpy(float)
        # Rounding may put an end of the interval of a rate of 0 or 1 on its other side.
        low = np.maximum(rate - rows["ci_low"].to_numpy(float), 0.0)
        high = np.maximum(rows["ci_high"].to_numpy(float) - rate, 0.0)
        shift = 0.5 * ((i + 0.5) / len(models) - 0.5)
        ax.errorbar(
            rate,
            [tests.index(test) + shift for test in rows["test"]],
            xerr=[low, high],
            **styled(
                Line2D,
                kwargs,
                color=hues[i],
                marker=MARKERS[i % len(MARKERS)],
                markersize=5,
                linestyle="none",
                label=f"Rate and {interval(0.95)}" if model is None else str(model),
                zorder=3,
            ),
        )
    name_rows(ax, tests)
    ax.set_xlim(0, float(np.fmax(1.05 * frame["ci_high"].max(), 2 * alpha)))
    percent_scale(ax.xaxis)
    ax.set_xlabel("True nulls rejected")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
