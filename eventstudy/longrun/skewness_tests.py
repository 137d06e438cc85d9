"""Tests of a skewed cross-section: Johnson's t and its bootstrap by Lyon, Barber and Tsai.

Formulas and sources: docs/methods/long_horizon.md, eq. (johnson-bootstrap).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.distributions import norm_ppf, t_ppf
from eventstudy.inference.base import Alternative, p_value
from eventstudy.inference.engine.moments import johnson_t, mean_t, skewness

__all__ = ["LEAST", "SHARE", "bootstrap_johnson", "bootstrap_p_value", "johnson", "skewed_tests"]

#: Size of a resample: N over this.
SHARE = 4
#: Fewest events of the bootstrap: four to a resample.
LEAST = 4 * SHARE
NULL = "mean buy-and-hold abnormal return is zero"


def johnson(values: FloatArray) -> float:
    """Return Johnson's skewness-adjusted t of a cross-section, shape (N,), N > 2, that its mean is zero."""
    return float(johnson_t(len(values), values.mean() / np.std(values, ddof=1), skewness(values)))


def bootstrap_johnson(values: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    r"""Skewness-adjusted t of resamples of N/4 values, each about the mean of the sample.

    .. math:: t_J^* = \sqrt{m} \left(S^* + \tfrac13 \hat\gamma^* S^{*2} + \tfrac{1}{6m} \hat\gamma^*\right),
              \qquad S^* = \frac{\bar x^* - \bar x}{s^*}, \qquad m = N / 4

    Parameters
    ----------
    values : array, shape (N,)
        N of 16 or more, so that a resample has four values.
    n_resamples : int
    rng : Generator

    Returns
    -------
    array, shape (n_resamples,)
        Resamples of equal values, which have no t, are drawn again.

    Notes
    -----
    Lyon, Barber and Tsai (1999). The skewness is the adjusted one of `skewness`.

    References
    ----------
    docs/methods/long_horizon.md, eq. (johnson-bootstrap).
    """
    n, m = len(values), len(values) // SHARE
    mean, out = values.mean(), np.empty(0)
    while len(out) < n_resamples:
        drawn = values[rng.integers(n, size=(n_resamples - len(out), m))]
        deviation = np.std(drawn, axis=1, ddof=1)
        drawn, deviation = drawn[deviation > 0], deviation[deviation > 0]
        centre = drawn.mean(axis=1)
        out = np.concatenate([out, johnson_t(m, (centre - mean) / deviation, skewness(drawn))])
    return out


def bootstrap_p_value(statistic: float, draws: FloatArray, alternative: Alternative) -> float:
    """P-value of a statistic among draws under the null, tail by tail: their law is not symmetric."""
    above = (1.0 + float((draws >= statistic).sum())) / (len(draws) + 1.0)
    below = (1.0 + float((draws <= statistic).sum())) / (len(draws) + 1.0)
    return {"greater": above, "less": below, "two-sided": min(1.0, 2.0 * min(above, below))}[alternative]


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
            t, half = mean_t(values), float(t_ppf(0.975, n - 1))
            numbers |= {"statistic": t, "dof": n - 1, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative, n - 1)
        elif key == "johnson":
            t, half = johnson(values), float(norm_ppf(0.975))
            numbers |= {"statistic": t, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative)
        else:
            t, draws = johnson(values), bootstrap_johnson(values, n_resamples, np.random.default_rng(seed))
            low, high = np.quantile(draws, [0.025, 0.975])
            numbers |= {"statistic": t, "critical_low": float(low), "critical_high": float(high)}
            numbers["p_value"] = bootstrap_p_value(t, draws, alternative)
        rows[key] = {
            "estimate": float(values.mean()), **numbers, "n_events": n, "null": NULL, "reference": source,
            "note": told,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("test")
