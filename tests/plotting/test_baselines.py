"""Every figure looks as it did when somebody last looked at it: images in `baseline/`.

The images hold for one minor version of matplotlib, as fonts and anti-aliasing change between them. After
a change that is meant, make them anew with

    python -m pytest tests/plotting/test_baselines.py --mpl-generate-path=tests/plotting/baseline

look at each one that git shows as changed, and commit it. A new figure is drawn without a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import seaborn as sns
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


def of_many(figure: str, n: int, frames: SimpleNamespace, label: str = "firm {}") -> Axes:
    """Draw n events in a row each, all of whose numbers differ."""
    frame = frames.many_cars(n, label) if figure == "forest" else frames.many_returns(n, label)
    return getattr(plotting, f"plot_{figure}")(frame, title=f"{n} event{'s' * (n > 1)}")


def small(draw: Callable[..., Axes], frame: pd.DataFrame) -> Axes:
    """Draw on one of two small axes."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.6), layout="constrained")
    draw(frame, left, title="Small axes")
    return draw(frame.head(3), right)


def plain(figure: str, frames: SimpleNamespace, **options: Any) -> Axes:
    """Draw a figure as it is, or with other options."""
    known = frames.needed.get(figure, {}) | OPTIONS.get(figure, {}) | options
    return getattr(plotting, f"plot_{figure}")(getattr(frames, figure)(), **known)


def days(figure: str, frames: SimpleNamespace, query: str, **options: Any) -> Axes:
    """Draw some days of a figure."""
    return getattr(plotting, f"plot_{figure}")(getattr(frames, figure)().query(query), **options)


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
VARIANTS: dict[str, Callable[[SimpleNamespace], Axes]] = (
    {
        "car-of-several": lambda frames: plotting.plot_car(frames.cars(4)),
        "car-of-many": lambda frames: plotting.plot_car(frames.cars(30)),
        "car-of-one-day": lambda frames: plotting.plot_car(frames.car().query("day == 0"), title="Day 0"),
        "car-with-headline": lambda frames: plotting.plot_car(
            frames.car(), headline=(0, 1, -0.042), title=frames.LONG
        ),
        "car-of-two-studies": lambda frames: plotting.plot_car(
            frames.car(3), plotting.plot_car(frames.car(), label="Named", title="Two"), label="Not named"
        ),
        "caar-by-hue": lambda frames: plotting.plot_caar(frames.caar_groups().query("n_events < 8")),
        "aar-by-hue": lambda frames: plotting.plot_aar(
            pd.concat([frames.aar().assign(group=g) for g in "ab"]).query("-3 < day < 3"), title="Groups"
        ),
        "fit-of-several-factors": lambda frames: plotting.plot_fit(
            frames.fit().assign(fitted=lambda f: 0.8 * f["fitted"] + 0.1 * f["actual"])
        ),
        "forest-by-hue": lambda frames: plotting.plot_forest(frames.many_cars(6), hue="group", title="CAR"),
        "forest-in-small-axes": lambda frames: small(plotting.plot_forest, frames.many_cars(12)),
        "heatmap-with-gaps": lambda frames: plotting.plot_heatmap(frames.heatmap().mask(lambda f: f > 0.03)),
        "price-of-many": lambda frames: plotting.plot_price(
            frames.price(), events=frames.announcements(12).assign(label=frames.LONG), title=frames.LONG
        ),
        "reaction-at-the-end": lambda frames: plotting.plot_reaction(
            frames.reaction().query("day <= 0"), gap_on=1, title=frames.LONG
        ),
        "windows-long-names": lambda frames: plotting.plot_windows(
            frames.windows(7).assign(event=lambda f: frames.LONG + " " + f["event"].astype(str))
        ),
        "caar_groups-long-names": lambda frames: plotting.plot_caar_groups(
            frames.caar_groups().assign(group=lambda f: frames.LONG + " " + f["group"].astype(str))
        ),
        "caar-by-hue-long-names": lambda frames: plotting.plot_caar(
            frames.caar_groups().assign(group=lambda f: frames.LONG + " " + f["group"].astype(str))
        ),
        "caar-at-the-end": lambda frames: plotting.plot_caar(
            frames.caar().assign(
                **{
                    name: frames.caar()[name].where(frames.caar()["day"] < 2)
                    for name in ("caar", "ci_low", "ci_high")
                }
            ),
            title="Data end on day +1",
        ),
        "timeline-at-the-end": lambda frames: days("timeline", frames, "day <= 0", currency="CNY"),
        "caar-of-one-day": lambda frames: days("caar", frames, "day == 0", title="Day 0"),
        "aar-of-one-day": lambda frames: days("aar", frames, "day == 0", title="Day 0"),
        "caar_groups-of-one-day": lambda frames: days("caar_groups", frames, "day == 0", title="Day 0"),
        "heatmap-of-one-day": lambda frames: plotting.plot_heatmap(frames.heatmap()[[0]], title="Day 0"),
        "null-of-one-day": lambda frames: days("null", frames, "role == 'estimation' or day == 0"),
        "fit-of-one-day": lambda frames: days("fit", frames, "role == 'estimation' or day == 0"),
    }
    | {
        f"windows-of-{n}": lambda frames, n=n: plotting.plot_windows(frames.windows(n), title="Windows")
        for n in (1, 6, 40, 300)
    }
    | {
        f"{figure}-of-{n}": partial(of_many, figure, n)
        for figure in ("forest", "heatmap")
        for n in (1, 6, 40, 300)
    }
    | {
        f"{figure}-long-names": lambda frames, figure=figure: of_many(figure, 7, frames, frames.LONG)
        for figure in ("forest", "heatmap")
    }
)
FIGURES = [name.removeprefix("plot_") for name in plotting.__all__ if name.startswith("plot_")]
#: Every figure with a title of more than 80 characters.
VARIANTS |= {
    f"{figure}-long-title": lambda frames, figure=figure: plain(figure, frames, title=frames.LONG)
    for figure in FIGURES
}
#: Every figure in other contexts.
CONTEXTS = {
    f"{name}-{context}": (name, style)
    for context, style in {"talk": sns.plotting_context("talk"), "dark": "dark_background"}.items()
    for name in (*FIGURES, "car-with-headline")
}
DRAWINGS = sorted([*FIGURES, *VARIANTS, *CONTEXTS])
#: Endings of drawings that differ little from others, and those of them that are compared all the same.
LIKE_OTHERS = (
    "-talk", "-dark", "-long-title", "-long-names", "-of-1", "-of-6", "-of-40", "-of-300", "-of-one-day",
    "-by-hue", "-of-several", "-of-two-studies", "-of-many", "-at-the-end", "-with-headline", "-with-gaps",
    "-in-small-axes",
)  # fmt: skip
QUICK = {"forest-dark", "caar-by-hue", "windows-long-names", "reaction-at-the-end", "forest-in-small-axes"}


def drawing(name: str, frames: SimpleNamespace) -> Axes:
    if name in CONTEXTS:
        name, style = CONTEXTS[name]
        with plt.style.context(style):
            ax = drawing(name, frames)
            ax.figure.canvas.draw()
            return ax
    if name in VARIANTS:
        return VARIANTS[name](frames)
    return plain(name, frames)


@drawn_by_another
@pytest.mark.mpl_image_compare(
    baseline_dir="baseline", style="default", tolerance=TOLERANCE, savefig_kwargs=LOOK
)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow)
        if name.endswith(LIKE_OTHERS) and name not in QUICK
        else name
        for name in DRAWINGS
    ],
)
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
