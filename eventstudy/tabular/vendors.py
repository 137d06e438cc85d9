"""Conventions of vendors: codes, signs and factors of adjustment → plain prices and returns."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray
from eventstudy.column_names import TOTAL_RETURN_NAMES, in_percent, plain_name
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.text import regex

__all__ = [
    "Rows",
    "check_halted",
    "halted_rows",
    "in_vendor_terms",
    "known_factors",
    "missing_codes",
    "split_ratios",
]

#: Splits as texts: new shares for old ones.
_RATIO = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?::|/|-?for-?)\s*([1-9]\d*(?:\.\d+)?)\s*$", re.IGNORECASE)
#: CRSP's numbers for a missing return.
CODES = (-44.0, -55.0, -66.0, -77.0, -88.0, -99.0)
#: CRSP's columns of returns, in which letters say why one is missing.
CRSP_RETURNS = frozenset(
    {"ret", "retx", "dlret", "dlretx", "dlyret", "dlyretx", "mthret", "mthretx", "vwretd"}
)
#: CRSP's columns of prices, in which a minus marks the mean of bid and ask, and zero a missing price.
CRSP_PRICES = frozenset({"prc", "dlyprc", "mthprc", "altprc"})

#: A total return factor that begins above it does not begin with a first dividend.
FIRST_DIVIDEND = 1.25
#: A change of a factor, in logs, that closes can date, and how near to it the move of the day must lie.
DATED, NEAREST = 0.2, 1 / 3

Notes = dict[str, tuple[str, str]]


class Rows(NamedTuple):
    """Whose the rows of a table are: its name in messages, their days, and their security or securities."""

    what: str
    days: pd.DatetimeIndex
    who: Any


def missing_codes(name: Any, field: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return CRSP's letters and numbers for a missing return, if a column holds CRSP's returns."""
    if plain_name(name) not in CRSP_RETURNS and field != "delisting_return":
        return (), ()
    return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), CODES


def split_ratios(column: pd.Series) -> pd.Series:
    """Return new shares for an old one, where splits are written as 2:1, 2/1 or 2-for-1."""
    if column.dtype.kind in "fiub":
        return column
    parts = column.astype(str).str.extract(_RATIO)
    ratio = pd.to_numeric(parts[0]) / pd.to_numeric(parts[1])
    return column.where(ratio.isna(), ratio)


def in_vendor_terms(
    values: dict[str, pd.Series],
    units: dict[str, str],
    chosen: dict[str, Any],
    want: str,
    rows: Rows | None = None,
) -> tuple[dict[str, pd.Series], dict[str, str], Notes, str]:
    """Bring the fields of a table into plain terms.

    Returns
    -------
    values, units
        Without factors of adjustment and delisting returns, which have gone into the others.
    notes : dict of field to (adjustment, evidence)
    adjusted : str
        What the vendor is known to have adjusted closes for: "", "none", "splits" or "total".
    """
    notes: Notes = {}
    values, units = dict(values), dict(units)
    _crsp_prices(values, chosen, notes)
    _returns(values, units, chosen, notes, rows)
    _factors(values, notes, rows)
    for left in ("price_return", *(() if want == "returns" else ("log_return",))):
        if values.pop(left, None) is not None:
            notes[left] = ("", "left aside")
    names = {str(name) for name in chosen.values()}
    adjusted = ""
    # yfinance leaves Adj Close out only where it has adjusted Close itself.
    if {"Close", "Dividends", "Stock Splits"} <= names and "adj_close" not in chosen:
        adjusted = "total"
        if "close" in values:
            notes["close"] = ("total", "Yahoo's Close without Adj Close is adjusted")
    return values, units, notes, adjusted


def _crsp_prices(values: dict[str, pd.Series], chosen: dict[str, Any], notes: Notes) -> None:
    if "close" not in values or plain_name(str(chosen.get("close"))) not in CRSP_PRICES:
        return
    price = values["close"]
    if (price <= 0).any():
        values["close"] = price.abs().mask(price == 0)
        notes["close"] = ("", "a minus marks CRSP's mean of bid and ask, zero a missing price")


