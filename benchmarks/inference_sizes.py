"""Sizes of procedures outside the registry of tests, and of weights that the lead table does not hold.

Run ``python benchmarks/inference_sizes.py`` to make ``docs/data/inference_sizes.csv`` anew; with
``--procedures NAME ...`` some of its rows. Samples are those of ``lead_table.py`` with other seeds: market
model, estimation window (-250, -30), day 0 tested, and in simulated worlds (normal, t(4) and chi-square(4)
errors) standard deviations of 1 to 3% and a correlation of 0.10 on one date. `rate` is the share of samples
in which a procedure rejects a true null at 5%, or its 95% interval misses it; `power` is the share with an
effect: of 1% for the two portfolios, of a doubled variance of the first half for the two tests of spread.
The panels of the two markets are read from ``../shared/data/panels`` beside the checkout; where they are
absent their rows stay as they are.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from lead_table import LEVEL, PANELS, ROOT, SEED, WINDOWS, Cell, placebo, simulated
from scipy import stats

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference import TESTS, Options, TestInput, joint_test
from eventstudy.inference.procedures.differences import variance_difference
from eventstudy.inference.procedures.mean_bootstrap import mean_intervals

TABLE = ROOT / "docs" / "data" / "inference_sizes.csv"
REPLICATIONS, RESAMPLES = 1000, 199
DAY = WINDOWS[0]
MARKETS = ("sp500", "a_share")
Found = dict[str, tuple[bool, bool | None]]


def changed(made: AbnormalReturns, factor: float | np.ndarray, effect: float = 0.0) -> TestInput:
    """Return day 0 with its abnormal returns multiplied, and an effect added."""
    ar, cols = made.ar.copy(), made.columns(DAY)
    ar[:, cols] = factor * ar[:, cols] + effect
    return TestInput(replace(made, ar=ar), DAY)


def portfolios(made: AbnormalReturns, seed: int) -> Found:
    """Equal weights, and those of generalised least squares."""
    scenes = changed(made, 1.0), changed(made, 1.0, 0.01)
    return {
        key: tuple(TESTS[key].run(data, Options(seed=seed)).p_value <= LEVEL for data in scenes)
        for key in ("portfolio", "gls_portfolio")
    }


def intervals(made: AbnormalReturns, seed: int) -> Found:
    """95% intervals of the mean by drawn events, and by the spread of the events."""
    options = Options(seed=seed, n_resamples=999)
    frame = mean_intervals(changed(made, 1.0), ["bca", "cross_sectional"], 0.95, options)
    return {row.method: (not row.ci_low <= 0.0 <= row.ci_high, None) for row in frame.itertuples()}


def joint(made: AbnormalReturns, seed: int) -> Found:
    """Hotelling's F by its distribution and among drawn days, and the mean among drawn days."""
    found = joint_test(changed(made, 1.0), n_resamples=RESAMPLES, seed=seed)
    ps = {"F": found.p_value, "F resampled": found.p_resampled, "mean resampled": found.mean_p_resampled}
    return {name: (p <= LEVEL + 1e-9, None) for name, p in ps.items()}


def spreads(made: AbnormalReturns, seed: int) -> Found:
    """Compare two halves of the events: Brown and Forsythe's t, and the ratio of variances."""
    del seed
    half = made.n_events // 2
    rows = np.arange(made.n_events) < half
    found: dict[str, list[bool]] = {"brown_forsythe": [], "variance ratio": []}
    for factor in (1.0, np.sqrt(2.0)):
        data = changed(made, np.where(rows, factor, 1.0)[:, None])
        first, second = (TestInput(data.abnormal.take(part), DAY) for part in (rows, ~rows))
        p = float(str(variance_difference(first, second, Options())["p_value"]))
        found["brown_forsythe"].append(p <= LEVEL)
        ratio = first.scar.var(ddof=1) / second.scar.var(ddof=1)
        tail = stats.f.cdf(ratio, half - 1, made.n_events - half - 1)
        found["variance ratio"].append(2.0 * min(tail, 1.0 - tail) <= LEVEL)
    return {name: (size, power) for name, (size, power) in found.items()}


@dataclass(frozen=True)
class Procedure:
    """What is run, and the designs it is run on."""

    run: Callable[[AbnormalReturns, int], Found]
    cells: tuple[Cell, ...]


def designs(worlds: tuple[str, ...], dates: str, numbers: tuple[int, ...]) -> tuple[Cell, ...]:
    """Return all combinations."""
    return tuple(Cell(world, dates, n) for world in worlds for n in numbers)


PROCEDURES = {
    "gls_portfolio": Procedure(portfolios, designs(("normal", "t4", *MARKETS), "one", (6, 20, 50))),
    "mean_intervals": Procedure(intervals, designs(("normal", "chi2"), "own", (5, 10, 30, 50))),
    "joint_test": Procedure(joint, designs(("normal", "t4", *MARKETS), "one", (6, 20))),
    "variance_tests": Procedure(
        spreads, designs(("normal", "t4", "chi2"), "own", (10, 30)) + designs(MARKETS, "one", (30,))
    ),
}


def table_of(name: str, cell: Cell, replications: int = REPLICATIONS) -> pd.DataFrame:
    """Simulate one procedure on one design: one row per method."""
    seen: dict[str, list[tuple[bool, bool | None]]] = {}
    for number in range(replications):
        rng = np.random.default_rng([SEED, zlib.crc32(f"{name}-{cell.name}".encode()), number])
        made = placebo(cell, rng) if cell.world in MARKETS else simulated(cell, rng)
        for method, found in PROCEDURES[name].run(made, int(rng.integers(2**31))).items():
            seen.setdefault(method, []).append(found)
    head = {"procedure": name, "world": cell.world, "dates": cell.dates, "events": cell.events}
    rows = []
    for method, found in seen.items():
        size, power = np.array(found, dtype=float).mean(axis=0)
        rows.append(head | {"method": method, "replications": replications, "rate": size, "power": power})
    return pd.DataFrame(rows)


def main() -> None:
    """Make the table, a design at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--procedures", nargs="*", default=list(PROCEDURES), choices=list(PROCEDURES))
    asked = parser.parse_args()
    table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame()
    for name in asked.procedures:
        for cell in PROCEDURES[name].cells:
            if cell.world in MARKETS and not PANELS.is_dir():
                print(f"{name} {cell.name}: no panel, its rows stay")
                continue
            if len(table):
                own = [name, cell.world, cell.dates, cell.events]
                table = table[(table[["procedure", "world", "dates", "events"]] != own).any(axis=1)]
            table = pd.concat([table, table_of(name, cell)], ignore_index=True)
            order = {key: i for i, key in enumerate((*PROCEDURES, "normal", "t4", "chi2", *MARKETS))}
            table = table.sort_values(
                ["procedure", "world", "dates", "events"],
                key=lambda column: column.map(order) if column.name in ("procedure", "world") else column,
                kind="stable",
            )
            table.round(4).to_csv(TABLE, index=False)
            print(name, cell.name, flush=True)


if __name__ == "__main__":
    main()
