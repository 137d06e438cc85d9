"""`show_versions` prints what is installed, and warns of the other project with the same import name."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import pytest

import eventstudy as es
from eventstudy import versions


def test_it_names_the_library_python_and_every_dependency(capsys: pytest.CaptureFixture[str]) -> None:
    es.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"abnormal-returns {es.__version__}"
    assert platform.python_version() in lines[1]
    for name in ("pandas", "numpy", "statsmodels", "exchange-calendars"):
        assert f"{name} {version(name)}" in lines
    assert any(line.startswith("arch ") and line.endswith("(extra garch)") for line in lines)
    assert not any("pytest" in line for line in lines)


def test_what_is_missing_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> str:
        if name in {"arch", "scipy"}:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(versions, "version", without)
    es.show_versions()
    printed = capsys.readouterr().out
    assert "scipy MISSING\n" in printed
    assert "arch not installed (extra garch)\n" in printed


@pytest.mark.parametrize("there", [True, False])
def test_the_other_project_is_warned_of(
    there: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(name: str) -> str:
        if name == "eventstudy" and not there:
            raise PackageNotFoundError(name)
        return "0.1a12"

    monkeypatch.setattr(versions, "version", found)
    es.show_versions()
    assert ("WARNING: the distribution eventstudy 0.1a12" in capsys.readouterr().out) == there
