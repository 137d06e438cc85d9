"""Counts of shares beside closes: whether both are of before, or of after, each split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import DataWarning, RequestError, warn
from eventstudy.market import Market

__all__ = ["check_splits"]

#: Growth of a count, or fall of a close that no return shows, from which on it is taken for a split.
LEAST = 1.15
#: Growth from which on a count is taken for split where the closes do not fall; below, shares may be issued.
LIKE_SPLIT = 1.45


def check_splits(
    market: Market, security: str, counts: pd.Series, counted: pd.Timestamp, day: pd.Timestamp
) -> None:
    """Refuse a count of before a split beside a close of after it, and warn of the reverse.

    Parameters
    ----------
    counts : Series
        Counts of the security by day, in order.
    counted, day : Timestamp
        Day of the count in use, and of the close it is multiplied by.

    Raises
    ------
    RequestError
        If the closes fall by a split between the two.

    Warns
    -----
    DataWarning
        If a later count has grown as by a split, and the closes have not fallen by it.
    """
    if "close" not in market.price_fields:
        return
    apart = _fallen(market, security)
    between = apart[(apart.index > counted) & (apart.index <= day)]
    steps = between[between.abs() > np.log(LEAST)]
    if len(steps):
        on, by = steps.index[-1], float(np.exp(steps.iloc[-1]))
        raise RequestError(
            f"{security}: on {on:%Y-%m-%d} its closes change by a factor of {by:.3g} that its returns do not "
            f"show, as by a split, and the last count of shares is of {counted:%Y-%m-%d}, before it. Give a "
            f"count of {on:%Y-%m-%d} or later, or market_cap."
        )
    later = counts[counts.index >= counted]
    growth = np.log(later.to_numpy(dtype=float)[1:] / later.to_numpy(dtype=float)[:-1])
    for at in np.flatnonzero(np.abs(growth) > np.log(LIKE_SPLIT)).tolist():
        before, on, step = later.index[at], later.index[at + 1], float(growth[at])
        span = apart[(apart.index > before) & (apart.index <= on)]
        if len(span) and abs(float(span.sum()) - step) > abs(step) / 2:
            warn(
                f"{security}: its count of shares changes by a factor of {np.exp(step):.3g} from "
                f"{before:%Y-%m-%d} to {on:%Y-%m-%d}, as by a split, and its closes do not, so these are "
                f"adjusted for it and the count of {counted:%Y-%m-%d} may not be: give counts that are "
                "adjusted for later splits as well, or closes as traded.",
                DataWarning,
            )
            return


def _fallen(market: Market, security: str) -> pd.Series:
    """Log change by which each close is below what the returns make of the last one, as after a split."""
    close = market.prices("close")[security].dropna()
    returns = market.returns[security].reindex(close.index)
    growth = returns if market.kind == "log" else np.log1p(returns)
    return (growth - np.log(close / close.shift())).dropna()
