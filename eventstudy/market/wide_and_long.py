"""Prices, returns and values as wide frames, and what they cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.column_names import NOT_PRICES
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.market.compounding import LEVELS
from eventstudy.market.long_bars import WORDS, bar_length, under_last_days
from eventstudy.market.trading_days import compounded_to
from eventstudy.tabular.days import days_of
from eventstudy.tabular.frames import KEPT_IN_HALT, Options, Table, read_frame
from eventstudy.text import format_time

__all__ = [
    "KEPT_IN_HALT",
    "NOT_PRICES",
    "BadPrices",
    "align_series",
    "check_prices",
    "daily_index",
    "price_table",
    "return_table",
    "same_bars",
    "warn_of_lost_days",
    "wide_frame",
]

BadPrices = Literal["raise", "missing"]


#: Largest ratio of a price to its median, or of the median to it; beyond it returns overflow.
MOST_APART = 1e7
#: The largest move, in logarithms, over which prices go on from those beside them, and the size of a typical
#: price; rates of interest are smaller.
BESIDE, PRICE = 0.3, 1.0


def daily_index(index: pd.Index, what: str, timezone: str | None = None) -> pd.DatetimeIndex:
    """Read an index as calendar days, naive and in nanoseconds.

    Aware times are taken in `timezone`, or in their own zone.

    Raises
    ------
    DataError
        If it holds no dates, NaT, or times of day.
    """
    days = days_of(index, what, timezone=timezone).stamps
    if days.hasnans:
        raise DataError(f"{what}: row {int(np.argmax(days.isna()))} has no date (NaT). Drop or mend it.")
    return days.rename("date")


def wide_frame(frame: Any, what: str, timezone: str | None = None, timed: bool = False) -> pd.DataFrame:
    """Return a frame of dates (times if `timed`) × securities: unique sorted rows, unique columns, float64.

    Raises
    ------
    DataError
        On duplicated dates or columns, on columns that hold no numbers, on no rows.
    """
    if not isinstance(frame, pd.DataFrame) and isinstance(frame, Mapping):
        raise DataError(f"{what} must be a DataFrame of dates × securities, got {type(frame).__name__}.")
    table = read_frame(frame, Options(what, "values", timezone=timezone, timed=timed))
    return next(iter(table.fields.values()))


def price_table(
    prices: Any, timezone: str | None = None, timed: bool = False, columns: Mapping[str, str] | None = None
) -> Table:
    """Read prices in any layout.

    Accepts dates × securities; two column levels, field and security in either order; one row per
    security-day with columns for date, security, close and others, among them a status that marks days
    without trade; or a mapping of security to the table of that security.

    Returns
    -------
    Table
        With a field ``"close"`` at least.
    """
    table = read_frame(prices, Options("Prices", "prices", columns or {}, timezone, timed))
    fields = dict(table.fields)
    if "close" not in fields and "adj_close" not in fields:
        raise DataError(
            "Prices: the table holds returns and no prices. Make the market with Market(returns, ...)."
        )
    return table


def return_table(
    returns: Any, timezone: str | None = None, columns: Mapping[str, str] | None = None
) -> Table:
    """Read returns in any layout; see `price_table`."""
    return read_frame(returns, Options("Returns", "returns", columns or {}, timezone))


def _are_marked(column: FloatArray) -> bool:
    """Whether prices below zero go on from those beside them but for their sign."""
    known = column[np.isfinite(column) & (column != 0)]
    below = np.flatnonzero(known[1:] < 0) + 1
    if not len(below) or (known < 0).all() or np.median(np.abs(known)) < PRICE:
        return False
    steps = np.abs(known[below]) / np.abs(known[below - 1])
    return bool((np.abs(np.log(steps)) < BESIDE).all())


def check_prices(prices: pd.DataFrame, bad_prices: BadPrices, what: str = "Prices") -> pd.DataFrame:
    """Refuse zero, negative, infinite and impossible prices, or take them for missing with a warning."""
    values = prices.to_numpy(dtype=np.float64)
    bad = (values <= 0) | np.isinf(values)
    bad |= _beyond_all_bounds(np.where(bad, np.nan, values))
    if not bad.any():
        return prices
    row, column = np.argwhere(bad)[0]
    count = int(bad.sum())
    day = pd.DatetimeIndex(prices.index)[int(row)]
    where = f"{prices.columns[int(column)]} is {prices.to_numpy()[row, column]:g} on {format_time(day)}"
    where += f" (and {count - 1} more)" if count > 1 else ""
    if bad_prices == "raise":
        cure = (
            "Mend the data, or pass bad_prices='missing' to treat such prices as missing. "
            + (
                "Without its sign it goes on from the prices beside it, as where CRSP marks the mean of bid "
                "and ask by a minus: pass prices.abs(), or, of a long frame, call the column 'prc'."
                if _are_marked(values[:, column])
                else "If the series may be negative, as yields and spreads are, measure its changes: "
                "Market(series.diff(), kind='change'). If these are returns, make the market with "
                "Market(returns, ...)."
            )
            if what == "Prices"
            else "If these are returns, give the level that they make: (1 + returns).cumprod()."
        )
        raise DataError(
            f"{what} must be positive, and within a factor of {MOST_APART:.0e} of their median: {where}. "
            f"{cure}"
        )
    warn(f"Prices that are impossible or not positive are taken for missing: {where}.", DataWarning)
    return prices.mask(bad)


def _beyond_all_bounds(values: FloatArray) -> BoolArray:
    """Prices, all positive, that lie so far from the median of their security that no return is a number."""
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=0.0)
    if high / MOST_APART <= low:
        return np.zeros(values.shape, dtype=bool)
    middle = pd.DataFrame(values).median().to_numpy()
    return np.asarray((values > middle * MOST_APART) | (values < middle / MOST_APART))


def align_series(
    series: pd.Series,
    sessions: pd.DatetimeIndex,
    what: str,
    timezone: str | None,
    is_price: bool,
    timed: bool = False,
    stamps: str = "auto",
    kind: str = "simple",
) -> pd.DataFrame:
    """Return a dated series laid on `sessions` as a frame of one column; days it lacks are missing."""
    if not isinstance(series, pd.Series):
        raise DataError(f"{what} must be a Series of dates, got {type(series).__name__}.")
    name = "benchmark" if series.name is None else str(series.name)
    wide = wide_frame(series.to_frame(name), what, timezone, timed)
    wide = wide if timed else same_bars(wide, sessions, what, stamps)
    if not wide.index.isin(sessions).any():
        raise DataError(
            f"{what} has no day in common with the market: it runs from {wide.index[0]:%Y-%m-%d} to "
            f"{wide.index[-1]:%Y-%m-%d}, the market from {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}."
        )
    if not is_price and kind in LEVELS:
        warn_of_lost_days(pd.DatetimeIndex(wide.index), sessions, what)
    elif not is_price:
        wide = compounded_to(wide, sessions, kind)
    return wide.reindex(sessions)


def same_bars(frame: pd.DataFrame, sessions: pd.DatetimeIndex, what: str, stamps: str) -> pd.DataFrame:
    """Return a frame laid under the last days of its bars, if they are as long as those of the market.

    Raises
    ------
    DataError
        If they are not.
    """
    ours = bar_length(sessions)
    theirs = bar_length(pd.DatetimeIndex(frame.index))
    if len(sessions) < 3 or len(frame) < 3:
        return frame
    if ours != theirs:
        raise DataError(
            f"{what}: its rows are {WORDS.get(theirs or '', 'days')}, those of the market "
            f"{WORDS.get(ours or '', 'days')}. Give both over bars of one length."
        )
    return frame if ours is None else under_last_days({"": frame}, what, stamps)[0][""]


def warn_of_lost_days(index: pd.DatetimeIndex, sessions: pd.DatetimeIndex, what: str) -> None:
    """Warn of dated returns that fall between sessions, and so are lost."""
    lost = index[(index > sessions[0]) & (index < sessions[-1])].difference(sessions)
    if len(lost):
        shown = ", ".join(f"{d:%Y-%m-%d}" for d in lost[:5]) + ", ..." * (len(lost) > 5)
        warn(
            f"{what}: returns on days that are not sessions of the market are left out, {len(lost)} of "
            f"them: {shown}. Give prices instead, or returns over the market's own sessions.",
            DataWarning,
        )
