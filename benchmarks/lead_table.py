"""Which test leads: size, size under doubled variance, and power by number of events and dates.

Run ``python benchmarks/lead_table.py`` to make ``docs/data/lead_table.csv`` anew, and from it the summary
that ``recommended()`` reads, ``eventstudy/inference/procedures/lead_sizes.csv``; the table of
``lead_power.py`` adds how often tests reject in a volatile year, and their power. With ``--cells NAME ...``
some cells are renewed; with ``--summary`` only the summary is made. A replication has a seed of its own, made
of the name of the cell and a number.

Cells: worlds (normal and t(4) errors, S&P 500 shares 2016 to 2020, A-shares 2017 to 2020) x events x
dates: *one*, *late* (one date, one of the firms is suspended on it and reacts a session later), *three* (far
apart), *overlap* (three dates four sessions apart) and *own*. Simulated errors of one date have a correlation
of 0.10. Estimation window (-250, -30), event window (-5, +5), market model. The panels of the two markets are
read from ``../shared/data/panels`` beside the checkout; where they are absent their rows stay as they are.

Of each cell: the share of p <= 5% of a true null in four windows, of 1,000 replications (3,000 in cells of
`SETTLED`), and, in the first 300, on day 0 with the variance of that day doubled, and with effects of 2% and
10%. The row *interval* is the share of true zeros that the default 95% interval of the mean misses.
"""

from __future__ import annotations

import argparse
import math
import zlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, HeldWindows, abnormal_returns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.filtered_quantile import FilteredDates, filtered_dates
from eventstudy.inference.procedures.lead import LEADS, holds, kind_of_window
from eventstudy.inference.procedures.mean_interval import interval_test
from eventstudy.inference.selection import date_groups
from eventstudy.lazy import recall, remember
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

ROOT = Path(__file__).parents[1]
PANELS = ROOT.parent / "shared" / "data" / "panels"
TABLE, POWER = (ROOT / "docs" / "data" / f"{name}.csv" for name in ("lead_table", "lead_power"))
SUMMARY = ROOT / "eventstudy" / "inference" / "procedures" / "lead_sizes.csv"

SEED, LEVEL, RESAMPLES, REPLICATIONS = 20190522, 0.05, 199, 1000
#: Replications of cells where 1,000 leave open whether a lead holds.
SETTLED = {"sp500-one-20": 3000, "a_share-late-20": 3000, "a_share-late-50": 3000}
#: Replications with an effect or a more volatile day: power and its loss need less precision than size.
CHANGED = 300
#: Samples of 2020 in ``lead_power.py``.
VOLATILE = 2000
INTERVAL = "interval"
ESTIMATION, SPAN = Window(-250, -30), Window(-5, 5)
WINDOWS = (Window(0, 0), Window(0, 1), Window(-1, 1), SPAN)
DAYS = np.arange(ESTIMATION.start, SPAN.end + 1)
WIDTH, FIRST = len(ESTIMATION), SPAN.start - ESTIMATION.start
EFFECTS = (0.02, 0.10)
#: Effects of ``lead_power.py``.
AGAINST = (0.02, 0.10, 0.50)
CORRELATION = 0.10
WORLDS = ("sp500", "a_share", "normal", "t4")
#: Sessions from one of three dates to the next.
APART = {"three": 40, "overlap": 4}
EVENTS = {
    "own": (1, 2, 4, 6, 10, 20, 50),
    "one": (2, 4, 6, 20, 50),
    "late": (6, 20, 50),
    "three": (6, 20, 50),
    "overlap": (6, 20, 50),
}
SINGLE = ("t", "sq", "conformal", "filtered_sq", "filtered_t", "nguyen_wolf")
ALWAYS = (
    "cross_sectional", "adjusted_cross_sectional", "bmp", "adjusted_bmp", "grank_t", "filtered_sq",
    "filtered_t",
)  # fmt: skip
FURTHER = {
    "own": (
        "filtered_rank", "sign", "generalized_sign", "rank", "cumrank_z", "independence", "wild_bootstrap",
        "ibragimov_muller",
    ),
    "one": ("filtered_bmp", "portfolio", "permutation", "nguyen_wolf"),
    "late": ("filtered_bmp", "jaffe"),
    "three": ("filtered_bmp", "jaffe", "wild_bootstrap", "ibragimov_muller"),
    "overlap": ("filtered_bmp", "jaffe"),
}  # fmt: skip
#: Splits of one day are enumerated; drawn ones would cost more than all other tests together. Over several
#: days `rank` does nearly what `cumrank_z` does.
ONE_DAY = ("nguyen_wolf", "rank")


