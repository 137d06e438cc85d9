"""Factors of adjustment and delisting returns of CRSP and Compustat that are missing, zero or repeated."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning
from tests.market.test_nasty_inputs import CLOSE, DAY, DAYS, INDEX, LONG, compustat, of_prices, of_returns
from tests.market.test_nasty_inputs import INDEX_RETURNS as MARKET

RIGHT = of_prices(CLOSE)
A, BEFORE = LONG["ticker"] == "A", LONG["date"] < DAY
AT = DAYS.get_loc(DAY)


def split(ratio: float, **columns: Any) -> pd.DataFrame:
    """A splits on day 0; rows in no order of days."""
    factor = np.where(A & BEFORE, ratio, 1.0)
    frame = compustat(ajexdi=factor, **columns)
    return frame.assign(prccd=frame["prccd"] * factor)


def crsp(zero: object, ratio: float = 2.0, value: float = 0.0) -> pd.DataFrame:
    factor = pd.Series(np.where(A & BEFORE, ratio, 1.0), LONG.index)
    frame = LONG.rename(columns={"ticker": "permno", "close": "prc"})
    return frame.assign(prc=frame["prc"] * factor, cfacpr=factor.mask(zero, value))  # type: ignore[arg-type]


@pytest.mark.parametrize("ratio", [2.0, 1.1])
@pytest.mark.parametrize(
    "trfd",
    [
        1.0,
        np.nan,
        np.where(A, np.nan, 1.3),
        np.where(A & (LONG["date"] < DAYS[AT + 20]), np.nan, 1.01),
        np.where(A & (LONG["date"] == DAYS[AT - 1]), np.nan, 2.5),
    ],
    ids=["known", "empty", "never paid", "before a first dividend", "a hole"],
)
def test_missing_total_return_factors_leave_splits_adjusted(ratio: float, trfd: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert of_prices(split(ratio, trfd=trfd)) == pytest.approx(RIGHT, abs=1e-12)
        assert of_prices(split(ratio, trfd=trfd).iloc[::-1]) == pytest.approx(RIGHT, abs=1e-12)
        one = {name: f.drop(columns="gvkey") for name, f in split(ratio, trfd=trfd).groupby("gvkey")}
        assert of_prices(one) == pytest.approx(RIGHT, abs=1e-12)


def test_a_dividend_is_counted_from_the_first_factor_on() -> None:
    first = of_prices(split(2.0, trfd=np.where(A & BEFORE, np.nan, np.where(A, 1.02, 1.0))))
    assert first == pytest.approx(of_prices(split(2.0, trfd=np.where(A & ~BEFORE, 1.02, 1.0))), abs=1e-12)
    assert first - RIGHT == pytest.approx(0.019, abs=0.002)


@pytest.mark.parametrize(
    "trfd",
    [
        np.where(A & BEFORE, np.nan, 3.2),
        np.where(A & ~BEFORE, np.nan, 1.3),
        np.where(A & (LONG["date"] == DAYS[AT - 1]), np.nan, np.where(A & BEFORE, 1.2, 1.25)),
    ],
    ids=["begins late", "ends early", "changes over a hole"],
)
def test_holes_that_may_hide_a_dividend_are_told(trfd: Any) -> None:
    with pytest.warns(DataWarning, match="A has no total return factor on"):
        of_prices(split(2.0, trfd=trfd))


@pytest.mark.parametrize("value", [0.0, np.nan])
@pytest.mark.parametrize("at", [-1, 0, -30], ids=["the day before", "day 0", "another day"])
def test_factors_of_zero_are_missing(at: int, value: float) -> None:
    zero = A & (LONG["date"] == DAYS[AT + at])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert of_prices(crsp(zero, value=value)) == pytest.approx(RIGHT, abs=1e-12)
    spell = A & LONG["date"].between(DAYS[AT - 3], DAYS[AT + 2])
    assert of_prices(crsp(spell, value=value)) == pytest.approx(RIGHT, abs=1e-12)
    frame = compustat(ajexdi=np.where(zero, value, np.where(A & BEFORE, 2.0, 1.0)))
    frame["prccd"] *= np.where(A & BEFORE, 2.0, 1.0)
    assert of_prices(frame) == pytest.approx(RIGHT, abs=1e-12)


def test_factors_that_cannot_be_told() -> None:
    with pytest.raises(
        DataError, match=r"factor of adjustment of A is missing or zero from 2018-12-17 on, 1.02"
    ):
        of_prices(crsp(A & (LONG["date"] == DAY), ratio=1.02))
    with pytest.raises(DataError, match="factor of adjustment of A is -1 on"):
        of_prices(crsp(A & (LONG["date"] == DAY), value=-1.0))
    with pytest.warns(DataWarning, match="A has no factor of adjustment"):
        assert of_prices(crsp(A, ratio=1.0)) == pytest.approx(RIGHT, abs=1e-12)


def test_one_delisting_return_a_security() -> None:
    ret = LONG.groupby("ticker")["close"].pct_change()
    frame = pd.DataFrame({"permno": LONG["ticker"], "date": LONG["date"], "ret": ret})
    merged = frame.assign(dlret=np.where(A, 0.012, np.nan))
    told = r"A has 300 delisting returns in 'dlret', from .* to .*, and is delisted once\. Was .*merged by"
    with pytest.raises(DataError, match=told):
        es.Market(merged)
    with pytest.raises(DataError, match=told):
        of_prices(merged.assign(prc=LONG["close"]), INDEX)
    right = of_returns(frame, MARKET)
    once = frame.assign(dlret=np.where(A & (LONG["date"] == DAYS[-1]), -0.3, np.nan))
    assert es.Market(once).returns["A"].iloc[-1] == pytest.approx(0.7 * (1 + ret[A].iloc[-1]) - 1)
    zeros = once.fillna({"dlret": 0.0})
    pd.testing.assert_frame_equal(es.Market(zeros).returns, es.Market(once).returns)
    assert of_returns(zeros, MARKET) == pytest.approx(right)


def test_an_empty_column_of_total_return_factors_counts_no_dividends() -> None:
    reading = es.Market.from_prices(compustat(trfd=np.nan)).reading.set_index("column")
    assert reading.at["trfd", "evidence"] == "empty: dividends are not counted"
    assert reading.at["ajexdi", "adjustment"] == "splits"
