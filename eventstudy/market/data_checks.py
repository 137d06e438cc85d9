"""Suspects of a market's data: what a vendor may have got wrong, found on whole panels at once.

Every check takes arrays of S securities × T sessions and gives positions; the text is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.column_names import factor_name
from eventstudy.immutable import FrozenRecord
from eventstudy.market.alignment import MarketData
from eventstudy.market.compounding import LEVELS
from eventstudy.market.long_bars import bar_length
from eventstudy.market.price_limits import LimitBook
from eventstudy.market.units import RETURN_FACTORS
from eventstudy.text import plural

__all__ = [
    "ALL",
    "DOUBTFUL",
    "EVERY_SECURITY",
    "OF_BENCHMARKS",
    "OF_FACTORS",
    "Suspects",
    "audit",
    "benchmark_faults",
    "factor_faults",
    "runs",
    "series_names",
    "suspects",
]

#: Stands for a security where a suspect concerns all of them.
EVERY_SECURITY = "(all)"


def audit(found: Sequence[Suspects], columns: Sequence[str], bank: Sequence[str]) -> pd.DataFrame:
    """List suspects by security and date; see `Market.audit`.

    Parameters
    ----------
    found : sequence of Suspects
    columns, bank : sequences of str
        Names of the securities, and of the benchmarks and factors, by position.
    """
    parts = [
        pd.DataFrame(
            {
                "security": series_names(one, columns, bank),
                "date": one.day,
                "kind": one.kind,
                "detail": [one.told(i) for i in range(len(one.column))],
            }
        )
        for one in found
    ]
    names = ["security", "date", "kind", "detail"]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=names).astype({"date": "datetime64[ns]"})
    return frame.sort_values(["security", "date", "kind"], ignore_index=True)


def series_names(found: Suspects, columns: Sequence[str], bank: Sequence[str]) -> npt.NDArray[np.object_]:
    """Names of the series that suspects are of."""
    banked = found.kind in OF_BENCHMARKS or found.kind in OF_FACTORS
    names = np.array([*(bank if banked else columns), EVERY_SECURITY], object)
    return np.asarray(names[np.where(found.column == ALL, len(names) - 1, found.column)])


#: Equal closes in a row, with trade reported or unknown, that are suspicious.
STALE_RUN = 5
#: An adjusted return this much larger than the raw one is neither a dividend nor a split.
ADJUSTMENT_JUMP = 0.15
#: A simple return beyond this deserves a look.
LARGE_RETURN = 0.5
#: Ratios of splits, new shares for an old one; the small ones lie near what news does too.
SPLITS = np.array(
    [1.25, 4 / 3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0]
)
#: With stock dividends, which only falls are compared with.
ALL_SPLITS = np.sort(np.r_[SPLITS, 1.3, 1.4])
#: How near to a ratio, in logs, a move lies that looks like a split: for small ratios, and in volatilities.
NEAR_SMALL, NEAR_SDS, NEAR_MOST, SMALL_SPLIT, SPLIT_SDS = 0.03, 3.5, 0.12, 1.45, 5.0
#: A smaller split is listed, and warned of only where there is evidence that news did not cause the move.
SMALL_MOVE = 0.28
SMALL_SPLITS = ALL_SPLITS[ALL_SPLITS <= 1.5]
#: News that moves a price so far multiplies the money traded, or comes in wild times; a split does neither.
#: Sessions that the ordinary volume is of, the fewest of them, the multiple of it that is too small for news;
#: sessions around, and the most that they typically move, in volatilities.
BEFORE, FEWEST, ORDINARY, AROUND, CALM = 40, 10, 2.0, 10, 1.5
#: Price in steps from which a close can lie on the ratio of a split exactly by chance only rarely.
FINE_PRICE = 1000
#: Fewest series that must stand still on a day for it not to be a session.
PADDED = 3
#: Chance of standing still on one day of every week that is too small for sessions, and the least share of
#: sessions that a series is taken to stand still on.
BY_CHANCE, OFTEN_STILL = 1e-9, 0.05
#: Sessions before and after a jump of volume, how near its ratio must lie to that of a split, in logs.
VOLUME_ROWS, VOLUME_NEAR, VOLUME_SDS = 40, 0.2, 7.0
#: Adjusting by ratio leaves returns between ex-days as they are; so many of the larger ones may differ.
LARGER_MOVE, SAME_MOVE, MOST_DIFFERENT, ENOUGH_MOVES = 0.01, 0.02, 0.5, 20
#: Step of prices where none is given.
TICK = 0.01
#: What concerns the sessions of all securities.
ALL = -1
#: Kinds of which a study warns where its windows hold them. Spells without trade are not a fault: they are
#: measured over, and listed as halts.
DOUBTFUL = (
    "missing session", "padded day", "bad price", "phantom row", "price without volume", "adjustment jump",
    "return against close", "missing return", "large return", "beyond limit", "stale price",
    "uneven adjustment", "volume jump", "benchmark jump",
    "benchmark gap", "factor jump", "factor gap",
)  # fmt: skip
#: Kinds whose positions are those of benchmarks, and of factors: rows of ``Market.bank``.
OF_BENCHMARKS, OF_FACTORS = ("benchmark gap", "benchmark jump"), ("factor gap", "factor jump")
#: No index moves so far in a day.
INDEX_MOVE = 0.25
#: In all crises since 1963 returns of factors stay below 13 volatilities of the days around; others, such as
#: changes of a volatility index, are wilder. The days around, the fewest of them, the least volatility.
FACTOR_SDS, OTHER_SDS, DAYS_AROUND, FEWEST_AROUND, CALM_FACTOR = 20.0, 40.0, 61, 20, 0.001


@dataclass(frozen=True)
class Suspects(FrozenRecord):
    """Suspects of one kind.

    Attributes
    ----------
    kind : str
    column : array of int, shape (K,)
        Security, by its position; the benchmark for those `OF_BENCHMARKS`, the row of the bank for those
        `OF_FACTORS`; `ALL` for all securities.
    first, last : arrays of int, shape (K,)
        Rows of the sessions they span.
    day : array of datetime64[ns], shape (K,)
        Date to show; that of `first` but for dates which are not sessions.
    told : function
        Detail of one of them, by its position.
    """

    kind: str
    column: IntArray
    first: IntArray
    last: IntArray
    day: DateArray
    told: Callable[[int], str]


def suspects(data: MarketData, book: LimitBook | None) -> tuple[Suspects, ...]:
    """Find the suspects of sessions and securities, by kind; those that are none are left out.

    Parameters
    ----------
    data : MarketData
    book : LimitBook, optional
        Limits of the market, where some are known.
    """
    found = [*_sessions(data), *_bad(data), *_gaps(data)]
    if data.kind not in LEVELS:
        found += _large(data)
    if data.kind not in LEVELS and data.gap is None:
        found += _padded(data)
    if data.kind == "log volume":
        found += _volume_jumps(data)
    # Within a day, prices that do not move are normal.
    if data.kind not in LEVELS and data.gap is None:
        found += _stale(data)
    close = data.fields.get("close") if data.gap is None else None
    if close is not None:
        prices = np.ascontiguousarray(close.to_numpy().T)
        found += [*_phantoms(data, prices), *_without_volume(data, prices), *_adjustments(data, prices)]
        found += _beyond(data, prices, book) if book is not None else []
    return tuple(one for one in found if len(one.column))


def _of(
    data: MarketData, kind: str, column: Any, first: Any, last: Any, told: Callable[[int], str]
) -> Suspects:
    column, first, last = (np.asarray(part, dtype=np.int64) for part in (column, first, last))
    return Suspects(kind, column, first, last, data.sessions.to_numpy()[first], told)


def runs(flags: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Row, first position and length of each run of True along the rows of an array."""
    edge = np.zeros((flags.shape[0], 1), dtype=bool)
    row, begin = np.nonzero(flags & ~np.hstack([edge, flags[:, :-1]]))
    end = np.nonzero(flags & ~np.hstack([flags[:, 1:], edge]))[1]
    return row, begin, end - begin + 1


