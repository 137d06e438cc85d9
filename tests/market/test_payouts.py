"""Total returns from dividends and splits that come as columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError
from eventstudy.market.adjustment import price_index

DAYS = pd.DatetimeIndex(["2019-05-20", "2019-05-21", "2019-05-22", "2019-05-23"]).as_unit("ns")


def returns(close: list[float], adjustment: str | None = None, **fields: list[float]) -> list[float]:
    frames = {name: pd.DataFrame({"A": values}, DAYS) for name, values in {"close": close, **fields}.items()}
    market = es.Market.from_prices(pd.concat(frames, axis=1), adjustment=adjustment)
    return market.returns["A"].iloc[1:].tolist()


def test_a_dividend_is_part_of_the_return():
    found = returns([20.0, 20.0, 19.0, 19.0], dividends=[0, 0, 1.5, 0], adjustment="none")
    assert found == pytest.approx([0.0, 19 / 18.5 - 1, 0.0])


def test_a_split_of_closes_as_traded_and_of_closes_adjusted_for_it():
    assert returns([20.0, 20.0, 10.1, 10.1], splits=[0, 0, 2, 0]) == pytest.approx([0.0, 0.01, 0.0])
    assert returns([10.0, 10.0, 10.1, 10.1], splits=[0, 0, 2, 0]) == pytest.approx([0.0, 0.01, 0.0])
    assert returns([1.0, 1.0, 10.5, 10.5], splits=[0, 0, 0.1, 0]) == pytest.approx([0.0, 0.05, 0.0])


def test_a_dividend_and_a_split_on_one_day():
    found = returns([20.0, 20.0, 9.0, 9.0], dividends=[0, 0, 2.0, 0], splits=[0, 0, 2, 0], adjustment="none")
    assert found == pytest.approx([0.0, 0.0, 0.0])


def test_a_dividend_paid_within_a_halt():
    found = returns([20.0, np.nan, np.nan, 19.0], dividends=[0, 1.0, 0, 0], adjustment="none")
    assert found[-1] == pytest.approx(0.0)
    split = returns([20.0, np.nan, np.nan, 10.0], splits=[0, 2.0, 0, 0], adjustment="none")
    assert split[-1] == pytest.approx(0.0)


def test_what_is_better_known_stands():
    given = {"dividends": [0, 0, 1.5, 0]}
    adjusted = returns([20.0, 20.0, 19.0, 19.0], adj_close=[18.5, 18.5, 19.0, 19.0], **given)
    assert adjusted == pytest.approx([0.0, 19 / 18.5 - 1, 0.0])
    nan = np.nan
    stated = returns([20.0, 20.0, 19.0, 19.0], reference=[nan, nan, 18.6, nan], **given)
    assert stated[1] == pytest.approx(19 / 18.6 - 1)


def test_returns_equal_those_of_adjusted_closes():
    """Adjusted as vendors do, by the ratio of the ex-day's dividend to the close before it."""
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2019-01-01", periods=60)
    paid = pd.Series(0.0, days)
    paid.iloc[[20, 41]] = 0.8, 0.3
    close, price = pd.Series(20.0, days), 20.0
    for day, move in enumerate(0.01 * rng.standard_normal(60)):
        price = close.iloc[day] = price * (1 + move) - paid.iloc[day]
    factor = (1 - paid / close.shift()).fillna(1.0)
    adjusted = close * factor[::-1].cumprod()[::-1].shift(-1).fillna(1.0)
    frames = {"close": close.to_frame("A"), "dividends": paid.to_frame("A")}
    found = es.Market.from_prices(pd.concat(frames, axis=1)).returns["A"].iloc[1:]
    np.testing.assert_allclose(found, adjusted.pct_change().iloc[1:], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"dividends": [0, 0, -1.0, 0]}, "a dividend of -1"),
        ({"dividends": [0, 0, 25.0, 0]}, "a dividend of 25 .* after a close of 20"),
        ({"splits": [0, 0, -2.0, 0]}, "a split of -2"),
    ],
)
def test_payouts_that_cannot_be(fields, told):
    with pytest.raises(DataError, match=rf"A has .*{told}"):
        returns([20.0, 20.0, 19.0, 19.0], **fields)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("399001.sz", "SZSE Component"), ("000300.SH", "CSI 300"), ("^HSI", "Hang Seng"), ("^GSPC", "S&P 500")],
)
def test_price_indices_are_known(symbol, name):
    assert price_index(symbol).startswith(name)


@pytest.mark.parametrize("symbol", ["^GDAXI", "^BVSP", "^SP500TR", "AAPL", "INDEX"])
def test_others_are_not_taken_for_price_indices(symbol):
    assert price_index(symbol) is None


def test_dividends_on_intraday_bars_need_a_reference_price():
    bars = es.lab.simulate_bars(2, 3, start="2019-05-20", seed=1).prices
    paid = pd.concat({"dividends": bars["close"] * 0.0}, axis=1)
    options = {"calendar": "XSHG", "freq": "1min"}
    plain = es.Market.from_prices(bars, **options)
    found = es.Market.from_prices(pd.concat([bars, paid], axis=1), **options)
    pd.testing.assert_frame_equal(found.returns, plain.returns)
    paid.iloc[300:] = 0.5
    with pytest.raises(DataError, match=r"read of daily prices\. For intraday bars give"):
        es.Market.from_prices(pd.concat([bars, paid], axis=1), **options)
