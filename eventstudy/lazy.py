"""Arrays of an estimation window that are computed when someone asks for them.

A study of a million events keeps what it measured in the event windows, not a million estimation windows
of residuals: those are made again, a chunk of events at a time, for the tests that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from eventstudy._typing import IntArray
from eventstudy.immutable import read_only

__all__ = [
    "CHUNK",
    "Deferred",
    "Derived",
    "by_kind",
    "columns_of",
    "deferrable",
    "kept_as_is",
    "narrow",
    "parts_of",
    "rows_of",
]

Record = TypeVar("Record")
#: Events computed at a time: windows of so many stay in the cache of a core.
CHUNK = 1024
#: Sessions whose windows lie near each other in memory.
NEIGHBOURS = 256
#: Computed arrays of more numbers than this are not held, but made again each time.
MOST_HELD = 2**25


@dataclass(frozen=True)
class Deferred:
    """An array of N rows, one an event, that `compute` makes of any of them.

    Attributes
    ----------
    compute : callable
        Events, by position -> array, one row each.
    rows : array of int, shape (N,)
        Positions, as `compute` knows them, of the events.
    width : int
        Numbers a row, to judge the size by.
    kind : array of int, optional
        By position, a number that is the same where the rows are known to be the same.
    by_column : bool
        Whether `compute` takes a slice as well, of the columns wanted; what it leaves out as missing
        otherwise may then hold any number.
    """

    compute: Callable[..., npt.NDArray[Any]]
    rows: IntArray
    width: int
    kind: IntArray | None = None
    by_column: bool = False

    @property
    def size(self) -> int:
        """Numbers in the whole array."""
        return len(self.rows) * self.width

    def take(self, which: Any) -> Deferred:
        """Defer the rows that an index or a mask picks."""
        return replace(self, rows=self.rows[which])

    def all(self) -> npt.NDArray[Any]:
        """Compute the whole array, in chunks."""
        order = np.arange(len(self.rows))
        if self.kind is not None:  # what is of one kind is computed fastest together
            order = by_kind(self.kind[self.rows])
        first = self.compute(self.rows[order[:CHUNK]])
        out = np.empty((len(self.rows), *first.shape[1:]), dtype=first.dtype)
        out[order[:CHUNK]] = first
        for b in range(CHUNK, len(out), CHUNK):
            part = order[b : b + CHUNK]
            out[part] = self.compute(self.rows[part])
        return out


@dataclass(frozen=True)
class Derived:
    """An array that `compute` makes of other fields of the same record.

    Attributes
    ----------
    compute : callable
        Record, and a slice or an array of rows and a slice of columns -> these of the array.
    """

    compute: Callable[[Any, Any, slice], npt.NDArray[Any]]

    def all(self, record: object) -> npt.NDArray[Any]:
        """Compute the whole array."""
        return self.compute(record, slice(None), slice(None))


def by_kind(kind: IntArray, *further: IntArray) -> IntArray:
    """Order of events in which those of one kind stand together.

    Kinds are numbers of sessions, from 0 on. Among neighbouring ones, those of as many events follow each
    other, so that NumPy works on several of them at once, and still reads neighbouring data.

    Parameters
    ----------
    kind : array of int, shape (N,)
    further : arrays of int, shape (N,)
        What else tells kinds apart.
    """
    code = kind
    for other in further:
        _, more = np.unique(other, return_inverse=True)
        code = code * (int(more.max(initial=0)) + 1) + more
    if further:
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
        session = kind[first]
    else:
        session = np.arange(int(kind.max(initial=0)) + 1)
    count = np.bincount(code, minlength=len(session))
    place = np.empty(len(session), dtype=np.int64)
    place[np.lexsort((session, count, session // NEIGHBOURS))] = np.arange(len(session))
    return np.argsort(narrow(place)[code], kind="stable")


def narrow(numbers: IntArray) -> npt.NDArray[Any]:
    """Numbers from 0 on, in 16 bits if they fit: NumPy sorts these by their digits, without comparisons."""
    return numbers.astype(np.uint16) if numbers.max(initial=0) < 2**16 else numbers


class _Field:
    """Attribute that holds an array, or a deferred or derived one which is computed when it is read."""

    def __init__(self, name: str) -> None:
        self.name, self.made = name, f"_made_{name}"

    def __get__(self, record: object, owner: type | None = None) -> Any:
        if record is None:
            raise AttributeError(self.name)
        held = vars(record)
        value = held[self.name]
        if not isinstance(value, Deferred | Derived):
            return value
        if self.made in held:
            return held[self.made]
        made = read_only(value.all() if isinstance(value, Deferred) else value.all(record))
        if made.size <= MOST_HELD:
            held[self.made] = made
        return made

    def __set__(self, record: object, value: Any) -> None:
        vars(record)[self.name] = value


def deferrable(*names: str) -> Callable[[type[Record]], type[Record]]:
    """Let these fields of a frozen record be given as `Deferred` or `Derived`; reading computes them."""

    def decorate(record: type[Record]) -> type[Record]:
        for name in names:
            setattr(record, name, _Field(name))
        return record

    return decorate


def kept_as_is(record: object) -> dict[str, Any]:
    """Fields of a record, deferred ones still deferred."""
    held = vars(record)
    return {field.name: held[field.name] for field in fields(record)}  # type: ignore[arg-type]


def rows_of(record: Record, which: Any, n: int) -> Record:
    """Return a record of n events with the events that an index or a mask picks; nothing is computed."""
    values = kept_as_is(record)
    for name, value in values.items():
        if isinstance(value, Deferred):
            values[name] = value.take(which)
        elif isinstance(value, np.ndarray) and value.shape[:1] == (n,):
            values[name] = value[which]
    return type(record)(**values)


def _held(record: object, name: str) -> Any:
    """Return a field as it is held: the array, if it was ever read, else what computes it."""
    held = vars(record)
    return held.get(f"_made_{name}", held[name])


def columns_of(record: object, name: str, rows: slice | IntArray, cols: slice) -> npt.NDArray[Any]:
    """Return some rows and columns of a field, and compute no others if it can be helped."""
    value = _held(record, name)
    if isinstance(value, Derived):
        return value.compute(record, rows, cols)
    if not isinstance(value, Deferred):
        return np.asarray(value[rows, cols])
    if value.by_column:
        return value.compute(value.rows[rows], cols)
    return value.compute(value.rows[rows])[:, cols]


def parts_of(record: object, *names: str, order: IntArray | None = None) -> Iterator[tuple[Any, ...]]:
    """Go through fields of a record in chunks of events, without computing the whole of them.

    Parameters
    ----------
    record : dataclass instance
    names : str
        Fields, deferred or not, with one row an event.
    order : array of int, optional
        Order in which to take the events, by position; as they stand by default.

    Yields
    ------
    rows : slice or array of int
        Events of the chunk, by position.
    *arrays
        Their rows of each field.
    """
    held = [_held(record, name) for name in names]
    held = [value.all(record) if isinstance(value, Derived) else value for value in held]
    n = len(held[0].rows if isinstance(held[0], Deferred) else held[0])
    for b in range(0, n, CHUNK):
        rows: Any = slice(b, b + CHUNK) if order is None else order[b : b + CHUNK]
        yield rows, *(v.compute(v.rows[rows]) if isinstance(v, Deferred) else v[rows] for v in held)
