"""How often each significance test rejects a true null at 5%: a seeded Monte Carlo table.

Run ``python benchmarks/size_table.py`` to make ``docs/data/size_table.csv`` anew, or with ``--cells NAME``
and ``--tests KEY ...`` to renew some of its rows. Each replication has a seed of its own, made of the name of
the cell and a number, so a row does not depend on which others are made. The A-share cells read
``../shared/data/panels`` beside the checkout; where it is absent their rows stay as they are.

Cells: errors (normal, t(4), skewed, real A-share returns on placebo dates) x events (1, 10, 50) x dates
(spread, common); nine scenarios of 30 events; three and six events of one date; errors that depend on those
of the day before; 30 events of one date with a correlation of 0.4, and on ten dates, far apart or four days
from each other. On a common date simulated errors share a shock that makes their correlation 0.10. Event
windows run from -5 to +5; the 120 estimation days end the day before.

A row where a test claims to be valid, and 5% lies outside of the 99% interval of its rate, is simulated a
second time, with new numbers and more of them: of a thousand true claims ten miss by chance, but not twice.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.time_of_day import TIME_OF_DAY_TESTS
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

ROOT = Path(__file__).parents[1]
PANELS = ROOT.parent / "shared" / "data" / "panels"
#: Tests of days; those of bars are in measures_size.csv.
OF_DAYS = [key for key in TESTS if key not in {test.key for test in TIME_OF_DAY_TESTS}]
TABLE = ROOT / "docs" / "data" / "size_table.csv"

SEED, LEVEL, COVERAGE = 20190522, 0.05, 0.99
REPLICATIONS, FEWER, AGAIN = 1000, 500, 4
#: Draws of a resampling test, and replications of a test that fits each event by maximum likelihood.
RESAMPLES = 199
COSTLY = {"garch_t": 100}
WIDTH, SPAN = 120, Window(-5, 5)
WINDOWS = (Window(0, 0), Window(-1, 1), SPAN)
CORRELATION, STRONG = 0.10, 0.40
#: A newly listed share rises by its daily limit for days; its first sessions are not draw from its past.
SEASONING = 60
#: Estimation days that a placebo event must have.
ENOUGH_DAYS = 100

VARIANCE, CROSS, SERIAL = "event-induced variance", "cross-correlation", "serial dependence"
#: What the errors ask of a test: t(4) has fat tails alone, the others are skewed as well.
SHAPES = {"normal": set(), "t4": {"fat tails"}, "skewed": {"non-normality"}, "a_share": {"non-normality"}}
#: First autocorrelation of errors that depend on the day before.
AUTOCORRELATION = 0.2
COMMON_SHOCK = "the common shock alone grows"

FloatArray = np.ndarray
Place = tuple[str, Window]


@dataclass(frozen=True)
class Cell:
    """One design: how errors are drawn, how many events, on one date or many.

    `dates`, where given, is the number of dates that the events share, `apart` days from each other.
    `conditions` are what a test must be robust to in order to be valid here.
    """

    name: str
    errors: str = "normal"
    events: int = 30
    common: bool = False
    windows: tuple[Window, ...] = (Window(0, 0),)
    variance: float = 1.0
    shock_variance: float = 1.0
    missing: float = 0.0
    serial: float = 0.0
    correlation: float = CORRELATION
    dates: int = 0
    apart: int = 0
    conditions: frozenset[str] = field(default_factory=frozenset)

    @property
    def real(self) -> bool:
        """Whether returns are real ones."""
        return self.errors == "a_share"


def _grid() -> Iterator[Cell]:
    for errors in ("normal", "t4", "skewed", "a_share"):
        for events in (1, 10, 50):
            for common in (False, True) if events > 1 else (False,):
                dates = "common" if common else "spread"
                conditions = SHAPES[errors] | ({CROSS} if common else set())
                yield Cell(
                    f"{errors}-{events}-{dates}", errors, events, common, WINDOWS,
                    conditions=frozenset(conditions),
                )  # fmt: skip


def _scenarios() -> Iterator[Cell]:
    long = (SPAN,)
    yield Cell("S1")
    yield Cell("S2", windows=long)
    yield Cell("S3", variance=2.0, conditions=frozenset({VARIANCE}))
    yield Cell("S4", common=True, conditions=frozenset({CROSS}))
    yield Cell("S5", common=True, windows=long, conditions=frozenset({CROSS}))
    yield Cell("S6", errors="t4", conditions=frozenset(SHAPES["t4"]))
    yield Cell("S7", common=True, variance=2.0, conditions=frozenset({CROSS, VARIANCE}))
    yield Cell("S8", windows=long, missing=0.05)
    yield Cell("S9", common=True, shock_variance=4.0, conditions=frozenset({CROSS, COMMON_SHOCK}))


def _few() -> Iterator[Cell]:
    for errors, events in (("normal", 3), ("normal", 6), ("t4", 6), ("a_share", 6)):
        conditions = SHAPES[errors] | {CROSS}
        yield Cell(f"{errors}-{events}-common", errors, events, True, conditions=frozenset(conditions))
    conditions = {CROSS, VARIANCE}
    yield Cell("normal-6-volatile", events=6, common=True, variance=2.0, conditions=frozenset(conditions))


def _serial() -> Iterator[Cell]:
    for events in (1, 30):
        yield Cell(
            f"serial-{events}", events=events, common=events > 1, windows=WINDOWS, serial=AUTOCORRELATION,
            conditions=frozenset({SERIAL, CROSS} if events > 1 else {SERIAL}),
        )  # fmt: skip


def _close() -> Iterator[Cell]:
    cross = frozenset({CROSS})
    yield Cell("close-30", common=True, correlation=STRONG, conditions=cross)
    yield Cell(
        "close-30-volatile", common=True, correlation=STRONG, variance=2.0, conditions=cross | {VARIANCE}
    )
    for name, apart in (("dates-30", 1000), ("overlapping-30", 4)):
        yield Cell(
            name, correlation=STRONG, dates=10, apart=apart, windows=(Window(0, 0), SPAN), conditions=cross
        )


CELLS: dict[str, Cell] = {
    cell.name: cell for cell in (*_grid(), *_scenarios(), *_few(), *_serial(), *_close())
}


def draw(rng: np.random.Generator, errors: str, shape: tuple[int, ...]) -> FloatArray:
    """Draw errors of mean 0 and variance 1."""
    if errors == "normal":
        return rng.standard_normal(shape)
    if errors == "t4":
        return rng.standard_t(4, shape) / math.sqrt(2.0)
    assert errors == "skewed"  # chi-square(4): skewness 1.41, excess kurtosis 3
    return (rng.chisquare(4, shape) - 4.0) / math.sqrt(8.0)


def fitted(returns: FloatArray, market: FloatArray, dates: FloatArray) -> AbnormalReturns:
    """Fit market models to returns laid out as (events, 120 estimation + 11 event days)."""
    past, event = slice(0, WIDTH), slice(WIDTH, None)
    arrays = EventArrays(
        y_est=returns[:, past],
        y_evt=returns[:, event],
        x_est=market[:, past, None],
        x_evt=market[:, event, None],
        span_evt=np.where(np.isnan(returns[:, event]), 0, 1),
        dates_est=dates[:, past],
        dates_evt=dates[:, event],
    )
    return abnormal_returns(arrays, es.MarketModel().fit(arrays), SPAN)


def simulated(cell: Cell, rng: np.random.Generator) -> AbnormalReturns:
    """Draw one replication of a simulated cell."""
    if cell.dates:
        return on_dates(cell, rng)
    n, days = cell.events, WIDTH + len(SPAN)
    rows = 1 if cell.common else n
    market = np.broadcast_to(0.01 * draw(rng, cell.errors, (rows, days)), (n, days))
    errors = draw(rng, cell.errors, (n, days))
    if cell.common:
        shock = draw(rng, cell.errors, (days,))
        shock[WIDTH:] *= math.sqrt(cell.shock_variance)
        errors = math.sqrt(cell.correlation) * shock + math.sqrt(1.0 - cell.correlation) * errors
    for day in range(1, days) if cell.serial else ():
        errors[:, day] = cell.serial * errors[:, day - 1] + math.sqrt(1.0 - cell.serial**2) * errors[:, day]
    errors[:, WIDTH:] *= math.sqrt(cell.variance)
    beta, sigma = 0.5 + rng.random((n, 1)), 0.01 + 0.02 * rng.random((n, 1))
    returns = 0.0003 + beta * market + sigma * errors
    returns[rng.random((n, days)) < cell.missing] = np.nan
    first = np.zeros(n, dtype=int) if cell.common else 10 * days * np.arange(n)
    dates = np.datetime64("2000-01-01") + first[:, None] + np.arange(days)
    return fitted(returns, market, dates)


def on_dates(cell: Cell, rng: np.random.Generator) -> AbnormalReturns:
    """Draw one replication of a cell whose events share several dates; market and shock are those of days."""
    n, days = cell.events, WIDTH + len(SPAN)
    at = cell.apart * (np.arange(n) % cell.dates)[:, None] + np.arange(days)
    market, shock = 0.01 * draw(rng, cell.errors, (at.max() + 1,)), draw(rng, cell.errors, (at.max() + 1,))
    own = draw(rng, cell.errors, (n, days))
    errors = math.sqrt(cell.correlation) * shock[at] + math.sqrt(1.0 - cell.correlation) * own
    beta, sigma = 0.5 + rng.random((n, 1)), 0.01 + 0.02 * rng.random((n, 1))
    returns = 0.0003 + beta * market[at] + sigma * errors
    return fitted(returns, market[at], np.datetime64("2000-01-01") + at)


@cache
def panel() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Read A-share returns and those of the CSI 300, with the dates and the usable placebo events.

    A return that lumps a halt is left out. A placebo event needs 100 of its 120 estimation days and all
    of its 11 event days.
    """
    table = pq.read_table(PANELS / "cn_returns_pct_2017_2020.parquet").to_pandas(ignore_metadata=True)
    table = table.set_index(pd.to_datetime(table.pop("date"))).astype(float) / 100.0
    index = pq.read_table(PANELS / "indices_daily_2015on.parquet").to_pandas(ignore_metadata=True)
    index = index[index["index"] == "CSI300_000300.SH"]
    close = pd.Series(index["close"].to_numpy(), pd.to_datetime(index["date"])).sort_index()
    market = close.pct_change().reindex(table.index).to_numpy()
    returns = table.to_numpy().T.copy()
    trades = ~np.isnan(returns)
    listed = np.cumsum(trades, axis=1)
    halted = np.concatenate([np.zeros((len(returns), 1), dtype=bool), ~trades[:, :-1]], axis=1)
    new = ~trades[:, [0]] & (listed <= SEASONING)
    returns[halted | new] = np.nan
    known = np.cumsum(~np.isnan(returns), axis=1)
    day0 = np.arange(WIDTH + 1 - SPAN.start, len(market) - SPAN.end)
    first = day0 + SPAN.start
    enough = known[:, first - 1] - known[:, first - 1 - WIDTH] >= ENOUGH_DAYS
    whole = known[:, day0 + SPAN.end] - known[:, first - 1] == len(SPAN)
    usable = np.zeros(returns.shape, dtype=bool)
    usable[:, day0] = enough & whole
    return returns, market, table.index.to_numpy().astype("datetime64[D]"), usable


