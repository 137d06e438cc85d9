"""Correlations of the events of many samples: only pairs whose tested windows share a day are looked at."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.inference.base import Dates, Samples
from eventstudy.inference.dependence.pairs import MIN_COMMON_DAYS, NO_VARIANCE, correlate

__all__ = ["mean_correlations", "near_dates", "pair_correlations"]

#: Pairs whose windows are held at a time.
PAIRS = 2048


def mean_correlations(samples: Samples) -> FloatArray:
    """Mean correlation of the events of each sample, as `mean_correlation` has that of one; shape (M,).

    Pairs of one date without missing days come from the sum of their residuals, the others one by one.
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
    dates, residuals, n = samples.dates, samples.residuals, samples.size
    if n == 1:
        return np.zeros(samples.n_samples)
    length = len(samples.data.window)
    whole: BoolArray = ~np.asarray(np.isnan(residuals).any(axis=1))
    total = np.zeros(samples.n_samples)
    # Pairs of one date.
    crowded = np.flatnonzero((dates.sizes[dates.label[dates.order]] > 1) & whole[dates.order])
    if len(crowded) and residuals.shape[1] >= MIN_COMMON_DAYS:
        events = dates.order[crowded]
        z = _standardised(residuals[events])
        label = dates.label[events]
        start = np.flatnonzero(np.diff(label, prepend=-1) != 0)
        sums = np.add.reduceat(z, start, axis=0)
        pairs = (np.vecdot(sums, sums) - np.add.reduceat(np.vecdot(z, z), start)) / 2.0
        np.add.at(total, dates.sample[label[start]], pairs)
    # Pairs of one date of which one misses days, and pairs of different dates.
    holed = np.zeros(len(dates.start), dtype=bool)
    holed[dates.label[~whole]] = True
    own = np.flatnonzero(holed & (dates.sizes > 1))
    a, b, lag = near_dates(dates, length)
    a, b = np.concatenate([own, a]), np.concatenate([own, b])
    lag = np.concatenate([np.zeros(len(own), dtype=np.int64), lag])
    number, place = _counted(dates.sizes[a] * dates.sizes[b])
    if len(number):
        one, other = np.divmod(place, dates.sizes[b][number])
        first, second = (dates.order[dates.start[d][number] + k] for d, k in ((a, one), (b, other)))
        apart = lag[number]
        kept = np.flatnonzero((apart > 0) | ((one < other) & ~(whole[first] & whole[second])))
        first, second, apart = first[kept], second[kept], apart[kept]
        share = 1.0 - apart / length
        found = share * pair_correlations(residuals, first, second, apart)
        total += np.bincount(first // n, found, minlength=len(total))
    return np.asarray(total / (n * (n - 1) / 2))


def _counted(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return the group of each member of groups of `counts` members, and its place there from 0 on."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
