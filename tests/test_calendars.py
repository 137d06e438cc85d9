"""Exchange calendars: which session could first react to an announcement."""

from __future__ import annotations

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.calendars import Exchange, exchange_of
from eventstudy.errors import CalendarError

# exchange_calendars 4.13 calls .weekday when it makes Hong Kong's holidays; pandas 3.1 deprecates it.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday is deprecated")


def react(code: str, *times: str):
    return Exchange(code).reaction(pd.DatetimeIndex([pd.Timestamp(t).tz_convert("UTC") for t in times]))


@pytest.mark.parametrize(
    ("code", "time", "session"),
    [
        # An evening in New York is the morning after in China, and after the close in New York.
        ("XSHG", "2019-05-21 19:00-04:00", "2019-05-22"),
        ("XHKG", "2019-05-21 19:00-04:00", "2019-05-22"),
        ("XNYS", "2019-05-21 19:00-04:00", "2019-05-22"),
        ("XNYS", "2019-05-21 15:59-04:00", "2019-05-21"),
        ("XSHG", "2019-05-21 15:59-04:00", "2019-05-22"),
        # Before the open, in the lunch break, to the second of the close.
        ("XSHG", "2019-05-22 06:00+08:00", "2019-05-22"),
        ("XSHG", "2019-05-22 12:15+08:00", "2019-05-22"),
        ("XHKG", "2019-05-22 12:30+08:00", "2019-05-22"),
        ("XSHG", "2019-05-22 14:59:59+08:00", "2019-05-22"),
        ("XSHG", "2019-05-22 15:00:00+08:00", "2019-05-23"),
        # Hong Kong closes an hour after Shenzhen.
        ("XHKG", "2019-05-22 15:30+08:00", "2019-05-22"),
        # A short session before Thanksgiving's weekend.
        ("XNYS", "2019-11-29 12:59-05:00", "2019-11-29"),
        ("XNYS", "2019-11-29 13:00-05:00", "2019-12-02"),
        # The close in New York is an hour earlier by UTC once its clocks have changed.
        ("XNYS", "2019-03-08 20:59Z", "2019-03-08"),
        ("XNYS", "2019-03-08 21:00Z", "2019-03-11"),
        ("XNYS", "2019-03-11 19:59Z", "2019-03-11"),
        ("XNYS", "2019-03-11 20:00Z", "2019-03-12"),
    ],
)
def test_first_session_whose_close_is_later(code, time, session):
    assert str(react(code, time).session[0]) == session


@pytest.mark.parametrize(
    ("time", "session", "previous", "closed"),
    [
        ("2019-05-22 10:00+08:00", "2019-05-22", "2019-05-21", 0),
        ("2019-05-24 20:00+08:00", "2019-05-27", "2019-05-24", 2),
        ("2019-05-25 09:00+08:00", "2019-05-27", "2019-05-24", 2),
        ("2019-09-30 15:30+08:00", "2019-10-08", "2019-09-30", 7),
        ("2019-10-03 12:00+08:00", "2019-10-08", "2019-09-30", 7),
        ("2019-10-07 17:00-04:00", "2019-10-08", "2019-09-30", 7),
        ("2019-02-02 12:00+08:00", "2019-02-11", "2019-02-01", 9),
    ],
)
def test_days_without_a_session_are_counted(time, session, previous, closed):
    reaction = react("XSHG", time)
    assert str(reaction.session[0]) == session
    assert str(reaction.previous[0]) == previous
    assert reaction.closed_days[0] == closed


def test_many_announcements_keep_their_order():
    times = ["2019-10-07 17:00-04:00", "2018-04-16 09:00-04:00", "2019-05-21 19:00-04:00"]
    together = react("XSHG", *times)
    alone = [str(react("XSHG", t).session[0]) for t in times]
    assert together.session.astype(str).tolist() == alone == ["2019-10-08", "2018-04-17", "2019-05-22"]


