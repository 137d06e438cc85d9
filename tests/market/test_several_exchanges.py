"""Securities of several exchanges in one market: each on its own sessions, as in markets of their own."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import (
    CalendarError,
    CalendarWarning,
    DataError,
    DataWarning,
    EventError,
    ModelError,
    RequestError,
)
from eventstudy.market.trading_days import compounded_to, idle_rows

EXCHANGES = {"XNYS": ("US", "SPX"), "XHKG": ("HK", "HSI"), "XETR": ("DE", "DAX")}
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def listing(
    code: str, n: int, seed: int, first: str = "2017-01-02", last: str = "2019-06-28"
) -> pd.DataFrame:
    """Closes of n firms and an index on the sessions of an exchange."""
    rng = np.random.default_rng(seed)
    days = es.Exchange(code).sessions(pd.Timestamp(first), pd.Timestamp(last))
    name, index = EXCHANGES[code]
    m = rng.normal(0.0003, 0.012, len(days))
    r = np.column_stack([m * (0.7 + 0.1 * i) + rng.normal(0, 0.015, len(days)) for i in range(n)] + [m])
    return pd.DataFrame(100 * np.exp(r.cumsum(axis=0)), days, [*(f"{name}{i}" for i in range(n)), index])


def numbers(results: es.EventStudyResults) -> pd.DataFrame:
    columns = ["car", "se", "t", "p_value", "n_days", "expected"]
    parts = [results.car(0, 3)[columns], results.car(-3, 3)[columns].add_suffix("_3")]
    frame = pd.concat([*parts, results.parameters.drop(columns="r_squared")], axis=1)
    return frame.set_axis(frame.index.astype(object)).astype(float)


def study(market: es.Market, events: list[dict[str, object]], **options: object) -> es.EventStudyResults:
    return es.EventStudy(market, events, estimation=(-150, -11), window=(-3, 3), **options).fit()


EVENTS = [
    {"event_id": "u", "security": "US0", "date": "2019-05-28"},
    {"event_id": "h", "security": "HK1", "date": "2019-04-23"},
    {"event_id": "v", "security": "US1", "date": "2019-04-22"},
    {"event_id": "g", "security": "HK0", "date": "2019-05-14"},
]


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("prices", [True, False])
@pytest.mark.parametrize("how", ["mapping", "benchmarks", "columns"])
def test_two_exchanges_in_one_frame_are_two_markets(how: str, prices: bool) -> None:
    us, hk = listing("XNYS", 3, 1), listing("XHKG", 2, 2)
    if not prices:
        us, hk = us.pct_change().iloc[1:], hk.pct_change().iloc[1:]
    make = es.Market.from_prices if prices else es.Market
    both = pd.concat([hk, us], axis=1, sort=True)
    benchmark: object = {n: "SPX" if n in us else "HSI" for n in both if n not in ("SPX", "HSI")}
    options: dict[str, object] = {}
    apart = [make(us, benchmark="SPX"), make(hk, benchmark="HSI")]
    if how == "mapping":
        options["calendar"] = {n: "XNYS" if n in us else "XHKG" for n in both}
        apart = [make(us, benchmark="SPX", calendar="XNYS"), make(hk, benchmark="HSI", calendar="XHKG")]
        market = make(both, benchmark=benchmark, **options)
    else:
        if how == "columns":
            benchmark = None
            apart = [make(us), make(hk)]
        with pytest.warns(DataWarning, match=r"2 exchanges, each on its own days: HK0, HK1, HSI; US0, US1"):
            market = make(both, benchmark=benchmark, **options)
    assert list(market.parts) == (["XHKG", "XNYS"] if how == "mapping" else ["HK0", "US0"])
    model = es.ConstantMean() if benchmark is None else es.MarketModel()
    found = study(market, EVENTS, model=model)
    assert found.timeline.index.tolist() == ["u", "h", "v", "g"]
    for own, ids in zip(apart, (["u", "v"], ["h", "g"]), strict=True):
        events = [event for event in EVENTS if event["event_id"] in ids]
        pd.testing.assert_frame_equal(
            numbers(found).loc[ids], numbers(study(own, events, model=model)), check_names=False, **EXACT
        )
    pooled = es.pool(
        [study(own, [e for e in EVENTS if e["security"] in own.columns], model=model) for own in apart]
    )
    np.testing.assert_allclose(
        found.caar(0, 1)[["caar", "se"]], pooled.caar(0, 1)[["caar", "se"]], rtol=1e-12
    )
    tests = [r.test(0, 1).set_index("test")["statistic"] for r in (found, pooled)]
    np.testing.assert_allclose(tests[0], tests[1], rtol=1e-9)
    # One exchange alone is an ordinary study.
    assert isinstance(study(market, EVENTS[:1], model=model), es.EventStudyResults)


def test_announcement_times_are_those_of_each_exchange() -> None:
    both = pd.concat([listing("XNYS", 1, 1), listing("XHKG", 1, 2)], axis=1, sort=True)
    market = es.Market.from_prices(
        both, benchmark={"US0": "SPX", "HK0": "HSI"}, calendar={"US0": "XNYS", "HK0": es.Exchange("XHKG")}
    )
    when = "2019-05-21 19:00-04:00"
    found = study(market, [{"security": name, "announced_at": when} for name in ("US0", "HK0")])
    assert found.timeline["day_0"].dt.day.tolist() == [22, 22]
    assert found.clock()["security"].tolist() == ["HK0", "US0"]
    # The Monday of Hong Kong and the evening before in New York.
    when = "2019-05-20 02:00+00:00"
    found = study(market, [{"security": name, "announced_at": when} for name in ("US0", "HK0")])
    assert found.timeline["day_0"].dt.day.tolist() == [20, 20]


def test_exchanges_by_suffix() -> None:
    us, hk = listing("XNYS", 1, 1), listing("XHKG", 1, 2)
    both = pd.concat([us, hk], axis=1, sort=True).rename(
        columns={"US0": "AAPL", "HK0": "0700.XHKG", "SPX": "^GSPC", "HSI": "^HSI"}
    )
    market = es.Market.from_prices(both, benchmark={"AAPL": "^GSPC", "0700.XHKG": "^HSI"}, calendar="auto")
    assert {name: part.exchange.code for name, part in market.parts.items()} == {
        "XNYS": "XNYS",
        "XHKG": "XHKG",
    }
    only = es.Market.from_prices(us.rename(columns={"US0": "AAPL"}), benchmark="SPX", calendar="auto")
    assert only.exchange.code == "XNYS"
    with pytest.raises(CalendarError, match=r"By security: calendar=\{'\^HSI'"):
        es.Market.from_prices(both, benchmark="^GSPC", calendar="auto")


@pytest.mark.filterwarnings("ignore::eventstudy.errors.SuspectDataWarning")
def test_benchmark_of_another_exchange_is_compounded_over_the_same_span() -> None:
    us, hk = listing("XNYS", 1, 1), listing("XHKG", 1, 2)
    both = pd.concat([us, hk], axis=1, sort=True)
    where = {"US0": "XNYS", "SPX": "XNYS", "HK0": "XHKG", "HSI": "XHKG"}
    event = [{"security": "HK0", "date": "2019-05-14"}]
    found = study(es.Market.from_prices(both, benchmark="SPX", calendar=where), event)
    spx, own = us["SPX"], hk["HK0"]
    on_hk = pd.concat([own, spx.reindex(own.index)], axis=1, sort=True)
    want = study(es.Market.from_prices(on_hk, benchmark="SPX", calendar="XHKG"), event)
    pd.testing.assert_frame_equal(numbers(found), numbers(want), **EXACT)
    returns = pd.concat([own.pct_change(), spx.pct_change()], axis=1, sort=True).loc[own.index[1] :]
    with pytest.warns(CalendarWarning, match="compounded into those of the next sessions"):
        market = es.Market(returns, benchmark="SPX", calendar="XHKG")
    again = study(market, event)
    both_known = returns["SPX"].reindex(own.index).notna()
    assert not both_known.all()
    np.testing.assert_allclose(again.parameters["beta"], want.parameters["beta"], rtol=0.02)


def test_errors_of_exchanges() -> None:
    both = pd.concat([listing("XNYS", 2, 1), listing("XHKG", 2, 2)], axis=1, sort=True)
    where = dict.fromkeys(("US0", "US1", "SPX"), "XNYS") | dict.fromkeys(("HK0", "HK1", "HSI"), "XHKG")
    with pytest.raises(DataError, match="calendar names the security 'XX'"):
        es.Market.from_prices(both, calendar=where | {"XX": "XHKG"})
    with pytest.raises(DataError, match="does not name the exchange of 'US0'"):
        es.Market.from_prices(both, calendar={"HK0": "XHKG"})
    market = es.Market.from_prices(both, calendar=where)
    with pytest.raises(RequestError, match=r"The market is of 2 exchanges \(XNYS, XHKG\)"):
        es.BuyAndHold(market, EVENTS[:1], horizon=(1, 5))
    for ask in (
        lambda: es.CausalStudy(market, EVENTS[:1]),
        lambda: es.lab.specification_curve(market, EVENTS[:1]),
        lambda: es.lab.calibrate(market),
        lambda: es.lab.power(market),
    ):
        with pytest.raises(RequestError, match=r"The market is of 2 exchanges \(XNYS, XHKG\)"):
            ask()
    with pytest.raises(RequestError, match=r"needs the results of one study.*one of results\.studies"):
        es.lab.placebo(study(market, EVENTS, model=es.ConstantMean()))
    halted = both.copy()
    halted.loc["2018-03-01":"2018-06-01", "HK1"] = np.nan
    with pytest.raises(DataError, match=r"HK1 lacks more than 20 days in a row.*sessions='data'"):
        es.Market.from_prices(halted)
    assert not es.Market.from_prices(halted, sessions="data").parts
    with pytest.warns(es.errors.ExcludedEventsWarning, match="no security 'ZZ' in the market"):
        study(
            market,
            [*EVENTS, {"event_id": "z", "security": "ZZ", "date": "2019-05-14"}],
            model=es.ConstantMean(),
        )


def test_benchmarks_and_peers_of_another_exchange_are_refused_by_name() -> None:
    both = pd.concat([listing("XNYS", 3, 1), listing("XHKG", 3, 2)], axis=1, sort=True)
    where = dict.fromkeys(("US0", "US1", "US2", "SPX"), "XNYS") | dict.fromkeys(
        ("HK0", "HK1", "HK2", "HSI"), "XHKG"
    )
    own = dict.fromkeys(("US0", "US1", "US2"), "SPX") | dict.fromkeys(("HK0", "HK1", "HK2"), "HSI")
    market = es.Market.from_prices(both, benchmark=own, calendar=where)
    events = [{"security": name, "date": "2019-05-14"} for name in ("US0", "HK0")]
    with pytest.raises(EventError, match=r"'SPX', which is traded on another.*\{'HK0': 'SPX', \.\.\.\}"):
        study(market, [events[0], events[1] | {"benchmark": "SPX"}])
    study(market, [events[0] | {"benchmark": "SPX"}, events[1] | {"benchmark": "HK1"}])
    with pytest.raises(ModelError, match="peer 'HK1' is traded on another exchange than US0"):
        study(market, events, model=es.MatchedPortfolio(peers=["HK1", "US1"]))
    peers = {"US0": ["US1"], "HK0": ["HK1"]}
    assert len(study(market, events, model=es.MatchedPortfolio(peers=peers)).car(0, 1)) == 2


def test_other_benchmark_of_several_exchanges() -> None:
    us, hk = listing("XNYS", 2, 1), listing("XHKG", 2, 2)
    where = {n: "XNYS" if n in us else "XHKG" for n in (*us, *hk)}
    plain = es.Market.from_prices(pd.concat([us, hk], axis=1, sort=True), calendar=where)
    own = {"US0": "SPX", "US1": "SPX", "HK0": "HSI", "HK1": "HSI"}
    given = es.Market.from_prices(pd.concat([us, hk], axis=1, sort=True), benchmark=own, calendar=where)
    pd.testing.assert_frame_equal(
        numbers(study(plain.with_benchmark(own), EVENTS)), numbers(study(given, EVENTS)), **EXACT
    )


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("seed", range(4))
def test_one_exchange_with_missing_days_stays_one(seed: int) -> None:
    """Halts, thin trading, late listings and days that a vendor lacks are no holidays."""
    frame = listing("XNYS", 30, seed)
    rng = np.random.default_rng(seed)
    frame = frame.mask(rng.random(frame.shape) < [0.02, 0.1, 0.3, 0.0][seed])
    frame.iloc[:200, 3] = np.nan
    frame.iloc[300:340, 4:6] = np.nan  # share classes of one firm
    frame.iloc[[50, 51, 400], :20] = np.nan  # the vendor lacks them
    assert not es.Market.from_prices(frame, benchmark="SPX").parts
    assert not es.Market.from_prices(frame, benchmark={f"US{i}": f"US{i + 15}" for i in range(15)}).parts
    assert not es.Market(frame.pct_change(fill_method=None), benchmark="SPX").parts


# Rows on which nothing trades


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 99),
    rows=st.sets(st.integers(5, 600), min_size=1, max_size=30),
    padded=st.booleans(),
    prices=st.booleans(),
)
def test_rows_on_which_nothing_trades_change_no_number(
    seed: int, rows: set[int], padded: bool, prices: bool
) -> None:
    clean = listing("XNYS", 3, seed)
    clean = clean.drop(clean.index[[i for i in rows if i < len(clean) - 1]][::2])
    everyday = pd.bdate_range(clean.index[0], clean.index[-1])
    more = clean.reindex(everyday.union(clean.index))
    more = more.ffill() if padded else more
    if not prices:
        returns = clean.pct_change()
        more = returns.reindex(more.index).fillna(0.0) if padded else returns.reindex(more.index)
        more.iloc[0], clean = np.nan, returns
    make = es.Market.from_prices if prices else es.Market
    events = [{"security": f"US{i}", "date": clean.index[k]} for i, k in enumerate((200, 300, 400))]
    want = numbers(study(make(clean, benchmark="SPX"), events))
    if padded:
        with pytest.warns(DataWarning, match="Every series stands still on"):
            market = make(more, benchmark="SPX")
    else:
        market = make(more, benchmark="SPX")
    pd.testing.assert_frame_equal(numbers(study(market, events)), want, **EXACT)
    assert (market.reading["taken_for"] == "no session").any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        outside = make(more.drop(columns="SPX"), benchmark=more["SPX"])
    pd.testing.assert_frame_equal(numbers(study(outside, events)), want, **EXACT)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 99), other=st.sampled_from(["XHKG", "XETR"]), n=st.integers(1, 4), order=st.randoms()
)
@pytest.mark.filterwarnings("ignore::eventstudy.errors.DataWarning")
def test_securities_of_other_exchanges_and_shuffling_change_no_number(seed, other, n, order) -> None:
    home = listing("XNYS", 3, seed)
    abroad = listing(other, n, seed + 1)
    events = [
        {"event_id": i, "security": f"US{i}", "date": home.index[k]} for i, k in enumerate((200, 300, 400))
    ]
    want = numbers(study(es.Market.from_prices(home, benchmark="SPX"), events))
    both = pd.concat([home, abroad], axis=1, sort=True)
    columns, shuffled = list(both), list(events)
    order.shuffle(columns)
    order.shuffle(shuffled)
    index = EXCHANGES[other][1]
    own = {c: "SPX" if c.startswith("US") else index for c in both if c not in ("SPX", index)}
    for market in (
        es.Market.from_prices(both[columns], benchmark="SPX"),
        es.Market.from_prices(both[columns], benchmark=own),
        es.Market.from_prices(
            both[columns], benchmark=own, calendar={c: "XNYS" if c in home else other for c in both}
        ),
    ):
        found = numbers(study(market, shuffled)).loc[want.index]
        pd.testing.assert_frame_equal(found, want, **EXACT)


def test_returns_between_sessions_count_in_the_next() -> None:
    days = pd.date_range("2020-01-03", periods=7)  # Friday to Thursday
    frame = pd.DataFrame(
        {"A": [0.01, 0.02, -0.03, 0.04, 0.05, 0.06, 0.07], "B": [0.1, np.nan, 0.2, np.nan, 0.3, 0, 0]}, days
    )
    sessions = days[[0, 3, 4, 5, 6]]
    found = compounded_to(frame, sessions, "simple").loc[sessions]
    assert found["A"].iloc[1] == pytest.approx(1.02 * 0.97 * 1.04 - 1)
    assert np.isnan(found["B"].iloc[1])
    assert found["B"].iloc[2] == pytest.approx(1.2 * 1.3 - 1)
    assert compounded_to(frame, sessions, "log").loc[sessions, "A"].iloc[1] == pytest.approx(0.03)
    assert compounded_to(frame, sessions, "simple", np.array([True, False])).loc[sessions, "A"].iloc[
        1
    ] == pytest.approx(0.03)


def test_series_that_often_stand_still_are_not_padded() -> None:
    rng = np.random.default_rng(0)
    returns = rng.normal(0, 0.01, (400, 2)) * (rng.random((400, 2)) > 0.4)
    none = np.zeros(400, dtype=bool)
    empty, padded = idle_rows(returns, False, none, none)
    assert (returns == 0).all(axis=1).sum() > 30
    assert not padded.any()
    assert not empty.any()


# Real panels


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_empty_rows_of_the_split_dates_of_india(shared_data: Path) -> None:
    """The data of the vignette of R's package eventstudies, of which 31 rows are holidays."""
    folder = shared_data / "samples"
    shares = pd.read_csv(folder / "StockPriceReturns.csv", index_col=0, parse_dates=True) / 100
    others = pd.read_csv(folder / "OtherReturns.csv", index_col=0, parse_dates=True) / 100
    splits = pd.read_csv(folder / "SplitDates.csv", parse_dates=["when"])
    events = splits.rename(columns={"name": "security", "when": "date"})
    frame = shares.join(others["NiftyIndex"].rename("nifty"), how="left")
    empty = frame.isna().all(axis=1)
    assert empty.sum() == 31
    market = es.Market(frame, benchmark="nifty", gaps="single")
    found = es.EventStudy(market, events, estimation=(-250, -6), window=(-5, 5)).fit().car(-5, 5)["car"]
    traded = frame[~empty]
    assert len(found.dropna()) == 6
    for event, car in found.dropna().items():
        y, x = traded[events["security"][event]].to_numpy(), traded["nifty"].to_numpy()
        row = traded.index.searchsorted(events["date"][event])
        past = slice(max(0, row - 250), row - 5)
        known = ~np.isnan(y[past]) & ~np.isnan(x[past])
        slope, intercept = np.polyfit(x[past][known], y[past][known], 1)
        around = slice(row - 5, row + 6)
        assert car == pytest.approx((y[around] - intercept - slope * x[around]).sum(), abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::eventstudy.errors.SuspectDataWarning")
def test_thirty_three_indices_in_one_frame(shared_data: Path) -> None:
    """Chen and Siems (2004): 33 stock indices around 11 September 2001."""
    folder = shared_data / "samples"
    frame = pd.read_csv(folder / "TerrorIndiceReturns.csv", index_col=0, parse_dates=True) / 100
    attack = pd.read_csv(folder / "TerrorAttack.csv", parse_dates=["when"])
    events = [{"security": n, "date": d} for n, d in zip(attack["name"], attack["when"], strict=True)]
    options = {"estimation": (-30, -11), "window": (-10, 10), "min_observations": 10}
    # The source fills some holidays with zeros: Toronto's, London's, Tokyo's and others'.
    with (
        pytest.warns(DataWarning, match="exchanges, each on its own days"),
        pytest.warns(DataWarning, match=r"Toronto, London.*unchanged on 30 days on which others move.*kept"),
    ):
        market = es.Market(frame)
    found = es.EventStudy(market, events, es.ConstantMean(), **options).fit().car(0, 10)
    for row, event in enumerate(events):
        x = frame[event["security"]].dropna()
        day0, values = x.index.searchsorted(event["date"]), x.to_numpy()
        hand = (values[day0 : day0 + 11] - values[day0 - 30 : day0 - 10].mean()).sum()
        assert found["car"].iloc[row] == pytest.approx(hand, abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_shenzhen_hong_kong_and_new_york_are_one_study(shared_data: Path) -> None:
    arrow = pytest.importorskip("pyarrow.parquet")

    def read(name: str) -> pd.DataFrame:
        # Their pandas metadata is of another pandas.
        frame = (
            arrow.read_table(shared_data / "panels" / f"{name}.parquet")
            .replace_schema_metadata(None)
            .to_pandas()
        )
        frame.columns = [str(c).lower() for c in frame.columns]
        return frame.assign(date=pd.to_datetime(frame["date"].astype(str)).dt.as_unit("ns"))

    def closes(frame: pd.DataFrame, names: list[str], by: str = "ticker") -> pd.DataFrame:
        frame = frame[frame[by].isin(names) & frame["date"].between("2017-06-01", "2019-09-27")]
        return frame.pivot(index="date", columns=by, values="close").astype(float)

    index = {"SZSE_COMP_399001.SZ": "XSHG", "HANG_SENG_HSI": "XHKG", "SP500": "XNYS"}
    shenzhen = es.datasets.surveillance_prices()["close"][["002415.SZ", "002236.SZ"]].loc[
        "2017-06-01":"2019-09-27"
    ]
    hk = read("hk_named_ohlcv_adj_2016_2022")
    firms = {
        "XSHG": shenzhen,
        "XHKG": closes(hk[hk["volume"] > 0], ["0763.HK", "0992.HK", "1810.HK"]),
        "XNYS": closes(read("us_suppliers_ohlcv_2016_2020"), ["INTC", "NVDA", "STX", "AMBA"]),
    }
    levels = closes(read("indices_daily_2015on"), list(index), "index")
    apart = {}
    for level, code in index.items():
        frame = firms[code].join(levels[level].dropna(), how="outer")
        firms[code] = frame
        apart[code] = es.Market.from_prices(frame, benchmark=level, calendar=code)
    where = {name: code for code, frame in firms.items() for name in frame}
    benchmark = {name: level for level, code in index.items() for name in firms[code] if name != level}
    market = es.Market.from_prices(
        pd.concat(firms.values(), axis=1, sort=True), benchmark=benchmark, calendar=where
    )
    events = pd.DataFrame(
        {"security": [n for n in where if n not in index], "announced_at": "2019-05-21 19:00-04:00"}
    )
    events["event_id"] = events["security"]
    options = {"estimation": (-150, -11), "window": (-5, 5)}
    one = es.EventStudy(market, events, **options).fit()
    studies = {
        code: es.EventStudy(own, events[events["security"].isin(own.columns)], **options).fit()
        for code, own in apart.items()
    }
    assert list(one.studies) == list(studies)
    pooled = es.pool(studies)
    assert one.timeline.index.tolist() == events["security"].tolist()
    pd.testing.assert_frame_equal(numbers(one).loc[pooled.car().index], numbers(pooled), **EXACT)
    tests = [r.test(0, 1, seed=1).set_index("test")["statistic"] for r in (one, pooled)]
    np.testing.assert_allclose(tests[0], tests[1], rtol=1e-10)
    assert one.clustering(0, 1).mean_correlation == pytest.approx(
        pooled.clustering(0, 1).mean_correlation, rel=1e-12
    )


def test_an_index_without_volume_beside_shares_with_it() -> None:
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2019-01-01", periods=80)
    close = pd.DataFrame(
        100 * np.exp(np.cumsum(0.01 * rng.standard_normal((80, 2)), axis=0)), days, ["A", "INDEX"]
    )
    close.iloc[40, 0] = close.iloc[39, 0]
    volume = pd.DataFrame({"A": np.where(np.arange(80) == 40, 0.0, 1e6)}, days)
    market = es.Market.from_prices(pd.concat({"close": close, "volume": volume}, axis=1), benchmark="INDEX")
    assert market.returns["A"].isna().sum() == 2  # the first day, and the halt
    assert market.returns["INDEX"].isna().sum() == 1


def test_conversion_keeps_each_security_on_the_sessions_of_its_exchange() -> None:
    prices = listing("XNYS", 2, 1).join(listing("XHKG", 2, 2), how="outer")
    market = es.Market.from_prices(
        prices,
        benchmark={"US0": "SPX", "HK0": "HSI"},
        calendar={name: "XHKG" if name.startswith("H") else "XNYS" for name in prices},
    )
    events = [{"security": name, "date": "2018-06-12"} for name in ("US0", "HK0")]
    constant = pd.Series(7.8, pd.date_range("2016-12-25", "2019-06-30"))
    moving = constant * np.exp(np.random.default_rng(3).normal(0, 0.01, len(constant)).cumsum())
    pd.testing.assert_frame_equal(
        numbers(study(es.in_currency(market, constant), events)), numbers(study(market, events)), rtol=1e-9
    )
    converted = es.Market.from_prices(
        prices.mul(moving.reindex(prices.index), axis=0),
        benchmark={"US0": "SPX", "HK0": "HSI"},
        calendar={name: "XHKG" if name.startswith("H") else "XNYS" for name in prices},
    )
    pd.testing.assert_frame_equal(
        numbers(study(es.in_currency(market, moving), events)), numbers(study(converted, events)), rtol=1e-9
    )
