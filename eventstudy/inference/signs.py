"""Sign and signed-rank tests (METHODS D1, D2, D5b, D8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from eventstudy.inference.base import (
    Alternative,
    Options,
    SignificanceTest,
    Statistic,
    TestInput,
    p_value,
)
from eventstudy.inference.support import counted, scaled_events, shortage, undefined, usable_events

__all__ = ["SIGN_TESTS", "generalized_sign_z", "positive_share", "sign_z"]

FloatArray = npt.NDArray[np.float64]
#: Below this many non-zero CARs the sign test is exact.
EXACT_SIGN = 50


def sign_z(positive: int, n: int) -> float:
    r"""Sign statistic of `positive` out of `n` non-zero values: ``(w - n/2) / (sqrt(n) / 2)``.

    Examples
    --------
    >>> sign_z(12, 16)
    2.0
    """
    return float((positive - n / 2) / (np.sqrt(n) / 2))


def positive_share(values: FloatArray) -> FloatArray:
    """Share of positive values of each row, shape (N, T) -> (N,); zeros count half.

    NaN does not count; each row needs a value.
    """
    positive = (values > 0).sum(axis=1) + 0.5 * (values == 0).sum(axis=1)
    return np.asarray(positive / (~np.isnan(values)).sum(axis=1), dtype=np.float64)


def generalized_sign_z(positive: float, n: int, share: float) -> float:
    r"""Cowan's (1992) generalised sign statistic, N(0, 1).

    .. math:: z = (w - N \hat p) / \sqrt{N \hat p (1 - \hat p)}

    Parameters
    ----------
    positive : float
        Positive CARs w, zeros counted half.
    n : int
        CARs N.
    share : float
        Mean over events of the share of positive estimation residuals, between 0 and 1.
    """
    return float((positive - n * share) / np.sqrt(n * share * (1.0 - share)))


def _binomial(positive: int, n: int, alternative: Alternative) -> float:
    return float(stats.binomtest(positive, n, 0.5, alternative=alternative).pvalue)


def _sign(data: TestInput, options: Options) -> Statistic:
    car = usable_events(data).car
    n, w = int((car != 0).sum()), int((car > 0).sum())
    if n == 0:
        return undefined("all CARs are zero")
    z, note = sign_z(w, n), f"{w} of {n} positive"
    if n < EXACT_SIGN:
        return Statistic(z, _binomial(w, n, options.alternative), "binomial", None, w / n, note)
    return Statistic(z, p_value(z, options.alternative), "normal", None, w / n, note)


def _generalized_sign(data: TestInput, options: Options) -> Statistic:
    used = scaled_events(data)
    car = used.car
    expected = float(positive_share(used.abnormal.residuals).mean())
    if not 0.0 < expected < 1.0:
        return undefined("estimation residuals are all of one sign")
    w = float(positive_share(car[None, :])[0] * len(car))
    z = generalized_sign_z(w, len(car), expected)
    note = f"{w:g} of {len(car)} positive, {expected:.1%} expected"
    p = p_value(z, options.alternative)
    return counted(data, Statistic(z, p, "normal", None, w / len(car), note))


ROBUST = frozenset({"event-induced variance", "non-normality"})

SIGN_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "sign", "Sign test", "half of the CARs are positive", "binomial(n, 1/2)", ROBUST,
        "Brown and Warner (1980)", shortage, _sign,
    ),
    SignificanceTest(
        "generalized_sign", "Generalised sign Z",
        "CARs are as often positive as estimation-window residuals", "N(0,1)", ROBUST,
        "Cowan (1992)", lambda d: shortage(d, scaled=True), _generalized_sign,
    ),
)  # fmt: skip
