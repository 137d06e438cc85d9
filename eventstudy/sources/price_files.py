"""Price files as people have them: CSV, Excel or Parquet, wide or long, one or many."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.raw_tables import RawTable, load
from eventstudy.tabular.frames import Options, Table, read_frame
from eventstudy.tabular.numbers import Decimals

__all__ = ["read_prices", "with_reading"]

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsm", ".parquet", ".pq")
#: A file of one ticker and year, or month, such as ``AAPL_2019.csv``; of 601988 the end is none.
_YEAR = re.compile(r"(.*?[^\d _.-])[ _.-]*(?<!\d)((?:19|20)\d{2})(?:[ _-]?(?:0[1-9]|1[0-2]))?")
#: A code, and a year behind a sign.
_CODE_AND_YEAR = re.compile(r"(.*\d)[ _.-]+((?:19|20)\d{2})(?:[ _-]?(?:0[1-9]|1[0-2]))?")
#: The least share of the days of a file of one year that are of that year; days that two such files share.
OF_YEAR, SHARED = 0.9, 5
#: What Investing.com adds to a ticker, and a browser to a file downloaded again.
_ADDED = re.compile(r"( Historical Data)?( \(\d+\))?$")

Paths = str | Path | Sequence[str | Path] | Mapping[str, str | Path]


def read_prices(
    path: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    security: str | None = None,
    sheet: str | int = 0,
    date_format: str | None = None,
    encoding: str = "utf-8-sig",
    missing: Iterable[str] = (),
    decimal: Decimals | None = None,
    header: int | None = None,
    footer: int | None = None,
    show: bool = False,
) -> pd.DataFrame:
    r"""Read prices from a CSV, Excel or Parquet file, wide or long.

    Parameters
    ----------
    path : str or Path, list or mapping of them
        File whose layout is one of

        - long: a row a day and security, with columns for both and for close, open, volume, ...;
        - wide: a row a day, a column of closes a security;
        - one security: a row a day with columns for close, open, volume, ...;
        - two header rows, field and security, as ``prices(...).to_csv()`` and yfinance write it.

        A folder stands for all its files, a list for several (a firm and an index from two places; one file a
        ticker and year), a mapping names the security of each.
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
        Signs for a missing price besides the empty cell, NA, NaN, null, ``-``, ``.`` and a sheet's #N/A.
    decimal : {".", ","}, optional
        Decimal sign; by default each column shows its own.
    header, footer : int, optional
        Rows above the row of names, and rows below the table; found by default.
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
    given = _paths(path)
    single = isinstance(path, str | Path) and not Path(path).is_dir()
    frames = []
    for name, one in given:
        table = load(one, sheet, encoding, header, footer, columns or (), decimal)
        options = Options(
            one.name,
            "prices",
            columns or {},
            date_format=date_format,
            decimal=decimal,
            likely=table.likely,
            missing=tuple(missing),
            security=security or name or _ADDED.sub("", one.stem) or one.stem,
            in_file=True,
            doubtful=table.doubtful,
        )
        read = read_frame(table.frame, options)
        if not {"close", "adj_close"} & set(read.fields):
            raise DataError(
                f"{one.name} has no column of prices; its columns are "
                f"{[str(c) for c in table.frame.columns][:30]}. "
                "Pass columns=. A file of returns: Market(pd.read_csv(path), ...)."
            )
        named = {(f, s): read.fields[f][s] for f in read.fields for s in read.fields[f].columns}
        frame = pd.DataFrame(named) if len(named) < 500 else pd.concat(read.fields, axis=1)
        frame.columns = pd.MultiIndex.from_arrays(
            [frame.columns.get_level_values(level) for level in (0, 1)], names=["field", "security"]
        )
        frame = frame.sort_index(axis=1)
        frames.append(with_reading(frame, one.name, read, table, show))
    if security is None and not single and not isinstance(path, Mapping):
        frames = _without_years(frames, [one for _, one in given])
    return frames[0] if len(frames) == 1 else _joined(frames)


def _paths(path: Paths) -> list[tuple[str | None, Path]]:
    """Files to read, each with the name of its security where the file may not know it."""
    if isinstance(path, Mapping):
        return [(str(name), Path(one)) for name, one in path.items()]
    if not isinstance(path, str | Path):
        several = [Path(one) for one in path]
    elif Path(path).is_dir():
        several = sorted(one for one in Path(path).iterdir() if one.suffix.lower() in ENDINGS)
        if not several:
            raise DataError(f"{str(path)!r} has no file that ends in {', '.join(ENDINGS)}.")
    else:
        return [(None, Path(path))]
    if not several:
        raise DataError("The list of files is empty.")
    return [(None, one) for one in several]


