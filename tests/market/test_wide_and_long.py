"""Frames as people have them become one market."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import CalendarWarning, DataError, DataWarning, RequestError

DAYS = pd.DatetimeIndex(["2019-05-20", "2019-05-21", "2019-05-22", "2019-05-23", "2019-05-24"]).as_unit("ns")


@pytest.fixture
def close() -> pd.DataFrame:
    values = [
        [10.0, 50.0, 1000.0],
        [11.0, np.nan, 1010.0],
        [9.0, 52.0, 990.0],
        [9.5, 51.0, 1000.0],
        [9.0, 50.0, 980.0],
    ]
    return pd.DataFrame(values, DAYS, ["000001.SZ", "000002.SZ", "INDEX"])


@pytest.fixture
def high(close) -> pd.DataFrame:
    return close + 1


def long(close: pd.DataFrame, high: pd.DataFrame, date: str, security: str, price: str) -> pd.DataFrame:
    def rows(frame: pd.DataFrame, name: str) -> pd.DataFrame:
        return frame.rename_axis(date).reset_index().melt(id_vars=date, var_name=security, value_name=name)

    return rows(close, price).assign(High=rows(high, "High")["High"])


def shapes(close: pd.DataFrame, high: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The same prices in every shape that is understood, each with its highs where it can hold them."""
    levels = pd.concat(
        {"Close": close, "High": high, "Dividends": high * 0}, axis=1, names=["Price", "Ticker"]
    )
    rows = long(close, high, "date", "security", "close")
    return {
        "field first, as yfinance gives it": levels,
        "ticker first, as yfinance groups it": levels.swaplevel(axis=1).sort_index(axis=1),
        "one row per security and day": rows,
        "rows in any order": rows.sample(frac=1, random_state=1),
        "other headings": long(close, high, "Date", "Ticker", "Last Price").rename(
            columns={"Last Price": "Price"}
        ),
        "date as index": rows.set_index("date"),
        "both as index": rows.set_index(["date", "security"]),
        "dates as text": rows.assign(date=rows["date"].dt.strftime("%Y-%m-%d")),
        "aware dates": rows.assign(date=rows["date"].dt.tz_localize("Asia/Shanghai")),
    }


@pytest.mark.parametrize("shape", shapes(pd.DataFrame([[1.0]], DAYS[:1]), pd.DataFrame([[1.0]], DAYS[:1])))
def test_every_shape_gives_the_same_market(shape, close, high):
    plain = es.Market.from_prices(close, benchmark="INDEX")
    market = es.Market.from_prices(shapes(close, high)[shape], benchmark="INDEX")
    pd.testing.assert_frame_equal(market.prices("close"), plain.prices("close"), check_names=False)
    pd.testing.assert_frame_equal(market.prices("high"), high, check_names=False, check_freq=False)
    pd.testing.assert_frame_equal(market.returns, plain.returns, check_names=False)
    pd.testing.assert_frame_equal(market.spans, plain.spans, check_names=False)
    assert repr(market) == repr(plain)
    assert market.securities == ["000001.SZ", "000002.SZ"]


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename_axis("Date").reset_index(),
        lambda f: f.set_axis(f.index.strftime("%Y-%m-%d")),
        lambda f: f.set_axis(f.index.date),
        lambda f: f.set_axis(f.index.tz_localize("Asia/Shanghai")),
        lambda f: f.set_axis(f.index.as_unit("s")),
        lambda f: f.astype("float32").astype(object).infer_objects(),
        lambda f: f.convert_dtypes(),
    ],
    ids=["date column", "text", "dates", "aware", "seconds", "float32", "nullable"],
)
def test_every_index_and_number_of_a_wide_frame(change, close):
    plain = es.Market.from_prices(close)
    market = es.Market.from_prices(change(close))
    assert market.sessions.equals(plain.sessions)
    assert market.sessions.tz is None
    assert market.sessions.dtype == "datetime64[ns]"
    np.testing.assert_allclose(market.returns, plain.returns, rtol=1e-6)
    assert market.returns.dtypes.eq("float64").all()


