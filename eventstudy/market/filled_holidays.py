"""Holidays of some columns that were filled with the last price, or with returns of zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lgamma
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.distributions import poisson_sf
from eventstudy.market.known_holidays import exchange_closed_on, nearly_every_weekday
from eventstudy.market.trading_days import (
    FEW,
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
LOG_CHANCE = float(np.log(CHANCE))
#: Columns of one exchange share at least this share of the days that the two most alike of them share, and
#: the one that stands still least on other days has at least this share of its days among them.
ALIKE, OWN = 0.8, 0.2
#: The largest share of weekdays, and the number of days in a short table, that holidays are.
MOST, FEW_DAYS = 0.12, 8
#: The largest share of days on which a column stands still that says something of another.
MOSTLY = 0.5
#: The share of a group's columns that stand still on a day that is nearly a holiday.
MANY = 0.6
#: Cost of a pair of columns counted in a sparse table, in additions in a dense one.
SPARSE = 8.0
#: Rounds in which exchanges with partly the same holidays are told apart.
ROUNDS = 6


class Filled(NamedTuple):
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
    values: FloatArray,
    levels: bool,
    index: pd.DatetimeIndex,
    benchmarks: Sequence[int] = (),
    own: Mapping[int, int] | None = None,
) -> Filled:
    """Find cells that repeat a price, or hold a return of zero, because an exchange was closed.

    Columns that stand still on the same days on which others move are taken for closed on them if chance
    does not explain it, were the days on which each stands still independent of the others', and five times
    as many. A column on its own is, on the weekdays on which it never moves, and on the holidays of an
    exchange that is known, if it stands still on all of them; and columns are on the days on which their
    benchmark is, if none of them moves on one.

    Parameters
    ----------
    values : array, shape (T, S)
        Prices or returns.
    levels : bool
        Whether they are prices.
    index : DatetimeIndex, length T
    benchmarks : sequence of int
        Columns that are benchmarks: an index that stands still is suspect on its own.
    own : mapping of int to int, optional
        The column that holds the benchmark of each.

    Returns
    -------
    Filled
        Rows on which no column moves are none of these.
    """
    seen = ~np.isnan(values)
    still = seen & stand_still(values, levels)
    traded: BoolArray = np.asarray((seen & ~still).any(axis=1))
    every, still = still, np.asarray(still & traded[:, None])
    if not still.any():
        return Filled(still, still)
    rows = np.arange(len(seen))[:, None]
    begin, end = np.argmax(seen, axis=0), len(seen) - 1 - np.argmax(seen[::-1], axis=0)
    inside = (rows >= begin) & (rows <= end) & traded[:, None] & seen.any(axis=0)
    gaps = inside & ~seen
    shut = still | gaps
    told = _never_on_weekdays(shut, inside, index)
    holidays: dict[int, BoolArray] = {}
    for _ in range(ROUNDS):
        more = _closed_together(shut & ~told, inside, still & ~told, index, holidays)
        if not more.any():
            break
        told |= more
    told |= _closed_alone(shut, inside, still, told, index, benchmarks, holidays)
    told |= _closed_with_benchmark(shut, inside, told | gaps, index, own or {}, holidays)
    told &= still
    told |= every & _all_still(every & ~still, shut, inside, index, holidays)
    lacks: BoolArray = np.array(gaps.any(axis=0))
    lacks[lacks] = [n_runs(gaps[:, column]) >= RUNS for column in np.flatnonzero(lacks)]
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
    shut: BoolArray,
    inside: BoolArray,
    still: BoolArray,
    index: pd.DatetimeIndex,
    holidays: dict[int, BoolArray],
) -> BoolArray:
    """Days on which all columns of a group are closed, more often than by chance."""
    told = np.zeros(shut.shape, dtype=bool)
    table = _Closed(shut, inside)
    length, times = table.length, table.times
    may = still.any(axis=0) & (times <= length / 4)
    best = np.zeros(shut.shape[1], dtype=np.int64)
    near: dict[int, tuple[IntArray, IntArray]] = {}
    for column in np.flatnonzero(times).tolist():
        others, common, excess = table.shared(column)
        if not len(others):
            continue
        at = int(np.argmax(excess))
        if excess[at] <= 0:
            continue
        best[column] = common[at]
        if may[column]:
            group = (excess > 0) & (common >= ALIKE * common[at])
            if table.promising(column, int(others[at]), others[group], int(common[at])):
                near[column] = others[group], common[group]
    # Those that seldom stand still tell most.
    for column in sorted(near, key=lambda each: int(times[each])):
        group, common = near[column]
        group = np.append(group[common >= ALIKE * best[group]], column)
        if len(group) < 2 or not (still[:, column] & ~told[:, column]).any():
            continue
        # A column that is not listed yet, or any more, says nothing.
        days = np.flatnonzero(shut[:, column])
        closed = days[(shut[np.ix_(days, group)] | ~inside[np.ix_(days, group)]).all(axis=1)]
        closed = closed[inside[np.ix_(closed, group)].sum(axis=1) > 1]
        if not len(closed) or not table.is_no_chance(group, closed):
            continue
        every = np.zeros(len(shut), dtype=bool)
        every[closed] = True
        known = exchange_closed_on(every, np.asarray(inside[:, group].any(axis=1)), index)
        if known is None and n_runs(every) < RUNS:
            continue  # of many shares, a few stand still together on two days
        if known is not None:  # the others are days on which all stand still by chance
            closed = closed[known[1][closed]]
            on = shut[closed].sum(axis=0)
            rate = (times - on + 0.5) / (length - on + 1.0)
            sure = (on == inside[closed].sum(axis=0)) & (rate**on < CHANCE / shut.shape[1])
            group = np.union1d(group, np.flatnonzero(sure))
            holidays.update({each: known[1] for each in group.tolist() if each not in holidays})
        told[np.ix_(closed, group)] |= shut[np.ix_(closed, group)]
    return told


class _Closed:
    """Days on which columns stand still or lack a value, as counts."""

    def __init__(self, shut: BoolArray, inside: BoolArray) -> None:
        self.shut, self.inside = shut, inside
        self.counts = shut.view(np.int8)
        self.length, self.times = inside.sum(axis=0), shut.sum(axis=0)
        self.n_groups = lgamma(shut.shape[1] + 1)
        # With few such days, all pairs are counted at once.
        by_day = shut.sum(axis=1, dtype=np.float64)
        self.pairs: scipy.sparse.csr_array | None = None
        if SPARSE * (by_day @ by_day) < shut.shape[1] * by_day.sum():
            days = scipy.sparse.csr_array(shut, dtype=np.int32)
            self.pairs = scipy.sparse.csr_array(days.T @ days)

    def shared(self, column: int) -> tuple[Any, Any, FloatArray]:
        """Return the columns that share days with one, how many, and how many chance leaves unexplained."""
        others: Any
        common: Any
        if self.pairs is None:
            days = np.flatnonzero(self.shut[:, column])
            every = np.add.reduce(self.counts[days], axis=0, dtype=np.int32)
            others = np.asarray(np.flatnonzero(every))
            common = every[others]
        else:
            part = slice(self.pairs.indptr[column], self.pairs.indptr[column + 1])
            others, common = self.pairs.indices[part], self.pairs.data[part]
        # A series that hardly ever moves, such as a delisted share, is unchanged whenever any other is.
        tells = (others != column) & (self.times[others] <= MOSTLY * self.length[others])
        others, common = others[tells], common[tells]
        # Of days on which only one of both stands still, as many would meet by chance.
        chance = np.maximum(self.times[column] - common, 0.5) * np.maximum(self.times[others] - common, 0.5)
        return others, common, common - TOGETHER * chance / np.maximum(self.length[others], 1)

    def promising(self, column: int, alike: int, group: IntArray, days: int) -> bool:
        """Whether a pair, or all columns that are alike, might be closed together on so many days."""
        return any(self._chance(np.append(each, column), days, days) < LOG_CHANCE for each in (alike, group))

    def _chance(self, group: IntArray, on: IntArray | int, days: int) -> float:
        """Logarithm of the chance that a group of so many columns is closed together on so many days."""
        rate = (np.maximum(self.times[group] - on, 0) + 0.5) / (np.maximum(self.length[group] - on, 0) + 1.0)
        expected = np.log(TOGETHER * len(self.shut)) + float(np.log(rate).sum())
        size, every = len(group), self.shut.shape[1]
        choices = self.n_groups - lgamma(size + 1) - lgamma(every - size + 1)
        if expected > 0:
            return float(np.log(max(poisson_sf(days - 1, np.exp(expected)), 1e-300)) + choices)
        return float(days * expected - lgamma(days + 1) + choices)

    def is_no_chance(self, group: IntArray, closed: IntArray) -> bool:
        """Whether the days on which a group is closed are those of an exchange."""
        shut, inside = self.shut[:, group], self.inside[:, group]
        mask = np.zeros(len(shut), dtype=bool)
        mask[closed] = True
        # On quiet days many of a few seldom traded shares stand still, but not all of them.
        share = shut.sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
        partly = int(((share > MANY) & ~mask).sum()) if len(group) > 2 else 0
        return bool(
            self._chance(group, shut[closed].sum(axis=0), len(closed)) < LOG_CHANCE
            and len(closed) >= OWN * self.times[group].min()
            and len(closed) >= partly
            and (len(closed) <= np.maximum(MOST * self.length[group], FEW_DAYS)).all()
            and longest_run(mask) <= LONGEST
        )


def _closed_alone(
    shut: BoolArray,
    inside: BoolArray,
    still: BoolArray,
    told: BoolArray,
    index: pd.DatetimeIndex,
    benchmarks: Sequence[int],
    holidays: dict[int, BoolArray],
) -> BoolArray:
    """Holidays of an exchange that is known, on which a column on its own stands still."""
    out = np.zeros(shut.shape, dtype=bool)
    rest = still & ~told
    # Without a sign of another exchange, columns that stand still are seldom traded.
    signs = bool(told.any()) or nearly_every_weekday(index[np.asarray(inside.any(axis=1))])
    if not signs:
        gaps = [n_runs(column) >= RUNS - 1 for column in (shut & ~still).T]
        signs = any(gaps) and all(gap or n_runs(shut[:, c]) >= RUNS - 1 for c, gap in enumerate(gaps))
    each_way = shut.shape[1] == 2 and all(n_runs(shut[:, c] & ~shut[:, 1 - c]) >= RUNS - 1 for c in (0, 1))
    # A benchmark on holiday while others move is such a sign for the columns after it.
    for column in sorted(np.flatnonzero(rest.any(axis=0)).tolist(), key=lambda each: each not in benchmarks):
        own = rest[:, column]
        if n_runs(own) < RUNS - 1 or not (signs or each_way or column in benchmarks):
            continue
        if own.sum() > max(MOST * inside[:, column].sum(), FEW_DAYS) and column in benchmarks:
            continue
        found = exchange_closed_on(shut[:, column], inside[:, column], index)
        if found is not None:
            out[:, column] = found[1] & own
            signs = signs or bool(out[:, column].any())
            holidays.setdefault(column, found[1])
    return out


def _closed_with_benchmark(
    shut: BoolArray,
    inside: BoolArray,
    closed: BoolArray,
    index: pd.DatetimeIndex,
    own: Mapping[int, int],
    holidays: dict[int, BoolArray],
) -> BoolArray:
    """Days on which the benchmark of some columns is closed and none of them moves."""
    out = np.zeros(shut.shape, dtype=bool)
    moves = inside & ~shut
    for benchmark in sorted(set(own.values())):
        days = np.flatnonzero(closed[:, benchmark])
        if not len(days) or n_runs(closed[:, benchmark]) < RUNS - 1:
            continue
        columns = np.array([each for each, of in own.items() if of == benchmark and each != benchmark])
        # A benchmark of securities of several exchanges, or with holes, says nothing of those that move.
        if not len(columns) or moves[np.ix_(days, columns)].any():
            continue
        if benchmark not in holidays:
            found = exchange_closed_on(closed[:, benchmark], inside[:, benchmark], index)
            if found is not None:
                holidays[benchmark] = found[1]
            elif n_runs(closed[:, benchmark]) < RUNS:
                continue
        out[np.ix_(days, columns)] = shut[np.ix_(days, columns)]
        if benchmark in holidays:
            for column in columns.tolist():
                holidays.setdefault(column, holidays[benchmark])
    return out


def _all_still(
    still: BoolArray,
    shut: BoolArray,
    inside: BoolArray,
    index: pd.DatetimeIndex,
    holidays: dict[int, BoolArray],
) -> BoolArray:
    """Holidays of some columns on which the others, though their exchange is open, stand still too."""
    out = np.zeros(still.shape, dtype=bool)
    if not any((still[:, column] & closed).any() for column, closed in holidays.items()):
        return out
    known = dict(holidays)
    for column in range(still.shape[1] if still.shape[1] <= FEW else 0):
        if column not in known:
            found = exchange_closed_on(shut[:, column], inside[:, column], index)
            if found is not None:
                known[column] = found[1]
    opened = np.array([~closed for closed in known.values()]).any(axis=0)
    for column, closed in holidays.items():
        out[:, column] = still[:, column] & closed & opened
    return out
