"""The p-values of all tests in one figure."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from matplotlib.axes import Axes

from eventstudy.plotting import plot_tests


def drawn(ax: Axes) -> dict[str, tuple[float, str]]:
    """Place and marker of each test that has one."""
    names = [label.get_text() for label in ax.get_yticklabels()]
    return {
        names[int(row)]: (float(p), str(line.get_marker()))
        for line in ax.lines
        if line.get_linestyle() == "None"
        for p, row in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }


def test_marks(frames: SimpleNamespace) -> None:
    ax = plot_tests(frames.tests())
    assert drawn(ax) == {
        "cross_sectional": (0.04, "o"),
        "bmp": (0.2, "o"),
        "grank_t": (0.012, "D"),
        "patell": (1e-4, "<"),
    }
    assert ax.get_xscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "Recommended for this design",
        "Applies",
    ]


def test_tests_that_do_not_apply_share_the_last_row(frames: SimpleNamespace) -> None:
    frame = frames.tests()
    for lost, row, words in (([], "1 other", "does not apply"), (["bmp"], "2 others", "do not apply")):
        frame.loc[frame["test"].isin(lost), "applicable"] = False
        ax = plot_tests(frame)
        names = [label.get_text() for label in ax.get_yticklabels()]
        wanted = ["cross_sectional", "bmp", "grank_t", "patell"]
        assert names == [*(name for name in wanted if name not in lost), row]
        (told,) = ax.texts
        assert told.get_text() == words
        assert told.xy[1] == len(names) - 1


def test_lines_stand_at_the_usual_levels(frames: SimpleNamespace) -> None:
    ax = plot_tests(frames.tests())
    levels = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(levels, [0.01, 0.05, 0.1])


def test_without_recommendation(frames: SimpleNamespace) -> None:
    ax = plot_tests(frames.tests().drop(columns="recommended"))
    assert {mark for _, mark in drawn(ax).values()} == {"o", "<"}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["p-value"]


def test_no_test_applies(frames: SimpleNamespace) -> None:
    ax = plot_tests(frames.tests().assign(applicable=False), title="Announcement")
    assert drawn(ax) == {}
    assert ax.get_legend() is None
    assert ax.get_title() == "Announcement"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["5 others"]
