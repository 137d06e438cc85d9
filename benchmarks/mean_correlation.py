"""CPU time of the mean correlation of events that share days, of one market and on calendars of any kind.

Both find the same number, which is checked. Times are the shortest of three.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from eventstudy import lazy
from eventstudy.inference.dependence.mean_correlation import mean_correlation
from eventstudy.inference.dependence.sessions import SumOfCorrelations
from eventstudy.inference.engine.residual_pass import ResidualChunk

WIDTH = 250


def by_sessions(session: np.ndarray, residuals: np.ndarray, length: int) -> float:
    missing = np.isnan(residuals).any(axis=1)
    sums = SumOfCorrelations(session, length, incomplete=bool(missing.any()))
    order = np.argsort(session, kind="stable")
    for part in lazy.chunks(len(order)):
        rows = order[part]
        sums.update(ResidualChunk.of(rows, residuals[rows]))
    found = sums.result()
    assert found is not None
    return found[0] / (len(session) * (len(session) - 1) / 2)


def by_pairs(residuals: np.ndarray, estimation: np.ndarray, tested: np.ndarray) -> float:
    return mean_correlation(residuals, estimation, tested).mean_correlation


def seconds(run: Callable[[], float]) -> tuple[float, float]:
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        found = run()
        best = min(best, time.process_time() - start)
    return best, found


def gaps(shape: tuple[int, int], session: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20190522)
    one = np.zeros(shape, dtype=bool)
    one[0, 100] = True
    return {
        "none missing": np.zeros(shape, dtype=bool),
        "2% missing": rng.random(shape) < 0.02,
        "30% missing": rng.random(shape) < 0.3,
        "one missing": one,
        "a day in 100 missing for all": (session[:, None] + np.arange(shape[1])) % 100 == 0,
    }


def main() -> None:
    """Print one line a design."""
    rng = np.random.default_rng(0)
    days = np.datetime64("2000-01-01") + np.arange(6000)
    one_date, spread = np.full(5000, 400), rng.integers(300, 5300, 100_000)
    for name, session, length in (
        ("5,000 events of one date", one_date, 1),
        ("100,000 events on 5,000 sessions, one day", spread, 1),
        ("100,000 events on 5,000 sessions, two days", spread, 2),
        ("100,000 events on 5,000 sessions, 21 days", spread, 21),
    ):
        shape = len(session), WIDTH
        noise = rng.standard_normal(shape)
        estimation = days[session[:, None] + np.arange(-WIDTH - 20, -20)]
        tested = days[session[:, None] + np.arange(length)]
        for what, missing in gaps(shape, session).items():
            residuals = np.where(missing, np.nan, noise)
            fast, found = seconds(partial(by_sessions, session, residuals, length))
            slow, want = seconds(partial(by_pairs, residuals, estimation, tested))
            assert abs(found - want) < 1e-12
            print(f"{name}, {what}: {fast:.2f} s; on any calendars {slow:.2f} s", flush=True)


if __name__ == "__main__":
    main()
