"""Labels of points that do not cover one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke

from eventstudy.plotting._base import ink

__all__ = ["place_labels"]

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
