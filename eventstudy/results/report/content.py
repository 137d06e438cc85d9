"""Content of the report: its chapters, for the renderer in `eventstudy.html_page`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.abnormal import abnormal_returns
from eventstudy.errors import RequestError
from eventstudy.html_page import Block, Bullets, Chapter, Listing, Paragraph
from eventstudy.inference import recommend, run_tests
from eventstudy.inference.base import Alternative, Options, check_alternative
from eventstudy.market import LEVELS
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel, NormalReturnModel
from eventstudy.results import averages, plot_data, trading_frictions
from eventstudy.results.data_warnings import incomplete_windows, suspects_in
from eventstudy.results.each_event import event_rows, joint_adjustment
from eventstudy.results.event_names import event_name, named_events
from eventstudy.results.exhibit import exhibit
from eventstudy.results.fitted import FittedEvents, FittedStudy, used_factors, uses_benchmark
from eventstudy.results.market_value import ByEvent, money_of, prices_before
from eventstudy.results.plot_data import tests
from eventstudy.results.report import reproduce
from eventstudy.results.report.figures import figures, sensitivity_figure
from eventstudy.results.summary import design
from eventstudy.results.verdict.sentences import News, verdict
from eventstudy.results.verdict.text import Verdict
from eventstudy.tables import P_VALUE, Section, Table
from eventstudy.text import format_p, format_time, plural, some_text
from eventstudy.windows import Window

__all__ = ["Report", "refitted", "sensitivity", "study_report"]

#: Events of an exhibit.
MOST_NAMED = 12
#: Texts of a list, and events of the table, of a brief report.
MOST_TEXTS, FEW_EVENTS = 4, 8
#: Rows of a table beyond these are left to the results object.
MOST_ROWS = 40
LEVEL = 0.95
PERCENT = dict.fromkeys(("estimate", "s.e.", "95% from", "to", "AR 0"), "{:.2%}")
FORMATS = PERCENT | {"p": P_VALUE, "beta": "{:.3f}", "R²": "{:.3f}", "events": "{:d}", "days": "{:d}"}


class Report(NamedTuple):
    """A report before it is written: its title, chapters and last line."""

    title: str
    chapters: list[Chapter]
    foot: str


def study_report(
    data: FittedStudy,
    window: Window,
    *,
    question: str | None = None,
    notes: Sequence[str] = (),
    currency: str | None = None,
    confounders: News | None = None,
    controls: FittedEvents | None = None,
    market_cap: pd.DataFrame | ByEvent | None = None,
    shares: pd.DataFrame | ByEvent | None = None,
    alternative: Alternative = "two-sided",
    brief: bool = False,
    vector: bool = True,
) -> Report:
    """Make the report of a study with `window` as its headline; see `EventStudyResults.report`.

    Figures are vectors, or with ``vector=False`` pixels.
    """
    if data.spec.market.kind in LEVELS:
        raise RequestError(
            f"A report speaks of returns and prices, and these are values of {data.spec.market.kind}: use "
            "summary() and the figures."
        )
    check_alternative(alternative)
    found = verdict(data, window, alternative=alternative, confounders=confounders, controls=controls)
    money = _money(data, window, currency, market_cap, shares, alternative)
    asked = Chapter(
        "Question", [Paragraph(found.question if question is None else question), *map(Paragraph, notes)]
    )
    title = f"Event study: {_names(data)}"
    stamp = (
        f"Made with eventstudy {reproduce.versions()['eventstudy']}. Returns are decimals shown in percent."
    )
    if brief:
        told = Chapter(
            "Finding",
            [Paragraph(found.answer, is_headline=True), *map(Paragraph, [*money, *_side(alternative)])],
        )
        shown = Chapter(
            "Figures",
            figures(data, window, currency, alternative, controls=controls, vector=vector, brief=True),
        )
        rows = Chapter("Estimates", [_estimates(data, window, alternative)])
        other = Chapter("Caveats", _caveats(found))
        return Report(title, [asked, told, shown, rows, other], stamp)
    worth = []
    if _has_exhibit(data):
        adjust = joint_adjustment(data, window)
        table = exhibit(data, window, alternative, adjust, LEVEL, market_cap, shares, currency)
        worth = [Chapter("Each event in money", [table])]
    chapters = [
        asked,
        Chapter("Finding", _finding(data, window, found, money, alternative)),
        Chapter("Figures", figures(data, window, currency, alternative, controls=controls, vector=vector)),
        *worth,
        Chapter("Design", [Table("Specification", (Section(design(data).frame),)), _events(data)]),
        Chapter("Data audit", [*_bullets(found, "Data"), *_audit(data)]),
        Chapter("All tests", [*_bullets(found, "Recommended tests"), *_tests(data, window, alternative)]),
        Chapter("Sensitivity", _sensitivity(data, window, vector, alternative)),
        Chapter("Events one by one", [_details(data, window, alternative)]),
        Chapter("Recipe", _recipe(data, window, alternative)),
    ]
    return Report(title, chapters, stamp)


def _names(data: FittedStudy) -> str:
    timeline = data.sample.timeline
    if len(timeline) == 1:
        return event_name(data, 0)
    labels = [label for label in timeline["label"].unique() if _known(label)]
    what = labels[0] if len(labels) == 1 else _counted(data)
    if data.undated:
        return what
    days = data.sample.timeline["day_0"]
    first, last = f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}"
    return f"{what}, {first if first == last else f'{first} to {last}'}"


def _counted(data: FittedStudy) -> str:
    """Count the events, and say how many securities they are of."""
    securities, n = data.sample.timeline["security"].unique(), len(data.index)
    if len(securities) == 1:
        return f"{n} announcements about {securities[0]}"
    return f"{n} securities" if len(securities) == n else f"{n} events of {len(securities)} securities"


def _known(text: object) -> bool:
    return isinstance(text, str) and text != ""


def _bullets(found: Verdict, *headings: str) -> list[Block]:
    """Take parts of a verdict that there are."""
    return [Bullets(heading, texts) for heading in headings if (texts := found.part(heading))]


def _caveats(found: Verdict) -> list[Block]:
    """Take the caveats of a brief report: events that are not in the number come first."""
    lost = [text for text in found.part("Data") if "could not be used" in text or text.startswith("No cumul")]
    told: list[Block] = [Bullets("Data", tuple(lost))] if lost else []
    return _shortened([*told, *_bullets(found, "What could have been found", "Other news")])


def _shortened(blocks: Sequence[Block]) -> list[Block]:
    """Keep the first and the last texts of what a brief report lists."""
    short: list[Block] = []
    for block in blocks:
        if isinstance(block, Bullets) and len(block.items) > MOST_TEXTS:
            kept = (
                *block.items[: MOST_TEXTS - 2],
                f"{len(block.items) - MOST_TEXTS + 1} more.",
                block.items[-1],
            )
            block = replace(block, items=kept)
        short.append(block)
    return short


def _side(alternative: Alternative) -> list[str]:
    """Say that tests are one-sided, where they are."""
    if alternative == "two-sided":
        return []
    return [
        f"All tests are {averages.SIDES[alternative]}, and so are the bounds; the side must have been chosen "
        "before the returns were seen. Intervals in figures and in the exhibit are two-sided."
    ]


def _finding(
    data: FittedStudy, window: Window, found: Verdict, money: Sequence[str], alternative: Alternative
) -> list[Block]:
    texts = [*money, *_side(alternative)]
    blocks: list[Block] = [Paragraph(found.answer, is_headline=True), *map(Paragraph, texts)]
    blocks += _bullets(found, "Each announcement on its own", "Against the controls")
    tested = data.test_input(window)
    if tested.n_events:
        means = averages.averages([tested], None, LEVEL, alternative)
        mean = averages.with_lead(means, [tested], alternative).iloc[0]
        if mean["note"] and not np.isnan(mean["p_value"]):
            test = f"{mean['test']} test (p {format_p(mean['p_value'], equals=True)})"
            told = f"The interval rests on the {test}, which says otherwise: {mean['note']}."
            blocks.append(Paragraph(f"{told} The chapter All tests says what each of them assumes."))
        shared = averages.days_note(data, window)
        blocks += [Paragraph(f"{shared[0].upper()}{shared[1:]}.")] if shared else []
    return [*blocks, *_bullets(found, "What could have been found", "Other news")]


def _money(
    data: FittedStudy,
    window: Window,
    currency: str | None,
    market_cap: pd.DataFrame | ByEvent | None,
    shares: pd.DataFrame | ByEvent | None,
    alternative: Alternative,
) -> list[str]:
    """Say what the move was worth: per share of a single event, and in market value where it is known."""
    told = []
    unit = "" if currency is None else f" {currency}"
    if not data.test_input(window).n_events:
        none = f"What the move was worth cannot be said: no event has a CAR over {window}."
        return [none] if market_cap is not None or shares is not None else []
    if len(data.index) == 1 and "close" in data.spec.market.price_fields:
        if window.start == 0:
            last = plot_data.reaction(data, 0, window).dropna(subset=["price"]).tail(1)
            told += [
                f"On {row.date:%Y-%m-%d} a share closed at {row.price:.2f}{unit}, where "
                f"{row.counterfactual:.2f}{unit} was expected."
                for row in last.itertuples()
            ]
        price, day = prices_before(data, np.arange(1), window)
        car = data.cars(window, LEVEL, alternative).iloc[0]
        if not np.isnan(price[0]):
            gains = [float(car[name]) for name in ("car", "ci_low", "ci_high")]
            gains = np.expm1(gains).tolist() if data.kind == "log" else gains
            worth, low, high = (price[0] * each for each in gains)
            bounds = _bounds(low, high, 2, alternative)
            told.append(
                f"Of the last close before, {price[0]:.2f}{unit} on {pd.Timestamp(day[0]):%Y-%m-%d}, the "
                f"abnormal return is {_signed(worth, 2)}{unit} per share ({bounds})."
            )
    if market_cap is not None or shares is not None:
        rows = money_of(data, window, market_cap, shares, alternative=alternative)
        total = rows.iloc[-1]
        if not total["n_events"]:
            return [*told, f"What the move was worth in market value cannot be said: {total['note']}."]
        worth, low, high = (float(total[name]) / 1e6 for name in ("change", "ci_low", "ci_high"))
        which = f"{total['n_events']} of {len(data.index)}" if total["note"] else "all"
        opening = "In market value that is"
        if len(data.index) > 1:
            add = "adds" if total["n_events"] == 1 else "add"
            opening = f"In market value {which} events {add} up to"
        again = int(total["shared_days"])
        counts = "counts" if again == 1 else "count"
        twice = f"; {plural(again, 'day')} of a security {counts} more than once" if again else ""
        told.append(
            f"{opening} {_signed(worth, 1)} million{unit} ({_bounds(low, high, 1, alternative)}, p "
            f"{format_p(total['p_value'], equals=True)}{twice})."
        )
        told += [f"{total['note'][:1].upper()}{total['note'][1:]}."] if total["note"] else []
        if len(data.index) == 1 and shares is not None:
            dated = (
                "" if pd.isna(rows["counted"].iloc[0]) else f", counted on {rows['counted'].iloc[0]:%Y-%m-%d}"
            )
            told.append(f"That is of {rows['shares'].iloc[0] / 1e6:,.2f} million shares{dated}.")
    return told


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}".replace("-", "−")


def _bounds(low: float, high: float, digits: int, alternative: Alternative) -> str:
    """Write an interval, or the bound of one side."""
    if alternative == "less":
        return f"one-sided 95% bound: at most {_signed(high, digits)}"
    if alternative == "greater":
        return f"one-sided 95% bound: at least {_signed(low, digits)}"
    return f"95% interval {_signed(low, digits)} to {_signed(high, digits)}"


def _has_exhibit(data: FittedStudy) -> bool:
    return (
        len(data.index) <= MOST_NAMED and data.kind == "simple" and "close" in data.spec.market.price_fields
    )


def _estimates(data: FittedStudy, window: Window, alternative: Alternative) -> Table:
    """Make the one table of a brief report."""
    rows = event_rows(data, window, joint_adjustment(data, window), Options(alternative, seed=0))
    rows = rows.head(FEW_EVENTS)
    frame = rows.drop(columns="label", errors="ignore").rename(columns={"day_0": "day 0", "p_t": "p (t)"})
    frame = frame.rename(
        columns={"p_filtered_sq": "p (filtered_sq)", "p_adjusted": "p adjusted", "car": "CAR"}
    )
    frame = frame.rename(columns={"ci_low": "95% from", "ci_high": "to"})
    several = ["p adjusted"] if len(rows) > 1 else []
    day = [] if data.undated else ["day 0"]
    if day:
        frame["day 0"] = frame["day 0"].map(format_time)
    frame = frame[["security", *day, "CAR", "95% from", "to", "p (t)", "p (filtered_sq)", *several]]
    formats = dict.fromkeys(("CAR", "95% from", "to"), "{:.2%}")
    formats |= dict.fromkeys(("p (t)", "p (filtered_sq)", *several), P_VALUE)
    more = len(data.index) - len(frame)
    doubted = ", ".join(map(str, rows.index[rows["note"] != ""]))
    return Table(
        f"CAR {window} of each event",
        (Section(frame, formats=formats, index=False),),
        tuple(
            filter(
                None,
                (
                    f"p (t) is too small for event {doubted}: results.by_event()." if doubted else "",
                    f"{more} more events: results.by_event()." if more > 0 else "",
                ),
            )
        ),
    )


def _table(title: str, frame: pd.DataFrame, rest: str, *, index: bool = True) -> Table:
    """Make a table of the first rows of a frame, with a note of where the others are."""
    more = len(frame) - MOST_ROWS
    notes = (f"{more} more rows: {rest}.",) if more > 0 else ()
    formats = {name: FORMATS[name] for name in frame.columns if name in FORMATS}
    return Table(title, (Section(frame.head(MOST_ROWS), formats=formats, index=index),), notes)


def _events(data: FittedStudy) -> Table:
    dated = [] if data.undated else ["first_session", "day_0"]
    columns = ["security", "label", "announced", *dated, "note"]
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
    found = suspects_in(data.sample, factors=used_factors(data.spec.model))
    found = found.drop(columns=["event_id", "window"])
    return found.drop_duplicates().sort_values(["security", "date", "kind"])


def _tests(data: FittedStudy, window: Window, alternative: Alternative) -> list[Block]:
    frame = tests(data, window, alternative)
    valid = frame[frame["applicable"]]
    validity = np.where(valid["recommended"], "recommended", "applies")
    shown = valid[["test", "p_value", "statistic", "distribution", "dof"]].assign(
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
        Table(
            f"Tests of {window}, {averages.SIDES[alternative]}",
            (Section(shown, formats=formats),),
            tuple(notes),
        ),
        Table("Sources", (sources,)),
    ]


def _sensitivity(data: FittedStudy, window: Window, vector: bool, alternative: Alternative) -> list[Block]:
    found = sensitivity(data, window, LEVEL, alternative)
    drawn = found if alternative == "two-sided" else sensitivity(data, window, LEVEL)
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
        sensitivity_figure(drawn, vector=vector),
        _table("Other windows and other models", frame, "", index=False),
    ]


def _details(data: FittedStudy, window: Window, alternative: Alternative) -> Table:
    fit, cars = data.fit, data.cars(window, LEVEL, alternative)
    frame = named_events(data).rename(columns={"day_0": "day 0"})
    frame["estimate"] = cars["car"]
    frame["s.e."] = cars["se"]
    frame["p"] = cars["p_value"]
    frame["95% from"], frame["to"], frame["days"] = cars["ci_low"], cars["ci_high"], cars["n_days"]
    frame["AR 0"] = data.abnormal.ar[:, -data.spec.window.start]
    if "beta" in fit.param_names:
        frame["beta"] = fit.params[:, fit.param_names.index("beta")]
    frame["R²"], frame["estimation returns"] = fit.r_squared, fit.n_obs
    return _table(f"CAR {window} of each event", frame, f"results.car({window.start}, {window.end})")


def _recipe(data: FittedStudy, window: Window, alternative: Alternative) -> list[Block]:
    hashes, versions = reproduce.fingerprints(data.spec.market), reproduce.versions()
    return [
        Listing(reproduce.code(data, window, alternative), "The study as Python code"),
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


def sensitivity(
    data: FittedStudy, window: Window, level: float = 0.95, alternative: Alternative = "two-sided"
) -> pd.DataFrame:
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
        mean = averages.averages([seen], None, level, alternative).iloc[0]
        options = Options(alternative, seed=0)
        p = run_tests(seen, list(chosen[:1]), options)["p_value"].iloc[0] if len(chosen) else np.nan
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
    # What becomes of windows that the returns do not cover is the study's choice under every model.
    abnormal = replace(abnormal_returns(arrays, fit, spec.window), partial=data.abnormal.partial)
    return FittedStudy(replace(spec, model=model), sample, fit, abnormal)
