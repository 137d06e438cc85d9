"""Least squares of many events at once: the kernel that the linear models share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.models.base import ModelFit
from eventstudy.sample import EventArrays

__all__ = ["BatchOLS", "approximate_fit", "divide", "linear_fit", "ols_batch"]


class BatchOLS(NamedTuple):
    """Least squares of n regressions with a constant and p regressors, on W rows each.

    Attributes
    ----------
    params : array, shape (n, 1 + p)
        Constant first.
    xtx_inv : array, shape (n, 1 + p, 1 + p)
        Inverse of the (weighted) cross-products.
    residuals, leverage : arrays, shape (n, W)
        Residuals as observed, not weighted; NaN on rows not used.
    n_obs : array of int, shape (n,)
    sse, r_squared : arrays, shape (n,)
        Weighted, if weights were given.
    """

    params: FloatArray
    xtx_inv: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    n_obs: IntArray
    sse: FloatArray
    r_squared: FloatArray


def ols_batch(
    y: FloatArray,
    x: FloatArray,
    constant: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> BatchOLS:
    """Regress each row of `y` on a constant and its own regressors, leaving out missing days.

    Parameters
    ----------
    y : array, shape (n, W)
    x : array, shape (n, W, p)
    constant : array, shape (n, W) or (W,), optional
        Values of the constant's column, such as the sessions each return spans; ones by default.
    weights : array, shape (n, W) or (W,), optional
        Positive weights of the squared residuals; ones by default.

    Returns
    -------
    BatchOLS
        NaN where the regressors of an event are collinear or too few days are known.

    Notes
    -----
    The constant's column is projected out of regressors first (they are centred, as a rule), so
    that they lose no digits to it.

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> x = np.array([[[1.0], [2.0], [4.0]]])
    >>> es.models.ols_batch(1.0 + 2.0 * x[:, :, 0], x).params.round(6).tolist()
    [[1.0, 2.0]]
    """
    used = ~np.isnan(y) & ~np.isnan(x).any(axis=2)
    ones = np.broadcast_to(1.0, y.shape)
    c = ones if constant is None else np.broadcast_to(constant, y.shape)
    w = ones if weights is None else np.broadcast_to(weights, y.shape)
    n_obs = used.sum(axis=1)
    weighted = np.where(used, w * c, 0.0)
    total_weight = np.where(n_obs > 0, (weighted * c).sum(axis=1), 1.0)
    y_mean = (weighted * np.where(used, y, 0.0)).sum(axis=1) / total_weight
    given = np.where(used[:, :, None], x, 0.0)
    x_mean = np.einsum("nw,nwp->np", weighted, given) / total_weight[:, None]
    yc = np.where(used, y - c * y_mean[:, None], 0.0)
    xc = np.where(used[:, :, None], x - c[:, :, None] * x_mean[:, None, :], 0.0)
    wx = xc if weights is None else xc * w[:, :, None]
    p = x.shape[2]
    inverse = _inverse(np.einsum("nwp,nwq->npq", wx, xc), np.einsum("nw,nwp,nwp->np", w, given, given))
    slope = np.einsum("npq,nq->np", inverse, np.einsum("nwp,nw->np", wx, yc))
    residuals = np.where(used, yc - np.einsum("nwp,np->nw", xc, slope), np.nan)
    leverage = weighted * c / total_weight[:, None] + np.einsum("nwp,npq,nwq->nw", wx, inverse, xc)
    xtx_inv = np.empty((len(y), 1 + p, 1 + p))
    cross = -np.einsum("npq,nq->np", inverse, x_mean)
    xtx_inv[:, 0, 0] = 1.0 / total_weight - np.einsum("np,np->n", cross, x_mean)
    xtx_inv[:, 0, 1:] = xtx_inv[:, 1:, 0] = cross
    xtx_inv[:, 1:, 1:] = inverse
    sse = np.where(used, w * residuals**2, 0.0).sum(axis=1)
    total = (w * yc**2).sum(axis=1)
    return BatchOLS(
        params=np.column_stack([y_mean - np.einsum("np,np->n", slope, x_mean), slope]),
        xtx_inv=xtx_inv,
        residuals=residuals,
        leverage=np.where(used, leverage, np.nan),
        n_obs=n_obs.astype(np.int64),
        sse=np.where(np.isnan(slope).any(axis=1), np.nan, sse),
        r_squared=1.0 - divide(sse, total),
    )


def _inverse(cross: FloatArray, squares: FloatArray) -> FloatArray:
    """Invert (n, p, p) cross-products; NaN where collinear, also with the constant.

    `squares`, shape (n, p), are the sums of squares before the constant was projected out.
    """
    p = cross.shape[1]
    if p == 0:
        return cross
    # Scaled to unit diagonal first: factors differ in size by orders of magnitude.
    size = np.sqrt(np.einsum("npp->np", cross))
    # What is left of a regressor that never moves is rounding error.
    bad = ~(size > 1e-12 * np.sqrt(squares)).all(axis=1)
    size = np.where(size > 0, size, 1.0)
    unit = cross / (size[:, :, None] * size[:, None, :])
    unit[bad] = np.eye(p)
    if p > 1:
        bad |= np.linalg.eigvalsh(unit)[:, 0] < 1e-12
        unit[bad] = np.eye(p)
    inverse: FloatArray = np.linalg.inv(unit) / (size[:, :, None] * size[:, None, :])
    inverse[bad] = np.nan
    return inverse


def divide(above: FloatArray, below: FloatArray) -> FloatArray:
    """Quotient of arrays, NaN where `below` is not positive."""
    positive = below > 0
    return np.asarray(np.where(positive, above / np.where(positive, below, 1.0), np.nan), dtype=np.float64)


def linear_fit(
    arrays: EventArrays,
    *,
    param_names: tuple[str, ...],
    params: FloatArray,
    unit_cov: FloatArray,
    s2: FloatArray,
    n_obs: IntArray,
    dof: FloatArray,
    r_squared: FloatArray,
    residuals: FloatArray,
    leverage: FloatArray,
    se_source: str,
    exact: bool,
) -> ModelFit:
    """Predict the event window with a constant and the first k - 1 regressors.

    A return over d sessions has d constants and the noise of d sessions.

    Parameters
    ----------
    arrays : EventArrays
    param_names, params, s2, n_obs, dof, r_squared, residuals, leverage, se_source, exact
        As in `ModelFit`; the constant is the first parameter.
    unit_cov : array, shape (n, k, k)
        Covariance of the parameters over `s2`; the inverse of X'X for least squares.

    Returns
    -------
    ModelFit

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> rng, day = np.random.default_rng(0), np.datetime64("2020-01-01")
    >>> x = rng.normal(0, 0.01, (1, 63, 1))
    >>> y = 0.001 + 1.2 * x[:, :, 0]
    >>> arrays = es.models.EventArrays(
    ...     y[:, :60], x[:, :60], y[:, 60:], x[:, 60:], np.ones((1, 3), int), day + np.arange(60)[None],
    ...     day + 60 + np.arange(3)[None],
    ... )
    >>> ols = es.models.ols_batch(arrays.y_est, arrays.x_est)
    >>> fit = es.models.linear_fit(
    ...     arrays, param_names=("alpha", "beta"), params=ols.params, unit_cov=ols.xtx_inv,
    ...     s2=np.array([1e-4]), n_obs=ols.n_obs, dof=ols.n_obs - 2.0, r_squared=np.array([1.0]),
    ...     residuals=ols.residuals,
    ...     leverage=ols.leverage, se_source="a variance that is known", exact=False,
    ... )
    >>> bool(np.allclose(fit.expected, arrays.y_evt))
    True
    """
    x = arrays.x_evt[:, :, : params.shape[1] - 1]
    spans = arrays.span_evt.astype(np.float64)
    design = np.empty((*spans.shape, params.shape[1]))
    design[:, :, 0], design[:, :, 1:] = spans, x
    expected = spans * params[:, :1]
    for j in range(x.shape[2]):
        expected += x[:, :, j] * params[:, None, 1 + j]
    noise = s2[:, None] * spans
    unknown = np.isnan(arrays.y_evt) | np.isnan(expected)
    if unknown.any():
        expected[unknown] = noise[unknown] = design[unknown] = np.nan
    return ModelFit(
        param_names=param_names,
        params=params,
        param_cov=s2[:, None, None] * unit_cov,
        s2=s2,
        n_obs=n_obs,
        dof=dof,
        r_squared=r_squared,
        residuals=residuals,
        leverage=leverage,
        expected=expected,
        noise=noise,
        design=design,
        se_source=se_source,
        exact=exact,
    )


def approximate_fit(arrays: EventArrays, params: FloatArray, se_source: str) -> ModelFit:
    """Market line of given intercept and slope, judged by its residuals and least-squares leverage.

    For estimators without a closed-form prediction error: the variance is that of **all** residuals,
    ``sum e^2 / (M - 2)``, and the parameter error that least squares would have.

    Parameters
    ----------
    arrays : EventArrays
        The benchmark is the first regressor.
    params : array, shape (n, 2)
        Intercept and slope.
    se_source : str

    Returns
    -------
    ModelFit

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> rng, day = np.random.default_rng(0), np.datetime64("2020-01-01")
    >>> x = rng.normal(0, 0.01, (1, 63, 1))
    >>> y = 0.001 + 1.2 * x[:, :, 0]
    >>> arrays = es.models.EventArrays(
    ...     y[:, :60], x[:, :60], y[:, 60:], x[:, 60:], np.ones((1, 3), int), day + np.arange(60)[None],
    ...     day + 60 + np.arange(3)[None],
    ... )
    >>> fit = es.models.approximate_fit(arrays, np.array([[0.0, 1.2]]), "residuals about the line")
    >>> fit.exact, (arrays.y_evt - fit.expected).round(4).tolist()
    (False, [[0.001, 0.001, 0.001]])
    """
    x = arrays.x_est[:, :, :1]
    ols = ols_batch(arrays.y_est, x)
    residuals = arrays.y_est - params[:, :1] - params[:, 1:] * x[:, :, 0]
    sse = np.where(np.isnan(residuals), 0.0, residuals**2).sum(axis=1)
    dof = (ols.n_obs - 2).astype(np.float64)
    used = ~np.isnan(residuals)
    count = np.maximum(used.sum(axis=1), 1)
    mean = np.where(used, arrays.y_est, 0.0).sum(axis=1) / count
    total = np.where(used, (arrays.y_est - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return linear_fit(
        arrays,
        param_names=("alpha", "beta"),
        params=params,
        unit_cov=ols.xtx_inv,
        s2=np.where(np.isnan(params).any(axis=1), np.nan, divide(sse, dof)),
        n_obs=ols.n_obs,
        dof=dof,
        r_squared=1.0 - divide(sse, total),
        residuals=residuals,
        leverage=ols.leverage,
        se_source=se_source,
        exact=False,
    )
