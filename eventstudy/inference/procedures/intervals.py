"""Intervals of each event's CAR: t, conformal by inversion, residual bootstrap.

Formulas and sources: docs/methods/intervals.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.arguments import check_fraction
from eventstudy.errors import RequestError
from eventstudy.inference.base import Options, TestInput, check_alternative, t_bounds
from eventstudy.inference.refitted import Bootstrapped, Conformal, bootstrap_of, conformal_of
from eventstudy.inference.registry import TESTS

__all__ = ["IntervalMethod", "event_intervals"]

IntervalMethod = Literal["t", "conformal", "bootstrap_t"]


def event_intervals(
    data: TestInput,
    methods: Sequence[IntervalMethod] = get_args(IntervalMethod),
    level: float = 0.95,
    options: Options | None = None,
) -> pd.DataFrame:
    """Intervals of the CAR of each event; one row per event and method.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    methods : sequence of {"t", "conformal", "bootstrap_t"}
        The t with prediction error, exact for normally distributed returns; every CAR that the conformal
        test does not reject when it is taken off the returns (Chernozhukov, Wuthrich and Zhu 2021);
        percentile-t of residuals drawn anew.
    level : float, default 0.95
    options : Options, optional
        Side of the intervals, which are infinite on the other, and draws of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns event (its row), method, car, ci_low, ci_high and note. NaN with the reason in the note where
        a method does not apply; infinite where there are too few days for the level, and on
        the other side of one-sided ones.

    Raises
    ------
    RequestError
        If a method is unknown, none is named, or the level is not between 0 and 1.
    """
    options = (Options() if options is None else options).settled()
    known = isinstance(methods, Sequence) and not isinstance(methods, str) and len(methods) > 0
    if not known or any(method not in get_args(IntervalMethod) for method in methods):
        raise RequestError(
            f"methods is a list out of {', '.join(get_args(IntervalMethod))}; got {methods!r}."
        )
    check_alternative(options.alternative)
    check_fraction("level", level)
    bounded = {"two-sided": (True, True), "less": (False, True), "greater": (True, False)}
    rows = []
    for event in range(data.abnormal.n_events):
        one = data.take(np.arange(data.abnormal.n_events) == event)
        for method in methods:
            low, high, note = _interval(one, method, level, options)
            if np.isinf([low, high])[list(bounded[options.alternative])].any() and not note:
                note = (
                    f"unbounded: the estimation window is too short to exclude any value at level {level:g}"
                )
            rows.append((event, method, float(one.cumulative.car[0]), low, high, note))
    return pd.DataFrame(rows, columns=["event", "method", "car", "ci_low", "ci_high", "note"])


def _interval(
    one: TestInput, method: IntervalMethod, level: float, options: Options
) -> tuple[float, float, str]:
    reason = TESTS[method].applies(one)
    if reason is not None:
        return np.nan, np.nan, f"not applicable: {reason}"
    if method == "t":
        sums = one.cumulative
        low, high = t_bounds(sums.car, np.sqrt(sums.variance), sums.dof, level, options.alternative)
        note = "" if one.abnormal.exact else "the model's standard error is approximate"
        return float(low[0]), float(high[0]), note
    if method == "conformal":
        found: Conformal | Bootstrapped | str = conformal_of(one, options.alternative, level)
    else:
        found = bootstrap_of(one, options, level)
    if isinstance(found, str):
        return np.nan, np.nan, f"not applicable: {found}"
    return found.low, found.high, ""
