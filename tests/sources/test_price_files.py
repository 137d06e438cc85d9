from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, MissingExtraError, RequestError
from eventstudy.sources import read_factors, read_prices


def write(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


LONG = (
    "Trddt,Stkcd,Clsprc,Dnshrtrd,Markettype\n"
    "2019-05-22,000063,28.35,1000,4\n"
    "2019-05-21,000063,29.10,1100,4\n"
    "2019-05-21,002415,27.60,900,4\n"
)


def test_long_with_codes_that_keep_their_zeros(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = read_prices(write(tmp_path, LONG))
    assert capsys.readouterr().out == ""
    assert prices.columns.names == ["field", "security"]
    assert prices["close"].columns.tolist() == ["000063", "002415"]
    assert prices.index.equals(pd.DatetimeIndex(["2019-05-21", "2019-05-22"]).as_unit("ns"))
    assert prices.index.name == "date"
    assert prices.at["2019-05-22", ("close", "000063")] == 28.35
    assert np.isnan(prices.at["2019-05-22", ("volume", "002415")])
    guess = prices.attrs["guess"]
    for words in (
        "long, 3 rows of 2 securities",
        "close <- 'Clsprc'",
        "'Trddt', read as %Y-%m-%d",
        "Markettype",
    ):
        assert words in guess
    assert len(prices.attrs["sha256"]) == 64
    read_prices(tmp_path / "file.csv", show=True)
    assert capsys.readouterr().out == guess + "\n"


def test_wide_and_one_security(tmp_path: Path) -> None:
    wide = read_prices(write(tmp_path, ",INTC,LOW,NA\n20190521,44.1,95.5,7\n20190522,43.9,,8\n"))
    assert wide["close"].columns.tolist() == ["INTC", "LOW", "NA"]
    assert np.isnan(wide.at["2019-05-22", ("close", "LOW")])
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2019-05-21,1,3,1,2,1.9,100\n"
    one = read_prices(write(tmp_path, text, "INTC.csv"))
    assert one.columns.tolist() == [
        (f, "INTC") for f in ("adj_close", "close", "high", "low", "open", "volume")
    ]
    assert read_prices(tmp_path / "INTC.csv", security="X").columns.get_level_values(1)[0] == "X"
    market = es.Market.from_prices(read_prices(write(tmp_path, LONG.replace("28.35", "28.4"))))
    assert market.securities == ["000063", "002415"]


def test_two_header_rows_as_pandas_and_yfinance_write_them(tmp_path: Path) -> None:
    original = es.datasets.surveillance_prices()
    original.to_csv(tmp_path / "p.csv")
    back = read_prices(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(back, original, check_exact=True)
    text = "Price,Close,Close,Volume,Volume\nTicker,A,B,A,B\nDate,,,,\n2019-05-21,1.5,2.5,10,20\n"
    prices = read_prices(write(tmp_path, text))
    assert prices.loc["2019-05-21"].to_dict() == {
        ("close", "A"): 1.5,
        ("close", "B"): 2.5,
        ("volume", "A"): 10,
        ("volume", "B"): 20,
    }


def test_parquet_and_excel_wide_and_long(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("openpyxl")
    original = es.datasets.surveillance_prices()
    original.to_parquet(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(read_prices(tmp_path / "p.parquet"), original, check_exact=True)
    closes = original["close"].rename_axis(columns=None).iloc[-150:]
    closes.to_parquet(tmp_path / "wide.parquet")
    closes.to_excel(tmp_path / "wide.xlsx")
    long = closes.stack().rename("close").rename_axis(["date", "ticker"]).reset_index()
    long.to_excel(tmp_path / "long.xlsx", index=False, sheet_name="prices")
    for name, options in (("wide.parquet", {}), ("wide.xlsx", {}), ("long.xlsx", {"sheet": "prices"})):
        prices = read_prices(tmp_path / name, **options)
        pd.testing.assert_frame_equal(
            prices["close"].rename_axis(columns=None), closes[sorted(closes)], check_freq=False
        )


@pytest.mark.parametrize(
    ("days", "form"),
    [
        (["21.05.2019", "22.05.2019"], "%d.%m.%Y"),
        (["21/05/2019", "22/05/2019"], "%d/%m/%Y"),
        (["05/21/2019", "05/22/2019"], "%m/%d/%Y"),
        (["5-21-2019", "5-22-2019"], "%m-%d-%Y"),
        (["20190521", "20190522"], "%Y%m%d"),
        (["2019/5/21", "2019/5/22"], "%Y/%m/%d"),
        (["21-May-2019", "22-May-2019"], "%d-%b-%Y"),
        (["21MAY2019", "22MAY2019"], "%d%b%Y"),
        (["2019-05-21 00:00:00", "2019-05-22T00:00"], "%Y-%m-%d"),
        (["2019-05-21 00:00:00-04:00", "2019-05-22 00:00:00-04:00"], "%Y-%m-%d"),
    ],
)
def test_days_as_they_are_written(tmp_path: Path, days: list[str], form: str) -> None:
    prices = read_prices(write(tmp_path, f"date,X\n{days[0]},1\n{days[1]},2\n"))
    assert [str(day.date()) for day in prices.index] == ["2019-05-21", "2019-05-22"]
    assert f"read as {form}" in prices.attrs["guess"]


def test_day_and_month_that_cannot_be_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "date,X\n03/04/2019,1\n05/04/2019,2\n")
    with pytest.raises(DataError, match=r"'03/04/2019' cannot be told apart.*%d/%m/%Y.*%m/%d/%Y"):
        read_prices(path)
    assert read_prices(path, date_format="%d/%m/%Y").index[0] == pd.Timestamp("2019-04-03")
    assert read_prices(path, date_format="%m/%d/%Y").index[0] == pd.Timestamp("2019-03-04")


def test_numbers_as_they_are_written(tmp_path: Path) -> None:
    german = read_prices(
        write(tmp_path, "Datum;X;Y\n21.05.2019;1.234,5;2\n", "g.csv"), columns={"Datum": "date"}
    )
    assert german.loc["2019-05-21"].tolist() == [1234.5, 2.0]
    assert "decimal sign: ','" in german.attrs["guess"]
    english = read_prices(write(tmp_path, 'date,X,Y\n2019-05-21,"1,234.5",-\n', "e.csv"))
    assert english.at["2019-05-21", ("close", "X")] == 1234.5
    assert english["close", "Y"].isna().all()
    tabs = read_prices(write(tmp_path, "date\tX\n2019-05-21\t1e2\n", "t.tsv"))
    assert tabs.at["2019-05-21", ("close", "X")] == 100.0


def test_what_columns_are_can_be_said(tmp_path: Path) -> None:
    path = write(tmp_path, "Tag,Firma,Kurs,Price\n2019-05-21,A,1,x\n")
    columns = {"Tag": "date", "Firma": "security", "Kurs": "close", "Price": "ignore"}
    prices = read_prices(path, columns=columns)
    assert prices.columns.tolist() == [("close", "A")]
    assert "not used: Price" in prices.attrs["guess"]


def test_encodings(tmp_path: Path) -> None:
    path = write(tmp_path, "date,海康威视\n2019-05-21,27.6\n", encoding="gb18030")
    with pytest.raises(DataError, match="gb18030"):
        read_prices(path)
    assert read_prices(path, encoding="gb18030")["close"].columns.tolist() == ["海康威视"]
    with_mark = write(tmp_path, "date,X\n2019-05-21,1\n", "m.csv", "utf-8-sig")
    assert read_prices(with_mark).shape == (1, 1)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("date,X\n", {}, "has no rows"),
        ("", {}, "has no rows"),
        ("date\n2019-05-21\n", {}, "no column beside the date"),
        ("X,Y\n1,2\n", {}, "no column is a date"),
        ("date,X\n2019-05-21,1\n2019-05-21,2\n", {}, "2019-05-21 stands 2 times"),
        ("date,ticker,close\n2019-05-21,A,1\n2019-05-21,A,2\n", {}, "A has more than one row for 2019-05-21"),
        ("date,ticker,close\n2019-05-21,,1\n", {}, "row 1 names no security"),
        ("date,ticker,note\n2019-05-21,A,b\n", {}, "needs a column 'close'"),
        ("date,X\n2019-05-21,C\n", {}, r"'C' in row 1 is not a number.*missing=\['C'\]"),
        ("date,X\n2019-05-21,1,2\n", {}, "row 2 has 3 cells, the header 2"),
        ("date,X\nyesterday,1\n", {}, "'yesterday' in row 1 is not a day"),
        ("date,X\n2019-05-21,1\n21.05.2019,1\n", {}, "not every cell is a day"),
        ("date,X\n2019-05-21 15:00,1\n", {}, "carries a time of day"),
        ("date,X\n2019-02-30,1\n", {}, "not every cell is a day"),
        ("date,X,X\n2019-05-21,1,2\n", {}, "duplicate columns"),
        ("date,close,price\n2019-05-21,1,2\n", {}, "'close' and 'price' both look like close"),
        ("date,X\n2019-05-21,1\n", {"columns": {"Y": "close"}}, "has no column 'Y'"),
        ("date,X\n2019-05-21,1\n", {"encoding": "nonsense"}, "encoding="),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_prices(write(tmp_path, text), **options)


def test_signs_for_a_missing_price(tmp_path: Path) -> None:
    path = write(tmp_path, "date,X\n2019-05-21,C\n2019-05-22,2\n")
    assert read_prices(path, missing=["C"])["close", "X"].isna().tolist() == [True, False]


def test_files_that_are_not_there_or_not_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_prices(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"ends in '\.doc'"):
        read_prices(write(tmp_path, "x", "a.doc"))
    with pytest.raises(DataError, match="not a Parquet file"):
        read_prices(write(tmp_path, "x", "a.parquet"))
    with pytest.raises(DataError, match="not a workbook"):
        read_prices(write(tmp_path, "x", "a.xlsx"))

    for module in ("pyarrow", "openpyxl"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"\[scale\]"):
        read_prices(tmp_path / "a.parquet")
    with pytest.raises(MissingExtraError, match=r"\[tables\]"):
        read_prices(tmp_path / "a.xlsx")


def test_factors_in_percent_and_decimals(tmp_path: Path) -> None:
    text = (
        "Date,Mkt-RF,SMB,RF_dly,WML,My Factor\n"
        "20190521,0.9,-0.2,0.009,-99.99,1\n"
        "20190522,-0.4,-999,0.009,0.5,2\n"
    )
    factors = read_factors(write(tmp_path, text), unit="percent")
    assert factors.columns.tolist() == ["mkt_rf", "smb", "rf", "mom", "my_factor"]
    assert factors.at["2019-05-21", "mkt_rf"] == pytest.approx(0.009)
    assert np.isnan(factors.at["2019-05-21", "mom"])
    assert np.isnan(factors.at["2019-05-22", "smb"])
    decimals = "date,mktrf,VMG,note\n2019-05-21,0.009,0.001,a\n"
    path = write(tmp_path, decimals, "d.csv")
    factors = read_factors(path, unit="decimal", columns={"note": "ignore", "VMG": "value"})
    assert factors.loc["2019-05-21"].to_dict() == {"mkt_rf": 0.009, "value": 0.001}


def test_units_that_cannot_be_or_look_wrong(tmp_path: Path) -> None:
    percent = write(tmp_path, "date,mktrf\n2019-05-21,0.9\n2019-05-22,-0.4\n")
    decimal = write(tmp_path, "date,mktrf\n2019-05-21,0.009\n2019-05-22,-0.004\n", "d.csv")
    with pytest.raises(DataError, match="unit='percent'"):
        read_factors(percent, unit="decimal")
    with pytest.warns(DataWarning, match="unit='decimal'"):
        read_factors(decimal, unit="percent")
    with pytest.raises(RequestError, match="unit must be"):
        read_factors(decimal, unit="bp")
    with pytest.raises(DataError, match="both look like mom"):
        read_factors(write(tmp_path, "date,umd,wml\n2019-05-21,0.9,0.8\n", "u.csv"), unit="percent")
    with pytest.raises(DataError, match="no column beside the date"):
        read_factors(write(tmp_path, "date\n2019-05-21\n", "n.csv"), unit="percent")


@pytest.mark.slow
def test_real_files(shared_data: Path) -> None:
    pytest.importorskip("pyarrow")
    us = read_factors(shared_data / "panels" / "us_ff5_daily_percent.parquet", unit="percent")
    assert {"mkt_rf", "smb", "hml", "rmw", "cma", "rf"} <= set(us.columns)
    assert 0.005 < us["mkt_rf"].std() < 0.02
    china = read_factors(
        shared_data / "panels" / "china_ff5_umd_daily_decimal_2010on.parquet", unit="decimal"
    )
    assert 0.005 < china.iloc[:, 0].std() < 0.03
    prices = read_prices(shared_data / "panels" / "us_sp500_daily_2016_2020.parquet")
    assert prices["adj_close"].shape[1] == 498
    closes = read_prices(shared_data / "facts" / "closes.csv")
    bundled = es.datasets.surveillance_prices()["close"]
    pd.testing.assert_frame_equal(closes["close"], bundled, check_exact=True)


def test_columns_in_chinese(tmp_path: Path) -> None:
    path = tmp_path / "行情.csv"
    text = "日期,股票代码,开盘,收盘,最高,最低,成交量\n2019-05-22,002415,24.95,26.07,26.99,24.84,100\n"
    path.write_bytes(text.encode("gb18030"))
    prices = es.sources.read_prices(path, encoding="gb18030")
    assert prices.columns.get_level_values(0).tolist() == ["close", "high", "low", "open", "volume"]
    assert prices.at["2019-05-22", ("low", "002415")] == 24.84


def test_prices_that_crsp_marks_with_a_minus(tmp_path: Path) -> None:
    path = tmp_path / "crsp.csv"
    path.write_text("PERMNO,date,PRC,VOL\n10001,20190521,-27.5,0\n10001,20190522,28,100\n")
    prices = es.sources.read_prices(path)
    assert "a minus marks CRSP's mean of bid and ask" in prices.attrs["guess"]
    returns = es.Market.from_prices(prices).returns["10001"]
    assert returns.iloc[1] == pytest.approx(28 / 27.5 - 1)


def test_old_workbooks() -> None:
    pytest.importorskip("python_calamine", reason="the extra 'tables' is not installed")
    close = read_prices(Path(__file__).with_name("files") / "workbook_97.xls")["close"]
    assert close.index.strftime("%Y-%m-%d").tolist() == ["2019-05-20", "2019-05-21", "2019-05-22"]
    assert close["A"].tolist() == [10.25, 10.5, 11.0]
    assert close["002415"].iloc[:2].tolist() == [25.1, 25.2]
    assert close["002415"].isna().tolist() == [False, False, True]


def test_old_workbooks_need_an_extra_that_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "old.xls").write_bytes(b"any")
    with pytest.raises(MissingExtraError, match=r"python-calamine: pip install 'abnormal-returns\[tables\]'"):
        read_prices(tmp_path / "old.xls")


YAHOO_PAGE = (
    "Date,Open,High,Low,Close Close price adjusted for splits.,Adj Close Adjusted close price adjusted for "
    "splits and dividend and/or capital gain distributions.,Volume\n"
    '"May 22, 2019",43.9,44.5,43.6,43.8,39.2,"21,000"\n"May 21, 2019",44.1,44.6,43.9,44.4,39.8,"19,500"\n'
)


def test_the_table_of_yahoos_page(tmp_path: Path) -> None:
    prices = read_prices(write(tmp_path, YAHOO_PAGE, "INTC.csv"))
    assert prices.columns.tolist() == [
        (f, "INTC") for f in ("adj_close", "close", "high", "low", "open", "volume")
    ]
    assert prices["adj_close"]["INTC"].tolist() == [39.8, 39.2]


@pytest.mark.parametrize("name", ["INTC Historical Data.csv", "INTC Historical Data (2).csv", "INTC (1).csv"])
def test_a_file_of_investing_com_is_named_for_its_ticker(tmp_path: Path, name: str) -> None:
    text = "Date,Price,Open,High,Low,Vol.,Change %\n05/22/2019,43.80,43.90,44.50,43.60,21.00M,-1.35%\n"
    text += "05/21/2019,44.40,44.10,44.60,43.90,19.50M,0.50%\n"
    assert read_prices(write(tmp_path, text, name))["close"].columns.tolist() == ["INTC"]


def workbook(path: Path, cells: dict[str, object]) -> Path:
    book = Workbook()
    for cell, value in {"A1": "date", "B1": "A", "A2": "2020-01-02", "B2": 1.5, "A3": "2020-01-03"}.items():
        book.active[cell] = value
    for cell, value in {"B3": 2, **cells}.items():
        book.active[cell] = value
    book.save(path)
    return path


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("cell", ["A1048576", "C1048576"])
def test_a_note_far_below_a_table_is_left_out(cell, tmp_path):
    prices = read_prices(workbook(tmp_path / "a.xlsx", {cell: "checked"}))
    assert prices["close", "A"].to_list() == [1.5, 2.0]
    assert list(prices.columns) == [("close", "A")]


def test_a_note_beside_a_table_is_left_out_with_a_warning(tmp_path):
    with pytest.warns(DataWarning, match="holds texts, such as 'checked'"):
        prices = read_prices(workbook(tmp_path / "a.xlsx", {"XFD2": "checked"}))
    assert list(prices.columns) == [("close", "A")]


def test_a_sheet_that_spans_billions_of_cells_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"column XFD of row 1,048,576.* up to 100,000,000 are read. Delete"):
        read_prices(workbook(tmp_path / "a.xlsx", {"XFD1048576": 1}))


@pytest.mark.slow
def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    path = workbook(tmp_path / "bomb.xlsx", {})
    with (
        ZipFile(path, "a", ZIP_DEFLATED) as packed,
        packed.open("xl/media.bin", "w", force_zip64=True) as entry,
    ):
        for _ in range(2001):
            entry.write(bytes(1_000_000))
    assert path.stat().st_size < 3_000_000
    with pytest.raises(DataError, match=r"bomb.xlsx holds 2,00[12] MB unpacked; up to 2,000 MB are read"):
        read_prices(path)


def test_sheets_by_name_and_number(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {})
    assert read_prices(path, sheet="Sheet").equals(read_prices(path, sheet=0))
    for sheet in ("Prices", 1):
        with pytest.raises(DataError, match=f"no sheet {sheet!r}; it has 'Sheet'"):
            read_prices(path, sheet=sheet)


def test_columns_without_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("date,,A,,\n2020-01-02,,1.5,x,\n2020-01-03,,2.5,,y\n")
    with pytest.warns(DataWarning, match="holds texts"):
        prices = read_prices(path)
    assert list(prices.columns) == [("close", "A")]
