"""The reference pages list every public name; `make docs` builds them with warnings as errors."""

from __future__ import annotations

import re
from pathlib import Path

import eventstudy

PAGE = Path(__file__).parents[1] / "docs" / "api" / "index.md"


def listed() -> list[str]:
    """Return the names in the autosummary blocks of the page."""
    return re.findall(r"^ {3}(\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_reference_page_lists_every_public_name_once_and_no_other() -> None:
    public = {name for name in eventstudy.__all__ if not name.startswith("_")}
    assert sorted(listed()) == sorted(public - {"errors"})


def test_errors_stand_on_the_page_as_a_module() -> None:
    assert ".. automodule:: eventstudy.errors" in PAGE.read_text(encoding="utf-8")
