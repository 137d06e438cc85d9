"""What the estimate depends on: single donors, donors the news may reach, and dates without news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.arguments import check_mapping
from eventstudy.causal.cohorts import Cohort
from eventstudy.causal.draws import time_placebos
from eventstudy.causal.fitted import FittedCohort, fit_cohort, mean_path, weighted_mean
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import RequestError
from eventstudy.windows import Window

__all__ = ["leave_one_out", "pseudo_dates", "spillover", "with_donors"]

#: Weights below this share are none.
NO_WEIGHT = 1e-8
#: Estimators that weigh every donor are asked about at most as many, the weightiest.
MOST_DONORS = 100


def with_donors(cohort: Cohort, kept: BoolArray) -> Cohort:
    """Return a cohort with some of its donors."""
    lumps = tuple(replace(lump, donors=lump.donors[kept]) for lump in cohort.lumps)
    names = tuple(name for name, fine in zip(cohort.donor_names, kept, strict=True) if fine)
    return replace(
        cohort,
        donor_names=names,
        donor_rows=cohort.donor_rows[kept],
        donors=np.ascontiguousarray(cohort.donors[:, kept]),
        lumps=lumps,
    )


def _effect(spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window) -> tuple[float, float]:
    """Sum of the mean effect over a window, and the error before the event."""
    path = mean_path(spec, cohorts)
    inside = (path.days >= window.start) & (path.days <= window.end)
    return float(np.nansum(path.gap[inside])), path.rmse


def leave_one_out(spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window) -> pd.DataFrame:
    """Effect without each donor; see `CausalResults.leave_one_out`."""
    largest: dict[str, float] = {}
    for each in cohorts:
        held = each.fit.weights
        size = np.ones(len(each.cohort.donor_names)) if held is None else np.abs(held).max(axis=1)
        for name, weight in zip(each.cohort.donor_names, size.tolist(), strict=True):
            largest[name] = max(largest.get(name, 0.0), weight)
    asked = sorted(
        (name for name, weight in largest.items() if weight > NO_WEIGHT), key=lambda n: -largest[n]
    )
    whole, _ = _effect(spec, cohorts, window)
    rows = []
    for name in asked[:MOST_DONORS]:
        fitted = []
        for each in cohorts:
            kept = np.array([other != name for other in each.cohort.donor_names])
            if kept.all() or not kept.any():
                fitted.append(each)
            else:
                tuned = replace(spec, estimator=spec.estimator.fixed(each.fit))
                fitted.append(fit_cohort(tuned, with_donors(each.cohort, kept)))
        effect, _ = _effect(spec, fitted, window)
        rows.append((name, largest[name], effect, effect - whole))
    frame = pd.DataFrame(rows, columns=["donor", "weight", "catt", "change"]).set_index("donor")
    return frame.loc[frame["change"].abs().sort_values(ascending=False, kind="stable").index]


def pseudo_dates(spec: CausalSpec, cohorts: Sequence[FittedCohort], window: Window) -> pd.DataFrame:
    """Effects before the event; see `CausalResults.pseudo_dates`."""
    found = time_placebos(spec, cohorts, window)
    if isinstance(found, str):
        raise RequestError(
            f"There are no pseudo-dates: {found}. Test a shorter window, or estimate on more days."
        )
    effects, errors, ahead = found
    return pd.DataFrame({"days_before": ahead, "catt": effects, "pre_rmse": errors}).rename_axis(
        "pseudo_window"
    )


def spillover(
    spec: CausalSpec,
    cohorts: Sequence[FittedCohort],
    window: Window,
    exposure: pd.Series[float] | Mapping[str, float] | None,
) -> pd.DataFrame:
    """Effects by exposure of the donors; see `CausalResults.spillover`."""
    given = None if exposure is None else _exposures(exposure)
    if given is not None and not any(name in given for each in cohorts for name in each.cohort.donor_names):
        raise RequestError("exposure names none of the donors; see results.donors.")
    halves: dict[str, list[FittedCohort]] = {"less exposed": [], "more exposed": []}
    moves: list[float] = []
    shares: list[float] = []
    for each in cohorts:
        cohort = each.cohort
        size = (
            _comovement(cohort)
            if given is None
            else np.array([given.get(n, 0.0) for n in cohort.donor_names])
        )
        if len(size) < 4 or np.ptp(size) == 0:
            raise RequestError(
                f"On {cohort.date:%Y-%m-%d} the {len(size)} donors cannot be split by exposure: four that "
                "differ are needed."
            )
        more = size > np.median(size)
        if not more.any():
            more = size >= np.median(size)
        for name, kept in (("less exposed", ~more), ("more exposed", more)):
            tuned = replace(spec, estimator=spec.estimator.fixed(each.fit))
            halves[name].append(fit_cohort(tuned, with_donors(cohort, kept)))
        apart = cohort.donors[:, more].mean(axis=1) - cohort.donors[:, ~more].mean(axis=1)
        inside = (cohort.days >= window.start) & (cohort.days <= window.end)
        moves.append(float((apart[inside] - apart[: cohort.n_pre].mean()).sum()))
        shares.append(each.total_weight)
    move = float(np.average(moves, weights=shares))
    rows = []
    for name, fitted in (("all", list(cohorts)), *halves.items()):
        effect, rmse = _effect(spec, fitted, window)
        fewest = min(len(each.cohort.donor_names) for each in fitted)
        moved = {"all": np.nan, "less exposed": -move, "more exposed": move}[name]
        rows.append((name, fewest, rmse, effect, moved))
    columns = ["donors", "n_donors", "pre_rmse", "catt", "donors_move"]
    return pd.DataFrame(rows, columns=columns).set_index("donors")


def _exposures(exposure: pd.Series[float] | Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in check_mapping("exposure", exposure, "a number for each donor").items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            found[str(name)] = float("nan")
        if not np.isfinite(found[str(name)]):
            raise RequestError(
                f"The exposure of {name} is {value!r}, not a finite number. Leave out donors that have none."
            )
    return found


def _comovement(cohort: Cohort) -> FloatArray:
    """Correlation of each donor with the treated before the event, both less the mean donor."""
    before = cohort.donors[: cohort.n_pre]
    mean = before.mean(axis=1)
    own = weighted_mean(cohort.treated[: cohort.n_pre].T, np.ones(len(cohort.events))) - mean
    rest = before - mean[:, None]
    rest, own = rest - rest.mean(axis=0), own - own.mean()
    scale = np.sqrt((rest**2).sum(axis=0) * (own**2).sum())
    return np.asarray(rest.T @ own / np.maximum(scale, np.finfo(float).tiny))
