"""Tidy frames of the figures, gathered from fitted events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy._typing import IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options, TestInput
from eventstudy.market import LEVELS, Market
from eventstudy.results import averages
from eventstudy.results.event_names import event_name, name_parts
from eventstudy.results.fitted import FittedEvents, FittedStudy, checked_level
from eventstudy.results.trading_frictions import halts
from eventstudy.windows import Window

__all__ = [
    "SEED",
    "aar",
    "caar_path",
    "caar_paths",
    "car_path",
    "clustering",
    "decomposition",
    "fit",
    "forest",
    "heatmap",
    "null",
    "price",
    "reaction",
    "row_names",
    "tests",
    "timeline",
    "windows",
]

SEED = 0


def row_names(data: FittedEvents) -> tuple[list[str], str]:
    """Names of the events for rows, without what they all share, and what that is."""
    parts = [name_parts(data, row) for row in range(len(data.index))]
    differ = [len(set(part)) > 1 for part in zip(*parts, strict=True)]
    if not any(differ):
        return [event_name(data, row) for row in range(len(parts))], ""
    names = []
    for each in parts:
        label, *rest = [text if kept else "" for text, kept in zip(each, differ, strict=True)]
        told = ", ".join(filter(None, rest))
        names.append(f"{label} ({told})" if label and told else label or told)
    shared = [text for text, kept in zip(parts[0], differ, strict=True) if text and not kept]
    return names, ", ".join(shared)


def forest(data: FittedEvents, window: Window, level: float = 0.95) -> pd.DataFrame:
    """CAR of each event with its interval, and their average: event, car, ci_low, ci_high, role."""
    columns = ["car", "ci_low", "ci_high"]
    frame = data.cars(window, level)[columns].reset_index(drop=True)
    frame.insert(0, "event", row_names(data)[0])
    frame["role"] = "event"
    if len(frame) == 1:
        return frame
    mean = averages.averages([data.test_input(window)], None, level)
    mean = mean.rename(columns={"caar": "car"})[columns]
    name = f"average of {data.test_input(window).n_events}"
    return pd.concat([frame, mean.assign(event=name, role="average")], ignore_index=True)


def clustering(data: FittedEvents, window: Window) -> pd.DataFrame:
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


def tests(data: FittedEvents, window: Window, alternative: Alternative = "two-sided") -> pd.DataFrame:  # noqa: PT028
    """All tests of a window, as `EventStudyResults.test` gives them, and whether each is recommended.

    Resampling tests draw from the seed `SEED`, so a figure and a table of them agree.
    """
    tested = data.test_input(window)
    frame = inference.run_tests(tested, None, Options(alternative, seed=SEED))
    return frame.assign(recommended=frame["test"].isin(inference.recommend(tested)["test"]))


def windows(data: FittedEvents, tested: Window) -> pd.DataFrame:
    """Stretches of days of each event, earliest first: event, part, first, last.

    The parts are estimation, event and tested window, and suspended. Days of the estimation window without a
    residual take no part in it.
    """
    abnormal, whole = data.abnormal, data.event_window
    past, used = abnormal.past.dates(), ~np.isnan(abnormal.past.residuals())
    own = abnormal.event_dates
    names, halted = row_names(data)[0], halts(data)
    found: list[tuple[str, str, object, object]] = []
    for row in np.argsort(own[:, -whole.start] if 0 in whole.offsets else own[:, 0], kind="stable"):
        name = names[row]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], used[row], [False]]).astype(int)))
        found += [(name, "estimation", *past[row, [i, j - 1]]) for i, j in edges.reshape(-1, 2)]
        for part, cols in (("event", slice(None)), ("tested", abnormal.columns(tested))):
            days = own[row, cols][~np.isnat(own[row, cols])]
            if len(days):
                found.append((name, part, days[0], days[-1]))
        spells = halted[halted["event_id"] == data.index[row]]
        found += [(name, "suspended", *spell) for spell in spells[["first", "last"]].to_numpy()]
    frame = pd.DataFrame(found, columns=["event", "part", "first", "last"])
    return frame.assign(first=pd.to_datetime(frame["first"]), last=pd.to_datetime(frame["last"]))


#: Sessions that a figure of all announcements shows before the first and after the last.
MARGIN = 30


def price(
    data: FittedStudy, rows: list[int], window: Window, level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gather the closes of one security (date, price) and its announcements (date, label, car).

    Without prices, an index that starts at 100.
    """
    market, sample = data.spec.market, data.sample
    if market.kind in LEVELS:
        raise RequestError(f"A price needs prices or returns, and these are values of {market.kind}.")
    security, day0 = sample.timeline["security"].iloc[rows[0]], sample.day0[rows]
    shown = slice(max(int(day0.min()) - MARGIN, 0), int(day0.max()) + MARGIN + 1)
    if "close" in market.price_fields:
        values = market.prices("close")[security].iloc[shown]
    else:
        returns = market.returns[security].iloc[shown]
        growth = returns if market.kind == "log" else np.log1p(returns)
        values = (100 * np.exp(growth.fillna(0.0).cumsum())).where(returns.notna())
    parts = [name_parts(data, row) for row in rows]
    events = pd.DataFrame(
        {
            "date": market.sessions[day0],
            "label": [label for label, _, _ in parts],
            "car": data.cars(window, level)["car"].to_numpy()[rows],
        }
    )
    return pd.DataFrame({"date": values.index, "price": values.to_numpy()}), events


