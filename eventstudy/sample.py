"""EventSample: the only place where dates become rows.

Events and a market go in; per event a security, an event day and two windows come out, as
arrays in event time, with the record of every shift and of every event that cannot be used.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import CalendarError, EventError, ModelError, WindowError
from eventstudy.events import Events
from eventstudy.market import Market
from eventstudy.windows import Window

__all__ = ["EventArrays", "EventSample", "Missing", "Regressor", "check_missing", "factor_row"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Missing = Literal["drop", "trade_to_trade"]
# One factor goes by several names: momentum is "mom" in its authors' files, "umd" or "wml" in others.
ALIASES = {"umd": "mom", "wml": "mom"}

# Firms of the news that are listed nowhere: the likeliest mistake deserves its own answer.
UNLISTED = {
    "huawei": "Huawei is not listed",
    "dji": "DJI is not listed",
    "bytedance": "ByteDance is not listed",
    "tiktok": "TikTok (ByteDance) is not listed",
}


@dataclass(frozen=True)
class Regressor:
    """A benchmark or factor to lay out in event time, `lag` sessions earlier."""

    source: str
    lag: int = 0

    @property
    def name(self) -> str:
        """Source and shift, such as ``"benchmark[-1]"`` for the session before."""
        return self.source if self.lag == 0 else f"{self.source}[{-self.lag:+d}]"


@dataclass(frozen=True)
class EventArrays:
    """Returns and regressors of n events, laid out in event time.

    W is the length of the estimation window, L that of the event window, p the number of
    regressors (without the constant).

    Attributes
    ----------
    y_est, y_evt : arrays, shape (n, W) and (n, L)
        Returns, NaN where missing. In the estimation window returns that span several sessions
        are missing too, unless they were asked for (``missing="trade_to_trade"``).
    x_est, x_evt : arrays, shape (n, W, p) and (n, L, p)
        Regressors over the sessions each return spans; NaN where unknown.
    span_evt : array of int, shape (n, L)
        Sessions each event-window return spans, 0 where missing.
    dates_est, dates_evt : arrays of datetime64[D]
        Calendar dates; NaT beyond the data.
    span_est : array of int, shape (n, W), optional
        Sessions each estimation return spans, 0 where missing; None if all span one session.
    """

    y_est: FloatArray
    x_est: FloatArray
    y_evt: FloatArray
    x_evt: FloatArray
    span_evt: IntArray
    dates_est: npt.NDArray[np.datetime64]
    dates_evt: npt.NDArray[np.datetime64]
    span_est: IntArray | None = None


def check_missing(missing: str) -> None:
    """Raise ModelError unless `missing` says what becomes of returns over several sessions."""
    if missing not in get_args(Missing):
        raise ModelError(f"missing must be one of {', '.join(get_args(Missing))}; got {missing!r}.")


def factor_row(market: Market, factor: str) -> int | None:
    """Row of a factor in ``market.bank``, or None; case, hyphens and the names of momentum do not matter."""
    names = list(market.bank.names[len(market.benchmarks) :])
    for same in (str, _plain):
        wanted = same(factor)
        for row, name in enumerate(names, start=len(market.benchmarks)):
            if same(name) == wanted:
                return row
    return None


def _plain(name: str) -> str:
    plain = name.strip().lower().replace("-", "_")
    return ALIASES.get(plain, plain)


@dataclass(frozen=True)
class EventSample:
    """Events that can be used, as rows of a market, and the story of those that cannot.

    Attributes
    ----------
    market : Market
    estimation, window : Window
    timeline : DataFrame
        Index event_id, of the usable events: security, label, announced, first_session (first
        session that could react), closed_days (days without a session just before it),
        suspended_sessions (sessions the security then stayed suspended), day_0, spans (sessions
        the return of day 0 spans), note.
    excluded : DataFrame
        Index event_id: security, label, reason.
    security, day0 : arrays of int, shape (N,)
        Row of the security in ``market.arrays()`` and of day 0 in ``market.sessions``.
    """

    market: Market
    estimation: Window
    window: Window
    timeline: pd.DataFrame
    excluded: pd.DataFrame
    security: IntArray
    day0: IntArray

    def __len__(self) -> int:
        return len(self.day0)

    @cached_property
    def benchmark(self) -> IntArray:
        """Row of each event's benchmark in ``market.bank``, -1 where it has none; shape (N,)."""
        return self.market.arrays()[2][self.security]

    def keep(self, usable: npt.NDArray[np.bool_], reasons: list[str]) -> EventSample:
        """Return the sample without the events that a boolean mask turns down, each with its reason."""
        dropped = self.timeline.loc[~usable, ["security", "label"]].assign(reason=reasons)
        return EventSample(
            self.market,
            self.estimation,
            self.window,
            self.timeline[usable],
            pd.concat([self.excluded, dropped]) if len(self.excluded) else dropped,
            self.security[usable],
            self.day0[usable],
        )

    def arrays(
        self,
        regressors: tuple[Regressor, ...],
        excess: bool = False,
        part: slice = slice(None),
        missing: Missing = "drop",
    ) -> EventArrays:
        """Lay out returns and regressors of the events of `part` in event time.

        Parameters
        ----------
        regressors : tuple of Regressor
            Regressors; the source ``"benchmark"`` is each event's own benchmark.
        excess : bool, default False
            Subtract the factor ``rf`` from returns and benchmark.
        part : slice, optional
            Events to lay out.
        missing : {"drop", "trade_to_trade"}, default "drop"
            Estimation returns that span several sessions are missing, or kept as they are.
        """
        returns, spans, _ = self.market.arrays()
        bank = self.market.bank
        security, day0 = self.security[part, None], self.day0[part, None]
        n_sessions = returns.shape[1]
        dates = self.market.sessions.to_numpy().astype("datetime64[D]")

        def lay(
            window: Window, single_only: bool
        ) -> tuple[FloatArray, FloatArray, IntArray, npt.NDArray[np.datetime64]]:
            rows = day0 + window.offsets
            inside = (rows >= 0) & (rows < n_sessions)
            at = np.clip(rows, 0, n_sessions - 1)
            span = np.where(inside, spans[security, at], 0)
            used = (span == 1) if single_only else (span > 0)
            y = np.where(used, returns[security, at], np.nan)
            reach = np.where(used, span, 1)
            x = np.empty((*rows.shape, len(regressors)))
            for j, wanted in enumerate(regressors):
                own = self.benchmark[part, None] if wanted.source == "benchmark" else self._row(wanted.source)
                x[:, :, j] = bank.compound(own, rows - wanted.lag, reach)
                if excess and wanted.source == "benchmark":
                    x[:, :, j] -= bank.compound(self._row("rf"), rows - wanted.lag, reach)
            if excess:
                y = y - bank.compound(self._row("rf"), rows, reach)
            days = np.where(inside, dates[at], np.datetime64("NaT", "D"))
            return y, x, np.where(used, span, 0), days

        y_est, x_est, span_est, dates_est = lay(self.estimation, single_only=missing == "drop")
        y_evt, x_evt, span_evt, dates_evt = lay(self.window, single_only=False)
        kept = None if missing == "drop" else span_est
        return EventArrays(y_est, x_est, y_evt, x_evt, span_evt, dates_est, dates_evt, kept)

    def _row(self, factor: str) -> IntArray:
        row = factor_row(self.market, factor)
        if row is None:
            raise ModelError(f"The market has no factor {factor!r}; pass it as Market(..., factors=frame).")
        return np.array(row, dtype=np.int64)

    @classmethod
    def of(cls, market: Market, events: Events, estimation: Window, window: Window) -> EventSample:
        """Place events in a market.

        Raises
        ------
        WindowError
            If the windows overlap, or the event window does not hold day 0.
        CalendarError
            If events carry announcement times and the market has no exchange calendar.
        EventError
            If a date is no session and the events were made with ``non_session="raise"``.
        """
        if estimation.overlaps(window):
            raise WindowError(
                f"The estimation window {estimation} overlaps the event window {window}: normal returns "
                f"would be estimated from the reaction itself. End it by {window.start - 1}, e.g. "
                f"estimation=({min(estimation.start, window.start - 121)}, {window.start - 1})."
            )
        if 0 not in window:
            raise WindowError(f"The event window {window} must hold day 0.")
        frame = events.frame
        placed = _first_sessions(market, frame, events.non_session)
        returns = market.arrays()[0]
        sessions = market.sessions
        rows: list[tuple[object, int, int]] = []
        timeline: list[dict[str, object]] = []
        excluded: list[dict[str, object]] = []
        traded: dict[int, IntArray] = {}
        for event_id, event, place in zip(frame.index, frame.itertuples(), placed, strict=True):
            about = {"event_id": event_id, "security": event.security, "label": getattr(event, "label", "")}
            position = market.find(str(event.security))
            reason = place.reason
            if position is None:
                reason = _unknown(market, str(event.security))
            elif reason is None:
                if position not in traded:
                    traded[position] = np.flatnonzero(~np.isnan(returns[position]))
                days = traded[position]
                later = days[np.searchsorted(days, place.row) :]
                if len(later) == 0:
                    reason = (
                        f"{event.security} has no return on {sessions[place.row]:%Y-%m-%d} "
                        "or on any session after it"
                    )
                elif place.row + estimation.end < 0:
                    reason = _too_early(market, place.row, estimation)
            if reason is not None or position is None:
                excluded.append({**about, "reason": reason})
                continue
            day0 = int(later[0])
            span = int(market.arrays()[1][position, day0])
            timeline.append(
                {
                    **about,
                    "announced": place.announced,
                    "first_session": sessions[place.row],
                    "closed_days": place.closed_days,
                    "suspended_sessions": day0 - place.row,
                    "day_0": sessions[day0],
                    "spans": span,
                    "note": _shift_note(sessions, place, day0, span),
                }
            )
            rows.append((event_id, position, day0))
        columns = ["event_id", "security", "label"]
        facts = ["announced", "first_session", "closed_days", "suspended_sessions", "day_0", "spans", "note"]
        return cls(
            market,
            estimation,
            window,
            pd.DataFrame(timeline, columns=[*columns, *facts]).set_index("event_id"),
            pd.DataFrame(excluded, columns=[*columns, "reason"]).set_index("event_id"),
            np.array([r[1] for r in rows], dtype=np.int64),
            np.array([r[2] for r in rows], dtype=np.int64),
        )


