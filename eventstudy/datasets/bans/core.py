"""BanAnnouncements: announcements of bans on Chinese technology firms, and queries over them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import pandas as pd

from eventstudy.arguments import check_sequence
from eventstudy.datasets.bans import firms, stacking
from eventstudy.datasets.bans.schema import KINDS, MARKETS, ROLES
from eventstudy.datasets.bans.tables import Tables, change_log, split, typed
from eventstudy.errors import EventError, ExcludedEventsWarning, warn
from eventstudy.events import Events

__all__ = ["BanAnnouncements", "HasSecurities", "ban_announcements"]


@runtime_checkable
class HasSecurities(Protocol):
    """Anything that knows which securities it holds, such as a `Market`."""

    @property
    def securities(self) -> list[str]:
        """The securities."""
        ...


def ban_announcements() -> BanAnnouncements:
    """Return 110 announcements of bans on Chinese technology firms, 2018 to 2026.

    Each with the window of time in which it became known, what it is, whom it names, its sources, and the
    listed securities that it concerns: 385 rows of targets, suppliers, customers, rivals and peers.

    Returns
    -------
    BanAnnouncements

    See Also
    --------
    surveillance_prices : Bundled prices of six of the securities.
    eventstudy.prices : Prices of the others, from Yahoo Finance.

    Notes
    -----
    Compiled from press reports and legal texts. What is general knowledge rather than in a source
    is marked as such: see the columns `status`, `unverified` and `time_evidence`. ``PROVENANCE.md`` beside
    the data says more, and ``python -m eventstudy.datasets.check`` checks them.

    Examples
    --------
    >>> import eventstudy as es
    >>> bans = es.datasets.ban_announcements()
    >>> bans
    BanAnnouncements 2.0 (2026-11-28): 110 announcements, 2018-04-16 to 2026-06-08, 385 rows of 121 securities
    >>> bans.about("Hikvision").kind("press_report").announcements["title"].iloc[0]
    'New York Times: the US considers limits on what Hikvision may buy'
    """
    tables = typed()
    return BanAnnouncements(tables, tables.announcements.index)


@dataclass(frozen=True, repr=False, eq=False)
class BanAnnouncements:
    """Announcements of bans, their securities and sources; immutable, each query returns a new one.

    Made by `ban_announcements`. Queries narrow, in any order: `about`, `between`, `kind`, `role`.

    Examples
    --------
    How the listing of Huawei looks through its suppliers in New York:

    >>> from eventstudy.datasets import ban_announcements
    >>> huawei = ban_announcements().about("Huawei").between("2019-05-15", "2019-05-16")
    >>> huawei.role("supplier").events("XNYS").securities
    ['NPTN', 'IPHI']
    """

    _tables: Tables
    _ids: pd.Index
    _firms: tuple[str, ...] = ()
    _roles: frozenset[str] | None = None

    @property
    def version(self) -> str:
        """Version of the dataset."""
        return str(change_log()["version"].iloc[-1])

    @property
    def date(self) -> pd.Timestamp:
        """Day of that version."""
        return pd.Timestamp(change_log()["date"].iloc[-1])

    @property
    def announcements(self) -> pd.DataFrame:
        """The announcements: index announcement_id; times in UTC, lists separated by "; "."""
        return self._tables.announcements.loc[self._selected()].copy()

    @property
    def securities(self) -> pd.DataFrame:
        """Securities linked to the announcements, one row for each announcement and security.

        After `role`, those of that role; else after `about`, the firm's own; else all.

        Raises
        ------
        EventError
            After `about`, if the firm was not listed: the message names whom to measure instead.
        """
        rows = self._linked()
        if self._roles is not None:
            rows = rows[rows["role"].isin(self._roles)]
        elif self._firms:
            own = rows["company"].map(lambda company: any(firms.matches(f, company) for f in self._firms))
            if not own.any() and len(self._ids):
                raise EventError(
                    firms.why_unlisted(self._firms[-1], rows, self._tables.announcements.loc[self._ids])
                )
            rows = rows[own]
        return rows.reset_index(drop=True)

    @property
    def sources(self) -> pd.DataFrame:
        """Sources of the announcements: index source; columns publication, date, url, status."""
        cited = {key for keys in self.announcements["sources"] for key in split(keys)}
        sources = self._tables.sources
        return sources[sources.index.isin(cited)].copy()

    def about(self, firm: str) -> BanAnnouncements:
        """Announcements that name a firm or concern it as target or affiliate.

        `securities` and `events` are then the firm's own, unless `role` asks for others.

        Parameters
        ----------
        firm : str
            Name or part of it in whole words, whatever the case ("Hikvision", "inspur"), or a ticker.

        Returns
        -------
        BanAnnouncements

        Raises
        ------
        EventError
            If no announcement of the dataset names the firm.

        Examples
        --------
        >>> from eventstudy.datasets import ban_announcements
        >>> len(ban_announcements().about("DJI"))
        7
        """
        rows = self._tables.securities
        firm = dict(zip(rows["security"], rows["company"], strict=True)).get(firm, firm)
        named = firms.named(self._tables.announcements, rows)
        found = [i for i, names in named.items() if any(firms.matches(firm, name) for name in names)]
        if not found:
            raise EventError(firms.unknown(firm, sorted(set().union(*named.values())), rows))
        return replace(self, _ids=self._ids[self._ids.isin(found)], _firms=(*self._firms, firm))

    def between(self, start: str | datetime.date, end: str | datetime.date) -> BanAnnouncements:
        """Announcements whose time window touches the days from `start` to `end`, both included, in UTC.

        Examples
        --------
        >>> from eventstudy.datasets import ban_announcements
        >>> list(ban_announcements().between("2019-05-21", "2019-05-22").announcements.index)
        ['2019-05-21_NYT_HIK', '2019-05-22_BBG_FIVE', '2019-05-22_BBG_NAMES']
        """
        first, last = _day(start, "start"), _day(end, "end")
        if first > last:
            raise EventError(f"between: start {first.date()} is later than end {last.date()}.")
        a = self._tables.announcements.loc[self._ids]
        touches = (a["latest"] >= first) & (a["earliest"] < last + pd.Timedelta(days=1))
        return replace(self, _ids=self._ids[touches.to_numpy()])

    def kind(self, *kinds: str) -> BanAnnouncements:
        """Announcements of one kind or several.

        Parameters
        ----------
        *kinds : {"press_report", "leak", "official", "reversal", "allied", "company"}

        Examples
        --------
        >>> from eventstudy.datasets import ban_announcements
        >>> len(ban_announcements().kind("press_report", "leak"))
        20
        """
        _check_words("kind", kinds, KINDS)
        a = self._tables.announcements.loc[self._ids]
        return replace(self, _ids=self._ids[a["kind"].isin(kinds).to_numpy()])

    def role(self, *roles: str) -> BanAnnouncements:
        """Securities of one role or several, and the announcements that have such.

        Parameters
        ----------
        *roles : {"target", "affiliate", "supplier", "customer", "rival", "peer", "index"}

        Examples
        --------
        >>> from eventstudy.datasets import ban_announcements
        >>> suppliers = ban_announcements().between("2018-04-16", "2018-04-16").role("supplier")
        >>> suppliers.securities["company"].tolist()[:3]
        ['Acacia Communications', 'Oclaro', 'Lumentum']
        """
        _check_words("role", roles, ROLES)
        wanted = frozenset(roles)
        return replace(self, _roles=wanted if self._roles is None else self._roles & wanted)

    def changes(self, since: str | datetime.date | None = None) -> pd.DataFrame:
        """Return the changes of the dataset that concern the selected announcements, the oldest first.

        Parameters
        ----------
        since : str or date, optional
            A version ("1.0"): what later versions changed. A day ("2026-11-22"): what was changed on it or
            later. By default all.

        Returns
        -------
        DataFrame
            One row per row that was added, value that was corrected and event that moved: columns version,
            date, announcement_id, security, change, column, before, after, why.

        Raises
        ------
        EventError
            If `since` is neither a version of the dataset nor a day.

        Examples
        --------
        Events of SMIC and CNOOC that moved since the first version:

        >>> from eventstudy.datasets import ban_announcements
        >>> log = ban_announcements().between("2020-11-29", "2020-12-04").changes(since="1.0")
        >>> log.loc[log["change"] == "moved", ["security", "before", "after"]].to_numpy().tolist()
        [['0883.HK', 'event on 2020-12-04', 'confirmation']]
        """
        log = change_log()
        rows = log[log["announcement_id"].isin(self._selected())]
        if since is None:
            return rows.reset_index(drop=True)
        versions = list(log["version"].unique())
        if since in versions:
            return rows[rows["version"].map(versions.index) > versions.index(since)].reset_index(drop=True)
        try:
            day = _day(since, "since")
        except EventError as problem:
            raise EventError(
                f"changes: since {since!r} is neither a version ({', '.join(versions)}) nor a day such as "
                "'2026-11-22'."
            ) from problem
        return rows[rows["date"] >= day.tz_localize(None)].reset_index(drop=True)

    def screen(
        self, market: str | Iterable[str] | HasSecurities, *, keep: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Every row of a market as an event, with the reason why `events` leaves it out.

        Parameters
        ----------
        market, keep
            As for `events`.

        Returns
        -------
        DataFrame
            The columns of `events`, and `left_out`: empty, or "index", "ambiguous", "confounded",
            "confirmation", "duplicate".

        Examples
        --------
        Two reports reached Hikvision in one session; the second is not stacked on the first:

        >>> from eventstudy.datasets import ban_announcements
        >>> reports = ban_announcements().about("Hikvision").between("2019-05-21", "2019-05-22")
        >>> reports.screen("XSHE").set_index("announcement_id")["left_out"]
        announcement_id
        2019-05-21_NYT_HIK
        2019-05-22_BBG_FIVE     duplicate
        2019-05-22_BBG_NAMES
        Name: left_out, dtype: ...
        """
        rows = self.securities
        if isinstance(market, HasSecurities):
            where = "in that market"
            rows = rows[rows["security"].isin(market.securities)]
        else:
            codes = [market] if isinstance(market, str) else market
            mics = check_sequence("market", codes, "market identifier codes")
            _check_words("market", mics, MARKETS)
            where = f"on {', '.join(mics)}"
            rows = rows[rows["mic"].isin(mics)]
        if rows.empty:
            there = ", ".join(sorted(self.securities["mic"].unique())) or "none"
            raise EventError(f"No security of this selection is listed {where}; its exchanges: {there}.")
        return stacking.screen(rows, self._tables, keep)

    def events(self, market: str | Iterable[str] | HasSecurities, *, keep: Iterable[str] = ()) -> Events:
        """Return the selection as events of a market, none of them stacked on another.

        Left out, with a warning that counts them, unless `keep` says otherwise:

        index
            An index, which is its own benchmark.
        ambiguous
            The first session differs between the ends of the window (10 rows of the dataset).
        confounded
            Other news can have moved the security on day 0 or +1 (column `confounder`).
        confirmation
            It confirms a leak about the same security that is an event already.
        duplicate
            An earlier announcement reached the same security on the same first session of trading.

        Parameters
        ----------
        market : str, iterable of str, or Market
            Market identifier codes ("XSHE", ["XNAS", "XNYS"]), or anything with `securities`: then the
            rows of its securities.
        keep : iterable of str
            Which of the words above are kept all the same, or "all".

        Returns
        -------
        Events
            `announced_at` is the latest moment of the window (that of an ambiguous event too),
            `event_id` is ``announcement_id:ticker``, `label` the title, `group` the kind. All other
            columns of securities and announcements follow (those of the announcement that both tables have
            end in ``_announcement``), and the marks `ambiguous`, `confounded`,
            `confirms` (event_id of the leak) and `same_session_as` (event_id of the earlier event).

        Raises
        ------
        EventError
            If nothing is left, or the firm asked for is not listed.

        Warns
        -----
        ExcludedEventsWarning
            If rows are left out.

        Examples
        --------
        >>> from eventstudy.datasets import ban_announcements
        >>> ban_announcements().about("Hikvision").between("2019-10-07", "2019-10-07").events("XSHE")
        Events: 1 event of 1 security, announced 2019-10-07
        """
        screened = self.screen(market, keep=keep)
        out = screened["left_out"] != ""
        counts = ", ".join(
            f"{n} {reason}" for reason, n in screened.loc[out, "left_out"].value_counts().items()
        )
        hint = "screen(...) of the same selection lists them, events(..., keep=[...]) keeps them"
        if out.all():
            raise EventError(f"No event is left: all {len(screened)} rows are left out ({counts}); {hint}.")
        if out.any():
            warn(
                f"{out.sum()} of {len(screened)} rows are left out ({counts}); {hint}.", ExcludedEventsWarning
            )
        return Events(screened[~out].drop(columns="left_out"))

    def __len__(self) -> int:
        return len(self._selected())

    def __repr__(self) -> str:
        a, rows = self.announcements, self._linked()
        head = f"BanAnnouncements {self.version} ({self.date:%Y-%m-%d})"
        if self._roles is not None:
            rows = rows[rows["role"].isin(self._roles)]
        if a.empty:
            return f"{head}: none"
        first, last = a["earliest"].min(), a["earliest"].max()
        n, r, k = len(a), len(rows), rows["security"].nunique()
        span = f"{first:%Y-%m-%d}" + f" to {last:%Y-%m-%d}" * (first.date() != last.date())
        return (
            f"{head}: {n} announcement{'s' * (n != 1)}, {span}, {r} row{'s' * (r != 1)} of "
            f"{k} securit{'y' if k == 1 else 'ies'}"
        )

    def _repr_html_(self) -> str:
        shown = self.announcements[["title", "latest", "kind", "instrument", "entities"]]
        return f"<p>{self!r}</p>{shown.to_html(max_rows=10, escape=True)}"

    def _linked(self) -> pd.DataFrame:
        """Return all securities of the selected announcements, whatever their role."""
        rows = self._tables.securities
        return rows[rows["announcement_id"].isin(self._ids)]

    def _selected(self) -> pd.Index:
        """Ids of the selected announcements: with a role, of those that have such a security."""
        if self._roles is None:
            return self._ids
        rows = self._linked()
        return self._ids[self._ids.isin(rows.loc[rows["role"].isin(self._roles), "announcement_id"])]


def _day(value: str | datetime.date, what: str) -> pd.Timestamp:
    try:
        day = pd.Timestamp(value)
    except (ValueError, TypeError) as problem:
        raise EventError(f"between: {what} {value!r} is not a day; write it as '2019-05-22'.") from problem
    if pd.isna(day) or day.tz is not None or day != day.normalize():
        raise EventError(f"between: {what} {value!r} is not a day; write it as '2019-05-22'.")
    return day.tz_localize("UTC")


def _check_words(what: str, words: Iterable[str], known: Iterable[str]) -> None:
    words = list(words)
    wrong = [word for word in words if word not in known]
    if wrong or not words:
        raise EventError(f"{what}: {wrong[0] if wrong else 'nothing'!r} is not one of {', '.join(known)}.")
