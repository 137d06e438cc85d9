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


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(ROOT / "docs" / "data" / "beyond_size.csv")


def test_what_claims_to_be_valid_rejects_as_often_as_it_says(table: pd.DataFrame) -> None:
    """Within the 99.9 % interval of simulation, as there are some twenty rows."""
    claimed = table[table["claimed"]]
    assert len(claimed) >= 20
    counts = (claimed["rate"] * claimed["replications"]).round()
    for (_, row), count in zip(claimed.iterrows(), counts, strict=True):
        p = stats.binomtest(int(count), int(row["replications"]), 0.05).pvalue
        assert p > 0.001, f"{row['design']}, {row['method']}: {row['rate']:.3f}"


def test_what_does_not_claim_it_shows_why(table: pd.DataFrame) -> None:
    """But for estimation windows that hold other events: they inflate the variance, so power is lost."""
    others = table[~table["claimed"]].set_index("method")["rate"]
    assert others.pop("estimation holds the others") < 0.05
    assert (others > 0.06).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["markets_one_date", "slope_one_date", "money", "repeated"])
def test_the_script_makes_such_numbers(table: pd.DataFrame, name: str) -> None:
    """A hundred replications, which are among those of the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        made = runpy.run_path(str(SCRIPT))["simulate"](name, 100)
    stored = table[table["design"] == name]
    assert made["method"].tolist() == stored["method"].tolist()
    error = np.sqrt(stored["rate"] * (1 - stored["rate"]) / 100).to_numpy()
    assert (np.abs(made["rate"].to_numpy() - stored["rate"].to_numpy()) < 4 * error + 0.01).all()
