"""Check the ban announcements: ``python -m eventstudy.datasets.check``.

Run it after adding or changing a row: it prints what is wrong, one line each, and then exits with 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from eventstudy.datasets.bans.firms import matches
from eventstudy.datasets.bans.schema import CHANGES, MARKETS, TABLES, Column
from eventstudy.datasets.bans.tables import Tables, read, read_changes, split

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

__all__ = ["Problem", "check", "check_changes", "main"]

LIST_NAMES = re.compile(r"[^;]+(; [^;]+)*")
IDENTIFIER = re.compile(r"\d{4}-\d{2}-\d{2}_[A-Z0-9_]+")
FORMS = {
    "day": (re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d", "a day such as 2019-05-22"),
    "time": (
        re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z"),
        "%Y-%m-%dT%H:%MZ",
        "a time in UTC such as 2019-05-21T21:00Z",
    ),
    "flag": (re.compile(r"yes|no"), None, "yes or no"),
    "list": (LIST_NAMES, None, "a list with '; ' between its names"),
}
CHINEXT_20 = "2020-08-24"  # daily limit of Shenzhen's growth board: 10% before, 20% from then on
ONE_DAY = pd.Timedelta(days=1)


class Problem(NamedTuple):
    """What is wrong, and where."""

    table: str
    row: str
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.table}.csv, {self.row}, {self.column}: {self.message}"


def check(tables: Tables) -> list[Problem]:
    """Return everything that is wrong with the tables.

    Parameters
    ----------
    tables : Tables
        All text, as `eventstudy.datasets.bans.tables.read` returns them.

    Returns
    -------
    list of Problem
        Empty if all is well. What can only be checked of well-formed tables (references, windows,
        sessions) is checked once each value is well-formed.

    Examples
    --------
    >>> from eventstudy.datasets.bans.tables import read
    >>> from eventstudy.datasets.check import check
    >>> tables = read()
    >>> problem, *others = check(tables._replace(sources=tables.sources.drop(columns="url")))
    >>> print(problem)
    sources.csv, header, columns: columns missing: ['url']; unknown: []
    """
    found = [problem for name, frame in zip(TABLES, tables, strict=True) for problem in _shape(name, frame)]
    if found:
        return found
    found = [problem for name, frame in zip(TABLES, tables, strict=True) for problem in _values(name, frame)]
    if found:
        return found
    rules = (_references, _named, _leaks, _announcements, _sources, _securities)
    return [problem for rule in rules for problem in rule(tables)]


def check_changes(tables: Tables, log: pd.DataFrame) -> list[Problem]:
    """Return what of the change log does not agree with the tables.

    Parameters
    ----------
    tables : Tables
        All text.
    log : DataFrame
        All text, as `eventstudy.datasets.bans.tables.read_changes` returns it.

    Returns
    -------
    list of Problem
        Words that are not known, rows that do not exist, and columns whose value is not that of the last
        correction.
    """
    frames = {"": tables.announcements.set_index("announcement_id")}
    frames["securities"] = tables.securities.set_index(["announcement_id", "security"])
    last: dict[tuple[str, ...], str] = {}
    found = []
    for number, row in enumerate(_records(log), start=2):

        def problem(column: str, message: str, line: int = number) -> None:
            found.append(Problem("changes", f"line {line}", column, message))

        for name, about in CHANGES.items():
            message = _wrong_value(row[name], about)
            if message:
                problem(name, message)
        if not row["announcement_id"]:
            continue
        frame = frames["securities" if row["security"] else ""]
        key = (row["announcement_id"], row["security"]) if row["security"] else row["announcement_id"]
        if key not in frame.index:
            problem("announcement_id", f"no row {key!r}")
        elif row["change"] == "corrected":
            if row["column"] not in frame:
                problem("column", f"{row['column']!r} is not a column")
            else:
                last[row["announcement_id"], row["security"], row["column"]] = row["after"]
    for (announcement_id, security, column), after in last.items():
        key = (announcement_id, security) if security else announcement_id
        now = frames["securities" if security else ""].at[key, column]
        if now != after:
            name = f"{announcement_id}:{security}" if security else announcement_id
            message = f"last set to {after!r}, but the table has {now!r}"
            found.append(Problem("changes", name, column, message))
    return found


def _shape(table: str, frame: pd.DataFrame) -> Iterator[Problem]:
    want, have = list(TABLES[table]), list(frame.columns)
    if want != have:
        odd = [name for name in have if name not in want]
        lacking = [name for name in want if name not in have]
        message = f"columns missing: {lacking}; unknown: {odd}" if odd or lacking else f"order must be {want}"
        yield Problem(table, "header", "columns", message)


def _values(table: str, frame: pd.DataFrame) -> Iterator[Problem]:
    for name, column in TABLES[table].items():
        for row, value in zip(_row_names(table, frame), frame[name], strict=True):
            message = _wrong_value(value, column)
            if message:
                yield Problem(table, row, name, message)
    keys = list(frame.columns[:2] if table == "securities" else frame.columns[:1])
    for row in frame.index[frame.duplicated(keys)]:
        yield Problem(table, _row_names(table, frame)[row], keys[-1], "stands more than once")
    if table != "sources" and not frame["announcement_id"].is_monotonic_increasing:
        yield Problem(table, "rows", "announcement_id", "not in order: sort the rows by announcement_id")
    if "unverified" in frame:
        for row, value in zip(_row_names(table, frame), frame["unverified"], strict=True):
            for name in split(value):
                if name not in frame:
                    yield Problem(table, row, "unverified", f"{name!r} is not a column of this table")


def _wrong_value(value: str, column: Column) -> str | None:
    if value != value.strip():
        return f"{value!r} has blanks at its ends"
    if not value:
        return "is missing" if column.required else None
    if column.form in FORMS:
        pattern, form, told = FORMS[column.form]
        if not pattern.fullmatch(value):
            return f"{value!r} is not {told}"
        if form and pd.isna(pd.to_datetime(value, format=form, errors="coerce")):
            return f"{value!r} does not exist"
    for word in split(value) if column.form == "list" else [value]:
        if column.values is not None and word not in column.values:
            return f"{word!r} is not one of {', '.join(column.values)}"
    return None


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return [dict(zip(frame.columns, values, strict=True)) for values in frame.to_numpy()]


def _row_names(table: str, frame: pd.DataFrame) -> list[str]:
    first = frame.iloc[:, 0]
    return list(first + ":" + frame["security"] if table == "securities" else first)


def _references(tables: Tables) -> Iterator[Problem]:
    a, s, sources = tables
    ids, keys_known, linked = set(a["announcement_id"]), set(sources["source"]), set(s["announcement_id"])
    cited: set[str] = set()
    for row in _records(a):
        keys = split(row["sources"])
        cited |= set(keys)
        for key in keys:
            if key not in keys_known:
                yield Problem(
                    "announcements", row["announcement_id"], "sources", f"{key!r} is not in sources.csv"
                )
        if row["confirmed_by"] and row["confirmed_by"] not in ids:
            message = f"no announcement {row['confirmed_by']!r}"
            yield Problem("announcements", row["announcement_id"], "confirmed_by", message)
    for row in _records(sources):
        if row["source"] not in cited:
            yield Problem("sources", row["source"], "source", "no announcement cites it")
    for row, name in zip(_records(s), _row_names("securities", s), strict=True):
        if row["announcement_id"] not in ids:
            yield Problem("securities", name, "announcement_id", "no such announcement")
    for row in _records(a):
        if row["announcement_id"] not in linked and not row["private_entities"]:
            message = "has no security, so it must name a private firm"
            yield Problem("announcements", row["announcement_id"], "private_entities", message)
    for table, frame, columns in (
        ("announcements", a, ["time_note", "confounders"]),
        ("securities", s, ["confounder", "note"]),
    ):
        for column in columns:
            for name, text in zip(_row_names(table, frame), frame[column], strict=True):
                for key in (k for keys in re.findall(r"\[([^\]]+)\]", text) for k in keys.split(", ")):
                    if key not in keys_known:
                        yield Problem(table, name, column, f"source {key!r} is not in sources.csv")


def _named(tables: Tables) -> Iterator[Problem]:
    """Find firms that an announcement names and that are listed and traded, but have no row in it."""
    s = tables.securities
    ticker = s.drop_duplicates("company").set_index("company")["security"]
    own = s.groupby("announcement_id")["company"].agg(set)
    halts = s.loc[s["halted_to"] != "", ["company", "halted_from", "halted_to"]].to_numpy().tolist()
    for row in _records(tables.announcements):
        have = own.get(row["announcement_id"], set())
        day = row["latest"][:10]
        suspended = {company for company, start, end in halts if start <= day < end}
        for name in split(row["entities"]):
            if name in split(row["private_entities"]) or any(
                _same(name, other) for other in have | suspended
            ):
                continue
            listed = [f"{company} ({ticker[company]})" for company in ticker.index if _same(name, company)]
            if listed:
                message = f"{name!r} is listed, {listed[0]}, but has no row in securities.csv"
                yield Problem("announcements", row["announcement_id"], "entities", message)


def _same(name: str, company: str) -> bool:
    return matches(name, company) or matches(company, name)


def _leaks(tables: Tables) -> Iterator[Problem]:
    """Find securities that a confirmation hits and its leak lacks though it names them."""
    s = tables.securities
    hit = s[s["role"].isin(["target", "affiliate"])]
    for row in _records(tables.announcements):
        if row["kind"] != "leak" or not row["confirmed_by"]:
            continue
        have = set(s.loc[s["announcement_id"] == row["announcement_id"], "security"])
        of = hit[hit["announcement_id"] == row["confirmed_by"]]
        for security, company in zip(of["security"], of["company"], strict=True):
            if security not in have and any(_same(name, company) for name in split(row["entities"])):
                message = f"the confirmation {row['confirmed_by']} has {security}, the leak does not"
                yield Problem("announcements", row["announcement_id"], "confirmed_by", message)


def _announcements(tables: Tables) -> Iterator[Problem]:
    latest = dict(zip(tables.announcements["announcement_id"], tables.announcements["latest"], strict=True))
    status = dict(zip(tables.sources["source"], tables.sources["status"], strict=True))
    for row in _records(tables.announcements):

        def problem(column: str, message: str, row_id: str = row["announcement_id"]) -> Problem:
            return Problem("announcements", row_id, column, message)

        start, end = pd.Timestamp(row["earliest"]), pd.Timestamp(row["latest"])
        if start > end:
            yield problem("latest", f"{row['latest']} is earlier than earliest, {row['earliest']}")
        elif end - start > ONE_DAY:
            yield problem("latest", "the window is longer than a day; narrow it or leave the row out")
        if not IDENTIFIER.fullmatch(row["announcement_id"]):
            yield problem("announcement_id", "must look like 2019-05-21_NYT_HIK")
        else:
            day = pd.to_datetime(row["announcement_id"][:10], errors="coerce", utc=True)
            if pd.isna(day) or not start - 2 * ONE_DAY <= day <= end + ONE_DAY:
                yield problem("announcement_id", "its date is not that of the window")
        if row["confirmed_by"] and latest.get(row["confirmed_by"], row["latest"]) <= row["latest"]:
            yield problem("confirmed_by", f"{row['confirmed_by']} is not later")
        public = [key for key in split(row["sources"]) if status.get(key) == "public"]
        if row["status"] != "unverified" and not public:
            yield problem("sources", f"no source that others can find, yet status is {row['status']}")
        if row["status"] == "verified" and {"earliest", "latest", "title"} & set(split(row["unverified"])):
            yield problem("status", "is verified, yet `unverified` names its day or content")
        if row["status"] == "partly_verified" and not row["unverified"]:
            yield problem("unverified", "must say which columns are not verified")


def _sources(tables: Tables) -> Iterator[Problem]:
    for row in _records(tables.sources):
        if row["status"] == "public" and not re.fullmatch(r"https?://\S+", row["url"]):
            yield Problem("sources", row["source"], "url", "a public source needs its address")
        if row["status"] != "public" and row["url"]:
            yield Problem("sources", row["source"], "status", f"has an address, yet is {row['status']}")


def _securities(tables: Tables) -> Iterator[Problem]:
    s = tables.securities
    windows = {row["announcement_id"]: row for row in _records(tables.announcements)}
    for column in ("company", "mic"):
        several = s.groupby("security")[column].nunique()
        for security in several.index[several > 1]:
            yield Problem("securities", str(security), column, "differs between its rows")
    for row, name in zip(_records(s), _row_names("securities", s), strict=True):
        for column, expected in _of_market(row).items():
            if row[column] != expected:
                message = f"{row[column]!r} should be {expected or 'empty'!r} ({row['mic']})"
                yield Problem("securities", name, column, message)
        if row["announcement_id"] not in windows:
            continue
        if bool(row["halted_from"]) != bool(row["halted_to"]) or row["halted_from"] > row["halted_to"]:
            yield Problem("securities", name, "halted_to", "a suspension needs its first and last session")
            continue
        window = windows[row["announcement_id"]]
        for column, expected in _sessions(row, window["earliest"], window["latest"]).items():
            if row[column] != expected:
                message = f"{row[column] or 'nothing'} written, {expected or 'nothing'} by the calendar"
                yield Problem("securities", name, column, message)


def _of_market(row: dict[str, str]) -> dict[str, str]:
    """Return what ticker and exchange imply; a ticker of another exchange shows up as another `security`."""
    rule, code = MARKETS[row["mic"]], row["security"].split(".")[0]
    suffix = row["security"][len(code) :]
    out = {"security": code + rule.suffix, "benchmark": rule.benchmark, "board": "", "price_limit": "none"}
    if suffix != rule.suffix:
        return out
    if row["mic"] in ("XSHE", "XSHG"):
        growth = row["mic"] == "XSHE" and code[:3] in ("300", "301")
        out["board"] = "ChiNext" if growth else "STAR" if code.startswith("688") else "main"
        wide = out["board"] == "STAR" or (growth and row["session_latest"] >= CHINEXT_20)
        out["price_limit"] = "20" if wide else "10"
    else:
        out["price_limit"] = {"XTAI": "10", "XKRX": "30", "XTKS": "table"}.get(row["mic"], "none")
    return out


def _sessions(row: dict[str, str], earliest: str, latest: str) -> dict[str, str]:
    """Return sessions and phases that the exchange calendar gives for both ends of a window."""
    calendar = _calendar(MARKETS[row["mic"]].calendar, int(earliest[:4]))
    out = {}
    for end, moment in (("earliest", pd.Timestamp(earliest)), ("latest", pd.Timestamp(latest))):
        position = calendar.closes.searchsorted(moment, side="right")
        out[f"session_{end}"] = f"{calendar.sessions[position]:%Y-%m-%d}"
        out[f"phase_{end}"] = "intraday" if moment >= calendar.opens.iloc[position] else "closed"
    first = out["session_latest"]
    if row["halted_to"]:
        after = calendar.sessions.searchsorted(pd.Timestamp(row["halted_to"]), side="right")
        first = f"{calendar.sessions[after]:%Y-%m-%d}"
        out["halted_from"] = out["session_latest"]
    out["first_trade"] = first if out["session_earliest"] == out["session_latest"] else ""
    return out


def _calendar(name: str, year: int) -> ExchangeCalendar:
    """Calendar of an exchange from a year on."""
    try:
        # One of many years takes no longer to make, and serves all of them.
        return _since(name, min(year, 2000))
    except ValueError:
        return _since(name, year)


@lru_cache(maxsize=64)
def _since(name: str, year: int) -> ExchangeCalendar:
    import exchange_calendars

    return exchange_calendars.get_calendar(name, start=f"{year}-01-01")


def main() -> int:
    """Check the bundled tables, print what is wrong, and return the exit code."""
    tables = read()
    found = [*check(tables), *check_changes(tables, read_changes())]
    for problem in found:
        print(problem)
    counts = ", ".join(f"{len(frame)} {name}" for name, frame in zip(TABLES, tables, strict=True))
    print(f"{counts}: {len(found) or 'no'} problem{'s' * (len(found) != 1)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
