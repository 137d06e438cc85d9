"""Exchange calendars: which session could first react to an announcement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray, IntArray
from eventstudy.errors import CalendarError
from eventstudy.immutable import FrozenMapping, FrozenRecord
from eventstudy.text import regex

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

__all__ = ["Exchange", "Reaction", "exchange_of", "suggested_calendar"]

Day = str | date | pd.Timestamp

# Shenzhen is unknown to exchange_calendars and keeps Shanghai's sessions; one name is in lower case.
ALIASES = {"XSHE": "XSHG", "US_FUTURES": "us_futures"}

# Suffix of Yahoo's tickers (.SH: of Chinese vendors) → calendar of exchange_calendars. Bombay stands for the
# National Stock Exchange, Korea's and Taiwan's main markets for KOSDAQ and the OTC market: they keep the same
# sessions.
SUFFIXES = {
    "SZ": "XSHG", "SS": "XSHG", "SH": "XSHG", "HK": "XHKG", "T": "XTKS", "KS": "XKRX", "KQ": "XKRX",
    "TW": "XTAI", "TWO": "XTAI", "NS": "XBOM", "BO": "XBOM", "SI": "XSES", "KL": "XKLS", "JK": "XIDX",
    "BK": "XBKK", "AX": "XASX", "NZ": "XNZE", "L": "XLON", "IL": "XLON", "IR": "XDUB", "DE": "XETR",
    "F": "XFRA", "PA": "XPAR", "AS": "XAMS", "BR": "XBRU", "LS": "XLIS", "MI": "XMIL", "MC": "XMAD",
    "SW": "XSWX", "VI": "XWBO", "AT": "ASEX", "ST": "XSTO", "HE": "XHEL", "CO": "XCSE", "OL": "XOSL",
    "IC": "XICE", "WA": "XWAR", "PR": "XPRA", "BD": "XBUD", "IS": "XIST", "TA": "XTAE", "SR": "XSAU",
    "JO": "XJSE", "TO": "XTSE", "V": "XTSX", "MX": "XMEX", "SA": "BVMF", "BA": "XBUE", "SN": "XSGO",
}  # fmt: skip

#: Days that exchange_calendars takes for sessions and that were none: typhoon Saola and a black rainstorm
#: warning in Hong Kong (the Hang Seng Index has no close), typhoon Kong-rey in Taiwan; announced on the day.
NO_SESSIONS = {"XHKG": ("2023-09-01", "2023-09-08"), "XTAI": ("2024-10-31",)}
#: Sessions that ended early: China's circuit breaker stopped trade for the day; Hong Kong ends it a quarter
#: of an hour after a typhoon signal, that of Nalgae at 13:40.
EARLY_CLOSES = {
    "XSHG": {"2016-01-04": "13:33", "2016-01-07": "09:59"},
    "XHKG": {"2022-11-02": "13:55"},
}

MARGIN = pd.Timedelta(days=31)
#: First day of the calendars that are made, unless an earlier one is asked for.
SINCE = pd.Timestamp(1999, 1, 1)
#: Days tried in turn where a calendar is asked for its time zone.
PROBES = tuple(pd.Timestamp(year, 1, 1) for year in (2019, 2023, 2010))
CLOCK = regex(r"([01]?\d|2[0-3]):[0-5]\d")


@lru_cache(maxsize=32)
def _calendar(name: str, start: pd.Timestamp, end: pd.Timestamp) -> ExchangeCalendar:
    import exchange_calendars
    from exchange_calendars import errors

    try:
        return exchange_calendars.get_calendar(name, start=start, end=end)
    except errors.InvalidCalendarName:
        raise CalendarError(
            f"Unknown exchange calendar {name!r}. Use a market identifier code such as 'XSHG' (Shanghai "
            "and Shenzhen), 'XHKG', 'XNYS', 'XNAS', 'XTKS' or 'XLON'."
        ) from None
    except NotImplementedError as problem:  # Orthodox Easter of pandas, in Athens, Belgrade and Bucharest
        raise CalendarError(
            f"exchange_calendars cannot make the calendar {name!r} with the installed pandas. "
            "Without calendar= the days of the prices are the sessions."
        ) from problem


@lru_cache(maxsize=64)
def _shared(name: str, start: pd.Timestamp, end: pd.Timestamp) -> ExchangeCalendar | None:
    """Return a calendar for this and most other spans, or None where it does not reach so far.

    One of many years takes no longer to make than one of a single year.
    """
    next_year = pd.Timestamp(pd.Timestamp.now().year + 1, 12, 31)
    try:
        return _calendar(name, min(start, SINCE), max(end, next_year))
    except CalendarError:
        raise
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    """Names of the calendars of exchange_calendars."""
    import exchange_calendars

    return frozenset(exchange_calendars.get_calendar_names())


@lru_cache(maxsize=32)
def _reach(name: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day for which a calendar knows the holidays."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(name)
    return calendar.bound_min() or pd.Timestamp.min, calendar.bound_max() or pd.Timestamp.max


@dataclass(frozen=True)
class Reaction(FrozenRecord):
    """Sessions that first could react to n announcements.

    Attributes
    ----------
    session : array of datetime64[D], shape (n,)
        First session whose close is later than the announcement.
    previous : array of datetime64[D], shape (n,)
        The session before it.
    closed_days : array of int, shape (n,)
        Calendar days without a session between `previous` and `session` (weekends, holidays).
    """

    session: DateArray
    previous: DateArray
    closed_days: IntArray


@dataclass(frozen=True)
class Exchange:
    """An exchange and its sessions: those of exchange_calendars, and what you know better.

    Parameters
    ----------
    code : str
        Market identifier code of exchange_calendars, such as ``"XSHG"``; ``"XSHE"`` is
        accepted and shares Shanghai's sessions.
    closed : days, optional
        Days on which the exchange stayed closed although the calendar has a session.
    extra : days, optional
        Days on which it traded although the calendar has none.
    closes : mapping of day to ``"HH:MM"``, optional
        Local time at which a session ended, where it was another than the calendar says.

    Raises
    ------
    CalendarError
        If a day or a time cannot be read, or a day is both closed and a session.

    Notes
    -----
    Calendars err where an exchange closes or shortens a day at short notice. What is known of that is mended
    here: Hong Kong had no session on 1 and 8 September 2023, Taiwan none on 31 October 2024; China's circuit
    breaker ended those of 4 and 7 January 2016, a typhoon Hong Kong's of 2 November 2022. `closed`, `extra`
    and `closes` mend the rest; ``market.audit()`` lists where data and calendar disagree. The calendar is
    built on first use, for the span of dates asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.calendars import Exchange
    >>> stormy = Exchange("XHKG", closed=["2023-09-05"], closes={"2023-09-06": "12:00"})
    >>> week = pd.Timestamp("2023-08-31"), pd.Timestamp("2023-09-06")
    >>> stormy.sessions(*week).strftime("%d").tolist()
    ['31', '04', '06']
    >>> news = pd.DatetimeIndex(["2023-09-06 13:00+08:00"]).tz_convert("UTC")
    >>> str(stormy.reaction(news).session[0])
    '2023-09-07'
    """

    code: str
    closed: Iterable[Day] = ()
    extra: Iterable[Day] = ()
    closes: Mapping[Day, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        closed, extra = (
            _days(given, name) for name, given in (("closed", self.closed), ("extra", self.extra))
        )
        closes = dict(zip(_days(self.closes, "closes"), self.closes.values(), strict=True))
        for day, time in closes.items():
            if not isinstance(time, str) or not CLOCK.fullmatch(time):
                raise CalendarError(
                    f"closes[{day:%Y-%m-%d}] is {time!r}; write a local time such as '12:00'."
                )
        if not isinstance(self.code, str):
            raise CalendarError(f"The code of an exchange is a text such as 'XSHG', got {self.code!r}.")
        both = set(closed) & (set(extra) | set(closes))
        if both:
            raise CalendarError(f"{min(both):%Y-%m-%d} is given both as closed and as a session.")
        object.__setattr__(self, "closed", closed)
        object.__setattr__(self, "extra", extra)
        object.__setattr__(self, "closes", FrozenMapping(closes))

    @classmethod
    def of(cls, calendar: str | Exchange) -> Exchange:
        """Make an exchange of its code; an exchange stays what it is.

        Raises
        ------
        CalendarError
            If it is neither.
        """
        if isinstance(calendar, Exchange):
            return calendar
        if not isinstance(calendar, str):
            raise CalendarError(
                f"calendar must be a code such as 'XSHG' or an Exchange, got {type(calendar).__name__}."
            )
        return cls(calendar)

    def __repr__(self) -> str:
        parts = [repr(self.code)]
        for name, days in (("closed", self.closed), ("extra", self.extra)):
            parts += [f"{name}={[f'{day:%Y-%m-%d}' for day in days]}"] if days else []
        told = {f"{day:%Y-%m-%d}": time for day, time in self.closes.items()}
        parts += [f"closes={told}"] if told else []
        return f"Exchange({', '.join(parts)})"

    @property
    def name(self) -> str:
        """Name of the calendar in exchange_calendars."""
        code = self.code.upper()
        return ALIASES.get(code, code)

    def calendar(self, first: pd.Timestamp, last: pd.Timestamp) -> ExchangeCalendar:
        """Return the exchange_calendars calendar as it is, covering `first` to `last` with a margin at least.

        Raises
        ------
        CalendarError
            If the exchange is unknown, or its calendar does not reach that far.
        """
        first, last = _span(first, last)
        start, end = _whole_years(first, last)
        shared = _shared(self.name, start, end)
        if shared is not None:
            return shared
        # As much of these years as its recorded holidays reach.
        try:
            return _calendar(self.name, start, end)
        except CalendarError:
            raise
        except ValueError as problem:
            try:
                known, until = _reach(self.name)
            except ValueError:
                raise CalendarError(
                    f"exchange_calendars cannot make the calendar {self.name!r} of {first.date()} to "
                    f"{last.date()}: {str(problem)[:80]} ... Update it, or use sessions='data'."
                ) from None
            if first < known or last > until:
                raise CalendarError(
                    f"Calendar {self.name!r} knows the sessions from {known.date()} to {until.date()}; it "
                    f"does not reach from {first.date()} to {last.date()}."
                ) from None
            return _calendar(self.name, max(start, known), min(end, until))

    def schedule(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
        """Sessions around `first` to `last` and their closing times.

        Returns
        -------
        Series of datetime64[ns]
            Closing times in UTC, naive, by session, naive; in order.
        """
        calendar = self.calendar(first, last)
        days = pd.DatetimeIndex(calendar.sessions).as_unit("ns")
        times = pd.DatetimeIndex(calendar.closes).tz_localize(None).as_unit("ns")
        start, end = _whole_years(*_span(first, last))
        years = slice(days.searchsorted(start), days.searchsorted(end, side="right"))
        days, times = days[years], times[years]
        closes = dict(zip(days, times, strict=True))
        known = {pd.Timestamp(day): time for day, time in EARLY_CLOSES.get(self.name, {}).items()}
        told = cast("Mapping[pd.Timestamp, str]", self.closes)
        extra = cast("tuple[pd.Timestamp, ...]", self.extra)
        shut = [pd.Timestamp(day) for day in NO_SESSIONS.get(self.name, ())]
        shut = [day for day in shut if day not in extra and day not in told]
        for day in (*shut, *cast("tuple[pd.Timestamp, ...]", self.closed)):
            closes.pop(day, None)
        early = {day: time for day, time in known.items() if day in closes}
        for day, time in (early | dict.fromkeys(extra, "") | dict(told)).items():
            # The calendar's neighbouring days must be known, or a day far away would stand among strangers.
            if days[0] <= day <= days[-1] and (time or day not in closes):
                clock = time or _regular_close(calendar, day)
                local = pd.Timestamp(f"{day:%Y-%m-%d} {clock}", tz=calendar.tz)
                closes[day] = local.tz_convert("UTC").tz_localize(None)
        return pd.Series(closes, dtype="datetime64[ns]").sort_index()

    def sessions(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Sessions from `first` to `last`, both included, time-zone naive.

        Raises
        ------
        CalendarError
            If one of them is not a day, or the calendar does not reach that far.
        """
        first, last = _span(first, last)
        sessions = self.schedule(first, last).index
        return pd.DatetimeIndex(sessions[(sessions >= first) & (sessions <= last)]).as_unit("ns")

    def hours(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
        """Trading hours of the sessions from `first` to `last`, both included.

        Returns
        -------
        DataFrame
            By session: open, break_start, break_end, close; naive, in the exchange's time zone; NaT where
            there is no break.
        """
        first, last = _span(first, last)
        calendar = self.calendar(first, last)
        mended = self.schedule(first, last)
        mended = mended[(mended.index >= first) & (mended.index <= last)]
        known = calendar.schedule
        # A session the calendar does not know has the hours of the one before it.
        like = known.iloc[np.maximum(known.index.searchsorted(mended.index, side="right") - 1, 0)]
        shift = mended.index - like.index
        local = {
            name: (pd.DatetimeIndex(like[name]).tz_convert(self.timezone).tz_localize(None) + shift)
            for name in ("open", "break_start", "break_end")
        }
        local["close"] = (
            pd.DatetimeIndex(mended).tz_localize("UTC").tz_convert(self.timezone).tz_localize(None)
        )
        hours = pd.DataFrame(local, index=pd.DatetimeIndex(mended.index).as_unit("ns"))
        # A session that ended before or within its break has none.
        short = hours["close"] <= hours["break_end"]
        hours.loc[short, "close"] = hours.loc[short, ["close", "break_start"]].min(axis=1)
        hours.loc[short, ["break_start", "break_end"]] = pd.NaT
        return hours

    @property
    def timezone(self) -> str:
        """IANA name of the exchange's time zone."""
        # Calendars know different years.
        for day in PROBES[:-1]:
            try:
                return str(self.calendar(day, day).tz)
            except CalendarError:
                continue
        return str(self.calendar(PROBES[-1], PROBES[-1]).tz)

    def reaction(self, announced: pd.DatetimeIndex) -> Reaction:
        """Return the first session whose close is later than each announcement.

        Parameters
        ----------
        announced : DatetimeIndex, UTC
            Announcement times, without NaT.

        Notes
        -----
        An announcement at the very close is taken for one after it.

        Examples
        --------
        An evening report in New York is the next morning's news in Shenzhen:

        >>> import pandas as pd
        >>> from eventstudy.calendars import Exchange
        >>> report = pd.DatetimeIndex(["2019-05-21 19:00-04:00"]).tz_convert("UTC")
        >>> str(Exchange("XSHE").reaction(report).session[0])
        '2019-05-22'
        """
        naive = announced.tz_localize(None)
        schedule = self.schedule(naive.min().normalize(), naive.max().normalize())
        closes = pd.DatetimeIndex(schedule)
        position = np.asarray(closes.searchsorted(naive.as_unit("ns"), side="right"))
        days = schedule.index.to_numpy().astype("datetime64[D]")
        outside = (position == 0) | (position == len(days))
        if outside.any():
            raise CalendarError(
                f"Calendar {self.name!r} knows sessions from {days[0]} to {days[-1]} only; the announcement "
                f"of {announced[outside][0]} has none before or after it."
            )
        session, previous = days[position], days[position - 1]
        gap = (session - previous).astype(np.int64) - 1
        return Reaction(session, previous, gap)


def _span(first: Day, last: Day) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Read the ends of a span of days."""
    ends = []
    for name, given in (("first", first), ("last", last)):
        try:
            end = pd.Timestamp(given).as_unit("ns")
        except (ValueError, TypeError, AttributeError) as problem:
            raise CalendarError(f"{name}: {given!r} is not a day; write it as '2023-09-01'.") from problem
        if pd.isna(end) or end.tz is not None:
            raise CalendarError(f"{name}: {given!r} is not a day without a time zone, such as '2023-09-01'.")
        ends.append(end)
    return ends[0], ends[1]


def _whole_years(first: pd.Timestamp, last: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of the calendar years around a span with its margin."""
    return (
        (first - MARGIN).to_period("Y").start_time,
        (last + MARGIN).to_period("Y").end_time.normalize(),
    )


def _days(given: Iterable[Day], name: str) -> tuple[pd.Timestamp, ...]:
    """Read days, in the order given."""
    if isinstance(given, str):
        raise CalendarError(f"{name} is a list of days, such as ['2023-09-01'], got {given!r}.")
    days = []
    for one in given:
        try:
            day = pd.Timestamp(one).as_unit("ns")
        except (ValueError, TypeError, AttributeError) as problem:
            raise CalendarError(f"{name}: {one!r} is not a day; write it as '2023-09-01'.") from problem
        if pd.isna(day) or day.tz is not None or day != day.normalize():
            raise CalendarError(f"{name}: {one!r} is not a day; write it as '2023-09-01'.")
        days.append(day)
    return tuple(days)


def _regular_close(calendar: ExchangeCalendar, day: pd.Timestamp) -> str:
    """Local time at which the exchange closed on ordinary days of that time."""
    times = [time for since, time in calendar.close_times if since is None or since <= day]
    return f"{times[-1]:%H:%M}"


#: Crypto-currencies, as Yahoo writes them; classes of shares have one or two letters after the hyphen.
PAIR = regex(r".+-[A-Z]{3,4}")
#: Shares of the United States, perhaps with a class.
TICKER = regex(r"[A-Z]{1,5}(-[A-Z]{1,2})?")


def exchange_of(ticker: str) -> str:
    """Return the exchange calendar of a ticker in Yahoo's spelling.

    Parameters
    ----------
    ticker : str
        Such as ``"002415.SZ"``, or with a market identifier code, ``"0700.XHKG"``; without suffix it is a
        share of the United States.

    Returns
    -------
    str
        Code of exchange_calendars.

    Raises
    ------
    CalendarError
        If the ticker does not say where it is traded: an index, a currency, an unknown suffix, a bare number,
        a name or a code of another vendor.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.exchange_of("002415.SZ"), es.exchange_of("0763.HK"), es.exchange_of("BRK-B")
    ('XSHG', 'XHKG', 'XNYS')
    """
    name, dot, suffix = ticker.strip().upper().rpartition(".")
    if dot and name and suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if dot and name and (suffix in ALIASES or (len(suffix) == 4 and suffix in _known_names())):
        return ALIASES.get(suffix, suffix)
    if dot:
        why = f"its suffix .{suffix} is unknown (a class of shares is written with a dash: BRK-B)"
    elif suffix.isdigit():
        why = "a bare number needs its exchange as suffix: .SZ or .SS for China, .HK, .T, .KS or .TW"
    elif not suffix or suffix.startswith("^") or "=" in suffix:
        why = "an index, a currency or a future has no exchange in its name"
    elif PAIR.fullmatch(suffix):
        why = "a pair of currencies is traded round the clock, on no exchange with sessions"
    elif not TICKER.fullmatch(suffix):
        why = "without a suffix, as in 0700.HK, it is a ticker of the United States, of one to five letters"
    else:
        return "XNYS"
    raise CalendarError(
        f"The exchange of {ticker!r} cannot be told: {why}. Pass calendar=, such as "
        f"calendar={suggested_calendar(ticker)!r}."
    )


def suggested_calendar(ticker: str) -> str:
    """Return a calendar to name as an example where that of a ticker cannot be told."""
    name = ticker.strip().upper()
    return "24/7" if PAIR.fullmatch(name) else "24/5" if name.endswith("=X") else "XSHG"
