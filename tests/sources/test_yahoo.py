from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stamina
import yfinance
from yahoo_server import (
    CLOSED,
    NO_SPAN,
    NOT_FOUND,
    TOO_MANY,
    Answer,
    Fault,
    Stock,
    YahooServer,
    as_json,
    failed,
)

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError
from eventstudy.sources import outcome, yahoo, yahoo_faults, yahoo_history

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
    "not a chart": (always(as_json([1, 2])), "unavailable (Yahoo answered without a chart"),
    "null": (
        always(as_json({"chart": {"result": None, "error": None}})),
        "unavailable (Yahoo answered with an empty chart",
    ),
    "columns lacking": (
        in_history(
            as_json(
                {
                    "chart": {
                        "result": [
                            {
                                "meta": {
                                    "symbol": "BAD",
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
    "empty": (in_history(as_json({"chart": {"result": [], "error": None}})), "unavailable ("),
    "no prices in the span": (in_history(failed(NO_SPAN, 400)), "delisted? (Yahoo says: Data doesn't exist"),
    "delisted": (in_history(failed(NOT_FOUND, 404)), "delisted? (Yahoo says: No data found"),
    "unknown": (always(failed(NOT_FOUND, 404)), "missing ("),
    "error of the server": (
        in_history(failed({"code": "Internal Server Error", "description": "oops"}, 500)),
        "unavailable (Yahoo says: oops",
    ),
    "error page": (
        in_history((502, b"<html>Bad gateway")),
        "unavailable (Yahoo answered with an error (HTTP 502)",
    ),
    "down": (in_history((200, b"Will be right back")), "unavailable ("),
    "slow": (too_slow, "timeout ("),
    "429": (always(TOO_MANY), "rate limited ("),
}


@pytest.mark.quick(every=4)
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
    with pytest.raises(DataError) as raised:
        es.prices(["NOSUCH1", "NOSUCH2", "NOSUCH3"], *SPAN)
    assert "NOSUCH1, NOSUCH2, NOSUCH3: missing (Yahoo says: No data found" in str(raised.value)
    assert server.asked["NOSUCH1"] <= 4


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_connection_refused(server: YahooServer, cache_dir: Path) -> None:
    server.session.port = closed_port()
    with pytest.raises(DataError) as raised:
        es.prices(["A", "B", "C"], *SPAN)
    told = str(raised.value)
    assert told.startswith("There is no connection to Yahoo, so there are no prices of A, B, C for ")
    assert "eventstudy.sources.read_prices(path)" in told
    assert "\n" not in told
    assert cached(cache_dir) == []


def test_without_a_connection_it_fails_soon_and_says_nothing_else(
    server: YahooServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.session.port = closed_port()
    logging.getLogger("yfinance").addHandler(noisy := logging.StreamHandler(sys.stderr))
    began = time.monotonic()
    try:
        # In earnest: with all pauses.
        with stamina.set_testing(False), pytest.raises(DataError, match="no connection"):
            es.prices(["A", "B", "C"], *SPAN)
    finally:
        logging.getLogger("yfinance").removeHandler(noisy)
    assert time.monotonic() - began < 5
    out, err = capfd.readouterr()
    assert out + err == ""
    assert not logging.getLogger("yfinance").disabled


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
        (("A", "2019-13-01"), {}, "start='2019-13-01' is not a day"),
        (("A", "2019-05-01 10:00"), {}, "not a day of an exchange"),
        (("A", None), {}, "not a day"),
        (("A#B", *SPAN), {}, "'A#B' is not a symbol .*BRK-B"),
        (("A?x=1", *SPAN), {}, "is not a symbol"),
        (("../A", *SPAN), {}, "is not a symbol"),
        (("A\nB", *SPAN), {}, "is not a symbol"),
        (("A%23", *SPAN), {}, "is not a symbol"),
        (("..", *SPAN), {}, "is not a symbol"),
        ((["GOOD", "US0378331005"], *SPAN), {}, "US0378331005 is an ISIN"),
        (("A", "2019-06-01", "2019-05-01"), {}, "lies after end"),
        (("A", "2999-01-01", "2999-05-01"), {}, "not a day"),
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


def raw(result: object, error: object = None, **meta: object) -> object:
    return {"chart": {"result": result, "error": error}} | meta


def said(code: str, description: str) -> object:
    return raw(None, {"code": code, "description": description})


OTHER = {"meta": {"symbol": "META", "exchangeTimezoneName": "America/New_York", "currency": "USD"}}
NOWHERE = {"meta": {"symbol": "BAD", "exchangeTimezoneName": "Mars/Olympus", "currency": "USD"}}
NAMELESS = {"meta": {"exchangeTimezoneName": "America/New_York", "currency": "USD"}}
#: Body → what is told of it with HTTP 200, and with an error's status.
BODIES: dict[str, tuple[bytes, str, str]] = {
    name: (content if isinstance(content, bytes) else json.dumps(content).encode(), well, ill)
    for name, (content, well, ill) in {
        "html": (b"<html>oops</html>", "malformed", "unavailable"),
        "nothing": (b"", "malformed", "unavailable"),
        "cut": (b'{"chart": {"result"', "malformed", "unavailable"),
        "deep": (b"[" * 100_000, "malformed", "unavailable"),
        "down": (b"Will be right back...", "unavailable", "unavailable"),
        "null": (None, "unavailable", "unavailable"),
        "empty": ({}, "unavailable", "unavailable"),
        "list": ([], "unavailable", "unavailable"),
        "chart null": ({"chart": None}, "unavailable", "unavailable"),
        "result null": (raw(None), "unavailable", "unavailable"),
        "result empty": (raw([]), "unavailable", "unavailable"),
        "crumb": (
            {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}},
            "unavailable",
            "unavailable",
        ),
        "internal": (said("Internal Server Error", "oops"), "unavailable", "unavailable"),
        "unauthorized": (said("Unauthorized", "Invalid Crumb"), "unavailable", "unavailable"),
        "renamed": (raw([OTHER]), "missing", "unavailable"),
        "nowhere": (raw([NOWHERE]), "malformed", "unavailable"),
        "nameless": (raw([NAMELESS]), "malformed", "unavailable"),
        "not found": (raw(None, NOT_FOUND), "missing", "missing"),
        "no span": (raw(None, NO_SPAN), "delisted?", "delisted?"),
    }.items()
}
STATUSES = (200, 400, 401, 403, 404, 429, 500, 502, 503, 504, 999)
ANSWERS = {"missing", "delisted?"}


@pytest.mark.quick(every=12)
@pytest.mark.parametrize("body", BODIES)
def test_an_answer_is_told_from_the_absence_of_one(body: str, server: YahooServer) -> None:
    content, well, ill = BODIES[body]
    for status in STATUSES:
        name = f"BAD{status}"
        add(server, name)
        mended = content.replace(b'"BAD"', f'"{name}"'.encode())
        server.faults[name] = always((status, mended))
        told = "rate limited" if status == 429 else well if status < 400 else ill
        with pytest.raises(DataError) as raised:
            es.prices(name, *SPAN, attempts=2)
        assert f"  {name}: {told} (" in str(raised.value), (status, str(raised.value))
        # yfinance asks twice where the status is an error's; the loop around it asks again, or not.
        once = 1 if status < 400 else 2
        assert server.asked[name] == once * (1 if told in ANSWERS else 2), status
        # A moment later there are prices, unless what came was an answer.
        if status not in (200, 401):
            continue
        server.faults[name] = first_times(once, (status, mended))
        if told in ANSWERS:
            with pytest.raises(DataError):
                es.prices(name, *SPAN)
        else:
            assert es.prices(name, *SPAN)["close", name].notna().all()


@pytest.mark.quick("500")
@pytest.mark.parametrize("status", [401, 500])
def test_a_history_refused_after_the_symbol_was_known_is_not_delisted(
    status: int, server: YahooServer
) -> None:
    add(server, "BAD")
    for body in ("crumb", "empty", "null", "result null"):
        server.faults["BAD"] = in_history((status, BODIES[body][0]))
        with pytest.raises(DataError, match="BAD: unavailable"):
            es.prices("BAD", *SPAN)


def test_a_renamed_symbol_is_told(server: YahooServer, cache_dir: Path) -> None:
    server.stocks["FB"] = Stock("META", DAYS, TRADED)
    with pytest.raises(DataError, match=r"FB: missing .*Yahoo answers for META; if that is"):
        es.prices("FB", *SPAN)
    assert cached(cache_dir) == []


def test_symbols_with_signs_of_addresses_are_asked_for_as_they_are(server: YahooServer) -> None:
    for name in ("M&M.NS", "^GSPC", "EURUSD=X", "BRK-B"):
        add(server, name)
        assert es.prices(name, *SPAN)["close", name].notna().all()


@pytest.mark.slow
def test_one_closed_connection_says_nothing_of_other_tickers(server: YahooServer) -> None:
    add(server, "A", "B", "C")
    server.faults["A"] = lambda *_: CLOSED
    with pytest.warns(DataWarning, match=r"1 of 3 tickers.*\n  A: (unreachable|unavailable|malformed) \("):
        prices = es.prices(["A", "B", "C"], *SPAN)
    assert prices["close"].columns.tolist() == ["B", "C"]
    closed = [3]

    def fifty(*_: object) -> Answer | None:
        closed[0] -= 1
        return CLOSED if closed[0] >= 0 else None

    names = [f"N{i}" for i in range(50)]
    add(server, *names)
    server.faults["N0"] = fifty
    frame = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = es.prices(names, *SPAN)
    assert frame["close"].shape[1] >= 49
    assert not any("delisted" in str(one.message) for one in caught)


SPLIT_DAYS = {"2019-05-25": "a Saturday", "2019-05-22": "a day that Yahoo lost"}


@pytest.mark.parametrize("when", SPLIT_DAYS)
def test_a_split_of_a_day_without_row(when: str, server: YahooServer) -> None:
    days = DAYS.drop([pd.Timestamp(when)], errors="ignore")
    traded = [200.0 if day < pd.Timestamp(when) else 100.0 for day in days]
    server.stocks["A"] = Stock("A", days, traded, splits={when: 2.0})
    prices = es.prices("A", *SPAN)
    expected = pd.Series(traded, days).loc[SPAN[0] : SPAN[1]]
    np.testing.assert_allclose(prices["close", "A"], expected)
    after = days[days > pd.Timestamp(when)][0]
    assert prices["splits", "A"][lambda s: s != 0].to_dict() == {after: 2.0}
    assert (prices["volume", "A"] == 1000).all()


def test_gains_of_a_fund_and_dividends_are_taken_back_alike(server: YahooServer) -> None:
    splits = {"2019-06-03": 2.0}
    stock = Stock("FUND", DAYS, TRADED, {"2019-05-24": 2.0}, splits, gains={"2019-05-24": 2.0})
    server.stocks["FUND"] = stock
    traded = es.prices("FUND", *SPAN).xs("FUND", axis=1, level="security")
    shown = es.prices("FUND", *SPAN, adjustment="splits").xs("FUND", axis=1, level="security")
    for field in ("dividends", "capital_gains"):
        assert traded[field][lambda s: s != 0].to_dict() == {pd.Timestamp("2019-05-24"): 2.0}
        assert shown[field].sum() == 1.0


def test_a_dividend_of_a_day_without_row_is_paid_on_the_next(server: YahooServer) -> None:
    days = DAYS.drop([pd.Timestamp("2019-05-22")])
    server.stocks["A"] = Stock("A", days, [100.0] * len(days), {"2019-05-22": 2.0})
    paid = es.prices("A", *SPAN)["dividends", "A"]
    assert paid[paid != 0].to_dict() == {pd.Timestamp("2019-05-23"): 2.0}


@pytest.mark.parametrize(
    ("ticker", "stated", "amount", "kept", "currency"),
    [
        ("VOD.L", "GBP", 0.045, 4.5, "GBp"),
        ("VOD.L", "GBp", 4.5, 4.5, "GBp"),
        ("VOD.L", None, 4.5, 4.5, "GBp"),
        ("A", "USD", 0.5, 0.5, "USD"),
        ("0763.HK", "CNY", 0.5, 0.5, "CNY"),
    ],
)
def test_dividends_are_in_the_unit_of_the_closes(
    server: YahooServer, ticker: str, stated: str | None, amount: float, kept: float, currency: str
) -> None:
    server.stocks[ticker] = Stock(ticker, DAYS, TRADED, {"2019-05-24": amount}, paid_in=stated)
    prices = es.prices(ticker, *SPAN)
    assert prices.at[pd.Timestamp("2019-05-24"), ("dividends", ticker)] == pytest.approx(kept)
    assert outcome(prices).at[ticker, "dividend_currency"] == currency
    assert outcome(prices).at[ticker, "currency"] == currency


def test_dividends_in_another_currency_are_told(server: YahooServer) -> None:
    server.stocks["A"] = Stock("A", DAYS, TRADED, {"2019-05-24": 1.0}, paid_in="EUR")
    for _ in range(2):  # from the cache too
        with pytest.warns(DataWarning, match="A: dividends in EUR, prices in USD"):
            prices = es.prices("A", *SPAN)
        assert outcome(prices).at["A", "dividend_currency"] == "EUR"


def test_a_late_bar_heals(server: YahooServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yahoo, "_today", lambda: pd.Timestamp("2019-05-25"))
    hours = iter(["2019-05-25T01:00:00+00:00", "2019-05-25T09:00:00+00:00"])
    monkeypatch.setattr(yahoo_history, "_now", lambda: pd.Timestamp(next(hours)).to_pydatetime())
    server.stocks["A"] = Stock("A", DAYS[DAYS < "2019-05-24"], TRADED[: sum(DAYS < "2019-05-24")])
    assert es.prices("A", "2019-05-01", "2019-05-24").index[-1] == pd.Timestamp("2019-05-23")
    add(server, "A")
    late = es.prices("A", "2019-05-01", "2019-05-24")
    assert late.index[-1] == pd.Timestamp("2019-05-24")
    asked = server.asked["A"]
    assert es.prices("A", "2019-05-01", "2019-05-24").equals(late)
    assert server.asked["A"] == asked


def test_a_cached_span_without_a_close(server: YahooServer) -> None:
    stock = Stock("A", DAYS, TRADED, {"2019-05-22": 1.0})
    stock.without_close = {"2019-05-21", "2019-05-22", "2019-05-23"}
    server.stocks["A"] = stock
    assert es.prices("A", *SPAN)["close", "A"].notna().any()
    for offline in (False, True):
        with pytest.raises(DataError, match=r"A: delisted\?"):
            es.prices("A", "2019-05-21", "2019-05-23", offline=offline)


def test_threads_that_fetch_leave_yfinance_as_it_was(server: YahooServer) -> None:
    names = [f"N{i}" for i in range(8)]
    add(server, *names[::2])
    filters = list(warnings.filters)

    def fetch(name: str) -> str:
        try:
            es.prices(name, *SPAN)
        except DataError as error:
            return str(error)
        return "ok"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(fetch, names))
    assert told[::2] == ["ok"] * 4
    assert all("missing (Yahoo says" in one for one in told[1::2])
    assert yfinance.config.debug.hide_exceptions is True
    assert warnings.filters == filters


@pytest.mark.slow
def test_retries_are_silent_where_no_logging_is_set_up() -> None:
    code = "import eventstudy as es, logging; es.prices; logging.getLogger('stamina').warning('again')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
