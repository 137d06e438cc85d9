"""Several fitted studies as one cross-section: exchanges, calendars, benchmarks and models of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Exchange
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord, hand_out_copies, made_once
from eventstudy.inference.base import Alternative, TestInput
from eventstudy.results.event_names import event_name
from eventstudy.results.fitted import FittedEvents, FittedStudy, Part, WindowLike
from eventstudy.results.results_base import ResultsBase
from eventstudy.results.study_results import EventStudyResults
from eventstudy.results.summary import composed, design_rows
from eventstudy.tables import Section, Table
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["FittedPool", "PooledResults", "clock"]


@hand_out_copies("names", "dropped")
@dataclass(frozen=True)
class FittedPool(FittedEvents, FrozenRecord):
    """Fitted events of several studies as data; ``PooledResults.fitted``.

    Attributes
    ----------
    results : mapping of name to EventStudyResults
    window : Window
        The event window that all studies have.
    members : tuple of tuple of (int, int)
        By event, the study and the row there of each of its listings.
    names : Index
        Ids of the events.
    prefixed : bool
        Whether ids start with the name of the study.
    dropped : DataFrame
        Listings left out, as `excluded`.
    abnormal : AbnormalReturns

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> studies = {
    ...     day: es.EventStudy(market, [{"security": name, "date": day}], window=(-1, 1)).fit()
    ...     for day, name in (("2018-08-02", "002415.SZ"), ("2019-05-22", "002236.SZ"))
    ... }
    >>> es.pool(studies).fitted.abnormal.ar.shape
    (2, 3)
    """

    results: Mapping[str, EventStudyResults]
    window: Window
    members: tuple[tuple[tuple[int, int], ...], ...]
    names: pd.Index
    prefixed: bool
    dropped: pd.DataFrame
    abnormal: AbnormalReturns
    _inputs: dict[Window, TestInput] = field(default_factory=dict, repr=False, compare=False)

    @property
    def studies(self) -> list[FittedStudy]:
        """What each study holds."""
        return [results.fitted for results in self.results.values()]

    @property
    def event_window(self) -> Window:
        """Sessions, of each event's own market, that every study has."""
        return self.window

    @property
    def model_label(self) -> str:
        """Names of the models, each once."""
        return " / ".join(dict.fromkeys(study.model_label for study in self.studies))

    @property
    def kind(self) -> str:
        """Kind of the returns, the same in all studies."""
        return self.studies[0].kind

    @property
    @made_once
    def sessions(self) -> pd.DatetimeIndex:
        """Days on which any of the markets had a session."""
        days = np.unique(np.concatenate([study.sessions.to_numpy() for study in self.studies]))
        return pd.DatetimeIndex(days)

    @property
    @made_once
    def timeline(self) -> pd.DataFrame:
        """The events and their day 0, by study; for an averaged firm, those of its first listing."""
        frame = self._first_listings([study.timeline for study in self.studies])
        for row, listings in enumerate(self.members):
            if len(listings) > 1:
                lines = [self.studies[s].timeline.iloc[r] for s, r in listings]
                told = [f"{line['security']} {line['day_0']:%Y-%m-%d}" for line in lines]
                at = frame.index[row]
                frame.loc[at, "security"] = " + ".join(line["security"] for line in lines)
                note = f"average of {len(listings)} listings: {', '.join(told)}"
                frame.loc[at, "note"] = "; ".join(filter(None, [note, *(line["note"] for line in lines)]))
        return frame

    @property
    @made_once
    def excluded(self) -> pd.DataFrame:
        """Events that could not be used in their study, and listings left out here."""
        parts = []
        for name, study in zip(self.results, self.studies, strict=True):
            frame = study.excluded.copy()
            ids = [f"{name}:{i}" if self.prefixed else i for i in frame.index]
            parts.append(frame.set_axis(pd.Index(ids, name="event_id", dtype=object)))
        parts = [part for part in [*parts, self.dropped] if len(part)] or parts[:1]
        return pd.concat(parts)

    @property
    @made_once
    def events(self) -> pd.DataFrame:
        """The events as given, with their study; for an averaged firm, the event of its first listing."""
        return self._first_listings([study.events for study in self.studies])

    @property
    @made_once
    def parameters(self) -> pd.DataFrame:
        """Parameters by event; those of an averaged firm's regressions are left empty."""
        frame = self._first_listings([study.parameters for study in self.studies]).drop(columns="study")
        several = np.array([len(listings) > 1 for listings in self.members])
        measured = ["sigma", "n_obs", "dof", "r_squared"]
        frame = frame[[*frame.columns.difference(measured, sort=False), *measured]]
        fit = self.abnormal
        frame = frame.assign(sigma=np.sqrt(fit.s2), n_obs=fit.n_obs, dof=fit.dof)
        frame.loc[several, frame.columns.difference(["sigma", "n_obs", "dof"])] = np.nan
        return frame

    def _first_listings(self, frames: list[pd.DataFrame]) -> pd.DataFrame:
        """Take the row of each event's first listing from the frames of the studies, named in a column."""
        offsets = np.cumsum([0, *(len(frame) for frame in frames)])
        named = [frame.assign(study=name) for name, frame in zip(self.results, frames, strict=True)]
        whole = pd.concat(named, ignore_index=True)
        rows = [offsets[listings[0][0]] + listings[0][1] for listings in self.members]
        return whole.iloc[rows].set_axis(self.names)

    def part(self, row: int) -> tuple[FittedStudy, int]:
        """Return the study that event `row` belongs to, and its row there."""
        listings = self.members[row]
        if len(listings) > 1:
            names = ", ".join(event_name(self.studies[s], r) for s, r in listings)
            raise RequestError(
                f"Event {self.names[row]} is the average of {len(listings)} listings ({names}); ask the "
                "study of one of them, or pool with listings='first' or 'separate'."
            )
        study, at = listings[0]
        return self.studies[study], at

    def parts(self) -> list[Part]:
        """Return each study with those of its events that are here."""
        found = []
        for number, study in enumerate(self.studies):
            pairs = [(r, at) for at, listings in enumerate(self.members) for s, r in listings if s == number]
            rows, at = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
            found.append(Part(study, rows, at))
        return found


