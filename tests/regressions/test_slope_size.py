"""The table of sizes of slopes: what the library does holds, and the script makes such numbers."""

from __future__ import annotations

import runpy
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "slope_size.py"))
TABLE = pd.read_csv(ROOT / "docs" / "data" / "slope_size.csv").set_index(["design", "method"])["rate"]
OURS = ("HC3, Bell-McCaffrey t", "CR2, Bell-McCaffrey t")


def test_slopes_of_the_library_keep_their_size():
    own = TABLE[TABLE.index.get_level_values("method").isin(OURS)]
    assert list(own.index.get_level_values("design")) == [name for name, _ in SCRIPT["designs"]()]
    high = own[own > 0.065]
    assert high.index.get_level_values("design").tolist() == ["category of 5 of 60, log-normal errors"]
    assert high.max() < 0.1


def test_the_usual_t_does_not():
    assert TABLE["category of 2 of 300", "HC1, t(N - k)"] > 0.3
    assert TABLE["category of 2 of 60", "HC3, t(N - k)"] > 0.15
    assert TABLE["4 dates, varies by date", "CR1, t(G - 1)"] > 0.15


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in SCRIPT["designs"]()])
def test_the_script_makes_such_numbers(name):
    draw = dict(SCRIPT["designs"]())[name]
    rng = np.random.default_rng([SCRIPT["SEED"] + 1, zlib.crc32(name.encode())])
    made = (pd.DataFrame([draw(rng) for _ in range(300)]) <= SCRIPT["LEVEL"]).mean()
    stored = TABLE[name]
    error = np.sqrt(stored * (1 - stored) * (1 / 300 + 1 / 4000))
    assert (abs(made - stored) < 4 * error + 0.01).all()
