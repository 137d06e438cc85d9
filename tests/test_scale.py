"""Many events: chunks, workers and missing days change no number; what fails alone is left out alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import lazy
from eventstudy.abnormal import HeldEventWindows, cumulate, estimate
from eventstudy.errors import ExcludedEventsWarning, ModelError
from eventstudy.inference import Options, TestInput, mean_correlation, run_tests
from eventstudy.inference.dependence.sessions import session_correlation
from eventstudy.inference.engine.joint_ranks import BEYOND, order_of
from eventstudy.inference.engine.rank_kernel import RankedDays, RankReducer
from eventstudy.inference.engine.residual_pass import ResidualChunk
from eventstudy.inference.ranks import scaled_ranks
from eventstudy.lazy import group_order
from eventstudy.models.grouped_ols import shared_ols, shared_residuals
from eventstudy.models.least_squares import ols_batch
from eventstudy.sample import EventSample, SharedWindows
from eventstudy.windows import Window

TIGHT = {"rtol": 1e-12, "atol": 1e-15}
ESTIMATION, WINDOW = (-140, -21), (-5, 5)


@cache
def market(missing: float = 0.03) -> es.Market:
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2015-01-01", periods=500, name="date")
    factors = pd.DataFrame(
        0.01 * rng.standard_normal((500, 5)), days, ["mkt_rf", "smb", "hml", "mom", "rf"]
    ).assign(rf=0.0001)
    other = 0.01 * rng.standard_normal(500)
    returns = pd.DataFrame(
        0.02 * rng.standard_normal((500, 12)) + factors[["mkt_rf"]].to_numpy(),
        days,
        [f"S{i:02d}" for i in range(12)],
    )
    returns = returns.mask(rng.random(returns.shape) < missing)
    factors.loc[days[[77, 300]], "hml"] = np.nan
    # Every fourth security has a benchmark of its own.
    series = [factors["mkt_rf"].rename("market"), pd.Series(other, days, name="other")]
    benchmark = {f"S{i:02d}": series[i % 4 == 0] for i in range(12)}
    return es.Market(returns, gaps="lumped", benchmark=benchmark, factors=factors)


def events(n: int = 150) -> es.Events:
    rng = np.random.default_rng(6)
    sessions = market().sessions
    frame = pd.DataFrame(
        {
            "security": [f"S{i:02d}" for i in rng.integers(0, 12, n)],
            "date": sessions[rng.integers(110, 498, n)],
        }
    )
    return es.Events(frame.drop_duplicates())


def same(a: es.EventStudyResults, b: es.EventStudyResults) -> None:
    pd.testing.assert_frame_equal(a.parameters, b.parameters, **TIGHT)
    pd.testing.assert_frame_equal(a.excluded, b.excluded)
    one, two = a.fitted.abnormal, b.fitted.abnormal
    for name in ("ar", "actual", "expected", "span", "noise", "design", "param_cov"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), err_msg=name, **TIGHT)
    for name in ("residuals", "leverage", "design"):
        first, second = getattr(one.past, name)(), getattr(two.past, name)()
        np.testing.assert_allclose(first, second, err_msg=name, **TIGHT)
    np.testing.assert_array_equal(one.past.dates(), two.past.dates())
    np.testing.assert_array_equal(one.event_dates, two.event_dates)


MODELS = {
    "constant mean": es.ConstantMean(),
    "market": es.MarketModel(),
    "adjusted": es.MarketAdjusted(),
    "trade to trade": es.MarketModel(missing="trade_to_trade"),
    "capm": es.CAPM(),
    "four factors": es.Carhart4(),
    "dimson": es.Dimson(),
    "robust": es.RobustMarketModel(),
    "matched": es.MatchedPortfolio(),
}


@pytest.mark.quick("market", every=3)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_chunks_and_workers_change_nothing(model, cluster):
    study = es.EventStudy(market(), events(), model, ESTIMATION, WINDOW)
    whole = study.fit(chunk_size=10**6)
    same(whole, study.fit(chunk_size=7))
    same(whole, study.fit(n_jobs=2, chunk_size=11))
    with joblib.parallel_config(backend="loky", n_jobs=2):
        same(whole, study.fit())
    with joblib.parallel_config(backend="dask"):
        assert joblib.effective_n_jobs() == 2  # the cluster's workers
        same(whole, study.fit(chunk_size=40))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_the_fast_way_is_the_plain_way(model):
    """Regressors laid out once a day, against every event by itself."""
    study = es.EventStudy(market(), events(), model, ESTIMATION, WINDOW)
    results = study.fit()
    sample, abnormal = results.sample, results.fitted.abnormal
    arrays = model.arrays(sample)
    fit = model.fit(arrays)
    np.testing.assert_allclose(abnormal.ar, arrays.y_evt - fit.expected, **TIGHT)
    np.testing.assert_allclose(results.fitted.fit.params, fit.params, **TIGHT)
    for name in ("param_cov", "s2", "noise", "design"):
        np.testing.assert_allclose(getattr(abnormal, name), getattr(fit, name), err_msg=name, **TIGHT)
    for name in ("residuals", "leverage"):
        found = getattr(abnormal.past, name)()
        np.testing.assert_allclose(found, getattr(fit, name), err_msg=name, **TIGHT)
    np.testing.assert_array_equal(abnormal.n_obs, fit.n_obs)


@pytest.mark.parametrize("noise", [0.02, 0.0001])
@pytest.mark.parametrize("per_day", [1, 25])
@pytest.mark.parametrize("missing", [0.0, 0.02, 0.05, 0.6])
@pytest.mark.parametrize("p", [0, 1, 4])
def test_least_squares_of_shared_regressors(p, missing, per_day, noise):
    rng = np.random.default_rng(p + 10 * per_day)
    n, width = 50, 60
    run = np.repeat(np.arange(n // per_day), per_day)
    x = 0.0005 + 0.01 * rng.standard_normal((n // per_day, width, p))
    if p:
        x[0, :, 0] = 0.01  # never moves: collinear with the constant
        x[-1, 3:6] = np.nan
    y = noise * rng.standard_normal((n, width)) + x[run].sum(axis=2)
    y[rng.random(y.shape) < missing] = np.nan
    y[-1] = np.nan
    plain = ols_batch(y, x[run])
    start = np.arange(0, n, per_day)
    fast = shared_ols(SharedWindows(y.copy(), x, start, run))
    residuals = shared_residuals(SharedWindows(y.copy(), x, start, run), fast.params)
    made = {**fast._asdict(), "residuals": residuals}
    for name in ("params", "xtx_inv", "residuals", "sse", "r_squared"):
        want = getattr(plain, name)
        atol = 1e-13 * np.nanmax(np.abs(want[np.isfinite(want)]), initial=0.0)
        if name == "residuals":  # they are rounded like the returns they are left of
            atol = max(atol, 16 * np.finfo(float).eps * np.nanmax(np.abs(y)))
        np.testing.assert_allclose(made[name], want, rtol=1e-11, atol=atol, err_msg=name)
    np.testing.assert_array_equal(fast.n_obs, plain.n_obs)


@pytest.mark.parametrize("noise", [0.02, 0.0001])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("events", "share"), [(0.1, 0.5), (1.0, 0.5), (1.0, 0.03), (1.0, 1.0)])
@pytest.mark.parametrize("inner", [slice(20, 60), slice(12, 50), slice(30, 30), slice(59, 59)])
def test_least_squares_of_windows_that_differ_at_their_ends(inner, events, share, inside, noise):
    """It does not matter which days are said to be known."""
    rng = np.random.default_rng(5)
    n, width = 40, 60
    run = np.repeat(np.arange(4), 10)
    x = 0.01 * rng.standard_normal((4, width, 2))
    y = noise * rng.standard_normal((n, width)) + x[run].sum(axis=2)
    ends = np.ones(width, dtype=bool)
    ends[inner] = False
    y[(rng.random((n, 1)) < events) & ends & (rng.random((n, width)) < share)] = np.nan
    if inside:
        y[7, 35:37] = np.nan
    plain, start = ols_batch(y, x[run]), np.arange(0, n, 10)
    fast = shared_ols(SharedWindows(y.copy(), x, start, run, inner))
    for name in ("params", "xtx_inv", "sse", "r_squared"):
        np.testing.assert_allclose(
            getattr(fast, name), getattr(plain, name), rtol=1e-10, atol=1e-16, err_msg=name
        )
    np.testing.assert_array_equal(fast.n_obs, plain.n_obs)


def test_nearly_collinear_regressors_are_told_apart_like_plain_ones():
    """One run for each distance between two of three regressors."""
    rng = np.random.default_rng(8)
    apart = np.array([0.0, 1e-9, 1e-7, 1e-5, 1e-3, 1.0])
    x = 0.01 * rng.standard_normal((len(apart), 60, 3))
    x[:, :, 1] = x[:, :, 0] + apart[:, None] * x[:, :, 1]
    run = np.repeat(np.arange(len(apart)), 4)
    y = 0.02 * rng.standard_normal((len(run), 60)) + x[run].sum(axis=2)
    fast = shared_ols(SharedWindows(y.copy(), x, np.arange(0, len(run), 4), run))
    plain = ols_batch(y, x[run])
    np.testing.assert_array_equal(np.isnan(fast.params), np.isnan(plain.params) | (apart[run, None] < 1e-6))
    assert not np.isnan(fast.params[apart[run] > 1e-6]).any()
    np.testing.assert_allclose(fast.sse[run > 2], plain.sse[run > 2], rtol=1e-9)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_returns_over_several_sessions_keep_their_regressors():
    """Halts in the event window: benchmark and risk-free rate compounded over the same sessions."""
    base = market(0.0)
    returns = base.returns
    returns.iloc[250:256, :6] = np.nan
    halted = es.Market(
        returns, gaps="lumped", benchmark=base.returns["S00"].rename("b"), factors=base.factors
    )
    frame = pd.DataFrame({"security": [f"S{i:02d}" for i in range(1, 8)], "date": base.sessions[258]})
    for model in (es.MarketModel(), es.CAPM(), es.Carhart4()):
        results = es.EventStudy(halted, frame, model, ESTIMATION, WINDOW).fit()
        arrays = model.arrays(results.sample)
        assert (arrays.span_evt > 1).any()
        fit = model.fit(arrays)
        np.testing.assert_allclose(results.fitted.abnormal.ar, arrays.y_evt - fit.expected, **TIGHT)
        np.testing.assert_allclose(results.fitted.abnormal.expected, fit.expected + arrays.rf_evt, **TIGHT)
        np.testing.assert_array_equal(results.fitted.abnormal.span, arrays.span_evt)


@dataclass(frozen=True)
class Brittle(es.MarketModel):
    """Fails on the events of a security, or on all."""

    breaks: tuple[int, ...] = ()

    def fit_sample(self, sample, part):
        if np.isin(sample.security[part], self.breaks).any():
            raise FloatingPointError("no such luck")
        return super().fit_sample(sample, part)


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("threading", {}),
        ("threading", {"chunk_size": 10}),
        ("threading", {"n_jobs": 2, "chunk_size": 10}),
        ("loky", {"n_jobs": 2, "chunk_size": 10}),
        ("dask", {"chunk_size": 10}),
    ],
)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_what_fails_alone_is_left_out_alone(backend, options, cluster):
    study = es.EventStudy(market(0.0), events(), Brittle(breaks=(3,)), ESTIMATION, WINDOW)
    with (
        joblib.parallel_config(backend=backend),
        pytest.warns(ExcludedEventsWarning, match="failed on it"),
    ):
        results = study.fit(**options)
    whole = es.EventStudy(market(0.0), events(), es.MarketModel(), ESTIMATION, WINDOW).fit()
    kept = whole.timeline["security"] != "S03"
    broken = results.excluded["reason"].str.contains("FloatingPointError: no such luck", regex=False)
    assert set(results.excluded.loc[broken, "security"]) == {"S03"}
    assert set(results.excluded.index[broken]) == set(whole.timeline.index[~kept])
    assert "S03" not in set(results.timeline["security"])
    pd.testing.assert_frame_equal(results.parameters, whole.parameters[kept], **TIGHT)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_what_failed_has_no_numbers():
    sample = EventSample.of(market(0.0), events(), Window(*ESTIMATION), Window(*WINDOW))
    found = estimate(Brittle(breaks=(3,)), sample)
    failed = sample.security == 3
    assert set(found.failures) == set(np.flatnonzero(failed).tolist())
    assert np.isnan(found.fit.s2[failed]).all()
    assert np.isnan(found.fit.params[failed]).all()
    assert (found.fit.n_obs[failed] == 0).all()
    assert np.isnan(found.abnormal.ar[failed]).all()
    assert np.isfinite(found.fit.s2[~failed]).any()


def test_a_model_that_fails_on_every_event_is_an_error():
    study = es.EventStudy(market(), events(), Brittle(breaks=tuple(range(12))), ESTIMATION, WINDOW)
    with pytest.raises(ModelError, match=r"fails on every event: .*FloatingPointError: no such luck"):
        study.fit()


@pytest.mark.parametrize("model", [es.MarketModel(), es.RobustMarketModel()], ids=repr)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_parts_of_the_windows_are_those_of_the_whole(model):
    """Whether they are made again or were held, and before and after the whole was read."""
    study = es.EventStudy(market(), events(), model, ESTIMATION, WINDOW)
    fresh, read = study.fit().fitted.abnormal, study.fit().fitted.abnormal
    cols, some = slice(1, 4), np.arange(read.n_events) % 3 > 0
    whole = {name: getattr(read.past, name)() for name in ("residuals", "leverage", "dates", "design")}
    event = {name: getattr(read.event_windows, name)() for name in ("noise", "design", "dates")}
    for rows in (slice(3, 90), np.array([5, 1, 70]), slice(0, 0)):
        known = ~np.isnan(read.ar[rows, cols])
        for abnormal in (fresh, read):
            for name, values in whole.items():
                np.testing.assert_allclose(
                    getattr(abnormal.past, name)(rows).astype(float), values[rows].astype(float), **TIGHT
                )
            for name, values in event.items():
                part = getattr(abnormal.event_windows, name)(rows, cols)
                np.testing.assert_array_equal(part[known], values[rows, cols][known], err_msg=name)
    for abnormal in (fresh.take(some), read.take(some)):
        np.testing.assert_allclose(abnormal.past.residuals(), whole["residuals"][some], **TIGHT)
        np.testing.assert_array_equal(abnormal.event_dates, event["dates"][some])
        np.testing.assert_array_equal(abnormal.day0, read.day0[some])


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_estimation_windows_are_not_held(monkeypatch):
    """Windows of a study too large to be held are made again for each reading."""
    abnormal = es.EventStudy(market(), events(), None, ESTIMATION, WINDOW).fit().fitted.abnormal
    made = []

    def residuals(self, sample, part, params=None):
        made.append(len(part))
        return original(self, sample, part, params)

    original = es.MarketModel.residuals
    monkeypatch.setattr(es.MarketModel, "residuals", residuals)
    monkeypatch.setattr(lazy, "CHUNK", 16)
    monkeypatch.setattr(lazy, "MOST_HELD", 0)
    first, second = abnormal.past.residuals(), abnormal.past.residuals()
    np.testing.assert_array_equal(first, second)
    assert sum(made) == 2 * abnormal.n_events
    assert max(made) == 16
    monkeypatch.setattr(lazy, "MOST_HELD", first.size)
    made.clear()
    np.testing.assert_array_equal(abnormal.past.residuals(), abnormal.past.residuals())
    assert sum(made) == abnormal.n_events


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_event_windows_are_read_once_for_each_pass(monkeypatch):
    abnormal = es.EventStudy(market(), events(), None, ESTIMATION, WINDOW).fit().fitted.abnormal
    wanted, sums = abnormal.variance(), cumulate(abnormal, Window(*WINDOW))
    read = []

    class Counted(HeldEventWindows):
        def noise(self, rows=slice(None), days=slice(None)):
            read.append(super().noise(rows, days))
            return read[-1]

    again = replace(abnormal, event_windows=Counted(abnormal.event_dates, abnormal.noise, abnormal.design))
    monkeypatch.setattr(lazy, "CHUNK", 16)
    np.testing.assert_allclose(again.variance(), wanted, **TIGHT)
    assert sum(part.size for part in read) == wanted.size
    assert max(map(len, read)) == 16
    read.clear()
    np.testing.assert_allclose(cumulate(again, Window(*WINDOW)).variance, sums.variance, **TIGHT)
    assert sum(part.size for part in read) == wanted.size


@pytest.mark.parametrize("further", [0, 1])
@pytest.mark.parametrize("sessions", [1, 40, 70_000])
def test_events_of_a_group_follow_each_other(sessions, further):
    rng = np.random.default_rng(sessions)
    kind = rng.integers(0, sessions, 300)
    more = [rng.integers(-1, 3, 300) for _ in range(further)]
    order = group_order(kind, *more)
    np.testing.assert_array_equal(np.sort(order), np.arange(300))
    code = kind * 10 + sum(more)
    assert np.count_nonzero(np.diff(code[order])) == len(np.unique(code)) - 1
    assert len(group_order(kind[:0], *(other[:0] for other in more))) == 0


@pytest.fixture
def plain(with_arrays):
    """The same record with every array held, which knows nothing of sessions."""
    return lambda abnormal: with_arrays(abnormal, day0=None)


@pytest.mark.quick("0.0-window1", "0.03-window1", every=6)
@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-5, 5)])
@pytest.mark.parametrize("missing", [0.0, 0.03])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_tests_from_sums_are_those_from_whole_arrays(missing, window, monkeypatch, plain):
    """Every test, by chunks and sums over sessions, against the same arrays without sessions."""
    monkeypatch.setattr("eventstudy.lazy.CHUNK", 16)
    results = es.EventStudy(market(missing), events(), None, ESTIMATION, WINDOW).fit()
    abnormal = results.fitted.abnormal
    assert abnormal.day0 is not None
    options = Options(seed=1, n_resamples=99)
    fast, slow = (
        run_tests(TestInput(made, Window(*window)), options=options) for made in (abnormal, plain(abnormal))
    )
    with joblib.parallel_config(backend="threading", n_jobs=2):
        threads = run_tests(TestInput(replace(abnormal), Window(*window)), options=options)
    numbers = ["statistic", "p_value", "estimate"]
    pd.testing.assert_frame_equal(fast.drop(columns=numbers), slow.drop(columns=numbers))
    pd.testing.assert_frame_equal(fast[numbers], slow[numbers], rtol=1e-12, atol=1e-14)
    pd.testing.assert_frame_equal(threads.drop(columns=numbers), fast.drop(columns=numbers))
    pd.testing.assert_frame_equal(threads[numbers], fast[numbers], rtol=1e-12, atol=1e-14)


def test_ranks_by_numbers_are_ranks_by_comparison():
    """Ties, zeros of either sign, tiny differences, outliers, many columns and missing values."""
    rng = np.random.default_rng(3)
    smooth = rng.standard_normal((50, 70))
    coarse = np.round(smooth, 1)
    coarse[:, ::7] *= -1.0
    close = 1.0 + 1e-15 * rng.integers(0, 5, (50, 70))
    neighbours = np.round(smooth, 1) + 1e-9 * smooth[::-1]
    wild = smooth * np.exp(10.0 * rng.standard_normal((50, 70)))
    stacked = np.vstack([smooth, coarse])
    for values in (smooth, coarse, close, neighbours, wild, stacked, 1e-320 * coarse, 1e300 * smooth):
        for missing in (0.0, 0.2):
            given = np.where(rng.random(values.shape) < missing, np.nan, values)
            assert_ranked(given)
    for width in (2, 3, 257, 512, 513, 700):
        assert_ranked(rng.standard_normal((9, width)))


def assert_ranked(given: np.ndarray) -> None:
    known = ~np.isnan(given)
    want = stats.rankdata(given, axis=1, nan_policy="omit")
    columns, tied = order_of(np.where(known, given, BEYOND))
    ranks = np.argsort(columns, axis=1) + 1.0
    ranks[tied] = stats.rankdata(np.where(known, given, BEYOND)[tied], axis=1)
    np.testing.assert_array_equal(ranks[known], want[known])
    np.testing.assert_array_equal(scaled_ranks(given), want / (known.sum(axis=1, keepdims=True) + 1.0) - 0.5)


@pytest.mark.parametrize("width", [60, 252, 256, 300])  # with 252, the highest rank is 256
@pytest.mark.parametrize("digits", [1, 12])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_sets_ranked_together_rank_like_each_alone(width, digits, missing):
    rng = np.random.default_rng(4)

    def drawn(n: int) -> np.ndarray:
        values = np.round(rng.standard_normal((40, n)), digits)
        return np.where(rng.random(values.shape) < missing, np.nan, values)

    past, first, second, third = drawn(width), drawn(4), drawn(1), drawn(2)
    sets = {
        "first": RankedDays(first.shape, first.__getitem__, slice(1, 3)),
        "again": RankedDays(first.shape, first.__getitem__, slice(0, 4)),
        "second": RankedDays(second.shape, second.__getitem__, slice(0, 1)),
        # Counters of long windows are so wide that this set's is in a second word.
        "third": RankedDays(third.shape, third.__getitem__, slice(0, 2)),
        "signs of third": RankedDays(third.shape, third.__getitem__, slice(None), signs=True),
        "signs": RankedDays(first.shape, first.__getitem__, slice(None), signs=True),
    }
    together = RankReducer(sets)
    for rows in (np.arange(25), np.arange(25, 40)):
        together.update(together.map(ResidualChunk.of(rows, past[rows])))
    found = together.result()
    for name, event, tested in (
        ("first", first, slice(1, 3)),
        ("second", second, slice(0, 1)),
        ("third", third, slice(0, 2)),
    ):
        ranks = scaled_ranks(np.hstack([past, event]))
        mean = np.nanmean(ranks, axis=0)
        np.testing.assert_allclose(found[name].mean, mean, rtol=0, atol=1e-14)
        np.testing.assert_allclose(found[name].tested, ranks[:, width:][:, tested], rtol=0, atol=1e-15)
        np.testing.assert_array_equal(found[name].sizes, (~np.isnan(ranks)).sum(axis=1))
        np.testing.assert_allclose(mean[found[name].tested_columns], mean[width:][tested])
        untied = (found[name].sizes - 1.0) / (12.0 * (found[name].sizes + 1.0))
        np.testing.assert_allclose(found[name].tied, np.nanvar(ranks, axis=1) / untied, rtol=1e-12)
    np.testing.assert_array_equal(found["first"].mean, found["again"].mean)
    for name, event in (("signs", first), ("signs of third", third)):
        whole = np.hstack([past, event])
        about = np.sign(whole - np.nanmedian(whole, axis=1, keepdims=True))
        about -= np.nanmean(about, axis=1, keepdims=True)
        np.testing.assert_allclose(found[name].total, np.nansum(about, axis=0), rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found[name].count, (~np.isnan(whole)).sum(axis=0))


def test_values_that_agree_in_most_bits_are_told_apart():
    """Neighbours a millionth of the size of a row apart, in falling order, as long as they differ at all."""
    rng = np.random.default_rng(9)
    values = rng.standard_normal((50, 40))
    values[:, 10:14] = values[:, 10:11] + np.array([3e-9, 2e-9, 1e-9, 0.0])
    columns, tied = order_of(values)
    assert not len(tied)
    np.testing.assert_array_equal(columns, np.argsort(values, axis=1))


@pytest.mark.parametrize("width", [5, 600])
def test_only_rows_with_ties_that_count_are_said_to_be_tied(width):
    """Few columns are sorted by 32 bits, more by 64; the rank of a row owes nothing to the next row."""
    rng = np.random.default_rng(8)
    base = np.sort(rng.permuted(np.linspace(-1.0, 1.0, 4 * width).reshape(4, width), axis=1), axis=1)
    ends_as_the_next_starts = base[0].copy()
    base[1] += base[0, -1] - base[1, 0]  # the largest of row 0 is the smallest of row 1
    tied_last, tied_first = base[2].copy(), base[3].copy()
    tied_last[-1] = tied_last[-2]
    tied_first[1] = tied_first[0]
    missing = base[2].copy()
    missing[-2:] = BEYOND
    negative = base[3] - 3.0
    negative[-1] = negative[-2]
    values = np.array([ends_as_the_next_starts, base[1], tied_last, tied_first, missing, negative])
    columns, tied = order_of(values)
    assert tied.tolist() == [2, 3, 5]
    np.testing.assert_array_equal(columns[[0, 1]], np.arange(width) + np.zeros((2, 1)))
    # Ties of columns of two sets do not count, those within a set and with set 0 do.
    sets = np.zeros(width, dtype=np.int64)
    sets[-2:] = 1, 2
    assert order_of(values, sets)[1].tolist() == [3]
    sets[-2:] = 1
    assert order_of(values, sets)[1].tolist() == [2, 3, 5]
    sets[-2:] = 0, 1
    assert order_of(values, sets)[1].tolist() == [2, 3, 5]
    # Zeros of either sign are equal.
    zeros = base[2:3].copy()
    zeros[0, width // 2 : width // 2 + 2] = -0.0, 0.0
    zeros[0, : width // 2] -= 3.0
    zeros[0, width // 2 + 2 :] += 3.0
    assert order_of(zeros)[1].tolist() == [0]


def test_a_pass_ranks_events_of_as_many_days_and_of_different_ones():
    """All estimation days are known and without ties, so only the event days tell the events' sizes apart."""
    rng = np.random.default_rng(9)
    past, event = rng.standard_normal((30, 60)), rng.standard_normal((30, 3))
    for missing in (False, True):
        given = np.where(rng.random(event.shape) < 0.3, np.nan, event) if missing else event
        reduction = RankReducer({"ranks": RankedDays(given.shape, given.__getitem__, slice(0, 3))})
        reduction.update(reduction.map(ResidualChunk.of(np.arange(30), past)))
        found = reduction.result()["ranks"]
        ranks = stats.rankdata(np.hstack([past, given]), axis=1, nan_policy="omit")
        scaled = ranks / ((~np.isnan(ranks)).sum(axis=1, keepdims=True) + 1.0) - 0.5
        assert (len(set(found.sizes)) > 1) is missing
        np.testing.assert_allclose(found.mean, np.nanmean(scaled, axis=0), rtol=0, atol=1e-14)


