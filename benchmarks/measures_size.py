"""How often tests of long horizons, volume, volatility and bars reject a true null at 5%: a seeded table.

Run ``python benchmarks/measures_size.py`` to make ``docs/data/measures_size.csv`` anew, or with ``--cells``
to renew some of its rows. Each replication has a seed of its own, made of the cell's name and a number.

Cells: buy-and-hold returns over 12 and 36 months against an index and matched firms (independent, and of one
month with correlated errors), calendar-time portfolios of events of 1 to 60 months and of many years, log
turnover with autocorrelated errors, range volatility, multiples of GARCH forecasts, event dummies in GARCH
models, and intraday bars within a session and on a night, with 4, 9 and 40 nights before it.

The column `holds` is the verdict of the simulation: whether the 95% interval of the rate meets 3.5 to
6.5%. `recommended` is what the library itself names in the first replication of the design; each of these
tests must hold, or be one of `CONSERVATIVE`. ``--advice`` renews this column alone.
"""

from __future__ import annotations

import argparse
import inspect
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import EventStudyWarning
from eventstudy.inference import TESTS, Options, TestInput, recommend
from eventstudy.inference.time_of_day import time_of_day_t
from eventstudy.lab.sample_tests import SampleTests
from eventstudy.longrun.buyhold import skewed_tests, standardised_mean
from eventstudy.models.autocorrelated import bartlett_lags
from eventstudy.volatility.abnormal_volatility import volatility_multiples

TABLE = Path(__file__).parents[1] / "docs" / "data" / "measures_size.csv"
SEED, LEVEL, COVERAGE = 20190522, 0.05, 0.95
REPLICATIONS = 1000
#: Cells that have fewer so far.
FEWER: dict[str, int] = {"volume-iid": 200, "dummies": 100}
#: Rates that count as 5%.
BAND = (0.035, 0.065)

#: Tests that reject less, and why.
CONSERVATIVE = {
    "sign": "of ten or twenty signs no number has a probability of 5%: 2.1 and 4.1% are the nearest below",
    "sq": "of 36 blocks of three days the first rank alone is below 5%: 2.7%",
    "conformal": "the same",
}

PValues = dict[str, list[float]]
Draw = Callable[[np.random.Generator], PValues]
Advice = Callable[[np.random.Generator], set[str]]


@dataclass(frozen=True)
class Cell:
    """One design: the p-values of one replication, what the library names in it, and how many there are."""

    name: str
    draw: Draw
    advice: Advice

    @property
    def replications(self) -> int:
        """How many there are in the table."""
        return FEWER.get(self.name, REPLICATIONS)

    def rng(self, number: int) -> np.random.Generator:
        """Source of the random numbers of one replication."""
        return np.random.default_rng([SEED, zlib.crc32(self.name.encode()), number])


def one_by_one(key: str, data: TestInput) -> np.ndarray:
    """P-values of a test of each event on its own, shape (N,); NaN where it does not apply."""
    alone = SampleTests(data, 1, None)
    return alone.p_values(data, [key], [Options(seed=0)] * data.n_events)[:, 0]


def named(data: TestInput, prefix: str = "") -> set[str]:
    """Name the tests that the library recommends, as rows of the table."""
    return {f"{prefix}{test} {data.window.start, data.window.end}" for test in recommend(data)["test"]}


def p_values(data: TestInput, keys: list[str], prefix: str, rng: np.random.Generator) -> PValues:
    """P-values of some tests, as rows of the table."""
    options = Options(n_resamples=399, seed=int(rng.integers(2**31))).settled()
    found: PValues = {}
    for key in keys:
        # As `run_tests` does, without the notes and detectable effects of its table.
        test = TESTS[key]
        used = test.events_of(data)
        able = not isinstance(used, str) and test.condition(used) is None
        p = test.compute(used, options).p_value if able else np.nan
        found[f"{prefix}{key} {data.window.start, data.window.end}"] = [p]
    return found


def _errors(rng: np.random.Generator, n: int, months: int, sigma: float, correlation: float) -> np.ndarray:
    """Errors of n firms, skewed to the right, with a normally distributed part that all of them share."""
    common = np.sqrt(correlation) * rng.normal(size=months)
    return sigma * (common + np.sqrt(1 - correlation) * (rng.gamma(4.0, 0.5, (n, months)) - 2.0))


