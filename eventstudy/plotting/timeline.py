"""Price, daily price limits and suspended sessions around an event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    date_scale,
    hue,
    ink,
    legend_above,
    mark_event,
    need,
    new_axes,
    styled,
    suspended,
)

__all__ = ["plot_timeline"]

SIDES = ((-1, "v", "down"), (1, "^", "up"))


def plot_timeline(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    currency: str | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw closing prices within their daily limits, with limit days and suspended sessions marked.

    Parameters
    ----------
    frame : DataFrame
        One row per session: ``date``, ``day`` (sessions relative to the event), ``price`` (close; NaN
        where suspended), ``limit_down`` and ``limit_up`` (prices; NaN where there is no limit),
        ``touched`` and ``closed`` (-1 where the lower limit was touched or closed at, 1 the upper,
        else 0).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    currency : str, optional
        Unit of the prices, such as ``"CNY"``.
    **kwargs
        Properties of the price, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        Hollow triangles stand where a limit was touched, filled ones where the price closed at it
        and the move was cut short.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_timeline
    >>> frame = pd.DataFrame({"date": pd.bdate_range("2019-05-21", periods=2), "day": [-1, 0]})
    >>> frame = frame.assign(price=[27.60, 26.07], limit_down=[25.45, 24.84], limit_up=[31.11, 30.36])
    >>> ax = plot_timeline(frame.assign(touched=[0, -1], closed=0), currency="CNY")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Close', 'Event session', 'Daily price limits', 'Lower limit touched']
    """
    columns = ["date", "day", "price", "limit_down", "limit_up", "touched", "closed"]
    need(frame, "plot_timeline", columns)
    frame = frame.sort_values("date")
    ax = new_axes(ax)
    dates, price = frame["date"], frame["price"].to_numpy(float)
    suspended(ax, dates, price)
    ax.plot(dates, price, **styled(Line2D, kwargs, color=hue(0), marker=".", label="Close", zorder=3))
    for i, date in enumerate(dates[frame["day"] == 0]):
        mark_event(ax, date)
        ax.lines[-1].set_label("_event" if i else "Event session")
    limits = frame[["limit_down", "limit_up"]].to_numpy(float)
    if not np.isnan(limits).all():
        for side, label in ((0, "Daily price limits"), (1, "_upper")):
            ax.plot(
                dates,
                limits[:, side],
                color=ink(ax),
                alpha=0.6,
                linewidth=0.8,
                linestyle=":",
                drawstyle="steps-mid",
                label=label,
                zorder=2,
            )
    touched, closed = frame["touched"].to_numpy(int), frame["closed"].to_numpy(int)
    for side, marker, word in SIDES:
        at = limits[:, 0 if side < 0 else 1]
        only = (touched == side) & (closed != side)
        name = "Lower" if word == "down" else "Upper"
        for mask, face, told in (
            (only, "none", f"{name} limit touched"),
            (closed == side, hue(1), f"Closed limit-{word}"),
        ):
            if mask.any():
                ax.plot(
                    dates[mask],
                    np.where(np.isnan(at), price, at)[mask],
                    marker=marker,
                    markersize=8,
                    markeredgewidth=1.5,
                    markerfacecolor=face,
                    markeredgecolor=hue(1),
                    linestyle="none",
                    label=told,
                    zorder=4,
                )
    date_scale(ax)
    ax.set_ylabel("Price" if currency is None else f"Price ({currency})")
    handles, labels = ax.get_legend_handles_labels()
    if "Suspended" in labels:
        # Behind the lines on the axes, and after them in the legend.
        handles, labels = [*handles[1:], handles[0]], [*labels[1:], labels[0]]
    legend_above(ax, handles, labels, title)
    return ax
