"""Reproduction: the study as code, the versions, and the fingerprint of the data."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from numbers import Real

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray, FloatArray
from eventstudy._version import __version__
from eventstudy.calendars import Exchange
from eventstudy.column_names import WINDOW_COLUMNS
from eventstudy.events import Events
from eventstudy.inference.base import Alternative
from eventstudy.market import Market
from eventstudy.results.fitted import FittedStudy
from eventstudy.results.plot_data import SEED
from eventstudy.sample import DateWindow
from eventstudy.windows import Window

__all__ = ["code", "fingerprints", "versions"]

LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "seaborn")
#: The events of larger studies are read from a file of the user's.
MOST_EVENTS = 30
SHOWN = ["security", "date", "announced_at", "announced_local"]


_version = cache(version)


def versions() -> pd.Series[str]:
    """Version of this library, of Python and of the libraries the numbers depend on."""
    found = {"eventstudy": __version__, "python": platform.python_version()}
    return pd.Series(found | {name: _version(name) for name in LIBRARIES}, name="version")


def fingerprints(market: Market) -> pd.Series[str]:
    """SHA-256 of the returns, and of benchmarks and factors.

    The bytes hashed are those of the values as little-endian doubles, row by row, every missing one
    the same NaN: returns sessions × securities, benchmarks and factors series × sessions.
    """
    hashes = {"returns": _sha256(market.returns.to_numpy())}
    if market.bank.names:
        hashes["benchmarks and factors"] = _sha256(market.bank.single)
    return pd.Series(hashes, name="SHA-256")


def _sha256(values: FloatArray) -> str:
    return hashlib.sha256(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()).hexdigest()


def code(data: FittedStudy, window: Window, alternative: Alternative = "two-sided") -> str:
    """Python that makes the study again from the user's prices or returns."""
    spec = data.spec
    side = "" if alternative == "two-sided" else f", alternative={alternative!r}"
    lines = [
        "import eventstudy as es",
        "",
        *(_in_event_time(data) if spec.market.undated else [*_market(data), *_listed(spec.events)]),
        "study = es.EventStudy(",
        "    market,",
        "    events,",
        f"    model=es.{spec.model!r},",
        f"    estimation={_windows(spec.asked.estimation) if spec.asked else _windows((spec.estimation,))},",
        f"    window={_windows((spec.asked.window if spec.asked else spec.window,))},",
        f"    min_observations={spec.min_observations},",
        *(["    exclude_events=True,"] if spec.exclude_events else []),
        *(_dates(spec.exclude_dates) if spec.exclude_dates else []),
        *([f"    incomplete={spec.incomplete!r},"] if spec.incomplete != "warn" else []),
        ")",
        "results = study.fit()",
        f"results.car({window.start}, {window.end}{side})",
        f"results.test({window.start}, {window.end}{side}, seed={SEED})",
    ]
    return "\n".join(lines) + "\n"


def _market(data: FittedStudy) -> list[str]:
    market = data.spec.market
    maker, given = ("from_prices", "prices") if "close" in market.price_fields else ("", "returns")
    making = market.arrays.making
    if making.scanned:
        maker, given = "scan_parquet", "path"
    against = ""
    outside = [name for name in market.benchmarks if name not in market.columns]
    if len(market.benchmarks) == 1:
        against = "benchmark" if outside else repr(market.benchmarks[0])
    elif market.benchmarks:
        own = market.arrays.benchmark[data.sample.security]
        pairs = zip(data.sample.timeline["security"], own, strict=True)
        names = {security: market.bank.names[row] for security, row in pairs if row >= 0}
        named = not outside and len(names) <= MOST_EVENTS
        against = repr(names) if named else "benchmarks"
    later = making.before_benchmark > 0
    options = [given] if later or not against else [given, f"benchmark={against}"]
    options += ["factors=factors"] if market.factors is not None else []
    options += [f"calendar={_calendar(market.exchange)}"] if market.exchange is not None else []
    options += [f"kind={market.kind!r}"] if market.kind != "simple" else []
    options += [f"gaps={market.arrays.gaps!r}"] if market.arrays.gaps is not None else []
    options += [f"freq={market.arrays.freq!r}"] if market.arrays.freq is not None else []
    options += making.said
    first, last = market.sessions[0], market.sessions[-1]
    # Each conversion has rates of its own.
    rates = [f"rate_{n}" for n in range(1, making.converted + 1)] if making.converted > 1 else ["rate"]
    steps = [f"market = es.in_currency(market, {rate})" for rate in rates[: making.converted]]
    if later and against:
        steps.insert(making.before_benchmark, f"market = market.with_benchmark({against})")
    data_of = "data" if given != "path" else "files in Parquet"
    return [
        f"# {given}: your {data_of}, {len(market.securities)} securities, "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}",
        *([f"# {against}: your series {', '.join(outside[:5])}"] if outside else []),
        f"market = es.{'.'.join(filter(None, ('Market', maker)))}({', '.join(options)})",
        *steps,
    ]


