"""Whether a test that leads finds as much as the best of all tests that hold their size.

Run ``python benchmarks/lead_power.py`` to make ``docs/data/lead_power.csv`` anew; with ``--cells NAME ...``
some of its cells. Cells, samples and seeds are those of ``lead_table.py``; day 0 is the tested window. Of
each test that applies and, where events share days, claims to survive their correlation: the share of
p <= 5% of a true null, and of effects of 2%, 10% and 50% that are added to the same samples. On S&P 500
shares also the share of true nulls of 2020, whose days were more volatile than their estimation windows
(`volatile`), and the power of the window (-5, +5) against an effect of 50% on day 0 (`long_50`). The panels
of the two markets are read from ``../shared/data/panels`` beside the checkout; where they are absent their
rows stay as they are.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
from lead_table import CELLS, LEVEL, PANELS, RESAMPLES, ROOT, SEED, SPAN, WINDOWS, Cell, placebo, simulated

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.windows import Window

TABLE = ROOT / "docs" / "data" / "lead_power.csv"
SAMPLES = 300
DAY = WINDOWS[0]
SCENES = {"size": (0.0, DAY), "power_2": (0.02, DAY), "power_10": (0.10, DAY), "power_50": (0.50, DAY)}
EVER, VOLATILE = "2000-01-01", "2020-01-01"
#: Its splits are drawn where dates differ, and so is a likelihood maximised: each costs more than all others.
SLOW = ("nguyen_wolf", "garch_t")


def keys_of(cell: Cell) -> list[str]:
    """Choose the tests that may hold in a cell."""
    keys = [key for key in TESTS if key not in SLOW]
    if cell.dates == "own":
        return keys
    keys = [key for key in keys if "cross-correlation" in TESTS[key].robust_to]
    return [*keys, "nguyen_wolf"] if cell.dates == "one" else keys


def rejections(data: TestInput, keys: list[str], options: Options) -> pd.Series:
    """Whether each test rejects; NaN where it does not apply."""
    p = pd.Series({key: TESTS[key].run(data, options).p_value for key in keys})
    return (p <= LEVEL + 1e-9).astype(float).where(p.notna())


def sample(cell: Cell, number: int, since: str = EVER) -> tuple[AbnormalReturns, Options]:
    """Draw one replication, and the options of its tests."""
    rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number])
    market = cell.world in ("sp500", "a_share")
    made = placebo(cell, rng, since) if market else simulated(cell, rng)
    return made, Options(n_resamples=RESAMPLES, seed=int(rng.integers(2**31)))


def with_effect(made: AbnormalReturns, effect: float, window: Window) -> TestInput:
    """Return what the tests see of a window, an effect being added to day 0."""
    ar = made.ar.copy()
    ar[:, made.columns(DAY)] += effect
    return TestInput(replace(made, ar=ar), window)


def table_of(cell: Cell, samples: int = SAMPLES) -> pd.DataFrame:
    """Simulate one cell: one row per test, shares in columns."""
    keys, sp500 = keys_of(cell), cell.world == "sp500"
    scenes = SCENES | ({"long_50": (0.50, SPAN)} if sp500 else {})
    found: dict[str, list[pd.Series]] = {name: [] for name in (*scenes, "volatile")}
    for number in range(samples):
        made, options = sample(cell, number)
        for name, (effect, window) in scenes.items():
            found[name].append(rejections(with_effect(made, effect, window), keys, options))
        # One year does not hold the dates of fifty events.
        if sp500 and not (cell.dates == "own" and cell.events == 50):
            made, options = sample(cell, number, VOLATILE)
            found["volatile"].append(rejections(TestInput(made, DAY), keys, options))
    share = pd.DataFrame({name: pd.DataFrame(rows).mean() for name, rows in found.items() if rows})
    head = {"world": cell.world, "dates": cell.dates, "events": cell.events}
    share.insert(0, "replications", pd.DataFrame(found["size"]).notna().sum())
    out = share.dropna(subset="size").rename_axis("test").reset_index()
    return out.assign(**head)[[*head, *out.columns]]


def main() -> None:
    """Make the table, a cell at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", nargs="*", default=list(CELLS))
    asked = parser.parse_args()
    table, names = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(), list(CELLS)
    for name in asked.cells:
        cell = CELLS[name]
        if cell.world in ("sp500", "a_share") and not PANELS.is_dir():
            print(f"{name}: no panel, its rows stay")
            continue
        made = table_of(cell)
        if len(table):
            own = [cell.world, cell.dates, cell.events]
            made = pd.concat([table[(table[["world", "dates", "events"]] != own).any(axis=1)], made])
        cells = made[["world", "dates", "events"]].itertuples(index=False, name=None)
        place = [names.index(Cell(*row).name) for row in cells]
        table = made.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)
        table.round(4).to_csv(TABLE, index=False)
        print(name, flush=True)


if __name__ == "__main__":
    main()
