"""Returns that span the sessions of a halt share these with events that were traded on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference import clustering, mean_correlation
from eventstudy.inference.dependence import mean_correlation as correlations
from eventstudy.inference.dependence.mean_correlation import correlation_matrix, dependence

DAY, HALT = 160, 2
HALF = {f"F{i:02}": HALT for i in range(5)}


def study(
    n: int = 10,
    halted: dict[str, int] | None = None,
    rho: float = 0.4,
    seed: int = 0,
    window: tuple[int, int] = (-5, 5),
    day: int = DAY,
) -> es.EventStudyResults:
    """One announcement for all firms, some of which are suspended for some sessions from it on."""
    rng, sessions = np.random.default_rng(seed), day + 30
    market = rng.normal(0, 0.01, sessions)
    common = np.sqrt(rho) * rng.standard_normal((sessions, 1))
    own = np.sqrt(1 - rho) * rng.standard_normal((sessions, n))
    logs = np.log1p(market)[:, None] + 0.02 * (common + own)
    days = pd.bdate_range("2018-01-01", periods=sessions)
    prices = pd.DataFrame(np.exp(logs.cumsum(axis=0)), days, [f"F{i:02}" for i in range(n)])
    prices["INDEX"] = np.cumprod(1 + market)
    for name, length in ({} if halted is None else halted).items():
        prices.iloc[day : day + length, prices.columns.get_loc(name)] = np.nan
    events = pd.DataFrame({"security": prices.columns[:n], "date": days[day]})
    return es.EventStudy(
        es.Market.from_prices(prices, benchmark="INDEX"), events, estimation=(-120, -11), window=window
    ).fit()


def of_window(results: es.EventStudyResults, start: int = 0, end: int = 0) -> es.inference.TestInput:
    return results.fitted.test_input(es.Window(start, end))


def test_a_return_covers_the_sessions_of_its_halt():
    data = of_window(study(halted=HALF))
    days = pd.bdate_range("2018-01-01", periods=DAY + 30).to_numpy().astype("datetime64[D]")
    covered = data.covered_dates.astype("datetime64[D]")
    assert covered.shape == (10, HALT + 1)
    assert (covered[:5] == days[DAY : DAY + HALT + 1]).all()
    assert np.isnat(covered[5:, :HALT]).all()
    assert (covered[5:, HALT] == days[DAY]).all()
    assert (data.tested_dates[:5, 0].astype("datetime64[D]") == days[DAY + HALT]).all()


def test_without_a_halt_nothing_is_covered_but_the_window():
    data = of_window(study(), -1, 1)
    assert data.covered_dates.shape == (10, 3)
    assert (data.covered_dates == data.tested_dates).all()


@pytest.mark.parametrize("start", [0, -5], ids=["inside the event window", "before it"])
def test_sessions_before_a_window_are_known_wherever_the_event_window_begins(start):
    data = of_window(study(halted=HALF, window=(start, 5)))
    assert (~np.isnat(data.covered_dates)).sum() == 5 * (HALT + 1) + 5


def test_pairs_overlap_by_the_sessions_that_they_share():
    results = study(halted=HALF)
    data = of_window(results)
    found = clustering(data)
    assert (found.n_dates, found.n_overlapping_pairs) == (2, 45)
    past = data.abnormal.past
    e = past.residuals()
    share = np.ones((10, 10))
    share[:5, 5:] = share[5:, :5] = 1 / np.sqrt(HALT + 1)  # one of three sessions, and the only one
    dates = past.dates()
    expected = []
    for i in range(10):
        for j in range(i):
            both = np.isin(dates[i], dates[j]), np.isin(dates[j], dates[i])
            expected.append(share[i, j] * np.corrcoef(e[i][both[0]], e[j][both[1]])[0, 1])
    assert found.mean_correlation == pytest.approx(np.mean(expected), abs=1e-12)
    related = correlation_matrix(e, dates, data.covered_dates)
    assert related[np.triu_indices(10, 1)].mean() == pytest.approx(found.mean_correlation, abs=1e-12)


def test_many_events_know_it_as_few_do(monkeypatch):
    data = of_window(study(halted={"F03": 4}))
    few = dependence(data)
    monkeypatch.setattr(correlations.residual_pass, "FEW", 1)
    again = dependence(of_window(study(halted={"F03": 4})))
    assert few == again
    with_dates = mean_correlation(
        data.abnormal.past.residuals(), data.abnormal.past.dates(), data.covered_dates
    )
    assert few.mean_correlation == pytest.approx(with_dates.mean_correlation, abs=1e-12)


@pytest.mark.parametrize("start", [0, -1, -5], ids=["before", "partly before", "inside"])
def test_a_pool_knows_it_too(start):
    results, other = (study(n, h, window=(start, 5)) for n, h in ((10, HALF), (3, None)))
    pooled = es.pool({"one": results, "other": other})
    assert pooled.clustering(0, 0).n_overlapping_pairs >= 45
    assert of_window(pooled).covered_dates.shape[1] == HALT + 1


def test_a_firm_that_trades_again_on_the_date_of_the_others_is_of_their_date():
    results = study(halted={})
    assert "overlap" not in " ".join(results.test(0, 0)["note"])
    day = pd.bdate_range("2018-01-01", periods=DAY + 30)[DAY]
    late = study(n=10, halted={"F00": 2}, day=DAY - 2)  # announced two sessions before the day of all others
    assert late.clustering(0, 0).n_dates == 2
    assert late.timeline["day_0"].max() == day


def test_what_halts_mislead_is_told_and_not_recommended():
    results = study(20, {f"F{i:02}": HALT for i in range(10)})
    rows = results.test(0, 0, tests=["filtered_bmp", "jaffe", "adjusted_bmp", "filtered_t"])
    told = rows.set_index("test")["note"].str.contains("first return of 10 of 20 events spans days of other")
    assert told.to_dict() == {"filtered_bmp": True, "jaffe": True, "adjusted_bmp": False, "filtered_t": False}
    named = results.recommended(0, 0)
    assert not {"filtered_bmp", "jaffe"} & set(named["test"])
    assert "left out" in named["reason"].iloc[0]
    alone = study(20, {"F00": HALT})
    assert "spans days" not in " ".join(alone.test(0, 0, tests=["filtered_bmp", "jaffe"])["note"])


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 20])
def test_the_interval_and_the_lead_hold_where_half_of_the_firms_are_suspended(n):
    misses, rejected = [], []
    for seed in range(200):
        results = study(n, {f"F{i:02}": HALT for i in range(n // 2)}, seed=seed)
        row = results.caar(0, 0).iloc[0]
        misses.append(not row["ci_low"] <= 0 <= row["ci_high"])
        rejected.append(
            results.test(0, 0, tests=["adjusted_bmp", "filtered_t"])["p_value"].to_numpy() <= 0.05
        )
    most = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean(misses) <= most
    assert np.mean(rejected, axis=0).max() <= most
