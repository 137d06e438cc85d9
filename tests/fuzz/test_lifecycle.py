"""Every public object pickles, copies and is sent to another process, before and after its methods ran."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from public_objects import ours, public, zero_argument

from eventstudy.errors import EventStudyError, EventStudyWarning

#: Arguments of methods that need some.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "test": {"n_resamples": 19, "seed": 1},
    "report": {},
    "cross_section": {"formula": "car ~ size"},
    "group_tests": {"by": "group", "n_resamples": 19, "seed": 1},
    "firm_tests": {"n_resamples": 19, "seed": 1},
    "window_tests": {"windows": [(0, 1), (0, 0)], "n_resamples": 19, "seed": 1},
    "intervals": {"n_resamples": 19, "seed": 1},
    "value_change": {"market_cap": 1e9},
    "prices": {"field": "close"},
    "about": {"words": "Huawei"},
}
#: Made of generators, or of a process.
WITHOUT = {"audit"}


def exercise(value: Any, folder: Any) -> list[str]:
    """Read every property, call every method that can be called; returns those that were."""
    done = []
    for name in public(value):
        if isinstance(value, tuple) and hasattr(tuple, name):
            continue
        try:
            found = getattr(value, name)
            if not (inspect.ismethod(found) or inspect.isfunction(found)):
                done.append(name)
                if name == "plot":
                    done += exercise(found, folder)
                continue
            arguments = ARGUMENTS.get(name, zero_argument(found))
            if name == "report":
                arguments = {"path": folder / "report.html"}
            if arguments is None or isinstance(
                inspect.getattr_static(value, name), classmethod | staticmethod
            ):
                continue
            found(**arguments)
            done.append(name)
        except (EventStudyError, NotImplementedError, TypeError):
            continue
    repr(value)
    return done


def state(value: Any) -> object:
    """What an object shows of itself, for comparison with its copies."""
    if isinstance(value, dict):
        return sorted(value)
    for name in ("frame", "timeline", "returns", "p_values", "events"):
        shown = getattr(value, name, None)
        if isinstance(shown, pd.DataFrame):
            return shown.to_csv()
        if isinstance(shown, np.ndarray):
            return shown.tobytes()
    return repr(value)


def survivors(value: Any) -> Iterator[tuple[str, Any]]:
    for protocol in (4, pickle.HIGHEST_PROTOCOL):
        yield f"pickle {protocol}", pickle.loads(pickle.dumps(value, protocol))
    yield "copy", copy.copy(value)
    yield "deepcopy", copy.deepcopy(value)


def faults_of(objects: dict[str, Any]) -> list[str]:
    faults = []
    for name, value in objects.items():
        if not ours(value):
            continue
        try:
            for how, again in survivors(value):
                if state(again) != state(value):
                    faults.append(f"{name}: differs after {how}")
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {error}"[:200])
    return faults


def test_objects_survive(objects: dict[str, Any]) -> None:
    assert not (found := faults_of(objects)), "\n".join(found)


@pytest.mark.slow
def test_objects_survive_after_all_of_their_methods(
    objects: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("reports")
    done = {}
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        for name, value in objects.items():
            done[name] = exercise(value, folder)
            plt.close("all")
    assert {"test", "report", "tests", "intervals", "clustering"} <= set(done["results"])
    assert not (found := faults_of(objects)), "\n".join(found)
    shown = {name: state(value) for name, value in objects.items() if ours(value)}
    # Another process that shares nothing with this one.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name, value in objects.items():
            if ours(value):
                assert state(pool.submit(_returned, value).result(timeout=300)) == shown[name], name


def _returned(value: Any) -> Any:
    return value
