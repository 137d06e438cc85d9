"""Sums over pairs of events: correlations on common calendar days times overlap of tested windows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.engine.calendar_days import date_numbers

__all__ = ["correlate", "sum_over_pairs"]

DayArray = npt.NDArray[np.int32]

#: Pairs with fewer common estimation days count as uncorrelated (docs/methods/standardized.md).
MIN_COMMON_DAYS = 10
#: Standard deviations this small beside an event's largest residual are rounding noise.
NO_VARIANCE = 1e-10
#: Share of an event's sum of squares below which its variance on common days is rounding noise.
NO_COMMON_VARIANCE = 1e-14
#: Missing days are few where they are less than this share: sums over them alone are then cheaper.
FEW_GONE = 0.1
#: Events in a block of rows, of columns, and in a pass over all events.
ROWS, COLUMNS, CHUNK = 256, 256, 4096


@dataclass(frozen=True)
class _Events:
    """Events sorted so equal tested windows and estimation days follow each other.

    Days are positions on the union of all calendar days, -1 where there is none. `values` (n, W) are
    residuals less their mean over their root sum of squares, 0 where not `used` (n, W). `layout`
    numbers the runs of events with the same estimation dates, one row of `days` (layouts, W) each;
    `window` the runs with the same tested dates, one row of `tested` (windows, L) each; `cell` those
    with the same tested dates and the same used days.
    """

    values: FloatArray
    used: BoolArray
    layout: IntArray
    days: DayArray
    window: IntArray
    tested: DayArray
    start: DayArray
    end: DayArray
    cell: IntArray
    first: IntArray


def sum_over_pairs(
    residuals: FloatArray, estimation_dates: DateArray, tested_dates: DateArray
) -> tuple[float, int]:
    """Sum over all pairs of overlap share times correlation, and the number of overlapping pairs.

    Parameters
    ----------
    residuals, estimation_dates, tested_dates : arrays, shapes (N, W), (N, W), (N, L)
        As of `eventstudy.inference.mean_correlation`.
    """
    events = _arrange(residuals, estimation_dates, tested_dates)
    total, overlapping = _within_cells(events)
    apart = _mutually_apart(events)
    more, pairs = _across_cells(events, np.flatnonzero(~apart[events.cell]), apart[events.cell])
    return total + more, overlapping + pairs


def _chunks(n: int) -> list[slice]:
    return [slice(b, b + CHUNK) for b in range(0, n, CHUNK)]


def _day_numbers(*dates: DateArray) -> list[DayArray]:
    """Give each calendar day that occurs its number in order; -1 for NaT."""
    parts = [d[rows] for d in dates for rows in _chunks(len(d))]
    known = [date_numbers(p[~np.isnat(p)]) for p in parts]
    low = min((int(k.min()) for k in known if k.size), default=0)
    high = max((int(k.max()) for k in known if k.size), default=0)
    occurs = np.zeros(high - low + 1, dtype=bool)
    for k in known:
        occurs[k - low] = True
    position = (np.cumsum(occurs) - 1).astype(np.int32)
    numbered = []
    for d in dates:
        out = np.full(d.shape, -1, dtype=np.int32)
        for rows in _chunks(len(d)):
            part = d[rows]
            seen = ~np.isnat(part)
            out[rows][seen] = position[date_numbers(part[seen]) - low]
        numbered.append(out)
    return numbered


def _runs(changed: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the number of each one's run, and where each run begins, from where neighbours differ."""
    return np.concatenate([[0], np.cumsum(changed)]), np.concatenate([[0], np.flatnonzero(changed) + 1])


