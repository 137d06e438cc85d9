"""Exchange calendars: which session could first react to an announcement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import CalendarError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

__all__ = ["Exchange", "Reaction", "exchange_of"]

# Shenzhen is unknown to exchange_calendars and keeps Shanghai's sessions.
ALIASES = {"XSHE": "XSHG"}

# Suffix of Yahoo's tickers → calendar of exchange_calendars. Bombay stands for the National Stock Exchange,
# Korea's and Taiwan's main markets for KOSDAQ and the OTC market: they keep the same sessions.
SUFFIXES = {
    "SZ": "XSHG", "SS": "XSHG", "HK": "XHKG", "T": "XTKS", "KS": "XKRX", "KQ": "XKRX", "TW": "XTAI",
    "TWO": "XTAI", "NS": "XBOM", "BO": "XBOM", "SI": "XSES", "KL": "XKLS", "JK": "XIDX", "BK": "XBKK",
    "AX": "XASX", "NZ": "XNZE", "L": "XLON", "IL": "XLON", "IR": "XDUB", "DE": "XETR", "F": "XFRA",
    "PA": "XPAR", "AS": "XAMS", "BR": "XBRU", "LS": "XLIS", "MI": "XMIL", "MC": "XMAD", "SW": "XSWX",
    "VI": "XWBO", "AT": "ASEX", "ST": "XSTO", "HE": "XHEL", "CO": "XCSE", "OL": "XOSL", "IC": "XICE",
    "WA": "XWAR", "PR": "XPRA", "BD": "XBUD", "IS": "XIST", "TA": "XTAE", "SR": "XSAU", "JO": "XJSE",
    "TO": "XTSE", "V": "XTSX", "MX": "XMEX", "SA": "BVMF", "BA": "XBUE", "SN": "XSGO",
}  # fmt: skip

MARGIN = pd.Timedelta(days=31)


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


@lru_cache(maxsize=32)
def _reach(name: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day for which a calendar knows the holidays."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(name)
    return calendar.bound_min() or pd.Timestamp.min, calendar.bound_max() or pd.Timestamp.max


@dataclass(frozen=True)
class Reaction:
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

    session: npt.NDArray[np.datetime64]
    previous: npt.NDArray[np.datetime64]
    closed_days: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Exchange:
    """An exchange calendar, built on first use for the span of dates asked for.

    Parameters
    ----------
    code : str
        Market identifier code of exchange_calendars, such as ``"XSHG"``; ``"XSHE"`` is
        accepted and shares Shanghai's sessions.
    """

    code: str

    @property
    def name(self) -> str:
        """Name of the calendar in exchange_calendars."""
        code = self.code.upper()
        return ALIASES.get(code, code)

    def calendar(self, first: pd.Timestamp, last: pd.Timestamp) -> ExchangeCalendar:
        """Return the exchange_calendars calendar, covering `first` to `last` with a margin.

        Raises
        ------
        CalendarError
            If the exchange is unknown, or its calendar does not reach that far.
        """
        # Whole years, so that neighbouring requests share one (slowly built) calendar; as much of them
        # as its recorded holidays reach.
        start = (first - MARGIN).to_period("Y").start_time
        end = (last + MARGIN).to_period("Y").end_time.normalize()
        try:
            return _calendar(self.name, start, end)
        except CalendarError:
            raise
        except ValueError:
            known, until = _reach(self.name)
            if first < known or last > until:
                raise CalendarError(
                    f"Calendar {self.name!r} knows the sessions from {known.date()} to {until.date()}; it "
                    f"does not reach from {first.date()} to {last.date()}."
                ) from None
            return _calendar(self.name, max(start, known), min(end, until))

    def sessions(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Sessions from `first` to `last`, both included, time-zone naive."""
        sessions = self.calendar(first, last).sessions
        return pd.DatetimeIndex(sessions[(sessions >= first) & (sessions <= last)]).as_unit("ns")

    def hours(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
        """Trading hours of the sessions from `first` to `last`, both included.

        Returns
        -------
        DataFrame
            By session: open, break_start, break_end, close; naive, in the exchange's time zone; NaT where
            there is no break.
        """
        schedule = self.calendar(first, last).schedule
        schedule = schedule[(schedule.index >= first) & (schedule.index <= last)]
        columns = ["open", "break_start", "break_end", "close"]
        local = {
            name: pd.DatetimeIndex(schedule[name]).tz_convert(self.timezone).tz_localize(None)
            for name in columns
        }
        return pd.DataFrame(local, index=pd.DatetimeIndex(schedule.index).as_unit("ns"))

    @property
    def timezone(self) -> str:
        """IANA name of the exchange's time zone."""
        now = pd.Timestamp("2019-01-01")
        return str(self.calendar(now, now).tz)

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
        calendar = self.calendar(naive.min().normalize(), naive.max().normalize())
        closes = pd.DatetimeIndex(calendar.closes).tz_localize(None).as_unit("ns")
        position = np.asarray(closes.searchsorted(naive.as_unit("ns"), side="right"))
        days = calendar.sessions.to_numpy().astype("datetime64[D]")
        outside = (position == 0) | (position == len(days))
        if outside.any():
            raise CalendarError(
                f"Calendar {self.name!r} knows sessions from {days[0]} to {days[-1]} only; the announcement "
                f"of {announced[outside][0]} has none before or after it."
            )
        session, previous = days[position], days[position - 1]
        gap = (session - previous).astype(np.int64) - 1
        return Reaction(session, previous, gap)


def exchange_of(ticker: str) -> str:
    """Return the exchange calendar of a ticker in Yahoo's spelling.

    Parameters
    ----------
    ticker : str
        Such as ``"002415.SZ"``; without suffix it is a share of the United States.

    Returns
    -------
    str
        Code of exchange_calendars.

    Raises
    ------
    CalendarError
        If the ticker does not say where it is traded: an index, a currency, an unknown suffix, a bare number.

    Examples
    --------
    >>> from eventstudy.calendars import exchange_of
    >>> exchange_of("002415.SZ"), exchange_of("0763.HK"), exchange_of("BRK-B")
    ('XSHG', 'XHKG', 'XNYS')
    """
    name, dot, suffix = ticker.strip().upper().rpartition(".")
    if dot and name and suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if dot:
        why = f"its suffix .{suffix} is unknown (a class of shares is written with a dash: BRK-B)"
    elif suffix.isdigit():
        why = "a bare number needs its exchange as suffix: .SZ or .SS for China, .HK, .T, .KS or .TW"
    elif not suffix or suffix.startswith("^") or "=" in suffix:
        why = "an index, a currency or a future has no exchange in its name"
    else:
        return "XNYS"
    raise CalendarError(
        f"The exchange of {ticker!r} cannot be told: {why}. Pass calendar=, such as calendar='XSHG'."
    )
