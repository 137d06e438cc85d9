"""Returns that are in event time already: rows are relative days, and no dates are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, ModelError, RequestError, WindowError

RNG = np.random.default_rng(11)
DAYS = pd.bdate_range("2017-01-02", periods=600)
INDEX = pd.Series(0.01 * RNG.standard_normal(600), DAYS, name="idx")
NAMES = [f"F{i}" for i in range(6)]
RETURNS = pd.DataFrame(0.9 * INDEX.to_numpy()[:, None] + 0.02 * RNG.standard_normal((600, 6)), DAYS, NAMES)
ROWS = [200, 200, 260, 300, 410, 500]
SPAN = range(-160, 21)
CUT = pd.DataFrame(
    {
        name: RETURNS[name].iloc[row - 160 : row + 21].to_numpy()
        for name, row in zip(NAMES, ROWS, strict=True)
    },
    SPAN,
)
MARKET = pd.DataFrame(
    {name: INDEX.iloc[row - 160 : row + 21].to_numpy() for name, row in zip(NAMES, ROWS, strict=True)}, SPAN
)
LONG = pd.concat(
    [
        pd.DataFrame(
            {
                "event": name,
                "day": SPAN,
                "return": CUT[name],
                "benchmark": MARKET[name],
                "group": name in NAMES[:3],
            }
        )
        for name in NAMES
    ],
    ignore_index=True,
)
OPTIONS: dict[str, Any] = {"estimation": (-150, -11), "window": (-10, 20)}
NUMBERS = ["car", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_days"]


def study(*given: Any, **options: Any) -> es.EventStudyResults:
    market, events = es.from_event_time(*given, **options)
    return es.EventStudy(market, events, **OPTIONS).fit()


def dated() -> es.EventStudyResults:
    events = [
        {"event_id": name, "security": name, "date": DAYS[row]} for name, row in zip(NAMES, ROWS, strict=True)
    ]
    return es.EventStudy(es.Market(RETURNS, benchmark=INDEX), events, **OPTIONS).fit()


@pytest.mark.parametrize("shuffled", [False, True])
def test_each_event_is_measured_as_with_its_dates(shuffled: bool) -> None:
    """All numbers of single events, wide and long, equal those of the study of the dated returns."""
    rows = LONG.sample(frac=1, random_state=1) if shuffled else LONG
    want = dated()
    for found in (study(CUT, benchmark=MARKET), study(rows)):
        np.testing.assert_allclose(
            found.parameters.loc[NAMES].astype(float), want.parameters.astype(float), rtol=1e-10
        )
        for window in ((0, 1), (-5, 20)):
            pd.testing.assert_frame_equal(
                found.car(*window).loc[NAMES, NUMBERS],
                want.car(*window)[NUMBERS],
                rtol=1e-10,
                check_names=False,
            )
        np.testing.assert_allclose(
            found.abnormal_returns.loc[NAMES], want.abnormal_returns, rtol=0, atol=1e-14
        )


def test_events_are_taken_for_independent() -> None:
    """The same days for all, and yet no two events share a date."""
    found = study(CUT, benchmark=MARKET)
    cluster = found.clustering(0, 1)
    assert (cluster.n_dates, cluster.n_overlapping_pairs, cluster.mean_correlation) == (6, 0, 0.0)
    p = found.test(0, 1, tests=["bmp", "adjusted_bmp", "cross_sectional", "adjusted_cross_sectional"])[
        "p_value"
    ]
    assert p[0] == p[1]
    assert p[2] == p[3]
    assert "without dates: events are taken for independent" in " ".join(str(found.summary()).split())
    assert "1900" not in str(found.summary())
    assert "1900" not in str(found.car_table(0, 1))
    assert found.timeline["announced"].eq("in event time").all()


def test_columns_that_describe_events_are_kept() -> None:
    found = study(LONG)
    assert found.test(0, 1, tests=["bmp"], by="group")["group"].tolist()[:2] == [True, False]
    assert found.fitted.events["group"].tolist() == [True] * 3 + [False] * 3


def test_one_benchmark_for_all_and_none() -> None:
    one = study(CUT, benchmark=MARKET["F0"])
    same = study(CUT, benchmark=pd.DataFrame(dict.fromkeys(NAMES, MARKET["F0"])))
    pd.testing.assert_frame_equal(one.car(0, 1), same.car(0, 1), rtol=1e-12)
    market, events = es.from_event_time(CUT)
    raw = es.EventStudy(market, events, es.RawReturn(), estimation=None, window=(0, 5)).fit()
    np.testing.assert_allclose(raw.car(0, 5)["car"], CUT.loc[0:5].sum(), atol=1e-15)


def test_days_that_are_not_there_are_missing() -> None:
    """Events may begin and end on days of their own."""
    short = LONG[~((LONG["event"] == "F1") & ((LONG["day"] > 3) | (LONG["day"] < -100)))]
    with pytest.warns(es.errors.IncompleteWindowWarning, match=r"event F1 \(F1\)"):
        found = study(short)
    assert found.parameters["n_obs"].tolist() == [140, 90, 140, 140, 140, 140]
    assert found.car(0, 5)["car"].isna().tolist() == [False, True, False, False, False, False]


def test_the_recipe_makes_the_study_again() -> None:
    found = study(CUT, benchmark=MARKET)
    code = es.results.report.reproduce.code(found.fitted, es.Window(0, 1))
    space: dict[str, Any] = {"returns": CUT, "benchmark": MARKET}
    exec(code, space)
    pd.testing.assert_frame_equal(space["results"].car(0, 1), found.car(0, 1))


@pytest.mark.quick("long", "own windows")
@pytest.mark.parametrize("of", ["percent", "long", "some", "own windows"])
def test_the_recipe_says_what_was_given(of: str) -> None:
    given = {"percent": 100 * CUT, "long": LONG}.get(of, CUT)
    market, events = es.from_event_time(given, unit="percent" if of == "percent" else None)
    if of == "some":
        events = events.take([3, 1])
    if of == "own windows":
        own = {"estimation_start": -120, "estimation_end": -21}
        events = es.Events(events.frame[["security", "date"]].assign(**own))
    model = es.MarketModel() if of == "long" else es.ConstantMean()
    found = es.EventStudy(market, events, model, (-160, -21), (-5, 10)).fit()
    space: dict[str, Any] = {"returns": given}
    exec(es.results.report.reproduce.code(found.fitted, es.Window(0, 1)), space)
    pd.testing.assert_frame_equal(space["results"].car(0, 1), found.car(0, 1))


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_the_report_tells_no_date(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    for columns in (NAMES, NAMES[:1]):
        study(CUT[columns], benchmark=MARKET[columns]).report(path)
        assert "1900-01-01" not in path.read_text()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: es.from_event_time(LONG.assign(date=DAYS[0])), r"rows bear dates \(column 'date'\)"),
        (lambda: es.from_event_time(pd.concat([LONG, LONG.iloc[:1]])), "event 'F0' has day -160 twice"),
        (lambda: es.from_event_time(LONG.assign(event=None)), "names no event"),
        (lambda: es.from_event_time(LONG.rename(columns={"return": "y"})), "which is the return"),
        (lambda: es.from_event_time(LONG.assign(x=range(len(LONG)))), "column 'x' differs within an event"),
        (lambda: es.from_event_time(CUT.loc[:-1]), "the event, must be one of them"),
        (lambda: es.from_event_time(CUT.set_axis(CUT.index + 0.5)), "rows are numbered by session"),
        (lambda: es.from_event_time(CUT.set_axis(CUT.index + 20190522)), "is it a date"),
        (lambda: es.from_event_time(CUT.set_axis(["A"] * 6, axis=1)), "event A is there twice"),
        (lambda: es.from_event_time(CUT.assign(F0="x")), "returns of event F0 are not numbers"),
        (lambda: es.from_event_time(CUT, benchmark=MARKET[NAMES[1:]]), "no column of event F0"),
        (lambda: es.from_event_time(LONG, benchmark=MARKET), "as a column of the returns or as benchmark="),
        (lambda: es.from_event_time(CUT, benchmark=1.0), "or one Series, got float"),
        (lambda: es.from_event_time([1.0]), "takes a DataFrame of returns, got list"),
    ],
)
def test_what_is_not_in_event_time(given: Callable[[], object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        given()


def test_long_frames_with_other_spellings() -> None:
    market, _ = es.from_event_time(LONG)
    named = {"event": "Event", "day": "Day", "return": "ret", "benchmark": "Benchmark"}
    again, _ = es.from_event_time(LONG.rename(columns=named))
    pd.testing.assert_frame_equal(again.returns, market.returns)
    assert again.benchmarks == market.benchmarks


def test_a_hole_in_event_time_is_cured_where_the_market_was_made() -> None:
    held = CUT.copy()
    held.loc[-50, "F0"] = np.nan
    with pytest.raises(DataError, match=r"Pass from_event_time\(\.\.\., gaps='single'\).*as in CRSP\.$"):
        es.EventStudy(*es.from_event_time(held), es.ConstantMean(), **OPTIONS).fit()
    es.EventStudy(*es.from_event_time(held, gaps="single"), es.ConstantMean(), **OPTIONS).fit()


def test_what_needs_dates_is_refused() -> None:
    market, events = es.from_event_time(CUT, benchmark=MARKET)
    found = es.EventStudy(market, events, **OPTIONS).fit()
    with pytest.raises(ModelError, match="on the same dates, and this market is in event time"):
        es.EventStudy(market, events, es.SyntheticPeers(), **OPTIONS)
    for options in ({"window": ("1900-01-01", "1900-01-05")}, {"exclude_dates": ["1899-12-01"]}):
        with pytest.raises(WindowError, match="without dates: give windows in sessions"):
            es.EventStudy(market, events, **(OPTIONS | options))
    rows = events.frame.reset_index()
    for cell in ("1899-11-01", pd.Timestamp("1899-11-01")):
        with pytest.raises(WindowError, match="without dates: give windows in sessions"):
            es.EventStudy(market, rows.assign(estimation_start=cell), **OPTIONS)
    es.EventStudy(market, rows.assign(estimation_start="-100"), **OPTIONS)
    with pytest.raises(RequestError, match="pool needs the dates"):
        es.pool([found, dated()])
    with pytest.raises(RequestError, match="against= needs the dates"):
        found.test(0, 1, against=dated())
    with pytest.raises(RequestError, match="placebo needs the dates"):
        es.lab.placebo(found, 0, 1)
    with pytest.raises(RequestError, match=r"plot\.clustering needs the dates"):
        found.plot.clustering()
    with pytest.raises(RequestError, match="has no dates, which this needs"):
        es.BuyAndHold(market, events, horizon=5)


def test_published_categories(shared_data: Path) -> None:
    """Earnings surprises of Kliger and Gurevich (2014), 670 events on days -30 to 90."""
    samples = shared_data / "samples"
    returns, benchmark = (
        pd.read_csv(samples / name, index_col=0) for name in ("KGStockReturns.csv", "KGMarketReturns.csv")
    )
    group = pd.read_csv(samples / "KGSurpriseCategory.csv").set_index("Company")["Category"]
    market, events = es.from_event_time(returns, benchmark=benchmark)
    with pytest.warns(es.errors.SuspectDataWarning):
        found = es.EventStudy(
            market, events, es.MarketAdjusted(), (-30, -6), (-5, 90), min_observations=20
        ).fit()
    car = found.car(0, 1)["car"]
    hand = (returns - benchmark).loc[0:1].sum()
    np.testing.assert_allclose(car, hand[car.index], atol=1e-14)
    mean = car.groupby(group[car.index].to_numpy()).mean().round(5)
    assert mean.to_dict() == {"bad": -0.03253, "good": 0.02326, "medium": -0.01778}


@pytest.mark.usefixtures("no_pictures")
def test_no_made_up_date_is_shown(tmp_path: Path) -> None:
    for given in (LONG, LONG[LONG["event"] == "F0"]):
        results = study(given)
        told = [
            results.verdict((0, 1)).to_markdown(),
            results.verdict((0, 0)).to_markdown(),
            str(results.exhibit((0, 1))),
            str(results.car([(0, 1), (0, 0)])),
            str(results.by_event((0, 1))),
            str(results.summary((0, 1))),
            str(results.timeline),
            results.to_json(),
            results.report(tmp_path / "page.md").read_text(encoding="utf-8"),
        ]
        for text in told:
            assert not re.search(r"\b(18|19)\d\d-", text)


def test_a_stored_study_is_in_event_time_still(tmp_path: Path) -> None:
    results = study(LONG)
    results.save(tmp_path / "study")
    again = es.load(tmp_path / "study")
    pd.testing.assert_frame_equal(pd.DataFrame(again.car((0, 1))), pd.DataFrame(results.car((0, 1))))
    assert str(again.verdict((0, 1))) == str(results.verdict((0, 1)))
    with pytest.raises(RequestError, match="in event time"):
        again.to_panel()


def test_messages_name_relative_days_and_no_made_up_date() -> None:
    market, events = es.from_event_time(CUT)
    assert "day -160 to day +20" in repr(market)
    assert repr(events) == "Events: 6 events in event time"
    told: list[str] = []
    for options in ({"incomplete": "raise"}, {"incomplete": "exclude"}, {"estimation": (-400, -180)}):
        asked: dict[str, Any] = {"estimation": (-150, -21), "window": (-5, 30)} | options
        with pytest.raises(es.errors.EventStudyError) as problem:
            es.EventStudy(market, events, es.ConstantMean(), **asked).fit()
        told.append(str(problem.value))
    with pytest.warns(es.errors.IncompleteWindowWarning) as caught:
        found = es.EventStudy(market, events, es.ConstantMean(), (-150, -21), (-5, 30)).fit()
    told += [str(each.message) for each in caught] + found.warnings["message"].tolist()
    with pytest.raises(DataError) as wrong:
        es.from_event_time(CUT.mask(CUT.loc[-20, "F1"] == CUT, -3.0))
    assert "F1 is -3 on day -20" in str(wrong.value)
    assert any("end on day +20 (as the data does)" in text for text in told)
    assert not [text for text in told if re.search("1899|1900", text)]
