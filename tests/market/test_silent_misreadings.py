"""Tables that can be read in two ways, of which one is wrong without looking so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, EventError, WindowError
from eventstudy.market.trading_days import interpolated_rows
from eventstudy.tabular.days import days_of
from tests.market.test_nasty_inputs import (
    CLOSE,
    DAY,
    DAYS,
    FACTORS,
    INDEX,
    INDEX_RETURNS,
    LONG,
    RETURNS,
    car,
    of_factors,
    of_prices,
    of_returns,
    swapped,
)

RIGHT = of_prices(CLOSE)
BOTH = CLOSE.assign(INDEX=INDEX)
LATER = np.arange(len(DAYS)) >= 260


def read(*texts: str) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in days_of(pd.Series(texts), "dates").stamps]


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (
            ["19/08/06", "19/02/13", "19/11/27", "18/05/30", "18/03/02", "19/01/11"],
            ["2019-08-06", "2019-02-13", "2019-11-27", "2018-05-30", "2018-03-02", "2019-01-11"],
        ),
        (["06/08/19", "13/02/19", "27/11/19"], ["2019-08-06", "2019-02-13", "2019-11-27"]),
        (["99.12.30", "00.01.03"], ["1999-12-30", "2000-01-03"]),
        (["22-05-99", "23-05-99"], ["1999-05-22", "1999-05-23"]),
        (["02OCT2018", "03SEP2018"], ["2018-10-02", "2018-09-03"]),
        (["02-OCT-2018"], ["2018-10-02"]),
        (["02OCT18"], ["2018-10-02"]),
        (["Jan-02-2018"], ["2018-01-02"]),
        (["Tue 02 Oct 2018"], ["2018-10-02"]),
        (["Tuesday, October 2, 2018"], ["2018-10-02"]),
        (["2018-10-02 (Tue)"], ["2018-10-02"]),
    ],
    ids=lambda texts: texts[0],
)
def test_dates_as_they_are_written(texts: list[str], days: list[str]) -> None:
    assert read(*texts) == days


def test_years_of_two_digits_over_decades_are_told_by_their_order() -> None:
    days = pd.bdate_range("1995-01-02", "2020-12-31", freq="41D")
    for form in ("%y/%m/%d", "%d/%m/%y"):
        assert read(*days.strftime(form)) == [f"{day:%Y-%m-%d}" for day in days]


@pytest.mark.parametrize("every", ["ME", "BME", "QE", "YE", "WOM-3FRI"])
@pytest.mark.parametrize("form", ["%d/%m/%y", "%y/%m/%d"])
def test_ends_of_months_over_decades_are_not_taken_for_years(every: str, form: str) -> None:
    days = pd.date_range("2003-01-31", "2022-12-31", freq=every)
    mixed = days[np.random.default_rng(1).permutation(len(days))]
    for one in (days, days[::-1], mixed, days.repeat(2)):
        try:
            found, refused = read(*one.strftime(form)), False
        except DataError:
            found, refused = [], True
        assert refused or found == list(one.strftime("%Y-%m-%d"))
        assert not refused or every == "YE" or one is mixed


def test_the_same_day_of_every_other_month() -> None:
    texts = [f"15/{m:02d}/{y}" for y in range(15, 21) for m in (1, 7)]
    assert read(*texts)[:3] == ["2015-01-15", "2015-07-15", "2016-01-15"]


@pytest.mark.parametrize(
    "texts",
    [
        ["22/05/19"],
        ["22.05.19", "13.08.09"],
        ["13/06/19", "13/05/18"],
        [f"15/02/{y}" for y in range(10, 24)],
        [f"{y}/02/15" for y in range(10, 24)],
        ["05/01/03", "12/02/14"],
    ],
)
def test_years_of_two_digits_that_may_be_days(texts: list[str]) -> None:
    with pytest.raises(DataError, match="cannot be told apart"):
        read(*texts)


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("1960-01-01", "Tuesday to Saturday.*SAS and Stata from 1960-01-01.*origin='1960-01-01'"),
        ("1904-01-01", "Tuesday to Saturday.*Excel on old Macs.*origin='1904-01-01'"),
        ("1970-01-01", "Counts of days need their origin"),
    ],
)
def test_counts_of_days_of_other_programs(origin: str, told: str) -> None:
    counts = (DAYS - pd.Timestamp(origin)).days
    with pytest.raises(DataError, match=told):
        es.Market.from_prices(BOTH.set_axis(counts), benchmark="INDEX")


def test_counts_of_days_since_1970_that_excel_could_have() -> None:
    counts = (pd.bdate_range("2025-01-01", periods=300) - pd.Timestamp("1970-01-01")).days
    with pytest.raises(DataError, match=r"Wednesday to Sunday.*R, polars and arrow"):
        es.Market.from_prices(CLOSE.set_axis(counts))


SINCE_1960 = [(pd.Timestamp(day) - pd.Timestamp("1960-01-01")).days for day in ("2019-05-22", "2018-03-05")]


@pytest.mark.parametrize(
    "listed",
    [
        {"security": "A", "date": SINCE_1960},
        {"security": "A", "date": [str(count) for count in SINCE_1960]},
        {"security": "A", "date": [None, float(SINCE_1960[0])], "announced_at": ["2019-05-21 19:00Z", None]},
        {"security": "A", "date": ["2019-07-22", SINCE_1960[0]]},
        {"security": "A", "announced_at": [SINCE_1960[0] + 0.75]},
        {"security": "A", "announced_at": [SINCE_1960[0]]},
    ],
    ids=["numbers", "texts", "some", "beside texts", "times", "days of times"],
)
def test_counts_of_days_in_event_lists_that_excel_has_too(listed: dict[str, Any]) -> None:
    told = r"2019-05-22 in SAS and Stata.*1959-05-21 in Excel.*origin='1960-01-01'"
    with pytest.raises(EventError, match=told):
        es.Events(pd.DataFrame(listed), timezone="America/New_York")


def test_weekdays_tell_whose_count_of_days_it_is() -> None:
    fifties = pd.bdate_range("1955-01-03", "1959-12-31")[::13]
    read_ = es.Events({"security": "A", "date": (fifties - pd.Timestamp("1899-12-30")).days})
    assert read_.frame["date"].tolist() == fifties.tolist()
    counts = (pd.bdate_range("2015-01-02", "2019-12-31")[::13] - pd.Timestamp("1960-01-01")).days
    with pytest.raises(EventError, match="Tuesday to Saturday"):
        es.Events({"security": "A", "date": counts})
    with pytest.raises(EventError, match=r"; 0 of 8 on a weekend\).*Excel.*; 2 of 8 on a weekend"):
        es.Events({"security": "A", "date": counts[:8]})


@pytest.mark.parametrize("every", ["W-FRI", "W-WED", "ME"])
def test_counts_of_weeks_and_months_since_1960(every: str) -> None:
    days = pd.date_range("2015-01-02", "2019-12-31", freq=every)
    values = np.random.default_rng(0).normal(0, 0.01, (len(days), 2))
    with pytest.raises(DataError, match="in SAS and Stata"):
        es.Market(pd.DataFrame(values, (days - pd.Timestamp("1960-01-01")).days, ["A", "B"]))


def test_counts_of_days_in_event_lists_that_excel_has_not() -> None:
    with pytest.raises(EventError, match="Counts of days need their origin"):
        es.Events({"security": "A", "date": [15_200, 15_300]})


@pytest.mark.parametrize(("name", "unit"), [("date", "s"), ("date", "ms"), ("announced_at", "ms")])
def test_seconds_since_1960(name: str, unit: str) -> None:
    count = (pd.Timestamp("2019-05-22") - pd.Timestamp("1960-01-01")) // pd.Timedelta(1, unit)
    with pytest.raises(EventError, match="since 1960, which gives 2019-05-22"):
        es.Events({"security": "A", name: [count]}, timezone="America/New_York")


@pytest.mark.parametrize("sort", [False, True])
def test_day_and_month_that_a_spreadsheet_swapped(sort: bool) -> None:
    frame = BOTH.set_axis([swapped(day, texts=False) for day in DAYS])
    with pytest.raises(DataError, match="day and month of some dates are swapped"):
        es.Market.from_prices(frame.sort_index() if sort else frame, benchmark="INDEX")


def test_rows_in_no_order_are_not_said_to_be_swapped() -> None:
    with pytest.warns(DataWarning, match="out of order"):
        assert of_prices(CLOSE.sample(frac=1.0, random_state=1)) == pytest.approx(RIGHT)


def test_days_on_asian_clocks() -> None:
    late = DAYS + pd.Timedelta(days=1)
    with pytest.warns(DataWarning, match="from Tuesday to Saturday"):
        of_prices(CLOSE.set_axis(late), INDEX.set_axis(late))


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: of_prices(CLOSE.assign(A=CLOSE["A"].shift(1))), "A moves with.*of the session before"),
        (lambda: of_prices(CLOSE, INDEX.shift(1)), "A, as 2 others, moves with.*of the session after"),
        (lambda: of_returns(RETURNS, INDEX_RETURNS.shift(-1)), "of the session before"),
        (lambda: of_factors(FACTORS.shift(1).dropna()), "benchmark mkt_rf of the session after"),
    ],
    ids=["a security", "prices", "returns", "factors"],
)
def test_series_that_are_a_day_off(run: Callable[[], float], told: str) -> None:
    with pytest.warns(DataWarning, match=told):
        run()


def _filled(part: Any) -> Any:
    return part.reindex(pd.date_range(DAYS[0], DAYS[-1])).interpolate()


def test_weekends_that_were_interpolated() -> None:
    with pytest.warns(DataWarning, match="on the line between those before and after"):
        assert of_prices(_filled(CLOSE), _filled(INDEX)) == pytest.approx(RIGHT, abs=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = es.Market.from_prices(_filled(CLOSE), benchmark=_filled(INDEX), sessions="data")
    assert len(kept.sessions) > len(DAYS)
    two = _filled(pd.DataFrame({"A": CLOSE["A"], "INDEX": INDEX}))
    np.testing.assert_array_equal(interpolated_rows(two.to_numpy()), two.index.day_of_week > 4)
    assert not interpolated_rows(two[["A"]].to_numpy()).any()


@pytest.mark.parametrize(
    "run",
    [
        lambda: of_returns(CLOSE[::-1].pct_change(), INDEX_RETURNS),
        lambda: of_returns(CLOSE.shift(-1) / CLOSE - 1, INDEX_RETURNS),
    ],
    ids=["from new to old", "of the day after"],
)
def test_returns_that_were_computed_backwards(run: Callable[[], float]) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        run()
    assert any("none is known on the last day" in str(each.message) for each in seen)


def test_returns_that_end_before_the_last_day_were_not_computed_backwards() -> None:
    delisted = RETURNS[["A"]].iloc[1:]
    delisted.iloc[280:] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        es.Market(delisted, benchmark=INDEX_RETURNS)


@pytest.mark.parametrize(
    ("returns", "benchmark", "told"),
    [
        (RETURNS.abs(), INDEX_RETURNS, "No return of A, as 2 others, is negative"),
        (RETURNS, INDEX_RETURNS.abs(), "No return of INDEX is negative"),
    ],
)
def test_returns_without_signs(returns: pd.DataFrame, benchmark: pd.Series, told: str) -> None:
    with pytest.warns(DataWarning, match=told):
        es.Market(returns, benchmark=benchmark.rename("INDEX"))


def test_an_index_of_months_made_daily() -> None:
    months = INDEX.resample("ME").last()
    daily = months.reindex(months.index.union(DAYS)).interpolate(method="time").reindex(DAYS).bfill()
    with pytest.warns(DataWarning, match="INDEX goes on by equal steps"):
        es.Market.from_prices(CLOSE, benchmark=daily.rename("INDEX"))


def test_prices_that_rise_by_equal_steps_were_not_interpolated() -> None:
    steps = np.arange(len(DAYS), dtype=float)
    market = es.Market.from_prices(pd.DataFrame({"A": 100 + steps, "B": 50 + steps / 2}, DAYS))
    assert len(market.sessions) == len(DAYS)


NIGHTS = np.diff(DAYS.to_numpy(), prepend=DAYS.to_numpy()[0]) / np.timedelta64(1, "D")
FUND = pd.Series(100 * np.cumprod(1 + np.where(LATER, 0.02, 0.015) / 365 * NIGHTS), DAYS)


@pytest.mark.parametrize("funds", [1, 2])
def test_interest_that_accrues_was_not_interpolated(funds: int) -> None:
    prices = pd.DataFrame({"fund": FUND, "other": FUND**1.1 if funds == 2 else CLOSE["A"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        market = es.Market.from_prices(prices)
    assert len(market.sessions) == len(DAYS)


def test_weeks_made_daily_are_not_taken_for_holidays() -> None:
    weekly = BOTH[::5].reindex(DAYS).interpolate(limit_area="inside").dropna()
    with pytest.warns(DataWarning, match="goes on by equal steps"):
        market = es.Market.from_prices(weekly, benchmark="INDEX")
    assert len(market.sessions) == len(weekly)


def test_a_share_that_stands_still_on_half_of_its_days_is_in_no_other_unit() -> None:
    still = np.random.default_rng(5).random(RETURNS.shape) < np.array([0.49, 0.5, 0.51])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        es.Market(RETURNS.mask(still & RETURNS.notna(), 0.0), benchmark=INDEX_RETURNS)
    with pytest.raises(DataError, match="in percent and A in decimals"):
        es.Market(RETURNS.mask(still & RETURNS.notna(), 0.0) / 100, benchmark=INDEX_RETURNS)


@pytest.mark.parametrize("still", [7.75, np.where(np.arange(len(DAYS)) < 60, 9.0 + np.arange(len(DAYS)), 70)])
def test_a_column_that_never_moves_makes_no_holidays_of_others(still: Any) -> None:
    cheap = (CLOSE / 10).round(1).assign(still=still)
    assert (cheap["A"].diff() == 0).sum() > 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        market = es.Market.from_prices(cheap, benchmark=INDEX)
    assert market.returns["A"].notna().sum() == len(DAYS) - 1


SWITCH = LONG.assign(currency=np.where(LONG["date"] < DAYS[260], "USD", "EUR"))


@pytest.mark.parametrize("name", ["currency", "curcdd", "CCY", "quote_unit"])
def test_prices_that_change_their_currency(name: str) -> None:
    frame = SWITCH.rename(columns={"currency": name})
    with pytest.raises(DataError, match=f"A is in USD on .* and in EUR on .*{name}.*'ignore'"):
        of_prices(frame)
    assert of_prices(frame, columns={name: "ignore"}) == pytest.approx(RIGHT)


def test_a_file_whose_prices_change_their_currency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SWITCH.to_csv(tmp_path / "closes.csv", index=False)
    for large in (4_000_000, 1_000):
        monkeypatch.setattr("eventstudy.sources.raw_tables.LARGE", large)
        with pytest.raises(DataError, match=r"closes\.csv: A is in USD"):
            es.sources.read_prices(tmp_path / "closes.csv")


@pytest.mark.parametrize(
    "currency",
    [
        np.where(LONG["ticker"] == "A", "USD", "EUR"),
        np.where(LONG["date"] < DAYS[260], "USD", " usd"),
        np.where(LONG["date"] < DAYS[260], "USD", ""),
        np.where(LONG["date"] < DAYS[260], "US$", "USD"),
        np.where(LONG["date"] < DAYS[260], "RMB", "CNY"),
        np.where(LONG["date"] < DAYS[260], "GBp", "GBX"),
        np.linspace(1.0, 2.0, len(LONG)),
    ],
    ids=["one for each", "case", "blanks", "a sign", "two codes", "pence", "numbers"],
)
def test_currencies_that_do_not_change(currency: Any) -> None:
    assert of_prices(LONG.assign(currency=currency)) == pytest.approx(RIGHT)


def test_pence_and_pounds_are_two_currencies_and_returns_have_none() -> None:
    pence = LONG.assign(currency=np.where(LONG["date"] < DAYS[260], "GBp", "GBP"))
    with pytest.raises(DataError, match=r"in GBp on .* in GBP on"):
        of_prices(pence)
    moves = LONG.groupby("ticker")["close"].pct_change()
    assert of_prices(SWITCH.assign(ret=moves)) == pytest.approx(RIGHT)


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [("{:.2f} USD", "{:.2f} CNY", False), ("${:.2f}", "{:.0f}¢", False), ("${:.2f}", "USD {:.2f}", True),
     ("¥{:.2f}", "{:.2f}円", True)],
)  # fmt: skip
def test_currencies_beside_numbers(before: str, after: str, good: bool) -> None:
    texts = [(after if late else before).format(x) for late, x in zip(LATER, CLOSE["A"], strict=True)]
    if good:
        assert of_prices(CLOSE.assign(A=texts)) == pytest.approx(RIGHT)
        return
    with pytest.raises(DataError, match="numbers in different currencies"):
        of_prices(CLOSE.assign(A=texts))


def test_each_security_may_have_a_currency_of_its_own_beside_its_numbers() -> None:
    signs = LONG["ticker"].map({"A": "$", "B": "€", "C": "£"})
    assert of_prices(LONG.assign(close=signs + LONG["close"].astype(str))) == pytest.approx(RIGHT)
    signs = signs.mask((LONG["ticker"] == "B") & (LONG["date"] > DAYS[260]), "$")
    with pytest.raises(DataError, match="numbers in different currencies"):
        of_prices(LONG.assign(close=signs + LONG["close"].astype(str)))


def test_factors_in_percent_are_not_sent_to_the_unit_of_returns() -> None:
    with pytest.raises(DataError, match=r"^Factors: .*Are these percent\? Divide by 100(?!, or pass unit)"):
        es.Market(100 * RETURNS.iloc[1:], factors=100 * FACTORS, unit="percent")


def test_the_minus_of_crsp_in_a_wide_table() -> None:
    marked = CLOSE.mul(np.where(np.arange(len(DAYS)) % 9 > 0, 1.0, -1.0), axis=0)
    with pytest.raises(DataError, match=r"CRSP marks the mean of bid and ask.*prices\.abs"):
        of_prices(marked)
    assert of_prices(marked.abs()) == pytest.approx(RIGHT)
    for odd in (CLOSE.assign(A=np.where(LATER, -0.31, 0.42)), CLOSE.assign(A=CLOSE["A"].where(~LATER, -9.0))):
        with pytest.raises(DataError, match="If the series may be negative"):
            of_prices(odd)


@pytest.mark.parametrize("row", [100, 110, 147])
@pytest.mark.parametrize("name", ["smb", "hml"])
def test_factors_in_percent_until_a_day(name: str, row: int) -> None:
    part = FACTORS[name].where(np.arange(len(FACTORS)) >= row, 100 * FACTORS[name]) / 10
    with pytest.raises(DataError, match=f"{name} moves by .* Is one part in percent"):
        of_factors(FACTORS.assign(**{name: part}))


@pytest.mark.parametrize(
    ("said", "told"),
    [({"A": "clsoe"}, "Did you mean 'close'"), ({"A": "zzz"}, "It can be date"), ("close", "says what")],
)
def test_columns_that_are_said_to_be_nothing_known(said: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        of_prices(CLOSE, columns=said)


def test_decimals_are_no_names_of_securities() -> None:
    with pytest.raises(
        DataError, match=r"'y' holds decimals, such as 49\.51, which are not names of securities"
    ):
        of_prices(LONG.assign(y=LONG["close"]), columns={"y": "security"})


@pytest.mark.parametrize(("name", "role"), [("close", "Close"), ("close", "PRC"), ("ticker", "Symbol")])
def test_columns_that_are_said_in_other_words(name: str, role: str) -> None:
    frame = LONG.rename(columns={name: "x"})
    assert of_prices(frame, columns={"x": role}) == pytest.approx(RIGHT)


def test_a_date_column_of_any_name() -> None:
    texts = LONG.assign(交易时段=LONG["date"].dt.strftime("%Y-%m-%d")).drop(columns="date")
    assert of_prices(texts) == pytest.approx(RIGHT)


@pytest.mark.parametrize(
    ("name", "cells"),
    [("after_hours", [True, False]), ("AfterClose", ["yes", "no"]), ("is_amc", [1, 0])],
)
def test_announcements_after_the_close_by_yes_and_no(name: str, cells: list[Any]) -> None:
    events = pd.DataFrame({"ticker": ["A", "B"], "date": [DAY, DAY], name: cells})
    frame = es.Events(events).frame
    assert list(frame["date"]) == [DAY + pd.Timedelta(days=1), DAY]


def test_a_flag_that_is_none_is_told() -> None:
    with pytest.warns(DataWarning, match="'after_hours' is not understood"):
        es.Events(pd.DataFrame({"ticker": ["A"], "date": [DAY], "after_hours": ["perhaps"]}))


def test_bloombergs_words_for_sessions() -> None:
    events = pd.DataFrame({"ticker": ["A", "B"], "date": [DAY, DAY], "time": ["Aft-mkt", "Bef-mkt"]})
    assert list(es.Events(events).frame["date"]) == [DAY + pd.Timedelta(days=1), DAY]


@pytest.mark.parametrize(("text", "freq"), [("2018-12", "M"), ("2018Q4", "Q"), ("2018-12-17", "W")])
def test_periods_longer_than_a_day_are_no_event_days(text: str, freq: str) -> None:
    period = pd.Period(text, freq=freq)
    for date in (pd.PeriodIndex([period]), [period]):
        with pytest.raises(EventError, match="longer than a day"):
            es.Events({"security": ["A"], "date": date})
    assert es.Events({"security": "A", "date": pd.Period(DAY, freq="D")}).frame["date"].iloc[0] == DAY


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"A": ["2019-01-02", "2019-03-04"], "B": ["2019-01-02"]}, "one column for each key"),
        ([("A", "2019-01-02")], "of pairs make a frame"),
    ],
)
def test_events_of_other_shapes(given: Any, told: str) -> None:
    with pytest.raises(EventError, match=told):
        es.Events(given)


def test_events_of_iterators() -> None:
    given = {"security": map(str, "AB"), "date": (day for day in DAYS[[250, 251]])}
    assert list(es.Events(given).frame["date"]) == list(DAYS[[250, 251]])


def test_an_offset_is_no_time_zone() -> None:
    with pytest.raises(EventError, match="got int -4"):
        es.Events({"security": "A", "date": DAY}, timezone=-4)  # type: ignore[arg-type]


def test_the_time_of_a_mail() -> None:
    given = {"security": "A", "announced_at": "Tue, 06 Aug 2019 20:30:00 GMT"}
    assert es.Events(given).frame["announced_at"].iloc[0] == pd.Timestamp("2019-08-06 20:30", tz="UTC")


@pytest.mark.parametrize("what", ["window", "estimation"])
def test_a_number_is_no_window(what: str) -> None:
    market = es.Market.from_prices(CLOSE, benchmark=INDEX)
    with pytest.raises(WindowError, match=r"Write \(-20, 20\)"):
        es.EventStudy(market, {"security": "A", "date": DAY}, **{what: 20})
    day_0 = es.EventStudy(market, {"security": "A", "date": DAY}, estimation=(-120, -11), window=0)
    assert len(day_0.fit().abnormal_returns) == 1


def test_effects_that_are_no_list_of_numbers() -> None:
    market = es.Market.from_prices(CLOSE, benchmark=INDEX)
    for effects in (0.02, "x", ["x"]):
        with pytest.raises(es.errors.RequestError, match="effects must be"):
            es.lab.power(market, 0, 1, effects=effects)  # type: ignore[arg-type]


def test_a_file_of_one_security_under_another_name() -> None:
    market = es.Market.from_prices(CLOSE[["A"]].rename(columns={"A": "bbg2"}), benchmark=INDEX)
    with pytest.raises(es.errors.NoUsableEventsError, match="named for itself") as found:
        car(market, {"security": "AAPL US Equity", "date": DAY})
    assert "looks like a firm" not in str(found.value)


def signed(value: float) -> str:
    return f"{100 * value:.4f}%"


@pytest.mark.parametrize("rows", [[250], range(30, 60), range(245, 256)], ids=["one", "some", "window"])
def test_percent_as_text_among_decimals(rows: Any) -> None:
    mixed = RETURNS.iloc[1:].astype(object)
    mixed.iloc[list(rows), 0] = [signed(value) for value in RETURNS["A"].iloc[1:].iloc[list(rows)]]
    right = of_returns(RETURNS.iloc[1:])
    assert of_returns(mixed) == pytest.approx(right, abs=1e-5)
    long = mixed.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="ret")
    market = es.Market(long, benchmark=INDEX_RETURNS)
    assert car(market) == pytest.approx(right, abs=1e-5)
    assert "decimals, some cells percent" in market.reading.to_string()


def test_numbers_among_percent_as_text() -> None:
    returns, right = RETURNS.iloc[1:], of_returns(RETURNS.iloc[1:])
    texts = returns.map(signed).astype(object)
    assert of_returns(texts) == pytest.approx(right, abs=1e-5)
    decimals, percents, zero, one = (texts.copy() for _ in range(4))
    decimals.iloc[240:260, 0] = returns["A"].iloc[240:260].tolist()
    assert of_returns(decimals) == pytest.approx(right, abs=1e-5)
    percents.iloc[::3, 0] = [text.removesuffix("%") for text in percents.iloc[::3, 0]]
    assert of_returns(percents) == pytest.approx(right, abs=1e-5)
    zero.iloc[5, 0] = 0.0
    of_returns(zero)
    one.iloc[250, 0] = -0.06
    with pytest.raises(DataError, match=r"'-0\.06', without a percent sign, in row 251"):
        of_returns(one)


def test_good_tables_raise_no_doubt() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert car(es.Market.from_prices(BOTH, benchmark="INDEX")) == pytest.approx(RIGHT)