def placebo(cell: Cell, replication: int, rng: np.random.Generator) -> AbnormalReturns:
    """Draw one replication of an A-share cell.

    On a common date each date of the panel is used in turn, with shares drawn at random; else the dates
    are drawn at random so that no two event windows meet.
    """
    returns, market, dates, usable = panel()
    days = np.flatnonzero(usable.any(axis=0))
    if cell.common:
        day = days[replication % len(days)]
        shares = rng.choice(np.flatnonzero(usable[:, day]), cell.events, replace=False)
        day0 = np.full(cell.events, day)
    else:
        starts = np.arange(days[0] + rng.integers(len(SPAN)), days[-1] + 1, len(SPAN))
        day0 = rng.choice(starts, cell.events, replace=False)
        shares = np.array([rng.choice(np.flatnonzero(usable[:, day])) for day in day0])
    at = day0[:, None] + np.arange(SPAN.start - WIDTH, SPAN.end + 1)
    return fitted(returns[shares[:, None], at], market[at], dates[at])


def p_values(cell: Cell, number: int, places: Iterable[Place], again: bool) -> dict[Place, float]:
    """Return the p-value of each test that applies, in each window asked for, in one replication."""
    rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number, int(again)])
    made = placebo(cell, number, rng) if cell.real else simulated(cell, rng)
    options = Options(n_resamples=RESAMPLES, seed=int(rng.integers(2**31)))
    seen = {window: TestInput(made, window) for window in cell.windows}
    found = {}
    for key, window in places:
        p = TESTS[key].run(seen[window], options).p_value
        if not math.isnan(p):
            found[key, window] = p
    return found


