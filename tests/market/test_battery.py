"""Two thousand shapes of one panel: right, refused or warned of; none silent, no exception of others."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from tests.market.battery import CLOSE, DAYS, NUMBERS, ORDERS, STAMPS, frame_of, outcome, prices, returns

PARTS = 12


def shapes() -> list:
    return [*prices(), *returns()]


def test_there_are_two_thousand_shapes() -> None:
    names = [shape.name for shape in shapes()]
    assert len(names) >= 2_000
    assert len(set(names)) > 0.9 * len(names)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_shape_is_misread(part: int) -> None:
    found = {}
    clear: list[bool] = []
    for shape in islice(shapes(), part, None, PARTS):
        result = outcome(shape)
        found[shape.name] = result.split(":")[0]
        assert result != "silent", shape.name
        if shape.clear:
            clear.append(result == "right")
    assert np.mean(clear) >= 0.9, Counter(found.values())


def test_the_same_returns_are_the_same_car() -> None:
    """The battery compares returns; what a study makes of them is the same number."""
    index = CLOSE.mean(axis=1).rename("index")
    event = {"security": "AAA", "date": DAYS[27]}
    options = {"estimation": (-25, -3), "window": (-1, 2), "min_observations": 15}

    def car(frame: object) -> float:
        market = es.Market.from_prices(frame, benchmark=index)
        return float(es.EventStudy(market, event, **options).fit().car(0, 1)["car"].iloc[0])

    for stamp in ("dd/mm/yyyy", "Excel", "UTC"):
        frame = frame_of(
            "long", ("日期", "股票代码", "收盘"), STAMPS[stamp], NUMBERS["continental"], ORDERS["shuffled"]
        )
        assert car(frame) == pytest.approx(car(CLOSE), abs=1e-9)


def test_a_misread_shape_would_be_seen() -> None:
    """The battery can fail: closes of another day are silent."""
    shape = next(iter(prices()))
    wrong = type(shape)(
        shape.name, lambda: CLOSE.set_axis(DAYS + pd.Timedelta(days=7)), es.Market.from_prices
    )
    assert outcome(wrong) == "silent"
