"""EventSample: events as rows of a market, and the arrays of their windows.

Events and a market go in; per event a security, an event day and two windows come out, as
arrays in event time, with the record of every shift and of every event that cannot be used.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.errors import ModelError
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, hand_out_copies, made_once, read_only
from eventstudy.market import Market
from eventstudy.market.compounding import CompoundedSeries
from eventstudy.market.intraday import Gap
from eventstudy.sample.event_arrays import (
    EventArrays,
    Missing,
    Regressor,
    Rows,
    gap_kinds,
    take_windows,
)
from eventstudy.sample.exclusion import DaysBySecurity, ExclusionWindows
from eventstudy.sample.named_series import factor_series, named_benchmarks, named_factor_sets
from eventstudy.sample.own_windows import Asked, OwnWindows, own_windows
from eventstudy.sample.placement import (
    SHORT,
    check_windows,
    first_sessions,
    first_trades,
    shift_note,
    told,
    too_early,
    unknown_security,
)
from eventstudy.text import format_time, plural
from eventstudy.windows import Window

__all__ = ["EventSample"]


@hand_out_copies("events", "excluded")
@dataclass(frozen=True)
class EventSample(FrozenRecord):
    """Events that can be used, as rows of a market, and why the others cannot.

    Attributes
    ----------
    market : Market
    estimation, window : Window
    events : DataFrame
        The usable events, as in ``Events.frame``.
    excluded : DataFrame
        Index event_id: security, label, reason.
    security : array of int, shape (N,)
        Row of each event's security in ``market.arrays``.
    day0, first_row : arrays of int, shape (N,)
        Row in ``market.sessions`` of day 0 and of the first session that could react.
    closed_days : array of int, shape (N,)
    previous : array of datetime64[D], shape (N,)
        As in `eventstudy.sample.placement.Placement`.
    other : mapping of event_id to datetime64[D]
        The session not taken, of events that may have met either of two.
    announced : ExclusionWindows, optional
        Announcements whose windows the estimation windows of the same security skip.
    own : OwnWindows, optional
        Windows of each event's own, laid out in `estimation` and `window`.
    barred : ExclusionWindows, optional
        Days, by security, that the estimation windows leave out.
    """

    market: Market
    estimation: Window
    window: Window
    events: pd.DataFrame
    excluded: pd.DataFrame
    security: IntArray
    day0: IntArray
    first_row: IntArray
    closed_days: IntArray
    previous: DateArray
    other: Mapping[Hashable, np.datetime64] = field(default_factory=dict)
    announced: ExclusionWindows | None = None
    own: OwnWindows | None = None
    barred: ExclusionWindows | None = None

    def __len__(self) -> int:
        return len(self.day0)

    def origin(self, window: Window, part: Rows = slice(None)) -> IntArray:
        """Row from which the sessions of a window count, shape (n,): day 0, or where own windows are laid."""
        if self.own is not None and window is self.estimation:
            return np.asarray(self.day0[part] + self.own.shift[part])
        return self.day0[part]

    @cached_property
    def benchmark(self) -> IntArray:
        """Row of each event's benchmark in `bank`, -1 where it has none; shape (N,).

        The one that the event names in its column `benchmark`, else the one of its security.
        """
        named = named_benchmarks(self.market, self.events)[1]
        return read_only(np.where(named >= 0, named, self.market.arrays.benchmark[self.security]))

    @cached_property
    def bank(self) -> CompoundedSeries:
        """Benchmarks and factors: those of the market, then the columns that events name as benchmark."""
        return named_benchmarks(self.market, self.events)[0]

    @cached_property
    def factor_set(self) -> IntArray:
        """Position of each event's set in ``market.arrays.factor_rows``, -1 for none; shape (N,)."""
        return read_only(named_factor_sets(self.market, self.events))

    @cached_property
    def _factors(self) -> dict[str, IntArray]:
        """Row in `bank` of the factors asked for so far, of each event; -1 where its set lacks one."""
        return {}

    @cached_property
    def spans(self) -> IntArray:
        """Sessions the return of day 0 spans, shape (N,)."""
        arrays = self.market.arrays
        if arrays.single is arrays.returns:  # no return spans several sessions, and day 0 has a return
            return read_only(np.ones(len(self), dtype=np.int64))
        return read_only(arrays.spans[self.security, self.day0])

    @property
    @made_once
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0.

        Index event_id: security, label, announced, first_session (first session that could react),
        closed_days (days without a session just before it), suspended_sessions (sessions the
        security then stayed suspended), day_0, spans (sessions the return of day 0 spans), note. In event
        time no day is known: NaT.
        """
        sessions = self.market.sessions
        if self.market.undated:
            sessions = pd.DatetimeIndex([pd.NaT] * len(sessions), dtype=sessions.dtype)
        return pd.DataFrame(
            {
                "security": self.events["security"],
                "label": _labels(self.events),
                "announced": "in event time" if self.market.undated else _announced(self.events),
                "first_session": sessions[self.first_row],
                "closed_days": self.closed_days,
                "suspended_sessions": self.day0 - self.first_row,
                "day_0": sessions[self.day0],
                "spans": self.spans,
                "note": self._notes(),
            },
            index=self.events.index,
        )

    def _notes(self) -> npt.NDArray[np.object_]:
        out = np.full(len(self), "", dtype=object)
        moved = (self.closed_days != 0) | (self.day0 > self.first_row) | (self.spans > 1)
        if self.other:
            moved |= self.events.index.isin(list(self.other))
        for row in np.flatnonzero(moved):
            out[row] = self.note(int(row))
        return out

    def note(self, row: int) -> str:
        """How event `row` came from its announcement to its day 0; empty where nothing is worth saying."""
        return shift_note(
            self.market.sessions,
            int(self.first_row[row]),
            int(self.closed_days[row]),
            self.previous[row],
            self.other.get(self.events.index[row]),
            int(self.day0[row]),
            int(self.spans[row]),
            "session" if self.market.arrays.gap is None else "row",
        )

    def without(self, reasons: dict[int, str]) -> EventSample:
        """Return the sample without the events that `reasons` names by position."""
        out = np.zeros(len(self), dtype=bool)
        out[list(reasons)] = True
        dropped = _excluded(self.events[out], [reasons[i] for i in np.flatnonzero(out).tolist()])
        return replace(
            self,
            events=self.events[~out],
            excluded=pd.concat([self.excluded, dropped]) if len(self.excluded) else dropped,
            security=self.security[~out],
            day0=self.day0[~out],
            first_row=self.first_row[~out],
            closed_days=self.closed_days[~out],
            previous=self.previous[~out],
            own=None if self.own is None else self.own.take(~out),
        )

    def arrays(
        self,
        regressors: tuple[Regressor, ...],
        excess: bool = False,
        part: Rows = slice(None),
        missing: Missing = "drop",
    ) -> EventArrays:
        """Lay out returns and regressors of the events of `part` in event time.

        Parameters
        ----------
        regressors : tuple of Regressor
            Regressors; the source ``"benchmark"`` is each event's own benchmark.
        excess : bool, default False
            Subtract the factor ``rf`` from returns and benchmark.
        part : slice or array of int, optional
            Events to lay out.
        missing : {"drop", "trade_to_trade"}, default "drop"
            Estimation returns that span several sessions are missing, or kept as they are.
        """
        if missing == "drop":
            y_est = self.single_returns(excess, part)
            x_est = self.single_regressors(self.estimation, regressors, excess, part)
            if self.own is not None and regressors:  # lags and leads do not look beyond an event's own window
                x_est = np.where(
                    self.own.outside_estimation(part, self.estimation.offsets)[:, :, None], np.nan, x_est
                )
            span_est = None
        else:
            y_est, x_est, span_est = self._spanning(self.estimation, regressors, excess, part)
            if self.market.arrays.gap is not None:
                rows = self.origin(self.estimation, part)[:, None] + self.estimation.offsets
                y_est[gap_kinds(self.market.arrays.gap, rows, span_est) != Gap.NONE] = np.nan
            y_est[self.skipped(part, span_est)] = np.nan
        y_evt, x_evt, span_evt = self._spanning(self.window, regressors, excess, part)
        dates_est, dates_evt = self.dates(self.estimation, part), self.dates(self.window, part)
        rf_evt: FloatArray | float = 0.0
        if excess:
            rows = self.day0[part, None] + self.window.offsets
            rf_evt = self.bank.compound(self.factor("rf", part)[:, None], rows, np.maximum(span_evt, 1))
        if self.own is not None:
            self.own.blank_window(y_evt, part, self.window.offsets)
            self.own.blank_window(span_evt, part, self.window.offsets, 0)
        after = None
        if self.own is not None:
            after = self.own.after[part] if self.own.after.any() else None
        elif self.estimation.start > self.window.end:
            after = np.ones(len(y_est), dtype=bool)
        return EventArrays(
            y_est, x_est, y_evt, x_evt, span_evt, dates_est, dates_evt, span_est, rf_evt, after
        )

    def single_returns(self, excess: bool = False, part: Rows = slice(None)) -> FloatArray:
        """Estimation-window returns that span one session, NaN elsewhere; fresh, shape (n, W)."""
        length, first = len(self.estimation), self.origin(self.estimation, part) + self.estimation.start
        y = take_windows(self.market.arrays.single, self.security[part], first, length)
        if excess:
            y -= take_windows(self.bank.single, self.factor("rf", part), first, length)
        if self.announced is not None or self.barred is not None:
            np.copyto(y, np.nan, where=self.skipped(part))
        elif self.own is not None:
            self.own.blank_estimation(y, part, self.estimation.offsets)
        return y

    def skipped(self, part: Rows = slice(None), spans: IntArray | None = None) -> BoolArray:
        """Estimation returns that are left out; shape (n, W).

        Those that fall in the window of another announcement, where `announced` is given, those of barred
        days, and those outside of an event's own window. `spans` are the sessions each return spans, one by
        default.
        """
        if self.own is None:
            out = np.zeros((len(self.day0[part]), len(self.estimation)), dtype=bool)
        else:
            out = self.own.outside_estimation(part, self.estimation.offsets)
        for kept_out in (self.announced, self.barred):
            if kept_out is not None:
                rows = self.origin(self.estimation, part)[:, None] + self.estimation.offsets
                out |= kept_out.spans_any(self.security[part, None], rows, spans)
        return out

    def single_regressors(
        self,
        window: Window,
        regressors: tuple[Regressor, ...],
        excess: bool = False,
        part: Rows = slice(None),
    ) -> FloatArray:
        """Regressors of one session each over a window, shape (n, len(window), p); NaN where unknown."""
        first = self.origin(window, part) + window.start
        if not regressors:
            return np.empty((len(first), len(window), 0))
        series = np.stack([self.series(wanted.source, part) for wanted in regressors], axis=1)
        begin = np.stack([first - wanted.lag for wanted in regressors], axis=1)
        x = take_windows(self.bank.single, series, begin, len(window))
        if series.min(initial=0) < 0:
            x[series < 0] = np.nan
        for j, wanted in enumerate(regressors):
            if excess and wanted.source == "benchmark":
                x[:, j] -= take_windows(self.bank.single, self.factor("rf", part), begin[:, j], len(window))
        return x.transpose(0, 2, 1)

    def _spanning(
        self, window: Window, regressors: tuple[Regressor, ...], excess: bool, part: Rows
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Lay out a window of returns, whatever they span, with regressors over the same sessions."""
        returns, spans = self.market.arrays.returns, self.market.arrays.spans
        bank = self.bank
        rows = self.origin(window, part)[:, None] + window.offsets
        inside = (rows >= 0) & (rows < returns.shape[1])
        at = np.clip(rows, 0, returns.shape[1] - 1)
        span = np.where(inside, spans[self.security[part, None], at], 0)
        y = np.where(span > 0, returns[self.security[part, None], at], np.nan)
        reach = np.where(span > 0, span, 1)
        x = np.empty((*rows.shape, len(regressors)))
        for j, wanted in enumerate(regressors):
            series = self.series(wanted.source, part)[:, None]
            x[:, :, j] = bank.compound(series, rows - wanted.lag, reach)
            if excess and wanted.source == "benchmark":
                x[:, :, j] -= bank.compound(self.factor("rf", part)[:, None], rows - wanted.lag, reach)
        if excess:
            y = y - bank.compound(self.factor("rf", part)[:, None], rows, reach)
        return y, x, span

    def dates(self, window: Window, part: Rows = slice(None)) -> DateArray:
        """Dates (of bars, times) of a window, shape (n, len(window)); NaT beyond the data.

        In event time no two events share one, as far as is known.
        """
        unit = self.market.arrays.unit
        dates = self.market.sessions.to_numpy().astype(f"datetime64[{unit}]")
        rows = self.origin(window, part)[:, None] + window.offsets
        inside = (rows >= 0) & (rows < len(dates))
        known = dates[np.clip(rows, 0, len(dates) - 1)]
        if self.market.undated:
            known = known + (np.arange(len(self))[part, None] * len(dates)).astype(f"timedelta64[{unit}]")
        return np.where(inside, known, np.datetime64("NaT", unit))

    def series(self, source: str, part: Rows = slice(None)) -> IntArray:
        """Row in `bank` of a regressor of each event: its own benchmark, or a factor; shape (n,)."""
        return self.benchmark[part] if source == "benchmark" else self.factor(source, part)

    def factor(self, factor: str, part: Rows = slice(None)) -> IntArray:
        """Row in `bank` of a factor, in each event's own set; shape (n,).

        Raises
        ------
        ModelError
            If a set lacks the factor.
        """
        if factor not in self._factors:
            self._factors[factor] = read_only(factor_series(self.market, factor, self.factor_set))
        series = self._factors[factor][part]
        if series.min(initial=0) < 0:
            sets, lacking = list(self.market.arrays.factor_rows), int(self.factor_set[part][series < 0].min())
            where = f" in the set {sets[lacking]!r}" if lacking >= 0 and sets[lacking] else ""
            raise ModelError(
                f"The market has no factor {factor!r}{where}; pass it as Market(..., factors=frame)."
            )
        return series

    @classmethod
    def of(
        cls,
        market: Market,
        events: Events,
        estimation: Window,
        window: Window,
        exclude_events: bool = False,
        asked: Asked | None = None,
        exclude_dates: DaysBySecurity | None = None,
    ) -> EventSample:
        """Place events in a market.

        With `exclude_events`, estimation windows skip the event windows of other announcements, and those
        days of `exclude_dates`. Windows that are not the same for all events are taken from `asked`.

        Raises
        ------
        WindowError
            If the windows overlap, or the event window does not hold day 0.
        CalendarError
            If events carry announcement times and the market has no exchange calendar.
        EventError
            If a date is not a session and the events were made with ``non_session="raise"``, or an event
            names a benchmark or a set of factors that the market has not.
        """
        own_asked = asked is not None and not asked.common
        if not own_asked:
            check_windows(estimation, window)
        frame = events.frame
        named_benchmarks(market, frame)
        named_factor_sets(market, frame)
        place = first_sessions(market, frame, events.non_session, events.ambiguous)
        reasons = dict(place.reasons)
        names = frame["security"]
        position = market.positions(names)
        for i in np.flatnonzero(position < 0):
            reasons[int(i)] = unknown_security(market, str(names.iloc[i]), frame.iloc[i])
        fine = np.ones(len(frame), dtype=bool)
        fine[list(reasons)] = False
        security, row = np.where(fine, position, 0), np.where(fine, place.row, 0)
        day0 = first_trades(market.arrays.returns, security, row)
        for i in np.flatnonzero(fine & (day0 < 0)):
            reasons[int(i)] = (
                f"{names.iloc[i]} has no return on {format_time(market.sessions[row[i]])} "
                "or on any session after it"
            )
        unit = "session" if market.arrays.gap is None else "row"
        for moved in np.flatnonzero(fine & (day0 - row >= SHORT)).tolist():
            if np.isnan(market.arrays.returns[security[moved], : row[moved]]).all():
                reasons[moved] = (
                    f"{names.iloc[moved]} has no return before {format_time(market.sessions[day0[moved]])}, "
                    f"{plural(int(day0[moved] - row[moved]), unit)} after the event: it is not listed yet"
                )
                fine[moved] = False
        known = fine & (day0 >= 0)
        own = None
        if asked is not None and own_asked:
            sessions = market.sessions.to_numpy().astype("datetime64[D]")
            own, estimation, window, lacking = own_windows(asked, frame, sessions, np.maximum(day0, 0), known)
            reasons |= lacking
        else:
            for i in np.flatnonzero(known & (row + estimation.end < 0)):
                reasons[int(i)] = too_early(market, int(row[i]), estimation)
        everyone = cls(
            market=market,
            estimation=estimation,
            window=window,
            events=frame,
            excluded=_excluded(frame.iloc[:0], []),
            security=security,
            day0=np.maximum(day0, 0),
            first_row=row,
            closed_days=place.closed_days,
            previous=place.previous,
            other={frame.index[i]: place.other[i] for i in np.flatnonzero(~np.isnat(place.other)).tolist()},
            announced=ExclusionWindows.of(security[known], day0[known], len(market.sessions), window)
            if exclude_events
            else None,
            own=own,
            barred=None
            if exclude_dates is None
            else ExclusionWindows.of_dates(
                exclude_dates,
                market.columns,
                market.sessions.to_numpy().astype("datetime64[D]"),
                security[known],
            ),
        )
        return everyone.without(reasons)


def _announced(events: pd.DataFrame) -> npt.NDArray[np.object_]:
    """When each event was announced, as it was given."""
    code, days = pd.factorize(events["date"])
    text = [*pd.DatetimeIndex(days).strftime("%Y-%m-%d"), ""]
    out: npt.NDArray[np.object_] = np.array(text, dtype=object)[code]
    for row in np.flatnonzero(code < 0):
        out[row] = told(events.iloc[row])
    return out


def _labels(events: pd.DataFrame) -> pd.Series:
    return events["label"] if "label" in events else pd.Series("", events.index)


def _excluded(events: pd.DataFrame, reasons: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "security": events["security"],
            "label": _labels(events),
            "reason": pd.Series(reasons, events.index, object),
        }
    )
