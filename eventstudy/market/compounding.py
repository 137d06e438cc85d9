"""Returns, the sessions they span, and returns compounded over several sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.immutable import FrozenRecord

__all__ = ["LEVELS", "CompoundedSeries", "ReturnKind", "price_returns", "return_spans"]

ReturnKind = Literal["simple", "log", "change", "log turnover", "log volume", "volatility", "log volatility"]
#: Kinds that are not returns: a value is that of its own session, never compounded or added up over a gap.
LEVELS: tuple[str, ...] = ("change", "log turnover", "log volume", "volatility", "log volatility")


def _last_seen(seen: BoolArray) -> IntArray:
    """Row of the last observation strictly before each row, -1 where there is none; shape (T, S)."""
    rows = np.where(seen, np.arange(len(seen))[:, None], -1)
    last = np.full(seen.shape, -1, dtype=np.int64)
    np.maximum.accumulate(rows[:-1], axis=0, out=last[1:])
    return last


def price_returns(
    prices: FloatArray,
    reference: FloatArray | None = None,
    kind: ReturnKind = "simple",
    given: FloatArray | None = None,
) -> tuple[FloatArray, IntArray]:
    r"""Total returns from prices, and the number of sessions each spans.

    The return of a session is taken over its reference price where one is given, else over the
    last price before it, however long ago; reference prices given during a halt count as prices,
    for the exchange computes the next one from them:

    .. math:: R_t = \frac{P_t}{B_t} - 1, \qquad
              B_t = \text{reference}_t \;\text{or the last of}\; P_u, \text{reference}_u,\; u < t

    Parameters
    ----------
    prices : array, shape (T, S)
        NaN where a security did not trade.
    reference : array, shape (T, S), optional
        Reference prices, at least on ex-days; NaN where they are not known.
    kind : {"simple", "log"}
    given : array, shape (T, S), optional
        Simple returns that are taken in place of those of prices; prices say what they span.

    Returns
    -------
    returns : array, shape (T, S)
        NaN where a session has no price, or no earlier price exists.
    spans : array of int, shape (T, S)
        Sessions since the last price: 1 as a rule, 0 where there is no return.
    """
    if given is not None:
        kept = ~np.isnan(given)
        before = _last_seen(kept | ~np.isnan(prices))
        rows = np.arange(len(prices))[:, None]
        spans = np.where(kept, np.where(before >= 0, rows - before, 1), 0)
        with np.errstate(divide="ignore"):
            return (np.log1p(given) if kind == "log" else given), spans
    seen = ~np.isnan(prices)
    last = _last_seen(seen)
    has = last >= 0
    previous = np.where(has, np.take_along_axis(prices, np.maximum(last, 0), axis=0), np.nan)
    base = previous
    if reference is not None:
        known = np.where(seen, prices, reference)
        told = _last_seen(~np.isnan(known))
        base = np.where(told >= 0, np.take_along_axis(known, np.maximum(told, 0), axis=0), np.nan)
        base = np.where(np.isnan(reference), base, reference)
    returns = np.where(seen & has, prices / base - 1.0, np.nan)
    spans = np.where(seen & has, np.arange(len(prices))[:, None] - last, 0)
    return (np.log1p(returns) if kind == "log" else returns), spans


def return_spans(returns: FloatArray, lumped: bool) -> IntArray:
    """Sessions each given return spans, shape (T, S).

    With `lumped`, a return after missing ones spans them too, as in files that leave suspended
    days empty; otherwise every return is of one session.
    """
    seen = ~np.isnan(returns)
    if not lumped:
        return seen.astype(np.int64)
    last = _last_seen(seen)
    return np.where(seen, np.where(last >= 0, np.arange(len(returns))[:, None] - last, 1), 0)


@dataclass(frozen=True)
class CompoundedSeries(FrozenRecord):
    """Benchmarks and factors, ready to be compounded over any span of sessions.

    Attributes
    ----------
    names : tuple of str, length K
    single : array, shape (K, T)
        One-session values; NaN where missing or where the value spans more sessions.
    level : array, shape (K, T)
        Cumulative log value; NaN on sessions that were not observed.
    broken : array of int, shape (K, T)
        Running count of unknown values; a span across one of them cannot be compounded.
    kind : ReturnKind
        Simple values are compounded, others added up.
    additive : array of bool, shape (K,), optional
        Series that are not returns, which are added up whatever the kind.
    """

    names: tuple[str, ...]
    single: FloatArray
    level: FloatArray
    broken: IntArray
    kind: ReturnKind
    additive: BoolArray | None = None

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        values: FloatArray,
        spans: IntArray,
        kind: ReturnKind,
        additive: BoolArray | None = None,
    ) -> CompoundedSeries:
        """Make a bank of values and spans, both of shape (K, T)."""
        missing = np.isnan(values)
        growth = np.where(missing, 0.0, values)
        if kind == "simple":
            plain = np.zeros(len(growth), dtype=bool) if additive is None else additive
            with np.errstate(divide="ignore"):
                growth[~plain] = np.log1p(growth[~plain])
        level = np.cumsum(growth, axis=1)
        # A value after a gap that does not make up for it leaves the level unknown across the gap.
        reach = np.where(missing, 1, 0)
        covered = np.cumsum(reach, axis=1)
        made_up = np.cumsum(np.where(missing, 0, np.maximum(spans - 1, 0)), axis=1)
        seen = ~missing
        # The level is also known on the session from which a value is computed.
        start = np.zeros_like(seen)
        row, at = np.nonzero(seen)
        begin = at - spans[row, at]
        start[row[begin >= 0], begin[begin >= 0]] = True
        return cls(
            names=names,
            single=np.where(spans == 1, values, np.nan),
            level=np.where(seen | start, level, np.nan),
            broken=covered - made_up,
            kind=kind,
            additive=additive,
        )

    def compound(self, series: IntArray, rows: IntArray, spans: IntArray) -> FloatArray:
        """Values of `series` over the `spans` sessions that end at `rows`; broadcast shapes.

        Spans of one session are the values as given; longer ones are compounded (simple returns)
        or added up (log returns), NaN where an end was not observed or a value is unknown.
        """
        inside = (rows >= 0) & (rows < self.single.shape[1]) & (spans > 0)
        at = np.where(inside, rows, 0)
        values = np.where(inside & (spans == 1), self.single[series, at], np.nan)
        several = inside & (spans > 1) & (rows - spans >= 0)
        if several.any():
            series = np.broadcast_to(series, several.shape)
            s, t, d = series[several], at[several], np.broadcast_to(spans, several.shape)[several]
            growth = self.level[s, t] - self.level[s, t - d]
            whole = self.broken[s, t] == self.broken[s, t - d]
            if self.kind == "simple":
                plain = np.zeros(len(s), dtype=bool) if self.additive is None else self.additive[s]
                growth[~plain] = np.expm1(growth[~plain])
            values[several] = np.where(whole, growth, np.nan)
        return values
