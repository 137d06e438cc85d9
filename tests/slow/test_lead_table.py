"""The table behind the recommended tests is the same when a cell of it is made anew."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from eventstudy.inference.procedures.lead import lead_sizes, order_of

pytest.importorskip("pyarrow", reason="the panels of the markets are parquet files")
ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("lead_table", ROOT / "benchmarks" / "lead_table.py")
LEAD = importlib.util.module_from_spec(SPEC)
sys.modules["lead_table"] = LEAD  # its dataclass looks itself up there
SPEC.loader.exec_module(LEAD)
TABLE = pd.read_csv(LEAD.TABLE)


def test_every_cell_is_there():
    found = set(TABLE[["world", "dates", "events"]].itertuples(index=False, name=None))
    assert found == {(cell.world, cell.dates, cell.events) for cell in LEAD.CELLS.values()}


def outside(rows):
    """Rows whose 95% interval of the rate misses 3 to 7%."""
    counts = np.round(rows["size"] * rows["replications"])
    low, high = proportion_confint(counts, rows["replications"], method="wilson")
    away = rows[(low > 0.07) | (high < 0.03)]
    return set(away[["world", "dates", "events", "window"]].itertuples(index=False, name=None))


MARKETS = TABLE[TABLE["world"].isin(["sp500", "a_share"])]


def test_the_markets_are_drawn_from_a_thousand_times():
    assert (MARKETS["replications"] >= 990).mean() > 0.99


def test_the_default_interval_misses_three_to_seven_percent():
    """But for the t of one event, whose errors have fat tails."""
    assert outside(MARKETS[MARKETS["test"] == LEAD.INTERVAL]) <= {("sp500", "own", 1, "(-1, +1)")}


def test_every_lead_rejects_three_to_seven_percent():
    for (dates, events), rows in MARKETS.groupby(["dates", "events"]):
        spread = "bmp" if dates == "own" else "adjusted_bmp"
        keys = ["sq", "filtered_sq", "t"] if events == 1 else [spread, "filtered_sq"]
        lead = order_of(keys, lead_sizes(dates, events))[0][0]
        assert not outside(rows[rows["test"] == lead]), (dates, events, lead)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal-one-2", "t4-late-6", "normal-overlap-6"])
def test_a_cell_made_anew_is_the_stored_one(name):
    cell = LEAD.CELLS[name]
    rows = TABLE[
        (TABLE["world"] == cell.world) & (TABLE["dates"] == cell.dates) & (TABLE["events"] == cell.events)
    ]
    made = LEAD.table_of(cell, int(rows["replications"].max()))
    index = ["window", "test"]
    columns = ["size", "doubled", "power_2", "power_10"]
    stored, again = (frame.set_index(index)[columns].sort_index() for frame in (rows, made))
    pd.testing.assert_frame_equal(stored, again, atol=1e-4)
