"""The table behind the recommended tests is the same when a cell of it is made anew."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

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
