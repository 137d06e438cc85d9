"""A market as a folder of Parquet files and its description in JSON: an open form that outlives versions."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.calendars import Exchange
from eventstudy.errors import DataError, RequestError
from eventstudy.files import write_atomic
from eventstudy.market.alignment import MarketData
from eventstudy.market.given_options import Making
from eventstudy.market.market import Market
from eventstudy.optional import import_optional
from eventstudy.tabular.reading import Taken

__all__ = ["read_market", "read_table", "write_market", "write_table"]

#: Separates a set of factors from the name of a factor in a file.
OF_SET = ": "


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to a Parquet file.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    import_optional("pyarrow", "pyarrow", "scale", "Storing a study")
    content = io.BytesIO()
    frame.to_parquet(content, engine="pyarrow")
    write_atomic(path, content.getvalue())


def read_table(path: Path) -> pd.DataFrame:
    """Read a frame from a Parquet file.

    Raises
    ------
    DataError
        If the file is missing, or is not Parquet.
    MissingExtraError
        If pyarrow is not installed.
    """
    import_optional("pyarrow", "pyarrow", "scale", "Opening a stored study")
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} cannot be read: {problem}") from problem


def write_market(market: Market, folder: Path, keep: Collection[str] | None = None) -> dict[str, Any]:
    """Write the data of a market, and return its description.

    Parameters
    ----------
    market : Market
    folder : Path
    keep : collection of str, optional
        Securities to keep, beside the benchmarks; all by default.

    Returns
    -------
    dict
        What `read_market` needs besides the files, in terms of JSON.

    Raises
    ------
    RequestError
        If the market is intraday, or holds securities of several exchanges.
    """
    data = market._data
    if data.gap is not None or data.freq is not None:
        raise RequestError("A study of bars within the day cannot be stored; store its tables.")
    if market.parts:
        raise RequestError("A study of several exchanges cannot be stored; store the study of each.")
    if keep is not None:
        wanted = {*keep, *(name for name in market.benchmarks if name in data.columns)}
        data = _kept(data, [i for i, name in enumerate(data.columns) if name in wanted])
    days = data.sessions
    write_table(pd.DataFrame(data.returns.T, days, list(data.columns)), folder / "returns.parquet")
    write_table(pd.DataFrame(data.spans.T, days, list(data.columns)), folder / "sessions_spanned.parquet")
    for field, frame in data.fields.items():
        write_table(
            pd.DataFrame(frame.to_numpy(), days, list(data.columns)), folder / f"prices_{field}.parquet"
        )
    if data.factors is not None:
        names = [_flat(name) for name in data.factors.columns]
        write_table(data.factors.set_axis(names, axis=1), folder / "factors.parquet")
    given = ["special"] * (data.special is not None) + ["unsaid"] * (data.unsaid is not None)
    if data.special is not None:
        write_table(pd.DataFrame(data.special, days, list(data.columns)), folder / "special.parquet")
    if data.unsaid is not None:
        write_table(pd.DataFrame(data.unsaid.T, days, list(data.columns)), folder / "unsaid.parquet")
    if data.beside is not None:
        given.append("beside")
        write_table(pd.DataFrame(data.beside, days, list(data.columns)), folder / "beside.parquet")
    if isinstance(data.price_limit, pd.DataFrame):
        write_table(data.price_limit, folder / "price_limit.parquet")
    write_table(data.bad_prices.astype({"value": float}), folder / "bad_prices.parquet")
    own = [market._arrays.benchmark[market._positions[name]] for name in data.columns]
    outside = [name for name in market.benchmarks if name not in data.columns]
    if outside:
        rows = [market._bank.names.index(name) for name in outside]
        frame = pd.DataFrame(market._bank.single[rows].T, days, outside)
        write_table(frame, folder / "benchmarks.parquet")
    return {
        "kind": data.kind,
        "lumped": data.lumped,
        "gaps": data.gaps,
        "fields": list(data.fields),
        "total_returns": data.total,
        "tick": data.tick,
        "price_limit": _limit(data.price_limit),
        "exchange": _exchange(data.exchange),
        "benchmarks": {
            name: market._bank.names[row] for name, row in zip(data.columns, own, strict=True) if row >= 0
        },
        "outside_benchmarks": outside,
        "factor_sets": data.factors is not None and data.factors.columns.nlevels == 2,
        "factors": data.factors is not None,
        "also": given,
        "lacking": _days(data.lacking),
        "unknown": _days(data.unknown),
        "padded": None if data.padded is None else _days(data.padded),
        "undated": data.undated,
        "stamps": data.stamps,
        "making": asdict(data.making),
        "reading": [list(one.row) for one in data.reading],
    }


def read_market(folder: Path, told: Mapping[str, Any]) -> Market:
    """Make a market again of what `write_market` wrote.

    Raises
    ------
    DataError
        If a file is missing or cannot be read.
    """
    returns = read_table(folder / "returns.parquet")
    days = pd.DatetimeIndex(returns.index)
    fields = {name: read_table(folder / f"prices_{name}.parquet") for name in told["fields"]}
    factors = read_table(folder / "factors.parquet") if told["factors"] else None
    if factors is not None and told["factor_sets"]:
        factors.columns = pd.MultiIndex.from_tuples(
            [tuple(str(name).split(OF_SET, 1)) for name in factors.columns]
        )
    limit = told["price_limit"]
    also = {name: read_table(folder / f"{name}.parquet").to_numpy() for name in told["also"]}
    data = MarketData(
        sessions=days,
        columns=tuple(returns.columns),
        returns=np.ascontiguousarray(returns.to_numpy().T),
        spans=np.ascontiguousarray(read_table(folder / "sessions_spanned.parquet").to_numpy(np.int64).T),
        fields=fields,
        factors=factors,
        kind=told["kind"],
        lumped=told["lumped"],
        exchange=None if told["exchange"] is None else Exchange(**told["exchange"]),
        price_limit=read_table(folder / "price_limit.parquet") if limit == "frame" else limit,
        tick=told["tick"],
        special=also.get("special"),
        lacking=pd.DatetimeIndex(told["lacking"]).as_unit("ns"),
        unknown=pd.DatetimeIndex(told["unknown"]).as_unit("ns"),
        bad_prices=read_table(folder / "bad_prices.parquet"),
        reading=tuple(Taken(*row) for row in told["reading"]),
        total=told["total_returns"],
        unsaid=None if "unsaid" not in also else np.ascontiguousarray(also["unsaid"].T),
        beside=also.get("beside"),
        gaps=told["gaps"],
        stamps=told["stamps"],
        making=_making(told),
        # What is stored is in decimals, whatever it was read in.
        said_unit="decimal",
        padded=None if told["padded"] is None else pd.DatetimeIndex(told["padded"]).as_unit("ns"),
        undated=told["undated"],
    )
    outside = read_table(folder / "benchmarks.parquet") if told["outside_benchmarks"] else pd.DataFrame()
    benchmark = {
        security: outside[name].rename(name) if name in outside else name
        for security, name in told["benchmarks"].items()
    }
    return Market._of(data, benchmark or None)


def _making(told: Mapping[str, Any]) -> Making:
    return Making(**{**told["making"], "said": tuple(told["making"]["said"])})


def _kept(data: MarketData, at: list[int]) -> MarketData:
    columns = tuple(data.columns[i] for i in at)
    return replace(
        data,
        columns=columns,
        returns=data.returns[at],
        spans=data.spans[at],
        fields={name: frame.iloc[:, at] for name, frame in data.fields.items()},
        special=None if data.special is None else data.special[:, at],
        unsaid=None if data.unsaid is None else data.unsaid[at],
        beside=None if data.beside is None else data.beside[:, at],
        bad_prices=data.bad_prices[data.bad_prices["security"].isin(columns)],
    )


def _flat(name: object) -> str:
    return OF_SET.join(map(str, name)) if isinstance(name, tuple) else str(name)


def _limit(limit: object) -> Any:
    if isinstance(limit, pd.DataFrame):
        return "frame"
    return {str(k): float(v) for k, v in limit.items()} if isinstance(limit, Mapping) else limit


def _exchange(exchange: Exchange | None) -> dict[str, Any] | None:
    if exchange is None:
        return None
    return {
        "code": exchange.code,
        "closed": [str(day)[:10] for day in exchange.closed],
        "extra": [str(day)[:10] for day in exchange.extra],
        "closes": {str(day)[:10]: str(time)[:5] for day, time in exchange.closes.items()},
    }


def _days(days: pd.DatetimeIndex) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in days]
