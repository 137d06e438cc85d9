"""The record of a study: what was asked, which events were used, what the exchange did to them."""

from __future__ import annotations

import pandas as pd

from eventstudy.results import frictions
from eventstudy.results.data import StudyData
from eventstudy.results.spec import StudySpec
from eventstudy.sample import EventSample

__all__ = ["StudyRecord"]


class StudyRecord:
    """Specification, events and market frictions of a fitted study."""

    _data: StudyData

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
    def timeline(self) -> pd.DataFrame:
        """When each event was announced and which session became day 0, with every shift."""
        return self._data.sample.timeline.copy()

    @property
    def limit_hits(self) -> pd.DataFrame:
        """Sessions of the event windows that touched a daily price limit.

        Columns event_id, security, day, date, side ("down" or "up"), close, limit, at_close (whether it
        closed there) and locked (whether it never traded elsewhere). Empty where the market has no prices.
        """
        return frictions.limit_hits(self._data)

    @property
    def halts(self) -> pd.DataFrame:
        """Spells without trade that touch the event windows.

        Columns event_id, security, first and last session without trade, sessions (how many), and
        resumed_on_day (relative day of the next trade; NaN where that lies beyond the window).
        """
        return frictions.halts(self._data)
