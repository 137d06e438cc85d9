"""Every public method of results and of their figures refuses what makes no sense, in words.

The walk finds methods and parameters on its own, so one that is added is walked too.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import EventStudyError

pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")

WRONG: tuple[Any, ...] = (
    None, 5, -1.5, "x", [], {}, object(), np.nan, ["g"], b"x", np.ones, True, (1, 2, 3), pd.DataFrame(),
)  # fmt: skip
#: What a method needs before one of its arguments can be wrong, and what makes it quick.
NEEDED: dict[str, dict[str, Any]] = {
    "credibility": {"effect": 0.02},
    "cross_section": {"formula": "car ~ size"},
    "group_tests": {"by": "group"},
    "regression": {"event": 0},
    "report": {"path": "page.md", "brief": True},
    "save": {"folder": "stored"},
    "sort_by": {"column": "size", "quantiles": 2},
    "to_stata": {"path": "panel.dta"},
    "value_change": {"market_cap": 1.0},
    "variance_tests": {"by": "group"},
    "window_tests": {"windows": [(0, 0), (0, 1)]},
}
VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _study(days: slice) -> es.EventStudyResults:
    rng = np.random.default_rng(0)
    sessions = pd.bdate_range("2018-01-01", periods=260)
    index = 0.01 * rng.standard_normal(260)
    returns = {f"S{i}": index + 0.01 * rng.standard_normal(260) for i in range(3)}
    prices = 100 * np.exp(pd.DataFrame(returns | {"IX": index}, sessions).cumsum())
    events = [
        {"security": f"S{i % 3}", "date": sessions[150 + 25 * i], "size": float(i), "group": "ab"[i % 2]}
        for i in range(4)
    ]
    market = es.Market.from_prices(prices, benchmark="IX")
    return es.EventStudy(market, events[days], estimation=(-60, -11), window=(-2, 3)).fit()


@pytest.fixture(scope="module")
def results() -> es.EventStudyResults:
    return _study(slice(None))


@pytest.fixture(scope="module")
def pooled() -> es.PooledResults:
    return es.pool({"first": _study(slice(0, 2)), "second": _study(slice(2, 4))})


def _public(of: type) -> list[str]:
    """Name the public methods of a class."""
    names = [name for name in dir(of) if not name.startswith("_")]
    return [name for name in names if callable(getattr(of, name))]


def _walk(call: Callable[..., object], needed: dict[str, Any]) -> int:
    """Give each parameter each wrong value, and count the calls."""
    n = 0
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in VARIADIC:
            continue
        for wrong in WRONG:
            try:
                call(**{**needed, parameter.name: wrong})
            except EventStudyError:
                pass
            except Exception as error:
                raise AssertionError(
                    f"{call.__name__}({parameter.name}={wrong!r}) raised {error!r}"
                ) from error
            finally:
                plt.close("all")
            n += 1
    return n


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.quick(every=5)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "report" else name
        for name in _public(es.EventStudyResults)
    ],
)
def test_results(results: es.EventStudyResults, name: str) -> None:
    call = getattr(results, name)
    assert _walk(call, NEEDED.get(name, {})) == len(WRONG) * len(inspect.signature(call).parameters)


@pytest.mark.parametrize("name", sorted(set(_public(es.PooledResults)) - set(_public(es.EventStudyResults))))
def test_pools(pooled: es.PooledResults, name: str) -> None:
    _walk(getattr(pooled, name), NEEDED.get(name, {}))


@pytest.mark.quick(every=9)
@pytest.mark.parametrize("name", _public(es.results.ResultsPlotter))
def test_figures(results: es.EventStudyResults, name: str) -> None:
    call = getattr(results.plot, name)
    parameters = inspect.signature(call).parameters
    needed = {"event": 0} if "event" in parameters else {"security": "S0"} if "security" in parameters else {}
    assert _walk(call, needed) >= len(WRONG)


@pytest.mark.quick(every=5)
@pytest.mark.parametrize("wrong", [wrong for wrong in WRONG if not isinstance(wrong, str)])
def test_what_takes_results_or_files(results: es.EventStudyResults, wrong: Any) -> None:
    calls = [
        lambda: es.load(wrong),
        lambda: es.pool(wrong),
        lambda: es.event_table(wrong),
        lambda: es.event_table([results], names=wrong),
        lambda: es.event_table([results], wrong),
        lambda: results.summary().to_excel(wrong),
        lambda: results.summary().to_text(wrong),
    ]
    for call in calls:
        with contextlib.suppress(EventStudyError):
            call()
