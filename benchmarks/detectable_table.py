"""Whether the effects that tests say they would find with probability 0.8 are found so often.

Run ``python benchmarks/detectable_table.py`` to make ``docs/data/detectable_table.csv`` anew, in about ten
minutes; with ``--cells NAME ...`` some of its cells. An insignificant test states a minimum detectable
effect. Of each test and design the effect is the median of what it states in samples without one; it is then
added to day 0 of others (of each event alike), and the share that the test rejects is its power there. A
design is a number of events, on dates of their own or on one with a correlation of 0.15, with standard
deviations of 2%, or of 1 to 3%; errors are normally distributed. Estimation window (-250, -30), market
model. `silent` is the share of insignificant results that state no effect.
"""

from __future__ import annotations

import argparse
import math
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, HeldWindows, abnormal_returns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.power_and_detectable_effect import with_detectable
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

TABLE = Path(__file__).parents[1] / "docs" / "data" / "detectable_table.csv"
SEED, LEVEL, RESAMPLES = 20190522, 0.05, 999
STATED, TRIED = 150, 400
ESTIMATION, SPAN, DAY = Window(-250, -30), Window(-1, 1), Window(0, 0)
CORRELATION = 0.15
STATEMENT = re.compile(r"CAR of (at least )?(\d+\.\d+)% would be found with probability 0\.8")
#: Takes a fit by likelihood for each sample.
SLOW = ("garch_t",)


@dataclass(frozen=True)
class Cell:
    """A number of events, how their dates lie, and whether their volatilities differ."""

    events: int
    dates: str
    unequal: bool

    @property
    def name(self) -> str:
        """Name of the cell, from which its seeds are made."""
        return f"{self.dates}-{self.events}-{'unequal' if self.unequal else 'equal'}"


CELLS = {
    cell.name: cell
    for cell in (
        Cell(1, "own", False),
        *(
            Cell(n, dates, unequal)
            for dates in ("own", "one")
            for n in (2, 3, 6, 20, 50)
            for unequal in (False, True)
        ),
    )
}


def sample(cell: Cell, rng: np.random.Generator) -> AbnormalReturns:
    """Draw events without an effect."""
    n, width = cell.events, SPAN.end - ESTIMATION.start + 1
    apart = np.arange(n) * (0 if cell.dates == "one" else len(SPAN))
    at = apart[:, None] + np.arange(width)
    market = 0.01 * rng.standard_normal(at.max() + 1)[at]
    own, shock = rng.standard_normal(at.shape), rng.standard_normal(at.max() + 1)[at]
    shared = CORRELATION if cell.dates == "one" else 0.0
    errors = math.sqrt(shared) * shock + math.sqrt(1.0 - shared) * own
    sigma = np.linspace(0.01, 0.03, n)[:, None] if cell.unequal else 0.02
    returns = 0.0003 + np.linspace(0.6, 1.4, n)[:, None] * market + sigma * errors
    past, event = slice(0, len(ESTIMATION)), slice(SPAN.start - ESTIMATION.start, None)
    gap = slice(past.stop, event.start)
    dates = np.datetime64("2000-01-01") + at
    arrays = EventArrays(
        y_est=returns[:, past],
        y_evt=returns[:, event],
        x_est=market[:, past, None],
        x_evt=market[:, event, None],
        span_evt=np.ones((n, len(SPAN)), dtype=int),
        dates_est=dates[:, past],
        dates_evt=dates[:, event],
    )
    fit = es.MarketModel().fit(arrays)
    left = returns[:, gap] - fit.params[:, :1] - fit.params[:, 1:] * market[:, gap]
    between = HeldWindows(left, np.zeros_like(left), dates[:, gap])
    return replace(abnormal_returns(arrays, fit, SPAN), between=between, day0=at[:, -ESTIMATION.start])


def shifted(made: AbnormalReturns, effect: float) -> TestInput:
    """Day 0 of the events, with an effect."""
    ar = made.ar.copy()
    ar[:, -SPAN.start] += effect
    return TestInput(replace(made, ar=ar), DAY)


def table_of(cell: Cell, stated: int = STATED, tried: int = TRIED) -> pd.DataFrame:
    """Simulate one cell: one row per test that states an effect."""

    def generator(stage: int, number: int) -> np.random.Generator:
        return np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), stage, number])

    keys = [key for key, test in TESTS.items() if test.unit and key not in SLOW]
    told: dict[str, list[tuple[float, bool]]] = {key: [] for key in keys}
    silent: dict[str, int] = dict.fromkeys(keys, 0)
    for number in range(stated):
        data = shifted(sample(cell, generator(0, number)), 0.0)
        options = Options(n_resamples=RESAMPLES, seed=number)
        for key in keys:
            found = TESTS[key].run(data, options)
            if not found.p_value > LEVEL:
                continue
            used = TESTS[key].events_of(data)
            assert isinstance(used, TestInput)
            match = STATEMENT.search(with_detectable(TESTS[key], found, used, options).note)
            if match is None:
                silent[key] += 1
            else:
                told[key].append((float(match[2]) / 100.0, match[1] is not None))
    effects = {key: float(np.median([e for e, _ in found])) for key, found in told.items() if found}
    rejected = dict.fromkeys(effects, 0)
    for number in range(tried):
        made = sample(cell, generator(1, number))
        options = Options(n_resamples=RESAMPLES, seed=number)
        for key, effect in effects.items():
            p = TESTS[key].run(shifted(made, effect), options).p_value
            rejected[key] += p <= LEVEL + 1e-9
    head = {"dates": cell.dates, "events": cell.events, "unequal": cell.unequal}
    rows = [
        head
        | {
            "test": key,
            "effect": round(effect, 5),
            "at_least": told[key][0][1],
            "silent": silent[key] / (silent[key] + len(told[key])),
            "power": rejected[key] / tried,
        }
        for key, effect in effects.items()
    ]
    return pd.DataFrame(rows)


def main() -> None:
    """Make the table, a cell at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", nargs="*", default=list(CELLS))
    asked = parser.parse_args()
    table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame()
    for name in asked.cells:
        cell = CELLS[name]
        if len(table):
            own = [cell.dates, cell.events, cell.unequal]
            table = table[(table[["dates", "events", "unequal"]] != own).any(axis=1)]
        table = pd.concat([table, table_of(cell)], ignore_index=True)
        order = {key: i for i, key in enumerate(TESTS)}
        table = table.sort_values(
            ["dates", "events", "unequal", "test"],
            key=lambda column: column.map(order) if column.name == "test" else column,
            kind="stable",
        )
        table.round(4).to_csv(TABLE, index=False)
        print(name, flush=True)


if __name__ == "__main__":
    main()
