"""Tables of polars and pyarrow give what the same pandas frames give."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, EventError, MissingExtraError
from eventstudy.interop import to_pandas

Make = Callable[[pd.DataFrame], Any]
DAYS = pd.bdate_range("2019-01-01", periods=60, name="date").as_unit("ns")


def days_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The index as a first column."""
    return frame.reset_index()


def polars(frame: pd.DataFrame) -> pl.DataFrame:
    # Null where there is nothing, as in files that polars reads.
    whole = frame.astype(object).where(frame.notna(), None)
    return pl.DataFrame({str(c): whole[c].to_list() for c in whole.columns})


def polars_days(frame: pd.DataFrame) -> pl.DataFrame:
    """With days of type Date instead of Datetime."""
    return polars(frame).with_columns(pl.col(pl.Datetime).cast(pl.Date))


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def arrow_days(frame: pd.DataFrame) -> pa.Table:
    table = arrow(frame)
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.date32()))
    return table


def arrow_batch(frame: pd.DataFrame) -> pa.RecordBatch:
    return arrow(frame).combine_chunks().to_batches()[0]


MAKERS = [polars, polars_days, arrow, arrow_days, arrow_batch]
makers = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@pytest.fixture
def prices() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    prices = pd.DataFrame(
        50 * np.cumprod(1 + 0.02 * rng.standard_normal((60, 4)), axis=0), DAYS, ["A", "B", "INDEX", "OTHER"]
    )
    prices.loc[DAYS[20:23], "A"] = np.nan
    return prices


def same(one: es.Market, two: es.Market) -> None:
    pd.testing.assert_frame_equal(one.returns, two.returns, check_exact=True, check_freq=False)
    np.testing.assert_array_equal(one.arrays.spans, two.arrays.spans)
    np.testing.assert_array_equal(one.arrays.benchmark, two.arrays.benchmark)
    np.testing.assert_array_equal(one.bank.single, two.bank.single)
    assert one.benchmarks == two.benchmarks
    if one.factors is None:
        assert two.factors is None
    else:
        pd.testing.assert_frame_equal(one.factors, two.factors, check_exact=True, check_freq=False)


@pytest.mark.quick(every=2)
@makers
def test_wide_prices_and_a_benchmark_table(prices: pd.DataFrame, make: Make) -> None:
    wide, index = prices[["A", "B"]], prices["INDEX"]
    market = es.Market.from_prices(wide, benchmark=index)
    other = es.Market.from_prices(make(days_of(wide)), benchmark=make(days_of(index.to_frame())))
    same(market, other)
    same(market.with_benchmark({"A": index}), other.with_benchmark({"A": make(days_of(index.to_frame()))}))


@makers
def test_long_prices(prices: pd.DataFrame, make: Make) -> None:
    long = prices.melt(ignore_index=False, var_name="ticker", value_name="close").reset_index()
    long["volume"] = 1000
    market = es.Market.from_prices(long, benchmark="INDEX")
    same(market, es.Market.from_prices(make(long), benchmark="INDEX"))
    # The only column of dates is the date, whatever its name.
    same(market, es.Market.from_prices(make(long.rename(columns={"date": "dlytraded"})), benchmark="INDEX"))


@pytest.mark.quick(every=2)
@makers
def test_returns_with_factors(prices: pd.DataFrame, make: Make) -> None:
    returns = prices.pct_change(fill_method=None)
    factors = returns[["INDEX", "OTHER"]].rename(columns={"INDEX": "mkt_rf", "OTHER": "smb"})
    ab = returns[["A", "B"]]
    market = es.Market(ab, factors=factors)
    same(market, es.Market(make(days_of(ab)), factors=make(days_of(factors))))
    sets = es.Market(ab, factors={"CN": factors, "US": 2 * factors})
    same(sets, es.Market(ab, factors={"CN": make(days_of(factors)), "US": 2 * factors}))


@makers
def test_volumes_and_shares(prices: pd.DataFrame, make: Make) -> None:
    volume = (1e4 * prices[["A", "B"]]).round()
    shares = volume * 0 + 1e7
    wanted = es.volume_market(volume, shares)
    same(wanted, es.volume_market(make(days_of(volume)), make(days_of(shares))))


@makers
def test_events(make: Make) -> None:
    frame = pd.DataFrame(
        {
            "security": ["A", "B"],
            "date": pd.to_datetime(["2019-02-01", "2019-02-04"]),
            "label": ["first", None],
            "size": [1.5, np.nan],
        }
    )
    ours, theirs = es.Events(frame).frame, es.Events(make(frame)).frame
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_announcement_times_keep_their_zone() -> None:
    zone = "America/New_York"
    told = pd.to_datetime(["2019-05-21 19:00", "2019-05-22 09:00"])
    naive = pd.DataFrame({"security": ["A", "B"], "announced_at": told})
    frame = naive.assign(announced_at=told.tz_localize(zone))
    wanted = es.Events(frame).frame
    assert wanted["announced_at"].iloc[0] == pd.Timestamp("2019-05-21 23:00", tz="UTC")
    for table in (
        polars(naive).with_columns(pl.col("announced_at").dt.replace_time_zone(zone)),
        arrow(frame),
    ):
        found = es.Events(table).frame
        assert found["announced_at"].tolist() == wanted["announced_at"].tolist()
        assert [str(local) for local in found["announced_local"]] == [
            "2019-05-21 19:00:00-04:00",
            "2019-05-22 09:00:00-04:00",
        ]


