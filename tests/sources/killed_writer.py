"""Kill a process in the middle of cache writes, many times, and report what it leaves behind.

Run as a script, so that no thread of the test runner is forked: killed_writer.py FOLDER SEED ROUNDS WRITER.
A child writes one entry over and over, all ones and then all twos, and sends itself SIGKILL at a random step
of the work: between two system calls, or with part of the bytes written. No clock is involved, so a busy
machine changes nothing. WRITER is "atomic" for the library's own writer, or "naive" for one that writes in
place, to show that the kills do come in the middle.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources import cache

SPAN = pd.Timestamp("2000-01-03"), pd.Timestamp("2019-12-31")
PART = 65_536
DAYS = pd.bdate_range(*SPAN).as_unit("ns")


def entry(value: float) -> cache.Entry:
    values = np.full((len(DAYS), 7), value)
    return cache.Entry(
        pd.DataFrame(values, DAYS.rename("date"), [f"field_{i}" for i in range(7)]), {"v": value}
    )


class Killer:
    """Kill the process at the n-th step that is counted."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.step()
            return call(*args, **options)

        return counted

    def in_parts(self, stream: IO[bytes], content: bytes) -> None:
        for start in range(0, len(content), PART):
            stream.write(content[start : start + PART])
            stream.flush()
            self.step()


class TornFile:
    """A file whose writes may be cut short by the killer."""

    def __init__(self, stream: IO[bytes], killer: Killer) -> None:
        self.stream, self.killer = stream, killer

    def __enter__(self) -> TornFile:
        return self

    def __exit__(self, *problem: object) -> None:
        self.stream.close()

    def write(self, content: bytes) -> None:
        self.killer.in_parts(self.stream, content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def write_until_killed(writer: str, killer: Killer) -> None:
    entries = [entry(1.0), entry(2.0)]
    if writer == "naive":

        def in_place(path: Path, content: bytes) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                killer.in_parts(stream, content)

        cache.write_atomic = in_place
    else:
        opened = os.fdopen
        os.fdopen = lambda *args: TornFile(opened(*args), killer)
        for name in ("fsync", "chmod", "replace"):
            setattr(os, name, killer.before(getattr(os, name)))
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
    chance = random.Random(int(seed))
    seen = {"absent": 0, "whole": 0, "corrupt": 0, "killed while writing": 0}
    for _ in range(int(rounds)):
        killer = Killer(chance.randint(1, 40))
        child = os.fork()
        if child == 0:
            try:
                write_until_killed(writer, killer)
            finally:
                os._exit(1)
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
