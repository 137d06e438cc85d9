"""Models without a closed-form prediction error: where the s.e. comes from is told, and ranks are offered."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")
#: What may be offered: ranks, signs and draws.
FREE = {
    "sq", "filtered_sq", "conformal", "grank_t", "permutation", "block_bootstrap", "wild_bootstrap", "sign",
}  # fmt: skip
needs_arch = pytest.mark.skipif(find_spec("arch") is None, reason="needs the extra garch")
needs_sklearn = pytest.mark.skipif(find_spec("sklearn") is None, reason="needs the extra ml")


@pytest.fixture(scope="module")
def market() -> es.Market:
    rng = np.random.default_rng(3)
    index = 0.01 * rng.standard_normal(420)
    values = index[:, None] + 0.012 * rng.standard_normal((420, 12))
    frame = pd.DataFrame(values, DAYS, [f"S{i}" for i in range(12)])
    return es.Market(frame, benchmark=pd.Series(index, DAYS, name="index"))


PEERS = [f"S{i}" for i in range(6, 12)]


@pytest.mark.quick(every=8)
@pytest.mark.parametrize(
    ("model", "told"),
    [
        (es.RobustMarketModel(), "residual"),
        (es.RobustMarketModel("theil-sen"), "residual"),
        (es.EWMarketModel(60), "weighted least squares"),
        (es.RollingMarketModel(60), "one-step prediction errors"),
        (es.ScholesWilliams(), "residual"),
        (es.MatchedPortfolio(PEERS), "estimation"),
        (es.SyntheticPeers(PEERS), "rolling-origin"),
        pytest.param(es.GARCHMarketModel(), "forecast of the", marks=needs_arch),
        pytest.param(es.PCAModel(PEERS), "rolling-origin", marks=needs_sklearn),
        pytest.param(es.ElasticNetModel(PEERS), "rolling-origin", marks=needs_sklearn),
    ],
    ids=lambda value: value.label if isinstance(value, es.models.NormalReturnModel) else "",
)
def test_source_of_the_standard_error_and_tests_offered(market, model, told):
    rows = [{"security": f"S{i}", "date": DAYS[300 + 20 * i]} for i in range(4)]
    for events in (rows[:1], rows, [row | {"date": DAYS[300]} for row in rows]):
        results = es.EventStudy(market, events, model, estimation=(-200, -21), window=(-5, 5)).fit()
        assert told in results.se_source
        assert results.se_source in " ".join(str(results.summary(0, 1)).split())
        offered = results.recommended(0, 1)
        assert set(offered["test"]) <= FREE
        assert offered["test"].iloc[0] in {"sq", "filtered_sq"}
        if len(events) > 1:  # few events: ranks scaled by their own spread reject too often
            assert "grank_t" not in set(offered["test"])
        assert offered["p_value"].between(0, 1).all()


@pytest.mark.parametrize(
    "model",
    [
        es.SyntheticPeers(PEERS),
        es.PCAModel(PEERS),
        pytest.param(es.ElasticNetModel(PEERS), marks=needs_sklearn),
    ],
    ids=lambda model: model.label,
)
@pytest.mark.parametrize("window", [(0, 0), (0, 1)])
def test_learned_models_are_ranked_among_rolling_origin_errors(market, model, window):
    """The sample-quantile test, counted by hand among the out-of-sample errors of the later half."""
    event = [{"security": "S0", "date": DAYS[300]}]
    results = es.EventStudy(market, event, model, estimation=(-200, -21), window=(-5, 5)).fit()
    errors = results.fitted.abnormal.past.residuals()[0]
    assert np.isnan(errors[:90]).all()
    assert np.isfinite(errors[90:]).all()
    fitted = model.predict(model.arrays(results.sample), 0)
    np.testing.assert_array_equal(errors, fitted.errors)
    length = window[1] + 1
    pool = np.abs(errors[90:].reshape(-1, length).sum(axis=1))
    p = (1 + (pool >= abs(results.car(*window)["car"].iloc[0])).sum()) / (len(pool) + 1)
    row = results.test(*window, tests=["sq"]).iloc[0]
    assert row["p_value"] == pytest.approx(p)
    assert results.car(0, 0)["se"].iloc[0] ** 2 == pytest.approx((errors[90:] ** 2).mean())


def test_least_squares_is_offered_its_t(market):
    results = es.EventStudy(
        market, [{"security": "S0", "date": DAYS[300]}], estimation=(-200, -21), window=(-5, 5)
    ).fit()
    assert results.se_source == "prediction error of least squares"
    assert "t" in results.recommended(0, 0)["test"].tolist()
