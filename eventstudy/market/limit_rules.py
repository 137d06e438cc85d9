"""Daily price limits: the price a share may not pass, from the exchange's rule and tick."""

from __future__ import annotations

import csv
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import DataError

__all__ = ["has_rule", "limit_prices", "limit_shares", "listing_caps", "ruled_limits"]


#: Board of the rule for shares under special treatment, which no code tells.
SPECIAL = "special treatment"
#: Prices are whole hundredths, or thousandths where that is the tick; shares whole hundredths of a percent.
UNITS, POINTS = 1000, 10_000


@lru_cache(maxsize=2)
def _table(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _rules(exchange: str | None, table: str = "limit_rules.csv") -> list[dict[str, str]]:
    return [rule for rule in _table(table) if rule["exchange"] == exchange]


def has_rule(exchange: str | None) -> bool:
    """Say whether a rule of daily limits is known for an exchange."""
    return bool(_rules(exchange))


def _during(rule: dict[str, str], sessions: pd.DatetimeIndex) -> BoolArray:
    last = pd.Timestamp(rule["to"] or "2262-01-01")
    return np.asarray((sessions >= pd.Timestamp(rule["from"])) & (sessions <= last))


def _concerned(rule: dict[str, str], securities: list[str]) -> BoolArray:
    patterns = rule["codes"].split(";")
    return np.array([any(fnmatchcase(name, p) for p in patterns) for name in securities], dtype=bool)


def limit_shares(
    exchange: str | None,
    sessions: pd.DatetimeIndex,
    securities: list[str],
    traded: BoolArray,
    special: BoolArray | None = None,
) -> FloatArray:
    """Daily limits by the exchange's rules, as shares of the reference price.

    Parameters
    ----------
    exchange : str or None
        Name of the calendar, such as ``"XSHG"``.
    sessions : DatetimeIndex, length T
    securities : list of str, length S
        Codes, which name the board. Special treatment (ST) is not visible in them.
    traded : array of bool, shape (T, S)
        Sessions with a price; a security listed within the data is free of limits for as many
        sessions as the rule at its listing says.
    special : array of bool, shape (T, S), optional
        Sessions under special treatment.

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
    free = np.zeros(traded.shape[1], dtype=np.int64)
    new, listing = _listings(sessions, traded)
    for rule in _rules(exchange):
        concerned = _concerned(rule, securities)
        cell = _during(rule, sessions)[:, None] & concerned[None, :]
        if rule["board"] == SPECIAL:
            cell &= np.zeros_like(cell) if special is None else special
        else:
            free[concerned & _during(rule, listing)] = int(rule["free_sessions"])
        shares[cell] = float(rule["limit"] or "nan")
    shares[new <= free] = np.nan
    return shares


def listing_caps(
    exchange: str | None, sessions: pd.DatetimeIndex, securities: list[str], traded: BoolArray
) -> FloatArray:
    """Rises that are allowed on the day of listing, as shares of the issue price.

    Parameters
    ----------
    exchange, sessions, securities, traded
        As for `limit_shares`.

    Returns
    -------
    array, shape (T, S)
        NaN on all other sessions, and where the rule at the listing has no cap.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> days = pd.DatetimeIndex(["2019-05-21", "2019-05-22", "2019-05-23"])
    >>> listing_caps("XSHG", days, ["603999.SS"], np.array([[False], [True], [True]])).ravel().tolist()
    [nan, 0.44, nan]
    """
    caps = np.full(traded.shape, np.nan)
    new, listing = _listings(sessions, traded)
    for rule in _rules(exchange):
        if rule["board"] != SPECIAL:
            cell = traded & (new == 1) & (_concerned(rule, securities) & _during(rule, listing))[None, :]
            caps[cell] = float(rule["first_day"] or "nan")
    return caps


def _listings(sessions: pd.DatetimeIndex, traded: BoolArray) -> tuple[IntArray, pd.DatetimeIndex]:
    """Sessions that a security listed within the data has traded so far, and the days of listing.

    Of a security that traded on the first session, or never, neither is known: its count is never small.
    """
    if not len(traded):
        return np.zeros(traded.shape, dtype=np.int64), pd.DatetimeIndex([pd.NaT] * traded.shape[1])
    within = ~traded[0] & traded.any(axis=0)
    return np.where(within, np.cumsum(traded, axis=0), np.iinfo(np.int64).max), sessions[
        traded.argmax(axis=0)
    ]


def ruled_limits(
    exchange: str | None,
    sessions: pd.DatetimeIndex,
    securities: list[str],
    reference: FloatArray,
    share: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lowest and highest prices allowed, with the ticks and the rounding of an exchange.

    China rounds half-up to the tick. Korea computes an amount from the reference, in whole ticks of it, and
    drops what the new price has below its own tick. Taiwan takes the last whole tick inside the limit.

    Parameters
    ----------
    exchange : str or None
        Without rule, as in China with ticks of 0.01.
    sessions, securities
        Lengths T and S.
    reference, share : arrays, shape (T, S)

    Returns
    -------
    down, up : arrays, shape (T, S)
        NaN where the reference or the share is missing.
    tick : array, shape (S,)
        Smallest tick of each security.

    Examples
    --------
    The exchange's own example, 9,940 won (Korea), and MediaTek's limit of 18 August 2020 (Taiwan):

    >>> import numpy as np, pandas as pd
    >>> day = pd.DatetimeIndex(["2020-08-18"])
    >>> [one.item() for one in ruled_limits("XKRX", day, ["A"], np.array([[9940.0]]), np.array([[0.3]]))]
    [6960.0, 12900.0, 1.0]
    >>> ruled_limits("XTAI", day, ["2454.TW"], np.array([[685.0]]), np.array([[0.1]]))[0].item()
    617.0
    """
    down, up = np.full(reference.shape, np.nan), np.full(reference.shape, np.nan)
    smallest = np.full(reference.shape[1], 0.01)
    rules = _rules(exchange)
    rounding = rules[0]["rounding"] if rules else "half up"
    ticks = _rules(exchange, "tick_sizes.csv") or [
        {"codes": "*", "from": "1900-01-01", "to": "", "price_from": "0", "tick": "0.01"}
    ]
    bands: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for row in ticks:
        band = round(float(row["price_from"]) * UNITS), round(float(row["tick"]) * UNITS)
        bands.setdefault((row["codes"], row["from"], row["to"]), []).append(band)
    for (codes, first, last), band_list in bands.items():
        span = {"codes": codes, "from": first, "to": last}
        rows, columns = np.flatnonzero(_during(span, sessions)), np.flatnonzero(_concerned(span, securities))
        if len(rows) and len(columns):
            at = np.ix_(rows, columns)
            down[at], up[at] = _rounded(reference[at], share[at], np.array(sorted(band_list)), rounding)
            smallest[columns] = min(tick for _, tick in band_list) / UNITS
    return down, up, smallest


def _rounded(
    reference: FloatArray, share: FloatArray, bands: IntArray, rounding: str
) -> tuple[FloatArray, FloatArray]:
    """Limits in integer arithmetic; `bands` are lowest prices and their ticks, in thousandths."""
    known = ~(np.isnan(reference) | np.isnan(share))
    ref = np.rint(np.where(known, reference, 0.0) * UNITS).astype(np.int64)
    part = np.rint(np.where(known, share, 0.0) * POINTS).astype(np.int64)

    def tick(price: IntArray) -> IntArray:
        return np.asarray(bands[np.searchsorted(bands[:, 0], price, side="right") - 1, 1])

    def floor(price: IntArray) -> IntArray:
        return np.asarray(price // tick(price) * tick(price))

    def half_up(parts: IntArray) -> IntArray:
        step = tick(ref * parts // POINTS)
        return np.asarray((2 * ref * parts + step * POINTS) // (2 * step * POINTS) * step)

    if rounding == "half up":
        down, up = half_up(POINTS - part), half_up(POINTS + part)
    elif rounding == "amount":
        amount = ref * part // (POINTS * tick(ref)) * tick(ref)
        down, up = floor(ref - amount), floor(ref + amount)
    else:
        step = tick(ref * (POINTS - part) // POINTS)
        down = -(-ref * (POINTS - part) // (POINTS * step)) * step
        up = floor(ref * (POINTS + part) // POINTS)
    return np.where(known, down / UNITS, np.nan), np.where(known, up / UNITS, np.nan)


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
    22.905 is not a binary number, so float rounding turns 25.45 x 0.9 into 22.90; the exchange's limit
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

    def price(parts: IntArray) -> FloatArray:
        rounded = (ticks * parts + 5_000) // 10_000
        value = rounded / per_unit if exact else rounded * tick
        return np.where(known, value, np.nan)

    return price(10_000 - points), price(10_000 + points)
