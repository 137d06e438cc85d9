"""Tidy frames that show a whole study, or one event in its market: gathered for drawing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference import recommend, run_tests
from eventstudy.inference.base import Options
from eventstudy.results import average
from eventstudy.results.data import EventData, StudyData
from eventstudy.windows import Window

__all__ = ["SEED", "clustering", "forest", "tests", "timeline"]

SEED = 0


def forest(data: EventData, window: Window, level: float = 0.95) -> pd.DataFrame:
    """CAR of each event with its interval, and their average: event, car, ci_low, ci_high, role."""
    columns = ["car", "ci_low", "ci_high"]
    frame = data.cars(window, level)[columns].reset_index(drop=True)
    frame.insert(0, "event", [data.name(row) for row in range(len(frame))])
    frame["role"] = "event"
    if len(frame) == 1:
        return frame
    mean = average.averages([data.test_input(window)], [window], None, level)
    mean = mean.rename(columns={"caar": "car"})[columns]
    name = f"average of {data.test_input(window).n_events}"
    return pd.concat([frame, mean.assign(event=name, role="average")], ignore_index=True)


def clustering(data: EventData, window: Window) -> pd.DataFrame:
    """Sessions from the first tested window to the last: date, windows open, events of that day 0."""
    sessions, last = data.sessions, len(data.sessions) - 1
    dates = data.abnormal.event_dates.astype("datetime64[ns]")
    day0 = sessions.get_indexer(pd.Index(dates[:, -data.event_window.start]))
    tested = dates[:, data.abnormal.columns(window)]
    rows = sessions.get_indexer(pd.Index(tested.ravel())).reshape(tested.shape)
    # Windows that reach beyond the data stay open until its end.
    starts, ends = np.where(rows < 0, last, rows).min(axis=1), rows.max(axis=1)
    ends = np.where(ends < 0, last, ends)
    events = np.bincount(day0, minlength=len(sessions))
    # A window opens on its first session and closes after its last.
    steps = np.bincount(starts, minlength=last + 2) - np.bincount(ends + 1, minlength=last + 2)
    first, after = min(starts.min(), day0.min()), max(ends.max(), day0.max()) + 1
    frame = pd.DataFrame({"date": sessions, "windows": np.cumsum(steps)[:-1], "events": events})
    return frame.iloc[first:after].reset_index(drop=True)


def tests(data: EventData, window: Window) -> pd.DataFrame:
    """All tests of a window, as `EventStudyResults.test` gives them, and whether each is recommended.

    Resampling tests draw from the seed `SEED`, so that a figure and a table of them agree.
    """
    tested = data.test_input(window)
    frame = run_tests(tested, None, Options(seed=SEED))
    return frame.assign(recommended=frame["test"].isin(recommend(tested)["test"]))


def timeline(data: StudyData, row: int, window: Window) -> pd.DataFrame:
    """Gather closes and limits around one event: date, day, price, limit_down, limit_up, touched, closed.

    Raises
    ------
    RequestError
        If the market has no prices.
    """
    market = data.spec.market
    if "close" not in market.price_fields:
        raise RequestError("The timeline shows prices: make the market with Market.from_prices.")
    security, book = data.sample.timeline["security"].iloc[row], market.limits
    days = window.offsets
    at = int(data.sample.day0[row]) + days
    days, at = days[(at >= 0) & (at < len(market.sessions))], at[(at >= 0) & (at < len(market.sessions))]
    shown = {
        "price": market.prices("close"),
        "limit_down": book.down,
        "limit_up": book.up,
        "touched": book.touched,
        "closed": book.closed,
    }
    columns = {name: frame[security].to_numpy()[at] for name, frame in shown.items()}
    return pd.DataFrame({"date": market.sessions[at], "day": days} | columns)
