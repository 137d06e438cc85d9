"""Markets: benchmarks, factors, and that nothing moves once a market is made."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError

DAYS = pd.bdate_range("2019-01-01", periods=80).as_unit("ns")


@pytest.fixture
def prices() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    returns = pd.DataFrame(0.02 * rng.standard_normal((80, 4)), DAYS, ["A", "B", "INDEX", "OTHER"])
    prices = 50 * (1 + returns).cumprod()
    prices.loc[DAYS[30:33], "A"] = np.nan
    prices.loc[DAYS[50], "INDEX"] = np.nan
    return prices


@pytest.fixture
def returns(prices) -> pd.DataFrame:
    return es.Market.from_prices(prices).returns


def single_benchmark(market: es.Market, security: str) -> np.ndarray:
    """One-session returns of a security's benchmark, NaN where it has none."""
    row = market.arrays.benchmark[market.positions([security])[0]]
    return market.bank.single[row] if row >= 0 else np.full(len(market.sessions), np.nan)


def identical(first: es.Market, second: es.Market) -> None:
    for security in ("A", "B"):
        np.testing.assert_allclose(
            single_benchmark(first, security), single_benchmark(second, security), atol=1e-15
        )
        rows = (
            first.arrays.benchmark[first.positions([security])[0]],
            second.arrays.benchmark[second.positions([security])[0]],
        )
        at, span = np.arange(80), np.full(80, 3)
        np.testing.assert_allclose(
            first.bank.compound(rows[0], at, span), second.bank.compound(rows[1], at, span), atol=1e-14
        )


def test_benchmark_as_column_series_of_prices_or_mapping(prices):
    column = es.Market.from_prices(prices, benchmark="INDEX")
    series = es.Market.from_prices(prices[["A", "B"]], benchmark=prices["INDEX"])
    mapping = es.Market.from_prices(prices, benchmark={"A": "INDEX", "B": prices["INDEX"]})
    identical(column, series)
    identical(column, mapping)
    assert column.benchmarks == series.benchmarks == mapping.benchmarks == ["INDEX"]
    assert column.securities == ["A", "B", "OTHER"]
    assert series.securities == ["A", "B"]
    wanted = prices["INDEX"] / prices["INDEX"].shift() - 1
    np.testing.assert_allclose(single_benchmark(column, "A"), wanted, atol=1e-15)


@pytest.mark.parametrize("gaps", ["lumped", "single"])
def test_benchmark_of_returns_as_column_or_series(returns, gaps):
    column = es.Market(returns, benchmark="INDEX", gaps=gaps)
    series = es.Market(returns[["A", "B"]], benchmark=returns["INDEX"], gaps=gaps)
    identical(column, series)


def test_a_benchmark_longer_or_shorter_than_the_market(prices):
    market = es.Market.from_prices(prices[["A"]].iloc[10:], benchmark=prices["INDEX"].iloc[:70])
    found = single_benchmark(market, "A")
    # The price before the first session is not of this market, so the first return is not either.
    assert np.isnan(found[0])
    assert np.isnan(found[60:]).all()
    wanted = (prices["INDEX"] / prices["INDEX"].shift() - 1).iloc[11:70]
    np.testing.assert_allclose(found[1:60], wanted, atol=1e-15)


def test_each_security_its_own_benchmark(prices):
    market = es.Market.from_prices(prices, benchmark={"A": "INDEX", "B": "OTHER"})
    assert market.benchmarks == ["INDEX", "OTHER"]
    np.testing.assert_allclose(
        single_benchmark(market, "A"), prices["INDEX"].pct_change(fill_method=None), atol=1e-15
    )
    np.testing.assert_allclose(
        single_benchmark(market, "B"), prices["OTHER"].pct_change(fill_method=None), atol=1e-15
    )
    lacking = es.Market.from_prices(prices, benchmark={"A": "INDEX"})
    assert np.isnan(single_benchmark(lacking, "B")).all()


