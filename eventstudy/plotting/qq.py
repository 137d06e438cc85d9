"""Estimation residuals against a normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy.distributions import norm_ppf
from eventstudy.plotting._base import hue, ink, interval, legend_above, new_axes, percent_scale, styled
from eventstudy.plotting._residuals import LEVEL, estimation_residuals

__all__ = ["plot_qq"]


def plot_qq(frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, **kwargs: Any) -> Axes:
    r"""Draw the quantiles of estimation residuals against those of a normal distribution.

    Parameters
    ----------
    frame : DataFrame
        As for `plot_residuals`; days of role ``"event"`` are left out.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    **kwargs
        Properties of the points, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The i-th of n residuals stands at the normal quantile of (i - 1/2)/n. The band is the
        pointwise 95% interval of normal order statistics, whose uniform transform is
        Beta(i, n + 1 - i). Tails steeper than the line are fatter than normal: a t-test then
        rejects too often.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has fewer than three residuals.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_qq
    >>> frame = pd.DataFrame({"value": [-0.01, 0.0, 0.01], "day": [-4, -3, -2], "role": "estimation"})
    >>> plot_qq(frame).get_xlabel()
    'Normal quantile'
    """
    past = estimation_residuals(frame, "plot_qq")
    ax = new_axes(ax)
    values = np.sort(past["value"].to_numpy(float))
    n = len(values)
    rank = np.arange(1, n + 1)
    mean, sd = values.mean(), values.std(ddof=1)
    expected = mean + sd * norm_ppf((rank - 0.5) / n)
    low, high = (
        mean + sd * norm_ppf(scipy.stats.beta.ppf(tail, rank, n + 1 - rank))
        for tail in (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
    )
    ax.fill_between(
        expected,
        low,
        high,
        color=ink(ax),
        alpha=0.12,
        linewidth=0,
        label=f"{interval(LEVEL)} if normal",
        zorder=1,
    )
    ends = expected[[0, -1]]
    ax.plot(ends, ends, color=ink(ax), linewidth=1, label="_normal", zorder=2)
    defaults = {"color": hue(0), "marker": "o", "markersize": 3.5, "linestyle": "none", "zorder": 3}
    ax.plot(expected, values, **styled(Line2D, kwargs, label=f"{n} estimation residuals", **defaults))
    percent_scale(ax.xaxis)
    percent_scale(ax.yaxis)
    ax.set(xlabel="Normal quantile", ylabel="Residual")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, handles[::-1], labels[::-1], title)
    return ax
