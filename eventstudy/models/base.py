"""The protocol every normal-return model follows, and the records that pass through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import ModelError
from eventstudy.immutable import FrozenRecord
from eventstudy.sample import EventArrays, EventSample, Regressor, Rows

__all__ = [
    "EventArrays",
    "MarketLine",
    "ModelFit",
    "ModelParameters",
    "NormalReturnModel",
    "Regressor",
    "SampleFit",
]


@dataclass(frozen=True, kw_only=True)
class ModelParameters(FrozenRecord):
    """Parameters of a normal-return model, k each, fitted to n events.

    Attributes
    ----------
    param_names : tuple of str, length k
    params : array, shape (n, k)
    param_cov : array, shape (n, k, k)
        Covariance of the parameters; zero where nothing is estimated.
    s2 : array, shape (n,)
        Residual variance of a one-session return, divisor `dof`.
    n_obs, dof, r_squared : arrays, shape (n,)
        Observations behind `s2`, residual degrees of freedom, share of variance explained
        (NaN where it is not defined).
    se_source : str
        Where the standard error comes from, in words.
    exact : bool
        Whether CAR / s.e. is t with `dof` degrees of freedom under iid normally distributed errors.
    failure : array of str, shape (n,), optional
        Why an event could not be fitted, "" where it could; such events are excluded.
    peer_names : tuple of str, length q
        Securities that served as peers of some event.
    peer_weights : array, shape (n, q), optional
        Weight of each peer in the normal return; NaN where it is not a peer of the event.
    left_out : array of str, shape (n,), optional
        Peers left out of each event's counterfactual, and why; "" where none was.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> fit = results.fitted.fit
    >>> fit.params.round(2).tolist(), fit.n_obs.tolist()
    ([[-0.0, 1.23]], [221])
    """

    param_names: tuple[str, ...]
    params: FloatArray
    param_cov: FloatArray
    s2: FloatArray
    n_obs: IntArray
    dof: FloatArray
    r_squared: FloatArray
    se_source: str
    exact: bool
    failure: npt.NDArray[np.str_] | None = None
    peer_names: tuple[str, ...] = ()
    peer_weights: FloatArray | None = None
    left_out: npt.NDArray[np.str_] | None = None

    def take(self, which: Any) -> ModelParameters:
        """Parameters of the events that an index or a mask of shape (n,) picks."""
        values = {field.name: getattr(self, field.name) for field in fields(ModelParameters)}
        taken = {name: v[which] if isinstance(v, np.ndarray) else v for name, v in values.items()}
        return ModelParameters(**taken)


@dataclass(frozen=True, kw_only=True)
class ModelFit(ModelParameters):
    """A normal-return model fitted to n events (W estimation days, L window days, k parameters).

    The covariance of the abnormal returns of event i over its window is
    ``diag(noise[i]) + design[i] @ param_cov[i] @ design[i].T``, which for OLS is
    ``s2 (I + X* (X'X)^-1 X*')``. Only this product counts: a model whose parameter error has another form
    may put a root of it into `design`, with the identity as `param_cov`.

    Attributes
    ----------
    residuals, leverage : arrays, shape (n, W)
        Estimation-window residuals and hat values; NaN where the day is not used.
    expected : array, shape (n, L)
        Normal return over the sessions each event-window return spans; NaN where it is not known.
    noise : array, shape (n, L)
        Variance of each abnormal return apart from parameter error.
    design : array, shape (n, L, k)
        Rows X* of the window, multiplied up to the sessions each return spans.
    autocorrelation : array, shape (n, R), optional
        Autocorrelations 0 to R - 1 of the errors, where the model knows of any.

    See Also
    --------
    ModelParameters : the other attributes.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> fit = results.fitted.fit
    >>> fit.param_names, fit.exact
    (('alpha', 'beta'), True)
    """

    residuals: FloatArray
    leverage: FloatArray
    expected: FloatArray
    noise: FloatArray
    design: FloatArray
    autocorrelation: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class SampleFit(FrozenRecord):
    """A model fitted to n events of a sample, and their event windows of L days.

    Attributes
    ----------
    fit : ModelParameters or ModelFit
        The latter unless the model left out what it can make again: residuals, leverage, a noise of `s2` for
        each session, and constant and regressors as the design.
    y_evt : array, shape (n, L)
        Observed returns, in excess of the risk-free rate where the model takes them so.
    rf_evt : array, shape (n, L), or 0.0
        Risk-free return over the same sessions.
    expected : array, shape (n, L)
        Normal returns in the terms of `y_evt`.
    span_evt : array of int, shape (n, L), optional
        Sessions each return spans, 0 where missing; None where each return of `y_evt` spans one.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> found = es.MarketModel().fit_sample(results.sample, slice(None))
    >>> found.expected.shape
    (1, 3)
    """

    fit: ModelParameters
    y_evt: FloatArray
    rf_evt: FloatArray | float
    expected: FloatArray
    span_evt: IntArray | None = None


#: Any; any on one side of the event, of which days nearer to it count more; one for all events; or one for
#: all events that ends before them.
EstimationWindowsUsed = Literal["any", "one side", "common", "before"]


class NormalReturnModel(ABC):
    """What a security would have returned had nothing been announced.

    A model is an immutable specification, as a rule a frozen dataclass: `regressors` says which benchmark and
    factors the sample must lay out, and `fit` turns event-time arrays into a `ModelFit`. A new model is one
    subclass with `label`, `regressors`, `n_params` and `fit`; one that needs more of the sample than returns
    and regressors overrides `arrays`. `eventstudy.EventStudy` takes an instance of it as ``model=``.

    See Also
    --------
    ModelFit : what `fit` returns.
    eventstudy.models.EventArrays : what it is given.
    eventstudy.models.least_squares.linear_fit : prediction and its error for a line of known parameters.

    Examples
    --------
    >>> import eventstudy as es
    >>> model = es.MarketModel()
    >>> isinstance(model, es.models.NormalReturnModel), model.label
    (True, 'Market model (OLS)')
    """

    #: Whether returns and regressors are taken in excess of the risk-free rate.
    excess: bool = False
    #: Which estimation windows the model knows how to use.
    estimation_windows: ClassVar[EstimationWindowsUsed] = "any"
    #: Whether nothing but a variance is estimated, so a study can do without estimation windows.
    estimates_nothing: ClassVar[bool] = False
    #: Whether fitting again costs less than holding the residuals of many events.
    refits_quickly: ClassVar[bool] = False

    @property
    def residuals_take_params(self) -> bool:
        """Whether `residuals`, given parameters, are abnormal returns of whatever sessions a sample names."""
        return False

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the model for tables, such as ``"Market model (OLS)"``."""

    @property
    @abstractmethod
    def regressors(self) -> tuple[Regressor, ...]:
        """Regressors to lay out in event time, in the order of the last axis of `x`."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Number k of mean parameters estimated."""

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> EventArrays:
        """Lay out what `fit` needs of the events of `part`."""
        return sample.arrays(self.regressors, self.excess, part)

    @abstractmethod
    def fit(self, arrays: EventArrays) -> ModelFit:
        """Fit every event of `arrays` on its estimation window and predict its event window."""

    def fit_sample(self, sample: EventSample, part: Rows) -> SampleFit:
        """Lay out and fit the events of `part`; a model may know a faster way than `arrays` and `fit`."""
        arrays = self.arrays(sample, part)
        fit = self.fit(arrays)
        return SampleFit(
            fit=fit,
            y_evt=arrays.y_evt,
            rf_evt=arrays.rf_evt,
            expected=fit.expected,
            span_evt=arrays.span_evt,
        )

    def residuals(self, sample: EventSample, part: Rows, params: FloatArray | None = None) -> FloatArray:
        """Estimation-window residuals of the events of `part`, shape (n, W), as in `ModelFit`.

        Where the parameters of these events are given, a model may take them instead of fitting again.
        """
        return self.fit(self.arrays(sample, part)).residuals

    def leverage(self, sample: EventSample, part: Rows) -> FloatArray:
        """Hat values of the events of `part`, shape (n, W), as in `ModelFit`."""
        return self.fit(self.arrays(sample, part)).leverage

    def regression(self, arrays: EventArrays, row: int) -> Any:
        """Return the statsmodels results of event `row`, where the model is a regression."""
        raise ModelError(f"{self.label} is not a regression, so there are no statsmodels results of it.")


class MarketLine(NormalReturnModel):
    """Base of the models that draw a line, alpha and beta, through the benchmark's returns.

    Examples
    --------
    >>> import eventstudy as es
    >>> issubclass(es.RobustMarketModel, es.models.MarketLine)
    True
    """

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return (Regressor("benchmark"),)

    @property
    def n_params(self) -> int:
        return 2
