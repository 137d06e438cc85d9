"""Warnings of a fit: one line per kind, silenced by category, kept with the results event by event."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import errors

DAYS = pd.bdate_range("2018-01-01", periods=420)
WINDOWS = {"estimation": (-150, -21), "window": (-4, 6)}
COLUMNS = ["category", "event_id", "security", "date", "message"]


def market(n: int = 12) -> es.Market:
    """Each security is suspended around day 300; the benchmark misses day 352."""
    rng = np.random.default_rng(2)
    names = [f"S{i}" for i in range(n)]
    index = 0.01 * rng.standard_normal(420)
    frame = pd.DataFrame(index[:, None] + 0.02 * rng.standard_normal((420, n)), DAYS, names)
    frame = frame.assign(INDEX=index)
    frame.loc[DAYS[297:300], names] = np.nan
    frame.loc[DAYS[352], "INDEX"] = np.nan
    return es.Market(frame, benchmark="INDEX", gaps="lumped")


def fit(events: list[dict], **options) -> tuple[es.EventStudyResults, list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return es.EventStudy(market(), events, **(WINDOWS | options)).fit(), caught


def events(day: int, securities: int = 12) -> list[dict]:
    return [{"security": f"S{i}", "date": DAYS[day]} for i in range(securities)]


def test_many_events_make_one_line() -> None:
    results, caught = fit(events(300))
    assert [each.category for each in caught] == [errors.LumpedReturnWarning]
    text = str(caught[0].message)
    assert text.startswith("The return of day 0 holds earlier sessions for 12 events: event 0 (S0): ")
    assert text.endswith("; and 7 more.")
    assert text.count("event ") == 5
    assert "\n" not in text
    table = results.warnings
    assert table.columns.tolist() == COLUMNS
    assert table["category"].unique().tolist() == ["LumpedReturnWarning"]
    assert table["event_id"].tolist() == list(range(12))
    assert table["security"].tolist() == [f"S{i}" for i in range(12)]
    assert (table["date"] == DAYS[300]).all()
    assert table["message"].tolist() == results.timeline["note"].tolist()


def test_every_kind_is_listed_with_its_events() -> None:
    given = [
        *events(300, 1),
        {"security": "S1", "date": DAYS[350]},
        {"security": "S2", "date": DAYS[400]},
        {"security": "S2", "date": DAYS[403]},
        {"security": "nobody", "date": DAYS[400]},
    ]
    results, caught = fit(given)
    assert all("\n" not in str(each.message) for each in caught)
    kinds = [each.category for each in caught]
    assert len(kinds) == len(set(kinds))
    table = results.warnings.groupby("category")["event_id"].agg(lambda ids: sorted(set(ids)))
    assert table.to_dict() == {
        "ExcludedEventsWarning": [4],
        "LumpedReturnWarning": [0],
        "MissingBenchmarkWarning": [1],
        "OverlapWarning": [2, 3],
        "SuspectDataWarning": [2, 3],
    }
    missing = results.warnings.query("category == 'MissingBenchmarkWarning'").iloc[0]
    assert missing["message"] == "the benchmark or a factor is missing on day +2, +3"
    overlap = results.warnings.query("category == 'OverlapWarning'")["message"].tolist()
    assert overlap[:2] == ["has event 3 in its event window", "has event 2 in its event window"]


def test_a_silenced_category_is_listed_all_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", errors.LumpedReturnWarning)
        results = es.EventStudy(market(), events(300), **WINDOWS).fit()
    assert len(results.warnings) == 12


@pytest.mark.parametrize(
    "category", [errors.SuspectDataWarning, errors.MissingBenchmarkWarning, errors.NightVarianceWarning]
)
def test_a_filter_for_data_warnings_reaches_each_kind_of_them(category) -> None:
    assert issubclass(category, errors.DataWarning)


def test_a_clean_study_has_an_empty_table() -> None:
    results, caught = fit(events(200, 3))
    assert caught == []
    assert results.warnings.empty
    assert results.warnings.columns.tolist() == COLUMNS


def test_a_model_is_heard() -> None:
    bars = es.lab.simulate_bars(2, 3, start="2019-05-20", n_events=0, seed=1)
    prices = bars.prices
    intraday = es.Market.from_prices(prices, benchmark="market", calendar="XSHG", freq="1min")
    at = intraday.sessions[300]
    event = [{"security": intraday.securities[0], "announced_at": at.tz_localize("Asia/Shanghai")}]
    with pytest.warns(errors.NightVarianceWarning):
        results = es.EventStudy(intraday, event, estimation=(-200, -80), window=(-60, 200)).fit()
    told = results.warnings.query("category == 'NightVarianceWarning'")
    assert told["event_id"].tolist() == [None]
    assert "unknown variance" in told["message"].iloc[0]


@pytest.mark.slow
def test_of_very_many_events_the_rest_is_counted() -> None:
    n = 1005
    frame = pd.DataFrame({"security": "S0", "date": DAYS[200]}, index=range(n))
    bad = pd.DataFrame({"security": [f"X{i}" for i in range(n)], "date": DAYS[200]})
    with pytest.warns(errors.ExcludedEventsWarning, match=r"1005 of 1006 events .* and 1000 more\.$"):
        results = es.EventStudy(market(), pd.concat([frame.head(1), bad], ignore_index=True), **WINDOWS).fit()
    table = results.warnings
    assert len(table) == 1001
    assert table["message"].iloc[-1] == "and 5 more"
    assert table["event_id"].iloc[-1] is None


def test_pooled_results_name_the_study() -> None:
    one, _ = fit(events(300, 2))
    two, _ = fit([{"security": "S1", "date": DAYS[350]}])
    table = es.pool({"a": one, "b": two}).warnings
    assert table[["study", "category"]].value_counts().to_dict() == {
        ("a", "LumpedReturnWarning"): 2,
        ("b", "MissingBenchmarkWarning"): 1,
    }


def test_overlapping_events_are_those_found_one_by_one() -> None:
    rng = np.random.default_rng(4)
    pairs = sorted(
        {(int(s), int(d)) for s, d in zip(rng.integers(0, 4, 40), rng.integers(160, 400, 40), strict=True)}
    )
    results, _ = fit([{"security": f"S{s}", "date": DAYS[d]} for s, d in pairs])
    expected = [
        (i, f"has event {j} in its {name}")
        for name, (start, end) in (
            ("event window", WINDOWS["window"]),
            ("estimation window", WINDOWS["estimation"]),
        )
        for i, (security, day) in enumerate(pairs)
        for j, (other, later) in enumerate(pairs)
        if i != j and security == other and start <= later - day <= end
    ]
    told = results.warnings[results.warnings["category"] == "OverlapWarning"]
    assert len(expected) > 50
    assert list(zip(told["event_id"], told["message"], strict=True)) == expected
