"""Whether a column of changes is in percent or in decimals, by the closes beside it and by its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.column_names import PERCENT_NAMES, TOTAL_RETURN_NAMES, in_percent, plain_name

__all__ = ["unit_of_changes"]

#: Changes that are compared at the least; a typical day's return above which none is in decimals.
ENOUGH, LARGE = 5, 0.15


def unit_of_changes(values: Mapping[str, pd.Series], name: Any, who: pd.Series | None) -> str:
    """Return "percent", "decimals", or "" where the name of the column decides.

    Parameters
    ----------
    values : mapping of field to Series
        Columns of a table, of which one is the return.
    name : str
        Of the column of returns.
    who : Series, optional
        Security of each row.
    """
    word = plain_name(name)
    change = values["return"].to_numpy(dtype=float)
    close = values.get("close", values.get("adj_close"))
    if close is None or word in TOTAL_RETURN_NAMES:
        if word in PERCENT_NAMES or not in_percent(name):
            return ""
        known = np.abs(change[np.isfinite(change) & (change != 0)])
        return "" if not len(known) or np.median(known) > LARGE else "decimals"
    code = np.zeros(len(close), dtype=int) if who is None else pd.factorize(who)[0]
    order = np.argsort(code, kind="stable")
    prices, code, change = close.to_numpy(dtype=float)[order], code[order], change[order]
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = np.abs(np.diff(np.log(prices)))
    same = (code[1:] == code[:-1]) & np.isfinite(moves) & (moves > 0)
    told = np.abs(change[np.isfinite(change) & (change != 0)])
    if same.sum() < ENOUGH or len(told) < ENOUGH:
        return ""
    ratio = float(np.median(told) / np.median(moves[same]))
    return "percent" if 30 < ratio < 300 else "decimals" if 0.3 < ratio < 3 else ""
