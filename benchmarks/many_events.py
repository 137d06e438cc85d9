"""Many events against the machine: copying the same windows, a loop of statsmodels, four times the events.

    python benchmarks/many_events.py [events] [--big]

prints a table of ratios from one run and writes it to docs/data/many_events.csv. Times are the shortest of
three, in seconds of CPU of one core. The floor is NumPy copying, out of a panel of 2,000 securities by 5,000
sessions into fresh arrays, what the study reads: the estimation windows (250 sessions) and event windows (21)
of the security and of the benchmark, one copy an event. With --big, also ten times the events, and the
memory at the peak.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

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


def seconds(run: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        made = run()
        best = min(best, time.process_time() - begun)
        del made
    return best


def loop(prices: es.Market, given: es.Events, n: int = 300) -> float:
    """Seconds an event of a plain loop of statsmodels OLS."""
    panel, benchmark = prices.arrays.returns, prices.bank.single[0]
    who = prices.positions(given.frame["security"])
    day0 = prices.sessions.get_indexer(pd.DatetimeIndex(given.frame["date"]))

    def run() -> None:
        for i in range(n):
            past = slice(day0[i] + ESTIMATION[0], day0[i] + ESTIMATION[1] + 1)
            ahead = slice(day0[i] + WINDOW[0], day0[i] + WINDOW[1] + 1)
            fit = sm.OLS(panel[who[i], past], sm.add_constant(benchmark[past])).fit()
            panel[who[i], ahead] - fit.predict(sm.add_constant(benchmark[ahead]))

    return seconds(run, 1) / n


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
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    abnormal = results._data.abnormal
    kept = sum(
        v.nbytes for v in vars(abnormal).values() if isinstance(v, np.ndarray) and v.base is None
    ) + abnormal.ar.base.nbytes * (abnormal.ar.base is not None)
    print(f"{panel / 2**20:.0f} {kept / 2**20:.0f} {after:.0f}")


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
    rows: list[tuple[str, float, float]] = []
    n, prices = asked.events, market()
    given = events(prices, n)
    unit = seconds(floor(prices, given), 5)

    def add(what: str, taken: float) -> None:
        rows.append((what, taken, taken / unit))
        print(f"{what:<58}{taken:>10.3f} s{taken / unit:>10.2f}", flush=True)

    add(f"floor: copying the windows of {len(given):,} events", unit)
    fit = seconds(study(prices, given).fit)
    add("market model: fit()", fit)
    for window in ((0, 1), (-10, 10)):
        for name, tests in (
            ("closed-form tests", CLOSED),
            ("... and adjusted and rank tests", CLOSED + ADJUSTED + RANKS),
        ):
            run = partial(_tested, prices, given, window, tests)
            add(f"fit() and {name}, window {window}", seconds(run))
    add("four-factor model: fit()", seconds(study(prices, given, es.Carhart4()).fit))
    holed = market(0.02)
    add("market model, 2 % of the returns missing: fit()", seconds(study(holed, events(holed, n)).fit))
    single = loop(prices, given)
    add("loop of statsmodels OLS, as many events (from 300)", single * len(given))
    rows.append(("statsmodels over fit(), per event", single * len(given), single * len(given) / fit))
    sizes = [n // 10, n] + [10 * n] * asked.big
    taken = [seconds(study(prices, events(prices, size)).fit, 2) for size in sizes]
    power = np.polyfit(np.log(sizes), np.log(taken), 1)[0]
    rows.append((f"exponent of time in events, {sizes[0]:,} to {sizes[-1]:,}", taken[-1], float(power)))
    if asked.big:
        command = [sys.executable, __file__, "--peak", str(10 * n)]
        panel, kept, after = map(
            float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        )
        what = f"peak memory, {10 * n:,} events, MB; over panel and outputs"
        rows.append((what, after, after - panel - kept))
    for what, value, ratio in rows[-3:]:
        print(f"{what:<58}{value:>10.3f}  {ratio:>10.2f}")
    frame = pd.DataFrame(rows, columns=["what", "value", "ratio"])
    TABLE.parent.mkdir(exist_ok=True)
    frame.round({"value": 4, "ratio": 3}).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
