"""Events: what is read, what is kept, what is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import timezone as fixed

import numpy as np
import pandas as pd
import pytest

from eventstudy import Events
from eventstudy.errors import DataWarning, EventError, EventStudyError, NaiveTimeError
from eventstudy.events import validation


def one(**event) -> pd.Series:
    return Events([{"security": "002415.SZ", **event}]).frame.iloc[0]


@pytest.mark.parametrize(
    "given",
    [
        [{"security": "A", "date": "2019-05-22"}, {"security": "B", "date": "2019-05-23"}],
        {"security": ["A", "B"], "date": ["2019-05-22", "2019-05-23"]},
        {"security": np.array(["A", "B"]), "date": pd.DatetimeIndex(["2019-05-22", "2019-05-23"])},
        {"security": pd.Index(["A", "B"]), "date": (date(2019, 5, 22), date(2019, 5, 23))},
        pd.DataFrame({"date": np.array(["2019-05-22", "2019-05-23"], "M8[D]"), "security": ["A", "B"]}),
        pd.DataFrame({"security": [" A", "B "], "date": ["2019-05-22", "2019-05-23"]}, index=[7, 7]),
        iter([{"security": "A", "date": datetime(2019, 5, 22)}, {"security": "B", "date": "23 May 2019"}]),
    ],
)
def test_every_way_of_giving_the_same_events(given):
    frame = Events(given).frame
    assert frame.index.tolist() == [0, 1]
    assert frame.index.name == "event_id"
    assert frame["security"].tolist() == ["A", "B"]
    assert frame["date"].tolist() == [pd.Timestamp("2019-05-22"), pd.Timestamp("2019-05-23")]
    assert frame["announced_at"].isna().all()


def test_one_event_as_a_mapping():
    events = Events({"security": "A", "date": "2019-05-22", "label": "report"})
    assert len(events) == 1
    assert events.frame["label"].tolist() == ["report"]


def test_numbers_name_securities_too():
    events = Events(pd.DataFrame({"security": [10107, 14593], "date": ["2019-05-22"] * 2}))
    assert events.securities == ["10107", "14593"]


@pytest.mark.parametrize(
    "moment",
    [
        "2019-05-21 19:00-04:00",
        "2019-05-21T23:00Z",
        "2019-05-21 19:00 America/New_York",
        "2019-05-22 07:00 Asia/Shanghai",
        "2019-05-21 23:00 UTC",
        pd.Timestamp("2019-05-21 19:00", tz="America/New_York"),
        datetime(2019, 5, 21, 19, tzinfo=fixed(timedelta(hours=-4))),
    ],
)
def test_one_moment_in_many_zones(moment):
    assert one(announced_at=moment)["announced_at"] == pd.Timestamp("2019-05-21 23:00", tz="UTC")


def test_the_zone_of_the_study_serves_times_that_carry_none():
    events = Events(
        [
            {"security": "A", "announced_at": "2019-05-21 19:00"},
            {"security": "B", "announced_at": "2019-05-21 19:00+08:00"},
            {"security": "C", "announced_at": "2019-05-21 19:00 Europe/London"},
        ],
        timezone="America/New_York",
    )
    hours = events.frame["announced_at"].dt.hour.tolist()
    assert hours == [23, 11, 18]


def test_dates_and_times_may_be_mixed():
    frame = pd.DataFrame(
        {
            "security": ["A", "B", "C", "D"],
            "date": pd.array(["2019-05-22", pd.NA, "2019-05-24", ""], dtype="string"),
            "announced_at": [None, "2019-05-21 19:00-04:00", float("nan"), "2019-05-21 19:00-04:00"],
        }
    )
    read = Events(frame).frame
    assert read["date"].notna().tolist() == [True, False, True, False]
    assert read["announced_at"].notna().tolist() == [False, True, False, True]


def test_other_columns_are_kept_in_place():
    frame = pd.DataFrame(
        {
            "security": ["A", "B"],
            "date": ["2019-05-22", "2019-05-23"],
            "label": ["x", None],
            "group": [1, 2],
            "size in CNY": [1.5, np.nan],
        },
        index=[3, 9],
    )
    read = Events(frame).frame
    pd.testing.assert_frame_equal(
        read[["label", "group", "size in CNY"]].reset_index(drop=True),
        frame[["label", "group", "size in CNY"]].reset_index(drop=True),
    )


def test_ids_are_kept_as_column_or_as_index():
    frame = pd.DataFrame(
        {"event_id": ["e2", "e1"], "security": ["A", "A"], "date": ["2019-05-22", "2019-05-23"]}
    )
    assert Events(frame).frame.index.tolist() == ["e2", "e1"]
    assert Events(frame.set_index("event_id")).frame.index.tolist() == ["e2", "e1"]


def test_events_do_not_change():
    frame = pd.DataFrame({"security": ["A"], "date": ["2019-05-22"], "label": ["x"]})
    events = Events(frame)
    frame.loc[0, "security"] = "changed"
    shown = events.frame
    shown["label"] = "changed"
    shown.loc[0, "security"] = "changed"
    assert events.frame["security"].tolist() == ["A"]
    assert events.frame["label"].tolist() == ["x"]


def test_repr_counts_and_dates():
    assert repr(Events([{"security": "A", "announced_at": "2019-05-21 19:00-04:00"}])) == (
        "Events: 1 event of 1 security, announced 2019-05-21"
    )
    two = Events({"security": ["A", "B"], "date": ["2019-05-22", "2018-04-17"]})
    assert repr(two) == "Events: 2 events of 2 securities, announced 2018-04-17 to 2019-05-22"
    html = Events([{"security": "A", "date": "2019-05-22", "label": "<script>"}])._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_a_naive_time_says_how_to_mend_it():
    with pytest.raises(NaiveTimeError) as caught:
        Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00", "event_id": "nyt"}])
    told = str(caught.value)
    assert "Event nyt (002415.SZ)" in told
    assert "'2019-05-21 19:00-04:00'" in told
    assert "'2019-05-21 19:00 America/New_York'" in told
    assert "timezone='America/New_York'" in told


@pytest.mark.parametrize("moment", [datetime(2019, 5, 21, 19), pd.Timestamp("2019-05-21 19:00")])
def test_naive_objects_are_naive_times(moment):
    with pytest.raises(NaiveTimeError, match="has no time zone"):
        one(announced_at=moment)


@pytest.mark.parametrize("moment", ["2019-03-10 02:30 America/New_York", "2019-11-03 01:30 America/New_York"])
def test_times_that_are_skipped_or_come_twice_when_clocks_change(moment):
    with pytest.raises(EventError, match=r"clocks change\): give the offset, such as '2019-03-10"):
        one(announced_at=moment)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([], "the list is empty"),
        (
            [{"about": "A", "date": "2019-05-22"}],
            r"need a column 'security'; the columns are \['about', 'date'\]",
        ),
        ([{"security": "A"}], "need a column 'date'.*or 'announced_at'"),
        ([{"security": "A", "date": None}], r"Event 0 \(A\) has neither a date nor an announced_at"),
        (
            [{"security": "A", "date": "2019-05-22", "announced_at": "2019-05-21 19:00Z"}],
            r"Event 0 \(A\) has both a date and an announced_at; leave one empty",
        ),
        ([{"security": "A", "date": "soon"}], "date 'soon' cannot be read; write it as '2019-05-22'"),
        ([{"security": "A", "date": 20191345}], r"date '20191345' cannot be read"),
        ([{"security": "A", "date": "05/06/2019"}], r"'05/06/2019' cannot be read \(day and month may be"),
        (
            [{"security": "A", "announced_at": "05.06.2019 10:00+00:00"}],
            r"'05.06.2019 10:00\+00:00' cannot be",
        ),
        (
            [{"security": "A", "announced_at": "2019-05-21 19:00 EDT"}],
            r"an abbreviation such as EST does not",
        ),
        ([{"about": "A", "date": "2019-05-22"}], r"rename\(columns=\{'name': 'security'\}\)"),
        ([{"security": "A", "date": "2019-05-22 10:00"}], "carries a time of day.*give it as announced_at"),
        ([{"security": "A", "date": "2019-05-22 00:00Z"}], "carries a time of day"),
        ([{"security": "A", "announced_at": "soon"}], "announced_at 'soon' cannot be read"),
        (
            [{"security": "A", "announced_at": "2019-05-21 19:00 Mars/Olympus"}],
            "'Mars/Olympus' is not a time zone",
        ),
        ([{"security": " ", "date": "2019-05-22"}], "row 0 names no security"),
        ([{"security": None, "date": "2019-05-22"}], "row 0 names no security"),
        ([{"security": "A", "date": "2019-05-22"}, "B"], "list of dictionaries"),
        (
            [{"security": "A", "date": "2019-05-22", "event_id": 1}, {"security": "B", "date": "2019-05-22"}],
            "row 1 has no event_id; give all or none",
        ),
        (
            [
                {"security": "A", "date": "2019-05-22", "event_id": 1},
                {"security": "B", "date": "2019-05-22", "event_id": 1},
            ],
            "event_id 1 stands more than once.*a firm may recur, an id may not",
        ),
        (
            [{"security": "A", "date": "2019-05-22"}, {"security": "A", "date": "22 May 2019"}],
            r"Event 1 \(A\) is a duplicate.*Drop one",
        ),
        (
            [
                {"security": "A", "announced_at": "2019-05-21 19:00-04:00"},
                {"security": "A", "announced_at": "2019-05-22 07:00+08:00"},
            ],
            r"Event 1 \(A\) is a duplicate",
        ),
    ],
)
def test_refused(events, message):
    with pytest.raises(EventError, match=message) as caught:
        Events(events)
    assert isinstance(caught.value, EventStudyError)


def test_columns_that_stand_twice():
    frame = pd.DataFrame([["A", "2019-05-22", "2019-05-23"]], columns=["security", "date", "date"])
    with pytest.raises(EventError, match=r"Duplicate event columns: \['date'\]"):
        Events(frame)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timezone": "New York"}, "timezone: 'New York' is not a time zone; use an IANA name"),
        ({"non_session": "nearest"}, "non_session must be one of.*got 'nearest'"),
        ({"ambiguous": "middle"}, "ambiguous must be one of.*got 'middle'"),
    ],
)
def test_options_that_do_not_exist(options, message):
    with pytest.raises(EventError, match=message):
        Events([{"security": "A", "date": "2019-05-22"}], **options)


def test_overlaps_lists_pairs_of_one_security():
    events = Events(
        {
            "event_id": list("abcde"),
            "security": ["A", "A", "B", "A", "B"],
            "date": ["2019-01-10", "2019-01-02", "2019-01-02", "2021-01-02", "2019-12-31"],
        }
    )
    pairs = events.overlaps()
    assert pairs.to_dict("records") == [
        {"security": "A", "event_id": "a", "earlier_event_id": "b", "days_apart": 8},
        {"security": "B", "event_id": "e", "earlier_event_id": "c", "days_apart": 363},
    ]
    assert len(events.overlaps(within_days=7)) == 0
    assert len(events.overlaps(within_days=10_000)) == 4


def test_the_largest_distance_of_overlaps_is_included():
    events = Events({"security": ["A", "A"], "date": ["2019-01-02", "2019-01-09"]})
    assert events.overlaps(within_days=7)["days_apart"].tolist() == [7]
    assert events.overlaps(within_days=6).empty


def test_overlaps_counts_days_where_it_was_announced():
    events = Events(
        [
            {"security": "A", "announced_at": "2019-05-21 23:30-04:00"},
            {"security": "A", "date": "2019-05-22"},
        ]
    )
    assert events.overlaps()["days_apart"].tolist() == [1]


AFTER, BEFORE = "2019-05-21 11:00-04:00", "2019-05-21 19:00-04:00"


def test_a_time_known_only_to_a_window():
    events = Events({"security": "A", "announced_after": AFTER, "announced_before": BEFORE})
    row = events.frame.iloc[0]
    assert row["announced_after"] == pd.Timestamp(AFTER)
    assert row["announced_before"] == pd.Timestamp(BEFORE)
    assert pd.isna(row["announced_at"])
    assert pd.isna(row["date"])
    assert repr(events) == "Events: 1 event of 1 security, announced 2019-05-21"


def test_a_window_may_be_one_moment():
    events = Events({"security": "A", "announced_after": AFTER, "announced_before": AFTER})
    assert events.frame["announced_before"].iloc[0] == pd.Timestamp(AFTER)


def test_windows_stand_beside_days_and_times():
    events = Events(
        [
            {"security": "A", "announced_after": AFTER, "announced_before": BEFORE},
            {"security": "B", "announced_at": BEFORE},
            {"security": "C", "date": "2019-05-22"},
        ]
    )
    assert events.frame["announced_before"].notna().tolist() == [True, False, False]
    assert "announced_after" not in Events({"security": "C", "date": "2019-05-22"}).frame


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"announced_after": AFTER}, "has announced_after alone; a window needs both"),
        ({"announced_before": AFTER}, "has announced_before alone; a window needs both"),
        ({"announced_after": BEFORE, "announced_before": AFTER}, "is later than announced_before.*Swap them"),
        ({"announced_after": AFTER, "announced_before": BEFORE, "date": "2019-05-22"}, "has both a date and"),
        ({"announced_after": AFTER, "announced_at": BEFORE}, "has both an announced_at and an announced_aft"),
        ({"announced_after": AFTER, "announced_before": "noon"}, "announced_before 'noon' cannot be read"),
        (
            {"announced_after": "2019-05-21", "announced_before": BEFORE},
            "announced_after.*has no time zone",
        ),
    ],
)
def test_windows_that_are_none(event, message):
    with pytest.raises(EventError, match=message):
        Events({"security": "A"} | event)


def test_the_same_window_twice():
    event = {"security": "A", "announced_after": AFTER, "announced_before": BEFORE}
    with pytest.raises(EventError, match="is a duplicate"):
        Events([event, event])
    assert len(Events([event, event | {"announced_before": "2019-05-22 19:00-04:00"}])) == 2


def test_the_frame_of_events_makes_the_same_events() -> None:
    given = [
        {"security": "A", "announced_at": "2019-05-21 19:00-04:00"},
        {
            "security": "B",
            "announced_after": "2019-05-21 02:00-04:00",
            "announced_before": "2019-05-22 15:00+08:00",
        },
        {"security": "C", "date": "2019-05-22"},
    ]
    frame = Events(given).frame
    again = Events(frame).frame
    pd.testing.assert_frame_equal(again, frame)
    assert again["announced_local"].iloc[0].utcoffset() == pd.Timedelta(hours=-4)


def test_a_changed_time_is_not_told_on_the_old_clock() -> None:
    frame = Events({"security": "A", "announced_at": "2019-05-21 19:00-04:00"}).frame
    later = Events(frame.assign(announced_at=frame["announced_at"] + pd.Timedelta(hours=1))).frame
    assert later["announced_local"].iloc[0] == pd.Timestamp("2019-05-22 00:00", tz="UTC")


CLEAN = {
    "days": {"date": pd.to_datetime(["2019-05-22", "2019-05-23", "2020-01-02"])},
    "written days": {"date": ["2019-05-22", "2019-05-23", "2020-01-02"]},
    "times of a zone": {
        "announced_at": pd.to_datetime(
            ["2019-05-21 19:00", "2019-11-05 08:30", "2020-01-01 23:59"]
        ).tz_localize("America/New_York")
    },
    "written times": {
        "announced_at": ["2019-05-21 19:00-04:00", "2019-05-21T19:00:01+0800", "2020-01-01 23:59:30Z"]
    },
    "some of both": {
        "date": ["2019-05-22", None, None],
        "announced_at": [None, "2019-05-21 19:00-04:00", "2020-01-01 23:59Z"],
    },
    "of other events": {
        "date": pd.to_datetime(["2019-05-22", None, "2020-01-02"]),
        "announced_at": pd.to_datetime([None, "2019-05-21 23:00", None], utc=True),
    },
}


@pytest.mark.parametrize("columns", CLEAN.values(), ids=CLEAN.keys())
def test_clean_columns_are_read_like_rows(columns, monkeypatch):
    frame = pd.DataFrame({"security": ["A", "B", "A"], **columns})
    assert validation.clean_columns(frame) is not None
    whole = Events(frame)
    monkeypatch.setattr(validation, "clean_columns", lambda frame: None)
    rows = Events(frame)
    pd.testing.assert_frame_equal(whole.frame, rows.frame)
    assert list(map(str, whole.frame["announced_local"])) == list(map(str, rows.frame["announced_local"]))


@pytest.mark.parametrize(
    "columns",
    [
        {"date": ["2019-05-22", "22.5.2019"]},
        {"date": ["2019-05-22", "2019-13-01"]},
        {"date": ["2019-05-22", pd.Timestamp("2019-05-22")]},
        {"date": pd.DatetimeIndex([pd.Timestamp("2019-05-22"), pd.Timestamp("2019-05-22 10:00")])},
        {"date": ["2019-05-22", "9999-05-22"]},
        {"date": ["2019-05-22", None]},
        {"announced_at": pd.DatetimeIndex([pd.Timestamp("2019-05-22"), pd.Timestamp("2019-05-22 10:00")])},
        {"announced_at": ["2019-05-21 19:00-04:00", "2019-05-21 19:00"]},
        {"announced_at": ["2019-05-21 19:00-04:00", "2019-05-21 19:00 America/New_York"]},
        {"announced_at": ["2019-05-21 19:00-04:00"] * 2, "date": ["2019-05-22", None]},
    ],
)
def test_columns_in_doubt_are_left_to_the_reader_of_rows(columns):
    assert validation.clean_columns(pd.DataFrame({"security": ["A", "B"], **columns})) is None


def test_some_of_the_events():
    events = Events(
        {"security": ["A", "B", "C"], "date": ["2020-01-02"] * 3, "event_id": ["x", "y", "z"]},
        non_session="skip",
    )
    some = events.take([2, 0])
    pd.testing.assert_frame_equal(some.frame, events.frame.iloc[[2, 0]])
    assert (some.non_session, len(events)) == ("skip", 3)
    with pytest.raises(EventError, match="at least one event"):
        events.take([])


@pytest.mark.parametrize(
    ("times", "hour", "told"),
    [
        ([16, 7], 16, "hours"),
        ([1630, 705], 16, "hhmm"),
        (["1630", "0705"], 16, "hhmm"),
        ([163000, 70500], 16, "hhmmss"),
        ([0.6875, 0.25], 16, "parts of a day"),
        ([59_400, 25_500], 16, "seconds"),
    ],
)
def test_numbers_are_times_by_the_whole_column(times, hour, told):
    frame = pd.DataFrame({"ticker": ["A", "B"], "date": ["2019-05-21"] * 2, "time": times})
    events = Events(frame, timezone="America/New_York")
    assert events.frame["announced_local"].iloc[0].hour == hour
    assert events.reading["evidence"].str.contains(told).any()


def test_two_columns_of_the_day_of_an_event():
    frame = pd.DataFrame({"ticker": ["A"], "date": ["2019-05-21"], "event_date": ["2019-05-21"]})
    assert len(Events(frame)) == 1
    with pytest.warns(DataWarning, match=r"'date' and 'event_date' both look like the day of the event"):
        Events(frame.assign(event_date="2019-06-21"))


def test_numbers_that_may_be_seconds_or_clocks():
    """34200 is half past nine in seconds, and 3:42 as a clock without colons."""
    frame = pd.DataFrame({"ticker": ["A"], "date": ["2019-05-21"], "time": [34_200]})
    with pytest.raises(EventError, match=r"34200 may be .*seconds since midnight, or a clock"):
        Events(frame, timezone="America/New_York")
    ibes = Events({"oftic": ["A"], "anndats": ["2019-05-21"], "anntims": [34_200]})
    assert ibes.frame["announced_local"].iloc[0].hour == 9


def test_a_column_of_times_that_is_not_understood_is_told():
    frame = pd.DataFrame({"ticker": ["A"], "date": ["2019-05-21"], "time": ["about noon"]})
    with pytest.warns(DataWarning, match=r"'time' is not understood and not used: 'about noon'"):
        Events(frame)


@pytest.mark.parametrize(
    "column",
    ["date", "announced_at", "announced_after", "Announcement Date", "anntims", "tz", "window_start"],
)
def test_a_text_that_is_too_long_for_a_day_is_refused_unread(column):
    with pytest.raises(EventError, match=rf"column '{column}': row 1 holds a text of 2,000,010 characters"):
        Events(
            pd.DataFrame(
                {
                    "security": ["A", "B"],
                    **({} if column == "date" else {"date": "2019-05-21"}),
                    column: ["2019-05-21", " " * 2_000_000 + "2019-05-21"],
                }
            )
        )