@dataclass(frozen=True)
class _Place:
    """First session that could react to an event, or the reason why there is none."""

    announced: str
    row: int = -1
    closed_days: int = 0
    previous: pd.Timestamp | None = None
    reason: str | None = None


def _first_sessions(market: Market, frame: pd.DataFrame, non_session: str) -> list[_Place]:
    sessions = market.sessions
    timed = frame["announced_at"].notna().to_numpy()
    places: list[_Place] = [_Place("")] * len(frame)
    if timed.any():
        exchange = market.exchange
        if exchange is None:
            raise CalendarError(
                "The events carry announcement times, but the market has no exchange calendar to place them "
                "in. Make it with calendar='XSHG' (or 'XNYS', 'XHKG', ...), or give a date instead."
            )
        times = pd.DatetimeIndex(frame.loc[timed, "announced_at"])
        reaction = exchange.reaction(times)
        for k, i in enumerate(np.flatnonzero(timed)):
            day = pd.Timestamp(reaction.session[k])
            previous = pd.Timestamp(reaction.previous[k])
            told = f"{frame['announced_local'].iloc[i]:%Y-%m-%d %H:%M%z}"
            row = int(sessions.searchsorted(day))
            if row == len(sessions) or (row == 0 and day != sessions[0]):
                places[i] = _Place(told, reason=_outside(market, day))
            else:
                # Not the calendar's own count: sessions="data" may lack the first session.
                places[i] = _Place(told, row, int((sessions[row] - previous).days) - 1, previous)
    for i in np.flatnonzero(~timed):
        day = frame["date"].iloc[i]
        told = f"{day:%Y-%m-%d}"
        row = int(sessions.searchsorted(day))
        if row == len(sessions) or (row == 0 and day != sessions[0]):
            places[i] = _Place(told, reason=_outside(market, day))
        elif sessions[row] == day:
            places[i] = _Place(told, row)
        elif non_session == "raise":
            raise EventError(
                f"Event {frame.index[int(i)]} ({frame['security'].iloc[i]}): {told} is no session of the "
                "market. Give a session, or choose Events(..., non_session='next', 'previous' or 'skip')."
            )
        elif non_session == "skip":
            places[i] = _Place(told, reason=f"{told} is no session (non_session='skip')")
        else:
            row -= non_session == "previous"
            places[i] = _Place(told, row, abs(int((sessions[row] - day).days)), day)
    return places