def timeline(data: FittedStudy, row: int, window: Window) -> pd.DataFrame:
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


#: Prices of a session, in the order they are shown.
MOMENTS = ("open", "low", "high", "close")


def _growing(window: Window, anchor: int | None) -> list[tuple[int, Window, int]]:
    """Days of a path, the window that each sums, and whether it adds (1), subtracts (-1) or is zero (0).

    The path starts at zero before its first day, or before day `anchor`, and goes back from there.
    """
    first = window.start if anchor is None else anchor
    days = []
    for day in map(int, window.offsets):
        if day >= first:
            days.append((day, Window(first, day), 1))
        elif day < first - 1:
            days.append((day, Window(day + 1, first - 1), -1))
        else:
            days.append((day, Window(day, day), 0))
    return days


def _signed(frame: pd.DataFrame, mean: str, sign: int) -> pd.DataFrame:
    """Turn sums around, intervals included, or make them zero."""
    if sign == 1:
        return frame
    bounds = {"ci_low": sign * frame["ci_high"], "ci_high": sign * frame["ci_low"]}
    return frame.assign(**{mean: sign * frame[mean], "se": abs(sign) * frame["se"]}, **bounds) + 0.0


def car_path(
    data: FittedEvents, rows: list[int], window: Window, level: float = 0.95, anchor: int | None = None
) -> pd.DataFrame:
    """CAR from the window's start to each of its days: event, day, car, se, ci_low, ci_high.

    With `anchor`, the path is zero before that day, and the days before it lead up to zero. NaN on days
    without a return.
    """
    parts = []
    traded = ~np.isnan(data.abnormal.ar)
    for day, summed, sign in _growing(window, anchor):
        cars = data.cars(summed, level).iloc[rows][["car", "se", "ci_low", "ci_high"]]
        cars = _signed(cars if sign else cars.fillna(0.0), "car", sign)
        seen = traded[rows, day - data.event_window.start] | (sign == 0)
        cars = cars.where(np.broadcast_to(seen[:, None], cars.shape))
        names = [event_name(data, row) for row in rows]
        parts.append(cars.assign(event=names, day=day).reset_index(drop=True))
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["event", "day"], kind="stable", ignore_index=True)


def caar_path(
    data: FittedEvents,
    window: Window,
    test: str | None = None,
    level: float = 0.95,
    anchor: int | None = None,
) -> pd.DataFrame:
    """CAAR from the window's start to each of its days: day, caar, se, ci_low, ci_high, n_events, test.

    With `anchor`, the path is zero before that day, as in `car_path`.
    """
    return _averages(data.test_input, _growing(window, anchor), test, level)


def caar_paths(
    data: FittedEvents,
    by: str,
    window: Window,
    test: str | None = None,
    level: float = 0.95,
    anchor: int | None = None,
) -> pd.DataFrame:
    """`caar_path` of each group of events, named by the column `by`: day, caar, ..., n_events, test.

    Raises
    ------
    RequestError
        If the events have no column `by`, or an event nothing in it.
    """
    parts = []
    for name, abnormal in data.by_group(by).items():
        path = _averages(partial(TestInput, abnormal), _growing(window, anchor), test, level)
        path.insert(0, "group", _group(by, name))
        parts.append(path)
    return pd.concat(parts, ignore_index=True)


