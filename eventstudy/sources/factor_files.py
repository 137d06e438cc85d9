"""Daily factor returns from files of any kind, as decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.sources.column_roles import Guess, check_unique, dated, finish, only, plain, roles_of
from eventstudy.sources.raw_tables import days_of, load, numbers_of

__all__ = ["factor_name", "read_factors", "scaled"]

Unit = Literal["percent", "decimal"]

FACTORS = {
    "mktrf": "mkt_rf", "rmrf": "mkt_rf", "mktminusrf": "mkt_rf", "rfdly": "rf", "riskfree": "rf",
    "umd": "mom", "wml": "mom",
}  # fmt: skip
# What Ken French's files, and those made after them, write for a missing return.
MISSING_CODES = (-99.99, -999.0, -99.9)


def read_factors(
    path: str | Path,
    *,
    unit: Unit,
    columns: Mapping[str, str] | None = None,
    sheet: str | int = 0,
    date_format: str | None = None,
    encoding: str = "utf-8-sig",
    missing: Iterable[str] = (),
    show: bool = False,
) -> pd.DataFrame:
    """Read daily factor returns from a file of yours.

    Parameters
    ----------
    path : str or Path
        CSV, Excel or Parquet file: a row a day, a column a factor.
    unit : {"percent", "decimal"}
        What the file holds; 1.5 is 1.5 % in the first case. There is no default, since a wrong one makes
        every result wrong by a factor of 100.
    columns : mapping, optional
        Names to give, ``{"rf_dly": "rf", "Remark": "ignore"}``.
    sheet, date_format, encoding, missing, show
        As for `read_prices`.

    Returns
    -------
    DataFrame
        Naive days × factors, **decimals**, as ``Market(..., factors=frame)`` takes them. Names are those the
        models ask for: mkt_rf, smb, hml, rmw, cma, mom, rf; others in lower case.

    Raises
    ------
    DataError
        If the file cannot be read, or its numbers cannot be of that unit.

    Warns
    -----
    DataWarning
        If the numbers look like decimals and are said to be percent.
    """
    path = Path(path)
    table = load(path, sheet, encoding)
    roles = roles_of(table.columns.columns, columns, path.name)
    date = only(roles, "date", path.name)
    days, form = days_of(table.columns[date], date_format, f"{path.name}, column {date!r}")
    given = columns or {}
    taken = {c: given.get(c) or factor_name(str(c)) for c in roles if c != date and given.get(c) != "ignore"}
    check_unique(taken, path.name)
    frame = pd.DataFrame(
        {
            name: numbers_of(table.columns[c], table.decimal, missing, f"{path.name}, column {c!r}")
            for c, name in taken.items()
        }
    )
    frame = scaled(dated(frame, days, path.name), unit, path.name)
    ignored = tuple(str(c) for c in roles if c != date and c not in taken)
    return finish(
        frame,
        Guess(path.name, f"factors in {unit}", str(date), form, None, taken, ignored, table.decimal),
        table,
        show,
    )


def factor_name(column: str) -> str:
    """Name of a factor as the models ask for it."""
    word = plain(column)
    return FACTORS.get(word, "_".join(column.strip().lower().replace("-", " ").split()))


def scaled(frame: pd.DataFrame, unit: Unit, where: str) -> pd.DataFrame:
    """Return factor returns as decimals, codes for missing ones as NaN, after a look at their size."""
    if unit not in get_args(Unit):
        raise RequestError(f"unit must be 'percent' or 'decimal', got {unit!r}.")
    if frame.empty:
        raise DataError(f"{where} holds no factor returns.")
    frame = frame.mask(frame.isin(MISSING_CODES))
    risky = frame.drop(columns="rf", errors="ignore")
    size = float(np.nanmedian(np.abs(risky.to_numpy()))) if risky.notna().any(axis=None) else np.nan
    if unit == "decimal":
        if size > 0.1:
            raise DataError(
                f"{where}: half of the returns exceed {size:.2f}, that is {size:.0%} a day, so they are no "
                "decimals. Pass unit='percent'."
            )
        return frame
    if size < 0.03:
        warn(
            f"{where}: half of the returns are below {size:.4f} in size; if these are decimals and not "
            "percent, pass unit='decimal'.",
            DataWarning,
        )
    return frame / 100.0
