"""The moments of one event day: gap, low, close, against the previous close and the price limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from eventstudy.errors import RequestError
from eventstudy.plotting._base import hue, ink, need, new_axes, percent, percent_scale, styled, write_title

__all__ = ["plot_decomposition"]

BASE = "previous close"
LIMITS = ("limit down", "limit up")
NAMES = {"open": "open\n(overnight gap)"}


def plot_decomposition(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    currency: str | None = None,
    **kwargs: Any,
) -> Axes:
    r"""Draw the prices of one session as changes from the reference price, beside the price limits.

    Parameters
    ----------
    frame : DataFrame
        One row per moment, in order: ``moment`` (``"previous close"``, ``"open"``, ``"low"``,
        ``"high"``, ``"close"``, ``"limit down"``, ``"limit up"``), ``price``, and ``change``
        (decimal, from the reference price).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    currency : str, optional
        Unit of the prices, such as ``"CNY"``.
    **kwargs
        Properties of the bars, as for `matplotlib.axes.Axes.bar`.

    Returns
    -------
    Axes
        Limits, and the previous close, are lines; the other moments are bars. A moment at a limit
        price says so.

    Raises
    ------
    RequestError
        If `frame` lacks a column, has no rows, or names no moment but limits.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_decomposition
    >>> day = pd.DataFrame({"moment": ["previous close", "low", "close", "limit down"]})
    >>> day["price"] = [27.60, 24.84, 26.07, 24.84]
    >>> ax = plot_decomposition(day.assign(change=day.price / 27.60 - 1), currency="CNY")
    >>> [text.get_text() for text in ax.texts[:2]]
    ['= limit down\n24.84\n−10.0%', '26.07\n−5.5%']
    """
    need(frame, "plot_decomposition", ["moment", "price", "change"])
    lines = frame[frame["moment"].isin([BASE, *LIMITS])]
    bars = frame[~frame["moment"].isin([BASE, *LIMITS])]
    if bars.empty:
        raise RequestError("plot_decomposition needs a moment such as 'open', 'low' or 'close' to draw.")
    ax = new_axes(ax)
    limits = lines[lines["moment"] != BASE].dropna(subset=["price"])
    places = np.arange(len(bars))
    shades = [0.95 if moment == "close" else 0.55 for moment in bars["moment"]]
    ax.axhline(0, color=ink(ax), linewidth=1.0, label="_reference", zorder=3)
    drawn = ax.bar(places, bars["change"], **styled(Rectangle, kwargs, width=0.6, color=hue(0), zorder=2))
    for bar, shade in zip(drawn, shades, strict=True):
        bar.set_alpha(kwargs.get("alpha", shade))
    for place, row in zip(places, bars.itertuples(), strict=True):
        price, change = float(row.price), float(row.change)  # type: ignore[arg-type]
        at = [
            name
            for name, limit in zip(limits["moment"], limits["price"], strict=True)
            if np.isclose(price, limit)
        ]
        words = [f"{price:.2f}", percent(change)] if np.isfinite(price) else ["no trade"]
        if at:
            # On the far side of the numbers, where it has a row to itself.
            words.insert(0 if change < 0 else 2, f"= {at[0]}")
        ax.annotate(
            "\n".join(words),
            # At the foot of the bar, where neither a bar nor a limit can run through it.
            xy=(place, 0.0),
            xytext=(0, 4 if change < 0 else -4),
            textcoords="offset points",
            ha="center",
            va="bottom" if change < 0 else "top",
            zorder=4,
        )
    unit = "" if currency is None else f" {currency}"
    for row in lines.dropna(subset=["change"]).itertuples():
        is_limit = row.moment != BASE
        change = float(row.change)  # type: ignore[arg-type]
        ax.axhline(
            change,
            color=hue(1) if is_limit else ink(ax),
            linestyle="--" if is_limit else "-",
            linewidth=1.4 if is_limit else 1.0,
            label=str(row.moment),
            zorder=3,
        )
        ax.annotate(
            f"{row.moment}\n{row.price:.2f}{unit}" + (f"\n{percent(change)}" if change else ""),
            xy=(1.0, change),
            xycoords=ax.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            ha="left",
            va="center",
        )
    percent_scale(ax.yaxis)
    ax.set_xticks(places, [NAMES.get(str(moment), str(moment)) for moment in bars["moment"]])
    ax.set_ylim(*_limits(frame["change"].to_numpy(float), bars["change"].to_numpy(float)))
    ax.set_ylabel("Change from the reference price")
    if title is not None:
        write_title(ax, title)
    return ax


def _limits(changes: np.ndarray, bars: np.ndarray) -> tuple[float, float]:
    """Return ends of the y axis that leave room for the labels at the feet of the bars."""
    told = changes[np.isfinite(changes)]
    low, high = float(told.min(initial=0.0)), float(told.max(initial=0.0))
    span = (high - low) or 0.01
    if (bars < 0).any():
        high = max(high, 0.2 * span)
    if not (bars < 0).all():
        low = min(low, -0.2 * span)
    return low - 0.08 * span, high + 0.08 * span
