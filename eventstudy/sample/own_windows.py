"""Windows of each event's own: by columns of the events, by dates, or on both sides of the event."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, IntArray
from eventstudy.column_names import WINDOW_COLUMNS
from eventstudy.errors import DataError, WindowError
from eventstudy.immutable import FrozenRecord
from eventstudy.sample.exclusion import days_in
from eventstudy.tabular.days import end_of_period
from eventstudy.text import format_time
from eventstudy.windows import Window

__all__ = [
    "Asked",
    "DateWindow",
    "OwnWindows",
    "asked_windows",
    "dated_windows",
    "own_windows",
    "refuse_window_columns",
]


ENDS = ("start", "end")
#: Ending of the columns of a second estimation window.
SECOND = "_2"
#: Columns up to which one at a time is faster than all of them at once.
SHORT = 16


@dataclass(frozen=True)
class DateWindow:
    """A window by calendar dates, both included."""

    start: pd.Timestamp
    end: pd.Timestamp

    def __str__(self) -> str:
        return f"({self.start:%Y-%m-%d}, {self.end:%Y-%m-%d})"


@dataclass(frozen=True)
class Asked:
    """Windows as they were asked for.

    Attributes
    ----------
    estimation : tuple of Window or DateWindow
        Empty where nothing is estimated; two on both sides of the event.
    window : Window or DateWindow
    by_event : bool
        Whether columns of the events give windows too.
    two : bool
        Whether events have, or may have, two estimation windows.
    laid_out : Window, optional
        Days on which event windows are laid out at least, such as those of all exchanges of a study.
    """

    estimation: tuple[Any, ...]
    window: Window | DateWindow
    by_event: bool
    two: bool
    laid_out: Window | None = None

    @property
    def estimation_text(self) -> str:
        """The estimation windows, in words."""
        named = " and ".join(map(str, self.estimation)) or "none"
        return f"{named}, or each event's own" if self.by_event else named

    @property
    def window_text(self) -> str:
        """The event window, in words."""
        return f"{self.window}, or each event's own" if self.by_event else str(self.window)

    @property
    def common(self) -> bool:
        """Whether one estimation window and one event window, which holds day 0, serve all events."""
        plain = len(self.estimation) == 1 and isinstance(self.estimation[0], Window)
        return plain and isinstance(self.window, Window) and 0 in self.window and not self.by_event


@dataclass(frozen=True)
class OwnWindows(FrozenRecord):
    """Windows of N events, each its own.

    Attributes
    ----------
    estimation, window : array of int, shape (N, 2)
        First and last session, relative to day 0.
    shift : array of int, shape (N,)
        Sessions by which the estimation window of an event is laid out from where that of the sample is, the
        same for events of one day 0: windows before it end together, those after it begin together.
    skip : array of int, shape (N, 2), optional
        First and last session between two estimation windows; the last before the first where there is one.
    """

    estimation: IntArray
    window: IntArray
    shift: IntArray
    skip: IntArray | None = None

    @property
    def after(self) -> BoolArray:
        """Whether an event's estimation window lies after its event window, shape (N,)."""
        return np.asarray(self.estimation[:, 0] > self.window[:, 1])

    def outside_estimation(self, part: Any, offsets: IntArray) -> BoolArray:
        """Which sessions of the layout are not of an event's estimation window, shape (n, W)."""
        out = np.zeros((len(self.shift[part]), len(offsets)), dtype=bool)
        self.blank_estimation(out, part, offsets, True)
        return out

    def blank_estimation(
        self, rows: npt.NDArray[Any], part: Any, offsets: IntArray, value: float = np.nan
    ) -> None:
        """Overwrite the sessions of the layout (n, W) that are not of an event's estimation window."""
        first, last = self._estimation(part).T
        _blank(rows, offsets, first, last, value)
        if self.skip is not None:
            begin, end = (self.skip[part] - self.shift[part, None]).T
            rows[(offsets >= begin[:, None]) & (offsets <= end[:, None])] = value

    def blank_window(
        self, rows: npt.NDArray[Any], part: Any, offsets: IntArray, value: float = np.nan
    ) -> None:
        """Overwrite the sessions of the layout (n, L) that are not of an event's event window."""
        first, last = _of(self.window, part).T
        _blank(rows, offsets, first, last, value)

    def inner(self, part: Any, offsets: IntArray) -> slice:
        """Sessions of the layout between the ends of all estimation windows."""
        first, last = self._estimation(part).T
        begin, end = first.max(initial=offsets[0]), last.min(initial=offsets[-1])
        return slice(int(begin - offsets[0]), int(max(end + 1, begin) - offsets[0]))

    def _estimation(self, part: Any) -> IntArray:
        """Return the ends of estimation windows as sessions of the layout, shape (n, 2)."""
        return np.asarray(_of(self.estimation, part) - self.shift[part, None])

    def take(self, which: Any) -> OwnWindows:
        """Windows of the events that an index or a mask picks."""
        return replace(
            self,
            estimation=self.estimation[which],
            window=self.window[which],
            shift=self.shift[which],
            skip=None if self.skip is None else self.skip[which],
        )