def interval(rate: float, n: float) -> tuple[float, float]:
    """Wilson's 99% interval of a rejection rate that n independent replications gave."""
    z2 = stats.norm.ppf(0.5 + COVERAGE / 2.0) ** 2
    centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = math.sqrt(z2 * (rate * (1.0 - rate) / n + z2 / (4.0 * n**2))) / (1.0 + z2 / n)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def replications(cell: Cell, key: str, again: bool) -> int:
    """Count the replications of one row; a common date of the panel is used once."""
    if cell.real and cell.common:
        return int(panel()[3].any(axis=0).sum())
    first = COSTLY.get(key, FEWER if cell.events >= 50 else REPLICATIONS)
    return AGAIN * first if again else first


def rates(cell: Cell, places: Iterable[Place], *, again: bool = False) -> pd.DataFrame:
    """Simulate one cell: one row per test and window, with the rejection rate and its 99% interval.

    `effective` replications are those the interval rests on: event windows on neighbouring dates of the
    panel share days, so that only every L-th date counts.
    """
    wanted = {place: replications(cell, place[0], again) for place in places}
    counts = {place: [0, 0] for place in wanted}
    for number in range(max(wanted.values(), default=0)):
        due = [place for place in wanted if number < wanted[place]]
        for place, p in p_values(cell, number, due, again).items():
            counts[place][0] += p <= LEVEL
            counts[place][1] += 1
    rows = []
    for (key, window), (rejected, n) in counts.items():
        if n == 0:
            continue
        effective = n / len(window) if cell.real and cell.common else n
        low, high = interval(rejected / n, effective)
        rows.append(
            {
                "cell": cell.name,
                "errors": cell.errors,
                "events": cell.events,
                "dates": "common" if cell.common else "shared" if cell.dates else "spread",
                "window": str(window),
                "test": key,
                "claimed": TESTS[key].survives(cell.conditions),
                "rate": rejected / n,
                "low": low,
                "high": high,
                "replications": n,
                "effective": round(effective),
            }
        )
    return pd.DataFrame(rows)


