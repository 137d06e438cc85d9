"""Studies whose results go to Parquet files, one group of securities after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray
from eventstudy.arguments import check_path, check_whole
from eventstudy.errors import (
    EventStudyWarning,
    ExcludedEventsWarning,
    ModelError,
    NoUsableEventsError,
    RequestError,
    Told,
    WindowError,
    heard,
    warn,
)
from eventstudy.events import Events
from eventstudy.market import Market, ParquetPanel
from eventstudy.models import NormalReturnModel
from eventstudy.models.peer_base import PeerModel
from eventstudy.progress import followed
from eventstudy.results import EventStudyResults
from eventstudy.results.fit_warnings import exclusion_text
from eventstudy.results.fitted import Incomplete
from eventstudy.results.pooled.pool import of_one_exchange
from eventstudy.sample import read_dates
from eventstudy.study import Day, EventStudy, no_usable_events
from eventstudy.windows import Window

__all__ = ["StreamedStudy", "stream_study"]

TABLES = ("abnormal_returns", "car", "parameters", "timeline", "excluded")
#: What a table of exclusions holds, should no event be excluded.
NO_REASONS = pd.DataFrame({"security": [], "label": [], "reason": []}, dtype=object)


@dataclass(frozen=True)
class StreamedStudy:
    """Where the results of a streamed study lie.

    Attributes
    ----------
    folder : Path
        Holds a folder of Parquet files for each table, one file per group of securities.
    n_events, n_excluded : int
        Events measured, and events that could not be.

    Examples
    --------
    >>> import tempfile
    >>> import eventstudy as es
    >>> closes = es.datasets.surveillance_prices()["close"]
    >>> long = closes.ffill().pct_change().where(closes.notna()).melt(
    ...     var_name="permno", value_name="ret", ignore_index=False
    ... )
    >>> events = {"security": ["002415.SZ", "002236.SZ"], "date": ["2019-05-22", "2019-05-22"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     long.dropna().reset_index().to_parquet(f"{folder}/crsp.parquet")
    ...     panel = es.Market.scan_parquet(f"{folder}/crsp.parquet", benchmark="399001.SZ")
    ...     streamed = es.stream_study(panel, events, f"{folder}/out", cars=[(0, 1)])
    ...     streamed.read("car")["car"].round(3).tolist(), streamed.n_excluded
    ([-0.075, -0.056], 0)
    """

    folder: Path
    n_events: int
    n_excluded: int

    def read(self, table: str) -> pd.DataFrame:
        """Read a table into memory.

        Parameters
        ----------
        table : {"abnormal_returns", "car", "parameters", "timeline", "excluded"}
            Abnormal returns by event and relative day: day, date, ar, se, actual, expected, span. CARs by
            event and window: start, end and the columns of `EventStudyResults.car`. Parameters, timeline
            and exclusions as of `EventStudyResults`.

        Returns
        -------
        DataFrame
            Index event_id, in the order of the files.

        Raises
        ------
        RequestError
            If there is no such table.
        """
        if table not in TABLES:
            raise RequestError(f"There is no table {table!r}; there are {', '.join(TABLES)}.")
        parts = [pd.read_parquet(file) for file in sorted((self.folder / table).glob("*.parquet"))]
        return pd.concat([part for part in parts if len(part)] or parts[:1])


def stream_study(
    panel: ParquetPanel[Market],
    events: Events | pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    to: str | PathLike[str],
    *,
    model: NormalReturnModel | None = None,
    estimation: Window | Sequence[int] = (-250, -30),
    window: Window | Sequence[int] = (-10, 10),
    cars: Sequence[Window | Sequence[int]] | None = None,
    min_observations: int = 30,
    exclude_events: bool = False,
    incomplete: Incomplete = "warn",
    exclude_dates: Iterable[Day] | Mapping[str, Iterable[Day]] | None = None,
    securities: int = 1000,
    n_jobs: int | None = None,
    chunk_size: int | None = None,
) -> StreamedStudy:
    """Measure events one group of securities at a time, and write the results to Parquet.

    For panels so large that even the securities with events do not fit into memory: the returns of one group
    are read at a time, its events measured as by `EventStudy`, and the results written to disk.

    Parameters
    ----------
    panel : ParquetPanel
        Made by `Market.scan_parquet`. Each group reads the files again; files sorted by security are far
        faster, because a group then reads only its own row groups.
    events, model, estimation, window, min_observations, exclude_events, incomplete, exclude_dates
        As for `EventStudy`.
    to : path
        Folder to write to; made, or empty.
    cars : sequence of windows, optional
        Windows whose CARs are written; by default (0, +1), or as much of it as the event window holds, and
        the event window.
    securities : int, default 1000
        Securities of a group. It bounds memory, and changes results by rounding only.
    n_jobs, chunk_size
        As for `EventStudy.fit`, within a group.

    Returns
    -------
    StreamedStudy

    Raises
    ------
    NoUsableEventsError
        If not one event can be used.
    ModelError
        If the model compares securities with each other, as peer models do.
    RequestError
        If the folder holds something, or a window of `cars` lies outside of `window`.
    WindowError
        If the windows overlap or, with ``incomplete="raise"``, the returns of an event do not cover its event
        window; the groups before it are written by then.

    Warns
    -----
    ExcludedEventsWarning
        If some events cannot be used. Events of a group on which reading or measuring fails are among them,
        with the error as their reason; the other groups go on.

    Notes
    -----
    Tests over all events need them together: fit `EventStudy` on the panel, which holds the returns of the
    securities with events and little else.

    Examples
    --------
    >>> import tempfile
    >>> import eventstudy as es
    >>> closes = es.datasets.surveillance_prices()["close"]
    >>> long = closes.ffill().pct_change().where(closes.notna()).melt(
    ...     var_name="permno", value_name="ret", ignore_index=False
    ... )
    >>> events = {"security": ["002415.SZ", "002236.SZ"], "date": ["2019-05-22", "2019-05-22"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     long.dropna().reset_index().to_parquet(f"{folder}/crsp.parquet")
    ...     panel = es.Market.scan_parquet(f"{folder}/crsp.parquet", benchmark="399001.SZ")
    ...     study = es.stream_study(panel, events, f"{folder}/out", cars=[(0, 1)], securities=1)
    ...     study.read("car")["car"].round(3).to_dict()
    {1: -0.056, 0: -0.075}
    """
    if not isinstance(panel, ParquetPanel):
        raise RequestError(
            f"stream_study reads a panel in Parquet, got {type(panel).__name__}: make it with "
            "Market.scan_parquet(path), or fit a market in memory with EventStudy."
        )
    if isinstance(model, PeerModel):
        raise ModelError(
            f"{type(model).__name__} compares securities with each other, and a streamed study reads only "
            "one group of them at a time; fit EventStudy with peers=[...] instead."
        )
    check_whole("securities", securities, 1)
    whole = Window.of(window)
    windows = [Window(0, min(1, whole.end)), whole] if cars is None else Window.list_of("cars", cars)
    outside = [each for each in windows if each not in whole]
    if outside:
        raise RequestError(f"The window {outside[0]} of cars reaches outside the event window {whole}.")
    events = events if isinstance(events, Events) else Events(events)
    folder = check_path("to", to)
    if folder.exists() and any(folder.iterdir()):
        raise RequestError(f"{str(folder)!r} is not empty; name a folder that is, or a new one.")
    barred = read_dates(exclude_dates, lambda: panel.securities)
    ids = events.frame.index
    texts = not all(isinstance(each, int) for each in ids.tolist())
    n_events, reasons = 0, [NO_REASONS]
    told: list[Told] = []
    for number, rows in enumerate(followed(_groups(panel, events, securities), "Measuring", "group")):
        part = events.take(rows)
        with heard(quietly=True) as said:
            told.append(said)
            study = None
            try:
                study = EventStudy(
                    panel,
                    part,
                    model,
                    estimation,
                    whole,
                    min_observations,
                    exclude_events,
                    incomplete,
                    _of_group(barred, part),
                )
                results = of_one_exchange(study.fit(n_jobs=n_jobs, chunk_size=chunk_size))
            except NoUsableEventsError as problem:
                reasons.append(problem.excluded)
                continue
            except RequestError:
                raise
            except Exception as problem:
                asked_wrongly = study is None and isinstance(problem, ModelError | WindowError)
                if asked_wrongly or (incomplete == "raise" and isinstance(problem, WindowError)):
                    raise
                reasons.append(_failed(part, problem))
                continue
        n_events += len(results.timeline)
        reasons.append(results.excluded)
        for table, frame in _tables(results, windows).items():
            _write(frame, folder / table / f"{number:06d}.parquet", texts)
    excluded = pd.concat([each for each in reasons if len(each)] or reasons[:1])
    excluded = excluded.loc[ids[ids.isin(excluded.index)]]
    if n_events == 0:
        raise no_usable_events(excluded)
    _write(excluded, folder / "excluded" / "000000.parquet", texts)
    _warn_once(told)
    if len(excluded):
        warn(exclusion_text(excluded, len(events), "read('excluded')"), ExcludedEventsWarning)
    return StreamedStudy(folder, n_events, len(excluded))


def _warn_once(told: list[Told]) -> None:
    """Issue one warning of each kind; of exclusions one is said of all groups."""
    kinds: dict[type[EventStudyWarning], dict[str, None]] = {}
    for category, message in (each for group in told for each in group):
        if not issubclass(category, ExcludedEventsWarning):
            kinds.setdefault(category, {})[message] = None
    for category, messages in kinds.items():
        first, *others = messages
        more = f" (And {len(others)} more of this kind, of other groups of securities.)" if others else ""
        warn(first + more, category)


def _groups(panel: ParquetPanel[Market], events: Events, size: int) -> list[list[int]]:
    """Positions of the events of each group of securities, which stand in the order of the files.

    Events of unknown securities go to the first group, whose study says what is wrong with them.
    """
    place = {name: at for at, name in enumerate(panel.securities)}
    at = events.frame["security"].map(place).to_numpy(dtype=float)
    used = np.unique(at[~np.isnan(at)])
    group = np.where(np.isnan(at), 0, np.searchsorted(used, at) // size)
    return [np.flatnonzero(group == each).tolist() for each in np.unique(group)]


def _of_group(
    barred: Mapping[str | None, DateArray] | None, events: Events
) -> DateArray | dict[str, DateArray] | None:
    """Return the excluded dates of the securities of some events."""
    if barred is None:
        return None
    if None in barred:
        return barred[None]
    named = set(events.frame["security"])
    return {name: days for name, days in barred.items() if name is not None and name in named}


def _failed(events: Events, problem: Exception) -> pd.DataFrame:
    """All events of a group that could not be read or measured, with the reason."""
    frame = events.frame
    label = frame.get("label", "")
    reason = f"reading or measuring its group of securities failed: {type(problem).__name__}: {problem}"
    return pd.DataFrame({"security": frame["security"], "label": label, "reason": reason}, frame.index)


def _tables(results: EventStudyResults, windows: Sequence[Window]) -> dict[str, pd.DataFrame]:
    data = results.fitted
    abnormal, ids = data.abnormal, data.index
    n, length = abnormal.ar.shape
    rows = pd.DataFrame(
        {
            "day": np.tile(data.event_window.offsets, n),
            "date": abnormal.event_dates.astype("datetime64[ns]").ravel(),
            "ar": abnormal.ar.ravel(),
            "se": np.sqrt(abnormal.variance()).ravel(),
            "actual": abnormal.actual.ravel(),
            "expected": abnormal.expected.ravel(),
            "span": abnormal.span.ravel(),
        },
        index=ids.repeat(length),
    )
    cars = [
        data.cars(each).reset_index().assign(start=each.start, end=each.end).set_index("event_id")
        for each in windows
    ]
    return {
        "abnormal_returns": rows,
        "parameters": results.parameters,
        "timeline": results.timeline,
        "car": pd.concat(cars) if cars else pd.DataFrame(index=ids[:0]),
    }


def _write(frame: pd.DataFrame, file: Path, texts: bool) -> None:
    """Write a table; ids are texts or all whole numbers, because Parquet cannot hold a mixture."""
    index = pd.Index(frame.index, dtype=str if texts else "int64", name="event_id")
    file.parent.mkdir(parents=True, exist_ok=True)
    frame.set_axis(index, axis=0).to_parquet(file)
