"""EntityList: an official list of named firms in the formats of its issuers, beside another version."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import capwords
from xml.etree import ElementTree

import pandas as pd

from eventstudy.datasets.bans.firms import matches
from eventstudy.datasets.bans.schema import MARKETS, TABLES
from eventstudy.datasets.bans.tables import Tables, read_aliases, split, typed
from eventstudy.errors import DataError, DataWarning, EventError, warn

__all__ = ["COLUMNS", "EntityList", "entity_list", "read_list"]

#: Columns of every list that was read; names in lists are separated by "; ".
COLUMNS = ["instrument", "name", "aliases", "country", "added", "citation", "source"]
#: Abbreviations in the names of the lists, as the Consolidated Screening List writes them.
INSTRUMENTS = {
    "EL": "entity_list",
    "MEU": "military_end_use",
    "UVL": "unverified_list",
    "DPL": "denial_order",
    "CMIC": "cmic_list",
    "NS-CMIC": "cmic_list",
    "SDN": "sdn_list",
}
SCREENING = ("source", "name", "alt_names", "addresses", "federal_register_notice", "start_date")
FORMATS = (
    "the Consolidated Screening List (CSV or JSON, from trade.gov), the Entity List (XML of 15 CFR part 744, "
    "from ecfr.gov), and a notice of the section 1260H list (HTML or text, from federalregister.gov or "
    "govinfo.gov)"
)
#: Words that belong to a firm's name though a comma stands before them.
LEGAL = r"(?:Co|Company|Corp|Corporation|Inc|Limited|Ltd|LLC|LLP|JSC|PLC|GmbH)\b"
FIRM = re.compile(rf"(?:{LEGAL}|\b(?:Group|Holdings?|Institute|Technolog(?:y|ies)|Systems?))", re.IGNORECASE)
SENTENCE = re.compile(r"\b(?:is|are|was|were|has|have|determined|requires?|pursuant|shall)\b|:$")
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"


def read_list(path: Path) -> pd.DataFrame:
    """Return the entities of a list.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: one row per list and name.

    Raises
    ------
    DataError
        If the file cannot be read, has another format, or holds no entity.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{path} cannot be read as text: {problem}. Read are {FORMATS}.") from problem
    start = text.lstrip()[:500]
    if start.startswith(("{", "[")):
        found = _screening_json(path, text)
    elif "federal_register_notice" in start.partition("\n")[0]:
        found = _screening_csv(path)
    elif "1260H" in text:
        found = _notice(path, text)
    elif start.startswith("<") and "<TR" in text.upper():
        found = _entity_list_xml(path, text)
    else:
        raise DataError(f"{path} is not an official list in a known format. Read are {FORMATS}.")
    frame = pd.DataFrame(found, columns=COLUMNS)
    frame["name"] = frame["name"].map(_clean)
    if (frame["name"] == "").all():
        raise DataError(f"{path} names no entity. Read are {FORMATS}.")
    return _one_row_per_name(frame[frame["name"] != ""])


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ,;—")


def _one_row_per_name(frame: pd.DataFrame) -> pd.DataFrame:
    """Join what a list says of one name in several rows, as it does of a firm with several addresses."""

    def together(values: pd.Series) -> str:
        return "; ".join(dict.fromkeys(part for value in values for part in value.split("; ") if part))

    how = dict.fromkeys(["aliases", "country", "citation", "source"], together) | {"added": "min"}
    key = ["instrument", "name"]
    several = frame[frame.duplicated(key, keep=False)]
    joined = (
        several.groupby(key, sort=False, as_index=False)
        .agg(how)
        .set_index(several.drop_duplicates(key).index)
    )
    return pd.concat([frame.drop(index=several.index), joined]).sort_index(ignore_index=True)[COLUMNS]


def _instrument(source: str) -> str:
    return next((INSTRUMENTS[c] for c in re.findall(r"\(([A-Z-]+)\)", source) if c in INSTRUMENTS), "")


def _days(values: Iterable[object], path: Path) -> pd.Series:
    text = pd.Series(list(values), dtype=object).map(lambda value: value if isinstance(value, str) else "")
    days = pd.to_datetime(text.where(text != ""), format="%Y-%m-%d", errors="coerce").astype("datetime64[ns]")
    wrong = text[(text != "") & days.isna()]
    if len(wrong):
        raise DataError(f"{path}, entry {wrong.index[0] + 1}: start_date {wrong.iloc[0]!r} is not a day.")
    return days


