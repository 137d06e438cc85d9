"""What a significance test sees and returns, and the p-values that tests share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from eventstudy._typing import BoolArray, DateArray, FloatArray
from eventstudy.abnormal import AbnormalReturns, CumulativeReturns, EstimationWindows, cumulate
from eventstudy.arguments import check_choice, check_seed, check_whole
from eventstudy.distributions import norm_cdf, norm_sf, p_value_of_tails, t_cdf, t_ppf, t_sf
from eventstudy.immutable import FrozenMapping, read_only
from eventstudy.windows import Window

__all__ = [
    "Alternative",
    "EstimationWindows",
    "Options",
    "Statistic",
    "TestInput",
    "Weights",
    "check_alternative",
    "not_applicable",
    "p_value",
    "t_bounds",
    "t_p_values",
]


#: A residual standard deviation this small beside the event's own returns is rounding noise.
EXACT_FIT = 1e-10
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
    def covered_dates(self) -> DateArray:
        """Dates of all sessions that the tested returns span, shape (N, B + len(window)).

        NaT for sessions that its first return does not reach back to, and beyond the data.
        """
        return self.abnormal.covered_dates(self.cols)

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
        s2, scar = self.abnormal.s2, self.scar if self.usable.all() else self.cumulative.scar
        returns = (self.abnormal.actual, self.abnormal.ar)
        # As a rule, no residual variance is small even beside the largest return of all events.
        largest: FloatArray | float = max(_size(values) for values in returns)
        if not (s2 > (EXACT_FIT * largest) ** 2).all():
            largest = np.maximum(*(_largest(values) for values in returns))
        return read_only((s2 > 0) & (s2 > (EXACT_FIT * largest) ** 2) & ~np.isnan(scar))

    def take(self, which: Any) -> TestInput:
        """Return the same window of the events that an index or a mask of shape (N,) picks."""
        taken = TestInput(self.abnormal.take(which), self.window)
        if "cumulative" in vars(self):
            vars(taken)["cumulative"] = self.cumulative.take(which)
        return taken


def _size(values: FloatArray) -> float:
    """Size of the largest value, 0 where there is none."""
    return float(
        max(np.fmax.reduce(values, axis=None, initial=0.0), -np.fmin.reduce(values, axis=None, initial=0.0))
    )


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
