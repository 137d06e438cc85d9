"""Average abnormal returns with the standard error of a test that fits the design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.distributions import t_ppf
from eventstudy.errors import RequestError
from eventstudy.inference import TESTS
from eventstudy.inference.base import Options, TestInput
from eventstudy.inference.power_and_detectable_effect import detectable
from eventstudy.windows import Window

__all__ = ["INTERVAL_TESTS", "averages"]

#: Tests whose statistic is the mean CAR over its standard error, in order of preference.
INTERVAL_TESTS = ("t", "portfolio", "cross_sectional", "independence")


def averages(
    inputs: Sequence[TestInput], windows: Sequence[Window], test: str | None, level: float
) -> pd.DataFrame:
    """Mean CAR of each window with an interval; one row per window.

    One test serves all windows: the first of `INTERVAL_TESTS` that applies to most of them.
    """
    key = _choose(inputs) if test is None else test
    if key not in INTERVAL_TESTS:
        raise RequestError(
            f"Test {key!r} gives no standard error of the mean; choose one of {', '.join(INTERVAL_TESTS)}."
        )
    rows = []
    for data in inputs:
        car = data.car
        row: dict[str, object] = {
            "caar": float(car.mean()) if len(car) else np.nan,
            "se": np.nan,
            "statistic": np.nan,
            "dof": np.nan,
            "p_value": np.nan,
            "ci_low": np.nan,
            "ci_high": np.nan,
            "n_events": len(car),
            "positive": float((car > 0).mean()) if len(car) else np.nan,
            "test": key,
            "detectable": np.nan,
        }
        done = TESTS[key].run(data, Options())
        if not np.isnan(done.statistic):
            se = abs(done.estimate / done.statistic) if done.statistic else np.nan
            dof = float(done.dof) if isinstance(done.dof, (int, float)) else np.inf
            half = float(t_ppf(0.5 + level / 2, dof)) * se
            row |= {
                "caar": done.estimate,
                "se": se,
                "statistic": done.statistic,
                "dof": dof,
                "p_value": done.p_value,
                "ci_low": done.estimate - half,
                "ci_high": done.estimate + half,
                "detectable": float(detectable(se, dof)),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _choose(inputs: Sequence[TestInput]) -> str:
    applies = {
        key: sum(TESTS[key].applies(data) is None for data in inputs)
        for key in INTERVAL_TESTS
        if key in TESTS
    }
    return max(applies, key=lambda key: applies[key])
