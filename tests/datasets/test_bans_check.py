"""The checker passes the bundled announcements and finds each kind of broken row."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from eventstudy.calendars import Exchange
from eventstudy.datasets import check as checker
from eventstudy.datasets.bans.schema import MARKETS, TABLES
from eventstudy.datasets.bans.tables import Tables, read, read_changes, typed
from eventstudy.datasets.check import check, check_changes, main

# exchange_calendars 4.13 on pandas 3.1, for the calendars of Hong Kong and Taiwan
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday is deprecated:DeprecationWarning")

NYT, EL28 = "2019-05-21_NYT_HIK", "2019-10-07_EL_28"
EL_ROW, LEAK, SMIC = f"{EL28}:002415.SZ", "2020-12-17_SMIC_EL_LEAK", "2020-12-18_SMIC_EL"

Break = Callable[[Tables], Tables]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return read()


@pytest.fixture(scope="module", autouse=True)
def _sessions_of_seoul_are_left_out() -> Iterator[None]:
    """Seoul's calendar takes seconds to make; the slow test of the command holds its rows to it."""
    sessions = checker._sessions

    def elsewhere(row: dict[str, str], earliest: str, latest: str) -> dict[str, str]:
        return {} if row["mic"] == "XKRX" else sessions(row, earliest, latest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker, "_sessions", elsewhere)
        yield


def put(table: str, row: str, column: str, value: str) -> Break:
    """Return what writes a value into one row."""

    def apply(tables: Tables) -> Tables:
        frame = getattr(tables, table).copy()
        keys = frame.iloc[:, 0]
        if table == "securities":
            keys = keys + ":" + frame["security"]
        assert (keys == row).sum() == 1
        assert frame.loc[keys == row, column].item() != value
        frame.loc[keys == row, column] = value
        return tables._replace(**{table: frame})

    return apply


def both(first: Break, second: Break) -> Break:
    return lambda tables: second(first(tables))


def twice(table: str, row: int) -> Break:
    def apply(tables: Tables) -> Tables:
        frame = getattr(tables, table)
        return tables._replace(**{table: frame.iloc[[*range(row + 1), *range(row, len(frame))]]})

    return apply


def unsorted(table: str) -> Break:
    return lambda tables: tables._replace(**{table: getattr(tables, table).iloc[::-1]})


def without(table: str, column: str) -> Break:
    return lambda tables: tables._replace(**{table: getattr(tables, table).drop(columns=column)})


A, S, R = "announcements", "securities", "sources"

