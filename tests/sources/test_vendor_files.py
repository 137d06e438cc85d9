"""Files and frames of vendors: sheets of Bloomberg, clocks of Google, days of BSE and SAS, turned tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError
from eventstudy.sources import read_prices

DAYS = pd.DatetimeIndex(es.calendars.Exchange.of("XNYS").sessions("2018-06-25", "2018-12-31")).tz_localize(
    None
)
HALF = DAYS.isin(pd.to_datetime(["2018-07-03", "2018-11-23", "2018-12-24"]))
MOVES = np.random.default_rng(3).normal(0, 0.01, (len(DAYS), 2))
CLOSES = pd.DataFrame(
    np.round(50 * np.exp(MOVES.cumsum(axis=0)), 2), DAYS, ["AAA US Equity", "BBB US Equity"]
)
A, B = (CLOSES[name].tolist() for name in CLOSES)
NAMES, FIELDS = list(CLOSES), ["Date", "PX_LAST", "PX_VOLUME"]


def clocks(half: str = "13:00:00", usual: str = "16:00:00") -> np.ndarray:
    return np.where(HALF, half, usual)


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d-%b-%Y"])
@pytest.mark.parametrize("long", [False, True])
def test_closing_times_of_half_days(form: str, long: bool, tmp_path: Path) -> None:
    stamps = pd.Series(DAYS.strftime(form), DAYS) + " " + clocks()
    frame = CLOSES.assign(Date=stamps)
    if long:
        frame = frame.melt("Date", var_name="Ticker", value_name="Close")
    frame.to_csv(tmp_path / "prices.csv", index=False)
    read = read_prices(tmp_path / "prices.csv")
    np.testing.assert_array_equal(read["close"], CLOSES)
    assert read.index.equals(DAYS.as_unit("ns"))
    assert "at 16:00 of each day, earlier on half days" in read.attrs["guess"]


def test_closing_times_of_half_days_in_frames() -> None:
    frame = CLOSES.set_axis(DAYS + pd.to_timedelta(clocks()), axis=0)
    market = es.Market.from_prices(frame, calendar="XNYS")
    assert market.returns.index.equals(DAYS.as_unit("ns"))
    for bad in (
        clocks("10:00:00"),  # no exchange closes then
        np.where(np.arange(len(DAYS)) % 3 == 0, "13:00:00", "16:00:00"),  # too many
        clocks(usual="18:00:00"),
    ):
        with pytest.raises(DataError, match="carries a time of day"):
            es.Market.from_prices(CLOSES.set_axis(DAYS + pd.to_timedelta(bad), axis=0))
    hours = DAYS.repeat(2) + pd.to_timedelta(np.tile(["15:00:00", "16:00:00"], len(DAYS)))
    with pytest.raises(DataError, match="carries a time of day"):
        es.Market.from_prices(pd.DataFrame({"X": 5.0, "Y": 6.0}, hours))


def test_texts_at_midnight_of_another_zone_are_no_closing_times(tmp_path: Path) -> None:
    days = pd.bdate_range("2019-01-02", periods=30)
    shanghai = days.tz_localize("Asia/Shanghai").tz_convert("UTC")
    frame = pd.DataFrame({"Date": shanghai.strftime("%Y-%m-%d %H:%M:%S"), "X": np.arange(30.0) + 50})
    frame.to_csv(tmp_path / "prices.csv", index=False)
    with pytest.raises(DataError, match="time of day"):
        read_prices(tmp_path / "prices.csv")


@pytest.mark.parametrize(
    "form",
    [
        "%d-%B-%Y", "%d/%B/%Y", "%d%B%Y", "%B-%d-%Y", "%B %d %Y", "%Y-%B-%d", "%d.%b.%Y", "%d%b%Y:00:00:00",
        "%d%b%Y:00:00:00.000", "%d%b%y:00:00:00", "%d%b%Y:16:00:00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("upper", [False, True])
def test_days_with_months_in_words(form: str, upper: bool, tmp_path: Path) -> None:
    texts = [text.upper() if upper else text for text in DAYS.strftime(form)]
    CLOSES.assign(Date=texts).to_csv(tmp_path / "prices.csv", index=False)
    assert read_prices(tmp_path / "prices.csv").index.equals(DAYS.as_unit("ns"))


def test_moments_of_sas() -> None:
    minutes = pd.date_range("2019-01-02 09:30", periods=60, freq="1min")
    frame = pd.DataFrame({"X": np.linspace(50, 51, 60)}, minutes)
    texts = [text.upper() for text in minutes.strftime("%d%b%Y:%H:%M:%S")]
    one, other = (
        es.Market.from_prices(each, freq="1min", calendar="XNYS").returns
        for each in (frame, frame.set_axis(texts, axis=0))
    )
    pd.testing.assert_frame_equal(one, other, check_freq=False)


def bdh(rows: list[list[Any]], path: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


MOMENTS = [day.to_pydatetime() for day in DAYS]
LATER = [*MOMENTS[5:], *[None] * 5]
SHEETS = {
    "two fields": [
        [NAMES[0], None, None, NAMES[1]], FIELDS * 2,
        *([d, a, 9, d, b, 8] for d, a, b in zip(MOMENTS, A, B, strict=True)),
    ],
    "securities above the values": [
        [None, NAMES[0], None, None, NAMES[1]], FIELDS * 2,
        *([d, a, 9, d, b, 8] for d, a, b in zip(MOMENTS, A, B, strict=True)),
    ],
    "a blank column": [
        [NAMES[0], None, None, None, NAMES[1]], [*FIELDS, None, *FIELDS],
        *([d, a, 9, None, d, b, 8] for d, a, b in zip(MOMENTS, A, B, strict=True)),
    ],
    "two fields and one": [
        [NAMES[0], None, None, NAMES[1]], [*FIELDS, *FIELDS[:2]],
        *([d, a, 9, d, b] for d, a, b in zip(MOMENTS, A, B, strict=True)),
    ],
    "settings above": [
        ["Start Date", MOMENTS[0]], ["End Date", MOMENTS[-1]], [NAMES[0], None, None, NAMES[1]], FIELDS * 2,
        *([d, a, 9, d, b, 8] for d, a, b in zip(MOMENTS, A, B, strict=True)),
    ],
    "other days": [
        [NAMES[0], None, None, NAMES[1]], FIELDS * 2,
        *([d, a, 9, e, b, 8] for d, a, e, b in zip(MOMENTS, A, LATER, [*B[5:], *[None] * 5], strict=True)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_of_bloomberg_with_several_fields_a_security(name: str, tmp_path: Path) -> None:
    read = read_prices(bdh(SHEETS[name], tmp_path / "bdh.xlsx"))
    right = CLOSES.copy()
    if name == "other days":
        right.iloc[:5, 1] = np.nan
    np.testing.assert_array_equal(read["close"], right)
    assert read["close"].columns.tolist() == NAMES
    assert (read["volume"][NAMES[0]] == 9).all()


def test_a_day_that_stands_twice_in_a_sheet(tmp_path: Path) -> None:
    rows = [[NAMES[0], None, NAMES[1]], FIELDS[:2] * 2, *([d, 5.5, MOMENTS[0], 6.5] for d in MOMENTS)]
    with pytest.raises(DataError, match="Column 3: the day 2018-06-25 stands more than once"):
        read_prices(bdh(rows, tmp_path / "bdh.xlsx"))


@pytest.mark.parametrize("form", [None, "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d"])
def test_tables_whose_days_stand_in_the_columns(form: str | None, tmp_path: Path) -> None:
    frame = CLOSES.T if form is None else CLOSES.set_axis(DAYS.strftime(form), axis=0).T
    with pytest.raises(DataError, match=r"days stand in the columns, from .*Market\.from_prices: frame\.T"):
        es.Market.from_prices(frame)
    named = frame.rename_axis("Ticker").reset_index()
    with pytest.raises(DataError, match=r"frame\.set_index\('Ticker'\)\.T"):
        es.Market.from_prices(named)
    named.to_csv(tmp_path / "prices.csv", index=False)
    with pytest.raises(DataError, match=r"read_csv\(path, index_col=0\)\.T"):
        read_prices(tmp_path / "prices.csv")
    turned = es.Market.from_prices(pd.read_csv(tmp_path / "prices.csv", index_col=0).T)
    pd.testing.assert_frame_equal(turned.returns, es.Market.from_prices(CLOSES).returns, check_freq=False)


def test_a_frame_whose_columns_are_named_by_a_security() -> None:
    frame = pd.DataFrame({"TRDPRC_1": A, "ACVOL_UNS": 1e6}, DAYS)
    for name in ("AAA.O", ".SPX", "VODl.L", "EUR=", "IBM"):
        assert es.Market.from_prices(frame.rename_axis(columns=name)).securities == [name]
    for name in (None, "Price", "Attributes", "CLOSE", "TICKER", "field"):
        with pytest.raises(DataError, match="has no name"):
            es.Market.from_prices(frame.rename_axis(columns=name))


def test_rows_that_differ_in_no_price_are_dropped_by_the_advice() -> None:
    frame = pd.DataFrame({"permno": 10001, "date": DAYS, "prc": A, "distcd": ""})
    twice = pd.concat([frame, frame.iloc[[50, 50]].assign(distcd=["1232", "1272"])])
    with pytest.raises(
        DataError, match=r"differ in 'distcd' alone.* frame\.drop_duplicates\(\['date', 'permno'\]\)"
    ):
        es.Market.from_prices(twice)
    assert (
        es.Market.from_prices(twice.drop_duplicates(["date", "permno"])).returns["10001"].notna().sum()
        == len(A) - 1
    )
    kinds = pd.concat([frame.assign(kind=1), frame.assign(kind=2, prc=[a + 1 for a in A])])
    with pytest.raises(DataError, match=r"frame\[frame\['kind'\] == 1\]"):
        es.Market.from_prices(kinds.astype({"kind": "Int64"}))


@pytest.mark.parametrize(
    "names",
    [
        '"Tarih","Şimdi","Aç\u0131l\u0131ş","Yüksek","Düşük","Hac.","Fark %"',
        '"Datum","Laatste","Open","Hoog","Laag","Vol.","Verschil %"',
        '"Data","Ostatnio","Otwarcie","Max.","Min.","Wol.","Zmiana%"',
        '"Datum","Senaste","Öppen","Högst","Lägst","Vol.","Förändr. %"',
    ],
    ids=["Turkish", "Dutch", "Polish", "Swedish"],
)
def test_pages_of_investing_com_in_other_languages(names: str, tmp_path: Path) -> None:
    def comma(number: float) -> str:
        return f"{number:.2f}".replace(".", ",")

    rows = [
        f'"{day:%d.%m.%Y}","{comma(a)}","{comma(a + 1)}","{comma(a + 2)}","{comma(a - 2)}","1,73M","0,10%"'
        for day, a in zip(DAYS[::-1], A[::-1], strict=True)
    ]
    path = tmp_path / "AAA Geçmiş Verileri.csv"
    path.write_text("\n".join([names, *rows]))
    assert read_prices(path, security="AAA")["close", "AAA"].tolist() == A


def test_a_table_whose_price_has_an_unknown_name_says_how_to_name_it() -> None:
    frame = pd.DataFrame({"Giá": A, "Thay đổi": ["0.10%"] * len(A)}, DAYS)
    with pytest.raises(DataError, match=r"'Thay đổi' holds percent, not prices.*columns=\{'Giá': 'close'\}"):
        es.Market.from_prices(frame)


@pytest.mark.parametrize(("names", "ids"), [("SYMBOL", "ISIN"), ("TICKER", "PERMNO")])
def test_events_named_by_the_column_that_was_left_aside(names: str, ids: str, tmp_path: Path) -> None:
    other = {NAMES[0]: "INE001A01011", NAMES[1]: "INE002A01018"}
    if ids == "PERMNO":
        other = {NAMES[0]: "10001", NAMES[1]: "10002"}
    frame = CLOSES.rename_axis("Date").reset_index().melt("Date", var_name=names, value_name="Close")
    frame[ids] = frame[names].map(other)
    frame.to_csv(tmp_path / "prices.csv", index=False)
    event = [{"security": NAMES[0], "date": DAYS[60]}]
    for prices in (frame, read_prices(tmp_path / "prices.csv")):
        market = es.Market.from_prices(prices)
        study = es.EventStudy(market, event, es.ConstantMean(), estimation=(-40, -11))
        with pytest.raises(
            es.errors.EventStudyError, match=rf"'{ids}' and also have {names}.*\{{'{names}': 'sec"
        ):
            study.fit()
    market = es.Market.from_prices(frame, columns={names: "security"})
    assert (
        es.EventStudy(market, event, es.ConstantMean(), estimation=(-40, -11)).fit().car(0, 1).shape[0] == 1
    )
