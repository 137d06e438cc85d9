"""EventStudyResults: abnormal returns, tests and figures of one fitted study."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.models import ModelFit
from eventstudy.results import diagnostics, trading_frictions
from eventstudy.results.data_warnings import suspects_in
from eventstudy.results.fitted import FittedStudy, StudySpec, WindowLike
from eventstudy.results.market_value import StudyMoney
from eventstudy.results.measure_tables import StudyTables
from eventstudy.results.measures import StudyMeasures
from eventstudy.results.overlapping_events import StudyRepeated
from eventstudy.results.plot import ResultsPlotter
from eventstudy.results.regression import StudyRegressions
from eventstudy.results.report.content import study_page
from eventstudy.results.significance import StudyTests
from eventstudy.results.summary import summary_table
from eventstudy.sample import EventSample
from eventstudy.tables import Table
from eventstudy.text import strip_control

__all__ = ["EventStudyResults", "StudyRecord"]


class StudyRecord:
    """Specification, events and market frictions of a fitted study."""

    _data: FittedStudy

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
        return self._data.sample.excluded.copy()

    @property
    def se_source(self) -> str:
        """Where the standard errors come from, in words; `summary` says it under Design."""
        return self._data.fit.se_source

    @property
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0, with every shift."""
        return self._data.sample.timeline.copy()

    @property
    def limit_hits(self) -> pd.DataFrame:
        """Sessions of the event windows that touched a daily price limit.

        Columns event_id, security, day, date, side ("down" or "up"), close, limit, at_close (whether it
        closed there) and locked (whether it never traded elsewhere). Empty where the market has no prices.
        """
        return trading_frictions.limit_hits(self._data)

    @property
    def halts(self) -> pd.DataFrame:
        """Spells without trade that touch the event windows.

        Columns event_id, security, first and last session without trade, sessions (how many), and
        resumed_on_day (relative day of the next trade; NaN where that lies beyond the window).
        """
        return trading_frictions.halts(self._data)

    @property
    def suspects(self) -> pd.DataFrame:
        """Data in the windows of the events that may be wrong, as `Market.audit` finds it.

        Returns
        -------
        DataFrame
            event_id, security, window (``event`` or ``estimation``), date, kind, detail. The warning at
            ``fit`` leaves spells without trade out, as they are measured over (see `halts`).
        """
        benchmark = any(r.source == "benchmark" for r in self._data.spec.model.regressors)
        return suspects_in(self._data.sample, benchmark=benchmark)

    def diagnostics(self) -> pd.DataFrame:
        """Whether the normal-return model fits each event's estimation window.

        Returns
        -------
        DataFrame
            By event_id: n_obs; r_squared; Ljung-Box statistic of ten autocorrelations of the residuals;
            Engle's test of ARCH effects of five lags; Jarque and Bera's test of normality; share of zero
            and of missing returns (thin trading); Chow's F test that both halves of the estimation window
            have one regression; the largest cumulative sum of residuals (CUSUM); and the cumulative
            abnormal return of the event window's days before day 0 with its t (pre-trend). Columns
            ending in ``_p`` are p-values; NaN where there are too few residuals or no such days.

        Notes
        -----
        Residuals are those of the model: prediction errors where it is judged by them, devolatilised
        ones of a GARCH model. CUSUM and Chow are on least-squares regressors of the model, or a constant.
        """
        return diagnostics.diagnostics(self._data)

    def peers(self) -> pd.DataFrame:
        """Weight of each peer in the normal return, and the securities left out.

        Returns
        -------
        DataFrame
            By event_id: one column a security, NaN where it was no peer of the event, and `left_out`,
            the securities that the same news may have hit or that miss returns.

        Raises
        ------
        RequestError
            If the model has no peers.
        """
        return diagnostics.peers(self._data)


class EventStudyResults(
    StudyRecord, StudyMeasures, StudyTests, StudyTables, StudyRegressions, StudyMoney, StudyRepeated
):
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

    _data: FittedStudy

    def __init__(
        self, spec: StudySpec, sample: EventSample, fit: ModelFit, abnormal: AbnormalReturns
    ) -> None:
        self._data = FittedStudy(spec, sample, fit, abnormal)

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
    def plot(self) -> ResultsPlotter:
        """Figures of these results."""
        return ResultsPlotter(self._data)

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
        return summary_table(
            data, data.headline() if start is None and end is None else data.window(start, end)
        )

    def report(
        self,
        path: str | PathLike[str],
        start: WindowLike = None,
        end: int | None = None,
        *,
        question: str | None = None,
        notes: str | Sequence[str] = (),
        currency: str | None = None,
    ) -> Path:
        """Write the whole study as one HTML page that needs no network.

        Parameters
        ----------
        path : path
            File to write, such as ``"hikvision.html"``; one that exists is replaced.
        start, end : int, optional
            Window of the headline CAR; (0, +1) by default, where the event window holds it.
        question : str, optional
            What was asked, in words; made of the events by default.
        notes : str or sequence of str, optional
            Paragraphs below the question, as plain text.
        currency : str, optional
            Unit of the prices, such as ``"CNY"``.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        RequestError
            If the market holds no returns but turnover or volatility.
        """
        data = self._data
        window = data.headline() if start is None and end is None else data.window(start, end)
        told = [notes] if isinstance(notes, str) else notes
        target = Path(path)
        unit = None if currency is None else strip_control(currency)
        page = study_page(data, window, question=question, notes=told, currency=unit)
        target.write_text(page, encoding="utf-8")
        return target
