from __future__ import annotations

import socket
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stamina
from yahoo_server import NO_SPAN, NOT_FOUND, TOO_MANY, Answer, Fault, Stock, YahooServer, as_json, failed

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError
from eventstudy.sources import outcome, yahoo_faults

DAYS = pd.bdate_range("2019-01-01", "2019-12-31")
TRADED = [100.0 + i / 10 for i in range(len(DAYS))]
SPAN = ("2019-05-01", "2019-06-28")
FIELDS = ["adj_close", "close", "dividends", "high", "low", "open", "splits", "volume"]


def add(server: YahooServer, *tickers: str, **events: dict[str, float]) -> None:
    for ticker in tickers:
        server.stocks[ticker] = Stock(ticker, DAYS, TRADED, **events)


def cached(folder: Path) -> list[str]:
    return sorted(path.parent.name.removeprefix("ticker-") for path in folder.rglob("*.npz"))


def always(answer: Answer) -> Fault:
    return lambda *_: answer


def in_history(answer: Answer) -> Fault:
    return lambda _server, _ticker, history: answer if history else None


def too_slow(server: YahooServer, ticker: str, history: bool) -> None:
    if history:
        server.release.wait(60)


def first_times(n: int, answer: Answer) -> Fault:
    left = [n]

    def fault(*_: object) -> Answer | None:
        left[0] -= 1
        return answer if left[0] >= 0 else None

    return fault


def test_one_ticker(server: YahooServer, cache_dir: Path) -> None:
    add(server, "002415.SZ")
    prices = es.prices("002415.SZ", *SPAN)
    assert prices.index.equals(pd.bdate_range(*SPAN).as_unit("ns"))
    assert prices.index.dtype == np.dtype("datetime64[ns]")
    assert prices.index.tz is None
    assert prices.index.name == "date"
    assert prices.columns.names == ["field", "security"]
    assert prices.columns.tolist() == [(field, "002415.SZ") for field in FIELDS]
    assert (prices.dtypes == "float64").all()
    expected = pd.Series(TRADED, DAYS).loc[SPAN[0] : SPAN[1]]
    np.testing.assert_allclose(prices["close", "002415.SZ"], expected, rtol=1e-12)
    np.testing.assert_allclose(prices["adj_close", "002415.SZ"], expected, rtol=1e-12)
    np.testing.assert_allclose(prices["low", "002415.SZ"], expected * 0.98, rtol=1e-12)
    assert (prices[["dividends", "splits"]] == 0).all(axis=None)
    assert (prices["volume"] == 1000).all(axis=None)
    assert cached(cache_dir) == ["002415.SZ"]
    assert set(server.hosts) <= {
        "fc.yahoo.com",
        "query1.finance.yahoo.com",
        "query2.finance.yahoo.com",
        "guce.yahoo.com",
    }


def test_dividends_and_splits_as_traded_and_as_yahoo_shows_them(server: YahooServer) -> None:
    add(server, "X", dividends={"2019-05-24": 2.0}, splits={"2019-06-03": 2.0, "2019-10-01": 3.0})
    traded = es.prices("X", *SPAN).xs("X", axis=1, level="security")
    shown = es.prices("X", *SPAN, adjustment="splits").xs("X", axis=1, level="security")
    expected = pd.Series(TRADED, DAYS).loc[SPAN[0] : SPAN[1]]
    # The split of October lies after the span; without it no price of the span would be as traded.
    np.testing.assert_allclose(traded["close"], expected, rtol=1e-12)
    np.testing.assert_allclose(traded["high"], expected * 1.01, rtol=1e-12)
    factor = np.where(expected.index < "2019-06-03", 6.0, 3.0)
    np.testing.assert_allclose(shown["close"], expected / factor, rtol=1e-12)
    assert (traded["volume"] == 1000).all()
    assert traded.at["2019-05-24", "dividends"] == pytest.approx(2.0)
    assert shown.at["2019-05-24", "dividends"] == pytest.approx(2.0 / 6)
    for frame in (traded, shown):
        assert frame["splits"].to_dict() == {
            d: 2.0 if str(d)[:10] == "2019-06-03" else 0 for d in frame.index
        }
        total = frame["adj_close"].pct_change()
        before = expected["2019-05-23"]
        # The share falls by the dividend, adjusted prices do not.
        assert total["2019-05-24"] == pytest.approx(expected["2019-05-24"] / (before - 2.0) - 1, rel=1e-9)
        assert total["2019-06-03"] == pytest.approx(
            expected["2019-06-03"] / expected["2019-05-31"] * 2 - 1, rel=1e-9
        )
    np.testing.assert_allclose(traded["adj_close"], shown["adj_close"], rtol=1e-12)


