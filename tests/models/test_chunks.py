"""Every model fits an event as it would alone, whatever other events it is laid out with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.models import NormalReturnModel
from eventstudy.sample import EventSample
from eventstudy.windows import Window

DAYS = pd.bdate_range("2016-01-01", periods=330, name="date")
FACTORS = ["mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf"]
ESTIMATION, WINDOW = Window(-160, -8), Window(-2, 2)


@pytest.fixture(scope="module")
def world() -> tuple[es.Market, es.Events]:
    """Prices with halts and limits, two sets of factors, two benchmarks; some events share a day."""
    rng = np.random.default_rng(4)

    def draw() -> pd.DataFrame:
        return pd.DataFrame(0.01 * rng.standard_normal((330, 7)), DAYS, FACTORS).assign(rf=0.0001)

    factors = {"CN": draw(), "US": draw()}
    common = factors["CN"]["mkt_rf"].to_numpy()
    returns = np.clip(common[:, None] + 0.02 * rng.standard_normal((330, 9)), -0.04, 0.04)
    prices = pd.DataFrame(5000 * np.cumprod(1 + returns, axis=0), DAYS, [f"S{i}" for i in range(9)])
    prices = (prices / 0.01).round() * 0.01
    prices.iloc[[120, 121, 200], [1, 4, 6]] = np.nan
    prices = prices.assign(INDEX=1000 * np.cumprod(1 + common), OTHER=1000 * np.cumprod(1 + draw()["smb"]))
    market = es.Market.from_prices(
        prices, benchmark={f"S{i}": ("INDEX", "OTHER")[i == 5] for i in range(9)}, factors=factors,
        price_limit=0.04,
    )  # fmt: skip
    frame = pd.DataFrame(
        {
            "security": ["S0", "S4", "S5", "S1", "S6", "S0"],
            "date": DAYS[[240, 240, 240, 180, 300, 310]],
            "factors": ["CN", "CN", "US", "CN", "US", "US"],
            "benchmark": ["", "OTHER", "", "", "", ""],
        }
    )
    return market, es.Events(frame)


@pytest.mark.quick(
    "Carhart4(missing='drop')",
    "Carhart4(missing='trade_to_trade')",
    "GARCHMarketModel(kind='garch')",
    "RollingMarketModel(window=60)",
    every=10,
)
def test_any_part_is_fitted_like_the_whole(world, model):
    sample = EventSample.of(*world, ESTIMATION, WINDOW)
    whole = model.fit(model.arrays(sample))
    for part in (slice(0, 1), slice(2, 5), np.array([3]), np.array([5, 0, 2])):
        alone = model.fit(model.arrays(sample, part))
        for name in ("params", "param_cov", "s2", "n_obs", "residuals", "leverage", "expected", "noise"):
            np.testing.assert_allclose(
                getattr(alone, name), getattr(whole, name)[part], rtol=1e-7, atol=1e-12, err_msg=name
            )
        assert alone.se_source == whole.se_source


@pytest.mark.quick(
    "Carhart4(missing='drop')",
    "ConstantMean(missing='drop')",
    "MarketModel(missing='trade_to_trade', hac_lags=None, lags=())",
    every=4,
)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_a_faster_way_to_fit_a_sample_is_as_good_as_the_plain_one(world, model):
    """S4 and S6 are suspended on a day of the event window."""
    market, _ = world
    given = es.Events(
        pd.DataFrame({"security": ["S4", "S6", "S0"], "date": DAYS[199], "factors": ["CN", "CN", "US"]})
    )
    sample = EventSample.of(market, given, ESTIMATION, WINDOW)
    fast = model.fit_sample(sample, slice(None))
    plain = NormalReturnModel.fit_sample(model, sample, slice(None))
    for name in ("y_evt", "expected"):
        np.testing.assert_allclose(getattr(fast, name), getattr(plain, name), rtol=1e-9, atol=1e-15)
    assert np.isnan(fast.y_evt).sum() == 2
    rf = [np.broadcast_to(each.rf_evt, fast.y_evt.shape) for each in (fast, plain)]
    np.testing.assert_allclose(*(np.where(np.isnan(plain.y_evt), 0.0, each) for each in rf), atol=1e-15)
    if fast.span_evt is not None:
        np.testing.assert_array_equal(fast.span_evt, plain.span_evt)


@pytest.mark.quick(every=16)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_a_study_in_chunks_is_the_study(world, model):
    study = es.EventStudy(*world, model, ESTIMATION, WINDOW)
    whole, parts = study.fit(), study.fit(chunk_size=2)
    pd.testing.assert_frame_equal(parts.parameters, whole.parameters, rtol=1e-7, atol=1e-12)
    pd.testing.assert_frame_equal(parts.car(0, 1), whole.car(0, 1), rtol=1e-7, atol=1e-12)
    pd.testing.assert_frame_equal(parts.excluded, whole.excluded)
    if whole.fitted.fit.peer_weights is not None:
        pd.testing.assert_frame_equal(parts.peers(), whole.peers(), rtol=1e-7, atol=1e-12)
    for event_id in whole.car().index[[0, -1]]:
        one = world[1].frame.loc[[event_id]]
        if whole.fitted.fit.peer_weights is None:  # peers depend on the other events
            alone = es.EventStudy(world[0], es.Events(one.reset_index()), model, ESTIMATION, WINDOW).fit()
            pd.testing.assert_frame_equal(alone.car(0, 1), whole.car(0, 1).loc[[event_id]], rtol=1e-7)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_residuals_of_lumped_returns_are_orthogonal_to_the_regressors(world):
    """Normal equations: returns over several sessions and their regressors are scaled alike."""
    market, _ = world
    given = es.Events(pd.DataFrame({"security": ["S1", "S4", "S6"], "date": DAYS[240], "factors": "CN"}))
    model = es.MarketModel(missing="trade_to_trade")
    past = es.EventStudy(market, given, model, (-160, -8), (-2, 2)).fit().fitted.abnormal.past
    residuals = np.nan_to_num(past.residuals())
    design = np.where(np.isnan(past.residuals())[:, :, None], 0.0, past.design())
    np.testing.assert_allclose(np.einsum("nwk,nw->nk", design, residuals), 0.0, atol=1e-14)
    assert np.isclose(design[:, :, 0], 3**0.5).any()  # a return after two sessions without trade
