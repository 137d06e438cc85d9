"""Log turnover and range volatility: the formulas, zeros, and studies in which nothing is compounded."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError
from eventstudy.market.volume_and_range import range_variance

DAYS = pd.bdate_range("2018-01-01", periods=300)


@pytest.fixture(scope="module")
def volume() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(np.exp(rng.normal(10, 0.5, (300, 4))).round(), DAYS, list("ABCD"))
    frame.iloc[41, 1] = np.nan
    return frame


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    steps = rng.normal(0, 0.002, (300, 3, 50)).cumsum(axis=2)
    level = np.exp(steps + rng.normal(0, 0.01, (300, 3, 1)).cumsum(axis=0)) * 20
    parts = {
        "open": level[:, :, 0], "high": level.max(axis=2), "low": level.min(axis=2), "close": level[:, :, -1],
        "volume": np.full((300, 3), 1000.0),
    }  # fmt: skip
    return pd.concat({k: pd.DataFrame(v, DAYS, list("ABC")) for k, v in parts.items()}, axis=1)


SHARES = {"A": 1e6, "B": 2e6, "C": 3e6, "D": 4e6}


def test_log_turnover(volume: pd.DataFrame) -> None:
    volume = volume.copy()
    volume.iloc[40, 0] = 0.0
    market = es.volume_market(volume, SHARES, zero="constant")
    want = np.log(100 * volume / pd.Series(SHARES) + 0.000255)
    assert market.kind == "log turnover"
    assert market.returns.to_numpy() == pytest.approx(want.to_numpy(), nan_ok=True)
    assert market.returns.iloc[40, 0] == pytest.approx(np.log(0.000255))
    assert np.isnan(market.returns.iloc[41, 1])
    assert set(np.unique(market.spans)) == {0, 1}  # a value after a gap is its own day's
    with pytest.warns(DataWarning, match=r"1 day of volume zero \(0.1% of the values\).* A on 2018-02-26"):
        assert es.volume_market(volume, SHARES).returns.isna().iloc[40, 0]


def test_shares_outstanding_hold_until_the_next_are_known(volume: pd.DataFrame) -> None:
    shares = pd.DataFrame([SHARES, {k: 2 * v for k, v in SHARES.items()}], [DAYS[0], DAYS[100]])
    got = es.volume_market(volume, shares).returns["C"]
    want = np.log(100 * volume["C"] / np.where(np.arange(300) < 100, 3e6, 6e6) + 0.000255)
    assert got.to_numpy() == pytest.approx(want.to_numpy())


def test_shares_outstanding_of_other_types(volume: pd.DataFrame) -> None:
    right = es.volume_market(volume, SHARES).returns
    for given in ({k: Decimal(v) for k, v in SHARES.items()}, pd.Series(SHARES, dtype="Int64")):
        pd.testing.assert_frame_equal(es.volume_market(volume, given).returns, right)
    for lost in (np.nan, pd.NA, None):
        with pytest.raises(DataError, match="not known for C"):
            es.volume_market(volume, {**SHARES, "C": lost})


def test_without_shares_it_is_log_volume(volume: pd.DataFrame) -> None:
    market = es.volume_market(volume)
    assert market.kind == "log volume"
    assert market.returns["D"].to_numpy() == pytest.approx(np.log1p(volume["D"]).to_numpy())


def test_benchmarks(volume: pd.DataFrame) -> None:
    values = es.volume_market(volume, SHARES).returns
    mean = es.volume_market(volume, SHARES)
    assert mean.benchmarks == ["mean log turnover"]
    assert mean.bank.single[0] == pytest.approx(values.mean(axis=1).to_numpy())
    others = es.volume_market(volume, SHARES, benchmark="others")
    assert others.bank.single[0] == pytest.approx(values[["B", "C", "D"]].mean(axis=1).to_numpy())
    own = es.volume_market(volume, SHARES, benchmark="D")
    assert own.securities == ["A", "B", "C"]


def test_volume_of_a_market_and_of_prices(prices: pd.DataFrame) -> None:
    a = es.volume_market(prices)
    b = es.volume_market(es.Market.from_prices(prices))
    c = es.volume_market(prices["volume"])
    pd.testing.assert_frame_equal(a.returns, b.returns)
    pd.testing.assert_frame_equal(a.returns, c.returns)


@pytest.mark.parametrize(("model", "k"), [(es.ConstantMean(), 1), (es.MarketModel(), 2)])
def test_a_study_of_volume_by_hand(volume: pd.DataFrame, model: object, k: int) -> None:
    traded = volume.copy()
    traded.iloc[200:202, 2] *= 5
    market = es.volume_market(traded, SHARES, benchmark="others")
    events = [{"security": "C", "date": DAYS[200]}]
    results = es.EventStudy(market, events, model=model, estimation=(-120, -11), window=(-2, 2)).fit()
    values = market.returns
    x = np.column_stack([np.ones(300), values[["A", "B", "D"]].mean(axis=1)])[:, :k]
    past, days = slice(80, 190), slice(198, 203)
    used = ~np.isnan(values["C"].to_numpy()[past])
    theta = np.linalg.lstsq(x[past][used], values["C"].to_numpy()[past][used], rcond=None)[0]
    want = values["C"].to_numpy()[days] - x[days] @ theta
    assert results.abnormal_returns.to_numpy()[0] == pytest.approx(want, abs=1e-10)
    text = str(results.summary())
    assert "Abnormal log turnover in log points" in text
    assert "Returns are decimals" not in text
    assert results.plot.car().get_ylabel() == "Cumulative abnormal log turnover\n(0 on day −1)"
    with pytest.raises(
        RequestError, match="A reaction needs prices or returns, and these are values of log turnover"
    ):
        results.plot.reaction()
    with pytest.raises(RequestError, match="A report speaks of returns"):
        results.report("report.html")


def test_volume_that_cannot_be_used(volume: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="zero or positive: B is -1"):
        es.volume_market(volume.assign(B=-1.0))
    with pytest.raises(DataError, match="not known for D"):
        es.volume_market(volume, {k: SHARES[k] for k in "ABC"})
    with pytest.raises(DataError, match="must be positive"):
        es.volume_market(volume, SHARES | {"A": 0})
    with pytest.raises(DataError, match="needs two securities"):
        es.volume_market(volume[["A"]], benchmark="others")
    with pytest.raises(DataError, match="no field volume"):
        es.volume_market(pd.concat({"close": volume + 1.0}, axis=1))
    with pytest.raises(RequestError, match="kind must be one of"):
        es.Market.from_prices(volume.iloc[:30] + 1.0, kind="log turnover")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="a log turnover is finite"):
        es.Market(volume.fillna(np.inf), kind="log turnover")


def test_range_formulas(prices: pd.DataFrame) -> None:
    o, h, low, c = (np.log(prices[f]["B"].to_numpy()) for f in ("open", "high", "low", "close"))
    want = {
        "parkinson": (h - low) ** 2 / (4 * np.log(2)),
        "garman_klass": 0.5 * (h - low) ** 2 - (2 * np.log(2) - 1) * (c - o) ** 2,
        "rogers_satchell": (h - c) * (h - o) + (low - c) * (low - o),
    }
    for measure, variance in want.items():
        with (
            warnings.catch_warnings()
        ):  # a day that opens at its low and closes at its high has no RS variance
            warnings.simplefilter("ignore", DataWarning)
            market = es.range_market(prices, measure)
        assert market.kind == "log volatility"
        logs = 0.5 * np.log(np.where(variance > 1e-15, variance, np.nan))
        assert market.returns["B"].to_numpy() == pytest.approx(logs, rel=1e-10, nan_ok=True)
        level = es.range_market(prices, measure, log=False)
        assert level.kind == "volatility"
        assert level.returns["B"].to_numpy() == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_ranges_estimate_the_variance_of_a_random_walk() -> None:
    """Over fine steps each measure has the mean s^2, and the later ones vary less: their efficiency."""
    rng = np.random.default_rng(3)
    walk = np.concatenate(
        [np.zeros((4000, 1)), rng.normal(0, 0.01 / 40, (4000, 1600)).cumsum(axis=1)], axis=1
    )
    frame = {
        name: pd.DataFrame(np.exp(values)[:, None])
        for name, values in {
            "open": walk[:, 0], "high": walk.max(axis=1), "low": walk.min(axis=1), "close": walk[:, -1],
        }.items()
    }  # fmt: skip
    frame = {k: v.set_axis(pd.bdate_range("2000-01-03", periods=4000)) for k, v in frame.items()}
    spread = {}
    for measure in ("parkinson", "garman_klass", "rogers_satchell"):
        variance = range_variance(frame, measure)[0]
        assert variance.mean() == pytest.approx(1e-4, rel=0.07)  # discrete steps miss a little of the range
        spread[measure] = variance.var()
    close = (np.log(frame["close"][0]) ** 2).var()
    assert close / spread["parkinson"] == pytest.approx(4.9, rel=0.12)
    assert close / spread["garman_klass"] == pytest.approx(7.4, rel=0.12)
    assert close / spread["rogers_satchell"] == pytest.approx(6.0, rel=0.15)


def test_a_day_without_range_is_missing_and_said_so(prices: pd.DataFrame) -> None:
    locked = prices.copy()
    for field in ("open", "high", "low", "close"):
        locked.loc[DAYS[10], (field, "A")] = 18.0
    with pytest.warns(
        DataWarning, match="1 session of variance zero taken for missing, such as A on 2018-01-15"
    ):
        market = es.range_market(locked)
    assert np.isnan(market.returns.loc[DAYS[10], "A"])
    assert es.range_market(locked, log=False).returns.loc[DAYS[10], "A"] == 0


def test_ranges_that_cannot_be_used(prices: pd.DataFrame) -> None:
    wrong = prices.copy()
    wrong.loc[DAYS[10], ("high", "A")] = 0.01
    with pytest.raises(DataError, match="A on 2018-01-15 has a price above its high"):
        es.range_market(wrong)
    with pytest.raises(DataError, match="needs prices with open, high, low"):
        es.range_market(prices["close"], "garman_klass")
    with pytest.raises(RequestError, match="measure must be one of"):
        es.range_market(prices, "yang_zhang")  # type: ignore[arg-type]


def test_an_event_that_doubles_the_range_is_found(prices: pd.DataFrame) -> None:
    wild = prices.copy()
    mid = np.sqrt(wild.loc[DAYS[200], ("high", "A")] * wild.loc[DAYS[200], ("low", "A")])
    for field in ("open", "high", "low", "close"):
        wild.loc[DAYS[200], (field, "A")] = mid * (wild.loc[DAYS[200], (field, "A")] / mid) ** 2
    market = es.range_market(wild, benchmark=None)
    spec = {"model": es.ConstantMean(), "estimation": (-120, -11), "window": (-2, 2)}
    event = [{"security": "A", "date": DAYS[200]}]
    before = es.EventStudy(es.range_market(prices, benchmark=None), event, **spec).fit()
    after = es.EventStudy(market, event, **spec).fit()
    gained = after.car(0)["car"].iloc[0] - before.car(0)["car"].iloc[0]
    assert gained == pytest.approx(np.log(2), rel=1e-9)


def test_long_runs_of_zeros_are_told_of() -> None:
    """Vendors write suspensions as zeros, which would be the least turnover there is."""
    days = pd.bdate_range("2020-01-01", periods=30)
    volume = pd.DataFrame(100.0, days, ["A", "B", "C"])
    volume.iloc[10:14, 0] = 0.0
    with pytest.warns(DataWarning, match=r"1 column .* such as A on 13.3% \(4 of 30\)"):
        es.volume_market(volume, zero="constant", sessions="data")
    volume.iloc[10:14, 0] = 50.0
    volume.iloc[3:10, 1], volume.iloc[20:25, 2] = 0.0, 0.0
    with pytest.warns(DataWarning, match="2 columns .* such as B on 7 from 2020-01-06 on") as told:
        es.volume_market(volume, zero="constant", sessions="data")
    assert len(told) == 1


def test_days_without_trade_do_not_make_other_days_look_busy() -> None:
    """As days of least turnover they lower what volume is compared with, and most samples have none."""
    rng, rejected = np.random.default_rng(4), {}
    names = [f"F{i}" for i in range(480)]
    volume = pd.DataFrame(np.exp(rng.normal(10, 0.4, (140, 480))), DAYS[:140], names)
    volume[rng.random(volume.shape) < 0.05] = 0.0
    events = es.Events({"security": names, "date": DAYS[rng.integers(110, 138, 480)]})
    for zero in ("missing", "constant"):
        with pytest.warns(DataWarning, match="volume zero"):
            market = es.volume_market(volume, zero=zero, benchmark=None)
        car = es.EventStudy(market, events, es.ConstantMean(), (-100, -6), (0, 0)).fit().car(0)["car"]
        t = scipy.stats.ttest_1samp(car.to_numpy().reshape(60, 8), 0.0, axis=1)
        rejected[zero] = np.mean(t.pvalue <= 0.05)
    assert rejected["missing"] < 0.13 < 0.2 < rejected["constant"]
