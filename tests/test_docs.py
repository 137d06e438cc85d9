"""The reference pages list every public name; blocks of code are right where the build does not run them."""

from __future__ import annotations

import ast
import inspect
import os
import re
import runpy
from operator import attrgetter
from pathlib import Path

import pytest

import eventstudy
from eventstudy import plotting
from eventstudy.results.plot import ResultsPlotter

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "api" / "index.md"


def listed() -> list[str]:
    """Return the names in the autosummary blocks of the page."""
    return re.findall(r"^ {3}([\w.]+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_reference_page_lists_every_public_name_once_and_no_other() -> None:
    public = set(eventstudy.__all__) - {"errors", "causal", "inference", "models"}
    public |= {
        f"{room}.{name}"
        for room in ("causal", "inference", "models")
        for name in getattr(eventstudy, room).__all__
        if name not in public
        and (inspect.isclass(found := getattr(getattr(eventstudy, room), name)) or inspect.isfunction(found))
    }
    assert sorted(listed()) == sorted(public)


def test_errors_stand_on_the_page_as_a_module() -> None:
    assert ".. automodule:: eventstudy.errors" in PAGE.read_text(encoding="utf-8")


def test_figures_reach_the_pages_whatever_backend_the_build_is_started_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("PYTHONPATH", "")
    runpy.run_path(str(DOCS / "conf.py"))
    assert "MPLBACKEND" not in os.environ
    assert os.environ["PYTHONPATH"] == str(DOCS.parent / "examples")


#: What needs a network or a file of the reader's: such blocks are read, not run.
ELSEWHERE = ("french_factors(", "read_factors(", "read_prices(", "es.prices(", "es.measure(", "scan_parquet(")
ELSEWHERE += ("entity_list(",)
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(code, id=f"{page.stem}-{i}")
    for page in sorted(DOCS.rglob("*.md"))
    if "_build" not in page.parts
    for i, code in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.filterwarnings("ignore::eventstudy.errors.ExcludedEventsWarning")
@pytest.mark.parametrize("code", BLOCKS)
def test_blocks_that_the_build_does_not_run_are_right(code: str) -> None:
    """Code cells run when the pages are built; other blocks run here, or their calls must fit."""
    tree = ast.parse(code)
    if not any(name in code for name in ELSEWHERE):
        exec(compile(tree, "block", "exec"), {"es": eventstudy})
        return
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.startswith("es."):
            function = attrgetter(name.removeprefix("es."))(eventstudy)
            keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}
            inspect.signature(function).bind(*call.args, **keywords)


def test_the_gallery_shows_every_figure() -> None:
    page = (DOCS / "reference" / "gallery.md").read_text(encoding="utf-8")
    figures = {name for name in plotting.__all__ if name.startswith("plot_")}
    assert set(re.findall(r"`(plot_\w+)`", page)) == figures
    cells = "".join(re.findall(r"```\{code-cell\} python\n(.*?)```", page, flags=re.DOTALL))
    methods = {name for name in dir(ResultsPlotter) if not name.startswith("_")}
    assert methods <= set(re.findall(r"\.plot\.(\w+)\(", cells))