@pytest.mark.quick(every=2)
@makers
def test_a_whole_study(prices: pd.DataFrame, make: Make) -> None:
    events = pd.DataFrame({"security": ["A", "B"], "date": DAYS[[50, 52]]})

    def summary(as_table: Make) -> pd.DataFrame:
        market = es.Market.from_prices(as_table(days_of(prices)), benchmark="INDEX")
        study = es.EventStudy(market, as_table(events), estimation=(-45, -3), window=(-1, 1))
        return study.fit().car(0, 1)

    pd.testing.assert_frame_equal(summary(make), summary(lambda frame: frame), check_exact=True)


def test_an_arrow_table_of_a_frame_has_its_index_again(prices: pd.DataFrame) -> None:
    columns = pd.MultiIndex.from_product([["close"], prices.columns])
    table = pa.Table.from_pandas(prices.set_axis(columns, axis=1))
    same(es.Market.from_prices(prices), es.Market.from_prices(table))
    same(es.Market.from_prices(prices), es.Market.from_prices(pa.Table.from_pandas(prices)))


@pytest.mark.parametrize("name", ["date", "Date", "timestamp", "caldt"])
def test_the_date_column_is_found_by_name_or_kind(prices: pd.DataFrame, name: str) -> None:
    given = polars(days_of(prices).rename(columns={"date": name})).select("A", name, "B")
    same(es.Market.from_prices(prices[["A", "B"]]), es.Market.from_prices(given))


def test_a_named_date_goes_before_another_column_of_dates(prices: pd.DataFrame) -> None:
    long = prices.melt(ignore_index=False, var_name="ticker", value_name="close").reset_index()
    given = polars(long.assign(filed=long["date"] + pd.Timedelta(days=9))).select(
        "filed", "date", "ticker", "close"
    )
    same(es.Market.from_prices(long), es.Market.from_prices(given))


def test_of_several_columns_of_dates_the_one_taken_is_told(prices: pd.DataFrame) -> None:
    long = prices.melt(ignore_index=False, var_name="ticker", value_name="close").reset_index(names="traded")
    given = polars(long.assign(filed=long["traded"] + pd.Timedelta(days=9)))
    with pytest.warns(DataWarning, match=r"\['traded', 'filed'\], 'traded' is taken for the date"):
        market = es.Market.from_prices(given)
    same(es.Market.from_prices(long.rename(columns={"traded": "date"})), market)


@makers
def test_a_table_without_dates_is_an_error(prices: pd.DataFrame, make: Make) -> None:
    bare = make(prices.reset_index(drop=True))
    told = r"no column is a date; the columns are \['A', 'B', 'INDEX', 'OTHER'\]"
    with pytest.raises(DataError, match=rf"Prices: {told}"):
        es.Market.from_prices(bare)
    with pytest.raises(DataError, match=rf"Factors: {told}"):
        es.Market(prices.pct_change(fill_method=None), factors=bare)
    with pytest.raises(DataError, match=rf"Benchmark: {told}"):
        es.Market.from_prices(prices, benchmark=bare)


def test_a_benchmark_table_holds_one_series(prices: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"Benchmark of A: .*beside the date this one has \['A', 'B'\]"):
        es.Market.from_prices(prices, benchmark={"A": polars(days_of(prices[["A", "B"]]))})


def test_what_is_no_table_is_an_error(prices: pd.DataFrame) -> None:
    table = polars(days_of(prices))
    with pytest.raises(DataError, match=r"Prices: a LazyFrame of polars is not a table\. .*lazy\.collect"):
        es.Market.from_prices(table.lazy())
    with pytest.raises(DataError, match="Benchmark: a Series of polars is not a table"):
        es.Market.from_prices(prices, benchmark=table["INDEX"])
    with pytest.raises(EventError, match="Events: a ChunkedArray of pyarrow is not a table"):
        es.Events(arrow(days_of(prices))["A"])


def test_events_name_their_columns() -> None:
    table = pl.DataFrame({"about": ["A"], "date": ["2019-02-01"]})
    with pytest.raises(EventError, match=r"need a column 'security'; the columns are \['about', 'date'\]"):
        es.Events(table)
    assert es.Events(table.rename({"about": "ticker"})).securities == ["A"]


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pyarrow: pip install 'abnormal-returns\[scale\]'"):
        es.Market.from_prices(pl.DataFrame({"date": ["2019-02-01"], "A": [1.0]}))


@pytest.mark.slow
def test_neither_package_is_imported() -> None:
    code = (
        "import sys, eventstudy as es\n"
        "es.Market.from_prices(es.datasets.surveillance_prices(), benchmark='399001.SZ')\n"
        "es.Events({'security': 'A', 'date': '2019-02-01'})\n"
        "assert 'polars' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_else_is_left_as_it_is() -> None:
    for given in (pd.DataFrame({"A": [1.0]}), pd.Series([1.0]), "A", {"A": "B"}, None):
        assert to_pandas(given, "Prices") is given
