"""Days on which other announcements about a security may have moved it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import BoolArray, IntArray
from eventstudy.immutable import FrozenRecord
from eventstudy.windows import Window

__all__ = ["ExclusionWindows"]


@dataclass(frozen=True)
class ExclusionWindows(FrozenRecord):
    """All announcements of a study, also those that cannot be used.

    Attributes
    ----------
    places : array of int
        Sorted numbers security × `n_sessions` + row of day 0, each once.
    n_sessions : int
    window : Window
        Sessions around each day 0 that it may have moved.
    """

    places: IntArray
    n_sessions: int
    window: Window

    @classmethod
    def of(cls, security: IntArray, day0: IntArray, n_sessions: int, window: Window) -> ExclusionWindows:
        """Make it of the security and the row of day 0 of each."""
        return cls(np.unique(security * n_sessions + day0), n_sessions, window)

    def spans_any(self, security: IntArray, rows: IntArray, spans: IntArray | None = None) -> BoolArray:
        """Say which returns span a session of an announcement's window.

        Parameters
        ----------
        security, rows : arrays of int, of shapes that go together
            Whose return ends on which session; rows may lie beyond the data.
        spans : array of int, optional
            Sessions that each return spans; one by default.
        """
        reach = 1 if spans is None else np.maximum(spans, 1)
        # A day 0 between these rows would do.
        low = np.clip(rows - reach + 1 - self.window.end, 0, self.n_sessions)
        high = np.clip(rows - self.window.start, -1, self.n_sessions - 1)
        base = security * self.n_sessions
        last = np.searchsorted(self.places, base + high, side="right")
        return np.asarray((high >= low) & (last > np.searchsorted(self.places, base + low)))
