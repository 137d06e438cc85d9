"""Small multiples: the average path of each group of events in a panel of its own."""

from __future__ import annotations

import math
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties

from eventstudy.errors import RequestError
from eventstudy.plotting._base import DAY_LABEL, interval, need, new_axes, plain
from eventstudy.plotting._paths import Headline, count_events
from eventstudy.plotting.caar import plot_caar

__all__ = ["plot_caar_groups"]

#: Panels beyond these would be too small to read.
MOST_PANELS = 16
#: Width and height of a panel, and height of what stands around the panels, in inches.
WIDTH, HEIGHT, HEADROOM = 2.9, 2.3, 0.9
#: Width of a letter of a panel's title, in units of its font size.
LETTER = 0.52


def plot_caar_groups(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    headline: Headline | None = None,
    columns: int = 3,
    **kwargs: Any,
) -> Axes:
    """Draw the cumulative average abnormal returns of each group in a panel, all on one scale.

    Parameters
    ----------
    frame : DataFrame
        Columns ``group``, ``day``, ``caar``, ``ci_low``, ``ci_high`` (decimals) and ``n_events``. NaN is
        drawn as a gap. Groups come in the order of their first rows.
    ax : Axes, optional
        Axes of a subplot, which are split; by default a new figure with room for the panels.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the label of the x axis.
    headline : tuple of (int, int, float), optional
        First and last day of a window to shade in every panel; its CAAR is not told.
    columns : int, default 3
        Panels in a row, at most.
    **kwargs
        Properties of the lines, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The first panel; the others are the next axes of the figure.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows, if there are more than 16 groups, or `ax` is not a subplot.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_caar_groups
    >>> path = pd.DataFrame({"day": [0, 1], "caar": [-0.05, -0.1], "ci_low": -0.2, "ci_high": 0.1})
    >>> frame = pd.concat([path.assign(group=name, n_events=7) for name in ("suppliers", "rivals")])
    >>> ax = plot_caar_groups(frame)
    >>> [panel.get_title() for panel in ax.figure.axes]
    ['suppliers, 7 events', 'rivals, 7 events']
    """
    need(frame, "plot_caar_groups", ["group", "day", "caar", "ci_low", "ci_high", "n_events"])
    if columns < 1:
        raise RequestError(f"columns is the number of panels in a row, at least 1; got {columns!r}.")
    groups = {str(name): part for name, part in frame.groupby("group", sort=False, observed=True)}
    if len(groups) > MOST_PANELS:
        raise RequestError(
            f"plot_caar_groups draws up to {MOST_PANELS} groups, and the frame has {len(groups)}; keep some, "
            "or draw them in one panel with plot_caar."
        )
    panels = _panels(ax, len(groups), columns)
    wide = min(columns, len(groups))
    size = FontProperties(size="medium").get_size_in_points()
    letters = max(8, int(panels[0].get_window_extent().width * 72 / panels[0].figure.dpi / (LETTER * size)))
    shaded = headline and (headline[0], headline[1], np.nan)
    for i, (panel, (name, part)) in enumerate(zip(panels, groups.items(), strict=True)):
        plot_caar(
            part.drop(columns="group"), panel, level=level, headline=shaded, **({"label": "CAAR"} | kwargs)
        )
        heading = fill(f"{name}, {count_events(part)}", letters)
        above = f"{title}\n{heading}" if title is not None and ax is not None and i == 0 else heading
        plain([panel.set_title(above, fontsize="medium")])
        panel.get_legend().remove()  # type: ignore[union-attr]
        if i % wide:
            panel.set_ylabel("")
            panel.tick_params(labelleft=False)
        if i + wide < len(panels):
            panel.tick_params(labelbottom=False)
        panel.set_xlabel("")
    first, figure = panels[0], panels[0].figure
    days = f"{DAY_LABEL} (bands: {interval(level)}s)"
    if ax is None:
        figure.supxlabel(days, fontsize=first.xaxis.label.get_fontsize())
        figure.supylabel(" ".join(first.get_ylabel().split()), fontsize=first.yaxis.label.get_fontsize())
        for panel in panels:
            panel.set_ylabel("")
        if title is not None:
            large = FontProperties(size="large").get_size_in_points()
            figure.suptitle(fill(title, int(figure.bbox.width / figure.dpi * 72 / (LETTER * large))))
    else:
        last = (len(panels) - 1) // wide * wide
        # Two panels have none in the middle, and one of two is too narrow for more.
        panels[(last + len(panels) - 1) // 2].set_xlabel(DAY_LABEL if (len(panels) - last) % 2 == 0 else days)
    return first


def _panels(ax: Axes | None, n: int, columns: int) -> list[Axes]:
    """Split axes, or those of a new figure, into `n` panels of one scale."""
    wide, high = min(columns, n), math.ceil(n / columns)
    first = new_axes(ax)
    spec = first.get_subplotspec()
    if spec is None:
        raise RequestError("plot_caar_groups splits the axes it is given: make them with plt.subplots().")
    figure = first.figure
    if ax is None:
        scale = max(1.0, FontProperties(size="medium").get_size_in_points() / 10)
        figure.set_size_inches(scale * max(6.4, WIDTH * wide), scale * (HEADROOM + HEIGHT * high))  # type: ignore[union-attr]
    grid = spec.subgridspec(high, wide)
    first.set_subplotspec(grid[0])
    return [first, *(figure.add_subplot(grid[i], sharex=first, sharey=first) for i in range(1, n))]
