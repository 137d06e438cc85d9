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
    hue,
    ink,
    interval,
    mark_event,
    percent_scale,
    plain,
    styled,
)

__all__ = ["count_events", "draw_paths", "split"]

#: More lines than this cannot be told apart; they are drawn as one bundle.
MOST_LINES = 10
#: The bands of more lines than this would cover one another.
MOST_BANDS = 3


def split(frame: pd.DataFrame, by: str) -> dict[str | None, pd.DataFrame]:
    """Return the lines of a frame by name, in the order of their days; None names the only line."""
    if by not in frame.columns:
        return {None: frame.sort_values("day")}
    return {str(name): part.sort_values("day") for name, part in frame.groupby(by, sort=False, observed=True)}


def count_events(part: pd.DataFrame) -> str:
    """Write the number of events behind a path, or the fewest and the most."""
    fewest, most = int(part["n_events"].min()), int(part["n_events"].max())
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
    """Draw lines with their bands; `kwargs` are properties of the lines."""
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    mark_event(ax)
    if len(lines) > MOST_LINES:
        for i, part in enumerate(lines.values()):
            label = f"_{i}" if i else f"{len(lines)} lines"
            style = styled(Line2D, kwargs, color=hue(0), linewidth=0.8, alpha=0.5, label=label)
            ax.plot(part["day"], part[column], **style)
        ax.legend()
    else:
        _draw_named(lines, column, alone, ax, level, palette, kwargs)
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
    kwargs: dict[str, Any],
) -> None:
    single = len(lines) == 1
    band = interval(level)
    hues = [hue(0)] if None in lines else colours(palette, len(lines))
    for (name, part), colour, marker in zip(lines.items(), hues, MARKERS, strict=False):
        days, values = part["day"].to_numpy(), part[column].to_numpy(float)
        defaults = {"color": colour, "marker": marker, "markersize": 4, "zorder": 3}
        style = styled(Line2D, kwargs, label=name or alone, **defaults)
        ax.plot(days, values, **style)
        if len(lines) > MOST_BANDS:
            continue
        low, high = part["ci_low"].to_numpy(float), part["ci_high"].to_numpy(float)
        ax.fill_between(
            days,
            low,
            high,
            color=style["color"],
            alpha=0.2 if single else 0.12,
            linewidth=0,
            label=band if single else "_band",
            zorder=2,
        )
        # A day between two gaps has no area to fill.
        lonely = _lonely(values)
        ax.vlines(days[lonely], low[lonely], high[lonely], color=style["color"], alpha=0.4, label="_interval")
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
