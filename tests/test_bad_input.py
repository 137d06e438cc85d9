"""Bad input, each kind with its own message: what is wrong, where, and what to do about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import (
    CalendarError,
    DataError,
    DataWarning,
    EventError,
    EventStudyError,
    ExcludedEventsWarning,
    ModelError,
    NaiveTimeError,
    NoUsableEventsError,
    RequestError,
    WindowError,
)

HIKVISION, DAHUA = "002415.SZ", "002236.SZ"
REPORT = {"security": HIKVISION, "date": "2019-05-22"}


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    return es.datasets.surveillance_prices()["close"]


@pytest.fixture(scope="module")
def market(close) -> es.Market:
    return es.Market.from_prices(close, benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def results(market) -> es.EventStudyResults:
    with pytest.warns(ExcludedEventsWarning):
        return fit(
            market,
            REPORT,
            {"security": DAHUA, "date": "2019-05-22"},
            {"security": "Huawei", "date": "2019-05-22"},
        )


def fit(market: es.Market, *events: dict, **options) -> es.EventStudyResults:
    return es.EventStudy(market, list(events), **({"estimation": (-270, -21)} | options)).fit()


def excluded_reason(market: es.Market, event: dict) -> str:
    """The reason for which an event beside a good one is left out, as warned of and as listed."""
    with pytest.warns(ExcludedEventsWarning, match="1 of 2 events cannot be used") as caught:
        found = fit(market, REPORT, event)
    assert found.timeline["security"].tolist() == [HIKVISION]
    excluded = found.excluded.loc[1]
    assert excluded["security"] == event["security"]
    assert excluded["reason"] in str(caught[0].message)
    with pytest.raises(NoUsableEventsError) as alone:
        fit(market, event)
    assert excluded["reason"] in str(alone.value)
    return excluded["reason"]


# Events that cannot be used are left out, with their reason; the study goes on.


@pytest.mark.parametrize(
    ("security", "told"),
    [
        ("002415.SS", ["no security '002415.SS'", "did you mean 002415.SZ"]),
        ("AAPL", ["no security 'AAPL' in the market (it has 000063.SZ, "]),
        ("0763.HK", ["no security '0763.HK' in the market"]),
    ],
)
def test_unknown_security(market, security, told):
    reason = excluded_reason(market, {"security": security, "date": "2019-05-22"})
    for part in told:
        assert part in reason
    assert "private" not in reason


@pytest.mark.parametrize(
    ("firm", "fact"),
    [
        ("Huawei", "Huawei is not listed"),
        ("Huawei Technologies Co., Ltd.", "Huawei is not listed"),
        ("DJI", "DJI is not listed"),
        ("SZ DJI Technology", "DJI is not listed"),
        ("ByteDance", "ByteDance is not listed"),
    ],
)
def test_a_private_firm_named_by_a_non_ticker(market, firm, fact):
    reason = excluded_reason(market, {"security": firm, "date": "2019-05-22"})
    assert reason.startswith(fact)
    assert "measure listed suppliers, customers or rivals instead" in reason


def test_a_firm_named_and_not_its_ticker(market):
    reason = excluded_reason(market, {"security": "Sensetime Group", "date": "2019-05-22"})
    assert "no security 'Sensetime Group'" in reason
    assert "give its ticker, or, if the firm is private, a listed supplier or rival" in reason


def test_event_before_the_data_starts(market):
    reason = excluded_reason(market, {"security": DAHUA, "date": "2016-05-23"})
    assert reason == "its session 2016-05-23 lies before the data starts (2017-04-05 to 2019-11-29)"


def test_event_after_the_data_ends(market):
    reason = excluded_reason(market, {"security": DAHUA, "date": "2020-05-22"})
    assert reason == "its session 2020-05-22 lies after the data ends (2017-04-05 to 2019-11-29)"


def test_no_estimation_observations(market):
    reason = excluded_reason(market, {"security": DAHUA, "date": "2017-04-20"})
    assert "only 11 sessions of data lie before 2017-04-20" in reason
    assert "(-270, -21) lies wholly before the data starts (2017-04-05)" in reason


def test_too_few_estimation_observations(market):
    reason = excluded_reason(market, {"security": DAHUA, "date": "2017-06-01"})
    assert reason == "only 17 usable estimation returns in (-270, -21), fewer than min_observations=30"


def test_a_security_without_any_price(close):
    market = es.Market.from_prices(close.assign(GHOST=np.nan), benchmark="399001.SZ")
    reason = excluded_reason(market, {"security": "GHOST", "date": "2019-05-22"})
    assert reason == "GHOST has no return on 2019-05-22 or on any session after it"


def test_a_price_that_never_moves(close):
    market = es.Market.from_prices(close.assign(STALE=5.0), benchmark="399001.SZ")
    reason = excluded_reason(market, {"security": "STALE", "date": "2019-05-22"})
    assert reason.startswith("its returns do not vary over the estimation window")


def test_an_event_of_the_benchmark_itself(market):
    reason = excluded_reason(market, {"security": "399001.SZ", "date": "2019-05-22"})
    assert "or not apart from the benchmark" in reason


def test_no_benchmark_for_one_security(close):
    market = es.Market.from_prices(close, benchmark={HIKVISION: "399001.SZ"})
    reason = excluded_reason(market, {"security": DAHUA, "date": "2019-05-22"})
    assert reason == "no benchmark is given for 002236.SZ"


def test_a_benchmark_that_never_moves(close):
    market = es.Market.from_prices(close.assign(FLAT=7.0), benchmark={HIKVISION: "399001.SZ", DAHUA: "FLAT"})
    reason = excluded_reason(market, {"security": DAHUA, "date": "2019-05-22"})
    assert "regressors are collinear" in reason


def test_a_benchmark_that_ends_before_the_event(close):
    ended = close["399001.SZ"].where(close.index < "2019-05-01")
    market = es.Market.from_prices(close, benchmark={HIKVISION: "399001.SZ", DAHUA: ended.rename("ended")})
    reason = excluded_reason(market, {"security": DAHUA, "date": "2019-05-22"})
    assert reason == "no abnormal return can be computed on any day of the event window"


# What is wrong with the whole study is an error.


def test_benchmark_missing(close):
    with pytest.raises(
        DataError, match=r"Benchmark '399001.SH' is not a column of the data. Did you mean 399001.SZ"
    ):
        es.Market.from_prices(close, benchmark="399001.SH")
    with pytest.raises(ModelError, match=r"Market model \(OLS\) needs a benchmark.*benchmark='399001.SZ'"):
        fit(es.Market.from_prices(close), REPORT)


def test_overlapping_windows(market):
    told = r"estimation window \(-270, -5\) overlaps the event window \(-10, \+10\).*End it by -11, e.g."
    with pytest.raises(WindowError, match=told):
        fit(market, REPORT, estimation=(-270, -5))


def test_duplicated_dates(close):
    twice = pd.concat([close, close.loc[["2019-05-22"]]])
    with pytest.raises(DataError, match=r"the date 2019-05-22 stands 2 times.*duplicated\(keep='last'\)"):
        es.Market.from_prices(twice)


def test_duplicated_rows_of_a_long_frame(close):
    rows = (
        close.rename_axis("date", columns="security").reset_index().melt(id_vars="date", value_name="close")
    )
    again = (rows["security"] == HIKVISION) & (rows["date"] == pd.Timestamp("2019-05-22"))
    twice = pd.concat([rows, rows[again]])
    with pytest.raises(DataError, match=r"002415.SZ has more than one row for 2019-05-22.*drop_duplicates"):
        es.Market.from_prices(twice)


def test_unsorted_dates(close, market):
    with pytest.warns(DataWarning, match=r"out of order \(2019-11-28 comes after 2019-11-29\); sorted by"):
        backwards = es.Market.from_prices(close.iloc[::-1], benchmark="399001.SZ")
    pd.testing.assert_frame_equal(backwards.returns, market.returns, check_freq=False)


@pytest.mark.parametrize(("price", "shown"), [(-26.07, "-26.07"), (0.0, "0")])
def test_negative_or_zero_prices(close, price, shown):
    spoiled = close.copy()
    spoiled.loc["2019-05-22", HIKVISION] = price
    told = f"must be positive.*: 002415.SZ is {shown} on 2019-05-22. Mend the data, or pass bad_prices="
    with pytest.raises(DataError, match=told):
        es.Market.from_prices(spoiled)
    with pytest.warns(DataWarning, match=f"taken for missing: 002415.SZ is {shown} on 2019-05-22"):
        market = es.Market.from_prices(spoiled, bad_prices="missing")
    assert (
        market.returns[HIKVISION].isna().sum()
        == es.Market.from_prices(close).returns[HIKVISION].isna().sum() + 1
    )


def test_a_naive_time():
    told = r"Event 0 \(002415.SZ\): announced_at '2019-05-21 19:00' has no time zone.*America/New_York"
    with pytest.raises(NaiveTimeError, match=told):
        es.Events([{"security": HIKVISION, "announced_at": "2019-05-21 19:00"}])


def test_a_time_without_an_exchange_calendar(close):
    market = es.Market.from_prices(close, benchmark="399001.SZ")
    with pytest.raises(
        CalendarError, match=r"has no exchange calendar.*calendar='XSHG'.*or give a date instead"
    ):
        fit(market, {"security": HIKVISION, "announced_at": "2019-05-21 19:00-04:00"})


def test_an_unknown_calendar(close):
    with pytest.raises(CalendarError, match=r"Unknown exchange calendar 'SZSE'.*'XSHG'"):
        es.Market.from_prices(close, calendar="SZSE")


def test_an_index_with_a_hole(close):
    holed = close.set_axis(close.index.where(close.index != pd.Timestamp("2019-05-22")))
    with pytest.raises(DataError, match=r"row 519 has no date \(NaT\). Drop or mend it"):
        es.Market.from_prices(holed)


def test_a_column_of_text(close):
    with pytest.raises(DataError, match=r"column 'status' holds 'suspended', not numbers.*pd.to_numeric"):
        es.Market.from_prices(close.assign(status="suspended"))
    comma = es.Market.from_prices(close.assign(**{HIKVISION: "26,07"}))
    assert comma.prices("close")[HIKVISION].eq(26.07).all()


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame(index=pd.DatetimeIndex(["2019-05-22"]))])
def test_an_empty_frame(frame):
    with pytest.raises(DataError, match="the frame is empty"):
        es.Market.from_prices(frame)
    with pytest.raises(DataError, match="the frame is empty"):
        es.Market(frame)
    with pytest.raises(EventError, match="No events: the list is empty"):
        es.Events(pd.DataFrame(columns=["security", "date"]))


def test_returns_that_look_like_percent(close):
    returns = 100 * close.pct_change(fill_method=None)
    day = returns.index[(returns[HIKVISION] <= -1).argmax()]
    told = rf"002415.SZ is -[\d.]+ on {day:%Y-%m-%d}; .* Are these percent\? Divide by 100"
    with pytest.raises(DataError, match=told):
        es.Market(returns[[HIKVISION]])


def test_a_class_in_place_of_a_model(market):
    with pytest.raises(
        ModelError, match=r"model is the class MarketModel; pass an instance: MarketModel\(\)"
    ):
        fit(market, REPORT, model=es.MarketModel)


def test_an_event_that_stands_twice():
    with pytest.raises(EventError, match=r"Event 1 \(002415.SZ\) is a duplicate.*weigh double. Drop one"):
        es.Events([REPORT, REPORT])


def test_an_id_that_stands_twice():
    events = [{"event_id": "nyt", **REPORT}, {"event_id": "nyt", "security": DAHUA, "date": "2019-05-22"}]
    with pytest.raises(EventError, match=r"event_id 'nyt' stands more than once.*an id may not"):
        es.Events(events)


# What is asked of results that they do not have.


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda r: r.car(0, 11),
            r"window \(0, \+11\) reaches outside the event window \(-10, \+10\).*window=\(-10, 11\)",
        ),
        (lambda r: r.caar(-11, 0), r"window \(-11, 0\) reaches outside.*window=\(-11, 10\)"),
        (lambda r: r.test(0, 11), "reaches outside the event window"),
        (lambda r: r.summary(0, 11), "reaches outside the event window"),
        (lambda r: r.recommended(0, 11), "reaches outside the event window"),
        (lambda r: r.car(end=1), r"ends at 1 but has no start: give both, as in \(0, 1\)"),
        (lambda r: r.summary(end=1), "ends at 1 but has no start"),
        (lambda r: r.car(0, 1, level=95), "between 0 and 1; got 95"),
        (lambda r: r.aar(level=0), "between 0 and 1; got 0"),
        (lambda r: r.regression(), "There are 2 events: name one with event=, by its id: 0, 1"),
        (lambda r: r.regression(7), "No event 7; the ids are 0, 1"),
        (lambda r: r.decomposition(event="ZTE"), "No event 'ZTE'; the ids are 0, 1"),
        (lambda r: r.regression(2), "Event 2 was excluded: Huawei is not listed"),
        (lambda r: r.regression("Huawei"), "Huawei has no usable event: Huawei is not listed"),
        (
            lambda r: r.decomposition(event=0),
            "002415.SZ on 2019-05-22 has no open, low, high, so it cannot be decomposed",
        ),
        (lambda r: r.decomposition(500, event=0), r"Relative day \+500 of 002415.SZ lies outside the data"),
        (lambda r: r.test(0, 1, tests="bmpp"), "no test 'bmpp'. Did you mean 'bmp'"),
        (lambda r: r.test(0, 1, alternative="lower"), "alternative must be one of.*got 'lower'"),
        (lambda r: r.caar(0, 1, test="sign"), "'sign' gives no standard error of the mean; choose one of"),
    ],
)
def test_requests_that_cannot_be_met(results, ask, message):
    with pytest.raises(RequestError, match=message) as caught:
        ask(results)
    assert isinstance(caught.value, EventStudyError)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.car(1, 0), "ends before it starts"),
        (lambda r: r.car(0, 0.5), "end must be a whole number of sessions"),
        (lambda r: r.car((0, 1), 2), "not both"),
        (lambda r: r.car("all"), "pair|whole number"),
    ],
)
def test_windows_that_are_none(results, ask, message):
    with pytest.raises(WindowError, match=message):
        ask(results)


@pytest.mark.parametrize("size", [0, -5, 2.5, "many"])
def test_chunk_size_that_is_no_number_of_events(market, size):
    study = es.EventStudy(market, [REPORT], estimation=(-270, -21))
    with pytest.raises(RequestError, match=f"chunk_size must be a positive number of events.* got {size!r}"):
        study.fit(chunk_size=size)
