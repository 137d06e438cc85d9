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
two = 100 * LEADS.loc[(LEADS["test"] == "grank_t") & (LEADS["events"] == 2), "size"]
misaligned = pd.Series(
    [rate(test, "overlapping-30", window="(-5, +5)") for test in ("rank", "wild_bootstrap")]
)


spread = LEADS[(LEADS["test"] == "adjusted_cross_sectional") & (LEADS["world"] == "sp500")]
spread = 100 * spread.loc[(spread["dates"] == "one") & (spread["events"] >= 20), "size"]
#: Tests that take the volatility of the estimation window for that of the day, in a volatile year.
by_past = ["time_series", "portfolio", "gls_portfolio", "lamb", "jaffe", "permutation", "adjusted_patell"]
calm = 100 * POWERS[(POWERS["events"] > 1) & POWERS["test"].isin(by_past)]["volatile"].dropna()
single = LEADS[(LEADS["test"] == "interval") & (LEADS["world"] == "sp500") & (LEADS["events"] == 1)]
long_rank = 100 * POWERS.loc[(POWERS["test"] == "rank") & (POWERS["events"] == 6), "long_50"].dropna()
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
    ("explanation/size_of_tests", "bootstrap reject 15 to 19%", misaligned.between(14.5, 19.5).all()),
    ("explanation/which_test_when", "rejects 10 to 30% of true nulls in 2020", within(calm, 10, 30)),
    ("explanation/which_test_when", "on one of eleven days in 17 to 26%", within(long_rank, 17, 26)),
    (
        "methods/intervals",
        "misses 7 to 9% on S&P 500 shares",
        within(100 * single["size"], 7, 9),
    ),
    ("explanation/which_test_when", "about a quarter of true nulls", abs(two.mean() - 25) < 3),
    ("how_to/lab", "reject 8 to 10% under the market model", within(adjusted, 8, 10)),
    ("how_to/lab", "they reject in 20 to 27% of samples", within(assuming, 20, 27)),
    ("methods/ranks", "(9% at twice the variance)", round(rate("rank", "S3")) == 9),
    ("methods/cross_sectional", "(about 6% at $N = 30$", round(rate("skewness_adjusted", "S1")) == 6),
    ("methods/cross_sectional", "in a third of samples", abs(rate("cross_sectional", "S4") - 33) < 3),
    ("methods/cross_sectional", "5 to 14% with 20 or 50 S&P 500 shares", spread.between(4.5, 14.5).all()),
    ("methods/portfolio", "(5 to 7% at 11 days", within(independent, 5, 7)),
    ("methods/portfolio", "5 to 20% of true nulls", doubled.between(4.5, 20.5).all()),
    ("methods/standardized", "nearly 10% of true nulls with", 0.093 < 2 * stats.t.sf(1.98, 6) < 0.1),
]


@pytest.mark.parametrize(("page", "sentence", "holds"), SENTENCES)
def test_a_number_in_a_sentence_is_that_of_the_table(page: str, sentence: str, holds: bool) -> None:
    assert sentence in " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())
    assert holds
