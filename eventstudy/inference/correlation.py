r"""Cross-correlation of events: the mean correlation r-bar on common calendar days, and clustering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eventstudy.errors import RequestError
from eventstudy.inference.base import TestInput
from eventstudy.inference.support import NEGLIGIBLE, date_numbers, memo, n_windows, usable_events

__all__ = ["Clustering", "Dependence", "clustering", "dependence", "mean_correlation"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DayArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
DateArray = npt.NDArray[np.datetime64]

#: Pairs with fewer common estimation days count as uncorrelated (METHODS C6a).
MIN_COMMON_DAYS = 10
#: Standard deviations this small beside an event's largest residual are rounding noise.
NO_VARIANCE = 1e-10
#: Share of an event's sum of squares below which its variance on common days is rounding noise.
NO_COMMON_VARIANCE = 1e-14
#: Events in a block of rows, of columns, and in a pass over all events.
ROWS, COLUMNS, CHUNK = 128, 2048, 4096


@dataclass(frozen=True)
class Dependence:
    """Mean correlation of the pairs of N events.

    Attributes
    ----------
    mean_correlation : float
        r-bar, the mean over all pairs of overlap share times residual correlation; 0 for one event.
    n_overlapping_pairs : int
        Pairs whose tested windows share a calendar day.
    """

    mean_correlation: float
    n_overlapping_pairs: int


@dataclass(frozen=True)
class Clustering:
    """How strongly the events of a tested window depend on each other.

    Attributes
    ----------
    n_events : int
        Events with a CAR in the tested window.
    n_dates : int
        Distinct tested windows, by their calendar dates.
    n_overlapping_pairs : int
        Pairs of events whose tested windows share a calendar day.
    mean_correlation : float
        r-bar: mean over all pairs of (share of tested days in common) x (correlation of
        estimation residuals on common calendar days).
    effective_n : float
        ``N / (1 + (N - 1) r-bar)``: independent events that would carry as much information; NaN
        where r-bar is so negative that this is not positive.
    """

    n_events: int
    n_dates: int
    n_overlapping_pairs: int
    mean_correlation: float
    effective_n: float

    @property
    def share_overlapping(self) -> float:
        """Share of pairs whose tested windows share a calendar day; 0 for one event."""
        pairs = self.n_events * (self.n_events - 1) // 2
        return self.n_overlapping_pairs / pairs if pairs else 0.0


@dataclass(frozen=True)
class _Events:
    """Events sorted so that equal tested windows and estimation days stand together.

    `days` (n, W) and `tested` (n, L) are positions on the union of all calendar days, -1 where
    there is none; `values` (n, W) are residuals less their mean over their root sum of squares
    (0 where unused); `cell` numbers the runs of events with the same tested and estimation days.
    """

    values: FloatArray
    days: DayArray
    tested: DayArray
    start: DayArray
    end: DayArray
    cell: IntArray
    first: IntArray


def mean_correlation(
    residuals: FloatArray, estimation_dates: DateArray, tested_dates: DateArray
) -> Dependence:
    r"""Mean pairwise correlation of estimation residuals, weighted by overlap of the tested windows.

    .. math:: \bar r = \frac{2}{N(N-1)} \sum_{i<j} \tau_{ij}\, \operatorname{corr}(e_i, e_j)

    The correlation runs over the calendar days on which both events have a residual (pairs with
    fewer than 10 such days, or without variance on them, count 0). The overlap is
    ``tau_ij = |A & B| / sqrt(|A| |B|)`` for the sets A and B of calendar days of the two tested
    windows: their common share, 1 on one common date, 0 where no day is shared. Days of the
    windows count whether or not the security traded on them.

    Parameters
    ----------
    residuals : array, shape (N, W)
        Estimation residuals; NaN where unused.
    estimation_dates : array of datetime64[D], shape (N, W)
    tested_dates : array of datetime64[D], shape (N, L)
        Calendar days of the tested windows; NaT beyond the data.

    Returns
    -------
    Dependence

    Notes
    -----
    Events with the same tested and the same estimation days need no pairs: the sum of their
    correlations is ``(|sum_i z_i|^2 - n) / 2`` for residuals z of mean 0 and length 1. All other
    pairs whose windows overlap come from matrix products of bounded size.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025; Kolari, Pape and
    Pynnonen (2018) for partial overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from eventstudy.inference import mean_correlation
    >>> e = np.random.default_rng(1).standard_normal((2, 50))
    >>> days = np.tile(np.datetime64("2020-01-01") + np.arange(50), (2, 1))
    >>> event = np.full((2, 1), np.datetime64("2020-03-02"))
    >>> r = mean_correlation(e, days, event).mean_correlation
    >>> bool(np.isclose(r, np.corrcoef(e)[0, 1]))
    True
    """
    n = len(residuals)
    if n < 2:
        return Dependence(0.0, 0)
    events = _arrange(residuals, estimation_dates, tested_dates)
    total, overlapping = _within_cells(events)
    apart = _mutually_apart(events)
    more, pairs = _across_cells(events, np.flatnonzero(~apart[events.cell]), apart[events.cell])
    return Dependence((total + more) / (n * (n - 1) / 2), overlapping + pairs)


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


def _arrange(residuals: FloatArray, estimation: DateArray, tested: DateArray) -> _Events:
    days, window = _day_numbers(estimation, tested)
    days[np.isnan(residuals)] = -1
    beyond = np.iinfo(np.int32).max
    start = np.where(window >= 0, window, beyond).min(axis=1)
    end = window.max(axis=1)
    if (end < 0).any():
        raise RequestError("An event of the test has no calendar date in the tested window.")
    earliest = np.where(days >= 0, days, beyond).min(axis=1, initial=beyond)
    count = (days >= 0).sum(axis=1)
    order = np.lexsort((count, days.max(axis=1, initial=-1), earliest, end, start))
    days, window, count = days[order], window[order], count[order]
    values = np.zeros(residuals.shape)
    for rows in _chunks(len(order)):
        used, n = days[rows] >= 0, np.maximum(count[rows], 1)
        z = np.where(used, residuals[order[rows]], 0.0)
        largest = np.abs(z).max(axis=1, initial=0.0)
        z = np.where(used, z - (z.sum(axis=1) / n)[:, None], 0.0)
        size = np.sqrt(np.einsum("nw,nw->n", z, z))
        size[size <= NO_VARIANCE * np.sqrt(n) * largest] = np.inf
        values[rows] = z / size[:, None]
    changed = (days[1:] != days[:-1]).any(axis=1) | (window[1:] != window[:-1]).any(axis=1)
    cell = np.concatenate([[0], np.cumsum(changed)])
    first = np.concatenate([[0], np.flatnonzero(changed) + 1])
    return _Events(values, days, window, start[order], end[order], cell, first)


def _within_cells(events: _Events) -> tuple[float, int]:
    """Sum of correlations, and number, of the pairs inside cells."""
    sizes = np.diff(np.append(events.first, len(events.cell)))
    enough = (events.days[events.first] >= 0).sum(axis=1) >= MIN_COMMON_DAYS
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
        # A pair of two rows is met where the first of them is the row.
        near = near[(events.end[:last] >= events.start[r[0]]) & (apart[:last] | (near >= r[0]))]
        for c in range(0, len(near), COLUMNS):
            columns = near[c : c + COLUMNS]
            counted = apart[columns][None, :] | (columns[None, :] > r[:, None])
            counted &= events.cell[r][:, None] != events.cell[columns][None, :]
            share = np.where(counted, _overlap(events, r, columns), 0.0)
            if share.any():
                total += float((share * _correlations(events, r, columns)).sum())
                pairs += int((share > 0).sum())
    return total, pairs


def _cells_of(events: _Events, index: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first event of each cell in `index`, and where each of `index` finds its cell there."""
    cells, inverse = np.unique(events.cell[index], return_inverse=True)
    return events.first[cells], inverse.astype(np.int64)


