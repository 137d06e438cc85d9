"""EventStudy: a market, events, a model and two windows; `fit` turns them into results."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.abnormal import AbnormalReturns, estimate
from eventstudy.arguments import check_choice, check_jobs, check_whole
from eventstudy.errors import (
    EventStudyError,
    ExcludedEventsWarning,
    ModelError,
    NoUsableEventsError,
    RequestError,
    WindowError,
    heard,
    warn,
)
from eventstudy.events import Events
from eventstudy.immutable import Immutable
from eventstudy.interop import ForeignTable
from eventstudy.market import Market, ParquetPanel, check_market
from eventstudy.models import MarketModel, ModelParameters, NormalReturnModel
from eventstudy.models.peer_base import PeerModel
from eventstudy.results import EventStudyResults, StudySpec, pooled
from eventstudy.results.data_warnings import incomplete_windows, refuse_unsaid_holes
from eventstudy.results.fit_warnings import exclusion_text, fit_warnings, of_model, warning_table
from eventstudy.results.fitted import FittedStudy, Incomplete
from eventstudy.sample import (
    Asked,
    DateWindow,
    EventSample,
    asked_windows,
    check_factors,
    check_windows,
    dated_windows,
    read_dates,
)
from eventstudy.text import in_event_time, none_usable, plural
from eventstudy.windows import Window

__all__ = ["EventStudy", "no_usable_events"]

Day = str | date | np.datetime64
WindowAsked = Window | Sequence[int] | Sequence[str] | Sequence[pd.Timestamp]


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
        Sessions, relative to day 0, on which normal returns are estimated; before the event, or after it, as
        for new listings. A pair of dates is one period for all events; two windows in a list lie on both
        sides of the event; None is for models that estimate nothing (`MarketAdjusted`, `RawReturn`).
    window : Window or (int, int), default (-10, 10)
        Sessions, or dates, whose abnormal returns are computed; no day of `estimation`. Columns
        estimation_start, estimation_end, window_start and window_end of the events give single events
        windows of their own, in sessions or as dates; estimation_start_2 and estimation_end_2 a second
        estimation window.
    min_observations : int, default 30
        Events with fewer estimation returns are excluded, with that reason.
    exclude_events : bool, default False
        Leave out of each estimation window the days that lie in the event window of another of these
        announcements about the same security; `n_obs` falls by them.
    incomplete : {"warn", "partial", "exclude", "raise"}, default "warn"
        What becomes of events whose returns do not cover a window, because the data or the listing begins or
        ends inside it or a halt lasts beyond it. "warn": the fit says so, and their CARs of such windows are
        NaN and in no average; "partial": it says so, and CARs sum what there is; "exclude": events that do
        not cover the event window are left out, and listed in ``results.excluded``; "raise": they are an
        error.

    exclude_dates : list of days, or mapping of security to such lists, optional
        Days, such as those of earnings or other news, that estimation windows leave out; a day without a
        session stands for the next one.

    Raises
    ------
    RequestError
        If `market` is not a market.
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
        estimation: WindowAsked | Sequence[WindowAsked] | None = (-250, -30),
        window: WindowAsked = (-10, 10),
        min_observations: int = 30,
        exclude_events: bool = False,
        incomplete: Incomplete = "warn",
        exclude_dates: Iterable[Day] | Mapping[str, Iterable[Day]] | None = None,
    ) -> None:
        if not isinstance(market, ParquetPanel):
            check_market(market, several=True)
        if isinstance(model, type):
            raise ModelError(f"model is the class {model.__name__}; pass an instance: {model.__name__}().")
        model = MarketModel() if model is None else model
        if not isinstance(model, NormalReturnModel):
            raise ModelError(f"model must be a normal-return model such as MarketModel(), got {model!r}.")
        events = events if isinstance(events, Events) else Events(events)
        asked = asked_windows(estimation, window, events.frame)
        check_asked(asked, model, exclude_events)
        estimation, window = _layout(asked)
        if asked.common:
            check_windows(estimation, window)
        check_whole("min_observations", min_observations)
        check_choice("incomplete", incomplete, get_args(Incomplete))
        if not isinstance(exclude_events, bool | np.bool_):
            raise RequestError(
                f"exclude_events is True or False, got {exclude_events!r}; exclude_dates= takes dates."
            )
        if asked.estimation and min_observations <= model.n_params + 1:
            raise ModelError(
                f"min_observations={min_observations} leaves no degrees of freedom: {model.label} estimates "
                f"{plural(model.n_params, 'parameter')}, so at least {model.n_params + 2} are needed."
            )
        if asked.common and len(estimation) < min_observations:
            raise WindowError(
                f"The estimation window {estimation} has {len(estimation)} sessions, fewer than "
                f"min_observations={min_observations}. Lengthen it, or lower min_observations."
            )
        barred = read_dates(
            exclude_dates, lambda: market.securities if isinstance(market, ParquetPanel) else market.columns
        )
        if isinstance(market, ParquetPanel):
            reach = -min(estimation.start, window.start) if asked.common else None
            market = market.market(events, reach=reach, also=_peers(model))
        if not asked.common and market.arrays.gap is not None:
            raise WindowError("Windows of each event's own are counted in daily sessions, not in bars.")
        if barred is not None and market.arrays.gap is not None:
            raise RequestError("exclude_dates= names days, and this market has bars within the day.")
        if market.undated:
            _check_undated(model, asked, barred is not None or dated_windows(events.frame))
        _check_needs(market, model, events.frame)
        self._spec = StudySpec(
            market=market,
            events=events,
            model=model,
            estimation=estimation,
            window=window,
            min_observations=min_observations,
            exclude_events=bool(exclude_events),
            incomplete=incomplete,
            asked=asked,
            exclude_dates=barred,
        )

    @property
    def spec(self) -> StudySpec:
        """What was asked."""
        return self._spec

    def __repr__(self) -> str:
        s = self._spec
        return (
            f"EventStudy: {len(s.events)} event{'s' * (len(s.events) != 1)}, {s.model.label}, "
            f"estimation {s.estimation_text}, window {s.window_text}\n  {s.market!r}\n  {s.events!r}"
        )

    def _repr_html_(self) -> str:
        s = self._spec
        asked = (
            f"EventStudy: {s.model.label}, estimation {s.estimation_text}, window {s.window_text}, at least "
            f"{s.min_observations} estimation returns"
        )
        return f"<p>{html.escape(asked)}</p>{s.events._repr_html_()}{s.market._repr_html_()}"

    def fit(
        self, *, n_jobs: int | None = None, chunk_size: int | None = None
    ) -> EventStudyResults | pooled.PooledResults:
        """Estimate normal returns and compute abnormal ones.

        Parameters
        ----------
        n_jobs : int, optional
            Workers, as for `joblib.Parallel`: None is 1, unless `joblib.parallel_config` says otherwise.
            They are threads, unless it names another backend, such as processes or a Dask cluster.
        chunk_size : int, optional
            Events whose estimation windows are laid out at a time. It bounds the memory of a large study,
            and changes results by rounding only. By default 2,048, and 16,384 where threads fit a model of
            least squares.

        Returns
        -------
        EventStudyResults, or PooledResults
            The latter where the events are of several of the market's exchanges: each is measured on the
            sessions of its own, and dependence on common calendar days, as by `pool`.

        Raises
        ------
        NoUsableEventsError
            If not one event can be used; the message gives each reason.
        RequestError
            If `chunk_size` is not a positive number of events.
        WindowError
            With ``incomplete="raise"``, if the returns of an event do not cover its event window.

        Warns
        -----
        IncompleteWindowWarning
            If the returns of events do not cover their event windows.
        ExcludedEventsWarning
            If some events cannot be used.
        LumpedReturnWarning
            If the return of an event day spans sessions before the announcement.
        OverlapWarning
            If windows hold other events of the same security.
        SuspectDataWarning
            If data in the windows looks wrong.
        MissingBenchmarkWarning
            If the benchmark or a factor is missing on a day of an event window.
        PriceLimitWarning
            If a security closed at its daily price limit inside its event window.
        """
        if chunk_size is not None and (not isinstance(chunk_size, int | np.integer) or chunk_size < 1):
            raise RequestError(
                f"chunk_size must be a positive number of events, or None; got {chunk_size!r}."
            )
        check_jobs(n_jobs)
        if not self._spec.market.parts:
            return self._fit(self._spec, n_jobs, chunk_size)
        found: dict[str, EventStudyResults] = {}
        lost: list[pd.DataFrame] = []
        for name, spec in _laid_out_alike(pooled.by_exchange(self._spec)).items():
            try:
                found[name] = self._fit(spec, n_jobs, chunk_size)
            except NoUsableEventsError as problem:
                lost.append(problem.excluded)
        if not found:
            raise no_usable_events(pd.concat(lost))
        if lost:
            out = pd.concat(lost)
            warn(exclusion_text(out, len(self._spec.events), "results.excluded"), ExcludedEventsWarning)
        return pooled.joined_study(found, self._spec, lost)

    @classmethod
    def _fit(cls, spec: StudySpec, n_jobs: int | None, chunk_size: int | None) -> EventStudyResults:
        """Fit a study of one exchange; where dates are made up, messages name relative days."""
        if not spec.market.undated:
            return cls._fitted(spec, n_jobs, chunk_size)
        try:
            return cls._fitted(spec, n_jobs, chunk_size, in_event_time)
        except NoUsableEventsError as problem:
            raise no_usable_events(_worded(problem.excluded, in_event_time)) from None
        except EventStudyError as problem:
            raise type(problem)(in_event_time(str(problem))) from None

    @staticmethod
    def _fitted(
        spec: StudySpec, n_jobs: int | None, chunk_size: int | None, worded: Callable[[str], str] = str
    ) -> EventStudyResults:
        sample = _sample(spec)
        if sample.own is not None:
            spec = replace(spec, estimation=sample.estimation, window=sample.window)
        if len(sample) == 0:
            raise no_usable_events(_hinted(spec, sample.excluded))
        with heard() as told:
            found = estimate(spec.model, sample, n_jobs=n_jobs, chunk_size=chunk_size)
        fit, abnormal, gaps = found.fit, found.abnormal, found.gaps
        abnormal = replace(abnormal, partial=spec.incomplete == "partial")
        reasons = _incomplete(spec, sample, abnormal) | _unusable(spec, sample, fit, abnormal.ar)
        reasons |= found.failures
        if reasons:
            usable = np.ones(len(sample), dtype=bool)
            usable[list(reasons)] = False
            sample = sample.without(reasons)
            fit, abnormal = fit.take(usable), abnormal.take(usable)
            gaps = gaps[usable]
        asked = spec.events.frame.index
        excluded = sample.excluded.loc[asked[asked.isin(sample.excluded.index)]]
        sample = replace(sample, excluded=_worded(_hinted(spec, excluded), worded))
        if len(sample) == 0:
            raise no_usable_events(sample.excluded)
        refuse_unsaid_holes(sample)
        by_study = fit_warnings(FittedStudy(spec, sample, fit, abnormal), gaps)
        for each in by_study:
            warn(worded(each.message), each.category)
        table = warning_table([*(of_model(*pair) for pair in told), *by_study])
        table["message"] = table["message"].map(worded)
        return EventStudyResults(spec, sample, fit, abnormal, table)


def _worded(excluded: pd.DataFrame, worded: Callable[[str], str]) -> pd.DataFrame:
    return excluded.assign(reason=excluded["reason"].map(worded)) if len(excluded) else excluded


def _hinted(spec: StudySpec, excluded: pd.DataFrame) -> pd.DataFrame:
    """Say where a model that estimates nothing lacks a past that it does not need."""
    if not spec.model.estimates_nothing or (spec.asked is not None and not spec.asked.estimation):
        return excluded
    hint = f"; {spec.model.label} estimates nothing, and with estimation=None no past is needed"

    def worded(reason: str) -> str:
        return reason + hint if "estimation" in reason else reason

    return _worded(excluded, worded)


def _sample(spec: StudySpec) -> EventSample:
    return EventSample.of(
        spec.market,
        spec.events,
        spec.estimation,
        spec.window,
        spec.exclude_events,
        spec.asked,
        spec.exclude_dates,
    )


def _laid_out_alike(specs: dict[str, StudySpec]) -> dict[str, StudySpec]:
    """Lay each exchange's event windows out on the days of all, where events have their own."""
    if len(specs) < 2 or all(spec.asked is None or spec.asked.common for spec in specs.values()):
        return specs
    windows = [_sample(spec).window for spec in specs.values()]
    whole = Window(min(each.start for each in windows), max(each.end for each in windows))
    return {
        name: spec if spec.asked is None else replace(spec, asked=replace(spec.asked, laid_out=whole))
        for name, spec in specs.items()
    }


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
    fit: ModelParameters,
    ar: FloatArray,
) -> dict[int, str]:
    """Reason why events of the sample, by position, cannot be used."""
    needs_benchmark = any(r.source == "benchmark" for r in spec.model.regressors)
    alone = (sample.benchmark < 0) & needs_benchmark
    failed = np.zeros(len(sample), dtype=bool) if fit.failure is None else np.array(fit.failure, dtype=bool)
    estimated = spec.asked is None or bool(spec.asked.estimation)
    short = (fit.n_obs < spec.min_observations) & estimated
    flat = ~(fit.s2 > 1e-20) & estimated
    # Nearly all events have a return on day 0, which spares a look at their other days.
    empty = np.isnan(ar[:, 0]) & np.isnan(ar[:, -sample.window.start])
    empty[empty] = np.isnan(ar[empty]).all(axis=1)
    reasons = {}
    for i in np.flatnonzero(alone | failed | short | flat | empty).tolist():
        if alone[i]:
            reasons[i] = f"no benchmark is given for {sample.events['security'].iloc[i]}"
        elif fit.failure is not None and failed[i]:
            reasons[i] = str(fit.failure[i])
        elif short[i]:
            reasons[i] = (
                f"only {fit.n_obs[i]} usable estimation returns in {_estimation_of(spec, sample, i)}, "
                f"fewer than min_observations={spec.min_observations}"
            )
        elif flat[i]:
            reasons[i] = (
                "its returns do not vary over the estimation window, or not apart from the benchmark, or the "
                "regressors are collinear"
            )
        else:
            reasons[i] = "no abnormal return can be computed on any day of the event window"
    return reasons


