"""Market models that outliers of the estimation window cannot drag away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import scipy

from eventstudy._typing import FloatArray
from eventstudy.distributions import norm_ppf
from eventstudy.errors import ModelError
from eventstudy.models.base import MarketLine, ModelFit
from eventstudy.models.least_squares import approximate_fit, ols_batch
from eventstudy.models.linear import estimation_frame
from eventstudy.progress import followed
from eventstudy.sample import EventArrays

__all__ = ["RobustMarketModel"]

Method = Literal["huber", "theil-sen"]
#: Huber's bound: 95% efficient under normally distributed errors.
BOUND = 1.345
SOURCE = "all residuals of the robust line, least-squares leverage (approximation); prefer sq and rank tests"


@dataclass(frozen=True)
class RobustMarketModel(MarketLine):
    r"""Market model estimated by Huber's M-estimator or by Theil and Sen's median of slopes.

    ``"huber"`` solves :math:`\sum \psi(e_t/\hat\sigma) x_t = 0` with :math:`\psi(z) = \max(-c, \min(c, z))`,
    c = 1.345, by reweighted least squares, the scale :math:`\hat\sigma` being the median of
    :math:`|e_t|` over 0.6745 and updated in each step, as statsmodels' ``RLM`` does. ``"theil-sen"``
    takes the median of the slopes of all pairs of days, and the median of
    :math:`R_{it} - \hat\beta R_{mt}` for alpha.

    Parameters
    ----------
    method : {"huber", "theil-sen"}, default "huber"

    Raises
    ------
    ModelError
        If the method is unknown.

    Notes
    -----
    Only the line is robust. The variance is that of **all** residuals, :math:`\sum e^2/(M-2)`: the
    down-weighted scale leaves out the tails that an abnormal return is tested against. There is no exact
    prediction error, so t-values are approximate: prefer the ``sq`` and rank tests. Huber (1964);
    Theil (1950), Sen (1968).

    References
    ----------
    docs/methods/adjusted_market_models.md, eqs. (huber) and (theil-sen).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.RobustMarketModel("theil-sen").label
    'Market model (Theil-Sen)'
    """

    method: Method = "huber"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ModelError(f"method must be one of {', '.join(get_args(Method))}; got {self.method!r}.")

    @property
    def label(self) -> str:
        return f"Market model ({'Huber' if self.method == 'huber' else 'Theil-Sen'})"

    def fit(self, arrays: EventArrays) -> ModelFit:
        line = _huber if self.method == "huber" else _theil_sen
        return approximate_fit(arrays, line(arrays.y_est, arrays.x_est), SOURCE)

    def regression(self, arrays: EventArrays, row: int) -> Any:
        import statsmodels.api as sm

        if self.method != "huber":
            return super().regression(arrays, row)
        y, x, _ = estimation_frame(arrays, row, ("alpha", "beta"))
        return sm.RLM(y, x, M=sm.robust.norms.HuberT(BOUND)).fit(conv="coefs", tol=1e-10, maxiter=STEPS)


STEPS = 500


def _huber(y: FloatArray, x: FloatArray) -> FloatArray:
    """Huber's line for each row, by reweighted least squares of all rows at once; shape (n, 2)."""
    fit = ols_batch(y, x)
    params = fit.params
    open_rows = np.flatnonzero(~np.isnan(params).any(axis=1))
    for _ in range(STEPS):
        if len(open_rows) == 0:
            break
        residuals = np.abs(y[open_rows] - params[open_rows, :1] - params[open_rows, 1:] * x[open_rows, :, 0])
        scale = np.nanmedian(residuals, axis=1, keepdims=True) / norm_ppf(0.75)
        bound = np.maximum(BOUND * scale, np.finfo(float).tiny)
        weights = np.where(residuals > bound, bound / np.maximum(residuals, bound), 1.0)
        after = ols_batch(y[open_rows], x[open_rows], weights=weights).params
        moved = np.abs(after - params[open_rows]) > 1e-11 * (np.abs(after) + np.sqrt(scale))
        params[open_rows] = after
        open_rows = open_rows[moved.any(axis=1)]
    params[open_rows] = np.nan
    return params


def _theil_sen(y: FloatArray, x: FloatArray) -> FloatArray:
    """Theil and Sen's line for each row; shape (n, 2)."""
    params = np.full((len(y), 2), np.nan)
    for i in followed(range(len(y)), "Theil-Sen", "event"):
        used = ~np.isnan(y[i]) & ~np.isnan(x[i, :, 0])
        if used.sum() > 2 and np.ptp(x[i, used, 0]) > 0:
            slope = float(scipy.stats.theilslopes(y[i, used], x[i, used, 0]).slope)
            params[i] = np.median(y[i, used] - slope * x[i, used, 0]), slope
    return params