def buy_and_hold(
    n: int, months: int, sigma: float, *, matched: bool = False, correlation: float = 0.0
) -> tuple[Draw, Advice]:
    """BHARs of n firms over horizons that begin anywhere in 20 years; with correlation, all over the same."""
    sides = ("two-sided",) if matched else ("two-sided", "less", "greater")

    def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        market = rng.normal(0.01, 0.04, 240)
        first = rng.integers(0, 240 - months, 1 if correlation else n)
        period = first[:, None] + np.arange(months) + np.zeros((n, 1), dtype=int)
        returns = [
            np.maximum(market[period] + _errors(rng, n, months, sigma, correlation), -0.95)
            for _ in range(2 if matched else 1)
        ]
        return market, period, returns

    def draw(rng: np.random.Generator) -> PValues:
        market, period, returns = data(rng)
        own, other = returns[0], returns[1] if matched else market[period]
        values = np.prod(1 + own, axis=1) - np.prod(1 + other, axis=1)
        found = {}
        for side in sides:
            table = skewed_tests(values, side, 999, int(rng.integers(2**31)))
            found |= {f"{test} {side}": [p] for test, p in table["p_value"].items()}
        _, t, dof = standardised_mean(list(np.log1p(own) - np.log1p(other)), list(period))
        return found | {"standardised two-sided": [float(2 * stats.t.sf(abs(t), dof))]}

    def advice(rng: np.random.Generator) -> set[str]:
        """Lay the same firms out as a market, and ask `BuyAndHold`."""
        market, period, returns = data(rng)
        dates = pd.date_range("2000-01-31", periods=241, freq="ME")
        index = pd.Series(np.r_[0.01, market], dates, name="index")
        frame = pd.DataFrame({f"{side}{i}": index for side in "FM"[: len(returns)] for i in range(n)})
        for side, values in zip("FM", returns, strict=False):
            for i in range(n):
                frame.loc[dates[1 + period[i]], f"{side}{i}"] = values[i]
        events = pd.DataFrame({"security": [f"F{i}" for i in range(n)], "date": dates[period[:, 0]]})
        events["match"] = [f"M{i}" for i in range(n)]
        reference = es.MatchedFirms(column="match") if matched else None
        table = es.BuyAndHold(es.Market(frame, benchmark=index), events, (1, months), reference).fit().test()
        other = returns[1] if matched else market[period]
        values = np.prod(1 + returns[0], axis=1) - np.prod(1 + other, axis=1)
        assert np.isclose(table["p_value"]["t"], stats.ttest_1samp(values, 0).pvalue)
        return {f"{test} {side}" for test in table.index[table["recommended"]] for side in sides}

    return draw, advice


def _alphas(portfolio: np.ndarray, n_firms: np.ndarray, market: np.ndarray) -> PValues:
    """P-values of alpha by statsmodels, as `CalendarTimePortfolio` has them, of months with ten firms."""
    used = n_firms >= 10
    x, y, weights = sm.add_constant(market[used]), portfolio[used], n_firms[used].astype(float)
    lags = {"maxlags": bartlett_lags(len(y)), "use_correction": True}
    found = {}
    for name, weight, options in (
        ("hc3", 1.0, {"cov_type": "HC3"}),
        ("ols", 1.0, {"cov_type": "nonrobust"}),
        ("hac", 1.0, {"cov_type": "HAC", "cov_kwds": lags}),
        ("sqrt_n hc3", weights, {"cov_type": "HC3"}),
    ):
        fit = sm.WLS(y, x, weights=weight).fit(use_t=True, **options)
        found[f"alpha {name}"] = [float(fit.pvalues[0])]
    return found


def default_alpha(_: np.random.Generator) -> set[str]:
    """Name the estimate of alpha that `CalendarTimePortfolio` makes unless told otherwise."""
    default = {n: p.default for n, p in inspect.signature(es.CalendarTimePortfolio).parameters.items()}
    weighted = "sqrt_n " * (default["regression"] == "sqrt_n")
    return {f"alpha {weighted}{default['cov']}"}


