"""Figures as image files in memory, for pages that hold their own pictures."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["as_image"]

#: Drawings with so many shapes that they outgrow this are turned into pixels.
MOST_BYTES = 150_000
DPI = 160


def as_image(
    draw: Callable[[Axes], object], width: float = 5.4, height: float = 3.7, *, title: bool = True
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
    draw(ax)
    if not title:
        ax.set_title("")
    with mpl.rc_context({"svg.hashsalt": "eventstudy", "svg.fonttype": "path"}):
        vector = io.BytesIO()
        figure.savefig(vector, format="svg", metadata={"Date": None})
    if vector.tell() <= MOST_BYTES:
        return "image/svg+xml", vector.getvalue()
    pixels = io.BytesIO()
    figure.savefig(pixels, format="png", dpi=DPI)
    return "image/png", pixels.getvalue()
