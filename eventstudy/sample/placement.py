"""Placement: which session could first react to an event, and why an event has none."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.errors import CalendarError, EventError, WindowError
from eventstudy.events import Ambiguous, NonSession
from eventstudy.market import Market
from eventstudy.text import format_time, plural, regex
from eventstudy.windows import Window

__all__ = [
    "Placement",
    "check_windows",
    "first_sessions",
    "first_trades",
    "shift_note",
    "told",
    "too_early",
    "unknown_security",
]


# Firms in the news that are not listed: the likeliest mistake deserves its own answer.
UNLISTED = {
    "huawei": "Huawei is not listed",
    "dji": "DJI is not listed",
    "bytedance": "ByteDance is not listed",
    "tiktok": "TikTok (ByteDance) is not listed",
}


#: Identifiers of Bloomberg's terminal, which are not names of firms.
_TERMINAL = regex(r"^[A-Z0-9./]+ [A-Z]{2} Equity$| (Index|Curncy|Comdty)$")
#: Sessions that a suspension is expected to end within.
SHORT = 10
#: More days than an exchange stays closed.
REACH = np.timedelta64(60, "D")


class Placement(NamedTuple):
    """First sessions that could react to N events.

    Attributes
    ----------
    row : array of int, shape (N,)
        Row in ``market.sessions``; -1 where there is none.
    closed_days : array of int, shape (N,)
        Days without a session just before it, or by which a date was moved back.
    previous : array of datetime64[D], shape (N,)
        Session before the announcement, or the date given; NaT where the date is a session.
    other : array of datetime64[D], shape (N,)
        Session of the other end, where the window of an announcement meets two; else NaT.
    reasons : dict of int to str
        Why an event, by its position, has no session.
    """

    row: IntArray
    closed_days: IntArray
    previous: DateArray
    other: DateArray
    reasons: dict[int, str]


def first_sessions(
    market: Market, frame: pd.DataFrame, non_session: NonSession, ambiguous: Ambiguous = "exclude"
) -> Placement:
    """Find the first session that could react to each event of an events frame.

    Raises
    ------
    CalendarError
        If events carry announcement times and the market has no exchange calendar.
    EventError
        If a date is not a session and `non_session` is ``"raise"``.
    """
    if market.arrays.gap is not None:
        return _first_bars(market, frame, ambiguous)
    sessions = market.sessions.to_numpy().astype("datetime64[D]")
    day = frame["date"].to_numpy().astype("datetime64[D]")
    previous = np.full(len(frame), np.datetime64("NaT", "D"))
    first, last = frame["announced_at"], frame["announced_at"]
    if "announced_after" in frame:
        first, last = first.fillna(frame["announced_after"]), last.fillna(frame["announced_before"])
    timed = first.notna().to_numpy()
    other = previous.copy()
    if timed.any():
        used, unused = (last, first) if ambiguous == "last" else (first, last)
        day[timed], previous[timed] = _reactions(market, sessions, used[timed])
        if used is not unused:
            windowed = timed & (first != last).to_numpy()
            other[windowed], _ = _reactions(market, sessions, unused[windowed])
            # Between two days for which the data has no session, there is nothing to choose.
            same = np.searchsorted(sessions, other) == np.searchsorted(sessions, day)
            other[same] = np.datetime64("NaT", "D")
    row = _first_on(sessions, day)
    reasons: dict[int, str] = {}
    outside = (row == len(sessions)) | (day < sessions[0])
    for i in np.flatnonzero(outside).tolist():
        reasons[i] = _outside(market, pd.Timestamp(day[i]))
    if ambiguous == "exclude":
        reasons |= {
            i: _either(frame.iloc[i], day[i], other[i]) for i in np.flatnonzero(~np.isnat(other)).tolist()
        }
    at = np.minimum(row, len(sessions) - 1)
    moved = ~timed & ~outside & (sessions[at] != day)
    if moved.any() and non_session == "raise":
        i = np.flatnonzero(moved).tolist()[0]
        raise EventError(
            f"Event {frame.index[i]} ({frame['security'].iloc[i]}): {day[i]} is not a session of the "
            "market. Give a session, or choose Events(..., non_session='next', 'previous' or 'skip')."
        )
    if non_session == "skip":
        reasons |= {
            i: f"{day[i]} is not a session (non_session='skip')" for i in np.flatnonzero(moved).tolist()
        }
    if non_session == "previous":
        at = at - moved
    previous[moved] = day[moved]
    # Not the calendar's own count: sessions="data" may lack the first session.
    gap = (sessions[at] - previous).astype(np.int64)
    closed = np.where(timed, gap - 1, np.where(moved, np.abs(gap), 0))
    return Placement(np.where(outside, -1, at).astype(np.int64), closed, previous, other, reasons)


def _first_on(sessions: DateArray, day: DateArray) -> IntArray:
    """Row of the first session on or after each day, as `numpy.searchsorted`; days not known come last."""
    reach = int((sessions[-1] - sessions[0]).astype(np.int64))
    if len(day) < reach:
        return np.asarray(np.searchsorted(sessions, day), dtype=np.int64)
    # With many events, each day is looked up once.
    known = np.searchsorted(sessions, sessions[0] + np.arange(reach + 2))
    apart = np.where(np.isnat(day), np.int64(reach + 1), (day - sessions[0]).astype(np.int64))
    return np.asarray(known[np.clip(apart, 0, reach + 1)], dtype=np.int64)


def _reactions(market: Market, sessions: DateArray, announced: pd.Series) -> tuple[DateArray, DateArray]:
    """First session that could react to each time, and the session before it; NaT far outside the data."""
    exchange = market.exchange
    if exchange is None:
        raise CalendarError(
            "The events carry announcement times, but the market has no exchange calendar to place them "
            "in. Make it with calendar='XSHG' (or 'XNYS', 'XHKG', ...; of several exchanges with "
            "calendar='auto' or a mapping by security), or give a date instead."
        )
    # Far outside the data the day itself says so; the calendar need not know its sessions.
    day = announced.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    previous = np.full(len(day), np.datetime64("NaT", "D"))
    near = (day > sessions[0] - REACH) & (day < sessions[-1] + REACH)
    if near.any():
        reaction = exchange.reaction(pd.DatetimeIndex(announced[near]))
        day[near], previous[near] = reaction.session, reaction.previous
    return day, previous


def _first_bars(market: Market, frame: pd.DataFrame, ambiguous: Ambiguous) -> Placement:
    """Find the first row of an intraday market that ends after each announcement; a gap row counts as one."""
    untimed = frame["date"].notna().to_numpy()
    if untimed.any():
        i = int(np.argmax(untimed))
        raise EventError(
            f"Event {frame.index[i]} ({frame['security'].iloc[i]}) has a date and no time: intraday bars "
            "need announced_at, such as '2019-05-22 10:31+08:00'."
        )
    exchange = market.exchange
    assert exchange is not None  # intraday markets have one
    ends = market.sessions.to_numpy()
    first, last = frame["announced_at"], frame["announced_at"]
    if "announced_after" in frame:
        first, last = first.fillna(frame["announced_after"]), last.fillna(frame["announced_before"])
    used, unused = (last, first) if ambiguous == "last" else (first, last)

    def local(moments: pd.Series) -> DateArray:
        return pd.DatetimeIndex(moments).tz_convert(exchange.timezone).tz_localize(None).to_numpy()

    told_at = local(used)
    row = np.searchsorted(ends, told_at, side="right")
    other_row = np.searchsorted(ends, local(unused), side="right")
    at, other_at = np.minimum(row, len(ends) - 1), np.minimum(other_row, len(ends) - 1)
    outside = (row == len(ends)) | (told_at < ends[0])
    reasons = {i: _outside(market, pd.Timestamp(told_at[i])) for i in np.flatnonzero(outside).tolist()}
    differ = other_at != at
    other = np.where(differ, ends[other_at], np.datetime64("NaT", "ns"))
    if ambiguous == "exclude":
        reasons |= {i: _either(frame.iloc[i], ends[at[i]], other[i]) for i in np.flatnonzero(differ).tolist()}
    days = (ends[at].astype("datetime64[D]") - told_at.astype("datetime64[D]")).astype(np.int64)
    return Placement(
        np.where(outside, -1, at).astype(np.int64), np.maximum(days - 1, 0), told_at, other, reasons
    )


def _either(event: pd.Series, first: np.datetime64, last: np.datetime64) -> str:
    return (
        f"announced {told(event)}: its first session is {format_time(pd.Timestamp(first))} or "
        f"{format_time(pd.Timestamp(last))}; narrow the window, or choose "
        "with Events(..., ambiguous='first') or 'last'"
    )


def first_trades(returns: FloatArray, security: IntArray, row: IntArray) -> IntArray:
    """First session from `row` on with a return, by event; -1 where there is none; shape (N,)."""
    day0 = row.copy()
    missing = np.flatnonzero(np.isnan(returns[security, row]))
    # Most suspensions are short: those of all events are looked at together.
    at = row[missing, None] + np.arange(1, SHORT)
    ahead = returns[security[missing, None], np.minimum(at, returns.shape[1] - 1)]
    seen = ~np.isnan(ahead) & (at < returns.shape[1])
    day0[missing] += 1 + np.argmax(seen, axis=1)
    traded: dict[int, IntArray] = {}
    for i in missing[~seen.any(axis=1)]:
        who = int(security[i])
        if who not in traded:
            traded[who] = np.flatnonzero(~np.isnan(returns[who]))
        later = np.searchsorted(traded[who], row[i])
        day0[i] = traded[who][later] if later < len(traded[who]) else -1
    return day0


def told(event: pd.Series) -> str:
    """When an event was announced, as it was given."""
    if pd.notna(event["announced_at"]):
        return f"{event['announced_local']:%Y-%m-%d %H:%M%z}"
    if pd.notna(event.get("announced_after")):
        after, before = event["announced_after"], event["announced_before"]
        return f"between {after:%Y-%m-%d %H:%M} and {before:%Y-%m-%d %H:%M} UTC"
    return f"{event['date']:%Y-%m-%d}"


def _outside(market: Market, day: pd.Timestamp) -> str:
    first, last = market.sessions[0], market.sessions[-1]
    side = "before the data starts" if day < first else "after the data ends"
    what = "session" if market.arrays.gap is None else "time"
    return f"its {what} {format_time(day)} lies {side} ({first:%Y-%m-%d} to {last:%Y-%m-%d})"


def too_early(market: Market, row: int, estimation: Window) -> str:
    """Say that the estimation window lies before the data."""
    return (
        f"only {plural(row, 'session')} of data {'lies' if row == 1 else 'lie'} before "
        f"{format_time(market.sessions[row])}; the estimation window {estimation} lies wholly before "
        f"the data starts ({market.sessions[0]:%Y-%m-%d})"
    )


def unknown_security(market: Market, security: str, event: pd.Series) -> str:
    """Say that a security is not in the market, and what was probably meant.

    Parameters
    ----------
    market : Market
    security : str
    event : Series
        Row of the event, whose other columns may name the security as the market does.
    """
    others = event.drop("security")
    named = others[
        [isinstance(cell, str | int | np.integer) and str(cell).strip() in market.columns for cell in others]
    ]
    if len(named):
        column, cell = named.index[0], str(named.iloc[0]).strip()
        return (
            f"no security {security!r} in the market, but {cell!r}, which the events name in column "
            f"{str(column)!r}: let that be their security, frame.assign(security=frame[{str(column)!r}])"
        )
    if not security.startswith("^"):  # so are indices written
        for name, fact in UNLISTED.items():
            if re.search(rf"\b{re.escape(name)}\b", security.lower()):
                return f"{fact}, so it has no price: measure listed suppliers, customers or rivals instead"
    alike = _in_other_dress(market, security)
    if alike:
        return f"no security {security!r} in the market; did you mean {' or '.join(alike[:3])}?"
    close = difflib.get_close_matches(security, market.securities, n=3)
    other = _other_names(market)
    if close:
        return f"no security {security!r} in the market; did you mean {' or '.join(close)}?{other}"
    have = ", ".join(market.securities[:5]) + (", ..." if len(market.securities) > 5 else "")
    told = f"no security {security!r} in the market (it has {have}){other}"
    if len(market.securities) == 1:
        told += (
            f"; a file of one security is named for itself: if it holds {security}, "
            f"read_prices({{{security!r}: path}}) names it"
        )
    if any(c.isdigit() or c == "." for c in security) or security.isupper() or _TERMINAL.search(security):
        return told
    return (
        f"{told}; it looks like a firm's name: give its ticker, or, if the firm is private, a listed "
        "supplier or rival"
    )


def _other_names(market: Market) -> str:
    """Say that the prices also have securities under other names, if they had columns of both."""
    taken = market.reading
    taken = taken[taken["taken_for"] == "security"]
    for column, why in zip(taken["column"], taken["evidence"], strict=True):
        aside = re.search(r"; (.+) left aside$", str(why))
        if aside:
            return (
                f". The prices name securities by {column!r} and also have {aside[1]}: to choose another, "
                f"make the market with columns={{{aside[1].split(', ')[0]!r}: 'security'}}"
            )
    return ""


def _in_other_dress(market: Market, security: str) -> list[str]:
    """Securities that are the same but for case, exchange, sign of the share class or leading zeros."""
    for bare in (_folded, _bare):
        wanted = bare(security)
        found = [name for name in market.columns if wanted and bare(name) == wanted]
        if found:
            return found
    return []


def _folded(name: str) -> str:
    return name.strip().casefold()


def _bare(name: str) -> str:
    """Return a ticker without exchange: NYSE:BRK.B, BRK/B US Equity, BRK-B.N are brk-b, 000002 is 2."""
    text = re.sub(r"^[a-z]{2,8}:|^(sh|sz)(?=\.?\d{6}$)\.?", "", _folded(name))
    text = re.sub(r"( [a-z]{2})?( equity| index| comdty| curncy)$|(?<=[a-z0-9]) [a-z]{2}$", "", text)
    text = re.sub(r"\.(o|n|oq|k|ob|pk|us|l|sz|ss|sh|xshe|xshg|hk|de|pa|t|to|as|mi|sw)$", "", text)
    text = re.sub(r"[./ -]+", "-", text)
    return text.lstrip("0") or text if text.isdigit() else text


def shift_note(
    sessions: pd.DatetimeIndex,
    row: int,
    closed_days: int,
    previous: np.datetime64,
    other: np.datetime64 | None,
    day0: int,
    span: int,
    unit: str = "session",
) -> str:
    """Say how an event came from its announcement to its day 0; empty where nothing is worth saying."""
    notes = []
    first = sessions[row]
    if other is not None:
        notes.append(f"may have met {format_time(pd.Timestamp(other))} instead of {format_time(first)}")
    if closed_days:
        notes.append(
            f"market closed {plural(closed_days, 'day')} until {first:%Y-%m-%d}"
            if pd.Timestamp(previous) < first
            else f"moved back {plural(closed_days, 'day')} to the session {first:%Y-%m-%d}"
        )
    if day0 > row:
        what = "security suspended" if unit == "session" else "no trade on"
        notes.append(
            f"{what} {plural(day0 - row, unit)} from {format_time(first)} to "
            f"{format_time(sessions[day0 - 1])}; day 0 moved to {format_time(sessions[day0])}"
        )
    if span > 1:
        old = row - (day0 - span) - 1
        notes.append(
            f"the return of day 0 spans {span} {unit}s since {format_time(sessions[day0 - span])}"
            + (f", {old} of them before the announcement" if old > 0 else "")
        )
    return "; ".join(notes)


def check_windows(estimation: Window, window: Window) -> None:
    """Refuse windows that overlap, and an event window without day 0.

    Raises
    ------
    WindowError
    """
    if estimation.overlaps(window):
        raise WindowError(
            f"The estimation window {estimation} overlaps the event window {window}: normal returns "
            f"would be estimated from the reaction itself. End it by {window.start - 1}, e.g. "
            f"estimation=({min(estimation.start, window.start - 121)}, {window.start - 1})."
        )
    if 0 not in window:
        raise WindowError(f"The event window {window} must hold day 0.")
