"""Long work shows how far it has come, where somebody looks or has asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import progress
from eventstudy.inference.engine.draws import draw_parts


@pytest.fixture(autouse=True)
def _as_usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.delattr(sys, "ps1", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    yield
    es.show_progress(None)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_silent_in_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.followed(range(5), "Work", "piece")) == [0, 1, 2, 3, 4]
    assert told(capsys) == ""


def test_shown_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    es.show_progress()
    list(progress.followed(range(5), "Work", "piece"))
    err = told(capsys)
    assert "Work: 100%" in err
    assert "5/5" in err


def test_shown_at_a_prompt_and_in_notebooks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    list(progress.followed(range(2), "Prompt", "piece"))
    assert "Prompt: 100%" in told(capsys)
    monkeypatch.delattr(sys, "ps1")
    for shell, shown in ((object(), True), (None, False)):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        list(progress.followed(range(2), "Notebook", "piece"))
        assert ("Notebook: 100%" in told(capsys)) is shown
    es.show_progress(False)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    list(progress.followed(range(2), "Prompt", "piece"))
    assert told(capsys) == ""


def test_short_work_has_no_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    es.show_progress()
    list(progress.followed(range(3), "Work", "piece"))
    assert told(capsys) == ""


def test_work_inside_of_work_has_no_bar_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    es.show_progress()
    for _ in progress.followed(range(2), "Outer", "piece"):
        list(progress.followed(range(2), "Inner", "piece"))
    err = told(capsys)
    assert "Outer" in err
    assert "Inner" not in err


def test_a_failure_leaves_no_bar_open(capsys: pytest.CaptureFixture[str]) -> None:
    es.show_progress()
    with pytest.raises(ZeroDivisionError), progress.progress_bar(3, "Broken", "piece"):
        _ = 1 / 0
    list(progress.followed(range(2), "Next", "piece"))
    assert "Next" in told(capsys)


def test_resampling_counts_draws(capsys: pytest.CaptureFixture[str]) -> None:
    es.show_progress()
    assert sum(draw_parts(999, 10_000_000)) == 999
    assert "999/999" in told(capsys)


def test_fits_and_experiments_are_followed(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2019-01-01", periods=300)
    returns = pd.DataFrame(0.02 * rng.standard_normal((300, 4)), days, [*"ABC", "INDEX"])
    market = es.Market(returns, benchmark="INDEX")
    events = [{"security": name, "date": days[280]} for name in "ABC"]
    es.show_progress()
    model = es.RobustMarketModel("theil-sen")
    es.EventStudy(market, events, model, estimation=(-150, -21)).fit()
    assert "Theil-Sen: 100%" in told(capsys)
    es.EventStudy(market, events, estimation=(-150, -21)).fit(chunk_size=2)
    err = told(capsys)
    assert "Market model (OLS): 100%" in err
    assert "3/3" in err
    results = es.EventStudy(market, events[:1], estimation=(-150, -21), window=(-2, 2)).fit()
    es.lab.placebo(results, n_firms=20, seed=1)
    assert "Placebos: 100%" in told(capsys)


def test_no_bar_in_a_script_of_its_own() -> None:
    code = (
        "from eventstudy import progress\n"
        "progress.PATIENCE = 0.0\n"
        "list(progress.followed(range(3), 'Work', 'piece'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize(("chunk_size", "shown"), [(2, True), (3, False), (4, False)])
def test_a_fit_of_one_part_has_no_bar(
    capsys: pytest.CaptureFixture[str], chunk_size: int, shown: bool
) -> None:
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2019-01-01", periods=120)
    market = es.Market(
        pd.DataFrame(0.01 * rng.standard_normal((120, 4)), days, ["A", "B", "C", "INDEX"]), benchmark="INDEX"
    )
    events = [{"security": name, "date": days[100]} for name in "ABC"]
    es.show_progress()
    study = es.EventStudy(market, events, estimation=(-80, -11), window=(-1, 1))
    study.fit(chunk_size=chunk_size)
    assert ("Market model (OLS): 100%" in told(capsys)) is shown
