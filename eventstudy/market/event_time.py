"""Returns that are in event time already: rows numbered by session from the event, without dates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.arguments import check_choice
from eventstudy.column_names import field_of, plain_name
from eventstudy.errors import DataError
from eventstudy.events import Events
from eventstudy.interop import ForeignTable, to_pandas
from eventstudy.market.compounding import ReturnKind
from eventstudy.market.given_options import Making, given_options
from eventstudy.market.market import Market
from eventstudy.market.units import Unit
from eventstudy.text import MADE_UP_DAY_0, in_event_time

__all__ = ["from_event_time"]

#: Columns of a long frame.
EVENT, DAY, RETURN, BENCHMARK = "event", "day", "return", "benchmark"
#: The made-up date of day 0; sessions follow each other day by day.
DAY_0 = pd.Timestamp(MADE_UP_DAY_0)
#: Sessions from day 0 beyond which a number is more likely a date.
FARTHEST = 20_000


def from_event_time(
    returns: pd.DataFrame | ForeignTable,
    *,
    benchmark: pd.DataFrame | pd.Series | None = None,
    kind: ReturnKind = "simple",
    gaps: Literal["lumped", "single"] | None = None,
    unit: Unit | None = None,
) -> tuple[Market, Events]:
    """Make a market and its events of returns that are in event time already.

    Parameters
    ----------
    returns : DataFrame
        Relative days × events, the index numbering sessions from the event (−250 to 10, day 0 is the
        event's); or one row per event and day with the columns event, day and return, perhaps benchmark, and
        others that are the same on all rows of an event, which become columns of the events. Decimals.
    benchmark : DataFrame or Series, optional
        Relative days × events, or one series by relative day for all events; not with a column benchmark.
    kind, gaps, unit
        As for `Market`.

    Returns
    -------
    market : Market
        Each event is a security of its own, with its own benchmark.
    events : Events
        One for each, under its name.

    Raises
    ------
    DataError
        If days are not whole numbers from before the event to day 0, an event has one twice, or rows bear
        dates.

    See Also
    --------
    Market : where the rows have dates, so that dependence between events can be measured.

    Notes
    -----
    Which events share dates is lost, so tests take all of them for independent, and nothing else can be
    told: events that cluster in time make every such test reject too often. Sessions need dates inside, which
    are made up: day 0 is 1900-01-01, and each session a day. Dates of the market are those. What needs real
    dates (pools, models with peers, windows by dates, calendar-time portfolios) is refused.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(0)
    >>> returns = pd.DataFrame(rng.normal(0, 0.02, (151, 8)), range(-140, 11), list("ABCDEFGH"))
    >>> market, events = es.from_event_time(returns)
    >>> results = es.EventStudy(market, events, es.ConstantMean(), (-140, -21), (-5, 10)).fit()
    >>> results.clustering(0, 1).n_dates
    8
    """
    check_choice("kind", kind, get_args(ReturnKind))
    frame = to_pandas(returns, "Returns in event time")
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"from_event_time takes a DataFrame of returns, got {type(returns).__name__}.")
    others, against = None, benchmark
    frame = _with_names(frame)
    if {EVENT, DAY, RETURN} <= set(frame.columns):
        if BENCHMARK in frame and benchmark is not None:
            raise DataError("Give the benchmark as a column of the returns or as benchmark=, not both.")
        wide, own, others = _of_long(frame)
        against = benchmark if own is None else own
    else:
        wide = _by_day(frame, "Returns in event time")
    if 0 not in wide.index:
        raise DataError(
            f"Returns in event time are of days {wide.index[0]} to {wide.index[-1]}: day 0, the event, "
            "must be one of them."
        )
    without = [name for name, missing in zip(wide.columns, wide.loc[0].isna(), strict=True) if missing]
    if without:
        raise DataError(
            f"Event {without[0]} has no return on day 0, so which day the news moved is unknown: in event "
            "time day 0 stays where it is. Drop the event, or number its days from the first that could "
            "react."
        )
    days = pd.DatetimeIndex(DAY_0 + pd.to_timedelta(wide.index, unit="D")).as_unit("ns")
    # Columns are read much faster than as many series.
    table = None if against is None else _benchmarks(against, wide)
    try:
        market = Market(
            (wide if table is None else pd.concat([wide, table], axis=1)).set_axis(days),
            benchmark=None
            if table is None
            else table.columns[0]
            if len(table.columns) == 1
            else dict(zip(wide.columns, table.columns, strict=True)),
            kind=kind,
            gaps=gaps,
            unit=unit,
            sessions="data",
        )
    except DataError as problem:
        raise DataError(in_event_time(str(problem))) from None
    making = Making(given_options({"benchmark": benchmark, "unit": unit}, {}))
    market = market._with_returns(
        replace(market._data, undated=True, making=making),
        replace(market.arrays, making=making),
        market.bank,
    )
    taken = [] if others is None else [name for name in ("security", "date") if name in others]
    if taken:
        raise DataError(
            f"The column {taken[0]!r} of returns in event time has a name that events use otherwise: each "
            "event is a security of its own, and its date is not known. Rename or drop it."
        )
    listed = pd.DataFrame({"event_id": wide.columns, "security": wide.columns, "date": DAY_0})
    return market, Events(listed if others is None else listed.join(others, on="event_id"))


def _with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Rename the columns of a long frame: ``Event`` becomes ``event``, and ``ret`` becomes ``return``."""
    named = {column: plain_name(column) for column in frame.columns}
    named = {column: name for column, name in named.items() if name in (EVENT, DAY, BENCHMARK)}
    if sorted({EVENT, DAY, *named.values()}) != sorted(named.values()):
        return frame
    returns = [column for column in frame.columns if field_of(column) == "return"]
    if len(returns) != 1:
        raise DataError(
            f"Returns in event time: of the columns {[str(column) for column in frame.columns][:10]}, which "
            f"is the return? Call it {RETURN!r}."
        )
    return frame.rename(columns=named | {returns[0]: RETURN})


def _of_long(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Take returns, benchmarks (relative days × events) and columns by event out of a long frame."""
    dated = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    if dated:
        raise DataError(
            f"The rows bear dates (column {dated[0]!r}): make a Market of the columns {dated[0]!r}, "
            f"{EVENT!r} (as the security) and {RETURN!r}, and Events of the dates of day 0, so that "
            "dependence between events is measured. If the column holds the date of day 0 alone, drop it."
        )
    name = frame[EVENT].astype(str).where(frame[EVENT].notna())
    twice = frame.assign(**{EVENT: name})[[EVENT, DAY]].duplicated()
    if name.isna().any() or twice.any():
        row = frame[name.isna() | twice].iloc[0]
        raise DataError(
            f"Returns in event time: event {row[EVENT]!r} has day {row[DAY]} twice."
            if pd.notna(row[EVENT])
            else f"Returns in event time: a row of day {row[DAY]} names no event."
        )
    order = pd.unique(name)
    laid = frame.assign(**{EVENT: name}).set_index([DAY, EVENT])
    values = [column for column in (RETURN, BENCHMARK) if column in laid]
    tables = [_by_day(laid[column].unstack(EVENT)[order], f"Column {column!r}") for column in values]
    rest = frame.drop(columns=[DAY, *values]).assign(**{EVENT: name})
    by_event = rest.groupby(EVENT, sort=False)
    varying = by_event.nunique(dropna=False).gt(1).any()
    if varying.any():
        raise DataError(
            f"Returns in event time: column {varying.idxmax()!r} differs within an event. "
            "Columns besides event, day, return and benchmark describe an event and are the same on all its "
            "rows; drop it."
        )
    return tables[0], tables[1] if len(tables) > 1 else None, by_event.first()


def _by_day(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Lay returns on all days from the first to the last, by relative day in order; columns are events."""
    numbered = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0 and len(frame.columns) > 0
    if numbered and pd.api.types.is_integer_dtype(frame.iloc[:, 0]):  # days are a column, as files have them
        frame = frame.set_index(frame.columns[0])
    days = pd.to_numeric(pd.Series(frame.index, dtype=object), errors="coerce").to_numpy(dtype=float)
    if not len(days) or not (np.isfinite(days) & (days == np.round(days))).all():
        raise DataError(
            f"{what}: rows are numbered by session from the event, such as -250 to 10, or the columns are "
            f"{EVENT!r}, {DAY!r} and {RETURN!r}; got the index {frame.index[:3].tolist()} and the columns "
            f"{[str(column) for column in frame.columns][:10]}."
        )
    if np.abs(days).max() > FARTHEST:
        raise DataError(
            f"{what}: {days[np.abs(days).argmax()]:.0f} is not a number of sessions; is it a date?"
        )
    frame = frame.set_axis(days.astype(np.int64)).set_axis(frame.columns.astype(str), axis=1)
    for axis, twice in (("day", frame.index.duplicated()), ("event", frame.columns.duplicated())):
        if twice.any():
            named = (frame.index if axis == "day" else frame.columns)[twice][0]
            raise DataError(f"{what}: {axis} {named} is there twice.")
    wide = frame.reindex(range(int(days.min()), int(days.max()) + 1))
    text = [name for name in wide if not pd.api.types.is_numeric_dtype(wide[name])]
    if text:
        raise DataError(f"{what}: the returns of event {text[0]} are not numbers.")
    return wide.astype(float)


def _benchmarks(given: Any, wide: pd.DataFrame) -> pd.DataFrame:
    """Lay out the benchmark of all events, or of each in their order, under names that no event has."""
    if isinstance(given, pd.Series):
        return _by_day(given.to_frame("(benchmark)"), "Benchmark").reindex(wide.index)
    if not isinstance(given, pd.DataFrame):
        raise DataError(
            f"benchmark is a frame of relative days × events, or one Series, got {type(given).__name__}."
        )
    table = _by_day(given, "Benchmark").reindex(wide.index)
    lacking = wide.columns.difference(table.columns, sort=False)
    if len(lacking):
        raise DataError(f"The benchmark has no column of event {lacking[0]}.")
    return table[wide.columns].add_prefix("benchmark of ")
