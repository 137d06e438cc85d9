"""Counts of shares from Yahoo: real yfinance against a server on 127.0.0.1, and their use in a study."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from yahoo_server import TOO_MANY, Stock, YahooServer, as_json

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError

DAYS = pd.bdate_range("2018-01-01", "2019-12-31")
SPAN = ("2018-06-01", "2019-12-30")
SPLIT = "2019-06-03"
#: A year before the split, before it and after it, as filed.
FILED = [("2018-04-02", 1_000_000_000), ("2019-02-01", 1_050_000_000), ("2019-08-01", 2_100_000_000)]


@pytest.fixture
def yahoo(server: YahooServer) -> YahooServer:
    """A share that was split in two, and an index."""
    rng = np.random.default_rng(1)
    index = 0.01 * rng.standard_normal(len(DAYS))
    own = index + 0.01 * rng.standard_normal(len(DAYS))
    traded = 100 * np.exp(np.cumsum(own)) / np.where(DAYS >= SPLIT, 2.0, 1.0)
    server.stocks["ACME"] = Stock("ACME", DAYS, traded.tolist(), splits={SPLIT: 2.0})
    server.stocks["ACME"].counts = list(FILED)
    server.stocks["^IX"] = Stock("^IX", DAYS, (1000 * np.exp(np.cumsum(index))).tolist())
    return server


def study(adjustment: str, day: str) -> es.EventStudyResults:
    prices = es.prices(["ACME", "^IX"], *SPAN, adjustment=adjustment)
    market = es.Market.from_prices(prices, benchmark="^IX")
    event = [{"security": "ACME", "date": day}]
    return es.EventStudy(market, event, estimation=(-100, -11), window=(-5, 5)).fit()


def test_counts_as_they_were_have_a_row_on_the_split(yahoo: YahooServer) -> None:
    counts = es.share_counts("acme", *SPAN)
    wanted = {"2018-04-02": 1.0e9, "2019-02-01": 1.05e9, SPLIT: 2.1e9, "2019-08-01": 2.1e9}
    assert counts.index.name == "date"
    pd.testing.assert_series_equal(
        counts["ACME"],
        pd.Series(wanted).rename(lambda day: pd.Timestamp(day).as_unit("ns")),
        check_names=False,
    )
    assert counts.attrs["source"] == "Yahoo Finance"
    assert set(yahoo.hosts) <= {"query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com"}


def test_counts_adjusted_for_splits(yahoo: YahooServer) -> None:
    counts = es.share_counts("ACME", "2019-03-01", "2019-12-30", adjustment="splits")["ACME"]
    assert counts.tolist() == [2.1e9, 2.1e9]
    assert counts.index[0] == pd.Timestamp("2019-02-01")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.quick(every=3)
@pytest.mark.parametrize("day", ["2019-04-10", "2019-06-05", "2019-10-10"])
def test_the_value_is_the_same_whatever_is_adjusted(yahoo: YahooServer, day: str, tmp_path: Path) -> None:
    found = {}
    for adjustment in ("none", "splits"):
        results = study(adjustment, day)
        counts = es.share_counts("ACME", *SPAN, adjustment=adjustment)
        found[adjustment] = results.value_change(None, 0, 1, shares=counts).loc[0]
        before = results.timeline["day_0"].iloc[0]
        traded = yahoo.stocks["ACME"]
        at = DAYS.searchsorted(before) - 1
        true = traded.traded[at] * (1.05e9 if before < pd.Timestamp(SPLIT) else 2.1e9)
        assert found[adjustment]["market_cap"] == pytest.approx(true, rel=1e-9)
        assert found[adjustment]["counted"] < before
        table = results.exhibit(0, 1, shares=counts).sections[-1].frame
        assert table["counted on"].iloc[0] == f"{found[adjustment]['counted']:%Y-%m-%d}"
        page = results.report(tmp_path / "x.md", 0, 1, shares=counts, brief=True).read_text("utf-8")
        shares = found[adjustment]["shares"] / 1e6
        assert f"{shares:,.2f} million shares, counted on {found[adjustment]['counted']:%Y-%m-%d}" in page
    assert found["none"]["change"] == pytest.approx(found["splits"]["change"], rel=1e-6)


def test_a_count_of_before_the_split_is_refused_beside_a_close_of_after_it(yahoo: YahooServer) -> None:
    filed = pd.Series([1.0e9, 1.05e9], pd.to_datetime(["2018-04-02", "2019-02-01"]))
    with pytest.raises(RequestError, match=rf"ACME: on {SPLIT} its closes change by a factor of 2"):
        study("none", "2019-06-05").value_change(None, 0, 1, shares=filed)
    assert study("none", "2019-04-10").value_change(None, 0, 1, shares=filed)["change"].notna().all()


def test_counts_as_filed_beside_adjusted_closes_are_warned_of(yahoo: YahooServer) -> None:
    filed = pd.Series([n for _, n in FILED], pd.to_datetime([day for day, _ in FILED]), dtype=float)
    results = study("splits", "2019-04-10")
    with pytest.warns(DataWarning, match=r"count of shares changes by a factor of 2 from 2019-02-01"):
        results.value_change(None, 0, 1, shares=filed)
    study("none", "2019-04-10").value_change(None, 0, 1, shares=filed)


def test_tickers_without_counts_are_named(yahoo: YahooServer) -> None:
    with pytest.warns(DataWarning, match=r"\^IX: no counts"):
        counts = es.share_counts(["ACME", "^IX"], *SPAN)
    assert counts.columns.tolist() == ["ACME"]
    with pytest.raises(DataError, match="No counts of shares came for 2018-06-01"):
        es.share_counts("^IX", *SPAN)
    with pytest.raises(DataError, match=r"NONE: missing"):
        es.share_counts("NONE", *SPAN)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (TOO_MANY, "rate limited"),
        (as_json({}, 500), "unavailable"),
        ((200, b"<html>"), "malformed"),
        (as_json({"timeseries": {"result": []}}), "malformed"),
        (as_json({"finance": {"error": {"code": "Bad Request"}}}), "malformed|unavailable"),
    ],
)
def test_broken_answers_are_told(yahoo: YahooServer, answer: tuple[int, bytes], told: str) -> None:
    yahoo.broken_counts["ACME"] = answer
    with pytest.raises(DataError, match=rf"ACME: ({told})"):
        es.share_counts("ACME", *SPAN)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: es.share_counts([], *SPAN), "No tickers"),
        (lambda: es.share_counts("ACME", "soon"), "is not a day"),
        (lambda: es.share_counts("ACME", *SPAN, adjustment="total"), "adjustment must be one of"),
        (lambda: es.share_counts("ACME", *SPAN, attempts=0), "must be positive"),
    ],
)
def test_requests_that_make_no_sense(yahoo: YahooServer, call: object, told: str) -> None:
    with pytest.raises(RequestError, match=re.escape(told)):
        call()  # type: ignore[operator]