def _arrange(residuals: FloatArray, estimation: DateArray, tested: DateArray) -> _Events:
    days, windows = _day_numbers(estimation, tested)
    used = (days >= 0) & ~np.isnan(residuals)
    beyond = np.iinfo(np.int32).max
    start = np.where(windows >= 0, windows, beyond).min(axis=1)
    end = windows.max(axis=1)
    if (end < 0).any():
        raise RequestError("An event of the test has no calendar date in the tested window.")
    earliest = np.where(used, days, beyond).min(axis=1, initial=beyond)
    latest = np.where(used, days, -1).max(axis=1, initial=-1)
    count = used.sum(axis=1)
    order = np.lexsort((count, latest, earliest, end, start))
    days, windows, used, count = days[order], windows[order], used[order], count[order]
    values = np.zeros(residuals.shape)
    for rows in _chunks(len(order)):
        n = np.maximum(count[rows], 1)
        z = np.where(used[rows], residuals[order[rows]], 0.0)
        largest = np.abs(z).max(axis=1, initial=0.0)
        z = np.where(used[rows], z - (z.sum(axis=1) / n)[:, None], 0.0)
        size = np.sqrt(np.einsum("nw,nw->n", z, z))
        size[size <= NO_VARIANCE * np.sqrt(n) * largest] = np.inf
        values[rows] = z / size[:, None]
    other_days = (days[1:] != days[:-1]).any(axis=1)
    other_window = (windows[1:] != windows[:-1]).any(axis=1)
    layout, at_layout = _runs(other_days)
    window, at_window = _runs(other_window)
    cell, first = _runs(other_days | other_window | (used[1:] != used[:-1]).any(axis=1))
    return _Events(
        values=values,
        used=used,
        layout=layout,
        days=days[at_layout],
        window=window,
        tested=windows[at_window],
        start=start[order],
        end=end[order],
        cell=cell,
        first=first,
    )