def _without_years(frames: Sequence[pd.DataFrame], paths: Sequence[Path]) -> list[pd.DataFrame]:
    """Name securities without the year by which the names of their files end, one for each year.

    The days decide whether a name ends by a year: ``HK_2018`` and ``Russell 2000`` end by none.
    """
    out: list[pd.DataFrame] = list(frames)
    of_one: dict[str, list[tuple[int, bool]]] = {}
    for k, (frame, path) in enumerate(zip(frames, paths, strict=True)):
        stem = _ADDED.sub("", path.stem) or path.stem
        match = _YEAR.fullmatch(stem) or _CODE_AND_YEAR.fullmatch(stem)
        years = pd.DatetimeIndex(frame.index).year
        if match is None or set(frame.columns.get_level_values(1)) != {stem}:
            continue
        inside = years == int(match[2])
        if inside[0] or inside[-1]:
            of_one.setdefault(match[1], []).append((k, bool(inside.mean() >= OF_YEAR)))
    for name, files in of_one.items():
        days = pd.Series(np.concatenate([frames[k].index.to_numpy() for k, _ in files]))
        if all(inside for _, inside in files) or days.duplicated().sum() <= SHARED * (len(files) - 1):
            for k, _ in files:
                out[k] = frames[k].rename(columns={frames[k].columns[0][1]: name}, level=1)
    return out


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the tables of several files; days on which two of them differ are an error."""
    out = frames[0]
    for frame in frames[1:]:
        both = out.columns.intersection(frame.columns)
        days = out.index.intersection(frame.index)
        one, other = out.loc[days, both].to_numpy(), frame.loc[days, both].to_numpy()
        apart = ~np.isnan(one) & ~np.isnan(other) & (one != other)
        if apart.any():
            row, column = np.argwhere(apart)[0]
            raise DataError(
                f"{out.attrs['source']} and {frame.attrs['source']} differ on {days[row]:%Y-%m-%d}: "
                f"{both[column][1]} "
                f"has a {both[column][0]} of {one[row, column]:g} and of {other[row, column]:g}. Leave one "
                f"file out."
            )
        attrs: dict[Any, Any] = {
            "source": f"{out.attrs['source']}, {frame.attrs['source']}",
            "sha256": hashlib.sha256((out.attrs["sha256"] + frame.attrs["sha256"]).encode()).hexdigest(),
            "guess": f"{out.attrs['guess']}\n{frame.attrs['guess']}",
            "reading": tuple(dict.fromkeys([*out.attrs["reading"], *frame.attrs["reading"]])),
            "adjusted": out.attrs["adjusted"] if out.attrs["adjusted"] == frame.attrs["adjusted"] else "",
        }
        out.attrs, frame.attrs = {}, {}
        out = out.combine_first(frame) if len(both) else out.join(frame, how="outer")
        out.attrs = attrs
    out.columns.names = ["field", "security"]
    kept = dict(out.attrs)
    out = out.sort_index(axis=1)
    out.index = pd.DatetimeIndex(out.index.to_numpy(), name="date").as_unit("ns")
    out.attrs = kept
    return out


def with_reading(frame: pd.DataFrame, file: str, read: Table, table: RawTable, show: bool) -> pd.DataFrame:
    """Note on a frame what its file was taken for, and show it if that is asked for."""
    frame.index = pd.DatetimeIndex(frame.index.to_numpy(), name="date").as_unit("ns")
    told = _told(file, read, table)
    frame.attrs = {
        "source": file,
        "sha256": hashlib.sha256(table.content).hexdigest(),
        "guess": told,
        "reading": tuple(one.row for one in read.reading),
        "adjusted": read.adjusted,
    }
    if show:
        print(told)
    return frame


def _told(file: str, read: Table, table: RawTable) -> str:
    """Write what a file was taken for, a line for the dates, the securities and the fields."""
    rows = read.reading
    date = next((one for one in rows if one.taken_for == "date"), None)
    lines = [f"{file}: {read.layout}"]
    if date is not None:
        lines.append(f"  date: column {'' if date.column == 'index' else date.column!r}, {date.evidence}")
    who = next((one for one in rows if one.taken_for == "security"), None)
    if who is not None:
        lines.append(
            f"  security: column {who.column!r}" + f" ({who.evidence})" * (who.evidence != "by its name")
        )
    used = [
        one for one in rows if one.taken_for not in ("date", "security", "not used", "left aside", "left out")
    ]
    shown = [
        f"{one.taken_for} <- {one.column!r}"
        + (f" ({', '.join(p for p in (one.unit, one.evidence) if p)})" if one.unit or one.evidence else "")
        for one in used
    ]
    lines.append(f"  columns: {', '.join(shown)}")
    if table.likely == ",":
        lines.append("  decimal sign: ','")
    left = [one.column for one in rows if one.taken_for in ("not used", "left aside", "left out")]
    if left:
        lines.append(f"  not used: {', '.join(left)}")
    if table.left_out:
        lines.append(f"  left out: {'; '.join(table.left_out)}")
    return "\n".join(lines)
