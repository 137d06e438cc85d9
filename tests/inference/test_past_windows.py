"""Tests of signs and ranks that the shape of the past misleads: what their notes say, and how true it is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.inference import TestInput, recommend, run_tests
from eventstudy.inference.past_windows import (
    Measured,
    PastWindows,
    past_windows,
    size_of_generalized_rank,
    size_of_generalized_sign,
    size_of_sign,
    size_of_signed_rank,
)
from eventstudy.windows import Window
from tests.inference.test_unchanged_prices import event_arrays

WIDTH, SPAN = 250, Window(-5, 5)
MISLED = ["sign", "generalized_sign", "wilcoxon", "grank_t", "grank_z"]
HALF = Measured(0.5, 0.0)


def illiquid(
    seed: int,
    n: int = 100,
    unchanged: float = 0.0,
    drift: float = 0.0,
    beta: float = 1.0,
    model: es.models.NormalReturnModel | None = None,
    common: bool = False,
    missing: float = 0.0,
) -> AbnormalReturns:
    """Events whose prices do not change while the return that they owe is small (Lesmond et al. 1999)."""
    rng, days = np.random.default_rng(seed), WIDTH + len(SPAN)
    market = 0.01 * rng.standard_normal((1 if common else n, days)) * np.ones((n, 1))
    owed = drift + beta * market + 0.02 * rng.standard_normal((n, days))
    bound = np.hypot(0.02, 0.01 * beta) * stats.norm.ppf(0.5 + unchanged / 2)
    returns = np.where(np.abs(owed) < bound, 0.0, owed)
    returns[:, :WIDTH][rng.random((n, WIDTH)) < missing] = np.nan
    dates = np.datetime64("2000-01-03") + 400 * np.arange(n)[:, None] * (not common) + np.arange(days)
    model = es.MarketModel() if model is None else model
    x = market[:, :, None] if model.regressors else np.zeros((n, days, 0))
    arrays = event_arrays(returns, x, dates, WIDTH)
    return abnormal_returns(arrays, model.fit(arrays), SPAN)


def told(made: AbnormalReturns, window: Window) -> dict[str, int]:
    """Tests whose note says how often they would reject, and what it says, in percent."""
    rows = run_tests(TestInput(made, window), [*MISLED, "rank", "cumrank_t"])
    found = {
        key: re.search(r"would reject about (\d+)% of true nulls; rank and cumrank_t hold", note)
        for key, note in rows.set_index("test")["note"].items()
    }
    return {key: int(each.group(1)) for key, each in found.items() if each}


def past(length: int = 5, **measured: Measured) -> PastWindows:
    usual = dict.fromkeys(("days", "sums", "pairs"), HALF)
    usual |= {"beyond_days": Measured(0.0, 0.0), "rank": Measured(0.0, 0.0), "spread": Measured(1.0, 0.0)}
    return PastWindows(length, **(usual | measured))


@pytest.mark.parametrize("n", [12, 30, 100])
@pytest.mark.parametrize("share", [0.2, 0.42, 0.7])
def test_the_size_of_the_sign_test_is_that_of_its_binomial_law(n, share):
    counts = np.arange(n + 1)
    rejected = np.array([stats.binomtest(int(k), n, 0.5).pvalue <= 0.05 for k in counts])
    truth = stats.binom.pmf(counts, n, share)[rejected].sum()
    found = size_of_sign(past(sums=Measured(share, 0.0)), n)
    assert (found is not None) == (truth >= 0.08)
    if found is not None:
        assert found.size == pytest.approx(truth, abs=1e-12)
        assert f"{share:.0%} of sums of past residuals over 5 days are positive, not half" in found.why


def test_five_events_can_never_reject_at_5_percent():
    assert size_of_sign(past(sums=Measured(0.1, 0.0)), 5) is None


def test_the_size_of_the_generalised_sign_test_is_that_of_drawing_signs():
    rng = np.random.default_rng(1)
    w = rng.binomial(100, 0.5, 100_000)
    z = (w - 42) / np.sqrt(100 * 0.42 * 0.58)
    found = size_of_generalized_sign(past(days=Measured(0.42, 0.0), beyond_days=Measured(0.08, 0.0)), 100)
    assert found is not None
    # A count is whole, the normal law is not.
    assert found.size == pytest.approx((np.abs(z) > 1.96).mean(), abs=0.04)
    assert "50% of" not in found.why.split(",")[1]
    assert "42% of past days" in found.why


def test_the_size_of_the_signed_rank_test_is_that_of_drawing_skewed_values():
    rng, n = np.random.default_rng(2), 60
    values = rng.gumbel(-0.5772, 1.0, (4000, n))
    pairs = (values[:, ::2] + values[:, 1::2] > 0).mean()
    truth = np.mean([stats.wilcoxon(each, method="asymptotic").pvalue <= 0.05 for each in values[:1000]])
    found = size_of_signed_rank(past(1, pairs=Measured(pairs, 0.0)), 2 * n)
    assert size_of_signed_rank(past(1, pairs=Measured(pairs, 0.0)), n // 4) is None
    assert found is not None
    doubled = np.mean(
        [stats.wilcoxon(each, method="asymptotic").pvalue <= 0.05 for each in values[:2000].reshape(1000, -1)]
    )
    assert truth < doubled
    assert found.size == pytest.approx(doubled, abs=0.04)


@pytest.mark.parametrize(("rank", "spread"), [(0.05, 1.0), (0.0, 1.6), (-0.04, 1.4)])
def test_the_size_of_generalised_ranks_is_that_of_their_normal_law(rank, spread):
    z = np.random.default_rng(3).standard_normal(200_000)
    z = z * np.sqrt(spread - 12 * rank**2) + np.sqrt(12 * 80) * rank
    found = size_of_generalized_rank(past(rank=Measured(rank, 0.0), spread=Measured(spread, 0.0)), 80)
    assert found is not None
    assert found.size == pytest.approx((np.abs(z) > stats.norm.ppf(0.975)).mean(), abs=0.005)


def test_what_may_be_chance_is_not_told():
    for size, name, n in ((size_of_sign, "sums", 100), (size_of_signed_rank, "pairs", 100)):
        assert size(past(**{name: Measured(0.4, 0.01)}), n) is not None
        assert size(past(**{name: Measured(0.4, 0.05)}), n) is None


def test_windows_are_counted_as_by_hand():
    """A window of two days counts if one of them is known."""
    made = illiquid(1, n=4, missing=0.1, unchanged=0.3, drift=0.002, model=es.ConstantMean())
    parts = made.past.residuals().reshape(4, -1, 2)
    totals = {
        (i, k): part[~np.isnan(part)].sum()
        for i, event in enumerate(parts)
        for k, part in enumerate(event)
        if not np.isnan(part).all()
    }
    days = [np.mean(parts[at][~np.isnan(parts[at])] > 0) for at in totals]
    pairs = [
        total + totals[(i - 1) % 4, k] > 0 for (i, k), total in totals.items() if ((i - 1) % 4, k) in totals
    ]
    sums = [total > 0 for total in totals.values()]
    found = past_windows(made, 2)
    assert found is not None
    measured = [found.days.value, found.sums.value, found.pairs.value]
    assert measured == pytest.approx([np.mean(days), np.mean(sums), np.mean(pairs)])


def test_errors_know_that_events_of_one_date_move_together():
    apart, together = (
        past_windows(illiquid(2, model=es.ConstantMean(), beta=3.0, common=common), 5)
        for common in (False, True)
    )
    assert together.sums.error > 2 * apart.sums.error


@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(-5, 5)], ids=str)
@pytest.mark.parametrize("n", [10, 100])
def test_symmetric_returns_mislead_no_test(window, n):
    for seed in range(5):
        assert told(illiquid(seed, n), window) == {}
        assert told(illiquid(seed, n, missing=0.02), window) == {}


def test_too_short_a_past_tells_nothing():
    made = illiquid(1, n=4)
    assert past_windows(made, WIDTH // 3) is None
    assert past_windows(made.take([0, 1, 2]), 1) is None
    assert told(made, Window(0, 0)) == {}


@pytest.mark.parametrize(
    ("world", "window", "misled"),
    [
        ({"unchanged": 0.5, "beta": 0.0, "drift": 0.002}, Window(0, 0), {"sign", "wilcoxon"}),
        ({"unchanged": 0.5, "beta": 0.0, "drift": 0.002}, Window(-2, 2), {"generalized_sign"}),
        (
            {"unchanged": 0.75, "beta": 0.0, "drift": 0.002, "model": es.ConstantMean()},
            Window(0, 1),
            set(MISLED),
        ),
        (
            {"unchanged": 0.75, "beta": 0.0, "model": es.RawReturn()},
            Window(-1, 1),
            {"grank_t", "grank_z"},
        ),
        ({"unchanged": 0.75}, Window(-2, 2), set()),
    ],
)
def test_illiquid_shares_mislead_signs_and_ranks(world, window, misled):
    assert set(told(illiquid(1, **world), window)) == misled


def test_tests_that_are_misled_are_not_recommended():
    quiet, restless = (
        recommend(TestInput(illiquid(4, 40, u, 0.003, 0.0), Window(-1, 1))) for u in (0.6, 0.0)
    )
    assert set(restless["test"]) - set(quiet["test"]) == {"generalized_sign", "grank_t"}
    assert "generalized_sign is left out: " in quiet["reason"].iloc[0]
    assert "would reject about" in quiet["reason"].iloc[0]
    assert "left out" not in " ".join(restless["reason"])


def rates(samples: int, window: Window, **world: Any) -> tuple[dict[str, float], dict[str, float]]:
    """Share of samples in which each test rejects, and the mean of what their notes say."""
    p, said = [], []
    for seed in range(samples):
        made = illiquid(seed, **world)
        p.append(run_tests(TestInput(made, window), MISLED).set_index("test")["p_value"])
        said.append(told(made, window))
    rejected = {key: float(np.mean([each[key] <= 0.05 for each in p])) for key in MISLED}
    return rejected, {key: float(np.mean([each.get(key, 5) / 100 for each in said])) for key in MISLED}


@pytest.mark.slow
@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(-2, 2)], ids=str)
@pytest.mark.parametrize(
    "world",
    [
        {"unchanged": 0.5, "beta": 0.0, "drift": 0.001},
        {"unchanged": 0.75, "beta": 0.3, "drift": 0.001},
        {"unchanged": 0.75, "beta": 1.0, "drift": 0.0005},
        {"unchanged": 0.75, "beta": 0.0, "drift": 0.002, "model": es.ConstantMean()},
        {"beta": 1.0},
    ],
    ids=["half", "low beta", "beta", "mean", "liquid"],
)
def test_notes_say_how_often_tests_reject(world, window):
    rejected, said = rates(200, window, **world)
    for key in MISLED:
        assert abs(rejected[key] - said[key]) <= 0.09 + 0.1 * said[key], key


@pytest.mark.filterwarnings("ignore::eventstudy.errors.SuspectDataWarning")
@pytest.mark.parametrize(
    ("market", "misled"),
    [("china", {"sign", "wilcoxon"}), pytest.param("us", set(), marks=pytest.mark.slow)],
)
def test_signs_expect_too_many_rises_in_china_and_not_in_new_york(market, misled, shared_data):
    if market == "china":
        percent = pq.read_table(shared_data / "panels" / "cn_returns_pct_2017_2020.parquet")
        returns = percent.replace_schema_metadata(None).to_pandas().set_index("date").astype(float) / 100
    else:
        long = pd.read_parquet(shared_data / "panels" / "us_sp500_daily_2016_2020.parquet")
        prices = long.pivot(index="date", columns="ticker", values="adj_close")
        returns = prices.pct_change(fill_method=None).iloc[1:]
    rng = np.random.default_rng(3)
    returns = returns.loc[:, returns.iloc[:60].notna().any()]
    returns = returns[rng.choice(returns.columns, 300, replace=False)]
    returns.index = pd.to_datetime(returns.index)
    days = returns.index[rng.choice(np.arange(300, 930), 300)]
    study = es.EventStudy(
        es.Market(returns, benchmark=returns.mean(axis=1).rename("all")),
        pd.DataFrame({"security": returns.columns, "date": days}),
        estimation=(-250, -30),
        window=(0, 0),
        incomplete="exclude",
    )
    notes = study.fit().test(0, 0, tests=MISLED).set_index("test")["note"]
    assert {key for key, note in notes.items() if "would reject" in note} == misled