def _sessions(data: MarketData) -> Iterator[Suspects]:
    padded = data.unknown[:0] if data.padded is None else data.padded
    for kind, days, text in (
        ("missing session", data.lacking, "no security has data on this session"),
        ("no session", data.unknown, "the exchange calendar has no session on this day"),
        (
            "no session",
            padded,
            "every series stands still or lies on a line: a holiday that was filled, left out",
        ),
    ):
        row = np.minimum(data.sessions.searchsorted(days), len(data.sessions) - 1)
        every = np.full(len(days), ALL)
        yield Suspects(kind, every, row, row, days.to_numpy(), lambda _, text=text: text)  # type: ignore[misc]


def _bad(data: MarketData) -> Iterator[Suspects]:
    bad = data.bad_prices
    bad = bad[bad["date"].isin(data.sessions)] if len(bad) else bad
    bad = bad.groupby(["date", "security"], sort=False, as_index=False).first() if len(bad) else bad
    row = data.sessions.get_indexer(pd.DatetimeIndex(bad["date"]))
    column = pd.Index(data.columns).get_indexer(pd.Index(bad["security"]))
    field, value = bad["field"].to_numpy(), bad["value"].to_numpy()
    yield _of(data, "bad price", column, row, row, lambda i: f"{field[i]} of {value[i]:g} taken for missing")


