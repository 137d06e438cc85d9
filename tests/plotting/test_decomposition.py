"""The moments of the event day."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_decomposition

MINUS = "\N{MINUS SIGN}"


def test_bars_and_lines_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.decomposition().set_index("moment")
    ax = plot_decomposition(frame.reset_index())
    moments = ["open", "low", "high", "close"]
    assert [bar.get_height() for bar in ax.patches] == frame.loc[moments, "change"].tolist()
    assert [label.get_text().split("\n")[0] for label in ax.get_xticklabels()] == moments
    lines = {line.get_label(): line.get_ydata()[0] for line in ax.lines}
    for name in ("previous close", "limit down", "limit up"):
        assert lines[name] == frame.loc[name, "change"]


def test_prices_and_percentages_are_read_at_a_glance(frames: SimpleNamespace) -> None:
    ax = plot_decomposition(frames.decomposition(), currency="CNY")
    assert [text.get_text().split("\n") for text in ax.texts] == [
        ["24.95", f"{MINUS}9.6%"],
        ["= limit down", "24.84", f"{MINUS}10.0%"],
        ["26.99", f"{MINUS}2.2%"],
        ["26.07", f"{MINUS}5.5%"],
        ["previous close", "27.60 CNY"],
        ["limit down", "24.84 CNY", f"{MINUS}10.0%"],
        ["limit up", "30.36 CNY", "+10.0%"],
    ]
    assert "overnight gap" in ax.get_xticklabels()[0].get_text()
    assert ax.get_ylabel() == "Change from the reference price"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_labels_cover_neither_one_another_nor_bars_nor_limits(sign: float, frames: SimpleNamespace) -> None:
    frame = frames.decomposition()
    frame["change"] *= sign
    ax = plot_decomposition(frame)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    limits = [line.get_ydata()[0] for line in ax.lines if str(line.get_label()).startswith("limit")]
    heights = [ax.transData.transform((0, limit))[1] for limit in limits]
    assert len(heights) == 2
    for box in boxes[:4]:
        assert not any(box.overlaps(bar.get_window_extent().padded(-1)) for bar in ax.patches)
        assert not any(box.y0 < height < box.y1 for height in heights)
        assert ax.bbox.contains(box.x0, box.y0)
        assert ax.bbox.contains(box.x1, box.y1)


def test_a_moment_at_the_limit_up_says_so_below() -> None:
    frame = pd.DataFrame({"moment": ["close", "limit up"], "price": [11.0, 11.0], "change": [0.1, 0.1]})
    assert plot_decomposition(frame).texts[0].get_text().split("\n") == ["11.00", "+10.0%", "= limit up"]


def test_a_moment_without_price_says_so(frames: SimpleNamespace) -> None:
    frame = frames.decomposition()
    frame.loc[frame["moment"] == "high", ["price", "change"]] = np.nan
    assert plot_decomposition(frame).texts[2].get_text() == "no trade"


def test_limits_alone_are_nothing_to_draw(frames: SimpleNamespace) -> None:
    frame = frames.decomposition()
    with pytest.raises(RequestError, match="'open', 'low' or 'close'"):
        plot_decomposition(frame[frame["moment"].str.startswith("limit")])
