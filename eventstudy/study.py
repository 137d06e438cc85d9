"""EventStudy: a market, events, a model and two windows; `fit` turns them into results."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.abnormal import estimate
from eventstudy.arguments import check_jobs, check_whole
from eventstudy.errors import (
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
from eventstudy.results import EventStudyResults, StudySpec
from eventstudy.results.data_warnings import refuse_unsaid_holes
from eventstudy.results.fit_warnings import fit_warnings, of_model, warning_table
from eventstudy.results.fitted import FittedStudy
from eventstudy.sample import EventSample, check_factors, check_windows
from eventstudy.windows import Window

__all__ = ["EventStudy", "no_usable_events"]


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
        estimation: Window | Sequence[int] = (-250, -30),
        window: Window | Sequence[int] = (-10, 10),
        min_observations: int = 30,
        exclude_events: bool = False,
    ) -> None:
        if not isinstance(market, ParquetPanel):
            check_market(market)
        if isinstance(model, type):
            raise ModelError(f"model is the class {model.__name__}; pass an instance: {model.__name__}().")
        model = MarketModel() if model is None else model
        if not isinstance(model, NormalReturnModel):
            raise ModelError(f"model must be a normal-return model such as MarketModel(), got {model!r}.")
        estimation, window = Window.of(estimation), Window.of(window)
        check_windows(estimation, window)
        check_whole("min_observations", min_observations)
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
            and changes results by rounding only. By default 2,048, and 16,384 where threads fit a model of
            least squares.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        NoUsableEventsError
            If not one event can be used; the message gives each reason.
        RequestError
            If `chunk_size` is not a positive number of events.

        Warns
        -----
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
        spec = self._spec
        sample = EventSample.of(spec.market, spec.events, spec.estimation, spec.window, spec.exclude_events)
        if len(sample) == 0:
            raise no_usable_events(sample.excluded)
        with heard() as told:
            found = estimate(spec.model, sample, n_jobs=n_jobs, chunk_size=chunk_size)
        fit, abnormal, gaps = found.fit, found.abnormal, found.gaps
        reasons = _unusable(spec, sample, fit, abnormal.ar) | found.failures
        if reasons:
            usable = np.ones(len(sample), dtype=bool)
            usable[list(reasons)] = False
            sample = sample.without(reasons)
            fit, abnormal = fit.take(usable), abnormal.take(usable)
            gaps = gaps[usable]
        asked = spec.events.frame.index
        sample = replace(sample, excluded=sample.excluded.loc[asked[asked.isin(sample.excluded.index)]])
        if len(sample) == 0:
            raise no_usable_events(sample.excluded)
        refuse_unsaid_holes(sample)
        by_study = fit_warnings(FittedStudy(spec, sample, fit, abnormal), gaps)
        for each in by_study:
            warn(each.message, each.category)
        table = warning_table([*(of_model(*pair) for pair in told), *by_study])
        return EventStudyResults(spec, sample, fit, abnormal, table)


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


def no_usable_events(excluded: pd.DataFrame) -> NoUsableEventsError:
    """Make the error of a study without usable events, with the reason of each."""
    lines = [
        f"  event {event_id} ({security}): {reason}"
        for event_id, security, reason in excluded[["security", "reason"]].head(10).itertuples()
    ]
    if len(excluded) > 10:
        lines.append(f"  ... and {len(excluded) - 10} more")
    problem = NoUsableEventsError(f"None of the {len(excluded)} event(s) can be used:\n" + "\n".join(lines))
    problem.excluded = excluded
    return problem
