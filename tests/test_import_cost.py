"""`import eventstudy` stays cheap because it imports none of its heavy dependencies.

Seconds are measured by benchmarks/import_time.py; which modules are loaded is a fact a test can hold.
"""

from __future__ import annotations

import json
import subprocess
import sys

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


def heavy_after(code: str) -> set[str]:
    """Return the heavy packages that a fresh interpreter has loaded after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout)} & HEAVY


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"numpy", "pandas"} <= heavy_after("import pandas")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert heavy_after("import eventstudy as es; dir(es); es.__version__") == set()


def test_errors_are_there_without_pandas() -> None:
    assert heavy_after("from eventstudy import errors; errors.EventStudyError") == set()


def test_nothing_is_drawn_or_fetched_before_it_is_asked_for() -> None:
    code = (
        "import eventstudy as es; es.Market, es.Events, es.EventStudy, es.MarketModel, es.EventStudyResults"
    )
    assert heavy_after(code).isdisjoint({"matplotlib", "seaborn", "statsmodels", "yfinance"})
