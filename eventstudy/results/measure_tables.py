"""Measures of a study (abnormal returns, CAR, AAR, CAAR), and their tables by day, window and event."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy.arguments import by_name, check_sequence, check_whole
from eventstudy.errors import PriceLimitWarning, warn
from eventstudy.inference import procedures
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative
from eventstudy.results import averages, plot_data, trading_frictions
from eventstudy.results.event_names import named_events
from eventstudy.results.fitted import MethodGroup, WindowLike, Windows, are_several, checked_level
from eventstudy.results.summary import unit
from eventstudy.results.views import each_view, mean_view
from eventstudy.tables import P_VALUE, Section, Table, printed, stars
from eventstudy.tables.table import stars_note
from eventstudy.text import format_time, plural
from eventstudy.windows import Window

__all__ = ["MeasureTables", "Measures"]


class Measures(MethodGroup):
    """Abnormal returns, CAR, AAR, CAAR and parameters of fitted events."""

    @property
    def abnormal_returns(self) -> pd.DataFrame:
        """Abnormal returns, event_id × relative day; NaN where the security did not trade.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.abnormal_returns.round(4)
        day           -1       0       1
        event_id
        0        -0.0008 -0.0491 -0.0264
        1         0.0120 -0.0505 -0.0061
        """
        columns = pd.Index(self.fitted.event_window.offsets, name="day")
        return pd.DataFrame(self.fitted.abnormal.ar.copy(), self.fitted.index, columns)

    @property
    def parameters(self) -> pd.DataFrame:
        """Estimated parameters by event, with sigma, n_obs, dof and r_squared.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.parameters[["alpha", "beta", "sigma", "n_obs"]].round(4)
                   alpha    beta   sigma  n_obs
        event_id
        0        -0.0001  1.2251  0.0190    221
        1        -0.0009  1.5026  0.0223    221
        """
        return self.fitted.parameters

    def car(
        self,
        start: Windows = None,
        end: int | Literal["first_free_close"] | None = None,
        *,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        r"""Cumulative abnormal return of each event.

        .. math:: t_i = \frac{\mathrm{CAR}_i}{\sqrt{\gamma' V_i \gamma}} \sim t_{\nu_i}

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default, (0, +1) where the event window
            holds it. The end ``"first_free_close"`` is, by event, the first day from `start` on whose close
            is not at a daily price limit: until then the price has not found its level. A list of windows,
            ``[(0, 0), (-1, 1)]``, gives the rows of each, below each other.
        level : float, default 0.95
            Coverage of the interval.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-value; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By event_id: security, label (where there are any), day_0, window (of a list of them), car, se, t,
            dof, p_value, ci_low, ci_high, n_days (days with a return), expected and actual (normal and
            observed return summed over these days), detectable (the smallest CAR that this test finds at 5%
            with probability 0.8), uncovered (days at the edges of the window that no return reaches over: if
            any, the CAR is NaN, or with ``incomplete="partial"`` the sum of what there is); with
            ``"first_free_close"`` also end, that day. NaN where the event window ends before it.

        Warns
        -----
        PriceLimitWarning
            If the event window ends before a free close.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.car([(0, 0), (-1, 1)])[["security", "window", "car"]].round(3).rename_axis(None)
            security    window    car
        0  002415.SZ    (0, 0) -0.049
        1  002236.SZ    (0, 0) -0.050
        0  002415.SZ  (-1, +1) -0.076
        1  002236.SZ  (-1, +1) -0.045
        """
        data = self.fitted
        if are_several(start):
            frames = [data.cars(w, level, alternative) for w in data.checked_windows(start, end)]
            names = [str(w) for w in data.checked_windows(start)]
            parts = [
                named_events(data).assign(window=name).join(frame)
                for name, frame in zip(names, frames, strict=True)
            ]
            return printed(pd.concat(parts), each_view)
        if not isinstance(end, str) or end != "first_free_close":
            window = data.checked_window(start, end)
            return printed(named_events(data).join(data.cars(window, level, alternative)), each_view)
        first = data.checked_window(0 if start is None else start).start
        ends = trading_frictions.first_free_close(data, first)
        frame = data.cars(Window(first, first), level, alternative)
        frame = frame.astype({"n_days": float, "uncovered": float}) * np.nan
        for last in np.unique(ends[~np.isnan(ends)]):
            rows = ends == last
            frame[rows] = data.cars(Window(first, int(last)), level, alternative)[rows]
        never = data.index[np.isnan(ends)]
        if len(never):
            told = ", ".join(map(str, never[:5])) + ", ..." * (len(never) > 5)
            warn(
                f"The event window {data.event_window} ends before event {told} closes free of the price "
                "limit, so there is no CAR. Lengthen it.",
                PriceLimitWarning,
            )
        return printed(named_events(data).join(frame.assign(end=ends)), each_view)

    @by_name
    def aar(
        self,
        *,
        test: str | None = None,
        weights: str | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        """Average abnormal return by relative day.

        Parameters
        ----------
        test : str, optional
            Test the standard error is taken from: "t" (one event), "filtered_t", "cross_sectional",
            "adjusted_cross_sectional", "portfolio" (one common date), "ibragimov_muller" (several dates) or
            "independence". By default, of events that depend on each other, and of fewer than five,
            "filtered_t"; of others "cross_sectional". With weights "weighted_past" (prediction errors, with
            the correlation of the events) or "weighted_spread" (spread of the events).
        weights : str, optional
            Column of the events, such as ``"market_cap"``, or "precision", one over the prediction-error
            variance of each CAR; they are scaled to sum to one. By default all events count alike.
        level : float, default 0.95
            Coverage of the interval.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-value; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By day: aar, se, statistic, dof, p_value, ci_low, ci_high, n_events, positive (share of
            events with a positive abnormal return), test, detectable (the smallest mean that this test
            finds at 5% with probability 0.8).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.aar()[["aar", "se", "n_events"]].round(4)
                aar      se  n_events
        day
        -1   0.0056  0.0215         2
         0  -0.0498  0.0208         2
         1  -0.0162  0.0209         2
        """
        days = [Window(int(d), int(d)) for d in self.fitted.event_window.offsets]
        inputs = [self.fitted.test_input(day) for day in days]
        frame = self._means(inputs, weights, test, level, alternative)
        frame = frame.rename(columns={"caar": "aar"})
        return frame.set_axis(pd.Index(self.fitted.event_window.offsets, name="day"), axis=0)

    def caar(
        self,
        start: Windows = None,
        end: int | None = None,
        *,
        test: str | None = None,
        weights: str | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        """Cumulative average abnormal return: the mean CAR of the events.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default. A list of windows,
            ``[(0, 0), (-1, 1)]``, gives a row for each.
        test, weights, level, alternative
            As for `aar`.

        Returns
        -------
        DataFrame
            One row per window, indexed by it: caar, se, statistic, dof, p_value, ci_low, ci_high, n_events,
            positive, test, detectable, note (which names the recommended test where it and the
            interval disagree at 5%, and counts days that windows of several events of one security share,
            as these count more than once).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.caar(0, 1)[["caar", "se", "ci_low", "ci_high"]].round(4)
                  caar      se  ci_low  ci_high
        window
        (0, +1) -0.066  0.0308 -0.1269  -0.0052
        """
        data = self.fitted
        windows = (
            data.checked_windows(start, end) if are_several(start) else [data.checked_window(start, end)]
        )
        inputs = [data.test_input(window) for window in windows]
        frame = self._means(inputs, weights, test, level, alternative)
        if weights is None:
            frame = averages.with_lead(frame, inputs, alternative)
        else:
            told = [
                averages.none_note(each) if np.isnan(se) else ""
                for se, each in zip(frame["se"], inputs, strict=True)
            ]
            frame = frame.assign(
                note=["; ".join(filter(None, [f"weighted by {weights}", why])) for why in told]
            )
        told = [
            "; ".join(filter(None, [note, averages.days_note(data, window)]))
            for note, window in zip(frame["note"], windows, strict=True)
        ]
        frame = frame.assign(note=told)
        frame = frame.set_axis(pd.Index([str(window) for window in windows], name="window"), axis=0)
        return printed(frame, mean_view)

    def _means(
        self,
        inputs: list[TestInput],
        weights: str | None,
        test: str | None,
        level: float,
        alternative: Alternative,
    ) -> pd.DataFrame:
        if weights is None:
            return averages.averages(inputs, test, checked_level(level), alternative)
        return averages.weighted_averages(
            self.fitted, inputs, weights, test, checked_level(level), alternative
        )

    def decomposition(self, day: int = 0, *, event: Hashable | None = None) -> pd.DataFrame:
        """Take one day of an event apart: gap, low, high and close against previous close and limit.

        Parameters
        ----------
        day : int, default 0
            Relative day.
        event : optional
            Id of the event; needed where there are several.

        Returns
        -------
        DataFrame
            By moment (previous close, open, low, high, close, limit down, limit up): price, change
            from the previous close (on an ex-day from the exchange's reference price), at_limit.

        Raises
        ------
        RequestError
            If the market has no open, low and high of that day.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.decomposition().loc[["open", "low", "close"]].round(4)
                price  change  at_limit
        moment
        open    24.95 -0.0960     False
        low     24.84 -0.1000     False
        close   26.07 -0.0554     False
        """
        study, row = self.fitted.part(self.fitted.position(event))
        return plot_data.decomposition(study, row, day)


#: Seed of resampling tests, so a table is the same each time.
SEED = 0
#: Events of a table by event, unless more are asked for.
MOST_ROWS = 40
FORMATS = {"t": "{:.2f}", "p": P_VALUE, "positive": "{:.0%}", "N": "{:d}", "days": "{:d}"}


class MeasureTables(MethodGroup):
    """Tables of fitted events, each printed as text, HTML, LaTeX, Markdown or a spreadsheet."""

    def aar_table(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        tests: str | Sequence[str] | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Average and cumulative average abnormal returns by day, each with tests of its own.

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.
        tests : str or list of str, optional
            Test keys; by default those recommended for the first of these days. Resampling tests draw
            from seed 0.
        level : float, default 0.95
            Coverage of the intervals.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-values; an interval of one side is infinite on the other.

        Returns
        -------
        Table
            For the days, and for the windows from `start` to each day, a section of averages (with
            stars, standard error, t, p-value and interval of the test in the notes, share of positive
            events and number of events) and one of tests (statistic with stars, p-value).

        Raises
        ------
        RequestError
            If the window reaches outside the event window, or a test is unknown.

        See Also
        --------
        aar, caar : the averages as frames.
        test : every test of one window.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> table = results.aar_table(tests="portfolio")
        >>> [section.caption for section in table.sections]
        ['By day', 'Tests of AAR', 'Cumulative from day -1 on', 'Tests of CAAR']
        >>> table.sections[1].frame.loc["0", "portfolio"]
        '-2.72***'
        """
        data, window = self.fitted, self.fitted.checked_window(start, end, path=True)
        days = [Window(int(day), int(day)) for day in window.offsets]
        growing = [Window(window.start, int(day)) for day in window.offsets]
        keys = procedures.tests_asked(tests, data.test_input(days[0]))
        index = pd.Index([_day(day.start) for day in days], name="day")
        daily, by_day = self._averages("AAR", days, index, keys, level, alternative, "By day")
        total, by_window = self._averages(
            "CAAR", growing, index, keys, level, alternative, f"Cumulative from day {_day(window.start)} on"
        )
        return Table(
            f"{self._title()}, by day", (*daily, *total), self._notes([*by_day, *by_window], alternative)
        )

    def caar_table(
        self,
        windows: Iterable[Window | Sequence[int]] | None = None,
        *,
        tests: str | Sequence[str] | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Cumulative average abnormal returns by window, each with tests of its own.

        Parameters
        ----------
        windows : iterable of Window or (int, int), optional
            By default day 0, the headline window and the whole event window.
        tests, level, alternative
            As for `aar_table`; the recommended tests are those of the first window.

        Returns
        -------
        Table
            One row per window, with the columns of `aar_table`.

        Raises
        ------
        RequestError
            If a window reaches outside the event window, or a test is unknown.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.caar_table([(0, 0), (0, 1)], tests=["portfolio"]).sections[0].frame["CAAR"].round(4)
        window
        (0, 0)    -0.0498
        (0, +1)   -0.0660
        Name: CAAR, dtype: float64
        """
        data = self.fitted
        chosen = [Window(0, 0), data.checked_window(), data.event_window]
        if windows is not None:
            given = check_sequence("windows", windows, "windows, such as [(0, 0), (-1, 1)]")
            chosen = [data.checked_window(window) for window in given]
        chosen = list(dict.fromkeys(chosen)) or [data.checked_window()]
        keys = procedures.tests_asked(tests, data.test_input(chosen[0]))
        index = pd.Index([str(window) for window in chosen], name="window")
        sections, told = self._averages("CAAR", chosen, index, keys, level, alternative)
        return Table(self._title(), tuple(sections), self._notes(told, alternative))

    def car_table(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        rows: int | None = MOST_ROWS,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Cumulative abnormal return of each event, one row per event.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        level : float, default 0.95
            Coverage of the intervals.
        rows : int, optional
            Most events shown, the first of the study; a note says how many more there are. None shows
            all.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            As for `car`.

        Returns
        -------
        Table
            Security, label, day 0, CAR with stars, standard error, t, p-value, interval, and the days
            with a return.

        See Also
        --------
        car : the same as a frame of all events.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.car_table(0, 1, rows=1).sections[0].frame["CAR"].round(4).tolist()
        [-0.0755]
        """
        data, window = self.fitted, self.fitted.checked_window(start, end)
        if rows is not None:
            check_whole("rows", rows, 1)
        shown = slice(0, rows)
        frame = named_events(data).iloc[shown]
        if "day_0" in frame:
            frame = frame.assign(day_0=frame["day_0"].map(format_time)).rename(columns={"day_0": "day 0"})
        check_alternative(alternative)
        cars = data.cars(window, level, alternative).iloc[shown]
        cars = cars.rename(columns={"car": "CAR", "n_days": "days"})
        columns = _estimates(cars, level)[["CAR", "", "s.e.", "t", "p", *_bounds(level), "days"]]
        frame = frame.join(columns).rename_axis("event")
        notes = [f"{unit(data)}; {stars_note(alternative)}. Standard errors include the prediction error."]
        more = len(data.index) - len(frame)
        if more > 0:
            notes.append(
                f"The first {plural(len(frame), 'event')} of {len(data.index)}: car_table(..., rows=None) "
                f"shows all, results.car({window.start}, {window.end}) is the frame of them."
            )
        return Table(f"CAR {window} of each event", (Section(frame, formats=_formats(frame)),), tuple(notes))

    def _title(self) -> str:
        data = self.fitted
        return f"Average abnormal returns of {plural(len(data.index), 'event')}, {data.model_label}"

    def _averages(
        self,
        name: str,
        windows: list[Window],
        index: pd.Index[str],
        keys: list[str],
        level: float,
        alternative: Alternative,
        caption: str = "",
    ) -> tuple[list[Section], list[str]]:
        """Averages over windows, the tests asked for below them; and notes on where these come from."""
        inputs = [self.fitted.test_input(window) for window in windows]
        frame = averages.averages(inputs, None, checked_level(level), alternative)
        disagree = [] if caption else averages.with_lead(frame, inputs, alternative)["note"].tolist()
        frame = frame.set_axis(index, axis=0)
        source = str(frame["test"].iloc[0])
        frame = _estimates(frame.rename(columns={"caar": name, "n_events": "N"}), level)
        frame = frame[[name, "", "s.e.", "t", "p", *_bounds(level), "positive", "N"]]
        sections = [Section(frame, caption, _formats(frame))]
        notes = [f"Standard errors, t, p and intervals of {name} are those of the {source} test."]
        notes += [f"{window}: {note}." for window, note in zip(windows, disagree, strict=False) if note]
        shared = averages.days_note(self.fitted, max(windows, key=len))
        notes += [f"{shared[0].upper()}{shared[1:]}."] if shared else []
        if not keys:
            return sections, notes
        done = pd.concat(
            [inference.run_tests(data, keys, Options(alternative, seed=SEED)) for data in inputs]
        )
        columns: dict[str, list[object]] = {}
        for key in keys:
            rows = done[done["test"] == key]
            pairs = list(zip(rows["statistic"], rows["p_value"], strict=True))
            columns[key] = [None if np.isnan(value) else f"{value:.2f}{stars(p)}" for value, p in pairs]
            columns[f"{key} p"] = [p for _, p in pairs]
        tested = pd.DataFrame(columns, index)
        formats = {f"{key} p": FORMATS["p"] for key in keys}
        sections.append(Section(tested, f"Tests of {name}", formats))
        lost = done[~done["applicable"]].drop_duplicates(["test", "note"])
        return sections, [*notes, *(f"{row.test}: {row.note}." for row in lost.itertuples())]

    def _notes(self, told: list[str], alternative: Alternative) -> tuple[str, ...]:
        return (f"{unit(self.fitted)}; {stars_note(alternative)}.", *dict.fromkeys(told))


def _bounds(level: float) -> tuple[str, str]:
    return f"{100 * level:g}% from", "to"


def _estimates(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    """Name the columns of estimates as they are printed, and add the column of stars."""
    low, high = _bounds(level)
    names = {"se": "s.e.", "statistic": "t", "p_value": "p", "ci_low": low, "ci_high": high}
    return frame.rename(columns=names).assign(**{"": [stars(p) for p in frame["p_value"]]})


def _formats(frame: pd.DataFrame) -> dict[str, str]:
    percent: list[str] = [name for name in ("AAR", "CAAR", "CAR", "s.e.", "to") if name in frame]
    percent += [str(name) for name in frame if str(name).endswith("% from")]
    known = {name: form for name, form in FORMATS.items() if name in frame}
    return dict.fromkeys(percent, "{:.2%}") | known


def _day(day: int) -> str:
    return f"{day:+d}" if day else "0"
