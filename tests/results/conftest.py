"""Small markets with prices, and studies of them: one event, one common date, distinct dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")
NAMES = [f"S{i}" for i in range(8)]


@pytest.fixture(scope="session")
def prices() -> pd.DataFrame:
    """Closes of eight securities, S7 suspended for a while, and of an index."""
    rng = np.random.default_rng(5)
    index = 0.01 * rng.standard_normal(420)
    shared = 0.01 * rng.standard_normal(420)
    returns = index[:, None] * (0.5 + rng.random(8)) + shared[:, None] + 0.015 * rng.standard_normal((420, 8))
    frame = pd.DataFrame(returns, DAYS, NAMES).assign(INDEX=index)
    frame.loc[DAYS[300], NAMES] -= 0.04
    close = 50 * (1 + frame).cumprod()
    close.loc[DAYS[302:304], "S7"] = np.nan
    return close


@pytest.fixture(scope="session")
def market(prices) -> es.Market:
    return es.Market.from_prices(prices, benchmark="INDEX")


def study(market: es.Market, events: list[dict], **options) -> es.EventStudyResults:
    return es.EventStudy(market, events, **({"estimation": (-150, -21), "window": (-4, 6)} | options)).fit()


@pytest.fixture(scope="session")
def one(market) -> es.EventStudyResults:
    """One event."""
    return study(market, [{"security": "S0", "date": DAYS[300], "label": "ban"}])


@pytest.fixture(scope="session")
def common(market) -> es.EventStudyResults:
    """Eight securities, one date; S7 has no return on two days of the window."""
    return study(
        market, [{"event_id": f"e{i}", "security": name, "date": DAYS[300]} for i, name in enumerate(NAMES)]
    )


@pytest.fixture(scope="session")
def distinct(market) -> es.EventStudyResults:
    """Eight securities on dates far from each other."""
    days = DAYS[[200, 225, 250, 275, 320, 345, 370, 395]]
    return study(market, [{"security": name, "date": day} for name, day in zip(NAMES, days, strict=True)])


@pytest.fixture(scope="session")
def refit():
    """The function that makes these studies, for tests of their own."""
    return study
