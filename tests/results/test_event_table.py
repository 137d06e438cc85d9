"""Several studies in the columns of one table."""

from __future__ import annotations

import pytest

import eventstudy as es
from eventstudy.errors import RequestError

NYT = [{"security": s, "date": "2019-05-22", "label": "NYT report"} for s in ("002415.SZ", "002236.SZ")]


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


def fit(market: es.Market, events: list[dict[str, str]], **options: object) -> es.EventStudyResults:
    return es.EventStudy(market, events, estimation=(-270, -21), **options).fit()


def test_numbers_are_those_of_the_results(market: es.Market) -> None:
    studies = [fit(market, NYT), fit(market, NYT[:1], model=es.ConstantMean()), fit(market, NYT)]
    table = es.event_table(studies, 0, 1, names=["both", "one", "again"])
    frame = table.sections[0].frame
    assert list(frame.columns) == ["both", "one", "again"]
    assert (frame["both"] == frame["again"]).all()
    for name, results in zip(frame, studies, strict=False):
        mean, headline = results.caar(0, 1).iloc[0], results.recommended(0, 1).iloc[0]
        cells = frame[name]
        assert cells["CAAR (0, +1)"].rstrip("*") == f"{mean['caar']:.2%}"
        assert cells.iloc[1] == f"({mean['se']:.2%})"
        assert cells["p"] == f"{mean['p_value']:.4f}"
        assert cells["Test"] == mean["test"]
        assert cells["Recommended test"] == headline["test"]
        assert cells["p (recommended)"].rstrip("*") == f"{headline['p_value']:.4f}"
        assert cells["Events"] == str(len(results.sample))
        assert cells["Model"] == results.spec.model.label
    assert frame.loc["CAAR (0, +1)", "one"].endswith("***")
    assert frame.loc["Benchmark", "both"] == "399001.SZ"
    assert frame.loc["Benchmark", "one"] is None


def test_one_test_of_all_columns_stands_in_the_label(market: es.Market) -> None:
    table = es.event_table([fit(market, NYT[:1]), fit(market, NYT[1:])])
    frame = table.sections[0].frame
    assert list(frame.columns) == ["(1)", "(2)"]
    assert "p (t)" in frame.index
    assert "Test" not in frame.index
    for text in (str(table), table.to_html(), table.to_markdown(), table.to_latex()):
        assert "4.66" in text or "7.51" in text


def test_samples_of_two_markets(market: es.Market) -> None:
    other = market.with_benchmark("000300.SS")
    frame = es.event_table([fit(market, NYT), fit(other, NYT)]).sections[0].frame
    assert list(frame.loc["Benchmark"]) == ["399001.SZ", "000300.SS"]


def test_events_without_car_are_not_counted(market: es.Market) -> None:
    # Dahua did not trade on the two sessions before day 0.
    halted = [{"security": s, "date": "2019-10-08"} for s in ("002236.SZ", "002230.SZ")]
    frame = es.event_table([fit(market, halted)], -2, -1).sections[0].frame
    assert frame.loc["Events", "(1)"] == "1"
    assert frame.loc["Securities", "(1)"] == "1"


def test_what_cannot_be_compared(market: es.Market) -> None:
    results = fit(market, NYT, window=(-1, 1))
    with pytest.raises(RequestError, match="list of results is empty"):
        es.event_table([])
    with pytest.raises(RequestError, match="1 names for 2 results"):
        es.event_table([results, results], names=["one"])
    with pytest.raises(RequestError, match="found PrintedFrame"):
        es.event_table([results.car(0, 1)])
    with pytest.raises(RequestError, match="reaches outside the event window"):
        es.event_table([results], 0, 5)
