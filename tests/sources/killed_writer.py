"""Kill a process in the middle of cache writes, many times, and report what it leaves behind.

Run as a script, so that no thread of the test runner is forked: killed_writer.py FOLDER SEED ROUNDS WRITER.
A child writes one entry over and over, all ones and then all twos, until it is sent SIGKILL at a random time.
WRITER is "atomic" for the library's own writer, or "naive" for one that writes in place, to show that the
kills do come in the middle.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources import cache

SPAN = pd.Timestamp("2000-01-03"), pd.Timestamp("2019-12-31")
DAYS = pd.bdate_range(*SPAN).as_unit("ns")


def entry(value: float) -> cache.Entry:
    values = np.full((len(DAYS), 7), value)
    return cache.Entry(
        pd.DataFrame(values, DAYS.rename("date"), [f"field_{i}" for i in range(7)]), {"v": value}
    )


def in_place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        for start in range(0, len(content), 4096):
            stream.write(content[start : start + 4096])
        stream.flush()
        os.fsync(stream.fileno())


def write_for_ever(ready: int) -> None:
    entries = [entry(1.0), entry(2.0)]
    os.write(ready, b"x")
    while True:
        for one in entries:
            cache.store_prices("X", *SPAN, "none", one)


def state() -> str:
    """Say what a reader finds: nothing, a whole entry, or something else."""
    paths = [p for p in cache._price_folder("X").glob("*") if not p.name.startswith(".part-")]
    if not paths:
        return "absent"
    try:
        frame, about = cache.unpack(paths[0].read_bytes(), "entry")
    except DataError:
        return "corrupt"
    whole = frame.shape == (len(DAYS), 7) and bool((frame == about["v"]).all(axis=None))
    return "whole" if whole and len(paths) == 1 else "corrupt"


def main(folder: str, seed: str, rounds: str, writer: str) -> None:
    os.environ["EVENTSTUDY_CACHE_DIR"] = folder
    if writer == "naive":
        cache.write_atomic = in_place
    chance = random.Random(int(seed))
    seen = {"absent": 0, "whole": 0, "corrupt": 0, "killed while writing": 0}
    for _ in range(int(rounds)):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(read)
                write_for_ever(write)
            finally:
                os._exit(1)
        os.close(write)
        os.read(read, 1)
        os.close(read)
        time.sleep(chance.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the writer ended before it was killed"
        seen[state()] += 1
        parts = list(cache._price_folder("X").glob(".part-*"))
        seen["killed while writing"] += bool(parts)
        for part in parts:
            part.unlink()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
