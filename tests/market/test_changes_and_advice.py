"""Changes in percent and in logs by names and by the closes beside them; advice that can be followed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.column_names import FIELD_NAMES, field_of
from eventstudy.errors import DataError
from tests.market.test_nasty_inputs import (
    CLOSE,
    DAY,
    INDEX,
    INDEX_RETURNS,
    LONG,
    RETURNS,
    car,
    of_prices,
    of_returns,
)

RIGHT = of_prices(CLOSE)
CHANGE = LONG.groupby("ticker")["close"].pct_change()


@pytest.mark.quick("Change %", "pct_change", "Return (%)")
@pytest.mark.parametrize(
    "name", ["Change %", "% Change", "% Chg", "+/- %", "pct_change", "pct_chg", "Total Return", "Return (%)"]
)
def test_changes_beside_closes_in_percent_or_decimals(name: str) -> None:
    for change in ((100 * CHANGE).round(2), CHANGE.round(4)):
        table = LONG.assign(**{name: change})
        assert of_prices(table) == pytest.approx(RIGHT, abs=2e-4)
        newest_first = table[table["ticker"] == "A"].drop(columns="ticker")[::-1]
        with pytest.warns(es.errors.DataWarning, match="out of order"):
            market = es.Market.from_prices({"A": newest_first}, benchmark=INDEX)
        assert car(market) == pytest.approx(RIGHT, abs=2e-4)


def test_returns_alone_whose_name_says_percent() -> None:
    returns = LONG.drop(columns="close").assign(**{"Return (%)": 100 * CHANGE}).dropna()
    right = of_returns(RETURNS.iloc[1:])
    assert of_returns(returns) == pytest.approx(right)
    assert of_returns(returns.assign(**{"Return (%)": CHANGE.dropna()})) == pytest.approx(right)


@pytest.mark.parametrize(
    "name",
    ["Return (log)", "lnret", "ln_return", "ret_ln", "r_log", "ln(Pt/Pt-1)", "Log-Return", "Return (ln)"],
)
def test_log_returns_by_name(name: str) -> None:
    table = LONG.drop(columns="close").assign(**{name: np.log1p(CHANGE)}).dropna()
    with pytest.raises(DataError, match="log returns alone"):
        of_returns(table)
    as_said = of_returns(np.log1p(RETURNS.iloc[1:]), np.log1p(INDEX_RETURNS), kind="log")
    assert of_returns(table, np.log1p(INDEX_RETURNS), kind="log") == pytest.approx(as_said)


def test_brackets_that_hold_more_than_a_unit() -> None:
    with pytest.raises(DataError, match="needs a column 'close'"):
        of_prices(LONG.assign(close=np.log(LONG["close"])).rename(columns={"close": "Close (log)"}))
    before = LONG.groupby("ticker")["close"].shift()
    assert of_prices(LONG.assign(**{"Close (previous)": before})) == pytest.approx(RIGHT)
    assert of_prices(LONG.rename(columns={"close": "Close (USD)"})) == pytest.approx(RIGHT)


@pytest.mark.parametrize("codes", [["", "1232", "1272"], pd.array([pd.NA, 1232, 1272], dtype="Int64")])
def test_two_distributions_of_crsp_on_one_day(codes: list[str]) -> None:
    table = LONG.rename(columns={"ticker": "PERMNO", "close": "PRC"})
    table["DISTCD"] = pd.Series(codes).take([0] * len(table)).set_axis(table.index)
    twice = pd.concat([table.drop(index=100), table.iloc[[100, 100]].assign(DISTCD=list(codes[1:]))])
    advice = r"'DISTCD' alone, of which nothing is used: frame.drop_duplicates\(\['date', 'PERMNO'\]\)"
    with pytest.raises(DataError, match=advice):
        of_prices(twice)
    assert of_prices(twice.drop_duplicates(["date", "PERMNO"])) == pytest.approx(RIGHT)


def test_rows_of_which_only_the_later_ones_differ() -> None:
    other = LONG.assign(exchange=11).iloc[[50, 120]]
    other.loc[120, ["close", "exchange"]] = [1.0, 14]
    with pytest.raises(DataError, match=r"2018-06-18.*frame\[frame\['exchange'\] == 11\]"):
        of_prices(pd.concat([LONG.assign(exchange=11), other]))


def test_the_last_trade_and_the_official_close() -> None:
    for names in (["Last Price", "Close Price"], ["CLOSE", "LAST"]):
        table = LONG.drop(columns="close").assign(
            **dict(zip(names, [LONG["close"], LONG["close"]], strict=True))
        )
        last = next(name for name in names if "last" in name.lower())
        table[last] = (table[last] * 1.004).round(2)
        with pytest.raises(DataError, match=f"columns={{'{last}': 'ignore'}}"):
            of_prices(table)
        market = es.Market.from_prices(table, benchmark=INDEX, columns={last: "ignore"})
        assert car(market) == pytest.approx(RIGHT)


def test_the_name_of_one_security_is_that_of_its_columns() -> None:
    frame = pd.DataFrame({"TRDPRC_1": CLOSE["A"], "ACVOL_UNS": 1e6}).rename_axis(columns="A.O")
    assert list(es.Market.from_prices(frame).securities) == ["A.O"]


@pytest.mark.parametrize(
    "header",
    ["Tarih,Şimdi,Aç\u0131l\u0131ş,Yüksek,Düşük,Hac.,Fark %", "Datum,Laatst,Open,Hoog,Laag,Vol.,Verschil %",
     "Datum,Senaste,Öppen,Högst,Lägst,Vol.,+/- %"],
)  # fmt: skip
def test_files_of_investing_in_other_languages(header: str, tmp_path: Path) -> None:
    close = CLOSE["A"]
    change = close.pct_change().fillna(0)
    rows = [
        f"{d:%d.%m.%Y},{p:.2f},{p + 0.01:.2f},{p + 0.2:.2f},{p - 0.2:.2f},1.73M,{100 * r:.2f}%"
        for (d, p), r in zip(close.items(), change, strict=True)
    ]
    (tmp_path / "A.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    assert of_prices(es.sources.read_prices(tmp_path / "A.csv")) == pytest.approx(RIGHT, abs=2e-4)


def test_events_by_the_names_that_the_prices_leave_aside(tmp_path: Path) -> None:
    table = LONG.assign(
        isin=LONG["ticker"].map({"A": "INE001A01011", "B": "INE002A01018", "C": "INE003A01016"})
    )
    table.to_csv(tmp_path / "prices.csv", index=False)
    said = {"ticker": "security"}
    for given in (table, es.sources.read_prices(tmp_path / "prices.csv")):
        with pytest.raises(
            es.errors.NoUsableEventsError, match=r"also have ticker: .*columns=\{'ticker': 'security'\}"
        ):
            of_prices(given)
    read = es.sources.read_prices(tmp_path / "prices.csv", columns=said)
    assert of_prices(table, columns=said) == pytest.approx(RIGHT)
    assert of_prices(read) == pytest.approx(RIGHT)


@pytest.mark.parametrize("column", ["Change %", "CFACPR"])
def test_files_keep_what_frames_tell_of_splits(column: str, tmp_path: Path) -> None:
    before = (LONG["ticker"] == "A") & (LONG["date"] < DAY)
    split = LONG.assign(close=LONG["close"].where(~before, 2 * LONG["close"]))
    table = split.assign(**{column: (100 * CHANGE).round(2) if column == "Change %" else 1.0 + before})
    table.to_csv(tmp_path / "prices.csv", index=False)
    read = es.sources.read_prices(tmp_path / "prices.csv")
    assert of_prices(table) == pytest.approx(RIGHT, abs=2e-4)
    assert of_prices(read) == pytest.approx(of_prices(table))


def test_changes_that_never_change_tell_nothing() -> None:
    assert of_prices(LONG.assign(**{"Change %": "0.10%"})) == pytest.approx(RIGHT)


def test_every_field_is_known_by_its_own_name() -> None:
    assert {field: field_of(field) for field in FIELD_NAMES.values()} == {f: f for f in FIELD_NAMES.values()}
