"""What a significance test sees, what it declares and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns, CumulativeReturns, EstimationWindows, cumulate
from eventstudy.arguments import check_choice, check_seed, check_whole
from eventstudy.distributions import norm_cdf, norm_sf, p_value_of_tails, t_cdf, t_ppf, t_sf
from eventstudy.immutable import FrozenMapping, read_only
from eventstudy.windows import Window

__all__ = [
    "CONDITIONS",
    "Alternative",
    "Dates",
    "Declaration",
    "EstimationWindows",
    "Options",
    "Samples",
    "SignificanceTest",
    "Statistic",
    "Statistics",
    "TestInput",
    "Weights",
    "check_alternative",
    "not_applicable",
    "p_value",
    "t_bounds",
    "t_p_values",
]


#: What a test can be robust to.
CONDITIONS = frozenset(
    {"event-induced variance", "cross-correlation", "non-normality", "fat tails", "serial dependence"}
)
#: A residual standard deviation this small beside the event's own returns is rounding noise.
EXACT_FIT = 1e-10
T = TypeVar("T")
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

    Examples
    --------
    >>> from eventstudy.inference import Options
    >>> Options(alternative="less").alternative
    'less'
    """

    alternative: Alternative = "two-sided"
    n_resamples: int = 999
    seed: int | np.random.Generator | None = 0
    wild_weights: Weights = "rademacher"
    wild_by: Literal["date", "event"] = "date"

    def generator(self, key: str) -> np.random.Generator:
        """Return the random generator of test `key`, a stream of its own.

        It depends on `seed` and `key` alone, so a result does not depend on which other tests
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
            If the number of resamples or the seed is negative or not whole, or the weights are unknown.
        """
        for name, known in (("wild_weights", ("rademacher", "mammen")), ("wild_by", ("date", "event"))):
            check_choice(name, getattr(self, name), known)
        check_whole("n_resamples", self.n_resamples, 1)
        if isinstance(self.seed, np.random.Generator):
            return replace(self, seed=int(self.seed.integers(2**63)))
        check_seed(self.seed)
        return self


@dataclass(frozen=True)
class TestInput:
    """N events and one tested window, as every significance test sees them.

    Attributes
    ----------
    abnormal : AbnormalReturns
    window : Window
        The tested days, a part of the event window.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> data = results.fitted.test_input(es.Window(0, 1))
    >>> data.car.round(4).tolist(), data.scar.round(2).tolist()
    ([-0.0755, -0.0566], [-2.79, -1.78])
    """

    __test__ = False

    abnormal: AbnormalReturns
    window: Window
    #: What was read from the estimation windows so far, by name: one pass serves several tests.
    _readings: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def cols(self) -> slice:
        """Columns of the event-window arrays that are tested."""
        return self.abnormal.columns(self.window)

    @cached_property
    def cumulative(self) -> CumulativeReturns:
        """CARs of all N events over the tested window, with their prediction-error variances."""
        return cumulate(self.abnormal, self.window)

    @cached_property
    def scale_of_sums(self) -> FloatArray:
        """Variances of the CARs in units of s², were the errors independent, shape (N,).

        Sums of consecutive past residuals vary as autocorrelated errors do, so a CAR that is compared with
        them is scaled by the error of its prediction alone.
        """
        sums = self.cumulative
        return read_only(sums.variance / (self.abnormal.s2 * sums.serial))

    @cached_property
    def usable(self) -> BoolArray:
        """Events with a CAR in the tested window, shape (N,)."""
        return read_only(~np.isnan(self.cumulative.car))

    @property
    def n_events(self) -> int:
        """Number of events with a CAR in the tested window."""
        return int(self.usable.sum())

    @cached_property
    def car(self) -> FloatArray:
        """CARs of the usable events, shape (n_events,)."""
        return read_only(self.cumulative.car[self.usable])

    @cached_property
    def scar(self) -> FloatArray:
        """SCARs of the usable events, shape (n_events,); NaN without a prediction-error variance."""
        return read_only(self.cumulative.scar[self.usable])

    @property
    def spans_gap(self) -> bool:
        """Whether a tested return of bars spans a night or break."""
        bars = self.abnormal.bars
        return bars is not None and bool(
            (bars.gaps(self.cols) & ~np.isnan(self.abnormal.ar[:, self.cols])).any()
        )

    @property
    def unlike_rows(self) -> str:
        """Reason why bars cannot measure a window that holds a night or break."""
        return (
            f"window {self.window} holds a night or break, whose return varies unlike those of bars that it "
            "is compared with; time_of_day_t compares it with earlier ones"
        )

    @cached_property
    def tested_dates(self) -> DateArray:
        """Calendar dates of the tested window, shape (N, len(window)); NaT beyond the data."""
        return self.abnormal.event_windows.dates(slice(None), self.cols)

    @cached_property
    def common_date(self) -> bool:
        """Whether all usable events have the same calendar dates in the tested window."""
        dates = self.tested_dates[self.usable]
        return len(dates) > 0 and bool((dates == dates[0]).all())

    @cached_property
    def with_car(self) -> TestInput:
        """The events with a CAR in the tested window."""
        return self if self.usable.all() else self.take(self.usable)

    @cached_property
    def with_variance(self) -> TestInput:
        """The events with a CAR and a residual variance to standardise it by.

        A series that is constant, or fitted exactly, over the estimation window has a residual variance of
        zero or of rounding size; no standardised abnormal return exists then.
        """
        usable = self.with_car
        sound = usable.sound
        return usable if sound.all() else usable.take(sound)

    @cached_property
    def sound(self) -> BoolArray:
        """Events whose residual variance is more than rounding noise, and that have a SCAR; shape (N,)."""
        largest = np.maximum(*(_largest(r) for r in (self.abnormal.actual, self.abnormal.ar)))
        s2, scar = self.abnormal.s2, self.scar if self.usable.all() else self.cumulative.scar
        return read_only((s2 > 0) & (s2 > (EXACT_FIT * largest) ** 2) & ~np.isnan(scar))

    def take(self, which: Any) -> TestInput:
        """Return the same window of the events that an index or a mask of shape (N,) picks."""
        return TestInput(self.abnormal.take(which), self.window)


