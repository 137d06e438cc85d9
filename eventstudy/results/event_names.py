"""Which event a row of a table, or a line of a figure, is of."""

from __future__ import annotations

import pandas as pd

from eventstudy.results.fitted import FittedEvents
from eventstudy.text import format_time, some_text, strip_control

__all__ = ["event_name", "name_parts", "named_events"]


def name_parts(data: FittedEvents, row: int) -> tuple[str, str, str]:
    """Label of an event or "", its firm and its day 0, which is "" in event time.

    The firm is what the events have in a column ``company``, else the security. A label that repeats it
    is "".
    """
    event, events = data.timeline.iloc[row], data.events
    firm = events["company"].iloc[row] if "company" in events else None
    label, firm = (strip_control(text) if isinstance(text, str) else "" for text in (event["label"], firm))
    date = "" if data.undated else format_time(event["day_0"])
    firm = firm or strip_control(str(event["security"]))
    return "" if label == firm else label, firm, date


def event_name(data: FittedEvents, row: int) -> str:
    """Name of an event for titles: its label, else its firm, and day 0."""
    label, firm, date = name_parts(data, row)
    who = f"{firm}, {date}" if date else firm
    return f"{label} ({who})" if label else who


def named_events(data: FittedEvents) -> pd.DataFrame:
    """Columns security, label and day_0, as far as there are any, by event."""
    frame = data.timeline
    labels = ["label"] if some_text(frame["label"]) else []
    return frame[["security", *labels, *([] if data.undated else ["day_0"])]]
