"""Benchmarks that events name for themselves, beside those of the market."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import IntArray
from eventstudy.errors import EventError, ModelError
from eventstudy.market import Market
from eventstudy.market.compounding import CompoundedSeries
from eventstudy.sample.event_arrays import factor_row

__all__ = ["check_factors", "factor_series", "named_benchmarks", "named_factor_sets"]


def named_factor_sets(market: Market, events: pd.DataFrame) -> IntArray:
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


def factor_series(market: Market, factor: str, sets: IntArray) -> IntArray:
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
        own = (
            f" {who}([...], excess=False) takes factors as they are, such as a peer index, and needs no rf."
            if who == "FactorModel" and "rf" in needed
            else ""
        )
        raise ModelError(f"{wanted}; market has no factors. Pass them as Market(..., factors=frame).{own}")
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


def named_benchmarks(market: Market, events: pd.DataFrame) -> tuple[CompoundedSeries, IntArray]:
    """Look up the column `benchmark` of events: names of benchmarks or of columns of the market.

    Parameters
    ----------
    market : Market
    events : DataFrame
        As `Events.frame`. Without the column, or where it is empty, an event names none.

    Returns
    -------
    bank : CompoundedSeries
        The market's, with the columns that events name after all of its own series.
    row : array of int, shape (N,)
        Row of each event's benchmark in `bank`, -1 where it names none.

    Raises
    ------
    EventError
        If a name is neither a benchmark nor a column of the market. Factors are refused: published
        ones may be in excess of the risk-free rate, which a benchmark is not.
    """
    bank, rows = market.bank, np.full(len(events), -1, dtype=np.int64)
    if "benchmark" not in events:
        return bank, rows
    known = {name: row for row, name in enumerate(market.benchmarks)}
    columns: list[int] = []
    for i, (event_id, given) in enumerate(events["benchmark"].items()):
        if pd.api.types.is_scalar(given) and (pd.isna(given) or given == ""):
            continue
        name = str(given).strip()
        if name not in known:
            column = int(market.positions([name])[0])
            if column < 0:
                raise EventError(_unknown(market, event_id, str(events["security"].iloc[i]), name))
            known[name] = len(bank.names) + len(columns)
            columns.append(column)
        rows[i] = known[name]
    return (_with_columns(market, columns) if columns else bank), rows


def _with_columns(market: Market, columns: list[int]) -> CompoundedSeries:
    bank, arrays, titles = market.bank, market.arrays, list(market.returns.columns)
    more = CompoundedSeries.of(
        tuple(titles[c] for c in columns), arrays.returns[columns], arrays.spans[columns], market.kind
    )
    return CompoundedSeries(
        names=bank.names + more.names,
        single=np.concatenate([bank.single, more.single]),
        level=np.concatenate([bank.level, more.level]),
        broken=np.concatenate([bank.broken, more.broken]),
        kind=bank.kind,
        additive=None
        if bank.additive is None
        else np.append(bank.additive, np.zeros(len(columns), dtype=bool)),
    )


def _unknown(market: Market, event_id: object, security: str, name: str) -> str:
    have = list(dict.fromkeys([*market.benchmarks, *market.returns.columns]))
    close = difflib.get_close_matches(name, have, n=3)
    shown = ", ".join(have[:8]) + (", ..." if len(have) > 8 else "")
    hint = f"Did you mean {' or '.join(close)}?" if close else f"It has {shown}."
    return (
        f"Event {event_id} ({security}) names the benchmark {name!r}, which is neither a benchmark nor a "
        f"column of the market. {hint} Leave the cell empty for the market's own benchmark."
    )