def _outside(market: Market, day: pd.Timestamp) -> str:
    first, last = market.sessions[0], market.sessions[-1]
    side = "before the data starts" if day < first else "after the data ends"
    return f"its session {day:%Y-%m-%d} lies {side} ({first:%Y-%m-%d} to {last:%Y-%m-%d})"


def _too_early(market: Market, row: int, estimation: Window) -> str:
    return (
        f"only {row} session(s) of data lie before {market.sessions[row]:%Y-%m-%d}; the estimation window "
        f"{estimation} lies wholly before the data starts ({market.sessions[0]:%Y-%m-%d})"
    )


def _unknown(market: Market, security: str) -> str:
    for name, fact in UNLISTED.items():
        if name in security.lower():
            return f"{fact}, so it has no price: measure listed suppliers, customers or rivals instead"
    close = difflib.get_close_matches(security, market.securities, n=3)
    if close:
        return f"no security {security!r} in the market; did you mean {' or '.join(close)}?"
    have = ", ".join(market.securities[:5]) + (", ..." if len(market.securities) > 5 else "")
    told = f"no security {security!r} in the market (it has {have})"
    if any(c.isdigit() or c == "." for c in security) or security.isupper():
        return told
    return (
        f"{told}; it looks like a firm's name: give its ticker, or, if the firm is private, a listed "
        "supplier or rival"
    )


def _shift_note(sessions: pd.DatetimeIndex, place: _Place, day0: int, span: int) -> str:
    notes = []
    first = sessions[place.row]
    if place.closed_days and place.previous is not None:
        notes.append(
            f"market closed {place.closed_days} day(s) until {first:%Y-%m-%d}"
            if place.previous < first
            else f"moved back {place.closed_days} day(s) to the session {first:%Y-%m-%d}"
        )
    if day0 > place.row:
        notes.append(
            f"security suspended {day0 - place.row} session(s) from {first:%Y-%m-%d} to "
            f"{sessions[day0 - 1]:%Y-%m-%d}; day 0 moved to {sessions[day0]:%Y-%m-%d}"
        )
    if span > 1:
        notes.append(
            f"the return of day 0 spans {span} sessions since {sessions[day0 - span]:%Y-%m-%d}"
            + (
                f", {place.row - (day0 - span) - 1} of them before the announcement"
                if place.row - (day0 - span) > 1
                else ""
            )
        )
    return "; ".join(notes)
