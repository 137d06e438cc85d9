"""Normal-return models beside each other: what each finds, and how well each predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.errors import RequestError
from eventstudy.plotting._base import need
from eventstudy.plotting.forest import plot_forest

__all__ = ["plot_models"]


def plot_models(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    level: float = 0.95,
    **kwargs: Any,
) -> Axes:
    """Draw the CAR of each model with its interval, and beside it the error of its predictions.

    Parameters
    ----------
    frame : DataFrame
        As `eventstudy.compare_models` returns it: columns ``model`` (or an index of that name), ``car``,
        ``ci_low``, ``ci_high`` and ``prediction_variance`` (decimals); with a column or index level
        ``event_id``, one row per model and event.
    ax : Axes, optional
        Where to draw; by default a new figure with room for the rows.
    title : str, optional
    level : float, optional
        Level of the intervals in `frame`, for the legend.
    **kwargs
        As for `plot_forest`.

    Returns
    -------
    Axes
        Models stand in the order of `frame`. The scale on the right writes the root of the prediction
        variance: the error of one session out of sample.

    Raises
    ------
    RequestError
        If `frame` lacks a column, or has no CAR.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.plotting import plot_models
    >>> frame = pd.DataFrame({"model": ["Market", "Mean"], "car": [-0.075, -0.11]})
    >>> frame = frame.assign(ci_low=frame.car - 0.05, ci_high=frame.car + 0.05)
    >>> ax = plot_models(frame.assign(prediction_variance=[0.00026, 0.0004]))
    >>> [label.get_text() for label in ax.child_axes[0].get_yticklabels()]
    ['1.61%', '2.00%']
    """
    if "model" not in frame.columns and "model" in frame.index.names:
        frame = frame.reset_index()
    need(frame, "plot_models", ["model", "car", "ci_low", "ci_high", "prediction_variance"])
    seen = frame.dropna(subset=["car"])
    if seen.empty:
        raise RequestError(f"plot_models has nothing to draw: none of {len(frame)} rows has a CAR.")
    names = seen["model"].astype(str)
    if "event_id" in seen:
        names = names + ", event " + seen["event_id"].astype(str)
    ax = plot_forest(seen.assign(event=names), ax, title=title, level=level, sort=False, **kwargs)
    if len(ax.get_yticks()) == len(seen):  # more rows than can be named have no scale
        errors = np.sqrt(seen["prediction_variance"].to_numpy(float))
        told = ["–" if np.isnan(error) else f"{error:.2%}" for error in errors]
        beside = ax.secondary_yaxis("right")
        beside.set_yticks(range(len(told)), told, fontsize="small")
        beside.set_ylabel("Prediction error of one session")
    return ax