@dataclass(frozen=True)
class Cell:
    """One design in one world."""

    world: str
    dates: str
    events: int

    @property
    def name(self) -> str:
        """Name of the cell, from which its seeds are made."""
        return f"{self.world}-{self.dates}-{self.events}"


CELLS = {
    cell.name: cell
    for world in WORLDS
    for dates, numbers in EVENTS.items()
    for cell in (Cell(world, dates, n) for n in numbers)
}


def first_days(cell: Cell, rng: np.random.Generator, last: int) -> np.ndarray:
    """Day 0 of each event, as a number of sessions from the first possible one."""
    n = cell.events
    if cell.dates in APART:
        apart = APART[cell.dates]
        return rng.integers(last - 2 * apart + 1) + apart * (np.arange(n) % 3)
    if cell.dates == "own":
        # A panel of a few years does not hold more dates whose windows lie apart.
        starts = np.arange(rng.integers(len(SPAN)), last + 1, len(SPAN))
        return rng.choice(starts, n, replace=False)
    day0 = np.full(n, rng.integers(last))
    day0[0] += cell.dates == "late"
    return day0


def draw(rng: np.random.Generator, world: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw errors of mean 0 and variance 1."""
    if world == "normal":
        return rng.standard_normal(shape)
    if world == "t4":
        return rng.standard_t(4, shape) / math.sqrt(2.0)
    return (rng.chisquare(4, shape) - 4.0) / math.sqrt(8.0)


def simulated(cell: Cell, rng: np.random.Generator) -> AbnormalReturns:
    """Draw one replication of a simulated cell."""
    n, sessions = cell.events, 1200
    day0 = first_days(cell, rng, sessions - len(DAYS)) - DAYS[0]
    at = day0[:, None] + DAYS
    market, shock = 0.01 * draw(rng, cell.world, (sessions,)), draw(rng, cell.world, (sessions,))
    own = draw(rng, cell.world, at.shape)
    errors = math.sqrt(CORRELATION) * shock[at] + math.sqrt(1.0 - CORRELATION) * own
    beta, sigma = 0.5 + rng.random((n, 1)), 0.01 + 0.02 * rng.random((n, 1))
    return fitted(cell, 0.0003 + beta * market[at] + sigma * errors, market[at], at)


@cache
def panel(world: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read returns (firms, sessions), the index, which firm can have its day 0 on which session, sessions."""
    index = pq.read_table(PANELS / "indices_daily_2015on.parquet").to_pandas(ignore_metadata=True)
    name = {"sp500": "SP500", "a_share": "CSI300_000300.SH"}[world]
    index = index[index["index"] == name]
    close = pd.Series(index["close"].to_numpy(), pd.to_datetime(index["date"])).sort_index()
    if world == "sp500":
        table = pq.read_table(PANELS / "us_sp500_daily_2016_2020.parquet").to_pandas(ignore_metadata=True)
        prices = table.pivot(index="date", columns="ticker", values="adj_close").sort_index()
        prices.index = pd.to_datetime(prices.index)
        frame = prices.pct_change(fill_method=None).iloc[1:]
    else:
        table = pq.read_table(PANELS / "cn_returns_pct_2017_2020.parquet").to_pandas(ignore_metadata=True)
        frame = table.set_index(pd.to_datetime(table.pop("date"))).astype(float) / 100.0
    market = close.pct_change().reindex(frame.index).to_numpy()
    returns = frame.to_numpy().T.copy()
    returns[:, np.isnan(market)] = np.nan
    market = np.nan_to_num(market)
    known = np.concatenate([np.zeros((len(returns), 1)), np.cumsum(~np.isnan(returns), axis=1)], axis=1)
    day0 = np.arange(-DAYS[0], returns.shape[1] - SPAN.end)
    whole = known[:, day0 + SPAN.end + 1] - known[:, day0 + DAYS[0]]
    usable = np.zeros(returns.shape, dtype=bool)
    # Newly listed shares rise by their limit for days; a year of returns leaves them out.
    usable[:, day0] = whole == len(DAYS)
    return returns, market, usable, frame.index.to_numpy()


def placebo(cell: Cell, rng: np.random.Generator, since: str = "2000-01-01") -> AbnormalReturns:
    """Draw one replication on placebo dates of a panel, day 0 not before a date."""
    returns, market, usable, sessions = panel(cell.world)
    enough = usable.sum(axis=0) >= max(EVENTS["one"])
    days = np.flatnonzero(enough & (sessions >= np.datetime64(since)))
    day0 = days[0] + first_days(cell, rng, days[-1] - days[0])
    firms = np.empty(cell.events, dtype=int)
    for day in np.unique(day0):
        rows = np.flatnonzero(day0 == day)
        firms[rows] = rng.choice(np.flatnonzero(usable[:, day]), len(rows), replace=False)
    at = day0[:, None] + DAYS
    return fitted(cell, returns[firms[:, None], at], market[at], at)


def fitted(cell: Cell, returns: np.ndarray, market: np.ndarray, at: np.ndarray) -> AbnormalReturns:
    """Fit market models to returns laid out by relative day; `at` numbers their sessions."""
    span = np.ones((len(returns), len(SPAN)), dtype=int)
    if cell.dates == "late":
        # The first firm does not trade on the date: two sessions make the return of its own day 0.
        zero = -DAYS[0]
        returns[0, zero] += returns[0, zero - 1]
        market[0, zero] += market[0, zero - 1]
        returns[0, zero - 1] = np.nan
        span[0, -SPAN.start - 1 : -SPAN.start + 1] = 0, 2
    dates = np.datetime64("2000-01-01") + at
    past, event = slice(0, WIDTH), slice(FIRST, None)
    arrays = EventArrays(
        y_est=returns[:, past],
        y_evt=returns[:, event],
        x_est=market[:, past, None],
        x_evt=market[:, event, None],
        span_evt=span,
        dates_est=dates[:, past],
        dates_evt=dates[:, event],
    )
    fit = es.MarketModel().fit(arrays)
    made = abnormal_returns(arrays, fit, SPAN)
    gap = slice(WIDTH, FIRST)
    left = returns[:, gap] - fit.params[:, :1] - fit.params[:, 1:] * market[:, gap]
    between = HeldWindows(left, np.zeros_like(left), dates[:, gap])
    return replace(made, between=between, day0=at[:, -DAYS[0]])


def scenes(made: AbnormalReturns, *, changed: bool) -> dict[tuple[str, Window], TestInput]:
    """Return what the tests see: nothing, and on day 0 doubled variance and two effects."""
    found = {("size", window): TestInput(made, window) for window in WINDOWS}
    if not changed:
        return found
    day = WINDOWS[0]
    cols = made.columns(day)
    changes = {"doubled": (math.sqrt(2.0), 0.0)}
    changes |= {f"power_{round(100 * effect)}": (1.0, effect) for effect in EFFECTS}
    for name, (factor, effect) in changes.items():
        returns = made.ar.copy()
        returns[:, cols] = factor * returns[:, cols] + effect
        found[name, day] = with_returns(found["size", day], returns)
    return found


def with_returns(data: TestInput, returns: np.ndarray) -> TestInput:
    """Return what the tests see of other returns after the same past, with what was made of that past."""
    changed = TestInput(replace(data.abnormal, ar=returns), data.window)
    used, same = changed.with_variance, data.with_variance
    used._readings["dependence"] = dependence(same)
    past = recall(same, "filtered_bmp")
    if past is not None:
        remember(used, "filtered_bmp", past)
    dates = filtered_dates(same)
    if isinstance(dates, FilteredDates):
        caar = np.bincount(date_groups(used), used.car) / np.bincount(date_groups(used))
        remember(used, "filtered_dates", replace(dates, caar=caar))
    return changed


def rejections(cell: Cell, number: int) -> dict[tuple[str, str, str], bool]:
    """Whether each test that applies rejects, by scene, window and test."""
    rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number])
    made = placebo(cell, rng) if cell.world in ("sp500", "a_share") else simulated(cell, rng)
    options = Options(n_resamples=RESAMPLES, seed=int(rng.integers(2**31)))
    found = {}
    for (scene, window), data in scenes(made, changed=number < CHANGED).items():
        for key in SINGLE if cell.events == 1 else (*ALWAYS, *FURTHER[cell.dates]):
            if key in ONE_DAY and len(window) > 1:
                continue
            p = TESTS[key].run(data, options).p_value
            if not math.isnan(p):
                found[scene, str(window), key] = p <= LEVEL + 1e-9
        if scene == "size":
            p = TESTS[interval_test([data])].run(data, options).p_value
            found[scene, str(window), INTERVAL] = p <= LEVEL
    return found


