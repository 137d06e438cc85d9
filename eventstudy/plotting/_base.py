"""What every figure shares: axes, percent scales, the event day and the colours of lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import MaxNLocator, PercentFormatter

from eventstudy.errors import RequestError

__all__ = [
    "DAY_LABEL",
    "PercentTicks",
    "colours",
    "count_days",
    "ink",
    "interval",
    "legend_above",
    "mark_event",
    "minus",
    "need",
    "new_axes",
    "percent",
    "percent_scale",
]

DAY_LABEL = "Sessions relative to the event day"


class PercentTicks(PercentFormatter):
    """Tick labels of decimals in percent, with the minus sign the user's rcParams ask for."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def format_pct(self, x: float, display_range: float) -> str:
        """Write one tick."""
        return self.fix_minus(super().format_pct(x, display_range))


def need(frame: pd.DataFrame, function: str, columns: Sequence[str]) -> None:
    """Raise a RequestError unless `frame` has rows and all of `columns`."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise RequestError(
            f"{function} needs the columns {list(columns)}; the frame lacks {missing} and "
            f"has {list(frame.columns)}."
        )
    if frame.empty:
        raise RequestError(f"{function} was given a frame without rows; there is nothing to draw.")


def new_axes(ax: Axes | None) -> Axes:
    """Return `ax`, or the axes of a new figure that makes room for its own labels."""
    if ax is not None:
        return ax
    _, created = plt.subplots(layout="constrained")
    return created


def ink(of: Axes) -> Any:
    """Return the colour reference lines are drawn in, seen on light and on dark themes."""
    return of.xaxis.label.get_color()


def percent(value: float, decimals: int = 1) -> str:
    """Write a decimal as a signed percentage, such as ``+1.5%``."""
    return minus(f"{value:+.{decimals}%}")


def interval(level: float) -> str:
    """Name an interval by its level, such as ``95% interval``."""
    return f"{100 * level:g}% interval"


def minus(text: str) -> str:
    """Use the true minus sign where the user's rcParams do."""
    return text.replace("-", "\N{MINUS SIGN}") if mpl.rcParams["axes.unicode_minus"] else text


def percent_scale(axis: Axis) -> None:
    """Show the decimals along `axis` in percent."""
    axis.set_major_formatter(PercentTicks())


def count_days(ax: Axes) -> None:
    """Make the x axis one of relative days: whole ticks and its label."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.set_xlabel(DAY_LABEL)


def mark_event(ax: Axes, at: object = 0) -> None:
    """Draw the event day as a dashed vertical line."""
    ax.axvline(at, color=ink(ax), linestyle="--", linewidth=1, zorder=1, label="_event day")  # type: ignore[arg-type]


def legend_above(ax: Axes, handles: Sequence[Artist], labels: Sequence[str], title: str | None) -> None:
    """Put the legend between the title and the axes, where it covers no data."""
    for columns in (2, 1):
        legend = ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns,
            frameon=False,
            fontsize="small",
            borderaxespad=0.2,
            columnspacing=1.2,
        )
        # Axes grow by about a tenth once their figure is laid out.
        if legend.get_window_extent().width < 1.1 * ax.get_window_extent().width:
            break
    if title is not None:
        row = FontProperties(size="small").get_size_in_points() * (1 + mpl.rcParams["legend.labelspacing"])
        ax.set_title(title, pad=mpl.rcParams["axes.titlepad"] + 4 + row * math.ceil(len(labels) / columns))


def colours(palette: str | Sequence[str], n: int) -> list[tuple[float, float, float]]:
    """Return `n` colours of a seaborn palette."""
    return list(sns.color_palette(palette, n))
