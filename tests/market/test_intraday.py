"""Bars of minutes: trading hours, nights, breaks, day 0, and the study against least squares by hand."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import (
    CalendarWarning,
    DataError,
    DataWarning,
    EventError,
    EventStudyWarning,
    NoUsableEventsError,
    RequestError,
)
from eventstudy.market.intraday import Gap, bar_grid

DAY, NEXT = pd.Timestamp("2019-05-21"), pd.Timestamp("2019-05-22")
MINUTE = pd.Timedelta("1min")


def market_of(bars: es.lab.SimulatedBars, **options: object) -> es.Market:
    return es.Market.from_prices(
        bars.prices, **{"benchmark": "market", "calendar": "XSHG", "freq": "1min", **options}
    )


@pytest.fixture(scope="module")
def bars() -> es.lab.SimulatedBars:
    return es.lab.simulate_bars(4, 12, start="2019-05-08", seed=7)


@pytest.fixture(scope="module")
def market(bars: es.lab.SimulatedBars) -> es.Market:
    return market_of(bars)


def test_grid_keeps_the_hours_of_shanghai() -> None:
    grid = bar_grid("XSHG", DAY, NEXT, MINUTE)
    assert len(grid.closes) == 2 * (2 + 240)
    gaps = {str(t): int(g) for t, g in zip(grid.closes, grid.gap, strict=True) if g}
    assert gaps == {
        "2019-05-21 09:30:00": Gap.NIGHT,
        "2019-05-21 13:00:00": Gap.BREAK,
        "2019-05-22 09:30:00": Gap.NIGHT,
        "2019-05-22 13:00:00": Gap.BREAK,
    }
    assert str(grid.closes[120]) == "2019-05-21 11:30:00"
    assert str(grid.closes[-1]) == "2019-05-22 15:00:00"


def test_grid_without_break_shortens_the_last_bar() -> None:
    grid = bar_grid("XNYS", DAY, DAY, pd.Timedelta("1h"))
    assert [str(t.time()) for t in grid.closes] == [
        "09:30:00", "10:30:00", "11:30:00", "12:30:00", "13:30:00", "14:30:00", "15:30:00", "16:00:00",
    ]  # fmt: skip
    assert grid.gap.tolist() == [Gap.NIGHT, 0, 0, 0, 0, 0, 0, 0]


def test_early_close_has_fewer_bars() -> None:
    day = pd.Timestamp("2019-07-03")
    assert str(bar_grid("XNYS", day, day, MINUTE).closes[-1]) == "2019-07-03 13:00:00"


def test_every_row_has_the_return_of_its_own_time(bars: es.lab.SimulatedBars, market: es.Market) -> None:
    want = np.expm1(bars.returns.to_numpy()[1:])
    assert market.returns.to_numpy()[1:] == pytest.approx(want, abs=1e-12)
    assert (market.spans.to_numpy()[1:] == 1).all()
    assert np.isnan(market.arrays.single[:, bars.gap.to_numpy() > 0]).all()
    assert not np.isnan(market.arrays.single[:, bars.gap.to_numpy() == 0]).any()


def test_closes_alone_lump_the_gap_with_the_first_bar(bars: es.lab.SimulatedBars) -> None:
    market = es.Market.from_prices(bars.prices["close"], benchmark="market", calendar="XSHG", freq="1min")
    gap = bars.gap.to_numpy()
    first = np.flatnonzero(gap > 0)[1:] + 1
    both = bars.returns.to_numpy()[first] + bars.returns.to_numpy()[first - 1]
    assert market.returns.to_numpy()[first] == pytest.approx(np.expm1(both), abs=1e-12)
    assert (market.spans.to_numpy()[first] == 2).all()
    assert np.isnan(market.arrays.single[:, first]).all()


def test_stamps_of_beginnings_and_ends_give_one_market(bars: es.lab.SimulatedBars) -> None:
    ends = market_of(bars)
    begun = bars.prices.set_axis(bars.prices.index - MINUTE, axis=0)
    for stamps in ("auto", "open"):
        found = es.Market.from_prices(begun, benchmark="market", calendar="XSHG", freq="1min", stamps=stamps)
        pd.testing.assert_frame_equal(found.returns, ends.returns)
    utc = bars.prices.tz_localize("Asia/Shanghai").tz_convert("UTC")
    found = es.Market.from_prices(utc, benchmark="market", calendar="XSHG", freq="1min")
    pd.testing.assert_frame_equal(found.returns, ends.returns)


def test_a_long_frame_of_bars(bars: es.lab.SimulatedBars) -> None:
    long = bars.prices.stack(level=1, future_stack=True).rename_axis(["time", "security"]).reset_index()
    found = es.Market.from_prices(long, benchmark="market", calendar="XSHG", freq="1min")
    wide = market_of(bars).returns
    pd.testing.assert_frame_equal(found.returns[wide.columns], wide)


@pytest.mark.parametrize("kind", ["series", "mapping"])
def test_a_benchmark_of_closes_is_spanned_like_the_shares(bars: es.lab.SimulatedBars, kind: str) -> None:
    index = bars.prices[("close", "market")].rename("index")
    shares = bars.prices.drop(columns="market", level=1)
    benchmark = index if kind == "series" else dict.fromkeys(shares["close"].columns, index)
    market = es.Market.from_prices(shares, benchmark=benchmark, calendar="XSHG", freq="1min")
    alone = es.Market.from_prices(bars.prices["close"], benchmark="market", calendar="XSHG", freq="1min")
    assert market.bank.single == pytest.approx(alone.bank.single, nan_ok=True)
    assert (market.arrays.spans == alone.arrays.spans[1:]).all()


def test_an_ex_day_is_reckoned_from_its_reference_once(bars: es.lab.SimulatedBars) -> None:
    prices = bars.prices.copy()
    day = prices.index >= prices.index[-240]
    for field in ("open", "close"):
        prices.loc[day, (field, "S1")] -= 5.0
    before = prices[("close", "S1")].iloc[-241]
    reference = pd.DataFrame(
        np.nan, prices.index, pd.MultiIndex.from_product([["reference"], prices["close"]])
    )
    reference.loc[day, ("reference", "S1")] = before - 5.0
    market = es.Market.from_prices(
        pd.concat([prices, reference], axis=1), benchmark="market", calendar="XSHG", freq="1min"
    )
    row = np.flatnonzero(bars.gap.to_numpy() == Gap.NIGHT)[-1]
    opened = prices[("open", "S1")].iloc[-240]
    assert market.returns["S1"].iloc[row] == pytest.approx(opened / (before - 5.0) - 1)
    assert market.returns["S1"].iloc[row + 1] == pytest.approx(
        prices[("close", "S1")].iloc[-240] / opened - 1
    )


@pytest.mark.parametrize(
    ("announced", "day_0"),
    [
        ("2019-05-22 10:15:30+08:00", "2019-05-22 10:16:00"),
        ("2019-05-22 10:16:00+08:00", "2019-05-22 10:17:00"),  # at the very close of a bar: after it
        ("2019-05-22 10:15:59+08:00", "2019-05-22 10:16:00"),
        ("2019-05-21 19:00-04:00", "2019-05-22 09:30:00"),  # overnight: the gap holds the reaction
        ("2019-05-22 12:10+08:00", "2019-05-22 13:00:00"),
        ("2019-05-22 11:29:59+08:00", "2019-05-22 11:30:00"),
        ("2019-05-18 12:00+08:00", "2019-05-20 09:30:00"),  # a Saturday
    ],
)
def test_day_0_is_the_first_bar_that_closes_after_the_announcement(
    market: es.Market, announced: str, day_0: str
) -> None:
    study = es.EventStudy(
        market, [{"security": "S1", "announced_at": announced}], estimation=(-900, -11), window=(-2, 2)
    )
    assert str(study.fit().timeline["day_0"].iloc[0]) == day_0


def test_an_announcement_as_the_first_bar_ends_lies_in_the_data(market: es.Market) -> None:
    """What such an event lacks is an estimation window; one that is earlier lies before the data."""
    first = market.sessions[0]
    reasons = []
    for moment in (first, first + pd.Timedelta(seconds=30), first - pd.Timedelta(seconds=1)):
        event = [{"security": "S1", "announced_at": f"{moment:%Y-%m-%d %H:%M:%S}+08:00"}]
        with pytest.raises(NoUsableEventsError) as caught:
            es.EventStudy(market, event, estimation=(-900, -11), window=(-2, 2)).fit()
        reasons.append(str(caught.value))
    assert ["estimation window" in reason for reason in reasons] == [True, True, False]
    assert "lies before the data starts" in reasons[2]


def test_without_an_opening_price_day_0_is_the_first_bar(bars: es.lab.SimulatedBars) -> None:
    market = es.Market.from_prices(bars.prices["close"], benchmark="market", calendar="XSHG", freq="1min")
    event = [{"security": "S1", "announced_at": "2019-05-21 19:00-04:00"}]
    found = es.EventStudy(market, event, estimation=(-1800, -11), window=(0, 2)).fit().timeline.iloc[0]
    assert (str(found["day_0"]), found["spans"]) == ("2019-05-22 09:31:00", 2)
    assert found["note"].startswith(
        "no trade on 1 row from 2019-05-22 09:30 to 2019-05-22 09:30; day 0 moved"
    )


def test_study_against_least_squares_by_hand(bars: es.lab.SimulatedBars, market: es.Market) -> None:
    """Window (-5, 130) holds one lunch break: bars have the residual variance, the break that of breaks."""
    event = [{"security": "S2", "announced_at": "2019-05-22 10:15:30+08:00"}]
    spec = es.EventStudy(market, event, estimation=(-2000, -11), window=(-5, 130))
    results = spec.fit()
    simple = np.expm1(bars.returns)
    day0 = simple.index.get_loc(pd.Timestamp("2019-05-22 10:16"))
    gap = bars.gap.to_numpy()
    past, event_rows = np.arange(day0 - 2000, day0 - 10), np.arange(day0 - 5, day0 + 131)
    used = past[gap[past] == 0]
    x = sm.add_constant(simple["market"].to_numpy()[used])
    ols = sm.OLS(simple["S2"].to_numpy()[used], x).fit()
    assert results.parameters.iloc[0][["alpha", "beta"]].tolist() == pytest.approx(ols.params, rel=1e-9)
    assert results.parameters["n_obs"].iloc[0] == len(used)
    predicted = sm.add_constant(simple["market"].to_numpy()) @ ols.params
    errors = simple["S2"].to_numpy() - predicted
    assert results.abnormal_returns.to_numpy()[0] == pytest.approx(errors[event_rows], abs=1e-12)
    kinds = gap[event_rows]
    assert (kinds == Gap.BREAK).sum() == 1
    assert (kinds == Gap.NIGHT).sum() == 0
    breaks = past[gap[past] == Gap.BREAK]
    variance = np.where(kinds == 0, ols.scale, (errors[breaks] ** 2).mean())
    rows = sm.add_constant(simple["market"].to_numpy()[event_rows]).sum(axis=0)
    want = variance.sum() + rows @ ols.cov_params() @ rows
    assert results.car(-5, 130)["se"].iloc[0] == pytest.approx(np.sqrt(want), rel=1e-9)


def test_a_lumped_first_bar_has_the_variance_of_lumped_ones(bars: es.lab.SimulatedBars) -> None:
    market = es.Market.from_prices(bars.prices["close"], benchmark="market", calendar="XSHG", freq="1min")
    event = [{"security": "S2", "announced_at": "2019-05-22 11:00:30+08:00"}]
    results = es.EventStudy(market, event, estimation=(-2000, -11), window=(-5, 60)).fit()
    arrays = results.fitted.abnormal
    lumped = arrays.span[0] == 2
    assert lumped.sum() == 1
    params = results.parameters.iloc[0]
    row = market.sessions.get_loc(pd.Timestamp("2019-05-22 13:01"))
    starts = np.flatnonzero(bars.gap.to_numpy() == Gap.BREAK) + 1
    day0 = market.sessions.get_loc(results.timeline["day_0"].iloc[0])
    starts = starts[(starts >= day0 - 2000) & (starts <= day0 - 11)]
    both = np.expm1(bars.returns.to_numpy()[starts] + bars.returns.to_numpy()[starts - 1])
    errors = both[:, 2] - 2 * params["alpha"] - params["beta"] * both[:, 0]
    assert row - day0 + 5 == np.flatnonzero(lumped)[0]
    assert arrays.noise[0, lumped] == pytest.approx((errors**2).mean(), rel=1e-9)


def test_trade_to_trade_estimation_leaves_gaps_out(bars: es.lab.SimulatedBars) -> None:
    thin = es.lab.simulate_bars(2, 12, start="2019-05-08", thin=0.2, seed=3)
    market = es.Market.from_prices(thin.prices["close"], benchmark="market", calendar="XSHG", freq="1min")
    event = [{"security": "S1", "announced_at": "2019-05-22 10:15:30+08:00"}]
    model = es.MarketModel(missing="trade_to_trade")
    results = es.EventStudy(market, event, model=model, estimation=(-2000, -11), window=(-5, 5)).fit()
    arrays = model.arrays(results.sample)
    reach = [range(-2000 + i - int(s) + 1, -2000 + i + 1) for i, s in enumerate(arrays.span_est[0])]
    gap, day0 = thin.gap.to_numpy(), int(results.sample.day0[0])
    for y, days in zip(arrays.y_est[0], reach, strict=True):
        assert np.isnan(y) or not (gap[[day0 + d for d in days]] > 0).any()
    assert results.parameters["n_obs"].iloc[0] > 1400


def test_an_unknown_night_has_no_standard_error(market: es.Market) -> None:
    event = [{"security": "S1", "announced_at": "2019-05-22 10:15:30+08:00"}]
    study = es.EventStudy(market, event, estimation=(-400, -61), window=(-60, 20))
    with pytest.warns(DataWarning, match="night or break of unknown variance"):
        results = study.fit()
    assert np.isnan(results.car(-60, 20)["se"].iloc[0])
    assert results.car(0, 20)["se"].iloc[0] > 0


def test_common_bars_are_one_date_and_others_are_not(market: es.Market) -> None:
    events = [
        {"security": s, "announced_at": f"2019-05-22 10:{minute}:30+08:00"}
        for s, minute in (("S1", 15), ("S2", 15), ("S3", 45))
    ]
    results = es.EventStudy(market, events, estimation=(-900, -31), window=(-5, 5)).fit()
    assert results.clustering(0, 5).n_dates == 2
    assert results.fitted.abnormal.event_dates.dtype == np.dtype("datetime64[m]")


def test_what_cannot_be_used_is_refused(bars: es.lab.SimulatedBars, market: es.Market) -> None:
    with pytest.raises(DataError, match="pass calendar="):
        es.Market.from_prices(bars.prices, benchmark="market", freq="1min")
    with pytest.raises(DataError, match="shorter than a day"):
        market_of(bars, freq="1D")
    with pytest.raises(DataError, match="not a length of a bar"):
        market_of(bars, freq="minutely")
    with pytest.raises(DataError, match=r"freq='1min'"):
        es.Market.from_prices(bars.prices, benchmark="market", calendar="XSHG")
    with pytest.raises(EventError, match="bars need announced_at"):
        es.EventStudy(market, [{"security": "S1", "date": "2019-05-22"}], estimation=(-900, -11)).fit()
    with pytest.raises(RequestError, match="not computed from intraday bars"):
        _ = market.limits
    inner = bars.prices.between_time("10:00", "11:00")
    with pytest.raises(DataError, match="neither an opening nor a closing"):
        es.Market.from_prices(inner, benchmark="market", calendar="XSHG", freq="1min")
    auction = bars.prices.iloc[[0]].set_axis([bars.prices.index[0] - 5 * MINUTE], axis=0)
    with pytest.warns(CalendarWarning, match="1 bar outside of the trading hours"):
        es.Market.from_prices(
            pd.concat([auction, bars.prices]),
            benchmark="market",
            calendar="XSHG",
            freq="1min",
            stamps="close",
        )


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_summary_report_and_limits_of_bars(market: es.Market, tmp_path: Path) -> None:
    event = [{"security": "S1", "announced_at": "2019-05-22 10:15:30+08:00"}]
    results = es.EventStudy(market, event, estimation=(-900, -11), window=(-5, 5)).fit()
    assert "2019-05-22 10:16" in str(results.summary())
    assert results.limit_hits.empty
    assert results.plot.car().get_xlabel() == "Bars relative to the event bar"
    page = results.report(tmp_path / "bars.html").read_text(encoding="utf-8")
    assert "freq=&#x27;1min&#x27;" in page
    assert "beyond limit" not in set(market.audit()["kind"])


def test_an_injected_effect_is_found_at_its_bar() -> None:
    bars = es.lab.simulate_bars(20, 12, start="2019-05-08", n_events=30, effect=0.004, seed=2)
    results = es.EventStudy(market_of(bars), bars.events, estimation=(-900, -31), window=(-3, 3))
    with np.errstate(all="ignore"), pytest.warns(es.errors.EventStudyWarning):
        found = results.fit().aar()["aar"]
    assert found.idxmax() == 0
    assert found[0] == pytest.approx(0.004, abs=6e-4)


def test_an_hour_that_came_twice_needs_its_zone() -> None:
    hours = pd.date_range("2022-10-20", periods=700, freq="h", tz="UTC").tz_convert("America/New_York")
    steps = np.random.default_rng(0).normal(0, 0.006, (700, 2))
    frame = pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), hours.tz_localize(None), ["ETH", "BTC"])
    options = {"benchmark": "BTC", "calendar": "24/7", "freq": "1h", "stamps": "open"}
    with pytest.raises(DataError, match=r"time 2022-11-06 01:00 stands 2 times.*ambiguous='infer'"):
        es.Market.from_prices(frame, **options)
    cured = es.Market.from_prices(frame.tz_localize("America/New_York", ambiguous="infer"), **options)
    pd.testing.assert_frame_equal(
        cured.returns, es.Market.from_prices(frame.set_axis(hours), **options).returns
    )


@pytest.mark.parametrize("code", ["24/7", "24/5", "CMES", "us_futures"])
def test_where_the_close_is_the_next_opening_no_gap_lies_between(code: str) -> None:
    """Hourly bars round the clock: each bar stands once, and event time counts hours."""
    rng = np.random.default_rng(0)
    hours = pd.date_range("2022-01-01", "2022-02-20 23:00", freq="h", tz="UTC")
    frame = pd.DataFrame(
        np.exp(np.cumsum(rng.normal(0, 0.006, (len(hours), 2)), axis=0)), hours, ["ETH", "BTC"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CalendarWarning)  # weekends, where they are closed
        market = es.Market.from_prices(frame, benchmark="BTC", calendar=code, freq="1h", stamps="open")
    assert market.sessions.is_unique
    gaps = market.arrays.gap
    if code == "24/7":
        assert (gaps != 0).sum() <= 1
        assert len(market.sessions) - len(hours) <= 1
    else:
        # One gap a weekend, or one a day where trading stops.
        assert 5 <= (gaps != 0).sum() <= 60
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        found = es.EventStudy(
            market,
            {"security": "ETH", "announced_at": "2022-02-10 13:30Z"},
            estimation=(-300, -11),
            window=(-5, 10),
        ).fit()
    r = frame.pct_change().to_numpy()
    row = hours.get_loc(pd.Timestamp("2022-02-10 13:00Z"))
    if code == "24/7":
        past, x = slice(row - 300, row - 10), np.column_stack([np.ones(len(r)), r[:, 1]])
        b = np.linalg.lstsq(x[past], r[past, 0], rcond=None)[0]
        want = (r[:, 0] - x @ b)[row - 5 : row + 11]
        np.testing.assert_allclose(found.abnormal_returns.iloc[0], want, atol=1e-12)
