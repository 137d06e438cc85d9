"""The stored size table of what goes beyond one study: within simulation error, and made by its script."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "beyond_size.py"


BEYOND = runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(ROOT / "docs" / "data" / "beyond_size.csv")


def test_holds_is_the_verdict_of_the_counts(table: pd.DataFrame) -> None:
    """Whether Wilson's 95% interval of the rate meets 3.5 to 6.5%."""
    for row in table.itertuples():
        count = round(row.rate * row.replications)
        low, high = stats.binomtest(count, row.replications).proportion_ci(0.95, "wilson")
        assert (row.low, row.high) == pytest.approx((low, high), abs=1e-4)
        assert row.holds == (low <= 0.065 and high >= 0.035)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("name", BEYOND["DESIGNS"])
def test_recommended_is_what_the_library_says(table: pd.DataFrame, name: str) -> None:
    rows = table[table["design"] == name].set_index("method")
    assert (rows["replications"] >= BEYOND["FEWER"].get(name, 1000)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        assert rows["recommended"].to_dict() == BEYOND["advised"](name)


def test_what_is_recommended_holds(table: pd.DataFrame) -> None:
    recommended = table[table["recommended"]]
    assert len(recommended) >= 20
    missed = recommended[~recommended["holds"]]
    assert missed.empty, missed.to_string()


def test_what_is_not_recommended_shows_why(table: pd.DataFrame) -> None:
    """Dates that groups share, a date that all events share, a neighbour's reaction, and the like."""
    rate = table[~table["recommended"]].set_index(["design", "method"])["rate"]
    assert rate["repeated", "estimation holds the others"] < 0.03  # power is lost
    assert rate["repeated", "stacked, the earlier one moved by 10% on its day"] > 0.1
    assert rate["groups_one_date_each", "Welch t of events as if independent"] > 0.2
    assert rate["markets_one_date", "bmp"] > 0.3
    assert rate["slope_one_date", "HC3"] > 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["markets_one_date", "slope_one_date", "money", "repeated", "groups_one_date_each"]
)
def test_the_script_makes_such_numbers(table: pd.DataFrame, name: str) -> None:
    """A hundred replications, which are among those of the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        made = BEYOND["simulate"](name, 100)
    stored = table[table["design"] == name]
    assert made["method"].tolist() == stored["method"].tolist()
    error = np.sqrt(stored["rate"] * (1 - stored["rate"]) / 100).to_numpy()
    assert (np.abs(made["rate"].to_numpy() - stored["rate"].to_numpy()) < 4 * error + 0.01).all()
