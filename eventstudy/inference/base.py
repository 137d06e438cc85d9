"""What a significance test sees, what it declares and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import stats

from eventstudy._typing import BoolArray, DateArray, FloatArray
from eventstudy.abnormal import AbnormalReturns, CumulativeReturns, cumulate
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenMapping, read_only
from eventstudy.lazy import rows_of
from eventstudy.windows import Window

__all__ = [
    "CONDITIONS",
    "Alternative",
    "Declaration",
    "Options",
    "SignificanceTest",
    "Statistic",
    "TestInput",
    "Weights",
    "p_value",
]


#: What a test can be robust to.
CONDITIONS = frozenset(
    {"event-induced variance", "cross-correlation", "non-normality", "fat tails", "serial dependence"}
)
Alternative = Literal["two-sided", "less", "greater"]
Weights = Literal["rademacher", "mammen"]


@dataclass(frozen=True)
class Options:
    """How a test is run: side, resamples and randomness.

    Attributes
    ----------
    alternative : {"two-sided", "less", "greater"}
    n_resamples : int
        Random draws B of a resampling test.
    seed : int, numpy.random.Generator or None
        None draws afresh each time.
    wild_weights : {"rademacher", "mammen"}
        Weights of the wild bootstrap: signs, or Mammen's two points, which keep skewness.
    wild_by : {"date", "event"}
        Whether all events of a date share a weight, or each event has its own.
    """

    alternative: Alternative = "two-sided"
    n_resamples: int = 999
    seed: int | np.random.Generator | None = None
    wild_weights: Weights = "rademacher"
    wild_by: Literal["date", "event"] = "date"

    def generator(self, key: str) -> np.random.Generator:
        """Return the random generator of test `key`, a stream of its own.

        It depends on `seed` and `key` alone, so that a result does not depend on which other tests
        run. (Of a Generator one number is drawn, which then is the seed.)
        """
        seed = self.seed
        if isinstance(seed, np.random.Generator):
            seed = int(seed.integers(2**63))
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(key.encode())))

    def settled(self) -> Options:
        """Return checked options for several tests, with one seed for all of them.

        Raises
        ------
        RequestError
            If the number of resamples or the seed is negative or no whole number, or the weights are unknown.
        """
        for name, known in (("wild_weights", ("rademacher", "mammen")), ("wild_by", ("date", "event"))):
            if getattr(self, name) not in known:
                raise RequestError(f"{name} is one of {', '.join(known)}; got {getattr(self, name)!r}.")
        if not isinstance(self.n_resamples, int | np.integer) or self.n_resamples < 1:
            raise RequestError(f"n_resamples is a number of draws, 1 or more; got {self.n_resamples!r}.")
        if isinstance(self.seed, np.random.Generator):
            return replace(self, seed=int(self.seed.integers(2**63)))
        if self.seed is not None and (not isinstance(self.seed, int | np.integer) or self.seed < 0):
            raise RequestError(
                f"seed is a whole number from 0 on, a numpy.random.Generator or None; got {self.seed!r}."
            )
        return self


@dataclass(frozen=True)
class TestInput:
    """N events and one tested window, as every significance test sees them."""

    __test__ = False

    abnormal: AbnormalReturns
    window: Window

    @property
    def cols(self) -> slice:
        """Columns of the event-window arrays that are tested."""
        return self.abnormal.columns(self.window)

    @cached_property
    def cumulative(self) -> CumulativeReturns:
        """CARs of all N events over the tested window, with their prediction-error variances."""
        return cumulate(self.abnormal, self.window)

    @cached_property
    def usable(self) -> BoolArray:
        """Events with a CAR in the tested window, shape (N,)."""
        return read_only(~np.isnan(self.cumulative.car))

    @property
    def n_events(self) -> int:
        """Number of events with a CAR in the tested window."""
        return int(self.usable.sum())

    @property
    def car(self) -> FloatArray:
        """CARs of the usable events, shape (n_events,)."""
        return read_only(self.cumulative.car[self.usable])

    @property
    def scar(self) -> FloatArray:
        """SCARs of the usable events, shape (n_events,)."""
        return read_only(self.cumulative.scar[self.usable])

    @cached_property
    def tested_dates(self) -> DateArray:
        """Calendar dates of the tested window, shape (N, len(window)); NaT beyond the data."""
        return self.abnormal.event_dates[:, self.cols]

    @cached_property
    def common_date(self) -> bool:
        """Whether all usable events have the same calendar dates in the tested window."""
        dates = self.tested_dates[self.usable]
        return len(dates) > 0 and bool((dates == dates[0]).all())

    def only(self, keep: BoolArray) -> TestInput:
        """Return the same test on the events of a boolean mask of shape (N,)."""
        return TestInput(select(self.abnormal, keep), self.window)


def select(abnormal: AbnormalReturns, keep: BoolArray) -> AbnormalReturns:
    """Abnormal returns of the events that `keep`, a boolean mask of shape (N,), names."""
    return rows_of(abnormal, keep, abnormal.n_events)


@dataclass(frozen=True)
class Statistic:
    """A computed test statistic with its null distribution and p-value.

    `distribution` is ``"t"``, ``"normal"``, ``"binomial"``, ``"signed-rank"``, ``"F"``, ``"rank"``
    (ranks among estimation-window values) or ``"resampled"``; `dof` is None where there are none.
    """

    statistic: float
    p_value: float
    distribution: str
    dof: float | tuple[float, float] | None = None
    estimate: float = float("nan")
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", FrozenMapping(self.extra))


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


@dataclass(frozen=True)
class SignificanceTest(Declaration):
    """A test of the events of one study: its declaration, when it applies and how it is computed.

    Attributes
    ----------
    applies : callable
        TestInput -> None, or the reason why the test cannot be used.
    compute : callable
        (TestInput, Options) -> Statistic; called only where `applies` returns None.
    reads : tuple of str
        What it needs of the estimation windows and several tests may share, to be read for all of them at
        once: "sums" (`past_sums`), "correlation" (`dependence`) or names of `RANK_SETS`.
    """

    applies: Callable[[TestInput], str | None]
    compute: Callable[[TestInput, Options], Statistic]
    reads: tuple[str, ...] = field(default=(), kw_only=True)


def p_value(
    statistic: float,
    alternative: Alternative,
    dof: float | None = None,
) -> float:
    """P-value of a statistic that is t(dof) under the null, or normal where `dof` is None."""
    upper = {"two-sided": abs(statistic), "less": -statistic, "greater": statistic}[alternative]
    tail = float(stats.norm.sf(upper) if dof is None else stats.t.sf(upper, dof))
    return min(1.0, 2.0 * tail) if alternative == "two-sided" else tail
