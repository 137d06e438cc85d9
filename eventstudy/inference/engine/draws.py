"""Random draws of estimation days, statistics of them, and p-values among draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import counted_p_value, p_value_of_tails
from eventstudy.inference.base import Alternative
from eventstudy.progress import progress_bar

__all__ = [
    "HELD",
    "TIE",
    "day_counts",
    "draw_days",
    "draw_parts",
    "equal_tails",
    "null_t",
    "resampled_p_value",
]

#: Random numbers held at a time, so memory does not grow with resamples times events.
HELD = 4_000_000
#: Draws this close to the statistic are equal to it: the same days, added up in another order.
TIE = 1e-10


def resampled_p_value(value: float, draws: FloatArray, alternative: Alternative) -> float:
    """``(1 + b) / (B + 1)``, b of the B draws being at least as extreme as `value`.

    A draw that equals the value to rounding counts as extreme, and so does one that is undefined. NaN for a
    value that is NaN.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, chapter 4; docs/methods/bootstrap.md,
    eq. (resampled-p).

    Examples
    --------
    >>> resampled_p_value(2.0, np.array([0.5, -2.0, 3.0, 1.0]), "two-sided")
    0.6
    """
    if alternative == "two-sided":
        value, draws = abs(value), np.abs(draws)
    elif alternative == "less":
        value, draws = -value, -draws
    within = draws < value - TIE * abs(value)
    return float(counted_p_value(value, ~within))


def equal_tails(value: float, draws: FloatArray, alternative: Alternative) -> float:
    """P-value of `value` in a bootstrap distribution that need not be symmetric.

    References
    ----------
    docs/methods/bootstrap.md, eq. (equal-tails).
    """
    if alternative != "two-sided":
        return resampled_p_value(value, draws, alternative)
    low, high = (resampled_p_value(value, draws, side) for side in ("less", "greater"))
    return float(p_value_of_tails(low, high, alternative))


def draw_parts(n_resamples: int, width: int) -> Iterator[int]:
    """Split B resamples of `width` random numbers each into parts of bounded size."""
    size = max(1, HELD // max(width, 1))
    with progress_bar(n_resamples, "Resampling", "draw") as bar:
        for begin in range(0, n_resamples, size):
            part = min(size, n_resamples - begin)
            yield part
            bar.update(part)


def draw_days(
    n_resamples: int, n_drawn: int, n_days: int, rng: np.random.Generator, block: int = 1
) -> IntArray:
    """Draw days 0 to n_days - 1 with replacement, in circular blocks; shape (n_resamples, n_drawn).

    Blocks of about ``n_days ** (1/3)`` days keep serial dependence (Politis and Romano 1992).
    """
    n_blocks = -(-n_drawn // block)
    start = rng.integers(n_days, size=(n_resamples, n_blocks, 1))
    return np.asarray(((start + np.arange(block)) % n_days).reshape(n_resamples, -1)[:, :n_drawn])


def day_counts(days: IntArray, n_days: int) -> FloatArray:
    """Count how often each of `n_days` days is drawn in each row of `days`; shape (B, n_days)."""
    offset = n_days * np.arange(len(days))[:, None]
    counts = np.bincount((days + offset).ravel(), minlength=len(days) * n_days)
    return counts.reshape(len(days), n_days).astype(np.float64)


def null_t(series: FloatArray, event: FloatArray, past: FloatArray) -> FloatArray:
    r"""T statistics of sums of L drawn days, over the standard deviation of T drawn days; shape (B, m).

    .. math:: t^*_j = \frac{\sum_{l=1}^L u^*_{lj}}{\sqrt L\, s^*_j}

    All m columns draw the same days, so the statistics depend on each other as the columns do.

    Parameters
    ----------
    series : array, shape (T, m)
        Residuals over ``sqrt(1 - h)`` less their mean: of portfolios, or of events.
    event, past : arrays, shape (B, T)
        How often each day was drawn, as of `day_counts`: L times, and T times.

    References
    ----------
    Hein and Westfall (2004), Journal of Financial Econometrics 2, 451-471; Romano and Wolf (2005),
    Econometrica 73, 1237-1282; docs/methods/bootstrap.md, eq. (vector-bootstrap);
    docs/methods/multiple_testing.md, eq. (joint-draws).
    """
    length = event[0].sum()
    drawn = past[0].sum()
    mean = past @ series / drawn
    variance = (past @ series**2 - drawn * mean**2) / (drawn - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(event @ series / np.sqrt(length * np.maximum(variance, 0.0)), dtype=np.float64)
