"""Average abnormal returns with the standard error of a test that fits the design, weighted or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy._typing import FloatArray
from eventstudy.arguments import check_text
from eventstudy.errors import RequestError
from eventstudy.inference import dependence, procedures
from eventstudy.inference.base import (
    Alternative,
    Options,
    Statistic,
    TestInput,
    check_alternative,
    t_bounds,
    t_p_values,
)
from eventstudy.inference.power_and_detectable_effect import detectable, detectable_car
from eventstudy.results.data_warnings import shared_days_of
from eventstudy.results.fitted import FittedEvents, FittedStudy
from eventstudy.text import format_p, plural
from eventstudy.windows import Window

__all__ = ["SIDES", "averages", "days_note", "none_note", "uncovered_note", "weighted_averages", "with_lead"]

#: Weights that are not a column; and where the standard error of a weighted mean is from.
PRECISION = "precision"
PAST, SPREAD = "weighted_past", "weighted_spread"
#: Seed of a lead test that resamples.
SEED = 0
ALPHA = 0.05
#: What p-values of a side are called.
SIDES: dict[Alternative, str] = {
    "two-sided": "two-sided",
    "less": "one-sided, for falls",
    "greater": "one-sided, for rises",
}


def averages(
    inputs: Sequence[TestInput],
    test: str | None,
    level: float,
    alternative: Alternative = "two-sided",
) -> pd.DataFrame:
    """Mean CAR of each window with an interval; one row per window.

    One test serves all windows; see `eventstudy.inference.procedures.mean_interval.interval_test`.
    """
    check_alternative(alternative)
    key = procedures.interval_test(inputs) if test is None else procedures.checked_interval_test(test)
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
        done = inference.TESTS[key].run(data, Options(alternative))
        if not np.isnan(done.statistic):
            se = procedures.standard_error(done)
            dof = float(done.dof) if isinstance(done.dof, (int, float, np.floating)) else np.inf
            low, high = t_bounds(np.array(done.estimate), np.array(se), dof, level, alternative)
            row |= {
                "caar": done.estimate,
                "se": se,
                "statistic": done.statistic,
                "dof": dof,
                "p_value": done.p_value,
                "ci_low": float(low),
                "ci_high": float(high),
                "detectable": np.nan if np.isnan(se) else _detectable(key, done, data, alternative),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _detectable(key: str, done: Statistic, data: TestInput, alternative: Alternative) -> float:
    used = inference.TESTS[key].events_of(data)
    least = (
        None
        if isinstance(used, str)
        else detectable_car(inference.TESTS[key], done, used, Options(alternative))
    )
    return np.nan if least is None else least


def with_lead(
    frame: pd.DataFrame, inputs: Sequence[TestInput], alternative: Alternative = "two-sided"
) -> pd.DataFrame:
    """Add to averages a note which names the lead test where it and the interval disagree at 5%.

    Parameters
    ----------
    frame : DataFrame
        Rows of `averages`.
    inputs : sequence of TestInput
        What they were made of.
    alternative : {"two-sided", "less", "greater"}
    """
    notes = []
    for own, data in zip(frame["p_value"].tolist(), inputs, strict=True):
        chosen = inference.recommend(data)["test"]
        note = ""
        if len(chosen) and not np.isnan(own):
            lead = str(chosen.iloc[0])
            p = float(inference.run_tests(data, [lead], Options(alternative, seed=SEED))["p_value"].iloc[0])
            if (p <= ALPHA) != (own <= ALPHA):
                note = f"{lead}, the test that leads in this design, has p {format_p(p, equals=True)}"
        elif np.isnan(own):
            note = none_note(data)
        notes.append(note)
    return frame.assign(note=notes)


def none_note(data: TestInput) -> str:
    """Say why a mean has no standard error, where nothing tells how its events move together; else empty."""
    unknown = dependence.unknown_correlation(data)
    return f"no standard error: {unknown}" if unknown else ""


def days_note(data: FittedEvents, window: Window) -> str:
    """Say which days averages over events count more than once, and which they lack; empty where none."""
    return "; ".join(filter(None, [_shared_note(data, window), uncovered_note(data, window)]))


def uncovered_note(data: FittedEvents, window: Window) -> str:
    """Say how many events count with fewer days than a window has; empty where all cover it."""
    tested = data.test_input(window)
    days = tested.cumulative.n_days[tested.usable & ~tested.cumulative.complete]
    if not len(days):
        return ""
    said = f"{days.min()}" if days.min() == days.max() else f"{days.min()} to {days.max()}"
    return (
        f"{plural(len(days), 'event')} of {int(tested.usable.sum())} count with the {said} of "
        f"{len(window)} days of {window} that their returns cover (incomplete='partial')"
    )


def _shared_note(data: FittedEvents, window: Window) -> str:
    """Say how many days count more than once in sums over events; empty where none does."""
    tested = data.test_input(window)
    shared = shared_days_of(tested.with_car, data.securities[tested.usable])
    if not shared:
        return ""
    stacked = "results.stacked()" if isinstance(data, FittedStudy) else "stacked() of results.studies[...]"
    return (
        f"windows {window} of several events of one security share days: {shared} of them "
        f"{'counts' if shared == 1 else 'count'} more than once; {stacked} shares them out"
    )


def weighted_averages(
    data: FittedEvents,
    inputs: Sequence[TestInput],
    weights: str,
    test: str | None,
    level: float,
    alternative: Alternative,
) -> pd.DataFrame:
    """Weighted mean CAR of each window with an interval; columns as of `averages`."""
    check_alternative(alternative)
    if test not in (None, PAST, SPREAD):
        raise RequestError(f"With weights, test is {PAST!r} or {SPREAD!r}; got {test!r}.")
    given = _given_weights(data, weights)
    longest = max(inputs, key=lambda each: (each.n_events, len(each.window)))
    key = test or (SPREAD if procedures.spread_serves(longest) else PAST)
    return pd.DataFrame([_weighted_row(each, given, key, level, alternative) for each in inputs])


def _weighted_row(
    data: TestInput, given: FloatArray | None, key: str, level: float, alternative: Alternative
) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(
        ("caar", "se", "statistic", "dof", "p_value", "ci_low", "ci_high"), np.nan
    )
    known = np.asarray(data.cumulative.variance) > 0
    if given is not None and not known.any():  # without a standard error there is still a mean
        known = data.usable
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
    if key == PAST and not (used.cumulative.variance > 0).all():
        return row | {"caar": float(weights @ used.car)}
    mean, se, dof = (
        procedures.by_past(used, weights) if key == PAST else procedures.by_spread(used.car, weights)
    )
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


def _given_weights(data: FittedEvents, weights: str) -> FloatArray | None:
    """Take the weights of the events from their column; None for precision."""
    check_text("weights", weights)
    if weights == PRECISION and PRECISION not in data.events:
        return None
    column = pd.to_numeric(data.groups(weights), errors="coerce")
    bad = ~(column > 0) | ~np.isfinite(column)
    if bad.any():
        raise RequestError(
            f"The weight {weights!r} of event {column.index[bad.to_numpy()][0]} is "
            f"{data.events[weights][bad.to_numpy()].tolist()[0]!r}, not a positive number."
        )
    return column.to_numpy(dtype=float)
