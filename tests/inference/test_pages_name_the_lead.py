"""Short pages name the test that `recommend` names first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eventstudy.inference import recommend

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("agents", "reference/cheat_sheet")
WINDOWS = {
    "one day": [(0, 0)],
    "one or two days": [(0, 0), (0, 1)],
    "two or three days": [(0, 1), (0, 2)],
    "three days": [(0, 2)],
    "four days or more": [(-1, 2), (-5, 5)],
    "nine days or more": [(-4, 4), (-5, 5)],
    "": [(0, 0), (0, 1), (0, 2), (-1, 2), (-5, 5)],
}
ROW = re.compile(r"^\| (one event|own dates|one date)(?:, ([^|]+))? \| ([^|]+) \|", re.MULTILINE)
NAMED = re.compile(r"`(\w+)`(?: \((?:from )?(\d+)(?: to (\d+))?\))?")


def rows() -> list[tuple[str, str, str, int, tuple[int, int]]]:
    found = []
    for page in PAGES:
        for dates, days, cell in ROW.findall((DOCS / f"{page}.md").read_text(encoding="utf-8")):
            for key, low, high in NAMED.findall(cell.split(";")[0]):
                for n in sorted({int(low or 1), int(high or low or 1), *([60] if low and not high else [])}):
                    found += [(page, dates, key, n, window) for window in WINDOWS[days]]
    return found


ROWS = rows()


def test_the_tables_are_found() -> None:
    for page in PAGES:
        held = {row[1:4] for row in ROWS if row[0] == page}
        assert {
            ("one event", "sq", 1),
            ("own dates", "grank_t", 60),
            ("one date", "filtered_bmp", 20),
        } <= held


@pytest.mark.parametrize("row", sorted({row[1:] for row in ROWS}), ids=str)
def test_the_lead_is_the_one_recommended(row: tuple[str, str, int, tuple[int, int]], panel) -> None:
    dates, key, n, window = row
    made = panel(
        n=n,
        width=250,
        window=(-5, 5),
        layout="common" if dates == "one date" else "distinct",
        correlation=0.2 if dates == "one date" else 0.0,
        seed=1,
    )
    assert recommend(made.test(*window))["test"].iloc[0] == key


def test_where_bmp_leads() -> None:
    """The sentence of its section is the row of the table."""
    text = (DOCS / "methods" / "standardized.md").read_text(encoding="utf-8")
    told = re.search(
        r"from (\d+) events on for a single day, from (\d+) on for two or three, and with (\d+) to (\d+) for",
        text,
    )
    table = (DOCS / "explanation" / "which_test_when.md").read_text(encoding="utf-8")
    rows = [
        re.search(rf"^\| own \| {kind} \|.*`bmp` \((?:from )?(\d+)(?: to (\d+))?\)", table, re.MULTILINE)
        for kind in ("one day", "two days", "three days", "four days or more")
    ]
    assert told is not None
    one, two, three, more = (row.groups() for row in rows if row)
    assert told.groups() == (one[0], two[0], *more)
    assert two == three