def _returns(
    values: dict[str, pd.Series],
    units: dict[str, str],
    chosen: dict[str, Any],
    notes: Notes,
    rows: Rows | None,
) -> None:
    delisting = values.pop("delisting_return", None)
    if delisting is not None and "return" in values:
        if rows is not None:
            delisting = _delisted_once(delisting, str(chosen["delisting_return"]), rows)
        last = delisting.notna()
        if last.any():
            both = (1 + values["return"].fillna(0.0)) * (1 + delisting) - 1
            values["return"] = values["return"].mask(last, both)
        notes["delisting_return"] = ("", "compounded with the return of its day")
    if "return" not in values:
        return
    word = plain_name(str(chosen["return"]))
    named = in_percent(chosen["return"])
    if units.get("return") == "percent" or (named and not units.get("return")):
        values["return"] = values["return"] / 100.0
        notes["return"] = ("", "by its name" if named else "by its sign")
        units["return"] = "percent"
    if word not in TOTAL_RETURN_NAMES and ("close" in values or "adj_close" in values):
        # Rounded changes tell of ex-days; between them closes are more exact.
        values["rounded_return"] = values.pop("return")
        notes["return"] = ("", "tells of ex-days; closes are more exact")


def _delisted_once(delisting: pd.Series, name: str, rows: Rows) -> pd.Series:
    """Return delisting returns, of which each security has one; zeros beside it say nothing.

    Raises
    ------
    DataError
        If a security has several.
    """
    given = pd.DataFrame({"who": rows.who, "day": rows.days, "value": delisting.to_numpy()}).dropna()
    some = given[given["value"] != 0]
    twice = some["who"].duplicated(keep=False)
    if twice.any():
        who = some["who"][twice].iloc[0]
        days = some["day"][some["who"] == who].sort_values()
        raise DataError(
            f"{rows.what}: {who} has {len(days)} delisting returns in {name!r}, from {days.iloc[0]:%Y-%m-%d} "
            f"to {days.iloc[-1]:%Y-%m-%d}, and is delisted once. Was the column merged by security alone? "
            f"Merge it by security and day, or pass columns={{{name!r}: 'ignore'}}."
        )
    beside = given.index[given["who"].duplicated(keep=False) & (given["value"] == 0)]
    keep = np.ones(len(delisting), dtype=bool)
    keep[beside] = False
    return delisting.where(keep)


def _factors(values: dict[str, pd.Series], notes: Notes, rows: Rows | None) -> None:
    factor, paid = values.pop("cumulative_factor", None), values.pop("total_return_factor", None)
    if factor is None or "close" not in values:
        if factor is not None:
            notes["cumulative_factor"] = ("", "left aside")
        return
    if paid is not None and not (paid > 0).any() and not (rows is not None and isinstance(rows.who, str)):
        paid = None
        notes["total_return_factor"] = ("", "empty: dividends are not counted")
    if paid is not None and "adj_close" not in values:
        close = values["close"]
        if rows is not None:
            wide = [_wide(column, rows) for column in (close, factor, paid)]
            factor = _long(known_factors(wide[1], wide[0], rows.what), factor, rows)
            paid = _long(_known_payouts(wide[2], wide[0], rows.what), paid, rows)
        values["adj_close"] = close / factor * paid
        notes["cumulative_factor"] = ("total", "with the total return factor, it makes adjusted closes")
        notes["total_return_factor"] = ("total", "dividends reinvested; 1 before the first")
    elif "return" in values or "adj_close" in values:
        notes["cumulative_factor"] = ("", "left aside: returns are given")
    else:
        values["cumulative_factor"] = factor
        notes["cumulative_factor"] = ("splits", "prices are compared over it; dividends are not counted")


