"""Betas of securities that trade thinly, whose prices lag the market or run ahead of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_whole
from eventstudy.errors import ModelError, WindowError
from eventstudy.models.base import EstimationWindowsUsed, MarketLine, ModelFit, NormalReturnModel
from eventstudy.models.least_squares import approximate_fit, divide, ols_batch
from eventstudy.models.linear import estimation_frame
from eventstudy.sample import EventArrays, EventSample, Regressor, Rows

__all__ = ["Dimson", "ScholesWilliams", "autocorrelation", "fowler_rorke_weights"]

Weights = Literal["fowler-rorke", "none"]
SOURCE = "all residuals of the adjusted line, with the leverage of the market model (approximation)"


def autocorrelation(market: FloatArray, lag: int) -> FloatArray:
    r"""Autocorrelation of each row, about its mean, over the days that are known.

    .. math:: \hat\rho_k = \sum_t (m_t - \bar m)(m_{t-k} - \bar m) \Big/ \sum_t (m_t - \bar m)^2

    Parameters
    ----------
    market : array, shape (n, W)
    lag : int
        At least 1, at most W - 1.

    Returns
    -------
    array, shape (n,)
    """
    known = ~np.isnan(market)
    mean = np.where(known, market, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    centred = np.where(known, market - mean[:, None], 0.0)
    return divide((centred[:, lag:] * centred[:, :-lag]).sum(axis=1), (centred**2).sum(axis=1))


def fowler_rorke_weights(rho: FloatArray) -> FloatArray:
    r"""Weights that make a sum of lead and lag coefficients a consistent beta.

    .. math:: w_k = \sum_{j=-K}^{K} \rho_{|k-j|} \Big/ \Big(1 + 2 \sum_{j=1}^{K} \rho_j\Big), \qquad
              \rho_0 = 1, \quad \rho_j = 0 \text{ for } j > K

    Parameters
    ----------
    rho : array, shape (n, K)
        First K autocorrelations of the market.

    Returns
    -------
    array, shape (n, K + 1)
        Weights of the coefficients 0 to K sessions away; the first is 1.

    Notes
    -----
    Fowler and Rorke (1983) give them for K of 1 and 2: :math:`(1+\rho_1)/(1+2\rho_1)`, and
    :math:`(1+2\rho_1+\rho_2)` and :math:`(1+\rho_1+\rho_2)` over :math:`1+2\rho_1+2\rho_2`.

    References
    ----------
    docs/methods/adjusted_market_models.md, eq. (fowler-rorke).

    Examples
    --------
    >>> fowler_rorke_weights(np.array([[0.25]])).round(4).tolist()
    [[1.0, 0.8333]]
    """
    n, reach = rho.shape
    full = np.zeros((n, 2 * reach + 1))
    full[:, 0] = 1.0
    full[:, 1 : reach + 1] = rho
    away = np.abs(np.arange(reach + 1)[:, None] - np.arange(-reach, reach + 1)[None, :])
    below = 1.0 + 2.0 * rho.sum(axis=1)
    # A market so negatively autocorrelated that this vanishes has no such beta.
    below = np.where(np.abs(below) > 1e-8, below, np.nan)
    return np.asarray(full[:, away].sum(axis=2) / below[:, None], dtype=np.float64)


@dataclass(frozen=True)
class ScholesWilliams(MarketLine):
    r"""Market model with the beta of Scholes and Williams (1977) for nonsynchronous trading.

    .. math:: \hat\beta = \frac{\hat\beta^- + \hat\beta^0 + \hat\beta^+}{1 + 2\hat\rho_1}, \qquad
              \hat\alpha = \overline{R_i - \hat\beta R_m}

    The three slopes are of separate regressions of the return on the benchmark's return of the
    session before, the same session and the session after, over the estimation days t = 2, ..., M - 1
    on which all are known; so is the mean that gives alpha. :math:`\hat\rho_1` is the first
    autocorrelation of the benchmark over the estimation window. Abnormal returns take the benchmark
    of their own session.

    Notes
    -----
    Scholes and Williams (1977), Journal of Financial Economics 5, 309-327. There is no closed-form
    prediction error: the variance of all residuals, :math:`\sum e^2/(M-2)`, and the leverage of the
    market model stand in for it.

    References
    ----------
    docs/methods/adjusted_market_models.md, eq. (scholes-williams).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.ScholesWilliams().label
    'Scholes-Williams market model'
    """

    @property
    def label(self) -> str:
        return "Scholes-Williams market model"

    def fit(self, arrays: EventArrays) -> ModelFit:
        market = arrays.x_est[:, :, 0]
        y, around = arrays.y_est[:, 1:-1], (market[:, :-2], market[:, 1:-1], market[:, 2:])
        known = ~np.isnan(y) & ~np.isnan(around).any(axis=0)
        y = np.where(known, y, np.nan)
        fits = [ols_batch(y, shifted[:, :, None]) for shifted in around]
        below = 1.0 + 2.0 * autocorrelation(market, 1)
        below = np.where(np.abs(below) > 1e-8, below, np.nan)
        beta = sum((f.params[:, 1] for f in fits), np.zeros(len(y))) / below
        count = np.maximum(known.sum(axis=1), 1)
        alpha = np.where(known, y - beta[:, None] * around[1], 0.0).sum(axis=1) / count
        return approximate_fit(arrays, np.column_stack([alpha, beta]), SOURCE)


@dataclass(frozen=True)
class Dimson(NormalReturnModel):
    r"""Market model with the beta of a regression on leads and lags of the benchmark.

    .. math:: R_{it} = \alpha + \sum_{k=-\text{lags}}^{\text{leads}} \beta_k R_{m,t+k} + \varepsilon_{it},
              \qquad \hat\beta = \sum_k w_k \hat\beta_k, \qquad
              \hat\alpha = \overline{R_i - \hat\beta R_m}

    with the weights of `fowler_rorke_weights`, K being the longer of lags and leads, or 1. Abnormal
    returns take the benchmark of their own session times :math:`\hat\beta`.

    Parameters
    ----------
    lags, leads : int, default 1
        Sessions before and after. Leads may reach into the gap between the windows, not into the
        event window.
    weights : {"fowler-rorke", "none"}, default "fowler-rorke"
        ``"none"`` is Dimson's plain sum, which is inconsistent if the benchmark is autocorrelated.

    Raises
    ------
    ModelError
        If lags or leads are negative or both 0, or the weights unknown.
    WindowError
        If leads of the estimation window reach into the event window.

    Notes
    -----
    Dimson (1979), Journal of Financial Economics 7, 197-226; Fowler and Rorke (1983), ibid. 12,
    279-283. The prediction error is approximated as in `ScholesWilliams`; `results.regression()` is
    the regression on leads and lags.

    References
    ----------
    docs/methods/adjusted_market_models.md, eq. (dimson).

    Examples
    --------
    >>> import eventstudy as es
    >>> [r.name for r in es.Dimson(lags=2, leads=1).regressors]
    ['benchmark', 'benchmark[-1]', 'benchmark[-2]', 'benchmark[+1]']
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "before"

    lags: int = 1
    leads: int = 1
    weights: Weights = "fowler-rorke"

    def __post_init__(self) -> None:
        check_whole("lags", self.lags, error=ModelError)
        check_whole("leads", self.leads, error=ModelError)
        if min(self.lags, self.leads) < 0 or self.lags + self.leads == 0:
            raise ModelError(
                f"Dimson needs a lag or a lead, got lags={self.lags}, leads={self.leads}; "
                "with neither it is MarketModel()."
            )
        if self.weights not in get_args(Weights):
            raise ModelError(f"weights must be one of {', '.join(get_args(Weights))}; got {self.weights!r}.")

    @property
    def label(self) -> str:
        kind = "Fowler-Rorke" if self.weights == "fowler-rorke" else "Dimson"
        return f"{kind} market model (lags {self.lags}, leads {self.leads})"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        lags = [*range(self.lags + 1), *range(-1, -self.leads - 1, -1)]
        return tuple(Regressor("benchmark", lag) for lag in lags)

    @property
    def n_params(self) -> int:
        return 1 + len(self.regressors)

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> EventArrays:
        if sample.estimation.end + self.leads >= sample.window.start:
            raise WindowError(
                f"With leads={self.leads}, the estimation window {sample.estimation} reaches into the event "
                f"window {sample.window}: end the estimation by {sample.window.start - self.leads - 1}."
            )
        return super().arrays(sample, part)

    def fit(self, arrays: EventArrays) -> ModelFit:
        market = arrays.x_est[:, :, 0]
        ols = ols_batch(arrays.y_est, arrays.x_est)
        away = np.abs([r.lag for r in self.regressors])
        if self.weights == "none":
            beta = ols.params[:, 1:].sum(axis=1)
        else:
            rho = [autocorrelation(market, k) for k in range(1, away.max() + 1)]
            beta = (ols.params[:, 1:] * fowler_rorke_weights(np.column_stack(rho))[:, away]).sum(axis=1)
        known = ~np.isnan(ols.residuals)
        gap = np.where(known, arrays.y_est - beta[:, None] * market, 0.0).sum(axis=1)
        alpha = gap / np.maximum(known.sum(axis=1), 1)
        # Leads and lags are done with: normal returns take the benchmark of their own session.
        return approximate_fit(arrays, np.column_stack([alpha, beta]), SOURCE)

    def regression(self, arrays: EventArrays, row: int) -> Any:
        import statsmodels.api as sm

        y, x, _ = estimation_frame(arrays, row, ("alpha", *(r.name for r in self.regressors)))
        return sm.OLS(y, x).fit()
