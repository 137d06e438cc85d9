"""Measures of a study: abnormal returns, their sums and averages, and the parts of one day."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.errors import PriceLimitWarning, warn
from eventstudy.inference.base import Alternative
from eventstudy.results import averages, plot_data, trading_frictions
from eventstudy.results.fitted import MethodGroup, WindowLike, checked_level
from eventstudy.windows import Window

__all__ = ["Measures"]


class Measures(MethodGroup):
    """Abnormal returns, CAR, AAR, CAAR and parameters of fitted events."""

    @property
    def abnormal_returns(self) -> pd.DataFrame:
        """Abnormal returns, event_id × relative day; NaN where the security did not trade."""
        columns = pd.Index(self.fitted.event_window.offsets, name="day")
        return pd.DataFrame(self.fitted.abnormal.ar.copy(), self.fitted.index, columns)

    @property
    def parameters(self) -> pd.DataFrame:
        """Estimated parameters by event, with sigma, n_obs, dof and r_squared."""
        return self.fitted.parameters

    def car(
        self,
        start: WindowLike = None,
        end: int | Literal["first_free_close"] | None = None,
        *,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        r"""Cumulative abnormal return of each event.

        .. math:: t_i = \frac{\mathrm{CAR}_i}{\sqrt{\gamma' V_i \gamma}} \sim t_{\nu_i}

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default, (0, +1) where the event window
            holds it. The end ``"first_free_close"`` is, by event, the first day from `start` on whose close
            is not at a daily price limit: until then the price has not found its level.
        level : float, default 0.95
            Coverage of the interval.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-value; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By event_id: car, se, t, dof, p_value, ci_low, ci_high, n_days (days with a return), expected and
            actual (normal and observed return summed over these days), detectable (the smallest CAR
            that this test finds at 5 % with probability 0.8); with
            ``"first_free_close"`` also end, that day. NaN where the event window ends before it.

        Warns
        -----
        PriceLimitWarning
            If the event window ends before a free close.
        """
        data = self.fitted
        if end != "first_free_close":
            return data.cars(data.checked_window(start, end), level, alternative)
        first = data.checked_window(0 if start is None else start).start
        ends = trading_frictions.first_free_close(data, first)
        frame = data.cars(Window(first, first), level, alternative).astype({"n_days": float}) * np.nan
        for last in np.unique(ends[~np.isnan(ends)]):
            rows = ends == last
            frame[rows] = data.cars(Window(first, int(last)), level, alternative)[rows]
        never = data.index[np.isnan(ends)]
        if len(never):
            told = ", ".join(map(str, never[:5])) + ", ..." * (len(never) > 5)
            warn(
                f"The event window {data.event_window} ends before event {told} closes free of the price "
                "limit, so there is no CAR. Lengthen it.",
                PriceLimitWarning,
            )
        return frame.assign(end=ends)

    def aar(
        self,
        *,
        test: str | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        """Average abnormal return by relative day.

        Parameters
        ----------
        test : str, optional
            Test the standard error is taken from: "t" (one event), "filtered_t", "cross_sectional",
            "adjusted_cross_sectional", "portfolio" (one common date), "ibragimov_muller" (several dates) or
            "independence". By default, of events that depend on each other, and of fewer than five,
            "filtered_t"; of others "cross_sectional".
        level : float, default 0.95
            Coverage of the interval.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-value; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By day: aar, se, statistic, dof, p_value, ci_low, ci_high, n_events, positive (share of
            events with a positive abnormal return), test, detectable (the smallest mean that this test
            finds at 5 % with probability 0.8).
        """
        days = [Window(int(d), int(d)) for d in self.fitted.event_window.offsets]
        inputs = [self.fitted.test_input(day) for day in days]
        frame = averages.averages(inputs, test, checked_level(level), alternative)
        frame = frame.rename(columns={"caar": "aar"})
        return frame.set_axis(pd.Index(self.fitted.event_window.offsets, name="day"), axis=0)

    def caar(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        test: str | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        """Cumulative average abnormal return: the mean CAR of the events.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        test, level, alternative
            As for `aar`.

        Returns
        -------
        DataFrame
            One row, indexed by the window: caar, se, statistic, dof, p_value, ci_low, ci_high, n_events,
            positive, test, detectable, note (which names the recommended test where it and the
            interval disagree at 5 %).
        """
        window = self.fitted.checked_window(start, end)
        inputs = [self.fitted.test_input(window)]
        frame = averages.averages(inputs, test, checked_level(level), alternative)
        frame = averages.with_lead(frame, inputs, alternative)
        return frame.set_axis(pd.Index([str(window)], name="window"), axis=0)

    def decomposition(self, day: int = 0, *, event: Hashable | None = None) -> pd.DataFrame:
        """Take one day of an event apart: gap, low, high and close against previous close and limit.

        Parameters
        ----------
        day : int, default 0
            Relative day.
        event : optional
            Id of the event; needed where there are several.

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
        study, row = self.fitted.part(self.fitted.position(event))
        return plot_data.decomposition(study, row, day)
