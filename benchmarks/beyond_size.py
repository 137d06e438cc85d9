"""How often pooled tests, slopes, sums of money and repeated announcements reject a true null at 5 %.

Run ``python benchmarks/beyond_size.py`` to make ``docs/data/beyond_size.csv`` anew, or with ``--designs NAME
...`` and ``--replications N`` to try some of it. A replication has a seed of its own, made of the name of the
design and a number. Errors are normal; what each design shares between events is said where it is made.

The column `recommended` says whether the method is what to read in the design; the others are in the table
to show what they cost. `holds` is the verdict of the simulation: whether the 95 % interval of the rate meets
3.5 to 6.5 %.
"""

from __future__ import annotations

import argparse
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import eventstudy as es

TABLE = Path(__file__).parents[1] / "docs" / "data" / "beyond_size.csv"
SEED, LEVEL, REPLICATIONS = 20190522, 0.05, 1000
WIDTH, LAST = 120, 160
DAYS = pd.bdate_range("2018-01-01", periods=200)
NOISE, SHOCK = 0.02, 0.01

#: Rates that count as 5 %.
BAND = (0.035, 0.065)

#: Rejections by method; the second entry says whether the method is recommended.
Outcome = dict[str, tuple[bool, bool]]


def study(returns: pd.DataFrame, events: pd.DataFrame, **options: object) -> es.EventStudyResults:
    """Fit a market model on 120 days before each event."""
    market = es.Market(returns, benchmark="index")
    return es.EventStudy(market, events, estimation=(-WIDTH, -3), window=(-2, 2), **options).fit()


