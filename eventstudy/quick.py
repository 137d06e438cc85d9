"""The one-line way in: prices and a whole event study from tickers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from eventstudy.calendars import Exchange, exchange_of
from eventstudy.errors import DataError, RequestError
from eventstudy.events import Events
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.results import EventStudyResults
from eventstudy.results.pooled.pool import of_one_exchange
from eventstudy.sources import outcome, prices, share_counts
from eventstudy.study import EventStudy
from eventstudy.windows import Window

__all__ = ["measure", "prices", "share_counts"]

DAY = re.compile(r"\s*\d{4}-\d{2}-\d{2}\s*")


def measure(
    security: str | Sequence[str],
    announced: str | date | datetime,
    *,
    benchmark: str,
    model: NormalReturnModel | None = None,
    estimation: Window | Sequence[int] = (-250, -30),
    window: Window | Sequence[int] = (-10, 10),
    label: str | None = None,
    calendar: str | Exchange | None = None,
    offline: bool = False,
    max_age: float | None = None,
) -> EventStudyResults:
    """Fetch prices and measure the abnormal returns around one announcement.

    Parameters
    ----------
    security : str or sequence of str
        Yahoo's ticker, or several of one exchange that the announcement concerned.
    announced : str, date or datetime
        Time of the announcement **with** its zone, such as ``"2019-05-21 19:00-04:00"``: day 0 is the first
        session that could react. Or a day, such as ``"2019-05-22"``, which is day 0 itself.
    benchmark : str
        Ticker of the index to measure against, such as ``"399001.SZ"`` or ``"^GSPC"``.
    model, estimation, window
        As for `EventStudy`.
    label : str, optional
        Name of the event in tables and figures.
    calendar : str or Exchange, optional
        Exchange calendar; default the one of the ticker's suffix.
    offline, max_age
        As for `prices`.

    Returns
    -------
    EventStudyResults

    Raises
    ------
    DataError
        If there are no prices of the benchmark or of any security; the message gives the reason.
    CalendarError
        If the exchange is not known from the ticker.
    RequestError
        If the securities trade on several exchanges.
    EventError, WindowError, ModelError, NoUsableEventsError
        As from `Events`, `EventStudy` and its ``fit``.

    See Also
    --------
    prices, Market.from_prices, EventStudy : The same in four steps, with every choice open.

    Notes
    -----
    Whole calendar years are fetched, enough for both windows, so other windows or neighbouring
    dates need no further request to Yahoo. Returns are total returns (adjusted closes); many indices, such as
    399001.SZ, are price indices without dividends.

    Examples
    --------
    >>> import eventstudy as es
    >>> results = es.measure(
    ...     "002415.SZ", "2019-05-21 19:00-04:00", benchmark="399001.SZ"
    ... )  # doctest: +SKIP
    >>> results.car(0, 1)  # doctest: +SKIP
    """
    given = [security] if isinstance(security, str) else list(security)
    if not given or not all(isinstance(name, str) for name in [*given, benchmark]):
        raise RequestError(f"security and benchmark are tickers, got {security!r} and {benchmark!r}.")
    names = [name.strip().upper() for name in given]
    index = benchmark.strip().upper()
    if index in names:
        raise RequestError(f"{index} cannot be measured against itself; name an index as benchmark.")
    estimation, window = Window.of(estimation), Window.of(window)
    events = Events([{"security": name, **_when(announced), "label": label or name} for name in names])
    exchange = calendar or _common_exchange(names)
    start, end = _years(events, estimation, window)
    fetched = prices([*names, index], start, end, offline=offline, max_age=max_age)
    record = outcome(fetched)
    failed = record[record["status"] != "ok"]
    if index in failed.index or len(failed.index.intersection(names)) == len(names):
        told = "\n".join(f"  {name}: {row.status} ({row.detail})" for name, row in failed.iterrows())
        raise DataError(f"Without these prices nothing can be measured:\n{told}")
    market = Market.from_prices(fetched, benchmark=index, calendar=exchange)
    study = EventStudy(market, events, model=model, estimation=estimation, window=window)
    return of_one_exchange(study.fit())


def _when(announced: Any) -> dict[str, Any]:
    """Return the event column of a day or of a time."""
    if isinstance(announced, str):
        is_day = DAY.fullmatch(announced) is not None
    elif isinstance(announced, datetime):
        is_day = announced.tzinfo is None and announced == pd.Timestamp(announced).normalize()
    else:
        is_day = isinstance(announced, date)
    return {"date" if is_day else "announced_at": announced}


def _common_exchange(names: list[str]) -> str:
    exchanges = {name: exchange_of(name) for name in names}
    if len(set(exchanges.values())) > 1:
        told = ", ".join(f"{name} on {exchange}" for name, exchange in exchanges.items())
        raise RequestError(
            f"The securities trade on several exchanges ({told}), with days and benchmarks of their own. "
            "Measure each exchange on its own and join the results with es.pool([...])."
        )
    return next(iter(exchanges.values()))


def _years(events: Events, estimation: Window, window: Window) -> tuple[str, str | None]:
    """First and last day of the calendar years that hold both windows; None for the end: until yesterday."""
    frame = events.frame
    day = frame["date"].fillna(frame["announced_at"].dt.tz_localize(None)).iloc[0]
    # Of ten days less than seven are sessions, and long holidays and halts come on top.
    before = max(0, -min(estimation.start, window.start)) * 1.6 + 30
    after = max(0, max(estimation.end, window.end)) * 1.6 + 30
    start, end = day - pd.Timedelta(days=before), day + pd.Timedelta(days=after)
    over = end.year < datetime.now(UTC).year
    return f"{start.year}-01-01", f"{end.year}-12-31" if over else None
