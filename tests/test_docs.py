"""The reference pages list every public name; `make docs` builds them with warnings as errors."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import eventstudy

PAGE = Path(__file__).parents[1] / "docs" / "api" / "index.md"


def public(module: ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in vars(module)["__all__"] if not name.startswith("_")}


def listed() -> dict[str, set[str]]:
    """Return the names in the autosummary blocks of the page, by the module they are looked up in."""
    found: dict[str, set[str]] = {}
    module = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.fullmatch(r" {3}(\w+)", line):
            found.setdefault(module, set()).add(match[1])
    return found


MODULES = [eventstudy, *(m for m in public(eventstudy).values() if isinstance(m, ModuleType))]


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m is not eventstudy.errors], ids=lambda module: module.__name__
)
def test_the_reference_page_lists_every_public_name_and_no_other(module: ModuleType) -> None:
    names = {name for name, value in public(module).items() if not isinstance(value, ModuleType)}
    assert len(names) > 1
    assert listed()[module.__name__] == names


def test_errors_stand_on_the_page_as_a_module() -> None:
    assert ".. automodule:: eventstudy.errors" in PAGE.read_text(encoding="utf-8")
