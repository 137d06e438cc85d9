"""Power: how often tests reject, by the size of the effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from eventstudy.plotting._base import (
    DASHES,
    MARKERS,
    colours,
    ink,
    legend_above,
    need,
    new_axes,
    percent_scale,
    styled,
)

__all__ = ["plot_power"]

#: A curve of more points than this has no markers.
MOST_MARKERS = 20
#: Over a steeper step in the rate, the effect at the target is not interpolated.
STEEPEST = 0.35


def plot_power(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    alpha: float = 0.05,
    target: float = 0.8,
    palette: str | Sequence[str] = "colorblind",
    **kwargs: Any,
) -> Axes:
    """Draw how often tests reject, by the size of the effect.

    Parameters
    ----------
    frame : DataFrame
        Columns ``shift`` (effect, decimal) and ``rate`` (share), and optionally ``ci_low`` and
        ``ci_high``, ``test`` (a colour each) and ``model`` (a line style each).
    ax : Axes, optional
    title : str, optional
    alpha : float, default 0.05
        Nominal size of the tests, drawn as a dotted line.
    target : float, default 0.8
        Power to mark: a dotted line, and on each curve that reaches it the smallest effect that does.
    palette : str or sequence of colours, optional
    **kwargs
        Properties of the lines, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The effect at `target` is interpolated where the rate of the effect below it is near. Curves of more
        than 20 effects have no markers.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_power
    >>> ax = plot_power(pd.DataFrame({"shift": [0.0, 0.01, 0.02], "rate": [0.05, 0.6, 1.0]}))
    >>> ax.get_ylabel(), ax.get_legend().get_texts()[0].get_text()
    ('Rejected', 'Power, 80% at 1.5%')
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
            label = ", ".join(parts) or (str(test) if test is not None else "Power")
            effect = _reached(line, target)
            style = styled(
                Line2D,
                kwargs,
                color=hues[i],
                linestyle=DASHES[j % len(DASHES)],
                marker=MARKERS[i % len(MARKERS)] if len(line) <= MOST_MARKERS else "",
                markersize=4,
                label=label if np.isnan(effect) else f"{label}, {target:.0%} at {effect:.1%}",
            )
            ax.plot(line["shift"], line["rate"], **style)
            if not np.isnan(effect):
                down = {"color": style["color"], "linestyle": ":", "linewidth": 1.2}
                ax.vlines(effect, 0, target, label="_reached", zorder=1, **down)
            if {"ci_low", "ci_high"} <= set(line):
                ax.fill_between(
                    line["shift"].to_numpy(float),
                    line["ci_low"].to_numpy(float),
                    line["ci_high"].to_numpy(float),
                    color=style["color"],
                    alpha=0.15,
                    linewidth=0,
                )
    for rate, label in ((alpha, "_nominal"), (target, "_target")):
        ax.axhline(rate, color=ink(ax), linestyle=":", linewidth=1, zorder=1, label=label)
    ax.set_ylim(0, 1.02)
    percent_scale(ax.xaxis)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    percent_scale(ax.yaxis)
    ax.set(xlabel="Abnormal return added to day 0", ylabel="Rejected")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax


def _reached(line: pd.DataFrame, target: float) -> float:
    """Return the effect nearest zero at which a curve reaches the target, or NaN.

    Of a curve of both signs it is one above zero.
    """
    if (line["shift"] <= 0).all() and (line["shift"] < 0).any():
        return -_reached(line.assign(shift=-line["shift"]).iloc[::-1], target)
    line = line[line["shift"] >= 0].dropna(subset=["rate"])
    shift, rate = line["shift"].to_numpy(float), line["rate"].to_numpy(float)
    above = np.flatnonzero(rate >= target)
    if not len(above) or above[0] == 0 or rate[above[0] - 1] < target - STEEPEST:
        return float("nan")
    at = above[0]
    return float(np.interp(target, rate[at - 1 : at + 1], shift[at - 1 : at + 1]))
