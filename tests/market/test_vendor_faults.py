"""Faults that vendors' files are known for: each is listed by the audit, and told of where it matters."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import CalendarWarning, DataError, DataWarning, SuspectDataWarning

REPORT = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
LISTING = [{"security": "002415.SZ", "announced_at": "2019-10-07 17:00-04:00"}]
WINDOWS = {"estimation": (-200, -21), "window": (-10, 10)}


@pytest.fixture
def close() -> pd.DataFrame:
    return es.datasets.surveillance_prices()["close"][["002415.SZ", "002236.SZ", "399001.SZ"]]


def kinds(frame: pd.DataFrame, kind: str) -> list[tuple[str, str]]:
    rows = frame[frame["kind"] == kind]
    return [(who, f"{day:%Y-%m-%d}") for who, day in zip(rows["security"], rows["date"], strict=True)]


def fit(market: es.Market, events: list[dict], **windows: tuple[int, int]) -> es.EventStudyResults:
    return es.EventStudy(market, events, **(WINDOWS | windows)).fit()


def index(shared_data: Path, name: str) -> pd.Series:
    frame = pd.read_parquet(shared_data / "panels" / "indices_daily_2015on.parquet")
    frame = frame[frame["index"] == name]
    return pd.Series(frame["close"].to_numpy(), pd.DatetimeIndex(frame["date"]), name=name)


def test_sessions_that_a_vendor_lacks(close):
    """Yahoo's copies of Shenzhen series lack 29 and 30 April 2019."""
    lost = close.drop(pd.DatetimeIndex(["2019-04-29", "2019-04-30"]))
    with pytest.warns(CalendarWarning, match="lacks 2 sessions of XSHG: 2019-04-29, 2019-04-30"):
        market = es.Market.from_prices(lost, benchmark="399001.SZ", calendar="XSHG")
    assert kinds(market.audit(), "missing session") == [("(all)", "2019-04-29"), ("(all)", "2019-04-30")]
    told = r"missing session on 2019-04-29 in its event window.*and 1 more\. See results\.suspects"
    with pytest.warns(DataWarning, match=told):
        results = fit(market, REPORT, window=(-15, 10))
    assert results.suspects.query("kind == 'missing session'")["window"].tolist() == ["event"] * 2
    with pytest.warns(DataWarning, match="in its estimation window"):
        fit(market, REPORT, estimation=(-200, -11))
    # Neither window holds them: nothing to tell.
    fit(market, REPORT, estimation=(-200, -21))


def test_sessions_that_a_vendor_lacks_are_told_of_without_the_calendars_sessions(close):
    lost = close.drop(pd.DatetimeIndex(["2019-04-29", "2019-04-30"]))
    market = es.Market.from_prices(lost, benchmark="399001.SZ", calendar="XSHG", sessions="data")
    assert kinds(market.audit(), "missing session") == [("(all)", "2019-04-29"), ("(all)", "2019-04-30")]
    with pytest.warns(DataWarning, match="missing session"):
        fit(market, REPORT, window=(-15, 10))


def test_yahoos_copy_of_the_index(close, shared_data):
    """The copy of the SZSE Component lacks two sessions of 2017 and two of 2019."""
    days = ["2017-08-28", "2017-09-04", "2019-04-29", "2019-04-30"]
    copy = index(shared_data, "SZSE_COMP_yahoo")
    securities = close.drop(columns="399001.SZ")
    market = es.Market.from_prices(securities, benchmark=copy, calendar="XSHG")
    gaps = kinds(market.audit(), "benchmark gap")
    assert [(copy.name, day) for day in days[:3]] == gaps
    event = [{"security": "002236.SZ", "date": "2018-03-01"}]
    told = "benchmark gap of SZSE_COMP_yahoo on 2017-08-28 in its estimation window"
    with pytest.warns(DataWarning, match=told):
        fit(market, event, estimation=(-140, -21))
    whole = index(shared_data, "SZSE_COMP_399001.SZ")
    clean = es.Market.from_prices(securities["2017":"2019-09-27"], benchmark=whole, calendar="XSHG")
    assert not kinds(clean.audit(), "benchmark gap")