def calendar_time(spread: int, horizon: int) -> Draw:
    """Portfolios of a hundred correlated firms, each with one event in `spread` months."""

    def draw(rng: np.random.Generator) -> PValues:
        n, length = 100, spread + horizon + 1
        market = rng.normal(0.01, 0.04, length)
        returns = np.maximum(market + _errors(rng, n, length, 0.12, 0.05), -0.95)
        after = np.arange(length) - rng.integers(0, spread, n)[:, None]
        held = (after >= 1) & (after <= horizon)
        n_firms = held.sum(axis=0)
        mean = np.where(held, returns, 0.0).sum(axis=0) / np.maximum(n_firms, 1)
        return _alphas(mean, n_firms, market)

    return draw


def calendar_time_of_years(rng: np.random.Generator) -> PValues:
    """120 events of 60 correlated firms over 15 years, held for 24 months."""
    market = rng.normal(0.01, 0.04, 240)
    returns = np.maximum(market + _errors(rng, 60, 240, 0.12, 0.05), -0.95)
    months = pd.date_range("2000-01-31", periods=240, freq="ME")
    frame = pd.DataFrame(returns.T, months, [f"F{i}" for i in range(60)])
    rows = rng.integers(60, 214, 120)
    events = pd.DataFrame({"security": [f"F{i % 60}" for i in range(120)], "date": months[rows]})
    laid = es.Market(frame, benchmark=pd.Series(market, months, name="index"))
    results = es.CalendarTimePortfolio(laid, events.drop_duplicates(), (1, 24)).fit()
    held = results.portfolio
    found = _alphas(*(held[name].to_numpy() for name in ("portfolio", "n_firms", "benchmark")))
    assert np.isclose(found["alpha hc3"][0], results.alpha()["p_value"].iloc[0])
    table = results.jaffe_mandelker()
    return found | {f"standardised {name}": [float(p)] for name, p in table["p_value"].items()}


MODELS = {
    "least squares": es.MarketModel(),
    "egls": es.AutocorrelatedErrors(),
}


def turnover(rng: np.random.Generator, phi: float, n: int, *, common: bool) -> tuple[es.Market, pd.DataFrame]:
    """Make log turnover of n firms with AR(1) errors, and an event of each, on one date or several."""
    days = 600
    shocks = rng.normal(0, 0.4, (days + 50, n + 1))
    errors = np.zeros_like(shocks)
    for t in range(1, days + 50):
        errors[t] = phi * errors[t - 1] + shocks[t]
    market = 0.5 * errors[50:, 0]
    values = -1.0 + 0.8 * market[:, None] + errors[50:, 1:]
    dates = pd.bdate_range("2015-01-01", periods=days)
    names = [f"F{i}" for i in range(n)]
    laid = es.Market(
        pd.DataFrame(values, dates, names),
        benchmark=pd.Series(market, dates, name="mean"),
        kind="log turnover",
    )
    rows = np.full(n, 400) if common else 270 + 15 * np.arange(n) + rng.integers(0, 4, n)
    return laid, pd.DataFrame({"security": names, "date": dates[rows]})


VOLUME_WINDOWS = ((0, 0), (-5, 5))
INDEPENDENT = [
    "patell", "bmp", "filtered_sq", "filtered_rank", "grank_t", "generalized_sign", "wild_bootstrap", "sign",
]  # fmt: skip
COMMON = [
    "filtered_t",
    "portfolio",
    "adjusted_bmp",
    "grank_t",
    "permutation",
    "block_bootstrap",
    "filtered_sq",
    "filtered_bmp",
]
SINGLE = ["conformal", "filtered_sq"]


