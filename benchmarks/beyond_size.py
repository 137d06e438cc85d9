"""How often pooled tests, slopes, sums of money and repeated announcements reject a true null at 5%.

Run ``python benchmarks/beyond_size.py`` to make ``docs/data/beyond_size.csv`` anew, or with ``--designs NAME
...`` and ``--replications N`` to try some of it. A replication has a seed of its own, made of the name of the
design and a number. Errors are normal; what each design shares between events is said where it is made.

The column `recommended` says whether the method is what the library gives in the design, without a warning
or a note against it, asked in the first replication; the others are in the table to show what they cost.
`holds` is the verdict of the simulation: whether the 95% interval of the rate meets 3.5 to 6.5%.
``--advice`` renews `recommended` alone.
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
from eventstudy.errors import EventStudyWarning
from eventstudy.inference import recommend

TABLE = Path(__file__).parents[1] / "docs" / "data" / "beyond_size.csv"
SEED, LEVEL, REPLICATIONS = 20190522, 0.05, 1000
WIDTH, LAST = 120, 160
DAYS = pd.bdate_range("2018-01-01", periods=200)
NOISE, SHOCK = 0.02, 0.01

#: Designs that have fewer replications in the table so far.
FEWER: dict[str, int] = {"slope_one_date": 500, "slope_ten_dates": 500, "repeated": 200}

#: Rates that count as 5%.
BAND = (0.035, 0.065)

#: Whether a method rejects, and, when asked, whether the library recommends it here.
Outcome = dict[str, tuple[bool, Callable[[], bool]]]


def study(returns: pd.DataFrame, events: pd.DataFrame, **options: object) -> es.EventStudyResults:
    """Fit a market model on 120 days before each event."""
    market = es.Market(returns, benchmark="index")
    return es.EventStudy(market, events, estimation=(-WIDTH, -3), window=(-2, 2), **options).fit()


def panel(rng: np.random.Generator, errors: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Make returns with betas around one and these errors, shape (days, firms)."""
    index = rng.normal(0, 0.01, (len(DAYS), 1))
    frame = pd.DataFrame(errors + index * rng.uniform(0.5, 1.5, len(names)), DAYS, names)
    return frame.assign(index=index)


def never() -> bool:
    """Advice on what the library does not offer."""
    return False


def advises(results: es.EventStudyResults | es.PooledResults, key: str) -> Callable[[], bool]:
    """Make the question whether the library names a test of day 0."""
    return lambda: key in results.recommended(0, 0)["test"].tolist()


def advises_t_of_one(results: es.EventStudyResults | es.PooledResults, *window: int) -> Callable[[], bool]:
    """Make the question whether the library names the t of the first event alone."""
    return lambda: "t" in recommend(results.fitted.test_input(es.Window(*window)).take([0]))["test"].tolist()


def decides(found: es.CrossSection, column: str) -> Callable[[], bool]:
    """Make the question whether stars go by this p-value, and no note speaks against its standard error."""
    against = "which this standard error ignores"
    return lambda: found.decisive.name == column and not any(against in note for note in found.notes)


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
    keys = ("adjusted_bmp", "portfolio", "grank_t", "bmp", "cross_sectional")
    return {key: (rejected(pooled, key), advises(pooled, key)) for key in keys}


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
    found = {
        f"{way}: {key}": (rejected(pool, key), advises(pool, key))
        for way, pool, keys in (
            ("mean", mean, ("bmp", "independence")),
            ("first", first, ("bmp",)),
            ("separate", apart, ("adjusted_bmp", "bmp")),
        )
        for key in keys
    }
    one, five = (bool(mean.car(*window)["p_value"].iloc[0] < LEVEL) for window in ((0, 0), (-2, 2)))
    return found | {
        "mean: t of a firm": (one, advises_t_of_one(mean, 0, 0)),
        "mean: t of a firm, 5 days": (five, advises_t_of_one(mean, -2, 2)),
    }


def slope(found: es.CrossSection, term: str, column: str = "p_value") -> tuple[bool, Callable[[], bool]]:
    """Whether a slope's p-value rejects, and the question whether it is the one to read."""
    return bool(found.coefficients.loc[term, column] < LEVEL), decides(found, column)


