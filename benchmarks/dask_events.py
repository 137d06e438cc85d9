"""Events from Parquet on a Dask cluster of this machine: seconds, memory per worker, and their slope.

    python benchmarks/dask_events.py [--events 200000 400000 2000000] [--workers 2] [--table file.csv]

Each task is a file: 250 securities by 5,000 sessions, and a hundred events of each security, which
`stream_study` measures and writes to Parquet. A worker holds one file's returns and results at a time, so
its memory does not grow with the events. Two million events need a panel of 100 million rows, 1 GB. Panel
and results lie in a temporary folder. One file of each run is measured again, without the cluster, and a
worker that exceeds `--memory` is killed, which ends the run with an error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from long_panel import ESTIMATION, WINDOW, days, index, listed, write
from many_events import most_held

import eventstudy as es

SECURITIES, SESSIONS, PER_SECURITY = 250, 5_000, 100
CARS = [(0, 1), WINDOW]


def events_of(file: int) -> pd.DataFrame:
    """Draw the events of a file: dates of its own for each security, away from its first and last session."""
    rng = np.random.default_rng([7, file])
    first, last = listed(SECURITIES, SESSIONS)
    rows = [
        rng.choice(np.arange(start + 300, end - 30), PER_SECURITY, replace=False)
        for start, end in zip(first, last, strict=True)
    ]
    who = np.repeat(10_000 + file * SECURITIES + np.arange(SECURITIES), PER_SECURITY)
    return pd.DataFrame({"security": who.astype(str), "date": days(SESSIONS)[np.concatenate(rows)]})


def make(folder: Path, files: int) -> None:
    """Write the panel and the events, a file of each per task."""
    (folder / "panel").mkdir()
    (folder / "events").mkdir()
    for file in range(files):
        write(folder / "panel" / f"{file:05d}.parquet", SECURITIES, SESSIONS, "security", file * SECURITIES)
        events_of(file).to_parquet(folder / "events" / f"{file:05d}.parquet")


def ready() -> str:
    """Load the library in a worker before the clock runs."""
    return es.stream_study.__name__


def measure(folder: Path, file: int) -> tuple[int, int, float]:
    """Measure one file's events; return how many were, how many were not, and the seconds of CPU."""
    warnings.simplefilter("ignore")
    begun = time.process_time()
    panel = es.Market.scan_parquet(folder / "panel" / f"{file:05d}.parquet", benchmark=index(SESSIONS))
    events = es.Events(pd.read_parquet(folder / "events" / f"{file:05d}.parquet"))
    found = es.stream_study(
        panel, events, folder / "results" / f"{file:05d}", estimation=ESTIMATION, window=WINDOW, cars=CARS
    )
    return found.n_events, found.n_excluded, time.process_time() - begun


def check(folder: Path, files: int) -> float:
    """Return the largest difference of one file's CARs from those of a study in memory."""
    file = int(np.random.default_rng(files).integers(files))
    streamed = es.StreamedStudy(folder / "results" / f"{file:05d}", 0, 0).read("car")
    streamed = streamed[(streamed["start"] == WINDOW[0]) & (streamed["end"] == WINDOW[1])]["car"].sort_index()
    frame = pd.read_parquet(folder / "panel" / f"{file:05d}.parquet")
    wide = frame.pivot(index="date", columns="permno", values="ret")
    market = es.Market(wide.rename(columns=str), benchmark=index(SESSIONS))
    events = es.Events(events_of(file))
    alone = es.EventStudy(market, events, None, ESTIMATION, WINDOW).fit().car(*WINDOW)["car"]
    pd.testing.assert_index_equal(streamed.index, alone.index, check_names=False)
    return float((streamed - alone).abs().max())


@dataclass(frozen=True)
class Run:
    """What a cluster took: seconds by the clock and of CPU in tasks, memory of the worker that held most."""

    events: int
    measured: int
    files: int
    workers: int
    clock: float
    cpu: float
    cpu_per_file: float
    memory: float
    memory_at_start: float
    read: float
    written: float
    difference: float


def run(folder: Path, files: int, workers: int, memory: str) -> Run:
    """Measure the events of the first `files` files, on a new cluster."""
    shutil.rmtree(folder / "results", ignore_errors=True)
    options = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "memory_limit": memory,
        "dashboard_address": None,
    }
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.run(ready)
        at_start = max(client.run(most_held).values())
        begun = time.perf_counter()
        done = client.gather(client.map(measure, [folder] * files, list(range(files)), pure=False))
        clock = time.perf_counter() - begun
        memory_held = max(client.run(most_held).values())
    measured, excluded, cpu = (sum(column) for column in zip(*done, strict=True))
    asked = files * SECURITIES * PER_SECURITY
    if measured + excluded != asked:
        raise RuntimeError(f"{asked:,} events asked for, {measured:,} measured and {excluded:,} excluded.")
    read = sum(
        (folder / kind / f"{file:05d}.parquet").stat().st_size
        for kind in ("panel", "events")
        for file in range(files)
    )
    written = sum(file.stat().st_size for file in (folder / "results").rglob("*.parquet"))
    return Run(
        asked, measured, files, workers, clock, cpu, cpu / files, memory_held, at_start,
        read / 1e6, written / 1e6, check(folder, files),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, nargs="+", default=[200_000, 400_000, 2_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--memory", default="1GiB", help="limit of a worker")
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    files = [max(1, round(n / (SECURITIES * PER_SECURITY))) for n in asked.events]
    runs = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        make(folder, max(files))
        for workers in asked.workers:
            for count in files:
                runs.append(asdict(run(folder, count, workers, asked.memory)))
                print(runs[-1], flush=True)
                if asked.table:
                    table = pd.DataFrame(runs).assign(cores=os.cpu_count(), date=date.today().isoformat())
                    table.to_csv(asked.table, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
