"""Firms by name: which announcements are about them, and what to say of those that are not listed."""

from __future__ import annotations

import re
from difflib import get_close_matches

import pandas as pd

from eventstudy.datasets.bans.tables import split

__all__ = ["matches", "named", "unknown", "why_unlisted"]


def matches(asked: str, name: str) -> bool:
    """Return whether what is asked for stands in a name as whole words, whatever the case."""
    asked = asked.strip()
    return bool(asked) and re.search(rf"(?<!\w){re.escape(asked)}(?!\w)", name, re.IGNORECASE) is not None


def named(announcements: pd.DataFrame, rows: pd.DataFrame) -> dict[str, set[str]]:
    """Return the names of the firms that each announcement is about."""
    out = {
        str(i): {*split(entities), *split(private)}
        for i, entities, private in announcements[["entities", "private_entities"]].itertuples()
    }
    hit = rows[rows["role"].isin(["target", "affiliate"])]
    for i, company in zip(hit["announcement_id"], hit["company"], strict=True):
        out[i].add(company)
    return out


def unknown(firm: str, names: list[str], rows: pd.DataFrame) -> str:
    """Return what to say of a firm that no announcement is about."""
    linked = rows[rows["company"].map(lambda company: matches(firm, company))]
    if firm.strip() and len(linked):
        roles = " and ".join(sorted(linked["role"].unique()))
        return (
            f"No announcement is about {firm}, but it is linked to {linked['announcement_id'].nunique()} of "
            f"them as {roles}: choose these with .role({sorted(linked['role'].unique())[0]!r})."
        )
    lower = {name.lower(): name for name in names}
    close = [lower[match] for match in get_close_matches(firm.lower(), lower, 3, 0.75)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"No announcement names {firm!r}.{hint} The column `entities` of .announcements lists the names."


def _listed(rows: pd.DataFrame) -> str:
    """Return companies with their tickers."""
    tickers = rows.groupby("company", sort=False)["security"].agg(", ".join)
    return ", ".join(f"{company} ({securities})" for company, securities in tickers.items())


def why_unlisted(firm: str, rows: pd.DataFrame, announcements: pd.DataFrame) -> str:
    """Return why a firm has no security among the rows linked to announcements, and whom to measure."""
    private = any(matches(firm, name) for names in announcements["private_entities"] for name in split(names))
    text = f"{firm} was not listed, so it has no price." if private else f"No price of {firm} is known here."
    about = (
        f"the {len(announcements)} announcements about it"
        if len(announcements) > 1
        else "the announcement about it"
    )
    parts, roles = [], []
    for role in ("supplier", "customer", "rival", "peer"):
        some = rows[rows["role"] == role].drop_duplicates("security")
        if len(some):
            roles.append(role)
            parts.append(f"{role}s: {_listed(some)}")
    if not {"supplier", "rival"} & set(roles):
        others = rows[rows["role"].isin(["target", "affiliate"])].drop_duplicates("security")
        told = f" The same announcements hit {_listed(others)}: .role('target')." if len(others) else ""
        parts_told = f" Linked are {'; '.join(parts)}." if parts else ""
        return f"{text} No listed supplier or rival is linked to {about}.{parts_told}{told}"
    return f"{text} Linked to {about} are {'; '.join(parts)}. Choose them with .role({roles[0]!r})."