def test_utc_days_are_read_in_the_time_zone_of_the_exchange(close):
    """Midnight in Shanghai is 16:00 UTC the day before, which makes Sundays of Mondays."""
    shifted = close.set_axis(close.index.tz_localize("Asia/Shanghai").tz_convert("UTC"))
    market = es.Market.from_prices(shifted, calendar="XSHG")
    assert market.sessions.equals(DAYS)
    by_evidence = es.Market.from_prices(shifted)
    assert by_evidence.sessions.equals(DAYS)
    assert "days of Asia/Shanghai" in by_evidence.reading["evidence"].iloc[0]
    nowhere = shifted.set_axis(shifted.index + pd.Timedelta(minutes=20))
    with pytest.raises(DataError, match=r"carries a time of day.*convert it to the exchange's time zone"):
        es.Market.from_prices(nowhere)


def test_columns_named_by_numbers_become_text(close):
    market = es.Market.from_prices(close.set_axis([10107, 14593, 1], axis=1), benchmark="1")
    assert market.securities == ["10107", "14593"]


def test_a_series_is_one_security(close):
    market = es.Market.from_prices(close["000001.SZ"])
    assert market.securities == ["000001.SZ"]
    assert es.Market(close["000001.SZ"].pct_change(fill_method=None)).securities == ["000001.SZ"]


def test_unsorted_dates_are_sorted_with_a_warning(close):
    plain = es.Market.from_prices(close)
    with pytest.warns(DataWarning, match="2019-05-21 comes after 2019-05-22"):
        market = es.Market.from_prices(close.iloc[[0, 2, 1, 3, 4]])
    pd.testing.assert_frame_equal(market.returns, plain.returns)


def test_adjusted_closes_are_preferred_for_returns_and_raw_ones_kept(close):
    adjusted = close * np.linspace(0.9, 1.0, 5)[:, None]
    market = es.Market.from_prices(pd.concat({"Close": close, "Adj Close": adjusted}, axis=1))
    pd.testing.assert_frame_equal(market.returns, es.Market.from_prices(adjusted).returns)
    pd.testing.assert_frame_equal(market.prices("close"), close, check_freq=False, check_names=False)
    assert market.price_fields == ["close", "adj_close"]


def test_volume_may_be_zero_and_an_unmoved_price_is_then_no_trade(close):
    """Vendors show a suspension as zero volume beside the last close."""
    stale = close.assign(**{"000001.SZ": [10.0, 10.0, 10.0, 9.5, 9.0]})
    volume = pd.DataFrame(100.0, DAYS, close.columns).assign(**{"000001.SZ": [5.0, 0.0, 0.0, 5.0, 0.0]})
    market = es.Market.from_prices(pd.concat({"close": stale, "volume": volume}, axis=1))
    returns = market.returns["000001.SZ"]
    assert returns.isna().tolist() == [True, True, True, False, False]
    assert returns.iloc[3] == pytest.approx(-0.05)
    # The last close moved though no volume is told: that is no halt.
    assert market.spans["000001.SZ"].tolist() == [0, 0, 0, 3, 1]


def test_an_ex_day_in_a_halt_shown_by_stale_closes(close):
    stale = close.assign(**{"000001.SZ": [10.0, 10.0, 10.0, 9.5, 9.0]})
    volume = pd.DataFrame(100.0, DAYS, close.columns).assign(**{"000001.SZ": [5.0, 0.0, 0.0, 5.0, 5.0]})
    reference = close * np.nan
    reference.loc["2019-05-22", "000001.SZ"] = 9.0
    market = es.Market.from_prices(
        pd.concat({"close": stale, "volume": volume, "reference": reference}, axis=1)
    )
    assert market.returns.at["2019-05-23", "000001.SZ"] == pytest.approx(9.5 / 9.0 - 1)


def with_row(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[-1]].set_axis(pd.DatetimeIndex([day]))])


def test_dates_that_are_no_sessions_are_left_out_with_a_warning(close):
    with pytest.warns(CalendarWarning, match=r"1 date of the data is not a session of XSHG.*2019-05-25"):
        market = es.Market.from_prices(with_row(close, "2019-05-25"), calendar="XSHG")
    assert market.sessions.equals(DAYS)
    kept = es.Market.from_prices(with_row(close, "2019-05-25"), calendar="XSHG", sessions="data")
    assert len(kept.sessions) == 6


