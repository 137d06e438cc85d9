"""Cumulative abnormal returns over event time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plotting._base import need, new_axes
from eventstudy.plotting._paths import Headline, draw_paths, legend_paths, mark_headline, split

__all__ = ["plot_car"]


def plot_car(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    headline: Headline | None = None,
    hue: str = "event",
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw cumulative abnormal returns with their confidence band.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day`` (sessions relative to the event), ``car``, ``ci_low`` and ``ci_high``
        (decimals), and optionally ``event``, one line for each. NaN is drawn as a gap. Bands
        are drawn for up to three events; more than ten become a bundle of thin lines.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    headline : tuple of (int, int, float), optional
        First and last day of a window to shade, and its CAR (decimal, or NaN) for the
        legend.
    hue : str, default "event"
        Column that tells the lines apart, where `frame` has it.
    palette : str or sequence of colours, optional
        Colours of the events.
    **kwargs
        Properties of the lines, as for `matplotlib.axes.Axes.plot`.
        ``label`` names a line, and ``color`` is that after the lines which `ax` holds already.

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
    >>> from eventstudy.plotting import plot_car
    >>> path = pd.DataFrame({"day": [-1, 0, 1], "car": [0.0, -0.05, -0.1]})
    >>> ax = plot_car(path.assign(ci_low=path.car - 0.03, ci_high=path.car + 0.03))
    >>> ax.get_ylabel()
    'Cumulative abnormal return'
    """
    need(frame, "plot_car", ["day", "car", "ci_low", "ci_high"])
    lines = split(frame, hue)
    ax = draw_paths(lines, "car", "CAR", new_axes(ax), level, palette, kwargs)
    ax.set_ylabel("Cumulative abnormal return")
    mark_headline(ax, headline, "CAR")
    legend_paths(ax, level, title)
    return ax
