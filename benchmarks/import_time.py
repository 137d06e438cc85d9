"""Time what a user waits for: `import eventstudy` beside `import pandas`, first summary and first figure.

Run ``python benchmarks/import_time.py [repeats]``. Each figure is the median of fresh interpreters,
less the start of an interpreter that imports nothing: seconds of the clock, and of CPU, which another
program on the machine disturbs less. The summary and the figure are of two firms in the bundled prices,
all from the import on; the figure is drawn to a PNG.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

FIT = """
import eventstudy as es
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
events = [{"security": who, "date": "2019-05-22"} for who in ("002415.SZ", "002236.SZ")]
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
"""
SUMMARY = FIT + "str(results.summary(0, 1))\n"
FIGURE = "import io\nresults.plot.caar().figure.savefig(io.BytesIO(), format='png')\n"
CASES = {
    "import pandas": "import pandas",
    "import eventstudy": "import eventstudy",
    "import pandas, eventstudy": "import pandas, eventstudy",
    "import eventstudy as es; es.Market": "import eventstudy as es; es.Market",
    "import eventstudy as es; es.EventStudy": "import eventstudy as es; es.EventStudy",
    "... first fit()": FIT,
    "... first summary()": SUMMARY,
    "... first figure, without summary()": FIT + FIGURE,
    "... summary() and figure": SUMMARY + FIGURE,
}


class Seconds(NamedTuple):
    """What an interpreter takes, by the clock and of CPU."""

    clock: float
    cpu: float


def seconds(code: str) -> Seconds:
    """Return the seconds that a fresh interpreter takes to run `code`."""
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    clock, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Seconds(clock, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


def main() -> None:
    """Print the median times, taken in turns so that a busy moment hits every case alike."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    codes = {"(nothing)": "pass", **CASES}
    for code in codes.values():
        seconds(code)  # fills the caches of compiled files
    rounds = [{label: seconds(code) for label, code in codes.items()} for _ in range(repeats)]
    median = {
        label: Seconds(*(statistics.median(each) for each in zip(*(r[label] for r in rounds), strict=True)))
        for label in codes
    }
    nothing = median["(nothing)"]
    print(f"{'':40s} {'clock':>9s} {'CPU':>9s}")
    for label in CASES:
        took = median[label]
        print(f"{label:40s} {took.clock - nothing.clock:7.3f} s {took.cpu - nothing.cpu:7.3f} s")
    with_us, alone = median["import pandas, eventstudy"], median["import pandas"]
    extra = Seconds(with_us.clock - alone.clock, with_us.cpu - alone.cpu)
    print(f"{'eventstudy on top of pandas':40s} {extra.clock:7.3f} s {extra.cpu:7.3f} s   (bar: 0.3 s)")


if __name__ == "__main__":
    main()
