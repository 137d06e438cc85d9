"""Sentences of a verdict, all of them chosen by the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference import TESTS
from eventstudy.inference.base import Alternative, Options
from eventstudy.inference.dependence.mean_correlation import unknown_correlation
from eventstudy.inference.procedures.assumptions import assumptions
from eventstudy.inference.procedures.differences import DIFFERENCES, treated_vs_controls
from eventstudy.inference.procedures.disagreements import disagreement
from eventstudy.inference.procedures.recommendation import none_recommended
from eventstudy.inference.significance_test import Declaration
from eventstudy.market import LEVELS
from eventstudy.results import averages
from eventstudy.results.data_warnings import incomplete_windows, shared_days_of
from eventstudy.results.each_event import event_rows, joint_adjustment, one_security
from eventstudy.results.event_names import event_name
from eventstudy.results.fitted import FittedEvents
from eventstudy.results.significance import recommended_tests
from eventstudy.results.summary import dividend_notes, friction_notes
from eventstudy.results.verdict.text import Part, Verdict
from eventstudy.text import format_p, format_time, plural, strip_control
from eventstudy.windows import Window

__all__ = ["News", "evidence", "percent", "question", "verdict"]

ALPHA, LEVEL = 0.05, 0.95
#: Announcements, or news, named one by one.
MOST_NAMED = 12
SEED = 0
FALL_OR_RISE = {"less": "fall", "greater": "rise"}
News = Mapping[object, str] | pd.Series


def percent(value: float) -> str:
    """Write a share with its sign: ``−7.51%``."""
    text = f"{value:+.2%}".replace("-", "−")
    return "0.00%" if text[1:] == "0.00%" else text


def verdict(
    data: FittedEvents,
    window: Window,
    *,
    alternative: Alternative = "two-sided",
    confounders: News | None = None,
    controls: FittedEvents | None = None,
) -> Verdict:
    """Put into words what a study found; see `Answers.verdict`."""
    asked = question(data, alternative)
    tested = data.test_input(window)
    behind = [Part("Other news", tuple(_news(data, window, confounders)))]
    caveats = tuple(_caveats(data, window))
    if caveats:
        behind.append(Part("Data", caveats))
    if tested.n_events == 0:
        none = f"No event has a cumulative abnormal return over {window}, so nothing can be said."
        told = [] if controls is None else [_controls_alone(controls, window)]
        return Verdict(asked, none, " ".join(told), tuple(behind), _tests([], {}, tested.n_events, window))
    chosen = recommended_tests(data, window, alternative)
    frame = _tests(_records(chosen), TESTS, tested.with_car.n_events, window)
    mean = averages.averages([tested], None, LEVEL, alternative).iloc[0]
    parts = []
    each = None
    if one_security(data):
        each = event_rows(data, window, joint_adjustment(data, window), Options(alternative, seed=SEED))
        parts.append(Part("Each announcement on its own", tuple(_rows(each, window, alternative))))
    told = [none_recommended(tested)]
    if len(frame):
        told = [evidence(frame, kind=_kind("recommended", alternative), alternative=alternative)]
    apart = disagreement(dict(zip(frame["test"], frame["p_value"], strict=True)), tested)
    for why in dict.fromkeys(apart.values()):
        keys = [key for key in apart if apart[key] == why]
        plainly = why
        if len(keys) > 1:
            plainly = why.replace("rejects where", "reject where", 1).replace(
                "this test takes", "these tests take", 1
            )
        told.append(f"Here {_listed(keys)} {plainly}.")
    if controls is not None:
        treated, found = _against(data, controls, window, alternative)
        told.append(treated)
        parts += [Part("Against the controls", tuple(found))] if found else []
    if len(frame):
        p = format_p(mean["p_value"], equals=True)
        which = "interval" if alternative == "two-sided" else "bound"
        interval = f"The {which} is that of the {mean['test']} test (p {p})."
        unknown = unknown_correlation(tested)
        if np.isnan(mean["se"]) and unknown:
            interval = f"There is no interval, because {unknown}."
        parts.append(Part("Recommended tests", (*(_test(row, apart) for row in _records(frame)), interval)))
    if mean["detectable"] > 0:
        parts.append(Part("What could have been found", (_detectable(mean, alternative),)))
    effect = _effect(data, window, alternative, each)
    return Verdict(asked, effect, " ".join(told), (*parts, *behind), frame)


def question(data: FittedEvents, alternative: Alternative = "two-sided") -> str:
    """Say what a study of these events asks."""
    timeline = data.timeline
    way = {"less": " down", "greater": " up", "two-sided": ""}[alternative]
    of = f"the {data.kind} of " if data.kind in LEVELS and data.kind != "change" else ""
    n = len(timeline)
    when = "" if data.undated else f" ({_dates(data)})"
    if n == 1:
        event = timeline.iloc[0]
        news = f"the news “{event['label']}”" if _known(event["label"]) else "the announcement"
        when = (
            ""
            if data.undated
            else f" of {event['announced'] if _known(event['announced']) else _dates(data)}"
        )
        return strip_control(
            f"Did {news}{when} move {of}{event['security']}{way}, by how much, and is the move "
            "distinguishable from ordinary variation?"
        )
    if one_security(data):
        return strip_control(
            f"Which of {n} announcements about {timeline['security'].iloc[0]}{when} moved "
            f"{of.removesuffix(' of ') or 'it'}{way}, by how much, and is each move distinguishable from "
            "ordinary variation?"
        )
    k = timeline["security"].nunique()
    dates = 1 if data.undated else timeline["day_0"].nunique()
    label = timeline["label"].iloc[0]
    if _known(label) and (timeline["label"] == label).all():
        news = f"the news “{label}”{when.replace(' (', ' of ').rstrip(')')}"
    elif data.undated:
        news = "the announcements"
    else:
        several = f"of {dates} days" if data.abnormal.bars is None else f"at {dates} times"
        news = f"the news {several}{when}" if dates > 1 else f"the news of {_dates(data)}"
    counted = f" ({n} events)" if n != k else ""
    return strip_control(
        f"Did {news} move {of}{k} securities{way} on average{counted}, by how much, and is the move "
        "distinguishable from ordinary variation?"
    )


def _effect(data: FittedEvents, window: Window, alternative: Alternative, each: pd.DataFrame | None) -> str:
    """Say the effect and its interval; of one firm with several announcements, which of them moved it."""
    tested = data.test_input(window)
    mean = averages.averages([tested], None, LEVEL, alternative).iloc[0]
    told = _single(data, window) if len(data.index) == 1 else _average(data, window, mean)
    if not np.isnan(mean["se"]):
        told += f" ({_interval(mean, alternative)})"
    if each is not None and mean["n_events"] == 1:
        told = f"{_each(each, alternative)} {told}"
    elif each is not None:
        told = f"{_each(each, alternative)} The joint question is whether they moved it on average: {told}"
    return f"{told}."


def _kind(which: str, alternative: Alternative) -> str:
    """Name tests: of one side, where they are."""
    return f"{which} test" if alternative == "two-sided" else f"{which} one-sided test"


def evidence(
    frame: pd.DataFrame,
    subject: str = "That",
    kind: str = "recommended test",
    alternative: Alternative = "two-sided",
) -> str:
    """Say how far tests rule out chance: no more than the weakest of them allows.

    Parameters
    ----------
    frame : DataFrame
        Columns test and p_value, as `results.recommended` gives them.
    subject, kind : str
        What is judged, and what the tests are called.
    alternative : {"two-sided", "less", "greater"}
        Of one side, what does not go that way says nothing of that side, and may be news of the other.
    """
    ran = frame.dropna(subset=["p_value"])
    lost = frame.loc[frame["p_value"].isna(), "test"].tolist()
    missing = f" {_listed(lost)} cannot be computed." if lost else ""
    if ran.empty:
        return f"No {kind} can be computed, so chance cannot be judged."
    pairs = ran[["test", "p_value"]].to_numpy().tolist()
    told = {test: f"{test} p {format_p(p, equals=True)}" for test, p in pairs}
    n, shown = len(ran), ", ".join(told.values())
    that = " that can be computed" if lost else ""
    weakest = ran["p_value"].max()
    every = "both" if n == 2 else f"all {n}"
    each = f"the one {kind}{that} rejects" if n == 1 else f"{every} {kind}s{that} reject"
    for level, words in ((0.01, "strong evidence"), (0.05, "evidence")):
        if weakest <= level:
            return f"{subject} is {words} against mere chance: {each} it at {level:.0%} ({shown}).{missing}"
    rejects = ran["p_value"] <= ALPHA
    yes = [told[key] for key in ran.loc[rejects, "test"]]
    no = [told[key] for key in ran.loc[~rejects, "test"]]
    does_not = f"{_listed(no)} do{'es' * (len(no) == 1)} not" if no else ""
    apart = f"{_listed(yes)} reject{'s' * (len(yes) == 1)} it at 5%, {does_not}" if yes else ""
    if weakest <= 0.10:
        shades = f"; {apart}" if yes else f", not at 5% ({shown})"
        return f"{subject} is weak evidence against mere chance: {each} it at 10%{shades}.{missing}"
    if yes:
        which = subject[:1].lower() + subject[1:]
        return f"Whether {which} is more than chance, the {kind}s disagree: {apart}.{missing}"
    if n == 1:
        none = f"the one {kind}{that} does not reject"
    else:
        none = f"{'neither' if n == 2 else 'none'} of the {n} {kind}s{that} rejects"
    cannot = f"{subject} cannot be distinguished from chance"
    if alternative != "two-sided":
        cannot = f"{subject} is not evidence of a {FALL_OR_RISE[alternative]}"
        return f"{cannot}: {none} chance at 5% ({shown}).{missing}"
    return f"{cannot}: {none} it at 5% ({shown}).{missing}"


def _tests(
    rows: Sequence[Mapping[str, object]], declared: Mapping[str, Declaration], n: int, window: Window
) -> pd.DataFrame:
    """Make the frame of the recommended tests, with what each assumes."""
    columns = ["test", "statistic", "p_value", "rejects", "assumes", "reason", "note"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["rejects"] = frame["p_value"].astype(float) <= ALPHA
    frame["assumes"] = ["; ".join(assumptions(declared[str(key)], n, len(window))) for key in frame["test"]]
    return frame


def _test(row: Mapping[str, Any], apart: Mapping[str, str] | None = None) -> str:
    """Say what one test found and assumes; what the answer says of tests that disagree is not repeated."""
    p = row["p_value"]
    said = "rejects" if p <= ALPHA else "does not reject"
    found = "cannot be computed" if np.isnan(p) else f"p {format_p(p, equals=True)}, {said} at 5%"
    assumed = f" Assumes that {_listed(str(row['assumes']).split('; '))}." if row["assumes"] else ""
    note = str(row["note"]).removeprefix((apart or {}).get(str(row["test"]), "")).removeprefix("; ")
    note = f" {note[:1].upper()}{note[1:]}." if note else ""
    return f"{row['test']}: {found}.{assumed}{note}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _when(row: Mapping[str, Any]) -> str:
    return format_time(row["day_0"]) if "day_0" in row else f"event {row['event_id']}"


def _known(text: object) -> bool:
    return isinstance(text, str) and text != ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _dates(data: FittedEvents) -> str:
    if data.undated:
        return "day 0"
    days = data.timeline["day_0"]
    first, last = format_time(days.min()), format_time(days.max())
    return first if first == last else f"{first} to {last}"


def _what(data: FittedEvents) -> str:
    return f"abnormal {data.kind}" if data.kind in LEVELS else "abnormal return"


def _points(data: FittedEvents) -> str:
    return " in log points" if data.kind.startswith("log ") else ""


def _interval(mean: pd.Series | Mapping[str, Any], alternative: Alternative) -> str:
    low, high = percent(mean["ci_low"]), percent(mean["ci_high"])
    if alternative == "less":
        return f"one-sided 95% bound: at most {high}"
    if alternative == "greater":
        return f"one-sided 95% bound: at least {low}"
    return f"95% interval {low} to {high}"


def _span(data: FittedEvents, window: Window) -> str:
    """Name the tested days or bars: ``on day 0``, ``over the 2 sessions (0, +1)``."""
    one, several = ("on day", "sessions") if data.abnormal.bars is None else ("at bar", "bars")
    if len(window) == 1:
        return f"{one} {window.start:+d}".replace("+0", "0")
    return f"over the {len(window)} {several} {window}"


def _single(data: FittedEvents, window: Window) -> str:
    event, car = data.timeline.iloc[0], data.cars(window).iloc[0]
    n = int(car["n_days"])
    short = "" if n == len(window) else f" ({n} with a price)"
    span = _span(data, window)
    over = f"{span[:1].upper()}{span[1:]} around {_dates(data)}{short}"
    if window == Window(0, 0):
        over = f"{span[:1].upper()}{span[1:]}{'' if data.undated else f', {_dates(data)}'}{short}"
    if data.kind in LEVELS:
        return (
            f"{over} ({data.model_label}), the {_what(data)} of {event['security']} is "
            f"{percent(car['car'])}{_points(data)}"
        )
    kind = "log return" if data.kind == "log" else "return"
    security = event["security"]
    summed = f"{kind} of {security} is" if n == 1 else f"{kind}s of {security} sum to"
    return strip_control(
        f"{over}, the {summed} {percent(car['actual'])}, where "
        f"{percent(car['expected'])} was expected ({data.model_label}): an abnormal return of "
        f"{percent(car['car'])}"
    )


def _average(data: FittedEvents, window: Window, mean: pd.Series) -> str:
    car = data.test_input(window).car
    n, down, total = len(car), int((car < 0).sum()), len(data.index)
    of = "" if n == total else f" (of {plural(total, 'event')})"
    side, k = ("negative", down) if 2 * down >= n else ("positive", int((car > 0).sum()))
    if n == 1:
        counted = f"its {_what(data)}" if one_security(data) else f"the one {_what(data)}{of}"
        return f"Over {window}, {counted} ({data.model_label}) is {percent(mean['caar'])}{_points(data)}"
    counted = ("both" if n == 2 else f"all {n}") if k == n else f"{k} of the {n}"
    are = "is" if k == 1 else "are"
    common = not data.undated and len(data.timeline["day_0"].unique()) == 1
    joint = ", " if window == Window(0, 0) else " around "
    over = f"{_span(data, window)}{joint}{_dates(data)}" if common else _span(data, window)
    over = over if one_security(data) else f"{over[:1].upper()}{over[1:]}"
    return (
        f"{over}, {counted} {_what(data)}s{of} {are} {side} ({data.model_label}), and their mean is "
        f"{percent(mean['caar'])}{_points(data)}"
    )


def _each(frame: pd.DataFrame, alternative: Alternative) -> str:
    """Say which of several announcements about one security moved it."""
    judged = frame[frame["p_adjusted"].notna()]
    moved = judged[judged["p_adjusted"] <= ALPHA].sort_values("p_adjusted", kind="stable")
    n, k = len(judged), len(moved)
    told = [
        f"{_when(row)}, {percent(row['car'])} (adjusted p {format_p(row['p_adjusted'], equals=True)})"
        for row in _records(moved.head(MOST_NAMED).reset_index())
    ]
    security = frame["security"].iloc[0]
    if n == 0:
        return f"None of the {len(frame)} announcements about {security} can be tested on its own."
    verb = "are" if k > 1 else "is"
    what = f"{verb} distinguishable from ordinary variation at the 5% level"
    if alternative != "two-sided":
        a_fall = f"a {FALL_OR_RISE[alternative]}"
        comes = "come" if k > 1 else "comes"
        what = f"{comes} with {a_fall} distinguishable from ordinary variation at the 5% level"
    named = f": {'; '.join(told)}{'; ...' * (k > MOST_NAMED)}" if k else ""
    if n == 1:
        what = what if k else what.replace("is ", "is not ", 1).replace("comes with", "does not come with", 1)
        one = f"Of the {len(frame)} announcements about {security} one can be tested; it {what}"
        return f"{one}{named}."
    if k == n:
        lead = "Both" if n == 2 else f"All {n}"
    elif k:
        lead = f"{k} of the {n}"
    else:
        lead = "Neither of the two" if n == 2 else f"None of the {n}"
    tested = "" if n == len(frame) else f" that can be tested (of {len(frame)})"
    return f"{lead} announcements about {security}{tested} {what}, adjusted for their number{named}."


def _rows(frame: pd.DataFrame, window: Window, alternative: Alternative) -> list[str]:
    """Say what each announcement did, with its own tests."""
    told = []
    for row in _records(frame.head(MOST_NAMED).reset_index()):
        label = f", {row['label']}" if _known(row.get("label")) else ""
        name = f"{_when(row)}{label}"
        if np.isnan(row["car"]):
            told.append(f"{name}: no cumulative abnormal return over {window}.")
            continue
        p = {"t": row["p_t"], "filtered_sq": row["p_filtered_sq"], "adjusted": row["p_adjusted"]}
        known = {key: format_p(value, equals=True) for key, value in p.items() if not np.isnan(value)}
        shown = ", ".join(f"{key} p {value}" for key, value in known.items())
        doubt = f" {row['note'][:1].upper()}{row['note'][1:]}." if row["note"] else ""
        told.append(f"{name}: {percent(row['car'])} ({_interval(row, alternative)}; {shown}).{doubt}")
    more = len(frame) - len(told)
    return [*map(strip_control, told), *([f"{more} more: results.by_event()."] if more > 0 else [])]


def _detectable(mean: pd.Series, alternative: Alternative) -> str:
    what = "an effect" if mean["n_events"] == 1 else "a mean effect"
    side = "" if alternative == "two-sided" else "one-sided "
    return (
        f"With this standard error, the {side}{mean['test']} test at 5% finds {what} of "
        f"{mean['detectable']:.2%} with probability 0.8; a smaller one may well go unseen."
    )


def _news(data: FittedEvents, window: Window, given: News | None) -> list[str]:
    told = []
    try:
        known = {} if given is None else dict(given)
    except (TypeError, ValueError):
        raise RequestError(
            f"confounders maps days to news, as in {{'2019-05-16': 'Huawei is listed'}}; got {given!r}."
        ) from None
    if known and data.undated:
        raise RequestError("confounders= needs the dates of the events, and these data are in event time.")
    days = _checked_days(known)
    for part in data.parts():
        sessions, whole = part.study.sessions, data.event_window
        day0 = part.study.sample.day0[part.rows]
        for day, text in sorted(days.items()):
            at = int(sessions.searchsorted(day))
            relative = at - day0
            near = np.flatnonzero((relative >= whole.start) & (relative <= whole.end))
            if at == len(sessions) or not len(near):
                continue
            nearest = int(near[np.argmin(np.abs(relative[near]))])
            offset = int(relative[nearest])
            where = "inside" if offset in window else "outside"
            event = "" if len(data.index) == 1 else f" of event {data.index[part.at[nearest]]}"
            others = f", and in {plural(len(near) - 1, 'other event window')}" if len(near) > 1 else ""
            which = f"day {offset:+d}".replace("+0", "0")
            told.append(f"{format_time(day)} ({which}{event}, {where} {window}{others}): {text}")
    told = list(dict.fromkeys(told))
    for name in ("confounder", "confounders"):
        if name in data.events:
            column = data.events[name]
            texts = [
                "; ".join(map(str, value)) if isinstance(value, list | tuple) else value for value in column
            ]
            told += [f"{event_name(data, row)}: {value}" for row, value in enumerate(texts) if _known(value)]
    more = len(told) - MOST_NAMED
    told = [strip_control(text) for text in told[:MOST_NAMED]] + ([f"{more} more."] if more > 0 else [])
    tested = data.test_input(window)
    shared = shared_days_of(tested.with_car, data.securities[tested.usable])
    if shared:
        told.append(
            f"Windows of several announcements about one security share {plural(shared, 'day')}: what "
            "happened then counts for each of them."
        )
    if not told:
        given_days = f"None of the {len(days)} days" if len(days) > 1 else "The one day"
        falls = "falls" if len(days) > 1 else "does not fall"
        none = f"{given_days} of news given {falls} into an event window."
        told = [none if days else "None was given (confounders=)."]
    what = f"what the {data.kind} was" if data.kind in LEVELS else "how prices moved"
    why = f"The study shows {what}, not why: other news of these days is measured with the event."
    return [*told, why]


def _checked_days(given: Mapping[object, str]) -> dict[pd.Timestamp, str]:
    found: dict[pd.Timestamp, str] = {}
    for day, text in given.items():
        try:
            when: Any = pd.NaT if isinstance(day, int | float) else pd.Timestamp(day)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            when = pd.NaT
        if pd.isna(when) or not isinstance(text, str):
            raise RequestError(
                "confounders maps days to news, as in {'2019-05-16': 'Huawei is listed'}; got "
                f"{day!r}: {text!r}."
            )
        on = when.tz_localize(None).normalize()
        found[on] = f"{found[on]}; {text}" if on in found else text
    return found


def _caveats(data: FittedEvents, window: Window) -> list[str]:
    tested = data.test_input(window)
    lost = np.flatnonzero(~tested.usable).tolist()
    why: dict[int, str] = {}
    for part in data.parts():
        cut = incomplete_windows(part.study.sample, part.study.abnormal)
        at = dict(zip(part.rows.tolist(), part.at.tolist(), strict=True))
        why |= {at[row]: text for row, text in cut.items() if row in at}
    told = []
    for row in lost[:MOST_NAMED]:
        reason = f": {why[row]}" if row in why else ""
        told.append(f"No cumulative abnormal return of {event_name(data, row)} over {window}{reason}.")
    if len(lost) > MOST_NAMED:
        told.append(f"{len(lost) - MOST_NAMED} more events have none.")
    short = averages.uncovered_note(data, window)
    if short:
        told.append(f"{short}.")
    out = len(data.excluded)
    if out:
        told.append(f"{plural(out, 'event')} could not be used: results.excluded says why.")
    return [*told, *friction_notes(data), *dividend_notes(data)]


def _moved(mean: pd.Series) -> str:
    """Say by how much control events moved."""
    n = int(mean["n_events"])
    if n == 1:
        return f"The one control event moved by {percent(mean['caar'])}"
    return f"The {n} control events moved by {percent(mean['caar'])} on average"


def _controls_alone(controls: FittedEvents, window: Window) -> str:
    """Say what controls did where no treated event has a CAR to compare with theirs."""
    inside = controls.checked_window(window)
    mean = averages.averages([controls.test_input(inside)], None, LEVEL).iloc[0]
    if not mean["n_events"]:
        return "No control event has one either."
    return f"{_moved(mean)}, which cannot be compared with anything."


def _against(
    data: FittedEvents, controls: FittedEvents, window: Window, alternative: Alternative
) -> tuple[str, list[str]]:
    """Say how treated and control events differ."""
    inside = controls.checked_window(window)
    other = averages.averages([controls.test_input(inside)], None, LEVEL).iloc[0]
    if not other["n_events"]:
        none = f"No control event has a cumulative abnormal return over {window}"
        return f"{none}, so the two cannot be compared.", []
    frame = treated_vs_controls(
        data.test_input(window), controls.test_input(inside), Options(alternative, seed=SEED)
    )
    told = _moved(other)
    ran = frame[frame["applicable"]]
    lead = ran[ran["test"] == "difference_portfolio"]
    if len(lead):
        row = lead.iloc[0]
        told += f"; on dates of both, the difference is {percent(row['estimate'])}"
    answer = f"{told}. {evidence(ran, 'The difference', _kind('applicable', alternative), alternative)}"
    rows = _tests(_records(ran), DIFFERENCES, data.test_input(window).with_car.n_events, window)
    lost = [f"{row['test']}: {row['note']}." for row in _records(frame[~frame["applicable"]])]
    return answer, [*map(_test, _records(rows)), *lost]
