"""Frames people have (wide, long, as yfinance gives them) → wide frames of floats by field."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.events import AMBIGUOUS_DAY, SECURITY_NAMES
from eventstudy.interop import ForeignTable
from eventstudy.market.compounding import LEVELS
from eventstudy.market.date_columns import DATE_NAMES, dated_frame, find_column, plain_name
from eventstudy.text import format_time

__all__ = [
    "KEPT_IN_HALT",
    "NO_PRICES",
    "BadPrices",
    "align_series",
    "check_prices",
    "check_returns",
    "daily_index",
    "warn_of_lost_days",
    "wide_fields",
    "wide_frame",
]

BadPrices = Literal["raise", "missing"]

FIELDS = {
    "close": "close",
    "price": "close",
    "last": "close",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
    "open": "open",
    "high": "high",
    "low": "low",
    "volume": "volume",
    "previousclose": "previous_close",
    "preclose": "previous_close",
    "prevclose": "previous_close",
    "reference": "reference",
    "referenceprice": "reference",
    "dividends": "dividends",
    "dividend": "dividends",
    "splits": "splits",
    "split": "splits",
    "stocksplits": "splits",
    "return": "return",
    "ret": "return",
}
#: A typical daily return beyond this is a price, or in percent; told of series this long.
ENOUGH_RETURNS = 10
LARGEST_TYPICAL = 0.25
#: Columns of long frames that say whether a share traded, and what they say if it did not.
STATUS_NAMES = ("status", "tradestatus", "tradingstatus")
NO_TRADE = ("0", "0.0", "false", "halt", "halted", "suspend", "suspended", "停牌")
#: What stays of a day without trade: an ex-day may fall into a halt.
KEPT_IN_HALT = ("volume", "reference", "previous_close", "dividends", "splits")
#: Fields that are no prices, and so may be zero.
NO_PRICES = ("volume", "dividends", "splits")


#: Times its median that a price may be, or part of it: beyond, returns are no numbers.
MOST_APART = 1e7


def daily_index(
    index: pd.Index, what: str, timezone: str | None = None, timed: bool = False
) -> pd.DatetimeIndex:
    """Read an index as calendar days, or as times if `timed`; naive and in nanoseconds.

    Aware times are taken in `timezone`, or in their own zone.

    Raises
    ------
    DataError
        If it holds no dates, NaT, or times of day that are not wanted.
    """
    if not isinstance(index, pd.DatetimeIndex):
        if pd.api.types.is_numeric_dtype(index):
            raise DataError(
                f"{what}: the index holds numbers ({index[0]!r}, ...), not dates. Set the date column as "
                "index: frame.set_index('date')."
            )
        if AMBIGUOUS_DAY.match(str(index[0])):
            raise DataError(
                f"{what}: the date {index[0]!r} may be day-month or month-day. Read it yourself, e.g. "
                "frame.index = pd.to_datetime(frame.index, dayfirst=True)."
            )
        try:
            index = pd.DatetimeIndex(pd.to_datetime(index))
        except (ValueError, TypeError) as problem:
            raise DataError(f"{what}: the index cannot be read as dates ({problem}).") from problem
    if index.hasnans:
        raise DataError(f"{what}: row {int(np.argmax(index.isna()))} has no date (NaT). Drop or mend it.")
    if index.tz is not None:
        index = (index if timezone is None else index.tz_convert(timezone)).tz_localize(None)
    index = index.as_unit("ns")
    if timed:
        return index.rename("time")
    times = index != index.normalize()
    if times.any():
        raise DataError(
            f"{what}: {index[times][0]} carries a time of day; daily data is needed. If these are days, use "
            "index.normalize(); if the index is UTC, convert it to the exchange's time zone first; if they "
            "are intraday bars, say so: Market.from_prices(..., freq='1min')."
        )
    return index.rename("date")


def wide_frame(
    frame: pd.DataFrame | ForeignTable, what: str, timezone: str | None = None, timed: bool = False
) -> pd.DataFrame:
    """Return a frame of dates (times if `timed`) × securities: unique sorted rows, unique columns, float64.

    Raises
    ------
    DataError
        On duplicated dates or columns, on columns that hold no numbers, on no rows.
    """
    frame = dated_frame(frame, what)
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{what} must be a DataFrame of dates × securities, got {type(frame).__name__}.")
    date_column = find_column(frame.columns, DATE_NAMES)
    if not isinstance(frame.index, pd.DatetimeIndex) and date_column is not None:
        frame = frame.set_index(date_column)
    if frame.empty:
        raise DataError(f"{what}: the frame is empty ({frame.shape[0]} rows, {frame.shape[1]} columns).")
    frame = frame.set_axis(daily_index(frame.index, what, timezone, timed), axis=0)
    frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].unique().tolist()
        raise DataError(f"{what}: columns stand twice: {twice}. Keep one of each.")
    if not frame.index.is_unique:
        day = frame.index[frame.index.duplicated()][0]
        raise DataError(
            f"{what}: the date {format_time(day)} stands {int((frame.index == day).sum())} times. Keep one "
            "row a day, e.g. frame[~frame.index.duplicated(keep='last')]."
        )
    if not frame.index.is_monotonic_increasing:
        days = pd.DatetimeIndex(frame.index)
        step = int(np.argmax(days[1:] < days[:-1]))
        warn(
            f"{what}: dates are out of order ({days[step + 1]:%Y-%m-%d} comes after "
            f"{days[step]:%Y-%m-%d}); sorted by date.",
            DataWarning,
        )
        frame = frame.sort_index()
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
            bad = pd.to_numeric(frame[column], errors="coerce").isna() & frame[column].notna()
            shown = frame[column][bad].iloc[0] if bad.any() else frame[column].dtype
            raise DataError(
                f"{what}: column {column!r} holds {shown!r}, not numbers. Convert it, e.g. with "
                "pd.to_numeric(column, errors='coerce'), or drop it."
            )
    return frame.astype("float64")


def wide_fields(
    frame: pd.DataFrame | pd.Series | ForeignTable, timezone: str | None = None, timed: bool = False
) -> dict[str, pd.DataFrame]:
    """Split prices into wide frames by field.

    Accepts dates × securities; the two column levels of yfinance (field and ticker, in either
    order); or one row a security-day with columns for date, security, close and others, among them a
    status that says where there was no trade.

    Returns
    -------
    dict of str to DataFrame
        At least ``"close"``; where given also open, high, low, adj_close, previous_close, reference
        and volume.
    """
    frame = dated_frame(frame, "Prices")
    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not isinstance(frame, pd.DataFrame):
        hint = f" Read the file with sources.read_prices({frame!r})." if isinstance(frame, str) else ""
        raise DataError(f"Prices must be a DataFrame, got {type(frame).__name__}.{hint}")
    if frame.columns.nlevels == 2:
        return _from_levels(frame, timezone, timed)
    if frame.columns.nlevels > 2:
        raise DataError(f"Prices have {frame.columns.nlevels} column levels; one or two are understood.")
    if find_column(frame.columns, SECURITY_NAMES) is not None or isinstance(frame.index, pd.MultiIndex):
        return _from_long(frame, timezone, timed)
    named = {FIELDS.get(plain_name(column)) for column in frame.columns}
    if {"close", "adj_close"} & named and {"open", "high", "low", "volume"} & named:
        raise DataError(
            f"Prices: the columns {list(frame.columns)} are the fields of one security, which has no name. "
            "Name it: pd.concat({'AAPL': frame}, axis=1)."
        )
    return {"close": wide_frame(frame, "Prices", timezone, timed)}


def _from_levels(frame: pd.DataFrame, timezone: str | None, timed: bool) -> dict[str, pd.DataFrame]:
    for level in (0, 1):
        names = {name: FIELDS.get(plain_name(name)) for name in frame.columns.unique(level)}
        if {"close", "adj_close"} & set(names.values()):
            return {
                field: wide_frame(
                    pd.DataFrame(frame.xs(name, axis=1, level=level)), f"Prices ({field})", timezone, timed
                )
                for name, field in names.items()
                if field is not None
            }
    raise DataError(
        "Prices have two column levels, and neither holds a field called 'close'; "
        f"the first column is {frame.columns[0]!r}."
    )


def _from_long(frame: pd.DataFrame, timezone: str | None, timed: bool) -> dict[str, pd.DataFrame]:
    if frame.empty:
        raise DataError(f"Prices: the frame is empty ({frame.shape[0]} rows, {frame.shape[1]} columns).")
    if isinstance(frame.index, pd.MultiIndex) or plain_name(frame.index.name or "") in DATE_NAMES:
        frame = frame.reset_index()
    date, security = find_column(frame.columns, DATE_NAMES), find_column(frame.columns, SECURITY_NAMES)
    if date is None or security is None:
        raise DataError(
            "A long price frame needs a date column and a security column "
            f"({', '.join(SECURITY_NAMES)}); the columns are {list(frame.columns)}."
        )
    if frame[security].isna().any():
        raise DataError(f"Prices: row {frame[security].isna().idxmax()} names no {security}.")
    frame = frame.assign(
        day_=daily_index(pd.Index(frame[date]), "Prices", timezone, timed),
        security_=frame[security].astype(str),
    )
    twice = frame.duplicated(["day_", "security_"])
    if twice.any():
        day, who = frame.loc[twice, ["day_", "security_"]].iloc[0]
        raise DataError(
            f"Prices: {who} has more than one row for {format_time(day)}. Keep one row a security and "
            f"day, e.g. frame.drop_duplicates([{date!r}, {security!r}])."
        )
    fields = {c: FIELDS[plain_name(c)] for c in frame.columns if plain_name(c) in FIELDS}
    if not {"close", "adj_close"} & set(fields.values()):
        raise DataError(
            f"A long price frame needs a column 'close' (or 'price'); the columns are {list(frame.columns)}."
        )
    frame = _without_halted(frame, fields)
    return {
        field: wide_frame(
            frame.pivot(index="day_", columns="security_", values=column).sort_index(),
            f"Prices ({field})",
            timed=timed,
        )
        for column, field in fields.items()
    }


def _without_halted(frame: pd.DataFrame, fields: dict[str, str]) -> pd.DataFrame:
    """Take the prices of rows whose status says that there was no trade for missing."""
    status = next((str(c) for c in frame.columns if plain_name(c) in STATUS_NAMES), None)
    if status is None:
        return frame
    halted = frame[status].astype(str).str.strip().str.lower().isin(NO_TRADE)
    volume = next((c for c, field in fields.items() if field == "volume"), None)
    traded = halted if volume is None else halted & (frame[volume] > 0)
    contradicted = volume is not None and bool(traded.any())
    if contradicted or halted.mean() > 0.5:
        row = int(np.argmax(traded if contradicted else halted))
        raise DataError(
            f"Prices: the column {status!r} is read as no trade where it is 0, halted or suspended, and "
            f"{frame['security_'].iloc[row]} on {frame['day_'].iloc[row]:%Y-%m-%d} is "
            f"{str(frame[status].iloc[row])!r}, "
            + ("yet has volume" if contradicted else f"as {halted.mean():.0%} of all rows")
            + ". If it means something else, drop it: frame.drop(columns=...)."
        )
    prices = [c for c, field in fields.items() if field not in KEPT_IN_HALT]
    return frame.assign(**{str(c): frame[c].mask(halted) for c in prices})


def check_prices(prices: pd.DataFrame, bad_prices: BadPrices) -> pd.DataFrame:
    """Refuse zero, negative, infinite and impossible prices, or take them for missing with a warning."""
    bad = (prices <= 0) | np.isinf(prices)
    bad |= _beyond_all_bounds(prices.mask(bad))
    if not bad.to_numpy().any():
        return prices
    row, column = np.argwhere(bad.to_numpy())[0]
    count = int(bad.to_numpy().sum())
    day = pd.DatetimeIndex(prices.index)[int(row)]
    where = f"{prices.columns[int(column)]} is {prices.to_numpy()[row, column]:g} on {format_time(day)}"
    where += f" (and {count - 1} more)" if count > 1 else ""
    if bad_prices == "raise":
        # A typical price with a minus, not one adjusted too far.
        marked = prices.to_numpy()[row, column] < 0 and abs(prices.to_numpy()[row, column]) > 0.2 * np.nanmax(
            prices.iloc[:, int(column)].to_numpy()
        )
        crsp = " In CRSP a minus marks the mean of bid and ask: take prices.abs()." if marked else ""
        raise DataError(
            f"Prices must be positive, and within a factor of {MOST_APART:.0e} of their median: {where}. "
            f"Mend the data, or pass bad_prices='missing' to treat such prices as missing.{crsp} If these "
            "are returns, make the market with Market(returns, ...)."
        )
    warn(f"Prices that are impossible or not positive are taken for missing: {where}.", DataWarning)
    return prices.mask(bad)


def _beyond_all_bounds(prices: pd.DataFrame) -> pd.DataFrame | bool:
    """Prices, all positive, that lie so far from the median of their security that no return is a number."""
    values = prices.to_numpy()
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=0.0)
    if high / MOST_APART <= low:
        return False
    middle = prices.median()
    return prices.gt(middle * MOST_APART) | prices.lt(middle / MOST_APART)


def check_returns(returns: pd.DataFrame, what: str, kind: str) -> None:
    """Refuse infinite returns, and simple ones of -1 or less, which tell of percent.

    Raises
    ------
    DataError
        Names the first column and date.
    """
    values = returns.to_numpy()
    impossible = np.isinf(values) | ((values <= -1.0) if kind == "simple" else False)
    if impossible.any() and kind in LEVELS:
        row, column = np.argwhere(impossible)[0]
        raise DataError(
            f"{what}: {returns.columns[column]} is {values[row, column]:g} on {returns.index[row]:%Y-%m-%d}; "
            f"a {kind} is finite, or missing."
        )
    if impossible.any():
        row, column = np.argwhere(impossible)[0]
        raise DataError(
            f"{what}: {returns.columns[column]} is {values[row, column]:g} on {returns.index[row]:%Y-%m-%d}; "
            "a simple return is finite and above -1 (-100 %). Are these percent? Divide by 100."
        )
    if kind in LEVELS:
        return
    typical = returns.abs().median()[returns.notna().sum() >= ENOUGH_RETURNS]
    large = typical.index[typical > LARGEST_TYPICAL]
    if len(large):
        raise DataError(
            f"{what}: {large[0]} is {typical[large[0]]:g} on a typical day, which is no return. "
            "Are these prices? Make the market with Market.from_prices. Are they percent? Divide by 100."
        )


def align_series(
    series: pd.Series,
    sessions: pd.DatetimeIndex,
    what: str,
    timezone: str | None,
    is_price: bool,
    timed: bool = False,
) -> pd.DataFrame:
    """Return a dated series laid on `sessions` as a frame of one column; days it lacks are missing."""
    if not isinstance(series, pd.Series):
        raise DataError(f"{what} must be a Series of dates, got {type(series).__name__}.")
    name = "benchmark" if series.name is None else str(series.name)
    wide = wide_frame(series.to_frame(name), what, timezone, timed)
    if not wide.index.isin(sessions).any():
        raise DataError(
            f"{what} has no day in common with the market: it runs from {wide.index[0]:%Y-%m-%d} to "
            f"{wide.index[-1]:%Y-%m-%d}, the market from {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}."
        )
    if not is_price:
        warn_of_lost_days(pd.DatetimeIndex(wide.index), sessions, what)
    return wide.reindex(sessions)


def warn_of_lost_days(index: pd.DatetimeIndex, sessions: pd.DatetimeIndex, what: str) -> None:
    """Warn of dated returns that fall between sessions, and so are lost."""
    lost = index[(index > sessions[0]) & (index < sessions[-1])].difference(sessions)
    if len(lost):
        shown = ", ".join(f"{d:%Y-%m-%d}" for d in lost[:5]) + ", ..." * (len(lost) > 5)
        warn(
            f"{what}: {len(lost)} return(s) fall on days that are no sessions of the market and are left "
            f"out: {shown}. Give prices instead, or returns over the market's own sessions.",
            DataWarning,
        )
