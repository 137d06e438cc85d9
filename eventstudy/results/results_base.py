"""ResultsBase: what results of one study and of several have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pandas as pd

from eventstudy.immutable import Immutable
from eventstudy.results import trading_frictions
from eventstudy.results.each_event import EachEvent
from eventstudy.results.fitted import WindowLike
from eventstudy.results.market_value import MarketValue
from eventstudy.results.measure_tables import MeasureTables
from eventstudy.results.measures import Measures
from eventstudy.results.plot import ResultsPlotter
from eventstudy.results.regression import Regression
from eventstudy.results.significance import Significance
from eventstudy.tables import Table

__all__ = ["ResultsBase"]


class ResultsBase(Measures, Significance, EachEvent, MeasureTables, Regression, MarketValue, Immutable, ABC):
    """Measures, tests, tables and figures of fitted events."""

    @property
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0, with every shift.

        Of pooled studies also the column study; an averaged firm has the dates of its first listing.
        """
        return self.fitted.timeline

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that could not be used, and listings left out: security, label, reason; index event_id."""
        return self.fitted.excluded

    @property
    def limit_hits(self) -> pd.DataFrame:
        """Sessions of the event windows that touched a daily price limit.

        Columns event_id, security, day, date, side ("down" or "up"), close, limit, at_close (whether it
        closed there) and locked (whether it never traded elsewhere). Empty where the market has no prices.
        """
        return trading_frictions.limit_hits(self.fitted)

    @property
    def halts(self) -> pd.DataFrame:
        """Spells without trade that touch the event windows.

        Columns event_id, security, first and last session without trade, sessions (how many), and
        resumed_on_day (relative day of the next trade; NaN where that lies beyond the window).
        """
        return trading_frictions.halts(self.fitted)

    @property
    def plot(self) -> ResultsPlotter:
        """Figures of these results."""
        return ResultsPlotter(self.fitted)

    @abstractmethod
    def summary(self, start: WindowLike = None, end: int | None = None) -> Table:
        """Summarise design, events, abnormal returns and recommended tests as one table."""

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
