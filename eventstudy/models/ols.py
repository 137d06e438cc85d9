"""Least-squares normal-return models, solved for all events at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from eventstudy.models.base import FloatArray, ModelFit, NormalReturnModel
from eventstudy.sample import EventArrays, Regressor

__all__ = ["BatchOLS", "ConstantMean", "LinearModel", "MarketAdjusted", "MarketModel", "ols_batch"]


@dataclass(frozen=True)
class BatchOLS:
    """Least squares of n regressions with a constant and p regressors, on W rows each.

    Attributes
    ----------
    params : array, shape (n, 1 + p)
        Constant first.
    xtx_inv : array, shape (n, 1 + p, 1 + p)
    residuals, leverage : arrays, shape (n, W)
        NaN on rows not used.
    n_obs : array of int, shape (n,)
    sse, r_squared : arrays, shape (n,)
    """

    params: FloatArray
    xtx_inv: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    n_obs: npt.NDArray[np.int64]
    sse: FloatArray
    r_squared: FloatArray


def ols_batch(y: FloatArray, x: FloatArray) -> BatchOLS:
    """Regress each row of `y` on a constant and its own regressors, leaving out missing days.

    Parameters
    ----------
    y : array, shape (n, W)
    x : array, shape (n, W, p)

    Returns
    -------
    BatchOLS
        NaN where the regressors of an event are collinear or too few days are known.

    Notes
    -----
    Regressors are centred first, so that the constant drops out of the cross-products and they lose
    no digits to it.
    """
    used = ~np.isnan(y) & ~np.isnan(x).any(axis=2)
    n_obs = used.sum(axis=1)
    count = np.maximum(n_obs, 1)[:, None]
    y_mean = np.where(used, y, 0.0).sum(axis=1) / count[:, 0]
    x_mean = np.where(used[:, :, None], x, 0.0).sum(axis=1) / count
    yc = np.where(used, y - y_mean[:, None], 0.0)
    xc = np.where(used[:, :, None], x - x_mean[:, None, :], 0.0)
    p = x.shape[2]
    inverse = _inverse(np.einsum("nwp,nwq->npq", xc, xc))
    slope = np.einsum("npq,nq->np", inverse, np.einsum("nwp,nw->np", xc, yc))
    residuals = np.where(used, yc - np.einsum("nwp,np->nw", xc, slope), np.nan)
    leverage = 1.0 / count + np.einsum("nwp,npq,nwq->nw", xc, inverse, xc)
    xtx_inv = np.empty((len(y), 1 + p, 1 + p))
    cross = -np.einsum("npq,nq->np", inverse, x_mean)
    xtx_inv[:, 0, 0] = 1.0 / count[:, 0] - np.einsum("np,np->n", cross, x_mean)
    xtx_inv[:, 0, 1:] = xtx_inv[:, 1:, 0] = cross
    xtx_inv[:, 1:, 1:] = inverse
    sse = np.where(used, residuals**2, 0.0).sum(axis=1)
    total = (yc**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r_squared = np.where(total > 0, 1.0 - sse / total, np.nan)
    return BatchOLS(
        params=np.column_stack([y_mean - np.einsum("np,np->n", slope, x_mean), slope]),
        xtx_inv=xtx_inv,
        residuals=residuals,
        leverage=np.where(used, leverage, np.nan),
        n_obs=n_obs.astype(np.int64),
        sse=np.where(np.isnan(slope).any(axis=1), np.nan, sse),
        r_squared=r_squared,
    )


def _inverse(cross: FloatArray) -> FloatArray:
    """Invert (n, p, p) cross-products; NaN where collinear."""
    p = cross.shape[1]
    if p == 0:
        return cross
    # Scaled to unit diagonal first: factors differ in size by orders of magnitude.
    size = np.sqrt(np.einsum("npp->np", cross))
    bad = ~(size > 0).all(axis=1)
    size = np.where(size > 0, size, 1.0)
    unit = cross / (size[:, :, None] * size[:, None, :])
    unit[bad] = np.eye(p)
    if p > 1:
        bad |= np.linalg.eigvalsh(unit)[:, 0] < 1e-12
        unit[bad] = np.eye(p)
    inverse: FloatArray = np.linalg.inv(unit) / (size[:, :, None] * size[:, None, :])
    inverse[bad] = np.nan
    return inverse


@dataclass(frozen=True)
class LinearModel(NormalReturnModel):
    """Base of the models whose parameters are least squares with a constant."""

    factors: ClassVar[tuple[Regressor, ...]] = ()

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return self.factors

    @property
    def n_params(self) -> int:
        return 1 + len(self.regressors)

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters, the constant first."""
        return ("alpha", *(r.name for r in self.regressors))

    def fit(self, arrays: EventArrays) -> ModelFit:
        ols = ols_batch(arrays.y_est, arrays.x_est)
        k = self.n_params
        dof = (ols.n_obs - k).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            s2 = np.where(dof > 0, ols.sse / dof, np.nan)
        spans = arrays.span_evt.astype(np.float64)
        # A return over d sessions has d constants and the variance of d sessions.
        design = np.concatenate([spans[:, :, None], arrays.x_evt], axis=2)
        known = ~np.isnan(arrays.y_evt) & ~np.isnan(arrays.x_evt).any(axis=2)
        expected = np.einsum("nlk,nk->nl", design, ols.params)
        return ModelFit(
            param_names=self.param_names,
            params=ols.params,
            param_cov=s2[:, None, None] * ols.xtx_inv,
            s2=s2,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            residuals=ols.residuals,
            leverage=ols.leverage,
            expected=np.where(known, expected, np.nan),
            noise=np.where(known, s2[:, None] * spans, np.nan),
            design=np.where(known[:, :, None], design, np.nan),
        )

    def regression(self, arrays: EventArrays, row: int) -> Any:
        import pandas as pd
        import statsmodels.api as sm

        index = pd.DatetimeIndex(arrays.dates_est[row].astype("datetime64[ns]"), name="date")
        y = pd.Series(arrays.y_est[row], index, name="return")
        x = pd.DataFrame(arrays.x_est[row], index, list(self.param_names[1:]))
        x.insert(0, self.param_names[0], 1.0)
        used = y.notna() & x.notna().all(axis=1)
        return sm.OLS(y[used], x[used]).fit()


