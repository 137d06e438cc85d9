"""Simulated markets: what they promise is what they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError


def test_the_same_seed_gives_the_same_market() -> None:
    one, same = (
        es.lab.simulate_market(5, 100, garch=(0.1, 0.8), tails=5, thin=0.1, seed=3) for _ in range(2)
    )
    other = es.lab.simulate_market(5, 100, garch=(0.1, 0.8), tails=5, thin=0.1, seed=4)
    pd.testing.assert_frame_equal(one.market.prices(), same.market.prices())
    assert not one.market.prices().equals(other.market.prices())


def test_without_frictions_prices_follow_the_value() -> None:
    market, truth = es.lab.simulate_market(8, 300, tick=1e-6, n_events=3, effect=0.04, seed=0)
    seen = market.returns.to_numpy()[1:]
    np.testing.assert_allclose(seen, truth.returns.to_numpy()[1:], atol=1e-6)
    model = truth.parameters["beta"].to_numpy() * truth.benchmark.to_numpy()[:, None] + truth.errors
    gap = truth.returns - model
    for _, event in truth.events.iterrows():
        assert gap.at[event["date"], event["security"]] == pytest.approx(0.04)
    assert (gap.abs() > 1e-12).sum().sum() == 3


def test_the_market_model_finds_the_parameters() -> None:
    market, truth = es.lab.simulate_market(40, 600, tick=1e-6, seed=1)
    events = [{"security": s, "date": market.sessions[580]} for s in market.securities]
    found = es.EventStudy(market, events, estimation=(-560, -20), window=(0, 1)).fit().parameters
    errors = (found["beta"].to_numpy() - truth.parameters["beta"].to_numpy()) / (
        truth.parameters["sigma"].to_numpy() / (0.01 * np.sqrt(541))
    )
    assert abs(errors.mean()) < 4 / np.sqrt(40)
    assert 0.6 < errors.std() < 1.4
    ratio = found["sigma"].to_numpy() / truth.parameters["sigma"].to_numpy()
    assert np.abs(ratio - 1).max() < 0.15


def test_errors_are_correlated_within_industries_only() -> None:
    _, truth = es.lab.simulate_market(20, 3000, n_industries=2, correlation=0.4, seed=2)
    r = truth.errors.corr().to_numpy()
    same = truth.parameters["industry"].to_numpy()[:, None] == truth.parameters["industry"].to_numpy()
    off = ~np.eye(20, dtype=bool)
    assert r[same & off].mean() == pytest.approx(0.4, abs=0.05)
    assert r[~same].mean() == pytest.approx(0.0, abs=0.05)


def test_tails_are_fat_and_variance_is_kept() -> None:
    _, normal = es.lab.simulate_market(30, 2000, seed=5)
    _, fat = es.lab.simulate_market(30, 2000, tails=5, seed=5)
    for truth in (normal, fat):
        z = truth.errors / truth.parameters["sigma"].to_numpy()
        assert z.to_numpy().std() == pytest.approx(1.0, abs=0.05)
    assert normal.errors.kurt().mean() < 0.5 < 2.0 < fat.errors.kurt().mean()


def test_garch_errors_cluster_as_their_volatility_says() -> None:
    _, truth = es.lab.simulate_market(30, 3000, garch=(0.1, 0.85), seed=6)
    z = truth.errors / truth.volatility
    squares = truth.errors**2
    persistence = np.mean([squares[c].autocorr(1) for c in squares])
    assert persistence > 0.1
    assert abs(np.mean([(z[c] ** 2).autocorr(1) for c in z])) < 0.02
    assert (truth.errors / truth.parameters["sigma"].to_numpy()).to_numpy().std() == pytest.approx(
        1, abs=0.06
    )


def test_thin_trading_and_halts_leave_gaps_that_prices_make_up_for() -> None:
    market, truth = es.lab.simulate_market(30, 600, thin=0.2, tick=1e-6, seed=7)
    assert market.returns.isna().to_numpy().mean() == pytest.approx(0.2, abs=0.04)
    level = (1 + truth.returns.iloc[1:]).prod()
    path = market.prices()
    last = path.iloc[-1].notna()
    ratio = path.iloc[-1][last] / path.iloc[0][last]
    np.testing.assert_allclose(ratio, level[ratio.index], rtol=1e-5)
    halted, _ = es.lab.simulate_market(30, 600, halts=0.002, halt_sessions=20, seed=7)
    assert halted.spans[halted.securities].to_numpy().max() >= 21


def test_price_limits_hold_and_the_book_sees_the_hits() -> None:
    market, truth = es.lab.simulate_market(
        20, 500, price_limit=0.1, n_events=5, effect=-0.25, sigma=(0.01, 0.02), seed=8
    )
    assert market.returns.to_numpy()[1:].min() > -0.105
    for _, event in truth.events.iterrows():
        row = market.sessions.get_loc(event["date"])
        closed = market.limits.closed[event["security"]]
        assert closed.iloc[row] == -1
        moved = (1 + market.returns[event["security"]].iloc[row : row + 5]).prod() - 1
        assert moved < -0.15  # the rest of the effect follows


def test_common_date_and_calendar() -> None:
    market, truth = es.lab.simulate_market(10, 300, n_events=10, common_date=True, calendar="XSHG", seed=9)
    assert truth.events["date"].nunique() == 1
    assert truth.events["security"].nunique() == 10
    assert len(market.sessions) == 300
    assert market.exchange is not None
    assert not market.sessions.isin(pd.DatetimeIndex(["2016-02-08", "2016-10-03"])).any()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"correlation": 1.0}, "correlation"),
        ({"garch": (0.3, 0.7)}, "garch"),
        ({"tails": 2.0}, "tails"),
        ({"thin": 0.6}, "thin"),
        ({"halts": -0.1}, "halts"),
        ({"price_limit": 10.0}, "price_limit"),
        ({"n_sessions": 2}, "sessions"),
        ({"n_securities": 0}, "n_securities must be a whole number from 1 on; got 0"),
        ({"n_events": 11, "common_date": True}, "n_events=11 does not fit"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        es.lab.simulate_market(**({"n_securities": 10, "n_sessions": 300} | wrong))
