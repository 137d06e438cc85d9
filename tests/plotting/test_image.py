"""Figures as bytes, for pages."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from eventstudy.plotting import as_image


def line(ax: Axes) -> None:
    ax.plot([1, 2, 3])
    ax.set_title("Announcement")


def test_same_drawing_same_bytes() -> None:
    theme = dict(mpl.rcParams)
    (mime, image), again = as_image(line), as_image(line)
    assert mime == "image/svg+xml"
    assert image == again[1]
    assert b"<dc:date>" not in image
    assert dict(mpl.rcParams) == theme
    assert plt.get_fignums() == []


def test_title_can_be_left_out() -> None:
    assert len(as_image(line, title=False)[1]) < len(as_image(line)[1])


@pytest.mark.slow
def test_very_many_shapes_become_pixels() -> None:
    values = np.random.default_rng(0).normal(size=(300, 300))
    mime, image = as_image(lambda ax: ax.pcolormesh(values))
    assert mime == "image/png"
    assert image.startswith(b"\x89PNG")
    assert len(image) < 500_000
