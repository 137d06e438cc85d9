"""The protocol every normal-return model follows, and the records that pass through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import ModelError
from eventstudy.immutable import FrozenRecord
from eventstudy.lazy import deferrable
from eventstudy.sample import EventArrays, EventSample, Regressor, Rows, SharedArrays

__all__ = ["ModelFit", "NormalReturnModel"]


@deferrable("residuals", "leverage", "expected", "noise", "design")
@dataclass(frozen=True)
class ModelFit(FrozenRecord):
    """A normal-return model fitted to n events (W estimation days, L window days, k parameters).

    The covariance of the abnormal returns of event i over its window is
    ``diag(noise[i]) + design[i] @ param_cov[i] @ design[i].T``, which for OLS is
    ``s2 (I + X* (X'X)^-1 X*')`` (Patell 1976, Journal of Accounting Research 14, 246-276;
    docs/methods/abnormal_returns.md, eq. (prediction-error)).

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
    residuals, leverage : arrays, shape (n, W)
        Estimation-window residuals and hat values; NaN where the day is not used.
    expected : array, shape (n, L)
        Normal return over the sessions each event-window return spans.
    noise : array, shape (n, L)
        Variance of each abnormal return apart from parameter error.
    design : array, shape (n, L, k)
        Rows X* of the window, multiplied up to the sessions each return spans.
    se_source : str
        Where the standard error comes from, in words.
    exact : bool
        Whether CAR / s.e. is t with `dof` degrees of freedom under iid normal errors.
    failure : array of str, shape (n,), optional
        Why an event could not be fitted, "" where it could; such events are excluded.
    peer_names : tuple of str, length q
        Securities that served as peers of some event.
    peer_weights : array, shape (n, q), optional
        Weight of each peer in the normal return; NaN where it was not a peer of the event.
    left_out : array of str, shape (n,), optional
        Peers left out of each event's counterfactual, and why; "" where none was.

    Notes
    -----
    What has a number for each day may be deferred: computed when it is read.
    """

    param_names: tuple[str, ...]
    params: FloatArray
    param_cov: FloatArray
    s2: FloatArray
    n_obs: IntArray
    dof: FloatArray
    r_squared: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    expected: FloatArray
    noise: FloatArray
    design: FloatArray
    se_source: str = "prediction error of least squares"
    exact: bool = True
    failure: npt.NDArray[np.str_] | None = None
    peer_names: tuple[str, ...] = ()
    peer_weights: FloatArray | None = None
    left_out: npt.NDArray[np.str_] | None = None


class NormalReturnModel(ABC):
    """What a security would have returned had nothing been announced.

    A model is an immutable specification: `regressors` says which benchmark and factors the sample must
    lay out, `fit` turns event-time arrays into a `ModelFit`. A new model is one file with one subclass;
    one that needs more of the sample than returns and regressors overrides `arrays`.
    """

    #: Whether returns and regressors are taken in excess of the risk-free rate.
    excess: bool = False
    #: Whether fitting again costs less than holding the residuals of many events.
    cheap: ClassVar[bool] = False

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the model for tables, such as ``"Market model (OLS)"``."""

    @property
    @abstractmethod
    def regressors(self) -> tuple[Regressor, ...]:
        """Regressor to lay out in event time, in the order of the last axis of `x`."""

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

    def measure(self, sample: EventSample, part: Rows) -> tuple[EventArrays | SharedArrays, ModelFit]:
        """Lay out and fit the events of `part`; a model may know a faster way than `arrays` and `fit`."""
        arrays = self.arrays(sample, part)
        return arrays, self.fit(arrays)

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
