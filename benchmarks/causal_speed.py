"""Time the fit of 1,000 treated firms on 200 dates with 100 donors and 250 days, in CPU seconds.

    python benchmarks/causal_speed.py

Returns are simulated. BLAS runs on one thread where OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

import eventstudy as es
from eventstudy import lab

N_TREATED, N_DATES, N_DONORS = 1000, 200, 100

ESTIMATORS = {
    "SyntheticControl, by date": es.causal.SyntheticControl(),
    "SyntheticControl, by event": es.causal.SyntheticControl(by="event"),
    "SyntheticDiD": es.causal.SyntheticDiD(),
    "DifferenceInDifferences": es.causal.DifferenceInDifferences(),
    "InteractiveFixedEffects": es.causal.InteractiveFixedEffects(n_factors=3),
}


def main() -> None:
    """Print one line per estimator."""
    market = lab.simulate_market(N_TREATED + N_DONORS, 300 + N_DATES + 20, seed=1).market
    treated, donors = market.securities[:N_TREATED], market.securities[N_TREATED:]
    rows = 290 + np.arange(N_TREATED) % N_DATES
    events = es.Events({"security": treated, "date": market.sessions[rows]})
    for name, estimator in ESTIMATORS.items():
        study = es.CausalStudy(
            market, events, estimator=estimator, donors=donors, estimation=(-280, -31), window=(0, 10)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", es.errors.EventStudyWarning)
            began = time.process_time()
            results = study.fit()
        seconds = time.process_time() - began
        print(f"{name:28} {seconds:6.1f} s for {len(results.by_event)} events", flush=True)


if __name__ == "__main__":
    main()
