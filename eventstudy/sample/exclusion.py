"""Days that estimation windows leave out: those of other announcements, and those that are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, IntArray
from eventstudy.errors import DataError, RequestError
from eventstudy.immutable import FrozenRecord
from eventstudy.tabular.days import days_of
from eventstudy.windows import Window

__all__ = ["DaysBySecurity", "ExclusionWindows", "days_in", "read_dates"]


NO_DAYS = np.empty(0, dtype="datetime64[D]")
#: Days by security, those of all under None.
DaysBySecurity = Mapping[str | None, DateArray]


def read_dates(given: Any, securities: Callable[[], Iterable[str]]) -> dict[str | None, DateArray] | None:
    """Read ``exclude_dates``: days of all securities, or a mapping of security to days.

    Parameters
    ----------
    given : list of days, mapping of security to such lists, or None
    securities : callable
        Returns the securities of the market; called only if `given` names some.

    Raises
    ------
    RequestError
        If something is not a day, or a security is not in the market.
    """
    if given is None:
        return None
    if isinstance(given, pd.Series) and any(isinstance(name, str) for name in given.index):
        raise RequestError(
            "exclude_dates is a Series with names in its index. By security give a mapping, "
            "series.groupby(level=0).agg(list).to_dict(); for all securities a list, series.tolist()."
        )
    if not isinstance(given, Mapping):
        return {None: _days(given, "")}
    named: dict[str | None, DateArray] = {
        str(name): _days(days, f" of {name}") for name, days in given.items()
    }
    known = set(securities()) if named else set()
    strange = next((name for name in named if name not in known), None)
    if strange is not None:
        raise RequestError(f"exclude_dates names the security {strange!r}, which is not in the market.")
    return named


def days_in(cells: Iterable[Any]) -> pd.DatetimeIndex:
    """Read days, of one type or of several; midnight in its own zone is a day.

    Raises
    ------
    DataError
        If a cell is not a day, or carries a time of day.
    """
    listed = list(cells)
    try:
        return days_of(pd.Series(listed, dtype=object), "Days", periods=False).stamps
    except DataError:
        each = [days_of(pd.Series([cell], dtype=object), "Days", periods=False).stamps for cell in listed]
        return pd.DatetimeIndex(np.concatenate(each))


def _days(given: Any, of: str) -> DateArray:
    wanted = (
        f"exclude_dates{of} is a list of days without a time of day, such as ['2019-05-22'], got {given!r}."
    )
    listed = [given] if isinstance(given, str | date | np.datetime64 | pd.Period) else given
    if not isinstance(listed, Iterable):
        raise RequestError(wanted)
    listed = list(listed)  # an iterator is read once
    if any(isinstance(each, int | float) for each in listed):
        raise RequestError(wanted)
    listed = _each_day(listed)
    try:
        days = days_in(listed)
    except DataError as problem:
        raise RequestError(wanted) from problem
    if days.hasnans:
        raise RequestError(wanted)
    return days.to_numpy().astype("datetime64[D]")


def _each_day(listed: Iterable[Any]) -> list[Any]:
    """Take a period, such as a month, for all of its days."""
    days: list[Any] = []
    for each in listed:
        if isinstance(each, pd.Period):
            days += pd.date_range(each.start_time.normalize(), each.end_time.normalize()).tolist()
        else:
            days.append(each)
    return days


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

    @classmethod
    def of_dates(
        cls, dates: DaysBySecurity, names: Sequence[str], sessions: DateArray, security: IntArray
    ) -> ExclusionWindows:
        """Make it of days that are left out, for all securities or by security; see `read_dates`.

        Parameters
        ----------
        dates : mapping of security to array of datetime64[D]
            Under the name None, those of all.
        names : sequence of str
            Securities, in the order of their rows.
        sessions : array of datetime64[D]
        security : array of int
            Rows of the securities of the events.
        """
        used = np.unique(security)
        places = []
        for row in used.tolist():
            days = np.concatenate([dates.get(None, NO_DAYS), dates.get(names[row], NO_DAYS)])
            at = np.searchsorted(sessions, days)
            inside = (at < len(sessions)) & (days >= sessions[0])
            places.append(row * len(sessions) + at[inside])
        whole = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *places]))
        return cls(whole.astype(np.int64), len(sessions), Window(0, 0))

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
