"""What every figure shares: axes, percent scales, the event day and the colours of lines."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import fill, shorten
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import cbook
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import Formatter, MaxNLocator, PercentFormatter

from eventstudy.errors import RequestError

__all__ = [
    "DASHES",
    "DAY_LABEL",
    "LETTER",
    "MARKERS",
    "MORE",
    "MOST_NAMES",
    "PercentTicks",
    "colours",
    "count_days",
    "date_scale",
    "drawn",
    "half_session",
    "hue",
    "ink",
    "interval",
    "lay_out",
    "legend_above",
    "long_date",
    "mark_event",
    "mark_zero",
    "minus",
    "name_places",
    "name_rows",
    "need",
    "new_axes",
    "next_hue",
    "percent",
    "percent_scale",
    "plain",
    "styled",
    "suspended",
    "wrapped",
    "write_title",
]

DAY_LABEL = "Sessions relative to the event day"
#: What tells lines apart beside their colours.
MARKERS = "osD^vPX<>*"
DASHES = ("-", "--", "-.", ":")
#: Least height of a named row, what stands above and below the rows, and the gap between names, in inches.
ROW, HEADROOM, BETWEEN = 0.25, 1.4, 0.08
#: Height of very few rows in inches, and that of a few, in units of what they need.
FEW_ROWS, AMPLE = 1.2, 1.6
#: More rows than this are drawn without names.
MOST_NAMES = 40
#: Letters at which the name of a row, and an entry of a legend, is wrapped, and the fewest of a line.
WIDTH, LEGEND_WIDTH, LEAST = 36, 60, 12
MORE = "\N{HORIZONTAL ELLIPSIS}"
#: Up to so many rows, lines that a name may have; one beyond.
LINES = ((8, 5), (15, 3), (24, 2))
#: Width that a date takes up with the space beside it, in units of the font size.
DATE = 4.5
#: Width of a letter in units of the font size, and the share of a figure that names take up at most.
LETTER, SHARE = 0.52, 0.35
#: Height of a line of a name in units of the font size, and the smallest size that can be read, in points.
LINE, SMALLEST = 1.3, 4.0


class PercentTicks(PercentFormatter):
    """Tick labels of decimals in percent, with the minus sign the user's rcParams ask for.

    No more decimals than the ticks of an axis need.
    """

    def __init__(self) -> None:
        super().__init__(1.0)

    def format_ticks(self, values: list[float]) -> list[str]:
        """Write all ticks of an axis."""
        shares = 100 * np.asarray(values, dtype=float)
        exact = (n for n in range(4) if np.allclose(shares, np.round(shares, n), rtol=0, atol=1e-6))
        self.decimals = next(exact, None) if len(values) > 1 else None
        try:
            return super().format_ticks(values)
        finally:
            self.decimals = None

    def format_pct(self, x: float, display_range: float) -> str:
        """Write one tick."""
        return self.fix_minus(super().format_pct(x, display_range))


class DateSpots(mdates.AutoDateLocator):
    """Dates at which ticks stand; on a narrow axis of one to three years January and July."""

    def get_locator(self, dmin: datetime, dmax: datetime) -> Any:
        """Choose the interval of the ticks."""
        with warnings.catch_warnings():
            # Six months are too short an interval for it, and the longest it knows; they fit.
            warnings.filterwarnings("ignore", "AutoDateLocator was unable to pick")
            return super().get_locator(dmin, dmax)  # type: ignore[no-untyped-call]


class DateTicks(Formatter):
    """Dates that name their month, with the year below the first tick and where it changes."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write one date in full."""
        return long_date(mdates.num2date(x))  # type: ignore[no-untyped-call]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write all ticks of an axis."""
        dates = [mdates.num2date(value) for value in values]  # type: ignore[no-untyped-call]
        if any((date.hour, date.minute, date.second) != (0, 0, 0) for date in dates):
            return _below_where_new([f"{d:%H:%M}" for d in dates], [f"{d.day} {d:%b %Y}" for d in dates])
        if all((date.month, date.day) == (1, 1) for date in dates):
            return [f"{date:%Y}" for date in dates]
        monthly = all(date.day == 1 for date in dates)
        names = [f"{date:%b}" if monthly else f"{date.day} {date:%b}" for date in dates]
        return _below_where_new(names, [f"{date:%Y}" for date in dates])


class SharpFigure(Figure):
    """A figure that notebooks show with twice the pixels, as on paper and on sharp screens.

    Where the user has chosen a format (``%config InlineBackend.figure_formats``), that one is shown.
    """

    def _ipython_display_(self) -> None:
        backend = getattr(sys.modules.get("matplotlib_inline.config"), "InlineBackend", None)
        if backend is None or not backend.initialized() or backend.instance().figure_formats != {"png"}:
            raise NotImplementedError  # IPython then shows it as any figure
        draw = sys.modules["IPython.core.pylabtools"].retina_figure
        drawn = draw(self, base64=True, **backend.instance().print_figure_kwargs)
        if drawn is None:
            raise NotImplementedError  # an empty figure
        image, size = drawn
        shown = {"image/png": image, "text/plain": repr(self)}
        sys.modules["IPython.display"].publish_display_data(shown, {"image/png": size})


