"""The histogram of ordinary days and the rank of an event day in it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_null

MINUS = "\N{MINUS SIGN}"


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_bars_count_every_estimation_day(frames: SimpleNamespace) -> None:
    ax = plot_null(frames.null())
    assert sum(bar.get_height() for bar in ax.patches) == 101
    assert len(ax.collections[0].get_segments()) == 101
    assert legend_of(ax)[0] == "101 estimation days"


def test_event_days_are_lines_with_their_rank(frames: SimpleNamespace) -> None:
    ax = plot_null(frames.null())
    assert [line.get_xdata()[0] for line in ax.lines] == [-0.1, 0.0485]
    # Two of the 101 days, +4.9% and +5.0%, are above day 1.
    assert legend_of(ax)[1:] == [
        f"Day 0: {MINUS}10.0%, lowest of 102",
        "Day 1: +4.9%, 3rd highest of 102",
    ]
    assert len({line.get_linestyle() for line in ax.lines}) == 2


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(
    ("value", "rank"),
    [
        (-0.1, "lowest of 26"),
        (0.5, "2nd lowest of 26"),
        (1.5, "3rd lowest of 26"),
        (2.5, "4th lowest of 26"),
        (9.5, "11th lowest of 26"),
        (10.5, "12th lowest of 26"),
        (14.5, "11th highest of 26"),
        (23.5, "2nd highest of 26"),
        (99.0, "highest of 26"),
        # A tie counts against the event day, as in p = (1 + #{e <= AR}) / (n + 1).
        (0.0, "2nd lowest of 26"),
    ],
)
def test_rank(value: float, rank: str) -> None:
    past = pd.DataFrame({"value": np.arange(25.0), "role": "estimation", "day": np.arange(-45, -20)})
    event = pd.DataFrame({"value": [value], "role": "event", "day": [0]})
    label = legend_of(plot_null(pd.concat([past, event])))[1]
    assert label.split(", ")[1] == rank


def test_missing_values_do_not_count(frames: SimpleNamespace) -> None:
    frame = frames.null()
    frame.loc[0, "value"] = np.nan
    frame.loc[frame["day"] == 1, "value"] = np.nan
    assert legend_of(plot_null(frame)) == ["100 estimation days", f"Day 0: {MINUS}10.0%, lowest of 101"]


def test_of_many_event_days_day_0_is_named(frames: SimpleNamespace) -> None:
    frame = frames.null()
    event = pd.DataFrame({"value": np.linspace(-0.06, 0.02, 9), "role": "event", "day": np.arange(-4, 5)})
    ax = plot_null(pd.concat([frame[frame["role"] == "estimation"], event]))
    assert legend_of(ax) == [
        "101 estimation days",
        "8 other event days",
        f"Day 0: {MINUS}2.0%, 32nd lowest of 102",
    ]
    assert len(ax.lines) == 9


def test_without_estimation_values(frames: SimpleNamespace) -> None:
    frame = frames.null()
    with pytest.raises(RequestError, match="role 'estimation'"):
        plot_null(frame[frame["role"] == "event"])
