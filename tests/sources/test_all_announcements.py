"""The example of the whole list: on bundled prices, and live on the loopback server's of all exchanges."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from yahoo_server import NOT_FOUND, Stock, YahooServer, failed

import eventstudy as es
from eventstudy.calendars import Exchange, exchange_of
from eventstudy.datasets import ban_announcements

SCRIPT = Path(__file__).parents[2] / "examples" / "all_announcements.py"
#: Delisted, and an index that Yahoo does not have: their rows must say so.
GONE = ("OCLR", "FNSR", "^OMXH25")
SHOCK = -0.08


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def world(server: YahooServer) -> pd.DataFrame:
    """Every security of the list and its index, made up: each falls on the first session after its news."""
    rows = ban_announcements().securities
    rng = np.random.default_rng(20190522)
    for exchange, some in rows.groupby(rows["security"].map(exchange_of)):
        days = Exchange(exchange).sessions(pd.Timestamp("2016-10-03"), pd.Timestamp("2026-07-31"))
        market = rng.normal(0.0003, 0.01, len(days))
        for index in set(some["benchmark"]):
            server.stocks[index] = Stock(index, days, (3000 * np.exp(np.cumsum(market))).round(2).tolist())
        for security, own in some.groupby("security"):
            returns = market + rng.normal(0, 0.015, len(days))
            hit = own[own["first_trade"].notna()]
            returns[days.isin(hit["first_trade"])] += SHOCK
            traded = (100 * np.exp(np.cumsum(returns))).round(4).tolist()
            server.stocks[security] = Stock(security, days, traded)
    for ticker in GONE:
        server.faults[ticker] = lambda *_: failed(NOT_FOUND, 404)
    return rows


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::eventstudy.errors.DataWarning")
def test_live_measures_every_row_that_can_stand_alone(
    script: dict[str, Any], world: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script["main"](["--live", "--out", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / "all_announcements.csv", index_col="event_id", keep_default_na=False)
    assert len(table) == len(world) == 385
    lost = world["security"].isin(GONE) | world["benchmark"].isin(GONE)
    expected = ban_announcements().screen(world["mic"].unique()).set_index("event_id")["left_out"]
    alone = expected.index[expected == ""]
    gone = (world["announcement_id"] + ":" + world["security"])[lost]
    assert set(table.index[table["status"] == "no prices"]) == set(gone) & set(alone)
    measured = table[table["status"] == "measured"]
    assert set(measured.index) == set(alone) - set(gone)
    assert measured["ar_0"].astype(float).mean() == pytest.approx(np.expm1(SHOCK), abs=0.005)
    assert (table.loc[expected.index[expected != ""], "status"] == expected[expected != ""]).all()
    said = capsys.readouterr().out
    assert f"{len(measured)} of 385 rows measured" in " ".join(said.split())
    assert (tmp_path / "all_announcements.png").stat().st_size > 20_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::eventstudy.errors.DataWarning")
def test_without_any_price_it_says_so(
    script: dict[str, Any], server: YahooServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script["main"](["--live", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "No row could be measured" in said
    assert "XSHG" in said
    assert not list(tmp_path.glob("*.csv"))


def test_bundled_prices_give_what_a_study_of_one_row_gives(
    script: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script["main"](["--out", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / "all_announcements.csv", index_col="event_id")
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    event = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
    one = es.EventStudy(market, event, estimation=(-250, -21)).fit().car(0, 1).iloc[0]
    row = table.loc["2019-05-21_NYT_HIK:002415.SZ"]
    assert row[["car", "se"]].tolist() == pytest.approx(one[["car", "se"]].tolist(), rel=1e-5)
    assert table.at["2018-08-01_SENATE_NDAA:002415.SZ", "status"] == "confounded"
    assert "lies after the data ends" in table.at["2022-05-04_HIK_SDN:002415.SZ", "status"]
    assert table.at["2018-04-16_ZTE_DENIAL:ACIA", "status"] == "no prices"
    assert "36 of 385 rows measured" in " ".join(capsys.readouterr().out.split())