def slope_one_date(rng: np.random.Generator) -> Outcome:
    """Thirty firms, one date, a factor that moves exposed firms together."""
    n = 30
    exposure = rng.normal(size=n)
    errors = rng.normal(0, NOISE, (len(DAYS), n)) + exposure * rng.normal(0, SHOCK, (len(DAYS), 1))
    names = [f"s{i}" for i in range(n)]
    events = pd.DataFrame({"security": names, "date": DAYS[LAST], "exposure": exposure})
    results = study(panel(rng, errors, names), events)
    past = results.cross_section("car ~ exposure", 0, 0, covariance="past")
    longer = results.cross_section("car ~ exposure", -2, 2, covariance="past")
    plain = results.cross_section("car ~ exposure", 0, 0, covariance="HC3")
    return {
        "past: t": slope(past, "exposure"),
        "past: rank": slope(past, "exposure", "p_rank"),
        "past: t, 5 days": slope(longer, "exposure"),
        "HC3": slope(plain, "exposure"),
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
    one = results.cross_section("car ~ x", 0, 0, clusters="date", n_resamples=199, seed=seed)
    two = results.cross_section("car ~ x", 0, 0, clusters=["date", "country"])
    plain = results.cross_section("car ~ x", 0, 0)
    return {
        "clusters by date": slope(one, "x"),
        "clusters by date: wild bootstrap": slope(one, "x", "p_wild"),
        "clusters by date and country": slope(two, "x"),
        "HC3, Bell-McCaffrey t": slope(plain, "x"),
    }


def slope_unequal(rng: np.random.Generator) -> Outcome:
    """Sixty events on dates of their own, noise between 1 and 6% per day, effects that differ by 2%."""
    n = 60
    sigma = rng.uniform(0.01, 0.06, n)
    names = [f"s{i}" for i in range(n)]
    errors = rng.normal(0, 1, (len(DAYS), n)) * sigma
    rows = WIDTH + 2 + np.arange(n)
    errors[rows, np.arange(n)] += rng.normal(0, 0.02, n)
    x = rng.normal(size=n) + 20 * sigma
    results = study(panel(rng, errors, names), pd.DataFrame({"security": names, "date": DAYS[rows], "x": x}))
    own = results.cross_section("car ~ x", 0, 0, weights="fgls")
    robust = results.cross_section("car ~ x", 0, 0, weights="fgls", covariance="HC3")
    plain = results.cross_section("car ~ x", 0, 0, covariance="HC3")
    cars = results.car(0, 0)
    z = np.column_stack([np.ones(n), x]) / cars["se"].to_numpy()[:, None]
    inverse = np.linalg.inv(z.T @ z)
    z_score = (inverse @ z.T @ (cars["car"] / cars["se"]).to_numpy())[1] / np.sqrt(inverse[1, 1])
    return {
        "FGLS": slope(own, "x"),
        "FGLS, HC3": slope(robust, "x"),
        "HC3": slope(plain, "x"),
        "weights of the noise alone": (bool(2 * stats.norm.sf(abs(z_score)) < LEVEL), never),
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
    totals = {
        "total": found,
        "total, 5 days": one.value_change(cap, -2, 2),
        "total, two dates, 5 days": two.value_change(cap, -2, 2),
    }
    # The row "total" is the library's one answer to what all of them lost.
    return {
        name: (bool(table.loc["total", "p_value"] < LEVEL), lambda: True) for name, table in totals.items()
    } | {"total as if independent": (bool(2 * stats.norm.sf(abs(alone)) < LEVEL), never)}


def warned_of(
    returns: pd.DataFrame, events: pd.DataFrame, **options: object
) -> tuple[es.EventStudyResults, bool]:
    """Fit a study, and say whether the library warned of windows that hold other events."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", EventStudyWarning)
        results = study(returns, events, **options)
    return results, any("other events of the same security" in str(one.message) for one in told)


def repeated(rng: np.random.Generator) -> Outcome:
    """One firm: an announcement after two that moved it by 10% earlier on; two that overlap."""
    errors = rng.normal(0, NOISE, (len(DAYS), 1))
    quiet = panel(rng, errors, ["A"])
    moved = quiet.copy()
    moved.iloc[[100, 130], 0] += rng.choice([-0.1, 0.1], 2)
    three = pd.DataFrame({"security": "A", "date": DAYS[[100, 130, LAST]]})
    plain, warned = warned_of(moved, three, exclude_events=False, min_observations=60)
    skipping, skipping_warned = warned_of(moved, three, exclude_events=True, min_observations=60)
    two = pd.DataFrame({"security": "A", "date": DAYS[[LAST - 2, LAST]]})
    close, close_warned = warned_of(quiet, two, exclude_events=True)
    first = close.stacked(0, 2).iloc[0]
    struck = quiet.copy()
    struck.iloc[LAST - 2, 0] -= 0.1
    neighbour = warned_of(struck, two, exclude_events=True)[0].stacked(0, 2).iloc[1]
    return {
        "estimation skips the others": (
            bool(skipping.car(0, 0)["p_value"].iloc[-1] < LEVEL),
            lambda: not skipping_warned,
        ),
        "estimation holds the others": (
            bool(plain.car(0, 0)["p_value"].iloc[-1] < LEVEL),
            lambda: not warned,
        ),
        "stacked, windows overlap, no reaction": (
            bool(first["p_value"] < LEVEL),
            lambda: not first["note"],
        ),
        "separate, windows overlap, no reaction": (
            bool(close.car(0, 2)["p_value"].iloc[0] < LEVEL),
            lambda: not close_warned,
        ),
        "stacked, the earlier one moved by 10% on its day": (
            bool(neighbour["p_value"] < LEVEL),
            lambda: not neighbour["note"],
        ),
        "own days, the earlier one moved by 10% on its day": (
            bool(neighbour["own_p_value"] < LEVEL),
            lambda: "own_car" in neighbour["note"],
        ),
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
    found = results.test(0, 0, by="group", tests=["bmp"]).query("group == 'a - b' and applicable")
    outcome: Outcome = {row.test: (bool(row.p_value < LEVEL), lambda: True) for row in found.itertuples()}
    scars = results.car(0, 0)["t"].to_numpy()
    alike = stats.ttest_ind(scars[:10], scars[10:], equal_var=False).pvalue
    return outcome | {"Welch t of events as if independent": (bool(alike < LEVEL), never)}


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


def replication(name: str, number: int) -> Outcome:
    """Draw one replication of a design."""
    seed = np.random.SeedSequence(SEED, spawn_key=(zlib.crc32(name.encode()), number))
    return DESIGNS[name](np.random.default_rng(seed))


def advised(name: str) -> dict[str, bool]:
    """Which methods the library recommends in the first replication of a design."""
    return {method: bool(ask()) for method, (_, ask) in replication(name, 0).items()}


def simulate(name: str, replications: int) -> pd.DataFrame:
    """Rejection rate of each method in a design, with its simulation error."""
    recommended = advised(name)
    count = dict.fromkeys(recommended, 0)
    for number in range(replications):
        for method, (found, _) in replication(name, number).items():
            count[method] += found
    rows = [
        (name, method, recommended[method], *verdict(count[method], replications), replications)
        for method in count
    ]
    return pd.DataFrame(
        rows, columns=["design", "method", "recommended", "holds", "rate", "low", "high", "replications"]
    )


def verdict(count: int, replications: int) -> tuple[bool, float, float, float]:
    """Whether so many rejections count as 5%, their rate and its 95% interval (Wilson)."""
    low, high = stats.binomtest(int(count), replications).proportion_ci(0.95, "wilson")
    return bool(low <= BAND[1] and high >= BAND[0]), count / replications, float(low), float(high)


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", nargs="*", choices=list(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--replications", type=int, help="1,000 but for a few designs")
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--advice", action="store_true", help="renew what is recommended, simulate nothing")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", es.errors.EventStudyWarning)
    parts = []
    for name in asked.designs:
        if asked.advice:
            old = pd.read_csv(asked.out).query("design == @name")
            parts.append(old.assign(recommended=old["method"].map(advised(name))))
            continue
        parts.append(simulate(name, asked.replications or FEWER.get(name, REPLICATIONS)))
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
