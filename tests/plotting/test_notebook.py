"""Figures in notebooks have twice the pixels, unless the user has chosen a format."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import ClassVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from eventstudy import plotting

formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")
pytest.importorskip("IPython.core.pylabtools")
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
    monkeypatch.setattr(config, "InlineBackend", Backend)
    rc = dict(mpl.rcParams)
    show = DisplayFormatter().format
    figure = plotting.plot_car(frames.car()).figure
    data, told = show(figure)
    size = told["image/png"]
    assert width(data["image/png"]) == pytest.approx(2 * size["width"], abs=2)
    assert 500 < size["width"] < 700
    assert dict(mpl.rcParams) == rc
    for setting, value in (("figure_formats", {"svg"}), ("started", False)):
        with monkeypatch.context() as changed:
            changed.setattr(Backend, setting, value)
            assert "image/png" not in show(figure)[0]


def test_axes_of_the_user_keep_their_figure(frames: SimpleNamespace) -> None:
    figure, ax = plt.subplots()
    assert plotting.plot_car(frames.car(), ax).figure is figure
    assert type(figure) is mpl.figure.Figure
    assert np.isclose(figure.get_dpi(), mpl.rcParams["figure.dpi"])
