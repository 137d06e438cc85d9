"""Benchmarks that events name for themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import EventError, ModelError
from eventstudy.results.report import reproduce
from eventstudy.windows import Window

DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    """Three securities that follow two indices; A is suspended for two sessions, so that a return lumps."""
    rng = np.random.default_rng(8)
    index = pd.DataFrame(0.01 * rng.standard_normal((420, 2)), DAYS, ["BIG", "SMALL"])
    noise = pd.DataFrame(0.01 * rng.standard_normal((420, 3)), DAYS, ["A", "B", "C"])
    frame = noise.add(index["BIG"], axis=0).add(0.5 * index["SMALL"], axis=0).join(index)
    frame.loc[DAYS[301:303], "A"] = np.nan
    return frame


def events(*benchmarks: object) -> list[dict]:
    return [
        {"security": name, "date": DAYS[300], "benchmark": benchmark}
        for name, benchmark in zip("ABC", benchmarks, strict=False)
    ]


def fit(market: es.Market, rows: list[dict], model: es.MarketModel | None = None) -> es.EventStudyResults:
    return es.EventStudy(market, rows, model, estimation=(-150, -21), window=(-5, 5)).fit()


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("empty", [None, "", np.nan, pd.NA])
def test_each_event_is_measured_as_in_a_market_of_its_benchmark(returns, empty):
    market = es.Market(returns, gaps="lumped", benchmark="BIG")
    results = fit(market, events("SMALL", empty, "BIG"))
    big, small = (
        fit(es.Market(returns, gaps="lumped", benchmark=name), events("", "", ""))
        for name in ("BIG", "SMALL")
    )
    wanted = pd.concat([small.car(-2, 5).iloc[:1], big.car(-2, 5).iloc[1:]])
    pd.testing.assert_frame_equal(results.car(-2, 5), wanted, rtol=1e-12)
    assert not np.allclose(big.car(-2, 5)["car"], small.car(-2, 5)["car"])
    bank = results.sample.bank
    assert [bank.names[row] for row in results.sample.benchmark] == ["SMALL", "BIG", "BIG"]
    assert "SMALL" in str(results.summary(0, 1))


def test_it_goes_before_the_benchmark_of_the_security(returns):
    market = es.Market(returns, gaps="lumped", benchmark={"A": "BIG", "B": "SMALL"})
    results = fit(market, events("SMALL", ""))
    wanted = fit(es.Market(returns, gaps="lumped", benchmark="SMALL"), events("", ""))
    pd.testing.assert_frame_equal(results.abnormal_returns, wanted.abnormal_returns)


def test_in_excess_of_the_risk_free_rate(returns):
    rf = pd.DataFrame({"rf": 0.0001 * np.arange(420) / 420}, DAYS)
    results = fit(
        es.Market(returns, gaps="lumped", benchmark="BIG", factors=rf), events("SMALL", "SMALL"), es.CAPM()
    )
    wanted = fit(es.Market(returns, gaps="lumped", benchmark="SMALL", factors=rf), events("", ""), es.CAPM())
    pd.testing.assert_frame_equal(results.abnormal_returns, wanted.abnormal_returns)


def test_a_market_without_a_benchmark(returns):
    market = es.Market(returns, gaps="lumped")
    results = fit(market, events("SMALL", "BIG"))
    wanted = fit(es.Market(returns, gaps="lumped", benchmark={"A": "SMALL", "B": "BIG"}), events("", ""))
    pd.testing.assert_frame_equal(results.abnormal_returns, wanted.abnormal_returns)
    with pytest.raises(ModelError, match="needs a benchmark, and the market has none"):
        fit(market, [{"security": "A", "date": DAYS[300]}])
    with pytest.warns(es.errors.ExcludedEventsWarning, match="no benchmark is given for B"):
        assert len(fit(market, events("SMALL", "")).sample) == 1


def test_events_left_out_keep_the_others_benchmarks(returns):
    rows = [{"security": "X", "date": DAYS[300], "benchmark": "SMALL"}, *events("BIG", "SMALL")]
    with pytest.warns(es.errors.ExcludedEventsWarning, match="X"):
        results = fit(es.Market(returns, gaps="lumped", benchmark={"A": "BIG"}), rows)
    assert [results.sample.bank.names[row] for row in results.sample.benchmark] == ["BIG", "SMALL"]


def test_a_name_the_market_has_not(returns):
    factors = pd.DataFrame({"mkt_rf": 0.0}, DAYS)
    market = es.Market(returns, gaps="lumped", benchmark="BIG", factors=factors)
    with pytest.raises(EventError, match=r"Event 1 \(B\) names the benchmark 'SMALLER'.*Did you mean SMALL"):
        fit(market, events("", "SMALLER"))
    with pytest.raises(
        EventError, match=r"'mkt_rf', which is neither a benchmark nor a column.*It has BIG, A"
    ):
        fit(market, events("mkt_rf"))


def test_a_benchmark_given_as_a_series_goes_by_its_name(returns):
    series = returns["SMALL"].rename("index of small firms")
    market = es.Market(
        returns[["A", "B", "C", "BIG"]], gaps="lumped", benchmark={"A": "BIG", "B": series, "C": "BIG"}
    )
    results = fit(market, events("index of small firms"))
    wanted = fit(es.Market(returns, gaps="lumped", benchmark="SMALL"), events(""))
    pd.testing.assert_frame_equal(results.abnormal_returns, wanted.abnormal_returns)


def test_the_recipe_makes_the_same_study(returns):
    market = es.Market(returns, gaps="lumped", benchmark={"A": "BIG", "B": "BIG", "C": "SMALL"})
    results = fit(market, events("SMALL", "", ""))
    world = {"returns": returns}
    exec(reproduce.code(results.fitted, Window(0, 1)), world)
    pd.testing.assert_frame_equal(world["results"].abnormal_returns, results.abnormal_returns)


def test_the_first_column_of_the_market_can_be_a_benchmark(returns):
    market = es.Market(returns, benchmark=returns["BIG"].rename("index"))
    found = fit(market, [{"security": "B", "date": DAYS[200], "benchmark": "A"}])
    alone = fit(es.Market(returns[["B"]], benchmark=returns["A"]), [{"security": "B", "date": DAYS[200]}])
    np.testing.assert_allclose(found.car(0, 1)["car"], alone.car(0, 1)["car"], rtol=1e-12)
