"""The frames behind the figures: what each number of them is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.results import plot_data
from eventstudy.results.event_names import event_name
from eventstudy.windows import Window


def naive_counterfactual(results: es.EventStudyResults, row: int, window: Window) -> list[float]:
    """P* = P x product over the days since day 0 of (1 + normal) / (1 + actual)."""
    data = results.fitted
    event = results.timeline.iloc[row]
    market = results.spec.market
    close = market.prices()[event["security"]]
    day0 = market.sessions.get_loc(event["day_0"])
    out = []
    for day in window.offsets:
        price = close.iloc[day0 + day]
        for since in range(0, day + 1):
            column = since - results.spec.window.start
            actual, expected = data.abnormal.actual[row, column], data.abnormal.expected[row, column]
            if not np.isnan(actual - expected):
                log = market.kind == "log"
                price *= np.exp(expected - actual) if log else (1 + expected) / (1 + actual)
        out.append(price)
    return out


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("kind", ["simple", "log"])
@pytest.mark.parametrize("window", [(-4, 6), (0, 0), (-4, -1), (1, 6), (3, 3)])
@pytest.mark.parametrize("security", ["S0", "S7"])
def test_counterfactual_equals_its_definition(prices, refit, security, window, kind):
    market = es.Market.from_prices(prices, benchmark="INDEX", kind=kind)
    results = refit(market, [{"security": security, "date": market.sessions[300]}])
    frame = plot_data.reaction(results.fitted, 0, Window(*window))
    assert frame["day"].tolist() == list(range(window[0], window[1] + 1))
    wanted = naive_counterfactual(results, 0, Window(*window))
    np.testing.assert_allclose(frame["counterfactual"], wanted, rtol=1e-12)
    day0 = market.sessions.get_loc(results.timeline["day_0"].iloc[0])
    np.testing.assert_array_equal(frame["price"], prices[security].iloc[day0 + frame["day"]])
    assert (frame["date"] == market.sessions[day0 + frame["day"]]).all()
    before = frame["day"] < 0
    np.testing.assert_array_equal(frame.loc[before, "price"], frame.loc[before, "counterfactual"])
    if window[1] >= 0:
        half = (frame["counterfactual_high"] / frame["counterfactual"] - 1)[~before]
        path = [results.car(0, int(day)).iloc[0] for day in frame["day"][~before]]
        band = [
            row["ci_high"] - row["car"] if not np.isnan(p) else np.nan
            for row, p in zip(path, frame["price"][~before], strict=True)
        ]
        np.testing.assert_allclose(half, band, rtol=1e-9)
        np.testing.assert_allclose(
            frame["counterfactual_high"] - frame["counterfactual"],
            frame["counterfactual"] - frame["counterfactual_low"],
            rtol=1e-9,
            atol=1e-12,
        )


def test_an_ex_day_does_not_show_as_a_loss():
    """Hikvision paid its dividend on 2019-05-24, two sessions after the report."""
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    events = [{"security": "002415.SZ", "date": "2019-05-22"}]
    results = es.EventStudy(market, events, estimation=(-270, -21), window=(-1, 5)).fit()
    frame = plot_data.reaction(results.fitted, 0, Window(-1, 5)).set_index("day")
    gap = np.log(frame["price"] / frame["counterfactual"])
    ar = results.fitted.abnormal
    logs = pd.Series(np.log1p(ar.actual[0]) - np.log1p(ar.expected[0]), range(-1, 6))
    assert gap[2] - gap[1] == pytest.approx(logs[2], rel=1e-10)
    # The raw close would add the dividend of 0.6 CNY, 2.5%, to the loss.
    raw = np.log(frame["price"][2] / frame["price"][1]) - np.log1p(ar.expected[0, 3])
    assert gap[2] - gap[1] - raw == pytest.approx(np.log(1.0296 / 1.0045), abs=1e-4)


def test_without_prices_both_lines_are_indexed(market, refit):
    plain = es.Market(market.returns, benchmark="INDEX")
    results = refit(plain, [{"security": "S0", "date": plain.sessions[300]}])
    frame = plot_data.reaction(results.fitted, 0, Window(-2, 3))
    growth = (1 + market.returns["S0"].iloc[298:304]).cumprod()
    np.testing.assert_allclose(frame["price"], 100 * growth, rtol=1e-12)
    later = plot_data.reaction(results.fitted, 0, Window(2, 3))
    np.testing.assert_allclose(
        later["price"], 100 * (1 + market.returns["S0"].iloc[300:304]).cumprod().iloc[2:]
    )


def test_a_gap_of_the_benchmark_leaves_the_line_where_it_is(market, refit):
    returns = market.returns
    returns.iloc[301, returns.columns.get_loc("INDEX")] = np.nan
    gapped = es.Market(returns, benchmark="INDEX", gaps="single")
    with pytest.warns(es.errors.DataWarning):
        results = refit(gapped, [{"security": "S0", "date": gapped.sessions[300]}])
    frame = plot_data.reaction(results.fitted, 0, Window(0, 2)).set_index("day")
    gap = frame["counterfactual"] / frame["price"]
    assert gap[1] == pytest.approx(gap[0], rel=1e-12)
    assert gap[2] != pytest.approx(gap[0], rel=1e-6)


def test_the_path_of_a_car(common):
    frame = plot_data.car_path(common.fitted, [0, 7], Window(-1, 6), 0.9)
    assert frame["day"].tolist() == 2 * list(range(-1, 7))
    for event, rows in frame.groupby("event"):
        security = event.split(",")[0]
        event_id = common.timeline.index[common.timeline["security"] == security][0]
        for _, row in rows.iterrows():
            wanted = common.car(-1, int(row["day"]), level=0.9).loc[event_id]
            if security == "S7" and row["day"] in (2, 3):
                assert row[["car", "se", "ci_low", "ci_high"]].isna().all()
            else:
                assert row["car"] == pytest.approx(wanted["car"])
                assert row["ci_low"] == pytest.approx(wanted["ci_low"])


def test_the_path_of_an_average(common):
    frame = plot_data.caar_path(common.fitted, Window(-1, 2))
    assert frame["day"].tolist() == [-1, 0, 1, 2]
    for _, row in frame.iterrows():
        wanted = common.caar(-1, int(row["day"])).iloc[0]
        assert row["caar"] == pytest.approx(wanted["caar"])
        assert row["ci_high"] == pytest.approx(wanted["ci_high"])


def test_scatter_of_the_fit(one, market):
    frame = plot_data.fit(one.fitted, 0, Window(0, 1))
    assert frame["role"].value_counts().to_dict() == {"estimation": 130, "event": 2}
    parameters = one.parameters.iloc[0]
    line = parameters["alpha"] + parameters["beta"] * frame["benchmark"]
    np.testing.assert_allclose(frame["fitted"], line, atol=1e-15)
    day0 = market.sessions.get_loc(one.timeline["day_0"].iloc[0])
    np.testing.assert_allclose(frame["actual"], market.returns["S0"].iloc[day0 + frame["day"]], atol=1e-16)
    np.testing.assert_allclose(
        frame["benchmark"], market.returns["INDEX"].iloc[day0 + frame["day"]], atol=1e-16
    )


def test_no_scatter_without_a_regressor(market, refit):
    results = refit(market, [{"security": "S0", "date": market.sessions[300]}], model=es.ConstantMean())
    with pytest.raises(
        RequestError, match=r"has no regressor, so there is no scatter to draw; see plot\.null"
    ):
        plot_data.fit(results.fitted, 0, Window(0, 1))


def test_event_beside_its_past(one):
    frame = plot_data.null(one.fitted, 0, Window(0, 1))
    past = frame[frame["role"] == "estimation"]
    np.testing.assert_allclose(past["value"], one.regression().resid, atol=1e-14)
    assert past["day"].tolist() == list(range(-150, -20))
    event = frame[frame["role"] == "event"].set_index("day")["value"]
    pd.testing.assert_series_equal(event, one.abnormal_returns.loc[0, [0, 1]], check_names=False)


def test_heatmap(common):
    frame = plot_data.heatmap(common.fitted, Window(-1, 3))
    assert frame.columns.tolist() == [-1, 0, 1, 2, 3]
    np.testing.assert_array_equal(frame, common.abnormal_returns[[-1, 0, 1, 2, 3]])
    # All are of one day, which the rows leave out.
    assert frame.index[0] == "S0"
    assert plot_data.row_names(common.fitted)[1] == f"{common.timeline['day_0'].iloc[0]:%Y-%m-%d}"


def test_names_of_events(one, common):
    day = f"{one.timeline['day_0'].iloc[0]:%Y-%m-%d}"
    assert event_name(one.fitted, 0) == f"ban (S0, {day})"
    assert event_name(common.fitted, 0) == f"S0, {day}"


def test_a_label_that_repeats_the_firm_is_shown_once(prices, refit):
    market = es.Market.from_prices(prices, benchmark="INDEX")
    event = {"security": "S0", "date": market.sessions[300], "label": "Acme", "company": "Acme"}
    assert event_name(refit(market, [event]).fitted, 0) == f"Acme, {market.sessions[300]:%Y-%m-%d}"


def bars() -> es.EventStudyResults:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    events = [{"security": "002415.SZ", "date": "2019-05-22"}]
    return es.EventStudy(market, events, estimation=(-270, -21), window=(-1, 5)).fit()


def test_day_taken_apart_on_an_ex_day():
    """The changes of 2019-05-24 are from the reference price, not from the last close."""
    parts = bars().decomposition(day=2)
    prices = es.datasets.surveillance_prices()
    reference = prices["reference", "002415.SZ"]["2019-05-24"]
    close = prices["close", "002415.SZ"]["2019-05-24"]
    assert parts.at["previous close", "price"] == reference != prices["close", "002415.SZ"]["2019-05-23"]
    assert parts.at["close", "change"] == pytest.approx(close / reference - 1)
    assert parts.index.tolist() == [
        "previous close",
        "open",
        "low",
        "high",
        "close",
        "limit down",
        "limit up",
    ]
    assert parts.at["limit down", "price"] == pytest.approx(np.floor(reference * 90 + 0.5) / 100)
    assert not parts["at_limit"].any()


def test_day_without_limits_has_no_limits():
    prices = es.datasets.surveillance_prices()
    market = es.Market.from_prices(prices, benchmark="399001.SZ")
    events = [{"security": "002415.SZ", "date": "2019-05-22"}]
    parts = es.EventStudy(market, events, estimation=(-270, -21)).fit().decomposition()
    assert parts.index.tolist() == ["previous close", "open", "low", "high", "close"]
    assert not parts["at_limit"].any()
