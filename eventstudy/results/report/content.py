"""Content of the report: its chapters, for the renderer in `eventstudy.html_page`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.abnormal import abnormal_returns
from eventstudy.errors import RequestError
from eventstudy.html_page import Block, Chapter, Listing, Paragraph, render
from eventstudy.inference import recommend, run_tests
from eventstudy.inference.base import Options
from eventstudy.market import LEVELS
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel, NormalReturnModel
from eventstudy.results import averages, plot_data, trading_frictions
from eventstudy.results.data_warnings import incomplete_windows, suspects_in
from eventstudy.results.each_event import event_rows, one_security
from eventstudy.results.fitted import FittedStudy, uses_benchmark
from eventstudy.results.plot_data import tests
from eventstudy.results.report import reproduce
from eventstudy.results.report.figures import figures, sensitivity_figure
from eventstudy.results.summary import design
from eventstudy.tables import P_VALUE, Section, Table
from eventstudy.text import some_text
from eventstudy.windows import Window

__all__ = ["refitted", "sensitivity", "study_page"]

#: Announcements named in a sentence.
MOST_NAMED = 4
#: Rows of a table beyond these are left to the results object.
MOST_ROWS = 40
LEVEL, ALPHA = 0.95, 0.05
PERCENT = dict.fromkeys(("estimate", "s.e.", "95% from", "to", "AR 0"), "{:.2%}")
FORMATS = PERCENT | {"p": P_VALUE, "beta": "{:.3f}", "R²": "{:.3f}", "events": "{:d}", "days": "{:d}"}


def study_page(
    data: FittedStudy,
    window: Window,
    *,
    question: str | None = None,
    notes: Sequence[str] = (),
    currency: str | None = None,
) -> str:
    """Make the report of a study with `window` as its headline; see `EventStudyResults.report`."""
    if data.spec.market.kind in LEVELS:
        raise RequestError(
            f"A report speaks of returns and prices, and these are values of {data.spec.market.kind}: use "
            "summary() and the figures."
        )
    asked = _question(data) if question is None else question
    chapters = [
        Chapter("Question", [Paragraph(asked), *map(Paragraph, notes)]),
        Chapter("Finding", _finding(data, window, currency)),
        Chapter("Design", [Table("Specification", (Section(design(data).frame),)), _events(data)]),
        Chapter("Data audit", _audit(data)),
        Chapter("Figures", figures(data, window, currency)),
        Chapter("All tests", _tests(data, window)),
        Chapter("Sensitivity", _sensitivity(data, window)),
        Chapter("Events one by one", [_details(data, window)]),
        Chapter("Recipe", _recipe(data, window)),
    ]
    stamp = (
        f"Made with eventstudy {reproduce.versions()['eventstudy']}. Returns are decimals shown in percent."
    )
    return render(f"Event study: {_names(data)}", chapters, foot=stamp)


def _names(data: FittedStudy) -> str:
    timeline = data.sample.timeline
    if len(timeline) == 1:
        return data.name(0)
    labels = [label for label in timeline["label"].unique() if _known(label)]
    what = labels[0] if len(labels) == 1 else f"{len(timeline)} events"
    return f"{what}, {_dates(data)}"


def _known(text: object) -> bool:
    return isinstance(text, str) and text != ""


def _dates(data: FittedStudy) -> str:
    days = data.sample.timeline["day_0"]
    first, last = f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"


def _question(data: FittedStudy) -> str:
    timeline = data.sample.timeline
    if len(timeline) == 1:
        event = timeline.iloc[0]
        news = f"the news “{event['label']}”" if _known(event["label"]) else "the announcement"
        when = f" of {event['announced']}" if _known(event["announced"]) else ""
        return (
            f"Did {news}{when} move {event['security']}, by how much, and is the move distinguishable from "
            "ordinary variation?"
        )
    k = timeline["security"].nunique()
    about = f"{k} securit{'y' if k == 1 else 'ies'}"
    return (
        f"Did {len(timeline)} announcements about {about} ({_dates(data)}) move their prices on average, "
        "by how much, and is the move distinguishable from ordinary variation?"
    )


def _finding(data: FittedStudy, window: Window, currency: str | None) -> list[Block]:
    tested = data.test_input(window)
    if tested.n_events == 0:
        found: list[Block] = [
            Paragraph(f"No event has a cumulative abnormal return over {window}.", is_headline=True)
        ]
        cut = incomplete_windows(data.sample, data.abnormal)
        found += [Paragraph(f"{data.name(row)}: {why}.") for row, why in list(cut.items())[:MOST_ROWS]]
        return found
    mean = averages.averages([tested], None, LEVEL).iloc[0]
    single = len(data.sample) == 1
    told = [_single(data, window) if single else _average(data, window, mean)]
    if one_security(data):
        told[0] = f"{_each(data, window)} {told[0]}"
    if not np.isnan(mean["se"]):
        told[0] += f" (95 % interval {_percent(mean['ci_low'])} to {_percent(mean['ci_high'])})"
    told[0] += "."
    if single and window.start == 0 and window.end >= 0:
        told += _money(data, window, currency)
    chosen = recommend(tested)
    if chosen.empty:
        return [Paragraph(" ".join(told), is_headline=True), Paragraph("No significance test applies.")]
    head, reason = chosen.iloc[0]
    p = float(run_tests(tested, [head])["p_value"].iloc[0])
    what = "the move" if single else "the average"
    verdict = "differs from" if p <= ALPHA else "is not distinguishable from"
    ordinary = "ordinary variation" if single else "zero"
    told.append(f"The {head} test gives p = {_p(p)}: at the 5 % level {what} {verdict} {ordinary}.")
    blocks: list[Block] = [Paragraph(" ".join(told), is_headline=True)]
    blocks.append(Paragraph(f"Why this test: {reason}."))
    if (p <= ALPHA) != (mean["p_value"] <= ALPHA) and not np.isnan(mean["p_value"]):
        blocks.append(
            Paragraph(
                f"The interval rests on the {mean['test']} test, whose p = {_p(mean['p_value'])} says "
                "otherwise; the chapter All tests says what each of them is robust to."
            )
        )
    return blocks


def _percent(value: float) -> str:
    return f"{value:+.2%}".replace("-", "−")


def _p(value: float) -> str:
    return "less than 0.0001" if value < 1e-4 else f"{value:.4f}"


def _single(data: FittedStudy, window: Window) -> str:
    event, car = data.sample.timeline.iloc[0], data.cars(window).iloc[0]
    n, kind = int(car["n_days"]), "log return" if data.spec.market.kind == "log" else "return"
    short = "" if n == len(window) else f" ({n} with a price)"
    return (
        f"Over the {len(window)} session{'s' * (len(window) != 1)} {window} around {event['day_0']:%Y-%m-%d}"
        f"{short}, the {kind}s of {event['security']} sum to {_percent(car['actual'])}, where "
        f"{_percent(car['expected'])} was expected ({data.spec.model.label}): an abnormal return of "
        f"{_percent(car['car'])}"
    )


def _average(data: FittedStudy, window: Window, mean: pd.Series) -> str:
    n = int(mean["n_events"])
    of = "" if n == len(data.sample) else f" of {len(data.sample)}"
    return (
        f"Over the sessions {window}, {mean['positive']:.0%} of the {n}{of} events have a positive abnormal "
        f"return ({data.spec.model.label}), and their mean is {_percent(mean['caar'])}"
    )


def _each(data: FittedStudy, window: Window) -> str:
    """Say which of several announcements about one security moved it."""
    frame = event_rows(data, window, "romano-wolf", Options(seed=0))
    moved = frame[frame["p_adjusted"] <= ALPHA]
    n, k = len(frame), len(moved)
    told = "; ".join(
        f"{day:%Y-%m-%d}, {_percent(car)} (adjusted p = {_p(p)})"
        for day, car, p in moved[["day_0", "car", "p_adjusted"]].head(MOST_NAMED).to_numpy().tolist()
    )
    return (
        f"{k if k else 'None'} of the {n} announcements about {frame['security'].iloc[0]} moved it at the "
        f"5 % level, adjusted for their number{f': {told}' if k else ''}{', ...' * (k > MOST_NAMED)}."
    )


def _money(data: FittedStudy, window: Window, currency: str | None) -> list[str]:
    if "close" not in data.spec.market.price_fields:
        return []
    last = plot_data.reaction(data, 0, window).dropna(subset=["price"]).tail(1)
    unit = "" if currency is None else f" {currency}"
    return [
        f"On {row.date:%Y-%m-%d} a share closed at {row.price:.2f}{unit}, where "
        f"{row.counterfactual:.2f}{unit} was expected."
        for row in last.itertuples()
    ]


def _table(title: str, frame: pd.DataFrame, rest: str, *, index: bool = True) -> Table:
    """Make a table of the first rows of a frame, with a note of where the others are."""
    more = len(frame) - MOST_ROWS
    notes = (f"{more} more rows: {rest}.",) if more > 0 else ()
    formats = {name: FORMATS[name] for name in frame.columns if name in FORMATS}
    return Table(title, (Section(frame.head(MOST_ROWS), formats=formats, index=index),), notes)


def _events(data: FittedStudy) -> Table:
    columns = ["security", "label", "announced", "first_session", "day_0", "note"]
    frame = data.sample.timeline[columns]
    frame = frame.loc[:, [c for c in columns if c == "security" or some_text(frame[c])]]
    frame = frame.rename(columns={"first_session": "first session", "day_0": "day 0"})
    return _table("Events", frame, "results.timeline")


def _audit(data: FittedStudy) -> list[Block]:
    blocks = _reading(data)
    suspects = _suspects(data)
    halts = trading_frictions.halts(data)
    hits = trading_frictions.limit_hits(data)
    cut = incomplete_windows(data.sample, data.abnormal)
    short = data.sample.events.iloc[list(cut)][["security"]].reset_index().assign(detail=list(cut.values()))
    for title, frame, rest in (
        ("Event windows that the returns do not cover", short, "results.car"),
        ("Suspects in the windows used", suspects, "results.suspects"),
        ("Spells without trade that touch event windows", halts, "results.halts"),
        ("Daily price limits touched in event windows", hits, "results.limit_hits"),
        ("Events that could not be used", data.sample.excluded.reset_index(), "results.excluded"),
    ):
        if len(frame):
            shown = frame.rename(columns=lambda name: str(name).replace("_", " "))
            blocks.append(_table(title, shown, rest, index=False))
    told = {
        "no suspect data lies in the windows used (results.suspects)": suspects.empty,
        "no spell without trade touches an event window": halts.empty,
        "no price limit was touched in an event window": hits.empty,
        "every event window is covered by returns": short.empty,
        "every event could be used": data.sample.excluded.empty,
    }
    clean = [what for what, is_clean in told.items() if is_clean]
    if "close" not in data.spec.market.price_fields:
        clean = [what for what in clean if "price limit" not in what]
        blocks.append(Paragraph("The market holds returns, not prices: price limits are not known."))
    if clean:
        blocks.append(Paragraph(f"Nothing found: {'; '.join(clean)}."))
    return blocks


def _reading(data: FittedStudy) -> list[Block]:
    """Say what the columns of the market and of the events were taken for."""
    blocks: list[Block] = []
    for title, frame, rest in (
        ("What the columns of the market were taken for", data.spec.market.reading, "market.reading"),
        ("What the columns of the events were taken for", data.spec.events.reading, "events.reading"),
    ):
        shown = frame.loc[:, [c for c in frame if some_text(frame[c])]]
        if len(shown):
            shown = shown.rename(columns=lambda name: str(name).replace("_", " "))
            blocks.append(_table(title, shown, rest, index=False))
    return blocks


def _suspects(data: FittedStudy) -> pd.DataFrame:
    """Suspects in the windows, each once."""
    found = suspects_in(data.sample).drop(columns=["event_id", "window"])
    return found.drop_duplicates().sort_values(["security", "date", "kind"])


def _tests(data: FittedStudy, window: Window) -> list[Block]:
    frame = tests(data, window)
    valid = frame[frame["applicable"]]
    validity = np.where(valid["recommended"], "recommended", "applies")
    shown = valid[["test", "statistic", "distribution", "dof", "p_value"]].assign(
        validity=validity, **{"robust to": valid["robust_to"], "note": valid["note"]}
    )
    shown = shown.rename(columns={"p_value": "p"}).set_index("test")
    formats = {"statistic": "{:.3f}", "p": P_VALUE, "dof": "{:g}"}
    reasons = frame[~frame["applicable"]].groupby("note", sort=False)["test"].agg(", ".join)
    notes = [f"{str(why)[:1].upper()}{str(why)[1:]}: {which}." for why, which in reasons.items()]
    names = valid.set_index("test")["reference"]
    sources = Section(pd.DataFrame({"reference": names}), formats=None)
    return [
        Paragraph(
            "Every test of the library, whether or not it suits this design. Those recommended were "
            "chosen by the number of events, the dates they share and the length of the window, not by "
            "their p-values."
        ),
        Table(f"Tests of {window}", (Section(shown, formats=formats),), tuple(notes)),
        Table("Sources", (sources,)),
    ]


def _sensitivity(data: FittedStudy, window: Window) -> list[Block]:
    found = sensitivity(data, window, LEVEL)
    frame = found.rename(
        columns={
            "se": "s.e.",
            "ci_low": "95% from",
            "ci_high": "to",
            "p_value": "p",
            "n_events": "events",
        }
    )
    chosen = recommend(data.test_input(window))["test"]
    by = f" p is that of the {chosen.iloc[0]} test." if len(chosen) else ""
    return [
        Paragraph(f"The first row is the study as it was asked for; the others change one choice.{by}"),
        sensitivity_figure(found),
        _table("Other windows and other models", frame, "", index=False),
    ]


def _details(data: FittedStudy, window: Window) -> Table:
    fit, cars = data.fit, data.cars(window, LEVEL)
    frame = data.told().rename(columns={"day_0": "day 0"})
    frame["estimate"] = cars["car"]
    frame["s.e."] = cars["se"]
    frame["p"] = cars["p_value"]
    frame["95% from"], frame["to"], frame["days"] = cars["ci_low"], cars["ci_high"], cars["n_days"]
    frame["AR 0"] = data.abnormal.ar[:, -data.spec.window.start]
    if "beta" in fit.param_names:
        frame["beta"] = fit.params[:, fit.param_names.index("beta")]
    frame["R²"], frame["estimation returns"] = fit.r_squared, fit.n_obs
    return _table(f"CAR {window} of each event", frame, f"results.car({window.start}, {window.end})")


def _recipe(data: FittedStudy, window: Window) -> list[Block]:
    hashes, versions = reproduce.fingerprints(data.spec.market), reproduce.versions()
    return [
        Listing(reproduce.code(data, window), "The study as Python code"),
        Table("Versions", (Section(versions.to_frame()),)),
        Table(
            "Fingerprint of the data",
            (Section(hashes.to_frame()),),
            (
                "SHA-256 of the values as little-endian doubles: returns as sessions × securities, "
                "benchmarks and factors as series × sessions.",
            ),
        ),
    ]


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