def _in_event_time(data: FittedStudy) -> list[str]:
    """Make market and events of data in event time."""
    market = data.spec.market
    options = ["returns", *market.arrays.making.said]
    options += [f"kind={market.kind!r}"] if market.kind != "simple" else []
    options += [f"gaps={market.arrays.gaps!r}"] if market.arrays.gaps is not None else []
    events = data.spec.events.frame
    made, taken = "events", []
    if any(name in events for name in WINDOW_COLUMNS):
        made, taken = "_", _listed(data.spec.events)
    elif list(events["security"]) != market.securities:
        rows = pd.Index(market.securities).get_indexer(pd.Index(events["security"])).tolist()
        taken = [f"events = events.take({rows})"]
    return [
        f"# returns: your data, {len(market.securities)} events, {len(market.sessions)} relative days",
        f"market, {made} = es.from_event_time({', '.join(options)})",
        *taken,
    ]


def _listed(events: Events) -> list[str]:
    more = f"  # your {len(events)} events" if len(events) > MOST_EVENTS else ""
    return [f"events = es.Events({_events(events.frame)}{_options(events)}){more}"]


def _calendar(exchange: Exchange) -> str:
    mended = exchange.closed or exchange.extra or exchange.closes
    return f"es.{exchange!r}" if mended else repr(exchange.name)


def _events(frame: pd.DataFrame) -> str:
    if len(frame) > MOST_EVENTS:
        return "events"
    rows = []
    for event_id, row in frame.iterrows():
        cells: dict[str, object] = {} if _counts(frame.index) else {"event_id": _plain(event_id)}
        cells["security"] = row["security"]
        if pd.notna(row["announced_at"]):
            cells["announced_at"] = row["announced_local"].isoformat()
        elif pd.notna(row["date"]):
            cells["date"] = f"{row['date']:%Y-%m-%d}"
        for name in frame.columns.difference(SHOWN, sort=False):
            if pd.api.types.is_scalar(row[name]) and pd.notna(row[name]):
                cells[str(name)] = _plain(row[name])
        rows.append(f"    {cells!r},\n")
    return "[\n" + "".join(rows) + "]"


def _counts(index: pd.Index) -> bool:
    return list(index) == list(range(len(index)))


def _plain(value: object) -> object:
    """Return a value whose repr is code: those of NumPy's numbers and of dates are not."""
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | bool | Real) else str(value)


def _options(events: Events) -> str:
    options = "" if events.non_session == "next" else f", non_session={events.non_session!r}"
    return options + ("" if events.ambiguous == "exclude" else f", ambiguous={events.ambiguous!r}")


def _windows(windows: Sequence[object]) -> str:
    """Write windows as `EventStudy` takes them."""
    told = [
        f"({each.start}, {each.end})"
        if isinstance(each, Window)
        else f"('{each.start:%Y-%m-%d}', '{each.end:%Y-%m-%d}')"
        for each in windows
        if isinstance(each, Window | DateWindow)
    ]
    return "None" if not told else told[0] if len(told) == 1 else f"[{', '.join(told)}]"


def _dates(given: Mapping[str | None, DateArray]) -> list[str]:
    """Write days that are left out, as `EventStudy` takes them."""
    by_name = {name: [str(day) for day in days] for name, days in given.items()}
    return [f"    exclude_dates={by_name.get(None, by_name)!r},"]