def _gaps(data: MarketData) -> Iterator[Suspects]:
    column, row = np.nonzero(data.spans > 1)
    span = data.spans[column, row]

    def told(i: int) -> str:
        return f"{plural(int(span[i]) - 1, 'session')} to {data.sessions[row[i] - 1]:%Y-%m-%d}"

    yield _of(data, "no trade", column, row - span + 1, row - 1, told)


def _large(data: MarketData) -> Iterator[Suspects]:
    up, down = (LARGE_RETURN, -LARGE_RETURN)
    if data.kind == "log":
        up, down = np.log1p(up), np.log1p(down)
    beyond = (data.returns > up) | (data.returns < down)
    # Adjusted prices and reference prices leave no splits to find.
    like, sure = _like_splits(data) if data.total is None else (np.zeros_like(beyond),) * 2
    small = (np.abs(data.returns) < SMALL_MOVE) & ~sure
    yield from _moves(data, "large return", beyond | sure | (like & ~small))
    # News moves prices as far as small splits do: these are listed, and not warned of.
    yield from _moves(data, "like a split", like & small & ~beyond)


def _moves(data: MarketData, kind: str, which: BoolArray) -> Iterator[Suspects]:
    column, row = np.nonzero(which & (data.spans == 1))
    value = data.returns[column, row]
    simple = np.expm1(value) if data.kind == "log" else value

    def told(i: int) -> str:
        growth = max(1.0 + float(simple[i]), 1e-12)
        known = ALL_SPLITS if growth < 1 else SPLITS
        apart = np.abs(np.abs(np.log(growth)) - np.log(known))
        ratio = known[apart.argmin()]
        new, old = next(
            (round(ratio * k), k) for k in (1, 2, 3, 4, 5, 10) if abs(ratio * k - round(ratio * k)) < 1e-9
        )
        of = f"{new} to {old}" if growth < 1 else f"{old} to {new}"
        hint = f", like a split of {of} that was not adjusted for" if apart.min() < NEAR_MOST else ""
        return f"{value[i]:+.1%} in one session{hint}"

    yield _of(data, kind, column, row, row, told)


def _like_splits(data: MarketData) -> tuple[BoolArray, BoolArray]:
    """Find moves near the ratio of a split that are far beyond a security's own volatility.

    Returns
    -------
    like, sure : arrays of bool, shape (S, T)
        Moves near a ratio, and falls near a small one that do not look like news.
    """
    growth = data.returns if data.kind == "log" else np.log1p(np.maximum(data.returns, -1 + 1e-9))
    out, sure = np.zeros(growth.shape, dtype=bool), np.zeros(growth.shape, dtype=bool)
    row, at = np.nonzero(np.abs(growth) > np.log(SPLITS[0]) - NEAR_SMALL)
    for i in np.unique(row).tolist():
        known = growth[i, np.isfinite(growth[i])]
        sd = 1.4826 * float(np.median(np.abs(known - np.median(known))))
        mine = at[row == i]
        size = np.abs(growth[i, mine])
        apart = np.abs(size[:, None] - np.log(SPLITS))
        nearest = apart.argmin(axis=1)
        near = np.where(
            SPLITS[nearest] < SMALL_SPLIT, NEAR_SMALL, min(max(NEAR_SDS * sd, NEAR_SMALL), NEAR_MOST)
        )
        out[i, mine] = (apart.min(axis=1) < near) & (size > SPLIT_SDS * sd)
        fall = -growth[i, mine]
        close = np.abs(fall[:, None] - np.log(SMALL_SPLITS)).min(axis=1) < NEAR_SMALL
        for t in mine[close & (size > SPLIT_SDS * sd)].tolist():
            sure[i, t] = _calm(growth[i], t, sd) and _no_news(data, i, t, float(np.exp(-growth[i, t])))
    return out, sure


