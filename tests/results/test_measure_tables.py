"""Tables by day, by window and by event hold the numbers of the results, in every format."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import EventStudyWarning, RequestError
from eventstudy.tables import stars

RENDERERS = ("to_text", "to_html", "to_latex", "to_markdown")
NASTY = r"100% & a_b # c ~ d ^ e \ f { g } $h$ <script>alert(1)</script>"


def test_numbers_by_day(common):
    table = common.aar_table(-2, 3, tests=["bmp", "portfolio"])
    daily, tests, total, _ = (section.frame for section in table.sections)
    aar = common.aar().loc[-2:3]
    assert list(daily.index) == ["-2", "-1", "0", "+1", "+2", "+3"]
    for shown, name in (
        ("AAR", "aar"),
        ("s.e.", "se"),
        ("t", "statistic"),
        ("p", "p_value"),
        ("N", "n_events"),
    ):
        np.testing.assert_array_equal(daily[shown], aar[name])
    np.testing.assert_array_equal(daily[["95% from", "to"]], aar[["ci_low", "ci_high"]])
    assert list(daily[""]) == [stars(p) for p in aar["p_value"]]
    for day in range(-2, 4):
        path, row = common.caar(-2, day).iloc[0], total.loc[f"{day:+d}".replace("+0", "0")]
        assert row["CAAR"] == path["caar"]
        assert row["p"] == path["p_value"]
        done = common.test(day, day, tests=["bmp", "portfolio"]).set_index("test")
        for key in ("bmp", "portfolio"):
            written = f"{done.at[key, 'statistic']:.2f}{stars(done.at[key, 'p_value'])}"
            at = tests.loc[f"{day:+d}".replace("+0", "0")]
            assert at[key] == written
            assert at[f"{key} p"] == done.at[key, "p_value"]
    assert "those of the filtered_t test" in str(table)


def test_numbers_by_window(distinct):
    table = distinct.caar_table([(0, 0), (-1, 2)], tests="bmp", level=0.9)
    frame, tests = (section.frame for section in table.sections)
    assert list(frame.index) == ["(0, 0)", "(-1, +2)"]
    for window, name in (((0, 0), "(0, 0)"), ((-1, 2), "(-1, +2)")):
        caar = distinct.caar(*window, level=0.9).iloc[0]
        assert frame.loc[name, "CAAR"] == caar["caar"]
        assert frame.loc[name, "90% from"] == caar["ci_low"]
        assert tests.loc[name, "bmp p"] == distinct.test(window, tests="bmp")["p_value"].iloc[0]
    default = distinct.caar_table()
    assert list(default.sections[0].frame.index) == ["(0, 0)", "(0, +1)", "(-4, +6)"]
    recommended = [f"{key}{end}" for key in distinct.recommended(0, 0)["test"] for end in ("", " p")]
    assert list(default.sections[1].frame.columns) == recommended
    assert len(distinct.caar_table(tests=[]).sections) == 1


def test_numbers_by_event(common):
    table = common.car_table(0, 1)
    frame, cars = table.sections[0].frame, common.car(0, 1)
    assert list(frame.index) == list(cars.index)
    for shown, name in (("CAR", "car"), ("s.e.", "se"), ("t", "t"), ("p", "p_value"), ("days", "n_days")):
        np.testing.assert_array_equal(frame[shown], cars[name])
    assert list(frame["security"]) == list(common.timeline["security"])
    assert f"{cars['car'].iloc[0]:.2%}" in str(table)
    assert "label" not in frame


def test_a_test_that_does_not_apply_says_why(distinct, one):
    table = distinct.caar_table(tests=["portfolio"])
    assert (table.sections[1].cells()["portfolio"] == "–").all()
    assert any(
        note.startswith("portfolio: not applicable: needs one common event date") for note in table.notes
    )
    assert [section.caption for section in one.caar_table().sections] == ["", "Tests of CAAR"]
    assert one.aar_table(0, 0).sections[0].frame.at["0", "AAR"] == one.car(0, 0)["car"].iloc[0]


def test_a_pool_has_the_same_tables(market, refit):
    parts = [
        refit(market, [{"security": f"S{i}", "date": market.sessions[200 + 40 * i], "event_id": f"e{i}"}])
        for i in range(3)
    ]
    whole = es.pool(parts)
    table = whole.caar_table([(0, 1)], tests="bmp")
    assert table.sections[0].frame["CAAR"].iloc[0] == whole.caar(0, 1)["caar"].iloc[0]
    assert list(whole.car_table(0, 1).sections[0].frame["CAR"]) == list(whole.car(0, 1)["car"])
    assert len(whole.aar_table(-1, 1).sections[0].frame) == 3


def test_what_cannot_be_asked(common):
    with pytest.raises(RequestError, match="reaches outside the event window"):
        common.aar_table(-9, 0)
    with pytest.raises(RequestError, match="reaches outside the event window"):
        common.caar_table([(0, 99)])
    with pytest.raises(RequestError, match=r"There is no test 'bpm'\. Did you mean 'bmp'"):
        common.caar_table(tests=["bpm"])


@pytest.fixture(scope="module")
def labelled(market, refit):
    """Tables of events with a nasty label."""
    events = [{"security": f"S{i}", "date": market.sessions[300], "label": NASTY} for i in range(3)]
    results = refit(market, events)
    return results.aar_table(), results.caar_table(), results.car_table(0, 1), results.summary()


@pytest.mark.parametrize("renderer", RENDERERS)
def test_every_format_holds_the_labels_as_text(labelled, renderer):
    for table in labelled:
        text = getattr(table, renderer)()
        assert len(text) > 200
        if renderer == "to_html":
            assert "<script>" not in text
        if renderer == "to_markdown":
            assert "<script>" not in text.replace(r"\<", "")


def test_excel(common, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    common.aar_table(0, 1, tests="bmp").to_excel(tmp_path / "aar.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "aar.xlsx").active
    values = [cell.value for row in sheet.iter_rows() for cell in row]
    assert any(isinstance(v, float) and np.isclose(v, common.aar().loc[0, "aar"]) for v in values)


@pytest.fixture(scope="module")
def large() -> es.EventStudyResults:
    """Ten thousand events of 500 firms, so that there is no list of them that anyone would read."""
    rng = np.random.default_rng(8)
    days = pd.bdate_range("2010-01-01", periods=1200).as_unit("ns")
    index = 0.01 * rng.standard_normal(1200)
    returns = index[:, None] + 0.02 * rng.standard_normal((1200, 500))
    frame = pd.DataFrame(returns, days, [f"S{i}" for i in range(500)]).assign(INDEX=index)
    at = (np.arange(10_000) // 500) * 50 + rng.integers(140, 190, 10_000)
    events = pd.DataFrame(
        {
            "security": [f"S{i % 500}" for i in range(10_000)],
            "date": days[at],
            "label": "a long name of an event",
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        market = es.Market(frame, benchmark="INDEX")
        return es.EventStudy(market, events, estimation=(-130, -21), window=(-3, 3)).fit()


@pytest.mark.slow
def test_ten_thousand_events_are_capped_and_said_so(large, tmp_path):
    n = len(large.timeline)
    assert n > 9_900
    text = str(large.summary())
    assert f"(first 12; {n - 12} more)" in text
    assert len(text.splitlines()) < 80
    assert len(large._repr_html_()) < 50_000
    table = large.car_table(0, 1)
    assert len(table.sections[0].frame) == 40
    assert f"The first 40 events of {n}: car_table(..., rows=None) shows all" in str(table).replace("\n", " ")
    assert len(large.car_table(0, 1, rows=None).sections[0].frame) == n
    page = large.report(tmp_path / "large.html")
    assert page.stat().st_size < 3_000_000
    assert f"{n - 40} more rows" in page.read_text(encoding="utf-8")
