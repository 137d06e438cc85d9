"""Sets of factors that events name for themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, EventError, ModelError
from eventstudy.lab import calibrate
from eventstudy.results.report import reproduce
from eventstudy.sample.named_series import factor_series
from eventstudy.windows import Window

DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")
NAMES = ["mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf"]


def draw_factors(seed: int, names: list[str] = NAMES) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(0.01 * rng.standard_normal((420, len(names))), DAYS, names)
    frame["rf"] = 1e-4 * (1 + rng.random(420))
    return frame


CN, US = draw_factors(1), draw_factors(2).rename(columns={"mkt_rf": "Mkt-RF", "umd": "Mom"})


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    """Two securities that follow one set and two that follow the other; A is suspended for two sessions."""
    rng = np.random.default_rng(8)
    market = np.repeat([CN["mkt_rf"], US["Mkt-RF"]], 2, axis=0).T
    frame = pd.DataFrame(market + 0.01 * rng.standard_normal((420, 4)), DAYS, list("ABCD"))
    frame.loc[DAYS[301:303], "A"] = np.nan
    return frame.assign(INDEX=market.mean(axis=1))


def make(returns: pd.DataFrame, factors: object) -> es.Market:
    return es.Market(returns, gaps="lumped", benchmark="INDEX", factors=factors)


def events(*sets: object) -> list[dict]:
    return [
        {"security": name, "date": DAYS[300]} | ({} if given is ... else {"factors": given})
        for name, given in zip("ABCD", sets, strict=False)
    ]


def fit(market: es.Market, rows: list[dict], model: object) -> es.EventStudyResults:
    return es.EventStudy(market, rows, model, estimation=(-150, -21), window=(-5, 5)).fit()


MODELS = [
    es.FamaFrench3(),
    es.FamaFrench3(missing="trade_to_trade"),
    es.Carhart4(),
    es.FamaFrench5(),
    es.CAPM(),
    es.FactorModel(["benchmark", "hml"]),
    es.FactorModel(["smb"], excess=False),
]


@pytest.mark.quick("CAPM(missing='drop')", every=7)
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_each_event_is_measured_as_in_a_market_of_its_factors(returns, model):
    results = fit(make(returns, {"CN": CN, "US": US}), events("CN", "US", "CN", "US"), model)
    cn, us = (fit(make(returns, frame), events(*[...] * 4), model) for frame in (CN, US))
    for mine, ours, theirs in (
        (results.car(-2, 5), cn.car(-2, 5), us.car(-2, 5)),
        (results.parameters, cn.parameters, us.parameters),
        (results.abnormal_returns, cn.abnormal_returns, us.abnormal_returns),
    ):
        wanted = pd.concat([ours.iloc[[0, 2]], theirs.set_axis(mine.columns, axis=1).iloc[[1, 3]]])
        pd.testing.assert_frame_equal(mine, wanted.sort_index(), rtol=1e-10)
    assert not np.allclose(cn.car(-2, 5)["car"], us.car(-2, 5)["car"])
    params = results.regression(1).params
    np.testing.assert_allclose(params, us.regression(1).params, rtol=1e-12)


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("empty", [None, "", np.nan, pd.NA])
def test_the_only_set_need_not_be_named(returns, empty):
    wanted = fit(make(returns, CN), events(...), es.FamaFrench3())
    for rows in (events(empty), events(...), events("CN")):
        results = fit(make(returns, {"CN": CN}), rows, es.FamaFrench3())
        pd.testing.assert_frame_equal(results.abnormal_returns, wanted.abnormal_returns)


def test_a_set_that_the_market_has_not(returns):
    market = make(returns, {"CN": CN, "US": US})
    with pytest.raises(EventError, match=r"Event 1 \(B\) names the factor set 'EU'.*market has CN and US"):
        fit(market, events("CN", "EU"), es.FamaFrench3())
    with pytest.raises(EventError, match=r"Event 0 \(A\) names the factor set 'CN'.*has no named sets"):
        fit(make(returns, CN), events("CN"), es.FamaFrench3())


def test_an_event_that_names_no_set_where_there_are_several(returns):
    market = make(returns, {"CN": CN, "US": US})
    with pytest.raises(
        ModelError,
        match=r"FamaFrench3 needs columns mkt_rf, smb, hml and rf, and the market has several sets of "
        r"factors: CN and US\. Name the set of event 1 \(B\)",
    ):
        fit(market, events("CN", ""), es.FamaFrench3())
    # A model without factors asks for none.
    plain = fit(make(returns, None), events(..., ...), es.MarketModel())
    results = fit(market, events("CN", ""), es.MarketModel())
    pd.testing.assert_frame_equal(results.abnormal_returns, plain.abnormal_returns)


def test_a_set_that_lacks_a_column_is_named_with_its_event(returns):
    market = make(returns, {"CN": CN, "US": US[["Mkt-RF", "rf"]]})
    with pytest.raises(
        ModelError,
        match=r"FamaFrench3 needs columns mkt_rf, smb, hml and rf; the factor set 'US' of event 2 \(C\) "
        r"has Mkt-RF, rf\.",
    ):
        fit(market, events("CN", "CN", "US"), es.FamaFrench3())
    assert len(fit(market, events("CN", "CN"), es.FamaFrench3()).sample) == 2


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_sets_may_cover_different_days(returns):
    """Where a set ends, its events have no normal return, and others are not touched."""
    market = make(returns, {"CN": CN, "US": US.iloc[:302]})
    with pytest.warns(es.errors.DataWarning, match=r"event 1 \(B\)"):
        results = fit(market, events("CN", "US"), es.FamaFrench3())
    assert results.abnormal_returns.loc[0, [4, 5]].notna().all()
    assert results.abnormal_returns.loc[1, [2, 3, 4, 5]].isna().all()
    assert results.abnormal_returns.loc[1, :1].notna().all()


def test_the_market_tells_its_sets(returns):
    market = make(returns, {"CN": CN[["mkt_rf", "rf"]], "US": US[["Mkt-RF"]]})
    assert "factors mkt_rf, rf of CN; Mkt-RF of US" in repr(market)
    assert market.factors.columns.tolist() == [("CN", "mkt_rf"), ("CN", "rf"), ("US", "Mkt-RF")]
    assert market.bank.names == ("INDEX", "CN: mkt_rf", "CN: rf", "US: Mkt-RF")
    again = make(returns, market.factors)
    pd.testing.assert_frame_equal(again.factors, market.factors)
    assert again.with_benchmark("A").arrays.factor_rows == market.arrays.factor_rows


@pytest.mark.parametrize("bad", [{}, {"": CN}, {"CN": CN, " CN": US}])
def test_sets_without_a_name_of_their_own(returns, bad):
    with pytest.raises(DataError, match="each its own"):
        make(returns, bad)


def test_a_set_that_cannot_be_is_named(returns):
    with pytest.raises(DataError, match="Factors of US have no day in common"):
        make(returns, {"CN": CN, "US": US.set_axis(US.index + pd.Timedelta(days=3650))})
    with pytest.raises(DataError, match=r"Factors of CN: .*Are these percent"):
        make(returns, {"CN": 100 * CN, "US": US})


def test_placebo_events_keep_the_sets_of_the_events(returns):
    """Of four placebo samples like the study, the rejections are those of a market with one set for all."""
    factors = {"CN": CN, "US": US}
    options = {"n_samples": 4, "tests": ["bmp"], "shift": (0.0, 0.05), "variance": (1.0,)}
    size = [
        calibrate(like=fit(make(returns, given), events(*named), es.FamaFrench3()), **options).frame
        for given, named in ((factors, ("CN", "CN")), (CN, (..., ...)), (factors, ("US", "US")))
    ]
    pd.testing.assert_frame_equal(size[0], size[1])


def test_the_recipe_makes_the_same_study(returns):
    factors = {"CN": CN, "US": US}
    results = fit(make(returns, factors), events("CN", "US"), es.FamaFrench3())
    world = {"returns": returns, "factors": factors}
    exec(reproduce.code(results.fitted, Window(0, 1)), world)
    pd.testing.assert_frame_equal(world["results"].abnormal_returns, results.abnormal_returns)


def test_a_sample_knows_which_set_lacks_a_factor(returns):
    market = make(returns, {"CN": CN, "US": US.drop(columns="cma")})
    sample = fit(market, events("CN", "CN", "US", "US"), es.FamaFrench3()).sample
    lacking = factor_series(market, "cma", sample.factor_set)
    assert (lacking[:2] >= 0).all()
    assert lacking[2:].tolist() == [-1, -1]
    assert len(sample.factor("cma", slice(0, 2))) == 2
    with pytest.raises(ModelError, match="cma"):
        sample.factor("cma", slice(2, 4))
    assert factor_series(market, "hml", np.array([0, -1, 1]))[1] == -1


def test_the_risk_free_rate_is_that_of_the_days_of_each_event(returns):
    """And is summed over the sessions that a return after a halt spans."""
    sample = fit(make(returns, {"CN": CN, "US": US}), events("CN", "CN", "US", "US"), es.CAPM()).sample
    day0 = sample.day0
    for found in (sample.arrays((), True).rf_evt, es.CAPM().fit_sample(sample, slice(None)).rf_evt):
        for i, source in enumerate((CN, CN, US, US)):
            own = source["rf"].to_numpy()[day0[i] - 5 : day0[i] + 6].copy()
            if i == 0:  # A is suspended on the two sessions after day 0
                own[8] = (1 + own[6]) * (1 + own[7]) * (1 + own[8]) - 1
            traded = ~np.isnan(sample.arrays(()).y_evt[i])
            np.testing.assert_allclose(found[i][traded], own[traded], rtol=1e-9)


def test_observed_returns_are_not_in_excess_of_the_risk_free_rate(returns):
    results = fit(make(returns, {"CN": CN, "US": US}), events("CN", "CN", "US", "US"), es.CAPM())
    for i, name in enumerate("BCD", start=1):
        np.testing.assert_allclose(results.fitted.abnormal.actual[i], returns[name].iloc[295:306], rtol=1e-12)
