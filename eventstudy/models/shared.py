r"""Least squares of many events that share regressors: one product of matrices a run of events.

The regressors of a run are made orthonormal once (a constant first), so that

.. math:: c_i = B y_i, \qquad e_i = y_i - B' c_i

are the coefficients and residuals of all its events, and the parameters are a fixed linear map of c. An
event that misses days u has normal equations :math:`(I - \sum_u b_u b_u') \beta = \sum_{t \notin u} b_t y_t`,
which are well conditioned while the missing days hold little leverage; where they hold much, the event is
solved by `ols_batch`, as it is where too few days are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eventstudy.models.base import FloatArray
from eventstudy.models.least_squares import divide, ols_batch
from eventstudy.sample import SharedWindows

__all__ = ["SharedOLS", "shared_ols"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
#: Relative size below which what is left of a regressor is rounding error.
FLAT = 1e-12
#: Leverage of the missing days, below which the smallest eigenvalue of the normal equations is at least 0.1.
MOST_MISSING = 0.9
#: Runs of fewer events than this, on average, are multiplied all at once rather than one by one.
SHORT_RUN = 3.0


@dataclass(frozen=True)
class SharedOLS:
    """Least squares of n events; `params`, `xtx_inv`, `residuals`, ... as in `BatchOLS`."""

    params: FloatArray
    xtx_inv: FloatArray
    residuals: FloatArray
    n_obs: IntArray
    sse: FloatArray
    r_squared: FloatArray


@dataclass(frozen=True)
class _Basis:
    """Orthonormal regressors of g runs.

    Attributes
    ----------
    rows : array, shape (g, k, W)
        Constant first; 0 on days whose regressors are not known, and throughout where they are collinear.
    known : array of bool, shape (g, W)
    to_params : array, shape (g, k, k)
        Map of coefficients to parameters of the regressors as given; NaN where they are collinear.
    """

    rows: FloatArray
    known: BoolArray
    to_params: FloatArray


def shared_ols(windows: SharedWindows) -> SharedOLS:
    """Regress the returns of each event on a constant and the regressors of its run.

    Parameters
    ----------
    windows : SharedWindows
        Days without return or regressor are left out of the event's regression.

    Returns
    -------
    SharedOLS
        NaN where the regressors of an event are collinear or too few days are known.
    """
    y, run = windows.y, windows.run
    basis = _basis(windows.x)
    if not basis.known.all():
        y[~basis.known[run]] = np.nan
    coefs, residuals = _project(y, basis.rows, windows.start, run)
    sse = np.vecdot(residuals, residuals)
    explained = np.vecdot(coefs[:, 1:], coefs[:, 1:])
    xtx_inv = (basis.to_params @ basis.to_params.transpose(0, 2, 1))[run]
    n_obs = np.full(len(y), y.shape[1], dtype=np.int64)
    # One missing day makes every coefficient of its event NaN.
    gaps, unsafe = np.flatnonzero(np.isnan(coefs[:, 0])), np.empty(0, dtype=np.int64)
    if len(gaps):
        part = _with_gaps(y[gaps], basis.rows, run[gaps])
        coefs[gaps], residuals[gaps], n_obs[gaps] = part.coefs, part.residuals, part.n_obs
        sse[gaps], explained[gaps], unsafe = part.sse, part.explained, gaps[part.unsafe]
        turn = basis.to_params[run[gaps]]
        xtx_inv[gaps] = turn @ part.inverse @ turn.transpose(0, 2, 1)
    params = np.einsum("nij,nj->ni", basis.to_params[run], coefs)
    collinear = np.isnan(params).any(axis=1)
    if collinear.any():
        sse[collinear] = residuals[collinear] = np.nan
    r_squared = divide(explained, sse + explained)
    if len(unsafe):
        other = ols_batch(y[unsafe], windows.x[run[unsafe]])
        params[unsafe], xtx_inv[unsafe], n_obs[unsafe] = other.params, other.xtx_inv, other.n_obs
        residuals[unsafe], sse[unsafe], r_squared[unsafe] = other.residuals, other.sse, other.r_squared
    return SharedOLS(params, xtx_inv, residuals, n_obs, sse, r_squared)


def _basis(x: FloatArray) -> _Basis:
    n, width, p = x.shape
    known: BoolArray = np.logical_not(np.isnan(x).any(axis=2))
    count = np.maximum(known.sum(axis=1), 1)
    given = np.where(known[:, :, None], x, 0.0)
    mean = given.sum(axis=1) / count[:, None]
    centred = np.where(known[:, :, None], x - mean[:, None, :], 0.0).transpose(0, 2, 1)
    # Scaled to length 1 first: factors differ in size by orders of magnitude.
    size = np.sqrt(np.vecdot(centred, centred))
    bad = ~(size > FLAT * np.sqrt(np.einsum("nwp,nwp->np", given, given))).all(axis=1)
    size = np.where(size > 0, size, 1.0)
    slopes = centred / size[:, :, None]
    turn = np.broadcast_to(np.eye(p), (n, p, p))
    # The second round makes up for the digits that nearly collinear factors lose in the first.
    for _ in range(2 if p > 1 else 0):
        cross = slopes @ slopes.transpose(0, 2, 1)
        bad |= np.linalg.eigvalsh(cross)[:, 0] < FLAT
        cross[bad] = np.eye(p)
        step = np.linalg.inv(np.linalg.cholesky(cross))
        slopes, turn = step @ slopes, step @ turn
    slopes[bad] = 0.0
    to_params = np.zeros((n, 1 + p, 1 + p))
    to_params[:, 0, 0] = 1.0 / np.sqrt(count)
    to_params[:, 1:, 1:] = turn.transpose(0, 2, 1) / size[:, :, None]
    to_params[:, 0, 1:] = -np.einsum("np,npq->nq", mean, to_params[:, 1:, 1:])
    to_params[bad, :, 1:] = np.nan
    rows = np.empty((n, 1 + p, width))
    rows[:, 0] = known / np.sqrt(count)[:, None]
    rows[:, 1:] = slopes
    return _Basis(rows, known, to_params)


def _project(
    y: FloatArray, rows: FloatArray, start: IntArray, run: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (n, k) of each row of `y` on the orthonormal `rows` of its run, and residuals (n, W)."""
    if len(y) < SHORT_RUN * len(start):
        own = rows[run]
        coefs = np.matmul(own, y[:, :, None])[:, :, 0]
        return coefs, y - np.matmul(coefs[:, None, :], own)[:, 0]
    coefs, fitted = np.empty((len(y), rows.shape[1])), np.empty_like(y)
    for basis, first, stop in zip(rows, start.tolist(), [*start[1:].tolist(), len(y)], strict=True):
        part = coefs[first:stop]
        np.matmul(y[first:stop], basis.T, out=part)
        np.matmul(part, basis, out=fitted[first:stop])
    return coefs, np.subtract(y, fitted, out=fitted)


