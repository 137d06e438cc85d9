"""Tables of sizes outside the registry are the same when a part of them is made anew."""

from __future__ import annotations

import importlib
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("pyarrow", reason="the panels of the markets are parquet files")
ROOT = Path(__file__).parents[2]
CELL = ["world", "dates", "events"]


@pytest.fixture
def script(monkeypatch):
    """Import a script that imports others beside it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


def test_every_procedure_has_its_designs(script):
    made = script("inference_sizes")
    table = pd.read_csv(made.TABLE)
    assert (table["replications"] == made.REPLICATIONS).all()
    for name, procedure in made.PROCEDURES.items():
        rows = table.loc[table["procedure"] == name, CELL]
        assert set(rows.itertuples(index=False, name=None)) == {
            (cell.world, cell.dates, cell.events) for cell in procedure.cells
        }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gls_portfolio", "mean_intervals", "joint_test", "variance_tests"])
def test_a_procedure_made_anew_is_the_stored_one(script, name):
    made = script("inference_sizes")
    cell = made.PROCEDURES[name].cells[0]
    table = pd.read_csv(made.TABLE)
    own = [name, cell.world, cell.dates, cell.events]
    stored = table[(table[["procedure", *CELL]] == own).all(axis=1)].reset_index(drop=True)
    pd.testing.assert_frame_equal(made.table_of(name, cell), stored, atol=1e-4)
