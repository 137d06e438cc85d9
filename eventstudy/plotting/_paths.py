"""Paths over event time, of single events and of averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.plotting._base import (
    MARKERS,
    colours,
    count_days,
    ink,
    interval,
    legend_above,
    mark_event,
    mark_zero,
    minus,
    next_hue,
    percent,
    percent_scale,
    styled,
)

__all__ = ["Headline", "count_events", "draw_paths", "legend_paths", "mark_headline", "split"]

#: More lines than this cannot be told apart; they are drawn as one bundle.
MOST_LINES = 10
#: The bands of more lines than this would cover one another.
MOST_BANDS = 3
#: First and last day of a window, and its CAR.
Headline = tuple[int, int, float]


def split(frame: pd.DataFrame, by: str) -> dict[str | None, pd.DataFrame]:
    """Return the lines of a frame by name, in the order of their days; None names the only line."""
    if by not in frame.columns:
        return {None: frame.sort_values("day")}
    return {str(name): part.sort_values("day") for name, part in frame.groupby(by, sort=False, observed=True)}


def count_events(part: pd.DataFrame) -> str:
    """Write the number of events behind a path, or the fewest and the most of a day with any."""
    seen = part.loc[part["n_events"] > 0, "n_events"]
    fewest, most = (int(seen.min()), int(seen.max())) if len(seen) else (0, 0)
    number = str(most) if fewest == most else f"{fewest} to {most}"
    return f"{number} event" if number == "1" else f"{number} events"


def draw_paths(
    lines: dict[str | None, pd.DataFrame],
    column: str,
    alone: str,
    ax: Axes,
    level: float,
    palette: str | Sequence[str],
    kwargs: dict[str, Any],
) -> Axes:
    """Draw lines with their bands, beside those the axes hold; `kwargs` are properties of the lines."""
    mark_zero(ax)
    mark_event(ax)
    if len(lines) > MOST_LINES:
        colour = next_hue(ax)
        for i, part in enumerate(lines.values()):
            label = f"_{i}" if i else f"{len(lines)} lines"
            style = styled(Line2D, kwargs, color=colour, linewidth=0.8, alpha=0.5, label=label)
            ax.plot(part["day"], part[column], **style)
    else:
        hues = [next_hue(ax)] if None in lines else colours(palette, len(lines))
        taken = sum(str(line.get_marker()) in MARKERS for line in ax.lines)
        for i, ((name, part), colour) in enumerate(zip(lines.items(), hues, strict=True)):
            marker = MARKERS[(taken + i) % len(MARKERS)]
            style = {"color": colour, "marker": marker, "markersize": 4, "zorder": 3, "label": name or alone}
            days = part["day"].to_numpy()
            (line,) = ax.plot(days, part[column].to_numpy(float), **styled(Line2D, kwargs, **style))
            if len(lines) <= MOST_BANDS:
                _band(ax, part, column, line.get_color(), 0.2 if len(lines) == 1 else 0.12, interval(level))
        days = np.unique(np.concatenate([part["day"].to_numpy() for part in lines.values()]))
        if len(days) == 1:
            ax.set_xlim(days[0] - 1.5, days[0] + 1.5)
    count_days(ax)
    percent_scale(ax.yaxis)
    return ax


def _band(ax: Axes, part: pd.DataFrame, column: str, colour: Any, alpha: float, label: str) -> None:
    days, values = part["day"].to_numpy(), part[column].to_numpy(float)
    low, high = part["ci_low"].to_numpy(float), part["ci_high"].to_numpy(float)
    if not (low < high).any():
        return
    ax.fill_between(days, low, high, color=colour, alpha=alpha, linewidth=0, label=label, zorder=2)
    # A day between two gaps has no area to fill.
    lonely = _lonely(values)
    if lonely.any():
        ax.vlines(days[lonely], low[lonely], high[lonely], color=colour, linewidth=2, label="_bar", zorder=3)
        for end in (low, high):
            ax.plot(days[lonely], end[lonely], "_", color=colour, markersize=12, label="_cap", zorder=3)


def mark_headline(ax: Axes, headline: Headline | None, measure: str) -> None:
    """Shade the days of a window, once, and tell its CAR in the legend, unless several studies share it."""
    if headline is None:
        return
    start, end, value = headline
    window = f"({minus(_day(start))}, {minus(_day(end))})"
    for patch in ax.patches:
        if patch.get_gid() == window:
            patch.set_label(f"Window {window}")
            return
    told = f"Window {window}" if np.isnan(value) else f"{measure} {window}: {percent(value)}"
    span = ax.axvspan(start - 0.5, end + 0.5, facecolor=ink(ax), alpha=0.1, linewidth=0, zorder=0, label=told)
    span.set_gid(window)


def _day(day: int) -> str:
    return f"{day:+d}" if day else "0"


def legend_paths(ax: Axes, level: float, title: str | None) -> None:
    """Name the lines above the axes; the bands of several in one place."""
    told = sorted(
        zip(*ax.get_legend_handles_labels(), strict=True), key=lambda pair: not isinstance(pair[0], Line2D)
    )
    band, heading = interval(level), None
    if sum(isinstance(handle, Line2D) for handle, _ in told) > 1:
        heading = f"Bands: {band}s" if band in (label for _, label in told) else None
        told = [pair for pair in told if pair[1] != band]
    handles, labels = [handle for handle, _ in told], [label for _, label in told]
    legend_above(ax, handles, labels, title or ax.get_title() or None, heading=heading)


def _lonely(values: np.ndarray) -> np.ndarray:
    """Mask the values whose neighbours on both sides are missing."""
    gap = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
    lonely: np.ndarray = gap[:-2] & ~gap[1:-1] & gap[2:]
    return lonely
