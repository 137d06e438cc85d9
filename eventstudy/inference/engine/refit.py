"""The least-squares line behind one event, for the tests that fit it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.abnormal import AbnormalReturns

__all__ = ["Regression", "regression_of"]

#: A leverage that differs by more than this is not that of these regressors.
SAME_LEVERAGE = 1e-6


@dataclass(frozen=True)
class Regression:
    """The least-squares regression behind one event.

    Attributes
    ----------
    residuals, leverage : arrays, shape (T,)
        On the estimation days used.
    design : array, shape (T, k)
        Constant and regressors of these days; k is 0 where nothing is estimated.
    event_design : array, shape (L, k)
        Of all days of the event window; NaN where unknown.
    """

    residuals: FloatArray
    leverage: FloatArray
    design: FloatArray
    event_design: FloatArray


def regression_of(abnormal: AbnormalReturns) -> Regression | str:
    """Return the regression of the first event, or the reason why there is none to fit again."""
    one = slice(0, 1)
    residuals = abnormal.past.residuals(one)[0]
    used = ~np.isnan(residuals)
    k = abnormal.param_cov.shape[2]
    design = np.empty((int(used.sum()), 0))
    if k:
        given = abnormal.past.design(one)
        if given is None:
            return "the regressors of its estimation window are not known"
        design = given[0, used]
    leverage = abnormal.past.leverage(one)[0, used]
    other = "the normal return of this model is not a least-squares line, which could be fitted again"
    if design.shape[1] != k:
        return other
    own = np.einsum("tk,kj,tj->t", design, abnormal.param_cov[0] / abnormal.s2[0], design)
    if not np.abs(own - leverage).max() <= SAME_LEVERAGE:
        return other
    return Regression(residuals[used], leverage, design, abnormal.event_windows.design(one)[0])