def test_sessions_the_data_lacks_are_laid_in_with_a_warning(close):
    with pytest.warns(CalendarWarning, match=r"lacks 2 sessions of XSHG: 2019-05-21, 2019-05-22"):
        market = es.Market.from_prices(close.drop(DAYS[1:3]), calendar="XSHG")
    assert market.sessions.equals(DAYS)
    assert market.spans["000001.SZ"].tolist() == [0, 0, 0, 3, 1]
    assert market.returns.at["2019-05-23", "000001.SZ"] == pytest.approx(9.5 / 10 - 1)
    plain = es.Market.from_prices(close.drop(DAYS[1:3]), calendar="XSHG", sessions="data")
    assert len(plain.sessions) == 3
    assert plain.spans["000001.SZ"].tolist() == [0, 1, 1]


def test_a_market_without_calendar_takes_the_dates_it_is_given(close):
    market = es.Market.from_prices(with_row(close, "2019-05-25"), sessions="data")
    assert len(market.sessions) == 6
    assert market.exchange is None
    assert "XSHG" not in repr(market)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda c: [1, 2], "must be a DataFrame, got list"),
        (lambda c: "my prices.csv", r"got str\. Read the file with sources\.read_prices\('my prices\.csv'\)"),
        (lambda c: pd.DataFrame(), "the frame is empty"),
        (lambda c: c.iloc[:0], "the frame is empty"),
        (lambda c: c[[]], "the frame is empty"),
        (lambda c: pd.DataFrame({"date": [], "security": [], "close": []}), "the frame is empty"),
        (lambda c: c.reset_index(drop=True), r"index holds numbers \(0, ...\), not dates.*set_index"),
        (
            lambda c: c.set_axis(["2019-05-20", *"bcde"]),
            r"not every cell is a day in the format '%Y-%m-%d' \('b' in row 2\)",
        ),
        (lambda c: c.set_axis(c.index + pd.Timedelta(hours=9)), "2019-05-20 09:00:00 carries a time of day"),
        (lambda c: c.set_axis(["A", "A", "B"], axis=1), r"duplicate columns: \['A'\]"),
        (lambda c: c.assign(note="halted"), "column 'note' holds 'halted', not numbers.*to_numeric"),
        (lambda c: c.assign(up=True), "column 'up' holds"),
        (lambda c: pd.concat({"Open": c, "High": c}, axis=1), "neither holds a field called 'close'"),
        (lambda c: pd.concat({"x": pd.concat({"Close": c}, axis=1)}, axis=1), "3 column levels"),
        (
            lambda c: pd.DataFrame({"Open": c["INDEX"], "Close": c["INDEX"], "Volume": 1}),
            "are the fields of one security, which has no name.*pd.concat",
        ),
        (lambda c: long(c, c, "date", "security", "value"), "needs a column 'close'"),
        (
            lambda c: long(c, c, "when", "security", "close").assign(when="noon"),
            "needs a date column and a security column",
        ),
        (
            lambda c: long(c, c, "date", "security", "close").replace({"security": {"INDEX": None}}),
            "names no security",
        ),
        (
            lambda c: pd.concat([long(c, c, "date", "security", "close")] * 2),
            r"000001.SZ has more than one row for 2019-05-20.*drop_duplicates\(\['date', 'security'\]\)",
        ),
    ],
)
def test_frames_that_cannot_be_read(make, message, close):
    with pytest.raises(DataError, match=message):
        es.Market.from_prices(make(close))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "percent"}, "kind must be one of 'simple', 'log'; got 'percent'"),
        ({"bad_prices": "drop"}, "bad_prices must be one of 'raise', 'missing'"),
        ({"sessions": "union"}, "sessions must be one of 'calendar', 'data'"),
    ],
)
def test_options_that_do_not_exist(options, message, close):
    with pytest.raises(RequestError, match=message):
        es.Market.from_prices(close, **options)
    with pytest.raises(RequestError, match="gaps must be one of 'lumped', 'single'"):
        es.Market(close.pct_change(fill_method=None), gaps="none")
