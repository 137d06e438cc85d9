"""Official lists of named firms as downloaded: which format a file has, and its entities as one table."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from string import capwords
from xml.etree import ElementTree

import pandas as pd

from eventstudy.errors import DataError, DataWarning, warn

__all__ = ["COLUMNS", "read_list"]

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
        If the file cannot be read, is none of the formats, or holds no entity.
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
            f"{path}: {len(odd)} paragraph(s) or row(s) between the entities are not taken for one: "
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
