"""Fields of prices: errors, days without trade, and the reference prices of returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.errors import DataError
from eventstudy.market.wide_and_long import KEPT_IN_HALT, NO_PRICES, BadPrices, check_prices

__all__ = [
    "NO_BAD_PRICES",
    "SpecialTreatment",
    "checked_fields",
    "lay_special",
    "reference_prices",
    "with_payouts",
    "without_halted",
    "without_payouts",
]

NO_BAD_PRICES = pd.DataFrame(columns=["date", "security", "value", "field"])

SpecialTreatment = Iterable[str] | Mapping[str, tuple[str | date | None, str | date | None]] | None


def checked_fields(
    fields: Mapping[str, pd.DataFrame], bad_prices: BadPrices
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Refuse prices that are not positive, or take them for missing and list them.

    Returns
    -------
    fields : dict of str to DataFrame
    bad : DataFrame
        Columns date, security, field and value.
    """
    out, bad = dict(fields), []
    for name, frame in fields.items():
        if name in NO_PRICES:
            continue
        out[name] = check_prices(frame, bad_prices)
        if out[name] is not frame:
            rows, columns = np.nonzero((out[name].isna() & frame.notna()).to_numpy())
            values = frame.to_numpy()[rows, columns]
            cells = {"date": frame.index[rows], "security": frame.columns[columns], "value": values}
            bad.append(pd.DataFrame(cells).assign(field=name))
    return out, pd.concat(bad, ignore_index=True) if bad else NO_BAD_PRICES


def without_halted(fields: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Take days of zero volume and unchanged close for days without trade."""
    out = dict(fields)
    if "volume" in fields and "close" in fields:
        close = fields["close"]
        halted = (fields["volume"] == 0) & (close == close.ffill().shift())
        out |= {name: frame.mask(halted) for name, frame in fields.items() if name not in KEPT_IN_HALT}
    return out


def without_payouts(fields: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave the dividends and splits of intraday bars out where total returns do not need them.

    Raises
    ------
    DataError
        If nothing else tells of ex-days: a dividend on every bar of a day is paid once.
    """
    paid = {"dividends", "splits"} & set(fields)
    known = {"adj_close", "reference", "previous_close"} & set(fields)
    if not known and any((fields[name].fillna(0.0) != 0).to_numpy().any() for name in paid):
        raise DataError(
            "Dividends and splits are read of daily prices. For intraday bars give the exchange's reference "
            "price of the ex-day in a column reference, or adj_close, or drop the columns."
        )
    return {name: frame for name, frame in fields.items() if name not in paid}


def with_payouts(fields: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make reference prices of dividends and splits, where nothing better is given.

    The reference price of an ex-day is the last close less the dividend, per new share.

    Raises
    ------
    DataError
        If a dividend or a split is negative, or a dividend as large as the price.
    """
    out = dict(fields)
    paid, splits = out.pop("dividends", None), out.pop("splits", None)
    if (paid is None and splits is None) or {"adj_close", "reference", "previous_close"} & set(out):
        return out
    close = out["close"]
    last = close.ffill().shift()
    cash = 0.0 * last if paid is None else paid.fillna(0.0)
    ratio = 0.0 * last + 1.0 if splits is None else splits.where(splits != 0).fillna(1.0)
    # Some vendors give closes that are adjusted for splits already, and the splits besides.
    step = np.log((close.bfill() / last).to_numpy())
    split = ratio.to_numpy()
    shown = np.abs(step + np.log(np.where(split > 0, split, 1.0))) < np.abs(step)
    ratio = ratio.where(shown | (split <= 0), 1.0)
    reference = (last - cash) / ratio
    wrong = (cash < 0) | (ratio <= 0) | (reference <= 0)
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        dividend, split, before = (frame.to_numpy()[row, column] for frame in (cash, ratio, last))
        raise DataError(
            f"Prices: {close.columns[column]} has a dividend of {dividend:g} and a split of {split:g} on "
            f"{close.index[row]:%Y-%m-%d}, after a close of {before:g}. Mend these columns, or drop them."
        )
    out["reference"] = reference.where((cash > 0) | (ratio != 1.0))
    return out


def lay_special(given: SpecialTreatment, base: pd.DataFrame) -> BoolArray | None:
    """Lay spells of special treatment on sessions × securities.

    Raises
    ------
    DataError
        If it is neither, a security is not a column of the data, or a day cannot be read.
    """
    if given is None:
        return None
    laid = np.zeros(base.shape, dtype=bool)
    sessions = pd.DatetimeIndex(base.index)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DataError(f"special_treatment is a list of securities, or a mapping, got {given!r}.")
    for name in given:
        if name not in base.columns:
            raise DataError(f"special_treatment names {name!r}, which is not a column of the data.")
        spell = given[name] if isinstance(given, Mapping) else (None, None)
        if isinstance(spell, str) or len(spell) != 2:
            raise DataError(f"special_treatment of {name}: give its first and last day, got {spell!r}.")
        first, last = spell
        try:
            since = sessions[0] if first is None else pd.Timestamp(first)
            until = sessions[-1] if last is None else pd.Timestamp(last)
            inside = (sessions >= since) & (sessions <= until)
        except (ValueError, TypeError) as problem:
            raise DataError(f"special_treatment of {name}: {first!r} to {last!r} are not days.") from problem
        laid[inside, base.columns.get_loc(name)] = True
    return laid


def reference_prices(fields: Mapping[str, pd.DataFrame], close: pd.DataFrame) -> FloatArray | None:
    """Return reference prices: as given, else the exchange's previous close."""
    given = [fields[name] for name in ("reference", "previous_close") if name in fields]
    if not given:
        return None
    merged = given[0] if len(given) == 1 else given[0].fillna(given[1])
    return merged.to_numpy()
