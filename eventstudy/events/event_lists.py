"""Event lists as vendors give them → columns security, date and announced_at."""

from __future__ import annotations

import ast
import re
from datetime import datetime, time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.column_names import (
    AFTER_NAMES,
    CLOCK_NAMES,
    EVENT_DATE_NAMES,
    EVENT_DAY_NAMES,
    EVENT_MOMENT_NAMES,
    SECURITY_NAMES,
    SESSION_NAMES,
    SETTING_NAMES,
    UNIQUE_IDS,
    WINDOW_COLUMNS,
    ZONE_NAMES,
    find_column,
    plain_name,
)
from eventstudy.errors import DataWarning, EventError, NaiveTimeError, warn
from eventstudy.events.clock import UNKNOWN, check_zone, clock_of, clocks_of, session_of, truth_of
from eventstudy.tabular.day_counts import COUNTED
from eventstudy.tabular.days import days_of, end_of_period
from eventstudy.tabular.reading import Taken
from eventstudy.text import regex

__all__ = ["EventList", "read_list"]

#: Columns of an announcement whose time is known only to a window.
WINDOW = ("announced_after", "announced_before")
WHEN = ("date", "announced_at", *WINDOW)
#: Lists whose clock times are of one zone, by the columns that tell them.
ZONES_OF_LISTS = {"anntims": "America/New_York", "anntimsact": "America/New_York"}
#: Midnight of a zone, in ISO's way.
_MIDNIGHT = regex(r"\d{4}-\d{2}-\d{2}[ T]00:00(:00(\.0+)?)?\s*(Z|[+-]\d{2}:?\d{2})")
#: A day as it is written without an hour.
_WHOLE_DAY = regex(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{8}|\d{1,2}[-/. ][A-Za-z]{3,9}[-/. ]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4}|"
    r"\d{4}年\d{1,2}月\d{1,2}日"
)
#: Columns that say when in the day, whatever they hold.
NAMED_CLOCKS = (CLOCK_NAMES | SESSION_NAMES | AFTER_NAMES) - {"session", "when", "timing"}
#: Columns that say when an event was, as `plain_name` writes them.
_TIMED = frozenset(
    (*map(plain_name, WHEN), *EVENT_DATE_NAMES, *EVENT_DAY_NAMES, *EVENT_MOMENT_NAMES, *CLOCK_NAMES)
) | {*SESSION_NAMES, *ZONE_NAMES, *map(plain_name, WINDOW_COLUMNS)}
#: Characters that no day, time or zone needs; patterns take long over a text of thousands of blanks.
LONGEST = 200
#: Tickers of several securities in one text.
_SEVERAL_TICKERS = regex(r"[A-Z0-9.^=-]{1,12}(\s*[,;]\s*[A-Z0-9.^=-]{1,12})+")


class EventList(NamedTuple):
    """Events under the names of `Events`.

    Attributes
    ----------
    frame : DataFrame
    zones : Series of str, optional
        Zone of each row's times, where a column gives it.
    reading : tuple of Taken
    after_close : bool
        Whether an announcement after the close was laid on the day after it.
    """

    frame: pd.DataFrame
    zones: pd.Series | None
    reading: tuple[Taken, ...]
    after_close: bool = False


def read_list(frame: pd.DataFrame, timezone: str | None) -> EventList:
    """Find the columns of an event list, join days and clock times, part cells of several securities.

    Raises
    ------
    EventError
        If no column names securities, or none says when.
    """
    reading: list[Taken] = []
    _check_lengths(frame)
    frame = _with_security(frame, reading)
    frame = _with_when(frame, reading)
    _warn_of_other_days(frame)
    frame = _parted(frame, reading)
    zone = find_column([c for c in frame.columns if c not in WHEN], ZONE_NAMES)
    zones = None if zone is None else _zones(frame, zone, reading)
    frame, after = _with_clock(frame, timezone, zones, reading)
    if "date" in frame:
        frame = frame.assign(date=_days(frame["date"], reading))
    if "announced_at" in frame:
        frame = _whole_days(frame, timezone, zones, reading)
    frame = _with_windows(frame, reading)
    _warn_of_settings(frame)
    return EventList(frame, zones, tuple(reading), after)