def _largest(values: FloatArray) -> FloatArray:
    """Largest size of the values of each row, 0 where there is none; shape (N, L) -> (N,)."""
    out = np.zeros(len(values))
    for day in values.T:
        np.fmax(out, np.abs(day), out=out)
    return out


@dataclass(frozen=True)
class Statistic:
    """A computed test statistic with its null distribution and p-value.

    Attributes
    ----------
    statistic, p_value : float
        NaN where the test cannot be computed; `note` then says why.
    distribution : str
        ``"t"``, ``"normal"``, ``"binomial"``, ``"signed-rank"``, ``"F"``, ``"rank"`` (ranks among
        estimation-window values) or ``"resampled"``.
    dof : float, pair of float, or None
        Degrees of freedom of t and F.
    estimate : float
        What is tested, such as the mean CAR.
    note : str
        What a reader of the table should know.
    extra : mapping
        Further results by name, such as the draws ``"null"`` of a resampling test.

    Examples
    --------
    >>> from eventstudy.inference import Statistic
    >>> Statistic(2.1, 0.04, "t", 30.0, 0.012).estimate
    0.012
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


def not_applicable(reason: str) -> Statistic:
    """Return the result of a test that cannot be computed, with the reason."""
    return Statistic(float("nan"), float("nan"), "", note=reason)


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
        As in `Statistic`; NaN where the test does not apply, and where there are no degrees of freedom.
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


def check_alternative(alternative: str) -> None:
    """Check the side of an alternative.

    Raises
    ------
    RequestError
        If it is unknown.
    """
    check_choice("alternative", alternative, get_args(Alternative))


def t_p_values(statistic: FloatArray, dof: FloatArray | float, alternative: Alternative) -> FloatArray:
    """P-values of statistics that are t(dof) under the null, shape (N,)."""
    return np.asarray(p_value_of_tails(t_cdf(statistic, dof), t_sf(statistic, dof), alternative))


def t_bounds(
    estimate: FloatArray,
    se: FloatArray,
    dof: FloatArray | float,
    level: float,
    alternative: Alternative = "two-sided",
) -> tuple[FloatArray, FloatArray]:
    """Intervals of estimates whose t has `dof` degrees of freedom; infinite on one side if one-sided.

    A one-sided interval holds the effects that the one-sided test of size ``1 - level`` does not reject.

    Examples
    --------
    >>> [float(end.round(4)) for end in t_bounds(np.array(-0.05), np.array(0.02), 10, 0.95)]
    [-0.0946, -0.0054]
    >>> [float(end.round(4)) for end in t_bounds(np.array(-0.05), np.array(0.02), 10, 0.95, "less")]
    [-inf, -0.0138]
    """
    half = t_ppf(0.5 + level / 2 if alternative == "two-sided" else level, dof) * se
    low, high = np.asarray(estimate - half), np.asarray(estimate + half)
    known = ~np.isnan(low)
    if alternative == "less":
        low = np.where(known, -np.inf, np.nan)
    if alternative == "greater":
        high = np.where(known, np.inf, np.nan)
    return low, high


def p_value(
    statistic: float,
    alternative: Alternative,
    dof: float | None = None,
) -> float:
    """P-value of a statistic that is t(dof) under the null, or standard normal where `dof` is None.

    Examples
    --------
    >>> from eventstudy.inference import p_value
    >>> round(p_value(1.96, "two-sided"), 3), round(p_value(-1.645, "less"), 3)
    (0.05, 0.05)
    """
    tails = (
        (norm_cdf(statistic), norm_sf(statistic))
        if dof is None
        else (t_cdf(statistic, dof), t_sf(statistic, dof))
    )
    return float(p_value_of_tails(*tails, alternative))
