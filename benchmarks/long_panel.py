"""A long panel of fifty million rows in Parquet: memory at the peak and seconds of CPU of a study.

    python benchmarks/long_panel.py [--events 20000] [--by date] [--stream]

writes a simulated panel (a row a security-day, sorted by security or by date) to the folder for temporary
files, fits a market model of the events in a process of its own and runs six tests (or streams the
results), prints what that process held at the most and the seconds of CPU of all its threads, and removes
the panel.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import eventstudy as es

ESTIMATION, WINDOW = (-280, -31), (-10, 10)
#: Shares of the security-days without a row, and of the securities listed or delisted within the sample.
MISSING, CHANGED = 0.01, 0.5


def days(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2000-01-03", periods=n).as_unit("us")


def index(n: int) -> pd.Series:
    return pd.Series(0.01 * np.random.default_rng(1).standard_normal(n), days(n), name="index")


def write(path: Path, n_securities: int, n_sessions: int, by: str, before: int = 0) -> int:
    """Write the panel in row groups of fifty securities, or of as many rows of neighbouring days.

    `before` is how many securities other files hold.
    """
    dates, market, rows, block = days(n_sessions), index(n_sessions).to_numpy(), 0, 50
    schema = pa.schema([("permno", pa.int32()), ("date", pa.timestamp("us")), ("ret", pa.float64())])
    steps = range(0, n_securities, block)
    if by == "date":
        steps = range(0, n_sessions, max(1, block * n_sessions // n_securities))
    with pq.ParquetWriter(path, schema) as out:
        for start in steps:
            rng = np.random.default_rng(before + start)
            if by == "date":
                t, s = np.arange(start, min(start + steps.step, n_sessions)), np.arange(n_securities)
                row, who = np.repeat(t, len(s)), np.tile(s, len(t))
            else:
                s = np.arange(start, min(start + block, n_securities))
                row, who = np.tile(np.arange(n_sessions), len(s)), np.repeat(s, n_sessions)
            first, last = listed(n_securities, n_sessions)
            kept = (row >= first[who]) & (row <= last[who]) & (rng.random(len(row)) >= MISSING)
            row, who = row[kept], who[kept]
            ret = market[row] + 0.02 * rng.standard_normal(len(row))
            out.write_table(
                pa.table([10_000 + before + who, dates.to_numpy()[row], ret], names=schema.names).cast(schema)
            )
            rows += len(row)
    return rows


def listed(n_securities: int, n_sessions: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last session of each security; a part of them comes late or goes early, by up to a tenth."""
    rng = np.random.default_rng(3)
    late = np.where(
        rng.random(n_securities) < CHANGED / 2, rng.integers(0, n_sessions // 10, n_securities), 0
    )
    early = np.where(
        rng.random(n_securities) < CHANGED / 2, rng.integers(0, n_sessions // 10, n_securities), 0
    )
    return late, n_sessions - 1 - early


def announcements(n: int, n_securities: int, n_sessions: int) -> es.Events:
    rng = np.random.default_rng(2)
    who, row = rng.integers(0, n_securities, n), rng.integers(900, n_sessions - 600, n)
    frame = pd.DataFrame({"security": (10_000 + who).astype(str), "date": days(n_sessions)[row]})
    return es.Events(frame.drop_duplicates())


def study(path: str, n_securities: int, n_sessions: int, n_events: int, stream: bool) -> None:
    warnings.simplefilter("ignore")

    def report(what: str) -> None:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{what:<40}{time.process_time():>9.1f} s CPU{most:>9.2f} GB at the peak", flush=True)

    report("libraries loaded")
    panel = es.Market.scan_parquet(path, benchmark=index(n_sessions))
    events = announcements(n_events, n_securities, n_sessions)
    if stream:
        out = Path(path).with_name("results")
        found = es.stream_study(panel, events, out, estimation=ESTIMATION, window=WINDOW)
        size = sum(file.stat().st_size for file in out.rglob("*.parquet")) / 2**20
        report(f"{found.n_events:,} events streamed, {size:.0f} MB")
        return
    made = es.EventStudy(panel, events, None, ESTIMATION, WINDOW)
    market = made.spec.market
    report(f"{len(market.securities):,} of {len(panel.securities):,} securities read")
    results = made.fit()
    report(f"{len(results.timeline):,} of {len(events):,} events fitted")
    results.test(0, 1, tests=["patell", "bmp", "adjusted_bmp", "generalized_sign", "rank", "grank_t"])
    report("tested")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--securities", type=int, default=10_750)
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--by", choices=["security", "date"], default="security")
    parser.add_argument("--stream", action="store_true", help="write the results to Parquet, group by group")
    parser.add_argument("--study", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.study:
        study(asked.study, asked.securities, asked.sessions, asked.events, asked.stream)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        rows = write(path, asked.securities, asked.sessions, asked.by)
        print(f"{rows:,} rows, {path.stat().st_size / 2**20:,.0f} MB, sorted by {asked.by}", flush=True)
        size = [
            f"--securities={asked.securities}",
            f"--sessions={asked.sessions}",
            f"--events={asked.events}",
        ]
        size += ["--stream"] * asked.stream
        subprocess.run([sys.executable, __file__, *size, f"--study={path}"], check=True)


if __name__ == "__main__":
    main()
