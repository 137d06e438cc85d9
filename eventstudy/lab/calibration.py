"""Size and power of the tests on the user's own market, by simulation with placebo events."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy._typing import FloatArray
from eventstudy.arguments import check_flag, check_fraction, check_numbers, check_sequence, check_whole
from eventstudy.causal.study import CausalStudy
from eventstudy.errors import RequestError
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, Immutable
from eventstudy.inference import TESTS, TestInput
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.inference.registry import check_keys
from eventstudy.lab.blocks import fingerprint, run_blocks, settled_seed
from eventstudy.lab.causal_calibration import CausalCalibration, calibrate_causal
from eventstudy.lab.model_comparison import named_models
from eventstudy.lab.placebo_events import (
    DateCluster,
    NamedColumns,
    candidates_of,
    date_clusters,
    named_columns,
)
from eventstudy.lab.simulation_design import Design, closed_tests
from eventstudy.market import LEVELS, Market, check_market
from eventstudy.models import MarketModel, NormalReturnModel
from eventstudy.results import EventStudyResults
from eventstudy.results.fitted import WindowLike, refuse_own_windows, window_of
from eventstudy.sample import EventSample
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Calibration", "CalibrationPlotter", "calibrate"]


@dataclass(frozen=True)
class Calibration(FrozenRecord):
    """Rejection rates of tests on placebo events of a market.

    Made by `calibrate`.

    Attributes
    ----------
    design : Design
    p_values : array, shape (samples, models, variances, shifts, tests)
        Two-sided p-values; NaN where a test does not apply.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.lab.simulate_market(20, 400, seed=1).market
    >>> found = es.lab.calibrate(market, n_events=5, n_samples=20, tests=["bmp"], shift=[0], seed=1)
    >>> found.rates().shape[0], found.n_events
    (2, 5)
    """

    design: Design
    p_values: FloatArray

    @property
    def frame(self) -> pd.DataFrame:
        """Rejection rates at 5% with 95% intervals; see `rates`."""
        return self.rates()

    def rates(self, alpha: float = 0.05, level: float = 0.95) -> pd.DataFrame:
        """Rejection rates of the tests.

        Parameters
        ----------
        alpha : float, default 0.05
            Nominal size of the tests.
        level : float, default 0.95
            Coverage of the Wilson intervals of the rates.

        Returns
        -------
        DataFrame
            One row per model, test, variance (multiple of the ordinary one) and shift (abnormal return
            added to day 0): n_samples (those in which the test applies), n_rejected, rate, ci_low, ci_high,
            nominal, well_specified (whether the interval holds `alpha`; only without shift, and missing where
            it holds twice `alpha` as well: so few samples cannot tell), and note (why a test never applies).
        """
        from statsmodels.stats.proportion import proportion_confint

        for name, value in (("alpha", alpha), ("level", level)):
            check_fraction(name, value)
        design = self.design
        names = [name for name, _ in design.models]
        grid = pd.MultiIndex.from_product(
            [names, design.variance, design.shift, design.tests], names=["model", "variance", "shift", "test"]
        )
        frame = grid.to_frame(index=False)[["model", "test", "variance", "shift"]]
        n = (~np.isnan(self.p_values)).sum(axis=0).ravel()
        rejected = (self.p_values <= alpha).sum(axis=0).ravel()
        low, high = proportion_confint(rejected, np.maximum(n, 1), alpha=1 - level, method="wilson")
        some = n > 0
        # Of a rate of 0 or 1 the bound is that rate, which rounding may miss.
        shares = rejected / np.maximum(n, 1)
        low, high = np.minimum(low, shares), np.maximum(high, shares)
        frame["n_samples"], frame["n_rejected"] = n, rejected
        frame["rate"] = np.where(some, shares, np.nan)
        frame["ci_low"], frame["ci_high"] = np.where(some, low, np.nan), np.where(some, high, np.nan)
        frame["nominal"] = alpha
        holds = pd.array((low <= alpha) & (alpha <= high), dtype="boolean")
        told = ~holds | (high < 2 * alpha)
        frame["well_specified"] = pd.Series(holds).where(some & told & (frame["shift"] == 0).to_numpy())
        notes = self._why_not(sorted(set(frame.loc[~some, "test"])))
        frame["note"] = [notes.get(key, "") for key in frame["test"]]
        return frame

    def _why_not(self, keys: Sequence[str]) -> dict[str, str]:
        """Reason why tests do not apply to the first sample."""
        if not keys:
            return {}
        sample, _ = self.design.sample(0)
        data = TestInput(self.design.abnormal(sample, self.design.models[0][1]), self.design.tested)
        return {key: TESTS[key].applies(data) or "undefined in every sample" for key in keys}

    def size(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rejection rates of a true null, tests × (model, variance); the nominal size is `alpha`."""
        frame = self.rates(alpha)
        frame = frame[frame["shift"] == 0]
        if frame.empty:
            raise RequestError("This calibration has no shift of 0, so it says nothing of size.")
        table = frame.pivot(index="test", columns=["model", "variance"], values="rate")
        return table.loc[[key for key in self.design.tests if key in table.index]]

    def describe(self, test: str, *, variance: float = 1.0, alpha: float = 0.05) -> str:
        """Say how a test behaves on this market, in a sentence for each model."""
        frame = self.rates(alpha)
        rows = frame[(frame["test"] == test) & (frame["variance"] == variance) & (frame["shift"] == 0)]
        if rows.empty:
            raise RequestError(
                f"No size of the test {test!r} at variance {variance:g} was simulated. Tests: "
                f"{', '.join(self.design.tests)}; variances: {list(self.design.variance)}."
            )
        told = []
        for row in rows.itertuples():
            if not row.n_samples:
                told.append(f"{row.model}: {TESTS[test].title} does not apply ({row.note}).")
                continue
            told.append(
                f"{row.model}: on this market, with {self._events()}, {TESTS[test].title} rejects "
                f"{row.rate:.1%} of true nulls at nominal {alpha:.0%} (95% interval {row.ci_low:.1%} to "
                f"{row.ci_high:.1%})."
            )
        return "\n".join(told)

    @property
    def n_events(self) -> int:
        """Events of one sample."""
        return self.design.n_events

    @property
    def n_dates(self) -> int:
        """Dates of one sample."""
        return self.design.n_dates

    @property
    def window(self) -> Window:
        """Tested window."""
        return self.design.tested

    @property
    def plot(self) -> CalibrationPlotter:
        """Figures of size and power."""
        return CalibrationPlotter(self)

    def _events(self) -> str:
        n, dates = self.n_events, self.n_dates
        events = f"{n} event{'s' * (n != 1)}"
        return events if n == 1 else f"{events} on {'one date' if dates == 1 else f'{dates} dates'}"

    def __repr__(self) -> str:
        design = self.design
        return (
            f"Calibration: {plural(design.n_samples, 'sample')} of {self._events()}, window {design.tested}, "
            f"{len(design.tests)} test{'s' * (len(design.tests) != 1)}, "
            f"{', '.join(name for name, _ in design.models)}"
        )


