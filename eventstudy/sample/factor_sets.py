"""Sets of factors that events name for themselves, such as those of the country of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import EventError, ModelError
from eventstudy.market import Market
from eventstudy.sample.layout import factor_row

__all__ = ["check_factors", "factor_series", "named_factor_sets"]


def named_factor_sets(market: Market, events: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Look up the column `factors` of events: names of the market's sets of factors.

    Parameters
    ----------
    market : Market
    events : DataFrame
        As `Events.frame`. Without the column, or where it is empty, an event names none.

    Returns
    -------
    array of int, shape (N,)
        Position of each event's set in ``market.arrays.factor_rows``: the one it names, else the only one
        there is; -1 where there are several or none.

    Raises
    ------
    EventError
        If the market has no set of that name.
    """
    sets = list(market.arrays.factor_rows)
    rows = np.full(len(events), 0 if len(sets) == 1 else -1, dtype=np.int64)
    if "factors" not in events:
        return rows
    known = {name: row for row, name in enumerate(sets) if name}
    for i, (event_id, given) in enumerate(events["factors"].items()):
        if pd.api.types.is_scalar(given) and (pd.isna(given) or given == ""):
            continue
        name = str(given).strip()
        if name not in known:
            have = (
                f"the market has {_listed(list(known))}"
                if known
                else "the market has no named sets: make it with factors={'CN': frame, 'US': frame}"
            )
            raise EventError(
                f"Event {event_id} ({events['security'].iloc[i]}) names the factor set {name!r} in its "
                f"column factors; {have}."
            )
        rows[i] = known[name]
    return rows


def factor_series(market: Market, factor: str, sets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Row in ``market.bank`` of a factor in the set of each event, -1 where that lacks it.

    `sets` are positions as `named_factor_sets` gives them.
    """
    rows = [factor_row(market, factor, name) for name in market.arrays.factor_rows]
    # The last is for events without a set, whose position is -1.
    known = np.array([*(-1 if row is None else row for row in rows), -1], dtype=np.int64)
    if len(sets) and (sets == sets[0]).all():
        return np.broadcast_to(known[sets[0]], sets.shape)
    return known[sets]


def check_factors(market: Market, events: pd.DataFrame, needed: Sequence[str], who: str) -> None:
    """Refuse factors that are lacking.

    Parameters
    ----------
    market : Market
    events : DataFrame
        As `Events.frame`.
    needed : sequence of str
        Factors, by any of their names.
    who : str
        What needs them, for the message.

    Raises
    ------
    ModelError
        If a set that an event uses lacks one of them, or an event names no set and there are several; the
        message names the event and the set.
    EventError
        If an event names a set that the market has not.
    """
    rows, sets = named_factor_sets(market, events), market.arrays.factor_rows
    if not needed:
        return
    wanted = f"{who} needs column{'s' * (len(needed) > 1)} {_listed(needed)}"
    if not sets:
        raise ModelError(f"{wanted}; market has no factors. Pass them as Market(..., factors=frame).")
    for row in np.unique(rows).tolist():
        event = int(np.argmax(rows == row))
        named = f"event {events.index[event]} ({events['security'].iloc[event]})"
        if row < 0:
            raise ModelError(
                f"{wanted}, and the market has several sets of factors: {_listed(list(sets))}. Name the set "
                f"of {named} in the events' column factors."
            )
        name = list(sets)[row]
        if any(factor_row(market, factor, name) is None for factor in needed):
            have = ", ".join(sets[name])
            if name:
                raise ModelError(f"{wanted}; the factor set {name!r} of {named} has {have}.")
            raise ModelError(f"{wanted}; market has {have}. Pass them as Market(..., factors=frame).")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
