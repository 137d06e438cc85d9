"""The stored table of the power of scaled tests of volume, against tests of plain sums."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

TABLE = pd.read_csv(Path(__file__).parents[2] / "docs" / "data" / "volume_power.csv")


def test_the_table_is_complete() -> None:
    assert len(TABLE) == 2 * 2 * 3
    assert set(TABLE["test"]) == {"sq", "permutation"}
    assert (TABLE.loc[TABLE["test"] == "sq", "replications"] >= 1000).all()


def test_the_verdict_is_that_of_the_interval() -> None:
    gap = TABLE["scaled_power"] - TABLE["unscaled_power"]
    assert (gap - TABLE["difference"]).abs().max() < 2e-4
    assert (TABLE["low"] <= TABLE["high"]).all()
    assert (TABLE["as_powerful"] == (TABLE["high"] >= 0.0)).all()


def test_scaling_costs_no_power() -> None:
    """Nor size: what is divided out of the event is divided out of its past."""
    assert TABLE["as_powerful"].all(), TABLE.to_string()
    assert (TABLE["scaled_power"] > 0.5).all()
    assert (TABLE["scaled_size"] < TABLE["unscaled_size"] + 0.01).all()
