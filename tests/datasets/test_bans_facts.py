"""Facts that a check against independent sources corrected or filled in, each with its source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from eventstudy.datasets import BanAnnouncements, ban_announcements, surveillance_prices
from eventstudy.datasets.bans.tables import Tables, read, split

#: Announcement, column, value, source.
ANNOUNCEMENTS = [
    ("2018-04-16_ZTE_DENIAL", "citation", "83 FR 17644, published 2018-04-23", "FR-0423"),
    ("2018-04-16_ZTE_DENIAL", "effective", "2018-04-15", "FR-0423"),
    ("2018-04-16_ZTE_DENIAL", "latest", "2018-04-16T12:59Z", "RTR-0416"),
    ("2018-05-13_ZTE_TWEET", "earliest", "2018-05-13T15:01Z", "TWEET-0513"),
    ("2018-05-13_ZTE_TWEET", "latest", "2018-05-13T15:01Z", "TWEET-0513"),
    ("2018-05-24_HOUSE_NDAA", "citation", "H.R. 5515, passed 351 to 66", "HASC-0524"),
    ("2018-07-11_ZTE_ESCROW", "latest", "2018-07-11T18:10Z", "SCMP-0712"),
    ("2018-07-13_ZTE_LIFTED", "citation", "83 FR 34825, published 2018-07-23", "FR-0723"),
    ("2018-08-01_EL_44", "earliest", "2018-07-31T12:45Z", "SYM-0801"),
    ("2018-08-13_NDAA_SIGNED", "earliest", "2018-08-13T18:50Z", "CNN-0813"),
    ("2018-08-13_NDAA_SIGNED", "latest", "2018-08-13T19:35Z", "CNN-0813"),
    ("2018-08-13_NDAA_SIGNED", "status", "verified", "CNN-0813"),
    ("2018-11-23_ALLIES", "latest", "2018-11-23T06:59Z", "WSJ-1123"),
    ("2019-05-19_HUAWEI_CUTOFF", "latest", "2019-05-20T03:00Z", "MDN-0520"),
    ("2020-12-03_SMIC_CMC", "latest", "2020-12-03T21:53Z", "INV-1203"),
    ("2021-12-15_CMIC8_LEAK", "latest", "2021-12-15T04:46Z", "CNA-1215"),
    ("2025-06-27_CANADA_HIK", "earliest", "2025-06-28T01:28Z", "ANI-0628"),
    ("2025-06-27_CANADA_HIK", "latest", "2025-06-28T01:28Z", "ANI-0628"),
]
#: Announcement, security, column, value, source; no column where the row itself is new.
SECURITIES = [
    ("2020-11-29_SMIC_CMC_LEAK", "0883.HK", "", "", "TUO-1204"),
    ("2020-11-29_SMIC_CMC_LEAK", "0883.HK", "first_trade", "2020-11-30", "TUO-1204"),
    ("2018-08-01_SENATE_NDAA", "0763.HK", "expected_sign", "open", "CED-0727"),
    ("2018-08-13_NDAA_SIGNED", "000063.SZ", "first_trade", "2018-08-14", "CED-0727"),
    ("2018-08-01_EL_44", "002415.SZ", "session_earliest", "2018-08-01", "SYM-0801"),
    ("2021-12-15_CMIC8_LEAK", "603019.SS", "first_trade", "2021-12-15", "CNA-1215"),
    ("2021-12-15_CMIC8_LEAK", "300188.SZ", "first_trade", "2021-12-15", "CNA-1215"),
    ("2021-12-15_CMIC8_LEAK", "300367.SZ", "first_trade", "2021-12-15", "CNA-1215"),
    ("2021-12-15_CMIC8_LEAK", "300603.SZ", "first_trade", "2021-12-15", "CNA-1215"),
    ("2021-01-14_XIAOMI_CMC", "688012.SS", "unverified", "", "BUD-1218"),
    ("2021-01-14_XIAOMI_CMC", "688012.SS", "in_sources", "yes", "BUD-1218"),
    ("2024-01-31_HESAI", "688012.SS", "", "", "OSANC"),
    ("2024-01-31_HESAI", "300367.SZ", "", "", "OSANC"),
    ("2024-01-31_HESAI", "688070.SS", "unverified", "security", "OSANC"),
    ("2024-01-31_HESAI", "688239.SS", "unverified", "security", "OSANC"),
    ("2024-12-02_EL_140", "301269.SZ", "", "", "YIC-1204"),
    ("2024-12-02_EL_140", "688361.SS", "", "", "YIC-1204"),
    ("2024-12-02_EL_140", "688037.SS", "role", "affiliate", "YIC-1204"),
    ("2024-12-02_EL_140", "688082.SS", "", "", "YIC-1204"),
    ("2024-12-02_EL_140", "ACMR", "role", "affiliate", "YIC-1204"),
]
#: Announcement, security, words of a note or confounder, source.
TOLD = [
    ("2020-12-03_SMIC_CMC", "0981.HK", "suspended in the morning", "LDN-1204"),
    ("2020-12-03_SMIC_CMC", "0883.HK", "down 0.7 %", "TUO-1204"),
    ("2019-10-07_EL_28", "AMBA", "leak of the same day", "BF-1008"),
    ("2020-05-15_FDPR", "2330.TW", "no new orders from Huawei", "ECD-0520"),
    ("2020-08-06_WECHAT_EO", "0700.HK", "only WeChat is meant", "FORT-0807"),
]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return read()


@pytest.fixture(scope="module")
def bans() -> BanAnnouncements:
    return ban_announcements()


def row(tables: Tables, announcement: str, security: str) -> pd.Series:
    s = tables.securities
    return s[(s["announcement_id"] == announcement) & (s["security"] == security)].squeeze()


def cites(tables: Tables, announcement: str, source: str) -> bool:
    a, sources = tables.announcements.set_index("announcement_id"), tables.sources.set_index("source")
    return source in split(a.at[announcement, "sources"]) and sources.at[source, "status"] == "public"


@pytest.mark.parametrize(("announcement", "column", "value", "source"), ANNOUNCEMENTS)
def test_corrected_announcements(
    tables: Tables, announcement: str, column: str, value: str, source: str
) -> None:
    assert tables.announcements.set_index("announcement_id").at[announcement, column] == value
    assert cites(tables, announcement, source)


@pytest.mark.parametrize(("announcement", "security", "column", "value", "source"), SECURITIES)
def test_corrected_securities(
    tables: Tables, announcement: str, security: str, column: str, value: str, source: str
) -> None:
    found = row(tables, announcement, security)
    assert not found.empty
    assert not column or found[column] == value
    assert cites(tables, announcement, source)


@pytest.mark.parametrize(("announcement", "security", "words", "source"), TOLD)
def test_corrected_notes(tables: Tables, announcement: str, security: str, words: str, source: str) -> None:
    found = row(tables, announcement, security)
    text = found["note"] + found["confounder"]
    assert words in text
    assert source in text
    assert cites(tables, announcement, source)


@pytest.mark.parametrize(
    ("number", "announcement"),
    [(995680316458262533, "2018-05-13_ZTE_TWEET"), (1938771436988137969, "2025-06-27_CANADA_HIK")],
)
def test_times_of_posts_are_in_their_numbers(bans: BanAnnouncements, number: int, announcement: str) -> None:
    """Twitter numbers posts by milliseconds since 2010-11-04T01:42:54.657Z, in all but the last 22 bits."""
    posted = datetime(2010, 11, 4, 1, 42, 54, 657_000, UTC) + timedelta(milliseconds=number >> 22)
    assert bans.announcements.at[announcement, "latest"] == pd.Timestamp(posted).floor("min")


def test_shares_said_to_be_suspended_had_closes() -> None:
    close = surveillance_prices()["close"]
    assert close["002583.SZ"].notna().all()
    assert close.loc[["2019-10-08", "2019-10-09"], "300188.SZ"].tolist() == [16.86, 17.53]
    assert close.loc[["2019-10-08", "2019-10-09"], "002230.SZ"].notna().all()


def test_rows_of_those_shares_say_so(tables: Tables) -> None:
    for announcement in ("2018-05-24_HOUSE_NDAA", "2018-08-01_SENATE_NDAA", "2018-08-13_NDAA_SIGNED"):
        hytera = row(tables, announcement, "002583.SZ")
        assert (hytera["note"], hytera["unverified"], hytera["halted_from"]) == ("", "", "")
    meiya = row(tables, "2019-10-07_EL_28", "300188.SZ")
    assert (meiya["note"], meiya["unverified"]) == ("traded on 8 and 9 October", "")


def test_events_that_moved_are_in_the_change_log(bans: BanAnnouncements) -> None:
    log = bans.changes(since="1.0")
    moved = log[log["change"] == "moved"].set_index(["announcement_id", "security"])
    screened = bans.screen(sorted(bans.securities["mic"].unique()))
    screened = screened.set_index(["announcement_id", "security"])
    for key, change in moved.iterrows():
        now = screened.loc[key]
        told = now["left_out"] or f"event on {now['first_trade']:%Y-%m-%d}"
        assert change["after"] == told, key
    was = moved.loc[moved["before"].str.startswith("event on"), "before"]
    assert was.value_counts().to_dict() == {"event on 2021-12-17": 4, "event on 2020-12-04": 1}


def test_each_new_announcement_has_a_dated_public_source(bans: BanAnnouncements) -> None:
    log = bans.changes(since="1.0")
    added = log.loc[(log["change"] == "added") & (log["security"] == ""), "announcement_id"]
    assert len(added) == 37
    for announcement in added:
        cited = bans.sources.loc[split(bans.announcements.at[announcement, "sources"])]
        assert (cited["status"] == "public").all(), announcement
        assert (cited["publication"] != "").all(), announcement
        assert cited["date"].notna().any(), announcement


def test_new_words_of_the_schema_are_used(bans: BanAnnouncements) -> None:
    a, s = bans.announcements, bans.securities
    assert a.loc["2025-06-15_TW_SMIC", ["jurisdiction", "kind"]].tolist() == ["TW", "allied"]
    assert list(a.index[a["instrument"] == "biosecure"]) == [
        "2024-09-09_BIOSECURE",
        "2024-12-08_BIOSECURE_OUT",
    ]
    korea = s[s["mic"] == "XKRX"]
    assert korea["security"].tolist() == ["005930.KS", "000660.KS"]
    assert set(korea["benchmark"]) == {"^KS11"}
    assert set(korea["price_limit"]) == {"30"}
    assert (s["expected_sign"] == "open").sum() == 9


def test_changes_since(bans: BanAnnouncements) -> None:
    everything = bans.changes()
    assert set(everything["version"]) == {"2.0"}
    assert bans.changes("1.0").equals(everything)
    assert bans.changes("2.0").empty
    assert bans.changes("2026-11-28").equals(everything)
    assert bans.changes("2026-11-29").empty
    assert bans.version == "2.0"
    assert bans.date == pd.Timestamp("2026-11-28")
    selected = bans.between("2018-05-13", "2018-05-13").changes()
    assert set(selected["announcement_id"]) == {"2018-05-13_ZTE_TWEET"}
    with pytest.raises(Exception, match=r"since '3.0' is neither a version \(1.0, 2.0\) nor a day"):
        bans.changes("3.0")
