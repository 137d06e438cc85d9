"""README.md and the quick start: every block runs and prints what it says, every name exists."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

import eventstudy as es

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICKSTART = ROOT / "docs" / "tutorials" / "quickstart.md"
#: A block of python in the README, and the block of text after it: what it prints.
SHOWN = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
#: A cell of the quick start, after its options.
CELL = re.compile(r"^```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)^```\n", re.MULTILINE | re.DOTALL)


def run(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "block", "exec"), names)
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines())


@pytest.fixture
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@pytest.mark.usefixtures("_in_a_folder_of_its_own")
def test_readme_runs_and_prints_what_it_says() -> None:
    names: dict[str, Any] = {}
    found = SHOWN.findall(README)
    assert len(found) >= 5
    for code, told in found:
        assert told, f"no output is shown for\n{code}"
        assert run(code, names) == told.strip("\n")


@pytest.mark.usefixtures("_in_a_folder_of_its_own")
@pytest.mark.filterwarnings("ignore::eventstudy.errors.ExcludedEventsWarning")
def test_quickstart_runs_and_writes_nothing() -> None:
    page = QUICKSTART.read_text(encoding="utf-8")
    cells = CELL.findall(page)
    assert len(cells) == page.count("{code-cell}") > 10
    names: dict[str, Any] = {}
    for code in cells:
        run(code, names)
    assert list(Path.cwd().iterdir()) == []
    assert len(plt.get_fignums()) == page.count(".plot.")
    assert round(float(names["results"].car(0, 1)["car"].iloc[0]), 6) == -0.075111


def test_six_lines_are_six() -> None:
    code = re.search(r"## Six lines\n.*?```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line]) == 6


def test_another_distribution_of_the_same_import_name_is_warned_of_before_the_install_line() -> None:
    assert README.index("**Do not install** `eventstudy` from PyPI") < README.index("    pip install .")


def test_percentages_of_the_comparison_are_those_of_the_tables() -> None:
    table = pd.read_csv(ROOT / "docs" / "data" / "size_table.csv")
    cell = table[(table["cell"] == "S4") & (table["window"] == "(0, 0)")].set_index("test")["rate"]
    assert f"{cell['cross_sectional']:.0%} of true nulls are rejected at 5% | adjusted BMP: " in README
    assert f"adjusted BMP: {cell['adjusted_bmp']:.0%};" in README

    page = (ROOT / "docs" / "explanation" / "where_packages_differ.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for code in CELL.findall(page)[:2]:
        run(code, names)
    sizes = names["car_sizes"]
    assert f"{sizes['s sqrt(L), t(M - 2)']:.0f}% of true nulls are rejected at 5% | the pred" in README
    assert f"whole window: {sizes['prediction error, t(M - 2)']:.0f}% |" in README


def test_interval_in_words_is_that_of_the_numbers() -> None:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    car = es.EventStudy(market, events, estimation=(-270, -21)).fit().car(0, 1).iloc[0]
    low, high = -car["ci_high"], -car["ci_low"]
    size, low, high = (f"{share:.1%}" for share in (-car["car"], low, high))
    assert f"lost {size} more than its market model implies" in README
    assert f"95% interval from {low} to {high}" in README
    assert f"found with probability 0.8: here {car['detectable']:.1%}" in README


def _lacks(name: str) -> bool:
    """Say whether a name of the README's, ``es.something`` or ``results.something``, is not there."""
    first, *rest = name.split(".")
    holder: Any = {"es": es, "results": es.EventStudyResults}[first]
    for part in rest:
        if part not in dir(holder):
            return True
        holder = getattr(holder, part)
    return False


def test_what_is_said_to_be_there_is_there() -> None:
    status = README.partition("## Status")[2].partition("\n## ")[0]
    there = re.findall(r"`([\w.]+)`", status)
    there.remove("ax")
    assert len(there) > 20
    assert [name for name in there if _lacks(name)] == []


def test_the_number_of_announcements_is_right() -> None:
    announcements = re.search(r": (\d+) announcements", repr(es.datasets.ban_announcements()))
    assert announcements is not None
    assert f"{announcements[1]} sourced ones" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z-]+)", README))))
def test_commands_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+)`", README))))
def test_files_exist(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?<!!)\[[^]]+\]\(([^)#]+)\)", README, re.DOTALL))))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", README))))
def test_pictures_are_there_and_small(path: str) -> None:
    assert (ROOT / path).stat().st_size < 100_000
    with Image.open(ROOT / path) as picture:
        assert picture.width > 500


def test_project_file_agrees() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'name = "abnormal-returns"' in project
    assert 'requires-python = ">=3.11,<3.14"' in project
    assert "Python 3.11 to 3.13" in README
    assert 'license = "BSD-3-Clause"' in project
