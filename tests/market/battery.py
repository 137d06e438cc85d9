"""Generated shapes: the same rounded numbers under every name, layout, type, order and way to write a day.

A shape is a way through one door of the library, and must give the CARs of the clean frame; `outcome` says
what it gave. The shapes of a door are drawn from the product of what its tables differ in.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.errors import EventStudyError, EventStudyWarning

#: Sessions of XNYS: Good Friday and Memorial Day are none.
DAYS = pd.bdate_range("2019-04-01", periods=42).drop(["2019-04-19", "2019-05-27"]).as_unit("ns")

_rng = np.random.default_rng(11)
CLOSE = pd.DataFrame(
    (np.array([1200.0, 45.0, 310.0]) * np.exp(np.cumsum(_rng.normal(0, 0.012, (40, 3)), axis=0))).round(2),
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

STUDY = {"estimation": (-20, -3), "window": (-1, 2), "min_observations": 15}
#: Positions of the event days: days beyond the twelfth, of which none can be a month.
EVENTS = (31, 32, 34)
INDEX = (CLOSE.mean(axis=1) * (1 + np.random.default_rng(4).normal(0, 0.004, 40))).round(2).rename("index")
_CARS: dict[Any, np.ndarray] = {}


def event_days() -> pd.DataFrame:
    return pd.DataFrame({"security": list(CLOSE.columns), "date": DAYS[list(EVENTS)]})


KNOWN_EVENTS = es.Events(event_days())


def cars(market: Any, events: es.Events = KNOWN_EVENTS, model: Any = None) -> np.ndarray:
    """CAR(0, 1) of the event of each security; arrays equal to 1e-12, and events, are studied once."""
    frame = events.frame
    when = [pd.DatetimeIndex(frame[c]).asi8.tobytes() for c in frame if frame[c].dtype.kind == "M"]
    key: Any = (tuple(frame["security"]), *when, events.non_session, type(model))
    if isinstance(market, es.Market):
        arrays = (market.arrays.returns, market.bank.single, market.sessions.asi8, market.arrays.benchmark)
        key += (market.columns, tuple(market.bank.names), *((a + 0.0).round(12).tobytes() for a in arrays))
    else:
        key += (object(),)  # files are read anew
    if key not in _CARS:
        found = es.EventStudy(market, events, model or es.MarketModel(), **STUDY).fit().car(0, 1)
        _CARS[key] = found["car"].loc[frame.sort_values("security").index].to_numpy()
    return _CARS[key]


@dataclass(frozen=True)
class Shape:
    """One shape: what it is called, the CARs it gives, those it should, and whether it has one meaning only.

    A shape that is not clear may be refused or warned of; that must name one of `told`.
    """

    name: str
    run: Callable[[Path], np.ndarray]
    wanted: Callable[[], np.ndarray]
    clear: bool = True
    told: tuple[str, ...] = ()


def drawn(axes: Mapping[str, Sequence[Any]], n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Draw n points of the product of some axes, each once."""
    sizes = [len(values) for values in axes.values()]
    total = math.prod(sizes)
    seen: set[tuple[Any, ...]] = set()
    for point in random.Random(seed).sample(range(total), min(2 * n, total)):
        chosen = {}
        for name, values in axes.items():
            point, at = divmod(point, len(values))
            chosen[name] = values[at]
        if len(seen) < n and tuple(chosen.values()) not in seen:
            seen.add(tuple(chosen.values()))
            yield chosen


def outcome(shape: Shape, folder: Path, tolerance: float = 1e-9) -> str:
    """What becomes of a shape: right, refused, warned (and wrong), or silent."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = shape.run(folder)
        except EventStudyError as error:
            return f"refused: {error}"
    wanted = shape.wanted()
    if found.shape == wanted.shape and np.allclose(found, wanted, rtol=0, atol=tolerance):
        return "right"
    ours = [str(one.message) for one in told if issubclass(one.category, EventStudyWarning)]
    return f"warned: {' | '.join(ours)}" if ours else "silent"


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
