"""Tests of a skewed cross-section: Johnson's t and its bootstrap by Lyon, Barber and Tsai.

Formulas and sources: docs/methods/long_horizon.md, eq. (johnson-bootstrap).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from eventstudy._typing import FloatArray
from eventstudy.inference.base import Alternative, p_value
from eventstudy.inference.bootstrap import johnson_bootstrap
from eventstudy.inference.engine.draws import equal_tails
from eventstudy.inference.engine.moments import johnson_t, mean_t, skewness

__all__ = ["LEAST", "johnson", "skewed_tests"]

#: Fewest events of the bootstrap: four to a resample, which is a quarter of them.
LEAST = 16
NULL = "mean buy-and-hold abnormal return is zero"


def johnson(values: FloatArray) -> float:
    """Return Johnson's skewness-adjusted t of a cross-section, shape (N,), N > 2, that its mean is zero."""
    return float(johnson_t(len(values), values.mean() / np.std(values, ddof=1), skewness(values)))


def skewed_tests(
    values: FloatArray,
    alternative: Alternative = "two-sided",
    n_resamples: int = 1000,
    seed: int | np.random.Generator | None = None,
    note: str = "",
) -> pd.DataFrame:
    """Test that the mean of buy-and-hold abnormal returns is zero; see `BuyAndHoldResults.test`.

    Parameters
    ----------
    values : array, shape (N,)
    alternative, n_resamples, seed
        As for `BuyAndHoldResults.test`.
    note : str, optional
        What is to be said of every test.
    """
    n = len(values)
    flat = n < 2 or np.std(values) <= 1e-14 * np.abs(values).max(initial=1.0)
    rows = {}
    for key, source, least in (
        ("t", "Barber and Lyon (1997)", 2),
        ("johnson", "Johnson (1978); Lyon, Barber and Tsai (1999)", 3),
        ("bootstrap", "Lyon, Barber and Tsai (1999)", LEAST),
    ):
        numbers = dict.fromkeys(("statistic", "dof", "critical_low", "critical_high", "p_value"), np.nan)
        told = note
        if flat or n < least:
            told = f"not applicable: {n} event(s), and it needs {least} or more that differ"
        elif key == "t":
            t, half = mean_t(values), float(stats.t.ppf(0.975, n - 1))
            numbers |= {"statistic": t, "dof": n - 1, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative, n - 1)
        elif key == "johnson":
            t, half = johnson(values), float(stats.norm.ppf(0.975))
            numbers |= {"statistic": t, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative)
        else:
            t, draws = johnson(values), johnson_bootstrap(values, n_resamples, np.random.default_rng(seed))
            low, high = np.quantile(draws, [0.025, 0.975])
            numbers |= {"statistic": t, "critical_low": float(low), "critical_high": float(high)}
            numbers["p_value"] = equal_tails(t, draws, alternative)
        rows[key] = {
            "estimate": float(values.mean()), **numbers, "n_events": n, "null": NULL, "reference": source,
            "note": told,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("test")
