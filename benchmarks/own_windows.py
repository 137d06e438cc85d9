"""Windows of each event's own against one for all: seconds of CPU of the fit of many events.

    python benchmarks/own_windows.py [events]

fits the same events with a common estimation and event window, and with columns that give every event windows
of its own, up to forty sessions shorter; the two alternate, and the shortest of five is printed, with the
ratio.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from many_events import ESTIMATION, WINDOW, events, market

import eventstudy as es

ROUNDS = 5


def own(common: es.Events) -> es.Events:
    """Return the events with windows of their own."""
    rng, n = np.random.default_rng(3), len(common)
    frame = common.frame[["security", "date"]].assign(
        estimation_start=ESTIMATION[0] + rng.integers(0, 40, n),
        estimation_end=ESTIMATION[1],
        window_start=WINDOW[0] + rng.integers(0, 5, n),
        window_end=WINDOW[1] - rng.integers(0, 5, n),
    )
    return es.Events(pd.DataFrame(frame))


def seconds(study: es.EventStudy) -> float:
    """Seconds of CPU of one fit."""
    start = time.process_time()
    study.fit()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    prices = market()
    common = events(prices, n)
    studies = {
        "common": es.EventStudy(prices, common, estimation=ESTIMATION, window=WINDOW),
        "own": es.EventStudy(prices, own(common), estimation=ESTIMATION, window=WINDOW),
    }
    times: dict[str, list[float]] = {name: [] for name in studies}
    for _ in range(ROUNDS):
        for name, study in studies.items():
            times[name].append(seconds(study))
    best = {name: min(each) for name, each in times.items()}
    ratio = best["own"] / best["common"]
    print(f"{n} events: common {best['common']:.2f} s, own {best['own']:.2f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
