"""Abnormal returns and their sums, through the whole pipeline, against the plain reference."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, HeldEventWindows, HeldWindows, cumulate
from eventstudy.windows import Window

TOLERANCE = 1e-10
ESTIMATION, WINDOW = Window(-70, -11), Window(-4, 5)
MODELS = {"mm": es.MarketModel(), "mean": es.ConstantMean(), "madj": es.MarketAdjusted()}
TESTED = [(0, 0), (0, 1), (-1, 1), (-4, 5), (2, 5)]


def random_market(seed: int, missing: float, securities: int = 8, sessions: int = 260) -> es.Market:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2018-01-01", periods=sessions)
    index = 0.01 * rng.standard_normal(sessions)
    returns = 0.0004 + index[:, None] * (0.5 + rng.random(securities))
    returns = returns + 0.02 * rng.standard_normal((sessions, securities))
    returns[rng.random(returns.shape) < missing] = np.nan
    names = [f"S{i}" for i in range(securities)]
    frame = pd.DataFrame(returns, days, names).assign(INDEX=index)
    return es.Market(frame, benchmark="INDEX", gaps="single")


def random_events(market: es.Market, seed: int, n: int = 14) -> list[dict]:
    """Events of several securities, at times several of one, on days they trade."""
    rng = np.random.default_rng(seed)
    returns, taken = market.returns, set()
    while len(taken) < n:
        name = market.securities[rng.integers(len(market.securities))]
        row = int(rng.integers(60, len(returns) - 2))
        if not np.isnan(returns[name].iloc[row]):
            taken.add((name, row))
    return [{"security": name, "date": returns.index[row]} for name, row in sorted(taken)]


@pytest.mark.quick(every=4)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize(("seed", "missing"), [(1, 0.0), (2, 0.05), (3, 0.2), (4, 0.35)])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_pipeline_equals_the_reference(key, seed, missing, oracle):
    market = random_market(seed, missing)
    events = random_events(market, seed)
    results = es.EventStudy(
        market,
        events,
        model=MODELS[key],
        estimation=ESTIMATION,
        window=WINDOW,
        min_observations=20,
        incomplete="partial",
    ).fit()
    assert len(results.excluded) == 0
    index = market.returns["INDEX"].to_numpy()
    windows = {pair: results.car(*pair) for pair in TESTED}
    ar = results.abnormal_returns
    sigma = results.parameters["sigma"]

    def lay(values: np.ndarray, day0: int, window: Window) -> np.ndarray:
        rows = day0 + window.offsets
        inside = (rows >= 0) & (rows < len(values))
        return np.where(inside, values[np.clip(rows, 0, len(values) - 1)], np.nan)

    for event_id, event in enumerate(events):
        day0 = market.sessions.get_loc(event["date"])
        returns = market.returns[event["security"]].to_numpy()
        wanted = oracle.build_event(
            lay(returns, day0, ESTIMATION),
            lay(index, day0, ESTIMATION),
            lay(returns, day0, WINDOW),
            lay(index, day0, WINDOW),
            key,
        )
        np.testing.assert_allclose(ar.loc[event_id], wanted["ar"], rtol=0, atol=TOLERANCE)
        assert sigma[event_id] ** 2 == pytest.approx(wanted["s2"], abs=TOLERANCE)
        assert results.parameters.loc[event_id, "n_obs"] == wanted["n"]
        for (start, end), frame in windows.items():
            days = list(range(start - WINDOW.start, end - WINDOW.start + 1))
            car, variance, used = oracle.car(wanted, days)
            row = frame.loc[event_id]
            assert row["n_days"] == used
            if used == 0:
                assert np.isnan([row["car"], row["se"], row["t"], row["p_value"]]).all()
                continue
            assert row["car"] == pytest.approx(car, abs=TOLERANCE)
            assert row["se"] == pytest.approx(math.sqrt(variance), abs=TOLERANCE)
            assert row["dof"] == wanted["nu"]
            assert row["p_value"] == pytest.approx(
                oracle.two_sided_t(car / math.sqrt(variance), wanted["nu"]), abs=TOLERANCE
            )
            assert row["actual"] - row["expected"] == pytest.approx(car, abs=TOLERANCE)


def plain_abnormal(ar: list[float], span: list[int], k: int = 1) -> AbnormalReturns:
    """One event with unit noise and a parameter variance of one hundredth."""
    seen = ~np.isnan(ar)
    length = len(ar)
    one = np.ones((1, length))
    days = np.arange(length).astype("datetime64[D]")[None]
    return AbnormalReturns(
        window=Window(-2, length - 3),
        ar=np.array([ar]),
        actual=np.array([ar]),
        span=np.array([span]),
        param_cov=np.full((1, k, k), 0.01),
        s2=np.ones(1),
        n_obs=np.array([100]),
        dof=np.array([99.0]),
        n_params=k,
        exact=True,
        past=HeldWindows(one, one * 0, days),
        event_windows=HeldEventWindows(
            days,
            np.where(seen, np.array(span, float), np.nan)[None],
            np.where(seen, np.array(span, float), np.nan)[None, :, None],
        ),
    )


def test_a_missing_day_shortens_the_sum_and_its_variance():
    made = plain_abnormal([0.1, 0.2, 0.4, np.nan, 0.8], [1, 1, 1, 0, 1])
    sums = cumulate(made, Window(0, 2))
    assert sums.car[0] == pytest.approx(1.2)
    assert sums.n_days[0] == 2
    # Two sessions of noise, and the common parameter error of both.
    assert sums.variance[0] == pytest.approx(2 + 0.01 * 4)


@pytest.mark.parametrize("window", [(-2, 8), (-2, 18), (0, 10), (-1, 1)])
@pytest.mark.parametrize("gap", [0.0, np.nan])
def test_equal_returns_have_the_same_sum_to_the_last_digit(window, gap, with_arrays):
    # Otherwise the ties of ranked CARs would hang on where an event stands in the list.
    ar = np.tile(0.01 * np.random.default_rng(0).standard_normal(21), (1003, 1))
    ar[0, -1] += gap
    one = plain_abnormal(list(ar[1]), [1] * 21)
    rows = {
        name: np.repeat(getattr(one, name), len(ar), axis=0)
        for name in ("span", "noise", "design", "param_cov", "event_dates")
    }
    found = cumulate(with_arrays(one, **rows | {"ar": ar, "actual": ar}), Window(*window))
    assert len(np.unique(found.car[1:])) == len(np.unique(found.actual[1:])) == 1
    assert len(np.unique(found.variance[1:])) == 1


def test_no_day_no_sum():
    sums = cumulate(plain_abnormal([0.1, np.nan, np.nan, 0.4], [1, 0, 0, 1]), Window(-1, 0))
    assert np.isnan(sums.car[0])
    assert np.isnan(sums.variance[0])
    assert np.isnan(sums.scar[0])
    assert sums.n_days[0] == 0


@pytest.mark.parametrize(
    ("ar", "span", "window", "usable"),
    [
        # Day 1 lumps days 0 and 1: no part of (1, 2), all of (0, 2).
        ([0.1, 0.1, np.nan, 0.1, 0.1], [1, 1, 0, 2, 1], (1, 2), False),
        ([0.1, 0.1, np.nan, 0.1, 0.1], [1, 1, 0, 2, 1], (0, 2), True),
        # The event day may lump sessions before it: that is its reaction.
        ([np.nan, np.nan, 0.1, 0.1, 0.1], [0, 0, 3, 1, 1], (0, 2), True),
        ([np.nan, np.nan, 0.1, 0.1, 0.1], [0, 0, 3, 1, 1], (-1, 2), True),
        # Day -1 lumps day -2 and -3, before the window.
        ([np.nan, 0.1, 0.1, 0.1, 0.1], [0, 3, 1, 1, 1], (-1, 1), False),
        ([np.nan, 0.1, 0.1, 0.1, 0.1], [0, 3, 1, 1, 1], (-2, 1), False),
        ([np.nan, 0.1, 0.1, 0.1, 0.1], [0, 2, 1, 1, 1], (-2, 1), True),
    ],
)
def test_earlier_news_lumped_into_a_window_make_it_missing(ar, span, window, usable):
    sums = cumulate(plain_abnormal(ar, span), Window(*window))
    assert np.isfinite(sums.car[0]) == usable
    assert np.isfinite(sums.variance[0]) == usable
    assert sums.n_days[0] == np.isfinite(ar[window[0] + 2 : window[1] + 3]).sum()


def test_variance_of_single_days_and_standardised_returns():
    made = plain_abnormal([0.1, 0.2, np.nan, 0.8], [1, 1, 0, 2])
    np.testing.assert_allclose(made.ar_variance[0], [1.01, 1.01, np.nan, 2.04])
    np.testing.assert_allclose(
        made.sar[0], np.array([0.1, 0.2, np.nan, 0.8]) / np.sqrt([1.01, 1.01, 1, 2.04])
    )


def test_columns_of_a_window():
    made = plain_abnormal([0.0] * 5, [1] * 5)
    assert made.columns(Window(-2, 2)) == slice(0, 5)
    assert made.columns(Window(0, 1)) == slice(2, 4)
    assert made.n_events == 1


def test_variance_zero_gives_no_standardised_sum(with_arrays):
    made = plain_abnormal([0.1] * 4, [1] * 4)
    flat = with_arrays(made, noise=made.noise * 0, param_cov=made.param_cov * 0)
    sums = cumulate(flat, Window(0, 1))
    assert sums.car[0] == pytest.approx(0.2)
    assert np.isnan(sums.scar[0])
