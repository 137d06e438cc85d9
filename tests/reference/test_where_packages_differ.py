"""The page "Where packages differ": every cell runs, and shows what its text says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "where_packages_differ.md"
pytestmark = pytest.mark.slow
CELL = re.compile(r"^```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)^```\n", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    page = PAGE.read_text(encoding="utf-8")
    cells = CELL.findall(page)
    assert len(cells) == page.count("{code-cell}") > 15
    found: dict[str, Any] = {}
    for code in cells:
        exec(compile(code, str(PAGE), "exec"), found)
    return found


def near(value: float, low: float, high: float) -> bool:
    return low <= value <= high


def test_standard_errors(names):
    exact, plain, crude = names["car_sizes"].values()
    assert near(exact, 4.4, 5.6)
    assert near(plain, 8.5, 11.5)
    assert crude > plain
    assert names["plain_se"] < names["whole"]["se"] < 1.1 * names["plain_se"]


def test_patell(names):
    table = names["patell_sizes"]
    assert (table["simulated"] - table["theory"]).abs().max() < 1.0
    assert table["theory"].tolist() == [5.0, 14.8, 25.9, 30.5]
    assert table["divided once"].between(4.3, 5.7).all()


def test_correlation(names):
    r = names["r_bar"]
    assert near(r["calendar days, pairs"], 0.07, 0.13)
    assert r["with each event's own 1"] > r["calendar days, pairs"] + 0.02
    assert abs(r["cross-products"]) < 1e-4
    assert abs(r["relative days of events a week apart"]) < 0.02
    assert (names["factors"]["BMP"] < names["factors"]["Patell"]).all()


def test_sizes(names):
    assert near(names["bmp_sizes"]["t(N - 1)"], 4.3, 5.7)
    assert names["bmp_sizes"]["N(0, 1)"] > 8
    assert names["bmp_sizes"]["t(M - 2)"] > 8
    assert near(names["grank_sizes"]["over the s.d."], 3, 7.5)
    assert names["grank_sizes"]["over the s.d. / sqrt(N)"] > 15
    ranks = names["rank_sizes"]
    assert ranks["with"].between(3.5, 6.5).all()
    assert ranks.loc[41, "without"] < ranks.loc[41, "with"] - 1
    assert near(names["wilcoxon_sizes"]["ranks over events"], 2.5, 8)
    assert names["wilcoxon_sizes"]["ranks over time"] > 95
    assert names["p_of_23"] == pytest.approx(0.15625)


def test_a_spread_inside_the_window_is_bounded(names):
    largest = names["inside"]["100%"]
    assert largest["spread inside"] < 3.35
    assert largest["spread before"] > 300


def test_data(names):
    assert names["spreads"]["s of R"] > names["spreads"]["s of R - Rm"]
    assert names["uncovered"]["car"].isna().all()
    assert names["partial"]["n_days"].tolist() == [2]
    assert (len(names["events"]), len(names["by_firm"])) == (3, 5)
    assert names["multiplier"]["over N - 1"] == pytest.approx(1.25, abs=0.02)
    assert names["multiplier"]["over N"] == pytest.approx(1.0, abs=0.02)
