"""The cases of many_events.py as a pytest-benchmark suite; ratios are to its fastest row, the floor.

python -m pytest benchmarks --benchmark-timer=time.process_time
"""

from __future__ import annotations

from collections.abc import Callable

import many_events as many
import pytest

N = 100_000
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cases() -> dict[str, Callable[[], object]]:
    prices, holed = many.market(), many.market(0.02)
    given, gaps = many.events(prices, N), many.events(holed, N)
    return {"floor": many.floor(prices, given), **many.cases(prices, given, holed, gaps)}


@pytest.mark.benchmark(group="100,000 events", warmup=False)
@pytest.mark.parametrize("case", range(10))
def test_many_events(benchmark, cases, case):
    name, run = list(cases.items())[case]
    benchmark.name = name
    benchmark.pedantic(run, rounds=7 if name == "floor" else 3, iterations=1)
