"""Round the clock: when the sessions of the event days opened and closed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from eventstudy.calendars import Exchange
from eventstudy.results.fitted import FittedEvents

__all__ = ["clock"]


def clock(data: FittedEvents, studies: Sequence[str]) -> pd.DataFrame:
    """Order in which the sessions of day 0 could react; see `PooledResults.clock`."""
    frames = []
    for name, part in zip(studies, data.parts(), strict=True):
        study, at = part.study, part.at
        timeline = study.timeline.iloc[part.rows]
        events = study.events.iloc[part.rows]
        frame = pd.DataFrame(
            {
                "study": name,
                "security": timeline["security"].to_numpy(),
                "announced_at": pd.DatetimeIndex(_announced(events)),
                "day_0": pd.DatetimeIndex(timeline["day_0"]),
            },
            index=data.index[at],
        )
        for moment, times in _hours(study.spec.market.exchange, pd.DatetimeIndex(frame["day_0"])).items():
            frame[moment] = times
        frames.append(frame)
    frame = pd.concat(frames)
    late = frame["announced_at"] > frame["opens"]
    frame["reacts"] = frame["opens"].mask(late, frame["announced_at"])
    frame["hours"] = (frame["reacts"] - frame["announced_at"]).dt.total_seconds() / 3600
    frame["order"] = frame.groupby("announced_at", dropna=False)["reacts"].rank(method="dense")
    frame["order"] = frame["order"].astype("Int64")
    return frame.rename_axis("event_id").sort_values("reacts", kind="stable")


def _announced(events: pd.DataFrame) -> pd.Series:
    """Take the time of each announcement, the latest where it is known to a window."""
    told = events["announced_at"]
    return told.fillna(events["announced_before"]) if "announced_before" in events else told


def _hours(exchange: Exchange | None, days: pd.DatetimeIndex) -> dict[str, pd.DatetimeIndex]:
    """Look up when sessions opened and closed, in UTC; NaT without a calendar."""
    if exchange is None or days.empty:
        unknown = pd.DatetimeIndex([pd.NaT] * len(days), tz="UTC").as_unit("ns")
        return {"opens": unknown, "closes": unknown}
    hours = exchange.hours(days.min(), days.max())
    return {
        name: pd.DatetimeIndex(hours[column].reindex(days)).tz_localize(exchange.timezone).tz_convert("UTC")
        for name, column in (("opens", "open"), ("closes", "close"))
    }