class PooledResults(ResultsBase):
    """Events of several studies in one cross-section, made by `pool`.

    It has the measures and tests of `EventStudyResults`. Windows count each market's own sessions, while
    dependence is measured on common calendar days. Returns are in the currency of each market's prices;
    `in_currency` makes them those of an investor in another.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> studies = {
    ...     day: es.EventStudy(market, [{"security": name, "date": day}], window=(-1, 1)).fit()
    ...     for day, name in (("2018-08-02", "002415.SZ"), ("2019-05-22", "002236.SZ"))
    ... }
    >>> pooled = es.pool(studies)
    >>> pooled.car(0, 0)["car"].round(4).tolist()
    [-0.0094, -0.0505]
    """

    _fitted: FittedPool

    @property
    def fitted(self) -> FittedPool:
        """The pooled events as arrays and tables, for computations of your own."""
        return self._fitted

    def __repr__(self) -> str:
        data = self.fitted
        out = f" ({len(data.excluded)} excluded)" if len(data.excluded) else ""
        return (
            f"PooledResults: {plural(len(data.index), 'event')}{out} of {len(data.results)} studies "
            f"({', '.join(data.results)}), {data.model_label}, window {data.event_window}"
        )

    @property
    def studies(self) -> dict[str, EventStudyResults]:
        """The results that were pooled, by name."""
        return dict(self.fitted.results)

    @property
    def warnings(self) -> pd.DataFrame:
        """What the fits of the studies warned of, as in `EventStudyResults`, with the column study."""
        return self._by_study({name: results.warnings for name, results in self.fitted.results.items()})

    @property
    def suspects(self) -> pd.DataFrame:
        """Data in the windows of the studies' events that may be wrong, with the column study."""
        return self._by_study({name: results.suspects for name, results in self.fitted.results.items()})

    def _by_study(self, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Join frames of the studies, whose events go by the ids that they have here."""
        parts = []
        for name, frame in frames.items():
            named = frame.assign(study=name)
            if self.fitted.prefixed:
                ids = [None if event_id is None else f"{name}:{event_id}" for event_id in frame["event_id"]]
                named["event_id"] = pd.Series(ids, frame.index, dtype=object)
            parts.append(named)
        return pd.concat(parts, ignore_index=True)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(EventStudyResults, name):
            raise AttributeError(f"PooledResults has no attribute {name!r}.")
        first = next(iter(self.fitted.results))
        raise AttributeError(
            f"PooledResults has no {name!r}, which is of one study: results.studies[{first!r}].{name} is "
            f"that of the first of {len(self.fitted.results)}."
        )

    def clock(self) -> pd.DataFrame:
        """Order in which the sessions of day 0 could react, round the clock.

        Returns
        -------
        DataFrame
            By event_id, earliest first: study, security, announced_at (of a time known to a window, its
            end), day_0, opens and closes of that session, all times in UTC; reacts (its opening, or the
            announcement if that came later); hours from the announcement to `reacts`; and order, 1 for the
            events of an announcement that could react first. NaT where the market has no exchange calendar
            or the announcement no time. An averaged firm has a row for each of its listings.
        """
        return clock(self.fitted, list(self.fitted.results))

    def summary(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Summarise the pool: each study's design, events, dependence, averages and recommended tests.

        Parameters
        ----------
        start, end : int, optional
            Window of the headline CAR; by default (0, +1), where the event window holds it.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-values; an interval of one side is infinite on the other.

        Returns
        -------
        Table
        """
        data = self.fitted
        window = data.checked_window(start, end)
        designs = {name: design_rows(study) for name, study in zip(data.results, data.studies, strict=True)}
        frame = pd.DataFrame(designs, dtype=object).fillna("")
        sections = [Section(frame, "Studies"), self._dependence(window)]
        return composed(data, window, f"Pooled event study: {data.model_label}", sections, [], alternative)

    def _dependence(self, window: Window) -> Section:
        data = self.fitted
        found = self.clustering(window)
        rows: dict[str, object] = {
            "event window": f"{data.event_window}, each market's own sessions",
            "tested windows": f"{found.n_dates} by date, {found.share_overlapping:.0%} of the pairs overlap",
            "mean correlation": found.where_known(f"{found.mean_correlation:.3f} on common calendar days"),
            "effective N": found.where_known(f"{found.effective_n:.1f} of {found.n_events}"),
        }
        averaged = sum(len(listings) > 1 for listings in data.members)
        if averaged or len(data.dropped):
            rows["firms with several listings"] = (
                f"{averaged} averaged, counted once each"
                if averaged
                else f"{plural(len(data.dropped), 'further listing')} left out, see Excluded events"
            )
        return Section(pd.DataFrame({"": pd.Series(rows, dtype=object)}), "Pool")


def clock(data: FittedEvents, studies: Sequence[str]) -> pd.DataFrame:
    """Order in which the sessions of day 0 could react; see `PooledResults.clock`."""
    frames = []
    for name, part in zip(studies, data.parts(), strict=True):
        study, at = part.study, part.at
        timeline = study.timeline.iloc[part.rows]
        events = study.events.iloc[part.rows]
        frame = pd.DataFrame(
            {
                "study": name,
                "security": timeline["security"].to_numpy(),
                "announced_at": pd.DatetimeIndex(_announced(events)),
                "day_0": pd.DatetimeIndex(timeline["day_0"]),
            },
            index=data.index[at],
        )
        for moment, times in _hours(study.spec.market.exchange, pd.DatetimeIndex(frame["day_0"])).items():
            frame[moment] = times
        frames.append(frame)
    frame = pd.concat(frames)
    late = frame["announced_at"] > frame["opens"]
    frame["reacts"] = frame["opens"].mask(late, frame["announced_at"])
    frame["hours"] = (frame["reacts"] - frame["announced_at"]).dt.total_seconds() / 3600
    frame["order"] = frame.groupby("announced_at", dropna=False)["reacts"].rank(method="dense")
    frame["order"] = frame["order"].astype("Int64")
    return frame.rename_axis("event_id").sort_values("reacts", kind="stable")


def _announced(events: pd.DataFrame) -> pd.Series:
    """Take the time of each announcement, the latest where it is known to a window."""
    told = events["announced_at"]
    return told.fillna(events["announced_before"]) if "announced_before" in events else told


def _hours(exchange: Exchange | None, days: pd.DatetimeIndex) -> dict[str, pd.DatetimeIndex]:
    """Look up when sessions opened and closed, in UTC; NaT without a calendar."""
    if exchange is None or days.empty:
        unknown = pd.DatetimeIndex([pd.NaT] * len(days), tz="UTC").as_unit("ns")
        return {"opens": unknown, "closes": unknown}
    hours = exchange.hours(days.min(), days.max())
    return {
        name: pd.DatetimeIndex(hours[column].reindex(days)).tz_localize(exchange.timezone).tz_convert("UTC")
        for name, column in (("opens", "open"), ("closes", "close"))
    }
