"""The summary: design, events, abnormal returns and recommended tests, as one table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy import inference, models
from eventstudy._typing import IntArray
from eventstudy.inference import procedures
from eventstudy.inference.base import Alternative, Options, check_alternative
from eventstudy.market import LEVELS
from eventstudy.market.adjustment import price_index
from eventstudy.results import averages
from eventstudy.results.each_event import event_rows, joint_adjustment, one_security
from eventstudy.results.fitted import FittedEvents, FittedStudy, StudySpec, uses_benchmark
from eventstudy.results.trading_frictions import halts, limit_hits
from eventstudy.tables import P_VALUE, Section, Table, stars
from eventstudy.tables.table import stars_note
from eventstudy.text import format_time, plural, some_text
from eventstudy.windows import Window

__all__ = ["composed", "design", "design_rows", "dividend_notes", "friction_notes", "summary_table", "unit"]


def friction_notes(data: FittedEvents) -> list[str]:
    """Describe closes at the price limit, with their share, and halts within the event windows."""
    notes = []
    hits = limit_hits(data)
    if len(hits):
        touched, closed = len(hits), int(hits["at_close"].sum())
        limited = [part for part in data.parts() if part.study.spec.market.has_limits]
        days = sum(int((~np.isnan(part.study.abnormal.actual[part.rows])).sum()) for part in limited)
        told = (
            f"{plural(touched, 'session')} of {days} in event windows ({touched / days:.1%}) touched a daily"
        )
        told += f" price limit, {closed} closed at it"
        if closed:
            n = hits.loc[hits["at_close"], "event_id"].nunique()
            told += f", of {plural(n, 'event')}: the move is truncated there"
        notes.append(f"{told}; see limit_hits, and car(0, 'first_free_close').")
    counts = [_limits_in_estimation(part.study, part.rows) for part in data.parts()]
    censored, known = sum(n for n, _ in counts), sum(n for _, n in counts)
    if censored:
        notes.append(
            f"{plural(censored, 'close')} of {known} in estimation windows ({censored / known:.1%}) at the "
            "daily price limit: "
            + (
                "the Tobit model treats them as bounds."
                if all(isinstance(part.study.spec.model, models.TobitMarketModel) for part in data.parts())
                else "normal returns and their variance are estimated from truncated moves."
            )
        )
    spells = halts(data)
    inside = spells[spells["resumed_on_day"] != 0]
    if len(inside):
        notes.append(
            f"{plural(len(inside), 'spell')} without trade within event windows, besides those that moved "
            "day 0; see halts."
        )
    return notes


def _limits_in_estimation(data: FittedStudy, rows: IntArray) -> tuple[int, int]:
    """Count closes at a limit, and closes, in the estimation windows."""
    market, sample = data.spec.market, data.sample
    if not market.has_limits:
        return 0, 0
    closed = np.abs(market.limits.closed.to_numpy().T, dtype=np.int64)
    traded = (market.arrays.spans > 0).astype(np.int64)
    last = len(market.sessions) - 1
    ends = np.array([data.spec.estimation.start, data.spec.estimation.end])
    ends = ends if sample.own is None else sample.own.estimation[rows]
    first, end = np.clip(sample.day0[rows, None] + ends - [1, 0], -1, last).T

    def between(flags: IntArray) -> int:
        total = np.concatenate([np.zeros((len(flags), 1), np.int64), np.cumsum(flags, axis=1)], axis=1)
        security = sample.security[rows]
        return int((total[security, end + 1] - total[security, first + 1]).sum())

    return between(closed), between(traded)


def dividend_notes(data: FittedEvents) -> list[str]:
    """Warn where one side of the comparison counts dividends and the other may not."""
    told: dict[str, str] = {}
    closes_alone = False
    for part in data.parts():
        market, sample = part.study.spec.market, part.study.sample
        if market.total_returns and uses_benchmark(part.study.spec.model):
            used = np.unique(sample.benchmark[part.rows])
            names = [sample.bank.names[row] for row in used if row >= 0]
            told |= {name: text for name in names if (text := price_index(name)) is not None}
        daily = market.kind in ("simple", "log") and market.arrays.gap is None
        closes_alone |= daily and market.total_returns is None and bool(market.price_fields)
    notes = []
    if told:
        named = "; ".join(f"{name} is the {text}" for name, text in told.items())
        notes.append(
            f"Returns of securities include dividends, those of the benchmark do not: {named}, a price "
            "index, which falls when its members go ex-dividend."
        )
    if closes_alone:
        notes.append(
            "The prices are closes only: unless they are adjusted, a dividend or split counts as a fall. "
            "Give adj_close, reference prices, or dividends and splits."
        )
    return notes


#: Events listed one by one; a larger study shows its averages.
MOST_EVENTS = 12
#: Benchmarks that are named.
MOST_BENCHMARKS = 12


def summary_table(data: FittedStudy, window: Window, alternative: Alternative = "two-sided") -> Table:
    """Summarise a fitted study with `window` as its headline."""
    title = f"Event study: {data.spec.model.label}"
    return composed(data, window, title, [design(data)], [_model(data)], alternative)


def composed(
    data: FittedEvents,
    window: Window,
    title: str,
    before: list[Section],
    few: list[Section],
    alternative: Alternative,
) -> Table:
    """Compose a summary: sections `before` all others, and `few` where the events are listed one by one."""
    check_alternative(alternative)
    n = len(data.index)
    sections = [*before, _events(data)]
    if n <= MOST_EVENTS:
        sections += [_abnormal(data, window, alternative), *few]
    if one_security(data):
        sections += [_each(data, window, alternative)]
    if n > 1:
        sections += [_averages(data, window, alternative)]
    sections += _tests(data, window, alternative)
    if len(data.excluded):
        sections += [_excluded(data)]
    return Table(title, tuple(sections), tuple(_notes(data, window, alternative)))


def design(data: FittedStudy) -> Section:
    """Design of a study: events, market, benchmark, windows, standard error."""
    return Section(pd.DataFrame({"": design_rows(data)}), "Design")


def design_rows(data: FittedStudy) -> pd.Series:
    """Cells of the section `design`, by row."""
    spec, fit = data.spec, data.fit
    market = spec.market
    n, out = len(data.sample), len(data.sample.excluded)
    securities = data.sample.timeline["security"].nunique()
    rows = {
        "events": f"{n} of {n + out} used, {securities} securit{'y' if securities == 1 else 'ies'}",
        "market": "in event time, without dates: events are taken for independent"
        if market.undated
        else f"{market.sessions[0]:%Y-%m-%d} to {market.sessions[-1]:%Y-%m-%d}, "
        f"{len(market.sessions)} {'sessions' if data.abnormal.bars is None else 'bars'}"
        + (f" of {market.exchange.code}" if market.exchange else ""),
        "benchmark": _benchmark(data),
        "values" if market.kind in LEVELS else "returns": market.kind,
        "estimation window": f"{spec.estimation_text}, {int(fit.n_obs.min())}"
        + (f" to {int(fit.n_obs.max())}" if fit.n_obs.max() > fit.n_obs.min() else "")
        + (f" of {len(spec.estimation)} returns used" if spec.common else " returns used"),
        **({"other announcements": _skipped(data)} if spec.exclude_events else {}),
        **({"dates left out": _dates_left_out(spec)} if spec.exclude_dates else {}),
        "event window": spec.window_text,
        "standard error": fit.se_source
        if fit.n_obs.any()
        else "no event has one of its own, without estimation days",
    }
    return pd.Series(rows, dtype=object)


def _benchmark(data: FittedStudy) -> str:
    """Names of the benchmarks, where the model has one."""
    if not uses_benchmark(data.spec.model):
        return "not used by this model"
    market = data.spec.market
    names = [*market.benchmarks, *data.sample.bank.names[len(market.bank.names) :]]
    more = len(names) - MOST_BENCHMARKS
    return ", ".join(names[:MOST_BENCHMARKS]) + (f" and {more} more" if more > 0 else "")


def _skipped(data: FittedStudy) -> str:
    days = data.sample.skipped().sum(axis=1)
    return f"their event windows are left out of {plural(int((days > 0).sum()), 'estimation window')}" + (
        f", {days[days > 0].min()} to {days.max()} days each" if days.any() else ""
    )


def _events(data: FittedEvents) -> Section:
    shown = data.timeline.head(MOST_EVENTS)
    columns = ["security", "label", *([] if data.undated else ["announced", "day_0"]), "note"]
    frame = shown[columns]
    if not data.undated:
        frame = frame.assign(day_0=frame["day_0"].map(format_time))
    frame = frame.loc[:, [c for c in columns if c == "security" or some_text(frame[c])]]
    more = len(data.index) - len(shown)
    return Section(
        frame.rename(columns={"day_0": "day 0"}),
        "Events" + (f" (first {len(shown)}; {more} more)" if more else ""),
    )


def _abnormal(data: FittedEvents, window: Window, alternative: Alternative) -> Section:
    windows = list(dict.fromkeys([Window(0, 0), window]))
    parts = []
    for tested in windows:
        name = f"AR {tested.start:+d}".replace("+0", "0") if len(tested) == 1 else f"CAR {tested}"
        cars = data.cars(tested, alternative=alternative)
        cars.insert(0, "security", data.timeline["security"])
        cars.insert(1, "return", name)
        parts.append(cars.assign(order=range(len(cars))))
    frame = pd.concat(parts).sort_values("order", kind="stable")
    columns = ["security", "return", "car", "se", "t", "p_value", "stars", "ci_low", "ci_high", "n_days"]
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
    formats = dict.fromkeys(percent, "{:.2%}") | {"t": "{:.2f}", "p": P_VALUE, "days": "{:d}"}
    return Section(frame.rename(columns=names).rename_axis("event"), "Abnormal returns", formats)


def _model(data: FittedStudy) -> Section:
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


def _averages(data: FittedEvents, window: Window, alternative: Alternative) -> Section:
    windows = list(dict.fromkeys([Window(0, 0), window, data.event_window]))
    frame = averages.averages([data.test_input(w) for w in windows], None, 0.95, alternative)
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
    formats |= {"positive": "{:.0%}", "t": "{:.2f}", "p": P_VALUE, "N": "{:d}"}
    return Section(frame.rename(columns=names), "Averages over events", formats)


def _each(data: FittedEvents, window: Window, alternative: Alternative) -> Section:
    """Test each announcement about the one security."""
    frame = event_rows(data, window, joint_adjustment(data, window), Options(alternative, seed=0))
    frame = frame.head(MOST_EVENTS)
    names = {
        "day_0": "day 0",
        "car": "CAR",
        "p_t": "p (t)",
        "p_filtered_sq": "p (filtered_sq)",
        "p_adjusted": "p adjusted",
        "ci_low": "95% from",
        "ci_high": "to",
    }
    frame["day_0"] = frame["day_0"].map(format_time)
    frame = frame[[name for name in ("label", *names) if name in frame]].rename(columns=names)
    formats = dict.fromkeys(("CAR", "95% from", "to"), "{:.2%}")
    formats |= dict.fromkeys(("p (t)", "p (filtered_sq)", "p adjusted"), P_VALUE)
    return Section(frame.rename_axis("event"), "Each announcement on its own", formats)


def _tests(data: FittedEvents, window: Window, alternative: Alternative) -> list[Section]:
    tested = data.test_input(window)
    chosen = inference.recommend(tested)
    if chosen.empty:
        return []
    done = inference.run_tests(tested, list(chosen["test"]), Options(alternative, seed=0)).set_index("test")
    frame = chosen.join(done[["statistic", "p_value"]], on="test").set_index("test")
    frame.insert(3, "", [stars(p) for p in frame["p_value"]])
    frame = frame[["statistic", "p_value", "", "reason"]].rename(columns={"p_value": "p"})
    return [Section(frame, f"Recommended tests of {_what(window)}", {"statistic": "{:.3f}", "p": P_VALUE})]


def _excluded(data: FittedEvents) -> Section:
    frame = data.excluded
    shown = frame.head(MOST_EVENTS)[["security", "reason"]]
    return Section(shown, f"Excluded events ({len(frame)})")


def _notes(data: FittedEvents, window: Window, alternative: Alternative) -> list[str]:
    notes = [f"{unit(data)}; {stars_note(alternative)}."]
    sums = data.test_input(window).cumulative
    if inference.recommend(data.test_input(window)).empty:
        notes.append(procedures.none_recommended(data.test_input(window)))
    cut = data.index[~sums.complete & (sums.n_days > 0)]
    if len(cut):
        left_out = "" if data.abnormal.partial else " and are in no number of that window"
        notes.append(
            f"Returns that do not cover {window}{left_out}: event "
            + ", ".join(map(str, cut[:5]))
            + (", ..." if len(cut) > 5 else "")
            + "."
        )
    short = data.index[(sums.n_days < len(window)) & (sums.n_days > 0) & sums.complete]
    if len(short):
        notes.append(
            f"Fewer than {len(window)} returns in {window}: event "
            + ", ".join(map(str, short[:5]))
            + (", ..." if len(short) > 5 else "")
            + "."
        )
    notes += friction_notes(data)
    weak = data.cars(window, alternative=alternative)
    weak = weak[weak["p_value"] > 0.05]
    if len(weak) and len(data.index) <= MOST_EVENTS:
        told = ", ".join(f"{e:.1%} (event {i})" for i, e in weak["detectable"].items())
        notes.append(
            f"At the 5% level, a test of {_what(window)} has 80% power to detect an effect of {told}."
        )
    if len(data.index) > 1:
        tested = [data.test_input(window)]
        means = averages.averages(tested, None, 0.95, alternative)
        mean = averages.with_lead(means, tested, alternative).iloc[0]
        if mean["note"] and not np.isnan(mean["p_value"]):
            notes.append(f"The interval of the mean of {_what(window)} and the test differ: {mean['note']}.")
        if mean["p_value"] > 0.05:
            notes.append(
                f"At the 5% level, the {mean['test']} test of the mean of {_what(window)} has 80% power to "
                f"detect a mean of {mean['detectable']:.1%}."
            )
        shared = averages.days_note(data, window)
        if shared:
            notes.append(f"{shared[0].upper()}{shared[1:]}.")
    notes += dividend_notes(data)
    lost = int((~data.test_input(window).usable & (sums.complete | (sums.n_days == 0))).sum())
    if lost:
        notes.append(
            f"{plural(lost, 'event')} without a CAR over {window}: no return in it, or one that spans "
            "sessions before the announcement."
        )
    return notes


def unit(data: FittedEvents) -> str:
    """Name what the percentages of a table are."""
    kind = data.kind
    if kind not in LEVELS:
        return "Returns are decimals shown in percent"
    scale = "in log points, 100% being a factor of e = 2.72" if kind.startswith("log") else "in percent a day"
    return f"Abnormal {kind} {scale}"


def _what(window: Window) -> str:
    return f"the abnormal return of day {window.start}" if len(window) == 1 else f"CAR {window}"


def _dates_left_out(spec: StudySpec) -> str:
    """Say how many days the estimation windows leave out."""
    given = spec.exclude_dates or {}
    n = sum(len(days) for days in given.values())
    return f"{n} of all securities" if None in given else f"{n}, of {', '.join(map(str, list(given)[:5]))}"
