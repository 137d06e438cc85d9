"""What the columns of a table were taken for, and on what evidence: a small table that goes with the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

__all__ = ["Taken", "reading_frame", "reading_of", "reading_text"]

NAMES = ["column", "taken_for", "unit", "adjustment", "evidence"]


class Taken(NamedTuple):
    """One column, or all columns alike, and what it was taken for."""

    column: str
    taken_for: str
    unit: str = ""
    adjustment: str = ""
    evidence: str = ""

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The cells of its row."""
        return self.column, self.taken_for, self.unit, self.adjustment, self.evidence


def reading_frame(taken: Iterable[Taken]) -> pd.DataFrame:
    """Return a frame of columns column, taken_for, unit, adjustment and evidence."""
    return pd.DataFrame([one.row for one in taken], columns=NAMES)


def reading_of(frame: object) -> tuple[Taken, ...]:
    """Return what a reader of files noted in the ``attrs`` of its frame."""
    rows = getattr(frame, "attrs", {}).get("reading", ())
    return tuple(Taken(*row) for row in rows)


def reading_text(taken: Iterable[Taken]) -> str:
    """Write a reading, one line a column."""
    lines = []
    for one in taken:
        more = ", ".join(part for part in (one.unit, one.adjustment, one.evidence) if part)
        lines.append(f"  {one.column}: {one.taken_for}" + f" ({more})" * bool(more))
    return "\n".join(lines)
