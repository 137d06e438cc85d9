"""Time what a user waits for: `import eventstudy` beside `import pandas`, and the first touch of `Market`.

Run ``python benchmarks/import_time.py [repeats]``. Each figure is the median of fresh interpreters,
less the start of an interpreter that imports nothing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

CASES = {
    "import pandas": "import pandas",
    "import eventstudy": "import eventstudy",
    "import pandas, eventstudy": "import pandas, eventstudy",
    "import eventstudy as es; es.Market": "import eventstudy as es; es.Market",
    "import eventstudy as es; es.EventStudy": "import eventstudy as es; es.EventStudy",
}


def seconds(code: str) -> float:
    """Return the wall-clock seconds that a fresh interpreter takes to run `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the median times, taken in turns so that a busy moment hits every case alike."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    codes = {"(nothing)": "pass", **CASES}
    for code in codes.values():
        seconds(code)  # fills the caches of compiled files
    rounds = [{label: seconds(code) for label, code in codes.items()} for _ in range(repeats)]
    median = {label: statistics.median(times[label] for times in rounds) for label in codes}
    for label in CASES:
        print(f"{label:40s} {median[label] - median['(nothing)']:7.3f} s")
    extra = median["import pandas, eventstudy"] - median["import pandas"]
    print(f"{'eventstudy on top of pandas':40s} {extra:7.3f} s   (bar: 0.3 s)")


if __name__ == "__main__":
    main()
