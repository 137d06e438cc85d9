"""Stated minimum detectable effects are found with probability 0.8, in the stored table and made anew."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from eventstudy.inference import TESTS

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("detectable_table", ROOT / "benchmarks" / "detectable_table.py")
MADE = importlib.util.module_from_spec(SPEC)
sys.modules["detectable_table"] = MADE  # its dataclass looks itself up there
SPEC.loader.exec_module(MADE)
TABLE = pd.read_csv(MADE.TABLE)


def test_every_cell_and_every_test_that_states_an_effect_is_there():
    found = set(TABLE[["dates", "events", "unequal"]].itertuples(index=False, name=None))
    assert found == {(cell.dates, cell.events, cell.unequal) for cell in MADE.CELLS.values()}
    # Tests of bars have no bars here, and the fit by likelihood takes too long.
    assert set(TABLE["test"]) == {
        key for key, test in TESTS.items() if test.unit and not key.startswith(("garch", "time_of_day"))
    }


def test_what_is_stated_is_found():
    """The 95% interval of the power of each stated effect meets 75 to 85%."""
    rejected = np.round(TABLE["power"] * MADE.TRIED)
    low, high = proportion_confint(rejected, MADE.TRIED, method="wilson")
    outside = TABLE[(low > 0.85) | (high < 0.75)]
    assert outside.empty, outside.to_string()
    assert TABLE["power"].mean() == pytest.approx(0.8, abs=0.02)


def test_a_discrete_test_says_at_least():
    ranks = TABLE[TABLE["test"].isin(["sq", "conformal", "permutation", "nguyen_wolf"])]
    assert ranks["at_least"].all()
    assert not TABLE.loc[TABLE["test"].isin(["t", "bmp", "portfolio"]), "at_least"].any()


def test_tests_that_ignore_correlation_state_nothing_on_one_date():
    one = set(TABLE.loc[TABLE["dates"] == "one", "test"])
    assert all("cross-correlation" in TESTS[key].robust_to for key in one)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own-2-unequal", "own-6-unequal", "one-3-unequal"])
def test_a_cell_made_anew_is_the_stored_one(name):
    cell = MADE.CELLS[name]
    rows = TABLE[
        (TABLE["dates"] == cell.dates) & (TABLE["events"] == cell.events) & (TABLE["unequal"] == cell.unequal)
    ]
    made = MADE.table_of(cell).set_index("test").sort_index()
    stored = rows.set_index("test").sort_index()
    pd.testing.assert_frame_equal(
        made[["effect", "power"]], stored[["effect", "power"]], atol=1e-4, rtol=0, check_names=False
    )
