"""Figures in notebooks have twice the pixels, unless the user has chosen a format."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, ClassVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from eventstudy import plotting

formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")
pylabtools = pytest.importorskip("IPython.core.pylabtools")
display = pytest.importorskip("IPython.display")
config = pytest.importorskip("matplotlib_inline.config", reason="matplotlib-inline is not installed")
DisplayFormatter = formatters.DisplayFormatter


def width(image: str | bytes) -> int:
    """Pixels across of a PNG."""
    image = base64.b64decode(image) if isinstance(image, str) else image
    return int.from_bytes(image[16:20], "big")


class Backend:
    """The settings of figures in notebooks, as matplotlib-inline holds them."""

    figure_formats: ClassVar[set[str]] = {"png"}
    print_figure_kwargs: ClassVar[dict[str, str]] = {"bbox_inches": "tight"}
    started: ClassVar[bool] = True

    @classmethod
    def initialized(cls) -> bool:
        return cls.started

    @classmethod
    def instance(cls) -> type[Backend]:
        return cls


def test_figures_are_sharp_and_the_state_of_the_user_stays(
    frames: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(config, "InlineBackend", Backend)
    monkeypatch.setattr(display, "publish_display_data", lambda *shown: published.append(shown))
    formatter = DisplayFormatter()
    # Notebooks register how figures are shown.
    formatter.formatters["image/png"].for_type(Figure, pylabtools.print_figure)
    rc = dict(mpl.rcParams)
    figure = plotting.plot_car(frames.car()).figure
    assert formatter.format(figure) == ({}, {})
    ((data, told),) = published
    size = told["image/png"]
    assert width(data["image/png"]) == pytest.approx(2 * size["width"], abs=2)
    assert 500 < size["width"] < 700
    assert dict(mpl.rcParams) == rc
    for setting, value in (("figure_formats", {"svg"}), ("started", False)):
        with monkeypatch.context() as changed:
            changed.setattr(Backend, setting, value)
            shown = formatter.format(figure)[0]
            assert width(shown["image/png"]) == pytest.approx(size["width"], abs=2)
    assert len(published) == 1


def test_axes_of_the_user_keep_their_figure(frames: SimpleNamespace) -> None:
    figure, ax = plt.subplots()
    assert plotting.plot_car(frames.car(), ax).figure is figure
    assert type(figure) is mpl.figure.Figure
    assert np.isclose(figure.get_dpi(), mpl.rcParams["figure.dpi"])
