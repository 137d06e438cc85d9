"""The regression behind a normal return: estimation days, fitted line and event days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke

from eventstudy.plotting._base import (
    hue,
    ink,
    legend_above,
    minus,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["place_labels", "plot_fit"]


def plot_fit(frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any) -> Axes:
    """Draw returns against the benchmark's or the fitted ones, and the event days with their number.

    Parameters
    ----------
    frame : DataFrame
        Columns ``benchmark``, ``actual``, ``fitted`` (returns, decimals), ``role``
        (``"estimation"`` or ``"event"``) and ``day`` (sessions relative to the event).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the estimation days, as for `seaborn.scatterplot`.

    Returns
    -------
    Axes
        Where the fit is not a line in the benchmark (a model with more factors), returns are drawn against
        their fitted values.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_fit
    >>> frame = pd.DataFrame({"benchmark": [-0.01, 0.0, 0.01], "actual": [-0.012, 0.001, -0.05]})
    >>> frame = frame.assign(fitted=frame.benchmark, role=["estimation"] * 2 + ["event"], day=[-2, -1, 0])
    >>> ax = plot_fit(frame)
    >>> ax.get_xlabel()
    'Benchmark return'
    """
    need(frame, "plot_fit", ["benchmark", "actual", "fitted", "role", "day"])
    ax = new_axes(ax)
    past, event = (frame[frame["role"] == role] for role in ("estimation", "event"))
    surface = ax.get_facecolor()
    line = frame.dropna(subset=["benchmark", "fitted"]).sort_values("benchmark")
    x, y = line["benchmark"].to_numpy(float), line["fitted"].to_numpy(float)
    across = "benchmark" if _is_line(x, y) else "fitted"
    sns.scatterplot(
        past,
        x=across,
        y="actual",
        ax=ax,
        **styled(PathCollection, kwargs, color=hue(0), alpha=0.5, s=18, linewidth=0, label="Estimation days"),
    )
    if across == "benchmark":
        ax.plot(x, y, color=ink(ax), linewidth=1.2, label="Fitted", zorder=3)
    else:
        ends = [y.min(), y.max()]
        ax.plot(ends, ends, color=ink(ax), linewidth=1.2, label="Observed as fitted", zorder=3)
    sns.scatterplot(
        event,
        x=across,
        y="actual",
        ax=ax,
        color=hue(1),
        marker="D",
        s=30,
        edgecolor=surface,
        linewidth=0.5,
        label="Event window, by day",
        zorder=4,
    )
    percent_scale(ax.xaxis)
    percent_scale(ax.yaxis)
    ax.set(xlabel=f"{across.capitalize()} return", ylabel="Return")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    shown = event.dropna(subset=[across, "actual"])
    surprise = (shown["actual"] - shown["fitted"]).abs().where(shown["day"] != 0, np.inf)
    shown = shown.iloc[np.argsort(-surprise.fillna(0.0).to_numpy())]
    points = shown[[across, "actual"]].to_numpy(float)
    place_labels(ax, points, [minus(str(day)) for day in shown["day"]])
    return ax


def _is_line(x: np.ndarray, y: np.ndarray) -> bool:
    if len(x) < 3 or np.ptp(x) == 0:
        return True
    slope, intercept = np.polyfit(x, y, 1)
    return bool(np.allclose(intercept + slope * x, y, rtol=0, atol=1e-6 * (np.ptp(y) + 1e-12)))


#: Distances from a point at which its label is tried, in units of the font size.
REACH = (1.4, 1.8, 2.4, 3.2, 4.2, 5.5)
#: Labels further away than this are led to by a line.
CLOSE = 1.8
DIRECTIONS = np.deg2rad([0, 180, 45, 135, -45, -135, 90, -90])


def place_labels(ax: Axes, points: np.ndarray, labels: Sequence[str]) -> None:
    """Write a label beside each point, the first points first, without covering labels or points.

    Parameters
    ----------
    ax : Axes
        With its limits set; a label that finds no room close by is led to by a thin line.
    points : array, shape (n, 2)
        In data coordinates.
    labels : sequence of str, length n
    """
    if not len(points):
        return
    ax.autoscale_view()
    size = FontProperties(size="small").get_size_in_points()
    pixels = size * ax.figure.dpi / 72
    spots = ax.transData.transform(points)
    bounds = ax.bbox
    taken = [(spot, np.array([0.5, 0.5]) * pixels) for spot in spots]
    legend = ax.get_legend()
    if legend is not None:
        box = legend.get_window_extent()
        taken.append(
            (np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2, np.array([box.width, box.height]) / 2)
        )
    for point, spot, label in zip(points, spots, labels, strict=True):
        half = np.array([0.42 * len(label), 0.65]) * pixels
        for reach in REACH:
            places = [spot + reach * pixels * np.array([np.cos(turn), np.sin(turn)]) for turn in DIRECTIONS]
            free = [
                place
                for place in places
                if bounds.contains(*(place - half))
                and bounds.contains(*(place + half))
                and all((np.abs(place - other) >= half + room).any() for other, room in taken)
            ]
            if free:
                break
        else:
            free = [spot + REACH[0] * pixels * np.array([0.7, 0.7])]
        place = free[0]
        taken.append((place, half))
        leader = {"arrowstyle": "-", "color": ink(ax), "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
        ax.annotate(
            label,
            xy=tuple(point),
            xytext=tuple((place - spot) * 72 / ax.figure.dpi),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize="small",
            zorder=5,
            arrowprops=leader if reach > CLOSE else None,
            path_effects=[withStroke(linewidth=2, foreground=ax.get_facecolor())],
        )
