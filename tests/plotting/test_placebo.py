"""The placebo figure shows the values it is given, and ranks the study among them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_placebo


def legend(ax: object) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[attr-defined]


def test_bars_hold_the_share_of_placebos() -> None:
    values = np.random.default_rng(0).normal(0, 0.02, 200)
    ax = plot_placebo(pd.DataFrame({"value": values, "against": "dates"}), real=-0.03, title="Placebos")
    bars = [p for p in ax.patches if p.get_height() > 0]
    assert sum(p.get_height() for p in bars) == pytest.approx(100)
    for bar in bars:
        inside = (values >= bar.get_x() - 1e-12) & (values < bar.get_x() + bar.get_width() - 1e-12)
        assert bar.get_height() == pytest.approx(inside.mean() * 100, abs=0.51)
    study = next(line for line in ax.lines if line.get_label().startswith("This study"))
    assert set(study.get_xdata()) == {-0.03}
    below = int((values < -0.03).sum())
    assert legend(ax) == ["This study: −3.0%", f"200 placebo dates: {below + 1} of 201 from below"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == (
        "Mean CAR",
        "Placebo studies (%)",
        "Placebos",
    )


def test_few_placebos_are_drawn_one_by_one() -> None:
    frame = pd.DataFrame({"value": [0.5, -1.0, np.nan, 2.0], "against": "firms"})
    ax = plot_placebo(frame, real=-2.0, unit="Mean standardised CAR")
    assert not ax.patches
    points = next(line for line in ax.lines if line.get_marker() == "^")
    assert list(points.get_xdata()) == [0.5, -1.0, 2.0]
    assert legend(ax)[1] == "3 placebo firms: 1 of 4 from below"
    assert ax.get_xlabel() == "Mean standardised CAR"
    assert ax.get_ylabel() == ""


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(RequestError, match="all are missing"):
        plot_placebo(pd.DataFrame({"value": [np.nan], "against": "dates"}), real=0.0)
    with pytest.raises(RequestError, match="against"):
        plot_placebo(pd.DataFrame({"value": [0.0]}), real=0.0)
