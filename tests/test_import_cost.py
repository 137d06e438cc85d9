"""`import eventstudy` stays cheap because it imports none of its heavy dependencies.

Seconds are measured by benchmarks/import_time.py; which modules are loaded is a fact a test can hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

HEAVY = {
    "exchange_calendars",
    "matplotlib",
    "numpy",
    "pandas",
    "scipy",
    "seaborn",
    "statsmodels",
    "yfinance",
}


#: A first study, of two firms in the bundled prices.
FIRST = """
import eventstudy as es
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
events = [{"security": who, "date": "2019-05-22"} for who in ("002415.SZ", "002236.SZ")]
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
results.car(0, 1)
"""


#: Each dataclass and regular expression takes up to half a millisecond; import of pandas takes three hundred.
COUNTED = f"""{FIRST}
import sys
from eventstudy.text import _Regex
loaded = [module for name, module in sys.modules.items() if name.startswith("eventstudy.")]
held = [value for module in loaded for value in vars(module).values()]
classes = {{each for each in held if isinstance(each, type) and each.__module__.startswith("eventstudy.")}}
dataclasses = [each for each in classes if "__dataclass_fields__" in vars(each)]
assert 20 < len(dataclasses) <= 55, dataclasses
patterns = {{id(each): each for each in held if isinstance(each, _Regex)}}.values()
compiled = [each.pattern for each in patterns if set(vars(each)) > {{"pattern", "flags"}}]
assert len(patterns) > 30 and 0 < len(compiled) <= 10, compiled
"""


@cache
def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def heavy_after(code: str) -> set[str]:
    """Return the heavy packages among them."""
    return {name.partition(".")[0] for name in loaded_after(code)} & HEAVY


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"numpy", "pandas"} <= heavy_after(COUNTED)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert heavy_after("import eventstudy as es; dir(es); es.__version__") == set()


def test_errors_are_there_without_pandas() -> None:
    assert heavy_after("from eventstudy import errors; errors.EventStudyError") == set()


@pytest.mark.slow
def test_nothing_is_drawn_or_fetched_before_it_is_asked_for() -> None:
    code = (
        "import eventstudy as es; es.Market, es.Events, es.EventStudy, es.MarketModel, es.EventStudyResults"
    )
    assert heavy_after(code).isdisjoint({"matplotlib", "seaborn", "statsmodels", "yfinance"})


def test_a_first_study_loads_what_it_computes_with_alone() -> None:
    loaded = loaded_after(COUNTED)
    assert loaded.isdisjoint({"scipy.stats", "scipy.optimize", "statsmodels", "exchange_calendars", "joblib"})
    assert loaded.isdisjoint({"tqdm", "jinja2", "matplotlib", "seaborn", "yfinance"})


def test_a_first_study_defines_few_dataclasses_and_compiles_few_regular_expressions() -> None:
    loaded_after(COUNTED)


def test_scipy_special_does_not_load_what_numpy_has_for_compilers_and_tests() -> None:
    assert loaded_after(COUNTED).isdisjoint({"numpy.f2py", "numpy.testing"})
    # Where the user has loaded them, or asks for them, they are what they always are.
    asked = "import numpy\nnumpy.testing.assert_equal(numpy.f2py.__name__, 'numpy.f2py')"
    for code in (f"{asked}\nimport eventstudy.distributions", f"import eventstudy.distributions\n{asked}"):
        assert {"numpy.f2py", "numpy.testing", "scipy.special"} <= loaded_after(code)


def test_a_module_that_is_left_out_is_loaded_where_it_is_used() -> None:
    code = """
import numpy
from eventstudy.distributions import _without_loading
with _without_loading(numpy, "testing"):
    from numpy import testing
    import numpy.testing as other
import sys
assert testing is other and "numpy.testing" not in sys.modules and "testing" not in vars(numpy)
testing.assert_equal(1, 1)
assert testing.assert_equal is numpy.testing.assert_equal and numpy.testing is not testing
with _without_loading(numpy, "f2py"):
    numpy.f2py.get_include()
    import numpy.f2py.cfuncs
assert sys.modules["numpy.f2py"] is numpy.f2py and numpy.f2py.get_include()
"""
    assert {"numpy.testing", "numpy.f2py"} <= loaded_after(code)


def test_a_first_figure_loads_matplotlib_alone() -> None:
    loaded = loaded_after(f"{FIRST}import matplotlib\nmatplotlib.use('Agg')\nresults.plot.caar()")
    assert loaded.isdisjoint({"scipy.stats", "statsmodels", "seaborn"})


def test_a_first_study_loads_no_model_test_or_report_that_it_does_not_use() -> None:
    loaded = {name.removeprefix("eventstudy.") for name in loaded_after(COUNTED)}
    assert {"models.linear", "results.study_results"} <= loaded
    assert loaded.isdisjoint({"models.garch", "models.tobit", "models.peer_regressions", "regressions.core"})
    assert loaded.isdisjoint({"inference.registry", "results.pooled.pool", "results.verdict.sentences"})
    assert loaded.isdisjoint({"results.report.content", "html_page", "datasets.official_lists"})
