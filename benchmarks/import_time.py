"""Time what a user waits for in a fresh interpreter, in multiples of `import pandas`.

Run ``python benchmarks/import_time.py [repeats]``. Each time is the median of fresh interpreters, beyond one
that imports pandas alone, over what that import takes: of the clock, and of CPU, which another program on
the machine disturbs less. Everything counts from the import on. The study is of two firms in the bundled
prices; the figure is drawn to a PNG. What is compiled is kept beside a file or under PYTHONPYCACHEPREFIX, and
a first round fills it, whatever PYTHONDONTWRITEBYTECODE says.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

STUDY = """
import eventstudy as es
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ"{calendar})
events = [{{"security": who, "date": "2019-05-22"}} for who in ("002415.SZ", "002236.SZ")]
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
"""
PLAIN, CALENDAR = STUDY.format(calendar=""), STUDY.format(calendar=", calendar='XSHG'")
CAR = "results.car(0, 1)\n"
SUMMARY = "str(results.summary(0, 1))\n"
FIGURE = "import io\nresults.plot.caar().figure.savefig(io.BytesIO(), format='png')\n"
#: What is run, and how many imports of pandas it may take beyond the one.
CASES: dict[str, tuple[str, float | None]] = {
    "import eventstudy": ("import pandas, eventstudy", None),
    "es.Market": ("import eventstudy as es; es.Market", None),
    "first car()": (PLAIN + CAR, 0.8),
    "first car(), with an exchange calendar": (CALENDAR + CAR, 1.1),
    "first summary(), with a calendar": (CALENDAR + SUMMARY, 1.5),
    "first figure, with a calendar": (CALENDAR + FIGURE, 3.0),
    "summary() and figure": (CALENDAR + SUMMARY + FIGURE, None),
}


class Seconds(NamedTuple):
    """What an interpreter takes, by the clock and of CPU."""

    clock: float
    cpu: float


def seconds(code: str) -> Seconds:
    """Return the seconds that a fresh interpreter takes to run `code`."""
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", code], check=True, env=compiled)
    clock, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Seconds(clock, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


def main() -> None:
    """Print the median times, taken in turns so that a busy moment hits every case alike."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    codes = {"nothing": "pass", "pandas": "import pandas"} | {
        label: code for label, (code, _) in CASES.items()
    }
    for code in codes.values():
        seconds(code)
    rounds = [{label: seconds(code) for label, code in codes.items()} for _ in range(repeats)]
    median = {
        label: Seconds(*(statistics.median(each) for each in zip(*(r[label] for r in rounds), strict=True)))
        for label in codes
    }
    nothing, pandas = median["nothing"], median["pandas"]
    unit = Seconds(pandas.clock - nothing.clock, pandas.cpu - nothing.cpu)
    print(f"import pandas: {unit.clock:.3f} s, {unit.cpu:.3f} s of CPU. Beyond it, in multiples of it:")
    print(f"{'':40s} {'clock':>7s} {'CPU':>7s} {'asked':>7s}")
    for label, (_, asked) in CASES.items():
        clock, cpu = (
            (median[label].clock - pandas.clock) / unit.clock,
            (median[label].cpu - pandas.cpu) / unit.cpu,
        )
        print(f"{label:40s} {clock:7.2f} {cpu:7.2f} {asked or '':>7}")


if __name__ == "__main__":
    main()
