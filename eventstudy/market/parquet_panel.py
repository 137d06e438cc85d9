"""Long panels in Parquet: of them, the securities and days that events need become a market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from typing import Any, Generic, Literal, Self, TypeVar, get_args

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.arguments import check_sequence, check_whole
from eventstudy.calendars import Exchange
from eventstudy.column_names import (
    DATE_NAMES,
    SECURITY_NAMES,
    TOTAL_RETURN_NAMES,
    field_of,
    find_column,
    plain_name,
)
from eventstudy.errors import DataError
from eventstudy.events import Events
from eventstudy.immutable import FrozenMapping
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
from eventstudy.market.given_options import Making, given_options
from eventstudy.market.holes import unsaid_holes
from eventstudy.market.known_holidays import exchange_closed_on
from eventstudy.market.price_fields import NO_BAD_PRICES
from eventstudy.market.reading_side import MarketRecord
from eventstudy.market.trading_days import FEW, compounded_to, told, trading_groups
from eventstudy.market.units import check_returns, step_in_days
from eventstudy.market.wide_and_long import daily_index
from eventstudy.optional import import_optional
from eventstudy.tabular.reading import Taken
from eventstudy.tabular.vendors import missing_codes

__all__ = ["LongFiles", "ParquetPanel", "ScannedMarket"]

#: Rows taken up at a time.
ROWS = 2**19
#: Securities whose days of trade are compared.
MOST_COMPARED = 60


@dataclass(frozen=True)
class LongFiles:
    """Parquet files of which nothing but the columns is known before something is asked.

    Attributes
    ----------
    path : str
        A file, or a folder of files.
    security, date, value : str
        Columns.
    delisting : str, optional
        Column of delisting returns, compounded with the return of their day.

    Raises
    ------
    DataError
        If the files cannot be read, lack a column, or hold something else in it.
    MissingExtraError
        If pyarrow is not installed.
    """

    path: str
    security: str
    date: str
    value: str
    delisting: str | None = None

    @classmethod
    def of(cls, path: str, security: str | None, date: str | None, value: str | None) -> LongFiles:
        """Open files; columns that are not said are found by their names, the usual ones if none is.

        Raises
        ------
        DataError
            As for the class.
        """
        names = _dataset(path).schema.names
        simple = ("ret", *sorted(TOTAL_RETURN_NAMES))
        alike = [name for name in names if plain_name(name) in TOTAL_RETURN_NAMES]
        if value is None and len(alike) > 1:
            raise DataError(
                f"{path}: the columns {alike[0]!r} and {alike[1]!r} both look like returns. Say which: "
                f"Market.scan_parquet(path, ret={alike[0]!r})."
            )
        return cls(
            path,
            security or str(find_column(names, SECURITY_NAMES) or "permno"),
            date or str(find_column(names, DATE_NAMES) or "date"),
            value or str(find_column(names, simple) or "ret"),
            next((name for name in names if field_of(name) == "delisting_return" and name != value), None),
        )

    def __post_init__(self) -> None:
        names = self._source.schema.names
        for name in self._columns:
            if name not in names:
                raise DataError(
                    f"{self.path} has no column {name!r}; its columns are {', '.join(names[:20])}. "
                    "Name yours: Market.scan_parquet(path, security=..., date=..., ret=...)."
                )
        types = _pyarrow("types")
        kind = self._kind(self.date)
        if not (types.is_date(kind) or types.is_timestamp(kind) or _is_text(kind)):
            raise DataError(
                f"{self.path}: column {self.date!r} holds {kind}, not dates. Write it as dates, e.g. with "
                f"pd.to_datetime(frame[{self.date!r}], format='%Y%m%d')."
            )
        for name in self._columns[2:]:
            kind = self._kind(name)
            empty = name == self.delisting and types.is_null(kind)
            if not (types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind) or empty):
                raise DataError(
                    f"{self.path}: column {name!r} holds {kind}, not numbers. Convert it, e.g. with "
                    "pd.to_numeric(column, errors='coerce'): CRSP writes letters where a return is missing."
                )
        kind = self._kind(self.security)
        if not (types.is_integer(kind) or _is_text(kind)):
            raise DataError(
                f"{self.path}: column {self.security!r} holds {kind}; securities are texts or whole numbers. "
                f"Write it as such, e.g. with frame[{self.security!r}].astype('Int64')."
            )

    def __reduce__(self) -> tuple[type[LongFiles], tuple[str, str, str, str, str | None]]:
        # Another process opens the files itself.
        return LongFiles, (self.path, self.security, self.date, self.value, self.delisting)

    @property
    def _columns(self) -> tuple[str, ...]:
        return (self.security, self.date, self.value, *([self.delisting] if self.delisting else []))

    @cached_property
    def _source(self) -> Any:
        return _dataset(self.path)

    @cached_property
    def securities(self) -> FrozenMapping[str, Any]:
        """Every security of the files by its name, in order; the column is read once."""
        return FrozenMapping({str(one): one for one in sorted(self._distinct(self.security).to_pylist())})

    @cached_property
    def dates(self) -> Any:
        """Every date of the files as it stands there, each once; the column is read once."""
        return self._distinct(self.date)

    def fill(
        self,
        values: FloatArray,
        seen: BoolArray,
        names: Sequence[str],
        session: IntArray,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        only: BoolArray | None = None,
        log: bool = False,
    ) -> None:
        """Write the values of some securities into a panel.

        Parameters
        ----------
        values : array, shape (S, T)
            Written where the files have a row, NaN where that row has no value.
        seen : array of bool, shape (S, T)
            Made true where the files have a row.
        names : sequence of str, length S
            Securities of the files.
        session : array of int
            Column of `values` of each of `dates`, -1 for those to be left out.
        since, until : Timestamp, optional
            Days to read, the last exclusive; all by default. Dates kept as texts are always all read.
        only : array of bool, shape (S,), optional
            The securities to read; all of `names` by default.
        log : bool
            Whether the values are logarithms.

        Raises
        ------
        DataError
            If a security has more than one row for a session, or more than one delisting return; names the
            first.
        """
        ids = self._ids(names)
        mask = np.ones(len(names), dtype=bool) if only is None else only
        if not mask.any():
            return
        where = self._column(self.security).isin(
            self._ids([n for n, use in zip(names, mask, strict=True) if use])
        )
        for day, is_first in ((since, True), (until, False)):
            if day is not None and self.ordered:
                bound = _pyarrow().scalar(day.to_pydatetime()).cast(self._kind(self.date))
                column = _pyarrow("dataset").field(self.date)
                where = where & (column >= bound if is_first else column < bound)
        compute, n_sessions = _pyarrow("compute"), values.shape[1]
        left = np.full(len(names), -1)
        for table in self._tables(self._columns, where):
            row = compute.index_in(table[self.security], value_set=ids).to_numpy()
            column = session[compute.index_in(table[self.date], value_set=self.dates).to_numpy()]
            given = self._numbers(table, self.value)
            if self.delisting is not None:
                last = self._numbers(table, self.delisting)
                self._one_delisting(left, last, row, column, names, session)
                given = _with_delisting(given, last, log)
            kept = column >= 0
            cell = (row.astype(np.int64) * n_sessions + column)[kept]
            twice = seen.reshape(-1)[cell]
            if (np.diff(cell) <= 0).any():
                order = np.argsort(cell, kind="stable")
                twice[order[1:]] |= np.diff(cell[order]) == 0
            if twice.any():
                who, when = divmod(int(cell[twice].min()), n_sessions)
                day = pd.Timestamp(self.dates[int(np.flatnonzero(session == when)[0])].as_py())
                raise DataError(
                    f"{self.path}: {names[who]} has more than one row for {day:%Y-%m-%d}. If "
                    f"they are equal: frame.drop_duplicates([{self.date!r}, {self.security!r}]); if they "
                    "differ, as by currency or exchange, choose those of one."
                )
            seen.reshape(-1)[cell] = True
            values.reshape(-1)[cell] = given[kept]

    def _numbers(self, table: Any, name: str) -> FloatArray:
        """Numbers of a column, without CRSP's codes for missing ones."""
        numbers = np.array(table[name].cast("float64").to_numpy(), dtype=float)
        _, codes = missing_codes(name, "delisting_return" if name == self.delisting else "return")
        if codes:
            numbers[np.isin(numbers, codes)] = np.nan
        return numbers

    def _one_delisting(
        self,
        left: IntArray,
        last: FloatArray,
        row: IntArray,
        column: IntArray,
        names: Sequence[str],
        session: IntArray,
    ) -> None:
        """Note in which session each security was delisted; refuse a second one."""
        for at in np.flatnonzero(~np.isnan(last) & (last != 0) & (column >= 0)):
            if left[row[at]] not in (-1, column[at]):
                rows = [int(np.flatnonzero(session == s)[0]) for s in (left[row[at]], column[at])]
                one, other = sorted(f"{pd.Timestamp(self.dates[k].as_py()):%Y-%m-%d}" for k in rows)
                raise DataError(
                    f"{self.path}: {names[row[at]]} has a delisting return in {self.delisting!r} on {one} "
                    f"and on {other}, and a security is delisted once. Leave it on its own day alone."
                )
            left[row[at]] = column[at]

    @property
    def ordered(self) -> bool:
        """Whether days can be chosen while reading: not of texts, nor of moments in another zone."""
        types, kind = _pyarrow("types"), self._kind(self.date)
        return bool(types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None))

    def _ids(self, names: Sequence[str]) -> Any:
        return _pyarrow().array([self.securities[name] for name in names], self._kind(self.security))

    def _kind(self, name: str) -> Any:
        kind = self._source.schema.field(name).type
        return kind.value_type if _pyarrow("types").is_dictionary(kind) else kind

    def _column(self, name: str) -> Any:
        """Expression of a column; categories are what they stand for."""
        column, stored = _pyarrow("dataset").field(name), self._source.schema.field(name).type
        return column.cast(self._kind(name)) if _pyarrow("types").is_dictionary(stored) else column

    def _tables(self, names: Sequence[str], where: Any = None) -> Iterator[Any]:
        """Columns of the rows that `where` selects, about `ROWS` rows at a time."""
        table, held = _pyarrow().Table, []
        for batch in self._source.to_batches(columns={n: self._column(n) for n in names}, filter=where):
            held.append(batch)
            if sum(one.num_rows for one in held) >= ROWS:
                yield table.from_batches(held)
                held = []
        if held:
            yield table.from_batches(held)

    def _distinct(self, name: str) -> Any:
        arrow = _pyarrow()
        found = arrow.array([], self._kind(name))
        for table in self._tables([name]):
            found = arrow.concat_arrays([found, table[name].unique()]).unique()
        if not len(found):
            raise DataError(f"{self.path} has no rows.")
        if found.null_count:
            raise DataError(f"{self.path}: some rows have no {name!r}. Give them one, or leave them out.")
        return found


