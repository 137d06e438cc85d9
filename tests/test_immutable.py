"""Nothing a user can reach can be changed: each public object is built, walked through and written to."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from public_objects import MODELS, build, ours, public, zero_argument

import eventstudy as es
from eventstudy import inference, lab, models

HOLDERS = (pd.DataFrame, pd.Series, pd.Index, Mapping, tuple, list, set)
#: Instances of one class that are looked into.
MOST = 2


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One of everything that is public."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        return dict(build(tmp_path_factory.mktemp("immutable")))


class Walk:
    """Walk through objects; `faults` are the places that could be written to."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.seen: dict[int, object] = {}
        self.count: dict[type, int] = {}

    def visit(self, value: Any, path: str) -> None:
        if isinstance(value, np.ndarray):
            if value.flags.writeable:
                self.faults.append(f"{path}: writable array")
        elif isinstance(value, Mapping) and not ours(value):
            for key, each in value.items():
                self.visit(each, f"{path}[{key!r}]")
        elif isinstance(value, tuple | list):
            self.count.setdefault(type(value), 1)
            for i, each in enumerate(value):
                self.visit(each, f"{path}[{i}]")
        elif isinstance(value, pd.DataFrame):  # a copy, as `attribute` sees
            self.count.setdefault(type(value), 1)
        elif ours(value) and id(value) not in self.seen and self.count.get(type(value), 0) < MOST:
            self.seen[id(value)] = value
            self.count[type(value)] = self.count.get(type(value), 0) + 1
            self.look_into(value, path)

    def look_into(self, value: Any, path: str) -> None:
        for name in [*public(value), "no_such_attribute"]:
            self.refuses(value, name, path)
        if isinstance(value, Mapping):
            for key, each in value.items():
                self.visit(each, f"{path}[{key!r}]")
            return
        for name in public(value):
            if name.startswith("plot"):
                self.refuses_plotter(value, name, path)
                continue
            self.attribute(value, name, f"{path}.{name}")

    def refuses(self, value: Any, name: str, path: str) -> None:
        for change in (lambda: setattr(value, name, "x"), lambda: delattr(value, name)):
            try:
                change()
            except AttributeError:
                continue
            self.faults.append(f"{path}.{name}: can be set or deleted")

    def refuses_plotter(self, value: Any, name: str, path: str) -> None:
        found = getattr(value, name)
        if ours(found):
            self.count.setdefault(type(found), 1)
            self.refuses(found, "anything", f"{path}.{name}")

    def attribute(self, value: Any, name: str, path: str) -> None:
        def read() -> Any:
            found = getattr(value, name)
            if inspect.ismethod(found) or inspect.isfunction(found):
                arguments = zero_argument(found)
                if arguments is None or isinstance(vars(type(value)).get(name), classmethod | staticmethod):
                    raise LookupError
                return found(**arguments)
            return found

        try:
            first = read()
        except (LookupError, es.errors.EventStudyError, NotImplementedError):
            return
        if callable(first) or isinstance(first, ModuleType):
            return
        method = callable(getattr(value, name))
        holder = isinstance(first, pd.DataFrame | pd.Series | pd.Index | Mapping | tuple | list | set)
        if holder and (isinstance(first, pd.DataFrame) or not ours(first)):
            before = copy.deepcopy(first)
            spoil(first)
            first = read()
            if not same(before, first):
                self.faults.append(f"{path}: changed by writing to what it returned before")
        if not (method and isinstance(first, np.ndarray)):  # a method makes an array afresh
            self.visit(first, path)


def spoil(value: Any) -> None:
    """Write wherever it can be written to."""
    if isinstance(value, pd.DataFrame):
        if value.size:
            value.isetitem(0, [None] * len(value))
        value.insert(0, ("spoilt",) * value.columns.nlevels if value.columns.nlevels > 1 else "spoilt", 1)
        value.index.names = ["spoilt"] * value.index.nlevels
    elif isinstance(value, pd.Series):
        value[:] = value.iloc[::-1].to_numpy()
        value.loc["spoilt"] = None
        value.name = "spoilt"
    elif isinstance(value, pd.Index):
        value.names = ["spoilt"] * value.nlevels
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value["spoilt"] = 1
    elif isinstance(value, list):
        value.append("spoilt")
    elif isinstance(value, tuple):
        for each in value:
            spoil(each)
    elif isinstance(value, set):
        value.add("spoilt")


