"""Covariances of least squares that allow for leverage, with degrees of freedom for each coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.immutable import FrozenRecord

__all__ = ["FIXED", "Sandwich", "hc_covariance", "sandwich"]

#: An event or cluster whose leverage is this near to one is fitted whatever its CAR.
FIXED = 1e-8
#: Share of a coefficient on clusters that fit exactly below which it is rounding.
NOISE = 1e-6


@dataclass(frozen=True)
class Sandwich(FrozenRecord):
    """A covariance of coefficients, and what it rests on.

    Attributes
    ----------
    covariance : array, shape (k, k)
        NaN for the coefficients that `fixed` has something of.
    dof : array, shape (k,)
        Degrees of freedom of each variance; NaN likewise.
    shares : array, shape (G, k)
        Share of each cluster in the expected variance of each coefficient.
    fixed : array of bool, shape (G, k)
        Whether a cluster of leverage one enters a coefficient, whose variance then cannot be estimated.
    """

    covariance: FloatArray
    dof: FloatArray
    shares: FloatArray
    fixed: npt.NDArray[np.bool_]


def sandwich(x: FloatArray, e: FloatArray, groups: IntArray, power: float) -> Sandwich:
    r"""Covariance from residuals that are adjusted for leverage, by cluster.

    .. math:: \hat V = (X'X)^{-1} \Bigl( \sum_g X_g' A_g e_g e_g' A_g X_g \Bigr) (X'X)^{-1}, \qquad
              A_g = (I - H_{gg})^{-p}

    for the block H of ``X (X'X)^-1 X'`` that belongs to a cluster. With power p of one half this is CR2, and
    unbiased where errors are independent and of one variance; of one it is CR3 without a factor for the
    number of clusters. For clusters of one event they are HC2 and HC3.

    A variance is a quadratic form of the errors with matrix ``Gamma`` between clusters, and its degrees of
    freedom are

    .. math:: \nu_j = \frac{(\sum_g \Gamma_{gg})^2}{\sum_{g,h} \Gamma_{gh}^2}, \qquad
              \Gamma_{gh} = p_g' (I - H)_{gh}\, p_h, \qquad p_g = A_g X_g (X'X)^{-1} \iota_j

    those of the multiple of a chi-squared variable with its mean and variance, if errors are normal,
    independent and of one variance.

    Parameters
    ----------
    x : array, shape (N, k)
        Regressors, times the roots of the weights.
    e : array, shape (N,)
        Residuals, likewise.
    groups : array of int, shape (N,)
        Cluster of each event, numbered from 0.
    power : float

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2, 110-114; Bell and McCaffrey (2002), Survey Methodology 28,
    169-181; Imbens and Kolesár (2016), Review of Economics and Statistics 98, 701-712; Pustejovsky and
    Tipton (2018), Journal of Business & Economic Statistics 36, 672-683; docs/methods/regressions.md,
    eq. (sandwich).

    Examples
    --------
    A dummy of two among six events, whose variance is almost that of the two alone:

    >>> x = np.column_stack([np.ones(6), [1, 1, 0, 0, 0, 0]]).astype(float)
    >>> found = sandwich(x, np.array([0.01, -0.01, 0.01, -0.01, 0.01, -0.01]), np.arange(6), 1.0)
    >>> found.dof.round(2).tolist()
    [3.0, 1.71]
    """
    order = np.argsort(groups, kind="stable")
    x, e, groups = x[order], e[order], groups[order]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    q, r = np.linalg.qr(x)
    # X (X'X)^-1 = Q R'^-1, without the square of the condition of X.
    influence = np.linalg.solve(r, q.T).T
    adjusted, fixed, leverage = _adjusted(q, influence, starts, power)
    scores = np.add.reduceat(adjusted * e[:, None], starts, axis=0)
    covariance = scores.T @ scores
    dof, own = _degrees_of_freedom(q, adjusted, starts, leverage)
    lost = fixed.any(axis=0)
    total = own.sum(axis=0)
    covariance[lost], covariance[:, lost], dof[lost] = np.nan, np.nan, np.nan
    return Sandwich(covariance, dof, own / np.where(total > 0, total, np.nan), fixed)


def _adjusted(
    q: FloatArray, influence: FloatArray, starts: IntArray, power: float
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    """Influence with each cluster's leverage taken out, clusters of leverage one, and largest leverages."""
    size = np.linalg.norm(influence, axis=0)
    if len(starts) == len(q):
        leverage = (q**2).sum(axis=1)
        left = 1.0 - leverage
        exact = left < FIXED
        factor = np.where(exact, 0.0, np.where(exact, 1.0, left) ** -power)
        return influence * factor[:, None], exact[:, None] & (np.abs(influence) > NOISE * size), leverage
    adjusted = influence.copy()
    fixed = np.zeros((len(starts), q.shape[1]), dtype=bool)
    leverage = np.zeros(len(starts))
    for g, (first, last) in enumerate(zip(starts, [*starts[1:], len(q)], strict=True)):
        # The block of H is of low rank: its powers need its singular vectors alone.
        u, s, _ = np.linalg.svd(q[first:last], full_matrices=False)
        left = 1.0 - s**2
        exact = left < FIXED
        along = u.T @ influence[first:last]
        factor = np.where(exact, 0.0, np.where(exact, 1.0, left) ** -power)
        adjusted[first:last] += u @ ((factor - 1.0)[:, None] * along)
        fixed[g] = (np.abs(along[exact]) > NOISE * size).any(axis=0)
        leverage[g] = s.max() ** 2
    return adjusted, fixed, leverage


