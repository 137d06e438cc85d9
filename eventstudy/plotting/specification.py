"""The specification curve: sorted estimates above, the choices behind each below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from eventstudy.errors import RequestError
from eventstudy.plotting._base import hue, ink, legend_above, need, new_axes, percent_scale, plain, styled

__all__ = ["plot_specification"]

#: Height of a row of the lower panel, and of the upper panel, in inches.
ROW, UPPER = 0.19, 2.6


def plot_specification(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    choices: Sequence[str],
    title: str | None = None,
    **kwargs: Any,
) -> Axes:
    """Draw estimates from the lowest to the highest, with the choices of each specification below.

    Parameters
    ----------
    frame : DataFrame
        One row per specification: ``estimate`` (decimal), ``significant`` (bool), optionally ``ci_low`` and
        ``ci_high`` (an infinite end is drawn as far as the panel goes), and the columns of `choices`.
    ax : Axes, optional
        Axes of a subplot, which are split; by default a new figure with room for the rows.
    choices : sequence of str
        Columns whose values become rows of the lower panel.
    title : str, optional
    **kwargs
        Properties of the estimates, as for `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    Axes
        The upper panel; the lower one is the next axes of the figure.

    Raises
    ------
    RequestError
        If `frame` lacks a column or has no estimate, or `ax` is not a subplot.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_specification
    >>> frame = pd.DataFrame(
    ...     {"estimate": [-0.05, -0.07], "significant": [False, True], "model": ["mean", "market"]}
    ... )
    >>> ax = plot_specification(frame, choices=["model"])
    >>> [label.get_text() for label in ax.figure.axes[1].get_yticklabels()]
    ['market', 'mean']
    """
    need(frame, "plot_specification", ["estimate", "significant", *choices])
    frame = frame.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
    if frame.empty:
        raise RequestError("plot_specification has nothing to draw: no row has an estimate.")
    values = [(name, value) for name in choices for value in dict.fromkeys(frame[name])]
    ax, lower = _panels(ax, len(values) + len(choices))
    place = np.arange(len(frame))
    estimate, significant = frame["estimate"].to_numpy(float), frame["significant"].to_numpy(bool)
    size = float(np.clip(600.0 / len(frame), 1.0, 20.0))
    bounds = _drawn_bounds(frame) if {"ci_low", "ci_high"} <= set(frame) else None
    for mask, colour, label in (
        (~significant, hue(7), "Not significant"),
        (significant, hue(0), "Significant"),
    ):
        if not mask.any():
            continue
        if bounds is not None:
            low, high = bounds[:, mask]
            ax.vlines(place[mask], low, high, color=colour, alpha=0.25, linewidth=0.8)
        told = f"{label} ({mask.sum():,})"
        style = styled(PathCollection, kwargs, s=size, color=colour, zorder=3, linewidth=0)
        ax.scatter(place[mask], estimate[mask], **style)
        # The points of many specifications are too small to tell a colour by.
        ax.plot([], [], color=style["color"], marker="o", markersize=5, linestyle="none", label=told)
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1)
    ax.axhline(
        float(np.median(estimate)), color=ink(ax), linewidth=0.8, linestyle=":", label="Median", zorder=1
    )
    if bounds is not None:
        ax.set_ylim(
            bottom=bounds.min() if np.isneginf(frame["ci_low"]).any() else None,
            top=bounds.max() if np.isposinf(frame["ci_high"]).any() else None,
        )
    percent_scale(ax.yaxis)
    ax.set_ylabel("Abnormal return")
    ax.tick_params(labelbottom=False)
    row, names, rows = 0.0, [], []
    for name in choices:
        for value in sorted(dict.fromkeys(frame[name]), key=str):
            chosen = (frame[name] == value).to_numpy()
            colours = np.where(significant[chosen, None], hue(0), hue(7))
            lower.scatter(
                place[chosen],
                np.full(chosen.sum(), row),
                s=18,
                marker="|",
                linewidths=float(np.clip(400.0 / len(frame), 0.3, 1.5)),
                c=colours,
            )
            names.append(str(value))
            rows.append(row)
            row += 1.0
        row += 0.6
    lower.set_yticks(rows, names, fontsize="x-small")
    plain(lower.get_yticklabels())
    lower.set_ylim(row - 0.6, -1.0)
    lower.grid(False)
    lower.set_xlabel(f"{len(frame):,} specifications, lowest to highest")
    legend_above(ax, *ax.get_legend_handles_labels(), title)
    return ax


def _panels(ax: Axes | None, rows: int) -> tuple[Axes, Axes]:
    """Split axes in two, one above the other."""
    created = ax is None
    ax = new_axes(ax)
    spec, figure = ax.get_subplotspec(), ax.figure
    if spec is None:
        raise RequestError("plot_specification splits the axes it is given: make them with plt.subplots().")
    if created:
        figure.set_size_inches(8.0, UPPER + 0.8 + ROW * rows)  # type: ignore[union-attr]
    parts = spec.subgridspec(2, 1, height_ratios=[UPPER, ROW * rows], hspace=0.0)
    ax.set_subplotspec(parts[0])
    return ax, figure.add_subplot(parts[1], sharex=ax)


def _drawn_bounds(frame: pd.DataFrame) -> np.ndarray:
    """Return the ends of the intervals, shape (2, rows); infinite ones lie beyond all that is finite."""
    bounds = frame[["ci_low", "ci_high"]].to_numpy(float).T
    finite = np.concatenate([[0.0], bounds[np.isfinite(bounds)], frame["estimate"].to_numpy(float)])
    beyond = 0.05 * np.ptp(finite)
    return np.asarray(np.clip(bounds, finite.min() - beyond, finite.max() + beyond))
