"""A fitted study as data: arrays, tables, and the look-up of windows and events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal, TypeGuard, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import DateArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.arguments import check_fraction
from eventstudy.errors import RequestError, WindowError
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, read_only
from eventstudy.inference.base import Alternative, TestInput, check_alternative, t_bounds, t_p_values
from eventstudy.inference.power_and_detectable_effect import detectable
from eventstudy.market import Market
from eventstudy.models import ModelParameters, NormalReturnModel
from eventstudy.sample import Asked, EventSample
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = [
    "FittedEvents",
    "FittedStudy",
    "Incomplete",
    "MethodGroup",
    "Part",
    "StudySpec",
    "WindowLike",
    "Windows",
    "are_several",
    "checked_level",
    "refuse_own_windows",
    "refuse_undated",
    "used_factors",
    "uses_benchmark",
    "window_of",
]


Incomplete = Literal["warn", "partial", "exclude", "raise"]


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
    incomplete : {"warn", "partial", "exclude", "raise"}
        What becomes of events whose returns do not cover a window.
    asked : Asked, optional
        The windows as asked for, of which `estimation` and `window` are the layout.
    exclude_dates : mapping of str to array of datetime64[D], optional
        Days that estimation windows leave out, by security; under None those of all.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> str(results.spec.estimation), results.spec.model.label
    ('(-250, -30)', 'Market model (OLS)')
    """

    market: Market
    events: Events
    model: NormalReturnModel
    estimation: Window
    window: Window
    min_observations: int
    exclude_events: bool = False
    incomplete: Incomplete = "warn"
    asked: Asked | None = None
    exclude_dates: Mapping[str | None, DateArray] | None = None

    @property
    def common(self) -> bool:
        """Whether one estimation window and one event window serve all events."""
        return self.asked is None or self.asked.common

    @property
    def estimation_text(self) -> str:
        """The estimation window, in words."""
        return str(self.estimation) if self.asked is None else self.asked.estimation_text

    @property
    def window_text(self) -> str:
        """The event window, in words."""
        return str(self.window) if self.asked is None else self.asked.window_text


WindowLike = Window | Sequence[int] | int | None
Windows = WindowLike | Sequence[Window | Sequence[int]]


def are_several(start: Windows) -> TypeGuard[Sequence[Window | Sequence[int]]]:
    """Whether a call names a list of windows, such as ``[(0, 0), (-1, 1)]``, and not one."""
    if isinstance(start, str | bytes | Window) or not isinstance(start, Sequence | np.ndarray):
        return False
    return len(start) > 0 and not any(isinstance(each, Integral | str) for each in start)


def window_of(
    whole: Window | None, start: WindowLike = None, end: int | None = None, *, path: bool = False
) -> Window:
    """Return the window that a call names: the one rule for windows.

    A window is ``(start, end)``: sessions relative to day 0, both included. A pair, a `Window` or, for one
    day, a number will do. Without one, it is the headline window, (0, +1) or as much of it as the event
    window holds; calls that follow the days one by one take the whole event window.

    Parameters
    ----------
    whole : Window, optional
        The event window; none where there is no study yet.
    start, end : optional
        As the user gave them.
    path : bool, default False
        Whether the call follows the days.

    Raises
    ------
    RequestError
        If the window has an end but no start, or reaches outside the event window.
    WindowError
        If something else stands in its place, an end is not a whole number, or `end` lies before `start`.

    Examples
    --------
    >>> from eventstudy import Window
    >>> str(window_of(Window(-10, 10))), str(window_of(Window(-10, 10), path=True))
    ('(0, +1)', '(-10, +10)')
    >>> str(window_of(Window(-10, 10), -1, 1)), str(window_of(Window(-10, 10), 0))
    ('(-1, +1)', '(0, 0)')
    """
    if start is None:
        if end is not None:
            raise RequestError(f"The window ends at {end!r} but has no start: give both, as in (0, {end!r}).")
        if whole is None:
            return Window(0, 1)
        return whole if path else Window(0, min(1, whole.end))
    if isinstance(start, str | bytes) or not isinstance(start, Window | Sequence | np.ndarray | Integral):
        raise WindowError(
            f"{start!r} is not a window. A window is a pair (start, end) of sessions relative to day 0, such "
            "as (0, 1)."
        )
    window = Window.of(start, end)
    if whole is not None and window not in whole:
        raise RequestError(
            f"The window {window} reaches outside the event window {whole} of this study. Fit it "
            f"again with window=({min(window.start, whole.start)}, {max(window.end, whole.end)})."
        )
    return window


