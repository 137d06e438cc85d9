"""Frames and records of announcements, read and checked row by row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from numbers import Integral
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.column_names import EVENT_DATE_NAMES, EVENT_MOMENT_NAMES, SECURITY_NAMES, find_column
from eventstudy.errors import EventError, NaiveTimeError
from eventstudy.events.clock import check_zone, fixed_offset
from eventstudy.events.event_lists import WINDOW, EventList
from eventstudy.interop import ForeignTable, to_pandas
from eventstudy.tabular.day_counts import COUNTED
from eventstudy.tabular.days import AMBIGUOUS_DAY, EXCEL, days_of
from eventstudy.text import regex

__all__ = ["Moments", "as_frame", "clean_columns", "validated"]

#: Abbreviations stand for several zones at once (CST is Chicago's and Shanghai's).
ZONE_ABBREVIATION = regex(r"\d\s*(?!UTC|GMT)[A-Z]{3,4}\s*$")
#: A day, a clock time and an offset; a day with its time, in ISO's way.
_TIME = regex(
    r"(.*?)[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?:[AaPp][Mm])?)\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_ISO_TIME = regex(r"\s*\d{4}-\d{1,2}-\d{1,2}[ T]\d")
ZONE_NAME = regex(r"\s+([A-Za-z]+(?:/[A-Za-z_+\-0-9]+)+|UTC|GMT)\s*$")


def as_frame(
    events: pd.DataFrame | ForeignTable | Mapping[str, Any] | Iterable[Mapping[str, Any]],
) -> pd.DataFrame:
    """Return events as a frame of one row each, whatever they were given as."""
    table = to_pandas(events, "Events", EventError)
    if isinstance(table, pd.DataFrame):
        frame = table.copy()
        if isinstance(frame.columns, pd.MultiIndex):
            raise EventError(f"Events have one level of columns, not {frame.columns.nlevels}.")
        named = frame.index.name is not None and frame.index.name not in frame.columns
        known = ("event_id", *EVENT_DATE_NAMES, *EVENT_MOMENT_NAMES, *SECURITY_NAMES)
        if isinstance(frame.index, pd.MultiIndex) or (
            named
            and (
                frame.index.name == "event_id"
                or isinstance(frame.index, pd.DatetimeIndex)
                or find_column([frame.index.name], known) is not None
            )
        ):
            frame = frame.reset_index()
    elif isinstance(table, Mapping):
        table = {k: list(v) if isinstance(v, Iterator) else v for k, v in table.items()}
        scalar = not any(pd.api.types.is_list_like(v) for v in table.values())
        lengths = {str(k): len(v) for k, v in table.items() if pd.api.types.is_list_like(v)}
        if len(set(lengths.values())) > 1:
            raise EventError(
                "Events given as a mapping have one column for each key, such as {'security': [...], 'date': "
                f"[...]}}, all of one length; these have {lengths}. Of a mapping of securities to days make "
                "rows: [{'security': who, 'date': day} for who, days in mapping.items() for day in days]."
            )
        frame = pd.DataFrame([dict(table)] if scalar else dict(table))
    else:
        rows = list(table) if isinstance(table, Iterable) else [table]
        if not all(isinstance(row, Mapping) for row in rows):
            raise EventError(
                "Events takes a DataFrame or a list of dictionaries such as "
                "{'security': '002415.SZ', 'date': '2019-05-22'}; of pairs make a frame, "
                "pd.DataFrame(pairs, columns=['security', 'date'])."
            )
        frame = pd.DataFrame(rows)
    if frame.empty:
        raise EventError("No events: the list is empty.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].tolist()
        raise EventError(f"Duplicate event columns: {twice}. Keep one of each.")
    return frame.reset_index(drop=True)


def validated(listed: EventList, timezone: str | None) -> pd.DataFrame:
    """Return the frame of `Events`, checked.

    Raises
    ------
    EventError
        The message names the event and what is wrong with it.
    """
    frame, zones = listed.frame, listed.zones
    missing = frame["security"].isna() | (frame["security"].astype(str).str.strip() == "")
    if missing.any():
        raise EventError(f"Event in row {missing.idxmax()} names no security.")
    security = frame["security"].astype(str).str.strip()
    ids = frame["event_id"] if "event_id" in frame else pd.Series(frame.index)
    if ids.isna().any():
        raise EventError(f"Event in row {ids.isna().idxmax()} has no event_id; give all or none.")
    if ids.duplicated().any():
        raise EventError(
            f"event_id {ids[ids.duplicated()].tolist()[0]!r} stands more than once. An id names one event "
            "(one announcement about one security); a firm may recur, an id may not."
        )
    when = clean_columns(frame) or _row_by_row(frame, ids, security, timezone, zones)
    out = pd.DataFrame(
        {
            "security": security.to_numpy(),
            "date": when.days,
            "announced_at": when.times,
            "announced_local": when.local,
        },
        index=pd.Index(ids.to_numpy(), name="event_id"),
    )
    if set(WINDOW) & set(frame.columns):
        for name, end in when.ends.items():
            out[name] = end
    own = ["security", "date", "announced_at", "announced_local", "event_id", *WINDOW]
    others = frame.loc[:, [column not in own for column in frame.columns]]
    out = pd.concat([out, others.set_axis(out.index)], axis=1)
    same = out.duplicated(["security", "date", "announced_at", *(end for end in WINDOW if end in out)])
    if same.any():
        first = out.loc[same].iloc[0]
        raise EventError(
            f"Event {out.index[same][0]} ({first['security']}) is a duplicate, with the same security and "
            "time; counted twice it would weigh double. Drop one, e.g. with "
            "frame.drop_duplicates(['security', 'date'])."
        )
    return out


def _row_by_row(
    frame: pd.DataFrame,
    ids: pd.Series,
    security: pd.Series,
    timezone: str | None,
    zones: pd.Series | None,
) -> Moments:
    """Read the dates and times of each row; the first that cannot be read is an error that names it."""
    days, times, local = [], [], []
    ends: dict[str, list[Any]] = {end: [] for end in WINDOW}
    for row, (name, who) in enumerate(zip(ids, security, strict=True)):
        where = f"Event {name} ({who})"
        given = {
            name: frame[name].iloc[row]
            for name in ("date", "announced_at", *WINDOW)
            if name in frame and not _is_missing(frame[name].iloc[row])
        }
        if not given:
            raise EventError(f"{where} has neither a date nor an announced_at.")
        if len(given) > 1 and set(given) != set(WINDOW):
            raise EventError(f"{where} has both {_listed(given)}; leave one empty.")
        if len(given) == 1 and set(given) & set(WINDOW):
            raise EventError(
                f"{where} has {next(iter(given))} alone; a window needs both announced_after and "
                "announced_before. If its other end is unknown, give a date."
            )
        days.append(_day(given["date"], where) if "date" in given else pd.NaT)
        zone = (zones.iloc[row] if zones is not None else None) or timezone
        moments = {name: _moment(value, zone, where, name) for name, value in given.items() if name != "date"}
        if set(given) == set(WINDOW) and moments["announced_after"] > moments["announced_before"]:
            raise EventError(
                f"{where}: announced_after {given['announced_after']} is later than announced_before "
                f"{given['announced_before']}. Swap them."
            )
        times.append(moments["announced_at"].tz_convert("UTC") if "announced_at" in moments else pd.NaT)
        for name, end in ends.items():
            end.append(moments[name].tz_convert("UTC") if name in moments else pd.NaT)
        local.append(_local(frame, row, next(iter(moments.values()), None)))
    return Moments(
        pd.DatetimeIndex(days).as_unit("ns"),
        pd.DatetimeIndex(times, tz="UTC").as_unit("ns"),
        pd.Series(local, dtype=object).to_numpy(),
        {name: pd.DatetimeIndex(end, tz="UTC").as_unit("ns") for name, end in ends.items()},
    )


def _local(frame: pd.DataFrame, row: int, moment: pd.Timestamp | None) -> pd.Timestamp | None:
    """Return a moment on the clock it was announced on, which a frame of other `Events` remembers."""
    told = frame["announced_local"].iloc[row] if "announced_local" in frame else None
    return told if isinstance(told, pd.Timestamp) and told.tzinfo is not None and told == moment else moment


def _listed(given: Iterable[str]) -> str:
    return " and ".join(f"{'a' if name == 'date' else 'an'} {name}" for name in given)


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() in ("", "nan", "NaT")
    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _day(value: Any, where: str) -> pd.Timestamp:
    try:
        if isinstance(value, (str, Integral, np.floating, float)) and not isinstance(value, bool):
            text = _ISO_TIME.match(value) if isinstance(value, str) else None
            if text is not None:
                day = pd.Timestamp(str(value)).as_unit("ns")
            else:
                told = pd.Series([value], dtype=object)
                day = days_of(told, where, periods=False, error=_NoDayError).stamps[0]
        else:
            if isinstance(value, bool) or not isinstance(value, (date, datetime, pd.Timestamp)):
                is_day = hasattr(value, "dtype") and value.dtype.kind == "M"
                value = pd.Timestamp(value) if is_day else _reject(value)
            day = pd.Timestamp(value).as_unit("ns")
    except (ValueError, TypeError) as problem:
        if COUNTED.search(str(problem)):
            raise EventError(str(problem)) from problem
        shown = value.item() if isinstance(value, np.generic) else value
        shown = str(shown) if isinstance(shown, int) else shown
        hint = " (day and month may be mistaken for each other)" if AMBIGUOUS_DAY.match(str(value)) else ""
        raise EventError(
            f"{where}: date {shown!r} cannot be read{hint}; write it as '2019-05-22'."
        ) from problem
    if day.tz is not None or day != day.normalize():
        raise EventError(
            f"{where}: date {value!r} carries a time of day. If it is the time of the announcement, "
            "give it as announced_at, with its zone; if it is the event day, give the day alone."
        )
    return day


class _NoDayError(EventError):
    """A cell is not a day; `_day` says so with the event's name."""