def _estimation_of(spec: StudySpec, sample: EventSample, event: int) -> str:
    """Estimation window of an event, for messages."""
    if sample.own is None or spec.asked is None or spec.asked.two:
        return spec.estimation_text
    return str(Window(*sample.own.estimation[event].tolist()))


def _layout(asked: Asked) -> tuple[Window, Window]:
    """Windows of a study before its events are placed: those asked for, where they are the same for all."""
    estimation = asked.estimation[0] if asked.estimation else None
    window = asked.window if isinstance(asked.window, Window) else Window(-10, 10)
    return (
        estimation if isinstance(estimation, Window) else Window(-250, -30),
        Window(min(window.start, 0), max(window.end, 0)),
    )


def check_asked(asked: Asked, model: NormalReturnModel, exclude_events: bool) -> None:
    """Refuse windows that the model does not know how to use.

    Raises
    ------
    WindowError, ModelError
    """
    if not asked.estimation and not model.estimates_nothing:
        raise WindowError(
            f"{model.label} estimates normal returns, so it needs an estimation window; MarketAdjusted() and "
            "RawReturn() do without."
        )
    first = asked.estimation[0] if asked.estimation else None
    after = asked.common and isinstance(first, Window) and first.start > _layout(asked)[1].end
    known = model.estimation_windows
    if known == "before" and (after or not asked.common):
        raise ModelError(
            f"{model.label} needs one estimation window for all events, in sessions, that ends before them; "
            f"got {asked.estimation_text}."
        )
    if known == "common" and not asked.common:
        raise ModelError(
            f"{model.label} needs one estimation window and one event window, which holds day 0, for all "
            f"events; got {asked.estimation_text} and {asked.window_text}."
        )
    if known == "one side" and asked.two:
        raise ModelError(f"{model.label} needs an estimation window on one side of the event.")
    if exclude_events and not asked.common:
        raise WindowError("exclude_events=True needs one event window for all events, which holds day 0.")