def volume(phi: float, *, common: bool = False) -> tuple[Draw, Advice]:
    """Twenty firms on dates of their own, or eight on one; 221 estimation days."""

    def inputs(rng: np.random.Generator) -> dict[str, TestInput]:
        laid, events = turnover(rng, phi, 8 if common else 20, common=common)
        found = {}
        for name, model in MODELS.items():
            study = es.EventStudy(laid, events, model, estimation=(-250, -30), window=(-5, 5)).fit()
            found |= {f"{name} {w}": study.fitted.test_input(es.Window.of(w)) for w in VOLUME_WINDOWS}
        return found

    def draw(rng: np.random.Generator) -> PValues:
        found: PValues = {}
        for model, data in inputs(rng).items():
            name, window = model.split(" (")[0], (data.window.start, data.window.end)
            found |= p_values(data, COMMON if common else INDEPENDENT, f"{name} ", rng)
            if common:
                continue
            for key in ("t", "sq"):
                each = one_by_one(key, data)
                found[f"{name} one event: {key} {window}"] = each.tolist()
            found |= p_values(data.take([0]), SINGLE, f"{name} one event: ", rng)
        return found

    def advice(rng: np.random.Generator) -> set[str]:
        found = set()
        for model, data in inputs(rng).items():
            name = model.split(" (")[0]
            found |= named(data, f"{name} ")
            if not common:
                found |= named(data.take([0]), f"{name} one event: ")
        return found

    return draw, advice


def range_inputs(rng: np.random.Generator) -> dict[str, TestInput]:
    """Log range volatility of 10 firms of constant variance, from 78 steps a day, by measure."""
    days, n = 200, 10
    walk = rng.normal(0, 0.002, (days, n, 78)).cumsum(axis=2)
    walk = np.concatenate([np.zeros((days, n, 1)), walk], axis=2)
    dates, names = pd.bdate_range("2015-01-01", periods=days), [f"F{i}" for i in range(n)]
    parts = {"open": walk[:, :, 0], "high": walk.max(2), "low": walk.min(2), "close": walk[:, :, -1]}
    prices = pd.concat({k: pd.DataFrame(np.exp(v), dates, names) for k, v in parts.items()}, axis=1)
    events = pd.DataFrame({"security": names, "date": dates[150 + 4 * np.arange(n)]})
    found = {}
    for measure in ("parkinson", "garman_klass"):
        laid = es.range_market(prices, measure, benchmark=None)
        study = es.EventStudy(laid, events, es.ConstantMean(), estimation=(-120, -11), window=(-1, 1)).fit()
        found[measure] = study.fitted.test_input(es.Window(-1, 1))
    return found


RANGE_TESTS = ["bmp", "filtered_sq", "filtered_rank", "wild_bootstrap", "sign", "grank_t"]


def ranges(rng: np.random.Generator) -> PValues:
    """Test range volatility of ten events, and of each."""
    found: PValues = {}
    for measure, data in range_inputs(rng).items():
        found |= p_values(data, RANGE_TESTS, f"{measure} ", rng)
        for key in ("t", "sq"):
            each = one_by_one(key, data)
            found[f"{measure} one event: {key} (-1, 1)"] = each.tolist()
        found |= p_values(data.take([0]), SINGLE, f"{measure} one event: ", rng)
    return found


def advice_of_ranges(rng: np.random.Generator) -> set[str]:
    """Name what the library recommends for range volatility."""
    parts = range_inputs(rng).items()
    return set().union(*(named(d, f"{m} ") | named(d.take([0]), f"{m} one event: ") for m, d in parts))


def garch_market(
    rng: np.random.Generator,
    n: int,
    tails: float | None,
    gap: int,
    sigma: tuple[float, float] = (0.015, 0.03),
) -> tuple[es.Market, pd.DataFrame]:
    """Make n firms with GARCH errors, and one event of each, `gap` sessions apart."""
    laid, _ = es.lab.simulate_market(
        n, 320 + gap * n, sigma=sigma, garch=(0.1, 0.8), tails=tails, market_sigma=0.005, tick=1e-6, seed=rng
    )
    events = pd.DataFrame({"security": laid.securities, "date": laid.sessions[270 + gap * np.arange(n)]})
    return laid, events


MULTIPLE_WINDOWS = ((0, 0), (0, 2), (-5, 5))


