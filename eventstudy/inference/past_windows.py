"""Windows of past days: what tests of signs and ranks would make of them, which hold no event.

Formulas: docs/methods/signs.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from eventstudy._typing import FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.distributions import norm_cdf, norm_ppf
from eventstudy.inference.base import TestInput
from eventstudy.inference.engine.moments import NEGLIGIBLE
from eventstudy.lazy import memo

__all__ = [
    "Misled",
    "PastWindows",
    "misled_by_past",
    "past_windows",
    "size_of_generalized_rank",
    "size_of_generalized_sign",
    "size_of_sign",
    "size_of_signed_rank",
]

#: Events whose past is looked at.
MOST_READ = 500
#: Fewer events, or past windows of an event, than this do not show a shape.
FEWEST = 4
#: Standard errors by which what was measured must be beyond doubt, and the size from which on it matters.
DOUBT, TOO_OFTEN = 2.0, 0.08
LEVEL = 0.05


class Measured(NamedTuple):
    """A mean over windows of past days, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, each: FloatArray) -> Measured:
        """Average windows, shape (events, windows), NaN where missing.

        The standard error is the larger of those over events and over the windows of a time, which events
        of one date share.
        """
        errors = []
        for axis in (0, 1):
            means = _mean(each, axis)
            means = means[~np.isnan(means)]
            if len(means) < FEWEST:
                return cls(float("nan"), float("nan"))
            errors.append(float(np.std(means, ddof=1) / np.sqrt(len(means))))
        return cls(float(np.nanmean(each)), max(errors))

    def at_least(self, null: float = 0.0) -> float:
        """Return the value that is nearest to the null and not in doubt."""
        apart = self.value - null
        return null + float(np.sign(apart)) * max(abs(apart) - DOUBT * self.error, 0.0)


@dataclass(frozen=True)
class PastWindows:
    """Windows of past days of some events, as long as the tested one.

    Attributes
    ----------
    length : int
        Days L.
    days, sums : Measured
        Share of days, and of sums over L days, that are positive; zeros count half.
    beyond_days : Measured
        The second less the first.
    pairs : Measured
        Share of sums of the windows of two events that are positive.
    rank : Measured
        Scaled rank of a sum, in units of its standard deviation, among the days of its event in theirs.
    spread : Measured
        Its mean square over that of the ranks of days.
    """

    length: int
    days: Measured
    sums: Measured
    beyond_days: Measured
    pairs: Measured
    rank: Measured
    spread: Measured


class Misled(NamedTuple):
    """Share of true nulls that a test at 5% would reject, and why."""

    size: float
    why: str


def misled_by_past(size_of: Callable[[PastWindows, int], Misled | None], data: TestInput) -> str:
    """Say why a test rejects too often on events with the past of these, and how often; "" if it does not."""
    used = data.with_car
    if used.n_events < FEWEST:
        return ""
    # A tuple, since None is not remembered.
    (past,) = memo(used, "past_windows", lambda: (past_windows(used.abnormal, len(used.window)),))
    found = None if past is None else size_of(past, used.n_events)
    if found is None:
        return ""
    return f"{found.why}, so it would reject about {found.size:.0%} of true nulls; rank and cumrank_t hold"


