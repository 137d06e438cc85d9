"""Every figure looks as it did when somebody last looked at it: images in `baseline/`.

The images hold for one minor version of matplotlib, as fonts and anti-aliasing change between them. After
a change that is meant, make them anew with

    python -m pytest tests/plotting/test_baselines.py --mpl-generate-path=tests/plotting/baseline

look at each one that git shows as changed, and commit it. A new figure needs a line in `DRAWINGS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
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


def specification() -> pd.DataFrame:
    models = np.repeat(["mean", "market", "factors"], 4)
    estimate = np.linspace(-0.07, 0.03, 12)[np.random.default_rng(3).permutation(12)]
    return pd.DataFrame(
        {
            "model": models,
            "window": ["(0, 0)", "(0, +1)"] * 6,
            "estimate": estimate,
            "ci_low": estimate - 0.03,
            "ci_high": estimate + 0.03,
            "significant": np.abs(estimate) > 0.03,
        }
    )


def placebos() -> pd.DataFrame:
    values = np.random.default_rng(4).normal(0, 0.02, 200)
    return pd.DataFrame({"value": values, "against": ["dates"] * 190 + ["firms"] * 10})


#: How each figure is drawn; frames that are needed here alone are made above.
DRAWINGS: dict[str, Callable[[SimpleNamespace], Axes]] = {
    "car": lambda frames: plotting.plot_car(frames.car(), title="Hikvision"),
    "car-of-several": lambda frames: plotting.plot_car(frames.cars(4)),
    "car-of-many": lambda frames: plotting.plot_car(frames.cars(30)),
    "caar": lambda frames: plotting.plot_caar(frames.caar()),
    "caar_groups": lambda frames: plotting.plot_caar_groups(frames.caar_groups(), title="Groups"),
    "reaction": lambda frames: plotting.plot_reaction(frames.reaction(), currency="CNY"),
    "decomposition": lambda frames: plotting.plot_decomposition(frames.decomposition(), currency="CNY"),
    "fit": lambda frames: plotting.plot_fit(frames.fit()),
    "null": lambda frames: plotting.plot_null(frames.null()),
    "heatmap": lambda frames: plotting.plot_heatmap(frames.heatmap()),
    "heatmap-with-gaps": lambda frames: plotting.plot_heatmap(frames.heatmap().mask(lambda f: f > 0.03)),
    "forest": lambda frames: plotting.plot_forest(frames.forest(), title="CAR (0, +1)"),
    "models": lambda frames: plotting.plot_models(frames.models(), title="CAR (0, +1)"),
    "clustering": lambda frames: plotting.plot_clustering(frames.clustering()),
    "residuals": lambda frames: plotting.plot_residuals(frames.residuals()),
    "qq": lambda frames: plotting.plot_qq(frames.qq()),
    "autocorrelation": lambda frames: plotting.plot_autocorrelation(frames.autocorrelation()),
    "tests": lambda frames: plotting.plot_tests(frames.tests()),
    "timeline": lambda frames: plotting.plot_timeline(frames.timeline(), currency="CNY"),
    "size": lambda frames: plotting.plot_size(frames.size()),
    "power": lambda frames: plotting.plot_power(frames.power()),
    "counterfactual": lambda frames: plotting.plot_counterfactual(frames.counterfactual()),
    "gap": lambda frames: plotting.plot_gap(frames.gap(), title="Gap"),
    "placebo_paths": lambda frames: plotting.plot_placebo_paths(frames.placebo_paths()),
    "donor_weights": lambda frames: plotting.plot_donor_weights(frames.donor_weights()),
    "balance": lambda frames: plotting.plot_balance(frames.balance(), title="Balance"),
    "placebo": lambda frames: plotting.plot_placebo(placebos(), -0.05),
    "specification": lambda frames: plotting.plot_specification(specification(), ["model", "window"]),
}


@drawn_by_another
@pytest.mark.mpl_image_compare(
    baseline_dir="baseline", style="default", tolerance=TOLERANCE, savefig_kwargs=LOOK
)
@pytest.mark.parametrize("name", DRAWINGS)
def test_baseline(name: str, frames: SimpleNamespace) -> Figure:
    return DRAWINGS[name](frames).figure


def test_every_figure_has_an_image_and_every_image_a_figure() -> None:
    figures = {name.removeprefix("plot_") for name in plotting.__all__ if name.startswith("plot_")}
    assert {name.partition("-")[0] for name in DRAWINGS} == figures
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
