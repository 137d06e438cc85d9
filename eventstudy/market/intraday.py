"""Intraday bars: the grid of an exchange's trading hours, with a row of its own for every gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import DateArray
from eventstudy.calendars import Exchange
from eventstudy.errors import CalendarWarning, DataError, warn
from eventstudy.immutable import FrozenRecord
from eventstudy.market.date_columns import Benchmark, LaidBenchmark, dated_benchmark
from eventstudy.market.wide_and_long import wide_frame
from eventstudy.text import plural

__all__ = ["BarGrid", "Gap", "bar_grid", "benchmark_on_bars", "check_freq", "lay_on_bars"]

ONE_DAY = pd.Timedelta(days=1)


class Gap(IntEnum):
    """What a row of an intraday market is: a bar, or the gap before trading hours."""

    NONE = 0
    NIGHT = 1
    BREAK = 2


@dataclass(frozen=True)
class BarGrid(FrozenRecord):
    """Rows of an intraday market.

    Attributes
    ----------
    closes : DatetimeIndex, length T
        When each row ends, naive, in the exchange's time zone: the close of a bar, or for a gap the time
        at which trading opens after it.
    gap : array of int8, shape (T,)
        `Gap` of each row: none for a bar, the night (or weekend) before a session, the break within one.
    """

    closes: pd.DatetimeIndex
    gap: npt.NDArray[np.int8]


def check_freq(freq: str, calendar: str | Exchange | None) -> pd.Timedelta:
    """Read the length of a bar.

    Raises
    ------
    DataError
        If it is not a length of whole seconds below a day, or there is no calendar to tell trading hours.
    """
    try:
        step = pd.Timedelta(freq if str(freq)[:1].isdigit() else f"1{freq}")
    except ValueError:
        raise DataError(
            f"freq={freq!r} is not a length of a bar; write it as '1min', '5min' or '1h'."
        ) from None
    if not pd.Timedelta(0) < step < ONE_DAY or step % pd.Timedelta(seconds=1):
        raise DataError(f"freq={freq!r} must be whole seconds and shorter than a day; leave it out for days.")
    if calendar is None:
        raise DataError(
            "Intraday bars need the exchange's trading hours to tell a quiet minute from a lunch break: "
            "pass calendar='XSHG' (or 'XNYS', 'XHKG', ...)."
        )
    return step


def bar_grid(
    calendar: str | Exchange, first: pd.Timestamp, last: pd.Timestamp, step: pd.Timedelta
) -> BarGrid:
    """Lay out the bars of all sessions from `first` to `last`, and the gaps before their trading hours.

    A last bar is shorter where the step does not divide the trading hours.
    """
    exchange = Exchange.of(calendar)
    hours = exchange.hours(first.normalize(), last.normalize())
    closes: list[DateArray] = []
    gaps: list[npt.NDArray[np.int8]] = []
    columns = [hours[name].to_numpy().astype("datetime64[s]") for name in hours.columns]
    second = np.timedelta64(1, "s")
    bar = np.timedelta64(int(step.total_seconds()), "s")
    for begin, pause, resume, end in zip(*columns, strict=True):
        periods = [(begin, end, Gap.NIGHT)]
        if not np.isnat(pause):
            periods = [(begin, pause, Gap.NIGHT), (resume, end, Gap.BREAK)]
        for start, stop, kind in periods:
            stamps = np.arange(start, stop + second, bar)
            if stamps[-1] != stop:
                stamps = np.append(stamps, stop)
            kinds = np.array([kind] + [Gap.NONE] * (len(stamps) - 1), dtype=np.int8)
            # Round the clock the close is the next opening, and no gap lies between.
            follows = int(bool(closes) and closes[-1][-1] == start)
            closes.append(stamps[follows:])
            gaps.append(kinds[follows:])
    if not closes:
        raise DataError(f"Exchange {exchange.code} has no session from {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    whole = pd.DatetimeIndex(np.concatenate(closes)).as_unit("ns")
    return BarGrid(whole.rename("time"), np.concatenate(gaps))


def lay_on_bars(
    fields: Mapping[str, pd.DataFrame], grid: BarGrid, step: pd.Timedelta, stamps: str, opens: bool
) -> dict[str, pd.DataFrame]:
    """Lay frames of bars on the grid; the gap rows hold the open of the bar after them, where it is known.

    Parameters
    ----------
    fields : mapping of field to DataFrame, times × securities
    grid : BarGrid
    step : Timedelta
    stamps : {"auto", "open", "close"}
        Whether a bar bears the time of its beginning or of its end; "auto" finds out.
    opens : bool
        Whether to take the price at which trading opens from the field open.

    Raises
    ------
    DataError
        If "auto" cannot tell.
    """
    base = fields.get("close", next(iter(fields.values())))
    given = pd.DatetimeIndex(base.index)
    closes = _closing_times(given, grid, step, stamps)
    # A bar that ends after its trading hours is their last, shorter one.
    inside = closes.isin(grid.closes)
    if not inside.all():
        lost = given[~inside]
        warn(
            f"{plural(len(lost), 'bar')} outside of the trading hours, or not of this length, "
            f"left out; the first at {lost[0]}.",
            CalendarWarning,
        )
    if not closes[inside].is_unique:
        twice = closes[inside][closes[inside].duplicated()][0]
        raise DataError(
            f"Several bars belong to the one that ends at {twice}: the data are finer than freq={step}, or "
            "hold duplicate times. Give the freq of the data, or resample them first."
        )
    if not inside.any():
        raise DataError(
            f"No bar falls into the trading hours {grid.closes[0]} to {grid.closes[-1]}: are the times those "
            "of the exchange's zone? Times with a zone are converted."
        )
    out = {
        name: frame.set_axis(closes, axis=0)[inside].reindex(index=grid.closes, columns=base.columns)
        for name, frame in fields.items()
    }
    at = np.flatnonzero(grid.gap != Gap.NONE)
    if opens and "open" in out and "close" in out:
        close = out["close"].to_numpy(copy=True)
        begin = out["open"].to_numpy()[at + 1]
        close[at] = np.where(np.isnan(close[at]), begin, close[at])
        out["close"] = pd.DataFrame(close, grid.closes, base.columns)
    for name in {"reference", "previous_close"} & set(out):
        out[name] = _once_a_session(out[name], out["close" if "close" in out else "adj_close"], grid)
    return out


def _closing_times(
    given: pd.DatetimeIndex, grid: BarGrid, step: pd.Timedelta, stamps: str
) -> pd.DatetimeIndex:
    opening = grid.closes[grid.gap != Gap.NONE]
    ends = grid.closes[np.append(grid.gap[1:] != Gap.NONE, True)]
    if stamps == "auto":
        at_open, at_close = bool(given.isin(opening).any()), bool(given.isin(ends).any())
        if at_open == at_close:
            what = "both an opening and a closing" if at_open else "neither an opening nor a closing"
            raise DataError(
                f"The bars hold {what} time of the exchange, so that it cannot be told whether a bar bears "
                "the time of its beginning or of its end: pass stamps='open' or stamps='close'."
            )
        stamps = "open" if at_open else "close"
    if stamps == "close":
        return given
    shifted = given + step
    # The last bar of trading hours may be cut short by their end.
    position = np.searchsorted(ends, given, side="right")
    end = ends[np.minimum(position, len(ends) - 1)]
    begin = opening[np.minimum(position, len(opening) - 1)]
    cut = (given >= begin) & (given < end) & (shifted > end)
    return pd.DatetimeIndex(np.where(cut, end, shifted)).as_unit("ns")


def _once_a_session(reference: pd.DataFrame, price: pd.DataFrame, grid: BarGrid) -> pd.DataFrame:
    """Keep a session's reference price on its first price alone; later ones follow the one before."""
    session = np.cumsum(grid.gap == Gap.NIGHT)
    known = reference.groupby(session).transform("first")
    first = price.notna() & (price.notna().groupby(session).cumsum() == 1)
    return known.where(first)


def benchmark_on_bars(
    benchmark: Benchmark | None,
    grid: BarGrid,
    step: pd.Timedelta,
    stamps: str,
    timezone: str | None,
) -> tuple[LaidBenchmark | None, bool]:
    """Lay benchmarks that are given as Series on the grid.

    Returns
    -------
    benchmark
    opens : bool
        Whether opening prices may be used: a Series has none, and both sides must span the same time.
    """

    def laid(series: pd.Series) -> pd.Series:
        name = "benchmark" if series.name is None else str(series.name)
        frame = wide_frame(series.to_frame(name), "Benchmark", timezone, timed=True)
        return lay_on_bars({"close": frame}, grid, step, stamps, opens=False)["close"][name].dropna()

    dated = dated_benchmark(benchmark, "prices", timezone, timed=True)
    if isinstance(dated, pd.Series):
        return laid(dated), False
    if isinstance(dated, Mapping):
        parts = {who: laid(b) if isinstance(b, pd.Series) else b for who, b in dated.items()}
        return parts, not any(isinstance(b, pd.Series) for b in parts.values())
    return dated, True
