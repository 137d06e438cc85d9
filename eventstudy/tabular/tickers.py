"""Names that are both fields and tickers, such as CLS, LOW or P: which of the two they are in a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.column_names import SECURITY_NAMES, field_of, may_be_ticker, plain_name
from eventstudy.errors import DataError
from eventstudy.tabular.columns import Options
from eventstudy.text import regex

__all__ = ["field_and_name", "field_level", "tickers_not_fields"]

PRICES = frozenset({"close", "adj_close"})
#: Fields that names such as AAPL.Close may end in.
CUT_FIELDS = frozenset({"open", "high", "low", "close", "adj_close", "volume"})

#: Fields that follow the close day by day.
BESIDE_CLOSE = frozenset({"close", "adj_close", "open", "high", "low", "previous_close", "reference"})
#: Days from which on two series are told apart by how far they drift; pairs of days compared at the least.
DRIFTING, LEAST = 20, 5
#: Tickers as they are written: no blanks within, no small letters beside large ones.
_TICKER = regex(r"\^?[A-Z0-9][A-Z0-9.=/-]{0,14}|\^?[a-z0-9][a-z0-9.=/-]{0,14}")
_LEVEL_OF_FIELDS = frozenset({"price", "prices", "field", "fields", "attribute", "attributes", "item"})
_LEVEL_OF_TICKERS = frozenset(SECURITY_NAMES) | {"tickers", "securities", "instruments", "assets", "stocks"}


def tickers_not_fields(
    body: pd.DataFrame, fields: Mapping[Any, str], options: Options, numbers: Callable[[Any], FloatArray]
) -> bool:
    """Whether columns that bear names of fields are securities of a wide table.

    A table of one security has bars: its opens, highs and lows stay with its closes. Securities drift apart.

    Parameters
    ----------
    body : DataFrame
        Without the dates.
    fields : mapping of column to field
        By name; one of them is a price.
    options : Options
    numbers : function
        The numbers of a column.

    Raises
    ------
    DataError
        If a column bears the name of the security, and another is its close by name.
    """
    close = next(c for c, f in fields.items() if f in PRICES)
    rest = [c for c in body.columns if c not in fields]
    own = next((c for c in rest if str(c).strip() == options.security), None)
    if any(str(c) in options.columns or not may_be_ticker(c) for c in fields):
        if own is not None and str(close) not in options.columns and _apart(close, own, numbers):
            raise DataError(
                f"{options.what}: the column {str(own)!r} bears the name of the security, and {str(close)!r} "
                f"is a close by its name. Pass columns={{{str(own)!r}: 'ignore'}}, or "
                f"columns={{{str(own)!r}: 'close', {str(close)!r}: 'ignore'}}; where each column is a "
                "security, give the columns two levels: pd.concat({'close': frame}, axis=1)."
            )
        return False
    others = [c for c in fields if c != close and fields[c] != "status"]
    if any(_apart(close, c, numbers) for c in others):
        return True
    if any(fields[c] in BESIDE_CLOSE or not _is_price(close, c, numbers) for c in others):
        return False
    case = str.upper if str(close).isupper() else str.lower
    same = [c for c in rest if _TICKER.fullmatch(str(c)) and str(c) == case(str(c))]
    return any(_apart(close, c, numbers) for c in same)


def _moves(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log changes of two series where both are known and positive, and the log of their ratio."""
    with np.errstate(invalid="ignore"):
        known = (one > 0) & (other > 0)
    first, second = np.log(one[known]), np.log(other[known])
    return np.diff(first), np.diff(second), second - first


def _is_price(close: Any, column: Any, numbers: Callable[[Any], FloatArray]) -> bool:
    """Whether a column moves about as much from day to day as the close, and does not fall back at once."""
    series = numbers(column)
    known = np.isfinite(series)
    if known.sum() <= LEAST or (series[known] <= 0).any():
        return False
    base, own, _ = _moves(numbers(close), series)
    if len(own) < LEAST or not np.median(np.abs(own)) > 0 or not np.median(np.abs(base)) > 0:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        back = float(np.corrcoef(own[1:], own[:-1])[0, 1]) if len(own) >= DRIFTING else 0.0
    return bool(1 / 8 < np.median(np.abs(own)) / np.median(np.abs(base)) < 8 and back > -0.25)


