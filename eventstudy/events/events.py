"""Events: who was announced about, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.arguments import check_choice, check_number, check_whole
from eventstudy.errors import DataWarning, EventError, warn
from eventstudy.events.clock import check_zone
from eventstudy.events.event_lists import read_list
from eventstudy.events.validation import as_frame, validated
from eventstudy.immutable import Immutable, own_copy
from eventstudy.interop import ForeignTable
from eventstudy.tabular.frames import Options, read_frame
from eventstudy.tabular.reading import Taken, reading_frame
from eventstudy.text import MADE_UP_DAY_0, strip_control

__all__ = ["Ambiguous", "Events", "NonSession", "crossing_days"]

NonSession = Literal["next", "previous", "skip", "raise"]
Ambiguous = Literal["exclude", "first", "last"]
#: Values from which on a rule that most of them meet is warned of.
ENOUGH_VALUES = 20


class Events(Immutable):
    """A list of announcements, one row per event, validated and immutable.

    Parameters
    ----------
    events : DataFrame, mapping or iterable of mappings
        Of pandas or polars, or a pyarrow Table.
        Columns (or keys) `security` and either `date`, a day, or `announced_at`, a time **with**
        its zone: ``"2019-05-21 19:00-04:00"``, ``"2019-05-21 19:00 America/New_York"`` or an aware
        timestamp. A time known only to a window is given by both its ends, `announced_after` and
        `announced_before`, instead. Optional: `event_id` (unique; default 0, 1, ...), `label`,
        `group`, `benchmark` (a benchmark or column of the market, for this event instead of the
        market's), `factors` (the name of one of the market's sets of factors); any other column is kept.
    timezone : str, optional
        IANA zone of announcement times that carry none. Without it a time without zone is an error.
    non_session : {"next", "previous", "skip", "raise"}, default "next"
        What a `date` that is not a session of the market becomes: the next session, the previous one,
        an excluded event, or an error.
    ambiguous : {"exclude", "first", "last"}, default "exclude"
        What an event becomes whose `announced_after` and `announced_before` fall to different
        sessions: excluded, with a reason that names both, or placed at the first or the last of them.

    Raises
    ------
    EventError
        If a column is missing, a date cannot be read, or an id or a whole event is a duplicate.
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
        events: pd.DataFrame | ForeignTable | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        timezone: str | None = None,
        non_session: NonSession = "next",
        ambiguous: Ambiguous = "exclude",
    ) -> None:
        check_choice("non_session", non_session, get_args(NonSession), EventError)
        check_choice("ambiguous", ambiguous, get_args(Ambiguous), EventError)
        if timezone is not None:
            check_zone(timezone, "timezone")
        listed = read_list(as_frame(events), timezone)
        if listed.after_close and non_session != "next":
            raise EventError(
                "Announcements after the close are laid on the day after, which needs non_session='next', "
                "got "
                f"{non_session!r}. Give announced_at, with a time zone, instead."
            )
        self._hold(validated(listed, timezone), non_session, ambiguous, listed.reading)

    def _hold(
        self,
        frame: pd.DataFrame,
        non_session: NonSession,
        ambiguous: Ambiguous,
        reading: tuple[Taken, ...] = (),
    ) -> None:
        self._frame = frame
        self._non_session: NonSession = non_session
        self._ambiguous: Ambiguous = ambiguous
        self._reading = reading

    @classmethod
    def from_rule(
        cls,
        frame: pd.DataFrame | ForeignTable,
        *,
        size: float | None = None,
        above: float | None = None,
        below: float | None = None,
        crosses: float | None = None,
        spacing: int = 0,
        non_session: NonSession = "next",
    ) -> Events:
        """Make events of the days on which a value meets a rule: a large return, a surprise, a signal.

        Parameters
        ----------
        frame : DataFrame
            Days × securities of returns, surprises or signals; or one row per security-day.
        size, above, below, crosses : float
            One of them: the value is at least `size` up or down; at least `above`; at most `below`; or
            goes from below `crosses` to it or beyond since the value before.
        spacing : int, default 0
            Rows that must lie between two events of one security; those that follow too soon are left out.
        non_session
            As for `Events`.

        Returns
        -------
        Events
            With the value that met the rule in a column `value`.

        Warns
        -----
        DataWarning
            If more than half of the values meet the rule, as with a bound in decimals for values in percent.

        Raises
        ------
        EventError
            If not one rule is given, if its bound is not a number (for `size`, one above 0), or if no value
        meets it.

        Notes
        -----
        The day itself is the event day. A rule on returns chooses days by their outcome, so the average of
        that day's abnormal returns estimates nothing; only the days that follow can be studied.

        Examples
        --------
        >>> import pandas as pd
        >>> import eventstudy as es
        >>> days = pd.bdate_range("2020-01-01", periods=4)
        >>> moves = pd.DataFrame({"A": [0.01, -0.12, 0.0, 0.11], "B": [0.0, 0.02, 0.01, 0.0]}, days)
        >>> es.Events.from_rule(moves, size=0.1).frame[["security", "date", "value"]]
                 security       date  value
        event_id
        0               A 2020-01-02  -0.12
        1               A 2020-01-06   0.11
        """
        return cls(crossing_days(frame, size, above, below, crosses, spacing), non_session=non_session)

    @property
    def reading(self) -> pd.DataFrame:
        """What columns were taken for where that is not by the names of `Events`, and on what evidence."""
        return reading_frame(self._reading)

    @property
    def frame(self) -> pd.DataFrame:
        """The events: index `event_id`; columns security, date, announced_at (UTC) and all others.

        Where windows are given, also announced_after and announced_before (UTC).
        """
        return own_copy(self._frame)

    @property
    def non_session(self) -> NonSession:
        """What a date that is not a session becomes."""
        return self._non_session

    @property
    def ambiguous(self) -> Ambiguous:
        """What an event becomes that may have met either of two sessions."""
        return self._ambiguous

    @property
    def securities(self) -> list[str]:
        """The securities announced about, each once, in order of appearance."""
        return list(self._frame["security"].unique())

    def take(self, rows: Sequence[int]) -> Events:
        """Return some of the events, by position, with their ids and options.

        Examples
        --------
        >>> import eventstudy as es
        >>> events = es.Events({"security": ["A", "B"], "date": ["2020-01-02", "2020-01-09"]})
        >>> events.take([1]).frame.index.tolist()
        [1]
        """
        if not len(rows):
            raise EventError("take needs the position of at least one event.")
        part = type(self).__new__(type(self))
        part._hold(self._frame.iloc[list(rows)], self._non_session, self._ambiguous, self._reading)
        return part

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        days = self._days()
        n, k = len(self), len(self.securities)
        if (days == pd.Timestamp(MADE_UP_DAY_0)).all():
            return f"Events: {n} event{'s' * (n != 1)} in event time"
        span = f"{days.min():%Y-%m-%d}"
        if days.max() != days.min():
            span += f" to {days.max():%Y-%m-%d}"
        return f"Events: {n} event{'s' * (n != 1)} of {k} securit{'y' if k == 1 else 'ies'}, announced {span}"

    def _repr_html_(self) -> str:
        return strip_control(f"<p>{self!r}</p>{self._frame.to_html(max_rows=10, escape=True, border=0)}")

    def _days(self) -> pd.Series:
        """Calendar day of each event; of an announcement time, the day where it was announced."""
        days, told = self._frame["date"].copy(), self._frame["announced_local"]
        timed = told.notna().to_numpy()
        days[timed] = [given.tz_localize(None).normalize() for given in told[timed]]
        return days

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
        check_whole("within_days", within_days, 0)
        frame = pd.DataFrame({"security": self._frame["security"], "day": self._days()})
        frame = frame.rename_axis("event_id").reset_index().reset_index(names="order")
        pairs = frame.merge(frame, on="security", suffixes=("", "_earlier"))
        apart = (pairs["day"] - pairs["day_earlier"]).dt.days
        later = (apart > 0) | ((apart == 0) & (pairs["order"] > pairs["order_earlier"]))
        out = pairs.assign(days_apart=apart)[later & (apart <= within_days)]
        out = out.rename(columns={"event_id_earlier": "earlier_event_id"})
        return out[["security", "event_id", "earlier_event_id", "days_apart"]].reset_index(drop=True)


