"""Checks of what the tests take estimation residuals for: steady, normal, unrelated over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.plotting._base import (
    count_days,
    hue,
    ink,
    interval,
    legend_above,
    mark_event,
    need,
    new_axes,
    percent_scale,
)

__all__ = ["plot_autocorrelation", "plot_qq", "plot_residuals"]

LEVEL = 0.95


def plot_residuals(frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw estimation residuals and the abnormal returns of the event window over time.

    Parameters
    ----------
    frame : DataFrame
        Columns ``value`` (residual or abnormal return, decimal), ``role`` (``"estimation"`` or
        ``"event"``) and ``day`` (sessions relative to the event).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional

    Returns
    -------
    Axes
        The band holds 95 % of the days if residuals are normal with one variance. A variance that
        wanders shows as stretches inside of it and stretches that leave it.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has fewer than three residuals.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_residuals
    >>> frame = pd.DataFrame({"value": [-0.01, 0.0, 0.01, -0.05], "day": [-4, -3, -2, 0]})
    >>> ax = plot_residuals(frame.assign(role=["estimation"] * 3 + ["event"]))
    >>> ax.get_ylabel()
    'Abnormal return'
    """
    past = _residuals(frame, "plot_residuals")
    event = frame[frame["role"] == "event"].dropna(subset=["value"])
    ax = new_axes(ax)
    bound = stats.norm.ppf(0.5 + LEVEL / 2) * past["value"].std()
    ax.axhspan(
        -bound,
        bound,
        facecolor=ink(ax),
        alpha=0.1,
        linewidth=0,
        label=f"{LEVEL:.0%} of days if normal",
        zorder=0,
    )
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    mark_event(ax)
    for part, colour, label in (
        (past, hue(0), f"{len(past)} estimation days"),
        (event, hue(1), f"{len(event)} event days"),
    ):
        if len(part):
            days, values = part["day"].to_numpy(), part["value"].to_numpy(float)
            ax.vlines(days, 0, values, color=colour, linewidth=1, label=label, zorder=2)
    count_days(ax)
    percent_scale(ax.yaxis)
    ax.set_ylabel("Abnormal return")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, [*handles[1:], handles[0]], [*labels[1:], labels[0]], title)
    return ax


def plot_qq(frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    r"""Draw the quantiles of estimation residuals against those of a normal distribution.

    Parameters
    ----------
    frame : DataFrame
        As for `plot_residuals`; days of role ``"event"`` are left out.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional

    Returns
    -------
    Axes
        The i-th of n residuals stands at the normal quantile of (i - 1/2)/n. The band is the
        pointwise 95 % interval of normal order statistics, whose uniform transform is
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
    past = _residuals(frame, "plot_qq")
    ax = new_axes(ax)
    values = np.sort(past["value"].to_numpy(float))
    n = len(values)
    rank = np.arange(1, n + 1)
    mean, sd = values.mean(), values.std(ddof=1)
    expected = mean + sd * stats.norm.ppf((rank - 0.5) / n)
    low, high = (
        mean + sd * stats.norm.ppf(stats.beta.ppf(tail, rank, n + 1 - rank))
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
    ax.plot(
        expected,
        values,
        color=hue(0),
        marker="o",
        markersize=3.5,
        linestyle="none",
        label=f"{n} estimation residuals",
        zorder=3,
    )
    percent_scale(ax.xaxis)
    percent_scale(ax.yaxis)
    ax.set(xlabel="Normal quantile", ylabel="Residual")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, handles[::-1], labels[::-1], title)
    return ax


def plot_autocorrelation(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None, lags: int = 20
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

    Returns
    -------
    Axes
        The band holds 95 % of the autocorrelations of unrelated residuals. Residuals related over
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
    past = _residuals(frame, "plot_autocorrelation").sort_values("day")
    ax = new_axes(ax)
    days = past["day"].to_numpy(int)
    series = np.full(days[-1] - days[0] + 1, np.nan)
    series[days - days[0]] = past["value"].to_numpy(float)
    n, most = len(past), max(1, min(lags, len(past) // 3))
    bound = stats.norm.ppf(0.5 + LEVEL / 2) / np.sqrt(n)
    ax.axhspan(
        -bound, bound, facecolor=ink(ax), alpha=0.1, linewidth=0, label=f"{LEVEL:.0%} if unrelated", zorder=0
    )
    ax.axhline(0, color=ink(ax), linewidth=0.8, zorder=1, label="_zero")
    at = np.arange(1, most + 1)
    for values, shift, colour, marker, label in (
        (series, -0.15, hue(0), "o", "Residuals"),
        (series**2, 0.15, hue(1), "s", "Squared residuals"),
    ):
        found = _autocorrelation(values, most)
        ax.vlines(at + shift, 0, found, color=colour, linewidth=1.5, zorder=2)
        ax.plot(
            at + shift,
            found,
            color=colour,
            marker=marker,
            markersize=4,
            linestyle="none",
            label=label,
            zorder=3,
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.set(xlabel="Lag in sessions", ylabel="Autocorrelation")
    handles, labels = ax.get_legend_handles_labels()
    legend_above(ax, [*handles[1:], handles[0]], [*labels[1:], labels[0]], title)
    return ax


def _residuals(frame: pd.DataFrame, function: str) -> pd.DataFrame:
    need(frame, function, ["value", "role", "day"])
    past = frame[frame["role"] == "estimation"].dropna(subset=["value"])
    if len(past) < 3:
        raise RequestError(
            f"{function} needs at least three residuals: {len(past)} rows of role 'estimation' have a value."
        )
    return past


def _autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelations of lags 1 to `lags`; NaN are days without a value, and lags without pairs."""
    apart = values - np.nanmean(values)
    variance = np.nanmean(apart**2)
    found = np.full(lags, np.nan)
    for lag in range(1, lags + 1):
        pairs = apart[:-lag] * apart[lag:]
        if variance > 0 and not np.isnan(pairs).all():
            found[lag - 1] = np.nanmean(pairs) / variance
    return found
