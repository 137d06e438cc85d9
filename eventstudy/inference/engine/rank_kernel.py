"""Ranks of each event's returns among its own days, of many events at a time.

In a pass, several sets of event days are sorted together with the estimation days. Ranks among the estimation
days and the days of one set follow from counts of both along that order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.engine.joint_ranks import JointRanks, PartOfSums, Scratch, median_signs
from eventstudy.inference.engine.moments import NEGLIGIBLE
from eventstudy.inference.engine.residual_pass import Reduction, ResidualChunk
from eventstudy.inference.engine.unchanged_prices import tie_with_past

__all__ = [
    "RankProfile",
    "RankReducer",
    "RankedDays",
    "SignProfile",
    "rank_profile",
    "ranks_among",
    "scaled_ranks",
    "sign_profile",
]


def scaled_ranks(values: FloatArray) -> FloatArray:
    r"""Rank each row among its own T_i values: ``K / (T_i + 1) - 1/2``, ties get the average rank.

    Parameters
    ----------
    values : array, shape (N, T)
        NaN where missing, which stays NaN (Corrado and Zivney 1992).

    References
    ----------
    Corrado and Zivney (1992), Journal of Financial and Quantitative Analysis 27, 465-478;
    docs/methods/ranks.md, eq. (scaled-ranks).

    Examples
    --------
    >>> scaled_ranks(np.array([[0.3, np.nan, 0.1, 0.2]])).tolist()
    [[0.25, nan, -0.25, 0.0]]
    """
    missing = np.isnan(values)
    # What is missing ranks last, beyond every value, and so moves no other rank.
    ranks = scipy.stats.rankdata(np.where(missing, np.inf, values), axis=1)
    ranks /= (~missing).sum(axis=1, keepdims=True) + 1.0
    ranks -= 0.5
    ranks[missing] = np.nan
    return np.asarray(ranks, dtype=np.float64)


def ranks_among(past: FloatArray, values: FloatArray) -> FloatArray:
    """Scaled ranks of values among those of the past and each other, as `scaled_ranks` has them.

    Counting them is faster than sorting the past where the values are few.

    Parameters
    ----------
    past : array, shape (N, T)
    values : array, shape (N, L)
        NaN where missing, which stays NaN.

    Examples
    --------
    >>> ranks_among(np.array([[0.3, np.nan, 0.1]]), np.array([[0.2, 0.2]])).tolist()
    [[0.0, 0.0]]
    """
    ranks = np.empty(values.shape)
    for column, each in enumerate(values.T[:, :, None]):
        below, same = (
            np.count_nonzero(compare(past, each), axis=1) + np.count_nonzero(compare(values, each), axis=1)
            for compare in (np.less, np.equal)
        )
        ranks[:, column] = below + (same + 1) / 2.0
    sizes = (~np.isnan(past)).sum(axis=1) + (~np.isnan(values)).sum(axis=1)
    ranks /= sizes[:, None] + 1.0
    return np.where(np.isnan(values), np.nan, ranks - 0.5)


@dataclass(frozen=True)
class RankProfile:
    """Scaled ranks of N events over T days, estimation days first, reduced to what the tests need.

    Profiles of several samples have leading axes (...).

    Attributes
    ----------
    mean : array, shape (..., T)
        Average scaled rank of the available events of each day; NaN where there is none.
    tested : array, shape (..., N, L)
        Scaled ranks of the tested days.
    tested_columns : slice
        Where the tested days are in `mean`.
    sizes : array of int, shape (..., N)
        Days T_i that event i is ranked among.
    tied : array, shape (..., N)
        Variance of the ranks of event i over what it is without ties; 1 where there are none.
    spread : float, or array, shape (...)
        ``S``, the root of the mean over days of ``(n_t / N) mean_t^2``; 0 if rounding noise.
    n_days, n_tested : int, or arrays, shape (...)
        Days, and tested days, on which some event is ranked.
    """

    mean: FloatArray
    tested: FloatArray
    tested_columns: slice
    sizes: IntArray
    tied: FloatArray
    spread: FloatArray
    n_days: IntArray
    n_tested: IntArray

    @property
    def tested_sum(self) -> FloatArray:
        """Sum of the average scaled ranks of the tested days, shape (...)."""
        means = self.mean[..., self.tested_columns]
        total: FloatArray = np.where(np.isnan(means), 0.0, means).sum(axis=-1)
        return total

    @classmethod
    def of(
        cls,
        total: FloatArray,
        count: IntArray,
        tested: FloatArray,
        columns: slice,
        sizes: IntArray,
        squares: FloatArray,
    ) -> RankProfile:
        """Make the profile of the sums over events of their scaled ranks, and of how many they are.

        `squares`, shape (..., N), are the sums of squares of the scaled ranks of each event, NaN where
        none tie.
        """
        known, n = count > 0, sizes.shape[-1]
        mean = np.where(known, total / np.maximum(count, 1), np.nan)
        n_days = known.sum(axis=-1)
        s = np.sqrt((count / n * np.where(known, mean, 0.0) ** 2).sum(axis=-1) / n_days)
        # A pair that ties takes 6 / (T^3 - T) from the ratio; less is rounding noise.
        ratio = squares * 12.0 * (sizes + 1.0) / np.maximum(sizes * (sizes - 1.0), 1.0)
        tied = np.where(ratio < 1.0 - 3.0 / np.maximum(sizes, 1.0) ** 3, ratio, 1.0)
        # Scaled ranks lie within +-1/2, so this is the size of their rounding noise.
        spread = np.where(s > NEGLIGIBLE, s, 0.0)[()]
        return cls(mean, tested, columns, sizes, tied, spread, n_days, known[..., columns].sum(axis=-1))


@dataclass(frozen=True)
class SignProfile:
    """Signs of N events about their medians over T days, estimation days first.

    Attributes
    ----------
    total, count : arrays, shape (..., T)
        Sum of the signs of each day, and the events that have a return on it.
    """

    total: FloatArray
    count: IntArray


def rank_profile(estimation: FloatArray, event: FloatArray, tested: slice) -> RankProfile:
    """Rank each event over its estimation days and event days together.

    Parameters
    ----------
    estimation : array, shape (N, W)
    event : array, shape (N, L)
        Abnormal returns to be ranked, in the same units; NaN where missing.
    tested : slice
        The tested columns of `event`; the others are ranked all the same.
    """
    width = estimation.shape[1]
    start, stop, _ = tested.indices(event.shape[1])
    columns = slice(width + start, width + stop)
    ranks = scaled_ranks(np.concatenate([estimation, event], axis=1))
    seen = ~np.isnan(ranks)
    known, sizes = np.where(seen, ranks, 0.0), seen.sum(axis=1)
    squares = np.einsum("nt,nt->n", known, known)
    total, count = known.sum(axis=0), seen.sum(axis=0)
    return RankProfile.of(total, count, ranks[:, columns], columns, sizes, squares)


def sign_profile(estimation: FloatArray, event: FloatArray) -> SignProfile:
    """Signs of each event about the median of its estimation days and event days together.

    Parameters
    ----------
    estimation, event : arrays, shape (N, W) and (N, L)
        NaN where missing.
    """
    signs = median_signs(np.concatenate([estimation, event], axis=1))
    seen = ~np.isnan(signs)
    return SignProfile(np.where(seen, signs, 0.0).sum(axis=0), seen.sum(axis=0))


@dataclass(frozen=True)
class RankedDays:
    """A set of event days, to be ranked among the estimation days of each event.

    Attributes
    ----------
    shape : (int, int)
        Events N and days L.
    values : callable
        Events, by position -> their returns, shape (n, L), in the unit of the estimation days; NaN where
        missing.
    tested : slice
        The tested days; the others are ranked all the same.
    signs : bool
        Whether signs about the median are wanted rather than mean ranks.
    unscaled : callable, optional
        Events, by position -> what `tie_with_past` takes, shape (n, L), where `values` have a scale of their
        own and some of these days have no price change.
    """

    shape: tuple[int, int]
    values: Callable[[IntArray], FloatArray]
    tested: slice
    signs: bool = False
    unscaled: Callable[[IntArray], FloatArray] | None = None


class _Profile:
    """What is kept for a set of event days."""

    def __init__(self, ranked: RankedDays, width: int, size: int | None = None) -> None:
        n, length = ranked.shape
        start, stop, _ = ranked.tested.indices(length)
        self.place = slice(width + start, width + stop)
        self.signs, self.size = ranked.signs, size
        shape = (width + length,) if size is None else (n // size, width + length)
        self.total, self.count = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        self.tested: FloatArray = np.empty((n, stop - start))
        self.sizes: IntArray = np.empty(n, dtype=np.int64)
        self.squares: FloatArray = np.full(n, np.nan)

    def add(self, rows: IntArray, part: PartOfSums) -> None:
        into: Any = slice(None) if self.size is None else rows[:: self.size] // self.size
        self.total[into] += part.total
        self.count[into] += part.count
        if part.tested is not None and part.sizes is not None:
            self.tested[rows], self.sizes[rows] = part.tested, part.sizes
        if part.squares is not None:
            self.squares[rows] = part.squares

    def result(self) -> RankProfile | SignProfile:
        if self.signs:
            return SignProfile(self.total, self.count)
        tested, sizes, squares = self.tested, self.sizes, self.squares
        if self.size is not None:
            tested = tested.reshape(-1, self.size, tested.shape[1])
            sizes, squares = sizes.reshape(-1, self.size), squares.reshape(-1, self.size)
        return RankProfile.of(self.total, self.count, tested, self.place, sizes, squares)


class RankReducer(Reduction[dict[str, RankProfile | SignProfile]]):
    """Rank sets of event days, each among the estimation days.

    Parameters
    ----------
    sets : mapping of str to RankedDays
        Of N events each. Sets with the same function `values` are ranked once.
    scale : array, shape (N,), optional
        What the residuals of each event are divided by.
    size : int, optional
        Events of a sample, where profiles of samples are wanted; chunks are then of whole samples.
    """

    def __init__(
        self, sets: Mapping[str, RankedDays], scale: FloatArray | None = None, size: int | None = None
    ) -> None:
        self.sets, self.scale, self.size = sets, scale, size
        self.profiles: dict[str, _Profile] = {}
        self.scratch = Scratch()

    def map(self, chunk: ResidualChunk) -> tuple[IntArray, int, dict[str, PartOfSums]]:  # noqa: D102
        n, width = chunk.residuals.shape
        # Estimation days and the event days of all sets side by side, one row per event.
        days = {ranked.values: ranked.shape[1] for ranked in self.sets.values()}
        values = self.scratch.array("values", (n, width + sum(days.values())), np.float64)
        if self.scale is None:
            values[:, :width] = chunk.residuals
        else:
            np.divide(chunk.residuals, self.scale[chunk.rows][:, None], out=values[:, :width])
        ends = np.cumsum([width, *days.values()]).tolist()
        columns = dict(zip(days, itertools.starmap(slice, itertools.pairwise(ends)), strict=True))
        for compute, place in columns.items():
            values[:, place] = compute(chunk.rows)
        for ranked in self.sets.values():
            if ranked.unscaled is not None:
                event = values[:, columns[ranked.values]]
                tie_with_past(values[:, :width], event, ranked.unscaled(chunk.rows))
        made = {
            name: (number, ranked)
            for number, compute in enumerate(columns, 1)
            for name, ranked in self.sets.items()
            if ranked.values == compute
        }
        signs = sorted({number for number, ranked in made.values() if ranked.signs})
        unit = None if self.scale is None else 1.0
        sets = [slice(0, width), *columns.values()]
        joint = JointRanks(values, chunk.missing, sets, signs, unit, self.scratch, keep=self.size is not None)
        parts = {name: self._part(joint, number, ranked) for name, (number, ranked) in made.items()}
        return chunk.rows, width, parts

    def _part(self, joint: JointRanks, number: int, ranked: RankedDays) -> PartOfSums:
        if self.size is None:
            return joint.signs(number) if ranked.signs else joint.mean_ranks(number, ranked.tested)
        if ranked.signs:
            return joint.sample_signs(number, self.size)
        return joint.sample_ranks(number, ranked.tested, self.size)

    def update(self, mapped: tuple[IntArray, int, dict[str, PartOfSums]]) -> None:  # noqa: D102
        rows, width, made = mapped
        for name, part in made.items():
            if name not in self.profiles:
                self.profiles[name] = _Profile(self.sets[name], width, self.size)
            self.profiles[name].add(rows, part)

    def result(self) -> dict[str, RankProfile | SignProfile]:  # noqa: D102
        return {name: profile.result() for name, profile in self.profiles.items()}
