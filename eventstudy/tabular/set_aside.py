"""Columns that no name makes known: whether one of them is closes adjusted for splits or dividends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.column_names import NO_PRICES_OR_RETURNS, plain_name
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.text import plural

__all__ = ["warn_of_adjusted_closes"]

#: Fields by which returns allow for ex-days.
SETTLED = frozenset(
    {
        *("adj_close", "return", "rounded_return", "reference", "previous_close"),
        *("dividends", "splits", "cumulative_factor"),
    }
)
#: Numbers that keep their ratio to the close for weeks, and are not closes.
_NO_CLOSES = ("cap", "shares", "yield", "ratio", "eps", "市值", "市盈", "市净", "市销")
_NONE = frozenset({"pe", "pb", "ps", "mv", "me", "totalmv", "circmv", "size", "value"}) | NO_PRICES_OR_RETURNS
#: Least days of a security with both columns, largest share of days with a step, least step.
ENOUGH, FEW, LEAST = 30, 0.06, 0.002
#: Log likelihood ratio of a hundred to one; degrees of freedom of a day's return.
DECISIVE, TAILS = float(np.log(100.0)), 3.0
#: Securities that are looked at first; most columns show in them that they are not closes.
FIRST = 20


def warn_of_adjusted_closes(
    what: str,
    fields: Mapping[str, pd.DataFrame],
    names: Iterable[Any],
    numbers: Callable[[Any, int], FloatArray],
) -> None:
    """Warn of a column that is not used and keeps its ratio to the close but on a few days, when closes fall.

    Parameters
    ----------
    what : str
        What the table is, for messages.
    fields : dict of str to DataFrame
        By field, days × securities.
    names : iterable
        Columns that are not used.
    numbers : function
        The numbers of a column, days × so many of the securities.

    Warns
    -----
    DataWarning
        If the closes fall by the steps of the ratio, or the two are equal at one end and the steps go up.
    """
    if "close" not in fields or SETTLED & set(fields):
        return
    close = fields["close"]
    for name in names:
        word = plain_name(name)
        if word in _NONE or any(part in word for part in _NO_CLOSES):
            continue
        try:
            if _steps(close.to_numpy()[:, :FIRST], numbers(name, min(FIRST, close.shape[1]))) is None:
                continue
            found = _steps(close.to_numpy(), numbers(name, close.shape[1]))
        except DataError:
            continue
        if found is None or not found.size:
            continue
        steps, fell, scale, anchored = found["step"], found["fell"], found["scale"], found["anchored"]
        if steps[steps > 0].sum() < 0.8 * np.abs(steps).sum():
            continue
        still, apart = fell / scale, (fell + steps) / scale
        gain = np.log1p(still**2 / TAILS) - np.log1p(apart**2 / TAILS)
        evidence = float((TAILS + 1) / 2 * gain.sum())
        if evidence > 1.5 * DECISIVE or (anchored.mean() > 0.5 and evidence > -DECISIVE):
            one = found[int(np.argmax(steps))]
            who, day = close.columns[one["column"]], close.index[one["row"]]
            warn(
                f"{what}: the column {str(name)!r} is not used, and looks like closes adjusted for splits or "
                f"dividends: its ratio to the close stays the same but for {plural(len(found), 'step')}, as "
                f"on {day:%Y-%m-%d}, when that of {who} goes from {np.exp(one['before']):.4g} to "
                f"{np.exp(one['before'] + one['step']):.4g}. The closes fall on such days. If it is, pass "
                f"columns={{{str(name)!r}: 'adj_close'}}; if not, {{{str(name)!r}: 'ignore'}}.",
                DataWarning,
            )


def _steps(close: FloatArray, other: FloatArray) -> np.ndarray | None:
    """Return the steps of the ratio of two tables; None where that of one in ten moves otherwise."""
    unit = _last_digit(close), _last_digit(other)
    found, alike, others = [], 0, 0
    for column in range(close.shape[1]):
        base, own = close[:, column], other[:, column]
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero((base > 0) & (own > 0))
        if len(rows) < ENOUGH:
            continue
        ratio, moves = np.log(own[rows] / base[rows]), np.diff(np.log(base[rows]))
        rounding = 0.505 * (unit[0] / base[rows] + unit[1] / own[rows])
        change = np.diff(ratio)
        most = rounding[1:] + rounding[:-1] + 2e-6  # single precision
        stepped = np.abs(change) > np.maximum(most, LEAST)
        usual = float(np.median(np.abs(moves)))
        if stepped.mean() > FEW or (np.abs(change) > most).mean() > 2 * FEW or np.median(most) > usual:
            others += 1
            continue
        alike += 1
        scale = max(1.4826 * usual, LEAST)
        anchored = min(abs(ratio[0]), abs(ratio[-1])) <= 1e-4 + max(rounding[0], rounding[-1])
        for at in np.flatnonzero(stepped):
            found.append((column, rows[at + 1], ratio[at], change[at], moves[at], scale, anchored))
    names = ["column", "row", "before", "step", "fell", "scale", "anchored"]
    kinds = ["i8", "i8", "f8", "f8", "f8", "f8", "f8"]
    return np.array(found, dtype=list(zip(names, kinds, strict=True))) if alike > 9 * others else None


def _last_digit(values: FloatArray) -> float:
    """Return the unit of the last decimal place that numbers are written with, a millionth at the least."""
    known = values[np.isfinite(values)][:5000]
    return next(
        (10.0**-d for d in range(6) if np.allclose(known, np.round(known, d), rtol=0, atol=1e-9)), 1e-6
    )
