"""Simple returns of a market with what became of its securities: the ground that long horizons stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.arguments import check_mapping, check_number
from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.immutable import FrozenRecord
from eventstudy.market import LEVELS, Market, check_market

__all__ = ["Panel", "compounded", "laid_on_sessions"]

#: Sessions that lie further apart are those of months.
SHORTEST_MONTH = pd.Timedelta(days=27)


@dataclass(frozen=True)
class Panel(FrozenRecord):
    """Returns of S securities over T sessions.

    Attributes
    ----------
    market : Market
    returns : array, shape (S, T)
        Simple returns, delisting returns included; NaN where there is none.
    first, last : arrays of int, shape (S,)
        Sessions of each security's first and last return, T and -1 where it has none. Before the first it
        is not listed; after the last it is gone: delisted, or suspended to the end of the data.
    """

    market: Market
    returns: FloatArray
    first: IntArray
    last: IntArray

    @classmethod
    def of(cls, market: Market, delisting: Mapping[str, float] | pd.Series | None = None) -> Panel:
        """Take the returns of a market, each last one compounded with the security's delisting return.

        Raises
        ------
        RequestError
            If it is not a market, or holds no returns.
        DataError
            If a delisting return is below -1 or of a security that the market has not.

        Warns
        -----
        DataWarning
            If months lack between the sessions of a market of months.
        """
        check_market(market)
        _warn_of_missing_months(market)
        if market.kind in LEVELS or market.arrays.gap is not None:
            raise RequestError("Long horizons need a market of returns over days, weeks or months.")
        returns = market.arrays.returns
        returns = np.expm1(returns) if market.kind == "log" else returns.copy()
        seen = ~np.isnan(returns)
        last = np.where(seen.any(axis=1), returns.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1), -1)
        given = (
            {}
            if delisting is None
            else check_mapping("delisting", delisting, "the last return of each delisted security")
        )
        for name, value in given.items():
            check_number(f"The delisting return of {name}", value, error=DataError)
            row = int(market.positions([str(name)])[0])
            if row < 0 or last[row] < 0:
                raise DataError(
                    f"A delisting return is given for {name!r}, which has no return in the market."
                )
            if not -1.0 <= value < np.inf:
                raise DataError(
                    f"The delisting return of {name} is {value!r}; it is a decimal of -1 or more."
                )
            returns[row, last[row]] = (1.0 + returns[row, last[row]]) * (1.0 + value) - 1.0
        first = np.where(seen.any(axis=1), np.argmax(seen, axis=1), returns.shape[1])
        return cls(market, returns, first.astype(np.int64), last.astype(np.int64))

    def held(self, security: IntArray, first: int, length: int) -> tuple[FloatArray, BoolArray]:
        """Take returns of securities over `length` sessions from `first`, and where they are gone.

        A session without trade while a security is still there earns nothing, if the return after it spans
        both; else it is NaN, as is a session after the last.
        """
        window = self.returns[security, first : first + length]
        gone = first + np.arange(length) > self.last[security, None]
        covered = np.isnan(window) & ~gone & self._spanned(security, first, length)
        return np.where(covered, 0.0, window), gone

    def begins(self, session: int) -> BoolArray:
        """Whether each security has a return of one session on a session, shape (S,)."""
        return np.asarray(~np.isnan(self.returns[:, session]) & (self.market.arrays.spans[:, session] <= 1))

    def reaches_back(self, security: int, first: int, length: int) -> bool:
        """Whether a return of a security within `length` sessions from `first` spans earlier ones."""
        spans = self.market.arrays.spans[security, first : first + length]
        return bool(((spans > 0) & (np.arange(len(spans)) - spans + 1 < 0)).any())

    def _spanned(self, security: IntArray, first: int, length: int) -> BoolArray:
        """Sessions that the next return of a security spans; shape (n, length)."""
        spans = self.market.arrays.spans[security]
        reach = np.where(spans > 0, np.arange(spans.shape[1]) - spans + 1, spans.shape[1])
        begins = np.minimum.accumulate(reach[:, ::-1], axis=1)[:, ::-1][:, first : first + length]
        return np.asarray(begins <= first + np.arange(length))


def _warn_of_missing_months(market: Market) -> None:
    """Warn of months without a row: a horizon counts rows, and would reach over them."""
    days = market.sessions
    if len(days) < 3 or pd.Series(days).diff().median() < SHORTEST_MONTH:
        return
    steps = np.diff(days.year * 12 + days.month)
    usual = int(np.median(steps))
    wide = np.flatnonzero(steps > usual)
    if len(wide):
        first, others = wide[0], len(wide) - 1
        warn(
            f"The market has no row between {days[first]:%Y-%m-%d} and {days[first + 1]:%Y-%m-%d}"
            f"{f', and {others} more such gaps' if others else ''}: horizons count rows, so those across it "
            "are longer than they say. Add the rows, of missing values where nothing is known.",
            DataWarning,
        )


def compounded(returns: FloatArray) -> FloatArray:
    """Return the value of one unit at the end of each period; last axis."""
    return np.asarray(np.cumprod(1.0 + returns, axis=-1), dtype=np.float64)


def laid_on_sessions(frame: pd.DataFrame, market: Market, what: str) -> pd.DataFrame:
    """Lay a dated frame on the sessions and securities of a market; each row holds until the next.

    A value that is missing in a row is missing until the next row, whatever stood in the row before.

    Raises
    ------
    DataError
        If it is not dated or shares no security with the market.
    """
    if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
        raise DataError(f"{what} must be a DataFrame of dates × securities.")
    columns = list(market.returns.columns)
    if not frame.columns.isin(columns).any():
        raise DataError(f"{what} has no column in common with the market.")
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise DataError(f"{what} has several rows of {twice:%Y-%m-%d}.")
    return frame.sort_index().reindex(market.sessions, method="ffill").reindex(columns=columns)
