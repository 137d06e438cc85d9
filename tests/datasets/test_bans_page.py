"""The page of the documentation is the data's, and the guide to adding a row names what exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from eventstudy.datasets.bans import page as pages
from eventstudy.datasets.bans.schema import CHANGES, KINDS, TABLES
from eventstudy.datasets.bans.tables import split, typed

DOCS = Path(__file__).parents[2] / "docs" / "data"
page = cache(pages.page)


def test_the_page_is_that_of_the_data() -> None:
    """Otherwise: python -m eventstudy.datasets.bans.page > docs/data/ban_announcements.md."""
    assert (DOCS / "ban_announcements.md").read_text(encoding="utf-8") == page()


@pytest.mark.slow
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
    for columns in (*TABLES.values(), CHANGES):
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
    schema = {**TABLES, "changes": CHANGES}
    known = {f"{table}.csv" for table in schema} | {name for columns in schema.values() for name in columns}
    known |= {word for cs in schema.values() for c in cs.values() for word in c.values or ()} | {"screen"}
    words = set(re.findall(r"`([a-z_]+(?:\.csv)?)`", text))
    assert words <= known, words - known
    assert len(words) > 10


def test_the_filter_knows_kind_and_firms_of_every_announcement() -> None:
    (found,) = re.findall(r'<script type="application/json" id="ban-facts">(.*?)</script>', page())
    facts, tables = json.loads(found), typed()
    assert facts["kinds"] == list(KINDS)
    assert list(facts["rows"]) == list(tables.announcements.index)
    for announcement_id, (kind, firms) in facts["rows"].items():
        row = tables.announcements.loc[announcement_id]
        assert kind == row["kind"]
        linked = tables.securities[tables.securities["announcement_id"] == announcement_id]
        assert set(linked["company"]) <= set(firms)
        assert set(split(row["entities"])) <= set(firms)
    assert "Huawei" in facts["rows"]["2019-05-15_HUAWEI_EL"][1]


def test_the_filter_needs_no_network_and_fills_the_fields_of_the_page() -> None:
    text = (DOCS.parent / "_static" / "ban_filter.html").read_text(encoding="utf-8")
    assert ":file: ../_static/ban_filter.html" in page()
    assert not re.search(r"https?:|src=|fetch|import ", text)
    for name in ("ban-filter", "ban-facts"):
        assert f'id="{name}"' in page()
        assert f'getElementById("{name}")' in text
    for name in ("search", "kind", "firm", "count"):
        assert f'name="{name}"' in page()
        assert f"form.elements.{name}" in text
