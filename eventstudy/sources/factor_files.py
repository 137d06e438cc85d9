"""Daily factor returns from files of any kind, as decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.column_names import factor_name, pick_one
from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.sources.price_files import with_reading
from eventstudy.sources.raw_tables import load
from eventstudy.tabular.frames import Options, read_frame
from eventstudy.tabular.numbers import Decimals
from eventstudy.tabular.reading import Taken

__all__ = ["read_factors", "scaled"]

Unit = Literal["percent", "decimal"]

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
    decimal: Decimals | None = None,
    header: int | None = None,
    footer: int | None = None,
    show: bool = False,
) -> pd.DataFrame:
    """Read daily factor returns from a file of yours.

    Parameters
    ----------
    path : str or Path
        CSV, Excel or Parquet file: one row per day, one column per factor.
    unit : {"percent", "decimal"}
        What the file holds; 1.5 is 1.5% in the first case. There is no default, since a wrong one makes
        every result wrong by a factor of 100.
    columns : mapping, optional
        Names to give, ``{"rf_dly": "rf", "Remark": "ignore"}``.
    sheet, date_format, encoding, missing, decimal, header, footer, show
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

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"date": ["2019-05-21", "2019-05-22"], "Mkt-RF": [1.30, -0.55], "RF": 0.009})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows.to_csv(f"{folder}/factors.csv", index=False)
    ...     es.sources.read_factors(f"{folder}/factors.csv", unit="percent")["mkt_rf"].round(4).tolist()
    [0.013, -0.0055]
    """
    path = Path(path)
    table = load(path, sheet, encoding, header, footer, columns or ())
    options = Options(
        path.name,
        "values",
        {c: role for c, role in (columns or {}).items() if role in ("date", "ignore")},
        date_format=date_format,
        decimal=decimal,
        likely=table.likely,
        missing=tuple(missing),
        in_file=True,
        doubtful=table.doubtful,
    )
    read = read_frame(table.frame, options)
    if "value" not in read.fields:
        raise DataError(
            f"{path.name}: factors are read from a table of a row a day and a column a factor; this one is "
            f"{read.layout}."
        )
    given = columns or {}
    frame = read.fields["value"]
    names = {column: given.get(column) or factor_name(column) for column in frame.columns}
    pick_one(names, path.name, lambda one, other: False)
    taken = tuple(Taken(column, name, unit) for column, name in names.items())
    rest = tuple(one for one in read.reading if one.taken_for in ("date", "not used"))
    read = read._replace(layout=f"factors in {unit}", reading=(*rest[:1], *taken, *rest[1:]))
    return with_reading(scaled(frame.rename(columns=names), unit, path.name), path.name, read, table, show)


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
                f"{where}: half of the returns exceed {size:.2f}, that is {size:.0%} per day, so they are "
                "not decimals. Pass unit='percent'."
            )
        return frame
    if size < 0.03:
        warn(
            f"{where}: half of the returns are below {size:.4f} in size; if these are decimals and not "
            "percent, pass unit='decimal'.",
            DataWarning,
        )
    return frame / 100.0
