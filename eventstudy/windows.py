"""Windows: spans of sessions relative to the event day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from eventstudy._typing import IntArray
from eventstudy.errors import WindowError
from eventstudy.immutable import read_only

__all__ = ["Window"]


@dataclass(frozen=True, order=True)
class Window:
    """An inclusive span of sessions relative to day 0.

    Parameters
    ----------
    start, end : int
        First and last session, relative to the event day (day 0); ``start <= end``.

    Raises
    ------
    WindowError
        If an end is not an integer, or `end` lies before `start`.

    Examples
    --------
    >>> from eventstudy import Window
    >>> w = Window(-1, 1)
    >>> len(w), str(w), w.offsets.tolist()
    (3, '(-1, +1)', [-1, 0, 1])
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        for side, value in (("start", self.start), ("end", self.end)):
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise WindowError(
                    f"Window {side} must be a whole number of sessions relative to day 0, got {value!r}."
                )
            object.__setattr__(self, side, int(value))
        if self.end < self.start:
            # (250, 30) counts back from the event.
            meant = (-self.start, -self.end) if self.end > 0 else (self.end, self.start)
            raise WindowError(
                f"Window ({self.start}, {self.end}) ends before it starts; did you mean {meant}?"
            )

    @classmethod
    def list_of(cls, name: str, value: object) -> list[Window]:
        """Read a list of windows, the argument `name`.

        Raises
        ------
        WindowError
            If it is not a list of windows.
        """
        if isinstance(value, str | Mapping | Window) or not isinstance(value, Iterable):
            raise WindowError(f"{name} is a list of windows, such as [(0, 1), (-1, 1)]; got {value!r}.")
        return [cls.of(each) for each in value]

    @classmethod
    def of(cls, value: Window | Sequence[int] | int, end: int | None = None) -> Window:
        """Make a window of a Window, a pair, one day, or a start and an end."""
        if isinstance(value, int | np.integer):
            return cls(int(value), int(value) if end is None else end)
        if end is not None:
            raise WindowError(f"Give a window as {value!r} or as a start and an end, not both (end={end!r}).")
        if isinstance(value, Window):
            return value
        try:
            first, last = value
        except (TypeError, ValueError):
            raise WindowError(f"A window is a pair (start, end) of sessions, got {value!r}.") from None
        return cls(first, last)

    def __len__(self) -> int:
        return self.end - self.start + 1

    def __contains__(self, day: object) -> bool:
        if isinstance(day, Window):
            return self.start <= day.start and day.end <= self.end
        return isinstance(day, Integral) and self.start <= int(day) <= self.end

    def __str__(self) -> str:
        return f"({self.start:+d}, {self.end:+d})".replace("+0", "0")

    @property
    def offsets(self) -> IntArray:
        """The relative days of the window, shape (len(window),)."""
        return read_only(np.arange(self.start, self.end + 1, dtype=np.int64))

    def overlaps(self, other: Window) -> bool:
        """Whether the two windows share a session."""
        return self.start <= other.end and other.start <= self.end
