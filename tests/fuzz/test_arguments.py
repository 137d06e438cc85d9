"""Every number and choice a user can pass: what makes no sense is refused by an error of the library."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from public_objects import prices, public

import eventstudy as es
from eventstudy import inference, lab, models
from eventstudy.errors import EventStudyError, EventStudyWarning

#: Values for arguments that a method cannot do without.
NEEDED: dict[str, Any] = {
    "start": 0,
    "end": 1,
    "window": es.Window(0, 1),
    "formula": "car ~ size",
    "event_id": 0,
    "by": "group",
    "seed": 1,
    "rows": [0],
    "effects": [0.0, 0.02],
    "n_events": 4,
    "n_samples": 3,
    "n_days": 300,
    "n_securities": 4,
    "n_sessions": 3,
    "n": 3,
    "sd": 0.02,
    "model": models.MarketModel(),
}
JUNK_NUMBERS = (-1, 0, 2.5, float("nan"), float("inf"), float("-inf"), "0.95", True, None, [1], -1e300)
#: What costs too long where it is accepted, as it is where it makes sense.
SLOW = {"report", "to_excel", "grid"}


NAN = float("nan")
#: By what the annotation of a parameter says.
JUNK: dict[str, tuple[str, tuple[Any, ...]]] = {
    "path": (r"PathLike", (1.5, [], NAN, True, {})),
    "flag": (r"^bool( \| None)?$", ("yes", 2, [True], NAN)),
    "numbers": (r"(Sequence|Iterable)\[float\]", (0.01, "0.01", [], [NAN], ["x"], {"a": 1}, [[1.0]], True)),
    "windows": (
        r"(Sequence|Iterable)\[(Window|WindowLike|Window \| Sequence\[int\])\]",
        (3, [3], "x", [("a", "b")], [(1,)], [(2, 1)], [(0.5, 1)], [None], NAN),
    ),
    "window": (r"Window \| Sequence\[int\]", (3, "x", ("a", "b"), (1,), (2, 1), (0.5, 1), NAN, True)),
    "events": (r"\bEvents\b", (3, "x", [], [1], {"a": 1}, object(), NAN)),
    "results": (r"EventStudyResults", (3, "x", object())),
    "market": (r"\bMarket\b", (3, "x", object(), pd.DataFrame())),
    "model": (r"NormalReturnModel|LinearModel", (3, "x", object(), models.MarketModel)),
    "frame": (r"DataFrame|Series", (3, "x", object(), NAN, [1])),
    "words": (r"(Sequence|Iterable)\[str\]", (3, [3], [None], "no_such", ["no_such"], [NAN], {"a": 1})),
}
#: What asks for a network or a file, or prints.
APART = {"prices", "share_counts", "load", "measure", "show_progress", "show_versions", "simulate_bars"}


def collection_of(parameter: inspect.Parameter) -> str | None:
    """Say which of `JUNK` a parameter takes."""
    told = str(parameter.annotation).replace("pd.", "")
    return next((kind for kind, (pattern, _) in JUNK.items() if re.search(pattern, told)), None)


def kind_of(parameter: inspect.Parameter) -> str | None:
    """Say what a parameter takes: a number, a whole number, a choice, or something else."""
    told = str(parameter.annotation)
    default = parameter.default
    if isinstance(default, bool) or re.search(r"\bbool\b", told):
        return None
    if isinstance(default, int | float) or re.fullmatch(r"(int|float)( \| (int|float|None))*", told):
        return "number"
    if isinstance(default, str) and default.replace("-", "_").isidentifier():
        return "choice"
    return None


def calls(
    owner: Any,
    path: str,
    needed: dict[str, Any] = NEEDED,
    kind_of: Callable[[inspect.Parameter], str | None] = kind_of,
) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any], str, str]]:
    """Yield each callable of an object or module with sound arguments and one parameter to spoil."""
    for name in public(owner) if not isinstance(owner, ModuleType) else owner.__all__:
        if name in SLOW or name.startswith("plot") or (isinstance(owner, tuple) and hasattr(tuple, name)):
            continue
        method = None if isinstance(owner, ModuleType) else inspect.getattr_static(owner, name)
        found = getattr(owner, name, None) if not isinstance(method, property) else None
        if not callable(found) or (isinstance(found, type) and not isinstance(owner, ModuleType)):
            continue
        try:
            parameters = inspect.signature(found).parameters.values()
        except (TypeError, ValueError):
            continue
        sound = {}
        for each in parameters:
            if each.default is each.empty and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
                if each.name not in needed:
                    break
                sound[each.name] = needed[each.name]
            elif each.name in ("seed", "n_samples"):
                sound[each.name] = NEEDED[each.name]
        else:
            for each in parameters:
                kind = kind_of(each)
                if kind is not None:
                    yield f"{path}.{name}", found, sound, each.name, kind


def leaks(what: Callable[..., Any], arguments: dict[str, Any]) -> str | None:
    """Call, and say what came out that should not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            what(**arguments)
        except EventStudyError:
            pass
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:140]
    foreign = [one for one in caught if not issubclass(one.category, EventStudyWarning)]
    return f"{foreign[0].category.__name__}: {foreign[0].message}"[:140] if foreign else None


def faults_of(
    where: str, what: Callable[..., Any], sound: dict[str, Any], name: str, junk: Sequence[Any]
) -> list[str]:
    """Call with each wrong value of one argument, and list what came out that should not."""
    found = [(each, leaks(what, sound | {name: each})) for each in junk]
    return [f"{where}({name}={str(each)[:60]!r}): {fault}" for each, fault in found if fault is not None]


def test_no_number_and_no_choice_is_taken_unchecked(objects: dict[str, Any]) -> None:
    faults, tried, seen = [], 0, set()
    owners: dict[str, Any] = {"es": es, "lab": lab, "models": models, "inference": inference} | objects
    for path, owner in owners.items():
        for where, what, sound, name, kind in calls(owner, path):
            key = (getattr(what, "__qualname__", where), name)
            if key in seen:
                continue
            seen.add(key)
            junk = JUNK_NUMBERS if kind == "number" else ("no_such_choice", 3)
            tried += len(junk)
            faults += faults_of(where, what, sound, name, junk)
    assert tried > 300
    assert not faults, f"{len(faults)} of {tried}\n" + "\n".join(faults)


def test_no_list_flag_path_or_table_is_taken_unchecked(objects: dict[str, Any], tmp_path: Path) -> None:
    results = objects["results"]
    needed = NEEDED | {
        "market": objects["market"],
        "events": objects["events"],
        "of": results,
        "results": results,
        "prices": prices(),
        "volume": prices(),
        "panel": objects["panel"],
        "to": tmp_path / "streamed",
    }
    faults, tried, seen = [], 0, set()
    owners: dict[str, Any] = {"es": es, "lab": lab, "models": models} | objects
    for path, owner in owners.items():
        for where, what, sound, name, kind in calls(owner, path, needed, collection_of):
            key = (getattr(what, "__qualname__", where), name)
            if key in seen or what.__name__ in APART:
                continue
            seen.add(key)
            sound |= {"results": [results]} if what.__name__ in ("pool", "event_table") else {}
            tried += len(JUNK[kind][1])
            faults += faults_of(where, what, sound, name, JUNK[kind][1])
    assert tried > 500
    assert not faults, f"{len(faults)} of {tried}\n" + "\n".join(faults)
