"""What a fitted study holds, and how windows and events are looked up in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from eventstudy._typing import IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import RequestError
from eventstudy.events import Events
from eventstudy.inference.base import TestInput, select
from eventstudy.inference.power_and_detectable_effect import detectable
from eventstudy.market import Market
from eventstudy.models import ModelFit, NormalReturnModel
from eventstudy.sample import EventSample
from eventstudy.text import format_time, strip_control
from eventstudy.windows import Window

__all__ = ["FittedEvents", "FittedStudy", "Part", "StudySpec", "WindowLike", "checked_level"]


@dataclass(frozen=True)
class StudySpec:
    """An event study before it is run.

    Attributes
    ----------
    market : Market
    events : Events
    model : NormalReturnModel
    estimation, window : Window
    min_observations : int
        Fewest estimation observations an event needs to be used.
    exclude_events : bool
        Whether estimation windows skip the event windows of other announcements about their security.
    """

    market: Market
    events: Events
    model: NormalReturnModel
    estimation: Window
    window: Window
    min_observations: int
    exclude_events: bool = False


WindowLike = Window | Sequence[int] | int | None


class FittedEvents(ABC):
    """What measures, tests and figures read of fitted events, be they of one study or of several.

    Attributes
    ----------
    abnormal : AbnormalReturns
    """

    abnormal: AbnormalReturns
    _inputs: dict[Window, TestInput]

    @property
    @abstractmethod
    def event_window(self) -> Window:
        """Sessions that have abnormal returns."""

    @property
    @abstractmethod
    def model_label(self) -> str:
        """Name of the normal-return model, or of the models."""

    @property
    @abstractmethod
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the market, or of any of the markets."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Kind of the returns, as in `Market.kind`."""

    @property
    @abstractmethod
    def timeline(self) -> pd.DataFrame:
        """Usable events, as in `EventSample.timeline`."""

    @property
    @abstractmethod
    def excluded(self) -> pd.DataFrame:
        """Events that cannot be used, each with its reason."""

    @property
    @abstractmethod
    def events(self) -> pd.DataFrame:
        """The usable events with every column they were given, in the order of `index`."""

    @property
    @abstractmethod
    def parameters(self) -> pd.DataFrame:
        """Parameters by event; see `EventStudyResults.parameters`."""

    @abstractmethod
    def part(self, row: int) -> tuple[FittedStudy, int]:
        """Return the study that event `row` belongs to, and its row there.

        Raises
        ------
        RequestError
            If the event is the average of several listings.
        """

    @abstractmethod
    def parts(self) -> list[Part]:
        """Return each study with those of its events that are here."""

    @property
    def index(self) -> pd.Index:
        """Ids of the usable events."""
        return self.events.index

    def window(self, start: WindowLike, end: int | None = None) -> Window:
        """Return a tested window, checked to lie in the event window; the whole of it by default.

        Raises
        ------
        RequestError
            If it reaches outside the event window.
        """
        whole = self.event_window
        if start is None:
            if end is not None:
                raise RequestError(
                    f"The window ends at {end!r} but has no start: give both, as in (0, {end!r})."
                )
            return whole
        window = Window.of(start, end)
        if window not in whole:
            raise RequestError(
                f"The window {window} reaches outside the event window {whole} of this study. Fit it "
                f"again with window=({min(window.start, whole.start)}, {max(window.end, whole.end)})."
            )
        return window

    def headline(self) -> Window:
        """Return the window of the headline CAR: (0, +1), or as much of it as the event window holds."""
        return Window(0, min(1, self.event_window.end))

    def test_input(self, window: Window) -> TestInput:
        """Return what the significance tests see of a window."""
        if window not in self._inputs:
            self._inputs[window] = TestInput(self.abnormal, window)
        return self._inputs[window]

    def groups(self, by: str) -> pd.Series[Any]:
        """Return what each usable event has in a column of the events, such as ``"group"``.

        Raises
        ------
        RequestError
            If there is no such column, or an event has nothing in it.
        """
        frame = self.events
        if by not in frame:
            raise RequestError(
                f"The events have no column {by!r}; their columns are {', '.join(map(str, frame.columns))}."
            )
        groups = frame[by]
        without = groups.index[groups.isna()].tolist()
        if without:
            raise RequestError(
                f"{len(without)} event(s) have no {by!r}: {', '.join(map(str, without[:5]))}"
                f"{', ...' if len(without) > 5 else ''}. Give each event one, or leave these events out."
            )
        return groups

    def by_group(self, by: str) -> dict[Any, AbnormalReturns]:
        """Return the abnormal returns of each group's events, in the order the groups first appear."""
        groups = self.groups(by)
        return {name: select(self.abnormal, (groups == name).to_numpy()) for name in pd.unique(groups)}

    def position(self, event_id: Hashable | None = None) -> int:
        """Row of an event, named by its id or by its security where that has one event.

        Raises
        ------
        RequestError
            If the event is unknown, was excluded, or is not named though there are several.
        """
        index, excluded = self.index, self.excluded
        if event_id is None:
            if len(index) == 1:
                return 0
            raise RequestError(f"There are {len(index)} events: name one of {_some(index)} (event_id).")
        if event_id in index:
            return int(index.get_indexer(pd.Index([event_id]))[0])
        of_security = np.flatnonzero(self.timeline["security"] == event_id)
        if len(of_security) == 1:
            return int(of_security[0])
        if len(of_security) > 1:
            raise RequestError(
                f"{event_id} has {len(of_security)} events; name one by its id: {_some(index[of_security])}."
            )
        reasons = dict(zip(excluded.index, excluded["reason"], strict=True))
        if event_id in reasons:
            raise RequestError(f"Event {event_id} was excluded: {reasons[event_id]}.")
        told = excluded.loc[excluded["security"] == event_id, "reason"].unique()
        if len(told):
            raise RequestError(f"{event_id} has no usable event: {'; '.join(told)}.")
        hint = " A window goes in start= and end=." if isinstance(event_id, (int, tuple)) else ""
        raise RequestError(f"No event {event_id!r}; the ids are {_some(index)}.{hint}")

    def name(self, row: int) -> str:
        """Name of an event for titles: its label, else its security, and day 0."""
        event = self.timeline.iloc[row]
        label = event["label"]
        name = f"{event['security']}, {format_time(event['day_0'])}"
        return strip_control(f"{label} ({name})" if isinstance(label, str) and label else name)

    def cars(self, window: Window, level: float = 0.95) -> pd.DataFrame:
        """CAR of each event over a window with its interval; see `EventStudyResults.car`."""
        sums, dof = self.test_input(window).cumulative, self.abnormal.dof
        se = np.sqrt(sums.variance)
        half = stats.t.ppf(0.5 + checked_level(level) / 2, dof) * se
        return pd.DataFrame(
            {
                "car": sums.car,
                "se": se,
                "t": sums.scar,
                "dof": dof,
                "p_value": 2 * stats.t.sf(np.abs(sums.scar), dof),
                "ci_low": sums.car - half,
                "ci_high": sums.car + half,
                "n_days": sums.n_days,
                "expected": sums.expected,
                "actual": sums.actual,
                "detectable": detectable(se, dof),
            },
            index=self.index,
        )


