"""Long panels in Parquet: of them, the securities and days that events need become a market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Generic, Literal, Self, TypeVar, get_args

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.calendars import Exchange
from eventstudy.errors import DataError
from eventstudy.events import Events
from eventstudy.market.alignment import (
    Factors,
    MarketData,
    align_to_sessions,
    check_choice,
    lay_factors,
    timezone_of,
)
from eventstudy.market.compounding import LEVELS, ReturnKind, return_spans
from eventstudy.market.date_columns import Benchmark, LaidBenchmark, dated_benchmark
from eventstudy.market.holes import unsaid_holes
from eventstudy.market.parquet_files import LongFiles
from eventstudy.market.price_fields import NO_BAD_PRICES
from eventstudy.market.reading_side import MarketRecord
from eventstudy.market.units import check_returns
from eventstudy.market.wide_and_long import daily_index
from eventstudy.tabular.reading import Taken

__all__ = ["ParquetPanel", "ScannedMarket"]

Made = TypeVar("Made", bound=MarketRecord)
#: Securities whose spans are computed at a time.
BLOCK = 256
#: Sessions before those needed in which a return tells that the next one spans no more than the gap between.
PAD = 5
#: Room for dates moved back to a session, and for the zone of an announcement.
SHIFT = pd.Timedelta(days=20)


@dataclass(frozen=True)
class ParquetPanel(Generic[Made]):
    """A long panel in Parquet, of which nothing is read before events say what they need.

    Made by `Market.scan_parquet`; an `EventStudy` takes it in place of a market.
    """

    make: Callable[[MarketData, Benchmark | None], Made] = field(repr=False)
    files: LongFiles
    benchmark: LaidBenchmark | None = field(repr=False)
    factors: Factors | None = field(repr=False)
    calendar: str | Exchange | None
    kind: ReturnKind
    gaps: Literal["lumped", "single"] | None
    sessions: Literal["calendar", "data"]

    @property
    def securities(self) -> list[str]:
        """Every security of the files; reads that column when first asked."""
        return list(self.files.securities)

    def market(self, events: Events, *, reach: int | None = None, also: Iterable[str] = ()) -> Made:
        """Read the securities that events name, and those that are benchmarks, as a market.

        Parameters
        ----------
        events : Events
        reach : int, optional
            Sessions before each event that are needed: as many as estimation windows reach back. What lies
            before those of the earliest event is not read and counts as missing; by default all is read.
            Days after the events are always read, for day 0 of a suspended security is its next trade,
            however late.
        also : iterable of str, optional
            Further securities to read, such as peers.

        Returns
        -------
        Market
            With all sessions of the panel.

        Raises
        ------
        DataError
            If a security has more than one row for a day, or the files hold none of the securities.
        """
        exchange = None if self.calendar is None else Exchange.of(self.calendar)
        files = self.files
        days = daily_index(pd.Index(files.dates.to_pandas()), files.path, timezone_of(exchange))
        blank = {"return": pd.DataFrame(index=days.unique().sort_values())}
        laid, lacking, unknown = align_to_sessions(blank, exchange, self.sessions)
        sessions = pd.DatetimeIndex(laid["return"].index)
        known, frame = files.securities, events.frame
        given = list(self.benchmark.values()) if isinstance(self.benchmark, Mapping) else [self.benchmark]
        given += list(frame["benchmark"].dropna()) if "benchmark" in frame else []
        whole = {name for name in given if isinstance(name, str) and name in known}
        asked = [*dict.fromkeys([*events.securities, *map(str, also)])]
        names = [name for name in known if name in whole.union(asked)]
        if not set(asked) & set(known):
            raise DataError(
                f"{files.path} has none of the {len(asked)} securities asked for, such as {asked[0]!r}; its "
                f"column {files.security!r} holds {', '.join(list(known)[:5])}, ..."
            )
        every = np.array([name in whole for name in names])
        first = 0 if reach is None else _first_row(sessions, frame, reach)
        returns = self._read(names, sessions, sessions.get_indexer(days), every, first)
        lumped = self.gaps != "single" and self.kind not in LEVELS
        spans = _checked_spans(returns, sessions, names, self.kind, lumped)
        data = MarketData(
            sessions=sessions,
            columns=tuple(names),
            returns=returns,
            spans=spans,
            fields={},
            factors=lay_factors(self.factors, sessions, exchange, self.kind),
            kind=self.kind,
            lumped=lumped,
            exchange=exchange,
            price_limit=None,
            tick=None,
            special=None,
            lacking=lacking,
            unknown=unknown,
            bad_prices=NO_BAD_PRICES,
            gaps=self.gaps,
            reading=(
                Taken(files.date, "date"),
                Taken(files.security, "security"),
                Taken(files.value, "return" if self.kind not in LEVELS else self.kind),
            ),
            unsaid=unsaid_holes(returns, spans) if self.gaps is None and lumped else None,
        )
        benchmark = self.benchmark
        if isinstance(benchmark, Mapping):
            unread = set(known) - set(names)
            benchmark = {of: series for of, series in benchmark.items() if of not in unread}
        return self.make(data, benchmark)

    def _read(
        self,
        names: list[str],
        sessions: pd.DatetimeIndex,
        session: IntArray,
        every: BoolArray,
        first: int,
    ) -> FloatArray:
        """Read returns from session `first` on, those of the securities `every` from the beginning."""
        returns = np.full((len(names), len(sessions)), np.nan)
        seen = np.zeros(returns.shape, dtype=bool)
        if first <= PAD or not self.files.ordered:
            self.files.fill(returns, seen, names, session)
            return returns
        begin = first - PAD
        self.files.fill(returns, seen, names, session, since=sessions[begin])
        # Without a return just before the first one needed, that one may reach back to any day.
        before = every | np.isnan(returns[:, begin:first]).all(axis=1)
        self.files.fill(returns, seen, names, session, until=sessions[begin], only=before)
        return returns


def _first_row(sessions: pd.DatetimeIndex, events: pd.DataFrame, reach: int) -> int:
    """First session that windows reaching back `reach` sessions may need."""
    told = [events["announced_at"], *(events[c] for c in ("announced_after",) if c in events)]
    days = [events["date"], *(moments.dt.tz_localize(None) for moments in told)]
    earliest = min(day.min() for day in days if day.notna().any())
    return max(int(sessions.searchsorted(earliest - SHIFT)) - reach, 0)


def _checked_spans(
    returns: FloatArray, sessions: pd.DatetimeIndex, names: list[str], kind: ReturnKind, lumped: bool
) -> IntArray:
    spans = np.empty(returns.shape, dtype=np.int64)
    for start in range(0, len(names), BLOCK):
        part = slice(start, start + BLOCK)
        check_returns(pd.DataFrame(returns[part].T, sessions, names[part]), "Returns", kind)
        spans[part] = return_spans(returns[part].T, lumped).T
    return spans


class ScannedMarket(MarketRecord):
    """What `Market` makes of Parquet files."""

    @classmethod
    def _of(cls, data: MarketData, benchmark: Benchmark | None) -> Self:
        raise NotImplementedError("the market itself says how it is made")

    @classmethod
    def scan_parquet(
        cls,
        path: str | PathLike[str],
        *,
        security: str | None = None,
        date: str | None = None,
        ret: str | None = None,
        benchmark: Benchmark | None = None,
        factors: Factors | None = None,
        calendar: str | Exchange | None = None,
        kind: ReturnKind = "simple",
        gaps: Literal["lumped", "single"] | None = None,
        sessions: Literal["calendar", "data"] = "calendar",
    ) -> ParquetPanel[Self]:
        """Describe a long panel in Parquet, of which a study reads only what its events need.

        Parameters
        ----------
        path : path
            A Parquet file, or a folder of them, one row a security-day. Where the rows of a security stand
            together, whole row groups are skipped.
        security, date, ret : str, optional
            Columns, by default found by their names: security (texts or whole numbers; events name them as
            texts, ``"10107"``), day, and return in decimals, empty where the security did not trade.
        benchmark, factors, calendar, kind, gaps, sessions
            As for `Market`; a benchmark given as a text is a security of the panel.

        Returns
        -------
        ParquetPanel
            What `EventStudy` takes in place of a market. Its `market(events)` reads a market to look at.

        Raises
        ------
        DataError
            If the files cannot be read, or lack a column.
        MissingExtraError
            If pyarrow is not installed.

        Notes
        -----
        Securities that no event names are not read, so `Market.audit` and placebo firms do not see them, nor
        returns before the first estimation window. Models of peers read those named in ``peers=``.

        Examples
        --------
        >>> import tempfile
        >>> import eventstudy as es
        >>> closes = es.datasets.surveillance_prices()["close"]
        >>> long = closes.ffill().pct_change().where(closes.notna()).melt(
        ...     var_name="permno", value_name="ret", ignore_index=False
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     long.dropna().reset_index().to_parquet(f"{folder}/crsp.parquet")
        ...     panel = es.Market.scan_parquet(
        ...         f"{folder}/crsp.parquet", benchmark="399001.SZ", gaps="lumped"
        ...     )
        ...     study = es.EventStudy(panel, [{"security": "002415.SZ", "date": "2019-05-22"}])
        >>> study.spec.market.securities
        ['002415.SZ']
        >>> study.fit().car(0, 1)["car"].round(3).tolist()
        [-0.075]
        """
        check_choice("kind", kind, get_args(ReturnKind))
        if gaps is not None:
            check_choice("gaps", gaps, ("lumped", "single"))
        check_choice("sessions", sessions, ("calendar", "data"))
        files = LongFiles.of(str(path), security, date, ret)
        return ParquetPanel(
            cls._of, files, dated_benchmark(benchmark), factors, calendar, kind, gaps, sessions
        )
