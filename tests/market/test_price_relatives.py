"""Price relatives, 1 + r, that are given as prices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError
from tests.market.test_nasty_inputs import CLOSE, DAYS, INDEX, LONG, of_prices

RELATIVES, OF_INDEX = (1 + CLOSE.pct_change()).iloc[1:], (1 + INDEX.pct_change()).iloc[1:]
RNG = np.random.default_rng(2)


@pytest.mark.parametrize(
    ("prices", "benchmark", "told"),
    [
        (RELATIVES, OF_INDEX, r"Prices: A stays near 1 \(.* Market\(prices - 1\)"),
        (RELATIVES.round(4), INDEX, "Prices: A stays near 1"),
        (RELATIVES.iloc[:45], INDEX, "Prices: A stays near 1"),
        (pd.concat([RELATIVES.iloc[:15].add_suffix(c) for c in "xy"], axis=1), INDEX, "stays near 1"),
        (CLOSE, OF_INDEX, r"Benchmark: .* stays near 1 .* Give the level, series\.cumprod\(\)"),
        (CLOSE.assign(B=RELATIVES["B"]), INDEX, "Prices: B stays near 1"),
        (
            LONG.assign(close=1 + LONG.groupby("ticker")["close"].pct_change()).dropna(),
            INDEX,
            "A stays near 1",
        ),
    ],
)
def test_relatives_are_no_prices(prices: Any, benchmark: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        of_prices(prices, benchmark)


@pytest.mark.parametrize(
    "series",
    [
        (1 + 0.006 * RNG.standard_normal(300)).cumprod(),
        1 + 0.0005 * RNG.standard_normal(300),
        RNG.choice([0.985, 0.99, 0.995, 1.0, 1.005, 1.01], 300),
        1.1 + np.cumsum(0.004 * RNG.standard_normal(300)),
        (1 + 0.02 * RNG.standard_normal(300)).cumprod(),
    ],
    ids=["rebased", "stablecoin", "penny share that bounces", "exchange rate", "share"],
)
def test_prices_near_one_are_prices(series: np.ndarray) -> None:
    frame = pd.DataFrame({"X": series}, DAYS)
    assert es.Market.from_prices(frame.iloc[:40]).returns.shape == (40, 1)
    assert es.Market.from_prices(frame).returns.shape == (300, 1)
    rebased = CLOSE / CLOSE.iloc[0]
    assert es.Market.from_prices(rebased.iloc[:12]).returns.shape == (12, 3)
