"""The example of the specification curve: enough specifications, and a sentence that counts them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import pytest

from eventstudy.lab import SpecificationCurve

SCRIPT = Path(__file__).parents[2] / "examples" / "specification_curve.py"


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("specification_curve", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    plt.close("all")


@pytest.fixture(scope="module")
def curve(script: ModuleType) -> SpecificationCurve:
    found: SpecificationCurve = script.curve()
    return found


@pytest.mark.slow
def test_there_are_more_than_500_specifications(curve: SpecificationCurve) -> None:
    assert len(curve.frame) >= 500
    assert len(curve.placebo) == 99
    assert not curve.frame.duplicated(list(curve.frame.columns[:7])).any()


@pytest.mark.slow
def test_the_sentence_counts_what_the_frame_holds(script: ModuleType, curve: SpecificationCurve) -> None:
    chosen = curve.frame[curve.frame["window"] == "(0, +1)"]
    hits = ((chosen["p_value"] <= 0.05) & (chosen["estimate"] < 0)).sum()
    assert script.headline(curve).startswith(f"{hits} of {len(chosen)} specifications of CAR(0, 1)")


@pytest.mark.slow
def test_the_script_prints_and_saves(
    script: ModuleType,
    curve: SpecificationCurve,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "curve", lambda jobs: curve)
    monkeypatch.setattr(sys, "argv", ["specification_curve.py", "--out", str(tmp_path / "figures")])
    script.main()
    told = capsys.readouterr().out
    assert "specifications of CAR(0, 1)" in told
    assert "stouffer" in told
    assert (tmp_path / "figures" / "specification_curve.png").stat().st_size > 20_000