def test_several_tickers_of_several_time_zones_share_days(server: YahooServer) -> None:
    tickers = ["002415.SZ", "0763.HK", "VOD.L", "INTC", "^GSPC"]
    add(server, *tickers)
    prices = es.prices(tickers, *SPAN)
    assert prices["close"].columns.tolist() == sorted(tickers)
    assert prices["close"].notna().all(axis=None)
    assert len(prices) == len(pd.bdate_range(*SPAN))
    record = outcome(prices)
    assert record.index.tolist() == tickers
    assert (record["status"] == "ok").all()
    assert record["currency"].to_dict()["VOD.L"] == "GBp"
    assert (record["first"] == "2019-05-01").all()


def test_market_takes_the_frame(server: YahooServer) -> None:
    add(server, "A", "B")
    market = es.Market.from_prices(es.prices(["A", "B"], *SPAN), benchmark="B")
    assert market.securities == ["A"]
    assert market.returns["A"].iloc[1:].notna().all()


def test_429_then_success(server: YahooServer, cache_dir: Path) -> None:
    add(server, "A", "B")
    server.faults["A"] = first_times(2, TOO_MANY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prices = es.prices(["A", "B"], *SPAN)
    assert prices["close"].columns.tolist() == ["A", "B"]
    assert server.asked["A"] >= 4
    assert cached(cache_dir) == ["A", "B"]


def test_bad_json_then_success_is_not_answered_from_yfinances_memory(server: YahooServer) -> None:
    add(server, "A")
    server.faults["A"] = first_times(1, (200, b'{"chart": oops'))
    assert es.prices("A", *SPAN)["close", "A"].notna().all()
    server.faults["A"] = first_times(2, (200, b'{"chart": oops'))
    assert es.prices("A", *SPAN, adjustment="splits")["close", "A"].notna().all()


def test_persistent_429_stops_asking_and_keeps_what_came(server: YahooServer, cache_dir: Path) -> None:
    add(server, "A", "B", "C", "D")
    server.faults["B"] = always(TOO_MANY)
    with pytest.warns(DataWarning, match=r"(?s)3 of 4 tickers.*B: rate limited.*C, D: rate limited.*repeat"):
        prices = es.prices(["A", "B", "C", "D"], *SPAN)
    assert prices["close"].columns.tolist() == ["A"]
    assert outcome(prices)["status"].to_dict() == {
        "A": "ok",
        "B": "rate limited",
        "C": "rate limited",
        "D": "rate limited",
    }
    assert server.asked["C"] == server.asked["D"] == 0
    assert cached(cache_dir) == ["A"]
    # Repeated later, the call goes on where it stopped.
    del server.faults["B"]
    before = server.asked["A"]
    assert es.prices(["A", "B", "C", "D"], *SPAN)["close"].shape[1] == 4
    assert server.asked["A"] == before


def test_persistent_429_of_everything_is_an_error(server: YahooServer, cache_dir: Path) -> None:
    add(server, "A")
    server.faults["A"] = always(TOO_MANY)
    with pytest.raises(DataError, match=r"(?s)No prices came.*A: rate limited.*HTTP 429.*repeat the call"):
        es.prices("A", *SPAN)
    assert cached(cache_dir) == []


FAULTS: dict[str, tuple[Fault, str]] = {
    "malformed": (in_history((200, b'{"chart": oops')), "malformed (the answer is not JSON"),
    "malformed at once": (always((200, b"<html>")), "malformed (the answer is not JSON; it begins '<html>'"),
    "not a chart": (always(as_json([1, 2])), "malformed"),
    "null": (always(as_json({"chart": {"result": None, "error": None}})), "malformed"),
    "columns lacking": (
        in_history(
            as_json(
                {
                    "chart": {
                        "result": [
                            {
                                "meta": {
                                    "instrumentType": "EQUITY",
                                    "exchangeTimezoneName": "UTC",
                                    "currency": "",
                                },
                                "timestamp": [1],
                                "indicators": {"quote": [{"close": [1.0]}]},
                            }
                        ],
                        "error": None,
                    }
                }
            )
        ),
        "malformed (the answer lacks",
    ),
    "empty": (in_history(as_json({"chart": {"result": [], "error": None}})), "delisted? ("),
    "no prices in the span": (in_history(failed(NO_SPAN, 400)), "delisted? (Yahoo says: Data doesn't exist"),
    "delisted": (in_history(failed(NOT_FOUND, 404)), "delisted? (Yahoo says: No data found"),
    "unknown": (always(failed(NOT_FOUND, 404)), "missing ("),
    "error of the server": (
        in_history(failed({"code": "Internal Server Error", "description": "oops"}, 500)),
        "unavailable (Yahoo says: oops",
    ),
    "error page": (in_history((502, b"<html>Bad gateway")), "malformed (the answer is not JSON"),
    "down": (in_history((200, b"Will be right back")), "unavailable ("),
    "slow": (too_slow, "timeout ("),
    "429": (always(TOO_MANY), "rate limited ("),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_name_and_leaves_nothing_behind(
    name: str, server: YahooServer, cache_dir: Path
) -> None:
    fault, told = FAULTS[name]
    # Seconds that a busy machine needs for a good answer; only the slow ticker is to run into them.
    patience = 3.0 if name == "slow" else 30.0
    add(server, "GOOD", "BAD")
    server.faults["BAD"] = fault
    with pytest.raises(DataError) as alone:
        es.prices("BAD", *SPAN, timeout=patience, attempts=2)
    assert f"  BAD: {told}" in str(alone.value)
    assert cached(cache_dir) == []
    with pytest.warns(DataWarning) as caught:
        prices = es.prices(["GOOD", "BAD"], *SPAN, timeout=patience, attempts=1)
    (warning,) = caught
    assert "1 of 2 tickers" in str(warning.message)
    assert f"  BAD: {told}" in str(warning.message)
    assert warning.filename == __file__
    assert prices["close"].columns.tolist() == ["GOOD"]
    assert prices["close"].notna().all(axis=None)
    assert outcome(prices).at["BAD", "status"] == told.split(" (")[0]
    assert cached(cache_dir) == ["GOOD"]


def test_a_third_unknown_symbol_is_still_missing(server: YahooServer) -> None:
    # yfinance asks elsewhere for the time zone of the first two, and raises another error from then on.
    with pytest.raises(DataError) as raised:
        es.prices(["NOSUCH1", "NOSUCH2", "NOSUCH3"], *SPAN)
    assert str(raised.value).count(": missing (") >= 2
    for name in ("NOSUCH1", "NOSUCH2", "NOSUCH3"):
        assert name in str(raised.value)
    assert server.asked["NOSUCH1"] <= 4


def test_connection_refused(server: YahooServer, cache_dir: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.session.port = free.getsockname()[1]
    with pytest.raises(DataError, match=r"(?s)A: unreachable \(no connection.*B, C: unreachable \(not asked"):
        es.prices(["A", "B", "C"], *SPAN)
    assert cached(cache_dir) == []


def test_half_of_the_tickers_fail(server: YahooServer, cache_dir: Path) -> None:
    good, bad = ["A", "B", "C", "D"], ["GONE", "HTML", "SLOW", "NONE"]
    add(server, *good, "HTML", "SLOW", "NONE")
    server.faults |= {
        "HTML": always((200, b"<html>")),
        "SLOW": too_slow,
        "NONE": in_history(failed(NO_SPAN, 400)),
    }
    mixed = [name for pair in zip(bad, good, strict=True) for name in pair]
    with pytest.warns(DataWarning) as caught:
        prices = es.prices(mixed, *SPAN, timeout=3.0, attempts=2)
    text = str(caught[0].message)
    assert text.startswith("4 of 8 tickers")
    for name, status in zip(bad, ("missing", "malformed", "timeout", "delisted?"), strict=True):
        assert f"  {name}: {status} (" in text
        assert outcome(prices).at[name, "status"] == status
    assert prices["close"].columns.tolist() == good
    assert cached(cache_dir) == good


def test_a_share_listed_later_is_no_delisted_one(server: YahooServer) -> None:
    add(server, "NEW")
    with pytest.raises(DataError, match=r"NEW: not yet listed \(its first price is of 2019-01-01\)"):
        es.prices("NEW", "2018-01-01", "2018-12-31")


def test_the_cache_saves_requests_and_works_offline(server: YahooServer) -> None:
    add(server, "A")
    fresh = es.prices("A", *SPAN)
    asked = server.asked["A"]
    again = es.prices("A", *SPAN)
    offline = es.prices(["a", "A"], *SPAN, offline=True)
    part = es.prices("A", "2019-05-20", "2019-05-24", offline=True)
    assert server.asked["A"] == asked
    pd.testing.assert_frame_equal(again, fresh, check_exact=True)
    pd.testing.assert_frame_equal(offline, fresh, check_exact=True)
    pd.testing.assert_frame_equal(part, fresh.loc["2019-05-20":"2019-05-24"], check_exact=True)
    assert not outcome(fresh).at["A", "cached"]
    assert outcome(again).at["A", "cached"]
    assert outcome(again).at["A", "retrieved"] == outcome(fresh).at["A", "retrieved"]
    with pytest.raises(DataError, match=r"(?s)A: not cached.*offline=True"):
        es.prices("A", "2019-01-01", "2019-06-28", offline=True)
    with pytest.raises(DataError, match="not cached"):
        es.prices("A", *SPAN, adjustment="splits", offline=True)
    es.prices("A", *SPAN, max_age=0)
    assert server.asked["A"] > asked


def test_a_snapshot_of_prices_keeps_their_record(server: YahooServer, tmp_path: Path) -> None:
    add(server, "A")
    with pytest.warns(DataWarning):
        prices = es.prices(["A", "NOSUCH"], *SPAN)
    digest = es.sources.snapshot(prices, tmp_path / "p.npz")
    back = es.sources.load_snapshot(tmp_path / "p.npz", sha256=digest)
    pd.testing.assert_frame_equal(back, prices, check_exact=True)
    assert outcome(back).equals(outcome(prices))


def test_a_session_that_is_still_on_is_left_out_and_nothing_of_today_is_kept(
    server: YahooServer, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = pd.Timestamp.now("America/New_York")
    days = pd.DatetimeIndex(pd.date_range(end=now.tz_localize(None).normalize(), periods=10, freq="D"))
    stock = Stock("A", days, [100.0] * 10)
    # Yahoo's bars of today are stamped with the opening; here it was just after midnight.
    monkeypatch.setattr(stock, "stamp", lambda day: int(day.tz_localize("America/New_York").timestamp()))
    closes = [now + pd.Timedelta(minutes=5)]
    meta = stock.meta

    def with_close() -> dict[str, object]:
        out = meta()
        for period in out["currentTradingPeriod"].values():
            period["end"] = int(closes[0].timestamp())
        return out

    monkeypatch.setattr(stock, "meta", with_close)
    server.stocks["A"] = stock
    start = f"{days[0]:%Y-%m-%d}"
    tomorrow = f"{pd.Timestamp.now('UTC') + pd.Timedelta(days=1):%Y-%m-%d}"
    on = es.prices("A", start, tomorrow)
    assert closes[0].tz_localize(None).normalize() not in on.index
    assert len(on) >= 9
    closes[0] = now - pd.Timedelta(minutes=5)
    over = es.prices("A", start, tomorrow)
    assert closes[0].tz_localize(None).normalize() in over.index or closes[0].day != now.day
    assert cached(cache_dir) == []
    es.prices("A", start)
    assert cached(cache_dir) == ["A"]


def test_progress_is_silent_unless_asked_for(server: YahooServer, capsys: pytest.CaptureFixture[str]) -> None:
    add(server, "A", "B")
    es.prices(["A", "B"], *SPAN)
    assert capsys.readouterr() == ("", "")
    es.prices(["A", "B"], *SPAN, max_age=0, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Yahoo: 100%" in err


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([], *SPAN), {}, "No tickers"),
        ((["A", 5], *SPAN), {}, "got 5"),
        (("A", "2019-13-01"), {}, "start='2019-13-01' is no day"),
        (("A", "2019-05-01 10:00"), {}, "no day of an exchange"),
        (("A", None), {}, "no day"),
        (("A", "2019-06-01", "2019-05-01"), {}, "lies after end"),
        (("A", "2999-01-01", "2999-05-01"), {}, "no day"),
        (("A", "2200-01-01", "2200-05-01"), {}, "in the future"),
        (("A", *SPAN), {"adjustment": "total"}, "adjustment must be one of"),
        (("A", *SPAN), {"attempts": 0}, "must be positive"),
        (("A", *SPAN), {"max_age": -1}, "max_age"),
    ],
)
def test_requests_that_make_no_sense(arguments, options, message) -> None:
    with pytest.raises(RequestError, match=message):
        es.prices(*arguments, **options)


def test_a_frame_without_record() -> None:
    with pytest.raises(RequestError, match="no record"):
        outcome(es.datasets.surveillance_prices())


def test_pauses_grow_and_are_bounded(server: YahooServer, monkeypatch: pytest.MonkeyPatch) -> None:
    add(server, "A")
    server.faults["A"] = always(TOO_MANY)
    pauses: list[float] = []
    stamina.set_testing(False)
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    with pytest.raises(DataError, match="rate limited"):
        es.prices("A", *SPAN, attempts=7)
    assert len(pauses) == 6
    for pause, least in zip(pauses, (2, 4, 8, 16, 32, 60), strict=True):
        assert least <= pause <= min(least + 1, 60)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (type("HTTPError", (OSError,), {"response": type("R", (), {"status_code": 401})})(), "unavailable"),
        (type("HTTPError", (OSError,), {"response": type("R", (), {"status_code": 200})})(), "malformed"),
        (type("HTTPError", (OSError,), {"response": type("R", (), {"status_code": 429})})(), "rate limited"),
        (type("DNSError", (OSError,), {})("no such host"), "unreachable"),
        (type("ReadTimeout", (type("Timeout", (OSError,), {}),), {})(), "timeout"),
        (RuntimeError("surprise"), "failed"),
    ],
)
def test_errors_that_the_server_cannot_provoke(error: Exception, status: str) -> None:
    assert yahoo_faults.fault_of(error).status == status