@dataclass(frozen=True)
class _Gaps:
    """Solution of m events with missing days: as in `shared_ols`, and which of them are not to be trusted."""

    coefs: FloatArray
    inverse: FloatArray
    residuals: FloatArray
    n_obs: IntArray
    sse: FloatArray
    explained: FloatArray
    unsafe: BoolArray


def _with_gaps(y: FloatArray, rows: FloatArray, run: IntArray) -> _Gaps:
    event, day = np.nonzero(np.isnan(y))
    y[event, day] = 0.0
    start = np.flatnonzero(np.diff(event, prepend=-1))
    n_obs = y.shape[1] - np.diff(np.append(start, len(event)))
    lost = rows[run[event], :, day]
    deficit = np.add.reduceat(lost[:, :, None] * lost[:, None, :], start, axis=0)
    unsafe = np.einsum("nkk->n", deficit) > MOST_MISSING
    normal = np.eye(rows.shape[1]) - np.where(unsafe[:, None, None], 0.0, deficit)
    inverse = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    # The basis is orthonormal no longer, so the solution takes the residuals along.
    begins = np.flatnonzero(np.diff(run, prepend=-1))
    short, _ = _project(y, rows[run[begins]], begins, np.cumsum(np.diff(run, prepend=-1) != 0) - 1)
    coefs = np.einsum("nij,nj->ni", inverse, short)
    residuals = y - np.matmul(coefs[:, None, :], rows[run])[:, 0]
    residuals[event, day] = 0.0
    sse = np.vecdot(residuals, residuals)
    residuals[event, day] = np.nan
    first = normal[:, 0, :]
    centred = normal[:, 1:, 1:] - first[:, 1:, None] * first[:, None, 1:] / first[:, :1, None]
    explained = np.einsum("ni,nij,nj->n", coefs[:, 1:], centred, coefs[:, 1:])
    return _Gaps(coefs, inverse, residuals, n_obs, sse, explained, unsafe)