def _check_lengths(frame: pd.DataFrame) -> None:
    for column in frame.columns:
        if plain_name(column) not in _TIMED:
            continue
        for row, cell in enumerate(frame[column]):
            if isinstance(cell, str) and len(cell) > LONGEST:
                raise EventError(
                    f"Events, column {str(column)!r}: row {row} holds a text of {len(cell):,} characters, "
                    f"{' '.join(cell[:1000].split())[:40]!r}, which is not a day, a time or a zone."
                )


def _with_security(frame: pd.DataFrame, reading: list[Taken]) -> pd.DataFrame:
    if "security" in frame:
        names = frame["security"]
        if pd.api.types.is_float_dtype(names) and (names.dropna() % 1 == 0).all():
            names = names.astype("Int64")
        return frame.assign(security=names.astype(object).where(names.notna(), None))
    found = find_column([c for c in frame.columns if c not in WHEN], SECURITY_NAMES)
    if found is None:
        raise EventError(
            f"Events need a column 'security'; the columns are {list(frame.columns)}. Rename yours: "
            "frame.rename(columns={'name': 'security'})."
        )
    why = "an id that stays with its security" if plain_name(found) in UNIQUE_IDS else "by its name"
    reading.append(Taken(str(found), "security", evidence=why))
    names = frame[found]
    if pd.api.types.is_float_dtype(names) and (names.dropna() % 1 == 0).all():
        names = names.astype("Int64")
    return frame.assign(security=names.astype(object).where(names.notna(), None))


def _with_when(frame: pd.DataFrame, reading: list[Taken]) -> pd.DataFrame:
    if set(WHEN) & set(frame.columns):
        return frame
    moment = find_column(frame.columns, EVENT_MOMENT_NAMES)
    day = find_column(frame.columns, EVENT_DATE_NAMES)
    if (
        moment is not None
        and _has_times(frame[moment])
        and not (moment == day and _own_midnights(frame[moment]) is not None)
    ):
        reading.append(Taken(str(moment), "announced_at", evidence="by its name, and it holds times"))
        if plain_name(moment).endswith("utc") and getattr(frame[moment].dtype, "tz", None) is None:
            stamps = pd.DatetimeIndex(pd.to_datetime(frame[moment], errors="coerce"))
            return frame.assign(announced_at=pd.Series(stamps.tz_localize("UTC"), frame.index))
        return frame.assign(announced_at=frame[moment])
    found = day if day is not None else moment
    if found is None:
        raise EventError(
            "Events need a column 'date' (a day) or 'announced_at' (a time with its zone); "
            f"the columns are {list(frame.columns)}."
        )
    reading.append(Taken(str(found), "date", evidence="by its name"))
    return frame.assign(date=frame[found])


def _warn_of_other_days(frame: pd.DataFrame) -> None:
    """Warn where another column names the day of the event too, and says another day."""
    if "date" not in frame:
        return
    for column in frame.columns:
        if column == "date" or plain_name(column) not in EVENT_DAY_NAMES:
            continue
        try:
            one, other = (
                days_of(frame[name], "", periods=False, error=EventError).stamps for name in ("date", column)
            )
        except EventError:
            continue
        differs = np.asarray(one.notna()) & np.asarray(other.notna()) & np.asarray(one != other)
        if differs.any():
            row = int(np.argmax(differs))
            warn(
                f"Events: the columns 'date' and {str(column)!r} both look like the day of the event, and "
                f"differ: {one[row]:%Y-%m-%d} and {other[row]:%Y-%m-%d} in row {row}. 'date' is taken; drop "
                "the other, or call it by another name.",
                DataWarning,
            )


