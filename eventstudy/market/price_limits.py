"""Price limits of a whole market: which sessions touched, closed at or were locked at a limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.errors import DataError
from eventstudy.immutable import hand_out_copies
from eventstudy.market.limit_rules import limit_prices, limit_shares, listing_caps, ruled_limits

__all__ = ["LimitBook", "PriceLimit", "check_price_limit", "limit_book"]

PriceLimit = float | Mapping[str, float] | pd.DataFrame | None


@hand_out_copies("reference", "down", "up", "touched", "closed", "locked")
@dataclass(frozen=True)
class LimitBook:
    """Price limits and what was hit; every frame is sessions × securities.

    Attributes
    ----------
    reference : DataFrame
        Price the limits are computed from: previous close, or the reference price on an ex-day.
    down, up : DataFrame
        Limit prices; NaN where there is no limit.
    touched : DataFrame of int
        -1 where the low touched the lower limit, 1 where the high touched the upper one (of both, the
        lower is named), else 0. Without low and high, the close stands in.
    closed : DataFrame of int
        The same for the close.
    locked : DataFrame of bool
        Whether open, high, low and close all lay at the limit; False where they are unknown.
    """

    reference: pd.DataFrame
    down: pd.DataFrame
    up: pd.DataFrame
    touched: pd.DataFrame
    closed: pd.DataFrame
    locked: pd.DataFrame


def limit_book(
    fields: Mapping[str, pd.DataFrame],
    exchange: str | None,
    price_limit: PriceLimit,
    tick: float | None,
    special: BoolArray | None = None,
) -> LimitBook:
    """Compute the limits of all securities and sessions.

    Parameters
    ----------
    fields : mapping of str to DataFrame
        Raw prices by field; close at least.
    exchange : str or None
        Calendar name whose rules hold.
    price_limit : float, mapping, DataFrame or None
        Limit given by the user, for all, by security, or by session and security; where it says
        nothing, the exchange's rule holds.
    tick : float, optional
        Price step; default the exchange's.
    special : array of bool, shape (T, S), optional
        Sessions under special treatment.
    """
    close = fields["close"]
    reference = _reference(fields)
    sessions, securities = pd.DatetimeIndex(close.index), [str(c) for c in close.columns]
    traded = close.notna().to_numpy()
    share = limit_shares(exchange, sessions, securities, traded, special)
    share = _override(share, price_limit, close)
    # On the day of listing only the rise is capped, from the issue price where the prices give it.
    rise = np.where(np.isnan(share), listing_caps(exchange, sessions, securities, traded), share)
    if tick is None:
        down, _, step = ruled_limits(exchange, sessions, securities, reference, share)
        _, up, _ = ruled_limits(exchange, sessions, securities, reference, rise)
    else:
        down, up = limit_prices(reference, share, tick)[0], limit_prices(reference, rise, tick)[1]
        step = np.full(len(securities), tick)

    def at(name: str, limit: FloatArray) -> BoolArray:
        price = fields[name].to_numpy() if name in fields else np.full(close.shape, np.nan)
        return np.abs(np.where(np.isnan(price), close.to_numpy(), price) - limit) < step / 2

    def side(low: str, high: str) -> npt.NDArray[np.int8]:
        return np.where(at(low, down), -1, np.where(at(high, up), 1, 0)).astype(np.int8)

    closed = side("close", "close")
    four = [fields[name].to_numpy() for name in ("open", "high", "low") if name in fields]
    whole = len(four) == 3
    locked = (closed != 0) & whole
    for price in four:
        locked &= np.abs(price - close.to_numpy()) < step / 2

    def frame(values: npt.NDArray[np.generic]) -> pd.DataFrame:
        return pd.DataFrame(values, close.index, close.columns)

    return LimitBook(
        frame(reference), frame(down), frame(up), frame(side("low", "high")), frame(closed), frame(locked)
    )


def _reference(fields: Mapping[str, pd.DataFrame]) -> FloatArray:
    """Return reference prices: as given; else the previous close, scaled by the adjustment on ex-days."""
    known = close = fields["close"]
    for name in ("reference", "previous_close"):
        # An ex-day in a halt moves the price from which the next limit is computed.
        if name in fields:
            known = known.fillna(fields[name])
    previous = known.ffill().shift()
    if "adj_close" in fields:
        ratio = (fields["adj_close"] / close).ffill()
        step = ratio.shift() / ratio
        # Adjusted closes are rounded, so steps this small are not ex-days.
        previous = previous.where((step - 1).abs() < 5e-4, previous * step)
    for name in ("previous_close", "reference"):
        if name in fields:
            previous = fields[name].fillna(previous)
    return previous.where(close.notna()).to_numpy()


def check_price_limit(given: PriceLimit, tick: float | None) -> None:
    """Refuse limits that are not shares of a price, and ticks of nothing.

    Raises
    ------
    DataError
    """
    if tick is not None and not (isinstance(tick, int | float) and tick > 0):
        raise DataError(f"The tick must be positive, got {tick!r}.")
    limits: Iterable[object] = [given]
    if isinstance(given, Mapping):
        limits = given.values()
    elif isinstance(given, pd.DataFrame):
        limits = np.unique(given.to_numpy())
    for limit in limits:
        share = float(limit) if isinstance(limit, float | int | np.number) else -1.0
        if limit is not None and not (np.isnan(share) or 0 < share < 1):
            raise DataError(
                "price_limit is a share of the price between 0 and 1, such as 0.1 for ten percent; got "
                f"{limit!r}."
            )


def _override(share: FloatArray, given: PriceLimit, close: pd.DataFrame) -> FloatArray:
    if given is None:
        return share
    if isinstance(given, pd.DataFrame):
        laid = given.reindex(index=close.index, columns=close.columns).to_numpy(dtype=np.float64)
        return np.where(np.isnan(laid), share, laid)
    if isinstance(given, Mapping):
        columns = np.array([given.get(name, np.nan) for name in close.columns], dtype=np.float64)
        return np.where(np.isnan(columns), share, columns)
    return np.full(share.shape, float(given))