BROKEN: dict[str, tuple[Break, tuple[str, str, str, str]]] = {
    "column missing": (without(A, "kind"), (A, "header", "columns", "missing: ['kind']")),
    "required value missing": (put(A, NYT, "title", ""), (A, NYT, "title", "is missing")),
    "blank at the end": (put(A, NYT, "title", "x "), (A, NYT, "title", "blanks")),
    "unknown kind": (put(A, NYT, "kind", "rumour"), (A, NYT, "kind", "'rumour' is not one of press_report")),
    "unknown instrument": (put(A, NYT, "instrument", "x"), (A, NYT, "instrument", "not one of")),
    "unknown stage": (put(A, NYT, "stage", "x"), (A, NYT, "stage", "not one of")),
    "unknown channel": (put(A, NYT, "channel", "x"), (A, NYT, "channel", "not one of")),
    "unknown precision": (put(A, NYT, "precision", "x"), (A, NYT, "precision", "not one of")),
    "unknown status": (put(A, NYT, "status", "sure"), (A, NYT, "status", "not one of")),
    "unknown jurisdiction": (put(A, NYT, "jurisdiction", "US; XX"), (A, NYT, "jurisdiction", "'XX'")),
    "list without blanks": (put(A, NYT, "entities", "A;B"), (A, NYT, "entities", "a list")),
    "time without zone": (put(A, NYT, "latest", "2019-05-22 01:15"), (A, NYT, "latest", "a time in UTC")),
    "time that does not exist": (
        put(A, NYT, "latest", "2019-05-32T01:15Z"),
        (A, NYT, "latest", "does not exist"),
    ),
    "day that does not exist": (
        put(S, EL_ROW, "halted_to", "2019-10-32"),
        (S, EL_ROW, "halted_to", "does not exist"),
    ),
    "flag": (put(S, EL_ROW, "in_sources", "Y"), (S, EL_ROW, "in_sources", "yes or no")),
    "announcement twice": (twice(A, 4), (A, "2018-06-13_ZTE_RESUME", "announcement_id", "more than once")),
    "security twice": (twice(S, 3), (S, "2018-04-16_ZTE_DENIAL:FNSR", "security", "more than once")),
    "source twice": (twice(R, 9), (R, "MOBNEWS", "source", "more than once")),
    "announcements out of order": (unsorted(A), (A, "rows", "announcement_id", "not in order")),
    "unverified column unknown": (put(A, NYT, "unverified", "hour"), (A, NYT, "unverified", "not a column")),
    "source unknown": (put(A, NYT, "sources", "SEED0; XX"), (A, NYT, "sources", "'XX' is not in")),
    "source in a note unknown": (
        put(S, EL_ROW, "note", "as told by [XX, WWP-1008]"),
        (S, EL_ROW, "note", "'XX' is not in"),
    ),
    "source not cited": (
        put(A, NYT, "sources", "ZH-NYT"),
        (R, "RTR-0522", "source", "no announcement cites"),
    ),
    "confirmation unknown": (put(A, LEAK, "confirmed_by", "x"), (A, LEAK, "confirmed_by", "no announcement")),
    "confirmation earlier": (put(A, SMIC, "confirmed_by", LEAK), (A, SMIC, "confirmed_by", "is not later")),
    "security of no announcement": (
        put(S, "2025-10-12_NEXPERIA:600745.SS", "announcement_id", "2025-10-12_X"),
        (S, "2025-10-12_X:600745.SS", "announcement_id", "no such announcement"),
    ),
    "nobody concerned": (
        put(A, "2019-05-20_CISA_DRONES", "private_entities", ""),
        (A, "2019-05-20_CISA_DRONES", "private_entities", "must name a private firm"),
    ),
    "listed firm without a row": (
        put(A, NYT, "entities", "Hikvision; Tencent"),
        (A, NYT, "entities", "'Tencent' is listed, Tencent (0700.HK), but has no row"),
    ),
    "leak without a security of its confirmation": (
        lambda tables: tables._replace(
            securities=tables.securities.drop(
                index=tables.securities.index[
                    (tables.securities["announcement_id"] == LEAK)
                    & (tables.securities["security"] == "0981.HK")
                ]
            )
        ),
        (A, LEAK, "confirmed_by", "has 0981.HK, the leak does not"),
    ),
    "window upside down": (
        put(A, NYT, "latest", "2019-05-21T20:59Z"),
        (A, NYT, "latest", "earlier than earliest"),
    ),
    "window too long": (put(A, NYT, "latest", "2019-05-22T21:01Z"), (A, NYT, "latest", "longer than a day")),
    "odd id": (
        both(
            put(A, "2025-10-12_NEXPERIA", "announcement_id", "2025-10-12 Nexperia"),
            put(S, "2025-10-12_NEXPERIA:600745.SS", "announcement_id", "2025-10-12 Nexperia"),
        ),
        (A, "2025-10-12 Nexperia", "announcement_id", "must look like"),
    ),
    "id of another day": (
        both(
            put(A, "2025-10-12_NEXPERIA", "announcement_id", "2025-10-20_NEXPERIA"),
            put(S, "2025-10-12_NEXPERIA:600745.SS", "announcement_id", "2025-10-20_NEXPERIA"),
        ),
        (A, "2025-10-20_NEXPERIA", "announcement_id", "not that of the window"),
    ),
    "no source": (put(A, "2018-08-01_EL_44", "sources", ""), (A, "2018-08-01_EL_44", "sources", "no source")),
    "no source others can find": (
        put(A, "2018-08-01_EL_44", "sources", "SEED0; GK"),
        (A, "2018-08-01_EL_44", "sources", "yet status is verified"),
    ),
    "verified and not": (put(A, NYT, "unverified", "latest"), (A, NYT, "status", "is verified, yet")),
    "partly verified, what not": (
        put(A, NYT, "status", "partly_verified"),
        (A, NYT, "unverified", "must say"),
    ),
    "public source without address": (put(R, "IPVM", "url", ""), (R, "IPVM", "url", "needs its address")),
    "address of an unverified source": (
        put(R, "GK", "url", "https://example.org"),
        (R, "GK", "status", "has an address, yet is unverified"),
    ),
    "one ticker, two companies": (
        put(S, EL_ROW, "company", "Hangzhou Hikvision"),
        (S, "002415.SZ", "company", "differs"),
    ),
    "ticker of another exchange": (
        put(S, f"{EL28}:AMBA", "mic", "XTKS"),
        (S, f"{EL28}:AMBA", "security", "should be 'AMBA.T'"),
    ),
    "unknown exchange": (put(S, EL_ROW, "mic", "XXXX"), (S, EL_ROW, "mic", "'XXXX' is not one of")),
    "wrong board": (put(S, EL_ROW, "board", "STAR"), (S, EL_ROW, "board", "should be 'main'")),
    "board where there is none": (
        put(S, f"{EL28}:AMBA", "board", "main"),
        (S, f"{EL28}:AMBA", "board", "should be 'empty'"),
    ),
    "wrong price limit": (put(S, EL_ROW, "price_limit", "20"), (S, EL_ROW, "price_limit", "should be '10'")),
    "growth board before its wider limit": (
        put(S, f"{EL28}:300188.SZ", "price_limit", "20"),
        (S, f"{EL28}:300188.SZ", "price_limit", "should be '10'"),
    ),
    "wrong benchmark": (
        put(S, EL_ROW, "benchmark", "000300.SS"),
        (S, EL_ROW, "benchmark", "should be '399001.SZ'"),
    ),
    "wrong session": (
        put(S, EL_ROW, "session_earliest", "2019-10-07"),
        (S, EL_ROW, "session_earliest", "2019-10-08 by the calendar"),
    ),
    "wrong session at the other end": (
        put(S, EL_ROW, "session_latest", "2019-10-09"),
        (S, EL_ROW, "session_latest", "2019-10-08 by the calendar"),
    ),
    "window moved over a close": (
        put(A, "2019-05-22_BBG_NAMES", "earliest", "2019-05-22T06:59Z"),
        (S, "2019-05-22_BBG_NAMES:002230.SZ", "session_earliest", "2019-05-22 by the calendar"),
    ),
    "wrong phase": (
        put(S, EL_ROW, "phase_latest", "intraday"),
        (S, EL_ROW, "phase_latest", "closed by the calendar"),
    ),
    "traded while suspended": (
        put(S, EL_ROW, "first_trade", "2019-10-08"),
        (S, EL_ROW, "first_trade", "2019-10-10 by the calendar"),
    ),
    "first trade of an ambiguous session": (
        put(S, "2018-10-29_JINHUA:MU", "first_trade", "2018-10-30"),
        (S, "2018-10-29_JINHUA:MU", "first_trade", "nothing by the calendar"),
    ),
    "half a suspension": (
        put(S, EL_ROW, "halted_to", ""),
        (S, EL_ROW, "halted_to", "first and last session"),
    ),
    "suspension upside down": (
        put(S, EL_ROW, "halted_to", "2019-10-07"),
        (S, EL_ROW, "halted_to", "first and last session"),
    ),
    "suspension that starts late": (
        put(S, EL_ROW, "halted_from", "2019-10-09"),
        (S, EL_ROW, "halted_from", "2019-10-08 by the calendar"),
    ),
}


