"""Rank test on errors over their own volatility, whose scores have fat tails: independent events.

Formulas and sources: docs/methods/ranks.md, eqs. (filtered-rank-value) and (filtered-rank).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from eventstudy import lazy
from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import t_ppf
from eventstudy.inference.base import Options, Statistic, TestInput, p_value
from eventstudy.inference.engine.filtered_past import (
    ENDS_EARLY,
    FEWEST_DAYS,
    ewma_volatility,
    no_forecast,
    past_errors,
)
from eventstudy.inference.engine.rank_kernel import ranks_among
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
    """

    filtered: FloatArray
    days: IntArray
    volatility: FloatArray

    @classmethod
    def of(cls, errors: FloatArray) -> _Past:
        """Put past errors, shape (N, T), over their own volatility."""
        volatility = ewma_volatility(errors.T).T
        forecast = volatility[:, :-1]
        filtered = np.divide(errors, forecast, out=np.full(errors.shape, np.nan), where=forecast > 0)
        return cls(filtered, (~np.isnan(filtered)).sum(axis=1), volatility[:, -1])

    def ranks(self, tested: FloatArray) -> FloatArray:
        """Scaled ranks of tested errors, shape (N, L), among past and tested days."""
        scale = self.volatility[:, None]
        over = np.divide(tested, scale, out=np.full(tested.shape, np.nan), where=scale > 0)
        return ranks_among(self.filtered, over)


def _tested(data: TestInput, rows: slice = slice(None)) -> FloatArray:
    """Abnormal returns of the tested days, less dispersed by their parameter error and the days they span."""
    fit = data.abnormal
    widened = fit.variance_of(rows, data.cols) / fit.s2[rows, None]
    return np.asarray(fit.ar[rows, data.cols] / np.sqrt(widened))


def _sum_of_scores(ranks: FloatArray, days: IntArray) -> tuple[FloatArray, FloatArray]:
    """Sum of the scores of each event, and its variance as they are drawn without replacement."""
    seen = ~np.isnan(ranks)
    tested = seen.sum(axis=-1)
    sizes = days + tested
    known, at = np.unique(sizes, return_inverse=True)
    each = np.array([score_variance(int(size)) for size in known])[at].reshape(sizes.shape)
    total = np.where(seen, fat_tailed_score(ranks), 0.0).sum(axis=-1)
    return total, tested * days / (sizes - 1.0) * each


def _found(data: TestInput) -> tuple[FloatArray, IntArray, FloatArray]:
    """Scaled ranks of the tested days, past days and volatility of each event."""

    def compute() -> tuple[FloatArray, IntArray, FloatArray]:
        parts = []
        for rows in lazy.chunks(data.abnormal.n_events):
            past = _Past.of(past_errors(data, data.abnormal.past.residuals(rows), rows))
            parts.append((past.ranks(_tested(data, rows)), past.days, past.volatility))
        ranks, days, volatility = (np.concatenate(each) for each in zip(*parts, strict=True))
        return ranks, days, volatility

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
    ranks, days, _ = _found(data)
    total, variance = _sum_of_scores(ranks, days)
    z = float(total.sum() / np.sqrt(variance.sum()))
    note = "ranks among past days, each over its own volatility"
    note += ENDS_EARLY if data.abnormal.between is None else ""
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(np.nanmean(ranks)), note)


def _filtered_rank_of(samples: Samples, options: Options) -> Statistics:
    data = samples.data
    past = samples.past("filtered_rank", lambda: _Past.of(samples.past_errors))
    ranks = past.ranks(_tested(data))
    total, variance = (samples.by_sample(each).sum(axis=1) for each in _sum_of_scores(ranks, past.days))
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