def test_shenzhen_has_the_sessions_of_shanghai():
    span = pd.Timestamp("2018-01-01"), pd.Timestamp("2019-12-31")
    assert Exchange("xshe").name == "XSHG"
    assert Exchange("XSHE").sessions(*span).equals(Exchange("XSHG").sessions(*span))
    assert Exchange("XSHE").timezone == "Asia/Shanghai"
    assert Exchange("XNYS").timezone == "America/New_York"


def test_sessions_are_plain_days_between_the_two_given():
    sessions = Exchange("XSHG").sessions(pd.Timestamp("2019-09-28"), pd.Timestamp("2019-10-09"))
    assert sessions.tz is None
    assert sessions.dtype == "datetime64[ns]"
    assert sessions.strftime("%m-%d").tolist() == ["09-30", "10-08", "10-09"]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 365 * 24 * 60 - 1), min_size=1, max_size=5),
    st.sampled_from(["XSHG", "XNYS", "XHKG"]),
)
def test_against_a_plain_search_of_the_closes(minutes, code):
    times = pd.DatetimeIndex(pd.Timestamp("2019-01-01") + pd.to_timedelta(minutes, "min")).tz_localize("UTC")
    table = exchange_calendars.get_calendar(code, start="2018-12-01", end="2020-01-31").schedule
    reaction = Exchange(code).reaction(times)
    for moment, session, previous, closed in zip(
        times, reaction.session, reaction.previous, reaction.closed_days, strict=True
    ):
        later = [day for day, close in table["close"].items() if close > moment]
        before = [day for day, close in table["close"].items() if close <= moment]
        assert pd.Timestamp(session) == later[0]
        assert pd.Timestamp(previous) == before[-1]
        assert closed == (later[0] - before[-1]).days - 1


def test_unknown_exchange():
    with pytest.raises(CalendarError, match=r"Unknown exchange calendar 'NOPE'.*'XSHG' \(Shanghai"):
        Exchange("nope").sessions(pd.Timestamp("2019-01-01"), pd.Timestamp("2019-02-01"))


@pytest.mark.parametrize("year", [1900, 2200])
def test_a_calendar_that_does_not_reach(year):
    first, last = pd.Timestamp(f"{year}-03-01"), pd.Timestamp(f"{year}-04-01")
    with pytest.raises(
        CalendarError, match=f"'XSHG' knows the sessions from 1990.*does not reach from {year}"
    ):
        Exchange("XSHG").sessions(first, last)
    with pytest.raises(CalendarError, match="'XSHG'"):
        react("XSHG", f"{year}-03-05 12:00Z")


def test_the_end_of_the_calendar():
    last = exchange_calendars.get_calendar("XSHG").bound_max()
    if last is None:
        pytest.skip("this exchange_calendars does not bound XSHG")
    late = str((last - pd.Timedelta(days=3)).date())
    assert react("XSHG", f"{late} 01:00Z").session[0] >= np.datetime64(late)
    with pytest.raises(CalendarError, match=r"'XSHG' knows sessions from .* only; the announcement of"):
        react("XSHG", f"{last.date()} 23:00Z")


def test_hong_kong_had_no_session_in_two_storms(shared_data):
    """exchange_calendars takes 1 and 8 September 2023 for sessions; the Hang Seng Index has no close."""
    panel = pd.read_parquet(shared_data / "panels" / "indices_daily_2015on.parquet")
    traded = pd.DatetimeIndex(panel.loc[panel["index"] == "HANG_SENG_HSI", "date"]).as_unit("ns")
    sessions = Exchange("XHKG").sessions(traded[0], traded[-1])
    assert sessions.equals(traded.sort_values())


