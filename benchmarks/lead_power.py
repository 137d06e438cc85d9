"""Whether a test that leads finds as much as the best of all tests that hold their size.

Run ``python benchmarks/lead_power.py`` to make ``docs/data/lead_power.csv`` anew; with ``--designs NAME ...``
some of its designs, as in ``own-6``. Worlds, samples, seeds and windows are those of ``lead_table.py``. Of
each test that applies and, where events share days, claims to survive their correlation: the share of p <= 5%
of a true null. Of those that may hold in every world: the share of true nulls on S&P 500 shares in 2020
(`volatile`), whose days were more volatile than their estimation windows, and the power against effects of
2%, 10% and 50% that are added to day 0 of the same samples. Where events share days, power is that of tests
that may hold in 2020 too, and of those that update their volatility. A test may hold if the 95% interval of
its size does not lie above 7%. Dates of their own do not all fall into such a year, so there the limit in
2020 is 10%, and powers are measured whether or not it is kept. Of 2020 there are 300 samples, and 2,000 for
tests that may hold by these or update their volatility; of all else 300, and more in the cells of `SETTLED`.
Windows of several days follow the tests that may hold on day 0. The panels of the two markets are read from
``../shared/data/panels`` beside the checkout; where they are absent their rows stay as they are.
"""

from __future__ import annotations

import argparse
import zlib
from functools import lru_cache

import numpy as np
import pandas as pd
from lead_table import (
    AGAINST,
    CELLS,
    LEVEL,
    PANELS,
    RESAMPLES,
    ROOT,
    SEED,
    VOLATILE,
    WINDOWS,
    Cell,
    lower_end,
    placebo,
    simulated,
    with_returns,
)

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.procedures.lead import DROPPED, HELD, UPDATED
from eventstudy.windows import Window

TABLE = ROOT / "docs" / "data" / "lead_power.csv"
SAMPLES = 300
DAY = WINDOWS[0]
EVER, YEAR = "2000-01-01", "2020-01-01"
MARKETS = ("sp500", "a_share")
KEYS = ["world", "dates", "events", "window", "test"]
#: Its splits are drawn where dates or days differ, and so is a likelihood maximised: each costs more than all
#: others.
SLOW = ("nguyen_wolf", "garch_t")


#: Cells where 300 samples leave open whether another test finds more than five points more than the lead.
SETTLED = {
    **dict.fromkeys([("own", 6, "(0, +1)"), ("own", 10, "(-1, +1)"), ("own", 10, "(-5, +5)")], 1000),
    **dict.fromkeys([("own", 20, "(-5, +5)"), ("three", 6, "(-1, +1)")], 1000),
    **dict.fromkeys([("late", 50, "(0, +1)"), ("late", 50, "(-1, +1)")], 1000),
    ("late", 6, "(-1, +1)"): 3000,
}


def keys_of(cell: Cell) -> list[str]:
    """Choose the tests that may hold on day 0 of a cell."""
    keys = [key for key in TESTS if key not in SLOW]
    if cell.dates == "own":
        return keys
    keys = [key for key in keys if "cross-correlation" in TESTS[key].robust_to]
    return [*keys, "nguyen_wolf"] if cell.dates == "one" else keys


def sample(cell: Cell, number: int, since: str = EVER) -> tuple[AbnormalReturns, Options]:
    """Draw one replication, and the options of its tests."""
    rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number])
    made = placebo(cell, rng, since) if cell.world in MARKETS else simulated(cell, rng)
    return made, Options(n_resamples=RESAMPLES, seed=int(rng.integers(2**31)))


@lru_cache(maxsize=1)
def samples(cell: Cell, window: Window, n: int, since: str) -> list[tuple[TestInput, Options]]:
    """Draw the replications of a cell: what the tests see of a window."""
    drawn = (sample(cell, number, since) for number in range(n))
    return [(TestInput(made, window), options) for made, options in drawn]


def with_effect(data: TestInput, effect: float) -> TestInput:
    """Add an effect to day 0."""
    ar = data.abnormal.ar.copy()
    ar[:, data.abnormal.columns(DAY)] += effect
    return with_returns(data, ar)


