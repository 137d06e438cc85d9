"""How often tests reject: size by test, power by effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plotting._base import (
    colours,
    ink,
    interval,
    legend_above,
    name_rows,
    need,
    new_axes,
    percent_scale,
)

__all__ = ["plot_power", "plot_size"]

MARKERS = "osD^v<>P"
DASHES = ("-", "--", "-.", ":")


def plot_size(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.05,
    palette: str | Sequence[str] = "colorblind",
) -> Axes:
    """Draw how often each test rejects a true null, with its interval, one row a test.

    Parameters
    ----------
    frame : DataFrame
        Columns ``test``, ``rate``, ``ci_low`` and ``ci_high`` (shares), and optionally ``model``, which
        then has a colour each.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    level : float, default 0.05
        Nominal size, drawn as a dashed line.
    palette : str or sequence of colours, optional

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
    >>> from eventstudy.plotting import plot_size
    >>> frame = pd.DataFrame({"test": ["bmp", "grank_t"], "rate": [0.31, 0.05]})
    >>> ax = plot_size(frame.assign(ci_low=frame.rate - 0.01, ci_high=frame.rate + 0.01))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bmp', 'grank_t']
    """
    need(frame, "plot_size", ["test", "rate", "ci_low", "ci_high"])
    tests = list(dict.fromkeys(frame["test"]))
    models = list(dict.fromkeys(frame["model"])) if "model" in frame else [None]
    ax = new_axes(ax, tests)
    ax.axvline(level, color=ink(ax), linestyle="--", linewidth=1, zorder=1, label=f"Nominal {level:.0%}")
    hues = colours(palette, len(models))
    for i, model in enumerate(models):
        rows = frame if model is None else frame[frame["model"] == model]
        rate = rows["rate"].to_numpy(float)
        shift = 0.5 * ((i + 0.5) / len(models) - 0.5)
        ax.errorbar(
            rate,
            [tests.index(test) + shift for test in rows["test"]],
            xerr=[rate - rows["ci_low"].to_numpy(float), rows["ci_high"].to_numpy(float) - rate],
            fmt=MARKERS[i % len(MARKERS)],
            color=hues[i],
            markersize=5,
            label=f"Rate and {interval(0.95)}" if model is None else str(model),
            zorder=3,
        )
    name_rows(ax, tests)
    ax.set_xlim(0, max(1.05 * float(np.nanmax(frame["ci_high"])), 2 * level))
    percent_scale(ax.xaxis)
    ax.set_xlabel("True nulls rejected")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax


def plot_power(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.05,
    palette: str | Sequence[str] = "colorblind",
) -> Axes:
    """Draw how often tests reject, by the size of the effect.

    Parameters
    ----------
    frame : DataFrame
        Columns ``shift`` (effect, decimal) and ``rate`` (share), and optionally ``ci_low`` and
        ``ci_high``, ``test`` (a colour each) and ``model`` (a line style each).
    ax : Axes, optional
    title : str, optional
    level : float, default 0.05
        Nominal size, drawn as a dotted line.
    palette : str or sequence of colours, optional

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
    >>> from eventstudy.plotting import plot_power
    >>> ax = plot_power(pd.DataFrame({"shift": [0.0, 0.01, 0.02], "rate": [0.05, 0.6, 0.99]}))
    >>> ax.get_ylabel()
    'Rejected'
    """
    need(frame, "plot_power", ["shift", "rate"])
    ax = new_axes(ax)
    keys = [name for name in ("test", "model") if name in frame]
    several = [name for name in keys if len(set(frame[name])) > 1]
    tests = list(dict.fromkeys(frame["test"])) if "test" in frame else [None]
    models = list(dict.fromkeys(frame["model"])) if "model" in frame else [None]
    hues = colours(palette, len(tests))
    for i, test in enumerate(tests):
        for j, model in enumerate(models):
            chosen = pd.Series(True, frame.index)
            for name, value in (("test", test), ("model", model)):
                if value is not None:
                    chosen &= frame[name] == value
            line = frame[chosen].sort_values("shift")
            if line.empty:
                continue
            parts = [str(value) for name, value in (("test", test), ("model", model)) if name in several]
            ax.plot(
                line["shift"],
                line["rate"],
                color=hues[i],
                linestyle=DASHES[j % len(DASHES)],
                marker=MARKERS[i % len(MARKERS)],
                markersize=4,
                label=", ".join(parts) or (str(test) if test is not None else "Power"),
            )
            if {"ci_low", "ci_high"} <= set(line):
                ax.fill_between(
                    line["shift"].to_numpy(float),
                    line["ci_low"].to_numpy(float),
                    line["ci_high"].to_numpy(float),
                    color=hues[i],
                    alpha=0.15,
                    linewidth=0,
                )
    ax.axhline(level, color=ink(ax), linestyle=":", linewidth=1, zorder=1, label="_nominal")
    ax.set_ylim(0, 1.02)
    percent_scale(ax.xaxis)
    percent_scale(ax.yaxis)
    ax.set(xlabel="Abnormal return added to day 0", ylabel="Rejected")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax
