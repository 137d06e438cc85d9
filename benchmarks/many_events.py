"""Many events against the machine: copying the same windows, loops of statsmodels, ten times the events.

    python benchmarks/many_events.py [events] [--big]

prints a table of ratios from one run and writes it to docs/data/many_events.csv. The floor is NumPy copying,
out of a panel of 2,000 securities by 5,000 sessions into fresh arrays, what the study reads: the estimation
windows (250 sessions) and event windows (21) of the security and of the benchmark, one copy per event. Times
are the shortest of several, in seconds of CPU of one core; those of threads are seconds by the clock, of the
study and of the floor. Two processes at once share nothing but the machine, so what they gain over one after
the other is the most that two threads could. Beside a ratio is what was asked of it: at most, or of two
threads over one, at least.
With --big, also ten times the events, and the memory at the peak.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

# One core for BLAS, as for all else; it reads this when it is loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from joblib import parallel_config

import eventstudy as es

SECURITIES, SESSIONS, ESTIMATION, WINDOW = 2_000, 5_000, (-280, -31), (-10, 10)
TABLE = Path(__file__).parents[1] / "docs" / "data" / "many_events.csv"
ADJUSTED = ["adjusted_patell", "adjusted_bmp"]
RANKS = ["rank", "rank_zivney", "sign_zivney", "grank_t", "grank_z", "cumrank_t", "cumrank_z"]
CLOSED = [
    "cross_sectional", "independence", "time_series", "portfolio", "lamb", "patell", "bmp",
    "skewness_adjusted", "jaffe", "sign", "generalized_sign", "wilcoxon", "jackknife",
]  # fmt: skip


def market(missing: float = 0.0) -> es.Market:
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2000-01-03", periods=SESSIONS)
    benchmark = 0.01 * rng.standard_normal(SESSIONS)
    returns = 0.02 * rng.standard_normal((SESSIONS, SECURITIES)) + benchmark[:, None]
    if missing:
        returns[rng.random(returns.shape) < missing] = np.nan
    factors = pd.DataFrame(0.01 * rng.standard_normal((SESSIONS, 4)), days, ["mkt_rf", "smb", "hml", "mom"])
    return es.Market(
        pd.DataFrame(returns, days, [f"S{i:04d}" for i in range(SECURITIES)]),
        benchmark=pd.Series(benchmark, days, name="index"),
        factors=factors.assign(rf=0.0001),
        gaps="single",
    )


def events(prices: es.Market, n: int) -> es.Events:
    rng = np.random.default_rng(2)
    security, day = rng.integers(0, SECURITIES, n), rng.integers(300, SESSIONS - 30, n)
    names = np.array(prices.securities, dtype=object)[security]
    return es.Events(pd.DataFrame({"security": names, "date": prices.sessions[day]}).drop_duplicates())


def floor(prices: es.Market, given: es.Events) -> Callable[[], object]:
    panel, benchmark = prices.arrays.returns, prices.bank.single[0]
    who = prices.positions(given.frame["security"])
    day0 = prices.sessions.get_indexer(pd.DatetimeIndex(given.frame["date"]))

    def copy() -> object:
        parts = []
        for start, end in (ESTIMATION, WINDOW):
            length = end - start + 1
            view = np.lib.stride_tricks.sliding_window_view
            parts.append(view(panel, length, axis=1)[who, day0 + start])
            parts.append(view(benchmark, length)[day0 + start])
        return parts

    return copy


def seconds(
    run: Callable[[], object], times: int = 3, clock: Callable[[], float] = time.process_time
) -> float:
    best = float("inf")
    for _ in range(times):
        begun = clock()
        made = run()
        best = min(best, clock() - begun)
        del made
    return best


def by_the_clock(run: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Shortest seconds by the clock on one thread and on two, taken in turns."""
    one, two = [], []
    for _ in range(times):
        one.append(seconds(run, 1, time.perf_counter))
        with parallel_config(backend="threading", n_jobs=2):
            two.append(seconds(run, 1, time.perf_counter))
    return min(one), min(two)


def at_once(run: Callable[[], object], processes: int, times: int = 3) -> float:
    """Shortest seconds by the clock of a run, in the slowest of some processes that start together."""
    context = get_context("fork")
    start, taken = context.Barrier(processes), context.SimpleQueue()

    def work() -> None:
        start.wait()
        taken.put(seconds(run, times, time.perf_counter))

    begun = [context.Process(target=work) for _ in range(processes)]
    for each in begun:
        each.start()
    slowest = max(taken.get() for _ in begun)
    for each in begun:
        each.join()
    return slowest


def loop_of_arrays(prices: es.Market, given: es.Events, n: int) -> Callable[[], object]:
    """Plain loop of statsmodels OLS over arrays whose rows are known: the least that can be done with it."""
    import statsmodels.api as sm

    panel, benchmark = prices.arrays.returns, prices.bank.single[0]
    who = prices.positions(given.frame["security"])
    day0 = prices.sessions.get_indexer(pd.DatetimeIndex(given.frame["date"]))

    def run() -> None:
        for i in range(n):
            past = slice(day0[i] + ESTIMATION[0], day0[i] + ESTIMATION[1] + 1)
            ahead = slice(day0[i] + WINDOW[0], day0[i] + WINDOW[1] + 1)
            fit = sm.OLS(panel[who[i], past], sm.add_constant(benchmark[past])).fit()
            panel[who[i], ahead] - fit.predict(sm.add_constant(benchmark[ahead]))

    return run


def loop_of_frames(prices: es.Market, given: es.Events, n: int, whole: bool) -> Callable[[], object]:
    """Plain loop of statsmodels OLS over a frame of returns, as one writes it in a notebook.

    `whole` also takes what `fit` keeps: parameters and their covariance, R^2, residual variance and the
    standard errors of the predictions.
    """
    import statsmodels.api as sm

    returns = pd.DataFrame(prices.arrays.returns.T, prices.sessions, list(prices.securities))
    index = pd.Series(prices.bank.single[0], prices.sessions, name="index")
    events = list(given.frame[["security", "date"]].head(n).itertuples(index=False))

    def run() -> None:
        for security, date in events:
            day0 = returns.index.get_loc(date)
            past = slice(day0 + ESTIMATION[0], day0 + ESTIMATION[1] + 1)
            ahead = slice(day0 + WINDOW[0], day0 + WINDOW[1] + 1)
            fit = sm.OLS(returns[security].iloc[past], sm.add_constant(index.iloc[past])).fit()
            design = sm.add_constant(index.iloc[ahead])
            if whole:
                prediction = fit.get_prediction(design)
                returns[security].iloc[ahead] - prediction.predicted_mean
                fit.params, fit.cov_params(), fit.rsquared, fit.mse_resid, prediction.se_obs
            else:
                returns[security].iloc[ahead] - fit.predict(design)

    return run


def study(prices: es.Market, given: es.Events, model: object = None) -> es.EventStudy:
    return es.EventStudy(prices, given, model, ESTIMATION, WINDOW)


def _tested(prices: es.Market, given: es.Events, window: tuple[int, int], tests: list[str]) -> object:
    return study(prices, given).fit().test(*window, tests=tests)


def peak(n: int) -> None:
    """Print the memory of panel, of what is kept, and the most the process ever held, in MB."""
    prices = market()
    given = events(prices, n)
    panel = prices.arrays.returns.nbytes + prices.arrays.spans.nbytes
    results = study(prices, given).fit()
    after = most_held()
    held = {id(base): base for kept in (results.fitted.abnormal, results.fitted.fit) for base in _bases(kept)}
    print(f"{panel / 2**20:.0f} {sum(base.nbytes for base in held.values()) / 2**20:.0f} {after:.0f}")


def _bases(record: object) -> list[np.ndarray]:
    """Arrays that own the memory of a record's fields."""
    arrays = [value for value in vars(record).values() if isinstance(value, np.ndarray)]
    return [value if value.base is None else value.base for value in arrays]


