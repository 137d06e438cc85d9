"""Size of the tests of a causal study on the user's own market, by simulation with placebo events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy._typing import FloatArray
from eventstudy.arguments import check_fraction
from eventstudy.causal.balance import donor_ratio
from eventstudy.causal.cohorts import lay_cohorts
from eventstudy.causal.fitted import fit_cohort
from eventstudy.causal.significance import CAUSAL_TESTS, CausalInput, Outcome
from eventstudy.causal.spec import CausalSpec
from eventstudy.causal.study import CausalStudy
from eventstudy.causal.tables import VOLATILE, checked_tests
from eventstudy.errors import RequestError
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord
from eventstudy.inference import Options
from eventstudy.lab.blocks import fingerprint, random_stream, run_blocks, settled_seed
from eventstudy.lab.placebo_events import (
    Candidates,
    DateCluster,
    as_sample,
    candidates_of,
    date_clusters,
    draw_events,
)
from eventstudy.results.fitted import WindowLike, window_of
from eventstudy.sample import EventSample
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CausalCalibration", "CausalDesign", "calibrate_causal"]

#: Samples computed in one go. Fixed, so that results do not depend on the number of workers.
BLOCK = 20
#: Tests calibrated unless others are asked for.
TESTED = (
    "placebo",
    "conformal_block",
    "conformal_block_scaled",
    "conformal_iid",
    "conformal_iid_scaled",
    "cross_fit_t",
    "cross_fit_t_scaled",
    "placebo_time",
    "date_t",
)


@dataclass(frozen=True)
class CausalDesign(FrozenRecord):
    """A simulation of causal studies: what is drawn and tested.

    Attributes
    ----------
    spec : CausalSpec
        Its events are not those of the samples.
    candidates : Candidates
    episodes : tuple of DateCluster
        How the events of one sample cluster.
    tested : Window
    tests : tuple of str
    n_samples, n_resamples, seed : int
    """

    spec: CausalSpec
    candidates: Candidates
    episodes: tuple[DateCluster, ...]
    tested: Window
    tests: tuple[str, ...]
    n_samples: int
    n_resamples: int
    seed: int

    @property
    def settings(self) -> tuple[object, ...]:
        """What the numbers depend on, besides the market and the candidates."""
        spec = self.spec
        asked = (spec.estimator, spec.donors, spec.exclude, spec.estimation, spec.window)
        least = (spec.min_observations, spec.min_donors)
        return (
            *asked,
            *least,
            self.episodes,
            self.tested,
            self.tests,
            self.n_samples,
            self.n_resamples,
            self.seed,
        )

    def block(self, number: int) -> FloatArray:
        """Return ratio of the donors' errors and p-values of a block of samples, (samples, 1 + tests)."""
        first = number * BLOCK
        return np.array([self.sample(i) for i in range(first, min(first + BLOCK, self.n_samples))])

    def sample(self, number: int) -> list[float]:
        """Draw, fit and test one sample."""
        rng = random_stream(self.seed, number)
        spec = self.spec
        names = np.array(spec.market.returns.columns, dtype=object)
        security, day0 = draw_events(self.candidates, self.episodes, rng)
        sample = as_sample(spec.market, names, spec.estimation, spec.window, security, day0)
        cohorts, _ = lay_cohorts(spec, sample)
        if not cohorts:
            return [np.nan] * (1 + len(self.tests))
        fitted = [fit_cohort(spec, cohort) for cohort in cohorts]
        options = Options(n_resamples=self.n_resamples, seed=int(rng.integers(2**63)))
        data = CausalInput.of(spec, fitted, options)
        values = [float(np.nanmean([donor_ratio(each, self.tested)[1] for each in fitted]))]
        for key in self.tests:
            found = CAUSAL_TESTS[key].compute(data, self.tested, None)
            values.append(found.p_value if isinstance(found, Outcome) else np.nan)
        return values


