"""The table of results, keys and their order."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

from eventstudy import inference
from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, Options, SignificanceTest, Statistic, TestInput, run_tests
from eventstudy.inference.base import p_value
from eventstudy.inference.significance_test import CONDITIONS
from eventstudy.windows import Window

COLUMNS = [
    "test",
    "statistic",
    "distribution",
    "dof",
    "p_value",
    "estimate",
    "n_events",
    "null",
    "robust_to",
    "reference",
    "applicable",
    "note",
]


def test_columns_and_types(panel):
    frame = run_tests(panel().test(0, 1))
    assert list(frame.columns) == COLUMNS
    assert list(frame["test"]) == list(TESTS)
    assert (frame[["statistic", "dof", "p_value", "estimate"]].dtypes == np.float64).all()
    assert frame["applicable"].dtype == bool
    assert frame["n_events"].dtype == np.int64
    assert (frame["n_events"] == 12).all()


def test_declarations():
    for key, test in TESTS.items():
        assert isinstance(test, SignificanceTest)
        assert test.key == key
        assert test.robust_to <= CONDITIONS
        assert test.reference
        assert test.null


def test_tests_whose_null_is_symmetry_claim_fat_tails_alone():
    """Signs, signed ranks and flipped signs are tests of the mean only where both tails are alike."""
    for key in (
        "sign",
        "wilcoxon",
        "wild_bootstrap",
        "generalized_sign",
        "grank_t",
        "grank_z",
        "rank_zivney",
    ):
        assert TESTS[key].survives({"fat tails"})
        assert not TESTS[key].survives({"non-normality"})
    for key in ("rank", "cumrank_t", "sq", "conformal", "block_bootstrap", "permutation", "bootstrap"):
        assert TESTS[key].survives({"non-normality", "fat tails"})
    assert not TESTS["bmp"].survives({"fat tails"})
    assert TESTS["bmp"].survives(set())


def test_keys_keep_their_order(panel):
    frame = run_tests(panel().test(0, 1), ["sign", "bmp"])
    assert list(frame["test"]) == ["sign", "bmp"]


def test_no_keys_give_an_empty_table(panel):
    frame = run_tests(panel().test(0, 1), [])
    assert list(frame.columns) == COLUMNS
    assert frame.empty


def test_unknown_key_names_close_ones(panel):
    with pytest.raises(RequestError, match="'adjusted_bmp'"):
        run_tests(panel().test(0, 1), ["adjusted_bpm"])
    with pytest.raises(RequestError, match="as a list"):
        run_tests(panel().test(0, 1), "bmp")


def test_unknown_alternative(panel):
    with pytest.raises(RequestError, match="'two-sided', 'less', 'greater'"):
        run_tests(panel().test(0, 1), ["bmp"], Options(alternative="lower"))


def of_nothing(data, options):
    return Statistic(1.5, p_value(1.5, options.alternative), "normal", None, float(data.car.mean()))


MINE = SignificanceTest("mine", "Mine", "nothing", "N(0,1)", frozenset(), "this file", of_nothing)


def test_a_test_of_ones_own_stands_beside_keys(panel):
    frame = run_tests(panel().test(0, 1), [MINE, "bmp"]).set_index("test")
    assert list(frame.index) == ["mine", "bmp"]
    assert frame.loc["mine", "p_value"] == pytest.approx(p_value(1.5, "two-sided"))
    assert frame.loc["mine", "n_events"] == 12
    one = run_tests(panel(n=1).test(0, 1), [MINE]).iloc[0]
    assert one["note"] == "not applicable: one event"
    assert MINE.key not in TESTS


def test_a_test_gets_the_events_that_it_uses_and_no_other(panel, flat):
    made = flat(panel(n=12, layout="common", seed=3).abnormal, 4)
    ar = made.ar.copy()
    ar[7] = np.nan
    data, seen = TestInput(replace(made, ar=ar), Window(0, 1)), []

    def compute(given, options):
        seen.append(given)
        return of_nothing(given, options)

    plain, scaled = replace(MINE, compute=compute), replace(MINE, compute=compute, needs_variance=True)
    rows = run_tests(data, [plain, replace(scaled, key="scaled")]).set_index("test")
    assert [given.abnormal.n_events for given in seen] == [11, 10]
    assert not np.isnan(seen[0].car).any()
    assert not np.isnan(seen[1].scar).any()
    assert list(rows["n_events"]) == [11, 10]
    assert rows.loc["mine", "note"] == ""
    assert rows.loc["scaled", "note"] == "1 event without residual variance left out"
    assert scaled.run(data, Options()).statistic == 1.5


@pytest.mark.parametrize(
    ("changes", "n", "reason"),
    [
        ({"least": 3}, 2, "needs at least 3 events, 2 can be used"),
        ({"least": 1, "most": 1}, 2, "a test of one event, there are 2"),
        ({"most": 5}, 6, "a test of 5 events, there are 6"),
        ({"condition": lambda data: "not today"}, 6, "not today"),
    ],
)
def test_why_a_test_cannot_be_used(changes, n, reason, panel):
    test = replace(MINE, **changes)
    data = panel(n=n).test(0, 1)
    assert test.applies(data) == reason
    assert run_tests(data, [test]).iloc[0]["note"] == f"not applicable: {reason}"
    assert np.isnan(test.run(data, Options()).p_value)
    assert test.run(data, Options()).note == reason


def test_two_tests_of_one_key(panel):
    with pytest.raises(RequestError, match="Two of the tests have the key 'bmp'"):
        run_tests(panel().test(0, 1), [replace(MINE, key="bmp"), "bmp"])
    with pytest.raises(RequestError, match=r"as a list: tests=\['mine'\]"):
        run_tests(panel().test(0, 1), MINE)


def test_every_declared_test_is_registered():
    """A test that a family declares is in `TESTS`, in the order of its family."""
    declared = set()
    for found in pkgutil.iter_modules(inference.__path__, "eventstudy.inference."):
        for family in vars(importlib.import_module(found.name)).values():
            if isinstance(family, tuple) and family and isinstance(family[0], SignificanceTest):
                keys = [test.key for test in family]
                at = [list(TESTS).index(key) for key in keys]
                assert at == list(range(at[0], at[0] + len(at)))
                declared |= set(keys)
    assert declared == set(TESTS)
