"""Two thousand shapes at every door: right, refused or warned of; none silent, no exception of others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from tests.market.battery import CLOSE, DAYS, INDEX, Shape, cars, outcome
from tests.market.battery_doors import DOORS, of_prices

pytest.importorskip("polars")
pytest.importorskip("pyarrow")
pytest.importorskip("openpyxl")
#: Shapes of a door that the fast suite tries; the slow one tries all, and so many times as many.
FEW, MORE = 5, 5


def test_there_are_two_thousand_shapes() -> None:
    names = [shape.name for make, n in DOORS.values() for shape in make(n)]
    assert len(names) >= 2_000
    assert len(set(names)) == len(names)


def check(door: str, shapes: list[Shape], folder: Path) -> None:
    """Run shapes: none is silent, what is not right says why, and nine in ten of the clear ones work."""
    found: Counter[str] = Counter()
    clear: list[bool] = []
    odd: list[str] = []
    for shape in shapes:
        result = outcome(shape, folder)
        kind = result.split(":")[0]
        found[f"{'clear' if shape.clear else 'doubtful'}, {kind}"] += 1
        assert kind != "silent", shape.name
        if shape.clear:
            clear.append(kind == "right")
            odd += [f"{shape.name}: {result}"] * (kind != "right")
        elif kind != "right":
            assert any(word in result for word in shape.told), f"{shape.name}: {result}"
    rate = float(np.mean(clear))
    print(f"{door}: {len(shapes)} shapes, {rate:.1%} of the clear ones right; {dict(found)}")
    assert rate >= 0.9, odd[:5]


@pytest.mark.parametrize("door", DOORS)
def test_no_shape_is_misread(door: str, tmp_path: Path) -> None:
    make, _ = DOORS[door]
    check(door, list(make(FEW)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_no_shape_of_two_thousand_is_misread(door: str, tmp_path: Path) -> None:
    make, n = DOORS[door]
    check(door, list(make(n)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_no_shape_of_ten_thousand_is_misread(door: str, tmp_path: Path) -> None:
    make, n = DOORS[door]
    check(door, list(make(MORE * n)), tmp_path)


def test_a_misread_shape_would_be_seen(tmp_path: Path) -> None:
    """The battery can fail: closes of another day, and events of another day, are silent."""

    def late(_: Path) -> np.ndarray:
        days = CLOSE.shift(1).dropna()
        return cars(es.Market.from_prices(days, benchmark=INDEX))

    def off(_: Path) -> np.ndarray:
        days = pd.DataFrame({"security": list(CLOSE), "date": DAYS[[30, 31, 32]]})
        return cars(es.Market.from_prices(CLOSE, benchmark=INDEX), es.Events(days))

    assert outcome(Shape("late", late, of_prices), tmp_path) == "silent"
    assert outcome(Shape("off", off, of_prices), tmp_path) == "silent"