def _with_delisting(returns: FloatArray, delisting: FloatArray, log: bool) -> FloatArray:
    """Compound delisting returns with the returns of their days, which may be missing."""
    known = np.where(np.isnan(returns), 0.0, returns)
    if log:
        with np.errstate(divide="ignore"):
            both = known + np.log1p(delisting)
    else:
        both = (1 + known) * (1 + delisting) - 1
    return np.where(np.isnan(delisting), returns, both)


def _dataset(path: str) -> Any:
    dataset, lib = _pyarrow("dataset"), _pyarrow("lib")
    try:
        return dataset.dataset(path, format="parquet")
    except FileNotFoundError:
        raise DataError(f"There is no file or folder {path}.") from None
    except (OSError, lib.ArrowException) as problem:
        raise DataError(f"{path} cannot be read as Parquet: {problem}") from problem


def _pyarrow(module: str = "") -> Any:
    name = f"pyarrow.{module}" if module else "pyarrow"
    return import_optional(name, "pyarrow", "scale", "Reading Parquet")


def _is_text(kind: Any) -> bool:
    types = _pyarrow("types")
    return bool(types.is_string(kind) or types.is_large_string(kind))


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
    ...     panel = es.Market.scan_parquet(f"{folder}/crsp.parquet", benchmark="399001.SZ")
    ...     len(panel.securities)
    8
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
    def _said(self) -> tuple[str, ...]:
        files = self.files
        named = {"security": files.security, "date": files.date, "ret": files.value}
        return given_options(named | {"sessions": self.sessions}, {"sessions": "calendar"})

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
            If a security has more than one row for a day, or the files hold none of the securities, or some
            of them trade on days of their own and no calendar is given.
        """
        events = events if isinstance(events, Events) else Events(events)
        if reach is not None:
            check_whole("reach", reach, 0)
        also = check_sequence("also", also, "securities")
        exchange = None if self.calendar is None else Exchange.of(self.calendar)
        files = self.files
        days = daily_index(pd.Index(files.dates.to_pandas()), files.path, timezone_of(exchange))
        blank = {"return": pd.DataFrame(index=days.unique().sort_values())}
        laid, lacking, unknown = align_to_sessions(blank, exchange, self.sessions, self.kind)
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
        # Returns of days between sessions count in the next one.
        between = len(unknown) > 0 and self.sessions == "calendar" and self.kind not in LEVELS
        rows = sessions.union(unknown) if between else sessions
        at = int(rows.searchsorted(sessions[first])) if between else first
        returns = self._read(names, rows, rows.get_indexer(days), every, at)
        if between:
            laid_out = compounded_to(pd.DataFrame(returns.T, rows), sessions, self.kind).reindex(sessions)
            returns = np.ascontiguousarray(laid_out.to_numpy().T)
        if exchange is None and self.sessions == "calendar" and step_in_days(sessions) <= 1.0:
            _refuse_several_exchanges(returns[:, first:], sessions[first:], names)
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
                *(
                    Taken(name, "delisting_return", evidence="compounded with the return of its day")
                    for name in [files.delisting]
                    if name is not None
                ),
            ),
            unsaid=unsaid_holes(returns, spans) if self.gaps is None and lumped else None,
            making=Making(self._said, scanned=True),
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
        log = self.kind == "log"
        if first <= PAD or not self.files.ordered:
            self.files.fill(returns, seen, names, session, log=log)
            return returns
        begin = first - PAD
        self.files.fill(returns, seen, names, session, since=sessions[begin], log=log)
        # Without a return just before the first one needed, that one may reach back to any day.
        before = every | np.isnan(returns[:, begin:first]).all(axis=1)
        self.files.fill(returns, seen, names, session, until=sessions[begin], only=before, log=log)
        return returns


def _refuse_several_exchanges(returns: FloatArray, sessions: pd.DatetimeIndex, names: list[str]) -> None:
    """Refuse securities that trade on days of their own, beside all others of the panel."""
    some = np.unique(np.linspace(0, len(names) - 1, MOST_COMPARED).astype(int))  # halts make many groups
    names = [names[row] for row in some]
    seen = np.column_stack([~np.isnan(returns[some].T), np.ones(len(sessions), dtype=bool)])
    every = [*names, "the panel"]
    groups = trading_groups(seen, sessions, every, np.full(len(every), -1))
    which = told(groups, every)
    for column, name in enumerate(names if not groups and len(names) <= FEW else ()):
        rows = np.flatnonzero(seen[:, column])
        if not len(rows):
            continue
        inside = np.zeros(len(sessions), dtype=bool)
        inside[rows[0] : rows[-1] + 1] = True
        if exchange_closed_on(inside & ~seen[:, column], inside, sessions) is not None:
            which = f"{name}; the panel"
            break
    if which:
        raise DataError(
            f"Securities of the panel trade on different days: {which}. Give calendar= and scan "
            "one panel per exchange, or choose sessions='data', which makes every day of the panel a session "
            "of all securities."
        )


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
            A Parquet file, or a folder of them, one row per security-day. Where the rows of a security stand
            together, whole row groups are skipped.
        security, date, ret : str, optional
            Columns, by default found by their names: security (texts or whole numbers; events name them as
            texts, ``"10107"``), day, and return in decimals, empty where the security did not trade. CRSP's
            ``dlret`` is compounded with it, where there is such a column.
        benchmark, factors, calendar, kind, gaps, sessions
            As for `Market`; a benchmark given as a text is a security of the panel. The calendar is that of
            one exchange: a panel of several exchanges needs one scan for each, with its calendar.

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
        if kind in LEVELS:
            files = replace(files, delisting=None)
        return ParquetPanel(
            cls._of, files, dated_benchmark(benchmark), factors, calendar, kind, gaps, sessions
        )
