"""The recommended tests of each kind of design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, Options, TestInput, recommend, run_tests
from eventstudy.inference.procedures.recommendation import disagreement
from eventstudy.inference.selection import overlap_note
from eventstudy.windows import Window


def chosen(data, **options):
    frame = recommend(data, **options)
    assert list(frame.columns) == ["test", "reason"]
    assert frame["reason"].str.len().min() > 20 or frame.empty
    for key in frame["test"]:
        assert TESTS[key].applies(data) is None
    return dict(zip(frame["test"], frame["reason"], strict=True))


def test_one_event(panel):
    found = chosen(panel(n=1, seed=6).test(0, 0))
    assert list(found) == ["sq", "conformal", "t"]
    assert "60 estimation days" in found["sq"]
    assert "58 degrees of freedom" in found["t"]


def test_one_event_and_a_window_too_long_for_ranks(panel):
    found = chosen(panel(n=1, seed=6).test(-2, 3))
    assert list(found) == ["t", "bootstrap_t", "sq"]
    assert "draws 6 days at a time from 60" in found["bootstrap_t"]
    assert "10 blocks of 6 days cannot give p below 0.091" in found["sq"]


def test_one_event_of_a_model_without_an_exact_standard_error(panel):
    made = panel(n=1, seed=6).abnormal
    found = chosen(TestInput(replace(made, exact=False), Window(0, 0)))
    assert list(found) == ["sq", "conformal"]
    assert "approximate" in found["sq"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"n": 12, "layout": "common"}, ["permutation", "block_bootstrap", "grank_t"]),
        ({"n": 16, "layout": "common"}, ["grank_t", "permutation", "block_bootstrap"]),
        ({"n": 30, "layout": "mixed", "correlation": 0.4}, ["jaffe"]),
        ({"n": 24, "layout": "distinct"}, ["grank_t", "generalized_sign"]),
        ({"n": 9, "layout": "distinct"}, ["wild_bootstrap", "sign", "grank_t"]),
    ],
)
def test_events_of_a_model_without_an_exact_standard_error(panel, options, names):
    made = panel(**options).abnormal
    found = chosen(TestInput(replace(made, exact=False), Window(0, 1)))
    assert list(found) == names
    assert "approximate" in found[names[0]]


def test_one_common_date(panel):
    found = chosen(panel(n=16, layout="common").test(0, 1))
    assert list(found) == ["adjusted_bmp", "grank_t", "portfolio", "block_bootstrap", "permutation"]
    assert "the two above do not, suspect a rise in variance" in found["portfolio"]


@pytest.mark.parametrize(
    ("options", "exact", "few", "enough"),
    [
        ({"layout": "common"}, True, "adjusted_bmp", "grank_t"),
        ({"layout": "common"}, False, "permutation", "grank_t"),
        ({"layout": "distinct"}, True, "bmp", "bmp"),
        ({"layout": "distinct"}, False, "wild_bootstrap", "grank_t"),
    ],
)
def test_fifteen_events_are_enough_for_ranks(options, exact, few, enough, panel):
    """With fewer, tests scaled by the events' own spread stand last and say so."""
    for n, first in ((14, few), (15, enough)):
        made = panel(n=n, **options).abnormal
        found = chosen(TestInput(replace(made, exact=exact), Window(0, 1)))
        too_few = f"with only {n} events it over-rejects" in found["grank_t"]
        assert too_few == (n == 14)
        assert (list(found)[-1] == "grank_t") == (n == 14)
        if not exact:
            assert next(iter(found)) == first


def test_twenty_events_are_many(panel):
    """From then on the sign test allows for skewed estimation windows."""
    for n, key in ((19, "sign"), (20, "generalized_sign")):
        assert list(chosen(panel(n=n, layout="distinct").test(0, 1)))[-1] == key


def test_few_events_on_one_date(panel):
    found = chosen(panel(n=12, layout="common").test(0, 1))
    assert list(found) == ["adjusted_bmp", "portfolio", "block_bootstrap", "permutation", "grank_t"]
    assert "adjusted_bmp does not, suspect a rise in variance" in found["portfolio"]
    assert "with only 12 events it over-rejects" in found["grank_t"]
    assert "against=controls" in found["block_bootstrap"]
    assert "all 12 events share one date" in found["adjusted_bmp"]
    assert "11 degrees of freedom" in found["adjusted_bmp"]
    assert "60 estimation days" in found["portfolio"]


def test_many_events_on_their_own_dates(panel):
    found = chosen(panel(n=24, layout="distinct").test(0, 1))
    assert list(found) == ["bmp", "grank_t", "generalized_sign"]
    assert "24 events on 24 dates, effective N 24.0" in found["bmp"]


def test_between_few_and_many(panel):
    assert list(chosen(panel(n=17, layout="distinct").test(0, 1))) == ["bmp", "grank_t", "sign"]


def test_few_events(panel):
    found = chosen(panel(n=9, layout="distinct").test(0, 1))
    assert list(found) == ["bmp", "wild_bootstrap", "sign", "grank_t"]
    assert "8 degrees of freedom" in found["bmp"]
    assert "exact for 9 CARs" in found["sign"]