def _spread_out(positions: DayArray, low: int, high: int, values: FloatArray | None = None) -> FloatArray:
    """Lay values (or ones) of shape (n, W) out on the days low..high: shape (n, high - low + 1)."""
    inside = (positions >= low) & (positions <= high)
    out = np.zeros((len(positions), high - low + 1))
    row = np.nonzero(inside)[0]
    out[row, positions[inside] - low] = 1.0 if values is None else values[inside]
    return out


def _overlap(events: _Events, rows: IntArray, columns: IntArray) -> FloatArray:
    """Overlap of tested windows, shape (rows, columns)."""
    (fr, ir), (fc, ic) = _cells_of(events, rows), _cells_of(events, columns)
    low, high = int(events.start[fr].min()), int(events.end[fr].max())
    common = _spread_out(events.tested[fr], low, high) @ _spread_out(events.tested[fc], low, high).T
    lengths = [(events.tested[f] >= 0).sum(axis=1) for f in (fr, fc)]
    share: FloatArray = common / np.sqrt(np.outer(*lengths))
    return share[ir][:, ic]


def _correlations(events: _Events, rows: IntArray, columns: IntArray) -> FloatArray:
    """Correlations on common estimation days, shape (rows, columns); 0 where undefined."""
    (fr, ir), (fc, ic) = _cells_of(events, rows), _cells_of(events, columns)
    used = events.days[fr]
    if not (used >= 0).any():
        return np.zeros((len(rows), len(columns)))
    low, high = int(used[used >= 0].min()), int(used.max())
    x = _spread_out(events.days[rows], low, high, events.values[rows])
    y = _spread_out(events.days[columns], low, high, events.values[columns])
    # Days are the same within a cell, so their masks are multiplied once a cell.
    mx, my = _spread_out(events.days[fr], low, high), _spread_out(events.days[fc], low, high)
    n = (mx @ my.T)[ir][:, ic]
    days = np.maximum(n, 1.0)
    sx, sy = (x @ my.T)[:, ic], (mx @ y.T)[ir]
    vx = ((x * x) @ my.T)[:, ic] - sx * sx / days
    vy = (mx @ (y * y).T)[ir] - sy * sy / days
    valid = (n >= MIN_COMMON_DAYS) & (vx > NO_COMMON_VARIANCE) & (vy > NO_COMMON_VARIANCE)
    scale = np.sqrt(np.where(valid, vx * vy, 1.0))
    return np.where(valid, (x @ y.T - sx * sy / days) / scale, 0.0)


def dependence(data: TestInput) -> Dependence:
    """Mean correlation of the events with a CAR; computed once for each TestInput."""

    def compute() -> Dependence:
        usable = usable_events(data)
        return mean_correlation(
            usable.abnormal.residuals, usable.abnormal.estimation_dates, usable.tested_dates
        )

    return memo(data, "dependence", compute)


def clustering(data: TestInput) -> Clustering:
    """Describe how strongly the events of a tested window depend on each other.

    Parameters
    ----------
    data : TestInput
        Events and tested window.

    Returns
    -------
    Clustering

    Raises
    ------
    RequestError
        If no event has a CAR in the tested window.
    """
    usable = usable_events(data)
    n = usable.n_events
    if n == 0:
        raise RequestError(
            f"No event has a CAR in window {data.window}; ask for a window in which securities trade."
        )
    found = dependence(data)
    inflation = 1.0 + (n - 1) * found.mean_correlation
    return Clustering(
        n_events=n,
        n_dates=n_windows(data),
        n_overlapping_pairs=found.n_overlapping_pairs,
        mean_correlation=found.mean_correlation,
        effective_n=n / inflation if inflation > NEGLIGIBLE else float("nan"),
    )
