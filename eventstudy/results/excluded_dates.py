"""Effects of the dates that estimation windows leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy._typing import IntArray
from eventstudy.abnormal import RefittedWindows
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, check_alternative, t_p_values
from eventstudy.results.fitted import FittedEvents, FittedStudy

__all__ = ["date_effects"]

COLUMNS = ["event_id", "security", "date", "day", "effect", "se", "t", "dof", "p_value"]


def date_effects(data: FittedEvents, alternative: Alternative = "two-sided") -> pd.DataFrame:
    """Return the effects of dates that are left out; see `ResultsBase.date_effects`."""
    check_alternative(alternative)
    if all(part.study.sample.barred is None for part in data.parts()):
        raise RequestError("This study leaves no dates out: name them in EventStudy(exclude_dates=...).")
    frames = []
    for part in data.parts():
        frame = _of_study(part.study, part.rows, alternative)
        place = pd.Series(part.at, index=part.rows)[frame["event_id"]].to_numpy()
        frames.append(frame.assign(event_id=data.index[place]))
    return pd.concat(frames, ignore_index=True)


def _of_study(study: FittedStudy, rows: IntArray, alternative: Alternative) -> pd.DataFrame:
    """Effects in the events `rows` of a study, which event_id names by position."""
    sample, model, fit = study.sample, study.spec.model, study.fit
    if sample.barred is None:
        return pd.DataFrame({name: [] for name in COLUMNS}).astype({"event_id": np.int64})
    if not model.residuals_take_params:
        raise RequestError(
            f"{model.label} does not tell abnormal returns of the dates left out. A model of least squares "
            "with missing='drop' does, such as MarketModel()."
        )
    offsets = sample.estimation.offsets
    session = sample.origin(sample.estimation, rows)[:, None] + offsets
    left_out = sample.barred.spans_any(sample.security[rows, None], session)
    if sample.own is not None:
        left_out &= ~sample.own.outside_estimation(rows, offsets)
    which, column = np.nonzero(left_out)
    used, of = np.unique(rows[which], return_inverse=True)
    whole = RefittedWindows(
        model, replace(sample, barred=None, announced=None), fit.params, np.arange(len(sample))
    )
    event = used[of]
    effect, date = whole.residuals(used)[of, column], whole.dates(used)[of, column]
    variance = fit.s2[event]
    if fit.param_cov.shape[1]:  # else nothing is estimated
        design = whole.design(used)[of, column]
        variance = variance + np.einsum("ni,nij,nj->n", design, fit.param_cov[event], design)
    se = np.where(np.isnan(effect), np.nan, np.sqrt(variance))
    frame = pd.DataFrame(
        {
            "event_id": event,
            "security": sample.events["security"].to_numpy()[event],
            "date": pd.DatetimeIndex(date).as_unit("ns"),
            "day": session[which, column] - sample.day0[event],
            "effect": effect,
            "se": se,
            "t": effect / se,
            "dof": fit.dof[event],
        }
    )
    return frame.assign(p_value=t_p_values(frame["t"].to_numpy(), frame["dof"].to_numpy(), alternative))
