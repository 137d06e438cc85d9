r"""Least squares of many events that share regressors: one product of matrices per run of events.

The regressors of a run are made orthonormal once (a constant first), so

.. math:: c_i = B y_i, \qquad e_i' e_i = y_i' y_i - c_i' c_i

are the coefficients and sums of squares of all its events, and the parameters are a fixed linear map of c.
Where the regressors explain nearly all, the difference would lose digits, and residuals are squared instead.
An event that misses days u has normal equations :math:`(I - \sum_u b_u b_u') \beta = \sum_{t \notin u} b_t
y_t`, which are well conditioned while the missing days hold little leverage; where they hold much, the event
is solved by `ols_batch`, as it is where too few days are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.models.least_squares import divide, ols_batch
from eventstudy.sample import SharedArrays, SharedWindows, nonzero_rows, stacks

__all__ = ["SharedOLS", "expected_returns", "shared_ols", "shared_residuals"]

#: Relative size below which what is left of a regressor is rounding error.
FLAT = 1e-12
#: Leverage of the missing days, below which the smallest eigenvalue of the normal equations is at least 0.1.
MOST_MISSING = 0.9
#: Share of the squares left unexplained, below which their difference is not taken.
LOST_DIGITS = 0.05


@dataclass(frozen=True)
class SharedOLS:
    """Least squares of n events; `params`, `xtx_inv`, ... as in `BatchOLS`."""

    params: FloatArray
    xtx_inv: FloatArray
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
    squares = np.vecdot(y, y)
    n_obs = np.full(len(y), y.shape[1], dtype=np.int64)
    # One missing day makes the sum of its event NaN.
    gaps = np.flatnonzero(np.isnan(squares))
    event = day = np.empty(0, dtype=np.int64)
    if len(gaps):
        # Where they are many, looking at all costs less than a copy of theirs.
        many = 4 * len(gaps) > len(y)
        event, day = nonzero_rows(np.isnan(y if many else y[gaps]))
        event = event if many else gaps[event]
        n_obs -= np.bincount(event, minlength=len(y))
        y[event, day] = 0.0
        if many:
            squares = np.vecdot(y, y)
        else:
            squares[gaps] = np.vecdot(y[gaps], y[gaps])
    coefs = _coefficients(y, basis.rows, windows.start)
    explained = np.vecdot(coefs[:, 1:], coefs[:, 1:])
    sse = squares - np.vecdot(coefs, coefs)
    xtx_inv = (basis.to_params @ basis.to_params.transpose(0, 2, 1))[run]
    unsafe = np.empty(0, dtype=np.int64)
    if len(gaps):
        start = np.flatnonzero(np.diff(event, prepend=-1))
        lost = _without(basis.rows[run[event], :, day], coefs[gaps], start)
        sse[gaps] = squares[gaps] - np.vecdot(coefs[gaps], lost.coefs)
        coefs[gaps], explained[gaps], unsafe = lost.coefs, lost.explained, gaps[lost.unsafe]
        turn = basis.to_params[run[gaps]]
        xtx_inv[gaps] = turn @ lost.inverse @ turn.transpose(0, 2, 1)
    close = np.flatnonzero(sse < LOST_DIGITS * squares)
    if len(close):
        y[event, day] = np.nan
        residuals = y[close] - np.matmul(coefs[close, None, :], basis.rows[run[close]])[:, 0]
        residuals[np.isnan(residuals)] = 0.0
        sse[close] = np.vecdot(residuals, residuals)
    params = np.einsum("nij,nj->ni", basis.to_params[run], coefs)
    sse[np.isnan(params).any(axis=1)] = np.nan
    r_squared = divide(explained, sse + explained)
    if len(unsafe):
        y[event, day] = np.nan
        other = ols_batch(y[unsafe], windows.x[run[unsafe]])
        params[unsafe], xtx_inv[unsafe], n_obs[unsafe] = other.params, other.xtx_inv, other.n_obs
        sse[unsafe], r_squared[unsafe] = other.sse, other.r_squared
    return SharedOLS(params, xtx_inv, n_obs, sse, r_squared)


def shared_residuals(windows: SharedWindows, params: FloatArray) -> FloatArray:
    """Take from returns what the constant and the regressors explain with given parameters.

    Parameters
    ----------
    windows : SharedWindows
    params : array, shape (n, 1 + p)
        Constant first.

    Returns
    -------
    array, shape (n, W)
        The returns of `windows`, overwritten.
    """
    return np.subtract(windows.y, _predicted(windows.x, params, windows.start), out=windows.y)


def expected_returns(arrays: SharedArrays, params: FloatArray) -> FloatArray:
    """Predict the event windows with given parameters, the constant first; shape (n, L).

    A day without return is predicted all the same.
    """
    expected, lumped = _predicted(arrays.x_evt, params, arrays.estimation.start), arrays.lumped
    if len(lumped.event):
        mine = params[lumped.event]
        whole = lumped.span * mine[:, 0] + np.vecdot(lumped.x, mine[:, 1:])
        expected[lumped.event, lumped.day] = whole
    return expected


def _basis(x: FloatArray) -> _Basis:
    n, width, p = x.shape
    given = x.transpose(0, 2, 1)
    known: BoolArray = np.logical_not(np.isnan(given.sum(axis=1)))
    count = np.maximum(known.sum(axis=1), 1)
    complete = bool(known.all())
    if not complete:
        given = np.where(known[:, None], given, 0.0)
    mean = given.sum(axis=2) / count[:, None]
    slopes = given - mean[:, :, None]
    if not complete:
        slopes = np.where(known[:, None], slopes, 0.0)
    # Scaled to length 1 first: factors differ in size by orders of magnitude.
    size = np.sqrt(np.vecdot(slopes, slopes))
    bad = ~(size > FLAT * np.sqrt(np.vecdot(given, given))).all(axis=1)
    size = np.where(size > 0, size, 1.0)
    slopes /= size[:, :, None]
    turn = np.broadcast_to(np.eye(p), (n, p, p))
    # The second round makes up for the digits that nearly collinear factors lose in the first.
    for _ in range(2 if p > 1 else 0):
        cross = slopes @ slopes.transpose(0, 2, 1)
        bad |= _collinear(cross)
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


def _collinear(cross: FloatArray) -> BoolArray:
    """Whether the smallest eigenvalue of matrices (g, p, p) with a unit diagonal is below `FLAT`."""
    p = cross.shape[1]
    # The others are p - 1 of sum p at most, so it is at least this, which is mostly enough to know.
    least = np.linalg.det(cross) * ((p - 1) / p) ** (p - 1)
    doubt = ~(least > 1000 * FLAT)
    found: BoolArray = doubt.copy()
    if doubt.any():
        found[doubt] = np.linalg.eigvalsh(cross[doubt])[:, 0] < FLAT
    return found


def _inverse(normal: FloatArray) -> FloatArray:
    """Invert well-conditioned symmetric matrices (m, k, k)."""
    if normal.shape[1] != 2:
        return np.asarray(np.linalg.inv(normal), dtype=np.float64)
    inverse = np.empty_like(normal)
    inverse[:, 0, 0], inverse[:, 1, 1] = normal[:, 1, 1], normal[:, 0, 0]
    inverse[:, 0, 1] = inverse[:, 1, 0] = -normal[:, 0, 1]
    inverse /= (normal[:, 0, 0] * normal[:, 1, 1] - normal[:, 0, 1] ** 2)[:, None, None]
    return inverse


def _predicted(x: FloatArray, params: FloatArray, start: IntArray) -> FloatArray:
    """Constant and regressors (g, W, p) of each run, times the parameters (n, 1 + p) of its events."""
    rows = np.ones((len(x), params.shape[1], x.shape[1]))
    rows[:, 1:] = x.transpose(0, 2, 1)
    params, out = np.ascontiguousarray(params), np.empty((len(params), x.shape[1]))
    for stack in stacks(start, len(params)):
        np.matmul(stack.of(params), rows[stack.runs], out=stack.of(out))
    return out


def _coefficients(y: FloatArray, rows: FloatArray, start: IntArray) -> FloatArray:
    """Coefficients (n, k) of each row of `y` on the orthonormal `rows` of its run."""
    coefs = np.empty((len(y), rows.shape[1]))
    for stack in stacks(start, len(y)):
        np.matmul(stack.of(y), rows[stack.runs].transpose(0, 2, 1), out=stack.of(coefs))
    return coefs


@dataclass(frozen=True)
class _Gaps:
    """Solution of m events with missing days: as in `shared_ols`, and which of them are not to be trusted."""

    coefs: FloatArray
    inverse: FloatArray
    explained: FloatArray
    unsafe: BoolArray


def _without(lost: FloatArray, coefs: FloatArray, start: IntArray) -> _Gaps:
    """Solve events that miss days.

    Parameters
    ----------
    lost : array, shape (days, k)
        Orthonormal regressors of the missing days, one event after the other.
    coefs : array, shape (m, k)
        Coefficients as if the returns of these days were zero.
    start : array of int, shape (m,)
        The first missing day of each event.
    """
    k, column = lost.shape[1], np.ascontiguousarray(lost.T)
    deficit = np.empty((len(start), k, k))
    for i in range(k):
        for j in range(i, k):
            deficit[:, i, j] = deficit[:, j, i] = np.add.reduceat(column[i] * column[j], start)
    unsafe = np.einsum("nkk->n", deficit) > MOST_MISSING
    normal = np.eye(k) - np.where(unsafe[:, None, None], 0.0, deficit)
    inverse = _inverse(normal)
    coefs = np.einsum("nij,nj->ni", inverse, coefs)
    first = normal[:, 0, :]
    centred = normal[:, 1:, 1:] - first[:, 1:, None] * first[:, None, 1:] / first[:, :1, None]
    explained = np.einsum("ni,nij,nj->n", coefs[:, 1:], centred, coefs[:, 1:])
    return _Gaps(coefs, inverse, explained, unsafe)
