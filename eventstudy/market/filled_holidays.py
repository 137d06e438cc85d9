"""Holidays of some columns that were filled with the last price, or with returns of zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.market.known_holidays import exchange_closed_on
from eventstudy.market.trading_days import (
    LONGEST,
    RUNS,
    SELDOM,
    TOGETHER,
    WEEKDAYS,
    longest_run,
    n_runs,
    stand_still,
)

__all__ = ["Filled", "filled_holidays"]

#: How seldom chance may explain what is taken for holidays.
CHANCE = 1e-3
#: Columns of one exchange share at least this share of the days that the two most alike of them share, and
#: the one that stands still least on other days has at least this share of its days among them.
ALIKE, OWN = 0.8, 0.2
#: The largest share of weekdays, and the number of days in a short table, that holidays are.
MOST, FEW_DAYS = 0.12, 8
#: Rounds in which exchanges with partly the same holidays are told apart.
ROUNDS = 6


@dataclass(frozen=True)
class Filled:
    """Cells that repeat a price, or hold a return of zero, on holidays.

    Attributes
    ----------
    missing : array of bool, shape (T, S)
        Those that count as missing.
    doubtful : array of bool, shape (T, S)
        Those of columns that lack other days, and so are not filled throughout.
    """

    missing: BoolArray
    doubtful: BoolArray


def filled_holidays(
    values: FloatArray, levels: bool, index: pd.DatetimeIndex, benchmarks: Sequence[int] = ()
) -> Filled:
    """Find cells that repeat a price, or hold a return of zero, because an exchange was closed.

    Columns that stand still on the same days on which others move are taken for closed on them if chance
    does not explain it, were the days on which each stands still independent of the others', and five times
    as many. A column on its own is, on the weekdays on which it never moves, and on the holidays of an
    exchange that is known, if it stands still on all of them.

    Parameters
    ----------
    values : array, shape (T, S)
        Prices or returns.
    levels : bool
        Whether they are prices.
    index : DatetimeIndex, length T
    benchmarks : sequence of int
        Columns that are benchmarks: an index that stands still is suspect on its own.

    Returns
    -------
    Filled
        Rows on which no column moves are none of these.
    """
    seen = ~np.isnan(values)
    still = seen & stand_still(values, levels)
    traded = (seen & ~still).any(axis=1)
    still[~traded] = False
    if not still.any():
        return Filled(still, still)
    rows = np.arange(len(seen))[:, None]
    begin, end = np.argmax(seen, axis=0), len(seen) - 1 - np.argmax(seen[::-1], axis=0)
    inside = (rows >= begin) & (rows <= end) & traded[:, None] & seen.any(axis=0)
    gaps = inside & ~seen
    shut = still | gaps
    told = _never_on_weekdays(shut, inside, index)
    for _ in range(ROUNDS):
        more = _closed_together(shut & ~told, inside, still & ~told, index)
        if not more.any():
            break
        told |= more
    told |= _closed_alone(shut, inside, still, told, index, benchmarks)
    told &= still
    lacks = np.array([n_runs(column) >= RUNS for column in gaps.T])
    return Filled(told & ~lacks, told & lacks)


def _never_on_weekdays(shut: BoolArray, inside: BoolArray, index: pd.DatetimeIndex) -> BoolArray:
    """Weekdays on which a column never moves, as shares do not at weekends beside crypto-currencies."""
    told = np.zeros(shut.shape, dtype=bool)
    weekday = index.day_of_week.to_numpy()
    for day in range(7):
        on = weekday == day
        times = inside[on].sum(axis=0)
        rate = (shut[~on].sum(axis=0) + 0.5) / (inside[~on].sum(axis=0) + 1.0)
        never = (times >= WEEKDAYS) & (shut[on].sum(axis=0) == times) & (rate**times < SELDOM)
        told[np.ix_(on, never)] = shut[np.ix_(on, never)]
    return told


def _closed_together(
    shut: BoolArray, inside: BoolArray, still: BoolArray, index: pd.DatetimeIndex
) -> BoolArray:
    """Days on which all columns of a group are closed, more often than by chance."""
    told = np.zeros(shut.shape, dtype=bool)
    length, times = inside.sum(axis=0), shut.sum(axis=0)
    most = np.maximum(MOST * length, FEW_DAYS)
    counts = shut.view(np.int8)
    best: dict[int, int] = {}

    def shared(column: int) -> tuple[IntArray, FloatArray]:
        """Days shared with each column, and how many of them chance leaves unexplained."""
        common = counts[np.flatnonzero(shut[:, column])].sum(axis=0, dtype=np.int64)
        # Of days on which only one of both stands still, as many would meet by chance.
        chance = np.maximum(times[column] - common, 0.5) * np.maximum(times - common, 0.5)
        excess = common - TOGETHER * chance / np.maximum(length, 1)
        excess[column] = -np.inf
        best[column] = int(common[np.argmax(excess)])
        return common, excess

    # Those that seldom stand still tell most.
    for column in np.argsort(times, kind="stable").tolist():
        if times[column] > length[column] / 4 or not (still[:, column] & ~told[:, column]).any():
            continue
        common, excess = shared(column)
        if excess.max() <= 0:
            continue
        days = np.flatnonzero(shut[:, column])
        near = np.flatnonzero((excess > 0) & (common >= ALIKE * best[column])).tolist()
        for each in near:
            if each not in best:
                shared(each)
        group = np.array([each for each in near if common[each] >= ALIKE * best[each]], dtype=np.int64)
        if not len(group):
            continue
        group = np.append(group, column)
        # A column that is not listed yet, or any more, says nothing.
        closed = days[(shut[np.ix_(days, group)] | ~inside[np.ix_(days, group)]).all(axis=1)]
        closed = closed[inside[np.ix_(closed, group)].sum(axis=1) > 1]
        if not len(closed) or not _is_no_chance(shut[:, group], inside[:, group], closed, most[group]):
            continue
        every = np.zeros(len(shut), dtype=bool)
        every[closed] = True
        known = exchange_closed_on(every, inside[:, group].any(axis=1), index)
        if known is not None:  # the others are days on which all stand still by chance
            closed = closed[known[1][closed]]
            on = shut[closed].sum(axis=0)
            rate = (times - on + 0.5) / (length - on + 1.0)
            sure = (on == inside[closed].sum(axis=0)) & (rate**on < CHANCE / shut.shape[1])
            group = np.union1d(group, np.flatnonzero(sure))
        told[np.ix_(closed, group)] |= shut[np.ix_(closed, group)]
    return told


def _is_no_chance(shut: BoolArray, inside: BoolArray, closed: IntArray, most: FloatArray) -> bool:
    times, on = shut.sum(axis=0), shut[closed].sum(axis=0)
    left = inside.sum(axis=0) - on
    rate = (times - on + 0.5) / (left + 1.0)
    expected = len(shut) * float(np.prod(rate))
    mask = np.zeros(len(shut), dtype=bool)
    mask[closed] = True
    return bool(
        stats.poisson.sf(len(closed) - 1, TOGETHER * expected) < CHANCE
        and len(closed) >= OWN * times.min()
        and (len(closed) <= most).all()
        and longest_run(mask) <= LONGEST
    )


def _closed_alone(
    shut: BoolArray,
    inside: BoolArray,
    still: BoolArray,
    told: BoolArray,
    index: pd.DatetimeIndex,
    benchmarks: Sequence[int],
) -> BoolArray:
    """Holidays of an exchange that is known, on which a column on its own stands still."""
    out = np.zeros(shut.shape, dtype=bool)
    rest = still & ~told
    # Without a sign of another exchange, columns that stand still are seldom traded.
    gaps = shut & ~still
    signs = bool(told.any()) or _apart(gaps)
    each_way = shut.shape[1] == 2 and all(n_runs(shut[:, c] & ~shut[:, 1 - c]) >= RUNS - 1 for c in (0, 1))
    for column in np.flatnonzero(rest.any(axis=0)).tolist():
        own = rest[:, column]
        if n_runs(own) < RUNS - 1 or not (signs or each_way or column in benchmarks):
            continue
        if own.sum() > max(MOST * inside[:, column].sum(), FEW_DAYS) and column in benchmarks:
            continue
        found = exchange_closed_on(shut[:, column], inside[:, column], index)
        if found is not None:
            out[:, column] = found[1] & own
    return out


def _apart(gaps: BoolArray) -> bool:
    """Whether columns lack days again and again on which others have values."""
    return any(n_runs(gaps[:, column]) >= RUNS for column in np.flatnonzero(gaps.any(axis=0))[:20].tolist())
