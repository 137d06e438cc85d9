"""The table of replications: every row recomputed, each verdict held to its tolerance."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

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


def test_forest_firms_of_erer_by_hand(shared_data: Path) -> None:
    """R erer's daEsa, its example of 5 May 1999: least squares, and its standard error, σ√L, is too small."""
    frame = pd.read_csv(shared_data / "samples" / "daEsa.csv", index_col="date")
    frame = frame.set_axis(pd.to_datetime(frame.index.astype(str))) / 100
    firms = ["wpp", "ip", "csk", "wy"]
    events = [{"security": firm, "date": "1999-05-05"} for firm in firms]
    market = es.Market(frame[firms], benchmark=frame["sp500"])
    results = es.EventStudy(market, events, estimation=(-255, -6), window=(-5, 5)).fit()
    car, day0 = results.car(-5, 5), frame.index.get_loc(pd.Timestamp("1999-05-05"))
    before, around = slice(day0 - 255, day0 - 5), slice(day0 - 5, day0 + 6)
    index = frame["sp500"].to_numpy()
    design = np.column_stack([np.ones(250), index[before]])
    for row, firm in enumerate(firms):
        y = frame[firm].to_numpy()
        (alpha, beta), *_ = np.linalg.lstsq(design, y[before], rcond=None)
        sigma = np.sqrt(((y[before] - alpha - beta * index[before]) ** 2).sum() / 248)
        assert results.parameters["beta"].iloc[row] == pytest.approx(beta, rel=1e-10)
        hand = (y[around] - alpha - beta * index[around]).sum()
        assert car["car"].iloc[row] == pytest.approx(hand, abs=1e-12)
        assert car["se"].iloc[row] / (sigma * np.sqrt(11)) == pytest.approx(1.02184, abs=5e-6)


def test_additions_to_the_index_by_hand(shared_data: Path) -> None:
    """R EventStudy's 16 additions to the S&P 500, 1997 to 1999: market model of log returns."""
    folder = shared_data / "samples"
    prices, index, request = (
        pd.read_csv(folder / f"sp500_{name}.csv") for name in ("firm", "market", "request")
    )
    for frame in (prices, index):
        frame["date"] = pd.to_datetime(frame["date"], format="%d.%m.%Y")
        frame["symbol"] = frame["symbol"].str.strip()
    level = index.set_index("date")["adjusted"]
    prices = prices[prices["adjusted"] > 0]  # two closes of Office Depot in March 1997 are negative
    wide = prices.pivot(index="date", columns="symbol", values="adjusted")
    names = request["firm_symbol"].str.strip()
    dates = pd.to_datetime(request["event_date"], format="%d.%m.%Y")
    events = [{"security": n, "date": d} for n, d in zip(names, dates, strict=True)]
    market = es.Market.from_prices(wide, benchmark=level, kind="log")
    with pytest.warns(es.errors.SuspectDataWarning, match="7 of 16 events"):  # splits that "adjusted" lacks
        found = es.EventStudy(market, events, estimation=(-130, -11), window=(-2, 2)).fit()
    car = found.car(-2, 2)["car"]
    assert len(car) == len(events) == 16
    for row, (name, date) in enumerate(zip(names, dates, strict=True)):
        own = wide[name].dropna()
        both = pd.concat({"y": np.log(own).diff(), "x": np.log(level).diff()}, axis=1, sort=True).dropna()
        day0 = both.index.searchsorted(date)
        beta, alpha = np.polyfit(
            both["x"].iloc[day0 - 130 : day0 - 10], both["y"].iloc[day0 - 130 : day0 - 10], 1
        )
        around = both.iloc[day0 - 2 : day0 + 3]
        assert car.iloc[row] == pytest.approx((around["y"] - alpha - beta * around["x"]).sum(), abs=1e-10)
