"""EntityList: an official list of named firms, beside another version and the bundled securities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from eventstudy.datasets.bans.firms import matches
from eventstudy.datasets.bans.schema import MARKETS, TABLES
from eventstudy.datasets.bans.tables import Tables, read_aliases, split, typed
from eventstudy.datasets.list_formats import read_list
from eventstudy.errors import DataError, EventError

__all__ = ["EntityList", "entity_list"]

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