def _calm(growth: FloatArray, t: int, sd: float) -> bool:
    """Whether a security moves as it usually does in the sessions around one."""
    around = np.abs(np.r_[growth[max(t - AROUND, 0) : t], growth[t + 1 : t + 1 + AROUND]])
    around = around[np.isfinite(around)]
    return len(around) >= AROUND // 2 and float(np.median(around)) < CALM * sd


def _no_news(data: MarketData, i: int, t: int, ratio: float) -> bool:
    """Whether a fall has too little volume for news or, without volumes, is the ratio of a split exactly."""
    name = data.columns[i]
    if "volume" in data.fields:
        volume = data.fields["volume"][name].to_numpy()
        before = volume[max(t - BEFORE, 0) : t]
        before = before[before > 0]
        if len(before) >= FEWEST and volume[t] > 0:
            return bool(volume[t] / ratio < ORDINARY * np.median(before))
    if "close" not in data.fields or t == 0:
        return False
    last, now = data.fields["close"][name].to_numpy()[t - 1 : t + 1]
    tick = data.tick or TICK
    exact = np.abs(now * SMALL_SPLITS - last) <= tick * (1 + SMALL_SPLITS) / 2
    return bool(now >= FINE_PRICE * tick and exact.any())


def _padded(data: MarketData) -> Iterator[Suspects]:
    """Find days that were filled with the last price: holidays, and weekends beside what trades on them."""
    seen = ~np.isnan(data.returns)
    moved = seen & (data.returns != 0)
    still = (seen.sum(axis=0) >= PADDED) & ~moved.any(axis=0)
    row = np.flatnonzero(still)
    yield Suspects(
        "padded day", np.full(len(row), ALL), row, row, data.sessions[row].to_numpy(),
        lambda _: "every series stands still: a holiday filled with the last price? Drop it",
    )  # fmt: skip
    filled = np.zeros(seen.shape, dtype=bool)
    for day in range(7):
        here = np.asarray(data.sessions.day_of_week == day)
        n, others = seen[:, here].sum(axis=1), seen[:, ~here].sum(axis=1)
        stand = np.maximum(1 - moved[:, ~here].sum(axis=1) / np.maximum(others, 1), OFTEN_STILL)
        always = (others > 0) & ~moved[:, here].any(axis=1) & (stand**n < BY_CHANCE)
        filled |= always[:, None] & here & seen & ~still
    column, row = np.nonzero(filled)
    yield _of(
        data, "padded day", column, row, row,
        lambda i: f"stands still on every {data.sessions[row[i]].day_name()}: filled with the last price? "
        "Drop these days, or pass calendar=",
    )  # fmt: skip


def _volume_jumps(data: MarketData) -> Iterator[Suspects]:
    """Find volumes that stay at a multiple of what they were, as after a split."""
    rows = VOLUME_ROWS
    if data.returns.shape[1] < 2 * rows:
        return
    windows = np.lib.stride_tricks.sliding_window_view(data.returns, rows, axis=1)
    known = np.isfinite(windows).all(axis=2)
    middle = np.where(known, np.median(windows, axis=2), np.nan)
    shift = middle[:, rows:] - middle[:, :-rows]
    own = np.nanmedian(np.abs(np.diff(data.returns, axis=1)), axis=1) / np.sqrt(rows)
    apart = np.abs(np.abs(shift)[:, :, None] - np.log(SPLITS[3:])).min(axis=2)
    strong = np.isfinite(shift) & (apart < VOLUME_NEAR) & (np.abs(shift) > VOLUME_SDS * own[:, None])
    size = np.where(strong, np.abs(shift), 0.0)
    column = np.flatnonzero(size.max(axis=1) > 0)
    row = size[column].argmax(axis=1) + rows
    moved = shift[column, row - rows]
    near = [data.returns[c, r - rows : r + rows] for c, r in zip(column, row, strict=True)]
    row = row - rows + np.array([_changes(values) for values in near], dtype=np.int64)
    yield _of(
        data, "volume jump", column, row, row,
        lambda i: f"volume stays at {np.exp(moved[i]):.2g} times what it was, as after a split: give shares=",
    )  # fmt: skip


def _changes(values: FloatArray) -> int:
    """Position at which the level of a series changes, by least squares."""
    n = np.arange(1, len(values))
    before = np.cumsum(values)[:-1]
    after = values.sum() - before
    return int(n[np.argmax(before**2 / n + after**2 / (len(values) - n))])