def outside(table: pd.DataFrame) -> pd.Series:
    """Whether 5% lies outside of the interval of each row."""
    return (table["low"] > LEVEL) | (table["high"] < LEVEL)


def with_second_look(cell: Cell, keys: list[str]) -> pd.DataFrame:
    """Simulate one cell, and anew the rows that miss a level they claim."""
    table = rates(cell, [(key, window) for window in cell.windows for key in keys])
    columns = {"rate": "rate_again", "low": "low_again", "high": "high_again", "replications": "n_again"}
    table = table.reindex(columns=[*table.columns, *columns.values()])
    if len(table) == 0 or (cell.real and cell.common):  # there are no other dates
        return table
    windows = {str(window): window for window in cell.windows}
    doubtful = table["claimed"] & outside(table)
    places = [(row.test, windows[row.window]) for row in table[doubtful].itertuples()]
    if places:
        again = rates(cell, places, again=True)
        table.loc[doubtful, list(columns.values())] = again[list(columns)].to_numpy()
    return table


@dataclass(frozen=True)
class Stated:
    """Why some claimed rows miss 5%: tests, a cause, and the rows in words of the table's columns."""

    tests: str
    cause: str
    errors: str = "normal t4 skewed a_share"
    dates: str = "spread common shared"
    windows: tuple[str, ...] = tuple(str(window) for window in WINDOWS)
    events: tuple[int, ...] = (1, 3, 6, 10, 30, 50)
    cells: tuple[str, ...] = ()

    def holds(self, table: pd.DataFrame) -> pd.Series:
        """Whether each row is one of those meant."""
        return (
            table["test"].isin(self.tests.split())
            & table["errors"].isin(self.errors.split())
            & table["dates"].isin(self.dates.split())
            & table["window"].isin(self.windows)
            & table["events"].isin(self.events)
            & (table["cell"].isin(self.cells) | (len(self.cells) == 0))
        )


