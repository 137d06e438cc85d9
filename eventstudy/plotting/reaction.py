"""The price that was observed against the price had nothing been announced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    date_scale,
    hue,
    ink,
    interval,
    legend_above,
    long_date,
    mark_event,
    minus,
    need,
    new_axes,
    percent,
    styled,
    suspended,
)

__all__ = ["plot_reaction"]

#: Share of the colour of the price in that of the gap.
PALE = 0.35


def plot_reaction(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    currency: str | None = None,
    level: float = 0.95,
    gap_on: int | None = None,
    title: str | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw an observed price and its counterfactual, the gap between them shaded from day 0 on.

    Parameters
    ----------
    frame : DataFrame
        Columns ``date``, ``day`` (sessions relative to the event), ``price`` (observed; NaN where
        suspended) and ``counterfactual`` (had nothing been announced), and optionally
        ``counterfactual_low`` and ``counterfactual_high``, its interval.
    ax : Axes, optional
        Where to draw; a new figure by default.
    currency : str, optional
        Unit of the prices, such as ``"CNY"``.
    level : float, optional
        Level of the interval in `frame`, for the legend.
    gap_on : int, optional
        Day whose gap the legend tells, or the last before it with a price; the last of all by default.
    title : str, optional
    **kwargs
        Properties of the observed price, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The legend gives the gap in money and in percent of the counterfactual.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows with a date, as those after the end of the data.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_reaction
    >>> dates = pd.to_datetime(["2019-05-21", "2019-05-22", "2019-05-23"])
    >>> frame = pd.DataFrame({"date": dates, "day": [-1, 0, 1], "price": [27.60, 26.07, 24.56]})
    >>> ax = plot_reaction(frame.assign(counterfactual=[27.60, 27.44, 26.71]), currency="CNY")
    >>> ax.get_ylabel()
    'Price (CNY)'
    """
    need(frame, "plot_reaction", ["date", "day", "price", "counterfactual"])
    frame = frame.dropna(subset="date").sort_values("date")
    if frame.empty:
        raise RequestError("plot_reaction has no day to draw: the data end before the window.")
    ax = new_axes(ax)
    dates = frame["date"]
    price, without = frame["price"].to_numpy(float), frame["counterfactual"].to_numpy(float)
    suspended(ax, dates, price)
    if {"counterfactual_low", "counterfactual_high"} <= set(frame.columns):
        low, high = frame["counterfactual_low"], frame["counterfactual_high"]
        ax.fill_between(
            dates, low, high, color=hue(0), alpha=0.18, linewidth=0, label=f"Its {interval(level)}", zorder=1
        )
        for end in (low, high):
            ax.plot(dates, end, color=hue(0), alpha=0.5, linewidth=0.8, label="_end", zorder=2.5)
    ax.plot(dates, without, color=hue(0), linestyle="--", label="Had nothing been announced", zorder=3)
    style = styled(Line2D, kwargs, color=hue(1), marker="o", markersize=4, label="Observed", zorder=4)
    ax.plot(dates, price, **style)
    after = frame["day"].to_numpy() >= 0
    told = frame[after if gap_on is None else after & (frame["day"] <= gap_on).to_numpy()]
    told = told.dropna(subset=["price", "counterfactual"]).tail(1)
    if gap_on is not None:
        ends = {"color": ink(ax), "linewidth": 1.5, "label": "_told", "zorder": 5}
        ax.vlines(told["date"], told["price"], told["counterfactual"], **ends)
    ax.fill_between(
        dates,
        price,
        without,
        where=after,
        # Opaque, as two transparent areas on one another are of a third colour.
        facecolor=_pale(style["color"], ax),
        linewidth=0,
        label=_gap_label(told, currency),
        zorder=2,
    )
    event = dates[frame["day"] == 0]
    for date in event:
        mark_event(ax, date)
        ax.lines[-1].set_zorder(2.5)
        ax.lines[-1].set_label(f"Event session, {long_date(date)}")
    date_scale(ax)
    ax.set_ylabel("Price" if currency is None else f"Price ({currency})")
    _legend(ax, title, style["label"])
    return ax


def _legend(ax: Axes, title: str | None, observed: str) -> None:
    """List the lines first, in the order in which they are read."""
    order = [observed, "Had nothing", "Its", "Gap", "Event", "Suspended"]
    handles, labels = ax.get_legend_handles_labels()
    ranks = [next(i for i, head in enumerate(order) if label.startswith(head)) for label in labels]
    sequence = np.argsort(ranks, kind="stable")
    legend_above(ax, [handles[i] for i in sequence], [labels[i] for i in sequence], title)


def _gap_label(told: pd.DataFrame, currency: str | None) -> str:
    if told.empty:
        return "_gap"
    day = told.iloc[0]
    gap = day["price"] - day["counterfactual"]
    money = f"{gap:+.2f}" if currency is None else f"{gap:+.2f} {currency}"
    return f"Gap: {minus(money)} ({percent(gap / day['counterfactual'])}) on {long_date(day['date'])}"


def _pale(colour: Any, ax: Axes) -> np.ndarray:
    """Mix a colour with that of the surface."""
    pale: np.ndarray = PALE * np.array(to_rgb(colour)) + (1 - PALE) * np.array(to_rgb(ax.get_facecolor()))
    return pale
