"""Least-squares normal-return models, solved for all events at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_whole
from eventstudy.errors import ModelError
from eventstudy.models.base import ModelFit, ModelParameters, NormalReturnModel, SampleFit
from eventstudy.models.grouped_ols import expected_returns, shared_ols, shared_residuals
from eventstudy.models.least_squares import BatchOLS, divide, linear_fit, ols_batch
from eventstudy.sample import (
    EventArrays,
    EventSample,
    Missing,
    Regressor,
    Rows,
    check_missing,
    shared_arrays,
    shared_windows,
)

__all__ = [
    "BatchOLS",
    "ConstantMean",
    "LinearModel",
    "MarketAdjusted",
    "MarketModel",
    "estimation_frame",
    "ols_batch",
]

#: Where the standard errors of least squares come from.
SOURCE = "prediction error of least squares"


@dataclass(frozen=True)
class LinearModel(NormalReturnModel):
    r"""Base of the models whose parameters are least squares with a constant.

    Parameters
    ----------
    missing : {"drop", "trade_to_trade"}, default "drop"
        What becomes of estimation returns that span several sessions, because the security did not trade
        on some: dropped, or kept with the regressors compounded over the same d sessions and the whole
        row, with the constant d, divided by :math:`\sqrt d`,

        .. math:: r_t / \sqrt d = \alpha \sqrt d + \beta \sum_d R_m / \sqrt d + \varepsilon_t

        (Maynes and Rumsey 1993). Residuals are then those of the divided rows, all of one variance.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (trade-to-trade).
    """

    refits_quickly: ClassVar[bool] = True
    missing: Missing = field(default="drop", kw_only=True)

    def __post_init__(self) -> None:
        check_missing(self.missing)

    @property
    def residuals_take_params(self) -> bool:
        return self.missing == "drop"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return ()

    @property
    def n_params(self) -> int:
        return 1 + len(self.regressors)

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters, the constant first."""
        return ("alpha", *(r.name for r in self.regressors))

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> EventArrays:
        return sample.arrays(self.regressors, self.excess, part, self.missing)

    def fit_sample(self, sample: EventSample, part: Rows) -> SampleFit:
        if self.missing != "drop" or sample.market.arrays.gap is not None:
            return super().fit_sample(sample, part)
        arrays = shared_arrays(sample, self.regressors, self.excess, part)
        ols = shared_ols(arrays.estimation)
        dof = (ols.n_obs - self.n_params).astype(np.float64)
        expected = expected_returns(arrays, ols.params)
        unknown = np.isnan(arrays.y_evt)
        complete = not unknown.any()
        if not complete:
            expected[unknown] = np.nan
        s2 = divide(ols.sse, dof)
        fit = ModelParameters(
            param_names=self.param_names,
            params=ols.params,
            param_cov=s2[:, None, None] * ols.xtx_inv,
            s2=s2,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            se_source=SOURCE,
            exact=True,
        )
        return SampleFit(
            fit=fit,
            y_evt=arrays.y_evt,
            rf_evt=arrays.rf_evt,
            expected=expected,
            span_evt=None if complete and not len(arrays.lumped.event) else arrays.span_evt,
        )

    def residuals(self, sample: EventSample, part: Rows, params: FloatArray | None = None) -> FloatArray:
        if self.missing != "drop":
            return super().residuals(sample, part)
        windows = shared_windows(sample, self.regressors, self.excess, part)
        if params is None:
            params = shared_ols(windows._replace(y=windows.y.copy())).params
        return shared_residuals(windows, params)

    def fit(self, arrays: EventArrays) -> ModelFit:
        if arrays.span_est is None:
            ols = ols_batch(arrays.y_est, arrays.x_est)
            residuals, kind = ols.residuals, ""
        else:
            spans = np.maximum(arrays.span_est, 1).astype(np.float64)
            ols = ols_batch(arrays.y_est, arrays.x_est, constant=spans, weights=1.0 / spans)
            residuals, kind = ols.residuals / np.sqrt(spans), " on trade-to-trade returns"
        dof = (ols.n_obs - self.n_params).astype(np.float64)
        return linear_fit(
            arrays,
            param_names=self.param_names,
            params=ols.params,
            unit_cov=ols.xtx_inv,
            s2=divide(ols.sse, dof),
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            residuals=residuals,
            leverage=ols.leverage,
            se_source=f"{SOURCE}{kind}",
            exact=True,
        )

    def regression(self, arrays: EventArrays, row: int) -> Any:
        return self._statsmodel(arrays, row).fit()

    def _statsmodel(self, arrays: EventArrays, row: int) -> Any:
        import statsmodels.api as sm

        y, x, spans = estimation_frame(arrays, row, self.param_names)
        return sm.OLS(y, x) if spans is None else sm.WLS(y, x, weights=1.0 / spans)


def estimation_frame(
    arrays: EventArrays, row: int, names: tuple[str, ...]
) -> tuple[pd.Series, pd.DataFrame, pd.Series | None]:
    """Return one event's estimation returns, regressors with the constant first, and spans, by date."""
    index = pd.DatetimeIndex(arrays.dates_est[row].astype("datetime64[ns]"), name="date")
    y = pd.Series(arrays.y_est[row], index, name="return")
    x = pd.DataFrame(arrays.x_est[row], index, list(names[1:]))
    spans = None if arrays.span_est is None else pd.Series(arrays.span_est[row], index, dtype=float)
    x.insert(0, names[0], 1.0 if spans is None else spans)
    used = y.notna() & x.notna().all(axis=1)
    return y[used], x[used], None if spans is None else spans[used]


