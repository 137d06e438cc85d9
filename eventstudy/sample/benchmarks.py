"""Benchmarks that events name for themselves, beside those of the market."""

from __future__ import annotations

import difflib

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import EventError
from eventstudy.market import Market
from eventstudy.market.arrays import SeriesBank

__all__ = ["named_benchmarks"]


def named_benchmarks(market: Market, events: pd.DataFrame) -> tuple[SeriesBank, npt.NDArray[np.int64]]:
    """Look up the column `benchmark` of events: names of benchmarks or of columns of the market.

    Parameters
    ----------
    market : Market
    events : DataFrame
        As `Events.frame`. Without the column, or where it is empty, an event names none.

    Returns
    -------
    bank : SeriesBank
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


def _with_columns(market: Market, columns: list[int]) -> SeriesBank:
    bank, arrays, titles = market.bank, market.arrays, list(market.returns.columns)
    more = SeriesBank.of(
        tuple(titles[c] for c in columns), arrays.returns[columns], arrays.spans[columns], market.kind
    )
    return SeriesBank(
        names=bank.names + more.names,
        single=np.concatenate([bank.single, more.single]),
        level=np.concatenate([bank.level, more.level]),
        broken=np.concatenate([bank.broken, more.broken]),
        kind=bank.kind,
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
