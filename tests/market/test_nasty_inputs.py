"""Inputs that no vendor sends and people have: right, refused with the cure, or warned of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, EventStudyError, EventStudyWarning
from tests.market.test_reported_cases import panel

_R, _M = panel(3, 300, 7)
CLOSE = (50 * (1 + _R.set_axis(list("ABC"), axis=1)).cumprod()).round(2)
INDEX = (1000 * (1 + _M).cumprod()).round(2)
DAYS = CLOSE.index
DAY = DAYS[250]
RETURNS, INDEX_RETURNS = CLOSE.pct_change(), INDEX.pct_change()
LONG = CLOSE.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
FACTORS = pd.DataFrame(
    {"mkt_rf": INDEX_RETURNS, "smb": RETURNS["B"], "hml": RETURNS["C"], "rf": 0.00005}
).dropna()
FF3 = es.FamaFrench3()


def car(market: es.Market, event: Any = None, model: Any = None) -> float:
    event = {"security": "A", "date": DAY} if event is None else event
    study = es.EventStudy(market, event, model or es.MarketModel(), estimation=(-120, -11), window=(-5, 5))
    return float(study.fit().car(0, 1)["car"].iloc[0])


def of_prices(prices: Any, benchmark: Any = INDEX, event: Any = None, **options: Any) -> float:
    return car(es.Market.from_prices(prices, benchmark=benchmark, **options), event)


def of_returns(returns: Any, benchmark: Any = INDEX_RETURNS, **options: Any) -> float:
    return car(es.Market(returns, benchmark=benchmark, **options))


def of_factors(factors: Any) -> float:
    return car(es.Market(RETURNS.iloc[1:], factors=factors), model=FF3)


def changed(frame: pd.DataFrame, row: int, value: Any, column: int = 0) -> pd.DataFrame:
    """Return a frame of objects with one other cell."""
    out = frame.astype(object).copy()
    cells = out.iloc[:, column].tolist()
    cells[row] = value
    return out.assign(**{str(out.columns[column]): pd.Series(cells, out.index, dtype=object)})


def put(frame: pd.DataFrame, rows: slice, value: Any) -> pd.DataFrame:
    out = frame.copy()
    out.iloc[rows, 0] = value
    return out


def times(part: slice, factor: float) -> pd.DataFrame:
    out = CLOSE.copy()
    out.iloc[part, 0] *= factor
    return out


def swapped(day: pd.Timestamp, texts: bool = True) -> Any:
    """A day of a file dd/mm/yyyy as a spreadsheet of the other order has it."""
    if day.day <= 12:
        return pd.Timestamp(day.year, day.day, day.month)
    return day.strftime("%d/%m/%Y") if texts else day


def compustat(**columns: Any) -> pd.DataFrame:
    out = LONG.rename(columns={"ticker": "gvkey", "close": "prccd", "date": "datadate"})
    return out.assign(ajexdi=1.0, trfd=1.0).assign(**columns)


def saved_index() -> pd.DataFrame:
    return CLOSE.reset_index(names="Date").reset_index(names="Unnamed: 0")


def to_utc(index: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    return index.tz_localize(zone).tz_convert("UTC")


def moved(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Days of UTC on American clocks: each is the day before."""
    return index.tz_localize("UTC").tz_convert("America/New_York").normalize().tz_localize(None)


