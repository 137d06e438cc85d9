"""Design of a simulation with placebo events, and the computation of one sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns, abnormal_returns, gap_windows
from eventstudy.immutable import FrozenRecord
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.base import Alternative
from eventstudy.inference.calendar_time import CALENDAR_TESTS
from eventstudy.inference.cross_section import PARAMETRIC_TESTS
from eventstudy.inference.few_dates import DATE_TESTS
from eventstudy.inference.filtered_bmp import FILTERED_BMP_TESTS
from eventstudy.inference.filtered_quantile import FILTERED_TESTS
from eventstudy.inference.filtered_rank import FILTERED_RANK_TESTS
from eventstudy.inference.portfolio import PORTFOLIO_TESTS
from eventstudy.inference.ranks import RANK_TESTS
from eventstudy.inference.signs import SIGN_TESTS
from eventstudy.inference.single_event import SINGLE_TESTS
from eventstudy.lab.blocks import random_stream
from eventstudy.lab.placebo_events import Candidates, DateCluster, NamedColumns, as_sample, draw_events
from eventstudy.lab.sample_tests import SampleTests, apart, block_size, parts
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.sample import EventArrays, EventSample
from eventstudy.windows import Window

__all__ = ["Design", "abnormal_of", "closed_tests", "inject_effect"]


#: Securities and days 0 of a sample, what its events name, and its generator.
Drawn = tuple[IntArray, IntArray, NamedColumns, np.random.Generator]
#: Tests whose p-value is a formula or a rank: those calibrated unless others are asked for.
SEVERAL = (
    PARAMETRIC_TESTS,
    PORTFOLIO_TESTS,
    CALENDAR_TESTS,
    SIGN_TESTS,
    RANK_TESTS,
    FILTERED_TESTS,
    FILTERED_BMP_TESTS,
    FILTERED_RANK_TESTS,
    DATE_TESTS,
)


def closed_tests(n_events: int) -> list[str]:
    """Keys of the tests of `n_events` events whose p-value is a formula or a rank."""
    families = (SINGLE_TESTS, FILTERED_TESTS) if n_events == 1 else SEVERAL
    closed = {test.key for family in families for test in family}
    return [key for key in TESTS if key in closed]


@dataclass(frozen=True)
class Design(FrozenRecord):
    """A simulation: what is drawn, measured and tested.

    Attributes
    ----------
    market : Market
    names : array of str, shape (S,)
        Securities of the rows of the market's arrays.
    candidates : Candidates
    clusters : tuple of DateCluster
        How the events of one sample cluster.
    estimation, window, tested : Window
    min_observations : int
    models : tuple of (str, NormalReturnModel)
    tests : tuple of str
    shift, variance : tuple of float
    n_samples, seed, n_resamples : int
    named : tuple of (str, tuple)
        What the events of the copied study name to be measured against; dealt out anew in each sample.
    alternative : {"two-sided", "less", "greater"}
    """

    market: Market
    names: npt.NDArray[np.object_]
    candidates: Candidates
    clusters: tuple[DateCluster, ...]
    estimation: Window
    window: Window
    tested: Window
    min_observations: int
    models: tuple[tuple[str, NormalReturnModel], ...]
    tests: tuple[str, ...]
    shift: tuple[float, ...]
    variance: tuple[float, ...]
    n_samples: int
    seed: int
    n_resamples: int
    named: NamedColumns = ()
    alternative: Alternative = "two-sided"

    @property
    def n_events(self) -> int:
        """Number of events of one sample."""
        return sum(n for cluster in self.clusters for _, n in cluster)

    @property
    def n_dates(self) -> int:
        """Number of dates of one sample; those of a market with too few are drawn more than once."""
        forms = dict.fromkeys(self.clusters)
        there = {form: len(self.candidates.starts(form)) for form in forms}
        return sum(len(form) * min(self.clusters.count(form), there[form]) for form in forms)

    @property
    def n_blocks(self) -> int:
        """Number of blocks that `p_values` computes."""
        return -(-self.n_samples // block_size(self.n_events))

    @property
    def settings(self) -> tuple[object, ...]:
        """What identifies the simulation, beside the data of the market."""
        return (
            self.clusters, self.estimation, self.window, self.tested, self.min_observations, self.models,
            self.tests, self.shift, self.variance, self.n_samples, self.seed, self.n_resamples,
            hashlib.sha256(self.candidates.usable.tobytes()).hexdigest(), self.named, self.alternative,
            block_size(self.n_events),
        )  # fmt: skip

    def sample(self, number: int) -> tuple[EventSample, np.random.Generator]:
        """Draw the events of one sample; also return its generator, for what is random after that."""
        drawn = self._draw(number)
        return self._sample([drawn]), drawn[-1]

    def _draw(self, number: int) -> Drawn:
        rng = random_stream(self.seed, number)
        security, day0 = draw_events(self.candidates, self.clusters, rng)
        named = self.named
        if named:
            dealt = rng.permutation(self.n_events).tolist()
            named = tuple((column, tuple(values[i] for i in dealt)) for column, values in named)
        return security, day0, named, rng

    def _sample(self, drawn: Sequence[Drawn]) -> EventSample:
        """Put the events of some samples one after another."""
        security, day0 = (np.concatenate([each[i] for each in drawn]) for i in (0, 1))
        named = tuple(
            (column, tuple(value for each in drawn for value in each[2][c][1]))
            for c, (column, _) in enumerate(self.named)
        )
        return as_sample(self.market, self.names, self.estimation, self.window, security, day0, named)

    def abnormal(self, sample: EventSample, model: NormalReturnModel) -> AbnormalReturns:
        """Abnormal returns of a sample; missing for events that a study would exclude."""
        return abnormal_of(model, model.arrays(sample), self.window, self.min_observations, sample)

    def p_values(self, block: int) -> FloatArray:
        """P-values of the samples of one block, shape (samples, models, variances, shifts, tests).

        NaN where a test does not apply.
        """
        size = block_size(self.n_events)
        numbers = range(block * size, min((block + 1) * size, self.n_samples))
        drawn = [self._draw(number) for number in numbers]
        options = [Options(self.alternative, self.n_resamples, int(rng.integers(2**63))) for *_, rng in drawn]
        shape = (len(numbers), len(self.models), len(self.variance), len(self.shift), len(self.tests))
        out = np.full(shape, np.nan)
        for j, (_, model) in enumerate(self.models):
            for part, samples in self._measured(drawn, model):
                for k, variance in enumerate(self.variance):
                    for m, shift in enumerate(self.shift):
                        data = inject_effect(samples.plain, variance, shift)
                        out[part, j, k, m] = samples.p_values(data, self.tests, options[part])
        return out

    def measured(self, n_samples: int) -> Iterator[SampleTests]:
        """Measure the first samples by the first model."""
        size = block_size(self.n_events)
        for begin in range(0, n_samples, size):
            drawn = [self._draw(number) for number in range(begin, min(begin + size, n_samples))]
            for _, samples in self._measured(drawn, self.models[0][1]):
                yield samples

    def _measured(
        self, drawn: Sequence[Drawn], model: NormalReturnModel
    ) -> Iterator[tuple[slice, SampleTests]]:
        for part in parts(model, self._sample(drawn[:1]), len(drawn)):
            sample = self._sample(drawn[part])
            plain = TestInput(self.abnormal(sample, model), self.tested)
            yield part, SampleTests(plain, self.n_events, apart(sample, self.n_events))


def abnormal_of(
    model: NormalReturnModel,
    arrays: EventArrays,
    window: Window,
    min_observations: int,
    sample: EventSample | None = None,
) -> AbnormalReturns:
    """Abnormal returns of a model; missing for events that a study would exclude.

    Sessions between estimation and event window are those of `sample`, where it is given.
    """
    fit = model.fit(arrays)
    found = abnormal_returns(arrays, fit, window)
    if sample is not None:
        found = replace(found, between=gap_windows(model, sample, fit.params))
    unusable = (fit.n_obs < min_observations) | ~(fit.s2 > 1e-20)
    if fit.failure is not None:
        unusable |= fit.failure != ""
    if unusable.any():
        found = replace(found, ar=np.where(unusable[:, None], np.nan, found.ar))
    return found


def inject_effect(data: TestInput, variance: float, shift: float) -> TestInput:
    """Multiply the variance of the tested abnormal returns, and add `shift` to that of day 0."""
    if variance == 1.0 and shift == 0.0:
        return data
    abnormal = data.abnormal
    ar = abnormal.ar.copy()
    ar[:, data.cols] *= np.sqrt(variance)
    ar[:, -abnormal.window.start] += shift
    return TestInput(replace(abnormal, ar=ar, actual=abnormal.expected + ar), data.window)
