"""Average abnormal returns of each day."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from eventstudy.plotting import plot_aar


def test_bars_and_intervals_are_those_of_the_frame(frames: SimpleNamespace) -> None:
    frame = frames.aar()
    ax = plot_aar(frame)
    (bars,) = ax.containers
    np.testing.assert_allclose([bar.get_height() for bar in bars], frame["aar"])
    np.testing.assert_allclose([bar.get_x() + bar.get_width() / 2 for bar in bars], frame["day"])
    (intervals,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    ends = np.array(intervals.get_segments())[:, :, 1]
    np.testing.assert_array_equal(ends, frame[["ci_low", "ci_high"]])


def test_groups_stand_beside_one_another(frames: SimpleNamespace) -> None:
    both = pd.concat([frames.aar().assign(kind="named"), frames.aar().assign(kind="peers", n_events=1)])
    ax = plot_aar(both, hue="kind", level=0.9)
    named, peers = ax.containers
    for left, right in zip(named, peers, strict=True):
        assert left.get_x() + left.get_width() == pytest.approx(right.get_x())
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["named, 7 events", "peers, 1 event"]
    assert legend.get_title().get_text() == "Lines: 90% intervals"