RATIO = (
    "the event days are divided by the standard deviation of the N events themselves, so that their mean is "
    "like t(N-1) but ranked as if it were normal: 15% at three events, 9 at six, 7 to 8 at ten; with the "
    "true standard deviation the rate is 5%"
)
SUM_AMONG_DAYS = (
    "a CAR of several days is nearer to normal than the days it is ranked among, so it has outer ranks more "
    "often, whatever N; and, as for one day, it is divided by the standard deviation of the N events"
)
SOME_EVENTS = (3, 6, 10)
EXCEPTIONS = (
    Stated(
        "time_series lamb rank rank_zivney sign_zivney grank_t cumrank_t wild_bootstrap permutation",
        "windows of different dates share days, each being another relative day of either date: a series of "
        "the mean by relative day, or a weight for each date, does not hold that correlation; adjusted_bmp "
        "and jaffe do",
        cells=("overlapping-30",),
        windows=("(-5, +5)",),
    ),
    Stated(
        "rank_zivney",
        "events of one date lie closer together than their variance says, by sqrt(1 - r) with r = 0.4, and "
        "this test does not undo it; grank_t does",
        dates="common",
        events=(30,),
    ),
    Stated("sq", "ten blocks of eleven estimation days: no p-value below 1/11", windows=("(-5, +5)",)),
    Stated(
        "filtered_sq",
        "ten blocks of eleven estimation days: one date has no p-value below 1/11, and the normal scores of "
        "mid-ranks among eleven vary less than normal draws (3.8% on several dates by that alone): cautious",
        windows=("(-5, +5)",),
    ),
    Stated(
        "filtered_sq filtered_t",
        "cautious, 3 to 4%; the cause is not known",
        events=(10,),
        windows=("(0, 0)", "(-1, +1)"),
    ),
    Stated(
        "filtered_bmp",
        "past windows of ten dates, four days from each other, share days with more of their neighbours "
        "than the degrees of freedom allow for: 7%",
        cells=("overlapping-30",),
        windows=("(-5, +5)",),
    ),
    Stated(
        "nguyen_wolf",
        "no covariance of the days' prediction errors: 6 to 7% at 11 of 120 days",
        windows=("(-5, +5)",),
    ),
    Stated(
        "adjusted_cross_sectional",
        "the factor takes volatilities for equal: 2.4% where they go from 1 to 3% and r = 0.4, 5.1% where "
        "they are equal",
        dates="common",
        events=(30,),
        windows=("(0, 0)",),
    ),
    Stated("grank_t grank_z", SUM_AMONG_DAYS, errors="t4", windows=("(-1, +1)", "(-5, +5)")),
    Stated("rank_zivney grank_t grank_z", RATIO, events=SOME_EVENTS),
    Stated(
        "skewness_adjusted",
        "N(0, 1) critical values, though spread and skewness are those of N events: use bootstrap",
    ),
    Stated("sign", "exact and discrete: of ten signs p <= 5% has probability 2.1%", events=(10,)),
    Stated(
        "generalized_sign sign_zivney",
        "discrete: few signs take few values, and normal critical values lie between them",
        events=SOME_EVENTS,
    ),
    Stated(
        "sign_zivney",
        "events move together: the mean sign of a day is at most 1, and 1.96 S is not far below",
        errors="normal a_share",
        dates="common",
        events=(30, 50),
    ),
    Stated(
        "rank sign_zivney cumrank_t cumrank_z",
        "cautious: A-share ranks of neighbouring days revert (an 11-day sum varies 0.89 times as much as 11 "
        "free days), and 50 windows fill most of the panel, over which residuals sum to about nothing",
        errors="a_share",
        dates="spread",
        windows=("(-5, +5)",),
        events=(50,),
    ),
    Stated(
        "filtered_rank",
        "cautious, 3 to 4%: A-share ranks of neighbouring days revert (an 11-day sum of their scores varies "
        "0.91 times as much as 11 free days), and 50 windows fill most of the panel",
        errors="a_share",
        dates="spread",
        windows=("(-5, +5)",),
        events=(10, 50),
    ),
    Stated("bootstrap", "resamples of ten events have tails too heavy: cautious", events=(10,)),
    Stated(
        "permutation",
        "110 pseudo-windows that share days are ten in truth, fewer where days depend on each other: use "
        "20 x L estimation days",
        dates="common",
        events=(30,),
        windows=("(-5, +5)",),
    ),
    Stated(
        "permutation",
        "discrete: a rank among 118 or 110 pseudo-dates reaches 4.2 or 4.5%",
        windows=("(-1, +1)", "(-5, +5)"),
    ),
    Stated(
        "block_bootstrap",
        "an autocorrelation of 0.2 is found in 28% of the windows of 120 days, and blocks of five days "
        "keep a part of it: 6 and 8% where days are always drawn in blocks",
        windows=("(-1, +1)", "(-5, +5)"),
    ),
    Stated(
        "time_series lamb jaffe jaffe_firms",
        "no covariance of the days' prediction errors: 6 to 7% at 11 of 120 days; portfolio has it",
        windows=("(-5, +5)",),
    ),
)
UNSTATED = "unstated"