@dataclass(frozen=True)
class FittedStudy(FittedEvents):
    """Specification, sample, model fit and abnormal returns of one fitted study."""

    spec: StudySpec
    sample: EventSample
    fit: ModelFit
    abnormal: AbnormalReturns
    _inputs: dict[Window, TestInput] = field(default_factory=dict, repr=False, compare=False)

    @property
    def event_window(self) -> Window:
        """Sessions that have abnormal returns."""
        return self.spec.window

    @property
    def model_label(self) -> str:
        """Name of the normal-return model."""
        return self.spec.model.label

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the market."""
        return self.spec.market.sessions

    @property
    def kind(self) -> str:
        """Kind of the returns."""
        return self.spec.market.kind

    @property
    def timeline(self) -> pd.DataFrame:
        """The usable events and their day 0."""
        return self.sample.timeline

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that cannot be used."""
        return self.sample.excluded

    @property
    def events(self) -> pd.DataFrame:
        """The usable events as given."""
        return self.sample.events

    @property
    def parameters(self) -> pd.DataFrame:
        """Parameters by event."""
        fit = self.fit
        frame = pd.DataFrame(fit.params.copy(), self.index, list(fit.param_names))
        return frame.assign(sigma=np.sqrt(fit.s2), n_obs=fit.n_obs, dof=fit.dof, r_squared=fit.r_squared)

    def part(self, row: int) -> tuple[FittedStudy, int]:
        """Return this study and `row`."""
        return self, row

    def parts(self) -> list[Part]:
        """Return this study with all of its events."""
        everyone = np.arange(len(self.index))
        return [Part(self, everyone, everyone)]


@dataclass(frozen=True)
class Part:
    """A study whose events `rows` are the events `at` of the whole, or belong to them as listings."""

    study: FittedStudy
    rows: IntArray
    at: IntArray


def checked_level(level: float) -> float:
    """Return a confidence level, checked."""
    if not 0 < level < 1:
        raise RequestError(f"level is the coverage of the interval, between 0 and 1; got {level!r}.")
    return level


def _some(index: pd.Index) -> str:
    return ", ".join(map(repr, index[:8].tolist())) + (", ..." if len(index) > 8 else "")