def past_windows(fit: AbnormalReturns, length: int) -> PastWindows | None:
    """Look at windows of past days; None where they are too few.

    Parameters
    ----------
    fit : AbnormalReturns
        Of many events, some hundreds are looked at, and none without a residual variance.
    length : int
        Days of a window.
    """
    rows = np.arange(0, fit.n_events, max(fit.n_events // MOST_READ, 1))
    rows = rows[fit.s2[rows] > 0]
    if len(rows) < FEWEST:
        return None
    sd = np.sqrt(fit.s2[rows])
    residuals = fit.past.residuals(rows) / sd[:, None]
    n_windows = residuals.shape[1] // length
    if n_windows < FEWEST:
        return None
    parts = residuals[:, residuals.shape[1] - n_windows * length :].reshape(len(rows), n_windows, length)
    # Days first: NumPy adds whole planes faster than short rows.
    parts = np.ascontiguousarray(parts.transpose(2, 0, 1))
    seen = ~np.isnan(parts)
    n_seen = seen.sum(axis=0)
    # A window of which half is missing says little of a whole one.
    sums = np.where(2 * n_seen >= length, np.where(seen, parts, 0.0).sum(axis=0), np.nan)
    if np.isnan(sums).all():
        return None
    days, above = _mean(_positive(parts), 0), _positive(sums)
    raw = sums * sd[:, None]
    rank, spread = Measured(0.0, 0.0), Measured(1.0, 0.0)
    if length > 1:
        ranks, square = _ranks(residuals, _standardised(sums, parts, n_seen))
        rank, spread = Measured.of(ranks), Measured.of(ranks**2 / square[:, None])
    return PastWindows(
        length=length,
        days=Measured.of(days),
        sums=Measured.of(above),
        beyond_days=Measured.of(above - days),
        pairs=Measured.of(_positive(raw + np.roll(raw, 1, axis=0))),
        rank=rank,
        spread=spread,
    )


def _mean(values: FloatArray, axis: int) -> FloatArray:
    count = (~np.isnan(values)).sum(axis=axis)
    total = np.nansum(values, axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _positive(values: FloatArray) -> FloatArray:
    """1 for positive values, 0 for negative ones, half for zeros; NaN stays."""
    signs: FloatArray = np.where(np.abs(values) <= NEGLIGIBLE, 0.5, np.where(values > 0, 1.0, 0.0))
    signs[np.isnan(values)] = np.nan
    return signs


def _standardised(sums: FloatArray, parts: FloatArray, n_seen: IntArray) -> FloatArray:
    """Divide sums of windows (L, n, K) by their standard deviation, shape (n, K).

    A window whose days all have one value, as where the price did not change, ranks as one of them.
    """
    scaled = sums / np.sqrt(np.maximum(n_seen, 1))
    scaled /= np.sqrt(np.nanmean(scaled**2))
    lowest, highest = np.fmin.reduce(parts), np.fmax.reduce(parts)
    same: FloatArray = np.where(highest - lowest <= NEGLIGIBLE, lowest, scaled)
    same[np.isnan(sums)] = np.nan
    return same


def _ranks(residuals: FloatArray, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scaled ranks of sums among the days of their event, and the mean square of those of its days."""
    ordered, n = np.sort(residuals, axis=1), (~np.isnan(residuals)).sum(axis=1)  # NaN last
    square = (n - 1.0) / (12.0 * (n + 1.0))
    tied = np.logical_or.reduce(np.diff(ordered, axis=1) <= NEGLIGIBLE, axis=1)
    ranks = np.empty(sums.shape)
    for i, (days, values) in enumerate(zip(ordered, sums, strict=True)):
        days = days[: n[i]]
        low, high = _places(days, values)
        ranks[i] = ((low + high) / 2 + 1) / (n[i] + 2) - 0.5
        if tied[i]:
            low, high = _places(days, days)
            square[i] = np.mean(((low + high + 1) / (2 * (n[i] + 1)) - 0.5) ** 2)
    ranks[np.isnan(sums)] = np.nan
    return ranks, square


def _places(ordered: FloatArray, values: FloatArray) -> tuple[IntArray, IntArray]:
    """How many of some numbers lie below each value, and how many do or tie with it."""
    return np.searchsorted(ordered, values - NEGLIGIBLE), np.searchsorted(ordered, values + NEGLIGIBLE)


def _two_sided(shift: float, scale: float = 1.0) -> float:
    """Rejections at 5% of a statistic that is N(shift, scale^2)."""
    bound = norm_ppf(1.0 - LEVEL / 2)
    return float(norm_cdf((-bound - shift) / scale) + norm_cdf((-bound + shift) / scale))


def _misled(
    size: Callable[..., float], measured: list[Measured], nulls: list[float], why: str
) -> Misled | None:
    """Tell whether a test rejects too often by what is beyond doubt, and how often by what was measured."""
    least = size(*(each.at_least(null) for each, null in zip(measured, nulls, strict=True)))
    return Misled(size(*(each.value for each in measured)), why) if least >= TOO_OFTEN else None


def size_of_sign(past: PastWindows, n: int) -> Misled | None:
    """Rejections of a test that half of n CARs are positive."""
    counts = np.arange(n // 2 + 1)
    rejected = counts[2 * scipy.special.bdtr(counts, n, 0.5) <= LEVEL]
    if not len(rejected):
        return None

    def size(share: float) -> float:
        return float(sum(scipy.special.bdtr(rejected[-1], n, each) for each in (share, 1.0 - share)))

    return _misled(size, [past.sums], [0.5], f"{_positive_windows(past)}, not half")


def size_of_generalized_sign(past: PastWindows, n: int) -> Misled | None:
    """Rejections of a test that n CARs are as often positive as past days."""
    expected = past.days.value
    if past.length == 1 or not 0.0 < expected < 1.0:
        return None

    def size(beyond: float) -> float:
        share = min(max(expected + beyond, 1e-6), 1.0 - 1e-6)
        own = np.sqrt(expected * (1.0 - expected))
        return _two_sided(np.sqrt(n) * beyond / own, np.sqrt(share * (1.0 - share)) / own)

    return _misled(
        size, [past.beyond_days], [0.0], f"{_positive_windows(past)}, but {expected:.0%} of past days"
    )


def size_of_signed_rank(past: PastWindows, n: int) -> Misled | None:
    """Rejections of a test that n CARs are symmetric about zero."""

    def size(share: float) -> float:
        return _two_sided(np.sqrt(3.0 * n) * (share - 0.5))

    what = "residuals" if past.length == 1 else f"sums over {past.length} days"
    why = f"{past.pairs.value:.0%} of the sums of two past {what} are positive, not half as under symmetry"
    return _misled(size, [past.pairs], [0.5], why)


def size_of_generalized_rank(past: PastWindows, n: int) -> Misled | None:
    """Rejections of a test that n standardised CARs rank like past days."""
    if past.length == 1:
        return None

    def size(rank: float, spread: float) -> float:
        return _two_sided(np.sqrt(12.0 * n) * rank, np.sqrt(max(spread - 12.0 * rank**2, 1e-6)))

    why = f"sums of past residuals over {past.length} days do not rank like days"
    return _misled(size, [past.rank, past.spread], [0.0, 1.0], why)


def _positive_windows(past: PastWindows) -> str:
    what = "past residuals" if past.length == 1 else f"sums of past residuals over {past.length} days"
    return f"{past.sums.value:.0%} of {what} are positive"
