"""Size of the tests of causal studies on placebo events of real panels, for ``docs/data/causal_size.csv``.

    python benchmarks/causal_size.py [--estimator synthetic_did] [--panel sp500] [--treated 5] [--samples 300]

Reads the panels in ``../shared/data``. Each sample draws a date and treated firms; donors are sixty firms,
drawn anew for every hundred samples. Synthetic control is run 1,000 times, the others 300 times.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import eventstudy as es

PANELS = Path(__file__).parents[2] / "shared" / "data" / "panels"
TABLE = Path(__file__).parents[1] / "docs" / "data" / "causal_size.csv"
DONORS, PER_LIST = 60, 100
ESTIMATION, WINDOW = (-250, -31), (0, 2)
TESTS = (
    "placebo",
    "placebo_ratio",
    "conformal_block",
    "conformal_block_scaled",
    "conformal_iid",
    "conformal_iid_scaled",
    "cross_fit_t",
    "cross_fit_t_scaled",
)
#: The estimator, the numbers of treated firms, samples, and draws per test.
DESIGNS: dict[str, tuple[es.causal.CounterfactualEstimator, tuple[int, ...], int, int]] = {
    "synthetic_control": (es.causal.SyntheticControl(), (1, 5), 1000, 99),
    "synthetic_matching": (es.causal.SyntheticMatching(), (5,), 300, 99),
    "difference_in_differences": (es.causal.DifferenceInDifferences(), (5,), 300, 99),
    "interactive_fixed_effects": (es.causal.InteractiveFixedEffects(), (5,), 300, 99),
    "synthetic_did": (es.causal.SyntheticDiD(), (5,), 300, 39),
    "matrix_completion": (es.causal.MatrixCompletion(), (5,), 300, 19),
}
KEYS = ["panel", "treated", "estimator", "test", "days"]


def sp500() -> es.Market:
    """S&P 500 names, 2016 to 2020."""
    long = pq.read_table(PANELS / "us_sp500_daily_2016_2020.parquet").to_pandas(ignore_metadata=True)
    wide = long.pivot(index="date", columns="ticker", values="adj_close").sort_index()
    wide.index = pd.DatetimeIndex(wide.index)
    return es.Market(wide.pct_change(fill_method=None).iloc[1:].astype(float))


def a_shares() -> es.Market:
    """Six hundred A-shares that seldom halt, 2017 to 2020: returns in percent, suspended days missing."""
    wide = pq.read_table(PANELS / "cn_returns_pct_2017_2020.parquet").to_pandas(ignore_metadata=True)
    wide = wide.set_index(pd.to_datetime(wide.pop("date"))).astype(float) / 100
    often = wide.columns[wide.notna().mean() >= 0.98]
    chosen = np.random.default_rng(1).choice(often, 600, replace=False)
    return es.Market(wide[chosen])


MARKETS = {"sp500": sp500, "a_shares": a_shares}


def rates(
    market: es.Market,
    n_treated: int,
    estimator: es.causal.CounterfactualEstimator,
    n_samples: int,
    n_draws: int = 99,
    tests: Sequence[str] = TESTS,
) -> pd.DataFrame:
    """Pool the samples of several lists of donors."""
    rng = np.random.default_rng(20251119)
    known = market.returns.notna().mean()
    often = known.index[known >= 0.98].to_numpy()
    found = None
    for part in range(-(-n_samples // PER_LIST)):
        donors = rng.choice(often, DONORS, replace=False).tolist()
        treated = rng.choice(often, n_treated, replace=False)
        events = [{"security": name, "date": market.sessions[300]} for name in treated]
        study = es.CausalStudy(market, events, estimator, donors=donors, estimation=ESTIMATION, window=WINDOW)
        made = es.lab.calibrate(
            study,
            *WINDOW,
            n_samples=min(PER_LIST, n_samples - part * PER_LIST),
            tests=tests,
            n_resamples=n_draws,
            seed=part,
        )
        values = np.column_stack([made.donor_ratio, made.p_values])
        found = values if found is None else np.concatenate([found, values])
    assert found is not None
    pooled = es.lab.CausalCalibration(made.design, found[:, 1:], found[:, 0])
    return pooled.rates()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--panel", choices=sorted(MARKETS), action="append")
    parser.add_argument("--treated", type=int, action="append")
    parser.add_argument("--estimator", choices=list(DESIGNS), action="append")
    parser.add_argument("--test", choices=TESTS, action="append")
    chosen = parser.parse_args()
    for name in chosen.estimator or DESIGNS:
        estimator, numbers, n_samples, n_draws = DESIGNS[name]
        for n in chosen.treated or numbers:
            for panel in chosen.panel or sorted(MARKETS):
                tests = chosen.test or TESTS
                frame = rates(MARKETS[panel](), n, estimator, chosen.samples or n_samples, n_draws, tests)
                frame.insert(0, "panel", panel)
                frame.insert(1, "treated", n)
                frame.insert(2, "estimator", estimator.label)
                frame = frame[frame["n_samples"] > 0].round(5)
                print(frame[frame["days"] == "all"].to_string(), flush=True)
                old = pd.read_csv(TABLE)
                pooled = pd.concat([old, frame]).drop_duplicates(KEYS, keep="last")
                pooled.sort_values(KEYS).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
