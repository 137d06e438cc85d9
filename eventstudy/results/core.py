"""EventStudyResults: abnormal returns, tests and figures of one fitted study."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference import Clustering, clustering, recommend, run_tests
from eventstudy.inference.base import Alternative, Options
from eventstudy.models import ModelFit
from eventstudy.results import average, frames
from eventstudy.results.data import StudyData, WindowLike, checked_level
from eventstudy.results.plots import ResultsPlotter
from eventstudy.results.spec import StudySpec
from eventstudy.results.summary import summary_table
from eventstudy.sample import EventSample
from eventstudy.tables import Table
from eventstudy.windows import Window

__all__ = ["EventStudyResults"]


class EventStudyResults:
    """Results of an event study.

    Made by `EventStudy.fit`; remembers the specification that made it (`spec`). Returns are
    decimals; windows are relative days, both ends included.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    >>> results = es.EventStudy(market, events, estimation=(-270, -21), window=(-5, 5)).fit()
    >>> results
    EventStudyResults: 1 event, Market model (OLS), window (-5, +5)
    >>> results.timeline[["first_session", "day_0"]].astype(str).to_dict("records")
    [{'first_session': '2019-05-22', 'day_0': '2019-05-22'}]
    """

    def __init__(
        self, spec: StudySpec, sample: EventSample, fit: ModelFit, abnormal: AbnormalReturns
    ) -> None:
        self._data = StudyData(spec, sample, fit, abnormal)

    def __repr__(self) -> str:
        n, out = len(self.sample), len(self.excluded)
        return (
            f"EventStudyResults: {n} event{'s' * (n != 1)}"
            + (f" ({out} excluded)" if out else "")
            + f", {self.spec.model.label}, window {self.spec.window}"
        )

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @property
    def spec(self) -> StudySpec:
        """Market, events, model and windows that made these results."""
        return self._data.spec

    @property
    def sample(self) -> EventSample:
        """The events as rows of the market."""
        return self._data.sample

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that could not be used: security, label, reason; index event_id."""
        return self.sample.excluded.copy()

    @property
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0, with every shift."""
        return self.sample.timeline.copy()

    @property
    def plot(self) -> ResultsPlotter:
        """Figures of these results."""
        return ResultsPlotter(self._data)

    @property
    def abnormal_returns(self) -> pd.DataFrame:
        """Abnormal returns, event_id × relative day; NaN where the security did not trade."""
        columns = pd.Index(self.spec.window.offsets, name="day")
        return pd.DataFrame(self._data.abnormal.ar.copy(), self._data.index, columns)

    @property
    def parameters(self) -> pd.DataFrame:
        """Estimated parameters by event, with sigma, n_obs, dof and r_squared."""
        fit = self._data.fit
        frame = pd.DataFrame(fit.params.copy(), self._data.index, list(fit.param_names))
        return frame.assign(sigma=np.sqrt(fit.s2), n_obs=fit.n_obs, dof=fit.dof, r_squared=fit.r_squared)

    def car(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
    ) -> pd.DataFrame:
        r"""Cumulative abnormal return of each event.

        .. math:: t_i = \frac{\mathrm{CAR}_i}{\sqrt{\gamma' V_i \gamma}} \sim t_{\nu_i}

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.
        level : float, default 0.95
            Coverage of the interval.

        Returns
        -------
        DataFrame
            By event_id: car, se, t, dof, p_value (two-sided), ci_low, ci_high, n_days (days with a
            return), expected and actual (normal and observed return summed over these days).
        """
        return self._data.cars(self._data.window(start, end), level)

    def aar(self, *, test: str | None = None, level: float = 0.95) -> pd.DataFrame:
        """Average abnormal return by relative day.

        Parameters
        ----------
        test : str, optional
            Test the standard error is taken from: "t" (one event), "portfolio" (one common date),
            "cross_sectional" or "independence"; by default the first of these that fits the design.
        level : float, default 0.95
            Coverage of the interval.

        Returns
        -------
        DataFrame
            By day: aar, se, statistic, dof, p_value, ci_low, ci_high, n_events, positive (share of
            events with a positive abnormal return), test.
        """
        days = [Window(int(d), int(d)) for d in self.spec.window.offsets]
        inputs = [self._data.test_input(day) for day in days]
        frame = average.averages(inputs, days, test, checked_level(level)).rename(columns={"caar": "aar"})
        return frame.set_axis(pd.Index(self.spec.window.offsets, name="day"), axis=0)

    def caar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        test: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Cumulative average abnormal return: the mean CAR of the events.

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.
        test, level
            As for `aar`.

        Returns
        -------
        DataFrame
            One row, indexed by the window: caar, se, statistic, dof, p_value, ci_low, ci_high, n_events,
            positive, test.
        """
        window = self._data.window(start, end)
        frame = average.averages([self._data.test_input(window)], [window], test, checked_level(level))
        return frame.set_axis(pd.Index([str(window)], name="window"), axis=0)

    def test(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        tests: str | Sequence[str] | None = None,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = None,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Significance tests of the abnormal returns in a window, one row a test.

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.
        tests : str or list of str, optional
            Test keys; all by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        seed : int or Generator, optional
            Randomness of resampling tests.
        n_resamples : int, default 999

        Returns
        -------
        DataFrame
            test, statistic, distribution, dof, p_value, estimate, n_events, null, robust_to, reference,
            applicable, note. A test that does not apply is a row which says why.

        See Also
        --------
        recommended : the tests that survive this design.
        """
        keys = [tests] if isinstance(tests, str) else tests
        options = Options(alternative, n_resamples, seed)
        return run_tests(self._data.test_input(self._data.window(start, end)), keys, options)

    def recommended(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """List the tests that survive this design (number of events, clustering, window), and why.

        Returns
        -------
        DataFrame
            test, reason, statistic, p_value (two-sided), note; the headline test first.
        """
        data = self._data.test_input(self._data.window(start, end))
        chosen = recommend(data)
        done = run_tests(data, list(chosen["test"]), Options()).set_index("test")
        return chosen.join(done[["statistic", "p_value", "note"]], on="test")

    def clustering(self, start: WindowLike = None, end: int | None = None) -> Clustering:
        """How strongly the events depend on each other: dates, overlaps, mean correlation, effective N."""
        return clustering(self._data.test_input(self._data.window(start, end)))

    def regression(self, event_id: Hashable | None = None) -> Any:
        """Return the statsmodels results of one event's estimation regression.

        Raises
        ------
        ModelError
            If the model is not a regression.
        """
        row = self._data.position(event_id)
        spec = self.spec
        arrays = self.sample.arrays(spec.model.regressors, spec.model.excess, slice(row, row + 1))
        return spec.model.regression(arrays, 0)

    def decomposition(self, event_id: Hashable | None = None, day: int = 0) -> pd.DataFrame:
        """Take the event day apart: gap, low, high and close against previous close and limit.

        Parameters
        ----------
        event_id : optional
            The event; may be left out where there is one.
        day : int, default 0
            Relative day.

        Returns
        -------
        DataFrame
            By moment (previous close, open, low, high, close, limit down, limit up): price, change
            from the previous close (on an ex-day from the exchange's reference price), at_limit.

        Raises
        ------
        RequestError
            If the market has no open, low and high of that day.
        """
        return frames.decomposition(self._data, self._data.position(event_id), day)

    def summary(self, start: WindowLike = None, end: int | None = None) -> Table:
        """Summarise the study: design, events, abnormal returns, recommended tests, warnings.

        Parameters
        ----------
        start, end : int, optional
            Window of the headline CAR; (0, +1) by default, where the event window holds it.

        Returns
        -------
        Table
            Prints as text, renders as HTML in a notebook; ``.to_latex()``, ``.to_markdown()``.
        """
        data = self._data
        return summary_table(data, data.headline() if start is None else data.window(start, end))