HALT = pd.DatetimeIndex(["2019-10-08", "2019-10-09"])


def bars(close: pd.DataFrame, volume: float | None) -> pd.DataFrame:
    """Make bars of closes, with the close of 30 September repeated while Hikvision was suspended."""
    filled = close.copy()
    filled.loc[HALT, "002415.SZ"] = close.at[pd.Timestamp("2019-09-30"), "002415.SZ"]
    low, high = filled * 0.99, filled * 1.01
    fields = {"open": filled.copy(), "high": high, "low": low, "close": filled}
    for frame in (fields["open"], high, low):
        frame.loc[HALT, "002415.SZ"] = filled.loc[HALT, "002415.SZ"]
    if volume is not None:
        fields["volume"] = filled.notna() * 1000.0
        fields["volume"].loc[HALT, "002415.SZ"] = volume
    return pd.concat(fields, axis=1)


@pytest.mark.parametrize("volume", [None, np.nan])
def test_phantom_rows_of_a_suspended_share(close, volume):
    """Vendors give Hikvision rows for 8 and 9 October 2019, when it was suspended."""
    market = es.Market.from_prices(bars(close, volume), benchmark="399001.SZ", calendar="XSHG")
    assert kinds(market.audit(), "phantom row") == [("002415.SZ", "2019-10-08")]
    told = "phantom row of 002415.SZ on 2019-10-08 in its event window, 2 sessions of nothing but the close"
    with pytest.warns(DataWarning, match=told):
        results = fit(market, LISTING)
    assert results.timeline.at[0, "day_0"] == HALT[0]


def test_phantom_rows_without_volume_are_a_halt(close):
    market = es.Market.from_prices(bars(close, 0.0), benchmark="399001.SZ", calendar="XSHG")
    assert not kinds(market.audit(), "phantom row")
    assert ("002415.SZ", "2019-10-08") in kinds(market.audit(), "no trade")
    results = fit(market, LISTING)
    assert results.timeline.at[0, "day_0"] == pd.Timestamp("2019-10-10")
    assert results.timeline.at[0, "spans"] == 3


def test_a_phantom_row_whose_price_differs(close):
    """A price that changes without volume is no trade either, but not for this library to say."""
    prices = bars(close, 0.0)
    prices.loc[HALT, (["open", "high", "low", "close"], "002415.SZ")] = 32.0
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    assert kinds(market.audit(), "price without volume") == [("002415.SZ", "2019-10-08")]
    with pytest.warns(DataWarning, match="price without volume of 002415.SZ on 2019-10-08"):
        fit(market, LISTING)


def test_an_index_without_volume_is_not_suspect(close):
    volume = close.notna() * 1000.0
    volume["399001.SZ"] = 0.0
    market = es.Market.from_prices(
        pd.concat({"close": close, "volume": volume}, axis=1), benchmark="399001.SZ", calendar="XSHG"
    )
    assert not kinds(market.audit(), "price without volume")


def test_closes_adjusted_by_sums(close):
    """An additively adjusted file shows -5.23% for 22 May 2019, where the share fell by 5.54%."""
    adjusted = close.copy()
    adjusted["002415.SZ"] += 1.65
    day = pd.Timestamp("2019-05-22")
    wrong = adjusted["002415.SZ"].pct_change(fill_method=None)[day]
    assert wrong == pytest.approx(-0.0523, abs=5e-5)
    prices = pd.concat({"Close": close, "Adj Close": adjusted}, axis=1)
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    assert [who for who, _ in kinds(market.audit(), "uneven adjustment")] == ["002415.SZ"]
    with pytest.warns(DataWarning, match=r"uneven adjustment of 002415.SZ.*by sums, not by ratios\?"):
        fit(market, REPORT)
    ratio = close.assign(**{"002415.SZ": (close["002415.SZ"] * 0.93).round(2)})
    fine = es.Market.from_prices(pd.concat({"Close": close, "Adj Close": ratio}, axis=1), calendar="XSHG")
    assert not kinds(fine.audit(), "uneven adjustment")


