"""The audit lists what looks wrong and repairs nothing."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DAYS = pd.bdate_range("2019-01-01", periods=40).as_unit("ns")


@pytest.fixture
def close() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return (50 * (1 + 0.01 * rng.standard_normal((40, 3))).cumprod(axis=0)).round(2) * pd.DataFrame(
        1.0, DAYS, ["A", "B", "INDEX"]
    )


def rows(market: es.Market, kind: str) -> list[tuple]:
    frame = market.audit().query("kind == @kind")
    return list(frame[["security", "date", "detail"]].itertuples(index=False, name=None))


def test_nothing_to_report(close):
    audit = es.Market.from_prices(close, benchmark="INDEX").audit()
    assert audit.columns.tolist() == ["security", "date", "kind", "detail"]
    assert audit.empty


def test_spells_without_trade(close):
    close.loc[DAYS[10:13], "A"] = np.nan
    market = es.Market.from_prices(close, benchmark="INDEX")
    assert rows(market, "no trade") == [("A", DAYS[10], f"3 sessions to {DAYS[12]:%Y-%m-%d}")]


def test_stale_prices(close):
    close.loc[DAYS[20:25], "B"] = 44.0
    close.loc[DAYS[5:9], "A"] = 44.0
    assert rows(es.Market.from_prices(close), "stale price") == [("B", DAYS[20], "5 equal closes of 44")]


def test_large_returns(close):
    close.loc[DAYS[30:], "A"] *= 2
    found = rows(es.Market.from_prices(close), "large return")
    assert [(name, day) for name, day, _ in found] == [("A", DAYS[30])]
    assert rows(es.Market.from_prices(close, kind="log"), "large return")[0][:2] == ("A", DAYS[30])


def test_closes_beyond_their_limit(close):
    close.loc[DAYS[30], "A"] = round(close.at[DAYS[29], "A"] * 1.12, 2)
    close.loc[DAYS[31] :, "A"] = close.at[DAYS[30], "A"]
    market = es.Market.from_prices(close, price_limit={"A": 0.1})
    assert [r[:2] for r in rows(market, "beyond limit")] == [("A", DAYS[30])]


def test_adjusted_closes_that_jump(close):
    adjusted = close.copy()
    adjusted.loc[DAYS[15] :, "A"] *= 1.68
    market = es.Market.from_prices(pd.concat({"Close": close, "Adj Close": adjusted}, axis=1))
    assert [r[:2] for r in rows(market, "adjustment jump")] == [("A", DAYS[15])]


def test_gaps_of_the_benchmark(close):
    close.loc[DAYS[10], "INDEX"] = np.nan
    market = es.Market.from_prices(close, benchmark="INDEX")
    assert rows(market, "benchmark gap")[0][:2] == ("INDEX", DAYS[10])
    assert rows(market, "no trade")[0][0] == "INDEX"


def test_the_bundled_prices():
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    audit = market.audit()
    assert set(audit["kind"]) <= {"no trade", "stale price"}
    halted = audit.query("security == '000063.SZ' and kind == 'no trade'")
    assert (pd.Timestamp("2018-04-17"), "39 sessions to 2018-06-12") in list(
        halted[["date", "detail"]].itertuples(index=False, name=None)
    )


def test_a_market_that_was_audited_can_be_sent_to_another_process(close):
    close.loc[DAYS[20:25], "B"] = 44.0
    market = es.Market.from_prices(close, benchmark="INDEX")
    audit = market.audit()
    assert len(audit)
    back = pickle.loads(pickle.dumps(market))
    pd.testing.assert_frame_equal(back.audit(), audit)
    pd.testing.assert_frame_equal(back.returns, market.returns)


def test_what_is_found_once_serves_every_benchmark(close):
    close.loc[DAYS[20:25], "B"] = 44.0
    market = es.Market.from_prices(close, benchmark="INDEX")
    other = market.with_benchmark("A")
    assert other.suspects[0] is market.suspects[0]
    assert other.securities == ["B", "INDEX"]
