"""Price limits hit and trading halts in the windows of events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.results.fitted import FittedEvents, FittedStudy, Part
from eventstudy.sample import EventSample

__all__ = ["first_free_close", "halts", "limit_hits", "sample_limit_hits"]

SIDES = {-1: "down", 0: "", 1: "up"}


def limit_hits(data: FittedEvents) -> pd.DataFrame:
    """Sessions of the event windows that touched a price limit; see `EventStudyResults.limit_hits`."""
    return _joined(data, [sample_limit_hits(part.study.sample) for part in data.parts()], "day")


def _joined(data: FittedEvents, frames: list[pd.DataFrame], day: str) -> pd.DataFrame:
    """Join frames of the parts, under the ids that their events have in the whole."""
    parts = [_renamed(data, *pair) for pair in zip(data.parts(), frames, strict=True)]
    parts = [part for part in parts if len(part)] or parts[:1]
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    known = frame[day].isna() | frame[day].between(data.event_window.start, data.event_window.end)
    return frame if known.all() else frame[known].reset_index(drop=True)


def _renamed(data: FittedEvents, part: Part, frame: pd.DataFrame) -> pd.DataFrame:
    if part.study is data or frame.empty:
        return frame
    row = part.study.index.get_indexer(pd.Index(frame["event_id"]))
    at = np.full(len(part.study.index), -1)
    at[part.rows] = part.at
    frame, at = frame[at[row] >= 0], at[row][at[row] >= 0]
    return frame.assign(event_id=data.index[at].to_numpy())


def sample_limit_hits(sample: EventSample) -> pd.DataFrame:
    """Sessions of the event windows of a sample that touched a price limit."""
    columns = ["event_id", "security", "day", "date", "side", "close", "limit", "at_close", "locked"]
    market = sample.market
    if not market.has_limits:
        return pd.DataFrame(columns=columns)
    book = market.limits
    days = sample.window.offsets
    rows = sample.day0[:, None] + days
    inside = (rows >= 0) & (rows < len(market.sessions))
    if sample.own is not None:
        sample.own.blank_window(inside, slice(None), days, False)
    column = book.closed.columns.get_indexer(pd.Index(sample.events["security"]))[:, None]
    at = np.clip(rows, 0, len(market.sessions) - 1)
    touched = np.where(inside, book.touched.to_numpy()[at, column], 0)
    event, day = np.nonzero(touched)
    row, security = at[event, day], column[event, 0]
    side = touched[event, day]
    limit = np.where(side < 0, book.down.to_numpy()[row, security], book.up.to_numpy()[row, security])
    return pd.DataFrame(
        {
            "event_id": sample.events.index[event],
            "security": sample.events["security"].to_numpy()[event],
            "day": days[day],
            "date": market.sessions[row],
            "side": [SIDES[int(s)] for s in side],
            "close": market.prices("close").to_numpy()[row, security],
            "limit": limit,
            "at_close": book.closed.to_numpy()[row, security] == side,
            "locked": book.locked.to_numpy()[row, security],
        },
        columns=columns,
    )


def halts(data: FittedEvents) -> pd.DataFrame:
    """Spells without trade that touch the event windows; see `EventStudyResults.halts`."""
    return _joined(data, [_halts(part.study) for part in data.parts()], "resumed_on_day")


def _halts(data: FittedStudy) -> pd.DataFrame:
    market, sample, window = data.spec.market, data.sample, data.spec.window
    spans = market.arrays.spans
    sessions = market.sessions
    found = []
    ends = np.broadcast_to([window.start, window.end], (len(sample), 2))
    ends = ends if sample.own is None else sample.own.window
    for event_id, security, day0, who, (start, end) in zip(
        data.index, sample.security, sample.day0, sample.events["security"], ends.tolist(), strict=True
    ):
        first, last = max(day0 + start, 0), min(day0 + end, len(sessions) - 1)
        inside = np.flatnonzero(spans[security, first : last + 1] > 1) + first
        for row in inside:
            span = int(spans[security, row])
            found.append((event_id, who, sessions[row - span + 1], sessions[row - 1], span - 1, row - day0))
        traded = np.flatnonzero(spans[security, : last + 1] > 0)
        if len(traded) and traded[-1] < last:
            spell = (sessions[traded[-1] + 1], sessions[last], int(last - traded[-1]), np.nan)
            found.append((event_id, who, *spell))
    columns = ["event_id", "security", "first", "last", "sessions", "resumed_on_day"]
    return pd.DataFrame(found, columns=columns)


def first_free_close(data: FittedEvents, start: int) -> np.ndarray:
    """First relative day from `start` on, by event, whose close is not at a price limit; shape (N,).

    NaN where the event window ends before.

    Raises
    ------
    RequestError
        If a market has no prices to compute limits from, or an event is the average of several listings.
    """
    ends = np.full(len(data.index), np.nan)
    for part in data.parts():
        for row in part.at:
            data.part(int(row))
        ends[part.at] = _first_free_close(part.study, start)[part.rows]
    ends[ends > data.event_window.end] = np.nan
    return ends


def _first_free_close(data: FittedStudy, start: int) -> np.ndarray:
    market, sample, window = data.spec.market, data.sample, data.spec.window
    if "close" not in market.price_fields:
        raise RequestError("'first_free_close' needs prices: make the market with Market.from_prices.")
    book = market.limits
    days = np.arange(start, window.end + 1)
    rows = sample.day0[:, None] + days
    inside = rows < len(market.sessions)
    if sample.own is not None:
        inside &= days <= sample.own.window[:, 1:]
    at = np.clip(rows, 0, len(market.sessions) - 1)
    column = book.closed.columns.get_indexer(pd.Index(sample.events["security"]))[:, None]
    traded = ~np.isnan(market.prices("close").to_numpy()[at, column])
    free = inside & traded & (book.closed.to_numpy()[at, column] == 0)
    return np.where(free.any(axis=1), days[np.argmax(free, axis=1)], np.nan)