def test_news_of_a_stormy_day_meets_the_next_session():
    news = pd.DatetimeIndex(["2023-09-01 10:00+08:00", "2023-09-08 10:00+08:00"]).tz_convert("UTC")
    reaction = Exchange("XHKG").reaction(news)
    assert reaction.session.astype(str).tolist() == ["2023-09-04", "2023-09-11"]
    assert reaction.previous.astype(str).tolist() == ["2023-08-31", "2023-09-07"]
    assert reaction.closed_days.tolist() == [3, 3]
    traded = Exchange("XHKG", extra=["2023-09-01"]).reaction(news)
    assert traded.session.astype(str).tolist() == ["2023-09-01", "2023-09-11"]


@pytest.mark.parametrize(
    ("code", "time", "session"),
    [
        ("XTAI", "2024-10-31 10:00+08:00", "2024-11-01"),
        ("XSHG", "2016-01-04 13:32+08:00", "2016-01-04"),
        ("XSHG", "2016-01-04 14:00+08:00", "2016-01-05"),
        ("XSHE", "2016-01-07 11:00+08:00", "2016-01-08"),
        ("XHKG", "2022-11-02 14:30+08:00", "2022-11-03"),
    ],
)
def test_sessions_that_storms_and_circuit_breakers_ended(code, time, session):
    assert str(react(code, time).session[0]) == session


def test_hours_of_sessions_that_ended_early():
    hours = Exchange("XSHG").hours(pd.Timestamp("2016-01-04"), pd.Timestamp("2016-01-07"))
    told = hours.loc["2016-01-07"].dt.strftime("%H:%M")
    assert told["open"] == "09:30"
    assert told["close"] == "09:59"
    assert told[["break_start", "break_end"]].isna().all()
    assert hours.loc["2016-01-04"].dt.strftime("%H:%M").tolist() == ["09:30", "11:30", "13:00", "13:33"]
    extra = Exchange("XSHG", extra=["2019-05-25"], closes={"2019-05-24": "11:30"})
    hours = extra.hours(pd.Timestamp("2019-05-24"), pd.Timestamp("2019-05-25"))
    assert hours["close"].dt.strftime("%d %H:%M").tolist() == ["24 11:30", "25 15:00"]
    assert hours["break_end"].isna().tolist() == [True, False]


def test_what_is_known_better_than_the_calendar():
    mended = Exchange(
        "XSHG",
        closed=["2019-05-22"],
        extra=["2019-05-25"],
        closes={"2019-05-23": "11:30", "2019-05-26": "12:00"},
    )
    week = pd.Timestamp("2019-05-21"), pd.Timestamp("2019-05-27")
    assert mended.sessions(*week).strftime("%d").tolist() == ["21", "23", "24", "25", "26", "27"]
    schedule = mended.schedule(*week)
    local = schedule.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai").dt.strftime("%d %H:%M")
    assert local["2019-05-23":"2019-05-26"].tolist() == ["23 11:30", "24 15:00", "25 15:00", "26 12:00"]
    times = ["2019-05-22 10:00", "2019-05-23 11:29", "2019-05-23 11:30", "2019-05-26 12:01"]
    reaction = mended.reaction(pd.DatetimeIndex(times, tz="Asia/Shanghai").tz_convert("UTC"))
    assert reaction.session.astype(str).tolist() == ["2019-05-23", "2019-05-23", "2019-05-24", "2019-05-27"]
    # Far away from what is asked for, a mended day changes nothing.
    assert len(mended.sessions(pd.Timestamp("2005-01-04"), pd.Timestamp("2005-01-04"))) == 1


