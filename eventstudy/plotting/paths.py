"""Cumulative abnormal returns over event time, of single events and of averages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plotting._base import (
    colours,
    count_days,
    hue,
    ink,
    interval,
    mark_event,
    need,
    new_axes,
    percent_scale,
    plain,
)

__all__ = ["count_events", "plot_caar", "plot_car"]

#: More lines than this cannot be told apart; they are drawn as one bundle.
MOST_LINES = 10
#: The bands of more lines than this would cover one another.
MOST_BANDS = 3
MARKERS = "osD^vPX<>*"


def plot_car(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    palette: str | Sequence[str] = "colorblind",
) -> Axes:
    """Draw cumulative abnormal returns with their confidence band.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day`` (sessions relative to the event), ``car``, ``ci_low`` and ``ci_high``
        (decimals), and optionally ``event``, one line for each. NaN is drawn as a gap. Bands
        are drawn for up to three events; more than ten become a bundle of thin lines.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    palette : str or sequence of colours, optional
        Colours of the events.

    Returns
    -------
    Axes

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_car
    >>> path = pd.DataFrame({"day": [-1, 0, 1], "car": [0.0, -0.05, -0.1]})
    >>> ax = plot_car(path.assign(ci_low=path.car - 0.03, ci_high=path.car + 0.03))
    >>> ax.get_ylabel()
    'Cumulative abnormal return'
    """
    need(frame, "plot_car", ["day", "car", "ci_low", "ci_high"])
    lines = _split(frame, "event")
    ax = _draw(lines, "car", "CAR", new_axes(ax), level, palette)
    ax.set_ylabel("Cumulative abnormal return")
    if title is not None:
        ax.set_title(title)
    return ax


def plot_caar(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    palette: str | Sequence[str] = "colorblind",
) -> Axes:
    """Draw cumulative average abnormal returns with their confidence band.

    Parameters
    ----------
    frame : DataFrame
        Columns ``day``, ``caar``, ``ci_low``, ``ci_high`` (decimals) and ``n_events``, and
        optionally ``group``, one line for each. NaN is drawn as a gap. Bands are drawn for up to
        three groups.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    palette : str or sequence of colours, optional
        Colours of the groups.

    Returns
    -------
    Axes
        The legend gives the number of events behind each line.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_caar
    >>> path = pd.DataFrame({"day": [-1, 0, 1], "caar": [0.0, -0.05, -0.1], "n_events": 7})
    >>> ax = plot_caar(path.assign(ci_low=path.caar - 0.03, ci_high=path.caar + 0.03))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['CAAR, 7 events', '95% interval']
    """
    need(frame, "plot_caar", ["day", "caar", "ci_low", "ci_high", "n_events"])
    lines = {
        name if name is None else f"{name}, {count_events(part)}": part
        for name, part in _split(frame, "group").items()
    }
    ax = _draw(lines, "caar", f"CAAR, {count_events(frame)}", new_axes(ax), level, palette)
    ax.set_ylabel("Cumulative average abnormal return")
    if title is not None:
        ax.set_title(title)
    return ax


def _split(frame: pd.DataFrame, by: str) -> dict[str | None, pd.DataFrame]:
    if by not in frame.columns:
        return {None: frame.sort_values("day")}
    return {str(name): part.sort_values("day") for name, part in frame.groupby(by, sort=False, observed=True)}


def count_events(part: pd.DataFrame) -> str:
    """Tell the number of events behind a path, or the fewest and the most."""
    fewest, most = int(part["n_events"].min()), int(part["n_events"].max())
    number = str(most) if fewest == most else f"{fewest} to {most}"
    return f"{number} event" if number == "1" else f"{number} events"


def _draw(
    lines: dict[str | None, pd.DataFrame],
    column: str,
    alone: str,
    ax: Axes,
    level: float,
    palette: str | Sequence[str],
) -> Axes:
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    mark_event(ax)
    if len(lines) > MOST_LINES:
        for i, part in enumerate(lines.values()):
            label = f"_{i}" if i else f"{len(lines)} lines"
            ax.plot(part["day"], part[column], color=hue(0), linewidth=0.8, alpha=0.5, label=label)
        ax.legend()
    else:
        _draw_named(lines, column, alone, ax, level, palette)
    count_days(ax)
    percent_scale(ax.yaxis)
    return ax


def _draw_named(
    lines: dict[str | None, pd.DataFrame],
    column: str,
    alone: str,
    ax: Axes,
    level: float,
    palette: str | Sequence[str],
) -> None:
    single = len(lines) == 1
    band = interval(level)
    hues = [hue(0)] if None in lines else colours(palette, len(lines))
    for (name, part), colour, marker in zip(lines.items(), hues, MARKERS, strict=False):
        days, values = part["day"].to_numpy(), part[column].to_numpy(float)
        ax.plot(days, values, color=colour, marker=marker, markersize=4, label=name or alone, zorder=3)
        if len(lines) > MOST_BANDS:
            continue
        low, high = part["ci_low"].to_numpy(float), part["ci_high"].to_numpy(float)
        ax.fill_between(
            days,
            low,
            high,
            color=colour,
            alpha=0.2 if single else 0.12,
            linewidth=0,
            label=band if single else "_band",
            zorder=2,
        )
        # A day between two gaps has no area to fill.
        lonely = _lonely(values)
        ax.vlines(days[lonely], low[lonely], high[lonely], color=colour, alpha=0.4, label="_interval")
    if single:
        legend = ax.legend()
    else:
        heading = f"Bands: {band}s" if len(lines) <= MOST_BANDS else None
        legend = ax.legend(title=heading, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    plain(legend.get_texts())


def _lonely(values: np.ndarray) -> np.ndarray:
    """Mask the values whose neighbours on both sides are missing."""
    gap = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
    lonely: np.ndarray = gap[:-2] & ~gap[1:-1] & gap[2:]
    return lonely