def _own_midnights(column: pd.Series) -> pd.Series | None:
    """Return the days of a column of midnights of one zone, by which vendors mean days; else None."""
    known = column.dropna()
    if len(known) < 2:  # one midnight is no evidence
        return None
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        days = column.dt.tz_localize(None)
    elif known.map(lambda v: isinstance(v, datetime) and v.tzinfo is not None).all():
        days = column.map(lambda v: pd.NaT if pd.isna(v) else pd.Timestamp(v).tz_localize(None))
    elif known.map(lambda v: isinstance(v, str) and _MIDNIGHT.fullmatch(v) is not None).all():
        days = pd.to_datetime(column.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    else:
        return None
    return days if bool((days == days.dt.normalize())[column.notna()].all()) else None


def _has_times(column: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = pd.DatetimeIndex(column.dropna())
        return stamps.tz is not None or bool((stamps != stamps.normalize()).any())
    return any(_shows_hour(value) for value in column.dropna())


def _shows_hour(value: Any) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None or value.time() != time(0)
    return re.search(r"\d:\d\d|^\s*(19|20)\d{12}\s*$", str(value)) is not None


def _parted(frame: pd.DataFrame, reading: list[Taken]) -> pd.DataFrame:
    """Make one event of each security of a cell that holds a list of them."""
    cells = frame["security"].astype(object).map(_several)
    several = cells.map(lambda cell: isinstance(cell, list))
    if not several.any():
        return frame
    n = int(several.sum())
    parts = frame.assign(security=cells).explode("security", ignore_index=True)
    if "event_id" in frame and parts["event_id"].duplicated().any():
        parts["event_id"] = parts["event_id"].astype(str) + ":" + parts["security"].astype(str)
    reading.append(Taken("security", "one event for each security", evidence=f"{n} cells hold several"))
    return parts


def _several(cell: Any) -> Any:
    if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        return [str(one).strip() for one in cell]
    text = str(cell).strip()
    if text[:1] in "[({" and text[-1:] in "])}" and len(text) > 2:
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            found = [part.strip(" '\"") for part in text[1:-1].split(",")]
        if isinstance(found, (list, tuple, set)):
            return [str(one).strip() for one in found]
    if _SEVERAL_TICKERS.fullmatch(text):
        return re.split(r"\s*[,;]\s*", text)
    return cell


def _zones(frame: pd.DataFrame, column: Any, reading: list[Taken]) -> pd.Series | None:
    names: pd.Series = frame[column].map(
        lambda v: None if pd.isna(v) or not str(v).strip() else str(v).strip()
    )
    for name in names.dropna().unique():
        check_zone(name, f"Events, column {str(column)!r}")
    reading.append(Taken(str(column), "time zone", evidence="of each row"))
    return names


def _with_clock(
    frame: pd.DataFrame, timezone: str | None, zones: pd.Series | None, reading: list[Taken]
) -> tuple[pd.DataFrame, bool]:
    """Join days with clock times, and let words such as AMC say which day could react."""
    if "date" not in frame or "announced_at" in frame:
        return frame, False
    others = [c for c in frame.columns if c not in (*WHEN, "security", "event_id")]
    clock, spent, unit = _clock(frame, others)
    words = next(
        (
            c
            for c in others
            if plain_name(c) in (*SESSION_NAMES, *CLOCK_NAMES) and _holds(frame[c], session_of)
        ),
        None,
    )
    flag = None
    if words is None:
        flag = next((c for c in others if plain_name(c) in AFTER_NAMES and _holds(frame[c], truth_of)), None)
    if clock is None and words is None and flag is None:
        _warn_of_hours(frame, others)
        return frame, False
    default = timezone or (ZONES_OF_LISTS.get(plain_name(clock)) if clock is not None else None)
    known = spent.map(lambda v: isinstance(v, pd.Timedelta)).astype(bool)
    if clock is not None and plain_name(clock) in ZONES_OF_LISTS:
        known &= spent.map(lambda v: v != pd.Timedelta(0))  # I/B/E/S writes midnight where no time is known
    zone = pd.Series(default, frame.index, dtype=object) if zones is None else zones.fillna(default or "")
    zoned = zone.map(lambda z: isinstance(z, str) and bool(z)).astype(bool)
    side = pd.Series(None, frame.index, dtype=object)
    if words is not None:
        side = pd.Series([session_of(v) for v in frame[words]], frame.index, dtype=object)
    elif flag is not None:
        words = flag
        side = pd.Series(["after" if truth_of(v) else None for v in frame[flag]], frame.index, dtype=object)
    lacking = known & ~zoned & side.isna()
    if lacking.any():
        row = int(np.argmax(lacking))
        raise NaiveTimeError(
            f"Event in row {row} ({frame['security'].iloc[row]}): the column {str(clock)!r} gives a time of "
            f"day, "
            f"{frame[clock].iloc[row]}, and no time zone, so its first session is unknown. Pass Events(..., "
            "timezone='America/New_York'), or give a column timezone. If the hour does not matter, drop the "
            "column."
        )
    days = _days(frame["date"], reading)
    timed = known & zoned
    after = (side == "after") & ~timed
    stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(days).to_numpy(), errors="coerce"))
    moments = [
        (stamps[i] + spent.iloc[i]).tz_localize(zone.iloc[i]) if timed.iloc[i] else None
        for i in range(len(frame))
    ]
    moved = pd.Series(days, frame.index).astype(object)
    moved[after.to_numpy()] = (stamps + pd.Timedelta(days=1))[after.to_numpy()].to_list()
    moved[timed.to_numpy()] = None
    if timed.any():
        reading.append(
            Taken(
                f"date and {clock}",
                "announced_at",
                default or "",
                evidence=f"{int(timed.sum())} rows" + f", {unit}" * bool(unit),
            )
        )
        frame = frame.assign(announced_at=pd.Series(moments, frame.index, dtype=object))
    if side.notna().any():
        text = f"{int(after.sum())} rows after the close go to the day after"
        reading.append(Taken(str(words), "session of the announcement", evidence=text))
    return frame.assign(date=moved), bool(after.any())


