"""CPU time of the mean correlation of events that share days."""

from __future__ import annotations

import time

import numpy as np

from eventstudy.inference.correlation import mean_correlation

WIDTH = 250


def seconds(day0: np.ndarray, length: int, missing: float) -> float:
    """Best of three."""
    rng = np.random.default_rng(20190522)
    days = np.datetime64("2000-01-01") + np.arange(6000)
    residuals = rng.standard_normal((len(day0), WIDTH))
    residuals[rng.random(residuals.shape) < missing] = np.nan
    estimation = days[day0[:, None] + np.arange(-WIDTH - 20, -20)]
    tested = days[day0[:, None] + np.arange(length)]
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        mean_correlation(residuals, estimation, tested)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print one line a design."""
    rng = np.random.default_rng(0)
    one_date, spread = np.full(5000, 400), rng.integers(300, 5300, 100_000)
    for name, day0, length in (
        ("5,000 events of one date", one_date, 1),
        ("100,000 events on 5,000 sessions, one day", spread, 1),
        ("100,000 events on 5,000 sessions, eleven days", spread, 11),
    ):
        for missing in (0.0, 0.02):
            print(f"{name}, {missing:.0%} missing: {seconds(day0, length, missing):.2f} s", flush=True)


if __name__ == "__main__":
    main()