def _below_where_new(names: Sequence[str], seconds: Sequence[str]) -> list[str]:
    """Put a second line below the first name, and below those with another second line than before."""
    before = ["", *seconds[:-1]]
    return [
        name if second == last else f"{name}\n{second}"
        for name, second, last in zip(names, seconds, before, strict=True)
    ]


def long_date(date: datetime) -> str:
    """Write a day, such as ``22 May 2019``."""
    return f"{date.day} {date:%b %Y}"


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
        if not isinstance(ax, Axes):
            raise RequestError(f"ax must be Axes of matplotlib, as plt.subplots() returns them; got {ax!r}.")
        return ax
    figure, created = plt.subplots(layout="constrained", FigureClass=SharpFigure)
    if rows:
        lines = 1 + max(name.count("\n") for name in rows)
        around = HEADROOM * max(1.0, FontProperties(size="medium").get_size_in_points() / 10)
        least = len(rows) * max(ROW, lines * LINE * _row_size() / 72 + BETWEEN)
        ample = around + max(FEW_ROWS, AMPLE * least)
        figure.set_figheight(max(around + least, min(figure.get_figheight(), ample)))
    return created


def _row_size() -> float:
    """Return the font size of the names of rows, in points."""
    return FontProperties(size="small").get_size_in_points()


def lay_out(ax: Axes) -> None:
    """Arrange a figure that makes room for its own labels, so its axes have their final size."""
    figure = ax.get_figure(root=True)
    engine = None if figure is None else figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)  # type: ignore[arg-type]


def plain(texts: Iterable[Text]) -> None:
    """Show texts that come from data as they are, dollars included."""
    for text in texts:
        text.set_parse_math(False)


