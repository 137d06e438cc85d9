"""Numbers that pages state in sentences are those of the stored tables; rounded as the sentence says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

DOCS = Path(__file__).parents[1] / "docs"
SIZES = pd.read_csv(DOCS / "data" / "size_table.csv")
LEADS = pd.read_csv(DOCS / "data" / "lead_table.csv")
POWERS = pd.read_csv(DOCS / "data" / "lead_power.csv")
PROCEDURES = pd.read_csv(DOCS / "data" / "inference_sizes.csv")
MODELS = pd.read_csv(DOCS / "data" / "model_table.csv", index_col="model")["prediction_ratio"]
SP500 = pd.read_csv(DOCS / "data" / "calibration_sp500.csv")


def rates(test: str, **where: object) -> pd.Series:
    """Rates of a test in percent, the second look where there was one."""
    rows = SIZES[SIZES["test"] == test]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows)
    return 100 * rows["rate_again"].fillna(rows["rate"])


def rate(test: str, cell: str, **where: object) -> float:
    return float(rates(test, cell=cell, **where).iloc[0])


def share(procedure: str, method: str, world: str, events: int, column: str = "rate") -> int:
    """Percentage of samples, as a whole number, of a procedure outside the registry of tests."""
    names = ["procedure", "method", "world", "events"]
    found = PROCEDURES.set_index(names)[column][procedure, method, world, events]
    return round(100 * float(found))


def covered(method: str, world: str) -> list[int]:
    """Percent of true means that an interval covers, of 5, 10, 30 and 50 events."""
    rows = PROCEDURES[(PROCEDURES["method"] == method) & (PROCEDURES["world"] == world)]
    return [round(100 * (1 - rate)) for rate in rows.sort_values("events")["rate"]]


def within(values: pd.Series, low: float, high: float) -> bool:
    """Whether the smallest and the largest value round to what the sentence says."""
    return round(values.min()) == low and round(values.max()) == high


gain = 1 - MODELS[["Factor model (mkt_rf)", "Fama-French three factors"]]
eleven = {"window": "(-5, +5)", "errors": "normal"}
independent = rates("time_series", **eleven)[~SIZES["cell"].str.startswith(("serial", "overlapping"))]
adjusted = SP500[(SP500["dates"] == "common") & (SP500["shift"] == 0) & (SP500["model"] == "market model")]
adjusted = 100 * adjusted.set_index("test")["rate"][["adjusted_bmp", "grank_t", "portfolio", "jaffe", "rank"]]
#: Tests that assume independent events, on a common date under the market model.
assuming = SP500[(SP500["dates"] == "common") & (SP500["shift"] == 0) & (SP500["model"] == "market model")]
independent_tests = [
    "bmp",
    "cross_sectional",
    "cumrank_z",
    "generalized_sign",
    "grank_z",
    "independence",
    "jackknife",
    "patell",
    "sign",
    "skewness_adjusted",
    "wilcoxon",
]
assuming = 100 * assuming.set_index("test")["rate"][independent_tests]
doubled = 100 * LEADS.loc[LEADS["test"] == "filtered_sq", "doubled"].dropna()
doubled_t = 100 * LEADS.loc[LEADS["test"] == "filtered_t", "doubled"].dropna()
two = 100 * LEADS.loc[(LEADS["test"] == "grank_t") & (LEADS["events"] == 2), "size"]
misaligned = pd.Series(
    [rate(test, "overlapping-30", window="(-5, +5)") for test in ("rank", "wild_bootstrap")]
)


spread = LEADS[(LEADS["test"] == "adjusted_cross_sectional") & (LEADS["world"] == "sp500")]
spread = 100 * spread.loc[(spread["dates"] == "one") & (spread["events"] >= 20), "size"]
#: Tests that take the volatility of the estimation window for that of the day, in a volatile year.
every = POWERS[POWERS["volatile"].notna()].assign(volatile=100 * POWERS["volatile"])
few = every[(every["dates"] == "own") & every["events"].between(2, 10)]
apart = few[few["window"] == "(0, 0)"]
calm = apart.loc[apart["test"].isin(["independence", "permutation"]), "volatile"]
eleven = few[few["window"] == "(-5, +5)"].set_index("test")["volatile"]
ranked = apart.loc[apart["test"] == "rank", "volatile"]
scored = every[(every["dates"] == "own") & (every["window"] != "(-5, +5)")].set_index("test")["volatile"]
spread_apart = few.loc[few["test"] == "bmp", "volatile"]
own = POWERS[(POWERS["dates"] == "own") & (POWERS["test"].isin(["filtered_rank", "cumrank_z", "bmp"]))]
own = own.pivot(index=["events", "window", "world"], columns="test", values=["power_2", "power_50"])
several = 100 * own.loc[([6, 10], ["(0, +1)", "(-1, +1)"]), "power_2"]
two_by_three, six_by_two = (100 * own.loc[place, "power_50"] for place in ((2, "(-1, +1)"), (6, "(0, +1)")))
doubled_ranks = LEADS[(LEADS["dates"] == "own") & (LEADS["test"] == "filtered_rank")]
doubled_ranks = 100 * doubled_ranks["doubled"].dropna()
one_event = LEADS[(LEADS["world"] == "sp500") & (LEADS["events"] == 1)]
single, single_updated = (one_event[one_event["test"] == key] for key in ("interval", "filtered_t"))
spreads = [share("variance_tests", "brown_forsythe", world, 30) for world in ("normal", "t4", "chi2")]
ratios = [share("variance_tests", "variance ratio", world, 30) for world in ("normal", "t4", "chi2")]
real = [share("variance_tests", "variance ratio", world, 30) for world in ("sp500", "a_share")]
joint = [share("joint_test", key, w, 20) for w in ("sp500", "a_share") for key in ("F", "F resampled")]
halves = PROCEDURES[(PROCEDURES["method"] == "brown_forsythe") & (PROCEDURES["dates"] == "own")]
#: Page, words of a sentence, and whether the tables agree with them.
SENTENCES = [
    ("explanation/models", "three of them take 15% off", round(100 * gain.iloc[1]) == 15),
    ("explanation/models", "Two thirds of that gain", abs(gain.iloc[0] / gain.iloc[1] - 2 / 3) < 0.05),
    (
        "explanation/size_of_tests",
        "with three events they reject 15%",
        round(rate("grank_t", "normal-3-common")) == 15,
    ),
    ("explanation/size_of_tests", "with six 9", round(rate("grank_t", "normal-6-common")) == 9),
    (
        "explanation/common_date",
        "Of six firms these two reject 10% of true nulls",
        [round(rate(key, "normal-6-volatile")) for key in ("grank_t", "rank_zivney")] == [10, 10],
    ),
    (
        "explanation/common_date",
        "`adjusted_bmp`, `filtered_bmp`, `adjusted_cross_sectional` and `sign_zivney` survive",
        max(
            rate(key, "normal-6-volatile")
            for key in ("adjusted_bmp", "filtered_bmp", "adjusted_cross_sectional", "sign_zivney")
        )
        < 7,
    ),
    ("explanation/size_of_tests", "bootstrap reject 15 to 19%", misaligned.between(14.5, 19.5).all()),
    ("explanation/which_test_when", "with 14 to 17%", within(eleven[["patell", "jaffe"]], 14, 17)),
    ("explanation/which_test_when", "`permutation` reject 10 to 16%", within(calm, 10, 16)),
    ("explanation/which_test_when", "`filtered_rank` rejects 5 to 6%", within(scored["filtered_rank"], 5, 6)),
    (
        "explanation/which_test_when",
        "`independence` over eleven rejects 9 to 10%",
        within(eleven["independence"].iloc[1:], 9, 10),
    ),
    (
        "explanation/which_test_when",
        "6 to 21 points more often than `bmp`",
        within(several["filtered_rank"] - several["bmp"], 6, 21),
    ),
    ("explanation/which_test_when", "finds 85 to 89%", within(two_by_three["filtered_rank"], 85, 89)),
    ("explanation/which_test_when", "rejects 7 to 10% on a single day", within(ranked, 7, 10)),
    ("methods/ranks", "`cumrank_z` finds 92 to 94%", within(six_by_two["cumrank_z"], 92, 94)),
    ("methods/ranks", "and find all of them", (six_by_two["filtered_rank"] == 100).all()),
    ("methods/ranks", "`cumrank_z` rejects 8 to 10%", within(scored["cumrank_z"], 8, 10)),
    ("methods/ranks", "it rejects 5 to 6%", within(scored["filtered_rank"], 5, 6)),
    ("methods/ranks", "10 to 20% at twice the variance", within(doubled_ranks, 10, 20)),
    ("explanation/which_test_when", "`bmp`, which then rejects 3 to 5%", within(spread_apart, 3, 5)),
    (
        "methods/intervals",
        "misses 7 to 9% on S&P 500 shares",
        within(100 * single["size"], 7, 9),
    ),
    (
        "methods/intervals",
        '`results.caar` with `test="filtered_t"` misses 5 to 7% there',
        within(100 * single_updated["size"], 5, 7),
    ),
    ("explanation/which_test_when", "about a quarter of true nulls", abs(two.mean() - 25) < 3),
    ("how_to/lab", "reject 8 to 10% under the market model", within(adjusted, 8, 10)),
    ("how_to/lab", "they reject in 20 to 27% of samples", within(assuming, 20, 27)),
    ("methods/ranks", "(9% at twice the variance)", round(rate("rank", "S3")) == 9),
    ("methods/cross_sectional", "(about 6% at $N = 30$", round(rate("skewness_adjusted", "S1")) == 6),
    ("methods/cross_sectional", "in a third of samples", abs(rate("cross_sectional", "S4") - 33) < 3),
    ("methods/cross_sectional", "5 to 14% with 20 or 50 S&P 500 shares", spread.between(4.5, 14.5).all()),
    (
        "methods/portfolio",
        "8% of true nulls are rejected, as by `portfolio`",
        share("gls_portfolio", "gls_portfolio", "sp500", 50) == 8
        and share("gls_portfolio", "portfolio", "sp500", 50) in (8, 9),
    ),
    (
        "methods/portfolio",
        "(44 against 29% for 1% and fifty events)",
        [share("gls_portfolio", key, "normal", 50, "power") for key in ("gls_portfolio", "portfolio")]
        == [44, 29],
    ),
    (
        "methods/portfolio",
        "F rejects 20% of true nulls at 5%, and the draws 10%; of 20 A-shares 28%, and 13%",
        [
            share("joint_test", key, world, 20)
            for world in ("sp500", "a_share")
            for key in ("F", "F resampled")
        ]
        == [20, 10, 28, 13],
    ),
    (
        "methods/intervals",
        "covers 83% with 5 events, 88% with 10, 92% with 30 and 94% with 50",
        covered("bca", "normal") == [83, 88, 92, 94],
    ),
    (
        "methods/intervals",
        "of `cross_sectional` covers 94 to 96% throughout",
        {94, 96} <= set(covered("cross_sectional", "normal")) <= {94, 95, 96},
    ),
    (
        "methods/intervals",
        "80, 88, 92 and 94% against 94 to 95%",
        covered("bca", "chi2") == [80, 88, 92, 94] and set(covered("cross_sectional", "chi2")) == {94, 95},
    ),
    ("methods/groups", "reject 3, 4 and 4% of true nulls at 5%", spreads == [3, 4, 4]),
    (
        "methods/groups",
        "rejects 6, 16 and 16%, and of real shares 20 and 27%",
        [*ratios, *real] == [6, 16, 16, 20, 27],
    ),
    (
        "methods/groups",
        "is found in 12 to 15% of samples",
        within(100 * halves.loc[halves["events"] == 30, "power"], 12, 15),
    ),
    (
        "methods/groups",
        "cautious: about 1%",
        within(100 * halves.loc[halves["events"] == 10, "rate"], 1, 1),
    ),
    ("methods/portfolio", "(5 to 7% at 11 days", within(independent, 5, 7)),
    ("methods/portfolio", "5 to 20% of true nulls", doubled.between(4.5, 20.5).all()),
    ("methods/portfolio", "with doubled variance it rejects 9 to 21%", within(doubled_t, 9, 21)),
    ("methods/standardized", "nearly 10% of true nulls with", 0.093 < 2 * stats.t.sf(1.98, 6) < 0.1),
]


@pytest.mark.parametrize(("page", "sentence", "holds"), SENTENCES)
def test_a_number_in_a_sentence_is_that_of_the_table(page: str, sentence: str, holds: bool) -> None:
    assert sentence in " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())
    assert holds
