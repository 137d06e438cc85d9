"""The page of the documentation that lists the ban announcements.

``python -m eventstudy.datasets.bans.page > docs/data/ban_announcements.md`` writes it from the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pandas as pd

from eventstudy.datasets.bans.firms import named
from eventstudy.datasets.bans.schema import CHANGES, KINDS, ROLES, TABLES, Column
from eventstudy.datasets.bans.stacking import screen
from eventstudy.datasets.bans.tables import Tables, change_log, split, typed

__all__ = ["page"]

HEAD = """\
# Announcements of bans

<!-- Written from the data by `python -m eventstudy.datasets.bans.page`: change the data, not this page. -->

`es.datasets.ban_announcements()` holds {announcements} announcements of bans on Chinese technology
firms, from {first} to {last}, and the {rows} pairs of announcement and listed security that they
concern: targets, suppliers, customers, rivals and peers on {markets} markets. This is version {version} of
{date}; `bans.changes(since="{before}")` lists what it changed.

```python
import eventstudy as es

bans = es.datasets.ban_announcements()
bans.about("Hikvision").kind("press_report").announcements
bans.between("2019-05-21", "2019-05-23").events("XSHE")
bans.about("Huawei").role("supplier").events(["XNAS", "XNYS"])
```

`about`, `between`, `kind` and `role` narrow, in any order, and return a new object. After `about`,
`securities` and `events` are those of the firm itself; `role` asks for others. Huawei and DJI were
never listed: asked for their events, the library says so and names the listed suppliers and rivals that
are linked to the announcements.

## From announcements to events

An announcement became known within a window of time. What an event study needs is the first session
that could react, and in {clear} of the {rows} rows it is the same at both ends of the window. `events`
passes on the latest moment. What would count one reaction twice, or measure another, is left out with a
warning that counts it; `screen` shows every row with the reason, `keep=` keeps it:

| left out | rows | why |
|---|---|---|
{left_out}

An event whose share was suspended is measured on its first session of trading, over the whole halt. Two
announcements that meet there are one reaction: the earlier is kept.

## How sure it is

{partly} announcements are only partly verified; `unverified` names the columns that rest on general
knowledge. For {assumed} the sources give the day and the hours are assumed (`time_evidence`), marked †
below; what is partly verified is marked ‡. `in_sources` says for every security whether the sources
name it: {named} of {rows}. Titles and notes are ours; facts are those of the sources, {public} of which
have an address.
"""

WHY = {
    "confounded": "other news can have moved the security on day 0 or +1 (`confounder`)",
    "ambiguous": "the first session differs between the ends of the window",
    "duplicate": "an earlier announcement reached the security on the same first session",
    "confirmation": "it confirms a leak about the same security that is an event already",
    "index": "an index is its own benchmark",
}

TITLES = {
    "announcements": "Announcements",
    "securities": "Securities",
    "sources": "Sources",
    "changes": "Changes",
}

#: The form that the script of the page fills in; without scripts the whole list is there, and no form.
FILTER = """\
```{{raw}} html
<form id="ban-filter" hidden>
<label>Search <input type="search" name="search" placeholder="words, tickers, dates"></label>
<label>Kind <select name="kind"><option value="">all</option></select></label>
<label>Firm <select name="firm"><option value="">all</option></select></label>
<output name="count"></output>
</form>
<script type="application/json" id="ban-facts">{facts}</script>
```

