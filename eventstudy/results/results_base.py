"""ResultsBase: what results of one study and of several have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import inference, regressions
from eventstudy.arguments import check_sequence, check_text
from eventstudy.errors import RequestError
from eventstudy.immutable import Immutable
from eventstudy.inference.base import Alternative
from eventstudy.results import trading_frictions
from eventstudy.results.answers import Answers
from eventstudy.results.characteristic_sorts import Sorts
from eventstudy.results.each_event import EachEvent
from eventstudy.results.excluded_dates import date_effects
from eventstudy.results.fitted import FittedEvents, MethodGroup, WindowLike
from eventstudy.results.market_value import MarketValue
from eventstudy.results.measure_tables import Measures, MeasureTables
from eventstudy.results.onward import Onward
from eventstudy.results.plot import ResultsPlotter
from eventstudy.tables import Table
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.regressions import Covariance, CrossSection, Weights

__all__ = ["Regression", "ResultsBase"]

OWN = ("car", "se", "scar", "day_0")


class Regression(MethodGroup):
    """Regressions of fitted events."""

    def regression(self, event: Hashable | None = None) -> Any:
        """Return the statsmodels results of one event's estimation regression.

        Parameters
        ----------
        event : optional
            Id of the event; needed where there are several.

        Raises
        ------
        ModelError
            If the model is not a regression.

        See Also
        --------
        cross_section : regression of the CARs on characteristics of the events.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> round(float(results.regression().rsquared), 3)
        0.541
        """
        study, row = self.fitted.part(self.fitted.position(event))
        arrays = study.spec.model.arrays(study.sample, slice(row, row + 1))
        return study.spec.model.regression(arrays, 0)

    def cross_section(
        self,
        formula: str,
        start: WindowLike = None,
        end: int | None = None,
        *,
        covariance: Covariance | None = None,
        clusters: str | Sequence[str] | None = None,
        weights: Weights | None = None,
        alternative: Alternative = "two-sided",
        n_resamples: int = 999,
        seed: int | np.random.Generator | None = 0,
    ) -> CrossSection:
        r"""Regress the CARs on characteristics of the events.

        .. math:: \mathrm{CAR}_i = z_i'\delta + \eta_i, \qquad
                  \operatorname{Var}(\eta_i) = \gamma' V_i \gamma + \sigma_\eta^2

        Parameters
        ----------
        formula : str
            In the language of statsmodels, of columns of the events and of car, scar (CAR over its prediction
            error), se, security, label and study, such as ``"car ~ exposure + log(cap) + C(industry)"``.
            It can name columns and these functions only: log, log1p, log2, log10, exp, expm1, sqrt, abs,
            sign, minimum, maximum and where (also as np.log ...), and C, Q, I, center, standardize, scale,
            bs, cr, cc and te of patsy. Make other variables columns of the events first.
        start, end : int
            First and last relative day of the CAR; the headline window by default.
        covariance : {"HC0", "HC1", "HC2", "HC3", "nonrobust", "past"}, optional
            Standard errors; by default HC3 with degrees of freedom of each coefficient, which are few where
            few events decide it. Named ones have t with N - k. ``"past"`` is for events of one common date:
            the distribution of the same regression's coefficients on the days before it, which keeps any
            correlation of the firms.
        clusters : str or two of them, optional
            Columns whose events may be correlated: ``"date"`` (day 0), ``"firm"`` (the column of that name,
            else the security) or any other. CR2, and t with degrees of freedom of each coefficient, few where
            few clusters decide it; with fewer than 30 clusters also the p-value of the wild cluster
            bootstrap, beside it.
        weights : {"fgls", "gls"}, optional
            ``"fgls"`` weighs by ``1 / (g'V_i g + sigma^2)``, both terms: the noise of each CAR, and how
            effects differ. ``"gls"``, with ``covariance="past"``, takes the covariance of all events from
            principal components of their past, which makes slopes more precise where firms move together.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Of all p-values, and of the intervals, which then have one end.
        n_resamples, seed
            For the wild cluster bootstrap.

        Returns
        -------
        CrossSection
            Prints as a table; `coefficients`, `covariance`, `left_out`, and `fit` of statsmodels.

        Raises
        ------
        RequestError
            If the formula cannot be used with the events, terms are collinear, options exclude each other, or
            ``"past"`` is asked for events of several dates.

        Notes
        -----
        Weights of 1/g'Vg alone would be wrong where true effects differ (Harrington and Shrider 2007).
        A coefficient that one event or one cluster alone decides, such as that of a category of one event,
        has no robust standard error: it and what follows from it are NaN, and a note says why.
        A two-way variance that is not positive definite has its negative eigenvalues set to zero, and a note.
        Clusters of industries do not help events of one date: a shock may reach several industries.

        References
        ----------
        MacKinnon and White (1985); Bell and McCaffrey (2002); Imbens and Kolesár (2016); Cameron, Gelbach
        and Miller (2008, 2011); Harrington and Shrider (2007); Cohn, Johnson, Liu and Wardlaw on the
        distribution of past coefficients; docs/methods/regressions.md, eq. (car-regression).

        See Also
        --------
        regression_table : several regressions beside each other.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "002583.SZ", "300188.SZ"]
        >>> listed = {"security": names, "date": "2019-05-22", "listed": [1, 1, 1, 0, 0]}
        >>> study = es.EventStudy(market, listed, estimation=(-270, -21), window=(-5, 5))
        >>> fit = study.fit().cross_section("car ~ listed", 0, 1, covariance="past")
        >>> fit.n_events, fit.coefficients.columns.tolist()[:4]
        (5, ['coef', 'se', 't', 'dof'])
        """
        data = self.fitted
        tested = data.checked_window(start, end)
        frame = _frame(data, tested)
        columns = [clusters] if isinstance(clusters, str) else clusters
        if columns is not None:
            columns = check_sequence("clusters", columns, "columns, such as ['date', 'firm']")
        check_text("covariance", covariance)
        named = None if columns is None else [_cluster(frame, str(name)) for name in columns]
        found = inference.clustering(data.test_input(tested))
        past = None
        if covariance == "past":
            if found.n_dates > 1:
                raise RequestError(
                    f"covariance='past' needs events on one common date, these have {found.n_dates}: "
                    "cluster by date."
                )
            if data.test_input(tested).with_car.spans_gap:
                raise RequestError(f"covariance='past': {data.test_input(tested).unlike_rows}.")
            past = _past(data, tested)
        return regressions.cross_section(
            frame,
            formula,
            str(tested),
            covariance=covariance,
            clusters=named,
            weights=weights,
            past=past,
            overlapping=found.share_overlapping,
            alternative=alternative,
            n_resamples=n_resamples,
            seed=seed,
        )


def _frame(data: FittedEvents, window: Window) -> pd.DataFrame:
    events = data.events
    taken = [name for name in OWN if name in events]
    if taken:
        raise RequestError(f"The events have a column {taken[0]!r}, which names a result here; rename it.")
    cars = data.cars(window)
    own = {"car": cars["car"], "se": cars["se"], "scar": cars["t"]}
    if not data.undated:
        own["day_0"] = data.timeline["day_0"]
    return events.assign(**own)


def _cluster(frame: pd.DataFrame, name: str) -> str:
    if name == "date":
        return "day_0"
    return "security" if name == "firm" and "firm" not in frame else name


def _past(data: FittedEvents, window: Window) -> regressions.Past:
    abnormal = data.abnormal
    days = abnormal.past.dates()
    if not (days.astype(np.int64) == days[:1].astype(np.int64)).all():
        raise RequestError("covariance='past' needs events whose estimation windows are the same days.")
    return regressions.Past(
        abnormal.past.residuals(),
        data.test_input(window).cumulative.variance / abnormal.s2,
        abnormal.lost_dof,
    )


class ResultsBase(
    Measures, Answers, Onward, EachEvent, Sorts, MeasureTables, Regression, MarketValue, Immutable, ABC
):
    """Measures, tests, tables and figures of fitted events.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> isinstance(results, es.results.ResultsBase)
    True
    """

    @property
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0, with every shift.

        For pooled studies also the column study; an averaged firm has the dates of its first listing.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.timeline[["security", "day_0", "spans"]]
                   security      day_0  spans
        event_id
        0         002415.SZ 2019-05-22      1
        """
        return self.fitted.timeline

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that could not be used, and listings left out: security, label, reason; index event_id.

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "Huawei")]
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.excluded[["security", "reason"]].values.tolist()
        [['Huawei', 'Huawei is not listed, so it has no price: ...']]
        """
        return self.fitted.excluded

    @property
    def limit_hits(self) -> pd.DataFrame:
        """Sessions of the event windows that touched a daily price limit.

        Columns event_id, security, day, date, side ("down" or "up"), close, limit, at_close (whether it
        closed there) and locked (whether it never traded elsewhere). Empty where the market has no prices.

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> order = {"security": "000063.SZ", "date": "2018-04-17"}
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, order, window=(0, 8)).fit()
        >>> results.limit_hits.loc[:2, ["day", "side", "close", "limit"]]
           day  side  close  limit
        0    0  down  28.18  28.18
        1    1  down  25.36  25.36
        2    2  down  22.82  22.82
        """
        return trading_frictions.limit_hits(self.fitted)

    @property
    def halts(self) -> pd.DataFrame:
        """Spells without trade that touch the event windows.

        Columns event_id, security, first and last session without trade, sessions (how many), and
        resumed_on_day (relative day of the next trade; NaN where that lies beyond the window).

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> order = {"security": "000063.SZ", "date": "2018-04-17"}
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, order, window=(0, 8)).fit()
        >>> results.halts[["security", "sessions"]]
            security  sessions
        0  000063.SZ        39
        """
        return trading_frictions.halts(self.fitted)

    def date_effects(self, *, alternative: Alternative = "two-sided") -> pd.DataFrame:
        r"""Abnormal returns of the dates that estimation windows leave out, as dummies would show them.

        A dummy for one day in the estimation regression fits that day exactly: the other coefficients are
        those without the day, and its own is the abnormal return of the day.

        .. math:: \hat\delta_s = r_s - x_s'\hat\beta, \qquad
                  \operatorname{Var}(\hat\delta_s) = \hat\sigma^2 + x_s' \hat V x_s

        Parameters
        ----------
        alternative : {"two-sided", "less", "greater"}, default "two-sided"

        Returns
        -------
        DataFrame
            A row for each event and day of ``exclude_dates`` in its estimation window: event_id, security,
            date, day (sessions from day 0), effect, se, t, dof, p_value; NaN on a day without return.

        Raises
        ------
        RequestError
            If the study leaves no dates out, or the model does not tell their abnormal returns.

        References
        ----------
        Karafiath (1988), Financial Review 23, 351-357.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, news, exclude_dates=["2018-10-22", "2019-04-01"]).fit()
        >>> results.date_effects()[["day", "effect", "t"]].round(4)
           day  effect       t
        0 -141 -0.0117 -0.6023
        1  -33  0.0060  0.3120
        """
        return date_effects(self.fitted, alternative)

    @property
    def plot(self) -> ResultsPlotter:
        """Figures of these results.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> axes = results.plot.car()
        >>> axes.get_xlabel()
        'Sessions relative to the event day'
        """
        return ResultsPlotter(self.fitted)

    @abstractmethod
    def summary(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
    ) -> Table:
        """Summarise design, events, abnormal returns and recommended tests as one table."""

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
