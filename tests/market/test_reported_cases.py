"""Inputs that were reported as misread: each gives the right number, or is refused with the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, EventError, NaiveTimeError
from eventstudy.market.adjustment import evidence_of_raw
from eventstudy.market.holes import meaning_of_holes


def panel(n: int, t: int, seed: int, sigma: float = 0.018) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2018-01-01", periods=t).as_unit("ns")
    m = rng.normal(0.0004, 0.010, t)
    r = 0.0002 + m[:, None] * rng.uniform(0.6, 1.4, n) + sigma * rng.normal(size=(t, n))
    return pd.DataFrame(r, days, [f"F{i}" for i in range(n)]), pd.Series(m, days, name="idx")


def fit(market: es.Market, event: object, **options: object) -> es.EventStudyResults:
    return es.EventStudy(market, event, **({"estimation": (-120, -11), "window": (-5, 5)} | options)).fit()


# Returns with holes


def test_returns_with_holes_are_asked_about_and_prices_are_right() -> None:
    """ZTE fell by 10.0% from 16 April to 13 June 2018, over a halt of 40 sessions; the index by 4.3%."""
    closes = es.datasets.surveillance_prices()["close"]
    event = {"security": "000063.SZ", "date": "2018-04-17"}
    options = {"estimation": (-200, -21)}
    with pytest.raises(
        DataError, match=r"2018-06-14 in its event window follows 4\d sessions.*gaps='single'.*from_prices"
    ):
        fit(es.Market(closes.pct_change(fill_method=None), benchmark="399001.SZ"), event, **options)
    made = closes.ffill().pct_change().where(closes.notna())
    for market in (
        es.Market.from_prices(closes, benchmark="399001.SZ"),
        es.Market(made, benchmark="399001.SZ", gaps="lumped"),
    ):
        results = fit(market, event, **options)
        assert results.timeline["day_0"].iloc[0] == pd.Timestamp("2018-06-13")
        assert results.car(0, 0)["car"].iloc[0] == pytest.approx(-0.1243, abs=5e-5)


@pytest.mark.parametrize("meaning", ["lumped", "single"])
def test_the_benchmark_says_what_returns_after_holes_span(meaning: str) -> None:
    r, m = panel(30, 300, 3, sigma=0.004)
    price, rng = (1 + r).cumprod(), np.random.default_rng(1)
    for name in price:
        start = rng.integers(30, 290, 4)
        price.loc[price.index[np.unique(np.concatenate([start, start + 1, start + 2]))], name] = np.nan
    made = (
        price.ffill().pct_change().where(price.notna())
        if meaning == "lumped"
        else price.pct_change(fill_method=None)
    )
    market = es.Market(made, benchmark=m)
    assert market.arrays.unsaid is None
    assert (market.spans.to_numpy() > 1).any() == (meaning == "lumped")
    assert market.reading["evidence"].str.startswith(f"{meaning}: ").any()


def test_few_holes_decide_nothing() -> None:
    r, m = panel(1, 100, 0)
    holes = np.zeros((1, 100), dtype=bool)
    holes[0, [20, 40]] = True
    spans = np.where(holes, 3, 1)
    assert meaning_of_holes(r.to_numpy().T, holes, spans, m.to_numpy()[None], np.zeros(1, dtype=int)) is None


# Adjustment


def history(adjusted: bool, n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Closes and eight dividends of 2%, and the true total returns."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2018-01-01", periods=n).as_unit("ns")
    true, paid, price = rng.normal(0, 0.01, n), np.zeros(n), [50.0]
    paid[45::45] = 1.0
    for day in range(1, n):
        price.append(price[-1] * (1 + true[day]) if adjusted else (price[-1] - paid[day]) * (1 + true[day]))
    return pd.DataFrame({"close": price, "dividends": paid}, days), pd.Series(true, days)


@pytest.mark.parametrize("adjusted", [True, False])
def test_dividends_are_counted_once(adjusted: bool) -> None:
    frame, true = history(adjusted)
    market = es.Market.from_prices({"X": frame})
    np.testing.assert_allclose(market.returns["X"].iloc[1:], true.iloc[1:], atol=1e-12)
    told = market.reading.query("column == 'dividends' and adjustment != ''").iloc[0]
    assert told["adjustment"] == ("total" if adjusted else "none")


def test_yahoos_closes_without_adj_close_are_adjusted() -> None:
    days = pd.bdate_range("2019-05-20", periods=4)
    frame = pd.DataFrame({"Close": 95.0, "Dividends": [0, 0, 5.0, 0], "Stock Splits": 0.0}, days)
    assert (es.Market.from_prices(pd.concat({"X": frame}, axis=1)).returns["X"].iloc[1:] == 0).all()


@pytest.mark.parametrize(("ratio", "move"), [(1.05, -0.03), (1.05, 0.03), (1.1, 0.06)])
def test_a_small_split_on_a_day_of_news_is_asked_about(ratio: float, move: float) -> None:
    days = pd.bdate_range("2019-05-20", periods=3)
    close = pd.Series([100.0, 100.0, 100 * (1 + move)], days)
    frame = pd.DataFrame({"close": close * [ratio, ratio, 1], "splits": [0, 0, ratio]})
    with pytest.raises(DataError, match=r"cannot be told for X from 1 ex-days.*adjustment='none'"):
        es.Market.from_prices({"X": frame})
    raw = es.Market.from_prices({"X": frame}, adjustment="none").returns["X"].iloc[2]
    done = es.Market.from_prices({"X": frame.assign(close=close)}, adjustment="splits").returns["X"].iloc[2]
    assert raw == pytest.approx(move)
    assert done == pytest.approx(move)


def test_evidence_is_the_ratio_of_likelihoods() -> None:
    step, expected = np.array([[0.01], [-0.05]]), np.array([[0.0], [-0.04]])
    wanted = 2.0 * (np.log1p((0.05 / 0.02) ** 2 / 3) - np.log1p((0.01 / 0.02) ** 2 / 3))
    assert evidence_of_raw(step, expected)[0] == pytest.approx(wanted)


def test_dividends_in_the_total_return() -> None:
    days = pd.bdate_range("2020-01-01", periods=3)
    frame = pd.DataFrame({("close", "A"): [101, 100.5, 100.2], ("dividends", "A"): [0, 0.57, 0]}, index=days)
    with pytest.raises(DataError, match="adjustment="):
        es.Market.from_prices(frame)
    found = es.Market.from_prices(frame, adjustment="none").returns["A"].iloc[1]
    assert found == pytest.approx(100.5 / (101 - 0.57) - 1, abs=1e-12)


# Splits and padded days


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.5, 2, 3, 4, 10, 0.5, 0.1])
def test_unadjusted_splits_are_told(ratio: float) -> None:
    told = 0
    for seed in range(40):
        r, m = panel(1, 300, seed)
        price = 100 * (1 + r).cumprod()
        price.loc[r.index[250] :, "F0"] /= ratio
        audit = es.Market.from_prices(price, benchmark=(1000 * (1 + m).cumprod())).audit()
        told += bool((audit["kind"] == "large return").any())
    assert told >= 38


def test_ordinary_returns_are_no_splits() -> None:
    r, m = panel(40, 300, 1)
    audit = es.Market.from_prices(100 * (1 + r).cumprod(), benchmark=1000 * (1 + m).cumprod()).audit()
    assert not (audit["kind"] == "large return").any()


def test_padded_holidays_are_told() -> None:
    r, m = panel(6, 300, 12)
    both = pd.concat([100 * (1 + r).cumprod(), 1000 * (1 + m).cumprod()], axis=1)
    holidays = r.index[[100, 150, 200, 244, 251, 280]]
    padded = both.drop(holidays).asfreq("B").ffill()
    with pytest.warns(DataWarning, match="Every series stands still on 6 rows"):
        left_out = es.Market.from_prices(padded, benchmark="idx")
    assert left_out.audit().query("kind == 'no session'")["date"].tolist() == list(holidays)
    market = es.Market.from_prices(padded, benchmark="idx", sessions="data")
    found = market.audit().query("kind == 'padded day'")
    assert found["date"].tolist() == list(holidays)
    with pytest.warns(DataWarning, match="padded day on 2018-12-18"):
        fit(market, {"security": "F0", "date": r.index[250]})


@pytest.mark.parametrize("form", ["prices", "returns"])
def test_weekends_filled_with_the_last_price_are_no_sessions(form: str) -> None:
    r, m = panel(2, 300, 12)
    bare = pd.concat([100 * (1 + r).cumprod(), 1000 * (1 + m).cumprod()], axis=1)
    days = pd.date_range(r.index[0], r.index[-1])
    filled = bare.reindex(days).ffill()
    filled = filled.assign(COIN=np.exp(np.random.default_rng(1).normal(0, 0.03, len(days)).cumsum()))
    returns = form == "returns"
    make, table = (es.Market, filled.pct_change().iloc[1:]) if returns else (es.Market.from_prices, filled)
    with pytest.warns(DataWarning) as told:
        split = make(table, benchmark="idx")
    assert any("F0, F1, idx: unchanged on 118 days" in str(each.message) for each in told)
    assert next(iter(split.parts.values())).sessions.day_of_week.max() == 4
    event = {"security": "F0", "date": r.index[250]}
    alone = fit(es.Market.from_prices(bare, benchmark="idx"), event).car(0, 1)
    np.testing.assert_allclose(fit(split, event).car(0, 1)["car"], alone["car"], rtol=0, atol=1e-12)
    market = make(table, benchmark="idx", sessions="data")
    found = market.audit().query("kind == 'padded day'")
    assert set(found["security"]) == {"F0", "F1", "idx"}
    assert found["date"].dt.day_of_week.unique().tolist() == [5, 6]
    with pytest.warns(DataWarning, match="padded day of F0 on .* stands still on every S"):
        fit(market, {"security": "F0", "date": r.index[250]})


def test_a_series_that_seldom_moves_has_no_padded_days() -> None:
    r, _ = panel(30, 300, 12)
    rare = r.where(np.random.default_rng(1).random(r.shape) < 0.2, 0.0)
    rare["F0"] = 0.01 * np.sign(r["F0"])
    kinds = es.Market.from_prices(100 * (1 + rare).cumprod()).audit()["kind"]
    assert not (kinds == "padded day").any()


def test_a_jump_of_volume_is_told() -> None:
    rng, days = np.random.default_rng(9), pd.bdate_range("2018-01-01", periods=400)
    volume = pd.DataFrame(np.exp(rng.normal(13, 0.4, (400, 10))).round(), days, [f"F{i}" for i in range(10)])
    assert not (es.volume_market(volume).audit()["kind"] == "volume jump").any()
    volume.loc[days[300] :, "F0"] *= 4
    found = es.volume_market(volume).audit().query("kind == 'volume jump'")
    assert found["security"].tolist() == ["F0"]
    assert abs((found["date"].iloc[0] - days[300]).days) <= 3
    market = es.volume_market(volume)
    with pytest.warns(DataWarning, match="volume jump of F0 on 2019-02-2. in its event window"):
        fit(market, {"security": "F0", "date": days[300]}, model=es.ConstantMean(), estimation=(-200, -11))


# Units


def test_percent_of_calm_assets_are_seen() -> None:
    rng, days = np.random.default_rng(0), pd.bdate_range("2018-01-01", periods=400)
    bonds = pd.DataFrame(rng.normal(0.01, 0.2, (400, 3)), days, list("ABC"))
    index = pd.Series(rng.normal(0.01, 0.15, 400), days, name="agg")
    with pytest.raises(
        DataError, match=r"typical day, which is not a return. Are these percent\?.*unit='percent'"
    ):
        es.Market(bonds, benchmark=index)
    with pytest.raises(DataError, match=r"'agg' moves by 0.05.* on an ordinary day.*unit='percent'"):
        es.Market(bonds / 4, benchmark=index / 3)
    said, divided = es.Market(bonds, unit="percent"), es.Market(bonds / 100)
    np.testing.assert_allclose(said.returns, divided.returns)
    assert es.Market(bonds / 4, benchmark=index / 3, unit="decimal").benchmarks == ["agg"]


def test_a_security_in_another_unit_than_its_benchmark() -> None:
    r, m = panel(2, 300, 4, sigma=0.004)
    with pytest.raises(
        DataError, match=r"F1 moves with its benchmark idx.*F1 is in percent and idx in decimals"
    ):
        es.Market((r / 20).assign(F1=5 * r["F1"]), benchmark=m / 20)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda r: 1 + r, r"gross returns, 1 \+ r\? Subtract 1"),
        (lambda r: 1e4 * r, r"-?\d+ on .*a simple return is finite and above -1"),
        (lambda r: 100 * (1 + r).cumprod(), r"Are these prices\? Make the market with Market.from_prices"),
        (lambda r: 0.009 * (1 + r / 5).cumprod(), "never changes sign: a level, not a return"),
    ],
)
def test_what_is_no_return(make, told) -> None:
    r, _ = panel(1, 300, 2)
    with pytest.raises(DataError, match=told):
        es.Market(make(r))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rf": 0.024}, r"rf is 0.024 for a step of 1 day.*annual\? Divide by 252"),
        ({"smb": -0.9999}, r"smb is -0.9999 .* stands for a missing return"),
    ],
)
def test_factors_of_another_unit(change, told) -> None:
    r, m = panel(1, 300, 2)
    factors = pd.DataFrame({"Mkt-RF": m, "SMB": r["F0"], "HML": m / 2, "RF": 0.00005})
    es.Market(r, factors=factors)
    with pytest.raises(DataError, match=told):
        es.Market(r, factors=factors.rename(columns={"RF": "rf", "SMB": "smb"}).assign(**change))
    with pytest.raises(DataError, match=r"mkt_rf moves by .*Divide by 100|-1.* above -1"):
        es.Market(r, factors=100 * factors.drop(columns="RF"))


def test_factors_that_are_no_returns() -> None:
    """Points of a volatility index are added up over a halt, not compounded."""
    r, m = panel(1, 300, 2)
    vix = pd.Series(np.random.default_rng(0).normal(0, 1.5, 300), r.index, name="vix")
    market = es.Market(r, benchmark=m, factors=vix.to_frame())
    row = np.array([1])
    assert market.bank.compound(row, np.array([10]), np.array([3]))[0] == pytest.approx(vix.iloc[8:11].sum())
    results = fit(
        market,
        {"security": "F0", "date": r.index[250]},
        model=es.FactorModel(["benchmark", "vix"], excess=False),
    )
    x = np.column_stack([np.ones(110), m[130:240], vix[130:240]])
    b = np.linalg.lstsq(x, r["F0"].to_numpy()[130:240], rcond=None)[0]
    want = r["F0"].iloc[250] - b @ [1, m.iloc[250], vix.iloc[250]]
    assert results.car(0, 0)["car"].iloc[0] == pytest.approx(want, abs=1e-12)


def test_the_reading_holds_benchmarks_and_factors() -> None:
    r, m = panel(1, 300, 2)
    vix = np.random.default_rng(0).normal(0, 1.5, 300)
    market = es.Market(r, benchmark=m, factors=pd.DataFrame({"mkt_rf": m, "vix": vix}, r.index))
    told = market.reading.set_index("column")["evidence"]
    assert told["idx"] == "returns of an index"
    assert told["mkt_rf"] == "return"
    assert told["vix"] == "no return: added up"
    assert es.Market(r.assign(idx=m), benchmark="idx").reading["column"].tolist() == [
        "index",
        "2 columns, F0, ...",
    ]


def test_changes_of_spreads() -> None:
    rng, days = np.random.default_rng(0), pd.bdate_range("2018-01-01", periods=400)
    spreads = pd.DataFrame(rng.normal(0, 6, (400, 3)), days, list("XYZ"))
    with pytest.raises(DataError, match=r"kind=.change.|above -1"):
        es.Market(spreads)
    event = {"security": "X", "date": days[300]}
    found = fit(
        es.Market(spreads, kind="change"),
        event,
        model=es.ConstantMean(),
        estimation=(-279, -30),
        window=(-10, 10),
    )
    x = spreads["X"].to_numpy()
    e = x[21:271]
    np.testing.assert_allclose(
        found.car(0, 0)[["car", "se"]].to_numpy()[0],
        [x[300] - e.mean(), e.std(ddof=1) * np.sqrt(1 + 1 / 250)],
    )


# Layouts


def test_long_returns_and_whole_dates() -> None:
    r, m = panel(3, 300, 18)
    long = r.rename_axis("date").reset_index().melt(id_vars="date", var_name="permno", value_name="ret")
    pd.testing.assert_frame_equal(
        es.Market(long, benchmark=m).returns,
        es.Market(r, benchmark=m).returns,
        check_names=False,
        check_freq=False,
    )
    whole = es.Market(r.set_axis(r.index.strftime("%Y%m%d").astype(int), axis=0))
    assert whole.sessions.equals(r.index)


def test_a_long_frame_is_never_told_to_drop_rows() -> None:
    r, _ = panel(3, 50, 1)
    long = (
        (100 * (1 + r).cumprod())
        .reset_index(names="Date")
        .melt("Date", var_name="index_name", value_name="price")
    )
    assert es.Market.from_prices(long).securities == ["F0", "F1", "F2"]
    nameless = long.assign(index_name=np.tile([1.5, 2.5, 3.5], 50))
    with pytest.raises(DataError, match="long") as caught:
        es.Market.from_prices(nameless)
    assert "duplicated" not in str(caught.value)


def test_two_columns_of_one_meaning() -> None:
    r, _ = panel(2, 50, 1)
    long = (
        (100 * (1 + r).cumprod())
        .rename_axis("date")
        .reset_index()
        .melt("date", var_name="ticker", value_name="close")
    )
    assert es.Market.from_prices(long.assign(price=long["close"])).securities == ["F0", "F1"]
    with pytest.raises(DataError, match="'close' and 'price' both look like close, and differ"):
        es.Market.from_prices(long.assign(price=long["close"] * 1.1))


def test_a_frame_of_one_column_as_benchmark() -> None:
    r, m = panel(1, 50, 1)
    assert es.Market(r, benchmark=m.to_frame("BET")).benchmarks == ["BET"]


def test_dates_that_a_spreadsheet_swapped() -> None:
    days = pd.bdate_range("2019-05-01", "2019-05-31")
    index = pd.Index(
        [pd.Timestamp(2019, d.day, 5) if d.day <= 12 else d.strftime("%d/%m/%Y") for d in days], dtype=object
    )
    with pytest.raises(DataError, match=r"of different types.*swapped day and month"):
        es.Market.from_prices(pd.DataFrame({"A": np.arange(23.0) + 10}, index))


@pytest.mark.parametrize("how", ["start", "end"])
@pytest.mark.parametrize(
    ("rule", "day0"), [("M", "2017-05-31"), ("Q", "2017-06-30"), ("W-SUN", "2017-05-26")]
)
def test_bars_longer_than_a_day(rule: str, day0: str, how: str) -> None:
    days = pd.date_range("2003-01-01", "2019-12-31", freq="B")
    rng = np.random.default_rng(1)
    m = rng.normal(0, 0.01, len(days))
    frame = 100 * (1 + pd.DataFrame({"A": m + rng.normal(0, 0.01, len(days)), "IDX": m}, days)).cumprod()
    last = frame.groupby(frame.index.to_period(rule)).last()
    stamps = last.index.to_timestamp(how=how).normalize()
    if rule == "W-SUN" and how == "end":
        stamps = stamps - pd.Timedelta(days=2)  # Fridays, as vendors stamp weeks
    market = es.Market.from_prices(last.set_axis(stamps), benchmark="IDX")
    found = fit(market, {"security": "A", "date": "2017-05-23"}, estimation=(-40, -6), window=(-2, 2))
    assert found.timeline["day_0"].iloc[0] == pd.Timestamp(day0)
    again = es.Market.from_prices(last, benchmark="IDX")
    np.testing.assert_allclose(again.returns, market.returns)


def test_bars_of_which_it_cannot_be_told() -> None:
    sundays = pd.date_range("2019-01-06", periods=30, freq="7D")
    frame = pd.DataFrame({"A": np.arange(30.0) + 10}, sundays)
    with pytest.raises(DataError, match="Say stamps='open' or stamps='close'"):
        es.Market.from_prices(frame)
    assert es.Market.from_prices(frame, stamps="open").sessions[0] == pd.Timestamp("2019-01-11")


def test_utc_midnight_is_a_day() -> None:
    r, _ = panel(1, 60, 1)
    frame = (100 * (1 + r).cumprod()).iloc[5:]
    market = es.Market.from_prices(frame.tz_localize("UTC"), calendar="XNYS", sessions="data")
    assert market.sessions.equals(frame.index.as_unit("ns"))


# Events


@pytest.mark.parametrize(
    "date", ["200319", "190522", "2019", "2019Q2", "2019-05", "1/2019", "03 04 2019", "May 2019"]
)
def test_dates_that_are_no_days(date: str) -> None:
    with pytest.raises(EventError, match="cannot be read"):
        es.Events([{"security": "A", "date": date}])


def test_zones_as_people_mean_them() -> None:
    def at(text: str) -> pd.Timestamp:
        return es.Events([{"security": "A", "announced_at": text}]).frame["announced_at"].iloc[0]

    for text in ("UTC+8", "GMT+8", "UTC+08:00", "GMT+0800", "utc +8"):
        assert at(f"2019-05-22 10:00 {text}") == pd.Timestamp("2019-05-22 02:00Z")
    assert at("2019-05-22 16:30 UTC-4") == pd.Timestamp("2019-05-22 20:30Z")
    assert at("2019-05-22 10:00 Etc/GMT+8") == pd.Timestamp("2019-05-22 18:00Z")
    with pytest.raises(EventError, match=r"winter time all year.*America/New_York"):
        es.Events([{"security": "A", "announced_at": "2019-05-21 15:30"}], timezone="EST")


def test_columns_of_times_zones_and_sessions() -> None:
    base = {"security": ["A", "B", "C"], "date": ["2019-05-21"] * 3}
    timed = es.Events(
        pd.DataFrame({**base, "time": ["16:30", "09:00", ""]}), timezone="America/New_York"
    ).frame
    assert timed["announced_at"].iloc[0] == pd.Timestamp("2019-05-21 16:30", tz="America/New_York")
    assert timed["date"].notna().tolist() == [False, False, True]
    words = es.Events(pd.DataFrame({**base, "session": ["AMC", "BMO", "DMH"]})).frame
    assert words["date"].dt.day.tolist() == [22, 21, 21]
    with pytest.raises(NaiveTimeError, match=r"'time' gives a time of day.*no time zone"):
        es.Events(pd.DataFrame({**base, "time": ["16:30", "09:00", ""]}))
    with pytest.raises(EventError, match="needs non_session='next'"):
        es.Events(pd.DataFrame({**base, "session": ["AMC", "BMO", "DMH"]}), non_session="previous")
    by_row = es.Events(
        {"security": ["A"], "announced_at": ["2019-05-22 09:00"], "timezone": ["Asia/Shanghai"]},
        timezone="UTC",
    ).frame
    assert by_row["announced_at"].iloc[0] == pd.Timestamp("2019-05-22 01:00Z")


def test_a_day_without_hour_is_a_window() -> None:
    frame = es.Events({"security": ["A"], "announced_at": ["2019-05-21"]}, timezone="America/New_York").frame
    assert pd.isna(frame["announced_at"].iloc[0])
    assert frame["announced_after"].iloc[0] == pd.Timestamp("2019-05-21 00:00", tz="America/New_York")
    assert frame["announced_before"].iloc[0] == pd.Timestamp("2019-05-21 23:59:59", tz="America/New_York")
    with pytest.raises(NaiveTimeError, match="gives a day, no hour and no time zone"):
        es.Events({"security": ["A"], "announced_at": ["2019-05-21"]})


def test_columns_of_events_as_vendors_name_them() -> None:
    ibes = pd.DataFrame(
        {
            "ticker": ["AA/1"],
            "oftic": ["AAPL"],
            "anndats": ["2019-05-21"],
            "anntims": ["16:30:00"],
            "measure": ["EPS"],
        }
    )
    read = es.Events(ibes)
    assert read.securities == ["AAPL"]
    assert read.frame["announced_at"].iloc[0] == pd.Timestamp("2019-05-21 20:30Z")
    assert (
        read.reading["column"].tolist() == ["oftic", "anndats", "anndats and anntims"]
        or len(read.reading) >= 3
    )
    stamps = pd.DatetimeIndex(["2019-05-21 16:30"], name="Earnings Date").tz_localize("America/New_York")
    yahoo = pd.DataFrame({"EPS Estimate": [1.0]}, stamps).assign(ticker="AAPL")
    assert es.Events(yahoo).frame["announced_at"].iloc[0] == pd.Timestamp("2019-05-21 20:30Z")
    several = es.Events(
        [{"security": ["A", "B"], "date": "2019-05-21"}, {"security": "['C', 'D']", "date": "2019-05-22"}]
    )
    assert several.securities == ["A", "B", "C", "D"]
    with pytest.warns(DataWarning, match="the columns estimation, end look like settings and are not used"):
        es.Events([{"security": "A", "date": "2019-05-21", "estimation": "(-70, -8)", "end": 5}])
    serial = es.Events({"security": ["A", "B"], "date": [43606, 43607]})
    assert serial.frame["date"].iloc[0] == pd.Timestamp("2019-05-21")


def test_events_from_a_rule() -> None:
    days = pd.bdate_range("2020-01-01", periods=6)
    frame = pd.DataFrame({"A": [0.01, -0.12, 0.11, 0.0, 0.2, 0.3], "B": [0.0] * 6}, days)
    assert es.Events.from_rule(frame, size=0.1).frame["date"].tolist() == [days[1], days[2], days[4], days[5]]
    assert es.Events.from_rule(frame, size=0.1, spacing=1).frame["date"].tolist() == [days[1], days[4]]
    assert es.Events.from_rule(frame, crosses=0.1).frame["date"].tolist() == [days[2], days[4]]
    assert es.Events.from_rule(frame, below=-0.1).frame["value"].tolist() == [-0.12]
    with pytest.raises(EventError, match="takes one of size"):
        es.Events.from_rule(frame)
    with pytest.raises(EventError, match="no value meets above=1"):
        es.Events.from_rule(frame, above=1.0)
    many = pd.bdate_range("2020-01-01", periods=200)
    moves = pd.DataFrame({"A": 1.2 * np.random.default_rng(1).standard_normal(200)}, many)
    with pytest.warns(DataWarning, match=r"of 200 values meet size=0.03; .*decimals or percent\?"):
        es.Events.from_rule(moves, size=0.03)
    assert len(es.Events.from_rule(moves / 100, size=0.03).frame) < 5
    for size in (-0.1, 0.0, "0.1", float("nan")):
        with pytest.raises(EventError, match="size must be a number above 0"):
            es.Events.from_rule(frame, size=size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("aapl", "AAPL"),
        ("AAPL US Equity", "AAPL"),
        ("NYSE:BRK-B", "BRK.B"),
        ("000002", "2"),
        (" AAPL ", None),
    ],
)
def test_securities_in_other_dress(given: str, meant: str | None) -> None:
    r, _ = panel(3, 60, 1)
    market = es.Market.from_prices(100 * (1 + r.set_axis(["AAPL", "BRK.B", "2"], axis=1)).cumprod())
    study = es.EventStudy(
        market,
        {"security": given, "date": r.index[50]},
        es.ConstantMean(),
        estimation=(-40, -6),
        window=(-2, 2),
    )
    if meant is None:
        assert study.fit().car(0, 0)["car"].notna().all()
        return
    with pytest.raises(es.errors.NoUsableEventsError, match=f"did you mean {meant}"):
        study.fit()


def test_a_small_split_is_listed() -> None:
    r, _ = panel(1, 300, 5)
    r.loc[r.index[250], "F0"] = 0.01
    price = 100 * (1 + r).cumprod()
    price.loc[r.index[250] :, "F0"] /= 1.25
    found = es.Market.from_prices(price).audit().query("kind == 'like a split'")
    assert found["date"].tolist() == [r.index[250]]
    assert "like a split of 5 to 4" in found["detail"].iloc[0]


@pytest.mark.parametrize(
    ("ratio", "said"), [(5 / 4, "5 to 4"), (13 / 10, "13 to 10"), (4 / 3, "4 to 3"), (7 / 5, "7 to 5")]
)
@pytest.mark.parametrize("traded", [1.5, 6.0], ids=["as usual", "as after news"])
def test_a_study_warns_of_a_small_split_where_the_volume_is_no_more_than_usual(
    ratio: float, said: str, traded: float
) -> None:
    r, index = panel(2, 300, 5)
    day = r.index[250]
    r.loc[day, "F0"] = 0.01
    price = 100 * (1 + r).cumprod()
    price.loc[day:, "F0"] /= ratio
    volume = pd.DataFrame(1e6 * np.exp(np.random.default_rng(1).normal(0, 0.3, r.shape)), r.index, r.columns)
    volume.loc[day:, "F0"] *= ratio
    volume.loc[day, "F0"] = 1e6 * traded
    frame = pd.concat({"Close": price, "Volume": volume}, axis=1)
    market = es.Market.from_prices(frame, benchmark=(1 + index).cumprod())
    event = {"security": "F0", "date": day}
    if traded > 2:
        fit(market, event)
        return
    with pytest.warns(
        es.errors.SuspectDataWarning, match=f"like a split of {said} that was not adjusted for"
    ):
        fit(market, event)


@pytest.mark.parametrize(("last", "now"), [(100.0, 80.0), (80.0, 60.0), (50.01, 40.01)])
def test_without_volumes_a_study_warns_of_a_fall_that_is_the_ratio_of_a_split(
    last: float, now: float
) -> None:
    r, index = panel(2, 300, 5)
    day = r.index[250]
    price = (1 + r).cumprod()
    price.loc[: r.index[249], "F0"] *= last / price.loc[r.index[249], "F0"]
    price.loc[day:, "F0"] *= now / price.loc[day, "F0"]
    market = es.Market.from_prices(price.round(2), benchmark=(1 + index).cumprod())
    with pytest.warns(es.errors.SuspectDataWarning, match="like a split of . to . that was not adjusted for"):
        fit(market, {"security": "F0", "date": day})


@pytest.mark.slow
def test_falls_on_news_are_not_taken_for_small_splits(shared_data: Path) -> None:
    """Of 498 firms over five years, 46 fell so far on calm days; one was a special dividend of 4 dollars."""
    panels = pd.read_parquet(
        shared_data / "panels/us_sp500_daily_2016_2020.parquet", columns=["ticker", "date", "close", "volume"]
    )
    audit = es.Market.from_prices(panels).audit().query("kind == 'large return'")
    move = audit["detail"].str.extract(r"^([+-][\d.]+)%")[0].astype(float)
    assert audit.loc[move.abs() < 28, ["security", "date"]].to_numpy().tolist() == [
        ["NLOK", pd.Timestamp("2016-03-04")]
    ]
