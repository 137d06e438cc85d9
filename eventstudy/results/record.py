"""The record of a study: what was asked, which events were used, what the exchange did to them."""

from __future__ import annotations

import pandas as pd

from eventstudy.results import diagnostics, frictions
from eventstudy.results.data import StudyData
from eventstudy.results.spec import StudySpec
from eventstudy.results.suspects import suspects_in
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
        return frictions.limit_hits(self._data)

    @property
    def halts(self) -> pd.DataFrame:
        """Spells without trade that touch the event windows.

        Columns event_id, security, first and last session without trade, sessions (how many), and
        resumed_on_day (relative day of the next trade; NaN where that lies beyond the window).
        """
        return frictions.halts(self._data)

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
