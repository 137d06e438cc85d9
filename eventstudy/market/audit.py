"""What looks wrong in a market's data, listed rather than repaired."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import counted
from eventstudy.market.layout import MarketData
from eventstudy.market.limitbook import LimitBook

__all__ = ["audit"]

#: Equal closes in a row, with trade reported or unknown, that are suspicious.
STALE_RUN = 5
#: An adjusted return this much larger than the raw one is no dividend and no split.
ADJUSTMENT_JUMP = 0.15
#: A simple return beyond this, where no price limit is known, deserves a look.
LARGE_RETURN = 0.5

Row = tuple[str, pd.Timestamp, str, str]
BoolArray = npt.NDArray[np.bool_]


def audit(
    data: MarketData, benchmarks: dict[str, npt.NDArray[np.float64]], book: LimitBook | None
) -> pd.DataFrame:
    """List suspects of a market, sorted by security and date; see `Market.audit`."""
    rows: list[Row] = [*_gaps(data), *_large(data)]
    if "close" in data.fields and book is not None:
        rows += [*_stale(data), *_beyond(data, book), *_jumps(data)]
    for name, values in benchmarks.items():
        seen = np.flatnonzero(~np.isnan(values))
        for first, length in _runs(np.isnan(values)):
            if seen[0] < first < seen[-1]:
                told = f"{counted(length, 'session')} without return"
                rows.append((name, data.sessions[first], "benchmark gap", told))
    frame = pd.DataFrame(rows, columns=["security", "date", "kind", "detail"])
    return frame.sort_values(["security", "date", "kind"], ignore_index=True)


def _runs(flags: BoolArray) -> Iterator[tuple[int, int]]:
    """Yield first position and length of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), (edges[1::2] - edges[::2]).tolist(), strict=True)


def _gaps(data: MarketData) -> Iterator[Row]:
    for row, column in np.argwhere(data.spans > 1):
        span = int(data.spans[row, column])
        yield (
            data.columns[row],
            data.sessions[column - span + 1],
            "no trade",
            f"{counted(span - 1, 'session')} to {data.sessions[column - 1]:%Y-%m-%d}",
        )


def _large(data: MarketData) -> Iterator[Row]:
    bound = np.log1p(LARGE_RETURN) if data.kind == "log" else LARGE_RETURN
    for row, column in np.argwhere((np.abs(data.returns) > bound) & (data.spans == 1)):
        yield (
            data.columns[row],
            data.sessions[column],
            "large return",
            f"{data.returns[row, column]:+.1%} in one session",
        )


def _stale(data: MarketData) -> Iterator[Row]:
    close = data.fields["close"].to_numpy()
    same = np.zeros(close.shape, dtype=bool)
    same[1:] = close[1:] == close[:-1]
    for column in np.flatnonzero(same.sum(axis=0) >= STALE_RUN - 1):
        for first, length in _runs(same[:, column]):
            if length >= STALE_RUN - 1:
                yield (
                    data.columns[column],
                    data.sessions[first - 1],
                    "stale price",
                    f"{length + 1} equal closes of {close[first, column]:g}",
                )


def _beyond(data: MarketData, book: LimitBook) -> Iterator[Row]:
    close = data.fields["close"].to_numpy()
    down, up = book.down.to_numpy(), book.up.to_numpy()
    outside = (close < down - data.tick / 2) | (close > up + data.tick / 2)
    for row, column in np.argwhere(outside):
        yield (
            data.columns[column],
            data.sessions[row],
            "beyond limit",
            f"close {close[row, column]:g} outside {down[row, column]:g} to {up[row, column]:g}",
        )


def _jumps(data: MarketData) -> Iterator[Row]:
    if "adj_close" not in data.fields:
        return
    raw = data.fields["close"].pct_change(fill_method=None).to_numpy()
    adjusted = data.fields["adj_close"].pct_change(fill_method=None).to_numpy()
    for row, column in np.argwhere(np.abs(adjusted) > np.abs(raw) + ADJUSTMENT_JUMP):
        yield (
            data.columns[column],
            data.sessions[row],
            "adjustment jump",
            f"adjusted {adjusted[row, column]:+.1%}, close {raw[row, column]:+.1%}",
        )
