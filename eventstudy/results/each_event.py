"""Each event on its own: tests of every announcement, shrunk CARs, and how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy.arguments import check_fraction, check_number
from eventstudy.errors import RequestError
from eventstudy.inference import dependence, procedures
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative
from eventstudy.results.event_names import named_events
from eventstudy.results.fitted import FittedEvents, MethodGroup, WindowLike, checked_level
from eventstudy.results.views import each_view
from eventstudy.tables import printed
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.inference.procedures import Adjustment

__all__ = ["EachEvent", "event_rows", "joint_adjustment", "one_security"]

#: Tests of one event in the table of events.
SINGLE = ("filtered_sq", "sq")


def one_security(data: FittedEvents) -> bool:
    """Whether all of several events are announcements about one security."""
    return len(data.index) > 1 and len(data.timeline["security"].unique()) == 1


def joint_adjustment(data: FittedEvents, window: Window) -> Adjustment:
    """Romano and Wolf's procedure; Holm's where no residual vector is like a window of bars with a night."""
    return "holm" if data.test_input(window).spans_gap else "romano-wolf"


def event_rows(
    data: FittedEvents,
    window: Window,
    adjust: Adjustment,
    options: Options,
    level: float = 0.95,
) -> pd.DataFrame:
    """Test each event on its own, as `EachEvent.by_event` does."""
    tested = data.test_input(window)
    found = procedures.firm_tests(tested, adjust, options)
    cars = data.cars(window, level, options.alternative)
    frame = named_events(data)
    names = ["car", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_days"]
    frame = frame.join(cars[names]).rename(columns={"p_value": "p_t"})
    each = [tested.take([row]) for row in range(len(data.index))]
    for key in SINGLE:
        frame[f"p_{key}"] = [
            inference.TESTS[key].run(TestInput(one.abnormal, window), options).p_value for one in each
        ]
    frame["p_adjusted"] = found["p_adjusted"].to_numpy()
    frame["note"] = procedures.doubts(tested, of_t_alone=adjust != "romano-wolf")
    return frame


class EachEvent(MethodGroup):
    """Each of the fitted events on its own."""

    def by_event(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        adjust: Adjustment = "romano-wolf",
        level: float = 0.95,
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Test each event as a study of its own, such as the announcements about one firm.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        adjust : {"romano-wolf", "holm", "bh"}, default "romano-wolf"
            How p_adjusted allows for the number of events, as for `firm_tests`.
        level : float, default 0.95
            Coverage of the intervals.
        seed, n_resamples
            Of Romano and Wolf's draws.

        Returns
        -------
        DataFrame
            By event_id: security, label (where there are any), day_0, car, se, t, dof, p_t (of the t with
            prediction error), ci_low, ci_high, n_days, p_filtered_sq and p_sq (by rank among the event's own
            past, with and without the volatility of the day before), p_adjusted, which is never below p_t,
            and note. The last says where p_t is too small: residuals are autocorrelated, or the event came in
            a volatile time, for which p_filtered_sq and Romano and Wolf's p_adjusted allow; and where tails
            are too fat for Holm's or Benjamini and Hochberg's p_adjusted.

        See Also
        --------
        firm_tests : the adjusted p-values alone.
        recommended : tests of the mean of the events.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = {"security": "002415.SZ", "date": ["2018-03-23", "2019-05-22"]}
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.by_event(0, 0)[["car", "p_t", "p_filtered_sq"]].round(3).values.tolist()
        [[0.03, 0.173, 0.092], [-0.049, 0.011, 0.048]]
        """
        check_alternative(alternative)
        window = self.fitted.checked_window(start, end)
        options = Options(alternative, n_resamples, seed)
        frame = event_rows(self.fitted, window, adjust, options, checked_level(level))
        return printed(frame, each_view)

    def shrunk(
        self, start: WindowLike = None, end: int | None = None, *, level: float = 0.95
    ) -> pd.DataFrame:
        """Shrink CARs towards their mean, by as much as noise explains their spread: which events were hit.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        level : float, default 0.95
            Coverage of the intervals.

        Returns
        -------
        DataFrame
            By event_id: security, car, se, mean and sd (of the posterior), ci_low, ci_high, prob_negative
            (posterior probability that the effect is below zero) and rank (1 for the lowest mean); NaN
            without a CAR. The attributes ``frame.attrs["common_mean"]`` and ``["common_sd"]`` are the
            posterior means of the mean effect and of the spread of the effects.

        Raises
        ------
        RequestError
            If fewer than three events have a CAR with a standard error.

        Notes
        -----
        Effects are taken as normally distributed about their mean; errors have the prediction-error
        variances and the correlations of `value_change`.

        References
        ----------
        docs/methods/intervals.md, eq. (shrinkage).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> names = ["002415.SZ", "002236.SZ", "000063.SZ", "002230.SZ"]
        >>> news = [{"security": name, "date": "2019-05-22"} for name in names]
        >>> found = es.EventStudy(market, news, window=(-1, 1)).fit().shrunk(0, 1)
        >>> found["rank"].tolist(), bool((found["mean"].abs() < found["car"].abs()).iloc[0])
        ([1.0, 2.0, 4.0, 3.0], True)
        """
        data = self.fitted
        tested = data.test_input(data.checked_window(start, end))
        known = np.asarray(tested.cumulative.variance) > 0
        used = tested.take(known)
        fit = used.abnormal
        se = np.sqrt(used.cumulative.variance)
        related = dependence.correlation_matrix(fit.past.residuals(), fit.past.dates(), used.covered_dates)
        found = procedures.shrink(used.car, np.outer(se, se) * related, checked_level(level))
        frame = data.timeline[["security"]].copy()
        frame["car"], frame["se"] = tested.cumulative.car, np.sqrt(tested.cumulative.variance)
        columns = {
            "mean": found.mean,
            "sd": found.sd,
            "ci_low": found.low,
            "ci_high": found.high,
            "prob_negative": found.prob_negative,
        }
        for name, values in columns.items():
            frame[name] = np.nan
            frame.loc[known, name] = values
        frame["rank"] = frame["mean"].rank()
        frame.attrs = {"common_mean": found.common_mean, "common_sd": found.common_sd}
        return frame

    def credibility(
        self,
        effect: float,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """Say how far a significant CAR of each event can be trusted, if effects are of a plausible size.

        Parameters
        ----------
        effect : float
            Size of an effect that is plausible before the data, such as 0.02; not the estimate.
        start, end : int
            First and last relative day; the headline window by default.
        alpha : float, default 0.05
            Size of the two-sided test.

        Returns
        -------
        DataFrame
            By event_id: security, car, se, power (probability that the test finds an effect of this size),
            type_s (probability that a significant estimate has the wrong sign), type_m (expected size of a
            significant estimate over the effect) and bayes_factor (of a CAR drawn from a normal distribution
            about zero with this standard deviation, against no effect).

        Raises
        ------
        RequestError
            If the effect is zero, or not a number, or alpha is not between 0 and 1.

        References
        ----------
        Gelman and Carlin (2014), Perspectives on Psychological Science 9, 641-651;
        docs/methods/power.md, eqs. (type-s) and (bayes-factor).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.credibility(0.02, 0, 1)[["power", "type_s", "type_m"]].round(2).values.tolist()
        [[0.11, 0.03, 3.32]]
        """
        check_number("effect", effect)
        check_fraction("alpha", alpha)
        if effect == 0:
            raise RequestError("effect is the size of a plausible effect, so it cannot be 0.")
        data = self.fitted
        cars = data.cars(data.checked_window(start, end))
        rows = []
        for car, se, dof in cars[["car", "se", "dof"]].to_numpy():
            if not se > 0:
                rows.append((np.nan,) * 4)
                continue
            odds = procedures.bayes_factor(car, se, dof, abs(effect))
            rows.append((*procedures.exaggeration(effect, se, dof, alpha), odds))
        columns = ["power", "type_s", "type_m", "bayes_factor"]
        frame = data.timeline[["security"]].join(cars[["car", "se"]])
        return frame.join(pd.DataFrame(rows, data.index, columns))
