"""Which rows of a table are sessions, and which columns trade on days of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import DataError
from eventstudy.market.known_holidays import exchange_closed_on, nearly_every_weekday

__all__ = [
    "compounded_to",
    "idle_rows",
    "interpolated_rows",
    "longest_run",
    "n_runs",
    "stand_still",
    "told",
    "trading_groups",
]

#: Rows without any move that chance may leave among those of a table, for such a row to be padded.
CHANCE = 0.05
#: The share of all days that weekends and holidays are, at most.
HOLIDAYS = 0.4
#: Rounding noise of a line between two prices.
LINE = 1e-8
#: Series that are looked at first: a row on which one of them moves is a session.
FEW = 8
#: Rows of a weekday from which on it says something that a column never trades on it, and how seldom chance
#: may leave all of them out.
WEEKDAYS, SELDOM = 4, 1e-6
#: Runs of closed days, each way, by which two groups differ, and the longest run a holiday makes.
RUNS, LONGEST = 3, 20
#: How many times as often as by chance the columns of a group are closed together, and the least share that
#: these days are of those on which one of them is.
TOGETHER, COMMON = 5.0, 0.5


def idle_rows(
    values: FloatArray, levels: bool, known: BoolArray, moves: BoolArray, chance: float = CHANCE
) -> tuple[BoolArray, BoolArray]:
    """Rows within a table on which nothing trades, shape (T,) each.

    Parameters
    ----------
    values : array, shape (T, S)
        Prices or returns of all series, benchmarks among them.
    levels : bool
        Whether they are prices.
    known, moves : arrays of bool, shape (T,)
        Whether a factor is known, and whether one is not zero.
    chance : float, default 0.05
        Rows without a move that may be expected; more of them say that the series often stand still. With
        infinity, every such row is returned, of a single series too: a benchmark may show that it moved.

    Returns
    -------
    empty : array of bool
        Rows without any value, except before the first and after the last row with one.
    padded : array of bool
        Rows on which every series stands still, more often than by chance: holidays that were filled with
        the last price, or with returns of zero.
    """
    few = values[:, :FEW]
    if (~np.isnan(few) & ~stand_still(few, levels)).any(axis=1).all():
        none = np.zeros(len(values), dtype=bool)
        return none, none.copy()
    seen = ~np.isnan(values)
    some = seen.any(axis=1) | known
    rows = np.flatnonzero(some)
    inside = np.zeros(len(some), dtype=bool)
    if len(rows):
        inside[rows[0] : rows[-1]] = True
    empty = inside & ~some
    still = seen & stand_still(values, levels)
    quiet = seen.any(axis=1) & ~(seen & ~still).any(axis=1) & ~moves
    if not quiet.any():
        return empty, quiet
    others = ~quiet & seen.any(axis=1)
    share = (still[others].sum(axis=0) + 0.5) / (seen[others].sum(axis=0) + 1.0)
    expected = len(values) * np.exp(seen[quiet] @ np.log(share))
    several = seen[quiet].sum(axis=1) > 1
    quiet[quiet] = (expected < chance) & (several | np.isinf(chance))
    return empty, quiet


def interpolated_rows(values: FloatArray, chance: float = CHANCE) -> BoolArray:
    """Rows on which every price lies on the line between those before and after it, shape (T,).

    Days without trade are filled so by interpolation. A row is one if chance does not explain it, as often as
    each series lies on such a line on other rows, and if two series or more say so. Of series that do on most
    rows, as interest accrues, none is.

    Parameters
    ----------
    values : array, shape (T, S)
        Prices of all series, benchmarks among them.
    chance : float, default 0.05
        As for `idle_rows`; with infinity, one series is enough.
    """
    out = np.zeros(len(values), dtype=bool)
    if len(values) < 3:
        return out
    for part in (values[:, :FEW], values):
        before, at, after = part[:-2], part[1:-1], part[2:]
        seen = ~np.isnan(before + at + after)
        with np.errstate(invalid="ignore"):
            straight = np.abs(before - 2.0 * at + after) <= LINE * np.abs(at)
        moves = (seen & (before != after)).sum(axis=1) > (0 if np.isinf(chance) else 1)
        rows = moves & ~(seen & ~straight).any(axis=1)
        if not rows.any():
            return out
    if rows.mean() > HOLIDAYS:
        return out
    share = ((straight & seen)[~rows].sum(axis=0) + 0.5) / (seen[~rows].sum(axis=0) + 1.0)
    rows[rows] = len(values) * np.exp(seen[rows] @ np.log(share)) < chance
    out[1:-1] = rows
    return out


def stand_still(values: FloatArray, levels: bool) -> BoolArray:
    """Whether a price is the last one before it, or a return is zero."""
    if not levels:
        return np.asarray(values == 0.0)
    last = pd.DataFrame(values).ffill().to_numpy() if np.isnan(values).any() else values
    out = np.zeros(values.shape, dtype=bool)
    out[1:] = values[1:] == last[:-1]
    return out


def compounded_to(
    frame: pd.DataFrame, sessions: pd.DatetimeIndex, kind: str, plain: BoolArray | None = None
) -> pd.DataFrame:
    """Compound the returns of days between sessions into the next return on a session.

    Parameters
    ----------
    frame : DataFrame
        Days × series of returns.
    sessions : DatetimeIndex
    kind : {"simple", "log"}
        Simple returns are compounded, others added up.
    plain : array of bool, optional
        Series that are not returns, which are added up.

    Returns
    -------
    DataFrame
        As `frame`; what it holds on other days than sessions counts in the next return of its series on one.
    """
    index = pd.DatetimeIndex(frame.index)
    on = index.isin(sessions)
    between = np.flatnonzero(~on & (index > sessions[0]) & (index < sessions[-1]))
    if not len(between):
        return frame
    values = frame.to_numpy(dtype=np.float64, copy=True)
    adds = np.full(values.shape[1], kind != "simple") if plain is None else plain | (kind != "simple")
    target = np.where(on[:, None] & ~np.isnan(values), np.arange(len(values))[:, None], len(values))
    target = np.minimum.accumulate(target[::-1], axis=0)[::-1]
    for row in between.tolist():
        column = np.flatnonzero(~np.isnan(values[row]) & (target[row] < len(values)))
        to, more = target[row, column], values[row, column]
        have = values[to, column]
        values[to, column] = np.where(adds[column], have + more, have + more + have * more)
    return pd.DataFrame(values, frame.index, frame.columns)


def trading_groups(
    seen: BoolArray, index: pd.DatetimeIndex, names: Sequence[str], unit: IntArray
) -> list[tuple[IntArray, BoolArray]]:
    """Find columns that trade on days of their own, as those of several exchanges do.

    There are several groups where a column never trades on a weekday on which others do, or where columns
    that are closed together, more often than by chance, are closed on days on which others of this sort, or
    the only other column, trade, and the other way round; or where columns lack all holidays of an exchange
    that is known, and others trade on them.

    Parameters
    ----------
    seen : array of bool, shape (T, S)
        Where a column has a value.
    index : DatetimeIndex, length T
    names : sequence of str, length S
    unit : array of int, shape (S,)
        Columns that are known to trade on the same days, such as those of one benchmark; -1 where it is not
        known: these go together if they have values on the same days, but for a halt or two.

    Returns
    -------
    list of (array of int, array of bool of shape (T,))
        Columns and days of each group; empty where all columns are one.

    Raises
    ------
    DataError
        If a column of such a table lacks so many days in a row that it may have been suspended.
    """
    rows = np.arange(len(seen))[:, None]
    begin, end = np.argmax(seen, axis=0), len(seen) - 1 - np.argmax(seen[::-1], axis=0)
    traded: BoolArray = np.asarray(seen.any(axis=1))
    closed: BoolArray = ~seen & (rows > begin) & (rows < end) & traded[:, None] & seen.any(axis=0)
    if not closed.any():
        return []
    code = _same_days(closed, unit)
    order = np.argsort(code, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    if len(members) < 2:
        return []
    if not (_weekdays_apart(seen, closed, index) or _holidays_apart(closed, members)):
        return _on_known_days(seen, closed, index, members)
    members = _with_halted(seen, closed, members, unit)
    groups = [(columns.astype(np.int64), np.asarray(seen[:, columns].any(axis=1))) for columns in members]
    for columns, days in groups:
        shut: BoolArray = ~days & traded
        first, last = np.flatnonzero(days)[[0, -1]]
        shut[:first] = shut[last:] = False
        if longest_run(shut) > LONGEST:
            raise DataError(
                f"Columns trade on different days: {told(groups, names)}. {names[columns[0]]} lacks more "
                f"than {LONGEST} days in a row: suspended, or its exchange closed? Say where each is traded, "
                "calendar={'002415.SZ': 'XSHG', ...} or calendar='auto', make one market per exchange, or "
                "choose sessions='data' to take every row for a session of all."
            )
    return groups


def _on_known_days(
    seen: BoolArray, closed: BoolArray, index: pd.DatetimeIndex, members: Sequence[IntArray]
) -> list[tuple[IntArray, BoolArray]]:
    """Find columns that are closed on the holidays of an exchange that is known, while others trade."""
    columns = seen.shape[1]
    # Where a column trades on all days, and these are those of an exchange, a lone other one was suspended.
    alone = columns <= FEW and bool(
        closed.any(axis=0).all() or nearly_every_weekday(index[np.asarray(seen.any(axis=1))])
    )
    asked = [group for group in members if len(group) > 1 or alone]
    found: dict[str, tuple[list[int], BoolArray]] = {}
    for group in sorted(asked, key=len, reverse=True)[:FEW]:
        shut: BoolArray = np.asarray(closed[:, group].all(axis=1))
        rows = np.flatnonzero(seen[:, group].any(axis=1))
        if not shut.any() or not len(rows):
            continue
        inside = np.asarray(seen.any(axis=1))
        inside[: rows[0]] = inside[rows[-1] + 1 :] = False
        # A vendor that lacks a day of many securities has it of most others.
        several = len(group) > 1 and bool((seen[shut].sum(axis=1) < len(group)).all())
        known = exchange_closed_on(shut, inside, index, several)
        if known is not None:
            code, holidays = known
            found.setdefault(code, ([], ~holidays))[0].extend(group.tolist())
    if not found:
        return []
    rest: list[int] = []
    for column in sorted(set(range(columns)) - {c for own, _ in found.values() for c in own}):
        homes = [
            own
            for own, days in found.values()
            if closed[~days, column].any() and not seen[~days, column].any()
        ]
        (homes[0] if len(homes) == 1 else rest).append(column)
    out = []
    for own, days in [*found.values(), (rest, np.ones(len(seen), dtype=bool))]:
        if own:
            rows = np.flatnonzero(seen[:, own].any(axis=1))
            within = np.zeros(len(seen), dtype=bool)
            within[rows[0] : rows[-1] + 1] = True
            traded = seen[:, own].any(axis=1) if own is rest else seen.any(axis=1)
            out.append((np.sort(np.array(own, dtype=np.int64)), np.asarray(days & within & traded)))
    out.sort(key=lambda each: int(each[0][0]))
    return out if len(out) > 1 else []


def _with_halted(
    seen: BoolArray, closed: BoolArray, members: Sequence[IntArray], unit: IntArray
) -> list[IntArray]:
    """Put lone columns that trade on the days of one group, but for a halt or two, into that group."""
    large = [(k, seen[:, columns].any(axis=1)) for k, columns in enumerate(members) if len(columns) > 1]
    joined = {k: [columns] for k, columns in enumerate(members)}
    for k, columns in enumerate(members):
        if len(columns) > 1 or unit[columns[0]] >= 0:
            continue
        own, lacks = seen[:, columns[0]], closed[:, columns[0]]
        halts = {g: lacks & days for g, days in large if not (own & ~days).any()}
        # More spells than this are the holidays of an exchange.
        halts = {g: days for g, days in halts.items() if n_runs(days) < RUNS and longest_run(days) <= LONGEST}
        fewest = min((int(days.sum()) for days in halts.values()), default=0)
        near = [g for g, days in halts.items() if days.sum() == fewest]
        if len(near) == 1:
            joined[near[0]].append(columns)
            del joined[k]
    return [np.sort(np.concatenate(columns)) for columns in joined.values()]


def told(groups: Sequence[tuple[IntArray, BoolArray]], names: Sequence[str]) -> str:
    """Name groups as `trading_groups` finds them, in one line."""
    parts = [
        ", ".join(names[c] for c in columns[:3]) + (", ..." if len(columns) > 3 else "")
        for columns, _ in groups[:4]
    ]
    return "; ".join(parts) + (f"; and {len(groups) - 4} more groups" if len(groups) > 4 else "")


def _same_days(closed: BoolArray, unit: IntArray) -> IntArray:
    """Return the number of each column's group, in the order of their first columns."""
    packed = np.packbits(closed, axis=0).T
    keys: dict[object, int] = {}
    out = np.empty(len(unit), dtype=np.int64)
    for column, known in enumerate(unit.tolist()):
        key = known if known >= 0 else packed[column].tobytes()
        out[column] = keys.setdefault(key, len(keys))
    return out