def test_two_series_of_one_name_are_two_benchmarks(prices, returns):
    """yfinance calls every index "Close", and a computed series often has no name at all."""
    for name in (None, "Close"):
        given = {"A": prices["INDEX"].rename(name), "B": prices["OTHER"].rename(name)}
        market = es.Market.from_prices(prices[["A", "B"]], benchmark=given)
        assert len(set(market.benchmarks)) == 2
        wanted = prices["INDEX"] / prices["INDEX"].shift() - 1
        np.testing.assert_allclose(single_benchmark(market, "A"), wanted, atol=1e-15)
        np.testing.assert_allclose(single_benchmark(market, "B"), returns["OTHER"], atol=1e-15)


def test_one_series_for_many_securities_is_one_benchmark(prices):
    given = {"A": prices["INDEX"], "B": prices["INDEX"].copy()}
    market = es.Market.from_prices(prices, benchmark=given)
    assert market.benchmarks == ["INDEX"]


def test_with_benchmark_leaves_the_market_alone(prices, returns):
    market = es.Market.from_prices(prices, benchmark="INDEX")
    before = single_benchmark(market, "B")
    other = market.with_benchmark("OTHER")
    assert (market.benchmarks, other.benchmarks) == (["INDEX"], ["OTHER"])
    assert market.securities == ["A", "B", "OTHER"]
    assert other.securities == ["A", "B", "INDEX"]
    np.testing.assert_array_equal(single_benchmark(market, "B"), before)
    series = market.with_benchmark(prices["OTHER"].rename("mine"))
    np.testing.assert_allclose(single_benchmark(series, "B"), single_benchmark(other, "B"))
    with pytest.raises(DataError, match=r"mine is -.* If these are returns"):
        market.with_benchmark(returns["OTHER"].rename("mine"))
    of_returns = es.Market(returns, benchmark="INDEX")
    np.testing.assert_allclose(
        single_benchmark(of_returns.with_benchmark(returns["OTHER"].rename("mine")), "B"),
        single_benchmark(other, "B"),
    )
    with pytest.raises(DataError, match="Are these prices"):
        of_returns.with_benchmark(prices["OTHER"].rename("mine"))


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        ("INDX", r"Benchmark 'INDX' is not a column of the data. Did you mean INDEX\?"),
        ("^HSI", r"Benchmark '\^HSI' is not a column of the data. Columns: A, B, INDEX, OTHER"),
        (["INDEX"], "must be a column name, a Series or a mapping by security, got list"),
        ({"C": "INDEX"}, "names the security 'C', which is not a column"),
        ({"A": "INDX"}, "Benchmark of A 'INDX' is not a column"),
        ({"A": 3.0}, "Benchmark of A must be a Series of dates, got float"),
    ],
)
def test_benchmarks_that_do_not_exist(prices, benchmark, message):
    with pytest.raises(DataError, match=message):
        es.Market.from_prices(prices, benchmark=benchmark)


def test_benchmarks_that_cannot_be_used(prices, returns):
    earlier = prices["INDEX"].set_axis(DAYS - pd.Timedelta(days=7300))
    with pytest.raises(DataError, match=r"no day in common.*: it runs from 1999-.*, the market from 2019-"):
        es.Market.from_prices(prices, benchmark=earlier)
    with pytest.raises(DataError, match="INDEX is -50 on 2019-01-08"):
        es.Market.from_prices(prices[["A"]], benchmark=prices["INDEX"].where(prices.index != DAYS[5], -50.0))
    with pytest.raises(DataError, match="'INDEX' has no return on any session"):
        es.Market(returns.assign(INDEX=np.nan), benchmark="INDEX")
    with pytest.raises(DataError, match=r"Benchmark: INDEX is -.* on 2019.*Are these percent"):
        es.Market(returns[["A"]], benchmark=100 * returns["INDEX"])


