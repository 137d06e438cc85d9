"""Weights of the donors that a counterfactual is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eventstudy.plotting._base import (
    hue,
    ink,
    name_rows,
    need,
    new_axes,
    percent_scale,
    styled,
    wrapped,
    write_title,
)

__all__ = ["plot_donor_weights"]

#: Donors that are named; the others share a row.
MOST_ROWS = 20


def plot_donor_weights(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the weights of the donors as bars, the largest on top.

    Parameters
    ----------
    frame : DataFrame
        Columns ``donor`` and ``weight``; missing and zero weights are left out.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    **kwargs
        Properties of the bars, as for `matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
        Donors beyond the twenty with the largest weights share the last row, which gives their sum in words:
        a bar would dwarf those of single donors.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no weight.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_donor_weights
    >>> ax = plot_donor_weights(pd.DataFrame({"donor": ["A", "B", "C"], "weight": [0.7, 0.3, 0.0]}))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['A', 'B']
    """
    need(frame, "plot_donor_weights", ["donor", "weight"])
    held = frame[frame["weight"].abs() > 1e-8]
    need(held, "plot_donor_weights", ["donor", "weight"])
    held = held.iloc[np.argsort(-held["weight"].abs().to_numpy(float), kind="stable")]
    names, weights = [str(name) for name in held["donor"]], held["weight"].to_numpy(float)
    rest = ""
    if len(names) > MOST_ROWS + 1:
        rest = f"{len(names) - MOST_ROWS} others"
        together = float(weights[MOST_ROWS:].sum())
        names, weights = names[:MOST_ROWS], weights[:MOST_ROWS]
    rows = wrapped([*names, rest] if rest else names)
    ax = new_axes(ax, rows)
    ax.barh(range(len(names)), weights, **styled(Rectangle, kwargs, color=hue(0), height=0.7))
    if rest:
        ax.annotate(
            f"{together:.1%} together",
            (0, len(names)),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=ink(ax),
            fontsize="small",
        )
    ax.axvline(0, color=ink(ax), linewidth=0.8, label="_zero")
    name_rows(ax, rows)
    percent_scale(ax.xaxis)
    ax.set_xlabel("Weight")
    if title is not None:
        write_title(ax, title)
    return ax
