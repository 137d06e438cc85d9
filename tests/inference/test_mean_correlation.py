"""The mean correlation against its definition, pair by pair, and the clustering record."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference import clustering, mean_correlation
from eventstudy.inference.dependence.mean_correlation import LOSS, correlation_matrix, depend, dependence

DAY = np.datetime64("2001-01-01")


def pair_by_pair(residuals, estimation, tested):
    """docs/methods/standardized.md, eq. (mean-correlation), as it is written."""
    total, overlapping, n = 0.0, 0, len(residuals)
    series = [
        {d: v for d, v in zip(days, values, strict=True) if not np.isnan(v)}
        for days, values in zip(estimation, residuals, strict=True)
    ]
    windows = [{d for d in days if not np.isnat(d)} for days in tested]
    for i in range(n):
        for j in range(i + 1, n):
            share = len(windows[i] & windows[j]) / math.sqrt(len(windows[i]) * len(windows[j]))
            overlapping += share > 0
            common = sorted(series[i].keys() & series[j].keys())
            if share == 0 or len(common) < 10:
                continue
            a, b = [series[i][d] for d in common], [series[j][d] for d in common]
            if np.std(a) > 0 and np.std(b) > 0:
                total += share * np.corrcoef(a, b)[0, 1]
    return total / (n * (n - 1) / 2), overlapping


def arrays(zero, width=60, length=1, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    n = len(zero)
    estimation = zero[:, None] - width - 4 + np.arange(width)
    tested = zero[:, None] + np.arange(length)
    shock = rng.standard_normal(int(tested.max()) + 1)
    residuals = 0.01 * (0.5 * shock[estimation] + rng.standard_normal((n, width)))
    residuals[rng.random(residuals.shape) < missing] = np.nan
    return residuals, DAY + estimation, DAY + tested


LAYOUTS = {
    "one date": lambda rng: np.full(40, 300),
    "adjacent dates": lambda rng: rng.integers(300, 330, 40),
    "far apart": lambda rng: 300 + 30 * np.arange(40),
    "cluster among others": lambda rng: np.concatenate(
        [np.full(15, 300), rng.integers(260, 340, 20), np.full(5, 900)]
    ),
}


@pytest.mark.quick(every=16)
@pytest.mark.parametrize("missing", [0.0, 0.02, 0.3, 0.8])
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_pairwise_definition(layout, length, missing):
    made = arrays(LAYOUTS[layout](np.random.default_rng(2)), length=length, missing=missing)
    found = mean_correlation(*made)
    want, overlapping = pair_by_pair(*made)
    assert found.mean_correlation == pytest.approx(want, abs=1e-12)
    assert found.n_overlapping_pairs == overlapping


def test_blocks_larger_than_one(monkeypatch):
    made = arrays(np.random.default_rng(1).integers(300, 330, 60), length=3, missing=0.1)
    whole = mean_correlation(*made).mean_correlation
    for name, size in {"ROWS": 7, "COLUMNS": 11, "CHUNK": 13}.items():
        monkeypatch.setattr(f"eventstudy.inference.dependence.pairs.{name}", size)
    assert mean_correlation(*made).mean_correlation == pytest.approx(whole, abs=1e-14)


def test_order_of_events_does_not_matter():
    made = arrays(np.random.default_rng(3).integers(300, 330, 50), length=3, missing=0.1)
    order = np.random.default_rng(4).permutation(50)
    shuffled = mean_correlation(*(a[order] for a in made))
    assert shuffled.mean_correlation == pytest.approx(mean_correlation(*made).mean_correlation, abs=1e-14)


def test_different_sessions_and_dates_beyond_the_data():
    residuals, estimation, tested = arrays(np.full(20, 300), length=4, missing=0.05)
    estimation[::2] -= np.timedelta64(1, "D")  # another exchange's holiday
    tested[5, 2:] = np.datetime64("NaT", "D")
    estimation[7, :20] = np.datetime64("NaT", "D")
    residuals[7, :20] = np.nan
    found = mean_correlation(residuals, estimation, tested)
    assert found.mean_correlation == pytest.approx(pair_by_pair(residuals, estimation, tested)[0], abs=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_exchanges_whose_holidays_lie_inside_the_estimation_window(missing):
    residuals, estimation, tested = arrays(np.full(20, 300), length=2, missing=missing)
    for number, holidays in enumerate(([10, 11, 40], [5, 33])):
        shift = np.searchsorted(holidays, np.arange(estimation.shape[1]), side="right")
        estimation[number::2] += shift.astype("timedelta64[D]") - np.timedelta64(len(holidays), "D")
    found = mean_correlation(residuals, estimation, tested)
    assert found.mean_correlation == pytest.approx(pair_by_pair(residuals, estimation, tested)[0], abs=1e-12)


@pytest.mark.parametrize("zero", [np.full(6, 300), np.array([300, 300, 301, 301, 302, 302])], ids=str)
def test_a_series_without_variance_counts_as_uncorrelated(zero):
    residuals, estimation, tested = arrays(zero, length=3)
    residuals[2] = 0.0
    residuals[3] = 0.1  # equal values leave rounding noise around their mean
    found = mean_correlation(residuals, estimation, tested)
    assert found.mean_correlation == pytest.approx(pair_by_pair(residuals, estimation, tested)[0], abs=1e-12)


def test_no_variance_on_the_common_days():
    residuals, estimation, tested = arrays(np.full(2, 300))
    residuals[0, :30] = np.nan
    residuals[1, 30:] = 0.1
    assert mean_correlation(residuals, estimation, tested).mean_correlation == 0.0


def test_a_matrix_counts_the_same_pairs_as_uncorrelated():
    """Few common days, or no variance on them, of either event of a pair."""
    residuals, estimation, tested = arrays(np.full(6, 300))
    residuals[0, :30], residuals[1, 30:] = np.nan, 0.1
    residuals[2] = 0.0
    residuals[3, 9:] = np.nan
    matrix = correlation_matrix(residuals, estimation, tested)
    want = np.eye(6)
    for i, j in ((0, 4), (0, 5), (1, 4), (1, 5), (4, 5)):
        both = ~np.isnan(residuals[i]) & ~np.isnan(residuals[j])
        want[i, j] = want[j, i] = np.corrcoef(residuals[i, both], residuals[j, both])[0, 1]
    np.testing.assert_allclose(matrix, want, atol=1e-12)


def test_fewer_than_ten_common_days_count_as_uncorrelated():
    residuals, estimation, tested = arrays(np.full(2, 300))
    residuals[:, 9:] = np.nan
    assert mean_correlation(residuals, estimation, tested).mean_correlation == 0.0
    residuals[:, 9] = [0.01, -0.02]
    assert mean_correlation(residuals, estimation, tested).mean_correlation != 0.0


def test_one_event():
    assert mean_correlation(*arrays(np.array([300]))).mean_correlation == 0.0


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("missing", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_hundred_events_equal_the_correlations_of_pandas(layout, missing):
    zero = np.tile(LAYOUTS[layout](np.random.default_rng(2)), 5)
    residuals, estimation, tested = arrays(zero, width=120, length=3, missing=missing)
    columns = [pd.Series(e, days) for e, days in zip(residuals, estimation, strict=True)]
    correlations = pd.concat(columns, axis=1, sort=True).corr(min_periods=10).to_numpy()
    windows = [set(days) for days in tested]
    share = np.array([[len(a & b) / 3 for b in windows] for a in windows])
    upper = np.triu_indices(200, 1)
    want = np.nan_to_num(correlations)[upper] @ share[upper] / len(upper[0])
    found = mean_correlation(residuals, estimation, tested)
    assert found.mean_correlation == pytest.approx(want, abs=1e-12)
    assert found.n_overlapping_pairs == np.count_nonzero(share[upper])


@pytest.mark.parametrize("few", [0.0, 1.0], ids=["dense", "sparse"])
def test_rare_and_frequent_gaps_are_summed_alike(few, monkeypatch):
    made = arrays(np.random.default_rng(1).integers(300, 330, 60), length=3, missing=0.1)
    whole = mean_correlation(*made).mean_correlation
    monkeypatch.setattr("eventstudy.inference.dependence.pairs.FEW_GONE", few)
    assert mean_correlation(*made).mean_correlation == pytest.approx(whole, abs=1e-14)


def test_clustering_on_one_date(panel, oracle):
    made = panel(layout="common", n=12)
    found = clustering(made.test(0, 0))
    r = oracle.mean_cross_correlation(made.events)
    assert (found.n_events, found.n_dates, found.n_overlapping_pairs) == (12, 1, 66)
    assert found.share_overlapping == 1.0
    assert found.mean_correlation == pytest.approx(r, abs=1e-12)
    assert found.effective_n == pytest.approx(12 / (1 + 11 * r))


def test_one_event_is_one_event():
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2015-01-01", periods=200)
    market = es.Market(pd.DataFrame(0.01 * rng.standard_normal((200, 2)), days, list("AB")), benchmark="B")
    event = [{"security": "A", "date": days[150]}]
    found = es.EventStudy(market, event, estimation=(-100, -11), window=(0, 2)).fit().clustering(0, 1)
    assert (found.n_events, found.n_dates, found.n_overlapping_pairs) == (1, 1, 0)
    assert (found.mean_correlation, found.effective_n, found.share_overlapping) == (0.0, 1.0, 0.0)


def test_clustering_on_distinct_dates(panel):
    found = clustering(panel(layout="distinct", n=12).test(0, 1))
    assert (found.n_dates, found.n_overlapping_pairs, found.mean_correlation) == (12, 0, 0.0)
    assert found.effective_n == 12


def test_events_of_one_market_that_share_no_day_have_no_correlation_but_of_rounding_size():
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2015-01-01", periods=400)
    market = es.Market(
        pd.DataFrame(0.01 * rng.standard_normal((400, 9)), days, list("ABCDEFGHI")), benchmark="I"
    )
    events = [{"security": name, "date": days[110 + 30 * i]} for i, name in enumerate("ABCDEFGH")]
    found = es.EventStudy(market, events, estimation=(-100, -11), window=(0, 2)).fit()
    assert found.clustering(0, 2).mean_correlation == 0.0
    assert "corrected" not in found.test(0, 2, tests="grank_t")["note"].iloc[0]


def test_clustering_leaves_out_events_without_a_car(panel):
    made = panel(layout="common", n=12, seed=9)
    ar = made.abnormal.ar.copy()
    ar[[2, 5]] = np.nan
    data = replace(made.test(0, 1), abnormal=replace(made.abnormal, ar=ar))
    assert clustering(data).n_events == 10
    with pytest.raises(RequestError, match="No event has a CAR"):
        clustering(replace(data, abnormal=replace(made.abnormal, ar=np.full_like(ar, np.nan))))


def test_effective_number_is_missing_where_the_correlation_is_impossible(panel, with_arrays):
    made = panel(layout="common", n=2, seed=9)
    residuals = made.abnormal.past.residuals().copy()
    residuals[1] = -residuals[0]
    found = clustering(replace(made.test(0, 0), abnormal=with_arrays(made.abnormal, residuals=residuals)))
    assert found.mean_correlation == pytest.approx(-1.0)
    assert math.isnan(found.effective_n)


PARTS = "eventstudy.inference.dependence.mean_correlation"


@cache
def many_events(common, missing=0.0, securities=200, sessions=500, n=4000):
    """Events at random days, of securities with a shock in common that the benchmark does not hold."""
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2010-01-04", periods=sessions)
    names = np.array([f"S{i:03d}" for i in range(securities)], dtype=object)
    returns = 0.02 * rng.standard_normal((sessions, securities))
    returns += common * rng.standard_normal((sessions, 1))
    returns[rng.random(returns.shape) < missing] = np.nan
    market = es.Market(
        pd.DataFrame(returns, days, names),
        benchmark=pd.Series(0.01 * rng.standard_normal(sessions), days),
        gaps="single",
    )
    who, day = rng.integers(0, securities, n), rng.integers(90, sessions - 20, n)
    events = pd.DataFrame({"security": names[who], "date": days[day]}).drop_duplicates()
    return es.EventStudy(market, events, None, (-80, -21), (-5, 5)).fit()


def unread(results, window):
    """Events of which nothing was computed yet."""
    data = results.fitted.test_input(es.Window(*window))
    return data.take(np.flatnonzero(data.usable))


def by_all(data):
    found, n = dependence(data), data.n_events
    shared = found.n_overlapping_pairs > LOSS * n * (n - 1) / 2
    return shared or not 1.0 + (n - 1) * found.mean_correlation <= 1.0 / (1.0 - LOSS)


@pytest.mark.quick(every=2)
@pytest.mark.parametrize(("common", "missing"), [(0.0, 0.0), (0.0, 0.02), (0.01, 0.0), (0.01, 0.02)])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_a_part_of_many_events_tells_whether_they_depend(common, missing, monkeypatch):
    monkeypatch.setattr(f"{PARTS}.MANY", 1000)
    monkeypatch.setattr(f"{PARTS}.STEPS", (4, 2))
    results = many_events(common, missing)
    for window in ((0, 0), (0, 1), (-5, 5)):
        want = by_all(unread(results, window))
        assert depend(unread(results, window)) is want
        assert want or not common


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(("common", "doubtful"), [(0.0, False), (0.0015, True), (0.02, False)])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_all_events_are_read_only_where_a_part_leaves_doubt(common, doubtful, monkeypatch):
    monkeypatch.setattr(f"{PARTS}.MANY", 1000)
    monkeypatch.setattr(f"{PARTS}.STEPS", (2,))
    results, read = many_events(common), []
    monkeypatch.setattr(f"{PARTS}.dependence", lambda data: read.append(data) or dependence(data))
    assert depend(unread(results, (0, 0))) is by_all(unread(results, (0, 0)))
    assert bool(read) is doubtful
