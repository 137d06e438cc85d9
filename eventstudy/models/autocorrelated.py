"""Least squares with errors that depend on those of the days before, as those of trading volume do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import scipy

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.errors import ModelError
from eventstudy.models.base import EstimationWindowsUsed, ModelFit, NormalReturnModel
from eventstudy.models.least_squares import divide, ols_batch
from eventstudy.models.linear import ConstantMean, LinearModel, MarketModel, estimation_frame
from eventstudy.progress import followed
from eventstudy.sample import EventArrays, EventSample, Regressor, Rows

__all__ = ["AutocorrelatedErrors", "ar_autocorrelations", "autocovariances", "bartlett_lags", "choose_order"]

Method = Literal["egls", "hac"]
#: Highest order of autoregression that is tried.
MOST_LAGS = 10


@dataclass(frozen=True, kw_only=True)
class DatedArrays(EventArrays):
    """Event arrays that know how many sessions lie between the starts of the two windows."""

    distance: int


@dataclass(frozen=True)
class AutocorrelatedErrors(NormalReturnModel):
    r"""A least-squares model whose errors are autocorrelated, so a sum over days is not a sum of variances.

    .. math:: V_{it} = x_t'\theta_i + u_{it}, \qquad \operatorname{Cov}(u_{it}, u_{i,t+h}) = s_i^2 \rho_{ih}

    With ``"egls"`` the errors are an autoregression of order p, by Yule and Walker's equations from the
    least-squares residuals; the parameters are estimated generalised least squares. With ``"hac"`` the
    parameters are least squares with Newey and West's covariance, and :math:`\rho_h` are the residuals'
    autocorrelations with Bartlett weights :math:`1 - h/(q+1)`. The covariance of the abnormal values of the
    window is, with :math:`\hat\theta - \theta = G u` for the errors u of the estimation window,

    .. math:: s^2 R_{ww} + X^* \operatorname{Var}(\hat\theta) X^{*\prime}
              - s^2 (R_{we} G' X^{*\prime} + X^* G R_{ew}),

    so `car`, `t`, Patell's and the BMP test of several days allow for the autocorrelation.

    Parameters
    ----------
    base : LinearModel, default MarketModel()
        Regressors, such as `ConstantMean` or `MarketModel` (then the market's turnover).
    method : {"egls", "hac"}, default "egls"
    lags : int, optional
        Order p, or number q of autocovariances; by default p of least BIC up to 10, and
        q = 4 (M/100)^(2/9), both by event.

    Raises
    ------
    ModelError
        If the method is unknown, `lags` is negative or `base` is not a least-squares model.

    Notes
    -----
    Tests whose standard error comes from the residuals of single days (Jaffe, ranks, signs of several days)
    do not know of the autocorrelation. Those that compare the event with sums of past days scale it by the
    error of its prediction alone, as these sums are autocorrelated too. Bartlett's weights shrink the
    autocovariances, so ``"hac"`` allows for part of it only. Standard errors take the autocorrelations as
    known. Campbell and Wasley (1996) on trading volume; Newey and West (1987).

    References
    ----------
    docs/methods/variance_models.md, eq. (serial-covariance).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.AutocorrelatedErrors(es.ConstantMean(), lags=2).label
    'Constant mean return, AR(2) errors by EGLS'
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "before"

    base: LinearModel = field(default_factory=MarketModel)
    method: Method = "egls"
    lags: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.base, LinearModel) or (
            not isinstance(self.base, ConstantMean) and not self.base.regressors
        ):
            raise ModelError(f"base must be a least-squares model such as MarketModel(), got {self.base!r}.")
        if self.base.missing != "drop":
            raise ModelError("base must have missing='drop': errors over several sessions have no lags.")
        if self.method not in get_args(Method):
            raise ModelError(f"method must be one of {', '.join(get_args(Method))}; got {self.method!r}.")
        if self.lags is not None and (not isinstance(self.lags, int | np.integer) or self.lags < 0):
            raise ModelError(f"lags is a whole number from 0 on, or None; got {self.lags!r}.")

    @property
    def excess(self) -> bool:  # type: ignore[override]
        """Whether values are taken in excess of the risk-free rate, as those of `base`."""
        return self.base.excess

    @property
    def label(self) -> str:
        if self.method == "hac":
            how = "Newey-West errors" if self.lags is None else f"Newey-West errors of {self.lags} lags"
        else:
            how = f"AR({'p' if self.lags is None else self.lags}) errors by EGLS"
        return f"{self.base.label}, {how}"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return self.base.regressors

    @property
    def n_params(self) -> int:
        return self.base.n_params

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> DatedArrays:
        return DatedArrays(
            **vars(super().arrays(sample, part)), distance=sample.window.start - sample.estimation.start
        )

    def fit(self, arrays: EventArrays) -> ModelFit:
        if not isinstance(arrays, DatedArrays):
            raise ModelError("AutocorrelatedErrors fits the arrays that its own `arrays(sample)` lays out.")
        n, length = arrays.y_evt.shape
        k = self.n_params
        ols = ols_batch(arrays.y_est, arrays.x_est)
        dof = (ols.n_obs - k).astype(np.float64)
        params, s2 = ols.params.copy(), np.full(n, np.nan)
        residuals, r_squared = ols.residuals.copy(), ols.r_squared.copy()
        order, first = np.zeros(n), np.full(n, np.nan)
        factor = np.full((n, length, length), np.nan)
        # A return that lumps a halt may reach before the window.
        correlations = np.zeros((n, 2 * length))
        correlations[:, 0] = 1.0
        window = np.concatenate([arrays.span_evt[:, :, None], arrays.x_evt], axis=2).astype(np.float64)
        rows = np.flatnonzero((dof > 0) & (divide(ols.sse, dof) > 1e-20)).tolist()
        for i in followed(rows, self.label, "event"):
            found = self._one(arrays, i, residuals[i], window[i])
            params[i], residuals[i], s2[i], order[i], rho, factor[i] = found
            first[i] = rho[1] if len(rho) > 1 else 0.0
            correlations[i, : len(rho)] = rho[: 2 * length]
            used = ~np.isnan(residuals[i])
            total = ((arrays.y_est[i, used] - arrays.y_est[i, used].mean()) ** 2).sum()
            r_squared[i] = 1.0 - (residuals[i, used] ** 2).sum() / total
        known = ~np.isnan(factor).any(axis=2)
        expected = np.einsum("nlk,nk->nl", window, params)
        how = "Newey and West's autocovariances" if self.method == "hac" else "autoregressive errors"
        return ModelFit(
            param_names=(*self.base.param_names, "lags", "rho_1"),
            params=np.column_stack([params, order, first]),
            param_cov=np.broadcast_to(np.eye(length), (n, length, length)),
            s2=s2,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=r_squared,
            residuals=residuals,
            leverage=ols.leverage,
            expected=np.where(known, expected, np.nan),
            noise=np.where(known, 0.0, np.nan),
            design=factor,
            autocorrelation=correlations,
            se_source=f"prediction error with {how}",
            exact=False,
        )

    def regression(self, arrays: EventArrays, row: int) -> Any:
        """Return statsmodels results of one event: GLS of the estimated correlations, or OLS with HAC."""
        import statsmodels.api as sm

        y, x, _ = estimation_frame(arrays, row, self.base.param_names)
        residual = ols_batch(arrays.y_est[row : row + 1], arrays.x_est[row : row + 1]).residuals[0]
        order, rho = self._correlations(residual, len(residual))
        if self.method == "hac":
            return sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": order, "use_correction": True})
        used = np.flatnonzero(~np.isnan(residual))
        return sm.GLS(y, x, sigma=rho[np.abs(used[:, None] - used)]).fit()

    def _correlations(self, residual: FloatArray, reach: int) -> tuple[int, FloatArray]:
        """Return lags used and autocorrelations 0, 1, ..., `reach` of one event's errors."""
        n = int((~np.isnan(residual)).sum())
        if self.method == "hac":
            lags = bartlett_lags(n) if self.lags is None else int(self.lags)
            lags = min(lags, len(residual) - 1)
            gamma = autocovariances(residual, lags)
            rho = np.zeros(reach + 1)
            weights = 1.0 - np.arange(lags + 1) / (lags + 1.0)
            rho[: lags + 1] = (weights * gamma / gamma[0])[: reach + 1]
            return lags, rho
        most = min(MOST_LAGS if self.lags is None else int(self.lags), len(residual) - 1)
        gamma = autocovariances(residual, most)
        order = choose_order(gamma, n) if self.lags is None else most
        return order, ar_autocorrelations(gamma[: order + 1], reach)

    def _one(
        self, arrays: DatedArrays, i: int, residual: FloatArray, rows: FloatArray
    ) -> tuple[FloatArray, FloatArray, float, int, FloatArray, FloatArray]:
        """Fit one event; also the factor F of its window's covariance F F'."""
        used = np.flatnonzero(~np.isnan(residual))
        spans = arrays.span_evt[i]
        ends = arrays.distance + np.arange(len(spans))
        known = (spans > 0) & ~np.isnan(rows).any(axis=1) & ~np.isnan(arrays.y_evt[i])
        reach = max(int(ends[-1]), len(residual)) + int(spans.max())
        order, rho = self._correlations(residual, reach)
        x = np.column_stack([np.ones(len(used)), arrays.x_est[i, used]])
        y = arrays.y_est[i, used]
        estimated = rho[np.abs(used[:, None] - used)]
        dof = len(used) - x.shape[1]
        if self.method == "egls":
            whitened = scipy.linalg.cho_solve(scipy.linalg.cho_factor(estimated), np.column_stack([x, y]))
            unit = np.linalg.inv(x.T @ whitened[:, :-1])
            theta = unit @ (x.T @ whitened[:, -1])
            error = y - x @ theta
            gain = unit @ whitened[:, :-1].T
            # e'R^-1 e of what the line leaves; R^-1 e is R^-1 y - R^-1 X theta.
            s2 = float(error @ (whitened[:, -1] - whitened[:, :-1] @ theta)) / dof
            cov = s2 * unit
        else:
            unit = np.linalg.inv(x.T @ x)
            gain = unit @ x.T
            theta = gain @ y
            error = y - x @ theta
            s2 = float(error @ error) / dof
            scores = np.zeros((len(residual), x.shape[1]))  # a day without a value has none of its own
            scores[used] = x * error[:, None]
            cov = _newey_west(scores, unit, order) * len(used) / dof
        after = np.arange(int((ends - np.maximum(spans, 1) + 1).min()), int(ends[-1]) + 1)
        pick = np.array(
            [(after > e - d) & (after <= e) for e, d in zip(ends, spans, strict=True)], dtype=float
        )
        inside = pick @ rho[np.abs(after[:, None] - after)] @ pick.T
        across = pick @ rho[np.abs(after[:, None] - used)]
        shared = across @ gain.T @ np.nan_to_num(rows).T
        rows = np.where(known[:, None], rows, 0.0)
        whole = s2 * (inside - shared - shared.T) + rows @ cov @ rows.T
        left = np.full(residual.shape, np.nan)
        left[used] = error
        return theta, left, s2, order, rho, _factor(whole, known)


def _factor(covariance: FloatArray, known: BoolArray) -> FloatArray:
    """Return F with F F' the covariance of the known days; rows of the others are NaN."""
    values, vectors = np.linalg.eigh(covariance[np.ix_(known, known)])
    out = np.full(covariance.shape, np.nan)
    rows = np.zeros((int(known.sum()), len(covariance)))
    rows[:, : len(values)] = vectors * np.sqrt(np.maximum(values, 0.0))
    out[known] = rows
    return out


def _newey_west(scores: FloatArray, unit: FloatArray, lags: int) -> FloatArray:
    """Newey and West's covariance of least-squares parameters, from the scores x e of successive sessions."""
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return np.asarray(unit @ middle @ unit, dtype=np.float64)


def bartlett_lags(n: int) -> int:
    """Return the usual number of autocovariances of n days, ``4 (n / 100)^(2/9)``."""
    return int(4.0 * (n / 100.0) ** (2.0 / 9.0))


def autocovariances(residual: FloatArray, lags: int) -> FloatArray:
    r"""Autocovariances of a residual series with divisor M, the number of its values.

    .. math:: \gamma_h = \frac{1}{M} \sum_t e_t e_{t+h}

    Parameters
    ----------
    residual : array, shape (W,)
        In calendar order, NaN on missing days; products with one are left out.
    lags : int

    Returns
    -------
    array, shape (lags + 1,)
    """
    filled = np.nan_to_num(residual)
    n = (~np.isnan(residual)).sum()
    sums = [float(filled[: len(filled) - h] @ filled[h:]) for h in range(lags + 1)]
    return np.array(sums, dtype=np.float64) / float(n)


def choose_order(gamma: FloatArray, n: int) -> int:
    """Return the order of least BIC among autoregressions fitted by Yule and Walker's equations.

    Parameters
    ----------
    gamma : array, shape (P + 1,)
        Autocovariances; orders 0 to P are compared.
    n : int
        Values behind them.
    """
    best, chosen = np.log(gamma[0]), 0
    for order in range(1, len(gamma)):
        phi = scipy.linalg.solve_toeplitz(gamma[:order], gamma[1 : order + 1])
        variance = gamma[0] - phi @ gamma[1 : order + 1]
        if variance <= 0:
            break
        criterion = np.log(variance) + order * np.log(n) / n
        if criterion < best:
            best, chosen = criterion, order
    return chosen


def ar_autocorrelations(gamma: FloatArray, reach: int) -> FloatArray:
    """Autocorrelations 0 to `reach` of the autoregression that has these autocovariances.

    Parameters
    ----------
    gamma : array, shape (p + 1,)
        Autocovariances 0 to p, which the autoregression of order p matches.
    reach : int

    Examples
    --------
    >>> ar_autocorrelations(np.array([2.0, 1.0]), 3).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    order = len(gamma) - 1
    rho = np.zeros(reach + 1)
    rho[: order + 1] = (gamma / gamma[0])[: reach + 1]
    if order:
        phi = scipy.linalg.solve_toeplitz(gamma[:order], gamma[1:])
        for h in range(order + 1, reach + 1):
            rho[h] = float(phi @ rho[h - order : h][::-1])
    return rho
