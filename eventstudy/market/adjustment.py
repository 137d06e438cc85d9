"""Whether closes and indices are adjusted for dividends and splits; total returns of closes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.tabular.reading import Taken
from eventstudy.tabular.vendors import known_factors

__all__ = [
    "Adjustment",
    "check_adjustment",
    "evidence_of_raw",
    "price_index",
    "with_adj_close",
    "with_payouts",
]

Adjustment = Literal["none", "splits", "total"]
#: Log likelihood ratio from which on closes are taken for raw or for adjusted: a hundred to one.
DECISIVE = float(np.log(100.0))
#: Returns without payout from which a security's own volatility is taken; that of the others, else.
ENOUGH, USUAL, LEAST = 20, 0.02, 0.002
#: Degrees of freedom of the t distribution of a day's return: news falls on ex-days too.
TAILS = 3.0
#: Securities from which on the median move of a day is taken off.
MANY = 5
#: A share of days on which rounded changes and closes may differ.
MOST_EX_DAYS = 0.25
BETTER = frozenset({"adj_close", "reference", "previous_close", "return"})


def check_adjustment(given: object) -> None:
    """Refuse an adjustment that does not exist."""
    if given is not None and given not in get_args(Adjustment):
        raise DataError(
            f"adjustment must be one of {', '.join(map(repr, get_args(Adjustment)))}, got {given!r}: what "
            f"the "
            "closes are adjusted for."
        )


def evidence_of_raw(step: FloatArray, expected: FloatArray) -> FloatArray:
    r"""Return by security the evidence that closes fall on ex-days, in logs.

    .. math:: \sum_t \ell(x_t - e_t) - \ell(x_t), \qquad
              \ell(u) = -\frac{\nu + 1}{2} \ln\left(1 + \frac{u^2}{\nu s^2}\right)

    over the ex-days, for log price changes x, the change e that a payout makes in raw closes, the security's
    robust volatility s and ν = 3.

    Parameters
    ----------
    step : array, shape (T, S)
        Log changes of closes since the last one.
    expected : array, shape (T, S)
        Log change that the payout makes in raw closes; 0 where there is none.

    Returns
    -------
    array, shape (S,)
        Positive for raw closes, negative for adjusted ones; 0 without ex-days.
    """
    ex = (expected != 0) & np.isfinite(step) & np.isfinite(expected)
    quiet = np.where(ex | ~np.isfinite(step), np.nan, step)
    if step.shape[1] >= MANY:
        seen = np.isfinite(quiet).any(axis=1)
        common = np.zeros(len(step))
        common[seen] = np.nanmedian(quiet[seen], axis=1)
        step, quiet = step - common[:, None], quiet - common[:, None]
    scale = np.full(step.shape[1], USUAL)
    known = np.isfinite(quiet).sum(axis=0)
    enough = known >= ENOUGH
    if enough.any():
        spread = 1.4826 * np.nanmedian(np.abs(quiet[:, enough]), axis=0)
        scale[enough] = np.maximum(spread, LEAST)
    apart = np.where(ex, step - expected, 0.0) / scale
    still = np.where(ex, step, 0.0) / scale
    gain = np.log1p(still**2 / TAILS) - np.log1p(apart**2 / TAILS)
    return np.asarray((TAILS + 1) / 2 * gain.sum(axis=0), dtype=float)


def _decided(evidence: FloatArray, has: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Which securities have raw closes (those without ex-days do), and which may have either."""
    raw, adjusted = evidence > DECISIVE, evidence < -DECISIVE
    open_ = has & ~raw & ~adjusted
    total = float(evidence[has].sum())
    if open_.any() and abs(total) > DECISIVE and not (raw.any() and adjusted.any()):
        raw = raw | (open_ & (total > 0))
        open_ = np.zeros_like(open_)
    return raw | ~has, open_


