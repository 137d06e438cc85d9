"""Sign and signed-rank tests.

Formulas and sources: docs/methods/signs.md.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import scipy

from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import p_value_of_tails
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.engine.moments import NEGLIGIBLE, rounding_noise
from eventstudy.inference.engine.rank_kernel import SignProfile, sign_profile
from eventstudy.inference.engine.residual_pass import past_sums
from eventstudy.inference.past_windows import (
    misled_by_past,
    size_of_generalized_sign,
    size_of_sign,
    size_of_signed_rank,
)
from eventstudy.inference.rank_sets import profile, sample_profiles
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.significance_test import SignificanceTest

__all__ = [
    "SIGN_TESTS",
    "generalized_sign_z",
    "median_signs_z",
    "positive_share",
    "sign_z",
    "signed_rank",
    "signed_rank_p_value",
]

#: Below this many non-zero CARs the sign test is exact.
EXACT_SIGN = 50
#: Up to this many non-zero CARs the signed-rank test is exact.
EXACT_SIGNED_RANK = 25


def sign_z(positive: IntArray | int, n: IntArray | int) -> FloatArray:
    r"""Sign statistic of `positive` out of `n` non-zero values, shape (...): ``(w - n/2) / (sqrt(n) / 2)``.

    References
    ----------
    Brown and Warner (1980), Journal of Financial Economics 8, 205-258; docs/methods/signs.md, eq. (sign-z).

    Examples
    --------
    >>> float(sign_z(12, 16))
    2.0
    """
    z: FloatArray = (positive - n / 2) / (np.sqrt(n) / 2)
    return z


def positive_share(values: FloatArray, noise: FloatArray | float = 0.0) -> FloatArray:
    """Share of positive values of each row, shape (N, T) -> (N,); zeros count half.

    Values up to `noise`, an array that broadcasts with them, are zeros. NaN does not count; each row needs a
    value.
    """
    positive = (values > noise).sum(axis=1) + 0.5 * (np.abs(values) <= noise).sum(axis=1)
    return np.asarray(positive / (~np.isnan(values)).sum(axis=1), dtype=np.float64)


def generalized_sign_z(positive: FloatArray | float, n: int, share: FloatArray | float) -> FloatArray:
    r"""Cowan's (1992) generalised sign statistic, N(0, 1).

    .. math:: z = (w - N \hat p) / \sqrt{N \hat p (1 - \hat p)}

    Parameters
    ----------
    positive : float, or array, shape (...)
        Positive CARs w, zeros counted half.
    n : int
        CARs N.
    share : float, or array, shape (...)
        Mean over events of the share of positive estimation residuals, between 0 and 1.

    References
    ----------
    Cowan (1992), Review of Quantitative Finance and Accounting 2, 343-358; docs/methods/signs.md,
    eq. (generalized-sign-z).
    """
    z: FloatArray = (positive - n * share) / np.sqrt(n * share * (1.0 - share))
    return z


def _binomial(positive: int, n: int, alternative: Alternative) -> float:
    return float(scipy.stats.binomtest(positive, n, 0.5, alternative=alternative).pvalue)


def signed_rank(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Wilcoxon signed-rank sum of the positive values, its z, and the ranks of the absolute values.

    Parameters
    ----------
    values : array, shape (..., n)
        Non-zero values; ties get the average rank, and the variance of z is corrected for them.

    Returns
    -------
    positive, z : float, or arrays, shape (...)
    ranks : array, shape (..., n)

    References
    ----------
    Wilcoxon (1945), Biometrics Bulletin 1, 80-83; docs/methods/signs.md, eq. (wilcoxon-z).
    """
    n, size = values.shape[-1], np.abs(values)
    order = np.argsort(size, axis=-1, kind="stable")
    ordered = np.take_along_axis(size, order, axis=-1)
    # Events on the same security and day have the same CAR, up to rounding.
    begins = np.diff(ordered, prepend=-1.0, axis=-1) > NEGLIGIBLE * ordered
    ends = np.concatenate([begins[..., 1:], np.ones((*begins.shape[:-1], 1), dtype=bool)], axis=-1)
    # First and last place of the ties of each value, from 1 on.
    first = np.maximum.accumulate(np.where(begins, np.arange(1, n + 1), 0), axis=-1)
    last = np.where(ends, np.arange(1, n + 1), n)
    last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2.0, axis=-1)
    positive: FloatArray = np.where(values > 0, ranks, 0.0).sum(axis=-1)
    ties = (last - first + 1.0) ** 2 - 1.0  # summed over the values: t^3 - t for each set of t ties
    variance = n * (n + 1) * (2 * n + 1) / 24.0 - ties.sum(axis=-1) / 48.0
    return positive, (positive - n * (n + 1) / 4.0) / np.sqrt(variance), ranks


