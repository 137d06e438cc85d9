"""Events: who was announced about, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from numbers import Integral
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from eventstudy.errors import EventError, NaiveTimeError, cleaned

__all__ = ["AMBIGUOUS_DAY", "SECURITY_NAMES", "Ambiguous", "Events", "NonSession"]

NonSession = Literal["next", "previous", "skip", "raise"]
Ambiguous = Literal["exclude", "first", "last"]

#: A date whose day and month may be mistaken for each other, such as 05/06/2019.
AMBIGUOUS_DAY = re.compile(r"^\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
#: Columns of an announcement whose time is known only to a window.
WINDOW = ("announced_after", "announced_before")
#: Other names under which files keep securities.
SECURITY_NAMES = ("security", "ticker", "symbol", "permno", "isin", "stock", "code")
#: Abbreviations stand for several zones at once (CST is Chicago's and Shanghai's).
ZONE_ABBREVIATION = re.compile(r"\d\s*(?!UTC|GMT)[A-Z]{3,4}\s*$")
ZONE_NAME = re.compile(r"\s+([A-Za-z]+(?:/[A-Za-z_+\-0-9]+)+|UTC|GMT)\s*$")


class Events:
    """A list of announcements, one row an event, validated and immutable.

    Parameters
    ----------
    events : DataFrame, mapping or iterable of mappings
        Columns (or keys) `security` and either `date`, a day, or `announced_at`, a time **with**
        its zone: ``"2019-05-21 19:00-04:00"``, ``"2019-05-21 19:00 America/New_York"`` or an aware
        timestamp. A time known only to a window is given by both its ends, `announced_after` and
        `announced_before`, instead. Optional: `event_id` (unique; default 0, 1, ...), `label`,
        `group`, `benchmark` (a benchmark or column of the market, for this event instead of the
        market's), `factors` (the name of one of the market's sets of factors); any other column is kept.
    timezone : str, optional
        IANA zone of announcement times that carry none. Without it a time without zone is an error.
    non_session : {"next", "previous", "skip", "raise"}, default "next"
        What a `date` that is no session of the market becomes: the next session, the previous one,
        an excluded event, or an error.
    ambiguous : {"exclude", "first", "last"}, default "exclude"
        What an event becomes whose `announced_after` and `announced_before` fall to different
        sessions: excluded, with a reason that names both, or placed at the first or the last of them.

    Raises
    ------
    EventError
        If a column is missing, a date cannot be read, an id or a whole event stands twice.
    NaiveTimeError
        If an announcement time has no zone and `timezone` is not given.

    See Also
    --------
    Events.overlaps : announcements of one security that lie close together.

    Examples
    --------
    >>> import eventstudy as es
    >>> events = es.Events(
    ...     [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
    ... )
    >>> events
    Events: 1 event of 1 security, announced 2019-05-21
    >>> es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00"}])
    Traceback (most recent call last):
        ...
    eventstudy.errors.NaiveTimeError: Event 0 (002415.SZ): announced_at '2019-05-21 19:00' has no time zone, \
so its first session is unknown. Write '2019-05-21 19:00-04:00' or '2019-05-21 19:00 America/New_York', \
or pass Events(..., timezone='America/New_York').
    """

    def __init__(
        self,
        events: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        timezone: str | None = None,
        non_session: NonSession = "next",
        ambiguous: Ambiguous = "exclude",
    ) -> None:
        if non_session not in get_args(NonSession):
            raise EventError(f"non_session must be one of {get_args(NonSession)}, got {non_session!r}.")
        if ambiguous not in get_args(Ambiguous):
            raise EventError(f"ambiguous must be one of {get_args(Ambiguous)}, got {ambiguous!r}.")
        if timezone is not None:
            _zone(timezone, "timezone")
        self._non_session: NonSession = non_session
        self._ambiguous: Ambiguous = ambiguous
        self._frame = _validated(_as_frame(events), timezone)

    @property
    def frame(self) -> pd.DataFrame:
        """The events: index `event_id`; columns security, date, announced_at (UTC) and all others.

        Where windows are given, also announced_after and announced_before (UTC).
        """
        return self._frame.copy()

    @property
    def non_session(self) -> NonSession:
        """What a date that is no session becomes."""
        return self._non_session

    @property
    def ambiguous(self) -> Ambiguous:
        """What an event becomes that may have met either of two sessions."""
        return self._ambiguous

    @property
    def securities(self) -> list[str]:
        """The securities announced about, each once, in order of appearance."""
        return list(self._frame["security"].unique())

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        days = self._days()
        n, k = len(self), len(self.securities)
        span = f"{days.min():%Y-%m-%d}"
        if days.max() != days.min():
            span += f" to {days.max():%Y-%m-%d}"
        return f"Events: {n} event{'s' * (n != 1)} of {k} securit{'y' if k == 1 else 'ies'}, announced {span}"

    def _repr_html_(self) -> str:
        return cleaned(f"<p>{self!r}</p>{self._frame.to_html(max_rows=10, escape=True, border=0)}")

    def _days(self) -> pd.Series:
        """Calendar day of each event; of an announcement time, the day where it was announced."""
        local = [
            given.tz_localize(None).normalize() if pd.notna(given) else day
            for day, given in zip(self._frame["date"], self._frame["announced_local"], strict=True)
        ]
        return pd.Series(local, index=self._frame.index, dtype="datetime64[ns]")

    def overlaps(self, within_days: int = 365) -> pd.DataFrame:
        """Pairs of events of one security that lie close together.

        An earlier announcement inside the estimation window of a later one spoils its normal
        returns; inside its event window, it spoils the abnormal ones.

        Parameters
        ----------
        within_days : int, default 365
            Largest distance in calendar days.

        Returns
        -------
        DataFrame
            One row a pair: security, event_id, earlier_event_id, days_apart.

        Examples
        --------
        >>> import eventstudy as es
        >>> es.Events(
        ...     {"security": ["A", "A"], "date": ["2020-01-02", "2020-01-09"]}
        ... ).overlaps()
          security  event_id  earlier_event_id  days_apart
        0        A         1                 0           7
        """
        frame = pd.DataFrame({"security": self._frame["security"], "day": self._days()})
        frame = frame.rename_axis("event_id").reset_index().reset_index(names="order")
        pairs = frame.merge(frame, on="security", suffixes=("", "_earlier"))
        apart = (pairs["day"] - pairs["day_earlier"]).dt.days
        later = (apart > 0) | ((apart == 0) & (pairs["order"] > pairs["order_earlier"]))
        out = pairs.assign(days_apart=apart)[later & (apart <= within_days)]
        out = out.rename(columns={"event_id_earlier": "earlier_event_id"})
        return out[["security", "event_id", "earlier_event_id", "days_apart"]].reset_index(drop=True)


def _as_frame(events: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    if isinstance(events, pd.DataFrame):
        frame = events.copy()
        if frame.index.name == "event_id" and "event_id" not in frame.columns:
            frame = frame.reset_index()
    elif isinstance(events, Mapping):
        scalar = not any(pd.api.types.is_list_like(v) for v in events.values())
        frame = pd.DataFrame([dict(events)] if scalar else dict(events))
    else:
        rows = list(events)
        if not all(isinstance(row, Mapping) for row in rows):
            raise EventError(
                "Events takes a DataFrame or a list of dictionaries such as "
                "{'security': '002415.SZ', 'date': '2019-05-22'}."
            )
        frame = pd.DataFrame(rows)
    if frame.empty:
        raise EventError("No events: the list is empty.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].tolist()
        raise EventError(f"Event columns stand twice: {twice}. Keep one of each.")
    return frame.reset_index(drop=True)


def _validated(frame: pd.DataFrame, timezone: str | None) -> pd.DataFrame:
    if "security" not in frame:
        meant = next((c for c in frame.columns if str(c).lower() in SECURITY_NAMES), None)
        hint = f" Rename it: frame.rename(columns={{{meant!r}: 'security'}})." if meant is not None else ""
        raise EventError(f"Events need a column 'security'; the columns are {list(frame.columns)}.{hint}")
    if not {"date", "announced_at", *WINDOW} & set(frame.columns):
        raise EventError(
            "Events need a column 'date' (a day) or 'announced_at' (a time with its zone); "
            f"the columns are {list(frame.columns)}."
        )
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
        moments = {
            name: _moment(value, timezone, where, name) for name, value in given.items() if name != "date"
        }
        if set(given) == set(WINDOW) and moments["announced_after"] > moments["announced_before"]:
            raise EventError(
                f"{where}: announced_after {given['announced_after']} is later than announced_before "
                f"{given['announced_before']}. Swap them."
            )
        times.append(moments["announced_at"].tz_convert("UTC") if "announced_at" in moments else pd.NaT)
        for name, end in ends.items():
            end.append(moments[name].tz_convert("UTC") if name in moments else pd.NaT)
        local.append(_local(frame, row, next(iter(moments.values()), None)))
    out = pd.DataFrame(
        {
            "security": security.to_numpy(),
            "date": pd.DatetimeIndex(days).as_unit("ns"),
            "announced_at": pd.DatetimeIndex(times, tz="UTC").as_unit("ns"),
            "announced_local": pd.Series(local, dtype=object).to_numpy(),
        },
        index=pd.Index(ids.to_numpy(), name="event_id"),
    )
    if set(WINDOW) & set(frame.columns):
        for name, end in ends.items():
            out[name] = pd.DatetimeIndex(end, tz="UTC").as_unit("ns")
    own = ["security", "date", "announced_at", "announced_local", "event_id", *WINDOW]
    others = frame.drop(columns=own, errors="ignore")
    out = pd.concat([out, others.set_axis(out.index)], axis=1)
    same = out.duplicated(["security", "date", "announced_at", *(end for end in WINDOW if end in out)])
    if same.any():
        first = out.loc[same].iloc[0]
        raise EventError(
            f"Event {out.index[same][0]} ({first['security']}) stands twice, with the same security and "
            "time; counted twice it would weigh double. Drop one, e.g. with "
            "frame.drop_duplicates(['security', 'date'])."
        )
    return out


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
        if isinstance(value, Integral) and re.fullmatch(r"(19|20)\d{6}", str(value)):
            value = str(value)
        if isinstance(value, str) and AMBIGUOUS_DAY.match(value):
            _reject(value)
        if isinstance(value, bool) or not isinstance(value, (str, date, datetime, pd.Timestamp)):
            value = (
                pd.Timestamp(value) if hasattr(value, "dtype") and value.dtype.kind == "M" else _reject(value)
            )
        day = pd.Timestamp(value).as_unit("ns")
    except (ValueError, TypeError) as problem:
        shown = value.item() if isinstance(value, np.generic) else value
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


def _reject(value: object) -> Any:
    raise ValueError(f"{value!r} is no date")


def _moment(value: Any, timezone: str | None, where: str, column: str) -> pd.Timestamp:
    zone = timezone
    text = value
    if isinstance(value, str):
        named = ZONE_NAME.search(value)
        if named:
            zone, text = named.group(1), value[: named.start()]
            _zone(zone, f"{where}: {column} {value!r}")
    try:
        if not isinstance(text, (str, datetime, pd.Timestamp)) and getattr(text, "dtype", None) is None:
            _reject(text)
        if isinstance(text, str) and (AMBIGUOUS_DAY.match(text) or ZONE_ABBREVIATION.search(text)):
            _reject(text)
        moment = pd.Timestamp(text).as_unit("ns")
    except (ValueError, TypeError) as problem:
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
                f"{where}: {value!r} does not exist or stands twice in {zone} (clocks change): "
                "give the offset, such as '2019-03-10 02:30-05:00'."
            )
        moment = placed
    return moment.as_unit("ns")


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise EventError(
            f"{where}: {name!r} is no time zone; use an IANA name such as 'America/New_York'."
        ) from None