def panel(rng: np.random.Generator, errors: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Make returns with betas around one and these errors, shape (days, firms)."""
    index = rng.normal(0, 0.01, (len(DAYS), 1))
    frame = pd.DataFrame(errors + index * rng.uniform(0.5, 1.5, len(names)), DAYS, names)
    return frame.assign(index=index)


def rejected(results: es.EventStudyResults | es.PooledResults, key: str) -> bool:
    """Whether a test of day 0 rejects."""
    return bool(results.test(0, 0, tests=key)["p_value"].iloc[0] < LEVEL)


def markets_one_date(rng: np.random.Generator) -> Outcome:
    """Two markets with holidays of their own; eight firms each, one date, a shock that all share."""
    shock = rng.normal(0, SHOCK, (len(DAYS), 1))
    found = {}
    for market in "ab":
        names = [f"{market}{i}" for i in range(8)]
        frame = panel(rng, rng.normal(0, NOISE, (len(DAYS), 8)) + shock, names)
        is_open = rng.random(len(DAYS)) > 0.05
        is_open[LAST - 5 :] = True
        events = pd.DataFrame({"security": names, "date": DAYS[LAST]})
        found[market] = study(frame[is_open], events)
    pooled = es.pool(found)
    claims = {
        "adjusted_bmp": True,
        "portfolio": True,
        "grank_t": True,
        "bmp": False,
        "cross_sectional": False,
    }
    return {key: (rejected(pooled, key), claimed) for key, claimed in claims.items()}


def dual_listings(rng: np.random.Generator) -> Outcome:
    """Fifteen firms, each listed in two markets with holidays of their own, dates of their own."""
    n, rows = 15, LAST - 15 + np.arange(15)
    shared = rng.normal(0, NOISE * np.sqrt(0.7), (len(DAYS), n))
    found = {}
    for market in "ab":
        names = [f"{market}{i}" for i in range(n)]
        frame = panel(rng, rng.normal(0, NOISE * np.sqrt(0.3), (len(DAYS), n)) + shared, names)
        is_open = rng.random(len(DAYS)) > 0.05
        is_open[rows[0] - 5 :] = True
        firms = [f"f{i}" for i in range(n)]
        events = pd.DataFrame({"security": names, "date": DAYS[rows], "firm": firms})
        found[market] = study(frame[is_open], events)
    mean, first, apart = (es.pool(found, listings=way) for way in ("mean", "first", "separate"))
    return {
        "mean: bmp": (rejected(mean, "bmp"), True),
        "mean: independence": (rejected(mean, "independence"), True),
        "mean: t of a firm": (bool(mean.car(0, 0)["p_value"].iloc[0] < LEVEL), True),
        "mean: t of a firm, 5 days": (bool(mean.car(-2, 2)["p_value"].iloc[0] < LEVEL), True),
        "first: bmp": (rejected(first, "bmp"), True),
        "separate: adjusted_bmp": (rejected(apart, "adjusted_bmp"), True),
        "separate: bmp": (rejected(apart, "bmp"), False),
    }


def slope_one_date(rng: np.random.Generator) -> Outcome:
    """Thirty firms, one date, a factor that moves exposed firms together."""
    n = 30
    exposure = rng.normal(size=n)
    errors = rng.normal(0, NOISE, (len(DAYS), n)) + exposure * rng.normal(0, SHOCK, (len(DAYS), 1))
    names = [f"s{i}" for i in range(n)]
    events = pd.DataFrame({"security": names, "date": DAYS[LAST], "exposure": exposure})
    results = study(panel(rng, errors, names), events)
    past = results.cross_section("car ~ exposure", 0, 0, covariance="past").coefficients.loc["exposure"]
    longer = results.cross_section("car ~ exposure", -2, 2, covariance="past").coefficients.loc["exposure"]
    plain = results.cross_section("car ~ exposure", 0, 0).coefficients.loc["exposure"]
    return {
        "past: t": (past["p_value"] < LEVEL, True),
        "past: rank": (past["p_rank"] < LEVEL, True),
        "past: t, 5 days": (longer["p_value"] < LEVEL, True),
        "HC3": (plain["p_value"] < LEVEL, False),
    }


def slope_ten_dates(rng: np.random.Generator) -> Outcome:
    """Sixty events on ten dates; a characteristic of the date, and a shock that events of a date share."""
    n, dates = 60, 10
    group = np.arange(n) // 6
    errors = rng.normal(0, NOISE, (len(DAYS), n)) + rng.normal(0, SHOCK, (len(DAYS), 1))
    names = [f"s{i}" for i in range(n)]
    events = pd.DataFrame(
        {
            "security": names,
            "date": DAYS[LAST - 30 + 3 * group],
            "country": rng.permutation(np.arange(n) % 12),
            "x": rng.normal(size=dates)[group],
        }
    )
    results = study(panel(rng, errors, names), events)
    seed = int(rng.integers(2**31))
    one = results.cross_section(
        "car ~ x", 0, 0, clusters="date", n_resamples=199, seed=seed
    ).coefficients.loc["x"]
    two = results.cross_section("car ~ x", 0, 0, clusters=["date", "country"]).coefficients.loc["x"]
    plain = results.cross_section("car ~ x", 0, 0).coefficients.loc["x"]
    return {
        "clusters by date: wild bootstrap": (one["p_wild"] < LEVEL, True),
        "clusters by date: t(9)": (one["p_value"] < LEVEL, False),
        "clusters by date and country: t(9)": (two["p_value"] < LEVEL, False),
        "HC3": (plain["p_value"] < LEVEL, False),
    }


def slope_unequal(rng: np.random.Generator) -> Outcome:
    """Sixty events on dates of their own, noise between 1 and 6 % per day, effects that differ by 2 %."""
    n = 60
    sigma = rng.uniform(0.01, 0.06, n)
    names = [f"s{i}" for i in range(n)]
    errors = rng.normal(0, 1, (len(DAYS), n)) * sigma
    rows = LAST - 30 + np.arange(n) % 30
    errors[rows, np.arange(n)] += rng.normal(0, 0.02, n)
    x = rng.normal(size=n) + 20 * sigma
    results = study(panel(rng, errors, names), pd.DataFrame({"security": names, "date": DAYS[rows], "x": x}))
    own = results.cross_section("car ~ x", 0, 0, weights="fgls").coefficients.loc["x"]
    robust = results.cross_section("car ~ x", 0, 0, weights="fgls", covariance="HC3").coefficients.loc["x"]
    plain = results.cross_section("car ~ x", 0, 0).coefficients.loc["x"]
    cars = results.car(0, 0)
    z = np.column_stack([np.ones(n), x]) / cars["se"].to_numpy()[:, None]
    inverse = np.linalg.inv(z.T @ z)
    slope = (inverse @ z.T @ (cars["car"] / cars["se"]).to_numpy())[1]
    return {
        "FGLS": (own["p_value"] < LEVEL, True),
        "FGLS, HC3": (robust["p_value"] < LEVEL, True),
        "HC3": (plain["p_value"] < LEVEL, True),
        "weights of the noise alone": (2 * stats.norm.sf(abs(slope) / np.sqrt(inverse[1, 1])) < LEVEL, False),
    }


def money(rng: np.random.Generator) -> Outcome:
    """Twelve firms of unequal size, one date, a shock that all share; and half of them a day later."""
    n = 12
    names = [f"s{i}" for i in range(n)]
    cap = dict(zip(names, np.exp(rng.normal(0, 1.5, n)), strict=True))
    errors = rng.normal(0, NOISE, (len(DAYS), n)) + rng.normal(0, SHOCK, (len(DAYS), 1))
    returns = panel(rng, errors, names)
    one = study(returns, pd.DataFrame({"security": names, "date": DAYS[LAST]}))
    two = study(returns, pd.DataFrame({"security": names, "date": DAYS[LAST + np.arange(n) % 2]}))
    found = one.value_change(cap, 0, 0)
    alone = found["change"].iloc[-1] / np.sqrt((found["se"].iloc[:-1] ** 2).sum())
    return {
        "total": (found.loc["total", "p_value"] < LEVEL, True),
        "total, 5 days": (one.value_change(cap, -2, 2).loc["total", "p_value"] < LEVEL, True),
        "total, two dates, 5 days": (two.value_change(cap, -2, 2).loc["total", "p_value"] < LEVEL, True),
        "total as if independent": (2 * stats.norm.sf(abs(alone)) < LEVEL, False),
    }


def repeated(rng: np.random.Generator) -> Outcome:
    """One firm: an announcement after two that moved it by 10 % earlier on; two that overlap."""
    errors = rng.normal(0, NOISE, (len(DAYS), 1))
    quiet = panel(rng, errors, ["A"])
    moved = quiet.copy()
    moved.iloc[[100, 130], 0] += rng.choice([-0.1, 0.1], 2)
    three = pd.DataFrame({"security": "A", "date": DAYS[[100, 130, LAST]]})
    plain, skipping = (
        study(moved, three, exclude_events=skip, min_observations=60) for skip in (False, True)
    )
    close = study(quiet, pd.DataFrame({"security": "A", "date": DAYS[[LAST - 2, LAST]]}), exclude_events=True)
    separate, stacked = close.car(0, 2)["p_value"].iloc[0], close.stacked(0, 2)["p_value"].iloc[0]
    struck = quiet.copy()
    struck.iloc[LAST - 2, 0] -= 0.1
    after = study(
        struck, pd.DataFrame({"security": "A", "date": DAYS[[LAST - 2, LAST]]}), exclude_events=True
    )
    neighbour = after.stacked(0, 2).iloc[1]
    return {
        "estimation skips the others": (skipping.car(0, 0)["p_value"].iloc[-1] < LEVEL, True),
        "estimation holds the others": (plain.car(0, 0)["p_value"].iloc[-1] < LEVEL, False),
        "stacked, windows overlap, no reaction": (stacked < LEVEL, False),
        "separate, windows overlap, no reaction": (separate < LEVEL, False),
        "stacked, the earlier one moved by 10 % on its day": (neighbour["p_value"] < LEVEL, False),
        "own days, the earlier one moved by 10 % on its day": (neighbour["own_p_value"] < LEVEL, True),
    }


def _group_rows(rng: np.random.Generator, rows: tuple[np.ndarray, np.ndarray]) -> Outcome:
    """Two groups of ten events on these sessions; errors of a day correlated by 0.2."""
    names = [f"s{i}" for i in range(20)]
    errors = rng.normal(0, NOISE * np.sqrt(0.8), (len(DAYS), 20)) + rng.normal(
        0, NOISE * np.sqrt(0.2), (len(DAYS), 1)
    )
    events = pd.DataFrame(
        {"security": names, "date": DAYS[np.concatenate(rows)], "group": ["a"] * 10 + ["b"] * 10}
    )
    results = study(panel(rng, errors, names), events)
    found = (
        results.test(0, 0, by="group", tests=["bmp"]).query("group == 'a - b'").set_index("test")["p_value"]
    )
    scars = results.car(0, 0)["t"].to_numpy()
    outcome = {"difference_past": (bool(found["difference_past"] < LEVEL), True)}
    if not np.isnan(found["difference_welch"]):
        outcome["difference_welch"] = (bool(found["difference_welch"] < LEVEL), True)
    alike = stats.ttest_ind(scars[:10], scars[10:], equal_var=False).pvalue
    return outcome | {"Welch t of events as if independent": (bool(alike < LEVEL), False)}


def groups_one_date_each(rng: np.random.Generator) -> Outcome:
    """Ten events on one date, ten on another, a shock that events of a date share."""
    return _group_rows(rng, (np.full(10, LAST - 20), np.full(10, LAST)))


def groups_dates_partly_shared(rng: np.random.Generator) -> Outcome:
    """Half of each group on a date of its own, the others on one that both have."""
    both = np.full(5, LAST - 10)
    return _group_rows(rng, (np.r_[np.full(5, LAST - 20), both], np.r_[np.full(5, LAST), both]))


def groups_five_dates_each(rng: np.random.Generator) -> Outcome:
    """Five dates of each group, two events on each."""
    first = LAST - 40 + np.repeat(np.arange(5) * 4, 2)
    return _group_rows(rng, (first, first + 20))


DESIGNS: dict[str, Callable[[np.random.Generator], Outcome]] = {
    made.__name__: made
    for made in (
        markets_one_date, dual_listings, slope_one_date, slope_ten_dates, slope_unequal, money, repeated,
        groups_one_date_each, groups_dates_partly_shared, groups_five_dates_each,
    )
}  # fmt: skip


def simulate(name: str, replications: int) -> pd.DataFrame:
    """Rejection rate of each method in a design, with its simulation error."""
    made = DESIGNS[name]
    outcomes = []
    for number in range(replications):
        seed = np.random.SeedSequence(SEED, spawn_key=(zlib.crc32(name.encode()), number))
        outcomes.append(made(np.random.default_rng(seed)))
    rows = []
    for method, (_, recommended) in outcomes[0].items():
        count = sum(outcome[method][0] for outcome in outcomes)
        rows.append((name, method, recommended, *verdict(count, replications), replications))
    return pd.DataFrame(
        rows, columns=["design", "method", "recommended", "holds", "rate", "low", "high", "replications"]
    )


def verdict(count: int, replications: int) -> tuple[bool, float, float, float]:
    """Whether so many rejections count as 5 %, their rate and its 95 % interval (Wilson)."""
    low, high = stats.binomtest(int(count), replications).proportion_ci(0.95, "wilson")
    return bool(low <= BAND[1] and high >= BAND[0]), count / replications, float(low), float(high)


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", nargs="*", choices=list(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--out", type=Path, default=TABLE)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", es.errors.EventStudyWarning)
    parts = []
    for name in asked.designs:
        parts.append(simulate(name, asked.replications))
        print(parts[-1].to_string(index=False), flush=True)
    frame = pd.concat(parts, ignore_index=True)
    if asked.out.exists():
        old = pd.read_csv(asked.out)
        frame = pd.concat([old[~old["design"].isin(asked.designs)], frame], ignore_index=True)
        order = {name: place for place, name in enumerate(DESIGNS)}
        frame = frame.sort_values("design", key=lambda names: names.map(order), kind="stable")
    frame.to_csv(asked.out, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
