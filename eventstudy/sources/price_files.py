"""Price files as people have them: CSV, Excel or Parquet, wide or long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.column_roles import (
    DATES,
    ROLES,
    SECURITIES,
    Guess,
    check_unique,
    dated,
    finish,
    only,
    plain,
    roles_of,
)
from eventstudy.sources.raw_tables import RawTable, days_of, load, numbers_of

__all__ = ["read_prices"]


def read_prices(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    security: str | None = None,
    sheet: str | int = 0,
    date_format: str | None = None,
    encoding: str = "utf-8-sig",
    missing: Iterable[str] = (),
    show: bool = False,
) -> pd.DataFrame:
    r"""Read prices from a CSV, Excel or Parquet file, wide or long.

    Parameters
    ----------
    path : str or Path
        File whose layout is one of

        - long: a row a day and security, with columns for both and for close, open, volume, ...;
        - wide: a row a day, a column of closes a security;
        - one security: a row a day with columns for close, open, volume, ...;
        - two header rows, field and security, as ``prices(...).to_csv()`` and yfinance write it.
    columns : mapping, optional
        What columns are, where the guess is wrong:
        ``{"Day": "date", "Firm": "security", "Value": "close", "Remark": "ignore"}``.
    security : str, optional
        Name of the security in a file of one; default the file's name.
    sheet : str or int, default 0
        Sheet of a workbook.
    date_format : str, optional
        Such as ``"%d/%m/%Y"``; needed where day and month cannot be told apart.
    encoding : str, default "utf-8-sig"
        Of a text file.
    missing : iterable of str, optional
        Signs for a missing price besides the empty cell, NA, NaN, null, ``-`` and ``.``.
    show : bool, default False
        Print what the columns were taken for; it is in ``attrs["guess"]`` in any case.

    Returns
    -------
    DataFrame
        Naive days × (field, security), floats, as `Market.from_prices` takes them. `attrs` hold the file's
        name, its SHA-256 and the guess.

    Raises
    ------
    DataError
        If the file cannot be read, or a cell is not what its column should hold; the message says where.
    MissingExtraError
        If Excel or Parquet needs a library that is not installed.

    Notes
    -----
    Every cell of a text file is read as text first, so codes keep their leading zeros (000063) and no ticker
    is taken for a missing value.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from eventstudy.sources import read_prices
    >>> path = Path(tempfile.mkdtemp()) / "closes.csv"
    >>> _ = path.write_text("Date,Ticker,Close,Note\n20190521,000063,29.10,\n20190522,000063,28.35,ban\n")
    >>> prices = read_prices(path, show=True)
    closes.csv: long, 2 rows of 1 securities
      date: column 'Date', read as %Y%m%d
      security: column 'Ticker'
      columns: close <- 'Close'
      not used: Note
    >>> float(prices.at["2019-05-22", ("close", "000063")])
    28.35
    """
    path = Path(path)
    table = load(path, sheet, encoding)
    table = _two_header_rows(table)
    roles = roles_of(table.columns.columns, columns, path.name)
    date = only(roles, "date", path.name)
    days, form = days_of(table.columns[date], date_format, f"{path.name}, column {date!r}")
    named = [column for column, role in roles.items() if role == "security"]
    fields = {column: role for column, role in roles.items() if role not in (*ROLES, None)}

    def values(column: Any) -> pd.Series:
        return numbers_of(table.columns[column], table.decimal, missing, f"{path.name}, column {column!r}")

    if any(isinstance(column, tuple) for column in fields):
        pieces = {(role, str(column[1])): values(column) for column, role in fields.items()}
        frame = dated(pd.DataFrame(pieces), days, path.name)
        layout, who = "fields and securities in two header rows", None
    elif named:
        check_unique(fields, path.name)
        frame = _from_long({role: values(c) for c, role in fields.items()}, table, named[0], days, path.name)
        layout = f"long, {len(days)} rows of {frame.columns.get_level_values(1).nunique()} securities"
        who = f"column {named[0]!r}"
    elif {"close", "adj_close"} & set(fields.values()):
        check_unique(fields, path.name)
        name = security or path.stem
        frame = dated(pd.DataFrame({(role, name): values(c) for c, role in fields.items()}), days, path.name)
        layout, who = "one security", repr(name)
    else:
        others = [column for column, role in roles.items() if role not in ROLES]
        fields = dict.fromkeys(others, "close")
        frame = dated(pd.DataFrame({("close", str(c)): values(c) for c in others}), days, path.name)
        layout, who = "wide, one column of closes a security", None
    if frame.empty:
        raise DataError(f"{path.name} has no column of prices; its columns are {list(roles)}. Pass columns=.")
    ignored = tuple(str(c) for c in roles if c != date and c not in fields and c not in named)
    frame.columns = pd.MultiIndex.from_arrays(
        [frame.columns.get_level_values(level) for level in (0, 1)], names=["field", "security"]
    )
    frame = frame.sort_index(axis=1)
    return finish(
        frame, Guess(path.name, layout, str(date), form, who, fields, ignored, table.decimal), table, show
    )


def _two_header_rows(table: RawTable) -> RawTable:
    """Join the header rows field and security that pandas writes for two column levels."""
    frame = table.columns
    if isinstance(frame.columns, pd.MultiIndex):
        flat = [column if column[1] else column[0] for column in frame.columns]
        return RawTable(
            frame.set_axis(pd.Index(flat, tupleize_cols=False), axis=1), table.decimal, table.content
        )
    second = str(frame.iloc[0, 0]) if len(frame) else ""
    if plain(frame.columns[0]) not in ("price", "field", "attributes") or plain(second) not in SECURITIES:
        return table
    tickers = [str(cell).strip() for cell in frame.iloc[0, 1:]]
    fields = [str(column).split(".")[0] for column in frame.columns[1:]]
    third = frame.iloc[1, 0] if len(frame) > 1 else ""
    body = frame.iloc[2 if plain(third) in DATES else 1 :].reset_index(drop=True)
    names = pd.Index(["date", *zip(fields, tickers, strict=True)], tupleize_cols=False)
    return RawTable(body.set_axis(names, axis=1), table.decimal, table.content)


def _from_long(
    fields: Mapping[str, pd.Series], table: RawTable, who: Any, days: pd.DatetimeIndex, file: str
) -> pd.DataFrame:
    names = table.columns[who].map(lambda v: "" if pd.isna(v) else str(v).strip())
    if (names == "").any():
        raise DataError(f"{file}: row {int(np.argmax(names == '')) + 1} names no security.")
    rows = pd.DataFrame({"date": days, "security": names.to_numpy()})
    twice = rows.duplicated()
    if twice.any():
        first = rows[twice].iloc[0]
        raise DataError(f"{file}: {first['security']} has more than one row for {first['date']:%Y-%m-%d}.")
    if not fields:
        raise DataError(f"{file} has no column of prices; its columns are {list(table.columns.columns)}.")
    rows = rows.assign(**{role: values.to_numpy() for role, values in fields.items()})
    wide = rows.pivot(index="date", columns="security", values=list(fields))
    return wide.sort_index()
