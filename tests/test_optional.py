"""Optional dependencies: one way to import them, and hints that name what can be installed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from eventstudy.errors import MissingExtraError
from eventstudy.optional import import_optional

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "eventstudy").rglob("*.py"))}
PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}


def calls() -> list[list[str | None]]:
    """Arguments of every call of `import_optional`, None where one is not written out."""
    found = []
    for text in (each for each in SOURCES.values() if "import_optional" in each):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_optional":
                found.append([each.value if isinstance(each, ast.Constant) else None for each in node.args])
    return found


def test_every_extra_that_is_hinted_at_exists_and_installs_the_package() -> None:
    extras = PROJECT["optional-dependencies"]
    found = calls()
    assert len(found) >= 8
    for _, package, extra, _ in found:
        needed = [re.split(r"[\[<>=!~]", each)[0] for each in extras[extra]]
        assert package in needed


def test_hints_are_written_in_one_place_only() -> None:
    with_hints = [path.name for path, text in SOURCES.items() if "pip install" in text]
    assert with_hints == ["optional.py"]


def test_pages_name_this_distribution_and_its_extras() -> None:
    extras = set(PROJECT["optional-dependencies"])
    for path, text in PAGES.items():
        for name, extra in re.findall(r"pip install '?([\w-]+)(?:\[([\w,]+)\])?", text):
            assert name == PROJECT["name"], path
            assert set(filter(None, extra.split(","))) <= extras, path


def test_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(MissingExtraError, match=r"^It needs arch: pip install 'abnormal-returns\[garch\]'"):
        import_optional("arch", "arch", "garch", "It")