def test_an_adjusted_close_that_jumps(shared_data):
    """ETN's adjusted close rises by 68% on 15 August 2019, the close by 1%."""
    panel = pd.read_parquet(shared_data / "panels" / "us_sp500_daily_2016_2020.parquet")
    panel = panel[panel["ticker"].isin(["ETN", "EMR", "HON", "ITW", "ROK"])]
    market = es.Market.from_prices(panel, benchmark="HON", calendar="XNYS")
    jumps = market.audit().query("kind == 'adjustment jump'")
    assert kinds(jumps, "adjustment jump") == [("ETN", "2019-08-15")]
    assert jumps["detail"].tolist() == ["adjusted +68.0%, close +1.0%"]
    events = [{"security": who, "date": "2019-08-20"} for who in ("ETN", "EMR")]
    told = r"windows of 1 of 2 events.*event 0: adjustment jump of ETN on 2019-08-15 in its event window"
    with pytest.warns(DataWarning, match=told):
        results = fit(market, events)
    assert set(results.suspects["event_id"]) == {0}


def test_adjusted_prices_that_are_not_positive(close):
    """HCHC's adjusted prices are zero and below for years."""
    adjusted = close.copy()
    bad = pd.DatetimeIndex(["2019-05-15", "2019-05-16"])
    adjusted.loc[bad, "002415.SZ"] = [0.0, -0.27]
    prices = pd.concat({"Close": close, "Adj Close": adjusted}, axis=1)
    with pytest.raises(DataError, match=r"002415.SZ is 0 on 2019-05-15 \(and 1 more\).*bad_prices='missing'"):
        es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    with pytest.warns(DataWarning, match="not positive are taken for missing"):
        market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG", bad_prices="missing")
    listed = market.audit().query("kind == 'bad price'")
    assert listed["detail"].tolist() == [
        "adj_close of 0 taken for missing", "adj_close of -0.27 taken for missing",
    ]  # fmt: skip
    with pytest.warns(DataWarning, match=r"bad price of 002415.SZ on 2019-05-15.*and 1 more"):
        fit(market, REPORT)


def test_a_split_that_was_not_adjusted_for(close):
    close.loc["2019-05-20":, "002236.SZ"] /= 2
    market = es.Market.from_prices(close, benchmark="399001.SZ")
    (detail,) = market.audit().query("kind == 'large return' and security == '002236.SZ'")["detail"]
    assert "like a split of 2 to 1 that was not adjusted for" in detail


def test_an_ex_day_within_the_window(close):
    """Raw closes of Hikvision rise by 0.45% on 24 May 2019, its shareholders gained 2.96%."""
    day = pd.Timestamp("2019-05-24")
    raw = es.Market.from_prices(close, benchmark="399001.SZ", calendar="XSHG")
    assert raw.returns.at[day, "002415.SZ"] == pytest.approx(0.0045, abs=5e-5)
    given = es.Market.from_prices(es.datasets.surveillance_prices(), calendar="XSHG")
    assert given.returns.at[day, "002415.SZ"] == pytest.approx(0.0296, abs=5e-5)


def test_faults_of_a_benchmark_that_is_a_column(close):
    close.loc["2019-05-20":, "399001.SZ"] *= 2
    with pytest.warns(DataWarning, match="large return of 399001.SZ on 2019-05-20 in its event window"):
        fit(
            es.Market.from_prices(close, benchmark="399001.SZ"),
            [{"security": "002415.SZ", "date": "2019-05-22"}],
        )


def test_markets_of_returns_have_suspects_too(close):
    returns = close.pct_change(fill_method=None).iloc[1:]
    returns.loc["2019-05-06":"2019-05-10", "002415.SZ"] = 0.0
    returns.loc["2019-05-20", "002236.SZ"] = 0.9
    audit = es.Market(returns, benchmark="399001.SZ", calendar="XSHG").audit()
    assert ("002415.SZ", "2019-05-05") not in kinds(audit, "stale price")
    assert [who for who, _ in kinds(audit, "stale price")] == ["002415.SZ"]
    # Hikvision gave five shares for ten on 16 May 2017, and these are returns of raw closes.
    assert kinds(audit, "large return") == [("002236.SZ", "2019-05-20"), ("002415.SZ", "2017-05-16")]