def _reject(value: object) -> Any:
    raise ValueError(f"{value!r} is not a date")


def _moment(value: Any, timezone: str | None, where: str, column: str) -> pd.Timestamp:
    zone = timezone
    text = value
    if isinstance(value, (str, Integral)) and re.fullmatch(r"\s*(19|20)\d{12}\s*", str(value)):
        day, clock = str(value).strip()[:8], str(value).strip()[8:]
        value = f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"
    if isinstance(value, str):
        text = fixed_offset(value) or value
        named = ZONE_NAME.search(text)
        if named:
            zone, text = named.group(1), text[: named.start()]
            check_zone(zone, f"{where}: {column} {value!r}")
    try:
        if isinstance(text, (Integral, float)) and not isinstance(text, bool) and float(text) > 1e8:
            text = days_of(pd.Series([text], dtype=object), where, timed=True, timezone="UTC").stamps[0]
            moment = text.tz_localize("UTC")
        elif isinstance(text, (Integral, float, np.floating)):
            if not EXCEL[0] <= float(text) <= EXCEL[1]:
                _reject(text)
            moment = days_of(pd.Series([text], dtype=object), where, timed=True).stamps[0]
        else:
            if not isinstance(text, (str, datetime, pd.Timestamp)) and getattr(text, "dtype", None) is None:
                _reject(text)
            if isinstance(text, str) and ZONE_ABBREVIATION.search(text):
                _reject(text)
            moment = (_written(text) if isinstance(text, str) else pd.Timestamp(text)).as_unit("ns")
    except (ValueError, TypeError) as problem:
        if COUNTED.search(str(problem)):
            raise EventError(str(problem)) from problem
        raise EventError(
            f"{where}: {column} {value!r} cannot be read; write it as '2019-05-21 19:00-04:00' or "
            "'2019-05-21 19:00 America/New_York' (an abbreviation such as EST does not name one zone)."
        ) from problem
    if moment.tz is None:
        if zone is None:
            raise NaiveTimeError(
                f"{where}: {column} {value!r} has no time zone, so its first session is unknown. "
                f"Write '{moment:%Y-%m-%d %H:%M}-04:00' or '{moment:%Y-%m-%d %H:%M} America/New_York', "
                "or pass Events(..., timezone='America/New_York')."
            )
        # NaT rather than an exception: pandas 2 raises those of pytz here, pandas 3 a ValueError.
        placed: Any = moment.tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="NaT")
        if placed is pd.NaT:
            raise EventError(
                f"{where}: {value!r} does not exist or is ambiguous in {zone} (clocks change): "
                "give the offset, such as '2019-03-10 02:30-05:00'."
            )
        moment = placed
    return moment.as_unit("ns")