def _stale(data: MarketData) -> Iterator[Suspects]:
    prices = data.fields.get("close", data.fields.get("adj_close"))
    if prices is None:
        same = (data.returns == 0) & (data.spans == 1)
    else:
        close = np.ascontiguousarray(prices.to_numpy().T)
        same = np.zeros(close.shape, dtype=bool)
        np.equal(close[:, 1:], close[:, :-1], out=same[:, 1:])
    column, begin, length = runs(same)
    long = length >= STALE_RUN - 1
    column, begin, length = column[long], begin[long], length[long]
    price = None if prices is None else prices.to_numpy()[begin, column]

    def told(i: int) -> str:
        if price is None:
            return f"{length[i]} returns of zero in a row"
        return f"{length[i] + 1} equal closes of {price[i]:g}"

    yield _of(data, "stale price", column, np.maximum(begin - 1, 0), begin + length - 1, told)


def _phantoms(data: MarketData, close: FloatArray) -> Iterator[Suspects]:
    """Bars that repeat the close before them and have no volume: no trade was ever so."""
    if not {"open", "high", "low"} <= set(data.fields):
        return
    flat = np.zeros(close.shape, dtype=bool)
    np.equal(close[:, 1:], close[:, :-1], out=flat[:, 1:])
    for name in ("open", "high", "low"):
        flat &= close == data.fields[name].to_numpy().T
    if "volume" in data.fields:
        flat &= ~(data.fields["volume"].to_numpy().T > 0)
    column, begin, length = runs(flat)
    price = close[column, begin]

    def told(i: int) -> str:
        return f"{plural(int(length[i]), 'session')} of nothing but the close before, {price[i]:g}"

    yield _of(data, "phantom row", column, begin, begin + length - 1, told)


def _without_volume(data: MarketData, close: FloatArray) -> Iterator[Suspects]:
    """Find closes on days of no volume, of securities whose volume is reported."""
    if "volume" not in data.fields:
        return
    volume = data.fields["volume"].to_numpy().T
    seen = ~np.isnan(close)
    # Vendors give indices no volume at all, and whole markets none on half days.
    reported = ((volume > 0) & seen).sum(axis=1) > seen.sum(axis=1) / 2
    without = (volume == 0) & seen & reported[:, None]
    many = (seen & reported[:, None]).sum(axis=0)
    lost = (many > 2) & (without.sum(axis=0) > many / 2)
    column, row = np.nonzero(without & ~lost)
    price = close[column, row]
    yield _of(data, "price without volume", column, row, row, lambda i: f"close {price[i]:g} with no volume")


def _beyond(data: MarketData, close: FloatArray, book: LimitBook) -> Iterator[Suspects]:
    down, up = book.down.to_numpy().T, book.up.to_numpy().T
    slack = (data.tick or TICK) / 2
    column, row = np.nonzero((close < down - slack) | (close > up + slack))
    price, low, high = close[column, row], down[column, row], up[column, row]
    yield _of(
        data, "beyond limit", column, row, row,
        lambda i: f"close {price[i]:g} outside {low[i]:g} to {high[i]:g}",
    )  # fmt: skip


def _adjustments(data: MarketData, close: FloatArray) -> Iterator[Suspects]:
    """Find adjusted closes that jump where closes do not, and those not adjusted by ratio."""
    if "adj_close" not in data.fields:
        return
    after = data.fields["adj_close"].to_numpy().T
    raw, adjusted = np.full(close.shape, np.nan), np.full(close.shape, np.nan)
    raw[:, 1:], adjusted[:, 1:] = close[:, 1:] / close[:, :-1] - 1, after[:, 1:] / after[:, :-1] - 1
    column, row = np.nonzero(np.abs(adjusted) > np.abs(raw) + ADJUSTMENT_JUMP)
    jump, move = adjusted[column, row], raw[column, row]
    yield _of(
        data, "adjustment jump", column, row, row, lambda i: f"adjusted {jump[i]:+.1%}, close {move[i]:+.1%}"
    )
    apart = np.abs(adjusted - raw)
    moved = (np.abs(raw) > LARGER_MOVE) & (apart < ADJUSTMENT_JUMP)
    # Adjusted closes may be rounded to the tick.
    with np.errstate(over="ignore"):  # a price of next to nothing is all rounding
        rounded = (data.tick or TICK) / np.minimum(close, after)
    different = moved & (apart > SAME_MOVE * np.abs(raw) + rounded)
    n_moved, n_different = moved.sum(axis=1), different.sum(axis=1)
    uneven = np.flatnonzero((n_moved >= ENOUGH_MOVES) & (n_different > MOST_DIFFERENT * n_moved))
    first = different[uneven].argmax(axis=1)
    last = different.shape[1] - 1 - different[uneven, ::-1].argmax(axis=1)
    share = n_different[uneven] / n_moved[uneven]
    worst = np.where(different[uneven], apart[uneven], 0).argmax(axis=1)
    jumps, moves = adjusted[uneven, worst], raw[uneven, worst]

    def told(i: int) -> str:
        return (
            f"adjusted and raw returns differ on {share[i]:.0%} of days with larger moves (on "
            f"{data.sessions[worst[i]]:%Y-%m-%d} {jumps[i]:+.2%}, close {moves[i]:+.2%}): adjusted by sums, "
            "not by ratios?"
        )

    yield _of(data, "uneven adjustment", uneven, first, last, told)


