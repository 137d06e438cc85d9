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

from typing import NamedTuple

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.models.least_squares import divide, ols_batch
from eventstudy.sample import SharedArrays, SharedWindows, nonzero_rows, stacks

__all__ = ["SharedOLS", "expected_returns", "shared_ols", "shared_residuals"]

#: Relative size below which what is left of a regressor is rounding error.
FLAT = 1e-12
#: Leverage of the missing days, below which the smallest eigenvalue of the normal equations is at least 0.1.
MOST_MISSING = 0.9
#: Share of missing days up to which they are looked up one by one, not by products of matrices.
FEW_DAYS = 0.05
#: Share of the squares left unexplained, below which their difference is not taken.
LOST_DIGITS = 0.05


class SharedOLS(NamedTuple):
    """Least squares of n events; `params`, `xtx_inv`, ... as in `BatchOLS`."""

    params: FloatArray
    xtx_inv: FloatArray
    n_obs: IntArray
    sse: FloatArray
    r_squared: FloatArray


class _Basis(NamedTuple):
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
    filled = _zero_missing(y, windows.inner)
    squares, gaps, days, missing = filled.squares, filled.gaps, filled.days, filled.missing
    n_obs = np.full(len(y), y.shape[1], dtype=np.int64)
    coefs = _coefficients(y, basis.rows, windows.start)
    explained = np.vecdot(coefs[:, 1:], coefs[:, 1:])
    sse = squares - np.vecdot(coefs, coefs)
    back = np.ascontiguousarray(basis.to_params.transpose(0, 2, 1))
    turn = basis.to_params.take(run, axis=0)
    xtx_inv = (basis.to_params @ back).take(run, axis=0)
    unsafe = np.empty(0, dtype=np.int64)
    if len(gaps):
        rows = basis.rows if len(days) == y.shape[1] else basis.rows.take(days, axis=2)
        some, mine = coefs.take(gaps, axis=0), run.take(gaps)
        lost = _without(missing, filled.absent, rows, mine, some)
        n_obs[gaps] -= lost.n_days
        sse[gaps] = squares[gaps] - np.vecdot(some, lost.coefs)
        coefs[gaps], explained[gaps], unsafe = lost.coefs, lost.explained, np.flatnonzero(lost.unsafe)
        xtx_inv[gaps] = turn.take(gaps, axis=0) @ lost.inverse @ back.take(mine, axis=0)
    close = np.flatnonzero(sse < LOST_DIGITS * squares)
    if len(close):
        residuals = y[close] - np.matmul(coefs[close, None, :], basis.rows[run[close]])[:, 0]
        _, among, of = np.intersect1d(close, gaps, assume_unique=True, return_indices=True)
        residuals[among] = _with_value(residuals[among], days, missing[of], 0.0)
        sse[close] = np.vecdot(residuals, residuals)
    params = np.einsum("nij,nj->ni", turn, coefs)
    sse[np.isnan(params).any(axis=1)] = np.nan
    r_squared = divide(explained, sse + explained)
    if len(unsafe):
        who = gaps[unsafe]
        other = ols_batch(_with_value(y[who], days, missing[unsafe], np.nan), windows.x[run[who]])
        params[who], xtx_inv[who], n_obs[who] = other.params, other.xtx_inv, other.n_obs
        sse[who], r_squared[who] = other.sse, other.r_squared
    return SharedOLS(params, xtx_inv, n_obs, sse, r_squared)


class _Filled(NamedTuple):
    """Returns of n events whose missing days were set to zero.

    Attributes
    ----------
    squares : array, shape (n,)
        Their sums of squares.
    gaps : array of int, shape (m,)
        Events that miss days; all events where many do.
    days : array of int, shape (d,)
        Days that they may miss.
    missing : array of bool, shape (m, d)
    absent : tuple of arrays of int, optional
        Row and column of each true cell of `missing`, if they are few.
    """

    squares: FloatArray
    gaps: IntArray
    days: IntArray
    missing: BoolArray
    absent: tuple[IntArray, IntArray] | None


