"""Events become rows: which session is day 0, what is laid out around it, what is recorded."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import Exchange
from eventstudy.errors import CalendarError, EventError, ExcludedEventsWarning, ModelError, WindowError
from eventstudy.sample import EventSample, Regressor
from eventstudy.sample.event_arrays import take_windows
from eventstudy.sample.placement import first_sessions
from eventstudy.windows import Window

ESTIMATION, WINDOW = Window(-40, -6), Window(-5, 5)
SESSIONS = Exchange("XSHG").sessions(pd.Timestamp("2019-06-03"), pd.Timestamp("2019-12-31"))


def draw(seed: int = 1, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 0.01 * rng.standard_normal((len(SESSIONS), 5))
    frame = pd.DataFrame(values, SESSIONS, ["A", "B", "INDEX", "OTHER", "rf"])
    frame[["A", "B"]] = frame[["A", "B"]].mask(rng.random((len(SESSIONS), 2)) < missing)
    frame["rf"] = 1e-4
    return frame


def make(frame: pd.DataFrame, **options) -> es.Market:
    benchmark = options.pop("benchmark", {"A": "INDEX", "B": "OTHER"})
    options = {"calendar": "XSHG"} | options
    return es.Market(frame.drop(columns="rf"), benchmark=benchmark, factors=frame[["rf"]], **options)


def place(market: es.Market, *events: dict, **options) -> EventSample:
    return EventSample.of(market, es.Events(list(events), **options), ESTIMATION, WINDOW)


@pytest.mark.parametrize(
    ("date", "policy", "day0", "closed", "note"),
    [
        ("2019-09-30", "next", "2019-09-30", 0, ""),
        ("2019-09-28", "next", "2019-09-30", 2, "market closed 2 days until 2019-09-30"),
        ("2019-09-29", "next", "2019-09-30", 1, "market closed 1 day until 2019-09-30"),
        ("2019-10-01", "next", "2019-10-08", 7, "market closed 7 days until 2019-10-08"),
        ("2019-09-30", "previous", "2019-09-30", 0, ""),
        ("2019-09-28", "previous", "2019-09-27", 1, "moved back 1 day to the session 2019-09-27"),
        ("2019-09-29", "previous", "2019-09-27", 2, "moved back 2 days to the session 2019-09-27"),
        ("2019-10-07", "previous", "2019-09-30", 7, "moved back 7 days to the session 2019-09-30"),
        ("2019-09-30", "skip", "2019-09-30", 0, ""),
        ("2019-09-30", "raise", "2019-09-30", 0, ""),
    ],
)
def test_a_date_that_is_no_session(date, policy, day0, closed, note):
    sample = place(make(draw()), {"security": "A", "date": date}, non_session=policy)
    event = sample.timeline.iloc[0]
    assert event["announced"] == date
    assert event["day_0"] == event["first_session"] == pd.Timestamp(day0)
    assert event["closed_days"] == closed
    assert event["note"] == note
    assert SESSIONS[sample.day0[0]] == pd.Timestamp(day0)


def test_skip_leaves_out_one_event_and_keeps_the_others():
    events = {"security": "A", "date": "2019-10-01", "label": "x"}, {"security": "A", "date": "2019-10-08"}
    sample = place(make(draw()), *events, non_session="skip")
    assert sample.excluded.to_dict("index") == {
        0: {"security": "A", "label": "x", "reason": "2019-10-01 is not a session (non_session='skip')"}
    }
    assert sample.timeline.index.tolist() == [1]


def test_raise_names_event_and_date():
    told = r"Event 0 \(A\): 2019-10-01 is not a session of the market.*'next', 'previous' or 'skip'"
    with pytest.raises(EventError, match=told):
        place(make(draw()), {"security": "A", "date": "2019-10-01"}, non_session="raise")


def test_a_weekday_that_the_data_lacks_is_no_session_without_a_calendar():
    market = make(draw().drop(pd.Timestamp("2019-09-25")), calendar=None)
    event = place(market, {"security": "A", "date": "2019-09-25"}).timeline.iloc[0]
    assert event["day_0"] == pd.Timestamp("2019-09-26")
    assert event["note"] == "market closed 1 day until 2019-09-26"


@pytest.mark.parametrize("how", [{"date": "2019-09-24"}, {"announced_at": "2019-09-23 19:00+08:00"}])
def test_a_suspended_security_reacts_when_it_trades_again(how):
    frame = draw()
    frame.loc["2019-09-23":"2019-09-25", "A"] = np.nan
    sample = place(make(frame), {"security": "A", **how}, {"security": "B", **how})
    event, other = sample.timeline.iloc[0], sample.timeline.iloc[1]
    assert event["first_session"] == other["first_session"] == pd.Timestamp("2019-09-24")
    assert event["day_0"] == pd.Timestamp("2019-09-26")
    assert event["suspended_sessions"] == 2
    assert event["spans"] == 4
    assert event["note"].split("; ") == [
        "security suspended 2 sessions from 2019-09-24 to 2019-09-25",
        "day 0 moved to 2019-09-26",
        "the return of day 0 spans 4 sessions since 2019-09-20, 1 of them before the announcement",
    ]
    assert other["day_0"] == pd.Timestamp("2019-09-24")
    assert other["suspended_sessions"] == 0


def test_a_policy_of_previous_does_not_move_a_suspension_back():
    frame = draw()
    frame.loc["2019-09-30", "A"] = np.nan
    event = place(make(frame), {"security": "A", "date": "2019-10-03"}, non_session="previous").timeline.iloc[
        0
    ]
    assert event["first_session"] == pd.Timestamp("2019-09-30")
    assert event["day_0"] == pd.Timestamp("2019-10-08")
    assert "moved back 3 days to the session 2019-09-30" in event["note"]
    assert "security suspended 1 session" in event["note"]


@pytest.mark.parametrize(
    ("time", "first", "closed"),
    [
        ("2019-09-27 14:59+08:00", "2019-09-27", 0),
        ("2019-09-27 15:00+08:00", "2019-09-30", 2),
        ("2019-09-27 12:00 Asia/Shanghai", "2019-09-27", 0),
        ("2019-10-07 17:00 America/New_York", "2019-10-08", 7),
    ],
)
def test_announcement_times(time, first, closed):
    event = place(make(draw()), {"security": "A", "announced_at": time}).timeline.iloc[0]
    assert event["day_0"] == pd.Timestamp(first)
    assert event["closed_days"] == closed


def test_a_session_that_the_data_lacks_moves_an_announcement_and_is_recorded():
    market = make(draw().drop(pd.Timestamp("2019-09-25")), sessions="data")
    event = place(market, {"security": "A", "announced_at": "2019-09-25 10:00+08:00"}).timeline.iloc[0]
    assert event["day_0"] == pd.Timestamp("2019-09-26")
    assert event["note"] == "market closed 1 day until 2019-09-26"


def test_times_need_a_calendar():
    with pytest.raises(CalendarError, match=r"market has no exchange calendar.*calendar='XSHG'.*give a date"):
        place(make(draw(), calendar=None), {"security": "A", "announced_at": "2019-09-25 10:00Z"})


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            {"date": "2019-06-01"},
            "its session 2019-06-01 lies before the data starts (2019-06-03 to 2019-12-31)",
        ),
        (
            {"date": "2020-01-02"},
            "its session 2020-01-02 lies after the data ends (2019-06-03 to 2019-12-31)",
        ),
        ({"announced_at": "2019-12-31 20:00+08:00"}, "its session 2020-01-02 lies after the data ends"),
        ({"announced_at": "2019-05-20 20:00+08:00"}, "its session 2019-05-21 lies before the data starts"),
        ({"date": "2019-06-05"}, "only 2 sessions of data lie before 2019-06-05"),
    ],
)
def test_events_outside_of_the_data(event, reason):
    sample = place(make(draw()), {"security": "A", **event}, {"security": "B", "date": "2019-09-25"})
    assert sample.excluded["reason"].tolist()[0].startswith(reason)
    assert sample.excluded.index.tolist() == [0]
    assert sample.timeline.index.tolist() == [1]


def test_a_security_that_never_trades_again():
    frame = draw()
    frame.loc["2019-09-25":, "A"] = np.nan
    sample = place(make(frame), {"security": "A", "date": "2019-09-25"})
    assert sample.excluded["reason"].tolist() == ["A has no return on 2019-09-25 or on any session after it"]


@pytest.mark.parametrize(
    ("estimation", "window", "message"),
    [
        ((-40, -5), (-5, 5), r"\(-40, -5\) overlaps the event window \(-5, \+5\).*End it by -6"),
        ((0, 40), (-5, 5), "overlaps the event window"),
        ((-40, -11), (1, 5), r"The event window \(\+1, \+5\) must hold day 0"),
        ((-40, -21), (-10, -1), r"must hold day 0"),
    ],
)
def test_windows_that_do_not_go_together(estimation, window, message):
    events = es.Events([{"security": "A", "date": "2019-09-25"}])
    with pytest.raises(WindowError, match=message):
        EventSample.of(make(draw()), events, Window(*estimation), Window(*window))


def naive_layout(market, security, benchmark, day0, window, lag, excess, single_only):
    """Walk through the window day by day."""
    returns, spans, rf = market.returns[security], market.spans[security], market.factors["rf"].to_numpy()
    index = market.returns[benchmark].to_numpy()
    y, x, span = [], [], []
    for offset in window.offsets:
        row = day0 + offset
        inside = 0 <= row < len(returns)
        reach = int(spans.iloc[row]) if inside else 0
        used = reach == 1 if single_only else reach > 0
        length = reach if used else 1
        y.append(float(returns.iloc[row]) if used else math.nan)
        last, first = row - lag, row - lag - length + 1
        known = first >= (0 if length == 1 else 1) and last < len(returns)
        own = math.prod(1 + index[first : last + 1]) - 1 if known else math.nan
        safe = math.prod(1 + rf[first : last + 1]) - 1 if known else math.nan
        x.append(own - safe if excess else own)
        if excess:
            y[-1] -= math.prod(1 + rf[row - length + 1 : row + 1]) - 1 if inside else math.nan
        span.append(reach if used else 0)
    return y, x, span


@pytest.mark.parametrize("missing", ["drop", "trade_to_trade"])
@pytest.mark.parametrize("excess", [False, True])
@pytest.mark.parametrize("lag", [-1, 0, 1])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_layout_equals_a_walk_through_the_days(lag, excess, missing):
    market = make(draw(3, missing=0.2))
    days = SESSIONS[[38, 60, 90, len(SESSIONS) - 3]]
    sample = place(market, *({"security": name, "date": day} for name in "AB" for day in days))
    arrays = sample.arrays((Regressor("benchmark", lag),), excess, missing=missing)
    assert len(sample) == 8
    for i, (name, day) in enumerate(zip(sample.timeline["security"], sample.day0, strict=True)):
        benchmark = {"A": "INDEX", "B": "OTHER"}[name]
        for window, single, y, x in (
            (ESTIMATION, missing == "drop", arrays.y_est, arrays.x_est),
            (WINDOW, False, arrays.y_evt, arrays.x_evt),
        ):
            wanted_y, wanted_x, wanted_span = naive_layout(
                market, name, benchmark, int(day), window, lag, excess, single
            )
            np.testing.assert_allclose(y[i], wanted_y, atol=1e-14)
            np.testing.assert_allclose(x[i, :, 0], wanted_x, atol=1e-13)
            if window is WINDOW:
                assert arrays.span_evt[i].tolist() == wanted_span
            elif missing == "trade_to_trade":
                assert arrays.span_est[i].tolist() == wanted_span
        rows = int(day) + WINDOW.offsets
        wanted_days = [SESSIONS[r].to_datetime64() if 0 <= r < len(SESSIONS) else None for r in rows]
        shown = [None if np.isnat(d) else d for d in arrays.dates_evt[i]]
        assert shown == [None if d is None else d.astype("M8[D]") for d in wanted_days]


def test_part_of_the_events_is_laid_out_as_in_the_whole():
    sample = place(
        make(draw(2, 0.1)), *({"security": n, "date": SESSIONS[d]} for n in "AB" for d in (50, 99))
    )
    whole, part = (
        sample.arrays((Regressor("benchmark"),)),
        sample.arrays((Regressor("benchmark"),), part=slice(1, 3)),
    )
    for name in ("y_est", "x_est", "y_evt", "x_evt", "span_evt", "dates_est", "dates_evt"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[1:3])


def test_a_factor_that_the_market_has_not():
    sample = place(make(draw()), {"security": "A", "date": "2019-09-25"})
    with pytest.raises(ModelError, match="no factor 'smb'"):
        sample.arrays((Regressor("smb"),))


def test_names_of_regressors():
    names = [Regressor("benchmark", lag).name for lag in (0, 1, -1)]
    assert names == ["benchmark", "benchmark[-1]", "benchmark[+1]"]


def test_no_return_is_filled_in():
    frame = draw()
    frame.loc["2019-09-26", "A"] = np.nan
    frame.loc["2019-08-20", "A"] = np.nan
    sample = place(make(frame), {"security": "A", "date": "2019-09-25"})
    arrays = sample.arrays((Regressor("benchmark"),))
    assert np.isnan(arrays.y_evt[0, 6])
    assert arrays.span_evt[0].tolist() == [1] * 6 + [0, 2] + [1] * 3
    # The day without trade, and the return over two sessions after it, are no estimation returns.
    gone = np.flatnonzero(np.isnan(arrays.y_est[0]))
    assert arrays.dates_est[0, gone].astype(str).tolist() == ["2019-08-20", "2019-08-21"]


def window(after: str, before: str) -> dict:
    return {"security": "A", "announced_after": after, "announced_before": before}


@pytest.mark.parametrize("ambiguous", ["exclude", "first", "last"])
def test_a_window_within_one_session(ambiguous):
    event = window("2019-09-30 08:00+08:00", "2019-09-30 14:59+08:00")
    told = place(make(draw()), event, ambiguous=ambiguous).timeline.iloc[0]
    assert told["day_0"] == pd.Timestamp("2019-09-30")
    assert told["announced"] == "between 2019-09-30 00:00 and 2019-09-30 06:59 UTC"
    assert told["note"] == "market closed 2 days until 2019-09-30"


def test_a_window_over_two_sessions_is_excluded_and_offers_both():
    event = window("2019-09-30 14:00+08:00", "2019-09-30 16:00+08:00")
    sample = place(make(draw()), event)
    assert len(sample) == 0
    assert sample.excluded.at[0, "reason"] == (
        "announced between 2019-09-30 06:00 and 2019-09-30 08:00 UTC: its first session is 2019-09-30 or "
        "2019-10-08; narrow the window, or choose with Events(..., ambiguous='first') or 'last'"
    )


@pytest.mark.parametrize(
    ("ambiguous", "day0", "note"),
    [
        ("first", "2019-09-30", "may have met 2019-10-08 instead of 2019-09-30; market closed 2 days"),
        ("last", "2019-10-08", "may have met 2019-09-30 instead of 2019-10-08; market closed 7 days"),
    ],
)
def test_a_window_over_two_sessions_takes_the_one_chosen(ambiguous, day0, note):
    event = window("2019-09-30 14:00+08:00", "2019-09-30 16:00+08:00")
    plain = {"security": "B", "announced_at": "2019-09-30 14:00+08:00"}
    sample = place(make(draw()), plain, event, ambiguous=ambiguous).without({0: "not asked for"})
    told = sample.timeline.loc[1]
    assert told["day_0"] == pd.Timestamp(day0)
    assert told["note"].startswith(note)
    assert sample.timeline.index.tolist() == [1]


@pytest.mark.slow
def test_windows_of_the_ban_announcements(shared_data):
    rows = pd.read_csv(shared_data / "bans" / "event_securities.csv", dtype=str)
    times = pd.read_csv(shared_data / "bans" / "events.csv", dtype=str).set_index("event_id")
    counts = {"events": 0, "ambiguous": 0}
    for mic, part in rows.groupby("mic"):
        events = pd.DataFrame(
            {
                "event_id": part.index,
                "security": part["ticker"],
                "announced_after": part["event_id"].map(times["ann_utc_earliest"]),
                "announced_before": part["event_id"].map(times["ann_utc_latest"]),
            }
        )
        calendar = {"OTC": "XNYS"}.get(mic, mic)
        sessions = Exchange(calendar).sessions(pd.Timestamp("2018-03-01"), pd.Timestamp("2025-10-31"))
        tickers = part["ticker"].unique()
        returns = np.random.default_rng(1).normal(0, 0.01, (len(sessions), len(tickers)))
        market = es.Market(pd.DataFrame(returns, sessions, tickers), calendar=calendar)
        for ambiguous, column in (
            ("first", "first_session_if_earliest"),
            ("last", "first_session_if_latest"),
        ):
            timeline = place(market, *events.to_dict("records"), ambiguous=ambiguous).timeline
            assert timeline["first_session"].dt.strftime("%Y-%m-%d").tolist() == part[column].tolist()
            flagged = timeline["note"].str.contains("may have met")
            assert flagged.tolist() == part["session_ambiguous"].eq("YES").tolist()
        sample = place(market, *events.to_dict("records"))
        assert sample.excluded.index.tolist() == part.index[part["session_ambiguous"] == "YES"].tolist()
        counts["events"] += len(part)
        counts["ambiguous"] += len(sample.excluded)
    assert counts == {"events": 233, "ambiguous": 10}


def test_windows_beyond_a_panel_are_missing_there():
    panel = np.arange(20.0).reshape(2, 10)
    for length in (4, 12):
        first = np.array([-2, 0, 3, 6, 7, 9, 10])
        found = take_windows(panel, np.array([0, 1, 0, 1, 0, 1, 0]), first, length)
        for i, start in enumerate(first):
            at = start + np.arange(length)
            want = [panel[i % 2, t] if 0 <= t < 10 else np.nan for t in at]
            np.testing.assert_array_equal(found[i], want)


def test_a_window_may_begin_with_the_first_session():
    days = pd.bdate_range("2019-01-01", periods=60)
    returns = 0.01 * np.random.default_rng(1).standard_normal((60, 2))
    market = es.Market(pd.DataFrame(returns, days, ["A", "M"]), benchmark="M", gaps="single")
    events = es.Events([{"security": "A", "date": days[40]}])
    sample = EventSample.of(market, events, Window(-40, -11), Window(-2, 2))
    np.testing.assert_array_equal(
        sample.dates(sample.estimation)[0], days[:30].to_numpy().astype("datetime64[D]")
    )


def test_an_event_whose_other_column_names_the_security() -> None:
    listed = pd.DataFrame({"permno": [10001, 10002], "ticker": ["A", "Z"], "date": [SESSIONS[60]] * 2})
    sample = EventSample.of(make(draw()), es.Events(listed), ESTIMATION, WINDOW)
    first, second = sample.excluded["reason"]
    assert "no security '10001' in the market, but 'A', which the events name in column 'ticker'" in first
    assert "'ticker'" not in second
    cured = es.Events(listed.assign(security=listed["ticker"]))
    assert EventSample.of(make(draw()), cured, ESTIMATION, WINDOW).events["security"].tolist() == ["A"]


def test_a_firm_that_is_not_listed_yet_is_not_measured_when_it_is() -> None:
    """Without an estimation window nothing else would exclude it; a suspended firm is measured later."""
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2016-01-01", periods=300)
    returns = pd.DataFrame(rng.normal(0, 0.02, (300, 3)), days, list("ABC"))
    returns.iloc[:200, 0] = np.nan
    returns.iloc[100:130, 1] = np.nan
    index = pd.Series(rng.normal(0, 0.01, 300), days, name="index")
    market = es.Market(returns, benchmark=index, gaps="single")
    events = [{"security": s, "date": days[100]} for s in "ABC"]
    study = es.EventStudy(market, events, es.MarketAdjusted(), estimation=None, window=(0, 1))
    with pytest.warns(ExcludedEventsWarning, match="1 of 3 events"):
        found = study.fit()
    reason = found.excluded.loc[0, "reason"]
    assert reason.startswith(f"A has no return before {days[200]:%Y-%m-%d}, 100 sessions after the event")
    assert found.timeline["day_0"].tolist() == [days[130], days[100]]
    # The first return of a new listing, one session after its day, is measured.
    fresh = es.EventStudy(
        market, [{"security": "A", "date": days[199]}], es.MarketAdjusted(), estimation=None, window=(0, 1)
    ).fit()
    assert fresh.timeline["day_0"].tolist() == [days[200]]


@pytest.mark.quick("skip")
@pytest.mark.parametrize("policy", ["next", "previous", "skip"])
def test_many_events_are_placed_as_each_alone(policy):
    """More events than days: each day is looked up once."""
    market = make(draw())
    days = pd.date_range(SESSIONS[0] - pd.Timedelta(days=3), SESSIONS[-1] + pd.Timedelta(days=3))
    rows = [{"security": "A", "date": day} for day in days]
    together = place(market, *rows, non_session=policy)
    assert len(rows) > (SESSIONS[-1] - SESSIONS[0]).days
    for i in range(0, len(days), 5):
        alone = place(market, rows[i], non_session=policy)
        assert list(alone.excluded["reason"]) == together.excluded["reason"].reindex([i]).dropna().tolist()
        if len(alone):
            pd.testing.assert_series_equal(
                together.timeline.loc[i], alone.timeline.iloc[0], check_names=False
            )


def test_dates_and_times_go_together():
    """An event with a date has no second session, whatever the announcements beside it may have met."""
    between = {
        "security": "A",
        "announced_after": "2019-09-26 14:00+08:00",
        "announced_before": "2019-09-26 16:00+08:00",
    }
    sample = place(make(draw()), between, {"security": "B", "date": "2019-09-26"}, ambiguous="first")
    assert list(sample.other) == [0]
    assert sample.other[0] == np.datetime64("2019-09-27")
    assert sample.timeline["day_0"].tolist() == [pd.Timestamp("2019-09-26")] * 2
    assert "may have met" not in sample.timeline["note"].iloc[1]


def test_an_event_outside_the_data_has_no_row():
    events = es.Events([{"security": "A", "date": day} for day in ("2019-01-04", "2019-09-26", "2022-01-04")])
    place = first_sessions(make(draw()), events.frame, "next")
    assert place.row.tolist() == [-1, SESSIONS.get_loc(pd.Timestamp("2019-09-26")), -1]
    assert sorted(place.reasons) == [0, 2]