def multiples(n: int, tails: float | None, sigma: tuple[float, float] = (0.015, 0.03)) -> tuple[Draw, Advice]:
    """Multiples of the GARCH forecasts of n firms on different dates."""

    def fitted(rng: np.random.Generator) -> es.AbnormalVolatilityResults:
        laid, events = garch_market(rng, n, tails, 12, sigma)
        return es.AbnormalVolatility(laid, events, estimation=(-250, -6), window=(-5, 5)).fit()

    def advice(rng: np.random.Generator) -> set[str]:
        results = fitted(rng)
        tables = {window: results.test(*window, n_resamples=99) for window in MULTIPLE_WINDOWS}
        return {f"{test} {w}" for w, table in tables.items() for test in table.index[table["recommended"]]}

    def draw(rng: np.random.Generator) -> PValues:
        results = fitted(rng)
        found: PValues = {}
        seed = int(rng.integers(2**31))
        for window in MULTIPLE_WINDOWS:
            table = results.test(*window, n_resamples=499, seed=seed)
            found |= {f"{test} {window}": [p] for test, p in table["p_value"].items()}
            columns = slice(window[0] + 5, window[1] + 6)
            multiple, count = volatility_multiples(
                results._errors[:, columns], results._variances[:, columns]
            )
            equal = float(((count - 1) * multiple).sum())
            found[f"equal variances {window}"] = [float(stats.chi2.sf(equal, (count - 1).sum()))]
            paper = float((count * multiple).sum())  # (N - 1) times the paper's N / (N - 1) M
            found[f"paper's statistic {window}"] = [float(stats.chi2.sf(paper, (count - 1).sum()))]
        return found

    return draw, advice


def fit_dummies(rng: np.random.Generator) -> es.EventGARCHResults:
    """Dummies of five days in the GARCH models of 10 firms."""
    laid, events = garch_market(rng, 10, None, 6)
    return es.EventGARCH(laid, events, dummy=(0, 4)).fit()


def dummies(rng: np.random.Generator) -> PValues:
    """Test the means of the estimates, and the abnormal variance of each event."""
    results = fit_dummies(rng)
    found = {f"{name} t": [float(p)] for name, p in results.test()["p_value"].items()}
    return found | {"likelihood ratio of delta": results.parameters["p_value"].tolist()}


def advice_of_dummies(rng: np.random.Generator) -> set[str]:
    """Name the mean to read."""
    table = fit_dummies(rng).test()
    return {f"{name} t" for name in table.index[table["recommended"]]}


BAR_WINDOWS = ((0, 0), (0, 6))


def bars(nights: int | None) -> tuple[Draw, Advice]:
    """Five firms in half-hours of Shanghai: within a session, or on the night after `nights` others."""

    def inputs(rng: np.random.Generator) -> list[TestInput]:
        days = (nights or 20) + 3
        made = es.lab.simulate_bars(5, days, freq="30min", seed=rng)
        laid = es.Market.from_prices(made.prices, benchmark="market", calendar="XSHG", freq="30min")
        opens = laid.sessions[np.flatnonzero(laid.arrays.gap == 1)]
        moment = opens[-1] - pd.Timedelta(minutes=30) if nights else opens[-1] + pd.Timedelta(minutes=40)
        events = pd.DataFrame(
            {"security": laid.securities, "announced_at": f"{moment:%Y-%m-%d %H:%M:%S}+08:00"}
        )
        # From the night of the first of so many days on, to the day before the event's night.
        width = ROWS * (nights or 20)
        study = es.EventStudy(
            laid, events, estimation=(-width - 2, -3), window=(-2, 6), min_observations=20
        ).fit()
        return [study.fitted.test_input(es.Window.of(window)) for window in BAR_WINDOWS]

    def draw(rng: np.random.Generator) -> PValues:
        found: PValues = {}
        for data in inputs(rng):
            window = (data.window.start, data.window.end)
            for key in ("t",) if nights else ("t", "sq"):
                each = one_by_one(key, data)
                found[f"{key} {window}"] = each.tolist()
            if not nights:
                found |= p_values(data.take([0]), SINGLE, "", rng)
            past = data.abnormal.bars.same_times(data.cols)
            found[f"time_of_day_t {window}"], found[f"time_of_day_rank {window}"] = [], []
            for car, sums in zip(data.car, past, strict=True):
                t, dof = time_of_day_t(car, sums[~np.isnan(sums)])
                found[f"time_of_day_t {window}"].append(float(2 * stats.t.sf(abs(t), dof)))
                rank = (1 + (np.abs(sums) >= abs(car)).sum()) / (dof + 1)
                found[f"time_of_day_rank {window}"].append(float(rank))
            plain = stats.t.sf(np.abs(data.scar), data.abnormal.dof)
            found[f"t with the degrees of freedom of bars {window}"] = (2 * plain).tolist()
        return found

    def advice(rng: np.random.Generator) -> set[str]:
        return set().union(*(named(data.take([0])) for data in inputs(rng)))

    return draw, advice