def wrapped(names: Iterable[object], lines: int | None = None, width: int = WIDTH) -> list[str]:
    """Wrap names on at most so many lines; what ends a long one in parentheses has a line to itself.

    By default, the more rows there are, the fewer lines a name has; what it loses is an ellipsis.
    """
    texts = [str(name) for name in names]
    lines = lines or next((n for most, n in LINES if len(texts) <= most), 1)
    width = width if lines > 1 else int(1.4 * width)
    out = []
    for name in texts:
        head, opening, tail = name.rpartition(" (")
        if len(name) <= width or not (opening and name.endswith(")")):
            out.append(fill(name, width, max_lines=lines, placeholder=MORE))
        elif lines > 1:
            head = fill(head, width, max_lines=lines - 1, placeholder=MORE)
            out.append(f"{head}\n{shorten('(' + tail, width, placeholder=MORE + ')')}")
        else:
            room = max(8, width - len(tail) - 2)
            out.append(f"{shorten(head, room, placeholder=MORE)} ({tail}")
    return out


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name the rows 0, 1, ... of the y axis, the first on top."""
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(False, axis="y")
    name_places(ax, range(len(names)), names)


def name_places(ax: Axes, places: Iterable[float], names: Sequence[str]) -> None:
    """Name evenly spaced places of the y axis, on fewer lines and in a smaller font where they are close.

    Where no size is legible, count them.
    """
    ax.set_yticks(list(places), names, fontsize="small", linespacing=1.1)
    plain(ax.get_yticklabels())
    lay_out(ax)
    lines = 1 + max(name.count("\n") for name in names)
    room = ax.get_window_extent().height * 72 / ax.figure.dpi / len(names)
    size = _row_size()
    if room < lines * LINE * size and lines > 1:
        lines = max(1, int(room / (LINE * size)))
        width = int(SHARE * ax.figure.bbox.width * 72 / ax.figure.dpi / (LETTER * size))
        ax.set_yticklabels(wrapped([" ".join(name.splitlines()) for name in names], lines, min(WIDTH, width)))
        plain(ax.get_yticklabels())
        lay_out(ax)
    if room < lines * LINE * SMALLEST:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(names)} rows")
    elif room < lines * LINE * size:
        ax.tick_params(axis="y", labelsize=room / (lines * LINE))
        lay_out(ax)


def date_scale(ax: Axes) -> None:
    """Write the dates along the x axis, each with its month."""
    size = FontProperties(size=mpl.rcParams["xtick.labelsize"]).get_size_in_points()
    width = ax.get_window_extent().width * 72 / ax.figure.dpi
    most = int(np.clip(width / (DATE * size), 3, 8))
    ax.xaxis.set_major_locator(DateSpots(minticks=3, maxticks=most))  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(DateTicks())


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
    """Draw the event day as a dashed vertical line, once."""
    if not drawn(ax, "_event day") or at != 0:
        ax.axvline(at, color=ink(ax), linestyle="--", linewidth=1, zorder=1, label="_event day")  # type: ignore[arg-type]


def mark_zero(ax: Axes) -> None:
    """Draw the line of no effect, once."""
    if not drawn(ax, "_zero"):
        ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")


def drawn(ax: Axes, label: str) -> bool:
    """Whether the axes hold a line of this label already."""
    return any(artist.get_label() == label for artist in ax.lines)


def next_hue(ax: Axes) -> tuple[float, float, float]:
    """Return the colour after those of the labelled lines and bars that the axes hold."""
    labels = [line.get_label() for line in ax.lines] + [bars.get_label() for bars in ax.containers]
    return hue(sum(not str(label).startswith("_") for label in labels))


def half_session(dates: pd.Series[pd.Timestamp]) -> pd.Timedelta:
    """Return half a day, or of moments within days half the shortest time between two."""
    days = pd.DatetimeIndex(dates).dropna().unique().sort_values()
    if (days == days.normalize()).all():
        return pd.Timedelta(hours=12)
    return pd.Timedelta(days.to_series().diff().min()) / 2


def suspended(ax: Axes, dates: pd.Series[pd.Timestamp], price: np.ndarray) -> None:
    """Shade the sessions without a price."""
    half = half_session(dates)
    missing = np.concatenate([[False], np.isnan(price), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1])
    for i, (first, after) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        ax.axvspan(
            dates.iloc[first] - half,
            dates.iloc[after - 1] + half,
            facecolor=ink(ax),
            alpha=0.1,
            linewidth=0,
            label="_suspended" if i else "Suspended",
            zorder=0,
        )


def legend_above(
    ax: Axes,
    handles: Sequence[Artist],
    labels: Sequence[str],
    title: str | None,
    heading: str | None = None,
    columns: int = 2,
) -> None:
    """Put the legend between the title and the axes, where it covers no data."""
    _wrap_labels(ax)
    labels = [label if "\n" in label or columns == 1 else fill(label, LEGEND_WIDTH) for label in labels]
    box = ax.get_window_extent()
    # Axes grow by about a tenth once their figure is laid out.
    room = min(1.1 * box.width, ax.figure.bbox.x1 - box.x0)
    for ncols in range(columns, 0, -1):
        legend = ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=ncols,
            frameon=False,
            fontsize="small",
            borderaxespad=0.2,
            columnspacing=1.2,
            title=heading,
            title_fontsize="small",
            alignment="left",
        )
        if legend.get_window_extent().width < room:
            break
    plain(legend.get_texts())
    letters = max((len(line) for label in labels for line in label.splitlines()), default=0)
    while letters > LEAST and (width := legend.get_window_extent().width) > room:
        letters = min(letters - 1, int(letters * room / width))
        for text, label in zip(legend.get_texts(), labels, strict=True):
            text.set_text(fill(" ".join(label.split()), letters))
    if title is not None:
        height = legend.get_window_extent().height * 72 / ax.figure.dpi
        write_title(ax, title, pad=mpl.rcParams["axes.titlepad"] + height + 0.3 * _row_size())


def _wrap_labels(ax: Axes) -> None:
    """Wrap labels of the axes that would reach over an edge of the figure."""
    box, whole = ax.get_window_extent(), ax.figure.bbox
    for label, middle, ends, size in (
        (ax.xaxis.label, (box.x0 + box.x1) / 2, (whole.x0, whole.x1), np.inf),
        # A legend and a title above make the axes lower.
        (ax.yaxis.label, (box.y0 + box.y1) / 2, (whole.y0, whole.y1), 1.1 * box.height),
    ):
        extent = label.get_window_extent()
        long = extent.width if label is ax.xaxis.label else extent.height
        room = min(2 * min(middle - ends[0], ends[1] - middle), size)
        text = label.get_text()
        # Names on several lines were given their room before.
        kept = label is ax.xaxis.label and any("\n" in name.get_text() for name in ax.get_yticklabels())
        if long > room and "\n" not in text and not kept:
            label.set_text(fill(text, max(LEAST, int(len(text) * room / long))))


def write_title(ax: Axes, title: str, **kwargs: Any) -> None:
    """Write the title of axes, on as many lines as it needs."""
    text = ax.set_title(title, **kwargs)
    if text.get_window_extent().width > 0.7 * ax.get_window_extent().width:
        lay_out(ax)
    figure, box = ax.figure, ax.get_window_extent()
    room = 1.05 * box.width
    if len(figure.axes) == 1:
        centre = (box.x0 + box.x1) / 2
        room = 2 * min(centre - figure.bbox.x0, figure.bbox.x1 - centre) - 4 * BETWEEN * figure.dpi
    letters = max(map(len, title.splitlines()), default=0)
    while letters > LEAST and text.get_window_extent().width > room:
        letters = min(letters - 1, int(letters * room / text.get_window_extent().width))
        text.set_text("\n".join(fill(line, max(LEAST, letters)) for line in title.splitlines()))


def hue(number: int) -> tuple[float, float, float]:
    """Return a colour of the palette in force now; one named C0 would be looked up when a figure is shown."""
    return to_rgb(f"C{number}")


def colours(palette: str | Sequence[str], n: int) -> list[tuple[float, float, float]]:
    """Return `n` colours of a seaborn palette."""
    # It takes longer to load than pandas, and the first figure can do without it.
    import seaborn as sns

    return list(sns.color_palette(palette, n))
