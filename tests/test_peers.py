"""The stored table of other packages: complete, as fast as the pages say, every difference explained."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
TABLE = pd.read_csv(ROOT / "docs" / "data" / "peers.csv").set_index("package")
PACKAGES = ["eventstudy", "ffjr-eventstudies", "easy-es", "event-study-toolkit", "robust-eventstudy"]
BARE = ["statsmodels", "polars-ols"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return runpy.run_path(str(ROOT / "benchmarks" / "peers.py"))


def test_the_table_holds_the_versions_that_the_script_pins(script: dict[str, Any]) -> None:
    pins = {peer.name: peer.pins[0] for peer in script["PEERS"]}
    assert [*pins] == PACKAGES + BARE
    assert list(TABLE.index) == ["this: fit()", "this: few tests", "this: all tests", *PACKAGES, *BARE]
    assert TABLE.loc[[*pins], "reason"].to_list() == [peer.reason for peer in script["PEERS"]]
    assert {name: f"{name}=={TABLE.loc[name, 'version']}" for name in pins} == pins
    assert TABLE["bare"].to_dict() == {name: name in BARE for name in TABLE.index}
    pd.to_datetime(TABLE["measured"], format="%Y-%m-%d")


def test_fit_and_all_tests_are_ahead_of_every_package() -> None:
    fastest = TABLE.loc[PACKAGES, "ms_per_event"].min()
    assert TABLE.loc["eventstudy", "events"] == TABLE.loc["this: fit()", "events"] == 5000
    assert fastest / TABLE.loc["this: fit()", "ms_per_event"] >= 20
    assert fastest / TABLE.loc["this: all tests", "ms_per_event"] > 1
    np.testing.assert_allclose(TABLE["ms_per_event"], 1000 * TABLE["study"] / TABLE["events"], rtol=2e-3)


def test_every_difference_is_explained() -> None:
    others = TABLE.loc[PACKAGES + BARE]
    assert (others["explained"] < 1e-10).all()
    assert (others.loc[BARE, "car_difference"] < 1e-10).all()
    assert (others.loc[BARE, "reason"] == "rounding").all()
    apart = others.loc[PACKAGES, ["car_difference", "statistic_difference", "p_difference"]].max(axis=1)
    assert (apart > 1e-4).all()
    assert others.loc[PACKAGES, "reason"].str.len().min() > 40


def test_a_package_that_cannot_be_installed_is_said_in_the_table(
    script: dict[str, Any], tmp_path: Path
) -> None:
    peer = script["Peer"]("none", ("none==0.0",), "t", "never read")
    failing = script["row_of"].__globals__
    failing["environment"] = lambda *_: (_ for _ in ()).throw(OSError("no such version"))
    row = script["row_of"](peer, None, tmp_path, lambda n: {}, 10)
    assert row["reason"] == "not measured: no such version"
    assert "study" not in row