def test_dates_that_overlap(panel):
    found = chosen(panel(n=30, layout="mixed", correlation=0.4).test(0, 1))
    assert list(found) == ["adjusted_bmp", "jaffe"]
    assert "effective N" in found["adjusted_bmp"]


@pytest.mark.parametrize(("n", "names"), [(14, ["jaffe", "grank_t"]), (15, ["grank_t", "jaffe"])])
def test_fifteen_events_on_few_dates_are_enough_for_ranks(n, names, panel, with_arrays):
    made, first = panel(n=n, layout="distinct").abnormal, np.arange(n) // 3 * 3
    dates = {"estimation_dates": made.past.dates()[first], "event_dates": made.event_dates[first]}
    past = made.past.residuals()
    noise = past[first] + 0.1 * past  # firms of a date move together
    found = chosen(TestInput(with_arrays(made, residuals=noise, **dates), Window(0, 1)))
    assert list(found) == ["adjusted_bmp", *names]


def test_degrees_of_freedom_of_few_events_on_one_date_are_told(panel):
    for n in (14, 15):
        found = chosen(panel(n=n, layout="common").test(0, 1))
        assert (f"{n - 1} degrees of freedom" in found["adjusted_bmp"]) == (n == 14)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("n", [12, 30])
def test_few_dates_with_several_events_each(panel, n, exact, with_arrays):
    made, first = panel(n=n, layout="distinct").abnormal, np.arange(n) // 3 * 3
    dates = {"estimation_dates": made.past.dates()[first], "event_dates": made.event_dates[first]}
    past = made.past.residuals()
    noise = past[first] + 0.1 * past  # firms of a date move together
    found = chosen(TestInput(with_arrays(made, residuals=noise, exact=exact, **dates), Window(0, 1)))
    if exact:
        assert list(found) == ["adjusted_bmp", *(["grank_t", "jaffe"] if n == 30 else ["jaffe", "grank_t"])]
    else:
        assert list(found) == (["grank_t", "wild_bootstrap"] if n == 30 else ["wild_bootstrap", "grank_t"])
    assert ("over-rejects" in found["grank_t"]) == (n == 12)


def test_dates_whose_windows_share_days(panel):
    """Ranks go by relative day, and do not know the correlation of two dates on one calendar day."""
    data = panel(n=30, layout="mixed", correlation=0.6).test(-2, 3)
    assert overlap_note(data)
    assert list(chosen(data)) == ["adjusted_bmp", "jaffe"]
    approximate = TestInput(replace(data.abnormal, exact=False), data.window)
    assert list(chosen(approximate)) == ["jaffe"]


def test_windows_that_share_days_are_told_of(panel):
    told = ["time_series", "lamb", "rank", "rank_zivney", "sign_zivney", "grank_t", "cumrank_t"]
    told += ["wild_bootstrap", "permutation"]
    options = Options(n_resamples=19, seed=1)
    for layout, shared in (("mixed", True), ("distinct", False)):
        rows = run_tests(panel(n=14, layout=layout).test(-2, 3), None, options).set_index("test")
        says = rows.index[rows["note"].str.contains("overlap, and this test ignores")]
        assert sorted(says) == (sorted(told) if shared else [])
    common = panel(n=14, layout="common")
    assert not overlap_note(common.test(-2, 3))


@pytest.mark.parametrize(
    ("p", "key", "told"),
    [
        ({"adjusted_bmp": 0.2, "portfolio": 0.01}, "portfolio", "more volatile than the estimation window"),
        ({"adjusted_bmp": 0.01, "portfolio": 0.2}, "adjusted_bmp", "vary less than their estimation windows"),
        ({"adjusted_bmp": 0.01, "portfolio": 0.01}, None, ""),
        ({"adjusted_bmp": 0.2, "portfolio": 0.2}, None, ""),
        ({"adjusted_bmp": np.nan, "portfolio": 0.01}, None, ""),
        ({"bmp": 0.01}, None, ""),
    ],
)
def test_what_it_means_that_the_pairs_disagree(p, key, told):
    found = disagreement(p)
    assert list(found) == ([] if key is None else [key])
    assert told in "".join(found.values())


def test_only_what_is_available(panel):
    data = panel(n=12, layout="common").test(0, 1)
    assert list(chosen(data, available=["portfolio", "bmp", "grank_t"])) == ["portfolio", "grank_t"]
    with pytest.raises(RequestError, match="no test 'grankt'"):
        recommend(data, available=["grankt"])


def test_nothing_to_recommend_without_a_car(panel):
    made = panel(n=3).abnormal
    frame = recommend(TestInput(replace(made, ar=np.full_like(made.ar, np.nan)), Window(0, 1)))
    assert frame.empty
    assert list(frame.columns) == ["test", "reason"]


def test_only_what_applies(panel, flat):
    made = panel(n=9, layout="distinct").abnormal
    for event in range(1, 9):
        made = flat(made, event)
    assert list(chosen(TestInput(made, Window(0, 1)))) == ["wild_bootstrap", "sign"]
