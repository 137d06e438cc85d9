"""Loadings of the treated, of their counterfactual and of the donors."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    hue,
    ink,
    legend_above,
    name_rows,
    need,
    new_axes,
    percent_scale,
    styled,
    wrapped,
)

__all__ = ["plot_balance"]


def plot_balance(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any
) -> Axes:
    """Draw the loadings on each factor of treated and counterfactual, in the range of the donors.

    Parameters
    ----------
    frame : DataFrame
        Columns ``factor``, ``treated``, ``counterfactual``, ``donors_low`` and ``donors_high``: returns for a
        move of one standard deviation of the factor (decimals).
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    **kwargs
        Properties of the marks of the treated, as for `matplotlib.axes.Axes.plot`.

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
    >>> from eventstudy.plotting import plot_balance
    >>> frame = pd.DataFrame({"factor": ["market"], "treated": [0.012], "counterfactual": [0.0115]})
    >>> ax = plot_balance(frame.assign(donors_low=0.004, donors_high=0.018))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Treated', 'Counterfactual', 'Range of the donors']
    """
    need(frame, "plot_balance", ["factor", "treated", "counterfactual", "donors_low", "donors_high"])
    rows = wrapped(frame["factor"])
    ax = new_axes(ax, rows)
    at = range(len(rows))
    span = ax.hlines(at, frame["donors_low"], frame["donors_high"], color=ink(ax), alpha=0.35, linewidth=5)
    style = styled(Line2D, kwargs, color=hue(0), linestyle="none", marker="o", markersize=7, zorder=3)
    own = ax.plot(frame["treated"], at, **style)[0]
    other = ax.plot(frame["counterfactual"], at, "x", color=hue(1), markersize=8, mew=2.2, zorder=4)[0]
    ax.axvline(0, color=ink(ax), linewidth=0.8, linestyle=":", label="_zero", zorder=1)
    name_rows(ax, rows)
    percent_scale(ax.xaxis)
    ax.set_xlabel("Return for one standard deviation of the factor")
    legend_above(ax, [own, other, span], ["Treated", "Counterfactual", "Range of the donors"], title)
    return ax