def _group(by: str, name: object) -> str:
    """Name a group: its text, or else what is in which column."""
    return name if isinstance(name, str) else f"{by} = {name}"


def aar(
    data: FittedEvents, window: Window, test: str | None = None, level: float = 0.95, by: str | None = None
) -> pd.DataFrame:
    """Mean abnormal return of each day: day, aar, se, ci_low, ci_high, n_events, test; `group` with `by`."""
    # One test serves all days of the event window, as in the table.
    days = [(int(day), Window(int(day), int(day)), 1) for day in data.event_window.offsets]
    if by is None:
        frame = _averages(data.test_input, days, test, level)
    else:
        parts = [
            _averages(partial(TestInput, abnormal), days, test, level).assign(group=_group(by, name))
            for name, abnormal in data.by_group(by).items()
        ]
        frame = pd.concat(parts)
    shown = frame["day"].between(window.start, window.end)
    return frame[shown].rename(columns={"caar": "aar"}).reset_index(drop=True)


def _averages(
    make: Callable[[Window], TestInput],
    days: list[tuple[int, Window, int]],
    test: str | None,
    level: float,
) -> pd.DataFrame:
    inputs = [make(summed) for _, summed, _ in days]
    frame = averages.averages(inputs, test, checked_level(level))
    columns = ["caar", "se", "ci_low", "ci_high"]
    for row, (_, _, sign) in enumerate(days):
        if sign != 1:
            part = frame.loc[[row], columns]
            frame.loc[[row], columns] = _signed(part if sign else part.fillna(0.0), "caar", sign)
    frame.insert(0, "day", [day for day, _, _ in days])
    return frame


def reaction(data: FittedStudy, row: int, window: Window, level: float = 0.95) -> pd.DataFrame:
    r"""Price and the price had nothing been announced: date, day, price, counterfactual and its band.

    The counterfactual grows from the last price before day 0 by the normal return,

    .. math:: P^*_t = P_t \prod_{0 \le \tau \le t} \frac{1 + E[R_\tau]}{1 + R_\tau},

    so ex-days do not show as losses. Its band is that of the CAR from day 0.
    Days without an abnormal return take no part, as in the CAR. Without prices, both are indexed to
    100 on the session before the window, or before day 0 if the window starts later.
    """
    market, event = data.spec.market, data.sample.timeline.iloc[row]
    if market.kind in LEVELS:
        raise RequestError(f"A reaction needs prices or returns, and these are values of {market.kind}.")
    arrays = data.abnormal
    # The gap grows from day 0, wherever the window starts.
    shown, window = window, Window(min(window.start, 0), window.end)
    cols = arrays.columns(window)
    actual, expected = arrays.actual[row, cols], arrays.expected[row, cols]
    days, dates = window.offsets, arrays.event_dates[row, cols].astype("datetime64[ns]")
    log = market.kind == "log"
    growth = np.nan_to_num(actual if log else np.log1p(actual))
    normal = np.where(np.isnan(expected), growth, expected if log else np.log1p(expected))
    if "close" in market.price_fields:
        close = market.prices("close")[event["security"]]
        price = close.reindex(pd.DatetimeIndex(dates)).to_numpy()
    else:
        price = np.where(np.isnan(actual), np.nan, 100 * np.exp(np.cumsum(growth)))
    after = days >= 0
    lost = np.cumsum(np.where(after, normal - growth, 0.0))
    # Before any abnormal return is known, no gap is known either.
    unknown = after & ~np.isnan(actual) & (np.cumsum(after & ~np.isnan(expected)) == 0)
    counterfactual = np.where(unknown, np.nan, price * np.exp(lost))
    frame = pd.DataFrame({"date": dates, "day": days, "price": price, "counterfactual": counterfactual})
    if window.end >= 0:
        path = car_path(data, [row], Window(0, window.end), level)
        half = (path["ci_high"] - path["car"]).to_numpy()
        half = np.concatenate([np.zeros(len(days) - len(half)), half])
        frame["counterfactual_low"] = counterfactual * (1 - half)
        frame["counterfactual_high"] = counterfactual * (1 + half)
    return frame.tail(len(shown)).reset_index(drop=True)