```{{raw}} html
:file: ../_static/ban_filter.html
```
"""


def page() -> str:
    """Return the page as Markdown."""
    tables = typed()
    a, s, sources = tables
    counts = screen(s, tables, keep=())["left_out"].value_counts()
    head = HEAD.format(
        announcements=len(a),
        rows=len(s),
        first=f"{a['earliest'].min():%B %Y}",
        last=f"{a['earliest'].max():%B %Y}",
        markets=s["mic"].nunique(),
        version=change_log()["version"].iloc[-1],
        date=f"{change_log()['date'].iloc[-1]:%d %B %Y}",
        before=change_log()["version"].unique()[-2],
        clear=int((s["session_earliest"] == s["session_latest"]).sum()),
        left_out="\n".join(f"| {reason} | {counts[reason]} | {why} |" for reason, why in WHY.items()),
        partly=int((a["status"] == "partly_verified").sum()),
        assumed=int((a["time_evidence"] == "assumed").sum()),
        named=int(s["in_sources"].sum()),
        public=int((sources["status"] == "public").sum()),
    )
    return "\n".join([head, *_listing(tables), *_schema()]) + "\n"


def _listing(tables: Tables) -> Iterator[str]:
    a = tables.announcements
    sources = {str(key): _source(source) for key, source in tables.sources.iterrows()}
    yield "## The announcements\n"
    yield FILTER.format(facts=_facts(tables))
    for year, rows in a.sort_values("earliest", kind="stable").groupby(a["earliest"].dt.year):
        yield f"### {year}\n"
        yield "| known (UTC) | announcement | kind, instrument | securities | sources |"
        yield "|---|---|---|---|---|"
        for announcement_id, row in rows.iterrows():
            linked = tables.securities[tables.securities["announcement_id"] == announcement_id]
            mark = "†" * (row["time_evidence"] == "assumed") + "‡" * (row["status"] != "verified")
            cells = (
                _window(row["earliest"], row["latest"]) + mark,
                f"{row['title']} <br> `{announcement_id}`",
                f"{row['kind']}, {row['instrument']}",
                "<br>".join(_by_role(linked)) or f"none listed ({row['private_entities']})",
                ", ".join(sources[key] for key in split(row["sources"])),
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""


def _facts(tables: Tables) -> str:
    """Kind and firms of each announcement, as the form chooses by them."""
    firms = named(tables.announcements, tables.securities)
    for announcement_id, company in zip(
        tables.securities["announcement_id"], tables.securities["company"], strict=True
    ):
        firms[announcement_id].add(company)
    kinds = tables.announcements["kind"]
    rows = {key: [kinds[key], sorted(names, key=str.lower)] for key, names in firms.items()}
    # A closing tag within a script would end it.
    return json.dumps({"kinds": list(KINDS), "rows": rows}, separators=(",", ":")).replace("</", "<\\/")


def _window(earliest: pd.Timestamp, latest: pd.Timestamp) -> str:
    if earliest == latest:
        return f"{earliest:%Y-%m-%d %H:%M}"
    end = f"{latest:%H:%M}" if earliest.date() == latest.date() else f"{latest:%m-%d %H:%M}"
    return f"{earliest:%Y-%m-%d %H:%M} to {end}"


def _by_role(linked: pd.DataFrame) -> Iterator[str]:
    for role in ROLES:
        some = linked[linked["role"] == role]
        if len(some):
            names = [f"{c} ({t})" for c, t in zip(some["company"], some["security"], strict=True)]
            yield f"{role}: {', '.join(names)}"


def _source(source: pd.Series) -> str:
    day = "" if pd.isna(source["date"]) else f" {source['date']:%Y-%m-%d}"
    text = f"{source['publication']}{day}"
    return f"[{text}]({source['url']})" if source["url"] else text


def _schema() -> Iterable[str]:
    yield "## Columns\n"
    yield (
        "Text that is missing is empty; `list` columns separate names by `; `; times are in UTC; a column "
        "in bold is always filled in.\n"
    )
    for table, columns in {**TABLES, "changes": CHANGES}.items():
        yield f"### {TITLES[table]}\n"
        yield "| column | form | meaning |"
        yield "|---|---|---|"
        for name, column in columns.items():
            shown = f"**{name}**" if column.required else name
            yield f"| {shown} | {column.form} | {_meaning(column)} |"
        yield ""


def _meaning(column: Column) -> str:
    if column.values is None:
        return column.meaning
    return "<br>".join([column.meaning, *(f"`{word}`: {says}" for word, says in column.values.items())])


if __name__ == "__main__":
    print(page(), end="")
