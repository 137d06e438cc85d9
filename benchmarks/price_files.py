"""Time and memory of `read_prices` on a CRSP file of a million rows, beside pandas on the same columns.

    python benchmarks/price_files.py [--rows 1000000]

Pandas reads the five columns, parses the dates and pivots prices, returns and volume.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

PANDAS = """
frame = pd.read_csv(path, usecols=["PERMNO", "date", "PRC", "VOL", "RET"], low_memory=False)
frame["RET"] = pd.to_numeric(frame["RET"], errors="coerce")
frame["date"] = pd.to_datetime(frame["date"], format="%Y%m%d")
wide = frame.pivot(index="date", columns="PERMNO", values=["PRC", "VOL", "RET"])
"""
OURS = "wide = es.sources.read_prices(path)"


def write(path: Path, rows: int) -> None:
    rng, days = np.random.default_rng(0), pd.bdate_range("2000-01-03", periods=2_500).strftime("%Y%m%d")
    permnos = np.arange(10_001, 10_001 + max(rows // len(days), 1))
    n = len(permnos) * len(days)
    ret = pd.Series(rng.normal(0, 0.02, n).round(6)).astype(str)
    ret[:: len(days)] = "C"
    frame = pd.DataFrame(
        {
            "PERMNO": np.repeat(permnos, len(days)), "date": np.tile(days, len(permnos)), "TICKER": "AAA",
            "COMNAM": "A COMPANY INC", "SHRCD": 11, "PRC": rng.uniform(5, 500, n).round(3),
            "VOL": rng.integers(100, 1_000_000, n), "RET": ret, "SHROUT": 100_000, "CFACPR": 1.0,
        }
    )  # fmt: skip
    frame.to_csv(path, index=False)


def measure(code: str, path: Path) -> tuple[float, float]:
    """Seconds of CPU and peak MB of a process of its own."""
    program = (
        "import resource, time, pandas as pd, eventstudy as es; es.sources.read_prices; "
        f"path = {str(path)!r}; "
        f"begun = time.process_time()\n{code}\n"
        "print(time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    seconds, kilobytes = map(float, out.split())
    return seconds, kilobytes / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crsp.csv"
        write(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
        base = measure(PANDAS, path)
        ours = measure(OURS, path)
    for name, (seconds, megabytes) in (("pandas", base), ("read_prices", ours)):
        print(f"{name:12} {seconds:6.2f} s {megabytes:7.0f} MB")
    print(f"ratio        {ours[0] / base[0]:6.2f}   {ours[1] / base[1]:7.2f}")


if __name__ == "__main__":
    main()
