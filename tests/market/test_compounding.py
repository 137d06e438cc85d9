"""Benchmarks compounded over any span of sessions, against plain products."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy.market.compounding import CompoundedSeries, price_returns, return_spans

PROFILE = settings(derandomize=True, deadline=None, max_examples=80)
NAN = math.nan
LENGTH = 10
prices = st.lists(st.one_of(st.floats(50, 150), st.just(NAN)), min_size=LENGTH, max_size=LENGTH)
returns = st.lists(st.one_of(st.floats(-0.5, 0.5), st.just(NAN)), min_size=LENGTH, max_size=LENGTH)


def every_span(bank: CompoundedSeries, series: int) -> np.ndarray:
    """Compounded values by last row and span."""
    rows, spans = np.meshgrid(np.arange(LENGTH), np.arange(1, LENGTH + 1), indexing="ij")
    return bank.compound(np.array(series), rows, spans)


@PROFILE
@given(prices, prices)
def test_prices_with_gaps(first, second):
    values, spans = price_returns(np.array([first, second]).T)
    bank = CompoundedSeries.of(("a", "b"), values.T, spans.T, "simple")
    for series, given_prices in enumerate((first, second)):
        found = every_span(bank, series)
        for row in range(LENGTH):
            for span in range(1, LENGTH + 1):
                known = row - span >= 0
                wanted = given_prices[row] / given_prices[row - span] - 1 if known else NAN
                np.testing.assert_allclose(found[row, span - 1], wanted, rtol=1e-12, atol=1e-13)


@PROFILE
@given(returns, st.sampled_from(["simple", "log"]))
def test_returns_that_lump_what_was_missing(values, kind):
    spans = return_spans(np.array(values)[:, None], lumped=True).T
    bank = CompoundedSeries.of(("a",), np.array([values]), spans, kind)
    found = every_span(bank, 0)
    # A level is known where a return ends, and where the first one starts.
    ends = {row for row, value in enumerate(values) if not math.isnan(value)}
    ends |= {min(ends) - 1} if ends else set()
    for row in range(LENGTH):
        for span in range(1, LENGTH + 1):
            start = row - span
            if start < 0 and not (span == 1 and row in ends and not math.isnan(values[row])):
                assert math.isnan(found[row, span - 1])
                continue
            inside = [v for v in values[max(start, -1) + 1 : row + 1] if not math.isnan(v)]
            known = row in ends and not math.isnan(values[row]) and (start in ends or start == -1)
            total = math.prod(1 + v for v in inside) - 1 if kind == "simple" else sum(inside)
            np.testing.assert_allclose(found[row, span - 1], total if known else NAN, rtol=1e-12, atol=1e-13)


@PROFILE
@given(returns, st.sampled_from(["simple", "log"]))
def test_returns_each_of_its_own_session(values, kind):
    spans = return_spans(np.array(values)[:, None], lumped=False).T
    bank = CompoundedSeries.of(("a",), np.array([values]), spans, kind)
    found = every_span(bank, 0)
    for row in range(LENGTH):
        for span in range(1, LENGTH + 1):
            inside = values[max(row - span + 1, 0) : row + 1]
            # Spans of several sessions are reckoned from a session of the data.
            reaches = row - span >= 0 or span == 1
            total = math.prod(1 + v for v in inside) - 1 if kind == "simple" else sum(inside)
            np.testing.assert_allclose(
                found[row, span - 1], total if reaches else NAN, rtol=1e-12, atol=1e-13
            )


def test_single_values_are_not_touched():
    values = np.array([[0.1, 0.2, 0.3]])
    bank = CompoundedSeries.of(("a",), values, np.ones((1, 3), int), "simple")
    rows = np.arange(3)
    assert bank.compound(np.array(0), rows, np.ones(3, int)).tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(("row", "span"), [(-1, 1), (3, 1), (1, 0), (0, 2), (2, 4)])
def test_outside_of_the_data(row, span):
    bank = CompoundedSeries.of(("a",), np.array([[0.1, 0.2, 0.3]]), np.ones((1, 3), int), "simple")
    assert np.isnan(bank.compound(np.array(0), np.array([row]), np.array([span]))).all()


def test_a_bank_of_nothing():
    bank = CompoundedSeries.of((), np.empty((0, 5)), np.empty((0, 5), dtype=int), "simple")
    assert bank.names == ()
    assert bank.single.shape == (0, 5)
