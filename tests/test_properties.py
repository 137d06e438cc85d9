"""What must hold for any returns: changes of unit, of origin, of order, and of what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es

PROFILE = settings(derandomize=True, deadline=None, max_examples=15)
QUICK = settings(PROFILE, max_examples=8)
DAYS = pd.bdate_range("2019-01-01", periods=130).as_unit("ns")
DAY0 = 110
MODELS = [es.MarketModel(), es.ConstantMean(), es.MarketAdjusted()]
COLUMNS = ["car", "se", "t", "p_value", "n_days"]

seeds = st.integers(0, 10_000)
models = st.sampled_from(MODELS)
days = st.integers(-4, 5)
constants = st.floats(-0.05, 0.05)
windows = st.tuples(days, days).map(sorted).map(tuple)

pytestmark = [
    pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning"),
    pytest.mark.filterwarnings("ignore::eventstudy.errors.SuspectDataWarning"),
    pytest.mark.filterwarnings("ignore::eventstudy.errors.LumpedReturnWarning"),
    pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning"),
]


def draw(seed: int, securities: int = 1) -> pd.DataFrame:
    """Simple returns of a market model with t errors."""
    rng = np.random.default_rng(seed)
    index = 0.0003 + 0.01 * rng.standard_normal(len(DAYS))
    errors = 0.015 * rng.standard_t(5, (len(DAYS), securities)).clip(-8, 8)
    frame = pd.DataFrame(0.0002 + index[:, None] * (0.5 + rng.random(securities)) + errors, DAYS)
    return frame.rename(columns=lambda i: f"S{i}").assign(INDEX=index)


def fit(
    market: es.Market, model: es.MarketModel | None = None, events: list | None = None, **options
) -> es.EventStudyResults:
    events = [{"security": "S0", "date": DAYS[DAY0]}] if events is None else events
    return es.EventStudy(market, events, model, (-100, -6), (-4, 5), **options).fit()


def of_returns(frame: pd.DataFrame, model=None, **options) -> es.EventStudyResults:
    return fit(es.Market(frame, benchmark="INDEX", **options), model)


def assert_same(first: es.EventStudyResults, second: es.EventStudyResults, window=(-4, 5)) -> None:
    pd.testing.assert_frame_equal(
        first.car(window)[COLUMNS], second.car(window)[COLUMNS], rtol=1e-8, atol=1e-13
    )


@QUICK
@given(seeds, models, st.floats(0.01, 3), windows)
def test_the_unit_of_returns_does_not_matter(seed, model, scale, window):
    frame = draw(seed)
    plain, scaled = (
        of_returns(frame, model).car(window),
        of_returns(scale * frame, model, unit="decimal").car(window),
    )
    pd.testing.assert_frame_equal(scaled[["t", "p_value"]], plain[["t", "p_value"]], rtol=1e-8)
    pd.testing.assert_frame_equal(scaled[["car", "se"]], scale * plain[["car", "se"]], rtol=1e-8)


@QUICK
@given(seeds, models, constants, days)
def test_a_shock_on_one_day_is_the_abnormal_return_of_that_day(seed, model, shock, day):
    frame = draw(seed)
    moved = frame.copy()
    moved.loc[DAYS[DAY0 + day], "S0"] += shock
    before, after = of_returns(frame, model), of_returns(moved, model)
    change = (after.abnormal_returns - before.abnormal_returns).loc[0]
    np.testing.assert_allclose(change[day], shock, atol=1e-14)
    np.testing.assert_array_equal(change.drop(day), 0)
    pd.testing.assert_frame_equal(after.parameters, before.parameters)
    np.testing.assert_array_equal(after.car(day, 5)["se"], before.car(day, 5)["se"])


@pytest.mark.filterwarnings("ignore:No return of S0 is negative")
@QUICK
@given(seeds, st.sampled_from(MODELS[:2]), constants, windows)
def test_a_constant_in_every_return_is_normal(seed, model, constant, window):
    frame = draw(seed)
    assert_same(of_returns(frame, model), of_returns(frame.assign(S0=frame["S0"] + constant), model), window)


@QUICK
@given(seeds, st.floats(-2, 2), windows)
def test_more_of_the_benchmark_is_beta(seed, more, window):
    frame = draw(seed)
    moved = of_returns(frame.assign(S0=frame["S0"] + more * frame["INDEX"]))
    plain = of_returns(frame)
    assert_same(plain, moved, window)
    assert moved.parameters.loc[0, "beta"] - plain.parameters.loc[0, "beta"] == pytest.approx(more, abs=1e-10)


@QUICK
@given(seeds, models, st.sets(st.integers(-4, 5).filter(bool), max_size=5))
def test_each_missing_day_is_one_day_less(seed, model, gone):
    frame = draw(seed)
    holed = frame.copy()
    holed.loc[DAYS[[DAY0 + day for day in gone]], "S0"] = np.nan
    whole, found = (
        fit(es.Market(each, benchmark="INDEX", gaps="single"), model, incomplete="partial")
        for each in (frame, holed)
    )
    left = [day for day in range(-4, 6) if day not in gone]
    assert found.car(-4, 5).loc[0, "n_days"] == 10 - len(gone)
    np.testing.assert_array_equal(found.abnormal_returns[left], whole.abnormal_returns[left])
    assert found.abnormal_returns[sorted(gone)].isna().all(axis=None)
    assert found.car(-4, 5).loc[0, "car"] == pytest.approx(
        whole.abnormal_returns.loc[0, left].sum(), abs=1e-14
    )
    assert found.car(-4, 5).loc[0, "se"] <= whole.car(-4, 5).loc[0, "se"] * (1 + 0.1 * bool(gone))


@pytest.mark.slow
@QUICK
@given(seeds, models, st.sets(st.integers(-100, -6), min_size=1, max_size=40))
def test_each_missing_estimation_day_is_one_observation_less(seed, model, gone):
    frame = draw(seed)
    holed = frame.copy()
    holed.loc[DAYS[[DAY0 + day for day in gone]], "S0"] = np.nan
    whole, found = of_returns(frame, model, gaps="single"), of_returns(holed, model, gaps="single")
    for name in ("n_obs", "dof"):
        assert found.parameters.loc[0, name] == whole.parameters.loc[0, name] - len(gone)
    np.testing.assert_array_equal(found.car(-4, 5)["actual"], whole.car(-4, 5)["actual"])


@pytest.mark.slow
@QUICK
@given(seeds, models, st.sets(st.integers(-3, 4).filter(bool), min_size=1, max_size=6))
def test_in_logs_a_halt_inside_the_window_changes_nothing(seed, model, gone):
    """The resumption return is the sum of what was missed, and so are its normal return and variance."""
    prices = 50 * (1 + draw(seed)).cumprod()
    holed = prices.copy()
    holed.loc[DAYS[[DAY0 + day for day in gone]], "S0"] = np.nan
    whole, found = (
        fit(es.Market.from_prices(p, benchmark="INDEX", kind="log"), model) for p in (prices, holed)
    )
    pd.testing.assert_frame_equal(
        found.car(-4, 5)[["car", "se", "t", "actual", "expected"]],
        whole.car(-4, 5)[["car", "se", "t", "actual", "expected"]],
        rtol=1e-8,
        atol=1e-13,
    )
    assert found.car(-4, 5).loc[0, "n_days"] == 10 - len(gone)


@pytest.mark.slow
@QUICK
@given(seeds, models, st.floats(1e-3, 1e3), st.integers(1, 200))
def test_prices_in_another_currency_and_another_year(seed, model, rate, weeks):
    frame = draw(seed)
    prices = 50 * (1 + frame).cumprod()
    plain = fit(es.Market.from_prices(prices, benchmark="INDEX"), model)
    dear = prices.assign(S0=rate * prices["S0"])
    assert_same(plain, fit(es.Market.from_prices(dear, benchmark="INDEX"), model))
    later = es.Market.from_prices(prices.set_axis(DAYS + pd.Timedelta(weeks=weeks)), benchmark="INDEX")
    event = [{"security": "S0", "date": DAYS[DAY0] + pd.Timedelta(weeks=weeks)}]
    assert_same(plain, fit(later, model, event))
    # The first return is lost to the first price, long before the estimation window.
    assert_same(plain, of_returns(frame, model))


@pytest.mark.slow
@QUICK
@given(seeds, models, st.permutations(range(6)), st.sets(st.integers(0, 5), min_size=2))
def test_order_and_company_of_events_do_not_matter(seed, model, order, chosen):
    market = es.Market(draw(seed, 3), benchmark="INDEX")
    events = [{"event_id": f"e{i}", "security": f"S{i % 3}", "date": DAYS[DAY0 - 3 + i]} for i in range(6)]
    whole = fit(market, model, events)
    shuffled = fit(market, model, [events[i] for i in order])
    assert shuffled.timeline.index.tolist() == [f"e{i}" for i in order]
    pd.testing.assert_frame_equal(shuffled.car(0, 1).loc[whole.timeline.index], whole.car(0, 1), rtol=1e-12)
    for window in ((0, 1), (-4, 5)):
        np.testing.assert_allclose(
            shuffled.caar(window)["caar"], whole.caar(window)["caar"], rtol=1e-10, atol=1e-16
        )
    part = fit(market, model, [events[i] for i in sorted(chosen)])
    pd.testing.assert_frame_equal(part.car(0, 1), whole.car(0, 1).loc[part.timeline.index], rtol=1e-12)


@QUICK
@given(seeds, models, windows, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_a_surer_interval_is_wider_and_holds_the_other(seed, model, window, first, second):
    results = of_returns(draw(seed), model)
    low, high = sorted((first, second))
    narrow, wide = (results.car(window, level=level).loc[0] for level in (low, high))
    assert wide["ci_low"] <= narrow["ci_low"] <= narrow["car"] <= narrow["ci_high"] <= wide["ci_high"]
    assert (narrow["ci_low"] <= 0 <= narrow["ci_high"]) == (narrow["p_value"] >= 1 - low)


@QUICK
@given(seeds, models, windows)
def test_the_sign_of_returns_is_the_sign_of_the_answer(seed, model, window):
    frame = draw(seed)
    plain, mirrored = of_returns(frame, model).car(window), of_returns(-frame, model).car(window)
    np.testing.assert_allclose(mirrored[["car", "t"]], -plain[["car", "t"]], rtol=1e-8)
    np.testing.assert_allclose(mirrored[["se", "p_value"]], plain[["se", "p_value"]], rtol=1e-8)
