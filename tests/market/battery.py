"""Generated shapes: the same rounded closes under every name, layout, type, order and way to write a day.

Each shape is a way to make a table of clean closes and what must come of it; `outcome` says what did.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.errors import EventStudyError, EventStudyWarning

DAYS = pd.bdate_range("2019-04-01", periods=30).as_unit("ns")
_rng = np.random.default_rng(11)
CLOSE = pd.DataFrame(
    (np.array([1200.0, 45.0, 310.0]) * np.exp(np.cumsum(_rng.normal(0, 0.012, (30, 3)), axis=0))).round(2),
    DAYS,
    ["AAA", "BB.B", "600519"],
)
RETURNS = CLOSE.pct_change()

#: Names of the columns of days, securities and closes.
NAMES = {
    "plain": ("date", "security", "close"),
    "Title": ("Date", "Ticker", "Price"),
    "CRSP": ("caldt", "PERMNO", "PRC"),
    "CIZ": ("DlyCalDt", "permno", "DlyPrc"),
    "Compustat": ("datadate", "gvkey", "prccd"),
    "CSMAR": ("Trddt", "Stkcd", "Clsprc"),
    "Tushare": ("trade_date", "ts_code", "close"),
    "Chinese": ("日期", "股票代码", "收盘"),
    "LSEG": ("Date", "Instrument", "Price Close"),
    "Bloomberg": ("Dates", "ticker", "PX_LAST"),
    "Polygon": ("timestamp", "symbol", "close"),
    "Datastream": ("Date", "Code", "Close"),
}
#: How days are written.
STAMPS: dict[str, Callable[[pd.DatetimeIndex], Any]] = {
    "datetime64[ns]": lambda d: d,
    "datetime64[s]": lambda d: d.as_unit("s"),
    "date objects": lambda d: [x.date() for x in d],
    "ISO": lambda d: d.strftime("%Y-%m-%d"),
    "ISO midnight": lambda d: d.strftime("%Y-%m-%d 00:00:00"),
    "ISO Z": lambda d: d.strftime("%Y-%m-%dT00:00:00Z"),
    "slashes": lambda d: d.strftime("%Y/%m/%d"),
    "yyyymmdd text": lambda d: d.strftime("%Y%m%d"),
    "yyyymmdd int": lambda d: d.strftime("%Y%m%d").astype(int),
    "yyyymmdd float": lambda d: d.strftime("%Y%m%d").astype(float),
    "dd/mm/yyyy": lambda d: d.strftime("%d/%m/%Y"),
    "mm/dd/yyyy": lambda d: d.strftime("%m/%d/%Y"),
    "mm/dd/yy": lambda d: d.strftime("%m/%d/%y"),
    "dd.mm.yyyy": lambda d: d.strftime("%d.%m.%Y"),
    "dd-Mon-yyyy": lambda d: d.strftime("%d-%b-%Y"),
    "ddMonyyyy": lambda d: d.strftime("%d%b%Y"),
    "Mon dd, yyyy": lambda d: d.strftime("%b %d, %Y"),
    "Excel": lambda d: (d - pd.Timestamp("1899-12-30")).days,
    "ms UTC": lambda d: d.tz_localize("UTC").as_unit("ms").asi8,
    "s New York": lambda d: d.tz_localize("America/New_York").as_unit("s").asi8,
    "UTC": lambda d: d.tz_localize("UTC"),
    "New York": lambda d: d.tz_localize("America/New_York"),
    "Shanghai": lambda d: d.tz_localize("Asia/Shanghai"),
    "periods": lambda d: pd.PeriodIndex(d, freq="D"),
}
#: How numbers are held or written.
NUMBERS: dict[str, Callable[[np.ndarray], Any]] = {
    "float64": lambda v: v,
    "Float64": lambda v: pd.array(v, dtype="Float64"),
    "objects": lambda v: np.array(list(v), dtype=object),
    "Decimal": lambda v: np.array([None if np.isnan(x) else Decimal(f"{x:.2f}") for x in v], dtype=object),
    "text": lambda v: np.array([f"{x:.2f}" for x in v], dtype=object),
    "thousands": lambda v: np.array([f"{x:,.2f}" for x in v], dtype=object),
    "comma": lambda v: np.array([f"{x:.2f}".replace(".", ",") for x in v], dtype=object),
    "continental": lambda v: np.array(
        [f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in v], dtype=object
    ),
    "dollars": lambda v: np.array([f"${x:,.2f}" for x in v], dtype=object),
}
ORDERS: dict[str, Callable[[int], np.ndarray]] = {
    "ascending": np.arange,
    "descending": lambda n: np.arange(n)[::-1],
    "shuffled": lambda n: np.random.default_rng(3).permutation(n),
}
LAYOUTS = (
    "wide column",
    "wide index",
    "long",
    "long index",
    "two indices",
    "levels",
    "levels turned",
    "mapping",
)


@dataclass(frozen=True)
class Shape:
    """One shape: what it is called, how it is read, and whether it can only mean one thing."""

    name: str
    make: Callable[[], Any]
    read: Callable[[Any], es.Market]
    wanted: pd.DataFrame = field(default_factory=lambda: RETURNS)
    clear: bool = True


def prices() -> Iterator[Shape]:
    """Closes in every layout; names, days, numbers and orders are drawn against each other."""
    several = itertools.cycle(NAMES.items())
    numbers = itertools.cycle(NUMBERS.items())
    orders = itertools.cycle(ORDERS.items())
    for layout, (stamp, write) in itertools.product(LAYOUTS, STAMPS.items()):
        for _ in range(9):
            (vendor, names), (number, hold), (order, rows) = next(several), next(numbers), next(orders)
            if number == "dollars" and stamp == "ISO":
                next(numbers), next(several)  # keep the cycles from falling into step
            yield Shape(
                f"{layout}, {vendor}, {stamp}, {number}, {order}",
                lambda a=(layout, names, write, hold, rows): frame_of(*a),
                es.Market.from_prices,
            )


def frame_of(
    layout: str,
    names: tuple[str, str, str],
    write: Callable[[pd.DatetimeIndex], Any],
    hold: Callable[[np.ndarray], Any],
    rows: Callable[[int], np.ndarray],
    values: pd.DataFrame = CLOSE,
) -> Any:
    """Lay values out."""
    date, who, what = names
    held = pd.DataFrame({c: hold(values[c].to_numpy()) for c in values})
    stamps = write(pd.DatetimeIndex(values.index))
    if layout.startswith("wide"):
        frame = held.assign(**{date: stamps})[[date, *held.columns]].iloc[rows(len(held))]
        return frame.set_index(date) if layout == "wide index" else frame.reset_index(drop=True)
    if layout == "mapping":
        return {
            c: pd.DataFrame({date: stamps, what: held[c], "Volume": 100.0})
            .iloc[rows(len(held))]
            .set_index(date)
            for c in held
        }
    if layout.startswith("levels"):
        parts = pd.concat(
            {what: held, "Volume": held * 0 + 1 if held.dtypes.eq(float).all() else held}, axis=1
        )
        parts = parts.set_axis(pd.Index(stamps, name=date), axis=0).iloc[rows(len(held))]
        return parts if layout == "levels" else parts.swaplevel(axis=1)
    long = pd.concat([pd.DataFrame({date: stamps, who: c, what: held[c]}) for c in held], ignore_index=True)
    long = long.iloc[rows(len(long))].reset_index(drop=True)
    if layout == "long index":
        return long.set_index(date)
    return long.set_index([date, who]) if layout == "two indices" else long


def returns() -> Iterator[Shape]:
    """Returns in decimals, percent and logs, wide and long."""
    known = RETURNS.iloc[1:]
    orders, stamps = itertools.cycle(ORDERS.items()), itertools.cycle(STAMPS.items())
    for layout, name in itertools.product(
        ("wide column", "wide index", "long", "long index", "two indices"), NAMES
    ):
        for unit, scale, read in (
            ("decimal", 1.0, es.Market),
            ("percent said", 100.0, lambda f: es.Market(f, unit="percent")),
            ("percent", 100.0, es.Market),
            ("gross", None, es.Market),
        ):
            for _ in range(2):
                (stamp, write), (order, rows) = next(stamps), next(orders)
                values = known + 1.0 if scale is None else known * scale
                names = (*NAMES[name][:2], "ret")
                yield Shape(
                    f"returns, {layout}, {name}, {unit}, {stamp}, {order}",
                    lambda a=(layout, names, write, np.asarray, rows, values): frame_of(*a),
                    read,
                    wanted=known,
                    clear=unit in ("decimal", "percent said"),
                )


def outcome(shape: Shape, tolerance: float = 1e-9) -> str:
    """What becomes of a shape: right, refused, warned (and wrong), or silent."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            market = shape.read(shape.make())
        except EventStudyError as error:
            return f"refused: {error}"
    wanted = shape.wanted
    right = set(market.securities) == set(wanted.columns) and len(market.sessions) == len(wanted)
    if right:
        found = market.returns[list(wanted.columns)]
        right = bool((found.index == wanted.index).all()) and np.allclose(
            found.to_numpy(), wanted.to_numpy(), rtol=0, atol=tolerance, equal_nan=True
        )
    if right:
        return "right"
    ours = [str(one.message) for one in told if issubclass(one.category, EventStudyWarning)]
    return f"warned: {ours[0]}" if ours else "silent"
