"""What a new user met when trying the library on the bundled prices, each as a test."""

from __future__ import annotations

import re
from itertools import pairwise

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


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.quick("events0")
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


def test_the_figures_show_the_headline_number(fit):
    """The CAR of the words stands in the legend of the path, and the gap is that of the window's end."""
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    told = f"CAR (0, +1): {results.car(0, 1)['car'].iloc[0]:.1%}".replace("-", "−")
    texts = [text.get_text() for text in results.plot.car().get_legend().get_texts()]
    assert told in texts
    path = results.plot.car().lines
    assert any(
        line.get_ydata()[list(line.get_xdata()).index(-1)] == 0 for line in path if len(line.get_xdata()) > 5
    )
    gap = [text.get_text() for text in results.plot.reaction().get_legend().get_texts()]
    assert any("on 23 May 2019" in text for text in gap)


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_small_p_values_are_less_than(market, tmp_path):
    """A fall of a third has no p-value of 0.0000 in any table."""
    prices = es.datasets.surveillance_prices()["close"].copy()
    prices.loc["2019-05-22":, HIK] *= 0.65
    fallen = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    results = es.EventStudy(fallen, [{"security": HIK, "date": "2019-05-22"}], estimation=(-270, -21)).fit()
    tables = [
        results.summary(0, 1), results.car_table(0, 1), results.caar_table([(0, 1)]), results.exhibit(0, 1),
        es.event_table([results], 0, 1),
    ]  # fmt: skip
    written = [str(table) for table in tables] + [table.to_latex() for table in tables]
    written.append(results.report(tmp_path / "x.md", 0, 1).read_text("utf-8"))
    assert not any("0.0000" in text for text in written)
    assert all("0.0001" in text for text in written)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda fit, results: es.read_prices, r"eventstudy\.sources\.read_prices"),
        (lambda fit, results: es.placebo, r"eventstudy\.lab\.placebo"),
        (lambda fit, results: results.test(tests=["SQQ"]), "Did you mean 'sq'"),
        (lambda fit, results: fit(results.spec.events.frame, window=(10, -10)), r"\(-10, 10\)"),
    ],
)
def test_names_that_come_first_to_mind_are_told(fit, call, told):
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    with pytest.raises((AttributeError, es.errors.EventStudyError), match=told):
        call(fit, results)


def test_keys_and_windows_are_taken_as_they_come(fit):
    results = fit({"security": SIX, "date": "2019-05-22", "x": range(6)})
    assert results.test(0, 1, tests=["BMP", "Adjusted-BMP"])["test"].tolist() == ["bmp", "adjusted_bmp"]
    for window in ((0, 1), ((0, 1),), (es.Window(0, 1),)):
        assert results.value_change(1.0, *window)["change"].notna().all()
        assert results.cross_section("car ~ x", *window, covariance="hc3").n_events == 6


def test_dates_name_their_month(fit):
    ax = fit([{"security": HIK, "date": "2019-05-22"}]).plot.reaction()
    ax.figure.canvas.draw()
    ticks = [label.get_text() for label in ax.get_xticklabels() if label.get_text()]
    assert ticks
    assert all(re.match(r"\d{1,2} (May|Jun)", tick) for tick in ticks)


@pytest.mark.slow
def test_long_labels_stay_within_the_figure(market):
    events = es.datasets.ban_announcements().about("Hikvision").events(market)
    results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    for ax in (results.plot.car(event=results.car().index[0]), results.plot.heatmap(), results.plot.forest()):
        ax.figure.canvas.draw()
        box = ax.title.get_window_extent()
        assert box.x0 >= ax.figure.bbox.x0 - 1
        assert box.x1 <= ax.figure.bbox.x1 + 1
        rows = [label.get_window_extent() for label in ax.get_yticklabels() if label.get_text()]
        rows = sorted(rows, key=lambda row: row.y0)
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(rows))


def test_two_studies_on_the_same_axes_are_told_apart(fit):
    ax = None
    for label, firms in (("treated", SIX[:2]), ("controls", SIX[3:])):
        ax = fit({"security": firms, "date": "2019-05-22"}).plot.caar(ax=ax, label=label)
    lines = [line for line in ax.lines if line.get_label() in ("treated", "controls")]
    assert lines[0].get_color() != lines[1].get_color()
    assert {"treated", "controls"} <= {text.get_text() for text in ax.get_legend().get_texts()}


def test_the_interval_of_one_day_is_seen(fit):
    results = fit([{"security": HIK, "date": "2019-05-22"}])
    ax = results.plot.car(0, 0)
    low, high = results.car(0, 0)[["ci_low", "ci_high"]].iloc[0]
    ends = {round(float(y), 6) for line in ax.lines for y in line.get_ydata() if line.get_label() == "_cap"}
    assert ends == {round(low, 6), round(high, 6)}


def test_whole_percents_have_no_decimals(fit):
    ax = fit({"security": SIX, "date": "2019-05-22"}).plot.forest(0, 1)
    ax.figure.canvas.draw()
    assert all(re.fullmatch(r"−?\d+%", label.get_text()) for label in ax.get_xticklabels())