def missed(table: pd.DataFrame) -> pd.Series:
    """Whether a row claims 5% and missed it, twice where it was looked at twice."""
    again = table["n_again"].isna() | (table["low_again"] > LEVEL) | (table["high_again"] < LEVEL)
    return table["claimed"] & outside(table) & again


def with_causes(table: pd.DataFrame) -> pd.DataFrame:
    """Write the cause beside each row that misses what it claims; the first exception that holds counts."""
    cause = pd.Series(UNSTATED, table.index)
    for exception in reversed(EXCEPTIONS):
        cause = cause.mask(exception.holds(table), exception.cause)
    return table.assign(cause=cause.where(missed(table)))


def save(part: pd.DataFrame) -> None:
    """Put the rows of one cell in the place of those that the stored table has of the same tests."""
    table = part
    if TABLE.exists():
        old = pd.read_csv(TABLE)
        if len(part):
            renewed = old["cell"].isin(part["cell"]) & old["test"].isin(part["test"])
            table = pd.concat([old[~renewed], part], ignore_index=True)
        else:
            table = old
    order = {name: i for i, name in enumerate([*CELLS, *(str(w) for w in WINDOWS), *TESTS])}
    table = table.sort_values(["cell", "window", "test"], key=lambda column: column.map(order))
    table["n_again"] = table["n_again"].astype("Int64")
    table["claimed"] = [TESTS[r.test].survives(CELLS[r.cell].conditions) for r in table.itertuples()]
    with_causes(table).round(4).to_csv(TABLE, index=False)


def main() -> None:
    """Make the table, or renew the rows asked for."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="NAME")
    asked.add_argument("--tests", nargs="+", choices=OF_DAYS, default=OF_DAYS, metavar="KEY")
    asked.add_argument("--jobs", type=int, default=1, help="processes")
    asked.add_argument("--state", action="store_true", help="write claims and causes anew, simulate nothing")
    wanted = asked.parse_args()
    if wanted.state:
        return save(pd.DataFrame())
    cells = [CELLS[name] for name in wanted.cells if PANELS.is_dir() or not CELLS[name].real]
    with ProcessPoolExecutor(wanted.jobs) as pool:
        cheap_first = sorted(cells, key=lambda cell: cell.events)
        made = [pool.submit(with_second_look, cell, wanted.tests) for cell in cheap_first]
        for each in as_completed(made):
            part = each.result()
            if len(part):
                save(part)
                print(f"{part['cell'].iloc[0]}: {len(part)} rows", flush=True)


if __name__ == "__main__":
    main()