def test_of_many_events_five_are_named(close):
    close.loc["2019-03-01":, "002415.SZ"] *= 2
    market = es.Market.from_prices(close, benchmark="399001.SZ", calendar="XSHG")
    events = [{"security": "002415.SZ", "date": d} for d in market.sessions[500:580:10]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = fit(market, events)
    (told,) = [str(w.message) for w in caught if w.category is SuspectDataWarning]
    assert told.startswith("Data in the windows of 8 of 8 events")
    assert told.count("large return of 002415.SZ on 2019-03-01 in its est") == 5
    assert "; and 3 more. See" in told
    assert results.suspects["event_id"].unique().tolist() == list(range(8))


def test_touched_events_are_those_of_a_plain_loop(close):
    """Spells and windows, compared one by one."""
    rng = np.random.default_rng(3)
    for first in rng.integers(220, 600, 12):
        who = close.columns[rng.integers(0, 2)]
        close.iloc[first : first + rng.integers(5, 15), close.columns.get_loc(who)] = 30.0
    market = es.Market.from_prices(close, benchmark="399001.SZ", calendar="XSHG")
    events = [{"security": str(rng.choice(close.columns[:2])), "date": d} for d in market.sessions[230:620:9]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = es.EventStudy(market, events, estimation=(-40, -5), window=(-3, 3)).fit()
    found = {
        (e, w) for e, w, k in results.suspects[["event_id", "window", "kind"]].to_numpy() if k != "no trade"
    }
    wanted = set()
    for spells in market.suspects:
        if spells.kind == "no trade":
            continue
        for k in range(len(spells.column)):
            spell = set(range(spells.first[k], spells.last[k] + 1))
            for i, event in enumerate(results.timeline.index):
                for name, (a, b) in (("estimation", (-40, -5)), ("event", (-3, 3))):
                    rows = set(range(results.sample.day0[i] + a, results.sample.day0[i] + b + 1))
                    mine = market.columns[spells.column[k]] in (
                        results.timeline.at[event, "security"],
                        "399001.SZ",
                    )
                    if mine and spell & rows:
                        wanted.add((event, name))
    assert len(wanted) > 10
    assert found == wanted


def test_half_days_without_volume_are_no_quotes(close):
    """Vendors give no volume at all on Hong Kong's half days."""
    four = close.assign(A=close["002415.SZ"] * 1.1, B=close["002236.SZ"] * 1.1)
    volume = four.notna() * 1000.0
    day = pd.Timestamp("2019-05-20")
    volume.loc[day] = 0.0
    fields = {"close": four, "volume": volume}
    audit = es.Market.from_prices(pd.concat(fields, axis=1), calendar="XSHG").audit()
    assert not kinds(audit, "price without volume")
    volume.loc[day, ["A", "B", "399001.SZ"]] = 1000.0
    fields = {"close": four, "volume": volume}
    audit = es.Market.from_prices(pd.concat(fields, axis=1), calendar="XSHG").audit()
    assert {who for who, _ in kinds(audit, "price without volume")} == {"002415.SZ", "002236.SZ"}


def test_the_wrong_calendar_is_asked_about(close):
    with (
        pytest.warns(CalendarWarning, match=r"not sessions of XNYS.*Is XNYS the right calendar\?"),
        pytest.warns(CalendarWarning, match="lacks 39 sessions of XNYS"),
    ):
        es.Market.from_prices(close, calendar="XNYS")
    # What one has said oneself is no news.
    es.Market.from_prices(close, calendar=es.Exchange("XSHG", closed=["2019-05-22"]))


def test_prices_of_next_to_nothing_are_audited_without_a_warning_of_numpy() -> None:
    rng = np.random.default_rng(6)
    days = pd.bdate_range("2019-01-01", periods=80)
    close = pd.DataFrame(
        1e-311 * np.exp(np.cumsum(0.01 * rng.standard_normal((80, 2)), axis=0)), days, ["A", "INDEX"]
    )
    fields = pd.concat({"close": close, "adj_close": close}, axis=1)
    market = es.Market.from_prices(fields, benchmark="INDEX")
    assert "adjustment" not in " ".join(market.audit()["kind"])
