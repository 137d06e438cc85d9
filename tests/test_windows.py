"""Windows: which sessions they hold, and what cannot be one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy import Window
from eventstudy.errors import EventStudyError, WindowError

pairs = st.tuples(st.integers(-300, 300), st.integers(0, 300)).map(lambda p: (p[0], p[0] + p[1]))


def test_a_window_holds_both_ends():
    window = Window(-2, 3)
    assert len(window) == 6
    assert window.offsets.tolist() == [-2, -1, 0, 1, 2, 3]
    assert -2 in window
    assert 3 in window
    assert 4 not in window
    assert 0.5 not in window
    assert Window(-1, 3) in window
    assert Window(-3, 0) not in window


@pytest.mark.parametrize(
    ("window", "text"),
    [((-1, 1), "(-1, +1)"), ((0, 0), "(0, 0)"), ((0, 10), "(0, +10)"), ((-10, 0), "(-10, 0)")],
)
def test_text(window, text):
    assert str(Window(*window)) == text


@pytest.mark.parametrize(
    ("given", "end", "wanted"),
    [
        (Window(0, 1), None, Window(0, 1)),
        ((0, 1), None, Window(0, 1)),
        ([-1, 1], None, Window(-1, 1)),
        (np.array([-1, 1]), None, Window(-1, 1)),
        (3, None, Window(3, 3)),
        (np.int64(3), np.int64(5), Window(3, 5)),
        (0, 2, Window(0, 2)),
    ],
)
def test_of_takes_what_people_write(given, end, wanted):
    window = Window.of(given, end)
    assert window == wanted
    assert type(window.start) is int
    assert type(window.end) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Window(1, 0), r"ends before it starts; did you mean \(0, 1\)"),
        (lambda: Window(0.5, 1), "start must be a whole number of sessions.*0.5"),
        (lambda: Window(0, True), "end must be a whole number.*True"),
        (lambda: Window.of("ab"), "whole number"),
        (lambda: Window.of((1, 2, 3)), r"pair \(start, end\)"),
        (lambda: Window.of(1.5), r"pair \(start, end\)"),
        (lambda: Window.of((0, 1), 5), "not both"),
        (lambda: Window.of(Window(0, 1), 5), "not both"),
        (lambda: Window.of(0, 1.5), "end must be a whole number"),
    ],
)
def test_no_window(make, message):
    with pytest.raises(WindowError, match=message) as caught:
        make()
    assert isinstance(caught.value, EventStudyError)
    assert isinstance(caught.value, ValueError)


def test_windows_are_values():
    assert Window(0, 1) == Window(0, 1)
    assert hash(Window(0, 1)) == hash(Window(np.int64(0), 1))
    with pytest.raises(AttributeError):
        Window(0, 1).start = 5


@settings(derandomize=True, deadline=None)
@given(pairs, pairs)
def test_overlap_is_a_common_session(a, b):
    first, second = Window(*a), Window(*b)
    common = set(first.offsets.tolist()) & set(second.offsets.tolist())
    assert first.overlaps(second) == second.overlaps(first) == bool(common)
    assert (second in first) == (set(second.offsets.tolist()) <= set(first.offsets.tolist()))
    assert len(first) == len(first.offsets)
