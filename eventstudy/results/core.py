"""EventStudyResults: abnormal returns, tests and figures of one fitted study."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import cleaned
from eventstudy.models import ModelFit
from eventstudy.results.data import StudyData, WindowLike
from eventstudy.results.measures import StudyMeasures
from eventstudy.results.money import StudyMoney
from eventstudy.results.page import study_page
from eventstudy.results.plots import ResultsPlotter
from eventstudy.results.printed import StudyTables
from eventstudy.results.record import StudyRecord
from eventstudy.results.regressing import StudyRegressions
from eventstudy.results.repeated import StudyRepeated
from eventstudy.results.spec import StudySpec
from eventstudy.results.summary import summary_table
from eventstudy.results.testing import StudyTests
from eventstudy.sample import EventSample
from eventstudy.tables import Table

__all__ = ["EventStudyResults"]


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

    _data: StudyData

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
        unit = None if currency is None else cleaned(currency)
        page = study_page(data, window, question=question, notes=told, currency=unit)
        target.write_text(page, encoding="utf-8")
        return target