def _screening_csv(path: Path) -> pd.DataFrame:
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    lacking = [name for name in SCREENING if name not in raw]
    if lacking:
        raise DataError(f"{path} lacks columns of the Consolidated Screening List: {', '.join(lacking)}.")
    ends = raw["addresses"].map(lambda text: [a.rpartition(",")[2].strip() for a in text.split(";")])
    return pd.DataFrame(
        {
            "instrument": raw["source"].map(_instrument),
            "name": raw["name"],
            "aliases": raw["alt_names"].map(
                lambda text: "; ".join(filter(None, map(_clean, text.split(";"))))
            ),
            "country": ends.map(lambda codes: "; ".join(dict.fromkeys(c for c in codes if len(c) == 2))),
            "added": _days(raw["start_date"], path),
            "citation": raw["federal_register_notice"],
            "source": raw["source"],
        }
    )


def _screening_json(path: Path, text: str) -> pd.DataFrame:
    try:
        content = json.loads(text)
        entries = content["results"] if isinstance(content, dict) else content
        raw = pd.DataFrame(
            {
                "instrument": _instrument(entry["source"]),
                "name": entry["name"],
                "aliases": "; ".join(map(_clean, entry.get("alt_names") or [])),
                "country": "; ".join(
                    dict.fromkeys(a["country"] for a in entry.get("addresses") or [] if a.get("country"))
                ),
                "added": entry.get("start_date"),
                "citation": entry.get("federal_register_notice") or "",
                "source": entry["source"],
            }
            for entry in entries
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(
            f"{path} is not the JSON of the Consolidated Screening List ({problem!r}). Read are {FORMATS}."
        ) from problem
    return raw.assign(added=_days(raw["added"], path)) if len(raw) else raw


def _entity_list_xml(path: Path, text: str) -> pd.DataFrame:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as problem:
        raise DataError(f"{path} is not well-formed XML: {problem}. Read are {FORMATS}.") from problem
    tables = [part for part in root.iter("DIV9") if part.get("N", "").startswith("Supplement No. 4")]
    if not tables:
        raise DataError(f"{path} has no supplement no. 4, which is the Entity List. Read are {FORMATS}.")
    rows: list[dict[str, object]] = []
    odd: list[str] = []
    country = ""
    for row in tables[0].iter("TR"):
        cells = [_clean(" ".join(cell.itertext())) for cell in row.iter("TD")]
        if len(cells) != 5 or not cells[1]:
            odd += ["; ".join(filter(None, cells))] * any(cells)
            continue
        country = cells[0] or country
        name, aliases = _entry(cells[1])
        dates = re.findall(r"\b(\d{1,2}/\d{1,2}/\d{2})\b", cells[4])
        rows.append(
            {
                "instrument": "entity_list",
                "name": name,
                "aliases": "; ".join(aliases),
                "country": capwords(country),
                "added": pd.to_datetime(dates, format="%m/%d/%y").min() if dates else pd.NaT,
                "citation": cells[4],
                "source": "Entity List (supplement no. 4 to 15 CFR part 744)",
            }
        )
    _tell(path, odd)
    return pd.DataFrame(rows, columns=COLUMNS)


def _entry(text: str) -> tuple[str, list[str]]:
    """Take name and aliases from an entry, in which addresses follow them."""
    name, *more = re.split(r",? (?:a|f)\.k\.a\.", text, maxsplit=1)
    parts = name.split(", ")
    keep = 1
    while keep < len(parts) and re.match(LEGAL, parts[keep], re.IGNORECASE):
        keep += 1
    _, *found = more[0].split("—") if more else [""]
    # An alias ends with a semicolon, the last one with a full stop, which abbreviations have too.
    ends = re.compile(r";|(?<!\bCo)(?<!\bLtd)(?<!\bInc)(?<!\bCorp)(?<!\bNo)\.(?=\s|$)")
    return ", ".join(parts[:keep]), [_clean(ends.split(alias)[0]) for alias in found]


def _tell(path: Path, odd: list[str]) -> None:
    if odd:
        warn(
            f"{path}: paragraphs or rows between the entities are not taken for one, {len(odd)} of them: "
            f"{' | '.join(text[:80] for text in odd[:5])}{' ...' if len(odd) > 5 else ''}",
            DataWarning,
        )


def _notice(path: Path, text: str) -> pd.DataFrame:
    """Read a notice in the Federal Register: a paragraph per entity, its short name in parentheses."""
    volume = re.search(
        rf"Federal Register[^\n]*?Vol(?:ume|\.)\s*(\d+)[^\n]*?((?:{MONTHS}) \d{{1,2}}, \d{{4}})", text
    )
    page = re.search(r"\[\[?Pages?\s*(\d+)", text)
    if volume is None:
        raise DataError(
            f"{path}: the head of the notice (volume and day of the Federal Register) is missing; save the "
            "whole document."
        )
    day = pd.Timestamp(volume[2]).as_unit("ns")  # in English, whatever the locale
    citation = f"{volume[1]} FR {page[1]}" if page else f"{volume[1]} FR"
    body = text.partition("SUPPLEMENTARY INFORMATION")[2] or text
    body = re.sub(r"<(?:p|li|br|div|h\d)\b[^>]*>", "\n    ", body, flags=re.IGNORECASE)
    body = html.unescape(re.sub(r"<[^>]+>", "", body))
    body = re.sub(r"\[\[Page \d+\]\]", "", body)
    body = body.partition("Dated:")[0]
    # A paragraph begins with blanks; a line without them goes on with it.
    lines = list(filter(None, (_clean(part) for part in re.split(r"\n(?=\s*\n|[ \t]+\S)", body))))
    entities = [_entity_of(line) for line in lines]
    named = [number for number, entity in enumerate(entities) if entity]
    if named:
        _tell(path, [lines[n] for n in range(named[0], named[-1]) if not entities[n]])
    rows = [
        {
            "instrument": "cmc_list",
            "name": entity[0],
            "aliases": entity[1],
            "country": "CN",
            "added": day,
            "citation": citation,
            "source": "Chinese military companies (section 1260H)",
        }
        for entity in entities
        if entity
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _entity_of(line: str) -> tuple[str, str] | None:
    """Split a paragraph that is a firm's name into name and short name; other paragraphs are sentences."""
    entry = re.fullmatch(r"([A-Z0-9].*?)(?: \(([^()]+)\))?", line)
    if entry is None or len(line) > 200 or not FIRM.search(entry[1]) or SENTENCE.search(line):
        return None
    return entry[1], entry[2] or ""


KEY = ["instrument", "source", "name"]
#: What may change of an entity that stays on its list.
FACTS = ["aliases", "country", "added", "citation"]
#: An announcement this many days before the day of a list, or after it, is taken for that of the listing.
NEAR = pd.Timedelta(days=30)


def entity_list(path: str | Path) -> EntityList:
    r"""Read an official list of named firms from a downloaded file.

    Parameters
    ----------
    path : str or Path
        One of: the Consolidated Screening List as CSV or JSON (trade.gov; it holds the Entity, Military End
        User, Unverified and Denied Persons Lists and those of the Treasury); the Entity List as XML of 15 CFR
        part 744 (ecfr.gov); a notice of the Pentagon's section 1260H list as HTML or text
        (federalregister.gov or govinfo.gov). The content tells which.

    Returns
    -------
    EntityList

    Raises
    ------
    DataError
        If the file cannot be read, is none of these, or names nobody.

    Notes
    -----
    A list gives the day on which a listing was published or took effect. The news was out before, often by
    days: the day of a list is where the search for the announcement starts, and not an event.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> head = "source,name,alt_names,addresses,federal_register_notice,start_date"
    >>> row = "Entity List (EL) - Bureau of Industry and Security,Dahua Technology,,CN,84 FR 54002,2019-10-09"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "consolidated.csv"
    ...     _ = path.write_text(f"{head}\n{row}\n")
    ...     found = es.datasets.entity_list(path)
    >>> found
    EntityList: 1 entity of 1 list, added 2019-10-09
    >>> found.proposals()[["name", "security", "matched"]].to_numpy().tolist()
    [['Dahua Technology', '002236.SZ', 'Dahua']]
    """
    return EntityList(read_list(Path(path)))


@dataclass(frozen=True, repr=False, eq=False)
class EntityList:
    """Entities of an official list, with dates and citations; made by `entity_list`.

    Nothing is added to the dataset: `proposals` says which bundled securities an entity may concern, and
    `worksheet` lays out the rows that somebody has to complete and check.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> head = "source,name,alt_names,addresses,federal_register_notice,start_date"
    >>> row = "Entity List (EL) - Bureau of Industry and Security,Dahua Technology,,CN,84 FR 54002,2019-10-09"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "consolidated.csv"
    ...     _ = path.write_text(head + chr(10) + row)
    ...     found = es.datasets.entity_list(path)
    >>> found.entities["name"].tolist()
    ['Dahua Technology']
    """

    _entities: pd.DataFrame

    @property
    def entities(self) -> pd.DataFrame:
        """One row per list and name: columns instrument, name, aliases, country, added, citation, source.

        `instrument` is the word of the ban announcements, empty for lists that they do not know.
        """
        return self._entities.copy()

    def __len__(self) -> int:
        return len(self._entities)

    def __repr__(self) -> str:
        n, days = len(self), self._entities["added"].dropna()
        lists = self._entities["source"].nunique()
        span = (
            f"{days.min():%Y-%m-%d}" + f" to {days.max():%Y-%m-%d}" * (days.min() != days.max())
            if len(days)
            else ""
        )
        return (
            f"EntityList: {n} entit{'y' if n == 1 else 'ies'} of {lists} list{'s' * (lists != 1)}"
            + f", added {span}" * bool(span)
        )

    def changes(self, since: EntityList) -> pd.DataFrame:
        """Return what differs from an earlier version of the same list.

        Parameters
        ----------
        since : EntityList
            The earlier version.

        Returns
        -------
        DataFrame
            Columns change ("added", "removed", "changed"), instrument, source, name, column, before, after.
            An entity that changed has a row per column that did: aliases, country, added or citation.
        """
        now, then = (frame.set_index(KEY) for frame in (self._entities, since._entities))
        rows = [("added", *key, "", "", "") for key in now.index.difference(then.index, sort=False)]
        rows += [("removed", *key, "", "", "") for key in then.index.difference(now.index, sort=False)]
        both = now.index.intersection(then.index, sort=False)
        for column in FACTS:
            before, after = (_as_text(frame.loc[both, column]) for frame in (then, now))
            for key in both[(before != after).to_numpy()]:
                rows.append(("changed", *key, column, before[key], after[key]))
        return pd.DataFrame(rows, columns=["change", *KEY, "column", "before", "after"])

    def proposals(self, since: EntityList | str | date | None = None) -> pd.DataFrame:
        """Propose which bundled securities the entities concern: each a guess by name, for somebody to check.

        Parameters
        ----------
        since : EntityList, str or date, optional
            Only entities that an earlier version lacks, or those added on a day or later.

        Returns
        -------
        DataFrame
            One row per entity and security: instrument, name, added, company, security, mic; `matched`, the
            name of the company that was found, and `found_in`, the name or alias of the entity in which;
            `known`, announcements of the same instrument within 30 days of `added` that have the company.

        Notes
        -----
        A company is proposed where its name, or one of its bundled aliases, stands as whole words in a name
        or alias of the entity. Units of a firm are found only if they bear its name, and other firms may bear
        it too. What is not proposed may concern a listed firm all the same.
        """
        tables = typed()
        listed = tables.securities.drop_duplicates("security")[["company", "security", "mic"]]
        aliases = read_aliases()
        names = pd.concat([aliases, pd.DataFrame({"company": listed["company"], "alias": listed["company"]})])
        names = names[names["company"].isin(listed["company"])].drop_duplicates()
        entities = self._later(since)
        texts = [
            (number, text)
            for number, (name, others) in enumerate(zip(entities["name"], entities["aliases"], strict=True))
            for text in (name, *split(others))
        ]
        lower = [text.lower() for _, text in texts]
        found: dict[tuple[int, str], tuple[str, str]] = {}
        for company, alias in zip(names["company"], names["alias"], strict=True):
            word = alias.lower()
            for (number, text), small in zip(texts, lower, strict=True):
                if word in small and matches(alias, text):
                    found.setdefault((number, company), (alias, text))
        facts = entities[["instrument", "name", "added"]].to_numpy().tolist()
        shares = listed.groupby("company")[["security", "mic"]].apply(lambda own: own.to_numpy().tolist())
        known: dict[tuple[str, str, pd.Timestamp], str] = {}
        rows = []
        for (number, company), where in sorted(found.items()):
            instrument, name, added = facts[number]
            case = (company, instrument, added)
            if case not in known:
                known[case] = "; ".join(_known(tables, company, instrument, pd.Timestamp(added)))
            rows += [
                (instrument, name, added, company, *share, *where, known[case]) for share in shares[company]
            ]
        columns = ["instrument", "name", "added", "company", "security", "mic"]
        columns += ["matched", "found_in", "known"]
        return pd.DataFrame(rows, columns=columns).astype({"added": "datetime64[ns]"})

    def worksheet(
        self, since: EntityList | str | date | None = None, *, accepted: pd.DataFrame | None = None
    ) -> Tables:
        """Lay out rows to add to the ban announcements, in their columns.

        Parameters
        ----------
        since : EntityList, str or date, optional
            As for `proposals`.
        accepted : DataFrame, optional
            Those rows of `proposals` that somebody has checked. Without, no security is written.

        Returns
        -------
        Tables
            Frames `announcements` (one row per list and day), `securities` and `sources`, all text. What the
            list knows is filled in. What it does not know is empty: when the news came out, its title, its
            sources, sessions. ``python -m eventstudy.datasets.check`` passes no such row.

        Raises
        ------
        DataError
            If a row of `accepted` is not one of an entity of this worksheet.
        """
        entities = self._later(since)
        entities = entities[(entities["instrument"] != "") & entities["added"].notna()]
        ids = entities["added"].dt.strftime("%Y-%m-%d_") + entities["instrument"].str.upper()
        announcements = [
            {
                "announcement_id": announcement_id,
                "time_note": f"{group['added'].iloc[0]:%Y-%m-%d} by the list; may have been known before",
                "kind": "official",
                "instrument": group["instrument"].iloc[0],
                "stage": "imposed",
                "jurisdiction": "US",
                "entities": "; ".join(group["name"].str.replace("; ", ", ")),
                "citation": "; ".join(dict.fromkeys(group["citation"])),
                "effective": f"{group['added'].iloc[0]:%Y-%m-%d}",
                "status": "unverified",
                "sources": _source_key(group["instrument"].iloc[0]),
            }
            for announcement_id, group in entities.groupby(ids)
        ]
        of = dict(zip(zip(entities["instrument"], entities["name"], strict=True), ids, strict=True))
        securities = []
        if accepted is not None and not isinstance(accepted, pd.DataFrame):
            raise DataError(f"accepted must be rows of proposals(), a frame; got {type(accepted).__name__}.")
        for row in [] if accepted is None else accepted.to_dict("records"):
            instrument, name = row["instrument"], row["name"]
            if (instrument, name) not in of:
                raise DataError(f"worksheet: {name!r} ({instrument}) is not an entity of this worksheet.")
            securities.append(
                {
                    "announcement_id": of[instrument, name],
                    "security": row["security"],
                    "company": row["company"],
                    "mic": row["mic"],
                    "role": "target",
                    "expected_sign": "-",
                    "benchmark": MARKETS[row["mic"]].benchmark,
                    "note": f"listed as {name}",
                    "in_sources": "yes",
                }
            )
        sources = [
            {
                "source": _source_key(str(instrument)),
                "publication": group["source"].iloc[0],
                "status": "no_address",
            }
            for instrument, group in entities.groupby("instrument")
        ]
        filled = zip((announcements, securities, sources), TABLES.values(), strict=True)
        return Tables(*(_sheet(rows, list(columns)) for rows, columns in filled))

    def _later(self, since: EntityList | str | date | None) -> pd.DataFrame:
        if since is None:
            return self._entities
        if isinstance(since, EntityList):
            return self._entities[
                ~self._entities.set_index(KEY).index.isin(since._entities.set_index(KEY).index)
            ]
        try:
            day = pd.Timestamp(since)
        except (ValueError, TypeError) as problem:
            raise EventError(
                f"since {since!r} is neither an EntityList nor a day such as '2019-05-22'."
            ) from problem
        return self._entities[self._entities["added"] >= day]


def _sheet(rows: list[dict[str, str]], columns: list[str]) -> pd.DataFrame:
    """Return rows as text, with nothing in the columns that they lack."""
    whole = [dict.fromkeys(columns, "") | row for row in rows]
    return pd.DataFrame(whole, columns=columns, dtype=str).drop_duplicates(ignore_index=True)


def _as_text(values: pd.Series) -> pd.Series:
    days = pd.api.types.is_datetime64_any_dtype(values)
    return values.dt.strftime("%Y-%m-%d").fillna("") if days else values


def _source_key(instrument: str) -> str:
    return f"LIST-{instrument.upper().replace('_', '-')}"


def _known(tables: Tables, company: str, instrument: str, added: pd.Timestamp) -> list[str]:
    """Ids of announcements of an instrument, close to a day, that name a company already."""
    announcements, rows = tables.announcements, tables.securities
    own = announcements.loc[announcements.index.isin(rows.loc[rows["company"] == company, "announcement_id"])]
    away = (own["latest"].dt.tz_localize(None) - added).abs()
    return list(own.index[(own["instrument"] == instrument) & (away <= NEAR)])