def test_returns_that_fall_between_the_sessions_count_in_the_next(returns):
    fewer = returns[["A", "B"]].drop(DAYS[[40, 41]])
    other = returns["OTHER"]
    wanted = np.prod(1 + other.loc[DAYS[40:43]]) - 1
    for market in (es.Market(fewer, benchmark=other), es.Market(fewer, factors=other.to_frame())):
        row = market.sessions.get_loc(DAYS[42])
        assert market.bank.single[0, row] == pytest.approx(wanted, abs=1e-15)


def test_a_market_without_benchmark(returns):
    market = es.Market(returns)
    assert market.benchmarks == []
    assert market.securities == list(returns.columns)
    results = es.EventStudy(
        market, [{"security": "B", "date": DAYS[70]}], es.ConstantMean(), (-60, -11), (-5, 5)
    ).fit()
    past = returns["B"].iloc[10:60]
    assert results.car(0, 0).loc[0, "expected"] == pytest.approx(past.mean(), abs=1e-15)


def test_factors_are_laid_on_the_sessions(returns):
    factors = returns[["OTHER"]].iloc[5:70].rename(columns={"OTHER": "smb"})
    market = es.Market(returns[["A", "B"]], factors=factors)
    assert market.factors.index.equals(market.sessions)
    pd.testing.assert_frame_equal(market.factors.iloc[5:70], factors, check_freq=False, check_names=False)
    assert market.factors.iloc[:5].isna().all(axis=None)
    assert "factors smb" in repr(market)
    with pytest.raises(DataError, match="no day in common"):
        es.Market(returns, factors=factors.set_axis(factors.index + pd.Timedelta(days=3650)))
    with pytest.raises(DataError, match=r"Factors: smb is .*Are these percent"):
        es.Market(returns, factors=100 * factors)
    with pytest.raises(DataError, match="Benchmark and factor share the name smb"):
        es.Market(returns, benchmark=returns["OTHER"].rename("smb"), factors=factors)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (-1.0, r"-1 on 2019-01-04.*Are these percent\? Divide by 100"),
        (-1.5, r"-1.5 on 2019-01-04.*Are these percent\? Divide by 100"),
        (-math.inf, "-inf on 2019-01-04; a return is finite, or missing"),
        (math.inf, "inf on 2019-01-04; a return is finite, or missing"),
    ],
)
def test_returns_that_cannot_be(returns, bad, told):
    spoiled = returns.copy()
    spoiled.loc[DAYS[3], "B"] = bad
    with pytest.raises(DataError, match=rf"Returns: B is {told}"):
        es.Market(spoiled)


def test_a_share_that_became_worthless(returns):
    """CRSP's delisting return of -1 is the last of its security, and no reason to refuse the panel."""
    lost = returns.copy()
    lost.loc[DAYS[3], "B"] = -1.0
    lost.loc[DAYS[4] :, "B"] = np.nan
    assert es.Market(lost).returns.loc[DAYS[3], "B"] == -1.0


def test_a_log_return_may_be_below_minus_one(returns):
    crash = returns["B"].where(returns.index != DAYS[3], -1.2)
    market = es.Market(returns.assign(B=crash), kind="log")
    assert market.kind == "log"
    assert market.returns.loc[DAYS[3], "B"] == -1.2


@pytest.mark.parametrize("field", ["Close", "Open", "Low", "Previous Close", "Reference", "Adj Close"])
@pytest.mark.parametrize("bad", [0.0, -3.0, math.inf])
def test_prices_that_cannot_be(prices, field, bad):
    spoiled = prices.shift() if field in ("Previous Close", "Reference") else prices.copy()
    spoiled.loc[DAYS[3], "B"] = bad
    given = pd.concat({"Close": prices} | {field: spoiled}, axis=1)
    with pytest.raises(
        DataError,
        match=f"must be positive, and .* of their median: B is {bad:g} on 2019-01-04.*bad_prices='missing'",
    ):
        es.Market.from_prices(given)
    with pytest.warns(DataWarning, match=f"taken for missing: B is {bad:g} on 2019-01-04"):
        market = es.Market.from_prices(given, bad_prices="missing")
    assert np.isfinite(market.returns["B"].dropna()).all()
    assert math.isnan(market.prices(field.lower().replace(" ", "_").replace("adj_", "adj_")).at[DAYS[3], "B"])


