"""One-sided everywhere: tables and totals have the p-values of the frames they print."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import eventstudy as es
from eventstudy.errors import RequestError

SIDES = ["less", "greater"]


@pytest.fixture(scope="module")
def results() -> es.EventStudyResults:
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2018-01-01", periods=400)
    index = rng.normal(0, 0.01, 400)
    frame = pd.DataFrame(index[:, None] + rng.normal(0, 0.02, (400, 8)), days, [f"S{i}" for i in range(8)])
    events = [{"security": f"S{i}", "date": days[250 + 10 * i]} for i in range(8)]
    market = es.Market(frame.assign(index=index), benchmark="index")
    return es.EventStudy(market, events, estimation=(-150, -11), window=(-2, 4)).fit()


@pytest.mark.parametrize("side", SIDES)
def test_tables_print_the_one_sided_numbers_of_the_frames(results: es.EventStudyResults, side: str) -> None:
    each = results.car_table(0, 1, alternative=side)
    frame = results.car(0, 1, alternative=side)
    for name, own in (("p", "p_value"), ("95% from", "ci_low"), ("to", "ci_high")):
        np.testing.assert_array_equal(each.sections[0].frame[name], frame[own])
    mean = results.caar_table([(0, 1)], tests="bmp", alternative=side)
    caar = results.caar(0, 1, alternative=side).iloc[0]
    assert mean.sections[0].frame["p"].item() == caar["p_value"]
    bmp = results.test(0, 1, tests="bmp", alternative=side)["p_value"].item()
    assert mean.sections[1].frame["bmp p"].item() == bmp
    daily = results.aar_table(0, 1, tests="bmp", alternative=side)
    np.testing.assert_array_equal(
        daily.sections[0].frame["p"], results.aar(alternative=side).loc[[0, 1], "p_value"]
    )
    several = es.event_table([results], 0, 1, alternative=side)
    assert f"{caar['p_value']:.4f}" in str(several)
    for table in (each, mean, daily, several):
        assert f"one-sided ({side} than zero)" in " ".join(str(table).split())


@pytest.mark.parametrize("side", SIDES)
def test_value_changes_of_one_side(results: es.EventStudyResults, side: str) -> None:
    caps = dict.fromkeys([f"S{i}" for i in range(8)], 100.0)
    both, one = (results.value_change(caps, 0, 1, alternative=which) for which in ("two-sided", side))
    car = results.car(0, 1, alternative=side)
    np.testing.assert_allclose(one["p_value"].iloc[:-1], car["p_value"], rtol=1e-12)
    np.testing.assert_allclose(one["ci_low"].iloc[:-1], 100 * car["ci_low"], rtol=1e-12)
    falls = (both["t"] < 0) == (side == "less")
    np.testing.assert_allclose(
        one["p_value"], np.where(falls, both["p_value"] / 2, 1 - both["p_value"] / 2), rtol=1e-12
    )
    with pytest.raises(RequestError, match="alternative must be"):
        results.value_change(caps, 0, 1, alternative="down")


@pytest.mark.quick("greater")
@pytest.mark.parametrize("side", SIDES)
def test_summaries_and_figures_of_one_side(results: es.EventStudyResults, side: str) -> None:
    events, spec = results.spec.events.frame, results.spec
    halves = [
        es.EventStudy(spec.market, part, estimation=spec.estimation, window=spec.window).fit()
        for part in (events.iloc[:4], events.iloc[4:])
    ]
    pooled = es.pool({"first": halves[0], "second": halves[1]})
    for each in (results, pooled):
        table = each.summary(0, 1, alternative=side)
        section = {s.caption: s.frame for s in table.sections}
        car = section["Abnormal returns"]
        car = car[car["return"] == "CAR (0, +1)"]
        own = each.car(0, 1, alternative=side)
        np.testing.assert_array_equal(car["p"], own["p_value"])
        np.testing.assert_array_equal(car[["95% from", "to"]], own[["ci_low", "ci_high"]])
        mean = each.caar(0, 1, alternative=side)["p_value"].item()
        assert section["Averages over events"].loc["(0, +1)", "p"] == mean
        chosen = each.recommended(0, 1, alternative=side)
        tests = section["Recommended tests of CAR (0, +1)"]
        np.testing.assert_array_equal(tests["p"], chosen["p_value"])
        assert f"one-sided ({side} than zero)" in table.notes[0]
        assert ("-∞" if side == "less" else "∞") in str(table)
    ax = results.plot.tests(0, 1, alternative=side)
    assert any("Tests of (0, +1), one-sided" in text.get_text() for text in ax.figure.findobj(Text))


@pytest.mark.quick("less")
@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("side", SIDES)
def test_reports_of_one_side(results: es.EventStudyResults, side: str, tmp_path: Path) -> None:
    one = es.EventStudy(
        results.spec.market, results.spec.events.frame.head(1), estimation=(-150, -11), window=(-2, 4)
    ).fit()
    words = {"less": "for falls", "greater": "for rises"}[side]
    for each in (results, one):
        page = each.report(tmp_path / "page.md", 0, 1, alternative=side, market_cap=1e9).read_text("utf-8")
        p = each.recommended(0, 1, alternative=side)["p_value"].iloc[0]
        assert f"p = {p:.4f}" in page
        assert f"All tests are one-sided, {words}" in page
        assert f"Tests of (0, +1), one-sided, {words}" in page.replace("\\", "")
        assert f"results.test(0, 1, alternative='{side}', seed=0)" in page
        finding = page.split("## Finding")[1].split("## Figures")[0]
        assert "95% interval" not in finding
        worth = each.value_change(1e9, 0, 1, alternative=side).iloc[-1]
        bound = worth["ci_high" if side == "less" else "ci_low"] / 1e6
        told = f"at {'most' if side == 'less' else 'least'} {bound:+,.1f}, p = {worth['p_value']:.4f}"
        assert told.replace("-", "−") in finding
        brief = each.report(tmp_path / "b.md", 0, 1, alternative=side, brief=True).read_text("utf-8")
        assert f"one-sided, {words}" in brief
        car = each.car(0, 1, alternative=side)["p_value"].iloc[0]
        assert f"{car:.4f}" in brief
    with pytest.raises(RequestError, match="alternative must be"):
        results.report(tmp_path / "page.md", alternative="down")
    with pytest.raises(RequestError, match="alternative must be"):
        results.summary(alternative="down")
