"""A small artificial market with correlated shares, for the experiments."""

from __future__ import annotations

import pytest

import eventstudy as es
from eventstudy.lab import SimulatedMarket


@pytest.fixture(scope="session")
def world() -> SimulatedMarket:
    """60 securities with correlated errors, and one day on which 12 of them moved."""
    return es.lab.simulate_market(
        60, 500, correlation=0.3, tick=1e-4, n_events=12, effect=-0.03, common_date=True, seed=11
    )


@pytest.fixture(scope="session")
def study(world: SimulatedMarket) -> es.EventStudyResults:
    """The study of that day."""
    return es.EventStudy(world.market, world.truth.events, estimation=(-150, -11), window=(-5, 5)).fit()
