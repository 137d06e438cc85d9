"""What a new user met when trying the library on the bundled prices, each as a test."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError

HIK = "002415.SZ"
SIX = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def fit(market):
    return lambda events, **options: es.EventStudy(market, events, estimation=(-270, -21), **options).fit()


def test_news_of_this_week(fit, tmp_path):
    """An announcement three sessions before the data end: figure, verdict, exhibit and report."""
    results = fit([{"security": HIK, "date": "2019-11-26"}])
    results.plot.reaction()
    assert results.report(tmp_path / "x.html").exists()
    assert results.report(tmp_path / "brief.md", brief=True).exists()
    assert "its abnormal returns end on day +3" in " ".join(results.warnings["message"])
    assert np.isfinite(results.car(0, 1)["car"]).all()
    assert "nan" not in str(results.verdict()) + str(results.exhibit(currency="CNY"))


def test_a_window_comes_first_and_the_event_by_its_name(fit):
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    assert results.plot.car(0, 1) is not None
    assert results.plot.car((0, 1)) is not None
    with pytest.raises(RequestError, match=r"No event \(0, 1\)"):
        results.plot.car(event=(0, 1))


def test_days_that_count_twice_are_said_wherever_the_total_is(fit, tmp_path):
    results = fit({"security": HIK, "date": ["2019-05-22", "2019-05-23"]})
    found = results.value_change(250e9, (0, 1))
    assert found.loc["total", "shared_days"] == 1
    assert found.loc["total", ["car", "market_cap"]].isna().all()
    assert "more than once in the total" in repr(found)
    assert "share 1 day" in str(results.verdict(0, 1))
    assert "1 day of a security counts more than once" in results.report(
        tmp_path / "x.md", brief=True, shares=9e9
    ).read_text("utf-8")
    assert any("share days: 1 of them" in note for note in results.summary(0, 1).notes)


def test_one_firm_is_not_answered_by_its_average(fit):
    dates = ["2018-08-14", "2019-05-22", "2019-08-08", "2019-10-10"]
    results = fit({"security": HIK, "date": dates})
    captions = [section.caption for section in results.summary(0, 0).sections]
    assert captions.index("Each announcement on its own") < captions.index("Averages over events")
    answer = results.verdict(0, 0).answer
    assert re.match(r"(None|\d) of the 4 announcements about 002415.SZ (is|are) distinguishable", answer)
    assert "sq" in " ".join(results.by_event(0, 0).columns)


def test_one_window_serves_all_where_none_is_given(fit):
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    headline = results.car(0, 1)["p_value"].iloc[0]
    assert results.car()["p_value"].iloc[0] == headline
    assert results.test(tests="t")["p_value"].iloc[0] == headline
    assert results.exhibit(alternative="two-sided").sections[1].frame["p (t)"].iloc[0] == headline
    assert results.verdict().tests.set_index("test").loc["t", "p_value"] == headline


@pytest.mark.parametrize(
    "events", [[{"security": HIK, "date": "2019-05-22"}], {"security": SIX, "date": "2019-05-22"}]
)
def test_p_values_are_seen_at_the_defaults_of_pandas(fit, events):
    results = fit(events)
    with pd.option_context("display.width", 80, "display.max_columns", 0, "display.max_colwidth", 50):
        for frame in (results.test(0, 1, seed=0), results.recommended(0, 1)):
            ran = frame.dropna(subset=["p_value"])
            for test, p in zip(ran["test"], ran["p_value"], strict=True):
                assert re.search(rf"^{test} +{p:.4f} ", str(frame), re.MULTILINE)
            assert " ... " not in str(frame)


def test_firm_and_index_in_two_frames(fit, market):
    prices = es.datasets.surveillance_prices()
    firm = prices.loc[:, prices.columns.get_level_values("security") == HIK]
    index = prices["close"][["399001.SZ"]].dropna()
    for given in (index, index["399001.SZ"]):
        two = es.Market.from_prices(firm, benchmark=given, calendar="XSHG")
        results = es.EventStudy(two, [{"security": HIK, "date": "2019-05-22"}], estimation=(-270, -21)).fit()
        wanted = fit([{"security": HIK, "date": "2019-05-22"}]).car(0, 1)["car"]
        assert results.car(0, 1)["car"].to_numpy() == pytest.approx(wanted.to_numpy(), rel=1e-9)


def test_the_note_of_few_signs_follows_the_side(fit):
    dates = ["2018-08-14", "2018-10-10", "2019-05-22"]
    results = fit({"security": SIX[:3], "date": dates})
    notes = {
        side: results.test(0, 1, tests="wild_bootstrap", alternative=side)["note"].iloc[0]
        for side in ("two-sided", "less")
    }
    p = {side: float(re.search(r"below (0\.\d+)", note)[1]) for side, note in notes.items()}
    assert p["less"] == pytest.approx(p["two-sided"] / 2, abs=2e-3)


def test_adjusted_p_values_are_never_below_their_own(fit):
    found = fit({"security": SIX, "date": "2019-05-22"}).firm_tests(0, 1, seed=0)
    assert (found["p_adjusted"] >= found["p_value"]).all()


def test_a_share_is_worth_what_the_exhibit_says(fit):
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    share = results.exhibit(0, 0, currency="CNY").sections[2].frame.iloc[0]
    close = es.datasets.surveillance_prices()["close", HIK].loc["2019-05-21"]
    assert share["price before"] == close == 27.60
    assert share["change"] == pytest.approx(close * results.car(0, 0)["car"].iloc[0])
    series = es.datasets.surveillance_prices()["close", HIK].dropna()
    assert results.value_change(series, 0, 0)["change"].iloc[0] == pytest.approx(share["change"])


def test_logarithms_work_in_formulas(fit):
    events = {"security": SIX, "date": "2019-05-22", "cap": [255.0, 46, 60, 5, 18, 120]}
    found = fit(events).cross_section("car ~ log(cap)", 0, 1)
    assert found.params.index.tolist() == ["Intercept", "log(cap)"]
