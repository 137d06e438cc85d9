"""Figures as image files in memory, for pages that hold their own pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["as_image"]

#: Drawings with so many shapes that they outgrow this are turned into pixels.
MOST_BYTES = 150_000
DPI = 160
#: Fonts of Windows, macOS and Linux that hold names of firms from all over East Asia.
EAST_ASIAN = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Noto Sans CJK JP", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei", "Arial Unicode MS", "Malgun Gothic",
)  # fmt: skip


def as_image(
    draw: Callable[[Axes], object],
    width: float = 5.4,
    height: float = 3.7,
    *,
    title: bool = True,
    vector: bool = True,
) -> tuple[str, bytes]:
    """Draw on the axes of a figure of its own and return the image.

    Parameters
    ----------
    draw : callable
        Takes the Axes to draw on.
    width, height : float
        In inches.
    title : bool, default True
        Whether the title of the axes is kept.
    vector : bool, default True
        Whether the image may be SVG; otherwise it is PNG.

    Returns
    -------
    mime : str
        ``"image/svg+xml"``, or ``"image/png"`` for drawings of very many shapes.
    image : bytes
        The same bytes for the same drawing.

    Examples
    --------
    >>> from eventstudy.plotting import as_image
    >>> mime, image = as_image(lambda ax: ax.plot([1, 2, 3]))
    >>> mime, image[:5]
    ('image/svg+xml', b'<?xml')
    """
    # A figure that pyplot does not know needs no closing, and takes no part in the user's session.
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.add_subplot()
    fixed: dict[Any, Any] = {"svg.hashsalt": "eventstudy", "svg.fonttype": "path", "font.family": _families()}
    with mpl.rc_context(fixed):
        draw(ax)
        if not title:
            ax.set_title("")
        if vector:
            shapes = io.BytesIO()
            figure.savefig(shapes, format="svg", metadata={"Date": None})
            if shapes.tell() <= MOST_BYTES:
                return "image/svg+xml", shapes.getvalue()
        pixels = io.BytesIO()
        figure.savefig(pixels, format="png", dpi=DPI)
    return "image/png", pixels.getvalue()


def _families() -> list[str]:
    """Fonts of the user, and behind them one with the scripts of East Asia, where one is installed."""
    installed = set(font_manager.get_font_names())
    further = [name for name in EAST_ASIAN if name in installed][:1]
    return [*mpl.rcParams["font.family"], *further]
