"""How frames of results print: p-values first, rounded, what does not apply in a line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.tables import P_VALUE, Section, Table
from eventstudy.text import format_time, plural

__all__ = ["each_view", "mean_view", "notes_of", "recommended_view", "tests_view", "value_view"]

#: Rows that are printed; the frame holds all.
MOST_ROWS = 40
PERCENT = "{:.2%}"
#: Names of columns as they are printed, and their formats.
NAMES = {
    "day_0": "day 0",
    "car": "CAR",
    "caar": "CAAR",
    "p_value": "p",
    "se": "s.e.",
    "ci_low": "from",
    "ci_high": "to",
    "n_days": "days",
    "n_events": "N",
    "p_t": "p (t)",
    "p_filtered_sq": "p (fsq)",
    "p_sq": "p (sq)",
    "p_adjusted": "p adj.",
    "market_cap": "value",
}
FORMATS = {
    "car": PERCENT, "caar": PERCENT, "se": PERCENT, "ci_low": PERCENT, "ci_high": PERCENT, "p_value": P_VALUE,
    "p_t": P_VALUE, "p_filtered_sq": P_VALUE, "p_sq": P_VALUE, "p_adjusted": P_VALUE, "t": "{:.2f}",
    "statistic": "{:.3f}", "n_days": "{:.0f}", "n_events": "{:d}", "size": "{:.1%}",
}  # fmt: skip


def tests_view(frame: pd.DataFrame) -> Table:
    """Print tests: those that apply, then in a line those that do not."""
    ran = frame[frame["applicable"].astype(bool)]
    first = [name for name in ("window", "group") if name in frame]
    columns = [*first, "test", "p_value", "statistic", "n_events", "note"]
    notes = []
    lost = frame[~frame["applicable"].astype(bool)]
    for why, keys in lost.groupby("note", sort=False)["test"]:
        reason = str(why).removeprefix("not applicable: ")
        notes.append(f"Not applicable, {reason}: {', '.join(dict.fromkeys(keys))}.")
    return _table("Significance tests", ran, columns, notes, index=False)


def recommended_view(frame: pd.DataFrame, none: str = "") -> Table:
    """Print the tests of a design, their reasons beside them and their notes below, or why there are none."""
    columns = ["test", "p_value", "statistic", *(["size"] if "size" in frame else []), "reason"]
    notes = [f"{test}: {note}." for test, note in zip(frame["test"], frame["note"], strict=True) if note]
    notes += [] if len(frame) else [none]
    return _table("Recommended tests", frame, columns, notes, index=False)


def each_view(frame: pd.DataFrame) -> Table:
    """Print what is known of each event; each of several announcements with its own tests."""
    if "p_t" in frame:
        columns = ["day_0", "car", "p_adjusted", "p_t", "p_filtered_sq", "ci_low", "ci_high"]
    elif "window" in frame:
        columns = ["security", "day_0", "window", "car", "p_value", "ci_low", "ci_high"]
    else:
        columns = ["security", "day_0", "car", "p_value", "ci_low", "ci_high", "n_days"]
    return _table("Each event", frame, columns, notes_of(frame) if "p_t" in frame else [])


def notes_of(frame: pd.DataFrame) -> list[str]:
    """Write notes of events, each once, with the events that it is of."""
    said = frame["note"]
    notes = [note for note in dict.fromkeys(said) if note]
    return [
        f"Of event {', '.join(map(str, said.index[said == note][:MOST_ROWS]))}: {note}." for note in notes
    ]


def mean_view(frame: pd.DataFrame) -> Table:
    """Print mean CARs."""
    columns = ["caar", "p_value", "se", "ci_low", "ci_high", "n_events", "test"]
    notes = [f"{at}: {note}." for at, note in zip(frame.index, frame["note"], strict=True) if note]
    return _table("Mean CAR", frame, columns, notes)


def value_view(frame: pd.DataFrame) -> Table:
    """Print changes of value, in units that leave a few digits."""
    money = [name for name in ("change", "se", "ci_low", "ci_high", "market_cap") if name in frame]
    sizes = frame[money].abs().to_numpy(dtype=float)
    largest = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
    scale, word = next(
        ((10.0**power, text) for power, text in ((9, "billions"), (6, "millions")) if largest >= 10.0**power),
        (1.0, ""),
    )
    shown = frame.assign(**{name: frame[name] / scale for name in money})
    notes = [f"Values are {word}."] if word else []
    shared = int(frame["shared_days"].max())
    if shared:
        counts = "counts" if shared == 1 else "count"
        notes.append(
            f"{plural(shared, 'day')} of a security {counts} more than once in the total (shared_days)."
        )
    left_out = str(frame["note"].iloc[-1])
    notes += [f"{left_out[:1].upper()}{left_out[1:]}."] if left_out else []
    columns = ["p_value", "car", "change", "se", "ci_low", "ci_high", "market_cap"]
    return _table("Change in value", shown, columns, notes, formats=dict.fromkeys(money, "{:,.2f}"))


def _table(
    title: str,
    frame: pd.DataFrame,
    columns: list[str],
    notes: list[str],
    *,
    index: bool = True,
    formats: Mapping[str, str] | None = None,
) -> Table:
    columns = [name for name in columns if name in frame]  # event time has no days
    shown = frame[columns].head(MOST_ROWS)
    if "day_0" in shown:
        shown = shown.assign(day_0=[format_time(day) for day in shown["day_0"]])
    more = len(frame) - len(shown)
    notes = [*notes, f"{more} more rows."] if more else notes
    written = {**FORMATS, **(formats or {})}
    named = {NAMES.get(name, name): written[name] for name in columns if name in written}
    section = Section(shown.rename(columns=NAMES), formats=named, index=index)
    return Table(title, (section,), tuple(notes))
