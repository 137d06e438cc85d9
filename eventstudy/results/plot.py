"""``results.plot``: gathers a tidy frame and hands it to a drawing function."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import inference, plotting
from eventstudy.arguments import by_name
from eventstudy.errors import RequestError, WindowError
from eventstudy.immutable import Immutable
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.market import LEVELS
from eventstudy.results import averages, plot_data
from eventstudy.results.event_names import event_name, name_parts
from eventstudy.results.fitted import FittedEvents, FittedStudy, WindowLike, refuse_undated
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ResultsPlotter"]

#: Groups on the same axes that `plotting.plot_caar` draws bands for.
MOST_BANDS = 3


class ResultsPlotter(Immutable):
    """Figures of results; every method returns the matplotlib Axes.

    Each gathers a tidy frame and draws it with the function of the same name in `eventstudy.plotting`, which
    draws frames of your own as well. The window comes first, as ``(start, end)``; figures of one event take
    ``event=``, its id, which is needed where there are several. ``ax=`` are the Axes to draw on, and further
    keyword arguments, such as ``title=`` or ``color=``, go to the drawing function.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> axes = results.plot.reaction(currency="CNY")
    >>> axes.get_ylabel()
    'Price (CNY)'
    """

    def __init__(self, fitted: FittedEvents) -> None:
        self._fitted = fitted

    def __repr__(self) -> str:
        names = [name for name in dir(self) if not name.startswith("_")]
        return f"Plots: {', '.join(names)}"

    def car(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        event: Hashable | None = None,
        headline: WindowLike = None,
        level: float = 0.95,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Cumulative abnormal return of one event with its interval.

        By default over the whole event window, from zero before the `headline` window, which is shaded; a
        window that is given without one sums from its own first day.
        """
        fitted, window = self._fitted, _window(self._fitted, "car", start, end, path=True)
        row = fitted.position(event)
        head = _headline(fitted, start, headline)
        frame = plot_data.car_path(fitted, [row], window, level, None if head is None else head.start).drop(
            columns="event"
        )
        if head is not None:
            kwargs = {"headline": (head.start, head.end, fitted.cars(head)["car"].iloc[row])} | kwargs
        ax = plotting.plot_car(
            frame, ax, **_with_defaults(kwargs, ax, title=_title(fitted, row), level=level)
        )
        return _named(ax, fitted, "Cumulative", head)

    def caar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        by: str | None = None,
        hue: str | None = None,
        test: str | None = None,
        headline: WindowLike = None,
        level: float = 0.95,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Cumulative average abnormal return with the interval of a test that fits the design.

        By default over the whole event window, from zero before the `headline` window, which is shaded; a
        window that is given without one sums from its own first day. `test` chooses another test, as for
        `EventStudyResults.caar`. `by`, a column of the events such as ``"group"``, gives each group a panel,
        of which the first is returned; `hue` gives each a colour on the same axes, with intervals for up to
        three groups.
        """
        fitted, window = self._fitted, self._fitted.checked_window(start, end, path=True)
        groups = _one_of(by, hue)
        head = _headline(fitted, start, headline)
        anchor = None if head is None else head.start
        if groups is None:
            frame = plot_data.caar_path(fitted, window, test, level, anchor)
        else:
            frame = plot_data.caar_paths(fitted, groups, window, test, level, anchor)
        if head is not None:
            inputs = [fitted.test_input(head)]
            value = np.nan if groups else averages.averages(inputs, test, level)["caar"].iloc[0]
            kwargs = {"headline": (head.start, head.end, value)} | kwargs
        draw = plotting.plot_caar if by is None else plotting.plot_caar_groups
        title = _average_title(
            fitted, frame, groups, with_bands=hue is None or frame["group"].nunique() <= MOST_BANDS
        )
        ax = draw(frame, ax, **_with_defaults(kwargs, ax, title=title, level=level))
        return _named(ax, fitted, "Cumulative average", head)

    def aar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        hue: str | None = None,
        test: str | None = None,
        level: float = 0.95,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Average abnormal return of each day with the interval of a test that fits the design, as bars.

        By default over the whole event window. `hue`, a column of the events, gives each group a colour.
        """
        fitted, window = self._fitted, self._fitted.checked_window(start, end, path=True)
        frame = plot_data.aar(fitted, window, test, level, hue)
        title = _average_title(fitted, frame, hue)
        ax = plotting.plot_aar(frame, ax, **_with_defaults(kwargs, ax, title=title, level=level))
        return _named(ax, fitted, "Average")

    def reaction(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        event: Hashable | None = None,
        headline: WindowLike = None,
        level: float = 0.95,
        currency: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Price beside the price had nothing been announced.

        By default over the whole event window, with the gap at the end of the `headline` window.
        """
        refuse_undated(self._fitted.undated, "plot.reaction")
        window = _window(self._fitted, "reaction", start, end, path=True)
        study, row = _one(self._fitted, event)
        head = _headline(self._fitted, start, headline)
        kwargs = {"gap_on": None if head is None else head.end} | kwargs
        frame = plot_data.reaction(study, row, window, level)
        return plotting.plot_reaction(
            frame, ax, **_with_defaults(kwargs, title=_title(study, row), level=level, currency=currency)
        )

    def price(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        security: Hashable | None = None,
        currency: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Price of one security with all its announcements, each with its CAR over the window.

        Raises
        ------
        RequestError
            If the events are of several securities and `security` names none of them.
        """
        window = self._fitted.checked_window(start, end)
        study, rows = _announcements(self._fitted, security)
        frame, events = plot_data.price(study, rows, window)
        title = f"{name_parts(study, rows[0])[1]}, CAR {window}".replace("$", r"\$")
        return plotting.plot_price(
            frame, ax, **_with_defaults(kwargs, ax, events=events, title=title, currency=currency)
        )

    def windows(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Estimation, event and tested window of each event in calendar time, and days without trade."""
        window = self._fitted.checked_window(start, end)
        frame = plot_data.windows(self._fitted, window)
        title = _shared(self._fitted, f"Windows, tested {window}")
        return plotting.plot_windows(frame, ax, **_with_defaults(kwargs, title=title))

    def fit(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        event: Hashable | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Estimation regression of one event as a scatter, the days of the window marked."""
        window = _window(self._fitted, "fit", start, end)
        study, row = _one(self._fitted, event)
        frame = plot_data.fit(study, row, window)
        return plotting.plot_fit(frame, ax, **_with_defaults(kwargs, title=_title(study, row)))

    def null(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        event: Hashable | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Abnormal returns of one event's window against the residuals of its estimation window."""
        window = _window(self._fitted, "null", start, end)
        study, row = _one(self._fitted, event)
        frame = plot_data.null(study, row, window)
        return plotting.plot_null(frame, ax, **_with_defaults(kwargs, title=_title(study, row)))

    def heatmap(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Abnormal returns of all events by day; by default over the whole event window."""
        window = self._fitted.checked_window(start, end, path=True)
        frame, title = plot_data.heatmap(self._fitted, window), _shared(self._fitted, "")
        return plotting.plot_heatmap(frame, ax, **_with_defaults(kwargs, title=title or None))

    def decomposition(
        self,
        day: int = 0,
        *,
        event: Hashable | None = None,
        currency: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """One day of an event taken apart: overnight gap, low, close, limit."""
        study, row = _one(self._fitted, event)
        frame = plot_data.decomposition(study, row, day).reset_index()
        return plotting.plot_decomposition(
            frame, ax, **_with_defaults(kwargs, title=_title(study, row), currency=currency)
        )

    def forest(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        hue: str | None = None,
        level: float = 0.95,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """CAR of every event with its interval, sorted, and their average.

        `hue`, a column of the events, gives each group a colour.
        """
        window = self._fitted.checked_window(start, end)
        frame = plot_data.forest(self._fitted, window, level)
        if hue is not None:
            frame[hue] = pd.Series(self._fitted.groups(hue).to_numpy()).reindex(frame.index)
        title = _shared(self._fitted, f"CAR {window}")
        return plotting.plot_forest(frame, ax, hue=hue, **_with_defaults(kwargs, title=title, level=level))

    def clustering(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """When the events fall, and how many of their windows are open at a time."""
        refuse_undated(self._fitted.undated, "plot.clustering")
        window = self._fitted.checked_window(start, end)
        found = inference.clustering(self._fitted.test_input(window))
        title = f"Windows {window}"
        if found.n_events > 1:
            title += f": mean correlation {found.mean_correlation:z.2f}"
        frame = plot_data.clustering(self._fitted, window)
        return plotting.plot_clustering(frame, ax, **_with_defaults(kwargs, title=title))

    @by_name
    def residuals(self, *, event: Hashable | None = None, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Estimation residuals and abnormal returns of one event over time."""
        frame, title = _residuals(self._fitted, event)
        return plotting.plot_residuals(frame, ax, **_with_defaults(kwargs, title=title))

    @by_name
    def qq(self, *, event: Hashable | None = None, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Quantiles of one event's estimation residuals against those of a normal distribution."""
        frame, title = _residuals(self._fitted, event)
        return plotting.plot_qq(frame, ax, **_with_defaults(kwargs, title=title))

    @by_name
    def autocorrelation(
        self, *, event: Hashable | None = None, lags: int = 20, ax: Axes | None = None, **kwargs: Any
    ) -> Axes:
        """Autocorrelation of one event's estimation residuals and of their squares."""
        frame, title = _residuals(self._fitted, event)
        return plotting.plot_autocorrelation(frame, ax, **_with_defaults(kwargs, title=title, lags=lags))

    def tests(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """P-values of all tests, those recommended marked; resampling tests draw from seed 0."""
        check_alternative(alternative)
        window = self._fitted.checked_window(start, end)
        frame = plot_data.tests(self._fitted, window, alternative)
        side = "" if alternative == "two-sided" else f", {averages.SIDES[alternative]}"
        title = f"Tests of {window}{side}"
        return plotting.plot_tests(frame, ax, **_with_defaults(kwargs, title=title))

    def timeline(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        event: Hashable | None = None,
        currency: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Price at the close within its daily limits, limit days and suspended sessions marked.

        By default over the whole event window.
        """
        window = _window(self._fitted, "timeline", start, end, path=True)
        study, row = _one(self._fitted, event)
        frame = plot_data.timeline(study, row, window)
        return plotting.plot_timeline(
            frame, ax, **_with_defaults(kwargs, title=_title(study, row), currency=currency)
        )


def _window(
    fitted: FittedEvents, figure: str, start: WindowLike, end: int | None, *, path: bool = False
) -> Window:
    """Check the window of a figure of one event, and refuse an event given in its place."""
    try:
        return fitted.checked_window(start, end, path=path)
    except (RequestError, WindowError) as error:
        if end is not None or isinstance(start, Window):
            raise
        raise type(error)(f"{error} To name an event: plot.{figure}(event={start!r}).") from None


def _one(fitted: FittedEvents, event: Hashable | None) -> tuple[FittedStudy, int]:
    """Return the study of one event, and its row there."""
    return fitted.part(fitted.position(event))


def _announcements(fitted: FittedEvents, security: Hashable | None) -> tuple[FittedStudy, list[int]]:
    """Return the study of one security, and the rows of its events there."""
    securities = fitted.timeline["security"]
    known = list(pd.unique(securities))
    if security is None and len(known) > 1:
        raise RequestError(
            f"There are events of {len(known)} securities: name one with security=, such as {known[0]!r}."
        )
    if security is not None and not (isinstance(security, Hashable) and security in known):
        raise RequestError(f"No event of these results is of security {security!r}; there are {known}.")
    rows = np.flatnonzero(securities == (known[0] if security is None else security))
    study, _ = fitted.part(int(rows[0]))
    return study, [fitted.part(int(row))[1] for row in rows]


def _residuals(fitted: FittedEvents, event: Hashable | None) -> tuple[pd.DataFrame, str]:
    study, row = _one(fitted, event)
    return plot_data.null(study, row, fitted.event_window), _title(study, row)


def _with_defaults(kwargs: dict[str, Any], ax: Axes | None = None, **defaults: Any) -> dict[str, Any]:
    """Return keyword arguments over their defaults; a second study leaves the title of the first."""
    if ax is not None and hasattr(ax, "has_data") and ax.has_data():
        defaults["title"] = None
    return defaults | kwargs


def _headline(fitted: FittedEvents, start: WindowLike, headline: WindowLike) -> Window | None:
    """Return the window to mark in the figure of a path, where the event window holds it and is longer."""
    if start is not None and headline is None:
        return None
    whole, head = fitted.event_window, fitted.checked_window(headline)
    return head if head in whole and head != whole else None


def _one_of(by: str | None, hue: str | None) -> str | None:
    if by is not None and hue is not None:
        raise RequestError(f"by={by!r} draws panels and hue={hue!r} colours on one axes: give one of them.")
    return hue if by is None else by


def _average_title(
    fitted: FittedEvents, frame: pd.DataFrame, by: str | None, *, with_bands: bool = True
) -> str:
    """Count the events, and name the groups and the tests that the intervals come from, where drawn."""
    known = frame.loc[frame["ci_low"] < frame["ci_high"], "test"].unique()
    n, names = len(fitted.index), [name.replace("_", "-") for name in known]
    groups = "" if by is None else f" by {by}"
    if not with_bands or not names:
        return f"{plural(n, 'event')}{groups}".replace("$", r"\$")
    return (
        f"{n} event{'s' * (n != 1)}{groups}, interval{'s' * (by is not None)} of the {' and '.join(names)} "
        f"test{'s' * (len(names) > 1)}"
    ).replace("$", r"\$")


def _shared(fitted: FittedEvents, title: str) -> str:
    """Add to a title what the names of all events share, which their rows leave out."""
    return ": ".join(filter(None, [title, plot_data.row_names(fitted)[1].replace("$", r"\$")]))


def _title(fitted: FittedEvents, row: int) -> str:
    """Name of an event as a title; dollars in a label are not mathematics."""
    return event_name(fitted, row).replace("$", r"\$")


def _named(ax: Axes, fitted: FittedEvents, measure: str, head: Window | None = None) -> Axes:
    """Name the axes where they show no returns, no sessions, or a path that starts at zero within them."""
    kind = fitted.kind
    # Panels of a figure of their own share one name.
    figure = ax.figure
    across, up = figure.get_supxlabel() or ax.get_xlabel(), figure.get_supylabel() or ax.get_ylabel()
    if kind in LEVELS:
        up = f"{measure} abnormal {kind}"
    by_day = np.datetime_data(fitted.abnormal.event_dates.dtype)[0] == "D"
    if head is not None and head.start > fitted.event_window.start:
        unit = "on day" if by_day else "at bar"
        up += f"\n(0 {unit} {head.start - 1})".replace("-", "\N{MINUS SIGN}")
    if not by_day:
        across = across.replace("Sessions relative to the event day", "Bars relative to the event bar")
    size = ax.yaxis.label.get_fontsize()
    if figure.get_supylabel():
        figure.supxlabel(across, fontsize=size)
        figure.supylabel(up, fontsize=size)
    else:
        ax.set(xlabel=across, ylabel=up)
    return ax
