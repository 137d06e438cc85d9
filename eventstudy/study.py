"""EventStudy: a market, events, a model and two windows; `fit` turns them into results."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.abnormal import measure
from eventstudy.errors import (
    DataWarning,
    ExcludedEventsWarning,
    LumpedReturnWarning,
    ModelError,
    NoUsableEventsError,
    OverlapWarning,
    PriceLimitWarning,
    RequestError,
    WindowError,
    warn,
)
from eventstudy.events import Events
from eventstudy.immutable import Immutable
from eventstudy.interop import ForeignTable
from eventstudy.lazy import narrow, rows_of
from eventstudy.market import Market, ParquetPanel
from eventstudy.models import MarketModel, ModelFit, NormalReturnModel
from eventstudy.models.peer_base import PeerModel
from eventstudy.results import EventStudyResults, StudySpec
from eventstudy.results.data_warnings import warn_of_suspects
from eventstudy.sample import EventSample, check_factors, check_windows
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["EventStudy"]


class EventStudy(Immutable):
    """An event study: what to measure, against which normal return, over which windows.

    Parameters
    ----------
    market : Market or ParquetPanel
        Of a panel (`Market.scan_parquet`) the securities and days that the events need are read at once.
    events : Events, or what `Events` takes
        A column `benchmark` may name, event by event, a benchmark or column of the market to measure
        against instead of the market's own benchmark; a column `factors` one of the market's sets of factors.
    model : NormalReturnModel, default MarketModel()
    estimation : Window or (int, int), default (-250, -30)
        Sessions, relative to day 0, on which normal returns are estimated.
    window : Window or (int, int), default (-10, 10)
        Sessions whose abnormal returns are computed; holds day 0 and no day of `estimation`.
    min_observations : int, default 30
        Events with fewer estimation returns are excluded, with that reason.
    exclude_events : bool, default False
        Leave out of each estimation window the days that lie in the event window of another of these
        announcements about the same security; `n_obs` falls by them.

    Raises
    ------
    WindowError
        If the windows overlap, or the event window lacks day 0.
    ModelError
        If the model needs what the market has not.

    See Also
    --------
    EventStudyResults : what `fit` returns.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    >>> results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    >>> results.car(0, 1)[["car", "se", "t"]].round(4)
                 car      se       t
    event_id
    0        -0.0751  0.0263 -2.8601
    """

    def __init__(
        self,
        market: Market | ParquetPanel[Market],
        events: Events | pd.DataFrame | ForeignTable | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        model: NormalReturnModel | None = None,
        estimation: Window | Sequence[int] = (-250, -30),
        window: Window | Sequence[int] = (-10, 10),
        min_observations: int = 30,
        exclude_events: bool = False,
    ) -> None:
        if not isinstance(market, Market | ParquetPanel):
            raise RequestError(
                f"market must be a Market, got {type(market).__name__}; make one with "
                "Market.from_prices(prices, benchmark=...)."
            )
        if isinstance(model, type):
            raise ModelError(f"model is the class {model.__name__}; pass an instance: {model.__name__}().")
        model = MarketModel() if model is None else model
        if not isinstance(model, NormalReturnModel):
            raise ModelError(f"model must be a normal-return model such as MarketModel(), got {model!r}.")
        estimation, window = Window.of(estimation), Window.of(window)
        check_windows(estimation, window)
        if min_observations <= model.n_params + 1:
            raise ModelError(
                f"min_observations={min_observations} leaves no degrees of freedom: {model.label} estimates "
                f"{model.n_params} parameter(s), so at least {model.n_params + 2} are needed."
            )
        if len(estimation) < min_observations:
            raise WindowError(
                f"The estimation window {estimation} has {len(estimation)} sessions, fewer than "
                f"min_observations={min_observations}. Lengthen it, or lower min_observations."
            )
        events = events if isinstance(events, Events) else Events(events)
        if isinstance(market, ParquetPanel):
            reach = -min(estimation.start, window.start)
            market = market.market(events, reach=reach, also=_peers(model))
        _check_needs(market, model, events.frame)
        self._spec = StudySpec(market, events, model, estimation, window, min_observations, exclude_events)

    @property
    def spec(self) -> StudySpec:
        """What was asked."""
        return self._spec

    def __repr__(self) -> str:
        s = self._spec
        return (
            f"EventStudy: {len(s.events)} event{'s' * (len(s.events) != 1)}, {s.model.label}, "
            f"estimation {s.estimation}, window {s.window}\n  {s.market!r}\n  {s.events!r}"
        )

    def _repr_html_(self) -> str:
        s = self._spec
        asked = (
            f"EventStudy: {s.model.label}, estimation {s.estimation}, window {s.window}, at least "
            f"{s.min_observations} estimation returns"
        )
        return f"<p>{html.escape(asked)}</p>{s.events._repr_html_()}{s.market._repr_html_()}"

    def fit(self, *, n_jobs: int | None = None, chunk_size: int | None = None) -> EventStudyResults:
        """Estimate normal returns and compute abnormal ones.

        Parameters
        ----------
        n_jobs : int, optional
            Workers, as for `joblib.Parallel`: None is 1, unless `joblib.parallel_config` says otherwise.
            They are threads, unless it names another backend, such as processes or a Dask cluster.
        chunk_size : int, optional
            Events whose estimation windows are laid out at a time. It bounds the memory of a large study,
            and changes no result but for rounding. By default 2,048, and 16,384 where threads fit a model of
            least squares.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        NoUsableEventsError
            If not one event can be used; the message gives each reason.
        RequestError
            If `chunk_size` is no number of events.

        Warns
        -----
        ExcludedEventsWarning
            If some events cannot be used.
        LumpedReturnWarning
            If the return of an event day spans sessions before the announcement.
        OverlapWarning
            If windows hold other events of the same security.
        DataWarning
            If data in the windows looks wrong, or the benchmark has a gap there.
        PriceLimitWarning
            If a security closed at its daily price limit inside its event window.
        """
        if chunk_size is not None and (not isinstance(chunk_size, int | np.integer) or chunk_size < 1):
            raise RequestError(
                f"chunk_size is a number of events, 1 or more, or None to leave it open; got {chunk_size!r}."
            )
        spec = self._spec
        sample = EventSample.of(spec.market, spec.events, spec.estimation, spec.window, spec.exclude_events)
        if len(sample) == 0:
            _report_excluded(sample)
        found = measure(spec.model, sample, n_jobs=n_jobs, chunk_size=chunk_size)
        fit, abnormal, gaps = found.fit, found.abnormal, found.gaps
        reasons = _unusable(spec, sample, fit, abnormal.ar) | found.failures
        if reasons:
            usable = np.ones(n := len(sample), dtype=bool)
            usable[list(reasons)] = False
            sample = sample.keep(reasons)
            fit, abnormal = rows_of(fit, usable, n), rows_of(abnormal, usable, n)
            gaps = gaps[usable]
        asked = spec.events.frame.index
        sample = replace(sample, excluded=sample.excluded.loc[asked[asked.isin(sample.excluded.index)]])
        _report_excluded(sample)
        _warn_of(sample)
        warn_of_suspects(sample, any(r.source == "benchmark" for r in spec.model.regressors))
        _warn_of_gaps(sample, gaps)
        results = EventStudyResults(spec, sample, fit, abnormal)
        _warn_of_limits(results)
        return results


def _peers(model: NormalReturnModel) -> list[str]:
    """Securities that a model compares with, to be read out of a panel."""
    if not isinstance(model, PeerModel):
        return []
    if model.peers is None:
        raise ModelError(
            f"{type(model).__name__} compares with every other security of the market, and of a Parquet "
            "panel only those of the events are read: name the peers, "
            f"{type(model).__name__}(peers=[...])."
        )
    named = model.peers.values() if isinstance(model.peers, Mapping) else [model.peers]
    return [name for peers in named for name in peers]


def _check_needs(market: Market, model: NormalReturnModel, events: pd.DataFrame) -> None:
    """Refuse a model that the market cannot serve; events may name their own benchmarks and factors."""
    sources = dict.fromkeys(regressor.source for regressor in model.regressors)
    if "benchmark" in sources and not market.benchmarks and "benchmark" not in events:
        raise ModelError(
            f"{model.label} needs a benchmark, and the market has none: make it with benchmark='399001.SZ' "
            "(a column), a Series of the index, or a mapping by security."
        )
    needed = [source for source in sources if source != "benchmark"] + ["rf"] * model.excess
    check_factors(market, events, needed, type(model).__name__)


def _unusable(
    spec: StudySpec,
    sample: EventSample,
    fit: ModelFit,
    ar: FloatArray,
) -> dict[int, str]:
    """Reason why events of the sample, by position, cannot be used."""
    needs_benchmark = any(r.source == "benchmark" for r in spec.model.regressors)
    alone = (sample.benchmark < 0) & needs_benchmark
    failed = np.zeros(len(sample), dtype=bool) if fit.failure is None else np.array(fit.failure, dtype=bool)
    short = fit.n_obs < spec.min_observations
    flat = ~(fit.s2 > 1e-20)
    empty = np.isnan(ar[:, 0])
    empty[empty] = np.isnan(ar[empty]).all(axis=1)
    reasons = {}
    for i in np.flatnonzero(alone | failed | short | flat | empty).tolist():
        if alone[i]:
            reasons[i] = f"no benchmark is given for {sample.events['security'].iloc[i]}"
        elif fit.failure is not None and failed[i]:
            reasons[i] = str(fit.failure[i])
        elif short[i]:
            reasons[i] = (
                f"only {fit.n_obs[i]} usable estimation returns in {spec.estimation}, fewer than "
                f"min_observations={spec.min_observations}"
            )
        elif flat[i]:
            reasons[i] = (
                "its returns do not vary over the estimation window, or not apart from the benchmark, or the "
                "regressors are collinear"
            )
        else:
            reasons[i] = "no abnormal return can be computed on any day of the event window"
    return reasons


def _report_excluded(sample: EventSample) -> None:
    excluded = sample.excluded
    if excluded.empty:
        return
    lines = [
        f"  event {event_id} ({security}): {reason}"
        for event_id, security, reason in excluded[["security", "reason"]].head(10).itertuples()
    ]
    if len(excluded) > 10:
        lines.append(f"  ... and {len(excluded) - 10} more")
    told = "\n".join(lines)
    if len(sample) == 0:
        problem = NoUsableEventsError(f"None of the {len(excluded)} event(s) can be used:\n{told}")
        problem.excluded = excluded.copy()
        raise problem
    warn(
        f"{len(excluded)} of {len(excluded) + len(sample)} events cannot be used "
        f"(see results.excluded):\n{told}",
        ExcludedEventsWarning,
    )


def _warn_of(sample: EventSample) -> None:
    old = sample.spans > sample.day0 - sample.first_row + 1
    for i in np.flatnonzero(old)[:5].tolist():
        warn(f"{_named(sample, i)}: {sample.note(i)}.", LumpedReturnWarning)
    touching, count = _touching(sample)
    if count:
        shown = "; ".join(f"event {a} has event {b} in its {where}" for a, b, where in touching)
        more = f"; and {count - 5} more" if count > 5 else ""
        warn(
            f"Windows hold other events of the same security: {shown}{more}. Events.overlaps() lists the "
            "pairs; shorten or move the windows, or drop one of each pair; exclude_events=True keeps such "
            "days out of the estimation, and results.stacked() shares out windows that overlap.",
            OverlapWarning,
        )


def _named(sample: EventSample, row: int) -> str:
    return f"Event {sample.events.index[row]} ({sample.events['security'].iloc[row]})"


def _touching(sample: EventSample) -> tuple[list[tuple[object, object, str]], int]:
    """Pairs (event, other event of the security, which window of the first the other's day 0 lies in).

    The first five, and how many there are.
    """
    named = [(sample.window, "event window")]
    named += [(sample.estimation, "estimation window")] if sample.announced is None else []
    # Security and day in one number, securities too far apart for a window to reach the next.
    far = max(abs(end) for window, _ in named for end in (window.start, window.end))
    order = np.lexsort((narrow(sample.day0), narrow(sample.security)))
    place = (sample.security * (len(sample.market.sessions) + far + 1) + sample.day0)[order]
    shown: list[tuple[object, object, str]] = []
    ids, count = sample.events.index, 0
    for window, name in named:
        first = np.searchsorted(place, place + window.start)
        stop = np.searchsorted(place, place + window.end, side="right")
        others = stop - first - (0 in window)  # without the event itself
        count += int(others.sum())
        touched = np.zeros(len(place), dtype=bool)
        touched[order[others > 0]] = True
        for i in np.flatnonzero(touched)[:5].tolist():
            at = int(np.flatnonzero(order == i)[0])
            near = np.sort(order[first[at] : stop[at]])
            shown += [(ids[i], ids[j], name) for j in near.tolist() if j != i]
    return shown[:5], count


def _warn_of_gaps(sample: EventSample, lost: BoolArray) -> None:
    """Warn where a security traded but has no abnormal return: the benchmark or a factor has a gap."""
    for i in np.flatnonzero(lost.any(axis=1))[:5]:
        days = ", ".join(f"{d:+d}" for d in sample.window.offsets[lost[i]])
        warn(
            f"{_named(sample, int(i))}: the benchmark or a factor is missing on relative day(s) "
            f"{days}, so these have no abnormal return.",
            DataWarning,
        )


def _warn_of_limits(results: EventStudyResults) -> None:
    """Warn where a close inside an event window is at the price limit, so that the move is cut short."""
    hits = results.limit_hits
    hits = hits[hits["at_close"]]
    if hits.empty:
        return
    told = []
    for (event_id, security), days in list(hits.groupby(["event_id", "security"], sort=False))[:5]:
        dates = ", ".join(f"{d:%Y-%m-%d}" for d in days["date"][:4]) + ", ..." * (len(days) > 4)
        told.append(f"event {event_id} ({security}) on {plural(len(days), 'day')}: {dates}")
    events = hits["event_id"].nunique()
    more = f"; and {events - 5} more events" if events > 5 else ""
    warn(
        f"Closes at the daily price limit cut the reaction short: {'; '.join(told)}{more}. See "
        "results.limit_hits, and results.car(0, 'first_free_close') for the move to the first free close.",
        PriceLimitWarning,
    )
