"""The p-values of all significance tests at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from eventstudy.plotting._base import hue, ink, legend_above, name_rows, need, new_axes, styled, write_title

__all__ = ["plot_tests"]

#: Smaller p-values are drawn at this end of the scale.
FLOOR = 1e-4
TICKS = {FLOOR: "0.0001\nor less", 0.001: "0.001", 0.01: "0.01", 0.05: "0.05", 0.1: "\n0.1", 1.0: "1"}
SIZES = (0.01, 0.05, 0.1)


def plot_tests(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the p-values of significance tests, those recommended marked and those that do not apply counted.

    Parameters
    ----------
    frame : DataFrame
        Columns ``test``, ``p_value`` and ``applicable``, as in ``results.test()``, and optionally
        ``recommended``, whether the test survives the design.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    **kwargs
        Properties of the points, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        A logarithmic scale with lines at 1, 5 and 10%; p-values below 0.0001 stand at its end, as
        triangles. Tests that do not apply share the last row.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_tests
    >>> frame = pd.DataFrame({"test": ["bmp", "t"], "p_value": [None, 0.004], "applicable": [False, True]})
    >>> ax = plot_tests(frame)
    >>> [label.get_text() for label in ax.get_yticklabels()], ax.texts[0].get_text()
    (['t', '1 other'], 'does not apply')
    """
    need(frame, "plot_tests", ["test", "p_value", "applicable"])
    p = frame["p_value"].astype(float)
    valid = frame["applicable"].astype(bool) & p.notna()
    chosen = frame["recommended"].astype(bool) if "recommended" in frame else pd.Series(False, frame.index)
    others = int((~valid).sum())
    order = np.flatnonzero(valid)
    names = [str(name) for name in frame["test"].to_numpy()[order]]
    if others:
        names.append(f"{others} other{'s' * (others != 1)}")
    ax = new_axes(ax, names)
    ax.set_xscale("log")
    ax.set_xlim(FLOOR / 1.5, 1.5)
    for alpha in SIZES:
        ax.axvline(alpha, color=ink(ax), linestyle=":", linewidth=1, zorder=1, label="_size")
    kinds = (
        (valid & chosen, hue(1), "D", 7.0, "Recommended for this design"),
        (valid & ~chosen, hue(0), "o", 5.0, "Applies" if chosen.any() else "p-value"),
    )
    for mask, colour, marker, size, label in kinds:
        rows = np.flatnonzero(mask.to_numpy()[order])
        values = p.to_numpy()[order][rows]
        tiny = values < FLOOR
        for part, shape in ((~tiny, marker), (tiny, "<")):
            if part.any():
                told = label if shape == marker or tiny.all() else "_tiny"
                ax.plot(
                    np.maximum(values[part], FLOOR),
                    rows[part],
                    **styled(
                        Line2D,
                        kwargs,
                        color=colour,
                        marker=shape,
                        markersize=size,
                        linestyle="none",
                        label=told,
                        zorder=3,
                    ),
                )
    if others:
        ax.annotate(
            "do not apply" if others > 1 else "does not apply",
            xy=(0.02, len(order)),
            xycoords=ax.get_yaxis_transform(),
            va="center",
            fontsize="small",
            fontstyle="italic",
        )
    name_rows(ax, names)
    ax.set_xticks(list(TICKS), list(TICKS.values()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("p-value")
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        legend_above(ax, handles, labels, title)
    elif title is not None:
        write_title(ax, title)
    return ax
