"""The page of the lab runs, and what it says in words is what its table holds."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how_to" / "lab.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(DOCS / "how_to")
    cells = re.findall(r"```\{code-cell\} python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(cells) >= 9
    exec("\n".join(re.sub(r"^:tags:.*\n", "", cell) for cell in cells), {})
    told = capsys.readouterr().out
    assert "specifications of CAR(0, 1)" in told
    assert "BMP t rejects" in told
    plt.close("all")


def rates(dates: str, shift: float) -> pd.DataFrame:
    table = pd.read_csv(DOCS / "data" / "calibration_sp500.csv")
    table = table[(table["dates"] == dates) & (table["shift"] == shift)]
    return table.pivot(index="test", columns="model", values="rate")


def test_tests_are_well_specified_on_spread_dates() -> None:
    size = rates("spread", 0.0)
    assert (
        size.loc[["cross_sectional", "bmp", "rank", "grank_t", "wilcoxon"]].stack().between(0.035, 0.06).all()
    )
    high = size.loc[["patell", "jaffe", "lamb", "time_series"]]
    assert high[["market model", "market adjusted"]].stack().between(0.065, 0.09).all()
    assert high["mean adjusted"].between(0.08, 0.11).all()


def test_tests_of_independent_events_fail_on_a_common_date() -> None:
    size = rates("common", 0.0)
    naive = size.loc[["cross_sectional", "bmp", "patell", "independence", "sign", "wilcoxon"]]
    assert naive["market model"].between(0.19, 0.26).all()
    assert (naive["mean adjusted"] > 0.45).all()
    sound = size.loc[["adjusted_bmp", "grank_t", "portfolio", "jaffe", "rank"], "market model"]
    assert sound.between(0.07, 0.1).all()


def test_the_market_model_finds_more_than_the_mean_adjusted_model() -> None:
    spread, common = rates("spread", 0.005), rates("common", 0.005)
    found = spread.loc["bmp"].round(2), common.loc["adjusted_bmp"].round(2)
    assert [f["market model"] for f in found] == [0.67, 0.57]
    assert [f["mean adjusted"] for f in found] == [0.5, 0.13]
    assert "67% against 50%" in PAGE
    assert "57% against 13%" in PAGE
