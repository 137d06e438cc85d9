"""What a market holds, to be read: sessions, returns, benchmarks, factors, prices."""

from __future__ import annotations

import html
from collections.abc import Iterable

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, IntArray
from eventstudy.calendars import Exchange
from eventstudy.errors import RequestError
from eventstudy.immutable import Immutable
from eventstudy.market.alignment import MarketArrays, MarketData
from eventstudy.market.compounding import LEVELS, CompoundedSeries, ReturnKind
from eventstudy.market.intraday import Gap
from eventstudy.market.limit_rules import has_rule
from eventstudy.market.units import no_returns
from eventstudy.tabular.reading import Taken, reading_frame, reading_text
from eventstudy.text import in_event_time, strip_control

__all__ = ["MarketRecord"]

#: Series that a notebook lists.
MOST_ROWS = 10
#: What of the columns is said in one line with the market.
NOTABLE = ("left aside", "left out", "return", "rounded_return", "status")


class MarketRecord(Immutable):
    """The reading side of `Market`."""

    _data: MarketData
    _bank: CompoundedSeries
    _arrays: MarketArrays
    _n_benchmarks: int
    _positions: dict[str, int]

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the market, naive."""
        return self._data.sessions.copy()  # an index can be renamed

    @property
    def undated(self) -> bool:
        """Whether the data is in event time, and the dates of its sessions are made up."""
        return self._data.undated

    @property
    def securities(self) -> list[str]:
        """Securities that can be studied: every column but the benchmarks."""
        return [c for c in self._data.columns if c not in self.benchmarks]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all series, benchmarks among them, in the order of `arrays`."""
        return self._data.columns

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks in use."""
        return list(self._bank.names[: self._n_benchmarks])

    @property
    def returns(self) -> pd.DataFrame:
        """Returns, sessions × all series; NaN where there was no trade."""
        return pd.DataFrame(self._data.returns.T.copy(), self.sessions, list(self._data.columns))

    @property
    def spans(self) -> pd.DataFrame:
        """Sessions each return spans: 1 as a rule, 0 where there is none, d after a halt."""
        return pd.DataFrame(self._data.spans.T.copy(), self.sessions, list(self._data.columns))

    @property
    def factors(self) -> pd.DataFrame | None:
        """Factors laid on the sessions, or None; of several sets with two column levels, set and factor."""
        return None if self._data.factors is None else self._data.factors.copy()

    @property
    def kind(self) -> ReturnKind:
        """Kind of the returns."""
        return self._data.kind

    @property
    def exchange(self) -> Exchange | None:
        """Exchange and its sessions, or None."""
        return self._data.exchange

    @property
    def bank(self) -> CompoundedSeries:
        """Benchmarks and factors as arrays that can be compounded."""
        return self._bank

    @property
    def reading(self) -> pd.DataFrame:
        """What each column was taken for: column, taken_for, unit, adjustment and evidence.

        Benchmarks that are series of their own, and factors, follow the columns of the data.
        """
        held = "level of an index" if self._data.fields else "returns of an index"
        own = [
            Taken(name, "benchmark", evidence=held) for name in self.benchmarks if name not in self.columns
        ]
        factors = self._data.factors
        if factors is not None:
            names = [": ".join(column) if isinstance(column, tuple) else column for column in factors.columns]
            own += [
                Taken(name, "factor", evidence="no return: added up" if plain else "return")
                for name, plain in zip(names, no_returns(factors), strict=True)
            ]
        return reading_frame((*self._data.reading, *own))

    @property
    def has_limits(self) -> bool:
        """Whether daily price limits are known: by a rule of the exchange, or as given."""
        name = None if self.exchange is None else self.exchange.name
        return self._data.has_limits and (self._data.price_limit is not None or has_rule(name))

    @property
    def total_returns(self) -> bool | None:
        """Whether returns count dividends, by the prices given; None where it cannot be told.

        Closes alone may be adjusted or not, and returns may be of either kind.
        """
        return self._data.total

    @property
    def price_fields(self) -> list[str]:
        """Fields of the prices the market was made of; empty where it was made of returns."""
        return list(self._data.fields)

    def prices(self, field: str = "close") -> pd.DataFrame:
        """Prices of one field, sessions × securities.

        Raises
        ------
        RequestError
            If the market was made without that field.
        """
        if field not in self._data.fields:
            have = ", ".join(self._data.fields) or "none (it was made from returns)"
            raise RequestError(f"This market has no prices of field {field!r}; it has: {have}.")
        return self._data.fields[field].copy()

    @property
    def arrays(self) -> MarketArrays:
        """Returns, spans and benchmarks as arrays, one row per security."""
        return self._arrays

    def positions(self, securities: Iterable[str]) -> IntArray:
        """Rows of securities in `arrays`, -1 for those the market has not."""
        # Names recur, in a column of a hundred thousand events: each is looked up once.
        given = securities if isinstance(securities, pd.Series) else pd.Series(list(securities), dtype=object)
        code, names = pd.factorize(given)
        return np.array([*(self._positions.get(name, -1) for name in names.tolist()), -1], dtype=np.int64)[
            code
        ]

    def __repr__(self) -> str:
        n, first, last = len(self.securities), self.sessions[0], self.sessions[-1]
        parts = [
            f"{n} securit{'y' if n == 1 else 'ies'}",
            (
                f"{len(self.sessions)} sessions"
                if self._data.gap is None
                else f"{int((self._data.gap == Gap.NONE).sum())} bars of {self._data.freq}"
            )
            + (in_event_time if self.undated else str)(f" {first:%Y-%m-%d} to {last:%Y-%m-%d}")
            + (f" ({self._data.exchange.code})" if self._data.exchange else ""),
            self.kind + (" returns" if self.kind not in LEVELS else ""),
        ]
        if self.benchmarks:
            shown = self.benchmarks[:3]
            parts.append("benchmark " + ", ".join(shown) + ", ..." * (len(self.benchmarks) > 3))
        if self._data.factors is not None:
            sets = [", ".join(rows) + f" of {of}" * bool(of) for of, rows in self.arrays.factor_rows.items()]
            parts.append("factors " + "; ".join(sets))
        told = [one for one in self._data.reading if one.unit or one.adjustment or one.taken_for in NOTABLE]
        return "Market: " + ", ".join(parts) + ("\n" + reading_text(told) if told else "")

    def _repr_html_(self) -> str:
        names = self.columns[:MOST_ROWS]
        known = ~np.isnan(self._arrays.returns[: len(names)])
        used = set(self.benchmarks)
        frame = pd.DataFrame(
            {
                "role": ["benchmark" if name in used else "security" for name in names],
                "first": [_day(self.sessions, row, 0) for row in known],
                "last": [_day(self.sessions, row, -1) for row in known],
                "returns": known.sum(axis=1),
            },
            index=list(names),
        )
        more = len(self.columns) - len(names)
        rest = f"<p>and {more} more</p>" if more else ""
        if self._data.reading:
            rest += f"<p>Columns read:</p>{self.reading.to_html(escape=True, border=0, index=False)}"
        return strip_control(f"<p>{html.escape(repr(self))}</p>{frame.to_html(escape=True, border=0)}{rest}")


def _day(sessions: pd.DatetimeIndex, known: BoolArray, which: int) -> str:
    found = np.flatnonzero(known)
    return f"{sessions[found[which]]:%Y-%m-%d}" if len(found) else "–"
