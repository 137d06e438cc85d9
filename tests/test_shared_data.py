"""Tests that need ../shared run where it is and are counted where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
def test_data(shared_data):
    assert (shared_data / "README.md").read_text() == "here"

def test_reference(shared_reference):
    assert shared_reference.name == "reference"

def test_neither():
    pass
"""


def run(checkout: Path) -> str:
    tests = checkout / "tests"
    tests.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "conftest.py", tests)
    (tests / "test_it.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)],
        cwd=checkout,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # some load packages that take a second
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_absent_folders_skip_and_are_counted(tmp_path: Path) -> None:
    output = run(tmp_path / "checkout")
    assert "1 passed, 2 skipped" in output
    assert "shared data absent: 2 tests skipped" in output


@pytest.mark.slow
def test_one_absent_folder_is_counted(tmp_path: Path) -> None:
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (tmp_path / "shared" / "data" / "README.md").write_text("here")
    output = run(tmp_path / "checkout")
    assert "2 passed, 1 skipped" in output
    assert "shared data absent: 1 test skipped" in output


@pytest.mark.slow
def test_present_folders_are_used(tmp_path: Path) -> None:
    for name in ("data", "reference"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    (tmp_path / "shared" / "data" / "README.md").write_text("here")
    output = run(tmp_path / "checkout")
    assert "3 passed" in output
    assert "shared data present" in output


@pytest.mark.parametrize("name", ["surveillance_closes", "surveillance_ex_dates", "surveillance_ohlc"])
def test_bundled_facts_are_the_shared_ones(shared_data: Path, name: str) -> None:
    source = {
        "surveillance_closes": "closes",
        "surveillance_ex_dates": "ex_dates",
        "surveillance_ohlc": "hikvision_ohlc",
    }[name]
    bundled = Path(__file__).parents[1] / "eventstudy" / "datasets" / f"{name}.csv"
    assert bundled.read_text() == (shared_data / "facts" / f"{source}.csv").read_text()