def _check_undated(model: NormalReturnModel, asked: Asked, dated: bool) -> None:
    """Refuse what needs dates of data in event time."""
    if isinstance(model, PeerModel):
        raise ModelError(
            f"{model.label} compares with other securities on the same dates, and this market is in event "
            "time, without dates. MarketModel and MarketAdjusted need no more than a benchmark."
        )
    if dated or any(isinstance(each, DateWindow) for each in (*asked.estimation, asked.window)):
        raise WindowError(
            "This market is in event time, without dates: give windows in sessions, and leave days out of "
            "the estimation by deleting their returns."
        )


def _incomplete(spec: StudySpec, sample: EventSample, abnormal: AbnormalReturns) -> dict[int, str]:
    """Reason why events that do not cover the event window are left out, where they are."""
    if spec.incomplete not in ("exclude", "raise"):
        return {}
    found = incomplete_windows(sample, abnormal)
    if found and spec.incomplete == "raise":
        row, why = next(iter(found.items()))
        raise WindowError(
            f"The returns of {plural(len(found), 'event')} do not cover the event window. Event "
            f"{sample.events.index[row]} ({sample.events['security'].iloc[row]}): {why}. Shorten the window, "
            "or choose incomplete='exclude', 'warn' or 'partial'."
        )
    return found


def no_usable_events(excluded: pd.DataFrame) -> NoUsableEventsError:
    """Make the error of a study without usable events, with the reason of each."""
    lines = [
        f"  event {event_id} ({security}): {reason}"
        for event_id, security, reason in excluded[["security", "reason"]].head(10).itertuples()
    ]
    if len(excluded) > 10:
        lines.append(f"  ... and {len(excluded) - 10} more")
    problem = NoUsableEventsError("\n".join([none_usable(len(excluded)), *lines]))
    problem.excluded = excluded
    return problem