@dataclass(frozen=True)
class ConstantMean(LinearModel):
    r"""The security's own mean return over the estimation window.

    .. math:: E[R_{it}] = \hat\mu_i, \qquad V_i = s_i^2 (I + \mathbf{1}\mathbf{1}'/M_i), \qquad
              \nu_i = M_i - 1

    Notes
    -----
    Brown and Warner (1980, 1985). It takes no notice of what the market did that day, so on a common
    event date it counts the market's move as abnormal.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (constant-mean).

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

    Parameters
    ----------
    hac_lags : int, optional
        Lags of the Newey-West covariance in `results.regression()`, and there only: it describes the
        parameters, while abnormal returns keep the prediction error above.
    lags : mapping of str to int or sequence of int, optional
        Further regressors: a factor of the market, or ``"benchmark"``, and by how many sessions of the market
        it is lagged (0 for the same session, below 0 for a lead). A world index whose exchange closes after
        this market belongs on the sessions that could know it first: see `known_at_open`, whose values are
        taken without lag.
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    Notes
    -----
    Sharpe (1963); Brown and Warner (1985); MacKinlay (1997).

    References
    ----------
    docs/methods/least_squares_models.md, eq. (market-model).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.MarketModel().param_names
    ('alpha', 'beta')
    >>> es.MarketModel(lags={"benchmark": 1, "sp500": 0}).param_names
    ('alpha', 'beta', 'benchmark[-1]', 'sp500')
    """

    hac_lags: int | None = None
    lags: Mapping[str, int | Sequence[int]] | Sequence[tuple[str, int | Sequence[int]]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hac_lags is not None:
            check_whole("hac_lags", self.hac_lags, 0, error=ModelError)
        object.__setattr__(self, "lags", _lags(self.lags))

    @property
    def label(self) -> str:
        more = ", ".join(r.name for r in self.regressors[1:])
        return f"Market model (OLS) with {more}" if more else "Market model (OLS)"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        pairs = cast("tuple[tuple[str, tuple[int, ...]], ...]", self.lags)
        further = (Regressor(source, lag) for source, lags in pairs for lag in lags)
        return (Regressor("benchmark"), *further)

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("alpha", "beta", *(r.name for r in self.regressors[1:]))

    def regression(self, arrays: EventArrays, row: int) -> Any:
        if self.hac_lags is None:
            return super().regression(arrays, row)
        covariance = {"maxlags": self.hac_lags}
        return self._statsmodel(arrays, row).fit(cov_type="HAC", cov_kwds=covariance, use_t=True)


def _lags(given: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Read sources and their lags."""
    try:
        pairs = [(str(source), lags) for source, lags in dict(given or ()).items()]
        read = [(source, (lags,) if isinstance(lags, Integral) else tuple(lags)) for source, lags in pairs]
        whole = all(isinstance(lag, Integral) for _, lags in read for lag in lags)
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise ModelError(
            f"lags maps a factor to sessions, such as {{'sp500': 0, 'benchmark': (1, -1)}}; got {given!r}."
        )
    wanted = [("benchmark", 0), *((source, int(lag)) for source, lags in read for lag in lags)]
    twice = next((pair for pair in wanted if wanted.count(pair) > 1), None)
    if twice is not None:
        raise ModelError(
            f"{twice[0]} with lag {twice[1]} is a duplicate; the benchmark of the session is always there."
        )
    return tuple((source, tuple(map(int, lags))) for source, lags in read)


@dataclass(frozen=True)
class _Imposed(NormalReturnModel):
    """Base of the models that impose the normal return: the sum of the regressors, of which none may be."""

    refits_quickly: ClassVar[bool] = True
    estimates_nothing: ClassVar[bool] = True

    @property
    def residuals_take_params(self) -> bool:
        return True

    @property
    def n_params(self) -> int:
        return 0

    def fit(self, arrays: EventArrays) -> ModelFit:
        n = len(arrays.y_est)
        residuals = arrays.y_est - arrays.x_est.sum(axis=2)
        used = ~np.isnan(residuals)
        n_obs = used.sum(axis=1).astype(np.int64)
        dof = n_obs.astype(np.float64)
        s2 = divide(np.where(used, residuals**2, 0.0).sum(axis=1), dof)
        expected = np.where(np.isnan(arrays.y_evt), np.nan, arrays.x_evt.sum(axis=2))
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
            exact=True,
        )


@dataclass(frozen=True)
class MarketAdjusted(_Imposed):
    r"""The benchmark's own return: nothing is estimated but the variance.

    .. math:: E[R_{it}] = R_{mt}, \qquad V_i = s_i^2 I, \qquad
              s_i^2 = \frac{1}{M_i} \sum_\tau (R_{i\tau} - R_{m\tau})^2, \qquad \nu_i = M_i

    The variance is taken about zero, the mean the model imposes, so no degree of freedom is lost.

    Notes
    -----
    Without an estimation window (``estimation=None``) there is no variance either, and the tests that need
    one do not apply. Brown and Warner (1980, 1985).

    References
    ----------
    docs/methods/least_squares_models.md, eq. (market-adjusted).

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


@dataclass(frozen=True)
class RawReturn(_Imposed):
    r"""No normal return: the abnormal return is the return itself, as where returns are adjusted already.

    .. math:: E[R_{it}] = 0, \qquad V_i = s_i^2 I, \qquad s_i^2 = \frac{1}{M_i} \sum_\tau R_{i\tau}^2,
              \qquad \nu_i = M_i

    Notes
    -----
    Without an estimation window (``estimation=None``) there is no variance either, and the tests that need
    one do not apply.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (raw-return).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.RawReturn().label
    'Raw returns'
    """

    @property
    def label(self) -> str:
        return "Raw returns"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return ()