def _zero_missing(y: FloatArray, inner: slice) -> _Filled:
    """Set missing returns to zero, in place; the days of `inner` are likely to be known."""
    days = np.arange(y.shape[1])
    # One missing day makes the sum of its event NaN.
    squares = np.vecdot(y[:, inner], y[:, inner])
    ends = np.delete(days, inner)
    at_ends = bool(len(ends)) and not np.isnan(squares).any()
    outer = y.take(ends, axis=1)
    squares += np.vecdot(outer, outer)
    gaps = np.flatnonzero(np.isnan(squares))
    if 4 * len(gaps) > len(y):
        gaps = np.arange(len(y))  # where they are many, looking at all costs less than a copy of theirs
    some = y if len(gaps) == len(y) else y[gaps]
    part = some
    if at_ends:
        days, part = ends, outer if some is y else outer[gaps]
    missing = np.isnan(part)
    absent: tuple[IntArray, IntArray] | None = None
    if len(gaps):
        if np.count_nonzero(missing) <= FEW_DAYS * missing.size:
            absent = nonzero_rows(missing)
            part[absent] = 0.0
        else:
            np.copyto(part, 0.0, where=missing)
        if at_ends:
            some[:, days] = part
        squares[gaps] = np.vecdot(some, some)
        if some is not y:
            y[gaps] = some
    return _Filled(squares, gaps, days, missing, absent)


def _with_value(rows: FloatArray, days: IntArray, where: BoolArray, value: float) -> FloatArray:
    """Return rows (m, W) with a value on some of the `days`."""
    out = rows.copy()
    out[:, days] = np.where(where, value, out[:, days])
    return out


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


def _coefficients(y: FloatArray | BoolArray, rows: FloatArray, start: IntArray) -> FloatArray:
    """Coefficients (n, k) of each row of `y` on the orthonormal `rows` of its run."""
    coefs = np.empty((len(y), rows.shape[1]))
    for stack in stacks(start, len(y)):
        mine = y[stack.events].astype(np.float64, copy=False).reshape(-1, stack.size, y.shape[1])
        np.matmul(mine, rows[stack.runs].transpose(0, 2, 1), out=stack.of(coefs))
    return coefs


class _Gaps(NamedTuple):
    """Solution of m events with missing days: as in `shared_ols`, and which of them are not to be trusted."""

    coefs: FloatArray
    inverse: FloatArray
    explained: FloatArray
    n_days: IntArray
    unsafe: BoolArray


def _without(
    missing: BoolArray,
    absent: tuple[IntArray, IntArray] | None,
    rows: FloatArray,
    run: IntArray,
    coefs: FloatArray,
) -> _Gaps:
    """Solve events that miss days.

    Parameters
    ----------
    missing : array of bool, shape (m, W)
    absent : tuple of arrays of int, optional
        Event and day of each missing day, if they are few.
    rows : array, shape (g, k, W)
        Orthonormal regressors of all runs.
    run : array of int, shape (m,)
        The run of each event, in order.
    coefs : array, shape (m, k)
        Coefficients as if the returns of the missing days were zero.
    """
    k = rows.shape[1]
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    if absent is None:
        n_days = missing.sum(axis=1)
        start = np.flatnonzero(np.diff(run, prepend=-1))
        used = rows[run[start]]
        products = np.stack([used[:, i] * used[:, j] for i, j in pairs], axis=1)
        sums = _coefficients(missing, products, start).T
    else:
        event, day = absent
        n_days = np.bincount(event, minlength=len(run))
        some = np.flatnonzero(n_days)
        start = (np.cumsum(n_days) - n_days)[some]
        lost = np.ascontiguousarray(rows[run[event], :, day].T)
        sums = np.zeros((len(pairs), len(run)))
        for total, (i, j) in zip(sums, pairs, strict=True):
            total[some] = np.add.reduceat(lost[i] * lost[j], start)
    deficit = np.empty((len(run), k, k))
    for (i, j), total in zip(pairs, sums, strict=True):
        deficit[:, i, j] = deficit[:, j, i] = total
    unsafe = np.einsum("nkk->n", deficit) > MOST_MISSING
    normal = np.eye(k) - np.where(unsafe[:, None, None], 0.0, deficit)
    inverse = _inverse(normal)
    coefs = np.einsum("nij,nj->ni", inverse, coefs)
    first = normal[:, 0, :]
    centred = normal[:, 1:, 1:] - first[:, 1:, None] * first[:, None, 1:] / first[:, :1, None]
    explained = np.einsum("ni,nij,nj->n", coefs[:, 1:], centred, coefs[:, 1:])
    return _Gaps(coefs, inverse, explained, n_days, unsafe)