def uses_benchmark(model: NormalReturnModel) -> bool:
    """Whether the normal returns of a model depend on the benchmark."""
    return any(regressor.source == "benchmark" for regressor in model.regressors)


def used_factors(model: NormalReturnModel) -> tuple[str, ...]:
    """Return the factors that the normal returns of a model depend on."""
    return tuple(dict.fromkeys(r.source for r in model.regressors if r.source != "benchmark"))


class MethodGroup:
    """A group of methods of results, computed from fitted events."""

    def __init__(self, fitted: FittedEvents) -> None:
        self._fitted = fitted

    @property
    def fitted(self) -> FittedEvents:
        """The fitted events as arrays and tables, for computations of your own."""
        return self._fitted


class FittedEvents(ABC):
    """Fitted events as arrays and tables, of one study or of several; ``results.fitted``.

    It is what measures, tests and figures are computed from, for computations of your own. Arrays have one
    row per event, in the order of `index`.

    Attributes
    ----------
    abnormal : AbnormalReturns
        Abnormal returns, their standard errors, and the residuals of the estimation windows.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> fitted = es.EventStudy(market, news, window=(-1, 1)).fit().fitted
    >>> fitted.abnormal.ar.shape, fitted.event_window.offsets.tolist(), fitted.index.tolist()
    ((2, 3), [-1, 0, 1], [0, 1])
    >>> fitted.test_input(fitted.checked_window(0, 1)).car.round(4).tolist()
    [-0.0755, -0.0566]
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
    def undated(self) -> bool:
        """Whether the data is in event time, so its dates are made up; see `from_event_time`."""
        return any(part.study.spec.market.undated for part in self.parts())

    @property
    def index(self) -> pd.Index:
        """Ids of the usable events."""
        return self.events.index

    @property
    def securities(self) -> npt.NDArray[np.object_]:
        """Security of each event, as `timeline` names it."""
        return read_only(np.asarray(self.timeline["security"], dtype=object))

    def checked_window(self, start: Windows = None, end: int | None = None, *, path: bool = False) -> Window:
        """Return a window of these events, the headline one by default; see `window_of`."""
        return window_of(self.event_window, cast(WindowLike, start), end, path=path)

    def checked_windows(self, start: Sequence[Window | Sequence[int]], end: object = None) -> list[Window]:
        """Return the windows of a list, each once.

        Raises
        ------
        RequestError
            If there is an end beside them, or one reaches outside the event window.
        """
        if end is not None:
            raise RequestError(f"A list of windows holds their ends, so leave out end={end!r}.")
        windows = Window.list_of("The first argument", start)
        return list(dict.fromkeys(self.checked_window(window) for window in windows))

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
        if not isinstance(by, Hashable) or by not in frame:
            raise RequestError(
                f"The events have no column {by!r}; their columns are {', '.join(map(str, frame.columns))}."
            )
        groups = frame[by]
        without = groups.index[groups.isna()].tolist()
        if without:
            raise RequestError(
                f"{plural(len(without), 'event')} without a {by!r}: {', '.join(map(str, without[:5]))}"
                f"{', ...' if len(without) > 5 else ''}. Give each event one, or leave these events out."
            )
        return groups

    def by_group(self, by: str) -> dict[Any, AbnormalReturns]:
        """Return the abnormal returns of each group's events, in the order the groups first appear."""
        groups = self.groups(by)
        return {name: self.abnormal.take((groups == name).to_numpy()) for name in pd.unique(groups)}

    def position(self, event: Hashable | None = None) -> int:
        """Row of an event, named by its id, or by its security or label where only one event has it.

        Raises
        ------
        RequestError
            If the event is unknown, was excluded, or is not named though there are several.
        """
        index, excluded = self.index, self.excluded
        if event is None:
            if len(index) == 1:
                return 0
            raise RequestError(
                f"There are {len(index)} events: name one with event=, by its id: {_some(index)}."
            )
        if not isinstance(event, Hashable):
            raise RequestError(f"event= names one event, by its id, security or label; got {event!r}.")
        if event in index:
            return int(index.get_indexer(pd.Index([event]))[0])
        for column in ("security", "label"):
            rows = np.flatnonzero([value == event for value in self.timeline[column]])
            if len(rows) == 1:
                return int(rows[0])
            if len(rows) > 1:
                raise RequestError(
                    f"{event} has {len(rows)} events; name one with event=, by its id: {_some(index[rows])}."
                )
        reasons = dict(zip(excluded.index, excluded["reason"], strict=True))
        if event in reasons:
            raise RequestError(f"Event {event} was excluded: {reasons[event]}.")
        unusable = excluded.loc[[value == event for value in excluded["security"]], "reason"].unique()
        if len(unusable):
            raise RequestError(f"{event} has no usable event: {'; '.join(unusable)}.")
        named = [
            name
            for name in self.timeline[["security", "label"]].to_numpy().ravel()
            if isinstance(name, str) and name
        ]
        raise RequestError(
            f"No event {event!r}; the ids are {_some(index)}. A security or label of one event names it too: "
            f"{_some(pd.Index(list(dict.fromkeys(named)), dtype=object))}."
        )

    def cars(
        self, window: Window, level: float = 0.95, alternative: Alternative = "two-sided"
    ) -> pd.DataFrame:
        """CAR of each event over a window with its interval, as `EventStudyResults.car` gives it."""
        sums = self.test_input(window).cumulative
        dof = sums.dof
        se = np.sqrt(sums.variance)
        check_alternative(alternative)
        low, high = t_bounds(sums.car, se, dof, checked_level(level), alternative)
        return pd.DataFrame(
            {
                "car": sums.car,
                "se": se,
                "t": sums.scar,
                "dof": dof,
                "p_value": t_p_values(sums.scar, dof, alternative),
                "ci_low": low,
                "ci_high": high,
                "n_days": sums.n_days,
                "expected": sums.expected,
                "actual": sums.actual,
                "detectable": detectable(se, dof, alternative),
                "uncovered": sums.uncovered,
            },
            index=self.index,
        )


