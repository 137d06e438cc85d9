"""One rule for windows: ``(start, end)`` by position, the headline by default, the event by keyword."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError, WindowError
from eventstudy.results import FittedPool, FittedStudy, ResultsPlotter, window_of

CAPS = dict.fromkeys([f"S{i}" for i in range(8)], 1e9)


def public(of: object) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in dir(of):
        if not name.startswith("_") and callable(getattr(of, name)):
            yield name, getattr(of, name)


METHODS = [
    *(
        pytest.param(f, id=f"{c.__name__}.{n}")
        for c in (es.EventStudyResults, es.PooledResults)
        for n, f in public(c)
    ),
    *(pytest.param(f, id=f"plot.{n}") for n, f in public(ResultsPlotter)),
    *(pytest.param(f, id=f"lab.{n}") for n, f in public(es.lab) if inspect.isfunction(f)),
    *(pytest.param(f, id=f.__name__) for f in (es.event_table, es.compare_models)),
]


@pytest.mark.parametrize("method", METHODS)
def test_signatures(method: Callable[..., object]) -> None:
    parameters = inspect.signature(method).parameters
    names = list(parameters)
    if "start" in names and "end" in names:
        at = names.index("start")
        assert names[at + 1] == "end"
        assert all(parameters[name].default is None for name in ("start", "end"))
        # The window comes after what must be given, and before all that need not.
        needed = [name for name in names[:at] if parameters[name].default is inspect.Parameter.empty]
        assert names[:at] == needed or names[:at] == ["market"]
        rest = [parameters[name] for name in names[at + 2 :]]
        assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in rest)
    assert "event_id" not in names
    assert "window" not in names or method is es.compare_models  # the event window, as of EventStudy
    if "event" in names and method.__name__ != "regression":
        assert parameters["event"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.quick(every=5)
@pytest.mark.parametrize(
    "measure",
    [
        lambda r, *window: r.car(*window),
        lambda r, *window: r.caar(*window),
        lambda r, *window: r.test(*window, tests=["portfolio", "adjusted_bmp"]),
        lambda r, *window: r.recommended(*window),
        lambda r, *window: r.intervals(*window, methods=["t"]),
        lambda r, *window: r.firm_tests(*window, adjust="holm"),
        lambda r, *window: r.value_change(CAPS, *window),
        lambda r, *window: r.cross_section("car ~ x", *window).coefficients,
        lambda r, *window: r.stacked(*window),
        lambda r, *window: pd.DataFrame([vars(r.joint_test(*window))]).astype(str),
        lambda r, *window: r.car_table(*window).sections[0].frame,
        lambda r, *window: r.summary(*window).sections[2].frame,
        lambda r, *window: es.event_table([r], *window).sections[0].frame,
        lambda r, *window: es.lab.placebo(r, *window, n_firms=5).real.to_frame(),
        lambda r, *window: es.lab.power(r, *window).frame,
    ],
)
def test_the_headline_by_default(measure, refit, market) -> None:
    events = [
        {"security": f"S{i}", "date": market.sessions[320], "x": float(i % 5) + i / 7} for i in range(8)
    ]
    results = refit(market, events)
    wanted = measure(results, 0, 1)
    pd.testing.assert_frame_equal(measure(results), wanted)
    pd.testing.assert_frame_equal(measure(results, (0, 1)), wanted)
    pd.testing.assert_frame_equal(measure(results, es.Window(0, 1)), wanted)
    assert not measure(results, -1, 3).equals(wanted)


def test_paths_take_the_whole_window(common) -> None:
    whole = common.spec.window
    assert common.aar().index.tolist() == whole.offsets.tolist()
    assert len(common.aar_table(tests="portfolio").sections[0].frame) == len(whole)
    assert common.plot.car(event="e0").lines[-1].get_xdata().tolist() == whole.offsets.tolist()
    assert common.plot.caar().lines[-1].get_xdata().tolist() == whole.offsets.tolist()


def test_what_is_not_a_window() -> None:
    whole = es.Window(-4, 6)
    assert window_of(whole) == es.Window(0, 1)
    assert window_of(es.Window(-4, 0)) == es.Window(0, 0)
    assert window_of(whole, path=True) == whole
    assert window_of(None, -30, 30) == es.Window(-30, 30)
    for wrong in ("NYT", b"x", 1.5, {0: 1}, object()):
        with pytest.raises(WindowError, match="is not a window"):
            window_of(whole, wrong)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="has no start"):
        window_of(None, None, 1)
    with pytest.raises(RequestError, match="reaches outside"):
        window_of(whole, 0, 7)
    with pytest.raises(WindowError, match="whole number"):
        window_of(whole, [0, 0.5])  # type: ignore[list-item]


def test_an_event_by_id_security_or_label(refit, market) -> None:
    day = market.sessions[300]
    events = [
        {"event_id": "a", "security": "S1", "date": day, "label": "ban"},
        {"event_id": "b", "security": "S2", "date": day, "label": "list"},
        {"event_id": "c", "security": "S3", "date": day, "label": "list"},
    ]
    fitted = refit(market, events).fitted
    assert [fitted.position(event) for event in ("b", "S3", "ban")] == [1, 2, 0]
    with pytest.raises(RequestError, match="list has 2 events; name one with event=, by its id: 'b', 'c'"):
        fitted.position("list")
    with pytest.raises(RequestError, match=r"event= names one event.*\['a'\]"):
        fitted.position(["a"])
    with pytest.raises(RequestError, match="No event 'S9'; the ids are 'a', 'b', 'c'"):
        fitted.position("S9")


def test_the_fitted_events_are_public(common, distinct, refit, market) -> None:
    assert isinstance(common.fitted, FittedStudy)
    pd.testing.assert_frame_equal(common.fitted.cars(es.Window(0, 1)), common.car(0, 1).loc[:, "car":])
    other = refit(market, [{"security": "S0", "date": market.sessions[210]}])
    pooled = es.pool({"some": distinct, "other": other})
    assert isinstance(pooled.fitted, FittedPool)
    assert pooled.fitted.index.tolist() == pooled.car().index.tolist()
