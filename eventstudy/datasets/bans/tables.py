"""Read the ban announcements: as they are written, and with their types."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from eventstudy.datasets.bans.schema import CHANGES, TABLES, Column

__all__ = ["Tables", "change_log", "read", "read_aliases", "read_changes", "split", "typed"]


class Tables(NamedTuple):
    """The three tables: announcements, securities linked to them, sources."""

    announcements: pd.DataFrame
    securities: pd.DataFrame
    sources: pd.DataFrame


def read() -> Tables:
    """Return the bundled tables as written: all text, nothing for what is missing."""
    return Tables(*(_text(name) for name in TABLES))


def read_aliases() -> pd.DataFrame:
    """Return other names of companies, as lists write them: columns company, alias."""
    return _text("aliases")


def read_changes() -> pd.DataFrame:
    """Return the bundled change log as written: all text."""
    return _text("changes")


@lru_cache(maxsize=1)
def change_log() -> pd.DataFrame:
    """Return the bundled change log, the oldest version first; shared, so not to be changed."""
    return _typed(read_changes(), CHANGES)


@lru_cache(maxsize=1)
def typed() -> Tables:
    """Return the bundled tables with times, days and flags; shared, so not to be changed."""
    a, s, sources = (_typed(frame, columns) for frame, columns in zip(read(), TABLES.values(), strict=True))
    return Tables(a.set_index("announcement_id"), s, sources.set_index("source"))


def split(value: str) -> list[str]:
    """Return the names of a list."""
    return [name.strip() for name in value.split(";") if name.strip()]


def _text(name: str) -> pd.DataFrame:
    with files(__package__).joinpath(f"{name}.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def _typed(frame: pd.DataFrame, columns: dict[str, Column]) -> pd.DataFrame:
    out: dict[str, pd.Series] = {}
    for name, column in columns.items():
        values = frame[name]
        if column.form == "time":
            out[name] = pd.to_datetime(values, format="%Y-%m-%dT%H:%MZ", utc=True).dt.as_unit("ns")
        elif column.form == "day":
            days = pd.to_datetime(values.where(values != ""), format="%Y-%m-%d")
            out[name] = days.dt.as_unit("ns")
        elif column.form == "flag":
            out[name] = values == "yes"
        else:
            out[name] = values
    return pd.DataFrame(out)
