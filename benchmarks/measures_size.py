"""How often tests of long horizons, volume, volatility and bars reject a true null at 5 %: a seeded table.

Run ``python benchmarks/measures_size.py`` to make ``docs/data/measures_size.csv`` anew, or with ``--cells``
to renew some of its rows. Each replication has a seed of its own, made of the cell's name and a number.

Cells: buy-and-hold returns of 50 and 200 events (independent, and of one month with correlated errors),
calendar-time portfolios with correlated firms, log turnover with autocorrelated errors, range volatility,
multiples of GARCH forecasts, event dummies in GARCH models, and intraday bars within and across a night.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import eventstudy as es
from eventstudy.errors import EventStudyWarning
from eventstudy.longrun.buyhold import skewed_tests
from eventstudy.volatility.abnormal_volatility import volatility_multiples

TABLE = Path(__file__).parents[1] / "docs" / "data" / "measures_size.csv"
SEED, LEVEL, COVERAGE = 20190522, 0.05, 0.99

PValues = dict[str, list[float]]


@dataclass(frozen=True)
class Cell:
    """One design: what one replication yields, how many there are, and which tests should hold 5 %."""

    name: str
    draw: Callable[[np.random.Generator], PValues]
    replications: int
    holds: frozenset[str]


def _months(
    rng: np.random.Generator, n: int, months: int, correlation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Skewed monthly returns of n firms, and of an index, of one mean: the mean BHAR is zero."""
    market = rng.normal(0.01, 0.04, months)
    common = np.sqrt(correlation) * rng.normal(size=months)
    own = np.sqrt(1 - correlation) * (rng.gamma(4.0, 0.5, (n, months)) - 2.0)
    returns = market + 0.12 * (common + own)
    return np.maximum(returns, -0.95), market


def buy_and_hold(n: int, correlation: float) -> Callable[[np.random.Generator], PValues]:
    """BHARs of n firms over 12 months; with correlation, all over the same ones."""

    def draw(rng: np.random.Generator) -> PValues:
        if correlation:
            returns, market = _months(rng, n, 12, correlation)
            index = np.prod(1 + market)
        else:
            made = [_months(rng, 1, 12, 0.0) for _ in range(n)]
            returns = np.concatenate([r for r, _ in made])
            index = np.array([np.prod(1 + m) for _, m in made])
        values = np.prod(1 + returns, axis=1) - index
        found = {}
        for side in ("two-sided", "less", "greater"):
            table = skewed_tests(values, side, 999, int(rng.integers(2**31)))
            found |= {f"{test} {side}": [p] for test, p in table["p_value"].items()}
        return found

    return draw


def calendar_time(rng: np.random.Generator) -> PValues:
    """120 events of 60 correlated firms over 15 years, held for 24 months."""
    returns, market = _months(rng, 60, 240, 0.05)
    months = pd.date_range("2000-01-31", periods=240, freq="ME")
    frame = pd.DataFrame(returns.T, months, [f"F{i}" for i in range(60)])
    rows = rng.integers(60, 214, 120)
    events = pd.DataFrame({"security": [f"F{i % 60}" for i in range(120)], "date": months[rows]})
    events = events.drop_duplicates()
    laid = es.Market(frame, benchmark=pd.Series(market, months, name="index"))
    found = {}
    for regression in ("ols", "sqrt_n"):
        for cov in ("ols", "hc3", "hac"):
            spec = es.CalendarTimePortfolio(laid, events, (1, 24), regression=regression, cov=cov)
            results = spec.fit()
            found[f"alpha {regression} {cov}"] = [float(results.alpha()["p_value"].iloc[0])]
    table = results.jaffe_mandelker()
    return found | {f"standardised {name}": [float(p)] for name, p in table["p_value"].items()}


MODELS = {
    "least squares": es.MarketModel(),
    "egls": es.AutocorrelatedErrors(),
    "hac": es.AutocorrelatedErrors(method="hac"),
}


