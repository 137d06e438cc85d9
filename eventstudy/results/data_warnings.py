"""Suspect data in the windows of a study, by event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, IntArray
from eventstudy.abnormal import AbnormalReturns, covered
from eventstudy.errors import DataError
from eventstudy.inference import TestInput
from eventstudy.lazy import as_small_int
from eventstudy.market import Market
from eventstudy.market.data_checks import ALL, DOUBTFUL, OF_BENCHMARKS, OF_FACTORS, Suspects, series_names
from eventstudy.sample import EventSample
from eventstudy.text import format_time, plural
from eventstudy.windows import Window

__all__ = [
    "doubtful_between",
    "doubtful_in",
    "incomplete_windows",
    "refuse_unsaid_holes",
    "shared_days",
    "shared_days_of",
    "suspects_in",
]

COLUMNS = ["event_id", "security", "window", "date", "kind", "detail"]
#: Days of the event window without benchmark or factor have a warning of their own.
GAPS = ("benchmark gap", "factor gap")
#: Marks a series that is not a column of the market.
NOWHERE = -2


def suspects_in(
    sample: EventSample, events: IntArray | None = None, benchmark: bool = True, factors: Sequence[str] = ()
) -> pd.DataFrame:
    """List the suspects of the market in the windows of events; see `EventStudyResults.suspects`.

    Parameters
    ----------
    sample : EventSample
    events : array of int, optional
        Positions of the events to look at; default all.
    benchmark : bool, default True
        Whether data of the benchmarks is used, as it is not in a model of factors.
    factors : sequence of str
        Factors that are used.
    """
    events = np.arange(len(sample)) if events is None else events
    columns, bank = sample.market.columns, sample.market.bank.names
    parts: list[tuple[object, ...]] = []
    for found in sample.market.suspects:
        names = series_names(found, columns, bank)
        order = np.argsort(found.column, kind="stable")
        column = found.column[order]
        for owner in _owners(sample, found, benchmark, factors):
            begin = np.searchsorted(column, owner[events])
            many = np.searchsorted(column, owner[events], side="right") - begin
            who = np.repeat(events, many)
            nth = np.arange(len(who)) - np.repeat(np.cumsum(many) - many, many)
            which = order[np.repeat(begin, many) + nth]
            for name, window in _windows(sample):
                low, high = _rows(sample, window)
                inside = (found.first[which] <= high[who]) & (found.last[which] >= low[who])
                parts += [
                    (e, names[k], name, found.day[k], found.kind, found.told(k))
                    for e, k in zip(who[inside].tolist(), which[inside].tolist(), strict=True)
                ]
    frame = pd.DataFrame(parts, columns=COLUMNS).astype({"event_id": "int64", "date": "datetime64[ns]"})
    frame = frame.sort_values(
        ["event_id", "window", "date", "kind", "security"], kind="stable", ignore_index=True
    )
    return frame.assign(event_id=sample.events.index.to_numpy()[frame["event_id"].to_numpy()])


def doubtful_in(
    sample: EventSample, benchmark: bool, factors: Sequence[str], most: int
) -> tuple[pd.DataFrame, int]:
    """List data that looks wrong, the most serious of each event first.

    Parameters
    ----------
    sample : EventSample
    benchmark : bool
        Whether the model uses the benchmark.
    factors : sequence of str
        Factors that it uses.
    most : int
        Events to look at.

    Returns
    -------
    frame : DataFrame
        As of `suspects_in`, without `GAPS` in the event window.
    n_events : int
        Events with such data, whatever `most`.
    """
    touched = np.zeros(len(sample), dtype=bool)
    for found in sample.market.suspects:
        if found.kind in DOUBTFUL:
            for name, window in _windows(sample):
                if name == "estimation" or found.kind not in GAPS:
                    touched |= _touched(sample, found, window, benchmark, factors)
    if not touched.any():
        return pd.DataFrame(columns=COLUMNS), 0
    shown = suspects_in(sample, np.flatnonzero(touched)[:most], benchmark, factors)
    without_benchmark = shown["kind"].isin(GAPS) & (shown["window"] == "event")
    shown = shown[shown["kind"].isin(DOUBTFUL) & ~without_benchmark]
    place = pd.Index(sample.events.index).get_indexer(pd.Index(shown["event_id"]))
    order = shown.assign(
        event=place, window=shown["window"] == "estimation", kind=shown["kind"].map(DOUBTFUL.index)
    )
    order = order.sort_values(["event", "window", "kind", "date"], kind="stable")
    return shown.loc[order.index], int(touched.sum())


def doubtful_between(market: Market, columns: IntArray, first: int, last: int) -> dict[int, str]:
    """Say what looks wrong in the data of some securities over some sessions.

    Parameters
    ----------
    market : Market
    columns : array of int
        Securities, by their position.
    first, last : int
        Rows of the sessions, both included.

    Returns
    -------
    dict of int to str
        By position of the security, the first thing found.
    """
    told: dict[int, str] = {}
    for found in market.suspects:
        if found.kind in DOUBTFUL and found.kind not in (*OF_BENCHMARKS, *OF_FACTORS):
            inside = np.flatnonzero((found.first <= last) & (found.last >= first))
            for k in inside[np.isin(found.column[inside], columns)].tolist():
                day = pd.Timestamp(found.day[k])
                told.setdefault(int(found.column[k]), f"{found.kind} on {day:%Y-%m-%d}, {found.told(k)}")
    return told


def refuse_unsaid_holes(sample: EventSample) -> None:
    """Refuse returns after missing ones in the windows of events, where nobody said what they span.

    Raises
    ------
    DataError
        Names the first event and return.
    """
    holes = sample.market.arrays.unsaid
    if holes is None or not holes.any():
        return
    count = np.pad(np.cumsum(holes, axis=1), ((0, 0), (1, 0)))
    for name, window in _windows(sample):
        low, high = _rows(sample, window)
        held: IntArray = count[sample.security, high + 1] - count[sample.security, low]
        if held.any():
            event = int(np.argmax(held > 0))
            row = int(low[event] + np.argmax(holes[sample.security[event], low[event] :]))
            who, day = sample.events["security"].iloc[event], sample.market.sessions[row]
            span = int(sample.market.arrays.spans[sample.security[event], row])
            undated = sample.market.undated
            maker = "from_event_time" if undated else "Market"
            prices = "" if undated else " Prices leave no doubt: Market.from_prices."
            raise DataError(
                f"Event {sample.events.index[event]} ({who}): the return of {day:%Y-%m-%d} in its {name} "
                f"window "
                f"follows {plural(span - 1, 'session')} without one, and nothing says whether it is that of "
                f"its own "
                f"session or over all of them. Pass {maker}(..., gaps='single') if each return is of one "
                "session, as "
                "pandas' pct_change and R's diff make them (the move over the hole is then lost), or "
                "gaps='lumped' if it "
                f"spans the hole, as in CRSP.{prices}"
            )


def _windows(sample: EventSample) -> tuple[tuple[str, Window], ...]:
    return ("event", sample.window), ("estimation", sample.estimation)


def _rows(sample: EventSample, window: Window) -> tuple[IntArray, IntArray]:
    last = len(sample.market.sessions) - 1
    if sample.own is not None:
        ends = sample.own.estimation if window is sample.estimation else sample.own.window
        low, high = np.clip(sample.day0[:, None] + ends, 0, last).T
        return low, high
    return np.clip(sample.day0 + window.start, 0, last), np.clip(sample.day0 + window.end, 0, last)


def _owners(
    sample: EventSample, found: Suspects, benchmark: bool, factors: Sequence[str]
) -> tuple[IntArray, ...]:
    """Positions among the columns of `found` that concern each event: its security, benchmark and factors."""
    if found.column[0] == ALL:
        return (np.full(len(sample), ALL),)
    if found.kind in OF_BENCHMARKS:
        return (sample.benchmark,) if benchmark else ()
    if found.kind in OF_FACTORS:
        return tuple(sample.factor(name) for name in factors)
    if not benchmark:
        return (sample.security,)
    market = sample.market
    # A benchmark may be no column of the market, or an event have none: the last entry stands for both.
    column = np.append(pd.Index(market.columns).get_indexer(pd.Index(sample.bank.names)), NOWHERE)
    return sample.security, np.where(column < 0, NOWHERE, column)[sample.benchmark]


def _touched(
    sample: EventSample, found: Suspects, window: Window, benchmark: bool, factors: Sequence[str]
) -> BoolArray:
    """Whether the window of each event holds a suspect, shape (N,).

    As many spells overlap it as begin before its end, less those that end before its start.
    """
    width = len(sample.market.sessions) + 1
    low, high = _rows(sample, window)
    begun = np.sort(found.column * width + found.first)
    over = np.sort(found.column * width + found.last)
    touched = np.zeros(len(sample), dtype=bool)
    for owner in _owners(sample, found, benchmark, factors):
        n = np.searchsorted(begun, owner * width + high, side="right")
        touched |= n > np.searchsorted(over, owner * width + low)
    return touched


def incomplete_windows(sample: EventSample, abnormal: AbnormalReturns) -> dict[int, str]:
    """Say of each event, by position, whose returns do not cover its event window what they lack."""
    if sample.own is None:
        whole = np.broadcast_to([abnormal.window.start, abnormal.window.end], (len(sample), 2))
        at_ends = abnormal.ar[:, [0, -1]]
    else:
        whole = sample.own.window
        at_ends = np.take_along_axis(abnormal.ar, whole - abnormal.window.start, axis=1)
    rows = np.flatnonzero(np.isnan(at_ends).any(axis=1))
    first, last = whole[rows].T
    begins, ends = covered(abnormal, abnormal.window, rows)
    late, early = begins > first, ends < last
    windows = {pair: str(Window(*pair)) for pair in {*zip(first.tolist(), last.tolist(), strict=True)}}
    lacks = [
        _edges(sample, rows[late], begins[late], "begin"),
        _edges(sample, rows[early], ends[early], "end"),
    ]
    told = {}
    for row, *pair in np.column_stack([rows, first, last])[late | early].tolist():
        lacking = " and ".join(found[row] for found in lacks if row in found)
        told[row] = f"its abnormal returns {lacking}, its event window is {windows[*pair]}"
    return told


def _edges(sample: EventSample, events: IntArray, days: IntArray, verb: str) -> dict[int, str]:
    """Say of events at which day their abnormal returns begin or end, and whether the data does."""
    rows = sample.day0[events] + days
    moments = sample.market.sessions[rows]
    # Daily sessions are written all at once: many events may lie at an edge.
    daily = sample.market.arrays.gap is None
    texts = np.datetime_as_string(moments, unit="D").tolist() if daily else map(format_time, moments)
    of_data = 0 if verb == "begin" else len(sample.market.sessions) - 1
    data = [", as the data does" if row == of_data else "" for row in rows.tolist()]
    told = [f"{day:+d}".replace("+0", "0") for day in days.tolist()]
    lines = zip(events.tolist(), told, texts, data, strict=True)
    return {event: f"{verb} on day {day} ({text}{end})" for event, day, text, end in lines}


def shared_days_of(tested: TestInput, security: npt.NDArray[np.object_]) -> int:
    """Count how often a tested day of a security stands in another window of it as well.

    Parameters
    ----------
    tested : TestInput
        n events with a CAR.
    security : array, shape (n,)
    """
    session, by_day, length = tested.abnormal.day0, tested.abnormal.by_day, len(tested.window)
    if session is None or by_day is None or not tested.abnormal.within_data(tested.window):
        return shared_days(tested.tested_dates, security)
    code = as_small_int(pd.factorize(security)[0])
    order = by_day[np.argsort(code[by_day], kind="stable")]
    apart = np.diff(session[order])[code[order][1:] == code[order][:-1]]
    return int(np.maximum(length - apart, 0).sum())


def shared_days(dates: DateArray, security: npt.NDArray[np.object_]) -> int:
    """Count how often a day of a security stands in another window of it as well.

    Parameters
    ----------
    dates : array of datetime64, shape (n, days)
        Dates of the tested windows of n events; NaT beyond the data.
    security : array, shape (n,)
        Whose events they are.
    """
    code = pd.factorize(security)[0]
    if len(code) == 0 or np.bincount(code).max() == 1:
        return 0
    known = ~np.isnat(dates)
    days = dates.astype(np.int64) - dates[known].astype(np.int64).min(initial=0)
    place = (code[:, None] * (days[known].max(initial=0) + 1) + days)[known]
    place.sort()
    return int(np.count_nonzero(place[1:] == place[:-1]))
