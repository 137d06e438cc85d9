"""Weighted average abnormal returns: by a column of the events, or by precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_text
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, TestInput, check_alternative, t_bounds, t_p_values
from eventstudy.inference.power_and_detectable_effect import detectable
from eventstudy.inference.procedures.weighted_mean import by_past, by_spread, spread_serves
from eventstudy.results.fitted import FittedEvents

__all__ = ["weighted_averages"]

PRECISION = "precision"
#: Where the standard error is from.
PAST, SPREAD = "weighted_past", "weighted_spread"


def weighted_averages(
    data: FittedEvents,
    inputs: Sequence[TestInput],
    weights: str,
    test: str | None,
    level: float,
    alternative: Alternative,
) -> pd.DataFrame:
    """Weighted mean CAR of each window with an interval; columns as of `averages.averages`."""
    check_alternative(alternative)
    if test not in (None, PAST, SPREAD):
        raise RequestError(f"With weights, test is {PAST!r} or {SPREAD!r}; got {test!r}.")
    given = _given(data, weights)
    longest = max(inputs, key=lambda each: (each.n_events, len(each.window)))
    key = test or (SPREAD if spread_serves(longest) else PAST)
    return pd.DataFrame([_row(each, given, key, level, alternative) for each in inputs])


def _row(
    data: TestInput, given: FloatArray | None, key: str, level: float, alternative: Alternative
) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(
        ("caar", "se", "statistic", "dof", "p_value", "ci_low", "ci_high"), np.nan
    )
    known = np.asarray(data.cumulative.variance) > 0
    used = data.take(known & data.usable)
    n = used.n_events
    row |= {"n_events": n, "positive": np.nan, "test": key, "detectable": np.nan}
    if n == 0:
        return row
    raw = 1.0 / used.cumulative.variance if given is None else given[known & data.usable]
    weights = raw / raw.sum()
    row["positive"] = float(weights[used.car > 0].sum())
    if n == 1 and key == SPREAD:
        return row | {"caar": float(used.car[0])}
    mean, se, dof = by_past(used, weights) if key == PAST else by_spread(used.car, weights)
    if not se > 0:
        return row | {"caar": mean}
    t = mean / se
    low, high = t_bounds(np.array(mean), np.array(se), dof, level, alternative)
    return row | {
        "caar": mean,
        "se": se,
        "statistic": t,
        "dof": dof,
        "p_value": float(t_p_values(np.array(t), dof, alternative)),
        "ci_low": float(low),
        "ci_high": float(high),
        "detectable": float(detectable(se, dof, alternative)),
    }


def _given(data: FittedEvents, weights: str) -> FloatArray | None:
    """Take the weights of the events from their column; None for precision."""
    check_text("weights", weights)
    if weights == PRECISION and PRECISION not in data.events:
        return None
    column = pd.to_numeric(data.groups(weights), errors="coerce")
    bad = ~(column > 0) | ~np.isfinite(column)
    if bad.any():
        raise RequestError(
            f"The weight {weights!r} of event {column.index[bad.to_numpy()][0]} is "
            f"{data.events[weights][bad.to_numpy()].iloc[0]!r}, not a positive number."
        )
    return column.to_numpy(dtype=float)
