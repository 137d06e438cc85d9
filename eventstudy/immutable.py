"""Objects that do not change: attributes set once, arrays read-only, frames handed out as copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError
from functools import wraps
from inspect import get_annotations
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "FrozenMapping",
    "FrozenRecord",
    "Immutable",
    "hand_out_copies",
    "made_once",
    "own_copy",
    "read_only",
]

Array = TypeVar("Array", bound=npt.NDArray[Any])
Frame = TypeVar("Frame", bound="pd.DataFrame | pd.Series[Any] | pd.Index[Any]")
Record = TypeVar("Record")
Key = TypeVar("Key")
Value = TypeVar("Value", covariant=True)

#: From pandas 3 on a shallow copy is enough: writing to it copies what is written to.
DEEP = int(pd.__version__.partition(".")[0]) < 3


def read_only(array: Array) -> Array:
    """Return a view that refuses to be written to; the array given stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def own_copy(frame: Frame) -> Frame:
    """Return a copy whose changes do not reach the frame given."""
    return cast(Frame, frame.copy(deep=DEEP))


class Immutable:
    """Base of classes with a constructor: each declared or private attribute can be set once.

    Raises
    ------
    dataclasses.FrozenInstanceError
        If an attribute is set again, deleted, or set without being declared in the class.
    """

    def __setattr__(self, name: str, value: object) -> None:
        declared = name.startswith("_") or any(name in get_annotations(each) for each in type(self).__mro__)
        if not declared or name in vars(self):
            self._refuse(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise FrozenInstanceError(
            f"{type(self).__name__} is immutable, so {name!r} cannot be changed; make a new one instead."
        )


class FrozenRecord:
    """Base of frozen dataclasses: arrays are read-only and dictionaries frozen, also after pickling."""

    def __post_init__(self) -> None:
        self._freeze()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._freeze()

    def _freeze(self) -> None:
        held = vars(self)
        for name, value in held.items():
            if not name.startswith("_"):
                held[name] = _frozen(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return read_only(value) if value.flags.writeable else value
    if type(value) is dict:
        return FrozenMapping({key: _frozen(each) for key, each in value.items()})
    return value


class FrozenMapping(Mapping[Key, Value]):
    """A mapping that cannot be changed, and can be hashed and pickled."""

    __slots__ = ("_items",)

    _items: dict[Key, Value]

    def __init__(self, items: Mapping[Key, Value]) -> None:
        object.__setattr__(self, "_items", dict(items))

    def __getitem__(self, key: Key) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"A frozen mapping has no {name!r} to set.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._items,)


class _Copied:
    """Attribute that holds a frame, a series, an index or a mapping of them, and hands out copies."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, record: object, owner: type | None = None) -> Any:
        if record is None:
            raise AttributeError(self.name)
        return _copy(vars(record)[self.name])

    def __set__(self, record: object, value: Any) -> None:
        vars(record)[self.name] = _copy(value)


def _copy(value: Any) -> Any:
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        return own_copy(value)
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return value


def hand_out_copies(*names: str) -> Callable[[type[Record]], type[Record]]:
    """Let these attributes of a class hand out copies of the frames they hold."""

    def decorate(record: type[Record]) -> type[Record]:
        for name in names:
            setattr(record, name, _Copied(name))
        return record

    return decorate


def made_once(make: Callable[[Record], Frame]) -> Callable[[Record], Frame]:
    """Let a property keep the frame it makes, and hand out copies of it."""
    key = f"_made_{make.__name__}"

    @wraps(make)
    def hand_out(record: Record) -> Frame:
        held = vars(record)
        if key not in held:
            held[key] = make(record)
        kept: Frame = held[key]
        return own_copy(kept)

    return hand_out
