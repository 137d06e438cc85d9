"""What every figure shares: axes, percent scales, the event day and the colours of lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import cbook
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, PercentFormatter

from eventstudy.errors import RequestError

__all__ = [
    "DASHES",
    "DAY_LABEL",
    "MARKERS",
    "PercentTicks",
    "colours",
    "count_days",
    "date_scale",
    "hue",
    "ink",
    "interval",
    "legend_above",
    "mark_event",
    "minus",
    "name_rows",
    "need",
    "new_axes",
    "percent",
    "percent_scale",
    "plain",
    "styled",
    "suspended",
    "wrapped",
]

DAY_LABEL = "Sessions relative to the event day"
#: What tells lines apart beside their colours.
MARKERS = "osD^vPX<>*"
DASHES = ("-", "--", "-.", ":")
#: Height of a named row, and of what stands above and below the rows, in inches.
ROW, HEADROOM = 0.25, 1.4
#: Letters at which the name of a row is wrapped.
WIDTH = 36
HALF_DAY = pd.Timedelta(hours=12)


class PercentTicks(PercentFormatter):
    """Tick labels of decimals in percent, with the minus sign the user's rcParams ask for."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def format_pct(self, x: float, display_range: float) -> str:
        """Write one tick."""
        return self.fix_minus(super().format_pct(x, display_range))


def styled(artist: type[Artist], kwargs: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return the properties of an artist, those of the user (by name or alias) over the defaults."""
    return defaults | cbook.normalize_kwargs(kwargs, artist)


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


def new_axes(ax: Axes | None, rows: Sequence[str] = ()) -> Axes:
    """Return `ax`, or the axes of a new figure that makes room for its own labels and named `rows`."""
    if ax is not None:
        return ax
    figure, created = plt.subplots(layout="constrained")
    lines = max((name.count("\n") for name in rows), default=0)
    height = HEADROOM + ROW * len(rows) * (1 + lines / 2)
    figure.set_figheight(max(figure.get_figheight(), height))
    return created


def plain(texts: Iterable[Text]) -> None:
    """Show texts that come from data as they are, dollars included."""
    for text in texts:
        text.set_parse_math(False)


def wrapped(names: Iterable[object]) -> list[str]:
    """Wrap the names of rows."""
    return [fill(str(name), WIDTH) for name in names]


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name the rows 0, 1, ... of the y axis, the first on top."""
    ax.set_yticks(range(len(names)), names, fontsize="small", linespacing=0.95)
    plain(ax.get_yticklabels())
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(False, axis="y")


def date_scale(ax: Axes) -> None:
    """Write the dates along the x axis as briefly as they allow."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


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


def suspended(ax: Axes, dates: pd.Series[pd.Timestamp], price: np.ndarray) -> None:
    """Shade the sessions without a price."""
    missing = np.concatenate([[False], np.isnan(price), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1])
    for i, (first, after) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        ax.axvspan(
            dates.iloc[first] - HALF_DAY,
            dates.iloc[after - 1] + HALF_DAY,
            facecolor=ink(ax),
            alpha=0.1,
            linewidth=0,
            label="_suspended" if i else "Suspended",
            zorder=0,
        )


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
    plain(legend.get_texts())
    if title is not None:
        row = FontProperties(size="small").get_size_in_points() * (1 + mpl.rcParams["legend.labelspacing"])
        ax.set_title(title, pad=mpl.rcParams["axes.titlepad"] + 4 + row * math.ceil(len(labels) / columns))


def hue(number: int) -> tuple[float, float, float]:
    """Return a colour of the palette in force now; one named C0 would be looked up when a figure is shown."""
    return to_rgb(f"C{number}")


def colours(palette: str | Sequence[str], n: int) -> list[tuple[float, float, float]]:
    """Return `n` colours of a seaborn palette."""
    return list(sns.color_palette(palette, n))