def test_the_bundled_tables_are_sound(tables: Tables) -> None:
    assert check(tables) == []


@pytest.mark.quick(every=16)
@pytest.mark.parametrize("name", BROKEN)
def test_each_kind_of_broken_row_is_found(tables: Tables, name: str) -> None:
    apply, (table, row, column, message) = BROKEN[name]
    found = check(apply(tables))
    assert any((p.table, p.row, p.column) == (table, row, column) and message in p.message for p in found), (
        found
    )


@pytest.mark.quick("sources")
@pytest.mark.parametrize("table", TABLES)
def test_every_closed_vocabulary_is_checked(tables: Tables, table: str) -> None:
    for column, about in TABLES[table].items():
        if about.values is not None:
            frame = getattr(tables, table).copy()
            frame.loc[5, column] = "x"
            found = check(tables._replace(**{table: frame}))
            assert [(p.table, p.column) for p in found] == [(table, column)]


@pytest.mark.quick("sources")
@pytest.mark.parametrize("table", TABLES)
def test_every_required_column_is_checked(tables: Tables, table: str) -> None:
    for column, about in TABLES[table].items():
        if about.required:
            frame = getattr(tables, table).copy()
            frame.loc[5, column] = ""
            found = check(tables._replace(**{table: frame}))
            assert (table, column, "is missing") in [(p.table, p.column, p.message) for p in found]