def signed_rank_p_value(
    positive: FloatArray | float, ranks: FloatArray, alternative: Alternative
) -> FloatArray:
    """Exact p-values of signed-rank sums (...) of ranks (n,): every sign of every rank is equally likely.

    With ties this is the exact distribution given the tied ranks.

    Examples
    --------
    >>> float(signed_rank_p_value(6.0, np.array([1.0, 2.0, 3.0]), "greater"))
    0.125
    """
    doubled = np.rint(2 * ranks).astype(np.int64)  # average ranks are whole or half
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    ways /= ways.sum()
    at = np.rint(2 * np.asarray(positive)).astype(np.int64)
    below, above = np.cumsum(ways)[at], np.cumsum(ways[::-1])[::-1][at]
    return np.asarray(p_value_of_tails(below, above, alternative))[()]


def median_signs_z(returns: FloatArray, tested: int) -> tuple[float, int]:
    r"""Corrado and Zivney's (1992) sign test, N(0, 1).

    .. math:: G_{it} = \operatorname{sign}(AR_{it} - \operatorname{median}_i), \quad
              g_t = \frac{1}{\sqrt{n_t}} \sum_i G_{it}, \quad
              Z = \frac{\sum_{t \in W} g_t}{\sqrt L\, S} \sqrt{\frac{T - 1}{T - L}}, \quad
              S^2 = \frac1T \sum_t g_t^2

    The last factor is for several tested days, whose signs are drawn without replacement.

    Parameters
    ----------
    returns : array, shape (N, T)
        Estimation residuals and, in the last columns, abnormal returns of the tested days; NaN
        where missing.
    tested : int
        Number of tested days L.

    Returns
    -------
    statistic, n_days
        NaN where the signs of all days balance out; days T on which some event has a return.

    References
    ----------
    Corrado and Zivney (1992), Journal of Financial and Quantitative Analysis 27, 465-478;
    docs/methods/signs.md, eqs. (median-signs) and (sign-zivney-z).
    """
    width = returns.shape[1] - tested
    z, n_days = _of_profile(sign_profile(returns[:, :width], returns[:, width:]), tested)
    return float(z), int(n_days)


def _of_profile(signs: SignProfile, tested: int) -> tuple[FloatArray, IntArray]:
    """Compute Z, NaN where signs balance out on every day, and days T of profiles (..., T); shape (...)."""
    days = signs.count > 0
    g = np.where(days, signs.total, 0.0) / np.sqrt(np.maximum(signs.count, 1))
    n_days, length = days.sum(axis=-1), days[..., -tested:].sum(axis=-1)
    s = np.sqrt((g**2).sum(axis=-1) / n_days)
    z = g[..., -tested:].sum(axis=-1) / (np.sqrt(length) * np.where(s > 0, s, np.nan))
    return z * np.sqrt((n_days - 1) / (n_days - length)), n_days


def _not_all_zero(data: TestInput) -> str | None:
    return None if data.car.any() else "all CARs are zero"


def _sign(data: TestInput, options: Options) -> Statistic:
    n, w = int((data.car != 0).sum()), int((data.car > 0).sum())
    z, note = float(sign_z(w, n)), f"{w} of {n} positive"
    if n < EXACT_SIGN:
        return Statistic(z, _binomial(w, n, options.alternative), "binomial", None, w / n, note)
    return Statistic(z, p_value(z, options.alternative), "normal", None, w / n, note)


def _generalized_sign(data: TestInput, options: Options) -> Statistic:
    car, expected = data.car, past_sums(data.abnormal).positive
    if not 0.0 < expected < 1.0:
        return not_applicable("estimation residuals are all of one sign")
    w = float(positive_share(car[None, :], rounding_noise(data.abnormal.s2))[0] * len(car))
    z = float(generalized_sign_z(w, len(car), expected))
    note = f"{w:g} of {len(car)} positive, {expected:.1%} expected"
    return Statistic(z, p_value(z, options.alternative), "normal", None, w / len(car), note)