def _of(rows: IntArray, part: Any) -> IntArray:
    # For arrays of two columns, `take` is several times as fast.
    listed = isinstance(part, np.ndarray) and part.dtype != bool
    return np.asarray(rows.take(part, axis=0) if listed else rows[part])


def _blank(rows: npt.NDArray[Any], offsets: IntArray, first: IntArray, last: IntArray, value: float) -> None:
    # Most windows hold the middle of the layout, so only its ends are compared, as small numbers.
    width = len(offsets)
    small = np.int16 if width < np.iinfo(np.int16).max else np.int64
    begin, left = (np.clip(each, 0, width).astype(small) for each in (first - offsets[0], offsets[-1] - last))
    column = np.arange(width, dtype=small)
    for side, ends in ((rows, begin), (rows[:, ::-1], left)):
        edge = side[:, : int(ends.max(initial=0))]
        if edge.shape[1] <= SHORT:
            for at, cells in enumerate(edge.T):
                cells[ends > at] = value
        else:
            np.copyto(edge, value, where=column[: edge.shape[1]] < ends[:, None])


def asked_windows(estimation: Any, window: Any, events: pd.DataFrame) -> Asked:
    """Read windows as `EventStudy` takes them.

    Raises
    ------
    WindowError
        If one is neither a pair of sessions nor of dates, or two estimation windows overlap.
    """
    by_event = any(name in events for name in WINDOW_COLUMNS)
    beside = any(f"estimation_{end}{SECOND}" in events for end in ENDS)
    if estimation is None:
        if beside:
            raise WindowError("Columns of a second estimation window need a first one; estimation is None.")
        return Asked((), _one(window), by_event, two=False)
    several = (
        isinstance(estimation, Sequence)
        and not isinstance(estimation, str)
        and len(estimation) == 2
        and all(isinstance(each, Window | Sequence) and not isinstance(each, str) for each in estimation)
    )
    read = tuple(_one(each) for each in estimation) if several else (_one(estimation),)
    if several:
        if not all(isinstance(each, Window) for each in read):
            raise WindowError("Two estimation windows are given in sessions: [(-120, -11), (11, 60)].")
        first, second = sorted(each for each in read if isinstance(each, Window))
        if first.overlaps(second):
            raise WindowError(f"The estimation windows {first} and {second} overlap.")
        read = (first, second)
    return Asked(read, _one(window), by_event, two=several or beside)


def dated_windows(events: pd.DataFrame) -> bool:
    """Whether columns of the events give windows as dates."""
    cells = (events[name][_given(events[name])] for name in WINDOW_COLUMNS if name in events)
    return any(not _counts(cell) for column in cells for cell in column)


