"""Time samples of placebo events, placebo studies and specification curves, in seconds of CPU.

Run ``python benchmarks/laboratory.py [repeats]``. Rows run on one core, on a simulated market of 300 shares
and 1,500 sessions, once, or, where a time was asked, three times, of which the fastest counts. Beside the
seconds stands how many copies of the windows of all events they are. The last row is a study per sample.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from many_events import EVERY

import eventstudy as es
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.lab.simulation_design import Design, closed_tests
from eventstudy.sample.event_arrays import take_windows

SAMPLES, EVENTS = 1000, 50
CLOSED = closed_tests(EVENTS)


class Case(NamedTuple):
    """What is run, and how many seconds of CPU it may take."""

    label: str
    run: Callable[[], object]
    asked: float | None = None


def market(**kwargs: Any) -> es.Market:
    """Simulate a market of correlated shares."""
    return es.lab.simulate_market(300, 1500, correlation=0.2, seed=1, **kwargs).market


def calibration(prices: es.Market, tests: list[str], n_samples: int = SAMPLES, **kwargs: Any) -> Any:
    """Calibrate tests of day 0 and +1, without effects."""
    return es.lab.calibrate(
        prices, n_events=EVENTS, n_samples=n_samples, tests=tests, shift=[0], variance=[1], seed=1, **kwargs
    )


def loop(design: Design) -> None:
    """Measure and test each sample on its own."""
    for number in range(SAMPLES):
        sample, rng = design.sample(number)
        options = Options(design.alternative, design.n_resamples, int(rng.integers(2**63)))
        data = TestInput(design.abnormal(sample, design.models[0][1]), design.tested)
        for key in design.tests:
            TESTS[key].run(data, options)


def copies(prices: es.Market, design: Design) -> Callable[[], None]:
    """Return what copies the windows of all events out of the returns of shares and market."""
    shares, index = prices.arrays.single, prices.bank.single
    drawn = [design.sample(number)[0] for number in range(SAMPLES)]
    first, length = design.estimation.start, design.window.end - design.estimation.start + 1
    zeros = np.zeros(EVENTS, dtype=np.int64)

    def run() -> None:
        for sample in drawn:
            for panel, rows in ((shares, sample.security), (index, zeros)):
                take_windows(panel, rows, sample.day0 + first, length)

    return run


def study(prices: es.Market) -> es.EventStudyResults:
    """Make a study of 50 events on 50 dates."""
    rows = np.linspace(900, 1400, EVENTS).astype(int)
    events = [
        {"security": name, "date": prices.sessions[row]}
        for name, row in zip(prices.returns.columns, rows, strict=False)
    ]
    return es.EventStudy(prices, events, estimation=(-250, -30)).fit()


def cases() -> list[Case]:
    """Return all rows."""
    whole, holes = market(), market(halts=0.02, thin=0.02)
    results, design = study(whole), calibration(whole, CLOSED, 1).design
    closed = f"{len(CLOSED)} closed-form and rank tests"
    return [
        Case("copying the windows", copies(whole, design)),
        Case(f"the {len(EVERY)} tests of many_events.py", lambda: calibration(whole, EVERY), 3.0),
        Case(closed, lambda: calibration(whole, CLOSED)),
        Case(f"{closed}, with missing days", lambda: calibration(holes, CLOSED)),
        Case(f"{closed}, one date", lambda: calibration(whole, CLOSED, common_date=True)),
        Case(f"all {len(TESTS)} tests", lambda: calibration(whole, list(TESTS)), 20.0),
        Case(f"all {len(TESTS)} tests, one date", lambda: calibration(whole, list(TESTS), common_date=True)),
        Case(
            "power of cross_sectional, 7 effects",
            lambda: es.lab.power(whole, n_events=EVENTS, n_samples=SAMPLES),
        ),
        Case("placebo, 999 draws of firms", lambda: es.lab.placebo(results)),
        Case(
            "specification_curve, 4 fits, 249 placebo dates",
            lambda: es.lab.specification_curve(
                whole, results.spec.events, models=[es.MarketModel(), es.ConstantMean()],
                estimations=[(-250, -30), (-120, -11)], n_placebo=249,
            ),
        ),
        Case(f"{closed}, a study per sample", lambda: loop(design)),
    ]  # fmt: skip


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Return the fewest seconds of CPU of several runs."""
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        run()
        taken.append(time.process_time() - begin)
    return min(taken)


def peak(prices: es.Market, n_samples: int) -> float:
    """Return the largest number of MiB that a calibration holds."""
    tracemalloc.start()
    calibration(prices, CLOSED, n_samples)
    found = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return found


def main() -> None:
    """Print seconds, multiples of the copies, and what was asked; then memory."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rows = cases()
    rows[1].run()
    print(f"{SAMPLES:,} samples of {EVENTS} events{'':29s} {'seconds':>8s} {'copies':>7s} {'asked':>6s}")
    floor = seconds(rows[0].run, repeats)
    for row in rows:
        taken = seconds(row.run, 1 if row.asked is None else repeats)
        print(f"{row.label:58s} {taken:8.2f} {taken / floor:7.1f} {row.asked or '':>6}")
    prices = market()
    few, many = (peak(prices, n) for n in (SAMPLES // 10, 10 * SAMPLES))
    print(f"memory: {few:.0f} MiB for {SAMPLES // 10:,} samples, {many:.0f} MiB for {10 * SAMPLES:,}")


if __name__ == "__main__":
    main()
