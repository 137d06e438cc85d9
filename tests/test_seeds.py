"""One rule for randomness: the same call gives the same numbers, unless the seed is None."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import pytest

import eventstudy as es


def with_seed() -> Iterator[tuple[str, Callable[..., object]]]:
    """Public functions, and methods of public classes, that take a seed."""
    for room in (es, es.lab, es.inference, es.results, es.models):
        for name in dir(room):
            thing = getattr(room, name)
            if name.startswith("_") or not callable(thing):
                continue
            methods = [(name, thing)]
            if inspect.isclass(thing):
                methods = [
                    (f"{name}.{key}", getattr(thing, key))
                    for key in dir(thing)
                    if (key == "__init__" or not key.startswith("_")) and callable(getattr(thing, key, None))
                ]
            for full, function in methods:
                try:
                    named = inspect.signature(function).parameters
                except (TypeError, ValueError):
                    continue
                if "seed" in named:
                    yield full, function


FOUND = dict(with_seed())


def test_functions_are_found() -> None:
    assert {"EventStudyResults.test", "BuyAndHoldResults.test", "calibrate"} <= set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_the_seed_is_0_unless_given(name: str) -> None:
    default = inspect.signature(FOUND[name]).parameters["seed"].default
    # Records of a finished simulation hold the seed they were made with.
    assert default == 0 or (default is inspect.Parameter.empty and name.endswith("__init__"))