class CalibrationPlotter(Immutable):
    """Figures of a calibration; every method returns the matplotlib Axes.

    Further keyword arguments go to the drawing function of `eventstudy.plotting`.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def size(
        self, *, variance: float = 1.0, alpha: float = 0.05, ax: Axes | None = None, **kwargs: Any
    ) -> Axes:
        """Rejection rate of a true null by test, with its interval, against the nominal size."""
        frame = self._calibration.rates(alpha)
        frame = frame[(frame["variance"] == variance) & (frame["shift"] == 0) & (frame["n_samples"] > 0)]
        return plotting.plot_size(frame, ax, alpha=alpha, **({"title": self._title("Size")} | kwargs))

    def power(
        self,
        tests: Sequence[str] | None = None,
        *,
        variance: float = 1.0,
        alpha: float = 0.05,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Axes:
        """Rejection rate by shift, without tests known to be misspecified unless tests are named."""
        frame = self._calibration.rates(alpha)
        frame = frame[(frame["variance"] == variance) & (frame["n_samples"] > 0)]
        if tests is None:
            null = frame[frame["shift"] == 0]
            sound = null.loc[null["well_specified"].fillna(True).astype(bool), "test"].unique()
            tests = list(sound) if len(sound) else list(frame["test"].unique())
        frame = frame[frame["test"].isin(check_keys(tests))]
        return plotting.plot_power(frame, ax, alpha=alpha, **({"title": self._title("Power")} | kwargs))

    def _title(self, what: str) -> str:
        calibration = self._calibration
        return f"{what}: {calibration._events()}, window {calibration.design.tested}"


@overload
def calibrate(
    market: CausalStudy,
    start: WindowLike = ...,
    end: int | None = ...,
    *,
    n_samples: int = ...,
    tests: Sequence[str] | None = ...,
    avoid: Events | None = ...,
    n_resamples: int = ...,
    seed: int | np.random.Generator | None = ...,
    n_jobs: int | None = ...,
    checkpoint: str | PathLike[str] | None = ...,
) -> CausalCalibration: ...


@overload
def calibrate(
    market: Market | None = ...,
    start: WindowLike = ...,
    end: int | None = ...,
    *,
    n_events: int = ...,
    n_samples: int = ...,
    common_date: bool = ...,
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel] | None = ...,
    tests: Sequence[str] | None = ...,
    shift: Sequence[float] = ...,
    variance: Sequence[float] = ...,
    estimation: Window | Sequence[int] = ...,
    min_observations: int = ...,
    like: EventStudyResults | None = ...,
    avoid: Events | None = ...,
    alternative: Alternative = ...,
    n_resamples: int = ...,
    seed: int | np.random.Generator | None = ...,
    n_jobs: int | None = ...,
    checkpoint: str | PathLike[str] | None = ...,
) -> Calibration: ...


def calibrate(
    market: Market | CausalStudy | None = None,
    start: WindowLike = None,
    end: int | None = None,
    *,
    n_events: int = 30,
    n_samples: int = 1000,
    common_date: bool = False,
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel] | None = None,
    tests: Sequence[str] | None = None,
    shift: Sequence[float] = (0.0, 0.005, 0.01, 0.02),
    variance: Sequence[float] = (1.0, 2.0),
    estimation: Window | Sequence[int] = (-250, -30),
    min_observations: int = 30,
    like: EventStudyResults | None = None,
    avoid: Events | None = None,
    alternative: Alternative = "two-sided",
    n_resamples: int = 199,
    seed: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> Calibration | CausalCalibration:
    r"""Size and power of the tests on your own market (Brown and Warner 1980, 1985).

    Samples of placebo events are drawn from the market's real returns, on days on which nothing is known to
    have happened. How often a test rejects is its size; with `shift` added to the abnormal returns of
    day 0 it is its power:

    .. math:: AR'_{it} = \sqrt{v}\, AR_{it} + \delta\, 1[t = 0], \qquad t \in W

    Parameters
    ----------
    market : Market or CausalStudy, optional
        By default that of `like`. Of a `CausalStudy` the design is copied (dates, treated firms, donors,
        estimator, windows) and its tests are calibrated; the result is a `CausalCalibration`. Options
        that set the design of other studies are refused.
    start, end : int
        First and last relative day of the tested window, which holds day 0; by default (0, +1), or the
        headline window of `like`.
    n_events : int, default 30
        Events per sample.
    n_samples : int, default 1000
    common_date : bool, default False
        Whether all events of a sample share one session; else each has its own.
    models : sequence of models, or mapping of name to model
        By default the market model, or the model of `like`.
    tests : sequence of str, optional
        Test keys; by default all whose p-value is a formula or a rank.
    shift : sequence of float
        Abnormal returns added to day 0 of every event, decimals; 0 is size.
    variance : sequence of float
        Multiples of the variance of the abnormal returns in the tested window.
    estimation : (int, int), default (-250, -30)
    min_observations : int, default 30
    like : EventStudyResults, optional
        A study whose design is copied: number of events, how their dates cluster, windows, model, and the
        market unless one is given; its own events are avoided. `n_events`, `common_date`, `estimation`
        and `min_observations` are then those of the study.
    avoid : Events, optional
        Announcements that the placebo event windows of the same security must not hold.
    alternative : {"two-sided", "less", "greater"}, default "two-sided"
        Side on which the tests of an event study reject.
    n_resamples : int, default 199
        Draws of resampling tests, if any are asked for.
    seed : int or Generator, default 0
    n_jobs : int, optional
        Workers, as for `joblib.Parallel`; None is 1, unless ``joblib.parallel_config`` says otherwise.
    checkpoint : path, optional
        File that keeps finished samples; an interrupted run that is started again goes on from there.

    Returns
    -------
    Calibration
        ``.frame`` is tidy; ``.size()`` a table; ``.plot.size()`` and ``.plot.power()`` draw.

    Raises
    ------
    RequestError
        If the market has no session with enough usable securities, or an argument makes no sense.

    Notes
    -----
    A placebo event trades on every session of the tested window and before it, so a calibration says nothing
    about events in suspensions. The intervals of the rates are those of the simulation, given this
    market's history: with a common date they cannot know that some hundred dates were all there was to
    draw from. Sample i has the i-th child of the seed's ``SeedSequence``: the same
    seed gives the same numbers whatever the number and kind of workers.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 500, correlation=0.3, seed=1)
    >>> found = es.lab.calibrate(
    ...     market, n_events=20, n_samples=200, common_date=True, tests=["bmp", "adjusted_bmp"],
    ...     shift=[0], variance=[1], seed=2,
    ... )
    >>> found
    Calibration: 200 samples of 20 events on one date, window (0, +1), 2 tests, Market model (OLS)
    >>> found.frame.set_index("test")["well_specified"].to_dict()
    {'bmp': False, 'adjusted_bmp': True}
    """
    settled: dict[str, object] = {
        "n_events": n_events,
        "common_date": common_date,
        "estimation": estimation,
        "min_observations": min_observations,
    }
    if isinstance(market, CausalStudy):
        _check_numbers(1, n_samples, n_resamples, [0.0], [1.0])
        settled |= {"shift": shift, "variance": variance}
        settled |= {"models": models, "like": like, "alternative": alternative}
        refuse_ignored(calibrate, "a CausalStudy", settled)
        return calibrate_causal(
            market,
            start,
            end,
            n_samples=n_samples,
            tests=tests,
            avoid=avoid,
            n_resamples=n_resamples,
            seed=seed,
            n_jobs=n_jobs,
            checkpoint=checkpoint,
        )
    if like is not None and not isinstance(like, EventStudyResults):
        raise RequestError(
            f"like= takes the results of an EventStudy; got {type(like).__name__}. A CausalStudy is "
            "calibrated itself: calibrate(study)."
        )
    if market is None and like is None:
        raise RequestError("calibrate needs a market, or like= a study.")
    _check_numbers(n_events, n_samples, n_resamples, shift, variance)
    check_flag("common_date", common_date)
    check_whole("min_observations", min_observations, 1)
    check_alternative(alternative)
    if like is not None:
        refuse_ignored(calibrate, "like=, a study,", settled)
    source = like.spec.market if market is None and like is not None else market
    if not (isinstance(source, Market) and source.undated):
        check_market(source)
    assert source is not None
    shift = check_effects("shift", shift, source.kind)
    if avoid is not None and not isinstance(avoid, Events):
        avoid = Events(avoid)
    clusters: tuple[DateCluster, ...]
    named_events: NamedColumns = ()
    if like is not None:
        spec = like.spec
        refuse_own_windows(spec, "calibrate")
        event_window, estimation, min_observations = spec.window, spec.estimation, spec.min_observations
        tested = window_of(event_window, start, end)
        clusters = date_clusters(like.sample.day0, len(tested))
        named_events = named_columns(like.sample) if source is spec.market else ()
        models = [spec.model] if models is None else models
    else:
        tested = event_window = window_of(None, start, end)
        estimation = Window.of(estimation)
        clusters = (((0, n_events),),) if common_date else (((0, 1),),) * n_events
    if 0 not in tested:
        raise RequestError(f"The tested window {tested} must hold day 0, to which effects are added.")
    if estimation.end >= event_window.start:
        raise RequestError(
            f"The estimation window {estimation} reaches into the event window {event_window}; end it before."
        )
    named = named_models([MarketModel()] if models is None else models)
    names = np.array(source.returns.columns, dtype=object)
    candidates = candidates_of(source, estimation, event_window, tested, min_observations)
    for given in ([] if avoid is None else [avoid]) + ([] if like is None else [like.spec.events]):
        candidates = candidates.without(EventSample.of(source, given, estimation, event_window), event_window)
    if tests is not None and not check_sequence("tests", tests, "keys, such as ['t', 'bmp']"):
        raise RequestError("tests is empty: name some, or None for all with a formula or a rank.")
    total = sum(n for cluster in clusters for _, n in cluster)
    design = Design(
        market=source,
        names=names,
        candidates=candidates,
        clusters=clusters,
        estimation=estimation,
        window=event_window,
        tested=tested,
        min_observations=min_observations,
        models=tuple(named.items()),
        tests=tuple(closed_tests(total) if tests is None else check_keys(tests)),
        shift=tuple(float(s) for s in shift),
        variance=tuple(float(v) for v in variance),
        n_samples=int(n_samples),
        seed=settled_seed(seed),
        n_resamples=n_resamples,
        named=named_events,
        alternative=alternative,
    )
    design.sample(0)  # raise for an impossible design here, not in a worker
    blocks = run_blocks(
        design.p_values,
        design.n_blocks,
        name="Calibration",
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        identity="" if checkpoint is None else fingerprint(source, design.settings),
    )
    return Calibration(design, np.concatenate(blocks))


def _check_numbers(
    n_events: int, n_samples: int, n_resamples: int, shift: Sequence[float], variance: Sequence[float]
) -> None:
    for name, number in (("n_events", n_events), ("n_samples", n_samples), ("n_resamples", n_resamples)):
        check_whole(name, number, 1)
    check_numbers("shift", shift, "[0, 0.01]")
    check_numbers("variance", variance, "[1, 2]", above=0)


def check_effects(name: str, effects: Sequence[float], kind: str) -> list[float]:
    """Return true effects as floats, or refuse what is not a list of numbers, or looks like percent."""
    found = check_numbers(name, effects, "[0, 0.01]")
    largest = max(found, key=abs)
    if kind not in LEVELS and abs(largest) >= 1.0:
        raise RequestError(
            f"{name} holds {largest:g}, an abnormal return of {largest:.0%}; returns are decimals, 0.01 "
            "being 1%. Are these percent? Divide by 100."
        )
    return found


def refuse_ignored(call: Callable[..., object], what: str, options: Mapping[str, object]) -> None:
    """Refuse options of a call, other than their defaults, that a design which is copied settles."""
    parameters = inspect.signature(call).parameters
    for name, given in options.items():
        if not _equal(given, parameters[name].default):
            raise RequestError(
                f"{name}={given!r} is for a design of your own; {what} has its own. Leave it out."
            )


def _equal(given: object, default: object) -> bool:
    """Whether an option has its default, as a list, an array or a number of numpy too."""
    if isinstance(given, Window):
        given = (given.start, given.end)
    try:
        one, other = np.asarray(given), np.asarray(default)
    except (TypeError, ValueError):  # ragged
        return False
    kinds = ["number" if each.dtype.kind in "iuf" else each.dtype.kind for each in (one, other)]
    return given is default or (kinds[0] == kinds[1] and kinds[0] != "O" and np.array_equal(one, other))
