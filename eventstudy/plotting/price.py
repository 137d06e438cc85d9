"""The price of one security with all its announcements."""

from __future__ import annotations

from textwrap import fill, shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    LETTER,
    MORE,
    date_scale,
    hue,
    ink,
    legend_above,
    long_date,
    need,
    new_axes,
    percent,
    styled,
    suspended,
)
from eventstudy.plotting.fit import place_labels

__all__ = ["plot_price"]

#: Height of what stands below the list, in inches, and the share of given axes that the list may take.
CHART, MOST = 3.6, 0.5
#: Height of a line of the list in units of the font size.
LINE = 1.7
#: More announcements than this have a line each.
FEW = 6


def plot_price(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    events: pd.DataFrame,
    title: str | None = None,
    currency: str | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw a price with every announcement numbered on its day, and listed above.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date`` and ``price`` (NaN where suspended).
    ax : Axes, optional
        Where to draw; by default a new figure with room for the list.
    events : DataFrame
        Columns ``date`` and ``label``, and optionally ``car`` (decimal), which the list then tells.
    title : str, optional
    currency : str, optional
        Unit of the prices, such as ``"CNY"``.
    **kwargs
        Properties of the price, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    RequestError
        If a frame lacks a column or has no rows, or an event falls outside the dates of the prices.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_price
    >>> frame = pd.DataFrame({"date": pd.bdate_range("2019-05-20", periods=4), "price": [28, 27.6, 26, 24.6]})
    >>> events = pd.DataFrame({"date": frame.date[[2]], "label": ["NYT report"], "car": [-0.075]})
    >>> ax = plot_price(frame, events=events)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['22 May 2019, NYT report: −7.5%']
    """
    need(frame, "plot_price", ["date", "price"])
    need(events, "plot_price", ["date", "label"])
    frame, events = frame.sort_values("date"), events.sort_values("date", kind="stable")
    dates, price = frame["date"], frame["price"].to_numpy(float)
    at = np.searchsorted(dates.to_numpy(), events["date"].to_numpy())
    outside = (at == len(dates)) | (events["date"].to_numpy() < dates.iloc[0])
    if outside.any():
        raise RequestError(
            f"plot_price has prices from {dates.iloc[0]:%Y-%m-%d} to {dates.iloc[-1]:%Y-%m-%d}, and an event "
            f"on {events['date'].iloc[int(np.argmax(outside))]:%Y-%m-%d}."
        )
    own = new_axes(ax)
    letter = FontProperties(size="small").get_size_in_points() / 72
    size = letter * LINE
    letters = int(own.get_window_extent().width / own.figure.dpi / (LETTER * letter))
    labels = _labels(events, letters)
    if ax is None:
        own.figure.set_figheight(CHART + size * sum(label.count("\n") + 1 for label in labels))  # type: ignore[union-attr]
    elif size * len(labels) > MOST * own.get_window_extent().height / own.figure.dpi:
        labels = [f"{len(events)} announcements, numbered by date"]
    ax = own
    suspended(ax, dates, price)
    line = styled(Line2D, kwargs, color=hue(0), linewidth=1.2, label="_price", zorder=2)
    ax.plot(dates, price, **line)
    for date in events["date"]:
        ax.axvline(date, color=ink(ax), linestyle="--", linewidth=0.8, alpha=0.5, zorder=1, label="_event")
    # A day without trade is marked at the last price before it.
    known = pd.Series(price).ffill().bfill().to_numpy()[at]
    ax.plot(events["date"], known, "o", color=hue(1), markersize=5, label="_events", zorder=3)
    date_scale(ax)
    ax.set_ylabel("Price" if currency is None else f"Price ({currency})")
    numbers = range(1, len(events) + 1)
    markers = [f"${number}$" for number in numbers] if len(labels) == len(events) else ["o"]
    handles = [Line2D([], [], color=hue(1), linestyle="none", marker=each, markersize=7) for each in markers]
    legend_above(ax, handles, labels, title, columns=1)
    points = np.column_stack([date2num(events["date"].to_numpy()), known])  # type: ignore[no-untyped-call]
    place_labels(ax, points, [str(number) for number in numbers])
    return ax


def _labels(events: pd.DataFrame, letters: int) -> list[str]:
    """Day, label and CAR of each announcement, on one line of so many letters where there are many."""
    cars = events["car"].astype(float) if "car" in events else pd.Series(np.nan, events.index)
    labels = []
    for date, label, car in zip(events["date"], events["label"], cars, strict=True):
        effect = "" if np.isnan(car) else f": {percent(car)}"
        named = ", ".join(filter(None, [long_date(date), str(label)]))
        if len(events) > FEW:
            labels.append(shorten(named, letters - len(effect), placeholder=MORE) + effect)
        else:
            labels.append(fill(named + effect, letters))
    return labels
