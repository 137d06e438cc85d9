"""Results of many small designs are what they were.

A stored number does not prove itself right: it is there so that a change is noticed. What is right is
checked elsewhere, against closed forms, the plain oracle, other packages and published numbers. After a
change that is meant, ``python tests/pinned/write.py`` stores the results anew and says what differs: read it
before you commit it.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from pinned_designs import Design, designs, outcome
from pinned_file import as_texts, differences, read

STORED = read()
DESIGNS = designs()


def each_design() -> list[object]:
    """Each design, skipped where a package is missing."""
    needs = {"ElasticNet": "sklearn", "GARCH": "arch", "garch": "arch"}
    return [
        pytest.param(
            design,
            id=name,
            marks=[
                pytest.mark.skipif(find_spec(package) is None, reason=f"needs {package}")
                for part, package in needs.items()
                if part in name
            ],
        )
        for name, design in DESIGNS.items()
    ]


#: Designs that told mutants from the library: see docs/contributing/mutation.md.
KILLERS = (
    "autocorrelated MarketModel(missing='drop', hac_lags=None, lags=()) [61, 62]",
    "bars 160 past",
    "bars between exclude",
    "bars between first",
    "bars one (-4, 8) 0.0",
    "bars together (0, 0) 0.1",
    "end of data 128",
    "equal means of dates",
    "estimation dates",
    "estimation none",
    "estimation short 6",
    "groups a group missing",
    "groups one alone missing",
    "layout one",
    "layout two scattered",
    "listed at 61",
    "missing window lumped",
    "model ElasticNetModel(peers=None, l1_ratio=0.5, benchmark=True) early",
    "model MatchedPortfolio(peers=('S6', 'S7'), weights={'S6': 3.0, 'S7': 1.0}) early",
    "model RollingMarketModel(window=10)",
    "model RollingMarketModel(window=12) least 13",
    "model RollingMarketModel(window=12) no estimation",
    "model SyntheticPeers(peers=None) early",
    "own both sides",
    "own dates",
    "own filtered 1",
    "own second from -20",
    "own window -2 -1",
    "own window 0 -1",
    "single garch",
    "sweep 19 events, raw",
    "twins",
    "unknown S0.US",
    "unknown ^GSPC",
    "window (1, 5)",
)


@pytest.mark.quick(*KILLERS, every=192)
@pytest.mark.parametrize("design", each_design())
def test_results_are_what_they_were(design: Design) -> None:
    found = list(differences(STORED[design.name], as_texts(outcome(design)), design.digits))
    assert not found, "\n".join(found[:20])


#: Parts so small that six events, and a hundred draws, take several.
PARTS = {
    "lazy.CHUNK": 2,
    "inference.engine.residual_pass.FEW": 1,
    "inference.dependence.pairs.CHUNK": 2,
    "inference.dependence.pairs.ROWS": 2,
    "inference.dependence.pairs.COLUMNS": 5,
    "inference.engine.draws.HELD": 500,
}
IN_PARTS = [
    name
    for name in DESIGNS
    if name.startswith(("layout again", "layout mixed", "missing half", "groups s", "sweep 9 d"))
]


@pytest.mark.quick("layout again scattered", every=3)
@pytest.mark.parametrize("name", IN_PARTS)
def test_results_do_not_depend_on_the_size_of_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, size in PARTS.items():
        monkeypatch.setattr(f"eventstudy.{place}", size)
    found = list(differences(STORED[name], as_texts(outcome(DESIGNS[name])), DESIGNS[name].digits))
    assert not found, "\n".join(found[:20])


def test_each_stored_design_is_still_there() -> None:
    # Made again: models are then made while a test runs.
    assert list(STORED) == list(designs())


def test_differences_are_seen() -> None:
    tables = {"a": {"x": ["1", "2", "-"], "reason": ["too few"]}}
    changed = {"a": {"x": ["1.0000000001", "2.00000001", "0"], "reason": ["too many"]}, "b": {}}
    assert list(differences(tables, changed, 9)) == [
        "a, x, row 1: 2, now 2.00000001",
        "a, x, row 2: -, now 0",
        "a, reason, row 0: too few, now too many",
        "b: not there before",
    ]
    assert list(differences(tables, {"a": {"x": ["1", "2"]}}, 9)) == [
        "a, x: 3 rows, now 2", "a, reason: 1 rows, now 0",
    ]  # fmt: skip
