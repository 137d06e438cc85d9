"""Returns, changes and previous closes that come beside the closes that they contradict."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning
from tests.market.test_nasty_inputs import CLOSE, DAY, DAYS, INDEX, LONG, of_prices

RIGHT = of_prices(CLOSE)
NOISE = np.random.default_rng(5)
Frame = pd.DataFrame
DAY_0 = (LONG["ticker"] == "A") & (LONG["date"] == DAY)
A = LONG["ticker"] == "A"
BY_FIRM = LONG.groupby("ticker")["close"]
RET = BY_FIRM.pct_change()
PERCENT = (100 * RET).round(2)
KINDS = ["return against close", "missing return"]


def beside(**columns: object) -> Frame:
    return LONG.assign(**columns)


def found(frame: Frame, **options: object) -> Frame:
    audit = es.Market.from_prices(frame, **options).audit()  # type: ignore[arg-type]
    return audit[audit["kind"].isin(KINDS)]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"ret": RET.where(~A, -RET)}, "returns of A .* opposite sign.*'ret': 'ignore'"),
        ({"ret": RET.where(~A, RET.abs())}, "None is negative: their signs were lost"),
        ({"ret": RET.where(~A, RET.groupby(LONG["ticker"]).shift(1))}, "returns of A go against its closes"),
        ({"pct_chg": PERCENT.where(~A, PERCENT.abs())}, "changes of A .*signs were lost.*'pct_chg'"),
        ({"prev_close": BY_FIRM.shift(-1)}, "the next close, as shift"),
        ({"prev_close": BY_FIRM.shift(2)}, "the close of two sessions before"),
        ({"prev_close": LONG["close"]}, "the close of the same day"),
        (
            {"prev_close": LONG["close"] * (1 + 0.004 * NOISE.standard_normal(len(LONG)))},
            "the previous close is .* and the last close",
        ),
        (
            {"open": (LONG["close"] * 0.998).round(3), "prev_close": (LONG["close"] * 0.998).round(3)},
            "the open of the same day",
        ),
    ],
    ids=lambda value: str(value)[:12] if isinstance(value, str) else next(iter(value)),
)
def test_columns_of_something_else_than_the_closes(columns: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        es.Market.from_prices(beside(**columns))


def test_returns_of_another_security_are_named() -> None:
    other = RET.copy()
    other[A] = RET[LONG["ticker"] == "B"].to_numpy()
    with pytest.raises(DataError, match=r"returns of A go against .* They are those of B\."):
        es.Market.from_prices(beside(ret=other))


def test_previous_closes_of_the_row_above() -> None:
    rows = LONG.sort_values(["date", "ticker"])
    with pytest.raises(DataError, match=r"and so do those of 2 others"):
        es.Market.from_prices(rows.assign(prev_close=rows["close"].shift()))


#: A falls by 6% more on day 0, for good.
FALLEN = LONG.assign(close=LONG["close"].mask(A & (LONG["date"] >= DAY), (LONG["close"] * 0.94).round(2)))
FALLEN_BY = FALLEN.groupby("ticker")["close"]
TRUE, LAST = FALLEN_BY.pct_change(), FALLEN_BY.shift()


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("ret", TRUE.mask(DAY_0, 0.0), "+0.00% where the close"),
        ("ret", TRUE.mask(DAY_0, -TRUE), "where the close moved by -11.37%"),
        ("ret", TRUE.mask(DAY_0, TRUE / 100), "-0.11% where the close"),
        ("ret", TRUE.mask(DAY_0, 0.4), "+40.00% where the close"),
        ("ret", TRUE.mask(DAY_0, TRUE - 0.03), "where the close"),
        ("pct_chg", (100 * TRUE).round(2).mask(DAY_0, 0.0), "+0.00% where the close"),
        ("prev_close", LAST.mask(DAY_0, FALLEN["close"]), "+0.00% where the close"),
        ("prev_close", LAST.mask(DAY_0, 1.03 * LAST), "where the close"),
    ],
)
def test_one_day_that_no_ex_day_explains(name: str, values: pd.Series, told: str) -> None:
    frame = FALLEN.assign(**{name: values})
    audit = found(frame)
    assert audit[["security", "date", "kind"]].values.tolist() == [["A", DAY, "return against close"]]
    assert told in audit["detail"].iloc[0]
    with pytest.warns(DataWarning, match="return against close of A on 2018-12-17 in its event window"):
        of_prices(frame)


def test_a_payout_in_a_table_without_payouts() -> None:
    rng = np.random.default_rng(8)
    days = pd.bdate_range("2018-01-01", periods=300)
    closes = pd.DataFrame(50 * (1 + 0.014 * rng.standard_normal((300, 12))).cumprod(axis=0), days).round(2)
    long = closes.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
    long["ticker"] = "F" + long["ticker"].astype(str)
    long["ret"] = long.groupby("ticker")["close"].pct_change()
    fallen = (long["ticker"] == "F3") & (long["date"] >= days[200])
    long.loc[fallen, "close"] *= 0.93
    assert found(long)[["security", "date"]].values.tolist() == [["F3", days[200]]]
    long.loc[(long["ticker"] == "F5") & (long["date"] >= days[90]), "close"] *= 0.97
    long.loc[(long["ticker"] == "F7") & (long["date"] >= days[150]), "close"] *= 0.99
    assert found(long).empty


def test_a_return_that_is_missing_between_two_closes() -> None:
    with pytest.warns(DataWarning, match=r"missing return of A on .*none is given; the .* is taken"):
        assert of_prices(beside(ret=RET.mask(DAY_0))) == pytest.approx(RIGHT)
    spell = found(beside(ret=RET.mask(A & LONG["date"].between(DAYS[100], DAYS[104]))))
    assert spell["detail"].tolist() == ["none is given on 5 sessions; closes are taken"]


def test_marks_go_with_a_stored_study(tmp_path: object) -> None:
    pytest.importorskip("pyarrow")
    market = es.Market.from_prices(beside(ret=RET.mask(DAY_0)), benchmark=INDEX)
    study = es.EventStudy(market, {"security": "A", "date": DAY}, estimation=(-120, -11))
    with pytest.warns(DataWarning, match="missing return"):
        study.fit().save(f"{tmp_path}/study")
    with pytest.warns(DataWarning, match="missing return"):
        again = es.load(f"{tmp_path}/study")
    assert "missing return" in set(again.suspects["kind"])


def paid(every: int, amount: float, sd: float, days: pd.DatetimeIndex) -> Frame:
    """Raw closes of a share that pays, and its total returns."""
    rng, price = np.random.default_rng(every), [50.0]
    due = np.where(np.arange(len(days)) % every == 0, amount, 0.0)
    for t in range(1, len(days)):
        price.append(round(price[-1] * (1 + sd * rng.standard_normal()) - due[t], 2))
    close = np.array(price)
    ret = np.r_[np.nan, (close[1:] + due[1:]) / close[:-1] - 1]
    return pd.DataFrame({"ticker": "X", "date": days, "close": close, "ret": ret})


MONTHS = pd.date_range("2010-01-31", periods=80, freq="ME")
QUARTERLY = paid(60, 0.6, 0.015, DAYS)


@pytest.mark.parametrize(
    "frame",
    [
        beside(ret=RET),
        beside(ret=RET.round(4)),
        beside(ret=np.log1p(RET)),
        beside(pct_chg=PERCENT),
        beside(prev_close=BY_FIRM.shift()),
        beside(ret=RET).astype({"close": "float32", "ret": "float32"}),
        QUARTERLY,
        QUARTERLY.assign(ret=QUARTERLY["ret"] - 0.0002),
        QUARTERLY.assign(close=QUARTERLY["close"].round(1)),
        QUARTERLY.assign(close=QUARTERLY["close"] * np.where(QUARTERLY.index < 150, 2.0, 1.0)),
        QUARTERLY.assign(close=QUARTERLY["close"] * np.where(QUARTERLY.index < 150, 0.1, 1.0)),
        QUARTERLY.drop(index=range(100, 120)).assign(
            ret=lambda f: (f["close"] / f["close"].shift()).sub(1).where(f.index == 120, f["ret"])
        ),
        paid(5, 0.15, 0.006, DAYS),
        paid(1, 0.05, 0.001, DAYS),
        paid(1, 0.25, 0.04, MONTHS),
        paid(1, 0.2, 0.002, MONTHS),
        paid(3, 0.6, 0.05, MONTHS),
    ],
)
def test_what_vendors_ship_raises_no_doubt(frame: Frame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(frame, stamps="close" if len(frame) == len(MONTHS) else "auto").empty


def test_delisting_returns_go_beyond_the_last_close() -> None:
    frame = beside(ret=RET).rename(columns={"ticker": "permno", "close": "prc"})
    frame["dlret"] = np.where(A & (LONG["date"] == DAYS[-1]), -0.3, np.nan)
    assert found(frame).empty


def test_real_ex_days_raise_no_doubt(shared_data) -> None:
    panel = pd.read_parquet(
        shared_data / "panels" / "cn_raw_ohlc_fen_2018_2019.parquet",
        columns=["ts_code", "date", "close", "preclose"],
        filters=[("date", ">=", pd.Timestamp("2019-06-03")), ("date", "<=", pd.Timestamp("2019-07-31"))],
    )
    panel = panel.rename(columns={"ts_code": "ticker"}).assign(ticker=lambda f: f["ticker"].astype(str))
    panel = panel[panel["ticker"].str[5] < "3"].copy()
    panel[["close", "preclose"]] /= 100
    assert found(panel).empty
    ret = panel["close"] / panel["preclose"] - 1
    market = es.Market.from_prices(panel.drop(columns="preclose").assign(ret=ret))
    assert not set(KINDS) & set(market.audit()["kind"])
    of_one = ret.mask(panel["ticker"] == "000001.SZ", -ret)
    with pytest.raises(DataError, match=r"returns of 000001\.SZ .*opposite sign"):
        es.Market.from_prices(panel.drop(columns="preclose").assign(ret=of_one))
