"""Frames of results print within 80 columns, p-values beside the names, what does not apply in a line."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.tables import PrintedFrame, printed
from eventstudy.tables.table import Section, Table

CALLS = {
    "test": lambda r: r.test(0, 1, seed=0),
    "tests of two windows": lambda r: r.test([(0, 0), (-1, 1)], seed=0, tests=["t", "bmp", "portfolio"]),
    "recommended": lambda r: r.recommended(0, 1),
    "value_change": lambda r: r.value_change(250e9),
    "clustering": lambda r: r.clustering(0, 1),
    "car": lambda r: r.car(0, 1),
    "car of two windows": lambda r: r.car([(0, 0), (-1, 1)]),
    "caar": lambda r: r.caar([(0, 0), (-1, 1)]),
    "by_event": lambda r: r.by_event(0, 1),
}


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("study", ["one", "common", "distinct"])
def test_it_fits_in_80_columns(study, call, request):
    text = repr(call(request.getfixturevalue(study)))
    assert max(map(len, text.splitlines())) <= 80, text
    assert "0.0000" not in text


def test_joint_test_is_rounded(common, market, refit):
    whole = refit(market, [{"security": f"S{i}", "date": market.sessions[300]} for i in range(6)])
    found = whole.joint_test(0, 1)
    assert f"{found.p_value:.4f}" in repr(found)
    assert f"mean effect {found.mean_effect:+.2%}" in repr(found)
    assert max(map(len, repr(found).splitlines())) <= 80
    assert "<table" in found._repr_html_()
    clustering = whole.clustering(0, 1)
    assert f"{clustering.effective_n:.1f} of 6" in repr(clustering)
    assert "<table" in clustering._repr_html_()


def test_p_comes_second_and_what_applies_first(one):
    lines = repr(one.test(0, 1, seed=0)).splitlines()
    head = next(line for line in lines if line.startswith("test"))
    assert head.split()[:2] == ["test", "p"]
    assert lines[lines.index(head) + 2].startswith("t ")
    assert sum("Not applicable, one event" in line for line in lines) == 1
    head = next(line for line in repr(one.recommended(0, 1)).splitlines() if line.startswith("test"))
    assert head.split()[:2] == ["test", "p"]


def test_a_notebook_shows_rounded_numbers(one):
    page = one.test(0, 1, seed=0)._repr_html_()
    p = one.test(0, 1, tests="t")["p_value"].iloc[0]
    assert f">{p:.4f}<" in page
    assert repr(p) not in page


def test_many_rows_are_cut(market, refit):
    events = {"security": [f"S{i % 7}" for i in range(60)], "date": market.sessions[200:260]}
    with pytest.warns(Warning, match="other events of the same security"):
        results = refit(market, events)
    assert "20 more rows." in repr(results.car(0, 1))
    assert len(results.car(0, 1)) == 60


def test_it_stays_a_frame(one, tmp_path):
    frame = one.test(0, 1, seed=0)
    assert isinstance(frame, pd.DataFrame)
    for plain in (frame.copy(), frame.head(3), frame[frame["applicable"]], frame.sort_values("p_value")):
        assert type(plain) is pd.DataFrame
    again = pickle.loads(pickle.dumps(frame))
    assert repr(again) == repr(frame)
    pd.testing.assert_frame_equal(frame.copy(), again.copy())
    assert "not applicable" in frame.to_string()
    # Changed columns print as pandas prints them.
    frame["mine"] = 1
    assert "mine" in repr(frame)
    del frame["note"]
    assert "statistic" in repr(frame)
    assert "<table" in frame._repr_html_()


def test_value_changes_come_in_units_that_are_read(one):
    text = repr(one.value_change(250e9, 0, 1))
    assert "Values are billions." in text
    assert f"{one.value_change(250e9, 0, 1)['change'].iloc[0] / 1e9:,.2f}" in text
    assert "Values are" not in repr(one.value_change(30.0, 0, 1))


@pytest.mark.parametrize("key", ["BMP", "Bmp", "adjusted-bmp", "Adjusted BMP", "SQ"])
def test_keys_of_tests_in_any_case(common, key):
    wanted = key.lower().replace("-", "_").replace(" ", "_")
    assert common.test(0, 1, tests=key)["test"].tolist() == [wanted]
    assert common.caar(0, 1, test="Portfolio")["test"].tolist() == ["portfolio"]
    frame = common.window_tests([(0, 0), (0, 1)], adjust="holm", test="Portfolio")
    pd.testing.assert_frame_equal(
        frame, common.window_tests([(0, 0), (0, 1)], adjust="holm", test="portfolio")
    )


def test_a_key_that_is_none_is_refused_with_a_suggestion(common):
    from eventstudy.errors import RequestError

    with pytest.raises(RequestError, match=r"no test 'BPM'\. Did you mean 'bmp'.* Known tests"):
        common.test(0, 1, tests="BPM")
    with pytest.raises(RequestError, match=r"no test 'zzz'\. Known tests"):
        common.test(0, 1, tests="zzz")


def test_words_share_what_numbers_leave():
    frame = pd.DataFrame({"a": ["word " * 30] * 2, "b": ["w"] * 2, "n": [1.0, 2.0]})
    table = Table("T", (Section(frame, index=False),), ("note " * 40,))
    for width in (40, 60, 80):
        assert max(map(len, table.to_text(width).splitlines())) <= width
    assert max(map(len, table.to_text().splitlines())) > 60
    assert type(printed(frame, lambda f: table) + frame) is pd.DataFrame


@pytest.mark.parametrize(
    ("name", "home"),
    [("read_prices", "sources"), ("placebo", "lab"), ("power", "lab"), ("as_image", "plotting")],
)
def test_a_name_of_a_subpackage_is_told_where_it_is(name, home):
    with pytest.raises(AttributeError, match=rf"did you mean eventstudy\.{home}\.{name}\?"):
        getattr(es, name)
    with pytest.raises(AttributeError) as raised:
        getattr(es, "no_such_name_at_all")  # noqa: B009
    assert "did you mean" not in str(raised.value)


def test_what_was_meant_is_said_or_taken(market, refit):
    with pytest.raises(es.errors.WindowError, match=r"did you mean \(-250, -30\)\?"):
        es.Window(250, 30)
    with pytest.raises(es.errors.WindowError, match=r"did you mean \(-5, -1\)\?"):
        es.Window(-1, -5)
    events = {"security": [f"S{i}" for i in range(6)], "date": market.sessions[300], "x": range(6)}
    results = refit(market, events)
    found = results.cross_section("car ~ x", covariance="hc3")
    pd.testing.assert_frame_equal(
        found.coefficients, results.cross_section("car ~ x", covariance="HC3").coefficients
    )
    with pytest.raises(es.errors.RequestError, match="covariance must be one of"):
        results.cross_section("car ~ x", covariance="hc9")


def test_a_printed_frame_is_compared_with_a_plain_one_on_either_side(common):
    from_library, plain = common.car(0, 1), common.car(0, 1).copy()
    assert type(from_library) is PrintedFrame
    assert type(plain) is pd.DataFrame
    pd.testing.assert_frame_equal(from_library, plain)
    pd.testing.assert_frame_equal(plain, from_library)
    assert (from_library.select_dtypes("number").iloc[0] * 2)["car"] == 2 * from_library["car"].iloc[0]
