"""Limits and halts on real prices, which lie beside the checkout and are not committed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DENIAL = "2018-04-16 09:00-04:00"


def test_limits_touched_on_22_may_2019(shared_data):
    panel = pd.read_parquet(
        shared_data / "panels" / "cn_raw_ohlc_fen_2018_2019.parquet",
        filters=[("date", ">=", pd.Timestamp("2019-05-21")), ("date", "<=", pd.Timestamp("2019-05-22"))],
    )
    panel = panel.rename(columns={"ts_code": "ticker", "preclose": "previous_close"}).drop(columns="total_mv")
    fen = ["open", "high", "low", "close", "previous_close"]
    panel[fen] = panel[fen] / 100
    market = es.Market.from_prices(panel, calendar="XSHG")
    book = market.limits
    day = pd.Timestamp("2019-05-22")
    assert market.prices().loc[day].notna().sum() == 3593
    assert (book.touched.loc[day] == -1).sum() == 12
    closed = book.closed.loc[day]
    assert (closed == -1).sum() == 4
    assert closed["603320.SH"] == -1
    assert book.down.at[day, "603320.SH"] == 22.91
    # Rounding in floats loses it.
    assert np.round(25.45 * 0.9, 2) == 22.9


def test_zte_in_hong_kong(shared_data):
    panel = pd.read_parquet(shared_data / "panels" / "hk_named_ohlcv_adj_2016_2022.parquet")
    zte = panel[
        (panel["ticker"] == "0763.HK") & (panel["Date"] > "2017-09") & (panel["Date"] < "2018-09")
    ].rename(columns=str.lower)
    index = pd.read_parquet(shared_data / "panels" / "indices_daily_2015on.parquet")
    index = index[(index["index"] == "HANG_SENG_HSI") & (index["date"] < "2018-09")]
    hang_seng = pd.Series(index["close"].to_numpy(), pd.DatetimeIndex(index["date"]), name="^HSI")
    market = es.Market.from_prices(zte, benchmark=hang_seng, calendar="XHKG")
    events = [{"security": "0763.HK", "announced_at": DENIAL, "label": "Denial order"}]
    results = es.EventStudy(market, events, estimation=(-140, -45), window=(-1, 5)).fit()
    event = results.timeline.loc[0]
    assert event["day_0"] == pd.Timestamp("2018-06-13")
    assert results.halts.loc[0, "resumed_on_day"] == 0
    last, first = zte.set_index("date")["close"][["2018-06-13", "2018-04-16"]]
    assert last / first - 1 == pytest.approx(-0.416, abs=0.0005)
    assert market.returns.at[event["day_0"], "0763.HK"] == pytest.approx(last / first - 1)
    # The benchmark is compounded over the sessions of the halt.
    before = market.sessions[market.sessions.get_loc(event["day_0"]) - int(event["spans"])]
    assert event["spans"] > 30
    day0 = np.array([market.sessions.get_loc(event["day_0"])])
    found = market.bank.compound(np.array([0]), day0, np.array([event["spans"]]))
    assert found[0] == pytest.approx(hang_seng["2018-06-13"] / hang_seng[before] - 1)
