"""The table of results, keys and their order."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, Options, run_tests
from eventstudy.inference.base import CONDITIONS, SignificanceTest

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
    with pytest.raises(RequestError, match="two-sided, less, greater"):
        run_tests(panel().test(0, 1), ["bmp"], Options(alternative="lower"))
