"""Many samples of events, on which a test is computed in one go, and what it finds in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.distributions import norm_cdf, norm_sf, p_value_of_tails
from eventstudy.immutable import read_only
from eventstudy.inference.base import Options, TestInput, t_p_values
from eventstudy.inference.engine.filtered_past import past_errors

__all__ = ["Dates", "Samples", "Statistics"]

T = TypeVar("T")


@dataclass(frozen=True)
class Dates:
    """Dates of M samples: runs of the events of one sample that share a day 0, in order.

    Attributes
    ----------
    order : array of int, shape (N,)
        The events, date by date.
    start, session : arrays of int, shape (G,)
        Where each date begins in `order`, and its day 0.
    label : array of int, shape (N,)
        The date of each event.
    first : array of int, shape (M,)
        First date of each sample.
    """

    order: IntArray
    start: IntArray
    session: IntArray
    label: IntArray
    first: IntArray

    @classmethod
    def of(cls, day0: IntArray, n_samples: int) -> Dates:
        """Find the dates of samples of equal size, one after another, that share no session."""
        order = np.argsort(day0, kind="stable")
        ordered = day0[order]
        changed = np.diff(ordered, prepend=ordered[:1] - 1) != 0
        start = np.flatnonzero(changed)
        label = np.empty(len(order), dtype=np.int64)
        label[order] = np.cumsum(changed) - 1
        first = np.searchsorted(start, np.arange(n_samples) * (len(day0) // max(n_samples, 1)))
        return cls(order, start, ordered[start], label, first)

    @cached_property
    def sample(self) -> IntArray:
        """The sample of each date, shape (G,)."""
        return read_only(np.repeat(np.arange(len(self.first)), self.count))

    @cached_property
    def sizes(self) -> IntArray:
        """Events of each date, shape (G,)."""
        return read_only(np.diff(np.append(self.start, len(self.order))))

    @cached_property
    def count(self) -> IntArray:
        """Dates of each sample, shape (M,)."""
        return read_only(np.diff(np.append(self.first, len(self.start))))

    def total(self, values: FloatArray) -> FloatArray:
        """Sum over the events of each date, shape (N, ...) -> (G, ...)."""
        if len(self.start) == len(self.order):
            return np.asarray(values[self.order])
        return np.asarray(np.add.reduceat(values[self.order], self.start, axis=0))

    def by_sample(self, values: FloatArray) -> FloatArray:
        """Sum over the dates of each sample, shape (G, ...) -> (M, ...)."""
        return np.asarray(np.add.reduceat(values, self.first, axis=0))


@dataclass(frozen=True)
class Samples:
    """M samples of n events each, on which a test is computed in one go.

    All events are of one market. Each has a CAR, a residual variance, and a return of one session on every
    tested day.

    Attributes
    ----------
    data : TestInput
        The M n events, one sample after another; their days 0 are numbered so no two samples share a day.
    size : int
        Events n of a sample.
    """

    data: TestInput
    size: int
    #: What comes from the estimation windows, by name.
    _past: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_samples(self) -> int:
        """Number M of samples."""
        return self.data.abnormal.n_events // self.size

    def by_sample(self, values: FloatArray) -> FloatArray:
        """Give the events of each sample a row of their own, shape (M n, ...) -> (M, n, ...)."""
        return values.reshape(-1, self.size, *values.shape[1:])

    @cached_property
    def car(self) -> FloatArray:
        """CARs, shape (M, n)."""
        return read_only(self.by_sample(self.data.cumulative.car))

    @cached_property
    def scar(self) -> FloatArray:
        """SCARs, shape (M, n)."""
        return read_only(self.by_sample(self.data.cumulative.scar))

    @cached_property
    def dates(self) -> Dates:
        """Dates of the samples."""
        day0 = self.data.abnormal.day0
        assert day0 is not None  # of all that is tested in one go
        return self.past("dates", lambda: Dates.of(day0, self.n_samples))

    @cached_property
    def overlap(self) -> BoolArray:
        """Whether windows of different dates of a sample share days, shape (M,)."""
        near = np.diff(self.dates.session, append=np.iinfo(np.int64).max) < len(self.data.window)
        return read_only(self.dates.by_sample(near.astype(np.float64)) > 0)

    @cached_property
    def lost_dof(self) -> FloatArray:
        """Degrees of freedom as of `AbnormalReturns.lost_dof`, shape (M,)."""
        fit = self.data.abnormal
        lost = self.by_sample(fit.n_obs - fit.dof).mean(axis=1)
        return read_only(np.minimum(float(fit.n_params), lost))

    @cached_property
    def residuals(self) -> FloatArray:
        """Estimation residuals, shape (M n, W); NaN where unused."""
        return self.past("residuals", self.data.abnormal.past.residuals)

    @cached_property
    def past_errors(self) -> FloatArray:
        """Past errors of all events, oldest first, as of `past_errors`; shape (M n, T)."""
        return self.past("past_errors", lambda: past_errors(self.data, self.residuals))

    def past(self, name: str, compute: Callable[[], T]) -> T:
        """Compute what comes from the estimation windows, once for all effects added to the event windows."""
        if name not in self._past:
            self._past[name] = compute()
        found: T = self._past[name]
        return found

    def altered(self, data: TestInput) -> Samples:
        """Return the same events with other abnormal returns of the event window."""
        return Samples(data, self.size, self._past)


@dataclass(frozen=True)
class Statistics:
    """A test computed on M samples.

    Attributes
    ----------
    statistic, p_value, dof, estimate : arrays, shape (M,)
        As in `Statistic`; NaN where the test does not apply; `dof` is also NaN where the law has none.
    alone : array of bool, shape (M,), optional
        Samples that must be computed one at a time.
    """

    statistic: FloatArray
    p_value: FloatArray
    dof: FloatArray
    estimate: FloatArray
    alone: BoolArray | None = None

    @classmethod
    def of(
        cls,
        statistic: FloatArray,
        options: Options,
        estimate: FloatArray,
        dof: FloatArray | IntArray | float | None = None,
        *,
        where: Any = True,
        alone: BoolArray | None = None,
    ) -> Statistics:
        """Take statistics that are t(dof), or standard normal where `dof` is None, `where` a test applies."""
        found = np.where(where & ~np.isnan(statistic), statistic, np.nan)
        freedom = np.broadcast_to(np.nan if dof is None else np.asarray(dof, dtype=np.float64), found.shape)
        if dof is None:
            p = p_value_of_tails(norm_cdf(found), norm_sf(found), options.alternative)
        else:
            p = t_p_values(found, freedom, options.alternative)
        known = ~np.isnan(found)
        return cls(
            found, np.asarray(p), np.where(known, freedom, np.nan), np.where(known, estimate, np.nan), alone
        )

    @classmethod
    def none(cls, n_samples: int, *, alone: bool = False) -> Statistics:
        """Say that a test applies to no sample, or that each must be computed alone."""
        missing = np.full(n_samples, np.nan)
        return cls(missing, missing, missing, missing, np.full(n_samples, alone))
