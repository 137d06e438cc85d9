"""Currencies that tables name: one for all prices of a security."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.column_names import CURRENCY_NAMES, plain_name
from eventstudy.errors import DataError
from eventstudy.text import format_time, regex

__all__ = ["CURRENCY_SIGNS", "check_one_currency", "two_currencies"]

#: Signs and codes of currencies beside numbers.
CURRENCY_SIGNS = regex(r"[$€£¥₹₩¢]|(?i:\b(?:usd|eur|gbp|jpy|cny|rmb|chf|hkd|inr|krw)\b)|元|円|원")
#: Several ways to write one currency; those not here are themselves.
_SAME = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "원": "KRW", "RMB": "CNY",
         "元": "CNY", "人民币": "CNY", "円": "JPY", "HK$": "HKD", "GBX": "GBp", "ZAC": "ZAc",
         "ILA": "ILa"}  # fmt: skip
#: Signs that two currencies share.
_EITHER = {"¥": ("CNY", "JPY")}
#: Hundredths, by the case of their last letter, as vendors write pence, cents and agorot.
_HUNDREDTHS = re.compile(r"GBp|ZAc|ILa")


def two_currencies(texts: Iterable[str]) -> tuple[str, str] | None:
    """Return two of the texts that name different currencies beside their numbers, None if none do."""
    seen: dict[str, str] = {}
    for text in texts:
        for sign in CURRENCY_SIGNS.findall(text):
            seen.setdefault(_SAME.get(sign.upper(), sign.upper()), text)
    for sign, several in _EITHER.items():
        if sign in seen and any(one in seen for one in several):
            del seen[sign]
    if len(seen) < 2:
        return None
    first, second, *_ = seen.values()
    return first, second


def _code(cell: Any) -> str:
    text = str(cell).strip()
    return text if _HUNDREDTHS.fullmatch(text) else _SAME.get(text.upper(), text.upper())


def check_one_currency(
    body: pd.DataFrame, fields: Collection[str], who: pd.Series, days: pd.DatetimeIndex, what: str
) -> None:
    """Refuse a security whose prices are in one currency, then in another.

    Parameters
    ----------
    body : DataFrame
        A long table.
    fields : collection of str
        What its columns hold; where they hold returns, prices need no currency.
    who : Series
        Security of each row.
    days : DatetimeIndex
    what : str
        What the table is, for messages.

    Raises
    ------
    DataError
        Names the security and the day of the change.
    """
    if not {"close", "adj_close"} & set(fields) or "return" in fields:
        return
    for name, column in body.items():
        # A number is not the name of a currency.
        if plain_name(name) in CURRENCY_NAMES and not pd.api.types.is_numeric_dtype(column):
            _check_column(column, who.to_numpy(), days, what)


def _check_column(currencies: pd.Series, who: np.ndarray, days: pd.DatetimeIndex, what: str) -> None:
    code, cells = pd.factorize(currencies)
    named = [_code(cell) for cell in cells]
    blank = np.array([*(name in ("", "NAN", "NONE", "N/A", "NA", "-") for name in named), True])
    second, found = pd.factorize(np.array([*named, ""], dtype=object))
    code = np.where(blank[code], -1, second[code])
    if len(set(code.tolist()) - {-1}) < 2:
        return
    order = np.argsort(days.to_numpy(), kind="stable")
    order = order[code[order] >= 0]
    security = pd.factorize(np.asarray(who, dtype=object)[order])[0]
    order = order[np.argsort(security, kind="stable")]
    security = np.sort(security)
    change = np.flatnonzero((np.diff(security) == 0) & (np.diff(code[order]) != 0))
    if len(change):
        before, after = order[change[0]], order[change[0] + 1]
        raise DataError(
            f"{what}: {who[before]} is in {found[code[before]]} on {format_time(days[before])} and in "
            f"{found[code[after]]} on {format_time(days[after])}, by the column {str(currencies.name)!r}. "
            "The return between them would hold the exchange rate. Bring the prices into one currency; if "
            f"they are, leave the column out: columns={{{str(currencies.name)!r}: 'ignore'}}."
        )
