"""Holidays of some columns that were filled: each exchange on its own days, as with its calendar named."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning
from eventstudy.market.filled_holidays import filled_holidays

CODES = {"US": "XNYS", "HK": "XHKG", "DE": "XETR"}
LAST = "2019-06-28"
#: First day of the table, and the estimation window of its events.
WAYS = ("missing", "filled")
SPANS = {"long": ("2017-01-02", (-150, -11)), "half a year": ("2019-01-02", (-60, -11))}
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


def listing(prefix: str, n: int, seed: int, first: str, tick: float = 0.0, idle: float = 0.0) -> pd.DataFrame:
    """Closes of n firms, which may seldom trade, and an index on the sessions of an exchange, in ticks."""
    rng = np.random.default_rng(seed)
    days = es.Exchange(CODES[prefix]).sessions(pd.Timestamp(first), pd.Timestamp(LAST))
    m = rng.normal(0.0003, 0.012, len(days))
    r = np.column_stack([m * (0.7 + 0.1 * i) + rng.normal(0, 0.015, len(days)) for i in range(n)] + [m])
    if idle:
        r[:, :-1] *= rng.random((len(days), n)) >= idle
    prices = 50 * np.exp(r.cumsum(axis=0))
    if tick:
        prices[:, :-1] = np.round(prices[:, :-1] / tick) * tick
        prices[:, -1] = np.round(prices[:, -1], 2)
    return pd.DataFrame(prices, days, [*(f"{prefix}{i}" for i in range(n)), f"{prefix}X"])


def events_of(frames: list[pd.DataFrame]) -> list[dict[str, Any]]:
    return [
        {"event_id": f"{name} {row}", "security": name, "date": frame.index[row]}
        for frame in frames
        for name in frame
        if not name.endswith("X")
        for row in (int(len(frame) * 0.8), int(len(frame) * 0.92))
    ]


def numbers(market: es.Market, events: list[dict[str, Any]], estimation: tuple[int, int]) -> pd.DataFrame:
    model = es.MarketModel() if market.benchmarks else es.ConstantMean()
    found = es.EventStudy(market, events, model, estimation, (-3, 3)).fit()
    columns = ["car", "se", "n_days", "expected"]
    parts = [found.car(0, 3)[columns], found.car(-3, 3)[columns].add_suffix(" all"), found.parameters]
    joined = pd.concat(parts, axis=1).astype(float)
    return joined.set_axis(joined.index.astype(object))


def laid(
    frames: list[pd.DataFrame], how: tuple[str, ...], prices: bool, more: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames side by side: with holidays missing, and as `how` says by frame."""
    rows = frames[0].index
    for frame in [*frames[1:], *([] if more is None else [more])]:
        rows = rows.union(frame.index)
    own = frames if prices else [frame.pct_change() for frame in frames]
    filled = []
    for frame, way in zip(own, how, strict=True):
        wide = frame.reindex(rows)
        if way == "filled":
            wide = wide.ffill() if prices else wide.fillna(0.0)
            if not prices:
                wide.iloc[0] = np.nan
        filled.append(wide)
    return pd.concat(own, axis=1, sort=True), pd.concat([*filled, *([] if more is None else [more])], axis=1)


def check(
    frames: list[pd.DataFrame],
    ways: list[tuple[str, ...]],
    estimation: tuple[int, int],
    prices: bool = True,
    benchmark: Any = None,
    more: pd.DataFrame | None = None,
    events: list[dict[str, Any]] | None = None,
) -> list[es.Market]:
    """Compare the numbers of frames laid side by side in several ways with those of known calendars."""
    clean, _ = laid(frames, ways[0], prices, more)
    make = es.Market.from_prices if prices else es.Market
    calendar = {name: CODES[name[:2]] for name in clean}
    listed = events_of(frames) if events is None else events
    want = numbers(make(clean, benchmark=benchmark, calendar=calendar), listed, estimation)
    markets = [make(laid(frames, how, prices, more)[1], benchmark=benchmark) for how in ways]
    for market in markets:
        pd.testing.assert_frame_equal(
            numbers(market, listed, estimation).loc[want.index], want, rtol=1e-9, atol=1e-12
        )
    return markets


@pytest.mark.quick("own-0.05-True-long")
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("prices", [True, False])
@pytest.mark.parametrize("tick", [0.0, 0.05])
@pytest.mark.parametrize("benchmark", ["own", pytest.param("abroad", marks=pytest.mark.slow), None])
def test_each_exchange_has_its_own_days_however_the_others_are_laid(
    span: str, prices: bool, tick: float, benchmark: str | None
) -> None:
    first, estimation = SPANS[span]
    frames = [listing("US", 3, 1, first, tick), listing("HK", 2, 2, first, tick)]
    of: Any = None if benchmark is None else "USX"
    if benchmark == "own":
        of = {"US0": "USX", "US1": "USX", "US2": "USX", "HK0": "HKX", "HK1": "HKX"}
    for market in check(frames, list(itertools.product(WAYS, repeat=2)), estimation, prices, of):
        assert len(market.parts) == 2


