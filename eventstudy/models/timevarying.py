"""Market models whose parameters move: exponentially weighted, and re-estimated on a rolling window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_whole
from eventstudy.errors import ModelError
from eventstudy.models.base import EstimationWindowsUsed, MarketLine, ModelFit
from eventstudy.models.least_squares import divide, linear_fit, ols_batch
from eventstudy.models.linear import estimation_frame
from eventstudy.sample import EventArrays

__all__ = ["EWMarketModel", "RollingMarketModel"]

NAMES = ("alpha", "beta")


@dataclass(frozen=True)
class EWMarketModel(MarketLine):
    r"""Market model whose weights halve with every `half_life` sessions back in time.

    .. math:: \hat\theta = (X'\Lambda X)^{-1} X'\Lambda y, \qquad \Lambda = \operatorname{diag}(\lambda^{age})
              , \qquad \lambda = 2^{-1/\text{half-life}}

    .. math:: V = s^2 \left(I + X^* (X'\Lambda X)^{-1} X'\Lambda^2 X (X'\Lambda X)^{-1} X^{*\prime}\right),
              \qquad \nu = \frac{(\sum\lambda^{age})^2}{\sum\lambda^{2\,age}} - 2

    Parameters
    ----------
    half_life : float
        Sessions after which an observation counts half.

    Raises
    ------
    ModelError
        If `half_life` is not positive.

    Notes
    -----
    The variance is weighted too, and unbiased if errors are homoskedastic:
    :math:`s^2 = \sum\lambda e^2 / \sum\lambda(1 - h)`, where :math:`1 - h` is the variance of a
    residual over that of an error. That CAR / s.e. is t with :math:`\nu` degrees of freedom is an
    approximation.

    References
    ----------
    docs/methods/adjusted_market_models.md, eqs. (ew-variance) and (ew-dof).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.EWMarketModel(half_life=60).label
    'Market model (weights halve every 60 sessions)'
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "one side"

    half_life: float

    def __post_init__(self) -> None:
        if not 0 < self.half_life < np.inf:
            raise ModelError(f"half_life is a positive number of sessions; got {self.half_life!r}.")

    @property
    def label(self) -> str:
        return f"Market model (weights halve every {self.half_life:g} sessions)"

    def weights(self, length: int) -> FloatArray:
        """Weights of an estimation window of `length` sessions, the last of weight 1."""
        return np.asarray(0.5 ** (np.arange(length - 1, -1, -1) / self.half_life), dtype=np.float64)

    def fit(self, arrays: EventArrays) -> ModelFit:
        return nearest_last(self._fit, arrays)

    def _fit(self, arrays: EventArrays) -> ModelFit:
        weights = self.weights(arrays.y_est.shape[1])
        ols = ols_batch(arrays.y_est, arrays.x_est, weights=weights)
        used = ~np.isnan(ols.residuals)
        w = np.where(used, weights, 0.0)
        rows = np.where(used[:, :, None], _with_constant(arrays.x_est), 0.0)
        inner = np.einsum("nwk,nw,nwj->nkj", rows, w**2, rows)
        unit_cov = ols.xtx_inv @ inner @ ols.xtx_inv
        # Var(e_t) / s^2 = 1 - 2 g_tt + sum_s g_ts^2, where g_ts is the weight of y_s in fitted y_t.
        leverage = 2 * ols.leverage - np.einsum("nwk,nkj,nwj->nw", rows, unit_cov, rows)
        total = w.sum(axis=1)
        effective = divide(total**2, (w**2).sum(axis=1))
        dof = effective - 2.0
        s2 = divide(ols.sse, np.where(used, w * (1.0 - leverage), 0.0).sum(axis=1))
        return linear_fit(
            arrays,
            param_names=NAMES,
            params=ols.params,
            unit_cov=unit_cov,
            s2=np.where(dof > 0, s2, np.nan),
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            residuals=ols.residuals,
            leverage=leverage,
            se_source="prediction error of weighted least squares, effective degrees of freedom",
            exact=False,
        )

    def regression(self, arrays: EventArrays, row: int) -> Any:
        import statsmodels.api as sm

        y, x, _ = estimation_frame(arrays, row, NAMES)
        used = ~np.isnan(arrays.y_est[row]) & ~np.isnan(arrays.x_est[row]).any(axis=1)
        after = arrays.after is not None and bool(arrays.after[row])
        weights = self.weights(len(used))[::-1] if after else self.weights(len(used))
        return sm.WLS(y, x, weights=weights[used]).fit()


@dataclass(frozen=True)
class RollingMarketModel(MarketLine):
    r"""Market model re-estimated on the last `window` sessions: a beta that varies in time.

    The event window is predicted with parameters of the last `window` sessions of the estimation
    window; nothing at or after the event window's start enters. Each earlier estimation session t
    that has `window` sessions before it is predicted alike, from sessions t - window to t - 1.

    .. math:: u_t = \frac{R_t - \hat\alpha_{t} - \hat\beta_{t} R_{mt}}{\sqrt{1 + x_t (X_t'X_t)^{-1} x_t'}},
              \qquad s^2 = \frac{1}{M} \sum_t u_t^2, \qquad \nu = M

    Parameters
    ----------
    window : int
        Sessions of each regression; the estimation window must be longer.

    Raises
    ------
    ModelError
        If `window` is below 10.

    Notes
    -----
    `residuals` are the one-step prediction errors :math:`u_t`, in units in which they have the variance
    of the errors, and M is their number: a beta that drifts shows in :math:`s^2`, as it would in the event
    window. A regression needs returns on half of its sessions. Errors of successive days share data,
    so :math:`t_\nu` is an approximation.

    References
    ----------
    docs/methods/adjusted_market_models.md, eq. (rolling).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.RollingMarketModel(window=120).label
    'Market model (last 120 sessions)'
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "common"

    window: int

    def __post_init__(self) -> None:
        check_whole("window", self.window, 10, error=ModelError)

    @property
    def label(self) -> str:
        return f"Market model (last {self.window} sessions)"

    def fit(self, arrays: EventArrays) -> ModelFit:
        return nearest_last(self._fit, arrays)

    def _fit(self, arrays: EventArrays) -> ModelFit:
        y, x = arrays.y_est, arrays.x_est[:, :, 0]
        width = y.shape[1]
        if width <= self.window:
            raise ModelError(
                f"RollingMarketModel(window={self.window}) needs an estimation window of more than "
                f"{self.window} sessions, and it has {width}: no session of it can be predicted."
            )
        last = ols_batch(y[:, -self.window :], x[:, -self.window :, None])
        errors = _one_step_errors(y, x, self.window)
        seen = ~np.isnan(errors)
        n_obs = seen.sum(axis=1)
        dof = n_obs.astype(np.float64)
        s2 = divide(np.where(seen, errors**2, 0.0).sum(axis=1), dof)
        return linear_fit(
            arrays,
            param_names=NAMES,
            params=last.params,
            unit_cov=last.xtx_inv,
            s2=np.where(2 * last.n_obs < self.window, np.nan, s2),
            n_obs=n_obs.astype(np.int64),
            dof=dof,
            r_squared=last.r_squared,
            residuals=errors,
            leverage=np.where(seen, 0.0, np.nan),
            se_source="one-step prediction errors of the rolling regression",
            exact=False,
        )


def nearest_last(fit: Callable[[EventArrays], ModelFit], arrays: EventArrays) -> ModelFit:
    """Fit windows whose last session is the nearest to the event; those after it are turned round."""
    if arrays.after is None:
        return fit(arrays)
    after = arrays.after

    def turned(values: FloatArray) -> FloatArray:
        out = values.copy()
        out[after] = values[after, ::-1]
        return out

    found = fit(replace(arrays, y_est=turned(arrays.y_est), x_est=turned(arrays.x_est)))
    return replace(found, residuals=turned(found.residuals), leverage=turned(found.leverage))


def _with_constant(x: FloatArray) -> FloatArray:
    return np.concatenate([np.ones((*x.shape[:2], 1)), x], axis=2)


def _one_step_errors(y: FloatArray, x: FloatArray, window: int) -> FloatArray:
    """Prediction errors of y_t from the `window` sessions before t, over their prediction s.d.; (n, W)."""
    used = ~np.isnan(y) & ~np.isnan(x)
    count = np.maximum(used.sum(axis=1), 1)[:, None]
    # About the window's mean, so running sums lose no digits.
    yc = np.where(used, y - np.where(used, y, 0.0).sum(axis=1, keepdims=True) / count, 0.0)
    xc = np.where(used, x - np.where(used, x, 0.0).sum(axis=1, keepdims=True) / count, 0.0)

    def before(values: FloatArray) -> FloatArray:
        total = np.concatenate([np.zeros((len(y), 1)), np.cumsum(values, axis=1)], axis=1)
        return np.asarray(total[:, window:-1] - total[:, : -window - 1], dtype=np.float64)

    n, sx, sy = before(used.astype(np.float64)), before(xc), before(yc)
    enough = used[:, window:] & (2 * n >= window)
    n = np.where(enough, n, 1.0)
    mean_x, mean_y = sx / n, sy / n
    sxx = before(xc**2) - n * mean_x**2
    beta = divide(before(xc * yc) - n * mean_x * mean_y, sxx)
    gap = xc[:, window:] - mean_x
    scale = np.sqrt(1.0 + 1.0 / n + divide(gap**2, sxx))
    errors = np.full(y.shape, np.nan)
    errors[:, window:] = np.where(enough, (yc[:, window:] - mean_y - beta * gap) / scale, np.nan)
    return errors
