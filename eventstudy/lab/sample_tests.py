"""P-values of many samples of events: tests in one go where they have such a form, else sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.samples import Samples
from eventstudy.models import NormalReturnModel
from eventstudy.sample import EventArrays, EventSample

__all__ = ["SampleTests", "apart", "block_size", "parts"]

#: Samples, and events, that are measured and tested at a time.
MOST_SAMPLES, MOST_EVENTS = 50, 4096
#: Samples of more events are tested one by one: tests that hold a series for each date refuse more dates.
LARGE = 1000


def block_size(n_events: int) -> int:
    """Return how many samples of `n_events` events are measured and tested at a time.

    It depends on nothing else, so results do not depend on the number of workers.
    """
    return max(1, min(MOST_SAMPLES, MOST_EVENTS // n_events))


def parts(model: NormalReturnModel, first: EventSample, n_samples: int) -> list[slice]:
    """Return which samples are measured together: all, or one by one; `first` is the first of them.

    Models of peers look at the other events of their sample.
    """
    if type(model.arrays(first)) is EventArrays:
        return [slice(0, n_samples)]
    return [slice(i, i + 1) for i in range(n_samples)]


def apart(sample: EventSample, size: int) -> IntArray | None:
    """Return days 0 of samples of `size` events, numbered so no two samples share a day; shape (M n,).

    None in event time, where no day of one event is known to be that of another.
    """
    if sample.market.undated:
        return None
    # No window reaches over this many sessions.
    stride = 2 * len(sample.market.sessions) + len(sample.window)
    return np.asarray(sample.day0 + stride * (np.arange(len(sample)) // size))


@dataclass(frozen=True, eq=False)
class SampleTests:
    """M samples of n events each, measured together.

    Attributes
    ----------
    plain : TestInput
        The events of all samples, one sample after another.
    size : int
        Events n of a sample.
    day0 : array of int, shape (M n,), optional
        Days 0, as of `apart`; None where each sample must be tested alone.
    """

    plain: TestInput
    size: int
    day0: IntArray | None
    _batches: dict[bytes, Samples] = field(default_factory=dict, repr=False)
    _alone: dict[int, TestInput] = field(default_factory=dict, repr=False)

    def p_values(self, data: TestInput, keys: Sequence[str], options: Sequence[Options]) -> FloatArray:
        """P-values of tests, NaN where one does not apply; shape (M, tests).

        Parameters
        ----------
        data : TestInput
            `plain`, or the same events with other abnormal returns of the event window.
        keys : sequence of str
        options : sequence of Options
            One for each sample; the alternative is the same for all.
        """
        out = np.full((len(options), len(keys)), np.nan)
        alone = np.ones(out.shape, dtype=bool)
        regular = self.regular(data)
        if regular.any():
            samples = self.batch(data, regular)
            for k, key in enumerate(keys):
                found = TESTS[key].run_samples(samples, options[0])
                out[regular, k] = found.p_value
                alone[regular, k] = False if found.alone is None else found.alone
        for i in np.flatnonzero(alone.any(axis=1)).tolist():
            single = self.single(data, i)
            for k in np.flatnonzero(alone[i]).tolist():
                out[i, k] = TESTS[keys[k]].run(single, options[i]).p_value
        return out

    def regular(self, data: TestInput) -> BoolArray:
        """Whether each sample can be tested in one go, shape (M,)."""
        fit = data.abnormal
        one_by_one = (
            self.day0 is None
            or self.size > LARGE
            or any(known is not None for known in (fit.bars, fit.autocorrelation, fit.estimated_after))
        )
        if one_by_one:
            return np.zeros(fit.n_events // self.size, dtype=bool)
        known = data.usable & data.sound & (fit.span[:, data.cols] == 1).all(axis=1)
        return np.asarray(known.reshape(-1, self.size).all(axis=1))

    def batch(self, data: TestInput, regular: BoolArray) -> Samples:
        """Return the samples that are tested in one go."""
        used = TestInput(replace(data.abnormal, day0=self.day0), data.window)
        if not regular.all():
            used = used.take(np.repeat(regular, self.size))
        key = regular.tobytes()
        if key not in self._batches:
            self._batches[key] = Samples(used, self.size)
            return self._batches[key]
        return self._batches[key].altered(used)

    def single(self, data: TestInput, number: int) -> TestInput:
        """Return one of the samples."""
        rows = slice(number * self.size, (number + 1) * self.size)
        if number not in self._alone:
            self._alone[number] = self.plain.take(rows)
        plain = self._alone[number]
        if data is self.plain:
            return plain
        single = data.take(rows)
        if plain.with_variance is plain and single.with_variance is single:
            # Correlations come from the estimation window, which no shift touches.
            single._readings["dependence"] = dependence(plain)
        return single
