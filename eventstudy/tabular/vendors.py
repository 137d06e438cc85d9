"""Conventions of vendors: codes, signs and factors of adjustment → plain prices and returns."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray
from eventstudy.column_names import TOTAL_RETURN_NAMES, in_percent, plain_name
from eventstudy.errors import DataError
from eventstudy.text import regex

__all__ = ["halted_rows", "in_vendor_terms", "missing_codes", "split_ratios"]

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

Notes = dict[str, tuple[str, str]]


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
    values: dict[str, pd.Series], units: dict[str, str], chosen: dict[str, Any], want: str
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
    _returns(values, units, chosen, notes)
    _factors(values, chosen, notes)
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
    values: dict[str, pd.Series], units: dict[str, str], chosen: dict[str, Any], notes: Notes
) -> None:
    delisting = values.pop("delisting_return", None)
    if delisting is not None and "return" in values:
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


def _factors(values: dict[str, pd.Series], chosen: dict[str, Any], notes: Notes) -> None:
    factor, paid = values.pop("cumulative_factor", None), values.pop("total_return_factor", None)
    if factor is None or "close" not in values:
        if factor is not None:
            notes["cumulative_factor"] = ("", "left aside")
        return
    if paid is not None and "adj_close" not in values:
        values["adj_close"] = values["close"] / factor * paid
        notes["cumulative_factor"] = ("total", "with the total return factor, it makes adjusted closes")
        notes["total_return_factor"] = ("total", "dividends reinvested")
    elif "return" in values or "adj_close" in values:
        notes["cumulative_factor"] = ("", "left aside: returns are given")
    else:
        values["cumulative_factor"] = factor
        notes["cumulative_factor"] = ("splits", "prices are compared over it; dividends are not counted")


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
