"""Estimators and standard errors of cross-sectional regressions: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray, IntArray

__all__ = ["past_covariance", "random_effect_variance", "wild_cluster_p"]


def random_effect_variance(y: FloatArray, x: FloatArray, v: FloatArray) -> float:
    r"""Variance of true effects beyond their characteristics, by moments.

    .. math:: \hat\sigma_\eta^2 = \max\Bigl(0,\; \frac{e'e - \sum_i m_{ii} v_i}{N - k}\Bigr)

    for least-squares residuals e, the diagonal m of ``I - X (X'X)^-1 X'`` and estimation variances v, since
    ``E e'e = sum m_ii (v_i + sigma^2)``.

    Parameters
    ----------
    y, v : arrays, shape (N,)
    x : array, shape (N, k)

    References
    ----------
    docs/methods/regressions.md, eq. (random-effect).
    """
    q, _ = np.linalg.qr(x)
    e = y - q @ (q.T @ y)
    m = 1.0 - (q**2).sum(axis=1)
    return max(0.0, float((e @ e - m @ v) / (len(y) - x.shape[1])))


def wild_cluster_p(y: FloatArray, x: FloatArray, groups: IntArray, draws: FloatArray) -> FloatArray:
    r"""Two-sided p-values of the wild cluster bootstrap with the null imposed, one per coefficient.

    Parameters
    ----------
    y : array, shape (N,)
    x : array, shape (N, k)
    groups : array of int, shape (N,)
        Cluster of each event, numbered from 0.
    draws : array, shape (G, B)
        Random signs of the clusters.

    Returns
    -------
    array, shape (k,)
        ``(1 + #{|t*| >= |t|}) / (B + 1)``, t with one-way clustered standard errors.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427;
    docs/methods/regressions.md, eq. (wild-cluster).
    """
    n, k = x.shape
    _, groups = np.unique(groups, return_inverse=True)
    order = np.argsort(groups, kind="stable")
    y, x, groups = y[order], x[order], groups[order]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    inverse = np.linalg.inv(x.T @ x)
    influence = x @ inverse

    def t(values: FloatArray, j: int) -> FloatArray:
        coef = influence.T @ values
        e = values - x @ coef
        scores = np.add.reduceat(influence[:, j, None] * e, starts, axis=0)
        g = len(starts)
        size = g / (g - 1) * (n - 1) / (n - k)
        return np.asarray(coef[j] / np.sqrt(size * (scores**2).sum(axis=0)), dtype=np.float64)

    found = np.empty(k)
    for j in range(k):
        others = np.delete(x, j, axis=1)
        fitted = others @ np.linalg.lstsq(others, y, rcond=None)[0] if k > 1 else np.zeros(n)
        sample = fitted[:, None] + (y - fitted)[:, None] * draws[groups]
        # All signs alike give t itself, to rounding.
        extreme = np.abs(t(sample, j)) >= abs(t(y[:, None], j)[0]) * (1 - 1e-10)
        found[j] = (1 + extreme.sum()) / (draws.shape[1] + 1)
    return found


def past_covariance(
    residuals: FloatArray, x: FloatArray, scale: float, n_params: float
) -> tuple[FloatArray, FloatArray, float]:
    r"""Covariance of slopes on one common date, from the same regression on each day before it.

    .. math:: \hat\delta_t = (Z'Z)^{-1} Z' e_t, \qquad
              \hat V = \frac{a}{T - k} \sum_t \hat\delta_t \hat\delta_t'

    Each coefficient is the return of a portfolio of the events with weights that are a row of
    ``(Z'Z)^-1 Z'``, so this is the portfolio's own variance times ``a = g'Vg / s^2``: whatever the
    correlation of the events, exact for normally distributed returns where all have the same regressors.

    Parameters
    ----------
    residuals : array, shape (N, T)
        Without missing values.
    x : array, shape (N, k)
    scale : float
    n_params : float

    Returns
    -------
    covariance : array, shape (k, k)
    slopes : array, shape (k, T)
    dof : float
        T - k with the k of the normal-return model.

    References
    ----------
    docs/methods/regressions.md, eq. (past-covariance).
    """
    slopes: FloatArray = np.linalg.lstsq(x, residuals, rcond=None)[0].astype(np.float64)
    dof = residuals.shape[1] - n_params
    return scale * slopes @ slopes.T / dof, slopes, float(dof)
