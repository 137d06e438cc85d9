"""The reference pages list every public name; `make docs` builds them with warnings as errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import eventstudy
from eventstudy import datasets, plotting

PAGE = Path(__file__).parents[1] / "docs" / "api" / "index.md"
MODULES = {"datasets", "errors", "plotting"}


@pytest.mark.parametrize("module", [eventstudy, datasets, plotting], ids=lambda m: m.__name__)
def test_every_public_name_is_on_the_reference_page(module: object) -> None:
    listed = set(re.findall(r"^   (\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    names = {name for name in vars(module)["__all__"] if not name.startswith("_")} - MODULES
    assert len(names) > 1
    assert names <= listed
