"""Returns, spans and reference prices against a walk through the days, one by one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import eventstudy as es
from eventstudy.errors import DataError
from eventstudy.market.compounding import price_returns, return_spans

PROFILE = settings(derandomize=True, deadline=None, max_examples=80)
NAN = math.nan
price = st.floats(1, 100)
maybe = st.one_of(price, st.just(NAN))


def walk(prices: list[float], reference: list[float]) -> tuple[list[float], list[int]]:
    """The state of the tape: last price or reference price, and how long ago the last trade was."""
    returns, spans = [], []
    base, trade = NAN, None
    for day, (close, told) in enumerate(zip(prices, reference, strict=True)):
        if not math.isnan(told):
            base = told
        if math.isnan(close):
            returns.append(NAN)
            spans.append(0)
            continue
        if trade is None:
            returns.append(NAN)
            spans.append(0)
        else:
            returns.append(close / base - 1)
            spans.append(day - trade)
        base, trade = close, day
    return returns, spans


@PROFILE
@given(st.data())
def test_prices_with_gaps_and_reference_prices(data):
    length = data.draw(st.integers(1, 12))
    columns = [
        [data.draw(st.lists(maybe, min_size=length, max_size=length)) for _ in range(2)] for _ in range(3)
    ]
    prices = np.array([c[0] for c in columns]).T
    reference = np.array([c[1] for c in columns]).T
    returns, spans = price_returns(prices, reference)
    logs, _ = price_returns(prices, reference, "log")
    for column, (closes, told) in enumerate(columns):
        wanted, reach = walk(closes, told)
        np.testing.assert_allclose(returns[:, column], wanted, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(logs[:, column], np.log1p(wanted), rtol=1e-12, atol=1e-13)
        assert spans[:, column].tolist() == reach


@PROFILE
@given(hnp.arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=maybe))
def test_prices_without_reference_prices(prices):
    returns, spans = price_returns(prices)
    for column in range(3):
        wanted, reach = walk(prices[:, column].tolist(), [NAN] * len(prices))
        np.testing.assert_allclose(returns[:, column], wanted, rtol=1e-13, atol=1e-13)
        assert spans[:, column].tolist() == reach


@PROFILE
@given(st.lists(maybe, min_size=1, max_size=12))
def test_spans_of_given_returns(values):
    returns = np.array(values)[:, None]
    last = None
    lumped = []
    for day, value in enumerate(values):
        lumped.append(0 if math.isnan(value) else 1 if last is None else day - last)
        last = last if math.isnan(value) else day
    assert return_spans(returns, lumped=True)[:, 0].tolist() == lumped
    assert return_spans(returns, lumped=False)[:, 0].tolist() == [0 if math.isnan(v) else 1 for v in values]


def test_log_returns_add_up_and_simple_ones_compound():
    close = es.datasets.surveillance_prices()["close"]
    simple, log = es.Market.from_prices(close).returns, es.Market.from_prices(close, kind="log").returns
    np.testing.assert_allclose(np.expm1(log), simple, rtol=0, atol=1e-15)
    growth = close.iloc[-1] / close.iloc[0]
    np.testing.assert_allclose(np.exp(log.sum()), growth, rtol=1e-12)
    np.testing.assert_allclose((1 + simple.fillna(0)).prod(), growth, rtol=1e-12)


def test_every_ex_day_of_the_bundled_prices():
    prices = es.datasets.surveillance_prices()
    market = es.Market.from_prices(prices, calendar="XSHG")
    found = 0
    for name in prices["close"]:
        wanted, spans = walk(prices["close", name].tolist(), prices["reference", name].tolist())
        np.testing.assert_allclose(market.returns[name], wanted, rtol=0, atol=1e-14)
        assert market.spans[name].tolist() == spans
        found += prices["reference", name].notna().sum()
    assert found == 15


def test_the_last_reference_price_of_a_halt_counts():
    """Two ex-days in a halt: the second is reckoned from the first, so they do not multiply."""
    close = pd.Series([100.0, NAN, NAN, 88.0], pd.bdate_range("2019-01-01", periods=4), name="A")
    reference = close * NAN
    reference.iloc[1], reference.iloc[2] = 90.0, 80.0
    market = es.Market.from_prices(
        pd.concat({"close": close.to_frame(), "reference": reference.to_frame()}, axis=1)
    )
    assert market.returns["A"].iloc[3] == pytest.approx(0.1)
    assert market.spans["A"].tolist() == [0, 0, 0, 3]


def test_previous_close_serves_as_reference_price_and_is_not_counted_twice():
    """Vendors fill the previous close on suspended days too, once adjusted for each day."""
    days = pd.bdate_range("2019-01-01", periods=5)
    close = pd.Series([100.0, NAN, NAN, 99.0, 101.0], days, name="A")
    previous = pd.Series([98.0, 100.0, 90.0, 90.0, 99.0], days, name="A")
    market = es.Market.from_prices(
        pd.concat({"Close": close.to_frame(), "Pre Close": previous.to_frame()}, axis=1)
    )
    np.testing.assert_allclose(market.returns["A"], [NAN, NAN, NAN, 0.1, 101 / 99 - 1])


@pytest.mark.parametrize("divided", [False, True])
def test_shares_that_stand_still_on_most_days_are_judged_by_their_moves(divided: bool) -> None:
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2018-01-01", periods=400)
    index = rng.normal(0, 0.01, 400)
    share = np.where(rng.random(400) < 0.6, 0.0, index + rng.normal(0, 0.015, 400))
    frame = pd.DataFrame({"A": share / (100 if divided else 1), "idx": index}, days)
    if divided:
        with pytest.raises(DataError, match="idx is in percent and A in decimals"):
            es.Market(frame, benchmark="idx")
    else:
        np.testing.assert_array_equal(es.Market(frame, benchmark="idx").returns["A"], share)
