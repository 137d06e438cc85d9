"""Autocorrelation of estimation residuals and of their squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from eventstudy.arguments import check_whole
from eventstudy.distributions import norm_ppf
from eventstudy.plotting._base import hue, ink, legend_above, new_axes, styled
from eventstudy.plotting._residuals import LEVEL, estimation_residuals

__all__ = ["plot_autocorrelation"]


def plot_autocorrelation(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    lags: int = 20,
    **kwargs: Any,
) -> Axes:
    r"""Draw the autocorrelation of estimation residuals, and of their squares.

    .. math:: \hat\rho_k = \frac{n}{n_k}\,
              \frac{\sum_t (e_t - \bar e)(e_{t+k} - \bar e)}{\sum_t (e_t - \bar e)^2}

    over the n_k pairs of days k sessions apart that both have a residual.

    Parameters
    ----------
    frame : DataFrame
        As for `plot_residuals`; days of role ``"event"`` are left out.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
    lags : int, default 20
        Longest lag in sessions; at most a third of the days.
    **kwargs
        Properties of the points of the residuals, as for `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        The band holds 95% of the autocorrelations of unrelated residuals. Residuals related over
        time make a CAR less certain than its standard error says; squares that are related mean
        that calm and excited days come in spells.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has fewer than three residuals.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_autocorrelation
    >>> frame = pd.DataFrame({"value": [1, -1, 1, -1, 1, -1], "day": range(6), "role": "estimation"})
    >>> ax = plot_autocorrelation(frame)
    >>> ax.lines[1].get_ydata()
    array([-1.,  1.])
    """
    past = estimation_residuals(frame, "plot_autocorrelation").sort_values("day")
    ax = new_axes(ax)
    days = past["day"].to_numpy(int)
    series = np.full(days[-1] - days[0] + 1, np.nan)
    series[days - days[0]] = past["value"].to_numpy(float)
    check_whole("lags", lags, 1)
    n, most = len(past), max(1, min(lags, len(past) // 3))
    bound = norm_ppf(0.5 + LEVEL / 2) / np.sqrt(n)
    ax.axhspan(
        -bound, bound, facecolor=ink(ax), alpha=0.1, linewidth=0, label=f"{LEVEL:.0%} if unrelated", zorder=0
    )
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    at = np.arange(1, most + 1)
    points = {"markersize": 4, "linestyle": "none", "zorder": 3}
    first = {"color": hue(0), "marker": "o", "label": "Residuals"}
    second = {"color": hue(1), "marker": "s", "label": "Squared residuals"}
    for values, shift, style in (
        (series, -0.15, styled(Line2D, kwargs, **points, **first)),
        (series**2, 0.15, points | second),
    ):
        found = _autocorrelation(values, most)
        ax.vlines(at + shift, 0, found, color=style["color"], linewidth=1.5, zorder=2)
        ax.plot(at + shift, found, **style)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.set(xlabel="Lag in sessions", ylabel="Autocorrelation")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, [*handles[1:], handles[0]], [*labels[1:], labels[0]], title)
    return ax


def _autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelations of lags 1 to `lags`; NaN are days without a value, and lags without pairs."""
    found = np.full(lags, np.nan)
    if np.isnan(values).all():
        return found
    apart = values - np.nanmean(values)
    variance = np.nanmean(apart**2)
    for lag in range(1, lags + 1):
        pairs = apart[:-lag] * apart[lag:]
        if variance > 0 and not np.isnan(pairs).all():
            found[lag - 1] = np.nanmean(pairs) / variance
    return found