def _written(text: str) -> pd.Timestamp:
    """Read a day, a clock time and perhaps an offset."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return days_of(pd.Series([text], dtype=object), "", periods=False, error=_NoDayError).stamps[0]
    day = days_of(pd.Series([found[1]], dtype=object), "", periods=False, error=_NoDayError).stamps[0]
    clock = pd.Timestamp(f"2000-01-01 {found[2]}") - pd.Timestamp("2000-01-01")
    moment = day + clock
    return moment if not found[3] else pd.Timestamp(f"{moment.isoformat()}{found[3]}")


DAY = r"\d{4}-\d{2}-\d{2}"
TIME = DAY + r"[ T]\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:?\d{2})"


class Moments(NamedTuple):
    """When N events were announced.

    Attributes
    ----------
    days : DatetimeIndex
        Event days; NaT where a time is given instead.
    times : DatetimeIndex
        Announcement times, UTC.
    local : array of object
        The same on the clock they were given on; None where there is none.
    ends : dict of str to DatetimeIndex
        Ends of announcements that are known to a window only, UTC.
    """

    days: pd.DatetimeIndex
    times: pd.DatetimeIndex
    local: npt.NDArray[np.object_]
    ends: dict[str, pd.DatetimeIndex]


def clean_columns(frame: pd.DataFrame) -> Moments | None:
    """Read the columns `date` and `announced_at` of events; None if anything in them is in doubt."""
    if {"announced_after", "announced_before"} & set(frame.columns):
        return None
    days = _days(frame["date"]) if "date" in frame else _none(frame)
    told = _times(frame["announced_at"]) if "announced_at" in frame else (_none(frame, "UTC"), None)
    if days is None or told is None:
        return None
    times, local = told
    if not np.logical_xor(days.isna(), times.isna()).all():
        return None
    if local is None:
        local = np.full(len(frame), None, dtype=object)
    if "announced_local" in frame and frame["announced_local"].notna().any():
        return None
    return Moments(days, times, local, {})


def _none(frame: pd.DataFrame, tz: str | None = None) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.full(len(frame), np.datetime64("NaT", "ns")), tz=tz)


def _days(given: pd.Series) -> pd.DatetimeIndex | None:
    if given.dtype.kind == "M" and isinstance(given.dtype, np.dtype):
        days = _nanoseconds(given)
        return days if days is not None and (days == days.normalize())[days.notna()].all() else None
    if not _all_match(given, DAY):
        return None
    return _nanoseconds(pd.to_datetime(given, format="%Y-%m-%d", errors="coerce"), given.isna())


def _times(given: pd.Series) -> tuple[pd.DatetimeIndex, npt.NDArray[np.object_] | None] | None:
    """Read times, in UTC and on the clock they were given on."""
    if given.isna().all():
        return _none(given.to_frame(), "UTC"), None
    if isinstance(given.dtype, pd.DatetimeTZDtype):
        times = pd.DatetimeIndex(given).as_unit("ns")
        local = times.astype(object).to_numpy(copy=True)
        local[times.isna()] = None
        return times.tz_convert("UTC"), local
    if not _all_match(given, TIME):
        return None
    read = _nanoseconds(pd.to_datetime(given, utc=True, format="ISO8601", errors="coerce"), given.isna())
    if read is None:
        return None
    local = np.full(len(given), None, dtype=object)
    offset = given.str.extract(TIME, expand=False)
    for each in offset.dropna().unique():
        rows = np.flatnonzero(offset == each)
        zone = pd.Timestamp(f"2000-01-01 00:00{each}").tz
        local[rows] = read[rows].tz_convert(zone).astype(object)
    return read, local


def _all_match(given: pd.Series, pattern: str) -> bool:
    """Whether a column holds strings of one pattern, or nothing."""
    if given.isna().all():
        return True
    if pd.api.types.infer_dtype(given, skipna=True) != "string":
        return False
    return bool(given.dropna().str.fullmatch(pattern).all())


def _nanoseconds(read: pd.Series, missing: pd.Series | None = None) -> pd.DatetimeIndex | None:
    """Return dates in nanoseconds; None where a date cannot be read or lies beyond their reach."""
    if missing is not None and (read.isna() != missing).any():
        return None
    try:
        return pd.DatetimeIndex(read).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        return None
