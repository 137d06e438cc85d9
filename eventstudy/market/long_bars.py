"""Bars longer than a day: weeks, months, quarters and years, under the last day of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.errors import DataError, DataWarning, warn

__all__ = ["bar_length", "under_last_days"]

#: Typical distance of stamps, in days, and the period it is.
_LENGTHS = ((6.0, 8.0, "W"), (27.0, 32.0, "M"), (88.0, 93.0, "Q"), (360.0, 370.0, "Y"))
WORDS = {"W": "weeks", "M": "months", "Q": "quarters", "Y": "years"}


def bar_length(index: pd.DatetimeIndex) -> str | None:
    """Return the length of bars by the distance of their stamps: W, M, Q, Y, or None for days."""
    if len(index) < 3:
        return None
    step = float(np.median(np.diff(index.to_numpy()) / np.timedelta64(1, "D")))
    return next((name for low, high, name in _LENGTHS if low <= step <= high), None)


def under_last_days(
    fields: Mapping[str, pd.DataFrame], what: str, stamps: str = "auto", known: str | None = None
) -> tuple[dict[str, pd.DataFrame], str | None, str]:
    """Lay bars longer than a day under their last day, so a date within a period belongs to it.

    Months, quarters and years go under their last calendar day, weeks under their Friday.

    Parameters
    ----------
    fields : dict of str to DataFrame
    what : str
        What they are, for messages.
    stamps : {"auto", "open", "close"}
        Whether stamps are the first or the last days of bars.
    known : str, optional
        Length of the bars, where the dates named periods: they are under their last days already.

    Returns
    -------
    fields : dict of str to DataFrame
    length : {"W", "M", "Q", "Y"} or None
        None for days, which are returned as they are.
    evidence : str

    Raises
    ------
    DataError
        If it cannot be told which end of the bars the stamps are.
    """
    index = pd.DatetimeIndex(next(iter(fields.values())).index)
    if known is not None:
        return dict(fields), known, "periods, under their last day"
    length = bar_length(index)
    if length is None:
        return dict(fields), None, ""
    side = stamps if stamps != "auto" else _side(index, length, what)
    if length == "W":
        days = index if side == "close" else index + pd.to_timedelta((4 - index.day_of_week) % 7, unit="D")
    else:
        days = pd.DatetimeIndex(index.to_period(length).to_timestamp(how="end").normalize())
        if side == "close" and length != "M" and bool((index.day < 15).any()):
            days = index
    if not days.is_unique:
        twice = days[days.duplicated()][0]
        raise DataError(
            f"{what}: two rows fall into the {WORDS[length][:-1]} that ends on {twice:%Y-%m-%d}: "
            f"{', '.join(f'{d:%Y-%m-%d}' for d in index[days == twice][:3])}. Keep one row for each."
        )
    days = days.as_unit("ns").rename(index.name)
    evidence = f"{WORDS[length]} stamped at their {'first' if side == 'open' else 'last'} day"
    return {name: frame.set_axis(days, axis=0) for name, frame in fields.items()}, length, evidence


def _side(index: pd.DatetimeIndex, length: str, what: str) -> str:
    """Tell by the days of stamps whether they begin or end the bars."""
    if length == "W":
        day = index.day_of_week
        early, late = (day <= 1).mean(), ((day == 3) | (day == 4)).mean()
    else:
        day = index.day
        early, late = (day <= 4).mean(), (day >= 25).mean()
    if early == 1.0 or (length == "W" and early > 0.95):
        return "open"
    if late == 1.0 or (length == "W" and late > 0.95):
        return "close"
    if length == "W" and (index.day_of_week == 5).all():
        warn(
            f"{what}: the dates are Saturdays, and are taken for the first days of weeks that end on Friday. "
            f"If they are "
            "the last days, say stamps='close'.",
            DataWarning,
        )
        return "open"
    raise DataError(
        f"{what}: the dates are {WORDS[length]} apart, such as {index[0]:%Y-%m-%d} and {index[1]:%Y-%m-%d}, "
        f"and it cannot be "
        "told whether they are the first or the last days of their bars. Say stamps='open' or stamps='close'."
    )
