"""The size of tests of long horizons, volume, volatility and bars: complete, as claimed, the same anew."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("measures_size", ROOT / "benchmarks" / "measures_size.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["measures_size"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


SIZE = load()
TABLE = pd.read_csv(SIZE.TABLE)
RATES = TABLE.set_index(["cell", "test"])


def test_every_cell_is_there_with_its_replications() -> None:
    assert list(dict.fromkeys(TABLE["cell"])) == list(SIZE.CELLS)
    assert not TABLE.duplicated(["cell", "test"]).any()
    for name, cell in SIZE.CELLS.items():
        rows = TABLE[TABLE["cell"] == name]
        assert (rows["replications"] == cell.replications).all()
        assert set(rows.loc[rows["holds"], "test"]) == cell.holds


def test_five_percent_lies_in_the_interval_of_what_holds() -> None:
    claimed = TABLE[TABLE["holds"]]
    assert len(claimed) >= 18
    missed = claimed[(claimed["low"] > 0.05) | (claimed["high"] < 0.05)]
    assert missed.empty, missed.to_string()


def test_what_is_corrected_is_wrong_without_the_correction() -> None:
    """Each measure has its reason to exist: the plain one is far from 5 %."""
    rate = RATES["rate"]
    # Skewness: the plain t rejects in one tail and not in the other; the bootstrap in both alike.
    assert rate["bhar-200", "t less"] > 0.065 > 0.04 > rate["bhar-200", "t greater"]
    assert abs(rate["bhar-200", "bootstrap less"] - rate["bhar-200", "bootstrap greater"]) < 0.02
    # A common month: no correction for skewness helps.
    assert rate["bhar-200-one-month", "bootstrap two-sided"] > 0.3
    # Autocorrelation: sums of eleven days.
    assert RATES.loc[("volume-ar", "least squares t"), "low"] > 0.15
    assert rate["volume-ar", "egls t"] < 0.09
    # The published multiples have mean N / (N - 1).
    for cell in ("multiples-10-normal", "multiples-10-t5"):
        paper, ours = (rate[cell, f"{test} (-5, 5)"] for test in ("paper's statistic", "chi_square"))
        assert paper > ours + 0.05 > 0.1
        assert rate[cell, "bootstrap (-5, 5)"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bhar-50", "ranges"])
def test_a_cell_made_anew_is_the_same(name: str) -> None:
    made = SIZE.simulate(SIZE.CELLS[name])
    stored = TABLE[TABLE["cell"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(made, stored, check_dtype=False, atol=1.5 / made["replications"].iloc[0])
