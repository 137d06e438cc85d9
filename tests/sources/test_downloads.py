"""Files as they are downloaded are read as they are, or refused with the argument that cures it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError
from eventstudy.sources import read_factors, read_prices

DAYS = pd.bdate_range("2019-04-01", periods=40).as_unit("ns")
_moves = np.random.default_rng(0).normal(0, 0.01, 40)
CLOSE = (100 * np.cumprod(1 + _moves)).round(2)


def german(number: float, digits: int = 2) -> str:
    return f"{number:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def text(header: str, row: object, newest_first: bool = False, above: str = "", below: str = "") -> str:
    rows = [row(day, price) for day, price in zip(DAYS, CLOSE, strict=True)]
    return above + header + "\n" + "\n".join(rows[::-1] if newest_first else rows) + "\n" + below


TEXTS = {
    "Investing.com": text(
        '"Date","Price","Open","High","Low","Vol.","Change %"',
        lambda d, p: f'"{d:%b %d, %Y}","{p:.2f}","{p:.2f}","{p + 1:.2f}","{p - 1:.2f}","1.73M","0.10%"',
        newest_first=True,
    ),
    "Investing.com, slashes": text(
        '"Date","Price","Open","High","Low","Vol.","Change %"',
        lambda d, p: f'"{d:%m/%d/%Y}","{p:.2f}","{p:.2f}","{p + 1:.2f}","{p - 1:.2f}","","0.10%"',
        newest_first=True,
    ),
    "Investing.com, German": text(
        '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
        lambda d, p: (
            f'"{d:%d.%m.%Y}","{german(p)}","{german(p)}","{german(p + 1)}","{german(p - 1)}","1,5M","0,10%"'
        ),
    ),
    "Google Finance": text("Date,Close", lambda d, p: f"{d.month}/{d.day}/{d.year} 16:00:00,{p}"),
    "Nasdaq.com": text(
        "Date,Close/Last,Volume,Open,High,Low",
        lambda d, p: f"{d:%m/%d/%Y},${p:.2f},1234567,${p:.2f},${p + 1:.2f},${p - 1:.2f}",
        newest_first=True,
    ),
    "WSJ": text(
        "Date, Open, High, Low, Close", lambda d, p: f"{d:%m/%d/%y}, {p}, {p + 1}, {p - 1}, {p}", True
    ),
    "Stooq": text(
        "Date,Open,High,Low,Close,Volume", lambda d, p: f"{d:%Y-%m-%d},{p},{p + 1},{p - 1},{p},1000"
    ),
    "Stooq, Polish": text(
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
        lambda d, p: f"{d:%Y-%m-%d},{p},{p + 1},{p - 1},{p},1000",
    ),
    "Stooq, bulk": text(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        lambda d, p: f"AAPL.US,D,{d:%Y%m%d},000000,{p},{p + 1},{p - 1},{p},1000,0",
    ),
    "Yahoo": text(
        "Date,Open,High,Low,Close,Adj Close,Volume",
        lambda d, p: f"{d:%Y-%m-%d},{p},{p + 1},{p - 1},{p},{p},1000",
    ),
    "Yahoo's page": text(
        "Date\tOpen\tHigh\tLow\tClose*\tAdj Close**\tVolume",
        lambda d, p: (
            f"{d:%b %d, %Y}\t{p}\t{p + 1}\t{p - 1}\t{p}\t{p}\t1,000,000"
            + f"\n{d:%b %d, %Y}\t0.20 Dividend" * (d == DAYS[20])
        ),
        newest_first=True,
    ),
    "quantmod": text(
        '"Index","AAPL.Open","AAPL.High","AAPL.Low","AAPL.Close","AAPL.Volume","AAPL.Adjusted"',
        lambda d, p: f"{d:%Y-%m-%d},{p},{p + 1},{p - 1},{p},1000,{p}",
    ),
    "German": text(
        "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
        lambda d, p: (
            f"{d:%d.%m.%Y};{german(p)};{german(p + 1)};{german(p - 1)};{german(p)};{german(123456, 0)}"
        ),
    ),
    "sep=;": text("Date;Close", lambda d, p: f"{d:%Y-%m-%d};{german(p)}", above="sep=;\n"),
    "comment above": text("Date,Close", lambda d, p: f"{d:%Y-%m-%d},{p}", above="# from somewhere\n"),
    "notes below": text("日期,收盘价", lambda d, p: f"{d:%Y-%m-%d},{p}", below="数据来源 Wind,\n"),
    "blank rows below": text("Date,Close", lambda d, p: f"{d:%Y-%m-%d},{p}", below=",\n,\n"),
    "last row twice": text(
        "Date,Close", lambda d, p: f"{d:%Y-%m-%d},{p}", below=f"{DAYS[-1]:%Y-%m-%d},{CLOSE[-1]}\n"
    ),
    "Excel's days": text("Date,Close", lambda d, p: f"{(d - pd.Timestamp('1899-12-30')).days},{p}"),
    "currency signs": text("date,A,B", lambda d, p: f"{d:%Y-%m-%d},€{p},{p} USD"),
    "Datastream": text(
        "Name,ACME CORP - TOT RETURN IND,INDEX CO - TOT RETURN "
        "IND\nCode,905270(RI),S&PCOMP(RI)\nCURRENCY,U$,U$",
        lambda d, p: f"{d:%d/%m/%Y},{p},{2 * p}",
    ),
}


@pytest.mark.parametrize("vendor", TEXTS)
def test_a_text_file_as_it_was_downloaded(tmp_path: Path, vendor: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(TEXTS[vendor], encoding="utf-8")
    prices = read_prices(path)
    first = prices[next(c for c in prices if c[0] in ("close", "adj_close"))]
    assert prices.index.equals(DAYS)
    np.testing.assert_allclose(first, CLOSE, rtol=0, atol=1e-9)
    assert len(prices.attrs["reading"]) >= 2
    assert es.Market.from_prices(prices).returns.notna().to_numpy().sum() >= 39


SHEETS = {
    "Datastream": [["Name", "ACME", "INDEX"], ["Code", "905270(P)", "S&PCOMP(P)"], ["CURRENCY", "U$", "U$"]],
    "Bloomberg": [
        ["Start Date", "2019-04-01", ""],
        ["End Date", "2019-06-01", ""],
        ["", "AAPL US Equity", "MSFT US Equity"],
        ["Dates", "PX_LAST", "PX_LAST"],
    ],
}


@pytest.mark.parametrize("vendor", SHEETS)
def test_a_workbook_as_it_was_downloaded(tmp_path: Path, vendor: str) -> None:
    pytest.importorskip("openpyxl")
    rows = SHEETS[vendor] + [[day, price, 2 * price] for day, price in zip(DAYS, CLOSE, strict=True)]
    pd.DataFrame(rows).to_excel(tmp_path / "sheet.xlsx", header=False, index=False)
    prices = read_prices(tmp_path / "sheet.xlsx")
    assert prices.index.equals(DAYS)
    np.testing.assert_allclose(prices.iloc[:, 0], CLOSE)
    np.testing.assert_allclose(prices.iloc[:, 1], 2 * CLOSE)
    assert prices.columns.get_level_values("field").unique().tolist() == ["close"]


def test_days_of_each_security_and_codes_above_words(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    rows = [["AAPL US Equity", "", "MSFT US Equity", ""], ["Date", "PX_LAST", "Date", "PX_LAST"]]
    rows += [[day, price, day, 2 * price] for day, price in zip(DAYS, CLOSE, strict=True)]
    pd.DataFrame(rows).to_excel(tmp_path / "bdh.xlsx", header=False, index=False)
    prices = read_prices(tmp_path / "bdh.xlsx")
    assert prices["close"].columns.tolist() == ["AAPL US Equity", "MSFT US Equity"]
    np.testing.assert_allclose(prices["close", "MSFT US Equity"], 2 * CLOSE)
    rows = [
        ["Stkcd", "Trddt", "Clsprc"],
        ["证券代码", "交易日期", "日收盘价"],
        ["没有单位", "没有单位", "元/股"],
    ]
    rows += [["000063", f"{day:%Y-%m-%d}", price] for day, price in zip(DAYS, CLOSE, strict=True)]
    pd.DataFrame(rows).to_excel(tmp_path / "csmar.xlsx", header=False, index=False)
    np.testing.assert_allclose(read_prices(tmp_path / "csmar.xlsx")["close", "000063"], CLOSE)


def test_firm_and_index_from_two_places_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(TEXTS["Investing.com"])
    (tmp_path / "SPX.csv").write_text(TEXTS["Nasdaq.com"])
    prices = read_prices([tmp_path / "ACME.csv", tmp_path / "SPX.csv"])
    assert sorted(prices["close"].columns) == ["ACME", "SPX"]
    assert es.Market.from_prices(prices, benchmark="SPX").securities == ["ACME"]
    pd.testing.assert_frame_equal(read_prices(tmp_path), prices)
    named = read_prices({"X": tmp_path / "ACME.csv", "Y": tmp_path / "SPX.csv"})
    assert sorted(named["close"].columns) == ["X", "Y"]
    both = es.Market.from_prices(
        read_prices(tmp_path / "ACME.csv"), benchmark=read_prices(tmp_path / "SPX.csv")
    )
    np.testing.assert_allclose(both.returns["ACME"].iloc[1:], CLOSE[1:] / CLOSE[:-1] - 1)


def test_one_file_a_ticker_and_month(tmp_path: Path) -> None:
    header, *rows = TEXTS["Stooq"].strip().split("\n")
    (tmp_path / "AAA_2019-04.csv").write_text("\n".join([header, *rows[:25]]))
    (tmp_path / "AAA_2019-05.csv").write_text("\n".join([header, *rows[20:]]))
    prices = read_prices(tmp_path)
    np.testing.assert_allclose(prices["close", "AAA"], CLOSE)
    (tmp_path / "AAA_2019-05.csv").write_text("\n".join([header, rows[24].replace(str(CLOSE[24]), "1.5")]))
    with pytest.raises(DataError, match=r"AAA_2019-04.csv and AAA_2019-05.csv differ on 2019-05-03"):
        read_prices(tmp_path)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "Date;Close\n2019-05-20;987\n2019-05-21;1.012\n2019-05-22;998\n",
            r"may stand for decimals.*decimal=",
        ),
        (
            'Date\tClose\n2019-05-20\t98.7\n2019-05-21\t"1.234,5"\n',
            r"point in '98.7' and a comma in '1.234,5'.*decimal=",
        ),
        ("Date,Close\n,2\n2019-05-22,3\n", "row 0 has no date"),
    ],
)
def test_what_is_refused_with_the_cure(tmp_path: Path, body: str, told: str) -> None:
    (tmp_path / "x.csv").write_text(body)
    with pytest.raises(DataError, match=told):
        read_prices(tmp_path / "x.csv")
    if "987" in body:
        assert read_prices(tmp_path / "x.csv", decimal=",")["close", "x"].iloc[1] == 1012.0


def test_a_decimal_sign_is_that_of_its_column(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(
        'Date\tClose\tVolume\n2019-05-20\t98.7\t"12,345"\n2019-05-21\t98.71\t"13,456"\n2019-05-22\t100\t"9,999"\n'
    )
    prices = read_prices(tmp_path / "t.txt")
    assert prices["close", "t"].tolist() == [98.7, 98.71, 100.0]
    assert prices["volume", "t"].tolist() == [12345.0, 13456.0, 9999.0]


def test_a_volume_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("Date,Close,Open,Volume\n2019-05-20,1,1,many\n2019-05-21,2,2,few\n")
    with pytest.warns(
        es.errors.DataWarning, match="'many' in row 1 is not a number.*not needed and left out"
    ):
        prices = read_prices(tmp_path / "v.csv")
    assert prices["close", "v"].tolist() == [1.0, 2.0]


def test_factors_below_a_preamble(tmp_path: Path) -> None:
    above = "This file was created by CMPT_ME_BEME_RETS_DAILY\nThe Tbill return is the simple daily rate\n\n"
    (tmp_path / "F.csv").write_text(
        f"{above},Mkt-RF,SMB,HML,RF\n20190521,0.90,-0.20,0.10,0.009\n20190522,-0.40,-99.99,0.20,0.009\n"
        "\nCopyright 2019\n"
    )
    factors = read_factors(tmp_path / "F.csv", unit="percent")
    assert factors.columns.tolist() == ["mkt_rf", "smb", "hml", "rf"]
    assert factors.loc["2019-05-22"].round(6).to_dict() == pytest.approx(
        {"mkt_rf": -0.004, "smb": np.nan, "hml": 0.002, "rf": 0.00009}, nan_ok=True
    )
    q = "DATE,R_F,R_MKT,R_ME,R_IA,R_ROE,R_EG\n20190521,0.009,0.9,0.1,0.1,0.1,0.1\n"
    q += "20190522,0.009,-0.8,0.1,0.2,0.1,0.1\n"
    (tmp_path / "q5.csv").write_text(q)
    assert {"me", "ia", "roe", "eg"} <= set(read_factors(tmp_path / "q5.csv", unit="percent"))


def aqr_workbook(path: Path, days: pd.DatetimeIndex, values: np.ndarray) -> None:
    """Eighteen rows of text, a row of countries, days as texts; a second sheet of the market."""
    rows: list[list[object]] = [
        ["Betting Against Beta: Equity Factors"],
        ["Daily Returns"],
        [],
        ["About the file."],
    ]
    rows += [["", "Countries", "", "Aggregates"], *[[f"Note {i}."] for i in range(13)]]
    rows += [["DATE", "AUS", "AUT", "USA", "North America"]]
    rows += [[f"{day:%m/%d/%Y}", *map(float, row)] for day, row in zip(days, values, strict=True)]
    second = [["Market"], [], ["DATE", "USA"], *[[row[0], row[3]] for row in rows[19:]]]
    with pd.ExcelWriter(path) as book:
        for name, sheet in (("BAB Factors", rows), ("MKT", second)):
            padded = [[*row, *[None] * (5 - len(row))] for row in sheet]
            pd.DataFrame(padded).to_excel(book, sheet_name=name, header=False, index=False)


def test_a_workbook_of_aqr(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 0.005, (len(DAYS), 4))
    aqr_workbook(tmp_path / "bab.xlsx", DAYS, values)
    factors = read_factors(tmp_path / "bab.xlsx", unit="decimal", columns={"USA": "bab"})
    assert factors.columns.tolist() == ["aus", "aut", "bab", "north_america"]
    np.testing.assert_allclose(factors, values)
    market = read_factors(tmp_path / "bab.xlsx", unit="decimal", sheet="MKT", columns={"USA": "mkt"})
    np.testing.assert_allclose(market["mkt"], values[:, 2])
    with pytest.warns(es.errors.DataWarning, match="if these are decimals and not percent"):
        read_factors(tmp_path / "bab.xlsx", unit="percent")
    aqr_workbook(tmp_path / "percent.xlsx", DAYS, 100 * values)
    with pytest.raises(DataError, match=r"so they are not decimals. Pass unit='percent'"):
        read_factors(tmp_path / "percent.xlsx", unit="decimal")


def test_months_of_q_factors_and_of_french(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    months = pd.period_range("2018-01", periods=24, freq="M")
    ends = months.to_timestamp(how="end").normalize().as_unit("ns")
    mkt = rng.normal(0, 4, 24).round(4)
    q = pd.DataFrame(
        {"year": months.year, "month": months.month, "R_F": 0.13, "R_MKT": mkt, "R_ROE": mkt / 2}
    )
    q.to_csv(tmp_path / "q5_monthly.csv", index=False)
    read = read_factors(tmp_path / "q5_monthly.csv", unit="percent")
    assert read.columns.tolist() == ["rf", "mkt", "roe"]
    assert (read.index == ends).all()
    np.testing.assert_allclose(read["mkt"], mkt / 100)
    french = "This file was created from the 202312 database.\n\n,Mkt-RF,SMB,HML,RF\n"
    french += "".join(
        f"{m.strftime('%Y%m')}, {x:.4f}, 0.10, 0.20, 0.13\n" for m, x in zip(months, mkt, strict=True)
    )
    french += "\n Annual Factors: January-December \n,Mkt-RF,SMB,HML,RF\n2018, 10.1, 1.0, 2.0, 1.2\n"
    (tmp_path / "F-F_Research_Data_Factors.CSV").write_text(french)
    read = read_factors(tmp_path / "F-F_Research_Data_Factors.CSV", unit="percent")
    assert (read.index == ends).all()
    np.testing.assert_allclose(read["mkt_rf"], mkt / 100)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_counts_since_1970_below_a_title(unit: str, tmp_path: Path) -> None:
    days = pd.bdate_range("2019-01-02", periods=40)
    counts = days.as_unit(unit).asi8.tolist()
    value = np.linspace(-0.01, 0.012, 40)
    rows = [["Factors", "", ""], ["Source: a vendor", "", ""], ["Date", "mkt_rf", "rf"]]
    rows += [list(row) for row in zip(counts, value, np.full(40, 1e-4), strict=True)]
    pd.DataFrame(rows).to_excel(tmp_path / "factors.xlsx", header=False, index=False)
    read = read_factors(tmp_path / "factors.xlsx", unit="decimal")
    np.testing.assert_allclose(read["mkt_rf"].to_numpy(), value, rtol=1e-13)
    assert (read.index == days).all()
