"""How often t of slopes rejects a true null at 5% where few events or dates decide the slope.

Run ``python benchmarks/slope_size.py`` to make ``docs/data/slope_size.csv`` anew (two minutes), or with
``--replications N`` to try it. Samples have a seed of their own for each design; regressors that are random
are drawn anew for each. The same errors go to every method. A rate is also that of 95% intervals which miss
the true slope.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.sandwich_covariance import S_crosssection

from eventstudy.regressions.core import wild_cluster_p
from eventstudy.regressions.robust import hc_covariance, sandwich

TABLE = Path(__file__).parents[1] / "docs" / "data" / "slope_size.csv"
SEED, LEVEL, REPLICATIONS = 20190522, 0.05, 4000
CORRELATION = 0.4
DRAWS = 199

#: Regressor and errors of a sample.
Sample = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


def category(n: int, m: int, spread: float = 1.0) -> Sample:
    """Make a dummy of m of n events, whose errors have `spread` times the others' standard deviation."""
    x = (np.arange(n) < m).astype(float)
    return lambda rng: (x, rng.normal(size=n) * np.where(x > 0, spread, 1.0))


def amount(n: int, rising: bool) -> Sample:
    """Make a log-normal characteristic such as size in dollars; errors vary more with it, or not."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = np.exp(1.5 * rng.normal(size=n))
        return x, rng.normal(size=n) * (0.3 + np.minimum(x, 6) if rising else 1.0)

    return draw


def skewed(n: int, m: int) -> Sample:
    """Make a dummy of m of n events and log-normal errors."""
    return lambda rng: ((np.arange(n) < m).astype(float), np.exp(rng.normal(size=n)))


INDEPENDENT: dict[str, Sample] = {
    **{f"category of {m} of {n}": category(n, m) for n in (20, 60, 300) for m in (2, 3, 5, 10)},
    "category of 3 of 12, their errors three times as large": category(12, 3, 3.0),
    "category of 5 of 60, their errors three times as large": category(60, 5, 3.0),
    "log-normal, 20 events": amount(20, rising=False),
    "log-normal, 20 events, errors rise with it": amount(20, rising=True),
    "log-normal, 60 events, errors rise with it": amount(60, rising=True),
    "category of 5 of 60, log-normal errors": skewed(60, 5),
}


def slope(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Slope and residuals of a regression with a constant."""
    coef = np.linalg.lstsq(x, y, rcond=None)[0]
    return float(coef[1]), y - x @ coef


def p_value(estimate: float, variance: float, dof: float) -> float:
    """P-value of t."""
    return float(2 * stats.t.sf(abs(estimate) / np.sqrt(variance), dof))


def independent(draw: Sample, rng: np.random.Generator) -> dict[str, float]:
    """P-values of a sample of events that are independent."""
    regressor, y = draw(rng)
    x = np.column_stack([np.ones(len(y)), regressor])
    estimate, e = slope(x, y)
    found = sandwich(x, e, np.arange(len(y)), 1.0)
    usual = {
        f"{kind}, t(N - k)": p_value(estimate, hc_covariance(x, e, kind)[1, 1], len(y) - 2)
        for kind in ("HC1", "HC3")
    }
    return {"HC3, Bell-McCaffrey t": p_value(estimate, found.covariance[1, 1], found.dof[1])} | usual


def by_dates(kind: str, dates: int, per: int, rng: np.random.Generator) -> dict[str, float]:
    """P-values of a sample of events that are correlated within a date."""
    groups = np.arange(dates).repeat(per)
    n = len(groups)
    regressor = {
        "varies by date": lambda: rng.normal(size=dates)[groups],
        "varies within dates": lambda: rng.normal(size=n),
        "two of the dates": lambda: (groups < 2).astype(float),
    }[kind]()
    y = np.sqrt(CORRELATION) * rng.normal(size=dates)[groups] + np.sqrt(1 - CORRELATION) * rng.normal(size=n)
    x = np.column_stack([np.ones(n), regressor])
    estimate, e = slope(x, y)
    found = sandwich(x, e, groups, 0.5)
    inverse = np.linalg.inv(x.T @ x)
    factor = dates / (dates - 1) * (n - 1) / (n - 2)
    plain = factor * inverse @ S_crosssection(x * e[:, None], groups) @ inverse
    draws = rng.choice([-1.0, 1.0], size=(dates, DRAWS))
    return {
        "CR2, Bell-McCaffrey t": p_value(estimate, found.covariance[1, 1], found.dof[1]),
        "CR1, t(G - 1)": p_value(estimate, plain[1, 1], dates - 1),
        "wild cluster bootstrap": float(wild_cluster_p(y, x, groups, draws)[1]),
    }


def designs() -> Iterator[tuple[str, Callable[[np.random.Generator], dict[str, float]]]]:
    """Name and sample of each design."""
    for name, draw in INDEPENDENT.items():
        yield name, lambda rng, draw=draw: independent(draw, rng)
    for dates, per in ((4, 6), (8, 5), (15, 3), (40, 3)):
        for kind in ("varies by date", "varies within dates", "two of the dates"):
            yield (
                f"{dates} dates, {kind}",
                lambda rng, kind=kind, dates=dates, per=per: by_dates(kind, dates, per, rng),
            )


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--out", type=Path, default=TABLE)
    asked = parser.parse_args()
    rows = []
    for name, draw in designs():
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        rejects = pd.DataFrame([draw(rng) for _ in range(asked.replications)]) <= LEVEL
        rows += [(name, method, rejects[method].mean(), asked.replications) for method in rejects]
        print(f"{name}: {rejects.mean().round(4).to_dict()}", flush=True)
    frame = pd.DataFrame(rows, columns=["design", "method", "rate", "replications"])
    frame.to_csv(asked.out, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