def table_of(cell: Cell, replications: int) -> pd.DataFrame:
    """Simulate one cell: one row a window and test, the shares in columns."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for number in range(replications):
        for place, rejected in rejections(cell, number).items():
            seen = counts.setdefault(place, [0, 0])
            seen[0] += rejected
            seen[1] += 1
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for (scene, window, key), (rejected, n) in counts.items():
        row = rows.setdefault((window, key), {"replications": n})
        row[scene] = rejected / n
    head = {"world": cell.world, "dates": cell.dates, "events": cell.events}
    return pd.DataFrame([head | {"window": w, "test": key} | row for (w, key), row in rows.items()])


def summary(table: pd.DataFrame, power: pd.DataFrame) -> pd.DataFrame:
    """Condense the tables: one row per design, kind of window and test, with what its worst world says.

    `size` is the largest share of a world, `doubled` that with doubled variance, `power_50` the least power
    of a world against 50%. `volatile_low` is the lower end of the 95% interval of the size on S&P 500 shares
    in 2020 where events share days; dates of their own do not all fall into such a year. `lag` is the most,
    over worlds and effects, that the test finds less than another of `LEADS` that holds; NaN where its power
    is not known.
    """
    keys = ["dates", "events", "days", "test"]
    table = with_days(table[table["test"] != INTERVAL])
    size = table.groupby(keys, sort=False)["size"].max()
    doubled = table.groupby(["dates", "events", "test"], sort=False)["doubled"].max()
    out = size.to_frame().join(doubled)
    power = with_days(power)
    volatile = power[power["dates"] != "own"].groupby(keys)["volatile"].max()
    out["volatile_low"] = lower_end(volatile, VOLATILE)
    out["power_50"] = power.groupby(keys)["power_50"].min()
    held = [row.Index for row in out.itertuples() if row.Index[3] in LEADS and holds(row)]
    place = [*keys[:3], "world", "effect"]
    effects = [f"power_{round(100 * effect)}" for effect in AGAINST]
    found = power.melt([*keys, "world"], effects, "effect").dropna(subset="value").set_index(keys)
    best = found[found.index.isin(held)].groupby(place)["value"].max()
    found = found.join(best.rename("best"), on=place)
    out["lag"] = (found["best"] - found["value"]).groupby(keys).max()
    return out.round(4).reset_index()


def with_days(table: pd.DataFrame) -> pd.DataFrame:
    """Add the kind of the window, in the words of `kind_of_window`."""
    return table.assign(days=table["window"].map({str(window): kind_of_window(window) for window in WINDOWS}))


def lower_end(share: pd.Series | float, n: pd.Series | int) -> pd.Series | float:
    """Return the lower end of a 95% interval of a share."""
    return np.maximum(share - 1.96 * np.sqrt(share * (1.0 - share) / n), 0.0)


def main() -> None:
    """Make the table, a cell at a time, and its summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", nargs="*", default=list(CELLS))
    parser.add_argument("--replications", type=int, help="1,000, and those of SETTLED, if left out")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    table = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame()
    for name in [] if asked.summary else asked.cells:
        cell = CELLS[name]
        if cell.world in ("sp500", "a_share") and not PANELS.is_dir():
            print(f"{name}: no panel, its rows stay")
            continue
        made = table_of(cell, asked.replications or SETTLED.get(name, REPLICATIONS))
        if len(table):
            stays = (table[["world", "dates", "events"]] != [cell.world, cell.dates, cell.events]).any(axis=1)
            table = table[stays]
        table = pd.concat([table, made], ignore_index=True)
        table.round(4).to_csv(TABLE, index=False)
        print(name, flush=True)
    order = {key: i for i, key in enumerate((*TESTS, INTERVAL))}
    table = table.sort_values(
        ["world", "dates", "events", "window", "test"],
        key=lambda column: column.map(order) if column.name == "test" else column,
        kind="stable",
    )
    table.round(4).to_csv(TABLE, index=False)
    summary(table, pd.read_csv(POWER)).to_csv(SUMMARY, index=False)


if __name__ == "__main__":
    main()