def refuse_window_columns(events: pd.DataFrame, who: str) -> None:
    """Refuse columns of windows, of the frame of `Events`, where one window serves all events.

    Raises
    ------
    WindowError
        If a cell of such a column is filled in.
    """
    named = [name for name in WINDOW_COLUMNS if name in events and _given(events[name]).any()]
    if named:
        raise WindowError(
            f"The events have windows of their own ({', '.join(named)}), and {who} takes one window for all. "
            f"Drop these columns, frame.drop(columns={named}), or use EventStudy, which takes them."
        )


def _one(given: Any) -> Window | DateWindow:
    if isinstance(given, pd.Index | pd.Series):
        given = given.tolist()
    if isinstance(given, int | np.integer) and int(given) != 0:
        days = abs(int(given))
        raise WindowError(
            f"A window is a pair (start, end) of sessions, got {given!r}. Write ({-days}, {days}) for the "
            f"sessions on both sides of day 0, ({-days}, -1) for those before it."
        )
    pair = isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2
    if not pair or all(isinstance(end, int | np.integer) for end in given):
        return Window.of(given)
    if any(_is_number(each) or each is None or each is pd.NaT for each in given):
        return Window.of(given)
    try:
        start, end = days_in([end_of_period(each, name) for each, name in zip(given, ENDS, strict=True)])
    except DataError as problem:
        raise WindowError(
            f"A window is a pair of sessions, or of dates such as '2019-05-22'; got {given!r}."
        ) from problem
    if end < start:
        raise WindowError(f"The window ({start:%Y-%m-%d}, {end:%Y-%m-%d}) ends before it starts.")
    return DateWindow(start, end)


def own_windows(
    asked: Asked, frame: pd.DataFrame, sessions: DateArray, day0: IntArray, known: BoolArray
) -> tuple[OwnWindows, Window, Window, dict[int, str]]:
    """Lay out the windows of each event.

    Parameters
    ----------
    asked : Asked
    frame : DataFrame
        As `Events.frame`.
    sessions : array of datetime64[D]
    day0 : array of int, shape (N,)
        Row of each event's day 0.
    known : array of bool, shape (N,)
        Events that have one.

    Returns
    -------
    own : OwnWindows
    estimation, window : Window
        The windows in which those of all events are laid out; the latter holds day 0.
    reasons : dict of int to str
        Why events, by position, cannot be used: no session lies in their windows.

    Raises
    ------
    WindowError
        If windows of an event overlap, or end before they start.
    """
    none = not asked.estimation
    event = _ends(asked.window, "window", "", frame, sessions, day0)
    if none:
        past = np.repeat(event[:, :1] - 1, 2, axis=1)
    else:
        past = _ends(asked.estimation[0], "estimation", "", frame, sessions, day0)
    second, two = past, np.zeros(len(frame), dtype=bool)
    if asked.two:
        second, two = _second(asked, frame, sessions, day0)
    reasons: dict[int, str] = {}
    for what, ends, has in (
        ("event", event, known),
        ("estimation", past, known),
        ("second estimation", second, known & two),
    ):
        for i in np.flatnonzero(has & (ends[:, 1] < ends[:, 0])).tolist():
            if _by_sessions(asked, what, frame, i):
                raise WindowError(
                    f"{_who(frame, i)}: its {what} window {_text(ends[i])} ends before it starts."
                )
            reasons[i] = (
                f"its {what} window {_text(ends[i])} ends before it starts"
                if ends[i, 1] < ends[i, 0] - 1
                else f"no session of the data lies in its {what} window"
            )
    last = len(sessions) - 1 - day0
    for i in np.flatnonzero(known & two & (second[:, 0] > last)).tolist():
        reasons.setdefault(
            i,
            f"its second estimation window {_text(second[i])} lies wholly after the data ends "
            f"({format_time(pd.Timestamp(sessions[-1]))}, day {last[i]:+d})",
        )
    usable = known.copy()
    usable[list(reasons)] = False
    for what, ends, has in (("estimation", past, usable), ("second estimation", second, usable & two)):
        for i in np.flatnonzero(has & (ends[:, 0] <= event[:, 1]) & (event[:, 0] <= ends[:, 1])).tolist():
            raise WindowError(
                f"{_who(frame, i)}: its {what} window {_text(ends[i])} overlaps its event window "
                f"{_text(event[i])}, so normal returns would be estimated from the reaction itself. Its day "
                f"0 is {format_time(pd.Timestamp(sessions[day0[i]]))}."
            )
    for i in np.flatnonzero(usable & two & (second[:, 0] <= past[:, 1])).tolist():
        raise WindowError(
            f"{_who(frame, i)}: its second estimation window {_text(second[i])} begins before the first one, "
            f"{_text(past[i])}, ends."
        )
    skip = None
    if none:
        skip = past.copy()  # a window holds one day at least; this one leaves it out
    if two.any():
        skip = np.where(two[:, None], np.column_stack([past[:, 1] + 1, second[:, 0] - 1]), [1, 0])
        past[two, 1] = second[two, 1]
    past[~usable], event[~usable] = -1, 0
    # Events of one day share columns day by day: their common shocks then meet, also where windows differ.
    days, of_day = np.unique(day0, return_inverse=True)
    first = np.full(len(days), np.iinfo(np.int64).max)
    last, after = np.full(len(days), np.iinfo(np.int64).min), np.ones(len(days), dtype=bool)
    np.minimum.at(first, of_day[usable], past[usable, 0])
    np.maximum.at(last, of_day[usable], past[usable, 1])
    np.logical_and.at(after, of_day[usable], past[usable, 0] > event[usable, 1])
    first, last, after = first[of_day], last[of_day], after[of_day]
    length = int((last - first)[usable].max(initial=0)) + 1
    start = int(past[usable, 0].min(initial=-1))
    estimation = Window(start, start + length - 1)
    shift = np.where(usable, np.where(after, first - estimation.start, last - estimation.end), 0)
    least = asked.laid_out or Window(0, 0)
    window = Window(
        int(event[usable, 0].min(initial=least.start)), int(event[usable, 1].max(initial=least.end))
    )
    return OwnWindows(past, event, shift, skip), estimation, window, reasons


