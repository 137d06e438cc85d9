"""Significance tests of a study: results, intervals, recommendation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy.arguments import check_sequence
from eventstudy.errors import RequestError
from eventstudy.inference import procedures
from eventstudy.inference.base import Alternative, Options, TestInput, Weights, check_alternative
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.results import averages
from eventstudy.results.each_event import one_security
from eventstudy.results.fitted import (
    FittedEvents,
    MethodGroup,
    WindowLike,
    Windows,
    are_several,
    checked_level,
    refuse_undated,
)
from eventstudy.results.views import recommended_view, tests_view
from eventstudy.tables import printed
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.inference import Clustering, JointTest
    from eventstudy.inference.procedures import Adjustment, Calibrated, IntervalMethod

__all__ = ["Significance", "recommended_tests"]


def recommended_tests(
    fitted: FittedEvents,
    window: Window,
    alternative: Alternative = "two-sided",
    calibration: Calibrated | None = None,
) -> pd.DataFrame:
    """List and run the tests that suit a design; see `Significance.recommended`."""
    data = fitted.test_input(window)
    chosen = inference.recommend(data)
    if len(chosen) and one_security(fitted):
        joint = (
            f"all {len(fitted.index)} events are of one security: results.by_event() tests each on "
            "its own, and this is the joint question, whether they moved it on average"
        )
        first, *others = chosen["reason"].tolist()
        chosen["reason"] = [f"{joint}; {first}", *others]
    if calibration is not None:
        chosen = procedures.recalibrate(data, chosen, calibration, fitted.model_label)
    done = inference.run_tests(data, list(chosen["test"]), Options(alternative, seed=0)).set_index("test")
    for key, told in procedures.disagreement(
        dict(zip(chosen["test"], done["p_value"], strict=True)), data
    ).items():
        note = str(done.loc[key, "note"])
        done.loc[key, "note"] = f"{told}; {note}" if note else told
    return chosen.join(done[["statistic", "p_value", "note"]], on="test")


class Significance(MethodGroup):
    """Significance tests of fitted events."""

    def test(
        self,
        start: Windows = None,
        end: int | None = None,
        *,
        tests: str | SignificanceTest | Sequence[str | SignificanceTest] | None = None,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
        wild_weights: Weights = "rademacher",
        wild_by: Literal["date", "event"] = "date",
        by: str | None = None,
        against: Significance | None = None,
    ) -> pd.DataFrame:
        """Significance tests of the abnormal returns in a window, one row per test.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default. A list of windows,
            ``[(0, 0), (-1, 1)]``, gives the rows of each, below each other.
        tests : str, SignificanceTest or list of these, optional
            Test keys, or tests of your own; all tests of the library by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        seed : int or Generator, default 0
            Randomness of resampling tests.
        n_resamples : int, default 999
        wild_weights : {"rademacher", "mammen"}, default "rademacher"
            Weights of the wild bootstrap: signs, which suit symmetric CARs, or Mammen's, which keep skewness.
        wild_by : {"date", "event"}, default "date"
            Whether the events of a date share a weight, or each event has its own and counts as independent.
        by : str, optional
            Column of the events, such as ``"group"``: the tests of each group's events, and of the
            difference of each two groups.
        against : EventStudyResults, optional
            Control events on the same dates: tests of treated minus controls, in which a shock common to
            all firms of a date cancels.

        Returns
        -------
        DataFrame
            window (of a list of them), test, statistic, distribution, dof, p_value, estimate, n_events, null,
            robust_to, reference, applicable, note. A test that does not apply is a row which says why. With
            `by` a column group comes first; differences are rows of group ``"A - B"``: a long-short portfolio
            where both groups have the same dates, else the difference measured by the past of each date and
            Welch's t of the dates' mean standardised CARs. With `against` the rows are
            difference_portfolio, difference_dates and difference_permutation.

        Raises
        ------
        RequestError
            If a test, a column or the side is unknown, an event has no group, or a treated event
            serves as its own control.

        See Also
        --------
        recommended : the tests that suit this design.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.test(0, 1, tests=["bmp", "t"])[["test", "p_value", "applicable"]].round(4)
          test  p_value  applicable
        0  bmp   0.1391        True
        1    t      NaN       False
        """
        asked = [tests] if isinstance(tests, str | SignificanceTest) else tests
        options = Options(alternative, n_resamples, seed, wild_weights, wild_by)
        if not are_several(start):
            window = self.fitted.checked_window(start, end)
            return printed(self._tested(window, asked, options, by, against), tests_view)
        options = options.settled()
        parts = []
        for window in self.fitted.checked_windows(start, end):
            part = self._tested(window, asked, options, by, against)
            part.insert(0, "window", str(window))
            parts.append(part)
        return printed(pd.concat(parts, ignore_index=True), tests_view)

    def _tested(
        self,
        window: Window,
        tests: Sequence[str | SignificanceTest] | None,
        options: Options,
        by: str | None,
        against: Significance | None,
    ) -> pd.DataFrame:
        if against is not None:
            if by is not None or tests is not None:
                raise RequestError("against= has its own tests: leave out tests= and by=.")
            controls = self._controls(against)
            return procedures.treated_vs_controls(
                self.fitted.test_input(window), controls.test_input(controls.checked_window(window)), options
            )
        if by is not None:
            return self._by_group(by, window, tests, options)
        frame = inference.run_tests(self.fitted.test_input(window), tests, options)
        told = averages.days_note(self.fitted, window)
        if told:
            notes = zip(frame["note"], frame["applicable"], strict=True)
            frame["note"] = ["; ".join(filter(None, [note, told])) if ran else note for note, ran in notes]
        return frame

    def _by_group(
        self, by: str, window: Window, tests: Sequence[str | SignificanceTest] | None, options: Options
    ) -> pd.DataFrame:
        options = options.settled()
        inputs = self._inputs_by(by, window)
        parts = [(name, inference.run_tests(data, tests, options)) for name, data in inputs.items()]
        for a, b in combinations(inputs, 2):
            parts.append(
                (f"{a} - {b}", procedures.as_frame(procedures.difference(inputs[a], inputs[b], options)))
            )
        for name, frame in parts:
            frame.insert(0, "group", [name] * len(frame))
        return pd.concat([frame for _, frame in parts], ignore_index=True)

    def _inputs_by(self, by: str, window: Window) -> dict[Any, TestInput]:
        """Return what the tests see of each group."""
        return {name: TestInput(part, window) for name, part in self.fitted.by_group(by).items()}

    def _controls(self, against: Significance) -> FittedEvents:
        if not isinstance(against, Significance):
            raise RequestError(
                "against= takes the results of a study of control events, "
                f"EventStudy(...).fit(); got {type(against).__name__}."
            )
        refuse_undated(self.fitted.undated or against.fitted.undated, "against=")
        own, other = (
            set(zip(s["security"], s["day_0"], strict=True))
            for s in (self.fitted.timeline, against.fitted.timeline)
        )
        if own & other:
            security, day = min(own & other)
            raise RequestError(
                f"Treated events are controls too: {len(own & other)}, such as {security} on "
                f"{day:%Y-%m-%d}. Remove the treated events from the controls."
            )
        return against.fitted

    def intervals(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        methods: Sequence[IntervalMethod] = ("t", "conformal", "bootstrap_t"),
        level: float = 0.95,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Intervals of the CAR of each event, with and without the assumption of a normal distribution.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        methods : sequence of {"t", "conformal", "bootstrap_t"}
            The t with prediction error, as in `car`; the CARs that the conformal test, which fits the
            model again with the event in the sample, does not reject; the residual bootstrap.
        level : float, default 0.95
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            An interval of one side is infinite on the other.
        seed : int or Generator, default 0
        n_resamples : int, default 999

        Returns
        -------
        DataFrame
            By event_id and method: car, ci_low, ci_high, note.

        Raises
        ------
        RequestError
            If a method is unknown.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.intervals(0, 0, seed=1).round(3)
                                car  ci_low  ci_high note
        event_id method
        0        t           -0.049  -0.087   -0.012
                 conformal   -0.049  -0.087   -0.010
                 bootstrap_t -0.049  -0.087   -0.014
        """
        data = self.fitted.test_input(self.fitted.checked_window(start, end))
        options = Options(alternative, n_resamples, seed)
        frame = procedures.event_intervals(data, methods, checked_level(level), options)
        ids = self.fitted.index[frame.pop("event").to_numpy()]
        return frame.set_axis(pd.Index(ids, name=self.fitted.index.name), axis=0).set_index(
            "method", append=True
        )

    def mean_intervals(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        methods: Sequence[str] | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 1999,
    ) -> pd.DataFrame:
        """Intervals of the mean CAR, with and without the assumption of a normal distribution.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        methods : sequence of str, optional
            "bca", the bias-corrected and accelerated bootstrap of the events, whole dates at a time; and
            tests whose standard error to use, as for `caar`. By default that of `caar` and "bca".
        level : float, default 0.95
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            An interval of one side is infinite on the other.
        seed : int or Generator, default 0
        n_resamples : int, default 1999

        Returns
        -------
        DataFrame
            By method: caar, ci_low, ci_high, note. NaN with the reason in the note where a method does not
            apply.

        Raises
        ------
        RequestError
            If a method is unknown.

        Notes
        -----
        "bca" follows skewed CARs, and needs many events: its 95% interval of normally distributed CARs
        covers 83% with 5 events, 88% with 10 and 94% with 50. It needs five dates at least.

        References
        ----------
        Efron (1987), Journal of the American Statistical Association 82, 171-185; docs/methods/intervals.md,
        eq. (bca).

        Examples
        --------
        >>> import eventstudy as es
        >>> world = es.lab.simulate_market(60, 400, n_events=12, effect=-0.02, seed=6)
        >>> results = es.EventStudy(world.market, world.truth.events, window=(-1, 1)).fit()
        >>> results.mean_intervals(0, 0)[["caar", "ci_low", "ci_high"]].round(3)
                          caar  ci_low  ci_high
        method
        cross_sectional -0.011  -0.029    0.007
        bca             -0.011  -0.027    0.003
        """
        data = self.fitted.test_input(self.fitted.checked_window(start, end))
        options = Options(alternative, n_resamples, seed)
        return procedures.mean_intervals(data, methods, checked_level(level), options).set_index("method")

    def firm_tests(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        adjust: Adjustment = "romano-wolf",
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Test each event on its own, adjusted for the number of events: which firms were hit.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        adjust : {"romano-wolf", "holm", "bh"}, default "romano-wolf"
            Romano and Wolf's step-down bounds the probability of any false rejection, by residual
            vectors drawn jointly, so correlated firms on the same date cost less, and fat tails do not
            mislead it. Holm's does so under any dependence, and Benjamini and Hochberg's bounds the share of
            false rejections, if p-values hold far in the tails. Those of t do not where returns have fat
            tails: of 20 firms with t(4) errors Holm's then rejects one in 26% of samples, not 5%.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        seed : int or Generator, default 0
            Randomness of Romano and Wolf's draws.
        n_resamples : int, default 999

        Returns
        -------
        DataFrame
            By event_id: security, car, se, t, dof, p_value (of the t with prediction error), p_adjusted and
            note, which says where p_value (p_t in `by_event`) is too small.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.firm_tests(0, 1, adjust="holm")[["car", "p_value", "p_adjusted"]].round(4)
                     car  p_value  p_adjusted
        event_id
        0        -0.0755   0.0057      0.0115
        1        -0.0566   0.0771      0.0771
        """
        data = self.fitted.test_input(self.fitted.checked_window(start, end))
        frame = procedures.firm_tests(data, adjust, Options(alternative, n_resamples, seed)).set_axis(
            self.fitted.index
        )
        frame.insert(0, "security", self.fitted.timeline["security"])
        frame["note"] = procedures.doubts(data, of_t_alone=adjust != "romano-wolf")
        return frame

    def window_tests(
        self,
        windows: Sequence[WindowLike],
        *,
        adjust: Adjustment = "romano-wolf",
        test: str | None = None,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Test the mean CAR of several windows, adjusted for the number of windows.

        Parameters
        ----------
        windows : sequence of (int, int)
            First and last relative day of each.
        adjust : {"romano-wolf", "holm", "bh"}, default "romano-wolf"
            As for `firm_tests`; Romano and Wolf's draws keep the days that windows share.
        test : str, optional
            With "holm" or "bh", the test whose p-values are adjusted, such as ``"adjusted_bmp"``; by default
            the BMP t of five events or more (adjusted where they share dates), and of fewer the mean CAR over
            its own past, compared with draws of residual vectors.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        seed : int or Generator, default 0
        n_resamples : int, default 999

        Returns
        -------
        DataFrame
            By window: n_events, caar, statistic, p_value, p_adjusted and note.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> found = results.window_tests([(0, 0), (0, 1)], adjust="holm", test="portfolio")
        >>> found[["statistic", "p_value", "p_adjusted"]].round(4)
                 statistic  p_value  p_adjusted
        window
        (0, 0)     -2.7151   0.0072      0.0143
        (0, +1)    -2.5317   0.0121      0.0143
        """
        given = check_sequence("windows", windows, "windows, such as [(0, 0), (-1, 1)]")
        tested = [self.fitted.checked_window(window) for window in given]
        if not tested:
            raise RequestError("window_tests needs windows, such as [(0, 0), (-1, 1)].")
        options = Options(alternative, n_resamples, seed)
        frame = procedures.window_tests([self.fitted.test_input(w) for w in tested], adjust, options, test)
        return frame.set_axis(pd.Index([str(w) for w in tested], name="window"), axis=0)

    def group_tests(
        self,
        by: str,
        start: WindowLike = None,
        end: int | None = None,
        *,
        adjust: Adjustment = "romano-wolf",
        test: str | None = None,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Test the mean CAR of each group of events, adjusted for the number of groups.

        Parameters
        ----------
        by : str
            Column of the events, such as ``"group"``.
        start, end : int
            First and last relative day; the headline window by default.
        adjust, test, alternative, seed, n_resamples
            As for `window_tests`; groups of one date keep their correlation.

        Returns
        -------
        DataFrame
            By group: n_events, caar, statistic, p_value, p_adjusted and note.

        See Also
        --------
        test : with `by`, all tests of each group and of their differences.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "002583.SZ"]
        >>> news = {"security": names, "date": "2019-05-22", "makes": ["camera", "camera", "else", "else"]}
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> found = results.group_tests("makes", 0, 1, adjust="holm", test="bmp")
        >>> found[["n_events", "caar", "p_adjusted"]].round(4)
                n_events    caar  p_adjusted
        makes
        camera         2 -0.0660      0.2782
        else           2 -0.0295      0.2782
        """
        options = Options(alternative, n_resamples, seed)
        inputs = self._inputs_by(by, self.fitted.checked_window(start, end))
        return procedures.group_tests(inputs, adjust, options, test).rename_axis(by)

    def variance_tests(
        self,
        by: str,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        """Test whether the event made the returns of one group more volatile than those of another.

        Parameters
        ----------
        by : str
            Column of the events.
        start, end : int
            First and last relative day; the headline window by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            ``"greater"`` finds that the first group of a pair spreads more.

        Returns
        -------
        DataFrame
            One row per pair of groups, as of `test`: the t of Brown and Forsythe on standardised CARs, and
            the standard deviations of both in the note.

        Raises
        ------
        RequestError
            If there is no such column, or one group only.

        References
        ----------
        Brown and Forsythe (1974), Journal of the American Statistical Association 69, 364-367;
        docs/methods/groups.md, eq. (difference-variance).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]
        >>> groups = {"security": names, "date": "2019-05-22", "makes": ["cameras"] * 3 + ["else"] * 3}
        >>> results = es.EventStudy(market, groups, window=(-1, 1)).fit()
        >>> results.variance_tests("makes", 0, 0)["p_value"].round(2).tolist()
        [0.43]
        """
        check_alternative(alternative)
        inputs = self._inputs_by(by, self.fitted.checked_window(start, end))
        if len(inputs) < 2:
            raise RequestError(f"Column {by!r} has one group, so there is no pair to compare.")
        pairs = list(combinations(inputs, 2))
        options = Options(alternative)
        frame = procedures.as_frame(
            [procedures.variance_difference(inputs[a], inputs[b], options) for a, b in pairs]
        )
        frame.insert(0, "group", [f"{a} - {b}" for a, b in pairs])
        return printed(frame, tests_view)

    def joint_test(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = 0,
        n_resamples: int = 999,
    ) -> JointTest:
        """Test whether any event of one common date has an effect, and whether their mean has.

        The multivariate regression of all events with a dummy for each tested day: F of all
        effects, and t of their mean, which equals the portfolio t. The alternative is that of the mean. The
        resampled p-values do without normally distributed errors: prefer them.

        Raises
        ------
        RequestError
            If there is more than one date, or more events than residual degrees of freedom.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> joint = results.joint_test(0, 1)
        >>> round(joint.p_value, 4)
        0.0216
        """
        data = self.fitted.test_input(self.fitted.checked_window(start, end))
        return inference.joint_test(data, alternative, n_resamples, seed)

    def recommended(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        calibration: Calibrated | None = None,
    ) -> pd.DataFrame:
        """List the tests that suit this design (number of events, clustering, window), and why.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        calibration : lab.Calibration, optional
            A simulation of this very design on the user's market, ``es.lab.calibrate(like=results)``: tests
            that hold their size in it come first, those that do not come last and say so.

        Returns
        -------
        DataFrame
            test, reason, statistic, p_value, note; the headline test first. Resampling
            tests draw from seed 0, so the table is the same each time. Where the two kinds of tests for
            one common date disagree, the note says what that means. With a calibration also
            size, size_low, size_high (simulated rejection rate at 5% with its interval) and
            well_specified.

        Raises
        ------
        RequestError
            If the calibration is of another design.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.recommended(0, 0)[["test", "p_value"]].round(4)
                  test  p_value
        0           sq   0.0360
        1  filtered_sq   0.0478
        2    conformal   0.0360
        3            t   0.0105
        """
        window = self.fitted.checked_window(start, end)
        frame = recommended_tests(self.fitted, window, alternative, calibration)
        none = procedures.none_recommended(self.fitted.test_input(window)) if frame.empty else ""
        return printed(frame, partial(recommended_view, none=none))

    def clustering(self, start: WindowLike = None, end: int | None = None) -> Clustering:
        """How strongly the events depend on each other: dates, overlaps, mean correlation, effective N.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> found = results.clustering(0, 1)
        >>> round(found.mean_correlation, 2), round(found.effective_n, 1)
        (0.57, 1.3)
        """
        return inference.clustering(self.fitted.test_input(self.fitted.checked_window(start, end)))
