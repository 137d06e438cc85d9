"""The exhibit: each disclosure with its expected, actual and abnormal return, its tests, and its money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options
from eventstudy.market import LEVELS
from eventstudy.results.averages import SIDES
from eventstudy.results.each_event import event_rows
from eventstudy.results.event_names import named_events
from eventstudy.results.fitted import FittedEvents
from eventstudy.results.market_value import ByEvent, money_of, prices_before
from eventstudy.results.summary import dividend_notes, friction_notes, unit
from eventstudy.results.views import notes_of
from eventstudy.tables import P_VALUE, Section, Table
from eventstudy.text import format_time, plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.inference.procedures import Adjustment

__all__ = ["exhibit", "exhibit_frame"]

ADJUSTMENTS = {
    "holm": "Holm, under any dependence, if the p-values of t hold so far in the tails",
    "romano-wolf": "Romano and Wolf, by residual vectors drawn jointly",
    "bh": "Benjamini and Hochberg, who bound the share of false rejections",
}


def exhibit_frame(
    data: FittedEvents,
    window: Window,
    alternative: Alternative,
    adjust: Adjustment,
    level: float,
    market_cap: pd.DataFrame | ByEvent | None = None,
    shares: pd.DataFrame | ByEvent | None = None,
) -> pd.DataFrame:
    """Collect what an exhibit holds, by event; columns as of `Answers.exhibit`."""
    if data.kind in LEVELS:
        raise RequestError(f"An exhibit is of returns, and these are values of {data.kind}.")
    options = Options(alternative, seed=0)
    tested = event_rows(data, window, adjust, options, level)
    cars = data.cars(window, level)
    frame = named_events(data)
    columns = {"expected": "expected", "actual": "actual", "abnormal": "car", "se": "se"}
    for name, source in columns.items():
        frame[name] = cars[source]
    frame["ci_low"], frame["ci_high"], frame["n_days"] = cars["ci_low"], cars["ci_high"], cars["n_days"]
    for name in ("p_t", "p_sq", "p_adjusted", "note"):
        frame[name] = tested[name]
    price, day = prices_before(data, np.arange(len(data.index)), window)
    frame["price_day"], frame["price_before"] = day, price
    for name, source in (("per_share", "car"), ("per_share_low", "ci_low"), ("per_share_high", "ci_high")):
        # A log return is that of a price that grows by exp(r) - 1.
        frame[name] = price * (np.expm1(cars[source]) if data.kind == "log" else cars[source])
    if market_cap is not None or shares is not None:
        money = money_of(data, window, market_cap, shares, level=level).reindex(frame.index)
        frame["value"], frame["value_low"] = money["change"], money["ci_low"]
        frame["value_high"], frame["value_note"] = money["ci_high"], money["note"]
        for name in ("shares", "counted"):
            if name in money and money[name].notna().any():
                frame[name] = money[name]
    return frame


def exhibit(
    data: FittedEvents,
    window: Window,
    alternative: Alternative,
    adjust: Adjustment,
    level: float,
    market_cap: pd.DataFrame | ByEvent | None,
    shares: pd.DataFrame | ByEvent | None,
    currency: str | None,
) -> Table:
    """Make the table of an exhibit; see `Answers.exhibit`."""
    frame = exhibit_frame(data, window, alternative, adjust, level, market_cap, shares)
    who = [name for name in ("security", "label", "day_0") if name in frame]
    if "day_0" in frame:
        frame["day_0"] = [format_time(day) for day in frame["day_0"]]
    if len(frame["security"].unique()) == 1 and len(frame) > 1:
        who.remove("security")
    bounds = f"{level:.0%} from"
    names = {"day_0": "day 0", "se": "s.e.", "ci_low": bounds, "ci_high": "to"}
    returns = frame[[*who, "expected", "actual", "abnormal", "se", "ci_low", "ci_high"]].rename(columns=names)
    who = [name for name in who if name != "label"]
    several = ["p_adjusted"] if len(frame) > 1 else []
    tests = frame[[*who, "abnormal", "p_t", "p_sq", *several]].rename(
        columns={**names, "p_t": "p (t)", "p_sq": "p (SQ)", "p_adjusted": "p adjusted"}
    )
    percent = dict.fromkeys(("expected", "actual", "abnormal", "s.e.", bounds, "to"), "{:.2%}")
    side = SIDES[alternative]
    p_values = {name: P_VALUE for name in ("p (t)", "p (SQ)", "p adjusted") if name in tests}
    p_values["abnormal"] = "{:.2%}"
    sections = [
        Section(returns.rename_axis("event"), f"Returns over {window}", percent),
        Section(tests.rename_axis("event"), f"Significance, {side}", p_values),
    ]
    unit_of = f" ({currency})" if currency else ""
    if frame["price_before"].notna().any():
        sections.append(_money(frame, who, names, level, f"Value of a share{unit_of}", "per_share"))
    if "value" in frame:
        sections.append(_money(frame, who, names, level, f"Market value, in millions{unit_of}", "value"))
    return Table(
        f"Abnormal returns of {_about(data)}, {data.model_label}",
        tuple(sections),
        tuple(_notes(data, window, side, adjust, level, frame)),
    )


def _money(
    frame: pd.DataFrame, who: list[str], names: dict[str, str], level: float, caption: str, what: str
) -> Section:
    scale = 1e6 if what == "value" else 1.0
    shown = frame[who].copy()
    if what == "per_share":
        shown["close of"] = [None if pd.isna(day) else format_time(day) for day in frame["price_day"]]
        shown["price before"] = frame["price_before"]
    if what == "value" and "shares" in frame:
        shown["shares"] = frame["shares"] / scale
        if "counted" in frame:
            shown["counted on"] = [None if pd.isna(day) else format_time(day) for day in frame["counted"]]
    shown["change"] = frame[what] / scale
    shown[f"{level:.0%} from"], shown["to"] = frame[f"{what}_low"] / scale, frame[f"{what}_high"] / scale
    numbers = ("price before", "shares", "change", f"{level:.0%} from", "to")
    formats = {name: "{:,.2f}" for name in numbers if name in shown}
    return Section(shown.rename(columns=names).rename_axis("event"), caption, formats)


def _about(data: FittedEvents) -> str:
    names = data.timeline["security"].unique()
    return str(names[0]) if len(names) == 1 else plural(len(names), "security").replace("ys", "ies")


def _notes(
    data: FittedEvents,
    window: Window,
    side: str,
    adjust: Adjustment,
    level: float,
    frame: pd.DataFrame,
) -> list[str]:
    notes = [
        f"{unit(data)}, summed over {window}. Expected returns are those of the {data.model_label}; "
        f"the standard error and the two-sided {level:.0%} interval allow for the noise of the estimation "
        "window, and for the error of what is estimated there."
        + (
            ""
            if side == "two-sided"
            else " A one-sided p below 5% may go with such an interval that holds 0."
        ),
        "p (t) assumes normally distributed returns. p (SQ) is the rank of the abnormal return among those "
        "of the estimation window, and assumes no distribution. Both assume that the event is no more "
        f"volatile than the estimation window; both are {side}.",
    ]
    # An event without a CAR has no test to allow for.
    if len(data.index) > 1 and (tests := int(frame["p_adjusted"].notna().sum())):
        notes.append(
            f"p adjusted allows for {plural(tests, 'test')}: {ADJUSTMENTS[adjust]}; it is that of t."
        )
    notes += notes_of(frame)
    if frame["price_before"].notna().any():
        move = "exp(abnormal return) − 1" if data.kind == "log" else "the abnormal return"
        notes.append(
            f"The change of a share is {move} times the last close before the window, without "
            "the uncertainty of that price."
        )
    if "value" in frame:
        notes.append("The change of market value is the abnormal return times the value before the window.")
        if "shares" in frame:
            last = ": the last count known by then" if "counted" in frame else ""
            notes.append(
                "That value is the number of shares, in millions, times the last close before the window"
                f"{last}."
            )
        for why in dict.fromkeys(filter(None, frame["value_note"])):
            events = ", ".join(map(str, frame.index[frame["value_note"] == why]))
            notes.append(f"Without a value, {why}: event {events}.")
    return [*notes, *friction_notes(data), *dividend_notes(data)]
