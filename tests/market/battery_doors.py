"""The doors of the battery: prices, returns, benchmarks, factors, files, Parquet panels and event lists."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from tests.market.battery import (
    CLOSE,
    DAYS,
    EVENTS,
    INDEX,
    LAYOUTS,
    NAMES,
    NUMBERS,
    ORDERS,
    RETURNS,
    STAMPS,
    Shape,
    cars,
    drawn,
    event_days,
    frame_of,
)

_rng = np.random.default_rng(12)
INDEX_RETURNS = INDEX.pct_change().iloc[1:]
FACTORS = pd.DataFrame(
    {
        "mkt_rf": INDEX_RETURNS - 0.00005,
        "smb": _rng.normal(0, 0.004, 39),
        "hml": _rng.normal(0, 0.004, 39),
        "rf": 0.00005,
    }
).round(6)
#: Ways to hold a number that rounding does not touch.
EXACT: dict[str, Callable[[np.ndarray], Any]] = {
    "float64": np.asarray,
    "Float64": lambda v: pd.array(v, dtype="Float64"),
    "Arrow": lambda v: pd.array(v, dtype="double[pyarrow]"),
    "objects": lambda v: np.array(list(v), dtype=object),
    "text": lambda v: np.array([repr(float(x)) for x in v], dtype=object),
}
NAMELESS = {
    "frame": lambda f: f,
    "polars": lambda f: _polars(f),
    "pyarrow": lambda f: _pyarrow(f),
}  # fmt: skip
#: Stamps that tables of other libraries can hold.
FOREIGN = (
    "datetime64[ns]", "date objects", "ISO", "yyyymmdd text", "yyyymmdd int", "dd/mm/yyyy", "Excel", "UTC",
    "ms UTC", "dd-Mon-yyyy",
)  # fmt: skip
#: Stamps that a text file can hold.
WRITTEN = (
    "ISO", "ISO midnight", "ISO Z", "slashes", "yyyymmdd text", "dd/mm/yyyy", "mm/dd/yyyy", "mm/dd/yy",
    "dd.mm.yyyy", "dd-Mon-yyyy", "ddMonyyyy", "Mon dd, yyyy", "Excel", "ms UTC",
)  # fmt: skip


def _polars(frame: pd.DataFrame) -> Any:
    import polars as pl

    return pl.DataFrame({str(c): frame[c].to_list() for c in frame})


def _pyarrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.table({str(c): pa.array(frame[c].to_list()) for c in frame})


def of_prices() -> np.ndarray:
    return cars(es.Market.from_prices(CLOSE, benchmark=INDEX))


def of_returns() -> np.ndarray:
    return cars(es.Market(RETURNS.iloc[1:], benchmark=INDEX_RETURNS))


def of_factors() -> np.ndarray:
    return cars(es.Market(RETURNS.iloc[1:], factors=FACTORS), model=es.FamaFrench3())


def name_of(*parts: Any) -> str:
    return ", ".join(map(str, parts))


def carried(axes: Mapping[str, Sequence[Any]], n: int, seed: int, among: int) -> Iterator[dict[str, Any]]:
    """Draw n points whose stamps the carrier can hold, from `among` times as many."""
    able = (
        at
        for at in drawn(axes, among * n, seed)
        if at["carrier"] not in ("polars", "pyarrow") or at["stamp"] in FOREIGN
    )
    return itertools.islice(able, n)


def prices(n: int) -> Iterator[Shape]:
    """Closes in every layout."""
    axes = {
        "layout": LAYOUTS,
        "names": [*NAMES],
        "stamp": [*STAMPS],
        "numbers": [*NUMBERS],
        "order": [*ORDERS],
    }
    for at in drawn(axes, n, 1):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            layout, names, stamp, numbers, order = at
            frame = frame_of(layout, NAMES[names], STAMPS[stamp], NUMBERS[numbers], ORDERS[order])
            return cars(es.Market.from_prices(frame, benchmark=INDEX))

        yield Shape(name_of("prices", *at.values()), run, of_prices)


def returns(n: int) -> Iterator[Shape]:
    """Returns in decimals, percent and gross, wide and long."""
    units: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], dict[str, Any]]] = {
        "decimal": (lambda v: v, {}),
        "percent said": (lambda v: v * 100, {"unit": "percent"}),
        "percent": (lambda v: v * 100, {}),
        "basis points": (lambda v: v * 10_000, {}),
        "gross": (lambda v: v + 1, {}),
        "closes": (lambda v: (1 + v).cumprod(), {}),
    }
    axes = {
        "layout": ("wide column", "wide index", "long", "long index", "two indices"),
        "names": [*NAMES],
        "unit": ["decimal"] * 4 + ["percent said"] * 2 + [*units][2:],
        "stamp": [*STAMPS],
        "numbers": [*EXACT],
        "order": [*ORDERS],
    }
    for at in drawn(axes, n, 2):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            layout, names, unit, stamp, numbers, order = at
            scale, said = units[unit]
            columns = (*NAMES[names][:2], "ret")
            values = scale(RETURNS.iloc[1:])
            frame = frame_of(layout, columns, STAMPS[stamp], EXACT[numbers], ORDERS[order], values)
            index = INDEX_RETURNS * (100 if said else 1)
            return cars(es.Market(frame, benchmark=index, **said))

        clear = at["unit"] in ("decimal", "percent said")
        yield Shape(name_of("returns", *at.values()), run, of_returns, clear, ("percent", "gross", "prices"))


def benchmarks(n: int) -> Iterator[Shape]:
    """An index as a Series, a frame, a table of another library; its level, its returns, in percent."""
    axes = {
        "carrier": ("series", "one column", "column of days", "whole frame", "polars", "pyarrow", "of each"),
        "name": ("close", "Price", "S&P 500", "收盘", "PX_LAST", "^GSPC", "index"),
        "date": ("Date", "日期", "datadate", "Dates", "caldt"),
        "values": (
            "level",
            "level",
            "returns",
            "returns",
            "percent",
            "level for returns",
            "returns for level",
        ),
        "stamp": [*STAMPS],
        "numbers": [*EXACT],
        "order": [*ORDERS],
    }
    for at in carried(axes, n, 3, among=4):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            given = _benchmark(*at)
            if at[3] in ("level", "returns for level"):
                return cars(es.Market.from_prices(CLOSE, benchmark=given))
            return cars(es.Market(RETURNS.iloc[1:], benchmark=given))

        wanted = of_prices if at["values"] in ("level", "returns for level") else of_returns
        clear = at["values"] in ("level", "returns")
        yield Shape(name_of("benchmark", *at.values()), run, wanted, clear, ("enchmark",))


def _benchmark(carrier: str, name: str, date: str, values: str, stamp: str, numbers: str, order: str) -> Any:
    known = INDEX if values.startswith("level") else INDEX_RETURNS
    known = known * 100 if values == "percent" else known
    name = "ret" if name == "close" and not values.startswith("level") else name
    days, held = STAMPS[stamp](pd.DatetimeIndex(known.index)), EXACT[numbers](known.to_numpy())
    rows = ORDERS[order](len(known))
    frame = pd.DataFrame({date: days, name: held}).iloc[rows].reset_index(drop=True)
    if carrier in NAMELESS:
        return NAMELESS[carrier](frame)
    if carrier == "whole frame":
        level = values.startswith("level") and name in ("close", "Price", "收盘", "PX_LAST")
        return frame.assign(Open=frame[name], Volume=1.0) if level else frame
    if carrier == "column of days":
        return frame
    one = frame.set_index(date)
    if carrier == "one column":
        return one
    return one[name] if carrier == "series" else dict.fromkeys(CLOSE, one[name])


#: Names of mkt_rf, smb, hml and rf.
FACTOR_WORDS = {
    "models": ("mkt_rf", "smb", "hml", "rf"),
    "French": ("Mkt-RF", "SMB", "HML", "RF"),
    "WRDS": ("mktrf", "smb", "hml", "rf"),
    "tidyfinance": ("mkt_excess", "smb", "hml", "risk_free"),
    "blanks": (" Mkt-RF", "SMB ", "HML", "RF "),
    "Chinese": ("RM-RF", "SMB", "HML", "Rf"),
}


def _factors(words: str, date: str, scale: float, stamp: str, numbers: str, order: str) -> pd.DataFrame:
    held = {
        name: EXACT[numbers]((FACTORS[c] * scale).round(8).to_numpy())
        for name, c in zip(FACTOR_WORDS[words], FACTORS, strict=True)
    }
    frame = pd.DataFrame({date: STAMPS[stamp](DAYS[1:]), **held})
    return frame.iloc[ORDERS[order](len(frame))].reset_index(drop=True)


def factors(n: int) -> Iterator[Shape]:
    """Frames of factors."""
    axes = {
        "words": [*FACTOR_WORDS],
        "date": ("date", "Date", "caldt", "日期", "month"),
        "scale": (1.0, 1.0, 1.0, 100.0),
        "stamp": [*STAMPS],
        "numbers": [*EXACT],
        "order": [*ORDERS],
        "carrier": ("index", "frame", "polars", "pyarrow", "set"),
    }
    for at in carried(axes, n, 4, among=3):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            frame: Any = _factors(*at[:-1])
            carrier = at[-1]
            frame = frame.set_index(at[1]) if carrier in ("index", "set") else NAMELESS[carrier](frame)
            if carrier == "set":
                market = es.Market(RETURNS.iloc[1:], factors={"US": frame})
                return cars(market, es.Events(event_days().assign(factors="US")), es.FamaFrench3())
            return cars(es.Market(RETURNS.iloc[1:], factors=frame), model=es.FamaFrench3())

        clear = at["scale"] == 1.0
        yield Shape(name_of("factors", *at.values()), run, of_factors, clear, ("percent", "rf"))


def _write(path: Path, frame: pd.DataFrame, kind: str, above: str, below: str) -> Path:
    """Write a table as a file of some kind, with rows above and below it."""
    rows = [frame.columns.tolist(), *frame.astype(object).to_numpy().tolist()]
    top = {"": [], "title": [["Closing prices"], ["Source: a vendor"]], "sep": []}[above]
    foot = {"": [], "note": [["Data: a vendor, all rights reserved"]], "blank": [[""], [""]]}[below]
    if kind == "parquet":
        path = path.with_suffix(".parquet")
        frame.to_parquet(path, index=False)
        return path
    if kind == "xlsx":
        path = path.with_suffix(".xlsx")
        pd.DataFrame([*top, *rows, *foot]).to_excel(path, index=False, header=False)
        return path
    sign, encoding = {",": (",", "utf-8"), ";": (";", "utf-8-sig"), "tab": ("\t", "utf-16")}[kind]
    path = path.with_suffix(".csv")
    lines = [sign.join(_quoted(cell, sign) for cell in row) for row in [*top, *rows, *foot]]
    lines = [f"sep={sign}", *lines] if above == "sep" else lines
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def _quoted(cell: Any, sign: str) -> str:
    text = "" if cell is None or cell != cell else str(cell)
    return f'"{text}"' if sign in text else text


_SERIAL = itertools.count()


def files(n: int) -> Iterator[Shape]:
    """Price files as downloaded."""
    axes = {
        "layout": ("wide column", "long", "one each"),
        "names": [*NAMES],
        "kind": (",", ",", ";", ";", "tab", "xlsx", "parquet"),
        "stamp": WRITTEN,
        "numbers": ("float64", "text", "thousands", "comma", "continental", "dollars"),
        "order": [*ORDERS],
        "above": ("", "", "title", "sep"),
        "below": ("", "", "note", "blank"),
    }
    for at in drawn(axes, n, 5):

        def run(folder: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            layout, names, kind, stamp, numbers, order, above, below = at
            place = folder / f"prices{next(_SERIAL)}"
            if layout == "one each":
                place.mkdir()
                paths = {}
                for who in CLOSE:
                    one = frame_of(
                        "mapping", NAMES[names], STAMPS[stamp], NUMBERS[numbers], ORDERS[order], CLOSE[[who]]
                    )
                    paths[who] = _write(place / f"p{len(paths)}", one[who].reset_index(), kind, above, below)
                return cars(es.Market.from_prices(es.sources.read_prices(paths), benchmark=INDEX))
            frame = frame_of(layout, NAMES[names], STAMPS[stamp], NUMBERS[numbers], ORDERS[order])
            read = es.sources.read_prices(_write(place, frame, kind, above, below))
            return cars(es.Market.from_prices(read, benchmark=INDEX))

        yield Shape(name_of("file", *at.values()), run, of_prices)


def factor_files(n: int) -> Iterator[Shape]:
    """Factor files, with the right unit said or the wrong one."""
    axes = {
        "words": [*FACTOR_WORDS],
        "date": ("date", "Date", "caldt", "日期"),
        "unit": (
            "percent",
            "percent",
            "decimal",
            "decimal",
            "percent said of decimals",
            "decimal said of percent",
        ),
        "stamp": WRITTEN,
        "kind": (",", ";", "tab", "xlsx", "parquet"),
        "order": [*ORDERS],
        "above": ("", "title", "sep"),
        "below": ("", "note", "blank"),
    }
    for at in drawn(axes, n, 6):

        def run(folder: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            words, date, unit, stamp, kind, order, above, below = at
            scale = 100.0 if unit in ("percent", "decimal said of percent") else 1.0
            frame = _factors(words, date, scale, stamp, "float64", order)
            path = _write(folder / f"factors{next(_SERIAL)}", frame, kind, above, below)
            read = es.sources.read_factors(path, unit=unit.split()[0])
            return cars(es.Market(RETURNS.iloc[1:], factors=read), model=es.FamaFrench3())

        clear = "said" not in at["unit"]
        yield Shape(name_of("factor file", *at.values()), run, of_factors, clear, ("percent", "decimal"))


def panels(n: int) -> Iterator[Shape]:
    """Long panels in Parquet."""
    ids = {
        "text": lambda s: s.astype(object),
        "category": lambda s: s.astype("category"),
        "Arrow": lambda s: s.astype("string[pyarrow]"),
    }
    units = {"decimal": 1.0, "percent": 100.0}
    axes = {
        "names": [*NAMES],
        "ret": ("ret", "RET", "DlyRet", "return"),
        "ids": [*ids],
        "stamp": (
            "datetime64[ns]",
            "datetime64[s]",
            "date objects",
            "ISO",
            "UTC",
            "yyyymmdd text",
            "yyyymmdd int",
        ),
        "numbers": ("float64", "Float64", "Arrow", "text"),
        "order": [*ORDERS],
        "unit": ("decimal", "decimal", "decimal", "percent"),
        "missing": (False, True),
    }
    for at in drawn(axes, n, 7):

        def run(folder: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            names, ret, id_type, stamp, numbers, order, unit, missing = at
            columns = (*NAMES[names][:2], ret)
            values = RETURNS.iloc[0 if missing else 1 :] * units[unit]
            frame = frame_of("long", columns, STAMPS[stamp], EXACT[numbers], ORDERS[order], values)
            frame[columns[1]] = ids[id_type](frame[columns[1]])
            path = folder / f"panel{next(_SERIAL)}.parquet"
            frame.to_parquet(path, index=False)
            return cars(es.Market.scan_parquet(path, benchmark=INDEX_RETURNS))

        clear = at["unit"] == "decimal" and at["numbers"] != "text" and at["stamp"] != "yyyymmdd int"
        yield Shape(name_of("panel", *at.values()), run, of_returns, clear, ("percent", "column"))


def events(n: int) -> Iterator[Shape]:
    """Event lists of days."""
    axes = {
        "who": (
            "security", "ticker", "Symbol", "oftic", "tic", "RIC", "证券代码", "permno", "ISIN",
            "Company Ticker",
        ),
        "when": (
            "date", "Event Date", "announcement_date", "anndats", "rdq", "Report Date",
            "filing_date",
            "公告日期",
        ),
        "ids": ("object", "string", "category", "Arrow", "blanks"),
        "stamp": [*STAMPS],
        "order": [*ORDERS],
        "carrier": ("frame", "index", "records", "columns", "polars", "pyarrow", "odd index"),
        "days": ("beyond the twelfth", "beyond the twelfth", "to the twelfth"),
    }  # fmt: skip
    for at in carried(axes, n, 8, among=3):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            who, when, ids, stamp, order, carrier, which = at
            rows = EVENTS if which.startswith("beyond") else EARLY
            given = _carried(
                pd.DataFrame({who: _ids(ids), when: STAMPS[stamp](DAYS[list(rows)])}).iloc[ORDERS[order](3)],
                carrier,
                when,
            )
            return cars(es.Market.from_prices(CLOSE, benchmark=INDEX), es.Events(given))

        early = not at["days"].startswith("beyond")
        doubtful = early and at["stamp"] in ("dd/mm/yyyy", "mm/dd/yyyy", "mm/dd/yy", "dd.mm.yyyy")
        wanted = of_early if early else of_prices
        yield Shape(name_of("events", *at.values()), run, wanted, not doubtful, ("date", "day"))


#: Event days of which each may be a month.
EARLY = (24, 25, 27)


def of_early() -> np.ndarray:
    days = event_days().assign(date=DAYS[list(EARLY)])
    return cars(es.Market.from_prices(CLOSE, benchmark=INDEX), es.Events(days))


def _ids(ids: str) -> Any:
    names = list(CLOSE.columns)
    if ids == "blanks":
        return [f" {name} " for name in names]
    return pd.Series(names, dtype="string[pyarrow]" if ids == "Arrow" else ids)


def _carried(frame: pd.DataFrame, carrier: str, when: str) -> Any:
    if carrier == "records":
        return frame.to_dict("records")
    if carrier == "columns":
        return frame.to_dict("list")
    if carrier == "index":
        return frame.set_index(when)
    if carrier == "odd index":
        return frame.set_axis([7, 3, 9], axis=0)
    return NAMELESS[carrier](frame.reset_index(drop=True))


#: Local times of the announcements: after the close before, before the opening, late in the evening before.
LOCAL = pd.DatetimeIndex(
    [
        DAYS[EVENTS[0] - 1] + pd.Timedelta(hours=16, minutes=30),
        DAYS[EVENTS[1]] + pd.Timedelta(hours=7, minutes=5),
        DAYS[EVENTS[2] - 1] + pd.Timedelta(hours=21, minutes=45),
    ]
)
NEW_YORK = LOCAL.tz_localize("America/New_York")
GREENWICH, SHANGHAI = NEW_YORK.tz_convert("UTC"), NEW_YORK.tz_convert("Asia/Shanghai")
_ZONE = {"timezone": "America/New_York"}
_CLOCKS: dict[str, Callable[[pd.DatetimeIndex], Any]] = {
    "times": lambda t: [time(x.hour, x.minute) for x in t],
    "HH:MM": lambda t: t.strftime("%H:%M"),
    "HH:MM:SS": lambda t: t.strftime("%H:%M:%S"),
    "AM/PM": lambda t: t.strftime("%I:%M %p"),
    "seconds": lambda t: t.hour * 3600 + t.minute * 60,
    "timedelta": lambda t: t - t.normalize(),
}
#: Numbers that only the whole column explains.
_NUMBERS: dict[str, Callable[[pd.DatetimeIndex], Any]] = {
    "hhmm": lambda t: t.hour * 100 + t.minute,
    "hhmm text": lambda t: t.strftime("%H%M"),
    "hhmmss text": lambda t: t.strftime("%H%M%S"),
    "parts of a day": lambda t: (t - t.normalize()) / pd.Timedelta(days=1),
}
#: Columns that say when, what goes to `Events` beside them, and whether they have one meaning.
MOMENTS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any], bool]] = {
    "offset": (lambda: {"announced_at": [x.isoformat(" ") for x in NEW_YORK]}, {}, True),
    "offset T": (lambda: {"announced_at": [x.isoformat() for x in NEW_YORK]}, {}, True),
    "Z": (lambda: {"announced_at": GREENWICH.strftime("%Y-%m-%dT%H:%M:%SZ")}, {}, True),
    "UTC": (lambda: {"announced_at": GREENWICH.strftime("%Y-%m-%d %H:%M UTC")}, {}, True),
    "UTC-4": (lambda: {"announced_at": LOCAL.strftime("%Y-%m-%d %H:%M UTC-4")}, {}, True),
    "GMT+8": (
        lambda: {"announced_at": SHANGHAI.strftime("%Y-%m-%d %H:%M GMT+8")}, {}, True,
    ),
    "zone in text": (lambda: {"announced_at": LOCAL.strftime("%Y-%m-%d %H:%M America/New_York")}, {}, True),
    "EST": (lambda: {"announced_at": LOCAL.strftime("%Y-%m-%d %H:%M EST")}, {}, False),
    "aware": (lambda: {"announced_at": NEW_YORK}, {}, True),
    "aware UTC": (lambda: {"announced_at": NEW_YORK.tz_convert("UTC").as_unit("us")}, {}, True),
    "aware Shanghai": (lambda: {"announced_at": NEW_YORK.tz_convert("Asia/Shanghai")}, {}, True),
    "naive": (lambda: {"announced_at": LOCAL}, {}, False),
    "naive text": (lambda: {"announced_at": LOCAL.strftime("%Y-%m-%d %H:%M")}, {}, False),
    "naive, zone said": (lambda: {"announced_at": LOCAL}, _ZONE, True),
    "naive text, zone said": (lambda: {"announced_at": LOCAL.strftime("%Y-%m-%d %H:%M")}, _ZONE, True),
    "naive, zones": (lambda: {"announced_at": LOCAL, "timezone": "America/New_York"}, {}, True),
    "another zone": (
        lambda: {
            "announced_at": NEW_YORK.tz_convert("Asia/Shanghai").tz_localize(None),
            "tz": "Asia/Shanghai",
        }, {}, True,
    ),
    "EST said": (lambda: {"announced_at": LOCAL}, {"timezone": "EST"}, False),
    "seconds since 1970": (lambda: {"announced_at": NEW_YORK.as_unit("s").asi8}, {}, True),
    "AMC": (
        lambda: {"date": LOCAL.normalize(), "session": ["AMC", "BMO", "AMC"]}, {}, True,
    ),
    "after market": (
        lambda: {
            "date": LOCAL.normalize(),
            "time": ["time-after-hours", "time-pre-market", "After Market Close"],
        },
        {}, True,
    ),
    "Capital IQ": (
        lambda: {"announcedateutc": NEW_YORK.tz_convert("UTC").tz_localize(None)}, {}, True,
    ),
    "edgartools": (
        lambda: {"acceptanceDateTime": GREENWICH.strftime("%Y-%m-%dT%H:%M:%S.000Z")}, {}, True,
    ),
    "yfinance": (lambda: {"Earnings Date": NEW_YORK}, {}, True),
    "window": (
        lambda: {
            "announced_after": NEW_YORK - pd.Timedelta(minutes=9),
            "announced_before": NEW_YORK + pd.Timedelta(minutes=9),
        }, {}, True,
    ),
    **{
        f"I/B/E/S, {clock}": (
            lambda write=write: {"anndats": LOCAL.normalize(), "anntims": write(LOCAL)}, {}, True,
        )
        for clock, write in _CLOCKS.items()
    },
    **{
        f"date and time, {clock}, zone said": (
            lambda write=write: {"date": LOCAL.normalize(), "time": write(LOCAL)}, _ZONE, True,
        )
        for clock, write in (_CLOCKS | _NUMBERS).items()
    },
    "yyyymmddhhmmss": (lambda: {"acceptance_datetime": LOCAL.strftime("%Y%m%d%H%M%S")}, _ZONE, True),
    "Excel": (
        lambda: {"announced_at": (LOCAL - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)}, _ZONE, True,
    ),
    **{
        f"date and time, {clock}": (
            lambda write=write: {"date": LOCAL.normalize(), "time": write(LOCAL)}, {}, False,
        )
        for clock, write in _CLOCKS.items()
    },
}  # fmt: skip


def moments(n: int) -> Iterator[Shape]:
    """Event lists of times, which need the calendar of an exchange."""
    axes = {
        "who": ("security", "ticker", "Symbol", "oftic", "permno"),
        "moment": [*MOMENTS],
        "ids": ("object", "string", "category", "Arrow", "blanks"),
        "order": [*ORDERS],
        "carrier": ("frame", "records", "columns", "odd index", "polars", "pyarrow"),
    }
    for at in drawn(axes, n, 9):

        def run(_: Path, at: tuple[Any, ...] = tuple(at.values())) -> np.ndarray:
            who, moment, ids, order, carrier = at
            write, said, _clear = MOMENTS[moment]
            frame = pd.DataFrame({who: _ids(ids), **write()}).iloc[ORDERS[order](3)]
            given = _carried(frame, carrier, "")
            market = es.Market.from_prices(CLOSE, benchmark=INDEX, calendar="XNYS")
            return cars(market, es.Events(given, **said))

        yield Shape(
            name_of("moments", *at.values()),
            run,
            of_prices,
            MOMENTS[at["moment"]][2],
            ("time", "zone", "EST"),
        )


#: Doors, and how many of their shapes the fast suite draws.
DOORS: dict[str, tuple[Callable[[int], Iterator[Shape]], int]] = {
    "prices": (prices, 500),
    "returns": (returns, 260),
    "benchmarks": (benchmarks, 220),
    "factors": (factors, 200),
    "files": (files, 160),
    "factor files": (factor_files, 100),
    "panels": (panels, 100),
    "events": (events, 300),
    "moments": (moments, 220),
}