RIGHT: dict[str, Callable[[], float]] = {
    "splits as texts": lambda: of_prices(
        LONG.assign(
            close=LONG["close"] * np.where((LONG["ticker"] == "A") & (LONG["date"] < DAY), 2.0, 1.0),
            split=np.where((LONG["ticker"] == "A") & (LONG["date"] == DAY), "2:1", ""),
        )
    ),
    "midnight on a clock of twelve hours": lambda: of_prices(
        CLOSE.set_axis(DAYS.strftime("%m/%d/%Y 12:00:00 AM"))
    ),
    "tickers in one text": lambda: of_prices(CLOSE, event={"ticker": ["A; B"], "date": [DAY]}),
    "a hole in the total return factor": lambda: of_prices(
        compustat(trfd=np.where(LONG["date"] == DAY, np.nan, 1.0))
    ),
    "a hole in adj_close": lambda: of_prices(
        pd.concat({"close": CLOSE, "adj_close": put(CLOSE, slice(250, 251), np.nan)}, axis=1)
    ),
    "percent, said": lambda: of_returns(100 * RETURNS, 100 * INDEX_RETURNS, unit="percent"),
    "percent with signs": lambda: of_returns(
        (100 * RETURNS).map(lambda x: "" if np.isnan(x) else f"{x:.12f}%")
    ),
    "brackets for a minus": lambda: of_returns(
        RETURNS.iloc[1:].map(lambda x: f"({-x:.14f})" if x < 0 else f"{x:.14f}")
    ),
    "another minus": lambda: of_returns(RETURNS.iloc[1:].map(lambda x: f"{x:.14f}".replace("-", "\u2212"))),
    "Arabic digits": lambda: of_prices(
        CLOSE.map(lambda x: f"{x:.2f}".translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))
    ),
    "one firm, long": lambda: of_prices(LONG[LONG["ticker"] == "A"]),
    "security before date": lambda: of_prices(LONG.set_index(["ticker", "date"])),
    "nameless levels": lambda: of_prices(LONG.set_index(["ticker", "date"]).rename_axis([None, None])),
    "a Series of two levels": lambda: of_prices(LONG.set_index(["date", "ticker"])["close"]),
    "unstacked": lambda: of_prices(LONG.set_index(["date", "ticker"]).unstack()),
    "categories of texts for dates": lambda: of_prices(
        LONG.assign(date=LONG["date"].dt.strftime("%Y-%m-%d").astype("category"))
    ),
    "categories of dates": lambda: of_prices(LONG.assign(date=LONG["date"].astype("category"))),
    "categories without rows": lambda: of_prices(
        LONG.assign(ticker=pd.Categorical(LONG["ticker"], categories=list("ABCZ")))
    ),
    "Decimals": lambda: of_prices(CLOSE.map(lambda x: Decimal(f"{x:.2f}"))),
    "Decimal NaN": lambda: of_prices(changed(CLOSE.map(lambda x: Decimal(f"{x:.2f}")), 3, Decimal("NaN"))),
    "Int64 with NA": lambda: of_prices(put((100 * CLOSE).round().astype("Int64"), slice(3, 4), pd.NA)),
    "cents": lambda: of_prices(times(slice(None), 100)),
    "log returns": lambda: of_returns(
        np.log(CLOSE).diff().iloc[1:], np.log(INDEX).diff().iloc[1:], kind="log"
    ),
    "years of two digits": lambda: of_prices(CLOSE.set_axis(DAYS.strftime("%d-%b-%y"))),
    "texts of seconds since 1970": lambda: of_prices(CLOSE.set_axis((DAYS.asi8 // 10**9).astype(str))),
    "index called ticker": lambda: of_prices(CLOSE.rename_axis("ticker")),
    "row numbers": lambda: of_prices(CLOSE.reset_index(names="Date").reset_index()),
    "a saved index": lambda: of_prices(saved_index()),
    "securities that differ by case": lambda: of_prices(CLOSE.set_axis(["A", "a", "C"], axis=1)),
    "a float for a security": lambda: of_prices(
        CLOSE.set_axis([1, 2, 3], axis=1), event={"security": [1.0], "date": [DAY]}
    ),
    "an effective day too": lambda: of_prices(
        CLOSE,
        event=pd.DataFrame({"ticker": ["A"], "effective_date": [DAYS[99]], "announcement_date": [DAY]}),
    ),
    "a report period too": lambda: of_prices(
        CLOSE, event=pd.DataFrame({"ticker": ["A"], "report_date": [DAYS[99]], "filing_date": [DAY]})
    ),
    "permno and ticker": lambda: of_prices(
        CLOSE.set_axis(["10107", "14593", "3"], axis=1),
        event=pd.DataFrame({"ticker": ["A"], "permno": [10107], "date": [DAY]}),
    ),
    "midnights of Shanghai in UTC": lambda: of_prices(CLOSE.set_axis(to_utc(DAYS, "Asia/Shanghai"))),
    "midnights of New York in UTC": lambda: of_prices(
        CLOSE.set_axis(to_utc(DAYS, "America/New_York")), calendar=None
    ),
    "an index of midnights in UTC": lambda: of_prices(CLOSE, INDEX.set_axis(to_utc(DAYS, "Asia/Shanghai"))),
    "names of factors": lambda: of_factors(FACTORS.set_axis([" RM-RF", "SMB", "HML ", "Risk Free"], axis=1)),
}
TOLD: dict[str, tuple[Callable[[], float], str]] = {
    "a column of notes": (
        lambda: of_prices(CLOSE.assign(Notes=["see 10-K", *[""] * 299])),
        "column 'Notes' holds 'see 10-K', not numbers.*leave the column out: columns={name: 'ignore'}",
    ),
    "capital for a price": (
        lambda: of_prices(LONG.rename(columns={"close": "market_cap"})),
        "needs a column 'close'",
    ),
    "a benchmark in another case": (lambda: of_prices(CLOSE.assign(SPX=INDEX), "spx"), "Did you mean SPX"),
    "adj_close of the others": (
        lambda: of_prices(pd.concat({"close": CLOSE, "adj_close": CLOSE[["B", "C"]]}, axis=1)),
        "A has a close and no adj_close",
    ),
    "divided twice": (lambda: of_returns(RETURNS / 100, INDEX_RETURNS / 100), "divided by 100 twice"),
    "percent said of decimals": (
        lambda: of_returns(RETURNS, INDEX_RETURNS, unit="percent"),
        "divided by 100 twice",
    ),
    "percent for one": (lambda: of_returns(100 * RETURNS), "Are these percent"),
    "percent said, benchmark in decimals": (
        lambda: of_returns(100 * RETURNS, unit="percent"),
        "A is in percent and idx in decimals",
    ),
    "swapped dates": (
        lambda: of_prices(LONG.assign(date=LONG["date"].map(swapped))),
        "swapped day and month",
    ),
    "swapped dates without texts": (
        lambda: of_prices(CLOSE.set_axis([swapped(day, False) for day in DAYS])),
        "day and month of some dates are swapped",
    ),
    "two zones": (
        lambda: of_prices(
            CLOSE.set_axis([*DAYS[:150].tz_localize("UTC"), *DAYS[150:].tz_localize("America/New_York")])
        ),
        "of several zones, UTC, America/New_York",
    ),
    "codes of another vendor": (lambda: of_prices(CLOSE.set_axis(["A.N", "B.O", "C.N"], axis=1)), "mean A.N"),
    "a split of the benchmark": (
        lambda: of_prices(CLOSE, INDEX.where(DAYS < DAY, INDEX / 10)),
        "benchmark jump of idx on 2018-12-17",
    ),
    "one day twice": (lambda: of_prices(pd.concat([CLOSE, CLOSE.iloc[[200]] * 1.1])), "The rows differ"),
    "one row twice": (lambda: of_prices(pd.concat([LONG, LONG.iloc[[5]]])), "They are equal"),
    "two currencies": (
        lambda: of_prices(pd.concat([LONG.assign(currency="USD"), LONG.assign(currency="CNY", close=7.0)])),
        r"They differ in 'currency': choose one, e.g. frame\[frame\['currency'\] == 'USD'\]",
    ),
    "two exchanges": (
        lambda: of_prices(pd.concat([LONG.assign(exchange="N"), LONG.assign(exchange="L", close=7.0)])),
        "They differ in 'exchange'",
    ),
    "-99 among decimals": (
        lambda: of_returns(put(RETURNS, slice(250, 251), -99.0)),
        "A is -99 on 2018-12-17",
    ),
    "pence, then pounds": (lambda: of_prices(times(slice(200), 100)), "large return of A on 2018-10-08"),
    "pence on one day": (lambda: of_prices(times(slice(250, 251), 100)), "large return of A on 2018-12-17"),
    "levels as returns": (lambda: of_returns(RETURNS, INDEX), "Are these prices"),
    "returns as levels": (lambda: of_prices(CLOSE, INDEX_RETURNS), "give the level that they make"),
    "sums of returns": (lambda: of_returns((1 + RETURNS).cumprod() - 1), "which is not a return"),
    "a list in a cell": (
        lambda: of_prices(changed(CLOSE, 250, [1.0, 2.0])),
        r"holds \[1.0, 2.0\] in row 251",
    ),
    "a mapping in a cell": (
        lambda: of_prices(changed(CLOSE, 250, {"p": 1.0})),
        "where one number is expected",
    ),
    "arrays in cells": (
        lambda: of_prices(LONG.assign(close=[np.array([x]) for x in LONG["close"]])),
        "one number is expected",
    ),
    "lists for dates": (
        lambda: of_prices(LONG.assign(date=[[day] for day in LONG["date"]])),
        "where one date is expected",
    ),
    "truth values": (lambda: of_prices(CLOSE > 50), "holds False, not numbers"),
    "infinity": (lambda: of_prices(put(CLOSE, slice(250, 251), np.inf)), "A is inf on 2018-12-17"),
    "zero for none": (lambda: of_prices(put(CLOSE, slice(250, 251), 0.0)), "A is 0 on 2018-12-17"),
    "zero returns for none": (
        lambda: of_returns(put(RETURNS, slice(200, 260), 0.0)),
        "stale price of A",
    ),
    "another century": (
        lambda: of_prices(CLOSE.set_axis(DAYS + pd.DateOffset(years=100))),
        "no day in common",
    ),
    "turned": (lambda: of_prices(CLOSE.T), "days stand in the columns, .*frame.T"),
    "a row of means": (
        lambda: of_prices(
            pd.DataFrame(
                [*CLOSE.reset_index(names="Date").astype(object).to_numpy(), ["Mean", 1.0, 1.0, 1.0]],
                columns=["Date", *CLOSE],
            )
        ),
        "row 301 holds 'Mean', which is not a date. Leave that row out",
    ),
    "fractions": (lambda: of_prices(CLOSE.map(lambda x: f"{int(x)} 16/32")), "'.* 16/32', not numbers"),
    "days of UTC on American clocks": (
        lambda: of_prices(CLOSE.set_axis(moved(DAYS)), INDEX.set_axis(moved(DAYS))),
        "from Sunday to Thursday, such as Sunday 2017-12-31",
    ),
    "an index a day late": (
        lambda: of_prices(CLOSE, INDEX.set_axis(DAYS + pd.Timedelta(days=1))),
        "benchmark gap of idx",
    ),
    "an index of months": (lambda: of_prices(CLOSE, INDEX.resample("ME").last()), "its rows are months"),
    "an index that stands": (
        lambda: of_prices(CLOSE, INDEX * 0 + 5),
        "do not vary over the estimation window",
    ),
    "two indices": (
        lambda: of_prices(CLOSE, pd.DataFrame({"SPX": INDEX, "NDX": INDEX})),
        r"has \['SPX', 'NDX'\]. Select one",
    ),
    "an annual rate": (lambda: of_factors(FACTORS.assign(rf=2.4)), "rf is 2.4 .* Is it annual"),
    "a rate in percent": (lambda: of_factors(FACTORS.assign(rf=0.01)), "Is it in percent"),
    "gross factors": (lambda: of_factors(1 + FACTORS), r"gross returns, 1 \+ r"),
    "a market that is no excess": (
        lambda: of_factors(FACTORS.rename(columns={"mkt_rf": "MKT"})),
        "needs columns mkt_rf",
    ),
    "days in a cell": (
        lambda: of_prices(CLOSE, event={"security": ["A"], "date": [[DAY, DAYS[260]]]}),
        "cannot be read",
    ),
    "numbers for codes": (
        lambda: of_prices(
            CLOSE.set_axis(["000001", "2", "3"], axis=1), event={"security": [1], "date": [DAY]}
        ),
        "did you mean 000001",
    ),
    "swapped days of events": (
        lambda: of_prices(
            CLOSE,
            event=pd.DataFrame({"ticker": ["A", "B"], "date": [pd.Timestamp(2018, 12, 3), "17/12/2018"]}),
        ),
        "swapped day and month",
    ),
    "a time that is none": (
        lambda: of_prices(CLOSE, event=pd.DataFrame({"ticker": ["A"], "date": [DAY], "time": [3]})),
        "gives a time of day, 3, and no time zone",
    ),
}


def test_there_are_sixty() -> None:
    assert len(RIGHT) + len(TOLD) >= 60


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("name", RIGHT)
def test_it_is_right(name: str) -> None:
    found = RIGHT[name]()
    if name == "names of factors":
        wanted = of_factors(FACTORS)
    elif name == "log returns":
        wanted = car(es.Market.from_prices(CLOSE, benchmark=INDEX, kind="log"))
    else:
        wanted = of_prices(CLOSE)
    assert found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("name", TOLD)
def test_it_is_told(name: str) -> None:
    give, told = TOLD[name]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            give()
        except EventStudyError as error:
            words = str(error)
        else:
            words = " ".join(str(w.message) for w in heard if issubclass(w.category, EventStudyWarning))
    assert pd.Series([words]).str.contains(told).all(), words


def test_a_file_with_a_saved_index(tmp_path: Path) -> None:
    saved_index().to_csv(tmp_path / "prices.csv", index=False)
    prices = es.sources.read_prices(tmp_path / "prices.csv")
    assert prices["close"].columns.tolist() == ["A", "B", "C"]
    assert "Unnamed: 0" in prices.attrs["guess"]


def test_a_file_with_notes(tmp_path: Path) -> None:
    CLOSE.assign(Notes=["see 10-K", *[""] * 299]).to_csv(tmp_path / "prices.csv", index_label="Date")
    with pytest.warns(es.errors.DataWarning, match="'Notes' holds texts, such as 'see 10-K': it is left out"):
        prices = es.sources.read_prices(tmp_path / "prices.csv")
    assert prices["close"].columns.tolist() == ["A", "B", "C"]


def test_arrow_columns() -> None:
    pa = pytest.importorskip("pyarrow")
    exact = [Decimal(f"{x:.2f}") for x in LONG["close"]]
    dates = pd.array(LONG["date"].dt.date, dtype=pd.ArrowDtype(pa.date32()))
    numbers = pd.array(exact, dtype=pd.ArrowDtype(pa.decimal128(12, 2)))
    for frame in (
        LONG.convert_dtypes(dtype_backend="pyarrow"),
        LONG.assign(date=dates),
        LONG.assign(close=numbers),
    ):
        assert of_prices(frame) == pytest.approx(of_prices(CLOSE), abs=1e-9)


@pytest.mark.parametrize("days", [0, 4])
def test_weeks_stamped_on_mondays_and_fridays(days: int) -> None:
    weeks = CLOSE.join(INDEX).groupby(DAYS.to_period("W-SUN")).last()
    mondays = weeks.index.to_timestamp(how="start").normalize()
    market = es.Market.from_prices(weeks.set_axis(mondays + pd.Timedelta(days=days)), benchmark="idx")
    assert (market.sessions.day_of_week == 4).all()


def test_weeks_stamped_on_sundays_are_asked_about() -> None:
    weeks = CLOSE.groupby(DAYS.to_period("W-SUN")).last()
    sundays = weeks.index.to_timestamp(how="end").normalize()
    with pytest.raises(es.errors.DataError, match="Say stamps='open' or stamps='close'"):
        es.Market.from_prices(weeks.set_axis(sundays))


def test_a_reverse_split_on_the_last_day_is_listed() -> None:
    audit = es.Market.from_prices(times(slice(299, 300), 10), benchmark=INDEX).audit()
    assert "like a split of 1 to 10" in audit.query("security == 'A'")["detail"].iloc[-1]


@pytest.mark.parametrize("dress", [lambda f: f, lambda f: f.rename_axis("idx"), lambda f: f.reset_index()])
def test_rows_that_are_days_relative_to_an_event_bring_their_own_advice(dress: Any) -> None:
    values = 0.01 * np.random.default_rng(3).standard_normal((121, 3))
    frame = pd.DataFrame(values, index=range(-30, 91), columns=list("ABC"))
    with pytest.raises(DataError, match=r"numbered -30 to 90, as days relative to an event") as refused:
        es.Market(dress(frame), benchmark="C")
    assert "market, events = es.from_event_time(frame)" in str(refused.value)
    market, events = es.from_event_time(dress(frame))
    study = es.EventStudy(market, events, es.RawReturn(), (-30, -1), (0, 5), min_observations=20)
    np.testing.assert_allclose(study.fit().car(0, 1)["car"], frame.loc[0:1].sum(), atol=1e-15)


def test_frames_of_many_columns_are_not_said_to_be_fragmented() -> None:
    frame = pd.DataFrame({"date": pd.bdate_range("2020-01-01", periods=60)}).set_index("date")
    rng = np.random.default_rng(4)
    for i in range(150):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
            frame[f"S{i}"] = 0.01 * rng.standard_normal(60)
    days = [f"{day:%Y-%m-%d}" for day in frame.index]
    es.Market(frame, benchmark="S0")
    es.Market(frame.set_axis(days).rename_axis("date"), benchmark="S0")