def _apart(close: Any, column: Any, numbers: Callable[[Any], FloatArray]) -> bool:
    """Whether a column is the price of another security than the close is."""
    if not _is_price(close, column, numbers):
        return False
    base, _, ratio = _moves(numbers(close), numbers(column))
    steps = np.diff(ratio)
    if np.median(np.abs(steps)) < 0.35 * np.median(np.abs(base)):
        return False  # the same moves: adjusted closes, market values
    if len(steps) < DRIFTING:
        return bool(np.median(np.abs(ratio)) > 0.3)
    level = float(np.median(np.abs(ratio)))
    one_side = max(np.mean(ratio >= 0), np.mean(ratio <= 0)) >= 0.98
    stays = float(np.std(ratio)) < 1.3 * float(np.std(steps)) or (one_side and level < 0.15)
    return not (level < 0.3 and stays)


def field_and_name(columns: pd.Index, options: Options) -> pd.MultiIndex | None:
    """Cut names such as AAPL.Close or Close_AAPL in two, if all columns have them and some are closes."""
    for pattern, at in (
        (r"(.+?)[._ ]((?:Adj(?:usted)?[ ._]?)?[A-Za-z]+)", 2),
        (r"([A-Za-z]+(?: Close)?)[._ ](.+)", 1),
    ):
        parts = [re.fullmatch(pattern, str(column)) for column in columns]
        if not all(parts):
            continue
        pairs = [(part[at], part[3 - at]) for part in parts if part]
        known = [field_of(name) for name, _ in pairs]
        if (
            all(f in CUT_FIELDS for f in known)
            and len(set(known)) > 1
            and {"close", "adj_close"} & set(known)
        ):
            levels = pd.MultiIndex.from_tuples(pairs)
            named = [{n: field_of(n) for n in levels.unique(level)} for level in (0, 1)]
            if field_level(levels, named, {"close", "adj_close"}, options) == 0:
                return levels
    return None


def field_level(
    columns: pd.Index,
    names: Sequence[Mapping[Any, str | None]],
    wanted: Collection[str],
    options: Options,
) -> int | None:
    """Return which of two column levels names fields; None where none does.

    What the levels are called decides, then names that no ticker is, then the share of names that are fields.

    Parameters
    ----------
    columns : MultiIndex
    names : pair of dict
        Field by name, for each level; None where it is none.
    wanted : collection of str
        Fields of which one must be there.
    options : Options

    Raises
    ------
    DataError
        If either level may.
    """
    may = [level for level in (0, 1) if set(wanted) & set(names[level].values())]
    if len(may) < 2:
        return may[0] if may else None
    for level in (0, 1):
        if any(str(name) in options.columns for name in names[level]):
            return level
    labels = [plain_name(label or "") for label in columns.names]
    for level in (0, 1):
        if labels[1 - level] in _LEVEL_OF_TICKERS or labels[level] in _LEVEL_OF_FIELDS:
            return level
    sure = [
        sum(f is not None and not may_be_ticker(name) for name, f in names[level].items()) for level in (0, 1)
    ]
    if min(sure) == 0 and max(sure) > 0:
        return int(np.argmax(sure))
    share = [np.mean([f is not None for f in names[level].values()]) for level in (0, 1)]
    if share[0] != share[1]:
        return int(np.argmax(share))
    shown = [", ".join(map(str, list(names[level])[:4])) for level in (0, 1)]
    raise DataError(
        f"{options.what}: of the two column levels ({shown[0]}; {shown[1]}) either may name fields. Say "
        "which does: frame.columns.names = ['ticker', 'field'], in their order."
    )
