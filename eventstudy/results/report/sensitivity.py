"""Sensitivity of a finding to the window and to the model of normal returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.abnormal import abnormal_returns
from eventstudy.inference import recommend, run_tests
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel, NormalReturnModel
from eventstudy.results import averages
from eventstudy.results.fitted import FittedStudy, uses_benchmark
from eventstudy.windows import Window

__all__ = ["refitted", "sensitivity"]

WINDOWS = (Window(0, 0), Window(0, 1), Window(-1, 1), Window(0, 5))


def sensitivity(data: FittedStudy, window: Window, level: float = 0.95) -> pd.DataFrame:
    """Mean CAR over other windows, and under other models of normal returns.

    Returns
    -------
    DataFrame
        model, window, estimate, se, ci_low, ci_high, n_events and, of the test recommended first for
        `window`, p_value; the study as it was asked for comes first. NaN where that test does not
        apply. Models that some event lacks the data for are left out.
    """
    chosen = recommend(data.test_input(window))["test"]
    whole = data.spec.window
    windows = [w for w in dict.fromkeys((window, *WINDOWS, whole)) if w in whole]
    others = [refitted(data, model) for model in (MarketModel(), MarketAdjusted(), ConstantMean())]
    label = data.spec.model.label
    studies = [(data, w) for w in windows]
    studies += [(study, window) for study in others if study is not None and study.spec.model.label != label]
    rows = []
    for study, tested in studies:
        seen = study.test_input(tested)
        mean = averages.averages([seen], None, level).iloc[0]
        p = run_tests(seen, list(chosen[:1]))["p_value"].iloc[0] if len(chosen) else np.nan
        rows.append(
            {
                "model": study.spec.model.label,
                "window": str(tested),
                "estimate": mean["caar"],
                "se": mean["se"],
                "ci_low": mean["ci_low"],
                "ci_high": mean["ci_high"],
                "p_value": p,
                "n_events": seen.n_events,
            }
        )
    return pd.DataFrame(rows)


def refitted(data: FittedStudy, model: NormalReturnModel) -> FittedStudy | None:
    """Fit another model to the same events, or return None where one of them lacks the data for it."""
    sample, spec = data.sample, data.spec
    if uses_benchmark(model) and (sample.benchmark < 0).any():
        return None
    arrays = model.arrays(sample)
    fit = model.fit(arrays)
    if (fit.n_obs < spec.min_observations).any() or not (fit.s2 > 0).all():
        return None
    abnormal = abnormal_returns(arrays, fit, spec.window)
    return FittedStudy(replace(spec, model=model), sample, fit, abnormal)