def fit(data: FittedStudy, row: int, window: Window) -> pd.DataFrame:
    """Regression scatter: benchmark, actual, fitted, role (estimation or event), day.

    Raises
    ------
    RequestError
        If the model has no regressor to draw against.
    """
    model = data.spec.model
    if not model.regressors:
        raise RequestError(f"{model.label} has no regressor, so there is no scatter to draw; see plot.null.")
    arrays = model.arrays(data.sample, slice(row, row + 1))
    abnormal = data.abnormal
    cols = abnormal.columns(window)
    estimation = pd.DataFrame(
        {
            "benchmark": arrays.x_est[0, :, 0],
            "actual": arrays.y_est[0],
            "fitted": arrays.y_est[0] - abnormal.past.residuals(slice(row, row + 1))[0],
            "role": "estimation",
            "day": _estimation_days(data, row),
        }
    )
    event = pd.DataFrame(
        {
            "benchmark": arrays.x_evt[0, cols, 0],
            "actual": abnormal.actual[row, cols],
            "fitted": abnormal.expected[row, cols],
            "role": "event",
            "day": window.offsets,
        }
    )
    return pd.concat([estimation, event], ignore_index=True).dropna(ignore_index=True)


def _estimation_days(data: FittedStudy, row: int) -> IntArray:
    """Relative days on which the estimation window of an event is laid out."""
    window, rows = data.sample.estimation, np.array([row])
    return np.asarray(data.sample.origin(window, rows) - data.sample.day0[rows] + window.offsets)


def null(data: FittedStudy, row: int, window: Window) -> pd.DataFrame:
    """Event-window abnormal returns beside estimation residuals: value, role, day."""
    abnormal = data.abnormal
    estimation = pd.DataFrame(
        {
            "value": abnormal.past.residuals(slice(row, row + 1))[0],
            "role": "estimation",
            "day": _estimation_days(data, row),
        }
    )
    event = pd.DataFrame(
        {"value": abnormal.ar[row, abnormal.columns(window)], "role": "event", "day": window.offsets}
    )
    return pd.concat([estimation, event], ignore_index=True).dropna(ignore_index=True)


def heatmap(data: FittedEvents, window: Window) -> pd.DataFrame:
    """Abnormal returns, event names × relative days."""
    ar = data.abnormal.ar[:, data.abnormal.columns(window)]
    return pd.DataFrame(ar, row_names(data)[0], pd.Index(window.offsets, name="day"))


def decomposition(data: FittedStudy, row: int, day: int) -> pd.DataFrame:
    """Prices of one day against its reference price: moment, price, change, at_limit.

    Raises
    ------
    RequestError
        If `day` is not a day of the data, or the market lacks a price of that day.
    """
    if isinstance(day, bool) or not isinstance(day, Integral):
        raise RequestError(f"{day!r} is not a relative day. To name an event: decomposition(event={day!r}).")
    day = int(day)
    market, event = data.spec.market, data.sample.timeline.iloc[row]
    security = event["security"]
    position = int(data.sample.day0[row]) + day
    if not 0 <= position < len(market.sessions):
        raise RequestError(f"Relative day {day:+d} of {security} lies outside the data.")
    session = market.sessions[position]
    prices = _day_prices(market, security, position)
    lacking = [field for field in ("previous_close", *MOMENTS) if field not in prices]
    if lacking:
        raise RequestError(
            f"{security} on {session:%Y-%m-%d} has no {', '.join(lacking).replace('_', ' ')}, so it cannot "
            "be decomposed. Make the market from prices with open, high, low and close."
        )
    shown = [moment for moment in ("previous_close", *MOMENTS, "limit_down", "limit_up") if moment in prices]
    base = prices["previous_close"]
    limits = {prices.get("limit_down"), prices.get("limit_up")} - {None}
    return pd.DataFrame(
        {
            "price": [prices[m] for m in shown],
            "change": [prices[m] / base - 1 for m in shown],
            "at_limit": [m in MOMENTS and prices[m] in limits for m in shown],
        },
        index=pd.Index([m.replace("_", " ") for m in shown], name="moment"),
    )


def _day_prices(market: Market, security: str, row: int) -> dict[str, float]:
    """Prices of one session with its reference price (as previous_close) and limits, where known."""
    book = market.limits
    known = {"previous_close": book.reference, "limit_down": book.down, "limit_up": book.up}
    known |= {field: market.prices(field) for field in market.price_fields if field in MOMENTS}
    prices = {name: float(frame[security].to_numpy()[row]) for name, frame in known.items()}
    return {name: price for name, price in prices.items() if not np.isnan(price)}
