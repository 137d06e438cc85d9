"""Pool: fitted studies of several markets, or of the exchanges of one, become one cross-section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.abnormal import (
    AbnormalReturns,
    EstimationWindows,
    HeldEventWindows,
    HeldWindows,
    estimation_design,
)
from eventstudy.arguments import check_sequence
from eventstudy.errors import EventError, ModelError, RequestError
from eventstudy.results.fitted import FittedStudy, StudySpec, refuse_undated
from eventstudy.results.pooled.cross_listings import Listings, averaged, firms_of, grouped
from eventstudy.results.pooled.results import FittedPool, PooledResults
from eventstudy.results.study_results import EventStudyResults
from eventstudy.windows import Window

__all__ = ["by_exchange", "joined", "joined_study", "of_one_exchange", "pool"]


def joined(parts: Sequence[AbnormalReturns], window: Window, sessions: DateArray) -> AbnormalReturns:
    """Join the events of several studies, in their order.

    Parameters
    ----------
    parts : sequence of AbnormalReturns
    window : Window
        Part of every event window; its columns are kept.
    sessions : array of datetime64[D]
        Sessions of all markets, in order, each once.

    Returns
    -------
    AbnormalReturns
        Column j of the estimation arrays is the same number of `sessions` before day 0 for every event, so
        that events of one date stand on the same calendar days whatever their markets' holidays; NaN where
        the event's own market was closed or the day is beyond its estimation window. The event window
        counts each market's own sessions. Regressors of the estimation windows are not kept.
    """
    cols = [part.columns(window) for part in parts]
    k = max(part.param_cov.shape[2] for part in parts)
    days, residuals, leverage = _on_sessions(parts, [part.past for part in parts], sessions)
    gaps = [part.between for part in parts]
    between = None
    if all(gap is not None for gap in gaps):
        gap_days, *gap_values = _on_sessions(parts, [gap for gap in gaps if gap is not None], sessions)
        between = HeldWindows(gap_values[0], gap_values[1], gap_days)

    def event(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name)[:, c] for part, c in zip(parts, cols, strict=True)])

    def each(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name) for part in parts])

    # A return that lumps the sessions of a halt may span some before the window.
    longest = max(int(part.span.max(initial=1)) for part in parts) - 1
    design = [_padded(part.design[:, c], k, 1) for part, c in zip(parts, cols, strict=True)]
    return AbnormalReturns(
        window=window,
        ar=event("ar"),
        actual=event("actual"),
        span=event("span").astype(np.int64),
        param_cov=np.concatenate([_padded(part.param_cov, k, 2) for part in parts]),
        s2=each("s2"),
        n_obs=each("n_obs").astype(np.int64),
        dof=each("dof"),
        n_params=max(part.n_params for part in parts),
        exact=all(part.exact for part in parts),
        partial=all(part.partial for part in parts),
        estimated_after=_estimated_after(parts),
        past=HeldWindows(residuals, leverage, days),
        event_windows=HeldEventWindows(
            np.concatenate([p.event_dates[:, c] for p, c in zip(parts, cols, strict=True)]),
            event("noise"),
            np.concatenate(design),
            np.concatenate([part.dates_before(c, longest) for part, c in zip(parts, cols, strict=True)]),
        ),
        between=between,
        autocorrelation=_autocorrelation(parts),
    )


def _autocorrelation(parts: Sequence[AbnormalReturns]) -> FloatArray | None:
    """Join the autocorrelations of parts, zero beyond lag 0 where a model knows of none."""
    known = [part.autocorrelation for part in parts if part.autocorrelation is not None]
    if not known:
        return None
    longest = max(each.shape[1] for each in known)
    return np.concatenate(
        [
            _padded(np.ones((part.n_events, 1)) if (own := part.autocorrelation) is None else own, longest, 1)
            for part in parts
        ]
    )


def _estimated_after(parts: Sequence[AbnormalReturns]) -> BoolArray | None:
    if all(part.estimated_after is None for part in parts):
        return None
    none = [np.zeros(part.n_events, dtype=bool) for part in parts]
    own = [part.estimated_after for part in parts]
    return np.concatenate([b if a is None else a for a, b in zip(own, none, strict=True)])


def _padded(values: FloatArray, k: int, axes: int) -> FloatArray:
    """Fill the last `axes` axes of an array with zeros up to length k."""
    more = k - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - axes) + [(0, more)] * axes)


def _on_sessions(
    parts: Sequence[AbnormalReturns], windows: Sequence[EstimationWindows], sessions: DateArray
) -> tuple[DateArray, FloatArray, FloatArray]:
    """Days, residuals and hat values of windows of the parts, by sessions before day 0; each (N, W)."""
    starts, places = [], []
    for part, own in zip(parts, windows, strict=True):
        start, dates = np.searchsorted(sessions, part.event_dates[:, -part.window.start]), own.dates()
        known = ~np.isnat(dates)
        place = np.searchsorted(sessions, dates) - start[:, None]
        starts.append(start)
        places.append(np.where(known, place, 0))  # day 0 itself stands for no day
    low = min(int(place.min(initial=0)) for place in places)
    width = max(int(place[place < 0].max(initial=low)) for place in places) - low + 1
    start = np.concatenate(starts)
    rows = start[:, None] + np.arange(low, low + width)
    days = np.where(rows >= 0, sessions[np.maximum(rows, 0)], np.datetime64("NaT", "D"))
    residuals, leverage = np.full((2, len(start), width), np.nan)
    first = 0
    for own, place in zip(windows, places, strict=True):
        row, column = np.nonzero(place < 0)
        to = (first + row, place[row, column] - low)
        residuals[to] = own.residuals()[row, column]
        leverage[to] = own.leverage()[row, column]
        first += len(place)
    return days, residuals, leverage


def pool(
    results: Sequence[EventStudyResults] | Mapping[str, EventStudyResults],
    *,
    firm: str | Mapping[str, str] | None = None,
    listings: Listings = "mean",
) -> PooledResults:
    r"""Join fitted studies of several exchanges, calendars, currencies and benchmarks into one cross-section.

    Parameters
    ----------
    results : sequence, or mapping of name to EventStudyResults
        Two or more. Without names, the exchange of each market, else a number, is its name.
    firm : str or mapping of security to firm, optional
        Column of the events, or mapping, that says which listings (A and H shares, depositary receipts) are
        of one firm; the column ``firm`` by default, where the events have one.
    listings : {"mean", "first", "separate"}, default "mean"
        What becomes of several listings of one firm whose days 0 lie at most four days apart: their average,
        so the firm counts once; the first of them in the order given, the others being listed in
        `excluded`; or each an event of its own, whose correlation enters r-bar like that of any two events
        (tests that assume independence ignore it).

    Returns
    -------
    PooledResults

    Raises
    ------
    RequestError
        If there are fewer than two results, they are of different kinds of returns or within the day, or an
        event stands in two studies.

    Notes
    -----
    Event windows are cut to the days that all studies have; estimation windows and models may differ and are
    told in the summary. Ids that two studies share are written ``"name:id"``. Estimation residuals are laid
    on the sessions of all markets together, so one calendar day is one column for events of one
    date; r-bar is the mean over pairs of the correlation on common calendar days times the share of days that
    their tested windows have in common.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025; Kolari, Pape and Pynnonen (2018).

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.datasets.surveillance_prices()
    >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    >>> early = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
    >>> late = [{"security": "002236.SZ", "announced_at": "2019-10-07 17:00-04:00"}]
    >>> studies = [
    ...     es.EventStudy(market, events, estimation=estimation).fit()
    ...     for events, estimation in ((early, (-270, -21)), (late, (-200, -21)))
    ... ]
    >>> both = es.pool({"May": studies[0], "October": studies[1]})
    >>> both
    PooledResults: 2 events of 2 studies (May, October), Market model (OLS), window (-10, +10)
    >>> both.car(0, 1)["car"].round(4).to_dict()
    {'May:0': -0.0751, 'October:0': -0.1121}
    """
    named = _named(results)
    if listings not in get_args(Listings):
        raise RequestError(f"listings must be one of {', '.join(get_args(Listings))}; got {listings!r}.")
    studies = [result.fitted for result in named.values()]
    for study in studies:
        refuse_undated(study.undated, "pool")
    kinds = list(dict.fromkeys(study.kind for study in studies))
    if len(kinds) > 1:
        raise RequestError(
            f"The studies measure different returns, {' and '.join(kinds)}, which cannot be averaged; "
            "make the markets with one kind=."
        )
    if any(study.abnormal.event_dates.dtype != np.dtype("datetime64[D]") for study in studies):
        raise RequestError("pool joins daily studies only: bars of several exchanges do not line up.")
    window = Window(
        max(study.event_window.start for study in studies), min(study.event_window.end for study in studies)
    )
    prefixed = _share_ids(named)
    own = [(name, i) for name, result in named.items() for i in result.fitted.index]
    ids = [f"{name}:{i}" if prefixed else i for name, i in own]
    whole = pd.Index(ids, name="event_id", dtype=object)
    places = [(s, r) for s, study in enumerate(studies) for r in range(len(study.index))]
    _refuse_twice(studies)
    sessions = np.unique(np.concatenate([study.sessions.to_numpy() for study in studies]))
    abnormal = joined([study.abnormal for study in studies], window, sessions.astype("datetime64[D]"))
    firms = firms_of([study.events for study in studies], firm)
    groups = [[row] for row in range(len(places))]
    dropped = _left_out(studies, places, whole, [])
    if firms is not None and listings != "separate":
        securities = [name for study in studies for name in study.timeline["security"]]
        day0 = abnormal.event_dates[:, -window.start]
        groups = grouped([name for names in firms for name in names], securities, day0)
        if listings == "first":
            dropped = _left_out(studies, places, whole, groups)
            groups = [group[:1] for group in groups]
    if any(len(group) > 1 for group in groups):
        abnormal = averaged(abnormal, groups, _designs(studies, places, groups, abnormal, sessions))
    elif len(groups) < len(places):
        abnormal = abnormal.take(np.isin(np.arange(len(places)), [group[0] for group in groups]))
    members = tuple(tuple(places[row] for row in group) for group in groups)
    names = whole[[group[0] for group in groups]]
    return PooledResults(
        FittedPool(
            results=named,
            window=window,
            members=members,
            names=names,
            prefixed=prefixed,
            dropped=dropped,
            abnormal=abnormal,
        )
    )


def _named(
    results: Sequence[EventStudyResults] | Mapping[str, EventStudyResults],
) -> dict[str, EventStudyResults]:
    given = results.values() if isinstance(results, Mapping) else results
    given = check_sequence("results", given, "EventStudyResults")
    strange = next((r for r in given if not isinstance(r, EventStudyResults)), None)
    if strange is not None:
        raise RequestError(f"pool takes results of EventStudy(...).fit(), found {type(strange).__name__}.")
    if len(given) < 2:
        raise RequestError(f"pool joins two or more results, got {len(given)}.")
    if isinstance(results, Mapping):
        return {str(name): result for name, result in results.items()}
    exchanges = [result.spec.market.exchange for result in given]
    codes = [None if exchange is None else exchange.code for exchange in exchanges]
    if None in codes or len(set(codes)) < len(codes):
        codes = [str(number) for number in range(1, len(given) + 1)]
    return {str(code): result for code, result in zip(codes, given, strict=True)}


def _share_ids(named: Mapping[str, EventStudyResults]) -> bool:
    """Whether an id names an event of two studies, used or excluded."""
    ids = [i for result in named.values() for i in (*result.fitted.index, *result.excluded.index)]
    return len(set(ids)) < len(ids)


def _refuse_twice(studies: Sequence[FittedStudy]) -> None:
    seen: set[tuple[str, pd.Timestamp]] = set()
    for study in studies:
        own = set(zip(study.timeline["security"], study.timeline["day_0"], strict=True))
        if seen & own:
            security, day = min(seen & own)
            raise RequestError(
                f"{security} on {day:%Y-%m-%d} is an event of two of the studies and would count twice. "
                "Leave it out of one."
            )
        seen |= own


def _left_out(
    studies: Sequence[FittedStudy],
    places: Sequence[tuple[int, int]],
    ids: pd.Index,
    groups: Sequence[Sequence[int]],
) -> pd.DataFrame:
    """All listings but the first of each group, as excluded events."""
    rows = [(row, group[0]) for group in groups for row in group[1:]]
    lines = [studies[places[row][0]].timeline.iloc[places[row][1]] for row, _ in rows]
    frame = pd.DataFrame(
        {
            "security": [line["security"] for line in lines],
            "label": [line["label"] for line in lines],
            "reason": [f"another listing of the firm of event {ids[first]}" for _, first in rows],
        },
        index=pd.Index([ids[row] for row, _ in rows], name="event_id", dtype=object),
        dtype=object,
    )
    return frame


def _designs(
    studies: Sequence[FittedStudy],
    places: Sequence[tuple[int, int]],
    groups: Sequence[Sequence[int]],
    abnormal: AbnormalReturns,
    sessions: DateArray,
) -> dict[int, FloatArray]:
    """Least-squares regressors of the listings that are averaged, laid out like the joined residuals."""
    found = {}
    for row in (row for group in groups if len(group) > 1 for row in group):
        number, at = places[row]
        study = studies[number]
        arrays = study.spec.model.arrays(study.sample, slice(at, at + 1))
        x = estimation_design(arrays)[0]
        if x.shape[1] != study.abnormal.param_cov.shape[2]:
            continue
        one, past = slice(at, at + 1), study.abnormal.past
        used = ~np.isnan(past.residuals(one)[0])
        days = abnormal.past.dates(slice(row, row + 1))[0]
        own = past.dates(one)[0]
        laid = np.full((len(days), x.shape[1]), np.nan)
        laid[np.searchsorted(days, own[used])] = x[used]
        found[row] = laid
    return found


def by_exchange(spec: StudySpec) -> dict[str, StudySpec]:
    """Return the study of each exchange of a market, by its name; exchanges without events are left out.

    Events of securities that the market has not go with the first of them, which excludes them.

    Raises
    ------
    EventError
        If an event names the benchmark of another exchange.
    ModelError
        If a security's peers trade on another exchange.
    """
    security = spec.events.frame["security"]
    parts = spec.market.parts
    owner = {name: at for at, part in enumerate(parts.values()) for name in part.columns}
    of = np.array([owner.get(name, -1) for name in security], dtype=np.int64)
    used = np.unique(of[of >= 0]).tolist() or [0]
    of[of < 0] = used[0]
    named = list(parts.items())
    _refuse_of_other_exchanges(spec, owner, of)
    return {
        named[at][0]: replace(
            spec, market=named[at][1], events=spec.events.take(np.flatnonzero(of == at).tolist())
        )
        for at in used
    }


def _refuse_of_other_exchanges(spec: StudySpec, owner: Mapping[str, int], of: IntArray) -> None:
    frame, peers = spec.events.frame, getattr(spec.model, "peers", None)
    benchmarks = frame["benchmark"] if "benchmark" in frame else pd.Series(None, frame.index, dtype=object)
    parts = list(spec.market.parts.values())
    for event, who, benchmark, at in zip(
        frame.index, frame["security"], benchmarks, of.tolist(), strict=True
    ):
        if owner.get(benchmark, at) != at and benchmark not in parts[at].benchmarks:
            raise EventError(
                f"Event {event} ({who}) names the benchmark {benchmark!r}, which is traded on another "
                f"exchange. Give it to the market, benchmark={{{who!r}: {benchmark!r}, ...}}: it is then "
                f"compounded over the sessions of {who}."
            )
        for peer in (peers.get(who, ()) if isinstance(peers, Mapping) else peers) or ():
            if owner.get(peer, at) != at:
                raise ModelError(
                    f"The peer {peer!r} is traded on another exchange than {who}, and peers are compared "
                    f"session by session. Name those of its own: peers={{{who!r}: [...], ...}}."
                )


def joined_study(
    found: Mapping[str, EventStudyResults], spec: StudySpec, lost: Sequence[pd.DataFrame]
) -> EventStudyResults | PooledResults:
    """Join the studies of the exchanges, events in the order of `spec`.

    Parameters
    ----------
    found : mapping of str to EventStudyResults
    spec : StudySpec
        The study of the whole market.
    lost : sequence of DataFrame
        Excluded events of exchanges on which none can be used.
    """
    order = spec.events.frame.index
    if len(found) == 1:
        only = next(iter(found.values()))
        fitted = only.fitted
        excluded = pd.concat([only.excluded, *lost])
        sample = replace(fitted.sample, excluded=excluded.loc[order[order.isin(excluded.index)]])
        return EventStudyResults(fitted.spec, sample, fitted.fit, fitted.abnormal, only.warnings)
    pooled = pool(found).fitted
    dropped = pd.concat([pooled.dropped, *lost])
    at = pooled.names.get_indexer(order)
    at = at[at >= 0]
    return PooledResults(
        replace(
            pooled,
            members=tuple(pooled.members[row] for row in at.tolist()),
            names=pooled.names[at],
            dropped=dropped.loc[order[order.isin(dropped.index)]],
            abnormal=pooled.abnormal.take(at),
            _inputs={},
        )
    )


def of_one_exchange(results: EventStudyResults | PooledResults) -> EventStudyResults:
    """Return results of one exchange, and refuse those of several.

    Raises
    ------
    RequestError
        If the events are of several exchanges.
    """
    if isinstance(results, PooledResults):
        raise RequestError(
            f"The events are of {len(results.studies)} exchanges ({', '.join(results.studies)}), and this "
            "needs those of one: take one of market.parts and its events."
        )
    return results
