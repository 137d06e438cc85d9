"""Chunks and order in which many events are computed, and values that are computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from eventstudy._typing import IntArray

__all__ = [
    "CHUNK",
    "MOST_HELD",
    "as_small_int",
    "chunks",
    "group_order",
    "memo",
    "recall",
    "remember",
]

T = TypeVar("T")
#: Events computed at a time: their windows stay in the cache of one core.
CHUNK = 1024
#: Arrays of more numbers than this are not held, but made again each time.
MOST_HELD = 2**25
#: Sessions whose windows lie near each other in memory.
NEIGHBOURS = 256


def chunks(n: int, longer: int = 1) -> Iterator[slice]:
    """Cut n events into slices of `CHUNK` events, or some times as many."""
    size = longer * CHUNK
    return (slice(begin, begin + size) for begin in range(0, n, size))


def group_order(session: IntArray, *further: IntArray) -> IntArray:
    """Order in which events of one group follow each other.

    Groups of neighbouring sessions and of equal size are adjacent, so NumPy works on several of them at once
    and still reads neighbouring data.

    Parameters
    ----------
    session : array of int, shape (N,)
        Numbers from 0 on.
    further : arrays of int, shape (N,)
        What else distinguishes groups.
    """
    code = session
    for other in further:
        _, more = np.unique(other, return_inverse=True)
        code = code * (int(more.max(initial=0)) + 1) + more
    if further:
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
        number = session[first]
    else:
        number = np.arange(int(session.max(initial=0)) + 1)
    count = np.bincount(code, minlength=len(number))
    place = np.empty(len(number), dtype=np.int64)
    place[np.lexsort((number, count, number // NEIGHBOURS))] = np.arange(len(number))
    return np.argsort(as_small_int(place)[code], kind="stable")


def as_small_int(numbers: IntArray) -> npt.NDArray[Any]:
    """Numbers from 0 on, in 16 bits if they fit: NumPy sorts these by digits, without comparisons."""
    return numbers.astype(np.uint16) if numbers.max(initial=0) < 2**16 else numbers


def remember(owner: object, name: str, value: T) -> T:
    """Keep a value, other than None, for as long as its owner lives."""
    # The same place where functools.cached_property keeps its values.
    vars(owner)[f"_memo_{name}"] = value
    return value


def recall(owner: object, name: str) -> Any:
    """Return a value that was remembered, or None."""
    return vars(owner).get(f"_memo_{name}")


def memo(owner: object, name: str, compute: Callable[[], T]) -> T:
    """Compute a value once for each owner."""
    found = recall(owner, name)
    return remember(owner, name, compute()) if found is None else cast(T, found)
