"""Data and reference values that lie beside the checkout and may not be committed."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
ABSENT = "shared data absent"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{ABSENT}: no folder ../shared/{name} beside the checkout")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder ../shared/data; the test is skipped where it is absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder ../shared/reference; the test is skipped where it is absent."""
    return _shared("reference")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = sum(ABSENT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if SHARED.is_dir() and not skipped:
        terminalreporter.write_line("shared data present")
    else:
        terminalreporter.write_line(f"{ABSENT}: {skipped} test{'' if skipped == 1 else 's'} skipped")