def volume(phi: float) -> Callable[[np.random.Generator], PValues]:
    """Log turnover of 20 firms with AR(1) errors, windows of 11 days at 20 dates, 200 estimation days."""

    def draw(rng: np.random.Generator) -> PValues:
        days, n = 600, 20
        shocks = rng.normal(0, 0.4, (days + 50, n + 1))
        errors = np.zeros_like(shocks)
        for t in range(1, days + 50):
            errors[t] = phi * errors[t - 1] + shocks[t]
        market = 0.5 * errors[50:, 0]
        values = -1.0 + 0.8 * market[:, None] + errors[50:, 1:]
        dates = pd.bdate_range("2015-01-01", periods=days)
        laid = es.Market(
            pd.DataFrame(values, dates, [f"F{i}" for i in range(n)]),
            benchmark=pd.Series(market, dates, name="mean"),
            kind="log turnover",
        )
        rows = 230 + 15 * np.arange(n) + rng.integers(0, 4, n)
        events = pd.DataFrame({"security": [f"F{i}" for i in range(n)], "date": dates[rows]})
        found: PValues = {}
        for name, model in MODELS.items():
            study = es.EventStudy(laid, events, model, estimation=(-215, -16), window=(-5, 5)).fit()
            found[f"{name} t"] = study.car(-5, 5)["p_value"].tolist()
            table = study.test(-5, 5, tests=["patell", "bmp"])
            found |= {f"{name} {row.test}": [row.p_value] for row in table.itertuples()}
        return found

    return draw


def ranges(rng: np.random.Generator) -> PValues:
    """Log range volatility of 10 firms of constant variance, from 78 steps a day."""
    days, n = 200, 10
    walk = rng.normal(0, 0.002, (days, n, 78)).cumsum(axis=2)
    walk = np.concatenate([np.zeros((days, n, 1)), walk], axis=2)
    dates, names = pd.bdate_range("2015-01-01", periods=days), [f"F{i}" for i in range(n)]
    parts = {"open": walk[:, :, 0], "high": walk.max(2), "low": walk.min(2), "close": walk[:, :, -1]}
    prices = pd.concat({k: pd.DataFrame(np.exp(v), dates, names) for k, v in parts.items()}, axis=1)
    events = pd.DataFrame({"security": names, "date": dates[150 + 4 * np.arange(n)]})
    found: PValues = {}
    for measure in ("parkinson", "garman_klass"):
        laid = es.range_market(prices, measure, benchmark=None)
        study = es.EventStudy(laid, events, es.ConstantMean(), estimation=(-120, -11), window=(-1, 1)).fit()
        found[f"{measure} t"] = study.car(-1, 1)["p_value"].tolist()
        found[f"{measure} bmp"] = [float(study.test(-1, 1, tests=["bmp"])["p_value"].iloc[0])]
    return found


def garch_market(
    rng: np.random.Generator, n: int, tails: float | None, gap: int
) -> tuple[es.Market, pd.DataFrame]:
    """Make n firms with GARCH errors, and one event of each, `gap` sessions apart."""
    laid, _ = es.lab.simulate_market(
        n, 320 + gap * n, garch=(0.1, 0.8), tails=tails, market_sigma=0.005, tick=1e-6, seed=rng
    )
    events = pd.DataFrame({"security": laid.securities, "date": laid.sessions[270 + gap * np.arange(n)]})
    return laid, events


def multiples(n: int, tails: float | None) -> Callable[[np.random.Generator], PValues]:
    """Multiples of the GARCH forecasts of n firms on different dates."""

    def draw(rng: np.random.Generator) -> PValues:
        laid, events = garch_market(rng, n, tails, 12)
        results = es.AbnormalVolatility(laid, events, estimation=(-250, -6), window=(-5, 5)).fit()
        found: PValues = {}
        for window in ((0, 0), (0, 2), (-5, 5)):
            table = results.test(*window, n_resamples=499, seed=int(rng.integers(2**31)))
            found |= {f"{test} {window}": [p] for test, p in table["p_value"].items()}
            columns = slice(window[0] + 5, window[1] + 6)
            multiple, count = volatility_multiples(
                results._errors[:, columns], results._variances[:, columns]
            )
            unscaled = float((count * multiple).sum())  # (N - 1) times the paper's N / (N - 1) M
            found[f"paper's statistic {window}"] = [float(stats.chi2.sf(unscaled, (count - 1).sum()))]
        return found

    return draw