def _wide(column: pd.Series, rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame({"day": rows.days, "who": rows.who, "value": column.to_numpy()})
    # Days that come twice are refused later.
    return (
        frame.drop_duplicates(["day", "who"]).pivot(index="day", columns="who", values="value").sort_index()
    )


def _long(wide: pd.DataFrame, like: pd.Series, rows: Rows) -> pd.Series:
    who = pd.Series(rows.who, index=range(len(like))) if isinstance(rows.who, str) else rows.who
    cells = wide.to_numpy()[wide.index.get_indexer(rows.days), wide.columns.get_indexer(pd.Index(who))]
    return pd.Series(cells, like.index)


def known_factors(factor: pd.DataFrame, close: pd.DataFrame, what: str) -> pd.DataFrame:
    """Fill factors of adjustment, days × securities, where closes are known and they are missing or zero.

    A factor that changes over the hole changes on the day on which the close moves against it.

    Raises
    ------
    DataError
        If a factor is negative, or the closes do not tell on which day it changes.

    Warns
    -----
    DataWarning
        If a security has no factor at all, which counts as 1.
    """
    negative = (factor < 0).to_numpy()
    if negative.any():
        row, column = np.argwhere(negative)[0]
        raise DataError(
            f"{what}: the factor of adjustment of {factor.columns[column]} is "
            f"{factor.to_numpy()[row, column]:g} on {factor.index[row]:%Y-%m-%d}; factors are positive. Mend "
            "or drop it."
        )
    known = factor.mask(factor == 0)
    out, after = known.ffill(), known.bfill()
    lacking = known.isna() & close.notna()
    if not lacking.to_numpy().any():
        return known
    open_ = lacking & ((out / after - 1.0).abs() > 1e-6)
    for name in open_.columns[open_.any()]:
        for hole in (~known[name].isna()).cumsum()[open_[name]].unique():
            day = open_.index[open_[name] & ((~known[name].isna()).cumsum() == hole)][0]
            out[name] = _changed(out[name], after[name], known[name], close[name], day, what)
    never = lacking.columns[lacking.any() & known.isna().all()]
    if len(never):
        warn(
            f"{what}: {never[0]} has no factor of adjustment, or zero alone"
            + (f", as {len(never) - 1} others" if len(never) > 1 else "")
            + "; its closes are taken as they are. A split among them is a fall.",
            DataWarning,
        )
    return out.bfill().fillna(1.0)


def _changed(
    before: pd.Series, after: pd.Series, known: pd.Series, close: pd.Series, day: Any, what: str
) -> pd.Series:
    """Fill the hole of a factor that begins on a day, as closes tell when it changed."""
    start = int(before.index.get_indexer(pd.Index([day]))[0])
    end = start + int(np.argmax(known.iloc[start:].notna()))  # the day it is known again
    change = float(np.log(after.iloc[start] / before.iloc[start]))
    last = close.ffill().shift()
    moved = (close / last).iloc[start : end + 1].dropna().map(np.log)
    apart = (moved - change).abs().sort_values()
    sure = len(apart) > 0 and abs(change) > DATED and apart.iloc[0] < NEAREST * abs(change)
    if not sure or (len(apart) > 1 and apart.iloc[1] < (1 - NEAREST) * abs(change)):
        raise DataError(
            f"{what}: the factor of adjustment of {before.name} is missing or zero from {day:%Y-%m-%d} on, "
            f"{before.iloc[start]:g} before and {after.iloc[start]:g} from {before.index[end]:%Y-%m-%d} on, "
            "and its closes do not tell on which day it changed. Give it for these days."
        )
    out = before.copy()
    at = int(before.index.get_indexer(apart.index[:1])[0])
    out.iloc[at:end] = after.iloc[start]
    return out


def _known_payouts(paid: pd.DataFrame, close: pd.DataFrame, what: str) -> pd.DataFrame:
    """Fill total return factors: 1 before a first dividend, the last one after.

    Warns
    -----
    DataWarning
        If a dividend may lie within a hole.
    """
    known = paid.mask(paid <= 0)
    carried, after = known.ffill(), known.bfill()
    lacking = known.isna() & close.notna()
    leading = lacking & carried.isna()
    begun = leading & (after > FIRST_DIVIDEND)
    inner = lacking & ((carried / after - 1.0).abs() > 1e-6)
    ended = lacking & carried.notna() & after.isna()
    doubtful = (begun | inner | ended).to_numpy()
    if doubtful.any():
        row, column = np.argwhere(doubtful)[0]
        who, day = paid.columns[column], paid.index[row]
        warn(
            f"{what}: {who} has no total return factor on {day:%Y-%m-%d}, and one on other days (and "
            f"{int(doubtful.sum()) - 1} more such cells); the nearest before is taken, or after. A dividend "
            "on these days is a fall.",
            DataWarning,
        )
    return carried.where(~begun, after).fillna(1.0)


#: Columns in which 1 or true says that there was no trade.
_NEGATED = ("paused", "suspended", "halted")
_NO_TRADE = regex(
    r"0|false|n|no|h|s|halt|halted|(trading )?halt|trading halted|suspend|suspended|suspension|n/?t|not "
    r"traded|"
    r"no trade|not trading|closed|停牌|停牌一天|连续停牌|全天停牌|停止交易|暂停交易"
)
_TRADE = regex(
    r"1|true|y|yes|a|r|t|active|trades?|traded|trading|normal|open|ok|regular|listed|resumed?|resumption|"
    r"交易|正常|正常交易|复牌|停牌半天|盘中停牌|上午停牌|下午停牌|临时停牌|新股上市"
)
#: CSMAR's Trdsta tells of special treatment; days without trade have no row there.
_TRDSTA = regex(r"1[0-6]|[1-9]")


def halted_rows(column: pd.Series, name: object, what: str) -> BoolArray:
    """Return the rows whose status says that there was no trade.

    Raises
    ------
    DataError
        If a value of the column is not understood.
    """
    word = plain_name(str(name))
    code, values = pd.factorize(column.astype(object))
    texts = [str(v).strip().lower().removesuffix(".0") for v in values]
    halted = np.zeros(len(values) + 1, dtype=bool)
    if word == "trdsta":
        unknown = [v for v, text in zip(values, texts, strict=True) if not _TRDSTA.fullmatch(text)]
    elif word in _NEGATED and all(text in ("0", "1", "true", "false") for text in texts):
        halted[:-1] = [text in ("1", "true") for text in texts]
        unknown = []
    else:
        halted[:-1] = [_NO_TRADE.fullmatch(text) is not None for text in texts]
        unknown = [
            v
            for v, text, no in zip(values, texts, halted, strict=False)
            if not no and text not in ("", "nan", "none") and not _TRADE.fullmatch(text)
        ]
    if unknown:
        shown = ", ".join(repr(v) for v in unknown[:5])
        raise DataError(
            f"{what}: the column {str(name)!r} says whether a security traded, and {shown} is not understood "
            f"there. "
            f"Write 1 for trade and 0 for none, or pass columns={{{str(name)!r}: 'ignore'}}."
        )
    return np.asarray(halted[code], dtype=bool)


def check_halted(
    halted: BoolArray, column: pd.Series, name: Any, rows: pd.DataFrame, volume: pd.Series | None, what: str
) -> None:
    """Refuse a column of status that means something else than trade.

    Parameters
    ----------
    halted : array of bool
        Rows that it is taken to call without trade.
    column : Series
        The status, in column `name`.
    rows : DataFrame
        Columns day and who.
    volume : Series, optional
    what : str
        What the table is called.

    Raises
    ------
    DataError
        If there is volume in such a row, or most rows are.
    """
    traded = halted if volume is None else halted & (volume > 0).to_numpy()
    contradicted = volume is not None and bool(traded.any())
    if not contradicted and halted.mean() <= 0.5:
        return
    row = int(np.argmax(traded if contradicted else halted))
    raise DataError(
        f"{what}: the column {str(name)!r} is read as no trade where it is 0, halted or suspended, and "
        f"{rows['who'].iloc[row]} on {rows['day'].iloc[row]:%Y-%m-%d} is {str(column.iloc[row])!r}, "
        + ("yet has volume" if contradicted else f"as {halted.mean():.0%} of all rows")
        + ". If it means something else, drop it: frame.drop(columns=...)."
    )
