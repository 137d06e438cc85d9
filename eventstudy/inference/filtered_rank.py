"""Rank test on errors over their own volatility, whose scores have fat tails: independent events.

Formulas and sources: docs/methods/ranks.md, eqs. (filtered-rank-value) and (filtered-rank).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.distributions import t_ppf
from eventstudy.immutable import read_only
from eventstudy.inference.base import Options, Statistic, TestInput, p_value
from eventstudy.inference.engine.filtered_past import (
    ENDS_EARLY,
    FEWEST_DAYS,
    ewma_volatility,
    no_forecast,
    past_errors,
)
from eventstudy.inference.engine.moments import rounding_noise
from eventstudy.inference.engine.rank_kernel import ranks_among
from eventstudy.inference.engine.unchanged_prices import unchanged_days, unchanged_return
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.lazy import memo

__all__ = ["FILTERED_RANK_TESTS", "fat_tailed_score", "score_variance"]

#: Degrees of freedom of the t whose quantiles are the scores; daily returns have tails about as fat.
SCORE_DOF = 5


def fat_tailed_score(ranks: FloatArray) -> FloatArray:
    r"""Turn scaled ranks into quantiles of a t with five degrees of freedom.

    .. math:: a(U) = F_{t(5)}^{-1}(U + 1/2)

    Parameters
    ----------
    ranks : array
        As of `scaled_ranks`, ``K / (T + 1) - 1/2``; NaN where missing.

    References
    ----------
    Scores by quantiles, of the normal distribution: van der Waerden (1952), Indagationes Mathematicae 14,
    453-458; docs/methods/ranks.md, eq. (filtered-rank).

    Examples
    --------
    >>> fat_tailed_score(np.array([0.0, 0.475])).round(3).tolist()
    [0.0, 2.571]
    """
    return np.asarray(t_ppf(ranks + 0.5, SCORE_DOF))


@lru_cache(maxsize=1024)
def score_variance(size: int) -> float:
    """Variance of the score of a rank drawn from 1 to `size`; its mean is zero.

    Examples
    --------
    >>> round(score_variance(250), 3)
    1.487
    """
    return float(np.mean(fat_tailed_score(np.arange(1, size + 1) / (size + 1.0) - 0.5) ** 2))


@lru_cache(maxsize=64)
def _sums_of_scores(size: int) -> tuple[FloatArray, FloatArray]:
    """Sum the first k scores of ranks 1 to `size`, and their squares, for each k; shape (size + 1,)."""
    scores = fat_tailed_score(np.arange(1, size + 1) / (size + 1.0) - 0.5)
    first, second = (np.concatenate([[0.0], np.cumsum(each)]) for each in (scores, scores**2))
    return read_only(first), read_only(second)


@dataclass(frozen=True)
class _Past:
    """The past of N events, each day over the volatility forecast for it.

    Attributes
    ----------
    filtered : array, shape (N, T)
        NaN where missing.
    days : array of int, shape (N,)
        Past days that are there.
    volatility : array, shape (N,)
        Forecast for the first day of the tested window.
    unchanged : array of bool, shape (N, T), or None
        Days that repeat the abnormal return of an unchanged price; None where none is known to.
    """

    filtered: FloatArray
    days: IntArray
    volatility: FloatArray
    unchanged: BoolArray | None

    @classmethod
    def of(cls, errors: FloatArray, unchanged: BoolArray | None) -> _Past:
        """Put past errors, shape (N, T), over their own volatility."""
        volatility = ewma_volatility(errors.T).T
        forecast = volatility[:, :-1]
        filtered = np.divide(errors, forecast, out=np.full(errors.shape, np.nan), where=forecast > 0)
        return cls(filtered, (~np.isnan(filtered)).sum(axis=1), volatility[:, -1], unchanged)

    def scores(self, data: TestInput, rows: slice = slice(None)) -> _Scores:
        """Scores of the tested days of these events, `rows` of all, among past and tested days."""
        scale = self.volatility[:, None]
        tested = _tested(data, rows)
        over = np.divide(tested, scale, out=np.full(tested.shape, np.nan), where=scale > 0)
        if self.unchanged is None:
            return _Scores.of(ranks_among(self.filtered, over), self.days)
        # Over its own volatility, each day without a price change would have another value, and its rank
        # would tell of the volatility. In the scale of the tested days all have the same.
        past, there = self.filtered.copy(), self.unchanged & ~np.isnan(self.filtered)
        some = np.flatnonzero(there.any(axis=1))
        value = unchanged_return(data.abnormal, data.cols, rows, _widening(data, rows))
        value = np.divide(value, self.volatility, out=np.full(len(value), np.nan), where=self.volatility > 0)
        past[some] = np.where(there[some], value[some, None], past[some])
        over[some] = np.where(_tested_unchanged(data, rows)[some], value[some, None], over[some])
        found = _Scores.of(ranks_among(past, over), self.days)
        below, tied = (
            sum(np.count_nonzero(compare(each[some], value[some, None]), axis=1) for each in (past, over))
            for compare in (np.less, np.equal)
        )
        found.recentre(some, (self.days + found.count)[some], below, tied)
        return found


@dataclass(frozen=True)
class _Scores:
    """Scores of the tested days of N events, summed.

    Attributes
    ----------
    ranks : array, shape (N, L)
        Scaled ranks; NaN where missing.
    total, variance : arrays, shape (N,)
        Sum of the scores of each event, less its mean, and its variance as scores are drawn without
        replacement.
    count : array of int, shape (N,)
        Tested days.
    share : array, shape (N,)
        What the variance of one score is multiplied by.
    """

    ranks: FloatArray
    total: FloatArray
    variance: FloatArray
    count: IntArray
    share: FloatArray

    @classmethod
    def of(cls, ranks: FloatArray, days: IntArray) -> _Scores:
        """Sum the scores of tested days, given their ranks among themselves and `days` past ones."""
        seen = ~np.isnan(ranks)
        tested = seen.sum(axis=-1)
        sizes = days + tested
        known, at = np.unique(sizes, return_inverse=True)
        each = np.array([score_variance(int(size)) for size in known])[at].reshape(sizes.shape)
        total = np.where(seen, fat_tailed_score(ranks), 0.0).sum(axis=-1)
        share = tested * days / (sizes - 1.0)
        return cls(ranks, total, share * each, tested, share)

    @classmethod
    def joined(cls, parts: Sequence[_Scores]) -> _Scores:
        """Join the scores of parts of the events."""
        columns = zip(*((p.ranks, p.total, p.variance, p.count, p.share) for p in parts), strict=True)
        return cls(*(np.concatenate(each) for each in columns))

    def recentre(self, rows: IntArray, sizes: IntArray, below: IntArray, tied: IntArray) -> None:
        """Allow for ties of some events: `tied` of their `sizes` days share a rank, above `below` others.

        The mean of all scores is then no longer zero, and their variance smaller.
        """
        shared = fat_tailed_score((below + (tied + 1) / 2.0) / (sizes + 1.0) - 0.5)
        mean, square = tied * shared, tied * shared**2
        for size in np.unique(sizes).tolist():
            here = sizes == size
            first, second = _sums_of_scores(size)
            ends = (below + tied)[here], below[here]
            mean[here] -= first[ends[0]] - first[ends[1]]
            square[here] += second[-1] - (second[ends[0]] - second[ends[1]])
        mean, square = mean / sizes, square / sizes
        self.total[rows] -= self.count[rows] * mean
        self.variance[rows] = self.share[rows] * (square - mean**2)


def _tested(data: TestInput, rows: slice = slice(None)) -> FloatArray:
    """Abnormal returns of the tested days, less dispersed by their parameter error and the days they span."""
    return data.abnormal.ar[rows, data.cols] / _widening(data, rows)


def _tested_unchanged(data: TestInput, rows: slice) -> BoolArray:
    """Find the tested days with the abnormal return of an unchanged price, shape (n, L)."""
    fit = data.abnormal
    value, noise = unchanged_return(fit, data.cols, rows), rounding_noise(fit.s2[rows])
    return np.asarray(np.abs(fit.ar[rows, data.cols] - value[:, None]) <= noise[:, None])


def _widening(data: TestInput, rows: slice) -> FloatArray:
    fit = data.abnormal
    return np.asarray(np.sqrt(fit.variance_of(rows, data.cols) / fit.s2[rows, None]))


def _past_unchanged(data: TestInput, residuals: FloatArray, rows: slice = slice(None)) -> BoolArray | None:
    """Past days that repeat the abnormal return of an unchanged price, as `_Past` has them."""
    fit = data.abnormal
    if unchanged_days(fit) is None:
        return None
    errors = past_errors(data, residuals, rows, scaled=False)
    value, noise = unchanged_return(fit, data.cols, rows), rounding_noise(fit.s2[rows])
    found = np.abs(errors - value[:, None]) <= noise[:, None]
    return found if found.any() else None


def _found(data: TestInput) -> tuple[_Scores, IntArray, FloatArray]:
    """Scores of the tested days, past days and volatility of each event."""

    def compute() -> tuple[_Scores, IntArray, FloatArray]:
        parts = []
        for rows in lazy.chunks(data.abnormal.n_events):
            residuals = data.abnormal.past.residuals(rows)
            past = _Past.of(past_errors(data, residuals, rows), _past_unchanged(data, residuals, rows))
            parts.append((past.scores(data, rows), past.days, past.volatility))
        scores, days, volatility = zip(*parts, strict=True)
        return _Scores.joined(scores), np.concatenate(days), np.concatenate(volatility)

    return memo(data, "filtered_rank", compute)


def _shortage(data: TestInput) -> str | None:
    reason = no_forecast(data.abnormal)
    if reason is not None:
        return reason
    _, days, volatility = _found(data)
    if not (volatility > 0).all():
        return "abnormal returns of an event do not vary before it"
    return None if days.min() >= FEWEST_DAYS else f"an event has only {days.min()} past days"


def _filtered_rank(data: TestInput, options: Options) -> Statistic:
    scores, _, _ = _found(data)
    z = float(scores.total.sum() / np.sqrt(scores.variance.sum()))
    note = "ranks among past days, each over its own volatility"
    note += ENDS_EARLY if data.abnormal.between is None else ""
    return Statistic(
        z, p_value(z, options.alternative), "normal", None, float(np.nanmean(scores.ranks)), note
    )


def _filtered_rank_of(samples: Samples, options: Options) -> Statistics:
    data = samples.data
    past = samples.past(
        "filtered_rank", lambda: _Past.of(samples.past_errors, _past_unchanged(data, samples.residuals))
    )
    scores = past.scores(data)
    ranks = scores.ranks
    total, variance = (samples.by_sample(each).sum(axis=1) for each in (scores.total, scores.variance))
    z = np.divide(total, np.sqrt(variance), out=np.full(total.shape, np.nan), where=variance > 0)
    enough = (past.days >= FEWEST_DAYS) & (past.volatility > 0)
    sound = enough.reshape(ranks.shape[0] // samples.size, -1).all(axis=1)
    estimate = samples.by_sample(ranks.mean(axis=1)).mean(axis=1)
    return Statistics.of(z, options, estimate, where=sound)


FILTERED_RANK_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "filtered_rank", "Filtered rank test",
        "the tested days rank like past days, each over its own volatility", "N(0,1)",
        frozenset({"non-normality"}),
        "Corrado (1989); van der Waerden (1952); Barone-Adesi, Giannopoulos and Vosper (1999)",
        _filtered_rank, condition=_shortage, needs_variance=True, rows_alike=True, batch=_filtered_rank_of,
    ),
)  # fmt: skip
