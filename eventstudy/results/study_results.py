"""EventStudyResults: abnormal returns, tests and figures of one fitted study."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.arguments import check_flag, check_path, check_sequence, check_text
from eventstudy.errors import RequestError
from eventstudy.immutable import own_copy
from eventstudy.inference.base import Alternative
from eventstudy.models import ModelParameters
from eventstudy.results import diagnostics, report
from eventstudy.results.data_warnings import suspects_in
from eventstudy.results.fitted import FittedStudy, StudySpec, WindowLike, used_factors, uses_benchmark
from eventstudy.results.market_value import ByEvent
from eventstudy.results.overlapping_events import OverlappingEvents
from eventstudy.results.results_base import ResultsBase
from eventstudy.results.significance import Significance
from eventstudy.results.stored_study import write_study
from eventstudy.results.summary import summary_table
from eventstudy.sample import EventSample
from eventstudy.tables import Table
from eventstudy.text import strip_control

if TYPE_CHECKING:
    from eventstudy.results.verdict import News

__all__ = ["EventStudyResults"]


class EventStudyResults(OverlappingEvents, ResultsBase):
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
        self,
        spec: StudySpec,
        sample: EventSample,
        fit: ModelParameters,
        abnormal: AbnormalReturns,
        warnings: pd.DataFrame,
    ) -> None:
        super().__init__(FittedStudy(spec, sample, fit, abnormal))
        self._warnings = warnings

    def __repr__(self) -> str:
        n, out = len(self.sample), len(self.excluded)
        return (
            f"EventStudyResults: {n} event{'s' * (n != 1)}"
            + (f" ({out} excluded)" if out else "")
            + f", {self.spec.model.label}, window {self.spec.window_text}"
        )

    @property
    def spec(self) -> StudySpec:
        """Market, events, model and windows that made these results.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.spec.window, results.spec.model
        (Window(start=-1, end=1), MarketModel(missing='drop', hac_lags=None, lags=()))
        """
        return self.fitted.spec

    @property
    def sample(self) -> EventSample:
        """The events as rows of the market.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.sample.day0.tolist(), str(results.sample.estimation)
        ([519], '(-250, -30)')
        """
        return self.fitted.sample

    @property
    def warnings(self) -> pd.DataFrame:
        """What `fit` warned of, event by event, whether or not the warnings were shown.

        Returns
        -------
        DataFrame
            category (name of the class in `eventstudy.errors`), event_id (None where a warning concerns no
            single event), security, date (day 0, or the day in question; NaT if there is none), message. Of
            one category at most a thousand events; a last row then counts the others.

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> days = {"security": "002415.SZ", "date": ["2019-05-22", "2019-05-24"]}
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, days, window=(-1, 5)).fit()
        >>> results.warnings[["category", "event_id"]]
                 category event_id
        0  OverlapWarning        0
        """
        return own_copy(self._warnings)

    @property
    def se_source(self) -> str:
        """Where the standard errors come from, in words; `summary` says it under Design.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.se_source
        'prediction error of least squares'
        """
        return self.fitted.fit.se_source

    @property
    def suspects(self) -> pd.DataFrame:
        """Data in the windows of the events that may be wrong, as `Market.audit` finds it.

        Returns
        -------
        DataFrame
            event_id, security, window (``event`` or ``estimation``), date, kind, detail. The warning at
            ``fit`` leaves spells without trade out, as they are measured over (see `halts`).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.suspects.empty
        True
        """
        model = self.spec.model
        return suspects_in(self.fitted.sample, benchmark=uses_benchmark(model), factors=used_factors(model))

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

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.diagnostics().columns.tolist()[:4]
        ['n_obs', 'r_squared', 'ljung_box', 'ljung_box_p']
        """
        return diagnostics.diagnostics(self.fitted)

    def peers(self) -> pd.DataFrame:
        """Weight of each peer in the normal return, and the securities left out.

        Returns
        -------
        DataFrame
            By event_id: one column per security, NaN where it was not a peer of the event, and `left_out`,
            the securities that the same news may have hit or that miss returns.

        Raises
        ------
        RequestError
            If the model has no peers.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> model = es.MatchedPortfolio(peers=["002236.SZ", "002230.SZ"])
        >>> es.EventStudy(market, nyt, model, window=(-1, 1)).fit().peers()
                  002236.SZ  002230.SZ left_out
        event_id
        0               0.5        0.5
        """
        return diagnostics.peers(self.fitted)

    def summary(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Summarise the study: design, events, abnormal returns, recommended tests, warnings.

        Parameters
        ----------
        start, end : int, optional
            Window of the headline CAR; by default (0, +1), where the event window holds it.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-values; an interval of one side is infinite on the other.

        Returns
        -------
        Table
            Prints as text, renders as HTML in a notebook; ``.to_latex()``, ``.to_markdown()``.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.summary(0, 1).title
        'Event study: Market model (OLS)'
        """
        return summary_table(self.fitted, self.fitted.checked_window(start, end), alternative)

    def save(self, folder: str | PathLike[str]) -> None:
        """Store the study in a folder, in an open form that `eventstudy.load` opens again.

        Parameters
        ----------
        folder : path
            Made if need be; it must be empty, or hold a stored study, which is replaced.

        Raises
        ------
        RequestError
            If the folder holds something else or cannot be written, the model is your own, or the market is
            intraday or of several exchanges.
        MissingExtraError
            If pyarrow is not installed.

        Notes
        -----
        ``study.json`` holds the specification, the events, the versions of the libraries and fingerprints of
        the data; Parquet files hold the returns and prices of the securities in use, and the abnormal
        returns. ``load`` fits the study again and says so where it finds other abnormal returns.

        Examples
        --------
        >>> import tempfile
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results.save(f"{folder}/study")
        ...     again = es.load(f"{folder}/study")
        >>> again.car(0, 1)["car"].round(4).tolist()
        [-0.0755]
        """
        target = check_path("folder", folder)
        try:
            inside = {path.name for path in target.iterdir()} if target.is_dir() else set()
            if inside and "study.json" not in inside:
                raise RequestError(
                    f"{str(target)!r} holds something that is not a stored study; name another folder."
                )
            write_study(self.fitted, target)
        except OSError as problem:
            raise RequestError(f"The study cannot be stored in {str(target)!r}: {problem}.") from problem

    def report(
        self,
        path: str | PathLike[str],
        start: WindowLike = None,
        end: int | None = None,
        *,
        question: str | None = None,
        notes: str | Sequence[str] = (),
        currency: str | None = None,
        confounders: News | None = None,
        against: Significance | None = None,
        market_cap: pd.DataFrame | ByEvent | None = None,
        shares: pd.DataFrame | ByEvent | None = None,
        alternative: Alternative = "two-sided",
        brief: bool = False,
    ) -> Path:
        """Write the whole study as one page: HTML that needs no network, PDF, Word or Markdown.

        Parameters
        ----------
        path : path
            File to write, such as ``"hikvision.html"``; one that exists is replaced. Its ending says how:
            html, pdf or docx (both with the extra ``report``), or md, whose figures go to a folder beside it,
            ``hikvision_files``.
        start, end : int, optional
            Window of the headline CAR; by default (0, +1), where the event window holds it.
        question : str, optional
            What was asked, in words; made of the events by default.
        notes : str or sequence of str, optional
            Paragraphs below the question, as plain text.
        currency : str, optional
            Unit of the prices, such as ``"CNY"``.
        confounders, against : optional
            Other news by day, and the results of control events, as for `verdict`.
        market_cap, shares : optional
            As for `value_change`: what the move was worth.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of all tests, chosen before the returns are seen. With a side, intervals in words and tables
            are one-sided bounds; those of figures stay two-sided, and say so.
        brief : bool, default False
            Whether to write the finding, two figures, one table and the caveats alone, on one printed side.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        RequestError
            If the market holds no returns but turnover or volatility, the ending of the file is none of
            these, or it cannot be written; an older one is left as it was.
        MissingExtraError
            If PDF or Word is asked for, and what writes it is not installed.

        Examples
        --------
        >>> import eventstudy as es, pathlib, tempfile
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, news, estimation=(-200, -21), window=(-1, 1)).fit()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = results.report(pathlib.Path(folder) / "page.html", currency="CNY", brief=True)
        ...     "CNY per share (95% interval" in page.read_text(encoding="utf-8")
        True
        """
        target = check_path("path", path)
        write = report.writer(target)
        check_text("question", question)
        check_text("currency", currency)
        check_flag("brief", brief)
        paragraphs = [notes] if isinstance(notes, str) else check_sequence("notes", notes, "paragraphs")
        for paragraph in paragraphs:
            if not isinstance(paragraph, str):
                raise RequestError(f"notes must be paragraphs of text; got {paragraph!r}.")
        made = report.study_report(
            self.fitted,
            self.fitted.checked_window(start, end),
            question=question,
            notes=paragraphs,
            currency=None if currency is None else strip_control(currency),
            confounders=confounders,
            controls=None if against is None else self._controls(against),
            market_cap=market_cap,
            shares=shares,
            alternative=alternative,
            brief=brief,
            vector=target.suffix.lower() != ".docx",
        )
        try:
            write(made, target, brief)
        except OSError as problem:
            raise RequestError(f"The report cannot be written to {str(target)!r}: {problem}.") from problem
        return target