def _degrees_of_freedom(
    q: FloatArray, adjusted: FloatArray, starts: IntArray, leverage: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Degrees of freedom of each coefficient, and the diagonals of Gamma, shape (G, k)."""
    k = q.shape[1]
    dof, own = np.empty(k), np.empty((len(starts), k))
    # Sums over pairs of clusters go by traces, except where few clusters hold so much that these cancel.
    much = leverage > 0.5
    for j in range(k):
        p = adjusted[:, j]
        shared = np.add.reduceat(q * p[:, None], starts, axis=0)
        square = (shared**2).sum(axis=1)
        diagonal = np.maximum(np.add.reduceat(p**2, starts) - square, 0.0)
        rest = shared[~much]
        pairs = ((rest.T @ rest) ** 2).sum() - (square[~much] ** 2).sum()
        among = (shared[much] @ shared[much].T) ** 2
        pairs += 2 * ((shared[much] @ rest.T) ** 2).sum() + among.sum() - np.trace(among)
        own[:, j] = diagonal
        squares = (diagonal**2).sum() + max(pairs, 0.0)
        dof[j] = diagonal.sum() ** 2 / squares if squares > 0 else np.nan
    return dof, own


def hc_covariance(x: FloatArray, e: FloatArray, kind: str) -> FloatArray:
    """White's covariance in one of its forms HC0 to HC3, of regressors and residuals times root weights.

    References
    ----------
    White (1980), Econometrica 48, 817-838; MacKinnon and White (1985), Journal of Econometrics 29, 305-325.

    Examples
    --------
    >>> x, e = np.ones((4, 1)), np.array([0.03, -0.01, -0.03, 0.01])
    >>> (1e6 * hc_covariance(x, e, "HC2")).round(2).tolist()
    [[166.67]]
    """
    n, k = x.shape
    q, r = np.linalg.qr(x)
    influence = np.linalg.solve(r, q.T).T
    left = 1.0 - (q**2).sum(axis=1)
    left = np.where(left < FIXED, np.inf, left)
    scale = {"HC0": 1.0, "HC1": n / (n - k), "HC2": 1.0 / left, "HC3": 1.0 / left**2}[kind]
    scores = influence * (e * np.sqrt(scale))[:, None]
    return np.asarray(scores.T @ scores, dtype=np.float64)
