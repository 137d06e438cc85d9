"""CausalResults: effects by day, their sums and inference, and what the counterfactual is made of."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.arguments import check_fraction, check_whole
from eventstudy.causal import balance, report, robustness, tables
from eventstudy.causal.estimates import CausalEstimates
from eventstudy.causal.fitted import FittedCohort
from eventstudy.causal.plot import CausalPlotter
from eventstudy.causal.significance import CAUSAL_TESTS, CausalInput, Outcome
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import RequestError
from eventstudy.inference.base import Options
from eventstudy.results.data_warnings import suspects_in
from eventstudy.results.fitted import WindowLike
from eventstudy.sample import EventSample
from eventstudy.tables import Table
from eventstudy.windows import Window

__all__ = ["CausalResults"]


class CausalResults(CausalEstimates):
    """Effects of a `CausalStudy`, with the evidence for and against them.

    Attributes
    ----------
    spec : CausalSpec
        What was asked.
    sample : EventSample
        The events that could be used.
    cohorts : tuple of FittedCohort
        Fit of each date.

    Notes
    -----
    Returns are simple, decimals, and effects are added up. `effects` are means over the events, by day;
    `catt` is their sum over a window, `average` their mean. Packages differ: synthdid and gsynth report the
    average.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> results = es.CausalStudy(market, events, window=(0, 2)).fit()
    >>> results.effects["effect"].round(3).tolist()
    [-0.015, -0.015, -0.02]
    """

    def __init__(self, spec: CausalSpec, sample: EventSample, cohorts: tuple[FittedCohort, ...]) -> None:
        super().__init__(spec, sample, cohorts)
        self._inputs: dict[tuple[int, object], CausalInput] = {}

    def _repr_html_(self) -> str:
        return self.summary().to_html()

    @property
    def effects(self) -> pd.DataFrame:
        """Mean effect by relative day, with the first recommended inference (seed 0); see `day_effects`."""
        return self.day_effects()

    @property
    def suspects(self) -> pd.DataFrame:
        """Data in the windows of the treated that may be wrong; as `EventStudyResults.suspects`."""
        return suspects_in(self.sample, benchmark=False)

    def day_effects(
        self, test: str | None = None, *, level: float = 0.95, n_draws: int = 199, seed: int | None = 0
    ) -> pd.DataFrame:
        """Mean effect of each day of the window.

        Parameters
        ----------
        test : str, optional
            Key of the test that gives error, interval and p-value; by default the first recommended one.
        level : float, default 0.95
        n_draws, seed : int
            As for `test`.

        Returns
        -------
        DataFrame
            By relative day: effect, se, ci_low, ci_high, p_value, n_events, test. Days are tested one by one.
        """
        key = self._chosen(self.spec.window, test)
        return tables.daily_effects(self, self._input(n_draws, seed), key, _checked_level(level))

    def catt(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        test: str | None = None,
        level: float = 0.95,
        n_draws: int = 199,
        seed: int | None = 0,
    ) -> pd.DataFrame:
        """Cumulative effect on the treated: the sum of the mean effects over a window.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window, (0, +1), by default.
        test : str, optional
            Key of the test that gives error, interval and p-value; by default the first recommended one.
        level : float, default 0.95
        n_draws, seed : int
            As for `test`.

        Returns
        -------
        DataFrame
            One row, indexed by the window: catt, se, ci_low, ci_high, p_value, n_days (with an effect),
            n_events, n_dates, test.
        """
        return self._total("catt", start, end, test, level, n_draws, seed)

    def average(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        test: str | None = None,
        level: float = 0.95,
        n_draws: int = 199,
        seed: int | None = 0,
    ) -> pd.DataFrame:
        """Average effect per day over a window: `catt` over the number of days with an effect."""
        return self._total("average", start, end, test, level, n_draws, seed)

    def _total(
        self,
        name: str,
        start: WindowLike,
        end: int | None,
        test: str | None,
        level: float,
        n_draws: int,
        seed: int | None,
    ) -> pd.DataFrame:
        window = self.window(start, end)
        key = self._chosen(window, test)
        data = self._input(n_draws, seed)
        columns = data.columns(window)
        n = len(columns)
        scale = 1.0 if name == "catt" else 1.0 / n
        found = CAUSAL_TESTS[key].compute(data, window, _checked_level(level)) if key else ""
        row = {name: float(self._path.gap[columns].sum()) * scale}
        numbers = (np.nan,) * 4
        if isinstance(found, Outcome):
            numbers = (found.se * scale, found.low * scale, found.high * scale, found.p_value)
            if not np.isnan(found.estimate):
                row[name] = found.estimate * scale
        row |= dict(zip(("se", "ci_low", "ci_high", "p_value"), numbers, strict=True))
        return pd.DataFrame(
            [row | {"n_days": n, "n_events": len(self.sample), "n_dates": self.n_dates, "test": key}],
            index=pd.Index([str(window)], name="window"),
        )

    def placebos(self, *, n_draws: int = 199, seed: int | None = 0) -> pd.DataFrame:
        """Effects of placebos in space: donors treated as if the event were theirs.

        One treated firm on one date has each donor once; otherwise groups of the size of each cohort are
        drawn at its date.

        Parameters
        ----------
        n_draws : int, default 199
        seed : int, default 0

        Returns
        -------
        DataFrame
            Tidy: placebo (a donor, or a draw), day, gap, pre_rmse (root mean square before the event).

        Raises
        ------
        RequestError
            If the donors are too few.
        """
        drawn = self._input(n_draws, seed).placebos
        if isinstance(drawn, str):
            raise RequestError(f"There are no placebos: {drawn}.")
        b, n = drawn.gap.shape
        return pd.DataFrame(
            {
                "placebo": np.repeat(np.array(drawn.labels, dtype=object), n),
                "day": np.tile(self._path.days, b),
                "gap": drawn.gap.ravel(),
                "pre_rmse": np.repeat(drawn.rmse, n),
            }
        )

    def test(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        tests: Sequence[str] | None = None,
        level: float = 0.95,
        n_draws: int = 199,
        seed: int | None = 0,
    ) -> pd.DataFrame:
        """Test that the effects of a window sum to zero.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window, (0, +1), by default.
        tests : sequence of str, optional
            Keys out of ``causal.CAUSAL_TESTS``; all by default.
        level : float, default 0.95
            Coverage of the intervals.
        n_draws : int, default 199
            Placebo groups, permutations and bootstrap draws, where they are drawn.
        seed : int, default 0

        Returns
        -------
        DataFrame
            By test: title, statistic, distribution, dof, p_value, estimate (sum over the window), se, ci_low,
            ci_high, n_events, n_dates, null, robust_to, reference, applicable, note.
        """
        window = self.window(start, end)
        data = self._input(n_draws, seed)
        keys = tables.checked_tests(tests)
        return tables.test_table(data, window, keys, _checked_level(level))

    def recommended(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """List the tests that this design allows, the best first.

        Returns
        -------
        DataFrame
            Columns test, reason. Empty where no test has enough dates, donors or days.
        """
        return tables.recommended(self._input(199, 0), self.window(start, end))

    def diagnostics(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        r"""Tell of each date how well the counterfactual fits, and whether the day was calm.

        Returns
        -------
        DataFrame
            By date: n_events, n_donors, n_days (before the event), pre_rmse, donor_pre_rmse (median
            of the donors' own synthetic controls), donor_ratio (their error in the window over that before
            it; above 1.5 the days were volatile for everyone), effective_donors (:math:`1/\sum w^2`),
            largest_weight, beta_on, beta, beta_counterfactual, beta_low, beta_high (range of the donors),
            inside (whether the treated's beta lies in it), kkt, unique, chosen (number of factors, or
            penalty). Betas are on the benchmark, or the mean donor where the market has none.
        """
        return balance.diagnostics(self.spec, self.cohorts, self.window(start, end))

    def leave_one_out(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """Effect without each donor that has weight, the one that matters most first.

        Returns
        -------
        DataFrame
            By donor: weight (largest in absolute value over the dates), catt, change.
        """
        return robustness.leave_one_out(self.spec, self.cohorts, self.window(start, end))

    def pseudo_dates(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """Effects on pseudo-dates before the event, where there should be none.

        Returns
        -------
        DataFrame
            By pseudo-window: days_before (used estimation days from its start to the end of the
            estimation window), catt, pre_rmse.
        """
        return robustness.pseudo_dates(self.spec, self.cohorts, self.window(start, end))

    def spillover(
        self,
        exposure: pd.Series[float] | dict[str, float] | None = None,
        start: WindowLike = None,
        end: int | None = None,
    ) -> pd.DataFrame:
        """Split the donors by exposure to the treated, and estimate with each half.

        If the news spreads to exposed donors, their half gives a smaller effect, and they themselves move
        against the other half.

        Parameters
        ----------
        exposure : Series or mapping of security to number, optional
            Such as sales to the treated; donors it does not name have exposure 0. By default the correlation
            of returns with the treated before the event, both less the mean donor.
        start, end : int

        Returns
        -------
        DataFrame
            By half ("all", "less exposed", "more exposed"): n_donors (smallest of the dates), pre_rmse, catt,
            donors_move (of the half's mean against the mean of the other, less their gap before the event).
        """
        return robustness.spillover(self.spec, self.cohorts, self.window(start, end), exposure)

    def summary(self, start: WindowLike = None, end: int | None = None) -> Table:
        """Design, effects, recommended tests and fit of the study as one table."""
        window = self.window(start, end)
        return tables.summary(self, self._input(199, 0), window)

    def report(
        self,
        path: str | PathLike[str],
        start: WindowLike = None,
        end: int | None = None,
        *,
        question: str | None = None,
    ) -> Path:
        """Write the study as one HTML page that needs no network.

        Parameters
        ----------
        path : path
            File to write; one that exists is replaced.
        start, end : int, optional
            Window of the headline effect; (0, +1) by default.
        question : str, optional
            What was asked, in words.

        Returns
        -------
        pathlib.Path
        """
        target = Path(path)
        window = self.window(start, end)
        text = report.page(self, self._input(199, 0), self.plot, window, question)
        target.write_text(text, encoding="utf-8")
        return target

    @property
    def plot(self) -> CausalPlotter:
        """Figures of the study."""
        return CausalPlotter(self, self._input(199, 0))

    def _chosen(self, window: Window, test: str | None) -> str:
        """Key of the test asked for, or of the first recommended one; empty where there is none."""
        if test is not None:
            return tables.checked_tests([test])[0]
        found = tables.recommended(self._input(199, 0), window)
        return str(found["test"].iloc[0]) if len(found) else ""

    def _input(self, n_draws: int, seed: int | None) -> CausalInput:
        check_whole("n_draws", n_draws, 1)
        options = Options(n_resamples=n_draws, seed=seed).settled()
        if seed is None:
            return CausalInput.of(self.spec, self.cohorts, options)
        key = (int(n_draws), options.seed)
        if key not in self._inputs:
            self._inputs[key] = CausalInput.of(self.spec, self.cohorts, options)
        return self._inputs[key]


def _checked_level(level: float) -> float:
    check_fraction("level", level)
    return float(level)
