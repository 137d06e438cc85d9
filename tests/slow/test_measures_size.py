"""The size of tests of long horizons, volume, volatility and bars: complete, with verdicts, made anew."""

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
        assert (rows["replications"] == cell.replications).all(), name
    # All but these few cells have a thousand.
    assert SIZE.REPLICATIONS == 1000
    assert set(SIZE.FEWER) <= {"volume-iid", "dummies"}


@pytest.mark.quick(every=8)
@pytest.mark.parametrize("name", SIZE.CELLS)
def test_recommended_is_what_the_library_says(name: str) -> None:
    rows = TABLE[TABLE["cell"] == name]
    assert set(rows.loc[rows["recommended"], "test"]) == SIZE.advised(SIZE.CELLS[name])


def test_holds_is_the_verdict_of_the_simulation() -> None:
    low, high = SIZE.BAND
    assert (TABLE["holds"] == ((TABLE["low"] <= high) & (TABLE["high"] >= low))).all()
    assert (TABLE["low"] <= TABLE["rate"]).all()
    assert (TABLE["rate"] <= TABLE["high"]).all()


def test_what_is_recommended_holds() -> None:
    """Or rejects less, for a reason that is named."""
    recommended = TABLE[TABLE["recommended"]]
    assert len(recommended) >= 60
    low = recommended["high"] < SIZE.BAND[0]
    known = recommended["test"].map(lambda test: any(f" {key} " in f" {test}" for key in SIZE.CONSERVATIVE))
    missed = recommended[~recommended["holds"] & ~(low & known)]
    assert missed.empty, missed.to_string()


def test_what_is_corrected_is_wrong_without_the_correction() -> None:
    """Each measure has its reason to exist: the plain one is far from 5%."""
    rate = RATES["rate"]
    # Skewness: the plain t rejects in one tail and not in the other.
    assert rate["bhar-12-index-50", "t less"] > 0.065
    assert rate["bhar-12-index-50", "t greater"] < rate["bhar-12-index-50", "t less"] - 0.02
    # Against matched firms the estimated skewness is noise; against an index log returns are not comparable.
    assert not RATES["holds"]["bhar-36-matched-50", "bootstrap two-sided"]
    assert rate["bhar-36-index-50", "standardised two-sided"] > 0.5
    # A common month: no correction for skewness helps, and none is recommended.
    assert rate["bhar-one-month", "bootstrap two-sided"] > 0.3
    assert not RATES["recommended"]["bhar-one-month"].any()
    assert rate["bhar-one-month-matched", "t two-sided"] > 0.3
    assert RATES["holds"]["bhar-one-month-matched", "standardised two-sided"]
    # Few months: Newey and West's covariance.
    assert not RATES["holds"]["calendar-1-month", "alpha hac"]
    # Autocorrelation: sums of eleven days.
    assert RATES.loc[("volume-ar", "least squares one event: t (-5, 5)"), "low"] > 0.15
    # The published multiples have mean N / (N - 1), and variances are not equal.
    paper, equal = (
        rate["multiples-unequal", f"{test} (-5, 5)"] for test in ("paper's statistic", "equal variances")
    )
    assert paper > equal + 0.05 > 0.1
    # A night is not known as well as two thousand bars.
    for nights in (4, 9):
        assert not RATES["holds"][f"bars-{nights}-nights", "t with the degrees of freedom of bars (0, 0)"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bhar-12-matched-50"])
def test_a_cell_made_anew_is_the_same(name: str) -> None:
    made = SIZE.simulate(SIZE.CELLS[name])
    stored = TABLE[TABLE["cell"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(made, stored, check_dtype=False, atol=1.5 / made["replications"].iloc[0])
