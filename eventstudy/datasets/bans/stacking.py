"""Which rows can stand side by side as events, and which would count one reaction twice."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from eventstudy.datasets.bans.tables import Tables
from eventstudy.errors import EventError

__all__ = ["REASONS", "screen"]

REASONS = ("index", "ambiguous", "confounded", "confirmation", "duplicate")


def screen(rows: pd.DataFrame, tables: Tables, keep: Iterable[str]) -> pd.DataFrame:
    """Return rows of securities as events, marked, with the reason to leave each out.

    Parameters
    ----------
    rows : DataFrame
        Rows of the table of securities.
    tables : Tables
    keep : iterable of str
        Reasons that do not count, or "all".

    Returns
    -------
    DataFrame
        One row for each of `rows`, in order of time.
    """
    kept = _checked(keep)
    frame = rows.merge(
        tables.announcements.reset_index(), on="announcement_id", suffixes=("", "_announcement")
    ).sort_values(["latest", "announcement_id"], kind="stable", ignore_index=True)
    out = pd.DataFrame(
        {
            "security": frame["security"],
            "announced_at": frame["latest"],
            "event_id": frame["announcement_id"] + ":" + frame["security"],
            "label": frame["title"],
            "group": frame["kind"],
        }
    )
    out = out.join(frame.drop(columns=["security", "title", "kind", "latest"]))
    out["ambiguous"] = frame["session_earliest"] != frame["session_latest"]
    out["confounded"] = frame["confounder"] != ""
    everything = pd.Series(True, index=out.index)
    out["confirms"] = _confirms(frame, out["event_id"], everything)
    out["same_session_as"] = _same_session(frame, out["event_id"], everything)
    left_out = pd.Series("", index=out.index)

    def leave(reason: str, where: pd.Series) -> None:
        if reason not in kept:
            left_out[where & (left_out == "")] = reason

    leave("index", frame["role"] == "index")
    leave("ambiguous", out["ambiguous"])
    leave("confounded", out["confounded"])
    leave("confirmation", _confirms(frame, out["event_id"], left_out == "") != "")
    leave("duplicate", _same_session(frame, out["event_id"], left_out == "") != "")
    return out.assign(left_out=left_out)


def _checked(keep: Iterable[str]) -> set[str]:
    words = {keep} if isinstance(keep, str) else set(keep)
    wrong = sorted(words - {*REASONS, "all"})
    if wrong:
        raise EventError(f"keep: {wrong[0]!r} is not one of {', '.join(REASONS)}, all.")
    return set(REASONS) if "all" in words else words


def _confirms(frame: pd.DataFrame, event_id: pd.Series, among: pd.Series) -> pd.Series:
    """Id of the leak about the same security that each row confirms, or nothing."""
    leaks = frame[among & (frame["kind"] == "leak") & (frame["confirmed_by"] != "")]
    keys = zip(leaks["confirmed_by"], leaks["security"], event_id[leaks.index], strict=True)
    leak_of = {(confirmation, security): leak for confirmation, security, leak in keys}
    pairs = zip(frame["announcement_id"], frame["security"], strict=True)
    return pd.Series([leak_of.get(pair, "") for pair in pairs], index=frame.index)


def _same_session(frame: pd.DataFrame, event_id: pd.Series, among: pd.Series) -> pd.Series:
    """Id of the first row among some with the same security and session of first trade, or nothing."""
    # A suspension carries several announcements to one session: the first trade is what counts.
    session = frame["first_trade"].fillna(frame["session_latest"])
    rows = pd.DataFrame({"security": frame["security"], "session": session, "event_id": event_id})[among]
    first = rows.groupby(["security", "session"])["event_id"].transform("first")
    return first.where(first != rows["event_id"], "").reindex(frame.index, fill_value="")