def most_held() -> float:
    """Most memory that this process held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says of a process counts its parent's memory when it was started
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True)
class World:
    """A market and its events, and the same with 2% of the returns missing."""

    prices: es.Market
    given: es.Events
    holed: es.Market
    gaps: es.Events

    @classmethod
    def of(cls, n: int) -> World:
        """Draw n events, but for those that are drawn twice."""
        prices, holed = market(), market(0.02)
        return cls(prices, events(prices, n), holed, events(holed, n))


EVERY = CLOSED + ADJUSTED + RANKS
EVERY_TEST = "fit() and ... and adjusted and rank tests, window (0, 1)"
#: What is measured in multiples of the floor.
CASES: dict[str, Callable[[World], object]] = {
    "market model: fit()": lambda w: study(w.prices, w.given).fit(),
    "fit() and closed-form tests, window (0, 1)": lambda w: _tested(w.prices, w.given, (0, 1), CLOSED),
    EVERY_TEST: lambda w: _tested(w.prices, w.given, (0, 1), EVERY),
    "fit() and closed-form tests, window (-10, 10)": lambda w: _tested(w.prices, w.given, (-10, 10), CLOSED),
    "fit() and ... and adjusted and rank tests, window (-10, 10)": lambda w: _tested(
        w.prices, w.given, (-10, 10), EVERY
    ),
    "four-factor model: fit()": lambda w: study(w.prices, w.given, es.Carhart4()).fit(),
    "2% of the returns missing: fit()": lambda w: study(w.holed, w.gaps).fit(),
    "... and closed-form tests, window (0, 1)": lambda w: _tested(w.holed, w.gaps, (0, 1), CLOSED),
    "... and adjusted and rank tests, window (0, 1)": lambda w: _tested(w.holed, w.gaps, (0, 1), EVERY),
}
#: Of these also by the clock, on two threads.
THREADED = list(CASES)[:3]
#: The largest ratio asked for, and of one thread over two, the smallest.
ASKED = {EVERY_TEST: 10.0, "... and adjusted and rank tests, window (0, 1)": 15.0}
ASKED_OF_THREADS = {EVERY_TEST: 1.6}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="?", type=int, default=100_000)
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--peak", type=int)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.peak:
        peak(asked.peak)
        return
    rows: list[tuple[str, float, float, float | None]] = []
    n, world = asked.events, World.of(asked.events)
    prices, given = world.prices, world.given
    copied = floor(prices, given)
    unit = seconds(copied, 7)

    def add(what: str, taken: float, ratio: float | None = None, asked: float | None = None) -> None:
        rows.append((what, taken, taken / unit if ratio is None else ratio, asked))
        print(f"{what:<84}{taken:>10.4f}{rows[-1][2]:>8.2f}{asked or '':>8}", flush=True)

    add(f"floor: copying the windows of {len(given):,} events, s; multiples of it", unit)
    for what, case in CASES.items():
        add(what, seconds(partial(case, world)), asked=ASKED.get(what))
    fit = rows[1][1]
    add("floor again", seconds(copied, 7))
    wall = seconds(copied, 7, time.perf_counter)
    add("by the clock: floor, s; multiples of it", wall, 1.0)
    for what in THREADED:
        one, two = by_the_clock(partial(CASES[what], world))
        name = what.removeprefix("market model: ")
        add(f"... on two threads: {name}", two, two / wall)
        add(f"... on one thread, over two: {name}", one, one / two, ASKED_OF_THREADS.get(what))
        run = partial(CASES[what], world)
        alone, both = at_once(run, 1), at_once(run, 2)
        add(f"... twice in one process, over two processes at once: {name}", 2 * alone, 2 * alone / both)
    for what, run in (
        ("statsmodels OLS in a loop over arrays", loop_of_arrays(prices, given, 300)),
        ("statsmodels OLS in a loop over frames", loop_of_frames(prices, given, 300, False)),
        ("... with the numbers that fit() keeps", loop_of_frames(prices, given, 300, True)),
    ):
        each = seconds(run, 2) / 300
        add(f"{what}, s per event; multiples of fit()", each, each * len(given) / fit)
    sizes = [n // 10, n] + [10 * n] * asked.big
    taken = [seconds(study(prices, events(prices, size)).fit, 2) for size in sizes]
    power = np.polyfit(np.log(sizes), np.log(taken), 1)[0]
    add(f"fit() of {sizes[-1]:,} events, s; exponent from {sizes[0]:,} on", taken[-1], float(power))
    if asked.big:
        command = [sys.executable, __file__, "--peak", str(10 * n)]
        panel, kept, most = map(
            float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        )
        add(f"memory at the peak, {10 * n:,} events, MB; beyond panel and results", most, most - panel - kept)
    frame = pd.DataFrame(rows, columns=["what", "value", "ratio", "asked"])
    TABLE.parent.mkdir(exist_ok=True)
    frame.round({"value": 6, "ratio": 2}).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