def test_a_bad_price_taken_for_missing_is_as_good_as_missing(prices):
    spoiled, gone = prices.copy(), prices.copy()
    spoiled.loc[DAYS[10:12], "B"] = 0.0
    gone.loc[DAYS[10:12], "B"] = np.nan
    with pytest.warns(DataWarning, match=r"\(and 1 more\)"):
        market = es.Market.from_prices(spoiled, bad_prices="missing")
    pd.testing.assert_frame_equal(market.returns, es.Market.from_prices(gone).returns)


def test_nothing_given_can_change_a_market(prices, returns):
    given, series, factors = (
        prices.copy(),
        prices["INDEX"].copy(),
        returns[["OTHER"]].rename(columns=str.lower),
    )
    market = es.Market.from_prices(given[["A", "B"]], benchmark=series, factors=factors)
    plain = es.Market(returns_given := returns[["A", "B"]].copy())
    before = (
        market.returns,
        market.prices(),
        market.factors,
        single_benchmark(market, "A").copy(),
        plain.returns,
    )
    for frame in (given, factors, returns_given):
        frame.iloc[:, :] = 0.5
    series.iloc[:] = 7.0
    after = market.returns, market.prices(), market.factors, single_benchmark(market, "A"), plain.returns
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_returned_can_change_a_market(prices, returns):
    market = es.Market.from_prices(
        prices, benchmark="INDEX", factors=returns[["OTHER"]].rename(columns=str.lower)
    )
    before = market.returns
    for frame in (market.returns, market.spans, market.prices(), market.factors):
        frame.iloc[:, :] = 0
    market.securities.clear()
    market.benchmarks.clear()
    market.price_fields.clear()
    pd.testing.assert_frame_equal(market.returns, before)
    assert market.spans.to_numpy().max() == 4
    assert market.prices().to_numpy()[0, 0] > 0
    assert market.factors.to_numpy()[5, 0] != 0
    assert market.benchmarks == ["INDEX"]
    assert market.securities == ["A", "B", "OTHER"]
    with pytest.raises(AttributeError):
        market.returns = before


def test_what_a_market_of_returns_does_not_have(returns):
    market = es.Market(returns)
    assert market.price_fields == []
    with pytest.raises(RequestError, match=r"no prices of field 'close'; it has: none \(it was made from"):
        market.prices()
    with pytest.raises(RequestError, match="computed from raw closes"):
        _ = market.limits


def test_repr_tells_what_is_inside(prices):
    told = repr(es.Market.from_prices(prices, benchmark={"A": "INDEX", "B": "OTHER"}, kind="log"))
    assert (
        told
        == "Market: 2 securities, 80 sessions 2019-01-01 to 2019-04-22, log returns, benchmark INDEX, OTHER"
    )
    assert repr(es.Market(prices[["A"]].pct_change(fill_method=None))).startswith(
        "Market: 1 security, 76 sessions"
    )


def test_a_notebook_shows_the_series_and_their_spans() -> None:
    days = pd.bdate_range("2020-01-01", periods=5)
    returns = pd.DataFrame(0.01, days, [f"<b>{i}" for i in range(12)])
    returns.iloc[0, 1] = np.nan
    returns["INDEX"] = 0.001
    page = es.Market(returns, benchmark="INDEX")._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;1" in page
    assert "2020-01-02" in page
    assert "and 3 more" in page
    assert "12 securities" in page