def shares(
    cell: Cell, window: Window, keys: list[str], effect: float = 0.0, since: str = EVER, n: int = SAMPLES
) -> pd.DataFrame:
    """Share of samples that each test rejects, and the number of samples that it applies to."""
    p = np.empty((n, len(keys)))
    for row, (null, options) in zip(p, samples(cell, window, n, since), strict=True):
        data = with_effect(null, effect) if effect else null
        row[:] = [TESTS[key].run(data, options).p_value for key in keys]
    applied = (~np.isnan(p)).sum(axis=0)
    rejected = (p <= LEVEL + 1e-9).sum(axis=0)
    return pd.DataFrame({"share": rejected / np.where(applied, applied, np.nan), "n": applied}, index=keys)


def may_hold(share: pd.Series, n: pd.Series | int, limit: float = HELD) -> list[str]:
    """List the tests the 95% interval of whose size does not lie above a limit in any row."""
    most = lower_end(share, n).groupby(level="test").max()
    return [key for key in TESTS if most.get(key, 1.0) <= limit]


def rows_of(
    dates: str, events: int, window: Window, known: pd.DataFrame, followed: list[str] | None = None
) -> pd.DataFrame:
    """Simulate one window of a design in all worlds; those that cannot be drawn keep the known rows."""
    cells = [cell for cell in CELLS.values() if (cell.dates, cell.events) == (dates, events)]
    drawn = [cell for cell in cells if cell.world not in MARKETS or PANELS.is_dir()]
    n = SETTLED.get((dates, events, str(window)), SAMPLES)
    parts = [] if len(drawn) == len(cells) else [known[known["world"].isin(MARKETS)].set_index("test")]
    for cell in drawn:
        null = shares(cell, window, followed or keys_of(cell), n=n).dropna().rename_axis("test")
        head = {"world": cell.world, "dates": dates, "events": events, "window": str(window)}
        parts.append(pd.DataFrame({"replications": null["n"], "size": null["share"]}).assign(**head))
    out = pd.concat(parts)
    keys = may_hold(out["size"], out["replications"])
    made = out.set_index("world", append=True)
    for cell in drawn:
        # One year does not hold the dates of fifty events.
        if cell.world == "sp500" and (dates != "own" or events < 50):
            limit = DROPPED if dates == "own" else HELD
            share = shares(cell, window, keys, since=YEAR)["share"].rename_axis("test")
            likely = [key for key in keys if key in may_hold(share, SAMPLES, limit) or key in UPDATED]
            share.update(shares(cell, window, likely, since=YEAR, n=VOLATILE)["share"])
            made.loc[[(key, cell.world) for key in keys], "volatile"] = share.to_numpy()
            if dates != "own":
                held = may_hold(share, VOLATILE)
                keys = [key for key in keys if key in held or key in UPDATED]
    for cell in drawn:
        for effect in AGAINST:
            share = shares(cell, window, keys, effect, n=n)["share"]
            made.loc[[(key, cell.world) for key in keys], f"power_{round(100 * effect)}"] = share.to_numpy()
    return made.reset_index()


def main() -> None:
    """Make the table, a design at a time."""
    designs = {f"{cell.dates}-{cell.events}": (cell.dates, cell.events) for cell in CELLS.values()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--designs", nargs="*", default=list(designs))
    asked = parser.parse_args()
    table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=KEYS)
    place = {str(key): i for i, key in enumerate((*CELLS, *WINDOWS, *TESTS))}
    for name in asked.designs:
        dates, events = designs[name]
        here = (table["dates"] == dates) & (table["events"] == events)
        known = table[here]
        made = [rows_of(dates, events, DAY, known[known["window"] == str(DAY)])]
        held = set(made[0].dropna(subset="power_2")["test"]).difference(SLOW)
        followed = [key for key in TESTS if key in held]
        made += [rows_of(dates, events, w, known[known["window"] == str(w)], followed) for w in WINDOWS[1:]]
        table = pd.concat([table[~here], *made])
        cell = table["world"] + "-" + table["dates"] + "-" + table["events"].astype(str)
        order = np.lexsort([column.map(place) for column in (table["test"], table["window"], cell)])
        table = table.iloc[order].reset_index(drop=True)[
            [*KEYS, "replications", "size", "volatile", *(f"power_{round(100 * e)}" for e in AGAINST)]
        ]
        table.round(4).to_csv(TABLE, index=False)
        print(name, flush=True)


if __name__ == "__main__":
    main()
