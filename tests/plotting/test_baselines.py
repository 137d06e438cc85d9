"""Every figure looks as it did when somebody last looked at it: images in `baseline/`.

The images hold for one minor version of matplotlib, as fonts and anti-aliasing change between them. After
a change that is meant, make them anew with

    python -m pytest tests/plotting/test_baselines.py --mpl-generate-path=tests/plotting/baseline

look at each one that git shows as changed, and commit it. A new figure is drawn without a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from eventstudy import plotting

BASELINE = Path(__file__).with_name("baseline")
#: Version of matplotlib that drew the images.
DRAWN_BY = (3, 11)
#: Root mean square of the differences of pixels, of 0 to 255, that is no difference.
TOLERANCE = 2.0
LOOK = {"dpi": 50, "metadata": {"Software": None}}

drawn_by_another = pytest.mark.skipif(
    mpl.__version_info__[:2] != DRAWN_BY,
    reason=f"baseline images were drawn by matplotlib {DRAWN_BY[0]}.{DRAWN_BY[1]}, this is {mpl.__version__}",
)


#: Options of the drawings; figures without any here are drawn as they are.
OPTIONS: dict[str, dict[str, Any]] = {
    "car": {"title": "Hikvision"},
    "caar_groups": {"title": "Groups"},
    "reaction": {"currency": "CNY"},
    "decomposition": {"currency": "CNY"},
    "forest": {"title": "CAR (0, +1)"},
    "models": {"title": "CAR (0, +1)"},
    "timeline": {"currency": "CNY"},
    "gap": {"title": "Gap"},
    "balance": {"title": "Balance"},
}
#: Further drawings of a figure.
VARIANTS: dict[str, Callable[[SimpleNamespace], Axes]] = {
    "car-of-several": lambda frames: plotting.plot_car(frames.cars(4)),
    "car-of-many": lambda frames: plotting.plot_car(frames.cars(30)),
    "heatmap-with-gaps": lambda frames: plotting.plot_heatmap(frames.heatmap().mask(lambda f: f > 0.03)),
}
FIGURES = [name.removeprefix("plot_") for name in plotting.__all__ if name.startswith("plot_")]
DRAWINGS = sorted([*FIGURES, *VARIANTS])


def drawing(name: str, frames: SimpleNamespace) -> Axes:
    if name in VARIANTS:
        return VARIANTS[name](frames)
    options = frames.needed.get(name, {}) | OPTIONS.get(name, {})
    return getattr(plotting, f"plot_{name}")(getattr(frames, name)(), **options)


@drawn_by_another
@pytest.mark.mpl_image_compare(
    baseline_dir="baseline", style="default", tolerance=TOLERANCE, savefig_kwargs=LOOK
)
@pytest.mark.parametrize("name", DRAWINGS)
def test_baseline(name: str, frames: SimpleNamespace) -> Figure:
    return drawing(name, frames).figure


def test_every_figure_has_an_image_and_every_image_a_figure() -> None:
    assert {path.stem for path in BASELINE.glob("*.png")} == {f"test_baseline_{name}" for name in DRAWINGS}


@drawn_by_another
def test_another_number_is_another_image(frames: SimpleNamespace, tmp_path: Path) -> None:
    """A path moved by a fifth of a percentage point on one day is seen."""
    frame = frames.car()
    frame.loc[5, "car"] += 0.002
    drawn = tmp_path / "car.png"
    with mpl.style.context("default", after_reset=True):
        plotting.plot_car(frame, title="Hikvision").figure.savefig(drawn, **LOOK)
    found = compare_images(str(BASELINE / "test_baseline_car.png"), str(drawn), TOLERANCE, in_decorator=True)
    assert found is not None
    assert found["rms"] > TOLERANCE