def _within_cells(events: _Events) -> tuple[float, int]:
    """Sum of correlations, and number, of the pairs inside cells."""
    sizes = np.diff(np.append(events.first, len(events.cell)))
    enough = events.used[events.first].sum(axis=1) >= MIN_COMMON_DAYS
    square = np.zeros(len(sizes))
    for c in range(0, events.values.shape[1], 32):
        square += (np.add.reduceat(events.values[:, c : c + 32], events.first, axis=0) ** 2).sum(axis=1)
    own = np.add.reduceat(np.einsum("nw,nw->n", events.values, events.values), events.first)
    total = float(((square - own) / 2)[enough & (sizes > 1)].sum())
    return total, int((sizes * (sizes - 1) // 2).sum())


def _mutually_apart(events: _Events) -> BoolArray:
    """Pick cells, the largest first, whose tested windows do not touch: no pairs across them."""
    sizes = np.diff(np.append(events.first, len(events.cell)))
    start, end = events.start[events.first], events.end[events.first]
    taken = np.zeros(int(end.max()) + 1, dtype=bool)
    apart = np.zeros(len(sizes), dtype=bool)
    for c in np.argsort(-sizes, kind="stable"):
        span = slice(int(start[c]), int(end[c]) + 1)
        if not taken[span].any():
            taken[span] = True
            apart[c] = True
    return apart


def _across_cells(events: _Events, rows: IntArray, apart: BoolArray) -> tuple[float, int]:
    """Sum and number of the overlapping pairs of different cells; `rows` holds one event of each."""
    total, pairs = 0.0, 0
    for b in range(0, len(rows), ROWS):
        r = rows[b : b + ROWS]
        last = int(np.searchsorted(events.start, events.end[r].max(), side="right"))
        near = np.arange(last)
        # Two of the rows form one pair, counted at the earlier one.
        near = near[(events.end[:last] >= events.start[r[0]]) & (apart[:last] | (near >= r[0]))]
        own = None
        for c in range(0, len(near), COLUMNS):
            columns = near[c : c + COLUMNS]
            share = _overlap(events, r, columns)
            counted = apart[columns][None, :] | (columns[None, :] > r[:, None])
            counted &= events.cell[r][:, None] != events.cell[columns][None, :]
            share *= counted
            found = int(np.count_nonzero(share))
            if found:
                own = _own_days(events, r) if own is None else own
                total += float(
                    np.vdot(share, _correlations(own, _laid_out(events, columns, own.low, own.n_days)))
                )
                pairs += found
    return total, pairs


def _overlap(events: _Events, rows: IntArray, columns: IntArray) -> FloatArray:
    """Overlap of tested windows, shape (rows, columns)."""
    (wr, ir), (wc, ic) = (np.unique(events.window[i], return_inverse=True) for i in (rows, columns))
    if len(wr) == len(wc) == 1 and wr[0] == wc[0]:
        return np.ones((len(rows), len(columns)))
    tested = [events.tested[w] for w in (wr, wc)]
    low, high = int(tested[0][tested[0] >= 0].min()), int(tested[0].max())
    held = []
    for days in tested:
        row, column = np.nonzero((days >= low) & (days <= high))
        held.append(np.zeros((len(days), high - low + 1)))
        held[-1][row, days[row, column] - low] = 1.0
    lengths = [(days >= 0).sum(axis=1) for days in tested]
    share: FloatArray = held[0] @ held[1].T / np.sqrt(np.outer(*lengths))
    return share[ir][:, ic]


@dataclass(frozen=True)
class _OnDays:
    """Values of n events on D calendar days from day `low` on, and where they have none.

    `gone` (n, D) is 1 where an event has no value; sparse where that is rare, as with a few missing
    days, so sums over common days cost as little as the days that are not common.
    """

    values: FloatArray
    gone: Any
    n_used: IntArray
    low: int

    @property
    def n_days(self) -> int:
        """Calendar days D."""
        return int(self.values.shape[1])


def _own_days(events: _Events, index: IntArray) -> _OnDays:
    """Lay events out on the calendar days from the first to the last that one of them uses."""
    days = np.where(events.used[index], events.days[events.layout[index]], -1)
    if (days < 0).all():
        return _laid_out(events, index, 0, 0)
    low = int(days[days >= 0].min())
    return _laid_out(events, index, low, int(days.max()) - low + 1)


def _laid_out(events: _Events, index: IntArray, low: int, n_days: int) -> _OnDays:
    """Lay events, sorted by position, out on `n_days` calendar days from day `low` on."""
    values = np.zeros((len(index), n_days))
    seen = np.zeros((len(index), n_days), dtype=bool)
    layout = events.layout[index]
    bounds = [0, *(np.flatnonzero(np.diff(layout)) + 1), len(index)]
    for begin, end in pairwise(bounds):
        days = events.days[layout[begin]]
        held = np.flatnonzero((days >= low) & (days < low + n_days))
        who = index[begin:end]
        if (np.diff(days[held]) == 1).all() and (np.diff(held) == 1).all() and len(held):
            # Consecutive days, the common case, are copied as one block.
            source, at = slice(held[0], held[-1] + 1), int(days[held[0]]) - low
            part = slice(at, at + len(held))
            values[begin:end, part] = events.values[who, source]
            seen[begin:end, part] = events.used[who, source]
        else:
            to = (np.arange(begin, end)[:, None], days[held] - low)
            values[to] = events.values[who[:, None], held]
            seen[to] = events.used[who[:, None], held]
    n_used = seen.sum(axis=1)
    if n_used.sum() <= (1.0 - FEW_GONE) * seen.size:
        return _OnDays(values, (~seen).astype(np.float64), n_used, low)
    return _OnDays(values, scipy.sparse.csr_array(~seen, dtype=np.float64), n_used, low)


def _correlations(a: _OnDays, b: _OnDays) -> FloatArray:
    """Correlations on common days, shape (rows of a, rows of b); 0 where undefined.

    A sum over common days is the sum over all days less that over the days that the other event lacks.
    """
    x, y = a.values, b.values
    n = np.add.outer(a.n_used, b.n_used - a.n_days) + a.gone @ b.gone.T
    sx = x.sum(axis=1)[:, None] - np.ascontiguousarray((b.gone @ x.T).T)
    vx = np.einsum("nd,nd->n", x, x)[:, None] - np.ascontiguousarray((b.gone @ (x * x).T).T)
    sy = y.sum(axis=1) - a.gone @ y.T
    vy = np.einsum("nd,nd->n", y, y) - a.gone @ (y * y).T
    return correlate(n, sx, vx, sy, vy, x @ y.T)


def correlate(
    n: FloatArray, sx: FloatArray, vx: FloatArray, sy: FloatArray, vy: FloatArray, products: FloatArray
) -> FloatArray:
    """Correlations of pairs, 0 where undefined, from sums over their common days; these are overwritten.

    Parameters
    ----------
    n : array
        Common days.
    sx, vx, sy, vy : arrays
        Sums of the values of each of the two, and of their squares.
    products : array
        Sums of the products.
    """
    np.maximum(n, 1.0, out=n)
    mean = sx / n
    products -= mean * sy
    mean *= sx
    vx -= mean
    sy *= sy
    sy /= n
    vy -= sy
    undefined = (n < MIN_COMMON_DAYS) | (vx <= NO_COMMON_VARIANCE) | (vy <= NO_COMMON_VARIANCE)
    vx *= vy
    vx[undefined] = np.inf
    products /= np.sqrt(vx, out=vx)
    return products
