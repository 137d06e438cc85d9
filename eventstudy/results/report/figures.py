"""Figures of a report, each with words for those who do not see it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy.errors import RequestError
from eventstudy.html_page import Block, Paragraph, Picture
from eventstudy.inference.base import Alternative
from eventstudy.results import averages, plot_data, trading_frictions
from eventstudy.results.event_names import event_name
from eventstudy.results.fitted import FittedEvents, FittedStudy
from eventstudy.results.plot import ResultsPlotter
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["figures", "sensitivity_figure"]

#: A heatmap of more events than this is not readable.
MOST_EVENTS = 500
#: Height in inches of a named row, and of what stands around the rows.
ROW, HEADROOM = 0.27, 1.5
#: Most named rows of a figure; figures of more events have no names.
MOST_ROWS = 40
#: Up to so many rows, names of more than so many letters have two lines.
FEW_ROWS, LONG = 15, 36
#: Groups that have a panel each.
MOST_GROUPS = 9

Draw = Callable[["Axes"], object]


class Drawing(NamedTuple):
    """A figure to be drawn, of a height in inches; `title` is whether the title of its axes is kept."""

    caption: str
    alt: str
    draw: Draw
    height: float
    title: bool = False


#: Figures of a brief report.
BRIEF = 2


def figures(
    data: FittedStudy,
    window: Window,
    currency: str | None,
    alternative: Alternative,
    *,
    controls: FittedEvents | None = None,
    vector: bool = True,
    brief: bool = False,
) -> list[Block]:
    """Figures of a study, those of one event or those of many; what cannot be drawn says why."""
    drawings = (
        _of_one(data, window, currency) if len(data.sample) == 1 else _of_many(data, window, alternative)
    )
    if controls is not None:
        drawings = chain([_against(data, controls, window)], drawings)
    if brief:
        drawings = islice(drawings, BRIEF)
    blocks: list[Block] = []
    missing: list[Block] = []
    for drawing in drawings:
        try:
            mime, image = plotting.as_image(
                drawing.draw, height=drawing.height, title=drawing.title, vector=vector
            )
        except RequestError as error:
            missing.append(Paragraph(f"Not drawn: {drawing.caption} {error}"))
        else:
            blocks.append(Picture(mime, image, drawing.alt, drawing.caption))
    return [*blocks, *missing]


def sensitivity_figure(frame: pd.DataFrame, *, vector: bool = True) -> Picture:
    """Forest of the estimates of `eventstudy.results.report.content.sensitivity`, in their order."""
    rows = frame.assign(event=frame["model"] + " " + frame["window"], car=frame["estimate"])
    mime, image = plotting.as_image(
        lambda ax: plotting.plot_forest(rows, ax, sort=False).set_xlabel("Mean CAR"),
        height=HEADROOM + ROW * len(rows),
        vector=vector,
    )
    low, high = frame["estimate"].min(), frame["estimate"].max()
    alt = f"Forest plot of {len(frame)} estimates with 95% intervals, from {low:+.1%} to {high:+.1%}."
    return Picture(mime, image, alt, "The estimate under other windows and models.")


def _against(data: FittedStudy, controls: FittedEvents, window: Window) -> Drawing:
    """Draw the paths of treated and controls on the same axes."""
    means = [
        averages.averages([each.test_input(window)], None, 0.95).iloc[0]["caar"] for each in (data, controls)
    ]

    def draw(ax: Axes) -> None:
        ResultsPlotter(data).caar(ax=ax, headline=window, label="treated")
        ResultsPlotter(controls).caar(ax=ax, label="controls")

    return Drawing(
        "Mean cumulative abnormal returns of treated and controls, with 95% intervals.",
        f"Line chart of two paths: over the window {window} the treated moved by {means[0]:+.1%}, the "
        f"controls by {means[1]:+.1%}.",
        draw,
        3.9,
    )


def _of_one(data: FittedStudy, window: Window, currency: str | None) -> Iterator[Drawing]:
    plot, name = ResultsPlotter(data), event_name(data, 0)
    whole, car = data.spec.window, data.cars(window).iloc[0]
    path = Window(min(window.start, whole.end), whole.end)
    ending = data.cars(path).iloc[0]["car"]
    if not data.undated:
        prices = plot_data.reaction(data, 0, whole).dropna(subset=["price", "counterfactual"])
        last = prices[prices["day"] <= window.end].tail(1)
        gap = "".join(
            f" On {row.date:%Y-%m-%d} it is {row.price:.2f} against {row.counterfactual:.2f}."
            for row in last.itertuples()
        )
        yield Drawing(
            "The price, and the price had nothing been announced.",
            f"Line chart of the observed price of {name} beside its counterfactual.{gap}",
            lambda ax: plot.reaction(ax=ax, currency=currency, headline=window),
            3.9,
        )
    yield Drawing(
        f"Cumulative abnormal return with its 95% interval; the window {window} is shaded.",
        f"Line chart of the cumulative abnormal return of {name} from session {whole.start} to {whole.end}: "
        f"over the window {window} it is {car['car']:+.1%}, 95% interval {car['ci_low']:+.1%} to "
        f"{car['ci_high']:+.1%}; from session {path.start} to {path.end} it is {ending:+.1%}.",
        lambda ax: plot.car(ax=ax, headline=window),
        3.7,
    )
    hits, halts = trading_frictions.limit_hits(data), trading_frictions.halts(data)
    if len(hits) or len(halts):
        yield Drawing(
            "Daily price limits and suspended sessions.",
            f"Closing prices within their daily limits: {plural(len(hits), 'session')} touched a limit, "
            f"{int(hits['at_close'].sum())} closed at one; {plural(len(halts), 'spell')} without trade.",
            lambda ax: plot.timeline(ax=ax, currency=currency),
            3.9,
        )
    yield Drawing(
        "Day 0 taken apart: overnight gap, low, high and close"
        + (" against the price limits." if data.spec.market.has_limits else "."),
        "Bar chart of the changes of open, low, high and close from the reference price on day 0.",
        lambda ax: plot.decomposition(ax=ax, currency=currency),
        3.7,
    )
    if data.spec.model.regressors:
        r_squared = float(data.fit.r_squared[0])
        told = "" if np.isnan(r_squared) else f" The model explains {r_squared:.0%} of the variance."
        yield Drawing(
            f"Returns against the benchmark's, and the days {window}.",
            f"Scatter plot of {int(data.fit.n_obs[0])} estimation days with the fitted line.{told}",
            lambda ax: plot.fit(window, ax=ax),
            3.7,
        )
    day0 = data.abnormal.ar[0, -whole.start]
    lower = int((data.abnormal.past.residuals()[0] <= day0).sum())
    yield Drawing(
        "Where the days of the window lie among ordinary days.",
        f"Histogram of {int(data.fit.n_obs[0])} estimation residuals; {lower} of them lie below the abnormal "
        f"return of day 0, {day0:+.1%}.",
        lambda ax: plot.null(window, ax=ax),
        3.7,
    )
    yield Drawing(
        "Residuals over time: is their variance steady?",
        "Bars of the estimation residuals and of the abnormal returns of the event window, by session.",
        lambda ax: plot.residuals(ax=ax),
        3.7,
    )
    yield Drawing(
        "Residuals against a normal distribution: may a t-test be trusted?",
        "Quantiles of the residuals against normal quantiles, with a 95% band.",
        lambda ax: plot.qq(ax=ax),
        3.7,
    )
    yield Drawing(
        "Autocorrelation of the residuals and of their squares.",
        "Autocorrelations by lag, with the band that 95% of those of unrelated residuals lie in.",
        lambda ax: plot.autocorrelation(ax=ax),
        3.7,
    )


def _groups(data: FittedStudy) -> dict[str, int] | None:
    """Count the events of each group, where the events are in a few groups."""
    events = data.spec.events.frame
    if "group" not in events:
        return None
    groups = events["group"].reindex(data.index)
    counts = groups.value_counts(sort=False)
    if groups.isna().any() or not 1 < len(counts) <= MOST_GROUPS:
        return None
    return {str(name): int(n) for name, n in counts.items()}


def _of_many(data: FittedStudy, window: Window, alternative: Alternative) -> Iterator[Drawing]:
    plot, n, whole = ResultsPlotter(data), len(data.sample), data.spec.window
    path = Window(min(window.start, whole.end), whole.end)
    ending = averages.averages([data.test_input(path)], None, 0.95).iloc[0]
    mean = averages.averages([data.test_input(window)], None, 0.95).iloc[0]
    positive = 0.0 if np.isnan(mean["positive"]) else mean["positive"]
    rows = n + 1 if n < MOST_ROWS else 12
    longest = max(map(len, plot_data.row_names(data)[0]))
    lines = 2 if n <= FEW_ROWS and longest > LONG else 1
    measured = bool((data.test_input(window).cumulative.variance > 0).any())
    yield Drawing(
        f"CAR {window} of each event{' with its 95% interval' if measured else ''}, and their average.",
        f"Forest plot of {int(mean['n_events'])} events, sorted; {positive:.0%} of them are positive, the "
        f"average is {mean['caar']:+.1%}.",
        lambda ax: plot.forest(window, ax=ax),
        max(3.0, HEADROOM + lines * ROW * rows),
    )
    shown = "without an interval" if np.isnan(ending["se"]) else f"interval of the {ending['test']} test"
    yield Drawing(
        f"Cumulative average abnormal return, {shown}; the window {window} is shaded.",
        f"Line chart of the cumulative average abnormal return of {n} events from session {whole.start} to "
        f"{whole.end}: over the window {window} it is {mean['caar']:+.1%}; from session {path.start} to "
        f"{path.end} it is {ending['caar']:+.1%}.",
        lambda ax: plot.caar(ax=ax, headline=window),
        3.7,
    )
    groups = _groups(data)
    if groups is not None:
        yield Drawing(
            "The same by group of events, each with the interval of a test that fits its design.",
            f"Line charts of the cumulative average abnormal returns of {len(groups)} groups: "
            + "; ".join(f"{name}, {plural(n, 'event')}" for name, n in groups.items())
            + ".",
            lambda ax: plot.caar(by="group", headline=window, title=None, ax=ax),
            1.2 + 2.0 * math.ceil(len(groups) / 3),
            title=True,
        )
    if n <= MOST_EVENTS:
        yield Drawing(
            "Abnormal returns by event and day.",
            f"Heatmap of the abnormal returns of {n} events over the sessions {whole}; the numbers are in "
            "results.abnormal_returns.",
            lambda ax: plot.heatmap(ax=ax),
            float(np.clip(HEADROOM + 0.2 * lines * n, 3.0, 8.0)),
        )
    dates = data.sample.timeline["day_0"].nunique()
    if not data.undated:
        yield Drawing(
            "When the events fall, and how many of their windows are open at a time.",
            f"Area chart by date: {n} events on {dates} date{'s' * (dates != 1)}.",
            lambda ax: plot.clustering(window, ax=ax),
            3.7,
        )
    yield Drawing(
        f"p-values of all tests of {window}; the table below has the numbers.",
        "Dot plot of the p-values of all tests on a logarithmic scale, those recommended marked.",
        lambda ax: plot.tests(window, alternative=alternative, ax=ax),
        7.0,
    )
