"""What the columns of a file are: guessed by name, said by the user, and shown to both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.raw_tables import RawTable

__all__ = [
    "DATES",
    "ROLES",
    "SECURITIES",
    "Guess",
    "check_unique",
    "dated",
    "finish",
    "only",
    "plain",
    "roles_of",
]

DATES = (
    "date", "day", "datetime", "session", "tradedate", "trddt", "trddy", "caldt", "dlycaldt", "timestamp",
    "日期", "交易日期",
)  # fmt: skip
SECURITIES = (
    "security", "ticker", "symbol", "permno", "isin", "stkcd", "tscode", "cusip", "gvkey", "secid",
    "stock", "code", "代码", "股票代码", "证券代码",
)  # fmt: skip
FIELDS = {
    "close": "close", "price": "close", "last": "close", "clsprc": "close", "prc": "close",
    "pxlast": "close",
    "adjclose": "adj_close", "adjustedclose": "adj_close", "adjprc": "adj_close", "open": "open",
    "opnprc": "open", "openprc": "open", "high": "high", "hiprc": "high", "low": "low", "loprc": "low",
    "volume": "volume", "vol": "volume", "dnshrtrd": "volume", "previousclose": "previous_close",
    "preclose": "previous_close", "prevclose": "previous_close", "reference": "reference",
    "referenceprice": "reference", "dividends": "dividends", "dividend": "dividends",
    "splits": "splits", "split": "splits", "stocksplits": "splits", "pxopen": "open", "pxhigh": "high",
    "pxlow": "low", "pxvolume": "volume", "开盘": "open", "开盘价": "open", "收盘": "close",
    "收盘价": "close", "最高": "high", "最高价": "high", "最低": "low", "最低价": "low", "成交量": "volume",
    "前收盘": "previous_close", "前收盘价": "previous_close", "昨收": "previous_close",
}  # fmt: skip
ROLES = ("date", "security", "ignore")


@dataclass(frozen=True)
class Guess:
    """What the columns of a file were taken for."""

    file: str
    layout: str
    date: str
    date_format: str
    security: str | None
    fields: Mapping[Any, str]
    ignored: tuple[str, ...]
    decimal: str

    def __str__(self) -> str:
        lines = [
            f"{self.file}: {self.layout}",
            f"  date: column {self.date!r}, read as {self.date_format}",
        ]
        if self.security is not None:
            lines.append(f"  security: {self.security}")
        shown = [f"{field} <- {column!r}" for column, field in list(self.fields.items())[:12]]
        more = f", ... ({len(self.fields)} in all)" if len(self.fields) > 12 else ""
        lines.append(f"  columns: {', '.join(shown)}{more}")
        if self.decimal != ".":
            lines.append(f"  decimal sign: {self.decimal!r}")
        if self.ignored:
            lines.append(f"  not used: {', '.join(self.ignored)}")
        return "\n".join(lines)


def plain(name: object) -> str:
    """Letters and digits of a name, in lower case."""
    return "".join(c for c in str(name).lower() if c.isalnum())


def roles_of(names: pd.Index, given: Mapping[str, str] | None, file: str) -> dict[Any, str | None]:
    """Guess what each column is: date, security, a field, ignore, or None for unknown."""
    given = dict(given or {})
    lacking = sorted(set(given) - set(names))
    if lacking:
        raise DataError(f"{file} has no column {', '.join(map(repr, lacking))}; it has {list(names)}.")
    if not names.is_unique:
        twice = names[names.duplicated()].unique().tolist()
        raise DataError(f"{file}: duplicate columns: {twice}. Rename or drop one of each.")
    roles: dict[Any, str | None] = {}
    for name in names:
        word = plain(name[0] if isinstance(name, tuple) else name)
        roles[name] = given.get(name) or FIELDS.get(word)
    for role, synonyms in (("date", DATES), ("security", SECURITIES)):
        if role not in given.values():
            free = [n for n in names if roles[n] is None and not isinstance(n, tuple)]
            found = next((n for wanted in synonyms for n in free if plain(n) == wanted), None)
            if found is not None:
                roles[found] = role
    # A frame written with its index has an empty name over its dates.
    if "date" not in roles.values() and plain(names[0]) in ("", "index", "unnamed0"):
        roles[names[0]] = "date"
    return roles


def only(roles: Mapping[Any, str | None], role: str, file: str) -> Any:
    """Return the one column of a role."""
    found = [column for column, what in roles.items() if what == role]
    if len(found) != 1:
        many = f"{len(found)} columns are called {role}" if found else f"no column is called {role}"
        raise DataError(f"{file}: {many}; the columns are {list(roles)}. Pass columns={{'name': {role!r}}}.")
    return found[0]


def check_unique(fields: Mapping[Any, str | None], file: str) -> None:
    """Refuse two columns that would be the same field."""
    seen: dict[str | None, Any] = {}
    for column, field in fields.items():
        if field in seen:
            raise DataError(
                f"{file}: the columns {seen[field]!r} and {column!r} both look like {field}. Pass "
                f"columns={{{column!r}: 'ignore'}}, or give it another name."
            )
        seen[field] = column


def dated(frame: pd.DataFrame, days: pd.DatetimeIndex, file: str) -> pd.DataFrame:
    """Index rows by day, in order; a duplicate day is an error."""
    frame = frame.set_axis(days.rename("date"), axis=0)
    twice = frame.index.duplicated()
    if twice.any():
        day = frame.index[twice][0]
        raise DataError(
            f"{file}: the date {day:%Y-%m-%d} stands more than once. If each row is of one security, pass "
            "columns={'name': 'security'}."
        )
    return frame.sort_index()


def finish(frame: pd.DataFrame, guess: Guess, table: RawTable, show: bool) -> pd.DataFrame:
    """Note on a frame where it comes from, and show the guess if that is asked for."""
    frame.index = pd.DatetimeIndex(frame.index.to_numpy(), name="date").as_unit("ns")
    frame.attrs = {
        "source": guess.file,
        "sha256": hashlib.sha256(table.content).hexdigest(),
        "guess": str(guess),
    }
    if show:
        print(guess)
    return frame
