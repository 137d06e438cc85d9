"""Tables of a causal study: its tests, which of them the design allows, and its summary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.arguments import check_sequence
from eventstudy.causal.balance import diagnostics, donor_ratio
from eventstudy.causal.draws import FEWEST_SHOWING
from eventstudy.causal.estimates import CausalEstimates
from eventstudy.causal.significance import CAUSAL_TESTS, FEWEST_DAYS, CausalInput, Outcome, by_cluster
from eventstudy.errors import RequestError
from eventstudy.tables import Section, Table
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["checked_tests", "daily_effects", "recommended", "summary", "test_table"]

#: Dates from which on a t over dates is trusted first.
MANY_DATES = 10
#: Ratio of the donors' errors in the window to those before it from which on the days count as volatile.
VOLATILE = 1.5
#: Least power a placebo test should have room for: placebos below which p < 0.05 needs the most extreme.
FEW_PLACEBOS = 39


def checked_tests(tests: Sequence[str] | None) -> list[str]:
    """Return the keys asked for, all by default; refuse unknown ones."""
    if isinstance(tests, str):
        raise RequestError(f"tests is a list of keys: tests=[{tests!r}].")
    given = CAUSAL_TESTS if tests is None else check_sequence("tests", tests, "keys, such as ['placebo']")
    keys = list(dict.fromkeys(map(str, given)))
    unknown = [key for key in keys if key not in CAUSAL_TESTS]
    if unknown:
        raise RequestError(
            f"Unknown test of a causal study: {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(CAUSAL_TESTS)}."
        )
    return keys


def test_table(data: CausalInput, window: Window, keys: Sequence[str], level: float) -> pd.DataFrame:
    """Results of tests, one row each; see `CausalResults.test`."""
    total = float(data.path.gap[data.columns(window)].sum())
    rows = []
    for key in keys:
        test = CAUSAL_TESTS[key]
        found = test.compute(data, window, level)
        fine = isinstance(found, Outcome)
        told = found if isinstance(found, Outcome) else Outcome(np.nan, np.nan, "")
        rows.append(
            {
                "test": key,
                "title": test.title,
                "statistic": told.statistic,
                "distribution": told.distribution,
                "dof": np.nan if told.dof is None else told.dof,
                "p_value": told.p_value,
                "estimate": total if np.isnan(told.estimate) else told.estimate,
                "se": told.se,
                "ci_low": told.low,
                "ci_high": told.high,
                "n_events": data.n_events,
                "n_dates": len(data.dates),
                "null": test.null,
                "robust_to": ", ".join(sorted(test.robust_to)),
                "reference": test.reference,
                "applicable": fine,
                "note": told.note if fine else str(found),
            }
        )
    return pd.DataFrame(rows).set_index("test")


def daily_effects(estimates: CausalEstimates, data: CausalInput, key: str, level: float) -> pd.DataFrame:
    """Mean effect of each day with the inference of a test; see `CausalResults.day_effects`."""
    window, path = estimates.spec.window, data.path
    seen = estimates.by_event.notna().sum(axis=0).to_numpy()
    rows = []
    for day, n in zip(window.offsets.tolist(), seen.tolist(), strict=True):
        row: dict[str, object] = {"effect": float(path.gap[path.days == day][0])}
        row |= {"se": np.nan, "ci_low": np.nan, "ci_high": np.nan, "p_value": np.nan}
        found = CAUSAL_TESTS[key].compute(data, Window(day, day), level) if key and n else ""
        if isinstance(found, Outcome):
            row |= {"se": found.se, "ci_low": found.low, "ci_high": found.high, "p_value": found.p_value}
            if not np.isnan(found.estimate):
                row["effect"] = found.estimate
        rows.append(row | {"n_events": n, "test": key})
    return pd.DataFrame(rows, index=pd.Index(window.offsets, name="day"))


def recommended(data: CausalInput, window: Window) -> pd.DataFrame:
    """List the tests that the design allows, the best first; see `CausalResults.recommended`."""
    rows: list[tuple[str, str]] = []
    dates = len(by_cluster(data, window)[0])
    if dates >= MANY_DATES:
        rows.append(
            ("date_t", f"{dates} clusters of dates are enough, and a shock of one day stays in its own")
        )
    ratio = _ratio(data, window)
    volatile = ratio > VOLATILE
    days = min(each.cohort.n_pre for each in data.cohorts)
    drawable = all(
        len(each.cohort.donor_names) >= len(each.cohort.events) + max(len(each.cohort.events), 2)
        for each in data.cohorts
    )
    fewest = min(len(each.cohort.donor_names) for each in data.cohorts)
    alone = data.n_events == 1
    enough = fewest >= (FEW_PLACEBOS if alone else 20)
    placebo = (
        "placebo",
        f"the donors met the same day, whose errors are {ratio:.1f} times those before it"
        if volatile
        else "the donors met the same day, and groups of them show what chance does",
    )
    scaled = (
        "conformal_block_scaled",
        f"{days} days before the event, each scaled by the donors' errors of that day",
    )
    conformal = (
        "conformal_block",
        f"{days} days before the event, and donors too few to show how volatile each was",
    )
    fitted = all(each.fit.weights is not None for each in data.cohorts)
    if drawable and enough:
        rows.append(placebo)
    if data.without_error:
        return pd.DataFrame(columns=["test", "reason"])
    if days > FEWEST_DAYS and fitted and not data.lumped(window):
        if fewest >= FEWEST_SHOWING:
            rows.append(scaled)
        elif not volatile:
            rows.append(conformal)
    if drawable and not enough and fewest >= 20:
        rows.append((placebo[0], f"{fewest} donors give no p-value below {1 / (fewest + 1):.3f}"))
    if 2 <= dates < MANY_DATES:
        rows.append(("date_t", f"{dates} clusters of dates are few: its power is low"))
    return pd.DataFrame(rows, columns=["test", "reason"])


def _ratio(data: CausalInput, window: Window) -> float:
    """Mean over the first dates of the donors' error in the window over that before it."""
    ratios = [donor_ratio(each, window)[1] for each in data.cohorts[:MANY_DATES]]
    known = [ratio for ratio in ratios if np.isfinite(ratio)]
    return float(np.mean(known)) if known else 1.0


