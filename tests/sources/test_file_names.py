"""Names of securities from the names of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.sources import read_prices

DAYS = pd.bdate_range("2017-06-01", "2019-06-28")
CLOSES = pd.Series(np.linspace(50, 60, len(DAYS)).round(2), DAYS, name="Close")


def write(folder: Path, name: str, closes: pd.Series) -> Path:
    closes.to_frame().assign(Volume=9).rename_axis("Date").to_csv(folder / name)
    return folder / name


@pytest.mark.parametrize("name", ["601988", "02007", "Russell 2000", "HK_2007", "600519", "CSI2000", "1997"])
def test_codes_that_end_like_a_year(name: str, tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{name}.csv", CLOSES), write(tmp_path, "SSE.csv", CLOSES)]
    for given in (paths, paths[:1], tmp_path):
        assert name in read_prices(given)["close"].columns


@pytest.mark.parametrize(
    "form", ["AAPL_{}", "AAPL {}", "AAPL{}", "AAPL-{}", "AAPL.{}", "600519_{}", "^GSPC_{}"]
)
def test_files_of_one_year_each(form: str, tmp_path: Path) -> None:
    paths = [
        write(tmp_path, f"{form.format(year)}.csv", CLOSES[CLOSES.index.year == year])
        for year in (2017, 2018, 2019)
    ]
    name = form.replace("{}", "").strip(" _-.")
    for given in (paths, tmp_path):
        read = read_prices(given)["close"]
        assert read.columns.tolist() == [name]
        np.testing.assert_array_equal(read[name], CLOSES)


def test_files_of_months_and_of_fiscal_years(tmp_path: Path) -> None:
    months = [write(tmp_path, f"A_20180{m}.csv", CLOSES[f"2018-0{m}"]) for m in (3, 4)]
    assert read_prices(months)["close"].columns.tolist() == ["A"]
    years = [
        write(tmp_path, "B_2018.csv", CLOSES[:"2018-06-29"]),
        write(tmp_path, "B_2019.csv", CLOSES["2018-06-29":]),
    ]
    read = read_prices(years)["close"]
    assert read.columns.tolist() == ["B"]
    np.testing.assert_array_equal(read["B"], CLOSES)


def test_two_securities_whose_names_end_like_years_stay_two(tmp_path: Path) -> None:
    banks = [write(tmp_path, f"{code}.csv", CLOSES * k) for k, code in ((1, "601988"), (2, "601939"))]
    assert read_prices(banks)["close"].columns.tolist() == ["601939", "601988"]
    parts = [
        write(tmp_path, "HK_2017.csv", CLOSES["2017":"2018"]),
        write(tmp_path, "HK_2018.csv", CLOSES[:"2018"] * 2),
    ]
    assert read_prices(parts)["close"].columns.tolist() == ["HK_2017", "HK_2018"]
