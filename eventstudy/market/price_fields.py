"""Fields of prices: errors, days without trade, and the reference prices of returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.calendars import Exchange
from eventstudy.errors import DataError
from eventstudy.market.long_bars import WORDS
from eventstudy.market.units import check_returns, refuse_relatives, returns_beside_closes
from eventstudy.market.wide_and_long import KEPT_IN_HALT, NOT_PRICES, BadPrices, check_prices
from eventstudy.tabular.frames import Table
from eventstudy.tabular.reading import Taken

__all__ = [
    "NO_BAD_PRICES",
    "SpecialTreatment",
    "bars_read",
    "checked_fields",
    "given_returns",
    "lay_special",
    "reference_prices",
    "refuse_calendar",
    "return_values",
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
        if name in NOT_PRICES or name == "rounded_return":
            continue
        out[name] = check_prices(frame, bad_prices)
        if name in ("close", "adj_close"):
            refuse_relatives(out[name], "Prices")
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
        # An index may lack a volume.
        halted = fields["volume"].reindex_like(close).eq(0) & close.eq(close.ffill().shift())
        if not halted.to_numpy().any():
            return out
        for name, frame in fields.items():
            if name not in KEPT_IN_HALT:
                its = halted.reindex(index=frame.index, columns=frame.columns, fill_value=False)
                out[name] = frame.mask(its)
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


def return_values(table: Table, kind: str) -> pd.DataFrame:
    """Return the returns of a table as `kind` asks for them.

    Raises
    ------
    DataError
        If it holds log returns, and simple ones are asked for.
    """
    fields = table.fields
    if kind == "log" and "log_return" in fields:
        return fields["log_return"]
    found = next((fields[name] for name in ("return", "value") if name in fields), None)
    if found is None:
        raise DataError("Returns: the table holds log returns alone. Say so: Market(..., kind='log').")
    return found


def given_returns(
    fields: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], FloatArray | None, list[Taken]]:
    """Take returns that are given beside prices out of the fields, as simple decimals.

    Raises
    ------
    DataError
        If they are those of other prices, or no returns.
    """
    out = dict(fields)
    given = out.pop("return", None)
    if given is None:
        return out, None, []
    simple, unit, evidence = returns_beside_closes(given, out["close"])
    # Closes have told the unit: new shares may rise by their limit for weeks.
    check_returns(simple, "Returns beside the prices", "simple", "decimal" if unit else None)
    told = [Taken("returns", "return", unit, "", evidence)] if unit not in ("", "decimal") else []
    return out, simple.to_numpy(), told


def refuse_calendar(length: str | None, exchange: Exchange | None) -> None:
    """Refuse the calendar of an exchange, which tells days, for longer bars."""
    if length is not None and exchange is not None:
        raise DataError(
            f"The rows are {WORDS[length]}, and calendar={exchange.code!r} tells days. Leave calendar out; "
            f"events of "
            f"{WORDS[length]} are given by date."
        )


def bars_read(evidence: str) -> list[Taken]:
    """Say of bars longer than a day how their stamps were taken."""
    return [Taken("dates", "last days of bars", evidence=evidence)] if evidence else []


def reference_prices(fields: Mapping[str, pd.DataFrame], close: pd.DataFrame) -> FloatArray | None:
    """Return reference prices: as given, else the exchange's previous close."""
    given = [fields[name] for name in ("reference", "previous_close") if name in fields]
    if not given:
        return None
    merged = given[0] if len(given) == 1 else given[0].fillna(given[1])
    return merged.to_numpy()
