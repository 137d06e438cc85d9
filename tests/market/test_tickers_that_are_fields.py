"""Tickers that are names of fields too, such as CLS, LOW and P: the data tell which of the two they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import eventstudy as es
from eventstudy.errors import DataError
from tests.market.test_nasty_inputs import CLOSE, INDEX, INDEX_RETURNS, of_prices

RIGHT = of_prices(CLOSE)
EVENT = {"security": "HD", "date": CLOSE.index[250]}
NAMES = [
    ["HD", "CLS", "TGT"],
    ["HD", "LAST", "CLS"],
    ["HD", "LOW", "CLS"],
    ["HD", "OPEN", "VOL"],
    ["HD", "P", "UP"],
    ["HD", "RET", "CLS"],
    ["HD", "DATE", "CODE"],
]


def named(names: list[str], name: str = "Trade Date") -> pd.DataFrame:
    return CLOSE.set_axis(names, axis=1).rename_axis(name)


def measured(prices: Any, event: Any = None) -> float:
    return of_prices(prices, event=event or EVENT)


def written(frame: pd.DataFrame, path: Path, **options: Any) -> Path:
    frame.to_csv(path, **options)
    return path


@pytest.mark.quick("HD-CLS-TGT", "HD-DATE-CODE")
@pytest.mark.parametrize("names", NAMES, ids="-".join)
def test_wide_tables(names: list[str], tmp_path: Path) -> None:
    q = named(names)
    assert measured(q) == pytest.approx(RIGHT)
    assert measured(q.reset_index()) == pytest.approx(RIGHT)
    assert measured(pl.from_pandas(q.reset_index())) == pytest.approx(RIGHT)
    for file in ("prices.csv", "HD.csv"):
        path = written(q, tmp_path / file)
        assert measured(es.sources.read_prices(path)) == pytest.approx(RIGHT)
    assert measured(es.sources.read_prices({"HD": path})) == pytest.approx(RIGHT)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(
    "names", [NAMES[0], NAMES[4], NAMES[6], ["CLS"], ["CLS", "LOW", "VOL"]], ids="-".join
)
@pytest.mark.parametrize("swap", [False, True], ids=["fields first", "tickers first"])
def test_two_levels(names: list[str], swap: bool, tmp_path: Path) -> None:
    close = CLOSE.iloc[:, : len(names)].set_axis(names, axis=1).rename_axis("Date")
    table = pd.concat({"Close": close, "High": close * 1.01, "Volume": close * 0 + 1000.0}, axis=1)
    table = table.swaplevel(axis=1).sort_index(axis=1) if swap else table
    event = {"security": names[0], "date": EVENT["date"]}
    assert measured(table, event) == pytest.approx(RIGHT)
    assert measured(es.sources.read_prices(written(table, tmp_path / "x.csv")), event) == pytest.approx(RIGHT)
    flat = table.set_axis([f"{one}_{other}" for one, other in table.columns], axis=1)
    assert measured(flat, event) == pytest.approx(RIGHT)


def test_levels_of_returns_and_levels_that_say_what_they_are() -> None:
    r = named(NAMES[0]).pct_change().iloc[1:]
    table = pd.concat({"ret": r}, axis=1).swaplevel(axis=1)
    market = es.Market(table, benchmark=INDEX_RETURNS)
    assert sorted(market.securities) == sorted(NAMES[0])
    twice = pd.concat({"CLS": named(["LAST", "P", "UP"])}, axis=1)
    with pytest.raises(DataError, match="either may name fields"):
        measured(twice)
    twice.columns.names = ["field", "ticker"]
    assert measured(twice, {"security": "LAST", "date": EVENT["date"]}) == pytest.approx(RIGHT)


def test_names_of_securities_before_adjusted_closes() -> None:
    q = named(["HD", "CLS", "TGT"])
    flat = pd.concat([q.add_suffix("_Adj Close"), (q * 2).add_suffix("_Close")], axis=1)
    assert sorted(es.Market.from_prices(flat, benchmark=INDEX).securities) == sorted(q)


@pytest.mark.quick("False")
@pytest.mark.parametrize("lower", [False, True])
def test_one_security_whose_columns_could_be_tickers(lower: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    close, n = CLOSE["A"], len(CLOSE)
    noise = np.abs(rng.normal(0, 0.006, n))
    known = {
        "LAST": close,
        "HIGH": (close * (1 + noise)).round(2),
        "LOW": (close * (1 - noise)).round(2),
        "VOL": np.exp(14 + rng.normal(0, 0.5, n)).round(),
        "RET": close.pct_change(),
        "BID": (close * 0.999).round(2),
        "MCAP": close * 1.7e6,
        "SPX": INDEX,
    }
    for names in (
        ["LAST", "HIGH", "SPX"],
        ["LAST", "VOL", "SPX"],
        ["LAST", "RET", "SPX"],
        ["LAST", "BID", "MCAP"],
    ):
        frame = pd.DataFrame({name: known[name] for name in names}).rename_axis("date")
        frame = frame.rename(columns=str.lower) if lower else frame
        read = es.sources.read_prices(written(frame, tmp_path / "HD.csv"))
        assert measured(read) == pytest.approx(RIGHT)


def test_a_close_beside_a_column_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = written(named(["HD", "Close", "TGT"]), tmp_path / "HD.csv")
    with pytest.raises(DataError, match="'HD' bears the name of the security"):
        es.sources.read_prices(path)
    read = es.sources.read_prices(path, columns={"HD": "close", "Close": "ignore"})
    assert measured(read) == pytest.approx(RIGHT)


def test_too_few_days_to_tell() -> None:
    with pytest.raises(DataError, match=r"Where they are tickers: pd.concat\(\{'close': frame\}, axis=1\)"):
        es.Market.from_prices(named(["HD", "LOW", "CLS"]).iloc[:4])


def test_volumes_of_a_ticker_that_is_a_field() -> None:
    volume = (named(NAMES[0]) * 1000).round()
    market = es.volume_market(volume)
    assert {"CLS", "HD", "TGT"} <= set(market.securities)