def crossing_days(
    frame: Any,
    size: float | None,
    above: float | None,
    below: float | None,
    crosses: float | None,
    spacing: int,
) -> pd.DataFrame:
    """Return a row for each day and security whose value meets the rule; see `Events.from_rule`."""
    rules = {"size": size, "above": above, "below": below, "crosses": crosses}
    given = {name: value for name, value in rules.items() if value is not None}
    if len(given) != 1:
        raise EventError(
            f"from_rule takes one of size, above, below and crosses; got {', '.join(given) or 'none'}."
        )
    name, bound = next(iter(given.items()))
    check_number(name, bound, above=0.0 if name == "size" else None, error=EventError)
    if isinstance(spacing, bool) or not isinstance(spacing, int | np.integer) or spacing < 0:
        raise EventError(f"spacing is a number of rows, 0 or more, got {spacing!r}.")
    values = next(iter(read_frame(frame, Options("Events.from_rule", "values")).fields.values()))
    array = values.to_numpy()
    with np.errstate(invalid="ignore"):
        if name == "size":
            met = np.abs(array) >= bound
        elif name == "above":
            met = array >= bound
        elif name == "below":
            met = array <= bound
        else:
            met = (array >= bound) & (values.ffill().shift().to_numpy() < bound)
    known = int((~np.isnan(array)).sum())
    if known >= ENOUGH_VALUES and met.sum() > known / 2:
        warn(
            f"Events.from_rule: {int(met.sum())} of {known} values meet {name}={bound:g}; a typical one is "
            f"{float(np.nanmedian(np.abs(array))):.3g} in size. Is the bound in the unit of the values, "
            "decimals or percent?",
            DataWarning,
        )
    rows = []
    for column in np.flatnonzero(met.any(axis=0)).tolist():
        last = -spacing - 1
        for row in np.flatnonzero(met[:, column]).tolist():
            if row - last > spacing:
                rows.append((values.columns[column], values.index[row], array[row, column]))
                last = row
    if not rows:
        raise EventError(
            f"from_rule: no value meets {name}={bound:g}; they run from {np.nanmin(array):g} to "
            f"{np.nanmax(array):g}."
        )
    out = pd.DataFrame(rows, columns=["security", "date", "value"])
    return out.sort_values(["date", "security"], ignore_index=True)
