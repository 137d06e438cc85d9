"""A fitted study as a folder: its specification and versions in JSON, its data and results in Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import models
from eventstudy.errors import DataError, RequestError
from eventstudy.events import Events
from eventstudy.files import write_atomic
from eventstudy.market.stored_market import read_market, read_table, write_market, write_table
from eventstudy.models import NormalReturnModel
from eventstudy.models.peer_base import PeerModel
from eventstudy.results import report
from eventstudy.results.fitted import FittedStudy
from eventstudy.sample import DateWindow
from eventstudy.windows import Window

__all__ = ["FORMAT", "read_study", "write_study"]

#: Version of the layout of the folder; a later one reads earlier ones.
FORMAT = 1
NAME = "eventstudy.study"
#: What `Events` makes of what it is given.
MADE = frozenset({"announced_local"})


def write_study(data: FittedStudy, folder: Path) -> None:
    """Write a fitted study into a folder; see `EventStudyResults.save`."""
    spec = data.spec
    told = _model(spec.model)
    asked = spec.asked
    windows = {
        "estimation": [_window(each) for each in ((spec.estimation,) if asked is None else asked.estimation)],
        "window": _window(spec.window if asked is None else asked.window),
    }
    needed = {
        *spec.events.frame["security"],
        *(name for name in spec.exclude_dates or {} if name is not None),
    }
    market = write_market(spec.market, folder, None if isinstance(spec.model, PeerModel) else needed)
    kept = read_market(folder, market)
    same = np.array_equal(
        kept.returns.to_numpy(), spec.market.returns[list(kept.columns)].to_numpy(), equal_nan=True
    )
    if not same or kept.benchmarks != spec.market.benchmarks:
        raise RequestError("This market cannot be stored: what was written is not what it holds.")
    write_table(_frame(data), folder / "abnormal_returns.parquet")
    write_table(data.parameters, folder / "parameters.parquet")
    written = {
        "format": NAME,
        "format_version": FORMAT,
        "versions": report.versions().to_dict(),
        "fingerprints": report.fingerprints(kept).to_dict(),
        "model": told,
        **windows,
        "min_observations": spec.min_observations,
        "exclude_events": spec.exclude_events,
        "incomplete": spec.incomplete,
        "exclude_dates": _dates(spec.exclude_dates),
        "market": market,
        "events": _events(spec.events),
        "excluded": {str(i): row["reason"] for i, row in data.excluded.iterrows()},
    }
    write_atomic(folder / "study.json", (json.dumps(written, indent=1, ensure_ascii=False) + "\n").encode())


def read_study(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, dict[str, str]]:
    """Read what `EventStudy` takes, the abnormal returns as stored, and the versions they were made with.

    Raises
    ------
    DataError
        If the folder holds no study, one of a later format, or data other than those written.
    """
    path = folder / "study.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DataError(f"{folder} holds no stored study: {problem}") from problem
    if not isinstance(told, dict) or told.get("format") != NAME:
        raise DataError(f"{path} does not describe a stored study.")
    if not isinstance(told.get("format_version"), int):
        raise DataError(f"{path} does not say in which version of the format it is.")
    if told["format_version"] > FORMAT:
        raise DataError(
            f"{folder} was stored by eventstudy {told['versions'].get('eventstudy')}, in a later format than "
            "this version reads; update it."
        )
    market = read_market(folder, told["market"])
    if report.fingerprints(market).to_dict() != told["fingerprints"]:
        raise DataError(f"The data in {folder} are not those that were stored: their fingerprints differ.")
    given = told["exclude_dates"]
    windows = [_window_again(each) for each in told["estimation"]]
    asked = {
        "market": market,
        "events": _events_again(told["events"]),
        "model": _model_again(told["model"]),
        "estimation": None if not windows else windows[0] if len(windows) == 1 else windows,
        "window": _window_again(told["window"]),
        "min_observations": told["min_observations"],
        "exclude_events": told["exclude_events"],
        "incomplete": told["incomplete"],
        "exclude_dates": given["all"] if given and "all" in given else (given or {}).get("by_security"),
    }
    return asked, read_table(folder / "abnormal_returns.parquet"), told["versions"]


def _frame(data: FittedStudy) -> pd.DataFrame:
    """Abnormal returns, events × days, with names that Parquet takes."""
    columns = [str(day) for day in data.event_window.offsets]
    ids = pd.Index([str(i) for i in data.index], name="event_id")
    return pd.DataFrame(data.abnormal.ar, ids, columns)


def _model(value: object) -> Any:
    """Describe a model, or an option of one, in terms of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if getattr(models, name, None) is not type(value):
            raise RequestError(f"{name} is a model of your own, which a stored study could not make again.")
        options = {each.name: _model(getattr(value, each.name)) for each in fields(value) if each.init}
        return {"model": name, "options": options}
    if isinstance(value, Mapping):
        return {str(key): _model(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_model(each) for each in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise RequestError(f"The option {value!r} of the model cannot be stored.")


def _model_again(told: Any) -> Any:
    if isinstance(told, list):
        return tuple(_model_again(each) for each in told)
    if not isinstance(told, dict):
        return told
    if set(told) == {"model", "options"}:
        kind = getattr(models, told["model"], None)
        if kind is None or not isinstance(kind, type):
            raise DataError(f"This version has no model {told['model']!r}.")
        made: NormalReturnModel = kind(**{name: _model_again(each) for name, each in told["options"].items()})
        return made
    return {key: _model_again(each) for key, each in told.items()}


def _window(window: object) -> list[Any]:
    if isinstance(window, Window):
        return [window.start, window.end]
    if isinstance(window, DateWindow):
        return [f"{window.start:%Y-%m-%d}", f"{window.end:%Y-%m-%d}"]
    raise RequestError(f"The window {window!r} cannot be stored.")


def _window_again(told: list[Any]) -> tuple[Any, Any]:
    return told[0], told[1]


def _dates(given: Mapping[str | None, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    told = {name: [str(day) for day in days] for name, days in given.items()}
    return {"all": told[None]} if None in told else {"by_security": told}


def _events(events: Events) -> dict[str, Any]:
    """Describe the list of events: each with its cells, moments in their own zone."""
    frame = events.frame
    rows = []
    for event_id, row in frame.iterrows():
        cells: dict[str, Any] = {"event_id": _plain(event_id)}
        for name in frame.columns:
            moment = row["announced_local"] if name == "announced_at" else row[name]
            if name in MADE or moment is None or (pd.api.types.is_scalar(moment) and pd.isna(moment)):
                continue
            cells[str(name)] = _plain(moment)
        rows.append(cells)
    return {"rows": rows, "non_session": events.non_session, "ambiguous": events.ambiguous}


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value.tzinfo or value != value.normalize() else f"{value:%Y-%m-%d}"
    if isinstance(value, str | bool | int | float):
        return value
    raise RequestError(f"The events hold {value!r}, which cannot be stored; leave that column out.")


def _events_again(told: Mapping[str, Any]) -> Events:
    frame = pd.DataFrame(told["rows"])
    return Events(frame, non_session=told["non_session"], ambiguous=told["ambiguous"])
