"""The table of replications: every row recomputed, each verdict held to its tolerance."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
STORED = pd.read_csv(ROOT / "docs" / "data" / "replications.csv", keep_default_na=True)
KEY = ["source", "quantity"]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "replications.py"))


def check(made: pd.DataFrame) -> None:
    stored = STORED.set_index(KEY).loc[pd.MultiIndex.from_frame(made[KEY])].reset_index()
    assert list(made["verdict"]) == list(stored["verdict"])
    assert list(made["reason"]) == list(stored["reason"].fillna(""))
    for column in ("published", "ours", "undone"):
        np.testing.assert_allclose(made[column], stored[column], rtol=2e-6, atol=1e-9)


def test_rows_that_need_nothing_beside_the_checkout(script: dict[str, Any]) -> None:
    made = script["frame"]([*script["own_prices"](), *script["simulation"](), *script["paper"]()])
    assert len(made) > 12
    check(made)


def test_every_row(script: dict[str, Any], shared_reference: Path) -> None:
    made = script["frame"](script["rows"](shared_reference.parent))
    assert len(made) == len(STORED)
    check(made)


def test_the_table_is_wide_and_honest() -> None:
    assert len(STORED) >= 25
    assert STORED["source"].nunique() >= 12
    assert not STORED.duplicated(KEY).any()
    apart = (STORED["ours"] - STORED["published"]).abs()
    equal = STORED["verdict"] == "equal"
    assert (equal == (apart <= STORED["tolerance"])).all()
    explained = STORED["verdict"] == "explained"
    undone = (STORED["undone"] - STORED["published"]).abs()
    assert (undone[explained] <= STORED["tolerance"][explained]).all()
    assert STORED["reason"][~equal].str.len().min() > 20
    assert STORED["reason"][equal].isna().all()
    assert equal.sum() > len(STORED) / 2
