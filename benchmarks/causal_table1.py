"""Bias of factor models and counterfactuals where the event's day or its firms are chosen by a factor.

    python benchmarks/causal_table1.py [--simulations 50]

Makes ``docs/data/causal_table1.csv``: the design of Table 1 of Goldsmith-Pinkham and Lyu (2025) with Gaussian
factors. 500 firms load on a market and a size factor; an effect of 3% falls on day 0; the event comes after
239 days, or on the day of the largest size factor among 250 (timing), and hits firms at random, or rather
those with small size loadings (assignment). Numbers are in percentage points, of day 0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.causal.kernels.factor_model import interactive_fixed_effects
from eventstudy.causal.kernels.weighting import difference_in_differences, synthetic_control

TABLE = Path(__file__).parents[1] / "docs" / "data" / "causal_table1.csv"
FIRMS, BEFORE, CANDIDATES, AFTER, EFFECT = 500, 239, 250, 10, 0.03
DESIGNS = ("none", "assignment", "timing", "both")
METHODS = (
    "Difference in means",
    "Difference-in-differences",
    "CAPM",
    "Both factors",
    "Synthetic control by date",
    "Interactive fixed effects",
)


def draw(design: str, seed: int) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]:
    """Draw returns in excess of nothing (days, firms), both factors, who is treated, and size loadings."""
    rng = np.random.default_rng(seed)
    days = BEFORE + CANDIDATES + AFTER
    market = 0.0003 + 0.0107 * rng.standard_normal(days)
    size = 0.0058 * rng.standard_normal(days)
    noise = np.sqrt(0.0107**2 + 0.0058**2) * rng.standard_normal((FIRMS, days))
    on_market, on_size = rng.normal(1, 0.3, FIRMS), rng.normal(1, 0.3, FIRMS)
    returns = 0.0001 + on_market[:, None] * market + on_size[:, None] * size + noise
    chosen = design in ("timing", "both")
    event = BEFORE + int(np.argmax(size[BEFORE : BEFORE + CANDIDATES])) if chosen else BEFORE
    probability = np.full(FIRMS, 0.1)
    if design in ("assignment", "both"):
        probability = 1 / (1 + np.exp(-(np.log(0.1) / on_size.mean()) * on_size))
    treated = rng.random(FIRMS) < probability
    returns[treated, event] += EFFECT
    window = slice(event - BEFORE, event + AFTER + 1)
    return returns[:, window].T, market[window], size[window], treated, on_size


def abnormal(returns: FloatArray, factors: FloatArray) -> FloatArray:
    """Mean residual of regressions of excess returns on the days before the event."""
    design = np.column_stack([np.ones(len(factors)), factors])
    slopes = np.linalg.lstsq(design[:BEFORE], returns[:BEFORE] - 0.0001, rcond=None)[0]
    return np.asarray((returns - 0.0001 - design @ slopes).mean(axis=1))


def errors(design: str, seed: int) -> tuple[FloatArray, FloatArray]:
    """Error of each method on days 0 to 10; mean size loadings of treated, synthetic control and donors."""
    returns, market, size, treated, on_size = draw(design, seed)
    donors, own = returns[:, ~treated], returns[:, treated]
    control = synthetic_control(donors, own, BEFORE, pooled=True)
    assert control.weights is not None
    paths = [
        own.mean(axis=1) - donors.mean(axis=1),
        (own - difference_in_differences(donors, own, BEFORE).counterfactual).mean(axis=1),
        abnormal(own, market),
        abnormal(own, np.column_stack([market, size])),
        (own - control.counterfactual).mean(axis=1),
        (own - interactive_fixed_effects(donors, own, BEFORE, n_factors=range(1, 6)).counterfactual).mean(
            axis=1
        ),
    ]
    truth = np.r_[EFFECT, np.zeros(AFTER)]
    loads = [on_size[treated].mean(), control.weights[:, 0] @ on_size[~treated], on_size[~treated].mean()]
    return np.array([path[BEFORE:] - truth for path in paths]), np.array(loads)


def table(n_simulations: int) -> pd.DataFrame:
    """Mean and mean absolute error of day 0 by design and method, with the Monte Carlo error of the mean.

    `first` is the error of the first simulation.
    """
    rows = []
    for number, design in enumerate(DESIGNS, start=1):
        found = [errors(design, 1000 * number + seed) for seed in range(n_simulations)]
        day0 = 100 * np.array([each[:, 0] for each, _ in found])
        loads = np.mean([each for _, each in found], axis=0)
        for j, method in enumerate(METHODS):
            values = day0[:, j]
            error = values.std(ddof=1) / np.sqrt(len(values))
            means = (values.mean(), np.abs(values).mean())
            row = (design, method, *means, error, values[0], *loads, n_simulations)
            rows.append(row)
        print(design, dict(zip(METHODS, day0.mean(axis=0).round(3), strict=True)), loads.round(3), flush=True)
    columns = ["selection", "method", "bias", "mean_absolute_error", "monte_carlo_error", "first"]
    loaded = ["size_loading_treated", "size_loading_synthetic", "size_loading_donors"]
    return pd.DataFrame(rows, columns=[*columns, *loaded, "n_simulations"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=50)
    table(parser.parse_args().simulations).round(5).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
