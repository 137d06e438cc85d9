"""Answers: what a study found, in words and as an exhibit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.arguments import check_text
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.results import verdict
from eventstudy.results.exhibit import exhibit
from eventstudy.results.fitted import WindowLike, checked_level
from eventstudy.results.market_value import ByEvent
from eventstudy.results.significance import Significance
from eventstudy.tables import Table
from eventstudy.text import strip_control

if TYPE_CHECKING:
    from eventstudy.inference.procedures import Adjustment
    from eventstudy.results.verdict import News, Verdict

__all__ = ["Answers"]


class Answers(Significance):
    """What a study found, in words and as an exhibit."""

    def verdict(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        confounders: News | None = None,
        against: Significance | None = None,
    ) -> Verdict:
        """Say in words what was found: effect, interval, tests, what could have been found, other news.

        Every sentence is chosen by the numbers, and claims no more than the weakest recommended test allows.
        Several announcements about one security are judged one by one first.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        confounders : mapping of day to str, or Series, optional
            Other news of these days, such as ``{"2019-05-16": "Huawei is put on the Entity List"}``. News
            within an event window is named, and so is what the events have in a column confounder or
            confounders.
        against : EventStudyResults, optional
            Control events on the same dates: the verdict then judges treated minus controls as well.

        Returns
        -------
        Verdict
            Prints as text, renders as HTML in a notebook; ``.to_markdown()``, ``.to_html()``. `answer` is the
            conclusion, `tests` the frame of the recommended tests with what each assumes.

        Raises
        ------
        RequestError
            If confounders are not days and texts, or a treated event serves as its own control.

        See Also
        --------
        recommended : the tests, with the reasons for them.
        report : the verdict with tables and figures.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> news = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
        >>> results = es.EventStudy(market, news, estimation=(-270, -21)).fit()
        >>> found = results.verdict(0, 0, confounders={"2019-05-16": "Huawei is listed"})
        >>> found.tests[["test", "p_value", "rejects"]].round(4).values.tolist()[0]
        ['sq', 0.0319, True]
        >>> found.part("Other news")[0]
        '2019-05-16 (day -4, outside (0, 0)): Huawei is listed'
        """
        check_alternative(alternative)
        data = self.fitted
        return verdict.verdict(
            data,
            data.checked_window(start, end),
            alternative=alternative,
            confounders=confounders,
            controls=None if against is None else self._controls(against),
        )

    def exhibit(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "less",
        adjust: Adjustment = "holm",
        market_cap: pd.DataFrame | ByEvent | None = None,
        shares: pd.DataFrame | ByEvent | None = None,
        currency: str | None = None,
        level: float = 0.95,
    ) -> Table:
        r"""Make the table that a court reads: each disclosure, what was expected, what happened, its worth.

        .. math:: \Delta P_i = \mathrm{CAR}_i\, P_i

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        alternative : {"less", "greater", "two-sided"}, default "less"
            Side of the p-values, chosen before the returns are seen; falls by default.
        adjust : {"holm", "romano-wolf", "bh"}, default "holm"
            How the adjusted p-value allows for the number of events, as for `firm_tests`.
        market_cap, shares : optional
            As for `value_change`; with either the exhibit has the change in market value as well.
        currency : str, optional
            Unit of the prices, such as ``"USD"``.
        level : float, default 0.95
            Coverage of the two-sided intervals.

        Returns
        -------
        Table
            Sections by event: returns (expected, actual, abnormal, standard error, interval); p-values of t
            with prediction error and of the sample quantile (SQ), and adjusted; the last close before the
            window and the abnormal change of a share, with its interval, where the market has closes; and the
            change of market value, in millions. ``.to_latex()``, ``.to_excel(path)``, ``.to_markdown()``.

        Raises
        ------
        RequestError
            As `value_change`.

        See Also
        --------
        by_event : the tests as a frame.
        EventStudy : ``exclude_dates=`` keeps earnings days and other confounders out of the estimation.

        References
        ----------
        Gelbach, Helland and Klick (2013), American Law and Economics Review 15, 495-541, for SQ;
        docs/methods/single_event.md.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> news = {"security": "002415.SZ", "date": ["2018-03-23", "2019-05-22"]}
        >>> results = es.EventStudy(market, news, estimation=(-200, -21), window=(-1, 1)).fit()
        >>> table = results.exhibit(0, 0, currency="CNY")
        >>> [section.caption for section in table.sections]
        ['Returns over (0, 0)', 'Significance, one-sided, for falls', 'Value of a share (CNY)']
        >>> table.sections[2].frame[["price before", "change"]].round(2).to_numpy().tolist()
        [[43.26, 1.67], [27.6, -1.33]]
        """
        check_alternative(alternative)
        check_text("currency", currency)
        data = self.fitted
        return exhibit(
            data,
            data.checked_window(start, end),
            alternative,
            adjust,
            checked_level(level),
            market_cap,
            shares,
            None if currency is None else strip_control(currency),
        )
