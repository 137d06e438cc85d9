"""Moments of cross-sections and of estimation windows that several families of tests share."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray

__all__ = [
    "NEGLIGIBLE",
    "average",
    "block_length",
    "block_sums",
    "johnson_t",
    "known",
    "known_sd",
    "mean_t",
    "past_shortage",
    "past_suffices",
    "rounding_noise",
    "sample_sd",
    "scaled_residuals",
    "skewness",
]

#: Relative size below which a standard deviation is rounding noise.
NEGLIGIBLE = 1e-12
#: A day with this leverage is fitted exactly, so its residual says nothing.
FULL_LEVERAGE = 1.0 - 1e-10
#: First autocorrelation, in standard errors, from which days are drawn in blocks (two-sided 1%).
SERIAL = 2.58


def rounding_noise(s2: FloatArray) -> FloatArray:
    """Size below which an abnormal return is zero up to rounding, from residual variances; any shape.

    The least-squares kernels of different processors leave residuals that are zero with either sign.
    """
    return np.asarray(NEGLIGIBLE * np.sqrt(np.nan_to_num(s2)))


def sample_sd(values: FloatArray) -> FloatArray:
    """Return the standard deviation (N - 1) of the last axis, or 0 where it is only rounding noise."""
    sd = np.std(values, axis=-1, ddof=1)
    return np.where(sd > NEGLIGIBLE * np.abs(values).max(axis=-1), sd, 0.0)[()]


def mean_t(values: FloatArray) -> FloatArray:
    r"""Mean of a cross-section over its standard error, t(N - 1).

    .. math:: t = \bar x / (s_x / \sqrt N)

    Parameters
    ----------
    values : array, shape (..., N)
        CARs (the cross-sectional t) or SCARs (Boehmer, Musumeci and Poulsen 1991).

    Returns
    -------
    float, or array, shape (...)

    References
    ----------
    Brown and Warner (1980), Journal of Financial Economics 8, 205-258; Boehmer, Musumeci and Poulsen (1991),
    ibid. 30, 253-272; docs/methods/cross_sectional.md, eq. (cross-sectional-t); docs/methods/standardized.md,
    eq. (bmp-t).

    Examples
    --------
    >>> float(mean_t(np.array([0.01, 0.03, 0.02])).round(4))
    3.4641
    """
    n = values.shape[-1]
    t: FloatArray = values.mean(axis=-1) / (np.std(values, axis=-1, ddof=1) / np.sqrt(n))
    return t


def skewness(values: FloatArray) -> FloatArray:
    """Compute the adjusted Fisher-Pearson skewness G1 of the last axis, shape (..., N) -> (...), N > 2."""
    n = values.shape[-1]
    z = values - values.mean(axis=-1, keepdims=True)
    z = z / np.std(values, axis=-1, ddof=1, keepdims=True)
    return np.asarray(n / ((n - 1.0) * (n - 2.0)) * (z * z * z).sum(axis=-1), dtype=np.float64)


def johnson_t(n: int, ratio: FloatArray | float, skew: FloatArray | float) -> FloatArray:
    r"""Johnson's (1978) skewness-adjusted t of the ratio S of mean to standard deviation.

    .. math:: t_J = \sqrt N \left(S + \gamma S^2 / 3 + \gamma / (6 N)\right)

    Parameters
    ----------
    n : int
    ratio, skew : arrays of one shape, or float
        S and the skewness of each sample of N values.

    References
    ----------
    Johnson (1978), Journal of the American Statistical Association 73, 536-544;
    docs/methods/cross_sectional.md, eq. (johnson-t).

    Examples
    --------
    >>> round(float(johnson_t(74, 2.09027474443816, 1.653433511704859)), 4)
    38.7284
    """
    ratio, skew = np.asarray(ratio, dtype=np.float64), np.asarray(skew, dtype=np.float64)
    return np.asarray(np.sqrt(n) * (ratio + skew * ratio**2 / 3.0 + skew / (6.0 * n)), dtype=np.float64)


def known(values: FloatArray) -> FloatArray:
    """Values that are not missing, shape (T,) -> (days,)."""
    return values[~np.isnan(values)]


def average(values: FloatArray) -> FloatArray:
    """Mean over the available events of each day, shape (..., N, T) -> (..., T); NaN where there is none."""
    total, n = values.sum(axis=-2), values.shape[-2]
    if n and not np.isnan(total).any():
        return np.asarray(total / n, dtype=np.float64)
    seen = ~np.isnan(values)
    count = seen.sum(axis=-2)
    total = np.where(seen, values, 0.0).sum(axis=-2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def known_sd(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the standard deviation (T - 1) of the values that are not missing, and how many they are.

    Shape (..., T) -> (...); of one value it is NaN.
    """
    seen = ~np.isnan(values)
    count = seen.sum(axis=-1)
    mean = np.where(seen, values, 0.0).sum(axis=-1) / np.maximum(count, 1)
    apart = np.where(seen, values - mean[..., None], 0.0)
    squares = np.vecdot(apart, apart)
    return np.sqrt(np.divide(squares, count - 1, out=np.full_like(squares, np.nan), where=count > 1)), count


