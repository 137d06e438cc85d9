"""Large text files are read by pandas' parser, and are to be read as small ones are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning
from eventstudy.sources import read_prices

DAYS = pd.bdate_range("2019-01-02", periods=24)
MOVES = np.random.default_rng(5).normal(0, 0.01, (len(DAYS), 3))
CLOSES = pd.DataFrame(np.round(1200 * np.exp(MOVES.cumsum(axis=0)), 2), DAYS, ["A", "B", "C"])


def rows(codes: tuple[str, str, str] = ("A", "B", "C"), form: str = "%Y-%m-%d", **more: Any) -> pd.DataFrame:
    long = CLOSES.set_axis(codes, axis=1).rename_axis(index="Date", columns="Code").stack().rename("Close")
    frame = long.reset_index().assign(**more)
    return frame.assign(Date=frame["Date"].dt.strftime(form))


def text(frame: pd.DataFrame, **options: Any) -> str:
    return str(frame.to_csv(index=False, **options))


def german(price: float) -> str:
    return f"{price:,.2f}".translate(str.maketrans(",.", ".,"))


LONG = rows()
PARTS = {
    "year": LONG["Date"].str[:4],
    "month": LONG["Date"].str[5:7],
    "day": LONG["Date"].str[8:],
}
HALTED = np.where((LONG["Code"] == "A") & (LONG["Date"] == "2019-01-15"), "停牌", "交易")
FILES: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "plain": (text(LONG), {}),
    "codes with zeros": (text(rows(("000999", "0012", "12"))), {}),
    "a code like a number": (text(rows(("000999", "1E5", "7"))), {}),
    "CUSIPs": (text(rows(("00036110", "1234E610", "69343P10"))), {}),
    "tickers like missing values": (text(rows(("NA", "TRUE", "NAN"))), {}),
    "days as numbers": (text(rows(form="%Y%m%d")), {}),
    "days with zeros": (text(rows(form="%d%m%Y")), {"date_format": "%d%m%Y"}),
    "year, month and day": (text(LONG.assign(**PARTS).drop(columns="Date")), {}),
    "one currency": (text(rows(Currency="USD")), {}),
    "a status": (
        text(rows(status=HALTED, volume=np.where(HALTED == "停牌", 0, 9))).encode("gb18030"),
        {"encoding": "gb18030"},
    ),
    "UTF-16": (text(LONG).encode("utf-16"), {}),
    "a byte order mark": (text(LONG).encode("utf-8-sig"), {}),
    "old lines": (text(LONG).replace("\n", "\r"), {}),
    "notes below": (text(LONG) + "\nSource: a vendor\nAll rights reserved, 2019\n\n", {}),
    "blank rows below": (text(LONG) + ",,\n , ,\n", {}),
    "a blank row between": (text(LONG).replace("\n2019-01-15,B", "\n,,\n\n2019-01-15,B"), {}),
    "cells too many": (text(LONG).replace("\n2019-01-15,B", ",,\n2019-01-15,B"), {}),
    "rows of payouts": (text(LONG).replace("\n2019-01-15,B", "\n2019-01-14,0.7 Dividend,\n2019-01-15,B"), {}),
    "prices like counts of days": (text(LONG.assign(Close=(30 * LONG["Close"]).astype(int))), {}),
    "wide, with prices like counts of days": (
        text((CLOSES * [3, 30, 30]).astype(int).rename_axis("Date").reset_index()),
        {},
    ),
    "decimal commas": (text(rows(), sep=";", decimal=","), {}),
    "points for thousands": (text(LONG.assign(Close=LONG["Close"].map(german)), sep=";"), {}),
    "points for thousands alone": (
        text(LONG.assign(Close=LONG["Close"].map(lambda x: german(x)[:-3])), sep=";"),
        {"decimal": ","},
    ),
    "points for thousands, said so": (
        text(LONG.assign(Close=LONG["Close"].map(lambda x: german(x)[:-3])), sep="\t"),
        {"decimal": ","},
    ),
    "commas for thousands": (text(LONG.assign(Close=LONG["Close"].map("{:,.2f}".format))), {}),
    "everything in quotes": (text(LONG.astype(str), quoting=1), {}),
    "wide": (text(CLOSES.rename_axis("Date").reset_index()), {}),
    "wide, nameless days": (str(CLOSES.to_csv()), {}),
    "blanks around cells": (text(LONG).replace(",", " , "), {}),
    "said columns": (
        text(LONG.set_axis(["When", "Who", "What"], axis=1).assign(Close=1.0)),
        {"columns": {"When": "date", "Who": "security", "What": "close", "Close": "ignore"}},
    ),
    "codes of a missing price": (
        text(LONG).replace("2019-01-15,A,", "2019-01-15,A,halt "), {"missing": ["x"]}),
}  # fmt: skip


def both(path: Path, large: Callable[[int], None], **options: Any) -> list[Any]:
    found: list[Any] = []
    for size in (10**9, 0):
        large(size)
        try:
            found.append(read_prices(path, **options))
        except DataError as problem:
            found.append(str(problem))
    return found


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda size: monkeypatch.setattr("eventstudy.sources.raw_tables.LARGE", size)


@pytest.mark.parametrize("name", FILES)
def test_a_large_file_is_read_as_a_small_one(name: str, tmp_path: Path, large: Callable[[int], None]) -> None:
    content, options = FILES[name]
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    small, other = both(path, large, **options)
    if isinstance(small, str):
        assert small == other
        assert name == "codes of a missing price"
        return
    pd.testing.assert_frame_equal(small, other)
    assert small["close"].notna().sum().sum() == CLOSES.size - (name == "a status")


def test_codes_of_large_files_do_not_merge(tmp_path: Path, large: Callable[[int], None]) -> None:
    early = LONG["Date"] < "2019-01-20"
    codes = np.where(LONG["Code"] == "C", "7", np.where(early, "0012", "12"))
    LONG.assign(Code=codes)[LONG["Code"] != "B"].to_csv(tmp_path / "file.csv", index=False)
    large(0)
    read = read_prices(tmp_path / "file.csv")["close"]
    assert read.columns.tolist() == ["0012", "12", "7"]
    assert read["0012"].notna().sum() + read["12"].notna().sum() == len(DAYS)


@pytest.mark.parametrize("row", ["2019-01-15,B", "2019-01-15,B,12,13", '"2019-01-15","B"'])
def test_rows_of_large_files_that_are_not_as_wide_as_the_header(
    row: str, tmp_path: Path, large: Callable[[int], None]
) -> None:
    lines = text(LONG).splitlines()
    lines[30] = row
    (tmp_path / "file.csv").write_text("\n".join(lines))
    small, other = both(tmp_path / "file.csv", large)
    assert small == other
    assert "row 31 has" in small


def test_a_frame_with_a_constant_category() -> None:
    frame = LONG.assign(currency=pd.Categorical(["USD"] * len(LONG)))
    assert es.Market.from_prices(frame).securities == ["A", "B", "C"]


EARLY = LONG[LONG["Date"] < "2019-01-20"]
LATE = LONG[LONG["Date"] >= "2019-01-20"]
ONE = LONG[LONG["Code"] == "A"].drop(columns="Code").assign(Volume=9)


@pytest.mark.parametrize("size", [10**9, 0])
@pytest.mark.parametrize(
    "content",
    [
        text(EARLY) + text(LATE),
        text(LATE) + text(EARLY),
        text(LATE) + "\n\n" + text(EARLY),
        text(LATE) + text(EARLY).replace("Date,", " Date ,"),
        "".join(text(LONG[LONG["Code"] == code]) for code in "ABC"),
        "A report\n" + text(EARLY) + "\nA report\n" + text(LATE),
        text(EARLY.astype(str), quoting=1) + text(LATE.astype(str), quoting=1),
    ],
)
def test_files_that_were_joined_with_their_headers(
    content: str, size: int, tmp_path: Path, large: Callable[[int], None]
) -> None:
    (tmp_path / "file.csv").write_text(content)
    large(size)
    read = read_prices(tmp_path / "file.csv")["close"]
    np.testing.assert_array_equal(read, CLOSES)


def test_joined_files_of_one_security(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    for columns in (["Date", "Close", "Volume"], ["Date", "Close"]):
        path.write_text(text(ONE[columns][10:]) + text(ONE[columns][:10]))
        np.testing.assert_array_equal(read_prices(path)["close", "A"], CLOSES["A"])
    path.write_text(text(ONE) + text(ONE.assign(Close=7)))
    with pytest.raises(DataError, match="stands 2 times"):
        read_prices(path)


@pytest.mark.parametrize(
    "second", ["Index of shares\n" + text(ONE), text(ONE).replace("Date", "Index of shares")]
)
def test_a_second_table_that_is_left_out_is_told_of(second: str, tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text(text(ONE) + "\n" + second.replace("1", "2"))
    with pytest.warns(DataWarning, match="second table, which begins with 'Index of shares', is left out"):
        read = read_prices(tmp_path / "A.csv")
    np.testing.assert_array_equal(read["close", "A"], CLOSES["A"])


@pytest.mark.parametrize("size", [10**9, 0])
@pytest.mark.parametrize("sign", ["-99", "-99.0", "9999.99"])
def test_numbers_that_are_said_to_stand_for_missing_ones(
    sign: str, size: int, tmp_path: Path, large: Callable[[int], None]
) -> None:
    large(size)
    coded = LONG["Close"].mask(LONG["Date"] == "2019-01-15", float(sign))
    LONG.assign(Close=coded, Volume=0).to_csv(tmp_path / "file.csv", index=False)
    assert float(sign) in read_prices(tmp_path / "file.csv")["close"].to_numpy()
    read = read_prices(tmp_path / "file.csv", missing=[sign, "0", "x"])
    assert read["close"].index[read["close"].isna().all(axis=1)].tolist() == [pd.Timestamp("2019-01-15")]
    assert read["close"].isna().sum().sum() == 3
    assert (read["volume"] == 0).all(axis=None)