def _who(frame: pd.DataFrame, i: int) -> str:
    name: Hashable = frame.index[i]
    return f"Event {name} ({frame['security'].iloc[i]})"


def _text(ends: IntArray) -> str:
    return f"({ends[0]:+d}, {ends[1]:+d})"


def _second(
    asked: Asked, frame: pd.DataFrame, sessions: DateArray, day0: IntArray
) -> tuple[IntArray, BoolArray]:
    """Read the ends of second estimation windows, shape (N, 2), and which events have one."""
    common = asked.estimation[1] if len(asked.estimation) == 2 else None
    second = _ends(common or Window(0, 0), "estimation", SECOND, frame, sessions, day0)
    if common is not None:
        return second, np.ones(len(frame), dtype=bool)
    names = [f"estimation_{end}{SECOND}" for end in ENDS]
    start, end = (
        _given(frame[name]) if name in frame else np.zeros(len(frame), dtype=bool) for name in names
    )
    for i in np.flatnonzero(start != end).tolist():
        raise WindowError(
            f"{_who(frame, i)}: a second estimation window has both ends; fill in {names[int(start[i])]}."
        )
    return second, start


def _by_sessions(asked: Asked, what: str, frame: pd.DataFrame, i: int) -> bool:
    second = what == "second estimation"
    windows = (asked.window,) if what == "event" else asked.estimation[int(second) :]
    given = windows[0] if windows else None
    prefix, suffix = "window" if what == "event" else "estimation", SECOND if second else ""
    names = [f"{prefix}_{end}{suffix}" for end in ENDS]
    cells = [frame[name].iloc[i] for name in names if name in frame]
    cells = [cell for cell in cells if not pd.isna(cell) and str(cell).strip()]
    return all(_counts(cell) for cell in cells) and (len(cells) == 2 or isinstance(given, Window))


