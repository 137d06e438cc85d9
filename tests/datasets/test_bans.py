"""Queries over the ban announcements, and what they become as events."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.datasets import BanAnnouncements, ban_announcements, surveillance_prices
from eventstudy.errors import EventError, ExcludedEventsWarning, OverlapWarning

HIKVISION, DAHUA = "002415.SZ", "002236.SZ"


@pytest.fixture(scope="module")
def bans() -> BanAnnouncements:
    return ban_announcements()


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


def ids(bans: BanAnnouncements) -> list[str]:
    return list(bans.announcements.index)


def test_counts(bans: BanAnnouncements) -> None:
    assert len(bans) == len(bans.announcements) == 110
    assert len(bans.securities) == 385
    assert len(bans.sources) == 300
    assert repr(bans) == (
        "BanAnnouncements 2.0 (2026-11-28): 110 announcements, 2018-04-16 to 2026-06-08, "
        "385 rows of 121 securities"
    )
    assert "<table" in bans._repr_html_()


def test_types(bans: BanAnnouncements) -> None:
    a, s = bans.announcements, bans.securities
    assert str(a["earliest"].dtype) == str(a["latest"].dtype) == "datetime64[ns, UTC]"
    assert (a["earliest"] <= a["latest"]).all()
    for column in ("session_earliest", "session_latest", "first_trade", "halted_from", "halted_to"):
        assert str(s[column].dtype) == "datetime64[ns]"
    assert s["in_sources"].dtype == bool
    assert bans.sources["date"].notna().sum() >= 70


def test_unverified_marks_are_carried(bans: BanAnnouncements) -> None:
    a = bans.announcements
    partly = a[a["status"] == "partly_verified"]
    assert list(partly.index) == ["2018-11-23_ALLIES", "2020-08-28_DOD_11"]
    assert partly["unverified"].str.contains("earliest; latest").all()
    assert a["time_evidence"].value_counts().to_dict() == {"assumed": 64, "stated": 28, "latest_stated": 18}
    named = bans.securities["unverified"] == "role"
    assert bans.securities.loc[named, "company"].tolist() == ["Changhong Meiling", "Unisplendour", "Wingtech"]


def test_nothing_can_be_changed(bans: BanAnnouncements) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        bans._firms = ("x",)  # type: ignore[misc]
    for name in ("announcements", "securities", "sources"):
        frame = getattr(bans, name)
        frame.iloc[:, 0] = frame.iloc[::-1, 0].to_numpy()
        frame["new"] = 1
        assert not getattr(bans, name).equals(frame)
        assert "new" not in getattr(ban_announcements(), name)
    before = repr(bans)
    bans.about("ZTE").kind("official").role("supplier").between("2018-01-01", "2018-12-31")
    assert repr(bans) == before


@pytest.mark.parametrize(
    ("asked", "n"), [("Hikvision", 25), ("hikvision", 25), (HIKVISION, 25), ("Huawei", 26), ("DJI", 7)]
)
def test_about(bans: BanAnnouncements, asked: str, n: int) -> None:
    assert len(bans.about(asked)) == n


def test_about_takes_whole_words(bans: BanAnnouncements) -> None:
    assert len(bans.about("Inspur")) == len(bans.about("inspur")) == 3
    assert set(bans.about("Inspur").securities["company"]) == {"Inspur Electronic", "Inspur Software"}
    with pytest.raises(EventError, match="No announcement names 'Insp'"):
        bans.about("Insp")
    with pytest.raises(EventError, match="No announcement names ''"):
        bans.about("")


def test_about_gives_the_firms_own_securities(bans: BanAnnouncements) -> None:
    assert set(bans.about("Hikvision").securities["security"]) == {HIKVISION}
    assert set(bans.about("ZTE").securities["security"]) == {"000063.SZ", "0763.HK"}
    assert set(bans.about("Nvidia").securities["role"]) == {"supplier"}


def test_about_twice_is_about_both(bans: BanAnnouncements) -> None:
    both = bans.about("Hikvision").about("Dahua")
    assert set(ids(both)) == set(ids(bans.about("Hikvision"))) & set(ids(bans.about("Dahua")))
    assert set(both.securities["security"]) == {HIKVISION, DAHUA}


def test_about_suggests(bans: BanAnnouncements) -> None:
    with pytest.raises(EventError, match=r"No announcement names 'Hikvison'\. Did you mean Hikvision"):
        bans.about("Hikvison")
    with pytest.raises(EventError, match=r"linked to 3 of them as supplier: choose these with .role"):
        bans.about("Skyworks")


def test_between_includes_both_days_and_counts_in_utc(bans: BanAnnouncements) -> None:
    assert ids(bans.between("2019-05-21", "2019-05-21")) == ["2019-05-21_NYT_HIK"]
    assert ids(bans.between("2019-05-23", "2019-05-23")) == ["2019-05-22_BBG_NAMES"]
    assert len(bans.between("2018-01-01", "2026-12-31")) == 110
    assert len(bans.between("2030-01-01", "2030-12-31")) == 0
    assert repr(bans.between("2030-01-01", "2030-12-31")) == "BanAnnouncements 2.0 (2026-11-28): none"
    assert bans.between("2030-01-01", "2030-12-31").securities.empty
    narrow = bans.between("2019-01-01", "2020-12-31").between("2020-01-01", "2021-12-31")
    assert ids(narrow) == ids(bans.between("2020-01-01", "2020-12-31"))


@pytest.mark.parametrize("day", ["yesterday", "2019-05-22 10:00", "2019-05-22T00:00Z", None])
def test_between_takes_days(bans: BanAnnouncements, day: str) -> None:
    with pytest.raises(EventError, match="is not a day"):
        bans.between(day, "2020-01-01")
    with pytest.raises(EventError, match="is not a day"):
        bans.between("2018-01-01", day)


def test_between_in_order(bans: BanAnnouncements) -> None:
    with pytest.raises(EventError, match="start 2020-01-01 is later than end 2019-01-01"):
        bans.between("2020-01-01", "2019-01-01")


def test_kind(bans: BanAnnouncements) -> None:
    counts = bans.announcements["kind"].value_counts()
    assert counts.sum() == 110
    for kind, n in counts.items():
        assert len(bans.kind(str(kind))) == n
    assert len(bans.kind("press_report", "leak")) == counts["press_report"] + counts["leak"]
    assert len(bans.kind("press_report").kind("leak")) == 0
    with pytest.raises(EventError, match="kind: 'rumour' is not one of press_report, leak, official"):
        bans.kind("rumour")
    with pytest.raises(EventError, match="kind: 'nothing' is not one of"):
        bans.kind()


def test_role(bans: BanAnnouncements) -> None:
    suppliers = bans.role("supplier")
    assert set(suppliers.securities["role"]) == {"supplier"}
    assert set(ids(suppliers)) == set(suppliers.securities["announcement_id"])
    assert len(bans.role("supplier").role("rival").securities) == 0
    assert len(bans.role("supplier", "rival").securities) == 99
    assert len(bans.role("target").securities) == 234
    with pytest.raises(EventError, match="role: 'vendor' is not one of target, affiliate, supplier"):
        bans.role("vendor")


def test_queries_commute(bans: BanAnnouncements) -> None:
    steps = [
        lambda b: b.about("Huawei"),
        lambda b: b.between("2018-06-01", "2020-12-31"),
        lambda b: b.kind("official", "press_report"),
        lambda b: b.role("supplier"),
    ]
    results = []
    for order in permutations(steps):
        selected = bans
        for step in order:
            selected = step(selected)
        results.append(selected)
    first = results[0]
    assert len(first) > 3
    for other in results[1:]:
        pd.testing.assert_frame_equal(other.announcements, first.announcements)
        pd.testing.assert_frame_equal(other.securities, first.securities)


def test_sources_are_those_of_the_selection(bans: BanAnnouncements) -> None:
    nyt = bans.between("2019-05-21", "2019-05-21").sources
    assert list(nyt.index) == [
        "SEED0",
        "SEED1",
        "SEED2",
        "SEED3",
        "AFP-0522",
        "RTR-0522",
        "ZH-NYT",
        "HEIS",
        "NZH-NYT",
    ]
    assert nyt.at["AFP-0522", "publication"] == "AFP (on France 24)"
    assert nyt.at["AFP-0522", "date"] == pd.Timestamp("2019-05-22")


def test_a_private_firm_names_suppliers_and_rivals(bans: BanAnnouncements) -> None:
    huawei = bans.about("Huawei")
    for ask in (lambda: huawei.securities, lambda: huawei.events("XNAS"), lambda: huawei.screen("XNAS")):
        with pytest.raises(EventError) as caught:
            ask()
        told = str(caught.value)
        assert told.startswith("Huawei was not listed, so it has no price. Linked to the 26 announcements")
        for name in (
            "suppliers: ",
            "Qualcomm (QCOM)",
            "TSMC (2330.TW, TSM)",
            "rivals: ",
            "Nokia (NOK, NOKIA.HE)",
        ):
            assert name in told
        assert ".role('supplier')" in told
    suppliers = huawei.between("2019-05-15", "2019-05-20").role("supplier").events("XNYS")
    assert set(suppliers.securities) == {"NPTN", "IPHI"}


def test_a_private_firm_without_listed_suppliers_says_so(bans: BanAnnouncements) -> None:
    with pytest.raises(EventError) as caught:
        bans.about("DJI").events("XSHE")
    told = str(caught.value)
    assert told.startswith(
        "DJI was not listed, so it has no price. No listed supplier or rival is linked to the 7 announcements"
    )
    assert "SMIC (0981.HK, 688981.SS)" in told
    assert ".role('target')" in told


def test_a_named_firm_without_a_security(bans: BanAnnouncements) -> None:
    with pytest.raises(EventError, match="No price of Panda is known here"):
        bans.about("Panda").events("XSHE")


def test_events_hold_all_facts(bans: BanAnnouncements) -> None:
    events = bans.about("Hikvision").between("2019-10-07", "2019-10-07").events("XSHE")
    row = events.frame.loc[f"2019-10-07_EL_28:{HIKVISION}"]
    assert row["security"] == HIKVISION
    assert row["announced_at"] == pd.Timestamp("2019-10-07T23:30Z")
    assert row["label"].startswith("28 entities over Xinjiang")
    assert row["group"] == "official"
    assert row["earliest"] == pd.Timestamp("2019-10-07T20:00Z")
    assert row["halted_to"] == pd.Timestamp("2019-10-09")
    assert row["sources"].startswith("HH-28; DOCS-28")
    have = set(events.frame.columns) | {"announcement_id"}
    renamed = {"title", "kind", "latest"}
    wanted = {c for c in bans.announcements.columns if c not in renamed} | set(bans.securities.columns)
    assert wanted <= have
    assert {"unverified", "unverified_announcement"} <= have


def test_what_is_left_out_by_default(bans: BanAnnouncements) -> None:
    everywhere = sorted(bans.securities["mic"].unique())
    screened = bans.screen(everywhere)
    assert len(screened) == 385
    assert screened["left_out"].value_counts().to_dict() == {
        "": 309, "confounded": 41, "ambiguous": 18, "duplicate": 7, "confirmation": 9, "index": 1,
    }  # fmt: skip
    reason = screened.set_index("event_id")["left_out"]
    assert reason["2019-05-22_BBG_FIVE:002415.SZ"] == "duplicate"
    # The denial order is first traded on the day on which the share resumes: one reaction, not two.
    assert reason["2018-06-13_ZTE_RESUME:000063.SZ"] == "duplicate"
    assert reason["2020-12-18_SMIC_EL:0981.HK"] == "confirmation"
    assert reason["2018-11-23_ALLIES:399001.SZ"] == "index"
    assert reason["2021-12-15_CMIC8_LEAK:603019.SS"] == ""
    assert reason["2021-12-16_CMIC8:603019.SS"] == "confirmation"
    kept = screened[screened["left_out"] == ""]
    assert not kept.duplicated(["security", "first_trade"]).any()
    assert screened["ambiguous"].sum() == 18
    assert screened["confounded"].sum() == 43


def test_pairs_are_marked_where_both_are_events(bans: BanAnnouncements) -> None:
    screened = bans.screen(["XHKG", "XSHG", "XSHE"]).set_index("event_id")
    leak, confirmed = "2020-12-17_SMIC_EL_LEAK", "2020-12-18_SMIC_EL"
    assert screened.at[f"{leak}:0981.HK", "confirmed_by"] == confirmed
    assert screened.at[f"{confirmed}:0981.HK", "confirms"] == f"{leak}:0981.HK"
    assert screened.at["2019-05-22_BBG_FIVE:002236.SZ", "same_session_as"] == "2019-05-21_NYT_HIK:002236.SZ"
    official = bans.kind("official").screen("XHKG").set_index("event_id")
    assert official.at[f"{confirmed}:0981.HK", "left_out"] == ""


@pytest.mark.parametrize(
    ("keep", "n"),
    [((), 309), ("index", 309), (["ambiguous"], 309 + 18 - 1), (["confounded"], 309 + 41),
     (["confirmation"], 309 + 9), ("duplicate", 309 + 7), ("all", 385)],
)  # fmt: skip
def test_keep(bans: BanAnnouncements, keep: str | list[str], n: int) -> None:
    """What is kept can be left out for another reason.

    The listing of August 2018 is ambiguous for Hikvision and confounded as well.
    """
    screened = bans.screen(sorted(bans.securities["mic"].unique()), keep=keep)
    assert (screened["left_out"] == "").sum() == n


def test_left_out_rows_are_counted_in_a_warning(bans: BanAnnouncements) -> None:
    hikvision = bans.about("Hikvision")
    with pytest.warns(
        ExcludedEventsWarning, match=r"5 of 25 rows are left out \(3 confounded, 1 ambiguous, 1 duplicate\)"
    ):
        assert len(hikvision.events("XSHE")) == 20
    assert len(hikvision.events("XSHE", keep="all")) == 25


def test_events_of_every_market_with_everything_kept(bans: BanAnnouncements) -> None:
    total = 0
    for mic, rows in bans.securities.groupby("mic"):
        events = bans.events(str(mic), keep="all")
        assert len(events) == len(rows)
        total += len(events)
    assert total == 385


def test_an_ambiguous_event_has_the_session_of_the_latest_moment(bans: BanAnnouncements) -> None:
    hesai = bans.about("Hesai")
    with pytest.raises(EventError, match=r"No event is left: all 1 rows are left out \(1 ambiguous\)"):
        hesai.events("XNAS")
    row = hesai.events("XNAS", keep="ambiguous").frame.iloc[0]
    assert row["ambiguous"]
    assert row["announced_at"] == pd.Timestamp("2024-02-01T14:25Z")


def test_events_refuse_what_they_do_not_know(bans: BanAnnouncements) -> None:
    with pytest.raises(EventError, match="keep: 'doubtful' is not one of index, ambiguous"):
        bans.events("XSHE", keep=["doubtful"])
    with pytest.raises(EventError, match="market: 'NASDAQ' is not one of XSHE, XSHG"):
        bans.events("NASDAQ")
    with pytest.raises(EventError, match="market: 'nothing' is not one of"):
        bans.events([])
    with pytest.raises(EventError, match=r"listed on XNAS; its exchanges: XSHE\."):
        bans.about("Hikvision").events("XNAS")


def test_events_make_a_round_trip(bans: BanAnnouncements) -> None:
    events = bans.about("ZTE").role("supplier").between("2018-04-01", "2018-05-31").events("XNAS")
    again = es.Events(events.frame.drop(columns=["announced_local"]).dropna(axis=1, how="all"))
    pd.testing.assert_series_equal(again.frame["announced_at"], events.frame["announced_at"])
    assert list(again.frame.index) == list(events.frame.index)


def test_events_of_a_market_object(bans: BanAnnouncements, market: es.Market) -> None:
    selected = bans.between("2019-05-21", "2019-10-07")
    events = selected.events(market, keep="duplicate")
    assert set(events.securities) == {HIKVISION, DAHUA, "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"}
    us = es.Market(pd.DataFrame({"AAPL": [0.0, 0.1]}, index=pd.to_datetime(["2019-01-02", "2019-01-03"])))
    with pytest.raises(EventError, match=r"listed in that market; its exchanges: "):
        selected.events(us)


def test_hikvision_through_a_study(bans: BanAnnouncements, market: es.Market) -> None:
    selection = bans.about("Hikvision").between("2018-05-24", "2019-10-07")
    with pytest.warns(ExcludedEventsWarning, match="4 of 11 rows are left out"):
        events = selection.events("XSHE")
    study = es.EventStudy(market, events, estimation=(-200, -21), window=(-1, 1))
    with pytest.warns(OverlapWarning):
        results = study.fit()
    assert len(results.car(0, 0)) == 7
    nyt = f"2019-05-21_NYT_HIK:{HIKVISION}"
    assert results.car(0, 0).at[nyt, "actual"] == pytest.approx(-0.0554, abs=5e-5)
    first_trade = events.frame["first_trade"]
    assert (results.timeline["day_0"] == first_trade).all()
    # Suspended on 8 and 9 October 2019: the listing is measured on the 10th.
    assert str(results.timeline["day_0"].iloc[-1].date()) == "2019-10-10"