@pytest.mark.quick("HK-True-long")
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("prices", [True, False])
@pytest.mark.parametrize("abroad", ["HK", "DE"])
def test_shares_of_coarse_ticks_close_with_their_own_benchmarks(span: str, prices: bool, abroad: str) -> None:
    """Shares that stand still on most days anyway, under benchmarks that are filled, or as they are."""
    first, estimation = SPANS[span]
    frames = [listing("US", 3, 1, first, 2.0), listing(abroad, 2, 2, first, 2.0)]
    own = {name: f"{name[:2]}X" for frame in frames for name in frame if not name.endswith("X")}
    check(frames, [("filled", "filled")], estimation, prices, own)
    clean, dirty = laid(frames, ("filled", "filled"), prices, None)
    for index in ("USX", f"{abroad}X"):
        dirty[index] = clean[index]
    make = es.Market.from_prices if prices else es.Market
    calendar = {name: CODES[name[:2]] for name in clean}
    pd.testing.assert_frame_equal(
        numbers(make(dirty, benchmark=own), events_of(frames), estimation),
        numbers(make(clean, benchmark=own, calendar=calendar), events_of(frames), estimation),
        rtol=1e-9,
        atol=1e-12,
        check_like=True,
    )


@pytest.mark.quick("True")
@pytest.mark.parametrize("prices", [True, False])
def test_a_benchmark_on_holiday_is_a_sign_for_seldom_traded_shares_abroad(prices: bool) -> None:
    first, estimation = SPANS["long"]
    frames = [listing("US", 2, 1, first, idle=0.3), listing("HK", 2, 2, first, idle=0.3)]
    (market,) = check(frames, [("filled", "filled")], estimation, prices, "USX")
    assert len(market.parts) == 2


def test_own_benchmarks_with_holes_close_no_share_that_moves() -> None:
    frames = [listing("US", 2, 1, "2017-01-02"), listing("HK", 2, 2, "2017-01-02")]
    values = pd.concat(frames, axis=1, sort=True).ffill().dropna()
    values.iloc[[40, 90, 140, 190], 2] = np.nan
    plain = filled_holidays(values.to_numpy(), True, pd.DatetimeIndex(values.index), [2, 5])
    found = filled_holidays(
        values.to_numpy(), True, pd.DatetimeIndex(values.index), [2, 5], {0: 2, 1: 2, 3: 5, 4: 5}
    )
    np.testing.assert_array_equal(found.missing, plain.missing)


@pytest.mark.slow
@pytest.mark.parametrize("span", SPANS)
def test_three_exchanges(span: str) -> None:
    first, estimation = SPANS[span]
    frames = [listing(name, 2, seed, first, 0.05) for seed, name in enumerate(CODES)]
    own = {f"{name}{i}": f"{name}X" for name in CODES for i in range(2)}
    for market in check(frames, list(itertools.product(WAYS, repeat=3)), estimation, benchmark=own):
        assert len(market.parts) == 3


