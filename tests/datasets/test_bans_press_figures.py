"""Figures that the press printed about the announcements, computed from prices.

All stand in one table, ``press_figures.csv``: those that the bundled prices reproduce, those that need the
panels beside the checkout, and those that are different, each with the reason. A figure is reproduced if ours
equals it at the precision printed. Another test holds that no figure which these prices cover is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.datasets import surveillance_prices

INDEX = "399001.SZ"


class Figure(NamedTuple):
    """A printed figure: percent, or a price where `measure` is close.

    Measures: return, low or high (against the previous close or reference price), close, against (return less
    that of the SZSE Component), or a day: change in price since the close of that day.
    """

    security: str
    session: str
    measure: str
    printed: str


@dataclass(frozen=True)
class Different:
    """A printed figure that is not ours: what ours is, in percent, and why.

    `intraday` says that the reason is the hour: the figure then lies within the day's range.
    """

    figure: Figure
    ours: float
    reason: str
    bundled: bool = False
    intraday: bool = False


TABLE = pd.read_csv(Path(__file__).with_name("press_figures.csv"), dtype=str, keep_default_na=False)


def _figures(verdict: str, prices: str) -> list[Figure]:
    rows = TABLE[(TABLE["verdict"] == verdict) & (TABLE["prices"] == prices)]
    return [Figure(*values) for values in rows[list(Figure._fields)].to_numpy()]


BUNDLED, PANELS = (_figures("reproduced", prices) for prices in ("bundled", "panels"))
DIFFERENT = [
    Different(
        Figure(*(row[name] for name in Figure._fields)),
        float(row["ours"]),
        row["reason"],
        row["prices"] == "bundled",
        row["intraday"] == "yes",
    )
    for row in TABLE[TABLE["verdict"] == "different"].to_dict("records")
]
# Closes of Hong Kong shares that have paid dividends since: the panel's prices are adjusted for these, so
# that returns are the printed ones, and prices a little lower.
ADJUSTED = _figures("adjusted", "panels")
# Of these, closes of sessions; the others were printed of the middle of one.
ADJUSTED_CLOSES = [
    Figure(*values)
    for values in TABLE[(TABLE["verdict"] == "adjusted") & (TABLE["intraday"] == "")][
        list(Figure._fields)
    ].to_numpy()
]

# Rows of validation_targets.csv whose kind is not the close of the session: how they are measured here.
MEASURES = {
    ("002415.SZ", "2019-05-22", "-10"): "low",
    ("002415.SZ", "2019-05-27", "-12.2"): "2019-05-16",
    ("0981.HK", "2020-09-28", "-7.9"): "low",
    ("300188.SZ", "2019-05-23", "-10"): "low",
    ("002230.SZ", "2019-05-23", "-8.2"): "low",
    ("0285.HK", "2019-05-29", "-19.6"): "2019-05-15",
    ("0763.HK", "2019-05-17", "-14.7"): "2019-05-10",
    ("2382.HK", "2019-05-17", "-16"): "2019-05-10",
    ("NPTN", "2019-05-17", "-45"): "2019-05-15",
    ("1810.HK", "2021-05-12", "6.5"): "high",
}


class Prices:
    """Prices by field, and the returns that the library makes of them."""

    def __init__(self, fields: dict[str, pd.DataFrame], returns: pd.DataFrame) -> None:
        self.fields, self.returns = fields, returns

    def value(self, figure: Figure) -> float:
        """Return our figure: percent, or the price; NaN where the prices do not cover it."""
        security, day, measure, _ = figure
        session = pd.Timestamp(day)
        if measure == "close":
            return self._price("close", security, session)
        if measure in ("return", "against"):
            less = 0.0 if measure == "return" else self._of(self.returns, INDEX, session)
            return 100 * (self._of(self.returns, security, session) - less)
        if measure in ("low", "high"):
            base = self._price("previous_close", security, session)
            return 100 * (self._price(measure, security, session) / base - 1)
        before = self._price("close", security, pd.Timestamp(measure))
        return 100 * (self._price("close", security, session) / before - 1)

    def _price(self, field: str, security: str, session: pd.Timestamp) -> float:
        return self._of(self.fields[field], security, session)

    @staticmethod
    def _of(frame: pd.DataFrame, security: str, session: pd.Timestamp) -> float:
        known = security in frame and session in frame.index
        return float(frame.at[session, security]) if known else np.nan


def is_reproduced(ours: float, printed: str) -> bool:
    """Whether a figure is ours at the precision printed."""
    decimals = len(printed.partition(".")[2])
    return bool(abs(ours - float(printed)) <= 0.5 * 10.0**-decimals + 1e-9)


@pytest.fixture(scope="module")
def bundled() -> Prices:
    frame = surveillance_prices()
    market = es.Market.from_prices(frame, benchmark=INDEX, calendar="XSHG")
    return Prices({field: frame[field] for field in frame.columns.levels[0]}, market.returns)


@pytest.fixture(scope="module")
def panels(shared_data: Path) -> Prices:
    """All panels in one: each security from the first panel that holds it."""
    arrow = pytest.importorskip("pyarrow.parquet")

    def read(name: str) -> pd.DataFrame:
        # Their pandas metadata is of another pandas.
        table = arrow.read_table(shared_data / "panels" / f"{name}.parquet")
        frame = table.replace_schema_metadata(None).to_pandas()
        frame.columns = [str(c).lower() for c in frame.columns]
        frame["date"] = pd.to_datetime(frame["date"].astype(str)).dt.as_unit("ns")
        return frame

    hk = read("hk_named_ohlcv_adj_2016_2022")
    hk = hk[hk["volume"] > 0]  # a suspension repeats the last close with no volume
    us = read("us_suppliers_ohlcv_2016_2020")
    indices = read("indices_daily_2015on").rename(columns={"index": "ticker"})
    names = {"SSE_COMP_000001.SH": "000001.SS", "HANG_SENG_HSI": "^HSI", "PHLX_SOX": "^SOX"}
    indices = indices[indices["ticker"].isin(names)].assign(ticker=lambda d: d["ticker"].map(names))
    cn = read("cn_raw_ohlc_fen_2018_2019").rename(columns={"ts_code": "ticker", "preclose": "previous_close"})
    needed = {f.security for f in PANELS} | {d.figure.security for d in DIFFERENT}
    cn["ticker"] = cn["ticker"].str.replace(".SH", ".SS")
    cn = cn[cn["ticker"].isin(needed)]
    prices = ["open", "high", "low", "close", "previous_close"]
    cn = cn.assign(**{name: cn[name].astype(float) / 100 for name in prices})  # fen
    fields: dict[str, list[pd.DataFrame]] = {f: [] for f in ("close", "low", "high", "previous_close")}
    for frame in (hk, us, indices, cn):
        frame = (
            frame.assign(previous_close=frame.groupby("ticker")["close"].shift()) if frame is not cn else cn
        )
        for field, parts in fields.items():
            # Some panels are stored in single precision.
            parts.append(frame.pivot(index="date", columns="ticker", values=field).astype(float).round(4))
    wide = {field: pd.concat(parts, axis=1, sort=True) for field, parts in fields.items()}
    returns = wide["close"] / wide["previous_close"] - 1
    percent = read("cn_returns_pct_2017_2020").set_index("date") / 100
    percent.columns = percent.columns.str.upper().str.replace(".SH", ".SS")
    mainland = [c for c in percent if c in needed]
    returns = returns.drop(columns=mainland, errors="ignore")
    return Prices(wide, pd.concat([returns, percent[mainland].astype(float)], axis=1, sort=True))


def name(figure: Figure) -> str:
    return "_".join(figure)


@pytest.mark.parametrize("figure", BUNDLED, ids=name)
def test_figures_are_reproduced_from_bundled_prices(bundled: Prices, figure: Figure) -> None:
    ours = bundled.value(figure)
    assert is_reproduced(ours, figure.printed), f"{ours:.4f}, printed {figure.printed}"


@pytest.mark.slow
@pytest.mark.parametrize("figure", PANELS, ids=name)
def test_figures_are_reproduced_from_panels(panels: Prices, figure: Figure) -> None:
    ours = panels.value(figure)
    assert is_reproduced(ours, figure.printed), f"{ours:.4f}, printed {figure.printed}"


@pytest.mark.parametrize("different", [d for d in DIFFERENT if d.bundled], ids=lambda d: name(d.figure))
def test_figures_that_differ_from_bundled_prices(bundled: Prices, different: Different) -> None:
    _differs(bundled, different)


@pytest.mark.slow
@pytest.mark.parametrize("different", [d for d in DIFFERENT if not d.bundled], ids=lambda d: name(d.figure))
def test_figures_that_differ_from_panels(panels: Prices, different: Different) -> None:
    _differs(panels, different)


@pytest.mark.slow
@pytest.mark.parametrize("different", [d for d in DIFFERENT if d.intraday], ids=lambda d: name(d.figure))
def test_figures_called_a_price_of_the_day_lie_within_its_range(panels: Prices, different: Different) -> None:
    figure = different.figure
    session = pd.Timestamp(figure.session)
    low, high = (panels._price(field, figure.security, session) for field in ("low", "high"))
    since = pd.to_datetime(figure.measure, errors="coerce")
    if pd.isna(since):
        base = panels._price("previous_close", figure.security, session)
    else:
        base = panels._price("close", figure.security, since)
    rounding = 0.5 * 10.0 ** -len(figure.printed.partition(".")[2])
    assert 100 * (low / base - 1) - rounding <= float(figure.printed) <= 100 * (high / base - 1) + rounding


def test_a_figure_that_was_cut_off_instead_of_rounded() -> None:
    (avgo,) = (d for d in DIFFERENT if d.figure.security == "AVGO")
    assert int(avgo.ours * 10) / 10 == float(avgo.figure.printed)


@pytest.mark.slow
def test_the_low_of_neophotonics(panels: Prices) -> None:
    low = panels._price("low", "NPTN", pd.Timestamp("2019-05-17"))
    assert low / panels._price("close", "NPTN", pd.Timestamp("2019-05-15")) - 1 == pytest.approx(
        -0.43, abs=5e-3
    )


def _differs(prices: Prices, different: Different) -> None:
    ours = prices.value(different.figure)
    assert not is_reproduced(ours, different.figure.printed), f"{ours:.4f}: reproduced after all"
    assert ours == pytest.approx(different.ours, abs=0.0051)
    assert different.reason


def test_the_resumed_share_fell_by_its_limit_four_times_in_a_row(bundled: Prices) -> None:
    close = bundled.fields["close"]["000063.SZ"]["2018-06-13":"2018-06-19"]
    assert close.tolist() == [28.18, 25.36, 22.82, 20.54]
    before = [31.31, *close.tolist()[:-1]]
    assert [round(0.9 * price + 1e-9, 2) for price in before] == close.tolist()


@pytest.mark.slow
def test_no_figure_that_the_prices_cover_is_missing(
    shared_data: Path, bundled: Prices, panels: Prices
) -> None:
    targets = pd.read_csv(shared_data / "bans" / "validation_targets.csv", dtype=str, keep_default_na=False)
    told = {(f.security, f.session, f.measure, f.printed) for f in [*BUNDLED, *PANELS]}
    told |= {tuple(d.figure) for d in DIFFERENT}
    n_covered = 0
    for row in targets[targets["event_id"] != "ACADEMIC"].itertuples():
        measure = MEASURES.get((row.ticker, row.session, row.value_pct), "return")
        figure = Figure(row.ticker, row.session, measure, row.value_pct)
        if all(np.isnan(prices.value(figure)) for prices in (bundled, panels)):
            continue
        n_covered += 1
        assert tuple(figure) in told, figure
    assert n_covered == 77


@pytest.mark.slow
def test_no_close_that_the_prices_cover_is_missing(
    shared_data: Path, bundled: Prices, panels: Prices
) -> None:
    targets = pd.read_csv(shared_data / "bans" / "validation_targets.csv", dtype=str, keep_default_na=False)
    told = {(f.security, f.session, f.measure, f.printed) for f in [*BUNDLED, *PANELS, *ADJUSTED]}
    told |= {tuple(d.figure) for d in DIFFERENT}
    n_covered = 0
    for row in targets[targets["close_price"] != ""].itertuples():
        figure = Figure(row.ticker, row.session, "close", row.close_price)
        if (row.ticker, row.session, row.close_price) == ("002415.SZ", "2019-05-22", "24.84"):
            continue  # the session's low, which is the limit: the figure of -10 above
        if all(np.isnan(prices.value(figure)) for prices in (bundled, panels)):
            continue
        n_covered += 1
        assert tuple(figure) in told, figure
    assert n_covered == 34


@pytest.mark.slow
def test_adjusted_closes_lie_below_the_printed_ones_by_dividends_paid_since(panels: Prices) -> None:
    """The factor of a share never falls as time goes on: less is still to be paid."""
    last: dict[str, float] = {}
    for figure in sorted(ADJUSTED_CLOSES, key=lambda f: f.session):
        factor = panels.value(figure) / float(figure.printed)
        rounding = 0.5 * 10.0 ** -len(figure.printed.partition(".")[2]) / float(figure.printed)
        assert last.get(figure.security, 0.6) - rounding < factor < 1
        last[figure.security] = factor


def test_the_table_is_whole() -> None:
    assert set(TABLE["verdict"]) == {"reproduced", "different", "adjusted"}
    assert set(TABLE["prices"]) == {"bundled", "panels"}
    assert not TABLE.duplicated(["security", "session", "measure", "printed"]).any()
    different = TABLE["verdict"] == "different"
    assert (TABLE.loc[different, ["ours", "reason", "intraday"]] != "").all(axis=None)
    assert (TABLE["source"] != "").sum() >= 80
    assert len(BUNDLED) + len(PANELS) + len(DIFFERENT) + len(ADJUSTED) == len(TABLE)
