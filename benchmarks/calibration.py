"""Size and power of the tests on S&P 500 shares, and how long it takes to find them.

Run ``python benchmarks/calibration.py`` to time 1,000 samples of 50 events, every closed-form and rank test,
on two workers; with ``--table`` to make ``docs/data/calibration_sp500.csv`` anew: three models, spread dates
and a common one, the shifts of Brown and Warner. Both read ``../shared/data/panels`` beside the checkout.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import pandas as pd
from joblib.externals.loky import get_reusable_executor

import eventstudy as es

ROOT = Path(__file__).parents[1]
PANELS = ROOT.parent / "shared" / "data" / "panels"
TABLE = ROOT / "docs" / "data" / "calibration_sp500.csv"

SEED, EVENTS, SAMPLES = 20190522, 50, 1000
#: The estimation window of Brown and Warner (1985).
ESTIMATION = (-244, -6)


def market() -> es.Market:
    """Read 498 shares, 2016 to 2020, and the S&P 500."""
    panel = pd.read_parquet(
        PANELS / "us_sp500_daily_2016_2020.parquet", columns=["ticker", "date", "adj_close"]
    )
    prices = panel.pivot(index="date", columns="ticker", values="adj_close")
    prices.columns = prices.columns.astype(str)
    indices = pd.read_parquet(PANELS / "indices_daily_2015on.parquet")
    index = indices[indices["index"] == "SP500_to2025"]
    index = pd.Series(index["close"].to_numpy(), pd.to_datetime(index["date"]), name="S&P 500")
    return es.Market.from_prices(prices, benchmark=index.reindex(prices.index))


def cpu_seconds() -> float:
    """CPU time of this process and its workers, which are sent home first, for only then it is known."""
    get_reusable_executor().shutdown()
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def timed(jobs: int) -> None:
    """Time the size alone, and size with power."""
    shares = market()
    for name, shift, variance in (
        ("size", [0.0], [1.0]),
        ("size and power, ordinary and double variance", [0.0, 0.005, 0.01, 0.02], [1.0, 2.0]),
    ):
        start, busy = time.perf_counter(), cpu_seconds()
        found = es.lab.calibrate(
            shares,
            n_events=EVENTS,
            n_samples=SAMPLES,
            estimation=ESTIMATION,
            shift=shift,
            variance=variance,
            seed=SEED,
            n_jobs=jobs,
        )
        seconds = time.perf_counter() - start
        print(
            f"{name}: {seconds:.1f} s with {jobs} worker(s), {cpu_seconds() - busy:.1f} s of CPU time, "
            f"{len(found.design.tests)} tests",
            flush=True,
        )


def table(jobs: int) -> None:
    """Simulate the table of the documentation."""
    shares = market()
    models = {
        "mean adjusted": es.ConstantMean(),
        "market adjusted": es.MarketAdjusted(),
        "market model": es.MarketModel(),
    }
    parts = []
    for dates in ("spread", "common"):
        found = es.lab.calibrate(
            shares,
            0,
            0,
            n_events=EVENTS,
            n_samples=SAMPLES,
            common_date=dates == "common",
            models=models,
            estimation=ESTIMATION,
            shift=[0.0, 0.005, 0.01, 0.02],
            variance=[1.0],
            seed=SEED,
            n_jobs=jobs,
        )
        frame = found.frame.query("n_samples > 0")
        frame.insert(0, "dates", dates)
        parts.append(frame.drop(columns=["variance", "nominal", "well_specified", "note"]))
    pd.concat(parts, ignore_index=True).round(4).to_csv(TABLE, index=False)
    print(f"{TABLE.relative_to(ROOT)}: {sum(map(len, parts))} rows")


def main() -> None:
    """Time the calibration, or make the table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--table", action="store_true", help="make the table of the documentation")
    asked.add_argument("--jobs", type=int, default=2, help="workers")
    wanted = asked.parse_args()
    (table if wanted.table else timed)(wanted.jobs)


if __name__ == "__main__":
    main()
