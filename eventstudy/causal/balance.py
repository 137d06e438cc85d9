"""How like the treated the counterfactual is: fit before the event, betas, and how calm the days were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.causal.cohorts import Cohort
from eventstudy.causal.fitted import FittedCohort, weighted_mean
from eventstudy.causal.kernels.placebo import sampled_control_gaps
from eventstudy.causal.spec import CausalSpec
from eventstudy.windows import Window

__all__ = ["benchmark_of", "betas", "diagnostics", "donor_ratio", "factor_balance"]

#: Donors whose own synthetic controls show how calm the days were.
MOST_DONORS = 30


def benchmark_of(spec: CausalSpec, cohort: Cohort) -> tuple[FloatArray, str]:
    """Benchmark of the treated on the days used, shape (T,), or the mean donor; and its name."""
    market = spec.market
    rows = market.arrays.benchmark[cohort.treated_rows]
    used = cohort.day0 + cohort.days
    if (rows >= 0).all() and len(set(rows.tolist())) == 1:
        series: FloatArray = market.bank.single[int(rows[0]), used]
        if not np.isnan(series).any():
            return series, market.bank.names[rows[0]]
    return np.asarray(cohort.donors.mean(axis=1)), "mean donor"


def betas(series: FloatArray, on: FloatArray) -> FloatArray:
    """Slopes of the columns of `series`, shape (T, K), on regressors, shape (T,) or (T, F); shape (F, K)."""
    design = np.column_stack([np.ones(len(on)), on])
    return np.asarray(np.linalg.lstsq(design, series, rcond=None)[0][1:], dtype=np.float64)


def donor_ratio(each: FittedCohort, window: Window) -> tuple[float, float]:
    """Median error of the donors' own synthetic controls before the event, and its ratio in a window."""
    cohort = each.cohort
    tested = (cohort.days >= window.start) & (cohort.days <= window.end)
    if cohort.donors.shape[1] < 2 or not tested.any():
        return float("nan"), float("nan")
    gaps = sampled_control_gaps(cohort.donors, cohort.n_pre, MOST_DONORS)
    before = np.sqrt((gaps[:, : cohort.n_pre] ** 2).mean(axis=1))
    # One scale for all: a ratio per donor over one day would be that of a single draw.
    inside = np.sqrt((gaps[:, tested] ** 2).mean() / (before**2).mean())
    return float(np.median(before)), float(inside)


def diagnostics(spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window) -> pd.DataFrame:
    """Fit of each date; see `CausalResults.diagnostics`."""
    rows = []
    for each in cohorts:
        cohort, fit = each.cohort, each.fit
        before = slice(0, cohort.n_pre)
        market, name = benchmark_of(spec, cohort)
        own = weighted_mean(cohort.treated[before].T, np.ones(len(cohort.events)))
        synthetic = fit.counterfactual[before].mean(axis=1)
        donors = betas(cohort.donors[before], market[before])[0]
        pair = betas(np.column_stack([own, synthetic]), market[before])[0]
        pre, ratio = donor_ratio(each, window)
        row: dict[str, object] = {
            "date": cohort.date,
            "n_events": len(cohort.events),
            "n_donors": len(cohort.donor_names),
            "n_days": cohort.n_pre,
            "pre_rmse": float(np.sqrt(np.nanmean(each.mean_gap[before] ** 2))),
            "donor_pre_rmse": pre,
            "donor_ratio": ratio,
        }
        if fit.weights is not None:
            mean = fit.weights.mean(axis=1)
            row |= {
                "effective_donors": float(1.0 / (mean**2).sum()) if (mean**2).sum() > 0 else np.nan,
                "largest_weight": float(mean.max()),
            }
        row |= {
            "beta_on": name,
            "beta": float(pair[0]),
            "beta_counterfactual": float(pair[1]),
            "beta_low": float(donors.min()),
            "beta_high": float(donors.max()),
            "inside": bool(donors.min() <= pair[0] <= donors.max()),
            "kkt": fit.kkt,
            "unique": fit.unique,
            "chosen": fit.chosen,
        }
        rows.append(row)
    return pd.DataFrame(rows).set_index("date")


def factor_balance(spec: CausalSpec, each: FittedCohort, n_factors: int = 3) -> pd.DataFrame:
    """Compare loadings of treated, counterfactual and donors before the event.

    Factors are those of the market with a value on all days used (the risk-free rate aside), else the
    benchmark and the principal components of what it leaves of the donors, scaled to a standard deviation
    of one before the event.

    Returns
    -------
    DataFrame
        By factor: treated, counterfactual, donors_low, donors_high, sd (before the event).
        The first row, alpha, is the mean daily return that the factors leave.
    """
    cohort = each.cohort
    before = slice(0, cohort.n_pre)
    factors, names = factor_series(spec, cohort, n_factors)
    design = np.column_stack([np.ones(cohort.n_pre), factors[before]])
    series = np.column_stack(
        [
            weighted_mean(cohort.treated[before].T, np.ones(len(cohort.events))),
            each.fit.counterfactual[before].mean(axis=1),
            cohort.donors[before],
        ]
    )
    loads = np.linalg.lstsq(design, series, rcond=None)[0]
    return pd.DataFrame(
        {
            "treated": loads[:, 0],
            "counterfactual": loads[:, 1],
            "donors_low": loads[:, 2:].min(axis=1),
            "donors_high": loads[:, 2:].max(axis=1),
            "sd": [np.nan, *factors[before].std(axis=0, ddof=1)],
        },
        index=pd.Index(["alpha", *names], name="factor"),
    )


def factor_series(spec: CausalSpec, cohort: Cohort, n_factors: int) -> tuple[FloatArray, list[str]]:
    """Factors on the days used, shape (T, F), and their names; see `factor_balance`."""
    given = spec.market.factors
    if given is not None and given.columns.nlevels == 1:
        wanted = [name for name in given.columns if str(name).lower() != "rf"]
        values = given[wanted].to_numpy(float)[cohort.day0 + cohort.days]
        if wanted and not np.isnan(values).any():
            return values, [str(name) for name in wanted]
    market, name = benchmark_of(spec, cohort)
    before = slice(0, cohort.n_pre)
    centred = market - market[before].mean()
    rest = cohort.donors - cohort.donors[before].mean(axis=0)
    slopes = betas(cohort.donors[before], market[before])[0]
    rest = rest - centred[:, None] * slopes
    most = min(n_factors - 1, rest.shape[1] - 1, cohort.n_pre - 3)
    right = np.linalg.svd(rest[before], full_matrices=False)[2][: max(most, 0)]
    # Loadings are of the days before the event; what the factors did after it is read with them.
    components = rest @ right.T
    components = components / np.maximum(components[before].std(axis=0, ddof=1), np.finfo(float).tiny)
    names = [name, *(f"component {r + 1}" for r in range(components.shape[1]))]
    return np.column_stack([market, components]), names
