"""The page of the documentation is the data's, and the guide to adding a row names what exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from eventstudy.datasets.bans.page import page
from eventstudy.datasets.bans.schema import TABLES
from eventstudy.datasets.bans.tables import typed

DOCS = Path(__file__).parents[2] / "docs" / "data"


def test_the_page_is_that_of_the_data() -> None:
    """Otherwise: python -m eventstudy.datasets.bans.page > docs/data/ban_announcements.md."""
    assert (DOCS / "ban_announcements.md").read_text(encoding="utf-8") == page()


def test_the_command_writes_the_page() -> None:
    command = [sys.executable, "-X", "utf8", "-m", "eventstudy.datasets.bans.page"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == page()


def test_the_page_lists_everything() -> None:
    text = page()
    tables = typed()
    for announcement_id, row in tables.announcements.iterrows():
        assert f"`{announcement_id}`" in text
        assert row["title"] in text
    for columns in TABLES.values():
        for name in columns:
            assert re.search(rf"^\| (\*\*)?{name}(\*\*)? \|", text, re.MULTILINE)
    for security in tables.securities["security"]:
        assert f"({security})" in text
    for url in tables.sources["url"]:
        assert f"]({url})" in text or not url


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    width = 0
    for line in page().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert width in (0, cells), line
        width = cells


def test_the_guide_names_what_exists() -> None:
    text = (DOCS / "adding_announcements.md").read_text(encoding="utf-8")
    known = {f"{table}.csv" for table in TABLES} | {name for columns in TABLES.values() for name in columns}
    known |= {word for cs in TABLES.values() for c in cs.values() for word in c.values or ()}
    words = set(re.findall(r"`([a-z_]+(?:\.csv)?)`", text))
    assert words <= known, words - known
    assert len(words) > 10
