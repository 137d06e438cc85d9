"""What a causal study estimated: effects of events, counterfactuals, donors, weights and factors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.causal.cohorts import day_axis
from eventstudy.causal.fitted import FittedCohort, MeanPath, mean_path, on_axis
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import RequestError, WindowError
from eventstudy.immutable import Immutable
from eventstudy.results.fitted import WindowLike, window_of
from eventstudy.sample import EventSample
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["CausalEstimates"]


class CausalEstimates(Immutable):
    """Estimates of a `CausalStudy`, without inference.

    Attributes
    ----------
    spec : CausalSpec
        What was asked.
    sample : EventSample
        The events that could be used.
    cohorts : tuple of FittedCohort
        Fit of each date.
    """

    spec: CausalSpec
    sample: EventSample
    cohorts: tuple[FittedCohort, ...]

    def __init__(self, spec: CausalSpec, sample: EventSample, cohorts: tuple[FittedCohort, ...]) -> None:
        self.spec, self.sample, self.cohorts = spec, sample, cohorts
        self._path = mean_path(spec, cohorts)

    def __repr__(self) -> str:
        donors = sorted({len(each.cohort.donor_names) for each in self.cohorts})
        told = f"{donors[0]}" if len(donors) == 1 else f"{donors[0]} to {donors[-1]}"
        return (
            f"CausalResults: {plural(len(self.sample), 'event')} on {plural(self.n_dates, 'date')}, "
            f"{self.spec.estimator.label}, {told} donors, window {self.spec.window}"
        )

    @property
    def excluded(self) -> pd.DataFrame:
        """Events that could not be used, each with the reason."""
        return self.sample.excluded.copy()

    @property
    def n_dates(self) -> int:
        """Number of different event dates."""
        return len({each.cohort.day0 for each in self.cohorts})

    @property
    def path(self) -> MeanPath:
        """Mean gap between return and counterfactual by relative day, before the event too."""
        return self._path

    @property
    def donors(self) -> pd.DataFrame:
        """Every candidate of every date: date, security, used, reason (why it is not a donor)."""
        frames = []
        for each in self.cohorts:
            cohort = each.cohort
            names = [*cohort.donor_names, *cohort.left_out]
            reasons = [""] * len(cohort.donor_names) + list(cohort.left_out.values())
            frames.append(
                pd.DataFrame(
                    {
                        "date": cohort.date,
                        "security": names,
                        "used": [not r for r in reasons],
                        "reason": reasons,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def by_event(self) -> pd.DataFrame:
        """Effect of each event, event_id × relative day.

        Of an estimator that fits the treated of a date as one, each event is compared with the counterfactual
        of its date.
        """
        window = self.spec.window
        return pd.DataFrame(
            self._table(after=True),
            index=self.sample.events.index,
            columns=pd.Index(window.offsets, name="day"),
        )

    @property
    def counterfactual(self) -> pd.DataFrame:
        """Return each event would have had, event_id × relative day of both windows."""
        values = np.full((len(self.sample), len(self._path.days)), np.nan)
        for each in self.cohorts:
            missing = each.actual - each.gaps
            values[each.cohort.events] = on_axis(self.spec, each.cohort, missing).T
        return pd.DataFrame(
            values, index=self.sample.events.index, columns=pd.Index(self._path.days, name="day")
        )

    @property
    def weights(self) -> pd.DataFrame:
        """Weights of the donors, donor × date, or × event_id where each event has its own.

        Missing where a security is not a donor. Of factor models these are the portfolio that the
        counterfactual is: its weights may be negative and need not sum to one.

        Raises
        ------
        RequestError
            If the estimator has no weights.
        """
        if any(each.fit.weights is None for each in self.cohorts):
            raise RequestError(f"{self.spec.estimator.label} has no weights of donors.")
        columns: dict[object, pd.Series[float]] = {}
        ids = self.sample.events.index
        for each in self.cohorts:
            assert each.fit.weights is not None
            names = list(each.cohort.donor_names)
            if self.spec.estimator.pooled:
                columns[each.cohort.date] = pd.Series(each.fit.weights[:, 0], index=names)
            else:
                for unit, event in enumerate(each.cohort.events):
                    columns[ids[event]] = pd.Series(each.fit.weights[:, unit], index=names)
        frame = pd.DataFrame(columns).rename_axis("donor")
        if self.spec.estimator.pooled:
            return frame.rename_axis(columns="date")
        return frame[[event for event in ids if event in columns]].rename_axis(columns="event_id")

    @property
    def time_weights(self) -> pd.DataFrame:
        """Weights of the days before the event, relative day × date.

        Raises
        ------
        RequestError
            If the estimator does not weight days.
        """
        if any(each.fit.time_weights is None for each in self.cohorts):
            raise RequestError(f"{self.spec.estimator.label} does not weight days; SyntheticDiD does.")
        return pd.DataFrame(
            {
                each.cohort.date: pd.Series(
                    each.fit.time_weights, index=each.cohort.days[: each.cohort.n_pre]
                )
                for each in self.cohorts
            }
        ).rename_axis(index="day", columns="date")

    @property
    def factors(self) -> pd.DataFrame:
        """Factors of the donors, relative day × (date, factor); of mean square one, their signs arbitrary.

        Raises
        ------
        RequestError
            If the estimator has no factors.
        """
        if any(each.fit.factors is None for each in self.cohorts):
            raise RequestError(f"{self.spec.estimator.label} has no factors; InteractiveFixedEffects does.")
        found = {}
        for each in self.cohorts:
            assert each.fit.factors is not None
            for r, factor in enumerate(each.fit.factors.T):
                found[each.cohort.date, r + 1] = pd.Series(factor, index=each.cohort.days)
        columns = pd.MultiIndex.from_tuples(list(found), names=["date", "factor"])
        return pd.DataFrame(found, index=pd.Index(self._path.days, name="day"), columns=columns)

    def window(self, start: WindowLike = None, end: int | None = None) -> Window:
        """Return a tested window, checked to lie in the event window; the headline window by default."""
        window = window_of(self.spec.window, start, end)
        inside = (self._path.days >= window.start) & (self._path.days <= window.end)
        if np.isnan(self._path.gap[inside]).all():
            raise WindowError(
                f"There is no effect on any day of {window}: no treated firm has a return there."
            )
        return window

    def _table(self, *, after: bool) -> FloatArray:
        """Gaps of the events by relative day; those of the event window where `after`."""
        values = np.full((len(self.sample), len(self._path.days)), np.nan)
        for each in self.cohorts:
            values[each.cohort.events] = on_axis(self.spec, each.cohort, each.gaps).T
        return values[:, day_axis(self.spec) >= self.spec.window.start] if after else values
