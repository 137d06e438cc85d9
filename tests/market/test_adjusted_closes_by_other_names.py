"""Adjusted closes that bear other names than the usual ones are taken, or reported."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning
from tests.market.test_nasty_inputs import CLOSE, DAY, INDEX, car, of_prices

RIGHT = of_prices(CLOSE)
GIVEN = CLOSE.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="other")


def split(factor: float, adjusted: str, raw: str = "close") -> pd.DataFrame:
    """Return closes that fall by a split on day 0 in one column, and not in the other."""
    before = (GIVEN["ticker"] == "A") & (GIVEN["date"] < DAY)
    table = GIVEN.rename(columns={"other": adjusted})
    return table.assign(**{raw: (GIVEN["other"] * np.where(before, factor, 1.0)).round(2)})


def measured(prices: Any, **options: Any) -> float:
    return car(es.Market.from_prices(prices, benchmark=INDEX, **options))


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(
    "name",
    [
        "AdjustmentClose",
        "終値調整値",
        "Adjusted Close Price",
        "close_adjusted",
        "Adjusted Price",
        "Adj Price",
        "Close (adj.)",
        "TOT_RETURN_INDEX_GROSS_DVDS",
    ],
)
def test_names_of_adjusted_closes(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measured(split(1.5, name)) == pytest.approx(RIGHT, abs=2e-4)


def test_the_usual_name_first() -> None:
    both = split(1.5, "adj_close")
    assert measured(both.assign(adjusted_price=both["close"])) == pytest.approx(RIGHT, abs=2e-4)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("factor", [1.05, 1.5])
@pytest.mark.parametrize("form", ["long", "levels", "file", "mapping"])
def test_a_set_aside_column_that_is_adjusted(factor: float, form: str, tmp_path: Path) -> None:
    table = split(factor, "reinvested")
    own = table[table["ticker"] == "A"].drop(columns="ticker")
    own[::-1].to_csv(tmp_path / "A.csv", index=False)
    given = {"long": table, "levels": table.pivot(index="date", columns="ticker"), "mapping": {"A": own}}
    read = es.sources.read_prices if form == "file" else es.Market.from_prices
    told_of = r"'reinvested' is not used.* 1 step, as on .* when that of A goes from 0\."
    with pytest.warns(DataWarning, match=told_of) as told:
        read(given.get(form, tmp_path / "A.csv"))
    assert f"{DAY:%Y-%m-%d}" in str(told[0].message)
    assert measured(table, columns={"reinvested": "adj_close"}) == pytest.approx(RIGHT, abs=2e-4)
    es.Market.from_prices(table, columns={"reinvested": "ignore"})


def test_columns_that_are_not_adjusted_closes() -> None:
    rng, n = np.random.default_rng(0), len(GIVEN)
    close = GIVEN["other"]
    shares = np.where(GIVEN["date"] > DAY, 1.05e6, 1e6)
    earnings = np.exp(np.cumsum(rng.normal(0, 0.1, 40)))[pd.factorize(GIVEN["date"])[0] // 60]
    others = {
        "size": close * shares,
        "multiple": (close / earnings).round(2),
        "average": (close * (1 + rng.normal(0, 0.002, n))).round(2),
        "bid": (close - 0.01).round(2),
        "final": close.where(rng.random(n) > 0.03, close + 0.05).round(2),
        "same": close,
        "dollars": (close / 7.8).round(3),
        "remark": "none",
    }
    table = GIVEN.rename(columns={"other": "close"}).assign(**others)
    raw = split(1.5, "close", raw="as traded")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measured(table) == pytest.approx(RIGHT)
        assert measured(raw) == pytest.approx(RIGHT)
