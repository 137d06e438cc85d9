"""What a significance test declares: its null, conditions and source, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable
from eventstudy.inference.samples import Samples, Statistics

__all__ = ["CONDITIONS", "Declaration", "SignificanceTest"]

#: What a test can be robust to.
CONDITIONS = frozenset(
    {"event-induced variance", "cross-correlation", "non-normality", "fat tails", "serial dependence"}
)


@dataclass(frozen=True)
class Declaration:
    """What a test claims and what it survives.

    Attributes
    ----------
    key, title : str
        Name in ``results.test(tests=[...])`` and in tables.
    null : str
        The hypothesis tested, in words.
    distribution : str
        Null distribution with its degrees of freedom, such as ``"t(N-1)"``.
    robust_to : frozenset of str
        Out of `CONDITIONS`: ``{"event-induced variance", "cross-correlation", "non-normality",
        "fat tails", "serial dependence"}``. Non-normality is fat tails and skewness; a test robust to
        fat tails alone needs returns whose two tails are alike.
    reference : str
        The paper.
    unit : {"CAR", "SCAR", ""}
        What `Statistic.estimate` is, where the estimate over the statistic is its standard error; "" where
        it is not.
    """

    key: str
    title: str
    null: str
    distribution: str
    robust_to: frozenset[str]
    reference: str
    unit: Literal["CAR", "SCAR", ""] = field(default="", kw_only=True)

    def survives(self, conditions: AbstractSet[str]) -> bool:
        """Whether the test claims to be valid where all of `conditions`, out of `CONDITIONS`, hold."""
        tails = {"fat tails"} if "non-normality" in self.robust_to else set()
        return conditions <= self.robust_to | tails


def _always(data: TestInput) -> None:
    """Condition of a test that has none."""


def _never(data: TestInput) -> str:
    """Say what misleads a test that nothing is known to mislead."""
    return ""


@dataclass(frozen=True)
class SignificanceTest(Declaration):
    """A test of the events of one study: its declaration, which events it uses and how it is computed.

    ``results.test(tests=[...])`` takes the tests of this package by key and others as objects.

    Attributes
    ----------
    compute : callable
        (TestInput, Options) -> Statistic. The input holds the events that the test uses, and no other.
    condition : callable
        (TestInput) -> None, or the reason why the test cannot be used on these events; none by default.
    needs_variance : bool
        Whether events without residual variance are left out, besides those without CAR.
    least, most : int, and int or None
        Fewest and most events the test can be used on.
    reads : tuple of str
        What it needs of the estimation windows and several tests may share, to be read for all of them at
        once: "sums" (`past_sums`), "correlation" (`dependence`) or names of `RANK_SETS`.
    by_relative_day : bool
        Whether it takes relative days, or dates, as independent, so its note warns of windows of different
        dates that overlap.
    rows_alike : bool
        Whether it takes the tested returns to vary like those of the estimation window, and so cannot be used
        where a return of bars spans a night or break.
    scaled_by_events : bool
        Whether it divides by the standard deviation of the events, so its note warns of too few.
    misled : callable, optional
        (TestInput) -> what in the past of all events makes it reject too often, which its note then says,
        or "".
    finds : callable, optional
        (TestInput, Statistic, Options) -> the CAR, common to all events, that it finds with probability 0.8,
        where that is not what its standard error implies; None where that is all there is to go by.
    batch : callable, optional
        (Samples, Options) -> Statistics, the same test on many samples in one go, where it has such a form.

    Examples
    --------
    >>> import numpy as np
    >>> from eventstudy.inference import SignificanceTest, Statistic, p_value
    >>> def compute(data, options):
    ...     z = data.scar.sum() / np.sqrt(data.n_events)
    ...     return Statistic(z, p_value(z, options.alternative), "normal", None, data.scar.mean())
    >>> mine = SignificanceTest(
    ...     "stouffer", "Stouffer's z", "mean standardised CAR is zero", "N(0,1)", frozenset(),
    ...     "Stouffer et al. (1949)", compute, needs_variance=True,
    ... )
    >>> mine.least
    2
    """

    compute: Callable[[TestInput, Options], Statistic]
    condition: Callable[[TestInput], str | None] = field(default=_always, kw_only=True)
    needs_variance: bool = field(default=False, kw_only=True)
    least: int = field(default=2, kw_only=True)
    most: int | None = field(default=None, kw_only=True)
    reads: tuple[str, ...] = field(default=(), kw_only=True)
    by_relative_day: bool = field(default=False, kw_only=True)
    rows_alike: bool = field(default=False, kw_only=True)
    scaled_by_events: bool = field(default=False, kw_only=True)
    misled: Callable[[TestInput], str] = field(default=_never, kw_only=True)
    finds: Callable[[TestInput, Statistic, Options], float | None] | None = field(default=None, kw_only=True)
    batch: Callable[[Samples, Options], Statistics] | None = field(default=None, kw_only=True)

    def events_of(self, data: TestInput) -> TestInput | str:
        """Return the events that the test uses, or the reason why they are too few or too many."""
        n = data.n_events
        if n == 0:
            return f"no event has a CAR in window {data.window}"
        if self.most is not None and n > self.most:
            return f"a test of {'one event' if self.most == 1 else f'{self.most} events'}, there are {n}"
        if n < self.least:
            return "one event" if n == 1 else f"needs at least {self.least} events, {n} can be used"
        if self.rows_alike and data.with_car.spans_gap:
            return data.unlike_rows
        if not self.needs_variance:
            return data.with_car
        sound = data.with_variance.n_events
        if sound >= self.least:
            return data.with_variance
        if not data.abnormal.n_obs.any():
            return "nothing is estimated, so the variance of abnormal returns is unknown"
        return f"residual variance is zero{f' for all but {sound} of {n} events' if n > 1 else ''}"

    def applies(self, data: TestInput) -> str | None:
        """Return None, or the reason why the test cannot be used."""
        used = self.events_of(data)
        return used if isinstance(used, str) else self.condition(used)

    def run(self, data: TestInput, options: Options) -> Statistic:
        """Compute the test on the events it uses; its note says why where it cannot be used."""
        used = self.events_of(data)
        reason = used if isinstance(used, str) else self.condition(used)
        if reason is not None or isinstance(used, str):
            return not_applicable(str(reason))
        return self.compute(used, options)

    def run_samples(self, samples: Samples, options: Options) -> Statistics:
        """Compute the test on many samples, or say which must be computed alone."""
        n = samples.size
        if self.batch is None:
            return Statistics.none(samples.n_samples, alone=True)
        if n < self.least or (self.most is not None and n > self.most):
            return Statistics.none(samples.n_samples)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.batch(samples, options)
