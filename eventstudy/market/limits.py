"""Daily price limits: the price a share may not pass, from the exchange's rule and tick."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import DataError

__all__ = ["limit_prices", "limit_shares"]

FloatArray = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def _rules() -> tuple[dict[str, str], ...]:
    text = resources.files(__package__).joinpath("limit_rules.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def limit_shares(
    exchange: str | None, sessions: pd.DatetimeIndex, securities: list[str], traded: npt.NDArray[np.bool_]
) -> FloatArray:
    """Daily limits by the exchange's rules, as shares of the reference price.

    Parameters
    ----------
    exchange : str or None
        Name of the calendar, such as ``"XSHG"``.
    sessions : DatetimeIndex, length T
    securities : list of str, length S
        The board is told by a code's first digits. Special treatment (ST, 5 %) is not visible in
        a code: give such limits yourself, as ``Market.from_prices(price_limit=...)``.
    traded : array of bool, shape (T, S)
        Sessions with a price; a security listed within the data is free of limits for as many
        sessions as its board's rule says.

    Returns
    -------
    array, shape (T, S)
        NaN where there is no limit.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> days = pd.DatetimeIndex(["2020-08-21", "2020-08-24"])
    >>> limit_shares("XSHG", days, ["002415.SZ", "300188.SZ"], np.ones((2, 2), bool)).tolist()
    [[0.1, 0.1], [0.1, 0.2]]
    >>> np.isnan(limit_shares("XHKG", days, ["0763.HK"], np.ones((2, 1), bool))).all()
    np.True_
    """
    shares = np.full(traded.shape, np.nan)
    new = np.cumsum(traded, axis=0)
    listed_later = ~traded[0] if len(traded) else np.zeros(traded.shape[1], dtype=bool)
    for rule in _rules():
        if rule["exchange"] != exchange:
            continue
        boards = tuple(rule["prefix"].split(";")) if rule["prefix"] else ("",)
        columns = np.array([security.startswith(boards) for security in securities], dtype=bool)
        last = pd.Timestamp(rule["to"] or "2262-01-01")
        rows = np.asarray((sessions >= pd.Timestamp(rule["from"])) & (sessions <= last))
        cell = rows[:, None] & columns[None, :]
        shares[cell] = float(rule["limit"])
        free = int(rule["free_sessions"])
        shares[cell & listed_later & (new <= free)] = np.nan
    return shares


def limit_prices(
    reference: npt.ArrayLike, share: npt.ArrayLike, tick: float = 0.01
) -> tuple[FloatArray, FloatArray]:
    r"""Lowest and highest price allowed, rounded half-up to the tick in exact arithmetic.

    .. math:: \text{limit} = \operatorname{round}_{\text{half up}}\!\left(
              \frac{\text{reference}\,(1 \mp \text{share})}{\text{tick}}\right) \text{tick}

    Parameters
    ----------
    reference : array_like
        Previous close, or the reference price on an ex-day; a whole number of ticks.
    share : array_like
        Limit as a decimal, such as 0.1; in whole hundredths of a percent.
    tick : float, default 0.01

    Returns
    -------
    down, up : arrays
        NaN where the reference or the share is missing.

    Raises
    ------
    DataError
        If the tick is not positive.

    Notes
    -----
    22.905 is no binary number, so float rounding turns 25.45 x 0.9 into 22.90; the exchange's limit
    is 22.91. Whole ticks and hundredths of a percent keep the arithmetic in integers.

    Examples
    --------
    >>> down, up = limit_prices([27.60, 25.45], 0.1)
    >>> down.tolist(), up.tolist()
    ([24.84, 22.91], [30.36, 28.0])
    """
    if not tick > 0:
        raise DataError(f"The tick must be positive, got {tick!r}.")
    ref, part = np.broadcast_arrays(np.asarray(reference, float), np.asarray(share, float))
    known = ~(np.isnan(ref) | np.isnan(part))
    ticks = np.rint(np.where(known, ref, 0.0) / tick).astype(np.int64)
    points = np.rint(np.where(known, part, 0.0) * 10_000).astype(np.int64)
    per_unit = round(1 / tick)
    exact = abs(per_unit * tick - 1) < 1e-9

    def price(parts: npt.NDArray[np.int64]) -> FloatArray:
        rounded = (ticks * parts + 5_000) // 10_000
        value = rounded / per_unit if exact else rounded * tick
        return np.where(known, value, np.nan)

    return price(10_000 - points), price(10_000 + points)
