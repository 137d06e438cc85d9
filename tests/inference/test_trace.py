"""From residual to p-value in a dozen functions, and without going back and forth between files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from eventstudy.inference.base import p_value

PATH = Path(__file__).parents[2] / "benchmarks" / "trace_test.py"


@pytest.fixture(scope="module")
def tracer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trace_test", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["trace_test"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results(tracer):
    return tracer.study()


@pytest.mark.parametrize("key", ["grank_t", "adjusted_bmp"])
def test_a_reader_enters_few_functions_and_returns_to_no_file_often(key, tracer, results):
    found = tracer.trip(key, results)
    names = [name for _, name in found.functions]
    assert {"dependence", "RefittedWindows.residuals", "p_value"} <= set(names)
    assert len(names) == len(set(found.functions)) <= 12, names
    assert max(found.returns.values()) <= 2, found.returns


def test_the_trace_counts_each_function_once_and_each_return(tracer):
    def run():
        p_value(1.0, "two-sided")
        p_value(2.0, "two-sided")

    assert tracer.traced(run).functions == (
        ("inference/base.py", "p_value"),
        ("distributions.py", "norm_cdf"),
        ("distributions.py", "norm_sf"),
        ("distributions.py", "p_value_of_tails"),
    )
    trip = tracer.Trip((("a.py", "f"), ("a.py", "g"), ("b.py", "h"), ("a.py", "k"), ("b.py", "l")))
    assert trip.returns == {"a.py": 1, "b.py": 1}
    with pytest.raises(ZeroDivisionError):
        tracer.traced(lambda: 1 / 0)
