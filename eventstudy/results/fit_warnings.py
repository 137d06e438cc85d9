"""Warnings of a fit: one per kind, with the events that each concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, IntArray
from eventstudy.errors import (
    EventStudyWarning,
    ExcludedEventsWarning,
    IncompleteWindowWarning,
    LumpedReturnWarning,
    MissingBenchmarkWarning,
    OverlapWarning,
    PriceLimitWarning,
    SuspectDataWarning,
)
from eventstudy.immutable import hand_out_copies
from eventstudy.lazy import as_small_int
from eventstudy.market.data_checks import EVERY_SECURITY
from eventstudy.results.data_warnings import doubtful_in, incomplete_windows
from eventstudy.results.fitted import FittedStudy, used_factors, uses_benchmark
from eventstudy.results.trading_frictions import limit_hits
from eventstudy.sample import EventSample
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["FitWarning", "exclusion_text", "fit_warnings", "of_model", "suspect_data", "warning_table"]

#: Events that a message names, and that the table of warnings lists per kind.
MOST_NAMED, MOST_LISTED = 5, 1000
COLUMNS = ["category", "event_id", "security", "date", "message"]


@hand_out_copies("events")
@dataclass(frozen=True)
class FitWarning:
    """A warning, and its message for each event.

    Attributes
    ----------
    category : type of EventStudyWarning
    message : str
        One line, which names the first few events.
    events : DataFrame
        event_id, security, date, message; the first thousand.
    n_events : int
        Rows that `events` would have without this limit.
    """

    category: type[EventStudyWarning]
    message: str
    events: pd.DataFrame
    n_events: int


def warning_table(found: Sequence[FitWarning]) -> pd.DataFrame:
    """Lay warnings out as one table; see `EventStudyResults.warnings`."""
    parts = [pd.DataFrame({name: [] for name in COLUMNS}, dtype=object)]
    for each in found:
        rows = each.events
        if each.n_events > len(rows):
            rest = {"event_id": None, "security": "", "date": pd.NaT}
            rest["message"] = f"and {each.n_events - len(rows)} more"
            rows = pd.concat([rows.astype(object), pd.DataFrame([rest], dtype=object)], ignore_index=True)
        parts.append(rows.astype(object).assign(category=each.category.__name__)[COLUMNS])
    frame = pd.concat(parts, ignore_index=True) if found else parts[0]
    return frame.assign(date=pd.to_datetime(frame["date"]))


def of_model(category: type[EventStudyWarning], message: str) -> FitWarning:
    """Make a warning that a model issued, which concerns no single event."""
    return FitWarning(category, message, _rows([None], [""], pd.NaT, [message]), 1)


def exclusion_text(excluded: pd.DataFrame, n_events: int, where: str) -> str:
    """Say in one line which events cannot be used; `where` lists all of them."""
    told = [f"event {e} ({security}): {why}" for e, security, why in _reasons(excluded.head(MOST_NAMED))]
    return (
        f"{len(excluded)} of {plural(n_events, 'event')} cannot be used (see {where}): "
        f"{_listed(told, len(excluded))}."
    )


def fit_warnings(data: FittedStudy, lost: BoolArray) -> list[FitWarning]:
    """Find what a fit warns of.

    Parameters
    ----------
    data : FittedStudy
    lost : array of bool, shape (N, L)
        Days of the event windows on which a security traded and has no abnormal return.
    """
    sample = data.sample
    model = data.spec.model
    found = [
        *_excluded(sample),
        *_incomplete(data),
        *_lumped(sample),
        *_overlapping(sample),
        *suspect_data(sample, uses_benchmark(model), used_factors(model)),
        *_without_benchmark(sample, lost),
        *_at_limits(data),
    ]
    return found


def _listed(told: list[str], n: int) -> str:
    return "; ".join(told) + (f"; and {n - len(told)} more" if n > len(told) else "")


def _reasons(excluded: pd.DataFrame) -> Iterator[tuple[object, str, str]]:
    yield from excluded[["security", "reason"]].itertuples(name=None)


def _rows(ids: list[Any], security: list[str], date: object, message: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"event_id": ids, "security": security, "date": date, "message": message})


def _of(sample: EventSample, rows: IntArray, message: list[str]) -> pd.DataFrame:
    """Make one row per event, dated by its day 0."""
    events, days = sample.events, sample.market.sessions[sample.day0[rows]]
    return _rows(events.index[rows].tolist(), events["security"].iloc[rows].tolist(), days, message)


def _names(sample: EventSample, rows: IntArray) -> list[str]:
    events = sample.events
    pairs = zip(events.index[rows].tolist(), events["security"].iloc[rows].tolist(), strict=True)
    return [f"event {event_id} ({security})" for event_id, security in pairs]


def _excluded(sample: EventSample) -> Iterator[FitWarning]:
    excluded = sample.excluded
    if len(excluded):
        first = excluded.head(MOST_LISTED)
        rows = _rows(first.index.tolist(), first["security"].tolist(), pd.NaT, first["reason"].tolist())
        text = exclusion_text(excluded, len(excluded) + len(sample), "results.excluded")
        yield FitWarning(ExcludedEventsWarning, text, rows, len(excluded))


def _incomplete(data: FittedStudy) -> Iterator[FitWarning]:
    found = incomplete_windows(data.sample, data.abnormal)
    if found:
        rows = np.array(list(found), dtype=np.int64)[:MOST_LISTED]
        reasons = list(found.values())[:MOST_LISTED]
        names = _names(data.sample, rows[:MOST_NAMED])
        told = [f"{name}: {why}" for name, why in zip(names, reasons, strict=False)]
        then = (
            "CARs sum what there is and are marked in results.car()"
            if data.abnormal.partial
            else "CARs of the windows they do not cover are NaN and in no average; incomplete='partial' sums "
            "what there is, 'exclude' leaves such events out"
        )
        text = (
            f"The returns of {plural(len(found), 'event')} do not cover the event window: "
            f"{_listed(told, len(found))}. {then}."
        )
        yield FitWarning(IncompleteWindowWarning, text, _of(data.sample, rows, reasons), len(found))


def _lumped(sample: EventSample) -> Iterator[FitWarning]:
    old = np.flatnonzero(sample.spans > sample.day0 - sample.first_row + 1)
    if len(old):
        first = old[:MOST_LISTED]
        notes = [sample.note(row) for row in first.tolist()]
        told = [f"{name}: {note}" for name, note in zip(_names(sample, first), notes, strict=True)]
        text = (
            f"The return of day 0 holds earlier sessions for {plural(len(old), 'event')}: "
            f"{_listed(told[:MOST_NAMED], len(old))}."
        )
        yield FitWarning(LumpedReturnWarning, text, _of(sample, first, notes), len(old))


def _overlapping(sample: EventSample) -> Iterator[FitWarning]:
    pairs, count = _touching(sample)
    if count:
        ids = sample.events.index
        told = [f"event {ids[a]} has event {ids[b]} in its {where}" for a, b, where in pairs[:MOST_NAMED]]
        text = (
            f"Windows hold other events of the same security: {_listed(told, count)}. Events.overlaps() "
            "lists the pairs; shorten or move the windows, or drop one of each pair; exclude_events=True "
            "keeps such days out of the estimation, and results.stacked() shares out overlapping windows."
        )
        owner = np.array([a for a, _, _ in pairs], dtype=np.int64)
        rows = _of(sample, owner, [f"has event {ids[b]} in its {where}" for _, b, where in pairs])
        yield FitWarning(OverlapWarning, text, rows, count)


def _touching(sample: EventSample) -> tuple[list[tuple[int, int, str]], int]:
    """Pairs (event, other event of the security, which window of the first the other's day 0 lies in).

    Events by position; the first thousand pairs, and how many there are.
    """
    own = sample.own

    def ends(window: Window) -> tuple[IntArray | int, IntArray | int]:
        if own is None:
            return window.start, window.end
        begin, end = (own.estimation if window is sample.estimation else own.window).T
        return begin, end

    named = [(*ends(sample.window), "event window")]
    if sample.announced is None and (own is None or own.skip is None):
        named.append((*ends(sample.estimation), "estimation window"))
    # Security and day in one number, securities too far apart for a window to reach the next.
    far = max(int(np.max(np.abs(days), initial=0)) for *both, _ in named for days in both)
    order = np.lexsort((as_small_int(sample.day0), as_small_int(sample.security)))
    place = (sample.security * (len(sample.market.sessions) + far + 1) + sample.day0)[order]
    where = np.empty_like(order)
    where[order] = np.arange(len(order))
    pairs: list[tuple[int, int, str]] = []
    count = 0
    for begin_day, end_day, name in named:
        if isinstance(begin_day, np.ndarray):
            begin_day, end_day = begin_day[order], np.asarray(end_day)[order]
        first = np.searchsorted(place, place + begin_day)
        stop = np.searchsorted(place, place + end_day, side="right")
        if name == "estimation window" and sample.barred is not None:
            told, n_told = _not_barred(sample, order, first, stop, len(pairs))
            pairs, count = pairs + told, count + n_told
            continue
        others = stop - first - ((begin_day <= 0) & (end_day >= 0))  # without the event itself
        count += int(others.sum())
        touched = np.zeros(len(place), dtype=bool)
        touched[order[others > 0]] = True
        rows = np.flatnonzero(touched)[:MOST_LISTED]
        at = where[rows]
        # Events up to the last one whose pairs are listed.
        rows = rows[: int(np.searchsorted(np.cumsum(others[at]), MOST_LISTED - len(pairs))) + 1]
        begin = first[where[rows]]
        many = np.minimum(stop[where[rows]] - begin, MOST_LISTED)
        who = np.repeat(rows, many)
        near = order[np.arange(len(who)) + np.repeat(begin - (np.cumsum(many) - many), many)]
        inside = np.lexsort((near, who))
        who, near = who[inside], near[inside]
        other = who != near
        found = zip(who[other].tolist(), near[other].tolist(), strict=True)
        pairs += [(i, j, name) for i, j in found]
    return pairs[:MOST_LISTED], count


def _not_barred(
    sample: EventSample, order: IntArray, first: IntArray, stop: IntArray, n_known: int
) -> tuple[list[tuple[int, int, str]], int]:
    """Pairs whose other event has days in the estimation window that `exclude_dates` does not leave out."""
    assert sample.barred is not None
    offsets = np.arange(sample.window.start, sample.window.end + 1)
    out = np.ones(len(sample), dtype=bool)
    for offset in offsets.tolist():
        out &= sample.barred.spans_any(sample.security, sample.day0 + offset)
    pairs = []
    for place, (begin, end) in enumerate(zip(first.tolist(), stop.tolist(), strict=True)):
        me = int(order[place])
        pairs += [(me, int(j), "estimation window") for j in order[begin:end] if j != me and not out[j]]
    pairs.sort()
    return pairs[: max(MOST_LISTED - n_known, 0)], len(pairs)


def suspect_data(sample: EventSample, benchmark: bool, factors: Sequence[str] = ()) -> Iterator[FitWarning]:
    """Warn of data in the windows of events that looks wrong; what is used is given as to `suspects_in`."""
    shown, n = doubtful_in(sample, benchmark, factors, MOST_LISTED)
    if n:
        heads = shown.groupby("event_id", sort=False)
        first, others = heads.head(1), heads.size() - 1
        messages = []
        for event_id, row in zip(first["event_id"], first.itertuples(index=False), strict=True):
            more = f", and {others[event_id]} more" if others[event_id] else ""
            whose = "" if row.security == EVERY_SECURITY else f" of {row.security}"
            where = f"{row.kind}{whose} on {row.date:%Y-%m-%d} in its {row.window} window"
            messages.append(f"{where}, {row.detail}{more}")
        ids = first["event_id"].tolist()
        told = [f"event {e}: {what}" for e, what in zip(ids[:MOST_NAMED], messages, strict=False)]
        text = (
            f"Data in the windows of {n} of {plural(len(sample), 'event')} looks wrong and is used "
            f"unchanged: {_listed(told, n)}. See results.suspects and market.audit()."
        )
        security = sample.events["security"].loc[ids].tolist()
        rows = _rows(ids, security, first["date"].tolist(), messages)
        yield FitWarning(SuspectDataWarning, text, rows, n)


def _without_benchmark(sample: EventSample, lost: BoolArray) -> Iterator[FitWarning]:
    found = np.flatnonzero(lost.any(axis=1))
    if len(found):
        first = found[:MOST_LISTED]
        offsets = sample.window.offsets
        days = [", ".join(f"{d:+d}" for d in offsets[lost[row]]) for row in first.tolist()]
        told = [
            f"{name} on day {d}" for name, d in zip(_names(sample, first[:MOST_NAMED]), days, strict=False)
        ]
        text = (
            f"The benchmark or a factor is missing in the event window of {plural(len(found), 'event')}, so "
            f"these days have no abnormal return: {_listed(told, len(found))}."
        )
        rows = _of(sample, first, [f"the benchmark or a factor is missing on day {d}" for d in days])
        yield FitWarning(MissingBenchmarkWarning, text, rows, len(found))


def _at_limits(data: FittedStudy) -> Iterator[FitWarning]:
    if not data.sample.market.has_limits:
        return
    hits = limit_hits(data)
    hits = hits[hits["at_close"]]
    if len(hits):
        touched = hits["event_id"].unique()
        listed = hits[hits["event_id"].isin(touched[:MOST_LISTED])]
        ids, security, first, messages = [], [], [], []
        for (event_id, name), days in listed.groupby(["event_id", "security"], sort=False):
            dates = ", ".join(f"{d:%Y-%m-%d}" for d in days["date"][:4]) + ", ..." * (len(days) > 4)
            ids.append(event_id)
            security.append(str(name))
            first.append(days["date"].iloc[0])
            messages.append(f"{plural(len(days), 'day')}: {dates}")
        pairs = list(zip(ids, security, messages, strict=True))[:MOST_NAMED]
        told = [f"event {event_id} ({name}) on {days}" for event_id, name, days in pairs]
        text = (
            f"Closes at the daily price limit cut the reaction short: {_listed(told, len(touched))}. See "
            "results.limit_hits, and results.car(0, 'first_free_close') for the move to the first free close."
        )
        rows = _rows(ids, security, first, [f"closed at the daily price limit on {m}" for m in messages])
        yield FitWarning(PriceLimitWarning, text, rows, len(touched))
