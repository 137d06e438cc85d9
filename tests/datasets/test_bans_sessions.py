"""Every announcement, carried through a study to the sessions that the shared file expects at both ends."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import ExcludedEventsWarning, OverlapWarning
from eventstudy.market.limit_rules import limit_shares

# exchange_calendars 4.13 calls .weekday when it makes Hong Kong's holidays; pandas 3.1 deprecates it.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday is deprecated")

CALENDARS = {"OTC": "XNYS", "XNAS": "XNYS"}


@pytest.fixture
def rows(shared_data: Path) -> pd.DataFrame:
    folder = shared_data / "bans"
    events = pd.read_csv(folder / "events.csv", dtype=str).set_index("event_id")
    rows = pd.read_csv(folder / "event_securities.csv", dtype=str, keep_default_na=False)
    return rows.join(events[["ann_utc_earliest", "ann_utc_latest"]], on="event_id")


def market(mic: str, names: list[str]) -> es.Market:
    """Make returns of nothing but chance, on every session of an exchange."""
    exchange = es.Exchange(CALENDARS.get(mic, mic))
    days = exchange.sessions(pd.Timestamp("2017-01-03"), pd.Timestamp("2025-12-31"))
    returns = np.random.default_rng(1).normal(0, 0.01, (len(days), len(names)))
    return es.Market(pd.DataFrame(returns, days, names), calendar=exchange)


@pytest.mark.slow
def test_233_rows_meet_their_sessions_at_both_ends(rows):
    assert len(rows) == 233
    ambiguous = 0
    for mic, group in rows.groupby("mic"):
        given = pd.DataFrame(
            {
                "security": group["ticker"],
                "event_id": group["event_id"] + ":" + group["ticker"],
                "announced_after": group["ann_utc_earliest"],
                "announced_before": group["ann_utc_latest"],
            }
        )
        world = market(str(mic), sorted(group["ticker"].unique()))
        found = {}
        for end in ("first", "last"):
            events = es.Events(given, ambiguous=end)
            study = es.EventStudy(world, events, es.ConstantMean(), estimation=(-120, -30), window=(-1, 1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OverlapWarning)
                found[end] = study.fit().timeline["first_session"].dt.strftime("%Y-%m-%d")
        wanted = group.set_axis(given["event_id"])
        assert found["first"].equals(wanted["first_session_if_earliest"].rename("first_session")), mic
        assert found["last"].equals(wanted["first_session_if_latest"].rename("first_session")), mic
        flagged = wanted.index[wanted["session_ambiguous"] == "YES"]
        if len(flagged):
            study = es.EventStudy(
                world, es.Events(given), es.ConstantMean(), estimation=(-120, -30), window=(-1, 1)
            )
            with pytest.warns() as told:
                out = study.fit().excluded
            assert ExcludedEventsWarning in {w.category for w in told}
            assert set(out.index) == set(flagged)
            for event_id, reason in out["reason"].items():
                both = wanted.loc[event_id, ["first_session_if_earliest", "first_session_if_latest"]]
                assert f"its first session is {both.iloc[0]} or {both.iloc[1]}" in reason
            ambiguous += len(flagged)
    assert ambiguous == 10


def test_limits_of_every_row_by_board_and_date(rows):
    """10% on main boards and in Taiwan, 20% on STAR and, since August 2020, on ChiNext, none elsewhere.

    The file gives an index the limit of its shares; indices have none and are left out.
    """
    told = rows[(rows["price_limit_pct"] != "yen_table") & (rows["ticker"] != rows["index_ticker"])]
    assert len(told) == 230
    for _, row in told.iterrows():
        exchange = es.Exchange(CALENDARS.get(row["mic"], row["mic"])).name
        day = pd.DatetimeIndex([row["first_session_if_latest"]])
        share = limit_shares(exchange, day, [row["ticker"]], np.ones((1, 1), bool)).item()
        wanted = np.nan if row["price_limit_pct"] == "none" else float(row["price_limit_pct"]) / 100
        np.testing.assert_equal(share, wanted, err_msg=f"{row['event_id']} {row['ticker']}")
