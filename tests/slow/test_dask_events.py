"""200,000 events from Parquet on a Dask cluster: all measured, right, in bounded memory; the stored table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TABLE = pd.read_csv(ROOT / "docs" / "data" / "dask_events.csv")


@pytest.mark.slow
def test_a_cluster_measures_them_in_bounded_memory(tmp_path: Path) -> None:
    """Workers are held to 1 GiB, and to the same memory with a quarter of the events."""
    pytest.importorskip("distributed", reason="needs dask[distributed]")
    table = tmp_path / "table.csv"
    script = ROOT / "benchmarks" / "dask_events.py"
    subprocess.run(
        [sys.executable, script, "--events", "50000", "200000", "--table", table],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    few, many = pd.read_csv(table).itertuples()
    assert (few.measured, many.measured) == (50_000, 200_000)
    assert max(few.difference, many.difference) < 1e-12
    assert many.memory < 1024
    assert many.memory < 1.25 * few.memory


def test_the_stored_runs_are_linear_in_events_and_level_in_memory() -> None:
    """As the page on many events says of them."""
    assert TABLE["events"].tolist() == TABLE["measured"].tolist()
    assert TABLE["events"].min() == 200_000
    assert TABLE["difference"].max() < 1e-12
    assert TABLE["memory"].max() < 1024
    assert TABLE["memory"].max() < 1.25 * TABLE["memory"].min()
    assert TABLE["cpu_per_file"].max() < 1.25 * TABLE["cpu_per_file"].min()
