"""Garbage is not looked for among what is collected, and doctests leave no figure open."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Exempt what is collected from garbage collection: it stays, and searching it slows every test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _doctest_figures_are_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the figures of a doctest, so their number does not depend on which ran before."""
    yield
    if isinstance(request.node, pytest.DoctestItem) and "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
