from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from eventstudy.datasets import surveillance_names, surveillance_prices, surveillance_shares

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
    assert len(data) == 4
    for name in data:
        assert f"`{name}`" in text


def test_share_counts_lie_on_the_sessions_of_the_prices(prices: pd.DataFrame) -> None:
    shares = surveillance_shares()
    assert shares.index.equals(prices.index)
    assert set(shares) == set(prices["close"]) - {"399001.SZ", "000300.SS"}
    known = shares.loc["2018-01-02":]
    assert known.notna().all(axis=None)
    assert shares.loc[:"2017-12-29"].isna().all(axis=None)
    assert (known % 1e6 == 0).all(axis=None)
    # Bonus shares: the count grows as the reference price shrinks.
    before, after = known["002230.SZ"].loc[["2018-05-11", "2018-05-14"]]
    assert after / before == pytest.approx(1.5, abs=1e-3)


@pytest.mark.slow
def test_share_counts_give_the_market_values_of_the_panel(shared_data: Path, prices: pd.DataFrame) -> None:
    arrow = pytest.importorskip("pyarrow.parquet")
    table = arrow.read_table(shared_data / "panels" / "cn_raw_ohlc_fen_2018_2019.parquet")
    panel = table.replace_schema_metadata(None).to_pandas()
    panel.columns = [str(c).lower() for c in panel.columns]
    panel["date"] = pd.to_datetime(panel["date"].astype(str)).dt.as_unit("ns")
    wide = panel.pivot(index="date", columns="ts_code", values="total_mv").astype(float) * 1e6
    shares = surveillance_shares()
    ours = (prices["close"][list(shares)] * shares).loc["2018-01-02":]
    theirs = wide.reindex(index=ours.index, columns=ours.columns)
    both = ours.notna() & theirs.notna()
    assert both.sum().sum() > 2500
    assert ((ours / theirs - 1).abs().where(both, 0.0) < 1.1e-3).all(axis=None)