def _counts(cell: Any) -> bool:
    """Whether a cell is a number of sessions, perhaps written as text."""
    return _is_number(cell) or (isinstance(cell, str) and not np.isnan(pd.to_numeric(cell, errors="coerce")))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.number)


def _ends(
    common: Window | DateWindow,
    prefix: str,
    suffix: str,
    frame: pd.DataFrame,
    sessions: DateArray,
    day0: IntArray,
) -> IntArray:
    """First and last session of each event's window, relative to day 0; shape (N, 2)."""
    out = []
    for end in ENDS:
        value = getattr(common, end)
        if isinstance(value, int):
            relative = np.full(len(frame), value, dtype=np.int64)
        else:
            days = np.full(len(frame), value.to_datetime64())
            relative = _row(sessions, days, end, prefix == "window") - day0
        name = f"{prefix}_{end}{suffix}"
        if name in frame:
            relative = _from_column(frame[name], relative, sessions, day0, end, name)
        out.append(relative)
    return np.column_stack(out)


def _row(sessions: DateArray, dates: DateArray, end: str, beyond: bool) -> IntArray:
    """Row of the first session from a date on, or of the last up to it.

    With `beyond`, days outside the data that are of its weekdays count as sessions, so a window that reaches
    there is known to be incomplete.
    """
    days = dates.astype("datetime64[D]")
    at = np.searchsorted(sessions, days, side="left" if end == "start" else "right")
    rows = np.asarray(at if end == "start" else at - 1, dtype=np.int64)
    if not beyond:
        return rows
    first, last = sessions[[0, -1]].astype("datetime64[D]")
    # Weekends differ: Riyadh trades on Sundays, and bitcoin on all days.
    times = np.bincount((sessions.astype("datetime64[D]").astype(np.int64) + 3) % 7, minlength=7)
    week = (2 * times >= times.max()).astype(np.int64)
    before = np.busday_count(days, first, weekmask=week)
    after = np.busday_count(last + 1, days + 1, weekmask=week)
    rows = np.where(days < first, -np.maximum(before, 0), rows)
    return np.where(days > last, len(sessions) - 1 + np.maximum(after, 0), rows)


def _from_column(
    column: pd.Series, relative: IntArray, sessions: DateArray, day0: IntArray, end: str, name: str
) -> IntArray:
    """Return the ends that a column of the events gives, `relative` where it is empty."""
    given = _given(column)
    numbers = pd.to_numeric(column.where(given), errors="coerce").to_numpy(dtype=np.float64)
    counted = given & ~np.isnan(numbers)
    if pd.api.types.is_datetime64_any_dtype(column):
        counted = np.zeros(len(column), dtype=bool)
    out = relative.copy()
    whole = numbers[counted]
    if (whole != np.round(whole)).any() or (np.abs(whole) > 100_000).any():
        at = int(np.flatnonzero(counted)[np.argmax((whole != np.round(whole)) | (np.abs(whole) > 100_000))])
        raise WindowError(
            f"The column {name} of event {column.index[at]} is {column.iloc[at]}: give a whole number of "
            "sessions relative to day 0, or a date such as '2019-05-22'."
        )
    out[counted] = whole.astype(np.int64)
    dated = given & ~counted
    if dated.any():
        cells = column[dated]
        try:
            days = days_in(cells)
        except DataError:
            days = pd.DatetimeIndex([_day(cell, event, name) for event, cell in cells.items()])
        out[dated] = _row(sessions, days.to_numpy(), end, name.startswith("window")) - day0[dated]
    return out


def _given(column: pd.Series) -> BoolArray:
    """Whether a cell holds something, shape (N,)."""
    filled: BoolArray = column.notna().to_numpy()
    if not pd.api.types.is_numeric_dtype(column):
        filled = filled & (column.astype(str).str.strip() != "").to_numpy()
    return filled


def _day(cell: Any, event: Hashable, name: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(days_in([cell])[0])
    except DataError as problem:
        raise WindowError(
            f"The column {name} of event {event} is {cell!r}, neither a number of sessions nor a date "
            "without a time of day."
        ) from problem