def _clock(frame: pd.DataFrame, others: list[Any]) -> tuple[Any | None, pd.Series, str]:
    """Find the column of clock times; returns its name, the times of day and the unit of numbers."""
    for column in (c for c in others if plain_name(c) in CLOCK_NAMES):
        seconds = plain_name(column) in ZONES_OF_LISTS
        read = clocks_of(frame[column], f"Events, column {str(column)!r}", seconds)
        if read is None:
            continue
        given = frame[column].map(lambda v: not (pd.api.types.is_scalar(v) and pd.isna(v)))
        given &= ~frame[column].astype(str).str.strip().str.lower().isin(UNKNOWN)
        spent = pd.Series(read[0], frame.index, dtype=object)
        if given.any() and spent[given].notna().all():
            return column, spent, read[1]
    return None, pd.Series(None, frame.index, dtype=object), ""


def _holds(column: pd.Series, read: Any) -> bool:
    """Whether what a column holds is read, but for words that say that nothing is known."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return False
    known = [
        v for v in column if not (pd.api.types.is_scalar(v) and pd.isna(v)) and str(v).lower() not in UNKNOWN
    ]
    return bool(known) and all(read(v) is not None for v in known)


def _warn_of_hours(frame: pd.DataFrame, others: list[Any]) -> None:
    for column in others:
        values = frame[column]
        known = [v for v in values if pd.api.types.is_scalar(v) and not pd.isna(v)]
        known = [v for v in known if str(v).strip().lower() not in UNKNOWN]
        if known and plain_name(column) in NAMED_CLOCKS:
            warn(
                f"Events: the column {str(column)!r} is not understood and not used: {known[0]!r} is neither "
                "a time of day, such as 16:30, nor a session, such as AMC. The date is taken for the event "
                "day.",
                DataWarning,
            )
            continue
        text = not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values)
        if text and (_holds(values, _exact_session) or _holds(values, _exact_clock)):
            warn(
                f"Events: the column {str(column)!r} holds times of day or sessions, such as "
                f"{values.dropna().iloc[0]}, and "
                "is not used: the date is taken for the event day. Call it 'time' or 'session' if it says "
                "when in the day "
                "the announcement was made.",
                DataWarning,
            )


def _exact_session(value: Any) -> str | None:
    return session_of(value) if str(value).strip().upper() in ("AMC", "BMO", "DMH") else None


def _exact_clock(value: Any) -> pd.Timedelta | None:
    timed = isinstance(value, str) or (hasattr(value, "hour") and not isinstance(value, pd.Period))
    return clock_of(value) if timed else None


def _days(column: pd.Series, reading: list[Taken]) -> pd.Series:
    """Read a column of days where all of it says how; else return it as it is, to be read row by row."""
    midnights = _own_midnights(column)
    if midnights is not None:
        return midnights
    if pd.api.types.is_datetime64_any_dtype(column) or _has_times(column):
        return column
    try:
        read = days_of(column, "Events, column 'date'", periods=False, error=EventError)
    except EventError as problem:
        if "different types" in str(problem) and not column.map(lambda v: hasattr(v, "year")).all():
            texts = column[column.map(lambda v: isinstance(v, str) and bool(v.strip()))]
            if texts.str.contains(r"^\d{1,2}[./-]\d{1,2}[./-]").any():
                raise
        if "longer than a day" in str(problem) or COUNTED.search(str(problem)):
            raise
        return column
    if not read.form.startswith(("%Y-%m-%d", "dates", "nothing")):
        reading.append(Taken("date", "date", evidence=f"read as {read.form}"))
    return pd.Series(read.stamps, column.index)


def _whole_days(
    frame: pd.DataFrame, timezone: str | None, zones: pd.Series | None, reading: list[Taken]
) -> pd.DataFrame:
    """Make announcements of which the day is known and not the hour windows of that day."""
    column = frame["announced_at"]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return frame
    whole = column.map(_is_whole_day)
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = pd.DatetimeIndex(column)
        known = stamps.notna()
        whole = pd.Series(known, frame.index) & bool((stamps[known] == stamps[known].normalize()).all())
    if not whole.any():
        return frame
    ends: dict[str, list[Any]] = {
        name: list(frame[name]) if name in frame else [None] * len(frame) for name in WINDOW
    }
    for row in np.flatnonzero(whole):
        zone = (zones.iloc[row] if zones is not None else None) or timezone
        who, given = frame["security"].iloc[row], column.iloc[row]
        where = f"Event in row {row} ({who}): announced_at {str(given)!r}"
        if zone is None:
            raise NaiveTimeError(
                f"{where} gives a day, no hour and no time zone. If it is the event day, give it as date; if "
                f"the hour is "
                "not known, pass Events(..., timezone='America/New_York'), and the window of that whole day "
                "is taken."
            )
        day = pd.DatetimeIndex(
            days_of(pd.Series([given], dtype=object), where, periods=False, error=EventError).stamps
        )[0]
        ends["announced_after"][row] = day.tz_localize(zone)
        ends["announced_before"][row] = (day + pd.Timedelta(hours=23, minutes=59, seconds=59)).tz_localize(
            zone
        )
    reading.append(
        Taken("announced_at", "window of the day", evidence=f"{int(whole.sum())} rows have no hour")
    )
    held = column.astype(object).where(~whole, None)
    return frame.assign(
        announced_at=held, **{name: pd.Series(v, frame.index, dtype=object) for name, v in ends.items()}
    )


def _is_whole_day(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() != "" and _WHOLE_DAY.fullmatch(value.strip()) is not None
    return hasattr(value, "year") and not hasattr(value, "hour")


def _with_windows(frame: pd.DataFrame, reading: list[Taken]) -> pd.DataFrame:
    """Rename window columns to the names known, and replace periods in them by their first or last day.

    ``Estimation Start`` becomes ``estimation_start``, where June 2019 is 1 June.
    """
    plain = [plain_name(column) for column in frame.columns]
    named: dict[Any, str] = {}
    for name in WINDOW_COLUMNS:
        if name not in frame and plain.count(plain_name(name)) == 1:
            column = frame.columns[plain.index(plain_name(name))]
            named[column] = name
            reading.append(Taken(str(column), name, evidence="by its name"))
    frame = frame.rename(columns=named) if named else frame
    ends: dict[str, pd.Series] = {}
    for name in WINDOW_COLUMNS:
        if name in frame and (frame[name].dtype == object or isinstance(frame[name].dtype, pd.PeriodDtype)):
            end = "start" if "start" in name else "end"
            cells = [end_of_period(cell, end) for cell in frame[name]]
            ends[name] = pd.Series(cells, frame.index, dtype=object)
    return frame.assign(**ends) if ends else frame


def _warn_of_settings(frame: pd.DataFrame) -> None:
    windows = {plain_name(name) for name in WINDOW_COLUMNS}
    named = [
        str(c)
        for c in frame.columns
        if c not in WINDOW_COLUMNS and (plain_name(c) in SETTING_NAMES or plain_name(c) in windows)
    ]
    if named:
        warn(
            f"Events: the columns {', '.join(named)} look like settings and are not used. Windows of each "
            f"event are columns {', '.join(WINDOW_COLUMNS[:4])}, its benchmark is the column benchmark; the "
            "model belongs to the study, EventStudy(market, events, model).",
            DataWarning,
        )
