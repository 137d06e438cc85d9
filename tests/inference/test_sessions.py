"""The mean correlation of events of one market, chunk by chunk, against that of pairs on calendar days."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.inference import mean_correlation
from eventstudy.inference.dependence.sessions import SumOfCorrelations
from eventstudy.inference.engine.residual_pass import ResidualChunk

WIDTH = 60
DAYS = np.datetime64("2001-01-01") + np.arange(2000)


def residuals_of(session, width=WIDTH):
    """Residuals with a common shock a day."""
    rng = np.random.default_rng(7)
    shock = rng.standard_normal(2000)[session[:, None] + np.arange(-width, 0)]
    return 0.01 * (0.3 + 0.5 * shock + rng.standard_normal((len(session), width)))


def known_days(session, chance):
    return np.random.default_rng(8).random((len(session), WIDTH)) >= chance


def few(session):
    return known_days(session, 0.02)


def one_event(session):
    known = known_days(session, 0.0)
    known[len(session) // 2, 5] = False
    return known


def some_events(session):
    known = known_days(session, 0.02)
    known[::2] = True
    return known


def later_events(session):
    known = known_days(session, 0.05)
    known[np.argsort(session)[: len(session) // 2]] = True
    return known


def days_of_all(session):
    closed = np.isin(session[:, None] + np.arange(-WIDTH, 0), [290, 291, 330])
    return ~closed


def days_of_all_and_more(session):
    return days_of_all(session) & some_events(session)


def days_of_the_first(session):
    return days_of_all(session) | (session > np.median(session))[:, None]


def same_place(session):
    known = known_days(session, 0.0)
    known[:, 20:23] = False
    return known


GAPS = {
    "none": lambda session: known_days(session, 0.0),
    "few": few,
    "most": lambda session: known_days(session, 0.6),
    "nearly all": lambda session: known_days(session, 0.85),
    "one event": one_event,
    "some events": some_events,
    "later events": later_events,
    "days of all": days_of_all,
    "days of all and more": days_of_all_and_more,
    "days of the first": days_of_the_first,
    "same place": same_place,
}
LAYOUTS = {
    "one date": np.full(50, 300),
    "near": np.random.default_rng(1).integers(300, 320, 60),
    "far": np.random.default_rng(1).integers(300, 500, 60),
    "cluster": np.concatenate([np.full(30, 340), np.random.default_rng(1).integers(300, 400, 30), [1500]]),
}


def by_sessions(session, residuals, length, chunk):
    incomplete = np.isnan(residuals).any(axis=1)
    reduction = SumOfCorrelations(session, length, incomplete=bool(incomplete.any()) and not incomplete.all())
    order = np.argsort(session, kind="stable")
    for b in range(0, len(order), chunk):
        rows = order[b : b + chunk]
        reduction.update(reduction.map(ResidualChunk.of(rows, residuals[rows])))
    return reduction.result()


def agrees(session, residuals, length, chunk):
    estimation, tested = session[:, None] + np.arange(-WIDTH, 0), session[:, None] + np.arange(length)
    want = mean_correlation(residuals, DAYS[estimation], DAYS[tested])
    total, pairs = by_sessions(session, residuals, length, chunk)
    n = len(session)
    assert total / (n * (n - 1) / 2) == pytest.approx(want.mean_correlation, rel=1e-13, abs=1e-15)
    assert pairs == want.n_overlapping_pairs


@pytest.mark.quick(
    "days of all-one date-1-1024",
    "days of the first-cluster-1-1024",
    "later events-one date-5-1024",
    "nearly all-one date-1-1024",
    "none-cluster-1-1024",
    "none-near-1-1024",
    "none-one date-1-7",
    "none-one date-21-1024",
    "one event-cluster-70-1024",
    "one event-near-1-3",
    "same place-near-1-1024",
    "same place-near-70-1024",
    "same place-one date-1-1024",
    "same place-one date-5-1024",
    every=9,
)
@pytest.mark.parametrize("chunk", [3, 7, 1024])
@pytest.mark.parametrize("length", [1, 5, 21, 70])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gaps", GAPS)
def test_sums_over_sessions_are_those_of_pairs(gaps, layout, length, chunk):
    session = LAYOUTS[layout]
    residuals = np.where(GAPS[gaps](session), residuals_of(session), np.nan)
    agrees(session, residuals, length, chunk)


@pytest.mark.quick("one event-cluster-1-sizes1", every=20)
@pytest.mark.parametrize(
    "sizes", [{"LARGE": 1}, {"LARGE": 1, "ROWS": 4, "PAIRS": 20}, {"ROWS": 3, "PAIRS": 7}]
)
@pytest.mark.parametrize("length", [1, 5, 70])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gaps", GAPS)
def test_blocks_of_any_size(gaps, layout, length, sizes, monkeypatch):
    for name, size in sizes.items():
        monkeypatch.setattr(f"eventstudy.inference.dependence.sessions.{name}", size)
    session = LAYOUTS[layout]
    residuals = np.where(GAPS[gaps](session), residuals_of(session), np.nan)
    for chunk in (7, 1024):
        agrees(session, residuals, length, chunk)


@pytest.mark.parametrize("large", [1, 10**9], ids=["few days", "all days"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_events_without_variance_or_days(layout, large, monkeypatch):
    monkeypatch.setattr("eventstudy.inference.dependence.sessions.LARGE", large)
    session = LAYOUTS[layout]
    residuals = np.where(few(session), residuals_of(session), np.nan)
    residuals[2] = 0.0
    residuals[3, ~np.isnan(residuals[3])] = 0.1  # equal values leave rounding noise around their mean
    residuals[4, 7:] = np.nan
    residuals[5] = np.nan
    residuals[6, :9] = np.nan
    residuals[7, 9:] = np.where(np.isnan(residuals[7, 9:]), np.nan, 0.1)  # nothing varies where 6 is known
    for chunk in (3, 7, 1024):
        for length in (1, 5):
            agrees(session, residuals, length, chunk)


def test_days_that_were_not_expected_to_be_missing():
    session = np.sort(LAYOUTS["near"])
    residuals = residuals_of(session)
    residuals[40, 3] = np.nan
    reduction = SumOfCorrelations(session, 2, incomplete=False)
    for rows in (np.arange(20), np.arange(20, 60)):
        reduction.update(reduction.map(ResidualChunk.of(rows, residuals[rows])))
    assert reduction.result() is None


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("gaps", ["none", "few", "some events"])
def test_the_unit_of_residuals_does_not_matter(gaps, scale):
    session = LAYOUTS["near"]
    residuals = np.where(GAPS[gaps](session), residuals_of(session), np.nan)
    want = by_sessions(session, residuals, 3, 1024)
    found = by_sessions(session, scale * residuals, 3, 1024)
    assert found[0] == pytest.approx(want[0], rel=1e-12)
    assert found[1] == want[1]