def scaled_residuals(residuals: FloatArray, leverage: FloatArray) -> FloatArray:
    """Estimation residuals over ``sqrt(1 - h)``, which have the variance of the errors; same shape.

    NaN on a day that is fitted exactly, whose residual says nothing.
    """
    return residuals / np.sqrt(np.where(leverage < FULL_LEVERAGE, 1.0 - leverage, np.nan))


def block_sums(values: FloatArray, length: int) -> FloatArray:
    """Add up blocks of `length` consecutive values that share none, the last block last.

    Parameters
    ----------
    values : array, shape (M,)
        NaN are passed over; blocks are cut from the end, and an incomplete first block is not used.
    length : int

    Returns
    -------
    array, shape (M // length,)

    Examples
    --------
    >>> block_sums(np.array([9.0, 1.0, 2.0, np.nan, 3.0, 4.0]), 2).tolist()
    [3.0, 7.0]
    """
    kept = known(values)
    blocks: FloatArray = kept[len(kept) % length :].reshape(-1, length)
    return np.asarray(blocks.sum(axis=1))


def block_length(series: FloatArray) -> int:
    """Days per block: 1, or ``T ** (1/3)`` rounded up where neighbouring days are correlated.

    Correlated means a first autocorrelation beyond 2.58 / sqrt(T), shape (T,) of the series.
    """
    z = series - series.mean()
    first = float((z[1:] * z[:-1]).sum() / (z * z).sum())
    return int(np.ceil(len(z) ** (1 / 3))) if abs(first) > SERIAL / np.sqrt(len(z)) else 1


def past_suffices(series: FloatArray, s2: FloatArray, needed: int) -> BoolArray:
    """Whether `past_shortage` sees nothing amiss, of several samples: (..., T) and (..., N) -> (...)."""
    sd, count = known_sd(series)
    largest = np.nanmax(np.abs(series), axis=-1, initial=0.0)
    noise = NEGLIGIBLE * np.maximum(largest, np.sqrt(s2.max(axis=-1)))
    return np.asarray((count >= needed) & (sd > noise))


def past_shortage(series: FloatArray, s2: FloatArray, needed: int) -> str | None:
    """Return the reason why averages of the estimation window cannot measure noise, or None.

    Parameters
    ----------
    series : array, shape (T,)
        Average residual of the estimation days that have one.
    s2 : array, shape (N,)
        Residual variances of the events.
    needed : int
        Fewest days.
    """
    if len(series) < needed:
        return f"only {len(series)} estimation days have a residual"
    if sample_sd(series) <= NEGLIGIBLE * float(np.sqrt(s2.max())):
        return "average abnormal returns do not vary over the estimation window"
    return None
