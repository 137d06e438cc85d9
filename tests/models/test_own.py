"""A model of somebody else: `EventStudy` takes it, and what it must state has no default."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.models import MarketLine, ModelFit, NormalReturnModel
from eventstudy.models.least_squares import ols_batch


@dataclass(frozen=True)
class Plain(MarketLine):
    """The market model with nothing but what the protocol asks for."""

    label = "Plain"

    def fit(self, arrays):
        ols = ols_batch(arrays.y_est, arrays.x_est)
        dof = (ols.n_obs - 2).astype(float)
        s2 = ols.sse / dof
        design = np.stack([np.ones(arrays.y_evt.shape), arrays.x_evt[:, :, 0]], axis=2)
        return ModelFit(
            param_names=("alpha", "beta"),
            params=ols.params,
            param_cov=s2[:, None, None] * ols.xtx_inv,
            s2=s2,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            residuals=ols.residuals,
            leverage=ols.leverage,
            expected=np.einsum("nlk,nk->nl", design, ols.params),
            noise=s2[:, None] * arrays.span_evt,
            design=design,
            se_source="prediction error",
            exact=True,
        )


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
@pytest.mark.parametrize("options", [{}, {"chunk_size": 2}, {"n_jobs": 2}])
def test_a_model_of_ones_own_is_studied_like_any_other(make_market, options):
    market = make_market(missing=0.0)
    events = es.Events(pd.DataFrame({"security": market.securities, "date": market.sessions[300]}))
    mine, theirs = (
        es.EventStudy(market, events, model, (-150, -21), (-2, 2)).fit(**options)
        for model in (Plain(), es.MarketModel())
    )
    pd.testing.assert_frame_equal(mine.car(0, 1), theirs.car(0, 1), rtol=1e-9)
    numbers = ["statistic", "p_value", "estimate"]
    tests = [run.test(0, 1, seed=1, n_resamples=99).set_index("test")[numbers] for run in (mine, theirs)]
    # Filtered tests read the sessions between the windows too, which only models that say how can give.
    apart = [run[~run.index.str.startswith("filtered")] for run in tests]
    pd.testing.assert_frame_equal(*apart, rtol=1e-8)
    np.testing.assert_allclose(mine.fitted.abnormal.past.design(), theirs.fitted.abnormal.past.design())


@dataclass(frozen=True)
class Quick(Plain):
    """The same, and fitted again rather than held."""

    refits_quickly = True


def test_residuals_and_leverage_of_ones_own_model_are_those_of_its_fit(make_market):
    market = make_market(missing=0.0)
    events = es.Events(pd.DataFrame({"security": market.securities, "date": market.sessions[300]}))
    mine, theirs = (
        es.EventStudy(market, events, model, (-150, -21), (-2, 2)).fit()
        for model in (Quick(), es.MarketModel())
    )
    for name in ("residuals", "leverage"):
        held = getattr(theirs.fitted.abnormal.past, name)()
        np.testing.assert_allclose(getattr(mine.fitted.abnormal.past, name)(), held, rtol=1e-8, atol=1e-12)
        part = np.array([2, 0])
        np.testing.assert_allclose(
            getattr(Plain(), name)(mine.sample, part), held[part], rtol=1e-8, atol=1e-12
        )


def test_what_a_model_must_state_has_no_default():
    given = {field.name: None for field in fields(ModelFit) if field.name not in ("se_source", "exact")}
    with pytest.raises(TypeError, match="'se_source' and 'exact'"):
        ModelFit(**given)
    with pytest.raises(TypeError, match="abstract"):
        NormalReturnModel()
