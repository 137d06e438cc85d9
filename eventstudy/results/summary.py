"""The summary: design, events, abnormal returns and the tests that survive the design, as one table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import counted, told_time
from eventstudy.inference import recommend, run_tests
from eventstudy.inference.base import Options
from eventstudy.market import LEVELS
from eventstudy.results import average
from eventstudy.results.cautions import dividend_notes, friction_notes
from eventstudy.results.data import EventData, StudyData
from eventstudy.tables import Section, Table, stars
from eventstudy.windows import Window

__all__ = ["composed", "design", "design_rows", "summary_table", "unit"]

#: Events listed one by one; a larger study shows its averages.
MOST_EVENTS = 12


def summary_table(data: StudyData, window: Window) -> Table:
    """Summarise a fitted study with `window` as its headline."""
    title = f"Event study: {data.spec.model.label}"
    return composed(data, window, title, [design(data)], [_model(data)])


def composed(data: EventData, window: Window, title: str, before: list[Section], few: list[Section]) -> Table:
    """Compose a summary: sections `before` all others, and `few` where the events are listed one by one."""
    n = len(data.index)
    sections = [*before, _events(data)]
    if n <= MOST_EVENTS:
        sections += [_abnormal(data, window), *few]
    if n > 1:
        sections += [_averages(data, window)]
    sections += [_tests(data, window)]
    if len(data.excluded):
        sections += [_excluded(data)]
    return Table(title, tuple(sections), tuple(_notes(data, window)))


def design(data: StudyData) -> Section:
    """Design of a study: events, market, benchmark, windows, standard error."""
    return Section(pd.DataFrame({"": design_rows(data)}), "Design")


def design_rows(data: StudyData) -> pd.Series:
    """Cells of the section `design`, by row."""
    spec, fit = data.spec, data.fit
    market = spec.market
    n, out = len(data.sample), len(data.sample.excluded)
    securities = data.sample.timeline["security"].nunique()
    rows = {
        "events": f"{n} of {n + out} used, {securities} securit{'y' if securities == 1 else 'ies'}",
        "market": f"{market.sessions[0]:%Y-%m-%d} to {market.sessions[-1]:%Y-%m-%d}, "
        f"{len(market.sessions)} sessions" + (f" of {market.exchange.code}" if market.exchange else ""),
        "benchmark": ", ".join([*market.benchmarks, *data.sample.bank.names[len(market.bank.names) :]])
        or "none",
        "values" if market.kind in LEVELS else "returns": market.kind,
        "estimation window": f"{spec.estimation}, {int(fit.n_obs.min())}"
        + (f" to {int(fit.n_obs.max())}" if fit.n_obs.max() > fit.n_obs.min() else "")
        + f" of {len(spec.estimation)} returns used",
        **({"other announcements": _skipped(data)} if spec.exclude_events else {}),
        "event window": str(spec.window),
        "standard error": fit.se_source,
    }
    return pd.Series(rows, dtype=object)


def _skipped(data: StudyData) -> str:
    days = data.sample.skipped().sum(axis=1)
    return f"their event windows are left out of {counted(int((days > 0).sum()), 'estimation window')}" + (
        f", {days[days > 0].min()} to {days.max()} days each" if days.any() else ""
    )


def _events(data: EventData) -> Section:
    shown = data.timeline.head(MOST_EVENTS)
    columns = ["security", "label", "announced", "day_0", "note"]
    frame = shown[columns].assign(day_0=shown["day_0"].map(told_time))
    frame = frame.loc[:, [c for c in columns if c == "security" or frame[c].fillna("").ne("").any()]]
    more = len(data.index) - len(shown)
    return Section(
        frame.rename(columns={"day_0": "day 0"}),
        "Events" + (f" (first {len(shown)}; {more} more)" if more else ""),
    )


def _abnormal(data: EventData, window: Window) -> Section:
    windows = list(dict.fromkeys([Window(0, 0), window]))
    parts = []
    for tested in windows:
        name = f"AR {tested.start:+d}".replace("+0", "0") if len(tested) == 1 else f"CAR {tested}"
        cars = data.cars(tested)
        cars.insert(0, "security", data.timeline["security"])
        cars.insert(1, "measure", name)
        parts.append(cars.assign(order=range(len(cars))))
    frame = pd.concat(parts).sort_values("order", kind="stable")
    columns = ["security", "measure", "car", "se", "t", "p_value", "stars", "ci_low", "ci_high", "n_days"]
    frame["stars"] = [stars(p) for p in frame["p_value"]]
    frame = frame[columns]
    names = {
        "car": "estimate",
        "se": "s.e.",
        "p_value": "p",
        "stars": "",
        "ci_low": "95% from",
        "ci_high": "to",
        "n_days": "days",
    }
    percent = ("estimate", "s.e.", "95% from", "to")
    formats = dict.fromkeys(percent, "{:.2%}") | {"t": "{:.2f}", "p": "{:.4f}", "days": "{:d}"}
    return Section(frame.rename(columns=names).rename_axis("event"), "Abnormal returns", formats)


def _model(data: StudyData) -> Section:
    fit = data.fit
    frame = pd.DataFrame(fit.params, data.index, list(fit.param_names))
    frame.insert(0, "security", data.timeline["security"])
    frame = frame.assign(sigma=np.sqrt(fit.s2), r_squared=fit.r_squared, n_obs=fit.n_obs)
    formats = dict.fromkeys(fit.param_names, "{:.4f}")
    formats |= {"alpha": "{:.3%}", "mu": "{:.3%}"} if {"alpha", "mu"} & set(fit.param_names) else {}
    formats = {name: form for name, form in formats.items() if name in frame}
    formats |= {"daily s.d.": "{:.2%}", "R2": "{:.2f}", "returns": "{:d}"}
    frame = frame.rename(columns={"sigma": "daily s.d.", "r_squared": "R2", "n_obs": "returns"})
    return Section(frame.rename_axis("event"), "Normal returns", formats)


def _averages(data: EventData, window: Window) -> Section:
    windows = list(dict.fromkeys([Window(0, 0), window, data.event_window]))
    frame = average.averages([data.test_input(w) for w in windows], windows, None, 0.95)
    frame = frame.set_axis(pd.Index([str(w) for w in windows], name="window"), axis=0)
    frame[""] = [stars(p) for p in frame["p_value"]]
    order = ["caar", "se", "statistic", "p_value", "", "ci_low", "ci_high", "positive", "n_events", "test"]
    frame = frame[order]
    names = {
        "caar": "CAAR",
        "se": "s.e.",
        "p_value": "p",
        "ci_low": "95% from",
        "ci_high": "to",
        "n_events": "N",
        "statistic": "t",
    }
    formats = dict.fromkeys(("CAAR", "s.e.", "95% from", "to"), "{:.2%}")
    formats |= {"positive": "{:.0%}", "t": "{:.2f}", "p": "{:.4f}", "N": "{:d}"}
    return Section(frame.rename(columns=names), "Averages over events", formats)


def _tests(data: EventData, window: Window) -> Section:
    tested = data.test_input(window)
    chosen = recommend(tested)
    done = run_tests(tested, list(chosen["test"]), Options(seed=0)).set_index("test")
    frame = chosen.join(done[["statistic", "p_value"]], on="test").set_index("test")
    frame.insert(3, "", [stars(p) for p in frame["p_value"]])
    frame = frame[["statistic", "p_value", "", "reason"]].rename(columns={"p_value": "p"})
    return Section(frame, f"Recommended tests of {_what(window)}", {"statistic": "{:.3f}", "p": "{:.4f}"})


def _excluded(data: EventData) -> Section:
    frame = data.excluded
    shown = frame.head(MOST_EVENTS)[["security", "reason"]]
    return Section(shown, f"Excluded events ({len(frame)})")


def _notes(data: EventData, window: Window) -> list[str]:
    notes = [f"{unit(data)}; * p <= 0.10, ** p <= 0.05, *** p <= 0.01, two-sided."]
    days = data.test_input(window).cumulative.n_days
    short = data.index[(days < len(window)) & (days > 0)]
    if len(short):
        notes.append(
            f"Fewer than {len(window)} returns in {window}: event "
            + ", ".join(map(str, short[:5]))
            + (", ..." if len(short) > 5 else "")
            + "."
        )
    notes += friction_notes(data)
    weak = data.cars(window)
    weak = weak[weak["p_value"] > 0.05]
    if len(weak) and len(data.index) <= MOST_EVENTS:
        told = ", ".join(f"{e:.1%} (event {i})" for i, e in weak["detectable"].items())
        notes.append(f"A 5 % test of {_what(window)} finds four times in five an effect of {told}.")
    if len(data.index) > 1:
        mean = average.averages([data.test_input(window)], [window], None, 0.95).iloc[0]
        if mean["p_value"] > 0.05:
            notes.append(
                f"A 5 % test of the average of {_what(window)} ({mean['test']}) finds four times in five a "
                f"mean of {mean['detectable']:.1%}."
            )
    notes += dividend_notes(data)
    lost = int((~data.test_input(window).usable).sum())
    if lost:
        notes.append(
            f"{counted(lost, 'event')} without CAR over {window}: no return in it, or one that lumps earlier "
            "sessions."
        )
    return notes


def unit(data: EventData) -> str:
    """Tell what the percentages of a table are."""
    kind = data.kind
    if kind not in LEVELS:
        return "Returns are decimals shown in percent"
    scale = "in log points, 100% being a factor of e = 2.72" if kind.startswith("log") else "in percent a day"
    return f"Abnormal {kind} {scale}"


def _what(window: Window) -> str:
    return f"the abnormal return of day {window.start}" if len(window) == 1 else f"CAR {window}"