def with_adj_close(fields: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Fill adjusted closes where closes are known: by the ratio of the two, which changes on ex-days alone.

    Warns
    -----
    DataWarning
        If a security has no adjusted close, or none at one end.
    """
    out = dict(fields)
    if "adj_close" not in fields:
        return out
    if "close" not in fields:
        out["close"] = fields["adj_close"]
        return out
    close, adjusted = fields["close"], fields["adj_close"].reindex_like(fields["close"])
    lacking = close.notna() & adjusted.isna()
    if lacking.to_numpy().any():
        ratio = adjusted / close
        filled = ratio.ffill().bfill().fillna(1.0)
        doubtful = lacking & ((ratio.ffill() - ratio.bfill()).abs() > 1e-6 * ratio.abs().bfill().ffill())
        ends = lacking & (ratio.ffill().isna() | ratio.bfill().isna())
        told = (doubtful | ends).to_numpy()
        out["adj_close"] = adjusted.where(~lacking, close * filled)
        if told.any():
            row, column = np.argwhere(told)[0]
            who = close.columns[column]
            what = "on any day" if adjusted[who].isna().all() else f"on {close.index[row]:%Y-%m-%d}"
            warn(
                f"Prices: {who} has a close and no adj_close {what} (and {int(told.sum()) - 1} more such "
                f"cells); its "
                "closes are taken there, adjusted as the nearest one is. An ex-day among them is a fall.",
                DataWarning,
            )
    return out


def with_payouts(
    fields: Mapping[str, pd.DataFrame], adjustment: Adjustment | None = None, known: str = ""
) -> tuple[dict[str, pd.DataFrame], bool | None, list[Taken]]:
    r"""Make reference prices of dividends and splits, where nothing better is given.

    The reference price of an ex-day is the last close less the dividend, per new share, as exchanges compute
    it and adjusted closes imply:

    .. math:: R_t = \frac{P_t}{(P_{t-1} - D_t) / S_t} - 1

    CRSP's (P_t + D_t) / P_{t−1} − 1 differs from it by the return on the dividend.

    Parameters
    ----------
    fields : dict of str to DataFrame
    adjustment : {"none", "splits", "total"}, optional
        What closes are adjusted for; found from the ex-days by default.
    known : str
        The same, as the vendor's names tell it.

    Returns
    -------
    fields : dict of str to DataFrame
    total : bool or None
        Whether returns count dividends, None where it cannot be told.
    reading : list of Taken

    Raises
    ------
    DataError
        If a dividend or a split cannot be, or it cannot be told what closes are adjusted for.
    """
    out = dict(fields)
    paid, splits = out.pop("dividends", None), out.pop("splits", None)
    factor, rounded = out.pop("cumulative_factor", None), out.pop("rounded_return", None)
    said = adjustment or (known or None)
    by = "as said" if adjustment else "by the vendor's names"
    if BETTER & set(out):
        return out, True, []
    close = out["close"]
    last = close.ffill().shift()
    if factor is not None:
        factor = known_factors(factor, close, "Prices")
        out["reference"] = (last * factor / factor.where(close.notna()).ffill().shift()).where(
            factor != factor.shift()
        )
        return out, False, []
    if paid is None and splits is None:
        if rounded is not None:
            return _with_rounded(out, rounded, last)
        return out, True if adjustment == "total" else None, []
    step = np.log((close / last).to_numpy())
    cash = 0.0 * last if paid is None else paid.fillna(0.0)
    ratio = 0.0 * last + 1.0 if splits is None else splits.where(splits != 0).fillna(1.0)
    _refuse_impossible(close, last, cash, ratio)
    during = close.bfill()  # an ex-day in a halt shows in the next close
    step = np.log((during / last).to_numpy())
    told: list[Taken] = []
    split_raw = _raw_for(
        "splits", step, -np.log(ratio.to_numpy()), (said, by), {"splits", "total"}, close.columns, told
    )
    ratio = ratio.where(np.broadcast_to(split_raw, ratio.shape), 1.0)
    expected = np.log(1.0 - (cash / last).to_numpy())
    cash_raw = _raw_for(
        "dividends", step + np.log(ratio.to_numpy()), expected, (said, by), {"total"}, close.columns, told
    )
    cash = cash.where(np.broadcast_to(cash_raw, cash.shape), 0.0)
    reference = (last - cash) / ratio
    out["reference"] = reference.where((cash > 0) | (ratio != 1.0))
    total = True if paid is not None else None
    return out, total, told


def _refuse_impossible(
    close: pd.DataFrame, last: pd.DataFrame, cash: pd.DataFrame, ratio: pd.DataFrame
) -> None:
    wrong = ((cash < 0) | (ratio <= 0) | ((last - cash) / ratio <= 0)).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        dividend, split, before = (frame.to_numpy()[row, column] for frame in (cash, ratio, last))
        raise DataError(
            f"Prices: {close.columns[column]} has a dividend of {dividend:g} and a split of {split:g} on "
            f"{close.index[row]:%Y-%m-%d}, after a close of {before:g}. Mend these columns, or drop them."
        )


def _raw_for(
    what: str,
    step: FloatArray,
    expected: FloatArray,
    source: tuple[str | None, str],
    adjusted: set[str],
    names: pd.Index,
    told: list[Taken],
) -> BoolArray:
    """Return by security whether closes are raw of dividends or splits, as said or by evidence."""
    said, by = source
    expected = np.where(np.isfinite(expected), expected, 0.0)
    has = (expected != 0).any(axis=0)
    if not has.any():
        return np.ones(step.shape[1], dtype=bool)
    evidence = evidence_of_raw(step, expected)
    n = int((expected != 0).sum())
    if said is not None:
        raw = np.full(step.shape[1], said not in adjusted)
        against = evidence[has].sum() * (1 if said in adjusted else -1)
        if against > DECISIVE:
            problem = (
                f"Prices: the closes are {'adjusted for' if said in adjusted else 'raw of'} {what}, {by}, "
                f"and on {n} "
                f"ex-days they {'fall' if said in adjusted else 'do not fall'} by them."
            )
            if by != "as said":
                raise DataError(f"{problem} Pass adjustment='none', 'splits' or 'total' as is right.")
            warn(problem, DataWarning)
        told.append(Taken(what, what, adjustment=said, evidence=by))
        return raw
    raw, open_ = _decided(evidence, has)
    if open_.any():
        who = names[int(np.argmax(open_))]
        raise DataError(
            f"Prices: whether closes are adjusted for {what} cannot be told for {who} from {n} ex-days. Say "
            f"what they "
            "are adjusted for: adjustment='none' (as traded), 'splits', or 'total' (splits and dividends); "
            "or drop the "
            f"column {what}."
        )
    if raw[has].all() or not raw[has].any():
        state = "none" if raw[has].all() else "total" if "splits" not in adjusted else "splits"
        fall = "fall" if raw[has].all() else "do not fall"
        told.append(Taken(what, what, adjustment=state, evidence=f"closes {fall} by them on {n} ex-days"))
    else:
        some = ", ".join(map(str, names[has & ~raw][:5]))
        told.append(
            Taken(what, what, adjustment="mixed", evidence=f"closes are adjusted for {what} of {some}")
        )
        warn(
            f"Prices: closes are adjusted for {what} of {some}, and not of others; each series is taken as "
            f"its ex-days "
            "tell.",
            DataWarning,
        )
    return raw


def _with_rounded(
    fields: dict[str, pd.DataFrame], rounded: pd.DataFrame, last: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], bool | None, list[Taken]]:
    """Take reference prices from rounded changes on days on which they and closes differ."""
    close = fields["close"]
    change = rounded.to_numpy() * 100.0
    known = change[np.isfinite(change)]
    digits = next((d for d in range(6) if np.allclose(known, np.round(known, d), atol=1e-9)), 6)
    apart = np.abs((close / last - 1.0).to_numpy() - rounded.to_numpy())
    ex = apart > 0.51 * 10.0**-digits / 100.0 + 1e-9
    compared = np.isfinite(apart)
    if ex.sum() > MOST_EX_DAYS * max(int(compared.sum()), 1):
        row, column = np.argwhere(ex)[0]
        raise DataError(
            f"Prices: the changes and the closes of {close.columns[column]} do not agree; on "
            f"{close.index[row]:%Y-%m-%d} "
            f"the change is {rounded.to_numpy()[row, column]:+.4%} and the close moved by "
            f"{(close / last - 1).to_numpy()[row, column]:+.4%}. Drop one of the columns."
        )
    if not ex.any():
        return fields, None, []
    fields["reference"] = (close / (1.0 + rounded)).where(ex)
    note = Taken("change", "reference price", evidence=f"differs from closes on {int(ex.sum())} ex-days")
    return fields, True, [note]


@lru_cache(maxsize=1)
def _kinds() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("index_kinds.csv").read_text(encoding="utf-8")
    return {row["symbol"]: row for row in csv.DictReader(text.splitlines())}


def price_index(symbol: str) -> str | None:
    """Say which price index a symbol is, and its sibling with dividends; None if it is not a known one.

    Examples
    --------
    >>> price_index("^GSPC")
    'S&P 500 (with dividends: ^SP500TR)'
    >>> price_index("^GDAXI") is None  # the DAX as quoted counts dividends
    True
    """
    row = _kinds().get(symbol.strip().upper().replace(".SH", ".SS"))
    if row is None or row["kind"] != "price":
        return None
    return row["name"] + (
        f" (with dividends: {row['total_return_sibling']})" if row["total_return_sibling"] else ""
    )