def _wilcoxon(data: TestInput, options: Options) -> Statistic:
    values = data.car[data.car != 0]
    n = len(values)
    total, of_total, ranks = signed_rank(values)
    positive, z = float(total), float(of_total)
    exact = n <= EXACT_SIGNED_RANK
    if exact:
        p = float(signed_rank_p_value(positive, ranks, options.alternative))
    else:
        p = p_value(z, options.alternative)
    note = f"W+ = {positive:g} of {n * (n + 1) / 2:g}"
    law = "signed-rank" if exact else "normal"
    return Statistic(z, p, law, None, float(np.median(data.car)), note, {"signed_rank_sum": positive})


def _sign_zivney(data: TestInput, options: Options) -> Statistic:
    signs = profile(data, "sign_zivney")
    if not isinstance(signs, SignProfile):
        return not_applicable(str(signs))
    found, n_days = _of_profile(signs, len(data.window))
    z = float(found)
    if np.isnan(z):
        return not_applicable("signs of the events cancel out on every day")
    share, note = float((data.car > 0).mean()), f"signs about the median of {n_days} days"
    return Statistic(z, p_value(z, options.alternative), "normal", None, share, note)


def _sign_of(samples: Samples, options: Options) -> Statistics:
    n, w = (samples.car != 0).sum(axis=1), (samples.car > 0).sum(axis=1)
    found = Statistics.of(sign_z(w, n), options, w / n, where=n > 0)
    exact = (n < EXACT_SIGN) & (n > 0)
    for size, positive in set(zip(n[exact].tolist(), w[exact].tolist(), strict=True)):
        found.p_value[(n == size) & (w == positive)] = _binomial(positive, size, options.alternative)
    return found


def _generalized_sign_of(samples: Samples, options: Options) -> Statistics:
    n = samples.size
    noise = rounding_noise(samples.data.abnormal.s2)
    shares = samples.past(
        "positive", lambda: samples.by_sample(positive_share(samples.residuals, noise[:, None]))
    )
    expected = shares.mean(axis=1)
    w = n * positive_share(samples.car, samples.by_sample(noise))
    sound = (expected > 0.0) & (expected < 1.0)
    return Statistics.of(generalized_sign_z(w, n, expected), options, w / n, where=sound)


def _wilcoxon_of(samples: Samples, options: Options) -> Statistics:
    car, n = samples.car, samples.size
    positive, z, ranks = signed_rank(car)
    zeros = (car == 0).any(axis=1)
    found = Statistics.of(z, options, np.median(car, axis=1), where=~zeros, alone=zeros)
    if n <= EXACT_SIGNED_RANK:
        alike, of = np.unique(np.sort(ranks, axis=1), axis=0, return_inverse=True)
        for number, tied in enumerate(alike):
            here = (of.reshape(-1) == number) & ~zeros
            found.p_value[here] = signed_rank_p_value(positive[here], tied, options.alternative)
    return found


def _sign_zivney_of(samples: Samples, options: Options) -> Statistics:
    signs, _ = sample_profiles(samples)["sign_zivney"]
    assert isinstance(signs, SignProfile)
    z, _ = _of_profile(signs, len(samples.data.window))
    return Statistics.of(z, options, (samples.car > 0).mean(axis=1))


ROBUST = frozenset({"event-induced variance", "fat tails"})

SIGN_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "sign", "Sign test", "half of the CARs are positive", "binomial(n, 1/2)", ROBUST,
        "Brown and Warner (1980)", _sign, condition=_not_all_zero,
        misled=partial(misled_by_past, size_of_sign), batch=_sign_of,
    ),
    SignificanceTest(
        "generalized_sign", "Generalised sign Z",
        "CARs are as often positive as estimation-window residuals", "N(0,1)", ROBUST,
        "Cowan (1992)", _generalized_sign, needs_variance=True, reads=("sums",),
        misled=partial(misled_by_past, size_of_generalized_sign), batch=_generalized_sign_of,
    ),
    SignificanceTest(
        "sign_zivney", "Corrado-Zivney sign Z", "the tested days are as often above the median as others",
        "N(0,1)", frozenset({"event-induced variance", "cross-correlation", "non-normality"}),
        "Corrado and Zivney (1992)", _sign_zivney, needs_variance=True, reads=("sign_zivney",),
        by_relative_day=True, batch=_sign_zivney_of,
    ),
    SignificanceTest(
        "wilcoxon", "Wilcoxon signed-rank", "CARs are symmetric about zero", "signed-rank",
        ROBUST, "Wilcoxon (1945)", _wilcoxon, condition=_not_all_zero,
        misled=partial(misled_by_past, size_of_signed_rank), batch=_wilcoxon_of,
    ),
)  # fmt: skip
