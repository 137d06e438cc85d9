"""Official lists: read as downloaded, compared with another version and with the bundled securities.

The files in ``lists`` have the columns and the layout of the official ones; names of real firms are those of
the lists, which are works of the US government; firms called Example are made up.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.datasets import EntityList, ban_announcements, entity_list
from eventstudy.datasets.bans.schema import TABLES
from eventstudy.datasets.bans.tables import read, read_aliases
from eventstudy.datasets.check import check
from eventstudy.errors import DataError, DataWarning, EventError

LISTS = Path(__file__).parent / "lists"
SMIC = "Semiconductor Manufacturing International Corporation (SMIC)"
ENTITY_LIST = "Entity List (EL) - Bureau of Industry and Security"


@pytest.fixture(scope="module")
def old() -> EntityList:
    return entity_list(LISTS / "consolidated_2019.csv")


@pytest.fixture(scope="module")
def new() -> EntityList:
    return entity_list(str(LISTS / "consolidated_2020.csv"))


def test_entities_have_dates_and_citations(new: EntityList) -> None:
    assert repr(new) == "EntityList: 6 entities of 3 lists, added 2019-04-11 to 2020-12-22"
    assert len(new) == 6
    rows = new.entities.set_index("name")
    hikvision = rows.loc["Hikvision"]
    assert hikvision["added"] == pd.Timestamp("2019-10-09")
    assert hikvision["citation"] == "84 FR 54004"
    assert hikvision["country"] == "CN"
    assert hikvision["aliases"] == (
        "Hangzhou Hikvision Digital Technology Co., Ltd.; Hangzhou Haikang Weishi Digital Technology"
    )
    assert rows["instrument"].to_dict() == {
        "Huawei Technologies Co., Ltd.": "entity_list",
        "Hikvision": "entity_list",
        "Example Instruments Co.": "unverified_list",
        SMIC: "entity_list",
        "Example Chip Design Ltd.": "entity_list",
        "EXAMPLE SHIPPING LINE": "sdn_list",
    }
    assert pd.isna(rows.at["EXAMPLE SHIPPING LINE", "added"])


def test_csv_and_json_of_the_screening_list_say_the_same(new: EntityList) -> None:
    pd.testing.assert_frame_equal(entity_list(LISTS / "consolidated_2020.json").entities, new.entities)


def test_json_may_be_the_results_alone(new: EntityList, tmp_path: Path) -> None:
    content = json.loads((LISTS / "consolidated_2020.json").read_text(encoding="utf-8"))
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content["results"]), encoding="utf-8")
    pd.testing.assert_frame_equal(entity_list(path).entities, new.entities)


def test_entities_cannot_be_changed(new: EntityList) -> None:
    frame = new.entities
    frame.loc[:, "name"] = "x"
    assert "x" not in set(new.entities["name"])


def test_differences_between_two_versions(old: EntityList, new: EntityList) -> None:
    rows = new.changes(since=old)
    told = rows[["change", "name", "column", "before", "after"]].to_numpy().tolist()
    assert told == [
        ["added", SMIC, "", "", ""],
        ["added", "Example Chip Design Ltd.", "", "", ""],
        ["removed", "Example Optics Ltd.", "", "", ""],
        ["changed", "Huawei Technologies Co., Ltd.", "citation", "84 FR 22963", "84 FR 22963; 85 FR 29853"],
    ]
    assert new.changes(since=new).empty
    back = old.changes(since=new)
    assert back["change"].value_counts().to_dict() == {"removed": 2, "added": 1, "changed": 1}


def test_proposals_are_by_name_or_alias_and_say_which(old: EntityList, new: EntityList) -> None:
    found = new.proposals(since=old)
    assert found["security"].tolist() == ["0981.HK", "688981.SS"]
    assert set(found["matched"]) == {"Semiconductor Manufacturing International"}
    assert set(found["found_in"]) == {SMIC}
    assert set(found["known"]) == {"2020-12-17_SMIC_EL_LEAK; 2020-12-18_SMIC_EL"}
    everything = new.proposals()
    assert set(everything["company"]) == {"Hikvision", "SMIC"}  # Huawei is not listed
    hikvision = everything[everything["company"] == "Hikvision"].iloc[0]
    assert hikvision["known"] == "2019-10-07_EL_28"
    assert new.proposals("2020-01-01").equals(found)
    assert new.proposals("2030-01-01").empty


def test_proposals_take_whole_words(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    head = "source,name,alt_names,addresses,federal_register_notice,start_date\n"
    path.write_text(f"{head}{ENTITY_LIST},Dahuatech,,CN,1 FR 1,2019-10-09\n", encoding="utf-8")
    assert entity_list(path).proposals().empty
    path.write_text(
        f"{head}{ENTITY_LIST},Zhejiang DAHUA Technology,,CN,1 FR 1,2019-10-09\n", encoding="utf-8"
    )
    assert entity_list(path).proposals()["security"].tolist() == ["002236.SZ"]


def test_reading_and_proposing_add_nothing(new: EntityList) -> None:
    before = repr(ban_announcements())
    sheet = new.worksheet()
    assert sheet.securities.empty
    assert repr(ban_announcements()) == before


def test_worksheet_has_the_columns_of_the_dataset_and_empty_cells_to_fill(
    old: EntityList, new: EntityList
) -> None:
    sheet = new.worksheet(old, accepted=new.proposals(old))
    for frame, columns in zip(sheet, TABLES.values(), strict=True):
        assert list(frame) == list(columns)
    (announcement,) = sheet.announcements.to_dict("records")
    assert announcement["announcement_id"] == "2020-12-22_ENTITY_LIST"
    assert announcement["entities"] == f"{SMIC}; Example Chip Design Ltd."
    assert announcement["citation"] == "85 FR 83420"
    assert announcement["effective"] == "2020-12-22"
    assert [announcement[c] for c in ("title", "earliest", "latest", "channel")] == [""] * 4
    assert sheet.securities["security"].tolist() == ["0981.HK", "688981.SS"]
    assert sheet.securities["benchmark"].tolist() == ["^HSI", "000001.SS"]
    assert (sheet.securities["session_latest"] == "").all()
    assert sheet.sources["publication"].tolist() == [ENTITY_LIST]


def test_no_worksheet_passes_the_check_before_it_is_completed(old: EntityList, new: EntityList) -> None:
    sheet, tables = new.worksheet(old, accepted=new.proposals(old)), read()
    whole = tables._replace(
        **{
            name: pd.concat([getattr(tables, name), getattr(sheet, name)], ignore_index=True)
            for name in TABLES
        }
    )
    found = {(p.row, p.column) for p in check(whole) if p.message == "is missing"}
    assert ("2020-12-22_ENTITY_LIST", "title") in found
    assert ("2020-12-22_ENTITY_LIST", "earliest") in found
    assert ("2020-12-22_ENTITY_LIST:0981.HK", "session_latest") in found


def test_worksheet_takes_only_its_own_entities(old: EntityList, new: EntityList) -> None:
    with pytest.raises(DataError, match=r"'Hikvision' .* is not an entity of this worksheet"):
        new.worksheet(old, accepted=new.proposals())


def test_entity_list_of_the_code_of_federal_regulations() -> None:
    rows = entity_list(LISTS / "part_744.xml").entities
    assert rows["name"].tolist() == ["Dahua Technology", SMIC, "Example Optique"]
    assert rows["added"].dt.strftime("%Y-%m-%d").tolist() == ["2019-10-09", "2020-12-22", "2015-03-02"]
    assert rows.at[1, "citation"] == "85 FR 83420, 12/22/20. 85 FR 83769, 12/23/20."
    assert rows.at[1, "aliases"].split("; ") == [
        "Semiconductor Manufacturing International (Shanghai) Corporation",
        "SMIC Shanghai Co., Ltd.",
        "Semiconductor Mfg International",
    ]
    assert rows["country"].tolist() == ["China, People's Republic Of"] * 2 + ["France"]


def test_notice_of_the_1260h_list() -> None:
    with pytest.warns(DataWarning, match=r"paragraphs or rows.*1 of them: \(Subsidiaries follow"):
        found = entity_list(LISTS / "notice_1260h.htm")
    rows = found.entities
    assert rows["name"].tolist() == [
        "360 Security Technology Inc.",
        "Contemporary Amperex Technology Co., Ltd.",
        "Hangzhou Hikvision Digital Technology Co., Ltd.",
        "Semiconductor Manufacturing International Corporation",
        "Example Aviation Industry Corporation of the Northern Provinces Company Limited",
        "Tencent Holdings Limited",
        "Example Batteries Co., Ltd.",
    ]
    assert rows["aliases"].tolist()[:2] == ["Qihoo 360", "CATL"]
    assert set(rows["instrument"]) == {"cmc_list"}
    assert set(rows["citation"]) == {"90 FR 1105"}
    assert set(rows["added"]) == {pd.Timestamp("2025-01-07")}
    proposed = found.proposals()
    assert proposed.groupby("company")["security"].agg(list).to_dict() == {
        "CATL": ["300750.SZ"],
        "Hikvision": ["002415.SZ"],
        "Qihoo 360": ["601360.SS"],
        "SMIC": ["0981.HK", "688981.SS"],
        "Tencent": ["0700.HK", "TCEHY"],
    }
    assert proposed.set_index("security").at["300750.SZ", "known"] == "2025-01-06_1260H"


def test_a_web_page_of_the_notice_is_read_like_its_text(tmp_path: Path) -> None:
    path = tmp_path / "notice.html"
    path.write_text(
        "<html><body><h1>Federal Register / Vol. 90, No. 4 / Tuesday, January 7, 2025 / Notices</h1>"
        "<h2>SUPPLEMENTARY INFORMATION:</h2><p>Section 1260H requires a list.</p><ul>"
        "<li>Contemporary Amperex Technology Co., Ltd. (CATL)</li>"
        "<li>Example &amp; Sons Company Limited</li></ul>"
        "<p>Dated: January 3, 2025.</p></body></html>",
        encoding="utf-8",
    )
    rows = entity_list(path).entities
    assert rows["name"].tolist() == [
        "Contemporary Amperex Technology Co., Ltd.",
        "Example & Sons Company Limited",
    ]
    assert set(rows["citation"]) == {"90 FR"}


WRONG = {
    "nothing": ("", "is not an official list in a known format"),
    "other table": ("name,date\nx,y\n", "is not an official list in a known format"),
    "other JSON": ('{"results": [{"title": "x"}]}', "is not the JSON of the Consolidated Screening List"),
    "cut JSON": ('{"results": [', "is not the JSON of the Consolidated Screening List"),
    "empty JSON": ('{"results": []}', "names no entity"),
    "column missing": (
        "name,federal_register_notice\nx,y\n",
        "lacks columns .*: source, alt_names, addresses",
    ),
    "no day": (
        "source,name,alt_names,addresses,federal_register_notice,start_date\n"
        f"{ENTITY_LIST},x,,CN,1 FR 1,9 May\n",
        "entry 1: start_date '9 May' is not a day",
    ),
    "broken XML": ("<DIV9><TR></DIV9>", "is not well-formed XML"),
    "other part": ("<DIV5><TABLE><TR><TD>x</TD></TR></TABLE></DIV5>", "has no supplement no. 4"),
    "notice without head": ("Section 1260H\n\n    Example Co., Ltd.\n", "the head of the notice"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_list_is_refused(name: str, tmp_path: Path) -> None:
    text, message = WRONG[name]
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        entity_list(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as text"):
        entity_list(tmp_path / "absent.csv")
    (tmp_path / "list.pdf").write_bytes(b"%PDF-1.7\xff\xfe")
    with pytest.raises(DataError, match="cannot be read as text"):
        entity_list(tmp_path / "list.pdf")


def test_since_is_a_list_or_a_day(new: EntityList) -> None:
    with pytest.raises(EventError, match="since 'last week' is neither an EntityList nor a day"):
        new.proposals("last week")


def test_aliases_are_of_companies_of_the_dataset() -> None:
    aliases = read_aliases()
    assert set(aliases["company"]) <= set(ban_announcements().securities["company"])
    assert not aliases.duplicated().any()
    assert es.datasets.entity_list is entity_list