def test_mended_exchanges_compare_and_show_what_was_mended():
    one = Exchange("XHKG", closed=["2024-09-06"], closes={"2024-09-05": "12:00"})
    assert one == Exchange("XHKG", closed=[pd.Timestamp("2024-09-06")], closes={"2024-09-05": "12:00"})
    assert hash(one) == hash(Exchange("XHKG", closed=["2024-09-06"]))
    assert repr(one) == "Exchange('XHKG', closed=['2024-09-06'], closes={'2024-09-05': '12:00'})"
    assert eval(repr(one)) == one
    assert Exchange.of(one) is one
    assert Exchange.of("XSHE") == Exchange("XSHE")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"closed": "2019-05-22"}, "closed is a list of days"),
        ({"closed": ["soon"]}, "closed: 'soon' is not a day"),
        ({"extra": [None]}, "extra: None is not a day"),
        ({"extra": ["2019-05-22 10:00"]}, "is not a day"),
        ({"closes": {"2019-05-22": "noon"}}, "write a local time such as '12:00'"),
        ({"closes": {"2019-05-22": 12}}, "write a local time"),
        ({"closed": ["2019-05-22"], "extra": ["2019-05-22"]}, "both as closed and as a session"),
    ],
)
def test_what_cannot_be_mended_so(options, message):
    with pytest.raises(CalendarError, match=message):
        Exchange("XSHG", **options)
    with pytest.raises(CalendarError, match="must be a code such as 'XSHG' or an Exchange, got int"):
        Exchange.of(7)


def test_a_market_of_a_mended_calendar():
    days = pd.DatetimeIndex(["2019-05-20", "2019-05-21", "2019-05-23", "2019-05-24", "2019-05-25"])
    close = pd.DataFrame({"A": [10.0, 10.1, 10.2, 10.1, 10.0]}, days)
    mended = Exchange("XSHG", closed=["2019-05-22"], extra=["2019-05-25"])
    market = es.Market.from_prices(close, calendar=mended)
    assert market.sessions.equals(days.as_unit("ns").rename("date"))
    assert (market.spans["A"].iloc[1:] == 1).all()
    assert market.exchange == mended
    assert market.audit().empty
    wrong = es.Market.from_prices(close, calendar="XSHG", sessions="data")
    told = wrong.audit()[["date", "kind"]].astype(str).to_numpy().tolist()
    assert told == [["2019-05-22", "missing session"], ["2019-05-25", "no session"]]


@pytest.mark.parametrize(
    ("code", "time", "session"),
    [
        ("XHKG", "2019-12-24 11:59+08:00", "2019-12-24"),
        ("XHKG", "2019-12-24 12:30+08:00", "2019-12-27"),
        ("XLON", "2019-12-24 12:29+00:00", "2019-12-24"),
        ("XLON", "2019-12-24 13:00+00:00", "2019-12-27"),
    ],
)
def test_half_days(code, time, session):
    assert str(react(code, time).session[0]) == session


def test_spans_of_texts_and_examples_that_fit() -> None:
    days = Exchange("XNYS").sessions("2020-01-02", "2020-01-06")
    assert days.strftime("%d").tolist() == ["02", "03", "06"]
    assert len(Exchange("XNYS").hours("2020-01-02", "2020-01-06")) == 3
    for wrong in ("foo", None, pd.Timestamp("2020-01-02", tz="UTC")):
        with pytest.raises(CalendarError, match=r"first: .* is not a day"):
            Exchange("XNYS").sessions(wrong, "2020-01-06")
    for name, calendar in (("ETH-USD", "24/7"), ("EURUSD=X", "24/5"), ("^GSPC", "XSHG")):
        with pytest.raises(CalendarError, match=f"such as calendar='{calendar}'"):
            exchange_of(name)


@pytest.mark.parametrize("name", ["ASEX", "XBSE"])
def test_a_calendar_that_cannot_be_made_is_told(name: str) -> None:
    try:  # a later pandas may add Orthodox Easter to dates
        exchange_calendars.get_calendar(name, start="2019-01-01", end="2019-12-31")
    except NotImplementedError:
        with pytest.raises(CalendarError, match="Without calendar= the days of the prices are the sessions"):
            es.Exchange(name).sessions("2019-01-01", "2019-12-31")
    else:
        assert 240 < len(es.Exchange(name).sessions("2019-01-01", "2019-12-31")) < 262
