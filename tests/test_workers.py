"""Parts computed on threads come in order, a few ahead of the one that is taken; an error ends them."""

from __future__ import annotations

import threading

import joblib
import pytest

from eventstudy.workers import on_threads


def test_one_worker_computes_here_when_it_is_asked() -> None:
    names = list(on_threads(lambda _: threading.current_thread(), range(3)))
    assert names == [threading.current_thread()] * 3


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_parts_come_in_order_from_several_threads(backend: str) -> None:
    both = threading.Barrier(2)  # passed where two threads compute at once

    def compute(part: int) -> int:
        both.wait(timeout=60)
        return part**2

    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert list(on_threads(compute, range(6))) == [0, 1, 4, 9, 16, 25]


def test_few_parts_are_computed_ahead() -> None:
    begun: list[int] = []
    taken = iter(on_threads(begun.append, range(100), 2))
    next(taken)
    assert len(begun) <= 5
    assert sum(1 for _ in taken) == 99
    assert sorted(begun) == list(range(100))


def test_the_first_error_ends_it() -> None:
    begun: list[int] = []

    def compute(part: int) -> None:
        begun.append(part)
        raise ValueError(part)

    with pytest.raises(ValueError, match="0"):
        list(on_threads(compute, range(100), 2))
    assert len(begun) <= 5