def same(a: Any, b: Any) -> bool:
    """Whether two values are alike; objects of the library are looked into one by one."""
    if isinstance(a, pd.DataFrame) and isinstance(b, pd.DataFrame):  # a copy prints as pandas prints it
        return a.equals(b) and a.index.equals(b.index) and a.index.names == b.index.names
    if type(a) is not type(b):
        return False
    if isinstance(a, pd.Series):
        return a.equals(b) and a.index.equals(b.index) and a.index.names == b.index.names
    if isinstance(a, pd.Index):
        return a.equals(b) and a.names == b.names
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return ours(a) or a == b or (a != a and b != b) or not np.isscalar(a)


@pytest.fixture(scope="module")
def walked(objects: dict[str, Any]) -> Walk:
    walk = Walk()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        for name, value in objects.items():
            walk.visit(value, name)
    return walk


@pytest.mark.slow
def test_no_public_object_can_be_written_to(walked: Walk) -> None:
    assert not walked.faults, "\n" + "\n".join(walked.faults)


@pytest.mark.slow
def test_every_public_class_was_walked_through(walked: Walk) -> None:
    rooms = (es, lab, models, inference, es.results, es.tables, es.datasets, es.sources)
    classes = {
        getattr(room, name)
        for room in rooms
        for name in room.__all__
        if isinstance(getattr(room, name), type)
    }
    abstract = {each for each in classes if inspect.isabstract(each) or getattr(each, "_is_protocol", False)}
    assert len(classes) > 50
    assert {each.__name__ for each in classes - abstract - set(walked.count)} == set()


def test_what_is_pickled_stays_read_only(objects: dict[str, Any]) -> None:
    walk = Walk()
    for name in ("market", "events", "reference portfolios", "MatchedPortfolio", "bars"):
        walk.visit(pickle.loads(pickle.dumps(objects[name])), name)
    assert not walk.faults, "\n" + "\n".join(walk.faults)


def test_models_with_mappings_are_hashable_and_equal() -> None:
    first, second = MODELS["MatchedPortfolio"](), MODELS["MatchedPortfolio"]()
    assert first == second
    assert hash(first) == hash(second)
    with pytest.raises(TypeError):
        first.weights["C"] = 5.0


def test_a_frame_given_can_change_afterwards() -> None:
    days = pd.bdate_range("2021-01-04", periods=3)
    groups = pd.DataFrame("g", days, ["A", "B"])
    portfolios = es.ReferencePortfolios(groups)
    groups.iloc[0, 0] = "other"
    assert portfolios.groups.iloc[0, 0] == "g"


def test_an_array_given_to_a_record_stays_writable() -> None:
    given = np.zeros((1, 2))
    required = [field.name for field in fields(models.ModelFit) if field.default is MISSING]
    fit = models.ModelFit(**dict.fromkeys(required, given))
    assert not fit.params.flags.writeable
    given[0, 0] = 1.0


def test_writing_is_refused_with_a_reason(objects: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match="EventStudy is immutable, so 'window' cannot be changed"):
        objects["study"].window = (-1, 1)
    with pytest.raises(AttributeError, match="Market is immutable, so 'benchmark'"):
        objects["market"].benchmark = "x"
    with pytest.raises(AttributeError, match="BuyAndHold is immutable, so 'horizon'"):
        objects["buy and hold"].horizon = 5
    with pytest.raises(AttributeError, match="BuyAndHold is immutable, so 'horizon'"):
        del objects["buy and hold"].horizon
    with pytest.raises(ValueError, match="read-only"):
        objects["market"].arrays.returns[0, 0] = 9.0
