"""Whole columns of dates and times at once, where nothing in them is in doubt.

A list of a hundred thousand announcements is, as a rule, clean: days, or times with their offset, each
written one way. Such columns are read as columns. Whatever else a column holds is left to the reader of
rows, which knows every way to write a time and says which row is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Moments", "clean_columns"]

DAY = r"\d{4}-\d{2}-\d{2}"
TIME = DAY + r"[ T]\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:?\d{2})"


@dataclass(frozen=True)
class Moments:
    """When N events were announced.

    Attributes
    ----------
    days : DatetimeIndex
        Event days; NaT where a time is given instead.
    times : DatetimeIndex
        Announcement times, UTC.
    local : array of object
        The same on the clock they were given on; None where there is none.
    ends : dict of str to DatetimeIndex
        Ends of announcements that are known to a window only, UTC.
    """

    days: pd.DatetimeIndex
    times: pd.DatetimeIndex
    local: npt.NDArray[np.object_]
    ends: dict[str, pd.DatetimeIndex]


def clean_columns(frame: pd.DataFrame) -> Moments | None:
    """Read the columns `date` and `announced_at` of events; None if anything in them is in doubt."""
    if {"announced_after", "announced_before"} & set(frame.columns):
        return None
    days = _days(frame["date"]) if "date" in frame else _none(frame)
    told = _times(frame["announced_at"]) if "announced_at" in frame else (_none(frame, "UTC"), None)
    if days is None or told is None:
        return None
    times, local = told
    if not np.logical_xor(days.isna(), times.isna()).all():
        return None
    if local is None:
        local = np.full(len(frame), None, dtype=object)
    if "announced_local" in frame and frame["announced_local"].notna().any():
        return None
    return Moments(days, times, local, {})


def _none(frame: pd.DataFrame, tz: str | None = None) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.full(len(frame), np.datetime64("NaT", "ns")), tz=tz)


def _days(given: pd.Series) -> pd.DatetimeIndex | None:
    if given.dtype.kind == "M" and isinstance(given.dtype, np.dtype):
        days = _nanoseconds(given)
        return days if days is not None and (days == days.normalize())[days.notna()].all() else None
    if not _written(given, DAY):
        return None
    return _nanoseconds(pd.to_datetime(given, format="%Y-%m-%d", errors="coerce"), given.isna())


def _times(given: pd.Series) -> tuple[pd.DatetimeIndex, npt.NDArray[np.object_] | None] | None:
    """Read times, in UTC and on the clock they were given on."""
    if given.isna().all():
        return _none(given.to_frame(), "UTC"), None
    if isinstance(given.dtype, pd.DatetimeTZDtype):
        times = pd.DatetimeIndex(given).as_unit("ns")
        local = times.astype(object).to_numpy(copy=True)
        local[times.isna()] = None
        return times.tz_convert("UTC"), local
    if not _written(given, TIME):
        return None
    read = _nanoseconds(pd.to_datetime(given, utc=True, format="ISO8601", errors="coerce"), given.isna())
    if read is None:
        return None
    local = np.full(len(given), None, dtype=object)
    offset = given.str.extract(TIME, expand=False)
    for each in offset.dropna().unique():
        rows = np.flatnonzero(offset == each)
        zone = pd.Timestamp(f"2000-01-01 00:00{each}").tz
        local[rows] = read[rows].tz_convert(zone).astype(object)
    return read, local


def _written(given: pd.Series, pattern: str) -> bool:
    """Whether a column holds strings of one pattern, or nothing."""
    if given.isna().all():
        return True
    if pd.api.types.infer_dtype(given, skipna=True) != "string":
        return False
    return bool(given.dropna().str.fullmatch(pattern).all())


def _nanoseconds(read: pd.Series, missing: pd.Series | None = None) -> pd.DatetimeIndex | None:
    """Return dates in nanoseconds; None where a date cannot be read or lies beyond their reach."""
    if missing is not None and (read.isna() != missing).any():
        return None
    try:
        return pd.DatetimeIndex(read).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        return None