@dataclass(frozen=True)
class FittedStudy(FittedEvents):
    """One fitted study as data; ``EventStudyResults.fitted``.

    Attributes
    ----------
    spec : StudySpec
        Market, events, model and windows.
    sample : EventSample
        The usable events as rows of the market.
    fit : ModelFit
        Parameters and residual variances of the normal-return model, one row per event.
    abnormal : AbnormalReturns

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> results.fitted.abnormal.ar.shape, str(results.fitted.event_window)
    ((1, 3), '(-1, +1)')
    """

    spec: StudySpec
    sample: EventSample
    fit: ModelParameters
    abnormal: AbnormalReturns
    _inputs: dict[Window, TestInput] = field(default_factory=dict, repr=False, compare=False)

    @property
    def event_window(self) -> Window:
        """Sessions that have abnormal returns."""
        return self.spec.window

    def checked_window(self, start: Windows = None, end: int | None = None, *, path: bool = False) -> Window:
        """Return a window of these events; without day 0 in the event window, the whole by default."""
        asked = None if self.spec.asked is None else self.spec.asked.window
        if start is None and end is None and not path and isinstance(asked, Window) and 0 not in asked:
            return asked
        return super().checked_window(start, end, path=path)

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
    def securities(self) -> npt.NDArray[np.object_]:
        """Security of each event; a timeline of many takes long to make."""
        return read_only(np.asarray(self.sample.events["security"], dtype=object))

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
class Part(FrozenRecord):
    """A study whose events `rows` are the events `at` of the whole, or belong to them as listings."""

    study: FittedStudy
    rows: IntArray
    at: IntArray


def checked_level(level: float) -> float:
    """Return a confidence level, checked."""
    check_fraction("level", level)
    return level


def _some(index: pd.Index) -> str:
    return ", ".join(map(repr, index[:8].tolist())) + (", ..." if len(index) > 8 else "")


def refuse_own_windows(spec: StudySpec, what: str) -> None:
    """Refuse a study whose events have windows of their own, or no dates, for `what` lays out others.

    Raises
    ------
    RequestError
    """
    if not spec.common:
        raise RequestError(
            f"{what} needs one estimation window and one event window, which holds day 0, for all events; "
            f"this study has {spec.estimation_text} and {spec.window_text}."
        )
    refuse_undated(spec.market.undated, what)


def refuse_undated(undated: bool, what: str) -> None:
    """Refuse data in event time, for `what` needs dates.

    Raises
    ------
    RequestError
    """
    if undated:
        raise RequestError(
            f"{what} needs the dates of the sessions, and this study's data is in event time. Make the "
            "market of dated returns: Market(returns, ...)."
        )