def _weekdays_apart(seen: BoolArray, closed: BoolArray, index: pd.DatetimeIndex) -> bool:
    """Whether a column never trades on a weekday on which another does."""
    weekday = index.day_of_week.to_numpy()
    for day in range(7):
        on = weekday == day
        times = closed[on].sum(axis=0)
        # As seldom as it lacks other days, it would not lack all of these.
        chance = closed[~on].mean(axis=0) ** times if not on.all() else np.ones(seen.shape[1])
        never = ~seen[on].any(axis=0) & (times >= WEEKDAYS) & (chance < SELDOM)
        if never.any() and not never.all():
            return True
    return False


def _holidays_apart(closed: BoolArray, members: Sequence[IntArray]) -> bool:
    """Whether two groups are closed on days of their own, and one of them more often than by chance."""
    shut = np.array([closed[:, columns].all(axis=1) for columns in members])
    together = []
    for k, columns in enumerate(members):
        if len(columns) < 2:
            continue
        days = closed[:, columns].sum(axis=0)
        chance = len(closed) * float(np.prod(days / len(closed)))
        common = shut[k].sum()
        if n_runs(shut[k]) >= RUNS and common >= max(TOGETHER * chance, COMMON * np.median(days)):
            together.append(k)
    for k in together:
        # A lone column may have been suspended: it is evidence only where there is no third group.
        for other in range(len(members)) if len(members) == 2 else together:
            mine, theirs = shut[k] & ~shut[other], shut[other] & ~shut[k]
            if n_runs(mine) >= RUNS and n_runs(theirs) >= RUNS and longest_run(theirs) <= LONGEST:
                return True
    return False


def n_runs(mask: BoolArray) -> int:
    """Return the number of spells of days in a row."""
    return int(np.count_nonzero(np.diff(mask.astype(np.int8), prepend=0) == 1))


def longest_run(mask: BoolArray) -> int:
    """Return the length of the longest spell of days in a row, zero where there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
