"""Power: which effects a study can find, by formula and by simulation on the user's market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import optimize

from eventstudy import plotting
from eventstudy._typing import FloatArray
from eventstudy.arguments import (
    check_flag,
    check_fraction,
    check_jobs,
    check_number,
    check_seed,
    check_text,
    check_whole,
)
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord, hand_out_copies, read_only
from eventstudy.inference import TESTS, Options, TestInput, power_normal, power_t
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.dependence.near_pairs import mean_correlations
from eventstudy.inference.procedures.mean_interval import FEWEST, interval_test, standard_error
from eventstudy.lab.calibration import calibrate, check_effects, refuse_ignored
from eventstudy.lab.sample_tests import SampleTests
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.results import EventStudyResults
from eventstudy.results.fitted import WindowLike
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PowerCurve", "power"]


#: Placebo samples that the typical standard error of a market is taken from.
TYPICAL = 100
#: Effects of a curve unless others are asked for.
EFFECTS = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05)
#: Most events that `PowerCurve.needed` considers.
NEARLY_ALWAYS, POINTS = 0.99, 101
MOST_EVENTS = 1_000_000


@hand_out_copies("frame")
@dataclass(frozen=True)
class PowerCurve(FrozenRecord):
    """Power of a test of a mean CAR by the size of the true effect.

    Attributes
    ----------
    frame : DataFrame
        One row an effect: n_events, effect, analytic, and, where simulated, simulated, ci_low, ci_high.
    n_events : int
    sd : array
        Standard deviation of one event's CAR (prediction error), root mean square of a study's events;
        one entry a placebo sample where the curve is that of a market.
    correlation : array
        Mean correlation of the events' CARs, negative values taken as 0; alike.
    dof : array
        Degrees of freedom of one event; alike.
    alpha : float
    alternative : {"two-sided", "less", "greater"}

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> curve = es.lab.power(results, 0, 0)
    >>> round(curve.mde(), 3), round(curve.at(0.03), 2)
    (0.054, 0.35)
    """

    frame: pd.DataFrame
    n_events: int
    sd: FloatArray
    correlation: FloatArray
    dof: FloatArray
    alpha: float
    alternative: Alternative = "two-sided"

    @property
    def se(self) -> FloatArray:
        """Standard error of the mean CAR."""
        return read_only(_standard_error(self.sd, self.correlation, self.n_events))

    def at(self, effect: float, n_events: int | None = None) -> float:
        r"""Power to find `effect` (decimal), with as many events of the same kind.

        .. math:: P(|t'_\nu(\delta / se)| > t_{1-\alpha/2,\nu}) \;\text{for one event}, \qquad
                  \Phi(-c + \delta / se) + \Phi(-c - \delta / se) \;\text{for several}, \qquad
                  se = \sigma \sqrt{\frac{1 + (N-1)\bar r}{N}}

        Of a one-sided test the tail on its side alone, so one of ``"less"`` finds negative effects.
        """
        n = self.n_events if n_events is None else n_events
        se = _standard_error(self.sd, self.correlation, n)
        if n == 1:
            pairs = zip(se, self.dof, strict=True)
            found = [power_t(effect, s, d, self.alpha, self.alternative) for s, d in pairs]
        else:
            found = [power_normal(effect, s, 1, self.alpha, self.alternative) for s in se]
        return float(np.mean(found))

    def mde(self, power: float = 0.8) -> float:
        """Minimum detectable effect: the size of the smallest that is found with this power, decimal."""
        _check_power(power, self.alpha)
        side, high = self._side, float(self.se.max())
        while self.at(side * high) < power:
            high *= 2.0
        return float(optimize.brentq(lambda size: self.at(side * size) - power, 0.0, high, xtol=1e-10))

    @property
    def _side(self) -> float:
        """Sign of the effects that the test finds."""
        return -1.0 if self.alternative == "less" else 1.0

    def needed(self, effect: float, power: float = 0.8) -> float:
        """Return the number of such events that finds `effect` with this power.

        Infinite where no number does: events that share a shock do not average it away, and a one-sided test
        does not find an effect of the other side.
        """
        _check_power(power, self.alpha)
        if effect == 0 or (self.alternative != "two-sided" and effect * self._side < 0):
            return float("inf")
        low, high = 0, 1
        while self.at(effect, high) < power:
            low, high = high, 2 * high
            if high > MOST_EVENTS:
                return float("inf")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.at(effect, middle) >= power else (middle, high)
        return float(high)

    def plot(self, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Draw the curve; where it was simulated, with the simulated one and its interval.

        The curve goes on to effects that are nearly always found, where those asked for end before. Further
        keyword arguments are those of `plot_power`.
        """
        curve = self.frame.rename(columns={"effect": "shift"})
        side = self._side
        shift = np.linspace(0.0, side * max((side * curve["shift"]).max(), self.mde(NEARLY_ALWAYS)), POINTS)
        rates = [self.at(effect) for effect in shift]
        parts = [pd.DataFrame({"shift": shift, "test": "analytic", "rate": rates})]
        if "simulated" in curve:
            simulated = curve[["shift", "ci_low", "ci_high"]].assign(
                test="simulated", rate=curve["simulated"]
            )
            parts.append(simulated)
        title = f"Power, {self.n_events} event{'s' * (self.n_events != 1)}"
        return plotting.plot_power(pd.concat(parts), ax, alpha=self.alpha, **({"title": title} | kwargs))

    def __repr__(self) -> str:
        n = self.n_events
        return (
            f"PowerCurve: {n} event{'s' * (n != 1)}, standard error {np.sqrt(np.mean(self.se**2)):.2%}, "
            f"minimum detectable effect {self._side * self.mde():.2%} (power 80% at {self.alpha:.0%}"
            f"{'' if self.alternative == 'two-sided' else ', one-sided'})"
        )


def power(
    of: EventStudyResults | Market,
    start: WindowLike = None,
    end: int | None = None,
    *,
    effects: Sequence[float] | None = None,
    n_events: int = 1,
    common_date: bool = False,
    model: NormalReturnModel | None = None,
    estimation: Window | Sequence[int] = (-250, -30),
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    n_samples: int = 0,
    test: str | None = None,
    seed: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> PowerCurve:
    """Power of a study that was made, or of one that might be made on a market.

    Parameters
    ----------
    of : EventStudyResults or Market
    start, end : int
        First and last relative day of the tested window; the headline window of a study by default, (0, +1)
        for a market.
    effects : sequence of float, optional
        True effects, decimals: abnormal returns of the event day. By default from 0 to 5%, below zero for
        ``"less"``.
    n_events, common_date, model, estimation
        The study that might be made on a market; results have their own. By default one event and the
        market model.
    alpha : float, default 0.05
        Size of the test.
    alternative : {"two-sided", "less", "greater"}, default "two-sided"
        Side on which the test rejects.
    n_samples : int, default 0
        Placebo samples to simulate the power with; 0 for the formula alone.
    test : str, optional
        Test that is simulated; by default the one whose interval such a study shows: of results that of
        `caar`; on a market ``"t"`` of one event, ``"filtered_t"`` of fewer than five or on a common date,
        else ``"cross_sectional"``.
    seed, n_jobs, checkpoint
        As for `calibrate`.

    Returns
    -------
    PowerCurve
        ``.frame``, ``.mde()``, ``.needed(effect)``, ``.plot()``.

    Notes
    -----
    Formulas: see `PowerCurve.at`. For a market they are averaged over 100 samples of placebo events, whose
    noise they take as known.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    >>> results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    >>> curve = es.lab.power(results)
    >>> curve
    PowerCurve: 1 event, standard error 2.63%, minimum detectable effect 7.39% (power 80% at 5%)
    >>> round(curve.at(0.05), 3), curve.needed(0.03)
    (0.475, 7.0)
    """
    check_fraction("alpha", alpha)
    check_alternative(alternative)
    if effects is None:
        effects = [(-effect if alternative == "less" else effect) + 0.0 for effect in EFFECTS]
    like = of if isinstance(of, EventStudyResults) else None
    if like is None and not isinstance(of, Market):
        raise RequestError(f"power needs results of a study, or a Market; got {type(of).__name__}.")
    market = of if isinstance(of, Market) else of.spec.market
    effects = check_effects("effects", effects, market.kind)
    check_whole("n_samples", n_samples, 0)
    check_flag("common_date", common_date)
    check_text("test", test)
    check_seed(seed)
    check_jobs(n_jobs)
    if like is None:
        check_whole("n_events", n_events, 1)
    else:
        if n_events != 1:
            raise RequestError(
                f"n_events={n_events!r} is for a market; a study has its own. How power grows with their "
                "number is in power(results).at(effect, n_events) and needed(effect)."
            )
        settled = {"common_date": common_date, "model": model, "estimation": estimation}
        refuse_ignored(power, "a study", settled)
        if n_samples == 0:
            for name, value in (("test", test), ("checkpoint", checkpoint)):
                if value is not None:
                    raise RequestError(
                        f"{name}={value!r} is for the simulated power of a study: give the number of "
                        "samples, such as n_samples=1000."
                    )
    if like is not None:
        data = like.fitted
        tested = data.test_input(data.checked_window(start, end))
        shown, n = interval_test([tested]), tested.with_variance.n_events
        noise = [_noise(tested, shown)]
    else:
        few = common_date or n_events < FEWEST
        noise, n = [], n_events
        shown = "t" if n == 1 else "filtered_t" if few else "cross_sectional"
    key = test or shown
    simulated = None
    if n_samples or like is None:
        design: dict[str, Any] = {"like": like}
        if like is None:
            design = {"n_events": n_events, "common_date": common_date, "estimation": estimation}
            design["models"] = None if model is None else [model]
        simulated = calibrate(
            of if isinstance(of, Market) else None,
            start,
            end,
            **design,
            n_samples=n_samples or 1,
            tests=[key],
            shift=effects,
            variance=[1.0],
            alternative=alternative,
            seed=seed,
            n_jobs=n_jobs,
            checkpoint=checkpoint,
        )
    if simulated is not None and like is None:
        noise = [each for samples in simulated.design.measured(TYPICAL) for each in _noise_of(samples)]
    sd, correlation, dof = np.array(noise).T
    curve = PowerCurve(pd.DataFrame(), n, sd, correlation, dof, alpha, alternative)
    frame = pd.DataFrame({"n_events": n, "effect": [float(e) for e in effects]})
    frame["analytic"] = [curve.at(effect) for effect in frame["effect"]]
    if n_samples and simulated is not None:
        rates = simulated.rates(alpha).set_index("shift")
        for name, column in (("simulated", "rate"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
            frame[name] = rates[column].reindex(frame["effect"]).to_numpy()
    return PowerCurve(frame, n, sd, correlation, dof, alpha, alternative)


def _standard_error(sd: FloatArray, correlation: FloatArray, n: int) -> FloatArray:
    return np.asarray(sd * np.sqrt((1.0 + (n - 1) * correlation) / n), dtype=np.float64)


def _noise(data: TestInput, interval: str | None = None) -> tuple[float, float, float]:
    """Return the standard deviation of one CAR, mean correlation (0 if negative), degrees of freedom.

    With the test that the interval of the mean comes from, the noise is that of its standard error.
    """
    used = data.with_variance
    if used.n_events == 0:
        raise RequestError(f"No event has a CAR with a standard error in window {data.window}.")
    n, shared = used.n_events, max(dependence(used).mean_correlation, 0.0)
    sd = float(np.sqrt(used.cumulative.variance.mean()))
    if interval is not None and n > 1:
        # The noise of one event that gives the mean the standard error of its interval.
        found = TESTS[interval].run(used, Options())
        se = standard_error(found)
        sd = sd if np.isnan(se) else se * float(np.sqrt(n / (1.0 + (n - 1) * shared)))
    return sd, shared, float(used.abnormal.dof.mean())


def _noise_of(tests: SampleTests) -> list[tuple[float, float, float]]:
    """`_noise` of each of some samples."""
    data = tests.plain
    regular = tests.regular(data)
    known: dict[int, tuple[float, float, float]] = {}
    if regular.any():
        samples = tests.batch(data, regular)
        variance, dof = (
            samples.by_sample(values).mean(axis=1)
            for values in (samples.data.cumulative.variance, samples.data.abnormal.dof)
        )
        shared = np.maximum(mean_correlations(samples), 0.0)
        rows = zip(np.sqrt(variance).tolist(), shared.tolist(), dof.tolist(), strict=True)
        known = dict(zip(np.flatnonzero(regular).tolist(), rows, strict=True))
    return [known[i] if i in known else _noise(tests.single(data, i)) for i in range(len(regular))]


def _check_power(power: float, alpha: float) -> None:
    check_number("power", power, above=alpha, below=1)
