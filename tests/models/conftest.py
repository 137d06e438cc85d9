"""Small simulated markets on which every model can be checked against a slow, separate computation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

FACTORS = ["mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf"]


@pytest.fixture
def make_market() -> Callable[..., es.Market]:
    """Make a market of six securities over 400 sessions, a share of whose returns is missing."""

    def make(missing: float = 0.05, seed: int = 1, gaps: str = "single", benchmark: bool = True) -> es.Market:
        rng = np.random.default_rng(seed)
        dates = pd.bdate_range("2018-01-01", periods=400)
        factors = pd.DataFrame(0.01 * rng.standard_normal((400, 7)), dates, FACTORS)
        factors["rf"] = 1e-4 * (1 + rng.random(400))
        market = pd.Series(0.01 * rng.standard_normal(400) + 3e-4, dates, name="index")
        loads = rng.normal(1, 0.4, 6)
        noise = 0.02 * rng.standard_t(6, (400, 6))
        returns = market.to_numpy()[:, None] * loads + 0.5 * factors[["smb"]].to_numpy() + noise
        returns[rng.random((400, 6)) < missing] = np.nan
        # The event day and the day before are always traded, so that day 0 stays where the tests put it.
        returns[299:301] = 0.01
        frame = pd.DataFrame(returns, dates, [f"S{i}" for i in range(6)])
        return es.Market(frame, benchmark=market if benchmark else None, factors=factors, gaps=gaps)

    return make


@pytest.fixture
def market(make_market: Callable[..., es.Market]) -> es.Market:
    return make_market()


@pytest.fixture
def events(market: es.Market) -> es.Events:
    return es.Events(pd.DataFrame({"security": market.securities, "date": market.sessions[300]}))