def benchmark_faults(data: MarketData, names: Sequence[str], single: FloatArray) -> tuple[Suspects, ...]:
    """Find sessions on which a benchmark has no return of its own, or one that no index has.

    Parameters
    ----------
    data : MarketData
    names : sequence of str, length K
        Benchmarks. Those that are columns of the data are looked at with them.
    single : array, shape (K, T)
        One-session returns of the benchmarks, NaN elsewhere.
    """
    # Of intraday bars, the gaps before trading hours are rows without return of their own.
    if not len(single) or data.gap is not None:
        return ()
    gaps = _bank_gaps(data, "benchmark gap", single, 0)
    simple = np.expm1(np.clip(single, -20, 20)) if data.kind == "log" else single
    far = np.abs(simple) > (INDEX_MOVE if bar_length(data.sessions) is None else LARGE_RETURN)
    far &= ~np.isin(names, data.columns)[:, None] & (data.kind in ("simple", "log"))
    of, row = np.nonzero(far)
    jumps = _of(
        data, "benchmark jump", of, row, row,
        lambda i: f"{simple[of[i], row[i]]:+.1%} in one session, as after a split or in another unit",
    )  # fmt: skip
    return tuple(found for found in (gaps, jumps) if len(found.column))


def _bank_gaps(data: MarketData, kind: str, single: FloatArray, at: int) -> Suspects:
    """Spells without return within series, the first of which is row `at` of the bank."""
    seen = ~np.isnan(single)
    start, end = seen.argmax(axis=1), single.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    column, begin, length = runs(~seen)
    inner = (begin > start[column]) & (begin < end[column])
    column, begin, length = column[inner], begin[inner], length[inner]
    return _of(
        data, kind, column + at, begin, begin + length - 1,
        lambda i: f"{plural(int(length[i]), 'session')} without return",
    )  # fmt: skip


def factor_faults(
    data: MarketData, names: Sequence[str], single: FloatArray, plain: BoolArray, first: int
) -> tuple[Suspects, ...]:
    """Find sessions on which a factor has no return, or one far beyond those around it.

    Parameters
    ----------
    data : MarketData
    names : sequence of str, length K
    single : array, shape (K, T)
        Returns of the factors.
    plain : array of bool, shape (K,)
        Factors that are changes or levels; they are not looked at.
    first : int
        Row of the first factor in the bank.
    """
    if not len(single) or data.gap is not None or data.kind not in ("simple", "log"):
        return ()
    simple = np.where(
        plain[:, None], np.nan, np.expm1(np.clip(single, -20, 20)) if data.kind == "log" else single
    )
    size = pd.DataFrame(np.abs(simple).T)
    around = 1.4826 * size.rolling(DAYS_AROUND, center=True, min_periods=FEWEST_AROUND).median().to_numpy().T
    known = np.array([factor_name(name.rpartition(": ")[2]) in RETURN_FACTORS for name in names])
    most = np.where(known, FACTOR_SDS, OTHER_SDS)[:, None] * np.maximum(around, CALM_FACTOR)
    beyond = INDEX_MOVE if bar_length(data.sessions) is None else LARGE_RETURN
    far = (np.abs(simple) > most) | (known[:, None] & (np.abs(simple) > beyond))
    column, row = np.nonzero(far)
    jumps = _of(
        data, "factor jump", column + first, row, row,
        lambda i: f"{simple[column[i], row[i]]:+.1%} in one session, as in another unit",
    )  # fmt: skip
    return tuple(one for one in (_bank_gaps(data, "factor gap", single, first), jumps) if len(one.column))