def test_every_word_of_the_vocabularies_is_used(tables: Tables) -> None:
    unused = {
        (table, column): sorted(set(about.values) - {w for v in frame[column] for w in v.split("; ")})
        for table, frame in zip(TABLES, tables, strict=True)
        for column, about in TABLES[table].items()
        if about.values is not None
    }
    # What a new row may need and no row has yet.
    allowed = {("announcements", "status"): ["unverified"]}
    assert {key: words for key, words in unused.items() if words} == allowed


def test_a_problem_says_where(tables: Tables) -> None:
    (problem,) = check(put(A, NYT, "kind", "rumour")(tables))
    assert str(problem).startswith(
        f"announcements.csv, {NYT}, kind: 'rumour' is not one of press_report, leak"
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'eventstudy.datasets.check' found in sys.modules")
def test_the_command_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("eventstudy.datasets.check", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out == "110 announcements, 385 securities, 300 sources: no problems\n"


def test_the_command_fails_and_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tables: Tables
) -> None:
    broken = both(put(A, NYT, "kind", "rumour"), put(A, NYT, "stage", "rumour"))(tables)
    monkeypatch.setattr("eventstudy.datasets.check.read", lambda: broken)
    assert main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "110 announcements, 385 securities, 300 sources: 2 problems"


@pytest.mark.slow
def test_sessions_are_those_of_the_library_at_both_ends() -> None:
    """The checker maps times by itself, since datasets may not import calendars: both must agree."""
    announcements, securities, _ = typed()
    n = 0
    for mic, rows in securities.groupby("mic"):
        windows = announcements.loc[rows["announcement_id"]]
        for end in ("earliest", "latest"):
            reaction = Exchange(MARKETS[str(mic)].calendar).reaction(pd.DatetimeIndex(windows[end]))
            assert (reaction.session == rows[f"session_{end}"].to_numpy().astype("datetime64[D]")).all()
            n += len(rows)
    assert n == 2 * 385
    assert (securities["session_earliest"] != securities["session_latest"]).sum() == 18


def first_version(tables: Tables) -> Tables:
    """Take the changes back that the log tells of: the tables of version 1.0."""
    log = read_changes()
    frames = {
        "": tables.announcements.set_index("announcement_id"),
        "s": tables.securities.set_index(["announcement_id", "security"]),
    }
    for row in log[log["version"] != "1.0"].iloc[::-1].itertuples():
        frame = frames["s" if row.security else ""]
        key = (row.announcement_id, row.security) if row.security else row.announcement_id
        if row.change == "corrected":
            assert frame.at[key, row.column] == row.after
            frame.loc[key, row.column] = row.before
        elif row.change == "added":
            frames["s" if row.security else ""] = frame.drop(index=[key])
    announcements, securities = (frame.reset_index() for frame in frames.values())
    known = securities["announcement_id"].isin(announcements["announcement_id"])
    return Tables(announcements, securities[known], tables.sources)


def test_the_first_version_is_that_of_the_shared_facts(tables: Tables, shared_data: Path) -> None:
    """What differs from the facts beside the checkout is in the change log, and nothing else is."""
    folder = shared_data / "bans"
    events = pd.read_csv(folder / "events.csv", dtype=str, keep_default_na=False).sort_values("event_id")
    rows = pd.read_csv(folder / "event_securities.csv", dtype=str, keep_default_na=False)
    announcements, securities, _ = first_version(tables)
    for ours, theirs in {
        "announcement_id": "event_id",
        "earliest": "ann_utc_earliest",
        "latest": "ann_utc_latest",
        "precision": "precision",
        "channel": "source_type",
        "status": "date_status",
    }.items():
        assert announcements[ours].tolist() == events[theirs].tolist()
    assert announcements["sources"].tolist() == events["source_keys"].str.replace(";", "; ").tolist()
    assert announcements["jurisdiction"].tolist() == events["jurisdiction"].str.replace("/", "; ").tolist()
    same = securities.merge(
        rows, left_on=["announcement_id", "security"], right_on=["event_id", "ticker"], suffixes=("", "_raw")
    )
    assert len(same) == len(securities) == len(rows) == 233
    for ours, theirs in {
        "board": "board_raw",
        "expected_sign": "expected_sign_raw",
        "benchmark": "index_ticker",
        "session_earliest": "first_session_if_earliest",
        "session_latest": "first_session_if_latest",
        "first_trade": "first_tradable_session",
    }.items():
        assert (same[ours] == same[theirs]).all(), ours
    assert (same["mic"] == same["mic_raw"].replace("OTC", "OTCM")).all()
    assert (
        (same["session_earliest"] != same["session_latest"]) == (same["session_ambiguous"] == "YES")
    ).all()
    assert ((same["in_sources"] == "yes") == (same["ticker_seen_in_sources"] == "Y")).all()
    titles = events.set_index("event_id")["title"]
    assert (announcements.set_index("announcement_id")["title"] != titles).all()


def test_the_log_names_the_new_announcements(tables: Tables, shared_data: Path) -> None:
    folder = shared_data / "bans" / "proposed"
    found = pd.read_csv(folder / "bans_proposed_announcements.csv", dtype=str).set_index("announcement_id")
    ours = tables.announcements.set_index("announcement_id")
    assert set(found.index) <= set(ours.index)
    log = read_changes()
    added = log[(log["change"] == "added") & (log["security"] == "") & (log["announcement_id"] != "")]
    assert set(added["announcement_id"]) == set(found.index)


LOG_BROKEN = {
    "word": ("change", "changed", "change", "'changed' is not one of added"),
    "row": ("announcement_id", "2018-05-24_X", "announcement_id", "no row '2018-05-24_X'"),
    "column": ("column", "vote", "column", "'vote' is not a column"),
    "value": ("after", "passed 351 to 61", "citation", "last set to 'passed 351 to 61', but the table has"),
}


@pytest.mark.parametrize("name", LOG_BROKEN)
def test_a_broken_change_log_is_found(tables: Tables, name: str) -> None:
    column, value, where, message = LOG_BROKEN[name]
    log = read_changes()
    assert check_changes(tables, log) == []
    row = log.index[(log["announcement_id"] == "2018-05-24_HOUSE_NDAA") & (log["column"] == "citation")]
    log.loc[row, column] = value
    found = check_changes(tables, log)
    assert [(p.table, p.column) for p in found] == [("changes", where)]
    assert message in found[0].message


def test_files_are_written_as_pandas_writes_them(tables: Tables) -> None:
    """A round trip changes no byte, so that a changed row is the only difference."""
    for name, frame in zip(TABLES, tables, strict=True):
        text = files("eventstudy.datasets.bans").joinpath(f"{name}.csv").read_text(encoding="utf-8")
        assert frame.to_csv(index=False, lineterminator="\n") == text