@pytest.mark.quick("estimation0-0.0-1024", "estimation1-0.6-1024", every=6)
@pytest.mark.parametrize("chunk", [3, 7, 1024])
@pytest.mark.parametrize("missing", [0.0, 0.02, 0.6])
@pytest.mark.parametrize("estimation", [(-100, -21), (-40, -31)])
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_mean_correlation_from_sums_over_sessions(estimation, missing, chunk, monkeypatch):
    monkeypatch.setattr("eventstudy.lazy.CHUNK", chunk)
    results = es.EventStudy(market(missing), events(), None, estimation, WINDOW, min_observations=5).fit()
    abnormal = results.fitted.abnormal
    inside = ~np.isnat(abnormal.event_dates).any(axis=1)
    # Returns after gaps count as of one session: what they span besides is for pairs alone.
    abnormal = replace(abnormal.take(inside), span=np.minimum(abnormal.span[inside], 1))
    for window in (Window(0, 0), Window(-1, 3), Window(-5, 5)):
        total, pairs = session_correlation(abnormal, window)
        want = mean_correlation(
            abnormal.past.residuals(),
            abnormal.past.dates(),
            abnormal.event_dates[:, abnormal.columns(window)],
        )
        n = abnormal.n_events
        assert total / (n * (n - 1) / 2) == pytest.approx(want.mean_correlation, abs=1e-15)
        assert pairs == want.n_overlapping_pairs


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_neighbours_are_counted_like_all_pairs():
    results = es.EventStudy(market(), events(), None, ESTIMATION, WINDOW).fit()
    listed = results.warnings.query("category == 'OverlapWarning'")
    day0, security, ids = results.sample.day0, results.sample.security, results.sample.events.index
    found = [
        (ids[a], f"has event {ids[b]} in its {name}")
        for window, name in ((Window(*WINDOW), "event window"), (Window(*ESTIMATION), "estimation window"))
        for a in range(len(ids))
        for b in range(len(ids))
        if a != b and security[a] == security[b] and int(day0[b] - day0[a]) in window
    ]
    shown = list(zip(listed["event_id"], listed["message"], strict=True))
    assert shown[:1000] == found[:1000]
    assert shown[1000:] == [(None, f"and {len(found) - 1000} more")] * (len(found) > 1000)


def test_ranks_of_many_events_below_which_all_days_lie():
    """Each tested day comes before each estimation day, so their numbers add up to more than 16 bits."""
    n, width, length = 1100, 12, 70
    rng = np.random.default_rng(12)
    past, event = 1.0 + rng.random((n, width)), rng.random((n, length))
    reduction = RankReducer({"ranks": RankedDays(event.shape, event.__getitem__, slice(0, 3))})
    reduction.update(reduction.map(ResidualChunk.of(np.arange(n), past)))
    found = reduction.result()["ranks"]
    ranks = stats.rankdata(np.hstack([past, event]), axis=1)
    np.testing.assert_allclose(
        found.mean, (ranks / (width + length + 1.0) - 0.5).mean(axis=0), rtol=0, atol=1e-12
    )