@dataclass(frozen=True)
class CausalCalibration(FrozenRecord):
    """Rejection rates of the tests of a causal study on placebo events of a market.

    Made by `calibrate`.

    Attributes
    ----------
    design : CausalDesign
    p_values : array, shape (samples, tests)
        NaN where a test does not apply.
    donor_ratio : array, shape (samples,)
        Error of the donors' own synthetic controls in the window over that before it.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(30, 300, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[200]} for name in market.securities[:2]]
    >>> study = es.CausalStudy(market, events, estimation=(-100, -11), window=(0, 1))
    >>> found = es.lab.calibrate(study, n_samples=5, tests=["placebo"], seed=1)
    >>> found.rates()[["test", "days", "n_samples"]].head(1)
          test days  n_samples
    0  placebo  all          5
    """

    design: CausalDesign
    p_values: FloatArray
    donor_ratio: FloatArray

    @property
    def frame(self) -> pd.DataFrame:
        """Rejection rates at 5% with 95% intervals; see `rates`."""
        return self.rates()

    def rates(self, alpha: float = 0.05, coverage: float = 0.95) -> pd.DataFrame:
        """Rejection rates of true nulls, on all days, calm days and volatile ones.

        Parameters
        ----------
        alpha : float, default 0.05
            Nominal size of the tests.
        coverage : float, default 0.95
            Coverage of the Wilson intervals of the rates.

        Returns
        -------
        DataFrame
            One row per test and kind of days ("all"; "volatile" where the donors' errors are more than 1.5
            times those before the event, "calm" elsewhere): n_samples (those in which the test applies),
            n_rejected, rate, ci_low, ci_high, nominal.
        """
        from statsmodels.stats.proportion import proportion_confint

        check_fraction("alpha", alpha)
        check_fraction("coverage", coverage)
        volatile = self.donor_ratio > VOLATILE
        rows = []
        for j, test in enumerate(self.design.tests):
            for days, chosen in (
                ("all", np.ones(len(volatile), bool)),
                ("calm", ~volatile),
                ("volatile", volatile),
            ):
                p = self.p_values[chosen, j]
                p = p[~np.isnan(p)]
                n, rejected = len(p), int((p <= alpha).sum())
                low, high = proportion_confint(rejected, max(n, 1), alpha=1 - coverage, method="wilson")
                # Of a rate of 0 or 1 the bound is that rate, which rounding may miss.
                numbers = (
                    (rejected / n, min(low, rejected / n), max(high, rejected / n)) if n else (np.nan,) * 3
                )
                rows.append((test, days, n, rejected, *numbers, alpha))
        columns = ["test", "days", "n_samples", "n_rejected", "rate", "ci_low", "ci_high", "nominal"]
        return pd.DataFrame(rows, columns=columns)

    def size(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rejection rates, tests × days; the nominal size is `alpha`."""
        table = self.rates(alpha).pivot(index="test", columns="days", values="rate")
        return table.loc[list(self.design.tests), ["all", "calm", "volatile"]]

    def plot(self, *, days: str = "all", alpha: float = 0.05, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Rejection rate of a true null by test, with its interval, against the nominal size.

        Further keyword arguments are those of `plot_size`.
        """
        frame = self.rates(alpha)
        if days not in set(frame["days"]):
            raise RequestError(f"days is one of all, calm, volatile; got {days!r}.")
        frame = frame[(frame["days"] == days) & (frame["n_samples"] > 0)]
        return plotting.plot_size(frame, ax, alpha=alpha, **({"title": f"Size, {days} days"} | kwargs))

    def __repr__(self) -> str:
        design = self.design
        n = sum(count for episode in design.episodes for _, count in episode)
        return (
            f"CausalCalibration: {plural(design.n_samples, 'sample')} of {plural(n, 'event')}, "
            f"{design.spec.estimator.label}, window {design.tested}, {len(design.tests)} tests"
        )


def calibrate_causal(
    study: CausalStudy,
    start: WindowLike,
    end: int | None,
    *,
    n_samples: int,
    tests: Sequence[str] | None,
    avoid: Events | None,
    n_resamples: int,
    seed: int | np.random.Generator | None,
    n_jobs: int | None,
    checkpoint: str | PathLike[str] | None,
) -> CausalCalibration:
    """Calibrate the tests of a causal study; see `calibrate`."""
    spec = study.spec
    tested = window_of(spec.window, start, end)
    if 0 not in tested:
        raise RequestError(f"The tested window {tested} must hold day 0.")
    own = EventSample.of(spec.market, spec.events, spec.estimation, spec.window)
    if not len(own):
        raise RequestError(
            "No event of the study can be placed, so its design cannot be copied; see study.fit()."
        )
    candidates = candidates_of(spec.market, spec.estimation, spec.window, spec.window, spec.min_observations)
    candidates = candidates.without(own, spec.window)
    if avoid is not None:
        others = EventSample.of(spec.market, avoid, spec.estimation, spec.window)
        candidates = candidates.without(others, spec.window)
    design = CausalDesign(
        spec=spec,
        candidates=candidates,
        episodes=date_clusters(own.day0, len(spec.window)),
        tested=tested,
        tests=tuple(TESTED if tests is None else checked_tests(tests)),
        n_samples=int(n_samples),
        n_resamples=n_resamples,
        seed=settled_seed(seed),
    )
    design.sample(0)  # an impossible design raises here, not in a worker
    blocks = run_blocks(
        design.block,
        -(-design.n_samples // BLOCK),
        name="Calibration",
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        identity="" if checkpoint is None else fingerprint(spec.market, design.settings),
    )
    values = np.concatenate(blocks)
    return CausalCalibration(design, values[:, 1:], values[:, 0])
