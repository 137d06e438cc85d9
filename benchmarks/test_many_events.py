"""The cases of many_events.py as a pytest-benchmark suite; ratios are to its fastest row, the floor.

python -m pytest -o addopts= benchmarks --benchmark-timer=time.process_time
"""

from __future__ import annotations

import many_events as many
import pytest

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.benchmark(group="100,000 events")]


@pytest.fixture(scope="module")
def world() -> many.World:
    return many.World.of(100_000)


def test_floor(benchmark, world):
    benchmark.pedantic(many.floor(world.prices, world.given), rounds=7)


@pytest.mark.parametrize("case", many.CASES)
def test_case(benchmark, world, case):
    benchmark.name = case
    benchmark.pedantic(many.CASES[case], args=(world,), rounds=3)