#: Rows of a session of half-hours: eight bars, the night before and the break.
ROWS = 10


CELLS = {
    cell.name: cell
    for cell in (
        *(
            Cell(
                f"bhar-{months}-{'matched' if matched else 'index'}-{n}",
                *buy_and_hold(n, months, 0.12 if months == 12 else 0.18, matched=matched),
            )
            for months in (12, 36)
            for matched in (False, True)
            for n in (50, 200)
        ),
        Cell("bhar-one-month", *buy_and_hold(200, 12, 0.12, correlation=0.05)),
        Cell("bhar-one-month-matched", *buy_and_hold(200, 12, 0.12, matched=True, correlation=0.05)),
        Cell("calendar-time", calendar_time_of_years, default_alpha),
        Cell("calendar-1-month", calendar_time(1, 12), default_alpha),
        Cell("calendar-12-months", calendar_time(12, 24), default_alpha),
        Cell("calendar-60-months", calendar_time(60, 36), default_alpha),
        Cell("volume-iid", *volume(0.0)),
        Cell("volume-ar", *volume(0.5)),
        Cell("volume-ar-one-date", *volume(0.5, common=True)),
        Cell("ranges", ranges, advice_of_ranges),
        Cell("multiples-unequal", *multiples(10, None, (0.005, 0.06))),
        Cell("multiples-t5", *multiples(10, 5.0)),
        Cell("dummies", dummies, advice_of_dummies),
        Cell("bars-within", *bars(None)),
        Cell("bars-4-nights", *bars(4)),
        Cell("bars-9-nights", *bars(9)),
        Cell("bars-40-nights", *bars(40)),
    )
}


def advised(cell: Cell) -> set[str]:
    """Name the tests that the library recommends in the first replication of a cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        return cell.advice(cell.rng(0))


def simulate(cell: Cell, replications: int | None = None) -> pd.DataFrame:
    """Simulate one cell: one row per test, with its rejection rate, 95% interval and verdict.

    Where one replication yields several p-values they share data, and the interval counts replications.
    """
    wanted = cell.replications if replications is None else replications
    rejected: dict[str, list[float]] = {}
    for number in range(wanted):
        rng = cell.rng(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)
            found = cell.draw(rng)
        for test, values in found.items():
            known = [p <= LEVEL for p in values if not np.isnan(p)]
            if known:
                rejected.setdefault(test, []).append(float(np.mean(known)))
    rows, recommended = [], advised(cell)
    for test, shares in rejected.items():
        rate, n = float(np.mean(shares)), len(shares)
        half = float(stats.norm.ppf(0.5 + COVERAGE / 2))
        spread = float(np.std(shares, ddof=1)) / np.sqrt(n) if n > 1 else 0.0
        spread = max(spread, np.sqrt(LEVEL * (1 - LEVEL) / n) if set(shares) <= {0.0, 1.0} else spread)
        low, high = max(rate - half * spread, 0.0), min(rate + half * spread, 1.0)
        rows.append(
            {
                "cell": cell.name, "test": test, "recommended": test in recommended,
                "holds": low <= BAND[1] and high >= BAND[0], "rate": round(rate, 4),
                "low": round(low, 4), "high": round(high, 4), "replications": n,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--advice", action="store_true", help="renew what is recommended, simulate nothing")
    asked = parser.parse_args()
    wanted = asked.cells
    old = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame({"cell": []})
    parts = dict(list(old.groupby("cell", sort=False)))
    for name in wanted:
        if asked.advice:
            recommended = parts[name]["test"].isin(advised(CELLS[name]))
            parts[name] = parts[name].assign(recommended=recommended)
        else:
            parts[name] = simulate(CELLS[name])
        print(parts[name].to_string(index=False), flush=True)
        pd.concat([parts[n] for n in CELLS if n in parts]).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
