"""Correlations of the events of many samples: only pairs whose tested windows share a day are looked at."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.dependence.pairs import MIN_COMMON_DAYS, NO_VARIANCE, correlate
from eventstudy.inference.samples import Dates, Samples

__all__ = ["mean_correlations", "near_dates", "pair_correlations"]

#: Pairs whose windows are held at a time, and numbers of a matrix of correlations.
PAIRS, HELD = 2048, 2**21
#: Pairs of events of two dates from which on a product of matrices costs less than they do one by one.
CROWDED = 64


def mean_correlations(samples: Samples) -> FloatArray:
    """Mean correlation of the events of each sample, as `mean_correlation` has that of one; shape (M,).

    Pairs of one date come from sums and products of their residuals, those of neighbouring dates one by one.
    """
    return samples.past("mean_correlations", lambda: _mean_correlations(samples))


def near_dates(dates: Dates, length: int) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of different dates of one sample whose windows of `length` days share some.

    Returns
    -------
    first, second, lag : arrays of int, shape (P,)
        The earlier and the later date, and the sessions between them, fewer than `length`.
    """
    pairs, step = [], 1
    while step < length:
        apart = dates.session[step:] - dates.session[:-step]
        first = np.flatnonzero(apart < length)
        if not len(first):
            break
        pairs.append((first, first + step, apart[first]))
        step += 1
    if not pairs:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    first, second, lag = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return first, second, lag


def pair_correlations(values: FloatArray, first: IntArray, second: IntArray, lag: IntArray) -> FloatArray:
    """Correlations of pairs of rows on their common days, 0 where undefined; shape (P,).

    Parameters
    ----------
    values : array, shape (N, W)
        Series; NaN where missing.
    first, second, lag : arrays of int, shape (P,)
        Rows, of which the second begins `lag` days after the first.
    """
    held, at = np.unique(np.concatenate([first, second]), return_inverse=True)
    first, second = at[: len(first)], at[len(first) :]
    z = _standardised(values[held])
    out = np.empty(len(first))
    width = z.shape[1]
    for days in np.unique(lag).tolist():
        alike = np.flatnonzero(lag == days)
        for begin in range(0, len(alike), PAIRS):
            pairs = alike[begin : begin + PAIRS]
            x, y = z[first[pairs], days:], z[second[pairs], : max(width - days, 0)]
            common = ~np.isnan(x + y)
            if not common.all():
                x, y = np.where(common, x, 0.0), np.where(common, y, 0.0)
            out[pairs] = correlate(
                common.sum(axis=1).astype(np.float64),
                x.sum(axis=1),
                np.vecdot(x, x),
                y.sum(axis=1),
                np.vecdot(y, y),
                np.vecdot(x, y),
            )
    return out


def _standardised(values: FloatArray) -> FloatArray:
    """Rows less their mean over their root sum of squares, 0 without variance; NaN stays NaN."""
    missing = np.isnan(values)
    count = np.maximum((~missing).sum(axis=1), 1)
    known = np.where(missing, 0.0, values)
    largest = np.abs(known).max(axis=1, initial=0.0)
    z = values - (known.sum(axis=1) / count)[:, None]
    held = np.where(missing, 0.0, z)
    size = np.sqrt(np.vecdot(held, held))
    size[size <= NO_VARIANCE * np.sqrt(count) * largest] = np.inf
    return np.asarray(z / size[:, None])


def _mean_correlations(samples: Samples) -> FloatArray:
    dates, n = samples.dates, samples.size
    total = np.zeros(samples.n_samples)
    if n == 1:
        return total
    np.add.at(total, dates.sample, _within_dates(samples.residuals, dates))
    length = len(samples.data.window)
    a, b, lag = near_dates(dates, length)
    crowded = dates.sizes[a] * dates.sizes[b] > CROWDED
    for first_date, second_date, days in zip(a[crowded], b[crowded], lag[crowded].tolist(), strict=True):
        x, y = (
            _standardised(samples.residuals[dates.order[dates.start[d] + np.arange(dates.sizes[d])]])
            for d in (first_date, second_date)
        )
        related = _correlations(x[:, days:], y[:, : max(y.shape[1] - days, 0)])
        total[dates.sample[first_date]] += (1.0 - days / length) * related.sum()
    a, b, lag = a[~crowded], b[~crowded], lag[~crowded]
    number, place = _members(dates.sizes[a] * dates.sizes[b])
    one, other = np.divmod(place, dates.sizes[b][number])
    first, second = (dates.order[dates.start[d][number] + k] for d, k in ((a, one), (b, other)))
    found = pair_correlations(samples.residuals, first, second, lag[number])
    total += np.bincount(first // n, (1.0 - lag[number] / length) * found, minlength=len(total))
    return np.asarray(total / (n * (n - 1) / 2))


def _within_dates(residuals: FloatArray, dates: Dates) -> FloatArray:
    """Sum of the correlations of the pairs of events of each date, shape (G,)."""
    found = np.zeros(len(dates.start))
    missing = np.flatnonzero(np.isnan(residuals).any(axis=1))
    holed = np.bincount(dates.label[missing], minlength=len(found)) > 0
    for size in np.unique(dates.sizes[dates.sizes > 1]).tolist():
        for part in (holed, ~holed):
            which = np.flatnonzero(part & (dates.sizes == size))
            step = max(1, HELD // size**2)
            for begin in range(0, len(which), step):
                some = which[begin : begin + step]
                events = dates.order[dates.start[some][:, None] + np.arange(size)]
                z = _standardised(residuals[events.ravel()]).reshape(len(some), size, -1)
                found[some] = _pairs_with_gaps(z) if part is holed else _pairs_of(z)
    return found


def _pairs_of(z: FloatArray) -> FloatArray:
    """Sum of the correlations of the pairs of standardised rows without gaps, (G, n, W) -> (G,)."""
    sums = z.sum(axis=1)
    pairs = (np.vecdot(sums, sums) - np.vecdot(z, z).sum(axis=1)) / 2.0
    return np.asarray(pairs if z.shape[2] >= MIN_COMMON_DAYS else np.zeros(len(z)))


def _pairs_with_gaps(z: FloatArray) -> FloatArray:
    """Sum the correlations of the pairs of rows on their common days, (G, n, W) -> (G,); NaN are gaps."""
    above = np.triu_indices(z.shape[1], 1)
    return np.asarray(_correlations(z, z)[:, above[0], above[1]].sum(axis=1))


def _correlations(x: FloatArray, y: FloatArray) -> FloatArray:
    """Correlations of the rows of x with those of y on their common days, (..., n, W) and (..., m, W)."""
    seen_x, seen_y = (np.logical_not(np.isnan(values)).astype(np.float64) for values in (x, y))
    x, y = np.where(seen_x > 0, x, 0.0), np.swapaxes(np.where(seen_y > 0, y, 0.0), -2, -1)
    days = np.swapaxes(seen_y, -2, -1)
    return correlate(seen_x @ days, x @ days, x**2 @ days, seen_x @ y, seen_x @ y**2, x @ y)


def _members(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return the group of each member of groups of `counts` members, and its place there from 0 on."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