@dataclass(frozen=True)
class ConstantMean(LinearModel):
    r"""The security's own mean return over the estimation window.

    .. math:: E[R_{it}] = \hat\mu_i, \qquad V_i = s_i^2 (I + \mathbf{1}\mathbf{1}'/M_i), \qquad
              \nu_i = M_i - 1

    Notes
    -----
    Brown and Warner (1980, 1985). It takes no notice of what the market did that day, so on a common
    event date it counts the market's move as abnormal.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.ConstantMean().label
    'Constant mean return'
    """

    @property
    def label(self) -> str:
        return "Constant mean return"

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("mu",)


@dataclass(frozen=True)
class MarketModel(LinearModel):
    r"""Ordinary least squares of the security's return on the benchmark's.

    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + \varepsilon_{it}, \qquad
              V_i = s_i^2 (I + X^*_i (X_i'X_i)^{-1} X^{*\prime}_i), \qquad \nu_i = M_i - 2

    A return that spans d sessions has normal return :math:`d\hat\alpha + \hat\beta R_m` with the
    benchmark compounded over the same d sessions, and the residual variance of d sessions.

    Notes
    -----
    Sharpe (1963); Brown and Warner (1985); MacKinlay (1997).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.MarketModel().param_names
    ('alpha', 'beta')
    """

    factors: ClassVar[tuple[Regressor, ...]] = (Regressor("benchmark"),)

    @property
    def label(self) -> str:
        return "Market model (OLS)"

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("alpha", "beta")


@dataclass(frozen=True)
class MarketAdjusted(NormalReturnModel):
    r"""The benchmark's own return: nothing is estimated but the variance.

    .. math:: E[R_{it}] = R_{mt}, \qquad V_i = s_i^2 I, \qquad
              s_i^2 = \frac{1}{M_i} \sum_\tau (R_{i\tau} - R_{m\tau})^2, \qquad \nu_i = M_i

    The variance is taken about zero, the mean the model imposes, so no degree of freedom is lost.

    Notes
    -----
    Brown and Warner (1980, 1985).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.MarketAdjusted().n_params
    0
    """

    @property
    def label(self) -> str:
        return "Market adjusted"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return (Regressor("benchmark"),)

    @property
    def n_params(self) -> int:
        return 0

    def fit(self, arrays: EventArrays) -> ModelFit:
        n = len(arrays.y_est)
        residuals = arrays.y_est - arrays.x_est[:, :, 0]
        used = ~np.isnan(residuals)
        n_obs = used.sum(axis=1).astype(np.int64)
        dof = n_obs.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            s2 = np.where(dof > 0, np.where(used, residuals**2, 0.0).sum(axis=1) / dof, np.nan)
        expected = np.where(np.isnan(arrays.y_evt), np.nan, arrays.x_evt[:, :, 0])
        noise = np.where(np.isnan(expected), np.nan, s2[:, None] * arrays.span_evt)
        return ModelFit(
            param_names=(),
            params=np.empty((n, 0)),
            param_cov=np.empty((n, 0, 0)),
            s2=s2,
            n_obs=n_obs,
            dof=dof,
            r_squared=np.full(n, np.nan),
            residuals=residuals,
            leverage=np.where(used, 0.0, np.nan),
            expected=expected,
            noise=noise,
            design=np.empty((*expected.shape, 0)),
            se_source="estimation-window variance about zero; nothing is estimated",
        )
