from __future__ import annotations

from importlib.resources import files

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from eventstudy.datasets import surveillance_names, surveillance_prices

HIKVISION, DAHUA = "002415.SZ", "002236.SZ"


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return surveillance_prices()


def test_layout_is_wide_sorted_and_of_one_date_unit(prices: pd.DataFrame) -> None:
    assert prices.shape == (650, 56)
    assert prices.index.name == "date"
    assert prices.index.dtype == np.dtype("datetime64[ns]")
    assert prices.columns.names == ["field", "security"]
    assert prices.columns.is_monotonic_increasing
    assert prices.columns.is_unique
    assert (prices.dtypes == "float64").all()


def test_sessions_are_those_of_the_exchange(prices: pd.DataFrame) -> None:
    calendar = exchange_calendars.get_calendar("XSHG", start="2017-04-05", end="2019-11-29")
    assert prices.index.equals(pd.DatetimeIndex(calendar.sessions).as_unit("ns").rename("date"))


def test_every_series_has_a_name(prices: pd.DataFrame) -> None:
    names = surveillance_names()
    assert set(names.index) == set(prices.columns.get_level_values("security"))
    assert names.is_unique
    assert names[HIKVISION] == "Hikvision"
    assert names["399001.SZ"] == "SZSE Component"


def test_prices_are_positive_and_only_shares_have_gaps(prices: pd.DataFrame) -> None:
    assert not (prices <= 0).to_numpy().any()
    missing = prices["close"].isna().sum()
    assert missing[["399001.SZ", "000300.SS"]].eq(0).all()
    halted = prices.loc["2018-04-17":"2018-06-12", ("close", "000063.SZ")]
    assert len(halted) == 39
    assert halted.isna().all()


def test_fifteen_ex_days_each_with_a_close_and_one_of_the_day_before(prices: pd.DataFrame) -> None:
    reference, close = prices["reference"], prices["close"]
    days = reference.stack().dropna()
    assert len(days) == 15
    with files("eventstudy.datasets").joinpath("surveillance_ex_dates.csv").open() as stream:
        raw = pd.read_csv(stream, parse_dates=["ex_date"])
    for row in raw.itertuples():
        before = close[row.ticker].loc[: row.ex_date].iloc[:-1].dropna()
        assert before.iloc[-1] == row.previous_close
        assert reference.at[row.ex_date, row.ticker] == row.reference_price
        assert row.reference_price < row.previous_close
        assert close.notna().at[row.ex_date, row.ticker]


def test_the_total_return_of_the_ex_day_of_may_2019(prices: pd.DataFrame) -> None:
    close = prices["close", HIKVISION]
    reference = prices.at["2019-05-24", ("reference", HIKVISION)]
    assert close["2019-05-24"] / reference - 1 == pytest.approx(0.0296, abs=5e-5)
    assert close["2019-05-24"] / close["2019-05-23"] - 1 == pytest.approx(0.0045, abs=5e-5)


@pytest.mark.parametrize(("security", "n_ex_days"), [(HIKVISION, 2), (DAHUA, 0)])
def test_bars_are_coherent_and_agree_with_the_closes(
    prices: pd.DataFrame, security: str, n_ex_days: int
) -> None:
    with files("eventstudy.datasets").joinpath("surveillance_ohlc.csv").open() as stream:
        raw = pd.read_csv(stream, parse_dates=["date"]).query("ticker == @security").set_index("date")
    bars = prices.xs(security, axis=1, level="security").loc[raw.index]
    assert len(raw) == 58
    assert (raw["close"] == bars["close"]).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["volume"] > 0).all()
    ex_days = bars["reference"].notna()
    assert ex_days.sum() == n_ex_days
    assert (bars["previous_close"] == bars["reference"])[ex_days].all()
    last = prices["close", security].ffill().shift().loc[raw.index]
    assert (bars["previous_close"] == last)[~ex_days].all()


def test_bars_are_of_hikvision_and_dahua_alone(prices: pd.DataFrame) -> None:
    for field in ("open", "high", "low", "previous_close", "volume"):
        known = prices[field].notna().sum()
        assert known.to_dict() == {s: 58 if s in (HIKVISION, DAHUA) else 0 for s in known.index}


def test_the_low_of_the_report_day_is_the_price_limit(prices: pd.DataFrame) -> None:
    bar = prices.loc["2019-05-22"].xs(HIKVISION, level="security")
    assert bar["previous_close"] == 27.60
    assert bar["low"] == 24.84
    assert bar["close"] / bar["previous_close"] - 1 == pytest.approx(-0.0554, abs=5e-5)


def test_each_call_returns_a_frame_of_its_own() -> None:
    first = surveillance_prices()
    first.loc[:, :] = 0.0
    assert surveillance_prices()["close"].min().min() > 0


def test_provenance_is_shipped_beside_the_data() -> None:
    folder = files("eventstudy.datasets")
    text = folder.joinpath("PROVENANCE.md").read_text(encoding="utf-8")
    data = [entry.name for entry in folder.iterdir() if entry.name.endswith(".csv")]
    assert len(data) == 3
    for name in data:
        assert f"`{name}`" in text