def dummies(rng: np.random.Generator) -> PValues:
    """Dummies of five days in the GARCH models of 10 firms."""
    laid, events = garch_market(rng, 10, None, 6)
    results = es.EventGARCH(laid, events, dummy=(0, 4)).fit()
    found = {f"{name} t": [float(p)] for name, p in results.test()["p_value"].items()}
    return found | {"likelihood ratio of delta": results.parameters["p_value"].tolist()}


def bars(rng: np.random.Generator) -> PValues:
    """Five firms: minutes within a session, and windows that hold a night, 10 sessions of estimation."""
    made = es.lab.simulate_bars(5, 14, seed=rng)
    laid = es.Market.from_prices(made.prices, benchmark="market", calendar="XSHG", freq="1min")
    names, found = laid.securities, {}
    for where, time in (("within a session", "10:15:30"), ("across a night", "14:55:30")):
        day = laid.sessions[-700].date()
        events = pd.DataFrame({"security": names, "announced_at": f"{day} {time}+08:00"})
        study = es.EventStudy(laid, events, estimation=(-2300, -31), window=(-5, 10)).fit()
        for window in ((0, 0), (0, 10)):
            found[f"t {window} {where}"] = study.car(*window)["p_value"].tolist()
    return found


CELLS = {
    cell.name: cell
    for cell in (
        Cell("bhar-50", buy_and_hold(50, 0.0), 1000, frozenset({"bootstrap two-sided"})),
        Cell("bhar-200", buy_and_hold(200, 0.0), 1000, frozenset({"bootstrap two-sided", "t two-sided"})),
        Cell("bhar-200-one-month", buy_and_hold(200, 0.05), 500, frozenset()),
        Cell(
            "calendar-time", calendar_time, 250,
            frozenset({"alpha ols ols", "alpha ols hc3", "alpha sqrt_n hc3", "standardised t"}),
        ),
        Cell("volume-iid", volume(0.0), 500, frozenset({"least squares t", "egls t", "least squares bmp"})),
        Cell("volume-ar", volume(0.5), 300, frozenset({"least squares bmp", "egls bmp", "hac bmp"})),
        Cell("ranges", ranges, 150, frozenset({"parkinson t", "parkinson bmp", "garman_klass bmp"})),
        Cell(
            "multiples-10-normal", multiples(10, None), 150,
            frozenset({"bootstrap (0, 0)", "chi_square (0, 0)"}),
        ),
        Cell("multiples-10-t5", multiples(10, 5.0), 150, frozenset({"bootstrap (0, 0)"})),
        Cell("dummies", dummies, 100, frozenset({"standardised t"})),
        Cell(
            "bars", bars, 200,
            frozenset({"t (0, 0) within a session", "t (0, 10) within a session"}),
        ),
    )
}  # fmt: skip


def simulate(cell: Cell, replications: int | None = None) -> pd.DataFrame:
    """Simulate one cell: one row per test, with its rejection rate and 99 % interval.

    Where one replication yields several p-values they share data, and the interval counts replications.
    """
    import warnings

    wanted = cell.replications if replications is None else replications
    rejected: dict[str, list[float]] = {}
    for number in range(wanted):
        rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)
            found = cell.draw(rng)
        for test, values in found.items():
            known = [p <= LEVEL for p in values if not np.isnan(p)]
            if known:
                rejected.setdefault(test, []).append(float(np.mean(known)))
    rows = []
    for test, shares in rejected.items():
        rate, n = float(np.mean(shares)), len(shares)
        half = float(stats.norm.ppf(0.5 + COVERAGE / 2))
        spread = float(np.std(shares, ddof=1)) / np.sqrt(n) if n > 1 else 0.0
        spread = max(spread, np.sqrt(LEVEL * (1 - LEVEL) / n) if set(shares) <= {0.0, 1.0} else spread)
        low, high = max(rate - half * spread, 0.0), min(rate + half * spread, 1.0)
        rows.append(
            {
                "cell": cell.name, "test": test, "holds": test in cell.holds, "rate": round(rate, 4),
                "low": round(low, 4), "high": round(high, 4), "replications": n,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS))
    wanted = parser.parse_args().cells
    old = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame({"cell": []})
    parts = dict(list(old.groupby("cell", sort=False)))
    for name in wanted:
        parts[name] = simulate(CELLS[name])
        print(parts[name].to_string(index=False), flush=True)
        pd.concat([parts[n] for n in CELLS if n in parts]).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
