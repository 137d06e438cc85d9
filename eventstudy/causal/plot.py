"""The plot accessor of causal results: gathers a tidy frame and hands it to a drawing function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy.causal.balance import factor_balance
from eventstudy.causal.estimates import CausalEstimates
from eventstudy.causal.fitted import FittedCohort, on_axis, weighted_mean
from eventstudy.causal.significance import CausalInput
from eventstudy.causal.tables import checked_tests, daily_effects, recommended
from eventstudy.errors import RequestError
from eventstudy.immutable import Immutable
from eventstudy.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CausalPlotter"]

#: Estimation days that are drawn before the event.
DAYS_BEFORE = 30


class CausalPlotter(Immutable):
    """Figures of a causal study; every method takes ``ax=`` and returns the matplotlib Axes.

    Further keyword arguments, such as ``title=`` or ``color=``, go to the drawing function of
    `eventstudy.plotting`.
    """

    def __init__(self, results: CausalEstimates, data: CausalInput) -> None:
        self._results, self._data = results, data

    def __repr__(self) -> str:
        names = [name for name in dir(self) if not name.startswith("_")]
        return f"Plots: {', '.join(names)}"

    def path(self, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Mean cumulative return of the treated and of their counterfactual.

        Both are zero at the start of the event window, and the days before it are drawn back from there.
        """
        results = self._results
        own, other = [], []
        weights = np.concatenate([each.event_weights for each in results.cohorts])
        for each in results.cohorts:
            known = np.where(np.isnan(each.gaps), np.nan, each.actual)
            own.append(on_axis(results.spec, each.cohort, known).T)
            other.append(on_axis(results.spec, each.cohort, known - each.gaps).T)
        days = results.path.days
        frame = pd.DataFrame(
            {
                "treated": weighted_mean(np.concatenate(own), weights),
                "counterfactual": weighted_mean(np.concatenate(other), weights),
            },
            index=days,
        )
        before = frame[days <= results.spec.estimation.end].iloc[-DAYS_BEFORE:]
        after = frame[days >= results.spec.window.start]
        total = before.fillna(0.0).cumsum().where(before.notna())
        start = pd.DataFrame(0.0, index=[results.spec.window.start - 1], columns=frame.columns)
        back = total - before.sum()
        hole = pd.DataFrame(np.nan, index=[results.spec.estimation.end + 0.5], columns=frame.columns)
        joined = results.spec.estimation.end + 1 == results.spec.window.start
        middle = [] if joined else [hole, start]
        shown = pd.concat([back, *middle, after.fillna(0.0).cumsum().where(after.notna())])
        return plotting.plot_counterfactual(
            shown.rename_axis("day").reset_index(), ax=ax, **({"title": self._title()} | kwargs)
        )

    def gap(
        self, *, test: str | None = None, level: float = 0.95, ax: Axes | None = None, **kwargs: Any
    ) -> Axes:
        """Gap between return and counterfactual by day, with the intervals of a test after the event."""
        results = self._results
        path = results.path
        found = recommended(self._data, results.spec.window)["test"]
        key = checked_tests([test])[0] if test is not None else str(found.iloc[0]) if len(found) else ""
        effects = daily_effects(results, self._data, key, level)
        before = path.days <= results.spec.estimation.end
        frame = pd.DataFrame({"day": path.days[before], "gap": path.gap[before]}).iloc[-DAYS_BEFORE:]
        frame = frame.assign(ci_low=np.nan, ci_high=np.nan, is_effect=False)
        after = effects.reset_index().rename(columns={"effect": "gap"})[["day", "gap", "ci_low", "ci_high"]]
        frame = pd.concat([frame, after.assign(is_effect=True)], ignore_index=True)
        title = self._title() + (f"\nintervals of the {key.replace('_', '-')} test" if key else "")
        return plotting.plot_gap(frame, ax=ax, level=level, **({"title": title} | kwargs))

    def placebos(self, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Cumulative effect among those of placebos, each scaled to the error of the study before the event.

        Raises
        ------
        RequestError
            If the donors are too few.
        """
        drawn = self._data.placebos
        if isinstance(drawn, str):
            raise RequestError(f"There are no placebos: {drawn}.")
        path = self._results.path
        window = self._results.spec.window
        inside = path.days >= window.start
        scaled = drawn.gap[:, inside] * (path.rmse / drawn.rmse)[:, None]
        days = np.concatenate([[window.start - 1], path.days[inside]])
        own = np.concatenate([[0.0], np.nancumsum(path.gap[inside])])
        cumulated = np.column_stack([np.zeros(len(scaled)), np.nancumsum(scaled, axis=1)])
        frame = pd.DataFrame(
            {
                "day": np.tile(days, len(scaled) + 1),
                "effect": np.concatenate([own, cumulated.ravel()]),
                "placebo": np.repeat(np.array([None, *drawn.labels], dtype=object), len(days)),
            }
        )
        title = f"{self._title()}\nplacebos scaled to the error before the event"
        return plotting.plot_placebo_paths(frame, ax=ax, **({"title": title} | kwargs))

    def weights(self, date: object = None, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Weights of the donors on one date, the mean over its events; the only date by default.

        Raises
        ------
        RequestError
            If the estimator has no weights, or there are several dates and none is given.
        """
        each = self._cohort(date)
        if each.fit.weights is None:
            raise RequestError(f"{self._results.spec.estimator.label} has no weights of donors.")
        frame = pd.DataFrame({"donor": each.cohort.donor_names, "weight": each.fit.weights.mean(axis=1)})
        title = f"Donors on {each.cohort.date:%Y-%m-%d}"
        return plotting.plot_donor_weights(frame, ax=ax, **({"title": title} | kwargs))

    def balance(self, date: object = None, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Draw the loadings of treated and counterfactual before the event on one date, in the donors' range.

        Raises
        ------
        RequestError
            If there are several dates and none is given.
        """
        each = self._cohort(date)
        frame = factor_balance(self._results.spec, each).drop(index="alpha")
        loadings = ["treated", "counterfactual", "donors_low", "donors_high"]
        frame = frame[loadings].mul(frame["sd"], axis=0).reset_index()
        title = f"Balance on {each.cohort.date:%Y-%m-%d}"
        return plotting.plot_balance(frame, ax=ax, **({"title": title} | kwargs))

    def _cohort(self, date: object) -> FittedCohort:
        cohorts = self._results.cohorts
        dates = sorted({each.cohort.date for each in cohorts})
        if date is None:
            if len(dates) > 1:
                raise RequestError(
                    f"There are {len(dates)} dates, from {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}; name "
                    f"one: date='{dates[0]:%Y-%m-%d}'."
                )
            return cohorts[0]
        try:
            wanted = pd.Timestamp(date)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise RequestError(
                f"date is an event date, such as '{dates[0]:%Y-%m-%d}'; got {date!r}."
            ) from error
        for each in cohorts:
            if each.cohort.date == wanted:
                return each
        raise RequestError(
            f"No event of the study has {wanted:%Y-%m-%d} as its day 0; its dates run from "
            f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}."
        )

    def _title(self) -> str:
        results = self._results
        return f"{plural(len(results.sample), 'event')}, {results.spec.estimator.label.lower()}"