@pytest.mark.quick("True-half a year")
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("prices", [True, False])
def test_one_share_and_the_index_of_another_country(span: str, prices: bool) -> None:
    first, estimation = SPANS[span]
    share, index = listing("HK", 1, 2, first)[["HK0"]], listing("US", 1, 1, first)[["USX"]]
    events = events_of([share])
    ways = list(itertools.product(WAYS, repeat=2))
    check([share, index], ways, estimation, prices, "USX", events=events)
    for how in ways:
        _, dirty = laid([share, index], how, prices)
        make = es.Market.from_prices if prices else es.Market
        inside = make(dirty, benchmark="USX")
        outside = make(dirty[["HK0"]], benchmark=dirty["USX"])
        pd.testing.assert_frame_equal(
            numbers(outside, events, estimation),
            numbers(inside, events, estimation),
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.quick("bond-True-five months")
@pytest.mark.parametrize("span", ["long", "five months"])
@pytest.mark.parametrize("prices", [True, False])
@pytest.mark.parametrize("kind", ["bond", "coin"])
def test_what_is_open_on_every_day_makes_no_sessions_of_shares(span: str, prices: bool, kind: str) -> None:
    first, estimation = {"long": SPANS["long"], "five months": ("2019-02-01", (-40, -11))}[span]
    days = pd.bdate_range(first, LAST) if kind == "bond" else pd.date_range(first, LAST)
    level = 100 * np.exp(np.random.default_rng(9).normal(0, 0.01, len(days)).cumsum())
    more = pd.DataFrame({kind: level}, days)
    more = more if prices else more.pct_change()
    us, hk = listing("US", 3, 1, first), listing("HK", 2, 2, first)
    alone = [(how,) for how in WAYS]
    check([us], alone, estimation, prices, "USX", more)
    check([us, hk], [(how, "missing") for how in WAYS], estimation, prices, "USX", more)
    check([us[["US0", "USX"]]], alone, estimation, prices, "USX", more)
    check([us[["US0"]]], alone, estimation, prices, None, more)


def test_a_rate_of_interest_does_not_make_holidays_sessions() -> None:
    frame = listing("US", 3, 1, "2017-01-02")
    events = events_of([frame])
    rate = pd.DataFrame({"rf": 0.0001}, pd.bdate_range(frame.index[0], frame.index[-1]))
    factors = rate.assign(mkt_rf=frame["USX"].pct_change() - 0.0001)
    want = numbers(es.Market.from_prices(frame, benchmark="USX"), events, (-150, -11))
    for wide in (frame.reindex(rate.index), frame.reindex(rate.index).ffill()):
        market = es.Market.from_prices(wide, benchmark="USX", factors=factors)
        assert market.sessions.equals(frame.index)
        pd.testing.assert_frame_equal(numbers(market, events, (-150, -11)), want, rtol=1e-9, atol=1e-12)


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("seed", range(24))
def test_seldom_traded_shares_of_one_exchange_are_not_on_holiday(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = es.Exchange("XNYS").sessions(pd.Timestamp("2017-01-02"), pd.Timestamp(LAST))
    rows, columns = (len(days), 250, 90, 40)[seed % 4], (2, 3, 6, 30)[seed // 4 % 4]
    tick, idle = rng.choice([0.01, 0.05, 0.25]), rng.choice([0.0, 0.05, 0.2, 0.5], columns)
    m = rng.normal(0, 0.012, rows)
    prices = 30 * np.exp((m[:, None] + rng.normal(0, 0.015, (rows, columns))).cumsum(axis=0))
    prices = np.round(prices / tick) * tick
    frame = pd.DataFrame(prices).where(rng.random(prices.shape) >= idle).ffill().bfill()
    frame["index"] = np.round(1000 * np.exp(m.cumsum()), 2)
    frame.iloc[20] = frame.iloc[19]  # nothing moves on one day
    found = filled_holidays(frame.to_numpy(), True, days[:rows], [columns])
    assert not found.missing.any()
    assert not found.doubtful.any()


def test_columns_that_lack_other_days_keep_their_zeros_with_a_warning() -> None:
    frames = [listing("US", 3, 1, "2017-01-02"), listing("HK", 2, 2, "2017-01-02")]
    _, dirty = laid(frames, ("filled", "filled"), False)
    dirty.iloc[[50, 90, 130, 170], 4:] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        market = es.Market(dirty)
    told = [str(each.message) for each in caught if issubclass(each.category, DataWarning)]
    assert any("HK0, HK1, HKX: unchanged on" in text and "but kept" in text for text in told)
    assert any("US0, US1, US2, USX: unchanged on" in text and "for missing" in text for text in told)
    assert (market.returns["HK0"] == 0.0).sum() > 10


@pytest.mark.quick("False-D-XSHG", "True-B-XHKG")
@pytest.mark.parametrize("code", ["XHKG", "XSHG", "XLON"])
@pytest.mark.parametrize("rows", ["B", "D"])
@pytest.mark.parametrize("prices", [True, False])
def test_a_share_without_benchmark_or_others(code: str, rows: str, prices: bool) -> None:
    """Nothing beside it moves on its holidays; it stands still on all of those of an exchange."""
    days = es.Exchange(code).sessions("2018-10-01", "2019-12-31")
    share = pd.DataFrame(
        {"F": 20 * np.exp(np.random.default_rng(3).normal(0, 0.02, len(days)).cumsum())}, days
    )
    if prices:
        make, table, padded = es.Market.from_prices, share, share.asfreq(rows).ffill()
    else:
        make, table = es.Market, share.pct_change().iloc[1:]
        padded = table.asfreq(rows).fillna(0.0)
    with pytest.warns(DataWarning, match="Every series stands still"):
        market = make(padded)
    pd.testing.assert_frame_equal(market.returns, make(table).returns, check_freq=False)


def test_a_seldom_traded_share_on_its_own_keeps_its_sessions() -> None:
    days = es.Exchange("XHKG").sessions("2018-01-02", "2019-12-31")
    rng = np.random.default_rng(4)
    steps = np.where(rng.random(len(days)) < 0.4, 0.0, rng.normal(0, 0.02, len(days)))
    market = es.Market.from_prices(pd.DataFrame({"F": 20 * np.exp(steps.cumsum())}, days))
    assert len(market.sessions) == len(days)
