"""The three shapes in which vendors give a halt make the same market."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError

DAYS = pd.bdate_range("2019-01-01", periods=60).as_unit("ns")
HALT = slice(30, 34)


@pytest.fixture
def stale() -> pd.DataFrame:
    """One row a security-day; A keeps its last close while it is suspended."""
    rng = np.random.default_rng(4)
    close = pd.DataFrame((50 * (1 + 0.01 * rng.standard_normal((60, 3))).cumprod(axis=0)).round(2), DAYS)
    close.columns = ["A", "B", "INDEX"]
    close.iloc[HALT, 0] = close.iloc[29, 0]
    frame = close.rename_axis("date").reset_index().melt("date", var_name="security", value_name="close")
    halted = (frame["security"] == "A") & frame["date"].isin(DAYS[HALT])
    frame["open"] = frame["close"]
    return frame.assign(halted=halted)


def missing_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame["halted"]].drop(columns="halted")


def zero_volume(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(volume=np.where(frame["halted"], 0, 1000)).drop(columns="halted")


def with_status(frame: pd.DataFrame, name: str, halted: object, trades: object) -> pd.DataFrame:
    values = [halted if flag else trades for flag in frame["halted"]]
    return frame.assign(**{name: values}).drop(columns="halted")


STATUSES = [
    ("status", 0, 1),
    ("trade_status", "0", "1"),
    ("TradeStatus", "Halted", "Trading"),
    ("trading_status", " suspended ", "normal"),
    ("tradestatus", "停牌", "交易"),
    ("status", False, True),
]


@pytest.mark.quick(every=2)
@pytest.mark.parametrize(
    "shape", [zero_volume, *(lambda frame, given=given: with_status(frame, *given) for given in STATUSES)]
)
def test_three_shapes_make_one_market(stale, shape):
    wanted = es.Market.from_prices(missing_rows(stale), benchmark="INDEX")
    found = es.Market.from_prices(shape(stale), benchmark="INDEX")
    pd.testing.assert_frame_equal(found.returns, wanted.returns)
    pd.testing.assert_frame_equal(found.spans, wanted.spans)
    for field in ("close", "open"):
        pd.testing.assert_frame_equal(found.prices(field), wanted.prices(field), check_freq=False)
    assert found.spans.at[DAYS[34], "A"] == 5
    events = [{"security": "A", "date": DAYS[31]}]
    studies = [
        es.EventStudy(m, events, estimation=(-34, -5), window=(-4, 5), min_observations=10)
        for m in (wanted, found)
    ]
    for study in studies:
        with pytest.warns(es.errors.LumpedReturnWarning):
            results = study.fit()
        halt = results.halts.iloc[0]
        assert (halt["first"], halt["last"], halt["resumed_on_day"]) == (DAYS[30], DAYS[33], 0)


def test_a_share_that_trades_at_an_unchanged_price_is_not_halted(stale):
    frame = stale.assign(volume=1000, halted=False)
    assert (es.Market.from_prices(zero_volume(frame)).spans.iloc[1:] == 1).all(axis=None)
    assert (es.Market.from_prices(with_status(frame, "status", 0, 1)).spans.iloc[1:] == 1).all(axis=None)


def test_a_status_against_the_volume(stale):
    frame = with_status(stale, "status", 0, 1).assign(volume=1000)
    with pytest.raises(
        DataError, match=r"'status' is read as no trade.*A on 2019-02-12 is '0', yet has volume"
    ):
        es.Market.from_prices(frame)


def test_a_status_that_means_something_else(stale):
    frame = with_status(stale, "status", 1, 0)
    with pytest.raises(DataError, match=r"as 98% of all rows. If it means something else, drop it"):
        es.Market.from_prices(frame)


def test_reference_prices_within_a_halt_stay(stale):
    frame = with_status(stale, "status", 0, 1)
    ex_day = (frame["security"] == "A") & (frame["date"] == DAYS[32])
    frame["reference"] = np.where(ex_day, frame["close"] / 2, np.nan)
    market = es.Market.from_prices(frame)
    after, before = market.prices().loc[DAYS[34], "A"], market.prices().loc[DAYS[29], "A"]
    assert market.returns.at[DAYS[34], "A"] == pytest.approx(after / (before / 2) - 1)
