"""What tests of several rooms share: the oracle, data that may not be committed, and a cluster."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from eventstudy.abnormal import AbnormalReturns, HeldEventWindows, HeldWindows

if TYPE_CHECKING:
    from distributed import Client

#: Which of the collected tests are slow.
SLOW = pytest.StashKey[set[str]]()
SHARED = Path(__file__).parents[2] / "shared"
ABSENT = "shared data absent"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{ABSENT}: no folder ../shared/{name} beside the checkout")
    return folder


def _with_arrays(abnormal: AbnormalReturns, **changed: np.ndarray) -> AbnormalReturns:
    past, event = abnormal.past, abnormal.event_windows
    windows = {
        "residuals": past.residuals(),
        "leverage": past.leverage(),
        "estimation_dates": past.dates(),
        "estimation_design": past.design(),
        "event_dates": event.dates(),
        "noise": event.noise(),
        "design": event.design(),
    }
    windows |= {name: changed.pop(name) for name in list(changed) if name in windows}
    held = HeldWindows(*(windows.pop(name) for name in list(windows)[:4]))
    return replace(abnormal, past=held, event_windows=HeldEventWindows(*windows.values()), **changed)


@pytest.fixture(scope="session")
def with_arrays() -> Callable[..., AbnormalReturns]:
    """Abnormal returns with other arrays, those of the windows by name, all of them held."""
    return _with_arrays


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The plain reference implementation of the tests."""
    return importlib.import_module("oracle")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder ../shared/data; the test is skipped where it is absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder ../shared/reference; the test is skipped where it is absent."""
    return _shared("reference")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """A Dask cluster of two workers in this process: what they are sent is pickled all the same."""
    from distributed import Client, LocalCluster  # costs a second, and few tests ask for it

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def slow_tests(pytestconfig: pytest.Config) -> set[str]:
    """Node ids of the slow tests, whichever of them run."""
    return pytestconfig.stash[SLOW]


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures of reports empty, for tests of their words: drawing takes four fifths of the time."""
    empty = "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    monkeypatch.setattr("eventstudy.plotting.as_image", lambda *args, **kwargs: empty)


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the figures of reports, but make no image files of them, which takes most of the time."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *args, **kwargs: None)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make the cells of a test marked ``quick`` slow, but for those it names and every so many."""
    batteries: dict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("quick"):
            batteries[item.nodeid.partition("[")[0]].append(item)
    whole = not any("::" in argument for argument in config.args) and not config.getoption("lf", False)
    for name, cells in batteries.items():
        marker = cells[0].get_closest_marker("quick")
        assert marker is not None
        lost = set(marker.args) - {cell.callspec.id for cell in cells}
        if whole and lost:
            raise pytest.UsageError(f"{name} has no cells {sorted(lost)}, which its mark calls quick")
        every = marker.kwargs.get("every", 0)
        for i, cell in enumerate(cells):
            if cell.callspec.id not in marker.args and (not every or i % every):
                cell.add_marker(pytest.mark.slow)
    config.stash[SLOW] = {item.nodeid for item in items if item.get_closest_marker("slow")}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = sum(ABSENT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if SHARED.is_dir() and not skipped:
        terminalreporter.write_line("shared data present")
    else:
        terminalreporter.write_line(f"{ABSENT}: {skipped} test{'' if skipped == 1 else 's'} skipped")
