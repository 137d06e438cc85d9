"""Cumulative average abnormal returns over event time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plotting._base import need, new_axes
from eventstudy.plotting._paths import Headline, count_events, draw_paths, legend_paths, mark_headline, split

__all__ = ["plot_caar"]


def plot_caar(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    headline: Headline | None = None,
    hue: str = "group",
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw cumulative average abnormal returns with their confidence band.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day``, ``caar``, ``ci_low``, ``ci_high`` (decimals) and ``n_events``, and
        optionally ``group``, one line for each. NaN is drawn as a gap. Bands are drawn for up to
        three groups.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    headline : tuple of (int, int, float), optional
        First and last day of a window to shade, and its CAAR (decimal, or NaN) for the
        legend.
    hue : str, default "group"
        Column that tells the lines apart, where `frame` has it.
    palette : str or sequence of colours, optional
        Colours of the groups.
    **kwargs
        Properties of the lines, as for `matplotlib.axes.Axes.plot`.
        ``label`` names a line, and ``color`` is that after the lines which `ax` holds already.

    Returns
    -------
    Axes
        The legend gives the number of events behind each line.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_caar
    >>> path = pd.DataFrame({"day": [-1, 0, 1], "caar": [0.0, -0.05, -0.1], "n_events": 7})
    >>> ax = plot_caar(path.assign(ci_low=path.caar - 0.03, ci_high=path.caar + 0.03))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['CAAR, 7 events', '95% interval']
    """
    need(frame, "plot_caar", ["day", "caar", "ci_low", "ci_high", "n_events"])
    lines = {
        name if name is None else f"{name}, {count_events(part)}": part
        for name, part in split(frame, hue).items()
    }
    ax = draw_paths(lines, "caar", f"CAAR, {count_events(frame)}", new_axes(ax), level, palette, kwargs)
    ax.set_ylabel("Cumulative average abnormal return")
    mark_headline(ax, headline, "CAAR")
    legend_paths(ax, level, title)
    return ax
