"""Answers: what a study found, in words."""

from __future__ import annotations

from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.results.fitted import WindowLike
from eventstudy.results.significance import Significance
from eventstudy.results.verdict.sentences import News, verdict
from eventstudy.results.verdict.text import Verdict

__all__ = ["Answers"]


class Answers(Significance):
    """What a study found, in words."""

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
        return verdict(
            data,
            data.checked_window(start, end),
            alternative=alternative,
            confounders=confounders,
            controls=None if against is None else self._controls(against),
        )