def summary(results: CausalEstimates, data: CausalInput, window: Window) -> Table:
    """Design, effects, tests and fit; see `CausalResults.summary`."""
    spec = results.spec
    advice = recommended(data, window)
    keys = list(advice["test"])
    fit = diagnostics(spec, results.cohorts, window)
    total = float(data.path.gap[data.columns(window)].sum())
    n_days = len(data.columns(window))
    first, last = fit.index.min(), fit.index.max()
    design = pd.DataFrame(
        {
            "value": {
                "Estimator": spec.estimator.label,
                "Treated": f"{plural(len(results.sample), 'event')} on {plural(results.n_dates, 'date')}",
                "Dates": f"{first:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last != first else ""),
                "Estimation": f"{spec.estimation}, {_span(fit['n_days'])} days used",
                "Donors": _span(fit["n_donors"]),
                f"Sum of effects, {window}": f"{total:+.2%} over {plural(n_days, 'day')}",
                f"Average effect per day, {window}": f"{total / max(n_days, 1):+.3%}",
                "Error before the event": f"{data.path.rmse:.2%} (root mean square)",
            }
        }
    )
    path = data.path
    inside = (path.days >= window.start) & (path.days <= window.end)
    effects = pd.DataFrame(
        {"effect": path.gap[inside], "sum": np.nancumsum(path.gap[inside])},
        index=pd.Index(path.days[inside], name="day"),
    )
    percent = {"effect": "{:.2%}", "sum": "{:.2%}"}
    sections = [Section(design, "Design", index=True), Section(effects, "Mean effect by day", percent)]
    if keys:
        tests = test_table(data, window, keys, 0.95)[
            ["p_value", "estimate", "se", "ci_low", "ci_high", "note"]
        ]
        tests = tests.assign(reason=advice["reason"].to_numpy())
        shown = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), "{:.2%}")
        sections.append(Section(tests, f"Recommended tests of the sum, {window}", shown))
    if len(fit) <= 10:
        columns = ["n_events", "n_donors", "pre_rmse", "donor_pre_rmse", "donor_ratio"]
        columns += [name for name in ("effective_donors", "largest_weight") if name in fit]
        columns += ["beta", "beta_counterfactual", "beta_low", "beta_high"]
        dates = pd.Index([f"{date:%Y-%m-%d}" for date in fit.index], name="date")
        table = fit[columns].set_axis(dates, axis=0)
        shown = dict.fromkeys(columns[4:], "{:.2f}") | {"pre_rmse": "{:.2%}", "donor_pre_rmse": "{:.2%}"}
        shown |= {"n_events": "{:d}", "n_donors": "{:d}"}
        sections.append(Section(table, "Fit before the event", shown))
    return Table("Causal event study", tuple(sections), tuple(_notes(results, fit, keys)))


def _span(numbers: pd.Series[int]) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}"


def _notes(results: CausalEstimates, fit: pd.DataFrame, keys: list[str]) -> list[str]:
    notes = ["Returns are simple, and effects are added up, not compounded."]
    if not keys:
        notes.append("No test has enough dates, donors or days: the effect stands without inference.")
    if results.n_dates == 1 and len(results.sample) > 1:
        notes.append(
            f"{len(results.sample)} treated firms on one date share its shocks and are one observation, "
            f"not {len(results.sample)}."
        )
    outside = fit.index[~fit["inside"].astype(bool)]
    if len(outside):
        told = ", ".join(f"{date:%Y-%m-%d}" for date in outside[:3])
        notes.append(
            f"The treated's beta lies outside the donors' range on {told}{', ...' * (len(outside) > 3)}: "
            "weights that are positive and sum to one cannot reach it."
        )
    if not fit["unique"].all():
        notes.append(
            "Several sets of weights fit equally well on some dates; the one of least norm is taken."
        )
    volatile = fit.index[fit["donor_ratio"] > VOLATILE]
    if len(volatile):
        notes.append(
            f"On {plural(len(volatile), 'date')} the donors' own errors in the window are more than "
            f"{VOLATILE:g} times those before it: tests that take the days for alike reject too often; "
            "those that end in _scaled do not."
        )
    left = sum(each.cohort.n_days_left_out for each in results.cohorts)
    if left:
        notes.append(
            f"{plural(left, 'day')} of the windows lie outside of the data, or hardly any donor trades "
            "on them; they are left out."
        )
    if len(results.sample.excluded):
        n = plural(len(results.sample.excluded), "event")
        notes.append(f"{n} could not be used; see results.excluded.")
    return notes
